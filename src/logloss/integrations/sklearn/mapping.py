"""Forecasts of scikit-learn's kind - classes as codes, columns in their order - to a fitted map and back.

# Design: classes are told by position here, as scikit-learn does, and get their names when the record is whole. So labels of
# any type work, and the door's looking at names has no say; the door still checks every number.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.calibrate.fits import CANDIDATES, fit_steps, guard
from logloss.calibrate.fitted import LEAST, MOST, FittedMap, forecasts_of
from logloss.calibrate.maps import Identity
from logloss.errors import AlignmentError, OutcomeError, listing, places
from logloss.fixing.fields import all_rows
from logloss.fixing.recalibration import of_record
from logloss.fixing.verdicts import chosen_names
from logloss.observations import observe
from logloss.plain import jsonable, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from logloss.calibrate.maps import Map
    from logloss.fixing.results import Fix
    from logloss.record import Observations, Space

    Float = NDArray[np.float64]

__all__ = ["RACE", "check_map", "coded", "every_class", "log_probabilities", "map_of", "probabilities", "record_of", "two_only"]  # fmt: skip

RACE = "race"  # every map is tried, and nothing is done unless one certainly gains
BEST = "best"  # every map is tried, and the one with the least held-out loss is taken, certain or not
RACES = (RACE, BEST)


def check_map(name: str | Sequence[str], K: int) -> None:
    """Refuse maps that are none, or that K classes cannot have."""
    if K > 2 and two_only(name):
        raise OutcomeError(
            "too-many-classes",
            f"Only binary classification is supported. The type of the target is multiclass: {K} classes, and the map {name!r} is for two.",
            cure="Use map='race', or one for any number of classes, such as 'temperature' or 'affine'.",
        )
    chosen_names(None if isinstance(name, str) and name in RACES else name, K)


def two_only(name: str | Sequence[str]) -> bool:
    """Tell whether any of these maps exists for two classes alone."""
    asked = [name] if isinstance(name, str) else name
    return any(one in CANDIDATES and CANDIDATES[one].many == 0 for one in asked)


def coded(y: NDArray[Any], classes: NDArray[Any]) -> NDArray[np.int64]:
    """Return each outcome's place among the classes, which are in ascending order; shape (n,)."""
    at = np.searchsorted(classes, y)
    strangers = classes[np.minimum(at, len(classes) - 1)] != y
    if strangers.any():
        rows = np.flatnonzero(strangers)
        raise OutcomeError(
            "classes-without-column",
            f"Not of the classes {listing([repr(plain(v)) for v in classes])}: {len(rows):,} outcomes ({places(rows)}: {listing([repr(plain(v)) for v in dict.fromkeys(y[rows].tolist())])}).",
            cure="Correct them, or leave these rows out: no forecast is about these classes.",
        )
    return at.astype(np.int64)


def every_class(classes: NDArray[Any]) -> NDArray[Any]:
    """Return the classes; refuse fewer than two."""
    if len(classes) < 2:
        seen = f"1 class, {plain(classes[0])!r}" if len(classes) else "no class"
        raise OutcomeError(
            "one-class",
            f"The outcomes have {seen}: a forecast needs at least two classes.",
            cure="Give rows of other classes too; a forecast of saved predictions takes all of them as labels=.",
        )
    return classes


def record_of(
    values: NDArray[Any],
    codes: NDArray[np.int64],
    classes: NDArray[Any],
    space: Space,
    weight: NDArray[Any] | None = None,
    groups: Any = None,
) -> Observations:
    """Return forecasts, shape (n,) or (n, K), and places of the outcomes, (n,), as a checked record."""
    K = len(classes)
    if values.ndim == 2 and values.shape[1] != K:
        raise OutcomeError(
            "classes-without-column",
            f"The forecast has {values.shape[1]} columns and the outcomes have {K} classes: {listing([repr(plain(v)) for v in classes])}.",
            cure="Give one column per class, in ascending order of the classes; name classes that did not happen with labels=.",
        )
    if values.ndim == 1 and K > 2:
        raise OutcomeError(
            "too-many-classes",
            f"Only binary classification is supported. The type of the target is multiclass: a single column of forecasts, but {K} classes.",
            cure="Give one column per class.",
        )
    found = observe(codes, values, space=space, weight=weight, labels=list(range(K)), group=groups)
    return replace(found, classes=tuple(plain(label) for label in classes))


