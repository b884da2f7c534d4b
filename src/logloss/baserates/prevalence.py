"""The answer of estimate_prior: how often each class occurs now, and the map that makes the forecasts fit."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from logloss import units
from logloss.display.shown import Shown
from logloss.plain import jsonable
from logloss.screens import noted
from logloss.text import bar, printable, table

if TYPE_CHECKING:
    from logloss.calibrate.fitted import FittedMap
    from logloss.notes import Note

__all__ = ["PriorEstimate"]

FEW = 20  # classes that fit on a screen


@dataclass(frozen=True, eq=False, repr=False)
class PriorEstimate(Shown):
    """Base rates of rows whose outcomes are not known, from their forecasts.

    Attributes
    ----------
    rates
        The rate of each class that makes the forecasts likeliest; it may be 0.
    old
        The rates that the forecasts were made for.
    intervals
        Of each class's rate: from, to. They hold one by one, not all at once.
    level
        What the intervals aim to cover.
    log_likelihood_gain
        How much likelier than with the old rates, in nats a row.
    certificate
        No other rates are likelier by more than this, in nats a row.
    iterations
        Steps it took.
    n
        Rows that count.
    map
        What makes forecasts fit the new rates: `result.map.apply(forecast)`. None of its rates is 0; a note says so.
    notes
        What was assumed and found.
    """

    rates: dict[Any, float]
    old: dict[Any, float]
    intervals: dict[Any, tuple[float, float]]
    level: float
    log_likelihood_gain: float
    certificate: float
    iterations: int
    n: int
    map: FittedMap = field(repr=False)
    notes: tuple[Note, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON contract: a list of classes, nats."""
        state: dict[str, Any] = jsonable(
            {
                "schema": 1,
                "n": self.n,
                "classes": [
                    {"class": c, "old": self.old[c], "rate": self.rates[c], "interval": self.intervals[c]}
                    for c in self.rates
                ],
                "level": self.level,
                "log_likelihood_gain": self.log_likelihood_gain,
                "certificate": self.certificate,
                "iterations": self.iterations,
                "map": self.map.to_dict(),
                "notes": [{"id": note.id, "text": note.text} for note in self.notes],
            }
        )
        return state

    def __str__(self) -> str:
        """One screen of text."""
        return self.show()

    def show(self, unit: str = "nats", *, notes: bool = True) -> str:
        """Return one screen of text; the likelihood in `unit`."""
        units.unit(unit)
        percent = partial(units.percent, digits=2)
        order = list(self.rates)
        if len(order) > FEW:  # those that moved most
            order = sorted(order, key=lambda c: -abs(self.rates[c] - self.old[c]))[:FEW]
        rows = [["class", "before", "now", f"{100 * self.level:.6g} % interval", ""]]
        rows += [
            [
                printable(c),
                percent(self.old[c]),
                percent(self.rates[c]),
                " to ".join(percent(end) for end in self.intervals[c]),
                bar(self.rates[c]),
            ]
            for c in order
        ]
        lines = [
            f"Base rates from the forecasts of {units.count(self.n, 'row')}   likelier than the old ones by {units.loss(self.log_likelihood_gain, unit)} {unit} a row",
            "",
            table(rows, "<>>><", indent=2),
        ]
        if len(order) < len(self.rates):
            lines.append(f"  and {len(self.rates) - len(order):,} more classes, which moved less")
        if notes and self.notes:
            lines += ["", *noted(self.notes)]
        return "\n".join(lines)
