"""Which maps would lower the loss of new rows, one on top of the other: what miscalibration consists of.

Each candidate is fitted on nine tenths of the rows and applied to the last tenth, ten times; its gain is the mean of
the paired differences on rows it did not see. The candidate that gains most is put on top of those before it, as long
as the interval of its gain excludes 0 (a clip or mix, which hides causes, only if it certainly gains more than the others):

    prior shift    an offset for each class: p_k r_k, rescaled to sum to one
    temperature    all log-odds divided by one number
    clip, mix      a bound on certainty: a clip (two classes), a share of the uniform forecast mixed in (more)

and then, in this order, a temperature for each class (more than two), and the shape that no few parameters describe
(two: isotonic regression, in its Venn-Abers form). A prior shift after a temperature, or the reverse, is fitted together
with a new one of the other, so that the two reach any affine map of the log-odds whichever comes first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from logloss import interval
from logloss.calibrate.scaling import fit
from logloss.calibrate.venn_abers import fit_venn_abers
from logloss.stages import steps
from logloss.surprises import per_row
from logloss.why.crossfit import Rows, folds_of
from logloss.why.steps import Held, Step, bounded, parameters_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from logloss.record import Observations

    Float = NDArray[np.float64]
    Map = Callable[[Float], Float]

__all__ = ["Held", "Remedies", "Step", "flexible", "in_sample", "remedies"]

FEWEST = 20  # rows; with fewer nothing is left to fit on
FEWEST_OTHERS = 10  # outcomes that are not of the commonest class
FEWEST_GROUPS = 5
ENOUGH = 5  # errors that have to pay for a clip; with fewer, the spread of its gain cannot be seen
MOST_CLASSES = 100  # for a temperature per class

BOUND = "bound"
SHIFT = "prior_shift"
TEMPERATURE = "temperature"
CLASSES = "class_temperature"
SHAPE = "shape"


@dataclass(frozen=True, eq=False)
class Remedies:
    """The supported steps in order, those that are not, and what the forecasts would be after the former."""

    steps: tuple[Step, ...]
    tried: tuple[Step, ...]
    log_loss: float
    folds: int
    grouped: bool
    held: Held = field(repr=False)
    flexible: Float = field(
        repr=False
    )  # held-out surprise after one rich map alone: isotonic, or affine per class


def remedies(record: Observations) -> Remedies | None:
    """Return what would lower the loss, step by step.

    None for fewer than 20 rows, for fewer than 10 outcomes that are not of the commonest class, and for a single group.
    """
    search = _search_of(record)
    if search is None:
        return None
    rows, weight = search.rows, np.ones(len(record)) if record.weight is None else record.weight
    search.forward()
    return Remedies(
        tuple(search.steps),
        tuple(search.failed.values()),
        float((rows.weight * np.where(rows.weight > 0, search.now, 0.0)).sum()) / float(weight.sum()),
        search.folds,
        search.clusters is not None,
        _held(rows, search.maps),
        rows.back(search.by_itself(_flexible(rows))),
    )


def flexible(record: Observations) -> Float | None:
    """Return the held-out surprise after one rich map alone, shape (n,), without the search; None where `remedies` is."""
    search = _search_of(record)
    return None if search is None else np.asarray(search.rows.back(search.by_itself(_flexible(search.rows))))


def _search_of(record: Observations) -> _Search | None:
    """Return a search that has not begun; None where there is too little to fit on."""
    weight = np.ones(len(record)) if record.weight is None else record.weight
    if int((weight > 0).sum()) < FEWEST or _others(record, weight) < FEWEST_OTHERS:
        return None
    fold, order, clusters = folds_of(record)
    if fold is None:
        return None
    rows = Rows(record, fold, order)
    search = _Search(rows, int(fold.max()) + 1, None if clusters is None else rows.forth(clusters))
    search.start(rows.forth(per_row(record)))
    return search


def _others(record: Observations, weight: Float) -> float:
    """Return how many outcomes are not of the commonest class."""
    counts = weight > 0
    if record.soft:
        t = record.outcome[counts].astype(np.float64, copy=False)
        mass = np.array([(1 - t).sum(), t.sum()]) if t.ndim == 1 else t.sum(axis=0)
    else:
        mass = np.bincount(record.outcome[counts].astype(np.int64, copy=False)).astype(np.float64)
    return float(mass.sum() - mass.max())


def in_sample(record: Observations) -> Float:
    """Return the surprise of each row after the richest map, fitted on these very rows, shape (n,)."""
    fold, random, _ = folds_of(record)
    rows = Rows(record, np.zeros(len(record), np.int64) if fold is None else fold * 0, random)
    search = _Search(rows, 1, None)
    search.start(rows.forth(per_row(record)))
    first: list[Map] = [search.fitted(BOUND, None, [])] if search.infinite else []
    return np.asarray(rows.back(rows.surprise([[*first, search.fitted(_flexible(rows), None, first)]])))


def _flexible(rows: Rows) -> str:
    """Return the richest map: isotonic for two classes, else an offset and a temperature for each class."""
    return SHAPE if rows.two else CLASSES if rows.K <= MOST_CLASSES else "affine"


def _held(rows: Rows, maps: list[list[Map]]) -> Held:
    """Return what the forecasts are after the maps of each row's fold."""
    surprise, entropy, variance, p, happened, odds = rows.columns(maps)
    given = None if rows.all is None else np.asarray(rows.back(rows.all[0][:, 0]))
    return Held(surprise, entropy, variance, p, happened, odds, given)


