"""A loss budget: from the base rate, through what telling rows apart saves and what wrong probabilities cost, to the loss."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from logloss import units
from logloss.figures.drawing import Drawing
from logloss.figures.ground import COLOURS, clean, inches, room
from logloss.why.budgets import BARS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from logloss.why.decomposition import Decomposition

__all__ = ["BUDGET"]


def _colour(name: str, nats: float) -> str:
    return "context" if name == "base_rate" else "model" if nats < 0 else "cost"


def _draw(parts: Decomposition, ax: Axes, unit: str) -> list[str]:
    factor = units.unit(unit).convert(1.0)
    totals = [factor * entry.total for entry in parts.budget] + [factor * parts.log_loss]
    low, high = room(totals, zero=True)
    low = min(low, 0.0) if min((x for x in totals if math.isfinite(x)), default=0.0) < 0 else 0.0
    wide = high + max(0.22, 1.1 / inches(ax)) * (high - low)
    last = None
    for at, entry in enumerate(parts.budget):
        if math.isinf(entry.nats):
            ax.plot(
                [high],
                [at],
                marker=">",
                color=COLOURS["cost"],
                markersize=8,
                linestyle="none",
                gid="infinite",
            )
            end = high
        else:
            begin, end = factor * (entry.total - entry.nats), factor * entry.total
            ax.barh(
                at,
                end - begin,
                0.62,
                left=begin,
                color=COLOURS[_colour(entry.name, entry.nats)],
                gid=entry.name,
            )
            if last is not None:
                ax.plot([begin, begin], [at - 0.69, at - 0.31], color=COLOURS["context"], linewidth=0.9)
            end, last = max(begin, end), end
        _beside(ax, end, at, units.signed(entry.nats, unit))
    at = len(parts.budget)
    finite = math.isfinite(parts.log_loss)
    if finite:
        ax.barh(at, factor * parts.log_loss, 0.62, color=COLOURS["ink"], gid="log_loss")
    else:
        ax.plot(
            [high], [at], marker=">", color=COLOURS["ink"], markersize=8, linestyle="none", gid="infinite"
        )
    _beside(ax, factor * parts.log_loss if finite else high, at, units.loss(parts.log_loss, unit), bold=True)
    ax.set_yticks(range(at + 1), [*(BARS[entry.name] for entry in parts.budget), "log loss"])
    ax.set_ylim(at + 0.6, -0.6)
    ax.set_xlim(low, wide)
    ax.set_xlabel(f"{unit} a row")
    clean(ax, grid="x")
    ax.tick_params(axis="y", length=0)
    return _lines(parts, unit)


def _beside(ax: Axes, x: float, y: float, text: str, *, bold: bool = False) -> None:
    ax.annotate(
        text, (x, y), xytext=(6, 0), textcoords="offset points", va="center", fontsize=8.5, color=COLOURS["ink"],
        fontweight="bold" if bold else "normal", gid="said",
    )  # fmt: skip


def _lines(parts: Decomposition, unit: str) -> list[str]:
    lines = ["Grey: lost without a forecast. Blue: saved by it. Orange: added by wrong probabilities."]
    if math.isinf(parts.log_loss):
        lines.append("Infinite: a forecast of 0 happened. The other bars are about the finite rows.")
    elif parts.binned is not None:
        lines.append(f"Fitted to these very rows in {parts.binned.bins:,} bins; steps are less their optimism. Miscalibration: {units.loss(parts.in_sample.miscalibration, unit)}.")  # fmt: skip
    elif parts.cross_fitted is None:
        lines.append("Miscalibration is fitted to these very rows: too large.")
    else:
        lines.append(f"Steps are measured on rows they were not fitted on. Miscalibration: {units.loss(parts.cross_fitted.miscalibration, unit)} to {units.loss(parts.in_sample.miscalibration, unit)}.")  # fmt: skip
    return lines


def _tell(parts: Decomposition, unit: str) -> str:
    finite = [entry for entry in parts.budget if entry.name != "infinite"]
    steps = ", ".join(f"{BARS[entry.name]} {units.signed(entry.nats, unit)}" for entry in finite)
    if not math.isinf(parts.log_loss):
        return f"The log loss of {units.loss(parts.log_loss, unit)} {unit} consists of {steps}."
    whole = [entry.total for entry in finite][-1:]
    if not whole or any(math.isinf(entry.nats) for entry in finite):
        return "The log loss is infinite, and no row is left that could say of what it consists."
    return f"The log loss is infinite; that of the other rows, {units.loss(whole[0], unit)} {unit}, consists of {steps}."


def _columns(parts: Decomposition) -> dict[str, list[Any]]:
    return {
        "part": [entry.name for entry in parts.budget],
        "nats": [entry.nats for entry in parts.budget],
        "total": [entry.total for entry in parts.budget],
    }


BUDGET = Drawing(
    "Where does the loss come from?",
    _draw,
    _tell,
    _columns,
    height=lambda parts: 1.7 + 0.32 * (len(parts.budget) + 1),
)
