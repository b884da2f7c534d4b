"""Who carries a loss: the costliest rows, the pairs of classes, the certain forecasts; and the edits that change it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.calibrate.clip import Clip, ClipCurve, best_mix, clip_advice
from logloss.kernels import COMPILE_FROM
from logloss.plain import plain
from logloss.surprises import certain_rows, class_blocks, mean_surprise
from logloss.why.explanation import Row
from logloss.why.whatif import Edit, edited

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logloss.record import Observations
    from logloss.summary import Summary
    from logloss.why.steps import Held

    Float = NDArray[np.float64]

__all__ = [
    "CENSUS",
    "best_clip",
    "best_share",
    "beyond_belief",
    "confused",
    "costliest",
    "kept",
    "per_block",
    "rows_for",
]

CENSUS = ("rows", "exact_zero_or_one", "zero_on_the_truth", "errors", "errors_exact")


def kept(summary: Summary, rows: int) -> tuple[Row, ...]:
    """Return the costliest rows that a summary kept."""
    running, found = 0.0, []
    for key, (part, row), seen in summary.top.entries[:rows]:
        finite = math.isfinite(key) and summary.finite_nats > 0
        share = key / summary.finite_nats if finite else None
        running += share or 0.0
        surprise = math.inf if seen["surprise"] is None else float(seen["surprise"])
        found.append(
            Row(row, seen["id"], seen["outcome"], seen["forecast"], seen["predicted"], surprise, share,
                None if share is None else running, part)
        )  # fmt: skip
    return tuple(found)


def costliest(
    record: Observations, order: NDArray[np.int64], surprise: Float, cost: Float, said: NDArray[np.int64]
) -> tuple[Row, ...]:
    """Return the rows at these positions with their share of the finite loss; `said` is each row's first choice."""
    total = float(cost[np.isfinite(cost)].sum())
    running = 0.0
    found = []
    for at in order:
        share = float(cost[at]) / total if math.isfinite(cost[at]) and total > 0 else None
        running += share or 0.0
        outcome = record.outcome[at]
        found.append(
            Row(
                row=record.row_number(int(at)),
                id=None if record.ids is None else plain(record.ids[at]),
                outcome=outcome.tolist() if record.soft else record.classes[int(outcome)],
                forecast=float(np.exp(-surprise[at])),
                predicted=record.classes[int(said[at])],
                surprise=float(surprise[at]),
                share=share,
                cumulative=None if share is None else running,
            )
        )
    return tuple(found)


def rows_for(cost: Float, share: float) -> int:
    """Return how many of the costliest rows carry this share of the finite loss."""
    finite = cost[np.isfinite(cost)]
    total = finite.sum()
    return int(np.searchsorted(np.cumsum(finite), share * total) + 1) if total > 0 else 0


def confused(summary: Any) -> tuple[tuple[tuple[float, ...], ...] | None, tuple[dict[str, Any], ...]]:
    """Return rows by true and predicted class, and the cells with their share of the loss, costliest first."""
    if summary.confusion is None:
        return None, ()
    rows, _, nats, infinite = summary.confusion.sums
    total = summary.finite_nats
    cells = [
        {"outcome": plain(summary.classes[i]), "predicted": plain(summary.classes[j]), "rows": float(rows[i, j]), "nats": float(nats[i, j]),
         "share": float(nats[i, j]) / total if total > 0 else None, "infinite_rows": int(infinite[i, j])}
        for i, j in zip(*np.nonzero(rows), strict=True)
    ]  # fmt: skip
    cells.sort(key=lambda cell: (-cell["infinite_rows"], -cell["nats"]))
    return tuple(tuple(float(v) for v in line) for line in rows), tuple(cells[:50])


def per_block(
    record: Observations, tried: list[Edit]
) -> tuple[NDArray[np.int64], dict[str, int], list[Float]]:
    """Return the first choice of each row, the census of certain forecasts, and the surprise after each edit.

    The census counts forecasts of exactly 0 or 1, errors (the first choice did not happen), and errors made with
    certainty. Block by block, so that memory is bounded by columns of rows, not by rows times classes.
    """
    said = np.empty(len(record), np.int64)
    after = [np.empty(len(record)) for _ in tried]
    counts = np.zeros(5, np.int64)
    for part, s, t in class_blocks(record):
        said[part] = s.argmin(axis=1)
        counted = np.ones(len(s), bool) if record.weight is None else record.weight[part] > 0
        certain = certain_rows(record, part) & counted
        wrong = (t[np.arange(len(t)), said[part]] < 0.5) & counted
        missed = (np.isinf(s) & (t > 0)).any(axis=1) & counted
        counts += [counted.sum(), certain.sum(), missed.sum(), wrong.sum(), (wrong & certain).sum()]
        for edit, column in zip(tried, after, strict=True):
            column[part] = mean_surprise(edited(edit, s), t)
    return said, dict(zip(CENSUS, counts.tolist(), strict=True)), after


def best_share(record: Observations, surprise: Float, weight: Float) -> tuple[float, float]:
    """Return the best share of the uniform forecast; a soft row counts once for each class with a share."""
    if not record.soft:
        counts = weight > 0
        return best_mix(np.exp(-surprise[counts]), weight[counts], 1 / len(record.classes))
    p, w = [], []
    for part, s, t in class_blocks(record):
        mass = weight[part][:, None] * t
        p.append(np.exp(-s[mass > 0]))
        w.append(mass[mass > 0])
    return best_mix(np.concatenate(p), np.concatenate(w), 1 / len(record.classes))


def best_clip(record: Observations, weight: Float) -> Clip:
    """Return the clip advice of a two-class record: log min(p, 1 - p), and the share that was less likely."""
    minor, share = np.empty(len(record)), np.empty(len(record))
    for part, s, t in class_blocks(record):
        at = (np.arange(len(s)), s.argmax(axis=1))
        minor[part], share[part] = -s[at], t[at]
    counts = weight > 0
    plain_rows = record.binary and record.space == "p" and not record.soft and record.weight is None
    curve = (
        ClipCurve.of_probabilities(record.outcome, record.forecast)
        if plain_rows and len(record) >= COMPILE_FROM
        else None
    )
    return clip_advice(minor[counts], share[counts], weight[counts], curve)


def beyond_belief(
    record: Observations, held: Held | None, surprise: Float, weight: Float, threshold: float
) -> tuple[float, float]:
    """Return how many nats the rows dearer than a threshold cost beyond what was to be expected, and its z.

    A loss is carried by few rows also where every forecast is right: under forecasts q a row of costs s_k is expected to
    bring sum_k q_k s_k over the classes k with s_k > threshold. Two classes: q are the forecasts after the remedies;
    more: the forecasts themselves. Infinite rows stand apart.
    """
    total, expected, variance = 0.0, 0.0, 0.0
    for part, s, _ in class_blocks(record):
        q = np.exp(-s)
        if held is not None and len(record.classes) == 2:
            q = np.stack([1 - held.p[part], held.p[part]], axis=1)
        w, own = weight[part], surprise[part]
        dear = np.where((s > threshold) & (q > 0) & np.isfinite(s), s, 0.0)
        q = np.where(w[:, None] > 0, q, 0.0)
        mean, second = (q * dear).sum(axis=1), (q * dear**2).sum(axis=1)
        total += float((w * np.where((own > threshold) & np.isfinite(own), own, 0.0)).sum())
        expected += float((w * mean).sum())
        variance += float((w * w * (second - mean**2)).sum())
    excess = total - expected
    return excess, excess / math.sqrt(variance) if variance > 0 else math.inf if excess > 0 else 0.0
