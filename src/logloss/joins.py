"""Predictions and outcomes in two tables, joined by id in bounded memory: the ids are dealt into buckets by their hash.

Each bucket is small enough to be joined in memory; both tables are read once (the predictions twice) per bucket. Ids are
compared as text, as :mod:`logloss.joining` does; one that occurs twice is an error; what is left over is counted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from logloss.batches import Batch, InMemory, flat, rows_of_batch, unnested
from logloss.errors import AlignmentError, listing
from logloss.joining import left_over
from logloss.reading import engine, in_our_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from logloss.notes import Note

__all__ = ["Joined"]

BUCKET = 1 << 22  # ids joined at a time
KEY, ROW = "\x00key", "\x00row"  # no column of a file is called so


@dataclass
class Joined:
    """The rows of two tables that share an id, as a stream."""

    source: Any  # streams
    answers: Any
    id_name: str
    in_answers: dict[str, str]  # columns that stand there, by the name they have here
    notes: list[Note] = field(default_factory=list)  # on what was left over, once the rows have been read
    part: str = ""
    again: bool = True

    @property
    def where(self) -> str:
        """How errors call it."""
        return f"{self.source.where} joined with {self.answers.where}"

    @property
    def textual(self) -> bool:
        """Whether outcomes are handed over as text."""
        return bool(self.answers.textual)

    @property
    def names(self) -> list[str]:
        """Column names: the predictions' and those taken from the outcomes' table."""
        return list(dict.fromkeys([*self.source.names, *self.in_answers]))

    def is_number(self, name: str) -> bool:
        """Tell whether a column holds numbers."""
        there = self.in_answers.get(name)
        return bool(self.source.is_number(name) if there is None else self.answers.is_number(there))

    def expected(self) -> int | None:
        """Return about how many predictions there are."""
        counted: int | None = self.source.expected()
        return counted

    def load(self, names: Sequence[str]) -> dict[str, Any]:
        """Return whole columns."""
        return self.whole().load(names)

    def whole(self) -> InMemory:
        """Return all rows in memory."""
        return self.head(1 << 62)

    def head(self, rows: int) -> InMemory:
        """Return the first joined rows."""
        frames, count = [], 0
        for frame in self._joined(self.names, buckets=self._buckets()):
            frames.append(frame)
            count += frame.height
            if count >= rows:
                break
        whole = engine().concat(frames).head(rows)
        return InMemory(
            {name: flat(whole[name], self.where) for name in self.names}, self.where, "", self.textual
        )

    def batches(self, names: Sequence[str], numbers: Sequence[str] = (), skip: int = 0) -> Iterator[Batch]:
        """Yield the joined rows, bucket by bucket; rows keep the numbers they have among the predictions."""
        del numbers, skip
        for frame in self._joined(names, buckets=self._buckets()):
            columns = {name: unnested(frame[name], self.where) for name in names}
            yield Batch(columns, self.where, self.textual, self.part, 0, frame[ROW].to_numpy())

    def _buckets(self) -> int:
        most = max(self.source.expected() or 0, self.answers.expected() or 0)
        return int(-(-most // BUCKET)) or 1

    def _joined(self, names: Sequence[str], *, buckets: int) -> Iterator[Any]:
        """Yield joined frames; afterwards say what was left over."""
        pl = engine()
        here = [name for name in names if name not in self.in_answers and name != self.id_name]
        there = [name for name in names if name in self.in_answers]
        left = (
            self._keyed(self.source, [*here, self.id_name])
            .with_row_index(ROW)
            .with_columns(pl.col(ROW).cast(pl.Int64))
        )
        real = {name: self.in_answers[name] for name in there}
        right = self._keyed(self.answers, [*real.values(), self.id_name])
        right = right.select(KEY, *(pl.col(column).alias(name) for name, column in real.items()))
        alone, lost = _LeftOver(), _LeftOver()
        with in_our_words(self.where):
            for bucket in range(buckets):
                mine = pl.col(KEY).hash(7) % buckets == bucket
                truth = right.filter(mine).collect(engine="streaming")
                self._refuse_twins(truth[KEY], self.answers)
                keys = left.filter(mine).select(KEY).collect(engine="streaming")
                self._refuse_twins(keys[KEY], self.source)
                alone.add(keys.join(truth.select(KEY), on=KEY, how="anti")[KEY], keys.height)
                lost.add(truth.select(KEY).join(keys, on=KEY, how="anti")[KEY], truth.height)
                both = left.filter(mine).join(truth.lazy(), on=KEY, how="inner", maintain_order="left")
                yield from both.collect_batches(chunk_size=rows_of_batch(len(names) + 1), maintain_order=True)
        if alone.total == alone.count:
            raise AlignmentError(
                "no-shared-ids",
                f"{self.source.where} and {self.answers.where} share no id in column {self.id_name!r}: {listing(map(repr, alone.some))} against {listing(map(repr, lost.some))}.",
                cure="Check that both files are about the same rows, and that the ids are written the same way.",
            )
        self.notes[:] = left_over(
            (alone.count, alone.total, alone.some),
            (lost.count, lost.total, lost.some),
            self.source.where,
            self.answers.where,
        )

    def _keyed(self, table: Any, names: Sequence[str]) -> Any:
        """Return columns with the id as text beside them: whole numbers without a point, in any type."""
        pl = engine()
        frame = table.lazy(list(dict.fromkeys(names)))
        key = pl.col(self.id_name)
        text = key.cast(pl.String)
        if frame.collect_schema()[self.id_name].is_float():
            key = key.fill_nan(None)
            whole = key.is_null() | (key == key.floor())
            text = (
                pl.when(whole)
                .then(key.cast(pl.Int64, strict=False).cast(pl.String))
                .otherwise(key.cast(pl.String))
            )
        return frame.with_columns(text.alias(KEY))

    def _refuse_twins(self, keys: Any, table: Any) -> None:
        if keys.null_count():
            raise AlignmentError(
                "missing-values",
                f"{table.where} has {keys.null_count():,} rows without an id in {self.id_name!r}.",
                cure="Give every row its id.",
            )
        if keys.n_unique() < len(keys):
            twin = keys.filter(keys.is_duplicated())[0]
            raise AlignmentError(
                "duplicate-ids",
                f"Id {twin!r} occurs more than once in {table.where}, so its pair is ambiguous.",
                cure="Keep one row per id.",
            )


@dataclass
class _LeftOver:
    """Ids of one table that the other lacks: how many of how many, and the first few."""

    count: int = 0
    total: int = 0
    some: list[str] = field(default_factory=list)

    def add(self, keys: Any, total: int) -> None:
        self.count += len(keys)
        self.total += total
        self.some = [*self.some, *keys.head(3).to_list()][:3]
