"""The likelihood of recorded labels under a calibration and rates of error, its maxima, and rates shrunk to a common one.

See :mod:`logloss.annotation.noise` for the model. A calibration is `at` = (log a, b_1, ..., b_K); T[k, j] is the rate at which
class k is recorded as j.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]
    Int = NDArray[np.int64]

__all__ = [
    "Rows",
    "calibrated",
    "common",
    "likelihood",
    "log_softmax",
    "matrix_of",
    "rates_of",
    "shrunk",
    "with_rates",
]

MOST = 0.5  # share of a class that may be recorded wrongly: beyond, labels might mean each other
LEAST = 1e-9
SHORT = 7  # columns, up to which NumPy adds one after the other
STRENGTHS = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1e3, 1e4, 1e6)  # how many rows a common rate may be worth


@dataclass(frozen=True, eq=False)
class Rows:
    """What is fitted, sorted by recorded label."""

    margin: Float  # bent, (n, K)
    label: Int
    weight: Float
    starts: Int  # where the rows of each label that occurs begin
    seen: Int  # those labels

    @cached_property
    def even(self) -> bool:
        """Whether every row counts once."""
        return bool((self.weight == 1.0).all())

    def weighted(self, values: Float) -> Float:
        """Return values (n, K) times the weights."""
        return values if self.even else values * self.weight[:, None]


def log_softmax(eta: Float) -> Float:
    """Return the log-probabilities of each row of logits."""
    most = eta[:, :1].copy()
    for k in range(1, eta.shape[1]):
        np.maximum(most, eta[:, k : k + 1], out=most)
    eta = eta - most
    return np.asarray(eta - np.log(across(np.exp(eta))))


def across(values: Float) -> Float:
    """Return the sum of each row, (n, 1): column by column, as NumPy goes along a short axis one row at a time.

    Up to 7 columns it adds in this order too; more, eight at a time, it adds itself.
    """
    if values.shape[1] > SHORT:
        return np.asarray(values.sum(axis=1, keepdims=True))
    total = values[:, :1].copy()
    for k in range(1, values.shape[1]):
        total += values[:, k : k + 1]
    return total


def down(values: Float) -> Float:
    """Return the sum of each column, (K,), each added from the first row to the last."""
    return np.asarray(np.add.accumulate(values, axis=0)[-1])


def likelihood(
    rows: Rows, T: Float | None, at: Float, *, counted: bool = True
) -> tuple[float, Float, Float | None]:
    """Return log-likelihood plus log prior, its gradient in `at`, and the expected counts of (true, recorded).

    The counts are None where there is no T, and where they are not asked for.
    """
    log_pi = log_softmax(at[1:] - np.exp(at[0]) * rows.margin)
    pi = np.exp(log_pi)
    counts = None
    if T is None:
        index = np.arange(len(log_pi))
        value = float((rows.weight * log_pi[index, rows.label]).sum())
        pull = -pi
        pull[index, rows.label] += 1.0
    else:
        joint = pi * T.T.take(rows.label, axis=0)
        m = across(joint)
        value = float((rows.weight * np.log(m[:, 0])).sum())
        joint /= m
        if counted:
            counts = np.zeros_like(T)
            counts[:, rows.seen] = np.add.reduceat(rows.weighted(joint), rows.starts, axis=0).T
        pull = joint - pi
    pull = rows.weighted(pull)
    along = -np.exp(at[0]) * float((pull * rows.margin).sum())
    gradient = np.concatenate([[along], down(pull)]) - at
    return value - 0.5 * float((at**2).sum()), gradient, counts


def climb(rows: Rows, up: Any, start: Float, bounds: Any, most: int = 300) -> tuple[float, Float]:
    """Return the largest value of a function that returns value and gradient, and where it is taken."""
    from scipy.optimize import minimize

    total = float(rows.weight.sum())

    def down(x: Float) -> tuple[float, Float]:
        value, gradient = up(x)
        return -value / total, -gradient / total

    options: Any = {"maxiter": most, "ftol": 1e-13, "gtol": 1e-8}
    found = minimize(down, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    return -float(found.fun) * total, np.asarray(found.x)


def within(at: Float) -> list[tuple[float, float]]:
    """Return the range that is searched for log a and b."""
    return [(-8.0, 4.0), *[(-20.0, 20.0)] * (len(at) - 1)]


def calibrated(rows: Rows, T: Float | None, at: Float, most: int = 300) -> tuple[float, Float]:
    """Return the largest log-likelihood over calibrations, the noise held, and where it is."""
    return climb(rows, lambda x: likelihood(rows, T, x, counted=False)[:2], at, within(at), most)


def common(K: int) -> Float:
    """Return the patterns of noise that are fitted first: one rate; for two classes one rate each. (G, K, K)."""
    if K == 2:
        return np.array([[[0.0, 1.0], [0.0, 0.0]], [[0.0, 0.0], [1.0, 0.0]]])
    return ((1.0 - np.eye(K)) / (K - 1))[None]


def matrix_of(patterns: Float, rates: Float) -> Float:
    """Return T = I + sum_g rate_g (pattern_g - its row sums on the diagonal), no rate of error quite 0."""
    T = np.tensordot(rates, patterns, 1) + LEAST
    np.fill_diagonal(T, 0.0)
    np.fill_diagonal(T, 1.0 - T.sum(axis=1))
    return T


def with_rates(
    rows: Rows, patterns: Float, at: Float, tries: tuple[float, ...]
) -> tuple[float, Float, Float]:
    """Return the largest log-likelihood over calibration and the rates of these patterns, its (log a, b), and T."""
    count = len(patterns)
    sums = patterns.sum(axis=2)

    def up(x: Float) -> tuple[float, Float]:
        rates = np.exp(x[:count])
        T = matrix_of(patterns, rates)
        value, gradient, counts = likelihood(rows, T, x[count:])
        each = np.asarray(counts) / T
        off = (patterns * each).sum(axis=(1, 2)) - (sums * np.diag(each)).sum(axis=1)
        return value, np.concatenate([rates * off, gradient])

    bounds = [(float(np.log(LEAST)), float(np.log(MOST)))] * count + within(at)
    found = []
    for rate in tries:
        start = np.concatenate([np.full(count, np.log(rate)), at])
        start[count] = min(at[0] + 10.0 * rate, 3.0)  # more noise, sharper truth
        found.append(climb(rows, up, start, bounds))
    value, x = max(found, key=lambda one: one[0])
    return value, x[count:], matrix_of(patterns, np.exp(x[:count]))


def shrunk(rows: Rows, T: Float, at: Float) -> tuple[Float, Float]:
    """Let rates differ by class and pair as far as the counts ask for it: expectation, then maximisation."""
    before = np.inf
    for _ in range(40):
        now = 0.0
        for _ in range(4):
            counts = np.asarray(likelihood(rows, T, at)[2])
            now = float(counts.sum() - np.trace(counts))
            T = rates_of(counts)
        at = calibrated(rows, T, at, 10)[1]
        if abs(now - before) < 1e-4 * (now + 1.0):
            break
        before = now
    return T, at


def rates_of(counts: Float) -> Float:
    """Return T from expected counts of (true, recorded): a Beta prior on each class's rate, a Dirichlet on its pairs.

    Their means are the common rate and an even spread; their strengths maximise the evidence of the counts.
    """
    from scipy.special import betaln, gammaln

    K = len(counts)
    kept = np.diag(counts)
    off = counts.sum(axis=1) - kept
    mean = (off.sum() + 0.5) / (counts.sum() + 1.0)
    m = np.array(STRENGTHS)[:, None]
    a, b = m * mean, m * (1.0 - mean)
    evidence = (betaln(off + a, kept + b) - betaln(a, b)).sum(axis=1)
    strength = STRENGTHS[int(evidence.argmax())]
    rate = np.minimum((off + strength * mean) / (off + kept + strength), MOST)
    others = counts - np.diag(kept)
    each = m / (K - 1)
    terms = gammaln(others[None] + each[:, :, None]) - gammaln(each)[:, :, None]
    terms[:, np.arange(K), np.arange(K)] = 0.0
    evidence = terms.sum(axis=(1, 2)) + (gammaln(m) - gammaln(m + off)).sum(axis=1)
    strength = STRENGTHS[int(evidence.argmax())]
    spread = (others + strength / (K - 1)) / (off + strength)[:, None]
    np.fill_diagonal(spread, 0.0)
    return matrix_of((rate[:, None] * spread)[None], np.ones(1))
