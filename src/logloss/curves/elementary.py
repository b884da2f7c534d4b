"""The mean elementary score of a forecast at every threshold, exactly: the Murphy curve, its integrals, where two cross.

Acting where p > th, an alarm in vain costs th and a missed event 1 - th:

    S_th(p, y) = th [y = 0, p > th] + (1 - th) [y = 1, p <= th]

Between two neighbouring forecasts the mean is a straight line in th, so a curve is kept as its pieces.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]

__all__ = ["Elementary", "differences_of"]

ROUNDING = 1e-12  # of a mean elementary score, which is at most 1


@dataclass(frozen=True, eq=False)
class Elementary:
    """The pieces of a Murphy curve: on piece j, from edge j to edge j + 1, it is th alarms[j] + (1 - th) misses[j].

    Attributes
    ----------
    threshold, log_odds
        The edges: 0, the distinct forecasts between 0 and 1, and 1; shape (m + 2,).
    alarms, misses
        Share of the weight that is acted on in vain, and of missed events; shape (m + 1,).
    infinite_rows
        Rows with a forecast of 0 that happened, or of 1 that did not: the log loss is infinite.
    log_loss, brier
        The integrals of the curve over dth / (th (1 - th)), in nats, and over 2 dth.
    """

    threshold: Float
    log_odds: Float
    alarms: Float
    misses: Float
    infinite_rows: int
    log_loss: float
    brier: float

    @classmethod
    def of(cls, p: Float, odds: Float, share: Float, weight: Float, *, by_p: bool) -> Elementary:
        """Return the curve of forecasts (n,), as probabilities and as log-odds; `by_p` tells which of them is exact."""
        key = p if by_p else odds
        low, high = (0.0, 1.0) if by_p else (-np.inf, np.inf)
        distinct, first, at = np.unique(key, return_index=True, return_inverse=True)
        events = np.bincount(at, weight * share, minlength=len(distinct))
        others = np.bincount(at, weight * (1.0 - share), minlength=len(distinct))
        inside = (distinct > low) & (distinct < high)
        below, above = distinct == low, distinct == high
        total = float(weight.sum())
        misses = np.concatenate([[events[below].sum()], events[inside]]).cumsum() / total
        alarms = np.concatenate([others[inside], [others[above].sum()]])[::-1].cumsum()[::-1] / total
        kept = first[inside]
        edge, log_odds = (
            np.concatenate([[0.0], p[kept], [1.0]]),
            np.concatenate([[-np.inf], odds[kept], [np.inf]]),
        )
        wrong = (key == low) & (share > 0) | (key == high) & (share < 1)
        return cls(
            edge, log_odds, alarms, misses, int(wrong.sum()),
            _log_loss(edge, log_odds, alarms, misses, by_p=by_p), _brier(edge, alarms, misses),
        )  # fmt: skip

    def at(self, thresholds: Float, side: Literal["right", "left"] = "right") -> Float:
        """Return the curve at thresholds in [0, 1]; at a forecast the limit from the right (p = th is not acted on) or left."""
        piece = np.searchsorted(self.threshold, thresholds, side=side) - 1
        piece = np.clip(piece, 0, len(self.alarms) - 1)
        return np.asarray(thresholds * self.alarms[piece] + (1.0 - thresholds) * self.misses[piece])

    def limits(self) -> tuple[Float, Float]:
        """Return at each edge the limits from the left and from the right, shape (m + 2,); at 0 and 1 there is but one."""
        th = self.threshold
        right = th[:-1] * self.alarms + (1.0 - th[:-1]) * self.misses
        left = th[1:] * self.alarms + (1.0 - th[1:]) * self.misses
        return np.concatenate([right[:1], left]), np.concatenate([right, left[-1:]])


def _log_loss(edge: Float, log_odds: Float, alarms: Float, misses: Float, *, by_p: bool) -> float:
    """Return sum over pieces of alarms (log(1 - a) - log(1 - b)) + misses (log b - log a), infinite where it is."""
    with np.errstate(divide="ignore", invalid="ignore"):
        log_p = np.log(edge) if by_p else -np.logaddexp(0.0, -log_odds)
        log_q = np.log1p(-edge) if by_p else -np.logaddexp(0.0, log_odds)
        false, missed = alarms * (log_q[:-1] - log_q[1:]), misses * (log_p[1:] - log_p[:-1])
    return float(np.where(alarms > 0, false, 0.0).sum() + np.where(misses > 0, missed, 0.0).sum())


def _brier(edge: Float, alarms: Float, misses: Float) -> float:
    a, b = edge[:-1], edge[1:]
    return float(((b - a) * (alarms * (a + b) + misses * (2.0 - a - b))).sum())


def differences_of(a: Elementary, b: Elementary) -> tuple[float, float, Float]:
    """Return the least and the largest difference a - b over all thresholds, and the thresholds where its sign changes.

    Exactly: the difference is a straight line between neighbouring forecasts of either.
    """
    edge = np.unique(np.concatenate([a.threshold, b.threshold]))
    start, end = edge[:-1], edge[1:]
    pieces = [np.searchsorted(one.threshold, start, side="right") - 1 for one in (a, b)]
    alarms = a.alarms[pieces[0]] - b.alarms[pieces[1]]
    misses = a.misses[pieces[0]] - b.misses[pieces[1]]
    ends = np.column_stack([start * alarms + (1 - start) * misses, end * alarms + (1 - end) * misses])
    ends = np.where(np.abs(ends) <= ROUNDING, 0.0, ends)
    values, places = ends.ravel(), np.column_stack([start, end]).ravel()
    told = np.flatnonzero(values != 0)
    if not len(told):
        return 0.0, 0.0, np.zeros(0)
    turn = np.flatnonzero(np.sign(values[told[:-1]]) != np.sign(values[told[1:]]))
    before, after = told[turn], told[turn + 1]
    share = np.abs(values[before]) / (np.abs(values[before]) + np.abs(values[after]))
    within = (after == before + 1) & (before % 2 == 0)  # of one piece: where the line is 0
    crossings = np.where(within, places[before] + share * (places[after] - places[before]), places[after])
    return float(values.min()), float(values.max()), crossings
