"""The study of many forecasts at a small size: equal bests are kept, bands hold for all differences at once."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType

import pytest

from conftest import ROOT


@pytest.fixture(scope="module")
def study() -> ModuleType:
    spec = importlib.util.spec_from_file_location("confidence_sets", ROOT / "studies" / "confidence_sets.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where a dataclass looks its annotations up
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("draw", "size"), [("independent", 200), ("clustered", 20), ("through_time", 200)])
def test_the_set_keeps_two_equal_bests(study: ModuleType, draw: str, size: int) -> None:
    found = study.kept(getattr(study, draw), size, 120)
    assert found.both >= 0.9  # of 120; the study has 0.94 and more of 500
    assert min(found.first, found.second) >= 0.92
    assert 2 <= found.size < 5.9  # it does rule out


def test_a_set_that_is_not_told_of_clusters_does_not(study: ModuleType) -> None:
    assert study.kept(study.clustered, 20, 120, told=False).both < 0.87


def test_bands_hold_for_all_differences_at_once(study: ModuleType) -> None:
    alone, bands, halls = study.together(5, 200, 200)
    assert alone < 0.85
    assert min(bands, halls) >= 0.9  # 0.95, less three standard errors
