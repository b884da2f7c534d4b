"""Where the pieces of a map with knots begin, told from the column itself.

Each knot becomes the first of all floats that the steps before it take that far, found by bisection, so that no
rounding puts a forecast on the wrong side. Where there are two columns, or the steps before are not monotone,
log-odds are compared, with a margin for rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.calibrate.odds import LOWEST
from logloss.kernels import oracle

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logloss.calibrate.maps import Map
    from logloss.record import Space

    Float = NDArray[np.float64]

__all__ = ["Cuts", "positions"]

NEAR = 2.0**-49  # how far log-odds of two columns may be from those of the fit by rounding, in relation


@dataclass(frozen=True, eq=False)
class Cuts:
    """Where the pieces of a map begin.

    Attributes
    ----------
    starts
        The first float of the column in each piece, as positions, and one past the last; () where log-odds are compared.
    edges
        The same as numbers: of the column, or of log-odds.
    kept
        The pieces that a row can be in.
    """

    starts: tuple[int, ...]
    edges: tuple[float, ...]
    kept: tuple[int, ...]

    @classmethod
    def of(
        cls,
        bounds: list[tuple[float, float]],
        space: Space,
        steps: tuple[Map, ...],
        span: tuple[int, int] | None,
    ) -> Cuts:
        """Return the cuts at bounds: (x, -1 or 0) is the first row with log-odds of at least x, (x, 1) the first above."""
        pieces = range(len(bounds) + 1)
        if span is None:
            edges = (-np.inf, *(x + side * NEAR * max(1.0, abs(x)) for x, side in bounds))
            return cls((), edges, tuple(pieces))
        low, high = span
        starts = (low, *_firsts(bounds, space, steps, low, high), high + 1)
        kept = tuple(i for i in pieces if starts[i] < starts[i + 1])
        return cls(starts, tuple(floats(np.array(starts)).tolist()), kept)


def positions(values: Float) -> Any:
    """Return floats as integers in the same order."""
    bits = np.asarray(values, np.float64).view(np.int64)
    return np.where(bits >= 0, bits, np.int64(-(2**63)) - bits)


def floats(at: Any) -> Float:
    """Return the floats at these positions."""
    at = np.asarray(at, np.int64)
    return np.asarray(np.where(at >= 0, at, np.int64(-(2**63)) - at).view(np.float64))


def _firsts(
    bounds: list[tuple[float, float]], space: Space, steps: tuple[Map, ...], low: int, high: int
) -> list[int]:
    """Return the first position in [low, high] that the steps take to each bound; high + 1 where none does."""
    x, above = (np.array(values) for values in zip(*bounds, strict=True))
    a, b = np.full(len(x), low, np.int64), np.full(len(x), high + 1, np.int64)
    while (a < b).any():
        middle = (a >> 1) + (b >> 1) + (a & b & 1)
        z = _odds(floats(middle), space, steps)
        there = np.where(above > 0, z > x, z >= x)
        b = np.where(there & (a < b), middle, b)
        a = np.where(~there & (a < b), middle + 1, a)
    return [int(at) for at in a]


def _odds(values: Float, space: Space, steps: tuple[Map, ...]) -> Float:
    """Return the log-odds of one column as `apply` has them, after steps."""
    surprise = {"p": oracle.binary_p, "logp": oracle.binary_logp, "logit": oracle.binary_logit}[space]
    no, yes = (surprise(np.full(len(values), label), values) for label in (0, 1))
    Z = np.clip(no - yes, LOWEST, -LOWEST)[:, None]
    for step in steps:
        Z = step(Z)
    return Z[:, 0]
