"""Mean paired differences of forecasts made one after another: an interval that minds their autocorrelation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from logloss.errors import UsageError
from logloss.interval import Interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]
    Int = NDArray[np.int64]

__all__ = ["DieboldMariano", "LagOne", "diebold_mariano", "lag_one", "of_series", "reason"]

SAME = 1e-13  # of a value: what rounding makes of a deviation of 0
FEWEST = 8  # periods: below, not even the widest of these intervals covers what it says


@dataclass(frozen=True)
class DieboldMariano:
    """The classical test that two forecasts lose the same on average.

    Attributes
    ----------
    statistic
        Mean difference over its standard error from autocovariances up to horizon - 1 (Diebold and Mariano 1995).
    corrected
        The same times sqrt((T + 1 - 2 h + h (h - 1) / T) / T) (Harvey, Leybourne and Newbold 1997).
    p_value
        Two-sided, of `corrected` under Student's t with T - 1 degrees of freedom.
    lags
        Autocovariances beyond the variance that were added: horizon - 1.
    periods
        T, the points in time.
    """

    statistic: float
    corrected: float
    p_value: float
    lags: int
    periods: int


@dataclass(frozen=True)
class LagOne:
    """Whether rows that stand together are alike.

    Attributes
    ----------
    correlation, error
        Of each value with the one before, and its standard error were there none (1 / sqrt(n)).
    inflation, chance
        How much larger the variance of a mean of about sqrt(n) neighbours is than that of as many independent rows, and the
        probability that chance makes it so. It finds a slow drift that hides in the noise of single rows.
    """

    correlation: float
    error: float
    inflation: float = 1.0
    chance: float = 1.0

    @property
    def clear(self) -> bool:
        """Whether neighbours are alike by more than chance, and enough to matter to an interval."""
        alike = self.correlation > max(3 * self.error, 0.05)
        return alike or (self.chance < 0.001 and self.inflation > 1.25)


@dataclass(frozen=True, eq=False)
class _Series:
    """Deviations from the mean summed over each of T periods, shape (T,), in units of the value."""

    mean: float
    deviation: Float


def _series(values: Float, weight: Float, period: Int) -> _Series | None:
    if not weight.all():
        keep = weight > 0
        values, weight, period = values[keep], weight[keep], period[keep]
    if not len(values):
        return None
    code = period - period.min()
    if code.max() > 8 * len(code):  # far apart: seconds since 1970, say
        code = np.unique(period, return_inverse=True)[1]
    mean = float((weight * values).sum() / weight.sum())
    mass = np.bincount(code, weight)
    moved = np.bincount(code, weight * (values - mean))
    moved, mass = moved[mass > 0], mass[mass > 0]
    return _Series(mean, moved / float(mass.mean()))


def of_series(values: Float, weight: Float, period: Int, *, level: float = 0.95) -> Interval | None:
    """Return the weighted mean of values (n,) with its interval were they autocorrelated in time; None for a short series.

    The series x_t holds, for each of the T periods, the sum of weight times deviation from the mean over the mean
    weight of a period. Its long-run variance is the mean of the squares of its nu lowest cosine transforms (EWC):

        nu = max(1, floor(0.4 T^(2/3))),   L_j = sqrt(2/T) sum_t x_t cos(pi j (t - 1/2) / T),   O = mean L_j^2
        interval = mean -+ t_nu sqrt(O / T)

    Parameters
    ----------
    values
        Finite, nats, shape (n,).
    weight
        Shape (n,); rows of weight 0 count nowhere.
    period
        Each row's position in time, shape (n,). Only the order matters: periods are taken as one step apart.
    level
        Probability that the interval aims to cover.

    References
    ----------
    Lazarus, Lewis, Stock and Watson (2018), HAR inference: recommendations for practice, J. Bus. Econ. Stat. 36:541-559.
    """
    series = _series(values, weight, period)
    if series is None or len(series.deviation) < FEWEST:
        return None
    from scipy.fft import dct
    from scipy.special import stdtr, stdtrit

    T, mean = len(series.deviation), series.mean
    nu = max(1, math.floor(0.4 * T ** (2 / 3)))
    cosines = dct(series.deviation, type=2)[1 : nu + 1] / math.sqrt(2 * T)
    error = math.sqrt(float((cosines * cosines).mean()) / T)
    reach = float(stdtrit(nu, 0.5 + level / 2)) * error
    p_value = 2 * float(stdtr(nu, -abs(mean / error))) if error > 0 else 1.0 if mean == 0 else 0.0
    return Interval(mean, error, mean - reach, mean + reach, p_value)


def diebold_mariano(values: Float, weight: Float, period: Int, *, horizon: int = 1) -> DieboldMariano | None:
    """Return the classical test of a mean difference of 0; None where `reason` says why.

    With g_k the autocovariances of the series (sums over T) and h the horizon,

        DM = mean / sqrt((g_0 + 2 sum_{k<h} g_k) / T)

    It is reported to be compared with other work: the variance may come out negative, and it rejects too often in short
    series with a long horizon. `of_series` is what to rely on.

    Parameters
    ----------
    values, weight, period
        As for `of_series`.
    horizon
        Steps ahead that were forecast: 1 for the next period.

    References
    ----------
    Diebold and Mariano (1995), Comparing predictive accuracy, J. Bus. Econ. Stat. 13:253-263; Harvey, Leybourne and
    Newbold (1997), Testing the equality of prediction mean squared errors, Int. J. Forecasting 13:281-291.
    """
    if horizon < 1:
        raise UsageError(
            "horizon", f"A horizon of {horizon} is not a number of steps ahead.", cure="Give 1 or more."
        )
    series = _series(values, weight, period)
    if series is None or horizon >= len(series.deviation):
        return None
    from scipy.special import stdtr

    T = len(series.deviation)
    variance = _classical(series.deviation, horizon)
    if variance <= 0:
        return None
    statistic = series.mean / math.sqrt(variance / T)
    corrected = statistic * math.sqrt((T + 1 - 2 * horizon + horizon * (horizon - 1) / T) / T)
    return DieboldMariano(statistic, corrected, 2 * float(stdtr(T - 1, -abs(corrected))), horizon - 1, T)


def _classical(x: Float, horizon: int) -> float:
    """Return the variance of a difference's series: its own and twice each autocovariance below the horizon."""
    T = len(x)
    return float((x * x).sum() / T + 2 * sum(float((x[k:] * x[:-k]).sum()) for k in range(1, horizon)) / T)


