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
    "--save", metavar="FILE", help="Save the summary of the pass as JSON; summaries of parts can be added up."
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
    file: str, save: str | None, reported: str | None, level: float, unit: str, as_json: bool, **columns: Any
) -> None:
    """Score FILE: the log loss, how sure it is, and whether it is any good.

    FILE is CSV, TSV, Parquet, Arrow, JSON lines or NPZ, also gzipped CSV; - is standard input. Outcome and
    forecast columns are found by their names where that is unambiguous, and what was found is said.
    """
    from logloss.cli.output import again, columns_asked, emit
    from logloss.scoring import of_record
    from logloss.sources import gather

    record = gather(file, **columns_asked(columns))
    result = of_record(record, level=level)
    if save:
        from logloss.cli.output import save_summary

        save_summary(result.summary, save)
    if reported is not None:
        from logloss.conventions import which_of

        answer = which_of(record, reported)
        emit(answer.to_dict() if as_json else str(answer), result.notes)
        return
    emit(
        result.to_dict() if as_json else result.show(unit, notes=False),
        result.notes,
        follow=again("explain", file, columns),
    )


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
    from logloss.blame import of_observations
    from logloss.cli.output import columns_asked, emit
    from logloss.sources import gather

    record = gather(file, **columns_asked(columns))
    result = of_observations(record, rows=rows, clip=clip, temperature=temperature)
    emit(result.to_dict() if as_json else result.show(unit, notes=False), result.score.notes)
