"""Rows of (forecast, outcome, weight) in groups along the forecast: of equal forecasts, or of about equal weight.

Sums add up, so groups are made of groups: rows are pooled by equal forecasts once, and everything else is read off
the pools. Equal forecasts are never split, no group is empty, and forecasts of exactly 0 or 1 keep groups of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]

__all__ = ["Events", "Pools", "binomial_interval", "lower_limit", "merged", "pools", "upper_limit"]


@dataclass(frozen=True, eq=False)
class Events:
    """One yes/no question about each row, every array of shape (n,); rows of weight 0 are gone.

    Attributes
    ----------
    key
        The forecast on the scale on which it was given; only its order and its ties matter.
    forecast, odds
        Its probability and log-odds.
    share
        Whether the event happened, or its share.
    weight
        Above 0.
    beside
        More columns to be summed by group, by name, weighted already.
    """

    key: Float
    forecast: Float
    odds: Float
    share: Float
    weight: Float
    beside: dict[str, Float]


@dataclass(frozen=True, eq=False)
class Pools:
    """Groups in ascending order of the forecast, every array of shape (k,).

    Attributes
    ----------
    forecast, odds
        Weighted means; the log-odds are -inf or inf where all forecasts are exactly 0 or 1.
    rows, weight, squares
        Rows, and sums of w and w^2.
    spread
        Sum of w^2 p (1 - p): the variance of the sum of w y, were the forecasts right.
    share
        Weighted share that happened.
    beside
        Sums of the further columns.
    """

    forecast: Float
    odds: Float
    rows: Float
    weight: Float
    squares: Float
    spread: Float
    share: Float
    beside: dict[str, Float]

    def __len__(self) -> int:
        return len(self.weight)

    def effective(self) -> Float:
        """Return how many rows of equal weight would tell as much (Kish): the rows themselves without weights."""
        return self.weight**2 / self.squares


def pools(events: Events) -> tuple[Pools, NDArray[np.int64], NDArray[np.int64]]:
    """Return rows pooled by equal forecasts, with the order of the rows and where in it each pool starts."""
    order = np.lexsort((events.weight, events.key)) if np.ptp(events.weight) else np.argsort(events.key)
    key = events.key[order]
    starts = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]]))
    p, w = events.forecast[order], events.weight[order]

    def total(column: Float) -> Float:
        return np.asarray(np.add.reduceat(column, starts), np.float64)

    weight = total(w)
    found = Pools(
        forecast=p[starts],
        odds=events.odds[order][starts],
        rows=np.diff(np.append(starts, len(order))).astype(np.float64),
        weight=weight,
        squares=total(w * w),
        spread=total(w * w * p * (1.0 - p)),
        share=np.clip(total(w * events.share[order]) / weight, 0.0, 1.0),
        beside={name: total(column[order]) for name, column in events.beside.items()},
    )
    return found, order, starts


def merged(found: Pools, groups: int) -> tuple[Pools, NDArray[np.int64]]:
    """Return pools put together into about `groups` of equal weight, and at which pool each of them starts.

    A pool goes where the middle of its weight falls. As many pools as `groups`, or fewer, stay as they are.
    """
    if len(found) <= groups:
        return found, np.arange(len(found))
    below = np.cumsum(found.weight)
    at = np.floor((below - 0.5 * found.weight) / below[-1] * groups)
    apart = np.isinf(found.odds)
    new = (at[1:] != at[:-1]) | apart[1:] | apart[:-1]
    starts = np.flatnonzero(np.concatenate([[True], new]))

    def total(column: Float) -> Float:
        return np.asarray(np.add.reduceat(column, starts), np.float64)

    weight = total(found.weight)
    last = np.append(starts[1:], len(found)) - 1
    whole = Pools(
        forecast=np.clip(
            total(found.weight * found.forecast) / weight, found.forecast[starts], found.forecast[last]
        ),
        odds=np.clip(total(found.weight * found.odds) / weight, found.odds[starts], found.odds[last]),
        rows=total(found.rows),
        weight=weight,
        squares=total(found.squares),
        spread=total(found.spread),
        share=np.clip(total(found.weight * found.share) / weight, 0.0, 1.0),
        beside={name: total(column) for name, column in found.beside.items()},
    )
    return whole, starts


def binomial_interval(share: Float, count: Float, level: float) -> tuple[Float, Float]:
    """Return the exact interval of a share seen in `count` rows (Clopper and Pearson 1934, Biometrika 26:404-413).

    Counts need not be whole: with weights they are the effective ones.

    >>> low, high = binomial_interval(np.array([0.0, 0.5]), np.array([10.0, 10.0]), 0.95)
    >>> low.round(4).tolist(), high.round(4).tolist()
    ([0.0, 0.1871], [0.3085, 0.8129])
    """
    tail = 0.5 * (1.0 - level)
    return lower_limit(share * count, count, tail), upper_limit(share * count, count, tail)


def lower_limit(seen: Float, count: Float, tail: float) -> Float:
    """Return the share under which `seen` or more of `count` has probability `tail`; 0 where none was seen."""
    from scipy.special import betaincinv

    some = seen > 0
    return np.where(some, betaincinv(np.where(some, seen, 1.0), count - seen + 1.0, tail), 0.0)


def upper_limit(seen: Float, count: Float, tail: float) -> Float:
    """Return the share under which `seen` or fewer of `count` has probability `tail`; 1 where all were."""
    from scipy.special import betaincinv

    rest = count - seen
    some = rest > 0
    return np.where(some, betaincinv(seen + 1.0, np.where(some, rest, 1.0), 1.0 - tail), 1.0)
