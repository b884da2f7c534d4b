"""Held-out forecasts of the rows of a race, as they are written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logloss.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from logloss.fixing.results import Fix
    from logloss.record import Space

    Float = NDArray[np.float64]

__all__ = ["held_out"]


def held_out(result: Fix, out: Space | None = None) -> Float:
    """Return the forecasts of the rows, each under a map that was fitted without it, in their own space or another."""
    if result.held is None or result.observations is None:
        raise UsageError(
            "no-held-out",
            "These rows were passed over batch by batch; they are not held in memory.",
            cure="Fix fewer rows at once; or apply the map to rows that it was not fitted on.",
        )
    record = result.observations
    written: Float = result.map.unmapped(
        result.held(), record.space if out is None else out, one=record.binary
    )
    return written
