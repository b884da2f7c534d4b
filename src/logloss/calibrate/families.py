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
from logloss.calibrate.odds import finite, logs_of_two
from logloss.kernels.derivatives import class_sums, logistic_sums, tempered_sums

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from logloss.calibrate.maps import Map

    Float = NDArray[np.float64]

__all__ = [
    "FAMILIES",
    "LOGISTIC",
    "Family",
    "directions",
    "family",
    "fitted",
    "minimised",
    "parameters_of",
    "ridge_of",
]


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


def ridge_of(name: str, n: float, C: int) -> float:
    """Return the weight of the ridge towards the identity: K / n; of a temperature, which all classes share, 2 / n."""
    return (2 if name == "temperature" else max(C, 2)) / n


def family(name: str, C: int, *, without: tuple[int, ...] = ()) -> Family:
    """Return a family by name, for forecasts of C columns; `without` are parameters that stay 0."""
    if C == 1:
        return _logistic("affine" if name == "class_temperature" else name, without)
    P = directions(name, C)
    start = np.concatenate([np.ones(C), np.zeros(C)])

    def build(theta: Float) -> Map:
        both = start + P @ theta
        return Scaling(both[:C], both[C:])

    def sums(Z: Float, T: Float, weight: Float, theta: Float) -> Sums:
        mass = float(weight.sum())
        if name == "temperature" and theta[0] > -1.0:
            value, slope, curve = tempered_sums(Z, T, weight, 1.0 + float(theta[0]))
            return Sums(mass, value, np.array([slope]), np.array([[curve]]))
        both = start + P @ theta
        value, gradient, curvature = class_sums(Z, T, weight, both[:C], both[C:])
        return Sums(mass, value, P.T @ gradient, P.T @ curvature @ P)

    return Family(np.zeros(P.shape[1]), sums, build)


def _logistic(name: str, without: tuple[int, ...] = ()) -> Family:
    """Return a family of two classes, of which parameters `without` are 0."""
    features, start, build = LOGISTIC[name]
    keep = [at for at in range(len(start)) if at not in without]

    def sums(Z: Float, T: Float, weight: Float, theta: Float) -> Sums:
        z = Z[:, 0]
        if name == "prior_shift":  # the slope stays 1
            every = logistic_sums([z], T[:, 0], weight, np.array([1.0, theta[0]]))
            return Sums(float(weight.sum()), every[0], every[1][1:], every[2][1:, 1:])
        columns = features(z)
        given = [
            columns[at] for at in keep if at < len(columns)
        ]  # without the column of ones, which comes last
        return Sums(float(weight.sum()), *logistic_sums(given, T[:, 0], weight, theta))

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
    return [up, -down]


# Two classes: features of the log-odds (but for a column of ones, the last), the parameters of the identity, and the map that parameters stand for.
LOGISTIC: dict[str, tuple[Callable[[Float], list[Float]], list[float], Callable[[Float], Map]]] = {
    "temperature": (lambda z: [z], [1.0], lambda a: _line(float(a[0]), 0.0)),
    "prior_shift": (lambda _: [], [0.0], lambda a: _line(1.0, float(a[0]))),
    "affine": (lambda z: [z], [1.0, 0.0], lambda a: _line(*map(float, a))),
    "beta": (_beta_features, [1.0, 1.0, 0.0], lambda a: Beta(*map(float, a))),
    "quadratic": (
        lambda z: [z * z, z],
        [0.0, 1.0, 0.0],
        lambda a: Quadratic(*map(float, a)),
    ),
}


FAMILIES = tuple(LOGISTIC)


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
    pull = ridge_of(name, float(weight.sum()), Z.shape[1]) if ridge is None else ridge
    return minimised(name, Z.shape[1], lambda one, theta: one.sums(Z, T, weight, theta), pull)


def minimised(
    name: str, C: int, evaluate: Callable[[Family, Float], Sums], ridge: float, *, first: Map | None = None
) -> Map:
    """Return the optimum of a family, whatever the sums are taken over; `first` is a map of it to begin at.

    Where a parameter that has to be 0 at least comes out below, the family without it is fitted.
    """
    without: tuple[int, ...] = ()
    while True:
        one = family(name, C, without=without)
        begin = None if first is None or without else parameters_of(first, name)
        theta, _ = minimise(partial(evaluate, one), one.start, ridge, first=begin)
        below = [at for at in one.floor if theta[at] < 0]
        if not below:
            return one.build(theta)
        free = [at for at in range(len(theta) + len(without)) if at not in without]
        without = (*without, free[below[0]])


def parameters_of(one: Map, name: str) -> Float:
    """Return the parameters of a map of a family, as the fit counts them."""
    if isinstance(one, Beta):
        return np.array([one.a, one.b, one.c])
    if isinstance(one, Quadratic):
        return np.array([one.square, one.slope, one.offset])
    assert isinstance(one, Scaling)
    C = len(one.slope)
    slope = one.slope[:1] if C == 1 else one.slope[:1] - 1.0  # K classes: what is added to the identity
    return {"temperature": slope, "prior_shift": one.offset, "affine": np.concatenate([slope, one.offset])}[
        name
    ]
