"""Count, means, and central co-moments up to the third order of d columns, by pairwise merging.

With A and B two parts, delta = mean_B - mean_A, n = n_A + n_B (Pebay 2008, SAND2008-6212, in d dimensions):

    mean = mean_A + delta n_B / n
    M2   = M2_A + M2_B + delta delta' n_A n_B / n
    M3   = M3_A + M3_B + delta^3 n_A n_B (n_A - n_B) / n^2 + sym(delta, (n_A M2_B - n_B M2_A) / n)

where delta^3 is the outer product and sym adds the product over the three places delta can take. Sums of squares
are never formed, so nothing cancels.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations_with_replacement, permutations
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Moments"]


@dataclass(frozen=True, eq=False)
class Moments:
    """Moments of n rows of d columns: mean (d,), second (d, d) and third (d, d, d) central sums."""

    n: int
    mean: NDArray[np.float64]
    second: NDArray[np.float64]
    third: NDArray[np.float64]

    @classmethod
    def empty(cls, d: int) -> Moments:
        """Return the moments of no rows."""
        return cls(0, np.zeros(d), np.zeros((d, d)), np.zeros((d, d, d)))

    @classmethod
    def of(cls, rows: NDArray[np.float64]) -> Moments:
        """Return the moments of `rows`, shape (n, d).

        >>> Moments.of(np.array([[1.0], [2.0], [6.0]])).mean
        array([3.])
        """
        n, d = rows.shape
        if not n:
            return cls.empty(d)
        mean = rows.mean(axis=0)
        centred = rows - mean
        columns = list(centred.T.copy())  # plain loops: a matrix product wakes threads that then wait busily
        second, third = np.zeros((d, d)), np.zeros((d, d, d))
        for i, j in combinations_with_replacement(range(d), 2):
            product = columns[i] * columns[j]
            second[i, j] = second[j, i] = product.sum()
            for k in range(j, d):
                value = float((product * columns[k]).sum())
                for at in permutations((i, j, k)):
                    third[at] = value
        return cls(n, mean, second, third)

    def __add__(self, other: Moments) -> Moments:
        """Return the moments of both parts together."""
        if not self.n or not other.n:
            return self if self.n else other
        n = self.n + other.n
        delta = other.mean - self.mean
        outer = np.multiply.outer(delta, delta)
        cube = np.multiply.outer(outer, delta)
        mixed = (self.n * other.second - other.n * self.second) / n
        sym = (
            np.einsum("i,jk->ijk", delta, mixed)
            + np.einsum("j,ik->ijk", delta, mixed)
            + np.einsum("k,ij->ijk", delta, mixed)
        )
        both = self.n * other.n / n
        return Moments(
            n,
            self.mean + delta * (other.n / n),
            self.second + other.second + outer * both,
            self.third + other.third + cube * (both * (self.n - other.n) / n) + sym,
        )

    def __sub__(self, part: Moments) -> Moments:
        """Return the moments of the rows that are not in `part`, which must be some of these."""
        n = self.n - part.n
        if not n or not part.n:
            return self if n else Moments.empty(len(self.mean))
        mean = self.mean + (self.mean - part.mean) * (part.n / n)
        delta = part.mean - mean
        outer = np.multiply.outer(delta, delta)
        cube = np.multiply.outer(outer, delta)
        both = n * part.n / self.n
        second = self.second - part.second - outer * both
        mixed = (n * part.second - part.n * second) / self.n
        sym = (
            np.einsum("i,jk->ijk", delta, mixed)
            + np.einsum("j,ik->ijk", delta, mixed)
            + np.einsum("k,ij->ijk", delta, mixed)
        )
        third = self.third - part.third - cube * (both * (n - part.n) / self.n) - sym
        return Moments(n, mean, second, third)

    def along(self, direction: NDArray[np.float64]) -> tuple[float, float]:
        """Return the second and third central sums of the linear combination `direction` of the columns."""
        second = float(direction @ self.second @ direction)
        third = float(np.einsum("ijk,i,j,k->", self.third, direction, direction, direction))
        return second, third

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists for JSON."""
        return {
            "n": self.n,
            "mean": self.mean.tolist(),
            "second": self.second.tolist(),
            "third": self.third.tolist(),
        }

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Moments:
        """Return what `to_dict` wrote."""
        return cls(
            int(state["n"]), *(np.asarray(state[key], np.float64) for key in ("mean", "second", "third"))
        )
