"""By which rule a mean difference gets its interval: rows, groups, points in time or folds. The rest of the room does not ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss import interval
from logloss.dependence import series
from logloss.dependence.folded import of_folds
from logloss.errors import UsageError
from logloss.notes import Note

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from logloss.comparing.contest import Contest
    from logloss.interval import Interval

    Float = NDArray[np.float64]

__all__ = ["TARGETS", "Basis", "basis_of"]

TARGETS = ("models", "algorithm")


@dataclass(frozen=True, eq=False)
class Basis:
    """How rows stand together.

    Attributes
    ----------
    rule
        What the rule is called.
    unit, units
        What is drawn at random, and how many of them there are.
    of
        (values (m,), weight (m,), positions of these rows in the contest (m,) or None for all) -> the interval of their mean;
        None where it cannot be told.
    cluster, period
        Of the rows, where the rule is about these: at most one of them.
    notes
        What the rule leaves open.
    """

    rule: str
    unit: str
    units: int
    of: Callable[[Float, Float, NDArray[Any] | None], Interval | None]
    cluster: NDArray[np.int64] | None = None
    period: NDArray[np.int64] | None = None
    notes: tuple[Note, ...] = ()


def basis_of(contest: Contest, *, level: float = 0.95, target: str = "models") -> Basis:
    """Return the rule for these rows: folds where the algorithm is asked for, else groups, points in time, or rows."""
    if target not in TARGETS:
        raise UsageError(
            "unknown-target",
            f"{target!r} is nothing that a cross-validation estimates here.",
            cure=f"Targets: {', '.join(TARGETS)}.",
        )
    if target == "algorithm":
        return _folds(contest, level)
    if contest.cluster is not None:
        return _clusters(contest, contest.cluster, level)
    if contest.period is not None:
        return _periods(contest.period, level)

    def by_row(values: Float, weight: Float, at: NDArray[Any] | None) -> Interval | None:  # noqa: ARG001  # as the other rules, which look rows up
        return interval.of_rows(values, weight, level=level)

    return Basis("hall-t", "row", len(contest), by_row)


def _clusters(contest: Contest, cluster: NDArray[np.int64], level: float) -> Basis:
    def by_cluster(values: Float, weight: Float, at: NDArray[Any] | None) -> Interval | None:
        return interval.of_clusters(values, weight, cluster if at is None else cluster[at], level=level)

    G, notes = len(np.unique(cluster)), []
    if G < interval.FEW_CLUSTERS:
        told = f"Of {G} groups little can be said: with fewer than {interval.FEW_CLUSTERS}, intervals cover less than they promise."
        notes.append(Note("few-groups", told))
    if contest.period is not None:
        notes.append(
            Note("groups-before-time", "Groups and times were given: intervals are those of groups drawn.")
        )
    return Basis("jackknife", "group", G, by_cluster, cluster=cluster, notes=tuple(notes))


def _periods(period: NDArray[np.int64], level: float) -> Basis:
    def by_period(values: Float, weight: Float, at: NDArray[Any] | None) -> Interval | None:
        return series.of_series(values, weight, period if at is None else period[at], level=level)

    every = np.ones(len(period))
    why = series.reason(every, every, period)
    notes = (Note("no-interval-in-time", f"No interval: {why}."),) if why is not None else ()
    return Basis("ewc-t", "point in time", len(np.unique(period)), by_period, period=period, notes=notes)


def _folds(contest: Contest, level: float) -> Basis:
    if contest.fold is None:
        raise UsageError(
            "no-folds",
            "The expected loss of an algorithm is estimated from the folds of a cross-validation, and none are known.",
            cure="Name the column that tells each row's fold: fold=... (CLI: --fold).",
        )
    fold = contest.fold

    def by_fold(values: Float, weight: Float, at: NDArray[Any] | None) -> Interval | None:
        return of_folds(values, weight, fold if at is None else fold[at], level=level)

    return Basis("nadeau-bengio", "fold", len(np.unique(fold)), by_fold)
