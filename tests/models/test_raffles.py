"""Raffles: worked values (60-digit arithmetic), SciPy's laws, differences, the bounds, and what is refused."""

from __future__ import annotations

import math
from typing import Any

import mpmath
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

import logloss as ll
from logloss.models.broods import raffles
from logloss.models.raffles import Raffle, likelihood_ratio
from logloss.models.siring import Law

ROWS = [[100, 100, 10], [50, 100, 12], [200, 100, 8], [120, 80, 15]]
SIRED = [7, 6, 7, 9]
HYPOTHESES = {
    "fair": Raffle(),
    "loaded": Raffle(loaded=True),
    "fair, alike": Raffle(overdispersed=True),
    "loaded, alike": Raffle(loaded=True, overdispersed=True),
}


def law(k: int, n: int) -> Law:
    return Law(np.array([k]), np.array([n]))


@pytest.mark.parametrize(
    ("P", "rho", "nats"),
    [(0.6, 0.0, 1.537159819202354), (9 / 13, 0.0, 1.3225467071201138), (9 / 13, 0.1, 1.70944604917258)],
)
def test_surprise_of_a_brood(P: float, rho: float, nats: float) -> None:
    """120 against 80 sperm, 7 of 10 offspring; fair, and with r = 1.5. 60-digit arithmetic."""
    found = law(7, 10).surprise(np.array([math.log(P / (1 - P))]), rho)
    assert found[0] == pytest.approx(nats, rel=1e-14)


def test_fair_and_loaded_by_four_broods() -> None:
    """60-digit arithmetic."""
    fair, loaded = Raffle().fit(ROWS, SIRED), Raffle(loaded=True).fit(ROWS, SIRED)
    assert loaded.log_r_ == pytest.approx(0.55466773581592109, rel=1e-13)
    assert loaded.r_ == pytest.approx(1.7413622963181036, rel=1e-13)
    assert loaded.standard_error_["log_r"] == pytest.approx(0.32120629286316947, rel=1e-13)
    assert fair.nll_ == pytest.approx(7.7741411889683174, rel=1e-14)
    assert loaded.nll_ == pytest.approx(6.2245988775374196, rel=1e-14)
    test = likelihood_ratio(fair, loaded)
    assert test.statistic == pytest.approx(3.0990846228617955, rel=1e-12)
    assert test.p_value == pytest.approx(stats.chi2.sf(3.0990846228617955, 1), rel=1e-12)
    assert test.to_dict()["p_value"] == pytest.approx(0.078, abs=5e-4)
    assert (fair.log_r_, fair.r_, fair.slope_, fair.rho_, fair.standard_error_) == (0.0, 1.0, 1.0, 0.0, {})
    assert loaded.probability([[120, 80, 10]])[0] == pytest.approx(1.5 * loaded.r_ / (1.5 * loaded.r_ + 1))


@pytest.mark.parametrize(
    ("r", "rho", "scores"),
    [
        (1, 0.0, (2.2446, 2.2720, 2.2493, 2.2722)),
        (2, 0.0, (3.0207, 2.2764, 2.6533, 2.2804)),
        (1, 0.1, (3.3111, 3.3381, 2.7413, 2.7446)),
        (2, 0.1, (3.5757, 2.8822, 2.7707, 2.5550)),
    ],
)
def test_the_hypothesis_that_made_the_broods_wins(r: float, rho: float, scores: tuple[float, ...]) -> None:
    """Mean scores of an independent implementation, 40 broods, seed 7, each left out in turn."""
    broods = raffles(40, r=r, rho=rho, seed=7)
    trial = ll.referee(HYPOTHESES, broods.X, broods.y, "leave-one-out")
    assert trial.surprise.mean(axis=0) == pytest.approx(scores, abs=5.1e-5)
    made = {(1, 0.0): "fair", (2, 0.0): "loaded", (1, 0.1): "fair, alike", (2, 0.1): "loaded, alike"}[r, rho]
    assert trial.comparison.best.name == made


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 60), st.data(), st.floats(-6, 6), st.floats(1e-6, 0.95))
def test_the_law_is_scipys(n: int, data: Any, eta: float, rho: float) -> None:
    k = data.draw(st.integers(0, n))
    P, phi = 1 / (1 + math.exp(-eta)), rho / (1 - rho)
    at = np.array([eta])
    # SciPy's law is a difference of log-gammas, which loses digits as phi falls
    within = max(1e-9, 1e-13 / phi)
    assert law(k, n).surprise(at, rho)[0] == pytest.approx(
        -stats.betabinom.logpmf(k, n, P / phi, (1 - P) / phi), rel=1e-9, abs=within
    )
    assert law(k, n).surprise(at, 0.0)[0] == pytest.approx(-stats.binom.logpmf(k, n, P), rel=1e-9, abs=1e-10)


