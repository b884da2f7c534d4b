"""The loss after an edit of the forecasts: pushed to the extremes, clipped, sharpened, softened; and who paid."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from logloss.record import Observations

    Float = NDArray[np.float64]

__all__ = ["WhatIf", "edits", "what_if"]

PUSHED = 1e-5  # "to .99999/.00001"


@dataclass(frozen=True)
class WhatIf:
    """The loss after an edit of the forecasts, and the rows that paid for it."""

    name: str
    kind: str  # "push", "clip" or "temperature"
    value: float  # how far: what is left to the others, the clip, the temperature
    log_loss: float
    change: float
    better: int
    worse: int
    paid: tuple[dict[str, Any], ...]


def edits(
    s: Float, t: Float, *, two: bool, clips: Sequence[float], temperatures: Sequence[float]
) -> list[tuple[str, str, float, Float]]:
    """Return (name, kind, value, surprise per row) of each edit."""
    K = s.shape[1]
    pushed = np.full_like(s, -math.log(PUSHED / (K - 1)))
    pushed[np.arange(len(s)), s.argmin(axis=1)] = -math.log1p(-PUSHED)
    if two:
        even = s[:, 0] == s[:, 1]
        pushed[even] = s[even]
    found: list[tuple[str, str, float, Float]] = []
    found += [(f"push to {1 - PUSHED:g} / {PUSHED:.5f}", "push", PUSHED, _mean(pushed, t))]
    for eps in sorted({e for e in clips if e > 0}) if two else []:
        clipped = np.clip(s, -math.log1p(-eps), -math.log(eps))
        found += [(f"clip at {eps:.4g}", "clip", eps, _mean(clipped, t))]
    for T in sorted(set(temperatures)):
        name = f"{'sharpen' if T < 1 else 'soften'}, temperature {T:g}"
        found += [(name, "temperature", T, _mean(_tempered(s, T), t))]
    return found


def _mean(s: Float, t: Float) -> Float:
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(t > 0, t * s, 0.0).sum(axis=1))


def _tempered(s: Float, T: float) -> Float:
    """-log softmax(log p / T)."""
    z = -s / T
    z = z - z.max(axis=1, keepdims=True)
    return np.asarray(np.log(np.exp(z).sum(axis=1, keepdims=True)) - z)


def what_if(
    record: Observations, edit: tuple[str, str, float, Float], surprise: Float, weight: Float
) -> WhatIf:
    """Return what an edit did to the surprise of each row; differences within rounding count as none."""
    name, kind, value, edited = edit
    counts = weight > 0
    with np.errstate(invalid="ignore"):
        same = np.abs(edited - surprise) <= 1e-12 * np.maximum(surprise, 1e-3)
        change = np.where(counts & (edited != surprise) & ~same, weight * (edited - surprise), 0.0)
    after = float(np.dot(weight[counts], edited[counts]) / weight.sum())
    before = float(np.dot(weight[counts], surprise[counts]) / weight.sum())
    paid = np.argsort(-change, kind="stable")[:5]
    return WhatIf(
        name,
        kind,
        value,
        after,
        after - before if math.isfinite(before) or math.isfinite(after) else math.nan,
        int((change < 0).sum()),
        int((change > 0).sum()),
        tuple(
            {
                "row": record.row_number(int(at)),
                "id": None if record.ids is None else record.ids[at : at + 1].tolist()[0],
                "before": float(surprise[at]),
                "after": float(edited[at]),
                "change": float(change[at]),
            }
            for at in paid
            if change[at] > 0
        ),
    )
