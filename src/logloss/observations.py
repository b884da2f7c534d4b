"""The door: whatever a person has becomes one checked record of (forecast, outcome, weight).

This room and those below it are the only ones that raise on data. What it assumed or changed is written into the record's notes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss import forensics, units
from logloss.alignment import Draft, without_missing
from logloss.codes import as_labels, as_seen, distinct, encode
from logloss.errors import (
    ForecastError,
    OutcomeError,
    UsageError,
    WeightError,
    listing,
    suggestion,
)
from logloss.indicators import checked_counts, from_indicators
from logloss.kernels import tolerance
from logloss.labels import Classes, classes_of_columns, two_classes
from logloss.notes import Note, Remark, noted
from logloss.plain import plain
from logloss.recognise import Matrix, Vector, device_of, has_columns, matrix, vector
from logloss.record import SPACES, Observations, Space

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["observe"]


def observe(
    outcome: Any,
    forecast: Any,
    *,
    space: Space = "p",
    weight: Any = None,
    labels: Sequence[Any] | None = None,
    positive: Any = None,
    ids: Any = None,
    normalize_rows: bool = False,
    skip_missing: bool = False,
    counts: bool = False,
    group: Any = None,
    rows: NDArray[np.int64] | None = None,
    part: str = "",
    partial: bool = False,
) -> Observations:
    """Check outcomes and forecasts and return them as one record.

    Parameters
    ----------
    outcome
        Labels of any type, shape (n,); shares in [0, 1] for two classes, shape (n,); or one column per class,
        shape (n, K), of 0/1 or of shares that sum to one.
    forecast
        Shape (n,) or (n, K), in the given `space`. Named columns are matched to classes by name.
    labels
        The classes in the order of the columns; with one column, the class it is about comes last.
    positive
        The class that a single column is about.
    normalize_rows
        Divide each row of probabilities by its sum. Noted, with how much it moved the loss.
    skip_missing
        Leave out rows with a missing outcome, forecast or weight. Counted in a note.
    counts
        The outcome columns hold whole numbers: how many annotators chose each class. Each row's become shares, and
        each row counts once, however many annotators it had; to weight it by them, give weight=.
    group
        The group of each row (a model, a day, a customer), shape (n,): it gets results of its own.
    rows, part
        The number of each row in the input, where only some of its rows are given, and the file they are of.
    partial
        These rows are a part of more: there may be none, and their weights may all be 0.

    Raises
    ------
    OutcomeError, ForecastError, WeightError, AlignmentError
        With rows, cause and cure.
    """
    if space not in SPACES:
        raise UsageError(
            "unknown-space",
            f"{space!r} is not a space.{suggestion(str(space), SPACES)}",
            cure=f"Spaces: {', '.join(SPACES)}.",
        )
    labels, positive = as_labels(labels), plain(positive)
    if isinstance(outcome, str):
        raise UsageError(
            "array-and-names",
            "Outcomes were expected, not a file.",
            cure="Files are scored by score and explain.",
        )
    draft = Draft(
        matrix(outcome, "The outcomes") if has_columns(outcome) else vector(outcome, "The outcomes"),
        matrix(forecast, "The forecasts") if has_columns(forecast) else vector(forecast, "The forecasts"),
        None if weight is None else vector(weight, "The weights"),
        None if ids is None else vector(ids, "The ids"),
        None if group is None else vector(group, "The groups"),
        rows,
        part,
    ).narrowed()
    draft.check_alignment()
    devices = {device for part in (outcome, forecast, weight) if (device := device_of(part)) is not None}
    notes: list[Note] = []
    if devices:
        told = f"Arrays on {', '.join(sorted(devices))} were brought to the host's memory."
        notes.append(Note("moved-to-host", told))
    total = len(draft.forecast)
    draft = checked_counts(draft) if counts else draft
    draft = without_missing(draft, notes, skip=skip_missing, partial=partial)
    weights = None if draft.weight is None else _weights(draft, draft.weight, partial=partial)
    values, classes, codes, soft = _classes(draft, labels, positive, counts=counts)
    notes += classes.notes
    if classes.columns is not None and classes.columns != tuple(range(len(classes.columns))):
        values = values[:, list(classes.columns)]
    within = tolerance(values.dtype, len(classes.labels))
    values = _ranged(draft, values, space, within, notes, sums=normalize_rows)
    record = Observations(
        outcome=codes,
        forecast=values,
        space=space,
        classes=classes.labels,
        weight=weights,
        ids=None if draft.ids is None else draft.ids.values,
        soft=soft,
        group=None if draft.group is None else draft.group.values,
        rows=draft.rows,
        part=part,
        skipped=total - len(draft.forecast),
        within=within,
    )
    record, more = forensics.row_sums(record, normalize=normalize_rows)
    return replace(record, notes=(*notes, *more))


def _weights(draft: Draft, weight: Vector, *, partial: bool) -> NDArray[np.float64]:
    values = weight.values
    if values.dtype.kind not in "biuf":
        raise WeightError("not-a-number", "The weights are not numbers.", cure="Give one number per row.")
    values = values.astype(np.float64, copy=False)
    bad = ~(np.isfinite(values) & (values >= 0))
    if bad.any():
        raise WeightError(
            "bad-weights",
            f"Negative or infinite: {units.count(int(bad.sum()), 'weight')} ({draft.places(bad)}: {listing(values[bad], limit=3)}).",
            cure="A weight says how much a row counts: 0 or more.",
        )
    if not values.any() and not partial:
        raise WeightError(
            "bad-weights", "All weights are 0, so no row counts.", cure="Give some row a weight."
        )
    if not (0.0 if partial else 1e-100) <= values.max(initial=0.0) <= 1e100:
        raise WeightError(
            "bad-weights",
            f"The largest weight is {values.max():.3g}: their squares and cubes leave the range of numbers.",
            cure="Divide them by a constant; only their ratios matter.",
        )
    return values


def _classes(
    draft: Draft, labels: Sequence[Any] | None, positive: Any, *, counts: bool
) -> tuple[NDArray[Any], Classes, NDArray[Any], bool]:
    """Return forecast values, classes, outcomes as positions or shares, and whether they are shares."""
    forecast, outcome = draft.forecast, draft.outcome
    values = forecast.values
    if values.dtype.kind not in "biuf":
        raise ForecastError(
            "not-a-number",
            f"The forecasts{f' in column {forecast.name!r}' if isinstance(forecast, Vector) and forecast.name else ''} are not numbers: {listing([repr(v) for v in dict.fromkeys(values.ravel()[:1000].tolist())], limit=3)}.",
            cure="Give probabilities, log-probabilities or logits.",
        )
    if values.dtype.kind != "f":
        values = values.astype(np.float64)
    if positive is not None and not isinstance(forecast, Vector):
        raise UsageError(
            "positive-unknown",
            "positive= is for a single column of forecasts; here every class has its own.",
            cure="Name the columns after the classes, or give labels=.",
        )
    if isinstance(outcome, Matrix):
        classes, codes, soft = from_indicators(draft, outcome, forecast, labels, positive, counts=counts)
        return values, classes, codes, soft
    if counts:
        raise UsageError(
            "counts-one-column",
            "counts= is for annotator counts, one column per class, but the outcomes are a single column.",
            cure="Name all columns of counts: outcome=[...] (CLI: --outcome, repeated).",
        )
    outcome = _whole(outcome)
    if labels is not None or positive is not None:
        seen = distinct(outcome.values)
        labels = None if labels is None else [as_seen(label, seen) for label in labels]
        positive = None if positive is None else as_seen(positive, seen)
    if isinstance(forecast, Vector):
        shares = _shares(draft, outcome.values)
        if shares is not None and len(shares) > 1 and bool(((values == 0) | (values == 1)).all()):
            raise UsageError(
                "swapped-arguments",
                "The outcomes are fractions and every forecast is 0 or 1: they look swapped.",
                cure="Outcomes come first, forecasts second.",
            )
        if shares is not None:
            fractions = int(((shares > 0) & (shares < 1)).sum())
            note = Remark("soft-outcomes", fractions, {"two": (fractions, ())}).note(len(shares), 1.0)
            pair = two_classes(Vector(np.array([0, 1])), forecast.name, labels, positive)
            about_first = set(pair.labels) <= {0, 1} and pair.labels[1] == 0  # the shares are those of 1
            return (
                values,
                replace(pair, notes=[*pair.notes, note]),
                1.0 - shares if about_first else shares,
                True,
            )
        classes = two_classes(outcome, forecast.name, labels, positive)
    else:
        classes = classes_of_columns(outcome, forecast.names, values.shape[1], labels)
    codes = encode(outcome.values, classes.labels)
    strangers = codes < 0 if codes.dtype.kind == "i" else np.zeros(len(codes), bool)
    if strangers.any():
        odd = list(dict.fromkeys(outcome.values[strangers].tolist()))
        raise OutcomeError(
            "classes-without-column",
            f"Not of the classes {listing([repr(v) for v in classes.labels])}: {units.count(int(strangers.sum()), 'outcome')} ({draft.places(strangers)}: {listing([repr(v) for v in odd])}).",
            cure="Correct them, or name the classes with labels=[...] (CLI: --labels).",
        )
    return values, classes, codes, False


def _whole(outcome: Vector) -> Vector:
    """Return labels such as 1.0 and 2.0 as whole numbers, which is what columns are named after."""
    values = outcome.values
    if values.dtype.kind != "f" or not bool(
        ((values == np.floor(values)) & (np.abs(values).astype(np.float64) < 2.0**53)).all()
    ):
        return outcome
    return replace(outcome, values=values.astype(np.int64))


def _shares(draft: Draft, values: NDArray[Any]) -> NDArray[np.float64] | None:
    """Return fractional outcomes as shares in [0, 1]; None where outcomes are labels."""
    if values.dtype.kind != "f" or not len(values) or bool((values == np.floor(values)).all()):
        return None
    bad = ~((values >= 0) & (values <= 1))
    if bad.any():
        raise OutcomeError(
            "outcomes-not-classes",
            f"The outcomes are fractions, some outside [0, 1] ({draft.places(bad)}: {listing(values[bad], limit=3)}); they look like quantities, not classes.",
            cure="Log loss of classes needs labels, or shares between 0 and 1.",
        )
    return values.astype(np.float64, copy=False)


def _ranged(
    draft: Draft, values: NDArray[Any], space: Space, within: float, notes: list[Note], *, sums: bool
) -> NDArray[Any]:
    """Refuse forecasts outside their space; bring what is outside by rounding back in, and say so.

    Where rows will be divided by their `sums`, any values of 0 or more are fine.
    """
    if not values.size:
        return values
    if space == "logit":
        if values.ndim == 1 or draft.forecast.finite:
            return values
        bad = np.isposinf(values)
        if bad.any():
            raise ForecastError(
                "out-of-range",
                f"Logits of +inf ({draft.places(np.asarray(bad.any(axis=1)))}).",
                cure="Only -inf (an impossible class) can be scored among K logits.",
            )
        empty = np.asarray(np.isneginf(values).all(axis=1))
        if empty.any():
            raise ForecastError(
                "out-of-range",
                f"Every class is impossible (-inf): {units.count(int(empty.sum()), 'row')} ({draft.places(empty)}).",
                cure="Give some class a finite logit.",
            )
        return values
    low, high = (0.0, 1.0) if space == "p" else (-np.inf, 0.0)
    if sums and values.ndim == 2:
        high = np.finfo(np.float64).max
    smallest, largest = values.min(), values.max()
    if smallest >= low and largest <= high:
        return values
    outside = (values < low - within) | (values > high + within)
    if outside.any():
        raise forensics.out_of_range(
            values,
            outside,
            space,
            draft.places(np.asarray(outside.any(axis=1)) if outside.ndim == 2 else outside),
        )
    count = int(((values < low) | (values > high)).sum())
    by = float(max(low - smallest, largest - high))
    noted(notes, Remark("snapped", count, {f"[{low:g}, {high:g}]": (count, ())}, by), len(values), 1.0)
    return np.asarray(np.clip(values, low, high))
