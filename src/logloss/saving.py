"""Files written whole or not at all: JSON, which is read with an error that says what is wrong; text; tables."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

from logloss.errors import SourceError
from logloss.stages import staged, wrote

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

__all__ = ["read_json", "write_json", "write_table", "write_text", "write_whole"]


def write_json(state: dict[str, Any], path: str | os.PathLike[str]) -> None:
    """Write JSON, whole or not at all."""
    write_text(json.dumps(state, allow_nan=False), path)


def write_text(text: str, path: str | os.PathLike[str]) -> None:
    """Write text, whole or not at all."""
    write_whole(path, lambda file: file.write(text.encode()))


@staged("writing")
def write_table(columns: dict[str, Any], path: str | os.PathLike[str]) -> None:
    """Write columns whole or not at all: as Parquet, Arrow or JSON lines where the name ends so, else as CSV (.tsv with tabs).

    In CSV, text that a spreadsheet would run as a formula gets a quote before it.
    """
    import polars as pl

    frame = pl.DataFrame([pl.Series(name, _alike(values)) for name, values in columns.items()])
    suffix = Path(path).suffix.lower()
    others: dict[str, Callable[[IO[bytes]], Any]] = {
        ".parquet": frame.write_parquet,
        ".arrow": frame.write_ipc,
    }
    others |= dict.fromkeys((".ndjson", ".jsonl"), frame.write_ndjson)
    if suffix in others:
        write_whole(path, others[suffix])
        return
    safe = frame.with_columns(pl.selectors.string().str.replace(r"^([=+\-@\t\r])", "'${1}"))
    write_whole(path, lambda file: safe.write_csv(file, separator="\t" if suffix == ".tsv" else ","))


def _alike(values: Any) -> Any:
    """Return values of one type, some of which may be missing, as they are; others as text."""
    if not isinstance(values, list) and values.dtype.kind != "O":
        return values
    listed = list(values)
    kinds = {type(value) for value in listed if value is not None}
    plain = len(kinds) == 1 and issubclass(next(iter(kinds)), int | float | str)
    return listed if plain else list(map(str, listed))


def write_whole(path: str | os.PathLike[str], write: Callable[[IO[bytes]], Any]) -> None:
    """Write first to a temporary file beside `path`, then rename it; whatever goes wrong on the way, nothing is left."""
    target = Path(path)
    beside = target.parent / f".{target.name}.{os.getpid()}.tmp"
    try:
        with beside.open("xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(target)
        wrote(target)
    except BaseException as error:
        beside.unlink(missing_ok=True)
        if not isinstance(error, OSError):
            raise
        raise SourceError(
            "cannot-write",
            f"{os.fspath(path)} cannot be written: {error.strerror or error}.",
            cure="Nothing was left half-written; choose another place.",
        ) from None


def read_json(
    path: str | os.PathLike[str],
    build: Callable[[dict[str, Any]], T],
    *,
    unlike: Callable[[str], SourceError] | None = None,
) -> T:
    """Read a saved state and build what it stands for; `unlike(why)` is the error where it is something else."""
    try:
        return build(json.loads(Path(path).read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        if isinstance(error, SourceError):
            raise error.within(os.fspath(path)) from None
        if isinstance(error, FileNotFoundError):
            raise SourceError("no-such-file", f"There is no file {os.fspath(path)}.", cure="Check the path; nothing was saved there yet.") from None  # fmt: skip
        if unlike is not None:
            raise unlike(str(error)).within(os.fspath(path)) from None
        raise SourceError(
            "not-a-summary",
            f"{os.fspath(path)} cannot be read as a summary: {error}.",
            cure="Write it with `logloss score --save`.",
        ) from None
