"""More than two classes: which of them the loss is on, and where the probability went that was not on what happened."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from logloss import units
from logloss.figures import forest
from logloss.figures.drawing import Drawing
from logloss.figures.ground import COLOURS, clean, legend, named, narrow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from logloss.why.explanation import Explanation

__all__ = ["CLASSES", "CONFUSIONS"]


@dataclass(frozen=True)
class _Bar:
    """A line: its name, its shares of the rows and of the finite loss, and what is written beside it."""

    name: str
    rows: float
    loss: float
    said: str
    infinite: bool = False


def _bars(ax: Axes, bars: Sequence[_Bar], what: str) -> list[str]:
    """Draw the share of the loss over that of the rows, for the first twelve; return what is not shown."""
    shown = bars[: forest.MOST]
    at = list(range(len(shown)))
    rows = ax.barh(
        at, [100 * one.rows for one in shown], 0.78, color=COLOURS["context"], alpha=0.75, gid="rows"
    )
    loss = ax.barh(at, [100 * one.loss for one in shown], 0.38, color=COLOURS["cost"], gid="loss")
    high = 100 * max(max(one.rows, one.loss) for one in shown) or 1.0
    for y, one in zip(at, shown, strict=True):
        ax.annotate(
            one.said, (100 * max(one.rows, one.loss), y), xytext=(6, 0), textcoords="offset points", va="center",
            fontsize=8.5, color=COLOURS["ink"], gid="said",
        )  # fmt: skip
    ax.set_yticks(at, [named(one.name, 24 if narrow(ax) else 36) for one in shown])
    ax.set_ylim(max(len(shown), 2) - 0.4, -0.6)
    ax.set_xlim(0, (1.9 if narrow(ax) else 1.3) * high)
    ax.set_xlabel("share of all (%)")
    clean(ax, grid="x")
    ax.tick_params(axis="y", length=0)
    legend(ax, [rows, loss], ["rows", "loss"], loc="lower right")
    rest = bars[forest.MOST :]
    if not rest:
        return []
    return [f"The first {len(shown)} of {len(bars):,} {what}; the others carry {units.percent(sum(one.loss for one in rest))} of the loss."]  # fmt: skip


def _infinite(bars: Sequence[_Bar]) -> list[str]:
    lost = [named(one.name) for one in bars if one.infinite]
    return [f"Infinite, and first here: {', '.join(lost[:3])}{' and more' if len(lost) > 3 else ''}. Bars share out the finite loss."] if lost else []  # fmt: skip


def _classes(found: Explanation, unit: str = "nats") -> list[_Bar]:
    seen = [one for one in found.classes if one["weight"] > 0]
    weight = math.fsum(one["weight"] for one in seen)
    known = sorted(seen, key=lambda one: (math.isfinite(one["log_loss"]), -(one["share"] or 0.0)))
    return [
        _Bar(
            str(one["class"]), one["weight"] / weight, one["share"] or 0.0,
            f"{units.loss(one['log_loss'], unit)} a row", math.isinf(one["log_loss"]),
        )
        for one in known
    ]  # fmt: skip


def _draw_classes(found: Explanation, ax: Axes, unit: str) -> list[str]:
    bars = _classes(found, unit)
    lines = _bars(ax, bars, "classes")
    return [f"Orange longer than grey: more than its share. Beside: its loss, {unit} a row.", *_infinite(bars), *lines]  # fmt: skip


def _tell_classes(found: Explanation, unit: str) -> str:
    bars = _classes(found, unit)
    told = "; ".join(
        f"{named(one.name)} {units.percent(one.loss)} of the loss on {units.percent(one.rows)} of the rows"
        for one in bars[:5]
    )
    text = f"Of {units.count(len(bars), 'class', 'classes')}, the costliest: {told}."
    lost = sum(one.infinite for one in bars)
    return text + (f" {units.count(lost, 'class', 'classes')} with infinite rows." if lost else "")


def _class_columns(found: Explanation) -> dict[str, list[Any]]:
    return {
        key: [one[key] for one in found.classes] for key in ("class", "rows", "weight", "log_loss", "share")
    }


def _wrong(found: Explanation) -> list[dict[str, Any]]:
    return [one for one in found.pairs if one["outcome"] != one["predicted"]]


def _pairs(found: Explanation, width: int = 14) -> list[_Bar]:
    every = math.fsum(sum(line) for line in found.confusion or ()) or 1.0
    return [
        _Bar(
            f"{named(one['outcome'], width)}, said {named(one['predicted'], width)}".replace(r"\$", "$"),
            one["rows"] / every, one["share"] or 0.0,
            units.count(round(one["rows"]), "row") + (f", {one['infinite_rows']:,} infinite" if one["infinite_rows"] else ""),
            one["infinite_rows"] > 0,
        )
        for one in _wrong(found)
    ]  # fmt: skip


def _draw_pairs(found: Explanation, ax: Axes, unit: str) -> list[str]:
    del unit  # shares have none
    bars = _pairs(found, 8 if narrow(ax) else 14)
    lines = _bars(ax, bars, "kept pairs" if len(found.pairs) == KEPT else "pairs")
    told = ["What happened, and the class that got most of the probability instead; costliest first."]
    right = [one["share"] or 0.0 for one in found.pairs if one["outcome"] == one["predicted"]]
    if len(found.pairs) < KEPT:
        told.append(f"Rows whose first choice was right carry {units.percent(sum(right))} of the loss.")
    return [*told, *_infinite(bars), *lines]


def _tell_pairs(found: Explanation, unit: str) -> str:
    del unit
    told = "; ".join(
        f"{named(one['outcome'])} said to be {named(one['predicted'])}, {units.count(round(one['rows']), 'row')} and {units.percent(one['share'] or 0.0)} of the loss"
        + (f", {one['infinite_rows']:,} infinite" if one["infinite_rows"] else "")
        for one in _wrong(found)[:4]
    )
    return f"The costliest confusions: {told}."


def _pair_columns(found: Explanation) -> dict[str, list[Any]]:
    keys = ("outcome", "predicted", "rows", "nats", "share", "infinite_rows")
    return {key: [one[key] for one in _wrong(found)] for key in keys}


KEPT = 50  # pairs that an explanation keeps


def _several(found: Explanation) -> Explanation | None:
    return found if len(found.classes) > 2 else None


CLASSES = Drawing(
    "Which classes cost most?", _draw_classes, _tell_classes, _class_columns, part=_several,
    height=lambda found: forest.height(len(found.classes)) + 0.2,
)  # fmt: skip
CONFUSIONS = Drawing(
    "Where did the probability go?", _draw_pairs, _tell_pairs, _pair_columns,
    part=lambda found: _several(found) if _wrong(found) else None,
    height=lambda found: forest.height(len(_wrong(found))) + 0.3,
)  # fmt: skip
