"""Why the winner of a race won, or why nothing did, in one sentence or two; what a user of the map should know."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from logloss import units
from logloss.calibrate.maps import Quadratic, Scaling
from logloss.finding import Finding
from logloss.notes import Note
from logloss.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from logloss.calibrate.fitted import FittedMap
    from logloss.fixing.results import Fix

__all__ = ["findings", "reason", "remarks"]


def reason(result: Fix, unit: str) -> str:
    """Return why the winner won, or why nothing is done; losses in the unit."""
    signed = partial(units.signed, in_unit=unit)
    by_name = {one.name: one for one in result.candidates}
    finite = [one for one in result.candidates if math.isfinite(one.log_loss)]
    least = min(finite, key=lambda one: one.log_loss).name if finite else result.leader
    span = result.gain_interval
    interval = (
        "" if span is None else f" ({100 * result.level:.6g} %: {signed(span[0])} to {signed(span[1])})"
    )
    best = result.map.fitted.get("best")
    more = "" if best is None else f" The best single forecast is {printable(best)}."
    if not result.leader:
        return f"Do nothing: there is too little to learn from.{more}"
    if result.chosen == "identity":
        return f"Do nothing: {_nothing(result, signed, interval)}{more}"
    plain = f"{result.chosen} ({by_name[result.chosen].said})"
    if result.chosen == least:
        first = f"Chosen: {plain}. No other has a lower loss on rows that it was not fitted on, and no simpler one comes within one standard error of it."
    else:
        first = f"Chosen: {plain}. It is the simplest that comes within one standard error of {least}, which has the lowest held-out loss."
    told = "before it" if result.timed else "without it"
    count = (
        f"{by_name[result.chosen].picked} of {result.folds - (2 if result.timed else 0)} folds chose it too"
    )
    if math.isinf(result.gain):
        return f"{first} The loss as given is infinite; chosen for each fold {told} ({count}), it is {units.loss(result.after, unit)}.{more}"
    return f"{first} Chosen and fitted for each fold by the rows {told} ({count}), it gains {signed(result.gain)} there{interval}.{more}"


def findings(result: Fix) -> list[Finding]:
    """Return what is worth saying, in one sentence: what the map saves, or that none does."""
    span, given = result.gain_interval, result.before
    ends = "" if span is None else f" [{units.loss(span[0])}, {units.loss(span[1])}]"
    again = "logloss fix FILE --json"
    if not result.leader:
        text = f"Do nothing: too little to learn a map from, {units.count(result.rows, 'row')}."
        return [Finding("LL026", 0.0, text, again, "fixed.candidates", "No map helps")]
    if result.chosen == "identity":
        doubt = "too few rows differ for an interval" if span is None else "the interval does not leave out 0"
        text = f"Do nothing: choosing a map and applying it saves {units.loss(result.gain)} nats{ends} on unseen rows; {doubt}."
        if result.leader == "identity":
            text = f"Do nothing: no map gains more than one standard error on unseen rows, of {units.loss(given)} nats."
        elif not math.isfinite(result.gain):
            text = "Do nothing: every map leaves an infinite loss, on unseen rows."
        return [Finding("LL026", 0.0, text, again, "fixed.candidates", "No map helps")]
    least = min(result.candidates, key=lambda one: one.log_loss).name
    why = (
        "because no other has a lower loss there"
        if result.chosen == least
        else f"as the simplest within one standard error of {least}"
    )
    name = printable(result.chosen)
    saved = (
        f"makes {units.loss(result.after)} of an infinite loss"
        if math.isinf(result.gain)
        else f"saves {units.loss(result.gain)} nats{ends}, {units.percent(result.gain / given)} of the loss,"
    )
    text = f"{name[:1].upper()}{name[1:]} {saved} on unseen rows; chosen {why}."
    call, title = "fixed.map", f"Recalibrate by {name}"
    return [Finding("LL025", result.gain, text, "logloss fix FILE --save map.json", call, title)]


def _nothing(result: Fix, signed: Callable[[float], str], interval: str) -> str:
    """Return why nothing is done."""
    if result.leader == "identity":
        return (
            "the forecasts as they are come within one standard error of the best map, and are the simplest."
        )
    if not math.isfinite(result.gain):
        return "every map leaves an infinite loss on rows that it was not fitted on."
    if not interval:
        return f"{result.leader} looks best, but too few rows differ to tell whether it gains."
    return f"{result.leader} looks best, but choosing and fitting for each fold by the other rows gains {signed(result.gain)} there{interval}, which may be nothing."


def remarks(result: FittedMap, how: str | None) -> list[Note]:
    """Say what a user of the map should know."""
    notes = []
    if how is not None:
        then = f" The map was then {how}." if how else ""
        notes.append(Note("raced-on-sample", f"The race was run on a random sample of the rows.{then}"))  # fmt: skip
    turns = [step.turns() for step in result.steps if isinstance(step, Quadratic)]
    notes += [
        Note("not-monotone", f"The parabola turns round at log-odds of {turn:.3g}: beyond, a higher forecast becomes a lower one. maps= without 'quadratic' leaves it out.")
        for turn in turns
        if turn is not None and abs(turn) < 20
    ]  # fmt: skip
    slopes = [step.slope for step in result.steps if isinstance(step, Scaling)]
    if slopes and np.prod(slopes, axis=0).max() < 0.0:
        notes.append(Note("turned-round", "The map turns the forecasts round: what they call likely happens less often. Were they read as those of the other class? positive=... (CLI: --positive) says which class they are about."))  # fmt: skip
    if slopes and np.prod(slopes, axis=0).min() > 1.0:
        notes.append(Note("sharpens", "The map makes forecasts more certain. Forecasts of rows that a model was trained on often look as if they needed that: be sure that it has not seen these."))  # fmt: skip
    return notes
