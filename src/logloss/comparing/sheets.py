"""A comparison as one screen of plain text. Lays out numbers; computes none."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from logloss.comparing.results import Comparison

__all__ = ["comparison"]


def comparison(result: Comparison, unit: str, *, notes: bool = True) -> str:
    """Lay a comparison out."""
    return ""
