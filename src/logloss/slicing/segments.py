"""Columns as slices of rows, listed before anything is looked at: levels, quintiles, and pairs of both."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.codes import Coded
from logloss.notes import Note
from logloss.plain import plain
from logloss.recognise import missing_mask

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    Codes = NDArray[np.int32]

__all__ = ["Segments", "Split", "least_rows", "segments"]

LEVELS = 20  # distinct values that are slices of their own; more numbers are cut into quintiles
MOST_LEVELS = 100  # of text
PAIRED = 8  # columns; more are not paired unless asked for
FEWEST = 30


@dataclass(frozen=True, eq=False)
class Split:
    """One column as slices.

    Attributes
    ----------
    columns
        The column, or the two of a pair.
    names
        What each slice is called.
    code
        The slice of each row, shape (n,); -1 for rows in slices that are too small to be looked at.
    ordered
        Whether neighbouring slices are neighbours in value.
    """

    columns: tuple[str, ...]
    names: tuple[str, ...]
    code: Codes
    ordered: bool = False


@dataclass(frozen=True, eq=False)
class Segments:
    """All slices that are looked at, in the order of the columns; pairs after single columns."""

    splits: tuple[Split, ...]
    rows: int
    notes: tuple[Note, ...] = ()

    def __len__(self) -> int:
        return sum(len(split.names) for split in self.splits)

    @property
    def singles(self) -> tuple[Split, ...]:
        """The splits by one column."""
        return tuple(split for split in self.splits if len(split.columns) == 1)

    def names(self) -> list[str]:
        """Return what each slice is called."""
        return [name for split in self.splits for name in split.names]

    def members(self, at: int) -> NDArray[np.int64]:
        """Return the positions of the rows of one slice."""
        for split in self.splits:
            if at < len(split.names):
                return np.flatnonzero(split.code == at)
            at -= len(split.names)
        raise IndexError(at)

    def sums(self, *columns: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the sum of each column (n,) over each slice, shape (len(columns), slices)."""
        out = [
            [np.bincount(split.code + 1, column, minlength=len(split.names) + 1)[1:] for split in self.splits]
            for column in columns
        ]
        return np.array([np.concatenate(line) if line else np.zeros(0) for line in out])

    def codes(self) -> NDArray[np.int32]:
        """Return the position of each row's slice in every split, shape (n, splits); one past the last for none."""
        out = np.empty((self.rows, len(self.splits)), np.int32)
        first = 0
        for at, split in enumerate(self.splits):
            out[:, at] = np.where(split.code < 0, len(self), split.code + first)
            first += len(split.names)
        return out


def levels(values: NDArray[Any], most: int = 200) -> tuple[NDArray[np.int64], int]:
    """Return each value's position among the distinct ones, and how many there are; 0 of them for more than `most`."""
    none = np.zeros(len(values), np.int64), 0
    try:
        some = Coded.of(values[: 10 * most])
    except TypeError:  # values that have no hash
        return none
    if len(some.keys) > most:
        return none
    coded = Coded.of(values)
    return (coded.code, len(coded.keys)) if len(coded.keys) <= most else none


