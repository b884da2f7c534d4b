"""A loss beside those of constant forecasts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from logloss import units
from logloss.figures.drawing import Drawing
from logloss.figures.ground import COLOURS, clean, inches, narrow, room, span

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from logloss.scoring import Score

__all__ = ["BASELINES"]

LETTER = 0.069  # inches
NAMES = 1.75  # inches in front of the bars


def _bars(score: Score) -> list[tuple[str, float, str]]:
    """Return (name, loss, colour) of each bar, from the most to the least informed."""
    return [
        ("this forecast", score.log_loss, "model"),
        ("always the base rate", score.base_rate, "context"),
        ("the same for every class", score.uniform, "context"),
    ]


def _draw(score: Score, ax: Axes, unit: str) -> list[str]:
    factor = units.unit(unit).convert(1.0)
    bars = _bars(score)
    high = room([factor * x for _, nats, _ in bars for x in (nats, score.log_loss_finite, *(score.interval or ()))], zero=True)[1]  # fmt: skip
    lines: list[str] = []
    limit = 1.3 * high
    for at, (_, nats, colour) in enumerate(bars):
        infinite = math.isinf(nats)
        shown = (score.log_loss_finite if math.isfinite(score.log_loss_finite) else 0.0) if infinite else nats
        ax.barh(at, factor * shown, 0.6, color=COLOURS[colour], gid="loss")
        text = units.loss(nats, unit)
        if infinite:
            ax.plot([high], [at], marker=">", color=COLOURS["cost"], markersize=8, linestyle="none", clip_on=False, gid="infinite")  # fmt: skip
            lines = [f"Infinite: {units.count(score.infinite_rows, 'row')} said 0 of what happened. The bar is the mean of the others, {units.loss(score.log_loss_finite, unit)}."]  # fmt: skip
        elif at == 0 and score.interval is not None:
            ax.plot(
                [factor * x for x in score.interval],
                [at, at],
                color=COLOURS["ink"],
                linewidth=1.6,
                gid="interval",
            )
            text += "" if narrow(ax) else f"  ({span(score.interval, unit, signed=False)})"
        edge = (
            high if infinite else factor * max(shown, (score.interval or (0.0, 0.0))[1] if at == 0 else 0.0)
        )
        limit = max(limit, edge / (1.0 - min(_share(text, ax), 0.75)))
        ax.annotate(text, (edge, at), xytext=(6, 0), textcoords="offset points", va="center", fontsize=8.5, color=COLOURS["ink"], gid="said")  # fmt: skip
    ax.set_yticks(range(len(bars)), [name for name, _, _ in bars])
    ax.set_ylim(len(bars) - 0.4, -0.6)
    ax.set_xlim(0, limit)
    ax.set_xlabel(f"log loss ({unit})")
    clean(ax, grid="x")
    ax.tick_params(axis="y", length=0)
    if score.interval is not None:
        lines.append(f"The line is its {100 * score.level:.6g} % interval. Shorter is better.")
    return lines


def _share(text: str, ax: Axes) -> float:
    """Return about how much of the width of the axes a text takes that stands behind a bar."""
    return (LETTER * len(text) + 0.15) / max(inches(ax) - NAMES, 0.5)


def _tell(score: Score, unit: str) -> str:
    text = f"Log loss {units.loss(score.log_loss, unit)} {unit} over {units.count(score.n, 'row')}"
    if score.interval is not None:
        text += f" ({100 * score.level:.6g} % interval {span(score.interval, unit, signed=False)})"
    if score.infinite_rows:
        text += f"; {units.count(score.infinite_rows, 'row')} infinite, {units.loss(score.log_loss_finite, unit)} without"
    return f"{text}. Always saying the base rate costs {units.loss(score.base_rate, unit)}, the same for every class {units.loss(score.uniform, unit)}."


def _columns(score: Score) -> dict[str, list[Any]]:
    bars = _bars(score)
    return {"forecast": [name for name, _, _ in bars], "log_loss": [nats for _, nats, _ in bars]}


BASELINES = Drawing("Is it better than a constant forecast?", _draw, _tell, _columns, height=lambda _: 2.4)
