"""A comparison as one screen of plain text. Lays out numbers; computes none."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

from logloss import screens, units
from logloss.betting.wealth import since_words
from logloss.comparing import sentences
from logloss.comparing.evidence import odds
from logloss.text import printable, table

if TYPE_CHECKING:
    from collections.abc import Callable

    from logloss.comparing.results import Comparison, Pair, Standing

__all__ = ["comparison"]

SHOWN_ROWS = 5
SHOWN_SLICES = 8
SHOWN_MODELS = 20
WIDTH = 96


def comparison(result: Comparison, unit: str, *, notes: bool = True) -> str:
    """Lay a comparison out."""
    said = sentences.findings(result, unit)
    parts = [*_wrapped(said[0].text, ""), "", _board(result, unit), "", *_counted(result)]
    for finding in said[1:]:
        parts += _wrapped(finding.text, "  ")
    first = result.pairs[0]
    parts += [*_beside(first), *_evidence(first), *_slices(first, unit), *_rows(first, unit)]
    if notes and result.notes:
        parts += ["", *screens.noted(result.notes)]
    return "\n".join(parts)


def _wrapped(text: str, indent: str) -> list[str]:
    import textwrap

    return textwrap.wrap(
        text, WIDTH, initial_indent=indent, subsequent_indent=indent + "  ", break_on_hyphens=False
    )


def _counted(result: Comparison) -> list[str]:
    """Return how many rows of what, and by which rule."""
    kind = (
        "" if result.classes is None else ", binary" if result.classes == 2 else f", {result.classes} classes"
    )
    drawn = (
        ""
        if result.unit == "row" or result.units is None
        else f" in {units.count(result.units, result.unit, sentences.plural(result.unit))}"
    )
    rule = {
        "hall-t": "paired, Hall-t",
        "jackknife": "paired, jackknife over groups",
        "ewc-t": "paired in time, EWC-t",
        "nadeau-bengio": f"paired by {result.unit}, Nadeau-Bengio",
    }.get(result.pairs[0].rule or "", "paired")
    line = f"  {units.count(result.n, 'row')}{drawn}{kind}; {100 * result.level:.6g} % intervals, {rule}"
    if result.target is not None:
        line += {"models": "; of the models that were fitted", "algorithm": "; of what fits the models"}[
            result.target
        ]
    return _wrapped(line.strip(), "  ")


def _board(result: Comparison, unit: str) -> str:
    """Lay out the forecasts, best first."""
    loss, signed = partial(units.loss, in_unit=unit), partial(units.signed, in_unit=unit)
    against = "the best" if result.reference is None else printable(result.reference, 16)
    at_once = any(one.simultaneous is not None for one in result.standings)
    rows = [
        [
            "",
            "",
            f"loss, {unit}",
            "interval",
            f"minus {against}",
            "interval" + (", all at once" if at_once else ""),
            "",
        ]
    ]
    for rank, one in enumerate(result.standings[:SHOWN_MODELS], 1):
        span = one.simultaneous if at_once else one.difference_interval
        in_set = "" if one.in_best_set is None else "may be the best" if one.in_best_set else ""
        rows.append(
            [
                str(rank),
                printable(one.name),
                loss(one.log_loss),
                _to(one.interval, loss) if math.isfinite(one.log_loss) else _finite(one, loss),
                "" if one.difference is None else signed(one.difference),
                _to(span, signed),
                in_set,
            ]
        )
    told = table(rows, "><>>>><")
    more = len(result.standings) - SHOWN_MODELS
    return told if more <= 0 else f"{told}\n  and {more:,} more"


def _finite(one: Standing, loss: Callable[[float], str]) -> str:
    return "" if one.log_loss_finite is None else f"finite rows {loss(one.log_loss_finite)}"


def _to(span: tuple[float, float] | None, shown: Callable[[float], str]) -> str:
    return "" if span is None else f"{shown(span[0])} to {shown(span[1])}"


def _beside(pair: Pair) -> list[str]:
    """Return other rules' answers, a line each."""
    lines = []
    tested, watched = pair.beside.get("diebold_mariano"), pair.beside.get("sequential")
    if tested is not None:
        told = f"Diebold-Mariano {tested['statistic']:.2f}, corrected {tested['corrected']:.2f}, p {tested['p_value']:.2g} (horizon {tested['lags'] + 1}): as others report it; trust the interval."
        lines += _wrapped(told, "  ")
    if watched is not None:
        since = since_words(watched["crossed"], watched["crossed_after"])
        tried = f", for the {watched['chosen_of']} pairs it was chosen of" if watched["chosen_of"] > 1 else ""
        told = f"Watched row by row: {printable(watched['verdict'], 60)}{since}; p {watched['p_value']:.2g}, however often one looks{tried}."
        lines += _wrapped(told, "  ")
    return lines


