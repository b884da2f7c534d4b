"""The embedded engine, and its complaints in our words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from logloss.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

__all__ = ["collect", "engine", "lazily"]


def engine() -> Any:
    """Return Polars, imported when a file is read."""
    import polars as pl

    return pl


def lazily(where: str, scan: Callable[[], Any]) -> tuple[Any, dict[str, Any]]:
    """Return a lazy frame and its schema."""
    try:
        frame = scan()
        schema = dict(frame.collect_schema())
    except (engine().exceptions.PolarsError, OSError, ValueError, TypeError, OverflowError) as error:
        raise _told(error, where) from None
    if not schema:
        raise SourceError("empty", f"{where} has no columns.", cure="Write a header line and rows.")
    return frame, schema


def collect(frame: pl.LazyFrame, where: str) -> pl.DataFrame:
    """Return the frame's rows; none is an error."""
    try:
        loaded = frame.collect()
    except (engine().exceptions.PolarsError, OSError, ValueError, TypeError, OverflowError) as error:
        raise _told(error, where) from None
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
