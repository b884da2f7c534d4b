"""Slices under the null: how large the largest statistic of all slices gets where there is nothing to find.

Sums over slices of many replicates are one matrix product, (replicates, rows) by (rows, slices), done block by block in
single precision. The largest over all slices of a replicate is what an observed statistic is compared with: the adjusted
p-values hold for all slices together (Westfall and Young 1993, Resampling-based multiple testing).
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from logloss.slicing.segments import Segments

    Float = NDArray[np.float64]
    Single = NDArray[np.float32]

__all__ = ["REPLICATES", "adjusted", "flipped", "permuted", "simulated"]

REPLICATES = 999
CHUNK = 1 << 27  # numbers of replicates at a time: 512 MB
KEPT = (
    1 << 29
)  # entries of the table of rows by slices that are kept; a larger one is made anew for every chunk
ROWS = 1 << 13


def adjusted(observed: Float, largest: Float) -> Float:
    """Return p-values of statistics (slices,) from the largest of each replicate, shape (B,): (1 + #>=) / (1 + B)."""
    above = len(largest) - np.searchsorted(np.sort(largest), observed, side="left")
    return np.asarray((1 + above) / (1 + len(largest)))


def permuted(
    u: Float, segments: Segments, seed: int, judge: Callable[[Float], Float], count: int = REPLICATES
) -> Float:
    """Return the largest statistic of each replicate in which u (n,) is dealt out to the rows at random, shape (B,).

    `judge` turns sums over slices (1, replicates, slices) into statistics (replicates, slices).
    """
    single = u.astype(np.float32)

    def deal(random: np.random.Generator, out: Single) -> None:
        out[:] = random.permutation(single)

    return _largest(deal, segments, seed, judge, count, [None])


def simulated(
    p: Float,
    weight: Float,
    odds: Float,
    segments: Segments,
    seed: int,
    judge: Callable[[Float], Float],
    count: int = REPLICATES,
) -> Float:
    """Return the largest statistic of replicates in which what happened is drawn from the forecasts p (n,).

    `judge` is given the sums of w (y - p) and of w (y - p) odds.
    """
    chance, off, w = p.astype(np.float32), p.astype(np.float32), weight.astype(np.float32)

    def draw(random: np.random.Generator, out: Single) -> None:
        random.random(out=out, dtype=np.float32)
        np.multiply((out < chance) - off, w, out=out)

    return _largest(draw, segments, seed, judge, count, [None, odds.astype(np.float32)])


def _largest(
    fill: Callable[[np.random.Generator, Single], None],
    segments: Segments,
    seed: int,
    judge: Callable[[Float], Float],
    count: int,
    factors: list[Single | None],
) -> Float:
    step = max(1, min(count, CHUNK // max(segments.rows, 1)))
    seeds = np.random.SeedSequence(seed).spawn(count)
    out = np.empty(count)
    kept = (
        [segments.indicators(part) for part in _parts(segments.rows)]
        if segments.rows * len(segments) <= KEPT
        else None
    )
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for start in range(0, count, step):
            mine = seeds[start : start + step]
            table = np.empty((len(mine), segments.rows), np.float32)
            list(pool.map(lambda at: fill(np.random.default_rng(mine[at]), table[at]), range(len(mine))))  # noqa: B023  # used up before the next turn
            sums = np.zeros((len(factors), len(mine), len(segments)))
            for turn, part in enumerate(_parts(segments.rows)):
                inside = (segments.indicators(part) if kept is None else kept[turn]).astype(np.float32)
                for at, factor in enumerate(factors):
                    sums[at] += table[:, part] @ (inside if factor is None else inside * factor[part, None])
            out[start : start + step] = judge(sums).max(axis=1)
    return out


def flipped(scores: Float, seed: int, judge: Callable[[Float], Float], count: int = REPLICATES) -> Float:
    """Return the largest statistic of replicates in which the scores of whole groups change sign at random.

    `scores` of shape (k, groups, slices): k sums over each group's rows in each slice. Where rows of a group depend on
    each other, only groups can be exchanged; flipping the sign of a group's scores does not ask that groups are alike.
    """
    random = np.random.default_rng(seed)
    signs = random.choice([-1.0, 1.0], size=(count, scores.shape[1]))
    return np.asarray(judge(np.stack([signs @ one for one in scores])).max(axis=1))


def _parts(rows: int) -> Iterator[slice]:
    for start in range(0, rows, ROWS):
        yield slice(start, min(start + ROWS, rows))
