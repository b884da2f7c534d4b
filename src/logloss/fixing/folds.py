"""Rows in folds: at random with every class in every fold, whole groups, or stretches of time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = ["by_group", "by_time", "stratified"]


def stratified(shares: Float, count: int, seed: int = 0) -> Ints:
    """Return a fold for each row, (n,): rows with the same outcome are dealt out evenly; shares of shape (n, C)."""
    random = np.random.default_rng(seed)
    order = random.permutation(len(shares))
    kind = shares[:, 0] if shares.shape[1] == 1 else shares.argmax(axis=1) + shares.max(axis=1)
    dealt = order[np.argsort(kind[order], kind="stable")]
    fold = np.empty(len(shares), np.int64)
    fold[dealt] = np.arange(len(shares)) % count
    return fold


def by_group(group: Ints, count: int, seed: int = 0) -> Ints:
    """Return a fold for each row that keeps groups whole: the largest first, each to the fold with the fewest rows."""
    sizes = np.bincount(group)
    random = np.random.default_rng(seed)
    shuffled = random.permutation(len(sizes))
    of_group = np.zeros(len(sizes), np.int64)
    load = np.zeros(min(count, len(sizes)))
    for one in shuffled[np.argsort(-sizes[shuffled], kind="stable")]:
        at = int(load.argmin())
        of_group[one] = at
        load[at] += sizes[one]
    return of_group[group]


def by_time(time: NDArray[Any], count: int) -> Ints:
    """Return a fold for each row: stretches of time with about as many rows each; equal times stay together."""
    keys, at = np.unique(time, return_inverse=True)
    before = np.cumsum(np.bincount(at, minlength=len(keys)))
    of_key = np.minimum((before - 1) * count // len(time), count - 1)
    _, fold = np.unique(of_key, return_inverse=True)
    return fold[at].astype(np.int64)
