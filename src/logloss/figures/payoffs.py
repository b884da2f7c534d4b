"""What ways to act bring: means with their intervals, and paired differences around a line of zero."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from logloss import units
from logloss.figures import forest
from logloss.figures.drawing import Drawing
from logloss.figures.forest import Mark
from logloss.figures.ground import named

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from logloss.deciding.advantages import Worth
    from logloss.deciding.results import Decisions
    from logloss.interval import Interval

__all__ = ["AGAINST_BEST", "POLICIES", "WAYS", "WORTH"]


def _number(value: float) -> str:
    return f"{value:.4g}"


def _known(interval: tuple[float, float] | None) -> tuple[float, float] | None:
    return None if interval is None or any(math.isnan(end) for end in interval) else interval


def _turned(
    value: float | None, interval: tuple[float, float] | None, sign: float
) -> tuple[float | None, tuple[float, float] | None]:
    """Return them times `sign`, the smaller limit first."""
    if interval is not None:
        interval = (min(sign * x for x in interval), max(sign * x for x in interval))
    return (None if value is None else sign * value + 0.0), interval


def _sign(result: Decisions | Worth) -> float:
    return -1.0 if result.utilities.costs else 1.0


def _word(result: Decisions | Worth) -> str:
    return "cost" if result.utilities.costs else "utility"


def _policies(result: Decisions) -> list[Mark]:
    marks = []
    for one in result.policies:
        value, interval = _turned(
            one.expected if one.realised is None else one.realised, one.interval, _sign(result)
        )
        assert value is not None
        marks.append(
            Mark(one.name, value, interval, _number(value), "model" if one.name == result.best else "context")
        )
    return marks


def _draw_policies(result: Decisions, ax: Axes, unit: str) -> list[str]:
    del unit  # utilities are in the user's own
    left = forest.forest(
        ax, _policies(result), f"{_word(result)} a row (in the unit of the utilities)", zero=False
    )
    better = "Left" if result.utilities.costs else "Right"
    known = result.labelled > 0
    lines = [f"{better} is better; blue is best. " + (f"What came, with {100 * result.level:.6g} % intervals." if known else "As the forecasts expect: no outcome is known.")]  # fmt: skip
    lines += (
        [f"{result.labelled:,} of {units.count(result.rows, 'row')} have an outcome."]
        if 0 < result.labelled < result.rows
        else []
    )
    return lines + left


def _tell_policies(result: Decisions, unit: str) -> str:
    del unit
    told = ", ".join(f"{named(mark.name)} {mark.said}" for mark in _policies(result)[: forest.MOST])
    return f"Mean {_word(result)} a row over {units.count(result.rows, 'row')}: {told}. Best: {named(result.best)}."


def _against(result: Decisions) -> list[Mark]:
    marks = []
    for one in result.policies:
        value, interval = _turned(
            0.0 if one.name == result.best else one.difference, one.difference_interval, _sign(result)
        )
        said = "the best" if one.name == result.best else "" if value is None else f"{value:+.4g}"
        marks.append(Mark(one.name, value, interval, said, "model" if one.name == result.best else "context"))
    return marks


def _draw_against(result: Decisions, ax: Axes, unit: str) -> list[str]:
    del unit
    left = forest.forest(ax, _against(result), f"{_word(result)} a row less that of {named(result.best)}")
    side = "right" if result.utilities.costs else "left"
    return [f"Further {side} is worse; a line across 0 is not sure ({100 * result.level:.6g} % intervals, paired).", *left]  # fmt: skip


def _tell_against(result: Decisions, unit: str) -> str:
    del unit
    told = ", ".join(
        f"{named(mark.name)} {mark.said}"
        for mark in _against(result)[: forest.MOST]
        if mark.name != result.best
    )
    return f"{_word(result).capitalize()} a row less that of {named(result.best)}, the best: {told}."


def _worth(result: Worth) -> list[Mark]:
    lines: list[tuple[str, Interval, str]] = [
        ("recalibrated - as given", result.worth, "model"),
        (f"as given - {result.best_constant}", result.given_against_constant, "context"),
        (f"recalibrated - {result.best_constant}", result.recalibrated_against_constant, "context"),
    ]
    return [
        Mark(name, one.mean, _known((one.low, one.high)), f"{one.mean:+.4g}", colour)
        for name, one, colour in lines
    ]


def _draw_worth(result: Worth, ax: Axes, unit: str) -> list[str]:
    del unit
    forest.forest(ax, _worth(result), "more utility a row (in the unit of the utilities)", width=32)
    lines = [f"Right of 0 the first is worth more ({100 * result.level:.6g} % intervals, paired). {units.count(result.changed, 'row')} of {result.n:,} decided differently."]  # fmt: skip
    return (
        [*lines, "Nothing is recalibrated: no map certainly helps."] if result.chosen == "identity" else lines
    )


def _tell_worth(result: Worth, unit: str) -> str:
    del unit
    one = _worth(result)[0]
    doubt = (
        ""
        if one.interval is None
        else f" ({100 * result.level:.6g} % interval {one.interval[0]:+.4g} to {one.interval[1]:+.4g})"
    )
    return f"Recalibrating by {named(result.chosen)} is worth {one.said} a row{doubt}; {units.count(result.changed, 'row')} of {result.n:,} are decided differently."


def _ways(result: Worth) -> list[Mark]:
    marks = []
    for at, one in enumerate(result.ways):
        value, interval = _turned(
            one.interval.mean, _known((one.interval.low, one.interval.high)), _sign(result)
        )
        assert value is not None
        marks.append(Mark(one.name, value, interval, _number(value), "model" if at < 2 else "context"))
    return marks


def _draw_ways(result: Worth, ax: Axes, unit: str) -> list[str]:
    del unit
    left = forest.forest(
        ax, _ways(result), f"{_word(result)} a row (in the unit of the utilities)", zero=False
    )
    better = "Left" if result.utilities.costs else "Right"
    return [f"{better} is better. Intervals are of each alone; the difference is another figure.", *left]


def _tell_ways(result: Worth, unit: str) -> str:
    del unit
    told = ", ".join(f"{named(mark.name)} {mark.said}" for mark in _ways(result)[: forest.MOST])
    return f"Mean {_word(result)} a row over {units.count(result.n, 'row')}: {told}."


def _columns(marks: list[Mark]) -> dict[str, list[Any]]:
    return forest.columns(marks)


def _tall(result: Any) -> float:
    return forest.height(len(result.policies if hasattr(result, "policies") else result.ways))


POLICIES = Drawing("Which way to act brings most?", _draw_policies, _tell_policies, lambda result: _columns(_policies(result)), height=_tall)  # fmt: skip
AGAINST_BEST = Drawing(
    "How much is lost by acting otherwise?", _draw_against, _tell_against, lambda result: _columns(_against(result)),
    part=lambda result: result if result.labelled else None, height=_tall,
)  # fmt: skip
WORTH = Drawing("Is it worth recalibrating?", _draw_worth, _tell_worth, lambda result: _columns(_worth(result)), height=lambda _: 2.6)  # fmt: skip
WAYS = Drawing("What does each way to act bring?", _draw_ways, _tell_ways, lambda result: _columns(_ways(result)), height=_tall)  # fmt: skip
