"""Rows that are acted on where their forecast reaches a threshold: means over rows at many thresholds at once.

Acting on a row at threshold th is worth proportional to t - th, with t whether the event happened (or its share). A forecast
acts on a row at the thresholds up to a position, its reach, so all sums are histograms of reaches added up from above; of the
difference of two forecasts as well, as they both act where the smaller of both reaches does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from logloss.curves.crowds import moments_of_groups
from logloss.interval import hall_t

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Float = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Sums = dict[tuple[int, int], Float]  # of w^j t^k over the rows acted on, at each threshold

__all__ = ["ALL", "NONE", "Contrast", "Limits", "Rows", "joint_level"]

NONE, ALL = "none", "all"  # to act on no row, on every row
DRAWS = 5_000
BLOCK = 1_000  # groups whose sums are held at once
SAME = 1e-12  # of the terms of a sum: what rounding makes of a spread of 0
POWERS = [(0, 0), (0, 1), *((j, k) for j in (1, 2, 3) for k in range(j + 1))]  # of weight and of share


@dataclass(frozen=True, eq=False)
class Limits:
    """Lower and upper limits at each threshold, shape (G,)."""

    low: Float
    high: Float


@dataclass(frozen=True, eq=False)
class Contrast:
    """What one way to act gains on another at each threshold: weighted means over the same rows.

    Attributes
    ----------
    mean
        Shape (G,).
    differ
        How many rows are acted on by one and not by the other, shape (G,).
    second, third
        Sums of squares and cubes of w (d - mean), shape (G,).
    covariance
        Sums of products of these at two thresholds, shape (G, G).
    unseen_down, unseen_up
        Where one acts alone on some rows, but on no event, or on nothing but events, or no row is acted on by one alone: what a
        row of the kind not seen would take away (add), else 0; shape (G,).
    n, scale
        Rows, and their mean weight; of rows in groups, the groups, and 1.
    effective
        How many rows (groups) of equal weight would tell as much (Kish).
    """

    mean: Float
    differ: Ints
    second: Float
    third: Float
    covariance: Float
    unseen_down: Float
    unseen_up: Float
    n: int
    scale: float
    effective: float

    def limits(self, level: float) -> Limits:
        """Return the interval at each threshold by itself.

        What moments cannot know of is added: where no event, say, was missed yet, or no row acted on differently, some may be. The share of rows of a kind that
        was not seen is at most 1 - tail^(1 / n) with probability 1 - tail.
        """
        low, high = self.mean.copy(), self.mean.copy()
        share = 1.0 - (0.5 - level / 2) ** (1.0 / self.effective)
        for at in np.flatnonzero(self.differ):
            found = hall_t(
                float(self.mean[at]), self.n, float(self.second[at]), float(self.third[at]),
                level=level, scale=self.scale,
            )  # fmt: skip
            low[at], high[at] = (np.nan, np.nan) if found is None else (found.low, found.high)
        low, high = low - share * self.unseen_down, high + share * self.unseen_up
        return Limits(low, high)

    def band(self, level: float, seed: int) -> Limits:
        """Return limits that hold at all thresholds together."""
        varies = self.second > 0
        return self.limits(joint_level(self.covariance[np.ix_(varies, varies)], level, seed))


def joint_level(covariance: Float, level: float, seed: int = 0) -> float:
    """Return the level of single intervals that hold together with probability `level`: max-t.

    From 5,000 draws of normal deviates with this covariance, shape (G, G): the quantile of their largest absolute value.

    >>> joint_level(np.eye(1), 0.95) - 0.95 < 0.01, joint_level(np.eye(20), 0.95) > 0.995
    (True, True)
    """
    if len(covariance) < 2:
        return level
    from scipy.special import ndtr

    error = np.sqrt(np.diag(covariance))
    value, vector = np.linalg.eigh(covariance / error / error[:, None])
    keep = value > 1e-10 * value[-1]
    root = vector[:, keep] * np.sqrt(value[keep])
    drawn = np.random.default_rng(seed).standard_normal((DRAWS, int(keep.sum())))
    largest = np.abs(np.einsum("dr,gr->dg", drawn, root)).max(axis=1)
    return max(level, float(2 * ndtr(np.quantile(largest, level)) - 1))


class Rows:
    """Rows with outcomes (as shares), weights above 0, and the reach of each of several forecasts.

    Parameters
    ----------
    thresholds
        Ascending, shape (G,).
    share, weight
        Shape (n,).
    reach
        By name, shape (n,): at how many of the thresholds, from the lowest on, the row is acted on.
    cluster
        Position of each row's group, shape (n,), from 0: spread is that of groups drawn.
    """

    def __init__(
        self,
        thresholds: Float,
        share: Float,
        weight: Float,
        reach: dict[str, Ints],
        cluster: Ints | None = None,
    ) -> None:
        self.cluster = cluster
        if cluster is not None:
            order = np.argsort(cluster, kind="stable")
            self.cluster, share, weight = np.unique(cluster[order], return_inverse=True)[1], share[order], weight[order]  # fmt: skip
            reach = {name: one[order] for name, one in reach.items()}
        self.thresholds, self.share, self.weight, self.reach = thresholds, share, weight, reach
        self.n, self.total = len(share), float(weight.sum())
        self._even = bool((weight == 1.0).all())
        self._hard = bool(((share == 0.0) | (share == 1.0)).all())
        self._columns: dict[tuple[int, int], Float] = {}
        self._sums: dict[str, Sums] = {}

    def column(self, j: int, k: int) -> Float | None:
        """Return w^j t^k, shape (n,); None where all are 1."""
        j, k = 0 if self._even else j, min(k, 1) if self._hard else k
        if j == k == 0:
            return None
        if (j, k) not in self._columns:
            self._columns[j, k] = self.weight**j * self.share**k
        return self._columns[j, k]

    def histogram(self, at: Ints, bins: int, j: int, k: int) -> Float:
        """Return the sums of w^j t^k by position."""
        return np.bincount(at, self.column(j, k), minlength=bins).astype(np.float64)

    def sums(self, name: str) -> Sums:
        """Return at each threshold the sums of w^j t^k over the rows acted on."""
        if name not in self._sums:
            self._sums[name] = self._counted(name)
        return self._sums[name]

    def _counted(self, name: str) -> Sums:
        G = len(self.thresholds)
        if name == NONE:
            return {power: np.zeros(G) for power in POWERS}
        if name == ALL:
            return {power: np.full(G, self.whole(*power)) for power in POWERS}
        return self._above(self.reach[name])

    def whole(self, j: int, k: int) -> float:
        """Return the sum of w^j t^k over all rows."""
        column = self.column(j, k)
        return float(self.n) if column is None else float(column.sum())

    def _above(self, reach: Ints) -> Sums:
        G = len(self.thresholds)
        same = {(j, k): (0 if self._even else j, min(k, 1) if self._hard else k) for j, k in POWERS}
        found = {power: from_above(self.histogram(reach, G + 1, *power)) for power in set(same.values())}
        return {power: found[same[power]] for power in POWERS}

    def contrast(self, a: str, b: str = NONE, *, scale: Float) -> Contrast:
        """Return the mean of (acts of a - acts of b) (t - th) / scale at each threshold, scale of shape (G,)."""
        A, B, both = self.sums(a), self.sums(b), self._both(a, b)
        one = {power: A[power] - B[power] for power in A}  # sums of odd powers of (acts of a - acts of b)
        two = {power: A[power] + B[power] - 2 * both[power] for power in A}  # and of even ones
        th, squares = self.thresholds, self.whole(2, 0)
        mean = (one[1, 1] - th * one[1, 0]) / scale / self.total
        wwd = (one[2, 1] - th * one[2, 0]) / scale
        wwdd = (two[2, 2] - 2 * th * two[2, 1] + th**2 * two[2, 0]) / scale**2
        wwwd = (one[3, 1] - th * one[3, 0]) / scale
        wwwdd = (two[3, 2] - 2 * th * two[3, 1] + th**2 * two[3, 0]) / scale**2
        wwwddd = (one[3, 3] - 3 * th * one[3, 2] + 3 * th**2 * one[3, 1] - th**3 * one[3, 0]) / scale**3
        differ = np.rint(two[0, 0]).astype(np.int64)
        second = wwdd - 2 * mean * wwd + mean**2 * squares
        noise = SAME * (wwdd + 2 * np.abs(mean * wwd) + mean**2 * squares)
        second = np.where((differ > 0) & (second > noise), second, 0.0)
        third = wwwddd - 3 * mean * wwwdd + 3 * mean**2 * wwwd - mean**3 * self.whole(3, 0)
        products = self._products(a, b) / np.outer(scale, scale)
        covariance = products - np.outer(mean, wwd) - np.outer(wwd, mean) + np.outer(mean, mean) * squares
        np.fill_diagonal(covariance, second)
        down, up = self._unseen(a, b, scale)
        if self.cluster is not None:
            return self.in_groups(mean, differ, self.group_sums(a, b, scale), (down, up))
        return Contrast(
            mean, differ, second, third, covariance, down, up, self.n, self.total / self.n, self.total**2 / squares
        )  # fmt: skip

    def in_groups(
        self, mean: Float, differ: Ints, blocks: Iterator[tuple[slice, Float]], unseen: tuple[Float, Float]
    ) -> Contrast:
        """Return the same were groups drawn, and not rows, from the sums of w d over the rows of each."""
        assert self.cluster is not None
        mass = np.asarray(np.bincount(self.cluster, self.weight), np.float64)
        second, third, products = moments_of_groups(mean, mass, blocks)
        none = differ == 0
        second, third = np.where(none, 0.0, second), np.where(none, 0.0, third)
        effective = self.total**2 / float((mass**2).sum())
        return Contrast(mean, differ, second, third, products, *unseen, len(mass), 1.0, effective)

    def group_sums(self, a: str, b: str, scale: Float) -> Iterator[tuple[slice, Float]]:
        """Yield some groups and the sums of w (acts of a - acts of b) (t - th) / scale of each, shape (groups, G)."""
        assert self.cluster is not None
        G, C = len(self.thresholds), int(self.cluster[-1]) + 1
        for start in range(0, C, BLOCK):
            part = slice(start, min(start + BLOCK, C))
            rows = slice(*np.searchsorted(self.cluster, [part.start, part.stop]))
            sums = np.zeros((part.stop - part.start, G))
            for name, sign in ((a, 1.0), (b, -1.0)):
                if name != NONE:
                    acted, happened = (self._of_groups(name, part, rows, k) for k in (0, 1))
                    sums += sign * (happened - self.thresholds * acted) / scale
            yield part, sums

    def _of_groups(self, name: str, part: slice, rows: slice, k: int) -> Float:
        """Return the sums of w t^k over the rows of each group that are acted on at each threshold, shape (groups, G)."""
        assert self.cluster is not None
        G, many = len(self.thresholds), part.stop - part.start
        reach = np.int64(G) if name == ALL else self.reach[name][rows]
        at = (self.cluster[rows] - part.start) * (G + 1) + reach
        column = self.weight[rows] * self.share[rows] ** k
        sums = np.bincount(at, column, minlength=many * (G + 1)).astype(np.float64)
        return from_above(sums.reshape(many, G + 1).T).T

    def _unseen(self, a: str, b: str, scale: Float) -> tuple[Float, Float]:
        """Return what a row would take away, and add, whose kind was not seen: of those acted on by one alone, events or others."""
        event, other = (1.0 - self.thresholds) / scale, -self.thresholds / scale
        down, up = np.zeros(len(event)), np.zeros(len(event))
        both = self._both(a, b)
        for one, sign in ((a, 1.0), (b, -1.0)):
            happened = self.sums(one)[0, 1] - both[0, 1]
            alone = np.rint(self.sums(one)[0, 0] - both[0, 0])
            for seen, worth in ((happened, event), (alone - happened, other)):
                unseen = np.where((alone > 0) & (seen < 1e-9 * self.n), sign * worth, 0.0)
                down, up = np.maximum(down, -unseen), np.maximum(up, unseen)
        alike = np.rint(self.sums(a)[0, 0] + self.sums(b)[0, 0] - 2 * both[0, 0]) == 0
        if alike.all() and ALL not in (a, b) and NONE not in (a, b):
            return down, up  # one forecast, given twice
        some = np.where(alike & (self.thresholds > 0), np.maximum(np.abs(event), np.abs(other)), 0.0)
        return np.maximum(down, some), np.maximum(up, some)

    def _both(self, a: str, b: str) -> Sums:
        """Return the sums over the rows that both act on."""
        if NONE in (a, b) or a == b:
            return self.sums(NONE if a != b else a)
        if ALL in (a, b):
            return self.sums(b if a == ALL else a)
        return self._above(np.minimum(self.reach[a], self.reach[b]))

    def _products(self, a: str, b: str) -> Float:
        """Return the sums of w^2 (acts of a - acts of b) (t - th) at two thresholds, shape (G, G)."""
        th = self.thresholds
        G = len(th)
        later = np.maximum.outer(np.arange(G), np.arange(G))
        terms = []
        for k in range(3):
            cross = self._cross(a, b, k)
            terms.append(self.sums(a)[2, k][later] + self.sums(b)[2, k][later] - cross - cross.T)
        return np.asarray(terms[2] - np.add.outer(th, th) * terms[1] + np.outer(th, th) * terms[0])

    def _cross(self, a: str, b: str, k: int) -> Float:
        """Return the sums of w^2 t^k over rows acted on by a at one threshold and by b at the other, shape (G, G)."""
        G = len(self.thresholds)
        if NONE in (a, b):
            return np.zeros((G, G))
        if b == ALL:
            return np.repeat(self.sums(a)[2, k][:, None], G, axis=1)
        if a == ALL:
            return np.repeat(self.sums(b)[2, k][None, :], G, axis=0)
        cells = self.histogram(self.reach[a] * (G + 1) + self.reach[b], (G + 1) ** 2, 2, k)
        return from_above(from_above(cells.reshape(G + 1, G + 1)).T).T


def from_above(histogram: Float) -> Float:
    """Return the sums of all later positions along the first axis, which gets one shorter.

    >>> from_above(np.array([5.0, 2.0, 1.0])).tolist()
    [3.0, 1.0]
    """
    return np.asarray(np.cumsum(histogram[::-1], axis=0)[::-1][1:])
