"""A comparison as a card for a notebook. Lays out numbers; computes none."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

from logloss import units
from logloss.comparing import sentences
from logloss.display.cells import Card, Grid, Line, named, remarks, span

if TYPE_CHECKING:
    from logloss.comparing.results import Comparison, Pair
    from logloss.why.findings import Finding

__all__ = ["comparison"]

LONGEST = 60  # characters of a call


def comparison(result: Comparison, unit: str) -> Card:
    """Return the card of a comparison: who is better, and what that hangs on."""
    typed = [one.call for one in result.findings]  # with the names as they are
    result = sentences.shortened(result)
    first, *others = sentences.findings(result, unit)
    head = [first.text, f"{units.count(result.n, 'row')}"]
    if result.unit != "row" and result.units is not None:
        head[-1] += f" in {units.count(result.units, result.unit, sentences.plural(result.unit))}"
    grids = [_board(result, unit)]
    if result.pairs[0].top:
        grids.append(_top(result.pairs[0], unit))
    calls = ("ll.explain(y, p)", "ll.fix(y, {...})", ".pairs")
    kinds = ("differences", "standings") if len(result.standings) > 2 else ("differences",)
    lines = tuple(_line(one, call, unit) for one, call in zip(others, typed[1:], strict=True))
    return Card(tuple(head), lines, kinds, tuple(grids), remarks(result.notes), calls, unit)


def _line(finding: Finding, call: str, unit: str) -> Line:
    worth = "" if finding.nats == 0 or math.isnan(finding.nats) else units.loss(finding.nats, unit)
    return Line(
        f"{finding.text} [{finding.id}]", worth, call if len(call) <= LONGEST and call.isprintable() else ""
    )


def _board(result: Comparison, unit: str) -> Grid:
    loss, signed = partial(units.loss, in_unit=unit), partial(units.signed, in_unit=unit)
    against = "the best" if result.reference is None else result.reference
    rows = []
    for one in result.standings:
        ends = one.difference_interval if one.simultaneous is None else one.simultaneous
        far = "" if one.difference is None else signed(one.difference)
        rows.append((named(one.name), loss(one.log_loss), span(one.interval, loss), far, span(ends, signed)))
    header = ("forecast", f"loss, {unit}", "interval", f"minus {named(against)}", "interval")
    return Grid("Best first", header, tuple(rows), "<>>>>", folded=False)


def _top(pair: Pair, unit: str) -> Grid:
    loss = partial(units.loss, in_unit=unit)
    ids = any(one.id is not None for one in pair.top)
    rows = tuple(
        (one.row, *([named(one.id)] if ids else []), named(one.outcome), loss(one.a), loss(one.b))
        for one in pair.top
    )
    header = ("row", *(["id"] if ids else []), "outcome", named(pair.a), named(pair.b))
    return Grid("The rows that bring most of the difference", header, rows, ">" + "<" * ids + "<>>")
