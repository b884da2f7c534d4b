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
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from logloss.calibrate import venn_abers
from logloss.calibrate.fits import CANDIDATES, fit_steps
from logloss.calibrate.odds import cost, finite, log_softmax
from logloss.interval import of_clusters, of_rows
from logloss.kernels import in_order
from logloss.stages import steps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from logloss.calibrate.maps import Map
    from logloss.interval import Interval

    Float = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Fit = Callable[[Sequence[str], Float, Float, Float], Mapping[str, Callable[[Float], Float]]]

__all__ = ["Field", "Race", "applied", "choose", "fit_maps", "gain_of", "run", "simplicity"]

T = TypeVar("T")
U = TypeVar("U")

COMPILE_FROM = 500  # rows
RACING = "racing maps"
THREADED = 20_000  # numbers; of fewer, threads wait for one another


def simplicity(name: str, K: int) -> tuple[int, int]:
    """Return what candidates are ordered by: how many parameters they have, then their place in the list."""
    return CANDIDATES[name].parameters(K), list(CANDIDATES).index(name)


def fit_maps(
    names: Sequence[str], Z: Float, T: Float, weight: Float, *, certain: bool | None = None
) -> dict[str, Callable[[Float], Float]]:
    """Fit maps to rows; return what each makes of other forecasts, some of which may be `certain`."""
    return {name: partial(applied, fit_steps(name, Z, T, weight, certain=certain)) for name in names}


@dataclass(frozen=True, eq=False)
class Field:
    """The rows of a race: forecasts and shares (n, C), weights (n,) of mean 1, folds, clusters where rows depend.

    `fit` fits candidates to such rows, whatever their forecasts look like, and `order` tells which is the simpler. Where
    folds follow one another in time, `forward`, each is judged under what those before it teach.
    """

    Z: Float
    T: Float
    weight: Float
    fold: Ints
    cluster: Ints | None = None
    fit: Fit = fit_maps
    order: Callable[[str, int], tuple[int, int]] = simplicity
    forward: bool = False

    @property
    def folds(self) -> int:
        """How many folds."""
        return int(self.fold.max()) + 1

    def take(self, keep: NDArray[np.bool_]) -> Field:
        """Return only the rows to keep."""
        cluster = None if self.cluster is None else self.cluster[keep]
        return replace(
            self,
            Z=self.Z[keep],
            T=self.T[keep],
            weight=self.weight[keep],
            fold=self.fold[keep],
            cluster=cluster,
        )

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
    judged, compared
        Which rows judge the choice, and which the candidates; all but those of the first folds in time, (n,).
    """

    losses: Mapping[str, Float] = field(repr=False)
    nested: Float = field(repr=False)
    picked: tuple[str, ...]
    leader: str
    judged: NDArray[np.bool_] = field(repr=False)
    compared: NDArray[np.bool_] = field(repr=False)


def run(rows: Field, names: Sequence[str], watch: Callable[[int, int], None] | None = None) -> Race:
    """Race the named candidates, in the order of simplicity."""
    if len(rows.Z) >= COMPILE_FROM:
        venn_abers.compiled()  # one import is cheaper than many slow walks
    if rows.forward:
        return _forward(rows, names, watch)
    single = [frozenset([k]) for k in range(rows.folds)]
    double = [frozenset(pair) for pair in combinations(range(rows.folds), 2)]
    work = [*single, *double]
    inner = {k: {name: np.full(len(rows.Z), np.nan) for name in names} for k in range(rows.folds)}
    outer = {name: np.empty(len(rows.Z)) for name in names}
    fits = partial(_held_out, rows, names)
    each = _threaded(lambda out: (out, fits(*_split(rows, out))), work, rows)
    for done, (out, found) in enumerate(steps(each, RACING, "fits", len(work))):
        for name, at, losses in found:
            if len(out) == 1:
                outer[name][at] = losses
                continue
            for k in out:  # the rows of the other fold of the pair, judged where k is left out
                other = rows.fold[at] != k
                inner[k][name][at[other]] = losses[other]
        if watch is not None:
            watch(done + 1, len(work))
    picked, nested = [], np.empty(len(rows.Z))
    options = _options(outer)
    for k in range(rows.folds):
        seen = rows.fold != k
        within = inner[k] if rows.folds > 2 else outer
        name = choose({name: within[name][seen] for name in options}, rows, seen)
        picked.append(name)
        nested[~seen] = outer[name][~seen]
    every = np.ones(len(rows.Z), bool)
    leader = choose({name: outer[name] for name in options}, rows, every)
    return Race(outer, nested, tuple(picked), leader, every, every)


def _forward(rows: Field, names: Sequence[str], watch: Callable[[int, int], None] | None) -> Race:
    """Race through time: fold k is judged under maps of the folds before it, chosen by how they did on those."""
    given = cost(rows.fit(["identity"], rows.Z, rows.T, rows.weight)["identity"](rows.Z), rows.T)
    outer = {name: given.copy() for name in names}
    work = list(range(1, rows.folds))
    fits = partial(_held_out, rows, names)
    each = _threaded(lambda k: fits(rows.fold < k, np.flatnonzero(rows.fold == k)), work, rows)
    for done, found in enumerate(steps(each, RACING, "fits", len(work))):
        for name, at, losses in found:
            outer[name][at] = losses
        if watch is not None:
            watch(done + 1, len(work))
    picked, nested = [], given.copy()
    options = _options(outer)
    for k in range(2, rows.folds):
        seen, now = (rows.fold > 0) & (rows.fold < k), rows.fold == k
        name = choose({name: outer[name][seen] for name in options}, rows, seen)
        picked.append(name)
        nested[now] = outer[name][now]
    compared = rows.fold > 0
    leader = choose({name: outer[name][compared] for name in options}, rows, compared)
    return Race(outer, nested, tuple(picked), leader, rows.fold > 1, compared)


def _threaded(work: Callable[[T], U], items: Sequence[T], rows: Field) -> Iterator[U]:
    return in_order(work, items, None if rows.Z.size > THREADED else 1)


def _split(rows: Field, out: frozenset[int]) -> tuple[NDArray[np.bool_], Ints]:
    """Return which rows are in none of these folds, and where those are that are."""
    held = np.isin(rows.fold, list(out))
    return ~held, np.flatnonzero(held)


def _held_out(
    rows: Field, names: Sequence[str], train: NDArray[np.bool_], at: Ints
) -> list[tuple[str, Ints, Float]]:
    """Fit every candidate to some rows; return their losses on others."""
    w = rows.weight[train]
    fitted = rows.fit(names, rows.Z[train], rows.T[train], w / w.mean())
    return [(name, at, cost(one(rows.Z[at]), rows.T[at])) for name, one in fitted.items()]


def _options(losses: Mapping[str, Float]) -> list[str]:
    """Return what may be chosen: what leaves no infinite loss on rows it was not fitted on, if anything does.

    Else a single impossible row would keep everything as it is: the folds without it do not know of it.
    """
    return [name for name, loss in losses.items() if np.isfinite(loss).all()] or list(losses)


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
