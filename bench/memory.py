"""Peak memory that scoring adds to its input: log_loss against scikit-learn and NumPy, each in its own process.

Two meters, the greater counts: what Python and NumPy allocate (tracemalloc) and, on Linux, how far the process's
resident memory rises above where it stood when the call began (its high-water mark is reset before the call).
"""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
from timing import Check, arguments, conclude, table

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[Any]

MIB = 2**20
CASES = {"binary": "10,000,000 binary rows", "classes": "1,000,000 x 10 probabilities"}
CONTENDERS = ("log_loss", "scikit-learn", "NumPy")
SHARE = 0.10  # of the input: less than this is no copy of it
STATUS, REFERENCES = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def inputs(case: str) -> tuple[Array, Array]:
    rng = np.random.default_rng(4)
    if case == "binary":
        return rng.integers(0, 2, 10**7), rng.random(10**7)
    P = rng.random((10**6, 10))
    P /= P.sum(axis=1, keepdims=True)
    return rng.integers(0, 10, 10**6), P


def one_liner(y: Array, forecast: Array) -> float:
    if forecast.ndim == 1:
        return float(-np.mean(np.where(y == 1, np.log(forecast), np.log1p(-forecast))))
    return float(-np.mean(np.log(forecast[np.arange(len(y)), y])))


def scorer(contender: str) -> Callable[[Array, Array], float]:
    """Return the function to call; only its own library is imported into the process."""
    if contender == "log_loss":
        from logloss import log_loss as ours

        return ours
    if contender == "NumPy":
        return one_liner
    from sklearn.metrics import log_loss as theirs

    return theirs


def resident(field: str) -> int:
    """Return a line of /proc/self/status in bytes: VmRSS (now) or VmHWM (the most since it was reset)."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(field + ":"))
    return int(line.split()[1]) * 1024


def added(work: Callable[[], Any]) -> int:
    """Return the bytes that one call adds at its peak, by the greater of the two meters."""
    linux = REFERENCES.exists()
    before = 0
    tracemalloc.start()
    if linux:
        REFERENCES.write_text("5")
        before = resident("VmRSS")
    work()
    rise = resident("VmHWM") - before if linux else 0
    return max(tracemalloc.get_traced_memory()[1], rise)


def child(case: str, contender: str) -> None:
    """Print, from a fresh process, the bytes of the input and the bytes added; imports and compiling come before."""
    y, forecast = inputs(case)
    score = scorer(contender)
    some = len(y) // 5
    score(y[:some], forecast[:some])
    peak = added(lambda: score(y, forecast))
    print(y.nbytes + forecast.nbytes, peak)


def spawn(case: str, contender: str) -> tuple[int, int]:
    command = [sys.executable, __file__, "--child", case, contender]
    size, peak = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return int(size), int(peak)


def main() -> None:
    options = arguments(__doc__, rounds=3)
    runs = [
        (case, who, *spawn(case, who)) for _ in range(options.rounds) for case in CASES for who in CONTENDERS
    ]
    rows, checks = [("", "", "input MiB", "added MiB", "share")], []
    for case, title in CASES.items():
        for who in CONTENDERS:
            mine = [run for run in runs if run[:2] == (case, who)]
            size, peak = mine[0][2], median(run[3] for run in mine)
            share = f"{peak / size:.1%}"
            rows.append((title, who, f"{size / MIB:.0f}", f"{peak / MIB:.1f}", share))
            if who == "log_loss":
                checks.append(
                    Check(
                        f"log_loss, {title}", f"{share} of the input", f"< {SHARE:.0%}", peak < SHARE * size
                    )
                )
    print("Peak memory added by one call")
    table(rows)
    conclude(checks, strict=options.strict)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(*sys.argv[2:4])
    else:
        main()
