"""The answer of `compare`: forecasts in order, their paired differences, and what these differences hang on."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

from logloss.comparing import sentences, sheets
from logloss.errors import UsageError, suggestion
from logloss.plain import jsonable

if TYPE_CHECKING:
    from logloss.notes import Note
    from logloss.why.findings import Finding

__all__ = [
    "ClipChange",
    "Comparison",
    "Deciding",
    "Pair",
    "Slice",
    "Standing",
    "verdict_of",
]

Span = tuple[float, float]


def verdict_of(difference: float | None, interval: Span | None) -> str:
    """Return what a difference a - b and its interval say: "a better", "b better", "tie" or "undefined".

    >>> verdict_of(-0.02, (-0.03, -0.01)), verdict_of(0.01, (-0.01, 0.03)), verdict_of(float("inf"), None)
    ('a better', 'tie', 'b better')
    """
    if difference is None or math.isnan(difference):
        return "undefined"
    if math.isinf(difference):
        return "a better" if difference < 0 else "b better"
    if interval is None:
        return "undefined"
    if interval[0] <= 0 <= interval[1]:
        return "tie"
    return "a better" if difference < 0 else "b better"


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


@dataclass(frozen=True)
class Deciding:
    """A row on which a difference hangs: its number, id, outcome, weight and the surprise of it under both, in nats."""

    row: int
    outcome: Any
    a: float
    b: float
    weight: float = 1.0
    id: Any = None


@dataclass(frozen=True, eq=False)
class ClipChange:
    """What clipping both forecasts into [eps, 1 - eps] does to the difference a - b.

    Attributes
    ----------
    changes_at
        The smallest eps (up to `most`) from which on the other forecast has the smaller loss; None where there is none.
    curve
        (eps, difference) at common limits.
    """

    changes_at: float | None
    most: float
    curve: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Slice:
    """The difference a - b in a part of the rows. `simultaneous` holds for all slices of the pair at once."""

    name: str
    rows: int
    share: float
    difference: float | None
    interval: Span | None
    simultaneous: Span | None = None
    verdict: str = "undefined"


@dataclass(frozen=True, eq=False)
class Pair:
    """Two forecasts of the same rows, `a` the one with the smaller loss (or the one set against a reference). Nats.

    Attributes
    ----------
    difference
        Mean of s_a - s_b: negative where a is better. Rows that are infinite under both are left out. inf or -inf where
        one of them is infinite alone; None where both are, on different rows: inf - inf.
    standard_error, interval, p_value, rule
        How sure it is, and by which rule: "hall-t", "jackknife", "ewc-t", "nadeau-bengio", ...
    verdict
        "a better" or "b better" where the interval leaves out 0 (or one loss is infinite), "tie" where it does not,
        "undefined" where nothing can be said.
    a_better_on, b_better_on
        Share of the weight on which each has the smaller surprise.
    infinite_a, infinite_b, infinite_both
        Rows that are infinite under a alone, b alone, both.
    difference_finite, interval_finite
        The same over the rows that are finite under both, where there are others.
    total, total_error
        Sum of the differences and its standard error: log of the likelihood ratio of b to a.
    needed, unit
        About how many rows (groups, points in time) would settle a gap of this size.
    top5_share
        Share of the sum of |difference| in the five rows with the most.
    top, top_share, without_top, without_top_interval
        The rows that carry most of the difference in its own direction (20 at most), their share of it, and the difference
        of the others.
    clip
        What clipping both would change.
    calibration, sorting, parts_method
        What of the difference is miscalibration, and what is telling rows apart; they add up to it.
    slices
        The difference by slice.
    beside
        Other rules and readings, by name, each a mapping of plain values: "diebold_mariano", "sequential", "evidence".
    """

    a: str
    b: str
    difference: float | None
    standard_error: float | None = None
    interval: Span | None = None
    p_value: float | None = None
    verdict: str = "undefined"
    rule: str | None = None
    a_better_on: float | None = None
    b_better_on: float | None = None
    infinite_a: int = 0
    infinite_b: int = 0
    infinite_both: int = 0
    difference_finite: float | None = None
    interval_finite: Span | None = None
    total: float | None = None
    total_error: float | None = None
    needed: float | None = None
    unit: str = "row"
    top5_share: float | None = None
    top: tuple[Deciding, ...] = ()
    top_share: float | None = None
    without_top: float | None = None
    without_top_interval: Span | None = None
    clip: ClipChange | None = None
    calibration: float | None = None
    sorting: float | None = None
    parts_method: str | None = None
    slices: tuple[Slice, ...] = ()
    beside: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def better(self) -> str | None:
        """The name of the better forecast; None where there is none."""
        return {"a better": self.a, "b better": self.b}.get(self.verdict)

    @property
    def worse(self) -> str | None:
        """The name of the worse forecast; None where there is none."""
        return {"a better": self.b, "b better": self.a}.get(self.verdict)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; "inf" where infinite, None where undefined."""
        state: dict[str, Any] = jsonable(
            {one.name: getattr(self, one.name) for one in fields(self)}
            | {
                "top": [asdict(row) for row in self.top],
                "slices": [asdict(one) for one in self.slices],
                "clip": None if self.clip is None else asdict(self.clip),
            }
        )
        return state


@dataclass(frozen=True, eq=False)
class Comparison:
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
        """Return the pair of these two, in whichever order it is kept.

        Raises
        ------
        UsageError
            Where there is none.
        """
        for name in (a, b):
            if name not in self.names:
                raise UsageError(
                    "no-such-model",
                    f"There is no forecast {name!r}.{suggestion(name, self.names)}",
                    cure=f"There are {list(self.names)}.",
                )
        for one in self.pairs:
            if {one.a, one.b} == {a, b}:
                return one
        raise UsageError(
            "no-such-pair",
            f"{a!r} and {b!r} were not set against each other: all are set against {self.reference!r}.",
            cure="Compare them without reference=.",
        )

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is worth saying, one sentence each."""
        return tuple(sentences.findings(self))

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
                "findings": [asdict(one) for one in self.findings],
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

    def _repr_html_(self) -> str:
        import html

        return f"<pre>{html.escape(str(self))}</pre>"
