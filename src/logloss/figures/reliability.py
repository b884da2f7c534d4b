"""Reliability diagrams: how often it happens where the forecast says p, on axes of log-odds or of probability."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from logloss import units
from logloss.figures.drawing import Drawing
from logloss.figures.ground import COLOURS, clean, legend, named, narrow
from logloss.figures.scales import Scale, linear, log_odds

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from logloss.curves.results import Belief, Curve, Reliability

    Float = NDArray[np.float64]

__all__ = ["BELIEF", "LINEAR", "LOG_ODDS"]

FEW = 8  # bins whose forecasts are written level
PILES = 30  # of the forecasts, below the diagram


def _diagram(result: Reliability, ax: Axes, scale: Scale, curve: Curve) -> list[str]:
    steps, bins = curve.steps, curve.bins
    x, at = scale.place(steps.forecast), scale.place(bins.forecast)
    consistent = result.band == "consistency"
    few = scale.thinned(x)
    handles: list[Any] = [
        ax.fill_between(
            x[few], scale.place(steps.low[few]), scale.place(steps.high[few]),
            color=COLOURS["context" if consistent else "model"],
            alpha=0.3 if consistent else 0.2, linewidth=0, gid="band",
        )
    ]  # fmt: skip
    even = scale.line()
    handles.append(
        ax.plot(even, even, color=COLOURS["context"], linewidth=1.2, linestyle=(0, (4, 3)), gid="right")[0]
    )
    handles.append(
        ax.plot(x, scale.place(steps.fitted), color=COLOURS["model"], linewidth=2.0, gid="steps")[0]
    )
    ax.vlines(
        at,
        scale.place(bins.low),
        scale.place(bins.high),
        color=COLOURS["ink"],
        linewidth=1.1,
        clip_on=False,
        zorder=3,
        gid="intervals",
    )
    handles.append(ax.plot(at, scale.place(bins.share), marker="o", markersize=3.5 if narrow(ax) else 4.5, color=COLOURS["ink"], linestyle="none", clip_on=False, gid="bins")[0])  # fmt: skip
    level = f"{100 * result.level:.6g} %"
    where = "where the curve lies if all is right" if consistent else "where the truth lies"
    if narrow(ax):
        where = "if all is right" if consistent else "the truth"
    labels = [
        f"{where}, {level}",
        "says what happens",
        "isotonic curve",
        f"bins, {level} intervals",
    ]
    ax.set_ylabel(_event(curve))
    scale.set(ax)
    clean(ax, grid="y")
    _upright(ax)
    legend(ax, handles, labels, loc="upper left")
    _piles(ax, scale, x, steps.weight)
    return _read(result, scale, curve)


def _upright(ax: Axes) -> None:
    """Draw the upright lines of the grid alone: the ticks stand under the piles."""
    ax.vlines(
        ax.get_xticks(), *ax.get_ylim(), color=COLOURS["context"], alpha=0.25, linewidth=0.6, zorder=0.5
    )
    ax.xaxis.set_visible(False)


def _event(curve: Curve) -> str:
    return "its first choice is right" if curve.event is None else f"{named(curve.event)} happens"


def _piles(ax: Axes, scale: Scale, x: Float, weight: Float) -> None:
    """Draw how many forecasts lie where, below the diagram and under the same axis."""
    below = ax.inset_axes((0.0, -0.22, 1.0, 0.15), sharex=ax)
    edges = scale.edges(PILES // 2 if narrow(ax) else PILES)
    count = np.histogram(np.clip(x, edges[0], edges[-1]), edges, weights=weight)[0]
    below.stairs(100 * count / count.sum(), edges, fill=True, color=COLOURS["context"], gid="piles")
    below.set_yticks([])
    below.set_ylabel("rows", rotation=0, ha="right", va="center", fontsize=8.5)
    below.set_xlabel(f"forecast ({scale.said})")
    clean(below, grid="")
    below.spines["left"].set_visible(False)


def _read(result: Reliability, scale: Scale, curve: Curve) -> list[str]:
    told = "Above the dashed line it happens more often than said; outside the band, beyond chance."
    if result.band == "confidence":
        told = "Where the dashed line leaves the band, what the forecast says is wrong."
    return [told, scale.beyond(curve)]


def _curve(result: Reliability, event: Any) -> Curve:
    """Return the curve of a class; the main one where none is named."""
    if event is None or event == result.curve.event:
        return result.curve
    return result.by_class[event]


def _log_odds(result: Reliability, ax: Axes, unit: str, event: Any = None) -> list[str]:
    del unit  # probabilities have none
    curve = _curve(result, event)
    return _diagram(result, ax, log_odds(curve), curve)


def _linear(result: Reliability, ax: Axes, unit: str, event: Any = None) -> list[str]:
    del unit
    return _diagram(result, ax, linear(), _curve(result, event))


def _tell(result: Reliability, unit: str, event: Any = None) -> str:
    del unit
    curve = _curve(result, event)
    bins = curve.bins
    gaps = bins.weight * np.abs(bins.share - bins.forecast)
    off = int(np.argmax(gaps))
    event = "its first choice" if curve.event is None else repr(named(curve.event, 40))
    level = f"{100 * result.level:.6g} %"
    what, band = (
        ("curve", f"{level} band of right ones")
        if result.band == "consistency"
        else ("forecast", f"{level} confidence band of the truth")
    )
    share = "nowhere" if curve.outside == 0 else f"on {units.percent(curve.outside)} of the weight"
    text = f"Forecasts of {event}, {units.count(result.n, 'row')}: the {what} leaves the {band} {share}."
    if gaps[off] == 0:
        return f"{text} In each bin it happens as often as it is said."
    ends = f"{units.percent(bins.low[off])} to {units.percent(bins.high[off])}"
    return f"{text} Most rows are off where it says {_p(float(bins.forecast[off]))}: it happens in {units.percent(bins.share[off])} ({ends})."


def _known(result: Reliability) -> Belief:
    assert result.belief is not None  # there is no such figure then
    return result.belief


def _belief(result: Reliability, ax: Axes, unit: str, event: Any = None) -> list[str]:
    del event
    factor = units.unit(unit).convert(1.0)
    belief = _known(result)
    at = np.arange(len(belief))
    expected, surprise = factor * belief.expected, factor * belief.surprise
    endless = np.isinf(surprise)
    known = np.concatenate([expected[np.isfinite(expected)], surprise[np.isfinite(surprise)], [0.01]])
    top = 1.12 * float(known.max())
    seen = np.where(endless, top, surprise)
    ax.vlines(at, np.nan_to_num(expected), seen, color=COLOURS["context"], linewidth=1.4)
    one = ax.plot(
        at, expected, marker="o", markersize=5.5, color=COLOURS["model"], linestyle="none", gid="expected"
    )[0]
    two = ax.plot(at[~endless], seen[~endless], marker="D", markersize=5, color=COLOURS["cost"], linestyle="none", gid="surprise")[0]  # fmt: skip
    ax.plot(at[endless], seen[endless], marker="^", markersize=8, color=COLOURS["cost"], linestyle="none", clip_on=False, gid="infinite")  # fmt: skip
    small = narrow(ax)
    every = 2 if small and len(belief) > FEW else 1
    ax.set_xticks(
        at,
        [_p(float(p)) if k % every == 0 else "" for k, p in enumerate(belief.forecast)],
        rotation=45 if len(belief) > FEW else 0,
    )
    ax.set_ylim(0, 1.3 * top if small else top)
    ax.set_xlim(-0.6, len(belief) - 0.4)
    ax.set_xlabel("mean forecast of the bin")
    ax.set_ylabel(f"loss a row ({unit})")
    clean(ax, grid="y")
    legend(ax, [one, two], ["expected by the forecast", "what came"], loc="upper left" if small else "best")
    lines = ["Where more came than was expected, the forecast is over-confident."]
    rows = int(belief.infinite_rows.sum())
    return [*lines, f"Arrows: {units.count(rows, 'row')} of infinite loss."] if rows else lines


def _p(p: float) -> str:
    """Return a forecast as text: 0 and 1 only where it is exactly that."""
    if p in (0.0, 1.0):
        return f"{p:.0f}"
    return f"{p:.2g}" if p < 0.995 else f"{p:.3g}" if p < 0.9995 else f"1-{1 - p:.0e}"


def _excess(result: Reliability, unit: str, event: Any = None) -> str:
    del event
    belief = _known(result)
    gaps = np.nan_to_num(np.abs(belief.excess), nan=-1.0, posinf=-1.0)
    worst, rows = int(np.argmax(gaps)), int(belief.infinite_rows.sum())
    lost = f"{units.count(rows, 'row')} of infinite loss." if rows else ""
    if gaps[worst] < 0:  # no bin has a row of finite loss
        return lost
    text = f"Of {units.count(len(belief), 'bin')}, the loss is furthest from what the forecast expects where it says {_p(float(belief.forecast[worst]))}: {units.loss(float(belief.surprise[worst]), unit)} {unit} a row, {units.loss(float(belief.expected[worst]), unit)} expected."
    if gaps[worst] == 0:
        text = f"In {units.count(len(belief), 'bin')}, the loss is what the forecast expects."
    return f"{text} {lost}".rstrip()


def _bins(result: Reliability) -> dict[str, list[Any]]:
    return result.curve.bins.frame()


QUESTION = "Do the probabilities mean what they say?"
LOG_ODDS = Drawing(QUESTION, _log_odds, _tell, _bins, height=lambda _: 5.6, stretched=True)
LINEAR = Drawing(QUESTION, _linear, _tell, _bins, height=lambda _: 5.6, stretched=True)
BELIEF = Drawing(
    "Does it lose what it expects to lose?",
    _belief,
    _excess,
    lambda result: result.belief.frame(),
    lambda result: None if result.belief is None else result,
    stretched=True,
)
