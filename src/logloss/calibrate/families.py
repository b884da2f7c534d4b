"""Maps of a few parameters as families: what each adds to the sums of a Newton step, and which map its optimum is.

Two classes: log-odds theta' f with features f of the given log-odds; with q the probability and t the share,

    loss softplus(eta) - t eta,   gradient sum w (q - t) f,   Hessian sum w q (1 - q) f f'.

More classes: eta = slope * Z + offset through a softmax. All are convex, and the identity is among them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from logloss.calibrate.maps import Beta, Quadratic, Scaling
from logloss.calibrate.newton import Sums, minimise
from logloss.calibrate.odds import cost, finite, log_softmax, logs_of_two

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from logloss.calibrate.maps import Map

    Float = NDArray[np.float64]

__all__ = ["Family", "derivatives", "directions", "family", "fitted", "minimised", "ridge_of"]


@dataclass(frozen=True, eq=False)
class Family:
    """Maps with parameters theta; `start` is the identity.

    Attributes
    ----------
    sums
        (Z, T, weight, theta) -> what these rows add; Z and T of shape (n, C), Z finite.
    build
        theta -> the map.
    floor
        Positions of parameters that are 0 at least: one below it is set to 0 and the others are fitted again.
    """

    start: Float
    sums: Callable[[Float, Float, Float, Float], Sums]
    build: Callable[[Float], Map]
    floor: tuple[int, ...] = ()


def ridge_of(n: float, C: int) -> float:
    """Return the weight of the ridge towards the identity, K / n."""
    return max(C, 2) / n


def family(name: str, C: int, *, without: tuple[int, ...] = ()) -> Family:
    """Return a family by name, for forecasts of C columns; `without` are parameters that stay 0."""
    if C == 1 and name != "class_temperature":
        return _logistic(name, without)
    P = directions(name, C)
    start = np.concatenate([np.ones(C), np.zeros(C)])

    def build(theta: Float) -> Map:
        both = start + P @ theta
        return Scaling(both[:C], both[C:])

    def sums(Z: Float, T: Float, weight: Float, theta: Float) -> Sums:
        both = start + P @ theta
        eta = both[:C] * Z + both[C:]
        eta = log_softmax(eta) if C > 1 else eta
        gradient, curvature = derivatives(eta, Z, T, weight, P)
        return Sums(float(weight.sum()), float((weight * cost(eta, T)).sum()), gradient, curvature)

    return Family(np.zeros(P.shape[1]), sums, build)


def _logistic(name: str, without: tuple[int, ...] = ()) -> Family:
    """Return a family of two classes, of which parameters `without` are 0."""
    features, start, build = LOGISTIC[name]
    keep = [at for at in range(len(start)) if at not in without]

    def sums(Z: Float, T: Float, weight: Float, theta: Float) -> Sums:
        columns = features(Z[:, 0])
        base = Z[:, 0] if name == "prior_shift" else None
        return logistic_sums([columns[at] for at in keep], base, T[:, 0], weight, theta)

    def made(theta: Float) -> Map:
        every = np.zeros(len(start))
        every[keep] = theta
        return build(every)

    floor = tuple(at for at in (0, 1) if name == "beta" and at in keep)
    return Family(np.array(start)[keep], sums, made, tuple(keep.index(at) for at in floor))


def _line(slope: float, offset: float) -> Scaling:
    return Scaling(np.array([slope]), np.array([offset]))


def _beta_features(z: Float) -> list[Float]:
    up, down = logs_of_two(z)
    return [up, -down, np.ones_like(z)]


# Two classes: features of the log-odds, the parameters of the identity, and the map that parameters stand for.
LOGISTIC: dict[str, tuple[Callable[[Float], list[Float]], list[float], Callable[[Float], Map]]] = {
    "temperature": (lambda z: [z], [1.0], lambda a: _line(float(a[0]), 0.0)),
    "prior_shift": (lambda z: [np.ones_like(z)], [0.0], lambda a: _line(1.0, float(a[0]))),
    "affine": (lambda z: [z, np.ones_like(z)], [1.0, 0.0], lambda a: _line(*map(float, a))),
    "beta": (_beta_features, [1.0, 1.0, 0.0], lambda a: Beta(*map(float, a))),
    "quadratic": (
        lambda z: [z * z, z, np.ones_like(z)],
        [0.0, 1.0, 0.0],
        lambda a: Quadratic(*map(float, a)),
    ),
}


def logistic_sums(columns: list[Float], base: Float | None, t: Float, weight: Float, theta: Float) -> Sums:
    """Return the sums of a logistic regression with these features, each of shape (n,), and an offset `base`."""
    eta = np.zeros_like(t) if base is None else base.copy()
    for one, b in zip(columns, theta, strict=True):
        eta += b * one
    small = np.exp(-np.abs(eta))
    loss = np.maximum(eta, 0.0) + np.log1p(small) - t * eta
    q = np.where(eta >= 0, 1.0, small) / (1.0 + small)
    missed, spread = weight * (q - t), weight * (small / (1.0 + small) ** 2)
    gradient = np.array([float((missed * one).sum()) for one in columns])
    p = len(columns)
    curvature = np.empty((p, p))
    for i in range(p):
        scaled = spread * columns[i]
        for j in range(i, p):
            curvature[i, j] = curvature[j, i] = float((scaled * columns[j]).sum())
    return Sums(float(weight.sum()), float((weight * loss).sum()), gradient, curvature)


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


def derivatives(eta: Float, Z: Float, T: Float, weight: Float, P: Float) -> tuple[Float, Float]:
    """Return gradient (p,) and Hessian (p, p) of the summed loss along the directions P, shape (2 C, p).

    With q the probabilities: d/d slope_k = sum w (q_k - t_k) z_k, d/d offset_k = sum w (q_k - t_k), and the Hessian is
    sum w (diag q - q q') between them, each with its z. For one column of log-odds q q' reads q^2.
    """
    C = Z.shape[1]
    if C > 1:
        q = np.exp(eta)
    else:
        from scipy.special import expit

        q = expit(eta)
    w = weight[:, None]
    slopes, offsets = P[:C], P[C:]
    missed = w * (q - T)
    gradient = slopes.T @ (missed * Z).sum(axis=0) + offsets.T @ missed.sum(axis=0)
    mass = w * q
    zz, z, one = (mass * Z * Z).sum(axis=0), (mass * Z).sum(axis=0), mass.sum(axis=0)
    cross = (slopes.T * z) @ offsets
    diagonal = (slopes.T * zz) @ slopes + cross + cross.T + (offsets.T * one) @ offsets
    X = (q * Z) @ slopes + q @ offsets
    return gradient, diagonal - X.T @ (w * X)


def fitted(name: str, Z: Float, T: Float, weight: Float, *, ridge: float | None = None) -> Map:
    """Return the map of a family that minimises the ridged loss of these rows, all in memory.

    Parameters
    ----------
    Z, T
        Forecast and shares of the outcome, shape (n, C).
    weight
        Shape (n,).
    ridge
        Weight of the pull to the identity; K over the sum of the weights by default, without which few rows would carry the map away (20 rows of
        a calibrated forecast cost half a nat).
    """
    Z = finite(Z)
    pull = ridge_of(float(weight.sum()), Z.shape[1]) if ridge is None else ridge
    return minimised(name, Z.shape[1], lambda one, theta: one.sums(Z, T, weight, theta), pull)


def minimised(name: str, C: int, evaluate: Callable[[Family, Float], Sums], ridge: float) -> Map:
    """Return the optimum of a family, whatever the sums are taken over.

    Where a parameter that has to be 0 at least comes out below, the family without it is fitted.
    """
    without: tuple[int, ...] = ()
    while True:
        one = family(name, C, without=without)
        theta, _ = minimise(partial(evaluate, one), one.start, ridge)
        below = [at for at in one.floor if theta[at] < 0]
        if not below:
            return one.build(theta)
        free = [at for at in range(len(theta) + len(without)) if at not in without]
        without = (*without, free[below[0]])
