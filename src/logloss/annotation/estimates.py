"""The answer of estimate: the log loss of a file of which only some rows are labelled."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss import units
from logloss.annotation.estimators import Estimated, labels_for
from logloss.annotation.sampling import Selection, draw
from logloss.errors import UsageError
from logloss.figures.drawing import Framed
from logloss.plain import jsonable, plain
from logloss.screens import noted
from logloss.text import table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logloss.figures.drawing import Drawings
    from logloss.notes import Note
    from logloss.record import Observations

    Float = NDArray[np.float64]

__all__ = ["Estimate", "Known"]

NAMES = {
    "regression": "labels and forecasts (regression)",
    "labelled": "the labelled rows alone",
    "difference": "labels and forecasts (difference)",
    "horvitz_thompson": "the same, Horvitz-Thompson",
}


WORTHWHILE = 1.02  # a gain below is not worth a number


@dataclass(frozen=True, eq=False)
class Known:
    """What is known of every row that counts: arrays of shape (N,), in the order of the record."""

    record: Observations
    labelled: NDArray[np.bool_]
    surprise: Float  # of the labelled rows; that of the others means nothing
    entropy: Float
    variance: Float
    weight: Float
    inclusion: Float | None
    id_name: str = "id"


@dataclass(frozen=True, eq=False, repr=False)
class Estimate(Framed):
    """The log loss of a file of which only some rows are labelled. Losses in nats.

    Attributes
    ----------
    log_loss
        The estimate for all rows of the file; inf where a labelled row is infinite, NaN where none is labelled.
    log_loss_finite
        The same over rows with finite surprise.
    interval, interval_population
        Of the mean over this file; of the mean over the population behind it, of which the file is a sample. None where
        a labelled row is infinite, or fewer than three are labelled.
    level
        Coverage of the intervals.
    labelled, rows
        How many rows are labelled, and how many there are (without rows of weight 0).
    method
        Which of `estimates` is `log_loss`: "regression" from 30 finite labels on, "labelled" below.
    estimates
        By name, over rows with finite surprise: "labelled" (their mean), "regression" (helped by what the forecasts
        expect of all rows), "difference" (the same with slope 1), and with inclusion probabilities "horvitz_thompson".
    expected
        What the forecasts expect of themselves over all rows, their mean entropy: the log loss if they are calibrated.
    slope, correlation
        Of surprise on entropy, over the labelled rows.
    gain
        How many labelled rows alone would say as much as one does with the help of the forecasts. None where undefined.
    infinite_rows
        Labelled rows with infinite surprise.
    exposed
        Unlabelled rows whose loss may be infinite: the forecast of some class is exactly 0.
    width, more
        The total width asked for, and how many more labels it takes; None where none was asked for.
    """

    log_loss: float
    log_loss_finite: float
    standard_error: float | None
    interval: tuple[float, float] | None
    interval_population: tuple[float, float] | None
    level: float
    labelled: int
    rows: int
    method: str
    estimates: dict[str, Estimated]
    expected: float
    slope: float
    correlation: float | None
    gain: float | None
    infinite_rows: int
    exposed: int
    width: float | None
    more: int | None
    notes: tuple[Note, ...]
    deviation: float = field(repr=False)  # of one labelled row about the estimate, for plans
    known: Known = field(repr=False)

    def more_labels(self, width: float) -> int:
        """Return how many more rows to label at random for an interval of this total width (high - low), about.

        By the spread of the residuals of the labelled rows; with fewer than three of these, by what the forecasts expect of
        themselves. The skewness of the interval, and the chance in the labels to come, are left out.

        Raises
        ------
        UsageError
            For a width that is not above 0.
        """
        if not (width > 0 and math.isfinite(width)):
            raise UsageError(
                "bad-width",
                f"width is {width:g}.",
                cure="Give the total width of the interval in nats, above 0, such as 0.05.",
            )
        wanted = labels_for(width, self.deviation, self.rows, self.level, spent=2)
        return max(0, wanted - self.labelled)

    def next_rows(self, m: int, *, seed: int = 0, design: str = "random") -> Selection:
        """Draw the rows to label next, among those without a label.

        Parameters
        ----------
        m
            How many; an active design draws that many on average.
        seed
            The same seed draws the same rows.
        design
            "random": every unlabelled row alike, which serves every purpose. "active": rows whose surprise is expected
            to vary more are drawn more often; see :func:`logloss.annotation.sampling.mixture`. Not: the most uncertain rows. Their
            mean says nothing about the file, and to draw in proportion to the expected loss makes the estimate of an
            over-confident model's loss several times less sure than random draws.

        Returns
        -------
        Selection
            It remembers the probability with which every row came to be labelled, for `estimate(inclusion=)`. Where
            rows are labelled already, they count as drawn at random, or by the `inclusion` that was given.

        Raises
        ------
        UsageError
            Where m is not between 1 and the unlabelled rows, or the design of the rows labelled before is known of some
            rows only.
        """
        known = self.known
        record, free = known.record, ~known.labelled
        at, chance = draw(known.weight * np.sqrt(known.variance), free, m, design, seed)
        before = self._chance_before(known)
        total = before + (1.0 - before) * chance
        ids = None if record.ids is None else record.ids
        labelled = tuple(
            (
                record.row_number(int(i)),
                None if ids is None else ids[i],
                float(total[i]),
                None if record.soft else plain(record.classes[int(record.outcome[i])]),
            )
            for i in np.flatnonzero(known.labelled)
        )
        return Selection(
            rows=tuple(record.row_number(int(i)) for i in at),
            ids=None if ids is None else tuple(plain(ids[i]) for i in at),
            design=design,
            seed=seed,
            asked=m,
            inclusion=total,
            numbers=record.numbers(),
            labelled=labelled,
            id_name=known.id_name,
        )

    def _chance_before(self, known: Known) -> Float:
        if known.inclusion is None:
            return np.full(self.rows, self.labelled / self.rows)
        if np.isnan(known.inclusion).any():
            raise UsageError(
                "inclusion-in-part",
                f"The inclusion probabilities of {int(np.isnan(known.inclusion).sum()):,} unlabelled rows are not known, so those of a second draw cannot be told.",
                cure="Give those of all rows: Selection.inclusion of the first draw has them.",
            )
        return known.inclusion

    def _drawings(self) -> Drawings:
        from logloss.figures.doubts import ESTIMATES

        return {"estimate": ESTIMATES}

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON contract: nats; the text "inf" for an infinite loss, None where undefined."""
        names = ("log_loss", "log_loss_finite", "standard_error", "level", "labelled", "rows", "method", "expected", "slope",
                 "correlation", "gain", "infinite_rows", "exposed", "width", "more")  # fmt: skip
        state: dict[str, Any] = {"schema": 1, **{name: getattr(self, name) for name in names}}
        for name in ("interval", "interval_population"):
            span = getattr(self, name)
            state[name] = None if span is None else list(span)
        state["estimates"] = {name: asdict(one) for name, one in self.estimates.items()}
        state["classes"] = list(self.known.record.classes)
        state["notes"] = [{"id": note.id, "text": note.text} for note in self.notes]
        plainly: dict[str, Any] = jsonable(state)
        return plainly

    def __str__(self) -> str:
        """One screen of text."""
        return self.show()

    def show(self, unit: str = "nats", *, notes: bool = True) -> str:
        """Return one screen of text with losses in `unit`."""
        loss = partial(units.loss, in_unit=unit)
        parts = [_head(self, unit), "", _table(self, loss), *_help(self)]
        if self.more is not None and self.width is not None:
            share = f"{self.more:,} more labels" if self.more else "no more labels"
            parts += [
                f"  For a {100 * self.level:.6g} % interval {loss(self.width)} {unit} wide in all: about {share}."
            ]
        if notes and self.notes:
            parts += ["", *noted(self.notes)]
        return "\n".join(parts)


