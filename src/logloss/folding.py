"""A checked record -> its summary: block by block, on all cores, or in one compiled pass."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache, reduce
from operator import add
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss import kernels, oddsgrid
from logloss.codes import Coded
from logloss.kernels import weighted_sum
from logloss.plain import plain
from logloss.rules import CLIP32, EDGES
from logloss.summary import CLASS_MEASURES, Summary
from logloss.surprises import Columns, columns_of, parts, per_row
from logloss.tally import Bins, Keyed, Moments, Table, Top

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from logloss.record import Observations

    Float = NDArray[np.float64]

__all__ = ["fold_clean", "fold_record", "ones"]

MOST_CLASSES = 256  # above, the true-by-predicted table would outgrow the rest
STEP = 1 << 17  # rows of a compiled pass
# The middle of the float32 view's bins, where most rows lie; and what clipping p to [1e-7, 1 - 1e-7] in float32 makes
# of surprise: (least, greatest) for class 1, then for class 0, whose probability is 1 - p.
_LOW, _HIGH = EDGES["rounded"][:2]
_FEW, _MOST = (float(p) for p in CLIP32)
LIMITS = (_LOW, _HIGH, *(-math.log(q) for q in (_MOST, _FEW, 1.0 - _FEW, 1.0 - _MOST)))


def fold_record(record: Observations, *, top: int = 20) -> Summary:
    """Return the summary of a checked record: one pass, block by block; `top` costliest rows are kept."""
    hard = record.binary and record.space == "p" and not record.soft
    if hard and len(record) >= kernels.COMPILE_FROM:
        pieces = [slice(a, min(a + STEP, len(record))) for a in range(0, len(record), STEP)]
        outcome = record.outcome.astype(np.int8, copy=False)
        folded = [
            part[0]
            for part in kernels.in_order(lambda rows: _compiled(record, rows, outcome[rows], top), pieces)
            if part is not None
        ]
    else:
        folded = list(kernels.in_order(lambda rows: _of_block(record, rows, top), parts(record)))
    whole = reduce(add, folded)
    remarks = tuple(note.remark for note in record.notes if note.remark is not None)
    return replace(whole, remarks=remarks, notes=tuple(note for note in record.notes if note.remark is None))


def fold_clean(
    record: Observations, *, top: int = 20, keep: bool = False
) -> tuple[Summary, Float | None] | None:
    """Summarise unchecked binary rows of (0/1, p, weight) in one compiled pass; None where a row is not clean.

    With `keep` the surprise of each row comes along.
    """
    return _compiled(record, slice(0, len(record)), record.outcome, top, keep=keep)


def _compiled(
    record: Observations, rows: slice, outcome: NDArray[np.int8], top: int, *, keep: bool = False
) -> tuple[Summary, Float | None] | None:
    p = record.forecast[rows]
    w = ones(len(p)) if record.weight is None else record.weight[rows]
    grouped = record.group is not None
    fold = kernels.fold_binary_p(
        outcome, p, w, edges=EDGES["given"], rounded_edges=EDGES["rounded"], limits=LIMITS, top=top,
        keep=keep or grouped,
    )  # fmt: skip
    if fold is None:
        return None
    sums, s = fold.sums, fold.surprise
    infinite = (p == 1 - outcome) & (w > 0) if fold.bins[:, 2].any() else None
    lost = np.zeros((2, 2)) if infinite is None else _infinite_cells(outcome, p, infinite)
    cells = np.concatenate([fold.cells, lost[None]])
    given, rounded = _bins("given", fold.bins), _bins("rounded", fold.rounded)
    keras = Bins(EDGES["keras"], np.array([[sums["weight"]]]), np.array([[sums["keras_nats"]]]), np.zeros(1))
    mass = {
        key: sums[key]
        for key in ("weight", "entropy", "variance", "brier", "certain", "errors", "certain_errors")
    }
    correct = float(fold.cells[1, 0, 0] + fold.cells[1, 1, 1])
    summary = Summary(
        classes=record.classes,
        binary=True,
        space=record.space,
        weighted=record.weight is not None,
        n=int(sums["count"]),
        moments=Moments(*fold.moments),
        infinite=(0, 0.0) if infinite is None else (int(infinite.sum()), float(w[infinite].sum())),
        mass={"rows": float(len(p)), "correct": correct, "outcome_entropy": 0.0, **mass},
        by_class=Table(cells.sum(axis=2)),
        confusion=Table(cells),
        clamps={
            "given": given,
            "rounded": rounded,
            "renormalized": given.coarser(EDGES["renormalized"]),
            "keras": keras,
        },
        grid=oddsgrid.of_cells(fold.grid),
        top=_top(record, rows, fold.costliest, lambda at: int(p[at] > 0.5), w, top),
        fingerprint=fold.fingerprint,
        groups=None
        if record.group is None or s is None
        else _compiled_groups(_coded(record.group[rows]), outcome, w, s),
    )
    return summary, s.copy() if keep and s is not None else None


@lru_cache(maxsize=4)
def ones(rows: int) -> Float:
    """Return the weights of rows that have none; read-only, as it is kept."""
    weights = np.ones(rows)
    weights.flags.writeable = False
    return weights


def _bins(view: str, columns: Float) -> Bins:
    """Return (weight, nats, infinite weight) by bin as a tally."""
    weight, nats, infinite = columns.T
    return Bins(EDGES[view], weight[None], nats[None], infinite.sum()[None])


def _compiled_groups(coded: Coded, outcome: NDArray[np.int8], w: Float, s: Float) -> Keyed:
    n, mean, second, third, sums = kernels.fold_groups(coded.code, outcome, w, s, (len(coded.keys), 2))
    return Keyed(coded.keys, n, mean, second, third, sums)


def _infinite_cells(outcome: NDArray[np.int8], p: NDArray[Any], infinite: NDArray[np.bool_]) -> Float:
    lost = np.zeros((2, 2))
    np.add.at(lost, (outcome[infinite], (p[infinite] > 0.5).astype(np.int8)), 1.0)
    return lost


def _top(
    record: Observations,
    rows: slice,
    costliest: list[tuple[float, int]],
    predicted: Callable[[int], int],
    w: Float,
    top: int,
) -> Top:
    """Return the costliest rows with what is remembered of them: id, outcome, what was forecast, weight."""
    keys = np.array([key for key, _ in costliest])
    at = np.array([row for _, row in costliest], np.int64)
    few = replace(
        record, outcome=record.outcome[rows.start + at], forecast=record.forecast[rows.start + at], rows=None
    )
    s = per_row(few)
    outcomes = few.outcome.tolist()
    labels = outcomes if record.soft else [record.classes[int(code)] for code in outcomes]
    columns = zip(
        keys.tolist(), at.tolist(), labels, np.exp(-s).tolist(), s.tolist(), w[at].tolist(), strict=True
    )
    entries = tuple(
        (
            key,
            record.place(rows.start + row),
            {
                "id": None if record.ids is None else plain(record.ids[rows.start + row]),
                "outcome": label,
                "forecast": forecast,
                "predicted": record.classes[predicted(row)],
                "surprise": None if surprise == np.inf else surprise,
                "weight": weight,
            },
        )
        for key, row, label, forecast, surprise, weight in columns
    )
    return Top(top, entries)  # largest first, and the first of equals, as they come


def _of_block(record: Observations, rows: slice, top: int) -> Summary:
    """Summarise a block with NumPy: the twin of the compiled pass, for every kind of forecast and outcome."""
    columns = columns_of(record, rows)
    w, s = columns.weight, columns.surprise
    counts = w > 0
    finite = np.isfinite(s) & counts
    infinite = counts & ~np.isfinite(s)
    K = len(record.classes)
    cells = _cells(record, columns)
    cost = np.where(counts, s, 0.0) * np.where(counts, w, 0.0)
    order = np.argsort(-cost, kind="stable")[:top].tolist()
    shares = columns.shares
    views = {
        "given": columns.given,
        "rounded": columns.rounded,
        "renormalized": columns.renormalized,
        "keras": columns.keras,
    }
    return Summary(
        classes=record.classes,
        binary=record.binary,
        space=record.space,
        weighted=record.weight is not None,
        n=int(counts.sum()),
        moments=Moments.of(np.stack([w[finite], w[finite] * s[finite]], axis=1)),
        infinite=(int(infinite.sum()), float(w[infinite].sum())),
        mass=_mass(columns, finite),
        by_class=Table.of((K,), [cells[0]], cells[2:]),
        confusion=Table.of((K, K), cells[:2], cells[2:]) if K <= MOST_CLASSES else None,
        clamps={view: Bins.of(EDGES[view], [values], w) for view, values in views.items()},
        grid=oddsgrid.of_rows(columns.odds, w, columns.grid_share, columns.grid_p),
        top=_top(
            record,
            rows,
            [(float(cost[at]), at) for at in order],
            lambda at: int(columns.predicted[at]),
            w,
            top,
        ),
        fingerprint=_fingerprint(record.outcome[rows], w),
        groups=None
        if record.group is None
        else _groups(record.group[rows], record.outcome[rows], shares, w, s, K),
    )


def _mass(columns: Columns, finite: NDArray[np.bool_]) -> dict[str, float]:
    w, m = columns.weight, len(columns.weight)
    known = finite & np.isfinite(columns.entropy) & np.isfinite(columns.variance)
    right = columns.happened
    counts = w > 0
    wrong = counts & (right < 0.5)
    return {
        "rows": float(m),
        "weight": float(w.sum()),
        "entropy": float(weighted_sum(w[known], columns.entropy[known])),
        "variance": float(weighted_sum(w[known] ** 2, columns.variance[known])),
        "brier": float(weighted_sum(w, columns.brier)),
        "correct": float(weighted_sum(w, right)),
        "outcome_entropy": 0.0
        if columns.shares is None
        else float(weighted_sum(w, _entropy(columns.shares))),
        "certain": float((columns.certain & counts).sum()),
        "errors": float(wrong.sum()),
        "certain_errors": float((wrong & columns.certain).sum()),
    }


def _entropy(shares: Float) -> Float:
    """H(t) = -sum t log t, 0 log 0 = 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(-np.where(shares > 0, shares * np.log(shares), 0.0).sum(axis=1))


