"""Another base rate that is known, and class weights undone: maps that divide out one rate and put in another.

Where each class looks as it did, and only how often it occurs is another - P(x | class) stays, P(class) goes from
old to new - the right forecast is p'_k proportional to p_k new_k / old_k. Training with class weights c_k is the same map
forwards: what is fitted is proportional to c_k p_k.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.baserates.rates import by_name, classes_in, per_class, rates_of
from logloss.calibrate.fitted import FittedMap
from logloss.calibrate.maps import Scaling
from logloss.errors import UsageError, listing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from logloss.record import Space

    Float = NDArray[np.float64]

__all__ = ["shift_prior", "shifting", "undo_class_weights"]


def shift_prior(old: Any, new: Any, classes: Sequence[Any] | None = None) -> FittedMap:
    """Return the map from forecasts made for the old base rates to those right for the new ones.

    p'_k is proportional to p_k new_k / old_k. Right where only the rates moved: each class looks as it did, and the
    forecasts were calibrated. Where they were not, calibrate first, then shift.

    Parameters
    ----------
    old, new
        Base rates before and now: {class: rate}, or rates in the order of the classes; or, for two classes, a single
        number, the rate of the second class.
    classes
        The classes in the order of the forecast's columns; by default the names in `old`, ascending, or 0, 1, ...

    Returns
    -------
    FittedMap
        `.apply(forecast)`, `.save(path)`.

    Raises
    ------
    UsageError
        For rates that are not above 0 or do not sum to 1, and for classes that do not fit.

    References
    ----------
    Saerens, Latinne, Decaestecker (2002), Adjusting the outputs of a classifier to new a priori probabilities, Neural
    Comput. 14:21-41. Elkan (2001), The foundations of cost-sensitive learning, IJCAI.

    Examples
    --------
    A model trained on half sick people is used where 2 % are:

    >>> import logloss as ll
    >>> ll.shift_prior(0.5, 0.02).apply([0.5, 0.9, 0.99]).round(4).tolist()
    [0.02, 0.1552, 0.6689]
    """
    both: list[Any] = [by_name(rates) for rates in (old, new)]
    named: list[Any] = [rates for rates in both if isinstance(rates, Mapping)]
    names = classes_in((named or [rates for rates in both if np.iterable(rates)] or both)[0], classes)
    before, after = (rates_of(rates, names, what) for rates, what in ((old, "old rates"), (new, "new rates")))
    return shifting(names, before, after)


def undo_class_weights(
    weights: Any, classes: Sequence[Any] | None = None, *, counts: Any = None
) -> FittedMap:
    """Return the map that takes class weights, or over- and undersampling, out of a model's forecasts again.

    A model trained with class weights c_k learns forecasts proportional to c_k p_k; the map divides by c_k. Exact for a
    model that can fit any probabilities; others bend differently under weights, so calibrate afterwards if you can.

    Parameters
    ----------
    weights
        {class: weight}, as scikit-learn's `class_weight`, or weights in the order of the classes; or, for two classes, a
        single number, how much more the second class counts (XGBoost's `scale_pos_weight`). For resampled
        rows, the factor for each class: 0.1 where every tenth row was kept. "balanced" as scikit-learn means it:
        n / (K n_k), with the counts n_k of the training rows.
    classes
        The classes in the order of the forecast's columns; by default the names given, ascending, or 0, 1, ...
    counts
        For "balanced": how many training rows are of each class, or their shares.

    Returns
    -------
    FittedMap

    Raises
    ------
    UsageError
        For weights that are not above 0, and for classes that do not fit.

    References
    ----------
    Elkan (2001), The foundations of cost-sensitive learning, IJCAI. King and Zeng (2001), Logistic regression in rare
    events data, Polit. Anal. 9:137-163.

    Examples
    --------
    >>> import logloss as ll
    >>> ll.undo_class_weights({0: 1, 1: 50}).apply([0.5, 0.9]).round(4).tolist()
    [0.0196, 0.1525]
    >>> ll.undo_class_weights("balanced", counts={"no": 980, "yes": 20}).apply([0.5]).round(4).tolist()
    [0.02]
    """
    if isinstance(weights, str):
        if weights != "balanced" or counts is None:
            raise UsageError(
                "bad-class-weights",
                f"Class weights of {weights!r}{' without counts' if weights == 'balanced' else ''}.",
                cure="Give {class: weight}, or 'balanced' with counts= of the training rows.",
            )
        names = classes_in(counts, classes)
        numbers = _positive(per_class(counts, names, "counts"), names, "count")
        factors = numbers.sum() / (len(numbers) * numbers)
    else:
        if counts is not None:
            raise UsageError(
                "bad-class-weights",
                "Counts were given with weights that do not depend on them.",
                cure="Give counts= with 'balanced' only.",
            )
        names = classes_in(weights, classes)
        factors = _positive(per_class(weights, names, "class weights", 1.0), names, "weight")
    told = {"weights": dict(zip(map(str, names), factors.tolist(), strict=True))}
    return FittedMap("undo_class_weights", (_scaling(-np.log(factors)),), names, fitted=told)


def _positive(values: Float, classes: tuple[Any, ...], what: str) -> Float:
    wrong = np.flatnonzero(~(values > 0))
    if len(wrong):
        told = listing([f"{values[k]:g} of {classes[k]!r}" for k in wrong], limit=3)
        raise UsageError(
            "bad-class-weights",
            f"A {what} that is not above 0: {told}.",
            cure="A class of weight 0 was not learnt, and no map brings it back.",
        )
    return values


def _scaling(offset: Float) -> Scaling:
    """Return the map that adds an offset to the log-probability of each class."""
    offset = np.array([offset[1] - offset[0]]) if len(offset) == 2 else offset
    return Scaling(np.ones(len(offset)), offset)


def shifting(
    classes: tuple[Any, ...], old: Float, new: Float, space: Space = "p", **told: float
) -> FittedMap:
    """Return the map from rates to rates, both of shape (K,)."""
    names = [str(c) for c in classes]
    fitted = {
        name: dict(zip(names, rates.tolist(), strict=True)) for name, rates in (("old", old), ("new", new))
    }
    return FittedMap(
        "prior_shift", (_scaling(np.log(new) - np.log(old)),), classes, space=space, fitted=fitted | told
    )
