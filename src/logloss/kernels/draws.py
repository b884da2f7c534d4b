"""Sums over rows drawn with replacement, compiled: one replicate at a time, one look at each drawn row."""

from __future__ import annotations

from numba import njit


@njit(nogil=True, error_model="numpy", cache=True)
def add_drawn(table, drawn, out):
    """Add the rows table[drawn], shape (n, M), up into out (M,)."""
    M = table.shape[1]
    for i in range(drawn.shape[0]):
        at = drawn[i]
        for m in range(M):
            out[m] += table[at, m]
