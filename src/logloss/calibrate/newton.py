"""Damped Newton steps for a convex mean loss, which may be summed over any number of blocks of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    Float = NDArray[np.float64]

__all__ = ["ENOUGH", "Sums", "minimise", "minimise_above", "total"]

STEPS = 60
ENOUGH = 1e-11  # Newton decrement, in nats


class Sums(NamedTuple):
    """Sums over rows: weight, weighted loss, its gradient (p,) and its Hessian (p, p); they add up."""

    weight: float
    value: float
    gradient: Float
    curvature: Float


def total(parts: Iterable[Sums]) -> Sums:
    """Return the sums over several blocks of rows."""
    every = list(parts)
    return Sums(
        sum(one.weight for one in every),
        sum(one.value for one in every),
        np.sum([one.gradient for one in every], axis=0),
        np.sum([one.curvature for one in every], axis=0),
    )


def minimise(
    evaluate: Callable[[Float], Sums], start: Float, ridge: float, first: Float | None = None
) -> tuple[Float, float]:
    """Return the parameters that minimise mean loss + ridge |theta - start|^2, and that value.

    Newton steps, halved until the value falls (Armijo); they end where the Newton decrement g' H^-1 g, twice what is
    left to gain, is below 1e-11 nats. Each evaluation is one pass over the rows.

    Parameters
    ----------
    evaluate
        The sums at given parameters.
    start
        The identity, to which the ridge pulls.
    first
        Where to begin, if not there.
    """
    at = _ridged(evaluate, start, ridge)
    theta = np.array(start if first is None else first, np.float64)
    value, gradient, curvature = at(theta)
    for _ in range(STEPS):
        step = _solved(curvature, gradient)
        decrement = float(gradient @ step)
        if not decrement >= ENOUGH:
            if decrement > 0:  # the last step costs no pass, and squares what is off
                theta = theta - step
            break
        size = 1.0
        while size > 1e-10:
            trial = theta - size * step
            new = at(trial)
            if new[0] <= value - 1e-4 * size * decrement:
                break
            size /= 2
        else:
            break
        theta = trial
        value, gradient, curvature = new
    return theta, value


def _ridged(
    evaluate: Callable[[Float], Sums], start: Float, ridge: float
) -> Callable[[Float], tuple[float, Float, Float]]:
    """Return what gives mean loss + ridge |theta - start|^2 with its gradient and its Hessian."""

    def at(theta: Float) -> tuple[float, Float, Float]:
        sums = evaluate(theta)
        off = theta - start
        value = sums.value / sums.weight + ridge * float(off @ off)
        curvature = sums.curvature / sums.weight + 2 * ridge * np.eye(len(theta))
        return value, sums.gradient / sums.weight + 2 * ridge * off, curvature

    return at


def _solved(curvature: Float, gradient: Float) -> Float:
    """Return H^-1 g; where the ridge is 0 and a direction has no curvature, the shortest solution."""
    try:
        return np.asarray(np.linalg.solve(curvature, gradient), np.float64)
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.lstsq(curvature, gradient, rcond=None)[0], np.float64)


def minimise_above(evaluate: Callable[[Float], Sums], start: Float, ridge: float, least: Float) -> Float:
    """Return the parameters, none below `least` (p,), that minimise mean loss + ridge |theta - start|^2.

    As :func:`minimise`, but each Newton step is the least point of the second-order model within the bounds, found by
    least squares with bounds; they end where that model promises less than 1e-11 nats.
    """
    from scipy.optimize import lsq_linear

    at = _ridged(evaluate, start, ridge)
    theta = np.array(start, np.float64)
    value, gradient, curvature = at(theta)
    for _ in range(STEPS):
        half = np.linalg.cholesky(curvature).T
        wanted = -np.linalg.solve(half.T, gradient)
        found = lsq_linear(half, wanted, bounds=(least - theta, np.inf), method="bvls", tol=1e-14)
        step = np.asarray(found.x, np.float64)
        decrement = -float(gradient @ step)
        if not decrement >= ENOUGH:
            break
        size = 1.0
        while size > 1e-10:
            trial = np.maximum(theta + size * step, least)
            new = at(trial)
            if new[0] <= value - 1e-4 * size * decrement:
                break
            size /= 2
        else:
            break
        theta = trial
        value, gradient, curvature = new
    return theta
