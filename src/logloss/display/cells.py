"""What a result shows in a notebook or in markdown, as plain data, and its layout. Computes nothing, draws nothing.

Notebooks that were not run here are untrusted: of their HTML only tables, images, `<details>` and inline styles are left,
and text may be anything. So nothing else is used, all text is escaped, and no colour is set: the theme's own serves.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from logloss.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["LIMIT", "Card", "Grid", "Line", "Shot", "named", "page", "remarks", "span", "told"]

LIMIT = 25_000  # bytes; a page of less
LINES = 3
ROWS = 8
NAME = 20  # characters of an id, a class, a name
CELL = 48  # characters of anything else in a table
SAID = 400  # characters of a sentence
_SIGNS = re.compile(r"[`*_\[\]#~$!]")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;", "\\": "&#92;", "@": "@\u2060"}
_LISTED = re.compile(r"^(\s*)([-+=]|\d+[.)])(?=\s|$)")
_LINKED = re.compile(r":(?=\S)|(?<=www)\.")


@dataclass(frozen=True)
class Line:
    """A sentence, what it is worth in front of it, and the next call behind it."""

    text: str
    value: str = ""
    call: str = ""


@dataclass(frozen=True)
class Grid:
    """A table of text; `align` has one of < or > per column. `folded`: to be opened by who wants to see it."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    align: str
    folded: bool = True


@dataclass(frozen=True)
class Card:
    """One screen of a result.

    Attributes
    ----------
    headline
        What is read first, and what stands beside it.
    lines
        Sentences, those that matter most first.
    kinds
        Figures, those that matter most first; which of them there are is asked of the result.
    grids
        Tables.
    notes
        What was assumed or found on the way.
    calls
        What may be typed next.
    value
        What the numbers in front of the lines are.
    text
        Lines that are shown as they are, in place of a headline.
    """

    headline: tuple[str, ...] = ()
    lines: tuple[Line, ...] = ()
    kinds: tuple[str, ...] = ()
    grids: tuple[Grid, ...] = ()
    notes: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    value: str = "nats"
    text: str = ""


@dataclass(frozen=True)
class Shot:
    """A figure as a `data:` address in which no sign of HTML is left, what it shows in words, and how wide it is."""

    address: str
    alt: str
    width: int = 300


def named(value: object) -> str:
    """Return an id, a class or a name as it stands in a table: 20 characters at most.

    >>> named("a" * 30)
    'aaaaaaaaaaaaaaaaaaa…'
    """
    return "" if value is None else printable(value, NAME)


def span(interval: Sequence[float] | None, shown: Callable[[float], str]) -> str:
    """Return an interval as text; nothing where there is none."""
    return "" if interval is None else f"{shown(interval[0])} to {shown(interval[1])}"


def remarks(notes: Sequence[Any]) -> tuple[str, ...]:
    """Return notes, each with the id under which docs/messages.md explains it."""
    return tuple(f"{printable(note.text, 370)} [{note.id}]" for note in notes)


def page(card: Card, shots: Sequence[Shot] = ()) -> str:
    """Return the card as HTML of less than LIMIT bytes: what does not fit is left out, figures from the last on.

    >>> page(Card(("Log loss 0.5 nats", "2 rows"), calls=("ll.fix(y, p)",)))
    '<div dir="ltr"><div><b>Log loss 0.5 nats</b> · 2 rows</div><div>next: <code>ll.fix(y, p)</code></div></div>'
    """
    for smaller in _smaller(card):
        room = LIMIT - len(_page(smaller, "").encode())
        if room > 0:
            return _page(smaller, _pictures(shots, room))
    raise AssertionError


def _smaller(card: Card) -> Iterator[Card]:
    """Return the card, then ever less of it."""
    yield card
    for kept in range(len(card.grids) - 1, -1, -1):
        yield replace(card, grids=card.grids[:kept])
    yield replace(card, grids=(), notes=())
    yield Card(card.headline[:1], text=card.text)


def _page(card: Card, pictures: str) -> str:
    parts = [_head(card), _whole(card.text), _lines(card), pictures]
    parts += [_grid(grid) for grid in card.grids]
    parts += [f'<div style="opacity:0.8">{_text(note, SAID)}</div>' for note in card.notes[:LINES]]
    if len(card.notes) > LINES:
        parts.append(f'<div style="opacity:0.8">and {len(card.notes) - LINES} more notes</div>')
    if card.calls:
        parts.append(
            f"<div>next: {' '.join(f'<code>{_text(call, 100)}</code>' for call in card.calls)}</div>"
        )
    return f'<div dir="ltr">{"".join(parts)}</div>'


def _head(card: Card) -> str:
    if not card.headline:
        return ""
    first, *beside = [_text(part, SAID) for part in card.headline]
    return f"<div>{' · '.join([f'<b>{first}</b>', *beside])}</div>"


def _whole(text: str) -> str:
    """Return text as it is, cut after the last line that fits; JupyterLab sets `<code>`, not `<pre>`, in letters alike."""
    kept: list[str] = []
    room = LIMIT - 1000
    for line in text.split("\n") if text else []:
        laid = html.escape(_sound(line, len(line)))
        room -= len(laid.encode()) + 1
        if room < 0:
            kept.append("... print() shows the rest")
            break
        kept.append(laid)
    laid = "\n".join(kept)
    return f"<pre><code>{laid}</code></pre>" if text else ""


