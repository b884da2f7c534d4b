"""The rows of two classes in order, compiled: what the exact curve of the clip, and isotonic regression, start from.

For the clip the order is that of certainty. A row is one number: the bits of t = min(p, 1 - p), which sort as t does as long as t >= 0, moved up by one to make room
for whether the less likely class happened. Two halves are sorted apart, on two cores, and merged here. For isotonic
regression the order is that of the forecast, and the two parts that are sorted apart are the two classes.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from logloss.kernels.compiled import AS_WRITTEN, bits_of, float_of


@njit(nogil=True, error_model="numpy", fastmath=AS_WRITTEN, cache=True)
def keys_of(y, p, out):
    """Keys of rows with outcomes y (0, 1) and probabilities p of 1."""
    for i in range(p.shape[0]):
        q = np.float64(p[i])
        t = q if q < 0.5 else 1.0 - q
        wrong = y[i] == 1 if q < 0.5 else y[i] != 1
        out[i] = (np.uint64(bits_of(t)) << np.uint64(1)) | np.uint64(1 if wrong else 0)


@njit(nogil=True, error_model="numpy", fastmath=AS_WRITTEN, cache=True)
def merged_curve(a, b, t, wrong, right, rest):
    """Merge two sorted runs of keys; fill distinct t, cumulative counts up to it, and the nats of all rows above it.

    Return how many distinct t there are, and the nats of all rows (inf where a t of 0 was wrong).
    """
    i = 0
    j = 0
    n = a.shape[0]
    m = b.shape[0]
    k = -1
    last = np.uint64(0)
    bad = 0.0
    good = 0.0
    while i < n or j < m:
        if j >= m or (i < n and a[i] <= b[j]):
            key = a[i]
            i += 1
        else:
            key = b[j]
            j += 1
        at = key >> np.uint64(1)
        if k < 0 or at != last:
            if k >= 0:
                wrong[k] = bad
                right[k] = good
            k += 1
            t[k] = float_of(np.int64(at))
            last = at
        if key & np.uint64(1):
            bad += 1.0
        else:
            good += 1.0
    if k < 0:
        return 0, 0.0
    wrong[k] = bad
    right[k] = good
    nats = 0.0
    lost = False
    for at in range(k, -1, -1):
        rest[at] = nats
        less_w = wrong[at - 1] if at else 0.0
        less_r = right[at - 1] if at else 0.0
        if wrong[at] > less_w:
            if t[at] > 0.0:
                nats -= (wrong[at] - less_w) * math.log(t[at])
            else:
                lost = True
        if right[at] > less_r:
            nats -= (right[at] - less_r) * math.log1p(-t[at])
    return k + 1, np.inf if lost else nats


@njit(nogil=True, error_model="numpy", fastmath=AS_WRITTEN, cache=True)
def by_class(at, share, out):
    """Put the forecasts of class 0 first into `out` and those of class 1 last; return how many are 0, or -1 if shares."""
    low = 0
    high = at.shape[0]
    for i in range(at.shape[0]):
        if share[i] == 0.0:
            out[low] = at[i]
            low += 1
        elif share[i] == 1.0:
            high -= 1
            out[high] = at[i]
        else:
            return -1
    return low


@njit(nogil=True, error_model="numpy", fastmath=AS_WRITTEN, cache=True)
def merged_levels(a, b, at, weight, share):
    """Merge the sorted forecasts of two classes; fill distinct ones, rows and share of class 1; return how many."""
    i = 0
    j = 0
    k = 0
    while i < a.shape[0] or j < b.shape[0]:
        no = i
        yes = j
        if j >= b.shape[0] or (i < a.shape[0] and a[i] <= b[j]):
            level = a[i]
            i += 1
        else:
            level = b[j]
            j += 1
        while i < a.shape[0] and a[i] == level:
            i += 1
        while j < b.shape[0] and b[j] == level:
            j += 1
        at[k] = level
        weight[k] = (i - no) + (j - yes)
        share[k] = (j - yes) / weight[k]
        k += 1
    return k


@njit(nogil=True, error_model="numpy", fastmath=AS_WRITTEN, cache=True)
def ordered_levels(order, x, t, w, at, weight, share):
    """Go through rows in their order; fill distinct forecasts, their weight and mean share; return how many."""
    k = -1
    mass = 0.0
    told = 0.0
    for i in order:
        if k < 0 or x[i] != at[k]:
            if k >= 0:
                weight[k] = mass
                share[k] = told / mass
            k += 1
            at[k] = x[i]
            mass = 0.0
            told = 0.0
        mass += w[i]
        told += w[i] * t[i]
    if k >= 0:
        weight[k] = mass
        share[k] = told / mass
    return k + 1
