"""How often intervals cover: Hall's t of a mean log loss, and the bracket of miscalibration.

Run ``python studies/intervals.py`` from the root of a clone (three minutes; ``--small``: ten seconds).
"""

from __future__ import annotations

import argparse
import math
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import stdtrit

import logloss as ll
from logloss.interval import of_rows
from logloss.kernels import binary_logit, binary_p

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]

FORECASTS = {  # log-odds of the truth: spread and middle; by how much the forecast's are too far out
    "calibrated": (1.5, 0.0, 1.0),
    "over-confident x3": (1.0, 0.0, 3.0),
    "rare, 2 %": (1.0, -4.3, 1.0),
    "strong, 97 % right": (6.0, 0.0, 1.3),
}


def sigmoid(z: Float) -> Float:
    """Return 1 / (1 + exp(-z))."""
    return np.asarray(1 / (1 + np.exp(-z)))


def draw(kind: str, n: int, random: np.random.Generator) -> tuple[NDArray[np.int64], Float, Float]:
    """Return outcomes, log-odds of the forecasts, and true probabilities."""
    spread, middle, factor = FORECASTS[kind]
    z = middle + spread * random.normal(size=n)
    return (random.random(n) < sigmoid(z)).astype(np.int64), factor * z, sigmoid(z)


def expected(z: Float, truth: Float) -> float:
    """Return the mean loss that forecasts with log-odds z have in truth."""
    return float((truth * np.logaddexp(0, -z) + (1 - truth) * np.logaddexp(0, z)).mean())


def coverage(kind: str, n: int, sets: int) -> tuple[float, float]:
    """Return how often the 95 % intervals by Student's t and by Hall's t cover the true mean loss."""
    random = np.random.default_rng(1)
    _, z, truth = draw(kind, 2_000_000, random)
    mean = expected(z, truth)
    t = hall = 0
    for _ in range(sets):
        y, z, _ = draw(kind, n, random)
        s = binary_logit(y, z)
        reach = float(stdtrit(n - 1, 0.975)) * float(s.std(ddof=1)) / math.sqrt(n)
        t += abs(float(s.mean()) - mean) <= reach
        found = of_rows(s, np.ones(n))
        hall += found is not None and found.low <= mean <= found.high
    return t / sets, hall / sets


def bracket(n: int, factor: float, sets: int) -> tuple[float, float, float, float]:
    """Return mean miscalibration on unseen rows, in truth, and fitted to the rows; how often the interval covers the truth."""
    random = np.random.default_rng(2)
    inside, outside, truth, covers = [], [], [], 0
    for _ in range(sets):
        z = 2 * random.normal(size=n)
        y = (random.random(n) < sigmoid(z)).astype(np.int64)
        p = sigmoid(factor * z)
        parts = ll.decompose(y, p)
        assert parts.cross_fitted is not None
        known = float((binary_p(y, p) - binary_p(y, sigmoid(z))).mean())  # on these very rows
        inside.append(parts.in_sample.miscalibration)
        outside.append(parts.cross_fitted.miscalibration)
        truth.append(known)
        covers += parts.cross_fitted.miscalibration <= known <= parts.in_sample.miscalibration
    return float(np.mean(outside)), float(np.mean(truth)), float(np.mean(inside)), covers / sets


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--small", action="store_true", help="a quick look")
    small = parser.parse_args().small
    sets = 300 if small else 4000
    print(f"Coverage of 95 % intervals of a mean log loss, {sets:,} data sets: t, Hall's t")
    for kind in FORECASTS:
        cells = [f"{n}: {t:.3f} {hall:.3f}" for n in (50, 200, 1000) for t, hall in [coverage(kind, n, sets)]]
        print(f"  {kind:20} {'   '.join(cells)}")
    sets = 10 if small else 200
    print(
        f"\nMiscalibration in nats, means of {sets} data sets: unseen rows, truth, the rows themselves; bracket holds the truth"
    )
    for factor in (1.0, 1.5, 2.0):
        for n in (100, 1000, 10_000):
            low, known, high, covers = bracket(n, factor, sets if n < 10_000 else max(sets // 4, 5))
            print(f"  x{factor:<4} {n:6,}  {low:+.4f}  {known:+.4f}  {high:+.4f}   {covers:.2f}")


if __name__ == "__main__":
    main()
