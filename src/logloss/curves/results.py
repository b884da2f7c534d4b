"""The answer of reliability: curves with their bands, bins with their intervals, expected beside observed loss."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from logloss import units
from logloss.errors import UsageError, listing
from logloss.figures import drawing
from logloss.figures.drawing import Drawn
from logloss.figures.vectors import WIDTH
from logloss.plain import jsonable
from logloss.screens import noted
from logloss.text import printable, table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from logloss.figures.drawing import Drawings
    from logloss.notes import Note

    Float = NDArray[np.float64]

__all__ = ["Band", "Belief", "Bins", "Curve", "Reliability", "Steps"]

Band = Literal["consistency", "confidence"]


@dataclass(frozen=True, eq=False)
class _Columns:
    """Arrays of one length, shape (k,), ascending in the forecast."""

    forecast: Float
    log_odds: Float
    rows: Float
    weight: Float

    def frame(self) -> dict[str, list[Any]]:
        """Return the columns as lists by name: `polars.DataFrame(steps.frame())`."""
        return {entry.name: getattr(self, entry.name).tolist() for entry in fields(self)}

    def __len__(self) -> int:
        return len(self.forecast)


@dataclass(frozen=True, eq=False)
class Steps(_Columns):
    """The isotonic curve at each distinct forecast.

    Attributes
    ----------
    forecast, log_odds
        The forecast as a probability and as log-odds: -inf and inf for exactly 0 and 1.
    rows, weight
        Rows with this forecast, and their weight.
    share
        Weighted share of them in which the event happened.
    fitted
        The monotone curve through these shares (pool adjacent violators).
    low, high
        The band.
    """

    share: Float
    fitted: Float
    low: Float
    high: Float


@dataclass(frozen=True, eq=False)
class Bins(_Columns):
    """About 15 bins of equal weight: mean forecast, mean log-odds, share that happened, its exact binomial interval."""

    share: Float
    low: Float
    high: Float


@dataclass(frozen=True, eq=False)
class Belief(_Columns):
    """What the forecasts of each bin expected to lose, and what they lost, in nats a row.

    Attributes
    ----------
    infinite_rows
        Rows with infinite surprise; all other columns but `surprise` are about the others.
    expected
        Mean entropy of the forecasts.
    surprise
        Mean surprise of what happened; inf where there is an infinite row.
    excess
        Mean surprise of the finite rows - expected: above 0 over-confident, below 0 under-confident.
    z
        Sum w (s - H) / sqrt(sum w^2 v): about N(0, 1) for right forecasts. NaN where undefined: an infinite row, or
        forecasts that expect the same loss whatever happens (exactly 0, 1/2 or 1) only.
    """

    infinite_rows: Float
    expected: Float
    surprise: Float
    excess: Float
    z: Float


@dataclass(frozen=True, eq=False)
class Curve:
    """The reliability of one event.

    Attributes
    ----------
    event
        The class that happens; None for "the first choice is right".
    steps, bins
        Columns for a figure, each with `.frame()`.
    outside
        Share of the weight at which the curve is outside its consistency band; of a confidence band, at which the
        forecast itself is outside: there it is wrong.
    """

    event: Any
    steps: Steps
    bins: Bins
    outside: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        state: dict[str, Any] = jsonable(
            {
                "event": self.event,
                "outside": self.outside,
                "steps": self.steps.frame(),
                "bins": self.bins.frame(),
            }
        )
        return state


@dataclass(frozen=True, eq=False, repr=False)
class Reliability(Drawn):
    """Whether the forecasts mean what they say.

    Attributes
    ----------
    curve
        For two classes, of the second class; for K classes, of the first choice being right.
    by_class
        For K classes, the curve of each class against the rest; empty for two. The heaviest 20 classes.
    belief
        Expected against observed loss in the bins of `curve`; None from a summary of several columns, which does not know it.
    band
        "consistency": where the curve would lie if the forecasts were right, point by point; "confidence": where the
        true curve lies, all points together.
    level
        Probability of the band, and of the bins' intervals.
    bands, seed
        How often outcomes were drawn for the consistency band, and from which seed.
    n
        Rows that count.
    """

    curve: Curve
    by_class: dict[Any, Curve]
    belief: Belief | None
    band: Band
    level: float
    bands: int
    seed: int
    n: int
    notes: tuple[Note, ...]

    def frame(self, what: Literal["steps", "bins", "belief"] = "steps") -> dict[str, list[Any]]:
        """Return columns of `curve` (or of `belief`) as lists by name."""
        if what not in ("steps", "bins", "belief"):
            raise UsageError(
                "unknown-frame", f"There is no {what!r} here.", cure="There are steps, bins and belief."
            )
        if what == "belief":
            if self.belief is None:
                raise UsageError(
                    "unknown-frame",
                    "What was expected of each bin is not known from a summary of several columns.",
                    cure="There are steps and bins; give the rows for belief.",
                )
            return self.belief.frame()
        return (self.curve.steps if what == "steps" else self.curve.bins).frame()

    def _drawings(self) -> Drawings:
        from logloss.figures.reliability import BELIEF, LINEAR, LOG_ODDS

        return {"log-odds": LOG_ODDS, "linear": LINEAR, "belief": BELIEF}

    def plot(
        self, ax: Axes | None = None, *, kind: str | None = None, unit: str = "nats", event: Any = None
    ) -> Axes:
        """Draw the diagram with matplotlib and return its axes.

        Parameters
        ----------
        ax
            Axes to draw on; by default those of a new figure.
        kind
            "log-odds" (the default), "linear", or "belief": the loss that was expected and that came, by bin.
        unit
            "nats", "bits" or "bans", where losses are drawn.
        event
            One of the classes in `by_class`, to draw that curve; by default `curve`.

        Raises
        ------
        UsageError
            For a figure, a class or a unit that there is not.
        """
        return drawing.plotted(self, self._drawings(), ax, kind, unit, **self._event(kind, event))

    def alt(self, kind: str | None = None, *, unit: str = "nats", event: Any = None) -> str:
        """Return a diagram in words: one or two sentences with its numbers."""
        return drawing.told(self, self._drawings(), kind, unit, **self._event(kind, event))

    def svg(
        self,
        kind: str | None = None,
        *,
        width: int = WIDTH,
        unit: str = "nats",
        beneath: str = "",
        event: Any = None,
    ) -> str:
        """Return a diagram as an `<svg>` element for a page, as with other results; `event` as in :meth:`plot`."""
        marked = self._event(kind, event)
        return drawing.vector(self, self._drawings(), kind, width, unit, beneath=beneath, **marked)

    def _event(self, kind: str | None, event: Any) -> dict[str, Any]:
        """Return the class whose curve is drawn, checked."""
        if event is None:
            return {}
        known = [self.curve.event, *self.by_class]
        if event not in known or kind == "belief":
            raise UsageError(
                "no-such-figure",
                f"There is no {'curve' if kind != 'belief' else 'such figure'} of {event!r}.",
                cure=f"There is one of {listing([repr(one) for one in known if one is not None])}, as log-odds or linear.",
            )
        return {"event": event}

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON contract: nats; the text "inf" for infinite, None where undefined."""
        state: dict[str, Any] = jsonable(
            {
                "schema": 1,
                "n": self.n,
                "band": self.band,
                "level": self.level,
                "draws": self.bands if self.band == "consistency" else None,
                "seed": self.seed if self.band == "consistency" else None,
                "curve": self.curve.to_dict(),
                "classes": [curve.to_dict() for curve in self.by_class.values()],
                "belief": None if self.belief is None else self.belief.frame(),
                "notes": [{"id": note.id, "text": note.text} for note in self.notes],
            }
        )
        return state

    def __str__(self) -> str:
        """One screen of text."""
        return self.show()

    def show(self, unit: str = "nats", *, notes: bool = True) -> str:
        """Return one screen of text with losses in `unit`."""
        event = "its first choice" if self.curve.event is None else printable(repr(self.curve.event), 40)
        head = f"Reliability of {event}   {units.count(self.n, 'row')}, {units.count(len(self.curve.bins), 'bin')}"
        parts = [
            head,
            "",
            table(_rows(self, unit), "><>>>>>"[: 3 if self.belief is None else 7], indent=2),
            "",
            f"  {_outside(self)}",
        ]
        if self.by_class:
            parts += ["", *_classes(self)]
        if notes and self.notes:
            parts += ["", *noted(self.notes)]
        return "\n".join(parts)


