"""What each map gains on rows that it was not fitted on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from logloss import units
from logloss.figures import forest
from logloss.figures.drawing import Drawing
from logloss.figures.forest import Mark
from logloss.figures.ground import named, span

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from logloss.fixing.results import Fix

__all__ = ["CANDIDATES"]


def _marks(found: Fix, unit: str = "nats") -> list[Mark]:
    return [
        Mark(
            one.name, one.gain, one.interval, units.signed(one.gain, unit) + (", chosen" if one.name == found.chosen else ""),
            "model" if one.name == found.chosen else "context",
        )
        for one in found.candidates if one.name != "identity"
    ]  # fmt: skip


def _draw(found: Fix, ax: Axes, unit: str) -> list[str]:
    marks = _marks(found, unit)
    left = forest.forest(
        ax, marks, f"gain on rows it was not fitted on ({unit} a row)", scale=units.unit(unit).convert(1.0)
    )
    best = found.map.fitted.get("best")
    given = "as given" if best is None else f"{named(best)}, the best alone,"
    lines = [f"0 is to do nothing: {given} the loss is {units.loss(found.before, unit)}. Right of it helps; lines are {100 * found.level:.6g} % intervals."]  # fmt: skip
    if found.chosen == "identity":
        lines.append("To do nothing was chosen.")
    return lines + left


def _tell(found: Fix, unit: str) -> str:
    if found.chosen == "identity":
        text = f"To do nothing was chosen; the log loss stays {units.loss(found.before, unit)} {unit}"
    else:
        text = f"{named(found.chosen)} was chosen; it takes the log loss from {units.loss(found.before, unit)} to {units.loss(found.after, unit)} {unit}, held out"
    gain = f"choosing a map and applying it gains {units.signed(found.gain, unit)}"
    doubt = f" ({span(found.gain_interval, unit)})" if found.gain_interval else ""
    tried = ", ".join(
        f"{named(mark.name)} {mark.said.split(',')[0]}" for mark in _marks(found, unit)[: forest.MOST]
    )
    return f"{text}; {gain}{doubt}." + (f" Gains of what was tried: {tried}." if tried else "")


def _columns(found: Fix) -> dict[str, list[Any]]:
    return forest.columns(_marks(found))


CANDIDATES = Drawing(
    "What would lower the loss of new rows?", _draw, _tell, _columns,
    part=lambda found: found if _marks(found) else None,
    height=lambda found: forest.height(len(found.candidates) - 1),
)  # fmt: skip
