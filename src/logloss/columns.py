"""Which column of a table is what: known names, one column per class, else the only one left. Doubt is an error."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from logloss.codes import distinct
from logloss.errors import ColumnError, listing, places, suggestion
from logloss.labels import bare, match
from logloss.notes import Note
from logloss.reading import engine
from logloss.recognise import Matrix, Vector, has_columns, matrix, missing_mask, vector

if TYPE_CHECKING:
    from collections.abc import Sequence

# Names that are taken for what they say, in this order; compared in lower case.
OUTCOMES = (
    "y",
    "outcome",
    "label",
    "target",
    "truth",
    "y_true",
    "actual",
    "class",
    "obs",
    "observed",
    "answer",
    "ground_truth",
)
FORECASTS = (
    "p",
    "prob",
    "probability",
    "proba",
    "prediction",
    "predictions",
    "pred",
    "score",
    "forecast",
    "y_prob",
    "y_proba",
    "y_pred",
    "y_score",
    "p1",
)
IDS = ("id", "row_id", "rowid", "key", "uid", "image_id", "imageid", "patientid", "patient_id")


class Table(Protocol):
    """Named columns: what a file or frame offers."""

    @property
    def where(self) -> str:
        """How errors call it."""

    @property
    def textual(self) -> bool:
        """Whether every column is loaded as text."""

    @property
    def names(self) -> list[str]:
        """Column names in order."""

    def is_number(self, name: str) -> bool:
        """Tell whether a column holds numbers."""

    def load(self, names: Sequence[str]) -> dict[str, Any]:
        """Return the columns."""


NO_NUMBER = ("", "na", "n/a", "nan", "null", "none")  # text that says "missing" in a column of numbers


def numbers_of(
    column: Any, name: str, source: Table, notes: list[Note], commas: bool | None = None
) -> Vector:
    """Return a column of numbers; text that says "missing" counts as missing, other text is an error.

    `commas` says whether 0,5 may be a number; None: where the column leaves no doubt.
    """
    if not is_text(column):
        found = vector(column, f"Column {name!r}")
        if found.values.dtype.kind in "iufb":
            return (
                found
                if found.values.dtype.kind != "b"
                else replace(found, values=found.values.astype(np.float64))
            )
        column = [
            "" if gone else str(value)
            for gone, value in zip(missing_mask(found.values), found.values, strict=True)
        ]
    pl = engine()
    text = pl.Series("text", column, dtype=pl.String).str.strip_chars()
    text = text.set(text.str.to_lowercase().is_in(NO_NUMBER), None)
    values = text.cast(pl.Float64, strict=False)
    odd = (text.is_not_null() & values.is_null()).arg_true()
    if (
        len(odd)
        and commas is not False
        and bool(text.gather(odd).str.contains(r"^[+-]?\d+,\d+$").all())
        and not bool(text.str.contains(".", literal=True).any())
    ):
        values = text.str.replace(",", ".", literal=True).cast(pl.Float64, strict=False)
        notes.append(Note("decimal-commas", f"Column {name!r} is written with decimal commas."))
        odd = (text.is_not_null() & values.is_null()).arg_true()
    if len(odd):
        raise _not_numbers(name, source, odd.to_list(), text)
    return Vector(values.cast(pl.Float64).fill_null(float("nan")).to_numpy(), name)


def _not_numbers(name: str, source: Table, odd: list[int], text: Any) -> ColumnError:
    first = getattr(source, "start", 0)  # of a batch
    shown = listing([repr(text[at]) for at in odd[:4]], total=len(odd), limit=3)
    cure = "Correct them, or name another column."
    if all("%" in text[at] for at in odd[:100]):
        cure = "They are percentages: write 0.125 for 12.5 %."
    elif len(odd) == len(text.drop_nulls()):
        cure = "A forecast is a probability, not a decision; name a column of numbers."
    return ColumnError(
        "text-in-numbers",
        f"Column {name!r} of {source.where} should hold numbers, but {len(odd):,} of {len(text):,} entries are not ({places([first + at for at in odd])}: {shown}).",
        cure=cure,
    )


KINDS = ("Int64", "Float64", "Boolean", "String")  # how a column of text can be read


def labels_of(column: Any, source: Table, *, fractions: bool = True, kinds: Sequence[str] = KINDS) -> Vector:
    """Return a column of outcomes or ids. Text becomes numbers or booleans only where that loses nothing (01 stays 01).

    `kinds` are the readings to try, in this order; the last is taken as it is.
    """
    if not (source.textual and is_text(column)):
        return vector(column, "The outcomes")
    return vector(as_kind(column, kind_of(column, fractions=fractions, kinds=kinds)), "The outcomes")


def kind_of(column: Any, *, fractions: bool = True, kinds: Sequence[str] = KINDS) -> str:
    """Return the first of `kinds` that a column of text can be read as without loss, else "String"."""
    for kind in kinds:
        if (kind != "Float64" or fractions) and as_kind(column, kind) is not None:
            return kind
    return "String"


def as_kind(column: Any, kind: str) -> Any:
    """Return a column of text read as numbers or booleans; None where that would lose something."""
    pl = engine()
    if kind == "String":
        return column
    if kind == "Boolean":
        lowered = column.str.to_lowercase()
        whole = lowered.null_count() < len(lowered) and bool(lowered.is_in(["true", "false"]).all())
        return lowered == "true" if whole else None
    values = column.cast(getattr(pl, kind), strict=False)
    if values.null_count() != column.null_count():
        return None
    if kind == "Int64":
        return values if bool((values.cast(pl.String) == column).all()) else None
    return None if bool(column.str.contains(r"^[+-]?0\d").any()) else values


def is_text(column: Any) -> bool:
    """Tell whether a column is the engine's text."""
    return str(getattr(column, "dtype", "")) == "String"


