"""The answer of decision_curve: net benefit of each forecast, what it gains, and at which thresholds that is sure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss import units
from logloss.curves.frames import benefit_columns
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

    from logloss.curves.thresholds import Limits
    from logloss.figures.drawing import Drawings
    from logloss.notes import Note

    Float = NDArray[np.float64]

__all__ = ["DecisionCurve", "Gain", "Line"]

NAMED = 4  # forecasts that a table of one screen has columns for


@dataclass(frozen=True, eq=False)
class Line:
    """Acting on one forecast, or on every row, at each threshold; shares of the weight, arrays of shape (G,).

    Attributes
    ----------
    acted, true_positive, false_positive
        Rows acted on, and those of them in which the event happens or not.
    net_benefit
        true_positive - false_positive th / (1 - th) - harm: what is gained on acting on no row.
    limits, band
        `low` and `high` of its interval, and of a band that holds at all thresholds together.
    """

    acted: Float
    true_positive: Float
    false_positive: Float
    net_benefit: Float
    limits: Limits
    band: Limits


@dataclass(frozen=True, eq=False)
class Gain:
    """Net benefit of forecast `a` less that of `b` on the same rows; `b` is None for acting on every row. Shape (G,).

    Attributes
    ----------
    mean
        Above 0 where a is better.
    differ
        How many rows are acted on by one and not by the other.
    limits, band
        Paired, as of :class:`Line`.
    """

    a: str
    b: str | None
    mean: Float
    differ: NDArray[np.int64]
    limits: Limits
    band: Limits


@dataclass(frozen=True, eq=False, repr=False)
class DecisionCurve(Drawn):
    """The net benefit of one or several forecasts at every threshold, in events found per row.

    Attributes
    ----------
    event
        The class that is acted on.
    thresholds
        Ascending, shape (G,).
    forecasts
        By name, the :class:`Line` of each.
    all
        The line of acting on every row. Acting on none is worth 0.
    gains
        Paired differences: of each forecast against acting on every row, then of every two forecasts.
    prevalence
        Share of the weight in which the event happens.
    level
        Coverage of intervals and bands.
    harm
        What obtaining each forecast costs; taken off its net benefit.
    n, weight
        Rows that count.
    """

    event: Any
    thresholds: Float
    forecasts: dict[str, Line]
    all: Line
    gains: tuple[Gain, ...]
    prevalence: float
    level: float
    harm: dict[str, float]
    n: int
    weight: float
    notes: tuple[Note, ...]

    def gain(self, a: str, b: str | None = None) -> Gain:
        """Return what forecast `a` gains on `b`, or on acting on every row."""
        for one in self.gains:
            if (one.a, one.b) == (a, b):
                return one
            if b is not None and (one.a, one.b) == (b, a):
                turned = [type(one.limits)(-x.high, -x.low) for x in (one.limits, one.band)]
                return Gain(a, b, -one.mean, one.differ, turned[0], turned[1])
        raise UsageError(
            "no-such-model",
            f"There is no gain of {a!r} on {b!r}.",
            cure=f"Forecasts: {listing(map(repr, self.forecasts))}.",
        )

    def standardized(self, name: str) -> Float:
        """Return net benefit / share of events, shape (G,): 1 where every event is found without a false alarm."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(self.forecasts[name].net_benefit / self.prevalence)

    def avoided(self, name: str) -> Float:
        """Return how many rows fewer need be acted on than all, per row, no event being missed for it; shape (G,).

        (Net benefit - that of acting on every row) (1 - th) / th; NaN at threshold 0.
        """
        odds = self.thresholds / (1.0 - self.thresholds)
        gain = self.forecasts[name].net_benefit - self.all.net_benefit
        return np.where(odds > 0, gain / np.where(odds > 0, odds, 1.0), np.nan)

    def better(self, name: str, *, sure: bool = False) -> NDArray[np.bool_]:
        """Tell at which thresholds the forecast is worth more than acting on all rows and than acting on none.

        With `sure` where both bands say so, which hold at all thresholds together.
        """
        line, gain = self.forecasts[name], self.gain(name)
        if sure:
            return np.asarray((line.band.low > 0) & (gain.band.low > 0))
        return np.asarray((line.net_benefit > 0) & (gain.mean > 0))

    def worse(self, name: str, *, sure: bool = False) -> NDArray[np.bool_]:
        """Tell at which thresholds acting on all rows, or on none, is worth more; with `sure` where a band says so."""
        line, gain = self.forecasts[name], self.gain(name)
        if sure:
            return np.asarray((line.band.high < 0) | (gain.band.high < 0))
        return np.asarray((line.net_benefit < 0) | (gain.mean < 0))

    def frame(self) -> dict[str, list[Any]]:
        """Return columns as lists by name, a row for each forecast and threshold: `polars.DataFrame(curve.frame())`.

        `kind` is "all" and "none" for acting on every row and on none, "forecast", with its gain against all, and "difference"
        for the gain of `forecast` against another. What a row does not have is None.
        """
        return benefit_columns(self)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write :meth:`frame`, whole or not at all: .csv, .tsv, .parquet, .arrow or .jsonl, as the name ends."""
        write_table(self.frame(), path)

    def _drawings(self) -> Drawings:
        from logloss.figures.thresholds import BENEFIT

        return {"benefit": BENEFIT}

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON contract; net benefits in events found per row."""
        state: dict[str, Any] = jsonable(
            {
                "schema": 1,
                "event": self.event,
                "n": self.n,
                "weight": self.weight,
                "prevalence": self.prevalence,
                "level": self.level,
                "harm": self.harm,
                "thresholds": self.thresholds.tolist(),
                "all": _plain(self.all),
                "forecasts": [
                    {
                        "name": name,
                        **_plain(line),
                        "standardized": self.standardized(name).tolist(),
                        "avoided": self.avoided(name).tolist(),
                        "better_surely": self.better(name, sure=True).tolist(),
                    }
                    for name, line in self.forecasts.items()
                ],
                "gains": [
                    {
                        "a": one.a,
                        "b": one.b,
                        "mean": one.mean.tolist(),
                        "differ": one.differ.tolist(),
                        **_limits(one),
                    }
                    for one in self.gains
                ],
                "notes": [{"id": note.id, "text": note.text} for note in self.notes],
            }
        )
        return state

    def show(self, unit: str = "nats", *, notes: bool = True, standardized: bool = False) -> str:
        """Return one screen of text; net benefits have no unit. `standardized` divides them by the share of events."""
        units.unit(unit)
        head = f"Net benefit of acting on {printable(repr(self.event), 40)}   {units.count(self.n, 'row')}, it happens in {units.percent(self.prevalence)}"
        scale = self.prevalence if standardized and self.prevalence > 0 else 1.0
        parts = [head, "", table(_cells(self, scale), _align(self), indent=2), ""]
        parts += [wrapped(sentence) for sentence in _sentences(self)]
        if notes and self.notes:
            parts += ["", *noted(self.notes)]
        return "\n".join(parts)

    def __str__(self) -> str:
        """One screen of text."""
        return self.show()