def _cells(record: Observations, columns: Columns) -> list[NDArray[Any]]:
    """Return true class, predicted class, and CLASS_MEASURES; a soft row is split into one cell per class."""
    if columns.shares is None or columns.by_class is None:
        true, predicted, w, s = (
            record.outcome[columns.rows].astype(np.int64),
            columns.predicted,
            columns.weight,
            columns.surprise,
        )
        one = (w > 0).astype(np.float64)
    else:
        m, K = columns.shares.shape
        true, predicted = np.tile(np.arange(K), m), np.repeat(columns.predicted, K)
        t = columns.shares.ravel()
        w, s = np.repeat(columns.weight, K) * t, columns.by_class.ravel()
        one = t * (np.repeat(columns.weight, K) > 0)
    infinite = np.isinf(s) & (w > 0)
    nats = np.where(w > 0, w, 0.0) * np.where(np.isinf(s), 0.0, s)
    return [true, predicted, one, w, nats, infinite.astype(np.float64)]


def _fingerprint(outcome: NDArray[Any], w: Float) -> int:
    """Sum of SplitMix64's finaliser of (outcome, bits of the weight) modulo 2^64; shares enter by their bits."""
    seed = np.uint64(0x9E3779B97F4A7C15)
    if outcome.dtype.kind in "biu":
        marks = outcome.astype(np.uint64) + np.uint64(1)
    else:  # a share of 0 or 1 is the class that it is, so that a batch without fractions counts alike
        shares = outcome.astype(np.float64)
        shares = np.stack([1.0 - shares, shares], axis=1) if shares.ndim == 1 else shares
        odd = np.arange(1, 2 * shares.shape[1], 2, dtype=np.uint64)
        mixed = ((shares + 0.0).view(np.uint64) * odd).sum(axis=1, dtype=np.uint64)
        marks = np.where(
            (shares == 1.0).any(axis=1), shares.argmax(axis=1).astype(np.uint64) + np.uint64(1), mixed
        )
    x = (w + 0.0).view(np.uint64) + seed * marks
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return int((x ^ (x >> np.uint64(31))).sum(dtype=np.uint64))


def _coded(group: NDArray[Any] | Coded) -> Coded:
    return (group if isinstance(group, Coded) else Coded.of(group)).used()


def _groups(
    group: NDArray[Any] | Coded, outcome: NDArray[Any], shares: Float | None, w: Float, s: Float, K: int
) -> Keyed:
    """Moments of (w, w s) over finite rows, GROUP_MEASURES and the weight of each class, by group."""
    coded = _coded(group)
    counts = w > 0
    finite = counts & np.isfinite(s)
    lost = counts & ~finite
    measures = [np.ones(len(w)), w, lost.astype(np.float64), np.where(lost, w, 0.0)]
    if K <= MOST_CLASSES and shares is None:
        measures += [np.where(outcome == k, w, 0.0) for k in range(K)]
    elif K <= MOST_CLASSES and shares is not None:
        measures += [w * t for t in shares.T]
    rows = np.stack([w, np.where(finite, w * np.where(finite, s, 0.0), 0.0)], axis=1)
    return Keyed.of(coded.keys, coded.code, rows, finite, measures)


assert CLASS_MEASURES == ("rows", "weight", "nats", "infinite")  # the order in which the cells are filled