def require(source: Table, wanted: Sequence[str]) -> None:
    """Refuse columns that are not there, with the nearest name."""
    for name in wanted:
        if name not in source.names:
            raise ColumnError(
                "no-such-column",
                f"{source.where} has no column {name!r}.{suggestion(name, source.names)}",
                cure=f"Its columns: {listing(source.names, limit=12)}.",
            )


def known_name(source: Table, known: Sequence[str]) -> str | None:
    """Return the first column with a known name, in any case of letters."""
    lowered = {name.strip().lower(): name for name in source.names}
    return next((lowered[name] for name in known if name in lowered), None)


def named(source: Table, known: Sequence[str], taken: set[str]) -> list[str]:
    """Return all columns with known names that are not taken."""
    lowered = {name.strip().lower(): name for name in source.names if name not in taken}
    return [lowered[name] for name in known if name in lowered]


def find_forecast(
    source: Table, outcome: Vector | Matrix, taken: set[str], labels: Sequence[Any] | None
) -> list[str]:
    """Find the forecast: a known name, else one column per class, else the only column of numbers left."""
    numbers = [name for name in source.names if name not in taken and source.is_number(name)]
    by_name = [name for name in named(source, FORECASTS, taken) if name in numbers]
    by_class = class_columns(numbers, outcome, labels)
    if len(by_name) == 1 and not by_class:
        return by_name
    if by_class and set(by_name) <= set(by_class):
        return by_class
    if not by_name and not by_class and len(numbers) == 1:
        return numbers
    written = named(source, FORECASTS, taken)
    if not numbers and len(written) == 1:
        return written  # it holds text: reading it will say where
    doubt = (
        f"It could be {listing([repr(name) for name in [*by_name, *by_class] or numbers])}"
        if numbers
        else "No column of numbers is left"
    )
    lone = _labels_without_column(numbers, outcome)
    if lone:
        doubt += f". Columns seem named after the classes, but none after {listing([repr(label) for label in lone])}"
    raise ColumnError(
        "no-forecast-column",
        f"Which column of {source.where} holds the forecast? {doubt}; its columns are {listing(source.names, limit=12)}.",
        cure="Name it, or one column per class: forecast=... (CLI: --forecast, repeated).",
    )


