"""Rows of two classes as cells of log-odds, from which the loss after f(z) = clip(z / T + b) is told.

A cell is the rows of one outcome in one bin of log-odds: their share of the weight, their mean z and their spread. They are
taken as evenly spread over z - h to z + h, with h = sqrt(3 variance), which has their mean and variance. With
g(u) = log(1 + exp(u)) and u = -f for what happened, u = f for what did not, the part of a cell that is not clipped
costs g(mean) + g''(mean) variance / 2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from logloss import oddsgrid
from logloss.calibrate.odds import softplus
from logloss.surprises import class_blocks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logloss.record import Observations
    from logloss.tally import Table

    Float = NDArray[np.float64]

__all__ = [
    "SETTINGS",
    "TEMPERATURES",
    "Cells",
    "Side",
    "bounds",
    "exact_of",
    "measured",
    "odds_of",
    "of_grid",
    "of_values",
]

GROUPS = 15  # points of the reliability line
FINE = 4096.0  # bins per unit of log-odds that stand for rows, where there are many
WIDE = 32  # beyond these log-odds rows stand for themselves
FEW = 20_000
UNCLIPPED = 1e300  # no clip: further out than any log-odds
ROUNDING = 6e-8  # float32, relative
TEMPERATURES, SHIFTS, CLIPS = (
    (0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 4.0),
    (-2.0, -1.0, 0.0, 1.0, 2.0),
    (0.0, 1e-6, 0.001, 0.01, 0.05),
)
SETTINGS = tuple((T, b, eps) for T in TEMPERATURES for b in SHIFTS for eps in CLIPS)


@dataclass(frozen=True, eq=False)
class Side:
    """The cells of one outcome, each array of shape (cells,): mean log-odds, half their spread, share of the weight.

    `group` is the point of the reliability line that a cell belongs to.
    """

    z: Float
    h: Float
    n: Float
    group: NDArray[np.uint8]

    def sum(self, sign: float, T: float, b: float, eps: float) -> float:
        """Return the sum of n times the loss after the move; `sign` is -1 for what happened, 1 for what did not."""
        limit = math.log((1 - eps) / eps) if eps > 0 else UNCLIPPED
        mid, half = sign * (self.z / T + b), self.h / T
        low, high = np.clip(mid - half, -limit, limit), np.clip(mid + half, -limit, limit)
        m, length = (low + high) / 2, high - low
        width = np.where(half > 0, 2 * half, 1.0)
        with np.errstate(over="ignore"):  # far from the limit
            above = np.clip((mid + half - limit) / width, 0, 1)
            below = np.clip((half - mid - limit) / width, 0, 1)
        inside = 1 - above - below
        curved = softplus(m) + _bend(m) * length**2 / 24
        most, least = softplus(np.array([limit, -limit]))
        ends = above * most + below * least
        return float((self.n * (ends + inside * curved)).sum())


@dataclass(frozen=True, eq=False)
class Cells:
    """All rows: cells of what did not happen and of what did; shares of certain rows, right and wrong, and of those that cost infinity."""

    no: Side
    yes: Side
    right: float
    wrong: float
    lost: float

    def finite(self, T: float, b: float) -> float:
        """Return the loss without a clip of the rows whose loss is finite; NaN if there is none."""
        total = self.no.sum(1.0, T, b, 0.0) + self.yes.sum(-1.0, T, b, 0.0)
        return total / (1 - self.lost) if self.lost < 1 else math.nan

    def loss(self, T: float, b: float, eps: float) -> float:
        """Return the loss after the move; inf where a certain row was wrong and is not clipped."""
        if eps == 0:
            return math.inf if self.lost > 0 else self.finite(T, b)
        sure = -self.wrong * math.log(eps) - self.right * math.log1p(-eps)
        return self.no.sum(1.0, T, b, eps) + self.yes.sum(-1.0, T, b, eps) + sure


def of_grid(grid: Table, lost: float) -> Cells | None:
    """Return the cells of a reliability grid; None where it has no moments. `lost` is the weight that costs infinity."""
    parts = _parts(grid)
    if parts is None:
        return None
    total = float(grid.sums[0].sum())
    no, yes = ((n / total, z, np.sqrt(3 * v)) for n, z, v in parts)
    sure, sure_yes = grid.sums[7:9]
    wrong = sure_yes[0] + sure[-1] - sure_yes[-1]
    return _cells(no, yes, (float(sure.sum() - wrong) / total, float(wrong) / total, lost / total))


def of_values(z: Float, weight: Float, share: Float, most: int, steps: float = 0.0) -> Cells | None:
    """Return cells of the distinct log-odds, or of bins of 1 / steps; None where there are more than `most`."""
    sure = np.isinf(z)
    if not steps and len(np.unique(z[:FEW])) > most:
        return None
    finite = z[~sure]
    keys, at = np.unique(np.floor(finite * steps) / steps if steps else finite, return_inverse=True)
    if not 0 < len(keys) <= most:
        return None
    total, d = float(weight.sum()), finite - keys[at]
    sides = []
    for part in (1 - share, share):
        n, first, second = (
            np.bincount(at, (weight * part)[~sure] * d**k, minlength=len(keys)) for k in range(3)
        )
        mean = first / np.where(n > 0, n, 1.0)
        variance = np.maximum(second / np.where(n > 0, n, 1.0) - mean**2, 0.0)
        sides.append((n / total, keys + mean, np.sqrt(3 * variance)))
    miss = np.where(z > 0, 1 - share, share)
    bad = sure & (miss > 0)
    wrong, lost = float((weight * miss)[bad].sum()), float(weight[bad].sum())
    right = float(weight[sure].sum()) - wrong
    return _cells(sides[0], sides[1], (right / total, wrong / total, lost / total))


def _cells(
    no: tuple[Float, Float, Float], yes: tuple[Float, Float, Float], sure: tuple[float, float, float]
) -> Cells | None:
    """Return the cells that are occupied, as float32 holds them."""
    together = no[0] + yes[0]
    if not together.sum() > 0:
        return None
    middle = np.cumsum(together) - together / 2
    group = np.minimum(GROUPS * middle / together.sum(), GROUPS - 1).astype(np.uint8)
    sides = []
    for n, z, h in (no, yes):
        kept = n > 0
        with np.errstate(over="ignore"):
            z, h, n = (column[kept].astype(np.float32).astype(np.float64) for column in (z, h, n))  # noqa: PLW2901
        if not (np.isfinite(z).all() and np.isfinite(n).all()):
            return None
        sides.append(Side(z, h, n, group[kept]))
    return Cells(sides[0], sides[1], *sure)


def _parts(grid: Table) -> list[tuple[Float, Float, Float]] | None:
    """Return (weight, mean, variance) of finite log-odds by bin, of what did not happen and of what did."""
    if len(grid.sums) < len(oddsgrid.MEASURES) or not np.isfinite(grid.sums).all():
        return None
    weight, yes, _, first, first_yes, second, second_yes, sure, sure_yes = grid.sums
    edge = oddsgrid.edges()
    middle, half = (edge[1:] + edge[:-1]) / 2, (edge[1] - edge[0]) / 2
    found = []
    for n, d, dd in (
        ((weight - yes) - (sure - sure_yes), first - first_yes, second - second_yes),
        (yes - sure_yes, first_yes, second_yes),
    ):
        there = n > 1e-12 * weight  # less is what rounding left of a difference
        kept = np.where(there, n, 0.0)
        mean = np.where(there, d / np.where(there, n, 1.0), 0.0)
        mean[1:-1] = np.clip(mean[1:-1], -half, half)
        variance = np.clip(np.where(there, dd / np.where(there, n, 1.0) - mean**2, 0.0), 0.0, half**2)
        variance[[0, -1]] = 0.0
        found.append((kept, middle + mean, variance))
    return found


def odds_of(record: Observations) -> tuple[Float, Float, Float]:
    """Return (log-odds of the second of two classes, weight, share of it in the outcome) of the rows that count."""
    blocks = [(s[:, 0] - s[:, 1], t[:, 1]) for _, s, t in class_blocks(record)]
    z, share = (np.concatenate(column) for column in zip(*blocks, strict=True))
    weight = np.ones(len(z)) if record.weight is None else record.weight
    counts = weight > 0
    return (z, weight, share) if counts.all() else (z[counts], weight[counts], share[counts])


def exact_of(z: Float, weight: Float, share: Float) -> tuple[Float, Float, Float]:
    """Return rows with finite log-odds as (z, weight that did not happen, weight that did), shares of all.

    Many rows are put into bins so fine that what is lost is less than 1e-8 nats.
    """
    total, finite = float(weight.sum()), np.isfinite(z)
    z, weight, share = z[finite], weight[finite] / total, share[finite]
    if len(z) <= FEW:
        return z, weight * (1 - share), weight * share
    near = np.abs(z) < WIDE
    at, size = ((z[near] + WIDE) * FINE).astype(np.int64), int(2 * WIDE * FINE)
    columns: list[tuple[Float, Float, Float]] = [
        (z[~near], weight[~near] * (1 - share[~near]), weight[~near] * share[~near])
    ]
    for part, yes in ((1 - share[near], False), (share[near], True)):
        n = np.bincount(at, weight[near] * part, minlength=size)
        kept: Float = np.asarray(n[n > 0], np.float64)
        mean = np.bincount(at, weight[near] * part * z[near], minlength=size)[n > 0] / kept
        none = np.zeros(len(mean))
        columns.append((mean, none, kept) if yes else (mean, kept, none))
    joined = [np.concatenate(column) for column in zip(*columns, strict=True)]
    return joined[0], joined[1], joined[2]


def measured(cells: Cells, rows: tuple[Float, Float, Float]) -> Float:
    """Return the largest error over SETTINGS against the rows, in nats, shape (temperatures, 2): without a clip and with one."""
    z, no, yes = rows
    worst = np.zeros((len(TEMPERATURES), 2))
    for T, b, eps in SETTINGS:
        limit = math.log((1 - eps) / eps) if eps > 0 else UNCLIPPED
        x = np.clip(z / T + b, -limit, limit)
        cost = float((no * softplus(x) + yes * softplus(-x)).sum())
        told = cells.no.sum(1.0, T, b, eps) + cells.yes.sum(-1.0, T, b, eps)
        off = abs(told - cost) / (1 - cells.lost if eps == 0 else 1.0)
        at = TEMPERATURES.index(T), int(eps > 0)
        worst[at] = max(worst[at], off)
    return worst


def bounds(grid: Table, cells: Cells) -> Float:
    """Return what the error cannot exceed at SETTINGS, whatever the rows: in the form of `measured`."""
    parts = _parts(grid)
    assert parts is not None
    total = float(grid.sums[0].sum())
    worst = np.zeros((len(TEMPERATURES), 2))
    for T, b, eps in SETTINGS:
        limit = math.log((1 - eps) / eps) if eps > 0 else UNCLIPPED
        off = sum(
            _bound(sign, part, total, (T, b, limit)) for sign, part in zip((1.0, -1.0), parts, strict=True)
        )
        at = TEMPERATURES.index(T), int(eps > 0)
        worst[at] = max(worst[at], off / (1 - cells.lost if eps == 0 else 1.0))
    return worst


def _bound(
    sign: float, part: tuple[Float, Float, Float], total: float, setting: tuple[float, float, float]
) -> float:
    """Bound the error of one side. All but its mean, variance and limits is unknown of a bin.

    Smooth: Taylor's rest, E |u - m|^3 <= variance times the furthest. Where a clip cuts a bin: E (u - c)+ lies between
    (m - c)+ and (sqrt(v + (m - c)^2) + m - c) / 2 (Scarf 1958), for the rows as for the even spread.
    """
    T, b, limit = setting
    n, z, v = part
    edge = oddsgrid.edges()
    ends = np.sort(sign * (np.stack([edge[:-1], edge[1:]]) / T + b), axis=0)
    m, v, h = sign * (z / T + b), v / T**2, np.sqrt(3 * v) / T
    low, high = np.minimum(ends[0], m - h), np.maximum(ends[1], m + h)
    near = np.where((low < 0) & (high > 0), 0.0, np.minimum(np.abs(low), np.abs(high)))
    bend = _bend(near)
    third = np.minimum(bend, 1 / (6 * math.sqrt(3)))
    rest = v * np.maximum(high - m, m - low) * third / 6
    off = np.where((low >= limit) | (high <= -limit), 0.0, rest + 0.125 * (2 * h) ** 4 / 1920)
    for c in (limit, -limit) if limit < UNCLIPPED else ():
        past = (m - c) * math.copysign(1.0, c)
        cut = (np.sqrt(v + past**2) - np.abs(past)) / 2
        kink = _slope(c) * cut + bend / 2 * (v + np.maximum(past, 0) ** 2)
        off += np.where((low < c) & (high > c), rest + kink, 0.0)
    for at, edged in ((0, edge[1]), (-1, edge[-2])):  # of these only the mean is known
        inner = sign * (edged / T + b)
        reach = math.copysign(1.0, inner) * limit
        tail = 2 * math.log1p(math.exp(-abs(inner))) + _slope(reach) * max(
            min(abs(m[at] - inner), limit - abs(inner)), 0.0
        ) * (limit < UNCLIPPED)
        off[at] = 0.0 if abs(inner) >= limit else tail
    size = np.abs(z) / T + abs(b) + 1
    return float((n * (off + ROUNDING * np.minimum(size, limit))).sum() / total)


def _bend(u: Float) -> Float:
    """Return the second derivative of log(1 + exp(u))."""
    e = np.exp(-np.abs(u))
    return np.asarray(e / (1 + e) ** 2)


def _slope(u: float) -> float:
    """Return its first derivative."""
    return 1 / (1 + math.exp(-u)) if u > -700 else 0.0
