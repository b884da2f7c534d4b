"""The most likely log-odds and correlation of broods: Newton where offspring are independent, a bounded search where not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.calibrate.newton import Sums, minimise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logloss.models.siring import Law, Slopes

    Float = NDArray[np.float64]

__all__ = ["NEARLY", "alike", "curvature", "independent"]

NEARLY = 1 - 1e-6  # the largest rho of broods of which some have two fathers
STARTS = (0.02, 0.3)


def independent(law: Law, Z: Float, start: Float, offset: Float, ridge: float) -> Float:
    """Return the parameters of log-odds that are most likely where offspring are independent (Newton, convex)."""
    if not len(start):
        return start

    def sums(theta: Float) -> Sums:
        slopes = law.at(offset + (Z * theta).sum(axis=1), 0.0)
        gradient = (Z * slopes.by_eta[:, None]).sum(axis=0)
        return Sums(float(len(Z)), float(slopes.value.sum()), gradient, curvature(slopes, Z, 0.0)[:-1, :-1])

    return minimise(sums, start, ridge / len(Z))[0]


def curvature(slopes: Slopes, Z: Float, ridge: float) -> Float:
    """Return the Hessian of the summed surprise by (theta, rho), with the ridge on theta."""
    size = Z.shape[1]
    found = np.empty((size + 1, size + 1))
    found[:size, :size] = [[(a * b * slopes.eta_eta).sum() for a in Z.T] for b in Z.T] if size else 0.0
    found[:size, :size] += 2 * ridge * np.eye(size)
    found[size, :size] = found[:size, size] = (Z * slopes.eta_rho[:, None]).sum(axis=0)
    found[size, size] = slopes.rho_rho.sum()
    return found


def alike(law: Law, Z: Float, start: Float, offset: Float, ridge: float, first: Float) -> tuple[Float, float]:
    """Return the parameters of log-odds and rho that are most likely: a bounded search from two sides, then Newton."""
    from scipy.optimize import minimize

    size = len(start)

    def at(theta: Float) -> tuple[float, Float, Float]:
        slopes = law.at(offset + (Z * theta[:size]).sum(axis=1), float(theta[size]))
        off = theta[:size] - start
        gradient = np.append((Z * slopes.by_eta[:, None]).sum(axis=0) + 2 * ridge * off, slopes.by_rho.sum())
        value = float(slopes.value.sum()) + ridge * float((off * off).sum())
        return value, gradient, curvature(slopes, Z, ridge)

    def mean(theta: Float) -> tuple[float, Float]:
        value, gradient, _ = at(theta)
        return value / len(Z), np.clip(gradient / len(Z), -1e12, 1e12)

    mixed = bool(((law.k > 0) & (law.k < law.n)).any())
    most = NEARLY if mixed else 1.0
    bounds = [(None, None)] * size + [(0.0, most)]
    best = np.append(first, 0.0)
    least = at(best)[0]
    for rho in STARTS:
        found = minimize(mean, np.append(first, rho), jac=True, method="SLSQP", bounds=bounds, options={"ftol": 1e-13, "maxiter": 300})  # fmt: skip
        theta = np.append(found.x[:size], min(max(found.x[size], 0.0), most))
        value = at(theta)[0]
        if theta[-1] > 0 and value < least - 1e-12 * abs(least):
            best, least = theta, value
    return _polished(at, best, most) if best[-1] > 0 else (first, 0.0)


def _polished(at: Any, theta: Float, most: float) -> tuple[Float, float]:
    """Return (theta, rho) after Newton steps that end where rounding does; rho at a bound stays there."""
    free = len(theta) - (not 0 < theta[-1] < most)
    value, gradient, second = at(theta)
    for _ in range(20 if free else 0):
        step = np.linalg.lstsq(second[:free, :free], gradient[:free], rcond=None)[0]
        trial = theta.copy()
        trial[:free] -= step
        if not 0 <= trial[-1] <= most:
            break
        new = at(trial)
        if not new[0] <= value + 1e-12 * abs(value) or not (np.abs(new[1][:free]).max() < np.abs(gradient[:free]).max()):  # fmt: skip
            break
        theta, (value, gradient, second) = trial, new
    return theta[:-1], float(theta[-1])
