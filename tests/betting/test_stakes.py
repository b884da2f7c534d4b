"""What a bet on one row pays: mean 1 at break-even, at most 1 where the other forecast is as good, for any p and q."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

import logloss as ll
from logloss.betting.stakes import break_even, stakes_of
from logloss.betting.wealth import Book

probability = st.one_of(
    st.floats(1e-300, 1e-5),
    st.floats(1e-5, 1 - 1e-5),
    st.floats(1e-16, 1e-5).map(lambda x: 1 - x),
)


def paid(p: float, q: float, space: str = "p") -> np.ndarray:
    """Return log E, shape (outcome, bet)."""
    a, b = (ll.observe([0, 1], [f, f], space=space, labels=[0, 1]) for f in (p, q))
    return stakes_of(a, b).logs


def test_the_break_even_point_and_what_the_bet_on_b_pays() -> None:
    # 60-digit arithmetic
    assert break_even(np.array([0.3]), np.array([0.6]))[0] == pytest.approx(0.44670524433488778, rel=1e-15)
    zero, one = np.exp(paid(0.3, 0.6)[:, 1])
    assert one == pytest.approx(1.3431675755080001, rel=1e-14)
    assert zero == pytest.approx(0.72294196882304164, rel=1e-14)
    d1, d0 = math.log(0.6 / 0.3), math.log(0.4 / 0.7)
    for payoff, d in ((one, d1), (zero, d0)):  # it is 1 + lam* d, the bet that grows fastest if b is right
        assert (payoff - 1) / d == pytest.approx(0.49508615937928058, rel=1e-13)


@settings(deadline=None, max_examples=60)
@given(p=probability, q=probability)
def test_its_mean_is_1_at_break_even_and_less_where_the_other_is_better(p: float, q: float) -> None:
    assume(p != q)
    logs = paid(p, q)
    with mpmath.workdps(650):
        P, Q = mpmath.mpf(p), mpmath.mpf(q)
        d1, d0 = mpmath.log(Q / P), mpmath.log((1 - Q) / (1 - P))
        even = d0 / (d0 - d1)
        for bet, truth in ((1, P), (0, Q)):
            zero, one = (mpmath.exp(mpmath.mpf(float(x))) for x in logs[:, bet])
            assert abs((1 - even) * zero + even * one - 1) < 1e-11
            assert (1 - truth) * zero + truth * one <= 1 + 1e-11


@settings(deadline=None, max_examples=60)
@example(p=1.1e-278, q=1e-300)  # their complements differ by 1e-278, which is no rounding
@given(p=probability, q=probability)
def test_it_pays_what_650_digits_say(p: float, q: float) -> None:
    assume(p != q)
    logs = paid(p, q)
    with mpmath.workdps(650):  # 1 - 1e-300 takes so many
        P, Q = mpmath.mpf(p), mpmath.mpf(q)
        d1, d0 = mpmath.log(Q / P), mpmath.log((1 - Q) / (1 - P))
        even = d0 / (d0 - d1)
        for bet, belief in ((1, Q), (0, P)):
            want = mpmath.log((1 - belief) / (1 - even)), mpmath.log(belief / even)
            for outcome in range(2):
                assert abs(logs[outcome, bet] - want[outcome]) <= 1e-12


def test_logits_of_700_and_of_1000() -> None:
    for z, q in ((700.0, -700.0), (1000.0, 3.0), (-1e300, 2.0)):
        logs = paid(z, q, "logit")
        assert np.isfinite(logs).all()
        with mpmath.workdps(60):
            d1 = mpmath.log1p(mpmath.exp(-mpmath.mpf(z))) - mpmath.log1p(mpmath.exp(-mpmath.mpf(q)))
            d0 = mpmath.log1p(mpmath.exp(mpmath.mpf(z))) - mpmath.log1p(mpmath.exp(mpmath.mpf(q))) if z < 1e299 else -mpmath.log1p(mpmath.exp(q))  # fmt: skip
            if z == -1e300:
                d1 = mpmath.mpf(1e300) - mpmath.log1p(mpmath.exp(-mpmath.mpf(q)))
            even = d0 / (d0 - d1)
            belief = 1 / (1 + mpmath.exp(-mpmath.mpf(q)))
            assert float(mpmath.log(belief / even)) == pytest.approx(logs[1, 1], rel=1e-12)


@pytest.mark.parametrize("space", ["p", "logp", "logit"])
def test_forecasts_that_hardly_differ(space: str) -> None:
    for p, gap in ((0.3, 1e-9), (0.999, 1e-12), (1e-12, 1e-20), (0.5, 1e-15)):
        with mpmath.workdps(60):
            written = {"p": lambda x: x, "logp": mpmath.log, "logit": lambda x: mpmath.log(x / (1 - x))}
            x, y = (float(written[space](mpmath.mpf(v))) for v in (p, p + gap))
            X, Y = mpmath.mpf(x), mpmath.mpf(y)
            back = {"p": lambda v: v, "logp": mpmath.exp, "logit": lambda v: 1 / (1 + mpmath.exp(-v))}[space]
            P, Q = back(X), back(Y)
            even = mpmath.log((1 - P) / (1 - Q)) / (mpmath.log(Q / (1 - Q)) - mpmath.log(P / (1 - P)))
            want = float(mpmath.log(Q / even))
        assert paid(x, y, space)[1, 1] == pytest.approx(want, abs=1e-15 + 2e-16 * abs(math.log(p)) * 4)


@pytest.mark.parametrize(
    ("p", "q", "a_bet", "b_bet"),
    [  # outcomes 0, 1
        (0.0, 0.25, (0.0, 0.0), (0.0, math.inf)),  # a said never: that costs b's bettor nothing
        (1.0, 0.25, (0.0, 0.0), (math.inf, 0.0)),
        (0.25, 0.0, (0.0, math.inf), (0.0, 0.0)),
        (0.0, 0.0, (0.0, 0.0), (0.0, 0.0)),  # equal, also where it happens
        (0.0, 1.0, (0.0, 0.0), (0.0, 0.0)),  # infinity less infinity
        (0.4, 0.4, (0.0, 0.0), (0.0, 0.0)),
    ],
)
@pytest.mark.parametrize("columns", [1, 2])
def test_certain_and_equal_forecasts(
    p: float, q: float, a_bet: tuple[float, float], b_bet: tuple[float, float], columns: int
) -> None:
    def record(f: float) -> ll.Observations:
        return ll.observe([0, 1], [f, f] if columns == 1 else [[1 - f, f]] * 2, labels=[0, 1])

    stakes = stakes_of(record(p), record(q))
    assert stakes.logs.T.tolist() == [pytest.approx(a_bet, abs=1e-15), pytest.approx(b_bet, abs=1e-15)]
    assert stakes.void.tolist() == [False, p == q == 0.0]
    assert stakes.clash.tolist() == [{p, q} == {0.0, 1.0}] * 2


def test_rows_that_do_not_sum_to_one_are_no_gift() -> None:
    """Where one forecast loses more whatever happens no bet is placed, and where one is, its mean is 1 at most."""
    a = ll.observe([0, 1], [[0.6, 0.4]] * 2, labels=[0, 1])
    b = ll.observe([0, 1], [[0.604, 0.402]] * 2, labels=[0, 1])
    assert stakes_of(a, b).logs.tolist() == [[0.0, 0.0], [0.0, 0.0]]
    three = [
        ll.observe([1, 2], [row] * 2, labels=[0, 1, 2]) for row in ([0.5, 0.3, 0.2], [0.5, 0.301, 0.201])
    ]
    assert stakes_of(*three).logs.tolist() == [[0.0, 0.0], [0.0, 0.0]]
    c = ll.observe([0, 1], [[0.696, 0.3]] * 2, labels=[0, 1])
    logs = stakes_of(a, c).logs
    d0, d1 = math.log(0.696 / 0.6), math.log(0.3 / 0.4)
    even = d0 / (d0 - d1)
    for bet in range(2):
        assert (1 - even) * math.exp(logs[0, bet]) + even * math.exp(logs[1, bet]) == pytest.approx(1, abs=1e-12)  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(st.integers(3, 6), st.integers(0, 2**32 - 1))
def test_of_many_classes_the_next_bet_has_mean_1_at_the_boundary(K: int, seed: int) -> None:
    """The step of wealth, for every outcome that could come next, weighted by a truth under which the two are equal."""
    rng = np.random.default_rng(seed)
    P, Q = rng.dirichlet(np.full(K, 0.5), 30), rng.dirichlet(np.full(K, 0.5), 30)
    P, Q = np.maximum(P, 1e-12), np.maximum(Q, 1e-12)
    P, Q = P / P.sum(axis=1, keepdims=True), Q / Q.sum(axis=1, keepdims=True)
    y = rng.integers(0, K, 30)
    d = np.log(Q[-1] / P[-1])
    share = (d @ Q[-1]) / (d @ Q[-1] - d @ P[-1])
    truth = share * P[-1] + (1 - share) * Q[-1]  # E d = 0
    steps = []
    for k in range(K):
        y[-1] = k
        a, b = (ll.observe(y, F, labels=list(range(K))) for F in (P, Q))
        book = Book.of(1)
        paths = book.enter(stakes_of(a, b))
        steps.append(np.exp(paths.sure[-1] - paths.sure[-2]))
    assert truth @ np.array(steps) == pytest.approx([1.0, 1.0], abs=1e-9)
    assert P[-1] @ np.array(steps)[:, 1] <= 1 + 1e-9
    assert Q[-1] @ np.array(steps)[:, 0] <= 1 + 1e-9
    assert np.min(steps) >= 0.5 - 1e-12


def test_of_many_classes_infinities() -> None:
    a = ll.observe([0, 2, 1], [[0.5, 0.3, 0.2], [0.5, 0.5, 0.0], [1.0, 0.0, 0.0]], labels=[0, 1, 2])
    b = ll.observe([0, 2, 1], [[0.4, 0.4, 0.2], [0.4, 0.4, 0.2], [0.5, 0.0, 0.5]], labels=[0, 1, 2])
    stakes = stakes_of(a, b)
    assert stakes.void.tolist() == [False, False, True]
    assert stakes.logs[1:].tolist() == [[0.0, math.inf], [0.0, 0.0]]  # who could lose infinitely does not bet
    wealth = Book.of(1).enter(stakes).sure
    assert wealth[1:, 1].tolist() == [math.inf, math.inf]
    assert wealth[1:, 0].tolist() == [wealth[0, 0]] * 2


def test_rounding_is_not_bet_on() -> None:
    """Logits moved by a constant are the same forecasts: what differs is rounding, and no wealth grows from it."""
    rng = np.random.default_rng(3)
    Z = rng.normal(size=(2000, 4))
    y = rng.integers(0, 4, 2000)
    a, b = (ll.observe(y, F, space="logit", labels=[0, 1, 2, 3]) for F in (Z, Z + 7.3))
    assert Book.of(1).enter(stakes_of(a, b)).sure.tolist() == [[0.0, 0.0]] * 2000


def test_many_classes_at_the_ends_of_the_range() -> None:
    """Forecasts of 1e-300 and logits of 700: wealth stays a number, and half of a bet is the most that it loses."""
    y = [0, 1, 2] * 2
    P = [[1e-300, 0.5, 0.5]] * 3 + [[1 - 2e-300, 1e-300, 1e-300]] * 3
    Q = [[0.2, 0.4, 0.4]] * 3 + [[1e-300, 1 - 2e-300, 1e-300]] * 3
    Z, T = np.array([[700.0, -700.0, 0.0]] * 6), np.array([[-700.0, 1e5, 3.0]] * 6)
    for F, G, space in ((P, Q, "p"), (Z, T, "logit")):
        a, b = (ll.observe(y, one, labels=[0, 1, 2], space=space) for one in (F, G))
        logs = stakes_of(a, b).logs
        assert np.isfinite(logs).all()
        assert logs.min() >= math.log(0.5) - 1e-12
        assert logs.max() > 0.1
