"""The page lies in the package, opens in the browser that there is, and is small and closed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import webbrowser
from pathlib import Path

import pytest
from click.testing import CliRunner

import logloss as ll
from logloss.cli.commands import cli

PAGE = Path(ll.__file__).parent / "learning" / "page.html"


def test_learn_opens_the_page_and_returns_it(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda uri: opened.append(uri) or True)
    assert ll.learn() == PAGE
    assert opened == [PAGE.as_uri()]
    assert ll.learn(show=False) == PAGE
    assert len(opened) == 1


@pytest.mark.parametrize("failure", [webbrowser.Error("none"), OSError("none")])
def test_without_a_browser_learn_still_returns_the_page(
    monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    def fails(uri: str) -> bool:
        raise failure

    monkeypatch.setattr(webbrowser, "open", fails)
    assert ll.learn() == PAGE


def test_the_command_opens_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webbrowser, "open", lambda _: True)
    done = CliRunner().invoke(cli, ["learn"])
    assert (done.exit_code, done.output) == (0, f"Opened {PAGE}\n")


def test_the_command_where_there_is_no_browser() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "logloss", "learn"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "BROWSER": "no-such-browser", "DISPLAY": "", "WAYLAND_DISPLAY": "", "PATH": ""},
    )
    assert done.stdout == f"There is no browser here; the page is {PAGE}\n"


def test_the_command_prints_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webbrowser, "open", lambda _: pytest.fail("it was opened"))
    done = CliRunner().invoke(cli, ["learn", "--path"])
    assert (done.exit_code, done.output) == (0, f"{PAGE}\n")


def test_the_page_is_small() -> None:
    assert PAGE.stat().st_size <= 30_000


def test_the_page_names_no_address_and_may_ask_for_none() -> None:
    text = PAGE.read_text(encoding="utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    assert policy[1] == "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
    assert not re.search(r"https?:|//[a-z]+\.|\bsrc=|url\(|@import|fetch\(|XMLHttp|import\(", text)
    assert {href[0] for href in re.findall(r'href="?([^">\s]*)', text)} == {"#"}
