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
        if "policies" in decisions.kinds:
            pictures.append(Picture(decisions, "policies", "ways to act", unit))
        sheets.append(_policies(decisions))
        rule = printable(wording.rule(decisions.utilities), 400)
        said.append(f"{rule[:1].upper()}{rule[1:]}.")
    if curve is not None:
        pictures.append(Picture(curve, "benefit", "decision curve", unit))
    reading = "" if decisions is None else "Costs are in the unit they were given in. "
    reading += (
        ""
        if curve is None
        else "A threshold is the probability from which on one acts: the cheaper a false alarm beside a miss, the lower it is. The curve shows at which thresholds acting on the forecast is worth more than acting always, or never."
    )
    return Section(
        "acting",
        "What should be done with these probabilities?",
        reading.strip(),
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
    header = ("way to act", f"{what}, as forecast", "as it happened", f"{100 * result.level:.6g} % interval")
    more = f"and {len(result.policies) - MOST:,} more" if len(result.policies) > MOST else ""
    return Sheet("Ways to act", header, tuple(rows), "<>>>", more)
