"""Tables from an iterator, one after the other: a generator of batches, a reader of record batches. They pass once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.batches import Batch, InMemory, flat, has_length, length
from logloss.errors import SourceError
from logloss.recognise import Vector, is_table, table, vector

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["Feed"]


@dataclass
class Feed:
    """Tables from an iterator, one after the other: a generator of batches, a reader of record batches."""

    source: Iterator[Any]
    where: str = "The stream"
    part: str = ""
    textual: bool = False
    again: bool = False
    waiting: list[dict[str, Any]] = field(default_factory=list)

    def _next(self) -> bool:
        """Take one more table; tell whether there was one."""
        for piece in self.source:
            columns = self._table(piece)
            if self.waiting and set(columns) == set(self.names):
                columns = {name: columns[name] for name in self.names}
            if self.waiting and list(columns) != self.names:
                raise SourceError(
                    "different-columns",
                    f"A batch of {self.where} has the columns {list(columns)}, the first one {self.names}.",
                    cure="Give every batch the same columns.",
                )
            if columns and length(next(iter(columns.values()))):
                self.waiting.append(columns)
                return True
        return False

    def _table(self, piece: Any) -> dict[str, Any]:
        if not is_table(piece):
            raise SourceError(
                "not-a-table",
                f"{self.where} yields a {type(piece).__name__}, which is not a table.",
                cure="Yield frames, Arrow batches, or mappings of names to columns.",
            )
        columns = table(piece)
        odd = [name for name, column in columns.items() if not has_length(column)]
        if odd:
            raise SourceError(
                "not-a-table",
                f"{self.where} yields a mapping whose {odd[0]!r} is not a column.",
                cure="Yield mappings of names to columns, not single rows.",
            )
        return {name: flat(column, self.where) for name, column in columns.items()}

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
        while sum(length(columns[names[0]]) for columns in self.waiting) < rows and self._next():
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
            for batch in InMemory(columns, self.where).batches(names):
                yield Batch(batch.columns, self.where, False, "", start + batch.start)
            start += length(columns[first[0]])
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
    joined: dict[str, Any] = {}
    for name in names:
        if all(getattr(piece[name], "ndim", 1) == 2 for piece in pieces):
            joined[name] = np.concatenate([np.asarray(piece[name]) for piece in pieces])
            continue
        parts = [vector(piece[name], f"Column {name!r}") for piece in pieces]
        categories = {part.categories for part in parts}
        declared = categories.pop() if len(categories) == 1 else None
        joined[name] = Vector(np.concatenate([part.values for part in parts]), name, declared)
    return joined
