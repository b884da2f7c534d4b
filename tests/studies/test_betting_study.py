"""The study of bets at a small size: few false alarms however often one looks, and a verdict where one is better."""

from __future__ import annotations

import importlib.util
from types import ModuleType

import pytest

from conftest import ROOT


@pytest.fixture(scope="module")
def study() -> ModuleType:
    spec = importlib.util.spec_from_file_location("betting", ROOT / "studies" / "betting.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("K", [2, 4])
def test_bets_may_be_looked_at_and_intervals_may_not(study: ModuleType, K: int) -> None:
    found = study.false_alarms(K, 400, 200)
    assert found["bets"] <= 0.08  # 0.05 and two standard errors of 200 data sets
    assert found["interval, every row"] >= 0.2
    assert found["interval, last row"] <= 0.1
    assert found["ratio 20 for b"] >= 0.5


def test_late_outcomes_need_a_horizon(study: ModuleType) -> None:
    found = study.late_outcomes(4, 400, 100)
    assert found["horizon ignored"] >= 0.15
    assert found["richest bettor over horizon"] <= 0.05


def test_the_better_one_is_named_in_time(study: ModuleType) -> None:
    gain, fixed, middle, named, _ = study.stopping("both over-confident, b less", 1500, 20)
    assert gain == pytest.approx(0.05, abs=0.005)
    assert named == 1.0
    assert middle <= 3 * fixed


def test_all_money_on_a_belief_is_lost_where_it_is_over_confident(study: ModuleType) -> None:
    *_, named, all_in = study.stopping("b over-confident, a too cautious", 5000, 20)
    assert all_in < named
    assert named >= 0.35
