"""A report: everything that was found out about a forecast, to be saved, shown, or read as text."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from logloss import units
from logloss.display.frame import Frame
from logloss.display.shown import laid
from logloss.errors import SourceError, UsageError, suggestion
from logloss.plain import jsonable
from logloss.reporting import sketches
from logloss.reporting.acting import acting
from logloss.reporting.advising import advised, pasted
from logloss.reporting.answers import answers, what_if
from logloss.reporting.contents import Contents
from logloss.reporting.facts import GLOSSARY, Source, facts, readings
from logloss.reporting.heads import tiles
from logloss.reporting.page import page
from logloss.reporting.rivals import rivals
from logloss.reporting.withholding import compared, decided, explained
from logloss.reporting.writing import markdown, text
from logloss.saving import write_text
from logloss.text import printable

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    from logloss.comparing.results import Comparison
    from logloss.curves.benefits import DecisionCurve
    from logloss.deciding.results import Decisions
    from logloss.display.cells import Card
    from logloss.finding import Finding
    from logloss.why.explanation import Explanation

__all__ = ["FORMATS", "Report", "format_of", "of_results"]

FORMATS = {".html": "html", ".htm": "html", ".md": "md", ".markdown": "md", ".txt": "text", ".json": "json"}


@dataclass(frozen=True, eq=False, repr=False)
class Report:
    """What a log loss is, why, and what to do about it.

    Attributes
    ----------
    explanation, comparison, decisions, curve
        The results that it tells; None where there is none.
    contents
        What it says: tiles, findings, sections.
    """

    explanation: Explanation
    comparison: Comparison | None
    decisions: Decisions | None
    curve: DecisionCurve | None
    contents: Contents = field(repr=False)

    @property
    def findings(self) -> tuple[Any, ...]:
        """What to do, the largest first."""
        return self.contents.findings

    def html(self) -> str:
        """Return the page: one file that needs no network and no library; the same bytes every time."""
        return page(self.contents)

    def to_markdown(self) -> str:
        """Return the same as GitHub-flavoured markdown, figures told in words."""
        return markdown(self.contents)

    def __str__(self) -> str:
        """One or two screens of text."""
        return text(self.contents)

    def __repr__(self) -> str:
        """Show the same at the prompt."""
        return str(self)

    def show(self, height: int = 800) -> Frame:
        """Return the page as the output of a cell: in a frame that reaches nothing outside, its sliders at work.

        Parameters
        ----------
        height
            Pixels, from 100 to 10,000.

        Raises
        ------
        UsageError
            For a height that is none.

        Examples
        --------
        >>> import logloss as ll
        >>> framed = ll.report([1, 0, 1, 0], [0.9, 0.2, 0.7, 0.4]).show(height=400)
        >>> framed.height, framed.page.startswith("<!doctype html>")
        (400, True)
        """
        return Frame(self.html(), height, self.contents.title)

    def _repr_html_(self) -> str:
        """Return what a cell shows: the explanation in less than 25 kB, and how to see or save the whole page."""
        return laid(self, self._card, self.explanation)

    def _card(self) -> Card:
        from logloss.why.cards import reported

        return reported(self.explanation, self.contents.unit)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON contract: that of explain, compare and decide, under their names; nats."""
        told = self.contents
        state: dict[str, Any] = jsonable(
            {
                "schema": 1,
                "title": told.title,
                "unit": "nats",
                "findings": [
                    {
                        "id": one.id,
                        "nats": one.nats,
                        "title": one.title,
                        "text": one.text,
                        "command": one.command,
                    }
                    for one in told.findings
                ],
                "checked": [asdict(one) for one in told.checked],
                "facts": [list(pair) for pair in told.facts],
                "explain": self.explanation.to_dict(),
                "compare": None if self.comparison is None else self.comparison.to_dict(),
                "decide": None if self.decisions is None else self.decisions.to_dict(),
                "notes": [{"id": note.id, "text": note.text} for note in told.notes],
            }
        )
        return state

    def written(self, kind: str) -> str:
        """Return it in a format: "html", "md", "text" or "json"."""
        import json

        ways: dict[str, Callable[[], str]] = {
            "html": self.html,
            "md": self.to_markdown,
            "text": lambda: str(self) + "\n",
            "json": lambda: json.dumps(self.to_dict(), allow_nan=False) + "\n",
        }
        if kind not in ways:
            raise UsageError(
                "report-format",
                f"{kind!r} is not a format.{suggestion(kind, list(ways))}",
                cure=f"Formats: {', '.join(ways)}.",
            )
        return ways[kind]()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it to a file, whole or not at all; the format follows from its name: .html, .md, .txt, .json.

        Raises
        ------
        UsageError
            For a name from which no format follows.
        SourceError
            Where it cannot be written.
        """
        write_text(self.written(format_of(path)), path)


def format_of(path: str | os.PathLike[str]) -> str:
    """Return the format that a file's name asks for.

    >>> format_of("r.html"), format_of("r.md")
    ('html', 'md')
    """
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        raise UsageError(
            "report-format",
            f"No format follows from the name {printable(Path(path).name, 80)!r}.",
            cure=f"End it with {', '.join(FORMATS)}.",
        )
    if Path(path).is_dir():
        raise SourceError("cannot-write", f"{path} is a folder.", cure="Give the name of a file.")
    return FORMATS[suffix]


def of_results(
    explanation: Explanation,
    *,
    comparison: Comparison | None = None,
    decisions: Decisions | None = None,
    curve: DecisionCurve | None = None,
    title: str | None = None,
    unit: str = "nats",
    rows: bool = True,
    sources: tuple[Source, ...] = (),
    folders: Sequence[str] = (),
    command: str | None = None,
    completed: Callable[[Finding, tuple[str, ...]], str] | None = None,
) -> Report:
    """Return the report of results that there are.

    Parameters
    ----------
    rows
        Whether single rows are shown.
    sources, command
        What went in, and the command that repeats it.
    folders
        Of the files that went in, with a slash behind: the report does not tell them.
    completed
        Called with a finding and the names of the forecasts that were compared, returns its next command with the file
        and its columns.
    """
    version = metadata.version("logloss")
    units.unit(unit)
    explanation = explained(explanation, folders, rows=rows)
    comparison = None if comparison is None else compared(comparison, folders, rows=rows)
    decisions = None if decisions is None else decided(decisions, folders, rows=rows)
    score = explanation.score
    found = list(explanation.findings)
    found += [] if comparison is None else comparison.findings
    found += [] if decisions is None else decisions.findings
    names = () if comparison is None else tuple(one.name for one in comparison.standings)

    def following(one: Finding) -> str:
        return one.command if completed is None else completed(one, names)

    sections = answers(explanation, unit, rows=rows)
    sketch = sketches.of(explanation)
    if sketch is not None:
        after = [one.id in ("budget", "payers", "reliability") for one in sections]
        sections.insert(sum(after), what_if(sketch))
    sections += [] if comparison is None else [rivals(comparison, unit, rows=rows)]
    act = acting(decisions, curve, unit)
    sections += [] if act is None else [act]
    sections.append(readings(score))
    kind = "binary" if len(score.summary.classes) == 2 else f"{len(score.summary.classes)} classes"
    contents = Contents(
        title=printable(title or _title(sources), 200),
        subtitle=f"{units.count(score.n, 'row')}, {kind}",
        tiles=tiles(explanation, unit),
        findings=advised(found, score, unit, following),
        checked=explanation.checked,
        sections=tuple(sections),
        facts=facts(explanation, sources, pasted(command or ""), version),
        glossary=GLOSSARY,
        notes=tuple(replace(note, text=printable(note.text, 1000)) for note in score.notes),
        version=version,
        unit=unit,
        sketch=sketch,
    )
    return Report(explanation, comparison, decisions, curve, contents)


def _title(sources: tuple[Source, ...]) -> str:
    """Name the first file, if there is one."""
    return (
        f"Log loss of {printable(sources[0].name, 100)}"
        if sources
        else "Log loss: how large, why, what to do"
    )
