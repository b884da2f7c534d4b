"""Several forecasts of the same rows as one: mixed (linear pool), or their log-odds added up (log pool).

Forecasts are an array Z of shape (n, M, C): M of them, each log-odds (C = 1) or log-probabilities (C = K) as in
:mod:`logloss.calibrate.maps`. With p_m the probability that forecast m gave to what happened,

    linear pool   sum_m w_m p_m, w >= 0 of sum 1:   maximise mean log sum_m w_m p_m, concave in w
    log pool      softmax(sum_m w_m z_m + c), w >= 0:   convex in (w, c); the sum of w is free, so that it recalibrates

The linear pool's loss is never above the weighted mean of the losses (Jensen), and a linear pool of calibrated forecasts is
not certain enough (Ranjan and Gneiting 2010): recalibrate it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from logloss.calibrate.families import ridge_of
from logloss.calibrate.newton import Sums, minimise_above
from logloss.calibrate.odds import cost, finite, log_softmax, logs_of_two, sure
from logloss.kernels.derivatives import MOST_COLUMNS, logistic_formula, logistic_sums

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logloss.calibrate.maps import Map

    Float = NDArray[np.float64]

__all__ = ["CERTIFIED", "Pool", "linear_weights", "log_weights", "mixed", "outcome_logs", "summed"]

STEPS = 500
CERTIFIED = 1e-10  # nats that any other weights could gain at most


@dataclass(frozen=True, eq=False)
class Pool:
    """Weights of M forecasts, shape (M,), how they are put together ("linear" or "log"), and the maps that follow."""

    kind: str
    weights: Float
    steps: tuple[Map, ...] = ()

    @property
    def only(self) -> int | None:
        """The position of the one forecast that this is, where no other has a part in it."""
        alone = self.kind == "linear" and np.count_nonzero(self.weights) == 1
        return int(self.weights.argmax()) if alone else None

    def __call__(self, Z: Float) -> Float:
        """Return one forecast of each row, (n, C), from (n, M, C): finite, but for one that is left as it was given."""
        if self.only is not None and not self.steps:
            return Z[:, self.only]
        one = finite((mixed if self.kind == "linear" else summed)(self.weights, Z))
        for step in self.steps:
            one = step(one)
        return finite(one if one.shape[1] == 1 else log_softmax(one))


def mixed(weights: Float, Z: Float) -> Float:
    """Return sum_m w_m p_m of forecasts (n, M, C), as log-odds or log-probabilities, (n, C)."""
    taken = np.flatnonzero(weights)
    if len(taken) == 1:
        return np.asarray(Z[:, taken[0]])
    logs = np.log(weights[taken])[:, None]
    Z = Z[:, taken]
    if Z.shape[2] > 1:
        return np.asarray(np.logaddexp.reduce(Z + logs, axis=1))
    up, down = (np.logaddexp.reduce(side + logs, axis=1) for side in logs_of_two(Z))
    return np.asarray(up - down)


def summed(weights: Float, Z: Float) -> Float:
    """Return the log pool of forecasts (n, M, C), (n, C); an impossible class counts as log p = -745."""
    total = np.zeros((len(Z), Z.shape[2]))
    for at in np.flatnonzero(weights):
        total += weights[at] * sure(Z[:, at])
    return total if total.shape[1] == 1 else log_softmax(total)


def outcome_logs(Z: Float, T: Float, weight: Float) -> tuple[Float, Float]:
    """Return the log-probabilities of what happened, (N, M), and the mass of each, (N,).

    A row with shares in several classes stands once for each of them: the loss is linear in the shares.
    """
    if Z.shape[2] == 1:
        up, down = logs_of_two(Z[:, :, 0])
        t = T[:, 0]
        first, second = t < 1, t > 0
        logs = np.concatenate([down[first], up[second]])
        return logs, np.concatenate([(weight * (1 - t))[first], (weight * t)[second]])
    mass = weight[:, None] * T
    return Z.transpose(0, 2, 1)[mass > 0], mass[mass > 0]


def linear_weights(logs: Float, mass: Float, steps: int = STEPS) -> tuple[Float, float]:
    """Return the weights of the best linear pool, (M,), and how much any other weights could gain, in nats.

    Newton steps for -mean log(P w) + sum w over w >= 0, whose optimum has sum 1, each a small problem of non-negative
    least squares; where such a step gains nothing, the EM step w_m <- w_m mean(p_m / mix), which always does.

    Parameters
    ----------
    logs, mass
        Log-probabilities of what happened, (N, M), and their masses (N,). What is impossible under every forecast is
        infinite whatever the weights, and left out.

    Notes
    -----
    The gap to the optimum is at most max_m mean(p_m / mix) - 1: the mean log score is concave, and this is its slope
    towards the best corner.

    References
    ----------
    Kim, Carbonetto, Stephens, Anitescu (2020), A fast algorithm for maximum likelihood estimation of mixture proportions
    using sequential quadratic programming, J. Comput. Graph. Stat. 29:261-273.
    """
    M = logs.shape[1]
    top = logs.max(axis=1)
    kept = np.isfinite(top) & (mass > 0)
    w = np.full(M, 1.0 / M)
    if M == 1 or not kept.any():
        return w, 0.0
    P = [np.exp(logs[kept, m] - top[kept]) for m in range(M)]
    share = mass[kept] / mass[kept].sum()

    def mix(at: Float) -> Float:
        return np.asarray(np.sum([b * p for b, p in zip(at, P, strict=True) if b > 0], axis=0))

    now = mix(w)
    gap = np.inf
    for _ in range(steps):
        ratio = [p / now for p in P]
        slope = np.array([float((share * r).sum()) for r in ratio])
        gap = float(slope.max()) - 1.0
        if gap <= 1e-3 * CERTIFIED:
            break
        step = _step(w, slope, ratio, share)
        size, value = 1.0, float((share * np.log(now)).sum())
        while size > 1e-6:
            trial = np.maximum(w + size * step, 0.0)
            trial /= trial.sum()
            after = mix(trial)
            if after.min() > 0 and (share * np.log(after)).sum() > value:
                break
            size /= 2
        else:
            if gap <= CERTIFIED:
                break  # what is left is rounding
            trial = w * slope  # EM: of sum 1, and never worse
            trial /= trial.sum()
            after = mix(trial)
        w, now = trial, after
    return w, max(gap, 0.0)


def _step(w: Float, slope: Float, ratio: list[Float], share: Float) -> Float:
    """Return v - w for the v >= 0 at which the second-order model of -mean log(P v) + sum v is least."""
    from scipy.optimize import nnls

    M = len(w)
    H = np.empty((M, M))
    for i in range(M):
        scaled = share * ratio[i]
        for j in range(i, M):
            H[i, j] = H[j, i] = float((scaled * ratio[j]).sum())
    H += 1e-10 * np.trace(H) / M * np.eye(M)  # the same forecast twice: the shortest step
    half = np.linalg.cholesky(H).T
    wanted = np.linalg.solve(half.T, H @ w - (1.0 - slope))
    return np.asarray(nnls(half, wanted)[0] - w, np.float64)


def log_weights(Z: Float, T: Float, weight: Float, *, offsets: bool = False) -> tuple[Float, Float]:
    """Return the weights (M,) and offsets (C,) of the best log pool, with a ridge of K / n to equal weights of sum 1.

    Parameters
    ----------
    Z, T, weight
        Forecasts (n, M, C), shares (n, C), weights (n,).
    offsets
        Whether an offset for each class is fitted too; else they are 0.
    """
    n, M, C = Z.shape
    Z = sure(Z.reshape(n * M, C)).reshape(n, M, C)
    free = C if offsets else 0
    start = np.concatenate([np.full(M, 1.0 / M), np.zeros(free)])
    least = np.concatenate([np.zeros(M), np.full(free, -np.inf)])

    columns = [np.ascontiguousarray(Z[:, m, 0]) for m in range(M)]
    of_two = logistic_sums if M <= MOST_COLUMNS else logistic_formula  # compiled for few

    def sums(theta: Float) -> Sums:
        if C == 1:
            return Sums(float(weight.sum()), *of_two(columns, T[:, 0], weight, theta))
        return _softmax_sums(Z, T, weight, theta)

    theta = minimise_above(sums, start, ridge_of("affine", n, C), least)
    return theta[:M], theta[M:] if free else np.zeros(C)


def _softmax_sums(Z: Float, T: Float, weight: Float, theta: Float) -> Sums:
    """Return the sums of a softmax of weighted log-probabilities (and offsets, where theta has more than M numbers)."""
    n, M, C = Z.shape
    eta = np.zeros((n, C)) + (theta[M:] if len(theta) > M else 0.0)
    for at in range(M):
        eta += theta[at] * Z[:, at]
    eta = log_softmax(eta)
    q = np.exp(eta)
    mass, missed = weight[:, None] * q, weight[:, None] * (q - T)
    mean = np.stack([(q * Z[:, at]).sum(axis=1) for at in range(M)], axis=1)
    gradient = [float((missed * Z[:, at]).sum()) for at in range(M)]
    curvature = np.empty((len(theta), len(theta)))
    for i in range(M):
        scaled = mass * Z[:, i]
        for j in range(i, M):
            shared = float((scaled * Z[:, j]).sum() - (weight * mean[:, i] * mean[:, j]).sum())
            curvature[i, j] = curvature[j, i] = shared
        if len(theta) > M:
            curvature[i, M:] = curvature[M:, i] = (scaled - mass * mean[:, i, None]).sum(axis=0)
    if len(theta) > M:
        gradient += missed.sum(axis=0).tolist()
        curvature[M:, M:] = np.diag(mass.sum(axis=0)) - q.T @ mass
    return Sums(float(weight.sum()), float((weight * cost(eta, T)).sum()), np.array(gradient), curvature)