def test_the_law_near_independence() -> None:
    """50 digits; a difference of log-gammas is off by 1e-4 there."""
    mpmath.mp.dps = 50
    rho, eta = mpmath.mpf("1e-12"), mpmath.log(2)
    P = 1 / (1 + mpmath.exp(-eta))
    value = mpmath.log(mpmath.binomial(20, 13))
    value += sum(mpmath.log(P * (1 - rho) + j * rho) for j in range(13))
    value += sum(mpmath.log((1 - P) * (1 - rho) + j * rho) for j in range(7))
    value -= sum(mpmath.log(1 - rho + j * rho) for j in range(20))
    assert law(13, 20).surprise(np.array([math.log(2)]), 1e-12)[0] == pytest.approx(float(-value), rel=1e-14)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.data(), st.floats(-4, 4), st.floats(0.01, 0.9))
def test_probabilities_of_a_brood_sum_to_one(n: int, data: Any, eta: float, rho: float) -> None:
    every = np.arange(n + 1)
    whole = Law(every, np.full(n + 1, n)).surprise(np.full(n + 1, eta), rho)
    assert np.exp(-whole).sum() == pytest.approx(1, rel=1e-12)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 30), st.data(), st.floats(-3, 3), st.sampled_from([0.02, 0.3, 0.8]))
def test_derivatives_are_those_of_the_law(n: int, data: Any, eta: float, rho: float) -> None:
    """Central differences."""
    one, step = law(data.draw(st.integers(0, n)), n), 1e-5

    def at(e: float, r: float) -> Any:
        return one.at(np.array([e]), r)

    here, left, right = at(eta, rho), at(eta - step, rho), at(eta + step, rho)
    below, above = at(eta, rho - step), at(eta, rho + step)
    for derivative, low, high in (
        ("by_eta", left.value, right.value),
        ("by_rho", below.value, above.value),
        ("eta_eta", left.by_eta, right.by_eta),
        ("eta_rho", below.by_eta, above.by_eta),
        ("rho_rho", below.by_rho, above.by_rho),
    ):
        slope = (high - low)[0] / (2 * step)
        assert getattr(here, derivative)[0] == pytest.approx(slope, rel=1e-4, abs=1e-4), derivative


def test_the_slope_at_independence_is_the_limit() -> None:
    one = Law(np.array([3, 0, 9]), np.array([9, 9, 9]))
    eta = np.array([0.3, -1.0, 0.5])
    assert one.at(eta, 0.0).by_rho == pytest.approx(one.at(eta, 1e-9).by_rho, rel=1e-6)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("power", [False, True])
def test_what_is_fitted_is_most_likely(seed: int, power: bool) -> None:
    """Nelder and Mead, from SciPy's law."""
    broods = raffles(25, r=1.6, rho=0.15, seed=seed)
    x, one = np.log(broods.s1 / broods.s2), Raffle(loaded=True, power=power, overdispersed=True)
    one.fit(broods.X, broods.y)

    def nll(theta: np.ndarray) -> float:
        P = 1 / (1 + np.exp(-theta[0] - (theta[2] if power else 1.0) * x))
        phi = math.exp(theta[1])
        return float(-stats.betabinom.logpmf(broods.k, broods.n, P / phi, (1 - P) / phi).sum())

    start = [one.log_r_ + 0.1, math.log(one.phi_) - 0.2, one.slope_ + 0.1][: 2 + power]
    found = optimize.minimize(nll, start, method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-11})
    assert one.nll_ == pytest.approx(found.fun, rel=1e-9)
    assert one.nll_ <= found.fun + 1e-8
    assert one.log_r_ == pytest.approx(found.x[0], abs=1e-5)
    assert one.phi_ == pytest.approx(math.exp(found.x[1]), rel=1e-4)


