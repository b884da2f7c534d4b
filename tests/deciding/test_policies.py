"""Ways to act: shares, means and paired differences with weights, groups and rows without outcome, against plain NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import logloss as ll
from logloss.deciding.results import Decisions
from logloss.interval import Interval, of_clusters, of_rows

U = np.array([[-2.0, 0.0], [0.0, -20.0]])  # treat, wait; well, ill
WARD = {"treat": {0: -2, 1: 0}, "wait": {0: 0, 1: -20}}
N = 300


def rows() -> tuple[list[Any], np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return outcomes, every third unknown; forecasts, weights, groups, and which rows have an outcome."""
    rng = np.random.default_rng(8)
    z = rng.normal(-2, 1.1, N)
    y = (rng.random(N) < 1 / (1 + np.exp(-z))).astype(int)
    known = np.arange(N) % 3 != 1
    outcomes = [int(one) if is_known else None for one, is_known in zip(y, known, strict=True)]
    w = rng.gamma(2.0, 1.0, N)
    w[[0, 30, 31]] = 0.0
    return outcomes, 1 / (1 + np.exp(-1.5 * z)), w, rng.integers(0, 25, N), known


def decided(*, group: bool = True) -> Decisions:
    y, p, w, g, _ = rows()
    return ll.decide(y, p, utilities=WARD, weight=w, group=g if group else None, recalibrate=False)


@pytest.mark.parametrize("group", [False, True])
def test_each_way_is_what_its_rows_say(group: bool) -> None:
    y, p, w, g, known = rows()
    result = decided(group=group)
    came = np.array([0 if one is None else one for one in y])
    taken = {
        "as decided": np.where(p >= 1 / 11, 0, 1),
        "cut at 0.5": np.where(p >= 0.5, 0, 1),
        "always treat": np.zeros(N, int),
        "always wait": np.ones(N, int),
    }
    realised = {name: U[action, came] for name, action in taken.items()}

    def interval(values: np.ndarray) -> Interval:
        v, u = values[known], w[known]
        found = of_clusters(v, u, g[known]) if group else of_rows(v, u)
        assert found is not None
        return found

    means = {name: np.average(values[known], weights=w[known]) for name, values in realised.items()}
    best = max(means, key=lambda name: means[name])
    assert [policy.name for policy in result.policies] == list(taken)
    for policy in result.policies:
        action = taken[policy.name]
        assert policy.shares["treat"] == pytest.approx(w[action == 0].sum() / w.sum(), rel=1e-12)
        expected = np.where(action == 0, -2 * (1 - p), -20 * p)
        assert policy.expected == pytest.approx(np.average(expected, weights=w), rel=1e-12)
        assert policy.realised == pytest.approx(means[policy.name], rel=1e-12)
        alone = interval(realised[policy.name])
        assert policy.interval == pytest.approx((alone.low, alone.high), rel=1e-12)
        assert (policy.difference is None) == (policy.name == best)
        if policy.name != best:
            paired = interval(realised[policy.name] - realised[best])
            assert policy.difference == pytest.approx(paired.mean, rel=1e-12)
            assert policy.difference_interval == pytest.approx((paired.low, paired.high), rel=1e-12)


@pytest.mark.parametrize(("differ", "seen"), [(4, False), (5, True)])
def test_a_difference_is_seen_on_five_rows_that_count(differ: int, seen: bool) -> None:
    p, w = np.full(60, 0.01), np.ones(60)
    p[:6] = 0.3  # treated, which "always wait" does not
    w[differ:6] = 0.0
    result = ll.decide([0] * 60, p, utilities=WARD, weight=w, recalibrate=False)
    policy = next(one for one in result.policies if one.name == "as decided")
    assert policy.difference == pytest.approx(-2 * differ / w.sum(), rel=1e-12)
    assert (policy.difference_interval is not None) == seen


def test_of_equals_the_first_is_best() -> None:
    result = ll.decide([0, 1, 0, 1], [0.01, 0.9, 0.02, 0.8], utilities=WARD, recalibrate=False)
    by_name = {policy.name: policy for policy in result.policies}
    assert by_name["as decided"].realised == by_name["cut at 0.5"].realised == 0.0
    assert by_name["as decided"].difference is None
    assert by_name["cut at 0.5"].difference == 0.0


def test_what_a_cut_expects_of_rows_that_do_not_sum_to_one() -> None:
    P = np.array([[0.81, 0.19], [0.5, 0.5]]) * np.array([[1.004], [1.0]])
    result = ll.decide([0, 1], P, utilities=WARD, recalibrate=False)
    cut = next(policy for policy in result.policies if policy.name == "cut at 0.5")
    assert cut.expected == pytest.approx((-20 * 0.19 - 2 * 0.5) / 2, rel=1e-12)
