"""scikit-learn's log loss, in its own convention, without its table of rows times classes.

# Design: scikit-learn's public helpers decide what counts as an array, a label or a class, so that what it refuses
# is refused here too. They are shown the distinct outcomes, not all of them. Only the probability of what happened
# is gathered, clipped and logged, in the dtype it came in and in scikit-learn's order of operations. NumPy's log is
# as fast as the compiled kernels here, starts without a compiler, and gives scikit-learn's digits. Errors are plain
# ValueErrors, as scikit-learn's are.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import assert_all_finite, check_array, check_consistent_length
from sklearn.utils.multiclass import unique_labels

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["log_loss"]

FLOATS = (np.float64, np.float32, np.float16)  # anything else is computed in the first
WIDE = 16  # columns; NumPy sums many rows of fewer slowly
NARROW = 10_000  # integers within this range are counted instead of sorted
FAR = 1 << 62  # beyond, the least integer cannot safely be subtracted in 64 bits


class _ParameterError(ValueError, TypeError):
    """An argument of the wrong kind; scikit-learn's own is both of these too."""


def log_loss(
    y_true: Any,
    y_proba: Any = None,
    *,
    normalize: bool = True,
    sample_weight: Any = None,
    labels: Any = None,
    y_pred: Any = "deprecated",
) -> float:
    """Return the log loss in nats as ``sklearn.metrics.log_loss`` of scikit-learn 1.9 computes it, faster.

    Parameters
    ----------
    y_true
        Labels of any one type, shape (n,), or 0/1 indicators, shape (n, K).
    y_proba
        Probabilities, shape (n,) or (n, 1) for the greater of two labels, or (n, K) in ascending order of the
        labels. Clipped to [eps, 1 - eps] of their dtype (float64, float32 or float16; others become float64) and
        not renormalised.
    normalize
        Return the weighted mean (default) or the weighted sum.
    sample_weight
        Shape (n,).
    labels
        All classes, in any order, where not all of them happened; they are sorted.
    y_pred
        The former name of `y_proba`.

    Returns
    -------
    float
        Never inf: a probability of 0 that happened costs -log(eps), 36.04 nats in float64.

    Raises
    ------
    ValueError
        Where scikit-learn raises one: lengths that differ, probabilities outside [0, 1], missing values, fewer
        than two classes, another number of classes than columns, outcomes not among `labels`.

    Warns
    -----
    UserWarning
        Where rows do not sum to one, or `labels` are not in ascending order.
    FutureWarning
        Where `y_pred` is used.

    Examples
    --------
    >>> from logloss.integrations.sklearn import log_loss
    >>> round(log_loss(["no", "yes", "yes"], [0.25, 0.5, 0.75]), 6)
    0.422837
    >>> round(log_loss([1, 0], [[0.2, 0.8], [0.0, 1.0]]), 3)
    18.133

    Notes
    -----
    ``logloss.log_loss`` is the exact one. Arrays of other libraries and devices are scored in main memory.
    """
    if not (isinstance(y_pred, str) and y_pred == "deprecated"):
        if y_proba is not None:
            raise ValueError(
                "Cannot use both `y_pred` and `y_proba`. `y_pred` is deprecated, use `y_proba` instead."
            )
        text = "`y_pred` was renamed to `y_proba` in version 1.9 and will be removed in 1.11. Use `y_proba` instead."
        warnings.warn(text, FutureWarning, stacklevel=2)
        y_proba = y_pred
    _check_kinds(y_true, y_proba, normalize, sample_weight, labels)
    forecast = _forecast(y_proba)
    y_true, sample_weight, labels = _host(y_true), _host(sample_weight), _host(labels)
    check_consistent_length(forecast, y_true, sample_weight)
    weight = None if sample_weight is None else _weight(sample_weight)
    outcome, classes = _outcome(y_true, labels)
    _check_columns(forecast, classes, declared=labels is not None)
    surprise = _surprise(outcome, forecast)
    if normalize:
        return float(np.average(surprise, weights=weight))
    return float(surprise.sum() if weight is None else np.dot(surprise, weight))


