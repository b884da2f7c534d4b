"""Value, slope and curvature of a recalibrated loss, compiled: one pass over the rows per step of a fit.

# Design:
# a) A hundred rows or so are turned into a tile with the classes down and the rows across, so that every loop is one
#    over rows and the compiler vectorises it whatever the number of classes. The tile stays in cache: memory is read
#    once. In shorter tiles the compiler's checks that arrays do not overlap take as long as the work.
# b) Logits are taken from the largest of their row, so that exponents are <= 0; the largest itself counts as exactly
#    1 and stays out of the sum that goes into log1p: the loss of a row that is nearly certain keeps its digits.
# c) Sums run in lanes, one for each row of a tile: the compiler need not reorder them.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from logloss.kernels.compiled import (
    E2,
    E3,
    E4,
    E5,
    E6,
    E7,
    E8,
    E9,
    E10,
    E11,
    FUSE,
    LN2_HIGH,
    LN2_LOW,
    ROUND,
    SUM,
    bits_of,
    fast_log1p,
    float_of,
)

TILE = 8192  # numbers of a tile, where that is 32 to 128 rows
LONG = 512  # rows of a block where there are few columns
FAR = -708.0  # below, exp() is as good as 0


@njit(nogil=True, error_model="numpy", fastmath=FUSE)
def fill(part, w, tile, weight):
    """Turn rows into a tile of float64; rows of weight 0, and those that are missing, hold 0."""
    m = part.shape[0]
    for i in range(tile.shape[1]):
        weight[i] = (w[i] if w.shape[0] > 0 else 1.0) if i < m else 0.0
    for i in range(m):
        for k in range(part.shape[1]):
            tile[k, i] = np.float64(part[i, k])
    for i in range(tile.shape[1]):
        if not (weight[i] > 0.0):
            tile[:, i] = 0.0


@njit(nogil=True, error_model="numpy", fastmath=FUSE)
def exp_below(x):
    """exp(x) for x <= 0, with nothing below exp(-708): `fast_exp` with its polynomial in a shorter chain."""
    x = -708.0 if x < -708.0 else x
    t = x * 1.4426950408889634 + ROUND
    n = t - ROUND
    r = (x - n * LN2_HIGH) - n * LN2_LOW
    r2 = r * r
    r4 = r2 * r2
    low = ((1.0 + r) + r2 * (E2 + r * E3)) + r4 * ((E4 + r * E5) + r2 * (E6 + r * E7))
    p = low + (r4 * r4) * ((E8 + r * E9) + r2 * (E10 + r * E11))
    return float_of(bits_of(p) + (bits_of(t) << 52))


@njit(nogil=True, error_model="numpy", fastmath=FUSE)
def tops(tile, lowest, top, floor):
    """Fill the largest entry of each row, and what counts as its lowest: lower still in a row that is all below."""
    K, rows = tile.shape
    spread = np.log(K)
    for i in range(rows):
        top[i] = tile[0, i]
    for k in range(1, K):
        for i in range(rows):
            z = tile[k, i]
            top[i] = top[i] if top[i] >= z else z
    for i in range(rows):
        above = top[i] + spread
        floor[i] = lowest + (above if above < 0.0 else 0.0)


@njit(nogil=True, error_model="numpy", fastmath=FUSE)
def moments(tile, b, top, floor, rest, ties, first, second):
    """Sum exp(b z), z exp(b z), z^2 exp(b z) over the classes, z from the top; those with z = 0 counted apart."""
    K, rows = tile.shape
    for i in range(rows):
        rest[i] = 0.0
        ties[i] = 0.0
        first[i] = 0.0
        second[i] = 0.0
    for k in range(0, K - 1, 2):  # two at a time: the sums are loaded and stored half as often
        for i in range(rows):
            u = (floor[i] if tile[k, i] < floor[i] else tile[k, i]) - top[i]
            v = (floor[i] if tile[k + 1, i] < floor[i] else tile[k + 1, i]) - top[i]
            d = exp_below(b * u)
            e = exp_below(b * v)
            d = d if u < 0.0 else 0.0
            e = e if v < 0.0 else 0.0
            rest[i] += d + e
            ties[i] += (0.0 if u < 0.0 else 1.0) + (0.0 if v < 0.0 else 1.0)
            first[i] += d * u + e * v
            second[i] += (d * u) * u + (e * v) * v
    if K % 2 > 0:
        for i in range(rows):
            u = (floor[i] if tile[K - 1, i] < floor[i] else tile[K - 1, i]) - top[i]
            d = exp_below(b * u)
            d = d if u < 0.0 else 0.0
            rest[i] += d
            ties[i] += 0.0 if u < 0.0 else 1.0
            first[i] += d * u
            second[i] += (d * u) * u


@njit(nogil=True, error_model="numpy", fastmath=FUSE)
def add_tempered(b, weight, mass, happened, rest, ties, first, second, lanes):
    """Add the loss of each row and its two derivatives by b; `happened` is sum t z, `mass` sum t."""
    for i in range(weight.shape[0]):
        more = rest[i] + (ties[i] - 1.0)
        total = 1.0 + more
        mean = first[i] / total
        spread = second[i] / total - mean * mean
        w = weight[i] * mass[i]
        lanes[0, i] += w * fast_log1p(more) - weight[i] * (b * happened[i])
        lanes[1, i] += w * mean - weight[i] * happened[i]
        lanes[2, i] += w * (spread if spread > 0.0 else 0.0)


@njit(nogil=True, cache=True, error_model="numpy", fastmath=FUSE)
def tempered(outcome, share, Z, w, b, lowest):
    """Sum w loss, w (E z - z_t), w Var z of softmax(b z), b >= 0; `share` (0, K) where `outcome` says the class."""
    n, K = Z.shape
    rows = min(128, max(32, TILE // K))
    soft = share.shape[0] > 0
    tile = np.empty((K, rows))
    weight, mass, happened = np.empty(rows), np.ones(rows), np.zeros(rows)
    top, floor = np.empty(rows), np.empty(rows)
    rest, ties, first, second = np.empty(rows), np.empty(rows), np.empty(rows), np.empty(rows)
    lanes = np.zeros((3, rows))
    tile[:] = 0.0
    for a in range(0, n, rows):
        stop = min(a + rows, n)
        fill(Z[a:stop], w[a:stop], tile, weight)
        tops(tile, lowest, top, floor)
        if soft:
            mass[:] = 0.0
            happened[:] = 0.0
            for i in range(stop - a):
                if weight[i] > 0.0:
                    for k in range(K):
                        t = np.float64(share[a + i, k])
                        mass[i] += t
                        happened[i] += t * (max(tile[k, i], floor[i]) - top[i])
        else:
            for i in range(stop - a):
                if weight[i] > 0.0:
                    happened[i] = max(tile[outcome[a + i], i], floor[i]) - top[i]
        moments(tile, b, top, floor, rest, ties, first, second)
        add_tempered(b, weight, mass, happened, rest, ties, first, second, lanes)
    return lanes[0].sum(), lanes[1].sum(), lanes[2].sum()


@njit(nogil=True, error_model="numpy", fastmath=FUSE)
def sigmoids(eta, t, w, loss, missed, mass):
    """Fill w loss, w (q - t) and w q (1 - q) of each row, q = sigmoid(eta); each keeps its digits at both ends."""
    for i in range(eta.shape[0]):
        x = eta[i]
        a = -abs(x)
        e = exp_below(a)
        e = e if a > FAR else 0.0
        likely = 1.0 / (1.0 + e)
        other = e * likely
        yes = x > 0.0
        off = t[i] - 1.0 if yes else t[i]  # from the likelier class: share less 1, or less 0
        loss[i] = w[i] * (fast_log1p(e) - off * x)
        missed[i] = w[i] * ((0.0 - other if yes else other) - off)
        mass[i] = w[i] * (likely * other)


@njit(nogil=True, error_model="numpy", fastmath=SUM)
def weighted(x, v):
    """Sum of x v."""
    total = 0.0
    for i in range(x.shape[0]):
        total += x[i] * v[i]
    return total


@njit(nogil=True, error_model="numpy", fastmath=SUM)
def weighted_twice(x, u, v):
    """Sum of x u v."""
    total = 0.0
    for i in range(x.shape[0]):
        total += x[i] * u[i] * v[i]
    return total


@njit(nogil=True, error_model="numpy", fastmath=FUSE)
def add_column(f, theta, at, block, eta):
    """Take up a column of the block: eta += theta f."""
    for i in range(f.shape[0]):
        x = np.float64(f[i])
        block[at, i] = x
        eta[i] += theta * x


@njit(nogil=True, cache=True, error_model="numpy")
def logistic(f0, f1, f2, f3, columns, share, w, theta, out):
    """Add value, gradient and upper triangle of the Hessian of sum w [softplus(eta) - t eta] to `out`.

    eta = sum theta_j f_j over the first `columns` of f0 to f3; one theta more is the factor of a column of ones.
    """
    n = share.shape[0]
    p = theta.shape[0]
    block = np.ones((p, LONG))
    eta, t, weight = np.empty(LONG), np.empty(LONG), np.empty(LONG)
    loss, missed, mass = np.empty(LONG), np.empty(LONG), np.empty(LONG)
    ones = np.ones(LONG)
    for a in range(0, n, LONG):
        b = min(a + LONG, n)
        m = b - a
        eta[:] = theta[columns] if p > columns else 0.0
        add_column(f0[a:b], theta[0], 0, block, eta)
        if columns > 1:
            add_column(f1[a:b], theta[1], 1, block, eta)
        if columns > 2:
            add_column(f2[a:b], theta[2], 2, block, eta)
        if columns > 3:
            add_column(f3[a:b], theta[3], 3, block, eta)
        for i in range(m):
            t[i] = np.float64(share[a + i])
            weight[i] = w[a + i] if w.shape[0] > 0 else 1.0
        if w.shape[0] > 0:
            for i in range(m):
                if not (weight[i] > 0.0):  # counts nowhere, whatever it holds
                    weight[i], t[i], eta[i] = 0.0, 0.0, 0.0
                    block[:columns, i] = 0.0
        sigmoids(eta[:m], t[:m], weight[:m], loss[:m], missed[:m], mass[:m])
        out[0] += weighted(loss[:m], ones[:m])
        at = 1
        for j in range(p):
            out[at] += weighted(missed[:m], block[j, :m])
            at += 1
        for j in range(p):
            for k in range(j, p):
                out[at] += weighted_twice(mass[:m], block[j, :m], block[k, :m])
                at += 1


@njit(nogil=True, error_model="numpy", fastmath=FUSE)
def scaled(z, slope, offset, lowest, q, top, rest, ties):
    """Fill q = exp(eta - top) with eta = slope z + offset, and what its sum consists of; floor z at `lowest`."""
    K, rows = z.shape
    for k in range(K):
        for i in range(rows):
            x = z[k, i]
            x = lowest if x < lowest else x
            z[k, i] = x
            eta = slope[k] * x + offset[k]
            q[k, i] = eta
            top[i] = eta if (k == 0) | (eta > top[i]) else top[i]
    for i in range(rows):
        rest[i] = 0.0
        ties[i] = 0.0
    for k in range(K):
        for i in range(rows):
            d = q[k, i] - top[i]
            e = exp_below(d)
            rest[i] += e if d < 0.0 else 0.0
            ties[i] += 0.0 if d < 0.0 else 1.0
            q[k, i] = e


@njit(nogil=True, error_model="numpy", fastmath=SUM)
def add_products(x, y, hessian):
    """Take sum x_j y_k over the rows from the upper triangle; four products at a time read x once."""
    p, rows = x.shape
    for j in range(p):
        k = j
        while k + 4 <= p:
            a, b, c, d = 0.0, 0.0, 0.0, 0.0
            for i in range(rows):
                v = x[j, i]
                a += v * y[k, i]
                b += v * y[k + 1, i]
                c += v * y[k + 2, i]
                d += v * y[k + 3, i]
            hessian[j, k] -= a
            hessian[j, k + 1] -= b
            hessian[j, k + 2] -= c
            hessian[j, k + 3] -= d
            k += 4
        while k < p:
            hessian[j, k] -= weighted(x[j], y[k])
            k += 1


@njit(nogil=True, cache=True, error_model="numpy", fastmath=FUSE)
def class_scaled(outcome, share, Z, w, slope, offset, lowest, gradient, hessian):
    """Add to gradient (2 K) and upper triangle of the Hessian by slopes and offsets; return the sum of w loss."""
    n, K = Z.shape
    rows = 64
    z, q, t, missed = np.zeros((K, rows)), np.empty((K, rows)), np.zeros((K, rows)), np.empty((K, rows))
    x, y = np.empty((2 * K, rows)), np.empty((2 * K, rows))
    weight, top, rest, ties = np.empty(rows), np.empty(rows), np.empty(rows), np.empty(rows)
    mass, ones, value = np.empty(rows), np.ones(rows), 0.0
    for a in range(0, n, rows):
        stop = min(a + rows, n)
        fill(Z[a:stop], w[a:stop], z, weight)
        scaled(z, slope, offset, lowest, q, top, rest, ties)
        t[:] = 0.0
        for i in range(stop - a):
            if weight[i] > 0.0:
                if share.shape[0] > 0:
                    for k in range(K):
                        t[k, i] = np.float64(share[a + i, k])
                else:
                    t[outcome[a + i], i] = 1.0
        mass[:] = 0.0
        for k in range(K):
            for i in range(rows):
                mass[i] += t[k, i]
        for i in range(rows):
            more = rest[i] + (ties[i] - 1.0)
            value += weight[i] * (mass[i] * fast_log1p(more))
            rest[i] = 1.0 / (1.0 + more)
        for k in range(K):
            for i in range(rows):
                chance = q[k, i] * rest[i]
                d = (slope[k] * z[k, i] + offset[k]) - top[i]
                missed[k, i] = weight[i] * (mass[i] * chance - t[k, i])
                q[k, i] = weight[i] * (t[k, i] * d)
                x[k, i] = chance * z[k, i]
                x[K + k, i] = chance
                y[k, i] = weight[i] * mass[i] * (chance * z[k, i])
                y[K + k, i] = weight[i] * mass[i] * chance
        for k in range(K):
            value -= weighted(q[k], ones)
            gradient[k] += weighted(missed[k], z[k])
            gradient[K + k] += weighted(missed[k], ones)
            hessian[k, k] += weighted(y[k], z[k])
            hessian[k, K + k] += weighted(y[k], ones)
            hessian[K + k, K + k] += weighted(y[K + k], ones)
        add_products(x, y, hessian)
    return value
