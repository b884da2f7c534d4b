"""Columns of a batch as plain arrays for the compiled pass; None where that takes a closer look, which is the door's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.columns import is_text
from logloss.recognise import has_columns, vector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["codes_of", "floats_of", "ids_of"]


def codes_of(column: Any, classes: Sequence[Any], kind: str | None) -> NDArray[np.int8] | None:
    """Return a column of two labels as 0 and 1; None where that takes a closer look."""
    if is_text(column):
        texts = [str(label).lower() if kind == "Boolean" else str(label) for label in classes]
        if kind == "Float64" or column.null_count():
            return None
        if kind == "Boolean":
            column = column.str.to_lowercase()
        second = column == texts[1]
        if not bool((second | (column == texts[0])).all()):
            return None
        return np.asarray(second.to_numpy()).view(np.int8)
    if tuple(classes) not in ((0, 1), (False, True)) or has_columns(column):
        return None
    values = vector(column, "The outcomes").values
    if values.dtype.kind == "b" or values.dtype in (np.int8, np.uint8):
        return values.view(np.int8)
    if values.dtype.kind not in "iuf":
        return None
    with np.errstate(invalid="ignore"):
        code = values.astype(np.int8)
    return code if bool((code == values).all()) else None


def ids_of(column: Any) -> Any:
    """Return ids as something that gives the id of a row by its position: text stays the engine's."""
    return column if is_text(column) else vector(column, "The ids").values


def floats_of(column: Any, *, narrow: bool = False) -> NDArray[Any] | None:
    """Return a column of numbers as float64 (float32 too, where it may be `narrow`); None for anything else."""
    if is_text(column) or has_columns(column):
        return None
    values = vector(column, "The numbers").values
    if values.dtype.kind not in "iuf":
        return None
    return values if narrow and values.dtype == np.float32 else values.astype(np.float64, copy=False)