def _evidence(pair: Pair) -> list[str]:
    """Return the reading as a likelihood ratio, with its warning."""
    found = pair.beside.get("evidence")
    if found is None or not isinstance(found["nats"], float) or not found["nats"]:
        return []
    likelier, other = (pair.b, pair.a) if found["nats"] > 0 else (pair.a, pair.b)
    spread = "" if found["standard_error"] is None else f", standard error {found['standard_error']:.3g}"
    told = (
        f"As hypotheses: {odds(abs(found['nats']))} for {printable(likelier, 20)} against {printable(other, 20)} "
        f"(sum {abs(found['nats']):.4g} nats{spread}). That is not evidence that one is better."
    )
    return _wrapped(told, "  ")


def _slices(pair: Pair, unit: str) -> list[str]:
    """Lay out the difference by slice, those that say something first."""
    if not pair.slices:
        return []
    signed = partial(units.signed, in_unit=unit)
    sure = [one for one in pair.slices if one.verdict in ("a better", "b better")]
    rest = [one for one in pair.slices if one.verdict not in ("a better", "b better")]
    shown = [*sure, *rest][:SHOWN_SLICES]
    rows = [["slice", "rows", f"{printable(pair.a, 12)} - {printable(pair.b, 12)}", "interval", "better"]]
    for one in shown:
        span = one.interval if one.simultaneous is None else one.simultaneous
        who = {"a better": pair.a, "b better": pair.b}.get(one.verdict, "")
        rows.append(
            [
                printable(one.name, 32),
                f"{one.rows:,}",
                "inf - inf" if one.difference is None else signed(one.difference),
                _to(span, signed),
                printable(who, 16),
            ]
        )
    more = len(pair.slices) - len(shown)
    lines = [
        "",
        f"  By slice: {len(pair.slices)} tried, intervals that hold for all of them",
        table(rows, "<>>><", indent=4),
    ]
    return [*lines, *([f"    {more:,} more"] if more else [])]


def _rows(pair: Pair, unit: str) -> list[str]:
    """Lay out the rows that a difference hangs on."""
    if not pair.top:
        return []
    loss = partial(units.loss, in_unit=unit)
    ids = any(row.id is not None for row in pair.top)
    head = [
        "row",
        *(["id"] if ids else []),
        "outcome",
        f"under {printable(pair.a, 16)}",
        f"under {printable(pair.b, 16)}",
    ]
    rows = [head]
    for row in pair.top[:SHOWN_ROWS]:
        named = [printable(row.id, 16)] if ids else []
        rows.append([f"{row.row:,}", *named, _outcome(row.outcome), loss(row.a), loss(row.b)])
    more = len(pair.top) - SHOWN_ROWS
    lines = [
        "",
        f"  Rows it hangs on most, surprise in {unit}",
        table(rows, "><" + "<" * ids + ">>", indent=4),
    ]
    return [*lines, *([f"    {more} more in to_dict() (CLI: --json)"] if more > 0 else [])]


def _outcome(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return printable(", ".join(f"{one:.3g}" for one in value), 16)
    return printable(f"{value:.4g}" if isinstance(value, float) else value, 16)
