"""Ten million rows of five forecasts in a Parquet file: comparing them pair by pair against merely reading the columns.

The file is written before the clock starts and is read from the system's cache by all contenders alike. Reading means
that Polars sums every column, as in `stream.py`.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import polars as pl
from timing import Check, arguments, conclude, measure, show, within

import logloss as ll
from logloss.comparing.passing import compared
from logloss.comparing.streaming import of_stream
from logloss.sources import Opened, opened

ROWS, FORECASTS, GROUPS = 10**7, 5, 200
NAMES = [f"p{k}" for k in range(1, FORECASTS + 1)]
COMPARE, GROUPED, PANEL, READ = (
    "compare",
    "compare by group",
    "summarize (the whole panel)",
    "Polars sums the columns",
)


def draw(rows: int) -> pl.DataFrame:
    """Draw outcomes and five forecasts of them, from calibrated to overconfident and noisy; and groups."""
    rng = np.random.default_rng(5)
    z = rng.normal(0, 1.5, rows)
    columns = {"y": (rng.uniform(size=rows) < 1 / (1 + np.exp(-z))).astype(np.int8)}
    for k, name in enumerate(NAMES):
        columns[name] = 1 / (1 + np.exp(-(z * (1 + 0.1 * k) + rng.normal(0, 0.3 * k, rows))))
    return pl.DataFrame(columns | {"g": rng.integers(0, GROUPS, rows).astype(np.int16)})


def table(file: Path, group: str | None = None) -> Opened:
    found = opened(file, {name: name for name in NAMES}, outcome="y", group=group)
    assert isinstance(found, Opened)
    return found


def agrees(file: Path, rows: pl.DataFrame) -> Check:
    """Hold the ten mean differences to NumPy's."""
    tally = compared(table(file)).tally
    y = rows["y"].to_numpy()
    s = [-np.log(np.where(y == 1, p, 1 - p)) for p in (rows[name].to_numpy() for name in NAMES)]
    off = 0.0
    for i in range(FORECASTS):
        for j in range(i + 1, FORECASTS):
            at, _ = tally.position(NAMES[i], NAMES[j])
            off = max(off, abs(float(tally.pairs.mean[at, 1] - (s[i] - s[j]).mean())))
    return Check("mean differences against NumPy", f"{off:.1e} nats", "<= 1e-12", off <= 1e-12)


def main() -> None:
    options = arguments(__doc__, rounds=7, rows=ROWS)
    rows = draw(options.rows)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "five.parquet")
        rows.write_parquet(file)
        contenders = {
            COMPARE: lambda: of_stream(table(file)),
            GROUPED: lambda: of_stream(table(file, "g")),
            PANEL: lambda: ll.summarize(file, {name: name for name in NAMES}, outcome="y"),
            READ: lambda: pl.scan_parquet(file).select(pl.col("y", *NAMES).sum()).collect(),
        }
        times = measure(contenders, options.rounds, {PANEL: 3})
        show(f"{options.rows:,} rows of {FORECASTS} forecasts, {file.stat().st_size / 1e6:.0f} MB", times)
        checks = [
            within(times, COMPARE, READ, 3),
            within(times, GROUPED, READ),
            within(times, PANEL, READ),
            agrees(file, rows),
        ]
    conclude(checks, strict=options.strict)


if __name__ == "__main__":
    main()
