"""Train against validation: the difference with its interval, and what it is made of."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from logloss import units
from logloss.figures import forest
from logloss.figures.drawing import Drawing
from logloss.figures.forest import Mark
from logloss.figures.ground import span

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from logloss.why.contrast import Gap

__all__ = ["GAP"]

ERRORS = 2.0  # standard errors on either side of a part


def _marks(found: Gap, unit: str = "nats") -> list[Mark]:
    marks = [
        Mark("validation - training", found.difference, found.interval, _said(found.difference, unit), "ink")
    ]
    if math.isinf(found.difference) or math.isnan(found.difference):
        finite = found.difference_finite
        marks.append(Mark("without infinite rows", finite, None, _said(finite, unit), "ink"))
    for part in found.parts:
        error = part.standard_error
        doubt = None if error is None else (part.nats - ERRORS * error, part.nats + ERRORS * error)
        marks.append(Mark(part.name, part.nats, doubt, _said(part.nats, unit), "cost" if part.name == "excess surprise" else "model"))  # fmt: skip
    return marks


def _said(nats: float, unit: str) -> str:
    return "" if math.isnan(nats) else units.signed(nats, unit)


def _draw(found: Gap, ax: Axes, unit: str) -> list[str]:
    marks = _marks(found, unit)
    left = forest.forest(
        ax, marks, f"more loss on validation ({unit} a row)", scale=units.unit(unit).convert(1.0)
    )
    for at in range(1, len(marks)):
        if marks[at].name in ("expected loss", "class mix"):  # where a cut of the same difference begins
            ax.axhline(at - 0.5, color="#98a2ad", linewidth=0.7)
    lines = [f"Training loses {units.loss(found.train.log_loss, unit)}, validation {units.loss(found.validation.log_loss, unit)} {unit} a row; right of 0 is worse."]  # fmt: skip
    if found.parts:
        lines.append(f"Each cut adds up to it. Lines: {100 * found.level:.6g} % interval; of the parts, {ERRORS:g} standard errors.")  # fmt: skip
    rows = [
        (one.infinite_rows, name)
        for one, name in ((found.train, "training"), (found.validation, "validation"))
    ]
    lines += [
        f"{units.count(count, 'row')} of {name} infinite: they are in no part."
        for count, name in rows
        if count
    ]
    return lines + left


def _tell(found: Gap, unit: str) -> str:
    text = f"Validation loses {units.loss(found.validation.log_loss, unit)} {unit} a row, training {units.loss(found.train.log_loss, unit)}"
    text += f": {units.signed(found.difference, unit)}"
    if found.interval is not None:
        text += f" ({100 * found.level:.6g} % interval {span(found.interval, unit)})"
    parts = ", ".join(f"{part.name} {units.signed(part.nats, unit)}" for part in found.parts)
    return f"{text}." + (f" It is made of {parts}." if parts else "")


def _columns(found: Gap) -> dict[str, list[Any]]:
    return forest.columns(_marks(found))


GAP = Drawing(
    "How much worse is it on new rows, and why?", _draw, _tell, _columns,
    height=lambda found: forest.height(len(_marks(found))) + 0.3,
)  # fmt: skip
