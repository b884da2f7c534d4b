"""Files and standard input as tables, by the embedded engine; every failure to read one is told in one paragraph."""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.errors import ColumnError, SourceError, listing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import polars as pl

__all__ = ["is_file", "open_table"]

COMPRESSED = (".gz", ".zst")
GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
TYPED_BY = 1_000  # rows of a CSV file that tell its columns' types; all rows if they misled


@dataclass(frozen=True)
class _File:
    """A file that the engine reads column by column."""

    where: str
    frame: Any  # polars.LazyFrame
    schema: dict[str, Any]
    csv: _Csv | None = None  # CSV is read whole: given fewer columns, the engine does not see ragged lines
    cache: dict[str, pl.DataFrame] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        return list(self.schema)

    def is_number(self, name: str) -> bool:
        kind = self.schema[name]
        return bool(kind.is_numeric() or kind == _polars().Boolean)

    def load(self, names: Sequence[str]) -> dict[str, Any]:
        if not names:
            return {}
        if self.csv is None:
            loaded = _collect(self.frame.select(list(dict.fromkeys(names))), self.where)
        else:
            loaded = (
                self.cache["whole"]
                if "whole" in self.cache
                else self.cache.setdefault("whole", self.csv.read())
            )
        return {name: loaded[name] for name in names}


@dataclass(frozen=True)
class _Csv:
    """Delimited text: a path or its bytes, and its separator."""

    where: str
    source: Path | bytes
    separator: str

    def scan(self, rows: int | None) -> Any:
        """Return a lazy frame whose column types are told by the first `rows` rows (None: all)."""
        source = io.BytesIO(self.source) if isinstance(self.source, bytes) else self.source
        return _polars().scan_csv(
            source, separator=self.separator, infer_schema_length=rows, raise_if_empty=True
        )

    def read(self) -> pl.DataFrame:
        """Read all of it; where the first rows misled about a type, look at every row."""
        try:
            return _collect(self.scan(TYPED_BY), self.where)
        except SourceError as error:
            if error.slug == "no-rows":
                raise
            bad = self.ragged()
            if bad:
                lines = ", ".join(f"line {line} has {count}" for line, count in bad[:3])
                raise SourceError(
                    "ragged",
                    f"The header of {self.where} has {self.fields()} fields, but {lines}{' and so on' if len(bad) > 3 else ''}.",
                    cure="Quote fields that contain the separator, or repair those lines.",
                ) from None
            return _collect(self.scan(None), self.where)

    def records(self) -> Any:
        """Return the records, each a list of fields, by Python's own reader."""
        import csv

        data = self.source if isinstance(self.source, bytes) else self.source.read_bytes()
        return csv.reader(io.StringIO(data.decode("utf-8", "replace"), newline=""), delimiter=self.separator)

    def fields(self) -> int:
        """Return how many fields the header has."""
        return len(next(self.records()))

    def ragged(self) -> list[tuple[int, int]]:
        """Return (line, fields) of records with more fields than the header."""
        reader = self.records()
        width = len(next(reader, []))
        return [(reader.line_num, len(record)) for record in reader if len(record) > width]


@dataclass(frozen=True)
class _Arrays:
    """The arrays of an NPZ file, read without unpickling anything."""

    where: str
    arrays: dict[str, Any]

    @property
    def names(self) -> list[str]:
        return list(self.arrays)

    def is_number(self, name: str) -> bool:
        return self.arrays[name].dtype.kind in "iufb"

    def load(self, names: Sequence[str]) -> dict[str, Any]:
        return {name: self.arrays[name] for name in names}


