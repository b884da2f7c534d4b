"""Maps of a few parameters on log-odds: prior shift, temperature, both, one temperature per class.

A forecast is an array Z of shape (n, C): log-odds of the second class, C = 1, or log-probabilities of K > 2 classes,
C = K. A map is eta = slope * Z + offset, read as log-odds or through a softmax. Its loss is convex in (slope, offset);
the fit adds a ridge towards the identity, (K / n) (|slope - 1|^2 + |offset|^2), so that few rows cannot carry it away
(without it, 20 rows of a calibrated forecast cost half a nat). Damped Newton steps from the identity.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from logloss.calibrate.maps import Scaling
from logloss.calibrate.odds import cost, finite, log_softmax, probabilities

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]

__all__ = ["FREE", "fit"]

STEPS = 60
ENOUGH = 1e-11  # Newton decrement, in nats

FREE = ("prior_shift", "temperature", "affine", "class_temperature")


def directions(free: str, C: int) -> Float:
    """Return the parameters that are free as directions in (slopes, offsets), shape (2 C, p)."""
    one, each, none = np.ones((C, 1)), np.eye(C), np.zeros((C, 1))
    slope, offset = np.vstack([one, none]), np.vstack([np.zeros((C, C)), each])
    return {
        "temperature": slope,
        "prior_shift": offset,
        "affine": np.hstack([slope, offset]),
        "class_temperature": np.eye(2 * C),
    }[free]


def fit(free: str, Z: Float, T: Float, weight: Float) -> Scaling:
    """Return the map that minimises the ridged loss of these rows.

    Parameters
    ----------
    free
        Which parameters: one of `FREE`.
    Z, T
        Forecast and shares of the outcome, shape (n, C).
    weight
        Shape (n,), of mean 1.

    References
    ----------
    Guo, Pleiss, Sun, Weinberger (2017), On calibration of modern neural networks, ICML. Berta, Holzmueller, Jordan,
    Bach (2025), Structured matrix scaling, arXiv:2511.03685 (the weight of the ridge).
    """
    n, C = Z.shape
    ridge = max(C, 2) / n
    Z = finite(Z)
    P = directions(free, C)
    start = np.concatenate([np.ones(C), np.zeros(C)])
    theta = np.zeros(P.shape[1])

    def at(theta: Float) -> tuple[Float, float]:
        both = start + P @ theta
        eta = both[:C] * Z + both[C:]
        if C > 1:
            eta = log_softmax(eta)
        return eta, float(weight @ cost(eta, T)) / n + ridge * float(theta @ theta)

    eta, value = at(theta)
    for _ in range(STEPS):
        gradient, curvature = _derivatives(eta, Z, T, weight, P)
        gradient = gradient + 2 * ridge * theta
        step = np.linalg.solve(curvature + 2 * ridge * np.eye(len(theta)), gradient)
        decrement = float(gradient @ step)
        if decrement < ENOUGH:
            break
        size = 1.0
        while size > 1e-10:
            trial = theta - size * step
            new_eta, new_value = at(trial)
            if new_value <= value - 1e-4 * size * decrement:
                break
            size /= 2
        else:
            break
        theta, eta, value = trial, new_eta, new_value
    both = start + P @ theta
    return Scaling(both[:C], both[C:])


def _derivatives(eta: Float, Z: Float, T: Float, weight: Float, P: Float) -> tuple[Float, Float]:
    """Return gradient (p,) and Hessian (p, p) of the mean loss along the directions P, shape (2 C, p).

    With q the probabilities: d/d slope_k = mean (q_k - t_k) z_k, d/d offset_k = mean (q_k - t_k), and the Hessian is
    mean (diag q - q q') between them, each with its z. For one column of log-odds q q' reads q^2.
    """
    n, C = Z.shape
    q = np.exp(eta) if C > 1 else probabilities(eta)
    w = weight[:, None] / n
    slopes, offsets = P[:C], P[C:]
    missed = w * (q - T)
    gradient = slopes.T @ (missed * Z).sum(axis=0) + offsets.T @ missed.sum(axis=0)
    mass = w * q
    zz, z, one = (mass * Z * Z).sum(axis=0), (mass * Z).sum(axis=0), mass.sum(axis=0)
    cross = (slopes.T * z) @ offsets
    diagonal = (slopes.T * zz) @ slopes + cross + cross.T + (offsets.T * one) @ offsets
    X = (q * Z) @ slopes + q @ offsets
    return gradient, diagonal - X.T @ (w * X)
