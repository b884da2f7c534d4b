"""Two forecasts of the same rows -> what may be bet on each row that one is better, fixed before the outcome is known.

A row's difference d_k = s_a,k - s_b,k is what b would save over a if class k happened: known before it does. A bet on b pays
E >= 0 with mean 1 at most as long as a is at least as good as b, E[d] <= 0. A bet on a is the same with -d.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from logloss.surprises import class_blocks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logloss.record import Observations

    Float = NDArray[np.float64]

__all__ = ["Stakes", "break_even", "break_even_bets", "stakes_of"]

NOISE = 8 * float(np.finfo(np.float64).eps)  # of a difference of surprises, in units of them
NEAR = 0.5  # relative difference below which a ratio of probabilities is formed from the difference


@dataclass(frozen=True, eq=False)
class Stakes:
    """What each row offers to a bettor, arrays of shape (n,).

    Attributes
    ----------
    logs
        Of two classes, shape (n, 2): log of what the bet on a, and the bet on b, paid. None for more: how much is bet is
        then learnt from the rows before.
    happened
        d of what happened; 0 where both forecasts called it impossible.
    low, high
        The least and the greatest d of the row's classes.
    void
        Rows on which both called impossible what happened.
    clash
        Rows on which each calls impossible what the other allows: the mean of d is inf - inf, and no bet is fair.
    """

    logs: Float | None
    happened: Float
    low: Float
    high: Float
    void: NDArray[np.bool_]
    clash: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.happened)


def stakes_of(a: Observations, b: Observations) -> Stakes:
    """Return the stakes of two checked records of the same rows and outcomes."""
    parts = []
    for (part, s_a, t), (_, s_b, _) in zip(class_blocks(a), class_blocks(b), strict=True):
        d = _apart(a, b, part, s_a, s_b)
        at = (np.arange(len(d)), t.argmax(axis=1))
        missing = np.isnan(d)
        low = np.where(missing, 0.0, d).min(axis=1)
        high = np.where(missing, 0.0, d).max(axis=1)
        happened, void = np.where(missing[at], 0.0, d[at]), missing[at]
        logs = break_even_bets(d, s_a, s_b)[at[0], :, at[1]] if d.shape[1] == 2 else np.zeros((len(d), 0))
        parts.append((logs, happened, low, high, void, np.isneginf(low) & np.isposinf(high)))
    logs, *rest = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Stakes(logs if logs.shape[1] else None, *rest)


def break_even(p: Float, q: Float) -> Float:
    """Return the probability of 1 at which forecasts p and q lose the same on average; between them, NaN where equal.

    >>> break_even(np.array([0.3]), np.array([0.6])).round(6).tolist()
    [0.446705]
    """
    p, q = np.asarray(p, np.float64), np.asarray(q, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        d0 = np.log1p(-q) - np.log1p(-p)
        d1 = np.log(q) - np.log(p)
        return np.asarray(d0 / (d0 - d1))


def break_even_bets(d: Float, s_a: Float, s_b: Float) -> Float:
    """Return logs of what bets on a and on b pay in rows of two classes, shape (m, 2 bets, 2 outcomes).

    With th the break-even probability of class 1, a is at least as good as b exactly where the truth is on a's side of
    it. The bet on b believes b's probability pi (Kelly): it pays pi / th if class 1 happens, (1 - pi) / (1 - th) if not, and its mean
    is 1 where the truth is th, less on a's side. The bet on a believes a.

    Where a says 0 and b does not, a is at least as good only if it cannot happen: th is 0, and the bet pays infinitely if
    it does. No bet is placed where forecasts are equal, where the bettor could lose infinitely, and where one forecast loses more whatever
    happens (rows that do not sum to one).

    Parameters
    ----------
    d, s_a, s_b
        Differences of surprise, and surprises, of class 0 and 1, shape (m, 2).

    References
    ----------
    Henzi and Ziegel (2022), Valid sequential inference on probability forecast performance, Biometrika 109:647-663.
    """
    out = np.zeros((len(d), 2, 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.log(np.abs(d))
        apart = size[:, 1] - size[:, 0]
        log_even = np.stack([-np.logaddexp(0.0, -apart), -np.logaddexp(0.0, apart)], axis=1)  # of 1 - th, th
        opposite = (d[:, 0] > 0) & (d[:, 1] < 0) | (d[:, 0] < 0) & (d[:, 1] > 0)
        for bet, (s, gain) in enumerate(((s_a, -d), (s_b, d))):
            odds = s[:, 0] - s[:, 1]  # of class 1; so rows that do not sum to one are divided by their sum
            belief = -np.stack([np.logaddexp(0.0, odds), np.logaddexp(0.0, -odds)], axis=1)
            pays = belief - log_even
            wins = gain.argmax(axis=1)[:, None]
            won = np.take_along_axis(pays, wins, axis=1)[:, 0]
            lost = np.take_along_axis(pays, 1 - wins, axis=1)[:, 0]
            placed = opposite & (gain.min(axis=1) > -np.inf) & (won > 0) & (lost < 0)
            out[placed, bet] = pays[placed]
    return out


def _apart(a: Observations, b: Observations, part: slice, s_a: Float, s_b: Float) -> Float:
    """Return s_a - s_b of every class, shape (m, K); NaN where both are infinite, 0 where they agree within rounding."""
    with np.errstate(invalid="ignore"):
        d = s_a - s_b
        d[np.isfinite(d) & (np.abs(d) <= NOISE * (1.0 + s_a + s_b))] = 0.0
    if a.binary and b.binary and a.space == b.space:
        x, y = (one.forecast[part].astype(np.float64, copy=False) for one in (a, b))
        near, close = _near(a.space, x, y, s_a)
        d[near] = close[near]
    return d


def _near(space: str, x: Float, y: Float, s: Float) -> tuple[NDArray[np.bool_], Float]:
    """Return which rows of two binary forecasts are near, and the differences of surprise, formed without cancellation."""
    with np.errstate(all="ignore"):
        moved = y - x
        if space == "p":
            near = np.abs(moved) < NEAR * np.minimum(x, 1.0 - x)
            d0, d1 = -np.log1p(-moved / (1.0 - x)), np.log1p(moved / x)
        elif space == "logp":
            odds = moved_odds(x, moved)
            near = (np.abs(odds) < NEAR) & (np.abs(moved) < NEAR)
            d0, d1 = -np.log1p(-odds), moved
        else:
            near = np.abs(moved) < NEAR
            d0 = -np.log1p(np.exp(-s[:, 1]) * np.expm1(moved))
            d1 = -np.log1p(np.exp(-s[:, 0]) * np.expm1(-moved))
    return near, np.stack([d0, d1], axis=1)


def moved_odds(logp: Float, moved: Float) -> Float:
    """Return (q - p) / (1 - p) from log p and log q - log p."""
    return np.asarray(np.exp(logp) / -np.expm1(logp) * np.expm1(moved))
