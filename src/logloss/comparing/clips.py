"""What clipping both forecasts would change: the difference as a function of the clip, exact at every breakpoint."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from logloss.comparing.pairs import LIMITS, MOST
from logloss.comparing.results import ClipChange
from logloss.surprises import class_blocks, per_row

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from logloss.record import Observations

    Float = NDArray[np.float64]

__all__ = ["clip_change", "clipped"]

SAME = 1e-12  # of the losses: what rounding makes of a difference of 0


def clip_change(a: Observations, b: Observations) -> ClipChange:
    """Return what clipping both forecasts of the same rows into [eps, 1 - eps] does to the difference of their losses.

    A clip clamps every surprise into [-log1p(-eps), -log eps]. Between the forecasts' own values, where one more is
    clipped, the difference is c + u (-log eps) + l (-log1p(-eps)): the sums are kept, and where the sign changes is solved for.
    """
    points = [_points(one, sign) for one, sign in ((a, 1.0), (b, -1.0))]
    at, cost, up, low = (np.concatenate([one[k] for one in points]) for k in range(4))
    mass = float(np.ones(len(a)).sum() if a.weight is None else a.weight.sum())
    order = np.argsort(at, kind="stable")
    at = at[order]
    finite = np.isfinite(cost)
    start = float(cost[finite].sum()) / mass
    # row j: the j lowest points are clipped
    kept = start - np.concatenate([[0.0], np.cumsum(np.where(finite, cost, 0.0)[order])]) / mass
    high = np.concatenate([[0.0], np.cumsum(up[order])]) / mass
    below = np.concatenate([[0.0], np.cumsum(low[order])]) / mass
    scale = float(np.abs(cost[finite]).sum()) / mass

    def difference(eps: Float) -> Float:
        j = np.searchsorted(at, eps, side="right")
        return np.asarray(kept[j] - high[j] * np.log(eps) - below[j] * np.log1p(-eps))

    curve = tuple(zip(LIMITS, difference(np.array(LIMITS)).tolist(), strict=True))
    turn = _turn(at, difference, high, below, SAME * scale, _unclipped(a, b))
    return ClipChange(turn, MOST, curve)


def _unclipped(a: Observations, b: Observations) -> float:
    """Return the sign of the difference where one of both is infinite on rows of its own; 0 where none is, or each."""
    lost = [np.isinf(per_row(one)) & (True if one.weight is None else one.weight > 0) for one in (a, b)]
    return float((lost[0] & ~lost[1]).any()) - float((lost[1] & ~lost[0]).any())


def _points(record: Observations, sign: float) -> tuple[Float, Float, Float, Float]:
    """Return of each (row, class that happened): the clip from which on it is clipped, its cost, and on which side.

    The cost is w t s; a forecast at most 1/2 is raised, one above it is lowered.
    """
    found = []
    weight = np.ones(len(record)) if record.weight is None else record.weight
    for rows, s, t in class_blocks(record):
        mass = sign * weight[rows][:, None] * t
        keep = mass != 0
        cost, mass = s[keep], mass[keep]
        raised = cost >= math.log(2)
        at = np.where(raised, np.exp(-cost), -np.expm1(-cost))
        found.append((at, mass * cost, np.where(raised, mass, 0.0), np.where(raised, 0.0, mass)))
    return tuple(np.concatenate([one[k] for one in found]) for k in range(4))  # type: ignore[return-value]


def _turn(
    at: Float, difference: Callable[[Float], Float], high: Float, below: Float, noise: float, unclipped: float
) -> float | None:
    """Return the smallest clip up to MOST from which on the sign is another than without one; None where there is none.

    `unclipped` is the sign of an infinite difference, which the smallest clip may turn.
    """
    inner = np.unique(at[(at > 0) & (at < MOST)])
    first = min(float(inner[0]) / 2 if len(inner) else MOST, 1e-300)
    grid = np.concatenate([[first], inner, [MOST]])
    # between two points the difference has at most one extremum, at u / (u + l)
    j = np.searchsorted(at, grid[:-1], side="right")
    with np.errstate(divide="ignore", invalid="ignore"):
        extremum = high[j] / (high[j] + below[j])
    inside = (extremum > grid[:-1]) & (extremum < grid[1:])
    grid = np.sort(np.concatenate([grid, extremum[inside]]))
    values = difference(grid)
    signs = np.where(np.abs(values) <= noise, 0.0, np.sign(values))
    known = np.flatnonzero(signs)
    if not len(known):
        return None
    turned = np.flatnonzero(signs == -(unclipped or signs[known[0]]))
    if not len(turned):
        return None
    if turned[0] == known[0]:
        return float(grid[known[0]])
    right = int(turned[0])
    left = int(known[known < right][-1])
    return _root(difference, float(grid[left]), float(grid[right]))


def _root(difference: Callable[[Float], Float], low: float, high: float) -> float:
    """Return where the difference changes sign: by halves on the scale of logs, which needs no import that takes longer."""
    low = max(low, 5e-324)
    sign = math.copysign(1.0, float(difference(np.array([high]))[0]))
    for _ in range(100):
        middle = math.sqrt(low) * math.sqrt(high)
        if not low < middle < high:
            break
        if float(difference(np.array([middle]))[0]) * sign > 0:
            high = middle
        else:
            low = middle
    return high


def clipped(record: Observations, eps: float) -> tuple[Observations, int]:
    """Return the record with every probability clipped into [eps, 1 - eps], and how many rows that changed the loss of.

    Two classes: their log-odds are clamped. More: every surprise is clamped, and rows are not divided by their sums.
    """
    low, high = -math.log1p(-eps), -math.log(eps)
    parts, changed = [], 0
    for _, s, t in class_blocks(record):
        outside = (t > 0) & ((s < low) | (s > high))
        changed += int(outside.any(axis=1).sum())
        parts.append(s[:, 0] - s[:, 1] if record.binary else -np.clip(s, low, high))
    values = np.concatenate(parts)
    if record.binary:
        return replace(record, forecast=np.clip(values, low - high, high - low), space="logit"), changed
    return replace(record, forecast=values, space="logp"), changed
