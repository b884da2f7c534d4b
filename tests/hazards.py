"""One hazardous data set, the ways to hand it over, and what it must come to, by exact arithmetic in plain Python."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import mpmath
import numpy as np

N = 240
COLUMNS = {"outcome": "y", "forecast": "p", "weight": "w", "group": "g"}


def rows() -> dict[str, np.ndarray]:
    """Return binary rows with everything that goes wrong: certainty right and wrong, missing values, weights of 0."""
    rng = np.random.default_rng(20261122)
    p = rng.beta(0.4, 0.4, N)
    y = (rng.random(N) < p).astype(np.float64)
    p[3], y[3] = 1.0, 1.0
    p[17], y[17] = 0.0, 0.0
    p[60], y[60] = 1e-300, 1.0
    p[61], y[61] = 1 - 2.0**-53, 0.0
    p[100], y[100] = 0.0, 1.0  # infinite
    p[200], y[200] = 1.0, 0.0  # infinite
    p[201], y[201] = 0.0, 1.0  # infinite, but of weight 0
    w = rng.gamma(1.5, 1.0, N)
    w[[5, 77, 201]] = 0.0
    p[[11, 150]], y[180], w[220] = np.nan, np.nan, np.nan
    return {"y": y, "p": p, "w": w, "g": rng.integers(0, 7, N)}


def kept(data: dict[str, np.ndarray]) -> np.ndarray:
    """Tell which rows have all values."""
    return ~(np.isnan(data["y"]) | np.isnan(data["p"]) | np.isnan(data["w"]))


def expected(data: dict[str, np.ndarray]) -> dict[str, float]:
    """Return what the rows that are complete come to: logs with 50 digits, sums exact."""
    whole = kept(data)
    total = weight = infinite = 0
    nats, finite_weight = Fraction(0), Fraction(0)
    with mpmath.workdps(50):
        for y, p, w in zip(data["y"][whole], data["p"][whole], data["w"][whole], strict=True):
            total += 1
            weight += Fraction(float(w))
            q = mpmath.mpf(float(p)) if y == 1 else 1 - mpmath.mpf(float(p))
            if q == 0:
                infinite += w > 0
                continue
            finite_weight += Fraction(float(w))
            nats += Fraction(float(w)) * Fraction(str(mpmath.nstr(-mpmath.log(q), 45)))
    return {
        "rows": total,
        "weight": float(weight),
        "infinite_rows": int(infinite),
        "log_loss_finite": float(nats / finite_weight),
    }


def frame(data: dict[str, np.ndarray], *, whole_outcomes: bool = False) -> Any:
    """Return the rows as a Polars frame, missing ones as null; outcomes as whole numbers if there is none missing."""
    import polars as pl

    made = pl.DataFrame({name: pl.Series(values).fill_nan(None) if values.dtype.kind == "f" else values
                         for name, values in data.items()})  # fmt: skip
    return made.with_columns(pl.col("y").cast(pl.Int64)) if whole_outcomes else made


def _parquet(data: Any, tmp: Path) -> Any:
    data.write_parquet(tmp / "rows.parquet", row_group_size=37)
    return tmp / "rows.parquet"


def _csv(data: Any, tmp: Path) -> Any:
    data.write_csv(tmp / "rows.csv")
    return tmp / "rows.csv"


def _folder(data: Any, tmp: Path) -> Any:
    (tmp / "parts").mkdir()
    for at, start in enumerate(range(0, len(data), 50)):
        data.slice(start, 50).write_parquet(tmp / "parts" / f"{at}.parquet")
    return tmp / "parts"


def _glob(data: Any, tmp: Path) -> Any:
    _folder(data, tmp)
    return str(tmp / "parts" / "*.parquet")


def _csv_files(data: Any, tmp: Path) -> Any:
    names = []
    for at, start in enumerate(range(0, len(data), 90)):
        names.append(tmp / f"part{at}.csv")
        data.slice(start, 90).write_csv(names[-1])
    return names


def _ipc(data: Any, tmp: Path) -> Any:
    data.write_ipc(tmp / "rows.arrow")
    return tmp / "rows.arrow"


def _jsonl(data: Any, tmp: Path) -> Any:
    data.write_ndjson(tmp / "rows.jsonl")
    return tmp / "rows.jsonl"


def _dataset(data: Any, tmp: Path) -> Any:
    import pyarrow.dataset as ds

    return ds.dataset(_parquet(data, tmp))


def _reader(data: Any, _tmp: Path) -> Any:
    import pyarrow as pa

    table = data.to_arrow()
    return pa.RecordBatchReader.from_batches(table.schema, table.to_batches(max_chunksize=31))


def _relation(data: Any, tmp: Path) -> Any:
    import duckdb

    return duckdb.connect().read_parquet(str(_parquet(data, tmp)))


def _generator(data: Any, _tmp: Path) -> Iterator[Any]:
    return (data.slice(start, 23) for start in range(0, len(data), 23))


def _arrow_batches(data: Any, _tmp: Path) -> Iterator[Any]:
    return iter(data.to_arrow().to_batches(max_chunksize=41))


def _mapping(data: Any, _tmp: Path) -> Any:
    return {name: data[name].to_numpy() for name in data.columns}


SOURCES: dict[str, Callable[[Any, Path], Any]] = {
    "Parquet": _parquet,
    "CSV": _csv,
    "folder": _folder,
    "glob": _glob,
    "list of CSV files": _csv_files,
    "Arrow file": _ipc,
    "JSON lines": _jsonl,
    "Polars": lambda data, _tmp: data,
    "Polars lazy": lambda data, _tmp: data.lazy(),
    "pandas": lambda data, _tmp: data.to_pandas(),
    "PyArrow table": lambda data, _tmp: data.to_arrow(),
    "PyArrow dataset": _dataset,
    "PyArrow reader": _reader,
    "DuckDB relation": _relation,
    "generator of frames": _generator,
    "iterator of Arrow batches": _arrow_batches,
    "mapping of arrays": _mapping,
}


def numbers(state: Any) -> Any:
    """Return a summary's plain values without what depends on how the rows were handed over: places, names, words."""
    if isinstance(state, dict):
        gone = {"columns", "notes", "remarks"}
        return {key: numbers(value) for key, value in state.items() if key not in gone}
    if isinstance(state, list) and len(state) == 3 and isinstance(state[1], list) and len(state[1]) == 2:
        key, _, payload = state
        return [key, {name: value for name, value in payload.items() if name != "id"}]
    return [numbers(value) for value in state] if isinstance(state, list) else state


def same(a: Any, b: Any, where: str = "") -> None:
    """Assert that two plain states are equal, numbers to 1e-12 relative."""
    if isinstance(a, dict):
        assert a.keys() == b.keys(), where
        for key in a:
            same(a[key], b[key], f"{where}.{key}")
    elif isinstance(a, list):
        assert len(a) == len(b), where
        scale = max((abs(v) for v in [*a, *b] if isinstance(v, float)), default=0.0)
        for at, (x, y) in enumerate(zip(a, b, strict=True)):
            if isinstance(x, float) and isinstance(y, float):
                assert math.isclose(x, y, rel_tol=1e-12, abs_tol=1e-12 * scale + 1e-30), (
                    f"{where}[{at}]: {x} {y}"
                )
            else:
                same(x, y, f"{where}[{at}]")
    elif isinstance(a, float) and isinstance(b, float):
        assert math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-13), f"{where}: {a} {b}"
    else:
        assert a == b, where
