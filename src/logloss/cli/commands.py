"""The verbs and their options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["cli"]

SPACES = ("p", "logp", "logit")
UNITS = ("nats", "bits", "bans")

EXAMPLES = """\b
Examples:
  logloss score preds.csv
  logloss score preds.csv --outcome sick --forecast p_sick --weight w
  logloss score submission.csv --truth solution.csv --id id
  logloss explain preds.csv --rows 20
  logloss suspects preds.csv --id id --out suspects.csv
  printf 'y,p\\n1,.9\\n0,.2\\n' | logloss score - --json
"""


@click.group(
    epilog=EXAMPLES, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="logloss")
def cli() -> None:
    """Log loss of probabilistic predictions: the exact number, why, and what to do."""


def table_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say where in the table everything stands."""
    options = [
        click.argument("file", metavar="FILE"),
        click.option(
            "--outcome",
            multiple=True,
            metavar="COLUMN",
            help="Column of the outcomes (or, repeated, one column per class).",
        ),
        click.option(
            "--forecast",
            multiple=True,
            metavar="COLUMN",
            help="Column of the forecasts, or, repeated, one column per class.",
        ),
        click.option("--weight", metavar="COLUMN", help="Column of weights."),
        click.option("--group", metavar="COLUMN", help="Column of groups: each gets results of its own."),
        click.option("--id", "ids", metavar="COLUMN", help="Column of ids; joins --truth."),
        click.option("--truth", metavar="FILE", help="File with the outcomes, joined by id."),
        click.option(
            "--space",
            type=click.Choice(SPACES),
            default="p",
            show_default=True,
            help="What the forecasts are: probabilities, their natural logs, or logits.",
        ),
        click.option(
            "--labels",
            metavar="A,B,...",
            help="The classes, in the order of the columns; with one column, the one it is about comes last.",
        ),
        click.option("--positive", metavar="CLASS", help="The class that a single forecast column is about."),
        click.option(
            "--normalize-rows",
            is_flag=True,
            help="Divide each row of probabilities by its sum (and say what it did).",
        ),
        click.option(
            "--skip-missing", is_flag=True, help="Leave out rows with missing values (and say how many)."
        ),
        click.option(
            "--skip-unreadable",
            is_flag=True,
            help="Leave out files of a folder that cannot be read (and say which).",
        ),
        click.option(
            "--unit",
            type=click.Choice(UNITS),
            default="nats",
            show_default=True,
            help="Unit of the losses on screen; JSON is always in nats.",
        ),
        click.option("--json", "as_json", is_flag=True, help="Print one JSON object."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@cli.command()
@table_options
@click.option(
    "--model",
    "models",
    multiple=True,
    metavar="NAME=COLUMN[,COLUMN...]",
    help="One of several forecasts of the same rows; repeat it for each.",
)
@click.option(
    "--save",
    metavar="FILE",
    help="Save the summary of the pass as JSON; `logloss merge` adds summaries of parts up.",
)
@click.option(
    "--parts",
    metavar="FOLDER",
    help="Keep what is done of each file there; after an interruption the same command goes on.",
)
@click.option(
    "--which",
    "reported",
    metavar="NUMBER",
    help="Say which tools' conventions reproduce this reported log loss.",
)
@click.option(
    "--level",
    type=click.FloatRange(0.5, 0.9999),
    default=0.95,
    show_default=True,
    help="Coverage of the interval.",
)
def score(
    file: str,
    models: tuple[str, ...],
    save: str | None,
    parts: str | None,
    reported: str | None,
    level: float,
    unit: str,
    as_json: bool,
    **columns: Any,
) -> None:
    """Score FILE: the log loss, how sure it is, and whether it is any good.

    FILE is CSV, TSV, Parquet, Arrow, JSON lines or NPZ, also gzipped CSV; a folder of such files, a quoted pattern
    ('part-*.parquet'); - is standard input. It may be far larger than memory. Outcome and forecast columns are found
    by their names where that is unambiguous, and what was found is said.
    """
    from logloss.cli.output import again, columns_asked, emit, models_asked, progress, refuse_to_save
    from logloss.errors import UsageError
    from logloss.scoring import of_summary
    from logloss.summaries import summarize

    asked = columns_asked(columns)
    if reported is not None:
        if models or save or parts:
            raise UsageError(
                "which-alone",
                "--which answers for one forecast and saves nothing.",
                cure="Leave --model, --save and --parts out.",
            )
        _which(file, reported, as_json, asked)
        return
    if models:
        asked["forecast"] = models_asked(models, asked["forecast"])
    if save:
        refuse_to_save(save)
    with progress(parts) as watch:
        summary = summarize(file, **asked, watch=watch, parts=parts)
    result = of_summary(summary, level=level)
    if save:
        summary.save(save)
    emit(
        result.to_dict() if as_json else result.show(unit, notes=False),
        result.notes,
        follow=None if models else again("explain", file, columns),
    )


def _which(file: str, reported: str, as_json: bool, asked: dict[str, Any]) -> None:
    """Say which conventions reproduce a reported figure."""
    from logloss.cli.output import emit
    from logloss.conventions import which_of
    from logloss.scoring import of_record
    from logloss.sources import gather

    record = gather(file, **asked)
    answer = which_of(record, reported)
    emit(answer.to_dict() if as_json else str(answer), of_record(record).notes)


@cli.command()
@click.argument("files", metavar="SUMMARY...", nargs=-1, required=True)
@click.option("--save", metavar="FILE", help="Save the summary of the whole.")
@click.option("--allow-equal", is_flag=True, help="Accept parts that are equal in all sums.")
@click.option(
    "--level",
    type=click.FloatRange(0.5, 0.9999),
    default=0.95,
    show_default=True,
    help="Coverage of the interval.",
)
@click.option(
    "--unit", type=click.Choice(UNITS), default="nats", show_default=True, help="Unit of the losses."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def merge(
    files: tuple[str, ...], save: str | None, allow_equal: bool, level: float, unit: str, as_json: bool
) -> None:
    """Score parts together: SUMMARY files that `logloss score --save` wrote, added up.

    Each part may have been scored on another machine; the result is that of scoring all rows at once.
    """
    from logloss.cli.output import emit, refuse_to_save
    from logloss.scoring import of_summary
    from logloss.summaries import merge as merged

    if save:
        refuse_to_save(save)
    whole = merged(files, allow_equal=allow_equal)
    result = of_summary(whole, level=level)
    if save:
        whole.save(save)
    emit(result.to_dict() if as_json else result.show(unit, notes=False), result.notes)


@cli.command()
@table_options
@click.option(
    "--rows",
    type=click.IntRange(0),
    default=10,
    show_default=True,
    help="How many of the costliest rows to list.",
)
@click.option(
    "--clip",
    type=click.FloatRange(0, 0.5, min_open=True),
    multiple=True,
    help="What if forecasts were clipped into [CLIP, 1 - CLIP]? Repeatable.",
)
@click.option(
    "--temperature",
    type=click.FloatRange(0, min_open=True),
    multiple=True,
    help="What if logits were divided by this? Repeatable.",
)
def explain(
    file: str,
    rows: int,
    clip: tuple[float, ...],
    temperature: tuple[float, ...],
    unit: str,
    as_json: bool,
    **columns: Any,
) -> None:
    """Explain the log loss of FILE: which rows and classes carry it, and what would change it."""
    from logloss.blame import explain as explained
    from logloss.cli.output import columns_asked, emit, progress

    with progress(None) as watch:
        result = explained(
            file, **columns_asked(columns), rows=rows, clip=clip, temperature=temperature, watch=watch
        )
    emit(result.to_dict() if as_json else result.show(unit, notes=False), result.score.notes)


@cli.command()
@table_options
@click.option(
    "--rows",
    type=click.IntRange(0),
    default=20,
    show_default=True,
    help="How many of the most suspicious rows to list.",
)
@click.option("--out", metavar="FILE", help="Write all rows as CSV, the most suspicious first.")
def suspects(file: str, rows: int, out: str | None, unit: str, as_json: bool, **columns: Any) -> None:
    """Find labels in FILE that look wrong, each with the probability that it is.

    The forecasts must be of rows that they were not fitted on: cross-validated or held-out predictions.
    """
    from logloss.cli.output import columns_asked, emit, refuse_to_replace
    from logloss.saving import write_table
    from logloss.suspicion import suspects as suspected

    if out:
        refuse_to_replace(out, "probability,surprise")
    result = suspected(file, **columns_asked(columns), rows=rows)
    if out:
        write_table(result.columns(), out)
    emit(result.to_dict() if as_json else result.show(unit, notes=False), result.notes)
