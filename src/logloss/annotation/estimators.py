"""Estimates of a mean over a whole file from the rows that were drawn from it. Arrays in, numbers out.

s is the surprise of a drawn row, H what its forecast expects it to be (its entropy). H is known for all rows; as far as
s follows H, knowing its mean over the file makes the estimate surer.

References
----------
Cochran (1977), Sampling Techniques, 3rd ed., chapters 2 and 7. Särndal, Swensson and Wretman (1992), Model Assisted
Survey Sampling. Angelopoulos, Duchi and Zrnic (2023), PPI++, arXiv:2311.01453: the regression estimate is its form
for a finite population.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from logloss.interval import Interval, hall_t

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]

__all__ = ["Drawn", "Estimated", "half_width", "labels_for"]


@dataclass(frozen=True)
class Estimated:
    """An estimate of the mean surprise, in nats.

    Attributes
    ----------
    mean
        The estimate.
    standard_error, low, high
        Of the mean of this file; None where too few rows are known.
    population_low, population_high
        The same for the population that the file itself was drawn from.
    """

    mean: float
    standard_error: float | None = None
    low: float | None = None
    high: float | None = None
    population_low: float | None = None
    population_high: float | None = None


@dataclass(frozen=True, eq=False)
class Drawn:
    """The rows drawn from a file: all arrays of shape (n,).

    Attributes
    ----------
    s, H, weight
        Surprise, entropy and weight of the drawn rows.
    rows, expected, total_weight
        Of the whole file: its rows, the weighted mean of H, the sum of weights.
    inclusion
        The probability with which each drawn row was to be drawn; None where all had the same.
    """

    s: Float
    H: Float
    weight: Float
    rows: int
    expected: float
    total_weight: float
    inclusion: Float | None = None

    @property
    def share(self) -> Float:
        """What each row counts for: weight over inclusion probability, in sum 1."""
        counts = self.weight if self.inclusion is None else self.weight / self.inclusion
        return np.asarray(counts / counts.sum())

    def slope(self) -> float:
        """Return cov(s, H) / var(H), weighted; 0 where H does not vary."""
        share = self.share
        d = self.H - float((share * self.H).sum())
        spread = float((share * d * d).sum())
        return float((share * d * self.s).sum()) / spread if spread > 1e-24 else 0.0

    def correlation(self) -> float | None:
        """Return the weighted correlation of s and H; None where one does not vary."""
        share = self.share
        d, e = self.H - float((share * self.H).sum()), self.s - float((share * self.s).sum())
        both = math.sqrt(float((share * d * d).sum()) * float((share * e * e).sum()))
        return float((share * d * e).sum()) / both if both > 1e-24 else None

    def estimate(self, slope: float, level: float, *, spent: int = 1) -> Estimated:
        """Return mean(s) + slope (mean of H over the file - mean(H)), with its interval.

        A slope of 0 is the mean of the drawn rows, of 1 the difference estimator; of `slope()`, with `spent` 2, the
        regression estimator. With inclusion probabilities these are their Hajek forms.
        """
        share = self.share
        residual = self.s - slope * self.H
        centre = float((share * residual).sum())
        return self._around(centre + slope * self.expected, residual - centre, level, spent)

    def horvitz_thompson(self, level: float) -> Estimated:
        """Return mean H over the file + sum w (s - H) / pi / sum of all weights: unbiased for any pi > 0."""
        assert self.inclusion is not None
        excess = self.s - self.H
        mean = self.expected + float((self.weight * excess / self.inclusion).sum()) / self.total_weight
        return self._around(mean, excess, level, 0, self.weight / self.inclusion / self.total_weight)

    def _around(
        self, mean: float, residual: Float, level: float, spent: int, share: Float | None = None
    ) -> Estimated:
        """Return the interval of sum of share times residual, the residuals having been chosen at random."""
        n = len(residual)
        share = self.share if share is None else share
        left = 1.0 - n / self.rows if self.inclusion is None else 1.0 - self.inclusion
        u = n * share * residual * np.sqrt(np.maximum(left, 0.0))
        found = hall_t(mean, n, float((u**2).sum()), float((u**3).sum()), level=level, spent=spent)
        if found is None:
            return Estimated(mean)
        drawn = self._file_as_sample(mean, level)
        return Estimated(
            mean,
            found.standard_error,
            max(0.0, found.low),
            found.high,
            max(0.0, mean - math.hypot(mean - found.low, mean - drawn.low)),
            mean + math.hypot(found.high - mean, drawn.high - mean),
        )

    def _file_as_sample(self, mean: float, level: float) -> Interval:
        """Return the interval that the mean of the whole file would have, were all its rows labelled."""
        n, share = len(self.s), self.share
        counts = np.full(n, 1.0 / n) if self.inclusion is None else 1.0 / self.inclusion
        counts = counts / counts.sum()
        weight = self.weight / float((counts * self.weight).sum())
        v = np.sqrt(n * counts) * weight * (self.s - float((share * self.s).sum()))
        second, third = float((v**2).sum()), float((v**3).sum())
        return hall_t(mean, n, second, third, level=level, scale=math.sqrt(self.rows / n)) or Interval(
            mean, 0.0, mean, mean
        )


def half_width(deviation: float, n: int, rows: int, level: float = 0.95, spent: int = 1) -> float:
    """Return t sqrt(1/n - 1/N) times the standard deviation: half the interval of n rows of N (Cochran 1977, 2.8).

    >>> round(half_width(0.8, 500, 12_500), 6)
    0.068872
    """
    from scipy.special import stdtrit

    q = float(stdtrit(n - spent, 0.5 + level / 2))
    return q * deviation * math.sqrt(max(1.0 / n - 1.0 / rows, 0.0))


def labels_for(width: float, deviation: float, rows: int, level: float = 0.95, spent: int = 1) -> int:
    """Return the fewest labelled rows whose interval is at most `width` wide in all (twice the half-width)."""
    low, high = spent + 1, max(rows, spent + 1)  # the width falls with n
    while low < high:
        middle = (low + high) // 2
        if 2 * half_width(deviation, middle, rows, level, spent) <= width:
            high = middle
        else:
            low = middle + 1
    return min(low, rows)
