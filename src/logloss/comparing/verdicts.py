"""The referee: several forecasts of the same rows -> who is better, how sure that is, and what it hangs on."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from logloss.comparing.bases import basis_of
from logloss.comparing.differences import pair_of
from logloss.comparing.results import Comparison, Pair, Standing
from logloss.errors import UsageError, suggestion

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logloss.comparing.bases import Basis
    from logloss.comparing.contest import Contest

    Float = NDArray[np.float64]

__all__ = ["of_contest"]

CLOSE = 4  # forecasts of which every pair is looked at closely


def of_contest(
    contest: Contest,
    *,
    level: float = 0.95,
    target: str = "models",
    horizon: int = 1,
    reference: str | None = None,
    seed: int = 0,
) -> Comparison:
    """Compare the forecasts of a contest.

    Parameters
    ----------
    contest
        Two or more forecasts of the same rows.
    level
        Coverage of the intervals.
    target
        Where rows are of a cross-validation: "models", the average loss of those that were fitted, or "algorithm", the
        expected loss of what fits them.
    horizon
        How many points in time ahead the forecasts were made.
    reference
        The forecast that all others are set against; by default every two.
    seed
        Of what is drawn at random.

    Raises
    ------
    UsageError
        For fewer than two forecasts, or a reference that is none of them.
    """
    names = contest.names
    if len(names) < 2:
        raise UsageError(
            "too-few-forecasts",
            f"A comparison needs two forecasts, and there {'is one' if names else 'are none'}.",
            cure="Give two or more of the same rows.",
        )
    if reference is not None and reference not in names:
        raise UsageError(
            "no-such-model",
            f"There is no forecast {reference!r} to set the others against.{suggestion(reference, names)}",
            cure=f"There are {list(names)}.",
        )
    basis = basis_of(contest, level=level)
    alone = [_alone(contest, at, basis) for at in range(len(names))]
    finite = [math.inf if one.log_loss_finite is None else one.log_loss_finite for one in alone]
    order = sorted(range(len(names)), key=lambda at: (alone[at].log_loss, finite[at]))
    centre = order[0] if reference is None else names.index(reference)
    pairs = [
        pair_of(contest, a, b, basis, level, closer=len(names) <= CLOSE or centre in (a, b))
        for a, b in _couples(order, None if reference is None else centre)
    ]
    standings = [_behind(alone[at], names[centre], pairs) for at in order]
    classes = next((len(record.classes) for record in contest.records.values()), None)
    return Comparison(
        standings=tuple(standings),
        pairs=tuple(pairs),
        level=level,
        n=len(contest),
        units=basis.units,
        unit=basis.unit,
        reference=reference,
        classes=classes,
        notes=contest.notes,
    )


def _couples(order: list[int], reference: int | None) -> list[tuple[int, int]]:
    """Return every two, those with the best first; or every one against the reference."""
    if reference is not None:
        return [(at, reference) for at in order if at != reference]
    return list(itertools.combinations(order, 2))


def _alone(contest: Contest, at: int, basis: Basis) -> Standing:
    """Return one forecast by itself."""
    s, weight = contest.surprise[:, at], contest.weight
    lost = np.isinf(s)
    count = int(lost.sum())
    if not count:
        mean = float((weight * s).sum() / weight.sum())
        found = basis.of(s, weight, None)
        told = None if found is None else (max(0.0, found.low), found.high)
        return Standing(contest.names[at], mean, mean, 0, told)
    rest = ~lost
    finite = float((weight[rest] * s[rest]).sum() / weight[rest].sum()) if rest.any() else None
    return Standing(contest.names[at], math.inf, finite, count)


def _behind(one: Standing, centre: str, pairs: list[Pair]) -> Standing:
    """Return a standing with its difference to the best, or to the reference."""
    for pair in pairs:
        if {pair.a, pair.b} != {one.name, centre} or one.name == centre:
            continue
        if pair.a == one.name:
            return replace(one, difference=pair.difference, difference_interval=pair.interval)
        turned = None if pair.interval is None else (-pair.interval[1], -pair.interval[0])
        behind = None if pair.difference is None else -pair.difference
        return replace(one, difference=behind, difference_interval=turned)
    return one
