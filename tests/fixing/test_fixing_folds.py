"""Folds: outcomes dealt out evenly, groups whole, stretches of time in order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logloss.fixing import folds


@given(st.lists(st.integers(0, 1), min_size=2, max_size=80), st.integers(2, 10), st.booleans())
@settings(max_examples=60, deadline=None)
def test_every_outcome_is_dealt_out_evenly(y: list[int], count: int, wide: bool) -> None:
    shares = np.eye(3)[y] if wide else np.array(y, float)[:, None]
    fold = folds.stratified(shares, count)
    every = np.bincount(fold, minlength=count)
    assert len(every) == count
    assert every.max() - every.min() <= 1
    for one in (0, 1):
        inside = np.bincount(fold[np.array(y) == one], minlength=count)
        assert inside.max() - inside.min() <= 1


def test_soft_outcomes_are_dealt_out_by_their_class() -> None:
    random = np.random.default_rng(0)
    y = random.integers(0, 3, 90)
    soft = 0.7 * np.eye(3)[y] + 0.1
    fold = folds.stratified(soft, 5)
    for one in range(3):
        inside = np.bincount(fold[y == one], minlength=5)
        assert inside.max() - inside.min() <= 1


def test_rows_of_a_class_are_dealt_at_random_and_always_alike() -> None:
    shares = (np.arange(200) < 100).astype(float)[:, None]
    fold = folds.stratified(shares, 10)
    assert fold.tolist() == folds.stratified(shares, 10).tolist()
    assert fold.tolist() != folds.stratified(shares, 10, seed=1).tolist()
    assert len(set(fold[:10].tolist())) < 10  # not one after the other


@given(st.lists(st.integers(0, 15), min_size=1, max_size=120), st.integers(2, 10))
@settings(max_examples=60, deadline=None)
def test_groups_are_whole_and_folds_about_as_large(groups: list[int], count: int) -> None:
    _, code = np.unique(groups, return_inverse=True)
    fold = folds.by_group(code, count)
    assert all(len(set(fold[code == one].tolist())) == 1 for one in range(code.max() + 1))
    load = np.bincount(fold, minlength=min(count, code.max() + 1))
    assert (load > 0).all()
    # The largest first, each to the emptiest fold: no fold exceeds another by more than the largest group.
    assert load.max() - load.min() <= np.bincount(code).max()


@given(st.lists(st.integers(0, 40), min_size=1, max_size=120), st.integers(2, 10))
@settings(max_examples=60, deadline=None)
def test_stretches_of_time_follow_one_another(times: list[int], count: int) -> None:
    time = np.array(times)
    fold = folds.by_time(time, count)
    order = np.argsort(time, kind="stable")
    assert (np.diff(fold[order]) >= 0).all()
    assert all(len(set(fold[time == one].tolist())) == 1 for one in times)
    assert set(fold.tolist()) == set(range(fold.max() + 1))
    assert fold.max() < count


@pytest.mark.parametrize("kind", ["numbers", "text", "datetime64[D]"])
def test_stretches_hold_as_many_rows_each(kind: str) -> None:
    when = np.random.default_rng(1).permutation(100)
    time = {
        "numbers": when * 0.5,
        "text": np.array([f"2026-01-01T{one:03d}" for one in when], object),
        "datetime64[D]": when.astype("datetime64[D]"),
    }[kind]
    fold = folds.by_time(time, 10)
    assert np.bincount(fold).tolist() == [10] * 10
    assert fold.tolist() == (when // 10).tolist()
