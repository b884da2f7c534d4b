"""Values with their intervals, one under the other; the shape of most comparisons."""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from logloss.figures.ground import COLOURS, clean, inches, named, narrow, room

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

__all__ = ["MOST", "Mark", "columns", "forest", "height"]

FEWER_TICKS = 5.5  # inches; narrower figures have half the ticks
MOST = 12  # lines that a figure shows


@dataclass(frozen=True)
class Mark:
    """A line of the figure.

    Attributes
    ----------
    name
        What is on the left; it may be hostile.
    value
        inf and -inf are drawn at the edge; None where nothing is known.
    interval, wide
        The interval, and a wider one that holds for all lines at once.
    said
        What is written on the right.
    colour
        One of COLOURS.
    """

    name: str
    value: float | None
    interval: tuple[float, float] | None = None
    said: str = ""
    colour: str = "model"
    wide: tuple[float, float] | None = None


def height(lines: int) -> float:
    """Return the inches of a figure of so many lines."""
    return 1.55 + 0.3 * max(2, min(lines, MOST))


def columns(marks: Sequence[Mark]) -> dict[str, list[Any]]:
    """Return the lines as columns."""
    return {
        "name": [mark.name for mark in marks],
        "value": [mark.value for mark in marks],
        "low": [None if mark.interval is None else mark.interval[0] for mark in marks],
        "high": [None if mark.interval is None else mark.interval[1] for mark in marks],
    }


def forest(
    ax: Axes, marks: Sequence[Mark], label: str, *, zero: bool = True, scale: float = 1.0, width: int = 24
) -> list[str]:
    """Draw the lines, the first on top, values times `scale`; return what is not shown."""
    shown = list(marks[:MOST])
    ends = [
        scale * x
        for mark in shown
        for x in (mark.value, *(mark.interval or ()), *(mark.wide or ()))
        if x is not None
    ]
    low, high = room(ends, zero=zero)
    endless = {math.copysign(1.0, x) for x in ends if math.isinf(x)}
    reach = high - low
    low, high = low - 0.08 * reach * (-1.0 in endless), high + 0.08 * reach * (1.0 in endless)
    if zero:
        ax.axvline(0.0, color=COLOURS["ink"], linewidth=1.0, gid="zero")
    for at, mark in enumerate(shown):
        colour = COLOURS[mark.colour]
        for interval, thick, gid in ((mark.wide, 0.9, "wide"), (mark.interval, 2.4, "interval")):
            if interval is not None and not any(math.isnan(end) for end in interval):
                ends = [min(max(scale * end, low), high) for end in interval]
                ax.plot(ends, [at, at], color=colour, linewidth=thick, solid_capstyle="butt", gid=gid)
        if mark.value is None or math.isnan(mark.value):
            ax.text(
                0.5 * (low + high),
                at,
                "undefined",
                ha="center",
                va="center",
                fontsize=8.5,
                color=COLOURS["ink"],
            )
        elif math.isinf(mark.value):
            edge, sign = (high, ">") if mark.value > 0 else (low, "<")
            ax.plot([edge], [at], marker=sign, markersize=8, color=COLOURS["cost"], linestyle="none", clip_on=False, gid="infinite")  # fmt: skip
        else:
            ax.plot(
                [scale * mark.value],
                [at],
                marker="o",
                markersize=6,
                color=colour,
                linestyle="none",
                gid="value",
            )
        ax.annotate(
            mark.said, (1.0, at), xycoords=ax.get_yaxis_transform(), xytext=(8, 0), textcoords="offset points",
            va="center", ha="left", fontsize=8.5, color=COLOURS["ink"], annotation_clip=False, gid="said",
        )  # fmt: skip
    ax.set_xlim(low, high)
    ax.set_ylim(max(len(shown), 2) - 0.4, -0.6)
    ax.set_yticks(range(len(shown)), [named(mark.name, width) for mark in shown])
    ax.set_xlabel(textwrap.fill(label, 20) if narrow(ax) else label)
    ax.locator_params(axis="x", nbins=4 if inches(ax) > FEWER_TICKS else 2)
    clean(ax, grid="x")
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    rest = len(marks) - len(shown)
    return [f"The first {len(shown)} of {len(marks):,}; the others are not shown."] if rest > 0 else []
