"""Delimited text - CSV, TSV - as a table of text: nothing is turned into numbers before its column is known to be.

So an id 007 stays 007, a class 01 is not the class 1, and a 30-digit id fits.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from logloss.errors import ColumnError, SourceError, listing
from logloss.reading import collect, engine, lazily

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import polars as pl

__all__ = ["Delimited", "open_delimited"]

TYPED_BY = 1_000  # rows by which a column looks like numbers


@dataclass(frozen=True)
class Delimited:
    """A delimited file: its path or bytes, its separator, and the types its first rows suggest."""

    where: str
    source: Path | bytes
    separator: str
    schema: dict[str, Any]
    cache: dict[str, pl.DataFrame] = field(default_factory=dict)

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
        some = self.load([name])[name].drop_nulls().head(TYPED_BY)  # decimal commas
        return len(some) > 0 and bool(some.str.contains(r"^\s*[+-]?\d+,\d+\s*$").all())

    def load(self, names: Sequence[str]) -> dict[str, Any]:
        """Return columns as text. All are read: given fewer, the engine does not see lines with too many fields."""
        if "whole" not in self.cache:
            self.cache["whole"] = self._read()
        return {name: self.cache["whole"][name] for name in names}

    def _read(self) -> pl.DataFrame:
        try:
            whole = collect(_scan(self.source, self.separator, infer_schema=False), self.where)
        except SourceError as error:
            bad = [] if error.slug == "no-rows" else list(self._ragged())
            if not bad:
                raise
            lines = ", ".join(f"line {line} has {count}" for line, count in bad[:3])
            raise SourceError(
                "ragged",
                f"The header of {self.where} has {len(self.names)} fields, but {lines}{' and so on' if len(bad) > 3 else ''}.",
                cure="Quote fields that contain the separator, or repair those lines.",
            ) from None
        if len(self.names) > 1:  # a blank line is not a row
            pl = engine()
            whole = whole.filter(~pl.all_horizontal(pl.all().is_null()))
        return whole

    def _ragged(self) -> Iterator[tuple[int, int]]:
        """Yield (line, fields) of records with more fields than the header, by Python's own reader."""
        import csv

        data = self.source if isinstance(self.source, bytes) else self.source.read_bytes()
        reader = csv.reader(
            io.StringIO(data.decode("utf-8", "replace"), newline=""), delimiter=self.separator
        )
        for record in reader:
            if len(record) > len(self.names):
                yield reader.line_num, len(record)


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
    if all(_looks_like_a_number(name) for name in schema):
        raise ColumnError(
            "no-header",
            f"The first line of {where} looks like data, not column names: {listing(list(schema))}.",
            cure="Add a header line such as y,p.",
        )
    return Delimited(where, source, separator, schema)


def _scan(source: Path | bytes, separator: str, **options: Any) -> Any:
    opened = io.BytesIO(source) if isinstance(source, bytes) else source
    return engine().scan_csv(opened, separator=separator, raise_if_empty=True, **options)


def _separator(head: bytes, kind: str) -> str:
    line = head.split(b"\n", 1)[0]
    if kind in (".tsv", ".tab"):
        return "\t"
    counts = {mark: line.count(mark.encode()) for mark in (",", ";", "\t", "|")}
    return max(counts, key=lambda mark: (counts[mark], mark == ",")) if any(counts.values()) else ","


def _looks_like_a_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
