"""Moments and sums per key (a group, a model, a day), thousands of keys at once: arrays with one entry per key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.tally.moments import Moments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Float = NDArray[np.float64]

__all__ = ["Keyed", "sums_by"]


def sums_by(code: NDArray[np.int64], measures: Sequence[Float], G: int) -> Float:
    """Return the sums of measures, each of shape (N,), by key: shape (G, m)."""
    columns = [np.bincount(code, measure, minlength=G) for measure in measures]
    return np.stack(columns, axis=1).astype(np.float64, copy=False)


@dataclass(frozen=True, eq=False)
class Keyed:
    """For each of G keys: moments of n rows of d columns, as in :class:`Moments`, and m plain sums.

    Shapes: n (G,), mean (G, d), second (G, d, d), third (G, d, d, d), sums (G, m).
    """

    keys: tuple[Any, ...]
    n: NDArray[np.int64]
    mean: Float
    second: Float
    third: Float
    sums: Float

    @classmethod
    def of(
        cls,
        keys: Sequence[Any],
        code: NDArray[np.int64],
        rows: Float,
        counts: NDArray[np.bool_],
        measures: Sequence[Float],
    ) -> Keyed:
        """Return the tally of rows: code (N,) is the key's position; moments are of `rows` (N, d) where `counts`."""
        G, d = len(keys), rows.shape[1]
        at, inside = code[counts], rows[counts]
        n = np.bincount(at, minlength=G)
        total = np.stack([np.bincount(at, column, minlength=G) for column in inside.T], axis=1)
        mean = total / np.maximum(n, 1)[:, None]
        centred = inside - mean[at]
        second, third = np.zeros((G, d, d)), np.zeros((G, d, d, d))
        for i in range(d):
            for j in range(d):
                product = centred[:, i] * centred[:, j]
                second[:, i, j] = np.bincount(at, product, minlength=G)
                for k in range(d):
                    third[:, i, j, k] = np.bincount(at, product * centred[:, k], minlength=G)
        sums = sums_by(code, measures, G)
        return cls(tuple(keys), n, mean, second, third, sums)

    @classmethod
    def stacked(cls, moments: Sequence[Moments], sums: Float) -> Keyed:
        """Return moments one under the other, their positions being the keys; sums (G, m)."""
        n = np.array([one.n for one in moments], np.int64)
        mean, second, third = (
            np.array([getattr(one, name) for one in moments]) for name in ("mean", "second", "third")
        )
        return cls(tuple(range(len(moments))), n, mean, second, third, sums)

    def __len__(self) -> int:
        return len(self.keys)

    def __add__(self, other: Keyed) -> Keyed:
        """Return the tally of both parts together; keys in the order in which they came."""
        keys = tuple(dict.fromkeys([*self.keys, *other.keys]))
        a, b = self._spread(keys), other._spread(keys)
        n = a.n + b.n
        safe = np.maximum(n, 1)
        delta = np.where(((a.n > 0) & (b.n > 0))[:, None], b.mean - a.mean, 0.0)
        both = a.n * (b.n / safe)
        outer = np.einsum("gi,gj->gij", delta, delta)
        cube = np.einsum("gij,gk->gijk", outer, delta)
        mixed = (a.n[:, None, None] * b.second - b.n[:, None, None] * a.second) / safe[:, None, None]
        sym = (
            np.einsum("gi,gjk->gijk", delta, mixed)
            + np.einsum("gj,gik->gijk", delta, mixed)
            + np.einsum("gk,gij->gijk", delta, mixed)
        )
        mean = np.where((a.n == 0)[:, None], b.mean, a.mean + delta * (b.n / safe)[:, None])
        third = a.third + b.third + cube * (both * (a.n - b.n) / safe)[:, None, None, None] + sym
        return Keyed(keys, n, mean, a.second + b.second + outer * both[:, None, None], third, a.sums + b.sums)

    def _spread(self, keys: tuple[Any, ...]) -> Keyed:
        """Return the same tally on more keys, in their order."""
        if keys == self.keys:
            return self
        position = {key: at for at, key in enumerate(keys)}
        at = np.array([position[key] for key in self.keys], np.int64)

        def spread(values: NDArray[Any]) -> NDArray[Any]:
            wide = np.zeros((len(keys), *values.shape[1:]), values.dtype)
            wide[at] = values
            return wide

        return Keyed(keys, *(spread(v) for v in (self.n, self.mean, self.second, self.third, self.sums)))

    def at(self, position: int) -> Moments:
        """Return the moments of one key."""
        return Moments(
            int(self.n[position]), self.mean[position], self.second[position], self.third[position]
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists for JSON."""
        arrays = {name: getattr(self, name).tolist() for name in ("n", "mean", "second", "third", "sums")}
        return {"keys": list(self.keys), **arrays}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Keyed:
        """Return what `to_dict` wrote."""
        floats = (np.asarray(state[name], np.float64) for name in ("mean", "second", "third", "sums"))
        return cls(tuple(state["keys"]), np.asarray(state["n"], np.int64), *floats)
