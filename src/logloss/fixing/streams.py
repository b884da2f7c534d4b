"""Maps fitted to more rows than are held in memory: each step of a fit is one pass.

The race is run on a random sample. What it chose is then fitted to all rows: families by Newton steps whose sums add up over
batches, starting where the sample's fit ended; a share mixed in likewise; the clip, isotonic and Venn-Abers from one pass that
counts rows in narrow bins of log-odds, with a bound on what the bins lose. Maps of many parameters keep the sample's fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.calibrate.families import LOGISTIC, minimised, ridge_of
from logloss.calibrate.fits import fit_steps
from logloss.calibrate.fitted import forecasts_of
from logloss.calibrate.grids import Grid, clip_of, counted, isotonic_of, venn_abers_of
from logloss.calibrate.maps import Mix
from logloss.calibrate.newton import Sums, minimise, total
from logloss.calibrate.odds import finite, logs_of_two
from logloss.stages import staged

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from logloss.calibrate.families import Family
    from logloss.calibrate.maps import Map
    from logloss.fixing.race import Field
    from logloss.record import Observations
    from logloss.rereading import Again

    Float = NDArray[np.float64]

__all__ = ["Drawn", "fit_again", "sampled"]

GRIDDED = ("clip", "isotonic", "venn_abers")
MIXED = ("mix", "mix_base")


@dataclass(frozen=True, eq=False)
class Drawn:
    """Rows drawn at random from batches: forecasts, shares (m, C), weights and groups (m,); they add up."""

    Z: Float
    T: Float
    weight: Float
    group: NDArray[Any] | None

    def __add__(self, other: Drawn) -> Drawn:
        """Return the rows of both."""
        group = None
        if self.group is not None and other.group is not None:
            group = np.concatenate([self.group, other.group])
        return Drawn(
            np.concatenate([self.Z, other.Z]),
            np.concatenate([self.T, other.T]),
            np.concatenate([self.weight, other.weight]),
            group,
        )


def sampled(table: Again, rows: int) -> Drawn:
    """Return about so many rows, drawn at random in one pass; which ones depends on the rows' numbers alone."""
    chance = min(1.0, rows / table.summary.n)
    return table.total(partial(_draw, chance=chance))


def _draw(record: Observations, *, chance: float) -> Drawn:
    keep = _uniform(record.numbers(), record.part) < chance
    if record.weight is not None:
        keep &= record.weight > 0
    record = record.take(keep)
    group = record.clusters()
    weight = np.ones(len(record)) if record.weight is None else record.weight
    if not len(record):
        C = 1 if len(record.classes) == 2 else len(record.classes)
        none = np.zeros((0, C))
        return Drawn(none, none, weight, None if group is None else np.zeros(0, object))
    Z, T = (np.concatenate(part) for part in zip(*forecasts_of(record), strict=True))
    return Drawn(Z, T, weight, None if group is None else np.array(group.keys, object)[group.code])


def _uniform(rows: NDArray[np.int64], part: str) -> Float:
    """Return a number in [0, 1) for each row of a part: a hash of both (splitmix64)."""
    seed = np.uint64(int.from_bytes(part.encode()[-8:].rjust(8, b"\0"), "little") ^ (len(part) * 0x9E3779B9))
    x = rows.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + seed + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (x ^ (x >> np.uint64(31))).astype(np.float64) / 2.0**64


