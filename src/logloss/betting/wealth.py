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

    from logloss.betting.stakes import Stakes

    Float = NDArray[np.float64]

__all__ = ["PURSES", "Book", "Paths", "since_words"]

PURSES = ((1.0, 0.5), (0.3, 0.5))  # how much of a bet is placed, with what share of the money


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
        Log of the money in each purse of each bettor, shape (2, h, 2).
    peak
        The greatest `sure` wealth so far, log, shape (2,).
    """

    horizon: int = 1
    rows: int = 0
    logs: Float = field(default_factory=lambda: _start(1))
    peak: Float = field(default_factory=lambda: np.zeros(2))

    @classmethod
    def of(cls, horizon: int) -> Book:
        """Return a book without rows: every bettor has 1."""
        return cls(horizon, logs=_start(horizon))

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

    def enter(self, stakes: Stakes, point: NDArray[np.int64] | None = None) -> Paths:
        """Settle the bets of more rows, in order of time, and return the wealth after each.

        Parameters
        ----------
        point
            Each row's position among the points in time, ascending, shape (n,): bettors take turns by these. None: each row
            is a point in time of its own.
        """
        paid = stakes.logs
        n, h = len(paid), self.horizon
        mean, sure = np.full((n, 2), -np.inf), np.full((n, 2), -np.inf)
        turn = (self.rows + np.arange(n) if point is None else point) % h
        for side in range(2):
            steps = [_placed(paid[:, side], part) for part, _ in PURSES]
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

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; infinite wealth as the text "inf"."""
        state: dict[str, Any] = jsonable(
            {
                "rows": self.rows,
                "logs": self.logs.tolist(),
                "peak": self.peak.tolist(),
            }
        )
        return state

    @classmethod
    def from_dict(cls, state: dict[str, Any], horizon: int) -> Book:
        """Return the book that was written down; ValueError for one that cannot be."""
        logs, peak = (np.asarray(state[key], np.float64) for key in ("logs", "peak"))
        rows = int(state["rows"])
        if logs.shape != (2, horizon, len(PURSES)) or peak.shape != (2,):
            raise ValueError("its bettors do not fit its horizon")
        if rows < 0 or np.isnan(logs).any() or np.isneginf(logs).any() or not (peak >= 0).all():
            raise ValueError("its wealth is no wealth")
        return cls(horizon, rows, logs, peak)


def since_words(crossed: int | None, after: int | None) -> str:
    """Say since when a winner is known: its row in the input, and where that is in order of time, if that differs.

    >>> since_words(692, 693), since_words(24, 612), since_words(None, None)
    (', known since row 692', ', known since row 24, the 612th in time', '')
    """
    if crossed is None or after is None:
        return ""
    last = "th" if after // 10 % 10 == 1 else {1: "st", 2: "nd", 3: "rd"}.get(after % 10, "th")
    return f", known since row {crossed:,}" + (f", the {after:,}{last} in time" if after != crossed + 1 else "")  # fmt: skip


def _start(horizon: int) -> Float:
    """Return the logs of all purses before the first row."""
    return np.tile(np.log([share for _, share in PURSES]), (2, horizon, 1))


def _placed(logs: Float, part: float) -> Float:
    """Return log(1 - part + part E) from log E: what a bet pays of which only a part is placed."""
    return logs if part == 1.0 else np.asarray(np.logaddexp(math.log1p(-part), logs + math.log(part)))
