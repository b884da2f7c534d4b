"""Tables as streams of batches: the same columns, a bounded number of rows at a time.

A :class:`Batch` is a table in memory that knows which rows of which part it holds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from logloss.errors import SourceError
from logloss.reading import collect, engine, in_our_words
from logloss.recognise import has_columns, vector

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

__all__ = [
    "Batch",
    "Columnar",
    "InMemory",
    "Relation",
    "Stream",
    "flat",
    "has_length",
    "length",
    "rows_of_batch",
]

ROWS, NUMBERS = 1 << 18, 1 << 20  # of a batch, at most: memory does not grow with the number of columns


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
    rows: NDArray[np.int64] | None = None  # their numbers, where they do not follow one another
    blank: int = 0  # lines between them that were not taken for rows

    def numbers(self) -> NDArray[np.int64] | range:
        """Return the number of each row in its part."""
        return range(self.start, self.start + len(self)) if self.rows is None else self.rows

    @property
    def names(self) -> list[str]:
        """Column names in order."""
        return list(self.columns)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()))) if self.columns else 0

    def after(self, rows: int) -> Batch:
        """Return the batch without its first rows."""
        if rows <= 0:
            return self
        columns = {name: _rows(column, rows, len(self)) for name, column in self.columns.items()}
        kept = None if self.rows is None else self.rows[rows:]
        return replace(self, columns=columns, start=self.start + rows, rows=kept, blank=0)

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

    def lazy(self, names: Sequence[str]) -> Any:
        """Return some columns as the engine's lazy frame."""
        pl = engine()
        columns = {name: vector(self.columns[name], f"Column {name!r}").values for name in names}
        return pl.DataFrame(
            {name: pl.Series(name, values, strict=False) for name, values in columns.items()}
        ).lazy()

    def expected(self) -> int | None:
        """Return the length of the longest column."""
        return max((length(column) for column in self.columns.values() if has_length(column)), default=None)

    def head(self, rows: int) -> InMemory:
        """Return the first rows; what has no rows, as it is."""
        columns = {name: _rows(c, 0, rows) if has_length(c) else c for name, c in self.columns.items()}
        return replace(self, columns=columns)

    def batches(self, names: Sequence[str], numbers: Sequence[str] = (), skip: int = 0) -> Iterator[Batch]:
        """Yield slices of the columns."""
        del numbers, skip
        lengths = {length(self.columns[name]) if has_length(self.columns[name]) else 1 for name in names}
        if len(lengths) > 1:  # which is for the door to say
            yield Batch({name: self.columns[name] for name in names}, self.where, self.textual, self.part)
            return
        total = lengths.pop()
        step = rows_of_batch(sum(_width(self.columns[name]) for name in names))
        for start in range(0, total, step):
            columns = {name: _rows(self.columns[name], start, step) for name in names}
            yield Batch(columns, self.where, self.textual, self.part, start)


def has_length(column: Any) -> bool:
    """Tell whether something is a column."""
    return hasattr(column, "shape") or (hasattr(column, "__len__") and not isinstance(column, str | bytes))


def length(column: Any) -> int:
    """Return the number of rows of a column."""
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

    def lazy(self, names: Sequence[str]) -> Any:
        """Return some columns as the engine's lazy frame."""
        return self.select(names)

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


def flat(column: Any, where: str) -> Any:
    """Return a column of the engine's lists as an array of two dimensions; any other as it is."""
    return unnested(column, where) if hasattr(getattr(column, "dtype", None), "is_nested") else column


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
