"""The k rows with the largest key, each with what is to be remembered of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["Top"]

Place = tuple[str, int]


@dataclass(frozen=True)
class Top:
    """At most k entries (key, place, payload), largest key first; the smaller place wins a tie.

    A place is (part, row): the file or partition, "" where there is one, and the row in it.
    """

    k: int
    entries: tuple[tuple[float, Place, Any], ...] = ()

    @classmethod
    def of(
        cls, k: int, keys: NDArray[np.float64], places: Callable[[int], Place], payload: Callable[[int], Any]
    ) -> Top:
        """Return the top k of `keys`, shape (n,); `places` and `payload` are asked only for those kept."""
        best = _largest(k, keys)
        return cls(k, _ordered(k, [(float(keys[at]), places(int(at)), payload(int(at))) for at in best]))

    def __add__(self, other: Top) -> Top:
        """Return the top of both parts together."""
        if not other.entries and self.k <= other.k:
            return self
        k = min(self.k, other.k)
        return Top(k, _ordered(k, [*self.entries, *other.entries]))

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists for JSON; infinite keys become null."""
        return {
            "k": self.k,
            "entries": [
                [None if np.isinf(key) else key, list(place), payload] for key, place, payload in self.entries
            ],
        }

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Top:
        """Return what `to_dict` wrote."""
        return cls(
            int(state["k"]),
            tuple(
                (np.inf if key is None else float(key), (str(part), int(row)), payload)
                for key, (part, row), payload in state["entries"]
            ),
        )


def _largest(k: int, keys: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the positions of the k largest keys, in no order; the first of equals."""
    if not k:
        return np.zeros(0, np.int64)
    if len(keys) <= k:
        return np.arange(len(keys))
    bar = np.partition(keys, -k)[-k]
    above = np.flatnonzero(keys > bar)
    return np.concatenate([above, np.flatnonzero(keys == bar)[: k - len(above)]])


def _ordered(k: int, entries: list[tuple[float, Place, Any]]) -> tuple[tuple[float, Place, Any], ...]:
    return tuple(sorted(entries, key=lambda entry: (-entry[0], entry[1]))[:k])
