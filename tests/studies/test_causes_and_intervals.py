"""The studies of causes and of intervals at a small size: the planted cause first, few false alarms, coverage."""

from __future__ import annotations

import importlib.util
from types import ModuleType

import pytest

from conftest import ROOT


def study(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "studies" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_first_sentence_names_the_planted_cause() -> None:
    found = study("causes").first_sentences(1)
    assert len(found) == 6
    assert {cause: share for cause, (share, _) in found.items() if share < 1} == {}


def test_little_is_said_of_calibrated_forecasts() -> None:
    for kind, most in (("even", 0.1), ("groups", 0.15)):  # 2 and 3 of 20 data sets; the study has hundreds
        alarms = study("causes").false_alarms(20, 1000, kind)
        assert max(alarms.values()) <= most, (kind, alarms)


@pytest.mark.parametrize(
    ("kind", "n", "least"), [("over-confident x3", 50, 0.93), ("strong, 97 % right", 200, 0.92)]
)
def test_halls_interval_covers_where_students_does_not(kind: str, n: int, least: float) -> None:
    t, hall = study("intervals").coverage(kind, n, 1500)
    assert t < hall
    assert least <= hall <= 0.975


def test_the_bracket_of_miscalibration_holds_the_truth() -> None:
    low, known, high, covers = study("intervals").bracket(1000, 1.5, 12)
    assert low < known < high
    assert covers >= 0.8
    assert known == pytest.approx(
        0.0235, abs=0.006
    )  # KL of these forecasts from the truth, by simulation of 10^6 rows
