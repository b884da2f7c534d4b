"""Entropy and Kullback-Leibler divergence of rows, without cancellation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]

__all__ = ["divergence", "entropies", "excess"]

NEAR = 0.5  # |p - t| / t below which log(t/p) is not formed


def divergence(t: Float, p: Float, s: Float, gap: Float | None = None) -> Float:
    """Return sum_k [t_k log(t_k / p_k) - t_k + p_k] of each row; all of shape (m, K).

    `s` are the surprises -log p, which say more than `p` where it is near 0 or 1; `gap` is p - t.
    """
    gap = p - t if gap is None else gap
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        x = gap / t
        ratio = t / p
        log = np.where(np.isfinite(ratio) & (ratio > 0), np.log(ratio), np.log(t) + s)
        far = t * log + gap
        terms = np.where(np.abs(x) <= NEAR, t * _less_log1p(np.where(np.abs(x) <= NEAR, x, 0.0)), far)
        terms = np.where(t > 0, terms, p)
    return np.asarray(np.maximum(terms, 0.0).sum(axis=1))


def _less_log1p(x: Float) -> Float:
    """Return x - log(1 + x) for |x| up to 1/2 without cancellation, from the series of the inverse hyperbolic tangent.

    With r = x / (2 + x), log(1 + x) = 2 (r + r^3/3 + r^5/5 + ...), so x - log(1 + x) = r (x - 2 r^2 (1/3 + r^2/5 + ...)).
    """
    r = x / (2.0 + x)
    y = r * r  # at most 1/9: 18 terms leave less than 1e-18
    series = np.zeros_like(x)
    for k in range(37, 1, -2):
        series = series * y + 1.0 / k
    return np.asarray(r * (x - 2.0 * y * series))


def excess(t: Float, s: Float, within: float) -> Float:
    """Return sum_k t_k log(t_k / p_k) of each row, of the numbers as given where rows do not sum to one `within` rounding."""
    p = np.exp(-s)
    off = 1.0 - p.sum(axis=1)
    return divergence(t, p, s) + np.where(np.abs(off) > max(within, 1e-12), off, 0.0)


def entropies(t: Float) -> Float:
    """Return sum_k t_k (-log t_k) of each row."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(t > 0, -t * np.log(t), 0.0).sum(axis=1))
