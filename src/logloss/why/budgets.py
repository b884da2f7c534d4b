"""A loss budget as bars of plain text: from the base rate to the loss. Lays out numbers; computes none."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

from logloss import units
from logloss.text import bar, table

if TYPE_CHECKING:
    from logloss.why.decomposition import Decomposition

__all__ = ["budget"]

BARS = {
    "base_rate": "base rate alone",
    "discrimination": "telling rows apart",
    "miscalibration": "miscalibration",
    "not_one": "rows not summing to one",
    "prior_shift": "prior shift",
    "temperature": "temperature",
    "clip": "blunders (clip)",
    "mix": "blunders (mix)",
    "class_temperature": "a temperature per class",
    "shape": "shape",
    "infinite": "infinite rows",
}


def budget(parts: Decomposition, unit: str = "nats") -> str:
    """From the base rate to the loss, as bars; then the two estimates of miscalibration."""
    loss, signed = partial(units.loss, in_unit=unit), partial(units.signed, in_unit=unit)
    finite = [entry.total for entry in parts.budget if math.isfinite(entry.total)]
    scale = max([*finite, 1e-12])
    rows = []
    for entry in parts.budget:
        low, high = sorted((entry.total, entry.total - entry.nats))
        drawn = ""
        if math.isfinite(entry.nats):
            first = bar(max(low, 0.0) / scale, 40).replace("▏", "") if entry.name != "base_rate" else ""
            drawn = " " * len(first) + bar((high - max(low, 0.0)) / scale, 40)
        rows.append([BARS[entry.name], signed(entry.nats), drawn])
    rows.append(["log loss", loss(parts.log_loss), bar(parts.log_loss / scale, 40)])
    lines = ["  Where the loss comes from", table(rows, "<><", indent=4)]
    inside, outside = parts.in_sample, parts.cross_fitted
    if math.isinf(parts.log_loss):
        return "\n".join([*lines, "    miscalibration is infinite: a forecast of 0 happened"])
    if parts.binned is not None:
        low, high = parts.binned.miscalibration
        told = f"    miscalibration {loss(inside.miscalibration)} in bins, {loss(low)} to {loss(high)} row by row, fitted to these very rows"
    elif outside is None:
        told = f"    miscalibration {loss(inside.miscalibration)}, fitted to these very rows: too large"
    else:
        span = "" if parts.interval is None else f" ({loss(parts.interval[0])} to {loss(parts.interval[1])})"
        told = f"    miscalibration between {loss(outside.miscalibration)}{span}, {parts.method} on unseen rows, and {loss(inside.miscalibration)}, fitted to these very rows"
    return "\n".join([*lines, told])
