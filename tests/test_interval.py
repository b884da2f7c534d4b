from __future__ import annotations

import math

import numpy as np
import pytest

from logloss.interval import cr1, hall_t, of_clusters, of_rows

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


def test_rows_with_and_without_weights() -> None:
    equal = of_rows(X, np.full(8, 3.0))
    assert (equal.mean, equal.low, equal.high) == pytest.approx(
        (0.54375, 0.085118536914597367, 2.8967814293404628), rel=1e-10
    )
    # Weights 1..8 in exact arithmetic: sum w x = 30.15, mean = 30.15 / 36; then Hall's formula on w (x - mean) / 4.5.
    w = np.arange(1.0, 9.0)
    found = of_rows(X, w)
    assert found.mean == pytest.approx(30.15 / 36, rel=1e-14)
    u = w * (X - 30.15 / 36) / 4.5
    g = (u**3).mean() / (u**2).mean() ** 1.5
    n, q = 8, 2.3646242515927849  # the t quantile with 7 degrees of freedom

    def inverse(v: float) -> float:
        return 3 * math.sqrt(n) / g * (np.cbrt(1 + g * v / math.sqrt(n) - g**2 / (6 * n)) - 1)

    error = math.sqrt((u**2).sum() / (n - 1) / n)
    assert found.standard_error == pytest.approx(error, rel=1e-13)
    assert (found.low, found.high) == pytest.approx(
        (30.15 / 36 - error * inverse(q), 30.15 / 36 - error * inverse(-q)), rel=1e-10
    )


def test_rows_of_weight_0_are_no_rows() -> None:
    w = np.array([1.0, 0, 2, 1, 0, 1, 3, 1])
    assert of_rows(X, w) == of_rows(X[w > 0], w[w > 0])
    assert of_rows(np.append(X, np.inf), np.append(np.ones(8), 0)) == of_rows(X, np.ones(8))
    assert of_rows(X, np.zeros(8)) is None
    assert of_rows(X[:1], np.ones(1)) is None


# Four clusters with sums (3, 1.2, 4.4, 2) of 5, 3, 6 and 4 rows: mean and jackknife error with 50 digits.
SUMS, SIZES = (3.0, 1.2, 4.4, 2.0), (5, 3, 6, 4)


def test_clusters_by_the_jackknife() -> None:
    cluster = np.repeat(np.arange(4), SIZES)
    values = np.repeat(np.array(SUMS) / SIZES, SIZES)
    values += np.resize([0.5, -0.5, 0.0], 18) * (cluster == 2)  # within a cluster only the sum matters
    for weight in (np.ones(18), np.full(18, 0.25)):
        found = of_clusters(values, weight, cluster)
        assert found.mean == pytest.approx(0.58888888888888889, rel=1e-14)
        assert found.standard_error == pytest.approx(0.073800957178353524, rel=1e-12)
        reach = 3.1824463052842629 * 0.073800957178353524  # the t quantile with 3 degrees of freedom
        assert (found.low, found.high) == pytest.approx(
            (0.58888888888888889 - reach, 0.58888888888888889 + reach), rel=1e-12
        )


def test_weights_of_clusters_are_repeated_rows(rng: np.random.Generator) -> None:
    cluster, values = rng.integers(0, 6, 40), rng.exponential(size=40)
    times = rng.integers(0, 4, 40)
    a = of_clusters(values, times.astype(float), cluster)
    b = of_clusters(np.repeat(values, times), np.ones(times.sum()), np.repeat(cluster, times))
    assert (a.mean, a.standard_error) == pytest.approx((b.mean, b.standard_error), rel=1e-12)


def test_clusters_without_weight_are_no_clusters() -> None:
    values, cluster = np.array([1.0, 2, 3, 4]), np.array([0, 0, 2, 3])
    assert of_clusters(values, np.array([1.0, 1, 0, 0]), cluster) is None
    two = of_clusters(values, np.array([1.0, 1, 1, 0]), cluster)
    assert two.standard_error == pytest.approx(math.sqrt(0.5 * 2 * 0.75**2))  # left out: means 3 and 1.5


