"""Inductive Venn-Abers: isotonic regression that never says 0 or 1, as the map to try on rows it was not fitted on.

For a new forecast s the isotonic fit is done twice, once with s added as a 0 and once as a 1. That gives p0 <= p1;
the probability that loses least in the worst case of the two is p1 / (1 - p0 + p1). All these fits together take one
walk over the corners of the greatest convex minorant (Vovk, Petej, Fedorova 2015, Large-scale probabilistic
predictors with and without guarantees of validity, NeurIPS).
"""

from __future__ import annotations

import sys
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.calibrate.isotonic import pool
from logloss.calibrate.maps import VennAbers
from logloss.kernels import both

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logloss.calibrate.isotonic import Pooled

    Float = NDArray[np.float64]

__all__ = ["VennAbers", "compiled", "fit_venn_abers"]

COMPILE_FROM = 3_000  # distinct forecasts; below, the walk is done before the compiler is imported


def fit_venn_abers(s: Float, share: Float, weight: Float) -> VennAbers:
    """Fit the map to rows with forecasts s (on any increasing scale), outcome shares and weights of mean 1."""
    return of_pooled(pool(s, share, weight))


def of_pooled(pooled: Pooled) -> VennAbers:
    """Fit the map to pooled rows, ascending."""
    w, mass = pooled.weight, pooled.weight * pooled.share
    few = len(w) < COMPILE_FROM
    walk = compiled() if not few or "numba" in sys.modules else with_ones

    def up() -> Float:
        return np.asarray(np.clip(walk(w, mass), 0.0, 1.0))

    def down() -> Float:
        return np.asarray(np.clip(1.0 - walk(w[::-1].copy(), (w - mass)[::-1].copy())[::-1], 0.0, 1.0))

    high, low = (up(), down()) if few else both(up, down)
    return VennAbers(pooled.at, low, high)


def with_ones(w: Any, mass: Any) -> Any:
    """Return the isotonic fit at each position after a 1 is added there; w the weights, mass = w * share, (k,).

    Points are (cumulative weight, cumulative share), preceded by (-1, -1): the added row, at first to the left of all.
    Moving it one position to the right moves one point; the corners of the convex minorant stay on a stack, the
    leftmost on top.
    """
    k = w.shape[0]
    x = np.empty(k + 2)
    y = np.empty(k + 2)
    x[0] = -1.0
    y[0] = -1.0
    x[1] = 0.0
    y[1] = 0.0
    for i in range(k):
        x[i + 2] = x[i + 1] + w[i]
        y[i + 2] = y[i + 1] + mass[i]
    stack = np.empty(k + 2, np.int64)  # indices of corners, leftmost on top
    top = -1
    for i in range(k + 1, -1, -1):
        while top >= 1:
            a, b = stack[top], stack[top - 1]
            if (x[a] - x[i]) * (y[b] - y[a]) - (y[a] - y[i]) * (x[b] - x[a]) > 0.0:
                break
            top -= 1
        top += 1
        stack[top] = i
    fitted = np.empty(k)
    for i in range(1, k + 1):
        a, b = stack[top], stack[top - 1]
        fitted[i - 1] = (y[b] - y[a]) / (x[b] - x[a])
        x[i] = x[i - 1] + x[i + 1] - x[i]
        y[i] = y[i - 1] + y[i + 1] - y[i]
        if (x[b] - x[a]) * (y[i] - y[a]) >= (y[b] - y[a]) * (x[i] - x[a]):
            continue
        top -= 1
        while top >= 1:
            a, b = stack[top], stack[top - 1]
            if (x[a] - x[i]) * (y[b] - y[a]) - (y[a] - y[i]) * (x[b] - x[a]) > 0.0:
                break
            top -= 1
        top += 1
        stack[top] = i
    return fitted


@lru_cache(maxsize=1)
def compiled() -> Any:
    """Return the walk, compiled."""
    import numba

    return numba.njit(cache=True, nogil=True)(with_ones)
