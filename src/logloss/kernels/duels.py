"""Paired differences of several forecasts, compiled: every sum that a comparison needs, block by block in cache.

# Design:
# a) Surprises come in rows of a matrix (M, n), one forecast after the other; how they came about does not matter here.
# b) A block of ROWS rows is taken through every forecast and every pair, each in loops of its own that the compiler can
#    vectorise; moments of a block are central, and are added to those before it by Pebay's formulas.
# c) Clipping changes nothing in a block whose surprises all lie within the limits: most blocks, for most limits.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from logloss.kernels.compiled import FUSE, SUM, bits_of, fast_log, float_of
from logloss.kernels.gathers import add_moments

ROWS = 1024  # rows of a block
# Of a pair: rows and weight by which of both is better, sum w |d|; then rows and weight that are infinite under the
# first alone, the second alone, both.
BETTER_A, BETTER_B, WEIGHT_A, WEIGHT_B, MOVED, ONLY_A, ONLY_A_WEIGHT, ONLY_B, ONLY_B_WEIGHT, BOTH, BOTH_WEIGHT = (
    range(11)
)  # fmt: skip


@njit(nogil=True, cache=True, error_model="numpy", fastmath=FUSE)
def surprises(outcome, p, out):
    """Fill out with -log p_i where outcome is 1, -log1p(-p_i) where it is 0; return how many rows are not clean."""
    unclean = 0
    for i in range(p.shape[0]):
        x = np.float64(p[i])
        q = 1.0 - x
        happened = outcome[i] == 1
        u = x if happened else q
        lost = 0.0 if happened else (1.0 - u) - x
        s = 0.0 - (fast_log(u) + lost / u)
        out[i] = np.inf if u <= 0.0 else s
        unclean += not ((x >= 0.0) & (q >= 0.0) & ((outcome[i] == 1) | (outcome[i] == 0)))
    return unclean


@njit(nogil=True, error_model="numpy", fastmath=SUM)
def central_of(w, x, inside, n, mean_w, mean_x, out):
    """Central sums of (w, x) over the n rows inside: ww, wx, xx, www, wwx, wxx, xxx."""
    ww = 0.0
    wx = 0.0
    xx = 0.0
    www = 0.0
    wwx = 0.0
    wxx = 0.0
    xxx = 0.0
    for i in range(w.shape[0]):
        u = (w[i] - mean_w) * inside[i]
        v = (x[i] - mean_x) * inside[i]
        ww += u * u
        wx += u * v
        xx += v * v
        www += u * u * u
        wwx += u * u * v
        wxx += u * v * v
        xxx += v * v * v
    for at, value in enumerate((n, mean_w, mean_x, ww, wx, xx, www, wwx, wxx, xxx)):
        out[at] = value


@njit(nogil=True, error_model="numpy", fastmath=SUM)
def central_alone(x, mean_x, out):
    """Do the same where every weight is 1 and every row inside."""
    xx = 0.0
    xxx = 0.0
    for i in range(x.shape[0]):
        v = x[i] - mean_x
        xx += v * v
        xxx += v * v * v
    for at, value in enumerate((float(x.shape[0]), 1.0, mean_x, 0.0, 0.0, xx, 0.0, 0.0, 0.0, xxx)):
        out[at] = value


@njit(nogil=True, error_model="numpy", fastmath=SUM)
def of_model(w, s, inside, x):
    """Fill inside (1 where a row counts and is finite) and x = w s; return n, weight, nats, and how many are infinite."""
    n = 0.0
    weight = 0.0
    nats = 0.0
    counted = 0.0
    for i in range(w.shape[0]):
        counts = 1.0 if w[i] > 0.0 else 0.0
        one = counts if s[i] < np.inf else 0.0
        v = w[i] * s[i] if s[i] < np.inf else 0.0
        inside[i] = one
        x[i] = v
        n += one
        weight += w[i] * one
        nats += v
        counted += counts
    return n, weight, nats, counted - n


@njit(nogil=True, error_model="numpy", fastmath=SUM)
def total_of(s):
    """Return the sum."""
    total = 0.0
    for i in range(s.shape[0]):
        total += s[i]
    return total


@njit(nogil=True, error_model="numpy")
def lost_weight(w, s):
    """Return the weight of infinite rows."""
    total = 0.0
    for i in range(w.shape[0]):
        if s[i] == np.inf:
            total += w[i]
    return total


@njit(nogil=True, error_model="numpy", fastmath=SUM)
def extremes(s):
    """Return the least and the greatest of numbers that are not negative: their bits are in the same order."""
    least = bits_of(np.inf)
    most = 0
    for i in range(s.shape[0]):
        bits = bits_of(s[i])
        least = min(least, bits)
        most = max(most, bits)
    return float_of(least), float_of(most)


@njit(nogil=True, error_model="numpy", fastmath=SUM)
def any_beyond(x, low, high):
    """Tell whether some x is below low, and whether some is above high."""
    below = 0.0
    above = 0.0
    for i in range(x.shape[0]):
        below += 1.0 if x[i] < low else 0.0
        above += 1.0 if x[i] > high else 0.0
    return below > 0.0, above > 0.0


@njit(nogil=True, error_model="numpy", fastmath=SUM)
def clamped(w, s, low, high):
    """Return the sum of w times s, clamped into [low, high]."""
    nats = 0.0
    for i in range(w.shape[0]):
        nats += w[i] * min(max(s[i], low), high)
    return nats


@njit(nogil=True, error_model="numpy", fastmath=SUM)
def of_pair(w, a, b, inside, x, sums):
    """Fill inside (1 where a row counts and both are finite) and x = w (a - b); return n, weight, sum."""
    n = 0.0
    weight = 0.0
    total = 0.0
    first = 0.0
    second = 0.0
    first_weight = 0.0
    second_weight = 0.0
    moved = 0.0
    for i in range(w.shape[0]):
        finite = (a[i] < np.inf) & (b[i] < np.inf)
        counts = 1.0 if w[i] > 0.0 else 0.0
        one = counts if finite else 0.0
        d = (a[i] - b[i]) if finite else 0.0
        v = w[i] * d
        inside[i] = one
        x[i] = v
        n += one
        weight += w[i] * one
        total += v
        first += counts if d < 0.0 else 0.0
        second += counts if d > 0.0 else 0.0
        first_weight += w[i] if d < 0.0 else 0.0
        second_weight += w[i] if d > 0.0 else 0.0
        moved += abs(v)
    for at, value in enumerate((first, second, first_weight, second_weight, moved)):
        sums[at] += value
    return n, weight, total


@njit(nogil=True, error_model="numpy", fastmath=SUM)
def of_plain_pair(a, b, x, sums, out):
    """Do what of_pair and central_of do where every weight is 1 and every surprise finite: most blocks of most tables."""
    total = 0.0
    first = 0.0
    second = 0.0
    moved = 0.0
    for i in range(a.shape[0]):
        d = a[i] - b[i]
        x[i] = d
        total += d
        first += 1.0 if d < 0.0 else 0.0
        second += 1.0 if d > 0.0 else 0.0
        moved += abs(d)
    for at, value in enumerate((first, second, first, second, moved)):
        sums[at] += value
    central_alone(x, total / a.shape[0], out)


@njit(nogil=True, error_model="numpy")
def lost_of_pair(w, a, b, sums):
    """Add the rows that are infinite under one or both."""
    for i in range(w.shape[0]):
        if w[i] > 0.0:
            at = -1
            if a[i] == np.inf:
                at = BOTH if b[i] == np.inf else ONLY_A
            elif b[i] == np.inf:
                at = ONLY_B
            if at >= 0:
                sums[at] += 1.0
                sums[at + 1] += w[i]


@njit(nogil=True, error_model="numpy")
def largest(x, sign, start, keys, at):
    """Keep the rows with the largest sign x in `keys` (descending; the earlier row first of equals) and `at`."""
    k = keys.shape[0]
    for i in range(x.shape[0]):
        key = sign * x[i]
        if key > keys[k - 1]:
            j = k - 1
            while j > 0 and keys[j - 1] < key:
                keys[j] = keys[j - 1]
                at[j] = at[j - 1]
                j -= 1
            keys[j] = key
            at[j] = start + i


@njit(nogil=True, cache=True, error_model="numpy")
def duels(s, w, lows, highs, models, model_sums, pairs, pair_sums, keys, at):
    """Add rows with surprises s (M, n) and weights w (n,), none negative, to the tallies.

    Moments (n, means, central sums) of (w, w s) by forecast (M, 10) and of (w, w d) by pair (P, 10); sums by forecast
    (M, 2 + E): rows and weight that are infinite, w s clamped into each of the limits (E,); sums by pair (P, 11); the
    rows of each pair with the most negative and the most positive w d: keys, at (P, 2, k), zeros and -1 where there are none.
    """
    M = s.shape[0]
    last = keys.shape[2] - 1
    inside = np.empty(ROWS)
    x = np.empty(ROWS)
    of_block = np.empty(10)
    has = np.empty(M)
    unit = True
    for i in range(w.shape[0]):
        unit &= w[i] == 1.0
    for start in range(0, w.shape[0], ROWS):
        stop = min(start + ROWS, w.shape[0])
        m = stop - start
        w_ = w[start:stop]
        for j in range(M):
            s_ = s[j, start:stop]
            least, most = extremes(s_)
            if unit and most < np.inf:
                has[j] = 0.0
                nats = total_of(s_)
                central_alone(s_, nats / m, of_block)
                add_moments(models[j], of_block)
            else:
                n, weight, nats, has[j] = of_model(w_, s_, inside[:m], x[:m])
                if has[j] > 0.0:
                    model_sums[j, 0] += has[j]
                    model_sums[j, 1] += lost_weight(w_, s_)
                if n > 0.0:
                    central_of(w_, x[:m], inside[:m], n, weight / n, nats / n, of_block)
                    add_moments(models[j], of_block)
            for e in range(lows.shape[0]):
                if least >= lows[e] and most <= highs[e]:
                    model_sums[j, 2 + e] += nats
                else:
                    model_sums[j, 2 + e] += clamped(w_, s_, lows[e], highs[e])
        c = 0
        for j in range(M):
            for k in range(j + 1, M):
                a = s[j, start:stop]
                b = s[k, start:stop]
                if unit and has[j] + has[k] == 0.0:
                    of_plain_pair(a, b, x[:m], pair_sums[c], of_block)
                    add_moments(pairs[c], of_block)
                else:
                    n, weight, total = of_pair(w_, a, b, inside[:m], x[:m], pair_sums[c])
                    if n > 0.0:
                        central_of(w_, x[:m], inside[:m], n, weight / n, total / n, of_block)
                        add_moments(pairs[c], of_block)
                    if has[j] + has[k] > 0.0:
                        lost_of_pair(w_, a, b, pair_sums[c])
                first, second = any_beyond(x[:m], -keys[c, 0, last], keys[c, 1, last])
                if first:
                    largest(x[:m], -1.0, start, keys[c, 0], at[c, 0])
                if second:
                    largest(x[:m], 1.0, start, keys[c, 1], at[c, 1])
                c += 1


@njit(nogil=True, cache=True, error_model="numpy")
def by_group(group, s, w, out):
    """Add to out (G, 2 + 3 M): rows and weight that count; of each forecast nats of finite rows, infinite rows, their weight."""
    for i in range(w.shape[0]):
        if w[i] > 0.0:
            g = group[i]
            out[g, 0] += 1.0
            out[g, 1] += w[i]
            for j in range(s.shape[0]):
                if s[j, i] < np.inf:
                    out[g, 2 + 3 * j] += w[i] * s[j, i]
                else:
                    out[g, 3 + 3 * j] += 1.0
                    out[g, 4 + 3 * j] += w[i]


@njit(nogil=True, error_model="numpy", fastmath=SUM)
def product(a, b, out):
    """Fill out with a b; return its sum."""
    total = 0.0
    for i in range(a.shape[0]):
        out[i] = a[i] * b[i]
        total += out[i]
    return total


@njit(nogil=True, error_model="numpy", fastmath=SUM)
def dot(a, b):
    """Return the sum of a b."""
    total = 0.0
    for i in range(a.shape[0]):
        total += a[i] * b[i]
    return total


@njit(nogil=True, cache=True, error_model="numpy")
def joint(columns, mean, second, third):
    """Add to second (d, d) and third (d, d, d) the central sums of columns (d, n) about their means, for i <= j <= k."""
    d = columns.shape[0]
    centred = np.empty((d, ROWS))
    both = np.empty(ROWS)
    for start in range(0, columns.shape[1], ROWS):
        m = min(ROWS, columns.shape[1] - start)
        for i in range(d):
            for r in range(m):
                centred[i, r] = columns[i, start + r] - mean[i]
        for i in range(d):
            for j in range(i, d):
                second[i, j] += product(centred[i, :m], centred[j, :m], both[:m])
                for k in range(j, d):
                    third[i, j, k] += dot(both[:m], centred[k, :m])
