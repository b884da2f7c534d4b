"""Contents -> markdown, and text for a terminal: what the page says, without its figures."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

from logloss.text import bar, printable, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logloss.reporting.contents import Contents, Section

__all__ = ["escaped", "fitted", "markdown", "text"]

WIDTH = 96
SHORT = 6  # characters that are left of a name
FEW = 12  # rows of a table in a terminal
_MARKS = re.compile(r"([\\`*_{}\[\]<>#|~!&])")
_FIRST = re.compile(r"^(\s*)([-+=]|\d+[.)])")


def escaped(given: str) -> str:
    r"""Return text that markdown shows as it is.

    >>> print(escaped("a|b <img>"))
    a\|b \<img\>
    """
    line = _MARKS.sub(r"\\\1", printable(given, 4000))
    return _FIRST.sub(lambda found: found[1] + found[2][:-1] + "\\" + found[2][-1], line)


def markdown(contents: Contents) -> str:
    """Return GitHub-flavoured markdown."""
    told = [f"# {escaped(contents.title)}", "", escaped(contents.subtitle), ""]
    told += _table(("", "", ""), [(one.label, one.value, one.aside) for one in contents.tiles], "<><")
    told += ["", "## What to do, the largest first", ""]
    told += [contents.in_nats, ""] if contents.in_nats else []
    for at, one in enumerate(contents.findings, 1):
        worth = f" ({one.worth}{', ' + one.share if one.share else ''})" if one.worth else ""
        told += [f"{at}. **{escaped(one.title)}**{escaped(worth)}: {escaped(one.text)} `{one.id}`"]
        told += ["", *(f"       {line}" for line in [one.command] if line), ""]
    told += [] if contents.findings else ["Nothing was found that should be done.", ""]
    for one in contents.checked:
        told.append(f"- {escaped(one.state)}: {escaped(one.text)} `{one.id}`")
    for section in contents.sections:
        told += ["", f"## {escaped(section.question)}", "", *_section(section)]
    told += ["", "## How was this computed?", ""]
    told += _table(("", ""), contents.facts, "<<")
    told += ["", *(f"- {escaped(note.text)} `{note.id}`" for note in contents.notes)]
    return "\n".join(told).rstrip() + "\n"


def _section(section: Section) -> list[str]:
    told = [f"{escaped(section.reading)}"]
    for line in _sentences(section):
        told += ["", escaped(line)]
    for sheet in section.sheets:
        told += ["", *([f"**{escaped(sheet.title)}**", ""] if sheet.title else [])]
        told += _table(sheet.header, sheet.rows, sheet.align)
        told += ["", escaped(sheet.more)] if sheet.more else []
    return told


def _table(
    header: tuple[str, ...], rows: tuple[tuple[str, ...], ...] | list[tuple[str, ...]], align: str
) -> list[str]:
    lines = [f"| {' | '.join(map(escaped, header))} |"]
    lines.append(f"|{'|'.join('---:' if one == '>' else '---' for one in align)}|")
    return lines + [f"| {' | '.join(map(escaped, row))} |" for row in rows]


def text(contents: Contents) -> str:
    """Return text for a terminal: tiles, findings, the tables of each section."""
    told = [printable(contents.title, WIDTH), f"  {printable(contents.subtitle, WIDTH)}", ""]
    told.append(
        table(fitted([(one.label, one.value, one.aside) for one in contents.tiles], "<><", WIDTH), "<><")
    )
    told += ["", "What to do, the largest first"]
    told += [f"  {contents.in_nats}"] if contents.in_nats else []
    for at, one in enumerate(contents.findings, 1):
        worth = f"{one.worth}: " if one.worth else ""
        told += _filled(f"{worth}{one.text} [{one.id}]", f"  {at}. ")
        told += [f"     {one.command}"] if one.command else []
    told += [] if contents.findings else ["  Nothing was found that should be done."]
    passed = [one for one in contents.checked if one.state == "passed"]
    if passed:
        told += _filled(f"Checked, nothing found: {', '.join(one.id for one in passed)}.", "  ")
    for section in contents.sections:
        told += ["", section.question, *_told(section)]
    return "\n".join(told)


def _told(section: Section) -> list[str]:
    told = [line for one in _sentences(section) for line in _filled(one, "  ")]
    for sheet in section.sheets:
        rows = [list(sheet.header), *map(list, sheet.rows[:FEW])]
        if sheet.shares:
            rows = [
                [*row, "" if at == 0 else bar(sheet.shares[at - 1] or 0.0, 16)] for at, row in enumerate(rows)
            ]
        told += [f"  {sheet.title}"] if sheet.title else []
        align = sheet.align + "<" * bool(sheet.shares)
        told.append(table(fitted(rows, align, WIDTH - 2), align, indent=4))
        more = len(sheet.rows) - FEW
        told += [f"    and {more:,} more"] if more > 0 else [f"    {sheet.more}"] if sheet.more else []
    return told


def _sentences(section: Section) -> list[str]:
    """Return what a section says, and its figures in words, each once: two views may say the same."""
    return list(dict.fromkeys((*section.said, *(one.alt() for one in section.pictures))))


def fitted(rows: Sequence[Sequence[str]], align: str, width: int) -> list[list[str]]:
    """Cut the longest cells, but no numbers, until a line of the table, two blanks between its cells, fits.

    >>> fitted([["a long name", "0.25"]], "<>", 12)
    [['a lon…', '0.25']]
    """
    found = [[printable(cell, 4000) for cell in row] for row in rows]
    wide = [max((len(row[at]) for row in found), default=0) for at in range(len(align))]
    names = [at for at, side in enumerate(align) if side == "<"]
    over = sum(wide) + 2 * (len(wide) - 1) - width
    while over > 0 and any(wide[at] > SHORT for at in names):
        longest = max(names, key=lambda at: wide[at])
        others = [wide[at] for at in names if at != longest]
        cut = max(1, min(over, wide[longest] - max([SHORT, *others])))
        wide[longest], over = wide[longest] - cut, over - cut
    return [[printable(cell, most) for cell, most in zip(row, wide, strict=False)] for row in found]


def _filled(line: str, first: str) -> list[str]:
    return textwrap.wrap(
        printable(line, 4000), WIDTH, initial_indent=first, subsequent_indent=" " * len(first),
        break_on_hyphens=False, break_long_words=False,
    )  # fmt: skip
