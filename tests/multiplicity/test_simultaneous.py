"""Bands that hold together: published critical values, closed forms of independent statistics, laws and edges."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr, stdtrit

import logloss as ll
from logloss.dependence.series import of_series
from logloss.interval import of_clusters, of_rows
from logloss.multiplicity.simultaneous import Simultaneous, simultaneous, simultaneous_of


def given_(*args: object, **options: object) -> Simultaneous:
    found = simultaneous(*args, **options)  # type: ignore[arg-type]
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("correlation", "expected"),
    [
        (np.eye(1), 1.960),
        (np.ones((5, 5)), 1.960),
        (np.eye(5), 2.569),  # Sidak: the normal quantile of (1 + 0.95^(1/5)) / 2
        (0.5 * np.eye(2) + 0.5, 2.21),  # Dunnett (1964), two-sided, infinitely many degrees of freedom
        (0.5 * np.eye(5) + 0.5, 2.51),
    ],
)
def test_published_critical_values(correlation: np.ndarray, expected: float) -> None:
    found = simultaneous_of(np.zeros(len(correlation)), 7 * correlation, draws=100_000)
    assert found.critical == pytest.approx(expected, abs=0.02)
    assert found.high == pytest.approx(found.critical * np.sqrt(7) * np.ones(len(correlation)))


@pytest.mark.parametrize(("M", "q"), [(3, 3.314), (5, 3.858)])
def test_all_pairs_are_tukeys(M: int, q: float) -> None:
    # The studentized range of M means, 5 %, infinitely many degrees of freedom. The covariance of all pairs is singular.
    pairs = np.array([np.eye(M)[a] - np.eye(M)[b] for a in range(M) for b in range(a)])
    found = simultaneous_of(np.zeros(len(pairs)), pairs @ pairs.T, draws=100_000)
    assert found.critical == pytest.approx(q / np.sqrt(2), abs=0.02)


def test_independent_students_t() -> None:
    found = simultaneous_of(np.array([1.0, 2.0, 3.0]), np.eye(3), freedom=8, draws=100_000)
    each = 0.95 ** (1 / 3)
    assert found.critical == pytest.approx(float(stdtrit(8, (1 + each) / 2)), abs=0.03)
    assert found.level_each == pytest.approx(each, abs=0.002)


def test_adjusted_p_values_of_independent_statistics() -> None:
    # Holm's order with Sidak's correction: exact where statistics are independent.
    z = np.array([1.0, -2.25, 2.2, 0.2])  # the second, among three, would pass the first, among four
    own = 2 * ndtr(-np.abs(z))
    found = simultaneous_of(z, np.eye(4), draws=100_000)
    assert found.p_single == pytest.approx(1 - (1 - own) ** 4, abs=0.006)
    down = np.maximum.accumulate([1 - (1 - own[at]) ** left for at, left in ((1, 4), (2, 3), (0, 2), (3, 1))])
    assert found.p_step_down[[1, 2, 0, 3]] == pytest.approx(down, abs=0.006)


def test_one_difference_is_its_own_interval(rng: np.random.Generator) -> None:
    d, w = rng.normal(size=40) + 0.3, rng.uniform(0.5, 2, 40)
    cluster = np.repeat(np.arange(8), 5)
    found, expected = given_(d[:, None], w, cluster=cluster), of_clusters(d, w, cluster)
    assert expected is not None
    assert found.standard_error[0] == pytest.approx(expected.standard_error, rel=1e-12)
    assert (found.low[0], found.high[0]) == pytest.approx((expected.low, expected.high), abs=0.01)
    assert found.p_single[0] == pytest.approx(expected.p_value, abs=0.01)
    assert found.freedom == 7
    rows, by_rows = given_(d[:, None], w), of_rows(d, w)
    assert by_rows is not None
    assert rows.standard_error[0] == pytest.approx(by_rows.standard_error, rel=1e-12)
    assert rows.mean[0] == pytest.approx(by_rows.mean, rel=1e-12)


def test_standard_errors_of_clusters_and_of_time() -> None:
    # Both in 60-digit arithmetic: the jackknife of means m_(g), and the mean square of two cosine transforms.
    sums, sizes = np.array([3, 1.2, 4.4, 2]), np.array([5, 3, 6, 4])
    cluster = np.repeat(np.arange(4), sizes)
    d = (sums / sizes)[cluster]
    found = given_(np.column_stack([d, -2 * d]), np.ones(18), cluster=cluster)
    assert found.mean == pytest.approx([0.58888888888888889, -1.17777777777777778], rel=1e-13)
    assert found.standard_error == pytest.approx([0.073800957178353524, 0.147601914356707048], rel=1e-12)
    series = np.array([0.1, 0.3, 0.2, -0.1, 0, 0.4, 0.2, 0.1, -0.2, 0.3, 0.1, 0.2])
    found = given_(series[:, None], np.ones(12), period=np.arange(12))
    assert found.standard_error[0] == pytest.approx(0.011717990767717951, rel=1e-12)
    assert found.freedom == 2


def test_several_rows_of_a_period_are_one(rng: np.random.Generator) -> None:
    d = rng.normal(size=(30, 2))
    period = np.repeat(np.arange(15), 2)
    halves = (d[::2] + d[1::2]) / 2
    rows, periods = (
        given_(d, np.ones(30), period=period),
        given_(halves, np.ones(15), period=np.arange(15)),
    )
    assert rows.standard_error == pytest.approx(periods.standard_error)
    assert rows.critical == pytest.approx(periods.critical)


def test_columns_without_any_variation(rng: np.random.Generator) -> None:
    d = np.column_stack([np.full(50, 0.1), np.zeros(50), rng.normal(size=50)])
    found = given_(d, np.ones(50))
    assert found.p_single[:2].tolist() == [0.0, 1.0]
    assert found.p_step_down[:2].tolist() == [0.0, 1.0]
    assert found.low[:2] == pytest.approx([0.1, 0.0])
    assert (found.low == found.high).tolist() == [True, True, False]
    assert found.critical == pytest.approx(float(stdtrit(49, 0.975)), abs=0.05)
    flat = given_(np.zeros((5, 2)), np.ones(5))
    assert np.isfinite([flat.low, flat.high, flat.p_single]).all()


def test_too_little_for_a_band() -> None:
    two = np.ones((2, 1))
    assert simultaneous(two, np.array([1.0, 0.0])) is None
    assert simultaneous(two, np.zeros(2)) is None
    assert simultaneous(two, np.ones(2), cluster=np.zeros(2, int)) is None
    assert simultaneous(two, np.ones(2), period=np.zeros(2, int)) is None


@settings(max_examples=100, deadline=None)
@given(
    st.integers(0, 2**32),
    st.integers(3, 30),
    st.integers(1, 6),
    st.sampled_from(["rows", "cluster", "period"]),
)
def test_laws(seed: int, n: int, m: int, by: str) -> None:
    random = np.random.default_rng(seed)
    d = random.normal(size=(n, m)) + random.normal(size=m)
    w = random.uniform(0.5, 2, n)
    codes = np.sort(random.integers(0, n, n))
    options = {} if by == "rows" else {by: codes}
    if by != "rows" and len(np.unique(codes)) < 2:
        return
    found = given_(d, w, draws=500, **options)
    assert (found.p_step_down <= found.p_single).all()
    assert found.level_each >= 0.92  # of 500 draws
    apart = np.abs(found.p_single - 0.05) > 0.01  # the quantile lies between two draws
    outside = (found.low > 0) | (found.high < 0)
    assert (outside == (found.p_single < 0.05))[apart].all()
    scaled = given_(-4 * d, 3 * w, draws=500, **options)
    # A singular covariance is known to the root of what rounding is.
    assert scaled.low == pytest.approx(-4 * found.high, rel=1e-5, abs=1e-5)
    assert scaled.p_single == pytest.approx(found.p_single, abs=0.005)
    order = random.permutation(m)
    permuted = given_(d[:, order], w, draws=500, **options)
    assert permuted.mean == pytest.approx(found.mean[order])
    assert permuted.p_single == pytest.approx(found.p_single[order], abs=0.005)


def test_as_json(rng: np.random.Generator) -> None:
    found = simultaneous_of(np.array([0.1, 0.2]), np.eye(2))
    state = json.loads(json.dumps(found.to_dict()))
    assert state["freedom"] == "inf"
    assert state["low"] == found.low.tolist()
    assert json.loads(json.dumps(given_(rng.normal(size=(9, 2)), np.ones(9)).to_dict()))["freedom"] == 8


def test_what_cannot_be_asked_of_bands() -> None:
    d, w = np.arange(8.0).reshape(4, 2), np.ones(4)
    for slug, options in (
        ("bad-level", {"level": 95}),
        ("bad-count", {"draws": 10}),
        ("cluster-or-period", {"cluster": np.arange(4), "period": np.arange(4)}),
    ):
        with pytest.raises(ll.UsageError, match=slug):
            simultaneous(d, w, **options)  # type: ignore[arg-type]
    with pytest.raises(ll.UsageError, match="infinite-in-set"):
        simultaneous(np.full((4, 2), np.inf), w)


@pytest.mark.parametrize("T", [8, 27, 100, 125, 1000])
def test_bands_in_time_have_the_errors_of_one_series(T: int, rng: np.random.Generator) -> None:
    d = rng.normal(size=(3 * T, 2)).cumsum(axis=0) * 0.01
    period = np.repeat(np.arange(T), 3)
    found = given_(d, np.ones(3 * T), period=period)
    assert found.freedom == max(1, int(0.4 * T ** (2 / 3)))
    for column, error in zip(d.T, found.standard_error, strict=True):
        expected = of_series(column, np.ones(3 * T), period)
        assert expected is not None
        assert error == pytest.approx(expected.standard_error, rel=1e-10)
