"""Maps of a few parameters: worked fits, derivatives against 50-digit arithmetic, what stays finite."""

from __future__ import annotations

import math
from collections.abc import Callable

import mpmath
import numpy as np
import pytest
from scipy.optimize import minimize, minimize_scalar
from scipy.special import expit, log_expit

from logloss.calibrate.families import directions, family
from logloss.calibrate.maps import Clip, Mix, Scaling
from logloss.calibrate.odds import cost, log_softmax, probabilities
from logloss.calibrate.scaling import FREE, fit


def ridged(free: str, Z: np.ndarray, T: np.ndarray, w: np.ndarray) -> Callable[[np.ndarray], float]:
    """Return the objective by its formula: mean loss + (K / n) |parameters - identity|^2, as a function of theta."""
    n, C = Z.shape
    P = directions(free, C)

    def value(theta: np.ndarray) -> float:
        both = np.concatenate([np.ones(C), np.zeros(C)]) + P @ theta
        eta = both[:C] * Z + both[C:]
        if C == 1:
            nats = -(T * log_expit(eta) + (1 - T) * log_expit(-eta))[:, 0]
        else:
            nats = np.log(np.exp(eta).sum(axis=1)) - (T * eta).sum(axis=1)
        return float((w * nats).sum() / n + max(C, 2) / n * (theta @ theta))

    return value


def test_logistic_regression_with_a_ridge_towards_the_identity() -> None:
    # Computed with 50 digits: z = -2..3, y = (0, 1, 0, 1, 0, 1), penalty (2/6)((a - 1)^2 + c^2).
    Z, T = np.arange(-2.0, 4.0)[:, None], np.array([0.0, 1, 0, 1, 0, 1])[:, None]
    found = fit("affine", Z, T, np.ones(6))
    assert found.slope[0] == pytest.approx(0.70101517493170387, abs=1e-7)
    assert found.offset[0] == pytest.approx(-0.076556867511553823, abs=1e-7)


def test_a_temperature_of_three_classes() -> None:
    # Z, y of a worked case of five rows; the minimum by Brent's method on the formula.
    Z = log_softmax(np.array([[2.0, 0, -1], [1, 3, 0], [0.5, 0.5, 2], [0, 1, 1.5], [3, 0, 1]]))
    T = np.eye(3)[[0, 1, 2, 1, 2]]
    value = ridged("temperature", Z, T, np.ones(5))
    best = minimize_scalar(lambda b: value(np.array([b])), bracket=(-1, 0, 1), options={"xtol": 1e-12})
    found = fit("temperature", Z, T, np.ones(5))
    assert found.slope == pytest.approx(np.full(3, 1 + best.x), abs=1e-6)
    assert value(np.array([found.slope[0] - 1])) == pytest.approx(best.fun, abs=1e-11)
    assert found.offset.tolist() == [0, 0, 0]


@pytest.mark.parametrize("free", FREE)
@pytest.mark.parametrize("C", [1, 4])
def test_the_fit_is_the_minimum_that_a_general_solver_finds(
    free: str, C: int, rng: np.random.Generator
) -> None:
    n = 80
    Z = rng.normal(0, 2, (n, C))
    Z = Z if C == 1 else log_softmax(Z)
    T = rng.dirichlet(np.full(C, 0.3), n) if C > 1 else rng.choice([0.0, 0.3, 1.0], (n, 1))
    w = rng.exponential(size=n)
    w /= w.mean()
    value, P = ridged(free, Z, T, w), directions(free, C)
    best = minimize(value, np.zeros(P.shape[1]), method="BFGS", options={"gtol": 1e-9})
    found = fit(free, Z, T, w)
    theta = np.linalg.lstsq(P, np.concatenate([found.slope - 1, found.offset]), rcond=None)[0]
    assert value(theta) == pytest.approx(best.fun, abs=1e-10)
    assert theta == pytest.approx(best.x, abs=1e-4)


@pytest.mark.parametrize("C", [1, 3])
def test_derivatives_against_50_digits(C: int, rng: np.random.Generator) -> None:
    n = 4
    Z, w = rng.normal(0, 2, (n, C)), rng.exponential(size=n)
    T = rng.choice([0.0, 0.2, 1.0], (n, 1)) if C == 1 else rng.dirichlet(np.ones(C), n)
    at = rng.normal(1, 0.5, 2 * C)  # slopes, then offsets
    one = family("class_temperature", C)
    sums = one.sums(
        Z, T, w, at if C == 1 else at - np.repeat([1.0, 0.0], C)
    )  # K classes: added to the identity
    gradient, curvature = sums.gradient, sums.curvature
    assert sums.weight == pytest.approx(w.sum())

    def loss(*theta: mpmath.mpf) -> mpmath.mpf:
        total = mpmath.mpf(0)
        for z, t, weight in zip(Z.tolist(), T.tolist(), w.tolist(), strict=True):
            logits = [theta[k] * z[k] + theta[C + k] for k in range(C)]
            if C == 1:
                logits, t = [mpmath.mpf(0), logits[0]], [1 - mpmath.mpf(t[0]), t[0]]  # noqa: PLW2901
            top = mpmath.log(sum(mpmath.exp(x) for x in logits))
            total += weight * sum(share * (top - x) for share, x in zip(t, logits, strict=True))
        return total / n

    with mpmath.workdps(50):
        for i in range(2 * C):
            order = [0] * (2 * C)
            order[i] = 1
            assert gradient[i] == pytest.approx(
                n * float(mpmath.diff(loss, tuple(at), tuple(order))), abs=1e-12
            )
            for j in range(2 * C):
                both = order.copy()
                both[j] += 1
                assert curvature[i, j] == pytest.approx(
                    n * float(mpmath.diff(loss, tuple(at), tuple(both))), abs=1e-12
                )


