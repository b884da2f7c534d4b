"""Row maths: surprise in nats of what happened, under each way of writing a forecast down.

Two twins with one contract: :mod:`oracle` (NumPy, reads like the formulas) and :mod:`compiled` (fast). Small
inputs go to the oracle, so that a first small call pays neither the compiler's import nor its work.
Kernels validate nothing and know nothing of weights, labels or tables.
"""

from __future__ import annotations

import math
import os
from collections import deque
from functools import lru_cache
from itertools import count
from threading import local
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from logloss.kernels import oracle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future, ThreadPoolExecutor

    from numpy.typing import NDArray

    Array = NDArray[Any]
    Float = NDArray[np.float64]

_LOCAL = local()
T = TypeVar("T")
U = TypeVar("U")

__all__ = [
    "COMPILE_FROM",
    "GRID",
    "BinaryFold",
    "binary",
    "binary_logit",
    "binary_logp",
    "binary_p",
    "binary_p_total",
    "both",
    "class_logit",
    "class_logp",
    "class_p",
    "class_p_columns",
    "class_p_total",
    "fold_binary_p",
    "fold_groups",
    "in_order",
    "scratch",
    "tolerance",
    "weighted_sum",
]

COMPILE_FROM = 50_000  # numbers in the forecast; below, NumPy is done before the compiler is imported
SLICE = (
    1 << 20
)  # numbers per slice of work; fixed, so that the result does not depend on how many threads there are
MIDDLE = (
    1e-3,
    20.0,
)  # nats: most surprises lie between the edge below the first and the one above the second
GRID = (-32.0, 16.0, 1024)  # log-odds: the lowest edge, bins per unit, how many bins
_NATIVE = (np.dtype(np.float64), np.dtype(np.float32))


def tolerance(dtype: np.dtype[Any], classes: int) -> float:
    """How far a row of K probabilities may sum from one by rounding: 8 K eps of the type it was stored in.

    float32 is the coarsest type granted this: half-precision rows are looked at as they are.
    """
    eps = np.finfo(dtype).eps if dtype in _NATIVE else np.finfo(np.float64).eps
    return float(8 * classes * eps)


def _plain(a: Array) -> Array:
    """Return a read-only, contiguous view (or copy): one compiled variant serves writable and read-only arrays."""
    view = np.ascontiguousarray(a).view()
    view.flags.writeable = False
    return view


def as_outcome(a: Array) -> Array:
    """Return outcomes in a type the compiler knows; too large for it is as good as unknown."""
    if a.dtype.kind == "b":
        a = a.view(np.int8)
    elif a.dtype.kind == "f" and a.dtype not in _NATIVE:
        a = a.astype(np.float64)
    elif not a.dtype.isnative or a.dtype == np.uint64:
        a = a.astype(np.int64)
    return _plain(a)


def as_forecast(a: Array) -> Array:
    return _plain(a if a.dtype in _NATIVE else a.astype(np.float64))


def _in_slices(work: Callable[[slice], T], rows: int, columns: int = 1) -> list[T]:
    """Do `work` on slices of rows, on all cores where there is more than one slice; results in the rows' order."""
    step = max(1, SLICE // columns)
    slices = [slice(start, min(start + step, rows)) for start in range(0, rows, step)]
    if len(slices) < 2:
        return [work(piece) for piece in slices]
    results: dict[int, T] = {}
    turn = count()  # next() of it is atomic

    def drain() -> None:
        while (at := next(turn)) < len(slices):
            results[at] = work(slices[at])  # the kernels release the interpreter's lock

    helpers = [pool().submit(drain) for _ in range(min(os.cpu_count() or 1, len(slices)) - 1)]
    drain()  # the calling thread works too: where the other cores are busy it does all by itself
    for helper in helpers:
        if not helper.cancel():
            helper.result()
    return [results[at] for at in range(len(slices))]


def both(first: Callable[[], T], second: Callable[[], U]) -> tuple[T, U]:
    """Do two pieces of work on two cores; on one where the others are busy."""
    other = pool().submit(second)
    one = first()
    return one, second() if other.cancel() else other.result()


@lru_cache(maxsize=1)
def pool() -> ThreadPoolExecutor:
    """Return the threads that are kept; a forked child makes its own."""
    from concurrent.futures import ThreadPoolExecutor

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=pool.cache_clear)
    return ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="logloss")


