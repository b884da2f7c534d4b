"""What was looked for and not found, with its figure; what was not looked for, and why: one check for each finding id."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from logloss import units
from logloss.finding import Check, Finding
from logloss.notes import Note
from logloss.why.findings import ENOUGH, findings
from logloss.why.savings import SMALL, judged, label, misread

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from logloss.why.explanation import Explanation

    Float = NDArray[np.float64]
    Said = tuple[bool, str]  # passed, or not looked at; the sentence

__all__ = ["IDS", "told"]

SUMMARY = "from a summary, which has no rows side by side"


def told(result: Explanation, cost: Float, weight: Float, ignore: tuple[str, ...]) -> Explanation:
    """Return the explanation with its findings, its checks, and a note on the findings that were muted."""
    every = findings(result, cost, weight)
    if result.observations is None:  # a call that needs the rows has nothing to work on
        every = [replace(one, call="") if "observations" in one.call else one for one in every]
    kept = tuple(one for one in every if one.id not in ignore)
    muted = [one.id for one in every if one.id in ignore]
    score = result.score
    if muted:
        which = ", ".join(dict.fromkeys(muted))
        note = Note("findings-muted", f"{units.count(len(muted), 'finding')} muted: {which}.")
        score = replace(score, notes=(*score.notes, note))
    return replace(
        result, score=score, findings=kept, checked=_checks(result, every, cost), muted=tuple(muted)
    )


def _checks(result: Explanation, found: list[Finding], cost: Float) -> tuple[Check, ...]:
    """Return one check for every id that was not found, in their order; those that passed first."""
    ids = {one.id for one in found}
    made = []
    for id_, (title, look) in CHECKS.items():
        if id_ in ids:
            continue
        passed, text = _rows(result, cost) if id_ == "LL010" else look(result, ids)
        if text == SUMMARY:
            text = f"{title[0].upper()}{title[1:]}: {SUMMARY}."
        made.append(Check(id_, text, "passed" if passed else "not looked at", title))
    return tuple(sorted(made, key=lambda check: check.state != "passed"))


def _rows(result: Explanation, cost: Float) -> Said:
    """Look at how many rows carry half of the loss."""
    finite = cost[np.isfinite(cost)]
    total, half = float(finite.sum()), result.half
    if half is None:
        return False, SUMMARY
    if len(finite) < 10 or total == 0:
        return False, f"Finite rows that cost something are too few: {int((finite > 0).sum()):,}."
    carries = "carries" if half == 1 else "carry"
    text = (
        f"{units.count(half, 'row')} ({units.percent(half / len(finite))}) {carries} half of the finite loss"
    )
    if len(result.score.summary.classes) > 2 and result.decomposition and result.decomposition.steps:
        return False, f"{text}; what is to be expected is not known while the forecasts are off."
    z = "" if result.blunders is None else f" (z = {result.blunders[1]:.1f})"
    return True, f"{text}, as is to be expected of such forecasts{z}."


def _exact(result: Explanation, _: set[str]) -> Said:
    return True, f"No row gave exactly 0 to what happened, of {result.score.n:,}."


def _certain(result: Explanation, _: set[str]) -> Said:
    errors, exact = result.census["errors"], result.census["errors_exact"]
    if not errors:
        return True, f"No error in {units.count(result.score.n, 'row')}."
    some = f"{exact:,}" if exact else "None"
    verb = "was" if exact <= 1 else "were"
    return True, f"{some} of {units.count(errors, 'error')} {verb} made with a forecast of exactly 0 or 1."


def _map(name: str, said: str, only: str, result: Explanation, ids: set[str]) -> Said:
    """Look at one of the maps that were tried; `only`: where it is tried at all."""
    parts, two = result.decomposition, len(result.score.summary.classes) == 2
    if (only == "two") != two and only:
        return False, f"{said}: for {'two classes' if only == 'two' else 'more than two classes'} only."
    if parts is None:
        return False, SUMMARY
    found, where = parts.remedies or parts.binned, judged(parts)
    if found is None or (parts.binned is not None and not (parts.steps or parts.binned.tried)):
        return False, f"{said}: too little to try maps on, {units.count(result.score.n, 'row')}."
    if "LL051" in ids:
        return False, f"{said}: the forecasts do not tell the outcomes apart (LL051)."
    if misread(result) or (name == "temperature" and "LL052" in ids):
        return False, f"{said}: the columns look misread, which comes first."
    step = next((one for one in (*parts.steps, *found.tried) if one.name == name), None)
    if step is None:
        return False, f"{said}: not tried."
    if math.isinf(step.gain):
        ends = "ends the infinite loss, which has no number" if step.gain > 0 else "makes the loss infinite"
        return step.gain < 0, f"{said}: it {ends}, {where}."
    if step.supported:
        small = f"less than {units.percent(SMALL)} of the loss"
        return True, f"{said} saves {units.loss(step.gain)} nats {where}, {small}."
    if step.gain == 0:
        return True, f"{said} changes nothing {where}: 0 nats."
    T = step.parameters.get("temperature") if name == "temperature" else None
    known = f" (T = {T:.3g})" if isinstance(T, float) else ""
    does, turn = ("save", 1) if step.gain > 0 else ("cost", -1)
    told = f"{said}{known} would {does} {units.loss(abs(step.gain))} nats"
    if step.interval is None:
        return True, f"{told} {where}, too few of which differ for an interval."
    low, high = sorted(turn * end for end in step.interval)
    noise = ", within noise" if low <= 0 <= high else ""
    return True, f"{told} [{units.loss(low)}, {units.loss(high)}] {where}{noise}."


def _expected(result: Explanation, _: set[str]) -> Said:
    z = result.excess_z
    if z is None:
        return False, "What the forecasts expect, against what came: no standard error is defined here."
    told = f"The forecasts expect a loss of {units.loss(result.expected_log_loss)}, it is {units.loss(result.score.log_loss)} (z = {z:.1f})"
    if abs(z) <= 3:
        return True, f"{told}."
    return False, f"{told}: what was tried on unseen rows tells more."


def _turned(result: Explanation, ids: set[str]) -> Said:
    """Look at whether more happened the more was said."""
    parts = result.decomposition
    if parts is None:
        return False, SUMMARY
    if misread(result):
        return False, "The columns look misread in another way: a note says how."
    if parts.binned is not None:
        return False, SUMMARY
    if parts.remedies is None or "LL051" in ids:
        return False, "Which way round: too little is known of what the forecasts tell apart."
    span, two = parts.discrimination_interval, len(result.score.summary.classes) == 2
    if two and parts.cross_fitted is not None and span is not None and span[0] > 0:
        worth = f"{units.loss(parts.cross_fitted.discrimination)} nats [{units.loss(span[0])}, {units.loss(span[1])}]"
        return (
            True,
            f"The right way round: the more was said, the more it happened, worth {worth} on unseen rows.",
        )
    step = next((one for one in (*parts.steps, *parts.remedies.tried) if one.name == "temperature"), None)
    T = None if step is None else step.parameters.get("temperature")
    if not two and isinstance(T, float) and T > 0:
        return True, f"The right way round: the more was said, the more it happened (T = {T:.3g})."
    return False, "Which way round: not to be told from so few rows."


def _base_rate(result: Explanation, ids: set[str]) -> Said:
    score = result.score
    if "LL051" in ids:
        return False, "Against the base rate: told by LL051."
    told = f"{units.loss(score.log_loss)} against {units.loss(score.base_rate_loo)} for always saying the base rate, each row left out"
    if math.isinf(score.log_loss):
        return False, f"Against the base rate: {told}; the infinite rows come first."
    if score.log_loss <= score.base_rate_loo:
        return True, f"Better than the base rate: {told}."
    z = result.excess_z
    if z is None or score.n < 10:
        return False, f"Against the base rate: {told}, but too few rows tell, {score.n:,}."
    return True, f"Against the base rate: {told}, which the forecasts' own doubt explains (z = {z:.1f})."


def _apart(result: Explanation, ids: set[str]) -> Said:
    """Look at whether the forecasts tell the outcomes apart."""
    parts = result.decomposition
    if parts is None or parts.binned is not None:
        return False, SUMMARY
    if parts.cross_fitted is None or parts.discrimination_interval is None or result.score.n < ENOUGH:
        return False, f"Whether outcomes are told apart: too little to tell, {units.count(result.score.n, 'row')}."  # fmt: skip
    if "LL052" in ids or misread(result):
        return False, "Whether outcomes are told apart: the columns look misread, which comes first."
    low, high = parts.discrimination_interval
    told = f"recalibrated on unseen rows they save {units.loss(parts.cross_fitted.discrimination)} nats [{units.loss(low)}, {units.loss(high)}] against the base rate"
    if low > 0:
        return True, f"The forecasts tell the outcomes apart: {told}."
    return True, f"That the forecasts tell nothing apart is not sure: {told}."


def _slices(verdict: str, result: Explanation, _: set[str]) -> Said:
    found = result.slices
    if result.observations is None:
        return False, SUMMARY
    if found is None:
        none = result.decomposition is None or result.decomposition.remedies is None
        return False, f"Slices: {'too few rows' if none else 'no columns to slice by'}."
    if not found.looked_at:
        return False, "Slices: none has rows enough."
    told = f"slices of {units.count(len(found.columns), 'column')} is {verdict}"
    if any(one.verdict == verdict for one in found.named):
        return False, f"One of {found.looked_at:,} {told}, at a cost that cannot be told."
    return True, f"None of {found.looked_at:,} {told} than chance explains."


def _labels(result: Explanation, ids: set[str]) -> Said:
    found, K = result.suspects, len(result.score.summary.classes)
    if result.observations is None:
        return False, SUMMARY
    reasons = {
        "the forecasts do not tell the outcomes apart (LL051)": "LL051" in ids,
        "more than 20 classes": found is None and K > 20,
        "too little to fit": found is None or found.expected is None or found.interval is None,
        "the infinite rows come first": bool(result.score.infinite_rows),
        "not with groups": found is not None and found.observations.group is not None,
        "the columns look misread, which comes first": misread(result),
    }
    for why, holds in reasons.items():
        if holds:
            return False, f"Label noise: {why}."
    assert found is not None
    p = "" if found.p_value is None else f" (p = {found.p_value:.2g})"
    if not found.supported:
        return True, f"Wrong labels cannot be told from none{p}."
    if not result.labels_hold:
        off = result.slices is not None and bool(result.slices.off.any())
        slices = ", and without the slices that are worse calibrated" * off
        return True, f"Were the surest 1 % of the forecasts less sure{slices}, wrong labels could not be told from none."  # fmt: skip
    assert found.interval is not None
    return True, f"Wrong labels may be none: at most {found.interval[1]:,.0f}{p}."


def _confusions(result: Explanation, _: set[str]) -> Said:
    wrong = [pair for pair in result.pairs if pair["outcome"] != pair["predicted"] and pair["share"]]
    if len(result.score.summary.classes) == 2:
        return False, "Kinds of mistakes: for more than two classes only."
    if not wrong:
        return True, f"No kind of mistake carries any of the finite loss, of {units.count(result.score.n, 'row')}."  # fmt: skip
    most = wrong[0]
    return (
        True,
        f"No kind of mistake stands out: the costliest, {label(most['outcome'])} called {label(most['predicted'])}, carries {units.percent(most['share'])} of the loss.",
    )


def _rest(result: Explanation, ids: set[str]) -> Said:
    """Say why nothing is said of what is left: that nothing is wrong is a finding itself."""
    parts = result.decomposition
    if parts is None:
        return False, SUMMARY
    if (parts.remedies or parts.binned) is None or result.score.n < ENOUGH or result.score.log_loss == 0:
        return False, f"What is left for features: too little to tell, {units.count(result.score.n, 'row')}."
    others = ids & set(CHECKS)
    return False, f"What is left for features: said once {', '.join(sorted(others))} cost nothing."


def _entropy(result: Explanation, _: set[str]) -> Said:
    if result.observations is None:
        return False, SUMMARY
    return False, "Entropy of the outcomes: they are labels, not shares, and have none."


CHECKS: dict[str, tuple[str, Callable[[Explanation, set[str]], Said]]] = {
    "LL010": ("few rows", _exact),  # looked at by _rows
    "LL020": ("temperature", partial(_map, "temperature", "One temperature", "")),
    "LL021": ("expectation", _expected),
    "LL022": ("base rates", partial(_map, "prior_shift", "An offset for each class", "")),
    "LL023": ("class temperatures", partial(_map, "class_temperature", "A temperature for each class", "more")),
    "LL024": ("shape", partial(_map, "shape", "Isotonic regression on top", "two")),
    "LL030": ("zeros", _exact),
    "LL031": ("clip", partial(_map, "clip", "A clip", "two")),
    "LL032": ("certain errors", _certain),
    "LL033": ("mixing", partial(_map, "mix", "Mixing with the uniform forecast", "more")),
    "LL040": ("slices", partial(_slices, "worse calibrated")),
    "LL041": ("hard slices", partial(_slices, "harder")),
    "LL050": ("the base rate", _base_rate),
    "LL051": ("information", _apart),
    "LL052": ("way round", _turned),
    "LL081": ("nothing to mend", _rest),
    "LL083": ("entropy", _entropy),
    "LL090": ("confusions", _confusions),
    "LL100": ("labels", _labels),
}  # fmt: skip
IDS = tuple(CHECKS)
