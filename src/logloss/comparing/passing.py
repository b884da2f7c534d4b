"""A pass over a table that keeps only what comparing its forecasts takes: surprises once, then sums of their differences."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss import kernels
from logloss.comparing.counts import Bars
from logloss.comparing.tallies import Tally
from logloss.errors import AlignmentError, WeightError
from logloss.folding import ones
from logloss.notes import Remark
from logloss.passes import HEAD, passed, told
from logloss.sources import joined_stream
from logloss.summary import together
from logloss.surprises import per_row
from logloss.tally import Table

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from logloss.batches import Batch
    from logloss.choosing import Asked
    from logloss.notes import Note
    from logloss.plan import Plan
    from logloss.record import Observations
    from logloss.sources import Opened

    Float = NDArray[np.float64]

__all__ = ["Passed", "compared"]

MOST_WEIGHT = 1e100  # the cubes of larger ones leave float64


@dataclass(frozen=True, eq=False)
class Passed:
    """What a pass kept: the tally, rows by class, rows seen, and remarks by forecast."""

    tally: Tally
    classes: tuple[Any, ...]
    by_class: Table
    rows: int
    remarks: dict[str, tuple[Remark, ...]]
    notes: tuple[Note, ...] = ()

    def __add__(self, other: Passed) -> Passed:
        """Return what was kept of both parts together."""
        return replace(
            self,
            tally=self.tally + other.tally,
            by_class=self.by_class + other.by_class,
            rows=self.rows + other.rows,
            remarks={name: together(self.remarks[name], other.remarks[name]) for name in self.remarks},
        )

    def told(self) -> tuple[Note, ...]:
        """Return all notes, each once: those that count rows put into words."""
        every = list(self.notes)
        weight = max(self.tally.weight, 5e-324)
        for remarks in self.remarks.values():
            skipped = next((remark.rows for remark in remarks if remark.id == "rows-skipped"), 0)
            every += [
                remark.note(self.rows + (skipped if remark.id == "rows-skipped" else 0), weight)
                for remark in remarks
            ]
        return tuple(dict.fromkeys(every))


@dataclass(frozen=True, eq=False)
class Lean:
    """A plan of which every batch becomes a :class:`Passed`, not a panel.

    `bars`: what a row must reach to be remembered, shared by all batches; None where some of them may be dropped.
    """

    plan: Plan
    bars: Bars | None

    @classmethod
    def of(cls, plan: Plan, *, drops: bool) -> Lean:
        """Return a new pass under a plan; `drops` says that files found damaged are left out."""
        return cls(plan, None if drops else Bars(len(plan.asked.forecasts())))

    @property
    def asked(self) -> Asked:
        """The columns."""
        return self.plan.asked

    def numbers(self) -> list[str]:
        """Return the columns that hold numbers."""
        return self.plan.numbers()

    def fold(self, batch: Batch) -> Passed:
        """Return what is kept of a batch: by the compiled lane where its rows are clean, else through the door."""
        self.plan.refuse_other_groups(batch)
        clean = _clean(self.plan.unchecked(batch))
        records, surprise = clean or _checked(self.plan.checked(batch))
        first = next(iter(records.values()))
        weight = ones(len(first)) if first.weight is None else first.weight
        blank = (Remark("blank-lines", batch.blank, {"": (batch.blank, ())}),) if batch.blank else ()
        remarks = {
            name: (*blank, *(note.remark for note in record.notes if note.remark is not None))
            for name, record in records.items()
        }
        classes = first.classes
        by_class = Table(_by_class(first, weight, len(classes)))
        return Passed(Tally.of(records, surprise, weight, self.bars), classes, by_class, len(first), remarks)


def _clean(records: dict[str, Observations] | None) -> tuple[dict[str, Observations], Float] | None:
    """Return the surprises (M, n) of binary rows that nobody has looked at; None where one is not clean.

    They are in memory that the thread's next batch uses again.
    """
    if records is None:
        return None
    from logloss.kernels import duels

    first = next(iter(records.values()))
    w = first.weight
    if w is not None and not (w.min(initial=0.0) >= 0.0 and w.max(initial=0.0) <= MOST_WEIGHT):
        return None
    surprise = kernels.scratch(len(records) * len(first)).reshape(len(records), len(first))
    for out, record in zip(surprise, records.values(), strict=True):
        y, p = kernels.as_outcome(record.outcome), kernels.as_forecast(record.forecast)
        if duels.surprises(y, p, out):
            return None
    return records, surprise


def _checked(records: dict[str, Observations]) -> tuple[dict[str, Observations], Float]:
    return records, np.stack([per_row(record) for record in records.values()])


def _by_class(record: Observations, weight: Float, K: int) -> Float:
    """Return how many rows that count had each class, shape (1, K); shares for soft outcomes."""
    if record.weight is None and record.outcome.dtype == np.int8 and K == 2:
        ones = np.count_nonzero(record.outcome)
        return np.array([[len(record) - ones, ones]], np.float64)
    counts = weight > 0
    if record.soft:
        shares = record.outcome[counts]
        shares = np.stack([1.0 - shares, shares], axis=1) if shares.ndim == 1 else shares
        return np.asarray(shares.sum(axis=0)[None])
    return np.bincount(record.outcome[counts].astype(np.int64), minlength=K)[None].astype(np.float64)


def compared(
    found: Opened,
    *,
    watch: Callable[[int, int | None], None] | None = None,
    threads: int | None = None,
) -> Passed:
    """Return what one pass over a table of several forecasts keeps; outcomes that stand apart are joined by id.

    Raises
    ------
    DataError
        Where rows cannot be scored, or none of them counts.
    """
    stream, asked = found.stream, found.asked
    assumed: list[Note] = []
    if found.answers is not None:
        stream, asked, assumed = joined_stream(stream, found.answers, asked, HEAD)
    drops = found.skip_unreadable
    run = partial(passed, skip_unreadable=drops, threads=threads, visitor=partial(Lean.of, drops=drops))
    whole: Passed
    whole, plan, work, rows, complete = run(stream, asked, 0, watch, None)
    if not whole.rows:
        raise AlignmentError(
            "no-rows", "Every row has a missing value.", cure="Give rows with an outcome and a forecast."
        )
    if not whole.tally.n:
        raise WeightError(
            "bad-weights", "All weights are 0, so no row counts.", cure="Give some row a weight."
        )
    if not 1e-100 <= whole.tally.weight <= 1e110:
        raise WeightError(
            "bad-weights",
            f"The weights sum to {whole.tally.weight:.3g}: their squares and cubes leave the range of numbers.",
            cure="Divide them by a constant; only their ratios matter.",
        )
    said = told(plan, rows, complete=complete, unread=work.unread)
    joined = () if found.answers is None else stream.notes
    return replace(whole, notes=tuple(dict.fromkeys((*assumed, *joined, *said))))
