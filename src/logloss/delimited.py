"""Delimited text - CSV, TSV - as a table of text: nothing is turned into numbers before its column is known to be.

In batches, the columns that are known to be numbers are read as such. So an id 007 stays 007, a class 01 is not the class 1, and a 30-digit id fits.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from logloss.batches import Batch, rows_of_batch
from logloss.errors import ColumnError, SourceError, listing
from logloss.reading import collect, engine, in_our_words, lazily

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import polars as pl

__all__ = ["Delimited", "open_delimited"]

BEGINNING = 1 << 20  # bytes by which a long file is judged
TYPED_BY = 1_000  # rows by which a column looks like numbers


@dataclass(frozen=True)
class Delimited:
    """A delimited file: its path or bytes, its separator, and the types its first rows suggest."""

    where: str
    source: Path | bytes
    separator: str
    schema: dict[str, Any]
    part: str = ""
    renamed: dict[str, str] = field(
        default_factory=dict
    )  # columns whose names the engine does not read as meant
    again: bool = True
    limit: int | None = None  # rows, where only the first ones are meant
    cache: dict[str, pl.DataFrame] = field(default_factory=dict, compare=False)

    @property
    def names(self) -> list[str]:
        """Column names in order."""
        return list(self.schema)

    @property
    def textual(self) -> bool:
        """Every column is loaded as text."""
        return True

    def is_number(self, name: str) -> bool:
        """Tell whether the column's first rows are numbers."""
        kind = self.schema[name]
        if kind != engine().String or self.separator == ",":
            return bool(kind.is_numeric() or kind == engine().Boolean)
        some = self.head(TYPED_BY).load([name])[name].drop_nulls()  # decimal commas
        return len(some) > 0 and bool(some.str.contains(r"^\s*[+-]?\d+,\d+\s*$").all())

    def load(self, names: Sequence[str]) -> dict[str, Any]:
        """Return columns as text. All are read: given fewer, the engine does not see lines with too many fields."""
        if "whole" not in self.cache:
            try:
                frame = _scan(
                    self.source, self.separator, self.renamed, infer_schema=False, n_rows=self.limit
                )
                raw = collect(frame, self.where)
                self.cache["raw"], self.cache["whole"] = raw, _without_blank(raw)
            except SourceError as error:
                raise self._told(error) from None
        return {name: self.cache["whole"][name] for name in names}

    def lazy(self, names: Sequence[str]) -> Any:
        """Return some columns, as text, as the engine's lazy frame."""
        pl = engine()
        frame = _scan(self.source, self.separator, self.renamed, infer_schema=False)
        rows = frame if len(self.schema) < 2 else frame.filter(~pl.all_horizontal(pl.all().is_null()))
        return rows.select(list(dict.fromkeys(names)))

    @property
    def raw_rows(self) -> int:
        """How many rows were loaded, blank lines included."""
        self.load([])
        return self.cache["raw"].height

    def whole(self) -> Delimited:
        """Return itself."""
        return self

    def head(self, rows: int) -> Delimited:
        """Return the first rows."""
        if "whole" in self.cache or (self.limit is not None and self.limit <= rows):
            return self
        return replace(self, source=self._beginning(), limit=rows, cache={})

    def _beginning(self) -> Path | bytes:
        """Return the first whole lines, if it is certain where lines end: the engine would read much more for them."""
        if isinstance(self.source, bytes):
            return self.source
        with self.source.open("rb") as file:
            data = file.read(BEGINNING)
        if len(data) < BEGINNING or b'"' in data or data.count(b"\n") < 2:
            return self.source
        return data[: data.rindex(b"\n") + 1]

    def expected(self) -> int | None:
        """Return about how many rows there are, from the length of the first lines."""
        data = self.source if isinstance(self.source, bytes) else None
        size = len(data) if data is not None else self.source.stat().st_size  # type: ignore[union-attr]  # a path then
        if data is None:
            with self.source.open("rb") as file:  # type: ignore[union-attr]  # as above
                data = file.read(1 << 16)
        lines = data[: 1 << 16].count(b"\n")
        return max(1, round(size / min(size, 1 << 16) * lines) - 1)

    def batches(self, names: Sequence[str], numbers: Sequence[str] = (), skip: int = 0) -> Iterator[Batch]:
        """Yield batches of columns as text; those in `numbers` as the numbers the engine reads, or an error."""
        del skip  # finding a line takes reading those before it
        pl = engine()
        start = 0
        try:
            with in_our_words(self.where):
                typed = dict.fromkeys(numbers, pl.Float64)
                frame = _scan(
                    self.source, self.separator, self.renamed, infer_schema=False, schema_overrides=typed
                )
                for piece in frame.collect_batches(
                    chunk_size=rows_of_batch(len(self.schema)), maintain_order=True
                ):
                    rows = _without_blank(piece)
                    columns = {name: rows[name] for name in names}
                    yield Batch(columns, self.where, True, self.part, start, None, piece.height - rows.height)
                    start += rows.height
        except SourceError as error:
            raise self._told(error) from None

    def _told(self, error: SourceError) -> SourceError:
        """Return an error that says which lines are ragged, where that is what it is about."""
        bad = [] if error.slug == "no-rows" else list(islice(self._ragged(), 4))
        if not bad:
            return error
        lines = ", ".join(f"line {line} has {count}" for line, count in bad[:3])
        return SourceError(
            "ragged",
            f"The header of {self.where} has {len(self.names)} fields, but {lines}{' and so on' if len(bad) > 3 else ''}.",
            cure="Quote fields that contain the separator, or repair those lines.",
        )

    def _ragged(self) -> Iterator[tuple[int, int]]:
        """Yield (line, fields) of records with more fields than the header, by Python's own reader."""
        import csv

        data: Any = io.BytesIO(self.source) if isinstance(self.source, bytes) else self.source.open("rb")
        with io.TextIOWrapper(data, encoding="utf-8", errors="replace", newline="") as lines:
            reader = csv.reader(lines, delimiter=self.separator)
            for record in reader:
                if len(record) > len(self.names):
                    yield reader.line_num, len(record)


