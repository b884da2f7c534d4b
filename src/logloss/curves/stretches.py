"""Thresholds in words: which ones a table shows, and at which of them something holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]

__all__ = ["picked", "said", "threshold"]

SHOWN = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
MOST = 14  # rows of a table
MOST_STRETCHES = 3


def picked(thresholds: Float) -> NDArray[np.int64]:
    """Return positions of the thresholds that a table of one screen shows.

    >>> picked(np.arange(1, 100) / 100)[:4].tolist(), picked(np.array([0.3, 0.4])).tolist()
    ([0, 1, 4, 9], [0, 1])
    """
    if len(thresholds) <= MOST:
        return np.arange(len(thresholds))
    round_ones = np.flatnonzero(np.isin(thresholds, SHOWN))
    if len(round_ones) >= MOST // 2:
        return round_ones
    return np.unique(np.rint(np.linspace(0, len(thresholds) - 1, MOST - 2)).astype(np.int64))


def threshold(value: float) -> str:
    """Return a threshold in at most four digits, never rounded to 0 or 1.

    >>> threshold(0.25), threshold(1 / 11), threshold(1e-7), threshold(0.9999999)
    ('0.25', '0.09091', '1e-07', '1 - 1e-07')
    """
    if 0.999 < value < 1:
        return f"1 - {1 - value:.3g}"
    return f"{value:.4g}"


def said(thresholds: Float, holds: NDArray[np.bool_]) -> str:
    """Say at which of the thresholds something holds.

    >>> said(np.array([0.1, 0.2, 0.3, 0.4]), np.array([True, True, False, True]))
    'at 0.1 to 0.2 and 0.4'
    """
    if not holds.any():
        return "at none"
    if holds.all():
        return "at every threshold looked at" if len(holds) > 1 else f"at {threshold(thresholds[0])}"
    edge = np.flatnonzero(np.diff(np.concatenate([[0], holds.astype(np.int8), [0]])))
    found = [
        threshold(thresholds[start])
        if start == end - 1
        else f"{threshold(thresholds[start])} to {threshold(thresholds[end - 1])}"
        for start, end in edge.reshape(-1, 2)
    ]
    more = len(found) - MOST_STRETCHES
    if more > 0:
        found = [*found[:MOST_STRETCHES], f"{more} more stretch{'es' if more > 1 else ''}"]
    return f"at {found[0]}" if len(found) == 1 else f"at {', '.join(found[:-1])} and {found[-1]}"
