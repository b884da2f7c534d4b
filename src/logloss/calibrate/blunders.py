"""Temperature and base rates with some of the uniform forecast mixed in: for outcomes of which some are blunders.

q = (1 - lam) softmax(a Z + b) + lam / K, with theta = (a, b, lam). With shares t the gradient is -sum_k (t_k / q_k) dq_k,
and in place of the Hessian stands the information sum_k dq_k dq_k' / q_k, which is never negative: Fisher scoring. Not
convex in all of theta together; it starts at the affine optimum with a little mixed in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from logloss.calibrate.families import fitted, ridge_of
from logloss.calibrate.maps import Mix, Scaling
from logloss.calibrate.newton import Sums, minimise
from logloss.calibrate.odds import finite, log_softmax

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logloss.calibrate.maps import Map

    Float = NDArray[np.float64]

__all__ = ["fit_affine_mix"]

FIRST = 0.01  # share mixed in at the start


def fit_affine_mix(Z: Float, T: Float, weight: Float) -> tuple[Map, ...]:
    """Return the affine map and the share of the uniform forecast mixed in after it; Z and T of shape (n, C).

    Where none is the best share, the affine map alone.
    """
    Z = finite(Z)
    n, C = float(weight.sum()), Z.shape[1]
    first = fitted("affine", Z, T, weight)
    assert isinstance(first, Scaling)
    start = np.concatenate([[1.0], np.zeros(C + 1)])
    begin = np.concatenate([first.slope[:1], first.offset, [FIRST]])
    rows = _two if C == 1 else _many
    flat = rows(Z, T, weight, np.concatenate([begin[:-1], [0.0]]))
    if not flat.gradient[-1] < 0:  # the loss does not fall as some is mixed in
        return (first,)
    found, value = minimise(
        lambda theta: rows(Z, T, weight, theta), start, ridge_of("affine", n, C), first=begin
    )
    if not (np.isfinite(value) and found[-1] > 0):
        return (first,)
    return Scaling(np.full(C, found[0]), found[1:-1].copy()), Mix.uniform(float(found[-1]), max(C, 2))


def _outside(size: int) -> Sums:
    """Return the sums where theta gives no forecast: a step that long is halved."""
    return Sums(1.0, np.inf, np.zeros(size), np.eye(size))


def _two(Z: Float, T: Float, weight: Float, theta: Float) -> Sums:
    """Return the sums for two classes: dq = ((1 - lam) s (1 - s) (z, 1), 1/2 - s)."""
    from scipy.special import expit

    slope, offset, lam = theta
    z, t = Z[:, 0], T[:, 0]
    s = expit(slope * z + offset)
    q, rest = (1 - lam) * s + lam / 2, (1 - lam) * (1 - s) + lam / 2
    if not (lam < 1 and min(q.min(), rest.min()) > 0):
        return _outside(3)
    loss = -(t * np.log(q) + (1 - t) * np.log(rest))
    step = (1 - lam) * s * (1 - s)
    columns = [step * z, step, 0.5 - s]
    missed, known = weight * (q - t) / (q * rest), weight / (q * rest)
    curvature = np.array([[float((known * one * two).sum()) for one in columns] for two in columns])
    return Sums(
        float(weight.sum()),
        float((weight * loss).sum()),
        np.array([float((missed * one).sum()) for one in columns]),
        curvature,
    )


def _many(Z: Float, T: Float, weight: Float, theta: Float) -> Sums:
    """Return the sums for K classes: dq_k = ((1 - lam) s_k (z_k - mean z), (1 - lam) s_k (e_k - s), 1/K - s_k)."""
    K = Z.shape[1]
    slope, offset, lam = theta[0], theta[1:-1], theta[-1]
    s = np.exp(log_softmax(slope * Z + offset))
    q = (1 - lam) * s + lam / K
    if not (lam < 1 and q.min() > 0):
        return _outside(K + 2)
    with np.errstate(invalid="ignore"):
        loss = -(T * np.log(q)).sum(axis=1)
    mean = (s * Z).sum(axis=1)
    gradient, curvature = np.zeros(K + 2), np.zeros((K + 2, K + 2))
    for k in range(K):
        step = (1 - lam) * s[:, k]
        columns = np.vstack([step * (Z[:, k] - mean), -step * s.T, 1.0 / K - s[:, k]])
        columns[1 + k] += step
        gradient -= (columns * (weight * T[:, k] / q[:, k])).sum(axis=1)
        scaled = columns * (weight / q[:, k])
        for i in range(K + 2):
            curvature[i, i:] += (scaled[i:] * columns[i]).sum(axis=1)
    return Sums(
        float(weight.sum()),
        float((weight * loss).sum()),
        gradient,
        np.triu(curvature) + np.triu(curvature, 1).T,
    )