def _rows(result: Reliability, unit: str) -> list[list[str]]:
    """Lay the bins out."""
    loss, signed = partial(units.loss, in_unit=unit), partial(units.signed, in_unit=unit)
    bins, belief = result.curve.bins, result.belief
    rows = [["says", f"happens ({100 * result.level:.6g} %)", "rows"]]
    rows[0] += [] if belief is None else ["expected loss", "loss", "excess", "z"]
    for at in range(len(bins)):
        share = f"{_p(bins.share[at])}  {_p(bins.low[at])} to {_p(bins.high[at])}"
        rows.append([_p(bins.forecast[at]), share, f"{bins.rows[at]:,.0f}"])
        if belief is not None:
            z = belief.z[at]
            rows[-1] += [
                loss(belief.expected[at]),
                loss(belief.surprise[at]),
                signed(belief.excess[at]),
                "" if np.isnan(z) else f"{round(float(z), 1) + 0.0:.1f}",
            ]
    return rows


def _p(p: float) -> str:
    return (
        "0"
        if p == 0
        else "1"
        if p == 1
        else f"{p:.4f}"
        if 5e-5 <= p <= 1 - 5e-5
        else f"{p:.1e}"
        if p < 0.5
        else f"1 - {1 - p:.0e}"
    )


def _outside(result: Reliability) -> str:
    share, level = units.percent(result.curve.outside), f"{100 * result.level:.6g} %"
    if result.band == "consistency":
        return f"The curve is outside its {level} consistency band on {share} of the weight; of right forecasts, on about {units.percent(1 - result.level, 0)}."
    return f"The forecast is outside the {level} confidence band of the truth on {share} of the weight; the band holds at all forecasts together."


def _classes(result: Reliability) -> list[str]:
    rows = [["class", "outside its band"]]
    ranked = sorted(result.by_class.values(), key=lambda curve: -curve.outside)
    rows += [[printable(curve.event), units.percent(curve.outside)] for curve in ranked[:12]]
    rest = len(ranked) - 12
    return [
        "  Each class against the rest",
        table(rows, "<>", indent=4),
        *([f"    and {rest} more"] if rest > 0 else []),
    ]
