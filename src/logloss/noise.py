"""Label noise: a recorded label is the true one, passed through a matrix of rates; fitted together with the calibration.

With d_k >= 0 the nats by which class k lies behind the class that the forecast says, the true class has probabilities

    pi(x) = softmax(-a w(d) + b)        w(d) = d,  2 (sqrt(1 + d) - 1)  or  log(1 + d)

- a temperature, an offset per class, and a bend of the extremes, so that a forecast that is over-confident there need
not be explained by wrong labels. The recorded label j has probability sum_k pi_k T[k, j]. (a, b, T) maximise the
likelihood of the recorded labels; a look at the confident forecasts decides: calibrated doubt vanishes there, the
noise stays. Given both,

    P(label wrong | x, j) = 1 - pi_j T[j, j] / sum_k pi_k T[k, j].

Rates of each class and pair are shrunk to one common rate, as far as the counts ask for (empirical Bayes).

References: Dawid & Skene (1979), J. R. Stat. Soc. C 28:20-28. Natarajan et al. (2013), NIPS. Patrini et al. (2017),
CVPR. Self & Liang (1987), J. Am. Stat. Assoc. 82:605-610 (a rate on its boundary). Minka (2000), Estimating a
Dirichlet distribution.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]
    Int = NDArray[np.int64]

__all__ = ["Noise", "fit"]

MOST = 0.5  # of a class may be recorded wrongly; above that, labels could mean each other
LEAST = 1e-9  # rate at which a search ends
BENDS = (1.0, 0.5, 0.0)  # exponents of the margin
STRENGTHS = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1e3, 1e4, 1e6)  # rows that a common rate may be worth
CUT = 3.841458820694124  # chi-square with one degree of freedom, 95 %


@dataclass(frozen=True, eq=False)
class Rows:
    """What is fitted: margins bent, (n, K), rows sorted by recorded label; weights with the mean of their worth."""

    margin: Float
    label: Int
    weight: Float
    starts: Int  # where the rows of each label that occurs begin
    seen: Int  # those labels

    @property
    def worth(self) -> float:
        return float(self.weight.sum())


@dataclass(frozen=True, eq=False)
class Noise:
    """A fit.

    Attributes
    ----------
    matrix
        T[k, j] = P(recorded j | true k), shape (K, K).
    slope, bend, offsets
        The calibration: a, the exponent of the margin (1: none is bent), b of shape (K,).
    limit
        The margin that stands for infinite ones.
    p_value
        Of the likelihood ratio against the best calibration without noise.
    low, high
        Ends of the 95 % profile interval, as multiples of the rates (0 where no noise is within it).
    """

    matrix: Float
    slope: float
    bend: float
    offsets: Float
    limit: float
    p_value: float
    low: float = 0.0
    high: float = 0.0
    fits: tuple[Float, Float] | None = None  # (log a, b) at the ends of the interval

    def wrong(self, margin: Float, label: Int) -> tuple[Float, Int]:
        """Return P(label wrong) and the likeliest other class of each row."""
        return self._wrong(bent(np.minimum(margin, self.limit), self.bend), label, None)

    def wrong_at(self, end: int, margin: Float, label: Int) -> Float:
        """Return P(label wrong) at an end of the interval."""
        times = (self.low, self.high)[end]
        if times == 0 or self.fits is None:
            return np.zeros(len(label))
        at = self.fits[end]
        other = replace(
            self, matrix=scaled(self.matrix, times), slope=float(np.exp(at[0])), offsets=at[1:], fits=None
        )
        return other.wrong(margin, label)[0]

    def _wrong(self, bent_margin: Float, label: Int, _: None) -> tuple[Float, Int]:
        log_pi = log_softmax(self.offsets - self.slope * bent_margin)
        with np.errstate(divide="ignore"):
            joint = log_pi + np.log(self.matrix).T[label]
        at = (np.arange(len(label)), label)
        own = joint[at].copy()
        joint[at] = -np.inf
        top = joint.max(axis=1)
        others = top + np.log(np.exp(joint - top[:, None]).sum(axis=1))
        return np.asarray(1.0 / (1.0 + np.exp(np.clip(own - others, -700, 700)))), joint.argmax(axis=1)


def bent(margin: Float, bend: float) -> Float:
    """Return w(d)."""
    if bend == 1.0:
        return margin
    return np.log1p(margin) if bend == 0.0 else 2.0 * (np.sqrt(1.0 + margin) - 1.0)


def log_softmax(eta: Float) -> Float:
    """Return log probabilities of each row."""
    eta = eta - eta.max(axis=1, keepdims=True)
    return np.asarray(eta - np.log(np.exp(eta).sum(axis=1, keepdims=True)))


def fit(margin: Float, label: Int, weight: Float) -> Noise:
    """Fit noise and calibration to rows with margins (n, K; infinite ones allowed), recorded labels and weights."""
    finite = margin[np.isfinite(margin)]
    limit = float(finite.max(initial=0.0) + np.log(2.0))
    order = np.argsort(label, kind="stable")
    label, weight = label[order], weight[order] * (weight.sum() / (weight**2).sum())
    seen, starts = np.unique(label, return_index=True)
    K = margin.shape[1]
    raw = np.minimum(margin[order], limit)
    best_plain, best_noisy = (-np.inf, None), (-np.inf, None)
    for bend in BENDS:
        rows = Rows(bent(raw, bend), label, weight, starts, seen)
        plain, at = calibrated(rows, None, np.zeros(K + 1))
        if plain > best_plain[0]:
            best_plain = (plain, at)
        noisy, found, rates = tied(rows, at)
        if noisy > best_noisy[0]:
            best_noisy = (noisy, (bend, found, rates, rows))
    ratio = max(0.0, 2.0 * (best_noisy[0] - best_plain[0]))
    p = boundary(ratio, 2 if K == 2 else 1)
    bend, at, rates, rows = best_noisy[1]
    T = matrix_of(rates, K)
    T, at = shrunk(rows, T, at)
    low, high, fits = ends(rows, T, at)
    return Noise(T, float(np.exp(at[0])), bend, at[1:], limit, p, low, high, fits)


def boundary(ratio: float, rates: int) -> float:
    """Return the p-value of a likelihood ratio for rates of which none can be below 0: a mixture of chi-squares."""
    from scipy.special import erfc

    if ratio <= 0:
        return 1.0
    one = float(erfc(np.sqrt(ratio / 2)))
    return 0.5 * one if rates == 1 else 0.5 * one + 0.25 * float(np.exp(-ratio / 2))


def likelihood(rows: Rows, T: Float | None, at: Float) -> tuple[float, Float, Float | None]:
    """Return the log-likelihood with the calibration's prior, its gradient, and expected counts of (true, recorded)."""
    slope = np.exp(at[0])
    log_pi = log_softmax(at[1:] - slope * rows.margin)
    pi = np.exp(log_pi)
    index = np.arange(len(pi))
    if T is None:
        value = float((rows.weight * log_pi[index, rows.label]).sum())
        r = -pi
        r[index, rows.label] += 1.0
        counts = None
    else:
        q = pi * T.T[rows.label]
        m = q.sum(axis=1)
        value = float((rows.weight * np.log(m)).sum())
        q *= (rows.weight / m)[:, None]
        counts = np.zeros_like(T)
        counts[:, rows.seen] = np.add.reduceat(q, rows.starts, axis=0).T
        r = q / rows.weight[:, None] - pi
    r *= rows.weight[:, None]
    slope_part = -slope * float((r * rows.margin).sum())
    gradient = np.concatenate([[slope_part], r.sum(axis=0)]) - at
    return value - 0.5 * float((at**2).sum()), gradient, counts


