"""What acting on one forecast costs a row, with its spread: the mean elementary score at many thresholds at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from logloss.curves.thresholds import NONE, Contrast, Rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Float = NDArray[np.float64]

__all__ = ["cost"]


def cost(rows: Rows, name: str) -> Contrast:
    """Return the weighted mean of th (1 - t) over the rows acted on and of (1 - th) t over the others, at each threshold."""
    th, G = rows.thresholds, len(rows.thresholds)
    acted = rows.sums(name)
    whole = {power: rows.whole(*power) for power in acted}
    left = {power: whole[power] - acted[power] for power in acted}

    def of(j: int, k: int) -> Float:
        """Return the sums of w^j cost^k."""
        alarms = {
            0: acted[j, 0],
            1: acted[j, 0] - acted[j, 1],
            2: acted[j, 0] - 2 * acted[j, 1] + (acted[j, 2] if k > 1 else 0),
            3: acted[j, 0] - 3 * acted[j, 1] + (3 * acted[j, 2] - acted[j, 3] if k > 2 else 0),
        }[k]
        return np.asarray(th**k * alarms + (1 - th) ** k * left[j, k])

    mean = of(1, 1) / rows.total
    squares, cubes = whole[2, 0], whole[3, 0]
    second = np.maximum(of(2, 2) - 2 * mean * of(2, 1) + mean**2 * squares, 0.0)
    third = of(3, 3) - 3 * mean * of(3, 2) + 3 * mean**2 * of(3, 1) - mean**3 * cubes
    wws = of(2, 1)
    early, late = np.minimum.outer(np.arange(G), np.arange(G)), np.maximum.outer(np.arange(G), np.arange(G))
    both = acted[2, 0] - 2 * acted[2, 1] + acted[2, 2]  # w^2 (1 - t)^2 of the rows acted on
    one = acted[2, 1] - acted[2, 2]  # w^2 t (1 - t)
    products = np.outer(th, th) * both[late] + np.outer(1 - th, 1 - th) * left[2, 2][early]
    products += th[early] * (1 - th[late]) * (one[early] - one[late])
    covariance = products - np.outer(mean, wws) - np.outer(wws, mean) + np.outer(mean, mean) * squares
    unseen = _unseen(rows, name)
    every = np.full(G, rows.n)
    if rows.cluster is not None:
        return rows.in_groups(mean, every, _group_sums(rows, name), unseen)
    return Contrast(
        mean, every, second, third, covariance, *unseen, rows.n, rows.total / rows.n, rows.total**2 / squares
    )  # fmt: skip


def _unseen(rows: Rows, name: str) -> tuple[Float, Float]:
    """Return what a row of a kind that was not seen would take away, and add: an alarm in vain, a missed event, or neither."""
    th, acted, none = rows.thresholds, rows.sums(name), 1e-9 * rows.n
    many, events = acted[0, 0], acted[0, 1]
    others, missed = rows.whole(0, 0) - many, rows.whole(0, 1) - events
    up = np.maximum(np.where((many > 0) & (many - events < none), th, 0.0), np.where((others > 0) & (missed < none), 1 - th, 0.0))  # fmt: skip
    down = np.maximum(np.where((many > 0) & (events < none), th, 0.0), np.where((others > 0) & (others - missed < none), 1 - th, 0.0))  # fmt: skip
    return down, up


def _group_sums(rows: Rows, name: str) -> Iterator[tuple[slice, Float]]:
    """Yield some groups and the sums of w cost of each: (1 - th) t for every row, less t - th for those acted on."""
    assert rows.cluster is not None
    happened = np.bincount(rows.cluster, rows.weight * rows.share)
    for part, sums in rows.group_sums(NONE, name, np.ones(len(rows.thresholds))):
        yield part, sums + (1 - rows.thresholds) * happened[part, None]
