"""Sperm competition: the scores against SciPy and an independent implementation, what is printed and written."""

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
from scipy import optimize, stats

SCRIPT = Path(__file__).resolve().parents[2] / "examples" / "sperm_competition.py"
SCORES = {  # of an independent implementation, to four digits
    "fair": (2.2446, 2.2720, 2.2493, 2.2722),
    "loaded": (3.0207, 2.2764, 2.6533, 2.2804),
    "fair, alike": (3.3111, 3.3381, 2.7413, 2.7446),
    "loaded, alike": (3.5757, 2.8822, 2.7707, 2.5550),
}


@pytest.fixture(scope="module")
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("sperm_competition_example", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def it(example: ModuleType) -> Any:
    return example.story()


@pytest.mark.parametrize("truth", SCORES)
def test_the_truth_wins(it: Any, truth: str) -> None:
    one = it.cases[truth]
    assert [one.score(name) for name in SCORES] == pytest.approx(SCORES[truth], abs=5.1e-5)
    assert one.trial.comparison.best.name == truth


def test_the_loaded_raffle_by_scipy(it: Any) -> None:
    """Each brood by an r that was fitted to the 39 others with SciPy's binomial law."""
    broods = it.cases["loaded"].broods
    x, k, n = np.log(broods.s1 / broods.s2), broods.k, broods.n

    def nll(z: float, rows: Any) -> float:
        return float(-stats.binom.logpmf(k[rows], n[rows], 1 / (1 + np.exp(-z - x[rows]))).sum())

    direct = []
    for at in range(40):
        rest = np.arange(40) != at
        z = optimize.minimize_scalar(nll, args=(rest,), bracket=(0, 1), tol=1e-10).x
        direct.append(nll(z, [at]))
    assert it.cases["loaded"].trial.columns["loaded"] == pytest.approx(direct, rel=1e-6)


def test_the_intervals_are_of_how_much_the_winner_is_ahead(example: ModuleType, it: Any) -> None:
    """The paired Hall-t interval by its closed form (Hall 1992), from the columns of the trial."""
    for truth, a, b in (("loaded", "fair", "loaded"), ("loaded, alike", "fair, alike", "loaded, alike")):
        columns = it.cases[truth].trial.columns
        d, n = columns[a] - columns[b], 40
        s, g = d.std(ddof=1), stats.skew(d)
        q = stats.t.ppf(0.975, n - 1)
        ends = [3 * np.sqrt(n) / g * (np.cbrt(1 + g * v / np.sqrt(n) - g * g / (6 * n)) - 1) for v in (q, -q)]
        low, high = (d.mean() - s / np.sqrt(n) * end for end in ends)
        told = f"{low:.4f} to {high:.4f}"
        assert example.interval(it.cases[truth].pair(a, b)) == told
        assert example.interval(it.cases[truth].pair(b, a)) == told
        assert told in " ".join(example.told(it).split())


def test_the_story_has_its_point(it: Any) -> None:
    assert it.cases["loaded"].pair("fair", "loaded").better == "loaded"
    alike = it.cases["fair, alike"]
    assert alike.test("fair", "loaded").p_value < 0.05 < alike.test("fair, alike", "loaded, alike").p_value
    assert it.alarms > 0.2
    assert it.alarms_alike < 0.12
    open_ = it.cases["loaded, alike"].pair("fair, alike", "loaded, alike")
    assert open_.verdict == "tie"
    fitted = it.cases["loaded, alike"].fitted["loaded, alike"]
    assert abs(fitted.log_r_ - np.log(2)) < 2 * fitted.standard_error_["log_r"]
    assert abs(fitted.rho_ - 0.1) < 2 * fitted.standard_error_["rho"]


def test_script(it: Any, example: ModuleType, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", str(SCRIPT), "--out", str(tmp_path / "new")],
        capture_output=True, check=True, encoding="utf-8", timeout=90,
    )  # fmt: skip
    assert example.told(it) in done.stdout
    for row in SCORES.values():
        for score in row:
            assert f"{score:.4f}" in done.stdout
    with (tmp_path / "new" / "scores.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 16
    assert all(float(row["low"]) < float(row["score"]) < float(row["high"]) for row in rows)
    with (tmp_path / "new" / "broods.csv").open(newline="", encoding="utf-8") as file:
        broods = list(csv.DictReader(file))
    score = np.mean([float(row["loaded, alike"]) for row in broods])
    assert score == pytest.approx(SCORES["loaded, alike"][3], abs=5.1e-5)
