"""What acting on a forecast brings at every threshold: the decision curve."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.curves.benefits import DecisionCurve, Gain, Line
from logloss.curves.entries import asked, check_level, check_thresholds
from logloss.curves.thresholds import ALL, Limits, Rows
from logloss.errors import UsageError, listing
from logloss.plain import plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from logloss.curves.questions import Question
    from logloss.curves.thresholds import Contrast
    from logloss.notes import Note
    from logloss.record import Space

    Float = NDArray[np.float64]

__all__ = ["DEFAULT", "decision_curve", "of_questions"]

DEFAULT = tuple(at / 100 for at in range(1, 100))
SEED = 0


def decision_curve(
    data: Any,
    forecast: Any = None,
    *,
    thresholds: float | Sequence[float] | None = None,
    event: Any = None,
    harm: float | Mapping[str, float] = 0.0,
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
) -> DecisionCurve:
    """Return the net benefit of acting where the forecast reaches a threshold, beside acting on every row and on none.

    With th the threshold and TP, FP the rows acted on in which the event happens or not (Vickers and Elkin 2006),

        net benefit = TP / n - FP / n th / (1 - th)

    in events found per row, false alarms charged at the odds of the threshold. A row with p = th is acted on.

    Parameters
    ----------
    data, forecast, outcome, space, weight, ids, truth, labels, positive, normalize_rows, skip_missing, counts, skip_unreadable
        As in :func:`logloss.score`; all rows are held in memory. A mapping {name: forecast} gives several forecasts of the same
        rows.
    thresholds
        Where to look, from 0 on and below 1; 0.01, 0.02, ..., 0.99 by default.
    event
        The class that is acted on: the second of two by default; of more, one must be named, and is taken against all others.
    harm
        What obtaining a forecast of a row costs, in events found; or such costs by forecast.
    group
        The group of each row, such as its patient or day: intervals and bands are those of groups drawn.
    level
        Coverage of the intervals and of the bands.

    Returns
    -------
    DecisionCurve
        Differences between forecasts, and against acting on all rows, are paired. Bands hold at all thresholds together.

    Raises
    ------
    LoglossError
        UsageError for a call that does not fit together, DataError for data that cannot be scored.

    Notes
    -----
    Net benefit = share of events - S / (1 - th), with S the mean elementary score of :func:`logloss.murphy_curve`. Values at
    different thresholds are on different scales: do not average them over thresholds; the log loss and that curve do so properly.

    References
    ----------
    Vickers and Elkin (2006), Decision curve analysis, Med. Decis. Making 26:565-574. Intervals: Hall (1992), J. R. Stat. Soc. B
    54:221-228; bands: the same at the level that the largest of the studentised deviations asks for.

    Examples
    --------
    >>> import logloss as ll
    >>> curve = ll.decision_curve([1, 1, 0, 0, 0], [0.9, 0.4, 0.6, 0.2, 0.1], thresholds=[0.2, 0.5])
    >>> curve.forecasts["forecast"].net_benefit.round(3).tolist(), curve.all.net_benefit.round(3).tolist()
    ([0.3, 0.0], [0.25, -0.2])
    """
    check_level(level)
    at = check_thresholds(DEFAULT if thresholds is None else thresholds)
    questions, notes = asked(
        data, forecast, event, outcome=outcome, space=space, weight=weight, group=group, ids=ids, truth=truth,
        labels=labels, positive=positive, normalize_rows=normalize_rows, skip_missing=skip_missing, counts=counts,
        skip_unreadable=skip_unreadable,
    )  # fmt: skip
    return of_questions(questions, at, harm=harm, level=level, notes=notes)


def of_questions(
    questions: Mapping[str, Question],
    thresholds: Float,
    *,
    harm: float | Mapping[str, float] = 0.0,
    level: float = 0.95,
    notes: tuple[Note, ...] = (),
) -> DecisionCurve:
    """Return the decision curve of forecasts of the same rows; see :func:`decision_curve`."""
    harms = _harms(harm, list(questions))
    first = next(iter(questions.values()))
    # Positions, not names: a forecast may be called "all".
    keys = {f"{at}": name for at, name in enumerate(questions)}
    rows = Rows(
        thresholds, first.share, first.weight,
        {key: questions[name].reach(thresholds, ties=True) for key, name in keys.items()},
        first.cluster,
    )  # fmt: skip
    scale = 1.0 - thresholds
    lines = {
        name: _line(rows, key, rows.contrast(key, scale=scale), level, harms[name])
        for key, name in keys.items()
    }
    everyone = _line(rows, ALL, rows.contrast(ALL, scale=scale), level, 0.0)
    gains = [
        _gain(name, None, rows.contrast(key, ALL, scale=scale), level, harms[name])
        for key, name in keys.items()
    ]
    gains += [
        _gain(keys[a], keys[b], rows.contrast(a, b, scale=scale), level, harms[keys[a]] - harms[keys[b]])
        for a, b in combinations(keys, 2)
    ]
    prevalence = float((first.weight * first.share).sum() / first.weight.sum())
    return DecisionCurve(
        plain(first.event), thresholds, lines, everyone, tuple(gains), prevalence, level, harms, len(first),
        float(first.weight.sum()), notes,
    )  # fmt: skip


def _harms(harm: float | Mapping[str, float], names: list[str]) -> dict[str, float]:
    """Return the harm of every forecast; refuse what is none."""
    if not isinstance(harm, int | float | np.number):
        unknown = [name for name in harm if name not in names]
        if unknown:
            raise UsageError(
                "bad-harm",
                f"harm= names {unknown[0]!r}, which is no forecast.",
                cure=f"Forecasts: {listing(map(repr, names))}.",
            )
    found = {
        name: float(harm) if isinstance(harm, int | float | np.number) else float(harm.get(name, 0.0))
        for name in names
    }
    odd = [value for value in found.values() if not 0 <= value < np.inf]
    if odd:
        raise UsageError(
            "bad-harm",
            f"A harm of {odd[0]}: what a forecast costs is a number from 0 on.",
            cure="1/50 if a forecast of 50 rows is as bad as missing one event.",
        )
    return found


def _line(rows: Rows, key: str, found: Contrast, level: float, harm: float) -> Line:
    acted = rows.sums(key)
    return Line(
        acted=acted[1, 0] / rows.total,
        true_positive=acted[1, 1] / rows.total,
        false_positive=(acted[1, 0] - acted[1, 1]) / rows.total,
        net_benefit=found.mean - harm,
        limits=_less(found.limits(level), harm),
        band=_less(found.band(level, SEED), harm),
    )


def _gain(a: str, b: str | None, found: Contrast, level: float, harm: float) -> Gain:
    return Gain(
        a, b, found.mean - harm, found.differ, _less(found.limits(level), harm), _less(found.band(level, SEED), harm)
    )  # fmt: skip


def _less(limits: Limits, harm: float) -> Limits:
    return Limits(limits.low - harm, limits.high - harm)
