"""Newton steps against SciPy, and where nothing is curved, nothing falls, or a step leaps too far."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from logloss.calibrate.newton import Sums, minimise, minimise_above, total


def quartic(theta: np.ndarray) -> Sums:
    """Return 2 (x - 3)^4 + (y + 1)^2 as the sums of rows of weight 2."""
    x, y = theta
    value = 2 * ((x - 3) ** 4 + (y + 1) ** 2)
    return Sums(
        2.0, value, 2 * np.array([4 * (x - 3) ** 3, 2 * (y + 1)]), 2 * np.diag([12 * (x - 3) ** 2, 2.0])
    )


def mean(theta: np.ndarray, ridge: float) -> float:
    return float((theta[0] - 3) ** 4 + (theta[1] + 1) ** 2 + ridge * (theta @ theta))


@pytest.mark.parametrize("ridge", [0.01, 1.0, 30.0])
def test_the_ridge_pulls_to_the_start(ridge: float) -> None:
    best = minimize(mean, np.zeros(2), args=(ridge,), options={"gtol": 1e-10}).x
    theta, value = minimise(quartic, np.zeros(2), ridge)
    assert theta == pytest.approx(best, abs=1e-5)
    assert value == pytest.approx(mean(best, ridge), abs=1e-11)
    begun, _ = minimise(quartic, np.zeros(2), ridge, first=np.array([5.0, 5.0]))
    assert begun == pytest.approx(theta, abs=1e-6)


def test_steps_that_leap_too_far_are_halved() -> None:
    # log cosh: a plain Newton step from 3 leaps to -97, and from there without end.
    def sums(theta: np.ndarray) -> Sums:
        x = theta[0]
        return Sums(1.0, float(np.logaddexp(x, -x)), np.tanh(theta), np.array([[1 / np.cosh(x) ** 2]]))

    theta, value = minimise(sums, np.array([3.0]), 0.0)
    assert theta == pytest.approx([0.0], abs=1e-5)
    assert value == pytest.approx(np.log(2))


def test_a_step_where_the_loss_is_infinite_is_halved() -> None:
    def sums(theta: np.ndarray) -> Sums:
        x = theta[0]
        if x <= 0:
            return Sums(1.0, np.inf, np.zeros(1), np.eye(1))
        return Sums(1.0, x - np.log(x), np.array([1 - 1 / x]), np.array([[1 / x**2]]))

    assert minimise(sums, np.array([5.0]), 0.0)[0] == pytest.approx([1.0], abs=1e-5)


def test_a_direction_without_curvature_is_left_alone() -> None:
    def sums(theta: np.ndarray) -> Sums:
        off = theta[0] + theta[1] - 2.0  # only the sum matters
        return Sums(1.0, off * off, np.full(2, 2 * off), np.full((2, 2), 2.0))

    theta, value = minimise(sums, np.zeros(2), 0.0)
    assert theta == pytest.approx([1.0, 1.0])
    assert value == pytest.approx(0.0, abs=1e-15)


def test_sums_add_up() -> None:
    whole = total([quartic(np.array([1.0, 2.0]))] * 3)
    one = quartic(np.array([1.0, 2.0]))
    assert whole.weight == 3 * one.weight
    assert whole.value == pytest.approx(3 * one.value)
    assert whole.gradient == pytest.approx(3 * one.gradient)
    assert whole.curvature == pytest.approx(3 * one.curvature)


@pytest.mark.parametrize("least", [[-9.0, -9.0], [-9.0, 0.0], [4.0, -9.0], [4.0, 2.0]])
def test_bounds_hold_and_the_rest_is_the_least(least: list[float]) -> None:
    start = np.maximum(np.zeros(2), least)

    def off(theta: np.ndarray) -> float:
        return float((theta[0] - 3) ** 4 + (theta[1] + 1) ** 2 + 0.1 * ((theta - start) ** 2).sum())

    best = minimize(off, start, bounds=[(one, None) for one in least], options={"ftol": 1e-15, "gtol": 1e-9})
    theta = minimise_above(quartic, start, 0.1, np.array(least))
    assert (theta >= least).all()
    assert off(theta) <= best.fun + 1e-9
    assert theta == pytest.approx(best.x, abs=1e-3)