@staged("fitting to all rows")
def fit_again(
    name: str, table: Again, sample: Field, *, ridge: float | None = None
) -> tuple[tuple[Map, ...], str]:
    """Return a candidate fitted to all rows of a table, and what is to be said of how that was done."""
    certain = True if table.summary.mass["certain"] else None  # though none of the sample may be
    first = fit_steps(name, sample.Z, sample.T, sample.weight, certain=certain)
    if name == "identity":
        return first, ""
    C = sample.Z.shape[1]
    guard = first[:-1]  # what bounds certain forecasts, as the sample's rows advise
    n = table.summary.n
    if name in (LOGISTIC if C == 1 else ("temperature", "prior_shift", "affine")):

        def evaluate(one: Family, theta: Float) -> Sums:
            return table.total(partial(_family_sums, one=one, theta=theta, guard=guard))

        passes = [0]

        def counting(one: Family, theta: Float) -> Sums:
            passes[0] += 1
            return evaluate(one, theta)

        fitted = minimised(
            name, C, counting, ridge_of(name, n, C) if ridge is None else ridge, first=first[-1]
        )
        return (*guard, fitted), f"fitted to all {n:,} rows in {passes[0]} passes"
    if name in MIXED:
        mix = first[-1]
        assert isinstance(mix, Mix)

        def share(theta: Float) -> Sums:
            return table.total(partial(_mix_sums, mix=mix, share=float(theta[0]), guard=guard))

        best, _ = minimise(share, np.array([0.0]), 0.0, first=np.array([max(mix.share, 1e-6)]))
        return (*guard, Mix(float(np.clip(best[0], 0.0, 1.0)), mix.rates)), f"fitted to all {n:,} rows"
    if name in GRIDDED and C == 1:
        grid = table.total(partial(_grid, guard=guard if name == "clip" else ()))
        fits: dict[str, Callable[[Grid], tuple[Map, float]]] = {
            "clip": clip_of,
            "isotonic": isotonic_of,
            "venn_abers": venn_abers_of,
        }
        one, bound = fits[name](grid)
        kept = guard if name == "clip" else ()
        return (
            *kept,
            one,
        ), f"fitted to all {n:,} rows in bins of log-odds, which cost at most {bound:.2g} nats"
    return (
        first,
        f"fitted to a sample of {len(sample.Z):,} rows, which leaves its parameters less sure than all {n:,} rows would",
    )


def _blocks(record: Observations, guard: tuple[Map, ...]) -> list[tuple[Float, Float, Float]]:
    weight = np.ones(len(record)) if record.weight is None else record.weight
    found, start = [], 0
    for Z, T in forecasts_of(record):
        for step in guard:
            Z = step(Z)  # noqa: PLW2901  # one step after the other
        found.append((finite(Z), T, weight[start : start + len(Z)]))
        start += len(Z)
    return found


class Added(Sums):
    """Sums that + adds up, as the totals of a pass are."""

    def __add__(self, other: Any) -> Added:
        """Return the sums over both."""
        return Added(*total([self, other]))


def _family_sums(record: Observations, *, one: Family, theta: Float, guard: tuple[Map, ...]) -> Added:
    return Added(*total(one.sums(Z, T, w, theta) for Z, T, w in _blocks(record, guard)))


def _mix_sums(record: Observations, *, mix: Mix, share: float, guard: tuple[Map, ...]) -> Added:
    """Return loss, slope and curvature of the share mixed in: -log(p_y + lam g), -g / (...), (g / (...))^2."""
    parts = []
    for Z, T, w in _blocks(record, guard):
        logs, shares = Z, T
        if Z.shape[1] == 1:
            up, down = logs_of_two(Z)
            logs, shares = np.hstack([down, up]), np.hstack([1 - T, T])
        p = np.exp(logs)
        g = mix.rates - p
        q = p + share * g
        if not (0 <= share <= 1 and q.min() > 0):
            return Added(1.0, np.inf, np.zeros(1), np.eye(1))
        mass = w[:, None] * shares
        r = g / q
        parts.append(
            Sums(
                float(w.sum()),
                -float((mass * np.log(q)).sum()),
                np.array([-float((mass * r).sum())]),
                np.array([[float((mass * r * r).sum())]]),
            )
        )
    return Added(*total(parts))


def _grid(record: Observations, *, guard: tuple[Map, ...]) -> Grid:
    grid: Grid | None = None
    for Z, T, w in _blocks(record, guard):
        block = counted(Z[:, 0], T[:, 0], w)
        grid = block if grid is None else grid + block
    assert grid is not None
    return grid
