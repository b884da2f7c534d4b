"""Forecasts as they are given - columns of a table, arrays, files - each as a checked record with what stands beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.alignment import shared
from logloss.choosing import by_name
from logloss.columns import IDS, OUTCOMES, known_name, labels_of, named, require
from logloss.errors import LoglossError, UsageError, listing
from logloss.fixing.divisions import array_of, column_of
from logloss.joining import keys_of, positions_of
from logloss.recognise import is_path, is_table, stream_kind, vector
from logloss.sources import Opened, joined, opened, single
from logloss.stages import staged, steps
from logloss.why.asides import beside, with_columns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logloss.choosing import Asked
    from logloss.columns import Table
    from logloss.notes import Note
    from logloss.record import Observations

__all__ = ["Entrant", "apart", "is_several", "of_arrays", "of_files", "of_table"]


@dataclass(frozen=True, eq=False)
class Entrant:
    """One forecast: its checked record, and the tables that it and its outcomes are of (None where arrays were given)."""

    record: Observations
    table: Table | None = None
    answers: Table | None = None
    asked: Asked | None = None
    given: Any = None  # outcomes, as given, whose index counts

    def column(self, name: Any, what: str) -> NDArray[Any]:
        """Return a column by name, of either table, or an array, in the order of the record's rows."""
        if self.table is None or not isinstance(name, str):
            return array_of(name, what, self.record)
        if name in self.table.names or self.answers is None:
            return column_of(self.table, name, self.record)
        require(self.answers, [name])
        found = labels_of(self.answers.load([name])[name], self.answers, fractions=True)
        return np.asarray(found.values)[self._answer_rows()]

    def slices(self, by: Any) -> tuple[dict[str, NDArray[Any]], tuple[Note, ...]]:
        """Return the columns to slice by, in the order of the record's rows, and what was said of them."""
        if self.table is None:
            before = self.record.notes
            record, found = with_columns(self.record, by, self.given)
            return found, record.notes[len(before) :]
        names = [by] if isinstance(by, str) else list(by) if not isinstance(by, Mapping) else None
        if names is None or not all(isinstance(name, str) for name in names):
            record, found = with_columns(self.record, by)
            return found, record.notes[len(self.record.notes) :]
        assert self.asked is not None
        here = [name for name in names if self.answers is None or name in self.table.names]
        found, notes = beside(self.table, self.asked, self.record, here)
        there = {name: self.column(name, "") for name in names if name not in here}
        return {name: (found | there)[name] for name in names if name in found or name in there}, notes

    def _answer_rows(self) -> NDArray[np.int64]:
        """Return the row in the table of outcomes of each row of the record."""
        assert self.answers is not None
        assert self.asked is not None
        assert self.record.ids is not None
        name = self.asked.ids or ""
        there = positions_of(
            keys_of(vector(self.answers.load([name])[name], "The ids"), name, self.answers), self.answers
        )
        keys = keys_of(vector(self.record.ids, "The ids"), name, self.table or self.answers)
        return np.array([there[key] for key in keys], np.int64)


def is_several(data: Any, forecast: Any) -> bool:
    """Tell whether `data` are several tables, each with a forecast: a list of files, or a mapping of names to them."""

    def whole(one: Any) -> bool:
        return is_path(one) or ((is_table(one) or stream_kind(one) is not None) and not isinstance(one, list))

    if isinstance(data, Mapping):
        values = list(data.values())
        return bool(values) and all(whole(one) for one in values)
    if not isinstance(data, list | tuple) or not data or not all(whole(one) for one in data):
        return False
    return not all(isinstance(one, Mapping) for one in data) and by_name(forecast)


@staged("checking rows")
def of_arrays(data: Any, forecasts: Any, **options: Any) -> dict[str, Entrant]:
    """Return the forecasts of an array of outcomes: a mapping of names to arrays."""
    if not isinstance(forecasts, Mapping):
        raise UsageError(
            "too-few-forecasts",
            "One forecast was given." if forecasts is not None else "No forecast was given.",
            cure='Name two or more of the same rows: compare(y, {"a": p, "b": q}).',
        )
    _check_names(forecasts)
    found = {}
    for name, one in forecasts.items():
        record = None if isinstance(one, str) else opened(data, one, **options)
        if record is None or isinstance(record, Opened):
            raise UsageError(
                "array-and-names",
                f"Forecast {name!r} names columns, but the outcomes are an array.",
                cure='Give arrays only, compare(y, {"a": p, "b": q}), or a table with all columns.',
            )
        found[str(name)] = Entrant(record, given=data)
    return _paired(found)


