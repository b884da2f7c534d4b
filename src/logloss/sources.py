"""Arrays, frames and files -> one checked record: reading tables, finding columns, joining outcomes by id.

Files are read by the embedded engine (Polars), and only the columns that are needed. What was found by name is
said in a note.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from logloss.errors import AlignmentError, ColumnError, UsageError, listing, suggestion
from logloss.files import open_table
from logloss.labels import Note, distinct, match
from logloss.observations import Observations, observe
from logloss.recognise import Matrix, Vector, has_columns, is_path, is_table, table, vector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from logloss.observations import Space

__all__ = ["gather"]

# Names that are taken for what they say, in this order; compared in lower case.
OUTCOMES = ("y", "outcome", "label", "target", "truth", "y_true", "actual", "class", "obs", "observed", "answer", "ground_truth")
FORECASTS = ("p", "prob", "probability", "proba", "prediction", "predictions", "pred", "score", "forecast", "y_prob", "y_proba", "y_pred", "y_score", "p1")
IDS = ("id", "row_id", "rowid", "key", "uid", "image_id", "imageid", "patientid", "patient_id")


class Table(Protocol):
    """Named columns: what a file or frame offers."""

    where: str

    @property
    def names(self) -> list[str]:
        """Column names in order."""

    def is_number(self, name: str) -> bool:
        """Tell whether a column holds numbers."""

    def load(self, names: Sequence[str]) -> dict[str, Any]:
        """Return the columns."""


@dataclass(frozen=True)
class _Frame:
    """A table in memory."""

    columns: dict[str, Any]
    where: str = "the table"

    @property
    def names(self) -> list[str]:
        return list(self.columns)

    def is_number(self, name: str) -> bool:
        column = self.columns[name]
        return has_columns(column) or vector(column, name).values.dtype.kind in "iufb"

    def load(self, names: Sequence[str]) -> dict[str, Any]:
        return {name: self.columns[name] for name in names}


def gather(
    data: Any,
    forecast: Any = None,
    *,
    outcome: Any = None,
    space: Space = "p",
    weight: Any = None,
    ids: Any = None,
    truth: Any = None,
    labels: Sequence[Any] | None = None,
    positive: Any = None,
    normalize_rows: bool = False,
    skip_missing: bool = False,
) -> Observations:
    """Return the checked record of whatever was given; see :func:`logloss.score` for the arguments."""
    asked: dict[str, Any] = {"space": space, "labels": labels, "positive": positive, "normalize_rows": normalize_rows, "skip_missing": skip_missing}
    named = forecast is None or isinstance(forecast, str) or (isinstance(forecast, list | tuple) and all(isinstance(f, str) for f in forecast))
    if not (is_path(data) or (is_table(data) and named)):
        if forecast is None:
            raise UsageError("no-forecast", "Outcomes were given, but no forecasts.", cure="Call score(outcomes, forecasts), or give a table with both.")
        if outcome is not None or truth is not None:
            raise UsageError("array-and-names", "outcome= and truth= name columns of a table, but arrays were given.", cure="Pass score(outcomes, forecasts), or score(table, outcome=..., forecast=...).")
        return observe(data, forecast, weight=weight, ids=ids, **asked)
    predictions = open_table(data) if is_path(data) else _Frame(table(data))
    wanted = _names(forecast)
    if truth is not None:
        answers = open_table(truth) if is_path(truth) else _Frame(table(truth), "the truth table")
        return _joined(predictions, answers, wanted, _names(outcome), weight, ids, asked)
    return _single(predictions, wanted, _names(outcome), weight, ids, asked)


def _names(given: Any) -> list[str]:
    if given is None:
        return []
    if isinstance(given, str):
        return [given]
    if isinstance(given, list | tuple) and all(isinstance(name, str) for name in given):
        return list(given)
    raise UsageError("array-and-names", "With a table, outcome, forecast and weight are names of its columns.", cure="Pass names, or arrays only.")


def _single(source: Table, forecast: list[str], outcome: list[str], weight: Any, ids: Any, asked: dict[str, Any]) -> Observations:
    """Return the record of one table."""
    notes: list[Note] = []
    _exist(source, [*forecast, *outcome, *_names(weight), *_names(ids)])
    id_name = _names(ids)[0] if ids is not None else _known(source, IDS)
    taken = {*forecast, *_names(weight), *([id_name] if id_name else [])}
    if not outcome:
        found = _find(source, OUTCOMES, taken)
        if len(found) != 1:
            hint = " It looks like a submission without outcomes: give those with truth= (CLI: --truth FILE)." if not found and len(source.names) <= 3 and id_name else ""
            raise ColumnError("no-outcome-column", f"{source.where} has {'no column' if not found else 'more than one column'} that is known to hold the outcomes{': ' + listing(found) if found else ''}; its columns are {listing(source.names, limit=12)}.{hint}", cure="Name it: outcome=... (CLI: --outcome).")
        outcome = found
        notes.append(Note("columns-found", f"Column {outcome[0]!r} is read as the outcome."))
    columns = source.load(outcome)
    what = _outcome(columns, outcome, source)
    if not forecast:
        forecast = _find_forecast(source, what, {*taken, *outcome}, asked)
        notes.append(Note("columns-found", f"{'Column' if len(forecast) == 1 else 'Columns'} {listing([repr(name) for name in forecast], limit=10)} {'is' if len(forecast) == 1 else 'are'} read as the forecast."))
    if asked["space"] == "p" and not _names(weight):
        idle = [name for name in source.names if name.lower() in ("weight", "weights", "sample_weight") and name not in forecast]
        notes += [Note("weights-not-used", f"Column {idle[0]!r} is not used; to weight the rows, say weight={idle[0]!r} (CLI: --weight).")] if idle else []
    rest = source.load([*forecast, *_names(weight), *([id_name] if id_name else [])])
    return _record(what, rest, forecast, weight, id_name, source, asked, notes)


def _joined(source: Table, answers: Table, forecast: list[str], outcome: list[str], weight: Any, ids: Any, asked: dict[str, Any]) -> Observations:
    """Return the record of predictions whose outcomes stand in another table, joined by id."""
    notes: list[Note] = []
    id_name = _names(ids)[0] if ids is not None else _shared_id(source, answers)
    _exist(source, [*forecast, id_name])
    _exist(answers, [*outcome, id_name])
    in_answers = [name for name in _names(weight) if name in answers.names]
    _exist(source, [name for name in _names(weight) if name not in in_answers])
    forecast = forecast or _only_numeric(source, {id_name, *_names(weight)})
    if not outcome:
        outcome = _outcome_in(answers, id_name, forecast)
        notes.append(Note("columns-found", f"Outcome: {listing([repr(name) for name in outcome])} of {answers.where}, joined by {id_name!r}."))
    truth = answers.load([id_name, *outcome, *in_answers])
    what = _outcome(truth, outcome, answers)
    if not forecast:
        forecast = _find_forecast(source, what, {id_name, *_names(weight)}, asked)
    notes.append(Note("columns-found", f"Forecast: {listing([repr(name) for name in forecast], limit=10)} of {source.where}."))
    rest = source.load([id_name, *forecast, *[name for name in _names(weight) if name not in in_answers]])
    here, there = _pair(vector(rest[id_name], "The ids"), vector(truth[id_name], "The ids"), id_name, source, answers, notes)
    what = replace(what, values=what.values[there], index=None)
    paired = {name: _take(column, here) for name, column in rest.items()}
    paired |= {name: _take(truth[name], there) for name in in_answers}
    return _record(what, paired, forecast, weight, id_name, source, asked, notes)


def _record(what: Vector | Matrix, columns: dict[str, Any], forecast: list[str], weight: Any, id_name: str | None, source: Table, asked: dict[str, Any], notes: list[Note]) -> Observations:
    if len(forecast) == 1:
        only = columns[forecast[0]]
        given: Any = Matrix(np.asarray(only)) if has_columns(only) else replace(_numbers(only, forecast[0], source), name=forecast[0], index=None)
    else:
        parts = [_numbers(columns[name], name, source).values for name in forecast]
        given = Matrix(np.column_stack(parts), tuple(forecast))
    weights = None if weight is None else replace(_numbers(columns[_names(weight)[0]], _names(weight)[0], source), index=None)
    known = None if id_name is None else replace(vector(columns[id_name], "The ids"), index=None)
    record = observe(replace(what, index=None), given, weight=weights, ids=known, **asked)
    return replace(record, notes=(*notes, *record.notes))


def _outcome(columns: dict[str, Any], names: list[str], source: Table) -> Vector | Matrix:
    if len(names) == 1:
        only = columns[names[0]]
        return Matrix(np.asarray(only)) if has_columns(only) else vector(only, "The outcomes")
    return Matrix(np.column_stack([_numbers(columns[name], name, source).values for name in names]), tuple(names))


def _numbers(column: Any, name: str, source: Table) -> Vector:
    """Return a column of numbers; text that says "missing" counts as missing, other text is an error."""
    found = vector(column, f"Column {name!r}")
    if found.values.dtype.kind in "iuf":
        return found
    if found.values.dtype.kind == "b":
        return replace(found, values=found.values.astype(np.float64))
    values = np.full(len(found), np.nan)
    odd: list[int] = []
    for at, value in enumerate(found.values.tolist()):
        if value is None or (isinstance(value, str) and value.strip().lower() in ("", "na", "n/a", "nan", "null", "none")):
            continue
        try:
            values[at] = float(value)
        except (TypeError, ValueError):
            odd.append(at)
    if odd:
        shown = listing([repr(found.values[at]) for at in odd[:4]], total=len(odd), limit=3)
        comma = " Decimal commas are not read: write points." if any("," in str(found.values[at]) for at in odd[:4]) else ""
        raise ColumnError("text-in-numbers", f"Column {name!r} of {source.where} should hold numbers, but {len(odd):,} entries are text (rows {listing(odd[:4], total=len(odd), limit=3)}, counted from 0: {shown}).{comma}", cure="Correct them, or name another column.")
    return replace(found, values=values, categories=None)


def _take(column: Any, at: NDArray[np.int64]) -> Any:
    return np.asarray(column)[at] if has_columns(column) else replace(vector(column, "A column"), values=vector(column, "A column").values[at], index=None)


def _exist(source: Table, wanted: Sequence[str]) -> None:
    for name in wanted:
        if name not in source.names:
            raise ColumnError("no-such-column", f"{source.where} has no column {name!r}.{suggestion(name, source.names)}", cure=f"Its columns: {listing(source.names, limit=12)}.")


def _known(source: Table, known: Sequence[str]) -> str | None:
    lowered = {name.lower(): name for name in source.names}
    return next((lowered[name] for name in known if name in lowered), None)


def _find(source: Table, known: Sequence[str], taken: set[str]) -> list[str]:
    lowered = {name.lower(): name for name in source.names if name not in taken}
    return [lowered[name] for name in known if name in lowered]


def _find_forecast(source: Table, outcome: Vector | Matrix, taken: set[str], asked: dict[str, Any]) -> list[str]:
    """Find the forecast: a known name, else one column per class, else the only column of numbers left."""
    numbers = [name for name in source.names if name not in taken and source.is_number(name)]
    by_name = [name for name in _find(source, FORECASTS, taken) if name in numbers]
    by_class = _class_columns(numbers, outcome, asked)
    if len(by_name) == 1 and not by_class:
        return by_name
    if by_class and not by_name:
        return by_class
    if not by_name and not by_class and len(numbers) == 1:
        return numbers
    written = _find(source, FORECASTS, taken)
    if not numbers and len(written) == 1:
        return written  # it holds text: reading it will say where
    doubt = f"could be {listing([repr(name) for name in [*by_name, *by_class] or numbers])}" if numbers else "no column of numbers is left"
    raise ColumnError("no-forecast-column", f"Which column of {source.where} holds the forecast? {doubt}; its columns are {listing(source.names, limit=12)}.", cure="Name it, or one column per class: forecast=... (CLI: --forecast, repeated).")


def _class_columns(numbers: list[str], outcome: Vector | Matrix, asked: dict[str, Any]) -> list[str]:
    """Return one column per class, in the file's order; with a common prefix, its other columns are classes too."""
    labels = list(asked["labels"] or ([] if isinstance(outcome, Matrix) else distinct(outcome.values[~_gone(outcome)])))
    if not labels or len(labels) > max(2, len(numbers)):
        return []
    at = match(numbers, labels)
    if at is None:
        return []
    found = [numbers[i] for i in at]
    first = str(labels[0])
    start = found[0].casefold().rfind(first.casefold())
    before, after = found[0][:start], found[0][start + len(first) :]
    if before or after:
        found = [name for name in numbers if name.startswith(before) and name.endswith(after)]
    return sorted(found, key=numbers.index)


