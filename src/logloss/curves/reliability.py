"""Do the forecasts mean what they say? Reliability curves with bands, and expected against observed loss by bin."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from logloss import units
from logloss.calibrate.isotonic import Pooled, isotonic
from logloss.curves.bands import (
    MOST_BLOCKS,
    band_by_counts,
    confidence_band,
    consistency_band,
    draws_by_counts,
)
from logloss.curves.binning import binomial_interval, merged, pools
from logloss.curves.events import events_of_classes, main_events
from logloss.curves.gridpools import is_soft, pools_of
from logloss.curves.results import Band, Belief, Bins, Curve, Reliability, Steps
from logloss.errors import AlignmentError, UsageError, listing
from logloss.notes import Note
from logloss.panel import Panel
from logloss.plain import plain
from logloss.sources import gather
from logloss.stages import staged
from logloss.summaries import saved

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from logloss.curves.binning import Events, Pools
    from logloss.record import Observations, Space
    from logloss.summary import Summary

    Float = NDArray[np.float64]

__all__ = ["of_record", "of_summary", "reliability"]

MOST_POINTS = 1000  # of a curve; more distinct forecasts are put together first
MOST_CURVES = 20  # classes that get a curve of their own


def reliability(
    data: Any,
    forecast: Any = None,
    *,
    outcome: Any = None,
    space: Space = "p",
    weight: Any = None,
    ids: Any = None,
    truth: Any = None,
    labels: Sequence[Any] | None = None,
    positive: Any = None,
    normalize_rows: bool = False,
    skip_missing: bool = False,
    skip_unreadable: bool = False,
    band: Band = "consistency",
    bands: int = 500,
    level: float = 0.90,
    seed: int = 0,
    bins: int = 15,
) -> Reliability:
    """Return the reliability curve: how often it happens where the forecast says p. In bins of its own choosing.

    The curve is the isotonic regression of what happened on the forecast (Dimitriadis, Gneiting, Jordan 2021, PNAS
    118:e2016191118), so no bins have to be chosen for it; the bins beside it show the same with exact intervals, and
    the loss that the forecasts expected there.

    Parameters
    ----------
    data, forecast, outcome, space, weight, ids, truth, labels, positive, normalize_rows, skip_missing, skip_unreadable
        As in :func:`logloss.score`; all rows are held in memory. Of a summary the curve is drawn in its bins.
    band
        "consistency": the curve would lie in it, at each point with probability `level`, if the forecasts were right.
        "confidence": the truth lies in it, at all points together with probability `level`; wider.
    bands
        How often outcomes are drawn for the consistency band.
    level
        Probability of the band and of the bins' intervals.
    seed
        Of the draws: the same seed, the same band.
    bins
        How many bins of equal weight. Equal forecasts are in one bin, and so are those of exactly 0 and exactly 1.

    Returns
    -------
    Reliability

    Raises
    ------
    LoglossError
        UsageError for a call that does not fit together, DataError for data that cannot be scored.

    Examples
    --------
    >>> import logloss as ll
    >>> found = ll.reliability([0, 0, 1, 0, 1, 1], [0.1, 0.2, 0.3, 0.6, 0.8, 0.9])
    >>> found.curve.steps.fitted.tolist()
    [0.0, 0.0, 0.5, 0.5, 1.0, 1.0]
    """
    kept = saved(data, forecast, outcome, weight, ids, truth, labels, positive)
    if isinstance(kept, Panel):
        raise UsageError(
            "one-forecast",
            f"There are several forecasts: {listing(kept.names)}.",
            cure="Draw one of them: panel.summaries[name].",
        )
    if kept is not None:
        return of_summary(kept, band=band, bands=bands, level=level, seed=seed, bins=bins)
    record = gather(
        data, forecast, outcome=outcome, space=space, weight=weight, ids=ids, truth=truth, labels=labels,
        positive=positive, normalize_rows=normalize_rows, skip_missing=skip_missing,
        skip_unreadable=skip_unreadable,
    )  # fmt: skip
    return of_record(record, band=band, bands=bands, level=level, seed=seed, bins=bins)


@staged("reliability curve")
def of_record(
    record: Observations,
    *,
    band: Band = "consistency",
    bands: int = 500,
    level: float = 0.90,
    seed: int = 0,
    bins: int = 15,
) -> Reliability:
    """Return the reliability of a checked record; see :func:`reliability`."""
    _check(band, bands, level, bins)
    events = main_events(record)
    if not len(events.weight):
        raise AlignmentError("no-rows", "No row counts.", cure="Give rows with a weight above 0.")
    notes = list(record.notes)
    draw = partial(_curve, band=band, bands=bands, level=level, bins=bins)
    two = len(record.classes) == 2
    curve, belief = draw(record.classes[1] if two else None, events, seed=(seed,), notes=notes)
    by_class: dict[Any, Curve] = {}
    if not two:
        chosen = _heaviest(record, notes)
        for k, one in zip(chosen, events_of_classes(record, chosen), strict=True):
            by_class[plain(record.classes[k])], _ = draw(
                plain(record.classes[k]), one, seed=(seed, k + 1), notes=[]
            )
    if record.soft and band == "consistency":
        notes.append(_OF_SHARES)
    assert belief is not None
    return Reliability(curve, by_class, belief, band, level, bands, seed, len(events.weight), tuple(notes))


def of_summary(
    summary: Summary,
    *,
    band: Band = "consistency",
    bands: int = 500,
    level: float = 0.90,
    seed: int = 0,
    bins: int = 15,
) -> Reliability:
    """Return the reliability of what one pass kept, drawn in its bins of log-odds; see :func:`reliability`.

    With more columns than one it is that of the first choice; what was expected of each bin is not known then.
    """
    _check(band, bands, level, bins)
    found = pools_of(summary)
    groups, _ = merged(found, MOST_POINTS if band == "consistency" else MOST_BLOCKS)
    low, high = (
        confidence_band(groups, level=level)
        if band == "confidence"
        else band_by_counts(groups, bands=bands, level=level, seed=(seed,))
    )
    event = summary.classes[1] if summary.binary else None
    curve, belief = _drawn(event, found, groups, (low, high), band=band, level=level, bins=bins)
    text = f"Drawn in {units.count(len(found), 'bin')} of log-odds, 1/16 wide, not row by row: what lies in one bin is taken to be one forecast."
    if summary.weighted:
        text += " Weights are taken to be spread alike in every bin; it is by their squares that intervals and bands are as wide as they are."
    if not summary.binary:
        text += " It is about the first choice; single classes, and the loss expected in each bin, cannot be told from bins."
    notes = [*summary.told(), Note("in-bins", text)]
    if is_soft(summary) and band == "consistency":
        notes.append(_OF_SHARES)
    return Reliability(curve, {}, belief, band, level, bands, seed, summary.n, tuple(notes))


_OF_SHARES = Note("band-of-shares", "The band is that of outcomes that happen or not; shares vary less than these, so it is too wide.")  # fmt: skip


def _check(band: str, bands: int, level: float, bins: int) -> None:
    if band not in get_args(Band):
        raise UsageError(
            "unknown-band", f"{band!r} is not a band.", cure="There are 'consistency' and 'confidence'."
        )
    if not 0 < level < 1:
        raise UsageError(
            "bad-level",
            f"level is {level}, but it is a probability.",
            cure="Give one between 0 and 1, such as 0.9.",
        )
    if bands < 20 or bins < 1:
        raise UsageError(
            "bad-count",
            f"bands is {bands}, bins is {bins}.",
            cure="Draw 20 or more, and ask for 1 bin or more.",
        )


def _curve(
    event: Any, events: Events, *, band: Band, bands: int, level: float, bins: int, seed: tuple[int, ...], notes: list[Note],
) -> tuple[Curve, Belief | None]:  # fmt: skip
    """Return the curve of one event, and expected against observed loss where the events carry it."""
    distinct, order, starts = pools(events)
    groups, first = merged(distinct, MOST_POINTS if band == "consistency" else MOST_BLOCKS)
    if len(groups) < len(distinct):
        text = f"{len(distinct):,} distinct forecasts were put together into {len(groups):,} groups of about equal weight, of which the curve and its band are drawn."
        notes.append(Note("curve-grouped", text))
    if band == "confidence":
        low, high = confidence_band(groups, level=level)
    else:
        low, high = consistency_band(
            groups, events, order, starts[first], bands=bands, level=level, seed=seed
        )
        if len(groups) < len(distinct) and draws_by_counts(groups, events):
            text = "For the band, the outcomes of a group were drawn together, as if its rows had one forecast and equal weights: mean and variance are those of its rows."
            notes.append(Note("band-by-groups", text))
    return _drawn(event, distinct, groups, (low, high), band=band, level=level, bins=bins)


def _drawn(
    event: Any, distinct: Pools, groups: Pools, span: tuple[Float, Float], *, band: Band, level: float, bins: int,
) -> tuple[Curve, Belief | None]:  # fmt: skip
    """Return the curve through groups with its band, and the bins made of distinct forecasts."""
    low, high = span
    fitted = isotonic(Pooled(groups.forecast, groups.weight, groups.share))
    shown = fitted if band == "consistency" else groups.forecast
    beyond = (shown < low) | (shown > high)
    outside = float(groups.weight[beyond].sum() / groups.weight.sum())
    steps = Steps(groups.forecast, groups.odds, groups.rows, groups.weight, groups.share, fitted, low, high)
    binned, _ = merged(distinct, bins)
    interval = binomial_interval(binned.share, binned.effective(), level)
    bars = Bins(binned.forecast, binned.odds, binned.rows, binned.weight, binned.share, *interval)
    return Curve(plain(event), steps, bars, outside), _belief(binned) if binned.beside else None


def _belief(binned: Pools) -> Belief:
    sums = binned.beside
    infinite = sums["infinite"] > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        expected, finite = sums["expected"] / sums["known"], sums["surprise"] / sums["known"]
        z = (sums["surprise"] - sums["expected"]) / np.sqrt(sums["variance"])
    # Forecasts of exactly one half, like those of exactly 0 and 1, expect one loss; what rounding leaves is no variance.
    certain = np.sqrt(sums["variance"]) <= 1e-12 * sums["expected"]
    z = np.where(infinite | certain, np.nan, z)
    surprise = np.where(infinite, np.inf, finite)
    return Belief(binned.forecast, binned.odds, binned.rows, binned.weight, sums["infinite"], expected, surprise,
                  finite - expected, z)  # fmt: skip


def _heaviest(record: Observations, notes: list[Note]) -> list[int]:
    """Return the classes that get a curve, in their order: those that happened most."""
    K = len(record.classes)
    if K <= MOST_CURVES:
        return list(range(K))
    w = np.ones(len(record)) if record.weight is None else record.weight
    weight = w @ record.outcome if record.soft else np.bincount(record.outcome, w, minlength=K)
    notes.append(
        Note(
            "curves-left-out",
            f"Of {K:,} classes the {MOST_CURVES} that happened most have a curve of their own.",
        )
    )
    return sorted(np.argsort(-weight, kind="stable")[:MOST_CURVES].tolist())
