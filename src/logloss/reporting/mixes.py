"""Rows of K classes: the loss at every point of a grid of (temperature, share of the uniform forecast mixed in)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from logloss import units
from logloss.plain import jsonable
from logloss.reporting.packing import SHOWN, coded, embedded, lost, row, upward
from logloss.surprises import class_blocks, mean_surprise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logloss.record import Observations
    from logloss.summary import Summary

    Float = NDArray[np.float64]

__all__ = ["SHARES", "TEMPERATURES", "MixSketch", "Mixes", "mix_sketch", "mixes_of"]

STEPS = 20  # to either side of the middle
TEMPERATURES = 4.0 ** (np.arange(-STEPS, STEPS + 1) / STEPS)
SHARES = np.append(0.0, np.geomspace(1e-6, 0.5, 2 * STEPS))
MOST_ROWS = 200_000
MOST_NUMBERS = 1_000_000  # rows times classes
ROUNDED = 3e-7  # relative: of bins and float32
MANY = 20_000  # rows that are counted in bins of surprise, 256 a nat up to 64 nats
PER_NAT, BINS = 256.0, 1 << 14
SEED = 0
TICKS = (1e-5, 1e-3, 0.1)  # of the curve


class Mixes(NamedTuple):
    """`loss[i, j]` at TEMPERATURES[i] and SHARES[j]; without a share, of the rows whose loss is finite.

    `rows` were looked at, of `of` that count; `errors` are twice the standard error of each temperature's loss, or what
    is lost to rounding and bins where none were left out.
    """

    loss: Float
    rows: int
    of: int
    errors: Float


def mixes_of(record: Observations) -> Mixes:
    """Compute the grid from the rows; more than 200,000 rows, or 1,000,000 numbers, are drawn from (seed 0)."""
    counts = np.ones(len(record), bool) if record.weight is None else record.weight > 0
    every = np.flatnonzero(counts)
    most = max(1, min(MOST_ROWS, MOST_NUMBERS // len(record.classes)))
    drawn = (
        np.sort(np.random.default_rng(SEED).choice(every, most, replace=False))
        if len(every) > most
        else every
    )
    few = record.take(drawn)
    sums, finite = np.zeros((len(TEMPERATURES), len(SHARES))), 0.0
    squares, nats, K = np.zeros(len(TEMPERATURES)), np.zeros(len(TEMPERATURES)), len(few.classes)
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
                every_class = spread_out + normed[:, None]
                of_y = mean_surprise(every_class, t)
                sums[i, 1:] += _mixed(every_class, w[:, None] * t, K)
            else:
                of_y = spread_out[y] + normed
                if counted is None:
                    sums[i, 1:] += _mixed(of_y, w, K)
                else:
                    _count(counted[i], of_y, w)
            costs = (w * of_y)[known]
            nats[i] += costs.sum()
            squares[i] += (costs**2).sum()
        finite += float(w[known].sum())
    if counted is not None:
        sums[:, 1:] = [_of_counts(at_T[0], at_T[1], K) for at_T in counted]
    loss, n = sums / float(weight.sum()), len(few)
    loss[:, 0] = nats / finite if finite > 0 else math.nan
    spread = np.sqrt(np.maximum(squares / n - (nats / n) ** 2, 0.0) / n) / float(weight.mean())
    rounded = np.full(len(TEMPERATURES), ROUNDED * max(1.0, float(np.nanmax(loss))))
    return Mixes(loss, n, len(every), 2 * spread if n < len(every) else rounded)


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


@dataclass(frozen=True, eq=False)
class MixSketch:
    """More classes: the loss at 41 temperatures and 41 shares of the uniform forecast mixed in. Nats.

    Attributes
    ----------
    log_loss, finite, infinite
        As those of :class:`logloss.reporting.sketches.Sketch`.
    rows, of
        How many rows the grid was computed from, of how many.
    errors
        At each temperature: twice the standard error that comes from drawing rows; where none were left out, that of
        bins and of rounding.
    best
        (T, share) with the least loss, in sample.
    grid
        Shape (41, 41); without a share, of the rows whose loss is finite.
    """

    log_loss: float
    finite: float
    infinite: int
    rows: int
    of: int
    errors: NDArray[np.float64]
    best: tuple[float, float]
    grid: NDArray[np.float64] = field(repr=False)

    kind = "many"

    @property
    def error(self) -> float:
        """The largest of the errors."""
        return float(self.errors.max())

    def loss(self, T: float, share: float) -> float:
        """Return the loss at the nearest point of the grid; the exact one at T = 1 without a share."""
        i, j = _nearest(T, share)
        if j == 0 and self.infinite:
            return math.inf
        return self.log_loss if (TEMPERATURES[i], j) == (1, 0) else float(self.grid[i, j])

    def average(self, T: float) -> float:
        """Return the loss without a share of the rows whose loss is finite."""
        i, _ = _nearest(T, 0.0)
        return self.finite if TEMPERATURES[i] == 1 else float(self.grid[i, 0])

    def table(self) -> list[tuple[str, str, str]]:
        """Return (setting, loss, change) at a few settings, as text."""
        shown = [float(TEMPERATURES[_nearest(T, 0.0)[0]]) for T in SHOWN]
        rows = [row(f"temperature {T:.3g}" if T != 1 else "as given", self.average(T), self.finite, self.infinite) for T in shown]  # fmt: skip
        T, share = self.best
        if self.best == (1, 0):
            return rows
        said = f"temperature {T:.3g}, {units.percent(share, 2)} uniform" if share else f"temperature {T:.3g}"
        loss = self.loss(T, share) if share else self.average(T)
        return [
            *rows,
            row(
                f"best of the sliders (in sample): {said}",
                loss,
                self.log_loss if share else self.finite,
                0 if share else self.infinite,
            ),
        ]

    @property
    def ranges(self) -> dict[str, tuple[int, int]]:
        """The ends of the sliders."""
        return {"t": (-STEPS, STEPS), "e": (0, len(SHARES) - 1)}

    @property
    def ticks(self) -> dict[str, list[tuple[Any, ...]]]:
        """Where the picture says what: (text, x) of the curve."""
        steps = len(SHARES) - 2
        marks = [(f"{share:g}", round(50 + 260 / (steps + 1) * (1 + steps * math.log(share / 1e-6) / math.log(5e5)), 1)) for share in TICKS]  # fmt: skip
        return {"curve": [("0", 50.0), *marks]}

    def to_dict(self) -> dict[str, Any]:
        """Return all that the page's script needs, as plain values; the grid as base64 of little-endian float32."""
        i, j = _nearest(*self.best)
        state = {
            "kind": self.kind,
            "log_loss": None if self.infinite else self.log_loss,
            "finite": self.finite,
            "infinite": self.infinite,
            "rows": self.rows,
            "of": self.of,
            "errors": [
                [T * (1 - 1e-9), upward(e), upward(e)]
                for T, e in zip(TEMPERATURES.tolist(), self.errors.tolist(), strict=True)
            ],
            "says": "uniform share ",
            "lost_said": lost(self.infinite),
            "best": [i - len(TEMPERATURES) // 2, j],
            "best_settings": list(self.best),
        }
        return {**jsonable(state), "grid": coded(self.grid, "<f4"), "shares": SHARES.tolist()}

    def embedded(self) -> str:
        """Return JSON that may stand in a script element: nothing in it can end the element."""
        return embedded(self.to_dict())


def mix_sketch(summary: Summary, mixes: Mixes) -> MixSketch | None:
    """Return the sketch that a grid of losses makes; None where no row drawn is finite."""
    if not np.isfinite(mixes.loss).all():
        return None
    middle = len(TEMPERATURES) // 2
    grid = mixes.loss + (
        summary.mean_finite - mixes.loss[middle, 0]
    )  # rows that were drawn tell differences best
    seen = grid.copy()
    if summary.infinite[0]:
        seen[:, 0] = math.inf
    i, j = divmod(int(np.argmin(seen)), seen.shape[1])
    best = float(TEMPERATURES[i]), float(SHARES[j])
    whole = summary.mean, summary.mean_finite, summary.infinite[0]
    return MixSketch(*whole, mixes.rows, mixes.of, mixes.errors, best, grid)


def _nearest(T: float, share: float) -> tuple[int, int]:
    i = int(np.abs(np.log(TEMPERATURES / T)).argmin())
    return i, 0 if share == 0 else 1 + int(np.abs(np.log(SHARES[1:] / share)).argmin())
