"""Shared fixtures: a fixed generator, and the folder of example predictions."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("MPLBACKEND", "Agg")  # figures are drawn, and no window opens

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))  # so that every test module can import the tables of cases


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20260101)


@pytest.fixture(scope="session")
def predictions() -> Path:
    return ROOT / "examples" / "predictions"


def pytest_sessionfinish(session: pytest.Session) -> None:
    """With LOGLOSS_NO_SKIPS set, a skipped test (a framework that is not installed) fails the run."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("LOGLOSS_NO_SKIPS") and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
