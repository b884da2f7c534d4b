"""Slices of the rows: how much more they cost than all rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from logloss import units
from logloss.figures import forest
from logloss.figures.drawing import Drawing
from logloss.figures.forest import Mark
from logloss.figures.ground import named, narrow

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from logloss.slicing.slices import Slices

__all__ = ["SLICES"]


def _marks(found: Slices, *, small: bool = False) -> list[Mark]:
    return [
        Mark(
            one.name,
            one.excess,
            (one.shrunk, one.excess),
            units.percent(one.share) if small else f"{units.percent(one.share)} of the loss" + f", {one.verdict}" * bool(one.verdict),
            "cost" if one.verdict else "context",
        )
        for one in found.rows
    ]  # fmt: skip


def _draw(found: Slices, ax: Axes, unit: str) -> list[str]:
    small = narrow(ax)
    left = forest.forest(
        ax,
        _marks(found, small=small),
        f"more loss than all rows ({unit} a row)",
        scale=units.unit(unit).convert(1.0),
        width=18 if small else 36,
    )
    lines = [f"Orange: not by chance, with {units.count(found.looked_at, 'slice')} looked at. Lines reach to what is left of a slice's excess after shrinking it for chance.{' Beside: share of the loss.' if small else ''}"]  # fmt: skip
    lost = sum(one.infinite_rows for one in found.rows[: forest.MOST])
    if lost:
        lines.append("Infinite rows are in no slice's loss: " + ", ".join(f"{named(one.name)} has {one.infinite_rows:,}" for one in found.rows[: forest.MOST] if one.infinite_rows)[:200] + ".")  # fmt: skip
    return lines + left


def _tell(found: Slices, unit: str) -> str:
    looked = f"Of {units.count(found.looked_at, 'slice')} looked at"
    if not found.named:
        return f"{looked}, none costs more than all rows beyond chance."
    told = "; ".join(
        f"{named(one.name, 40)} ({units.count(one.rows, 'row')}, {units.percent(one.share)} of the loss) costs {units.loss(abs(one.excess), unit)} {unit} a row {'less' if one.excess < 0 else 'more'} than all and is {one.verdict}"
        for one in found.named
    )
    return f"{looked}, {len(found.named)} {'stands' if len(found.named) == 1 else 'stand'} out: {told}."


def _columns(found: Slices) -> dict[str, list[Any]]:
    keys = ("name", "rows", "log_loss", "share", "infinite_rows", "excess", "shrunk", "p_value", "calibration_p", "verdict")  # fmt: skip
    return {key: [getattr(one, key) for one in found.rows] for key in keys}


SLICES = Drawing(
    "Which slices cost more than the rest?", _draw, _tell, _columns, part=lambda found: found if found.rows else None,
    height=lambda found: forest.height(len(found.rows)) + 0.2,
)  # fmt: skip
