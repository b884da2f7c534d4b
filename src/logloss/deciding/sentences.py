"""What is worth saying about decisions: one sentence each, in the user's own unit."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from logloss import units
from logloss.deciding.policies import AS_DECIDED
from logloss.deciding.wording import number
from logloss.finding import Finding
from logloss.text import printable

if TYPE_CHECKING:
    from logloss.deciding.results import Decisions

__all__ = ["findings", "span"]

HALF = "cut at 0.5"
FIX = "logloss fix FILE"
AGAIN = "logloss decide FILE --json"


def span(interval: tuple[float, float] | None, sign: float) -> str:
    """Format an interval of utilities, turned round where costs are told."""
    if interval is None:
        return ""
    low, high = sorted(sign * end for end in interval)
    return f"{number(low)} to {number(high)}"


def findings(result: Decisions) -> list[Finding]:
    """Return what is worth saying, in the order of the screen; worth is a row, in the user's own unit."""
    return [*_half(result), _information(result), *_surplus(result), *_recalibrated(result)]


def _half(result: Decisions) -> list[Finding]:
    """Say what the threshold saves against one half."""
    half = next((policy for policy in result.policies if policy.name == HALF), None)
    costs, came = result.utilities.costs, result.realised_utility
    if not costs or half is None or half.realised is None or came is None or half.realised >= came:
        return []
    assert result.threshold is not None
    saved, known = came - half.realised, half.difference_interval if result.best == AS_DECIDED else None
    ends = "" if known is None else f" ({span(known, -1.0)})"
    text = f"Acting at {result.threshold:.3g} instead of 0.5 saves {units.percent(1 - came / half.realised, 0)} of the cost, {number(saved)} a row{ends}, on these rows."
    return [Finding("LL070", 0.0, text, AGAIN, "decisions.policies", "The threshold pays", worth=saved)]


def _information(result: Decisions) -> Finding:
    """Say what is lost against knowing what will happen."""
    worth = number(result.perfect_information)
    text = (
        f"Knowing what will happen would be worth {worth} a row, as the forecasts expect."
        if result.regret is None
        else f"Lost against knowing what will happen: {number(result.regret)} a row; the forecasts expected {worth}."
    )
    return Finding("LL071", 0.0, text, AGAIN, "decisions.regret", "What information would be worth")


def _surplus(result: Decisions) -> list[Finding]:
    """Say whether the decisions brought what the forecasts promised."""
    surplus, costs = result.surplus, result.utilities.costs
    if surplus is None or math.isnan(surplus.low) or not (surplus.mean or surplus.standard_error):
        return []
    sign = -1.0 if costs else 1.0
    ends = span((surplus.low, surplus.high), sign)
    verdict = (
        "the forecasts mislead here"
        if surplus.high < 0
        else "better than the forecasts promise"
        if surplus.low > 0
        else "nothing shows that they mislead"
        if not any(note.id == "certain-and-wrong" for note in result.notes)
        else "yet some are certain and wrong"
    )
    mean = sign * surplus.mean if abs(surplus.mean) > 1e-12 * abs(result.expected_utility) else 0.0
    text = f"{'Cost' if costs else 'Utility'} that came less what was expected: {number(mean)} ({ends}); {verdict}."
    lost = max(-surplus.mean, 0.0) if surplus.high < 0 else 0.0
    return [Finding("LL072", 0.0, text, FIX, "decisions.surplus", "What came against what was expected", worth=lost)]  # fmt: skip


def _recalibrated(result: Decisions) -> list[Finding]:
    """Say what recalibrating would bring."""
    found = result.recalibration
    if found is None:
        return []
    call, title = "decisions.recalibration", "What recalibrating brings"
    if found.map == "identity":
        text = "Recalibrating: no map certainly improves forecasts of rows that it has not seen."
        return [Finding("LL073", 0.0, text, AGAIN, call, title)]
    ends = "" if found.interval is None else f" ({span(found.interval, 1.0)})"
    what = "saves" if result.utilities.costs else "adds"
    text = f"Recalibrating ({printable(found.map)}) {what} {number(found.worth)} a row{ends} on unseen rows; {units.count(found.changed, 'row')} {'gets' if found.changed == 1 else 'get'} another action."
    return [Finding("LL073", 0.0, text, FIX, call, title, worth=found.worth)]
