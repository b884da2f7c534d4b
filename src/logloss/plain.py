"""Plain Python values out of NumPy's, for results and JSON."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

__all__ = ["jsonable", "plain"]


def plain(value: Any) -> Any:
    """Return a NumPy scalar as the Python value it stands for; anything else as it is."""
    return value.item() if isinstance(value, np.generic) else value


def jsonable(value: Any) -> Any:
    """Return the value for JSON: infinities as the text "inf" and "-inf", NaN as None, what JSON lacks as text.

    >>> jsonable({"a": math.inf, "b": (np.float64(1.5), math.nan)})
    {'a': 'inf', 'b': [1.5, None]}
    """
    value = plain(value)
    if isinstance(value, dict):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else "inf" if value > 0 else "-inf"
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
