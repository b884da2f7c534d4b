"""The answer of gap: two losses, what their difference is made of, and one sentence that says what to do."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from logloss import units
from logloss.figures.drawing import Framed
from logloss.plain import jsonable
from logloss.screens import noted
from logloss.text import printable, table, wrapped

if TYPE_CHECKING:
    from logloss.figures.drawing import Drawings
    from logloss.notes import Note
    from logloss.scoring import Score
    from logloss.why.sides import Part

__all__ = ["Gap", "verdict_of"]

LOUD = 3.0  # |z| of the excess surprise from which on a forecast is called over- or under-confident
MEANING = {
    "expected loss": "rows of which the forecast itself is less sure",
    "excess surprise": "over-confidence: more loss than it expects",
    "class mix": "other shares of the classes",
    "within classes": "other losses of the same class",
}


@dataclass(frozen=True, eq=False, repr=False)
class Gap(Framed):
    """How much more a forecast loses on validation than on training rows, and why. Losses in nats.

    Attributes
    ----------
    train, validation
        The score of each side, with its interval; `score.summary.expected` is the loss that its forecasts expect,
        `score.summary.excess_z` how far the loss is from it.
    difference
        Log loss of validation - log loss of training: inf or -inf where only one of them is infinite, NaN where both are.
    difference_finite
        The same over the rows with finite surprise, which is what the parts are about.
    standard_error, interval
        Of the difference, for independent sides, corrected for skewness; None where undefined (an infinite row,
        fewer than two rows on a side).
    parts
        Two cuts that each sum to `difference_finite`: "expected loss" and "excess surprise" (over-confidence, where
        it grows); "class mix" and "within classes". Each with its standard error (None where only a summary is
        known). Empty where a side has no finite row; without the classes where a summary does not tell them.
    classes
        For each class its `share` and `log_loss` on both sides [training, validation], and the `mix` and `within`
        that it adds to the parts.
    verdict
        One or two sentences: is the forecast over-confident on either side, how much of the gap is that, what to do.
    """

    train: Score
    validation: Score
    difference: float
    difference_finite: float
    standard_error: float | None
    interval: tuple[float, float] | None
    level: float
    parts: tuple[Part, ...]
    classes: tuple[dict[str, Any], ...]
    verdict: str
    notes: tuple[Note, ...]

    def part(self, name: str) -> Part | None:
        """Return the part of this name; None where it is not known."""
        return next((part for part in self.parts if part.name == name), None)

    def _drawings(self) -> Drawings:
        from logloss.figures.gaps import GAP

        return {"gap": GAP}

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON contract: nats; the text "inf" for infinite, None where undefined."""
        state: dict[str, Any] = jsonable(
            {
                "schema": 1,
                "train": _side(self.train),
                "validation": _side(self.validation),
                "difference": self.difference,
                "difference_finite": self.difference_finite,
                "standard_error": self.standard_error,
                "interval": self.interval,
                "level": self.level,
                "parts": [asdict(part) for part in self.parts],
                "classes": list(self.classes),
                "verdict": self.verdict,
                "notes": [{"id": note.id, "text": note.text} for note in self.notes],
            }
        )
        return state

    def __str__(self) -> str:
        """One screen of text."""
        return self.show()

    def show(self, unit: str = "nats", *, notes: bool = True) -> str:
        """Return one screen of text with losses in `unit`."""
        loss, signed = partial(units.loss, in_unit=unit), partial(units.signed, in_unit=unit)
        head = f"Validation - training: {signed(self.difference)} {unit}"
        if self.interval is not None:
            low, high = self.interval
            head += f"   {100 * self.level:.6g} % interval {signed(low)} to {signed(high)}"
        elif not math.isfinite(self.difference):
            head += f" ({signed(self.difference_finite)} over the finite rows)"
        rows = [["", "rows", "log loss", "interval", "expected", "excess", "z"]]
        for name, score in (("training", self.train), ("validation", self.validation)):
            rows.append([name, *_line(score, loss, signed)])
        sections = [[head], [table(rows, "<>>>>>>", indent=2)]]
        if self.parts:
            made = [["made of", "", "standard error", ""]]
            for part in self.parts:
                error = "" if part.standard_error is None else loss(part.standard_error)
                made.append([part.name, signed(part.nats), error, MEANING[part.name]])
            sections.append([table(made, "<>><", indent=2)])
        if len(self.classes) > 1:
            sections.append(_classes(self, loss, signed))
        sections.append([wrapped(self.verdict)])
        sections.append(noted(self.notes) if notes else [])
        return "\n\n".join("\n".join(lines) for lines in sections if lines)


