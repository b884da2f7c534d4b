"""What forecasts cost at every threshold, and whether one is better at all of them: the Murphy curve."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.curves.costs import cost
from logloss.curves.dominance import Cost, Difference, MurphyCurve
from logloss.curves.elementary import Elementary, differences_of
from logloss.curves.entries import asked, check_level, check_thresholds
from logloss.curves.thresholds import Limits, Rows
from logloss.plain import plain
from logloss.stages import staged

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from logloss.curves.questions import Question
    from logloss.notes import Note
    from logloss.record import Space

    Float = NDArray[np.float64]

__all__ = ["murphy_curve", "of_questions"]

POINTS = 99  # thresholds at which bands are told
FAR = 1e-4  # nearer to 0 or 1 costs differ by more than 10,000 to 1: bands are told there only if nothing is between
SEED = 0


def murphy_curve(
    data: Any,
    forecast: Any = None,
    *,
    thresholds: float | Sequence[float] | None = None,
    event: Any = None,
    outcome: Any = None,
    space: Space = "p",
    weight: Any = None,
    group: Any = None,
    ids: Any = None,
    truth: Any = None,
    labels: Sequence[Any] | None = None,
    positive: Any = None,
    normalize_rows: bool = False,
    skip_missing: bool = False,
    counts: bool = False,
    skip_unreadable: bool = False,
    level: float = 0.95,
) -> MurphyCurve:
    """Return what acting on the forecasts costs at every threshold, exactly; of several, which is better where.

    Acting where p > th, an alarm in vain costs th and a missed event 1 - th. This elementary score is what every proper score
    of two classes is a mixture of: the log loss is its integral over dth / (th (1 - th)), the Brier score twice that over dth.
    So a forecast that costs no more at any threshold is better for every ratio of costs and under every proper score.

    Parameters
    ----------
    data, forecast, outcome, space, weight, ids, truth, labels, positive, normalize_rows, skip_missing, counts, skip_unreadable
        As in :func:`logloss.score`; all rows are held in memory. A mapping {name: forecast} gives several forecasts of the same
        rows.
    thresholds
        Where the curves and their differences get intervals and bands, between 0 and 1; by default at up to 99 of the forecasts
        themselves, from 0.0001 to 0.9999. The curves are exact everywhere.
    event
        The class that is acted on: the second of two by default; of more, one must be named, and is taken against all others.
    group
        The group of each row, such as its patient or day: intervals and bands are those of groups drawn.
    level
        Coverage of the intervals and of the bands.

    Returns
    -------
    MurphyCurve

    Raises
    ------
    LoglossError
        UsageError for a call that does not fit together, DataError for data that cannot be scored.

    Notes
    -----
    Under soft outcomes the integrals are the cross-entropy and the mean of t (1 - p)^2 + (1 - t) p^2. A forecast of 0 that happened
    keeps the curve above 0 as th goes to 0: the log loss is infinite, the curve is not.

    References
    ----------
    Ehm, Gneiting, Jordan, Krueger (2016), Of quantiles and expectiles, J. R. Stat. Soc. B 78:505-562; Schervish (1989), A general
    method for comparing probability assessors, Ann. Stat. 17:1856-1879.

    Examples
    --------
    >>> import logloss as ll
    >>> y, p = [1, 0, 1, 1], [0.9, 0.2, 0.6, 0.35]
    >>> curve = ll.murphy_curve(y, p)["forecast"]
    >>> round(curve.log_loss, 6) == round(ll.log_loss(y, p), 6), round(curve.brier, 6)
    (True, 0.158125)
    """
    check_level(level)
    given = None if thresholds is None else check_thresholds(thresholds, above=True)
    questions, notes = asked(
        data, forecast, event, outcome=outcome, space=space, weight=weight, group=group, ids=ids, truth=truth,
        labels=labels, positive=positive, normalize_rows=normalize_rows, skip_missing=skip_missing, counts=counts,
        skip_unreadable=skip_unreadable,
    )  # fmt: skip
    return of_questions(questions, given, level=level, notes=notes)


@staged("Murphy curves")
def of_questions(
    questions: Mapping[str, Question],
    thresholds: Float | None = None,
    *,
    level: float = 0.95,
    notes: tuple[Note, ...] = (),
) -> MurphyCurve:
    """Return the Murphy curves of forecasts of the same rows; see :func:`murphy_curve`."""
    first = next(iter(questions.values()))
    at = _grid(list(questions.values())) if thresholds is None else thresholds
    curves = {
        name: Elementary.of(one.p, one.odds, first.share, first.weight, by_p=one.written and one.single)
        for name, one in questions.items()
    }
    keys = {f"{at}": name for at, name in enumerate(questions)}
    rows = Rows(
        at, first.share, first.weight, {key: questions[name].reach(at, ties=False) for key, name in keys.items()},
        first.cluster,
    )  # fmt: skip
    costs = {}
    for key, name in keys.items():
        spread = cost(rows, key)
        costs[name] = Cost(at, spread.mean, _from_0(spread.limits(level)), _from_0(spread.band(level, SEED)))
    differences = []
    for a, b in combinations(keys, 2):
        found = rows.contrast(a, b, scale=np.full(len(at), -1.0))
        least, most, crossings = differences_of(curves[keys[a]], curves[keys[b]])
        differences.append(
            Difference(
                keys[a], keys[b], at, found.mean, found.differ, found.limits(level), found.band(level, SEED), least,
                most, crossings,
            )
        )  # fmt: skip
    prevalence = float((first.weight * first.share).sum() / first.weight.sum())
    return MurphyCurve(
        plain(first.event), at, curves, costs, tuple(differences), prevalence, level, len(first),
        float(first.weight.sum()), notes,
    )  # fmt: skip


def _from_0(limits: Limits) -> Limits:
    """Return limits of what is never negative."""
    return Limits(np.maximum(limits.low, 0.0), limits.high)


def _grid(questions: list[Question]) -> Float:
    """Return up to 99 of the forecasts, spread over all between 0.0001 and 0.9999: thresholds at which the curves change."""
    pooled = np.unique(np.concatenate([one.p for one in questions]))
    pooled = pooled[(pooled > 0) & (pooled < 1)]
    if not len(pooled):
        return np.array([0.5])
    near = pooled[(pooled >= FAR) & (pooled <= 1 - FAR)]
    pooled = near if len(near) else pooled
    if len(pooled) <= POINTS:
        return pooled
    return pooled[np.rint(np.linspace(0, len(pooled) - 1, POINTS + 2)).astype(np.int64)[1:-1]]
