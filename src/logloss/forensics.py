"""What looks wrong with this input: each check says what it saw, in numbers, and what would cure it.

Errors where a number would be meaningless; notes where it is still defined. Nothing is repaired here unasked.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss import kernels, units
from logloss.errors import ForecastError, listing
from logloss.kernels import weighted_sum
from logloss.notes import Note, Remark

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logloss.record import Observations

__all__ = ["examine", "out_of_range", "row_sums"]

# Rows of K probabilities further than this from summing to one are refused; nearer, they are noted. Rounding each to
# two decimals moves the sum by up to 0.005 K; more than 0.1 is not believed to be rounding. (A little more, because 1.01 - 1 is more than 0.01.)
MEANINGLESS_SUM, PER_CLASS, MOST_ROUNDING = 0.01 + 1e-9, 0.005 + 1e-9, 0.1
CAP = 40.0  # nats: what an infinite row counts where means are only compared; about -log eps of float64
# -log of the largest 1 - p that rounds to p = 1: 2^-(precision + 1). What a wrong certain row costs at least.
ROUNDED_TO_ONE = {"float64": 54 * np.log(2.0), "float32": 25 * np.log(2.0), "float16": 12 * np.log(2.0)}


def out_of_range(values: NDArray[Any], outside: NDArray[np.bool_], space: str, where: str) -> ForecastError:
    """Return the error for forecasts outside their space, with a guess of what they are instead."""
    shown = listing([f"{v:.10g}" for v in values[outside][:4].tolist()], total=int(outside.sum()), limit=3)
    told = f"{units.count(int(outside.sum()), 'forecast')} outside {'[0, 1]' if space == 'p' else '(-inf, 0]'} ({where}: {shown})."
    if space == "logp":
        return ForecastError(
            "out-of-range",
            told,
            cure="Log-probabilities are 0 or less; logits need space='logit' (CLI: --space logit).",
        )
    low, high = float(values.min()), float(values.max())
    sums = values.sum(axis=1) if values.ndim == 2 else values
    percent = (values > 1).mean() > 0.5 if values.ndim == 1 else np.median(np.abs(sums - 100)) < 1
    if low >= 0 and 1 < high <= 100 and percent:
        return ForecastError("out-of-range", told, cure="They look like percentages: divide them by 100.")
    if high <= 0:
        return ForecastError(
            "out-of-range",
            told,
            cure="All are 0 or less: log-probabilities? Then say space='logp' (CLI: --space logp).",
        )
    if low >= -1e-5 and high <= 1 + 1e-5:
        return ForecastError(
            "out-of-range",
            told,
            cure="That is more than rounding of float64: bring them back with min(max(p, 0), 1).",
        )
    if low < -0.5:
        return ForecastError(
            "out-of-range",
            told,
            cure="Negative values beside large ones look like logits: say space='logit' (CLI: --space logit).",
        )
    return ForecastError("out-of-range", told, cure="Correct these rows: a probability lies between 0 and 1.")


def row_sums(record: Observations, *, normalize: bool) -> tuple[Observations, list[Note]]:
    """Look at how far the rows of K probabilities are from summing to one; refuse, note, or divide when asked."""
    if record.binary or record.space == "logit":
        return record, []
    if record.space == "p":
        with np.errstate(over="ignore"):
            sums = record.forecast.sum(axis=1, dtype=np.float64)
        if normalize and not np.isfinite(sums).all():
            record = replace(record, forecast=record.forecast / record.forecast.max(axis=1, keepdims=True))
            sums = record.forecast.sum(axis=1, dtype=np.float64)
    else:
        sums = np.exp(record.forecast.astype(np.float64)).sum(axis=1)
    distance = np.abs(sums - 1.0)
    off = distance > record.within
    if not off.any():
        return record, []
    weight = np.ones(len(sums)) if record.weight is None else record.weight
    worst = np.argsort(-distance, kind="stable")[: int(off.sum())]
    told = f"{off.sum():,} of {len(off):,} rows do not sum to one (by up to {distance.max():.3g}: {record.places(worst)})"
    seen = {"": (int(off.sum()), record.first(worst))}
    limit = max(MEANINGLESS_SUM, min(PER_CLASS * len(record.classes), MOST_ROUNDING))
    if distance.max() > limit and not normalize:
        many = (distance > limit).mean() > 0.5
        cure = (
            "If each column is a yes/no forecast of its own, score them one by one; if the rows are"
            if many
            else "If they are"
        )
        if record.space == "logp" and many:
            cure = "If they are logits, say space='logit' (CLI: --space logit); if the rows are"
        raise ForecastError(
            "rows-not-one",
            f"{told}.",
            cure=f"{cure} unnormalised on purpose, say normalize_rows=True (CLI: --normalize-rows).",
        )
    if (sums <= 0).any():
        raise ForecastError(
            "rows-not-one",
            f"All zero: {units.count(int((sums <= 0).sum()), 'row')} of probabilities ({record.places(np.flatnonzero(sums <= 0))}).",
            cure="Give these rows a forecast.",
        )
    moved, total = float(weighted_sum(weight, np.log(sums))), float(weight.sum())
    if not normalize:
        as_given = Remark("rows-not-one", int(off.sum()), seen, float(distance.max()), moved)
        return record, [as_given.note(len(off), total)]
    scaled = (
        record.forecast / sums[:, None] if record.space == "p" else record.forecast - np.log(sums)[:, None]
    )
    divided = Remark("rows-normalized", int(off.sum()), seen, float(distance.max()), moved)
    return replace(record, forecast=scaled), [divided.note(len(off), total)]


def examine(record: Observations, surprise: NDArray[np.float64]) -> list[Note]:
    """Return notes on a checked record whose number is defined but may not mean what its owner thinks."""
    if record.weight is not None and not record.weight.all():  # rows of weight 0 do not count here either
        counts = record.weight > 0
        record, surprise = record.take(counts), surprise[counts]
    if not len(record):
        return []
    notes = _duplicate_ids(record)
    if record.soft:
        return notes
    hard = _hard_labels(record)
    return (
        [*notes, *hard] if hard else [*notes, *_rounded_to_one(record, surprise), *_swapped(record, surprise)]
    )


def _duplicate_ids(record: Observations) -> list[Note]:
    if record.ids is None:
        return []
    _, first, counts = np.unique(record.ids.astype(str), return_index=True, return_counts=True)
    if (counts == 1).all():
        return []
    return [
        Note(
            "duplicate-ids",
            f"{units.count(int((counts > 1).sum()), 'id')} more than once ({listing(record.ids[first[counts > 1]], limit=3)}); every row counts.",
        )
    ]


def _hard_labels(record: Observations) -> list[Note]:
    if (
        record.space != "p"
        or len(record) < 2
        or not bool(((record.forecast == 0) | (record.forecast == 1)).all())
    ):
        return []
    return [
        Note(
            "hard-labels",
            "Every forecast is exactly 0 or 1: these look like decisions, not probabilities. One wrong row makes the log loss infinite; score predicted probabilities instead.",
        )
    ]


def _rounded_to_one(record: Observations, surprise: NDArray[np.float64]) -> list[Note]:
    """Say that an infinite row may only be infinite because its probability rounded to 1."""
    if record.space != "p" or record.soft or not np.isinf(surprise).any():
        return []
    infinite = np.isinf(surprise)
    certain = (
        (record.forecast[infinite] == 1.0)
        if record.binary
        else (record.forecast[infinite] == 1.0).any(axis=1)
    )
    if not certain.any():
        return []
    dtype = record.forecast.dtype.name
    bound = ROUNDED_TO_ONE.get(dtype, ROUNDED_TO_ONE["float64"])
    return [
        Note(
            "rounded-to-one",
            f"{units.count(int(certain.sum()), 'wrong row')} with exactly 1 for another class. In {dtype} a probability above 1 - {np.exp(-bound):.1e} rounds to 1, so the true surprise is anywhere from {bound:.1f} nats up; logits or log-probabilities would tell.",
        )
    ]


def _swapped(record: Observations, surprise: NDArray[np.float64]) -> list[Note]:
    """Say when exchanging classes would lower the loss far beyond chance."""
    weight = np.ones(len(record)) if record.weight is None else record.weight
    if len(surprise) < 10 or (record.binary and weighted_sum(weight, surprise) <= weight.sum() * np.log(2.0)):
        return []  # s + s' >= 2 log 2 in every row of two classes: nothing to gain from exchanging them
    if not record.binary:
        return _permuted(record, weight)
    flipped = kernels.binary(record.space, 1 - record.outcome.astype(np.int8), record.forecast)
    now, error = _capped_mean(surprise, weight)
    then, _ = _capped_mean(flipped, weight)
    if then >= 0.7 * now or now - then <= 6 * error:
        return []
    capped = (
        f" (impossible rows counted as {CAP:g} nats)"
        if np.isinf(surprise).any() or np.isinf(flipped).any()
        else ""
    )
    return [
        Note(
            "reversed",
            f"The forecast looks reversed: read as the probability of {record.classes[0]!r} instead of {record.classes[1]!r} the loss would be {units.loss(then)} instead of {units.loss(now)}{capped}. Was the other class meant: positive= (CLI: --positive)?",
        )
    ]


def _capped_mean(surprise: NDArray[np.float64], weight: NDArray[np.float64]) -> tuple[float, float]:
    """Return the weighted mean of min(s, CAP) and its standard error."""
    s = np.minimum(surprise, CAP)
    mean = float(weighted_sum(weight, s) / weight.sum())
    return mean, float(np.sqrt(weighted_sum(weight**2, (s - mean) ** 2)) / weight.sum())


def _permuted(record: Observations, weight: NDArray[np.float64]) -> list[Note]:
    """Find the best order of the columns on every other row, and believe it only if it helps on the rest."""
    K = len(record.classes)
    if K > 200 or len(record) < 4 * K:
        return []
    from scipy.optimize import linear_sum_assignment

    _, columns = linear_sum_assignment(_exchange_costs(record, weight))
    rest = np.arange(1, len(record), 2)
    code = record.outcome[rest].astype(np.int64, copy=False)
    block = _logs(record, slice(1, None, 2))
    at = np.arange(len(rest))
    now, _ = _capped_mean(-block[at, code], weight[rest])
    then, _ = _capped_mean(-block[at, columns[code]], weight[rest])
    gain = np.minimum(-block[at, code], CAP) - np.minimum(-block[at, columns[code]], CAP)
    error = float(np.sqrt(weighted_sum(weight[rest] ** 2, (gain - (now - then)) ** 2)) / weight[rest].sum())
    if now - then < 0.3 * now or now - then < 4 * error:
        return []
    moved = [
        f"{record.classes[i]!r} in the column of {record.classes[j]!r}"
        for i, j in enumerate(columns)
        if i != j
    ]
    return [
        Note(
            "permuted",
            f"The columns look permuted: with {listing(moved, limit=4)} the loss would be about {units.loss(then)} instead of {units.loss(now)} (found on every other row, measured on the rest). Check the order of the columns: labels= (CLI: --labels).",
        )
    ]


def _exchange_costs(record: Observations, weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return [i, j] = nats of every other row of class i, were column j theirs; shape (K, K)."""
    K = len(record.classes)
    cost = np.zeros((K, K))
    step = 2 * max(1, (1 << 19) // K)
    for start in range(0, len(record), step):
        part = slice(start, start + step, 2)
        code = record.outcome[part].astype(np.int64, copy=False)
        logs = _logs(record, part)
        for column in range(K):
            cost[:, column] += np.bincount(
                code, weight[part] * np.minimum(-logs[:, column], CAP), minlength=K
            )
    return cost


def _logs(record: Observations, part: slice) -> NDArray[np.float64]:
    """Return the log-probabilities of some rows, shape (m, K)."""
    block = record.forecast[part].astype(np.float64)
    if record.space == "logit":
        return np.asarray(block - np.logaddexp.reduce(block, axis=1, keepdims=True))
    with np.errstate(divide="ignore"):
        return np.log(block) if record.space == "p" else block