def _gone(outcome: Vector) -> NDArray[np.bool_]:
    from logloss.recognise import missing_mask

    return missing_mask(outcome.values)


def _only_numeric(source: Table, taken: set[str]) -> list[str]:
    left = [name for name in source.names if name not in taken and source.is_number(name)]
    return left if len(left) == 1 else []


def _outcome_in(answers: Table, id_name: str, forecast: list[str]) -> list[str]:
    """Find the outcomes in a truth table: a known name, else its only other column, else one column per forecast."""
    left = [name for name in answers.names if name != id_name and name.lower() != "usage"]
    found = _find(answers, OUTCOMES, {id_name})
    if len(found) == 1:
        return found
    if len(left) == 1:
        return left
    if len(left) > 1 and all(answers.is_number(name) for name in left) and (not forecast or set(left) == set(forecast)):
        return left
    raise ColumnError("no-outcome-column", f"Which column of {answers.where} holds the outcomes? Its columns are {listing(answers.names, limit=12)}.", cure="Name it: outcome=... (CLI: --outcome).")


def _shared_id(source: Table, answers: Table) -> str:
    shared = [name for name in source.names if name in answers.names]
    known = [name for name in shared if name.lower() in IDS]
    if known or len(shared) == 1:
        return known[0] if known else shared[0]
    raise ColumnError("no-id-column", f"By which column are {source.where} and {answers.where} to be joined? {'They share ' + listing(shared) if shared else 'They share no column name'}.", cure="Name it: ids=... (CLI: --id).")


