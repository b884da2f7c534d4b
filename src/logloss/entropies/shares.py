"""Soft outcomes: the entropy that no forecast avoids, and the divergence that this one adds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss import units
from logloss.kernels import weighted_sum
from logloss.kernels.divergence import entropies, excess
from logloss.notes import Note
from logloss.surprises import class_blocks
from logloss.text import table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logloss.record import Observations

    Float = NDArray[np.float64]

__all__ = ["Shares", "shares_of", "told"]

MOST_ANNOTATORS = 12  # shares that are multiples of 1/R up to this R look like those of R annotators
ROUNDED = 0.005 + 1e-9  # shares may be written with two decimals


@dataclass(frozen=True, eq=False)
class Shares:
    """Soft outcomes: log loss = entropy + divergence, in nats, each a weighted mean over the rows.

    Attributes
    ----------
    entropy
        Of the outcomes: no forecast has a lower loss.
    divergence
        KL(outcome || forecast): what the forecast adds; inf where it gave 0 to what has a share.
    divergence_finite, infinite_rows
        The mean over the rows where it is finite, and how many are not.
    annotators
        The fewest and the most annotators of a row, where they were counted; None where not known.
    bias
        How much too low the entropy is because annotators are few (Miller 1955): the mean of (m - 1) / (2 R) over rows of R
        annotators who chose m classes. None where R is not known.
    entropy_corrected, divergence_corrected
        With the bias taken out; their sum is the same.
    looks_like
        The number of annotators that the shares look like, 1/R of each: a guess, nothing is corrected for it.
    """

    entropy: float
    divergence: float
    divergence_finite: float
    infinite_rows: int
    annotators: tuple[int, int] | None
    bias: float | None
    entropy_corrected: float | None
    divergence_corrected: float | None
    looks_like: int | None


def shares_of(record: Observations, weight: Float) -> tuple[Shares, list[Note]]:
    """Return the parts of a soft record whose rows all count, and what is to be said of them."""
    total, open_, added = float(weight.sum()), np.empty(len(record)), np.empty(len(record))
    guesses = list(range(2, MOST_ANNOTATORS + 1))
    chosen = 0.0
    for rows, s, t in class_blocks(record):
        open_[rows] = entropies(t)
        added[rows] = excess(t, s, record.within)
        chosen += float(weighted_sum(weight[rows], (t > 0).sum(axis=1) - 1.0))
        guesses = [R for R in guesses if bool((np.abs(t * R - np.round(t * R)) <= ROUNDED * R).all())]

    finite = np.isfinite(added)
    entropy = float(weighted_sum(weight, open_) / total)
    mean = (
        float(weighted_sum(weight[finite], added[finite]) / weight[finite].sum())
        if finite.any()
        else math.nan
    )
    kl = mean if finite.all() else math.inf
    remark = next(
        (n.remark for n in record.notes if n.remark is not None and n.remark.id == "annotator-counts"), None
    )
    if remark is not None:
        bias = remark.nats / total
        span = (int(remark.least), int(remark.most))
        return Shares(
            entropy,
            kl,
            mean,
            int((~finite).sum()),
            span,
            bias,
            entropy + bias,
            kl - bias,
            None,
        ), _few_counted(remark.kinds["alone"][0], span, bias)
    R = next(iter(guesses), None)
    found = Shares(entropy, kl, mean, int((~finite).sum()), None, None, None, None, R)
    if R is None:
        return found, []
    told = f"Every share is a multiple of 1/{R}: they look like the votes of {R} annotators. Then the entropy of the outcomes is too low by about {units.loss(chosen / (2 * R * total))} nats, and what the forecast adds too high by as much; nothing was corrected. Give the counts with counts=True (CLI: --counts)."
    return found, [Note("few-annotators", told)]


def _few_counted(alone: int, span: tuple[int, int], bias: float) -> list[Note]:
    if span[0] > MOST_ANNOTATORS:
        return []
    said = f"Some rows have only {units.count(span[0], 'annotator')}, so the entropy of the outcomes is too low, by about {units.loss(bias)} nats to first order."
    if alone:
        said += f" Where there is one ({units.count(alone, 'row')}), nothing tells how open the outcome was: the corrected entropy is still too low."
    return [Note("few-annotators", said)]


def told(parts: Shares, unit: str) -> list[str]:
    """Return the parts as lines of text."""
    loss = partial(units.loss, in_unit=unit)
    known = parts.entropy_corrected is not None and parts.divergence_corrected is not None
    lost = (
        f"{loss(parts.divergence_finite)} without {units.count(parts.infinite_rows, 'row')} with infinite loss"
        if parts.infinite_rows
        else ""
    )
    rows = [["", "plain", "for few annotators"]] if known else []
    rows += [
        ["entropy of the outcomes", loss(parts.entropy), _maybe(parts.entropy_corrected, loss), "no forecast has less"],
        ["KL, added by the forecast", loss(parts.divergence), _maybe(parts.divergence_corrected, loss), lost],
    ]  # fmt: skip
    return ["  How much is the outcomes' own?", table(rows, "<>><", indent=4)]


def _maybe(value: float | None, loss: Any) -> str:
    return "" if value is None else str(loss(value))