def open_table(path: str | Path) -> Any:
    """Return the table in a file: CSV, TSV, Parquet, Arrow, JSON lines or NPZ; "-" is standard input.

    Raises
    ------
    SourceError
        Where it cannot be read: missing, a directory, empty, truncated, ragged, not text.
    """
    if str(path) == "-":
        return _from_stdin()
    file = Path(path).expanduser()
    where = str(path)
    if file.is_dir():
        raise SourceError("is-a-directory", f"{where} is a directory.", cure="Name a file in it.")
    if not file.exists():
        near = [other.name for other in file.parent.iterdir()] if file.parent.is_dir() else []
        from logloss.errors import suggestion

        raise SourceError(
            "no-such-file", f"There is no file {where}.{suggestion(file.name, near)}", cure="Check the path."
        )
    try:
        if file.stat().st_size == 0:
            raise SourceError(
                "empty", f"{where} is empty (0 bytes).", cure="Write the table again, with a header line."
            )
        with file.open("rb") as opened:
            head = opened.read(4096)
    except OSError as error:
        raise SourceError(
            "unreadable", f"{where} cannot be read: {error.strerror or error}.", cure="Check its permissions."
        ) from None
    suffixes = [suffix.lower() for suffix in file.suffixes]
    kind = next((suffix for suffix in reversed(suffixes) if suffix not in COMPRESSED), "")
    return _open(file, kind, head, where)


def is_file(path: str) -> bool:
    """Tell whether a name is that of a file."""
    return Path(path).is_file()


def _from_stdin() -> Any:
    data = sys.stdin.buffer.read()
    if not data.strip():
        raise SourceError("empty", "Standard input is empty.", cure="Pipe a table into it.")
    return _open(io.BytesIO(data), "", data[:4096], "Standard input")


def _open(source: Path | io.BytesIO, kind: str, head: bytes, where: str) -> Any:
    """Open by what the file is: its magic bytes first, its suffix otherwise."""
    pl = _polars()
    if head.startswith(b"PK\x03\x04") or kind == ".npz":
        return _npz(source, where)
    if head.startswith(b"PAR1") or kind in (".parquet", ".pq"):
        return _lazy(where, lambda: pl.scan_parquet(source))
    if head.startswith(b"ARROW1") or kind in (".arrow", ".feather", ".ipc"):
        return _lazy(where, lambda: pl.scan_ipc(source))
    if kind in (".pkl", ".pickle", ".joblib", ".npy", ".xlsx", ".h5"):
        raise SourceError(
            "unknown-format",
            f"{where}: {kind} files are not read.",
            cure="Write CSV, Parquet, Arrow, JSON lines or NPZ.",
        )
    if kind in (".jsonl", ".ndjson", ".json") or head.lstrip()[:1] in (b"{", b"["):
        data = _decompressed(source, head, where)
        if data.lstrip()[:1] == b"[":
            return _lazy(where, lambda: pl.read_json(io.BytesIO(data)).lazy())
        return _lazy(where, lambda: pl.read_ndjson(io.BytesIO(data), infer_schema_length=None).lazy())
    return _csv(source, kind, head, where)


def _csv(source: Path | io.BytesIO, kind: str, head: bytes, where: str) -> Any:
    data: Path | bytes = source if isinstance(source, Path) else source.getvalue()
    if head[:2] == GZIP or head[:4] == ZSTD:
        data = _decompressed(source, head, where)
        if not data.strip():
            raise SourceError("empty", f"{where} holds no data after decompression.", cure="Write it again.")
        head = data[:4096]
    if b"\x00" in head:
        raise SourceError(
            "not-text",
            f"{where} is not text (it holds NUL bytes).",
            cure="Write it as UTF-8 CSV, or give it its right suffix.",
        )
    csv = _Csv(where, data, _separator(head, kind))
    opened = _lazy(where, lambda: csv.scan(TYPED_BY))
    twice = [
        name.rsplit("_duplicated_", 1)[0] for name in opened.schema if "_duplicated_" in name
    ]  # the engine's renaming
    if twice and all(name in opened.schema for name in twice):
        raise ColumnError(
            "duplicate-columns",
            f"The header of {where} names {listing([repr(name) for name in twice])} more than once.",
            cure="Rename one of them.",
        )
    if all(_looks_like_a_number(name) for name in opened.schema):
        raise ColumnError(
            "no-header",
            f"The first line of {where} looks like data, not column names: {listing(list(opened.schema))}.",
            cure="Add a header line such as y,p.",
        )
    return _File(where, opened.frame, opened.schema, csv)


