"""What is worth saying about a log loss: one sentence each, with its nats and the next command.

Number first, plain subject, cause; ids are stable. Findings are read off an explanation; nothing is computed here. What
a finding says would be gained was gained on rows that the map was not fitted on, and its interval excludes 0.
"""

from __future__ import annotations

import math
import shlex
from typing import TYPE_CHECKING

import numpy as np

from logloss import units
from logloss.finding import Finding
from logloss.text import printable
from logloss.why.savings import FIX, ROWS, judged, label, misread, other_way, steps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logloss.why.explanation import Explanation

    Float = NDArray[np.float64]

__all__ = ["Finding", "findings"]

ENOUGH = 100  # rows; with fewer nothing is said to be in order
CERTAIN = 5  # standard errors: which rows are looked at was chosen by their cost
DOUBTED = 3  # standard errors of the loss against what the forecasts expect
SLICE = 48  # characters of the name of a slice


def findings(result: Explanation, cost: Float, weight: Float) -> list[Finding]:
    """Return what is worth saying, most nats first; `cost` (w s) and `weight` are those of the rows, costliest first."""
    useless = _no_information(result)
    maps = [] if useless else steps(result)
    found = [
        *_infinite(result),
        *useless,
        *([] if useless else _worse_than_nothing(result)),
        *maps,
        *_slices(result),
        *([] if useless else _labels(result, bent=any(one.id == "LL024" for one in maps))),
        *_irreducible(result),
        *_concentrated(result, cost, weight),
        *_confidence(result),
        *_confused(result),
        *_certain_errors(result),
    ]
    return sorted([*_in_order(result, found), *found], key=lambda finding: -finding.nats)


def _infinite(result: Explanation) -> list[Finding]:
    score = result.score
    if not score.infinite_rows:
        return []
    rows = units.count(score.infinite_rows, "row")
    alone = math.isnan(score.log_loss_finite)
    others = "there are no others" if alone else f"the other rows average {units.loss(score.log_loss_finite)}"
    text = f"{rows} gave exactly 0 to what happened: the log loss is infinite; {others}."
    return [Finding("LL030", math.inf, text, *ROWS, "Exactly 0 to what happened")]


def _no_information(result: Explanation) -> list[Finding]:
    """Say that recalibrated forecasts do no better than the base rate: discrimination is not distinguishable from 0."""
    parts, score = result.decomposition, result.score
    if (
        parts is None
        or parts.cross_fitted is None
        or parts.discrimination_interval is None
        or score.n < ENOUGH
    ):
        return []
    low, high = parts.discrimination_interval
    best = math.inf if parts.remedies is None else parts.remedies.log_loss
    if low > 0 or high > 0.05 * parts.cross_fitted.uncertainty or best < 0.95 * score.base_rate_loo:
        return []
    known = f"{units.loss(parts.cross_fitted.discrimination)} nats [{units.loss(low)}, {units.loss(high)}]"
    behind = score.log_loss - score.base_rate_loo
    text = f"The forecasts do not tell the outcomes apart: recalibrated on unseen rows they save {known} against the base rate."
    if behind > 0:
        text += f" Saying the base rate, {units.loss(score.base_rate_loo)}, would save {units.loss(behind)}."
    return [
        Finding("LL051", max(behind, 0.0), text, "logloss score FILE", "why.score", "Outcomes not told apart")
    ]


def _worse_than_nothing(result: Explanation) -> list[Finding]:
    score = result.score
    z = result.excess_z
    if z is None or abs(z) <= DOUBTED or score.n < 10 or score.log_loss <= score.base_rate_loo:
        return []
    parts = result.decomposition
    after = None if parts is None else parts.remedies or parts.binned
    mended = after is not None and after.log_loss < 0.95 * score.base_rate_loo
    cure = (
        f"Mended as above it would be {units.loss(after.log_loss)} {judged(parts)}."
        if after is not None and mended
        else "Check the order of the columns and the positive class."
    )
    text = f"Worse than always saying the base rate: {units.loss(score.log_loss)} against {units.loss(score.base_rate_loo)}, each row left out. {cure}"
    behind = score.log_loss - score.base_rate_loo
    steps_ = () if result.decomposition is None or not mended else result.decomposition.steps
    turned = any(np.any(np.asarray(step.parameters.get("temperature", 1.0)) < 0) for step in steps_)
    look = FIX if mended and not turned else other_way(result)
    return [Finding("LL050", behind, text, *look, "Worse than the base rate")]


