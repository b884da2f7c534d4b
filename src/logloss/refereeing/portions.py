"""Some rows of whatever a person has: frames stay frames, lists lists, mappings mappings."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.errors import AlignmentError, UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

__all__ = ["count_of", "portion", "settled"]


def settled(obj: Any) -> Any:
    """Return something that rows can be taken of: a lazy frame is collected, an Arrow stream read."""
    polars = sys.modules.get("polars")
    if polars is not None and isinstance(obj, polars.LazyFrame):
        return obj.collect()
    if hasattr(obj, "__arrow_c_stream__") and not hasattr(obj, "__len__") and not hasattr(obj, "num_rows"):
        import polars as pl

        return pl.DataFrame(obj)
    return obj


def count_of(obj: Any, what: str) -> int:
    """Return how many rows there are; `what` names them in errors."""
    if isinstance(obj, Mapping) and not hasattr(obj, "tocsr"):  # scipy has a sparse matrix that is one
        found = {str(name): count_of(column, f"column {name!r}") for name, column in obj.items()}
        if len(set(found.values())) > 1:
            raise AlignmentError(
                "different-lengths",
                f"The columns of {what} have different lengths: {', '.join(f'{n:,} {name}' for name, n in found.items())}.",
                cure="Give one of each per row.",
            )
        return next(iter(found.values()), 0)
    shape = getattr(obj, "shape", None)
    if isinstance(shape, tuple) and shape:
        return int(shape[0])
    try:
        return len(obj)
    except TypeError:
        raise UsageError(
            "not-rows",
            f"{what} are a {type(obj).__name__}, which has no rows.",
            cure="Give an array, a frame, a list, or a mapping of columns.",
        ) from None


def portion(obj: Any, rows: Ints) -> Any:
    """Return these rows, in this order, as the same kind of thing."""
    if isinstance(obj, Mapping) and not hasattr(obj, "tocsr"):
        return {name: portion(column, rows) for name, column in obj.items()}
    if hasattr(obj, "iloc"):  # pandas
        return obj.iloc[rows]
    if isinstance(obj, np.ndarray):
        return obj[rows]
    if isinstance(obj, list | tuple):
        return [obj[at] for at in rows.tolist()]
    if type(obj).__module__.partition(".")[0] == "pyarrow":
        return obj.take(rows)
    if hasattr(obj, "tocsr") and not hasattr(obj, "indptr"):  # sparse, in a form that has no rows to take
        return obj.tocsr()[rows]
    return obj[rows]
