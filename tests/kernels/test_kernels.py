"""Both twins against mpmath, against each other, and against the values of the numerics literature."""

from __future__ import annotations

import math
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logloss import kernels
from logloss.kernels import compiled, oracle

mpmath.mp.dps = 60
INF = math.inf


def ones(y: int) -> np.ndarray:
    return np.array([y])


def run(name: str, twin: str, outcome: Any, forecast: Any, *more: float) -> np.ndarray:
    """Call a per-row kernel of one twin."""
    outcome, forecast = np.asarray(outcome), np.asarray(forecast)
    if twin == "oracle":
        return getattr(oracle, name)(outcome, forecast, *more)
    out = np.empty(len(forecast))
    getattr(compiled, name)(outcome, forecast, *more, out)
    return out


TWINS = pytest.mark.parametrize("twin", ["oracle", "compiled"])


def ulps(got: np.ndarray, exact: list[mpmath.mpf]) -> float:
    """Largest error in units in the last place of the exact value."""
    worst = 0.0
    for g, t in zip(got, exact, strict=True):
        if float(t) == float(g):
            continue
        worst = max(
            worst, float(abs(mpmath.mpf(float(g)) - t) / mpmath.mpf(float(np.spacing(abs(float(t))))))
        )
    return worst


def exact_logit(y: int, z: float) -> mpmath.mpf:
    return mpmath.log1p(mpmath.exp(-mpmath.mpf(z) if y else mpmath.mpf(z)))


def exact_p(y: int, p: float) -> mpmath.mpf:
    return -mpmath.log(mpmath.mpf(p)) if y else -mpmath.log1p(-mpmath.mpf(p))


def exact_row(y: int, z: np.ndarray) -> mpmath.mpf:
    return mpmath.log1p(
        mpmath.fsum(
            mpmath.exp(mpmath.mpf(float(v)) - mpmath.mpf(float(z[y]))) for k, v in enumerate(z) if k != y
        )
    )


# Values by mpmath with 60 digits.
@TWINS
@pytest.mark.parametrize(
    ("y", "z", "value"),
    [
        (1, -0.7, 1.1031860488854579),
        (1, 40.0, 4.248354255291589e-18),
        (1, -800.0, 800.0),
        (0, -800.0, 0.0),
        (0, 800.0, 800.0),
        (1, -INF, INF),
        (0, -INF, 0.0),
        (1, INF, 0.0),
        (0, INF, INF),
    ],
)
def test_binary_logit_values(twin: str, y: int, z: float, value: float) -> None:
    assert run("binary_logit", twin, ones(y), np.array([z]))[0] == pytest.approx(value, rel=1e-15)


@TWINS
@pytest.mark.parametrize(
    ("z", "y", "value"),
    [
        ((2, -1, 0.5), 0, 0.24131129665715706),
        ((30, 0, -5), 0, 9.4206741364412008e-14),
        ((100, 0, 0), 0, 7.4401519520416719e-44),
        ((1000, 0, -1000), 2, 2000.0),
        ((1000, 0, -1000), 0, 0.0),
        ((-INF, 0, 0), 1, 0.6931471805599453),
        ((-INF, 0, 0), 0, INF),
        ((5, 5, 5, 5), 2, math.log(4)),
    ],
)
def test_class_logit_values(twin: str, z: tuple[float, ...], y: int, value: float) -> None:
    assert run("class_logit", twin, ones(y), np.array([z], float))[0] == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize(
    ("logp", "y", "value"),
    [
        (-1e-20, 0, 46.051701859880914),
        (-5.0, 0, 0.0067607494494885578),
        (-0.5, 0, 0.93275212956718857),
        (-5.0, 1, 5.0),
        (0.0, 0, INF),
        (-INF, 1, INF),
        (-INF, 0, 0.0),
    ],
)
def test_binary_logp_values(logp: float, y: int, value: float) -> None:
    assert kernels.binary_logp(ones(y), np.array([logp]))[0] == pytest.approx(value, rel=1e-15)


@TWINS
@pytest.mark.parametrize(
    ("p", "y", "value"),
    [
        (0.0, 1, INF),
        (1.0, 0, INF),
        (1.0, 1, 0.0),
        (0.0, 0, 0.0),
        (5e-324, 1, 744.4400719213812),
        (5e-324, 0, 5e-324),
        (0.25, 0, 0.287682072451781),
    ],
)
def test_binary_p_values(twin: str, p: float, y: int, value: float) -> None:
    got = run("binary_p", twin, ones(y), np.array([p]))[0]
    assert got == pytest.approx(value, rel=1e-15, abs=0)
    assert not np.signbit(got)


