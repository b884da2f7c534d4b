"""An unknown base rate, estimated from the forecasts of new rows alone, with an interval, and the map that makes them fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss import units
from logloss.baserates.prevalence import PriorEstimate
from logloss.baserates.proportions import Proportions, scaled, several, span, spans, two
from logloss.baserates.rates import by_name, classes_in, rates_of
from logloss.baserates.shifts import shifting
from logloss.calibrate.fitted import forecasts_of
from logloss.codes import as_labels
from logloss.errors import AlignmentError, UsageError, listing
from logloss.labels import bare, classes_of_columns, match, two_classes
from logloss.notes import Note
from logloss.observations import observe
from logloss.recognise import Matrix, Vector, has_columns, is_path, matrix, vector
from logloss.stages import staged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from logloss.record import Observations, Space

    Float = NDArray[np.float64]

__all__ = ["estimate_prior", "of_record"]

MOOT = ("class-not-seen", "class-positions", "rows-not-one")  # notes on outcomes, on the loss: there are none


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
    names = (() if given.names is None else given.names) if isinstance(given, Matrix) else ()
    if isinstance(old, Mapping):
        return _named(given, classes_in(old), names)
    if isinstance(given, Vector):
        return (0, 1), []
    found: tuple[Any, ...] = bare(names) or names or tuple(range(given.values.shape[1]))
    if np.iterable(old) or not names or len(found) != 2:
        return found, []
    said = (
        f"The old rate {old} is taken as that of {found[1]!r}, the second column; the other is {found[0]!r}."
    )
    return found, [Note("class-order", said)]


def _named(
    given: Vector | Matrix, keys: tuple[Any, ...], names: tuple[str, ...]
) -> tuple[tuple[Any, ...], list[Note]]:
    """Return the classes in the order of the columns, where the old rates name them."""
    count = 2 if isinstance(given, Vector) else given.values.shape[1]
    if names and match(names, keys) is None:
        raise UsageError(
            "unknown-class",
            f"The old rates name {listing([repr(c) for c in keys], limit=10)}, but the forecast columns are {listing([repr(c) for c in names], limit=10)}.",
            cure="Name the classes as the columns do, or give labels= in the columns' order.",
        )
    if not names and len(keys) != count:
        raise UsageError(
            "one-per-class",
            f"The old rates name {units.count(len(keys), 'class', 'classes')}, but the forecasts are of {count}.",
            cure="Give the forecast a column per class, and a rate for each.",
        )
    seen = np.empty(len(keys), dtype=object)
    seen[:] = keys
    classes = vector(seen, "The classes")
    found = (
        two_classes(classes, given.name, None, None)
        if isinstance(given, Vector)
        else classes_of_columns(classes, given.names, count, None)
    )
    return found.labels, found.notes


@staged("estimating base rates")
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
