"""An explanation as one screen of plain text. Lays out numbers; computes none."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from logloss import units
from logloss.screens import head, noted, share
from logloss.text import printable, table
from logloss.why.budgets import budget

if TYPE_CHECKING:
    from logloss.calibrate.clip import Clip
    from logloss.why.explanation import Explanation

__all__ = ["explanation"]

WIDTH = 98


def explanation(result: Explanation, unit: str, *, notes: bool = True) -> str:
    """Lay an explanation out."""
    loss = partial(units.loss, in_unit=unit)
    signed = partial(units.signed, in_unit=unit)
    sections = [
        [head(result.score, unit)],
        _findings(result, unit),
        [] if result.decomposition is None else [budget(result.decomposition, unit)],
        _belief(result, loss, signed),
        _slices(result, loss, signed),
        _suspects(result),
        []
        if result.replicated is None
        else ["  " + line if line else line for line in result.replicated.lines(unit)],
        _worst(result, loss),
        _classes(result, loss),
        _pairs(result),
        _edits(result, loss, signed),
        _what_ifs(result, loss, signed),
        noted(result.score.notes) if notes else [],
    ]
    return "\n\n".join("\n".join(lines) for lines in sections if lines)


def _belief(result: Explanation, loss: partial[str], signed: partial[str]) -> list[str]:
    text = f"  The forecasts expected {loss(result.expected_log_loss)}, got {loss(result.score.log_loss)}"
    if result.excess_z is not None:
        text += (
            f": excess {signed(result.score.log_loss - result.expected_log_loss)}, z = {result.excess_z:.1f}"
        )
    return [text, *_half(result)]


def _half(result: Explanation) -> list[str]:
    """Say which rows carry half of the loss, where only bounds are known."""
    if result.half_between is None:
        return []
    low, high = result.half_between
    many = units.count(high, "row") if low == high else f"{low:,} to {units.count(high, 'row')}"
    finite = result.score.n - result.score.infinite_rows
    return [f"  Half of the {'finite ' if result.score.infinite_rows else ''}loss is on {many} of {finite:,}"]


def _worst(result: Explanation, loss: partial[str]) -> list[str]:
    if not result.worst:
        return []
    rows = [["row", "id", "outcome", "forecast of it", "said", "surprise", "share", "together"]]
    align = "><<><>>>"
    rows += [
        [f"{r.row} of {printable(r.part, 40)}" if r.part else str(r.row), printable("" if r.id is None else r.id), printable(r.outcome), _p(r.forecast),
         printable(r.predicted), loss(r.surprise), share(r.share), share(r.cumulative)]
        for r in result.worst
    ]  # fmt: skip
    of_finite = " (shares of the finite loss)" if result.score.infinite_rows else ""
    if all(row[1] == "" for row in rows[1:]):
        rows, align = [[row[0], *row[2:]] for row in rows], align[0] + align[2:]
    return [f"  The rows that cost most{of_finite}", table(rows, align, indent=4)]


def _classes(result: Explanation, loss: partial[str]) -> list[str]:
    shown = sorted(result.classes, key=lambda c: -(c["share"] or 0.0))[:12]
    rest = len(result.classes) - len(shown)
    rows = [["class", "rows", "loss", "share"]]
    for c in shown:
        cost = "" if c["log_loss"] is None else loss(float(c["log_loss"]))
        rows.append([printable(c["class"]), f"{c['rows']:,.6g}", cost, share(c["share"])])
    return ["  By class", table(rows, "<>>>", indent=4), *([f"    and {rest} more"] if rest else [])]


def _pairs(result: Explanation) -> list[str]:
    if not result.pairs:
        return []
    rows = [["true", "said", "rows", "share of the loss"]]
    rows += [
        [printable(c["outcome"]), printable(c["predicted"]), f"{c['rows']:,.6g}", share(c["share"])]
        for c in result.pairs[:6]
    ]
    return ["  By what happened and what was said", table(rows, "<<>>", indent=4)]


def _edits(result: Explanation, loss: partial[str], signed: partial[str]) -> list[str]:
    if result.mix is not None:
        share, cost = result.mix["best"], loss(result.mix["log_loss"])
        return [f"  Mixing with uniform: best share {share:.4g} -> {cost} in this sample"]
    clip = result.clip
    if clip is None:
        return []
    advised = f"advised {clip.suggested:.4g} -> {loss(clip.suggested_log_loss)}"
    if clip.best == 0:
        return [f"  Clip: none lowers the loss of these rows; {advised}, against blunders not seen yet"]
    best = f"best at {clip.best:.4g} -> {loss(clip.log_loss)} in this sample{_held_out(clip, signed)}"
    return [f"  Clip: {best}; {advised}"]


def _what_ifs(result: Explanation, loss: partial[str], signed: partial[str]) -> list[str]:
    rows = [["what if", "loss", "change", "rows better", "worse", "paid most by"]]
    for w in result.what_ifs:
        paid = ", ".join(f"{_who(row)} ({signed(row['change'])})" for row in w.paid[:2])
        rows.append([w.name, loss(w.log_loss), signed(w.change), f"{w.better:,}", f"{w.worse:,}", paid])
    return [table(rows, "<>>>><", indent=2)] if result.what_ifs else []


def _held_out(clip: Clip, signed: partial[str]) -> str:
    if clip.gain is None:
        return ""
    if clip.gain_interval is None:
        return f"; held out {signed(-clip.gain)} (too few errors for an interval)"
    return f"; held out {signed(-clip.gain)} ({signed(-clip.gain_interval[1])} to {signed(-clip.gain_interval[0])})"


def _who(row: dict[str, Any]) -> str:
    return f"row {row['row']}" if row["id"] is None else f"id {printable(row['id'], 16)}"


def _p(p: float) -> str:
    return f"{p:.4g}" if p else "0"


def _slices(result: Explanation, loss: partial[str], signed: partial[str]) -> list[str]:
    found = result.slices
    if found is None or not found.rows:
        return []
    shown = list(found.named) or list(found.rows[:3])
    rows = [["slice", "rows", "loss", "excess", "p", "own map saves", "p"]]
    for one in shown:
        span = one.calibration_interval
        gain = "" if one.calibration is None else loss(one.calibration)
        gain += "" if span is None else f" ({loss(span[0])} to {loss(span[1])})"
        rows.append(
            [
                printable(one.name, 48),
                f"{one.rows:,}",
                loss(one.log_loss),
                signed(one.excess),
                f"{one.p_value:.2g}",
                gain,
                f"{one.calibration_p:.2g}",
            ]
        )
    unit = "groups" if found.grouped else "rows"
    told = f"  Slices: {len(found.named) or 'none'} of {found.looked_at} by {units.count(len(found.columns), 'column')} stand out; p adjusted for all of them, {unit} exchanged"
    lines = [told, table(rows, "<>>>><>", indent=4)]
    tree = result.search
    if tree is not None and tree.leaves:
        leaf = tree.leaves[0]
        lines.append(
            f"    A tree explains {units.percent(max(tree.r2, 0.0))} of the loss's variance on the other half; worst leaf: {printable(leaf.name, 80)}, {loss(leaf.log_loss)}"
            if tree.explains
            else "    No tree of these columns explains the loss on the other half of the rows"
        )
    return lines


def _suspects(result: Explanation) -> list[str]:
    found = result.suspects
    if found is None or not found.rows or all(one.id != "LL100" for one in result.findings):
        return []
    rows = [["row", "id", "label", "rather", "wrong with", "surprise"]]
    rows += [
        [str(one.row), printable("" if one.id is None else one.id), printable(one.recorded), printable(one.rather),
         units.percent(one.probability), units.loss(one.surprise)]
        for one in found.rows[:6]
    ]  # fmt: skip
    if all(row[1] == "" for row in rows[1:]):
        rows = [[row[0], *row[2:]] for row in rows]
    align = "><<<>>" if len(rows[0]) == 6 else "><<>>"
    return ["  Labels that look wrong (logloss suspects lists them all)", table(rows, align, indent=4)]


def _findings(result: Explanation, unit: str) -> list[str]:
    """Return the sentences, numbered and wrapped."""
    import textwrap

    lines = []
    for at, found in enumerate(result.findings, 1):
        first = f"  {at}. "
        text = f"{printable(found.text, 2000)} [{found.id}]"
        lines.append(
            textwrap.fill(
                text,
                WIDTH,
                initial_indent=first,
                subsequent_indent=" " * len(first),
                break_on_hyphens=False,
                break_long_words=False,
            )
        )
    return [*lines, *(["     (in nats)"] if lines and unit != "nats" else []), *_checked(result)]


def _checked(result: Explanation) -> list[str]:
    """Return one line on what was looked for and not found."""
    passed = [one.title for one in result.checked if one.state == "passed"]
    if not passed:
        return []
    head, tail = "  Checked and passed: ", " (.checked, --json)"
    told = passed
    while len(told) > 1 and len(head) + len(_and_more(told, passed)) + len(tail) > WIDTH:
        told = told[:-1]
    return [head + _and_more(told, passed) + tail]


def _and_more(told: list[str], every: list[str]) -> str:
    more = len(every) - len(told)
    return ", ".join(told) + (f" and {more} more" if more else "")
