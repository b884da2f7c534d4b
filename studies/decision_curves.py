"""How often intervals and bands of net benefit cover the truth.

Run ``python studies/decision_curves.py`` from the root of a clone (three minutes; ``--small``: one minute).
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

KINDS = {"common, 30 %": (-1.2, 1.5), "rare, 6 %": (-3.5, 1.2)}  # log-odds of the truth: middle and spread
PAIRS = {
    "on acting on all": ("right", None),
    "on an over-confident one": ("right", "wild"),
    "on one as good": ("one", "other"),
}
THRESHOLDS = np.arange(2, 51, 2) / 100
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


def draw(kind: str, n: int, random: np.random.Generator) -> tuple[Float, dict[str, Float]]:
    """Return true probabilities and forecasts: the truth, twice as far from the middle, and twice with noise of its own."""
    middle, spread = KINDS[kind]
    z = random.normal(middle, spread, n)
    noisy = [sigmoid(z + 0.5 * random.normal(size=n)) for _ in range(2)]
    return sigmoid(z), {
        "right": sigmoid(z),
        "wild": sigmoid(2 * z - middle),
        "one": noisy[0],
        "other": noisy[1],
    }


def gains(truth: Float, forecasts: dict[str, Float]) -> tuple[Float, Float]:
    """Return the expected gain of every pair at every threshold, and which share of rows is acted on differently."""
    found, differ = [], []
    for th in THRESHOLDS:
        acts = {None: np.ones(len(truth), bool)} | {name: p >= th for name, p in forecasts.items()}
        change = [acts[a].astype(float) - acts[b] for a, b in PAIRS.values()]
        found.append([float((d * (truth - th)).mean() / (1 - th)) for d in change])
        differ.append([float(np.abs(d).mean()) for d in change])
    found = np.array(found)
    found[:, -1] = 0.0  # by symmetry
    return found, np.array(differ)


def coverage(kind: str, n: int, sets: int) -> dict[str, Coverage]:
    """Return the coverage of every gain."""
    random = np.random.default_rng(1)
    true, differ = gains(*draw(kind, 400_000, random))
    told = differ * n >= ENOUGH
    single, band = np.zeros_like(true), np.zeros(len(PAIRS))
    for _ in range(sets):
        truth, forecasts = draw(kind, n, random)
        y = (random.random(n) < truth).astype(np.int64)
        y[:2] = 0, 1  # both happen
        curves = [
            ll.decision_curve(y, {name: forecasts[name] for name in names}, thresholds=THRESHOLDS)
            for names in (("right", "wild"), ("one", "other"))
        ]
        for at, (a, b) in enumerate(PAIRS.values()):
            gain = curves[a == "one"].gain(a, b)
            single[:, at] += (gain.limits.low <= true[:, at]) & (true[:, at] <= gain.limits.high)
            held = (gain.band.low <= true[:, at]) & (true[:, at] <= gain.band.high)
            band[at] += held[told[:, at]].all()
    return {
        name: Coverage(
            float(single[told[:, at], at].mean() / sets), float(single[told[:, at], at].min() / sets),
            float(band[at] / sets), int(told[:, at].sum()),
        )
        for at, name in enumerate(PAIRS)
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--small", action="store_true", help="a quick look")
    small = parser.parse_args().small
    sets = 50 if small else 200
    print(f"Coverage of 95 % intervals and bands in {sets:,} data sets, thresholds 0.02, 0.04, ..., 0.50\n")
    print(f"{'event':14} {'rows':>6}  {'gain':24} {'thresholds':>10} {'single':>7} {'worst':>7} {'band':>7}")
    for kind in KINDS:
        for n in (200, 1000):
            for name, one in coverage(kind, n, sets).items():
                print(
                    f"{kind:14} {n:6,}  {name:24} {one.thresholds:10} {one.single:7.3f} {one.worst:7.3f} {one.band:7.3f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
