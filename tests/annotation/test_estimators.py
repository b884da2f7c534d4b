"""Means from some rows: reference values, laws, and what the intervals cover. Values by 60-digit arithmetic."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from logloss.annotation.estimators import Drawn, half_width, labels_for

S, H = np.array([0.2, 0.9, 0.4, 1.5]), np.array([0.3, 0.6, 0.4, 0.69])


def drawn(s=S, H=H, rows=10, expected=0.52, weight=None, inclusion=None):
    weight = np.ones(len(s)) if weight is None else weight
    return Drawn(np.asarray(s, float), np.asarray(H, float), weight, rows, expected, float(rows), inclusion)


def test_the_correction_for_a_finite_file() -> None:
    # sqrt(1 - 500 / 12500) = 0.97979589711327124
    ratio = half_width(1.0, 500, 12_500) / half_width(1.0, 500, 10**15)
    assert ratio == pytest.approx(0.97979589711327124, rel=1e-12)


def test_half_width_of_500_of_12_500() -> None:
    assert half_width(0.8, 500, 12_500) == pytest.approx(0.06887210283759005, rel=1e-12)


def test_regression_and_difference_of_the_worked_example() -> None:
    sample = drawn()
    assert sample.slope() == pytest.approx(3.1485818371064273, rel=1e-13)
    assert sample.estimate(sample.slope(), 0.95, spent=2).mean == pytest.approx(
        0.82084309133489461, rel=1e-13
    )
    assert sample.estimate(1.0, 0.95).mean == pytest.approx(0.7725, rel=1e-14)
    assert sample.estimate(0.0, 0.95).mean == pytest.approx(0.75, rel=1e-15)


def test_standard_error_of_the_regression_by_least_squares() -> None:
    sample = drawn()
    design = np.column_stack([np.ones(4), H])
    _, squares, _, _ = np.linalg.lstsq(design, S)
    expected = math.sqrt(float(squares[0]) / 2 * (1 / 4 - 1 / 10))
    found = sample.estimate(sample.slope(), 0.95, spent=2)
    assert found.standard_error == pytest.approx(expected, rel=1e-10)


def test_the_mean_of_the_labelled_rows_has_halls_interval_shrunk_to_the_file() -> None:
    # Hall-t of these values with 50 digits: (0.085118536914597367, 2.8967814293404628) about 0.54375.
    x = np.array([0.05, 0.1, 0.1, 0.2, 0.3, 0.4, 0.7, 2.5])
    found = drawn(x, np.zeros(8), rows=32).estimate(0.0, 0.95)
    shrink = math.sqrt(1 - 8 / 32)
    low, high = 0.54375 - 0.085118536914597367, 2.8967814293404628 - 0.54375
    assert (found.mean - found.low, found.high - found.mean) == pytest.approx(
        (shrink * low, shrink * high), rel=1e-10
    )
    assert (found.population_low, found.population_high) == pytest.approx(
        (0.54375 - low, 0.54375 + high), rel=1e-10
    )


def test_a_file_labelled_wholly_is_known_and_its_population_is_not() -> None:
    found = drawn(rows=4, expected=float(H.mean())).estimate(0.0, 0.95)
    assert found.low == found.high == pytest.approx(0.75, rel=1e-15)
    assert found.population_low < 0.75 < found.population_high


def test_too_few_rows_have_no_interval() -> None:
    assert drawn(S[:1], H[:1]).estimate(0.0, 0.95).low is None
    assert drawn(S[:2], H[:2]).estimate(0.5, 0.95, spent=2).low is None
    assert drawn(S[:2], H[:2]).estimate(0.0, 0.95).low is not None


def test_entropies_that_do_not_vary_help_nothing() -> None:
    flat = drawn(H=np.full(4, 0.5))
    assert flat.slope() == 0.0
    assert flat.correlation() is None


def test_weights_count_rows_several_times() -> None:
    weight = np.array([1.0, 3.0, 2.0, 1.0])
    many = np.repeat(np.arange(4), weight.astype(int))
    a, b = drawn(weight=weight), drawn(S[many], H[many])
    assert a.slope() == pytest.approx(b.slope(), rel=1e-12)
    assert a.correlation() == pytest.approx(b.correlation(), rel=1e-12)
    for slope in (0.0, 0.7, 1.0):
        assert a.estimate(slope, 0.95).mean == pytest.approx(b.estimate(slope, 0.95).mean, rel=1e-12)


@given(st.floats(1e-3, 1e3), st.integers(4, 60))
def test_the_scale_of_the_weights_does_not_matter(scale: float, n: int) -> None:
    rng = np.random.default_rng(n)
    s, h, w = rng.exponential(size=n), rng.random(n), 0.5 + rng.random(n)
    a = drawn(s, h, rows=100, weight=w).estimate(0.4, 0.9)
    b = drawn(s, h, rows=100, weight=scale * w).estimate(0.4, 0.9)
    assert (b.mean, b.low, b.high) == pytest.approx((a.mean, a.low, a.high), rel=1e-9)


def test_labels_for_is_the_fewest() -> None:
    needed = labels_for(0.1, 0.8, 12_500)
    assert 2 * half_width(0.8, needed, 12_500) <= 0.1 < 2 * half_width(0.8, needed - 1, 12_500)
    # by hand: 1 / (1 / 12500 + (0.05 / (1.9625 * 0.8))^2) = 914.1, with t instead of the normal quantile
    assert needed == pytest.approx(914, abs=1)
    assert labels_for(1e-9, 0.8, 12_500) == 12_500


def test_poisson_estimates_by_their_definition() -> None:
    pi, d = np.array([0.5, 0.2, 0.8, 0.1]), S - H
    sample = drawn(inclusion=pi, rows=10)
    plain = sample.horvitz_thompson(0.95)
    assert plain.mean == pytest.approx(0.52 + (d / pi).sum() / 10, rel=1e-13)
    assert plain.standard_error**2 == pytest.approx(((1 - pi) / pi**2 * d**2).sum() / 100, rel=1e-12)
    hajek = sample.estimate(1.0, 0.95)
    centre = (d / pi).sum() / (1 / pi).sum()
    assert hajek.mean == pytest.approx(0.52 + centre, rel=1e-13)
    variance = ((1 - pi) / pi**2 * (d - centre) ** 2).sum() / (1 / pi).sum() ** 2
    assert hajek.standard_error**2 == pytest.approx(variance * 4 / 3, rel=1e-12)


def forecasts(rng: np.random.Generator, rows: int, sharper: float):
    """Return surprise, entropy and the deviation that the forecast expects, of logits `sharper` times too extreme."""
    z = rng.normal(-1, 2, rows)
    y = rng.random(rows) < expit(z)
    f = sharper * z
    p = expit(f)
    s, h = np.logaddexp(0, np.where(y, -f, f)), p * np.logaddexp(0, -f) + (1 - p) * np.logaddexp(0, f)
    return s, h, np.abs(f) * np.sqrt(p * (1 - p))


@pytest.mark.parametrize("sharper", [1.0, 3.0])
def test_the_regression_interval_covers_the_files_loss(sharper: float, rng: np.random.Generator) -> None:
    s, h, _ = forecasts(rng, 3000, sharper)
    truth, covered, errors = s.mean(), 0, []
    for _ in range(800):
        at = rng.choice(3000, 200, replace=False)
        sample = drawn(s[at], h[at], rows=3000, expected=float(h.mean()))
        found = sample.estimate(sample.slope(), 0.95, spent=2)
        covered += found.low <= truth <= found.high
        errors.append((found.mean - truth, found.standard_error))
    assert 0.92 < covered / 800 < 0.985
    deviation, stated = np.std([e for e, _ in errors]), np.sqrt(np.mean([e**2 for _, e in errors]))
    assert stated == pytest.approx(deviation, rel=0.12)


def test_unequal_draws_give_an_unbiased_estimate_whatever_the_forecasts_do(rng: np.random.Generator) -> None:
    s, h, deviation = forecasts(rng, 2000, 1.6)
    pi = 100 * (0.5 + 0.5 * deviation / deviation.mean()) / 2000
    found = []
    for _ in range(3000):
        at = np.flatnonzero(rng.random(2000) < pi)
        sample = drawn(s[at], h[at], rows=2000, expected=float(h.mean()), inclusion=pi[at])
        found.append(sample.horvitz_thompson(0.95))
    means, errors = np.array([f.mean for f in found]), np.array([f.standard_error for f in found])
    assert abs(means.mean() - s.mean()) < 3.5 * means.std() / math.sqrt(3000)
    exact = math.sqrt(float(((1 - pi) / pi * (s - h) ** 2).sum())) / 2000
    assert means.std() == pytest.approx(exact, rel=0.06)
    assert np.sqrt((errors**2).mean()) == pytest.approx(exact, rel=0.06)
    covered = np.mean([f.low <= s.mean() <= f.high for f in found])
    assert 0.92 < covered < 0.98
