"""The embedded engine, and its complaints in our words."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from logloss.errors import LoglossError, SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import polars as pl

__all__ = ["collect", "engine", "in_our_words", "lazily"]


def engine() -> Any:
    """Return Polars, imported when a file is read."""
    import polars as pl

    return pl


@contextmanager
def in_our_words(where: str) -> Iterator[None]:
    """Turn the engine's errors into ours."""
    try:
        yield
    except LoglossError:
        raise
    except (engine().exceptions.PolarsError, OSError, ValueError, TypeError, OverflowError) as error:
        raise _told(error, where) from None


def lazily(where: str, scan: Callable[[], Any]) -> tuple[Any, dict[str, Any]]:
    """Return a lazy frame and its schema."""
    with in_our_words(where):
        frame = scan()
        schema = dict(frame.collect_schema())
    if not schema:
        raise SourceError("empty", f"{where} has no columns.", cure="Write a header line and rows.")
    return frame, schema


def collect(frame: pl.LazyFrame, where: str) -> pl.DataFrame:
    """Return the frame's rows; none is an error."""
    with in_our_words(where):
        loaded = frame.collect()
    if not loaded.height:
        raise SourceError("no-rows", f"{where} has a header but no rows.", cure="Write the rows again.")
    return loaded


def _told(error: Exception, where: str) -> SourceError:
    first = str(error).strip().split("\n")[0].rstrip(".")
    lowered = str(error).lower()
    if "empty" in lowered or "no data" in lowered:
        return SourceError("empty", f"{where} holds no table.", cure="Write a header line and rows.")
    if "utf-8" in lowered or "utf8" in lowered:
        return SourceError("not-text", f"{where} is not UTF-8 text ({first}).", cure="Save it as UTF-8.")
    if any(word in lowered for word in ("parquet", "out of specification", "end of file", "eof")):
        return SourceError(
            "truncated", f"{where} is damaged or cut off ({first}).", cure="Copy or write it again."
        )
    return SourceError(
        "unreadable",
        f"{where} cannot be read ({first}).",
        cure="Check that it is a CSV, Parquet, Arrow, JSON-lines or NPZ table.",
    )
