"""The reliability grid: rows counted by log-odds, with the moments that tell what moving all log-odds would do.

Bins of 1/16 from -32 to 32; the first and the last take all that lies beyond. `d` is a row's log-odds less its bin's
middle. Sums only, so grids of parts add up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from logloss.kernels import GRID
from logloss.tally import Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]

__all__ = ["MEASURES", "added", "edges", "of_cells", "of_rows"]

# Sums of w, w y, w p; w d and w y d over rows with finite log-odds; w d^2 and w y d^2, 0 in the first and the last bin,
# whose rows may lie anywhere; w and w y of rows with infinite log-odds, which stand in these two.
MEASURES = ("weight", "happened", "p", "odds", "odds_happened", "squares", "squares_happened",
            "certain", "certain_happened")  # fmt: skip


def edges() -> Float:
    """Return the edges of the bins in log-odds, shape (bins + 1,)."""
    low, steps, bins = GRID
    return np.asarray(low + np.arange(bins + 1) / steps)


def of_rows(odds: Float, weight: Float, share: Float, p: Float) -> Table:
    """Return the grid of rows: log-odds, weight, share of the outcome, probability, each of shape (n,)."""
    low, steps, bins = GRID
    at = np.clip((odds - low) * steps, 0, bins - 1).astype(np.int64)
    finite = np.isfinite(odds)
    d = np.where(finite, odds - (low + (at + 0.5) / steps), 0.0)
    squares = np.where((at > 0) & (at < bins - 1), d, 0.0) ** 2
    sure = np.where(finite, 0.0, weight)
    yes = weight * share
    first, second = weight * d, weight * squares
    return Table.of(
        (bins,),
        [at],
        [weight, yes, weight * p, first, first * share, second, second * share, sure, sure * share],
    )


def of_cells(cells: Float) -> Table:
    """Return the grid of what a compiled pass kept: w, w p, w d, w d^2 by bin and outcome, the certain rows last."""
    by_bin = cells.reshape(-1, 2, cells.shape[1])
    kept, sure = by_bin[:-2].copy(), by_bin[-2:, :, :2]
    certain = np.zeros((2, len(kept)))
    kept[[0, -1], :, :2] += sure
    certain[:, [0, -1]] = sure[:, :, 0].sum(axis=1), sure[:, 1, 0]
    kept[[0, -1], :, 3] = 0.0
    weight, p, first, second = kept.sum(axis=1).T
    yes, _, first_yes, second_yes = kept[:, 1].T
    return Table(np.stack([weight, yes, p, first, first_yes, second, second_yes, *certain]))


def added(a: Table, b: Table) -> Table:
    """Return the grid of both parts; moments are lost where a part, saved by an older version, has none."""
    known = min(len(a.sums), len(b.sums))
    return Table(a.sums[:known] + b.sums[:known])
