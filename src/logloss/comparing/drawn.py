"""How sure the means of a tally are: were rows drawn, or groups where it kept groups."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.comparing.counts import PAIR_MEASURES
from logloss.interval import hall_t, of_clusters
from logloss.tally import Moments

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logloss.comparing.tallies import Tally
    from logloss.interval import Interval

    Float = NDArray[np.float64]

__all__ = ["Duel", "Sums", "by_group", "covariance_of", "duel_of", "single_of"]

SHOWN = 100  # groups of which the difference is told


@dataclass(frozen=True, eq=False)
class Sums:
    """Of each group: the sum of w x, and the weight of its rows, over finite rows; both (G,)."""

    nats: Float
    mass: Float


@dataclass(frozen=True, eq=False)
class Duel:
    """The rows of a pair that are finite under both: moments of (w, w (s_a - s_b)), by group too where that is known.

    Attributes
    ----------
    measures
        PAIR_MEASURES, a and b being those that were asked for.
    sides
        The rows that speak most for a, those that speak most for b, and the first that are infinite under one alone:
        (w |d|, part and row, what is remembered).
    """

    moments: Moments
    groups: Sums | None
    measures: dict[str, float]
    sides: tuple[list[Any], list[Any], list[Any]]
    keys: tuple[Any, ...] = ()

    @property
    def mass(self) -> float:
        """Their weight."""
        return float(self.moments.n * self.moments.mean[0])

    @property
    def mean(self) -> float:
        """Mean of s_a - s_b; NaN where there are none."""
        return mean_of(self.moments)

    @property
    def infinite(self) -> tuple[int, int, int]:
        """How many rows are infinite under a alone, b alone, both."""
        return int(self.measures["only_a"]), int(self.measures["only_b"]), int(self.measures["both"])

    def interval(self, level: float) -> Interval | None:
        """Return the interval of the mean: over groups where there are groups, else over rows."""
        return interval_of(self.moments, self.groups, level)

    def without(self, rows: list[dict[str, Any]]) -> Duel:
        """Return the duel without some rows, as they are remembered."""
        x = np.array([[row["weight"], row["weight"] * (row["a"] - row["b"])] for row in rows])
        groups = self.groups
        if groups is not None:
            position = {key: at for at, key in enumerate(self.keys)}
            at = [position[row["group"]] for row in rows]
            nats, mass = groups.nats.copy(), groups.mass.copy()
            np.subtract.at(nats, at, x[:, 1])
            np.subtract.at(mass, at, x[:, 0])
            left = np.where(mass > 1e-9 * groups.mass, mass, 0.0)
            groups = Sums(np.where(left > 0, nats, 0.0), left)
        return Duel(self.moments - Moments.of(x), groups, self.measures, self.sides, self.keys)


def mean_of(moments: Moments) -> float:
    """Return the weighted mean of moments of (w, w x); NaN of no rows."""
    return float(moments.mean[1] / moments.mean[0]) if moments.n and moments.mean[0] > 0 else math.nan


def interval_of(moments: Moments, groups: Sums | None, level: float) -> Interval | None:
    """Return the interval of the mean of moments of (w, w x): over groups where there are groups, else over rows."""
    mean = mean_of(moments)
    if math.isnan(mean):
        return None
    if groups is not None:
        used = groups.mass > 0
        mass, nats = groups.mass[used], groups.nats[used]
        return of_clusters(nats / mass, mass, np.arange(len(mass)), level=level)
    second, third = moments.along(np.array([-mean, 1.0]))
    return hall_t(mean, moments.n, second, third, level=level, scale=float(moments.mean[0]))


def duel_of(tally: Tally, a: str, b: str) -> Duel:
    """Return what a tally knows of two of its forecasts."""
    at, sign = tally.position(a, b)
    kept, turn = tally.pairs.at(at), np.array([1.0, sign])
    moments = Moments(
        kept.n,
        kept.mean * turn,
        kept.second * np.multiply.outer(turn, turn),
        kept.third * np.multiply.outer(np.multiply.outer(turn, turn), turn),
    )
    measures = dict(zip(PAIR_MEASURES, tally.pairs.sums[at].tolist(), strict=True))
    first, second, alone = (list(top.entries) for top in tally.top[at])
    if sign < 0:
        for one, other in (("rows_a", "rows_b"), ("weight_a", "weight_b"), ("only_a", "only_b"), ("only_a_weight", "only_b_weight")):  # fmt: skip
            measures[one], measures[other] = measures[other], measures[one]
        first, second = _turned(second), _turned(first)
        alone = _turned(alone)
    groups = None
    if tally.groups is not None and not (measures["only_a"] or measures["only_b"]):
        of_a, of_b = (_group_sums(tally, name) for name in (a, b))
        groups = Sums(of_a.nats - of_b.nats, of_a.mass)
    keys = () if tally.groups is None else tally.groups.keys
    return Duel(moments, groups, measures, (first, second, alone), keys)


def single_of(tally: Tally, name: str) -> tuple[Moments, Sums | None, int]:
    """Return moments of (w, w s) of one forecast over its finite rows, its groups, and how many rows are infinite."""
    at = tally.names.index(name)
    groups = None if tally.groups is None else _group_sums(tally, name)
    return tally.models.at(at), groups, int(tally.models.sums[at, 0])


def by_group(tally: Tally, a: str, b: str) -> dict[str, Any]:
    """Return in how many groups each has the smaller loss, and the difference of each; of many, those that move it most."""
    assert tally.groups is not None
    sums = tally.groups.sums
    first, second = (2 + 3 * tally.names.index(name) for name in (a, b))
    nats, lost_a, lost_b = sums[:, first] - sums[:, second], sums[:, first + 1], sums[:, second + 1]
    counts = sums[:, 0] > 0
    less = (lost_a == 0) & ((lost_b > 0) | (nats < 0)), (lost_b == 0) & ((lost_a > 0) | (nats > 0))
    found: list[dict[str, Any]] = []
    for at in np.argsort(-np.abs(nats), kind="stable").tolist():
        if not counts[at] or len(found) == SHOWN:
            continue
        difference: float | None = float(nats[at] / sums[at, 1])
        if lost_a[at] or lost_b[at]:
            difference = None if lost_a[at] and lost_b[at] else math.inf if lost_a[at] else -math.inf
        found.append(
            {
                "group": tally.groups.keys[at],
                "rows": int(sums[at, 0]),
                "weight": float(sums[at, 1]),
                "difference": difference,
            }
        )
    better = [int((one & counts).sum()) for one in less]
    return {
        "groups": int(counts.sum()),
        "a_better_in": better[0],
        "b_better_in": better[1],
        "moving_most": found,
    }


def covariance_of(tally: Tally, names: list[str]) -> Float:
    """Return the covariance (m, m) of the mean differences to the first of `names`, each finite on every row.

    Cov(d_ij, d_ik) = (V_ij + V_ik - V_jk) / 2 over rows; over groups, the jackknife.
    """
    m = len(names)
    if tally.groups is not None:
        base = _group_sums(tally, names[0])
        used = base.mass > 0
        mass = base.mass[used]
        G = len(mass)
        left = np.empty((m, G))
        for k, name in enumerate(names):
            nats = (_group_sums(tally, name).nats - base.nats)[used]
            left[k] = (nats.sum() - nats) / (mass.sum() - mass)
        left -= left.mean(axis=1, keepdims=True)
        return np.array([[(G - 1) / G * float((x * y).sum()) for y in left] for x in left])
    V = np.zeros((m, m))
    for i in range(m):
        for j in range(i):
            moments = duel_of(tally, names[i], names[j]).moments
            second, _ = moments.along(np.array([-mean_of(moments), 1.0]))
            n = moments.n
            V[i, j] = V[j, i] = max(second, 0.0) / (n - 1) / n / float(moments.mean[0]) ** 2
    return np.asarray((V[0][:, None] + V[0][None, :] - V) / 2)


def _turned(entries: list[Any]) -> list[Any]:
    return [(key, place, told | {"a": told["b"], "b": told["a"]}) for key, place, told in entries]


def _group_sums(tally: Tally, name: str) -> Sums:
    """Return the sums of one forecast by group, over its finite rows."""
    assert tally.groups is not None
    at = 2 + 3 * tally.names.index(name)
    sums = tally.groups.sums
    mass = sums[:, 1] - sums[:, at + 2]
    return Sums(sums[:, at], np.where(sums[:, at + 1] < sums[:, 0], mass, 0.0))
