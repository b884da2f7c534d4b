"""Which rows are held out when: numbers of folds, leave-one-out, splitters, lists of splits -> pairs of training and test rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.errors import UsageError, places, suggestion
from logloss.fixing.folds import by_group, stratified
from logloss.text import printable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

__all__ = ["Splits", "splits_of"]

LEAVE_ONE_OUT = "leave-one-out"
CURE = 'Give a number of folds, "leave-one-out", an object with split(X, y, groups), or pairs (training rows, test rows).'


@dataclass(frozen=True, eq=False)
class Splits:
    """Which rows each split holds out, ascending, and how they were made, in words.

    Attributes
    ----------
    tests
        The rows held out, one array per split.
    rows
        All rows that count.
    trains
        The rows trained on, one array per split; None: all others that count.
    """

    tests: tuple[Ints, ...]
    rows: Ints
    words: str
    trains: tuple[Ints, ...] | None = None

    def __len__(self) -> int:
        return len(self.tests)

    def pairs(self) -> Iterator[tuple[Ints, Ints]]:
        """Yield (training rows, test rows) of each split; they would fill the memory if every row is left out in turn."""
        for at, test in enumerate(self.tests):
            yield (np.delete(self.rows, np.searchsorted(self.rows, test)) if self.trains is None else self.trains[at]), test  # fmt: skip

    def times(self, n: int) -> Ints:
        """Return how often each row is held out, shape (n,)."""
        return np.bincount(np.concatenate(self.tests), minlength=n)

    def first(self, n: int) -> Ints:
        """Return the first split that holds each row out, shape (n,); -1 where none does."""
        fold = np.full(n, -1)
        for at in range(len(self.tests) - 1, -1, -1):
            fold[self.tests[at]] = at
        return fold

    def which(self) -> Ints:
        """Return the split of every row held out, split after split."""
        return np.repeat(np.arange(len(self)), [len(test) for test in self.tests])

    @property
    def partition(self) -> bool:
        """Tell whether every row is held out once, by a split that trains on all others."""
        held, n = np.array([len(test) for test in self.tests]), len(self.rows)
        once = bool(held.sum() == n == len(np.unique(np.concatenate(self.tests))))
        return once and (self.trains is None or all(len(train) == n - m for train, m in zip(self.trains, held, strict=True)))  # fmt: skip

    @property
    def ratio(self) -> float:
        """Rows tested over rows trained on, the mean of the splits."""
        held = np.array([len(test) for test in self.tests])
        seen = len(self.rows) - held if self.trains is None else np.array([len(one) for one in self.trains])
        return float((held / seen).mean())


def splits_of(
    cv: Any,
    counts: NDArray[np.bool_],
    *,
    kinds: Ints | None,
    groups: Ints | None,
    data: tuple[Any, Any, Any],
    seed: int,
) -> Splits:
    """Return the splits that `cv` asks for.

    Parameters
    ----------
    counts
        Which rows count, shape (n,): others are neither trained on nor held out.
    kinds
        Each row's outcome as a position, to deal out evenly, shape (n,); None where outcomes have no kinds.
    groups
        Each row's group as a position, shape (n,): groups stay whole.
    data
        X, y and groups as given, for a splitter.

    Raises
    ------
    UsageError
        For what is no split; where a row is held out by models that were trained on it.
    """
    rows = np.flatnonzero(counts)
    n = len(counts)
    if isinstance(cv, str):
        if cv != LEAVE_ONE_OUT:
            raise UsageError(
                "bad-cv", f"{cv!r} is no way to split.{suggestion(cv, [LEAVE_ONE_OUT])}", cure=CURE
            )
        if groups is None:
            return _folded(rows, np.arange(len(rows)), "each row left out in turn")
        return _folded(rows, np.unique(groups[rows], return_inverse=True)[1], "each group left out in turn")
    if isinstance(cv, Integral) and not isinstance(cv, bool | np.bool_):
        return _numbered(int(cv), rows, kinds, groups, seed)
    if isinstance(cv, type):
        raise UsageError("bad-cv", f"cv is the class {cv.__name__}, not a splitter.", cure=f"Write {cv.__name__}(...).")  # fmt: skip
    found: Iterable[Any]
    if hasattr(cv, "split"):
        found, words = _split_by(cv, *data, n), type(cv).__name__
    elif isinstance(cv, Iterable):
        found, words = cv, "splits as given"
    else:
        raise UsageError("bad-cv", f"cv is a {type(cv).__name__}.", cure=CURE)
    pairs = [_pair(one, at, n) for at, one in enumerate(found)]
    kept = [(train[counts[train]], test[counts[test]]) for train, test in pairs]
    kept = [(train, test) for train, test in kept if len(test)]
    if not kept:
        raise UsageError("bad-cv", "cv holds no row out that counts.", cure=CURE)
    for at, (train, _) in enumerate(kept):
        if not len(train):
            raise UsageError("bad-cv", f"Split {at} leaves no row to train on.", cure=CURE)
    words = f"{words}, {len(kept)} split{'s' if len(kept) > 1 else ''}"
    return Splits(tuple(test for _, test in kept), rows, words, tuple(train for train, _ in kept))


def _split_by(cv: Any, X: Any, y: Any, groups: Any, n: int) -> list[Any]:
    """Return the pairs of a splitter; a mapping of columns has as many rows for it as for us."""
    told = np.zeros((n, 1)) if isinstance(X, Mapping) else X
    try:
        return list(cv.split(told, y, groups))
    except (TypeError, ValueError) as error:
        said = " ".join(str(error).split())
        raise UsageError("bad-cv", f"{type(cv).__name__} does not split these rows: {printable(said, 200)}", cure="Give it what it asks for (groups=), or another one.") from error  # fmt: skip


def _numbered(count: int, rows: Ints, kinds: Ints | None, groups: Ints | None, seed: int) -> Splits:
    inside = None if groups is None else np.unique(groups[rows], return_inverse=True)[1]
    most = len(rows) if inside is None else int(inside.max(initial=-1)) + 1
    if not 2 <= count <= most:
        raise UsageError(
            "bad-cv",
            f"cv is {count}, and there are {most:,} {'rows' if inside is None else 'groups'} to deal out.",
            cure='Give a number of folds from 2 to that, or "leave-one-out".',
        )
    if inside is not None:
        return _folded(rows, by_group(inside, count, seed), f"{count} folds of whole groups")
    dealt = np.zeros(len(rows)) if kinds is None else kinds[rows].astype(np.float64)
    words = f"{count} folds{'' if kinds is None else ', stratified'}"
    return _folded(rows, stratified(dealt[:, None], count, seed), words)


def _folded(rows: Ints, fold: Ints, words: str) -> Splits:
    """Return one split for each fold, which is held out."""
    count = int(fold.max(initial=-1)) + 1
    if count < 2:
        raise UsageError("bad-cv", "There is only one row or group, so none is left to train on.", cure="Give more.")  # fmt: skip
    order = np.argsort(fold, kind="stable")
    ends = np.cumsum(np.bincount(fold, minlength=count))
    return Splits(tuple(np.split(rows[order], ends[:-1])), rows, words)


def _pair(one: Any, at: int, n: int) -> tuple[Ints, Ints]:
    """Return training and test rows of one split, checked."""
    try:
        train, test = one
    except (TypeError, ValueError):
        raise UsageError("bad-cv", f"Split {at} is no pair (training rows, test rows).", cure=CURE) from None
    train, test = _rows(train, at, n), np.sort(_rows(test, at, n))
    both = np.intersect1d(train, test)
    if len(both):
        raise UsageError(
            "trained-on-held-out",
            f"Split {at} holds out rows that it trains on ({places(both)}).",
            cure="A hypothesis is judged by rows that it has not seen: leave them out of the training rows.",
        )
    return train, test


def _rows(given: Any, at: int, n: int) -> Ints:
    values = np.asarray(given)
    if values.dtype.kind == "b" and values.shape == (n,):
        return np.flatnonzero(values)
    if values.ndim != 1 or (values.dtype.kind not in "iu" and values.size):
        raise UsageError("bad-cv", f"The rows of split {at} are not row numbers.", cure=CURE)
    found = np.unique(values.astype(np.int64))
    if len(found) < len(values) or (len(found) and not (found[0] >= 0 and found[-1] < n)):
        raise UsageError(
            "bad-cv",
            f"Split {at} names a row twice, or one that is not among the {n:,}.",
            cure="Rows are counted from 0; each is trained on, held out, or neither.",
        )
    return np.asarray(values, np.int64)  # in the order given: some fits depend on it
