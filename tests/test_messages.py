"""Every message has its section in docs/messages.md, and every section its message."""

from __future__ import annotations

import ast
import contextlib
import inspect
import io
import re
from pathlib import Path

import pytest

import logloss
from logloss import errors

SRC = Path(logloss.__file__).parent
PAGE = Path(__file__).resolve().parent.parent / "docs" / "messages.md"
PARTS = ("Errors", "Notes", "Findings")
ERRORS = {
    name
    for name, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, errors.LoglossError)
}
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
HEADING = re.compile(r"^(##+) (.+)$")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def literals(node: ast.expr) -> list[str]:
    """Return the text of a literal; of a conditional expression, both."""
    if isinstance(node, ast.IfExp):
        return literals(node.body) + literals(node.orelse)
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []


def in_source() -> dict[str, set[str]]:
    """Return the ids that the source uses, by part of the page; and those of usage errors among them."""
    found: dict[str, set[str]] = {part: set() for part in (*PARTS, "Usage")}
    for path in sorted(SRC.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        raised = {id(node.exc) for node in ast.walk(tree) if isinstance(node, ast.Raise)}
        for node in ast.walk(tree):
            if not (
                isinstance(node, ast.Call) and node.args and isinstance(node.func, ast.Name | ast.Attribute)
            ):
                continue
            name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            # An error may be raised through a variable that holds its class: `raise kind("missing-values", ...)`.
            by_variable = name.islower() and id(node) in raised
            if name in ERRORS or by_variable:
                ids = literals(node.args[0])
                assert ids or by_variable, f"{path}:{node.lineno}: the slug of {name} is not a literal"
                found["Errors"].update(ids)
                found["Usage"].update(ids if name == "UsageError" else [])
            elif name in ("Note", "Remark", "Finding"):
                ids = literals(node.args[0])
                if not ids and path.name in ("notes.py", "summary.py"):
                    continue  # a remark put into words, or one read from a file
                name = name.replace("Remark", "Note")
                assert ids, f"{path}:{node.lineno}: the id of {name} is not a literal"
                found[f"{name}s"].update(ids)
    return found


def on_page() -> dict[str, list[tuple[str, str]]]:
    """Return (heading, text) of the sections of each part of the page, in order."""
    found: dict[str, list[tuple[str, str]]] = {}
    part, fenced = "", False
    for line in PAGE.read_text(encoding="utf-8").splitlines(keepends=True):
        fenced ^= line.startswith("```")
        heading = None if fenced else HEADING.match(line)
        if heading and heading[1] == "##":
            part = heading[2]
            found[part] = []
        elif heading:
            assert heading[1] == "###", line
            found[part].append((heading[2], ""))
        elif part and found[part]:
            title, text = found[part][-1]
            found[part][-1] = (title, text + line)
    return found


IN_SOURCE, ON_PAGE = in_source(), on_page()
SECTIONS = [(part, title, text) for part, entries in ON_PAGE.items() for title, text in entries]
BLOCKS = [match.groups() for match in BLOCK.finditer(PAGE.read_text(encoding="utf-8"))]
EXAMPLES = [code for language, code in BLOCKS if language == "python"]


def printed(code: str) -> str:
    """Run a block of code by itself and return what it printed."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(code, str(PAGE), "exec"), {"__name__": "example"})
    return out.getvalue()


def promised(code: str) -> str:
    """Return the output that a block of code ends with, as comments."""
    lines = code.splitlines()
    start = len(lines)
    while start and lines[start - 1].startswith("# "):
        start -= 1
    return "".join(f"{line[2:]}\n" for line in lines[start:])


def test_the_page_has_its_parts() -> None:
    assert tuple(ON_PAGE) == PARTS


@pytest.mark.parametrize("part", PARTS)
def test_every_message_has_a_section(part: str) -> None:
    assert IN_SOURCE[part]
    assert IN_SOURCE[part] - {title for title, _ in ON_PAGE[part]} == set()


@pytest.mark.parametrize("part", PARTS)
def test_every_section_has_a_message(part: str) -> None:
    assert {title for title, _ in ON_PAGE[part]} - IN_SOURCE[part] == set()


@pytest.mark.parametrize("part", PARTS)
def test_sections_are_in_alphabetical_order_and_not_repeated(part: str) -> None:
    titles = [title for title, _ in ON_PAGE[part]]
    assert titles == sorted(set(titles))


def test_errors_are_named_alike() -> None:
    assert [slug for slug in IN_SOURCE["Errors"] | IN_SOURCE["Notes"] if not SLUG.fullmatch(slug)] == []


@pytest.mark.parametrize(
    ("part", "title", "text"), SECTIONS, ids=[f"{part}-{title}" for part, title, _ in SECTIONS]
)
def test_sections_say_what_it_means_and_what_to_do(part: str, title: str, text: str) -> None:
    prose = [piece for piece in BLOCK.sub("", text).split("\n\n") if piece.strip()]
    assert len(prose) >= 2
    assert prose[-1].strip().startswith("Cure: ") == (part == "Errors")
    for language, code in BLOCK.findall(text):
        assert title in (promised(code) if language == "python" else code)


def test_usage_errors_are_marked() -> None:
    assert {title for title, text in ON_PAGE["Errors"] if text.strip().startswith("*Usage.*")} == IN_SOURCE[
        "Usage"
    ]


@pytest.mark.parametrize("code", EXAMPLES, ids=range(len(EXAMPLES)))
def test_examples_print_what_they_say(code: str) -> None:
    assert promised(code)
    assert printed(code) == promised(code)


def test_links_within_the_page_lead_somewhere() -> None:
    text = PAGE.read_text(encoding="utf-8")
    titles = {title.lower() for _, title, _ in SECTIONS} | {part.lower() for part in PARTS}
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= titles
