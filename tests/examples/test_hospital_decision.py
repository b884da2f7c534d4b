"""The hospital decision: the main numbers against NumPy, what is printed and written."""

from __future__ import annotations

import csv
import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from scipy import stats

SCRIPT = Path(__file__).resolve().parents[2] / "examples" / "hospital_decision.py"
U = np.array([[-2.0, 0.0], [0.0, -20.0]])  # treat, wait; not severe, severe


@pytest.fixture(scope="module")
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hospital_decision_example", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def it(example: ModuleType) -> Any:
    return example.story()


def came(p: np.ndarray, severe: np.ndarray) -> np.ndarray:
    """Return the utility of each patient, treated from 1/11 on."""
    return U[np.where(p >= 1 / 11, 0, 1), (severe == "severe").astype(int)]


def test_one_patient(it: Any) -> None:
    assert it.one.threshold == 1 / 11
    expected = {policy.name: policy.expected for policy in it.one.policies}
    assert expected["always treat"] == pytest.approx(-1.62, rel=1e-14)
    assert expected["always wait"] == pytest.approx(-3.80, rel=1e-14)
    assert it.three.utilities.cuts() == ((1 / 29, 0.2), ("wait", "monitor", "treat"))
    assert it.three.expected_utility == pytest.approx(0.81 * -0.5 + 0.19 * -6, rel=1e-14)


def test_the_ward(example: ModuleType, it: Any) -> None:
    severe, chance, said = example.ward()
    assert it.raw.realised_utility == pytest.approx(came(said, severe).mean(), rel=1e-12)
    assert it.truth.realised_utility == pytest.approx(came(chance, severe).mean(), rel=1e-12)
    assert it.raw.expected_utility == pytest.approx(np.maximum(-2 * (1 - said), -20 * said).mean(), rel=1e-12)
    surplus = came(said, severe) - np.maximum(-2 * (1 - said), -20 * said)
    plain = stats.t.interval(0.95, len(said) - 1, surplus.mean(), stats.sem(surplus))
    assert (it.raw.surplus.low, it.raw.surplus.high) == pytest.approx(plain, abs=0.02)


def test_the_story_has_its_point(example: ModuleType, it: Any) -> None:
    """A model that ranks perfectly brings less than treating everyone; recalibrated, about what the truth brings."""
    ways = {policy.name: policy.realised for policy in it.raw.policies}
    assert it.rank == 1.0
    assert ways["as decided"] < ways["always treat"] - 0.3
    assert ways["after recalibration"] > ways["always treat"] + 0.2
    assert ways["after recalibration"] == pytest.approx(it.truth.realised_utility, abs=0.05)
    assert it.raw.recalibration.map == "temperature"
    assert it.raw.recalibration.interval[0] > 0
    severe, _, said = example.ward()
    odds = np.log(said) - np.log1p(-said)
    ideal = came(1 / (1 + np.exp(-odds / example.SHARPER)), severe).mean()
    assert ways["after recalibration"] == pytest.approx(ideal, abs=0.05)


def test_script(it: Any, example: ModuleType, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", str(SCRIPT), "--out", str(tmp_path / "new")],
        capture_output=True, check=True, encoding="utf-8", timeout=120,
    )  # fmt: skip
    assert example.told(it) in done.stdout
    words = " ".join(done.stdout.split())
    for number in (it.one.threshold, it.losses[0], it.losses[1]):
        assert f"{number:.4f}" in words
    for number in (it.raw.realised_utility, it.truth.realised_utility, it.raw.recalibration.worth):
        assert f"{number:.3f}" in words
    with (tmp_path / "new" / "patients.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    severe, chance, said = example.ward()
    assert len(rows) == len(severe)
    assert [row["after_said"] for row in rows] == np.where(said >= 1 / 11, "treat", "wait").tolist()
    assert [row["after_chance"] for row in rows] == np.where(chance >= 1 / 11, "treat", "wait").tolist()
