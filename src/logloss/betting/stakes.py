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

__all__ = ["Stakes", "break_even", "break_even_bets", "capped_bets", "stakes_of"]

NOISE = 8 * float(np.finfo(np.float64).eps)  # of a difference of surprises, in units of them
MOST = 0.5  # share of what it places that a bet on more than two classes can lose
NEAR = 0.5  # relative difference below which a ratio of probabilities is formed from the difference


@dataclass(frozen=True, eq=False)
class Stakes:
    """What the bets on each row paid.

    Attributes
    ----------
    logs
        Log of what the bet on a, and the bet on b, paid, shape (n, 2); 0 where none was placed.
    void
        Rows on which both called impossible what happened, shape (n,).
    clash
        Rows on which each calls impossible what the other allows, shape (n,): the mean of d is inf - inf, and no bet is fair.
    """

    logs: Float
    void: NDArray[np.bool_]
    clash: NDArray[np.bool_]


def stakes_of(a: Observations, b: Observations) -> Stakes:
    """Return the stakes of two checked records of the same rows and outcomes."""
    parts = []
    for (part, s_a, t), (_, s_b, _) in zip(class_blocks(a), class_blocks(b), strict=True):
        d = _apart(a, b, part, s_a, s_b)
        missing = np.isnan(d)
        d[missing] = 0.0  # both impossible: these settle no bet
        pays = (break_even_bets if d.shape[1] == 2 else capped_bets)(d, s_a, s_b)
        at = (np.arange(len(d)), t.argmax(axis=1))
        clash = np.isneginf(d).any(axis=1) & np.isposinf(d).any(axis=1)
        parts.append((pays[at[0], :, at[1]], missing[at], clash))
    logs, void, clash = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Stakes(logs, void, clash)


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

    Where a says 0 and b does not, a is at least as good only if it cannot happen: the bet pays infinitely if it does, and
    costs nothing if not. No bet is placed where forecasts are equal, where the bettor could lose infinitely, and where one forecast loses more whatever
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
            out[placed, bet] = np.where(
                np.isposinf(won)[placed, None], np.maximum(pays[placed], 0.0), pays[placed]
            )
    return out


def capped_bets(d: Float, s_a: Float, s_b: Float) -> Float:
    """Return logs of what bets on a and on b pay in rows of any classes, shape (m, 2 bets, K outcomes): log(1 + lam d).

    Its mean is 1 + lam E[d], 1 at most as long as a is at least as good, whatever lam >= 0 is. lam = E_b[d] / E_b[d^2]
    grows fastest if b is right and differs little, and is kept within half of what could lose all, 1 / -min d. A class that only a
    calls impossible pays infinitely, and plays no part in lam. Where a bettor could lose infinitely, none is placed.

    Parameters
    ----------
    d, s_a, s_b
        Differences of surprise, and surprises, of every class, shape (m, K).
    """
    out = np.zeros((len(d), 2, d.shape[1]))
    with np.errstate(all="ignore"):
        for bet, (s, gain) in enumerate(((s_a, -d), (s_b, d))):
            finite = np.where(np.isfinite(gain), gain, 0.0)
            belief = np.exp(-s)
            worst, best = -gain.min(axis=1), gain.max(axis=1)
            lam = (belief * finite).sum(axis=1) / (belief * finite**2).sum(axis=1)
            lam = np.minimum(lam, MOST / worst)
            placed = (worst > 0) & (worst < np.inf) & (best > 0) & (lam > 0)
            out[placed, bet] = np.log1p(lam[placed, None] * finite[placed])
            out[:, bet][(worst < np.inf)[:, None] & np.isposinf(gain)] = np.inf
    return out


def _apart(a: Observations, b: Observations, part: slice, s_a: Float, s_b: Float) -> Float:
    """Return s_a - s_b of every class, shape (m, K); NaN where both are infinite, 0 where they agree within rounding."""
    least = (
        0.0 if a.binary and b.binary else 1.0
    )  # surprises from one column are exact to a few units in the last place
    with np.errstate(invalid="ignore"):
        d = s_a - s_b
        d[np.isfinite(d) & (np.abs(d) <= NOISE * (least + s_a + s_b))] = 0.0
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
            d0, d1 = np.log1p(-moved / (1.0 - x)), np.log1p(moved / x)
        elif space == "logp":
            odds = _moved_odds(x, moved)
            near = (np.abs(odds) < NEAR) & (np.abs(moved) < NEAR)
            d0, d1 = np.log1p(-odds), moved
        else:
            near = np.abs(moved) < NEAR
            d0 = -np.log1p(np.exp(-s[:, 1]) * np.expm1(moved))
            d1 = -np.log1p(np.exp(-s[:, 0]) * np.expm1(-moved))
    return near, np.stack([d0, d1], axis=1)


def _moved_odds(logp: Float, moved: Float) -> Float:
    """Return (q - p) / (1 - p) from log p and log q - log p."""
    return np.asarray(np.exp(logp) / -np.expm1(logp) * np.expm1(moved))
