"""Sums over rows of several forecasts that comparing them takes: compiled, and as the twin by NumPy that reads like the definition."""

from __future__ import annotations

import math
from itertools import combinations, combinations_with_replacement, permutations
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss import kernels
from logloss.tally import Keyed, Moments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Float = NDArray[np.float64]

__all__ = [
    "EPS",
    "HIGHS",
    "LOWS",
    "PAIR_MEASURES",
    "TOP",
    "Bars",
    "Best",
    "by_kernel",
    "by_numpy",
    "joint_moments",
]

TOP = 20  # rows that are remembered of each pair, for each of both
EPS = tuple(
    float(f"{digit}e-{k}") for k in range(1, 17) for digit in ((1,) if k == 1 else (5, 2, 1))
)  # to clip to
LOWS = np.array([-math.log1p(-eps) for eps in EPS])
HIGHS = np.array([-math.log(eps) for eps in EPS])
# Rows and weight on which each has the smaller surprise, of those finite under both; sum w |d|; then rows and weight that
# are infinite under a alone, b alone, both.
PAIR_MEASURES = ("rows_a", "rows_b", "weight_a", "weight_b", "moved", "only_a", "only_a_weight", "only_b",
                 "only_b_weight", "both", "both_weight")  # fmt: skip


Best = list[list[list[tuple[float, int]]]]  # of each pair and side: (w |d|, row), largest first


class Bars:
    """What rows must reach to be among the best of a pass: the largest w |d| so far of each pair, for each of both.

    Batches of one pass share them, and each row is added once. They only spare work.
    """

    def __init__(self, forecasts: int) -> None:
        self._best = np.zeros((forecasts * (forecasts - 1) // 2, 2, TOP))
        self._lock = Lock()

    def lowest(self) -> Float:
        """Return for each pair and side the least that is still among the best, shape (P, 2)."""
        return self._best[:, :, -1].copy()

    def add(self, keys: Float) -> None:
        """Add the largest of a batch, shape (P, 2, TOP); zeros where there are fewer."""
        with self._lock:
            both = np.sort(np.concatenate([self._best, keys], axis=2))
            self._best = both[:, :, : -TOP - 1 : -1]


def by_kernel(s: Float, w: Float, bars: Bars | None = None) -> tuple[Keyed, Keyed, Best]:
    """Return models and pairs of a tally, and the rows that speak most for either, in one compiled pass.

    With bars those that reach them; the bars are raised.
    """
    from logloss.kernels import duels

    M = len(s)
    P = M * (M - 1) // 2
    models, model_sums = np.zeros((M, 10)), np.zeros((M, 2 + len(EPS)))
    pairs, pair_sums = np.zeros((P, 10)), np.zeros((P, len(PAIR_MEASURES)))
    keys, at = np.zeros((P, 2, TOP)), np.full((P, 2, TOP), -1)
    if bars is not None:
        keys += np.nextafter(bars.lowest(), 0.0)[:, :, None]  # as high as the bar, but earlier, is among them
    duels.duels(_fixed(s), _fixed(w), LOWS, HIGHS, models, model_sums, pairs, pair_sums, keys, at)
    if bars is not None and (at >= 0).any():
        bars.add(np.where(at >= 0, keys, 0.0))
    best: Best = [
        [[(key, row) for key, row in zip(*side, strict=True) if row >= 0] for side in zip(*one, strict=True)]
        for one in zip(keys.tolist(), at.tolist(), strict=True)
    ]
    return _keyed(models, model_sums), _keyed(pairs, pair_sums), best


def _fixed(array: Float) -> Float:
    """Return a read-only, contiguous view (or copy): one compiled variant serves all."""
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view


def _keyed(moments: Float, sums: Float) -> Keyed:
    """Return moments as the kernels keep them (n, means, ww, wx, xx, www, wwx, wxx, xxx) as a tally."""
    two = np.add.outer(np.arange(2), np.arange(2))
    three = np.add.outer(two, np.arange(2))
    n = np.rint(moments[:, 0]).astype(np.int64)
    return Keyed(tuple(range(len(n))), n, moments[:, 1:3], moments[:, 3 + two], moments[:, 6 + three], sums)


def by_numpy(s: Float, w: Float) -> tuple[Keyed, Keyed, Best]:
    """Return the same by NumPy: the twin that reads like the definition."""
    counts = w > 0
    s, w = s[:, counts], w[counts]
    row = np.flatnonzero(counts)
    lost = np.isinf(s)
    models = []
    for one, infinite in zip(s, lost, strict=True):
        clamped = [(w * np.clip(one, low, high)).sum() for low, high in zip(LOWS, HIGHS, strict=True)]
        models.append((_moments(w, one, ~infinite), [infinite.sum(), w[infinite].sum(), *clamped]))
    pairs, best = [], []
    for a, b in combinations(range(len(s)), 2):
        both = ~(lost[a] | lost[b])
        d = np.zeros(len(w))
        d[both] = s[a, both] - s[b, both]
        kinds = (lost[a] & ~lost[b], lost[b] & ~lost[a], lost[a] & lost[b])
        sums = [
            *((d < 0).sum(), (d > 0).sum(), w[d < 0].sum(), w[d > 0].sum(), (w * np.abs(d)).sum()),
            *(measure for kind in kinds for measure in (kind.sum(), w[kind].sum())),
        ]
        pairs.append((_moments(w, d, both), sums))
        sides = []
        for sign in (-1.0, 1.0):
            key = sign * w * d
            order = np.argsort(-key, kind="stable")[:TOP]
            sides.append([(float(key[i]), int(row[i])) for i in order if key[i] > 0])
        best.append(sides)
    return _stacked(models), _stacked(pairs), best


def _moments(w: Float, values: Float, where: NDArray[np.bool_]) -> Moments:
    return Moments.of(np.stack([w[where], w[where] * values[where]], axis=1))


def _stacked(parts: Sequence[tuple[Moments, list[Any]]]) -> Keyed:
    return Keyed.stacked([one for one, _ in parts], np.array([sums for _, sums in parts], np.float64))


def joint_moments(columns: Float) -> Moments:
    """Return the moments of columns (d, n): compiled where there are many numbers."""
    if columns.size < kernels.COMPILE_FROM:
        return Moments.of(columns.T)
    from logloss.kernels import duels

    d, n = columns.shape
    mean, second, third = columns.mean(axis=1), np.zeros((d, d)), np.zeros((d, d, d))
    duels.joint(_fixed(columns), mean, second, third)
    for i, j, k in combinations_with_replacement(range(d), 3):
        second[j, i] = second[i, j]
        for at in permutations((i, j, k)):
            third[at] = third[i, j, k]
    return Moments(n, mean, second, third)
