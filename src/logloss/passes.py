"""The one pass: a stream and what was asked of it -> a summary, on all cores, in bounded memory.

Batches are folded in parallel and added up in the rows' order, so that the result depends neither on the number of
threads nor on timing. An error is that of the first batch that has one; what comes after it is not looked at.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from logloss.batches import InMemory, has_length, length
from logloss.checkpoints import Checkpoints
from logloss.errors import (
    AlignmentError,
    DataError,
    LoglossError,
    OutcomeError,
    SourceError,
    WeightError,
    listing,
)
from logloss.joins import Joined
from logloss.kernels import in_order
from logloss.notes import Note
from logloss.outcomes import distinct_outcomes, labels_seen
from logloss.panel import Panel
from logloss.plan import Plan, Surprised, make
from logloss.recognise import vector
from logloss.stages import current, stage
from logloss.streams import Folder

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator

    from logloss.batches import Batch
    from logloss.choosing import Asked
    from logloss.rereading import Visit
    from logloss.summary import Summary

__all__ = ["HEAD", "Work", "driven", "finished", "fold", "height", "passed", "told"]

HEAD = 1 << 15  # rows by which the plan is made and the input looked at
# Notes on what the first rows look like, and notes on classes that they lack.
LOOKS = ("hard-labels", "rounded-to-one", "reversed", "permuted", "duplicate-ids")
UNSEEN = ("class-not-seen", "class-positions")


def fold(
    stream: Any,
    asked: Asked,
    *,
    top: int = 20,
    watch: Callable[[int, int | None], None] | None = None,
    parts: str | os.PathLike[str] | None = None,
    skip_unreadable: bool = False,
    threads: int | None = None,
) -> Summary | Panel:
    """Return the summary of a stream's rows; of several forecasts, the panel.

    Parameters
    ----------
    watch
        Called with (rows done, rows expected or None) after every batch.
    parts
        A folder in which what is done is kept: the same call goes on from there after an interruption.
    skip_unreadable
        Leave out files that turn out to be damaged (noted).
    threads
        How many; all cores if None.

    Raises
    ------
    DataError
        Where rows cannot be scored: of the first batch that has such rows.
    """
    whole, plan, work, rows, complete = passed(
        stream, asked, top, watch, parts, skip_unreadable=skip_unreadable, threads=threads
    )
    return finished(whole, told(plan, rows, complete=complete, unread=work.unread))


def passed(
    stream: Any,
    asked: Asked,
    top: int,
    watch: Callable[[int, int | None], None] | None,
    parts: str | os.PathLike[str] | None,
    *,
    skip_unreadable: bool,
    threads: int | None,
    visitor: Callable[[Plan], Any] | None = None,
) -> tuple[Any, Plan, Work, int, bool]:
    """Return the pass, its plan, what did it, how many first rows were looked at, and whether these are all.

    `visitor` makes of a plan what folds the batches instead of it.
    """
    head = stream.head(HEAD)
    rows = height(head)
    complete = (
        getattr(head, "raw_rows", rows) < HEAD and not isinstance(stream, Folder) and _is_all(head, stream)
    )
    work = Work(stream, Checkpoints(parts), watch, threads, skip_unreadable=skip_unreadable)

    def run(plan: Plan, *, first: bool) -> Any:
        try:
            return work.run(plan if visitor is None else visitor(plan), typed=first)
        except SourceError as error:
            if not (first and work.textual and stream.again) or error.slug == "ragged":
                raise
            raise Surprised from None  # a column of text is not numbers all through: read as text, it is said where

    def distinct(reason: LoglossError | None) -> dict[str, Any]:
        if not stream.again and reason is not None:
            raise reason
        if not stream.again:
            raise OutcomeError(
                "labels-come-later",
                f"The first {rows:,} rows of {stream.where} do not show all labels or how they are written, and it cannot be read twice.",
                cure="Say them: labels=[...] (CLI: --labels); or give a file.",
            )
        return distinct_outcomes(stream, head, asked)

    whole, plan = driven(head, asked, top, run, distinct, complete=complete)
    return whole, plan, work, rows, complete


def driven(
    head: Any,
    asked: Asked,
    top: int,
    run: Callable[..., Summary | Panel],
    distinct: Callable[[LoglossError | None], dict[str, Any]],
    *,
    complete: bool,
) -> tuple[Summary | Panel, Plan]:
    """Return the pass and its plan, whoever does the work.

    `run(plan, first=...)` does the pass, or raises Surprised where the plan of the first rows does not fit; then
    `distinct(reason)` finds the outcomes of all rows, and the pass is done again.
    """
    reason: LoglossError | None = None
    plan: Plan | None = None
    whole: Summary | Panel | None = None
    try:
        plan = make(head, asked, top=top, complete=complete)
        whole = run(plan, first=True)
    except Surprised as surprise:
        reason = surprise.error
    except DataError as error:
        if plan is None and not complete:
            error.message += f" (Only the first {height(head):,} rows were looked at.)"
        raise
    if plan is not None and whole is not None:
        if not any(note.id in UNSEEN for note in plan.notes):
            return whole, plan
        again = make(head, asked, top=top, complete=False, seen=labels_seen(whole), kinds=plan.kinds)
        if again.classes == plan.classes:  # by now it is known what happened
            return whole, again
    plan = make(head, asked, top=top, complete=complete, **distinct(reason))
    return run(plan, first=False), plan


def finished(whole: Summary | Panel, notes: tuple[Note, ...], *, more: bool = False) -> Summary | Panel:
    """Return the whole with its notes (or with `more` of them, in front); refuse one in which no row counts."""
    if isinstance(whole, Panel):
        summaries = {name: finished(part, notes, more=more) for name, part in whole.summaries.items()}
        return replace(whole, summaries=summaries)  # type: ignore[arg-type]  # a summary makes a summary
    return _one(whole, (*notes, *whole.notes) if more else notes)


def _one(whole: Summary, notes: tuple[Note, ...]) -> Summary:
    if not whole.mass["rows"]:
        raise AlignmentError(
            "no-rows", "Every row has a missing value.", cure="Give rows with an outcome and a forecast."
        )
    if not whole.n:
        raise WeightError(
            "bad-weights", "All weights are 0, so no row counts.", cure="Give some row a weight."
        )
    if not 1e-100 <= whole.weight <= 1e110:
        raise WeightError(
            "bad-weights",
            f"The weights sum to {whole.weight:.3g}: their squares and cubes leave the range of numbers.",
            cure="Divide them by a constant; only their ratios matter.",
        )
    return replace(whole, notes=notes)


def told(plan: Plan, rows: int, *, complete: bool, unread: list[str]) -> tuple[Note, ...]:
    """Return the notes of a plan; what only the first rows were looked at for is said to be seen there."""
    notes = [
        replace(note, text=f"{note.text} (Seen in the first {rows:,} rows.)")
        if note.id in LOOKS and not complete
        else note
        for note in plan.notes
    ]
    if unread:
        notes.append(
            Note(
                "parts-left-out",
                f"{len(unread)} files cannot be read and were left out: {listing(unread, limit=5)}.",
            )
        )
    return tuple(notes)


def _is_all(head: Any, stream: Any) -> bool:
    """Tell whether a short head is the whole table, not only the first lines of a long file."""
    return not hasattr(head, "source") or bool(head.source == stream.source)


def height(table: Any) -> int:
    """Return the number of rows of a table."""
    if isinstance(table, InMemory):
        return max((length(column) for column in table.columns.values() if has_length(column)), default=0)
    return len(vector(next(iter(table.load(table.names[:1]).values())), "A column"))


class Work:
    """The pass over a stream under a plan."""

    def __init__(
        self,
        stream: Any,
        kept: Checkpoints,
        watch: Callable[[int, int | None], None] | None,
        threads: int | None,
        *,
        skip_unreadable: bool,
    ) -> None:
        self.stream = stream
        self.kept = kept
        self.watch = watch
        self.threads = threads
        self.skip_unreadable = skip_unreadable
        self.files = list(stream.files) if isinstance(stream, Folder) else [stream]
        self.broken: dict[int, str] = {}
        self.as_text = False  # whether the last pass had the reader leave numbers as text

    @property
    def textual(self) -> bool:
        """Whether some file is text."""
        return any(file.textual for file in self.files)

    @property
    def unread(self) -> list[str]:
        """Files left out."""
        before = list(self.stream.unread) if isinstance(self.stream, Folder) else []
        return [*before, *self.broken.values()]

    def run(self, plan: Plan | Visit, *, typed: bool) -> Any:
        """Return the sum of all batches; `typed` lets the reader parse numbers."""
        self.as_text = not typed
        done, totals = 0, {}
        self.broken = {}
        if isinstance(plan, Plan):
            self.kept.begin(plan, self.files)
        for at, total in self.kept.found.items():
            totals[at], done = total, done + int(_rows_of(total))
        try:
            with stage("reading", unit="rows") as step:
                self._add_up(plan, totals, done, step, typed=typed)
        except BaseException:  # an interrupt too: what is done is kept
            self.kept.save(complete=False)
            raise
        self.kept.save(complete=True)
        if not totals:
            raise SourceError("no-rows", f"{self.stream.where} has no rows.", cure="Write the rows again.")
        ordered = [totals[at] for at in sorted(totals)]
        whole = ordered[0]
        for part in ordered[1:]:
            whole = whole + part
        return whole

    def _add_up(
        self, plan: Plan | Visit, totals: dict[int, Any], done: int, step: Any, *, typed: bool
    ) -> None:
        """Add the batches of each file to its total."""
        heard = self.watch is not None or current() is not None
        expected = self.stream.expected() if heard else None
        items = self._items(plan, typed=typed)
        for at, start, stop, result in in_order(lambda item: _folded(plan, *item), items, self.threads):
            text = typed and self.files[at].textual
            if isinstance(result, SourceError) and text and result.slug != "ragged":
                raise result  # perhaps only a column of text that is not numbers all through
            if isinstance(result, SourceError) and self.skip_unreadable:
                self.kept.drop(at)
                self.broken[at] = self.files[at].where
                totals.pop(at, None)
                continue
            if isinstance(result, BaseException):
                raise self._placed(result, at, stop)
            totals[at] = result if at not in totals else totals[at] + result
            self.kept.note(at, totals[at], stop)
            done += stop - start
            step.to(done, expected)
            if self.watch is not None:
                self.watch(done, expected)
        step.to(done, done)

    def _items(self, plan: Plan | Visit, *, typed: bool) -> Iterator[tuple[int, Any]]:
        """Yield (file, batch), and (file, error) where it breaks off."""
        names, numbers = plan.asked.columns(), plan.numbers() if typed else []
        for at, file in enumerate(self.files):
            if self.kept.finished(at):
                continue
            try:
                if isinstance(self.stream, Folder):
                    self.stream.require(file, names, plan.numbers())
                for batch in self.kept.rest(at, file, names, numbers):
                    yield at, batch
            except LoglossError as error:
                yield at, error

    def _placed(self, error: BaseException, at: int, stop: int) -> BaseException:
        """Return an error that says which file it is about, and what was not looked at."""
        if not isinstance(error, DataError) or isinstance(error, SourceError):
            return error
        file = self.files[at]
        told = error.within(file.where) if file.part and file.where not in error.message else error
        expected = self.stream.expected()
        if (
            len(self.files) == 1
            and not isinstance(self.stream, Joined)
            and (expected is None or stop < expected)
        ):
            told.message += f" Rows from {stop:,} on were not looked at."
        return told


def _folded(plan: Plan | Visit, at: int, batch: Batch | LoglossError) -> tuple[int, int, int, Any]:
    """Return (file, first row, last row + 1, summary or error); an error is raised in its turn."""
    if isinstance(batch, LoglossError):
        return at, 0, 0, batch
    start, stop = batch.start, batch.start + len(batch)
    try:
        return at, start, stop, plan.fold(batch)
    except (LoglossError, Surprised) as error:
        return at, start, stop, error


def _rows_of(total: Summary | Panel) -> float:
    summary = next(iter(total.summaries.values())) if isinstance(total, Panel) else total
    return summary.mass["rows"] + summary.skipped
