"""Why the winner of a race won, or why nothing did, in one sentence or two; what a user of the map should know."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from logloss import units
from logloss.calibrate.maps import Quadratic, Scaling
from logloss.notes import Note

if TYPE_CHECKING:
    from logloss.calibrate.fitted import FittedMap
    from logloss.fixing.results import Tried

__all__ = ["reason", "remarks"]


def reason(
    chosen: str,
    leader: str,
    candidates: tuple[Tried, ...],
    gain: float,
    span: tuple[float, float] | None,
    folds: int,
) -> str:
    """Return why the winner won, or why nothing did."""
    by_name = {one.name: one for one in candidates}
    finite = [one for one in candidates if math.isfinite(one.log_loss)]
    least = min(finite, key=lambda one: one.log_loss).name if finite else leader
    interval = "" if span is None else f" ({units.signed(span[0])} to {units.signed(span[1])})"
    if chosen == "identity":
        if leader == "identity":
            return "Do nothing: no map is certainly better than the forecasts as they are; of those within one standard error of the best, that is the simplest."
        told = (
            f"what the other rows chose gains {units.signed(gain)}{interval} on rows that had no part in it"
            if math.isfinite(gain)
            else "no map is better on all rows"
        )
        return f"Do nothing: {told}, and that interval does not exclude 0."
    plain = f"{chosen} ({by_name[chosen].said})"
    if chosen == least:
        first = f"Chosen: {plain}: no other map has a lower loss on rows it was not fitted on, and no simpler one is within one standard error of it."
    else:
        first = f"Chosen: {plain}: the simplest within one standard error of {least}, which has the lowest held-out loss."
    if math.isinf(gain):
        return f"{first} The loss as given is infinite, and after it finite."
    return f"{first} Choosing without each fold ({by_name[chosen].picked} of {folds} folds choose it too) and applying it there gains {units.signed(gain)}{interval}."


def remarks(result: FittedMap, how: str | None) -> list[Note]:
    """Say what a user of the map should know."""
    notes = []
    if how is not None:
        then = f" The map was then {how}." if how else ""
        notes.append(Note("raced-on-sample", f"The race was run on a random sample of the rows.{then}"))  # fmt: skip
    turns = [step.turns() for step in result.steps if isinstance(step, Quadratic)]
    notes += [
        Note("not-monotone", f"The parabola turns round at log-odds of {turn:.3g}: beyond, a higher forecast becomes a lower one. maps= without 'quadratic' leaves it out.")
        for turn in turns
        if turn is not None and abs(turn) < 20
    ]  # fmt: skip
    slopes = [step.slope for step in result.steps if isinstance(step, Scaling)]
    if slopes and np.prod(slopes, axis=0).min() > 1.0:
        notes.append(Note("sharpens", "The map makes forecasts more certain. Forecasts of rows that a model was trained on often look as if they needed that: be sure that it has not seen these."))  # fmt: skip
    return notes
