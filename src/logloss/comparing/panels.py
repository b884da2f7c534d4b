"""What a pass kept of several forecasts -> the referee's answer; and what is to be told of it that rows would tell."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss import units
from logloss.comparing.clips import LIMITS, MOST
from logloss.comparing.counts import EPS
from logloss.comparing.crowds import SET_LEVEL
from logloss.comparing.differences import MOST_ROWS, needed, span
from logloss.comparing.drawn import covariance_of, duel_of, interval_of, mean_of, single_of
from logloss.comparing.evidence import Evidence
from logloss.comparing.recovered import tally_of
from logloss.comparing.results import ClipChange, Comparison, Deciding, Pair, Standing, verdict_of
from logloss.errors import UsageError, suggestion
from logloss.interval import FEW_CLUSTERS
from logloss.multiplicity.confidencesets import confidence_set_of
from logloss.multiplicity.simultaneous import simultaneous_of
from logloss.notes import Note

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from logloss.comparing.drawn import Duel
    from logloss.comparing.tallies import Tally
    from logloss.panel import Panel

    Float = NDArray[np.float64]

__all__ = ["of_panel", "of_tally"]

FEWEST = 50  # rows for each that a difference is told without
SAME = 1e-12  # of the sum of |differences|: what rounding makes of a difference of 0
SHOWN = 100  # groups of which the difference is told


def of_panel(panel: Panel, *, level: float = 0.95, reference: str | None = None, seed: int = 0) -> Comparison:
    """Compare the forecasts of a panel: what `summarize` returns for several, or `score --save` wrote.

    Parameters
    ----------
    panel
        Of two or more forecasts of the same rows. Of panels saved by versions that did not compare, means and intervals are
        known, but not on which rows they hang.
    level
        Coverage of the intervals.
    reference
        The forecast that all others are set against; by default every two.
    seed
        Of what is drawn at random.

    Raises
    ------
    UsageError
        For fewer than two forecasts, or a reference that is none of them.
    """
    first = next(iter(panel.summaries.values()))
    notes = [note for summary in panel.summaries.values() for note in summary.told()]
    if panel.tally is None:
        told = "This panel was saved by a version that kept less: rows that decide, clips, and rows won are not known. Score the rows again to have them."
        notes.append(Note("kept-less", told))
    return of_tally(
        tally_of(panel),
        level=level,
        reference=reference,
        classes=len(first.classes),
        notes=notes,
        seed=seed,
    )


def of_tally(
    tally: Tally,
    *,
    level: float = 0.95,
    reference: str | None = None,
    classes: int | None = None,
    notes: Sequence[Note] = (),
    seed: int = 0,
) -> Comparison:
    """Compare the forecasts of a tally; see :func:`of_panel`."""
    names = tally.names
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
    if not 0 < level < 1:
        raise UsageError(
            "bad-level",
            f"level is {level}, but it is a probability.",
            cure="Give one between 0 and 1, such as 0.95.",
        )
    drawn = tally.n if tally.groups is None else int((tally.groups.sums[:, 0] > 0).sum())
    alone = {name: _alone(tally, name, level) for name in names}
    order = sorted(names, key=lambda name: (alone[name].log_loss, _finite(alone[name])))
    centre = order[0] if reference is None else reference
    couples = (
        itertools.combinations(order, 2)
        if reference is None
        else [(name, centre) for name in order if name != centre]
    )
    pairs = [_pair(tally, a, b, drawn, level) for a, b in couples]
    said = list(notes)
    if tally.groups is not None:
        pairs = [replace(pair, beside={"groups": _by_group(tally, pair.a, pair.b)}) for pair in pairs]
        if drawn < FEW_CLUSTERS:
            told = f"Of {drawn} groups little can be said: with fewer than {FEW_CLUSTERS}, intervals cover less than they promise."
            said.append(Note("few-groups", told))
    pairs[0] = _read_as_hypotheses(tally, pairs[0])
    if pairs[0].infinite_both:
        told = f"{units.count(pairs[0].infinite_both, 'row')} infinite under both {pairs[0].a!r} and {pairs[0].b!r} tell nothing of their difference, which leaves them out."
        said.append(Note("infinite-under-both", told))
    said.append(Note("compared-in-a-pass", PASSED))
    standings, set_level = _among_all(
        tally, [_behind(alone[name], centre, pairs) for name in order], centre, drawn, level, seed
    )
    return Comparison(
        standings=tuple(standings),
        pairs=tuple(pairs),
        level=level,
        n=tally.n,
        units=drawn,
        unit="row" if tally.groups is None else "group",
        reference=reference,
        set_level=set_level,
        classes=classes,
        notes=tuple(dict.fromkeys(said)),
    )


PASSED = (
    "Compared from the sums that one pass keeps: the order of rows in time, slices by further columns, and what of a difference "
    "is calibration take the rows themselves: give them, or a random sample, for these."
)


def _finite(one: Standing) -> float:
    return math.inf if one.log_loss_finite is None else one.log_loss_finite


def _alone(tally: Tally, name: str, level: float) -> Standing:
    """Return one forecast by itself."""
    moments, groups, lost = single_of(tally, name)
    mean = mean_of(moments)
    if lost:
        return Standing(name, math.inf, None if math.isnan(mean) else mean, lost)
    found = interval_of(moments, groups, level)
    return Standing(name, mean, mean, 0, None if found is None else (max(0.0, found.low), found.high))


def _behind(one: Standing, centre: str, pairs: list[Pair]) -> Standing:
    """Return a standing with its difference to the best, or to the reference."""
    for pair in pairs:
        if one.name == centre or {pair.a, pair.b} != {one.name, centre}:
            continue
        if pair.a == one.name:
            return replace(one, difference=pair.difference, difference_interval=pair.interval)
        turned = None if pair.interval is None else (-pair.interval[1], -pair.interval[0])
        behind = None if pair.difference is None else -pair.difference
        return replace(one, difference=behind, difference_interval=turned)
    return one


# ---------------------------------------------------------------- a pair


def _pair(tally: Tally, a: str, b: str, drawn: int, level: float) -> Pair:
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
        "rule": "hall-t" if tally.groups is None else "jackknife",
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
        needed=None if found is None else needed(drawn, mean, found.standard_error, level),
        **common,
        **_hangs_on(duel, level),
    )


def _read_as_hypotheses(tally: Tally, pair: Pair) -> Pair:
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


def _by_group(tally: Tally, a: str, b: str) -> dict[str, Any]:
    """Return in how many groups each has the smaller loss, and the difference of each; of many, those that move it most."""
    assert tally.groups is not None
    sums = tally.groups.sums
    first, second = (2 + 3 * tally.names.index(name) for name in (a, b))
    nats, lost_a, lost_b = sums[:, first] - sums[:, second], sums[:, first + 1], sums[:, second + 1]
    counts = sums[:, 0] > 0
    less = (lost_a == 0) & ((lost_b > 0) | (nats < 0)), (lost_b == 0) & ((lost_a > 0) | (nats > 0))
    found: list[dict[str, Any]] = []
    for at in np.argsort(-np.abs(nats), kind="stable").tolist():
        if not counts[at] or len(found) == SHOWN:
            continue
        difference: float | None = float(nats[at] / sums[at, 1])
        if lost_a[at] or lost_b[at]:
            difference = None if lost_a[at] and lost_b[at] else math.inf if lost_a[at] else -math.inf
        found.append(
            {
                "group": tally.groups.keys[at],
                "rows": int(sums[at, 0]),
                "weight": float(sums[at, 1]),
                "difference": difference,
            }
        )
    better = [int((one & counts).sum()) for one in less]
    return {
        "groups": int(counts.sum()),
        "a_better_in": better[0],
        "b_better_in": better[1],
        "moving_most": found,
    }


# ---------------------------------------------------------------- all at once


def _among_all(
    tally: Tally, standings: list[Standing], centre: str, drawn: int, level: float, seed: int
) -> tuple[list[Standing], float | None]:
    """Return standings with bands for all at once and membership in the set that holds the best, and its level.

    Means of so many rows are taken to be normal. Forecasts with an infinite loss have no band and are not in the set.
    """
    finite = [one.name for one in standings if not one.infinite_rows]
    if len(standings) < 3 or len(finite) < 2 or drawn < 2:
        return standings, None
    mean = np.array([one.log_loss for one in standings if not one.infinite_rows])
    best = confidence_set_of(mean - mean[0], covariance_of(tally, finite), level=SET_LEVEL, seed=seed)
    bands: dict[str, tuple[float, float]] = {}
    if centre in finite:
        others = [name for name in finite if name != centre]
        gaps = np.array([duel_of(tally, name, centre).mean for name in others])
        covariance = covariance_of(tally, [centre, *others])[1:, 1:]
        wide = simultaneous_of(gaps, covariance, freedom=drawn - 1.0, level=level, seed=seed)
        bands = {name: (float(wide.low[k]), float(wide.high[k])) for k, name in enumerate(others)}
    kept = {name: (bool(best.members[k]), float(best.p_values[k])) for k, name in enumerate(finite)}
    return [
        replace(
            one,
            simultaneous=bands.get(one.name),
            in_best_set=kept.get(one.name, (False, 0.0))[0],
            set_p_value=kept.get(one.name, (False, 0.0))[1],
        )
        for one in standings
    ], SET_LEVEL
