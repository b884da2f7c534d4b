"""Another base rate: class weights undone, a known shift of the rates, and an unknown one estimated from forecasts alone.

Where each class looks as it did, and only how often it occurs is another - P(x | class) stays, P(class) goes from
old to new - the right forecast is p'_k proportional to p_k new_k / old_k. Training with class weights c_k is the same map
forwards: what is fitted is proportional to c_k p_k.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss import units
from logloss.calibrate.fitted import FittedMap, forecasts_of
from logloss.calibrate.maps import Scaling
from logloss.calibrate.prevalence import PriorEstimate
from logloss.calibrate.proportions import Proportions, scaled, several, span, spans, two
from logloss.calibrate.rates import by_name, classes_in, per_class, rates_of
from logloss.codes import as_labels
from logloss.errors import AlignmentError, UsageError, listing
from logloss.labels import bare, classes_of_columns, two_classes
from logloss.notes import Note
from logloss.observations import observe
from logloss.recognise import Matrix, Vector, has_columns, is_path, matrix, vector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from logloss.record import Observations, Space

    Float = NDArray[np.float64]

__all__ = ["estimate_prior", "of_record", "shift_prior", "undo_class_weights"]

MOOT = ("class-not-seen", "class-positions", "rows-not-one")  # notes on outcomes, on the loss: there are none


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
    both = [by_name(rates) for rates in (old, new)]
    named = [rates for rates in both if isinstance(rates, Mapping)]
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


def estimate_prior(
    forecast: Any,
    old: Any,
    *,
    labels: Sequence[Any] | None = None,
    space: Space = "p",
    weight: Any = None,
    level: float = 0.95,
    normalize_rows: bool = False,
    skip_missing: bool = False,
) -> PriorEstimate:
    """Estimate the base rates of new rows from their forecasts, without outcomes, and the map that makes them fit.

    The rates pi that make the forecasts likeliest: sum_i w_i log sum_k pi_k p_ik / old_k is concave in pi. Two classes by
    Newton's method in a bracket, more by Newton steps under pi >= 0; `certificate` bounds what is left.

    **Calibrate first, then shift.** It takes the forecasts for calibrated at the old rates, and each class to look as it
    did, P(x | class) unchanged. Where either fails, the rates are wrong, and no interval shows it.

    Parameters
    ----------
    forecast
        Shape (n,), of the second of two classes, or (n, K): forecasts of the new rows. Named columns are matched to
        the classes by name.
    old
        The rates that the forecasts were made for, taken as known: {class: rate}, rates in the order of the columns, or, for
        two classes, the rate of the second class.
    labels
        The classes in the order of the columns; by default the names in `old`, or of the columns, or 0, 1, ...
    space
        "p", "logp" or "logit".
    weight
        Shape (n,). Only ratios matter: for the intervals, rows of unequal weights count as (sum w)^2 / sum w^2 rows.
    level
        Of the intervals. Two classes: profile likelihood. More: the others' rates give way as they do next to the
        maximum; above 2.5e8 = n K^2, a parabola in log-odds.
    normalize_rows, skip_missing
        As in :func:`logloss.score`.

    Returns
    -------
    PriorEstimate

    Raises
    ------
    LoglossError
        UsageError for rates or classes that do not fit, DataError for forecasts that are none.

    References
    ----------
    Saerens, Latinne, Decaestecker (2002), Adjusting the outputs of a classifier to new a priori probabilities, Neural
    Comput. 14:21-41. Alexandari, Kundaje, Shrikumar (2020), Maximum likelihood with bias-corrected calibration is
    hard-to-beat at label shift adaptation, ICML.

    Examples
    --------
    >>> import logloss as ll
    >>> found = ll.estimate_prior([0.2, 0.5, 0.9, 0.8], 0.5)
    >>> round(found.rates[1], 6), found.map.apply([0.2]).round(6).tolist()
    (0.815961, [0.525708])
    """
    if is_path(forecast):
        raise UsageError(
            "array-and-names",
            f"{str(forecast)!r} is a file, but forecasts were expected.",
            cure="Read it, and give its forecast columns: polars.read_csv(path)[['p_a', 'p_b']].",
        )
    given = matrix(forecast, "The forecasts") if has_columns(forecast) else vector(forecast, "The forecasts")
    if isinstance(given, Matrix) and given.values.shape[1] == 1:
        given = Vector(given.values[:, 0], given.names[0] if given.names else None, None, given.index)
    names, notes = _classes(given, by_name(old), as_labels(labels))
    rates_of(old, names, "old rates")
    anything = np.empty(len(given), dtype=object)
    anything[:] = [names[0]] * len(given)
    record = observe(
        anything, given, space=space, weight=weight, labels=list(names), normalize_rows=normalize_rows,
        skip_missing=skip_missing,
    )  # fmt: skip
    notes += [note for note in record.notes if note not in notes]
    return of_record(replace(record, notes=tuple(notes)), old, level=level)


def _classes(
    given: Vector | Matrix, old: Any, labels: list[Any] | None
) -> tuple[tuple[Any, ...], list[Note]]:
    """Return the classes of forecasts without outcomes, in an order, and what was assumed."""
    if labels is not None:
        return classes_in(old, labels), []
    if isinstance(old, Mapping):
        keys = np.empty(len(old), dtype=object)
        keys[:] = classes_in(old)
        seen = vector(keys, "The classes")
        found = (
            two_classes(seen, given.name, None, None)
            if isinstance(given, Vector)
            else classes_of_columns(seen, given.names, given.values.shape[1], None)
        )
        return found.labels, found.notes
    if isinstance(given, Vector):
        return (0, 1), []
    return bare(given.names or ()) or given.names or tuple(range(given.values.shape[1])), []


def of_record(
    record: Observations, old: float | Sequence[float] | Mapping[Any, float], *, level: float = 0.95
) -> PriorEstimate:
    """Estimate the base rates of a checked record from its forecasts; its outcomes count nowhere."""
    if not 0 < level < 1:
        raise UsageError(
            "bad-level",
            f"level is {level}, but it is a probability.",
            cure="Give one between 0 and 1, such as 0.95.",
        )
    before = rates_of(old, record.classes, "old rates")
    if record.weight is not None and not record.weight.all():
        record = record.take(record.weight > 0)
    n = len(record)
    if not n:
        raise AlignmentError("no-rows", "No row counts.", cure="Give rows with a weight above 0.")
    w = np.full(n, 1.0 / n) if record.weight is None else record.weight / record.weight.sum()
    rows = 1.0 / float((w * w).sum())
    from scipy.special import chdtri

    drop, joint = (float(chdtri(free, 1 - level)) / (2 * rows) for free in (1, len(before) - 1))
    found, intervals, gain, notes = _fit(record, before, w, drop)
    notes += _found(record, found.t, intervals, shifted=gain > joint)
    zero = found.t == 0
    safe = (
        np.where(zero, 0.5, rows * found.t) / (rows + 0.5 * zero.sum()) if zero.any() else found.t
    )  # half a row
    named = [dict(zip(record.classes, values.tolist(), strict=True)) for values in (found.t, before)]
    return PriorEstimate(
        rates=named[0],
        old=named[1],
        intervals=dict(zip(record.classes, intervals, strict=True)),
        level=level,
        log_likelihood_gain=gain,
        certificate=found.certificate,
        iterations=found.steps,
        n=n,
        map=shifting(record.classes, before, safe, record.space, rows=n),
        notes=(*(note for note in record.notes if note.id not in MOOT), *notes),
    )


def _fit(
    record: Observations, old: Float, w: Float, drop: float
) -> tuple[Proportions, list[tuple[float, float]], float, list[Note]]:
    """Return the rates, an interval for each, and by how much they are likelier than the old ones."""
    Z = np.concatenate([Z for Z, _ in forecasts_of(record)])
    if len(old) == 2:
        found, line = two(Z[:, 0] - (np.log(old[1]) - np.log(old[0])), w, float(old[1] / old.sum()))
        s = float(found.t[1])
        low, high = span(line, s, drop)
        gain = line.value(s) - line.value(float(old[1] / old.sum()))
        return found, [(1 - high, 1 - low), (low, high)], max(gain, 0.0), []
    x = scaled(Z - np.log(old))
    found = several(x, w, old)
    intervals, followed = spans(x, w, found.t, drop)
    gain = float((w * (np.log(x @ found.t) - np.log(x @ (old / old.sum())))).sum())
    notes = []
    if not followed:
        said = "So many rows and classes: the intervals take the log-likelihood for a parabola in log-odds."
        notes.append(Note("intervals-parabolic", said))
    return found, intervals, max(gain, 0.0), notes


def _found(
    record: Observations, t: Float, intervals: list[tuple[float, float]], *, shifted: bool
) -> list[Note]:
    """Return what is to be said of rates that were found."""
    said = "The rates hold if the forecasts were calibrated at the old rates, and if each class looks as it did: P(x | class) unchanged. Calibrate first, then shift; no interval shows where either fails."
    notes = [Note("prior-assumes", said)]
    if not shifted:
        said = "No shift is proven: the old rates are about as likely, and leaving the forecasts as they are is as good."
        notes.append(Note("no-shift-proven", said))
    zero = [repr(c) for c, rate in zip(record.classes, t, strict=True) if rate == 0]
    if zero:
        said = f"Likeliest is that {units.count(len(zero), 'class', 'classes')} ({listing(zero)}) never happened here. The map does not forecast 0, which would cost infinitely much where it happens after all: it takes half a row to be of each."
        notes.append(Note("rate-of-zero", said))
    blind = [repr(c) for c, ends in zip(record.classes, intervals, strict=True) if ends == (0.0, 1.0)]
    if blind:
        said = f"The forecasts say nothing of how often these happen: {listing(blind)}. They hardly tell classes apart, or there are too few rows."
        notes.append(Note("rates-undetermined", said))
    if any(note.id == "rows-not-one" for note in record.notes):
        said = "Some rows do not sum to one. Only the ratios of a row's probabilities count here, so the rates are the same either way."
        notes.append(Note("rows-not-one", said))
    return notes