def calibrated(rows: Rows, T: Float | None, at: Float, most: int = 200) -> tuple[float, Float]:
    """Maximise over (log a, b) with the noise held; return the log-likelihood and where."""
    from scipy.optimize import minimize

    scale = 1.0 / rows.worth

    def down(x: Float) -> tuple[float, Float]:
        value, gradient, _ = likelihood(rows, T, x)
        return -value * scale, -gradient * scale

    found = minimize(
        down, at, jac=True, method="L-BFGS-B", bounds=bounds(len(at)),
        options={"maxiter": most, "ftol": 1e-13, "gtol": 1e-8},
    )  # fmt: skip
    return -found.fun / scale, found.x


def bounds(count: int) -> list[tuple[float, float]]:
    return [(-8.0, 4.0)] + [(-20.0, 20.0)] * (count - 1)


def matrix_of(rates: Float, K: int) -> Float:
    """Return T of rates per class (or one), spread evenly over the others."""
    rate = np.broadcast_to(rates, (K,))
    T = np.repeat(rate[:, None] / (K - 1), K, axis=1)
    np.fill_diagonal(T, 1.0 - rate)
    return T


def tied(rows: Rows, at: Float) -> tuple[float, Float, Float]:
    """Maximise over calibration and one rate (two classes: two rates); return the log-likelihood, (log a, b), rates."""
    from scipy.optimize import minimize

    K = rows.margin.shape[1]
    count = 2 if K == 2 else 1
    scale = 1.0 / rows.worth

    def down(x: Float) -> tuple[float, Float]:
        rate = np.exp(x[:count])
        T = matrix_of(rate, K)
        value, gradient, counts = likelihood(rows, T, x[count:])
        kept = np.diag(counts)
        off = counts.sum(axis=1) - kept
        by_rate = off - kept * np.exp(x[:count]) / (1 - rate)  # d/d log rate
        by_rate = by_rate if count == 2 else by_rate.sum(keepdims=True)
        return -value * scale, -np.concatenate([by_rate, gradient]) * scale

    best: tuple[float, Any] = (np.inf, None)
    limits = [(np.log(LEAST), np.log(MOST))] * count + bounds(len(at))
    for rate, sharper in ((0.01, 0.0), (0.1, 1.0)):
        start = np.concatenate([np.full(count, np.log(rate)), at])
        start[count] = min(start[count] + sharper, 3.0)
        found = minimize(
            down, start, jac=True, method="L-BFGS-B", bounds=limits,
            options={"maxiter": 300, "ftol": 1e-13, "gtol": 1e-8},
        )  # fmt: skip
        if found.fun < best[0]:
            best = (found.fun, found.x)
    return -best[0] / scale, best[1][count:], np.exp(best[1][:count])


