"""More than two forecasts: bands that hold for all at once, and the set that holds the best."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from logloss.multiplicity.confidencesets import confidence_set, confidence_set_of
from logloss.multiplicity.simultaneous import simultaneous
from logloss.stages import staged

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from logloss.comparing.bases import Basis
    from logloss.comparing.contest import Contest
    from logloss.comparing.results import Standing

    Float = NDArray[np.float64]

__all__ = ["SET_LEVEL", "among_all"]

SET_LEVEL = 0.9
MOST_DRAWN = 3_000_000  # numbers that are drawn from row by row; of more, the means are taken to be normal


@staged("which may be the best")
def among_all(
    contest: Contest,
    standings: list[Standing],
    centre: str,
    rule: Callable[[float], Basis],
    level: float,
    seed: int,
) -> tuple[list[Standing], float | None]:
    """Return standings with bands for all at once and membership in the set, and its level; None where there is none.

    `rule` is the rule for a level. Over folds the bands are Bonferroni's, and there is no set.

    Forecasts with an infinite loss have no band, and are not among the best while others are finite.
    """
    finite = [one.name for one in standings if not one.infinite_rows]
    basis = rule(level)
    if len(standings) < 3 or len(finite) < 2 or basis.units < 2:
        return standings, None
    if basis.unit == "fold" and centre not in finite:
        return standings, None
    if basis.unit == "fold":
        return _bonferroni(contest, standings, centre, rule, level), None
    columns = [contest.names.index(name) for name in finite]
    surprise = contest.surprise[:, columns]
    bands = _bands(contest, surprise, finite, centre, basis, level, seed)
    kept = _best(contest, surprise, basis, seed)
    place = {name: at for at, name in enumerate(finite)}
    found = [
        replace(
            one,
            simultaneous=bands.get(one.name),
            in_best_set=one.name in place and kept[0][place[one.name]],
            set_p_value=float(kept[1][place[one.name]]) if one.name in place else 0.0,
        )
        for one in standings
    ]
    return found, SET_LEVEL


def _bonferroni(
    contest: Contest, standings: list[Standing], centre: str, rule: Callable[[float], Basis], level: float
) -> list[Standing]:
    """Return standings with intervals, each at the level at which all hold at once."""
    joint = rule(1 - (1 - level) / (len(standings) - 1))
    column = {name: contest.surprise[:, at] for at, name in enumerate(contest.names)}
    found = []
    for one in standings:
        told = None
        if one.name != centre and one.difference is not None and math.isfinite(one.difference):
            told = joint.of(column[one.name] - column[centre], contest.weight, None)
        found.append(replace(one, simultaneous=None if told is None else (told.low, told.high)))
    return found


def _bands(
    contest: Contest, surprise: Float, finite: list[str], centre: str, basis: Basis, level: float, seed: int
) -> dict[str, tuple[float, float]]:
    if centre not in finite:
        return {}
    others = [name for name in finite if name != centre]
    d = surprise[:, [finite.index(name) for name in others]] - surprise[:, [finite.index(centre)]]
    found = simultaneous(
        d, contest.weight, cluster=basis.cluster, period=basis.period, level=level, seed=seed
    )
    if found is None:
        return {}
    return {name: (float(found.low[k]), float(found.high[k])) for k, name in enumerate(others)}


def _best(
    contest: Contest, surprise: Float, basis: Basis, seed: int
) -> tuple[tuple[bool, ...], NDArray[np.float64]]:
    weight = contest.weight
    if basis.unit == "row" and surprise.size > MOST_DRAWN:
        share = weight / weight.sum()
        mean = np.array([float((share * column).sum()) for column in surprise.T])
        M = len(mean)
        covariance = np.empty((M, M))
        for i in range(M):
            for j in range(i + 1):
                moved = share * share * (surprise[:, i] - mean[i]) * (surprise[:, j] - mean[j])
                covariance[i, j] = covariance[j, i] = float(moved.sum())
        found = confidence_set_of(mean, covariance, level=SET_LEVEL, seed=seed)
    else:
        found = confidence_set(
            surprise, weight, cluster=basis.cluster, period=basis.period, level=SET_LEVEL, seed=seed
        )
    return tuple(bool(one) for one in found.members), found.p_values
