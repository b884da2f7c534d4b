"""Weight and weighted sum per bin of fixed edges, for several columns at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Bins"]


@dataclass(frozen=True, eq=False)
class Bins:
    """For each column c and bin b: weight[c, b], and sum[c, b] of weight times value.

    Bin 0 lies below edges[0], bin b between edges[b - 1] (included) and edges[b], the last bin from edges[-1] up;
    infinite values have weight there, but no sum: see `infinite`.
    """

    edges: tuple[float, ...]
    weight: NDArray[np.float64]
    sum: NDArray[np.float64]
    infinite: NDArray[np.float64]

    @classmethod
    def empty(cls, edges: Sequence[float], columns: int) -> Bins:
        """Return bins that have seen nothing."""
        return cls(
            tuple(edges),
            np.zeros((columns, len(edges) + 1)),
            np.zeros((columns, len(edges) + 1)),
            np.zeros(columns),
        )

    @classmethod
    def of(
        cls, edges: Sequence[float], columns: Sequence[NDArray[np.float64]], weight: NDArray[np.float64]
    ) -> Bins:
        """Return the bins of columns of shape (n,), all with the same weights, shape (n,)."""
        weights, sums, infinite = [], [], []
        size = len(edges) + 1
        for values in columns:
            at = np.searchsorted(np.asarray(edges), values, side="right")
            finite = np.isfinite(values)
            weights.append(np.bincount(at, weight, minlength=size))
            sums.append(np.bincount(at, np.where(finite, values, 0.0) * weight, minlength=size))
            infinite.append(weight[~finite].sum())
        return cls(tuple(edges), np.array(weights), np.array(sums), np.array(infinite))

    def __add__(self, other: Bins) -> Bins:
        """Return the bins of both parts together."""
        if self.edges != other.edges:
            raise ValueError("bins with different edges cannot be added")
        return Bins(
            self.edges, self.weight + other.weight, self.sum + other.sum, self.infinite + other.infinite
        )

    def coarser(self, edges: Sequence[float]) -> Bins:
        """Return the same counts between fewer edges, which must be among those that there are."""
        starts = [0, *(self.edges.index(edge) + 1 for edge in edges)]
        return Bins(
            tuple(edges),
            np.add.reduceat(self.weight, starts, axis=1),
            np.add.reduceat(self.sum, starts, axis=1),
            self.infinite,
        )

    def clamped(self, column: int, low: float, high: float) -> float:
        """Return the weighted sum of the column after clamping values into [low, high]; both must be edges, 0 or inf."""
        first = 0 if low <= 0 else self.edges.index(low) + 1
        last = len(self.edges) if np.isinf(high) else self.edges.index(high)
        inner = float(self.sum[column, first : last + 1].sum())
        below = low * float(self.weight[column, :first].sum()) if first else 0.0
        if np.isinf(high):
            return np.inf if self.infinite[column] else inner + below
        return inner + below + high * float(self.weight[column, last + 1 :].sum())

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists for JSON."""
        return {
            "edges": list(self.edges),
            "weight": self.weight.tolist(),
            "sum": self.sum.tolist(),
            "infinite": self.infinite.tolist(),
        }

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Bins:
        """Return what `to_dict` wrote."""
        return cls(
            tuple(state["edges"]),
            *(np.asarray(state[key], np.float64) for key in ("weight", "sum", "infinite")),
        )