def _plain(line: Line) -> dict[str, Any]:
    named = ("acted", "true_positive", "false_positive", "net_benefit")
    return {name: getattr(line, name).tolist() for name in named} | _limits(line)


def _limits(of: Line | Gain) -> dict[str, list[float]]:
    return {
        "low": of.limits.low.tolist(),
        "high": of.limits.high.tolist(),
        "band_low": of.band.low.tolist(),
        "band_high": of.band.high.tolist(),
    }


def _align(curve: DecisionCurve) -> str:
    return ">>>><>" if len(curve.forecasts) == 1 else ">" * (2 + min(len(curve.forecasts), NAMED))


def _cells(curve: DecisionCurve, scale: float) -> list[list[str]]:
    """Lay the curve out at a few thresholds: of one forecast with its doubt, of several side by side."""
    at = picked(curve.thresholds)
    if len(curve.forecasts) > 1:
        names = list(curve.forecasts)[:NAMED]
        rows = [["threshold", "act on all", *(printable(name) for name in names)]]
        for g in at:
            values = [curve.all, *(curve.forecasts[name] for name in names)]
            rows.append(
                [threshold(curve.thresholds[g]), *(_number(x.net_benefit[g] / scale) for x in values)]
            )
        return rows
    ((name, line),) = curve.forecasts.items()
    gain, avoided = curve.gain(name), curve.avoided(name)
    span = f"{100 * curve.level:.6g} %"
    rows = [
        [
            "threshold",
            "act on all",
            printable(name),
            "more than all",
            f"({span}, all thresholds)",
            "spared per 100",
        ]
    ]
    for g in at:
        rows.append([
            threshold(curve.thresholds[g]), _number(curve.all.net_benefit[g] / scale), _number(line.net_benefit[g] / scale),
            units.signed(gain.mean[g] / scale),
            f"{units.signed(gain.band.low[g] / scale)} to {units.signed(gain.band.high[g] / scale)}",
            "" if np.isnan(avoided[g]) else f"{100 * avoided[g] + 0.0:.1f}",
        ])  # fmt: skip
    return rows


def _number(value: float) -> str:
    return f"{value + 0.0:.4f}" if value > -10 else f"{value:.1f}"


def _sentences(curve: DecisionCurve) -> list[str]:
    """Say at which thresholds each forecast helps, and which of two is better where; with the doubt."""
    th = curve.thresholds
    span = f"{100 * curve.level:.6g} %, all thresholds together"

    def where(seen: NDArray[np.bool_], sure: NDArray[np.bool_]) -> str:
        return f"{said(th, seen)}; beyond doubt ({span}) {said(th, sure)}" if seen.any() else said(th, seen)

    found = []
    for name in curve.forecasts:
        told = f"Acting on {printable(repr(name), 40)} is worth more than acting on every row and on none "
        told += f"{where(curve.better(name), curve.better(name, sure=True))}."
        if (worse := curve.worse(name)).any():
            told += f" It is worth less than one of them {where(worse, curve.worse(name, sure=True))}."
        found.append(told)
    for one in curve.gains:
        if one.b is not None:
            a, b = printable(repr(one.a), 40), printable(repr(one.b), 40)
            told = f"{a} is worth more than {b} {where(one.mean > 0, one.band.low > 0)}."
            if (less := one.mean < 0).any():
                told += f" It is worth less {where(less, one.band.high < 0)}."
            found.append(told)
    return found[:8]