@staged("reading")
def of_table(found: Opened) -> dict[str, Entrant]:
    """Return the forecasts that stand in one table side by side."""
    table = found.stream.whole()
    answers = None if found.answers is None else found.answers.whole()
    entrants = {}
    for name, columns in found.asked.forecasts().items():
        asked = replace(found.asked, forecast=list(columns), models={})
        record, chosen = single(table, asked) if answers is None else joined(table, answers, asked)
        entrants[name] = Entrant(record, table, answers, chosen)
    return _paired(entrants)


def of_files(sources: Mapping[str, Any], forecast: Any, options: Mapping[str, Any]) -> dict[str, Entrant]:
    """Return the forecasts of several tables, each with its own rows; they are not put in the same order yet."""
    _check_names(sources)
    columns = forecast if isinstance(forecast, Mapping) else dict.fromkeys(sources, forecast)
    odd = [name for name in columns if name not in sources]
    if odd:
        raise UsageError(
            "no-such-model",
            f"There is no table {odd[0]!r} that the forecast's columns could be of.",
            cure=f"There are {list(sources)}.",
        )
    found: dict[str, Entrant] = {}
    for name, source in steps(sources.items(), "reading", "tables"):
        try:
            found[name] = _of_file(source, columns.get(name), options, first=not found)
        except LoglossError as error:
            where = str(source) if is_path(source) else name
            raise error if where in error.message else error.within(where) from None
    return {name: replace(one, record=_said(name, found)) for name, one in found.items()}


def _of_file(source: Any, columns: Any, options: Mapping[str, Any], *, first: bool) -> Entrant:
    """Return the forecast of one of several tables; weights and groups need to stand in the first only."""
    one = opened(source, columns, **options)
    assert isinstance(one, Opened)
    table = one.stream.whole()
    answers = None if one.answers is None else one.answers.whole()
    asked = one.asked
    if not first:
        names = {*table.names, *(() if answers is None else answers.names)}
        weight, group = (name if name in names else None for name in (asked.weight, asked.group))
        asked = replace(asked, weight=weight, group=group)
    record, chosen = single(table, asked) if answers is None else joined(table, answers, asked)
    return Entrant(record, table, answers, chosen)


def _said(name: str, found: dict[str, Entrant]) -> Observations:
    """Return the record of one of several tables with notes that say which table they are about, unless all have them."""
    record = found[name].record
    common = set.intersection(*(set(one.record.notes) for one in found.values()))
    notes = [
        note if note in common or f"{name}." in note.text else replace(note, text=f"Of {name!r}: {note.text}")
        for note in record.notes
    ]
    return replace(record, notes=tuple(notes))


def apart(found: Opened) -> Opened:
    """Return a table whose forecasts, named as a list, are one each; refuse a single one, and none."""
    asked = found.asked
    if asked.models:
        _check_names(asked.models)
        return found
    if len(asked.forecast) < 2:
        taken = {*asked.outcome, *asked.other(), *named(found.stream, OUTCOMES, set())}
        key = known_name(found.stream, IDS)
        left = [
            name
            for name in found.stream.names
            if name not in taken and name != key and found.stream.is_number(name)
        ]
        raise UsageError(
            "too-few-forecasts",
            f"{'One forecast was' if asked.forecast else 'No forecast was'} named.",
            cure=f"Name two or more{', of ' + listing([repr(name) for name in left], limit=8) if len(left) > 1 else ''}: "
            'forecast={"a": "p_a", "b": "p_b"} (CLI: --model a=p_a --model b=p_b); or give two files.',
        )
    return replace(found, asked=replace(asked, forecast=[], models={name: [name] for name in asked.forecast}))


def _check_names(named_: Mapping[Any, Any]) -> None:
    if len(named_) < 2 or len({str(name) for name in named_}) < len(named_):
        raise UsageError(
            "too-few-forecasts",
            f"A comparison needs two forecasts of the same rows, and {len({str(name) for name in named_})} {'is' if len(named_) == 1 else 'are'} named.",
            cure="Name two or more, each differently.",
        )


def _paired(entrants: dict[str, Entrant]) -> dict[str, Entrant]:
    """Keep the rows that every forecast of the same table has."""
    records = {name: one.record for name, one in entrants.items()}
    if not any(record.skipped for record in records.values()):
        return entrants
    first = next(iter(records.values()))
    total = len(first) + first.skipped
    kept = shared(records, total)
    return {
        name: replace(one, record=replace(kept[name], skipped=total - len(kept[name])))
        for name, one in entrants.items()
    }
