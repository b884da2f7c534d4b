"""The loss at every clip."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss import units
from logloss.figures.drawing import Drawing
from logloss.figures.ground import COLOURS, clean, legend, room, span
from logloss.figures.scales import power

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from logloss.calibrate.clip import Clip

__all__ = ["CLIP"]

POINTS = 400
SMALLEST = 1e-18


def _columns(clip: Clip) -> dict[str, list[Any]]:
    """Return clips, ascending to 1/2, and the exact loss at each; the best and the advised clip are among them."""
    t = clip.curve.t[(clip.curve.t > 0) & (clip.curve.t < 0.5)]
    marked = [eps for eps in (clip.best, clip.suggested) if eps > 0]
    first = max(min([*t[:1].tolist(), *marked, 0.01]) / 3, SMALLEST)
    own = t[t >= first]
    own = (
        own[np.unique(np.linspace(0, len(own) - 1, min(len(own), POINTS)).round().astype(int))]
        if len(own)
        else own
    )
    eps = np.unique(np.concatenate([np.geomspace(first, 0.5, POINTS), own, marked]))
    eps = eps[eps <= 0.5]
    return {"clip": eps.tolist(), "log_loss": [clip.curve.loss(float(one)) for one in eps]}


def _draw(clip: Clip, ax: Axes, unit: str) -> list[str]:
    factor = units.unit(unit).convert(1.0)
    found = _columns(clip)
    y = [factor * nats for nats in found["log_loss"]]
    handles = [ax.plot(found["clip"], y, color=COLOURS["model"], linewidth=1.8, gid="curve")[0]]
    labels = ["clipped"]
    given = clip.curve.total / clip.curve.weight
    if math.isfinite(given):
        handles.append(
            ax.axhline(
                factor * given, color=COLOURS["context"], linewidth=1.2, linestyle=(0, (4, 3)), gid="given"
            )
        )
        labels.append(f"as given, {units.loss(given, unit)}")
    if clip.best > 0:
        handles.append(ax.plot([clip.best], [factor * clip.log_loss], marker="o", markersize=8, color=COLOURS["cost"], linestyle="none", gid="best")[0])  # fmt: skip
        labels.append(f"best, {clip.best:.2g}: {units.loss(clip.log_loss, unit)}")
    handles.append(ax.plot([clip.suggested], [factor * clip.suggested_log_loss], marker="D", markersize=6, color=COLOURS["ink"], linestyle="none", gid="suggested")[0])  # fmt: skip
    labels.append(f"advised, {clip.suggested:.2g}: {units.loss(clip.suggested_log_loss, unit)}")
    _powers(ax, found["clip"][0])
    ax.set_ylim(*room([*y, factor * given]))
    ax.set_xlabel("clip: forecasts are kept between it and 1 - it (log scale)")
    ax.set_ylabel(f"log loss ({unit})")
    clean(ax)
    legend(ax, handles, labels, loc="best")
    return _lines(clip, unit, given)


def _powers(ax: Axes, first: float) -> None:
    """Set an axis of clips from the first to 1/2, with ticks at powers of ten."""
    ax.set_xscale("log")
    deepest = math.floor(-math.log10(first))
    step = math.ceil(deepest / (ax.figure.bbox.width / ax.figure.dpi))
    shown = range(deepest, 0, -step)
    ax.set_xticks([10.0**-k for k in shown], [power(k) for k in shown])
    ax.set_xticks([], minor=True)
    ax.set_xlim(first, 0.5)


def _lines(clip: Clip, unit: str, given: float) -> list[str]:
    lines = []
    if math.isinf(given):
        lines.append(
            "Without a clip the loss is infinite: a forecast of 0 happened. The curve rises without end to the left."
        )
    elif clip.best == 0:
        lines.append("No clip lowers the loss of these rows.")
    if clip.gain is not None:
        doubt = (
            f" ({span(clip.gain_interval, unit)})"
            if clip.gain_interval
            else "; too few errors for an interval"
        )
        lines.append(
            f"Chosen on other rows a clip gains {units.signed(clip.gain, unit)} {unit}{doubt}. The curve is in sample."
        )
    else:
        lines.append("The curve is in sample.")
    return lines


def _tell(clip: Clip, unit: str) -> str:
    given = clip.curve.total / clip.curve.weight
    best = (
        f"The best clip, {clip.best:.2g}, gives {units.loss(clip.log_loss, unit)}"
        if clip.best > 0
        else "No clip lowers it"
    )
    return f"As given the log loss is {units.loss(given, unit)} {unit}. {best}; the advised clip, {clip.suggested:.2g}, gives {units.loss(clip.suggested_log_loss, unit)}."


CLIP = Drawing("Would a clip lower the loss?", _draw, _tell, _columns, stretched=True)
