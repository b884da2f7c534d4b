"""A comparison of what fits the models, where rows were held out again and again: splits drawn, Nadeau and Bengio's error."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from logloss.comparing.pairs import needed
from logloss.comparing.results import verdict_of
from logloss.interval import Interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logloss.comparing.results import Comparison, Pair, Standing
    from logloss.refereeing.splits import Splits

    Float = NDArray[np.float64]

__all__ = ["nadeau_bengio", "of_repeats"]


def nadeau_bengio(means: Float, ratio: float, *, level: float = 0.95) -> Interval | None:
    """Return the mean of J splits' mean differences with its interval; None for fewer than two splits.

        se = S sqrt(1/J + n_test / n_train),      Student's t with J - 1 degrees of freedom

    Parameters
    ----------
    means
        Nats, shape (J,).
    ratio
        Rows tested over rows trained on.

    References
    ----------
    Nadeau and Bengio (2003), Inference for the generalization error, Mach. Learn. 52:239-281.
    """
    from scipy.special import stdtr, stdtrit

    J = len(means)
    if J < 2:
        return None
    mean = float(means.mean())
    error = float(means.std(ddof=1)) * math.sqrt(1 / J + ratio)
    reach = float(stdtrit(J - 1, 0.5 + level / 2)) * error
    p_value = 2 * float(stdtr(J - 1, -abs(mean / error))) if error > 0 else 1.0 if mean == 0 else 0.0
    return Interval(mean, error, mean - reach, mean + reach, p_value)


def of_repeats(
    comparison: Comparison,
    names: tuple[str, ...],
    surprise: Float,
    weight: Float,
    splits: Splits,
    *,
    level: float,
) -> Comparison:
    """Return the comparison with intervals of what fits the models.

    Parameters
    ----------
    surprise, weight
        Of every row as often as it was held out, split after split, shapes (N, M) and (N,).
    """
    split = splits.which()
    mass = np.bincount(split, weight)

    def found(values: Float) -> Interval | None:
        if not np.isfinite(values).all():
            return None
        return nadeau_bengio(np.bincount(split, weight * values) / mass, splits.ratio, level=level)

    centre = comparison.reference or comparison.names[0]
    column = {name: surprise[:, at] for at, name in enumerate(names)}
    with np.errstate(invalid="ignore"):
        pairs = [
            _pair(pair, found(column[pair.a] - column[pair.b]), len(splits), level)
            for pair in comparison.pairs
        ]
        standings = [_standing(one, centre, found(column[one.name]), pairs) for one in comparison.standings]
    return replace(comparison, standings=tuple(standings), pairs=tuple(pairs), units=len(splits), unit="split", set_level=None, target="algorithm")  # fmt: skip


def _pair(pair: Pair, told: Interval | None, count: int, level: float) -> Pair:
    span = None if told is None else (told.low, told.high)
    if told is None:
        return replace(pair, rule="nadeau-bengio", interval=None, standard_error=None, p_value=None, verdict=verdict_of(pair.difference, None))  # fmt: skip
    return replace(
        pair,
        difference=told.mean,
        standard_error=told.standard_error,
        interval=span,
        p_value=told.p_value,
        verdict=verdict_of(told.mean, span),
        rule="nadeau-bengio",
        needed=needed(count, told.mean, told.standard_error, level),
        unit="split",
        without_top_interval=None,
        total_error=None,
    )


def _standing(one: Standing, centre: str, alone: Interval | None, pairs: list[Pair]) -> Standing:
    """Return a standing whose intervals are those of the splits; bands over several forecasts are not told of them."""
    told = None if alone is None else (alone.low, alone.high)
    kept = replace(one, interval=told, simultaneous=None, in_best_set=None, set_p_value=None)
    for pair in pairs:
        if (
            {pair.a, pair.b} == {one.name, centre}
            and pair.interval is not None
            and pair.difference is not None
        ):
            sign = 1.0 if pair.a == one.name else -1.0
            low, high = sorted(sign * end for end in pair.interval)
            return replace(kept, difference=sign * pair.difference, difference_interval=(low, high))
    return replace(kept, difference_interval=None)
