"""Forecasts drawn so that what is wrong with them is known, and what a map gains on other folds, by a general solver."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, log_expit, logsumexp


def drawn(n: int, seed: int, K: int = 2, scale: float = 3.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    if K == 2:
        z = rng.normal(0, scale, n)
        return (rng.random(n) < expit(z)).astype(int), z
    Z = rng.normal(0, scale, (n, K))
    return (Z + rng.gumbel(size=(n, K))).argmax(axis=1), Z


def nats(Z: np.ndarray, y: np.ndarray) -> np.ndarray:
    if Z.ndim == 1:
        return -log_expit(np.where(y, Z, -Z))
    return logsumexp(Z, axis=1) - Z[np.arange(len(y)), y]


def held_out(
    y: np.ndarray, Z: np.ndarray, free: Callable, p: int, w: np.ndarray, fold: np.ndarray
) -> np.ndarray:
    """Return what each row saves by a map fitted, with its ridge, on the other folds; by BFGS."""
    saved = np.empty(len(y))
    K = 2 if Z.ndim == 1 else Z.shape[1]
    for k in range(fold.max() + 1):
        rest = (fold != k) & (w > 0)

        def objective(theta: np.ndarray, rest: np.ndarray = rest) -> float:
            mean = (w[rest] * nats(free(theta, Z[rest]), y[rest])).sum() / w[rest].sum()
            return float(mean + (K if p > 1 else 2) / rest.sum() * (theta @ theta))

        best = minimize(objective, np.zeros(p), method="BFGS", options={"gtol": 1e-9}).x
        saved[fold == k] = (nats(Z, y) - nats(free(best, Z), y))[fold == k]
    return saved


MAPS = {
    "temperature": lambda theta, Z: (1 + theta[0]) * Z,
    "prior_shift": lambda theta, Z: Z + (theta[0] if Z.ndim == 1 else theta),
}
