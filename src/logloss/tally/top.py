"""The k rows with the largest key, each with what is to be remembered of it."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["Top"]


@dataclass(frozen=True)
class Top:
    """At most k entries (key, row number, payload), largest key first; the smaller row number wins a tie."""

    k: int
    entries: tuple[tuple[float, int, Any], ...] = ()

    @classmethod
    def of(
        cls, k: int, keys: NDArray[np.float64], rows: Callable[[int], int], payload: Callable[[int], Any]
    ) -> Top:
        """Return the top k of `keys`, shape (n,); `rows` and `payload` are asked only for those kept."""
        if not k:
            return cls(k)
        if len(keys) <= k:
            best = np.arange(len(keys))
        else:
            bar = np.partition(keys, -k)[-k]
            above = np.flatnonzero(keys > bar)
            best = np.concatenate([above, np.flatnonzero(keys == bar)[: k - len(above)]])
        return cls(k, _ordered(k, [(float(keys[at]), rows(int(at)), payload(int(at))) for at in best]))

    def __add__(self, other: Top) -> Top:
        """Return the top of both parts together."""
        k = min(self.k, other.k)
        return Top(k, _ordered(k, [*self.entries, *other.entries]))

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists for JSON; infinite keys become null."""
        return {
            "k": self.k,
            "entries": [[None if np.isinf(key) else key, row, payload] for key, row, payload in self.entries],
        }

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Top:
        """Return what `to_dict` wrote."""
        return cls(
            int(state["k"]),
            tuple(
                (np.inf if key is None else float(key), int(row), payload)
                for key, row, payload in state["entries"]
            ),
        )


def _ordered(k: int, entries: list[tuple[float, int, Any]]) -> tuple[tuple[float, int, Any], ...]:
    return tuple(heapq.nsmallest(k, entries, key=lambda entry: (-entry[0], entry[1])))
