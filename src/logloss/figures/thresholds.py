"""What acting on a forecast brings or costs at every threshold: decision curves and Murphy curves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from logloss import units
from logloss.curves.stretches import said, threshold
from logloss.figures.drawing import Drawing
from logloss.figures.ground import COLOURS, clean, legend, named, room

if TYPE_CHECKING:
    from collections.abc import Iterable

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from logloss.curves.benefits import DecisionCurve
    from logloss.curves.dominance import MurphyCurve
    from logloss.curves.elementary import Elementary

    Float = NDArray[np.float64]

__all__ = ["BENEFIT", "MURPHY", "MURPHY_DIFFERENCE"]

STYLES: tuple[tuple[str, Any], ...] = (("model", "-"), ("cost", (0, (6, 1.5))), ("ink", (0, (1.5, 1.5))))
EDGES = 2000  # of a curve that are drawn; of more, its values at as many thresholds


def _styled(names: Iterable[str]) -> list[tuple[str, str, Any]]:
    """Return (name, colour, line) of each; from the fourth on all look alike."""
    return [(name, *(STYLES[at] if at < len(STYLES) else ("context", "-"))) for at, name in enumerate(names)]


def _rest(count: int) -> list[str]:
    return [f"Thin: {count - len(STYLES)} more forecasts."] if count > len(STYLES) else []


def _benefit(curve: DecisionCurve, ax: Axes, unit: str) -> list[str]:
    del unit  # net benefit is counted in events
    th = curve.thresholds
    handles, labels, seen = [], [], [0.0]
    few = len(curve.forecasts) <= 2
    for at, (name, colour, style) in enumerate(_styled(curve.forecasts)):
        line, front = curve.forecasts[name], at < len(STYLES)
        if few:
            ax.fill_between(
                th,
                line.limits.low,
                line.limits.high,
                color=COLOURS[colour],
                alpha=0.16,
                linewidth=0,
                gid=f"limits {at}",
            )
        drawn = ax.plot(th, line.net_benefit, color=COLOURS[colour], linestyle=style, linewidth=1.9 if front else 0.7, gid=f"forecast {at}")[0]  # fmt: skip
        seen += line.net_benefit.tolist()
        if front:
            handles.append(drawn)
            labels.append(named(name))
    handles.append(ax.plot(th, curve.all.net_benefit, color=COLOURS["context"], linewidth=1.4, gid="all")[0])
    handles.append(
        ax.axhline(0.0, color=COLOURS["context"], linewidth=1.2, linestyle=(0, (4, 3)), gid="none")
    )
    high = max(*seen, float(curve.all.net_benefit.max()))
    low = max(min(seen), -0.5 * high) if high > 0 else min(seen)
    ax.set_ylim(*room([low, high]))
    ax.set_xlabel("threshold: act where the forecast reaches it (probability)")
    ax.set_ylabel("net benefit (events found per row)")
    clean(ax)
    legend(ax, handles, [*labels, "act on every row", "act on none"], loc="best")
    bands = f" Bands: {100 * curve.level:.6g} % intervals." if few else ""
    lines = [
        f"Event: {named(curve.event)}. Higher is better.{bands}",
        "At a threshold of 0.1 one event found is worth nine false alarms.",
    ]
    lines += (
        ["Lines that leave below go on falling."]
        if min(seen) < low or curve.all.net_benefit.min() < low
        else []
    )
    return lines + _rest(len(curve.forecasts))


def _tell_benefit(curve: DecisionCurve, unit: str) -> str:
    del unit
    told = []
    for name in list(curve.forecasts)[:6]:
        better = curve.better(name)
        at = int(np.argmin(np.abs(curve.thresholds - curve.prevalence)))
        value = f"{curve.forecasts[name].net_benefit[at]:.4g} at threshold {threshold(curve.thresholds[at])}"
        stretch = said(curve.thresholds, better) if better.any() else "nowhere"
        where = f"is worth more than acting on all and on none {stretch}"
        told.append(f"{named(name, 40)} {where} ({value})")
    return f"Net benefit of acting on {named(curve.event, 40)}, which happens in {units.percent(curve.prevalence)} of {units.count(curve.n, 'row')}: {'; '.join(told)}."


def _pieces(one: Elementary) -> tuple[Float, Float]:
    """Return points of an exact curve, two at each edge where it jumps."""
    if len(one.threshold) > EDGES:
        th = np.linspace(0.0, 1.0, EDGES)
        return th, one.at(th)
    left, right = one.limits()
    return np.repeat(one.threshold, 2), np.column_stack([left, right]).ravel()


def _murphy(curve: MurphyCurve, ax: Axes, unit: str) -> list[str]:
    del unit
    th = np.unique(np.concatenate([np.linspace(0, 1, 201), [curve.prevalence]]))
    base = ax.plot(th, curve.base_rate(th), color=COLOURS["context"], linewidth=1.4, gid="base rate")[0]
    handles, labels = [], []
    for at, (name, colour, style) in enumerate(_styled(curve.forecasts)):
        drawn = ax.plot(*_pieces(curve.forecasts[name]), color=COLOURS[colour], linestyle=style, linewidth=1.7 if at < len(STYLES) else 0.7, gid=f"forecast {at}")[0]  # fmt: skip
        if at < len(STYLES):
            handles.append(drawn)
            labels.append(named(name))
    ax.set_xlim(0, 1)
    ax.set_ylim(bottom=0)
    ax.set_xlabel("threshold: act where the forecast is above it (probability)")
    ax.set_ylabel("cost a row (elementary score)")
    clean(ax)
    legend(ax, [*handles, base], [*labels, "always the base rate"], loc="best")
    lost = [
        f"{named(name)} ({units.count(one.infinite_rows, 'row')})"
        for name, one in curve.forecasts.items()
        if one.infinite_rows
    ]
    lines = [f"Event: {named(curve.event)}. Lower is better. At threshold t a false alarm costs t and a miss 1 - t; who is lower everywhere is better under every proper score."]  # fmt: skip
    lines += [f"Certain and wrong, an infinite log loss: {', '.join(lost[:4])}."] if lost else []
    return lines + _rest(len(curve.forecasts))


def _tell_murphy(curve: MurphyCurve, unit: str) -> str:
    told = ", ".join(
        f"{named(name)} log loss {units.loss(one.log_loss, unit)} {unit}, Brier score {one.brier:.4f}"
        for name, one in list(curve.forecasts.items())[:6]
    )
    text = f"Cost of acting on {named(curve.event, 40)} at every threshold: {told}."
    return text + "".join(
        f" {_verdict(one.verdict, named(one.a), named(one.b))}" for one in curve.differences[:3]
    )


def _verdict(verdict: str, a: str, b: str) -> str:
    told = {"a": f"{a} costs no more than {b} anywhere.", "b": f"{b} costs no more than {a} anywhere.", "crosses": f"{a} and {b} are each cheaper somewhere."}  # fmt: skip
    return told.get(verdict, f"Not certain which of {a} and {b} is cheaper.")


def _difference(curve: MurphyCurve, ax: Axes, unit: str) -> list[str]:
    del unit
    one = curve.differences[0]
    th = one.thresholds
    band = ax.fill_between(
        th, one.band.low, one.band.high, color=COLOURS["context"], alpha=0.25, linewidth=0, gid="band"
    )
    limits = ax.fill_between(
        th, one.limits.low, one.limits.high, color=COLOURS["model"], alpha=0.25, linewidth=0, gid="limits"
    )
    ax.axhline(0.0, color=COLOURS["ink"], linewidth=1.0, gid="zero")
    line = ax.plot(th, one.mean, color=COLOURS["model"], linewidth=1.9, gid="difference")[0]
    ax.set_xlabel("threshold (probability)")
    ax.set_ylabel("difference of cost a row")
    clean(ax)
    level = f"{100 * curve.level:.6g} %"
    a, b = named(one.a), named(one.b)
    legend(
        ax,
        [line, limits, band],
        [f"{a} less {b}", f"{level} at each threshold", f"{level} at all together"],
        loc="best",
    )
    lines = [f"Below 0 {a} costs less. {_verdict(one.verdict, a, b)}"]
    return lines + ([f"The first of {len(curve.differences)} pairs."] if len(curve.differences) > 1 else [])


def _tell_difference(curve: MurphyCurve, unit: str) -> str:
    del unit
    one = curve.differences[0]
    a, b = named(one.a, 40), named(one.b, 40)
    return f"Cost of {a} less that of {b} lies between {one.least:.4g} and {one.most:.4g} over all thresholds. {_verdict(one.verdict, a, b)}"


def _columns(curve: MurphyCurve) -> dict[str, list[Any]]:
    one = curve.differences[0]
    return {
        "threshold": one.thresholds.tolist(), "difference": one.mean.tolist(), "low": one.limits.low.tolist(),
        "high": one.limits.high.tolist(), "band_low": one.band.low.tolist(), "band_high": one.band.high.tolist(),
    }  # fmt: skip


BENEFIT = Drawing(
    "At which thresholds is it worth acting on it?",
    _benefit,
    _tell_benefit,
    lambda curve: curve.frame(),
    stretched=True,
)
MURPHY = Drawing(
    "What does it cost at every threshold?",
    _murphy,
    _tell_murphy,
    lambda curve: curve.frame(),
    stretched=True,
)
MURPHY_DIFFERENCE = Drawing(
    "At which thresholds is one cheaper?", _difference, _tell_difference, _columns,
    part=lambda curve: curve if curve.differences else None, stretched=True,
)  # fmt: skip
