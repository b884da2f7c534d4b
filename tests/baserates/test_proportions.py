"""Proportions of a mixture: maxima against certificates, other optimisers, and 60-digit arithmetic."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logloss.baserates import proportions
from logloss.baserates.proportions import Line, scaled, several, span, spans, two

mpmath.mp.dps = 60


def mixture(seed: int, n: int, K: int, spread: float) -> np.ndarray:
    """Log-likelihoods of rows, some of which are certain of a class."""
    rng = np.random.default_rng(seed)
    logs = rng.normal(size=(n, K)) * spread
    sure = rng.random(n) < 0.15
    logs[sure] = np.where(np.eye(K)[rng.integers(0, K, sure.sum())] > 0, 0.0, -np.inf)
    return logs


def loglik(x: np.ndarray, t: np.ndarray) -> float:
    with np.errstate(divide="ignore"):
        return float(np.log(x @ t).mean())


def test_two_classes_are_at_the_root_of_the_score() -> None:
    # origin: root of sum (r - 1) / (1 + t (r - 1)), r = p / (1 - p), by mpmath's findroot at 60 digits
    ratio = [mpmath.mpf(p) / (100 - p) for p in (20, 50, 90, 80)]
    root = mpmath.findroot(lambda t: sum((r - 1) / (1 + t * (r - 1)) for r in ratio), 0.8)
    found, _ = two(np.array([float(mpmath.log(r)) for r in ratio]), np.full(4, 0.25), 0.5)
    assert found.t[1] == pytest.approx(float(root), rel=1e-15)
    assert float(root) == pytest.approx(0.81596072467157984, rel=1e-15)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    n=st.integers(1, 40),
    K=st.integers(3, 6),
    spread=st.sampled_from([0.01, 1, 5, 60]),
)
def test_nothing_is_likelier_than_the_maximum(seed: int, n: int, K: int, spread: float) -> None:
    """The certificate is checked against vertices and random proportions: f(other) - f(t) <= certificate."""
    x, w = scaled(mixture(seed, n, K, spread)), np.full(n, 1 / n)
    found = several(x, w, np.full(K, 1 / K))
    assert found.certificate <= 1e-10
    assert found.t.min() >= 0
    assert found.t.sum() == pytest.approx(1, abs=1e-12)
    best = loglik(x, found.t)
    others = np.concatenate([np.eye(K), np.random.default_rng(seed).dirichlet(np.ones(K), 30)])
    near = 0.999 * found.t + 0.001 * others
    for other in np.concatenate([others, near]):
        assert loglik(x, other) <= best + 1e-10


def test_three_classes_are_where_plain_em_ends() -> None:
    # origin: 20,000 plain EM steps (Saerens et al. 2002, eq. 2.8), written out here
    x = scaled(np.random.default_rng(3).normal(size=(300, 3)) * 1.5)
    t = np.full(3, 1 / 3)
    for _ in range(20_000):
        t = t * (x / (x @ t)[:, None]).mean(axis=0)
    found = several(x, np.full(300, 1 / 300), np.full(3, 1 / 3))
    np.testing.assert_allclose(found.t, t, rtol=1e-9)
    assert found.steps < 30


def test_the_ends_of_an_interval_are_less_likely_by_the_drop() -> None:
    odds = np.random.default_rng(0).normal(size=200) * 2 + 0.5
    w = np.full(200, 1 / 200)
    found, line = two(odds, w, 0.5)
    s = float(found.t[1])
    for drop in (1e-6, 0.01, 0.3):
        low, high = span(line, s, drop)
        assert low < s < high
        for end in (low, high):
            if 0 < end < 1:
                assert line.value(s) - line.value(end) == pytest.approx(drop, rel=1e-7)


def test_three_classes_that_are_two_have_the_intervals_of_two() -> None:
    """A third class that no row can be of changes nothing."""
    odds = np.random.default_rng(1).normal(size=80) * 2
    w = np.full(80, 1 / 80)
    found, line = two(odds, w, 0.5)
    low, high = span(line, float(found.t[1]), 0.02)
    logs = np.stack([np.zeros(80), odds, np.full(80, -np.inf)], axis=1)
    three = several(scaled(logs), w, np.full(3, 1 / 3))
    np.testing.assert_allclose(three.t, [*found.t, 0], atol=1e-10)
    ends, followed = spans(scaled(logs), w, three.t, 0.02)
    assert followed
    np.testing.assert_allclose(ends[1], (low, high), rtol=1e-7)
    np.testing.assert_allclose(ends[0], (1 - high, 1 - low), rtol=1e-7)
    assert ends[2][0] == 0
    # (1 - t)^n of the rows' likelihood is what is left of t there
    assert ends[2][1] == pytest.approx(-math.expm1(-0.02), rel=1e-6)


def test_intervals_come_near_those_of_a_constrained_optimiser() -> None:
    # origin: scipy.optimize SLSQP with the rate held fixed, on a grid of rates by bisection
    from scipy.optimize import brentq, minimize

    rng = np.random.default_rng(5)
    y = rng.choice(3, 400, p=[0.1, 0.3, 0.6])
    centres = np.array([[0.0, 0.0], [1.5, 0.0], [0.0, 1.5]])
    X = rng.normal(size=(400, 2)) + centres[y]
    x = scaled(-0.5 * ((X[:, None] - centres) ** 2).sum(axis=2))
    w, drop = np.full(400, 1 / 400), 1.92 / 400
    found = several(x, w, np.full(3, 1 / 3))
    best = loglik(x, found.t)
    ends, _ = spans(x, w, found.t, drop)

    def profile(k: int, at: float) -> float:
        others = [j for j in range(3) if j != k]

        def cost(a: np.ndarray) -> float:
            t = np.zeros(3)
            t[k], t[others[0]], t[others[1]] = at, (1 - at) * a[0], (1 - at) * (1 - a[0])
            return -loglik(x, t)

        done = minimize(cost, [0.5], bounds=[(1e-9, 1 - 1e-9)], method="SLSQP", options={"ftol": 1e-14})
        return best + done.fun - drop

    for k in range(3):
        low = brentq(lambda a, k=k: profile(k, a), 1e-6, found.t[k])
        high = brentq(lambda a, k=k: profile(k, a), found.t[k], 1 - 1e-6)
        np.testing.assert_allclose(ends[k], (low, high), atol=0.03 * (high - low))


def test_the_parabola_agrees_where_rows_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    logs = np.random.default_rng(2).normal(size=(20_000, 4)) * 2
    x, w = scaled(logs), np.full(20_000, 1 / 20_000)
    found = several(x, w, np.full(4, 0.25))
    ends, followed = spans(x, w, found.t, 1e-4)
    monkeypatch.setattr(proportions, "WALK", 0)
    parabolas, by_likelihood = spans(x, w, found.t, 1e-4)
    assert followed
    assert not by_likelihood
    np.testing.assert_allclose(parabolas, ends, atol=2e-4)


def test_all_rows_of_one_class(monkeypatch: pytest.MonkeyPatch) -> None:
    """30 rows that are 3 times likelier under the first class: t has fallen by `drop` where log(1 - 2 t / 3) = -drop."""
    x, w = np.tile([1.0, 1 / 3, 1 / 9], (30, 1)), np.full(30, 1 / 30)
    found = several(x, w, np.full(3, 1 / 3))
    np.testing.assert_allclose(found.t, [1, 0, 0], atol=1e-12)
    drop = 0.064
    reach = 1.5 * -math.expm1(-drop)
    ends, _ = spans(x, w, np.array([1.0, 0.0, 0.0]), drop)
    np.testing.assert_allclose(ends, [(1 - reach, 1), (0, reach), (0, 9 / 8 * -math.expm1(-drop))], rtol=1e-7)
    monkeypatch.setattr(proportions, "WALK", 0)
    parabolas, _ = spans(x, w, np.array([1.0, 0.0, 0.0]), drop)
    np.testing.assert_allclose(parabolas, ends, atol=0.01)


def test_rows_that_say_nothing_leave_the_guess() -> None:
    found, line = two(np.full(9, 1e-15), np.full(9, 1 / 9), 0.3)
    assert found.t.tolist() == [0.7, 0.3]
    assert span(line, 0.3, 0.2) == (0.0, 1.0)


def test_a_line_knows_impossible_ends() -> None:
    line = Line(np.array([0.0, 1.0]), np.array([1.0, 1.0]), np.full(2, 0.5))
    assert line.value(0.0) == -math.inf
    assert line.best(0.5)[0] == 1.0


@pytest.mark.parametrize("zeros", [[], [1], [0, 3]])
def test_the_direction_costs_least_of_those_that_keep_the_sum(zeros: list[int]) -> None:
    """Against the solution of the Lagrange equations, and random directions; the curvatures at once are the same."""
    rng = np.random.default_rng(8)
    root = rng.normal(size=(30, 5))
    H, t = root.T @ root / 30, np.full(5, 0.2)
    t[zeros] = 0
    for k in range(5):
        v = proportions._direction(H, t, k, 1)
        assert v[k] == 1
        assert v.sum() == pytest.approx(0, abs=1e-9)
        others = [j for j in range(5) if j != k and t[j] > 0]
        equations = np.block(
            [[H[np.ix_(others, others)], np.ones((len(others), 1))], [np.ones(len(others)), 0]]
        )
        np.testing.assert_allclose(
            v[others], np.linalg.solve(equations, [*-H[others, k], -1])[:-1], rtol=1e-8
        )
        assert proportions._bends(H, t)[k] == pytest.approx(v @ H @ v, rel=1e-8)
