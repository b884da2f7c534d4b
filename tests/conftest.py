"""Shared fixtures: a fixed generator, and the folder of example predictions."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from browser import Watched

os.environ.setdefault("MPLBACKEND", "Agg")  # figures are drawn, and no window opens

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))  # so that every test module can import the tables of cases


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20260101)


@pytest.fixture(scope="session")
def predictions() -> Path:
    return ROOT / "examples" / "predictions"


@pytest.fixture(scope="module")  # its loop runs as long as it is open; other modules have loops of their own
def browser() -> Iterator[Any]:
    from browser import chromium

    with chromium() as started:
        yield started


@pytest.fixture
def page(browser: Any) -> Iterator[Callable[..., Watched]]:
    """Return a function that opens an address in a real browser: `page(uri, color_scheme="dark")`."""
    from browser import Watched

    opened: list[Watched] = []

    def opens(uri: str, **settings: Any) -> Watched:
        opened.append(Watched(browser, **settings))
        opened[-1].page.goto(uri)
        return opened[-1]

    yield opens
    for each in opened:
        each.context.close()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """With LOGLOSS_NO_SKIPS set, a skipped test (a framework that is not installed) fails the run."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("LOGLOSS_NO_SKIPS") and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
