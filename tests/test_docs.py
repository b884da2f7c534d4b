"""Every code block of the README, the docs and the docstrings runs, and prints what it says it prints."""

from __future__ import annotations

import contextlib
import doctest
import importlib
import io
import pkgutil
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import logloss
from conftest import ROOT
from logloss.conventions import CONVENTIONS

PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "examples").rglob("README.md")),
]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[object]:
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for match in FENCE.finditer(text):
            if match[1] == language:
                line = text[: match.start()].count("\n") + 1
                found.append(pytest.param(match[2], id=f"{page.relative_to(ROOT)}:{line}"))
    return found


@pytest.mark.parametrize("code", blocks("python"))
def test_python_blocks_run_and_print_what_they_say(code: str) -> None:
    """Comment lines at the end of a block are its output."""
    lines = code.rstrip().split("\n")
    expected: list[str] = []
    while lines and lines[-1].startswith("# "):
        expected.insert(0, lines.pop().removeprefix("# "))
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile("\n".join(lines), "<docs>", "exec"), {"__name__": "docs"})
    if expected:
        assert out.getvalue().rstrip().split("\n") == expected


def commands() -> list[object]:
    """Return console blocks as (command, output); they begin with `$ logloss`."""
    found = []
    for page in PAGES:
        for match in FENCE.finditer(page.read_text(encoding="utf-8")):
            if (
                match[1] == "console"
                and match[2].startswith("$ logloss ")
                and "examples/predictions" in match[2]
            ):
                command, _, output = match[2].partition("\n")
                found.append(
                    pytest.param(command.removeprefix("$ "), output, id=f"{page.name}: {command[:60]}")
                )
    return found


@pytest.mark.parametrize(("command", "output"), commands())
def test_console_blocks_show_what_is_printed(command: str, output: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *shlex.split(command)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        encoding="utf-8",
        env={"PYTHONIOENCODING": "utf-8"},
    )
    assert done.stdout.rstrip() == output.rstrip()


def test_there_is_something_to_run() -> None:
    assert len(blocks("python")) >= 10
    assert commands()


MODULES = sorted(
    m.name
    for m in pkgutil.walk_packages(logloss.__path__, "logloss.")
    if not m.name.endswith(("__main__", "compiled"))
)


@pytest.mark.parametrize("name", MODULES)
def test_docstring_examples(name: str) -> None:
    results = doctest.testmod(importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert results.failed == 0


def test_public_functions_have_examples() -> None:
    for name in (
        "score",
        "explain",
        "log_loss",
        "surprise",
        "which_number",
        "estimate",
        "lure_weights",
        "decide",
        "Utilities",
    ):
        assert ">>>" in getattr(logloss, name).__doc__, name


@pytest.mark.parametrize("command", ["score", "explain", "estimate", "decide"])
def test_every_option_has_help(command: str) -> None:
    from logloss.cli.commands import cli

    for option in cli.commands[command].params:
        if option.param_type_name == "option":
            assert getattr(option, "help", None), option.name


def test_every_convention_is_documented() -> None:
    page = (ROOT / "docs" / "conventions.md").read_text()
    rows = {line.split("|")[1].strip(" `"): line for line in page.splitlines() if line.startswith("| `")}
    assert set(rows) == {c.name for c in CONVENTIONS}
    for convention in CONVENTIONS:
        assert convention.rule in rows[convention.name]
        assert convention.source in rows[convention.name]
    certain = logloss.score([1], [0.0], labels=[0, 1])
    for name, row in rows.items():
        value = certain.log_loss if name == "exact" else certain.conventions[name]
        assert row.rstrip(" |").endswith(f"{value:.4f}"), name


def test_the_command_line_offers_what_the_library_has() -> None:
    from logloss.cli import commands
    from logloss.record import SPACES
    from logloss.units import UNITS

    assert commands.SPACES == SPACES
    assert tuple(UNITS) == commands.UNITS


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_readme_starts_within_30_lines() -> None:
    head = (ROOT / "README.md").read_text().splitlines()[:32]
    assert any("import logloss" in line for line in head)
    assert any("pytest" in line for line in head)
    assert any("logloss score" in line for line in head)


def test_the_version_is_in_the_changelog() -> None:
    assert f"## {logloss.__version__}" in (ROOT / "CHANGELOG.md").read_text()
    assert Path(logloss.__file__).with_name("py.typed").exists()
