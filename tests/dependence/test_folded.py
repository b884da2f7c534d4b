from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logloss.dependence.folded import of_folds
from logloss.interval import of_clusters


@st.composite
def folds(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return values, weights (some 0) and folds, which may be of any size and number."""
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    K = draw(st.integers(2, 12))
    fold = np.append(np.arange(K), random.integers(0, K, draw(st.integers(0, 60))))
    weight = random.choice([0.0, 0.5, 1.0, 2.0], len(fold), p=[0.1, 0.3, 0.3, 0.3])
    weight[:K] = 1  # every fold has a row
    return random.normal(0.1, 1.0, len(fold)), weight, fold


def test_ten_folds_by_hand(rng: np.random.Generator) -> None:
    means = rng.normal(size=10)
    means = 0.2 + 0.05 * (means - means.mean()) / means.std(ddof=1)  # standard deviation .05
    rows = np.repeat(means, 7) + np.tile(
        [-3.0, -2, -1, 0, 1, 2, 3], 10
    )  # within a fold only the mean matters
    found = of_folds(rows, np.ones(70), np.repeat(np.arange(10), 7))
    assert found is not None
    # .05 sqrt(1/10 + 1/9), with 60-digit arithmetic; 2.262... is the .975 quantile of t with 9 degrees of freedom.
    assert found.standard_error == pytest.approx(0.022973414586817036, rel=1e-12)
    reach = 2.2621571627409915 * 0.022973414586817036
    assert (found.low, found.high) == pytest.approx((0.2 - reach, 0.2 + reach), rel=1e-11)
    assert found.p_value is not None
    touching = of_folds(rows, np.ones(70), np.repeat(np.arange(10), 7), level=1 - found.p_value)
    assert touching is not None
    assert touching.low == pytest.approx(0, abs=1e-12)


def test_repeated_random_splits() -> None:
    """Twelve splits, 20 rows tested against 80 trained on: sd sqrt(1/12 + 1/4) of their means."""
    means = np.linspace(-1.0, 1.2, 12)
    found = of_folds(np.repeat(means, 20), np.ones(240), np.repeat(np.arange(12), 20), ratio=20 / 80)
    assert found is not None
    assert found.standard_error == pytest.approx(means.std(ddof=1) * math.sqrt(1 / 12 + 1 / 4), rel=1e-12)


def test_unequal_folds() -> None:
    """Folds of 1, 2 and 5 rows: the jackknife's variance, times 1 + 3 r with r = (1/7 + 2 (2/6) + 5 (5/3)) / 8."""
    values, fold = np.array([0.3, 0.1, 0.2, -0.4, 0.0, 0.2, 0.1, 0.1]), np.array([0, 1, 1, 2, 2, 2, 2, 2])
    plain, found = of_clusters(values, np.ones(8), fold), of_folds(values, np.ones(8), fold)
    assert plain is not None
    assert found is not None
    r = (1 / 7 + 2 * 2 / 6 + 5 * 5 / 3) / 8
    assert found.standard_error == pytest.approx(plain.standard_error * math.sqrt(1 + 3 * r), rel=1e-12)
    assert found.mean == plain.mean


@given(folds())
def test_laws(case: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    values, weight, fold = case
    found, rows = of_folds(values, weight, fold), of_clusters(values, weight, fold)
    assert found is not None
    assert rows is not None
    assert found.standard_error >= rows.standard_error * math.sqrt(2) * (1 - 1e-12)  # K / (K - 1) and more
    order = np.random.default_rng(1).permutation(len(values))
    for other, scale, shift in (
        (of_folds(-3 * values, weight, fold), -3.0, 0.0),
        (of_folds(values + 2.5, weight, fold), 1.0, 2.5),
        (of_folds(values, 7 * weight, fold), 1.0, 0.0),
        (of_folds(values[order], weight[order], fold[order]), 1.0, 0.0),
        (of_folds(values, weight, 2 * fold + 3), 1.0, 0.0),  # folds without rows are no folds
    ):
        assert other is not None
        low, high = sorted((scale * found.low + shift, scale * found.high + shift))
        assert (other.mean, other.low, other.high) == pytest.approx(
            (scale * found.mean + shift, low, high), rel=1e-8, abs=1e-9
        )


def test_one_fold_is_none() -> None:
    assert of_folds(np.ones(5), np.ones(5), np.zeros(5, dtype=np.int64)) is None
    assert of_folds(np.ones(5), np.array([1.0, 1, 1, 0, 0]), np.array([0, 0, 0, 1, 1])) is None


def test_folds_alike() -> None:
    found = of_folds(np.zeros(6), np.ones(6), np.repeat(np.arange(3), 2))
    assert found is not None
    assert (found.low, found.high, found.p_value) == (0, 0, 1)
