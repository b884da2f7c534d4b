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
            "--counts",
            is_flag=True,
            help="The outcome columns, one per class, count annotators; they are taken as shares (and it says how many).",
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


def _multilabel(
    file: str, asked: dict[str, Any], others: dict[str, Any], level: float, unit: str, as_json: bool
) -> None:
    """Score several yes/no labels per row."""
    from logloss.cli.output import emit
    from logloss.errors import UsageError
    from logloss.multilabels import multilabel

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
@click.option(
    "--by",
    multiple=True,
    metavar="COLUMN",
    help="Column to slice by; repeatable. By default all that are not used otherwise.",
)
@click.option("--no-slices", is_flag=True, help="Do not look for slices.")
@click.option(
    "--pairs/--no-pairs",
    default=None,
    help="Look at combinations of two columns too; by default for up to 8 columns.",
)
@click.option(
    "--train",
    metavar="FILE",
    help="The rows that the model was trained on: why is FILE worse than they are?",
)
@click.option(
    "--split",
    metavar="COLUMN[=VALUE]",
    help="The same with both in one file: the column that tells them apart (and its value in training rows).",
)
def explain(
    file: str,
    by: tuple[str, ...],
    no_slices: bool,
    pairs: bool | None,
    rows: int,
    clip: tuple[float, ...],
    temperature: tuple[float, ...],
    train: str | None,
    split: str | None,
    unit: str,
    as_json: bool,
    **columns: Any,
) -> None:
    """Explain the log loss of FILE: noise, skill or miscalibration; which rows, classes and slices; what would change it."""
    from logloss.blame import explain as explained
    from logloss.cli.output import columns_asked, emit, progress

    asked = columns_asked(columns)
    if train or split:
        _explain_gap(
            file, train, split, asked, {"rows": rows, "clip": clip, "temperature": temperature}, unit, as_json
        )
        return
    with progress(None) as watch:
        result = explained(
            file,
            **asked,
            rows=rows,
            clip=clip,
            temperature=temperature,
            by=() if no_slices else list(by) or None,
            pairs=pairs,
            watch=watch,
        )
    emit(result.to_dict() if as_json else result.show(unit, notes=False), result.score.notes)


def _explain_gap(
    file: str, train: str | None, split: str | None, asked: dict[str, Any], how: dict[str, Any], unit: str, as_json: bool
) -> None:  # fmt: skip
    """Explain the validation rows, then the gap to the training rows."""
    from logloss.blame import of_fold, of_observations
    from logloss.cli.output import emit
    from logloss.errors import UsageError
    from logloss.gaps import of_sides, open_sides, split_rows
    from logloss.summary import Summary

    if (split and train) or asked["group"]:
        raise UsageError(
            "train-or-split",
            "Training rows are in a file of their own (--train) or in FILE (--split), and --group goes with neither.",
            cure="Use --train TRAIN_FILE or --split COLUMN alone.",
        )
    asked = {name: option for name, option in asked.items() if name != "group"}
    sides: Any
    if split:
        column, mark, value = split.partition("=")
        sides = split_rows(file, column, value if mark else None, asked)
    else:
        sides = open_sides(train, file, asked)
    held_out = sides[1]
    if isinstance(held_out, Summary):
        result = of_fold(held_out, rows=how["rows"])
    else:
        result = of_observations(held_out, **how)
    found = of_sides(*sides)
    said = {note.text for note in result.score.notes}
    notes = [
        *result.score.notes,
        *(n for n in found.notes if n.text.removeprefix("Validation: ") not in said),
    ]
    answer: Any = f"{result.show(unit, notes=False)}\n\n{found.show(unit, notes=False)}"
    emit({**result.to_dict(), "gap": found.to_dict()} if as_json else answer, notes)


@cli.command()
@table_options
@click.option(
    "--width",
    type=click.FloatRange(0, min_open=True),
    help="Say how many more labels an interval of this total width (high - low, in nats) takes.",
)
@click.option(
    "--inclusion",
    metavar="COLUMN",
    help="Column of the probabilities with which the labelled rows were drawn; without it, at random.",
)
@click.option(
    "--next", "next_", type=click.IntRange(1), metavar="M", help="Draw M unlabelled rows to label next."
)
@click.option(
    "--design",
    type=click.Choice(["random", "active"]),
    default="random",
    show_default=True,
    help="Draw them alike, or more often those whose surprise should vary more.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of the draw.")
@click.option(
    "--out", metavar="FILE", help="Write the rows to label next as CSV, with an outcome to fill in."
)
@click.option(
    "--level",
    type=click.FloatRange(0.5, 0.9999),
    default=0.95,
    show_default=True,
    help="Coverage of the intervals.",
)
def estimate(
    file: str,
    width: float | None,
    inclusion: str | None,
    next_: int | None,
    design: str,
    seed: int,
    out: str | None,
    level: float,
    unit: str,
    as_json: bool,
    **columns: Any,
) -> None:
    """Estimate the log loss of FILE where only some rows have an outcome: how sure it is, which rows to label next.

    Rows with an empty outcome, or without one in --truth, are unlabelled.
    """
    from logloss.cli.output import columns_asked, emit
    from logloss.errors import UsageError
    from logloss.estimation import estimate as estimated
    from logloss.sampling import refuse_to_replace

    asked = columns_asked(columns)
    if asked.pop("group") is not None or (out and next_ is None):
        raise UsageError(
            "not-for-estimate",
            "--group is not for estimate, and --out needs --next.",
            cure="Leave --group out; say how many rows to label next: --next M.",
        )
    if out:
        refuse_to_replace(out)
    result = estimated(file, **asked, inclusion=inclusion, level=level, width=width)
    drawn = None if next_ is None else result.next_rows(next_, seed=seed, design=design)
    if drawn is not None and out:
        drawn.save(out)
    if as_json:
        emit(result.to_dict() | {"next": None if drawn is None else drawn.to_dict()}, result.notes)
        return
    screens = [result.show(unit, notes=False), *([] if drawn is None else [drawn.show()])]
    emit("\n\n".join(screens), result.notes)
