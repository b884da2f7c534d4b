"""The temperature that loses least: softmax(b z), a convex loss in the inverse temperature b.

Its slope is the mean of E_q z - z_y, its curvature the mean of Var_q z, with q = softmax(b z): one pass over the rows
gives both. Newton's steps are kept within a bracket that shrinks. Of many rows a few thousand, evenly spaced, are
fitted first; from their optimum the slope over all rows is known to be small, and what is left of it is taken away
along the curve of the few. So all rows are passed two or three times - the last time only to see that it is done.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from logloss.kernels.derivatives import LOWEST, logistic_sums, tempered_sums

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[Any]
    Float = NDArray[np.float64]
    Derivatives = tuple[float, float, float]

__all__ = ["LARGEST", "Tempered", "fit_inverse_temperature"]

LARGEST = math.exp(16)  # the inverse temperature of rows that are all right at their first choice
ENOUGH = 1e-11  # Newton decrement, in nats
SMALL = 1e-3  # and Newton step relative to b: where the loss is flat a small decrement says little
SAMPLE = 20_000  # rows that are fitted first
REACH = 8.0  # one step changes b at most by this factor
STEPS = 200


class Tempered(NamedTuple):
    """Inverse temperature, mean loss there (nats, without the ridge), and how often all rows were passed."""

    b: float
    loss: float
    passes: int


def fit_inverse_temperature(
    Z: Array, outcome: Array, weight: Float | None = None, *, ridge: float = 0.0
) -> Tempered:
    """Fit b >= 0 to minimise the mean loss of softmax(b z), plus ridge (b - 1)^2.

    Parameters
    ----------
    Z
        Log-probabilities or logits of K classes, shape (n, K); or log-odds of the second of two, shape (n,). What is
        impossible counts as exp(-745).
    outcome
        Class positions, shape (n,), or shares: (n, K), for log-odds (n,).
    weight
        Shape (n,), or None. Rows of weight 0 count nowhere.
    ridge
        Pull towards 1, in nats.

    Returns
    -------
    Tempered
        `b` is 0 where less confidence never stops to help: these forecasts say nothing, or the opposite. Without a ridge
        it is exp(16) where all rows are right at their first choice, so that more never stops to help.

    References
    ----------
    Guo, Pleiss, Sun, Weinberger (2017), On calibration of modern neural networks, ICML.
    """
    Z = np.ascontiguousarray(Z)
    outcome = np.asarray(outcome, np.float64 if Z.ndim == 1 else None)
    n = len(Z)
    at = _mean(Z, outcome, weight, ridge)
    if n < 4 * SAMPLE:
        b, loss, passes = _descend(at, 1.0)
    else:
        part = slice(None, None, n // SAMPLE)
        few = _mean(Z[part].copy(), outcome[part].copy(), None if weight is None else weight[part], ridge)
        start = _descend(few, 1.0)[0]
        b, loss, passes = _descend(at, start if 0.0 < start < LARGEST else 1.0, few)
    return Tempered(b, loss - ridge * (b - 1.0) ** 2, passes)


def _mean(Z: Array, outcome: Array, weight: Float | None, ridge: float) -> Callable[[float], Derivatives]:
    """Return the ridged mean loss as a function of b, with its first two derivatives."""
    total = float(len(Z)) if weight is None else float(weight.sum())
    total = total if total > 0 else 1.0
    if Z.ndim == 1 and len(Z) and not max(abs(float(Z.min())), abs(float(Z.max()))) <= -LOWEST:
        Z = np.clip(Z, LOWEST, -LOWEST)

    def at(b: float) -> Derivatives:
        if Z.ndim == 1:
            value, gradient, hessian = logistic_sums([Z], outcome, weight, np.array([b]))
            slope, curvature = float(gradient[0]), float(hessian[0, 0])
        else:
            value, slope, curvature = tempered_sums(Z, outcome, weight, b)
        off = b - 1.0
        return (
            value / total + ridge * off * off,
            slope / total + 2.0 * ridge * off,
            curvature / total + 2.0 * ridge,
        )

    return at


def _descend(
    at: Callable[[float], Derivatives], b: float, few: Callable[[float], Derivatives] | None = None
) -> tuple[float, float, int]:
    """Minimise a convex function over [0, LARGEST] from b > 0: the place, the value there, how often it was asked."""
    low, high, passes = 0.0, LARGEST, 0
    zero = cap = False  # whether the ends have been looked at
    sizes = [math.inf, math.inf]  # of the last steps, in log b
    for _ in range(STEPS):
        value, slope, curvature = at(b)
        passes += 1
        low, high = (b, high) if slope < 0 else (low, b)
        step = slope / curvature if curvature > 0 else math.copysign(math.inf, slope)
        decrement = slope * step if curvature > 0 else 0.0
        if decrement < ENOUGH and abs(step) <= SMALL * b:
            return min(max(b - step, low), high), value - 0.5 * decrement, passes
        if slope < 0 and decrement < ENOUGH and not cap:
            cap = True
            end = at(LARGEST)
            passes += 1
            if end[1] <= 0:
                return LARGEST, end[0], passes
        if step >= b and not zero:
            zero = True
            end = at(0.0)
            passes += 1
            if end[1] >= 0:
                return 0.0, end[0], passes
        goal = b - step
        if few is not None and passes == 1 and abs(step) < 0.5 * b:
            goal = _along(few, b, slope, curvature)
        goal = min(max(goal, low, b / REACH), high, b * REACH)
        size = abs(math.log(goal / b)) if goal > 0 else math.inf
        if not low < goal < high or size > 0.5 * sizes[0]:
            goal = math.sqrt(max(low, b / REACH) * min(high, b * REACH))
            size = abs(math.log(goal / b))
        sizes = [sizes[1], size]
        if goal == b:
            break
        b = goal
    return b, value, passes


def _along(few: Callable[[float], Derivatives], b: float, slope: float, curvature: float) -> float:
    """Return where the slope of the few, scaled and shifted to be that of all rows at b, is zero."""
    _, few_slope, few_curvature = few(b)
    if not few_curvature > 0:
        return b - slope / curvature
    scale = curvature / few_curvature
    shift = slope - scale * few_slope

    def tilted(x: float) -> Derivatives:
        value, first, second = few(x)
        return scale * value + shift * x, scale * first + shift, scale * second

    return _descend(tilted, b)[0]
