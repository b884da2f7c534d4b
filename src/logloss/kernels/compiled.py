"""The compiled twin of the oracle: the same surprises, one pass at memory speed.

# Design:
# a) Totals of unweighted probabilities use the product trick: -sum log q = -log prod q. Mantissas are multiplied
#    in LANES independent lanes; after every product the exponent bits are moved into an integer, so nothing under-
#    or overflows; one log per lane and block is left. Its error is about n u absolute (u = 2^-53), so a block
#    whose mean surprise is small (every q near 1) would lose relative accuracy: such a block, and a block with a
#    zero or subnormal q, is summed row by row with log and log1p instead.
# b) Per-row surprises use exp and log as polynomials in plain arithmetic, which the compiler vectorises; a call of
#    libm would not be. Their errors (about 1 ulp) are tested against mpmath.
# c) Nothing is validated, but totals count rows that are not clean (invalid, or a sum off one), so that the door
#    can look at the data properly only when there is something to see.
# d) All of it is in one file because the compiler's disk cache is invalidated per file.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

LANES = 16
BLOCK = 2048  # rows summed by one product; a multiple of LANES
SMALL_MEAN = (
    1e-3  # nats: below this mean surprise the product trick is left; its relative error is < u / SMALL_MEAN
)

LOG_2 = math.log(2.0)
LN2_HIGH = 6.93147180369123816490e-01  # log 2 in two parts: n * LN2_HIGH is exact for |n| < 2^11
LN2_LOW = 1.90821492927058770002e-10
MANTISSA = (1 << 52) - 1
ONE = 1023 << 52  # the bits of 1.0
SQRT_HALF = 0x3FE6A09E667F3BCD  # the bits of sqrt(1/2)
NORMAL = 2.2250738585072014e-308  # smallest normal float64
ROUND = 6755399441055744.0  # 1.5 * 2^52: adding it rounds to an integer, held in the low bits

# exp on [-log(2)/2, log(2)/2], degree 11: Chebyshev fit computed with 40 digits, relative error 3e-18.
E2, E3, E4, E5 = 0.5000000000000019, 0.1666666666666668, 0.04166666666648795, 0.008333333333319589
E6, E7, E8 = 0.0013888888952352863, 0.00019841269890076403, 2.4801485441561313e-05
E9, E10, E11 = 2.755724088722987e-06, 2.763265472252779e-07, 2.5110049204818658e-08
# log((1+s)/(1-s)) = 2s + s R(s^2): the minimax coefficients of Sun's fdlibm (e_log.c), error < 2^-58.
L1, L2, L3, L4 = 0.6666666666666735130, 0.3999999999940941908, 0.2857142874366239149, 0.2222219843214978396
L5, L6, L7 = 0.1818357216161805012, 0.1531383769920937332, 0.1479819860511658591

FUSE = {"contract", "nsz"}  # a*b + c in one rounding; the sign of zero does not matter
SUM = {"contract", "nsz", "reassoc"}  # partial sums in any order; NaN and inf keep their meaning
AS_WRITTEN = {
    "nsz"
}  # no reordering; said aloud because a function without flags inherits those of its caller


@intrinsic
def bits_of(_typing: Any, _x: Any) -> Any:
    """Reinterpret a float64 as its 64 bits."""

    def codegen(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.IntType(64))

    return types.int64(types.float64), codegen


@intrinsic
def float_of(_typing: Any, _bits: Any) -> Any:
    """Reinterpret 64 bits as a float64."""

    def codegen(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.DoubleType())

    return types.float64(types.int64), codegen


@njit(nogil=True, error_model="numpy", fastmath=FUSE)
def fast_exp(x, residue):
    """exp(x + residue), x clamped to [-708, 700]: x = n log 2 + r, exp(r) as a polynomial, n added to the exponent.

    It keeps flags of its own: sums taken in any order would undo the rounding trick.
    """
    x = -708.0 if x < -708.0 else x
    x = 700.0 if x > 700.0 else x
    t = x * 1.4426950408889634 + ROUND
    n = t - ROUND
    r = ((x - n * LN2_HIGH) - n * LN2_LOW) + residue
    q = E6 + r * (E7 + r * (E8 + r * (E9 + r * (E10 + r * E11))))
    p = 1.0 + r * (1.0 + r * (E2 + r * (E3 + r * (E4 + r * (E5 + r * q)))))
    return float_of(bits_of(p) + (bits_of(t) << 52))


@njit(inline="always", error_model="numpy")
def fast_log(x):
    """log(x) for finite x > 0: x = 2^k (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)), s = f / (2 + f), series in s^2."""
    subnormal = x < NORMAL
    b = bits_of(x * 18014398509481984.0 if subnormal else x)  # times 2^54
    k = (b - SQRT_HALF) >> 52
    f = float_of(b - (k << 52)) - 1.0
    n = float(k) - (54.0 if subnormal else 0.0)
    s = f / (2.0 + f)
    z = s * s
    w = z * z
    series = z * (L1 + w * (L3 + w * (L5 + w * L7))) + w * (L2 + w * (L4 + w * L6))
    half = 0.5 * f * f
    return n * LN2_HIGH - ((half - (s * (half + series) + n * LN2_LOW)) - f)


@njit(inline="always", error_model="numpy")
def fast_log1p(x):
    """log(1 + x) for x >= -1: log of the rounded u = 1 + x, plus the first-order term for what rounding lost."""
    u = 1.0 + x
    lost = x - (u - 1.0) if abs(x) < 1.0 else 1.0 - (u - x)
    return fast_log(u) + lost / u


# ---------------------------------------------------------------- binary


@njit(nogil=True, cache=True, error_model="numpy", fastmath=FUSE)
def binary_p(outcome, p, out):
    """out[i] = -log p_i where outcome is 1, -log1p(-p_i) where it is 0."""
    for i in range(p.shape[0]):
        x = np.float64(p[i])
        happened = outcome[i] == 1
        u = x if happened else 1.0 - x
        lost = 0.0 if happened else (1.0 - u) - x
        s = 0.0 - (fast_log(u) + lost / u)
        out[i] = np.inf if u <= 0.0 else s


@njit(nogil=True, cache=True, error_model="numpy", fastmath=FUSE)
def binary_logit(outcome, logit, out):
    """out[i] = softplus(-m) = max(-m, 0) + log1p(exp(-|m|)), m = (2y - 1) logit."""
    for i in range(logit.shape[0]):
        z = np.float64(logit[i])
        m = z if outcome[i] == 1 else -z
        a = -abs(m)
        a = -1000.0 if a < -1000.0 else a
        # exp(a) = exp(a/2 rounded to the grid of n) would lose accuracy: scale in two steps instead.
        t = a * 1.4426950408889634 + ROUND
        n = t - ROUND
        r = (a - n * LN2_HIGH) - n * LN2_LOW
        q = E6 + r * (E7 + r * (E8 + r * (E9 + r * (E10 + r * E11))))
        e = 1.0 + r * (1.0 + r * (E2 + r * (E3 + r * (E4 + r * (E5 + r * q)))))
        k = (bits_of(t) << 52) >> 52
        half = k >> 1
        e = e * float_of((half + 1023) << 52) * float_of((k - half + 1023) << 52)
        out[i] = (-m if m < 0.0 else 0.0) + fast_log1p(e) if m == m else np.nan


@njit(inline="always", error_model="numpy")
def block_by_log(outcome, p, start, stop):
    """Sum one block row by row: (nats over finite rows, infinite rows, rows not clean)."""
    nats = 0.0
    infinite = 0
    unclean = 0
    for i in range(start, stop):
        x = np.float64(p[i])
        y = outcome[i]
        if not ((x >= 0.0) and (x <= 1.0) and (y == 1 or y == 0)):
            unclean += 1
        elif (y == 1 and x == 0.0) or (y == 0 and x == 1.0):
            infinite += 1
        elif y == 1:
            nats -= math.log(x)
        else:
            nats -= math.log1p(-x)
    return nats, infinite, unclean


@njit(nogil=True, cache=True, error_model="numpy")
def binary_p_total(outcome, p):
    """Sum of binary surprises by the product trick: (nats over finite rows, infinite rows, rows not clean)."""
    rows = p.shape[0]
    whole = rows - rows % BLOCK
    nats, infinite, unclean = block_by_log(outcome, p, whole, rows)
    mantissa = np.empty(LANES)
    exponent = np.empty(LANES, np.int64)
    special = np.empty(LANES, np.int64)
    surprises = np.empty(BLOCK)
    for start in range(0, whole, BLOCK):
        for j in range(LANES):
            mantissa[j] = 1.0
            exponent[j] = 0
            special[j] = 0
        for i in range(start, start + BLOCK, LANES):
            for j in range(LANES):
                x = np.float64(p[i + j])
                y = outcome[i + j]
                q = x if y == 1 else 1.0 - x
                special[j] += not ((q >= NORMAL) & (x >= 0.0) & (x <= 1.0) & ((y == 1) | (y == 0)))
                b = bits_of(mantissa[j] * q)
                exponent[j] += b >> 52
                mantissa[j] = float_of((b & MANTISSA) | ONE)
        block = 0.0
        for j in range(LANES):
            block -= math.log(mantissa[j]) + (exponent[j] - 1023 * (BLOCK // LANES)) * LOG_2
        if special.sum() == 0 and block <= SMALL_MEAN * BLOCK:
            binary_p(outcome[start : start + BLOCK], p[start : start + BLOCK], surprises)
            mantissa[:] = 0.0
            for i in range(0, BLOCK, LANES):
                for j in range(LANES):
                    mantissa[j] += surprises[i + j]
            block = mantissa.sum()
        elif special.sum() > 0:
            block, more, bad = block_by_log(outcome, p, start, start + BLOCK)
            infinite += more
            unclean += bad
        nats += block
    return nats, infinite, unclean


# ---------------------------------------------------------------- K classes


@njit(nogil=True, error_model="numpy", fastmath=AS_WRITTEN)
def surprise_of_row(P, i, y, tolerance):
    """log1p(rest / p_y) for a row that sums to one within tolerance, else -log p_y."""
    p_y = max(np.float64(P[i, y]), 0.0)
    rest = 0.0
    for k in range(P.shape[1]):
        rest += np.float64(P[i, k]) if k != y else 0.0
    rest = max(rest, 0.0)
    if p_y == 0.0:
        return np.inf
    if not (abs(p_y + rest - 1.0) <= tolerance):
        return 0.0 - math.log(p_y)
    if p_y < 1e-290:
        return math.log(rest) - math.log(p_y)
    return math.log1p(rest / p_y)


@njit(nogil=True, cache=True, error_model="numpy")
def class_p(outcome, P, tolerance, out):
    """out[i] = surprise of row i from its K probabilities."""
    for i in range(P.shape[0]):
        out[i] = surprise_of_row(P, i, outcome[i], tolerance)


@njit(nogil=True, error_model="numpy", fastmath=AS_WRITTEN)
def rows_by_log(outcome, P, start, stop, tolerance):
    """Sum one block row by row: (nats over finite rows, infinite rows)."""
    nats = 0.0
    infinite = 0
    for i in range(start, stop):
        s = surprise_of_row(P, i, outcome[i], tolerance)
        if s == np.inf:
            infinite += 1
        else:
            nats += s
    return nats, infinite


@njit(nogil=True, cache=True, error_model="numpy", fastmath=SUM)
def class_p_total(outcome, P, tolerance):
    """Sum of K-class surprises: (nats over finite rows, infinite rows, rows not clean).

    A clean row has an outcome in 0..K-1, no negative entry, and a sum t within `tolerance` of one; it costs
    -log(p_y / t), and log t = d - d^2/2 + d^3/3 with d = t - 1. The products of p_y run in two lanes.
    """
    rows, K = P.shape
    nats = 0.0
    infinite = 0
    unclean = 0
    for start in range(0, rows, BLOCK):
        stop = min(start + BLOCK, rows)
        even = 1.0
        odd = 1.0  # products of p_y in two lanes: one would wait for its own last multiplication
        exponent = 0
        normalisers = 0.0
        special = 0
        strange = 0
        for i in range(start, stop):
            total = 0.0
            magnitude = 0.0  # differs from total when an entry is negative
            for k in range(K):
                v = np.float64(P[i, k])
                total += v
                magnitude += abs(v)
            d = total - 1.0
            y = outcome[i]
            known = (y >= 0) & (y < K)
            strange += not (known & (magnitude == total) & (abs(d) <= tolerance))
            normalisers += d * (1.0 - d * (0.5 - d * (1.0 / 3.0)))
            p_y = np.float64(P[i, y if known else 0])
            special += not (p_y >= NORMAL)
            b = bits_of(even * p_y)
            exponent += b >> 52
            even = odd
            odd = float_of((b & MANTISSA) | ONE)
        unclean += strange
        logs = math.log(even) + math.log(odd)
        exponent -= 1023 * (stop - start)
        block = normalisers - logs - exponent * LOG_2
        if strange == 0 and (special > 0 or not (block > SMALL_MEAN * (stop - start))):
            block, more = rows_by_log(outcome, P, start, stop, tolerance)
            infinite += more
        nats += block
    return nats, infinite, unclean


@njit(nogil=True, error_model="numpy", fastmath=AS_WRITTEN)
def two_difference(a, b):
    """(d, e) with d = a - b rounded and d + e exact; e = 0 where d is not finite or far out of range."""
    d = a - b
    back = d - a
    e = (a - (d - back)) - (b + back)
    return d, e if abs(d) < 1000.0 else 0.0


@njit(nogil=True, error_model="numpy", fastmath=SUM)
def rest_of_row(row, y):
    """sum_{k != y} exp(z_k - z_y), each exponent clamped to [-708, 700].

    The difference d is rounded; what it lost (Knuth's two-sum) goes into the exponential, which would
    otherwise be off by |d| u.
    """
    z_y = np.float64(row[y])
    rest = 0.0
    for k in range(row.shape[0]):
        e = fast_exp(*two_difference(np.float64(row[k]), z_y))
        rest += e if k != y else 0.0
    return rest


@njit(nogil=True, error_model="numpy")
def careful_row(row, y):
    """Surprise of one row whose logits are far apart or infinite: the largest term is left out of the sum."""
    z_y = np.float64(row[y])
    top = y
    for k in range(row.shape[0]):
        if np.float64(row[k]) > np.float64(row[top]) or row[k] != row[k]:
            top = k
    largest = np.float64(row[top])
    rest = 0.0
    for k in range(row.shape[0]):
        if k != top:
            d, e = two_difference(np.float64(row[k]), largest)
            rest += math.exp(d) * (1.0 + e)
    return (largest - z_y) + math.log1p(rest)


@njit(nogil=True, cache=True, error_model="numpy", fastmath=FUSE)
def class_logit(outcome, Z, out):
    """out[i] = log1p(sum_{k != y} exp(z_k - z_y)); extreme rows and NaN are done carefully."""
    rows = Z.shape[0]
    for i in range(rows):
        out[i] = rest_of_row(Z[i], outcome[i])
    for i in range(rows):
        rest = out[i]
        if (rest < 1e300) & (rest > 1e-300):
            out[i] = fast_log1p(rest)
        else:
            out[i] = careful_row(Z[i], outcome[i])
