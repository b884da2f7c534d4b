"""The columns beside a record: what `explain` slices by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from logloss.errors import AlignmentError, DataError, UsageError, listing
from logloss.recognise import vector
from logloss.sources import Opened, beside, unsliced

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logloss.record import Observations

__all__ = ["with_columns"]


def with_columns(
    found: Opened | Observations, by: Any, data: Any = None
) -> tuple[Observations, dict[str, NDArray[Any]]]:
    """Return the record and the columns to slice by; `data` are the outcomes that were given, whose index counts."""
    names = [by] if isinstance(by, str) else by
    by_name = names is None or (
        isinstance(names, list | tuple) and all(isinstance(name, str) for name in names)
    )
    if isinstance(found, Opened):
        record, table, chosen = found.gathered()
        if by_name:
            columns, notes = beside(table, chosen, record, names)
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
