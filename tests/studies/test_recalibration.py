"""The study of recalibration at a small size: its truths are what they say, and maps gain where there is something to fix."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType

import numpy as np
import pytest
from scipy.special import expit

from conftest import ROOT


@pytest.fixture(scope="module")
def study() -> ModuleType:
    spec = importlib.util.spec_from_file_location("recalibration", ROOT / "studies" / "recalibration.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["recalibration"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def own(study: ModuleType) -> ModuleType:
    """The study without peers: they are not what is tested, and may not be installed."""
    kept = {name: method for name, method in study.METHODS.items() if name.split()[0] not in study.NEEDS}
    study.METHODS.clear()
    study.METHODS.update(kept)
    return study


def test_every_truth_is_better_than_forecasts_that_differ(study: ModuleType) -> None:
    for name, draw in study.TRUTHS.items():
        p, truth = (study.forecasts(Z) for Z in draw(np.random.default_rng(0), 4000))
        better = study.loss(p, truth) - study.loss(truth, truth)
        assert better == pytest.approx(0, abs=1e-12) if "calibrated" in name else better > 0.004, name


def test_outcomes_follow_the_truth(study: ModuleType) -> None:
    random = np.random.default_rng(1)
    for truth in (np.full(20_000, 0.3), np.tile([0.2, 0.5, 0.3], (20_000, 1))):
        drawn = np.bincount(study.outcomes(random, truth)) / 20_000
        wanted = [0.7, 0.3] if truth.ndim == 1 else truth[0]
        assert drawn == pytest.approx(wanted, abs=0.012)  # 3.5 standard errors


def test_two_gaussians_have_a_parabola(study: ModuleType) -> None:
    """Drawn from the two densities, outcomes in bins of x happen as often as the parabola says."""
    random = np.random.default_rng(2)
    y = random.random(200_000) < 0.5
    x = np.where(y, random.normal(1.5, 1.5, 200_000), random.normal(-1, 1, 200_000))
    for low in (-3, -2, 0, 2):
        near = (x > low) & (x < low + 0.1)
        at = x[near]
        said = expit((at + 1) ** 2 / 2 - (at - 1.5) ** 2 / 4.5 - np.log(1.5)).mean()
        assert y[near].mean() == pytest.approx(said, abs=4 * np.sqrt(said * (1 - said) / near.sum()))
    z, truth = study.gaussians(np.random.default_rng(3), 50)
    x = z * 0.65 + 0.25  # the mean variance over the distance of the means, and the middle
    assert truth == pytest.approx((x + 1) ** 2 / 2 - (x - 1.5) ** 2 / 4.5 - np.log(1.5))


def test_expected_loss_is_infinite_where_a_possible_class_got_0(study: ModuleType) -> None:
    assert study.loss(np.array([0.5, 0.25]), np.array([0.5, 1.0])) == pytest.approx(
        (np.log(2) + np.log(4)) / 2
    )
    assert study.loss(np.array([0.0, 1.0]), np.array([0.0, 1.0])) == 0
    assert study.loss(np.array([1.0, 0.5]), np.array([0.99, 0.5])) == np.inf
    assert study.ruled_out(np.array([1.0, 0.5]), np.array([0.99, 0.5])) == pytest.approx(0.005)
    assert study.ruled_out(np.array([[0, 0.4, 0.6]]), np.array([[0.2, 0.5, 0.3]])) == pytest.approx(0.2)


def test_maps_gain_where_there_is_something_to_fix(own: ModuleType) -> None:
    rows = own.synthetic("over-confident x2", 1000, 5).rows()
    assert rows["raw"].change == 0
    assert rows["always temperature, ridge"].change == pytest.approx(-0.0768, abs=0.003)  # raw over the truth
    assert rows["ll.fix"].change == pytest.approx(-0.0768, abs=0.004)
    assert rows["sklearn isotonic"].infinite == 5
    assert rows["sklearn isotonic, clipped at 1e-15"].infinite == 0
    assert {name: row.failed for name, row in rows.items() if row.failed} == {}


def test_halves_of_the_examples(own: ModuleType) -> None:
    cell = own.halves("breast_cancer_network, valid", 4)
    rows = cell.rows()
    assert rows["raw"].mean == pytest.approx(0.742316, rel=0.25)  # of the whole, by its README
    assert rows["always affine, ridge"].change < -0.1
    assert set(own.files()) >= {"digits, naive Bayes", "cats_and_dogs"}


def test_tables_say_what_is_infinite_and_what_was_left_out(
    own: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    own.METHODS["probmetrics none"] = own.probmetrics("none")
    own.NEEDS["probmetrics"] = ("no_such_module",)
    cells = [own.synthetic(name, 100, 3) for name in ("calibrated", "prior shift of 1")]
    own.summary(cells, "two")
    own.table(cells[0])
    said = capsys.readouterr().out
    assert own.left_out()["probmetrics none"] == "no_such_module is not installed"
    assert "probmetrics none" not in said
    summed = next(line for line in said.splitlines() if "sklearn isotonic  " in line)
    assert summed.split()[2:6] == ["-", "+inf%", "0", "6"]
    assert summed.split()[7:] == ["0", "of", "6"]
