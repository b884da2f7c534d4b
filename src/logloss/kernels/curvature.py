"""Value, slope and curvature of a recalibrated loss, compiled: one pass over the rows per step of a fit.

# Design:
# a) ROWS rows are turned into a tile with the classes down and the rows across, so that every loop is one over rows
#    and the compiler vectorises it whatever the number of classes. The tile stays in cache: memory is read once.
# b) Logits are taken from the largest of their row, so that exponents are <= 0; the largest itself counts as exactly
#    1 and stays out of the sum that goes into log1p: the loss of a row that is nearly certain keeps its digits.
# c) Sums run in ROWS lanes of their own, in the order of the rows: no reordering by the compiler is needed.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from logloss.kernels.compiled import FUSE, SUM, fast_exp, fast_log1p

ROWS = 32  # rows of a tile
LONG = 512  # rows of a block where there are few columns
FAR = -708.0  # below, exp() is as good as 0


@njit(nogil=True, error_model="numpy", fastmath=FUSE)
def fill(part, w, tile, weight):
    """Turn rows into a tile of float64; rows of weight 0, and those that are missing, hold 0."""
    m = part.shape[0]
    for i in range(ROWS):
        weight[i] = (w[i] if w.shape[0] > 0 else 1.0) if i < m else 0.0
    for i in range(m):
        for k in range(part.shape[1]):
            tile[k, i] = np.float64(part[i, k])
    for i in range(ROWS):
        if not (weight[i] > 0.0):
            tile[:, i] = 0.0


@njit(nogil=True, error_model="numpy", fastmath=FUSE)
def centre(tile, lowest, top):
    """Take each row from its largest entry, after none is lower than `lowest` (than 0 in a row that is all below)."""
    K = tile.shape[0]
    spread = np.log(K)
    for i in range(ROWS):
        top[i] = tile[0, i]
    for k in range(1, K):
        for i in range(ROWS):
            z = tile[k, i]
            top[i] = top[i] if top[i] >= z else z
    for k in range(K):
        for i in range(ROWS):
            above = top[i] + spread
            floor = lowest + (above if above < 0.0 else 0.0)
            z = tile[k, i]
            tile[k, i] = (floor if z < floor else z) - top[i]


@njit(nogil=True, error_model="numpy", fastmath=FUSE)
def moments(tile, b, rest, ties, first, second):
    """Sums of exp(b z), z exp(b z), z^2 exp(b z) over the classes; those with z = 0 are counted apart."""
    for i in range(ROWS):
        rest[i] = 0.0
        ties[i] = 0.0
        first[i] = 0.0
        second[i] = 0.0
    for k in range(tile.shape[0]):
        for i in range(ROWS):
            z = tile[k, i]
            x = b * z
            e = fast_exp(x, 0.0)
            below = (z < 0.0) & (x > FAR)
            e = e if below else 0.0
            z = z if below else 0.0
            rest[i] += e
            ties[i] += 0.0 if tile[k, i] < 0.0 else 1.0
            first[i] += e * z
            second[i] += e * z * z


@njit(nogil=True, error_model="numpy", fastmath=FUSE)
def add_tempered(b, weight, mass, happened, rest, ties, first, second, lanes):
    """Add the loss of each row and its two derivatives by b; `happened` is sum t z, `mass` sum t."""
    for i in range(ROWS):
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
    """Sums of w loss, w (E z - z_t), w Var z of softmax(b z), b >= 0; `share` (0, K) where `outcome` says the class."""
    n, K = Z.shape
    soft = share.shape[0] > 0
    tile = np.empty((K, ROWS))
    weight, mass, happened, top = np.empty(ROWS), np.ones(ROWS), np.zeros(ROWS), np.empty(ROWS)
    rest, ties, first, second = np.empty(ROWS), np.empty(ROWS), np.empty(ROWS), np.empty(ROWS)
    lanes = np.zeros((3, ROWS))
    tile[:] = 0.0
    for a in range(0, n, ROWS):
        stop = min(a + ROWS, n)
        fill(Z[a:stop], w[a:stop], tile, weight)
        centre(tile, lowest, top)
        if soft:
            mass[:] = 0.0
            happened[:] = 0.0
            for i in range(stop - a):
                if weight[i] > 0.0:
                    for k in range(K):
                        t = np.float64(share[a + i, k])
                        mass[i] += t
                        happened[i] += t * tile[k, i]
        else:
            for i in range(stop - a):
                happened[i] = tile[outcome[a + i], i]
        moments(tile, b, rest, ties, first, second)
        add_tempered(b, weight, mass, happened, rest, ties, first, second, lanes)
    return lanes[0].sum(), lanes[1].sum(), lanes[2].sum()


@njit(nogil=True, error_model="numpy", fastmath=FUSE)
def sigmoids(eta, t, w, loss, missed, mass):
    """Fill w loss, w (q - t) and w q (1 - q) of each row, q = sigmoid(eta); each keeps its digits at both ends."""
    for i in range(eta.shape[0]):
        x = eta[i]
        a = -abs(x)
        e = fast_exp(a, 0.0)
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
