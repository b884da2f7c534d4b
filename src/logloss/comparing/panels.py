"""What a pass kept of several forecasts -> the referee's answer; and what is to be told of it that rows would tell."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from logloss import units
from logloss.comparing.crowds import SET_LEVEL
from logloss.comparing.drawn import by_group, covariance_of, duel_of, interval_of, mean_of, single_of
from logloss.comparing.ranks import behind, chosen
from logloss.comparing.recovered import tally_of
from logloss.comparing.results import Comparison, Standing
from logloss.comparing.tallied import pair_of_tally, read_as_hypotheses
from logloss.errors import UsageError
from logloss.interval import FEW_CLUSTERS
from logloss.multiplicity.confidencesets import confidence_set_of
from logloss.multiplicity.simultaneous import simultaneous_of
from logloss.notes import Note

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from logloss.comparing.tallies import Tally
    from logloss.panel import Panel

    Float = NDArray[np.float64]

__all__ = ["of_panel", "of_tally"]


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
    chosen(names, reference)
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
    pairs = [pair_of_tally(tally, a, b, drawn, level) for a, b in couples]
    said = list(notes)
    if tally.groups is not None:
        pairs = [replace(pair, beside={"groups": by_group(tally, pair.a, pair.b)}) for pair in pairs]
        if drawn < FEW_CLUSTERS:
            told = f"Of {units.count(drawn, 'group')} little can be said: with fewer than {FEW_CLUSTERS}, intervals cover less than they promise."
            said.append(Note("few-groups", told))
    pairs[0] = read_as_hypotheses(tally, pairs[0])
    if pairs[0].infinite_both:
        told = f"{units.count(pairs[0].infinite_both, 'row')} infinite under both {pairs[0].a!r} and {pairs[0].b!r} tell nothing of their difference, which leaves them out."
        said.append(Note("infinite-under-both", told))
    said.append(Note("compared-in-a-pass", PASSED))
    standings, set_level = _among_all(
        tally, [behind(alone[name], centre, pairs) for name in order], centre, drawn, level, seed
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
