"""Twenty million binary rows in files: summarize against Polars, pandas with scikit-learn, and SQL by hand in DuckDB.

Files are written before the clock starts and are read from the system's cache, by all contenders alike. What is
claimed is claimed of a file that Polars wrote; PyArrow's file, which decodes faster, stands beside it.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
from sklearn.metrics import log_loss as sklearn_log_loss
from timing import Check, arguments, conclude, faster, measure, show, within

import logloss as ll

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROWS, CSV_ROWS, GROUPS = 20 * 10**6, 5 * 10**6, 50
COLUMNS = {"outcome": "y", "forecast": "p", "weight": "w"}
TOTAL, GROUPED = "summarize", "summarize by group"
SUMS, SKLEARN, SQL = "Polars sums y, p, w", "pandas + scikit-learn", "SQL in DuckDB"
READ = "Polars read_csv"
ONE, ALL = "summarize, one thread", "summarize, all cores"

MEASURES = {  # what the SQL keeps of each group, each bin of log-odds, and the whole: our summary keeps more
    "rows": ("count(*)", "sum"),
    "w": ("sum(w)", "sum"),
    "ws": ("sum(w * s)", "sum"),
    "ww": ("sum(w * w)", "sum"),
    "wws": ("sum(w * w * s)", "sum"),
    "wwss": ("sum(w * w * s * s)", "sum"),
    "worst": ("max(s)", "max"),
    "wy": ("sum(w * y)", "sum"),
    "wp": ("sum(w * p)", "sum"),
}


def draw(rows: int) -> pl.DataFrame:
    """Draw calibrated forecasts with normal log-odds, gamma weights and groups."""
    rng = np.random.default_rng(5)
    p = 1 / (1 + np.exp(-rng.normal(0, 1.5, rows)))
    return pl.DataFrame(
        {
            "y": (rng.uniform(size=rows) < p).astype(np.int8),
            "p": p,
            "w": rng.gamma(2, 0.5, rows),
            "g": rng.integers(0, GROUPS, rows).astype(np.int16),
        }
    )


def summary(data: Any, **options: Any) -> Any:
    return ll.summarize(data, **COLUMNS, **options)


def sums(file: Path) -> pl.DataFrame:
    return pl.scan_parquet(file).select(pl.col("y", "p", "w").sum()).collect()


def by_sklearn(file: Path) -> float:
    frame = pd.read_parquet(file, columns=["y", "p", "w"])
    return float(sklearn_log_loss(frame["y"], frame["p"], sample_weight=frame["w"]))


def by_sql(file: Path) -> list[tuple[Any, ...]]:
    """Return aggregates of the whole, by group and by bin of log-odds, from one scan.

    The file is aggregated by group and bin together, and these few cells are rolled up: faster than a query for each
    of the three, and than grouping sets over the rows.
    """
    cells = ", ".join(f"{of_rows} AS {name}" for name, (of_rows, _) in MEASURES.items())
    rolled = ", ".join(f"{of_cells}({name})" for name, (_, of_cells) in MEASURES.items())
    return duckdb.execute(
        f"""
        WITH surprised AS (
            SELECT y, p, w, g, -ln(CASE WHEN y = 1 THEN p ELSE 1 - p END) AS s,
                CAST(floor((ln(p / (1 - p)) + 32) * 16) AS SMALLINT) AS bin
            FROM read_parquet('{file}')
        ),
        cells AS MATERIALIZED (SELECT g, bin, {cells} FROM surprised GROUP BY g, bin)
        SELECT g, bin, {rolled} FROM cells GROUP BY GROUPING SETS ((), (g), (bin))
        """
    ).fetchall()


def from_sql(file: Path) -> float:
    """Return the log loss by the SQL's row of the whole."""
    return next(row[4] / row[3] for row in by_sql(file) if row[:2] == (None, None))


def weighted_mean(rows: pl.DataFrame) -> float:
    """Return the log loss by NumPy."""
    y, p, w = (rows[name].to_numpy() for name in ("y", "p", "w"))
    s: NDArray[np.float64] = -np.where(y == 1, np.log(p), np.log1p(-p))
    return float(np.sum(w * s) / np.sum(w))


