"""The rows to decide about, with their outcomes where they have any: arrays, tables, and tables that know no outcome yet."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.annotation.unlabelled import Partly, partly, partly_of
from logloss.codes import distinct
from logloss.columns import IDS, OUTCOMES, find_forecast, known_name, named, numbers_of, require
from logloss.errors import UsageError, listing
from logloss.labels import bare, match, names_class, two_classes
from logloss.notes import Note
from logloss.observations import observe
from logloss.plain import plain
from logloss.recognise import Matrix, Vector, has_columns, matrix, missing_mask, vector
from logloss.sources import Opened, is_rows, opened
from logloss.stages import staged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logloss.choosing import Asked
    from logloss.deciding.utilities import Utilities

__all__ = ["faced"]


@staged("reading")
def faced(data: Any, forecast: Any, utilities: Utilities | None, **options: Any) -> Partly:
    """Return the checked record of all rows and which of them have an outcome.

    Where no row has one, the classes are the `labels` that were given, else the states of the utilities; columns are matched
    to them by name.
    """
    if isinstance(forecast, dict):
        raise UsageError("one-forecast", "Decisions follow one forecast.", cure="Name its column, or its columns.")  # fmt: skip
    states = None if utilities is None else [_label(state) for state in utilities.states]
    actions = [] if utilities is None else [_label(name) for name in utilities.actions]
    if data is None:
        return _unknown(forecast, states, actions, options)
    if not is_rows(data, forecast):
        return _of_record(data, forecast, options) if options["counts"] else partly(data, forecast, **options)
    found = opened(data, forecast, **options)
    assert isinstance(found, Opened)
    if options["counts"]:
        record, _, chosen = found.gathered()
        return Partly(record, np.ones(len(record), bool), columns=tuple(chosen.forecast))
    found = replace(found, stream=found.stream.whole())
    if found.answers is None and not found.asked.outcome and not _outcomes(found.stream, found.asked):
        return _without(found.stream, found.asked, states, actions)
    return partly_of(found)


def _of_record(data: Any, forecast: Any, options: dict[str, Any]) -> Partly:
    record = opened(data, forecast, **options)
    assert not isinstance(record, Opened)
    return Partly(record, np.ones(len(record), bool))


def _label(state: Any) -> Any:
    """Return a state as the label that it would be in a table: 1 for "1"."""
    return int(state) if isinstance(state, str) and re.fullmatch(r"0|-?[1-9][0-9]*", state) else state


def _outcomes(source: Any, asked: Asked) -> list[str]:
    taken = {*asked.forecast, *asked.other()}
    return named(source, OUTCOMES, taken)


def _without(source: Any, asked: Asked, states: Sequence[Any] | None, actions: Sequence[Any] = ()) -> Partly:
    """Return the rows of a table without outcomes."""
    require(source, asked.columns())
    labels, positive = asked.door["labels"], asked.door["positive"]
    id_name = asked.ids or known_name(source, IDS)
    taken = {*asked.other(), *([id_name] if id_name else [])}
    notes: list[Note] = []
    columns = asked.forecast
    if not columns:
        likely = Vector(np.array(labels or states or [0, 1], dtype=object))
        columns = find_forecast(source, likely, taken, labels or states)
        told = listing([repr(name) for name in columns], limit=10)
        notes.append(Note("columns-found", f"{'Column' if len(columns) == 1 else 'Columns'} {told} {'is' if len(columns) == 1 else 'are'} read as the forecast."))  # fmt: skip
    if len(columns) == 1 and states is not None and labels is None:
        states = _meant(source, columns[0], {*taken, *columns}, states, actions)
    loaded = source.load(list(dict.fromkeys([*columns, *asked.other()])))
    if len(columns) == 1 and has_columns(loaded[columns[0]]):
        given: Vector | Matrix = Matrix(np.asarray(loaded[columns[0]]))
    else:
        read = [numbers_of(loaded[name], name, source, notes).values for name in columns]
        given = Vector(read[0], columns[0]) if len(read) == 1 else Matrix(np.column_stack(read), tuple(columns))  # fmt: skip
    door = {name: value for name, value in asked.door.items() if name not in ("labels", "positive")}
    if asked.weight is not None:
        door["weight"] = replace(numbers_of(loaded[asked.weight], asked.weight, source, notes), index=None)
    for role, name in (("ids", asked.ids), ("group", asked.group)):
        if name is not None:
            door[role] = replace(vector(loaded[name], f"Column {name!r}"), index=None)
    found = _blank(given, states, labels, positive, notes, door)
    notes.append(_no_outcomes(source, {*taken, *columns}, found.record.classes))
    classes = found.record.classes
    if (
        states is not None
        and labels is None
        and len(columns) == 1
        and not any(names_class(columns[0], one) for one in classes)
    ):
        notes.append(_of_utilities(classes))
    record = replace(found.record, notes=(*notes, *found.record.notes))
    return replace(found, record=record, columns=tuple(columns))


def _meant(
    source: Any, column: str, taken: set[str], states: Sequence[Any], actions: Sequence[Any]
) -> Sequence[Any]:
    """Return the names of the classes: the states of the utilities; the actions where the table speaks of these only.

    Then the utilities stand turned round.
    """
    if len(actions) != 2 or any(names_class(column, state) for state in states):
        return states
    named_so = any(names_class(column, action) for action in actions)
    named_so |= _plain_pair(actions) and not _plain_pair(states)
    held = _holding(source, taken, states)
    return actions if named_so or (not held and _holding(source, taken, actions)) else states


def _holding(source: Any, taken: set[str], classes: Sequence[Any]) -> list[str]:
    """Return the columns that hold nothing but names of classes."""
    names = {str(label) for label in classes}
    found = []
    for name in source.names:
        column = source.load([name])[name]
        if name not in taken and not has_columns(column):
            values = vector(column, f"Column {name!r}").values
            seen = {str(label) for label in distinct(values[~missing_mask(values)])}
            found += [name] if seen and seen <= names else []
    return found


def _no_outcomes(source: Any, taken: set[str], classes: Sequence[Any]) -> Note:
    """Return a note that there are no outcomes, and which columns may be some: those that hold classes only."""
    likely = _holding(source, taken, classes)
    told = f"{source.where} has no column that is known to hold outcomes, so what the decisions bring is what the forecasts expect."
    if not likely:
        return Note("no-outcomes", f"{told} If there is one, name it: outcome=... (CLI: --outcome).")
    shown = listing([repr(name) for name in likely], limit=3)
    return Note(
        "no-outcomes",
        f"{told} {shown} {'holds' if len(likely) == 1 else 'hold'} nothing but classes: if these are the outcomes, say outcome={likely[0]!r} (CLI: --outcome).",
    )


def _unknown(
    forecast: Any, states: Sequence[Any] | None, actions: Sequence[Any], options: dict[str, Any]
) -> Partly:
    """Return the rows of arrays without outcomes."""
    if forecast is None or options.pop("outcome") is not None or options.pop("truth") is not None:
        raise UsageError(
            "no-forecast",
            "There is nothing to decide about: neither a table nor forecasts were given.",
            cure="Call decide(table, ...), decide(outcomes, forecasts, ...) or decide(None, forecasts, ...).",
        )
    options.pop("skip_unreadable")
    given = matrix(forecast, "The forecasts") if has_columns(forecast) else vector(forecast, "The forecasts")
    labels, positive = options.pop("labels"), options.pop("positive")
    notes: list[Note] = []
    if isinstance(given, Vector) and states is not None and labels is None:
        if _plain_pair(actions) and not _plain_pair(states):
            states = actions
        if not _plain_pair(states):
            notes.append(_of_utilities(states))
    found = _blank(given, states, labels, positive, notes, options)
    return replace(found, record=replace(found.record, notes=(*notes, *found.record.notes)))


def _plain_pair(names: Sequence[Any]) -> bool:
    """Tell whether these are the labels that no outcome need tell of: 0 and 1."""
    return len(names) == 2 and {str(plain(name)) for name in names} in ({"0", "1"}, {"False", "True"})


def _of_utilities(classes: Sequence[Any]) -> Note:
    told = listing([repr(plain(label)) for label in classes])
    return Note("classes-of-utilities", f"No outcome tells the classes: {told} are those of the utilities.")


def _blank(
    given: Vector | Matrix,
    states: Sequence[Any] | None,
    labels: Sequence[Any] | None,
    positive: Any,
    notes: list[Note],
    door: dict[str, Any],
) -> Partly:
    """Return a record of forecasts; the outcome that it holds for every row is none that happened."""
    if isinstance(given, Vector):
        likely = list(labels or states or [0, 1])
        if len(likely) != 2:
            raise UsageError("utilities-states", f"The utilities are of {len(likely)} states: {listing([repr(s) for s in likely], limit=8)}; one column of forecasts means two classes.", cure="Give one column of probabilities per class; leave columns that are no class out of the utilities.")  # fmt: skip
        pair = two_classes(Vector(np.array(likely, dtype=object)), given.name, labels, positive)
        notes += pair.notes
        labels, positive = list(pair.labels), None
    elif labels is None:
        labels = _of_columns(given, states)
    what = Vector(np.full(len(given), labels[0], dtype=object))
    record = observe(what, given, labels=labels, positive=positive, rows=np.arange(len(given)), **{**door, "counts": False})  # fmt: skip
    if record.weight is not None and not record.weight.all():
        record = record.take(record.weight > 0)
    return Partly(record, np.zeros(len(record), bool))


def _of_columns(given: Matrix, states: Sequence[Any] | None) -> list[Any]:
    """Return the classes of forecast columns, of which no outcome tells anything, in the order of the columns."""
    names, count = given.names, given.values.shape[1]
    if names is None or list(names) == [str(at) for at in range(count)]:
        return list(range(count))
    order = None if states is None else match(list(names), list(states))
    if order is None or states is None or len(states) != count:
        return [_label(name) for name in bare(list(names)) or names]
    return [states[order.index(at)] for at in range(count)]
