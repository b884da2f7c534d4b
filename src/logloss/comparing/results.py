"""The answer of `compare`: forecasts in order, their paired differences, and what these differences hang on."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from logloss.comparing import sentences, sheets
from logloss.comparing.pairs import ClipChange, Deciding, Pair, Slice, Span, verdict_of
from logloss.errors import UsageError, suggestion
from logloss.figures.drawing import Framed
from logloss.plain import jsonable

if TYPE_CHECKING:
    from logloss.display.cells import Card
    from logloss.figures.drawing import Drawings
    from logloss.finding import Finding
    from logloss.notes import Note

__all__ = [
    "ClipChange",
    "Comparison",
    "Deciding",
    "Pair",
    "Slice",
    "Standing",
    "verdict_of",
]


@dataclass(frozen=True)
class Standing:
    """One forecast among the others. Nats.

    Attributes
    ----------
    log_loss
        Weighted mean of the surprises; inf where a forecast of 0 happened.
    log_loss_finite
        The same over the finite rows.
    infinite_rows
        How many rows are infinite.
    interval
        Of the log loss; None where it is infinite or cannot be told.
    difference, difference_interval
        This log loss minus that of the best (or of the reference), over the same rows.
    simultaneous
        The same, wide enough to hold for all forecasts at once.
    in_best_set, set_p_value
        Whether the model confidence set keeps it, and at which level it would leave.
    """

    name: str
    log_loss: float
    log_loss_finite: float | None = None
    infinite_rows: int = 0
    interval: Span | None = None
    difference: float | None = None
    difference_interval: Span | None = None
    simultaneous: Span | None = None
    in_best_set: bool | None = None
    set_p_value: float | None = None


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Framed):
    """Several forecasts of the same rows, best first, and what is known of their differences. Nats.

    Attributes
    ----------
    standings
        The forecasts, best first.
    pairs
        Every two (those with the best one come first), or every one against the reference.
    level
        Coverage of the intervals.
    n
        Rows that count.
    units, unit
        How many independent things the intervals are about, and what they are: "row", "group", "point in time", "fold".
    reference
        The forecast that all others are set against; None: the best.
    set_level
        Coverage of the model confidence set; None where there is none.
    classes
        How many classes; None where that is not known.
    target
        After cross-validation: "models" (those that were fitted) or "algorithm" (what fits them).
    notes
        What was assumed, changed or found.
    """

    standings: tuple[Standing, ...]
    pairs: tuple[Pair, ...]
    level: float
    n: int
    units: int | None = None
    unit: str = "row"
    reference: str | None = None
    set_level: float | None = None
    classes: int | None = None
    target: str | None = None
    notes: tuple[Note, ...] = ()

    @property
    def models(self) -> dict[str, Standing]:
        """The standings by name, best first."""
        return {one.name: one for one in self.standings}

    @property
    def names(self) -> tuple[str, ...]:
        """The forecasts, best first."""
        return tuple(one.name for one in self.standings)

    @property
    def best(self) -> Standing:
        """The forecast with the smallest loss on these rows."""
        return self.standings[0]

    @property
    def best_set(self) -> tuple[str, ...]:
        """The forecasts that the model confidence set keeps; empty where there is none."""
        return tuple(one.name for one in self.standings if one.in_best_set)

    def pair(self, a: str, b: str) -> Pair:
        """Return the pair of these two: its differences are those of a minus b.

        Raises
        ------
        UsageError
            Where there is none.
        """
        a, b = str(a), str(b)
        for name in (a, b):
            if name not in self.names:
                raise UsageError(
                    "no-such-model",
                    f"There is no forecast {name!r}.{suggestion(name, self.names)}",
                    cure=f"There are {list(self.names)}.",
                )
        for one in self.pairs:
            if {one.a, one.b} == {a, b}:
                return one if one.a == a else one.turned()
        raise UsageError(
            "no-such-pair",
            f"{a!r} and {b!r} were not set against each other: all are set against {self.reference!r}.",
            cure="Compare them without reference=.",
        )

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is worth saying, one sentence each."""
        return tuple(sentences.findings(self))

    def _drawings(self) -> Drawings:
        from logloss.figures.concentrations import ROWS
        from logloss.figures.differences import DIFFERENCES, STANDINGS

        return {"differences": DIFFERENCES, "standings": STANDINGS, "rows": ROWS}

    def _card(self, unit: str = "nats") -> Card:
        from logloss.comparing.cards import comparison

        return comparison(self, unit)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON contract: nats; the text "inf" for an infinite loss, None where undefined."""
        state: dict[str, Any] = jsonable(
            {
                "schema": 1,
                "models": [{**asdict(one), "rank": at + 1} for at, one in enumerate(self.standings)],
                "pairs": [pair.to_dict() for pair in self.pairs],
                "level": self.level,
                "n": self.n,
                "units": self.units,
                "unit": self.unit,
                "reference": self.reference,
                "best_set": None
                if self.set_level is None
                else {"level": self.set_level, "models": self.best_set},
                "classes": self.classes,
                "target": self.target,
                "findings": [one.to_dict() for one in self.findings],
                "notes": [{"id": note.id, "text": note.text} for note in self.notes],
            }
        )
        return state

    def __str__(self) -> str:
        """One screen of text."""
        return self.show()

    def show(self, unit: str = "nats", *, notes: bool = True) -> str:
        """Return one screen of text with losses in `unit`."""
        return sheets.comparison(self, unit, notes=notes)
