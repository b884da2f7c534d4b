"""Rows of two classes counted in narrow bins of log-odds: clip, isotonic and Venn-Abers maps of any number of rows.

A bin keeps its weight, the weight that happened, the sums of -log p and -log(1 - p) over what did and did not happen. A map that
is constant within each bin has exactly the loss that these tell; what maps that are not could gain beyond it is bounded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from logloss.calibrate.isotonic import Pooled, isotonic, isotonic_map
from logloss.calibrate.maps import Clip, Isotonic, VennAbers
from logloss.calibrate.odds import softplus
from logloss.calibrate.venn_abers import of_pooled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]

__all__ = ["EDGES", "Grid", "clip_of", "counted", "isotonic_of", "venn_abers_of"]

REACH, WIDTH = 40.0, 2.0**-8
EDGES = np.arange(-REACH, REACH + WIDTH / 2, WIDTH)  # with 0 among them; beyond both ends lies one bin each


@dataclass(frozen=True, eq=False)
class Grid:
    """Sums per bin, shape (b, 4): weight, weight that happened, nats of the rows, weight times log-odds; they add up."""

    cells: Float
    rows: int

    def __add__(self, other: Grid) -> Grid:
        """Return the sums over both."""
        return Grid(self.cells + other.cells, self.rows + other.rows)


def counted(z: Float, t: Float, weight: Float) -> Grid:
    """Count rows with finite log-odds z, shares t and weights, all of shape (n,)."""
    at = np.searchsorted(EDGES, z, side="right")
    nats = weight * (np.where(t > 0, t * softplus(-z), 0.0) + np.where(t < 1, (1 - t) * softplus(z), 0.0))
    sums = [
        np.bincount(at, column, minlength=len(EDGES) + 1) for column in (weight, weight * t, nats, weight * z)
    ]
    return Grid(np.stack(sums, axis=1), int(np.count_nonzero(weight)))


def pooled(grid: Grid) -> Pooled:
    """Return the bins that hold rows as pooled rows of mean weight 1, each at its mean log-odds."""
    w, happened, _, wz = grid.cells[grid.cells[:, 0] > 0].T
    return Pooled(wz / w, w * (grid.rows / w.sum()), np.clip(happened / w, 0.0, 1.0))


def isotonic_of(grid: Grid) -> tuple[Isotonic, float]:
    """Return the isotonic map of the bins, and how much lower (in nats) that of the rows themselves could be in sample.

    The bound: within each bin let all that did not happen come first, then all that did; no order of a bin's rows lets an
    isotonic map do better.
    """
    bins = pooled(grid)
    fitted = isotonic(bins)
    loss = _entropy(bins.weight, bins.share, fitted)
    no, yes = bins.weight * (1 - bins.share), bins.weight * bins.share
    best = Pooled(np.arange(2.0 * len(no)), np.stack([no, yes], axis=1).ravel(), np.tile([0.0, 1.0], len(no)))
    kept = best.weight > 0
    best = Pooled(best.at[kept], best.weight[kept], best.share[kept])
    bound = loss - _entropy(best.weight, best.share, isotonic(best))
    return isotonic_map(bins), max(bound, 0.0)


def venn_abers_of(grid: Grid) -> tuple[VennAbers, float]:
    """Return the Venn-Abers map of the bins, and the bound of the isotonic map that it stands on."""
    return of_pooled(pooled(grid)).compressed(), isotonic_of(grid)[1]


def clip_of(grid: Grid) -> tuple[Clip, float]:
    """Return the clip at the edge of a bin that loses least, and how much lower (in nats) any clip could be.

    At an edge the loss is exact; between two edges it is bounded from below.
    """
    w, happened, nats, _ = grid.cells.T
    half = len(EDGES) // 2  # the edge at 0
    upper = slice(len(EDGES), half, -1)  # bins above 0, outermost first
    lower = slice(0, half + 1)  # bins below 0, outermost first
    wrong = np.cumsum(happened[lower] + (w - happened)[upper])
    right = np.cumsum((w - happened)[lower] + happened[upper])
    spent = np.cumsum(nats[lower] + nats[upper])
    log_eps = np.append(-softplus(-EDGES[:half]), -np.log(2.0))  # log p at the edge above each bin
    log_rest = -softplus(np.append(EDGES[:half], 0.0))
    cost = -wrong * log_eps - right * log_rest - spent
    # With eps between two edges a wrong row pays no less than at the upper one, a right row no less than at the lower.
    least = -wrong * log_eps - right * np.append(0.0, log_rest[:-1]) - spent
    total, at = float(w.sum()), int(np.argmin(cost))
    gains = cost[at] < -1e-14 * total
    bound = (min(float(cost[at]), 0.0) - min(float(least.min()), 0.0)) / total
    return Clip.at(float(np.exp(log_eps[at])) if gains else 0.0), max(bound, 0.0)


def _entropy(weight: Float, share: Float, fitted: Float) -> float:
    """Return the mean loss of fitted probabilities, in nats."""
    with np.errstate(divide="ignore", invalid="ignore"):
        up = np.where(share > 0, -share * np.log(fitted), 0.0)
        down = np.where(share < 1, -(1 - share) * np.log1p(-fitted), 0.0)
    return float((weight * (up + down)).sum() / weight.sum())
