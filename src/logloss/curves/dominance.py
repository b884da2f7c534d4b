"""The answer of murphy_curve: curves, differences with bands, and whether one forecast is better at every threshold."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from logloss import units
from logloss.curves.frames import murphy_columns
from logloss.curves.stretches import picked, said, threshold
from logloss.errors import UsageError, listing
from logloss.figures.drawing import Drawn
from logloss.plain import jsonable
from logloss.saving import write_table
from logloss.screens import noted
from logloss.text import printable, table, wrapped

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

    from logloss.curves.elementary import Elementary
    from logloss.curves.thresholds import Limits
    from logloss.figures.drawing import Drawings
    from logloss.notes import Note

    Float = NDArray[np.float64]

__all__ = ["Cost", "Difference", "MurphyCurve"]

Verdict = Literal["a", "b", "crosses", "not certain"]
EDGES = 1000  # of a curve that goes into JSON; of more, the values at the thresholds
SHOWN = 4  # crossings that are told one by one
NAMED = 4  # forecasts that a table of one screen has columns for


@dataclass(frozen=True, eq=False)
class Cost:
    """Mean elementary score of a forecast at each threshold; arrays of shape (G,).

    Attributes
    ----------
    thresholds, mean
        Where it is told, and what it is there.
    limits, band
        `low` and `high` of its interval, and of a band that holds at all thresholds together.
    """

    thresholds: Float
    mean: Float
    limits: Limits
    band: Limits


@dataclass(frozen=True, eq=False)
class Difference:
    """Mean elementary score of forecast `a` less that of `b`, on the same rows: below 0 where a is better.

    Attributes
    ----------
    thresholds, mean, differ
        Where it is told, what it is there, and how many rows are acted on under one of both only; shape (G,).
    limits, band
        `low` and `high` of its paired interval, and of a band that holds at all thresholds together.
    least, most
        Of the difference over all thresholds between 0 and 1, exactly.
    crossings
        The thresholds at which its sign changes, exactly.
    """

    a: str
    b: str
    thresholds: Float
    mean: Float
    differ: NDArray[np.int64]
    limits: Limits
    band: Limits
    least: float
    most: float
    crossings: Float

    @property
    def verdict(self) -> Verdict:
        """Whether one forecast is better at every threshold.

        "a" (or "b"): on these rows it costs no more at any threshold, and the band says that it costs less at some. "crosses":
        the band says that each costs less somewhere, so which is better depends on the costs. Else "not certain".
        """
        a, b = self.better("a"), self.better("b")
        if a.any() and b.any():
            return "crosses"
        if a.any() and self.most <= 0:
            return "a"
        if b.any() and self.least >= 0:
            return "b"
        return "not certain"

    def better(self, which: Literal["a", "b"]) -> NDArray[np.bool_]:
        """Tell at which thresholds one of both costs less beyond doubt: by the band."""
        return np.asarray(self.band.high < 0 if which == "a" else self.band.low > 0)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "a": self.a,
            "b": self.b,
            "mean": self.mean.tolist(),
            "differ": self.differ.tolist(),
            **_limits_of(self),
            "least": self.least,
            "most": self.most,
            "crossings": self.crossings.tolist()[:EDGES],
            "verdict": self.verdict,
        }


@dataclass(frozen=True, eq=False, repr=False)
class MurphyCurve(Drawn):
    """What one or several forecasts cost at every threshold.

    Attributes
    ----------
    event
        The class that is acted on.
    thresholds
        Where bands are told, shape (G,), ascending.
    forecasts
        By name, the exact curve of each: :class:`logloss.curves.elementary.Elementary`. `curve["name"]` is the same.
    costs
        By name, the same at `thresholds`, with intervals and bands: :class:`Cost`.
    differences
        Of every two forecasts.
    prevalence
        Share of the weight in which the event happens.
    n, weight
        Rows that count.
    """

    event: Any
    thresholds: Float
    forecasts: dict[str, Elementary]
    costs: dict[str, Cost]
    differences: tuple[Difference, ...]
    prevalence: float
    level: float
    n: int
    weight: float
    notes: tuple[Note, ...]

    def __getitem__(self, name: str) -> Elementary:
        """Return the curve of a forecast."""
        if name not in self.forecasts:
            raise UsageError(
                "no-such-model",
                f"There is no forecast {name!r}.",
                cure=f"Forecasts: {listing(map(repr, self.forecasts))}.",
            )
        return self.forecasts[name]

    def base_rate(self, thresholds: Float) -> Float:
        """Return what always saying the share of events costs: acting on all rows below it, on none from it on."""
        act = thresholds < self.prevalence
        return np.where(act, thresholds * (1 - self.prevalence), (1 - thresholds) * self.prevalence)

    def frame(self, name: str | None = None) -> dict[str, list[Any]]:
        """Return columns as lists by name: `polars.DataFrame(curve.frame())`.

        Without a name a row for each forecast, and each two, at each of `thresholds`: `kind` is "base rate", "forecast" or
        "difference", that of `forecast` less `against`; what a row does not have is None. With a name, its exact curve: at each
        edge the limits from the left and from the right, between edges straight lines.
        """
        if name is None:
            return murphy_columns(self)
        curve = self[name]
        left, right = curve.limits()
        return {
            "threshold": curve.threshold.tolist(), "log_odds": curve.log_odds.tolist(),
            "left": left.tolist(), "right": right.tolist(),
        }  # fmt: skip

    def save(self, path: str | os.PathLike[str], name: str | None = None) -> None:
        """Write :meth:`frame`, whole or not at all: .csv, .tsv, .parquet, .arrow or .jsonl, as the name ends."""
        write_table(self.frame(name), path)

    def _drawings(self) -> Drawings:
        from logloss.figures.thresholds import MURPHY, MURPHY_DIFFERENCE

        return {"cost": MURPHY, "difference": MURPHY_DIFFERENCE}

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON contract; nats, the text "inf" for an infinite loss. Curves of at most 1,000 edges are whole."""
        curves = []
        for name, curve in self.forecasts.items():
            found: dict[str, Any] = {
                "name": name,
                "log_loss": curve.log_loss,
                "brier": curve.brier,
                "infinite_rows": curve.infinite_rows,
                "score": curve.at(self.thresholds).tolist(),
                **_limits_of(self.costs[name]),
            }
            if len(curve.threshold) <= EDGES:
                found["curve"] = self.frame(name)
            curves.append(found)
        state: dict[str, Any] = jsonable(
            {
                "schema": 1,
                "event": self.event,
                "n": self.n,
                "weight": self.weight,
                "prevalence": self.prevalence,
                "level": self.level,
                "thresholds": self.thresholds.tolist(),
                "forecasts": curves,
                "differences": [one.to_dict() for one in self.differences],
                "notes": [{"id": note.id, "text": note.text} for note in self.notes],
            }
        )
        return state

    def show(self, unit: str = "nats", *, notes: bool = True) -> str:
        """Return one screen of text; `unit` is that of the log losses."""
        loss = partial(units.loss, in_unit=unit)
        head = f"What acting on {printable(repr(self.event), 40)} costs at every threshold   {units.count(self.n, 'row')}, it happens in {units.percent(self.prevalence)}"
        whole = [["", f"log loss, {unit}", "Brier"]]
        for name, curve in list(self.forecasts.items())[:8]:
            endless = f" ({units.count(curve.infinite_rows, 'row')})" if math.isinf(curve.log_loss) else ""
            whole.append([printable(name), loss(curve.log_loss) + endless, f"{curve.brier:.4f}"])
        parts = [head, "", table(_cells(self), _align(self), indent=2), "", table(whole, "<>>", indent=2), ""]
        parts += [wrapped(line) for line in _sentences(self)]
        if notes and self.notes:
            parts += ["", *noted(self.notes)]
        return "\n".join(parts)

    def __str__(self) -> str:
        """One screen of text."""
        return self.show()


