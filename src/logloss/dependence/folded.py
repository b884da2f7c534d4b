"""The mean paired difference of two ways of fitting, from the folds of a cross-validation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from logloss.interval import Interval, of_clusters

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]

__all__ = ["of_folds"]


def of_folds(
    values: Float,
    weight: Float,
    fold: NDArray[np.int64],
    *,
    level: float = 0.95,
    ratio: float | None = None,
) -> Interval | None:
    """Return the weighted mean of out-of-fold values (n,), its interval that of the algorithms' expected difference.

    Two questions may be asked of a cross-validation. How do the K models that were fitted differ, averaged over the rows
    that each left out? The pooled rows answer (`interval.of_rows`). How would models differ that these algorithms fit to
    another sample of this size? The folds' training sets overlap, so their means agree more than they should;
    Nadeau and Bengio widen the error from sd / sqrt(K) of the K means to

        sd sqrt(1/K + n_test / n_train),      n_test / n_train = 1 / (K - 1) where every row is in one fold

    with Student's t, K - 1 degrees of freedom. Where folds differ in size, sd^2 / K is the jackknife's variance over folds,
    which is the same for equal ones, and n_test / n_train the folds' mean, weighted by their size. None for fewer than two.

    Parameters
    ----------
    values
        Finite, nats, shape (n,): every row as it was forecast by the models that had not seen it.
    weight
        Shape (n,); rows of weight 0 count nowhere.
    fold
        The fold (or repeated random split) in which the row was left out, shape (n,), from 0.
    level
        Probability that the interval aims to cover.
    ratio
        Rows tested over rows trained on, where there are several random splits, or a cross-validation of K folds is repeated
        (then 1 / (K - 1), and each fold of each repeat has a number of its own); None: the folds of one cross-validation.

    References
    ----------
    Nadeau and Bengio (2003), Inference for the generalization error, Mach. Learn. 52:239-281; Bayle, Bayle, Janson and
    Mackey (2020), Cross-validation confidence intervals for test error, NeurIPS 33, for the pooled rows.
    """
    from scipy.special import stdtr, stdtrit

    mass = np.bincount(fold, weight)
    mass = mass[mass > 0]
    K = len(mass)
    plain = of_clusters(values, weight, fold, level=level)
    if plain is None:
        return None
    if ratio is None:
        ratio = float((mass * mass / (mass.sum() - mass)).sum() / mass.sum())
    mean, error = plain.mean, plain.standard_error * math.sqrt(1 + K * ratio)
    reach = float(stdtrit(K - 1, 0.5 + level / 2)) * error
    p_value = 2 * float(stdtr(K - 1, -abs(mean / error))) if error > 0 else 1.0 if mean == 0 else 0.0
    return Interval(mean, error, mean - reach, mean + reach, p_value)
