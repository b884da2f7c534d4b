"""What better calibration is worth in the user's own unit: decisions from forecasts as given, and recalibrated."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.calibrate.odds import probabilities
from logloss.deciding.advantages import Way, Worth
from logloss.deciding.payoffs import utilities_for, utilities_of
from logloss.fixing.divisions import divided
from logloss.fixing.recalibration import check_level
from logloss.fixing.recalibration import of_record as fixed
from logloss.interval import Interval, of_clusters, of_rows
from logloss.notes import Note
from logloss.sources import opened
from logloss.stages import staged
from logloss.surprises import class_blocks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from logloss.deciding.utilities import Utilities
    from logloss.fixing.results import Fix
    from logloss.record import Observations, Space

    Float = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = ["of_record", "worth_of_calibration"]

ENOUGH = 5  # rows decided differently; with fewer, the spread of a difference cannot be seen


def worth_of_calibration(
    data: Any,
    forecast: Any = None,
    *,
    utilities: Any = None,
    cost_fp: float | None = None,
    cost_fn: float | None = None,
    reject: float | None = None,
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
    skip_unreadable: bool = False,
    maps: str | Sequence[str] | None = None,
    trained: Any = None,
    level: float = 0.95,
) -> Worth:
    """Return what recalibrating forecasts is worth to someone who acts on them, in the unit of the utilities.

    Each row's action is the one of largest expected utility: under its forecast as given, and under one recalibrated by a map
    that was fitted without the row. What both bring is compared row by row.

    Parameters
    ----------
    data, forecast, outcome, space, weight, ids, group, truth, labels, positive, normalize_rows, skip_missing, counts, skip_unreadable, trained
        As in :func:`logloss.fix`; all rows are held in memory, and all have an outcome.
    utilities, cost_fp, cost_fn, reject
        What each action is worth in each class; as in :func:`logloss.decide`.
    maps
        Which maps to try, as in :func:`logloss.fix`; all by default. Where none certainly lowers the log loss of rows that it
        has not seen, nothing is recalibrated, and the worth is 0.
    level
        Coverage of the intervals.

    Returns
    -------
    Worth

    Raises
    ------
    LoglossError
        UsageError for a call that does not fit together, DataErrors for data that cannot be scored.

    Notes
    -----
    Only the map is fitted without the row; which map, all rows decide. So does the best constant action, which favours it a little.

    References
    ----------
    Pauker and Kassirer (1980), N. Engl. J. Med. 302:1109-1117 (thresholds from utilities); Raiffa and Schlaifer (1961), Applied
    Statistical Decision Theory (value of information); Hall (1992), J. R. Stat. Soc. B 54:221-228 (intervals).

    Examples
    --------
    >>> import numpy as np
    >>> import logloss as ll
    >>> random = np.random.default_rng(0)
    >>> z = random.normal(-2, 1, 4000)
    >>> y = (random.random(4000) < 1 / (1 + np.exp(-z))).astype(int)
    >>> overconfident = 1 / (1 + np.exp(-2.5 * z))
    >>> ward = {"wait": {0: 0, 1: -20}, "treat": {0: -2, 1: 0}}
    >>> found = ll.worth_of_calibration(y, overconfident, utilities=ward)
    >>> found.chosen, round(found.worth.mean, 2), found.worth.low > 0
    ('temperature', 0.89, True)
    """
    check_level(level)
    given, notes = utilities_of(utilities, cost_fp=cost_fp, cost_fn=cost_fn)
    rows = divided(
        opened(
            data, forecast, outcome=outcome, space=space, weight=weight, ids=ids, group=group, truth=truth, labels=labels,
            positive=positive, normalize_rows=normalize_rows, skip_missing=skip_missing, counts=counts,
            skip_unreadable=skip_unreadable,
        ),
        trained=trained,
    )  # fmt: skip
    matched, said = utilities_for(
        rows.record.classes, given, notes, cost_fp=cost_fp, cost_fn=cost_fn, reject=reject
    )
    found = of_record(rows.record, matched, maps=maps, level=level, notes=rows.notes)
    return replace(found, notes=(*said, *found.notes))


@staged("what calibration is worth")
def of_record(
    record: Observations,
    utilities: Utilities,
    *,
    maps: str | Sequence[str] | None = None,
    level: float = 0.95,
    notes: Sequence[Note] = (),
    fix: Fix | None = None,
) -> Worth:
    """Return what recalibrating a checked record is worth; `utilities` of its classes, in their order.

    `fix` is that of the record, where it was run already.
    """
    made = fixed(record, maps=maps, level=level, notes=notes) if fix is None else fix
    assert made.observations is not None
    record = made.observations
    shares, P = _columns(record)
    held = P if made.chosen == "identity" or made.held is None else _of_two(made.held())
    mean = _Mean(record, level)
    ways = [_way("as given", P, shares, utilities, mean), _way("recalibrated", held, shares, utilities, mean)]
    before, after = (way[1] for way in ways)
    always = [
        _constant(f"always {utilities.actions[a]}", a, shares, held, utilities, mean) for a in utilities.kept
    ]
    best = max(range(len(always)), key=lambda at: (always[at][0].realised, -at))
    others = always[best][1]
    perfect = _of_states(shares, utilities.oracle)
    changed = int((ways[0][2] != ways[1][2]).sum())
    said = list(made.notes)
    if made.chosen == "identity":
        said.append(
            Note("nothing-recalibrated", "No map certainly lowers the log loss of rows that it has not seen, so the forecasts are left as they are and nothing is gained.")
        )  # fmt: skip
    return Worth(
        utilities=utilities,
        chosen=made.chosen,
        log_loss=(made.before, made.after),
        ways=(ways[0][0], ways[1][0], *(one[0] for one in always)),
        best_constant=always[best][0].name,
        worth=mean(after - before, differ=before != after),
        given_against_constant=mean(before - others, differ=before != others),
        recalibrated_against_constant=mean(after - others, differ=after != others),
        perfect=mean.plain(perfect),
        perfect_information=mean.plain(_of_states(held, utilities.oracle) / held.sum(axis=1))
        - ways[1][0].expected,
        changed=changed,
        n=len(record),
        level=level,
        notes=tuple(dict.fromkeys(said)),
        fix=made,
    )


class _Mean:
    """Weighted means over the rows of a record with their intervals: of rows, or of groups where it has some."""

    def __init__(self, record: Observations, level: float) -> None:
        self.weight = np.ones(len(record)) if record.weight is None else record.weight
        clusters = record.clusters()
        self.cluster = None if clusters is None else clusters.code
        self.level = level

    def plain(self, values: Float) -> float:
        """Return the weighted mean."""
        return float((self.weight * values).sum() / self.weight.sum())

    def __call__(self, values: Float, differ: NDArray[np.bool_] | None = None) -> Interval:
        """Return the weighted mean with its interval; limits are NaN where the spread cannot be seen."""
        found = None
        if differ is None or int(differ.sum()) >= ENOUGH:
            found = (
                of_rows(values, self.weight, level=self.level)
                if self.cluster is None
                else of_clusters(values, self.weight, self.cluster, level=self.level)
            )
        nan = float("nan")
        return Interval(self.plain(values), nan, nan, nan) if found is None else found


def _columns(record: Observations) -> tuple[Float, Float]:
    """Return shares of every class in the outcomes, and its forecasts; both (n, K)."""
    found = [(t, np.exp(-s)) for _, s, t in class_blocks(record)]
    return np.concatenate([t for t, _ in found]), np.concatenate([p for _, p in found])


def _of_two(held: Float) -> Float:
    """Return probabilities of every class from log-odds (n, 1) of the second of two, or logs (n, K)."""
    if held.shape[1] > 1:
        return probabilities(held)
    return np.column_stack([probabilities(-held), probabilities(held)])


def _of_states(shares: Float, values: Float) -> Float:
    """Return sum_k shares[:, k] values[k], shape (n,)."""
    total = np.zeros(len(shares))
    for k, value in enumerate(values):
        total += shares[:, k] * value
    return total


def _way(name: str, P: Float, shares: Float, utilities: Utilities, mean: _Mean) -> tuple[Way, Float, Ints]:
    """Return what acting on these forecasts brings; of each row its utility and its action."""
    action, expected = utilities.best(P)
    realised = np.zeros(len(P))
    for k in range(shares.shape[1]):
        realised += shares[:, k] * utilities.values[action, k]
    return _summed(name, action, realised, mean.plain(expected), utilities, mean), realised, action


def _constant(
    name: str, a: int, shares: Float, P: Float, utilities: Utilities, mean: _Mean
) -> tuple[Way, Float]:
    """Return what always taking one action brings, and of each row its utility."""
    realised = _of_states(shares, utilities.values[a])
    action = np.full(len(shares), a)
    return _summed(name, action, realised, mean.plain(utilities.expected(P, a)), utilities, mean), realised


def _summed(
    name: str, action: Ints, realised: Float, expected: float, utilities: Utilities, mean: _Mean
) -> Way:
    mass = np.bincount(action, mean.weight, minlength=len(utilities.actions)) / mean.weight.sum()
    shares = {one: float(share) for one, share in zip(utilities.actions, mass, strict=True)}
    return Way(name, mean(realised), expected, shares)
