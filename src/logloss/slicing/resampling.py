"""Slices under the null: how large the largest statistic of all slices gets where there is nothing to find.

Sums over slices of many replicates are one matrix product, (replicates, rows) by (rows, slices), in single precision; for
many rows it is compiled and done without the matrix, as every row is in one slice of each column. The largest over all slices of a replicate is what an observed statistic is compared with: the adjusted
p-values hold for all slices together (Westfall and Young 1993, Resampling-based multiple testing).
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from logloss.stages import steps

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from logloss.slicing.segments import Segments

    Float = NDArray[np.float64]
    Single = NDArray[np.float32]

__all__ = ["REPLICATES", "adjusted", "permuted", "regrouped", "simulated"]

REPLICATES = 999
TILE = 32  # replicates that are drawn and added up together
LONG = 1 << 21  # rows beyond which a tile is smaller: it holds all of them
COMPILE_FROM = 500_000  # entries of the matrix; below, the product is done before the compiler is imported


def adjusted(observed: Float, largest: Float) -> Float:
    """Return p-values of statistics (slices,) from the largest of each replicate, shape (B,): (1 + #>=) / (1 + B)."""
    equal = 1e-9 * np.abs(observed)  # few groups can be dealt out in few ways: the observed one is among them
    above = len(largest) - np.searchsorted(np.sort(largest), observed - equal, side="left")
    return np.asarray((1 + above) / (1 + len(largest)))


def permuted(
    u: Float, segments: Segments, seed: int, judge: Callable[[Float], Float], count: int = REPLICATES
) -> Float:
    """Return the largest statistic of each replicate in which u (n,) is dealt out to the rows at random, shape (B,).

    `judge` turns sums over slices (1, replicates, slices) into statistics (replicates, slices).
    """
    single = u.astype(np.float32)
    dealt = single.astype(np.float64)  # NumPy shuffles numbers of 8 bytes sooner, and into the same order

    def deal(random: np.random.Generator, out: Single) -> None:
        out[:] = random.permutation(dealt)

    return _largest(deal, segments, seed, judge, count, None, "dealing surprises out at random")


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

    return _largest(draw, segments, seed, judge, count, odds.astype(np.float32), "drawing outcomes at random")


def _largest(
    fill: Callable[[np.random.Generator, Single], None],
    segments: Segments,
    seed: int,
    judge: Callable[[Float], Float],
    count: int,
    factor: Single | None,
    said: str,
) -> Float:
    """Return the largest statistic of each replicate; those of a tile are drawn and added up by one thread."""
    seeds = np.random.SeedSequence(seed).spawn(count)
    add = (
        _compiled(segments, factor)
        if segments.rows * len(segments.splits) >= COMPILE_FROM
        else _product(segments, factor)
    )
    step = TILE if segments.rows <= LONG else TILE // 4

    def tile(start: int) -> Float:
        mine = seeds[start : start + step]
        table = np.empty((len(mine), segments.rows), np.float32)
        for line, own in zip(table, mine, strict=True):
            fill(np.random.default_rng(own), line)
        return np.asarray(judge(add(table)).max(axis=1))

    tiles = range(0, count, step)
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return np.concatenate(list(steps(pool.map(tile, tiles), said, "rounds", len(tiles))))


def _product(segments: Segments, factor: Single | None) -> Callable[[Single], Float]:
    """Return what makes sums (1 or 2, replicates, slices) of a table (replicates, rows) by sparse matrix products.

    Sparse also because dense products wake threads of the linear algebra, which fight with ours for the cores.
    """
    from scipy.sparse import csr_array

    codes = segments.codes()
    rows = np.repeat(np.arange(segments.rows), codes.shape[1])
    shape = (len(segments) + 1, segments.rows)
    scales = [np.ones(segments.rows, np.float32), *([] if factor is None else [factor])]
    inside = [csr_array((scale[rows], (codes.ravel(), rows)), shape=shape) for scale in scales]
    return lambda table: np.stack([(one @ table.T)[:-1].T for one in inside]).astype(np.float64)


def _compiled(segments: Segments, factor: Single | None) -> Callable[[Single], Float]:
    """Return the same without the matrix."""
    from logloss.kernels.tiles import add_tiles

    codes = segments.codes()
    ones = np.ones(0, np.float32) if factor is None else factor

    def add(table: Single) -> Float:
        out = np.zeros((1 if factor is None else 2, len(segments) + 1, len(table)), np.float32)
        add_tiles(codes, table, ones, out)
        return np.swapaxes(out[:, :-1], 1, 2).astype(np.float64)

    return add


def regrouped(
    scores: Float, shares: Float, seed: int, judge: Callable[[Float], Float], count: int = REPLICATES
) -> Float:
    """Return the largest statistic of replicates in which whole groups are exchanged, shape (B,).

    Where rows of a group depend on each other, only groups can be dealt out. The score of a group in a slice is split into
    its total times the share of its rows in the slice, and the rest: totals are dealt out to the groups at random, and the
    rests change sign group by group.

    Parameters
    ----------
    scores
        Sums over each group's rows in each slice, shape (k, groups, slices).
    shares
        The share of each group's rows in each slice, shape (groups, slices).
    """
    random = np.random.default_rng(seed)
    totals = scores[:, :, -1]
    scores, shares = scores[:, :, :-1], shares[:, :-1]
    rest = scores - totals[:, :, None] * shares
    sums = np.empty((len(scores), count, scores.shape[2]))
    for at in steps(range(count), "dealing groups out at random", "rounds"):
        dealt = totals[:, random.permutation(scores.shape[1])]
        signs = random.choice([-1.0, 1.0], size=scores.shape[1])
        sums[:, at] = dealt @ shares + signs @ rest
    return np.asarray(judge(sums).max(axis=1))
