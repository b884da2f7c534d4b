"""Bets on the better forecast: false alarms however often one looks, and how soon the better one is named.

Run ``python studies/betting.py`` from the root of a clone (two minutes of one core; ``--small``: a few seconds).
"""

from __future__ import annotations

import argparse
import math
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr, stdtrit

import logloss as ll
from logloss.betting.running import of_records
from logloss.betting.stakes import break_even, stakes_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from logloss.betting.sequence import Sequential

    Float = NDArray[np.float64]
    Rows = tuple[NDArray[np.int64], Float, Float]

ALPHA = 0.05
FIRST = 20  # row from which the interval is looked at


def sigmoid(z: Float) -> Float:
    """Return 1 / (1 + exp(-z))."""
    return np.asarray(1 / (1 + np.exp(-z)))


def records(rows: Rows) -> tuple[ll.Observations, ll.Observations]:
    """Return both forecasts' checked records; outcomes are 0, 1, ..., K - 1."""
    y, a, b = rows
    labels = list(range(2 if a.ndim == 1 else a.shape[1]))
    return ll.observe(y, a, labels=labels), ll.observe(y, b, labels=labels)


def bets(rows: Rows, *, horizon: int = 1) -> Sequential:
    """Return the sequential comparison of rows."""
    return of_records(*records(rows), alpha=ALPHA, horizon=horizon)


def differences(rows: Rows) -> Float:
    """Return the surprise of a less that of b in each row."""
    y, a, b = rows
    if a.ndim == 1:
        return np.asarray(np.where(y == 1, np.log(b / a), np.log((1 - b) / (1 - a))))
    at = (np.arange(len(y)), y)
    return np.asarray(np.log(b[at] / a[at]))


def equally_good(K: int, n: int, random: np.random.Generator) -> Rows:
    """Return rows in each of which both forecasts have the same expected loss."""
    if K == 2:
        z = 1.5 * random.normal(size=n)
        a, b = sigmoid(z), sigmoid(z + random.normal(size=n))
        return (random.random(n) < break_even(a, b)).astype(np.int64), a, b
    a = random.dirichlet(np.ones(K), n)
    b = a * np.exp(0.7 * random.normal(size=(n, K)))
    b /= b.sum(axis=1, keepdims=True)
    d = np.log(b / a)
    for_b, for_a = (d * b).sum(axis=1), -(d * a).sum(axis=1)  # their difference if b, if a is the truth
    share = (for_b / (for_b + for_a))[:, None]
    truth = share * a + (1 - share) * b
    return drawn(truth, random), a, b


def drawn(truth: Float, random: np.random.Generator) -> NDArray[np.int64]:
    """Return one class per row, drawn with these probabilities."""
    return np.asarray((random.random(len(truth))[:, None] > truth.cumsum(axis=1)[:, :-1]).sum(axis=1))


def overlapping(n: int, horizon: int, random: np.random.Generator) -> Rows:
    """Return rows in which both are as good, given all that was known `horizon` rows before; nearer rows tell of each other."""
    steps = random.normal(size=n + horizon - 1)
    level = np.convolve(steps, np.ones(horizon) / math.sqrt(horizon), "valid")
    z = random.normal(size=n)
    a, b = sigmoid(z), sigmoid(z + 0.7)
    return (ndtr(level) < break_even(a, b)).astype(np.int64), a, b


def interval_excludes_zero(d: Float) -> NDArray[np.bool_]:
    """Return after how many rows, from the first 20 on, the 95 % t interval of the mean difference excludes 0."""
    n = np.arange(1, len(d) + 1)
    mean = d.cumsum() / n
    with np.errstate(all="ignore"):
        error = np.sqrt(np.maximum((d * d).cumsum() / n - mean**2, 0) / (n - 1))
        return np.asarray(np.abs(mean) > stdtrit(n - 1, 1 - ALPHA / 2) * error)[FIRST - 1 :]


def false_alarms(K: int, n: int, sets: int) -> dict[str, float]:
    """Return how often a winner is named among equally good forecasts, looking after every row, by several rules."""
    random = np.random.default_rng(1)
    found = dict.fromkeys(
        ("bets", "interval, every row", "interval, last row", "ratio 20 for b", "ratio 20"), 0
    )
    for _ in range(sets):
        rows = equally_good(K, n, random)
        d = differences(rows)
        looks, ratio = interval_excludes_zero(d), d.cumsum()
        found["bets"] += bets(rows).verdict != "undecided so far"
        found["interval, every row"] += bool(looks.any())
        found["interval, last row"] += bool(looks[-1])
        found["ratio 20 for b"] += bool(ratio.max() >= math.log(20))
        found["ratio 20"] += bool(np.abs(ratio).max() >= math.log(20))
    return {rule: count / sets for rule, count in found.items()}


