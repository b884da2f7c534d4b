"""A comparison of what fits the models, where splits are no partition of the rows: Nadeau and Bengio's error."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from logloss.comparing.bases import ABOUT
from logloss.comparing.results import verdict_of
from logloss.dependence.folded import of_folds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logloss.comparing.results import Comparison, Pair, Standing
    from logloss.interval import Interval
    from logloss.refereeing.splits import Splits

    Float = NDArray[np.float64]

__all__ = ["of_repeats"]


def of_repeats(
    comparison: Comparison,
    names: tuple[str, ...],
    surprise: Float,
    weight: Float,
    splits: Splits,
    *,
    level: float,
    target: str,
) -> Comparison:
    """Return the comparison with intervals of what fits the models: splits are drawn, each weighs as its rows.

    Parameters
    ----------
    comparison
        Of the same rows. For the target "algorithm" each weighs as often as it was held out: then its means are those of the
        splits.
    surprise, weight
        Of every row as often as it was held out, split after split, shapes (N, M) and (N,).
    target
        "algorithm", or "models": then what is known of the other stands beside.
    """
    split = splits.which()

    def found(values: Float) -> Interval | None:
        if not np.isfinite(values).all():
            return None
        return of_folds(values, weight, split, level=level, ratio=splits.ratio)

    centre = comparison.reference or comparison.names[0]
    column = {name: surprise[:, at] for at, name in enumerate(names)}
    with np.errstate(invalid="ignore"):
        told = [found(column[pair.a] - column[pair.b]) for pair in comparison.pairs]
        both = list(zip(comparison.pairs, told, strict=True))
        if target == "models":
            return replace(comparison, pairs=tuple(_beside(*one) for one in both), target=target)
        pairs = [_pair(*one) for one in both]
        standings = [_standing(one, centre, found(column[one.name]), column[one.name].min() < 0, pairs) for one in comparison.standings]  # fmt: skip
    return replace(comparison, standings=tuple(standings), pairs=tuple(pairs), units=len(splits), unit="split", set_level=None, target=target)  # fmt: skip


def _beside(pair: Pair, told: Interval | None) -> Pair:
    """Return a pair with what is known of what fits the models beside it."""
    if told is None:
        return pair
    span = (told.low, told.high)
    other = {"about": ABOUT["algorithm"], "difference": told.mean, "standard_error": told.standard_error, "interval": list(span), "p_value": told.p_value, "verdict": verdict_of(told.mean, span), "rule": "nadeau-bengio"}  # fmt: skip
    return replace(pair, beside=pair.beside | {"algorithm": other})


def _pair(pair: Pair, told: Interval | None) -> Pair:
    if pair.interval is not None:
        names = ("difference", "standard_error", "interval", "p_value", "verdict", "rule")
        other = {"about": ABOUT["models"], **{name: getattr(pair, name) for name in names}}
        pair = replace(pair, beside=pair.beside | {"models": other | {"interval": list(pair.interval)}})
    span = None if told is None else (told.low, told.high)
    if told is None:
        return replace(pair, rule="nadeau-bengio", interval=None, interval_finite=None, standard_error=None, p_value=None, verdict=verdict_of(pair.difference, None))  # fmt: skip
    return replace(
        pair,
        difference=told.mean,
        standard_error=told.standard_error,
        interval=span,
        p_value=told.p_value,
        verdict=verdict_of(told.mean, span),
        rule="nadeau-bengio",
        needed=None,  # more splits of the same rows settle nothing
        unit="split",
        without_top_interval=None,
        total_error=None,
    )


def _standing(one: Standing, centre: str, alone: Interval | None, density: bool, pairs: list[Pair]) -> Standing:  # fmt: skip
    """Return a standing whose intervals are those of the splits; bands over several forecasts are not told of them."""
    told = None
    if alone is not None:  # only a density's surprise may be below 0
        told = (alone.low if density else max(0.0, alone.low), alone.high)
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
