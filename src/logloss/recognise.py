"""What a person handed over, as NumPy columns: frames, series, tensors, lists are recognised without importing them.

A foreign object can only come from a module that is already loaded, so `sys.modules` is asked, never `import`.
Names, pandas categories and the pandas index travel along, because the door decides by names.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.errors import AlignmentError, ColumnError, DataError, listing

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "Matrix",
    "Vector",
    "all_finite",
    "device_of",
    "has_columns",
    "is_path",
    "is_table",
    "matrix",
    "missing_mask",
    "stream_kind",
    "table",
    "vector",
]


# Modules whose frames live in workers, how they are called, and the classes meant.
CLUSTERS = {
    "pyspark": ("Spark", ("DataFrame",)),
    "dask": ("Dask", ("DataFrame", "Array")),
    "dask_expr": ("Dask", ("DataFrame",)),
    "ray": ("Ray", ("Dataset", "MaterializedDataset")),
}


@dataclass(frozen=True, eq=False)
class Vector:
    """One column: values of shape (n,), its name, its declared categories in order, its pandas index."""

    values: NDArray[Any]
    name: str | None = None
    categories: tuple[Any, ...] | None = None
    index: Any = None

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, at: Any) -> Vector:
        return replace(self, values=self.values[at], index=None)

    @cached_property
    def finite(self) -> bool:
        """Whether there is neither NaN nor infinity."""
        return all_finite(self.values)


@dataclass(frozen=True, eq=False)
class Matrix:
    """Several columns side by side: values of shape (n, K), their names if they have any, their pandas index."""

    values: NDArray[Any]
    names: tuple[str, ...] | None = None
    index: Any = None

    def __len__(self) -> int:
        return len(self.values)

    @cached_property
    def finite(self) -> bool:
        """Whether there is neither NaN nor infinity."""
        return all_finite(self.values)


def _is(obj: Any, module: str, *names: str) -> bool:
    loaded = sys.modules.get(module)
    return loaded is not None and any(
        isinstance(obj, kind) for name in names if (kind := getattr(loaded, name, None))
    )


def is_path(obj: Any) -> bool:
    """Tell whether `obj` names a file (or "-", standard input)."""
    return isinstance(obj, str | Path)


def is_table(obj: Any) -> bool:
    """Tell whether `obj` is a frame or a mapping of columns (not a series, not an array)."""
    if isinstance(obj, Mapping):
        return True
    if isinstance(obj, np.ndarray):
        return obj.dtype.names is not None
    if isinstance(obj, list):
        return bool(obj) and isinstance(obj[0], Mapping)
    return (
        _is(obj, "pandas", "DataFrame")
        or _is(obj, "polars", "DataFrame", "LazyFrame")
        or _is(obj, "pyarrow", "Table", "RecordBatch")
        or (hasattr(obj, "__arrow_c_stream__") and not hasattr(obj, "__len__"))
    )


def stream_kind(obj: Any) -> str | None:
    """Tell how an object hands over rows that need not be in memory; None if it does not.

    "lazy" (Polars), "dataset" (PyArrow), "relation" (DuckDB), "reader" (an Arrow stream that passes once),
    "iterator" (of tables), "paths" (files), or the cluster whose workers hold the rows: "Spark", "Dask", "Ray".
    """
    if _is(obj, "polars", "LazyFrame"):
        return "lazy"
    if _is(obj, "pyarrow.dataset", "Dataset"):
        return "dataset"
    if _is(obj, "duckdb", "DuckDBPyRelation"):
        return "relation"
    module = type(obj).__module__.partition(".")[0]
    if module in CLUSTERS and type(obj).__name__ in CLUSTERS[module][1]:
        return CLUSTERS[module][0]
    if hasattr(obj, "__arrow_c_stream__") and not hasattr(obj, "__len__"):
        return "reader"
    if isinstance(obj, list | tuple):
        return (
            "paths"
            if obj and all(isinstance(path, Path | str) and Path(path).is_file() for path in obj)
            else None
        )
    return "iterator" if isinstance(obj, Iterator) else None


def device_of(obj: Any) -> str | None:
    """Return the device that an array of torch, CuPy or JAX is on; None for the host's memory."""
    if _is(obj, "cupy", "ndarray"):
        return f"cuda:{obj.device.id}"
    if _is(obj, "torch", "Tensor"):
        return None if obj.device.type == "cpu" else str(obj.device)
    if _is(obj, "jax", "Array"):
        devices = {str(device) for device in obj.devices() if device.platform != "cpu"}
        return ", ".join(sorted(devices)) or None
    return None


