"""The section of a report that sets a forecast against another. Lays numbers out; computes none."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

from logloss import units
from logloss.reporting.contents import Picture, Section, Sheet
from logloss.text import printable

if TYPE_CHECKING:
    from logloss.comparing.results import Comparison, Pair

__all__ = ["rivals"]

LONG = 40
MOST = 12


def rivals(result: Comparison, unit: str, *, rows: bool) -> Section:
    """Return the section: one difference with its interval first, then what it hangs on."""
    labels = {"differences": "the difference", "rows": "row by row", "standings": "all forecasts"}
    pictures = tuple(
        Picture(result, kind, label, unit) for kind, label in labels.items() if kind in result.kinds
    )
    if len(result.standings) == 2:
        pictures = tuple(one for one in pictures if one.kind != "standings")
    said = tuple(one.text for one in result.findings[:1])  # the others stand among what to do
    sheets = [_board(result, unit), *_slices(result.pairs[0], unit)]
    if rows and result.pairs[0].top:
        sheets.append(_top(result.pairs[0], unit))
    reading = "Both are judged on the same rows: what counts is the interval of the difference, and whether it leaves out 0."
    reading += "" if unit == "nats" else " The sentence is in nats."
    return Section("against", "Which forecast is really better?", reading, pictures, tuple(sheets), said)


def _board(result: Comparison, unit: str) -> Sheet:
    loss, signed = partial(units.loss, in_unit=unit), partial(units.signed, in_unit=unit)
    against = "the best" if result.reference is None else printable(result.reference, LONG)
    rows = []
    for one in result.standings[:MOST]:
        span = one.difference_interval if one.simultaneous is None else one.simultaneous
        told = loss(one.log_loss)
        if math.isinf(one.log_loss) and one.log_loss_finite is not None:
            told += f" (finite rows {loss(one.log_loss_finite)})"
        between = "" if span is None else f"{signed(span[0])} to {signed(span[1])}"
        rows.append(
            (
                printable(one.name, LONG),
                told,
                "" if one.difference is None else signed(one.difference),
                between,
            )
        )
    more = f"and {len(result.standings) - MOST:,} more" if len(result.standings) > MOST else ""
    interval = f"{100 * result.level:.6g} % interval"
    return Sheet(
        "", ("forecast", f"loss, {unit}", f"less {against}, {unit}", interval), tuple(rows), "<>>>", more
    )


def _slices(pair: Pair, unit: str) -> list[Sheet]:
    if not pair.slices:
        return []
    signed = partial(units.signed, in_unit=unit)
    rows = []
    for one in pair.slices[:MOST]:
        span = one.simultaneous or one.interval
        between = "" if span is None else f"{signed(span[0])} to {signed(span[1])}"
        rows.append(
            (
                printable(one.name, LONG),
                f"{one.rows:,}",
                "" if one.difference is None else signed(one.difference),
                between,
            )
        )
    more = f"and {len(pair.slices) - MOST:,} more" if len(pair.slices) > MOST else ""
    header = (
        "slice",
        "rows",
        f"{printable(pair.a, LONG)} less {printable(pair.b, LONG)}, {unit}",
        "interval",
    )
    return [Sheet("By slice", header, tuple(rows), "<>>>", more)]


def _top(pair: Pair, unit: str) -> Sheet:
    loss = partial(units.loss, in_unit=unit)
    rows = tuple(
        (
            f"{one.row:,}",
            printable("" if one.id is None else one.id, LONG),
            printable(one.outcome, LONG),
            loss(one.a),
            loss(one.b),
        )
        for one in pair.top
    )
    a, b = printable(pair.a, LONG), printable(pair.b, LONG)
    header = ("row", "id", "happened", f"{a}, {unit}", f"{b}, {unit}")
    kept = [at for at in range(len(header)) if at > 2 or any(row[at] for row in rows)]
    return Sheet(
        "The rows that carry most of the difference, counted from 0",
        tuple(header[at] for at in kept),
        tuple(tuple(row[at] for at in kept) for row in rows),
        "".join("><<>>"[at] for at in kept),
    )