def _pair(here: Vector, there: Vector, name: str, source: Table, answers: Table, notes: list[Note]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return positions in both tables of the rows whose ids match, in the order of the predictions."""
    a, b = here.values, there.values
    if a.dtype.kind in "iuf" and b.dtype.kind in "iuf":
        keys_a, keys_b = a.tolist(), b.tolist()
    else:
        keys_a, keys_b = [str(v) for v in a.tolist()], [str(v) for v in b.tolist()]
        if a.dtype.kind in "iuf" or b.dtype.kind in "iuf":
            notes.append(Note("ids-as-text", f"Column {name!r} holds numbers in one table and text in the other; ids were compared as text."))
    at: dict[Any, int] = {}
    for position, key in enumerate(keys_b):
        if key in at:
            raise AlignmentError("duplicate-ids", f"Id {key!r} occurs more than once in {answers.where} (rows {at[key]} and {position}), so its outcome is ambiguous.", cure="Keep one row per id.")
        at[key] = position
    seen: dict[Any, int] = {}
    for position, key in enumerate(keys_a):
        if key in seen:
            raise AlignmentError("duplicate-ids", f"Id {key!r} occurs more than once in {source.where} (rows {seen[key]} and {position}).", cure="Keep one row per id.")
        seen[key] = position
    pairs = [(position, at[key]) for key, position in seen.items() if key in at]
    if not pairs:
        raise AlignmentError("no-shared-ids", f"{source.where} and {answers.where} share no id in column {name!r}: {listing([repr(k) for k in keys_a[:3]])} against {listing([repr(k) for k in keys_b[:3]])}.", cure="Check that both files are about the same rows, and that the ids are written the same way.")
    alone = [key for key in seen if key not in at]
    if alone:
        notes.append(Note("ids-without-outcome", f"{len(alone):,} of {len(seen):,} predictions have no outcome in {answers.where} and are not scored (ids {listing(alone, limit=3)})."))
    lost = [key for key in at if key not in seen]
    if lost:
        notes.append(Note("ids-without-forecast", f"{len(lost):,} of {len(at):,} outcomes have no prediction in {source.where}; the score leaves them out (ids {listing(lost, limit=3)})."))
    both = np.asarray(pairs, np.int64)
    return both[:, 0], both[:, 1]
