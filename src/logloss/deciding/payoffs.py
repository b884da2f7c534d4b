"""Utilities as people have them - a mapping, a frame, a file, two costs - as checked utilities of the classes of a forecast."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.codes import as_seen
from logloss.columns import is_text, numbers_of
from logloss.deciding.utilities import Utilities
from logloss.errors import ColumnError, UsageError, listing
from logloss.labels import match
from logloss.notes import Note
from logloss.plain import plain
from logloss.recognise import is_path, is_table, missing_mask, vector
from logloss.streams import open_stream

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["utilities_for", "utilities_of"]

NUMBER = re.compile(r"[-+]?\d*\.?\d+([eE][-+]?\d+)?")
THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2}[.,]\d{3}")
PLAIN = "Write plain numbers, such as -2000.5: no currency or percent sign, nothing between thousands. Leave out columns that are no class."
SHAPE = "Rows are actions; the first column has their names, each other column is called after a class."


def utilities_of(
    given: Any = None, *, cost_fp: float | None = None, cost_fn: float | None = None
) -> tuple[Utilities | None, list[Note]]:
    """Return utilities as they were given, their states not yet matched to classes; None where two costs were given.

    Parameters
    ----------
    given
        Utilities; a mapping {action: {state: utility}}; or a file, frame or mapping of columns whose first column names
        the actions, the others being called after the states.

    Raises
    ------
    UsageError
        For both or neither of utilities and costs; for cells that are missing, infinite or no numbers.
    """
    costs = cost_fp is not None or cost_fn is not None
    if (given is None) is not costs:
        raise UsageError(
            "no-utilities",
            "Both utilities and costs were given." if costs else "What the actions are worth was not given.",
            cure="Give utilities= (CLI: --utilities FILE), or cost_fp= and cost_fn= (CLI: --cost-fp, --cost-fn).",
        )
    if costs:
        if cost_fp is None or cost_fn is None:
            raise UsageError(
                "no-utilities",
                "One cost alone decides nothing.",
                cure="Give that of a false alarm, cost_fp= (CLI: --cost-fp), and that of a miss, cost_fn= (CLI: --cost-fn).",
            )
        return None, []
    if isinstance(given, Utilities):
        return given, []
    if isinstance(given, Mapping) and given and all(isinstance(row, Mapping) for row in given.values()):
        return _nested(given), []
    if is_path(given) or is_table(given):
        return _tabled(given)
    raise UsageError(
        "bad-utilities",
        f"The utilities are a {type(given).__name__}, which does not name actions and states.",
        cure="Give {action: {state: utility}}, a table, or ll.Utilities(actions, states, array).",
    )


def utilities_for(
    classes: Sequence[Any],
    given: Utilities | None,
    notes: Sequence[Note] = (),
    *,
    cost_fp: float | None = None,
    cost_fn: float | None = None,
    reject: float | None = None,
) -> tuple[Utilities, list[Note]]:
    """Return the utilities of the classes of a forecast, in their order, and what is to be said of them."""
    said = list(notes)
    if given is None:
        if len(classes) != 2:
            raise UsageError(
                "costs-two-classes",
                f"A false alarm and a miss are of two classes; here are {len(classes)}: {listing([repr(label) for label in classes])}.",
                cure="Give utilities= (CLI: --utilities): one row per action, one column per class.",
            )
        assert cost_fp is not None
        assert cost_fn is not None
        found = Utilities.of_costs(cost_fp, cost_fn, classes)
    else:
        turned = _turned(given, classes)
        if turned is not None:
            said.append(Note("utilities-turned", f"The classes stand in the first column of the utilities and the actions in its header ({listing([repr(name) for name in turned.actions])}): the table was turned round."))  # fmt: skip
        elif _both_ways(given, classes):
            said.append(Note("actions-called-as-states", "Actions and states carry the same names: rows of the utilities were read as actions, columns as what happened."))  # fmt: skip
        found = (turned or given).for_classes(classes)
        if (found.values >= 0).all() and (found.values.min(axis=0) == 0).all() and found.values.any():
            said.append(Note("utilities-or-costs", "No utility is negative, and in every class the least is 0, as of a table of costs. They were read as utilities: larger is better. Costs are written with a minus."))  # fmt: skip
    if reject is not None:
        found = found.with_reject(reject)
    return found, [*said, *found.notes()]


def _nested(given: Mapping[Any, Mapping[Any, Any]]) -> Utilities:
    states = list(dict.fromkeys(plain(state) for row in given.values() for state in row))
    missing = [
        f"{name!r} in {state!r}" for name, row in given.items() for state in states if state not in row
    ]
    if missing:
        raise UsageError(
            "bad-utilities",
            f"No utility: {listing(missing, limit=3)}.",
            cure="Give every action a utility in every state, under one spelling of it.",
        )
    values = [[row[state] for state in states] for row in given.values()]
    return Utilities(tuple(str(name) for name in given), tuple(states), values)  # type: ignore[arg-type]


def _tabled(given: Any) -> tuple[Utilities, list[Note]]:
    """Read a table: the first column names the actions; a frame may have them as its index."""
    index = getattr(given, "index", None)
    named = index is not None and not callable(index) and _text(list(index))
    notes: list[Note] = []
    stream = open_stream(given, "The table of utilities").whole()
    names = list(stream.names)
    columns = stream.load(names)
    if named:
        actions = [str(one) for one in index]  # type: ignore[union-attr]
    else:
        if len(names) < 3:
            raise UsageError("bad-utilities", f"The table of utilities has {len(names)} column{'' if len(names) == 1 else 's'}: {listing([repr(n) for n in names])}.", cure=SHAPE)  # fmt: skip
        first = vector(columns[names[0]], "The actions").values
        gone = missing_mask(first)
        actions = [
            "" if bad else str(plain(one)).strip() for bad, one in zip(gone, first.tolist(), strict=True)
        ]
        names = names[1:]
    _refuse_headless(names, len(actions))
    numbers = [_numbers(columns[name], name, stream, notes) for name in names]
    _refuse_thousands({name: columns[name] for name in names}, notes)
    return Utilities(tuple(actions), tuple(_label(name) for name in names), np.column_stack(numbers)), notes


def _numbers(column: Any, name: str, stream: Any, notes: list[Note]) -> Any:
    try:
        return numbers_of(column, name, stream, notes).values
    except ColumnError as error:
        raise UsageError("bad-utilities", error.message, cure=PLAIN) from None


def _refuse_headless(names: list[str], rows: int) -> None:
    """Refuse a table whose header is no header: numbers that are no labels, or the states of a table of one action."""
    numbers = [float(name) for name in names if NUMBER.fullmatch(name.strip())]
    labels = [number for number in numbers if number == -1 or (number >= 0 and number.is_integer())]
    counted = sorted(numbers) in ([*range(len(names))], [*range(1, len(names) + 1)])
    if len(numbers) == len(names) and (len(labels) < len(names) or (rows == 1 and not counted)):
        raise UsageError("bad-utilities", f"The first line of the utilities should name the classes; it holds {listing([repr(name) for name in names])}.", cure=SHAPE)  # fmt: skip


def _refuse_thousands(columns: dict[str, Any], notes: Sequence[Note]) -> None:
    """Refuse 2,000 and 2.000 beside decimal commas, where nothing tells whether it is two or two thousand."""
    if not any(note.id == "decimal-commas" for note in notes):
        return
    cells = {
        str(value).strip()
        for column in columns.values()
        if is_text(column)
        for value in column
        if value is not None
    }
    commas = {cell for cell in cells if "," in cell}
    odd = {cell for cell in cells if THOUSANDS.fullmatch(cell)}
    if not commas <= odd:  # 2,5 is in the table: commas are decimal, so a point is not
        odd = {cell for cell in odd if "." in cell}
    if odd:
        raise UsageError("bad-utilities", f"It cannot be told whether {listing(sorted(repr(cell) for cell in odd), limit=3)} {'is' if len(odd) == 1 else 'are'} in thousands.", cure="Write 2000 for two thousand, 2.0 for two.")  # fmt: skip


def _text(names: list[Any]) -> bool:
    return bool(names) and all(isinstance(name, str) for name in names)


def _label(name: str) -> Any:
    """Return the label that a column is called after; blanks around it are not meant."""
    return name.strip()


def _fits(states: Sequence[Any], classes: Sequence[Any]) -> bool:
    seen = list(classes)
    if len(states) != len(seen):
        return False
    return {as_seen(state, seen) for state in states} == set(seen) or match(
        [str(s) for s in states], seen
    ) is not None


def _turned(given: Utilities, classes: Sequence[Any]) -> Utilities | None:
    """Return the table turned round, where only then its columns are the classes."""
    if _fits(given.states, classes) or not _fits(given.actions, classes):
        return None
    return Utilities(tuple(str(state) for state in given.states), given.actions, given.values.T)


def _both_ways(given: Utilities, classes: Sequence[Any]) -> bool:
    square = given.values.shape[0] == given.values.shape[1]
    return square and _fits(given.actions, classes) and bool((given.values != given.values.T).any())