def _slices(result: Explanation) -> list[Finding]:
    """Say which slices are worse calibrated than the rest, or harder."""
    found = []
    for one in [] if result.slices is None else result.slices.named:
        flags = " ".join(f"--by {shlex.quote(name)}" for name in one.columns)
        where = f"Where {printable(one.name, SLICE)} ({units.count(one.rows, 'row')})"
        span, whole = one.calibration_interval, one.nats_interval
        title = f"{printable(one.name, 36)} is {one.verdict}"
        if one.verdict == "worse calibrated" and one.calibration is not None and whole is not None:
            known = "" if span is None else f" [{units.loss(span[0])}, {units.loss(span[1])}]"
            own = f"{units.loss(one.calibration)} nats a row{known} on unseen rows, {units.loss(one.nats)} of the loss"
            if one.calibration <= 0:  # no map of their own mends them, yet that of the other rows harms them
                own = f"{units.loss(one.nats)} nats of the loss on unseen rows"
            text = f"{where} the forecasts are off in their own way: an offset and a temperature there save {own} [{units.loss(whole[0])}, {units.loss(whole[1])}] beyond what the other rows ask for (p = {one.calibration_p:.2g})."
            found.append(
                Finding("LL040", one.nats, text, f"logloss explain FILE {flags}", "why.slices.named", title)
            )
        elif one.verdict == "harder" and one.harder is not None:
            text = f"{where} the loss is {units.loss(one.log_loss)}, {units.loss(one.excess)} above the mean (p = {one.p_value:.2g}), and the forecasts expect {units.loss(one.harder)} of that: harder rows, for better features."
            found.append(
                Finding("LL041", 0.0, text, f"logloss explain FILE {flags}", "why.slices.named", title)
            )
    return found


def _labels(result: Explanation, *, bent: bool) -> list[Finding]:
    """Say that labels look wrong, where that can be told from none, and what these rows cost.

    It ranks by the cost of as many as are certain. Where the forecasts are also `bent` in a shape of their own, either may
    be the cause of what looks like the other: then it is a remark.
    """
    found = result.suspects
    if found is None or not found.supported or found.expected is None or found.interval is None:
        return []
    low, high = found.interval
    if result.score.infinite_rows or found.observations.group is not None or not result.labels_hold:
        return []
    if misread(result) or low < 1:
        return []
    record, p = found.observations, np.nan_to_num(found.probability)
    weight = np.ones(len(record)) if record.weight is None else record.weight
    known = np.isfinite(found.surprise)
    nats = float((weight * p * np.where(known, found.surprise, 0.0))[known].sum() / weight.sum())
    look = (
        ""
        if found.half is None or bent
        else f" Of the {units.count(found.half, 'row')} most suspicious, {units.percent(found.precision(found.half))} should be wrong."
    )
    count, label_, rows, carry = (
        ("1", "label", "its row", "carries")
        if round(found.expected) == 1
        else (f"{found.expected:,.0f}", "labels", "their rows", "carry")
    )
    doubt = "Unless the forecasts blunder at random: look."
    if bent:  # a map of the forecasts explains the same errors
        doubt = "Unless the forecasts are off in their own shape (LL024), which looks the same: look."
    text = f"About {count} {label_} [{low:,.0f}, {high:,.0f}] {'looks' if count == '1' else 'look'} wrong ({units.percent(found.expected / found.n)}); {rows} {carry} {units.loss(nats)} of the loss.{look} {doubt}"
    sure = 0.0 if bent else nats * low / found.expected
    return [
        Finding("LL100", sure, text, "logloss suspects FILE", "ll.suspects(why.observations)", "Labels that look wrong")
    ]  # fmt: skip


def _irreducible(result: Explanation) -> list[Finding]:
    """Say how much of the loss of soft outcomes is their own entropy."""
    parts = None if result.replicated is None else result.replicated.shares
    if parts is None:
        return []
    text = f"Of {units.loss(result.score.log_loss)}, {units.loss(parts.entropy)} is the entropy of the outcomes themselves: no forecast can do better than that; {units.loss(parts.divergence)} is how far the forecasts are from them."
    return [
        Finding("LL083", 0.0, text, "logloss explain FILE --json", "why.replicated", "Outcomes that differ")
    ]