def shrunk(rows: Rows, T: Float, at: Float) -> tuple[Float, Float]:
    """Let rates differ by class and pair as far as the counts ask for: expectation, maximisation, evidence."""
    before = np.inf
    for _ in range(40):
        for _ in range(4):
            counts = likelihood(rows, T, at)[2]
            assert counts is not None
            T = rates_of(counts)
        at = calibrated(rows, T, at, 10)[1]
        now = float(counts.sum() - np.trace(counts))
        if abs(now - before) < 1e-3 * (now + 1):
            break
        before = now
    return T, at


def rates_of(counts: Float) -> Float:
    """Return T from expected counts of (true, recorded)."""
    from scipy.special import betaln, gammaln

    K = len(counts)
    kept = np.diag(counts)
    off = counts.sum(axis=1) - kept
    common = (off.sum() + 0.5) / (counts.sum() + 1.0)
    m = np.array(STRENGTHS)[:, None]
    a, b = m * common, m * (1 - common)
    worth = (betaln(off + a, kept + b) - betaln(a, b)).sum(axis=1)
    best = STRENGTHS[int(worth.argmax())]
    rate = np.minimum((off + best * common) / (off + kept + best), MOST)
    T = matrix_of(rate, K)
    if K == 2:
        return T
    others = counts.copy()
    np.fill_diagonal(others, 0.0)
    each = m / (K - 1)
    pairs = gammaln(others[None] + each[:, :, None]) - gammaln(each)[:, :, None]
    pairs[:, np.arange(K), np.arange(K)] = 0.0
    worth = pairs.sum(axis=(1, 2)) + (gammaln(m) - gammaln(m + off)).sum(axis=1)
    best = STRENGTHS[int(worth.argmax())]
    spread = (others + best / (K - 1)) / (off + best)[:, None]
    np.fill_diagonal(spread, 0.0)
    T = rate[:, None] * spread
    np.fill_diagonal(T, 1.0 - rate)
    return T


def scaled(T: Float, times: float) -> Float:
    """Return T with all rates of error multiplied."""
    off = T * times
    np.fill_diagonal(off, 0.0)
    np.fill_diagonal(off, 1.0 - off.sum(axis=1))
    return off


def ends(rows: Rows, T: Float, at: Float) -> tuple[float, float, tuple[Float, Float]]:
    """Return the 95 % profile interval of the rates' common multiple, the pattern held, and the calibration there."""
    from scipy.optimize import brentq

    top = calibrated(rows, T, at)[0]
    fits: dict[float, Float] = {0.0: at}
    most = 0.7 / float((1.0 - np.diag(T)).max())

    def beyond(log_times: float) -> float:
        value, x = calibrated(rows, scaled(T, float(np.exp(log_times))), at, 50)
        fits[log_times] = x
        return 2.0 * (top - value) - CUT

    found = []
    for sign in (-1.0, 1.0):
        inner, outer, limit = 0.0, 0.25 * sign, np.log(1e-4) if sign < 0 else np.log(most)
        while abs(inner) < abs(limit) and beyond(max(limit, outer) if sign < 0 else min(limit, outer)) < 0:
            inner, outer = outer, 2.0 * outer
        if abs(inner) >= abs(limit):
            found.append((0.0 if sign < 0 else most, at))
            continue
        outer = max(limit, outer) if sign < 0 else min(limit, outer)
        root = brentq(beyond, inner, outer, xtol=0.02)
        nearest = min(fits, key=lambda key: abs(key - root))
        found.append((float(np.exp(root)), fits[nearest]))
    return found[0][0], found[1][0], (found[0][1], found[1][1])
