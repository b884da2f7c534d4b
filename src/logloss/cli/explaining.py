"""`logloss explain`: why, and why validation is worse than training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from logloss.cli.options import table_options

if TYPE_CHECKING:
    from logloss.why.contrast import Gap
    from logloss.why.explanation import Explanation

__all__ = ["explain"]


@click.command()
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
@click.option(
    "--ignore",
    multiple=True,
    metavar="ID",
    help="A finding to leave out, such as LL010; repeatable. A note counts them.",
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
    ignore: tuple[str, ...],
    unit: str,
    as_json: bool,
    **columns: Any,
) -> None:
    """Explain the log loss of FILE: noise, skill or miscalibration; which rows, classes and slices; what would change it."""
    from dataclasses import replace

    from logloss.cli.commandlines import explained, first, sided
    from logloss.cli.output import columns_asked, emit
    from logloss.finding import chosen
    from logloss.why.blame import explain as explain_rows
    from logloss.why.checks import IDS

    asked = columns_asked(columns)
    how: dict[str, Any] = {
        "rows": rows,
        "clip": clip,
        "temperature": temperature,
        "pairs": pairs,
        "ignore": chosen(ignore, IDS),
    }
    names = () if no_slices else list(by) or None
    if train or split:
        result, found = _explain_gap(file, train, split, asked, how, names)
        result = replace(result, findings=sided(result.findings, file, columns, train=train, split=split))
        _emit_gap(result, found, unit, as_json)
        return
    result = explain_rows(file, **asked, **how, by=names)
    result = replace(
        result, findings=explained(result.findings, file, columns, rows=result.observations is not None)
    )
    answer = result.to_dict() if as_json else result.show(unit, notes=False)
    emit(answer, result.score.notes, follow=first(result.findings))


def _explain_gap(
    file: str,
    train: str | None,
    split: str | None,
    asked: dict[str, Any],
    how: dict[str, Any],
    names: Any,
) -> tuple[Explanation, Gap]:
    """Explain the validation rows, and the gap to the training rows."""
    from dataclasses import replace

    from logloss.errors import UsageError
    from logloss.summary import Summary
    from logloss.why.blame import of_fold, of_observations
    from logloss.why.gaps import of_sides, open_sides, split_rows

    if (split and train) or asked["group"]:
        raise UsageError(
            "train-or-split",
            "Training rows are in a file of their own (--train) or in FILE (--split), and --group goes with neither.",
            cure="Use --train TRAIN_FILE or --split COLUMN alone.",
        )
    asked = {name: option for name, option in asked.items() if name != "group"}
    sides: Any
    taken = asked
    if split:
        column, mark, value = split.partition("=")
        sides = split_rows(file, column, value if mark else None, asked)
        taken = {**asked, "group": column}
    else:
        sides = open_sides(train, file, asked)
    held_out = sides[1]
    if isinstance(held_out, Summary):
        result = of_fold(held_out, rows=how["rows"], ignore=how["ignore"])
    else:
        found_columns, more = _columns(file, taken, held_out, names)
        held_out = replace(held_out, notes=(*held_out.notes, *more))
        result = of_observations(held_out, **how, columns=found_columns)
    return result, of_sides(*sides)


def _emit_gap(result: Explanation, found: Gap, unit: str, as_json: bool) -> None:
    """Print why validation rows lose what they do, then the gap."""
    from logloss.cli.commandlines import first
    from logloss.cli.output import emit

    said = {note.text for note in result.score.notes}
    notes = [
        *result.score.notes,
        *(n for n in found.notes if n.text.removeprefix("Validation: ") not in said),
    ]
    answer: Any = f"{result.show(unit, notes=False)}\n\n{found.show(unit, notes=False)}"
    emit(
        {**result.to_dict(), "gap": found.to_dict()} if as_json else answer,
        notes,
        follow=first(result.findings),
    )


def _columns(
    file: str, asked: dict[str, Any], record: Any, names: Any
) -> tuple[dict[str, Any], tuple[Any, ...]]:
    """Return the columns to slice the validation rows by; none where standard input is used up."""
    from logloss.sources import Opened, opened
    from logloss.why.asides import beside

    found = None if file == "-" or names == () else opened(file, **{**asked, "labels": list(record.classes)})
    if not isinstance(found, Opened):
        return {}, ()
    _, table, chosen = found.gathered()
    return beside(table, chosen, record, names)
