"""Label errors and missing labels: how many rows to look at, and how sure a loss is that only some rows tell."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss import units
from logloss.figures import forest
from logloss.figures.drawing import Drawing
from logloss.figures.forest import Mark
from logloss.figures.ground import COLOURS, clean, legend, span

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from logloss.annotation.doubts import Suspects
    from logloss.annotation.estimates import Estimate

__all__ = ["ESTIMATES", "SUSPECTS"]

POINTS = 400


def _found(result: Suspects) -> dict[str, list[Any]]:
    """Return how many wrong labels are expected among the most suspicious rows, at most 400 points."""
    known = np.sort(result.probability[~np.isnan(result.probability)])[::-1]
    total = np.concatenate([[0.0], np.cumsum(known)])
    at = np.unique(np.rint(np.geomspace(1, len(total), min(POINTS, len(total)))).astype(np.int64)) - 1
    return {"rows": at.tolist(), "wrong": total[at].tolist()}


def _draw(result: Suspects, ax: Axes, unit: str) -> list[str]:
    del unit  # labels are counted
    assert result.expected is not None
    found = _found(result)
    line = ax.plot(found["rows"], found["wrong"], color=COLOURS["cost" if result.supported else "context"], linewidth=2.0, gid="found")[0]  # fmt: skip
    even = ax.plot([0, result.n], [0, result.expected], color=COLOURS["context"], linestyle=(0, (4, 3)), linewidth=1.2, gid="random")[0]  # fmt: skip
    handles, labels = [line, even], ["the most suspicious first", "rows drawn at random"]
    if result.supported and result.half:
        handles.append(ax.plot([result.half], [np.interp(result.half, found["rows"], found["wrong"])], marker="o", markersize=7, color=COLOURS["ink"], linestyle="none", gid="half")[0])  # fmt: skip
        labels.append(f"half of them: {units.count(result.half, 'row')}")
    ax.set_xlim(0, min(result.n, max(20, 4 * (result.most or result.n))))
    ax.set_ylim(bottom=0)
    ax.set_xlabel("rows looked at")
    ax.set_ylabel("wrong labels found (expected)")
    clean(ax)
    legend(ax, handles, labels, loc="lower right")
    if not result.supported:
        return ["Wrong labels cannot be told from none: this is no finding."]
    return [_many(result)]


def _many(result: Suspects) -> str:
    assert result.expected is not None
    doubt = (
        ""
        if result.interval is None
        else f" (95 % interval {result.interval[0]:.3g} to {result.interval[1]:.3g})"
    )
    return f"About {result.expected:.3g} of {units.count(result.n, 'label')} are wrong{doubt}."


def _tell(result: Suspects, unit: str) -> str:
    del unit
    if not result.supported:
        return f"Wrong labels cannot be told from none among {units.count(result.n, 'row')}."
    return f"{_many(result)} Looking at the first {units.count(result.half or 0, 'row')} should find half of them, at {result.most or 0:,} nine in ten."


def _marks(result: Estimate, unit: str = "nats") -> list[Mark]:
    marks = [
        Mark("this file", result.log_loss, result.interval, units.loss(result.log_loss, unit)),
        Mark("the population behind it", result.log_loss, result.interval_population, units.loss(result.log_loss, unit), "context"),
    ]  # fmt: skip
    if math.isinf(result.log_loss):
        marks[1:] = [
            Mark(
                "without infinite rows",
                result.log_loss_finite,
                None,
                units.loss(result.log_loss_finite, unit),
            )
        ]
    marks.append(
        Mark("expected by the forecast", result.expected, None, units.loss(result.expected, unit), "ink")
    )
    return marks


def _draw_estimate(result: Estimate, ax: Axes, unit: str) -> list[str]:
    forest.forest(
        ax,
        _marks(result, unit),
        f"log loss ({unit})",
        zero=False,
        scale=units.unit(unit).convert(1.0),
        width=28,
    )
    lines = [
        f"From {result.labelled:,} labels of {units.count(result.rows, 'row')}; lines are {100 * result.level:.6g} % intervals."
    ]
    if result.infinite_rows:
        lines.append(
            f"Infinite: {units.count(result.infinite_rows, 'labelled row')} said 0 of what happened."
        )
    return lines


def _tell_estimate(result: Estimate, unit: str) -> str:
    doubt = (
        ""
        if result.interval is None
        else f" ({100 * result.level:.6g} % interval {span(result.interval, unit, signed=False)})"
    )
    return f"From {result.labelled:,} labels of {units.count(result.rows, 'row')} the log loss is {units.loss(result.log_loss, unit)} {unit}{doubt}; the forecast expects {units.loss(result.expected, unit)}."


SUSPECTS = Drawing(
    "How many rows must be looked at to find wrong labels?", _draw, _tell, _found,
    part=lambda result: None if result.expected is None else result, stretched=True,
)  # fmt: skip
ESTIMATES = Drawing(
    "What is the loss, as far as some labels tell?", _draw_estimate, _tell_estimate, lambda result: forest.columns(_marks(result)),
    height=lambda _: 2.6,
)  # fmt: skip
