"""Splits: how often, where first and by how much data rows are held out; what splits that overlap say of densities."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

import logloss as ll
from logloss.refereeing.heldout import split_notes
from logloss.refereeing.splits import Splits, splits_of

ROWS = np.array([0, 1, 2, 4, 5, 7])


def test_rows_tested_over_rows_trained_on() -> None:
    tests = (np.array([0, 1]), np.array([2]), np.array([4, 5, 7]))
    of_the_others = Splits(tests, ROWS, "by hand")
    assert of_the_others.partition
    assert of_the_others.ratio == pytest.approx((2 / 4 + 1 / 5 + 3 / 3) / 3, rel=1e-15)
    trains = (np.array([2, 4, 5]), np.array([0]), np.array([0, 1]))
    told = Splits(tests, ROWS, "by hand", trains)
    assert not told.partition  # each row is held out once, but not by what was trained on all others
    assert told.ratio == pytest.approx((2 / 3 + 1 / 1 + 3 / 2) / 3, rel=1e-15)


def test_the_first_split_that_holds_a_row_out() -> None:
    tests = (np.array([1, 2]), np.array([0, 2]), np.array([0, 1, 5]))
    splits = Splits(tests, ROWS, "by hand")
    assert splits.first(8).tolist() == [1, 0, 0, -1, -1, 2, -1, -1]
    assert splits.times(8).tolist() == [2, 2, 2, 0, 0, 1, 0, 0]
    assert splits.which().tolist() == [0, 0, 1, 1, 2, 2, 2]


def test_as_many_folds_as_rows_or_groups_hold_out_one_each() -> None:
    counts = np.array([True, False, True, True, True])
    asked: dict[str, Any] = {"kinds": None, "data": (None, None, None), "seed": 0}
    found = splits_of(4, counts, groups=None, **asked)
    assert sorted(test.tolist() for test in found.tests) == [[0], [2], [3], [4]]
    groups = np.array([5, 7, 9, 5, 5])
    found = splits_of(2, counts, groups=groups, **asked)
    assert sorted(test.tolist() for test in found.tests) == [[0, 3, 4], [2]]
    for too_many, group in ((5, None), (3, groups)):
        with pytest.raises(ll.UsageError, match="bad-cv"):
            splits_of(too_many, counts, groups=group, **asked)


def test_rows_of_weight_zero_are_not_missed() -> None:
    mass = np.array([1.0, 0.0, 2.0, 1.0, 0.0])
    rows = np.array([0, 2, 3])
    every = Splits((np.array([0]), np.array([2, 3])), rows, "by hand")
    assert split_notes(every, np.array([1, 0, 1, 1, 0]), mass, None) == []
    some = Splits((np.array([0]), np.array([3])), rows, "by hand")
    (note,) = split_notes(some, np.array([1, 0, 0, 1, 0]), mass, None)
    assert note.id == "never-held-out"
    assert note.text.startswith("No split holds out 1 of 3 rows (row 2)")
    twice = Splits((np.array([0, 2]), np.array([2, 3])), rows, "by hand")
    (note,) = split_notes(twice, np.array([1, 0, 2, 1, 0]), mass, None)
    assert note.id == "held-out-repeatedly"
    assert note.text.startswith("Rows were held out 1 to 2 times")


class Column:
    """A density whose surprise is told by a column: nothing is fitted."""

    def __init__(self, at: int) -> None:
        self.at = at

    def fit(self, X: Any, y: Any) -> Column:
        del X, y
        return self

    def surprise(self, X: Any, y: Any) -> Any:
        del y
        return X[:, self.at]


def test_densities_in_splits_that_overlap_may_cost_less_than_nothing() -> None:
    random = np.random.default_rng(4)
    X = random.normal([-3.0, -2.8], 0.3, (60, 2))
    splits = []
    for seed in range(6):
        order = np.random.default_rng(seed).permutation(60)
        splits.append((order[15:], order[:15]))
    found = ll.referee(
        {"one": Column(0), "two": Column(1)}, X, random.normal(size=60), splits, target="algorithm"
    ).comparison
    for at, name in enumerate(("one", "two")):
        means = np.array([X[test, at].mean() for _, test in splits])
        error = means.std(ddof=1) * math.sqrt(1 / 6 + 15 / 45)
        expected = stats.t.interval(0.95, 5, means.mean(), error)
        assert found.models[name].interval == pytest.approx(expected, rel=1e-9)
        assert expected[1] < 0
    pair = found.pairs[0]
    assert pair.standard_error is not None
    assert pair.total_error is None  # a sum over rows has no error that splits know of
