"""What is worth saying about a comparison: one sentence each, the number first, the doubt in the same sentence."""

from __future__ import annotations

import math
import shlex
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
CLIPPED = "logloss compare FILE --clip 1e-6"
JSON = "logloss compare FILE --json"


def plural(unit: str) -> str:
    """Return the name of several of what intervals are about.

    >>> plural("group"), plural("point in time")
    ('groups', 'points in time')
    """
    return "points in time" if unit == "point in time" else f"{unit}s"


def findings(result: Comparison, unit: str = "nats") -> list[Finding]:
    """Return what is worth saying: of the best and the one behind it, or of every forecast against the reference."""
    whole, result = result, shortened(result)
    told = range(len(result.pairs))[: 1 if result.reference is None else 3]
    found = [] if len(result.standings) == 2 else _best_set(whole)
    for at in told:
        pair, named = result.pairs[at], whole.pairs[at]
        said = [headline(result, pair, unit), *_fragile(pair, unit), *_parts(pair, unit), *_clipped(pair)]
        found += [_about(one, named) for one in said]
    return found


def _about(found: Finding, pair: Pair) -> Finding:
    """Return the finding with the names of both forecasts, uncut, in what is to be done next."""
    ahead = pair.verdict == "b better" or (pair.difference or 0.0) > 0
    better, worse = (pair.b, pair.a) if ahead else (pair.a, pair.b)
    call = f"comparison.pair({pair.a!r}, {pair.b!r}){found.call}"
    words = {
        "BETTER": [better],
        "WORSE": [worse],
        "BOTH": [f"{pair.a}=COLUMN", "--model", f"{pair.b}=COLUMN"],
    }
    told = [part for word in found.command.split(" ") for part in words.get(word, [word])]
    return replace(found, command=shlex.join(told), call=call)


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
        return Finding("LL061", 0.0, text, JSON, title="No difference")
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
        again = "logloss fix FILE --model BOTH"  # a pool
        text = f"Not clear that {_name(better)} beats {_name(worse)}: {gap}.{more}"
        return Finding("LL061", by, text, again, title="Not clear which is better")
    behind = result.models[worse].log_loss
    share = f", {units.percent(by / behind)} of its loss" if 0 < behind < math.inf else ""
    on = pair.a_better_on if better == pair.a else pair.b_better_on
    yet = (
        f", yet is better on only {units.percent(on, 0)} of the rows: it wins by fewer disasters"
        if on is not None and on < RARELY
        else ""
    )
    text = f"{_name(better)} beats {_name(worse)} by {gap}{share}{yet}."
    return Finding("LL060", by, text, "logloss explain FILE --forecast BETTER", title="One beats the other")


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
    return Finding("LL064", math.inf, text, CLIPPED, title="No verdict")


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
    return Finding("LL063", math.inf, text, CLIPPED, title="Exactly 0 to what happened")


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
    nats = abs(pair.difference) * pair.top_share
    return [Finding("LL062", nats, text, JSON, ".top", "Few rows bring the difference")]


def _parts(pair: Pair, unit: str) -> list[Finding]:
    """Say where a difference comes from, as how far the better one is ahead."""
    if pair.calibration is None or pair.sorting is None or not pair.difference or math.isinf(pair.difference):
        return []
    signed = partial(units.signed, in_unit=unit)
    turn = 1.0 if pair.difference > 0 else -1.0
    text = f"Where: calibration {signed(turn * pair.calibration)}, sorting {signed(turn * pair.sorting)} ({pair.parts_method})."
    command = "logloss fix FILE --forecast WORSE"
    return [
        Finding(
            "LL066", abs(pair.calibration), text, command, ".calibration", "Where the difference comes from"
        )
    ]


def _clipped(pair: Pair) -> list[Finding]:
    """Say at which clip the winner changes."""
    if pair.clip is None or pair.clip.changes_at is None:
        return []
    text = f"Which is ahead changes if both are clipped above {pair.clip.changes_at:.2g}: that hangs on forecasts nearer to 0 or 1 than this."
    command = f"logloss compare FILE --clip {pair.clip.changes_at:.2g}"
    return [Finding("LL065", abs(pair.difference or 0.0), text, command, ".clip", "A clip turns the order")]


def _best_set(result: Comparison) -> list[Finding]:
    """Say how many forecasts may be the best."""
    if result.set_level is None or not result.best_set:
        return []
    kept = result.best_set
    short = dict(zip(result.names, distinct(result.names, NAME), strict=True))
    which = ", ".join(_name(short[name]) for name in kept[:4]) + (
        f" and {len(kept) - 4} more" if len(kept) > 4 else ""
    )
    sure = f"with {100 * result.set_level:g} % confidence"
    text = (
        f"{which} is the best of {len(result.standings)}, {sure}."
        if len(kept) == 1
        else f"{len(kept)} of {len(result.standings)} may be the best, {sure}: {which}."
    )
    models = shlex.join(word for name in kept for word in ("--model", f"{name}=COLUMN"))
    command = (
        f"logloss fix FILE {models}"
        if len(kept) > 1
        else f"logloss explain FILE {shlex.join(('--forecast', kept[0]))}"
    )
    return [Finding("LL067", 0.0, text, command, "comparison.best_set", "Which may be the best")]


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
