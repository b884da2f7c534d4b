"""Rows in folds: forecasts as log-odds, mapped by what was fitted on the other folds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.calibrate.odds import cost, log_softmax, softplus
from logloss.surprises import class_blocks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from logloss.record import Observations

    Float = NDArray[np.float64]
    Map = Callable[[Float], Float]

__all__ = ["FOLDS", "Rows", "folds_of"]

FOLDS = 10
SEED = 0
FIT_ROWS = 100_000  # rows that a map of a few parameters is fitted on; their error is then below 1e-4 nats
FIT_NUMBERS = 1 << 22  # and numbers of their forecasts


def folds_of(
    record: Observations,
) -> tuple[NDArray[np.int64] | None, NDArray[np.int64], NDArray[np.int64] | None]:
    """Return the fold of each row, a random order of the rows, and the cluster of each row: groups stay whole.

    Groups without weight fill no fold; no folds where fewer than two groups have any.
    """
    random = np.random.default_rng(SEED)
    order = random.permutation(len(record))
    coded = record.clusters()
    if coded is None:
        fold = np.empty(len(record), np.int64)
        fold[order] = np.arange(len(record)) % FOLDS
        return fold, order, None
    counts = slice(None) if record.weight is None else record.weight > 0
    alive = np.flatnonzero(np.bincount(coded.code[counts], minlength=len(coded.keys)))
    if len(alive) < 2:
        return None, order, None
    of_cluster = np.zeros(len(coded.keys), np.int64)
    of_cluster[alive[random.permutation(len(alive))]] = np.arange(len(alive)) % min(FOLDS, len(alive))
    return of_cluster[coded.code], order, coded.code


class Rows:
    """Forecasts as log-odds (n, 1) or log-probabilities (n, K), block by block; those that maps are fitted on, held.

    Rows of two classes are held in ascending order of their log-odds, which makes isotonic fits cheap; `back` brings
    a column into the order of the record.
    """

    def __init__(self, record: Observations, fold: NDArray[np.int64], random: NDArray[np.int64]) -> None:
        self.record, self.K = record, len(record.classes)
        self.two = self.K == 2
        self.all: tuple[Float, Float] | None = None
        self.order: NDArray[np.int64] | None = None
        if self.two:
            self.all, self.order = self._sorted()
        weight = np.ones(len(record)) if record.weight is None else record.weight
        self.weight, self.fold = self.forth(weight), self.forth(fold)
        counts = random[self.weight[random] > 0]  # a random order of positions, whatever these are
        some = max(200, FIT_NUMBERS // self.K)
        self.sample = np.sort(counts[: min(FIT_ROWS, some) * FOLDS // (FOLDS - 1)])
        columns = 1 if self.two else self.K
        self.Z, self.T = np.empty((len(self.sample), columns)), np.empty((len(self.sample), columns))
        for part, Z, T in self.blocks():
            first, last = np.searchsorted(self.sample, [part.start, part.stop])
            at = self.sample[first:last] - part.start
            self.Z[first:last], self.T[first:last] = Z[at], T[at]

    def _sorted(self) -> tuple[tuple[Float, Float], NDArray[np.int64]]:
        Z, T = np.empty((len(self.record), 1)), np.empty((len(self.record), 1))
        for part, z, t in self._read():
            Z[part], T[part] = z, t
        order = np.argsort(Z[:, 0], kind="stable")
        return (Z[order], T[order]), order

    def forth(self, column: NDArray[Any]) -> NDArray[Any]:
        """Return a column in the order in which rows are held."""
        return column if self.order is None else column[self.order]

    def back(self, column: NDArray[Any]) -> NDArray[Any]:
        """Return a column (last axis) in the order of the record."""
        if self.order is None:
            return column
        out = np.empty_like(column)
        out[..., self.order] = column
        return out

    def _read(self) -> Iterator[tuple[slice, Float, Float]]:
        for part, s, t in class_blocks(self.record):
            if self.two:
                yield part, (s[:, 0] - s[:, 1])[:, None], t[:, 1:]
            else:
                yield part, log_softmax(-s), t

    def blocks(self) -> Iterator[tuple[slice, Float, Float]]:
        """Yield (rows, forecasts, shares of the outcome)."""
        if self.all is None:
            yield from self._read()
            return
        step = 1 << 15
        for start in range(0, len(self.record), step):
            part = slice(start, min(start + step, len(self.record)))
            yield part, self.all[0][part], self.all[1][part]

    def mapped(self, maps: Sequence[Sequence[Map]]) -> Iterator[tuple[slice, Float, Float]]:
        """Yield blocks with each row's forecast after the maps of its fold."""
        for part, Z, T in self.blocks():
            after = np.empty_like(Z)
            for k, chain in enumerate(maps):
                own = self.fold[part] == k
                block = Z[own]
                for one in chain:
                    block = one(block)
                after[own] = block
            yield part, after, T

    def surprise(self, maps: Sequence[Sequence[Map]]) -> Float:
        """Return the surprise of each row after the maps of its fold, shape (n,)."""
        out = np.empty(len(self.fold))
        for part, Z, T in self.mapped(maps):
            out[part] = cost(Z, T)
        return out

    def training(self, k: int | None, chain: Sequence[Map]) -> tuple[Float, Float, Float]:
        """Return forecasts, shares and weights of the rows to fit on (all folds but k), after a chain of maps."""
        keep = np.ones(len(self.sample), bool) if k is None else self.fold[self.sample] != k
        Z, w = self.Z[keep], self.weight[self.sample][keep]
        for one in chain:
            Z = one(Z)
        return Z, self.T[keep], w / w.mean()

    def ordered(self, k: int, chain: Sequence[Map]) -> tuple[Float, Float, Float]:
        """Return all rows of two classes outside fold k: for maps that gain from every row."""
        assert self.all is not None
        keep = (self.fold != k) & (self.weight > 0)
        Z, w = self.all[0][keep], self.weight[keep]
        for one in chain:
            Z = one(Z)
        return Z, self.all[1][keep], w / w.mean()

    def columns(self, maps: Sequence[Sequence[Map]]) -> Float:
        """Return what these forecasts look like after the maps of each row's fold, shape (6, n).

        Surprise of what happened; entropy and variance, its mean and variance under the forecast; then of the second of
        two classes, or of the class with the largest probability: probability, whether (or which share of) it
        happened, and log-odds.
        """
        out = np.empty((6, len(self.record)))
        for part, Z, T in self.mapped(maps):
            out[:, part] = (_two if self.two else _many)(Z, T)
        return self.back(out)


def _two(Z: Float, T: Float) -> tuple[Float, ...]:
    z, t = Z[:, 0], T[:, 0]
    up, down = softplus(-z), softplus(z)  # -log p, -log(1 - p)
    p, rest = np.exp(-up), np.exp(-down)
    with np.errstate(invalid="ignore"):
        entropy = np.where(p > 0, p * up, 0.0) + np.where(rest > 0, rest * down, 0.0)
        variance = np.where(np.isfinite(z), p * rest * z * z, 0.0)
    return cost(Z, T), entropy, variance, p, t, z


def _many(Z: Float, T: Float) -> tuple[Float, ...]:
    p = np.exp(Z)
    at = np.arange(len(Z)), Z.argmax(axis=1)
    with np.errstate(invalid="ignore"):
        entropy = np.where(p > 0, -p * Z, 0.0).sum(axis=1)
        variance = np.where(p > 0, p * (Z + entropy[:, None]) ** 2, 0.0).sum(axis=1)
    others = p.copy()
    others[at] = 0.0
    with np.errstate(divide="ignore"):
        odds = Z[at] - np.log(others.sum(axis=1))
    return cost(Z, T), entropy, variance, p[at], T[at], odds
