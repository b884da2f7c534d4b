"""Anything to the rows of a race: a checked record, when each row is from, whether the model was trained on it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss import units
from logloss.alignment import shared
from logloss.columns import labels_of, require
from logloss.errors import AlignmentError, ColumnError, UsageError, listing, places
from logloss.labels import in_order_of_classes
from logloss.notes import Note
from logloss.recognise import has_columns, missing_mask, vector
from logloss.sources import Opened, is_rows, joined, opened, single
from logloss.stages import staged

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logloss.choosing import Asked
    from logloss.columns import Table
    from logloss.record import Observations

__all__ = [
    "Divided",
    "Together",
    "array_of",
    "check_time",
    "column_of",
    "divided",
    "divided_together",
    "training_words",
]

SPLITS = (
    "split",
    "subset",
    "fold",
    "partition",
    "set",
    "is_train",
    "train",
)  # columns that may tell training rows
DATED = re.compile(r"\s*\d{4}-\d{2}(-\d{2})?([T ]|\s*$)")  # sorts as text
TRAINING = ("train", "training", "true", "1", "yes", "fit")


@dataclass(frozen=True, eq=False)
class Divided:
    """A checked record, the time of each of its rows (or None), the forecast's columns, and what was found."""

    record: Observations
    time: NDArray[Any] | None
    columns: tuple[str, ...]
    notes: tuple[Note, ...]


def divided(found: Opened | Observations, *, time: Any = None, trained: Any = None) -> Divided:
    """Return the rows of a race: a table that was opened, or a checked record, whose other columns are arrays."""
    if isinstance(found, Opened):
        return _of_table(*found.gathered(), time, trained)
    return _of_arrays(found, time, trained)


def _of_table(record: Observations, table: Table, chosen: Asked, time: Any, trained: Any) -> Divided:
    when = None if time is None else column_of(table, time, record)
    seen = _trained_in(table, trained, record, set(chosen.columns()))
    return _checked(record, when, seen, tuple(in_order_of_classes(chosen.forecast, record.classes)))


def _of_arrays(record: Observations, time: Any, trained: Any) -> Divided:
    when = None if time is None else array_of(time, "The times", record)
    seen = None if trained is None else _asked(array_of(trained, "What the model was trained on", record))
    return _checked(record, when, seen, ())


def _checked(
    record: Observations,
    when: NDArray[Any] | None,
    seen: NDArray[np.bool_] | None,
    columns: tuple[str, ...],
) -> Divided:
    if when is not None:
        check_time(when, record)
    notes = () if seen is None or not seen.any() else (_warning(int(seen.sum()), len(record)),)
    return Divided(record, when, columns, notes)


@dataclass(frozen=True, eq=False)
class Together:
    """Checked records of several forecasts of the same rows, and what :class:`Divided` says of one."""

    records: dict[str, Observations]
    time: NDArray[Any] | None
    columns: dict[str, tuple[str, ...]]
    notes: tuple[Note, ...]


@staged("reading")
def divided_together(
    data: Any, forecasts: dict[Any, Any], *, time: Any = None, trained: Any = None, **options: Any
) -> Together:
    """Return the rows that all of several forecasts have; `options` are the table arguments of `ll.score`."""
    parts = {}
    if is_rows(data, forecasts):
        found = opened(data, forecasts, **options)
        assert isinstance(found, Opened)
        table = found.stream.whole()
        answers = None if found.answers is None else found.answers.whole()
        for name, columns in found.asked.forecasts().items():
            asked = replace(found.asked, forecast=list(columns), models={})
            record, chosen = single(table, asked) if answers is None else joined(table, answers, asked)
            parts[name] = _of_table(record, table, chosen, time, trained)
    else:
        for name, one in forecasts.items():
            parts[str(name)] = divided(opened(data, one, **options), time=time, trained=trained)
    first = next(iter(parts.values()))
    records = {name: part.record for name, part in parts.items()}
    total = len(first.record) + first.record.skipped
    time_of = first.time
    if any(record.skipped for record in records.values()):
        paired = shared(records, total)
        one = next(iter(paired.values()))
        if time_of is not None:
            time_of = time_of[np.isin(first.record.numbers(), one.numbers())]
        records = {name: replace(record, skipped=total - len(record)) for name, record in paired.items()}
    return Together(records, time_of, {name: part.columns for name, part in parts.items()}, first.notes)


def training_words(stream: Any, asked: Asked) -> list[Note]:
    """Return a note where a table that is passed over has a column that may tell training rows."""
    idle = [name for name in stream.names if name.lower() in SPLITS and name not in asked.columns()]
    if not idle:
        return []
    return [Note("split-not-looked-at", f"Column {idle[0]!r} may tell rows that the model was trained on; of so many rows it is not looked at. Give only rows that the model has not seen.")]  # fmt: skip