def reason(values: Float, weight: Float, period: Int, *, horizon: int | None = None) -> str | None:
    """Return why `of_series`, or with a horizon `diebold_mariano`, gives nothing; None where it gives something."""
    series = _series(values, weight, period)
    T = 0 if series is None else len(series.deviation)
    if horizon is None:
        return f"{T} points in time are too few: {FEWEST} are needed" if T < FEWEST else None
    if series is None or horizon >= T:
        return f"{T} points in time are too few for a horizon of {horizon}"
    if _classical(series.deviation, horizon) <= 0:
        return "the classical estimate of the variance is not positive, which happens with its few autocovariances"
    return None


def lag_one(values: Float) -> LagOne:
    """Return how alike neighbours are among values (n,) in the order of time, or of a table."""
    n = len(values)
    if n < 3:
        return LagOne(0.0, math.inf)
    x = values - values.mean()
    square = float((x * x).sum())
    if square <= n * (SAME * float(np.abs(values).max())) ** 2:
        return LagOne(0.0, 1 / math.sqrt(n))
    correlation = float((x[1:] * x[:-1]).sum()) / square
    size = math.isqrt(n)
    blocks = n // size
    if blocks < 10:
        return LagOne(correlation, 1 / math.sqrt(n))
    from scipy.special import chdtrc

    sums = x[: blocks * size].reshape(blocks, size).sum(axis=1)
    inflation = float(sums.var(ddof=1)) / size / (square / (n - 1))
    chance = float(chdtrc(blocks - 1, (blocks - 1) * inflation))
    return LagOne(correlation, 1 / math.sqrt(n), inflation, chance)
