"""Train against validation: the main numbers of the story against NumPy and SciPy, and what is written."""

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
from scipy.optimize import minimize_scalar
from scipy.special import expit, logit

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SCRIPT = EXAMPLES / "train_against_validation.py"


@pytest.fixture(scope="module")
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("train_against_validation_example", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def it(example: ModuleType) -> Any:
    return example.story()


class Side:
    """One side of the file, and what it costs by the definition."""

    def __init__(self, name: str) -> None:
        with (EXAMPLES / "predictions" / "breast_cancer_network.csv").open(newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["part"] == name]
        self.p = np.array([float(row["network"]) for row in rows])
        self.y = np.array([row["diagnosis"] == "malignant" for row in rows])
        self.s = -np.log(np.where(self.y, self.p, 1 - self.p))
        self.H = -self.p * np.log(self.p) - (1 - self.p) * np.log1p(-self.p)
        self.v = self.p * (1 - self.p) * logit(self.p) ** 2

    @property
    def z(self) -> float:
        return float((self.s - self.H).sum() / np.sqrt(self.v.sum()))


TRAIN, VALID = Side("train"), Side("valid")


def best(p: np.ndarray, y: np.ndarray) -> float:
    def loss(t: float) -> float:
        q = expit(logit(p) / t)
        return float(-np.log(np.where(y, q, 1 - q)).mean())

    return float(minimize_scalar(loss, bounds=(0.2, 40), method="bounded", options={"xatol": 1e-8}).x)


def test_both_losses_and_what_the_gap_is_made_of(it: Any) -> None:
    gap = it.gap
    assert (gap.train.n, gap.validation.n) == (284, 285)
    assert gap.train.log_loss == pytest.approx(TRAIN.s.mean(), rel=1e-9)
    assert gap.validation.log_loss == pytest.approx(VALID.s.mean(), rel=1e-9)
    assert gap.part("expected loss").nats == pytest.approx(VALID.H.mean() - TRAIN.H.mean(), abs=1e-9)
    excess = [side.s - side.H for side in (TRAIN, VALID)]
    assert gap.part("excess surprise").nats == pytest.approx(excess[1].mean() - excess[0].mean(), abs=1e-9)
    error = np.hypot(*(x.std(ddof=1) / np.sqrt(len(x)) for x in excess))
    assert gap.part("excess surprise").standard_error == pytest.approx(error, rel=1e-9)
    assert gap.interval[0] < gap.difference < gap.interval[1]


def test_calibrated_where_it_was_trained_and_over_confident_elsewhere(it: Any) -> None:
    assert it.gap.train.summary.excess_z == pytest.approx(TRAIN.z, abs=1e-6)
    assert it.gap.validation.summary.excess_z == pytest.approx(VALID.z, rel=1e-9)
    assert abs(TRAIN.z) < 0.2
    assert VALID.z > 15
    assert it.gap.validation.log_loss > it.gap.validation.base_rate
    assert "fit a temperature on validation rows, not on training rows" in it.gap.verdict


def test_the_temperatures(it: Any) -> None:
    assert it.temperature_train == pytest.approx(best(TRAIN.p, TRAIN.y), rel=1e-3)
    assert it.temperature_train == pytest.approx(1.0, abs=0.02)
    t = best(VALID.p[::2], VALID.y[::2])
    assert it.temperature == pytest.approx(t, rel=1e-3)
    q = expit(logit(VALID.p[1::2]) / it.temperature)
    assert it.softened == pytest.approx(-np.log(np.where(VALID.y[1::2], q, 1 - q)).mean(), rel=1e-9)
    assert it.other == pytest.approx(VALID.s[1::2].mean(), rel=1e-9)
    assert it.softened < 0.75 * it.other


def test_the_curves(it: Any) -> None:
    from sklearn.isotonic import IsotonicRegression

    for name, side in (("train", TRAIN), ("valid", VALID)):
        steps = it.curves[name].curve.steps
        fitted = IsotonicRegression().fit(side.p, side.y.astype(float)).predict(np.sort(side.p))
        assert steps.fitted == pytest.approx(
            np.unique(np.stack([np.sort(side.p), fitted]), axis=1)[1], abs=1e-9
        )
    assert it.curves["train"].curve.outside < 0.1
    assert it.curves["valid"].curve.outside > 0.5
    costliest = np.cumsum(np.sort(VALID.s)[::-1])
    assert it.lorenz.half == int((costliest < costliest[-1] / 2).sum()) + 1


def test_what_is_told_and_written(example: ModuleType, it: Any, tmp_path: Path) -> None:
    text = " ".join(example.told(it).split())
    for number in (
        TRAIN.s.mean(),
        VALID.s.mean(),
        VALID.s.mean() - TRAIN.s.mean(),
        TRAIN.H.mean(),
        VALID.H.mean(),
    ):
        assert f"{number:.4f}" in text
    out = subprocess.run(
        [sys.executable, str(SCRIPT), "--out", str(tmp_path / "out")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "In one sentence." in out.stdout
    with (tmp_path / "out" / "reliability_valid.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["forecast"]) for row in rows] == pytest.approx(np.unique(VALID.p))
    assert all(float(row["low"]) <= float(row["high"]) for row in rows)
    assert (tmp_path / "out" / "reliability_train.csv").exists()
    with (tmp_path / "out" / "lorenz.csv").open(newline="") as file:
        points = list(csv.DictReader(file))
    assert (float(points[-1]["row_share"]), float(points[-1]["loss_share"])) == (1.0, 1.0)
