"""By how much means of the same rows miss what they estimate: rows, clusters or stretches of time drawn again.

# Design:
# a) What is drawn is a unit: a row, all rows of a cluster, or all rows of a run of consecutive periods. A unit is its sums of w u
#    for each forecast, and of w; a replicate is the sum of drawn units divided by its weight, so units may differ in size.
# b) u is the surprise less the row's mean over the forecasts and less the forecast's mean of that: all forecasts are
#    drawn together, what they share cannot matter, and a replicate's mean is its deviation, without cancellation.
# c) Every TILE replicates have a generator of their own, so that the number of threads changes nothing.
"""

from __future__ import annotations

import math
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from logloss.errors import UsageError
from logloss.stages import steps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]
    Drawn = NDArray[np.uint32]
    Whole = NDArray[np.int64]

__all__ = ["Units", "block_length", "gathered", "replicates"]

TILE = 16  # replicates that one thread takes at a time
LOCAL = 8192  # units that stay near the processor while a tile draws from them
COMPILE_FROM = 100_000_000  # numbers added up; below, it is done before the compiler is imported


@dataclass(frozen=True, eq=False)
class Units:
    """What is drawn.

    Attributes
    ----------
    table
        Sums of w u for each forecast, then of w, shape (units, M + 1).
    draws
        How many make one replicate.
    stretch
        What deviations are multiplied by: runs do not fill the time exactly, and the mean takes one degree of freedom.
    freedom
        Degrees of freedom: rows, clusters or runs side by side, less one.
    block
        Consecutive periods in a unit; None where time plays no part.
    """

    table: Float
    draws: int
    stretch: float
    freedom: float
    block: int | None = None


def block_length(periods: int) -> int:
    """Return how many of T consecutive periods are drawn together: 1.75 T^(1/3), rounded up.

    Of that order the error of the bootstrap's variance is least; 1.75 is right where losses differ from one period to the next
    with a correlation of 0.6 (Politis and White 2004, Automatic block-length selection for the dependent bootstrap,
    Econometric Reviews 23:53-70).

    >>> block_length(100), block_length(1000)
    (9, 18)
    """
    return math.ceil(1.75 * math.cbrt(periods))


def gathered(
    u: Float,
    weight: Float,
    *,
    cluster: Whole | None = None,
    period: Whole | None = None,
    block: int | None = None,
) -> Units | None:
    """Return the units of rows with values u (n, M), each column's weighted mean 0; None for fewer than two.

    Parameters
    ----------
    weight
        Positive, shape (n,).
    cluster, period
        Position of each row's cluster or of its point in time, ascending; one of them, or neither.
    block
        Consecutive periods drawn together.
    """
    if cluster is not None and period is not None:
        raise UsageError(
            "cluster-or-period",
            "Rows have both a cluster and a period; units of one kind are drawn.",
            cure="Give the one within which rows depend on each other.",
        )
    table = np.column_stack([weight[:, None] * u, weight])
    codes = cluster if period is None else period
    if codes is not None:
        columns = [np.bincount(codes, column) for column in table.T]
        table = np.column_stack(columns)[columns[-1] > 0]
    T = len(table)
    if period is None:
        return Units(table, T, math.sqrt(T / (T - 1)), T - 1.0) if T > 1 else None
    length = block_length(T) if block is None else block
    if length < 1:
        raise UsageError("bad-count", f"block is {block}.", cure="Draw at least one period at a time.")
    if length >= T:
        return None
    draws = math.ceil(T / length)
    stretch = math.sqrt(draws * length / T / (1 - length / T))
    return Units(_runs(table, length), draws, stretch, T / length - 1, length)


def _runs(table: Float, length: int) -> Float:
    """Return the sums over `length` consecutive rows from each row on, the first row following the last."""
    total = np.zeros_like(table)
    power, done = table, 0  # sums over 1, 2, 4, ... rows
    for bit in range(length.bit_length()):
        if length >> bit & 1:
            total += np.roll(power, -done, axis=0)
            done += 1 << bit
        power = power + np.roll(power, -(1 << bit), axis=0)
    return total


def replicates(units: Units, count: int, seed: int) -> Float:
    """Return the deviation of each forecast's mean in each replicate, shape (count, M).

    How many draws fall in each stretch of LOCAL units is drawn first, then which: the same multinomial counts, and the
    units looked up lie near each other.
    """
    table = np.ascontiguousarray(units.table)
    parts = [table[start : start + LOCAL] for start in range(0, len(table), LOCAL)]
    shares = np.array([len(part) for part in parts]) / len(table)
    starts = range(0, count, TILE)
    large = units.draws * table.shape[1] * count >= COMPILE_FROM
    add = _compiled if large else _counted

    def tile(start: int, own: np.random.SeedSequence) -> Float:
        random = np.random.default_rng(own)
        out = np.zeros((min(TILE, count - start), table.shape[1]))
        many = random.multinomial(units.draws, shares, len(out))
        for part, drawn in zip(parts, many.T, strict=True):
            add(part, [random.integers(0, len(part), times, np.uint32) for times in drawn], out)
        return out

    with ThreadPoolExecutor(os.cpu_count() if large else 1) as pool:
        seeds = np.random.SeedSequence(seed).spawn(len(starts))
        tiles = steps(pool.map(tile, starts, seeds), "bootstrap", "rounds", len(starts))
        sums = np.concatenate(list(tiles))
    return np.asarray(units.stretch * sums[:, :-1] / sums[:, -1:])


def _counted(table: Float, drawn: list[Drawn], out: Float) -> None:
    """Add the drawn rows of each replicate to out (replicates, M + 1): how often each was drawn, times the row."""
    times = np.stack([np.bincount(one, minlength=len(table)) for one in drawn])
    out += np.einsum("rg,gm->rm", times.astype(np.float64), table)


def _compiled(table: Float, drawn: list[Drawn], out: Float) -> None:
    """Do the same, compiled: many rows are looked up faster than they are counted."""
    from logloss.kernels.draws import add_drawn

    for one, sums in zip(drawn, out, strict=True):
        add_drawn(table, one, sums)