def _per_row(name: str, outcome: Array, forecast: Array, *more: float) -> Float:
    """Call a per-row kernel: the oracle for few numbers, the compiled twin on slices for many."""
    if forecast.size < COMPILE_FROM:
        return np.asarray(getattr(oracle, name)(outcome, forecast, *more))
    from logloss.kernels import compiled

    kernel = getattr(compiled, name)
    out = np.empty(len(forecast))
    y, x = as_outcome(outcome), as_forecast(forecast)
    _in_slices(lambda part: kernel(y[part], x[part], *more, out[part]), *x.shape)
    return out


def binary(space: str, outcome: Array, forecast: Array) -> Float:
    """Surprise per row of a single column in its space: "p", "logp" or "logit", shape (n,)."""
    return {"p": binary_p, "logp": binary_logp, "logit": binary_logit}[space](outcome, forecast)


def binary_p(outcome: Array, p: Array) -> Float:
    """Surprise per row from p = P(1), shape (n,)."""
    return _per_row("binary_p", outcome, p)


def binary_logp(outcome: Array, logp: Array) -> Float:
    """Surprise per row from log P(1), shape (n,)."""
    return oracle.binary_logp(outcome, logp)


def binary_logit(outcome: Array, logit: Array) -> Float:
    """Surprise per row from the log-odds of 1, shape (n,)."""
    return _per_row("binary_logit", outcome, logit)


def class_p(outcome: Array, P: Array, within: float) -> Float:
    """Surprise per row from K probabilities, shape (n, K); rows within `within` of sum one are renormalised."""
    return _per_row("class_p", outcome, P, within)


def class_logp(outcome: Array, logP: Array) -> Float:
    """Surprise per row from K log-probabilities, shape (n, K)."""
    return oracle.class_logp(outcome, logP)


def class_logit(outcome: Array, Z: Array) -> Float:
    """Surprise per row from K logits, shape (n, K)."""
    return _per_row("class_logit", outcome, Z)


def _sum(parts: list[tuple[float, int, int]]) -> tuple[float, int, int]:
    return (
        math.fsum(part[0] for part in parts),
        sum(part[1] for part in parts),
        sum(part[2] for part in parts),
    )


def binary_p_total(outcome: Array, p: Array) -> tuple[float, int, int]:
    """Sum of surprises over all rows: (nats over finite rows, infinite rows, rows that are not clean)."""
    from logloss.kernels import compiled

    y, x = as_outcome(outcome), as_forecast(p)
    return _sum(_in_slices(lambda part: compiled.binary_p_total(y[part], x[part]), len(p)))


def class_p_total(outcome: Array, P: Array, within: float) -> tuple[float, int, int]:
    """Sum of surprises over all rows: (nats over finite rows, infinite rows, rows that are not clean)."""
    from logloss.kernels import compiled

    y, x = as_outcome(outcome), as_forecast(P)
    return _sum(_in_slices(lambda part: compiled.class_p_total(y[part], x[part], within), *P.shape))


class BinaryFold(NamedTuple):
    """What one compiled pass over binary rows returns; every sum is over rows times weight unless it says rows."""

    surprise: Float | None  # per row, in memory that is used again
    sums: dict[str, float]
    cells: Float  # (3, 2, 2): rows, weight, nats by outcome and first choice
    moments: tuple[int, Float, Float, Float]  # n, mean, second, third of (w, w s) over finite rows
    bins: Float  # (B, 3): weight, nats, infinite weight by surprise
    rounded: Float  # the same by surprise of the float32 view
    grid: Float  # (2 (G + 2), 4): w, w p, w d, w d^2 by log-odds and outcome; the last two bins are infinite
    costliest: list[tuple[float, int]]  # (w s, row), largest first
    fingerprint: int


SUMS = ("weight", "count", "entropy", "variance", "brier", "finite", "finite_weight", "finite_nats", "certain",
        "rounded_nats", "rounded_weight", "keras_nats")  # fmt: skip


