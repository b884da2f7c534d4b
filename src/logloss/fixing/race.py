"""The race: every candidate judged on rows it was not fitted on, and so is the choice between them.

Ten folds. Each candidate is fitted without each fold and applied to it: its held-out losses. For the choice itself the same
is done once more inside: without folds j and k, applied to both. What was chosen on the other nine folds, fitted to them
and applied to fold k, gives the held-out losses of the procedure as a whole; nobody chose with the rows that judge it.

The choice: the candidate with the least mean loss, then the simplest one whose loss is within one standard error of the
paired difference to it (Breiman, Friedman, Olshen, Stone 1984). What has an infinite loss on some row - the forecast as it is,
where it was certain and wrong - is not chosen without that row's fold either, unless nothing ends the infinity.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from logloss.calibrate import venn_abers
from logloss.calibrate.fits import CANDIDATES, fit_steps
from logloss.calibrate.odds import cost, finite, log_softmax
from logloss.interval import of_clusters, of_rows
from logloss.kernels import in_order

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from logloss.calibrate.maps import Map
    from logloss.interval import Interval

    Float = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Fit = Callable[[Sequence[str], Float, Float, Float], Mapping[str, Callable[[Float], Float]]]

__all__ = ["Field", "Race", "applied", "choose", "gain_of", "run", "simplicity"]

COMPILE_FROM = 500  # rows
THREADED = 20_000  # numbers; of fewer, threads wait for one another


def simplicity(name: str, K: int) -> tuple[int, int]:
    """Return what candidates are ordered by: how many parameters they have, then their place in the list."""
    return CANDIDATES[name].parameters(K), list(CANDIDATES).index(name)


def fit_maps(names: Sequence[str], Z: Float, T: Float, weight: Float) -> dict[str, Callable[[Float], Float]]:
    """Fit maps to rows; return what each makes of other forecasts."""
    return {name: partial(applied, fit_steps(name, Z, T, weight)) for name in names}


@dataclass(frozen=True, eq=False)
class Field:
    """The rows of a race: forecasts and shares (n, C), weights (n,) of mean 1, folds, clusters where rows depend.

    `fit` fits candidates to such rows, whatever their forecasts look like, and `order` tells which is the simpler.
    """

    Z: Float
    T: Float
    weight: Float
    fold: Ints
    cluster: Ints | None = None
    fit: Fit = fit_maps
    order: Callable[[str, int], tuple[int, int]] = simplicity

    @property
    def folds(self) -> int:
        """How many folds."""
        return int(self.fold.max()) + 1

    @property
    def classes(self) -> int:
        """How many classes."""
        return max(int(self.T.shape[1]), 2)


@dataclass(frozen=True, eq=False)
class Race:
    """What came of it.

    Attributes
    ----------
    losses
        Held-out surprise of each row under each candidate, (n,) each, simplest first.
    nested
        Held-out surprise under what was chosen without the row's fold, (n,).
    picked
        What was chosen without each fold.
    leader
        What all rows choose.
    """

    losses: Mapping[str, Float] = field(repr=False)
    nested: Float = field(repr=False)
    picked: tuple[str, ...]
    leader: str


def run(rows: Field, names: Sequence[str], watch: Callable[[int, int], None] | None = None) -> Race:
    """Race the named candidates, in the order of simplicity."""
    if len(rows.Z) >= COMPILE_FROM:
        venn_abers.compiled()  # one import is cheaper than many slow walks
    single = [frozenset([k]) for k in range(rows.folds)]
    double = [frozenset(pair) for pair in combinations(range(rows.folds), 2)]
    work = [*single, *double]
    inner = {k: {name: np.full(len(rows.Z), np.nan) for name in names} for k in range(rows.folds)}
    outer = {name: np.empty(len(rows.Z)) for name in names}
    threads = None if rows.Z.size > THREADED else 1
    for done, (out, found) in enumerate(
        in_order(lambda out: (out, _without(rows, out, names)), work, threads)
    ):
        for name, at, losses in found:
            if len(out) == 1:
                outer[name][at] = losses
                continue
            for k in out:  # the rows of the other fold of the pair, judged where k is left out
                other = rows.fold[at] != k
                inner[k][name][at[other]] = losses[other]
        if watch is not None:
            watch(done + 1, len(work))
    ends = [name for name, losses in outer.items() if np.isfinite(losses).all()] or list(names)
    picked, nested = [], np.empty(len(rows.Z))
    for k in range(rows.folds):
        seen = rows.fold != k
        within = inner[k] if rows.folds > 2 else outer
        name = choose({name: within[name][seen] for name in ends}, rows, seen)
        picked.append(name)
        nested[~seen] = outer[name][~seen]
    everywhere = np.ones(len(rows.Z), bool)
    return Race(outer, nested, tuple(picked), choose(outer, rows, everywhere))


def _without(rows: Field, out: frozenset[int], names: Sequence[str]) -> list[tuple[str, Ints, Float]]:
    """Fit every candidate without some folds; return their losses on the rows of these."""
    held = np.isin(rows.fold, list(out))
    at = np.flatnonzero(held)
    Z, T, w = rows.Z[~held], rows.T[~held], rows.weight[~held]
    w = w / w.mean()
    given, happened = rows.Z[held], rows.T[held]
    return [(name, at, cost(fitted(given), happened)) for name, fitted in rows.fit(names, Z, T, w).items()]


def applied(steps: tuple[Map, ...], Z: Float) -> Float:
    """Return forecasts after steps, as they are written: nothing is certain, but for what was left as it is."""
    if len(steps) == 1 and steps[0].kind == "identity":
        return Z
    Z = finite(Z)
    for step in steps:
        Z = step(Z)
    return finite(Z if Z.shape[1] == 1 else log_softmax(Z))


def choose(losses: Mapping[str, Float], rows: Field, seen: NDArray[np.bool_]) -> str:
    """Return the simplest candidate within one standard error of the best."""
    weight = rows.weight[seen]
    cluster = None if rows.cluster is None else rows.cluster[seen]
    means = {name: float((weight * loss).sum() / weight.sum()) for name, loss in losses.items()}
    best = min(means, key=lambda name: means[name])
    if math.isinf(means[best]):
        return min(
            losses, key=lambda name: (int(np.isinf(losses[name]).sum()), rows.order(name, rows.classes))
        )
    for name in sorted(losses, key=lambda name: rows.order(name, rows.classes)):
        if math.isinf(means[name]):
            continue
        behind = gain_of(losses[name], losses[best], weight, cluster)
        if name == best or behind is None or behind.mean <= behind.standard_error:
            return name
    return best


def gain_of(
    before: Float, after: Float, weight: Float, cluster: Ints | None, level: float = 0.95
) -> Interval | None:
    """Return the mean of before - after, finite losses of shape (n,), with its interval; rows may come in clusters."""
    saved = before - after
    if cluster is None:
        return of_rows(saved, weight, level=level)
    return of_clusters(saved, weight, cluster, level=level)
