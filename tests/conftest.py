"""Shared fixtures: a fixed generator, and the folder of example predictions."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))  # so that every test module can import the tables of cases


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20260101)


@pytest.fixture(scope="session")
def predictions() -> Path:
    return ROOT / "examples" / "predictions"
