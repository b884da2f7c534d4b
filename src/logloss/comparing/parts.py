"""Where a difference lies: in what forecasts tell apart, or in how well their numbers are calibrated."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from logloss.why.decomposition import of_record

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
    crossed = len(a) <= MOST_FITTED
    first, second = (of_record(one, cross_fit=crossed) for one in (a, b))
    if math.isinf(first.log_loss) or math.isinf(second.log_loss):
        return {}
    one, other = (found.cross_fitted or found.in_sample for found in (first, second))
    method = f"{first.method}, {'cross-fitted' if first.cross_fitted else 'in sample'}"
    return {
        "calibration": one.miscalibration - other.miscalibration,
        "sorting": other.discrimination - one.discrimination,
        "parts_method": method,
    }
