"""What a race gained, and whether that is certain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from logloss.fixing.race import Field, Race, gain_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logloss.interval import Interval

    Float = NDArray[np.float64]

__all__ = ["certain", "gain_between"]

ENOUGH = 5  # rows that differ; with fewer, the spread of a gain cannot be seen
ROUNDING = 1e-12  # nats: forecasts that differ less are the same


def gain_between(rows: Field, before: Float, after: Float, level: float) -> Interval | None:
    """Return the mean gain with its interval; None where a loss is infinite, or too few rows differ to see the spread."""
    if not (np.isfinite(before).all() and np.isfinite(after).all()):
        return None
    if int((np.abs(before - after) > ROUNDING).sum()) < ENOUGH:
        return None
    return gain_of(before, after, rows.weight, rows.cluster, level)


def certain(race: Race, span: Interval | None) -> bool:
    """Tell whether what was chosen is certainly better than nothing: its interval excludes 0, or an infinite loss ends."""
    if race.leader == "identity":
        return False
    endless = np.isinf(race.losses["identity"])
    if endless.any():
        return not np.isinf(race.nested).any() and not np.isinf(race.losses[race.leader]).any()
    return span is not None and span.low > 0