def _separator(head: bytes, kind: str) -> str:
    line = head.split(b"\n", 1)[0]
    if kind in (".tsv", ".tab"):
        return "\t"
    counts = {mark: line.count(mark.encode()) for mark in (",", ";", "\t", "|")}
    return max(counts, key=lambda mark: (counts[mark], mark == ",")) if any(counts.values()) else ","


def _decompressed(source: Path | io.BytesIO, head: bytes, where: str) -> bytes:
    """Return the bytes, unpacked where they are gzip or zstd; truncated archives are errors."""
    data = source.read_bytes() if isinstance(source, Path) else source.getvalue()
    if head[:2] == GZIP:
        import gzip
        import zlib

        try:
            return gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as error:
            raise SourceError(
                "truncated", f"{where} is a damaged gzip file: {error}.", cure="Copy or write it again."
            ) from None
    if head[:4] == ZSTD:
        pl = _polars()
        try:  # the engine unpacks zstd while it reads lines of text
            lines = pl.read_csv(
                data,
                has_header=False,
                separator="\x1f",
                quote_char=None,
                new_columns=["line"],
                infer_schema=False,
            )
        except (pl.exceptions.PolarsError, OSError) as error:
            raise _told(error, where) from None
        return "\n".join(lines["line"].fill_null("").to_list()).encode()
    return data


def _lazy(where: str, scan: Callable[[], Any]) -> _File:
    pl = _polars()
    try:
        frame = scan()
        schema = dict(frame.collect_schema())
    except (pl.exceptions.PolarsError, OSError, ValueError) as error:
        raise _told(error, where) from None
    if not schema:
        raise SourceError("empty", f"{where} has no columns.", cure="Write a header line and rows.")
    return _File(where, frame, schema)


def _collect(frame: pl.LazyFrame, where: str) -> pl.DataFrame:
    pl = _polars()
    try:
        loaded = frame.collect()
    except (pl.exceptions.PolarsError, OSError, ValueError) as error:
        raise _told(error, where) from None
    if not loaded.height:
        raise SourceError("no-rows", f"{where} has a header but no rows.", cure="Write the rows again.")
    return loaded


def _told(error: Exception, where: str) -> SourceError:
    """Return the engine's complaint in our words."""
    first = str(error).strip().split("\n")[0].rstrip(".")
    lowered = str(error).lower()
    if "empty" in lowered or "no data" in lowered:
        return SourceError("empty", f"{where} holds no table.", cure="Write a header line and rows.")
    if "more fields" in lowered or "ragged" in lowered:
        return SourceError(
            "ragged",
            f"Some lines of {where} have more fields than its header ({first}).",
            cure="Quote fields that contain the separator, or repair those lines.",
        )
    if "utf-8" in lowered or "utf8" in lowered:
        return SourceError("not-text", f"{where} is not UTF-8 text ({first}).", cure="Save it as UTF-8.")
    if (
        "parquet" in lowered
        or "out of specification" in lowered
        or "end of file" in lowered
        or "eof" in lowered
    ):
        return SourceError(
            "truncated", f"{where} is damaged or cut off ({first}).", cure="Copy or write it again."
        )
    return SourceError(
        "unreadable",
        f"{where} cannot be read ({first}).",
        cure="Check that it is a CSV, Parquet, Arrow, JSON-lines or NPZ table.",
    )


def _npz(source: Path | io.BytesIO, where: str) -> _Arrays:
    import zipfile

    try:
        with (
            source.open("rb") if isinstance(source, Path) else source as opened,
            np.load(opened, allow_pickle=False) as archive,
        ):
            arrays = {name: archive[name] for name in archive.files}
    except (OSError, ValueError, zipfile.BadZipFile, EOFError) as error:
        raise SourceError(
            "truncated",
            f"{where} cannot be read as NPZ: {error}.",
            cure="Write it again with numpy.savez; arrays of objects are not read.",
        ) from None
    if not arrays:
        raise SourceError("empty", f"{where} holds no arrays.", cure="Save outcomes and forecasts into it.")
    return _Arrays(where, arrays)


def _looks_like_a_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _polars() -> Any:
    import polars as pl

    return pl
