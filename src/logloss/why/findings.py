"""What is worth saying about a log loss: one sentence each, with its nats and the next command.

Number first, plain subject, cause; ids are stable. Findings are read off an explanation; nothing is computed here. What
a finding says would be gained was gained on rows that the map was not fitted on, and its interval excludes 0.
"""

from __future__ import annotations

import math
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from logloss import units

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from logloss.why.explanation import Explanation
    from logloss.why.steps import Step

    Float = NDArray[np.float64]

__all__ = ["Finding", "findings"]

ENOUGH = 100  # rows; with fewer nothing is said to be in order
CERTAIN = 5  # standard errors: which rows are looked at was chosen by their cost
FEW = 0.05  # share of the rows that a clip changes and are still called blunders
MISREAD = {"reversed", "permuted"}  # notes: columns that are misread look over-confident too


@dataclass(frozen=True)
class Finding:
    """One sentence: what, how many nats it is worth, and the next command. Ids are stable."""

    id: str
    nats: float
    text: str
    command: str


def findings(result: Explanation, cost: Float, weight: Float) -> list[Finding]:
    """Return what is worth saying, most nats first; `cost` (w s) and `weight` are those of the rows, costliest first."""
    useless = _no_information(result)
    found = [
        *_infinite(result),
        *useless,
        *([] if useless else _worse_than_nothing(result)),
        *([] if useless else _steps(result)),
        *_slices(result),
        *([] if useless else _labels(result)),
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
    return [Finding("LL030", math.inf, text, "logloss explain --rows 20")]


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
    return [Finding("LL051", max(behind, 0.0), text, "logloss score")]


def _worse_than_nothing(result: Explanation) -> list[Finding]:
    score = result.score
    z = result.excess_z
    if z is None or abs(z) <= 3 or score.n < 10 or score.log_loss <= score.base_rate_loo:
        return []
    parts = result.decomposition
    after = None if parts is None else parts.remedies or parts.binned
    mended = after is not None and after.log_loss < 0.95 * score.base_rate_loo
    cure = (
        f"Mended as above it would be {units.loss(after.log_loss)}."
        if after is not None and mended
        else "Check the order of the columns and the positive class."
    )
    text = f"Worse than always saying the base rate: {units.loss(score.log_loss)} against {units.loss(score.base_rate_loo)}. {cure}"
    return [Finding("LL050", score.log_loss - score.base_rate_loo, text, "logloss score --positive CLASS")]


def _steps(result: Explanation) -> list[Finding]:
    """Say what each supported step of the remedies would save."""
    parts = result.decomposition
    if parts is None:
        return []
    found = [
        _STEPS[step.name](result, step)
        for step in parts.steps
        if step.name in _STEPS
        and math.isfinite(step.gain)
        and step.gain >= 0.001 * result.score.log_loss_finite
    ]
    misread = bool({note.id for note in result.score.notes} & MISREAD)
    return [one for one in found if one.id == "LL052" or not misread]


def _saved(result: Explanation, step: Step) -> str:
    """Return what a step saves in words: nats, interval, share of the loss."""
    span = (
        "" if step.interval is None else f" [{units.loss(step.interval[0])}, {units.loss(step.interval[1])}]"
    )
    parts = result.decomposition
    where = "on unseen rows" if parts is None or parts.binned is None else "in sample"
    if not math.isfinite(result.score.log_loss):
        return f"{units.loss(step.gain)} nats{span} {where}"
    share = units.percent(step.gain / result.score.log_loss)
    return f"{units.loss(step.gain)} nats{span} {where}, {share} of the loss"


def _temperature(result: Explanation, step: Step) -> Finding:
    T = step.parameters.get("temperature", 1.0)
    if isinstance(T, float) and T < 0:
        text = f"The wrong way round: the more was said, the less it happened. Turning the log-odds round saves {_saved(result, step)}. Check the order of the columns."
        return Finding("LL052", step.gain, text, "logloss score --positive CLASS")
    word, verb = ("Over-confident", "above") if T > 1 else ("Under-confident", "below")
    expects = f"the forecasts expect a loss of {units.loss(result.expected_log_loss)}"
    text = f"{word}: one temperature {verb} 1 (T = {T:.3g}) saves {_saved(result, step)}; {expects}."
    return Finding("LL020", step.gain, text, "logloss fix")


def _prior_shift(result: Explanation, step: Step) -> Finding:
    offset = step.parameters.get("offset", 0.0)
    classes = result.score.summary.classes
    if isinstance(offset, list):
        at = int(np.argmax(np.abs(offset)))
        told = f"the log-odds of {classes[at]!r} are off most ({units.loss(offset[at])})"
    else:
        way = "too low" if offset > 0 else "too high"
        told = f"{classes[1]!r} is forecast {way} throughout, by {abs(offset):.3g} in log-odds"
    text = f"Shifted: {told}; an offset for each class saves {_saved(result, step)}."
    return Finding("LL022", step.gain, text, "logloss fix")


def _bounded(result: Explanation, step: Step) -> Finding:
    if step.name == "clip":
        eps, clip = step.parameters["clip"], result.clip
        changed = step.parameters.get("changed", 0.0)
        if clip is not None:
            upto = int(np.searchsorted(clip.curve.t, eps, side="left"))
            changed = float(clip.curve.wrong[upto - 1] + clip.curve.right[upto - 1]) if upto else 0.0
            changed /= clip.curve.weight
        cause = "Blunders" if changed <= FEW else "Over-confident where surest"
        text = f"{cause}: {units.percent(changed)} of the forecasts are surer than {1 - eps:.3g}, more than they should be. A clip there saves {_saved(result, step)}, but hides the cause: look at the costliest rows."
        return Finding("LL031", step.gain, text, f"logloss explain --clip {eps:.3g}")
    share = step.parameters["mix"]
    cause = "Blunders: some" if share <= FEW else "Over-confident where surest: many"
    text = f"{cause} forecasts are surer than they should be. Mixing in {units.percent(share)} of the uniform forecast saves {_saved(result, step)}, but hides the cause: look at the costliest rows."
    return Finding("LL033", step.gain, text, "logloss explain --rows 20")


def _class_temperature(result: Explanation, step: Step) -> Finding:
    T = np.asarray(step.parameters.get("temperature", [1.0]), float).ravel()
    classes = result.score.summary.classes
    at = int(np.argmax(np.abs(np.log(np.maximum(T, 1e-9))))) if len(T) > 1 else 0
    text = f"Classes differ in confidence: on top of that a temperature for each class saves {_saved(result, step)}; {classes[at]!r} is off most."
    return Finding("LL023", step.gain, text, "logloss fix")


def _shape(result: Explanation, step: Step) -> Finding:
    text = f"Miscalibrated in a way that offset and temperature do not mend: isotonic regression on top saves {_saved(result, step)}."
    return Finding("LL024", step.gain, text, "logloss fix")


_STEPS: dict[str, Callable[[Explanation, Step], Finding]] = {
    "temperature": _temperature,
    "prior_shift": _prior_shift,
    "clip": _bounded,
    "mix": _bounded,
    "class_temperature": _class_temperature,
    "shape": _shape,
}


def _slices(result: Explanation) -> list[Finding]:
    """Say which slices are worse calibrated than the rest, or harder."""
    found = []
    for one in [] if result.slices is None else result.slices.named:
        flags = " ".join(f"--by {shlex.quote(name)}" for name in one.columns)
        where = f"Where {one.name} ({units.count(one.rows, 'row')})"
        span, whole = one.calibration_interval, one.nats_interval
        if one.verdict == "worse calibrated" and one.calibration is not None and whole is not None:
            known = "" if span is None else f" [{units.loss(span[0])}, {units.loss(span[1])}]"
            text = f"{where} the forecasts are off in their own way: an offset and a temperature for these rows save {units.loss(one.calibration)} nats a row there{known}; {units.loss(one.nats)} of the loss [{units.loss(whole[0])}, {units.loss(whole[1])}] beyond what the other rows ask for (p = {one.calibration_p:.2g})."
            found.append(Finding("LL040", one.nats, text, f"logloss explain {flags}"))
        elif one.verdict == "harder" and one.harder is not None:
            text = f"{where} the loss is {units.loss(one.log_loss)}, {units.loss(one.excess)} above the mean (p = {one.p_value:.2g}), and the forecasts expect {units.loss(one.harder)} of that: harder rows, for better features."
            found.append(Finding("LL041", 0.0, text, f"logloss explain {flags}"))
    return found


def _labels(result: Explanation) -> list[Finding]:
    """Say that labels look wrong, where that can be told from none, and what these rows cost."""
    found = result.suspects
    if found is None or not found.supported or found.expected is None or found.interval is None:
        return []
    low, high = found.interval
    if result.score.infinite_rows or found.observations.group is not None or not result.labels_hold:
        return []
    if {note.id for note in result.score.notes} & MISREAD or low < 1:
        return []
    record, p = found.observations, np.nan_to_num(found.probability)
    weight = np.ones(len(record)) if record.weight is None else record.weight
    known = np.isfinite(found.surprise)
    nats = float((weight * p * np.where(known, found.surprise, 0.0))[known].sum() / weight.sum())
    look = (
        ""
        if found.half is None
        else f" Among the {units.count(found.half, 'row')} most suspicious, {units.percent(found.precision(found.half))} should be."
    )
    text = f"About {found.expected:,.0f} labels [{low:,.0f}, {high:,.0f}] look wrong ({units.percent(found.expected / found.n)}); their rows carry {units.loss(nats)} of the loss.{look} Unless the forecasts blunder at random: look."
    return [Finding("LL100", nats, text, "logloss suspects")]


def _irreducible(result: Explanation) -> list[Finding]:
    """Say how much of the loss of soft outcomes is their own entropy."""
    parts = None if result.replicated is None else result.replicated.shares
    if parts is None:
        return []
    text = f"Of {units.loss(result.score.log_loss)}, {units.loss(parts.entropy)} is the entropy of the outcomes themselves: no forecast can do better than that; {units.loss(parts.divergence)} is how far the forecasts are from them."
    return [Finding("LL083", 0.0, text, "logloss explain --json")]


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
    return [Finding("LL010", nats, text, f"logloss explain --rows {k}")]


def _confidence(result: Explanation) -> list[Finding]:
    """Without cross-fitting, judge confidence by the forecasts' own expectation."""
    parts = result.decomposition
    z, loss, expected = result.excess_z, result.score.log_loss, result.expected_log_loss
    if z is None or abs(z) <= 3 or {note.id for note in result.score.notes} & MISREAD:
        return []
    if parts is not None and (
        parts.remedies is not None or (parts.binned is not None and (parts.steps or parts.binned.tried))
    ):
        return []
    word, try_next = ("Over-confident", "1.5") if z > 0 else ("Under-confident", "0.8")
    text = f"{word}: the forecasts expect a loss of {units.loss(expected)}, it is {units.loss(loss)} (z = {z:.1f})."
    return [Finding("LL021", abs(loss - expected), text, f"logloss explain --temperature {try_next}")]


def _confused(result: Explanation) -> list[Finding]:
    wrong = [pair for pair in result.pairs if pair["outcome"] != pair["predicted"] and pair["share"]]
    K = len(result.score.summary.classes)
    if K == 2 or not wrong or wrong[0]["rows"] < 5 or wrong[0]["share"] <= max(0.05, 3 / (K * (K - 1))):
        return []
    pair = wrong[0]
    text = f"{pair['outcome']!r} called {pair['predicted']!r}: {pair['rows']:.6g} rows carry {units.percent(pair['share'])} of the loss."
    return [Finding("LL090", 0.0, text, "logloss explain --json")]


def _certain_errors(result: Explanation) -> list[Finding]:
    errors, exact = result.census["errors"], result.census["errors_exact"]
    if not errors or exact <= 0.5 * errors:
        return []
    return [
        Finding(
            "LL032",
            0.0,
            f"Of {errors:,} errors {f'only {errors - exact:,} were' if errors > exact else 'none was'} other than exactly 0 or 1; score probabilities that were not rounded.",
            "logloss explain --json",
        )
    ]


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
        return [Finding("LL081", 0.0, text, "logloss score")]
    text = f"No miscalibration found: no map lowers the loss of unseen rows, and of {units.loss(left)} at most {units.loss(most)} could be (fitted to these very rows). What is left is for better features."
    return [Finding("LL081", 0.0, text, "logloss score")]
