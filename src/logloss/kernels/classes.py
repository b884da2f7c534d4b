"""The columns of rows of K probabilities, compiled: what a summary needs of each row, without tables of rows by classes.

The twin of `surprises.columns_of`, which says it with NumPy; one row at a time, all its classes in cache.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from logloss.kernels.compiled import AS_WRITTEN, surprise_of_row

HOW_MANY = 11  # columns, in the order in which they are filled


@njit(nogil=True, cache=True, error_model="numpy", fastmath=AS_WRITTEN)
def class_p_columns(outcome, P, within, low, high, out, predicted):
    """Fill out (11, n): surprise, given, rounded, renormalized, keras, entropy, variance, brier, odds, p, certain."""
    K = P.shape[1]
    s = np.empty(K)
    for i in range(P.shape[0]):
        top = 0
        total = 0.0
        for k in range(K):
            total += np.float64(P[i, k])
            if P[i, k] > P[i, top]:
                top = k
        largest = np.float64(P[i, top])
        rest = 0.0
        certain = 0.0
        for k in range(K):
            p = np.float64(P[i, k])
            rest += p if k != top else 0.0
            certain = 1.0 if p == 1.0 else certain
            s[k] = np.inf if p == 0.0 else 0.0 - math.log(p)
        rest = max(rest, 0.0)
        if abs(largest + rest - 1.0) <= within:
            s[top] = math.log1p(rest / largest)
        entropy = 0.0
        squares = 0.0
        for k in range(K):
            p = np.float64(P[i, k])
            entropy += p * s[k] if p > 0.0 else 0.0
            squares += p * p
        variance = 0.0
        for k in range(K):
            p = np.float64(P[i, k])
            variance += p * (s[k] - entropy) * (s[k] - entropy) if p > 0.0 else 0.0
        y = outcome[i]
        p_y = np.float64(P[i, y])
        narrow = np.float64(np.float32(p_y))
        clipped = np.float64(np.float32(p_y / total))
        clipped = min(max(clipped, low), high)
        predicted[i] = top
        out[0, i] = surprise_of_row(P, i, y, within)
        out[1, i] = s[y]
        out[2, i] = np.inf if narrow == 0.0 else 0.0 - math.log(narrow)
        out[3, i] = s[y] + math.log(total)
        out[4, i] = 0.0 - math.log(clipped)
        out[5, i] = entropy
        out[6, i] = variance
        out[7, i] = squares - p_y * p_y + (1.0 - p_y) * (1.0 - p_y)
        out[8, i] = np.inf if rest == 0.0 else -s[top] - math.log(rest)
        out[9, i] = largest
        out[10, i] = certain
