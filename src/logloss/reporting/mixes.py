"""Rows of K classes: the loss at every point of a grid of (temperature, share of the uniform forecast mixed in)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from logloss.surprises import class_blocks, mean_surprise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logloss.record import Observations

    Float = NDArray[np.float64]

__all__ = ["SHARES", "STEPS", "TEMPERATURES", "Mixes", "mixes_of"]

STEPS = 20  # to either side of the middle
TEMPERATURES = 4.0 ** (np.arange(-STEPS, STEPS + 1) / STEPS)
SHARES = np.append(0.0, np.geomspace(1e-6, 0.5, 2 * STEPS))
MOST_ROWS = 200_000
MOST_NUMBERS = 1_000_000  # rows times classes
MANY = 20_000  # rows that are counted in bins of surprise, 256 a nat up to 64 nats
PER_NAT, BINS = 256.0, 1 << 14
SEED = 0


class Mixes(NamedTuple):
    """`loss[i, j]` at TEMPERATURES[i] and SHARES[j]; without a share, of the rows whose loss is finite.

    `rows` were looked at, of `of` that count; `error` is twice the standard error that comes from drawing them, or what
    is lost to rounding and bins where none were left out.
    """

    loss: Float
    rows: int
    of: int
    error: float


def mixes_of(record: Observations) -> Mixes:
    """Compute the grid from the rows; more than 200,000 rows, or 1,000,000 numbers, are drawn from (seed 0)."""
    counts = np.ones(len(record), bool) if record.weight is None else record.weight > 0
    every = np.flatnonzero(counts)
    most = max(1, min(MOST_ROWS, MOST_NUMBERS // len(record.classes)))
    drawn = np.sort(np.random.default_rng(SEED).choice(every, most, replace=False)) if len(every) > most else every
    few = record.take(drawn)
    sums, finite = np.zeros((len(TEMPERATURES), len(SHARES))), 0.0
    squares, nats, K = 0.0, 0.0, len(few.classes)
    weight = np.ones(len(few)) if few.weight is None else few.weight
    counted = None if few.soft or len(few) < MANY else np.zeros((len(TEMPERATURES), 2, BINS))
    for part, s, t in class_blocks(few):
        w = weight[part]
        given = mean_surprise(s, t)
        known = np.isfinite(given)
        above, y = s - s.min(axis=1, keepdims=True), (np.arange(len(t)), t.argmax(axis=1))
        for i, T in enumerate(TEMPERATURES):
            spread_out = above / T
            normed = np.log(np.exp(-spread_out).sum(axis=1))
            if few.soft:
                at_T = spread_out + normed[:, None]
                sums[i, 0] += (w * mean_surprise(at_T, t))[known].sum()
                sums[i, 1:] += _mixed(at_T, w[:, None] * t, K)
                continue
            of_y = spread_out[y] + normed
            sums[i, 0] += (w * of_y)[known].sum()
            if counted is None:
                sums[i, 1:] += _mixed(of_y, w, K)
            else:
                _count(counted[i], of_y, w)
        finite += float(w[known].sum())
        nats += float((w * given)[known].sum())
        squares += float(((w * given)[known] ** 2).sum())
    if counted is not None:
        sums[:, 1:] = [_of_counts(*at_T, K) for at_T in counted]
    loss = sums / float(weight.sum())
    loss[:, 0] = sums[:, 0] / finite if finite > 0 else math.nan
    spread = math.sqrt(max(squares / len(few) - (nats / len(few)) ** 2, 0.0) / len(few)) / float(weight.mean())
    rounded = 3e-7 * max(1.0, float(np.nanmax(loss)))
    return Mixes(loss, len(few), len(every), 2 * spread if len(few) < len(every) else rounded)


def _mixed(s: Float, weight: Float, K: int) -> list[float]:
    """Return the sum of weight times loss with every share but 0 of the uniform forecast mixed in; s is surprise."""
    q = np.exp(-s)
    return [float((weight * -np.log((1 - share) * q + share / K)).sum()) for share in SHARES[1:]]


def _count(counted: Float, s: Float, w: Float) -> None:
    """Add weight and weight times surprise to bins; beyond the last a share counts alone."""
    near = np.minimum(s, (BINS - 1) / PER_NAT)
    at = (near * PER_NAT).astype(np.int64)
    np.add.at(counted[0], at, w)
    np.add.at(counted[1], at, w * near)


def _of_counts(weight: Float, nats: Float, K: int) -> list[float]:
    """Return what `_mixed` does from the bins: each at its mean, which errs by less than 2e-7 nats."""
    kept = weight > 0
    return _mixed(nats[kept] / weight[kept], weight[kept], K)
