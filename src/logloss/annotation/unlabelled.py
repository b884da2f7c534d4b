"""Anything with outcomes of only some rows -> one checked record of all rows, and which of them are labelled.

A row without an outcome passes the door with one that others have, so that its forecast is checked like theirs: the
same classes, the same order of columns. What that outcome would have cost is never used.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.choosing import Asked, choose
from logloss.codes import as_labels
from logloss.columns import IDS, Table, is_text, labels_of, numbers_of, require
from logloss.errors import AlignmentError, UsageError, WeightError, listing, places
from logloss.joining import pair
from logloss.labels import names_class
from logloss.notes import Note
from logloss.observations import observe
from logloss.recognise import Matrix, Vector, has_columns, matrix, missing_mask, vector
from logloss.sources import Opened, choose_joined, is_rows, opened, record_of
from logloss.stages import staged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from logloss.record import Observations

    Mask = NDArray[np.bool_]
    Float = NDArray[np.float64]

__all__ = ["Partly", "partly", "partly_of"]

WORDS = ("na", "n/a", "nan", "null", "none", "?")  # text that other tools write where there is no label
MOOT = ("class-not-seen", "class-positions")  # notes on outcomes, where there are none


@dataclass(frozen=True, eq=False)
class Partly:
    """A record of all rows, which of them are labelled, their inclusion probabilities (NaN where unknown)."""

    record: Observations
    labelled: Mask
    inclusion: Float | None = None
    id_name: str = "id"
    columns: tuple[str, ...] = ()  # of the forecast, in a table


def partly(data: Any, forecast: Any = None, *, inclusion: Any = None, **options: Any) -> Partly:
    """Return the checked record of all rows, labelled or not; `options` are the table arguments of `ll.score`."""
    if isinstance(forecast, dict):
        raise UsageError(
            "one-forecast", "An estimate is about one forecast.", cure="Name its column, or its columns."
        )
    if is_rows(data, forecast):
        found = opened(data, forecast, **options)
        assert isinstance(found, Opened)
        return partly_of(found, inclusion)
    return _of_arrays(data, forecast, inclusion, options)


@staged("checking rows")
def _of_arrays(outcome: Any, forecast: Any, inclusion: Any, options: dict[str, Any]) -> Partly:
    if any(options.pop(name, None) is not None for name in ("outcome", "truth")) or forecast is None:
        raise UsageError(
            "array-and-names",
            "Outcomes were given, but no forecasts; or, with arrays, outcome= or truth=, which name columns of a table.",
            cure="Call estimate(outcomes, forecasts), or estimate(table, outcome=..., forecast=...).",
        )
    options.pop("skip_unreadable", None)
    labels = as_labels(options.pop("labels", None))
    given = matrix(forecast, "The forecasts") if has_columns(forecast) else vector(forecast, "The forecasts")
    what = matrix(outcome, "The outcomes") if has_columns(outcome) else vector(outcome, "The outcomes")
    notes: list[Note] = []
    known, filled = _filled(what, given, labels, options.get("positive"), notes)
    record = observe(filled, given, labels=labels, rows=np.arange(len(known)), **options)
    return _cut(record, known, _probabilities(inclusion, len(known)), notes)


@staged("reading")
def partly_of(found: Opened, inclusion: Any = None) -> Partly:
    """Return the checked record of all rows of a table, labelled or not."""
    if isinstance(inclusion, str) and inclusion in found.asked.columns():
        raise UsageError(
            "one-column-two-roles",
            f"Column {inclusion!r} cannot hold the inclusion probabilities too.",
            cure="Name two columns.",
        )
    source = _Cleared.of(found.stream.whole(), found.asked)
    if found.answers is None:
        return _single(source, found.asked, inclusion)
    return _joined(
        source, _Cleared.of(found.answers.whole(), found.asked, source.names), found.asked, inclusion
    )


def _single(source: _Cleared, asked: Asked, inclusion: Any) -> Partly:
    beside = [inclusion] if isinstance(inclusion, str) else []
    require(source, beside)
    source = source.without(beside)
    chosen, what, notes = choose(source, asked)
    columns = source.load([*chosen.forecast, *chosen.other(), *beside])
    notes += [*source.said(chosen.outcome), *_idle(inclusion, source)]
    return _checked(what, columns, chosen, source, notes, inclusion)


def _joined(source: _Cleared, answers: _Cleared, asked: Asked, inclusion: Any) -> Partly:
    """Pair predictions with the outcomes of some of them, by id."""
    beside = [inclusion] if isinstance(inclusion, str) else []
    there = [name for name in beside if name in answers.names]
    require(source, [name for name in (*beside, asked.weight) if name is not None and name not in there])
    source, answers = source.without(beside), answers.without([*beside, asked.weight or ""])
    chosen, what, _, notes = choose_joined(source, answers, asked)
    id_name = chosen.ids or ""
    columns = source.load(
        [id_name, *chosen.forecast, *chosen.other(), *(n for n in beside if n not in there)]
    )
    other = answers.load([id_name, *there])
    mine, theirs = (vector(part[id_name], "The ids") for part in (columns, other))
    told: list[Note] = []
    here, at = pair(mine, theirs, id_name, source, answers, told)
    notes += [note for note in told if note.id != "ids-without-outcome"]  # they are the unlabelled rows
    columns[id_name] = labels_of(columns[id_name], source, fractions=False)
    for name in there:
        spread = np.full(len(mine), np.nan)
        spread[here] = numbers_of(other[name], name, answers, notes).values[at]
        columns[name] = spread
    notes += [*answers.said(chosen.outcome), *_idle(inclusion, answers)]
    return _checked(_spread(what, len(mine), here, at), columns, chosen, source, notes, inclusion)


def _checked(
    what: Vector | Matrix,
    columns: dict[str, Any],
    chosen: Asked,
    source: Table,
    notes: list[Note],
    inclusion: Any,
) -> Partly:
    """Hand all rows to the door."""
    if isinstance(inclusion, str):
        inclusion = numbers_of(columns.pop(inclusion), inclusion, source, notes).values
    labels, positive = chosen.door["labels"], chosen.door["positive"]
    names = tuple(chosen.forecast)
    shown: Vector | Matrix = (
        Vector(np.zeros(0), names[0]) if len(names) == 1 else Matrix(np.zeros((0, len(names))), names)
    )
    if len(names) == 1 and has_columns(columns[names[0]]):
        shown = Matrix(np.asarray(columns[names[0]]))
    known, filled = _filled(what, shown, labels, positive, notes)
    record = record_of(filled, columns, chosen, source, notes, np.arange(len(known)))
    found = _cut(record, known, _probabilities(inclusion, len(known)), [])
    return replace(found, id_name=chosen.ids or "id", columns=names)


def _cut(record: Observations, known: Mask, inclusion: Float | None, notes: list[Note]) -> Partly:
    """Return the record with what is known of the rows that it kept; rows of weight 0 count nowhere."""
    if record.weight is not None and not record.weight.all():
        record = record.take(record.weight > 0)
    told = [note for note in record.notes if known.any() or note.id not in MOOT]
    record = replace(record, notes=(*notes, *told))
    at = record.numbers()
    labelled = known[at]
    pi = None if inclusion is None else inclusion[at]
    if pi is not None:
        _check_inclusion(pi, labelled, at)
    return Partly(record, labelled, pi)


def _check_inclusion(pi: Float, labelled: Mask, rows: NDArray[np.int64]) -> None:
    unknown = labelled & np.isnan(pi)
    if unknown.any():
        raise WeightError(
            "bad-inclusion",
            f"No inclusion probability: {int(unknown.sum()):,} of {int(labelled.sum()):,} labelled rows ({places(rows[unknown])}).",
            cure="Of rows picked by hand none is known, and no mean can be estimated from them. Give the probability with which each labelled row was to be drawn, or leave inclusion out where they were drawn at random.",
        )
    wrong = ~np.isnan(pi) & ~((pi > 0) & (pi <= 1)) & (labelled | (pi != 0))
    if wrong.any():
        raise WeightError(
            "bad-inclusion",
            f"Inclusion probabilities that are none: {listing(pi[wrong], total=int(wrong.sum()), limit=3)} ({places(rows[wrong])}).",
            cure="They are above 0 and at most 1: the probability with which the row was to be drawn.",
        )


def _probabilities(given: Any, rows: int) -> Float | None:
    if given is None:
        return None
    values = vector(given, "The inclusion probabilities").values
    if values.dtype.kind not in "biuf":
        raise WeightError(
            "not-a-number", "The inclusion probabilities are not numbers.", cure="Give one number per row."
        )
    if len(values) != rows:
        raise AlignmentError(
            "different-lengths",
            f"The parts have different lengths: {rows:,} outcomes, {len(values):,} inclusion probabilities.",
            cure="Give one of each per row; NaN where a row is not labelled.",
        )
    return np.asarray(values, np.float64)


def _filled(
    what: Vector | Matrix,
    forecast: Vector | Matrix,
    labels: Sequence[Any] | None,
    positive: Any,
    notes: list[Note],
) -> tuple[Mask, Vector | Matrix]:
    """Tell which rows have an outcome, and return the outcomes with the others filled by one that occurs."""
    if isinstance(what, Matrix):
        gone = missing_mask(what.values)
        known = np.asarray(~gone.any(axis=1))
        half = np.flatnonzero(~known & ~gone.all(axis=1))
        if len(half):
            raise AlignmentError(
                "half-labelled",
                f"Some columns of the outcome are missing, others not ({places(half)}).",
                cure="Fill all columns of a row, or none.",
            )
        values = what.values.astype(np.float64)
        values[~known] = np.eye(1, values.shape[1])[0]
        return known, replace(what, values=values)
    known = ~_unlabelled(what, forecast, labels, notes)
    if known.all():
        return known, what
    values = np.array(what.values, dtype=object)
    if known.any():
        present = values[known]
        whole = present
        if (
            what.values.dtype.kind == "f"
        ):  # shares keep their count: one that is no fraction is taken, if there is one
            numbers = present.astype(np.float64)
            whole = present[numbers == np.floor(numbers)]
        values[~known] = whole[0] if len(whole) else 0.0
    else:
        values[:] = _any_label(forecast, labels, positive)
    return known, replace(vector(values, "The outcomes"), categories=what.categories, index=what.index)


def _any_label(forecast: Vector | Matrix, labels: Sequence[Any] | None, positive: Any) -> Any:
    """Return some class of the forecast, where no outcome names one."""
    if labels:
        return labels[0]
    if isinstance(forecast, Matrix):
        return forecast.names[0] if forecast.names else 0
    return 0 if positive is None or positive in (0, 1) else f"not {positive}"


def _unlabelled(
    what: Vector, forecast: Vector | Matrix, labels: Sequence[Any] | None, notes: list[Note]
) -> Mask:
    """Tell which outcomes are missing: NaN, None, blank text; text such as NA where it is no class, said in a note."""
    gone = missing_mask(what.values)
    if what.values.dtype.kind not in "OUS":
        return gone
    text = np.array([v.strip().lower() if isinstance(v, str) else "x" for v in what.values.tolist()])
    own = (forecast.name,) if isinstance(forecast, Vector) else forecast.names or ()
    words = _words(own, labels)
    odd = np.isin(text, words)
    if odd.any():
        notes.append(_no_label(int(odd.sum()), text[odd].tolist()))
    return np.asarray(gone | (text == "") | odd)


def _words(columns: Sequence[str | None], labels: Sequence[Any] | None) -> list[str]:
    """Return the words for "no label" that are not classes."""
    classes = {str(label).strip().lower() for label in labels or ()}
    return [w for w in WORDS if w not in classes and not any(names_class(name, w) for name in columns)]


def _idle(inclusion: Any, source: _Cleared) -> list[Note]:
    """Return a note on a column of inclusion probabilities that is not used."""
    if inclusion is not None or "inclusion" not in source.names:
        return []
    said = "Column 'inclusion' is not used. If it holds the probabilities with which the rows were drawn for labelling, say inclusion='inclusion' (CLI: --inclusion inclusion)."
    return [Note("inclusion-not-used", said)]


def _no_label(count: int, found: Sequence[str]) -> Note:
    words = listing([repr(word) for word in dict.fromkeys(found)])
    said = f"Read as no label: {count:,} outcomes written {words}. If that is a class, name the classes: labels=... (CLI: --labels)."
    return Note("read-as-unlabelled", said)


def _spread(
    what: Vector | Matrix, rows: int, here: NDArray[np.int64], at: NDArray[np.int64]
) -> Vector | Matrix:
    """Return the outcomes of all predictions: those of `at`, put at `here`, the others missing."""
    if isinstance(what, Matrix):
        wide = np.full((rows, what.values.shape[1]), np.nan)
        wide[here] = what.values[at]
        return replace(what, values=wide, index=None)
    values = np.full(rows, None, dtype=object)
    values[here] = what.values[at]
    return replace(vector(values, "The outcomes"), categories=what.categories, name=what.name, index=None)


@dataclass(frozen=True)
class _Cleared:
    """A table whose columns of text have nothing where they are blank or say that there is nothing."""

    table: Any
    words: tuple[str, ...]
    ids: str | None
    hidden: tuple[str, ...] = ()  # columns that are not to be found by guessing
    found: dict[str, list[str]] = field(default_factory=dict)  # words that were cleared, by column

    @classmethod
    def of(cls, table: Any, asked: Asked, columns: Sequence[str] = ()) -> _Cleared:
        return cls(table, tuple(_words([*columns, *table.names], asked.door["labels"])), asked.ids)

    @property
    def where(self) -> str:
        return str(self.table.where)

    @property
    def textual(self) -> bool:
        return bool(self.table.textual)

    @property
    def names(self) -> list[str]:
        return [name for name in self.table.names if name not in self.hidden]

    def is_number(self, name: str) -> bool:
        return bool(self.table.is_number(name))

    def load(self, names: Sequence[str]) -> dict[str, Any]:
        return {name: self._clear(name, column) for name, column in self.table.load(names).items()}

    def without(self, hidden: Sequence[str]) -> _Cleared:
        return replace(self, hidden=tuple(hidden))

    def said(self, outcome: Sequence[str]) -> list[Note]:
        """Return a note on words that were read as no label."""
        words = [word for name in outcome for word in self.found.get(name, [])]
        return [_no_label(len(words), words)] if words else []

    def _clear(self, name: str, column: Any) -> Any:
        if not (self.textual and is_text(column)):
            return column
        low = column.str.strip_chars().str.to_lowercase()
        gone = low == ""
        if name != self.ids and name.lower() not in IDS:
            odd = low.is_in(self.words).fill_null(value=False)
            self.found[name] = low.filter(odd).to_list()
            gone |= odd
        return column.set(gone.fill_null(value=False), None)
