"""Several yes/no labels per row: outcome and forecast columns of each, found and paired by name."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss import units
from logloss.alignment import Draft
from logloss.codes import as_labels, check_labels
from logloss.columns import as_kind, is_text, numbers_of, require
from logloss.errors import AlignmentError, ColumnError, OutcomeError, UsageError, listing, places
from logloss.labels import bare, match
from logloss.notes import Note
from logloss.recognise import Matrix, Vector, has_columns, matrix, vector
from logloss.sources import is_rows
from logloss.stages import staged
from logloss.streams import open_stream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from logloss.columns import Table

__all__ = ["Labelled", "labelled"]


@dataclass(frozen=True, eq=False)
class Labelled:
    """Yes/no labels: outcomes in [0, 1] or NaN where missing, and forecasts, both of shape (n, L), in one order."""

    labels: tuple[Any, ...]
    outcome: NDArray[np.float64]
    forecast: NDArray[Any]
    weight: Vector | None
    notes: tuple[Note, ...]


@staged("checking rows")
def labelled(data: Any, forecast: Any, outcome: Any, weight: Any, labels: Sequence[Any] | None) -> Labelled:
    """Return the labels of arrays or of a table; see :func:`logloss.multilabel` for the arguments."""
    notes: list[Note] = []
    if is_rows(data, forecast):
        truth, given, weight = _of_table(data, forecast, outcome, weight, notes)
    else:
        if forecast is None or outcome is not None:
            raise UsageError(
                "array-and-names" if outcome is not None else "no-forecast",
                "Outcomes and forecasts are to be two arrays or frames with a column per label, or names of columns of one table.",
                cure="Call multilabel(outcomes, forecasts), or multilabel(table, outcome=[...], forecast=[...]).",
            )
        truth, given = _wide(data, "The outcomes"), _wide(forecast, "The forecasts")
    weights = None if weight is None else vector(weight, "The weights")
    Draft(truth, given, weights, None).check_alignment()
    if truth.values.shape[1] != given.values.shape[1]:
        raise OutcomeError(
            "columns-without-class",
            f"The outcomes have {truth.values.shape[1]} columns, the forecast {given.values.shape[1]}.",
            cure="Give one outcome column and one forecast column per label.",
        )
    names, own, its = _paired(truth, given, as_labels(labels), notes)
    shares = truth.values.astype(np.float64)[:, own]
    for name, column in zip(names, shares.T, strict=True):
        odd = ~((column >= 0) & (column <= 1) | np.isnan(column))
        if odd.any():
            raise OutcomeError(
                "not-yes-or-no",
                f"Label {name!r} has outcomes that are neither 0 nor 1, nor between ({places(np.flatnonzero(odd))}: {listing(column[odd][:3].tolist(), total=int(odd.sum()), limit=3)}).",
                cure="Write 1 where the label is true, 0 where it is not, nothing where that is not known.",
            )
    return Labelled(names, shares, given.values[:, its], weights, tuple(notes))


def _wide(obj: Any, what: str) -> Matrix:
    """Return one column per label; a single column is one label."""
    if has_columns(obj):
        return matrix(obj, what)
    column = vector(obj, what)
    return replace(matrix(column.values[:, None], what), index=column.index)


@staged("reading")
def _of_table(
    data: Any, forecast: Any, outcome: Any, weight: Any, notes: list[Note]
) -> tuple[Matrix, Matrix, Vector | None]:
    source = open_stream(data, "The table").whole()
    outcomes, forecasts, (weights,) = (_names(given) for given in (outcome, forecast, weight or [""]))
    if not outcomes:
        raise ColumnError(
            "no-outcome-column",
            f"Which columns of {source.where} hold the labels? Its columns are {listing(source.names, limit=12)}.",
            cure="Name them all: outcome=[...] (CLI: --outcome, repeated).",
        )
    require(source, [*outcomes, *forecasts, *([weights] if weights else [])])
    forecasts = forecasts or _found(source, outcomes, weights, notes)
    both = sorted(set(outcomes) & set(forecasts))
    if both:
        raise UsageError(
            "one-column-two-roles",
            f"Column {both[0]!r} cannot be both outcome and forecast.",
            cure="Name two columns.",
        )
    columns = source.load([*outcomes, *forecasts, *([weights] if weights else [])])
    truth = np.column_stack([_yes_or_no(columns[name], name, source, notes) for name in outcomes])
    given = np.column_stack([numbers_of(columns[name], name, source, notes).values for name in forecasts])
    counted = numbers_of(columns[weights], weights, source, notes) if weights else None
    return Matrix(truth, tuple(outcomes)), Matrix(given, tuple(forecasts)), counted


def _names(given: Any) -> list[str]:
    names = [given] if isinstance(given, str) else list(given or ())
    if not all(isinstance(name, str) for name in names):
        raise UsageError(
            "array-and-names",
            "With a table, outcome, forecast and weight are names of its columns.",
            cure="Pass names, or arrays only.",
        )
    return names


def _found(source: Table, outcomes: list[str], weight: str, notes: list[Note]) -> list[str]:
    """Find the forecast column of each label by its name."""
    left = [name for name in source.names if name not in {*outcomes, weight} and source.is_number(name)]
    at = _by_name(left, outcomes)
    if at is None:
        raise ColumnError(
            "no-forecast-column",
            f"Which columns of {source.where} hold the forecasts of {listing(outcomes)}? None are named after all of them; its other columns of numbers are {listing(left, limit=12)}.",
            cure="Name them in the order of the outcomes: forecast=[...] (CLI: --forecast, repeated).",
        )
    found = [left[i] for i in at]
    notes.append(
        Note(
            "columns-found",
            f"Columns {listing([repr(name) for name in found], limit=10)} are read as the forecasts.",
        )
    )
    return found


def _by_name(names: Sequence[str], labels: Sequence[Any]) -> tuple[int, ...] | None:
    """Return the column of each label; what all labels begin or end with is not needed in the names."""
    found = match(names, labels)
    short = bare(labels) if found is None and all(isinstance(label, str) for label in labels) else None
    return match(names, short) if short else found


def _yes_or_no(column: Any, name: str, source: Table, notes: list[Note]) -> NDArray[np.float64]:
    """Return a column of labels as numbers; text may say true and false."""
    if is_text(column):
        read = as_kind(column, "Boolean")
        if read is not None:
            column = read
    found = vector(column, f"Column {name!r}").values
    if found.dtype.kind == "O" and all(v is None or isinstance(v, bool) for v in found.tolist()):
        return np.array([np.nan if v is None else float(v) for v in found.tolist()])
    return np.asarray(numbers_of(column, name, source, notes).values, np.float64)


def _paired(
    truth: Matrix, given: Matrix, labels: list[Any] | None, notes: list[Note]
) -> tuple[tuple[Any, ...], list[int], list[int]]:
    """Return the labels, and the outcome and forecast column of each: by name, else by position, which is said."""
    L = truth.values.shape[1]
    own = list(range(L))
    if labels is not None:
        check_labels(labels, L)
        at = _by_name(truth.names, labels) if truth.names else tuple(own)
        if at is None:
            raise UsageError(
                "labels-count",
                f"The outcome columns are {listing(truth.names or ())}; not all labels are among them.",
                cure="Leave labels out where columns have names.",
            )
        own = list(at)
    names: tuple[Any, ...] = tuple(labels or truth.names or given.names or own)
    if not given.names or (labels is None and not truth.names):
        return names, own, list(range(L))
    its = _by_name(given.names, names)
    if its is None:
        if L > 1:
            told = f"Labels ({listing(names)}) and forecast columns ({listing(given.names)}) have different names; they are paired by position."
            notes.append(Note("class-order", told))
        return names, own, list(range(L))
    if len(set(its)) < L:
        raise AlignmentError(
            "duplicate-columns",
            "Two labels share a forecast column.",
            cure=f"Name {units.count(L, 'column')}.",
        )
    return names, own, list(its)
