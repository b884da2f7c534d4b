"""Arithmetic of forecasts as log-odds (n, 1), of the second of two classes, or log-probabilities (n, K) of more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]

__all__ = ["LOWEST", "cost", "finite", "log_softmax", "logs_of_two", "probabilities", "softplus", "sure"]

SUREST = 36.0  # log-odds of the last float64 below 1
LOWEST = -745.0  # log of the smallest probability there is: what an impossible class counts as in a fit


def softplus(x: Float) -> Float:
    """Return log(1 + exp(x)) without overflow."""
    return np.asarray(np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x))))


def log_softmax(eta: Float) -> Float:
    """Return log-probabilities, shape (n, K)."""
    top = eta.max(axis=1, keepdims=True)
    centred = eta - top
    return np.asarray(centred - np.log(np.exp(centred).sum(axis=1, keepdims=True)))


def probabilities(eta: Float) -> Float:
    """Return the probabilities of the columns, shape (n, C)."""
    if eta.shape[1] > 1:
        return np.exp(log_softmax(eta))
    from scipy.special import expit

    return np.asarray(expit(eta))


def logs_of_two(z: Float) -> tuple[Float, Float]:
    """Return log p and log(1 - p) of log-odds z."""
    return -softplus(-z), -softplus(z)


def finite(Z: Float) -> Float:
    """Return forecasts with impossible classes counted as `LOWEST`, which ends every infinity."""
    return np.maximum(Z, LOWEST) if Z.shape[1] > 1 else np.clip(Z, LOWEST, -LOWEST)


def sure(Z: Float) -> Float:
    """Return forecasts of which none is surer than 1 - 2e-16: what is added up, a certain one would outvote all others."""
    return np.maximum(Z, -SUREST) if Z.shape[1] > 1 else np.clip(Z, -SUREST, SUREST)


def cost(Z: Float, T: Float) -> Float:
    """Return the surprise of each row, shape (n,): Z log-odds or log-probabilities, T the shares, both (n, C)."""
    with np.errstate(invalid="ignore"):
        if Z.shape[1] > 1:
            return np.asarray(np.where(T > 0, -T * Z, 0.0).sum(axis=1))
        z, t = Z[:, 0], T[:, 0]
        if bool(((t == 0) | (t == 1)).all()):
            return softplus(np.where(t > 0, -z, z))
        return np.asarray(
            np.where(t > 0, t * softplus(-z), 0.0) + np.where(t < 1, (1 - t) * softplus(z), 0.0)
        )
