"""Sums over slices of many replicates at once, compiled: a tile of replicates goes through every row once."""

from __future__ import annotations

import numpy as np
from numba import njit

from logloss.kernels.compiled import SUM

TILE = 256  # rows that are turned from replicate by replicate into row by row at a time


@njit(nogil=True, error_model="numpy", fastmath=SUM, cache=True)
def add_tiles(codes, table, factor, out):
    """Add table[r, i], and table[r, i] factor[i], to the slices of row i: out[., codes[i, c], r] for every column c.

    `out` of shape (1 or 2, slices + 1, replicates); the last slice takes what is in none.
    """
    R = table.shape[0]
    n = table.shape[1]
    C = codes.shape[1]
    tile = np.empty((TILE, R), np.float32)
    for start in range(0, n, TILE):
        m = min(TILE, n - start)
        for r in range(R):
            for i in range(m):
                tile[i, r] = table[r, start + i]
        for k in range(out.shape[0]):
            if k == 1:
                for i in range(m):
                    for r in range(R):
                        tile[i, r] *= factor[start + i]
            for i in range(m):
                for c in range(C):
                    at = codes[start + i, c]
                    for r in range(R):
                        out[k, at, r] += tile[i, r]
