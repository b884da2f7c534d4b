"""Means at many thresholds of rows that come in groups: their spread were groups drawn, and not rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Float = NDArray[np.float64]

__all__ = ["moments_of_groups"]


def moments_of_groups(
    mean: Float, mass: Float, blocks: Iterator[tuple[slice, Float]]
) -> tuple[Float, Float, Float]:
    """Return sums of squares, of cubes and of products that give the interval of :func:`logloss.interval.of_clusters`.

    Groups of equal weight: of the deviations of their means, for Hall's t. Otherwise those of the jackknife over groups, to the
    scale of sums of squares of C values, and cubes of 0: for Student's t.

    Parameters
    ----------
    mean
        Of all rows at each threshold, shape (G,).
    mass
        Weight of each group, shape (C,), above 0.
    blocks
        Some groups and the sums of w d over the rows of each, shape (groups, G), until all were told.
    """
    G, C, total = len(mean), len(mass), float(mass.sum())
    even = bool(mass.max() - mass.min() <= 1e-9 * mass.max())
    first, products, cubes = np.zeros(G), np.zeros((G, G)), np.zeros(G)
    for part, sums in blocks:
        off = sums - mass[part, None] * mean
        # Of equal weights the mean of a group; else what the mean of all becomes without it.
        off = off / mass[part, None] if even else -off / np.maximum(total - mass[part, None], 1e-300)
        first += off.sum(axis=0)
        if even:
            cubes += (off * off * off).sum(axis=0)
        products += np.einsum("cg,ch->gh", off, off)
    products -= np.outer(first, first) / C
    second = np.maximum(np.diag(products), 0.0)
    return second if even else second * (C - 1) ** 2, cubes, products
