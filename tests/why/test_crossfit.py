"""Folds and the rows in them: groups stay whole, no row is in its own training, any order of rows comes back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logsumexp

from logloss.observations import observe
from logloss.why.crossfit import FOLDS, Rows, folds_of
from logloss.why.remedies import remedies


def record_of(n: int, K: int, seed: int = 0, **options: object):
    rng = np.random.default_rng(seed)
    Z = rng.normal(0, 2, n if K == 2 else (n, K))
    return observe(rng.integers(0, K, n), Z, space="logit", labels=list(range(K)), **options), Z


def test_ten_folds_of_equal_size() -> None:
    fold, order, cluster = folds_of(record_of(1003, 2)[0])
    assert cluster is None
    assert sorted(np.bincount(fold)) == [100] * 7 + [101] * 3
    assert sorted(order) == list(range(1003))
    assert len({tuple(fold[i : i + FOLDS]) for i in range(0, 1000, FOLDS)}) > 90  # at random, not in turn


@given(st.lists(st.integers(0, 12), min_size=25, max_size=60), st.integers(0, 3))
@settings(max_examples=40, deadline=None)
def test_groups_stay_whole(groups: list[int], dead: int) -> None:
    group = np.array(groups)
    weight = np.where(group < dead, 0.0, 1.0)
    if not weight.any():
        return
    fold, _, cluster = folds_of(record_of(len(group), 2, group=group, weight=weight)[0])
    alive = set(group[weight > 0])
    if len(alive) < 2:
        assert fold is None
        return
    assert cluster is not None
    for g in set(groups):
        assert len(set(fold[group == g])) == 1
    sizes = [len(set(group[(fold == k) & (weight > 0)])) for k in range(fold.max() + 1)]
    assert len(sizes) == min(FOLDS, len(alive))
    assert max(sizes) - min(sizes) <= 1  # groups without weight do not fill a fold


def test_a_group_without_weight_leaves_rows_to_fit_on() -> None:
    group = np.repeat(["a", "b"], 60)
    assert remedies(record_of(120, 2, group=group, weight=(group == "a").astype(float))[0]) is None
    three = np.repeat(["a", "b", "c"], 40)
    found = remedies(record_of(120, 2, group=three, weight=(three != "a").astype(float))[0])
    assert found is not None
    assert (found.folds, found.grouped) == (2, True)
    assert np.isfinite(found.log_loss)


@pytest.mark.parametrize("K", [2, 3])
def test_training_rows_are_those_of_the_other_folds(K: int) -> None:
    record, Z = record_of(90, K, weight=np.where(np.arange(90) % 5 == 0, 0.0, 1.0 + np.arange(90)))
    fold, order, _ = folds_of(record)
    rows = Rows(record, fold, order)
    given_ = Z[:, None] if K == 2 else Z - logsumexp(Z, axis=1, keepdims=True)
    weight = np.where(np.arange(90) % 5 == 0, 0.0, 1.0 + np.arange(90))
    for k in range(FOLDS):
        out = (fold != k) & (weight > 0)
        for found in [rows.training(k, []), *([rows.ordered(k, [])] if K == 2 else [])]:
            by_first = np.argsort(given_[out][:, 0], kind="stable")
            back = np.argsort(found[0][:, 0], kind="stable")
            assert found[0][back] == pytest.approx(given_[out][by_first], abs=1e-12)
            shares = np.eye(K)[record.outcome[out]][:, 1 if K == 2 else 0 :][:, : found[1].shape[1]]
            assert found[1][back].tolist() == shares[by_first].tolist()
            assert found[2][back] == pytest.approx(weight[out][by_first] / weight[out].mean(), rel=1e-12)


def test_a_map_of_each_fold_meets_its_rows() -> None:
    for K in (2, 3):
        record, Z = record_of(70, K)
        fold, order, _ = folds_of(record)
        rows = Rows(record, fold, order)
        shift = [[lambda z, k=k: z + k * np.eye(z.shape[1])[0]] for k in range(FOLDS)]
        found = rows.columns([[*chain] for chain in shift])
        if K == 2:
            assert found[5] == pytest.approx(Z + fold, rel=1e-12)
            assert found[3] == pytest.approx(expit(Z + fold), rel=1e-12)
        else:
            moved = Z - logsumexp(Z, axis=1, keepdims=True)
            moved[:, 0] += fold
            own = -moved[np.arange(70), record.outcome]
            assert found[0] == pytest.approx(own, rel=1e-12)


@pytest.mark.parametrize("K", [2, 4])
def test_columns_are_the_belief_of_each_row(K: int) -> None:
    record, Z = record_of(50, K)
    fold, order, _ = folds_of(record)
    surprise, entropy, variance, p, happened, odds = Rows(record, fold, order).columns([[]] * FOLDS)
    eta = np.stack([np.zeros(50), Z], axis=1) if K == 2 else Z
    s = logsumexp(eta, axis=1, keepdims=True) - eta
    P, at = np.exp(-s), np.arange(50)
    top = np.ones(50, int) if K == 2 else P.argmax(axis=1)
    assert surprise == pytest.approx(s[at, record.outcome], rel=1e-12)
    assert entropy == pytest.approx((P * s).sum(axis=1), rel=1e-12)
    assert variance == pytest.approx((P * s**2).sum(axis=1) - (P * s).sum(axis=1) ** 2, rel=1e-9)
    assert p == pytest.approx(P[at, top], rel=1e-12)
    assert happened.tolist() == (record.outcome == top).astype(float).tolist()
    assert odds == pytest.approx(np.log(P[at, top] / (1 - P[at, top])), rel=1e-9)
