"""Peak memory of a process that scores a file, by the file's size: 10^6, 10^7 and 10^8 binary rows in Parquet.

Each file is scored by a fresh process, which tells the most memory it ever had resident, Python and libraries
included. Bounded memory means that ten times the rows take no more of it.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from memory import STATUS, resident
from timing import Check, arguments, conclude, table

MB = 10**6
LARGEST, SLICE = 10**8, 10**6  # rows of the largest file; rows drawn at a time, a row group each
MOST = 600 * MB
GROWTH = 1.25  # from a tenth of the rows to all of them


def draw(rng: np.random.Generator, rows: int) -> pa.Table:
    """Draw calibrated forecasts with normal log-odds, and gamma weights."""
    p = 1 / (1 + np.exp(-rng.normal(0, 1.5, rows)))
    y = (rng.uniform(size=rows) < p).astype(np.int8)
    return pa.table({"y": y, "p": p, "w": rng.gamma(2, 0.5, rows)})


def write(file: Path, rows: int) -> None:
    """Write the file slice by slice."""
    rng = np.random.default_rng(6)
    with pq.ParquetWriter(file, draw(rng, 1).schema) as writer:
        for at in range(0, rows, SLICE):
            writer.write_table(draw(rng, min(SLICE, rows - at)))


def peak() -> int:
    """Return the most bytes that this process had resident.

    Not by `getrusage` on Linux: there a child begins with the peak of the process that started it.
    """
    if STATUS.exists():
        return resident("VmHWM")
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def child(file: str) -> None:
    """Score the file in this fresh process; print the peak."""
    import logloss as ll

    ll.score(file, outcome="y", forecast="p", weight="w")
    print(peak())


def spawn(file: Path) -> int:
    command = [sys.executable, __file__, "--child", str(file)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def peaks(sizes: list[int], rounds: int) -> dict[int, list[int]]:
    """Return the peaks by size, and print them."""
    found: dict[int, list[int]] = {size: [] for size in sizes}
    with tempfile.TemporaryDirectory() as folder:
        files = {size: Path(folder, f"{size}.parquet") for size in sizes}
        for size, file in files.items():
            write(file, size)
        spawn(files[sizes[0]])  # what is compiled once and kept is no part of scoring
        for _ in range(rounds):
            for size, file in files.items():
                found[size].append(spawn(file))
        on_disk = {size: file.stat().st_size for size, file in files.items()}
    rows = [
        (f"{size:,}", f"{on_disk[size] / MB:.0f}", *(f"{f(found[size]) / MB:.0f}" for f in (median, max)))
        for size in sizes
    ]
    print("Peak resident memory of a process that scores a file")
    table([("rows", "file MB", "median MB", "most MB"), *rows])
    return found


def main() -> None:
    options = arguments(__doc__, rounds=3, largest=LARGEST)
    sizes = [max(1, options.largest // tenth) for tenth in (100, 10, 1)]
    found = {size: median(each) for size, each in peaks(sizes, options.rounds).items()}
    _, tenth, largest = sizes
    growth = found[largest] / found[tenth]
    checks = [
        Check(
            f"peak of scoring {largest:,} rows",
            f"{found[largest] / MB:.0f} MB",
            f"< {MOST / MB:.0f} MB",
            found[largest] < MOST,
        ),
        Check(
            f"peak, {largest:,} against {tenth:,} rows", f"{growth:.2f}x", f"<= {GROWTH:g}x", growth <= GROWTH
        ),
    ]
    conclude(checks, strict=options.strict)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(*sys.argv[2:3])
    else:
        main()