def has_columns(obj: Any) -> bool:
    """Tell whether `obj` has two dimensions: a frame, or something with `ndim` 2, or a list of rows."""
    if isinstance(obj, Matrix) or is_table(obj) or getattr(obj, "ndim", 1) == 2:
        return True
    if isinstance(obj, str) or not isinstance(obj, Sequence) or not obj:
        return False
    return isinstance(obj[0], Sequence | np.ndarray) and not isinstance(obj[0], str)


def table(obj: Any) -> dict[str, Any]:
    """Return a frame or mapping as {name: column}; columns are still what they were."""
    if isinstance(obj, Mapping):
        return {str(name): column for name, column in obj.items()}
    if isinstance(obj, np.ndarray):
        return {name: obj[name] for name in obj.dtype.names or ()}
    if isinstance(obj, list):  # of records
        return {
            str(name): [row.get(name) for row in obj]
            for name in dict.fromkeys(key for row in obj for key in row)
        }
    if _is(obj, "polars", "LazyFrame"):
        obj = obj.collect()
    if (
        not _is(obj, "pandas", "DataFrame")
        and not _is(obj, "polars", "DataFrame")
        and not hasattr(obj, "column_names")
    ):
        import polars as pl

        obj = pl.DataFrame(obj)  # anything with an Arrow stream
    if _is(obj, "pandas", "DataFrame"):
        names, columns = list(obj.columns), [obj.iloc[:, at] for at in range(obj.shape[1])]
    elif hasattr(obj, "column_names"):  # PyArrow
        names, columns = list(obj.schema.names), [obj.column(at) for at in range(obj.num_columns)]
    else:
        names, columns = obj.columns, obj.get_columns()
    texts = [str(name) for name in names]
    if len(set(texts)) < len(texts):
        twice = sorted({name for name in texts if texts.count(name) > 1})
        raise ColumnError(
            "duplicate-columns",
            f"The table names {listing([repr(name) for name in twice])} more than once.",
            cure="Rename one of them.",
        )
    return dict(zip(texts, columns, strict=True))


def vector(obj: Any, what: str) -> Vector:
    """Return one column as a Vector; `what` names it in errors."""
    if isinstance(obj, Vector):
        return obj
    name = getattr(obj, "name", None)
    name = str(name) if name is not None and not callable(name) else None
    if _is(obj, "pandas", "Series", "Index", "Categorical"):
        pandas_dtype = getattr(obj, "dtype", None)
        categories = getattr(pandas_dtype, "categories", None)
        values = obj.to_numpy() if hasattr(obj, "to_numpy") else np.asarray(obj)
        declared = None if categories is None else tuple(categories.tolist())
        return Vector(
            _settle(values),
            name,
            declared,
            getattr(obj, "index", None) if _is(obj, "pandas", "Series") else None,
        )
    if _is(obj, "polars", "Series"):
        enum = type(obj.dtype).__name__ == "Enum"
        return Vector(_settle(obj.to_numpy()), name or None, tuple(obj.dtype.categories) if enum else None)
    if _is(obj, "pyarrow", "Array", "ChunkedArray"):
        values = obj.to_numpy() if _is(obj, "pyarrow", "ChunkedArray") else obj.to_numpy(zero_copy_only=False)
        return Vector(_settle(values), name)
    values = _array(obj, what)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise AlignmentError(
            "wrong-shape",
            f"{what} have shape {values.shape}; one column of shape (n,) is needed.",
            cure="Pass one dimension.",
        )
    return Vector(_settle(values), name)