def test_the_robust_error_by_clusters() -> None:
    cluster = np.repeat(np.arange(4), SIZES)
    values = np.repeat(np.array(SUMS) / SIZES, SIZES)
    for weight in (np.ones(18), np.full(18, 0.25)):
        assert cr1(values, weight, cluster) == pytest.approx(0.070323426692801399, rel=1e-12)  # 50 digits
    assert math.isnan(cr1(values, (cluster == 2) * 1.0, cluster))
    assert math.isnan(cr1(values[:0], values[:0], cluster[:0]))


def test_clusters_of_equal_weight_are_their_means(rng: np.random.Generator) -> None:
    """Within a cluster only the sum matters, and as many draws as clusters were made: Hall's t of the means."""
    means = X - X.mean() + 0.54375
    cluster = np.repeat(np.arange(8), 6)
    values = np.repeat(means, 6) + np.tile([-1.0, 1, -2, 2, -3, 3], 8)
    # The interval of the worked example above, with weights that differ by row but not by cluster too.
    for weight in (np.ones(48), np.tile([0.5, 0.5, 1, 1, 3, 3], 8)):
        found = of_clusters(values, weight, cluster)
        assert (found.low, found.high) == pytest.approx((0.085118536914597367, 2.8967814293404628), rel=1e-9)
        assert found.standard_error == pytest.approx(cr1(values, weight, cluster), rel=1e-12)
    rows = rng.exponential(size=30)  # each row its own group
    assert of_clusters(rows, np.ones(30), np.arange(30)) == of_rows(rows, np.ones(30))


def test_the_error_does_not_jump_with_the_rule(rng: np.random.Generator) -> None:
    """Clusters of almost equal weight have another interval, the same standard error."""
    values, cluster, almost = rng.exponential(size=84), np.repeat(np.arange(12), 7), np.ones(84)
    almost[0] += 1e-6
    equal, unequal = (of_clusters(values, weight, cluster) for weight in (np.ones(84), almost))
    assert equal.standard_error == pytest.approx(unequal.standard_error, rel=1e-5)
    assert equal.high - equal.mean != pytest.approx(equal.mean - equal.low, rel=0.01)
    assert unequal.high - unequal.mean == pytest.approx(unequal.mean - unequal.low, rel=1e-9)


def test_rows_alike_within_clusters_need_the_jackknife(rng: np.random.Generator) -> None:
    """Twelve clusters of 20 rows that share half of their variance: rows cover far too little, clusters do not."""
    cluster = np.repeat(np.arange(12), 20)
    by_rows = by_clusters = 0
    for _ in range(400):
        x = rng.normal(size=12)[cluster] + rng.normal(size=240)
        by_rows += not (i := of_rows(x, np.ones(240))).low <= 0 <= i.high
        by_clusters += not (i := of_clusters(x, np.ones(240), cluster)).low <= 0 <= i.high
    assert by_rows / 400 > 0.4
    assert by_clusters / 400 < 0.08


def test_the_p_value_is_where_the_interval_touches_zero() -> None:
    """An interval of level 1 - p has its nearer end at 0, whichever side the mean is on."""
    for shift in (-0.2, 0.1, 0.4):
        x = X - shift
        p = of(x).p_value
        touching = of(x, level=1 - p)
        assert min(abs(touching.low), abs(touching.high)) == pytest.approx(0, abs=1e-9)


def test_the_p_value_without_skew_is_students_t() -> None:
    from scipy.stats import ttest_1samp

    x = np.array([1.0, 2.0, 3.0, 4.0, 5.0]) - 2.2
    assert of(x).p_value == pytest.approx(ttest_1samp(x, 0.0).pvalue, rel=1e-12)


def test_p_values_of_clusters_and_of_no_spread() -> None:
    assert hall_t(1.0, 5, 0.0, 0.0).p_value == 0
    assert hall_t(0.0, 5, 0.0, 0.0).p_value == 1
    values, cluster = np.array([0.1, 0.3, -0.2, 0.4, 0.5, -0.1]), np.array([0, 0, 1, 1, 2, 2])
    found = of_clusters(values, np.ones(6), cluster)
    touching = of_clusters(values, np.ones(6), cluster, level=1 - found.p_value)
    assert touching.low == pytest.approx(0, abs=1e-12)