def test_standard_errors_are_those_of_the_curvature_and_of_broods_drawn() -> None:
    """log r and b by a logistic regression with an offset, written out."""
    broods = raffles(30, r=1.4, rho=0.1, seed=3)
    one = Raffle(loaded=True, power=True).fit(broods.X, broods.y)
    x = np.log(broods.s1 / broods.s2)
    P = 1 / (1 + np.exp(-one.log_r_ - one.slope_ * x))
    Z = np.stack([np.ones(30), x], axis=1)
    score = Z * (broods.k - broods.n * P)[:, None]
    assert score.sum(axis=0) == pytest.approx([0, 0], abs=1e-8)
    bread = np.linalg.inv((Z * (broods.n * P * (1 - P))[:, None]).T @ Z)
    robust = bread @ (score.T @ score) @ bread * 30 / 29
    assert list(one.standard_error_.values()) == pytest.approx(np.sqrt(np.diag(bread)), rel=1e-9)
    assert list(one.robust_standard_error_.values()) == pytest.approx(np.sqrt(np.diag(robust)), rel=1e-9)
    pairs = np.arange(30) // 2
    by_pair = np.array([score[pairs == pair].sum(axis=0) for pair in range(15)])
    robust = bread @ (by_pair.T @ by_pair) @ bread * 15 / 14
    one.fit(broods.X, broods.y, groups=[f"pair {at}" for at in pairs])
    assert list(one.robust_standard_error_.values()) == pytest.approx(np.sqrt(np.diag(robust)), rel=1e-9)


def test_underdispersed_broods_are_independent() -> None:
    one = Raffle(overdispersed=True).fit([[10, 10, 10]] * 6, [5] * 6)
    assert one.rho_ == 0
    assert one.standard_error_ == {}
    assert one.nll_ == Raffle().fit([[10, 10, 10]] * 6, [5] * 6).nll_
    assert Raffle(loaded=True, overdispersed=True).fit(ROWS, SIRED).log_r_ == Raffle(loaded=True).fit(ROWS, SIRED).log_r_  # fmt: skip
    assert "at its bound" in str(one)


def test_broods_of_one_father_are_one_draw() -> None:
    one = Raffle(overdispersed=True).fit([[10, 10, 9], [10, 10, 4], [10, 30, 7], [10, 10, 5]], [9, 0, 0, 5])
    assert one.rho_ == 1.0
    assert one.phi_ == math.inf
    assert one.nll_ == pytest.approx(3 * math.log(2) - math.log(0.75), rel=1e-12)
    assert one.surprise([[10, 10, 9]], [3]) == [math.inf]
    assert one.surprise([[10, 30, 9]], [9]) == pytest.approx([math.log(4)])


@pytest.mark.parametrize("male", [0, 1])
def test_a_male_that_sires_everything(male: int) -> None:
    n = np.array([10, 12, 8])
    one = Raffle(loaded=True).fit({"s1": [9, 5, 7], "s2": [3, 8, 7], "n": n}, n * (1 - male))
    assert [note.id for note in one.notes_] == ["ridge-on-raffle"]
    assert one.ridge_ == 0.08
    assert one.log_r_ * (1 - 2 * male) > 1
    x, k = np.log(np.array([9, 5, 7]) / np.array([3, 8, 7])), n * (1 - male)
    found = optimize.minimize_scalar(
        lambda z: -stats.binom.logpmf(k, n, 1 / (1 + np.exp(-x - z))).sum() + 0.08 * z * z
    )
    assert one.log_r_ == pytest.approx(found.x, abs=1e-6)
    assert Raffle(loaded=True, ridge=0.5).fit(ROWS, SIRED).notes_ == ()


