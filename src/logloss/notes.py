"""A note: something that was assumed, changed or found on the way to a number."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Note"]


@dataclass(frozen=True)
class Note:
    """Something that was assumed, changed or found: a stable id and one sentence."""

    id: str
    text: str
