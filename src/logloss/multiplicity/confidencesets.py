"""The forecasts of which the best is one, with a stated confidence: the model confidence set."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.errors import UsageError
from logloss.multiplicity.bootstrap import gathered, replicates
from logloss.multiplicity.maxima import root
from logloss.plain import jsonable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]
    Whole = NDArray[np.int64]

__all__ = ["ConfidenceSet", "confidence_set", "confidence_set_of"]

DRAWS = 1000
SAME = 1e-13  # of the mean surprise: what rounding makes of a difference of 0
SAME_ERROR = 1e-7  # of the largest standard error, where all that is known is a covariance
EQUAL = 1e-9  # statistics as close as this are equal


@dataclass(frozen=True, eq=False)
class ConfidenceSet:
    """The set that holds the best forecast with probability `level`.

    Attributes
    ----------
    members
        Whether each forecast is in the set, in the order given.
    p_values
        Of "this one is among the best", shape (M,); those of at least 1 - level are in the set. Forecasts that cannot be told
        apart on any draw have one p-value.
    order
        Positions, in the order in which they were dropped; the last is the one that stayed.
    level
        The confidence.
    draws
        How many replicates the p-values are counted in: none is below 1 / (draws + 1).
    block
        Consecutive periods that were drawn together; None where time plays no part.
    """

    members: tuple[bool, ...]
    p_values: Float
    order: tuple[int, ...]
    level: float
    draws: int
    block: int | None = None

    def __len__(self) -> int:
        return sum(self.members)

    def to_dict(self) -> dict[str, Any]:
        """Return the set for JSON."""
        names = ("members", "order", "level", "draws", "block")
        state = {**{name: getattr(self, name) for name in names}, "p_values": self.p_values.tolist()}
        return dict(jsonable(state))


def confidence_set(
    surprise: Float,
    weight: Float,
    *,
    cluster: Whole | None = None,
    period: Whole | None = None,
    level: float = 0.9,
    draws: int = DRAWS,
    seed: int = 0,
    block: int | None = None,
) -> ConfidenceSet:
    """Return the model confidence set of M forecasts of the same n rows.

    While there are several: of each, the difference d of its mean surprise from the mean of all that are left, and
    t = d / e with the standard error e that the replicates show. The largest t is compared with the largest of each replicate,
    (d* - d) / e; the forecast that has it is dropped, and its p-value is the share of replicates that reach it, or that of one dropped
    before if larger. The set is all whose p-value is at least 1 - level.

    Replicates are judged by one standard error, samples each by their own: t is read as the normal deviate that is as rare as
    Student's t with n - 1 degrees of freedom (clusters - 1; T / block - 1). With a hundred rows this is hardly seen; with
    ten points in time it keeps the best in the set where it would be lost in one of four.

    Rows are drawn with replacement, or whole clusters, or runs of consecutive periods (a circular block bootstrap, the
    first period following the last).

    Parameters
    ----------
    surprise
        Nats, shape (n, M), finite.
    weight
        Shape (n,); rows of weight 0 count nowhere.
    cluster, period
        Position of each row's cluster or point in time, shape (n,); one of them, or neither.
    level
        The probability with which the best is to be in the set.
    draws
        Replicates.
    block
        Consecutive periods that are drawn together; by default 1.75 T^(1/3) of T periods, rounded up.

    Raises
    ------
    UsageError
        For a level or a number of draws out of range, surprises that are not finite, both a cluster and a period.

    Examples
    --------
    >>> import numpy as np
    >>> random = np.random.default_rng(1)
    >>> surprise = random.exponential(0.5, (500, 1)) + 0.1 * random.normal(size=(500, 3)) + [0, 0, 0.05]
    >>> confidence_set(surprise, np.ones(500)).members
    (True, True, False)

    References
    ----------
    Hansen, Lunde, Nason (2011), The model confidence set, Econometrica 79:453-497: the version T_max.
    """
    _checked(level, draws)
    if not np.isfinite(surprise).all():
        raise UsageError(
            "infinite-in-set",
            "Surprises are not all finite; of infinite means it is plain which is worse.",
            cure="Leave forecasts out of the set whose mean loss is infinite.",
        )
    if not weight.all():
        keep = weight > 0
        surprise, weight = surprise[keep], weight[keep]
        cluster, period = (None if at is None else at[keep] for at in (cluster, period))
    M = surprise.shape[1]
    u = surprise - surprise.mean(axis=1, keepdims=True)
    mass = weight.sum()
    mean = (weight[:, None] * u).sum(axis=0) / mass
    units = gathered(u - mean, weight, cluster=cluster, period=period, block=block)
    if units is None or M == 1:
        return _all(mean, level, draws)
    noise = SAME * float((weight * np.abs(surprise).max(axis=1)).sum() / mass)
    return _dropped(mean, replicates(units, draws, seed), level, (noise, noise), units.freedom, units.block)


def confidence_set_of(
    mean: Float, covariance: Float, *, level: float = 0.9, draws: int = DRAWS, seed: int = 0
) -> ConfidenceSet:
    """Return the model confidence set of M forecasts of which only the means and their covariance are known.

    As `confidence_set`, with deviations of the means drawn from a normal distribution: for a table of any size, of
    which one pass has kept sums and sums of products.

    Parameters
    ----------
    mean
        Mean surprise of each forecast, nats, shape (M,).
    covariance
        Of these means (not of the rows: divided by their number), shape (M, M).

    Raises
    ------
    UsageError
        For a level or a number of draws out of range, figures that are not finite.

    Examples
    --------
    >>> import numpy as np
    >>> confidence_set_of(np.array([0.40, 0.41, 0.50]), 1e-4 * np.eye(3)).members
    (True, True, False)
    """
    _checked(level, draws)
    if not (np.isfinite(mean).all() and np.isfinite(covariance).all()):
        raise UsageError(
            "infinite-in-set",
            "Means or their covariance are not all finite; of infinite means it is plain which is worse.",
            cure="Leave forecasts out of the set whose mean loss is infinite.",
        )
    M = len(mean)
    if M == 1:
        return _all(mean, level, draws)
    # What all forecasts share cannot matter: rows and columns less their means.
    own = covariance - covariance.mean(axis=0) - covariance.mean(axis=1)[:, None] + covariance.mean()
    half = root(own)
    deviations = np.random.default_rng(seed).standard_normal((draws, M)) @ half
    error = SAME_ERROR * float(np.sqrt(np.diag(covariance).max(initial=0.0)))
    floors = (1e3 * SAME * float(np.abs(mean).max()), error)
    return _dropped(mean - mean.mean(), deviations, level, floors)


def _checked(level: float, draws: int) -> None:
    if not 0 < level < 1:
        raise UsageError(
            "bad-level",
            f"level is {level}, but it is a probability.",
            cure="Give one between 0 and 1, such as 0.9.",
        )
    if draws < 20:
        raise UsageError("bad-count", f"draws is {draws}.", cure="Draw 20 or more.")


def _all(mean: Float, level: float, draws: int) -> ConfidenceSet:
    """Return the set of all: there is one, or nothing is known of how far means vary."""
    M = len(mean)
    order = np.argsort(-mean, kind="stable").tolist()
    return ConfidenceSet((True,) * M, np.ones(M), tuple(order), level, draws)


def _dropped(
    mean: Float,
    deviations: Float,
    level: float,
    floors: tuple[float, float],
    freedom: float = math.inf,
    block: int | None = None,
) -> ConfidenceSet:
    """Drop the worst, again and again.

    Parameters
    ----------
    mean
        Shape (M,); a term that all share does not matter.
    deviations
        Of each replicate's means from those of the rows, shape (draws, M).
    floors
        A difference of means, and a standard error, that are taken for 0.
    freedom
        Degrees of freedom of the standard errors.
    """
    draws = len(deviations)
    alike = _alike(mean, deviations, floors)
    left = [m for m in range(len(mean)) if alike[m] == m]
    p_values, order, so_far = np.ones(len(mean)), list[int](), 0.0
    while len(left) > 1:
        d = mean[left] - mean[left].mean()
        off = deviations[:, left] - deviations[:, left].mean(axis=1, keepdims=True)
        e = np.sqrt((off * off).mean(axis=0))
        sure = e <= floors[1]
        scale = np.where(sure, 1.0, e)
        t = np.where(sure, np.where(np.abs(d) <= floors[0], 0.0, np.copysign(np.inf, d)), d / scale)
        largest = np.where(sure, 0.0, off / scale).max(axis=1)
        worst = int(np.argmax(t))
        reached = largest >= (1 - EQUAL) * _normal(float(t[worst]), freedom)
        so_far = max(so_far, (1 + int(reached.sum())) / (1 + draws))
        gone = np.flatnonzero(alike == left.pop(worst))[::-1]
        p_values[gone] = so_far
        order += gone.tolist()
    order += np.flatnonzero(alike == left[0])[::-1].tolist()
    members = p_values >= 1 - level
    return ConfidenceSet(tuple(members.tolist()), p_values, tuple(order), level, draws, block)


def _normal(t: float, freedom: float) -> float:
    """Return the normal deviate that is as rarely reached as Student's t."""
    if math.isinf(freedom) or math.isinf(t):
        return t
    from scipy.special import ndtri, stdtr

    return -float(ndtri(stdtr(freedom, -t)))


def _alike(mean: Float, deviations: Float, floors: tuple[float, float]) -> Whole:
    """Return for each forecast the position of the first that has the same mean on every draw."""
    first = np.arange(len(mean))
    for m in range(1, len(mean)):
        for k in np.flatnonzero(first[:m] == np.arange(m)):
            if abs(mean[m] - mean[k]) <= floors[0]:
                off = deviations[:, m] - deviations[:, k]
                if np.sqrt((off * off).mean()) <= floors[1]:
                    first[m] = k
                    break
    return first
