"""Utilities and the rule that follows from them, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logloss.text import printable

if TYPE_CHECKING:
    from logloss.deciding.utilities import Utilities

__all__ = ["number", "rule"]

FEW = 8  # actions shown


def number(value: float) -> str:
    """Format a utility: four significant digits, 0 only where it is 0.

    >>> number(-1.62), number(12345.678), number(0.0), number(1e-7)
    ('-1.62', '12,346', '0', '1e-07')
    """
    if value == 0:
        return "0"
    if 1000 <= abs(value) < 1e9:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def rule(utilities: Utilities) -> str:
    """Say when each action is taken, in one line.

    >>> from logloss.deciding.utilities import Utilities
    >>> rule(Utilities(("treat", "wait"), ("not severe", "severe"), [[-2, 0], [0, -20]]))
    'treat where p(severe) >= 0.09091 = 2 / (2 + 20), else wait'
    """
    cuts = utilities.cuts()
    if cuts is None:
        return "of each row, the action of largest expected utility"
    points, actions = cuts
    p = f"p({printable(utilities.states[1])})"
    if not points:
        return f"always {printable(actions[0])}, whatever the forecast"
    at = [utilities.actions.index(name) for name in actions]
    if len(points) == 1:
        low, high = at
        U = utilities.values
        for_one, for_other = U[low, 0] - U[high, 0], U[high, 1] - U[low, 1]
        formula = f"{points[0]:.4g} = {number(for_one)} / ({number(for_one)} + {number(for_other)})"
        sign = ">=" if high < low else ">"
        return f"{printable(actions[1])} where {p} {sign} {formula}, else {printable(actions[0])}"
    told = [f"{printable(actions[0])} below {points[0]:.4g}"]
    told += [
        f"{printable(name)} from {low:.4g} to {high:.4g}"
        for name, low, high in zip(actions[1:-1], points[:-1], points[1:], strict=True)
    ]
    told.append(f"{printable(actions[-1])} above {points[-1]:.4g}")
    shown = told if len(told) <= FEW else [*told[: FEW - 1], f"{len(told) - FEW} more", told[-1]]
    return f"by {p}: {', '.join(shown)}"
