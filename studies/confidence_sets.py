"""Many forecasts at once: does the 90 % set keep both of two equal bests, and do bands hold for all differences together?

Run ``python studies/confidence_sets.py`` from the root of a clone (ten minutes; ``--small``: a minute).
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.signal import lfilter

from logloss.interval import of_rows
from logloss.kernels import binary_logit
from logloss.multiplicity.confidencesets import confidence_set
from logloss.multiplicity.simultaneous import simultaneous

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Float = NDArray[np.float64]
    Whole = NDArray[np.int64]
    Drawn = tuple[Float, Whole | None, Whole | None]  # surprises, clusters, periods

ERRORS = np.array(
    [0.5, 0.5, 0.6, 0.7, 0.9, 1.2]
)  # of the log-odds of six forecasts; the first two are equally good
BEHIND = np.array([0.0, 0.0, 0.02, 0.04, 0.08, 0.16])  # nats, where surprises are drawn directly


def independent(n: int, random: np.random.Generator, errors: Float = ERRORS) -> Drawn:
    """Draw outcomes with log-odds N(0, 1.5^2), and forecasts that miss these log-odds by normal errors."""
    z = 1.5 * random.normal(size=n)
    y = (random.random(n) < 1 / (1 + np.exp(-z))).astype(np.int64)
    missed = z[:, None] + errors * random.normal(size=(n, len(errors)))
    return np.column_stack([binary_logit(y, column) for column in missed.T]), None, None


def clustered(G: int, random: np.random.Generator) -> Drawn:
    """Draw G clusters of 2 to 39 rows; a tenth of the variance of each forecast's surprise is its cluster's."""
    cluster = np.repeat(np.arange(G), random.integers(2, 40, G))
    n = len(cluster)
    own = np.sqrt(0.1) * random.normal(size=(G, 6))[cluster] + np.sqrt(0.9) * random.normal(size=(n, 6))
    return random.exponential(0.5, (n, 1)) + BEHIND + 0.4 * own, cluster, None


def through_time(T: int, random: np.random.Generator) -> Drawn:
    """Draw T points in time; each forecast's surprise less what all share is autoregressive, 0.6 from one to the next."""
    shocks = random.normal(size=(T + 50, 6))
    own = lfilter([0.8], [1.0, -0.6], shocks, axis=0)[50:]
    return random.exponential(0.5, (T, 1)) + BEHIND + 0.4 * own, None, np.arange(T)


@dataclass(frozen=True)
class Kept:
    """Shares of data sets in which the set keeps both equal bests, the first, the second; its mean size."""

    both: float
    first: float
    second: float
    size: float

    def __str__(self) -> str:
        return f"{self.both:.3f} {self.first:.3f} {self.second:.3f} {self.size:.2f}"


def kept(
    draw: Callable[[int, np.random.Generator], Drawn],
    size: int,
    sets: int,
    *,
    told: bool = True,
    **options: int,
) -> Kept:
    """Make the 90 % set of many data sets; without being told of clusters or time where `told` is false."""
    random = np.random.default_rng(3)
    members = []
    for at in range(sets):
        s, cluster, period = draw(size, random)
        given = {"cluster": cluster, "period": period} if told else {}
        members.append(confidence_set(s, np.ones(len(s)), seed=at, **given, **options).members)  # type: ignore[arg-type]
    first, second = np.array(members)[:, :2].T
    return Kept(
        float((first & second).mean()),
        float(first.mean()),
        float(second.mean()),
        float(np.sum(members) / sets),
    )


def together(m: int, n: int, sets: int) -> tuple[float, float, float]:
    """Return how often 95 % intervals of m differences to a reference hold all at once.

    One by one, as bands of equal length, and as Hall's intervals each at the level at which all hold together.
    """
    random = np.random.default_rng(4)
    errors = np.concatenate([[0.5], np.linspace(0.3, 1.2, m)])
    truth = np.zeros(m)
    for _ in range(20):
        s, _, _ = independent(200_000, random, errors)
        truth += (s[:, 1:] - s[:, :1]).mean(axis=0) / 20
    alone = bands = halls = 0
    for at in range(sets):
        s, _, _ = independent(n, random, errors)
        d, w = s[:, 1:] - s[:, :1], np.ones(n)
        found = simultaneous(d, w, seed=at, draws=5000)
        assert found is not None
        bands += bool(((found.low <= truth) & (truth <= found.high)).all())
        each = [[of_rows(column, w, level=level) for column in d.T] for level in (0.95, found.level_each)]
        one, all_ = (
            all(i is not None and i.low <= t <= i.high for i, t in zip(line, truth, strict=True))
            for line in each
        )
        alone, halls = alone + one, halls + all_
    return alone / sets, bands / sets, halls / sets


CASES: tuple[tuple[str, Callable[[int, np.random.Generator], Drawn], tuple[int, ...]], ...] = (
    ("rows", independent, (100, 1000)),
    ("clusters", clustered, (5, 20, 50)),
    ("AR(.6)", through_time, (20, 100, 400)),
)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--small", action="store_true", help="a quick look")
    small = parser.parse_args().small
    sets = 50 if small else 500
    print(
        f"Two equal bests of six, 90 % set, {sets:,} data sets: both kept, first, second, mean size; untold of dependence"
    )
    for name, draw, sizes in CASES:
        for size in sizes:
            untold = "" if draw is independent else f"   {kept(draw, size, sets, told=False)}"
            print(f"  {name:9} {size:5,}  {kept(draw, size, sets)}{untold}", flush=True)
    print(
        f"\nAll of m differences inside their 95 % intervals, {sets:,} data sets: one by one, bands, Hall's at that level"
    )
    for m in (5, 20):
        for n in (100, 1000):
            alone, bands, halls = together(m, n, sets)
            print(f"  m = {m:2} {n:5,} rows  {alone:.3f} {bands:.3f} {halls:.3f}", flush=True)


if __name__ == "__main__":
    main()
