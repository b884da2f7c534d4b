"""A comparison as one screen of plain text. Lays out numbers; computes none."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

from logloss import screens, units
from logloss.betting.wealth import since_words
from logloss.comparing import sentences
from logloss.comparing.bases import ABOUT
from logloss.comparing.evidence import odds
from logloss.text import distinct, printable, table

if TYPE_CHECKING:
    from collections.abc import Callable

    from logloss.comparing.results import Comparison, Pair, Standing

__all__ = ["comparison"]

SHOWN_ROWS = 5
SHOWN_SLICES = 8
SHOWN_MODELS = 20
WIDTH = 96
RULES = {
    "hall-t": "Hall-t",
    "jackknife": "jackknife over groups",
    "hall-t-groups": "Hall-t of groups that weigh the same",
    "ewc-t": "EWC-t over time",
    "nadeau-bengio": "Nadeau-Bengio",
}


def comparison(result: Comparison, unit: str, *, notes: bool = True) -> str:
    """Lay a comparison out."""
    result = sentences.shortened(result)
    said = sentences.findings(result, unit)
    parts = [*_wrapped(said[0].text, ""), "", _board(result, unit), "", *_counted(result)]
    for finding in said[1:]:
        parts += _wrapped(finding.text, "  ")
    first = result.pairs[0]
    parts += [
        *_targets(result, unit),
        *_beside(result.pairs),
        *_evidence(first),
        *_slices(first, unit),
        *_rows(first, unit),
    ]
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
    rule = RULES.get(result.pairs[0].rule or "", "")
    rule = f"paired, {rule}" if rule else "paired"
    line = f"  {units.count(result.n, 'row')}{drawn}{kind}; {100 * result.level:.6g} % intervals, {rule}"
    return _wrapped(line.strip(), "  ")


def _board(result: Comparison, unit: str) -> str:
    """Lay out the forecasts, best first."""
    loss, signed = partial(units.loss, in_unit=unit), partial(units.signed, in_unit=unit)
    against = "the best" if result.reference is None else printable(result.reference)
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


def _targets(result: Comparison, unit: str) -> list[str]:
    """Return what the interval after a cross-validation is about, and the one about the other thing."""
    if result.target is None:
        return []
    narrow = ": too narrow if they are nearly the same"
    text = f"Folds: the interval is about {ABOUT[result.target]}"
    other = "models" if result.target == "algorithm" else "algorithm"
    told = result.pairs[0].beside.get(other)
    if told is not None:
        ends = told["interval"] if told["difference"] > 0 else [-end for end in reversed(told["interval"])]
        shown = _to((ends[0], ends[1]), partial(units.signed, in_unit=unit))
        text += (
            narrow * (other == "algorithm") + f". About {ABOUT[other]}, it is {shown} ({RULES[told['rule']]})"
        )
        text += narrow * (other == "models")
    return _wrapped(f"{text}.", "  ")


def _beside(pairs: tuple[Pair, ...]) -> list[str]:
    """Return other rules' answers, a line each."""
    lines = []
    first = pairs[0]
    tested, watched = first.beside.get("diebold_mariano"), first.beside.get("sequential")
    if tested is not None:
        told = f"Diebold-Mariano {tested['statistic']:.2f}, corrected {tested['corrected']:.2f}, p {tested['p_value']:.2g} (horizon {tested['lags'] + 1}): as others report it; trust the interval."
        lines += _wrapped(told, "  ")
    if watched is not None:
        more = sum("sequential" in one.beside for one in pairs) - 1
        since = since_words(watched["crossed"], watched["crossed_after"])
        tried = f", for the {watched['chosen_of']} pairs it was chosen of" if watched["chosen_of"] > 1 else ""
        other = "" if not more else f" Of {units.count(more, 'other pair')}: to_dict() (CLI: --json)."
        told = f"{printable(first.a)} against {printable(first.b)}, watched row by row: {_sought(watched, first)}{since}; p {watched['p_value']:.2g}, however often one looks{tried}.{other}"
        lines += _wrapped(told, "  ")
    return lines


def _sought(watched: dict[str, Any], pair: Pair) -> str:
    """Return the verdict of two bettors, with the names as they are shown."""
    names = dict(zip((f"{name} better" for name in watched["names"]), (pair.a, pair.b), strict=True))
    named = names.get(watched["verdict"])
    return str(watched["verdict"]) if named is None else f"{printable(named)} better"


def _evidence(pair: Pair) -> list[str]:
    """Return the reading as a likelihood ratio, with its warning."""
    found = pair.beside.get("evidence")
    if found is None or not isinstance(found["nats"], float) or not found["nats"]:
        return []
    likelier, other = (pair.b, pair.a) if found["nats"] > 0 else (pair.a, pair.b)
    spread = "" if found["standard_error"] is None else f", standard error {found['standard_error']:.3g}"
    told = (
        f"As hypotheses: {odds(abs(found['nats']))} for {printable(likelier)} against {printable(other)} "
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
    rows = [["slice", "rows", f"{printable(pair.a)} - {printable(pair.b)}", "interval", "better"]]
    for one, name in zip(shown, distinct([one.name for one in shown], 32), strict=True):
        span = one.interval if one.simultaneous is None else one.simultaneous
        who = {"a better": pair.a, "b better": pair.b}.get(one.verdict, "")
        rows.append(
            [
                name,
                f"{one.rows:,}",
                "inf - inf" if one.difference is None else signed(one.difference),
                _to(span, signed),
                printable(who),
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
        f"under {printable(pair.a)}",
        f"under {printable(pair.b)}",
    ]
    rows = [head]
    shown = pair.top[:SHOWN_ROWS]
    for row, key in zip(shown, distinct([str(row.id) for row in shown], 20), strict=True):
        named = [key] if ids else []
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