def _concentrated(result: Explanation, cost: Float, weight: Float) -> list[Finding]:
    """Say that few rows carry half of the loss, where that is more than was to be expected of them."""
    if result.half is None:
        return []
    known = np.isfinite(cost)
    finite, weight = cost[known], weight[known]
    total, k = float(finite.sum()), result.half
    share = 0.1 if k <= 10 else 0.02
    few = k <= share * len(finite) and weight[:k].sum() <= share * weight.sum()  # heavy rows cost much anyway
    if total == 0 or len(finite) < 10 or not few:
        return []
    if (
        len(result.score.summary.classes) > 2
        and result.decomposition is not None
        and result.decomposition.steps
    ):
        return []  # what is expected of them is judged by the forecasts as given, which are known to be off
    excess, z = result.blunders or (float(finite[:k].sum()), math.inf)
    if z <= CERTAIN:
        return []  # a good forecast costs most on the few rows where it is wrong
    carry, label = ("carries", "its label") if k == 1 else ("carry", "their labels")
    nats = excess / result.score.weight
    more = "" if result.blunders is None else f", {units.loss(nats)} nats more than was to be expected"
    text = f"{units.count(k, 'row')} ({units.percent(k / len(finite))}) {carry} {units.percent(float(finite[:k].sum()) / total)} of the loss{more}; look at {label} first."
    call = f"ll.explain(why.observations, rows={k}).worst"
    return [Finding("LL010", nats, text, f"logloss explain FILE --rows {k}", call, "Few rows carry the loss")]


def _confidence(result: Explanation) -> list[Finding]:
    """Without cross-fitting, judge confidence by the forecasts' own expectation."""
    parts = result.decomposition
    z, loss, expected = result.excess_z, result.score.log_loss, result.expected_log_loss
    if z is None or abs(z) <= DOUBTED or misread(result):
        return []
    if parts is not None and (
        parts.remedies is not None or (parts.binned is not None and (parts.steps or parts.binned.tried))
    ):
        return []
    word, try_next = ("Over-confident", "1.5") if z > 0 else ("Under-confident", "0.8")
    text = f"{word}: the forecasts expect a loss of {units.loss(expected)}, it is {units.loss(loss)} (z = {z:.1f})."
    if result.observations is None:
        return [Finding("LL021", abs(loss - expected), text, "logloss score FILE", "why.excess_z", word)]
    command = f"logloss explain FILE --temperature {try_next}"
    call = f"ll.explain(why.observations, temperature={try_next}).what_ifs"
    return [Finding("LL021", abs(loss - expected), text, command, call, word)]


def _confused(result: Explanation) -> list[Finding]:
    wrong = [pair for pair in result.pairs if pair["outcome"] != pair["predicted"] and pair["share"]]
    K = len(result.score.summary.classes)
    if K == 2 or not wrong or wrong[0]["rows"] < 5 or wrong[0]["share"] <= max(0.05, 3 / (K * (K - 1))):
        return []
    pair = wrong[0]
    text = f"{label(pair['outcome'])} called {label(pair['predicted'])}: {pair['rows']:.6g} rows carry {units.percent(pair['share'])} of the loss."
    return [
        Finding(
            "LL090", 0.0, text, "logloss explain FILE --json", "why.pairs", "One mistake more than others"
        )
    ]


def _certain_errors(result: Explanation) -> list[Finding]:
    errors, exact = result.census["errors"], result.census["errors_exact"]
    if not errors or exact <= 0.5 * errors:
        return []
    others = errors - exact
    every = "The only error was" if errors == 1 else f"All {errors:,} errors were"
    told = f"{every} made with a forecast of exactly 0 or 1"
    if others:
        told = f"Of {errors:,} errors only {others:,} {'was' if others == 1 else 'were'} other than exactly 0 or 1"
    text = f"{told}; score probabilities that were not rounded."
    return [Finding("LL032", 0.0, text, "logloss explain FILE --json", "why.census", "Errors made with certainty")]  # fmt: skip


def _in_order(result: Explanation, found: list[Finding]) -> list[Finding]:
    """Say that no fault of the probabilities was found, and how large one could have been overlooked."""
    parts = result.decomposition
    if parts is None or result.score.n < ENOUGH:
        return []
    if parts.binned is None and (parts.remedies is None or parts.cross_fitted is None):
        return []
    if parts.binned is not None and not parts.binned.tried:
        return []  # too few rows to fit a map to
    if any(finding.nats > 0 or finding.id == "LL051" for finding in found) or result.score.log_loss == 0:
        return []
    most = max(parts.in_sample.miscalibration, 0.0)
    left = parts.log_loss
    if parts.binned is not None:
        most = parts.binned.miscalibration[1]
        text = f"No miscalibration found: in bins of log-odds no map lowers the loss of these rows by more than chance; of {units.loss(left)} at most {units.loss(most)} could be. What is left is for better features."
        return [Finding("LL081", 0.0, text, "logloss score FILE", "why.score", "No miscalibration found")]
    text = f"No miscalibration found: no map lowers the loss of unseen rows, and of {units.loss(left)} at most {units.loss(most)} could be (fitted to these very rows). What is left is for better features."
    return [Finding("LL081", 0.0, text, "logloss score FILE", "why.score", "No miscalibration found")]