@pytest.mark.parametrize(
    ("k", "settings", "ridged"),
    [
        ([0, 0, 10, 10], {"loaded": True, "power": True}, True),  # a threshold tells them apart
        ([10, 10, 0, 0], {"loaded": True, "power": True}, True),
        ([0, 10, 0, 10], {"loaded": True, "power": True}, False),
        ([0, 5, 10, 10], {"loaded": True, "power": True}, True),
        ([0, 5, 6, 10], {"loaded": True, "power": True}, False),
        ([0, 0, 10, 10], {"loaded": True}, False),
        ([0, 0, 10, 10], {"power": True}, True),
        ([0, 10, 10, 10], {"power": True}, False),
    ],
)
def test_where_something_is_unbounded(k: list[int], settings: dict[str, bool], ridged: bool) -> None:
    X = [[1, 4, 10], [1, 2, 10], [2, 1, 10], [4, 1, 10]]
    one = Raffle(**settings).fit(X, k)
    assert (one.ridge_ > 0) == ridged
    assert abs(one.log_r_) + abs(one.slope_) < 20


def test_nothing_tells_how_alike_single_offspring_are() -> None:
    one = Raffle(overdispersed=True).fit([[10, 20, 1]] * 3, [1, 0, 0])
    assert one.rho_ == 0
    assert [note.id for note in one.notes_] == ["no-pairs"]


def test_likelihood_ratio_of_rho_is_half_and_half() -> None:
    broods = raffles(40, r=1, rho=0.02, seed=1)
    fair, alike = (Raffle(overdispersed=on).fit(broods.X, broods.y) for on in (False, True))
    full = Raffle(loaded=True, power=True, overdispersed=True).fit(broods.X, broods.y)
    test = likelihood_ratio(fair, alike)
    assert test.p_value == pytest.approx(stats.chi2.sf(test.statistic, 1) / 2, rel=1e-12)
    test = likelihood_ratio(fair, full)
    halves = (stats.chi2.sf(test.statistic, 2) + stats.chi2.sf(test.statistic, 3)) / 2
    assert (test.freedom, test.bounded) == (2, True)
    assert test.p_value == pytest.approx(halves, rel=1e-12)
    even = [Raffle(overdispersed=on).fit([[10, 10, 10]] * 6, [5] * 6) for on in (False, True)]
    assert likelihood_ratio(*even).p_value == 1.0
    with pytest.raises(ll.UsageError, match="not contained"):
        likelihood_ratio(alike, fair)
    with pytest.raises(ll.UsageError, match="different broods"):
        likelihood_ratio(Raffle().fit(ROWS, SIRED), alike)


def test_columns_are_taken_by_name() -> None:
    frame = pd.DataFrame(ROWS, columns=["s1", "s2", "n"], index=[9, 8, 7, 6])
    frame.insert(0, "female", list("abcd"))
    turned = pl.DataFrame(frame[["n", "s2", "female", "s1"]])
    given = [Raffle(loaded=True).fit(X, SIRED).log_r_ for X in (ROWS, np.array(ROWS), frame, turned)]
    assert len(set(given)) == 1


@pytest.mark.parametrize(
    ("X", "y", "says"),
    [
        ([[0, 10, 5]], [2], "s1, a number of sperm, is 0 .row 0"),
        ([[10, 10, 5], [10, math.inf, 5]], [2, 2], "s2, a number of sperm, is inf .row 1"),
        ([[10, 10, 0]], [0], "offspring of a brood, is 0"),
        ([[10, 10, 2.5]], [0], "offspring of a brood, is 2.5"),
        ([[10, 10, 5]], [6], "k, the offspring of male 1, is 6"),
        ([[10, 10, 5]], [math.nan], "is nan"),
        ([[10, 10, 5]], [1, 2], "1 broods, 2 outcomes"),
        ([[10, 10]], [1], "2 columns without names"),
        ({"s1": [1.0], "s2": [1.0], "N": [3]}, [1], "no column 'n'.*Did you mean 'N'"),
        ({"s1": ["a"], "s2": [1.0], "n": [3]}, [1], "Not all numbers"),
        ({"s1": [1.0, 2.0], "s2": [1.0], "n": [3]}, [1], "different lengths"),
    ],
)
def test_what_is_no_brood_is_refused(X: Any, y: Any, says: str) -> None:
    with pytest.raises(ll.LoglossError, match=says):
        Raffle(loaded=True).fit(X, y)


