from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2

from logloss import LoglossError
from logloss.dependence.series import diebold_mariano, lag_one, of_series, reason

# Twelve differences: the intermediate values below were computed with 60-digit arithmetic.
D = np.array([0.1, 0.3, 0.2, -0.1, 0.0, 0.4, 0.2, 0.1, -0.2, 0.3, 0.1, 0.2])
ONES, TIME = np.ones(12), np.arange(12)


@st.composite
def series(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return values, weights (some 0) and periods (some shared) that are not all alike."""
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    n = draw(st.integers(30, 80))
    period = np.sort(random.integers(0, draw(st.integers(16, 60)), n))
    weight = random.choice([0.0, 0.5, 1.0, 2.0], n, p=[0.1, 0.3, 0.3, 0.3])
    return random.normal(0.1, 1.0, n), weight, period


def textbook(x: np.ndarray) -> tuple[int, float]:
    """Return nu and Omega of one value per period, term by term."""
    T = len(x)
    nu = max(1, math.floor(0.4 * T ** (2 / 3)))
    t = np.arange(1, T + 1)
    terms = [
        math.sqrt(2 / T) * float((x * np.cos(math.pi * j * (t - 0.5) / T)).sum()) for j in range(1, nu + 1)
    ]
    return nu, float(np.mean(np.square(terms)))


def test_the_worked_example() -> None:
    found = of_series(D, ONES, TIME)
    assert found is not None
    assert found.mean == pytest.approx(2 / 15, rel=1e-14)
    assert found.standard_error == pytest.approx(0.011717990767717953, rel=1e-13)
    assert 12 * found.standard_error**2 == pytest.approx(0.0016477356915878776, rel=1e-13)
    reach = 4.3026527297494637 * 0.011717990767717953  # the .975 quantile of t with nu = 2 degrees of freedom
    assert (found.low, found.high) == pytest.approx((2 / 15 - reach, 2 / 15 + reach), rel=1e-12)


@pytest.mark.parametrize("T", [8, 11, 12, 97, 400])
def test_cosine_transforms_term_by_term(T: int, rng: np.random.Generator) -> None:
    x = rng.normal(size=T).cumsum()
    nu, omega = textbook(x)
    found = of_series(x, np.ones(T), np.arange(T))
    assert found is not None
    assert found.standard_error == pytest.approx(math.sqrt(omega / T), rel=1e-9)
    from scipy.special import stdtrit

    assert found.high - found.mean == pytest.approx(
        float(stdtrit(nu, 0.975)) * math.sqrt(omega / T), rel=1e-9
    )


def test_the_p_value_is_where_the_interval_touches_zero() -> None:
    found = of_series(D - 0.1, ONES, TIME)
    assert found is not None
    assert found.p_value is not None
    assert 0.01 < found.p_value < 0.5
    touching = of_series(D - 0.1, ONES, TIME, level=1 - found.p_value)
    assert touching is not None
    assert touching.low == pytest.approx(0, abs=1e-12)


def test_a_period_counts_by_its_weight() -> None:
    """Three rows of a period stand for one of three times the weight: sums, not means, are the series."""
    values = np.append(np.repeat(D, 1), [D[4], D[4]])
    found = of_series(values, np.ones(14), np.append(TIME, [4, 4]))
    weight = ONES.copy()
    weight[4] = 3
    mean = float((weight * D).sum() / 14)
    _, omega = textbook(weight * (D - mean) / weight.mean())
    assert found is not None
    assert found.mean == pytest.approx(mean, rel=1e-13)
    assert found.standard_error == pytest.approx(math.sqrt(omega / 12), rel=1e-10)


@given(series())
def test_laws(case: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    values, weight, period = case
    found = of_series(values, weight, period)
    assert found is not None

    def near(other: object, scale: float = 1.0, shift: float = 0.0) -> None:
        assert other is not None
        got = (other.mean, other.standard_error, other.low, other.high)  # type: ignore[attr-defined]
        want = [
            scale * found.mean + shift,
            abs(scale) * found.standard_error,
            *sorted((scale * found.low + shift, scale * found.high + shift)),
        ]
        assert got == pytest.approx(want, rel=1e-9, abs=1e-9)

    near(of_series(-3 * values, weight, period), scale=-3)
    near(of_series(values + 2.5, weight, period), shift=2.5)
    near(of_series(values, 7 * weight, period))
    near(of_series(values, weight, 5 * period - 3))  # only their order matters
    near(of_series(values, weight, 86_400 * period + 1_700_000_000))
    order = np.random.default_rng(1).permutation(len(values))
    near(of_series(values[order], weight[order], period[order]))
    alive = weight > 0
    near(of_series(values[alive], weight[alive], period[alive]))
    near(of_series(values[::-1], weight[::-1], (period.max() - period)[::-1]))  # time runs backwards


def test_diebold_mariano_of_the_worked_example() -> None:
    found = diebold_mariano(D, ONES, TIME, horizon=2)
    assert found is not None
    assert found.statistic == pytest.approx(3.3772682147054009, rel=1e-12)
    assert found.corrected == pytest.approx(2.9517573218556963, rel=1e-12)
    assert (found.lags, found.periods) == (1, 12)
    from scipy.stats import t

    assert found.p_value == pytest.approx(2 * t.sf(2.9517573218556963, 11), rel=1e-12)


@given(series())
def test_one_step_ahead_the_correction_makes_it_students_t(
    case: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    values = case[0]
    T = len(values)
    found = diebold_mariano(values, np.ones(T), np.arange(T))
    assert found is not None
    assert found.corrected == pytest.approx(found.statistic * math.sqrt((T - 1) / T), rel=1e-12)
    from scipy.stats import ttest_1samp

    test = ttest_1samp(values, 0.0)
    assert found.corrected == pytest.approx(test.statistic, rel=1e-9)
    assert found.p_value == pytest.approx(test.pvalue, rel=1e-6)


def test_a_variance_that_is_not_positive_is_told() -> None:
    x = np.resize([1.0, -1.0], 20) + 0.1  # g_1 = -19/20 g_0, so g_0 + 2 g_1 < 0
    assert diebold_mariano(x, np.ones(20), np.arange(20), horizon=2) is None
    why = reason(x, np.ones(20), np.arange(20), horizon=2)
    assert why is not None
    assert "not positive" in why
    assert reason(x, np.ones(20), np.arange(20), horizon=1) is None
    assert of_series(x, np.ones(20), np.arange(20)) is not None
    assert reason(x, np.ones(20), np.arange(20)) is None


def test_short_series() -> None:
    seven = D[:7], np.ones(7), np.arange(7)
    assert of_series(*seven) is None
    assert reason(*seven) == "7 points in time are too few: 8 are needed"
    assert of_series(D[:8], np.ones(8), np.arange(8)) is not None
    dead = np.where(np.arange(8) < 7, 1.0, 0.0)  # the eighth point has no weight
    assert of_series(D[:8], dead, np.arange(8)) is None
    assert diebold_mariano(*seven, horizon=7) is None
    assert reason(*seven, horizon=7) == "7 points in time are too few for a horizon of 7"
    assert diebold_mariano(*seven, horizon=6) is not None or "not positive" in str(reason(*seven, horizon=6))
    nothing = np.empty(0), np.empty(0), np.empty(0, dtype=np.int64)
    assert of_series(*nothing) is None
    assert diebold_mariano(*nothing) is None


@pytest.mark.parametrize("horizon", [0, -3])
def test_a_horizon_is_ahead(horizon: int) -> None:
    with pytest.raises(LoglossError, match="not a number of steps ahead") as caught:
        diebold_mariano(D, ONES, TIME, horizon=horizon)
    assert caught.value.slug == "horizon"


def test_forecasts_alike_on_every_row() -> None:
    found = of_series(np.zeros(20), np.ones(20), np.arange(20))
    assert found is not None
    assert (found.mean, found.low, found.high, found.p_value) == (0, 0, 0, 1)
    assert diebold_mariano(np.zeros(20), np.ones(20), np.arange(20)) is None


def test_neighbours_alike(rng: np.random.Generator) -> None:
    noise = rng.normal(size=400)
    assert not lag_one(noise).clear
    walk = np.convolve(noise, [1.0, 0.8], mode="valid")  # moving average: correlation .8 / 1.64
    found = lag_one(walk)
    assert found.correlation == pytest.approx(0.8 / 1.64, abs=0.1)
    assert found.error == pytest.approx(1 / math.sqrt(399))
    assert found.clear
    assert not lag_one(-np.resize([1.0, -1.0], 50)).clear  # alternating: rows say more than they seem to
    assert lag_one(np.array([1.0, 3.0, 2.0, 6.0])).correlation == pytest.approx((0 + 0 - 3) / 14)
    for values in (np.empty(0), np.ones(2), np.ones(50)):
        assert lag_one(values).correlation == 0
        assert not lag_one(values).clear


def test_a_drift_hides_in_noise_but_not_in_means(rng: np.random.Generator) -> None:
    """Lag one hardly sees it: most of the variance of a row is its own."""
    drift = np.convolve(rng.normal(size=1015), np.full(16, 0.08), mode="valid")
    found = lag_one(drift + rng.normal(size=1000))
    assert not found.correlation > 3 * found.error + 0.05
    assert found.inflation > 1.8
    assert found.clear


def test_means_of_neighbours_by_hand() -> None:
    x = np.arange(
        100.0
    )  # ten blocks of ten; sums 45, 145, ..., 945, their variance 100^2 (100 - 1) / 12 / .9
    found = lag_one(x)
    assert found.inflation == pytest.approx((100**2 * 99 / 12 / 0.9 / 10) / (100 * 101 / 12), rel=1e-12)
    from scipy.stats import chi2

    assert found.chance == pytest.approx(chi2.sf(9 * found.inflation, 9), rel=1e-9)


def test_independent_rows_are_seldom_called_alike(rng: np.random.Generator) -> None:
    """Skewed values too: in 2,000 data sets about a dozen at most."""
    alarms = sum(
        lag_one(rng.exponential(size=n) ** power).clear
        for n in (150, 1000)
        for power in (1, 2)
        for _ in range(500)
    )
    assert alarms <= 20


def test_a_million_points_are_quick(rng: np.random.Generator) -> None:
    n = 1_000_003  # a prime: no transform of convenient length
    found = of_series(rng.normal(size=n), np.ones(n), np.arange(n))
    assert found is not None
    assert found.standard_error == pytest.approx(1e-3, rel=0.1)


def test_chance_is_that_of_independent_rows() -> None:
    # Sums of 30 of 900 independent normal values: 29 degrees of freedom, so that chance is uniform.
    rng = np.random.default_rng(3)
    chance = np.sort([lag_one(rng.normal(size=900)).chance for _ in range(1500)])
    assert np.abs(chance - np.arange(0.5, 1500) / 1500).max() < 1.5 / math.sqrt(1500)
    values = rng.normal(size=905)
    sums, deviations = (values - values.mean())[:900].reshape(30, 30).sum(axis=1), values - values.mean()
    ratio = ((sums - sums.mean()) ** 2).sum() / 30 / ((deviations**2).sum() / 904)
    assert lag_one(values).chance == pytest.approx(float(chi2.sf(ratio, 29)), rel=1e-9)


def test_what_rounding_makes_of_a_constant_is_not_alike() -> None:
    assert not lag_one(np.full(20_000, -math.log(0.9) + math.log(0.5))).clear


def test_seconds_since_1970_are_points_in_time_like_any_other() -> None:
    values, weight = np.random.default_rng(0).normal(size=40), np.ones(40)
    found, expected = (
        of_series(values, weight, 1_700_000_000 * np.arange(1, 41)),
        of_series(values, weight, np.arange(40)),
    )
    assert found == expected
