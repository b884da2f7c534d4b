"""How often intervals and bands of decision curves and Murphy curves cover the truth.

Run ``python studies/decision_curves.py`` from the root of a clone (two minutes; ``--small``: half a minute).
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

import logloss as ll

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]

KINDS = {  # log-odds of the truth: middle and spread; by how much the second forecast's are too far out
    "common, 30 %": (-1.2, 1.5, 2.0),
    "rare, 6 %": (-3.5, 1.2, 2.0),
}
THRESHOLDS = np.arange(1, 51) / 100
ENOUGH = 10  # rows that are expected to be acted on differently


@dataclass(frozen=True)
class Coverage:
    """Share of data sets: single intervals (mean over thresholds, the worst threshold), the band; and how many thresholds."""

    single: float
    worst: float
    band: float
    thresholds: int


def sigmoid(z: Float) -> Float:
    """Return 1 / (1 + exp(-z))."""
    return np.asarray(1 / (1 + np.exp(-z)))


def draw(kind: str, n: int, random: np.random.Generator) -> tuple[NDArray[np.int64], Float, Float, Float]:
    """Return outcomes, two forecasts of them, and true probabilities."""
    middle, spread, factor = KINDS[kind]
    z = random.normal(middle, spread, n)
    truth = sigmoid(z)
    return (random.random(n) < truth).astype(np.int64), truth, sigmoid(factor * (z - middle) + middle), truth


def gains(y: Float, p: Float, q: Float) -> tuple[Float, Float]:
    """Return the mean gain of each row set on acting on all, and of p on q, at every threshold; and how many differ."""
    found, differ = [], []
    for th in THRESHOLDS:
        worth = (y - th) / (1 - th)
        found.append([((p >= th).astype(float) - 1) @ worth, ((p >= th).astype(float) - (q >= th)) @ worth])
        differ.append([(p < th).sum(), ((p >= th) != (q >= th)).sum()])
    return np.array(found) / len(y), np.array(differ) / len(y)


def coverage(kind: str, n: int, sets: int) -> list[Coverage]:
    """Return the coverage of the gain on acting on all rows, and of one forecast on the other."""
    random = np.random.default_rng(1)
    _, p, q, truth = draw(kind, 1_000_000, random)
    true, differ = gains(truth, p, q)
    told = differ * n >= ENOUGH
    single, band = np.zeros_like(true), np.zeros(2)
    for _ in range(sets):
        y, p, q, _ = draw(kind, n, random)
        if not 0 < y.sum() < n:
            continue
        curve = ll.decision_curve(y, {"p": p, "q": q}, thresholds=THRESHOLDS)
        for at, gain in enumerate((curve.gain("p"), curve.gain("p", "q"))):
            inside = (gain.limits.low <= true[:, at]) & (true[:, at] <= gain.limits.high)
            single[:, at] += inside
            held = (gain.band.low <= true[:, at]) & (true[:, at] <= gain.band.high)
            band[at] += held[told[:, at]].all()
    return [
        Coverage(
            float(single[told[:, at], at].mean() / sets), float(single[told[:, at], at].min() / sets),
            float(band[at] / sets), int(told[:, at].sum()),
        )
        for at in (0, 1)
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--small", action="store_true", help="a quick look")
    small = parser.parse_args().small
    sets = 100 if small else 400
    print(f"Coverage of 95 % intervals and bands in {sets:,} data sets, thresholds 0.01 to 0.50\n")
    print(
        f"{'forecasts':14} {'rows':>6}  {'gain':22} {'thresholds':>10} {'single':>7} {'worst':>7} {'band':>7}"
    )
    for kind in KINDS:
        for n in (200, 1000) if small else (200, 1000, 5000):
            for name, one in zip(
                ("on acting on all", "on the other forecast"), coverage(kind, n, sets), strict=True
            ):
                print(
                    f"{kind:14} {n:6,}  {name:22} {one.thresholds:10} {one.single:7.3f} {one.worst:7.3f} {one.band:7.3f}"
                )


if __name__ == "__main__":
    main()