@TWINS
def test_a_row_with_its_complement_keeps_what_one_minus_p_loses(twin: str) -> None:
    # p = 1 after rounding, q = 1e-12 given: y = 0 costs 27.63..., y = 1 costs 9.999999999995e-13 (mpmath).
    P = np.array([[1e-12, 1.0]])
    assert run("class_p", twin, ones(0), P, 1e-11)[0] == pytest.approx(27.631021115928548, rel=1e-13)
    assert run("class_p", twin, ones(1), P, 1e-11)[0] == pytest.approx(9.999999999995e-13, rel=1e-12)


@TWINS
def test_a_row_off_one_is_scored_as_given(twin: str) -> None:
    P = np.array([[0.2, 0.3]])
    assert run("class_p", twin, ones(1), P, 1e-12)[0] == pytest.approx(-math.log(0.3), rel=1e-15)


@TWINS
def test_float32_softmax_rows_are_scored_by_what_is_left(twin: str, rng: np.random.Generator) -> None:
    Z = rng.normal(size=(300, 5)) * 12
    y = Z.argmax(axis=1)
    P = np.exp(Z - Z.max(axis=1, keepdims=True))
    P32 = (P / P.sum(axis=1, keepdims=True)).astype(np.float32)
    exact = [
        mpmath.log1p(
            mpmath.fsum(mpmath.mpf(float(v)) for k, v in enumerate(row) if k != t) / mpmath.mpf(float(row[t]))
        )
        for row, t in zip(P32, y, strict=True)
    ]
    got = run("class_p", twin, y, P32, kernels.tolerance(P32.dtype, 5))
    assert ulps(got, exact) <= 4
    lost = -np.log(P32[np.arange(300), y].astype(np.float64))  # what scoring p_y alone would say
    assert (lost == 0).sum() > 10
    assert (got > 0).all()


FLOATS = st.floats(-700, 700).filter(lambda z: abs(z) > 1e-300)


@TWINS
@settings(max_examples=400, deadline=None)
@given(z=FLOATS, y=st.integers(0, 1))
def test_binary_logit_is_exact_to_4_ulp(twin: str, z: float, y: int) -> None:
    assert ulps(run("binary_logit", twin, ones(y), np.array([z])), [exact_logit(y, z)]) <= 4


@TWINS
@settings(max_examples=400, deadline=None)
@given(
    p=st.one_of(
        st.floats(1e-320, 1, exclude_max=True),
        st.floats(1e-17, 1e-3).map(lambda q: 1 - q).filter(lambda p: p < 1),
    ),
    y=st.integers(0, 1),
)
def test_binary_p_is_exact_to_4_ulp(twin: str, p: float, y: int) -> None:
    assert ulps(run("binary_p", twin, ones(y), np.array([p])), [exact_p(y, p)]) <= 4


@TWINS
@settings(max_examples=300, deadline=None)
@given(z=st.lists(st.floats(-300, 300), min_size=2, max_size=7), at=st.integers(0, 6))
def test_class_logit_is_exact_to_4_ulp(twin: str, z: list[float], at: int) -> None:
    y = at % len(z)
    row = np.array([z])
    assert ulps(run("class_logit", twin, ones(y), row), [exact_row(y, row[0])]) <= 4


@settings(max_examples=200, deadline=None)
@given(logp=st.one_of(st.floats(-700, -1e-300), st.floats(-0.8, -0.6)), y=st.integers(0, 1))
def test_binary_logp_is_exact_to_4_ulp(logp: float, y: int) -> None:
    lp = mpmath.mpf(logp)
    complement = mpmath.log(-mpmath.expm1(lp)) if logp > -1 else mpmath.log1p(-mpmath.exp(lp))
    exact = -lp if y else -complement
    assert ulps(oracle.binary_logp(ones(y), np.array([logp])), [exact]) <= 4


def test_class_totals_of_float32_rows_take_their_sums_into_account(rng: np.random.Generator) -> None:
    P = rng.dirichlet(np.ones(7), 5000).astype(np.float32)
    y = rng.integers(0, 7, 5000)
    within = kernels.tolerance(P.dtype, 7)
    nats, _, unclean = kernels.class_p_total(y, P, within)
    assert unclean == 0
    assert nats == pytest.approx(math.fsum(oracle.class_p(y, P, within)), rel=1e-12)
    assert abs(nats + np.log(P[np.arange(5000), y].astype(float)).sum()) > 5e-8


@TWINS
def test_many_logits_at_once(twin: str, rng: np.random.Generator) -> None:
    z = np.concatenate(
        [rng.uniform(-700, 700, 400), rng.normal(size=400), 10.0 ** rng.uniform(-12, 2.8, 200)]
    )
    y = rng.integers(0, 2, len(z))
    assert (
        ulps(
            run("binary_logit", twin, y, z),
            [exact_logit(int(t), float(v)) for t, v in zip(y, z, strict=True)],
        )
        <= 4
    )


DTYPES = pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])


