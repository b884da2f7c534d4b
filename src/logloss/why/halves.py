"""How many rows carry half of the loss, where only sums are known: between two bounds."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from logloss.summary import Summary

__all__ = ["half_between"]

ROUNDING = 1e-9  # of a count: sums of other orders


def half_between(summary: Summary) -> tuple[int, int] | None:
    """Return bounds for the number of costliest rows that carry half of the finite loss; None where nothing is lost.

    The costliest rows that were kept are known one by one. Of the others it is known that none costs more than the last of
    these and, without weights, how many lie between two surprises and what they cost together: the costliest j of m
    rows that cost s together and each between a and b cost at least j s / m and at most min(j b, s - (m - j) a).
    """
    half = 0.5 * summary.finite_nats
    if not half > 0:
        return None
    costs = [key for key, _, _ in summary.top.entries if math.isfinite(key)]
    spent = 0.0
    for at, cost in enumerate(costs, 1):
        spent += cost
        if spent >= half * (1 - ROUNDING):
            return (at, at) if spent >= half * (1 + ROUNDING) else (at, min(at + 1, summary.moments.n))
    n = summary.moments.n
    others = n - len(costs)
    bar = costs[-1] if costs else math.inf
    # Of all others the costliest j carry at least j / others of what is left, and at most j times the bar.
    low = len(costs) + (_up((half - spent) / bar) if math.isfinite(bar) else 1)
    high = len(costs) + min(_up(others * (half - spent) / (summary.finite_nats - spent)), others)
    if not summary.weighted:
        found = _by_surprise(summary, half)
        low, high = max(low, found[0]), min(high, found[1])
    return min(low, high), high


def _by_surprise(summary: Summary, half: float) -> tuple[int, int]:
    """Return the bounds that rows and nats by surprise give, each row of weight 1."""
    bins = summary.clamps["given"]
    rows, nats = bins.weight[0].tolist(), bins.sum[0].tolist()
    rows[-1] -= summary.infinite[1]
    edges = [0.0, *bins.edges, math.inf]
    above, carried = 0.0, 0.0
    for m, s, a, b in reversed(list(zip(rows, nats, edges[:-1], edges[1:], strict=True))):
        if m > 0 and carried + s >= half:
            left = half - carried
            few = max(left / b, m - (s - left) / a if a > 0 else 0.0)
            return int(above) + max(_up(few), 1), int(above) + min(_up(left * m / s) + 1, round(m))
        above, carried = above + m, carried + s
    return 1, summary.moments.n


def _up(x: float) -> int:
    """Return the next whole number, but for what rounding adds."""
    return max(math.ceil(x * (1 - ROUNDING)), 0)
