"""Noise, discrimination, miscalibration: loss = uncertainty - discrimination + miscalibration.

With S(f) the loss of a forecast, r the rows' own class shares, and c the forecast recalibrated by a map g,

    uncertainty     S(r)           what the outcomes cost without any forecast
    discrimination  S(r) - S(c)    what telling rows apart saves
    miscalibration  S(f) - S(c)    what saying it in the wrong probabilities costs

Two classes: g is isotonic regression (CORP: Dimitriadis, Gneiting, Jordan 2021, PNAS 118:e2016191118), which holds for
every proper score at once. More classes: g has an offset and a temperature for each class, the variational form
(Berta, Holzmueller, Jordan, Bach 2025, arXiv:2501.19195). Fitted on the rows themselves, miscalibration is too large - a
perfectly calibrated forecast of 1,000 rows shows 0.018 nats -, fitted on others it is too small: in expectation the two
enclose the truth, and both are given.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss import interval
from logloss.baselines import class_base_rates
from logloss.calibrate.isotonic import isotonic, pool
from logloss.figures.drawing import Framed
from logloss.plain import jsonable
from logloss.sources import gather
from logloss.stages import staged
from logloss.surprises import class_blocks, per_row
from logloss.why import budgets
from logloss.why.remedies import Remedies, flexible, in_sample, remedies

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from logloss.figures.drawing import Drawings
    from logloss.record import Observations, Space
    from logloss.why.gridfits import Binned
    from logloss.why.steps import Step

    Float = NDArray[np.float64]

__all__ = ["Decomposition", "Entry", "Parts", "decompose", "of_record"]


@dataclass(frozen=True)
class Parts:
    """uncertainty - discrimination + miscalibration = the loss, in nats."""

    uncertainty: float
    discrimination: float
    miscalibration: float

    @property
    def log_loss(self) -> float:
        """What the parts add up to."""
        return self.uncertainty - self.discrimination + self.miscalibration


@dataclass(frozen=True)
class Entry:
    """One bar of the loss budget: its nats, and the total up to it."""

    name: str
    nats: float
    total: float


@dataclass(frozen=True, eq=False, repr=False)
class Decomposition(Framed):
    """What a log loss consists of. In nats.

    Attributes
    ----------
    method
        "isotonic" or "affine per class": the map that tells miscalibration from the rest.
    in_sample, cross_fitted
        The parts with the map fitted on the rows themselves, and on the other folds; the latter's miscalibration
        may be below 0: recalibrating would not have helped. None for fewer than 20 rows.
    interval
        Of the cross-fitted miscalibration; None where undefined (infinite, or not cross-fitted).
    discrimination_interval
        Of the cross-fitted discrimination.
    remedies
        What miscalibration consists of: the maps that lower the loss of new rows, one on top of the other. None
        where nothing is cross-fitted.
    budget
        From the base rate to the loss: base rate, discrimination, then each supported step. The nats add up. Where rows
        are infinite, the steps and the budget are those of the others, and "infinite" comes last.
    binned
        What was told from the bins of a summary instead; None where the rows are known.
    """

    log_loss: float
    method: str
    in_sample: Parts
    cross_fitted: Parts | None
    interval: tuple[float, float] | None
    discrimination_interval: tuple[float, float] | None
    remedies: Remedies | None = field(repr=False)
    budget: tuple[Entry, ...]
    binned: Binned | None = None

    def _drawings(self) -> Drawings:
        from logloss.figures.budget import BUDGET

        return {"budget": BUDGET}

    def __str__(self) -> str:
        """One screen of text."""
        return self.show()

    def show(self, unit: str = "nats") -> str:
        """Return one screen of text with losses in `unit`."""
        return budgets.budget(self, unit)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The supported steps, in the order they were chosen."""
        found = self.remedies or self.binned
        return () if found is None else found.steps

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; "inf" where infinite, None where undefined."""
        found = self.remedies or self.binned
        state: dict[str, Any] = jsonable(
            {
                "log_loss": self.log_loss,
                "method": self.method,
                "decomposition": asdict(self.in_sample),
                "decomposition_cross_fitted": None
                if self.cross_fitted is None
                else asdict(self.cross_fitted),
                "miscalibration_interval": self.interval,
                "discrimination_interval": self.discrimination_interval,
                "steps": [asdict(step) for step in self.steps],
                "tried": [] if found is None else [asdict(step) for step in found.tried],
                "folds": None if self.remedies is None else self.remedies.folds,
                "bins": None if self.binned is None else self.binned.to_dict(),
                "budget": [asdict(entry) for entry in self.budget],
            }
        )
        return state


def decompose(
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
    counts: bool = False,
    cross_fit: bool = True,
) -> Decomposition:
    """Split a log loss into uncertainty, discrimination and miscalibration, and the last into what would mend it.

    Parameters
    ----------
    data, forecast, outcome, space, weight, ids, group, truth, labels, positive, normalize_rows, skip_missing, counts
        As in :func:`logloss.score`; all rows are held in memory. With groups, folds keep groups whole.
    cross_fit
        Whether to fit the maps on other folds too. Without it only `in_sample` is given, which is too pessimistic.

    Returns
    -------
    Decomposition
        In nats: `in_sample`, `cross_fitted`, `steps`, `budget`.

    Raises
    ------
    LoglossError
        UsageError for a call that does not fit together, DataError for data that cannot be scored.

    Examples
    --------
    >>> import logloss as ll
    >>> parts = ll.decompose([0, 0, 1, 0, 1, 1], [0.1, 0.2, 0.3, 0.6, 0.8, 0.9]).in_sample
    >>> round(parts.uncertainty, 4), round(parts.discrimination, 4), round(parts.miscalibration, 4)
    (0.6931, 0.4621, 0.2318)

    References
    ----------
    Dimitriadis, Gneiting, Jordan (2021), Stable reliability diagrams for probabilistic classifiers, PNAS
    118:e2016191118.
    """
    record = gather(
        data, forecast, outcome=outcome, space=space, weight=weight, ids=ids, group=group, truth=truth, labels=labels,
        positive=positive, normalize_rows=normalize_rows, skip_missing=skip_missing, counts=counts,
    )  # fmt: skip
    return of_record(record, cross_fit=cross_fit)


@staged("decomposing the loss")
def of_record(
    record: Observations, *, cross_fit: bool = True, surprise: Float | None = None
) -> Decomposition:
    """Decompose the log loss of a checked record; `surprise` is that of each row, if it is known already."""
    s = per_row(record) if surprise is None else surprise
    weight = np.ones(len(record)) if record.weight is None else record.weight
    counts = weight > 0
    loss = math.inf if np.isinf(s[counts]).any() else _mean(s, weight)
    shares = _class_shares(record, weight)
    uncertainty = float(-(shares[shares > 0] * np.log(shares[shares > 0])).sum())
    two = len(record.classes) == 2
    recalibrated = _isotonic_loss(record, weight) if two else _mean(in_sample(record), weight)
    inside = Parts(uncertainty, uncertainty - recalibrated, loss - recalibrated)
    found = remedies(record) if cross_fit else None
    outside, span, told = None, None, None
    if found is not None:
        outside, span, told = _cross_fitted(record, s, weight, found, loss)
    budget = _budget(uncertainty, loss, recalibrated, found)
    finite = counts & np.isfinite(s)
    if math.isinf(loss) and finite.any():  # the steps and the budget are about the other rows
        rest = of_record(record.take(finite), cross_fit=cross_fit)
        budget = (*rest.budget, Entry("infinite", math.inf, math.inf))
        found = (
            None
            if found is None or rest.remedies is None
            else replace(found, steps=rest.steps, tried=rest.remedies.tried)
        )
    return Decomposition(
        loss,
        "isotonic" if two else "affine per class",
        inside,
        outside,
        span,
        told,
        found,
        budget,
    )


@staged("decomposing the loss")
def recalibrated_loss(record: Observations, *, cross_fit: bool = True) -> tuple[float, str]:
    """Return the loss after the richest map, and which map that is: all that the parts of a difference need of `of_record`."""
    two = len(record.classes) == 2
    weight = np.ones(len(record)) if record.weight is None else record.weight
    kind = "isotonic" if two else "affine per class"
    after = flexible(record) if cross_fit else None
    if after is not None:
        return _mean(after, weight), f"{kind}, cross-fitted"
    loss = _isotonic_loss(record, weight) if two else _mean(in_sample(record), weight)
    return loss, f"{kind}, in sample"


def _mean(values: Float, weight: Float) -> float:
    """Return the weighted mean of the rows with a weight."""
    return float(np.where(weight > 0, weight * np.where(weight > 0, values, 0.0), 0.0).sum()) / float(
        weight.sum()
    )


def _class_shares(record: Observations, weight: Float) -> Float:
    """Return the weighted share of each class in the outcomes, shape (K,)."""
    K = len(record.classes)
    if not record.soft:
        code = record.outcome.astype(np.int64, copy=False)
        mass = np.bincount(code, weight, minlength=K).astype(np.float64, copy=False)
    else:
        t = record.outcome.astype(np.float64, copy=False)
        both = np.column_stack([1 - t, t]) if t.ndim == 1 else t
        mass = (weight[:, None] * both).sum(axis=0)
    return np.asarray(mass / weight.sum())


def _isotonic_loss(record: Observations, weight: Float) -> float:
    """Return the loss after isotonic regression of the outcomes on the forecast, on the rows themselves."""
    from scipy.special import xlog1py, xlogy

    if record.binary:
        at: Float = record.forecast.astype(np.float64, copy=False)
        share: Float = record.outcome.astype(np.float64, copy=False)
    else:
        both = [(s[:, 0] - s[:, 1], t[:, 1]) for _, s, t in class_blocks(record)]
        at = np.concatenate([odds for odds, _ in both])
        share = np.concatenate([share for _, share in both])
    pooled = pool(at, share, weight)
    c, o = isotonic(pooled), pooled.share
    nats = np.asarray(
        -(xlogy(o, c) + xlog1py(1 - o, -c)), np.float64
    )  # a block at 0 holds no 1s: 0 log 0 = 0
    return _mean(nats, pooled.weight)


def _cross_fitted(
    record: Observations, s: Float, weight: Float, found: Remedies, loss: float
) -> tuple[Parts, tuple[float, float] | None, tuple[float, float] | None]:
    """Return the parts with the map fitted on other folds, and the intervals of miscalibration and discrimination.

    Uncertainty is that of the class shares without the row itself, which is no hindsight either.
    """
    after = _mean(found.flexible, weight)
    flexible = np.where(weight > 0, found.flexible, 0.0)  # where nothing counts both may be infinite
    shares = _class_shares(record, weight)
    n = int((weight > 0).sum())
    uncertainty = class_base_rates(shares, n)[1]
    parts = Parts(uncertainty, uncertainty - after, loss - after)
    q = np.maximum(shares * n - 0.5, 0.5) / (n - 1 + len(shares) / 2)
    constant = np.empty(len(record))
    for part, _, t in class_blocks(record):
        constant[part] = -(t * np.log(q)).sum(axis=1)
    return (
        parts,
        None if math.isinf(loss) else _span(record, np.where(weight > 0, s, 0.0) - flexible, weight),
        _span(record, constant - flexible, weight),
    )


def _span(record: Observations, values: Float, weight: Float) -> tuple[float, float] | None:
    """Return the interval of a mean over rows, or over groups where there are groups."""
    if not np.isfinite(values[weight > 0]).all():
        return None
    values = np.where(weight > 0, values, 0.0)
    coded = record.clusters()
    found = (
        interval.of_rows(values, weight)
        if coded is None
        else interval.of_clusters(values, weight, coded.code)
    )
    return None if found is None else (found.low, found.high)


def _budget(
    uncertainty: float, loss: float, recalibrated: float, found: Remedies | None
) -> tuple[Entry, ...]:
    """Return the bars from the base rate to the loss; without cross-fitting, with all of miscalibration in one."""
    if found is None:
        steps = [("miscalibration", loss - recalibrated)]
        best = recalibrated
    else:
        steps = [(step.name, step.gain) for step in found.steps]
        finite = sum(gain for _, gain in steps if math.isfinite(gain))
        best = found.log_loss if math.isinf(loss) else loss - finite
    entries = [
        Entry("base_rate", uncertainty, uncertainty),
        Entry("discrimination", best - uncertainty, best),
    ]
    for name, gain in steps:
        entries.append(Entry(name, gain, entries[-1].total + gain))
    return tuple(entries)
