"""Structured matrix scaling of K classes: softmax((I + D) z + b), pulled to the identity.

The penalty is K/n (|b|^2 + |diag D|^2) + K (K - 1)/n |off-diagonal D|^2 on the mean loss, with z the log-probabilities
after a temperature. Convex; minimised by Newton steps solved by conjugate gradients (SciPy), from
the gradient mean (q - t) (z, 1)'.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from logloss.calibrate.maps import Matrix
from logloss.calibrate.odds import finite, log_softmax

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Float = NDArray[np.float64]

__all__ = ["fit_matrix"]

BLOCK = 1 << 17  # numbers: products this small stay on one thread
CLOSE = 1e-6  # the length of the gradient at the optimum, in nats


def fit_matrix(Z: Float, T: Float, weight: Float) -> Matrix:
    """Return the map that minimises the penalised loss; Z and T of shape (n, K), weight (n,).

    References
    ----------
    Berta, Holzmueller, Jordan, Bach (2025), Structured matrix scaling, arXiv:2511.03685.
    """
    from scipy.optimize import minimize

    Z = finite(Z)
    n, K = Z.shape
    mass = float(weight.sum())
    pull = np.full((K, K + 1), K * (K - 1) / mass)
    pull[np.arange(K), np.arange(K)] = K / mass
    pull[:, K] = K / mass
    home = np.hstack([np.eye(K), np.zeros((K, 1))])
    rows = max(1, BLOCK // (K * K))

    def blocks(flat: Float) -> Iterator[tuple[Float, Float, Float, Float]]:
        both = flat.reshape(K, K + 1)
        for start in range(0, n, rows):
            z, t, w = (array[start : start + rows] for array in (Z, T, weight))
            yield z, t, w, log_softmax(z @ both[:, :K].T + both[:, K])

    def value(flat: Float) -> tuple[float, Float]:
        off = flat.reshape(K, K + 1) - home
        loss, slope = 0.0, np.zeros((K, K + 1))
        for z, t, w, logs in blocks(flat):
            with np.errstate(invalid="ignore"):
                loss -= float((w * np.where(t > 0, t * logs, 0.0).sum(axis=1)).sum())
            missed = w[:, None] * (np.exp(logs) - t)
            slope[:, :K] += missed.T @ z
            slope[:, K] += missed.sum(axis=0)
        total = loss / mass + float((pull * off * off).sum())
        return total, (slope / mass + 2 * pull * off).ravel()

    def bent(flat: Float, along: Float) -> Float:
        """Return the Hessian times a direction: q (d - sum q d) in the logits, with d = the direction's own logits."""
        turn = along.reshape(K, K + 1)
        out = np.zeros((K, K + 1))
        for z, _, w, logs in blocks(flat):
            q, d = np.exp(logs), z @ turn[:, :K].T + turn[:, K]
            u = w[:, None] * q * (d - (q * d).sum(axis=1, keepdims=True))
            out[:, :K] += u.T @ z
            out[:, K] += u.sum(axis=0)
        return (out / mass + 2 * pull * turn).ravel()

    found = minimize(
        value, home.ravel(), jac=True, hessp=bent, method="trust-ncg", options={"gtol": CLOSE, "maxiter": 100}
    )
    both = found.x.reshape(K, K + 1)
    return Matrix(both[:, :K].copy(), both[:, K] - both[:, K].mean())
