"""A checked record -> columns per row: surprise, and what the forecast itself expected it to be.

For a forecast p over K classes, with s_k = -log p_k: the surprise of what happened is s_y; the model's own belief
is that it has mean H = sum_k p_k s_k (its entropy) and variance v = sum_k p_k s_k^2 - H^2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss import kernels
from logloss.rules import CLIP32

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from logloss.record import Observations

    Float = NDArray[np.float64]

__all__ = [
    "Columns",
    "certain_rows",
    "class_blocks",
    "columns_of",
    "mean_surprise",
    "parts",
    "per_row",
]

FEWEST = 1 << 10  # rows per block, however many classes: each block has a table of classes by classes
LONG = 1 << 15
BLOCK = 1 << 13  # numbers of a forecast per block: a block's columns stay in cache


@dataclass(frozen=True, eq=False)
class Columns:
    """What a block of rows looks like, every array of shape (m,)."""

    rows: slice
    weight: Float
    surprise: Float  # of what happened; under soft outcomes, the mean over the shares
    given: Float  # -log p_y of the numbers as they stand (differs for rows that do not sum to one)
    rounded: Float  # the same with p stored in float32
    renormalized: Float  # the same after dividing the row by its sum
    keras: Float  # the same after dividing, rounding to float32 and clipping to [1e-7, 1 - 1e-7] there
    entropy: Float  # mean surprise that the forecast expects
    variance: Float  # its variance
    brier: Float  # (p - y)^2 for one column, summed over classes for K columns
    predicted: NDArray[np.int64]  # the class with the largest probability, the first of equals
    happened: Float  # 1 where that class happened; its share under soft outcomes
    certain: NDArray[np.bool_]  # forecast leaves no doubt
    odds: Float  # log-odds of the second class (one column) or of the predicted one (K columns)
    grid_share: Float  # whether that class happened, or its share
    grid_p: Float  # its probability
    shares: Float | None  # (m, K), under soft outcomes
    by_class: Float | None  # (m, K) surprise of each class, under soft outcomes


def per_row(record: Observations) -> Float:
    """Return the surprise of each row of a checked record, shape (n,)."""
    if not record.soft:
        return _hard(record, record.outcome, record.forecast)
    return (
        np.concatenate([mean_surprise(s, t) for _, s, t in class_blocks(record)])
        if len(record)
        else np.zeros(0)
    )


def class_blocks(record: Observations) -> Iterator[tuple[slice, Float, Float]]:
    """Yield (rows, surprise of every class, share of every class in the outcome) block by block, both (m, K)."""
    for part in parts(record):
        yield part, _by_class(record, record.forecast[part]), _shares(record, part)


def certain_rows(record: Observations, part: slice) -> NDArray[np.bool_]:
    """Tell which forecasts leave no doubt as they are stored: p of exactly 0 or 1, a logit of -inf or inf."""
    values = record.forecast[part]
    if record.space == "logit":
        infinite = np.isinf(values)
        return infinite if record.binary else np.asarray(infinite.sum(axis=1) == values.shape[1] - 1)
    one = values == (1.0 if record.space == "p" else 0.0)
    if not record.binary:
        return np.asarray(one.any(axis=1))
    return np.asarray(one | (values == (0.0 if record.space == "p" else -np.inf)))


def mean_surprise(s: Float, t: Float) -> Float:
    """Return sum_k t_k s_k of each row, with 0 * inf = 0; both of shape (m, K)."""
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(t > 0, t * s, 0.0).sum(axis=1))


def _hard(record: Observations, outcome: NDArray[Any], forecast: NDArray[Any]) -> Float:
    if record.binary:
        return kernels.binary(record.space, outcome, forecast)
    if record.space == "p":
        return kernels.class_p(outcome, forecast, record.within)
    return (kernels.class_logp if record.space == "logp" else kernels.class_logit)(outcome, forecast)


def _by_class(record: Observations, forecast: NDArray[Any]) -> Float:
    """Return the surprise of every class, shape (m, K)."""
    if record.binary:
        ones = np.ones(len(forecast), np.int8)
        return np.stack([_hard(record, ones - 1, forecast), _hard(record, ones, forecast)], axis=1)
    values = forecast.astype(np.float64, copy=False)
    if record.space == "logp":
        return 0.0 - values
    at = (np.arange(len(values)), values.argmax(axis=1))
    if record.space == "logit":  # log sum exp(z) - z_k, the largest term left out of the sum
        centred = values - values[at][:, None]
        others = np.exp(centred)
        others[at] = 0.0
        return np.asarray(np.log1p(others.sum(axis=1))[:, None] - centred)
    with np.errstate(divide="ignore", invalid="ignore"):
        s = 0.0 - np.log(values)
        largest = values[at]
        others = values.copy()
        others[at] = 0.0
        rest = np.maximum(others.sum(axis=1), 0.0)
        s[at] = np.where(np.abs(largest + rest - 1.0) <= record.within, np.log1p(rest / largest), s[at])
    return s


def _shares(record: Observations, part: slice) -> Float:
    """Return the outcomes as shares of every class: 0 or 1 where they are labels."""
    if record.soft:
        t = record.outcome[part].astype(np.float64, copy=False)
        return np.stack([1.0 - t, t], axis=1) if t.ndim == 1 else t
    code = record.outcome[part].astype(np.int64, copy=False)
    return np.asarray(code[:, None] == np.arange(len(record.classes)), np.float64)


def parts(record: Observations) -> list[slice]:
    """Return blocks of rows small enough for their columns to stay in cache."""
    step = max(FEWEST, BLOCK // (1 if record.binary else record.forecast.shape[1]))
    step = LONG if _compiles(record) else step  # it makes no tables of rows by classes
    return [slice(start, min(start + step, len(record))) for start in range(0, max(len(record), 1), step)]


def _compiles(record: Observations) -> bool:
    """Tell whether rows of K probabilities are many enough for the compiled twin."""
    plain = not record.binary and record.space == "p" and not record.soft
    return plain and record.forecast.size >= kernels.COMPILE_FROM


def columns_of(record: Observations, part: slice) -> Columns:
    """Return the columns of a block of rows; memory is bounded by the block."""
    forecast = record.forecast[part]
    if _compiles(record):
        return _compiled(record, part, forecast)
    s = _by_class(record, forecast)
    p = _probabilities(record, forecast, s)
    weight = np.ones(len(forecast)) if record.weight is None else record.weight[part]
    with np.errstate(invalid="ignore"):
        expected = np.where(p > 0, p * s, 0.0)
        entropy = expected.sum(axis=1)
        spread = np.where(p > 0, p * (s - entropy[:, None]) ** 2, 0.0).sum(axis=1)
    sums = p.sum(axis=1)
    off = np.zeros(len(forecast)) if record.binary or record.space == "logit" else np.log(sums)
    narrow, clipped = _float32(record, forecast, p, sums)
    with np.errstate(divide="ignore"):
        views = [s, 0.0 - np.log(narrow), s + off[:, None], 0.0 - np.log(clipped)]
    if record.soft:
        t = _shares(record, part)
        value, squares = mean_surprise(s, t), (p - t) ** 2
        given, rounded, renormalized, keras = (mean_surprise(view, t) for view in views)
    else:
        t = None
        at = (np.arange(len(forecast)), record.outcome[part].astype(np.int64, copy=False))
        value = _hard(record, record.outcome[part], forecast)
        given, rounded, renormalized, keras = (view[at] for view in views)
        squares = p**2
        squares[at] = (1.0 - p[at]) ** 2
    brier = squares[:, 1] if record.binary else squares.sum(axis=1)
    predicted = p.argmax(axis=1)
    if t is None:
        happened = (predicted == record.outcome[part]).astype(np.float64)
    else:
        happened = t[np.arange(len(t)), predicted]
    if record.binary:
        odds, grid_p = s[:, 0] - s[:, 1], p[:, 1]
        grid_share = record.outcome[part].astype(np.float64) if t is None else t[:, 1]
    else:
        odds, grid_p, grid_share = _top_odds(s, predicted), p[np.arange(len(p)), predicted], happened
    return Columns(
        rows=part,
        weight=weight,
        surprise=value,
        given=given,
        rounded=rounded,
        renormalized=renormalized,
        keras=keras,
        entropy=entropy,
        variance=spread,
        brier=brier,
        predicted=predicted,
        happened=happened,
        certain=certain_rows(record, part),
        odds=odds,
        grid_share=grid_share,
        grid_p=grid_p,
        shares=t,
        by_class=s if record.soft else None,
    )


def _compiled(record: Observations, part: slice, forecast: NDArray[Any]) -> Columns:
    """Return the columns of rows of K probabilities by the compiled twin."""
    limits = float(CLIP32[0]), float(CLIP32[1])
    out, predicted = kernels.class_p_columns(record.outcome[part], forecast, record.within, limits)
    happened = (predicted == record.outcome[part]).astype(np.float64)
    return Columns(
        rows=part,
        weight=np.ones(len(forecast)) if record.weight is None else record.weight[part],
        surprise=out[0],
        given=out[1],
        rounded=out[2],
        renormalized=out[3],
        keras=out[4],
        entropy=out[5],
        variance=out[6],
        brier=out[7],
        predicted=predicted,
        happened=happened,
        certain=out[10] > 0,
        odds=out[8],
        grid_share=happened,
        grid_p=out[9],
        shares=None,
        by_class=None,
    )


def _top_odds(s: Float, predicted: NDArray[np.int64]) -> Float:
    """Return log p / (1 - p) of the predicted class, from the others' surprises: exact where p is near 1."""
    at = (np.arange(len(s)), predicted)
    others = np.exp(-s)
    others[at] = 0.0
    with np.errstate(divide="ignore"):
        return np.asarray(-s[at] - np.log(others.sum(axis=1)))