def _pictures(shots: Sequence[Shot], room: int) -> str:
    """Return those figures that fit, side by side."""
    kept, room = [], room - len("<div></div>")
    for shot in shots:
        style = "display:inline-block;max-width:100%;margin:4px 8px 4px 0;vertical-align:top"
        one = f'<img src="{shot.address}" alt="{_text(shot.alt, SAID)}" width="{shot.width}" style="{style}">'
        if len(one.encode()) < room:
            kept.append(one)
            room -= len(one.encode())
    return f"<div>{''.join(kept)}</div>" if kept else ""


def _lines(card: Card) -> str:
    if not card.lines:
        return ""
    worth = any(line.value for line in card.lines[:LINES])
    rows = []
    for line in card.lines[:LINES]:
        value = f'<td style="text-align:right;white-space:nowrap;vertical-align:top"><b>{_text(line.value)}</b></td>'
        said = f'<td style="text-align:left;white-space:normal;max-width:600px">{_text(line.text, SAID)}</td>'
        call = f"<code>{_text(line.call, 60)}</code>" if line.call else ""
        after = f'<td style="text-align:left;vertical-align:top;white-space:nowrap">{call}</td>'
        rows.append(f"<tr>{value if worth else ''}{said}{after}</tr>")
    return f"<table><tbody>{''.join(rows)}</tbody></table>"


def _grid(grid: Grid) -> str:
    sides = {"<": "left", ">": "right"}
    styles = [f'style="text-align:{sides[side]};white-space:nowrap"' for side in grid.align]
    head = "".join(
        f"<th {style}>{_text(name, 40)}</th>" for name, style in zip(grid.header, styles, strict=True)
    )
    rows = [
        "".join(f"<td {style}>{_text(cell)}</td>" for cell, style in zip(row, styles, strict=True))
        for row in grid.rows[:ROWS]
    ]
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    laid = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    title = _text(grid.title + _rest(grid), 100)
    return (
        f"<details><summary>{title}</summary>{laid}</details>" if grid.folded else f"<div>{title}</div>{laid}"
    )


def _rest(grid: Grid) -> str:
    left = len(grid.rows) - ROWS
    return f" ({ROWS} of {len(grid.rows):,})" if left > 0 else ""


def _text(value: object, width: int = CELL) -> str:
    return html.escape(_sound(value, width))


def _sound(value: object, width: int) -> str:
    """Return one line of at most `width` characters that can be written to a file."""
    return printable(value, width).encode("utf-8", "replace").decode()


def told(card: Card) -> str:
    r"""Return the card as GitHub-flavoured markdown.

    >>> told(Card(("Log loss 0.5 nats", "class a|b")))
    '**Log loss 0.5 nats** · class a&#124;b\n'
    """
    parts = [_fenced(card.text)] if card.text else []
    if card.headline:
        first, *beside = [_mark(part, SAID).strip() for part in card.headline]
        parts.append(" · ".join([f"**{first}**", *beside]))
    if card.lines:
        worth = any(line.value for line in card.lines[:LINES])
        rows = [(_mark(line.value), _mark(line.text, SAID), _code(line.call)) for line in card.lines[:LINES]]
        cut = 0 if worth else 1  # a column that says nothing is none
        parts.append(_table((card.value, "what", "next")[cut:], [row[cut:] for row in rows], "><<"[cut:]))
    for grid in card.grids:
        cells = [tuple(_mark(cell) for cell in row) for row in grid.rows[:ROWS]]
        header = tuple(_mark(name, 40) for name in grid.header)
        parts += [_mark(grid.title + _rest(grid), 100) + ":", _table(header, cells, grid.align)]
    if card.notes:
        more = [f"- and {len(card.notes) - LINES} more notes"] if len(card.notes) > LINES else []
        parts.append("\n".join([f"- {_mark(note, SAID)}" for note in card.notes[:LINES]] + more))
    if card.calls:
        parts.append("next: " + " ".join(map(_code, card.calls)))
    return "\n\n".join(parts) + "\n"


def _fenced(text: str) -> str:
    """Return text as a block of code that nothing in it can end."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence}text\n{text}\n{fence}"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]], align: str) -> str:
    rule = ["---:" if side == ">" else "---" for side in align]
    return "\n".join(f"| {' | '.join(row)} |" for row in [header, rule, *rows])


def _code(call: str) -> str:
    return f"`{_sound(call, 100).replace('`', '').replace('|', '')}`" if call else ""


def _mark(value: object, width: int = CELL) -> str:
    """Return text in which nothing is a sign of markdown, HTML, a formula or a link."""
    plain = _SIGNS.sub(lambda sign: "\0" + sign[0], _sound(value, width))
    plain = "".join(_ENTITIES.get(sign, sign) for sign in plain).replace("\0", "\\")
    plain = _LINKED.sub(lambda sign: f"&#{ord(sign[0])};", plain)
    return _LISTED.sub(lambda found: f"{found[1]}{found[2][:-1]}\\{found[2][-1]}", plain)
