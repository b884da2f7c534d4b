"""Does `explain` name the cause that was planted, and does it keep quiet where there is none?

Run ``python studies/causes.py`` from the root of a clone (half an hour; ``--small``: two minutes). Forecasts are simulated with
log-odds N(0, 4^2), so that the truth is known; every table prints what docs/studies.md quotes.
"""

from __future__ import annotations

import argparse
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

import logloss as ll

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Float = NDArray[np.float64]
    Case = tuple[str, tuple[str, ...], NDArray[np.int64], Float, dict[str, NDArray[Any]]]

ROWS = 5000


def sigmoid(z: Float) -> Float:
    """Return 1 / (1 + exp(-z))."""
    return np.asarray(1 / (1 + np.exp(-z)))


def planted(n: int, seed: int) -> Iterator[Case]:
    """Yield (cause, findings that name it, outcomes, forecasts, columns to slice by)."""
    random = np.random.default_rng(seed)
    z = 4 * random.normal(size=n)
    y = (random.random(n) < sigmoid(z)).astype(np.int64)
    columns = {
        "site": random.choice(list("abcde"), n),
        "age": random.normal(50, 10, n),
        "sex": random.integers(0, 2, n),
    }
    flipped = np.where(random.random(n) < 0.03, 1 - y, y)
    yield "calibrated", ("LL081",), y, sigmoid(z), columns
    yield "log-odds twice too far out", ("LL020",), y, sigmoid(2 * z), columns
    yield "log-odds 1.5 too high", ("LL022",), y, sigmoid(z + 1.5), columns
    yield "log-odds 2 too high at one site", ("LL040",), y, sigmoid(z + 2 * (columns["site"] == "c")), columns
    yield "3 % of the labels flipped", ("LL100",), flipped, sigmoid(z), columns
    yield "forecasts of other rows", ("LL051",), y, sigmoid(2 * random.normal(size=n)), columns


def first_sentences(sets: int, n: int = ROWS) -> dict[str, tuple[float, Counter[str]]]:
    """Return, by cause, how often the first finding names it, and which finding came first."""
    said: dict[str, Counter[str]] = {}
    right: Counter[str] = Counter()
    for seed in range(sets):
        for cause, wanted, y, p, columns in planted(n, seed):
            why = ll.explain(y, p, by=columns)
            first = why.findings[0].id if why.findings else "none"
            said.setdefault(cause, Counter())[first] += 1
            right[cause] += first in wanted
    return {cause: (right[cause] / sets, counts) for cause, counts in said.items()}


def false_alarms(sets: int, n: int, kind: str) -> dict[str, float]:
    """Return how often something is said of calibrated forecasts whose columns mean nothing."""
    alarms: Counter[str] = Counter()
    for seed in range(sets):
        random = np.random.default_rng(seed)
        columns: dict[str, Any] = {f"x{j}": random.normal(size=n) for j in range(3)}
        columns |= {f"c{j}": random.integers(0, 5, n) for j in range(2)}
        group = None
        if kind == "rare":
            p = random.beta(0.3, 10, n)
        elif kind == "tenths":
            p = random.integers(1, 10, n) / 10
        else:
            p = sigmoid(2 * random.normal(size=n) - 0.5)
        if kind == "groups":  # rows of a group share their columns and an error of the forecast
            group = np.repeat(np.arange(n // 10), 10)
            columns = {name: values[group] for name, values in columns.items()}
            z = np.log(p / (1 - p)) + random.normal(size=n // 10)[group]
            y = (random.random(n) < sigmoid(z)).astype(np.int64)
        else:
            y = (random.random(n) < p).astype(np.int64)
        why = ll.explain(y, p, by=columns, group=group)
        ids = {finding.id for finding in why.findings}
        alarms["a slice (LL040, LL041)"] += bool(ids & {"LL040", "LL041"})
        alarms["labels (LL100)"] += "LL100" in ids
        alarms["a few rows (LL010)"] += "LL010" in ids
        alarms["a map (LL020 to LL033)"] += bool(ids & {"LL020", "LL022", "LL024", "LL031"})
    return {
        name: alarms[name] / sets
        for name in (
            "a slice (LL040, LL041)",
            "a map (LL020 to LL033)",
            "labels (LL100)",
            "a few rows (LL010)",
        )
    }


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--small", action="store_true", help="a quick look")
    small = parser.parse_args().small
    sets = 4 if small else 40
    print(f"The first sentence, {sets} data sets of {ROWS:,} rows each")
    for cause, (share, counts) in first_sentences(sets).items():
        print(f"  {cause:32} {share:6.1%}   {dict(counts)}")
    for kind in ("even", "rare", "tenths", "groups"):
        sets = 20 if small else 400 if kind == "even" else 200
        print(f"\nCalibrated ({kind}), {sets} data sets of 1,000 rows: how often something is said of")
        for name, share in false_alarms(sets, 1000, kind).items():
            print(f"  {name:28} {share:6.2%}")


if __name__ == "__main__":
    main()
