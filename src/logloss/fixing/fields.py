"""A checked record as the rows of a race: forecasts, shares, weights, folds; of many rows, a sample."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss import units
from logloss.calibrate.fitted import forecasts_of
from logloss.fixing import folds
from logloss.fixing.race import Field, fit_maps
from logloss.notes import Note

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logloss.record import Observations

    Float = NDArray[np.float64]

__all__ = ["RACED", "all_rows", "field_of", "folded", "gain", "mean"]

FEWEST = 20  # rows; with fewer nothing is left to fit on
FEWEST_OTHERS = 5  # outcomes that are not of the commonest class
FEWEST_GROUPS = 5
RACED = 100_000  # rows of two classes that take part in the race, of more a sample
RACED_MANY = 30_000  # rows of more classes
NUMBERS = 1 << 17  # and numbers of their forecasts
TEN_FOLDS = 20_000  # rows times columns; with more, five folds do


def all_rows(record: Observations) -> Field:
    """Return all rows as they go into a fit."""
    Z, T = (np.concatenate(part) for part in zip(*forecasts_of(record), strict=True))
    weight = np.ones(len(Z)) if record.weight is None else record.weight / record.weight.mean()
    return field_of(Z, T, weight)


def field_of(Z: Float, T: Float, weight: Float) -> Field:
    """Return rows not divided into folds yet; where some forecast leaves no doubt, every fit expects more of them."""
    fit = partial(fit_maps, certain=not bool(np.isfinite(Z).all()))
    return Field(Z, T, weight, np.zeros(0, np.int64), fit=fit)


def mean(losses: Float, weight: Float) -> float:
    """Return the weighted mean."""
    with np.errstate(invalid="ignore"):
        return float((weight * losses).sum() / weight.sum())


def gain(before: Float, after: Float, weight: Float) -> float:
    """Return the mean of before - after; infinite where an infinite loss ends."""
    a, b = mean(before, weight), mean(after, weight)
    return a - b if math.isfinite(b) else 0.0 if math.isinf(a) else -math.inf


def folded(
    whole: Field,
    cluster: NDArray[np.int64] | None,
    time: NDArray[Any] | None,
    notes: list[Note],
    *,
    sample: bool = True,
) -> Field | None:
    """Return the rows of the race - of many, a random sample - with their folds; None, noted, where there are too few.

    Without `sample` all of them. `cluster` holds each row's position among the groups, `time` when it is from; both of shape (n,), or None.
    """
    n, C = len(whole.Z), whole.Z[:1].size  # numbers of a row's forecasts
    rare = n - _commonest(whole.T)
    if n < FEWEST or rare < FEWEST_OTHERS:
        notes.append(Note("too-few-rows", f"{units.count(n, 'row')}, {rare:g} of them not of the commonest class: too few to learn a map from, so nothing is done. It takes at least {FEWEST} rows and {FEWEST_OTHERS} such outcomes."))  # fmt: skip
        return None
    most = max(2000, min(RACED if whole.T.shape[1] == 1 else RACED_MANY, NUMBERS // C))
    at = np.sort(np.random.default_rng(0).permutation(n)[:most]) if sample and n > most else np.arange(n)
    Z, T, weight = whole.Z[at], whole.T[at], whole.weight[at]
    count = 10 if Z.size <= TEN_FOLDS else 5
    code = None if cluster is None else np.unique(cluster[at], return_inverse=True)[1]
    if time is not None:
        code = fold = folds.by_time(time[at], count)
    elif code is not None:
        fold = folds.by_group(code, count)
    else:
        fold = folds.stratified(T, count)
    if code is not None and code.max() + 1 < FEWEST_GROUPS:
        what = (
            units.count(int(code.max()) + 1, "group")
            if time is None
            else f"{int(code.max()) + 1} stretches of time"
        )
        notes.append(Note("too-few-groups", f"{what}: too few to learn from some what holds for others, so nothing is done. It takes at least {FEWEST_GROUPS}."))  # fmt: skip
        return None
    return replace(
        whole, Z=Z, T=T, weight=weight / weight.mean(), fold=fold, cluster=code, forward=time is not None
    )


def _commonest(T: Float) -> float:
    """Return how many outcomes are of the commonest class."""
    total = T.sum(axis=0)
    return float(max(total.max(), len(T) - total.sum())) if T.shape[1] == 1 else float(total.max())
