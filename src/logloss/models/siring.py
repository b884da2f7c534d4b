"""How many of n offspring one of two males sired: the binomial and the beta-binomial law, and their derivatives.

With eta the log-odds that male 1 sires an offspring, P = 1 / (1 + exp(-eta)), Q = 1 - P, and rho the correlation of two
offspring of a brood (phi = rho / (1 - rho) is that of the beta law, 1 / (a + b)),

    f = C(n, k) prod_{j<k} (P (1-rho) + j rho) prod_{j<n-k} (Q (1-rho) + j rho) / prod_{j<n} (1 - rho + j rho)

which is the binomial law at rho = 0 and a brood of one father at rho = 1. Everything is summed in logs, term by term:
differences of log-gammas lose all digits near rho = 0.

References: Williams (1982), Extra-binomial variation in logistic linear models, J. R. Stat. Soc. C 31:144-148.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = ["Law", "Slopes"]


@dataclass(frozen=True, eq=False)
class Slopes:
    """Surprise of each brood without log C(n, k), its slopes and curvatures by eta and rho, all of shape (n,)."""

    value: Float
    by_eta: Float
    by_rho: Float
    eta_eta: Float
    eta_rho: Float
    rho_rho: Float


class Law:
    """The counts of broods, laid out for sums over j."""

    def __init__(self, k: Ints, n: Ints) -> None:
        self.k, self.n = k, n
        self.first, self.second, self.all = _terms(k), _terms(n - k), _terms(n)

    def log_choose(self) -> Float:
        """Return log C(n, k), shape (n,)."""
        from scipy.special import gammaln

        return np.asarray(gammaln(self.n + 1.0) - gammaln(self.k + 1.0) - gammaln(self.n - self.k + 1.0))

    def at(self, eta: Float, rho: float) -> Slopes:
        """Return the surprises at log-odds (n,) and a correlation in [0, 1], with their derivatives."""
        log_p, log_q = -np.logaddexp(0.0, -eta), -np.logaddexp(0.0, eta)
        p, q = np.exp(log_p), np.exp(log_q)
        return self._independent(log_p, log_q, p, q) if rho == 0 else self._alike(log_p, log_q, p, q, rho)

    def surprise(self, eta: Float, rho: float) -> Float:
        """Return -log f of each brood in nats, shape (n,)."""
        return self.at(eta, rho).value - self.log_choose()

    def _independent(self, log_p: Float, log_q: Float, p: Float, q: Float) -> Slopes:
        """Return the binomial law; its slope by rho is that of the beta-binomial at 0."""
        k, m, n = self.k, self.n - self.k, self.n
        pairs_k, pairs_m, pairs_n = (x * (x - 1) / 2 for x in (k, m, n))
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            ahead = np.where(k > 1, pairs_k / p, 0.0) + np.where(m > 1, pairs_m / q, 0.0)
        zero = np.zeros(len(p))
        return Slopes(-k * log_p - m * log_q, m * p - k * q, pairs_n - ahead, n * p * q, zero, zero)

    def _alike(self, log_p: Float, log_q: Float, p: Float, q: Float, rho: float) -> Slopes:
        size = len(p)
        with np.errstate(divide="ignore"):
            log_free, log_tied = np.log1p(-rho), np.log(rho)
        some_k, some_m = self.k > 0, self.n > self.k
        mixed = some_k & some_m
        value = -np.where(some_k, log_p, 0.0) - np.where(some_m, log_q, 0.0)
        by_eta = some_m * p - some_k * q
        eta_eta = (some_m * 1.0 + some_k) * p * q
        by_rho, eta_rho, rho_rho = np.zeros(size), np.zeros(size), np.zeros(size)
        with np.errstate(divide="ignore"):  # a brood of two fathers is impossible at rho = 1
            value -= np.where(mixed, log_free, 0.0)
            steep = 1.0 / np.float64(1.0 - rho)
        by_rho[mixed] += steep
        rho_rho[mixed] += steep * steep
        for sign, (row, j), log_own, own, other in (
            (1.0, self.first, log_p, p, q),
            (-1.0, self.second, log_q, q, p),
        ):
            log_a = np.logaddexp(log_own[row] + log_free, np.log(j) + log_tied)
            both = np.exp(log_p[row] + log_q[row] - log_a)
            u, v = (1.0 - rho) * both, (j - own[row]) * np.exp(-log_a)
            value -= np.bincount(row, log_a, size)
            by_eta -= sign * np.bincount(row, u, size)
            by_rho -= np.bincount(row, v, size)
            eta_eta -= np.bincount(row, u * (other[row] - own[row]) - u * u, size)
            eta_rho += sign * np.bincount(row, both + u * v, size)
            rho_rho += np.bincount(row, v * v, size)
        row, j = self.all
        c = 1.0 - rho + j * rho
        v = (j - 1.0) / c
        value += np.bincount(row, np.log(c), size)
        by_rho += np.bincount(row, v, size)
        rho_rho -= np.bincount(row, v * v, size)
        return Slopes(value, by_eta, by_rho, eta_eta, eta_rho, rho_rho)


def _terms(count: Ints) -> tuple[Ints, Float]:
    """Return the brood and j of every term j = 1 to count - 1."""
    terms = np.maximum(count - 1, 0)
    row: NDArray[Any] = np.repeat(np.arange(len(count)), terms)
    before = np.repeat(np.cumsum(terms) - terms, terms)
    return row, np.arange(1.0, len(row) + 1.0) - before
