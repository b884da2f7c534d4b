"""What is worth saying about a comparison: one sentence each, the number first, the doubt in the same sentence."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from logloss import units
from logloss.finding import Finding
from logloss.text import distinct, printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from logloss.comparing.results import Comparison, Pair

__all__ = ["findings", "headline", "plural", "shortened"]

RARELY = 0.45  # share of the rows on which a winner is better, below which that is worth saying
NAME = 24  # characters of a forecast's name
MUCH = 0.25  # of the difference in few rows


def plural(unit: str) -> str:
    """Return the name of several of what intervals are about.

    >>> plural("group"), plural("point in time")
    ('groups', 'points in time')
    """
    return "points in time" if unit == "point in time" else f"{unit}s"


def findings(result: Comparison, unit: str = "nats") -> list[Finding]:
    """Return what is worth saying: of the best and the one behind it, or of every forecast against the reference."""
    result = shortened(result)
    told = result.pairs[:1] if result.reference is None else result.pairs[:3]
    found = [] if len(result.standings) == 2 else _best_set(result)
    for pair in told:
        found += [headline(result, pair, unit), *_fragile(pair, unit), *_parts(pair, unit), *_clipped(pair)]
    return found


def shortened(result: Comparison) -> Comparison:
    """Return the comparison with long names cut, and still told apart."""
    short = dict(zip(result.names, distinct(result.names, NAME), strict=True))
    if all(name == told for name, told in short.items()):
        return result
    return replace(
        result,
        standings=tuple(replace(one, name=short[one.name]) for one in result.standings),
        pairs=tuple(replace(one, a=short[one.a], b=short[one.b]) for one in result.pairs),
        reference=None if result.reference is None else short[result.reference],
    )


def headline(result: Comparison, pair: Pair, unit: str = "nats") -> Finding:
    """Return the sentence on who is better."""
    if pair.difference is None:
        return _undefined(pair)
    if math.isinf(pair.difference):
        return _infinite(pair, unit)
    if pair.difference == 0 and pair.verdict == "tie":
        text = f"{_name(pair.a)} and {_name(pair.b)} lose the same on these rows."
        return Finding("LL061", 0.0, text, "logloss compare FILE --json")
    loss, signed = partial(units.loss, in_unit=unit), partial(units.signed, in_unit=unit)
    better, worse = (
        (pair.b, pair.a) if pair.verdict == "b better" or pair.difference > 0 else (pair.a, pair.b)
    )
    by = abs(pair.difference)
    gap = f"{loss(by)} {unit}{_beside(pair, loss if pair.verdict != 'tie' else signed)}"
    if pair.verdict not in ("a better", "b better"):
        more = (
            ""
            if pair.needed is None
            else f" About {_round(pair.needed)} {plural(pair.unit)} would settle a gap this size."
        )
        again = "logloss fix FILE --model ..."  # a pool of both
        return Finding(
            "LL061", by, f"Not clear that {_name(better)} beats {_name(worse)}: {gap}.{more}", again
        )
    behind = result.models[worse].log_loss
    share = f", {units.percent(by / behind)} of its loss" if 0 < behind < math.inf else ""
    on = pair.a_better_on if better == pair.a else pair.b_better_on
    yet = (
        f", yet is better on only {units.percent(on, 0)} of the rows: it wins by fewer disasters"
        if on is not None and on < RARELY
        else ""
    )
    return Finding(
        "LL060", by, f"{_name(better)} beats {_name(worse)} by {gap}{share}{yet}.", "logloss explain FILE"
    )


def _beside(pair: Pair, loss: Callable[[float], str]) -> str:
    """Return the interval of the difference, told as how far the better one is ahead."""
    if pair.interval is None or pair.difference is None:
        return ""
    ends = pair.interval if pair.difference > 0 else (-pair.interval[1], -pair.interval[0])
    return f" [{loss(ends[0])}, {loss(ends[1])}]"


def _undefined(pair: Pair) -> Finding:
    text = (
        f"No verdict on {_name(pair.a)} and {_name(pair.b)}: each gave 0 to what happened on rows of its own "
        f"({pair.infinite_a:,} and {pair.infinite_b:,}), and inf - inf is nothing. Clip both on purpose: --clip EPS."
        if pair.infinite_a and pair.infinite_b
        else f"No verdict on {_name(pair.a)} and {_name(pair.b)}: no row is finite under both."
    )
    return Finding("LL064", math.inf, text, "logloss compare FILE --clip 1e-6")


def _infinite(pair: Pair, unit: str) -> Finding:
    loss = partial(units.loss, in_unit=unit)
    loses, count = (pair.a, pair.infinite_a) if pair.infinite_a else (pair.b, pair.infinite_b)
    rows = units.count(count, "row")
    finite = pair.difference_finite
    rest = ""
    if finite is not None:
        ahead = pair.a if finite < 0 else pair.b
        ends = pair.interval_finite
        if ends is not None and finite < 0:
            ends = (-ends[1], -ends[0])
        span = "" if ends is None else f" [{loss(ends[0])}, {loss(ends[1])}]"
        rest = (
            " On the other rows they are equal."
            if finite == 0
            else f" On the other rows {_name(ahead)} is ahead by {loss(abs(finite))}{span}."
        )
    text = f"{_name(loses)} loses: it gave exactly 0 to what happened in {rows}, so its log loss is infinite.{rest}"
    return Finding("LL063", math.inf, text, "logloss compare FILE --clip 1e-6")


def _fragile(pair: Pair, unit: str) -> list[Finding]:
    """Say that few rows bring much of a difference."""
    if (
        pair.better is None
        or pair.difference is None
        or pair.top_share is None
        or pair.top_share < MUCH
        or not pair.top
    ):
        return []
    loss = partial(units.loss, in_unit=unit)
    signed = partial(units.signed, in_unit=unit)
    turn = 1.0 if pair.difference > 0 else -1.0
    left = ""
    if pair.without_top is not None:
        told = turn * pair.without_top
        ends = pair.without_top_interval
        if ends is not None and turn < 0:
            ends = (-ends[1], -ends[0])
        span = "" if ends is None else f" [{signed(ends[0])}, {signed(ends[1])}]"
        left = f"; without {'it' if len(pair.top) == 1 else 'them'} {signed(told)}{span}"
    verb = "brings" if len(pair.top) == 1 else "bring"
    text = f"{units.count(len(pair.top), 'row')} {verb} {units.percent(pair.top_share, 0)} of the {loss(abs(pair.difference))}{left}."
    return [Finding("LL062", abs(pair.difference) * pair.top_share, text, "logloss compare FILE --json")]


def _parts(pair: Pair, unit: str) -> list[Finding]:
    """Say where a difference comes from, as how far the better one is ahead."""
    if pair.calibration is None or pair.sorting is None or not pair.difference or math.isinf(pair.difference):
        return []
    signed = partial(units.signed, in_unit=unit)
    turn = 1.0 if pair.difference > 0 else -1.0
    text = f"Where: calibration {signed(turn * pair.calibration)}, sorting {signed(turn * pair.sorting)} ({pair.parts_method})."
    return [Finding("LL066", abs(pair.calibration), text, "logloss fix FILE")]


def _clipped(pair: Pair) -> list[Finding]:
    """Say at which clip the winner changes."""
    if pair.clip is None or pair.clip.changes_at is None:
        return []
    text = f"Which is ahead changes if both are clipped above {pair.clip.changes_at:.2g}: that hangs on forecasts nearer to 0 or 1 than this."
    return [Finding("LL065", abs(pair.difference or 0.0), text, "logloss compare FILE --clip EPS")]


def _best_set(result: Comparison) -> list[Finding]:
    """Say how many forecasts may be the best."""
    if result.set_level is None or not result.best_set:
        return []
    kept = result.best_set
    which = ", ".join(_name(name) for name in kept[:4]) + (
        f" and {len(kept) - 4} more" if len(kept) > 4 else ""
    )
    sure = f"with {100 * result.set_level:g} % confidence"
    text = (
        f"{which} is the best of {len(result.standings)}, {sure}."
        if len(kept) == 1
        else f"{len(kept)} of {len(result.standings)} may be the best, {sure}: {which}."
    )
    return [Finding("LL067", 0.0, text, "logloss fix FILE --model ...")]


def _name(name: str) -> str:
    return printable(name, NAME)


def _round(number: float) -> str:
    """Return a count in two digits, as it is about that many.

    >>> _round(40321.0), _round(7.2)
    ('40,000', '8')
    """
    if number < 100:
        return f"{math.ceil(number):,}"
    if number >= 1e12:
        return f"{number:.1e}"
    scale = 10.0 ** (math.floor(math.log10(number)) - 1)
    return f"{int(round(number / scale) * scale):,}"
