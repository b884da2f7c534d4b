"""The decisions that recalibrated forecasts ask for, each row's under a map that was fitted without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from logloss.calibrate.odds import probabilities
from logloss.deciding.policies import RECALIBRATED
from logloss.fixing.recalibration import of_record as fixed
from logloss.stages import staged
from logloss.surprises import class_blocks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logloss.deciding.policies import Taken
    from logloss.deciding.utilities import Utilities
    from logloss.notes import Note
    from logloss.record import Observations

    Float = NDArray[np.float64]

__all__ = ["Recalibrated", "recalibrated"]


@dataclass(frozen=True, eq=False)
class Recalibrated:
    """The map that was chosen, "identity" where none certainly helps; what its forecasts ask for; what is to be said."""

    chosen: str
    taken: Taken | None
    notes: tuple[Note, ...]


@staged("recalibrating")
def recalibrated(
    record: Observations, labelled: NDArray[np.bool_], utilities: Utilities, level: float
) -> Recalibrated:
    """Recalibrate the rows with an outcome, cross-fitted, the others by the map of all of these; decide by the result."""
    known = record if labelled.all() else record.take(labelled)
    made = fixed(known, level=level)
    if made.chosen == "identity" or made.held is None:
        return Recalibrated("identity", None, made.notes)
    held = made.held()
    P = np.empty((len(record), len(record.classes)))
    P[labelled] = probabilities(held) if held.shape[1] > 1 else _of_two(probabilities(held)[:, 0], held)
    if not labelled.all():
        new = made.map.apply(record.forecast[~labelled], space=record.space, out="p")
        P[~labelled] = np.column_stack([1.0 - new, new]) if new.ndim == 1 else new
    action, expected = utilities.best(P)
    realised = np.zeros(len(P))
    for part, _, t in class_blocks(record):
        for k in range(t.shape[1]):
            realised[part] += t[:, k] * utilities.values[action[part], k]
    return Recalibrated(made.chosen, (RECALIBRATED, action, expected, realised), made.notes)


def _of_two(second: Float, odds: Float) -> Float:
    """Return the probabilities of both classes from log-odds (n, 1) of the second."""
    return np.column_stack([probabilities(-odds)[:, 0], second])
