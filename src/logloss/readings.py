"""How to read a log loss: notes that follow from the summary alone."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from logloss import units
from logloss.baselines import base_rates
from logloss.notes import Note, located

if TYPE_CHECKING:
    from logloss.summary import Summary

__all__ = ["readings"]


def readings(summary: Summary, mean: float, accuracy: float) -> list[Note]:
    """Return notes on how to read the number."""
    notes: list[Note] = []
    weightless = int(summary.mass["rows"]) - summary.n
    if weightless:
        verb = "does" if weightless == 1 else "do"
        notes.append(Note("weightless", f"{units.count(weightless, 'row')} of weight 0 {verb} not count."))
    rows, weight = summary.infinite
    if rows:
        seen = tuple(place for key, place, _ in summary.top.entries if math.isinf(key))
        where = located(seen, rows, limit=5)
        rest = f"The other rows average {units.loss(summary.mean_finite)} nats."
        rest = "There are no others." if math.isnan(summary.mean_finite) else rest
        notes.append(
            Note(
                "infinite",
                f"{units.count(rows, 'row')} (weight share {units.percent(weight / summary.weight, 2)}) gave probability 0 to what happened, so the log loss is infinite: {where}. {rest}",
            )
        )
    notes += _against_own_choice(summary, mean, accuracy)
    notes += _at_chance(summary, mean, accuracy)
    if not rows and summary.n >= 20 and summary.top.entries:
        largest = summary.top.entries[0][0] / summary.finite_nats if summary.finite_nats > 0 else 0.0
        heavy = summary.top.entries[0][2]["weight"] > 0.05 * summary.weight
        if largest > 0.2 and not heavy:
            notes.append(
                Note(
                    "one-row-dominates",
                    f"One row carries {units.percent(largest)} of the loss; the interval cannot know how many more such rows there are outside this sample.",
                )
            )
    return notes


def _against_own_choice(summary: Summary, mean: float, accuracy: float) -> list[Note]:
    """Say when "my first choice, with probability `accuracy`" would have done better, beyond chance.

    In the long run no calibrated forecast does worse than that, but on a sample it can: so the loss must also be
    further from what the forecasts expect than chance explains. Errors are smoothed by half of one, since with
    none seen the true rate is not 0.
    """
    z, K = summary.excess_z, len(summary.classes)
    q = 1 - ((1 - accuracy) * summary.n + 0.5) / (summary.n + 1)
    own = -accuracy * math.log(q) - (1 - accuracy) * math.log((1 - q) / (K - 1))
    if z is None or abs(z) <= 3 or mean <= own:
        return []
    return [
        Note(
            "worse-than-argmax",
            f"Worse than its own first choice: saying only that choice, with probability {units.percent(q)}, scores {units.loss(own)}. Calibrated forecasts do not do that: these are miscalibrated, and recalibrating them should help.",
        )
    ]


def _at_chance(summary: Summary, mean: float, accuracy: float) -> list[Note]:
    """Say when confident forecasts are right as often as unrelated ones would be.

    Unrelated choices agree with the outcomes in sum_k share_k q_k of the rows, q_k being how often k is chosen.
    Confident means that the forecasts expect less than half of the base rate's loss.
    """
    base = base_rates(summary)[0]
    if summary.confusion is None or summary.n < 30 or mean < 2 * base or not summary.expected < 0.5 * base:
        return []
    table = summary.confusion.sums[1] / summary.confusion.sums[1].sum()
    agreement = float(table.sum(axis=1) @ table.sum(axis=0))
    if abs(accuracy - agreement) > 3 * math.sqrt(max(agreement * (1 - agreement), 0.0) / summary.n):
        return []
    return [
        Note(
            "at-chance",
            f"Confident, yet right in {units.percent(accuracy)} of the rows, as often as forecasts of other rows would be ({units.percent(agreement)}): do forecasts and outcomes belong to the same rows? Two files are paired by id with truth= (CLI: --truth).",
        )
    ]
