"""The study of paired differences at a small size: each rule covers where rows taken as independent do not."""

from __future__ import annotations

import importlib.util
from types import ModuleType

import numpy as np
import pytest

from conftest import ROOT


def study() -> ModuleType:
    spec = importlib.util.spec_from_file_location("comparisons", ROOT / "studies" / "comparisons.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


STUDY = study()


def test_skewed_differences() -> None:
    found = STUDY.paired(50, 1000).shares()
    assert max(found["t"], found["bootstrap"]) < 0.94 <= found["hall"] <= 0.98


@pytest.mark.parametrize(("skewed", "equal"), [(False, False), (True, True)])
def test_ten_groups(skewed: bool, equal: bool) -> None:
    found = STUDY.grouped(10, 1500, skewed=skewed, equal=equal).shares()
    assert found["rows"] < 0.75
    assert found["cr1"] < found["ours"]
    assert 0.92 <= found["ours"] <= 0.97


def test_a_series() -> None:
    found = STUDY.in_time(100, 1500).shares()
    assert found["rows"] < 0.72
    assert found["newey_west"] < 0.9
    assert 0.92 <= found["ewc"] <= 0.97


def test_one_user_with_much_of_the_rows() -> None:
    found = STUDY.heavy_user(1000, 600).shares()
    assert found["rows"] < 0.5
    assert min(found["groups"], found["row_each"]) > 0.92


def test_folds_of_models_that_are_nearly_the_same() -> None:
    own, across = (counts.shares() for counts in STUDY.cross_validated(100, 60, "first seven, all ten"))
    assert own["rows"] < 0.88 < own["nadeau_bengio"]
    assert across["nadeau_bengio"] > 0.93


def test_the_expected_loss_of_a_fitted_model() -> None:
    """Against the mean over half a million fresh rows."""
    random = np.random.default_rng(0)
    weights, start = random.normal(scale=0.5, size=10), 0.3
    X = random.normal(size=(500_000, 10))
    y = random.random(500_000) < STUDY.expit((X * STUDY.EFFECT).sum(axis=1))
    losses = STUDY.surprise(y, (X * weights).sum(axis=1) + start)
    error = losses.std() / np.sqrt(500_000)
    assert STUDY.expected(weights, start) == pytest.approx(losses.mean(), abs=4 * error)
