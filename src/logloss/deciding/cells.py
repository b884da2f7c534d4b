"""The cells of a table of utilities: a name for every action and state, a finite number in each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.errors import UsageError, listing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]

__all__ = ["check_names", "is_cost", "numbers_of"]

LARGEST = 1e100  # of a utility: sums and cubes of them stay numbers


def is_cost(value: object) -> bool:
    """Tell whether a value is a finite number from 0 on."""
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    return number and 0 <= float(value) < np.inf  # type: ignore[arg-type]


def check_names(actions: tuple[str, ...], states: tuple[Any, ...]) -> None:
    """Refuse actions and states without a name of their own."""
    blank = [at for at, name in enumerate(actions) if not name.strip()]
    if blank or not actions:
        raise UsageError(
            "bad-utilities",
            f"Without a name: action {blank[0] + 1} of {len(actions)}." if blank else "There are no actions.",
            cure="Name every action.",
        )
    for what, names in (
        ("actions", [name.strip() for name in actions]),
        ("states", [str(s).strip() for s in states]),
    ):
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise UsageError("bad-utilities", f"Named more than once among the {what}: {listing([repr(name) for name in twice])}.", cure="Give each its own name.")  # fmt: skip
    if len(states) < 2:
        raise UsageError("bad-utilities", f"Utilities of {len(states)} state{'' if len(states) == 1 else 's'}: {listing([repr(s) for s in states])}; a forecast is about two or more.", cure="Give one column per class of the forecasts.")  # fmt: skip


def numbers_of(values: Any, actions: tuple[str, ...], states: tuple[Any, ...]) -> Float:
    """Return the utilities as a new array, every cell a finite number; refuse others."""
    try:
        found = np.array(values, np.float64) + 0.0
    except (TypeError, ValueError):
        raise UsageError("bad-utilities", "The utilities are not a table of numbers.", cure="Give one number per action and state.") from None  # fmt: skip
    if found.shape != (len(actions), len(states)):
        raise UsageError(
            "bad-utilities",
            f"The utilities have shape {found.shape}, for {len(actions)} actions and {len(states)} states.",
            cure="Give one row per action, one column per state.",
        )
    bad = np.argwhere(~(np.abs(found) <= LARGEST))
    if len(bad):
        cells = [f"{actions[a]!r} in {states[k]!r}: {'missing' if np.isnan(found[a, k]) else found[a, k]}" for a, k in bad]  # fmt: skip
        raise UsageError(
            "bad-utilities",
            f"Missing, infinite or beyond {LARGEST:g}: {listing(cells, limit=3)}.",
            cure="Give every action a utility in every state. What must never be done has a large negative one.",
        )
    return found
