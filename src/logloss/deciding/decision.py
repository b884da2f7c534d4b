"""From forecasts and utilities to actions, and what they bring."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss import units
from logloss.deciding.facing import faced
from logloss.deciding.payoffs import utilities_for, utilities_of
from logloss.deciding.policies import ENOUGH, Rows, mean_of, plain_mean, policies, rows_of
from logloss.deciding.recalibrated import Recalibrated, recalibrated
from logloss.deciding.results import Decisions, Recalibration
from logloss.errors import UsageError
from logloss.notes import Note

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from logloss.deciding.utilities import Utilities
    from logloss.record import Observations, Space

__all__ = ["decide", "of_record"]

MOST = 50_000  # rows with an outcome up to which the race of maps takes seconds


def decide(
    data: Any,
    forecast: Any = None,
    *,
    utilities: Any = None,
    cost_fp: float | None = None,
    cost_fn: float | None = None,
    reject: float | None = None,
    outcome: str | Sequence[str] | None = None,
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
    recalibrate: bool | None = None,
    level: float = 0.95,
) -> Decisions:
    """Return the action that each forecast asks for, and what acting so brings.

    Of every row that action is taken whose expected utility sum_k p_k U[a, k] is largest; of equals the one listed first.
    Rows need no outcome; where some have one, it is said what the decisions brought, beside other ways to act.

    Parameters
    ----------
    data, forecast, outcome, space, weight, ids, truth, labels, positive, normalize_rows, counts, skip_unreadable
        As for :func:`logloss.score`; all rows are held in memory. `data` may be None for forecasts (an array) without
        outcomes; a table may have no column of outcomes.
    utilities
        What each action is worth in each class, in any unit: a mapping {action: {class: utility}}; a file or frame with
        one row per action, whose first column names the actions and whose other columns are called after the classes;
        or :class:`logloss.Utilities`. Larger is better, a cost is negative. Classes are matched by name.
    cost_fp, cost_fn
        Instead, of two classes: what a false alarm costs (acting on the first class) and what a miss costs (not acting
        on the second). The actions are "act" and "don't act".
    reject
        One more action, "refer", that costs this much whatever happens.
    group
        The group of each row: intervals are those of groups drawn.
    skip_missing
        Leave out rows with a missing forecast or weight (noted).
    recalibrate
        Whether to show what the decisions would bring after :func:`logloss.fix`, cross-fitted. By default where at
        most 50,000 rows have an outcome: it takes longer than all the rest.
    level
        Coverage of the intervals.

    Returns
    -------
    Decisions

    Raises
    ------
    LoglossError
        UsageError for utilities that are incomplete or of other classes; DataErrors for data that cannot be scored.

    Notes
    -----
    With two classes, w the action at small p and t that at large p, the threshold is

        (U[w,0] - U[t,0]) / (U[w,0] - U[t,0] + U[t,1] - U[w,1])

    Only differences within a class matter. Rows of probabilities that do not sum to one exactly are divided by their sum for
    expected utilities; the action does not depend on it.

    References
    ----------
    Pauker and Kassirer (1980), N. Engl. J. Med. 302:1109-1117; Chow (1970), IEEE Trans. Inf. Theory 16:41-46; Raiffa and
    Schlaifer (1961), Applied Statistical Decision Theory.

    Examples
    --------
    >>> import logloss as ll
    >>> ward = {"treat": {0: -2, 1: 0}, "wait": {0: 0, 1: -20}}
    >>> result = ll.decide(None, [0.19, 0.05, 0.5], utilities=ward)
    >>> round(result.threshold, 4), result.chosen.tolist(), result.expected.round(2).tolist()
    (0.0909, ['treat', 'wait', 'treat'], [-1.62, -1.0, -1.0])
    """
    if not 0 < level < 1:
        raise UsageError(
            "bad-level",
            f"level is {level}, but it is a probability.",
            cure="Give one between 0 and 1, such as 0.95.",
        )
    given, notes = utilities_of(utilities, cost_fp=cost_fp, cost_fn=cost_fn)
    found = faced(
        data, forecast, given, outcome=outcome, space=space, weight=weight, group=group, ids=ids, truth=truth,
        labels=labels, positive=positive, normalize_rows=normalize_rows, skip_missing=skip_missing, counts=counts,
        skip_unreadable=skip_unreadable,
    )  # fmt: skip
    matched, said = utilities_for(
        found.record.classes, given, notes, cost_fp=cost_fp, cost_fn=cost_fn, reject=reject
    )
    result = of_record(found.record, matched, labelled=found.labelled, level=level, recalibrate=recalibrate)
    return replace(result, notes=(*said, *result.notes), columns=found.columns)


def of_record(
    record: Observations,
    utilities: Utilities,
    *,
    labelled: NDArray[np.bool_] | None = None,
    level: float = 0.95,
    recalibrate: bool | None = None,
) -> Decisions:
    """Decide about the rows of a checked record, of which some may be `labelled`, shape (n,); by default all."""
    if record.weight is not None and not record.weight.all():
        labelled = None if labelled is None else labelled[record.weight > 0]
        record = record.take(record.weight > 0)
    known = np.ones(len(record), bool) if labelled is None else labelled
    if recalibrate and not known.any():
        raise UsageError("no-outcomes-to-learn", "No row has an outcome, so there is nothing to recalibrate by.", cure="Leave recalibrate= out; or apply a map that was fitted before, with `logloss apply`.")  # fmt: skip
    rows = rows_of(record, known, utilities)
    small = 0 < int(known.sum()) <= MOST
    better = (
        recalibrated(record, known, utilities, level)
        if recalibrate or (recalibrate is None and small)
        else None
    )
    every = policies(rows, utilities, level, (better.taken,) if better and better.taken else ())
    decided = every[0]
    surplus = mean_of((rows.realised - rows.expected)[known], rows, level)
    counts = np.bincount(rows.action, minlength=len(utilities.actions))
    notes = list(dict.fromkeys([*record.notes, *(better.notes if better else ())]))
    if any(note.id == "rows-not-one" for note in notes):
        notes.append(Note("expected-as-divided", "Expected utilities are those of each row divided by its sum; the actions do not depend on it."))  # fmt: skip
    impossible = np.flatnonzero(rows.impossible & known)
    if len(impossible):
        notes.append(Note("certain-and-wrong", f"Forecasts of exactly 0 for what happened: {units.count(len(impossible), 'row')} ({record.places(impossible)}). What that costs had no say in their decisions."))  # fmt: skip
    return Decisions(
        utilities=utilities,
        threshold=utilities.threshold,
        actions={name: int(count) for name, count in zip(utilities.actions, counts, strict=True)},
        expected_utility=decided.expected,
        realised_utility=decided.realised,
        interval=decided.interval,
        regret=plain_mean(rows.lost[known], rows.weight[known]) if known.any() else None,
        perfect_information=plain_mean(rows.expected_lost, rows.weight),
        surplus=surplus,
        recalibration=None if better is None else _worth(better, rows, level),
        policies=every,
        best=max(every, key=lambda one: one.expected if one.realised is None else one.realised).name,
        rows=len(record),
        labelled=int(known.sum()),
        level=level,
        notes=tuple(notes),
        action=rows.action,
        expected=rows.expected,
        numbers=record.numbers(),
        observations=record,
    )


def _worth(better: Recalibrated, rows: Rows, level: float) -> Recalibration:
    """Return what recalibrating adds to what the decisions brought."""
    if better.taken is None:
        return Recalibration(better.chosen, 0.0, None, None, 0)
    gain = (better.taken[3] - rows.realised)[rows.labelled]
    changed = int((better.taken[1] != rows.action)[rows.labelled].sum())
    span = mean_of(gain, rows, level) if np.count_nonzero(gain) >= ENOUGH else None
    return Recalibration(
        better.chosen,
        plain_mean(gain, rows.weight[rows.labelled]),
        None if span is None else (span.low, span.high),
        None if span is None else span.p_value,
        changed,
    )
