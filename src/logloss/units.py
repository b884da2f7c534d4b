"""Nats, bits, bans and perplexity: the only place that converts or formats a loss.

Everything is computed and stored in nats. A unit is chosen when a number is shown.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from logloss.errors import UsageError, suggestion

__all__ = ["UNITS", "Unit", "count", "loss", "percent", "signed", "unit"]


@dataclass(frozen=True)
class Unit:
    """A unit of surprise: `nats_per_unit` nats make one of it."""

    name: str
    nats_per_unit: float

    def convert(self, nats: float) -> float:
        """Return `nats` in this unit.

        >>> UNITS["bits"].convert(math.log(2))
        1.0
        """
        return nats / self.nats_per_unit


UNITS: dict[str, Unit] = {
    "nats": Unit("nats", 1.0),
    "bits": Unit("bits", math.log(2.0)),
    "bans": Unit("bans", math.log(10.0)),
}


def unit(name: str) -> Unit:
    """Return the unit called `name`: nats, bits (base 2) or bans (base 10, hartleys)."""
    if name not in UNITS:
        raise UsageError(
            "unknown-unit",
            f"{name!r} is not a unit.{suggestion(name, list(UNITS))}",
            cure=f"Units: {', '.join(UNITS)}.",
        )
    return UNITS[name]


def loss(nats: float, in_unit: str = "nats", digits: int = 4) -> str:
    """Format a loss honestly: 0 and inf are printed only when exact, tiny values keep a significant digit.

    >>> loss(0.27195), loss(math.inf), loss(0.0), loss(3e-9)
    ('0.2720', 'inf', '0', '3.0e-09')
    """
    value = unit(in_unit).convert(nats)
    if value == 0.0:
        return "0"
    if math.isnan(value):
        return "undefined"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    if abs(value) < 0.5 * 10.0**-digits or abs(value) >= 1e6:
        return f"{value:.1e}"
    return f"{value:.{digits}f}"


def signed(nats: float, in_unit: str = "nats", digits: int = 4) -> str:
    """Format a difference of losses with its sign.

    >>> signed(-0.02), signed(0.0)
    ('-0.0200', '0')
    """
    text = loss(nats, in_unit, digits)
    return f"+{text}" if nats > 0 else text


def percent(share: float, digits: int = 1) -> str:
    """Format a share so that 0 % and 100 % appear only when exact.

    >>> percent(0.0), percent(1e-6), percent(0.99999), percent(1.0)
    ('0 %', '<0.1 %', '>99.9 %', '100 %')
    """
    if math.isnan(share):
        return "undefined"
    if share in (0.0, 1.0):
        return f"{100 * share:.0f} %"
    smallest = 10.0**-digits
    if 0 < share < smallest / 200:
        return f"<{smallest:.{digits}f} %"
    if 1 - smallest / 200 < share < 1:
        return f">{100 - smallest:.{digits}f} %"
    return f"{100 * share:.{digits}f} %"


def count(number: int, singular: str, plural: str | None = None) -> str:
    """Format a count with its noun.

    >>> count(1, "row"), count(12000, "row")
    ('1 row', '12,000 rows')
    """
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"
