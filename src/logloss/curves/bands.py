"""Bands for a reliability curve: where it would lie if the forecasts were right, or where the truth may lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from logloss.curves.binning import lower_limit, upper_limit
from logloss.stages import steps

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from logloss.curves.binning import Events, Pools

    Float = NDArray[np.float64]

__all__ = [
    "BY_ROWS",
    "MOST_BLOCKS",
    "band_by_counts",
    "confidence_band",
    "consistency_band",
    "draws_by_counts",
]

BY_ROWS = 20_000  # rows whose outcomes are drawn one by one
MOST_BLOCKS = 200  # points of a confidence band: it looks at every stretch of them


def consistency_band(
    groups: Pools, events: Events, order: NDArray[np.int64], starts: NDArray[np.int64],
    *, bands: int, level: float, seed: tuple[int, ...],
) -> tuple[Float, Float]:  # fmt: skip
    """Return the band, (low, high) at each group, that holds the curve of right forecasts with probability `level`.

    Outcomes are drawn `bands` times from the forecasts themselves, the isotonic curve is fitted anew to each, and the
    band is what lies between the outer quantiles, point by point (Dimitriadis, Gneiting, Jordan 2021, PNAS
    118:e2016191118).

    Up to 20,000 rows, and rows of equal weight in groups of equal forecasts, are drawn exactly. Otherwise the share
    of a group of m rows is drawn as that of the nearest whole number of rows of equal weight with one forecast that
    has the same mean and variance.

    Parameters
    ----------
    order, starts
        The order of the rows along the forecast, and where in it each group starts.
    """
    if draws_by_counts(groups, events):
        return band_by_counts(groups, bands=bands, level=level, seed=seed)
    rng = np.random.default_rng(seed)
    p, w = events.forecast[order], events.weight[order]
    drawn = (
        np.add.reduceat(np.where(rng.random(len(p)) < p, w, 0.0), starts) / groups.weight
        for _ in range(bands)
    )
    return _between(groups, drawn, bands, level)


def band_by_counts(groups: Pools, *, bands: int, level: float, seed: tuple[int, ...]) -> tuple[Float, Float]:
    """Return the consistency band with the outcomes of each group drawn together, as one count."""
    rng = np.random.default_rng(seed)
    count, p = _counts(groups)
    shares = rng.binomial(count.astype(np.int64), p, size=(bands, len(groups))) / count
    return _between(groups, shares, bands, level)


def _between(groups: Pools, drawn: Iterable[Float], bands: int, level: float) -> tuple[Float, Float]:
    """Return the outer quantiles of the isotonic curves through drawn shares, point by point."""
    from scipy.optimize import isotonic_regression

    told = steps(drawn, "drawing the band", "curves", total=bands)
    curves = np.array([isotonic_regression(share, weights=groups.weight).x for share in told])
    tail = 0.5 * (1.0 - level)
    low, high = np.clip(np.quantile(curves, [tail, 1.0 - tail], axis=0), 0.0, 1.0)
    return low, high


def draws_by_counts(groups: Pools, events: Events) -> bool:
    """Tell whether the outcomes of a group are drawn together, as one count."""
    return len(events.weight) > BY_ROWS or bool(
        np.ptp(events.weight) == 0 and len(groups) == _distinct(events)
    )


def _distinct(events: Events) -> int:
    return len(np.unique(events.key))


def _counts(groups: Pools) -> tuple[Float, Float]:
    """Return (count, probability) of binomial shares with the mean and variance of each group's, count whole."""
    p = np.clip(groups.forecast, 0.0, 1.0)
    same = groups.spread > 0
    count = np.where(same, p * (1.0 - p) * groups.weight**2 / np.where(same, groups.spread, 1.0), groups.rows)
    return np.maximum(np.round(count), 1.0), p


def confidence_band(groups: Pools, *, level: float) -> tuple[Float, Float]:
    """Return the band, (low, high) at each group, that holds all true shares together with probability `level`.

    For every stretch j..k of neighbouring groups, an exact binomial limit of its share bounds the truth of what
    lies before it from above and of what lies behind it from below, as the truth rises with the forecast; all
    N (N + 1) limits are held to level 1 - alpha together by Bonferroni. Valid and wide (Dimitriadis, Duembgen, Henzi,
    Puke, Ziegel 2023, Biometrika 110:663-680). Of a group of several forecasts the band holds the mean of the true shares.
    """
    N = len(groups)
    tail = (1.0 - level) / (N * (N + 1))
    weight, squares, events = (
        np.concatenate([[0.0], np.cumsum(column)])
        for column in (groups.weight, groups.squares, groups.weight * groups.share)
    )
    first, last = np.triu_indices(N)
    mass = weight[last + 1] - weight[first]
    count = mass**2 / (squares[last + 1] - squares[first])
    share = np.clip((events[last + 1] - events[first]) / mass, 0.0, 1.0)
    low, high = np.zeros((N, N)), np.ones((N, N))
    high[first, last] = upper_limit(share * count, count, tail)
    low[first, last] = lower_limit(share * count, count, tail)
    upper = np.minimum.accumulate(high.min(axis=1)[::-1])[::-1]
    return np.maximum.accumulate(low.max(axis=0)), upper
