"""Isotonic regression of outcomes on forecasts: the monotone map that no other beats, in any proper score.

Rows with equal forecasts are pooled first, so that the fit is a function of the forecast. The pool-adjacent-violators
solution minimises every proper score at once (Dimitriadis, Gneiting, Jordan 2021, PNAS 118:e2016191118): one fit
serves log loss and Brier.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from logloss.calibrate.maps import Isotonic
from logloss.kernels import COMPILE_FROM
from logloss.kernels.certainty import levels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]

__all__ = ["Pooled", "fit_isotonic", "isotonic", "isotonic_map", "pool"]


@dataclass(frozen=True, eq=False)
class Pooled:
    """Rows pooled by equal forecasts, ascending, every array of shape (k,).

    Attributes
    ----------
    at
        The distinct forecasts (on any increasing scale).
    weight
        Sum of weights at each.
    share
        Mean outcome there: the weighted share of the second class.
    """

    at: Float
    weight: Float
    share: Float


def pool(at: Float, share: Float, weight: Float | None = None) -> Pooled:
    """Pool rows with equal forecasts; `at`, `share`, `weight` of shape (n,). Rows of weight 0 count nowhere."""
    if weight is not None and not weight.all():
        keep = weight > 0
        at, share, weight = at[keep], share[keep], weight[keep]
    if len(at) >= COMPILE_FROM:
        return Pooled(*levels(at, share, weight))
    weight = np.ones(len(at)) if weight is None else weight
    order = np.argsort(at, kind="stable")
    at, share, weight = at[order], share[order], weight[order]
    starts = np.flatnonzero(np.concatenate([[True], at[1:] != at[:-1]])) if len(at) else np.zeros(0, np.intp)
    if len(starts) == len(at):
        return Pooled(at, weight, share)
    mass = np.add.reduceat(weight, starts)
    return Pooled(at[starts], mass, np.add.reduceat(weight * share, starts) / mass)


def isotonic(pooled: Pooled) -> Float:
    """Return the fitted share at each distinct forecast, shape (k,): non-decreasing, in [0, 1]."""
    from scipy.optimize import isotonic_regression

    if not len(pooled.at):
        return np.zeros(0)
    return np.clip(isotonic_regression(pooled.share, weights=pooled.weight).x, 0.0, 1.0)


def fit_isotonic(z: Float, share: Float, weight: Float) -> Isotonic:
    """Return the isotonic map of log-odds (n,), whose ends stay away from 0 and 1."""
    return isotonic_map(pool(z, share, weight))


def isotonic_map(pooled: Pooled) -> Isotonic:
    """Return the isotonic map of pooled log-odds (weights of mean 1 a row), whose ends stay away from 0 and 1.

    At each end a 0 and a 1 of weight 1/2 are added, so that an end block of m rows with a ones says
    (a + 1/2) / (m + 1), as Krichevsky and Trofimov (1981) do. Blocks are constant between their first and last
    forecast; from one to the next log-odds run straight.
    """
    ends = Pooled(
        pooled.at, np.concatenate([[1.0], pooled.weight, [1.0]]), np.concatenate([[0.5], pooled.share, [0.5]])
    )
    from scipy.optimize import isotonic_regression

    p = np.clip(isotonic_regression(ends.share, weights=ends.weight).x[1:-1], 0.0, 1.0)
    starts = np.flatnonzero(np.append(True, p[1:] != p[:-1]))
    stops = np.append(starts[1:] - 1, len(p) - 1)
    knots = np.unique(np.concatenate([starts, stops]))
    odds = np.log(p[knots]) - np.log1p(-p[knots])
    return Isotonic(pooled.at[knots], np.maximum.accumulate(odds))
