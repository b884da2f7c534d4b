"""What to do with every batch: columns, classes and rules, settled once by the first rows; small enough to travel.

A plan made from the first rows is a guess where they do not show everything: a label that comes later
(:class:`Surprised` is raised then), a column of text that is not numbers all through. It is then made again from
the distinct outcomes of all rows. Which of the two was needed does not show in the result.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.alignment import shared
from logloss.choosing import Asked, choose, outcome_of
from logloss.codes import Coded, as_seen, distinct
from logloss.columns import as_kind, is_text, kind_of, labels_of
from logloss.errors import ColumnError, LoglossError, OutcomeError
from logloss.folding import fold_clean, fold_record
from logloss.forensics import examine
from logloss.labels import Classes, classes_of_columns, two_classes
from logloss.lanes import codes_of, floats_of, ids_of
from logloss.notes import Note, Remark
from logloss.panel import Panel
from logloss.reading import engine
from logloss.recognise import Matrix, Vector, has_columns, vector
from logloss.record import Observations
from logloss.sources import record_of
from logloss.surprises import per_row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from logloss.batches import Batch
    from logloss.columns import Table
    from logloss.summary import Summary

__all__ = ["Plan", "Surprised", "make"]

LATER = ("classes-without-column", "rows-not-one", "no-rows", "positive-unknown", "labels-count", "one-class", "too-many-classes", "columns-without-class", "no-forecast-column",
         "outcomes-not-classes")  # fmt: skip  # errors of the first rows that the rest may explain
ORDER = ("class-order", "matched-by-name", "positive-class")  # said once, when the classes are decided


Folded = tuple[
    "dict[str, Observations]", "dict[str, tuple[Summary, NDArray[np.float64] | None]]"
]  # both by forecast


class Surprised(Exception):  # noqa: N818  # not an error: the plan is made again
    """A batch holds what the first rows did not show, or they alone cannot be scored: `error` says why."""

    def __init__(self, error: LoglossError | None = None) -> None:
        super().__init__()
        self.error = error


@dataclass(frozen=True)
class Plan:
    """What to do with every batch; see the module."""

    asked: Asked  # with every column named
    classes: dict[str, tuple[Any, ...]]  # labels in order, by forecast
    kinds: dict[str, str]  # how columns of text are read: outcome, group
    notes: tuple[Note, ...]
    top: int = 20
    settled: bool = False  # made from all rows
    commas: bool = False  # text such as 0,5 may be a number

    def numbers(self) -> list[str]:
        """Return the columns that hold numbers."""
        weight = [] if self.asked.weight is None else [self.asked.weight]
        return list(
            dict.fromkeys([name for names in self.asked.forecasts().values() for name in names] + weight)
        )

    def fold(self, batch: Batch) -> Summary | Panel:
        """Return the summary of a batch; of several forecasts, the panel.

        Raises
        ------
        DataError
            Where rows cannot be scored.
        Surprised
            Where the plan does not fit this batch and may not have seen everything.
        """
        self.refuse_other_groups(batch)
        records, folded = self._folded_clean(batch) or self._folded(batch)
        summaries = {
            name: replace(summary, columns=self.roles(name)) for name, (summary, _) in folded.items()
        }
        if batch.blank:
            blank = Remark("blank-lines", batch.blank, {"": (batch.blank, ())})
            summaries = {name: one.remarked(blank) for name, one in summaries.items()}
        if not self.asked.models:
            return summaries[""]
        surprises = [surprise for _, surprise in folded.values() if surprise is not None]
        return Panel.of(summaries, np.stack(surprises), records)

    def roles(self, model: str) -> dict[str, list[str]]:
        """Return the columns of one forecast by role."""
        return replace(self.asked, forecast=list(self.asked.forecasts()[model])).roles()

    # ------------------------------------------------------------ the compiled lane

    def unchecked(self, batch: Batch) -> dict[str, Observations] | None:
        """Return a batch of plain binary probabilities as records that nobody has looked at; None for anything else."""
        asked = self.asked
        forecasts = asked.forecasts()
        if (
            asked.door["space"] != "p"
            or len(asked.outcome) != 1
            or any(len(c) != 1 for c in forecasts.values())
        ):
            return None
        codes = {
            classes: codes_of(batch.columns[asked.outcome[0]], classes, self.kinds.get("outcome"))
            for classes in set(self.classes.values())
        }
        weight = None if asked.weight is None else floats_of(batch.columns[asked.weight])
        group = None if asked.group is None else self._group(batch)
        if (weight is None) != (asked.weight is None) or (group is None) != (asked.group is None):
            return None
        rows = batch.numbers()
        ids = None if asked.ids is None else ids_of(batch.columns[asked.ids])
        found = {}
        for name, columns in forecasts.items():
            p = floats_of(batch.columns[columns[0]], narrow=True)
            code = codes[self.classes[name]]
            if p is None or code is None:
                return None
            found[name] = Observations(
                code, p, "p", self.classes[name], weight, ids, group, False, rows, batch.part
            )
        return found

    def _folded_clean(self, batch: Batch) -> Folded | None:
        """Fold plain binary probabilities without looking at them first; None where a row is not clean."""
        records = self.unchecked(batch)
        if records is None:
            return None
        found = {}
        for name, record in records.items():
            one = fold_clean(record, top=self.top, keep=bool(self.asked.models))
            if one is None:
                return None
            found[name] = one
        return records, found

    def _group(self, batch: Batch) -> Coded | None:
        column = batch.columns[self.asked.group or ""]
        if is_text(column):
            if column.null_count():
                return None
            keys = column.unique(maintain_order=True)
            kind = self.kinds.get("group", "String")
            read = as_kind(keys, kind) if batch.textual else keys
            if read is None:  # the plan is settled, yet a batch is not what all rows are
                return None
            code = column.replace_strict(keys, range(len(keys)), return_dtype=engine().Int64).to_numpy()
            return Coded(tuple(read.to_list()), code)
        values = vector(column, "The groups").values
        return None if values.dtype.kind not in "iubU" else Coded.of(values)

    # ------------------------------------------------------------ through the door

    def _folded(self, batch: Batch) -> Folded:
        """Fold whatever it is: through the door, which says what is wrong."""
        records = self.checked(batch)
        return records, {
            name: (fold_record(record, top=self.top), per_row(record)) for name, record in records.items()
        }

    def checked(self, batch: Batch) -> dict[str, Observations]:
        """Return the checked records of the rows of a batch that every forecast has; of their notes, those that count."""
        records = {name: self.record(batch, name) for name in self.asked.forecasts()}
        if len(records) > 1 and any(record.skipped for record in records.values()):
            records = shared(records, len(batch))
        return {
            name: replace(record, notes=tuple(note for note in record.notes if note.remark is not None))
            for name, record in records.items()
        }  # the rest of the notes is in self.notes

    def record(self, batch: Batch, model: str = "") -> Observations:
        """Return the checked record of a batch; of one of several forecasts."""
        asked = replace(self.asked, forecast=list(self.asked.forecasts()[model]), models={})
        door = asked.door | {"labels": list(self.classes[model]), "positive": None}
        rows = np.asarray(batch.numbers(), np.int64)
        try:
            what = self._outcome(batch)
            return record_of(
                what,
                batch.columns,
                replace(asked, door=door),
                batch,
                [],
                rows,
                batch.part,
                partial=True,
                group_kind=self.kinds.get("group"),
                commas=self.commas,
            )
        except OutcomeError as error:
            if error.slug == "classes-without-column" and not self.settled:
                raise Surprised from None
            raise

    def refuse_other_groups(self, batch: Batch) -> None:
        """Be surprised by groups in text that are not what they were in the first rows; refuse other types."""
        column = None if self.asked.group is None else batch.columns[self.asked.group]
        if column is None or not is_text(column) or self.kinds["group"] == "String":
            return
        if not batch.textual:
            raise ColumnError(
                "different-columns",
                f"Column {self.asked.group!r} holds text in {batch.where}, but none in the parts before it.",
                cure="Write the column with the same type in all parts.",
            )
        if as_kind(column, self.kinds["group"]) is None:
            raise Surprised

    def _outcome(self, batch: Batch) -> Vector | Matrix:
        kind = self.kinds.get("outcome")
        if len(self.asked.outcome) > 1 or kind is None or not batch.textual:
            return outcome_of(batch.columns, self.asked.outcome, batch)
        return labels_of(batch.columns[self.asked.outcome[0]], batch, kinds=[kind])


# ---------------------------------------------------------------- making one


def make(
    head: Table,
    asked: Asked,
    *,
    top: int,
    complete: bool,
    seen: Vector | None = None,
    kinds: dict[str, str] | None = None,
) -> Plan:
    """Return the plan for a table by its first rows.

    Parameters
    ----------
    complete
        The first rows are all rows.
    seen, kinds
        The distinct outcomes of all rows (None: fractions, or several columns of them), and how outcomes and groups
        in text are read. Without `kinds` the plan is a guess.

    Raises
    ------
    Surprised
        Where the first rows leave open what the rest may tell.
    """
    settled = complete or kinds is not None
    try:
        return _made(head, asked, top, seen, kinds or {}, complete=complete, settled=settled)
    except LoglossError as error:
        if settled or error.slug not in LATER:
            raise
        raise Surprised(error) from None


def _made(
    head: Table,
    asked: Asked,
    top: int,
    seen: Vector | None,
    kinds: dict[str, str],
    *,
    complete: bool,
    settled: bool,
) -> Plan:
    chosen, what, notes = choose(head, asked, seen)
    columns = head.load(chosen.columns())
    if isinstance(what, Vector):
        kinds = {"outcome": _kind(head, columns[chosen.outcome[0]], what)} | kinds
    if chosen.group is not None:
        read = vector(columns[chosen.group], "The groups")
        kinds = {"group": _kind(head, columns[chosen.group], read, fractions=False)} | kinds
    if seen is not None:
        what = labels_of(columns[chosen.outcome[0]], head, kinds=[kinds["outcome"]])
    classes: dict[str, tuple[Any, ...]] = {}
    for name, names in chosen.forecasts().items():
        one = replace(chosen, forecast=list(names), models={})
        if seen is not None:
            decided = _decided(seen, names, columns[names[0]], chosen.door)
            notes += decided.notes
            one = replace(one, door=chosen.door | {"labels": list(decided.labels), "positive": None})
        record = record_of(what, columns, one, head, [], partial=not complete)
        classes[name] = record.classes
        notes += [
            note for note in record.notes if note.remark is None and (seen is None or note.id not in ORDER)
        ]
        notes += examine(record, per_row(record)) if len(record) else []
    commas = any(note.id == "decimal-commas" for note in notes) or getattr(head, "separator", ",") != ","
    return Plan(chosen, classes, kinds, tuple(dict.fromkeys(notes)), top, settled, commas)


def _decided(seen: Vector, names: Sequence[str], first: Any, door: dict[str, Any]) -> Classes:
    """Decide the classes from all distinct outcomes."""
    every = distinct(seen.values)
    labels = None if door["labels"] is None else [as_seen(label, every) for label in door["labels"]]
    positive = None if door["positive"] is None else as_seen(door["positive"], every)
    if len(names) == 1 and not has_columns(first):
        return two_classes(seen, names[0], labels, positive)
    count = len(names) if len(names) > 1 else np.asarray(first).shape[1]
    return classes_of_columns(seen, list(names) if len(names) > 1 else None, count, labels)


def _kind(head: Table, column: Any, read: Vector, *, fractions: bool = True) -> str:
    """Return how a column of text is read as labels; of other columns, how text would be that means the same."""
    if is_text(column):
        return kind_of(column, fractions=fractions) if head.textual else "String"
    return {"i": "Int64", "u": "Int64", "f": "Float64", "b": "Boolean"}.get(read.values.dtype.kind, "String")