def least_rows(n: int) -> int:
    """Return how many rows a slice must have: 30, and one in a hundred."""
    return max(FEWEST, n // 100)


def segments(columns: Mapping[str, NDArray[Any]], n: int, *, pairs: bool | None = None) -> Segments:
    """Return the slices of rows that columns (name -> values of shape (n,)) make.

    Up to 20 distinct values are slices of their own, more numbers are cut into quintiles, more text keeps its common
    values; missing values are a slice. `pairs`: also every combination of two columns; by default for up to 8 columns.
    """
    notes: list[Note] = []
    least = least_rows(n)
    splits, dropped = [], []
    for name, values in columns.items():
        split = _split(name, values, least)
        if split is None:
            dropped.append(name)
        else:
            splits.append(split)
    if dropped:
        told = f"Not sliced by {', '.join(repr(name) for name in dropped[:12])}: no two values have {least:,} rows each."
        notes.append(Note("not-sliced", told))
    paired = len(splits) <= PAIRED if pairs is None else pairs
    combined = [_pair(a, b, least) for a, b in itertools.combinations(splits, 2)] if paired else []
    return Segments((*splits, *(pair for pair in combined if pair is not None)), n, tuple(notes))


def _split(name: str, values: NDArray[Any], least: int) -> Split | None:
    if values.dtype.kind == "O" and not _hashable(values):
        return None
    gone = np.asarray(missing_mask(values))
    values, shown = _dated(values, gone)
    numeric = values.dtype.kind in "iuf"
    known = values[~gone].astype(np.float64) if numeric else values[~gone]
    many = (
        numeric and len(np.unique(known[:: max(1, len(known) // 1000)])) > LEVELS
    )  # a look at 1,000 is enough
    coded = None if many else Coded.of(known)
    if coded is None or (numeric and len(coded.keys) > LEVELS):
        cuts = np.unique(np.quantile(known, [0.2, 0.4, 0.6, 0.8], method="inverted_cdf"))  # infinite ones too
        code = np.searchsorted(cuts, known, side="left")
        told = _told_apart(cuts) if shown is None else [shown(cut) for cut in cuts]
        names = [
            f"{name} <= {told[0]}",
            *(f"{a} < {name} <= {b}" for a, b in itertools.pairwise(told)),
            f"{name} > {told[-1]}",
        ]
        ordered = True
    else:
        keys = list(coded.keys)
        rank = sorted(
            range(len(keys)),
            key=lambda at: (
                (str(type(keys[at])), keys[at]) if numeric else (str(type(keys[at])), str(keys[at]))
            ),
        )
        place = np.empty(len(keys), np.int64)
        place[rank] = np.arange(len(keys))
        code = place[coded.code]
        names = [f"{name} = {_shown(keys[at]) if shown is None else shown(keys[at])}" for at in rank]
        ordered = numeric
    whole = np.full(len(values), len(names), np.int64)
    whole[~gone] = code
    return _kept((name,), [*names, f"{name} is missing"], whole, least, ordered=ordered)


def _hashable(values: NDArray[Any]) -> bool:
    try:
        return bool(set(values[:1000].tolist())) or not len(values)
    except TypeError:
        return False


def _dated(values: NDArray[Any], gone: NDArray[np.bool_]) -> tuple[NDArray[Any], Callable[[Any], str] | None]:
    """Return dates and times as seconds, and how such a number is written; other values as they are, and None."""
    import datetime as dt

    if values.dtype.kind == "O" and not gone.all() and all(isinstance(v, dt.date) for v in values[~gone]):
        known = np.full(len(values), np.datetime64("NaT"), "datetime64[s]")
        known[~gone] = [
            np.datetime64(v.replace(tzinfo=None) if isinstance(v, dt.datetime) else v, "s")
            for v in values[~gone]
        ]
        values = known
    if values.dtype.kind != "M" or gone.all():
        return values, None
    seconds = values.astype("datetime64[s]").astype(np.float64)

    def written(x: Any) -> str:
        return str(np.datetime64(int(x), "s")).removesuffix("T00:00:00").replace("T", " ")

    return seconds, written


def _told_apart(cuts: NDArray[np.float64]) -> list[str]:
    """Return cuts in four digits, or in as many as tell them apart."""
    for digits in range(4, 18):
        told = [f"{cut:.{digits}g}" for cut in cuts.tolist()]
        if len(set(told)) == len(told):
            break
    return told


def _shown(key: Any) -> str:
    key = plain(key)
    return f"{key:g}" if isinstance(key, float) else str(key)


def _kept(
    columns: tuple[str, ...], names: list[str], code: NDArray[np.int64], least: int, *, ordered: bool = False
) -> Split | None:
    """Return the split with only the slices that have enough rows, and leave some; the largest of very many.

    `code` is the slice of each row, -1 for none.
    """
    rows = np.bincount(code + 1, minlength=len(names) + 1)[1:]
    large = np.flatnonzero((rows >= least) & (rows <= len(code) - least))
    if len(large) > MOST_LEVELS:
        large = np.sort(large[np.argsort(-rows[large], kind="stable")[:MOST_LEVELS]])
    if not len(large):
        return None
    place = np.full(len(names) + 1, -1, np.int32)
    place[large + 1] = np.arange(len(large), dtype=np.int32)
    return Split(columns, tuple(names[at] for at in large), place[code + 1], ordered)


def _pair(a: Split, b: Split, least: int) -> Split | None:
    """Return the combinations of two splits."""
    joint = np.where((a.code < 0) | (b.code < 0), -1, a.code.astype(np.int64) * len(b.names) + b.code)
    return _kept(
        (*a.columns, *b.columns), [f"{one} and {other}" for one in a.names for other in b.names], joint, least
    )
