"""What a tally knows of two of its forecasts: the difference, how sure it is, and what it hangs on."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.comparing.bases import rule_of_clusters
from logloss.comparing.counts import EPS
from logloss.comparing.drawn import duel_of
from logloss.comparing.evidence import Evidence
from logloss.comparing.pairs import FEWEST, LIMITS, MOST, MOST_ROWS, needed, span
from logloss.comparing.results import ClipChange, Deciding, Pair, verdict_of

if TYPE_CHECKING:
    from logloss.comparing.drawn import Duel
    from logloss.comparing.tallies import Tally

__all__ = ["pair_of_tally", "read_as_hypotheses"]

SAME = 1e-12  # of the sum of |differences|: what rounding makes of a difference of 0


def pair_of_tally(tally: Tally, a: str, b: str, drawn: int, level: float) -> Pair:
    """Set two forecasts against each other."""
    duel = duel_of(tally, a, b)
    only_a, only_b, both = duel.infinite
    mean = duel.mean
    found = duel.interval(level) if tally.groups is None or duel.groups is not None else None
    common: dict[str, Any] = {
        "infinite_a": only_a,
        "infinite_b": only_b,
        "infinite_both": both,
        "a_better_on": _share(duel.measures["weight_a"] + duel.measures["only_b_weight"], tally.weight),
        "b_better_on": _share(duel.measures["weight_b"] + duel.measures["only_a_weight"], tally.weight),
        "rule": _rule(tally, duel),
        "unit": "row" if tally.groups is None else "group",
        "clip": _clip(tally, a, b, duel),
    }
    if only_a or only_b or math.isnan(mean):
        difference = None if math.isnan(mean) else mean
        if only_a or only_b:
            difference = None if only_a and only_b else math.inf if only_a else -math.inf
        return Pair(
            a,
            b,
            difference,
            verdict=verdict_of(difference, None),
            difference_finite=None if math.isnan(mean) else mean,
            interval_finite=span(found),
            top=tuple(_deciding(place, told) for _, place, told in duel.sides[2]),
            **common,
        )
    return Pair(
        a,
        b,
        mean,
        standard_error=None if found is None else found.standard_error,
        interval=span(found),
        p_value=None if found is None else found.p_value,
        verdict=verdict_of(mean, span(found)),
        total=mean * duel.mass,
        total_error=None if found is None else found.standard_error * duel.mass,
        needed=needed(drawn, mean, span(found)),
        **common,
        **_hangs_on(duel, level),
    )


def _rule(tally: Tally, duel: Duel) -> str:
    if tally.groups is None:
        return "hall-t"
    return rule_of_clusters(tally.groups.sums[:, 1] if duel.groups is None else duel.groups.mass)


def read_as_hypotheses(tally: Tally, pair: Pair) -> Pair:
    """Return a pair with the likelihood ratio of both; of rows with weights nothing is known of single ones."""
    duel = duel_of(tally, pair.a, pair.b)
    moments, (only_a, only_b, both) = duel.moments, duel.infinite
    if tally.weight != tally.n or (moments.n and (moments.mean[0] != 1 or moments.second[0, 0])):
        return pair
    lost = only_a + both, only_b + both
    total, error = moments.n * duel.mean, None
    if max(lost):
        total = math.nan if min(lost) else math.inf if lost[0] else -math.inf
    elif tally.n > 1:
        error = math.sqrt(tally.n / (tally.n - 1) * max(float(moments.second[1, 1]), 0.0))
    told = Evidence(total, error, tally.n, False, lost)
    if tally.groups is not None and error is not None:
        told = replace(told, standard_error=pair.total_error)
    return replace(pair, beside=pair.beside | {"evidence": told.to_dict()})


def _share(weight: float, whole: float) -> float | None:
    return None if math.isnan(weight) else weight / whole


def _hangs_on(duel: Duel, level: float) -> dict[str, Any]:
    """Return the rows that carry most of a finite difference, and the difference without them."""
    moved = duel.measures["moved"]
    if math.isnan(moved) or moved == 0 or duel.mean == 0:
        return {}
    five = sorted((entry[0] for side in duel.sides[:2] for entry in side), reverse=True)[:5]
    k = min(MOST_ROWS, max(1, duel.moments.n // FEWEST))
    top = duel.sides[0 if duel.mean < 0 else 1][:k]
    rest = duel.without([told for _, _, told in top])
    found = rest.interval(level) if rest.moments.n else None
    return {
        "top5_share": sum(five) / moved,
        "top": tuple(_deciding(place, told) for _, place, told in top),
        "top_share": sum(key for key, _, _ in top) / abs(duel.mean * duel.mass),
        "without_top": None if math.isnan(rest.mean) else rest.mean,
        "without_top_interval": span(found),
    }


def _deciding(place: tuple[str, int], told: dict[str, Any]) -> Deciding:
    part, row = place
    a, b = (math.inf if told[side] is None else told[side] for side in ("a", "b"))
    name = f"row {row} of {part}" if part and told["id"] is None else told["id"]
    return Deciding(row, told["outcome"], a, b, told["weight"], name)


def _clip(tally: Tally, a: str, b: str, duel: Duel) -> ClipChange | None:
    """Return what clipping both would change, at the clips that a tally knows: 1 and 3 times powers of ten."""
    of_a, of_b = (tally.models.sums[tally.names.index(name), 2:] for name in (a, b))
    moved = (of_a - of_b) / tally.weight
    if np.isnan(moved).any():
        return None
    differences = dict(zip(EPS, moved.tolist(), strict=True))
    noise = SAME * duel.measures["moved"] / tally.weight
    only_a, only_b, _ = duel.infinite
    unclipped = duel.mean
    if only_a or only_b:
        unclipped = math.nan if only_a and only_b else math.inf if only_a else -math.inf
    known = [unclipped, *(differences[eps] for eps in sorted(EPS))]
    signs = [
        0.0 if math.isnan(value) or abs(value) <= noise else math.copysign(1.0, value) for value in known
    ]
    start = next((sign for sign in signs if sign), 0.0)
    turned = (eps for eps, sign in zip(sorted(EPS), signs[1:], strict=True) if start and sign == -start)
    return ClipChange(next(turned, None), MOST, tuple((eps, differences[eps]) for eps in LIMITS))