def map_of(
    record: Observations, name: str | Sequence[str], time: NDArray[Any] | None = None
) -> tuple[FittedMap, Fix | None]:
    """Return the map fitted to a record; and the race, where there was one.

    Where a race does nothing, forecasts that leave no doubt are bounded all the same ("guard"): one of them that is wrong
    would cost more than all other rows.

    The fit takes a weight of 2 for the row twice, as scikit-learn does; weights that are less than 1 on average are first brought
    to an average of 1, so that those that sum to one do not say that there was one row. For a race only their ratios matter.
    """
    if time is not None and len(time) != len(record):
        raise AlignmentError(
            "different-lengths",
            f"The parts have different lengths: {len(record):,} outcomes, {len(time):,} times.",
            cure="Give one of each per row.",
        )
    if isinstance(name, str) and name not in RACES:
        plain_map = _identity(record)
        return (
            plain_map if name == "identity" else replace(plain_map, name=name, steps=_steps(record, name))
        ), None
    found = of_record(record, maps=None if isinstance(name, str) else name, time=time)
    assert isinstance(found.map, FittedMap)  # of one forecast
    chosen = found.candidates[0].name if name == BEST else found.chosen
    steps = _steps(record, chosen)
    if chosen == "identity":
        return (replace(found.map, name="guard", steps=steps) if steps else found.map), found
    rows = {
        "rows": len(record),
        "before": jsonable(found.before),
        "after": jsonable(found.candidates[0].log_loss),
    }
    return replace(
        found.map, name=chosen, steps=steps, fitted=found.map.fitted if name != BEST else rows
    ), found


def _identity(record: Observations) -> FittedMap:
    return FittedMap("identity", (Identity(),), record.classes, (), record.space, {"rows": len(record)})


def _steps(record: Observations, name: str) -> tuple[Map, ...]:
    """Return a map of that name fitted to all rows; of the identity, only what bounds forecasts of exactly 0 and 1."""
    if record.weight is not None and not record.weight.all():
        record = record.take(record.weight > 0)
    rows = all_rows(record)
    mean = 1.0 if record.weight is None else float(record.weight.mean())
    weight = rows.weight * max(mean, 1.0)
    return guard(rows.Z, rows.T, weight) if name == "identity" else fit_steps(name, rows.Z, rows.T, weight)


def probabilities(found: FittedMap, values: NDArray[Any], space: Space) -> Float:
    """Return the probabilities of all classes after the map, shape (n, K): none is 0 or 1."""
    record = _unscored(found, values, space)
    if found.does_nothing and space == "p":
        given = np.clip(record.forecast.astype(np.float64), LEAST, MOST)
        return given if given.ndim == 2 else np.stack([np.minimum(1.0 - given, MOST), given], axis=1)
    return np.concatenate([found.written(Z, "p", one=False) for Z, _ in forecasts_of(record)])


def log_probabilities(found: FittedMap, values: NDArray[Any], space: Space) -> Float:
    """Return log-probabilities of all classes after the map, shape (n, K), from log-odds: finite, exact near 0 and 1."""
    record = _unscored(found, values, space)
    return np.concatenate([found.written(Z, "logp", one=False) for Z, _ in forecasts_of(record)])


def _unscored(found: FittedMap, values: NDArray[Any], space: Space) -> Observations:
    return record_of(values, np.zeros(len(values), np.int64), np.arange(len(found.classes)), space)