def _check_kinds(y_true: Any, y_proba: Any, normalize: Any, sample_weight: Any, labels: Any) -> None:
    """Refuse arguments of the wrong kind; what is in them is looked at later."""
    arrays = {"y_true": y_true, "y_proba": y_proba, "sample_weight": sample_weight, "labels": labels}
    for name, value in arrays.items():
        if value is None and name in ("sample_weight", "labels"):
            continue
        marks = any(hasattr(value, mark) for mark in ("__len__", "shape", "__array__"))
        if np.isscalar(value) or issparse(value) or not marks:
            raise _ParameterError(f"The {name!r} parameter of log_loss must be an array-like, not {value!r}.")
    if not isinstance(normalize, (bool, np.bool_)):
        raise _ParameterError(f"The 'normalize' parameter of log_loss must be a boolean, not {normalize!r}.")


def _host(values: Any) -> Any:
    """Return an array of another library as a NumPy array in main memory, anything else as it is."""
    if isinstance(values, np.ndarray) or not hasattr(values, "__dlpack__"):
        return values
    try:
        return np.asarray(values)
    except (TypeError, RuntimeError):  # it lies on a device of its own
        return np.from_dlpack(values, device="cpu")


def _forecast(y_proba: Any) -> NDArray[Any]:
    """Return probabilities in [0, 1], shape (n,) or (n, K) with K > 1."""
    forecast: NDArray[Any] = check_array(
        _host(y_proba), ensure_2d=False, dtype=FLOATS, ensure_all_finite=False
    )
    highest, lowest = forecast.max(), forecast.min()
    if not (np.isfinite(highest) and np.isfinite(lowest)):
        assert_all_finite(forecast)  # says which it is
    if highest > 1:
        raise ValueError(f"y_prob contains values greater than 1: {highest}")
    if lowest < 0:
        raise ValueError(f"y_prob contains values lower than 0: {lowest}")
    return forecast.ravel() if forecast.ndim == 2 and forecast.shape[1] == 1 else forecast


def _weight(sample_weight: Any) -> NDArray[Any]:
    """Return weights, shape (n,), in their own dtype."""
    weight: NDArray[Any] = check_array(sample_weight, ensure_2d=False, dtype=None, input_name="sample_weight")
    if weight.ndim != 1:
        raise ValueError(f"Sample weights must be 1D, one per row; these have shape {weight.shape}.")
    if not (weight != 0).any():
        raise ValueError("Sample weights must contain at least one non-zero number.")
    return weight