def _probabilities(record: Observations, forecast: NDArray[Any], s: Float) -> Float:
    if record.space == "p" and not record.binary:
        return forecast.astype(np.float64, copy=False)
    return np.exp(-s)


def _float32(record: Observations, forecast: NDArray[Any], p: Float, sums: Float) -> tuple[Float, Float]:
    """Return the probabilities of all classes as float32 holds them, and divided by `sums` and clipped to 1e-7 there.

    One column keeps only p, its complement is 1 - p; and 1 - 1e-7 is 1 - 2^-23 in float32. A float32 sigmoid of
    a logit forms 1 + exp(-z), which has no room for exp(-17).
    """
    if not record.binary:
        divided = (p / sums[:, None]).astype(np.float32)
        return p.astype(np.float32).astype(np.float64), np.clip(divided, *CLIP32).astype(np.float64)
    if record.space == "logit":
        with np.errstate(over="ignore"):
            narrow = np.float32(1) / (np.float32(1) + np.exp(-forecast.astype(np.float32)))
    else:
        narrow = (forecast if record.space == "p" else p[:, 1]).astype(np.float32)
    both = [column.astype(np.float64) for column in (narrow, np.clip(narrow, *CLIP32))]
    return np.stack([1.0 - both[0], both[0]], axis=1), np.stack([1.0 - both[1], both[1]], axis=1)