def _limits_of(one: Cost | Difference) -> dict[str, list[float]]:
    """Return limits and bands as plain values."""
    return {
        "low": one.limits.low.tolist(), "high": one.limits.high.tolist(),
        "band_low": one.band.low.tolist(), "band_high": one.band.high.tolist(),
    }  # fmt: skip


def _align(curve: MurphyCurve) -> str:
    columns = 2 + min(len(curve.forecasts), NAMED)
    return ">" * columns + {1: "<", 2: "><"}.get(len(curve.forecasts), "")


def _cells(curve: MurphyCurve) -> list[list[str]]:
    at = picked(curve.thresholds)
    names = list(curve.forecasts)[:NAMED]
    rows = [["threshold", "base rate", *(printable(name) for name in names)]]
    scores = [
        curve.base_rate(curve.thresholds),
        *(curve.forecasts[name].at(curve.thresholds) for name in names),
    ]
    single = None if len(names) > 1 else curve.costs[names[0]].band
    two = curve.differences[0] if len(curve.forecasts) == 2 else None
    if two is not None:
        rows[0] += ["difference", f"({100 * curve.level:.6g} %, all thresholds)"]
    if single is not None:
        rows[0].append(f"({100 * curve.level:.6g} %, all thresholds)")
    for g in at:
        row = [threshold(curve.thresholds[g]), *(units.loss(one[g]) for one in scores)]
        if two is not None:
            row += [
                units.signed(two.mean[g]),
                f"{units.signed(two.band.low[g])} to {units.signed(two.band.high[g])}",
            ]
        if single is not None:
            row.append(f"{units.loss(single.low[g])} to {units.loss(single.high[g])}")
        rows.append(row)
    return rows


