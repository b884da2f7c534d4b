"""What was asked for, and which columns of a table that means: found by name, with a note; doubt is an error."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

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
    require,
)
from logloss.errors import ColumnError, UsageError, listing
from logloss.notes import Note
from logloss.recognise import Matrix, Vector, has_columns

__all__ = ["Asked", "asked_of", "by_name", "choose", "outcome_of", "single_outcome"]

DOOR = ("space", "labels", "positive", "normalize_rows", "skip_missing", "counts")


@dataclass(frozen=True)
class Asked:
    """Which columns are asked for by name (empty: to be found), and what the door is to be told."""

    forecast: list[str] = field(default_factory=list)
    outcome: list[str] = field(default_factory=list)
    weight: str | None = None
    ids: str | None = None
    group: str | None = None
    models: dict[str, list[str]] = field(default_factory=dict)  # several forecasts, each with its columns
    door: dict[str, Any] = field(default_factory=dict)

    def other(self) -> list[str]:
        """Return the names of the weight, id and group columns that were asked for."""
        return [name for name in (self.weight, self.ids, self.group) if name is not None]

    def forecasts(self) -> dict[str, list[str]]:
        """Return the columns of each forecast; a single one is called ""."""
        return self.models or {"": self.forecast}

    def columns(self) -> list[str]:
        """Return all columns by name, each once."""
        every = [
            *self.outcome,
            *(name for names in self.forecasts().values() for name in names),
            *self.other(),
        ]
        return list(dict.fromkeys(every))

    def roles(self) -> dict[str, list[str]]:
        """Return the columns by role, as a summary keeps them."""
        roles = {"outcome": self.outcome, "forecast": self.forecast}
        roles |= {role: [name] for role in ("weight", "group") if (name := getattr(self, role)) is not None}
        return roles


def by_name(forecast: Any) -> bool:
    """Tell whether forecasts are given as names of columns (or are to be found)."""
    if isinstance(forecast, dict):
        return bool(forecast) and all(
            by_name(columns) and columns is not None for columns in forecast.values()
        )
    return (
        forecast is None
        or isinstance(forecast, str)
        or (isinstance(forecast, list | tuple) and all(isinstance(name, str) for name in forecast))
    )


def asked_of(
    forecast: Any = None,
    *,
    outcome: Any = None,
    weight: Any = None,
    ids: Any = None,
    group: Any = None,
    **door: Any,
) -> Asked:
    """Return what was asked for; `forecast` may be a mapping of several forecasts to their columns."""
    door["labels"] = as_labels(door.get("labels"))
    several = (
        {str(name): _names(columns) for name, columns in forecast.items()}
        if isinstance(forecast, dict)
        else {}
    )
    if isinstance(forecast, dict) and not (several and all(several.values())):
        raise UsageError("no-forecast", "No forecast was named.", cure="Give {name: column or columns}.")
    return Asked(
        [] if several else _names(forecast),
        _names(outcome),
        _name(weight),
        _name(ids),
        _name(group),
        several,
        door,
    )


def _names(given: Any) -> list[str]:
    if given is None:
        return []
    if isinstance(given, str):
        return [given]
    if isinstance(given, list | tuple) and all(isinstance(name, str) for name in given):
        return list(given)
    raise UsageError(
        "array-and-names",
        "With a table, outcome, forecast, weight, ids and group are names of its columns.",
        cure="Pass names, or arrays only.",
    )


def _name(given: Any) -> str | None:
    names = _names(given)
    if len(names) > 1:
        raise UsageError(
            "array-and-names", f"One column was expected, not {listing(names)}.", cure="Name one."
        )
    return names[0] if names else None


def choose(
    source: Table, asked: Asked, seen: Vector | None = None
) -> tuple[Asked, Vector | Matrix, list[Note]]:
    """Find the columns of one table that were not named; return them all, the outcomes, and what was assumed.

    `seen` are the distinct outcomes, where `source` holds only the first rows.
    """
    notes: list[Note] = []
    forecast, outcome = asked.forecast, asked.outcome
    require(source, asked.columns())
    id_name = asked.ids or known_name(source, IDS)
    taken = _taken(source, asked)
    if not outcome:
        outcome = [single_outcome(source, asked)]
        notes.append(Note("columns-found", f"Column {outcome[0]!r} is read as the outcome."))
    both = sorted({name for names in asked.forecasts().values() for name in names} & set(outcome))
    if both:
        raise UsageError(
            "one-column-two-roles",
            f"Column {both[0]!r} cannot be both outcome and forecast.",
            cure="Name two columns.",
        )
    columns = source.load(outcome)
    what = outcome_of(columns, outcome, source) if seen is None else seen
    if not forecast and not asked.models:
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
    return replace(asked, forecast=forecast, outcome=outcome, ids=id_name), what, notes


def _taken(source: Table, asked: Asked) -> set[str]:
    """Return the columns that have a role already."""
    id_name = asked.ids or known_name(source, IDS)
    taken = {*(name for names in asked.forecasts().values() for name in names), *asked.other()}
    return taken | ({id_name} if id_name else set())


def single_outcome(source: Table, asked: Asked) -> str:
    """Find the one column that is known to hold outcomes."""
    found = named(source, OUTCOMES, _taken(source, asked))
    has_id = known_name(source, IDS) is not None
    if len(found) != 1:
        hint = (
            " It looks like a submission without outcomes: give those with truth= (CLI: --truth FILE)."
            if not found and len(source.names) <= 3 and has_id
            else ""
        )
        raise ColumnError(
            "no-outcome-column",
            f"{source.where} has {'no column' if not found else 'more than one column'} that is known to hold the outcomes{': ' + listing(found) if found else ''}; its columns are {listing(source.names, limit=12)}.{hint}",
            cure="Name it: outcome=... (CLI: --outcome).",
        )
    return found[0]


def outcome_of(columns: dict[str, Any], names: list[str], source: Table) -> Vector | Matrix:
    """Return the outcomes: labels, or one column of numbers per class."""
    if len(names) == 1:
        only = columns[names[0]]
        return Matrix(np.asarray(only)) if has_columns(only) else labels_of(only, source)
    return Matrix(
        np.column_stack([numbers_of(columns[name], name, source, []).values for name in names]), tuple(names)
    )
