"""Two forecasts of the same rows: their difference, how sure it is, and what it hangs on."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from logloss.plain import jsonable

if TYPE_CHECKING:
    from logloss.interval import Interval

__all__ = [
    "FEWEST",
    "FEWEST_ALIKE",
    "LIMITS",
    "MOST",
    "MOST_ROWS",
    "ClipChange",
    "Concentration",
    "Deciding",
    "Pair",
    "Slice",
    "Span",
    "needed",
    "same_for_all",
    "span",
    "verdict_of",
]

MOST = 0.1  # the largest clip that is looked at
LIMITS = (1e-15, 1e-12, 1e-9, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
MOST_ROWS = 20  # a difference is told without
FEWEST = 50  # rows for each of them
FEWEST_ALIKE = 6  # rows that all differ by the same; of 5 fair coins 1 in 16 times all fall alike
SAME = 1e-12  # of the difference: what rounding makes of a standard error of 0

Span = tuple[float, float]

SIGNED = ("difference", "difference_finite", "total", "without_top", "calibration", "sorting")
SPANS = ("interval", "interval_finite", "without_top_interval")
EXCHANGED = {"a_better_in": "b_better_in", "b_better_in": "a_better_in"}
TURNED = {"a better": "b better", "b better": "a better"}


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

    def turned(self) -> Slice:
        """Return the same with a and b exchanged."""
        return replace(
            self,
            difference=_minus(self.difference),
            interval=_back(self.interval),
            simultaneous=_back(self.simultaneous),
            verdict=TURNED.get(self.verdict, self.verdict),
        )


@dataclass(frozen=True)
class Concentration:
    """How few rows bring a difference a - b: the sum over the rows that differ most, one more at a time. Nats.

    Attributes
    ----------
    rows, brought
        How many of them, ascending to all, and what they bring; per row of all rows, so that the last is the difference.
        Some 200 numbers of rows, `half` and `turns` among them.
    half
        The fewest that bring half of the difference.
    turns
        From how many on the rest, if these are left out, says the opposite; None where it never does.
    """

    rows: tuple[int, ...]
    brought: tuple[float, ...]
    half: int
    turns: int | None = None


@dataclass(frozen=True, eq=False)
class Pair:
    """Two forecasts of the same rows, `a` the one with the smaller loss (or the one set against a reference). Nats.

    Attributes
    ----------
    difference
        Mean of s_a - s_b: negative where a is better. Rows that are infinite under both are left out. inf or -inf where
        one of them is infinite alone; None where both are, on different rows: inf - inf.
    standard_error, interval, p_value, rule
        How sure it is, and by which rule: "hall-t"; over groups "jackknife", or "hall-t-groups" where they weigh the same;
        "ewc-t" in time; "nadeau-bengio" over folds.
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
        About how many rows (groups, points in time) would settle a gap of this size; None of folds, as more of the same
        rows settle nothing.
    top5_share
        Share of the sum of |difference| in the five rows with the most.
    top, top_share, without_top, without_top_interval
        The rows that carry most of the difference in its own direction (20 at most), their share of it, and the difference
        of the others.
    clip
        What clipping both would change; None where that is not known, or rows and pairs are too many to look at all.
    calibration, sorting, parts_method
        What of the difference is miscalibration, and what is telling rows apart; they add up to it.
    slices
        The difference by slice.
    concentration
        How few rows bring the difference; of the first pair of arrays and tables in memory, where it is finite and not 0.
    beside
        Other rules and readings, by name, each a mapping of plain values: "diebold_mariano", "sequential", "evidence"; after
        cross-validation the other target, "models" or "algorithm".
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
    concentration: Concentration | None = None
    beside: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def better(self) -> str | None:
        """The name of the better forecast; None where there is none."""
        return {"a better": self.a, "b better": self.b}.get(self.verdict)

    @property
    def worse(self) -> str | None:
        """The name of the worse forecast; None where there is none."""
        return {"a better": self.b, "b better": self.a}.get(self.verdict)

    def turned(self) -> Pair:
        """Return the same pair with a and b exchanged: every difference has the other sign."""
        clip = self.clip
        if clip is not None:
            clip = replace(clip, curve=tuple((eps, -value) for eps, value in clip.curve))
        few = self.concentration
        if few is not None:
            few = replace(few, brought=tuple(0.0 - value for value in few.brought))
        changed: dict[str, Any] = {name: _minus(getattr(self, name)) for name in SIGNED}
        changed |= {name: _back(getattr(self, name)) for name in SPANS}
        return replace(
            self,
            a=self.b,
            b=self.a,
            **changed,
            verdict=TURNED.get(self.verdict, self.verdict),
            a_better_on=self.b_better_on,
            b_better_on=self.a_better_on,
            infinite_a=self.infinite_b,
            infinite_b=self.infinite_a,
            top=tuple(replace(row, a=row.b, b=row.a) for row in self.top),
            clip=clip,
            concentration=few,
            slices=tuple(one.turned() for one in self.slices),
            beside={name: _other_sign(found) for name, found in self.beside.items()},
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; "inf" where infinite, None where undefined."""
        state: dict[str, Any] = jsonable(
            {one.name: getattr(self, one.name) for one in fields(self)}
            | {
                "top": [asdict(row) for row in self.top],
                "slices": [asdict(one) for one in self.slices],
                "clip": None if self.clip is None else asdict(self.clip),
                "concentration": None if self.concentration is None else asdict(self.concentration),
            }
        )
        return state


def _minus(value: float | None) -> float | None:
    return None if value is None else 0.0 - value


def _back(span: Span | None) -> Span | None:
    return None if span is None else (0.0 - span[1], 0.0 - span[0])


def _other_sign(found: dict[str, Any]) -> dict[str, Any]:
    """Return another rule's answer with the sign of its difference changed, where it has one."""
    turned = {}
    for name, value in found.items():
        if name == "refuted":
            turned[name] = value[::-1]
        elif name in EXCHANGED:
            turned[name] = found[EXCHANGED[name]]
        elif name == "moving_most":
            turned[name] = [_other_sign(one) for one in value]
        elif name == "interval" and value is not None:
            turned[name] = [0.0 - end for end in reversed(value)]
        elif name == "verdict":
            turned[name] = TURNED.get(value, value)
        elif name in ("difference", "statistic", "corrected", "nats", "log10") and value is not None:
            turned[name] = {"inf": "-inf", "-inf": "inf"}[value] if isinstance(value, str) else 0.0 - value
        else:
            turned[name] = value
    return turned


def span(found: Interval | None) -> tuple[float, float] | None:
    """Return the interval as a pair; None where there is none."""
    return None if found is None else (found.low, found.high)


def needed(units: int, difference: float, ends: tuple[float, float] | None) -> float | None:
    """Return about how many rows (groups, points in time) settle a difference of this size.

    An interval of `units` of them that reaches r from the difference towards 0 shrinks as their root grows, so it reaches
    to 0 with units (r / difference)^2: more than there are where it holds 0, fewer where it does not.
    """
    if ends is None or difference == 0 or not math.isfinite(difference):
        return None
    reach = difference - ends[0] if difference > 0 else ends[1] - difference
    return units * (reach / difference) ** 2 if reach > 0 else None


def same_for_all(difference: float | None, standard_error: float | None) -> bool:
    """Tell whether a difference is the same, and not 0, wherever it was looked at."""
    if not difference or standard_error is None or math.isinf(difference):
        return False
    return standard_error <= SAME * abs(difference)