def _sentences(curve: MurphyCurve) -> list[str]:
    found = [
        f"The log loss of {printable(repr(name), 40)} is infinite: {units.count(one.infinite_rows, 'row')} certain and wrong, which cost something however near to 0 or 1 the threshold is."
        for name, one in curve.forecasts.items()
        if math.isinf(one.log_loss)
    ]
    if not curve.differences and not found:
        found.append(
            "The log loss is the integral of this cost over all log-odds of the threshold, the Brier score twice that over all thresholds."
        )
    return (found + [_told(one, curve.level) for one in curve.differences])[:8]


def _told(one: Difference, level: float) -> str:
    a, b = printable(repr(one.a), 40), printable(repr(one.b), 40)
    doubt = f"beyond doubt ({100 * level:.6g} %, all thresholds together)"
    if one.least == one.most == 0:
        return f"{a} and {b} cost the same at every threshold."
    if one.most <= 0 or one.least >= 0:
        best, other, sure = (a, b, one.better("a")) if one.most <= 0 else (b, a, one.better("b"))
        where = (
            f"less {said(one.thresholds, sure)}, {doubt}"
            if sure.any()
            else f"but nowhere less {doubt}: not certain"
        )
        return f"On these rows {best} costs no more than {other} at any threshold, so it is better for every ratio of costs and under every proper score; {where}."
    times = [threshold(float(x)) for x in one.crossings]
    cross = (
        f"cross at {listing(times)}"
        if len(times) <= SHOWN
        else f"change places {len(times):,} times between {times[0]} and {times[-1]}"
    )
    sure_a, sure_b = one.better("a"), one.better("b")
    if not sure_a.any() and not sure_b.any():
        return f"{a} and {b} {cross}; neither costs less {doubt} at any threshold."
    told = [
        f"{name} costs less {doubt} {said(one.thresholds, sure)}."
        if sure.any()
        else f"{name} does so nowhere."
        for name, sure in sorted(((a, sure_a), (b, sure_b)), key=lambda each: not each[1].any())
    ]
    return f"{a} and {b} {cross}. {' '.join(told)}"
