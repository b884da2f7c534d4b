"""Sums per cell of a small table of integer keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Table"]


@dataclass(frozen=True, eq=False)
class Table:
    """`sums[m]` holds measure m, summed over the rows that fell into each cell of `shape`."""

    sums: NDArray[np.float64]

    @classmethod
    def empty(cls, shape: Sequence[int], measures: int) -> Table:
        """Return a table that has seen nothing."""
        return cls(np.zeros((measures, *shape)))

    @classmethod
    def of(
        cls, shape: Sequence[int], keys: Sequence[NDArray[Any]], measures: Sequence[NDArray[np.float64]]
    ) -> Table:
        """Return the table of rows: one key array of shape (n,) per axis, one array of shape (n,) per measure."""
        cell = np.ravel_multi_index(tuple(key.astype(np.int64, copy=False) for key in keys), tuple(shape))
        size = int(np.prod(shape))
        return cls(
            np.array([np.bincount(cell, measure, minlength=size).reshape(shape) for measure in measures])
        )

    def __add__(self, other: Table) -> Table:
        """Return the table of both parts together."""
        return Table(self.sums + other.sums)

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists for JSON."""
        return {"sums": self.sums.tolist()}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Table:
        """Return what `to_dict` wrote."""
        return cls(np.asarray(state["sums"], np.float64))
