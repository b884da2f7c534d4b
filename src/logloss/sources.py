"""Arrays, frames and files -> one checked record: reading tables, finding columns, joining outcomes by id.

Files are read by the embedded engine (Polars). What was found by name is said in a note.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.codes import as_labels
from logloss.columns import (
    IDS,
    OUTCOMES,
    Table,
    find_forecast,
    known_name,
    labels_of,
    named,
    numbers_of,
    only_numeric,
    outcome_in,
    require,
    shared_id,
)
from logloss.errors import ColumnError, UsageError, listing
from logloss.files import is_file, open_table
from logloss.joining import pair
from logloss.notes import Note
from logloss.observations import observe
from logloss.recognise import Matrix, Vector, has_columns, is_path, is_table, table, vector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from logloss.record import Observations, Space

__all__ = ["gather"]


@dataclass(frozen=True)
class _Asked:
    """Which columns were asked for by name, and what the door is to be told."""

    forecast: list[str]
    outcome: list[str]
    weight: str | None
    ids: str | None
    door: dict[str, Any]

    def other(self) -> list[str]:
        """Return the names of the weight and id columns that were asked for."""
        return [name for name in (self.weight, self.ids) if name is not None]


@dataclass(frozen=True)
class _Frame:
    """A table in memory."""

    columns: dict[str, Any]
    where: str = "The table"
    textual: bool = False

    @property
    def names(self) -> list[str]:
        return list(self.columns)

    def is_number(self, name: str) -> bool:
        column = self.columns[name]
        return has_columns(column) or vector(column, name).values.dtype.kind in "iufb"

    def load(self, names: Sequence[str]) -> dict[str, Any]:
        return {name: self.columns[name] for name in names}


def gather(
    data: Any,
    forecast: Any = None,
    *,
    outcome: Any = None,
    space: Space = "p",
    weight: Any = None,
    ids: Any = None,
    truth: Any = None,
    labels: Sequence[Any] | None = None,
    positive: Any = None,
    normalize_rows: bool = False,
    skip_missing: bool = False,
) -> Observations:
    """Return the checked record of whatever was given; see :func:`logloss.score` for the arguments."""
    if is_path(data) and isinstance(forecast, str) and is_file(forecast):
        raise UsageError(
            "array-and-names",
            f"{forecast} is a file, but the second argument names a column.",
            cure="Give a file of outcomes as truth= (CLI: --truth).",
        )
    labels = as_labels(labels)
    asked: dict[str, Any] = {
        "space": space,
        "labels": labels,
        "positive": positive,
        "normalize_rows": normalize_rows,
        "skip_missing": skip_missing,
    }
    by_name = (
        forecast is None
        or isinstance(forecast, str)
        or (isinstance(forecast, list | tuple) and all(isinstance(f, str) for f in forecast))
    )
    if not (is_path(data) or (is_table(data) and by_name)):
        if forecast is None:
            raise UsageError(
                "no-forecast",
                "Outcomes were given, but no forecasts.",
                cure="Call score(outcomes, forecasts), or give a table with both.",
            )
        if outcome is not None or truth is not None:
            raise UsageError(
                "array-and-names",
                "outcome= and truth= name columns of a table, but arrays were given.",
                cure="Pass score(outcomes, forecasts), or score(table, outcome=..., forecast=...).",
            )
        return observe(data, forecast, weight=weight, ids=ids, **asked)
    predictions = _table(data, "The table")
    wanted = _Asked(_names(forecast), _names(outcome), _name(weight), _name(ids), asked)
    if truth is not None:
        return _joined(predictions, _table(truth, "The truth table"), wanted)
    return _single(predictions, wanted)


def _table(data: Any, where: str) -> Table:
    if is_path(data):
        opened: Table = open_table(data)
        return opened
    return _Frame(table(data), where)


def _names(given: Any) -> list[str]:
    if given is None:
        return []
    if isinstance(given, str):
        return [given]
    if isinstance(given, list | tuple) and all(isinstance(name, str) for name in given):
        return list(given)
    raise UsageError(
        "array-and-names",
        "With a table, outcome, forecast, weight and ids are names of its columns.",
        cure="Pass names, or arrays only.",
    )


def _name(given: Any) -> str | None:
    names = _names(given)
    if len(names) > 1:
        raise UsageError(
            "array-and-names", f"One column was expected, not {listing(names)}.", cure="Name one."
        )
    return names[0] if names else None


def _single(source: Table, asked: _Asked) -> Observations:
    """Return the record of one table."""
    notes: list[Note] = []
    forecast, outcome = asked.forecast, asked.outcome
    require(source, [*forecast, *outcome, *asked.other()])
    id_name = asked.ids or known_name(source, IDS)
    taken = {*forecast, *asked.other(), *([id_name] if id_name else [])}
    if not outcome:
        found = named(source, OUTCOMES, taken)
        if len(found) != 1:
            hint = (
                " It looks like a submission without outcomes: give those with truth= (CLI: --truth FILE)."
                if not found and len(source.names) <= 3 and id_name
                else ""
            )
            raise ColumnError(
                "no-outcome-column",
                f"{source.where} has {'no column' if not found else 'more than one column'} that is known to hold the outcomes{': ' + listing(found) if found else ''}; its columns are {listing(source.names, limit=12)}.{hint}",
                cure="Name it: outcome=... (CLI: --outcome).",
            )
        outcome = found
        notes.append(Note("columns-found", f"Column {outcome[0]!r} is read as the outcome."))
    both = sorted(set(forecast) & set(outcome))
    if both:
        raise UsageError(
            "one-column-two-roles",
            f"Column {both[0]!r} cannot be both outcome and forecast.",
            cure="Name two columns.",
        )
    columns = source.load(outcome)
    what = _outcome(columns, outcome, source)
    if not forecast:
        forecast = find_forecast(source, what, {*taken, *outcome}, asked.door["labels"])
        notes.append(
            Note(
                "columns-found",
                f"{'Column' if len(forecast) == 1 else 'Columns'} {listing([repr(name) for name in forecast], limit=10)} {'is' if len(forecast) == 1 else 'are'} read as the forecast.",
            )
        )
    if asked.weight is None:
        idle = [
            name
            for name in source.names
            if name.lower() in ("weight", "weights", "sample_weight") and name not in forecast
        ]
        notes += (
            [
                Note(
                    "weights-not-used",
                    f"Column {idle[0]!r} is not used; to weight the rows, say weight={idle[0]!r} (CLI: --weight).",
                )
            ]
            if idle
            else []
        )
    rest = source.load([*forecast, *asked.other(), *([id_name] if id_name else [])])
    return _record(what, rest, replace(asked, forecast=forecast, ids=id_name), source, notes)


def _joined(source: Table, answers: Table, asked: _Asked) -> Observations:
    """Return the record of predictions whose outcomes stand in another table, joined by id."""
    notes: list[Note] = []
    forecast, outcome = asked.forecast, asked.outcome
    id_name = asked.ids or shared_id(source, answers)
    weights = [asked.weight] if asked.weight is not None else []
    require(source, [*forecast, id_name])
    require(answers, [*outcome, id_name])
    in_answers = [name for name in weights if name in answers.names]
    in_source = [name for name in weights if name not in in_answers]
    require(source, in_source)
    forecast = forecast or only_numeric(source, {id_name, *weights})
    if not outcome:
        outcome = outcome_in(answers, id_name, forecast)
        notes.append(
            Note(
                "columns-found",
                f"Outcome: {listing([repr(name) for name in outcome])} of {answers.where}, joined by {id_name!r}.",
            )
        )
    truth = answers.load([id_name, *outcome, *in_answers])
    what = _outcome(truth, outcome, answers)
    if not forecast:
        forecast = find_forecast(source, what, {id_name, *weights}, asked.door["labels"])
    notes.append(
        Note(
            "columns-found",
            f"Forecast: {listing([repr(name) for name in forecast], limit=10)} of {source.where}.",
        )
    )
    rest = source.load([id_name, *forecast, *in_source])
    here, there = pair(
        vector(rest[id_name], "The ids"), vector(truth[id_name], "The ids"), id_name, source, answers, notes
    )
    what = replace(what, values=what.values[there], index=None)
    rest[id_name] = labels_of(rest[id_name], source, fractions=False)
    paired = {name: _take(column, here) for name, column in rest.items()}
    paired |= {name: _take(truth[name], there) for name in in_answers}
    return _record(what, paired, replace(asked, forecast=forecast, ids=id_name), source, notes, here)


def _record(
    what: Vector | Matrix,
    columns: dict[str, Any],
    asked: _Asked,
    source: Table,
    notes: list[Note],
    rows: NDArray[np.int64] | None = None,
) -> Observations:
    """Hand the chosen columns to the door."""
    forecast = asked.forecast
    if len(forecast) == 1:
        only = columns[forecast[0]]
        given: Any = (
            Matrix(np.asarray(only))
            if has_columns(only)
            else replace(numbers_of(only, forecast[0], source, notes), name=forecast[0], index=None)
        )
    else:
        parts = [numbers_of(columns[name], name, source, notes).values for name in forecast]
        given = Matrix(np.column_stack(parts), tuple(forecast))
    weights = (
        None
        if asked.weight is None
        else replace(numbers_of(columns[asked.weight], asked.weight, source, notes), index=None)
    )
    known = (
        None
        if asked.ids is None
        else replace(labels_of(columns[asked.ids], source, fractions=False), index=None)
    )
    record = observe(replace(what, index=None), given, weight=weights, ids=known, rows=rows, **asked.door)
    return replace(record, notes=(*notes, *record.notes))


def _outcome(columns: dict[str, Any], names: list[str], source: Table) -> Vector | Matrix:
    if len(names) == 1:
        only = columns[names[0]]
        return Matrix(np.asarray(only)) if has_columns(only) else labels_of(only, source)
    return Matrix(
        np.column_stack([numbers_of(columns[name], name, source, []).values for name in names]), tuple(names)
    )


def _take(column: Any, at: NDArray[np.int64]) -> Any:
    return (
        np.asarray(column)[at]
        if has_columns(column)
        else replace(vector(column, "A column"), values=vector(column, "A column").values[at], index=None)
    )
