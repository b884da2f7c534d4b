"""The strip on top of a report: how large the loss is, what it is to be seen against, what the best map would make of it."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

from logloss import units
from logloss.reporting.contents import Tile
from logloss.text import printable

if TYPE_CHECKING:
    from logloss.scoring import Score
    from logloss.why.explanation import Explanation

__all__ = ["tiles"]


def tiles(result: Explanation, unit: str) -> tuple[Tile, ...]:
    """Return the log loss, the base rate, the skill, and the loss after what would mend it."""
    score = result.score
    loss = partial(units.loss, in_unit=unit)
    told = [
        _loss(score, unit),
        Tile(f"Always saying the base rate, {unit}", loss(score.base_rate), _rates(score, unit)),
    ]
    told.append(_skill(score))
    mended = _mended(result, unit)
    return tuple(told if mended is None else [*told, mended])


def _loss(score: Score, unit: str) -> Tile:
    loss = partial(units.loss, in_unit=unit)
    if score.infinite_rows:
        rows = units.count(score.infinite_rows, "row")
        rest = (
            "" if math.isnan(score.log_loss_finite) else f"; the others average {loss(score.log_loss_finite)}"
        )
        return Tile(f"Log loss, {unit}", "infinite", f"{rows} gave 0 to what happened{rest}")
    known = (
        ""
        if score.interval is None
        else f"{100 * score.level:.6g} % interval {loss(score.interval[0])} to {loss(score.interval[1])}"
    )
    return Tile(f"Log loss, {unit}", loss(score.log_loss), known)


def _rates(score: Score, unit: str) -> str:
    summary = score.summary
    if len(summary.classes) != 2:
        return f"{len(summary.classes):,} classes by their shares here; uniform {units.loss(score.uniform, unit)}"
    share = float(summary.class_weight[1]) / summary.weight
    return f"{units.percent(share)} for {printable(summary.classes[1])}, its share here"


def _skill(score: Score) -> Tile:
    label = "It removes of the base rate's loss"
    if math.isnan(score.skill):
        return Tile(label, "undefined", "the base rate loses nothing here")
    if math.isinf(score.skill):
        return Tile(
            label,
            "nothing",
            "it is infinitely worse" if score.infinite_rows else "the base rate loses nothing here",
        )
    if score.skill < 0:
        return Tile(label, "nothing", f"it loses {units.percent(-score.skill)} more")
    return Tile(label, units.percent(score.skill), f"perplexity {units.loss(score.perplexity)}")


def _mended(result: Explanation, unit: str) -> Tile | None:
    """Return the loss after the supported steps, on rows they were not fitted on; None where that is not known."""
    parts = result.decomposition
    if parts is None or parts.remedies is None:
        return None
    score, found = result.score, parts.remedies
    label = f"After the best maps, unseen rows, {unit}"
    if not found.steps:
        return Tile(label, "the same", "no map lowers the loss")
    before = score.log_loss_finite
    gain = ""
    if math.isinf(found.log_loss):
        gain = "still infinite: "
    elif score.infinite_rows:  # these rows have a finite loss now: no difference to the mean of the others
        gain = "all rows, from infinite: "
    elif math.isfinite(found.log_loss - before):
        gain = f"{units.signed(found.log_loss - before, unit)}: "
    return Tile(
        label,
        "infinite" if math.isinf(found.log_loss) else units.loss(found.log_loss, unit),
        gain + ", then ".join(step.name.replace("_", " ") for step in found.steps),
    )
