"""Rows of two classes in the order of their certainty, sorted on two cores: see :mod:`logloss.kernels.clips`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.kernels import as_forecast, as_outcome, pool

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]
    Float = NDArray[np.float64]

__all__ = ["clip_curve"]


def clip_curve(outcome: Array, p: Array) -> tuple[Float, Float, Float, Float, float]:
    """Return the rows of two classes in ascending order of t = min(p, 1 - p), pooled by equal t.

    Parameters
    ----------
    outcome, p
        0 or 1 (1: the class that p is about), and probabilities, shape (n,).

    Returns
    -------
    t, wrong, right, rest, total
        Distinct t; how many rows up to it had the less likely class happen, and the more likely one; nats of all rows
        above it; nats of all rows.
    """
    from logloss.kernels import clips

    y, q = as_outcome(outcome), as_forecast(p)
    keys = np.empty(len(q), np.uint64)
    half = len(q) // 2

    def work(part: slice) -> None:
        clips.keys_of(y[part], q[part], keys[part])
        keys[part].sort()

    other = pool().submit(work, slice(half, len(q)))
    work(slice(0, half))
    other.result()
    out = np.empty((4, len(q)))
    count, total = clips.merged_curve(keys[:half], keys[half:], *out)
    t, wrong, right, rest = out[:, :count]
    return t, wrong, right, rest, float(total)