def fold_binary_p(
    outcome: NDArray[np.int8],
    p: Array,
    weight: Float,
    *,
    edges: tuple[float, ...],
    rounded_edges: tuple[float, ...],
    limits: tuple[float, ...],
    top: int,
    keep: bool = False,
) -> BinaryFold | None:
    """Summarise binary rows from p = P(1) in one compiled pass; None where a row is not clean.

    `limits`: the middle of the rounded view, then the least and greatest surprise of its clipped form by outcome
    1 and 0. With `keep` the surprise of each row comes along, in memory that the thread's next call uses again.
    """
    from logloss.kernels import folds

    y, x, w = _plain(outcome), as_forecast(p), _plain(weight)
    s = scratch(len(x)) if keep else np.empty(folds.ROWS)
    sums, moments = np.zeros(folds.HOW_MANY), np.zeros(10)
    bins, rounded = np.zeros((len(edges) + 1, 3)), np.zeros((len(rounded_edges) + 1, 3))
    grid = np.zeros((2 * (GRID[2] + 2), 4))
    keys, at = np.full(max(top, 1), -1.0), np.full(max(top, 1), -1, np.int64)
    at_edges, at_rounded = np.asarray(edges), np.asarray(rounded_edges)
    first, last = int(np.searchsorted(at_edges, MIDDLE[0])) - 1, int(np.searchsorted(at_edges, MIDDLE[1]))
    unclean, mark = folds.binary_p(
        y, x, w, limits, at_edges, first, last, at_rounded, s, sums, bins, rounded, grid, moments, keys, at
    )
    if unclean:
        return None
    named = dict(zip(SUMS, sums.tolist(), strict=False))
    cells = sums[folds.CELLS : folds.CELLS + 12].reshape(3, 2, 2)
    named |= {
        "errors": float(cells[0, 0, 1] + cells[0, 1, 0]),
        "certain_errors": float(sums[folds.CELLS + 12]),
    }
    pairs = np.add.outer(np.arange(2), np.arange(2))
    second, third = moments[3 + pairs], moments[6 + np.add.outer(pairs, np.arange(2))]
    middle = int(np.searchsorted(at_rounded, limits[0], side="right"))
    rounded[middle, :2] += named["rounded_weight"], named["rounded_nats"]
    worst = [(float(key), int(row)) for key, row in zip(keys[:top], at[:top], strict=True) if row >= 0]
    every = (int(moments[0]), moments[1:3], second, third)
    return BinaryFold(s if keep else None, named, cells, every, bins, rounded, grid, worst, int(mark))


def scratch(rows: int) -> Float:
    """Return memory of this thread: asking the system for new pages takes as long as filling them."""
    kept = getattr(_LOCAL, "kept", None)
    if kept is None or len(kept) < rows:
        kept = _LOCAL.kept = np.empty(rows)
    return kept[:rows]


def fold_groups(
    group: NDArray[np.int64],
    outcome: NDArray[np.int8],
    weight: Float,
    surprise: Float,
    shape: tuple[int, int],
) -> tuple[NDArray[np.int64], Float, Float, Float, Float]:
    """Moments of (w, w s) over finite rows by group: n (G,), mean (G, 2), second (G, 2, 2), third (G, 2, 2, 2).

    And sums (G, 4 + K): rows, weight, infinite rows, their weight, weight of each class. `shape` is (G, K).
    """
    from logloss.kernels import gathers

    G, K = shape
    n, mean, sums = np.zeros(G, np.int64), np.zeros((G, 2)), np.zeros((G, 4 + K))
    second, third = np.zeros((G, 2, 2)), np.zeros((G, 2, 2, 2))
    arrays = (_plain(group), _plain(outcome), _plain(weight), _plain(surprise))
    gathers.by_group(*arrays, n, mean, second, third, sums)
    return n, mean, second, third, sums


def class_p_columns(
    outcome: Array, P: Array, within: float, limits: tuple[float, float]
) -> tuple[Float, NDArray[np.int64]]:
    """Return what a summary needs of rows of K probabilities: columns (11, n), see `kernels.classes`; and first choices."""
    from logloss.kernels import classes

    out, predicted = np.empty((classes.HOW_MANY, len(P))), np.empty(len(P), np.int64)
    classes.class_p_columns(as_outcome(outcome), as_forecast(P), within, *limits, out, predicted)
    return out, predicted


def weighted_sum(weight: Float, values: Float) -> float:
    """Return sum w v. Not by a dot product: large ones wake threads of the linear algebra, which then wait busily."""
    return float(np.einsum("i,i->", weight, values))


def in_order(work: Callable[[T], U], items: Iterable[T], threads: int | None = None) -> Iterator[U]:
    """Yield work(item) in the items' order, computed on all cores; few items are in flight at any time.

    The result does not depend on the number of threads. Memory holds at most two items per thread.
    """
    threads = (os.cpu_count() or 1) if threads is None else threads
    if threads < 2 or getattr(_LOCAL, "working", False):  # a thread of the pool would wait for the pool
        yield from map(work, items)
        return

    def marked(item: T) -> U:
        _LOCAL.working = True
        try:
            return work(item)
        finally:
            _LOCAL.working = False

    waiting: deque[Future[U]] = deque()
    try:
        for item in items:
            waiting.append(pool().submit(marked, item))
            while len(waiting) > 2 * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:  # left early, by an error or an interrupt: what has not begun is not begun
        for future in waiting:
            future.cancel()
