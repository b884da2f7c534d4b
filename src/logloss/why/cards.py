"""An explanation as a card for a notebook. Lays out numbers; computes none."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from logloss import units
from logloss.display.cells import Card, Grid, Line, named, remarks
from logloss.display.losses import headline

if TYPE_CHECKING:
    from logloss.why.explanation import Explanation
    from logloss.why.findings import Finding

__all__ = ["explanation", "line", "reported"]

LONGEST = 60  # characters of a call


def explanation(result: Explanation, unit: str) -> Card:
    """Return the card of an explanation."""
    calls = ['.report("report.html")', "ll.fix(y, p)", "ll.compare(y, {...})"]
    if result.slices is None:
        calls.append("ll.explain(y, p, by=...)")
    return Card(
        headline(result.score, unit),
        tuple(line(finding, finding.call, unit) for finding in result.findings),
        ("budget", "reliability", "payers", "baselines"),
        (_worst(result, unit),) if result.worst else (),
        remarks(result.score.notes),
        tuple(calls),
        unit,
    )


def reported(result: Explanation, unit: str) -> Card:
    """Return the card of a report: that of its explanation, and what to do with the page."""
    card = explanation(result, unit)
    lines = tuple(replace(one, call=one.call.replace("why.", "report.explanation.")) for one in card.lines)
    lines = tuple(replace(one, call=one.call if len(one.call) <= LONGEST else "") for one in lines)
    return replace(card, lines=lines, calls=(".show()", '.save("report.html")', ".to_markdown()"))


def line(finding: Finding, call: str, unit: str) -> Line:
    """Return a finding with its nats, in the unit, and the next call where it is short enough to be typed."""
    worth = "" if finding.nats == 0 or math.isnan(finding.nats) else units.loss(finding.nats, unit)
    return Line(f"{finding.text} [{finding.id}]", worth, call if len(call) <= LONGEST else "")


def _worst(result: Explanation, unit: str) -> Grid:
    loss = partial(units.loss, in_unit=unit)
    ids = any(row.id is not None for row in result.worst)
    parts = any(row.part for row in result.worst)
    header = ["row", "of"][: 1 + parts] + ["id"] * ids
    rows = [
        (
            *(row.row, named(row.part))[: 1 + parts],
            *([named(row.id)] if ids else []),
            named(row.outcome),
            f"{row.forecast:.4g}",
            named(row.predicted),
            loss(row.surprise),
            "" if row.share is None else units.percent(row.share),
        )
        for row in result.worst
    ]
    of = " (shares of the finite loss)" if result.score.infinite_rows else ""
    align = ">" + "<" * (parts + ids) + "<><>>"
    header += ["outcome", "forecast of it", "said", f"surprise, {unit}", "share"]
    return Grid(f"The rows that cost most{of}", tuple(header), tuple(rows), align)