def _without_blank(frame: pl.DataFrame) -> pl.DataFrame:
    """Leave blank lines out, which are not rows; a table of one column may have empty fields."""
    if frame.width < 2 or any(not column.null_count() for column in frame.iter_columns()):
        return frame
    pl = engine()
    return frame.filter(~pl.all_horizontal(pl.all().is_null()))


def open_delimited(source: Path | bytes, kind: str, head: bytes, where: str) -> Delimited:
    """Return delimited text as a table; `head` is its beginning."""
    if b"\x00" in head:
        raise SourceError(
            "not-text",
            f"{where} is not text (it holds NUL bytes).",
            cure="Write it as UTF-8 CSV, or give it its right suffix.",
        )
    separator = _separator(head, kind)
    _, schema = lazily(where, lambda: _scan(source, separator, infer_schema_length=TYPED_BY))
    renamed = [
        name.rsplit("_duplicated_", 1)[0] for name in schema if "_duplicated_" in name
    ]  # by the engine
    if renamed and all(name in schema for name in renamed):
        raise ColumnError(
            "duplicate-columns",
            f"The header of {where} names {listing([repr(name) for name in renamed])} more than once.",
            cure="Rename one of them.",
        )
    if all(_looks_like_a_number(name) for name in schema) and not _positions(list(schema)):
        raise ColumnError(
            "no-header",
            f"The first line of {where} looks like data, not column names: {listing(list(schema))}.",
            cure="Add a header line such as y,p.",
        )
    plain = _unescaped(list(schema))
    schema = {plain.get(name, name): kind for name, kind in schema.items()}
    return Delimited(where, source, separator, schema, renamed=plain)


def _scan(source: Path | bytes, separator: str, renamed: dict[str, str] | None = None, **options: Any) -> Any:
    """Return the engine's lazy frame; columns of `renamed` get their new names, by which `schema_overrides` calls them."""
    opened = io.BytesIO(source) if isinstance(source, bytes) else source
    if renamed and "schema_overrides" in options:
        old = {new: name for name, new in renamed.items()}
        typed = options["schema_overrides"]
        options["schema_overrides"] = {old.get(name, name): kind for name, kind in typed.items()}
    frame = engine().scan_csv(opened, separator=separator, raise_if_empty=True, **options)
    return frame.rename(renamed) if renamed else frame


def _separator(head: bytes, kind: str) -> str:
    line = head.split(b"\n", 1)[0]
    if kind in (".tsv", ".tab"):
        return "\t"
    counts = {mark: line.count(mark.encode()) for mark in (",", ";", "\t", "|")}
    return max(counts, key=lambda mark: (counts[mark], mark == ",")) if any(counts.values()) else ","


def _positions(names: list[str]) -> bool:
    """Tell whether columns are called 0, 1, 2, ..., as tables without names are written; two could be an outcome and p = 1."""
    return len(names) > 2 and names == [str(at) for at in range(len(names))]


def _unescaped(names: list[str]) -> dict[str, str]:
    """Return what to call columns in whose names the engine leaves doubled quotes; none where that makes two alike."""
    plain = {name: name.replace('""', '"') for name in names if '""' in name}
    return plain if len({*names} - {*plain} | {*plain.values()}) == len(names) else {}


def _looks_like_a_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
