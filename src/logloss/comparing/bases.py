"""By which rule a mean difference gets its interval: rows, groups, points in time or folds. The rest of the room does not ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss import interval, units
from logloss.dependence import series
from logloss.dependence.folded import of_folds
from logloss.errors import UsageError, suggestion
from logloss.notes import Note

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from logloss.comparing.contest import Contest
    from logloss.interval import Interval

    Float = NDArray[np.float64]

__all__ = ["ABOUT", "TARGETS", "Basis", "basis_of", "other_target", "rule_of_clusters", "settled"]

TARGETS = ("models", "algorithm")
ABOUT = {
    "models": "the models that were fitted, averaged over the rows that each left out",
    "algorithm": "the ways of fitting, given another sample of this size",
}


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

    def named(self, weight: Float, at: NDArray[Any] | None) -> str:
        """Return what the rule is called for some rows: groups that weigh the same have one of their own."""
        if self.cluster is None:
            return self.rule
        return rule_of_clusters(np.bincount(self.cluster if at is None else self.cluster[at], weight))


def rule_of_clusters(mass: NDArray[Any]) -> str:
    """Return what the rule over groups of this weight (G,) is called: see `interval.of_clusters`."""
    return "hall-t-groups" if interval.weigh_the_same(mass[mass > 0]) else "jackknife"


def settled(contest: Contest, target: str | None) -> str | None:
    """Return what is estimated: as was asked for; by default, after cross-validation, what fits the models.

    Where each row (or group) was left out by itself there are as many folds as rows, and the rows say it better: then, as
    for a single fold, the models that were fitted. None where there are no folds.
    """
    if target is not None and target not in TARGETS:
        raise UsageError(
            "unknown-target",
            f"{target!r} is nothing that a cross-validation estimates here.{suggestion(target, TARGETS)}",
            cure=f"Targets: {', '.join(TARGETS)}.",
        )
    if contest.fold is None:
        if target == "algorithm":
            raise UsageError(
                "no-folds",
                "The expected loss of an algorithm is estimated from the folds of a cross-validation, and none are known.",
                cure="Name the column that tells each row's fold: fold=... (CLI: --fold).",
            )
        return None
    if target is not None:
        return target
    return "models" if _single(contest.fold) or _one_by_one(contest) else "algorithm"


def other_target(contest: Contest, target: str | None) -> str | None:
    """Return the target that is told beside; None where there is none, or folds say nothing of it."""
    if target is None or contest.fold is None:
        return None
    if target == "algorithm":
        return "models"
    return None if _single(contest.fold) or _one_by_one(contest) else "algorithm"


def _single(fold: NDArray[np.int64]) -> bool:
    return bool((fold == fold[0]).all())


def _one_by_one(contest: Contest) -> bool:
    """Tell whether every fold is a row, or a group, by itself."""
    fold, cluster = contest.fold, contest.cluster
    assert fold is not None
    K = len(np.unique(fold))
    if len(fold) == K:
        return True
    if cluster is None or len(np.unique(cluster)) != K:
        return False
    return len(np.unique(fold * (int(cluster.max()) + 1) + cluster)) == K


def basis_of(contest: Contest, *, level: float = 0.95, target: str | None = None) -> Basis:
    """Return the rule for these rows: folds where the algorithm is asked for, else groups, points in time, or rows."""
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
        told = f"Of {units.count(G, 'group')} little can be said: with fewer than {interval.FEW_CLUSTERS}, intervals cover less than they promise."
        notes.append(Note("few-groups", told))
    if contest.period is not None:
        notes.append(
            Note("groups-before-time", "Groups and times were given: intervals are those of groups drawn.")
        )
    rule = rule_of_clusters(np.bincount(cluster, contest.weight))
    return Basis(rule, "group", G, by_cluster, cluster=cluster, notes=tuple(notes))


def _periods(period: NDArray[np.int64], level: float) -> Basis:
    def by_period(values: Float, weight: Float, at: NDArray[Any] | None) -> Interval | None:
        return series.of_series(values, weight, period if at is None else period[at], level=level)

    every = np.ones(len(period))
    why = series.reason(every, every, period)
    notes = (Note("no-interval-in-time", f"No interval: {why}."),) if why is not None else ()
    return Basis("ewc-t", "point in time", len(np.unique(period)), by_period, period=period, notes=notes)


def _folds(contest: Contest, level: float) -> Basis:
    fold = contest.fold
    assert fold is not None

    def by_fold(values: Float, weight: Float, at: NDArray[Any] | None) -> Interval | None:
        return of_folds(values, weight, fold if at is None else fold[at], level=level)

    notes = []
    if _single(fold):
        told = "No interval: all rows are of one fold, which tells nothing of how the ways of fitting differ from fold to fold."
        notes.append(Note("one-fold", told))
    if contest.cluster is not None or contest.period is not None:
        kind = "groups" if contest.cluster is not None else "times"
        told = f"Folds and {kind} were given: the intervals are over folds, which should hold whole {kind}; those over {kind} are about the models that were fitted, and stand beside."
        notes.append(Note("folds-before-groups", told))
    return Basis("nadeau-bengio", "fold", len(np.unique(fold)), by_fold, notes=tuple(notes))
