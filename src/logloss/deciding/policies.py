"""Ways to act on rows, and what each brings: as the forecasts ask for, always the same, at a cut of one half."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.interval import Interval, of_clusters, of_rows
from logloss.surprises import class_blocks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logloss.deciding.utilities import Utilities
    from logloss.record import Observations

    Float = NDArray[np.float64]
    Taken = tuple[
        str, NDArray[np.int64], Float, Float
    ]  # name, action, expected and realised utility of each row

__all__ = ["AS_DECIDED", "RECALIBRATED", "Policy", "Rows", "mean_of", "plain_mean", "policies", "rows_of"]

AS_DECIDED, RECALIBRATED = "as decided", "after recalibration"
ENOUGH = 5  # rows that differ; with fewer, the spread of a difference cannot be seen


@dataclass(frozen=True, eq=False)
class Policy:
    """A way to act, and what it brings a row.

    Attributes
    ----------
    name
        "as decided", "cut at 0.5", "always ..." or "after recalibration".
    shares
        Share of the weight with each action.
    expected
        Mean utility that the forecasts expect.
    realised, interval
        Mean utility where the outcome is known, and its interval; None without outcomes.
    difference, difference_interval, p_value
        Realised utility less that of the best policy, row by row; None for the best one and without outcomes. No
        interval where fewer than five rows differ.
    """

    name: str
    shares: dict[str, float]
    expected: float
    realised: float | None = None
    interval: tuple[float, float] | None = None
    difference: float | None = None
    difference_interval: tuple[float, float] | None = None
    p_value: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        names = ("name", "shares", "expected", "realised", "interval", "difference", "difference_interval", "p_value")  # fmt: skip
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, eq=False)
class Rows:
    """What the decisions mean for each row: arrays of shape (n,). `lost` is against an oracle that knows the state.

    `realised` and `lost` say nothing where `labelled` is false. `expected_lost` is what perfect information would be worth.
    """

    action: NDArray[np.int64]
    expected: Float
    expected_lost: Float
    realised: Float
    lost: Float
    weight: Float
    labelled: NDArray[np.bool_]
    cluster: NDArray[np.int64] | None
    constant: tuple[tuple[int, Float, Float], ...]  # (action, expected, realised) of always taking it
    impossible: NDArray[np.bool_]  # what happened had a forecast of exactly 0
    half: tuple[NDArray[np.int64], Float, Float] | None  # (action, expected, realised) of a cut at one half


def rows_of(record: Observations, labelled: NDArray[np.bool_], utilities: Utilities) -> Rows:
    """Decide about every row of a checked record whose classes are the states of the utilities."""
    n, U = len(record), utilities.values
    oracle = utilities.oracle
    shown = [a for a in utilities.kept if utilities.actions[a] not in dict(utilities.alike)]
    cuts = utilities.cuts()
    ends = None if cuts is None or len(cuts[0]) != 1 else [utilities.actions.index(name) for name in cuts[1]]
    action = np.zeros(n, np.int64)
    expected, expected_lost, realised, lost = (np.zeros(n) for _ in range(4))
    impossible = np.zeros(n, bool)
    always = [(a, np.zeros(n), np.zeros(n)) for a in shown]
    half = (np.zeros(n, np.int64), np.zeros(n), np.zeros(n))
    for part, s, t in class_blocks(record):
        P = np.exp(-s)
        impossible[part] = (np.isinf(s) & (t > 0)).any(axis=1)
        action[part], expected[part] = utilities.best(P)
        expected_lost[part] = _of_actions(P, oracle - U, action[part]) / P.sum(axis=1)
        realised[part] = _of_actions(t, U, action[part])
        lost[part] = _of_actions(t, oracle - U, action[part])
        for a, believed, came in always:
            believed[part] = utilities.expected(P, a)
            came[part] = _of_action(t, U[a])
        if ends is not None:
            half[0][part] = np.where(s[:, 1] <= s[:, 0], ends[1], ends[0])
            half[1][part] = _of_actions(P, U, half[0][part]) / P.sum(axis=1)
            half[2][part] = _of_actions(t, U, half[0][part])
    clusters = record.clusters()
    return Rows(
        action=action,
        expected=expected,
        expected_lost=expected_lost,
        realised=realised,
        lost=lost,
        weight=np.ones(n) if record.weight is None else record.weight,
        labelled=labelled,
        cluster=None if clusters is None else clusters.code,
        constant=tuple(always),
        impossible=impossible,
        half=None if ends is None else half,
    )


def _of_action(shares: Float, of_state: Float) -> Float:
    """Return sum_k shares[:, k] of_state[k], column by column."""
    total = np.zeros(len(shares))
    for k, value in enumerate(of_state):
        total += shares[:, k] * value
    return total


def _of_actions(shares: Float, values: Float, action: NDArray[np.int64]) -> Float:
    """Return sum_k shares[i, k] values[action[i], k] of each row i."""
    total = np.zeros(len(shares))
    for k in range(shares.shape[1]):
        total += shares[:, k] * values[action, k]
    return total


def policies(
    rows: Rows, utilities: Utilities, level: float, more: tuple[Taken, ...] = ()
) -> tuple[Policy, ...]:
    """Return what each way to act brings, that of the forecasts first, with paired differences from the best."""
    ways = [(AS_DECIDED, rows.action, rows.expected, rows.realised), *more]
    if rows.half is not None:
        ways.append(("cut at 0.5", *rows.half))
    for a, expected, realised in rows.constant:
        ways.append((f"always {utilities.actions[a]}", np.full(len(expected), a), expected, realised))
    found = [_policy(rows, utilities, level, *way) for way in ways]
    return _against_best(rows, found, [way[3] for way in ways], level)


def _against_best(rows: Rows, found: list[Policy], realised: list[Float], level: float) -> tuple[Policy, ...]:
    """Return policies with the paired difference of each from the best, where outcomes are known."""
    known = [policy.realised for policy in found]
    if not rows.labelled.any() or any(value is None for value in known):
        return tuple(found)
    best = max(range(len(found)), key=lambda at: (known[at], -at))
    told = []
    for at, policy in enumerate(found):
        if at == best:
            told.append(policy)
            continue
        difference = (realised[at] - realised[best])[rows.labelled]
        differ = np.count_nonzero(difference[rows.weight[rows.labelled] > 0])
        span = mean_of(difference, rows, level) if differ >= ENOUGH else None
        told.append(
            replace(
                policy,
                difference=plain_mean(difference, rows.weight[rows.labelled]),
                difference_interval=None if span is None else (span.low, span.high),
                p_value=None if span is None else span.p_value,
            )
        )
    return tuple(told)


def _policy(
    rows: Rows,
    utilities: Utilities,
    level: float,
    name: str,
    action: NDArray[np.int64],
    expected: Float,
    realised: Float,
) -> Policy:
    mass = np.bincount(action, rows.weight, minlength=len(utilities.actions)) / rows.weight.sum()
    shares = {utilities.actions[a]: float(share) for a, share in enumerate(mass)}
    believed = plain_mean(expected, rows.weight)
    if not rows.labelled.any():
        return Policy(name, shares, believed)
    came = realised[rows.labelled]
    span = mean_of(came, rows, level)
    mean = plain_mean(came, rows.weight[rows.labelled])
    return Policy(name, shares, believed, mean, None if span is None else (span.low, span.high))


def plain_mean(values: Float, weight: Float) -> float:
    """Return the weighted mean."""
    return float((weight * values).sum() / weight.sum())


def mean_of(values: Float, rows: Rows, level: float) -> Interval | None:
    """Return the mean of the rows with an outcome and its interval: of rows, or of groups where they were named."""
    weight = rows.weight[rows.labelled]
    if rows.cluster is None:
        return of_rows(values, weight, level=level)
    return of_clusters(values, weight, rows.cluster[rows.labelled], level=level)
