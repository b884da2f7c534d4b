"""Value, gradient and Hessian of a loss along the parameters of a map, summed over rows: what each step of a fit asks.

Twins with one contract: the formulas in NumPy, and :mod:`logloss.kernels.curvature`, compiled, for more than 50,000
numbers. Sums over slices of fixed size are added exactly, so that the result does not depend on the number of threads.
"""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.kernels import COMPILE_FROM, _in_slices, _plain, as_forecast, as_outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[Any]
    Float = NDArray[np.float64]

__all__ = [
    "LOWEST",
    "class_formula",
    "class_sums",
    "logistic_formula",
    "logistic_sums",
    "tempered_formula",
    "tempered_sums",
]

LOWEST = -745.0  # log of the smallest probability there is: what an impossible class counts as in a fit
MOST_COLUMNS = 4
COMPILED_FROM = 4_000  # numbers, once the compiler has been imported
PIECES = 8  # a pass over few columns is cut into pieces as if it had so many, for the cores to share


def _compiles(numbers: int) -> bool:
    """Tell whether the compiled twin is worth it: sooner where the compiler is there already."""
    return numbers >= COMPILE_FROM or (numbers >= COMPILED_FROM and "numba" in sys.modules)


def tempered_sums(
    Z: Array, outcome: Array, weight: Float | None, b: float, lowest: float = LOWEST
) -> tuple[float, float, float]:
    """Sum the loss of softmax(b z) and its first two derivatives by b over rows.

    Parameters
    ----------
    Z
        Log-probabilities or logits, shape (n, K), float64 or float32; no row is all -inf.
    outcome
        Class positions, shape (n,), or shares, shape (n, K).
    weight
        Shape (n,), or None: 1 each. Rows of weight 0 count nowhere.
    b
        Inverse temperature, >= 0.
    lowest
        Lower entries count as this. In a row of logits that all lie below -log K it goes down with the largest, so
        that no two classes fall together that differ.

    Returns
    -------
    value, slope, curvature
        Sums of w loss, w (E_q z - z_t) and w Var_q z with q = softmax(b z), nats.
    """
    if not _compiles(Z.size):
        return tempered_formula(Z, outcome, weight, b, lowest)
    from logloss.kernels import curvature

    x, w = as_forecast(Z), _weights(weight)
    hard = outcome.ndim == 1
    y = as_outcome(outcome) if hard else np.zeros(0, np.int8)
    T = _plain(np.zeros((0, x.shape[1]))) if hard else as_forecast(outcome)
    y = _plain(y)
    parts = _in_slices(
        lambda s: curvature.tempered(y[s], T[s], x[s], w[s], float(b), float(lowest)), *x.shape
    )
    value, slope, curve = (math.fsum(column) for column in zip(*parts, strict=True))
    return value, slope, curve


def tempered_formula(
    Z: Array, outcome: Array, weight: Float | None, b: float, lowest: float = LOWEST
) -> tuple[float, float, float]:
    """Compute `tempered_sums` as the formula reads."""
    Z, outcome, weight = _counted(Z, outcome, weight)
    n, K = Z.shape
    T = np.eye(K)[outcome] if outcome.ndim == 1 else outcome
    top = Z.max(axis=1, keepdims=True)
    Z = np.maximum(Z, lowest + np.minimum(top + math.log(K), 0.0)) - top
    E = np.exp(b * Z)
    E[np.arange(n), Z.argmax(axis=1)] = 0.0  # the largest: exactly 1, added where it is needed
    rest = E.sum(axis=1)
    mass, happened = T.sum(axis=1), (T * Z).sum(axis=1)
    mean = (E * Z).sum(axis=1) / (1.0 + rest)
    spread = (E * Z * Z).sum(axis=1) / (1.0 + rest) - mean * mean
    loss = mass * np.log1p(rest) - b * happened
    return (
        float((weight * loss).sum()),
        float((weight * (mass * mean - happened)).sum()),
        float((weight * mass * np.maximum(spread, 0.0)).sum()),
    )


