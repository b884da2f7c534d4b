"""Several differences at once: bands that hold together, and p-values that allow for having looked at all of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.errors import UsageError
from logloss.multiplicity.maxima import draws_of
from logloss.plain import jsonable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]
    Whole = NDArray[np.int64]

__all__ = ["Simultaneous", "simultaneous", "simultaneous_of"]

DRAWS = 20_000
SAME = 1e-13  # of the mean size of a difference: what rounding makes of a standard error of 0


@dataclass(frozen=True, eq=False)
class Simultaneous:
    """Bands of m differences that hold all at once with probability `level`.

    Attributes
    ----------
    mean, standard_error, low, high
        In the unit of the differences, shape (m,); the band is mean - c e to mean + c e.
    p_single
        Adjusted p-values, shape (m,): how often the largest of all statistics would be as large were there no
        differences. Below 1 - level where the band excludes 0.
    p_step_down
        The same, each among those that are left once more certain ones are settled (Romano and Wolf): never larger.
    critical
        c, in standard errors.
    level_each
        The level at which each interval by itself must be taken for all to hold together at `level`.
    freedom
        Degrees of freedom of each statistic.
    level
        What the bands aim at.
    """

    mean: Float
    standard_error: Float
    low: Float
    high: Float
    p_single: Float
    p_step_down: Float
    critical: float
    level_each: float
    freedom: float
    level: float

    def to_dict(self) -> dict[str, Any]:
        """Return the bands for JSON."""
        names = ("mean", "standard_error", "low", "high", "p_single", "p_step_down")
        state: dict[str, Any] = {name: getattr(self, name).tolist() for name in names}
        rest = {name: getattr(self, name) for name in ("critical", "level_each", "freedom", "level")}
        return dict(jsonable({**state, **rest}))


def simultaneous(
    differences: Float,
    weight: Float,
    *,
    cluster: Whole | None = None,
    period: Whole | None = None,
    level: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> Simultaneous | None:
    """Return bands for the means of m columns of differences; None for fewer than two rows, clusters or periods.

    With the correlation R of the m means, the largest |Z| of Z ~ N(0, R) tells how far the worst of them strays. Each
    |Z| stands for Student's t of the same probability, with n - 1 degrees of freedom (clusters - 1; in time those of the
    spectral estimate), so that for one difference the band is the t interval.

    Rows: the sample covariance. Clusters: the jackknife over clusters. Time: the mean product of the first
    0.4 T^(2/3) cosine transforms.

    Parameters
    ----------
    differences
        Nats, shape (n, m), finite: to a reference, or of all pairs.
    weight
        Shape (n,); rows of weight 0 count nowhere.
    cluster, period
        Position of each row's cluster or point in time, shape (n,); one of them, or neither.

    Raises
    ------
    UsageError
        For a level or a number of draws out of range, differences that are not finite, both a cluster and a period.

    Examples
    --------
    >>> import numpy as np
    >>> d = np.random.default_rng(0).normal(size=(400, 3)) + [0, 0, 0.3]
    >>> found = simultaneous(d, np.ones(400))
    >>> (found.low > 0).tolist(), 1.96 < found.critical < 2.5
    ([False, False, True], True)

    References
    ----------
    Hothorn, Bretz, Westfall (2008), Simultaneous inference in general parametric models, Biometrical J. 50:346-363;
    Romano and Wolf (2005), Stepwise multiple testing as formalized data snooping, Econometrica 73:1237-1282; Lazarus,
    Lewis, Stock, Watson (2018), HAR inference, J. Bus. Econ. Stat. 36:541-559.
    """
    if not np.isfinite(differences).all():
        raise UsageError(
            "infinite-in-set",
            "Differences are not all finite.",
            cure="Leave forecasts out whose mean loss is infinite: of them it is plain which is worse.",
        )
    if cluster is not None and period is not None:
        raise UsageError(
            "cluster-or-period",
            "Rows have both a cluster and a period; units of one kind are drawn.",
            cure="Give the one within which rows depend on each other.",
        )
    if not weight.all():
        keep = weight > 0
        differences, weight = differences[keep], weight[keep]
        cluster, period = (None if at is None else at[keep] for at in (cluster, period))
    if not len(weight):
        return None
    mass = float(weight.sum())
    mean = (weight[:, None] * differences).sum(axis=0) / mass
    parts = weight[:, None] * (differences - mean)
    found = _influences(parts, weight, cluster, period)
    if found is None:
        return None
    influence, freedom = found
    covariance = np.einsum("gi,gj->ij", influence, influence)
    floor = SAME * (weight[:, None] * np.abs(differences)).sum(axis=0) / mass
    return simultaneous_of(
        mean, covariance, freedom=freedom, level=level, draws=draws, seed=seed, floor=floor
    )


def _influences(
    parts: Float, weight: Float, cluster: Whole | None, period: Whole | None
) -> tuple[Float, float] | None:
    """Return vectors (g, m) whose products sum to the covariance of the means, and its degrees of freedom."""
    mass = weight.sum()
    if period is not None:
        from scipy.fft import dct

        sums = np.column_stack([np.bincount(period, column) for column in (*parts.T, weight)])
        sums = sums[sums[:, -1] > 0, :-1]
        T = len(sums)
        if T < 2:
            return None
        nu = min(T - 1, max(1, int(0.4 * T ** (2 / 3))))
        waves = dct(sums, type=2, axis=0)[1 : nu + 1] / 2
        return np.asarray(math.sqrt(2 / nu) / mass * waves), float(nu)
    if cluster is None:
        n = len(weight)
        return None if n < 2 else (math.sqrt(n / (n - 1)) / mass * parts, n - 1.0)
    sums = np.column_stack([np.bincount(cluster, column) for column in (*parts.T, weight)])
    sums = sums[sums[:, -1] > 0]
    G = len(sums)
    if G < 2:
        return None
    left_out = -sums[:, :-1] / (mass - sums[:, -1:])  # the mean without each cluster, less the mean
    return math.sqrt((G - 1) / G) * (left_out - left_out.mean(axis=0)), G - 1.0


def simultaneous_of(
    mean: Float,
    covariance: Float,
    *,
    freedom: float = math.inf,
    level: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
    floor: Float | float = 0.0,
) -> Simultaneous:
    """Return bands for m differences of which the means (m,) and their covariance (m, m) are known.

    Parameters
    ----------
    freedom
        Degrees of freedom of the standard errors; infinite where these are known.
    floor
        Standard errors, one or one of each, up to which one is taken for 0: that difference is what it is.
    """
    if not 0 < level < 1:
        raise UsageError(
            "bad-level",
            f"level is {level}, but it is a probability.",
            cure="Give one between 0 and 1, such as 0.95.",
        )
    if draws < 100:
        raise UsageError("bad-count", f"draws is {draws}.", cure="Draw 100 or more.")
    from scipy.special import ndtr, ndtri, stdtr, stdtrit

    error = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    error = np.where(error <= floor, 0.0, error)
    loose = np.flatnonzero(error > 0)
    p_single, p_step = np.where(mean == 0, 1.0, 0.0), np.where(mean == 0, 1.0, 0.0)
    critical, each = 0.0, level
    if len(loose):
        R = covariance[np.ix_(loose, loose)] / np.outer(error[loose], error[loose])
        # |t| as the normal deviate of the same probability, by the lower tail, which does not round to 1
        t = -np.abs(mean[loose] / error[loose])
        z = -ndtri(stdtr(freedom, t)) if math.isfinite(freedom) else -t
        p_single[loose], p_step[loose], c = _counted(np.asarray(z), R, level, draws, seed)
        tail = float(ndtr(-c))
        each, critical = 1 - 2 * tail, -float(stdtrit(freedom, tail)) if math.isfinite(freedom) else c
    reach = critical * error
    return Simultaneous(
        mean, error, mean - reach, mean + reach, p_single, p_step, critical, each, freedom, level
    )


def _counted(z: Float, correlation: Float, level: float, draws: int, seed: int) -> tuple[Float, Float, float]:
    """Return p-values of z (m,), single-step and step-down, and the `level` quantile of the largest."""
    order = np.argsort(-z, kind="stable")
    ranked = z[order] * (1 - 1e-9)
    single, step, largest = np.ones(len(z)), np.ones(len(z)), []
    for piece in draws_of(correlation[np.ix_(order, order)], draws, seed):
        left = np.maximum.accumulate(piece[:, ::-1], axis=1)[
            :, ::-1
        ]  # the largest of each and those less certain
        step += (left >= ranked).sum(axis=0)
        single += (left[:, :1] >= ranked).sum(axis=0)
        largest.append(left[:, 0])
    p_single, p_step = np.empty(len(z)), np.empty(len(z))
    p_single[order] = single / (1 + draws)
    p_step[order] = np.maximum.accumulate(step) / (1 + draws)
    return p_single, p_step, float(np.quantile(np.concatenate(largest), level))
