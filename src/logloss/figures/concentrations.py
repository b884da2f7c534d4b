"""How few rows bring the difference of two forecasts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from logloss import units
from logloss.figures.drawing import Drawing
from logloss.figures.ground import COLOURS, clean, inches, legend, named, narrow, room

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from logloss.comparing.pairs import Pair
    from logloss.comparing.results import Comparison

__all__ = ["ROWS"]


def _draw(pair: Pair, ax: Axes, unit: str) -> list[str]:
    found = pair.concentration
    assert found is not None
    factor = units.unit(unit).convert(1.0)
    y = [factor * nats for nats in found.brought]
    better = pair.a if found.brought[-1] < 0 else pair.b
    lines = [
        f"{named(pair.a)} less {named(pair.b)}; a steep line at the left: few rows make {named(better)} win."
    ]
    handles = [
        ax.plot(found.rows, y, color=COLOURS["model"], linewidth=1.9, gid="brought")[0],
        ax.axhline(y[-1], color=COLOURS["context"], linewidth=1.2, linestyle=(0, (4, 3)), gid="all"),
        ax.plot([found.half], [y[found.rows.index(found.half)]], marker="o", markersize=7, color=COLOURS["ink"], linestyle="none", gid="half")[0],
    ]  # fmt: skip
    labels = ["rows that differ most", f"all rows: {units.signed(found.brought[-1], unit)}", f"half of it: {units.count(found.half, 'row')}"]  # fmt: skip
    if found.turns is not None:
        handles.append(ax.axvline(found.turns, color=COLOURS["cost"], linewidth=1.2, gid="turns"))
        turned = units.count(found.turns, "row")
        labels.append(f"after {turned}" if narrow(ax) else f"after {turned} the rest says the opposite")
        lines.append(f"Orange: without the {turned} before it the rest says the opposite.")
    ax.axhline(0.0, color=COLOURS["ink"], linewidth=0.9, gid="zero")
    ax.set_xscale("log")
    powers = range(len(str(found.rows[-1])))
    shown = powers[:: -(-len(powers) // max(int(inches(ax)), 1))]
    ax.set_xticks([10**k for k in shown], [f"{10**k:,}" for k in shown])
    ax.set_xticks([], minor=True)
    ax.set_xlim(1, max(found.rows[-1], 2))
    ax.set_ylim(*room(y, zero=True))
    ax.set_xlabel("rows, those that differ most first (log scale)")
    ax.set_ylabel(f"difference so far ({unit} a row)")
    clean(ax)
    legend(ax, handles, labels, loc="best")
    if pair.infinite_both:
        lines.append(f"{units.count(pair.infinite_both, 'row')} infinite under both left out.")
    return lines


def _tell(pair: Pair, unit: str) -> str:
    found = pair.concentration
    assert found is not None
    text = f"Half of the difference of {units.signed(found.brought[-1], unit)} {unit} a row between {named(pair.a, 40)} and {named(pair.b, 40)} is on {units.count(found.half, 'row')} of {found.rows[-1]:,}, those that differ most."
    if found.turns is None:
        return f"{text} However many of them are left out, the rest never says the opposite."
    return f"{text} Without the first {units.count(found.turns, 'row')} the rest says the opposite."


def _columns(pair: Pair) -> dict[str, list[Any]]:
    found = pair.concentration
    assert found is not None
    return {"rows": list(found.rows), "brought": list(found.brought)}


def _first(found: Comparison) -> Pair | None:
    return found.pairs[0] if found.pairs and found.pairs[0].concentration is not None else None


ROWS = Drawing("Is the gap made by a few rows?", _draw, _tell, _columns, part=_first, stretched=True)