def agrees(what: str, given: float, exact: float, at_most: float | None = None) -> Check:
    off = abs(given - exact) / exact
    claim, passed = ("", None) if at_most is None else (f"<= {at_most:.0e}", off <= at_most)
    return Check(f"{what}: log loss against NumPy's", f"{off:.1e} relative", claim, passed)


def loss(data: Any, **options: Any) -> float:
    return float(ll.score(summary(data, **options)).log_loss)


def prefixed(kind: str, check: Check) -> Check:
    return Check(f"{kind}: {check.what}", check.measured, check.claim, check.passed)


def parquet(file: Path, rows: int, exact: float, rounds: int) -> list[Check]:
    contenders = {
        TOTAL: lambda: summary(file),
        SUMS: lambda: sums(file),
        GROUPED: lambda: summary(file, group="g"),
        SQL: lambda: by_sql(file),
        SKLEARN: lambda: by_sklearn(file),
    }
    times = measure(contenders, rounds, few={SKLEARN: 2})
    show(f"{rows:,} binary rows in Parquet, written by Polars, {file.stat().st_size / 1e6:.0f} MB", times)
    return [
        within(times, TOTAL, SUMS, 2),
        faster(times, TOTAL, SKLEARN, 3),
        within(times, GROUPED, SQL, 1.2),
        agrees(TOTAL, loss(file), exact, 1e-12),
        agrees(GROUPED, loss(file, group="g"), exact, 1e-12),
        agrees(SQL, from_sql(file), exact),
    ]


def arrow_parquet(file: Path, rows: int, exact: float, rounds: int) -> list[Check]:
    times = measure({TOTAL: lambda: summary(file), SUMS: lambda: sums(file)}, rounds)
    show(f"{rows:,} binary rows in Parquet, written by PyArrow, {file.stat().st_size / 1e6:.0f} MB", times)
    checks = [within(times, TOTAL, SUMS), agrees(TOTAL, loss(file), exact, 1e-12)]
    return [prefixed("PyArrow's file", check) for check in checks]


def csv(file: Path, rows: int, exact: float, rounds: int) -> list[Check]:
    times = measure({TOTAL: lambda: summary(file), READ: lambda: pl.read_csv(file)}, rounds)
    show(f"{rows:,} binary rows in CSV, {file.stat().st_size / 1e6:.0f} MB", times)
    checks = [within(times, TOTAL, READ, 1.2), agrees(TOTAL, loss(file), exact, 1e-12)]
    return [prefixed("CSV", check) for check in checks]


def cores(rows: pl.DataFrame, exact: float, rounds: int) -> list[Check]:
    """Fold columns in memory, batch by batch, by one thread and by one per core."""
    columns = {name: rows[name].to_numpy() for name in ("y", "p", "w")}
    contenders = {ALL: lambda: summary(columns), ONE: lambda: summary(columns, threads=1)}
    times = measure(contenders, rounds)
    show(f"{len(rows):,} binary rows in memory, a mapping of NumPy columns", times)
    many = (os.cpu_count() or 1) > 1
    checks = [
        faster(times, ALL, ONE, 1.7 if many else None),
        agrees(TOTAL, loss(columns), exact, 1e-12),
    ]
    return [prefixed("in memory", check) for check in checks]


def main() -> None:
    options = arguments(__doc__, rounds=7, rows=ROWS)
    rows = draw(options.rows)
    few = rows.head(CSV_ROWS)
    exact, exact_few = weighted_mean(rows), weighted_mean(few)
    with tempfile.TemporaryDirectory() as folder:
        ours, arrow, text = (Path(folder, name) for name in ("polars.parquet", "arrow.parquet", "few.csv"))
        rows.write_parquet(ours)
        pq.write_table(rows.to_arrow(), arrow)
        few.write_csv(text)
        checks = [
            *parquet(ours, len(rows), exact, options.rounds),
            *arrow_parquet(arrow, len(rows), exact, options.rounds),
            *csv(text, len(few), exact_few, options.rounds),
            *cores(rows, exact, options.rounds),
        ]
    conclude(checks, strict=options.strict)


if __name__ == "__main__":
    main()