def column_of(table: Table, name: Any, record: Observations) -> NDArray[Any]:
    """Return a column of a record's table, or an array given beside it, in the order of the record's rows."""
    if not isinstance(name, str):
        return array_of(name, "The column", record)
    require(table, [name])
    values = labels_of(table.load([name])[name], table, fractions=True).values
    return np.asarray(values)[record.numbers()]


def array_of(values: Any, what: str, record: Observations) -> NDArray[Any]:
    """Return an array given beside arrays, or beside a table, in the order of the record's rows."""
    if isinstance(values, str) or has_columns(values):
        raise UsageError(
            "array-and-names",
            f"{what} were given as a name or a table, but the outcomes as an array.",
            cure="Give one value per row, or a table with all columns.",
        )
    given = vector(values, what).values
    total = len(record) + record.skipped
    if len(given) != total:
        raise AlignmentError(
            "different-lengths",
            f"The parts have different lengths: {total:,} outcomes, {len(given):,} of these: {what.lower()}.",
            cure="Give one of each per row.",
        )
    return np.asarray(given)[record.numbers()]


def check_time(when: NDArray[Any], record: Observations) -> None:
    """Refuse times that are missing, or have no order."""
    gone = missing_mask(when)
    if gone.any():
        raise ColumnError(
            "no-time",
            f"No time is known of {units.count(int(gone.sum()), 'row')} ({places(record.numbers()[np.flatnonzero(gone)])}).",
            cure="Fill them in, or leave these rows out.",
        )
    if when.dtype.kind in "OU" and all(isinstance(one, str) for one in when.tolist()):
        odd = np.flatnonzero([DATED.match(one) is None for one in when.tolist()])
        if len(odd):
            raise ColumnError(
                "no-time",
                f"Times that are text whose order is not their time: {str(when[odd[0]])!r} ({places(record.numbers()[odd])}).",
                cure="Write dates as 2026-01-31, with the time behind them, or as numbers.",
            )
    if when.dtype.kind == "O" and len({type(one) for one in when.tolist()}) > 1:
        raise ColumnError(
            "no-time", "The times are of several types.", cure="Write all of them alike, such as 2026-01-31."
        )


def _trained_in(
    table: Table, trained: Any, record: Observations, taken: set[str]
) -> NDArray[np.bool_] | None:
    """Return which rows the model was trained on, by the column named or by one whose name and words say so."""
    if trained is not None:
        if isinstance(trained, str):
            return _asked(column_of(table, trained, record))
        return _asked(array_of(trained, "What the model was trained on", record))
    for name in table.names:
        if name.lower() in SPLITS and name not in taken:
            values = column_of(table, name, record)
            if values.dtype.kind in "OU":
                words = (
                    "train",
                    "training",
                    *(("yes", "true") if name.lower() in ("is_train", "train") else ()),
                )
                return _flags(values, words)
            if (
                name.lower() in ("is_train", "train")
                and values.dtype.kind in "biuf"
                and np.isin(values, (0, 1)).all()
            ):
                return _flags(values)
    return None


def _flags(values: NDArray[Any], words: tuple[str, ...] = TRAINING) -> NDArray[np.bool_]:
    if values.dtype.kind in "biuf":
        return np.asarray(values == 1)
    return np.array([str(one).strip().lower() in words for one in values.tolist()], bool)


def _asked(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Return the rows that a named column or an array says were trained on; refuse words that say nothing of it."""
    found = _flags(values)
    known = (*TRAINING, "test", "testing", "valid", "validation", "val", "holdout", "held-out", "false", "0", "no", "oof", "eval", "new")  # fmt: skip
    told = sorted({str(one).strip().lower() for one in values.tolist()})
    odd = [one for one in told if one not in known and one not in ("0.0", "1.0", "nan", "")]
    if odd and not found.any() and values.dtype.kind != "b":
        raise UsageError(
            "trained-words",
            f"Whether the model was trained on a row is told by words that may mean either: {listing([repr(one) for one in odd])}.",
            cure='Write "train" or 1 where it was, "test" or 0 where it was not.',
        )
    return found


def _warning(count: int, total: int) -> Note:
    return Note(
        "fitted-on-training-rows",
        f"The model was trained on {count:,} of these {total:,} rows. Its forecasts of them are better than those of new rows, so a map learnt from them (and its gain) does not hold for new rows: keep only rows that the model has not seen, or cross-validated forecasts.",
    )