def logistic_sums(
    columns: Sequence[Array], share: Array, weight: Float | None, theta: Float
) -> tuple[float, Float, Float]:
    """Sum softplus(eta) - t eta over rows, eta = sum theta_j f_j, with its gradient and Hessian by theta.

    Parameters
    ----------
    columns
        One to four features, each of shape (n,) and finite. A column of ones need not be given: a theta more than
        there are columns is its factor.
    share
        Share of the outcome that went to the class that eta is the log-odds of, shape (n,).
    weight
        Shape (n,), or None: 1 each. Rows of weight 0 count nowhere.
    theta
        Shape (p,), p = the number of columns, or one more.

    Returns
    -------
    value, gradient, hessian
        Sums over rows, nats; shapes (), (p,), (p, p).
    """
    if not _compiles(len(share)):
        return logistic_formula(columns, share, weight, theta)
    from logloss.kernels import curvature

    given = [as_forecast(np.asarray(column)) for column in columns]
    f = given + [given[0]] * (MOST_COLUMNS - len(given))
    t, w, at = as_forecast(np.asarray(share)), _weights(weight), np.ascontiguousarray(theta, np.float64)
    p = len(at)

    def work(s: slice) -> Float:
        out = np.zeros(1 + p + p * (p + 1) // 2)
        curvature.logistic(f[0][s], f[1][s], f[2][s], f[3][s], len(given), t[s], w[s], at, out)
        return out

    sums = np.array([math.fsum(column) for column in zip(*_in_slices(work, len(t), PIECES), strict=True)])
    hessian = np.zeros((p, p))
    hessian[np.triu_indices(p)] = sums[1 + p :]
    return float(sums[0]), sums[1 : 1 + p], np.triu(hessian) + np.triu(hessian, 1).T


def logistic_formula(
    columns: Sequence[Array], share: Array, weight: Float | None, theta: Float
) -> tuple[float, Float, Float]:
    """Compute `logistic_sums` as the formula reads."""
    ones = [np.ones(len(share))] * (len(theta) - len(columns))
    F, t, w = _counted(np.column_stack([*columns, *ones]), np.asarray(share), weight)
    eta = F @ theta
    e = np.exp(-np.abs(eta))
    off = np.where(eta > 0, t - 1.0, t)  # from the likelier class, whose probability is 1 / (1 + e)
    loss = np.log1p(e) - off * eta
    missed = w * (np.where(eta > 0, -e, e) / (1.0 + e) - off)
    mass = w * e / (1.0 + e) ** 2
    return float((w * loss).sum()), missed @ F, (F * mass[:, None]).T @ F


def class_sums(
    Z: Array, outcome: Array, weight: Float | None, slope: Float, offset: Float, lowest: float = LOWEST
) -> tuple[float, Float, Float]:
    """Sum the loss of softmax(slope z + offset) over rows, with its gradient and Hessian by (slopes, offsets).

    Parameters
    ----------
    Z, outcome, weight
        As for `tempered_sums`; entries below `lowest` count as that.
    slope, offset
        One of each per class, shape (K,).

    Returns
    -------
    value, gradient, hessian
        Sums over rows, nats; shapes (), (2 K,), (2 K, 2 K).
    """
    if not _compiles(Z.size):
        return class_formula(Z, outcome, weight, slope, offset, lowest)
    from logloss.kernels import curvature

    x, w = as_forecast(Z), _weights(weight)
    K = x.shape[1]
    hard = outcome.ndim == 1
    y = _plain(as_outcome(outcome) if hard else np.zeros(0, np.int8))
    T = _plain(np.zeros((0, K))) if hard else as_forecast(outcome)
    v, c = (np.ascontiguousarray(a, np.float64) for a in (slope, offset))

    def work(s: slice) -> tuple[float, Float, Float]:
        gradient, hessian = np.zeros(2 * K), np.zeros((2 * K, 2 * K))
        value = curvature.class_scaled(y[s], T[s], x[s], w[s], v, c, float(lowest), gradient, hessian)
        return value, gradient, hessian

    parts = _in_slices(work, *x.shape)
    hessian = np.sum([part[2] for part in parts], axis=0)
    return (
        math.fsum(part[0] for part in parts),
        np.asarray(np.sum([part[1] for part in parts], axis=0)),
        np.triu(hessian) + np.triu(hessian, 1).T,
    )


def class_formula(
    Z: Array, outcome: Array, weight: Float | None, slope: Float, offset: Float, lowest: float = LOWEST
) -> tuple[float, Float, Float]:
    """Compute `class_sums` as the formula reads."""
    Z, outcome, weight = _counted(Z, outcome, weight)
    K = Z.shape[1]
    T = np.eye(K)[outcome] if outcome.ndim == 1 else outcome
    Z = np.maximum(Z, lowest)
    eta = slope * Z + offset
    eta -= eta.max(axis=1, keepdims=True)
    E = np.exp(eta)
    Q = E / E.sum(axis=1, keepdims=True)
    E[np.arange(len(E)), eta.argmax(axis=1)] = 0.0
    mass = T.sum(axis=1)
    loss = mass * np.log1p(E.sum(axis=1)) - (T * eta).sum(axis=1)
    missed = weight[:, None] * (mass[:, None] * Q - T)
    w = (weight * mass)[:, None]
    X = np.hstack([Q * Z, Q])
    zz, z, one = ((w * Q * f).sum(axis=0) for f in (Z * Z, Z, np.ones_like(Z)))
    diagonal = np.block([[np.diag(zz), np.diag(z)], [np.diag(z), np.diag(one)]])
    gradient = np.concatenate([(missed * Z).sum(axis=0), missed.sum(axis=0)])
    return float((weight * loss).sum()), gradient, diagonal - X.T @ (w * X)


def _weights(weight: Float | None) -> Float:
    """Return the weights as the compiled twin wants them; an empty array stands for 1 each."""
    return _plain(np.zeros(0) if weight is None else np.asarray(weight, np.float64))


def _counted(x: Array, outcome: Array, weight: Float | None) -> tuple[Float, Array, Float]:
    """Return the rows that count, in float64."""
    x = x.astype(np.float64, copy=False)
    if weight is None:
        return x, outcome, np.ones(len(x))
    keep = weight > 0
    return (x, outcome, weight) if keep.all() else (x[keep], outcome[keep], weight[keep])
