"""The columns beside a record: what `explain` slices by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from logloss.columns import IDS, NO_NUMBER, is_text, kind_of, labels_of, numbers_of, require
from logloss.errors import AlignmentError, ColumnError, DataError, UsageError, listing
from logloss.notes import Note
from logloss.recognise import has_columns, vector
from logloss.sources import Opened
from logloss.stages import staged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from logloss.choosing import Asked
    from logloss.columns import Table
    from logloss.record import Observations

__all__ = ["AllBut", "beside", "with_columns"]

MOST_BESIDE = 50  # columns


@dataclass(frozen=True)
class AllBut:
    """To be sliced by: all columns that are not used otherwise, but these."""

    names: tuple[str, ...]


def with_columns(
    found: Opened | Observations, by: Any, data: Any = None
) -> tuple[Observations, dict[str, NDArray[Any]]]:
    """Return the record and the columns to slice by; `data` are the outcomes that were given, whose index counts."""
    names = [by] if isinstance(by, str) else None if isinstance(by, AllBut) else by
    by_name = names is None or (
        isinstance(names, list | tuple) and all(isinstance(name, str) for name in names)
    )
    if isinstance(found, Opened):
        record, table, chosen = found.gathered()
        if by_name:
            left = by.names if isinstance(by, AllBut) else ()
            columns, notes = beside(table, chosen, record, names, left)
            return replace(record, notes=(*record.notes, *notes)), columns
    else:
        record = found
        if by_name and names:
            raise UsageError(
                "array-and-names",
                f"by= names columns ({listing(names)}), but arrays were given.",
                cure="Give the columns themselves: by={'age': ages, 'site': sites}, or a table.",
            )
    if by_name:
        return record, {}
    return _in_rows(by, record, data)


def _in_rows(by: Any, record: Observations, data: Any) -> tuple[Observations, dict[str, NDArray[Any]]]:
    """Return given columns in the order of the record's rows; those that cannot be sliced by are noted."""
    named = by.items() if isinstance(by, Mapping) else ((name, by[name]) for name in _names_of(by))
    total = len(record) + record.skipped
    index = (
        vector(data, "The outcomes").index
        if hasattr(data, "index") and not isinstance(data, list | tuple)
        else None
    )
    found, odd = {}, []
    for name, column in named:
        try:
            read = vector(column, f"Column {name!r}")
        except DataError:
            if isinstance(by, Mapping):
                raise
            odd.append(str(name))
            continue
        if len(read.values) != total:
            raise AlignmentError(
                "different-lengths",
                f"Column {name!r} to slice by has {len(read.values):,} values; there are {total:,} rows.",
                cure="Give one value per row.",
            )
        if index is not None and read.index is not None and not index.equals(read.index):
            raise AlignmentError(
                "index-mismatch",
                f"The pandas indexes of the outcomes and of column {name!r} to slice by differ.",
                cure="Align them (b = b.reindex(a.index)), or pass .to_numpy() to pair by position on purpose.",
            )
        found[str(name)] = read.values[record.numbers()]
    return replace(record, notes=(*record.notes, *unsliced(odd))), found


def _names_of(by: Any) -> list[Any]:
    if hasattr(by, "columns"):
        return list(by.columns)
    if hasattr(by, "column_names"):
        return list(by.column_names)
    raise UsageError(
        "bad-by",
        f"by= is a {type(by).__name__}, neither names of columns nor a table.",
        cure="Give names, or a mapping of names to columns.",
    )


@staged("reading the other columns")
def beside(
    table: Table,
    chosen: Asked,
    record: Observations,
    names: Sequence[str] | None,
    left: Sequence[str] = (),
) -> tuple[dict[str, NDArray[Any]], tuple[Note, ...]]:
    """Return other columns of a record's table, in the order of its rows: those named, or all that were not taken but `left`.

    Columns of text are numbers where all of their entries are, or say that they are missing.
    """
    notes: list[Note] = []
    if names is None:
        taken = {*chosen.columns(), *chosen.models, *left}
        names = [name for name in table.names if name not in taken and name.strip().lower() not in IDS]
        if len(names) > MOST_BESIDE:
            told = f"Sliced by the first {MOST_BESIDE} of {len(names)} columns; name others with by=... (CLI: --by)."
            notes.append(Note("not-sliced", told))
            names = names[:MOST_BESIDE]
    require(table, names)
    rows = record.numbers()
    found, odd = {}, []
    for name in names:
        values = _plain(table, name)
        if values is None:
            odd.append(name)
        else:
            found[name] = values[rows]
    return found, (*notes, *unsliced(odd))


def _plain(table: Table, name: str) -> NDArray[Any] | None:
    """Return a column as numbers or labels; None for one of lists, structs and the like."""
    try:
        column = table.load([name])[name]
        return None if has_columns(column) else _values(column, name, table)
    except (DataError, TypeError):
        return None


def unsliced(odd: Sequence[str]) -> tuple[Note, ...]:
    """Return the note on columns that hold no single values."""
    if not odd:
        return ()
    told = f"Not sliced by {listing([repr(name) for name in odd])}: no single number or text in each row."
    return (Note("not-sliced", told),)


def _values(column: Any, name: str, table: Table) -> NDArray[Any]:
    """Return a column to slice by: numbers, truth values or labels."""
    if table.textual and is_text(column):
        said = column.str.strip_chars().str.to_lowercase()
        known = column.set(said.is_in(NO_NUMBER), None)
        numeric = known.null_count() < len(known) and kind_of(known) in ("Int64", "Float64")
        return numbers_of(column, name, table, []).values if numeric else labels_of(column, table).values
    values = vector(column, f"Column {name!r}").values
    if values.dtype.kind == "b" or not table.is_number(name):
        return values
    try:
        return numbers_of(column, name, table, []).values
    except ColumnError:
        return values
