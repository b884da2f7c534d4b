"""What a sketch says and how it travels: rows of its table, arrays as base64, JSON that a page can hold."""

from __future__ import annotations

import base64
import json
import math
from typing import Any

import numpy as np

from logloss import units

__all__ = ["SHOWN", "coded", "embedded", "lost", "row", "upward"]

SHOWN = (0.5, 0.75, 1.0, 1.5, 2.0)  # temperatures of the table


def row(setting: str, loss: float, given: float, infinite: int) -> tuple[str, str, str]:
    """Return (setting, loss, change) as text; both losses are those of the finite rows where some are `infinite`."""
    change = "from infinite" if given == math.inf else units.signed(loss - given)
    said = f"infinite; the others {units.loss(loss)}" if infinite else units.loss(loss)
    return setting, said, "" if setting == "as given" else change


def lost(infinite: int) -> str:
    """Return what is said before the average of the finite rows, where there are others."""
    return f"infinite ({units.count(infinite, 'row')} at exactly 0 happened); the others average "


def upward(error: float) -> float:
    """Round an error up to two digits, and never to nothing."""
    if error <= 0:
        return 0.0
    scale = 10.0 ** (math.floor(math.log10(max(error, 1e-9))) - 1)
    return float(f"{math.ceil(max(error, 1e-9) / scale) * scale:.2g}")


def coded(values: Any, kind: str) -> str:
    """Return an array as base64 of numbers of the kind."""
    return base64.b64encode(np.ascontiguousarray(values, kind).tobytes()).decode()


def embedded(state: dict[str, Any]) -> str:
    """Return JSON in which no sign can end a script element or a line."""
    text = json.dumps(state, allow_nan=False, separators=(",", ":"))
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text
