"""The forecaster who exaggerates: the main numbers against NumPy and SciPy, what is printed and written."""

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
from scipy.special import entr, rel_entr

SCRIPT = Path(__file__).resolve().parents[2] / "examples" / "weather_forecaster.py"


@pytest.fixture(scope="module")
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("weather_forecaster_example", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def it(example: ModuleType) -> Any:
    return example.story()


def nats(rain: np.ndarray, p: np.ndarray) -> np.ndarray:
    return -np.log(np.where(rain == 1, p, 1 - p))


def kl(t: np.ndarray, p: np.ndarray) -> np.ndarray:
    return rel_entr(t, p) + rel_entr(1 - t, 1 - p)


def test_surprise(it: Any) -> None:
    """-log .99 and -log .01, 50 digits."""
    assert it.wet == pytest.approx(0.010050335853501441, rel=1e-14)
    assert it.dry == pytest.approx(4.605170185988091, rel=1e-14)


def test_what_was_to_be_expected(example: ModuleType, it: Any) -> None:
    chance, said, _ = example.weather()
    assert it.expected == pytest.approx((entr(chance) + entr(1 - chance)).mean(), rel=1e-12)
    assert it.added == pytest.approx(kl(chance, said).mean(), rel=1e-12)
    assert it.stated[6].expected == pytest.approx(stats.entropy([0.3, 0.7]), rel=1e-14)
    assert it.stated[6].added == pytest.approx(stats.entropy([0.3, 0.7], [0.15, 0.85]), rel=1e-12)


def test_what_happened(example: ModuleType, it: Any) -> None:
    chance, said, rain = example.weather()
    difference = nats(rain, said) - nats(rain, chance)
    assert it.honest == pytest.approx(nats(rain, chance).mean(), rel=1e-12)
    assert it.exaggerated == pytest.approx(nats(rain, said).mean(), rel=1e-12)
    assert it.worse == pytest.approx(difference.mean(), rel=1e-10)
    plain = stats.t.interval(0.95, len(rain) - 1, difference.mean(), stats.sem(difference))
    assert (it.low, it.high) == pytest.approx(plain, rel=0.05)  # skewness moves it a little
    assert it.low < it.added < it.high
    assert it.worse > 0


@pytest.mark.parametrize(("part", "which", "days"), [("parts", 0, None), ("impressed", 1, None), ("season", 0, 90)])  # fmt: skip
def test_where_it_comes_from(example: ModuleType, it: Any, part: str, which: int, days: int | None) -> None:
    *forecasts, rain = example.weather()
    p, rain = forecasts[which][:days], rain[:days]
    found, n = getattr(it, part), len(rain)
    levels = np.unique(p)
    share = np.array([(p == level).mean() for level in levels])
    wet = np.array([rain[p == level].mean() for level in levels])
    reliability, resolution = (share * kl(wet, levels)).sum(), (share * kl(wet, rain.mean())).sum()
    assert found.reliability == pytest.approx(reliability, rel=1e-10)
    assert found.resolution == pytest.approx(resolution, rel=1e-10)
    assert found.reliability_corrected == pytest.approx(reliability - len(levels) / (2 * n), rel=1e-9)
    assert found.resolution_corrected == pytest.approx(resolution - (len(levels) - 1) / (2 * n), rel=1e-9)
    assert nats(rain, p).mean() == pytest.approx(found.uncertainty - resolution + reliability, rel=1e-12)


def test_the_story_has_its_point(it: Any) -> None:
    assert abs(it.parts.reliability_corrected) < 0.01 < it.season.reliability
    assert abs(it.season.reliability_corrected) < it.season.reliability / 5
    assert it.impressed.reliability_corrected == pytest.approx(it.added, abs=0.02)
    assert it.impressed.resolution == pytest.approx(it.parts.resolution, rel=1e-12)


def test_script(it: Any, example: ModuleType, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", str(SCRIPT), "--out", str(tmp_path / "new")],
        capture_output=True, check=True, encoding="utf-8", timeout=60,
    )  # fmt: skip
    assert example.told(it) in done.stdout
    words = " ".join(done.stdout.split())
    for number in (it.wet, it.honest, it.worse, it.impressed.reliability_corrected, it.season.reliability):
        assert f"{number:.4f}" in words
    with (tmp_path / "new" / "stated.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    chance, _, rain = example.weather()
    assert [int(row["days"]) for row in rows] == [(chance == float(row["chance"])).sum() for row in rows]
    assert [float(row["wet"]) for row in rows] == pytest.approx(
        [rain[chance == float(row["chance"])].mean() for row in rows], rel=1e-12
    )
