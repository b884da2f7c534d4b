"""Files written whole or not at all, and read with an error that says what is wrong."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from logloss.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

__all__ = ["read_json", "write_json", "write_text"]


def write_json(state: dict[str, Any], path: str | os.PathLike[str]) -> None:
    """Write JSON, whole or not at all."""
    write_text(json.dumps(state, allow_nan=False), path)


def write_text(text: str, path: str | os.PathLike[str]) -> None:
    """Write text first to a temporary file beside `path`, then rename it."""
    target = Path(path)
    beside = target.parent / f".{target.name}.{os.getpid()}.tmp"
    try:
        with beside.open("x", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(target)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise SourceError(
            "cannot-write",
            f"{os.fspath(path)} cannot be written: {error.strerror or error}.",
            cure="Nothing was left half-written; choose another place.",
        ) from None


def read_json(path: str | os.PathLike[str], build: Callable[[dict[str, Any]], T]) -> T:
    """Read a saved state and build what it stands for."""
    try:
        return build(json.loads(Path(path).read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        if isinstance(error, SourceError):
            raise error.within(os.fspath(path)) from None
        raise SourceError(
            "not-a-summary",
            f"{os.fspath(path)} cannot be read as a summary: {error}.",
            cure="Write it with `logloss score --save`.",
        ) from None
