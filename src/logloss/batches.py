"""Tables as streams of batches: the same columns, a bounded number of rows at a time.

A :class:`Batch` is a table in memory that knows which rows of which part it holds. A stream can be read several
times, except a :class:`Feed`, which comes from an iterator and passes once.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from logloss.errors import SourceError, UsageError
from logloss.reading import collect, engine, in_our_words
from logloss.recognise import has_columns, table, vector

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["Batch", "Columnar", "Feed", "InMemory", "Relation", "Stream", "rows_of_batch"]

ROWS, NUMBERS = 1 << 19, 1 << 21  # of a batch, at most: memory does not grow with the number of columns


def rows_of_batch(columns: int) -> int:
    """Return how many rows a batch of so many columns has."""
    return max(1, min(ROWS, NUMBERS // max(columns, 1)))


@dataclass(frozen=True)
class Batch:
    """Rows start, start + 1, ... of a part, in memory."""

    columns: dict[str, Any]
    where: str = "The table"
    textual: bool = False
    part: str = ""
    start: int = 0

    @property
    def names(self) -> list[str]:
        """Column names in order."""
        return list(self.columns)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()))) if self.columns else 0

    def is_number(self, name: str) -> bool:
        """Tell whether a column holds numbers."""
        column = self.columns[name]
        return has_columns(column) or vector(column, name).values.dtype.kind in "iufb"

    def load(self, names: Sequence[str]) -> dict[str, Any]:
        """Return the columns."""
        return {name: self.columns[name] for name in names}


class Stream(Protocol):
    """A table that can hand over its rows in batches."""

    @property
    def where(self) -> str:
        """How errors call it."""

    @property
    def textual(self) -> bool:
        """Whether columns are handed over as text."""

    @property
    def names(self) -> list[str]:
        """Column names in order."""

    @property
    def again(self) -> bool:
        """Whether it can be read more than once."""

    def is_number(self, name: str) -> bool:
        """Tell whether a column holds numbers."""

    def load(self, names: Sequence[str]) -> dict[str, Any]:
        """Return whole columns."""

    def whole(self) -> Any:
        """Return it as a table whose columns can be loaded whole."""

    def head(self, rows: int) -> Any:
        """Return the first rows as a table; none where they would have to be read twice, but cannot."""

    def expected(self) -> int | None:
        """Return about how many rows there are, where that can be told without reading them."""

    def batches(self, names: Sequence[str], numbers: Sequence[str] = (), skip: int = 0) -> Iterator[Batch]:
        """Yield the rows of some columns in order; `numbers` are known to hold numbers.

        The first `skip` rows are not needed; they are left out where that saves reading them.
        """


@dataclass(frozen=True)
class InMemory:
    """Columns in memory: arrays, series, lists."""

    columns: dict[str, Any]
    where: str = "The table"
    part: str = ""
    textual: bool = False
    again: bool = True

    @property
    def names(self) -> list[str]:
        """Column names in order."""
        return list(self.columns)

    def is_number(self, name: str) -> bool:
        """Tell whether a column holds numbers."""
        return Batch(self.columns).is_number(name)

    def load(self, names: Sequence[str]) -> dict[str, Any]:
        """Return whole columns."""
        return {name: self.columns[name] for name in names}

    def whole(self) -> InMemory:
        """Return itself."""
        return self

    def expected(self) -> int | None:
        """Return the length of the columns."""
        lengths = {_length(column) for column in self.columns.values()}
        return lengths.pop() if len(lengths) == 1 else None

    def head(self, rows: int) -> InMemory:
        """Return the first rows; all of them where columns differ in length, which is for the door to say."""
        if self.expected() is None:
            return self
        return InMemory({name: _rows(column, 0, rows) for name, column in self.columns.items()}, self.where)

    def batches(self, names: Sequence[str], numbers: Sequence[str] = (), skip: int = 0) -> Iterator[Batch]:
        """Yield slices of the columns."""
        del numbers, skip
        total = self.expected() or 0
        step = rows_of_batch(sum(_width(self.columns[name]) for name in names))
        for start in range(0, total, step):
            columns = {name: _rows(self.columns[name], start, step) for name in names}
            yield Batch(columns, self.where, self.textual, self.part, start)


def _length(column: Any) -> int:
    return int(column.shape[0]) if hasattr(column, "shape") else len(column)


def _width(column: Any) -> int:
    return int(column.shape[1]) if getattr(column, "ndim", 1) == 2 else 1


def _rows(column: Any, start: int, count: int) -> Any:
    """Return some rows of a column, whatever it is."""
    if hasattr(column, "iloc"):
        return column.iloc[start : start + count]
    return column[start : start + count]


@dataclass(frozen=True)
class Columnar:
    """What the engine reads column by column: Parquet, Arrow, JSON lines, lazy frames."""

    where: str
    frame: Any  # polars.LazyFrame
    schema: dict[str, Any]
    part: str = ""
    textual: bool = False
    again: bool = True
    counted: bool = True  # whether the rows can be counted without reading them

    @property
    def names(self) -> list[str]:
        """Column names in order."""
        return list(self.schema)

    def is_number(self, name: str) -> bool:
        """Tell whether a column holds numbers."""
        kind = self.schema[name]
        return bool(kind.is_numeric() or kind == engine().Boolean or kind.is_nested())

    def load(self, names: Sequence[str]) -> dict[str, Any]:
        """Return whole columns."""
        if not names:
            return {}
        loaded = collect(self.select(names), self.where)
        return {name: unnested(loaded[name], self.where) for name in names}

    def select(self, names: Sequence[str]) -> Any:
        """Return a lazy frame of some columns, each once."""
        return self.frame.select(list(dict.fromkeys(names)))

    def whole(self) -> Columnar:
        """Return itself."""
        return self

    def head(self, rows: int) -> Columnar:
        """Return the first rows, read when asked for."""
        return replace(self, frame=self.frame.head(rows))

    def expected(self) -> int | None:
        """Return the number of rows, which the footers of Parquet and Arrow files tell."""
        if not self.counted:
            return None
        with in_our_words(self.where):
            return int(self.frame.select(engine().len()).collect().item())

    def batches(self, names: Sequence[str], numbers: Sequence[str] = (), skip: int = 0) -> Iterator[Batch]:
        """Yield batches of the columns as the engine reads them."""
        del numbers
        start = skip
        with in_our_words(self.where):
            for frame in (
                self.select(names)
                .slice(skip)
                .collect_batches(chunk_size=rows_of_batch(len(names)), maintain_order=True)
            ):
                columns = {name: unnested(frame[name], self.where) for name in names}
                yield Batch(columns, self.where, False, self.part, start)
                start += frame.height


@dataclass(frozen=True)
class Relation(Columnar):
    """A DuckDB relation, run anew each time: its Arrow stream passes once, and then looks empty."""

    def select(self, names: Sequence[str]) -> Any:
        """Return a lazy frame over a new run of the relation."""
        quoted = ('"' + name.replace('"', '""') + '"' for name in dict.fromkeys(names))
        return engine().scan_arrow_c_stream(self.frame.project(", ".join(quoted)))

    def head(self, rows: int) -> Relation:
        """Return the first rows, read when asked for."""
        return replace(self, frame=self.frame.limit(rows))


def unnested(column: Any, where: str) -> Any:
    """Return a column of lists of equal length as an array of two dimensions."""
    if not column.dtype.is_nested():
        return column
    try:
        return np.array(column.to_list(), dtype=np.float64)
    except (ValueError, TypeError):
        raise SourceError(
            "unreadable",
            f"Column {column.name!r} of {where} holds lists that are not all of the same length, or not of numbers.",
            cure="Give one number per class in every row.",
        ) from None


@dataclass
class Feed:
    """Tables from an iterator, one after the other: a generator of batches, a reader of record batches."""

    source: Iterator[Any]
    where: str = "The stream"
    textual: bool = False
    again: bool = False
    waiting: list[dict[str, Any]] = field(default_factory=list)

    def _next(self) -> bool:
        """Take one more table; tell whether there was one."""
        for piece in self.source:
            columns = table(piece)
            if self.waiting and list(columns) != self.names:
                raise SourceError(
                    "different-columns",
                    f"A batch of {self.where} has the columns {list(columns)}, the first one {self.names}.",
                    cure="Give every batch the same columns.",
                )
            if columns and _length(next(iter(columns.values()))):
                self.waiting.append(columns)
                return True
        return False

    @property
    def names(self) -> list[str]:
        """Column names in order, of the first batch."""
        if not self.waiting and not self._next():
            raise SourceError(
                "no-rows", f"{self.where} has no rows.", cure="Give at least one batch with rows."
            )
        return list(self.waiting[0])

    def is_number(self, name: str) -> bool:
        """Tell whether a column holds numbers, by the first batch."""
        return Batch({name: self.waiting[0][name] for name in self.names}).is_number(name)

    def load(self, names: Sequence[str]) -> dict[str, Any]:
        """Return whole columns of what is still to come."""
        return self.whole().load(names)

    def whole(self) -> InMemory:
        """Return everything that is still to come, in memory."""
        names = self.names
        while self._next():
            pass
        return InMemory(_joined(self.waiting, names), self.where)

    def head(self, rows: int) -> InMemory:
        """Return at least so many rows, if there are; they will be handed over again."""
        names = self.names
        while sum(_length(columns[names[0]]) for columns in self.waiting) < rows and self._next():
            pass
        return InMemory(_joined(self.waiting, names), self.where)

    def expected(self) -> int | None:
        """Return nothing: the end is not in sight."""
        return None

    def batches(self, names: Sequence[str], numbers: Sequence[str] = (), skip: int = 0) -> Iterator[Batch]:
        """Yield what waits and what comes; large tables in slices."""
        del numbers, skip
        start, first = 0, self.names
        while self.waiting or self._next():
            columns = self.waiting[0]
            if list(columns) != first:
                raise UsageError(
                    "different-columns", "Batches differ.", cure="Give every batch the same columns."
                )
            for batch in InMemory(columns, self.where).batches(names):
                yield Batch(batch.columns, self.where, False, "", start + batch.start)
            start += _length(columns[first[0]])
            if not self._one_more_kept():
                return

    def _one_more_kept(self) -> bool:
        """Drop the batch in front; the next one keeps the names known."""
        more = len(self.waiting) > 1 or self._next()
        if more:
            del self.waiting[0]
        return more


def _joined(tables: Iterable[dict[str, Any]], names: list[str]) -> dict[str, Any]:
    """Put the columns of several tables one under the other."""
    pieces = list(tables)
    if len(pieces) == 1:
        return pieces[0]
    joined = {}
    for name in names:
        parts = [vector(piece[name], f"Column {name!r}") for piece in pieces]
        joined[name] = np.concatenate([part.values for part in parts])
    return joined