def test_wrong_calls() -> None:
    with pytest.raises(ll.UsageError, match="not been fitted"):
        Raffle().surprise(ROWS, SIRED)
    with pytest.raises(ll.UsageError, match="ridge is -1"):
        Raffle(ridge=-1).fit(ROWS, SIRED)
    with pytest.raises(ll.UsageError, match="r=0"):
        raffles(3, r=0)
    with pytest.raises(ll.UsageError, match="no 'shape'"):
        Raffle().set_params(shape=3)
    with pytest.raises(ll.AlignmentError, match="3 groups"):
        Raffle(loaded=True).fit(ROWS, SIRED, groups=[1, 2, 3])


def test_drawn_broods_are_those_of_the_truth() -> None:
    broods = raffles(20_000, r=2, rho=0.1, seed=1)
    assert np.log(broods.s1).mean() == pytest.approx(3, abs=0.02)
    assert np.log(broods.s2).std() == pytest.approx(0.7, abs=0.01)
    assert broods.n.mean() == pytest.approx(20, abs=0.15)
    fitted = Raffle(loaded=True, power=True, overdispersed=True).fit(broods.X, broods.y)
    assert (fitted.r_, fitted.slope_, fitted.rho_) == pytest.approx((2, 1, 0.1), rel=0.03)
    assert np.array_equal(raffles(5, seed=3).k, raffles(5, seed=3).k)
    assert len(raffles(5)) == 5


def test_it_is_copied_as_scikit_learn_copies() -> None:
    from sklearn.base import clone

    one = Raffle(loaded=True, ridge=0.1).fit(ROWS, SIRED)
    fresh = clone(one)
    assert fresh.get_params() == {"loaded": True, "power": False, "overdispersed": False, "ridge": 0.1}
    assert not hasattr(fresh, "rho_")
    assert repr(fresh) == str(fresh) == "Raffle(loaded)"
    assert fresh.set_params(loaded=False).loaded is False


@pytest.mark.parametrize("part", ["y", "groups", "column"])
def test_broods_are_not_paired_against_their_index(part: str) -> None:
    index = [3, 1, 2, 0]
    s1 = pd.Series([100.0, 50, 200, 120], index=index)
    s2, n = pd.Series([100.0, 100, 100, 80], index=index), pd.Series([10, 12, 8, 15], index=index)
    X = {"s1": s1, "s2": s2, "n": n.reset_index(drop=True) if part == "column" else n}
    y = pd.Series([7, 6, 7, 9], index=None if part == "y" else index)
    groups = pd.Series([0, 0, 1, 1]) if part == "groups" else None
    with pytest.raises(ll.AlignmentError, match="index-mismatch"):
        Raffle(loaded=True).fit(X, y, groups)
    fitted = Raffle().fit({"s1": [1, 2], "s2": [1, 1], "n": [3, 3]}, [1, 2])
    if part == "y":
        with pytest.raises(ll.AlignmentError, match="index-mismatch"):
            fitted.surprise(pd.DataFrame(X), y)


@pytest.mark.parametrize(
    ("s1", "k", "says"),
    [
        (["100", "many"], [1, 2], r"column 's1' \(rows 0, 1: '100'\)"),
        ([100, None, "x"], [1, 2, 1], r"column 's1' \(.*rows? "),
        ([100, 50], [1, 5], r"is 5 of 3 \(row 1\)"),
        ([100, 50], [0.5, 1], r"is 0\.5 \(row 0\).*counts, not shares"),
    ],
)
def test_errors_name_the_brood(s1: list[Any], k: list[Any], says: str) -> None:
    X = {"s1": s1, "s2": [50] * len(s1), "n": [3] * len(s1)}
    with pytest.raises(ll.DataError, match=says):
        Raffle().fit(X, k)
