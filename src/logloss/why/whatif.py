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

__all__ = ["WhatIf", "edited", "edits", "what_if"]

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


Edit = tuple[str, str, float]  # name, kind, value


def edits(*, two: bool, clips: Sequence[float], temperatures: Sequence[float]) -> list[Edit]:
    """Return the edits to try; clips only for two classes."""
    push: Edit = (f"push to {1 - PUSHED:g} / {PUSHED:.5f}", "push", PUSHED)
    clip: list[Edit] = [
        (f"clip at {eps:.4g}", "clip", eps) for eps in sorted({e for e in clips if e > 0}) if two
    ]
    temper: list[Edit] = [
        (f"{'sharpen' if T < 1 else 'soften'}, temperature {T:g}", "temperature", T)
        for T in sorted(set(temperatures))
    ]
    return [push, *clip, *temper]


def edited(edit: Edit, s: Float) -> Float:
    """Return the surprise of every class after an edit, from what it was before; both of shape (m, K)."""
    _, kind, value = edit
    if kind == "clip":
        return np.asarray(np.clip(s, -math.log1p(-value), -math.log(value)))
    if kind == "temperature":
        return _tempered(s, value)
    pushed = np.full_like(s, -math.log(value / (s.shape[1] - 1)))
    pushed[np.arange(len(s)), s.argmin(axis=1)] = -math.log1p(-value)
    if s.shape[1] == 2:
        even = s[:, 0] == s[:, 1]
        pushed[even] = s[even]
    return pushed


def _tempered(s: Float, T: float) -> Float:
    """-log softmax(log p / T)."""
    z = s.min(axis=1, keepdims=True) - s
    with np.errstate(over="ignore"):
        z = z / T
    return np.asarray(np.log(np.exp(z).sum(axis=1, keepdims=True)) - z)


def what_if(record: Observations, edit: Edit, surprise: Float, after: Float, weight: Float) -> WhatIf:
    """Return what an edit did to the surprise of each row, shape (n,); differences within rounding count as none."""
    name, kind, value = edit
    counts = weight > 0
    with np.errstate(invalid="ignore", over="ignore"):
        same = np.abs(after - surprise) <= 1e-12 * np.maximum(surprise, 1e-3)
        change = np.where(counts & (after != surprise) & ~same, weight * (after - surprise), 0.0)
    with np.errstate(over="ignore"):
        now = float((weight[counts] * after[counts]).sum() / weight.sum())
    before = float((weight[counts] * surprise[counts]).sum() / weight.sum())
    paid = np.argsort(-change, kind="stable")[:5]
    return WhatIf(
        name,
        kind,
        value,
        now,
        now - before if math.isfinite(before) or math.isfinite(now) else math.nan,
        int((change < 0).sum()),
        int((change > 0).sum()),
        tuple(
            {
                "row": record.row_number(int(at)),
                "id": None if record.ids is None else record.ids[at : at + 1].tolist()[0],
                "before": float(surprise[at]),
                "after": float(after[at]),
                "change": float(change[at]),
            }
            for at in paid
            if change[at] > 0
        ),
    )
