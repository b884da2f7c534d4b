"""Decisions as one screen of plain text. Lays out numbers; computes none that are not in the result."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from logloss import units
from logloss.deciding.wording import number, rule
from logloss.screens import noted
from logloss.text import printable, table

if TYPE_CHECKING:
    from logloss.deciding.policies import Policy
    from logloss.deciding.results import Decisions

__all__ = ["sheet"]

FEW = 8  # actions or policies shown


def sheet(result: Decisions, *, notes: bool = True) -> str:
    """Lay decisions out."""
    told = [_head(result), "", *_actions(result), "", *_policies(result), "", *_said(result)]
    if notes and result.notes:
        told += ["", *noted(result.notes)]
    return "\n".join(told)


def _head(result: Decisions) -> str:
    labelled = (
        ""
        if result.labelled == result.rows
        else f", {result.labelled:,} with an outcome"
        if result.labelled
        else ", no outcomes"
    )
    return f"Decide: {rule(result.utilities)}\n  {units.count(result.rows, 'row')}{labelled}"


def _actions(result: Decisions) -> list[str]:
    shares = result.policies[0].shares
    listed = sorted(result.actions, key=lambda name: -result.actions[name])
    rows = [["action", "rows", ""]]
    rows += [[printable(name, 32), f"{result.actions[name]:,}", units.percent(shares[name])] for name in listed[:FEW]]  # fmt: skip
    more = [f"  {len(listed) - FEW} more actions" for _ in range(1) if len(listed) > FEW]
    return [table(rows, "<>>"), *more]


def _policies(result: Decisions) -> list[str]:
    sign = -1.0 if result.utilities.costs else 1.0
    what = "cost" if result.utilities.costs else "utility"
    known = result.labelled > 0
    rows = [[f"{what} a row", "expected", *(["came", "interval", "against the best"] if known else [])]]
    kept = _shown(result)
    rows += [
        [printable(one.name, 32), number(sign * one.expected), *(_came(one, sign) if known else [])]
        for one in kept
    ]
    more = len(result.policies) - len(kept)
    return [table(rows, "<>><<"[: len(rows[0])]), *([f"  {more} more policies"] if more else [])]


def _shown(result: Decisions) -> list[Policy]:
    """Return the policies to show: these decisions first, the others best first."""
    first, *others = result.policies
    others.sort(key=lambda policy: -(policy.expected if policy.realised is None else policy.realised))
    return [first, *others[: FEW - 1]]


def _came(policy: Policy, sign: float) -> list[str]:
    assert policy.realised is not None
    told = [number(sign * policy.realised), _span(policy.interval, sign)]
    if policy.difference is None:
        return [*told, "best"]
    behind = number(sign * policy.difference)
    span = _span(policy.difference_interval, sign)
    return [*told, f"{'+' if sign * policy.difference > 0 else ''}{behind}{f' ({span})' if span else ''}"]


def _span(interval: tuple[float, float] | None, sign: float) -> str:
    if interval is None:
        return ""
    low, high = sorted(sign * end for end in interval)
    return f"{number(low)} to {number(high)}"


def _said(result: Decisions) -> list[str]:
    told = []
    half = next((policy for policy in result.policies if policy.name == "cut at 0.5"), None)
    costs, came = result.utilities.costs, result.realised_utility
    if costs and half is not None and half.realised is not None and came is not None and half.realised < came:
        assert result.threshold is not None
        told.append(f"  Acting at {result.threshold:.3g} instead of 0.5 saves {units.percent(1 - came / half.realised, 0)} of the cost.")  # fmt: skip
    worth = number(result.perfect_information)
    if result.regret is None:
        told.append(f"  Knowing what will happen would be worth {worth} a row, as the forecasts expect.")
    else:
        told.append(f"  Lost against knowing what will happen: {number(result.regret)} a row; the forecasts expected {worth}.")  # fmt: skip
    surplus = result.surplus
    if surplus is not None and not math.isnan(surplus.low) and (surplus.mean or surplus.standard_error):
        sign = -1.0 if costs else 1.0
        ends = _span((surplus.low, surplus.high), sign)
        verdict = (
            "the forecasts mislead here"
            if surplus.high < 0
            else "better than the forecasts promise"
            if surplus.low > 0
            else "nothing shows that they mislead"
            if not any(note.id == "certain-and-wrong" for note in result.notes)
            else "yet some are certain and wrong"
        )
        told.append(f"  {'Cost' if costs else 'Utility'} that came less what was expected: {number(sign * surplus.mean if abs(surplus.mean) > 1e-12 * abs(result.expected_utility) else 0.0)} ({ends}); {verdict}.")  # fmt: skip
    told += _recalibrated(result, costs=costs)
    return told


def _recalibrated(result: Decisions, *, costs: bool) -> list[str]:
    found = result.recalibration
    if found is None:
        return []
    if found.map == "identity":
        return ["  Recalibrating: no map certainly improves forecasts of rows that it has not seen."]
    span = "" if found.interval is None else f" ({_span(found.interval, 1.0)})"
    what = "saves" if costs else "adds"
    return [f"  Recalibrating ({printable(found.map)}) {what} {number(found.worth)}{span}; {units.count(found.changed, 'row')} get another action."]  # fmt: skip
