"""Decisions as one screen of plain text. Lays out numbers; computes none that are not in the result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logloss import units
from logloss.deciding.sentences import findings, span
from logloss.deciding.wording import number, rule
from logloss.screens import noted
from logloss.text import printable, table

if TYPE_CHECKING:
    from logloss.deciding.policies import Policy
    from logloss.deciding.results import Decisions
    from logloss.display.cells import Card

__all__ = ["card", "sheet"]

FEW = 8  # actions or policies shown


def sheet(result: Decisions, *, notes: bool = True) -> str:
    """Lay decisions out."""
    told = [
        _head(result),
        "",
        *_actions(result),
        "",
        *_policies(result),
        "",
        *(f"  {one.text}" for one in findings(result)),
    ]
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
    told = [number(sign * policy.realised), span(policy.interval, sign)]
    if policy.difference is None:
        return [*told, "best"]
    behind = number(sign * policy.difference)
    ends = span(policy.difference_interval, sign)
    return [*told, f"{'+' if sign * policy.difference > 0 else ''}{behind}{f' ({ends})' if ends else ''}"]


def card(result: Decisions) -> Card:
    """Return decisions as a card for a notebook."""
    from logloss.display.cells import Card, Grid, Line, named, remarks

    sign = -1.0 if result.utilities.costs else 1.0
    what = "cost" if result.utilities.costs else "utility"
    head, rows = _head(result).split("\n")
    brought = result.expected_utility if result.realised_utility is None else result.realised_utility
    told = "expected" if result.realised_utility is None else "came"
    counts = ", ".join(f"{named(name)} {count:,}" for name, count in list(result.actions.items())[:3])
    policies = tuple(
        (
            named(one.name),
            number(sign * one.expected),
            *(_came(one, sign) if result.labelled else ("", "", "")),
        )
        for one in _shown(result)
    )
    grid = Grid(
        "Ways to act, these decisions first",
        (f"{what} a row", "expected", "came", "interval", "against the best"), policies, "<>><<",
    )  # fmt: skip
    lines = tuple(Line(one.text) for one in findings(result))
    headline = (head, f"{what} a row {number(sign * brought)} ({told})", rows.strip(), counts)
    calls = (".chosen", ".expected", "ll.worth_of_calibration(y, p, ...)")
    return Card(headline, lines, ("policies", "differences"), (grid,), remarks(result.notes), calls, what)
