"""Curves over thresholds as columns: a row for each forecast, and each two, at each threshold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logloss.curves.benefits import DecisionCurve, Gain, Line
    from logloss.curves.dominance import MurphyCurve
    from logloss.curves.thresholds import Limits

    Float = NDArray[np.float64]

__all__ = ["benefit_columns", "murphy_columns"]

LINE = ("acted", "true_positive", "false_positive", "net_benefit", "low", "high", "band_low", "band_high")
GAIN = ("gain", "gain_low", "gain_high", "gain_band_low", "gain_band_high")
MURPHY = ("score", "difference", "low", "high", "band_low", "band_high")


def benefit_columns(curve: DecisionCurve) -> dict[str, list[Any]]:
    """Return the columns of a decision curve by name: see :meth:`logloss.curves.benefits.DecisionCurve.frame`."""
    rows = _Rows(curve.thresholds, ("kind", "forecast", "against", "threshold", *LINE, "standardized", "avoided", *GAIN))  # fmt: skip
    scale = curve.prevalence if curve.prevalence > 0 else np.nan
    rows.add("all", "all", None, **_line(curve.all), standardized=curve.all.net_benefit / scale)
    zero = np.zeros(len(curve.thresholds))
    rows.add("none", "none", None, **dict.fromkeys((*LINE, "standardized"), zero))
    for name, line in curve.forecasts.items():
        rows.add(
            "forecast", name, "all", **_line(line), standardized=curve.standardized(name), avoided=curve.avoided(name),
            **_gain(curve.gain(name)),
        )  # fmt: skip
    for one in curve.gains:
        if one.b is not None:
            rows.add("difference", one.a, one.b, **_gain(one))
    return rows.columns


def murphy_columns(curve: MurphyCurve) -> dict[str, list[Any]]:
    """Return the columns of Murphy curves by name: see :meth:`logloss.curves.dominance.MurphyCurve.frame`."""
    rows = _Rows(curve.thresholds, ("kind", "forecast", "against", "threshold", "log_odds", *MURPHY))
    with np.errstate(divide="ignore"):
        odds = np.log(curve.thresholds) - np.log1p(-curve.thresholds)
    rows.add("base rate", "base rate", None, log_odds=odds, score=curve.base_rate(curve.thresholds))
    for name, one in curve.forecasts.items():
        band = _limits(curve.costs[name].limits, curve.costs[name].band)
        rows.add("forecast", name, None, log_odds=odds, score=one.at(curve.thresholds), **band)
    for each in curve.differences:
        rows.add("difference", each.a, each.b, log_odds=odds, difference=each.mean, **_limits(each.limits, each.band))  # fmt: skip
    return rows.columns


class _Rows:
    """Rows that are added a threshold each; what is not known of them is None."""

    def __init__(self, thresholds: Float, names: tuple[str, ...]) -> None:
        self.thresholds = thresholds
        self.columns: dict[str, list[Any]] = {name: [] for name in names}

    def add(self, kind: str, forecast: str, against: str | None, **found: Float) -> None:
        """Add one row for each threshold."""
        G = len(self.thresholds)
        said: dict[str, Any] = {"kind": [kind] * G, "forecast": [forecast] * G, "against": [against] * G}
        numbers = {"threshold": self.thresholds, **found}
        said |= {name: [None if np.isnan(x) else x for x in values.tolist()] for name, values in numbers.items()}  # fmt: skip
        for name, column in self.columns.items():
            column.extend(said.get(name, [None] * G))


def _line(line: Line) -> dict[str, Float]:
    return {name: getattr(line, name) for name in LINE[:4]} | _limits(line.limits, line.band)


def _gain(gain: Gain) -> dict[str, Float]:
    return {"gain": gain.mean} | _limits(gain.limits, gain.band, "gain_")


def _limits(limits: Limits, band: Limits, of: str = "") -> dict[str, Float]:
    return {f"{of}low": limits.low, f"{of}high": limits.high, f"{of}band_low": band.low, f"{of}band_high": band.high}  # fmt: skip
