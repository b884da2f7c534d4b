"""Where a difference lies: in what forecasts tell apart, or in how well their numbers are calibrated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.surprises import per_row
from logloss.why.decomposition import recalibrated_loss

if TYPE_CHECKING:
    from logloss.record import Observations

__all__ = ["where"]

MOST_FITTED = 20_000  # rows: of more, the maps are fitted on the rows themselves
FEWEST = 100


def where(a: Observations, b: Observations) -> dict[str, Any]:
    """Return miscalibration and sorting of a minus those of b, in nats: they add up to the difference.

    Sorting is minus discrimination: what the forecast's order of rows, recalibrated, costs more.
    """
    if len(a) < FEWEST:
        return {}
    weight = np.ones(len(a)) if a.weight is None else a.weight
    surprises = [per_row(one) for one in (a, b)]
    if not all(np.isfinite(s).all() for s in surprises):
        return {}
    (first, method), (second, _) = (recalibrated_loss(one, cross_fit=len(a) <= MOST_FITTED) for one in (a, b))
    sorting = first - second
    whole = float((weight * (surprises[0] - surprises[1])).sum() / weight.sum())
    return {"calibration": whole - sorting, "sorting": sorting, "parts_method": method}
