"""Files and standard input as tables; every failure to read one is told in one paragraph."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.batches import Columnar, InMemory
from logloss.delimited import open_delimited
from logloss.errors import SourceError, suggestion
from logloss.reading import collect, engine, lazily

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["is_file", "open_table"]

COMPRESSED = (".gz", ".zst")
GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
UNREAD = (".pkl", ".pickle", ".joblib", ".npy", ".xlsx", ".xls", ".ods", ".h5", ".rds")


def open_table(path: str | Path) -> Any:
    """Return the table in a file: CSV, TSV, Parquet, Arrow, JSON, JSON lines or NPZ; "-" is standard input.

    Raises
    ------
    SourceError
        Where it cannot be read: missing, a directory, empty, truncated, ragged, not text.
    """
    if str(path) == "-":
        return _from_stdin()
    where = str(path)
    try:
        file = Path(path).expanduser()
        if file.is_dir():
            raise SourceError("is-a-directory", f"{where} is a directory.", cure="Name a file in it.")
        if not file.exists():
            near = [other.name for other in file.parent.iterdir()] if file.parent.is_dir() else []
            hint = suggestion(file.name, near)
            raise SourceError("no-such-file", f"There is no file {where}.{hint}", cure="Check the path.")
        with file.open("rb") as opened:
            head = opened.read(4096)
    except (OSError, RuntimeError) as error:
        told = getattr(error, "strerror", None) or error
        raise SourceError(
            "unreadable", f"{where} cannot be read: {told}.", cure="Check the path and its permissions."
        ) from None
    if not head:
        raise SourceError(
            "empty", f"{where} is empty (0 bytes).", cure="Write the table again, with a header line."
        )
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
    pl = engine()
    if kind in UNREAD:
        raise SourceError(
            "unknown-format",
            f"{where}: {kind} files are not read.",
            cure="Write CSV, Parquet, Arrow, JSON lines or NPZ.",
        )
    if head[:2] == GZIP or head[:4] == ZSTD:
        data = _decompressed(source, head, where)
        if not data.strip():
            raise SourceError("empty", f"{where} holds no data after decompression.", cure="Write it again.")
        return _open(io.BytesIO(data), kind, data[:4096], where)
    if head.startswith(b"PK\x03\x04") or kind == ".npz":
        return _npz(source, where)
    if head.startswith(b"PAR1") or kind in (".parquet", ".pq"):
        return _columnar(where, lambda: pl.scan_parquet(source))
    if head.startswith(b"ARROW1") or kind in (".arrow", ".feather", ".ipc"):
        return _columnar(where, lambda: pl.scan_ipc(source))
    return _text(source if isinstance(source, Path) else source.getvalue(), kind, head, where)


def _text(source: Path | bytes, kind: str, head: bytes, where: str) -> Any:
    if kind in (".jsonl", ".ndjson", ".json") or head.lstrip()[:1] in (b"{", b"["):
        return _json(source if isinstance(source, bytes) else source.read_bytes(), where)
    return open_delimited(source, kind, head, where)


def _bytes(source: Path | io.BytesIO) -> bytes:
    return source.read_bytes() if isinstance(source, Path) else source.getvalue()


def _columnar(where: str, scan: Callable[[], Any]) -> Columnar:
    return Columnar(where, *lazily(where, scan))


def _json(data: bytes, where: str) -> Columnar:
    """Read a list of records, one record per line, or one object of columns."""
    pl = engine()
    if data.lstrip()[:1] == b"[":
        return _columnar(where, lambda: pl.read_json(io.BytesIO(data)).lazy())
    try:
        whole = json.loads(data)
    except (ValueError, RecursionError):  # several lines, or nothing we know
        return _columnar(where, lambda: pl.read_ndjson(io.BytesIO(data), infer_schema_length=None).lazy())
    if isinstance(whole, dict) and whole.get("kind") == "logloss-summary":
        raise SourceError(
            "unknown-format",
            f"{where} is a saved summary, not rows.",
            cure="In Python: ll.score(ll.Summary.load(path)).",
        )
    if not isinstance(whole, dict):
        raise SourceError(
            "unreadable", f"{where} is JSON, but not a table.", cure="Write one record per line."
        )
    if whole and all(isinstance(column, dict) for column in whole.values()):  # {"y": {"0": 1, ...}, ...}
        keys = list(next(iter(whole.values())))
        if any(set(column) != set(keys) for column in whole.values()):
            raise SourceError(
                "unreadable",
                f"The columns of {where} have different row keys.",
                cure="Write one record per line.",
            )
        whole = {name: [column[key] for key in keys] for name, column in whole.items()}
    if all(isinstance(column, list) for column in whole.values()):
        return _columnar(where, lambda: pl.DataFrame(whole, strict=False).lazy())
    return _columnar(where, lambda: pl.DataFrame([whole]).lazy())


def _decompressed(source: Path | io.BytesIO, head: bytes, where: str) -> bytes:
    """Return the bytes unpacked from gzip or zstd; truncated archives are errors."""
    data = _bytes(source)
    if head[:2] == GZIP:
        import gzip
        import zlib

        try:
            return gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as error:
            raise SourceError(
                "truncated", f"{where} is a damaged gzip file: {error}.", cure="Copy or write it again."
            ) from None
    pl = engine()  # unpacks zstd while it reads lines of text
    options = {"has_header": False, "separator": "\x1f", "quote_char": None, "new_columns": ["line"]}
    frame, _ = lazily(where, lambda: pl.read_csv(data, infer_schema=False, **options).lazy())
    return "\n".join(collect(frame, where)["line"].fill_null("").to_list()).encode()


def _npz(source: Path | io.BytesIO, where: str) -> InMemory:
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
    if not all(isinstance(array, np.ndarray) and array.ndim for array in arrays.values()):
        raise SourceError(
            "unknown-format",
            f"{where} is a ZIP file or spreadsheet, not arrays.",
            cure="Unpack it, or save it as CSV.",
        )
    if not arrays:
        raise SourceError("empty", f"{where} holds no arrays.", cure="Save outcomes and forecasts into it.")
    return InMemory(arrays, where)
