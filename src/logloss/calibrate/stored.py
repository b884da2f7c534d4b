"""Maps as JSON: written with a checksum, read back with every number checked. Nothing is unpickled or evaluated."""

from __future__ import annotations

import hashlib
import json
import math
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from logloss.calibrate import maps
from logloss.calibrate.maps import KINDS
from logloss.errors import SourceError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logloss.calibrate.maps import Map

    Float = NDArray[np.float64]

__all__ = ["SCHEMA", "checksum", "damaged", "refuse", "step_of", "steps_of", "verified"]

SCHEMA = 1
CURE = "Write it again with `logloss fix --save`, or result.map.save()."


def damaged(why: str) -> SourceError:
    """Return the error of a map that is not what was written."""
    return SourceError("bad-map", f"This is not a map as it was saved: {why}.", cure=CURE)


def refuse(why: str) -> NoReturn:
    """Raise it."""
    raise damaged(why)


def checksum(state: dict[str, Any]) -> str:
    """Return the checksum of all that a map's file says, but itself."""
    rest = {key: value for key, value in state.items() if key != "checksum"}
    return hashlib.sha256(
        json.dumps(rest, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
    ).hexdigest()


def verified(state: Any, key: str = "logloss_map") -> dict[str, Any]:
    """Return what a file says if it is a map that this version knows and that nobody changed; `key` has its schema.

    Raises
    ------
    SourceError
        For what is no map, was written by a later version, or does not fit its checksum.
    """
    if not isinstance(state, dict) or key not in state:
        raise SourceError("bad-map", "This is not a saved map.", cure=CURE)
    schema = state[key]
    if not isinstance(schema, int) or isinstance(schema, bool) or schema < 1:
        refuse(f"its schema is {schema!r}")
    if schema > SCHEMA:
        raise SourceError(
            "newer-map",
            f"This map has schema {schema}; this version of logloss knows up to {SCHEMA}.",
            cure="Use the version that wrote it, or a later one: pip install -U logloss.",
        )
    try:
        expected = checksum(state)
    except (ValueError, TypeError, RecursionError):
        refuse("it holds what JSON lacks")
    if state.get("checksum") != expected:
        refuse("its checksum does not fit, so something in it was changed")
    return state


def steps_of(state: Any, K: int) -> tuple[Map, ...]:
    """Return the steps of a map of K classes."""
    if not isinstance(state, list):
        refuse("it has no steps")
    return tuple(step_of(step, K) for step in state)


def step_of(state: Any, K: int) -> Map:
    """Return the map of one step, every number checked."""
    if not isinstance(state, dict) or state.get("kind") not in KINDS:
        kind = state.get("kind") if isinstance(state, dict) else state
        refuse(f"{kind!r} is not a kind of step")
    kind = KINDS[state["kind"]]
    rest = {name: value for name, value in state.items() if name != "kind"}
    if set(rest) != set(kind.__dataclass_fields__) - {"kind"}:
        refuse(f"a {kind.kind} has {', '.join(kind.__dataclass_fields__)}, not {', '.join(rest)}")
    values = {name: _value(value, f"{kind.kind} {name}") for name, value in rest.items()}
    one: Map = kind(**values)
    _check(one, K)
    return one


def _value(value: Any, what: str) -> float | Float:
    """Return a number, or an array of numbers, all finite."""
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    if isinstance(value, list):
        try:
            array = np.asarray(value, np.float64)
        except (TypeError, ValueError):
            refuse(f"{what} is not an array of numbers")
        if np.isfinite(array).all() and array.size and array.ndim <= 2:
            return array
    refuse(f"{what} is not all finite numbers")


def _check(one: Map, K: int) -> None:
    """Refuse parameters that no fit gives: shapes, ranges, order."""
    C = 1 if K == 2 else K
    ok = True
    if isinstance(one, maps.Scaling):
        ok = _shaped(one.slope, C) and _shaped(one.offset, C)
    elif isinstance(one, maps.Mix):
        ok = 0 <= one.share <= 1 and _shaped(one.rates, K)
        ok = ok and bool((one.rates >= 0).all()) and abs(float(one.rates.sum()) - 1) < 1e-9
    elif isinstance(one, maps.Clip):
        ok = K == 2 and min(one.first, one.second) >= 0 and one.first + one.second <= 1
    elif isinstance(one, maps.Isotonic):
        ok = (
            K == 2
            and _rising(one.at)
            and _shaped(one.odds, len(one.at))
            and bool((np.diff(one.odds) >= 0).all())
        )
    elif isinstance(one, maps.VennAbers):
        ok = K == 2 and _rising(one.at) and all(_shaped(p, len(one.at)) for p in (one.low, one.high))
        ok = ok and bool((one.low >= 0).all() and (one.high <= 1).all() and (one.low <= one.high).all())
    elif isinstance(one, maps.Matrix):
        ok = K > 2 and np.shape(one.weights) == (K, K) and _shaped(one.offset, K)
    elif isinstance(one, maps.Beta | maps.Quadratic):
        ok = K == 2
    if not ok:
        refuse(f"the numbers of its {one.kind} do not fit together, or not {K} classes")


def _shaped(array: Any, size: int) -> bool:
    return bool(np.shape(array) == (size,))


def _rising(at: Any) -> bool:
    return np.ndim(at) == 1 and bool((np.diff(at) > 0).all())
