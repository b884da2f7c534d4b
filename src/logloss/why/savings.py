"""What each supported map would save on rows it was not fitted on: one sentence for each step of the remedies."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from logloss import units
from logloss.finding import Finding
from logloss.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from logloss.why.decomposition import Decomposition
    from logloss.why.explanation import Explanation
    from logloss.why.steps import Step

__all__ = [
    "FIX",
    "MISREAD",
    "NAME",
    "ROWS",
    "SMALL",
    "judged",
    "label",
    "misread",
    "other_way",
    "saved",
    "steps",
]

MISREAD = {"reversed", "permuted"}  # notes: columns that are misread look over-confident too
FEW = 0.05  # share of the rows that a clip changes and are still called blunders
SMALL = 0.001  # of the loss; what saves less is not worth a sentence
NAME = 32  # characters of a class
FIX = ("logloss fix FILE", "ll.fix(why.observations)")
ROWS = ("logloss explain FILE --rows 20", "why.worst")


def label(value: Any) -> str:
    """Return a class as it is told in a sentence."""
    return repr(printable(value, NAME)) if isinstance(value, str) else printable(repr(value), NAME)


def misread(result: Explanation) -> bool:
    """Tell whether a note says that the columns look misread."""
    return bool({note.id for note in result.score.notes} & MISREAD)


def steps(result: Explanation) -> list[Finding]:
    """Say what each supported step of the remedies would save."""
    parts = result.decomposition
    if parts is None:
        return []
    found = [
        _STEPS[step.name](result, step)
        for step in parts.steps
        if step.name in _STEPS
        and math.isfinite(step.gain)
        and step.gain >= SMALL * result.score.log_loss_finite
    ]
    off = misread(result)
    return [one for one in found if one.id == "LL052" or not off]


def saved(result: Explanation, step: Step) -> str:
    """Return what a step saves in words: nats, interval, share of the loss."""
    span = (
        "" if step.interval is None else f" [{units.loss(step.interval[0])}, {units.loss(step.interval[1])}]"
    )
    told = f"{units.loss(step.gain)} nats{span} {judged(result.decomposition)}"
    if not math.isfinite(result.score.log_loss):
        return told
    return f"{told}, {units.percent(step.gain / result.score.log_loss)} of the loss"


def judged(parts: Decomposition | None) -> str:
    """Say on which rows maps are judged."""
    return "on unseen rows" if parts is None or parts.binned is None else "in sample"


def other_way(result: Explanation) -> tuple[str, str]:
    """Return the command and the call that look at which class the forecasts are about."""
    import shlex

    classes, record = result.score.summary.classes, result.observations
    call = "why.score.summary.classes"
    one_column = record is not None and record.forecast.ndim == 1
    if not one_column:
        return "logloss score FILE", call
    return f"logloss score FILE --positive {shlex.quote(str(classes[0]))}", call


def _temperature(result: Explanation, step: Step) -> Finding:
    T = step.parameters.get("temperature", 1.0)
    if isinstance(T, float) and T < 0:
        text = f"The wrong way round: the more was said, the less it happened. Turning the log-odds round saves {saved(result, step)}. Check the order of the columns."
        return Finding("LL052", step.gain, text, *other_way(result), "The wrong way round")
    word, verb = ("Over-confident", "above") if T > 1 else ("Under-confident", "below")
    expects = f"the forecasts expect a loss of {units.loss(result.expected_log_loss)}"
    text = f"{word}: one temperature {verb} 1 (T = {T:.3g}) saves {saved(result, step)}; {expects}."
    return Finding("LL020", step.gain, text, *FIX, word)


def _prior_shift(result: Explanation, step: Step) -> Finding:
    offset = step.parameters.get("offset", 0.0)
    classes = result.score.summary.classes
    if isinstance(offset, list):
        at = int(np.argmax(np.abs(offset)))
        told = f"the log-odds of {label(classes[at])} are off most ({units.loss(offset[at])})"
    else:
        way = "too low" if offset > 0 else "too high"
        told = f"{label(classes[1])} is forecast {way} throughout, by {abs(offset):.3g} in log-odds"
    text = f"Shifted: {told}; an offset for each class saves {saved(result, step)}."
    return Finding("LL022", step.gain, text, *FIX, "Base rates are off")


def _bounded(result: Explanation, step: Step) -> Finding:
    hides = "hides the cause: look at the costliest rows"
    if step.name == "clip":
        eps, clip = step.parameters["clip"], result.clip
        changed = step.parameters.get("changed", 0.0)
        if clip is not None:
            upto = int(np.searchsorted(clip.curve.t, eps, side="left"))
            changed = float(clip.curve.wrong[upto - 1] + clip.curve.right[upto - 1]) if upto else 0.0
            changed /= clip.curve.weight
        cause = "Blunders" if changed <= FEW else "Over-confident where surest"
        text = f"{cause}: {units.percent(changed)} of the forecasts are surer than {1 - eps:.3g}, more than they should be. A clip there saves {saved(result, step)}, but {hides}."
        command = f"logloss explain FILE --clip {eps:.3g}"
        return Finding("LL031", step.gain, text, command, f"ll.explain(why.observations, clip={eps:.3g}).what_ifs", cause)  # fmt: skip
    share = step.parameters["mix"]
    few = share <= FEW
    cause = "Blunders" if few else "Over-confident where surest"
    text = f"{cause}: {'some' if few else 'many'} forecasts are surer than they should be. Mixing in {units.percent(share)} of the uniform forecast saves {saved(result, step)}, but {hides}."
    return Finding("LL033", step.gain, text, *ROWS, cause)


def _class_temperature(result: Explanation, step: Step) -> Finding:
    T = np.asarray(step.parameters.get("temperature", [1.0]), float).ravel()
    classes = result.score.summary.classes
    at = int(np.argmax(np.abs(np.log(np.maximum(T, 1e-9))))) if len(T) > 1 else 0
    text = f"Classes differ in confidence: on top of that a temperature for each class saves {saved(result, step)}; {label(classes[at])} is off most."
    return Finding("LL023", step.gain, text, *FIX, "Classes differ in confidence")


def _shape(result: Explanation, step: Step) -> Finding:
    text = f"Miscalibrated in a way that offset and temperature do not mend: isotonic regression on top saves {saved(result, step)}."
    return Finding("LL024", step.gain, text, *FIX, "Miscalibrated in its own shape")


_STEPS: dict[str, Callable[[Explanation, Step], Finding]] = {
    "temperature": _temperature,
    "prior_shift": _prior_shift,
    "clip": _bounded,
    "mix": _bounded,
    "class_temperature": _class_temperature,
    "shape": _shape,
}