def matrix(obj: Any, what: str) -> Matrix:
    """Return several columns as a Matrix of numbers; `what` names it in errors."""
    if isinstance(obj, Matrix):
        return obj
    if is_table(obj):
        columns = {name: vector(column, f"column {name!r}") for name, column in table(obj).items()}
        if not columns:
            raise ColumnError("no-columns", f"{what} have no columns.")
        values = np.column_stack(
            [_numeric(column.values, f"column {name!r}") for name, column in columns.items()]
        )
        return Matrix(
            values, tuple(columns), getattr(obj, "index", None) if _is(obj, "pandas", "DataFrame") else None
        )
    values = _array(obj, what)
    if values.ndim != 2:
        raise AlignmentError(
            "wrong-shape",
            f"{what} have shape {values.shape}; (n, K) is needed.",
            cure="Pass rows by classes.",
        )
    return Matrix(_numeric(values, what))


def _array(obj: Any, what: str) -> NDArray[Any]:
    """Return `obj` as an array; lists of mixed kinds stay objects instead of turning into text."""
    if isinstance(obj, np.ma.MaskedArray):
        masked: Any = obj.astype(np.float64 if obj.dtype.kind in "biuf" else object)
        return np.asarray(masked.filled(np.nan if obj.dtype.kind in "biuf" else None))
    if _is(obj, "cupy", "ndarray"):
        obj = obj.get()
    if _is(obj, "torch", "Tensor"):
        obj = obj.detach().cpu()
        return np.asarray(obj.float() if str(obj.dtype) == "torch.bfloat16" else obj)
    try:
        values = np.asarray(obj)
    except (ValueError, TypeError) as error:
        raise AlignmentError(
            "wrong-shape",
            f"{what} are not a rectangular array ({str(error).rstrip('.')}).",
            cure="Give rows of equal length.",
        ) from None
    if (
        values.dtype.kind in "US"
        and not isinstance(obj, np.ndarray)
        and not all(isinstance(v, str | bytes) for v in obj)
    ):
        return np.asarray(obj, dtype=object)
    return values


def _settle(values: NDArray[Any]) -> NDArray[Any]:
    """Turn objects that are all numbers or all booleans into such an array; missing ones become NaN; dates to text."""
    if values.dtype.kind in "mM":
        text = values.astype(str).astype(object)
        text[np.isnat(values)] = None
        return text
    if values.dtype.kind != "O" or values.ndim != 1:
        return values
    gone = missing_mask(values)
    kinds = {type(value) for value in values[~gone]}
    if not kinds:
        return np.full(len(values), np.nan)
    if all(issubclass(kind, bool | np.bool_) for kind in kinds):
        return values if gone.any() else values.astype(bool)
    if all(issubclass(kind, int | float | np.number) and not issubclass(kind, bool) for kind in kinds):
        settled = np.full(len(values), np.nan)
        settled[~gone] = values[~gone].astype(np.float64)
        whole = not gone.any() and all(issubclass(kind, int | np.integer) for kind in kinds)
        return settled.astype(np.int64) if whole and (np.abs(settled) < 2**53).all() else settled
    return values


def _numeric(values: NDArray[Any], what: str) -> NDArray[Any]:
    if values.dtype.kind in "fiu":
        return values
    if values.dtype.kind == "b":
        return values.astype(np.float64)
    try:
        return values.astype(np.float64)
    except (ValueError, TypeError):
        raise DataError(
            "not-a-number",
            f"Not all numbers: {what[0].lower()}{what[1:]}.",
            cure="Give one number per row and column.",
        ) from None


def all_finite(values: NDArray[Any]) -> bool:
    """Tell whether there is neither NaN nor infinity, in one pass without a mask: a sum keeps either.

    False may also mean that the sum overflowed; then a mask tells.
    """
    if values.dtype.kind != "f":
        return values.dtype.kind in "biu"
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(values.sum(dtype=np.float64 if values.dtype.itemsize < 4 else None)))


def missing_mask(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Tell which entries are missing: None, NaN, NaT, pandas NA. Shape as given."""
    if values.dtype.kind == "f":
        return np.asarray(np.isnan(values))
    if values.dtype.kind in "mM":
        return np.asarray(np.isnat(values))
    if values.dtype.kind != "O":
        return np.zeros(values.shape, bool)
    na = getattr(sys.modules.get("pandas"), "NA", None)
    is_missing = np.frompyfunc(
        lambda v: v is None or v is na or (isinstance(v, float | np.floating) and bool(np.isnan(v))), 1, 1
    )
    return np.asarray(is_missing(values), bool)
