"""Rows of two classes in order of certainty or of the forecast, on two cores: see :mod:`logloss.kernels.clips`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.kernels import _plain, as_forecast, as_outcome, both

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]
    Float = NDArray[np.float64]

__all__ = ["clip_curve", "levels"]


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

    both(lambda: work(slice(0, half)), lambda: work(slice(half, len(q))))
    out = np.empty((4, len(q)))
    count, total = clips.merged_curve(keys[:half], keys[half:], *out)
    t, wrong, right, rest = out[:, :count]
    return t, wrong, right, rest, float(total)


def levels(at: Float, share: Float, weight: Float | None) -> tuple[Float, Float, Float]:
    """Pool rows with equal forecasts.

    Parameters
    ----------
    at, share, weight
        Forecasts on any increasing scale, shares of class 1, weights > 0 (None: 1 each), shape (n,); none missing.

    Returns
    -------
    at, weight, share
        Distinct forecasts, ascending; the sum of weights and the mean share at each.
    """
    from logloss.kernels import clips

    x, t = _plain(np.asarray(at, np.float64)), _plain(np.asarray(share, np.float64))
    out = np.empty((3, len(x)))
    equal = weight is None or bool((weight == weight[:1]).all())
    keys = np.empty(len(x)) if equal else out[0]
    zeros = clips.by_class(x, t, keys) if equal else -1
    if zeros >= 0:
        no, yes = keys[:zeros], keys[zeros:]
        both(no.sort, yes.sort)
        count = clips.merged_levels(no, yes, *out)
        if weight is not None:
            out[1, :count] *= weight[:1]
    else:
        w = _plain(np.ones(len(x)) if weight is None else np.asarray(weight, np.float64))
        count = clips.ordered_levels(np.argsort(x), x, t, w, *out)
    kept = out[:, :count] if 2 * count > len(x) else out[:, :count].copy()
    return kept[0], kept[1], kept[2]
