"""A checked record -> columns per row: surprise, and what the forecast itself expected it to be.

For a forecast p over K classes, with s_k = -log p_k: the surprise of what happened is s_y; the model's own belief
is that it has mean H = sum_k p_k s_k (its entropy) and variance v = sum_k p_k s_k^2 - H^2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss import kernels
from logloss.errors import LoglossWarning
from logloss.observations import observe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from logloss.record import Observations, Space

    Float = NDArray[np.float64]

__all__ = ["Columns", "blocks", "class_blocks", "log_loss", "mean_surprise", "per_row", "surprise"]

# Notes that `log_loss`, which returns only a number, gives as warnings.
GUESSES = ("class-order", "positive-class", "rows-not-one", "snapped")

CLIP32 = (np.float32(1e-7), np.float32(1 - 1e-7))
FEWEST = 1 << 10  # rows per block, however many classes: each block has a table of classes by classes
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
    shares: Float | None  # (m, K), under soft outcomes
    by_class: Float | None  # (m, K) surprise of each class, under soft outcomes


def surprise(
    y: Any,
    forecast: Any,
    *,
    space: Space = "p",
    labels: Sequence[Any] | None = None,
    positive: Any = None,
    normalize_rows: bool = False,
) -> Float:
    """Return -log p(what happened) of each row, in nats, shape (n,).

    Parameters
    ----------
    y
        Outcomes, shape (n,): labels of any type, or shares between 0 and 1.
    forecast
        Shape (n,), about the second class, or (n, K): probabilities, or what `space` says.
    space
        "p", "logp" or "logit". Logits are never turned into probabilities.
    labels, positive, normalize_rows
        As in :func:`logloss.score`.

    Returns
    -------
    ndarray of float64, shape (n,)
        inf where a forecast of 0 happened.

    Raises
    ------
    DataError
        Where the rows cannot be scored; see docs/messages.md.

    Warns
    -----
    LoglossWarning
        Where something was assumed, or rows do not sum to one.

    Examples
    --------
    >>> import logloss as ll
    >>> ll.surprise([1, 0, 1], [0.9, 0.25, 0.5]).round(4)
    array([0.1054, 0.2877, 0.6931])
    >>> ll.surprise([0], [800.0], space="logit")
    array([800.])

    References
    ----------
    Good (1952), Rational decisions, J. R. Stat. Soc. B 14:107-114.
    """
    record = observe(
        y, forecast, space=space, labels=labels, positive=positive, normalize_rows=normalize_rows
    )
    _warn_of_guesses(record)
    return per_row(record)


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
    for part in _parts(record):
        yield part, _by_class(record, record.forecast[part]), _shares(record, part)


def mean_surprise(s: Float, t: Float) -> Float:
    """Return sum_k t_k s_k of each row, with 0 * inf = 0; both of shape (m, K)."""
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(t > 0, t * s, 0.0).sum(axis=1))


def _hard(record: Observations, outcome: NDArray[Any], forecast: NDArray[Any]) -> Float:
    if record.binary:
        return {"p": kernels.binary_p, "logp": kernels.binary_logp, "logit": kernels.binary_logit}[
            record.space
        ](outcome, forecast)
    if record.space == "p":
        return kernels.class_p(outcome, forecast, record.within)
    return (kernels.class_logp if record.space == "logp" else kernels.class_logit)(outcome, forecast)


def _by_class(record: Observations, forecast: NDArray[Any]) -> Float:
    """Return the surprise of every class, shape (m, K)."""
    if record.binary:
        ones = np.ones(len(forecast), np.int8)
        return np.stack([_hard(record, ones - 1, forecast), _hard(record, ones, forecast)], axis=1)
    values = forecast.astype(np.float64, copy=False)
    with np.errstate(divide="ignore"):
        if record.space == "p":
            return 0.0 - np.log(values)
    if record.space == "logp":
        return 0.0 - values
    largest = values.max(axis=1, keepdims=True)
    centred = values - largest
    return np.asarray(np.log(np.exp(centred).sum(axis=1, keepdims=True)) - centred)


def _shares(record: Observations, part: slice) -> Float:
    """Return the outcomes as shares of every class: 0 or 1 where they are labels."""
    if record.soft:
        t = record.outcome[part].astype(np.float64, copy=False)
        return np.stack([1.0 - t, t], axis=1) if t.ndim == 1 else t
    code = record.outcome[part].astype(np.int64, copy=False)
    return np.asarray(code[:, None] == np.arange(len(record.classes)), np.float64)


def _parts(record: Observations) -> list[slice]:
    step = max(FEWEST, BLOCK // (1 if record.binary else record.forecast.shape[1]))
    return [slice(start, min(start + step, len(record))) for start in range(0, len(record), step)]


def blocks(record: Observations) -> Iterator[Columns]:
    """Yield the columns of a record block by block; memory is bounded by the block."""
    for part in _parts(record):
        yield _columns(record, part)


def _columns(record: Observations, part: slice) -> Columns:
    forecast = record.forecast[part]
    s = _by_class(record, forecast)
    p = _probabilities(record, forecast, s)
    weight = np.ones(len(forecast)) if record.weight is None else record.weight[part]
    with np.errstate(invalid="ignore"):
        expected = np.where(p > 0, p * s, 0.0)
        entropy = expected.sum(axis=1)
        spread = np.where(p > 0, p * (s - entropy[:, None]) ** 2, 0.0).sum(axis=1)
    sums = p.sum(axis=1)
    off = np.log(sums) if record.space == "p" and not record.binary else np.zeros(len(forecast))
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
        predicted=p.argmax(axis=1),
        shares=t,
        by_class=s if record.soft else None,
    )


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


def log_loss(
    y_true: Any,
    y_prob: Any,
    *,
    sample_weight: Any = None,
    labels: Sequence[Any] | None = None,
    normalize: bool = True,
) -> float:
    """Return the exact log loss in nats: nothing is clipped, a forecast of 0 that happened gives inf.

    Parameters
    ----------
    y_true
        Outcomes, shape (n,): labels of any type, or shares in [0, 1].
    y_prob
        Probabilities, shape (n,) for the greater of two labels, or (n, K). Columns with names are matched to the
        classes by name; others stand in the order of `labels`, or in ascending order of the labels.
    sample_weight
        Non-negative weights, shape (n,).
    labels
        The classes in the order of the columns. With one column, the class it is about comes last.
    normalize
        Return the weighted mean (default) or the weighted sum.

    Raises
    ------
    DataError
        Where the rows cannot be scored; see docs/messages.md.

    Warns
    -----
    LoglossWarning
        Where something was assumed, or rows do not sum to one.

    Examples
    --------
    >>> import logloss as ll
    >>> ll.log_loss([1, 1, 1, 0, 0, 0], [0.5, 0.1, 0.01, 0.9, 0.75, 0.001])
    1.881797068998267
    >>> ll.log_loss(["dog", "cat"], [0.0, 0.5], labels=["cat", "dog"])
    inf

    Notes
    -----
    Differs from scikit-learn's, which clips to the eps of the dtype, computes float32 input in float32, takes
    columns by position and sorts `labels`: ``logloss.integrations.sklearn.log_loss`` does as it does.
    """
    fast = _fast_total(y_true, y_prob) if sample_weight is None and labels is None else None
    if fast is not None:
        nats, rows = fast
        return nats / rows if normalize else nats
    record = observe(y_true, y_prob, weight=sample_weight, labels=labels)
    _warn_of_guesses(record)
    surprise = per_row(record)
    if record.weight is None:
        nats, total = float(surprise.sum()), float(len(surprise))
    else:
        counts = record.weight > 0
        nats, total = float(np.dot(record.weight[counts], surprise[counts])), float(record.weight.sum())
    return nats / total if normalize else nats


def _warn_of_guesses(record: Observations) -> None:
    """Warn of what was assumed, where the caller gets only numbers."""
    import warnings

    for note in record.notes:
        if note.id in GUESSES:
            warnings.warn(note.text, LoglossWarning, stacklevel=3)


def _fast_total(y_true: Any, y_prob: Any) -> tuple[float, int] | None:
    """Return (nats, rows) of plain large arrays in one pass; None where the door has to look first.

    The kernel counts rows that are not clean (out of range, missing, not 0/1, not summing to one); if there is
    any, nothing is decided here.
    """
    if (
        not (type(y_true) is type(y_prob) is np.ndarray)  # subclasses, such as masked arrays, mean more
        or y_prob.size < kernels.COMPILE_FROM
    ):
        return None
    if y_true.ndim != 1 or len(y_true) != len(y_prob) or y_prob.dtype.kind != "f":
        return None
    if y_prob.ndim == 1 and y_true.dtype.kind in "biuf":
        outcome = y_true.view(np.int8) if y_true.dtype.kind == "b" else y_true
        nats, infinite, unclean = kernels.binary_p_total(outcome, y_prob)
    elif y_prob.ndim == 2 and y_prob.shape[1] > 1 and y_true.dtype.kind in "iu" and y_true.min() == 0:
        nats, infinite, unclean = kernels.class_p_total(
            y_true, y_prob, kernels.tolerance(y_prob.dtype, y_prob.shape[1])
        )
    else:
        return None
    if unclean:
        return None
    return (math.inf if infinite else nats + 0.0), len(y_prob)