def _side(score: Score) -> dict[str, Any]:
    return {
        "n": score.n,
        "log_loss": score.log_loss,
        "log_loss_finite": score.log_loss_finite,
        "infinite_rows": score.infinite_rows,
        "interval": score.interval,
        "expected_log_loss": score.summary.expected,
        "excess_z": score.summary.excess_z,
        "accuracy": score.accuracy,
    }


def _line(score: Score, loss: partial[str], signed: partial[str]) -> list[str]:
    span, z = score.interval, score.summary.excess_z
    return [
        f"{score.n:,}",
        loss(score.log_loss),
        "" if span is None else f"{loss(span[0])} to {loss(span[1])}",
        loss(score.summary.expected),
        signed(score.log_loss - score.summary.expected),
        "" if z is None else _z(z),
    ]


def _z(z: float) -> str:
    return f"{round(z, 1) + 0.0:.1f}"


def _classes(result: Gap, loss: partial[str], signed: partial[str]) -> list[str]:
    rows = [["class", "of training", "of validation", "loss", "loss", "adds"]]
    ranked = sorted(result.classes, key=lambda c: -abs(c["mix"] + c["within"]))
    for c in ranked[:8]:
        losses = ["" if value is None else loss(value) for value in c["log_loss"]]
        shares = [units.percent(share) for share in c["share"]]
        rows.append([printable(c["class"]), *shares, *losses, signed(c["mix"] + c["within"])])
    rest = len(ranked) - 8
    return [table(rows, "<>>>>>", indent=2), *([f"  and {rest} more"] if rest > 0 else [])]


def verdict_of(result: Gap) -> str:
    """Return what the gap means, in one or two sentences."""
    if any(note.id in ("reversed", "permuted") for note in result.notes):
        return "The columns of a side look misread (see the notes); cure that first, the parts mean nothing before."
    train, validation = (_belief(score) for score in (result.train, result.validation))
    both = f"The forecast is {train} on the rows it was trained on and {validation} on validation"
    if math.isinf(result.difference) or math.isnan(result.difference):
        return f"{both}: what it gave 0 and happened decides everything; look at these rows, or clip, first."
    return f"{both}: {_cause(result)}"


def _belief(score: Score) -> str:
    """Return how sure the forecast is of one side's rows, in words."""
    z = score.summary.excess_z
    if score.infinite_rows:
        return f"infinitely wrong ({units.count(score.infinite_rows, 'row')})"
    if z is None:
        return "not to be judged (z undefined)"
    word = "as sure as it should be" if abs(z) <= LOUD else "over-confident" if z > 0 else "under-confident"
    return f"{word} (z = {_z(z)})"


def _cause(result: Gap) -> str:
    """Return what the gap is for the most part, and what to do."""
    gap, excess, expected = result.difference, result.part("excess surprise"), result.part("expected loss")
    span, size = result.interval, units.loss(abs(result.difference))
    if span is None or excess is None or expected is None:
        return f"the gap is {units.signed(gap)} nats; too few rows for an interval."
    if span[0] <= 0 <= span[1]:
        told = f"the gap of {units.signed(gap)} nats is within chance ({units.signed(span[0])} to {units.signed(span[1])})"
        z = result.validation.summary.excess_z
        return f"{told}." if z is None or z <= LOUD else f"{told}; fit a temperature on validation rows."
    if gap < 0:
        return f"validation loses {size} nats less; its rows are easier, or training rows were predicted with dropout or augmentation on."
    z = result.validation.summary.excess_z
    if z is not None and z > LOUD and excess.nats > 0:
        much = f"{units.loss(excess.nats)} of the gap of {size} nats is over-confidence"
        if excess.nats > gap:
            much = f"over-confidence adds {units.loss(excess.nats)} nats, more than the gap of {size}, as it expects to lose less there"
        return f"{much}; fit a temperature on validation rows, not on training rows."
    if excess.nats > expected.nats:
        return f"{units.loss(excess.nats)} of the gap of {size} nats is that the rows it was fitted to go better than it expects; on validation there is nothing for a temperature to cure."
    return f"{units.loss(expected.nats)} of the gap of {size} nats is loss that it expects, being less sure there: a temperature would not help; regularise, or get more data."
