"""Which number is this? The same rows under every framework's rule (:mod:`logloss.rules`)."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from logloss import units
from logloss.errors import UsageError
from logloss.folding import fold_record
from logloss.observations import observe
from logloss.plain import jsonable
from logloss.rules import CONVENTIONS, WHO_PAYS, Convention
from logloss.stages import staged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logloss.record import Observations, Space
    from logloss.summary import Summary

__all__ = [
    "CONVENTIONS",
    "WHO_PAYS",
    "Convention",
    "Match",
    "WhichNumber",
    "under",
    "which_number",
    "which_of",
]


def under(summary: Summary, convention: Convention) -> float:
    """Return the loss of a summary's rows under a convention, in the convention's unit."""
    if convention.name == "exact":
        return summary.mean
    total = summary.clamps[convention.view].clamped(0, convention.low, convention.high)
    nats = total / (summary.weight if convention.divisor == "weight" else summary.mass["rows"])
    return units.unit(convention.unit).convert(nats)


@dataclass(frozen=True)
class Match:
    """One way to compute a number from the rows: a convention, an aggregate, a unit."""

    convention: str
    how: str
    value: float
    rule: str
    source: str


@dataclass(frozen=True)
class WhichNumber:
    """The answer of :func:`which_number`: ways that reproduce the reported figure, else the nearest ones."""

    reported: float
    digits: int
    matches: tuple[Match, ...]
    nearest: tuple[Match, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "reported": jsonable(self.reported),
            "digits": self.digits,
            "matches": [jsonable(match.__dict__) for match in self.matches],
            "nearest": [jsonable(match.__dict__) for match in self.nearest],
        }

    def __str__(self) -> str:
        """Say which conventions reproduce the figure."""
        if self.matches:
            lines = [f"{self.reported:g} is what these print for the same rows, to {self.digits} decimals:"]
            shown: Sequence[Match] = self.matches
        else:
            lines = [f"No known convention prints {self.reported:g} for these rows; the nearest:"]
            shown = self.nearest
        return "\n".join(
            [*lines, *(f"  {m.value:<14.8g} {m.convention}, {m.how}  ({m.rule})" for m in shown)]
        )


def which_number(
    y: Any,
    forecast: Any,
    *,
    reported: float | str,
    space: Space = "p",
    weight: Any = None,
    labels: Sequence[Any] | None = None,
    positive: Any = None,
    normalize_rows: bool = False,
) -> WhichNumber:
    """Say which conventions reproduce a log loss that somebody reported for these rows.

    Parameters
    ----------
    y, forecast, space, weight, labels, positive, normalize_rows
        As in :func:`logloss.score`.
    reported
        The figure. Its decimals say how exactly it must be met: 0.2611 means 0.26105 to 0.26115; pass text
        ("0.2610") where the last decimal is a zero.

    Returns
    -------
    WhichNumber
        Matches, and the nearest if there is none. Tried: every convention as mean and sum; the exact mean also in
        bits, in base 10, as perplexity and divided by the number of classes; all of it also without the weights,
        and read as the probability of the other class.

    Examples
    --------
    >>> import logloss as ll
    >>> answer = ll.which_number([1, 0], [0.0, 0.5], reported=17.616)
    >>> [match.convention for match in answer.matches]
    ['scikit-learn<=1.1', 'kaggle', 'lightgbm', 'spark', 'h2o']
    """
    record = observe(
        y,
        forecast,
        weight=weight,
        space=space,
        labels=labels,
        positive=positive,
        normalize_rows=normalize_rows,
    )
    return which_of(record, reported)


@staged("comparing conventions")
def which_of(record: Observations, reported: float | str) -> WhichNumber:
    """Say which conventions reproduce a figure reported for a checked record."""
    figure, digits = _figure(reported)
    found = _ways(fold_record(record, top=0), "as given")
    if record.weight is not None:
        found += _ways(fold_record(replace(record, weight=None), top=0), "weights ignored")
    if record.binary and not record.soft:
        other = replace(record, outcome=1 - record.outcome.astype("int8"))
        found += _ways(fold_record(other, top=0), f"read as the probability of {record.classes[0]!r}")
    half = max(
        0.5 * 10.0**-digits * (1 + 1e-9), 1e-13 * max(1.0, abs(figure))
    )  # no sum is exact to the last digit
    matches = tuple(m for m in found if m.value == figure or abs(m.value - figure) <= half)
    nearest = tuple(sorted(found, key=lambda m: abs(m.value - figure))[:3])
    return WhichNumber(figure, digits, matches, nearest)


def _figure(reported: float | str) -> tuple[float, int]:
    """Return a reported number and how many decimals it was reported with."""
    text = str(reported).strip().lower()
    try:
        figure = float(text)
    except ValueError:
        raise UsageError(
            "bad-figure",
            f"{reported!r} is not a number.",
            cure="Pass the reported log loss, e.g. reported=0.2611.",
        ) from None
    if math.isnan(figure):
        raise UsageError(
            "bad-figure",
            f"{reported!r} is not a number.",
            cure="Pass the reported log loss, e.g. reported=0.2611.",
        )
    mantissa, _, exponent = text.partition("e")
    return figure, max(0, len(mantissa.partition(".")[2]) - int(exponent or 0)) if math.isfinite(
        figure
    ) else 0


def _ways(summary: Summary, how: str) -> list[Match]:
    """Return every aggregate of every convention; the plain mean first."""
    ways = []
    for convention in CONVENTIONS:
        mean = under(summary, convention)
        nats = mean * units.unit(convention.unit).nats_per_unit
        count = summary.weight if convention.divisor == "weight" else summary.mass["rows"]
        aggregates = {"mean": mean, "sum": nats * count}
        if convention.unit == "nats" and convention.name == "exact":
            aggregates |= {
                "mean in bits": units.UNITS["bits"].convert(mean),
                "mean in base 10": units.UNITS["bans"].convert(mean),
                "perplexity": math.exp(mean) if mean < 700 else math.inf,
            }
            aggregates["mean divided by the number of classes"] = mean / len(summary.classes)
        ways += [
            Match(convention.name, f"{label}, {how}", value, convention.rule, convention.source)
            for label, value in aggregates.items()
        ]
    return ways
