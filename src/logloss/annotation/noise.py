"""Label noise: the recorded label is the true one, passed through a matrix of rates; fitted with the calibration.

Let d_k >= 0 be the nats by which class k lies behind the class that the forecast says. The true class has probabilities

    pi(x) = softmax(b - a w(d))      w(d) = d,  2 (sqrt(1 + d) - 1),  log(1 + d)  or  log(1 + 10 d) / 10,

that is a temperature, an offset per class, and a bend, so that a forecast which is over-confident in its extremes need
not be explained by wrong labels. The recorded label is j with probability sum_k pi_k T[k, j]. What tells the two
apart: where the forecast is confident, calibrated doubt goes on falling, and noise stays. (a, b, T) maximise the
likelihood of the recorded labels, with standard normal priors on log a and b. Given them,

    P(label wrong | x, j) = 1 - pi_j T[j, j] / sum_k pi_k T[k, j].

The rates of classes and pairs are shrunk to one common rate, as far as the counts ask for it (empirical Bayes).

References: Dawid & Skene (1979), J. R. Stat. Soc. C 28:20-28. Self & Liang (1987), J. Am. Stat. Assoc. 82:605-610 (a
rate on its boundary). Natarajan et al. (2013), NIPS. Patrini et al. (2017), CVPR.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from logloss.annotation.mixture import Rows, calibrated, common, log_softmax, matrix_of, shrunk, with_rates
from logloss.stages import steps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]
    Int = NDArray[np.int64]

__all__ = ["LEVEL", "Noise", "fit"]

LEVEL = (
    0.05  # noise is told from none below this p-value; with the bends, it is below in 1 to 3 % of clean data
)
BENDS = (
    (1.0, 1.0),
    (0.5, 1.0),
    (0.0, 1.0),
    (0.0, 0.1),
)  # exponent of the margin, and the margin where it sets in
LONG = 15.0  # nats: the last bend is for forecasts that go beyond; it would explain any others' noise away
CUT = 3.841458820694124  # 95 % of chi-square with one degree of freedom
PAIRS = 3  # most suspicious pairs of classes that are fitted


@dataclass(frozen=True, eq=False)
class Calibration:
    """The probabilities of the true class: `at` is (log a, b_1, ..., b_K)."""

    bend: tuple[float, float]
    at: Float
    limit: float  # the margin that stands for infinite ones

    @property
    def slope(self) -> float:
        """The factor of the margins, a: below 1 the forecast is over-confident."""
        return float(np.exp(self.at[0]))

    def log_pi(self, margin: Float) -> Float:
        """Return the log-probabilities of the true class, shape (n, K)."""
        return log_softmax(self.at[1:] - self.slope * bent(np.minimum(margin, self.limit), self.bend))


@dataclass(frozen=True, eq=False)
class Noise:
    """A fit: the matrix T, the calibration beside it, and both at the ends of the 95 % profile interval.

    The interval multiplies all rates of error by one factor; its low end has no noise (T is None) where the best
    calibration without any lies within it. `p_value` is that of the likelihood ratio against that calibration.
    """

    matrix: Float
    calibration: Calibration
    p_value: float
    low: tuple[Float | None, Calibration]
    high: tuple[Float | None, Calibration]

    @property
    def supported(self) -> bool:
        """Whether noise can be told from none."""
        return self.p_value < LEVEL

    def wrong(self, margin: Float, label: Int) -> tuple[Float, Int]:
        """Return P(label wrong) and the likeliest other class of each row."""
        return wrong(self.matrix, self.calibration, margin, label)

    def expected(self, margin: Float, label: Int) -> tuple[Float, Float]:
        """Return P(label wrong) of each row at both ends of the interval."""
        both = [
            np.zeros(len(label)) if T is None else wrong(T, calibration, margin, label)[0]
            for T, calibration in (self.low, self.high)
        ]
        return both[0], both[1]


def wrong(T: Float, calibration: Calibration, margin: Float, label: Int) -> tuple[Float, Int]:
    """Return P(label wrong) and the likeliest other class of each row."""
    with np.errstate(divide="ignore"):
        joint = calibration.log_pi(margin) + np.log(T).T[label]
    at = (np.arange(len(label)), label)
    own = joint[at].copy()
    joint[at] = -np.inf
    rather = joint.argmax(axis=1)
    top = joint[at[0], rather]
    others = top + np.log(np.exp(joint - top[:, None]).sum(axis=1))
    return np.asarray(1.0 / (1.0 + np.exp(np.clip(own - others, -700.0, 700.0)))), rather


def bent(margin: Float, bend: tuple[float, float]) -> Float:
    """Return w(d): the margin itself at first, growing more slowly beyond where the bend sets in.

    >>> bent(np.array([0.0, 3.0]), (0.5, 1.0)).tolist(), bent(np.array([0.0, 3.0]), (1.0, 1.0)).tolist()
    ([0.0, 2.0], [0.0, 3.0])
    """
    power, start = bend
    if power == 1.0:
        return margin
    grown = margin / start
    return start * (np.log1p(grown) if power == 0.0 else ((1.0 + grown) ** power - 1.0) / power)


def fit(margin: Float, label: Int, weight: Float) -> Noise:
    """Fit calibration and noise to margins (n, K), infinite ones allowed, recorded labels and positive weights.

    An infinite margin is taken as log 2 beyond the largest finite one: a class said to be impossible, as half as
    likely as the least likely one. Weights count as (sum w)^2 / sum w^2 rows.
    """
    limit = float(margin[np.isfinite(margin)].max(initial=0.0) + np.log(2.0))
    order = np.argsort(label, kind="stable")
    label, weight = label[order], weight[order] * (weight.sum() / (weight**2).sum())
    seen, starts = np.unique(label, return_index=True)
    margin = np.minimum(margin[order], limit)
    K = margin.shape[1]
    plain: list[tuple[float, Float, Rows]] = []
    noisy: list[tuple[float, Float, Float]] = []
    bends = BENDS if limit > LONG else BENDS[:-1]
    for bend in steps(bends, "fitting rates", "shapes"):
        rows = Rows(bent(margin, bend), label, weight, starts, seen)
        value, at = calibrated(rows, None, np.zeros(K + 1))
        plain.append((value, at, rows))
        noisy.append(with_rates(rows, common(K), at, (0.01, 0.1)))
    without = max(range(len(bends)), key=lambda b: plain[b][0])
    best = max(range(len(bends)), key=lambda b: noisy[b][0])
    p = boundary(2.0 * (noisy[best][0] - plain[without][0]), 2 if K == 2 else 1)
    _, at, T = noisy[best]
    if K > 2:
        p_pair, at_pair, T_pair = by_pair(plain[without][2], plain[without][1], plain[without][0])
        if p_pair < p:
            best, at, T = without, at_pair, T_pair
        p = min(1.0, 2.0 * min(p, p_pair))  # the smaller of two
    rows = plain[best][2]
    T, at = shrunk(rows, T, at) if p < LEVEL else (least(rows, T), at)
    low, high = ends(
        [one[2] for one in plain], T, [at if b == best else noisy[b][1] for b in range(len(bends))]
    )
    return Noise(
        T,
        Calibration(bends[best], at, limit),
        p,
        (None if p >= LEVEL else low[0], Calibration(bends[low[1]], low[2], limit)),
        (high[0], Calibration(bends[high[1]], high[2], limit)),
    )


def boundary(ratio: float, rates: int) -> float:
    """Return the p-value of a likelihood ratio for one or two rates, none below 0: a mixture of chi-squares.

    >>> round(boundary(2.705543, 1), 6), boundary(0.0, 2)
    (0.05, 1.0)
    """
    from scipy.special import erfc

    if ratio <= 0:
        return 1.0
    one = float(erfc(np.sqrt(ratio / 2)))
    return 0.5 * one if rates == 1 else 0.5 * one + 0.25 * float(np.exp(-ratio / 2))


def by_pair(rows: Rows, at: Float, without: float) -> tuple[float, Float, Float]:
    """Return the p-value of noise from one class to one other, times the number of pairs; (log a, b); T.

    Every pair is tried with the calibration held, the best few with all.
    """
    K = rows.margin.shape[1]
    log_pi = log_softmax(at[1:] - np.exp(at[0]) * rows.margin)
    own = log_pi[np.arange(len(log_pi)), rows.label]
    ratio = np.exp(np.minimum(log_pi - own[:, None], 600.0))
    recorded = np.zeros(K)
    recorded[rows.seen] = np.add.reduceat(rows.weight, rows.starts)
    gain = np.full((K, K), -np.inf)
    for rate in (0.003, 0.01, 0.03, 0.1, 0.3):
        new = np.zeros((K, K))
        new[:, rows.seen] = np.add.reduceat(np.log1p(rate * ratio) * rows.weight[:, None], rows.starts).T
        gain = np.maximum(gain, new + np.log1p(-rate) * recorded[:, None])
    np.fill_diagonal(gain, -np.inf)
    found = []
    for flat in steps(np.argsort(-gain, axis=None)[:PAIRS], "fitting rates", "pairs of classes"):
        pattern = np.zeros((1, K, K))
        pattern[0].flat[flat] = 1.0
        found.append(with_rates(rows, pattern, at, (0.05,)))
    value, best, T = max(found, key=lambda one: one[0])
    return min(1.0, K * (K - 1) * boundary(2.0 * (value - without), 1)), best, T


def least(rows: Rows, T: Float) -> Float:
    """Return T with half a row of error added, so that probabilities still rank rows where no noise was found."""
    worth = float(rows.weight.sum())
    K = len(T)
    rate = (1.0 - np.diag(T)).mean()
    return matrix_of(((1.0 - np.eye(K)) / (K - 1))[None], np.array([(rate * worth + 0.5) / (worth + 1.0)]))


def ends(
    views: list[Rows], T: Float, starts: list[Float]
) -> tuple[tuple[Float, int, Float], tuple[Float, int, Float]]:
    """Return T, the bend and (log a, b) at both ends of the 95 % profile interval of a factor on all rates of error.

    The pattern of the rates is held; the calibration is fitted anew for every factor, its bend among it.
    """
    from scipy.optimize import brentq

    off = T - np.diag(np.diag(T))
    latest = list(starts)

    def best(log_times: float) -> tuple[float, int]:
        scaled = matrix_of(off[None], np.exp([log_times]))
        values = []
        for b, rows in enumerate(views):
            value, latest[b] = calibrated(rows, scaled, latest[b], 60)
            values.append(value)
        return max(values), int(np.argmax(values))

    def beyond(log_times: float) -> float:
        return 2.0 * (top - best(log_times)[0]) - CUT

    found = []
    top = best(0.0)[0]
    for limit in steps((np.log(1e-6), np.log(0.7 / off.sum(axis=1).max())), "interval", "ends"):
        latest = list(starts)
        inner, outer = 0.0, 0.25 * float(np.sign(limit))
        while abs(outer) < abs(limit) and beyond(outer) < 0:
            inner, outer = outer, 2.0 * outer
        if abs(outer) >= abs(limit):
            outer = float(limit)
        elif beyond(inner) < 0 < beyond(outer):  # refitted, a flat profile may be past its end by rounding
            outer = brentq(beyond, inner, outer, xtol=0.02)
        b = best(outer)[1]
        found.append((matrix_of(off[None], np.exp([outer])), b, latest[b]))
    return found[0], found[1]
