"""What the compiled passes gather of weights and surprises: moments, sums by group, a fingerprint."""

from __future__ import annotations

import numpy as np
from numba import njit

from logloss.kernels.compiled import AS_WRITTEN, SUM, bits_of


@njit(nogil=True, error_model="numpy", fastmath=SUM)
def central(w, s, n, mean_w, mean_x, out):
    """Central sums of (w, x = w s) over n finite rows with these means: ww, wx, xx, www, wwx, wxx, xxx."""
    ww = 0.0
    wx = 0.0
    xx = 0.0
    www = 0.0
    wwx = 0.0
    wxx = 0.0
    xxx = 0.0
    for i in range(w.shape[0]):
        inside = (w[i] > 0.0) & (s[i] < np.inf)
        u = w[i] - mean_w if inside else 0.0
        x = w[i] * s[i] - mean_x if inside else 0.0
        ww += u * u
        wx += u * x
        xx += x * x
        www += u * u * u
        wwx += u * u * x
        wxx += u * x * x
        xxx += x * x * x
    for at, value in enumerate((n, mean_w, mean_x, ww, wx, xx, www, wwx, wxx, xxx)):
        out[at] = value


@njit(nogil=True, error_model="numpy", fastmath=AS_WRITTEN)
def add_moments(a, b):
    """Add moments b to a, both as (n, means, central sums) of two columns: Pebay's formulas, see tally/moments.py."""
    if b[0] == 0.0:
        return
    n = a[0] + b[0]
    d = b[1] - a[1]
    e = b[2] - a[2]
    if a[0] == 0.0:
        d = 0.0
        e = 0.0
        a[1] = b[1]
        a[2] = b[2]
    both = a[0] * b[0] / n
    skew = both * (a[0] - b[0]) / n
    m_dd = (a[0] * b[3] - b[0] * a[3]) / n
    m_de = (a[0] * b[4] - b[0] * a[4]) / n
    m_ee = (a[0] * b[5] - b[0] * a[5]) / n
    a[6] += b[6] + skew * d * d * d + 3.0 * d * m_dd
    a[7] += b[7] + skew * d * d * e + 2.0 * d * m_de + e * m_dd
    a[8] += b[8] + skew * d * e * e + 2.0 * e * m_de + d * m_ee
    a[9] += b[9] + skew * e * e * e + 3.0 * e * m_ee
    a[3] += b[3] + both * d * d
    a[4] += b[4] + both * d * e
    a[5] += b[5] + both * e * e
    a[1] += d * (b[0] / n)
    a[2] += e * (b[0] / n)
    a[0] = n


@njit(nogil=True, error_model="numpy")
def fingerprint(outcome, w):
    """Sum of a hash of (outcome, bits of the weight) over the rows, modulo 2^64: the same in any order.

    The hash is the finaliser of SplitMix64 (Steele, Lea and Flood 2014).
    """
    total = np.uint64(0)
    for i in range(w.shape[0]):
        x = np.uint64(bits_of(w[i] + 0.0)) + np.uint64(0x9E3779B97F4A7C15) * np.uint64(outcome[i] + 1)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        total += x ^ (x >> np.uint64(31))
    return total


@njit(nogil=True, cache=True, error_model="numpy")
def by_group(group, outcome, w, s, n, mean, second, third, measures):
    """Fill n (G,), mean (G, 2), and central sums second (G, 2, 2), third (G, 2, 2, 2) of (w, w s) over finite rows.

    And measures (G, 4 + K): rows, weight, infinite rows, their weight, weight of each class.
    """
    for i in range(w.shape[0]):
        g = group[i]
        measures[g, 0] += 1.0
        measures[g, 1] += w[i]
        measures[g, 4 + outcome[i]] += w[i]
        if w[i] > 0.0:
            if s[i] < np.inf:
                n[g] += 1
                mean[g, 0] += w[i]
                mean[g, 1] += w[i] * s[i]
            else:
                measures[g, 2] += 1.0
                measures[g, 3] += w[i]
    for g in range(n.shape[0]):
        if n[g] > 0:
            mean[g, 0] /= n[g]
            mean[g, 1] /= n[g]
    sums = np.zeros((n.shape[0], 8))
    for i in range(w.shape[0]):
        if w[i] > 0.0 and s[i] < np.inf:
            g = group[i]
            u = w[i] - mean[g, 0]
            x = w[i] * s[i] - mean[g, 1]
            sums[g, 0] += u * u
            sums[g, 1] += u * x
            sums[g, 2] += x * x
            sums[g, 3] += u * u * u
            sums[g, 4] += u * u * x
            sums[g, 5] += u * x * x
            sums[g, 6] += x * x * x
    for g in range(n.shape[0]):
        for j in range(2):
            for k in range(2):
                second[g, j, k] = sums[g, j + k]
                for m in range(2):
                    third[g, j, k, m] = sums[g, 3 + j + k + m]
