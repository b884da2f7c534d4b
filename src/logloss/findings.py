"""What is worth saying about a log loss: one sentence each, with its nats and the next command.

Number first, plain subject, cause; ids are stable. Findings are read off an explanation; nothing is computed here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from logloss import units

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logloss.explanation import Explanation

    Float = NDArray[np.float64]

__all__ = ["Finding", "findings"]


@dataclass(frozen=True)
class Finding:
    """One sentence: what, how many nats it is worth, and the next command. Ids are stable."""

    id: str
    nats: float
    text: str
    command: str


def findings(result: Explanation, cost: Float, weight: Float) -> list[Finding]:
    """Return what is worth saying, most nats first; `cost` (w s) and `weight` are those of the rows, costliest first."""
    found = [
        *_infinite(result),
        *_concentrated(result, cost, weight),
        *_confidence(result),
        *_clipping(result),
    ]
    found += [*_worse_than_nothing(result), *_confused(result), *_certain_errors(result)]
    return sorted(found, key=lambda finding: -finding.nats)


def _infinite(result: Explanation) -> list[Finding]:
    score = result.score
    if not score.infinite_rows:
        return []
    rows = units.count(score.infinite_rows, "row")
    text = f"{rows} gave exactly 0 to what happened: the log loss is infinite; the other rows average {units.loss(score.log_loss_finite)}."
    return [Finding("LL030", math.inf, text, "logloss explain --rows 20")]


def _concentrated(result: Explanation, cost: Float, weight: Float) -> list[Finding]:
    if result.half is None:
        return []
    known = np.isfinite(cost)
    finite, weight = cost[known], weight[known]
    total, k = float(finite.sum()), result.half
    few = (
        k <= 0.1 * len(finite) and weight[:k].sum() <= 0.1 * weight.sum()
    )  # heavy rows cost much, whatever happened
    if total == 0 or len(finite) < 10 or not few:
        return []
    nats = float(finite[:k].sum())
    carry, label = ("carries", "its label") if k == 1 else ("carry", "their labels")
    text = f"{units.count(k, 'row')} ({units.percent(k / len(finite))}) {carry} {units.percent(nats / total)} of the loss; look at {label} first."
    return [Finding("LL010", nats / result.score.weight, text, f"logloss explain --rows {k}")]


def _confidence(result: Explanation) -> list[Finding]:
    z, loss, expected = result.excess_z, result.score.log_loss, result.expected_log_loss
    if z is None or abs(z) <= 3 or {note.id for note in result.score.notes} & {"reversed", "permuted"}:
        return []  # misread columns look over-confident too
    word, try_next = ("Over-confident", "1.5") if z > 0 else ("Under-confident", "0.8")
    text = f"{word}: the forecasts expect a loss of {units.loss(expected)}, it is {units.loss(loss)} (z = {z:.1f})."
    return [Finding("LL020", abs(loss - expected), text, f"logloss explain --temperature {try_next}")]


def _clipping(result: Explanation) -> list[Finding]:
    clip = result.clip
    if clip is None or clip.gain is None or clip.gain_interval is None or clip.gain_interval[0] <= 0:
        return []
    share = units.percent(clip.gain / result.score.log_loss)
    text = f"Clipping at {clip.best:.3g} cuts the loss by {share} on held-out rows, but hides the cause."
    return [Finding("LL031", clip.gain, text, f"logloss explain --clip {clip.best:.3g}")]


def _worse_than_nothing(result: Explanation) -> list[Finding]:
    score = result.score
    z = result.excess_z
    if z is None or abs(z) <= 3 or score.n < 10 or score.log_loss <= score.base_rate_loo:
        return []
    text = f"Worse than always saying the base rate: {units.loss(score.log_loss)} against {units.loss(score.base_rate_loo)}. Check the order of the columns and the positive class."
    return [Finding("LL050", score.log_loss - score.base_rate_loo, text, "logloss score --positive CLASS")]


def _confused(result: Explanation) -> list[Finding]:
    wrong = [pair for pair in result.pairs if pair["outcome"] != pair["predicted"] and pair["share"]]
    K = len(result.score.summary.classes)
    if K == 2 or not wrong or wrong[0]["rows"] < 5 or wrong[0]["share"] <= max(0.05, 3 / (K * (K - 1))):
        return []
    pair = wrong[0]
    text = f"{pair['outcome']!r} called {pair['predicted']!r}: {pair['rows']:.6g} rows carry {units.percent(pair['share'])} of the loss."
    return [Finding("LL090", pair["nats"] / result.score.weight, text, "logloss explain --json")]


def _certain_errors(result: Explanation) -> list[Finding]:
    errors, exact = result.census["errors"], result.census["errors_exact"]
    if not errors or exact <= 0.5 * errors:
        return []
    return [
        Finding(
            "LL032",
            0.0,
            f"Of {errors:,} errors only {errors - exact:,} were other than exactly 0 or 1; score probabilities that were not rounded.",
            "logloss explain --json",
        )
    ]
