"""A fitted map in words and numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.calibrate import maps
from logloss.text import printable

if TYPE_CHECKING:
    from logloss.calibrate.fitted import FittedMap
    from logloss.calibrate.pooled import FittedPool

__all__ = ["describe", "screen"]

FEW = 6


def describe(fitted: FittedMap | FittedPool) -> list[str]:
    """Return one line for each step of a map, and how a pool is made."""
    first = [_pooled(fitted)] if hasattr(fitted, "members") else []  # a pool, which is above this room
    return first + [line for step in fitted.steps if (line := _line(step, fitted.classes))]


def screen(fitted: FittedMap | FittedPool) -> str:
    """Return a map as a few lines of text."""
    names = ", ".join(printable(label) for label in fitted.classes[:FEW])
    more = f" and {len(fitted.classes) - FEW} more" if len(fitted.classes) > FEW else ""
    rows = fitted.fitted.get("rows")
    learnt = f", fitted to {rows:,} rows" if isinstance(rows, int) else ""
    before, after = (fitted.fitted.get(key) for key in ("before", "after"))
    gained = (
        f": log loss {before:.4f} before, {after:.4f} after on rows held out"
        if isinstance(before, float) and isinstance(after, float) and before != after
        else ""
    )
    head = f"Map {fitted.name} of the classes {names}{more}{learnt}{gained}"
    return "\n".join([head, *(f"  - {line}" for line in describe(fitted) or ["Nothing is done."])])


def _pooled(fitted: Any) -> str:
    names = [printable(name) for name in fitted.names]
    if fitted.pool.only is not None:
        return f"Forecast {names[fitted.pool.only]}{' as it is' if fitted.does_nothing else ''}."
    order = sorted(range(len(names)), key=lambda at: -fitted.weights[at])
    named, weights = [names[at] for at in order], fitted.weights[order]
    if fitted.kind == "linear":
        shown = ", ".join(f"{b:.1%} {name}" for name, b in zip(named[:FEW], weights[:FEW], strict=True))
        more = f" and {len(named) - FEW} more" if len(named) > FEW else ""
        return f"Probabilities are mixed: {shown}{more}."
    return f"Log-odds are added up, each times its weight: {_listed(named, weights)}."


def _line(step: Any, classes: tuple[Any, ...]) -> str:
    names = [printable(label) for label in classes]
    if isinstance(step, maps.Scaling):
        return _scaling(step, names)
    if isinstance(step, maps.Clip):
        if step.first == step.second:
            return f"Probabilities are kept within {step.second:.4g} and {1 - step.second:.6g}."
        return f"The probability of {names[1]} is kept within {step.second:.4g} and {1 - step.first:.6g}."
    if isinstance(step, maps.Mix):
        into = (
            "the uniform forecast" if np.ptp(step.rates) == 0 else f"the rates {_listed(names, step.rates)}"
        )
        return f"{100 * step.share:.3g} % of {into} is mixed in."
    if isinstance(step, maps.Beta):
        return f"Log-odds become {step.a:.4g} log p - {step.b:.4g} log(1 - p) {step.c:+.4g}."
    if isinstance(step, maps.Quadratic):
        turn = step.turns()
        where = (
            ""
            if turn is None or abs(turn) > 50
            else f" It turns round at log-odds of {turn:.3g}: beyond, higher forecasts become lower ones."
        )
        return f"Log-odds z become {step.square:.4g} z^2 {step.slope:+.4g} z {step.offset:+.4g}.{where}"
    if isinstance(step, maps.Isotonic):
        low, high = (1 / (1 + np.exp(-step.odds[[0, -1]]))).tolist()
        return f"A rising curve through {len(step.at)} knots, from {low:.4g} to {high:.6g}."
    if isinstance(step, maps.VennAbers):
        width = float(np.median(step.high - step.low))
        return f"Isotonic with a 0 and with a 1 added, {len(step.at)} knots; the two differ by {width:.4f} (median)."
    if isinstance(step, maps.Matrix):
        return f"Log-probabilities are multiplied by a matrix of {len(names)} x {len(names)}."
    return ""


def _scaling(step: maps.Scaling, names: list[str]) -> str:
    said = []
    if (step.slope == step.slope[0]).all():
        if step.slope[0] != 1:
            said.append(
                f"temperature {1 / step.slope[0]:.4g} ({'softer' if step.slope[0] < 1 else 'sharper'})"
                if step.slope[0] > 0
                else f"log-odds times {step.slope[0]:.4g} (what was likely becomes unlikely)"
            )
    else:
        said.append(f"log-probabilities times {_listed(names, step.slope)}")
    if step.offset.any():
        shift = step.offset if len(step.offset) > 1 else None
        said.append(
            f"log-odds of {names[1]} {step.offset[0]:+.4g}"
            if shift is None
            else f"{'then' if said else 'log-probabilities'} plus {_listed(names, shift - shift.mean())}"
        )
    text = "; ".join(said)
    return f"{text[0].upper()}{text[1:]}." if said else ""


def _listed(names: list[str], values: Any) -> str:
    shown = ", ".join(f"{name} {value:.3g}" for name, value in zip(names[:FEW], values[:FEW], strict=True))
    return shown + (f" and {len(names) - FEW} more" if len(names) > FEW else "")
