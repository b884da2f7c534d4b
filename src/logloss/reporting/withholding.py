"""What a report leaves out of its results because it is shown to others: folders, and on request every single row. Computes nothing."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logloss.comparing.results import Comparison
    from logloss.notes import Note
    from logloss.why.explanation import Explanation

__all__ = ["compared", "decided", "explained"]

# Notes that quote ids, and what stands before them.
QUOTING = {"duplicate-ids": " (", "ids-without-outcome": " (ids ", "ids-without-forecast": " (ids "}
_NUMBERS = re.compile(r"\brows? \d[\d,]*(?:, \d[\d,]*)*(?: and [\d,]+(?: more)?)?(?= of |[).:;]|$)")


def explained(result: Explanation, folders: Sequence[str], *, rows: bool) -> Explanation:
    """Return the explanation as it may be shown: notes without `folders`, and without single rows unless `rows`."""
    score = replace(result.score, notes=_said(result.score.notes, folders, rows=rows))
    result = replace(
        result, score=score, worst=tuple(replace(one, part=_bare(one.part, folders)) for one in result.worst)
    )
    if rows:
        return result
    suspects = result.suspects
    return replace(
        result,
        worst=(),
        what_ifs=tuple(replace(one, paid=()) for one in result.what_ifs),
        suspects=None if suspects is None else replace(suspects, rows=(), notes=()),
    )


def compared(result: Comparison, folders: Sequence[str], *, rows: bool) -> Comparison:
    """Return the comparison as it may be shown."""
    pairs = result.pairs if rows else tuple(replace(one, top=()) for one in result.pairs)
    return replace(result, notes=_said(result.notes, folders, rows=rows), pairs=pairs)


def decided(result: Any, folders: Sequence[str], *, rows: bool) -> Any:
    """Return decisions, of which no single row is told, as they may be shown."""
    return replace(result, notes=_said(result.notes, folders, rows=rows))


def _said(notes: Sequence[Note], folders: Sequence[str], *, rows: bool) -> tuple[Note, ...]:
    told = []
    for note in notes:
        text = _bare(note.text, folders)
        if not rows:
            text, mark, _ = text.partition(QUOTING.get(note.id, "\0"))
            text = _NUMBERS.sub("rows not named here", text + "." * bool(mark))
        told.append(replace(note, text=text))
    return tuple(told)


def _bare(text: str, folders: Sequence[str]) -> str:
    """Return the text without the folders in which files lie."""
    for folder in sorted(folders, key=len, reverse=True):
        text = text.replace(folder, "")
    return text