@DTYPES
@pytest.mark.parametrize("layout", ["plain", "strided", "read-only", "fortran"])
def test_large_inputs_of_any_layout_agree_with_the_oracle(
    dtype: type, layout: str, rng: np.random.Generator
) -> None:
    n = kernels.COMPILE_FROM + 1
    p = rng.random(n).astype(dtype)
    y = (rng.random(n) < 0.4).astype(np.int8)
    Z = rng.normal(size=(n // 4, 5)).astype(dtype)
    P = rng.dirichlet(np.ones(5), n // 4).astype(dtype)
    t = rng.integers(0, 5, n // 4)
    if layout == "strided":
        p, y = np.repeat(p, 2)[::2], np.repeat(y, 2)[::2]
    if layout == "fortran":
        Z, P = np.asfortranarray(Z), np.asfortranarray(P)
    if layout == "read-only":
        for a in (p, y, Z, P, t):
            a.flags.writeable = False
    np.testing.assert_allclose(kernels.binary_p(y, p), oracle.binary_p(y, p), rtol=1e-14)
    np.testing.assert_allclose(kernels.binary_logit(y, p), oracle.binary_logit(y, p), rtol=1e-14)
    np.testing.assert_allclose(kernels.class_logit(t, Z), oracle.class_logit(t, Z), rtol=1e-13)
    within = kernels.tolerance(P.dtype, 5)
    np.testing.assert_allclose(kernels.class_p(t, P, within), oracle.class_p(t, P, within), rtol=1e-13)


@pytest.mark.parametrize("kind", ["spread", "near one", "tiny", "subnormal"])
@pytest.mark.parametrize("rows", [0, 1, 2047, 2048, 6001])
def test_totals_by_product_agree_with_sums_of_logs(kind: str, rows: int, rng: np.random.Generator) -> None:
    """The product trick alone would lose relative accuracy where every p is near one."""
    u = rng.random(rows)
    p = {
        "spread": u,
        "near one": 1 - 1e-10 * u,
        "tiny": 10.0 ** (-300 * u),
        "subnormal": 5e-324 * np.ceil(1e5 * u),
    }[kind]
    y = np.ones(rows, np.int64)
    exact = math.fsum(oracle.binary_p(y, p))
    nats, infinite, unclean = kernels.binary_p_total(y, p)
    assert (infinite, unclean) == (0, 0)
    assert nats == pytest.approx(exact, rel=1e-13, abs=0)


def test_totals_count_what_is_infinite_or_not_clean(rng: np.random.Generator) -> None:
    p = rng.random(10_000)
    y = (rng.random(10_000) < p).astype(np.int64)
    p[[5, 4000, 9_999]] = [0.0, 1.0, 0.0]
    y[[5, 4000, 9_999]] = [1, 0, 1]
    assert kernels.binary_p_total(y, p)[1:] == (3, 0)
    p[[7, 5000, 9_998]] = [np.nan, 1.5, -0.1]
    assert kernels.binary_p_total(y, p)[1:] == (3, 3)
    y[6000] = 2
    assert kernels.binary_p_total(y, p)[1:] == (3, 4)


@pytest.mark.parametrize("K", [2, 3, 10, 33])
def test_class_totals(K: int, rng: np.random.Generator) -> None:
    P = rng.dirichlet(np.full(K, 0.3), 5000)
    y = rng.integers(0, K, 5000)
    within = kernels.tolerance(P.dtype, K)
    exact = oracle.class_p(y, P, within)
    nats, infinite, unclean = kernels.class_p_total(y, P, within)
    assert (infinite, unclean) == (int(np.isinf(exact).sum()), 0)
    assert nats == pytest.approx(math.fsum(exact[np.isfinite(exact)]), rel=1e-12)
    sure = np.full((4096, K), 1e-12)
    sure[:, 0] = 1 - (K - 1) * 1e-12
    zeros = np.zeros(4096, np.int64)
    assert kernels.class_p_total(zeros, sure, within)[0] == pytest.approx(
        math.fsum(oracle.class_p(zeros, sure, within)), rel=1e-13
    )
    P[17, 0] += 0.1
    P[18, 0], P[18, 1] = -0.1, P[18, 1] + P[18, 0] + 0.1
    assert kernels.class_p_total(y, P, within)[2] == 2
    y[19] = K
    assert kernels.class_p_total(y, P, within)[2] == 3


def test_zero_probability_of_what_happened_is_infinite_in_class_totals() -> None:
    P = np.tile([0.0, 1.0], (3000, 1))
    y = np.ones(3000, np.int64)
    y[1234] = 0
    assert kernels.class_p_total(y, P, 1e-12) == (0.0, 1, 0)


def test_the_sum_of_a_thousand_logs() -> None:
    # sum over k = 1..1000 of -log(k / 1001), by mpmath.
    p = np.arange(1, 1001) / 1001
    assert kernels.binary_p_total(np.ones(1000, np.int64), p)[0] == pytest.approx(
        996.62660082705724, rel=1e-14
    )
