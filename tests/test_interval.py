from __future__ import annotations

import math

import numpy as np
import pytest

from logloss.interval import hall_t

X = np.array([0.05, 0.1, 0.1, 0.2, 0.3, 0.4, 0.7, 2.5])


def of(x: np.ndarray, **options: float):
    d = x - x.mean()
    return hall_t(float(x.mean()), len(x), float((d**2).sum()), float((d**3).sum()), **options)


def test_values_of_the_worked_example() -> None:
    # Computed with 50 digits for x = (.05, .1, .1, .2, .3, .4, .7, 2.5): mean .54375, s .81828981069405617.
    interval = of(X)
    assert interval.mean == pytest.approx(0.54375, rel=1e-15)
    assert interval.standard_error * math.sqrt(8) == pytest.approx(0.81828981069405617, rel=1e-13)
    assert (interval.low, interval.high) == pytest.approx(
        (0.085118536914597367, 2.8967814293404628), rel=1e-10
    )


def test_without_skew_it_is_students_t() -> None:
    from scipy.special import stdtrit

    x = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    half = float(stdtrit(4, 0.975)) * x.std(ddof=1) / math.sqrt(5)
    interval = of(x)
    assert (interval.low, interval.high) == pytest.approx((3 - half, 3 + half), rel=1e-12)


def test_no_interval_for_one_value_and_none_wide_for_equal_ones() -> None:
    assert hall_t(1.0, 1, 0.0, 0.0) is None
    same = hall_t(1.0, 5, 0.0, 0.0)
    assert same is not None
    assert (same.low, same.high) == (1.0, 1.0)


def test_a_higher_level_is_wider() -> None:
    assert of(X, level=0.99).high > of(X).high
    assert of(X, level=0.99).low < of(X).low


def test_coverage_on_skewed_surprises(rng: np.random.Generator) -> None:
    """Overconfident forecasts, n = 20: the plain t interval covers about 85 %, Hall's about 95 %."""
    z = rng.logistic(size=400_000) * 2
    y = rng.random(len(z)) < 1 / (1 + np.exp(-z))
    s = np.logaddexp(0, np.where(y, -3 * z, 3 * z))
    truth = s.mean()
    samples = s[: 20 * 3000].reshape(3000, 20)
    covered = sum(1 for x in samples if (i := of(x)).low <= truth <= i.high)
    assert 0.92 < covered / 3000 < 0.98