def _outcome(y_true: Any, labels: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return class positions, shape (n,), or indicators, shape (n, K); and the classes in ascending order."""
    values = _values(y_true)
    if not isinstance(values, list) and values.ndim == 2 and values.shape[1] > 1:
        if labels is not None:
            raise ValueError("labels cannot be given where y_true has one column per class.")
        classes = unique_labels(values)  # refuses columns that are not indicators
        return values.astype(np.int64), classes
    seen, rank = _distinct(values if isinstance(values, list) else values.ravel())
    declared = None if labels is None else _declared(labels, seen)
    happened = unique_labels(seen)  # refuses what is not classes
    classes = happened if declared is None else declared
    if len(classes) < 2:
        raise ValueError(
            f"y_true contains only one label ({classes[0]}). Please provide the list of all expected class labels explicitly through the labels argument."
            if declared is None
            else f"The labels array needs to contain at least two labels, got {classes}."
        )
    position = np.searchsorted(classes, seen)
    in_place = bool((position == np.arange(len(position))).all())
    return rank if in_place else position[rank], classes


def _declared(labels: Any, seen: Any) -> NDArray[Any]:
    """Return `labels` in ascending order; refuse outcomes that are not among them."""
    classes: NDArray[Any] = unique_labels(labels)
    if len(classes) != len(labels):
        raise ValueError(f"labels names a class twice: {labels}.")
    if not np.all(classes == labels):
        text = (
            f"Labels passed were {labels}. But this function assumes labels are ordered lexicographically. "
            f"Pass the ordered labels={classes.tolist()} and ensure that the columns of y_prob correspond to "
            "this ordering."
        )
        warnings.warn(text, UserWarning, stacklevel=4)
    known = np.isin(seen, labels)
    if not known.all():
        strangers = {label for label, is_known in zip(seen, known, strict=True) if not is_known}
        raise ValueError(f"y_true contains values {strangers} not belonging to the passed labels {labels}.")
    return classes


def _values(y_true: Any) -> Any:
    """Return plain sequences of labels as a list, anything else as an array of 1 or 2 axes."""
    if isinstance(y_true, Sequence) and not hasattr(y_true, "__array__") and np.ndim(y_true[0]) == 0:
        return list(y_true)
    return check_array(y_true, ensure_2d=False, dtype=None, ensure_all_finite=False)


def _distinct(values: Any) -> tuple[Any, NDArray[Any]]:
    """Return the distinct labels as a list or array like `values`, and for each row its label's place among them."""
    if isinstance(values, list) or values.dtype.kind == "O":
        items = values if isinstance(values, list) else values.tolist()
        try:
            place = {label: i for i, label in enumerate(dict.fromkeys(items))}
        except TypeError:
            unique_labels(values)  # says it better: labels are hashable
            raise
        rank = np.fromiter((place[label] for label in items), np.intp, len(items))
        return list(place) if isinstance(values, list) else np.fromiter(place, object, len(place)), rank
    if values.dtype.kind in "biu":
        low, high = int(values.min()), int(values.max())
        if high - low < NARROW and low > -FAR and high < FAR:
            above = values.astype(np.intp) - low
            present = np.bincount(above) > 0
            seen = (np.flatnonzero(present) + low).astype(values.dtype)
            return seen, above if present.all() else (np.cumsum(present) - 1)[above]
    seen = np.unique(values)
    return seen, np.searchsorted(seen, values)


def _check_columns(forecast: NDArray[Any], classes: NDArray[Any], *, declared: bool) -> None:
    """Warn about rows that do not sum to one; refuse another number of columns than of classes."""
    columns = 2
    if forecast.ndim == 2:
        columns = forecast.shape[1]
        narrow = columns < WIDE
        sums = forecast @ np.ones(columns, forecast.dtype) if narrow else forecast.sum(axis=1)
        if np.abs(sums - 1).max() > math.sqrt(np.finfo(forecast.dtype).eps) + 1e-8:
            text = "The y_prob values do not sum to one. Make sure to pass probabilities."
            warnings.warn(text, UserWarning, stacklevel=3)
    if len(classes) == columns:
        return
    if declared:
        raise ValueError(
            f"The number of classes in labels is different from that in y_prob ({columns}). Classes found in labels: {classes}"
        )
    raise ValueError(
        f"y_true and y_prob contain different number of classes: {len(classes)} vs {columns}. Name all classes with labels=. Classes found in y_true: {classes}"
    )


def _surprise(outcome: NDArray[Any], forecast: NDArray[Any]) -> NDArray[Any]:
    """Return -log of the clipped probability of what happened, shape (n,), in the forecast's dtype."""
    eps = np.finfo(forecast.dtype).eps
    if outcome.ndim == 2:
        both = forecast if forecast.ndim == 2 else np.stack([1 - forecast, forecast], axis=1)
        total: NDArray[Any] = (outcome.astype(forecast.dtype) * np.log(both.clip(eps, 1 - eps))).sum(axis=1)
        return -total
    happened: NDArray[Any]  # one array, worked on in place: fresh memory costs more than the logs
    if forecast.ndim == 1:
        happened = np.subtract(outcome == 0, forecast)
        np.abs(happened, out=happened)  # p or 1 - p, without a branch
    else:
        happened = forecast[np.arange(len(forecast)), outcome]
    np.clip(happened, eps, 1 - eps, out=happened)
    np.log(happened, out=happened)
    np.negative(happened, out=happened)
    return happened
