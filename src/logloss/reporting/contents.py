"""What a report contains, before it is a page, markdown or text: tiles, findings, sections. Computes nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from logloss.figures.drawing import laid_out
from logloss.figures.vectors import WIDTH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logloss.notes import Note

__all__ = ["Advice", "Contents", "Picture", "Section", "Sheet", "Tile", "numbers"]

MOST_NUMBERS = 40  # rows of the table under a figure


@dataclass(frozen=True)
class Tile:
    """A number large enough to be read first, what it is, and what stands beside it."""

    label: str
    value: str
    aside: str = ""


@dataclass(frozen=True)
class Sheet:
    """A table of text; `align` has "<" or ">" for each column, `shares` draws a bar in each row (0 to 1, or None)."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    align: str
    more: str = ""
    shares: tuple[float | None, ...] = ()


@dataclass(frozen=True, eq=False)
class Picture:
    """A figure of a result, drawn only when it is asked for; `label` tells it from others that answer the same question."""

    result: Any
    kind: str
    label: str = ""
    unit: str = "nats"

    def svg(self, beneath: str = "", width: int = WIDTH) -> str:
        """Return it as an `<svg>` element, without a title that would repeat the heading it stands beneath."""
        drawn: str = self.result.svg(self.kind, unit=self.unit, beneath=beneath, width=width)
        return drawn

    def alt(self) -> str:
        """Return it in words."""
        told: str = self.result.alt(self.kind, unit=self.unit)
        return told

    def numbers(self) -> Sheet:
        """Return the numbers behind it, in nats."""
        return numbers(laid_out(self.result, self.kind))


@dataclass(frozen=True, eq=False)
class Section:
    """A question, how its answer is read, and the answer.

    Attributes
    ----------
    id
        Its anchor in the page.
    pictures
        Figures; several are different views of one thing, of which the page shows one at a time.
    sheets
        Tables, after the figures.
    said
        Sentences that hold the answer in numbers.
    """

    id: str
    question: str
    reading: str
    pictures: tuple[Picture, ...] = ()
    sheets: tuple[Sheet, ...] = ()
    said: tuple[str, ...] = ()


@dataclass(frozen=True)
class Advice:
    """A finding as it is shown: what it is worth (nats a row, and its share of the loss), what it is about, what to do next."""

    id: str
    title: str
    text: str
    worth: str
    share: str
    command: str
    nats: float


@dataclass(frozen=True, eq=False)
class Contents:
    """All that a report says.

    Attributes
    ----------
    subtitle
        How many rows of what.
    findings
        What to do, most important first.
    checked
        What was looked for and not found, or not looked at.
    sketch
        The rows as counts, from which the sliders are worked; None where there is none.
    facts
        How it was computed, as pairs of a name and a value.
    notes
        What was assumed, changed or counted on the way.
    """

    title: str
    subtitle: str
    tiles: tuple[Tile, ...]
    findings: tuple[Advice, ...]
    checked: tuple[Any, ...]
    sections: tuple[Section, ...]
    facts: tuple[tuple[str, str], ...]
    glossary: tuple[tuple[str, str], ...]
    notes: tuple[Note, ...]
    version: str
    unit: str = "nats"
    sketch: Any = field(default=None, repr=False)

    @property
    def in_nats(self) -> str:
        """What is to be said of the unit of sentences, where the numbers beside them are in another."""
        return (
            ""
            if self.unit == "nats"
            else "The sentences of this list, the sliders, and the numbers under figures are in nats."
        )

    def section(self, name: str) -> Section | None:
        """Return the section of this id, if there is one."""
        return next((one for one in self.sections if one.id == name), None)


def numbers(columns: dict[str, list[Any]], most: int = MOST_NUMBERS) -> Sheet:
    """Lay columns of numbers out as a table; of more rows than `most`, as many spread evenly over them."""
    length = max((len(values) for values in columns.values()), default=0)
    kept: Sequence[int] = range(length)
    if length > most:
        kept = [round(i * (length - 1) / (most - 1)) for i in range(most)]
    rows = tuple(tuple(_cell(values[i]) for values in columns.values()) for i in kept)
    align = "".join("<" if any(isinstance(v, str) for v in values) else ">" for values in columns.values())
    more = f"{most} of {length:,}, evenly spread" if length > most else ""
    return Sheet("", tuple(columns), rows, align, more)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool | str):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.5g}"
    return str(value)
