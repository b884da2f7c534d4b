"""The section of a report about acting on a forecast. Lays numbers out; computes none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logloss.deciding import wording
from logloss.reporting.contents import Picture, Section, Sheet
from logloss.text import printable

if TYPE_CHECKING:
    from logloss.curves.benefits import DecisionCurve
    from logloss.deciding.results import Decisions

__all__ = ["acting"]

MOST = 8


def acting(decisions: Decisions | None, curve: DecisionCurve | None, unit: str) -> Section | None:
    """Return the section on what to do with the probabilities; None where neither is known."""
    if decisions is None and curve is None:
        return None
    pictures: list[Picture] = []
    sheets: list[Sheet] = []
    said: list[str] = []
    if decisions is not None:
        pictures += [
            Picture(decisions, kind, label, unit)
            for kind, label in {"policies": "ways to act"}.items()
            if kind in decisions.kinds
        ]
        sheets.append(_policies(decisions))
        said.append(wording.rule(decisions.utilities)[:400] + ".")
    if curve is not None:
        pictures.append(Picture(curve, "benefit", "decision curve", unit))
    reading = "Act where the forecast is above the threshold at which acting and waiting cost the same; the curve shows at which thresholds the forecast is of use."
    return Section(
        "acting",
        "What should be done with these probabilities?",
        reading,
        tuple(pictures),
        tuple(sheets),
        tuple(said),
    )


def _policies(result: Decisions) -> Sheet:
    sign = -1.0 if result.utilities.costs else 1.0
    what = "cost a row" if result.utilities.costs else "utility a row"
    number = wording.number
    rows = []
    for one in result.policies[:MOST]:
        came = "" if one.realised is None else number(sign * one.realised)
        span = (
            ""
            if one.interval is None
            else " to ".join(number(end) for end in sorted(sign * end for end in one.interval))
        )
        rows.append((printable(one.name, 40), number(sign * one.expected), came, span))
    return Sheet("Ways to act", ("policy", f"{what}, expected", "came", "interval"), tuple(rows), "<>>>")
