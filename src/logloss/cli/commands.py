"""The verbs; those of score and merge."""

from __future__ import annotations

from typing import Any

import click

from logloss.cli.comparing import compare
from logloss.cli.curving import curves
from logloss.cli.deciding import decide
from logloss.cli.explaining import explain
from logloss.cli.fixing import apply, export, fix
from logloss.cli.labels import estimate, suspects
from logloss.cli.learning import learn
from logloss.cli.options import SPACES, UNITS, table_options
from logloss.cli.reporting import report
from logloss.cli.shifting import shift

__all__ = ["SPACES", "UNITS", "cli"]

EXAMPLES = """\b
Examples:
  logloss score preds.csv
  logloss score preds.csv --outcome sick --forecast p_sick --weight w
  logloss score submission.csv --truth solution.csv --id id
  logloss explain preds.csv --rows 20
  logloss fix preds.csv --apply new.csv --out better.csv
  logloss compare old.csv new.csv --truth answers.csv --id id
  logloss decide preds.csv --cost-fp 2 --cost-fn 10 --out decided.csv
  logloss curves preds.csv --model old=p_old --model new=p_new --out curves.csv
  logloss suspects preds.csv --id id --out suspects.csv
  logloss report preds.csv --id id -o report.html
  logloss learn
  printf 'y,p\\n1,.9\\n0,.2\\n' | logloss score - --json
"""


@click.group(
    epilog=EXAMPLES, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="logloss")
def cli() -> None:
    """Log loss of probabilistic predictions: the exact number, why, and what to do."""


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
    "--multilabel",
    is_flag=True,
    help="Each --outcome column is a label of its own, yes or no; none, one or several can be true.",
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
    multilabel: bool,
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
    if multilabel:
        others = {"model": models, "save": save, "parts": parts, "which": reported}
        _multilabel(file, asked, others, level, unit, as_json)
        return
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
        follow=again("compare", file, columns | {"model": models})
        if models
        else again("explain", file, columns),
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


def _multilabel(
    file: str, asked: dict[str, Any], others: dict[str, Any], level: float, unit: str, as_json: bool
) -> None:
    """Score several yes/no labels per row."""
    from logloss.cli.output import emit
    from logloss.errors import UsageError
    from logloss.yesno.scoring import multilabel

    taken = {name: asked.pop(name) for name in ("outcome", "forecast", "space", "weight")}
    idle = [name for name, value in (asked | others).items() if value]
    if idle:
        flag = {"ids": "id"}.get(idle[0], idle[0]).replace("_", "-")
        raise UsageError(
            "multilabel-alone",
            f"--multilabel does not go together with --{flag}.",
            cure="It takes --outcome, --forecast, --space, --weight, --level, --unit and --json.",
        )
    result = multilabel(file, **taken, level=level)
    emit(result.to_dict() if as_json else result.show(unit, notes=False), result.notes)


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


for verb in (explain, fix, apply, export, compare, decide, curves, shift, estimate, suspects, report, learn):
    cli.add_command(verb)
