"""The answer of worth_of_calibration: what ways to act bring, and what recalibrating adds."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from logloss import units
from logloss.figures.drawing import Framed
from logloss.plain import jsonable
from logloss.screens import noted
from logloss.text import printable, table, wrapped

if TYPE_CHECKING:
    from logloss.deciding.utilities import Utilities
    from logloss.figures.drawing import Drawings
    from logloss.fixing.results import Fix
    from logloss.interval import Interval
    from logloss.notes import Note

__all__ = ["Way", "Worth"]

MOST = 8  # ways that a screen shows


@dataclass(frozen=True)
class Way:
    """A way to act on rows, and what it brings a row.

    Attributes
    ----------
    name
        "as given", "recalibrated", "always ...".
    interval
        Mean utility, with its interval.
    expected
        What the forecasts expect of it: as given those as given, else the recalibrated ones.
    shares
        Share of the weight with each action.
    """

    name: str
    interval: Interval
    expected: float
    shares: dict[str, float]

    @property
    def realised(self) -> float:
        """Mean utility."""
        return self.interval.mean


@dataclass(frozen=True, eq=False, repr=False)
class Worth(Framed):
    """What better calibration is worth to someone who acts on forecasts. Utilities in the user's own unit, means over rows.

    Attributes
    ----------
    utilities
        What each action is worth in each class.
    chosen
        The map that recalibrates; "identity" where none certainly helps.
    log_loss
        As given, and recalibrated, of rows that the map was fitted without; nats.
    ways
        Acting on the forecasts as given, on the recalibrated ones, and always taking one action.
    best_constant
        The name of the best constant way.
    worth
        Utility of acting on recalibrated forecasts less that on those as given, paired. Limits are NaN where fewer than five
        rows are decided differently.
    given_against_constant, recalibrated_against_constant
        The same of either less the best constant action.
    perfect
        Mean utility were every outcome known beforehand: nothing brings more.
    perfect_information
        How much more that is than acting on the recalibrated forecasts, as these expect it.
    changed
        How many rows are decided differently.
    n
        Rows that count.
    fix
        The recalibration; its `apply` recalibrates new rows.
    """

    utilities: Utilities
    chosen: str
    log_loss: tuple[float, float]
    ways: tuple[Way, ...]
    best_constant: str
    worth: Interval
    given_against_constant: Interval
    recalibrated_against_constant: Interval
    perfect: float
    perfect_information: float
    changed: int
    n: int
    level: float
    notes: tuple[Note, ...]
    fix: Fix = field(repr=False)

    @property
    def given(self) -> Way:
        """Acting on the forecasts as given."""
        return self.ways[0]

    @property
    def recalibrated(self) -> Way:
        """Acting on recalibrated forecasts, each under a map that was fitted without its row."""
        return self.ways[1]

    def _drawings(self) -> Drawings:
        from logloss.figures.payoffs import WAYS, WORTH

        return {"worth": WORTH, "ways": WAYS}

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON contract: utilities in the user's own unit, log losses in nats; None where undefined."""
        state: dict[str, Any] = jsonable(
            {
                "schema": 1,
                "n": self.n,
                "level": self.level,
                "utilities": self.utilities.to_dict(),
                "map": self.chosen,
                "log_loss": list(self.log_loss),
                "ways": [
                    {"name": way.name, **_plain(way.interval), "expected": way.expected, "shares": way.shares}
                    for way in self.ways
                ],
                "best_constant": self.best_constant,
                "worth": _plain(self.worth),
                "given_against_constant": _plain(self.given_against_constant),
                "recalibrated_against_constant": _plain(self.recalibrated_against_constant),
                "perfect": self.perfect,
                "perfect_information": self.perfect_information,
                "changed": self.changed,
                "notes": [{"id": note.id, "text": note.text} for note in self.notes],
            }
        )
        return state

    def show(self, unit: str = "nats", *, notes: bool = True) -> str:
        """Return one screen of text; `unit` is that of the log losses."""
        before, after = (units.loss(loss, unit) for loss in self.log_loss)
        loss = f"log loss {before}" + ("" if self.chosen == "identity" else f" -> {after}") + f" {unit}"
        head = f"What better calibration is worth   {units.count(self.n, 'row')}, {loss}"
        rows = [["utility a row", "brings", f"{100 * self.level:.6g} % interval", "expected"]]
        for way in self.ways[:MOST]:
            name = (
                way.name
                if way is not self.recalibrated
                else f"{way.name} ({'no map' if self.chosen == 'identity' else printable(self.chosen)})"
            )
            rows.append(
                [printable(name, 40), _number(way.realised), _span(way.interval), _number(way.expected)]
            )
        rows.append(["every outcome known", _number(self.perfect), "", ""])
        parts = [head, "", table(rows, "<>>>", indent=2), ""]
        parts += [wrapped(line) for line in self.sentences()]
        if notes and self.notes:
            parts += ["", *noted(self.notes)]
        return "\n".join(parts)

    def sentences(self) -> list[str]:
        """Say what recalibrating is worth, and whether the forecasts are worth more than doing always the same."""
        rows = f"{self.changed:,} of {units.count(self.n, 'row')} {'is' if self.changed == 1 else 'are'} decided differently"
        if self.chosen == "identity":
            found = [
                "No map certainly helps, so better calibration is worth nothing that could be shown here."
            ]
        elif not self.changed:
            found = ["Better calibration is worth nothing here: every row is decided as before."]
        else:
            found = [f"Better calibration is worth {_signed(self.worth)} a row; {rows}."]
        constant = printable(repr(self.best_constant.removeprefix("always ")), 40)
        found.append(
            f"Against always {constant}, the forecasts as given bring {_signed(self.given_against_constant)}"
            + ("." if self.chosen == "identity" else f", the recalibrated ones {_signed(self.recalibrated_against_constant)}.")
        )  # fmt: skip
        short = self.given.expected - self.given.realised
        even = abs(short) <= 1e-12 * max(abs(self.given.expected), abs(self.given.realised))
        told = "as much" if even else f"{_number(abs(short))} {'less' if short > 0 else 'more'}"
        found.append(
            f"As given they expect {_number(self.given.expected)} and bring {_number(self.given.realised)}: {told}."
        )
        found.append(
            f"Knowing every outcome beforehand would bring {_number(self.perfect - self.recalibrated.realised)} more; the {'forecasts' if self.chosen == 'identity' else 'recalibrated forecasts'} expect {_number(self.perfect_information)}."
        )
        return found

    def __str__(self) -> str:
        """One screen of text."""
        return self.show()


def _plain(found: Interval) -> dict[str, Any]:
    return {
        "mean": found.mean,
        "standard_error": found.standard_error,
        "interval": None if math.isnan(found.low) else [found.low, found.high],
    }


def _number(value: float) -> str:
    """Return a utility in four digits or so.

    >>> _number(-2.1504), _number(12345.6), _number(0.0)
    ('-2.150', '12,346', '0')
    """
    size = abs(value)
    if size == 0:
        return "0"
    if size < 1e-4 or size >= 1e9:
        return f"{value:.3e}"
    return (
        f"{value:,.0f}" if size >= 1e4 else f"{value:.{max(0, 3 - math.floor(math.log10(max(size, 1.0))))}f}"
    )


def _span(found: Interval) -> str:
    return "" if math.isnan(found.low) else f"{_number(found.low)} to {_number(found.high)}"


def _signed(found: Interval) -> str:
    def one(value: float) -> str:
        return f"+{_number(value)}" if value > 0 else _number(value)

    return one(found.mean) + ("" if math.isnan(found.low) else f" ({one(found.low)} to {one(found.high)})")