def test_the_cost_of_rows_in_50_digits() -> None:
    z, t = [-800.0, -2.0, 0.0, 3.0, 40.0], [0.0, 0.25, 1.0, 1.0, 1.0]
    found = cost(np.array(z)[:, None], np.array(t)[:, None])
    hard = cost(np.array(z)[:, None], np.array([0.0, 1, 1, 1, 0])[:, None])
    with mpmath.workdps(50):

        def exactly(x: float, share: float) -> float:
            up, down = mpmath.log1p(mpmath.exp(-mpmath.mpf(x))), mpmath.log1p(mpmath.exp(mpmath.mpf(x)))
            return float(share * up + (1 - mpmath.mpf(share)) * down)

        assert found == pytest.approx([exactly(*row) for row in zip(z, t, strict=True)], rel=1e-14)
        assert hard == pytest.approx(
            [exactly(*row) for row in zip(z, [0, 1, 1, 1, 0], strict=True)], rel=1e-14
        )


def test_infinite_costs_only_where_the_impossible_happened() -> None:
    inf = np.inf
    for t in ([0.0, 1, 0, 1, 1], [0.0, 1, 0, 1, 0.5]):  # labels, and shares
        found = cost(np.array([-inf, inf, inf, -inf, 0.0])[:, None], np.array(t)[:, None])
        assert found.tolist() == [0, 0, inf, inf, math.log(2)]
    found = cost(np.array([[0.0, -inf], [-inf, 0.0]]), np.array([[1.0, 0], [1, 0]]))
    assert found.tolist() == [0, inf]


def test_few_rows_that_separate_leave_the_map_finite(rng: np.random.Generator) -> None:
    # Without a ridge the slope of separable rows has no finite maximum.
    for C in (1, 3):
        Z = rng.normal(0, 3, (6, C))
        T = (Z > 0).astype(float) if C == 1 else np.eye(3)[Z.argmax(axis=1)]
        for free in FREE:
            found = fit(free, Z if C == 1 else log_softmax(Z), T, np.ones(6))
            assert np.abs(found.slope).max() < 50
            assert np.isfinite(found.offset).all()


def test_certain_forecasts_do_not_stop_a_fit() -> None:
    Z = np.array([-np.inf, np.inf, 1.0, -1.0, np.inf, 0.5] * 5)[:, None]
    T = np.array([0.0, 1, 1, 0, 0, 1] * 5)[:, None]
    for free in FREE:
        found = fit(free, Z, T, np.ones(30))
        assert np.isfinite(found.slope).all()
        assert np.isfinite(found.offset).all()


def test_a_map_of_certain_forecasts() -> None:
    flat = Scaling(np.zeros(1), np.array([0.7]))
    assert flat(np.array([[-np.inf], [3.0]])).tolist() == [[0.7], [0.7]]
    found = Scaling(np.full(3, 2.0), np.zeros(3))(np.log(np.array([[0.5, 0.25, 0.25]])))
    assert np.exp(found) == pytest.approx(np.array([[4, 1, 1]]) / 6)
    with np.errstate(divide="ignore"):
        one = np.log(np.array([[0.5, 0.5, 0.0]]))
    turned = Scaling(np.array([1.0, 1.0, 0.5]), np.array([1.0, 0.0, 0.0]))(one)
    assert np.exp(turned) == pytest.approx(np.array([[math.e, 1, 0]]) / (1 + math.e))


def test_a_class_turned_round_that_was_impossible() -> None:
    with np.errstate(divide="ignore"):
        one = np.log(np.array([[0.5, 0.5, 0.0], [0.0, 0.0, 1.0]]))
    found = Scaling(np.full(3, -1.0), np.zeros(3))(one)
    assert np.exp(found) == pytest.approx(np.array([[0, 0, 1], [0.5, 0.5, 0]]), abs=1e-300)
    assert np.isfinite(found).all()
    both = Scaling(np.full(1, -2.0), np.zeros(1))(np.array([[-np.inf], [np.inf]]))
    assert both.tolist() == [[np.inf], [-np.inf]]


def test_probabilities_of_both_shapes() -> None:
    assert probabilities(np.array([[0.3], [-900.0]])) == pytest.approx(expit(np.array([[0.3], [-900.0]])))
    assert probabilities(np.log(np.array([[1.0, 3.0]]))) == pytest.approx(np.array([[0.25, 0.75]]))


def test_a_clip_and_a_mix() -> None:
    p = np.array([0.0, 0.01, 0.4, 0.999, 1.0])
    with np.errstate(divide="ignore"):
        z = (np.log(p) - np.log1p(-p))[:, None]
        logs = np.log(np.stack([p, 1 - p, np.zeros(5)], axis=1))
    assert expit(Clip.at(0.05)(z))[:, 0] == pytest.approx(np.clip(p, 0.05, 0.95), rel=1e-13)
    assert Clip.at(0.0)(z) is z
    assert np.exp(Mix.uniform(0.3, 3)(logs)) == pytest.approx(
        0.7 * np.stack([p, 1 - p, np.zeros(5)], axis=1) + 0.1, rel=1e-13
    )
    assert np.exp(Mix.uniform(1.0, 3)(logs)) == pytest.approx(np.full((5, 3), 1 / 3))
    assert Mix.uniform(0.0, 3)(logs) is logs
