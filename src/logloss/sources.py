"""Arrays, frames and files -> one checked record: columns are found, outcomes joined by id, the door opened.

Files are read by the embedded engine (Polars). What was found by name is said in a note.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.choosing import Asked, asked_of, by_name, choose, outcome_of
from logloss.codes import as_labels
from logloss.columns import (
    KINDS,
    Table,
    find_forecast,
    labels_of,
    numbers_of,
    only_numeric,
    outcome_in,
    require,
    shared_id,
)
from logloss.errors import UsageError, listing
from logloss.files import is_file
from logloss.joining import pair
from logloss.joins import Joined
from logloss.notes import Note
from logloss.observations import observe
from logloss.recognise import Matrix, Vector, has_columns, is_path, is_table, stream_kind, vector
from logloss.record import Observations
from logloss.stages import staged
from logloss.streams import open_stream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Opened", "gather", "is_rows", "joined", "joined_stream", "opened", "record_of", "single"]


def is_rows(data: Any, forecast: Any) -> bool:
    """Tell whether `data` is a table with named columns (a file, a frame, a stream), not an array of outcomes."""
    if is_path(data) and isinstance(forecast, str) and is_file(forecast):
        raise UsageError(
            "array-and-names",
            f"{forecast} is a file, but the second argument names a column.",
            cure="Give a file of outcomes as truth= (CLI: --truth).",
        )
    return is_path(data) or ((is_table(data) or stream_kind(data) is not None) and by_name(forecast))


@staged("checking rows")
def from_arrays(
    data: Any,
    forecast: Any,
    *,
    outcome: Any = None,
    truth: Any = None,
    weight: Any = None,
    ids: Any = None,
    group: Any = None,
    **door: Any,
) -> Observations:
    """Return the checked record of arrays of outcomes and forecasts."""
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
    return observe(data, forecast, weight=weight, ids=ids, group=group, **door)


@dataclass(frozen=True)
class Opened:
    """A table, the one with its outcomes where they stand apart, and what was asked of them."""

    stream: Any
    answers: Any
    asked: Asked
    skip_unreadable: bool

    def record(self) -> Observations:
        """Return the checked record of all rows, in memory."""
        return self.gathered()[0]

    @staged("reading")
    def gathered(self) -> tuple[Observations, Table, Asked]:
        """Return the checked record of all rows, the table they are of, and which of its columns were taken."""
        table = self.stream.whole()
        if self.answers is None:
            record, chosen = single(table, self.asked)
        else:
            record, chosen = joined(table, self.answers.whole(), self.asked)
        return record, table, chosen


def opened(
    data: Any,
    forecast: Any = None,
    *,
    outcome: Any = None,
    weight: Any = None,
    ids: Any = None,
    group: Any = None,
    truth: Any = None,
    labels: Sequence[Any] | None = None,
    skip_unreadable: bool = False,
    **door: Any,
) -> Opened | Observations:
    """Return the table that was given, not read yet, or the checked record of arrays; a record as it is.

    See :func:`logloss.score` for the arguments; `door` are those of the door that are not named here.
    """
    columns = {"outcome": outcome, "weight": weight, "ids": ids, "group": group}
    door = {
        "space": "p",
        "positive": None,
        "normalize_rows": False,
        "skip_missing": False,
        "counts": False,
    } | door
    if isinstance(data, Observations):
        _refuse_more(columns | door | {"forecast": forecast, "labels": labels, "truth": truth})
        return data
    door["labels"] = as_labels(labels)
    if not is_rows(data, forecast):
        return from_arrays(data, forecast, truth=truth, **columns, **door)
    asked = asked_of(forecast, **columns, **door)
    stream = open_stream(data, "The table", skip_unreadable=skip_unreadable)
    answers = (
        None if truth is None else open_stream(truth, "The truth table", skip_unreadable=skip_unreadable)
    )
    return Opened(stream, answers, asked, skip_unreadable)


def _refuse_more(options: dict[str, Any]) -> None:
    """Refuse what says how to read a table, of a record that was read before."""
    odd = [
        name
        for name, value in options.items()
        if value is not None and value is not False and not (name == "space" and value == "p")
    ]
    if odd:
        raise UsageError(
            "record-and-options",
            f"A record that was read before has its outcomes, forecasts and classes, and {odd[0]}= says them again.",
            cure="Leave it out, or give the data themselves.",
        )


def gather(data: Any, forecast: Any = None, **options: Any) -> Observations:
    """Return the checked record of whatever was given; see :func:`opened` for the arguments."""
    found = opened(data, forecast, **options)
    return found.record() if isinstance(found, Opened) else found


def single(source: Table, asked: Asked) -> tuple[Observations, Asked]:
    """Return the record of one table, and its columns that were taken."""
    chosen, what, notes = choose(source, asked)
    return record_of(what, source.load([*chosen.forecast, *chosen.other()]), chosen, source, notes), chosen


def choose_joined(
    source: Table, answers: Table, asked: Asked
) -> tuple[Asked, Vector | Matrix, list[str], list[Note]]:
    """Find the columns of predictions and of outcomes in another table that were not named.

    Returns them all, the outcomes, the columns that stand with the outcomes, and what was assumed.
    """
    notes: list[Note] = []
    forecast, outcome = asked.forecast, asked.outcome
    id_name = asked.ids or shared_id(source, answers)
    weights = [name for name in (asked.weight, asked.group) if name is not None]
    require(source, [*(name for names in asked.forecasts().values() for name in names), id_name])
    require(answers, [*outcome, id_name])
    in_answers = [name for name in weights if name in answers.names]
    require(source, [name for name in weights if name not in in_answers])
    if not asked.models:
        forecast = forecast or only_numeric(source, {id_name, *weights})
    if not outcome:
        outcome = outcome_in(answers, id_name, forecast)
        notes.append(
            Note(
                "columns-found",
                f"Outcome: {listing([repr(name) for name in outcome])} of {answers.where}, joined by {id_name!r}.",
            )
        )
    what = outcome_of(answers.load(outcome), outcome, answers)
    if not forecast and not asked.models:
        forecast = find_forecast(source, what, {id_name, *weights}, asked.door["labels"])
    if forecast:
        notes.append(
            Note(
                "columns-found",
                f"Forecast: {listing([repr(name) for name in forecast], limit=10)} of {source.where}.",
            )
        )
    return (
        replace(asked, forecast=forecast, outcome=outcome, ids=id_name),
        what,
        [*outcome, *in_answers],
        notes,
    )


def joined(source: Table, answers: Table, asked: Asked) -> tuple[Observations, Asked]:
    """Return the record of predictions whose outcomes stand in another table, joined by id, all in memory.

    And the columns that were taken; those of the other table are not among them.
    """
    chosen, what, in_answers, notes = choose_joined(source, answers, asked)
    id_name = chosen.ids or ""
    others = [name for name in in_answers if name not in chosen.outcome]
    truth = answers.load([id_name, *others])
    rest = source.load([id_name, *chosen.forecast, *(n for n in chosen.other() if n not in others)])
    here, there = pair(
        vector(rest[id_name], "The ids"), vector(truth[id_name], "The ids"), id_name, source, answers, notes
    )
    what = replace(what, values=what.values[there], index=None)
    rest[id_name] = labels_of(rest[id_name], source, fractions=False)
    paired = {name: _take(column, here) for name, column in rest.items()}
    paired |= {name: _take(truth[name], there) for name in others}
    return record_of(what, paired, chosen, source, notes, here), chosen


@staged("reading")
def joined_stream(source: Any, answers: Any, asked: Asked, rows: int) -> tuple[Joined, Asked, list[Note]]:
    """Return predictions and outcomes joined by id as a stream; columns are found by their first `rows`."""
    source, answers = (table if table.again else table.whole() for table in (source, answers))
    chosen, _, in_answers, notes = choose_joined(source.head(rows), answers.head(rows), asked)
    taken = {name for names in chosen.forecasts().values() for name in names} | {chosen.ids}
    here = {name if name not in taken else f"{name} of {answers.where}": name for name in in_answers}
    back = {there: name for name, there in here.items()}
    chosen = replace(chosen, outcome=[back[name] for name in chosen.outcome])
    return Joined(source, answers, chosen.ids or "", here), chosen, notes


def record_of(
    what: Vector | Matrix,
    columns: dict[str, Any],
    asked: Asked,
    source: Table,
    notes: list[Note],
    rows: NDArray[np.int64] | None = None,
    part: str = "",
    *,
    partial: bool = False,
    group_kind: str | None = None,
    commas: bool | None = None,
) -> Observations:
    """Hand the chosen columns to the door."""
    forecast = asked.forecast
    if len(forecast) == 1:
        only = columns[forecast[0]]
        given: Any = (
            Matrix(np.asarray(only))
            if has_columns(only)
            else replace(numbers_of(only, forecast[0], source, notes, commas), name=forecast[0], index=None)
        )
    else:
        parts = [numbers_of(columns[name], name, source, notes, commas).values for name in forecast]
        given = Matrix(np.column_stack(parts), tuple(forecast))
    weights = (
        None
        if asked.weight is None
        else replace(numbers_of(columns[asked.weight], asked.weight, source, notes, commas), index=None)
    )
    known = (
        None
        if asked.ids is None
        else replace(labels_of(columns[asked.ids], source, fractions=False), index=None)
    )
    groups = (
        None
        if asked.group is None
        else replace(
            labels_of(
                columns[asked.group],
                source,
                fractions=False,
                kinds=KINDS if group_kind is None else [group_kind],
            ),
            index=None,
        )
    )
    record = observe(
        replace(what, index=None),
        given,
        weight=weights,
        ids=known,
        group=groups,
        rows=rows,
        part=part,
        partial=partial,
        **asked.door,
    )
    return replace(record, notes=(*notes, *record.notes))


def _take(column: Any, at: NDArray[np.int64]) -> Any:
    return (
        np.asarray(column)[at]
        if has_columns(column)
        else replace(vector(column, "A column"), values=vector(column, "A column").values[at], index=None)
    )
