"""The harness the scripts share: every contender in turn, round after round, in one process and on one machine.

Interleaving (A B A B ...) lets a busy moment fall on all contenders alike; medians leave out what it still hits.
A claim is judged by the ratio of medians; the ratio of the fastest rounds stands beside it.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Times = dict[str, list[float]]

PAUSE = 0.003  # seconds before each call: threads of the contender before it stop spinning for work


@dataclass(frozen=True)
class Check:
    """One line of the table of claims; `passed` is None where nothing is claimed."""

    what: str
    measured: str
    claim: str = ""
    passed: bool | None = None


def arguments(description: str | None, rounds: int = 9, **sizes: int) -> argparse.Namespace:
    """Read the command line that all scripts share; `sizes` are numbers of rows, an option each."""
    parser = argparse.ArgumentParser(description=(description or "").partition("\n")[0])
    parser.add_argument(
        "--rounds", type=int, default=rounds, help="timed rounds per contender (default: %(default)s)"
    )
    for name, size in sizes.items():
        parser.add_argument(f"--{name}", type=int, default=size, help="rows (default: %(default)s)")
    parser.add_argument("--strict", action="store_true", help="exit with 1 if a claim fails")
    return parser.parse_args()


def measure(
    contenders: Mapping[str, Callable[[], Any]], rounds: int, few: Mapping[str, int] | None = None
) -> Times:
    """Time every contender once per round, after one warm-up; those in `few` sit out after that many rounds."""
    limit = dict(few or {})
    for work in contenders.values():
        work()
    times: Times = {name: [] for name in contenders}
    for turn in range(rounds):
        for name, work in contenders.items():
            if turn < limit.get(name, rounds):
                times[name].append(seconds(work))
    return times


def seconds(work: Callable[[], Any]) -> float:
    """Return the wall time of one call."""
    time.sleep(PAUSE)
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def faster(times: Times, ours: str, peer: str, at_least: float | None = None) -> Check:
    """Check that `peer` takes at least so many times as long as we do."""
    by_median, by_best = (f(times[peer]) / f(times[ours]) for f in (median, min))
    measured = f"{by_median:.2f}x faster (fastest rounds {by_best:.2f}x)"
    if at_least is None:
        return Check(f"{ours} against {peer}", measured)
    return Check(f"{ours} against {peer}", measured, f">= {at_least:g}x", by_median >= at_least)


def within(times: Times, ours: str, peer: str, at_most: float | None = None) -> Check:
    """Check that we take at most so many times as long as `peer`."""
    by_median, by_best = (f(times[ours]) / f(times[peer]) for f in (median, min))
    measured = f"{by_median:.2f}x its time (fastest rounds {by_best:.2f}x)"
    if at_most is None:
        return Check(f"{ours} against {peer}", measured)
    return Check(f"{ours} against {peer}", measured, f"<= {at_most:g}x", by_median <= at_most)


def table(rows: Sequence[Sequence[str]]) -> None:
    """Print rows in columns as wide as their widest cell; the first row is the head."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for at, row in enumerate(rows):
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        if at == 0:
            print("  " + "  ".join("-" * width for width in widths))
    print()


def show(title: str, times: Times) -> None:
    """Print what each contender took."""
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    print(f"{title}  ({os.cpu_count()} cores{load})")
    rows = [(name, f"{median(t) * 1e3:.2f}", f"{min(t) * 1e3:.2f}", str(len(t))) for name, t in times.items()]
    table([("", "median ms", "fastest ms", "rounds"), *rows])


def conclude(checks: Sequence[Check], *, strict: bool) -> None:
    """Print the claims and leave the process: with 1 under `strict` if one of them fails."""
    verdict = {True: "PASS", False: "FAIL", None: ""}
    table(
        [
            ("claim", "measured", "claimed", ""),
            *((c.what, c.measured, c.claim, verdict[c.passed]) for c in checks),
        ]
    )
    sys.exit(int(strict and any(c.passed is False for c in checks)))
