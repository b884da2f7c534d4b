"""Parts that are paired row by row: pandas indexes that must agree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from logloss.errors import AlignmentError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["check_indexes"]


def check_indexes(parts: Mapping[str, Any]) -> None:
    """Refuse pandas objects among these parts, by name, whose index is not that of the first: order would pair their rows.

    Raises
    ------
    AlignmentError
        With the names of the two.
    """
    first = None
    for name, index in _indexes(parts):
        if first is None:
            first = name, index
        elif index is not first[1] and not index.equals(first[1]):
            raise AlignmentError(
                "index-mismatch",
                f"The pandas indexes of {first[0]} and {name} differ, so rows would be paired by position against their index.",
                cure=f"Align them ({name} = {name}.reindex({first[0]}.index)), or pass .to_numpy() to pair by position on purpose.",
            )


def _indexes(parts: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, part in parts.items():
        if isinstance(part, Mapping):
            yield from _indexes({f"{name}[{key!r}]": column for key, column in part.items()})
        elif hasattr(part, "iloc"):
            yield name, part.index