def class_columns(numbers: list[str], outcome: Vector | Matrix, labels: Sequence[Any] | None) -> list[str]:
    """Return one column per class, in the file's order; with a common prefix, its other columns are classes too."""
    asked = labels
    if isinstance(outcome, Matrix):
        labels = list(outcome.names or ())
    else:
        labels = _present(outcome) if labels is None else list(labels)
    if not labels or len(labels) > max(2, len(numbers)):
        return []
    at = match(numbers, labels)
    if at is None and isinstance(outcome, Matrix):
        labels = list(bare(outcome.names or ()) or labels)
        at = match(numbers, labels)
    if at is None:
        return []
    found = [numbers[i] for i in at]
    first = str(labels[0]).strip()
    start = found[0].casefold().rfind(first.casefold())
    before, after = found[0][:start], found[0][start + len(first) :]
    if before or after:
        found = [name for name in numbers if name.startswith(before) and name.endswith(after)]
    elif asked is None and not isinstance(outcome, Matrix):
        found = _counted(numbers, found)
    return sorted(found, key=numbers.index)


def _counted(numbers: list[str], found: list[str]) -> list[str]:
    """Return all columns called 0, 1, 2, ... where those found are among them: the others' classes did not happen."""
    counting = sorted((name for name in numbers if name.isdecimal()), key=int)
    first = int(counting[0]) if counting else 0
    gapless = first in (0, 1) and counting == [str(first + at) for at in range(len(counting))]
    return counting if gapless and set(found) <= set(counting) else found


def _present(outcome: Vector) -> list[Any]:
    """Return the labels that occur; whole numbers as such, also where missing ones made them floats."""
    seen = distinct(outcome.values[~missing_mask(outcome.values)])
    whole = all(isinstance(label, float) and label.is_integer() for label in seen)
    return [int(label) for label in seen] if whole else list(seen)


def _labels_without_column(numbers: list[str], outcome: Vector | Matrix) -> list[Any]:
    """Return the labels without a column, where most labels have one."""
    if isinstance(outcome, Matrix):
        return []
    seen = _present(outcome)
    if not 2 < len(seen) <= 100:
        return []
    for left_out in seen:
        if class_columns(numbers, outcome, [label for label in seen if label != left_out]):
            return [left_out]
    return []


def only_numeric(source: Table, taken: set[str]) -> list[str]:
    """Return the only column of numbers that is left, or none."""
    left = [name for name in source.names if name not in taken and source.is_number(name)]
    return left if len(left) == 1 else []


def outcome_in(answers: Table, id_name: str, forecast: list[str]) -> list[str]:
    """Find the outcomes in a truth table: a known name, else its only other column, else one column per forecast."""
    left = [name for name in answers.names if name != id_name and name.lower() != "usage"]
    found = named(answers, OUTCOMES, {id_name})
    if len(found) == 1:
        return found
    if len(left) == 1:
        return left
    if (
        len(left) > 1
        and all(answers.is_number(name) for name in left)
        and (not forecast or set(left) == set(forecast))
    ):
        return left
    raise ColumnError(
        "no-outcome-column",
        f"Which column of {answers.where} holds the outcomes? Its columns are {listing(answers.names, limit=12)}.",
        cure="Name it: outcome=... (CLI: --outcome).",
    )


def shared_id(source: Table, answers: Table) -> str:
    """Find the column by which two tables are joined."""
    shared = [name for name in source.names if name in answers.names]
    known = [name for name in shared if name.lower() in IDS]
    if known or len(shared) == 1:
        return known[0] if known else shared[0]
    raise ColumnError(
        "no-id-column",
        f"By which column are {source.where} and {answers.where} to be joined? {'They share ' + listing(shared) if shared else 'They share no column name'}.",
        cure="Name it: ids=... (CLI: --id).",
    )


def lone_name(forecast: Any) -> str | None:
    """Return the name of the only column of a forecast, if it has one."""
    if not has_columns(forecast):
        return vector(forecast, "The forecasts").name
    names = matrix(forecast, "The forecasts").names
    return names[0] if names is not None and len(names) == 1 else None
