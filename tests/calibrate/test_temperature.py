"""The temperature that loses least: worked values, its laws, and its ends."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from logloss.calibrate import temperature
from logloss.calibrate.temperature import LARGEST, fit_inverse_temperature
from logloss.kernels.derivatives import tempered_formula

FIVE = np.array([(2, 0, -1), (1, 3, 0), (0.5, 0.5, 2), (0, 1, 1.5), (3, 0, 1)])
CLASSES = np.array([0, 1, 2, 1, 2])


def test_three_right_of_four() -> None:
    # sigmoid(2 b) = 3/4 (exact): b = log(3) / 2; the loss in 60-digit arithmetic.
    Z, y = np.array([[0.0, 2.0]] * 4), np.array([1, 1, 0, 1])
    for fitted in (fit_inverse_temperature(Z, y), fit_inverse_temperature(Z[:, 1], y)):
        assert fitted.b == pytest.approx(math.log(3) / 2, rel=1e-12)
        assert fitted.loss == pytest.approx(0.56233514461880835, rel=1e-14)


def test_three_classes() -> None:
    # 60-digit arithmetic.
    fitted = fit_inverse_temperature(FIVE, CLASSES)
    assert fitted.b == pytest.approx(0.80854791450588922, rel=1e-9)
    assert fitted.loss == pytest.approx(0.78403239676753413, rel=1e-14)
    assert tempered_formula(FIVE, CLASSES, None, 1.0)[0] / 5 == pytest.approx(0.79652995988138013, rel=1e-14)


def test_shares_and_weights_are_repeated_rows() -> None:
    hard = fit_inverse_temperature(
        np.repeat(FIVE, 4, axis=0), np.repeat(CLASSES, 4) * np.tile([1, 1, 1, 0], 5)
    )
    T = 0.75 * np.eye(3)[CLASSES] + 0.25 * np.eye(3)[[0] * 5]
    soft = fit_inverse_temperature(FIVE, T, np.full(5, 0.3))
    assert soft.b == pytest.approx(hard.b, rel=1e-9)
    assert soft.loss == pytest.approx(hard.loss, rel=1e-13)


def test_forecasts_that_say_nothing_or_the_opposite() -> None:
    best = FIVE.argmax(axis=1)
    for Z in (-FIVE, 0 * FIVE):
        assert fit_inverse_temperature(Z, best)[:2] == (0.0, pytest.approx(math.log(3), rel=1e-15))
    assert fit_inverse_temperature(0 * FIVE, best, ridge=0.1).b == 1.0
    assert fit_inverse_temperature(-FIVE, best, ridge=1e-3).b == 0.0


def test_rows_that_are_all_right() -> None:
    assert fit_inverse_temperature(FIVE, FIVE.argmax(axis=1))[:2] == (LARGEST, 0.0)
    fitted = fit_inverse_temperature(FIVE, FIVE.argmax(axis=1), ridge=1e-3)
    slope = tempered_formula(FIVE, FIVE.argmax(axis=1), None, fitted.b)[1] / 5 + 2e-3 * (fitted.b - 1)
    assert 1 < fitted.b < 20
    assert slope == pytest.approx(0, abs=1e-9)


def test_an_impossible_class_that_happened_leaves_little_confidence() -> None:
    Z = np.log(np.array([[0.5, 0.5], [0.9, 0.1], [0.8, 0.2]]))
    Z[0] = 0.0, -np.inf
    fitted = fit_inverse_temperature(Z, np.array([1, 0, 0]))
    assert 0 <= fitted.b < 0.01
    assert math.isfinite(fitted.loss)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    K=st.integers(2, 6),
    scale=st.floats(0.1, 30),
    ridge=st.sampled_from([0, 0.01]),
)
def test_no_other_loses_less(seed: int, K: int, scale: float, ridge: float) -> None:
    rng = np.random.default_rng(seed)
    Z = scale * rng.normal(size=(60, K))
    y = (0.5 * Z / scale + rng.gumbel(size=Z.shape)).argmax(axis=1)
    w = rng.integers(0, 4, 60) * 1.0

    def loss(b: float) -> float:
        return tempered_formula(Z, y, w, b)[0] / w.sum() + ridge * (b - 1) ** 2

    fitted = fit_inverse_temperature(Z, y, w, ridge=ridge)
    other = minimize_scalar(loss, bounds=(0, 20 / scale + 2), method="bounded", options={"xatol": 1e-12})
    assert fitted.loss + ridge * (fitted.b - 1) ** 2 <= other.fun + 1e-11
    assert loss(fitted.b) == pytest.approx(fitted.loss + ridge * (fitted.b - 1) ** 2, abs=1e-11)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_many_rows_are_passed_a_few_times(dtype: type, rng: np.random.Generator) -> None:
    n = 5 * temperature.SAMPLE
    Z = (2 * rng.normal(size=(n, 4))).astype(dtype)
    y = (0.6 * Z + rng.gumbel(size=Z.shape)).argmax(axis=1)
    fitted = fit_inverse_temperature(Z, y)
    _, slope, curvature = tempered_formula(Z, y, None, fitted.b)
    assert fitted.passes <= 3
    assert abs(slope / curvature) < 1e-9
    turn = rng.permutation(n)
    again = fit_inverse_temperature(Z[turn], y[turn])
    assert again.b == pytest.approx(fitted.b, rel=1e-9)
    assert again.loss == pytest.approx(fitted.loss, rel=1e-12)


def test_a_sample_that_misleads_only_costs_passes(rng: np.random.Generator) -> None:
    # Every fifth row, which is what the sample takes, is right; the others are at random.
    n = 5 * temperature.SAMPLE
    Z = 3 * rng.normal(size=(n, 3))
    y = rng.integers(0, 3, n)
    y[::5] = Z[::5].argmax(axis=1)
    fitted = fit_inverse_temperature(Z, y)
    _, slope, curvature = tempered_formula(Z, y, None, fitted.b)
    assert abs(slope / curvature) < 1e-9
    assert 0 < fitted.b < 0.5
