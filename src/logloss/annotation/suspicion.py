"""Suspected label errors: for every row the probability that its label is wrong, and how many there are in all."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss import units
from logloss.annotation import noise
from logloss.annotation.doubts import Suspect, Suspects, order
from logloss.errors import UsageError, listing
from logloss.notes import Note
from logloss.plain import plain
from logloss.sources import Opened, opened
from logloss.stages import staged
from logloss.surprises import class_blocks, per_row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from logloss.record import Observations, Space

    Float = NDArray[np.float64]
    Int = NDArray[np.int64]

__all__ = ["Suspect", "Suspects", "of_record", "suspects"]

FEWEST = 50  # rows below which nothing is fitted
ENOUGH = 100_000  # rows that are fitted; of more, a sample
NUMBERS = 1_000_000  # numbers of a forecast that are fitted, but no fewer than LEAST_SAMPLE rows
LEAST_SAMPLE = 10_000
OVERCONFIDENT = 0.5  # slope below which blunders are the likelier reading
Z95 = 1.959963984540054


def suspects(
    data: Any,
    forecast: Any = None,
    *,
    outcome: Any = None,
    space: Space = "p",
    weight: Any = None,
    ids: Any = None,
    group: Any = None,
    truth: Any = None,
    labels: Sequence[Any] | None = None,
    positive: Any = None,
    normalize_rows: bool = False,
    skip_missing: bool = False,
    skip_unreadable: bool = False,
    rows: int = 20,
) -> Suspects:
    """Find labels that look wrong, each with the probability that it is.

    The recorded label is modelled as the true one passed through rates of error, fitted together with a calibration of
    the forecast; see :mod:`logloss.annotation.noise`. The forecasts must not have been fitted on the labels of these rows
    (cross-validated predictions are fine): a model agrees with labels that it has seen.

    Parameters
    ----------
    data, forecast, outcome, space, weight, ids, group, truth, labels, positive, normalize_rows, skip_missing, skip_unreadable
        As in :func:`logloss.score`. Groups are not looked at.
    rows
        How many of the most suspicious rows to list.

    Returns
    -------
    Suspects
        `expected` wrong labels with an interval, whether they can be told from none, and `probability`, shape (n,).

    Raises
    ------
    LoglossError
        UsageError for a call that does not fit together, DataError for data that cannot be scored.

    Examples
    --------
    >>> import logloss as ll
    >>> y = [0, 1] * 100
    >>> p = [0.01 + 0.001 * (i % 9) if y[i] == 0 else 0.99 - 0.001 * (i % 7) for i in range(200)]
    >>> y[7], y[40], y[90], y[133] = 0, 1, 1, 0
    >>> found = ll.suspects(y, p)
    >>> [row.row for row in found.rows[:4]]
    [7, 133, 90, 40]

    References
    ----------
    Dawid & Skene (1979), Maximum likelihood estimation of observer error-rates using the EM algorithm, J. R. Stat.
    Soc. C 28:20-28.
    """
    found = opened(
        data, forecast, outcome=outcome, space=space, weight=weight, ids=ids, group=group, truth=truth,
        labels=labels, positive=positive, normalize_rows=normalize_rows, skip_missing=skip_missing,
        skip_unreadable=skip_unreadable,
    )  # fmt: skip
    if isinstance(found, Opened) and found.asked.models:
        raise UsageError(
            "one-forecast",
            f"There are several forecasts: {listing(found.asked.models)}.",
            cure="Look at one of them: forecast=... (CLI: --forecast).",
        )
    return of_record(found.record() if isinstance(found, Opened) else found, rows=rows)


@staged("label noise")
def of_record(
    record: Observations, *, rows: int = 20, most: int | None = None, surest: float = 0.0
) -> Suspects:
    """Find the labels of a checked record that look wrong; the fit is to at most `most` of its rows.

    The forecasts of `surest`, a share of the rows, are taken for no surer than that of the next.
    """
    if rows < 0:
        raise UsageError("bad-rows", f"rows is {rows}.", cure="Give the number of rows to list, 0 or more.")
    weight = np.ones(len(record)) if record.weight is None else record.weight
    counts = np.flatnonzero(weight > 0)
    why = _why_not(record, counts)
    if why:
        return _nothing(
            record, len(counts), Note("noise-not-fitted", f"Label errors were not looked for: {why}.")
        )
    sample = _sample(counts, len(record.classes), ENOUGH if most is None else most)
    keep = np.zeros(len(record), bool)
    keep[sample] = True
    margin = np.concatenate([_margin(s) for _, s, _ in class_blocks(record.take(keep))])
    most_sure = float(np.quantile(margin.max(axis=1), 1.0 - surest, method="lower")) if surest else np.inf
    margin = np.minimum(margin, most_sure)
    fitted = noise.fit(margin, record.outcome[keep].astype(np.int64), weight[keep])
    probability, suggested = np.full(len(record), np.nan), np.full(len(record), -1, np.int64)
    low = high = 0.0
    bounded = 0
    for part, s, _ in class_blocks(record):
        label, used = record.outcome[part].astype(np.int64), weight[part] > 0
        margin = np.minimum(_margin(s), most_sure)
        probability[part], suggested[part] = fitted.wrong(margin, label)
        ends = fitted.expected(margin, label)
        low, high = low + float(ends[0][used].sum()), high + float(ends[1][used].sum())
        bounded += int(np.isinf(margin[used]).any(axis=1).sum())
    probability[weight <= 0], suggested[weight <= 0] = np.nan, -1
    result = _result(record, fitted, (probability, suggested, per_row(record)), (low, high), rows)
    notes = _notes(result, fitted, len(sample), bounded)
    return replace(result, notes=(*record.notes, *notes))


def _margin(s: Float) -> Float:
    """Return by how many nats each class lies behind the one that is said."""
    return np.asarray(s - s.min(axis=1, keepdims=True))


def _why_not(record: Observations, counts: Int) -> str:
    """Return why label noise cannot be looked for; nothing where it can."""
    if record.soft:
        return "the outcomes are shares, not labels"
    if len(counts) < FEWEST:
        return f"there {'is' if len(counts) == 1 else 'are'} {units.count(len(counts), 'row')}, and the fit needs {FEWEST}"
    if len(np.unique(record.outcome[counts])) < 2:
        return "all rows are recorded as the same class"
    return ""


def _sample(counts: Int, K: int, most: int) -> Int:
    """Return the rows to fit: all, or of very many a random sample, the same one in every run."""
    most = min(most, max(LEAST_SAMPLE, NUMBERS // K))
    if len(counts) <= most:
        return counts
    return np.sort(np.random.default_rng(0).choice(counts, most, replace=False))


def _nothing(record: Observations, n: int, note: Note) -> Suspects:
    unknown = np.full(len(record), np.nan)
    return Suspects(
        record.classes, n, False, None, None, None, None, None, None, None, (), None, None,
        (*record.notes, note), unknown, np.full(len(record), -1, np.int64), per_row(record), record,
    )  # fmt: skip


def _result(
    record: Observations,
    fitted: noise.Noise,
    each: tuple[Float, Int, Float],
    ends: tuple[float, float],
    rows: int,
) -> Suspects:
    probability, suggested, surprise = each
    known = probability[~np.isnan(probability)]
    n, expected = len(known), float(known.sum())
    chance = Z95**2 * float((known * (1.0 - known)).sum())  # of the number itself, its mean known
    low = expected - math.hypot(max(expected - ends[0], 0.0), math.sqrt(chance))
    high = expected + math.hypot(max(ends[1] - expected, 0.0), math.sqrt(chance))
    found = np.cumsum(np.sort(known)[::-1])
    listed = order(probability, surprise)[: min(rows, n)]
    return Suspects(
        classes=record.classes,
        n=n,
        supported=fitted.supported,
        expected=expected,
        interval=(max(low, 0.0), min(high, float(n))),
        rate=expected / n,
        rate_interval=(ends[0] / n, ends[1] / n),
        p_value=fitted.p_value,
        noise=tuple(tuple(float(rate) for rate in line) for line in fitted.matrix),
        slope=fitted.calibration.slope,
        rows=tuple(
            Suspect(
                record.row_number(int(at)),
                None if record.ids is None else plain(record.ids[at]),
                plain(record.classes[int(record.outcome[at])]),
                plain(record.classes[int(suggested[at])]),
                float(probability[at]),
                float(surprise[at]),
            )
            for at in listed
        ),
        half=int(np.searchsorted(found, 0.5 * expected) + 1),
        most=int(np.searchsorted(found, 0.9 * expected) + 1),
        notes=(),
        probability=probability,
        suggested=suggested,
        surprise=surprise,
        observations=record,
    )


def _notes(result: Suspects, fitted: noise.Noise, used: int, bounded: int) -> list[Note]:
    assert result.interval is not None
    notes = []
    if used < result.n:
        told = (
            f"The rates were fitted to a random {used:,} of {result.n:,} rows; every row got its probability."
        )
        notes.append(Note("noise-sampled", told))
    if bounded:
        told = f"Probabilities of exactly 0: {units.count(bounded, 'row')}. In this model alone they stand for odds of exp({fitted.calibration.limit:.3g}) to one, twice the largest finite odds among the forecasts."
        notes.append(Note("noise-bounded", told))
    if not fitted.supported:
        told = f"Wrong labels cannot be told from none: a calibration of the forecast explains its errors as well (p = {fitted.p_value:.2g}). The rows listed are no findings; up to about {result.interval[1]:.0f} wrong labels would go unnoticed."
        notes.append(Note("noise-unsupported", told))
    else:
        weak = ""
        if fitted.calibration.slope < OVERCONFIDENT:
            weak = f" This one is over-confident (its log-odds fit at a factor of {fitted.calibration.slope:.2f}), which makes that likelier."
        told = f"A forecast that blunders with confidence on some rows looks the same as wrong labels.{weak} A look at the first {units.count(min(result.half or 1, 20), 'row')} decides."
        notes.append(Note("noise-or-blunders", told))
    told = "This holds for forecasts that were not fitted on these labels (held-out or cross-validated): a model agrees with the labels it has seen, wrong or not."
    return [*notes, Note("noise-unseen-labels", told)]
