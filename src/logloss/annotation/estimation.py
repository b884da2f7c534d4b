"""The log loss of a file of which only some rows are labelled."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss import forensics, units
from logloss.annotation.estimates import Estimate, Known
from logloss.annotation.estimators import Drawn, Estimated
from logloss.annotation.unlabelled import partly
from logloss.errors import UsageError, listing
from logloss.notes import Note
from logloss.stages import staged
from logloss.surprises import class_blocks, columns_of, parts, per_row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from logloss.record import Observations, Space

    Float = NDArray[np.float64]

__all__ = ["estimate", "of_record"]

FEW, FEW_OF_CLASS = 30, 10  # labels below which an interval is not to be relied on
MUCH = 0.2  # of the sum of surprises in one row
FAR = 3.0  # standard errors


def estimate(
    data: Any,
    forecast: Any = None,
    *,
    outcome: str | Sequence[str] | None = None,
    space: Space = "p",
    weight: Any = None,
    ids: Any = None,
    truth: Any = None,
    labels: Sequence[Any] | None = None,
    positive: Any = None,
    normalize_rows: bool = False,
    skip_missing: bool = False,
    skip_unreadable: bool = False,
    inclusion: Any = None,
    level: float = 0.95,
    width: float | None = None,
) -> Estimate:
    """Estimate the log loss of all rows from those that are labelled.

    A row without an outcome (None, NaN, empty text; with `truth`, an id that is not there) is unlabelled. It must have a
    forecast: what the forecasts expect of all rows makes the estimate surer.

    Parameters
    ----------
    data, forecast, outcome, space, weight, ids, truth, labels, positive, normalize_rows, skip_unreadable
        As for :func:`logloss.score`; all rows are held in memory.
    skip_missing
        Leave out rows with a missing forecast or weight (noted).
    inclusion
        The probability with which each labelled row was to be drawn for labelling: a column (of the outcomes' table or
        the forecasts'), or an array of shape (n,) whose values for unlabelled rows may be NaN. Without it, the labelled
        rows are taken for a simple random sample of the file.
    level
        Coverage of the intervals.
    width
        A total width (high - low, in nats) that the interval should have: `more` says how many labels that takes.

    Returns
    -------
    Estimate

    Raises
    ------
    LoglossError
        UsageError for a call that does not fit together; WeightError for inclusion probabilities that are missing or
        0 on labelled rows; other DataErrors for data that cannot be scored.

    Notes
    -----
    With s the surprise and H the entropy of a row, b = cov(s, H) / var(H) over the n labelled rows:
    estimate = mean(s) + b (mean of H over the file - mean(H)); its standard error that of the residuals (n - 2 degrees of
    freedom) times sqrt(1/n - 1/N). With fewer than 30 labels it is mean(s). Intervals allow for skewness by Hall's transformation.

    References
    ----------
    Cochran (1977), Sampling Techniques; Särndal, Swensson and Wretman (1992), Model Assisted Survey Sampling; Angelopoulos,
    Duchi and Zrnic (2023), PPI++, arXiv:2311.01453; Hall (1992), J. R. Stat. Soc. B 54:221-228.

    Examples
    --------
    >>> import logloss as ll
    >>> y = [1, 0, None, 1, None, 0, 1, None]
    >>> p = [0.8, 0.3, 0.9, 0.6, 0.2, 0.1, 0.4, 0.5]
    >>> result = ll.estimate(y, p)
    >>> result.labelled, result.rows, round(result.log_loss, 4), round(result.expected, 4)
    (5, 8, 0.4225, 0.5376)
    """
    found = partly(
        data, forecast, outcome=outcome, space=space, weight=weight, ids=ids, truth=truth, labels=labels,
        positive=positive, normalize_rows=normalize_rows, skip_missing=skip_missing,
        skip_unreadable=skip_unreadable, inclusion=inclusion,
    )  # fmt: skip
    return of_record(
        found.record,
        found.labelled,
        inclusion=found.inclusion,
        level=level,
        width=width,
        id_name=found.id_name,
    )


@staged("estimating")
def of_record(
    record: Observations,
    labelled: NDArray[np.bool_],
    *,
    inclusion: Float | None = None,
    level: float = 0.95,
    width: float | None = None,
    id_name: str = "id",
) -> Estimate:
    """Estimate the log loss of a checked record of all rows, of which some are `labelled`, shape (n,).

    The outcomes of the others do not matter. `inclusion`, shape (n,), may be NaN where a row is not labelled.
    """
    if not 0 < level < 1:
        raise UsageError(
            "bad-level",
            f"level is {level}, but it is a probability.",
            cure="Give one between 0 and 1, such as 0.95.",
        )
    known, exposed = _known(record, labelled, inclusion, id_name)
    drawn, infinite = _drawn(known)
    total = float(known.weight.sum())
    expected = float((known.weight * known.entropy).sum()) / total
    slope, estimates = _estimates(drawn, level)
    n = int(known.labelled.sum())
    method = "regression" if len(drawn.s) >= FEW else "labelled"  # a slope from few rows is worse than none
    chosen = estimates.get(method, Estimated(math.nan))
    sure = not infinite and chosen.low is not None and chosen.high is not None
    some = len(drawn.s) > 2
    deviation = _deviation(drawn, slope) if some else _believed(known)
    result = Estimate(
        log_loss=math.inf if infinite else chosen.mean,
        log_loss_finite=chosen.mean,
        standard_error=chosen.standard_error if sure else None,
        interval=(chosen.low, chosen.high) if sure else None,  # type: ignore[arg-type]
        interval_population=(chosen.population_low, chosen.population_high) if sure else None,  # type: ignore[arg-type]
        level=level,
        labelled=n,
        rows=len(known.weight),
        method=method,
        estimates=estimates,
        expected=expected,
        slope=slope,
        correlation=drawn.correlation() if some else None,
        gain=_gain(drawn, slope) if some else None,
        infinite_rows=infinite,
        exposed=exposed,
        width=width,
        more=None,
        notes=(*record.notes, *_notes(known, drawn, infinite, exposed)),
        deviation=deviation,
        known=known,
    )
    if width is None:
        return result
    return replace(result, more=result.more_labels(width))


def _known(
    record: Observations, labelled: NDArray[np.bool_], inclusion: Float | None, id_name: str
) -> tuple[Known, int]:
    """Return what is known of every row that counts, and how many unlabelled ones may be infinite."""
    counts = np.ones(len(record), bool) if record.weight is None else record.weight > 0
    if not counts.all():
        record, labelled = record.take(counts), labelled[counts]
        inclusion = None if inclusion is None else inclusion[counts]
    entropy, variance = np.empty(len(record)), np.empty(len(record))
    for part in parts(record):
        columns = columns_of(record, part)
        entropy[part], variance[part] = columns.entropy, columns.variance
    exposed = sum(
        int((np.isinf(s).any(axis=1) & ~labelled[part]).sum()) for part, s, _ in class_blocks(record)
    )
    weight = np.ones(len(record)) if record.weight is None else record.weight
    if inclusion is not None and _alike(inclusion[labelled]):
        inclusion = np.where(np.isnan(inclusion), inclusion[labelled][0], inclusion)
    return Known(record, labelled, per_row(record), entropy, variance, weight, inclusion, id_name), exposed


def _alike(values: Float) -> bool:
    return bool(len(values)) and bool((values == values[0]).all())


def _drawn(known: Known) -> tuple[Drawn, int]:
    """Return the labelled rows with finite surprise, and how many are infinite."""
    finite = known.labelled & np.isfinite(known.surprise)
    pi = None if known.inclusion is None else known.inclusion[finite]
    if pi is not None and _alike(pi):  # given their number, all samples are as likely: a simple random one
        pi = None
    total = float(known.weight.sum())
    drawn = Drawn(
        s=known.surprise[finite],
        H=known.entropy[finite],
        weight=known.weight[finite],
        rows=len(known.weight),
        expected=float((known.weight * known.entropy).sum()) / total,
        total_weight=total,
        inclusion=pi,
    )
    return drawn, int((known.labelled & np.isinf(known.surprise)).sum())


def _estimates(drawn: Drawn, level: float) -> tuple[float, dict[str, Estimated]]:
    if not len(drawn.s):
        return math.nan, {}
    slope = drawn.slope() if len(drawn.s) > 2 else 0.0
    found = {
        "regression": drawn.estimate(slope, level, spent=2),
        "labelled": drawn.estimate(0.0, level),
        "difference": drawn.estimate(1.0, level),
    }
    if drawn.inclusion is not None:
        found["horvitz_thompson"] = drawn.horvitz_thompson(level)
    return slope, found


def _deviation(drawn: Drawn, slope: float, spent: int = 2) -> float:
    """Return the standard deviation of what one labelled row adds to the estimate."""
    share = drawn.share
    residual = drawn.s - slope * drawn.H
    n = len(residual)
    u = n * share * (residual - float((share * residual).sum()))
    return math.sqrt(float((u**2).sum()) / (n - spent)) if n > spent else math.nan


def _believed(known: Known) -> float:
    """Return what the forecasts expect it to be: that of s - H."""
    w = known.weight / known.weight.mean()
    return math.sqrt(float((w**2 * known.variance).mean()))


def _gain(drawn: Drawn, slope: float) -> float | None:
    alone, helped = _deviation(drawn, 0.0, 1), _deviation(drawn, slope)
    return alone**2 / helped**2 if helped > 0 else None


def _notes(known: Known, drawn: Drawn, infinite: int, exposed: int) -> list[Note]:
    """Say what the estimate rests on, and what it cannot know."""
    n, rows = int(known.labelled.sum()), len(known.labelled)
    if not n:
        return [Note("no-labels", "No row is labelled: only what the forecasts expect of themselves is known, which is their loss if they are calibrated. Over-confident forecasts expect less than they get.")]  # fmt: skip
    seen = known.record.take(known.labelled)
    notes = [*forensics.examine(seen, known.surprise[known.labelled]), *_design(known, n, rows)]
    if infinite:
        notes.append(Note("infinite-label", f"Infinite surprise: {units.count(infinite, 'labelled row')} ({known.record.places(np.flatnonzero(known.labelled & np.isinf(known.surprise)))}). The file's log loss is infinite; the estimates are of the mean over rows with finite surprise."))  # fmt: skip
    if exposed and not infinite:
        notes.append(Note("exposed-rows", f"A class is forecast with exactly 0: {units.count(exposed, 'unlabelled row')}. Should it be the outcome of one of them, the file's log loss is infinite, which no interval tells."))  # fmt: skip
    if n < FEW:
        notes.append(Note("few-labels", f"{units.count(n, 'row')} labelled: too few for an interval to be relied on; label at least {FEW}."))  # fmt: skip
    notes += _rare(known)
    cost = drawn.share * drawn.s
    if n >= FEW and len(cost) and cost.max() > MUCH * cost.sum():
        top = known.record.places(np.flatnonzero(known.labelled & np.isfinite(known.surprise))[[int(cost.argmax())]])  # fmt: skip
        notes.append(Note("one-label-dominates", f"One labelled row carries {units.percent(float(cost.max() / cost.sum()))} of the loss ({top}): rows like it, not labelled yet, decide; the interval may be too narrow."))  # fmt: skip
    if drawn.inclusion is None and known.record.weight is not None and np.ptp(known.weight) > 0:
        notes.append(Note("weights-linearised", "With weights the estimates are ratios of sums; their intervals are those of the ratios made linear, which takes some tens of labels to hold."))  # fmt: skip
    return notes


def _design(known: Known, n: int, rows: int) -> list[Note]:
    if n == rows:
        return [Note("all-labelled", "Every row is labelled, so the mean is known and not estimated; score says more.")]  # fmt: skip
    if known.inclusion is not None and not _alike(known.inclusion[known.labelled]):
        pi = known.inclusion[known.labelled]
        spread = math.sqrt(float(((1.0 - pi) / pi**2).sum()))
        off = float((1.0 / pi).sum()) - rows
        if abs(off) <= (FAR + 1) * spread:
            return []
        return [Note("inclusion-off", f"The inclusion probabilities do not fit: the {n:,} labelled rows stand for {float((1.0 / pi).sum()):,.0f} rows, but there are {rows:,}. Were all drawn rows labelled, and are these probabilities, not shares of a sum?")]  # fmt: skip
    notes = [Note("assumes-random", "The interval takes the labelled rows for a random sample of the file. If they were picked in another way, give inclusion= (CLI: --inclusion).")]  # fmt: skip
    a, b = known.entropy[known.labelled], known.entropy[~known.labelled]
    error = math.sqrt(a.var() / len(a) + b.var() / len(b))
    z = float(a.mean() - b.mean()) / error if error > 0 else 0.0
    if min(len(a), len(b)) >= FEW_OF_CLASS and abs(z) > FAR:
        notes.append(Note("not-random", f"This is not a random sample: the forecasts of the labelled rows are {'more' if z > 0 else 'less'} uncertain (mean entropy {units.loss(float(a.mean()))}) than those of the others ({units.loss(float(b.mean()))}; z = {z:.1f}). The estimate may be far off."))  # fmt: skip
    return notes


def _rare(known: Known) -> list[Note]:
    """Name the classes of which few rows are labelled."""
    record = known.record.take(known.labelled)
    seen = np.zeros(len(record.classes))
    for _, _, share in class_blocks(record):
        seen += share.sum(axis=0)
    few = [(label, count) for label, count in zip(record.classes, seen, strict=True) if count < FEW_OF_CLASS]
    if not few or len(record) < FEW:
        return []
    told = listing([f"{label!r}: {count:g}" for label, count in few], limit=5)
    return [Note("few-of-a-class", f"Classes with fewer than {FEW_OF_CLASS} labelled rows ({told}): what such rows cost is hardly known, and the interval may be too narrow.")]  # fmt: skip
