"""A number for each class, however it was written down: base rates, class weights, counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.codes import as_labels, as_seen, distinct
from logloss.errors import UsageError, listing, suggestion
from logloss.plain import plain

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]

__all__ = ["by_name", "classes_in", "per_class", "rates_of"]

ROUNDING = 1e-6  # what rates in single precision may be off by


def by_name(given: Any) -> Any:
    """Return a pandas Series (as `value_counts` gives it) as {class: number}; anything else as it is."""
    named = callable(getattr(given, "to_dict", None)) and hasattr(given, "index")
    return given.to_dict() if named else given


def classes_in(given: Any, classes: Any = None) -> tuple[Any, ...]:
    """Return the classes: those declared; else keys in ascending order, or 0, 1, ... for numbers without names."""
    declared = as_labels(classes)
    given = by_name(given)
    if declared is None and isinstance(given, Mapping):
        keys = np.empty(len(given), dtype=object)
        keys[:] = [plain(key) for key in given]
        declared = distinct(keys)
    elif declared is None:
        declared = list(range(len(list(given)))) if np.iterable(given) else [0, 1]
    if len(declared) < 2 or len(set(declared)) < len(declared):
        raise UsageError(
            "one-per-class",
            f"Two or more different classes are needed, not {listing([repr(c) for c in declared]) or 'none'}.",
            cure="Name each class once.",
        )
    return tuple(declared)


def per_class(given: Any, classes: Sequence[Any], what: str, lone: float | None = None) -> Float:
    """Return numbers for the classes, in their order, shape (K,).

    Parameters
    ----------
    given
        {class: number}, or numbers in the order of the classes; or, for two classes, that of the second alone.
    classes
        The classes, K of them.
    what
        What the numbers are, for errors: "old rates".
    lone
        The number of the first class, where the second's is given alone.

    Raises
    ------
    UsageError
    """
    given = by_name(given)
    if isinstance(given, Real) and lone is not None and len(classes) == 2:
        given = [lone, given]
    if isinstance(given, Mapping):
        given = _in_order(given, classes, what)
    if isinstance(given, str | bytes) or not np.iterable(given):
        raise UsageError(
            "one-per-class",
            f"The {what} are {given!r}, but there are {len(classes)} classes.",
            cure="Give {class: number}, or a number for each class, in their order.",
        )
    values = [plain(value) for value in given]
    if len(values) != len(classes):
        raise UsageError(
            "one-per-class",
            f"{len(values)} {what} for {len(classes)} classes: {listing([repr(c) for c in classes], limit=10)}.",
            cure="Give one for each.",
        )
    odd = [v for v in values if not isinstance(v, Real) or isinstance(v, bool) or not np.isfinite(float(v))]
    if odd:
        raise UsageError(
            "one-per-class",
            f"Among the {what}: {listing([repr(v) for v in odd], limit=3)}.",
            cure="Give a number for each class.",
        )
    return np.array([float(value) for value in values])


def _in_order(given: Mapping[Any, Any], classes: Sequence[Any], what: str) -> list[Any]:
    found: dict[Any, Any] = {}
    for key, value in given.items():
        label = as_seen(plain(key), classes)
        if label not in classes:
            raise UsageError(
                "unknown-class",
                f"The {what} name {plain(key)!r}, which is none of the classes {listing([repr(c) for c in classes], limit=10)}.{suggestion(str(key), [str(c) for c in classes])}",
                cure="Name the classes as they are.",
            )
        if label in found:
            raise UsageError(
                "one-per-class", f"The {what} name {label!r} twice.", cure="Give one number for each class."
            )
        found[label] = value
    missing = [label for label in classes if label not in found]
    if missing:
        raise UsageError(
            "one-per-class",
            f"The {what} lack {listing([repr(c) for c in missing], limit=10)}.",
            cure="Give one for each class.",
        )
    return [found[label] for label in classes]


def rates_of(given: Any, classes: Sequence[Any], what: str) -> Float:
    """Return base rates in the order of the classes, shape (K,): above 0, of sum 1.

    A single number is the rate of the second of two classes.
    """
    if isinstance(given, Real) and not 0 <= float(given) <= 1:
        raise UsageError(
            "bad-rates",
            f"A rate of {given} is no share of all rows ({what}).",
            cure="Give one between 0 and 1: 0.02 for 2 %.",
        )
    rates = per_class(given, classes, what, None if not isinstance(given, Real) else 1.0 - float(given))
    total = float(rates.sum())
    if abs(total - 1) > ROUNDING:
        raise UsageError(
            "bad-rates",
            f"The {what} sum to {total:.6g}, not to 1.",
            cure="Rates are shares of all rows: divide by the sum.",
        )
    if not (rates > 0).all():
        at = int(rates.argmin())
        why = (
            "all its forecasts would become exactly 0, and cost infinitely much where it happens after all"
            if what.startswith("new")
            else "of a class that never happened there is nothing to go by"
        )
        raise UsageError(
            "bad-rates",
            f"The {what} give class {classes[at]!r} {rates[at]:g}: {why}.",
            cure="Give each class a rate above 0, however small.",
        )
    return rates