class _Search:
    """Forward selection of maps by their held-out gain."""

    def __init__(self, rows: Rows, folds: int, clusters: NDArray[np.int64] | None) -> None:
        self.rows, self.folds, self.clusters = rows, folds, clusters
        self.maps: list[list[Map]] = [[] for _ in range(folds)]
        self.everywhere: list[Map] = []  # the same steps fitted on all rows, for their parameters
        self.steps: list[Step] = []
        self.failed: dict[str, Step] = {}
        self.alone: dict[str, float] = {}
        self.lone: dict[str, Float] = {}  # held-out surprises after one map alone
        self.now: Float = np.zeros(0)
        self.infinite = False

    def start(self, given: Float) -> None:
        """Begin with the forecasts as they stand; rows that do not sum to one are divided by their sums first."""
        self.now = self.rows.surprise(self.maps)
        self.infinite = bool(np.isinf(self.now[self.rows.weight > 0]).any())
        known = np.isfinite(given) & np.isfinite(self.now) & (self.rows.weight > 0)
        if not np.allclose(given[known], self.now[known], rtol=1e-6, atol=1e-6):
            weight = self.rows.weight
            gain = float((weight[known] * (given[known] - self.now[known])).sum() / weight.sum())
            self.steps.append(Step("not_one", gain, None, True, gain, {}))

    def forward(self) -> None:
        """Add steps until none is supported; then the maps of many parameters."""
        rest = [SHIFT, TEMPERATURE, BOUND]
        while rest:
            tried = {name: self.attempt(name) for name in rest}
            if not self.steps or [step.name for step in self.steps] == ["not_one"]:
                self.alone = {name: step.gain for name, (step, _, _) in tried.items()}
            best = self.best(tried)
            if not tried[best][0].supported:
                self.failed |= {name: step for name, (step, _, _) in tried.items()}
                break
            self.accept(*tried[best])
            rest.remove(best)
        for name in [SHAPE] if self.rows.two else [CLASSES] if self.rows.K <= MOST_CLASSES else []:
            step, maps, after = self.attempt(name)
            if step.supported:
                self.accept(step, maps, after)
            else:
                self.failed[name] = step

    def best(self, tried: dict[str, tuple[Step, list[Map], Float]]) -> str:
        """Return the candidate that gains most; a bound, which hides causes, only where it certainly gains more."""
        by_gain = sorted(tried, key=lambda name: self.worth(tried[name][0], tried[name][2]), reverse=True)
        if by_gain[0] != BOUND or len(by_gain) == 1 or math.isinf(tried[BOUND][0].gain):
            return by_gain[0]
        other = tried[by_gain[1]]
        if not other[0].supported:
            return BOUND
        ahead = interval.of_rows(
            np.where(self.rows.weight > 0, other[2] - tried[BOUND][2], 0.0), self.rows.weight
        )
        return BOUND if ahead is not None and ahead.low > 0 else by_gain[1]

    def worth(self, step: Step, after: Float) -> tuple[bool, float, float]:
        """Return what steps are ranked by; of several that end an infinite loss, the one that leaves least."""
        return (
            step.supported,
            step.gain,
            -float((self.rows.weight * np.where(self.rows.weight > 0, after, 0.0)).sum()),
        )

    def accept(self, step: Step, maps: list[Map], after: Float) -> None:
        """Put a step on top."""
        self.steps.append(step)
        for chain, one in zip(self.maps, maps, strict=True):
            chain.append(one)
        if step.name != SHAPE:
            self.everywhere.append(self.fitted(self.kind(step.name), None, self.everywhere))
        self.now = after

    def kind(self, name: str) -> str:
        """Return which parameters are fitted: a shift after a temperature, or the reverse, is fitted with it."""
        name = BOUND if name in ("clip", "mix") else name
        chosen = {step.name for step in self.steps if step.name != name}
        return (
            "affine"
            if (name, True) in {(SHIFT, TEMPERATURE in chosen), (TEMPERATURE, SHIFT in chosen)}
            else name
        )

    def fitted(self, kind: str, k: int | None, chain: list[Map]) -> Map:
        """Fit a map on all folds but k, after the chain."""
        if kind == SHAPE:
            Z, T, w = self.rows.ordered(-1 if k is None else k, chain)
            return fit_venn_abers(Z[:, 0], T[:, 0], w)
        Z, T, w = self.rows.training(k, chain)
        return bounded(Z, T, w, certain=self.infinite) if kind == BOUND else fit(kind, Z, T, w)

    def attempt(self, name: str) -> tuple[Step, list[Map], Float]:
        """Fit a map in every fold on top of the steps so far; return the step, the maps, the surprises after it."""
        kind = self.kind(name)
        each = steps(self.maps, f"fitting {name.replace('_', ' ')}", "folds")
        maps = [self.fitted(kind, k, chain) for k, chain in enumerate(each)]
        after = self.rows.surprise([[*chain, one] for chain, one in zip(self.maps, maps, strict=True)])
        if not any(self.maps):
            self.lone[kind] = after
        gain, span, supported = self.judged(after, few=name == BOUND)
        said = ("clip" if self.rows.two else "mix") if name == BOUND else name
        parameters = (
            {} if kind == SHAPE else parameters_of(self.fitted(kind, None, self.everywhere), self.everywhere)
        )
        return (
            Step(said, gain, span, supported, self.alone.get(name, None if self.steps else gain), parameters),
            maps,
            after,
        )

    def judged(self, after: Float, *, few: bool) -> tuple[float, tuple[float, float] | None, bool]:
        """Return the gain, its interval, and whether that excludes 0; from infinity to a finite loss it does."""
        before, counts = np.isinf(self.now), self.rows.weight > 0
        if before[counts].any():
            lower = bool((np.isinf(after) <= before)[counts].all()) and not np.isinf(after)[counts].any()
            return (math.inf, None, True) if lower else (0.0, None, False)
        saved = np.where(counts, self.now, 0.0) - np.where(counts, after, 0.0)
        if not saved.any():
            return 0.0, None, False
        if np.isinf(saved).any():
            return -math.inf, None, False
        weight = self.rows.weight
        found = (
            interval.of_rows(saved, weight)
            if self.clusters is None
            else interval.of_clusters(saved, weight, self.clusters)
        )
        assert found is not None
        vouched = not few or int((saved > 0).sum()) >= ENOUGH
        if self.clusters is not None:
            vouched = vouched and len(np.unique(self.clusters)) >= FEWEST_GROUPS
        span = (found.low, found.high) if vouched else None
        return found.mean, span, span is not None and span[0] > 0

    def by_itself(self, kind: str) -> Float:
        """Return the held-out surprises after one map alone, after a clip where the loss is infinite."""
        if kind in self.lone:
            return self.lone[kind]
        first: list[list[Map]] = [
            [] if not self.infinite else [self.fitted(BOUND, k, [])] for k in range(self.folds)
        ]
        return self.rows.surprise([[*chain, self.fitted(kind, k, chain)] for k, chain in enumerate(first)])