def _head(result: Estimate, unit: str) -> str:
    loss = partial(units.loss, in_unit=unit)
    counted = f"{result.labelled:,} of {units.count(result.rows, 'row')} labelled"
    if not result.labelled:
        return f"Log loss unknown   {counted}"
    head = f"Log loss of the file about {loss(result.log_loss)} {unit}"
    if result.infinite_rows:
        head = f"Log loss of the file inf {unit} (about {loss(result.log_loss_finite)} over the finite rows)"
    if result.interval is not None:
        head += f"   {100 * result.level:.6g} % interval {_span(result.interval, loss)}"
    return f"{head}   {counted}"


def _span(span: tuple[float | None, float | None], loss: partial[str]) -> str:
    low, high = span
    return "" if low is None or high is None else f"{loss(low)} to {loss(high)}"


def _table(result: Estimate, loss: partial[str]) -> str:
    rows = [["estimated from", "loss", "this file", "the population behind it"]]
    for name in sorted(result.estimates, key=lambda name: name != result.method):
        one = result.estimates[name]
        rows.append(
            [
                NAMES[name],
                loss(one.mean),
                _span((one.low, one.high), loss),
                _span((one.population_low, one.population_high), loss),
            ]
        )
    rows.append(["no labels, if the forecasts are calibrated", loss(result.expected), "", ""])
    return table(rows if result.estimates else [["", "loss", "", ""], *rows[1:]], "<>>>")


def _help(result: Estimate) -> list[str]:
    if result.gain is None or result.correlation is None:
        return []
    follows = f"  Surprise follows the forecasts' own uncertainty with correlation {result.correlation:.2f}"
    if result.gain < WORTHWHILE:
        return ["", f"{follows}: they add little to the labels."]
    worth = f"{result.labelled:,} labels say as much as {result.labelled * result.gain:,.0f} alone"
    return ["", f"{follows}:", f"  with their help {worth}."]
