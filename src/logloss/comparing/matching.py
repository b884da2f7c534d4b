"""Forecasts that stand in several tables, put in the same order: by id, or by position where the outcomes are equal."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss import units
from logloss.errors import AlignmentError, OutcomeError, listing
from logloss.joining import keys_of, positions_of
from logloss.notes import Note
from logloss.plain import plain
from logloss.recognise import vector
from logloss.stages import staged
from logloss.surprises import class_blocks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logloss.columns import Table
    from logloss.comparing.entrants import Entrant
    from logloss.record import Observations

__all__ = ["check_same", "matched"]

FEW = 3
SAME = 1e-9  # shares that were written in other ways


@staged("matching rows")
def matched(
    entrants: dict[str, Entrant], *, partly: bool = False
) -> tuple[dict[str, Entrant], tuple[Note, ...]]:
    """Return the forecasts with the same rows in the same order, that of the first; and how they were matched.

    `partly`: keep the rows that all of them have, where they differ.
    """
    if any(one.record.ids is None for one in entrants.values()):
        entrants = _same_classes(entrants)
        return entrants, (_by_position(entrants),)
    keys = {
        name: keys_of(vector(one.record.ids, "The ids"), one.asked.ids or "", one.table)  # type: ignore[union-attr, arg-type]
        for name, one in entrants.items()
    }
    at = {name: _positions(name, keys[name], one.table) for name, one in entrants.items()}  # type: ignore[arg-type]
    common = reduce(lambda a, b: a & b, [set(one) for one in at.values()])
    same = all(len(one) == len(common) for one in at.values())
    if not common or not (same or partly):
        raise _different_rows(at, common)
    lead = next(iter(entrants))
    order = [key for key in keys[lead] if key in common]
    found = {
        name: _reordered(one, np.array([at[name][key] for key in order], np.int64))
        for name, one in entrants.items()
    }
    told = f"Matched by id {next(iter(entrants.values())).asked.ids!r}: {units.count(len(order), 'row')} in all of {len(at)} tables."  # type: ignore[union-attr]
    notes = [Note("matched-by-id", told)]
    if not same:
        lost = ", ".join(
            f"{len(one) - len(common):,} of {name}" for name, one in at.items() if len(one) > len(common)
        )
        notes.append(Note("rows-not-shared", f"Compared on the {len(common):,} ids that all have, as was asked for; left out: {lost}."))  # fmt: skip
    found = _same_classes(found)
    check_same(found, order)
    return found, tuple(notes)


def _positions(name: str, keys: list[str], table: Table) -> dict[str, int]:
    """Return the row of each id of one of several tables; an error says which of them it is of."""
    try:
        return positions_of(keys, table)
    except AlignmentError as error:
        raise error if name in error.message else error.within(repr(name)) from None


def check_same(entrants: dict[str, Entrant], keys: list[str] | None = None) -> None:
    """Refuse forecasts in the same order whose classes, outcomes or weights differ."""
    (lead, first), *others = entrants.items()
    for name, one in others:
        differ = _differing(first.record, one.record)
        if len(differ):
            raise _different_outcomes(lead, first.record, name, one.record, differ, keys)
        a, b = first.record.weight, one.record.weight
        if a is not None and b is not None and not np.array_equal(a, b):
            row = int(np.flatnonzero(a != b)[0])
            raise AlignmentError(
                "different-weights",
                f"{lead!r} and {name!r} weight the same rows differently (row {first.record.row_number(row)}: {a[row]:g} against {b[row]:g}).",
                cure="Keep the weights in the first table only.",
            )


def _by_position(entrants: dict[str, Entrant]) -> Note:
    """Check that rows can be matched by their position, and say that they were."""
    lengths = {name: len(one.record) for name, one in entrants.items()}
    gone = [one.record.skipped for one in entrants.values()]
    if len(set(lengths.values())) > 1 or len(set(gone)) > 1:
        raise AlignmentError(
            "different-rows",
            f"These tables have different numbers of rows ({', '.join(f'{name}: {n:,}' for name, n in lengths.items())}) and no id to match them by: scores on two data sets are incomparable.",
            cure="Name the column of ids: ids=... (CLI: --id).",
        )
    numbers = [one.record.numbers() for one in entrants.values()]
    if not all(np.array_equal(numbers[0], other) for other in numbers):
        raise AlignmentError(
            "different-rows",
            "Rows with missing values were left out, not the same ones of each table, and there is no id to match the others by.",
            cure="Name the column of ids: ids=... (CLI: --id).",
        )
    check_same(entrants)
    return Note(
        "matched-by-position",
        f"Rows are matched by their position, as there is no column of ids; the outcomes of all {next(iter(lengths.values())):,} are equal.",
    )


def _reordered(one: Entrant, at: NDArray[np.int64]) -> Entrant:
    if np.array_equal(at, np.arange(len(one.record))):
        return one
    return replace(one, record=one.record.take(at))


def _different_rows(at: dict[str, dict[str, int]], common: set[str]) -> AlignmentError:
    names = list(at)
    alone = []
    for name in names:
        rest = [key for key in at[name] if key not in common]
        if rest:
            alone.append(
                f"{len(rest):,} of the {len(at[name]):,} in {name} are not ({listing([repr(key) for key in rest[:FEW]], total=len(rest), limit=FEW)})"
            )
    told = f"{len(common):,} ids are in all of {listing(names)}; {'; '.join(alone)}"
    cure = "Compare on the rows that all have: shared=True (CLI: --shared)."
    if not common:
        cure = "Check that they are about the same rows, and that the ids are written the same way."
    return AlignmentError(
        "different-rows",
        f"These are not forecasts of the same rows, and scores on two data sets are incomparable: {told}.",
        cure=cure,
    )


def _same_classes(entrants: dict[str, Entrant]) -> dict[str, Entrant]:
    """Return the records with their classes in the order of the first; refuse other classes."""
    (lead, first), *_ = entrants.items()
    for name, one in entrants.items():
        _check_classes(lead, first.record, name, one.record)
    classes = first.record.classes
    return {name: replace(one, record=_in_order(one.record, classes)) for name, one in entrants.items()}


def _in_order(record: Observations, classes: tuple[Any, ...]) -> Observations:
    """Return the record with its classes in this order; a single column is then about the other one of two."""
    if record.classes == classes:
        return record
    place = [record.classes.index(one) for one in classes]
    back = np.array([classes.index(one) for one in record.classes], np.int64)
    if record.soft:
        outcome = 1 - record.outcome if record.outcome.ndim == 1 else record.outcome[:, place]
    else:
        outcome = back[record.outcome.astype(np.int64)]
    if not record.binary:
        return replace(record, classes=classes, outcome=outcome, forecast=record.forecast[:, place])
    odds = np.concatenate([s[:, 1] - s[:, 0] for _, s, _ in class_blocks(record)])
    return replace(record, classes=classes, outcome=outcome, forecast=odds, space="logit")


def _check_classes(lead: str, a: Observations, name: str, b: Observations) -> None:
    if set(a.classes) == set(b.classes) and a.soft == b.soft:
        return
    raise OutcomeError(
        "different-classes",
        f"{lead!r} has the classes {listing([repr(one) for one in a.classes])}, {name!r} has {listing([repr(one) for one in b.classes])}{'' if a.soft == b.soft else '; and the outcomes of one of them are shares'}.",
        cure="Write the outcomes alike in all tables, or give them once: truth=... (CLI: --truth). Where one only lacks some of the classes: labels=[...] (CLI: --labels).",
    )


def _differing(a: Observations, b: Observations) -> NDArray[np.int64]:
    """Return the positions at which the outcomes differ."""
    if a.soft:
        return np.flatnonzero((np.abs(_shares(a) - _shares(b)) > SAME).any(axis=1))
    return np.flatnonzero(a.outcome != b.outcome)


def _shares(record: Observations) -> NDArray[np.float64]:
    t = record.outcome.astype(np.float64)
    return np.column_stack([1 - t, t]) if t.ndim == 1 else t


def _different_outcomes(
    lead: str,
    a: Observations,
    name: str,
    b: Observations,
    differ: NDArray[np.int64],
    keys: list[str] | None,
) -> OutcomeError:
    def said(record: Observations, at: int) -> Any:
        value = record.outcome[at]
        return value.tolist() if record.soft else plain(record.classes[int(value)])

    shown = [
        f"{f'id {keys[at]!r}' if keys is not None else f'row {a.row_number(at)}'}: {said(a, at)!r} against {said(b, at)!r}"
        for at in differ[:FEW].tolist()
    ]
    return OutcomeError(
        "different-outcomes",
        f"{lead!r} and {name!r} do not have the same outcomes: {units.count(len(differ), 'row')} of {len(a):,} differ ({listing(shown, total=len(differ), limit=FEW)}).",
        cure="Give the outcomes once, in a file of their own: truth=... (CLI: --truth)."
        if keys is not None
        else "Match the rows by id: ids=... (CLI: --id); or give the outcomes once: truth=... (CLI: --truth).",
    )