def late_outcomes(horizon: int, n: int, sets: int) -> dict[str, float]:
    """Return how often a winner is named among equally good forecasts whose outcomes come `horizon` rows later."""
    random = np.random.default_rng(2)
    found = dict.fromkeys(("horizon ignored", "richest bettor over horizon", "mean of bettors, every row"), 0)
    need = math.log(2 / ALPHA)
    for _ in range(sets):
        rows = overlapping(n, horizon, random)
        known = bets(rows, horizon=horizon)
        found["horizon ignored"] += bets(rows).verdict != "undecided so far"
        found["richest bettor over horizon"] += known.verdict != "undecided so far"
        found["mean of bettors, every row"] += bool(known.log_mean.max() >= need)
    return {rule: count / sets for rule, count in found.items()}


def _two(spread: float, a: float, b: float, noise: float = 0.0) -> Callable[[int, np.random.Generator], Rows]:
    """Return how to draw rows of two classes; the log-odds of a and b are those of the truth times a, b."""

    def draw(n: int, random: np.random.Generator) -> Rows:
        z = spread * random.normal(size=n)
        y = (random.random(n) < sigmoid(z)).astype(np.int64)
        return y, sigmoid(a * z + noise * random.normal(size=n)), sigmoid(b * z)

    return draw


def _four(n: int, random: np.random.Generator) -> Rows:
    b = random.dirichlet(np.ones(4), n)
    return drawn(b, random), 0.75 * b + 0.25 / 4, b


BETTER = {
    "b is the truth, a is noisy": _two(1.5, 1.0, 1.0, 0.5),
    "b is the truth, a too cautious": _two(1.5, 0.5, 1.0),
    "both over-confident, b less": _two(1.5, 2.0, 1.5),
    "b over-confident, a too cautious": _two(1.5, 0.6, 1.25),
    "four classes, a mixed with 1/4": _four,
}


def stopping(kind: str, n: int, sets: int) -> tuple[float, float, float, float, float]:
    """Return b's advantage, the rows a test of fixed size needs, the median row of the verdict, the share named by row n.

    And that share were all money placed on each bet.
    """
    random = np.random.default_rng(3)
    d = differences(BETTER[kind](400_000, random))
    gain = float(d.mean())
    fixed = (1.959964 + 0.841621) ** 2 * float(d.var()) / gain**2  # two-sided 5 %, named in 80 of 100
    at, all_in = [], 0
    for _ in range(sets):
        rows = BETTER[kind](n, random)
        found = bets(rows)
        all_in += bool(stakes_of(*records(rows)).logs[:, 1].cumsum().max() >= math.log(2 / ALPHA))
        at.append(math.inf if found.crossings["b"] is None else found.crossings["b"] + 1)
    return gain, fixed, float(np.median(at)), float(np.isfinite(at).mean()), all_in / sets


def main() -> None:
    """Print the three tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--small", action="store_true", help="a quick look")
    small = parser.parse_args().small
    sets, n = (200, 500) if small else (4000, 1000)
    print(f"Two equally good forecasts, {n:,} rows, {sets:,} data sets: how often a winner is named")
    for K in (2, 4):
        print(f"  {K} classes  ", "   ".join(f"{rule} {share:.3f}" for rule, share in false_alarms(K, n, sets).items()))  # fmt: skip
    print(f"\nEqually good, outcomes known 4 rows later, {n:,} rows, {sets:,} data sets")
    print("  ", "   ".join(f"{rule} {share:.3f}" for rule, share in late_outcomes(4, n, sets).items()))
    sets, n = (40, 2000) if small else (500, 10_000)
    print(f"\nb is better: nats per row, rows of a fixed t test, median row of the verdict, named by row {n:,}, and were all money placed; {sets} data sets")  # fmt: skip
    for kind in BETTER:
        gain, fixed, middle, share, all_in = stopping(kind, n, sets)
        print(f"  {kind:34} {gain:.4f}  {fixed:6,.0f}  {middle:6,.0f}  {share:.2f}  {all_in:.2f}")


if __name__ == "__main__":
    main()
