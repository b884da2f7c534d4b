"""The wealth of two bettors, row after row: rows come in pieces of any size, and the answer is that of all at once.

A bettor who believes a forecast puts half of its money on all that this belief asks for, and half on three tenths of it. The
first is fastest where the forecast is right; where it is better than the other but over-confident, such bets are
ruinous and only the second wins. With forecasts that were made h rows before their outcome, h bettors take turns, as each
must know how its last bet ended before it places the next.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.plain import jsonable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logloss.comparing.stakes import Stakes

    Float = NDArray[np.float64]

__all__ = ["MOST", "Book", "Paths"]

MOST = 0.5  # share of its wealth that a bettor can lose on one row of more than two classes
PURSES = (
    (1.0, 0.5),
    (0.3, 0.5),
)  # of a bet that believes a forecast: how much of it is placed, with what share of the money
SIDES = (-1.0, 1.0)  # the bet on a takes -d, the bet on b takes d


@dataclass(frozen=True, eq=False)
class Paths:
    """What each row made of the wealth, logs, shape (n, 2): of the bets on a, on b.

    Attributes
    ----------
    mean
        Mean of the h bettors' wealth: an e-value when rows end at a time fixed before, or h - 1 rows after the
        decision to stop.
    sure
        Wealth of the richest bettor over h: at no time ever above c with probability more than 1/c, however one looks. The
        same as `mean` where h is 1.
    """

    mean: Float
    sure: Float


@dataclass(eq=False)
class Book:
    """The state of the bets: all that later rows need to know of those before.

    Attributes
    ----------
    horizon
        h: how many rows before its outcome a forecast was made; 1 where each outcome is known before the next forecast.
    rows
        How many rows there were.
    logs
        Log of the money in each purse of each bettor, shape (2, h, F); F is 2 for two classes, 1 for more.
    peak
        The greatest `sure` wealth so far, log, shape (2,).
    total, squares
        Sums of d and d^2 over the rows whose outcome the next bet may know.
    waiting
        d of the h - 1 rows after them.
    """

    horizon: int = 1
    rows: int = 0
    logs: Float = field(default_factory=lambda: np.zeros((2, 1, 1)))
    peak: Float = field(default_factory=lambda: np.zeros(2))
    total: float = 0.0
    squares: float = 0.0
    waiting: Float = field(default_factory=lambda: np.zeros(0))

    @classmethod
    def of(cls, horizon: int, classes: int) -> Book:
        """Return a book without rows: every bettor has 1."""
        logs = np.log([share for _, share in _purses(classes == 2)])
        return cls(horizon, logs=np.tile(logs, (2, horizon, 1)))

    @property
    def sure(self) -> Float:
        """Log of the richest bettor's wealth over h, shape (2,)."""
        return np.asarray(self._bettors().max(axis=1) - math.log(self.horizon))

    @property
    def mean(self) -> Float:
        """Log of the bettors' mean wealth, shape (2,)."""
        return np.asarray(np.logaddexp.reduce(self._bettors(), axis=1) - math.log(self.horizon))

    def _bettors(self) -> Float:
        return np.asarray(np.logaddexp.reduce(self.logs, axis=2))

    def enter(self, stakes: Stakes) -> Paths:
        """Settle the bets of more rows, in order of time, and return the wealth after each."""
        paid = self._learnt(stakes) if stakes.logs is None else stakes.logs
        n, h = len(paid), self.horizon
        mean, sure = np.full((n, 2), -np.inf), np.full((n, 2), -np.inf)
        turn = (self.rows + np.arange(n)) % h
        for side in range(2):
            steps = [_placed(paid[:, side], part) for part, _ in _purses(stakes.logs is not None)]
            for at in range(h):
                path = np.full(n, -np.inf)
                for purse, step in enumerate(steps):
                    own = step if h == 1 else np.where(turn == at, step, 0.0)
                    money = np.cumsum(np.concatenate([self.logs[side, at, purse : purse + 1], own]))
                    self.logs[side, at, purse] = money[-1]
                    path = np.logaddexp(path, money[1:])
                np.logaddexp(mean[:, side], path, out=mean[:, side])
                np.maximum(sure[:, side], path, out=sure[:, side])
        mean -= math.log(h)
        sure -= math.log(h)
        self.rows += n
        self.peak = np.maximum(self.peak, sure.max(axis=0, initial=-np.inf))
        return Paths(mean, sure)

    def _learnt(self, stakes: Stakes) -> Float:
        """Return logs of what bets on rows of more than two classes paid, shape (n, 2): E = 1 + lam d.

        lam is the sum of d over the sum of d^2 of the rows known before, from 0 up to half of 1 / -min d: so E is 1/2
        at least, whatever happens. Where d may be inf, the side that could lose it does not bet; the other wins infinitely if
        it happens.
        """
        known, squared = self._known(stakes.happened)
        out = np.zeros((len(stakes), 2))
        d = stakes.happened
        with np.errstate(all="ignore"):
            share = known / squared
            for bet, side in enumerate(SIDES):
                most_lost = -stakes.low if side > 0 else stakes.high
                most_won = stakes.high if side > 0 else -stakes.low
                lam = np.minimum(side * share, MOST / most_lost)
                placed = (most_lost > 0) & (most_won > 0) & (lam > 0)
                out[placed, bet] = np.log1p(lam[placed] * side * d[placed])
                free = (most_lost < np.inf) & np.isinf(d) & (side * d > 0)
                out[free, bet] = np.inf
        return out

    def _known(self, happened: Float) -> tuple[Float, Float]:
        """Return the sums of d and of d^2 that the bet on each row may know, both of shape (n,), and move them on."""
        n, h = len(happened), self.horizon
        finite = np.where(np.isfinite(happened), happened, 0.0)
        queue = np.concatenate([self.waiting, finite])
        ready = max(0, self.rows + n - h + 1) - max(0, self.rows - h + 1)  # rows that become known
        late = max(0, h - 1 - self.rows)  # of the next rows, those that know none
        with np.errstate(over="ignore"):
            sums = np.cumsum(np.concatenate([[self.total], queue[:ready]]))
            squares = np.cumsum(np.concatenate([[self.squares], queue[:ready] ** 2]))
        self.total, self.squares, self.waiting = float(sums[-1]), float(squares[-1]), queue[ready:]
        at = np.maximum(np.arange(n) - late, 0)
        return sums[at], squares[at]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; infinite wealth as the text "inf"."""
        state: dict[str, Any] = jsonable(
            {
                "rows": self.rows,
                "logs": self.logs.tolist(),
                "peak": self.peak.tolist(),
                "total": self.total,
                "squares": self.squares,
                "waiting": self.waiting.tolist(),
            }
        )
        return state

    @classmethod
    def from_dict(cls, state: dict[str, Any], horizon: int, classes: int) -> Book:
        """Return the book that was written down; ValueError for one that cannot be."""
        logs, peak, waiting = (np.asarray(state[key], np.float64) for key in ("logs", "peak", "waiting"))
        rows, total, squares = int(state["rows"]), float(state["total"]), float(state["squares"])
        if logs.shape != (2, horizon, len(_purses(classes == 2))) or peak.shape != (2,) or waiting.ndim != 1:
            raise ValueError("its bettors do not fit its horizon")
        if rows < 0 or len(waiting) >= horizon or not (np.isfinite(waiting).all() and squares >= 0):
            raise ValueError("its sums are none of rows")
        if np.isnan(logs).any() or not (peak >= 0).all() or np.isneginf(logs).any():
            raise ValueError("its wealth is no wealth")
        return cls(horizon, rows, logs, peak, total, squares, waiting)


def _purses(two: bool) -> tuple[tuple[float, float], ...]:
    return PURSES if two else ((1.0, 1.0),)


def _placed(logs: Float, part: float) -> Float:
    """Return log(1 - part + part E) from log E: what a bet pays of which only a part is placed."""
    return logs if part == 1.0 else np.asarray(np.logaddexp(math.log1p(-part), logs + math.log(part)))
