"""Sums for fits: both twins against 60-digit arithmetic, against each other, and against their own derivatives."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logloss import kernels
from logloss.kernels import derivatives

mpmath.mp.dps = 60
INF = math.inf


@pytest.fixture(params=["formula", "compiled"])
def twin(request, monkeypatch):
    """Send any number of rows to one of the twins."""
    monkeypatch.setattr(derivatives, "COMPILE_FROM", 0 if request.param == "compiled" else 10**9)
    return request.param


@mpmath.workdps(700)
def exact_tempered(Z, T, w, b):
    """Value, slope and curvature in 700 digits, since 1 + exp(-700) needs them; entries below -745 count as that."""
    value = slope = curvature = mpmath.mpf(0)
    for row, t, v in zip(Z, T, w, strict=True):
        z = [mpmath.mpf(max(float(x), -745.0)) for x in row]
        e = [mpmath.exp(b * x) for x in z]
        q = [x / mpmath.fsum(e) for x in e]
        mean = mpmath.fsum(p * x for p, x in zip(q, z, strict=True))
        mass = mpmath.fsum(mpmath.mpf(float(x)) for x in t)
        told = mpmath.fsum(mpmath.mpf(float(s)) * x for s, x in zip(t, z, strict=True))
        top = max(z)
        rest = mpmath.fsum(mpmath.exp(b * (x - top)) for x in z) - 1
        value += float(v) * (mass * mpmath.log1p(rest) + b * (mass * top - told))
        slope += float(v) * (mass * mean - told)
        spread = mpmath.fsum(p * x * x for p, x in zip(q, z, strict=True)) - mean**2
        curvature += float(v) * mass * spread
    return tuple(float(x) for x in (value, slope, curvature))


@pytest.mark.parametrize(
    "row",
    [
        (2.0, -1.0, 0.5),
        (30.0, 0.0, -5.0),
        (100.0, 0.0, 0.0),
        (700.0, 0.0, -700.0),
        (0.0, -INF, -2000.0),
        (-INF, 0.0, -1e-9),
        (5.0, 5.0, 5.0),
        (0.0, -745.2, -744.9),
    ],
)
@pytest.mark.parametrize("b", [0.0, 0.01, 0.7, 1.0, 6.5])
def test_rows_far_and_near(twin: str, row: tuple[float, ...], b: float) -> None:
    Z = np.array([row])
    for y in range(3):
        got = derivatives.tempered_sums(Z, np.array([y]), None, b)
        assert got == pytest.approx(exact_tempered(Z, np.eye(3)[[y]], [1.0], b), rel=1e-13, abs=1e-300)


def test_a_nearly_certain_row_keeps_its_digits(twin: str) -> None:
    # log1p(exp(-60)), 60-digit arithmetic; from 1 - p nothing would be left of it.
    value, slope, curvature = derivatives.tempered_sums(np.array([[60.0, 0.0]]), np.array([0]), None, 1.0)
    assert value == pytest.approx(8.75651076269652e-27, rel=1e-14)
    assert slope == pytest.approx(-60 * 8.75651076269652e-27, rel=1e-14)
    assert curvature == pytest.approx(3600 * 8.75651076269652e-27, rel=1e-14)


def test_logits_far_below_zero_are_not_lowered_onto_one_another(twin: str) -> None:
    Z = np.array([[-3000.0, -2999.0]])
    assert derivatives.tempered_sums(Z, np.array([0]), None, 1.0)[0] == pytest.approx(
        math.log1p(math.e), rel=1e-14
    )


ROWS = st.integers(1, 6).flatmap(
    lambda K: st.lists(
        st.tuples(
            st.lists(st.floats(-900, 50) | st.just(-INF), min_size=K, max_size=K).filter(
                lambda z: max(z) > -INF
            ),
            st.lists(st.integers(0, 3), min_size=K, max_size=K).filter(any),
            st.sampled_from([0.0, 0.5, 1.0, 3.0]),
        ),
        min_size=1,
        max_size=40,
    )
)


@settings(max_examples=150, deadline=None)
@given(rows=ROWS, b=st.floats(0, 8), soft=st.booleans(), weighted=st.booleans())
def test_the_twins_agree(rows, b: float, soft: bool, weighted: bool) -> None:
    Z, T, w = (np.array(column, float) for column in zip(*rows, strict=True))
    outcome = T / T.sum(axis=1, keepdims=True) if soft else T.argmax(axis=1)
    weight = w if weighted else None
    formula = derivatives.tempered_formula(Z, outcome, weight, b)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(derivatives, "COMPILE_FROM", 0)
        compiled = derivatives.tempered_sums(Z, outcome, weight, b)
    scale = 1e-9 + np.abs(formula)
    assert np.abs(np.subtract(compiled, formula)) == pytest.approx(0, abs=1e-11 * scale.max())


@pytest.mark.parametrize("K", [2, 3, 10, 33, 400])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_many_rows_agree_with_the_formula_in_any_order(K: int, dtype: type, rng: np.random.Generator) -> None:
    n = 1 + 2 * kernels.SLICE // K if K == 10 else 1 + kernels.COMPILE_FROM // K
    Z = (3 * rng.normal(size=(n, K))).astype(dtype)
    Z[::7, 0] = -INF
    y, w = rng.integers(0, K, n), rng.random(n)
    w[::5] = 0.0
    got = derivatives.tempered_sums(Z, y, w, 0.8)
    assert got == pytest.approx(derivatives.tempered_formula(Z, y, w, 0.8), rel=1e-12)
    turn = rng.permutation(n)
    assert derivatives.tempered_sums(Z[turn], y[turn], w[turn], 0.8) == pytest.approx(got, rel=1e-12)


def test_rows_of_weight_0_may_hold_anything(twin: str) -> None:
    Z, y = np.array([[1.0, 0.0], [math.nan, INF]]), np.array([0, -1])
    one = derivatives.tempered_sums(Z[:1], y[:1], None, 1.0)
    assert derivatives.tempered_sums(Z, y, np.array([1.0, 0.0]), 1.0) == one
    F, t = [np.array([1.0, math.nan]), np.array([2.0, -INF])], np.array([1.0, math.nan])
    theta = np.array([0.3, 0.2, 0.1])
    alone = derivatives.logistic_sums([f[:1] for f in F], t[:1], None, theta)
    both = derivatives.logistic_sums(F, t, np.array([1.0, 0.0]), theta)
    assert all(np.array_equal(a, b) for a, b in zip(alone, both, strict=True))


@pytest.mark.parametrize("eta", [-1e4, -745.0, -40.0, -0.7, 0.0, 1e-12, 3.0, 40.0, 700.0, 1e4])
@pytest.mark.parametrize("t", [0.0, 0.25, 1.0])
def test_logistic_rows_far_and_near(twin: str, eta: float, t: float) -> None:
    x, share = mpmath.mpf(eta), mpmath.mpf(t)
    q, other = 1 / (1 + mpmath.exp(-x)), 1 / (1 + mpmath.exp(x))
    exact = (share * mpmath.log1p(mpmath.exp(-x)) + (1 - share) * mpmath.log1p(mpmath.exp(x)),
             (1 - share) * q - share * other, q * other)  # fmt: skip
    value, gradient, hessian = derivatives.logistic_sums(
        [np.array([1.0])], np.array([t]), None, np.array([eta])
    )
    got = (value, float(gradient[0]), float(hessian[0, 0]))
    assert got == pytest.approx(tuple(map(float, exact)), rel=1e-13, abs=1e-300)


@pytest.mark.parametrize("columns", [1, 2, 3, 4])
@pytest.mark.parametrize("offset", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_logistic_twins_agree(columns: int, offset: bool, weighted: bool, rng: np.random.Generator) -> None:
    n = 2 * kernels.COMPILE_FROM + 3
    F = [rng.normal(size=n) for _ in range(columns)]
    t = rng.choice([0.0, 0.3, 1.0], n)
    w = rng.integers(0, 3, n) * 1.0 if weighted else None
    theta = rng.normal(size=columns + offset)
    got, exact = (f(F, t, w, theta) for f in (derivatives.logistic_sums, derivatives.logistic_formula))
    for a, b in zip(got, exact, strict=True):
        assert a == pytest.approx(b, rel=1e-11, abs=1e-9)
    turn = rng.permutation(n)
    turned = derivatives.logistic_sums([f[turn] for f in F], t[turn], None if w is None else w[turn], theta)
    for a, b in zip(turned, got, strict=True):
        assert a == pytest.approx(b, rel=1e-12, abs=1e-9)


def test_gradient_and_hessian_are_those_of_the_value(twin: str, rng: np.random.Generator) -> None:
    F, t, w = [rng.normal(size=60) for _ in range(3)], rng.random(60), rng.random(60)
    theta, h = rng.normal(size=4), 1e-5
    _, gradient, hessian = derivatives.logistic_sums(F, t, w, theta)
    for j, e in enumerate(np.eye(4) * h):
        up, down = (derivatives.logistic_sums(F, t, w, theta + s) for s in (e, -e))
        assert (up[0] - down[0]) / (2 * h) == pytest.approx(gradient[j], abs=1e-7)
        assert (up[1] - down[1]) / (2 * h) == pytest.approx(hessian[j], abs=1e-7)


@pytest.mark.parametrize("K", [2, 3, 5, 10])
@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_class_twins_agree(K: int, soft: bool, dtype: type, rng: np.random.Generator) -> None:
    n = kernels.COMPILE_FROM // K + 7
    Z = (3 * rng.normal(size=(n, K))).astype(dtype)
    Z[::50, 0] = -INF
    outcome = rng.dirichlet(np.ones(K), n) if soft else rng.integers(0, K, n)
    w = rng.integers(0, 3, n) * 1.0
    slope, offset = rng.normal(1, 0.5, K), rng.normal(size=K)
    got, exact = (
        f(Z, outcome, w, slope, offset) for f in (derivatives.class_sums, derivatives.class_formula)
    )
    for a, b in zip(got, exact, strict=True):
        assert a == pytest.approx(b, rel=1e-11, abs=1e-12 * float(np.abs(b).max()))
    turn = rng.permutation(n)
    for a, b in zip(derivatives.class_sums(Z[turn], outcome[turn], w[turn], slope, offset), got, strict=True):
        assert a == pytest.approx(b, rel=1e-12, abs=1e-12 * float(np.abs(b).max()))


def test_class_gradient_and_hessian_are_those_of_the_value(twin: str, rng: np.random.Generator) -> None:
    Z, y, h = rng.normal(size=(70, 3)), rng.integers(0, 3, 70), 1e-5
    theta = rng.normal(size=6)
    theta[0] = -0.5
    _, gradient, hessian = derivatives.class_sums(Z, y, None, theta[:3], theta[3:])
    for j, e in enumerate(np.eye(6) * h):
        up, down = (derivatives.class_sums(Z, y, None, *(theta + s).reshape(2, 3)) for s in (e, -e))
        assert (up[0] - down[0]) / (2 * h) == pytest.approx(gradient[j], abs=1e-7)
        assert (up[1] - down[1]) / (2 * h) == pytest.approx(hessian[j], abs=1e-7)


@pytest.mark.parametrize("row", [(60.0, 0.0), (0.0, -INF), (700.0, -700.0)])
@pytest.mark.parametrize("y", [0, 1])
def test_equal_slopes_are_a_temperature(twin: str, row: tuple[float, float], y: int) -> None:
    Z, outcome = np.array([row]), np.array([y])
    value, gradient, hessian = derivatives.class_sums(Z, outcome, None, np.full(2, 0.5), np.zeros(2))
    exact = exact_tempered(Z, np.eye(2)[outcome], [1.0], 0.5)
    assert value == pytest.approx(exact[0], rel=1e-13, abs=1e-300)
    assert gradient[:2].sum() == pytest.approx(exact[1], rel=1e-9, abs=1e-11)
    assert hessian[:2, :2].sum() == pytest.approx(exact[2], rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("ridge", "a", "c", "loss"),
    [
        (0.0, 0.36132076238693613, -0.18066038119346806, 0.64916890207031708),
        (2 / 6, 0.70101517493170387, -0.076556867511553823, None),
    ],
)
def test_newton_steps_lead_to_the_worked_fit(
    twin: str, ridge: float, a: float, c: float, loss: float | None
) -> None:
    # 60-digit arithmetic: x = -2 .. 3, y = 0, 1, 0, 1, 0, 1; the ridge is on (a - 1)^2 + c^2.
    x, y, theta, identity = np.arange(-2.0, 4.0), np.arange(6) % 2 * 1.0, np.zeros(2), np.array([1.0, 0.0])
    for _ in range(20):
        value, gradient, hessian = derivatives.logistic_sums([x], y, None, theta)
        theta = theta - np.linalg.solve(
            hessian / 6 + 2 * ridge * np.eye(2), gradient / 6 + 2 * ridge * (theta - identity)
        )
    assert theta == pytest.approx([a, c], rel=1e-14)
    if loss is not None:
        assert value / 6 == pytest.approx(loss, rel=1e-15)
