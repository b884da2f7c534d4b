"""Forecasts in the order of their losses, each with its difference to the best, or to the reference."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from logloss.errors import UsageError, suggestion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logloss.comparing.results import Pair, Standing

__all__ = ["behind", "chosen"]


def chosen(names: Sequence[str], reference: str | None) -> None:
    """Refuse fewer than two forecasts, and a reference that is none of them."""
    if len(names) < 2:
        raise UsageError(
            "too-few-forecasts",
            f"A comparison needs two forecasts, and there {'is one' if names else 'are none'}.",
            cure="Give two or more of the same rows.",
        )
    if reference is not None and reference not in names:
        raise UsageError(
            "no-such-model",
            f"There is no forecast {reference!r} to set the others against.{suggestion(reference, names)}",
            cure=f"There are {list(names)}.",
        )


def behind(one: Standing, centre: str, pairs: list[Pair]) -> Standing:
    """Return a standing with its difference to the best, or to the reference."""
    for pair in pairs:
        if one.name == centre or {pair.a, pair.b} != {one.name, centre}:
            continue
        if pair.a == one.name:
            return replace(one, difference=pair.difference, difference_interval=pair.interval)
        turned = None if pair.interval is None else (-pair.interval[1], -pair.interval[0])
        behind = None if pair.difference is None else -pair.difference
        return replace(one, difference=behind, difference_interval=turned)
    return one
