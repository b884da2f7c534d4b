"""Plain text for people: bars and aligned tables. Knows nothing of log loss."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["bar", "distinct", "printable", "table", "wrapped"]

EIGHTHS = " ▏▎▍▌▋▊▉"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def printable(value: object, width: int = 24) -> str:
    r"""Return `value` as one short line: control characters (terminal escapes among them) shown, the rest cut.

    >>> printable("a\x1b[31mred")
    'a·[31mred'
    """
    text = _CONTROL.sub("·", str(value))
    return text if len(text) <= width else text[: width - 1] + "…"


def distinct(names: Sequence[str], width: int = 24) -> list[str]:
    """Return names as short lines that differ: long ones are cut in the middle, ones that then look alike have their place behind.

    >>> distinct(["a long name, version 1", "a long name, version 2", "short"], 12)
    ['a long…ion 1', 'a long…ion 2', 'short']
    >>> distinct(["same beginning one same end", "same beginning two same end"], 12)
    ['same …end #1', 'same …end #2']
    >>> distinct(["one", "one"])
    ['one', 'one']
    """

    def cut(text: str, most: int) -> str:
        return (
            text if len(text) <= most else text[: most - most // 2] + "…" + text[len(text) - most // 2 + 1 :]
        )

    whole = [printable(name, len(str(name))) for name in names]
    found = [cut(name, width) for name in whole]
    meant = {told: {name for name, one in zip(names, found, strict=True) if one == told} for told in found}
    places = [f" #{at}" for at in range(1, len(names) + 1)]
    return [
        told if len(meant[told]) == 1 else cut(name, width - len(place)) + place
        for told, name, place in zip(found, whole, places, strict=True)
    ]


def bar(share: float, width: int = 24) -> str:
    """Return a bar of `share` (0 to 1) of the width, in eighths of a character.

    >>> bar(0.5, 4)
    '██'
    """
    eighths = round(max(0.0, min(1.0, share)) * width * 8)
    text = "█" * (eighths // 8) + EIGHTHS[eighths % 8].strip()
    return text or ("▏" if share > 0 else "")


def table(rows: Sequence[Sequence[str]], align: str, indent: int = 2, gap: int = 2) -> str:
    """Return rows of cells as aligned columns; `align` has one of < or > per column. Trailing blanks are cut."""
    widths = [max((len(row[at]) for row in rows if at < len(row)), default=0) for at in range(len(align))]
    lines = []
    for row in rows:
        cells = [f"{cell:{align[at]}{widths[at]}}" for at, cell in enumerate(row)]
        lines.append((" " * indent + (" " * gap).join(cells)).rstrip())
    return "\n".join(lines)


def wrapped(text: str, width: int = 96, indent: str = "  ") -> str:
    """Return text broken into lines, the first with a dash."""
    import textwrap

    return textwrap.fill(
        text, width, initial_indent=f"{indent}- ", subsequent_indent=f"{indent}  ", break_on_hyphens=False
    )
