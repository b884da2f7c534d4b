"""Row maths: surprise in nats of what happened, under each way of writing a forecast down.

Two twins with one contract: :mod:`oracle` (NumPy, reads like the formulas) and :mod:`compiled` (fast). Small
inputs go to the oracle, so that a first small call pays neither the compiler's import nor its work.
Kernels validate nothing and know nothing of weights, labels or tables.
"""

from __future__ import annotations

import math
import os
from functools import lru_cache
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from logloss.kernels import oracle

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import ThreadPoolExecutor

    from numpy.typing import NDArray

    Array = NDArray[Any]
    Float = NDArray[np.float64]

T = TypeVar("T")

__all__ = [
    "COMPILE_FROM",
    "binary",
    "binary_logit",
    "binary_logp",
    "binary_p",
    "binary_p_total",
    "class_logit",
    "class_logp",
    "class_p",
    "class_p_total",
    "tolerance",
]

COMPILE_FROM = 50_000  # numbers in the forecast; below, NumPy is done before the compiler is imported
SLICE = (
    1 << 20
)  # numbers per slice of work; fixed, so that the result does not depend on how many threads there are
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


def _outcome(a: Array) -> Array:
    """Return outcomes in a type the compiler knows; too large for it is as good as unknown."""
    if a.dtype.kind == "b":
        a = a.view(np.int8)
    elif a.dtype.kind == "f" and a.dtype not in _NATIVE:
        a = a.astype(np.float64)
    elif not a.dtype.isnative or a.dtype == np.uint64:
        a = a.astype(np.int64)
    return _plain(a)


def _forecast(a: Array) -> Array:
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

    helpers = [_pool().submit(drain) for _ in range(min(os.cpu_count() or 1, len(slices)) - 1)]
    drain()  # the calling thread works too: where the other cores are busy it does all by itself
    for helper in helpers:
        if not helper.cancel():
            helper.result()
    return [results[at] for at in range(len(slices))]


@lru_cache(maxsize=1)
def _pool() -> ThreadPoolExecutor:
    """Return the threads that are kept; a forked child makes its own."""
    from concurrent.futures import ThreadPoolExecutor

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_pool.cache_clear)
    return ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="logloss")


def _per_row(name: str, outcome: Array, forecast: Array, *more: float) -> Float:
    """Call a per-row kernel: the oracle for few numbers, the compiled twin on slices for many."""
    if forecast.size < COMPILE_FROM:
        return np.asarray(getattr(oracle, name)(outcome, forecast, *more))
    from logloss.kernels import compiled

    kernel = getattr(compiled, name)
    out = np.empty(len(forecast))
    y, x = _outcome(outcome), _forecast(forecast)
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

    y, x = _outcome(outcome), _forecast(p)
    return _sum(_in_slices(lambda part: compiled.binary_p_total(y[part], x[part]), len(p)))


def class_p_total(outcome: Array, P: Array, within: float) -> tuple[float, int, int]:
    """Sum of surprises over all rows: (nats over finite rows, infinite rows, rows that are not clean)."""
    from logloss.kernels import compiled

    y, x = _outcome(outcome), _forecast(P)
    return _sum(_in_slices(lambda part: compiled.class_p_total(y[part], x[part], within), *P.shape))
