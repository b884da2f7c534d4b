"""Plain sums per key (a group, a day), thousands of keys at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Ledger"]


@dataclass(frozen=True, eq=False)
class Ledger:
    """For each of G keys, m sums: sums (G, m)."""

    keys: tuple[Any, ...]
    sums: NDArray[np.float64]

    def __add__(self, other: Ledger) -> Ledger:
        """Return the sums of both parts together; keys in the order in which they came."""
        if self.keys == other.keys:
            return Ledger(self.keys, self.sums + other.sums)
        position = {key: at for at, key in enumerate(dict.fromkeys([*self.keys, *other.keys]))}
        sums = np.zeros((len(position), self.sums.shape[1]))
        for part in (self, other):
            sums[[position[key] for key in part.keys]] += part.sums
        return Ledger(tuple(position), sums)

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists for JSON."""
        return {"keys": list(self.keys), "sums": self.sums.tolist()}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Ledger:
        """Return what `to_dict` wrote."""
        return cls(tuple(state["keys"]), np.asarray(state["sums"], np.float64))
