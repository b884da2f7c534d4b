"""The rows of a trial, checked: outcomes, groups and weights that belong together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.codes import Coded, distinct, encode
from logloss.errors import AlignmentError, ColumnError, OutcomeError, UsageError, WeightError, places
from logloss.pairing import check_indexes
from logloss.recognise import has_columns, missing_mask, vector
from logloss.refereeing.portions import count_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = ["check_rows", "groups_of", "kinds_of", "outcomes_of", "weights_of"]


def check_rows(X: Any, y: Any, **beside: Any) -> int:
    """Return how many rows there are; refuse X, y and what is given beside them where they do not belong together."""
    for name, part in (("X", X), ("y", y)):
        _check_column(part, name)
    n = count_of(y, "The outcomes")
    if count_of(X, "X") != n:
        raise AlignmentError("different-lengths", f"The parts have different lengths: {count_of(X, 'X'):,} rows of X, {n:,} outcomes.", cure="Give one of each per row.")  # fmt: skip
    if not n:
        raise AlignmentError("no-rows", "There are no rows to judge by.", cure="Give at least two.")
    check_indexes({"X": X, "y": y, **beside})
    return n


def outcomes_of(y: Any) -> NDArray[Any] | None:
    """Return the outcomes as labels (n,); None where they are no single column."""
    if has_columns(y):
        return None
    values = vector(y, "The outcomes").values
    gone = np.flatnonzero(missing_mask(values))
    if len(gone):
        raise OutcomeError("missing-values", f"{len(gone):,} missing outcomes ({places(gone)}).", cure="Fill them in, or leave these rows out.")  # fmt: skip
    return values


def kinds_of(happened: NDArray[Any] | None) -> Ints | None:
    """Return each row's outcome as a position; None where outcomes are quantities."""
    if happened is None or (happened.dtype.kind == "f" and bool((happened != np.floor(happened)).any())):
        return None
    return encode(happened, distinct(happened)).astype(np.int64)


def groups_of(groups: Any, n: int) -> Coded | None:
    """Return each row's group as a position; None without groups."""
    if groups is None:
        return None
    _check_column(groups, "groups")
    values = vector(groups, "The groups").values
    if len(values) != n:
        raise AlignmentError("different-lengths", f"The parts have different lengths: {n:,} outcomes, {len(values):,} groups.", cure="Give one of each per row.")  # fmt: skip
    gone = np.flatnonzero(missing_mask(values))
    if len(gone):
        raise ColumnError("missing-values", f"{len(gone):,} missing groups ({places(gone)}).", cure="Fill them in, or leave these rows out.")  # fmt: skip
    return Coded.of(values)


def weights_of(weight: Any, n: int) -> Float:
    """Return the weight of each row, 1 if none were given."""
    if weight is None:
        return np.ones(n)
    _check_column(weight, "weight")
    values = vector(weight, "The weights").values
    if len(values) != n:
        raise AlignmentError("different-lengths", f"The parts have different lengths: {n:,} outcomes, {len(values):,} weights.", cure="Give one of each per row.")  # fmt: skip
    if values.dtype.kind not in "biuf":
        raise WeightError("not-a-number", "The weights are not numbers.", cure="Give one number per row.")
    values = values.astype(np.float64)
    bad = np.flatnonzero(~(np.isfinite(values) & (values >= 0)))
    if len(bad) or not values.any():
        raise WeightError("bad-weights", f"Negative, missing or infinite weights ({places(bad)})." if len(bad) else "All weights are 0, so no row counts.", cure="A weight says how much a row counts: 0 or more.")  # fmt: skip
    return values


def _check_column(given: Any, name: str) -> None:
    """Refuse the name of a column: hypotheses are fitted to all columns of X, so what is no evidence has no place there."""
    if isinstance(given, str) and name == "X":
        raise UsageError("array-and-names", f"X={given!r} is a name, and a table was expected.", cure="Read the file first, such as X = polars.read_csv(...).")  # fmt: skip
    if isinstance(given, str):
        raise UsageError("array-and-names", f"{name}={given!r} is a name, and an array was expected.", cure=f"Give the column itself, {name}=X[{given!r}], and leave it out of X if hypotheses should not see it.")  # fmt: skip
