"""The two verbs for arrays: surprise per row, and their exact mean."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss import kernels
from logloss.errors import LoglossWarning
from logloss.observations import observe
from logloss.stages import staged
from logloss.surprises import per_row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from logloss.record import Observations, Space

    Float = NDArray[np.float64]

__all__ = ["log_loss", "surprise"]

# Notes that are given as warnings, because only numbers are returned.
GUESSES = ("class-order", "positive-class", "rows-not-one", "snapped")


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


@staged("adding up")
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
