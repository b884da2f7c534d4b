"""Cures in the words of who is asked: options that a call does not have are not advised."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["OPTIONS", "reworded"]

OPTIONS = (
    (r" on purpose: skip_missing=True \(CLI: --skip-missing\)", ""),
    (r": normalize_rows=True \(CLI: --normalize-rows\)", ""),
    (r"say normalize_rows=True \(CLI: --normalize-rows\)", "divide each row by its sum"),
    (r"; to join two files by id, use truth= and ids= \(CLI: --truth, --id\)", ""),
)


def reworded(text: str, more: Iterable[tuple[str, str]] = ()) -> str:
    """Return the text without these options: (pattern, what stands there instead), those of `more` last.

    >>> reworded("Fill them in, or leave these rows out on purpose: skip_missing=True (CLI: --skip-missing).")
    'Fill them in, or leave these rows out.'
    """
    for pattern, instead in (*OPTIONS, *more):
        text = re.sub(pattern, instead, text)
    return text
