"""The answer of decide: an action for every row, the rule behind it, what it brings, what else could be done."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.deciding import sentences
from logloss.deciding.sheets import card, sheet
from logloss.figures.drawing import Framed
from logloss.plain import jsonable, plain

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logloss.deciding.policies import Policy
    from logloss.deciding.utilities import Utilities
    from logloss.display.cells import Card
    from logloss.figures.drawing import Drawings
    from logloss.finding import Finding
    from logloss.interval import Interval
    from logloss.notes import Note
    from logloss.record import Observations

    Float = NDArray[np.float64]

__all__ = ["Decisions", "Recalibration"]


@dataclass(frozen=True)
class Recalibration:
    """What recalibrating adds to what the decisions brought, cross-fitted.

    Attributes
    ----------
    map
        The map that was chosen; "identity" where none certainly helps, and nothing is added.
    worth, interval, p_value
        Mean utility after less before, row by row. No interval where fewer than five rows differ.
    changed
        How many rows with an outcome get another action.
    """

    map: str
    worth: float
    interval: tuple[float, float] | None
    p_value: float | None
    changed: int

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True, eq=False, repr=False)
class Decisions(Framed):
    """Which action each row's forecast asks for, and what that brings. Utilities in the user's own unit, means over rows.

    Attributes
    ----------
    utilities
        What each action is worth in each class of the forecasts.
    threshold
        Of two actions and two classes: from which probability of the second class on the other action is taken. None
        where there are more, or where one action is always as good.
    actions
        How many rows get each action.
    expected_utility
        What the forecasts expect the decisions to bring.
    realised_utility, interval
        What they brought where the outcome is known, and the interval of its mean; None without outcomes.
    regret
        What was lost against an oracle that knows the state: mean of max_a U[a, y] - U[a*, y]. None without outcomes.
    perfect_information
        The same as the forecasts expect it: mean of E max_a U - max_a E U. No further measurement is worth more a row.
    surplus
        Realised less expected utility of the rows with an outcome, with its interval and p-value: a test of calibration
        in the user's own unit. None without outcomes.
    recalibration
        What recalibrating would add; None without outcomes, and where it was not asked for.
    policies
        What these decisions bring beside other ways to act; see :class:`logloss.deciding.policies.Policy`.
    best
        The name of the policy that brought most, or without outcomes is expected to.
    rows, labelled
        How many rows count, and how many of them have an outcome.
    action, expected
        Position of the action of each row, and its expected utility, shape (n,).
    numbers
        The number of each row in the input: rows that were left out, or of weight 0, are not among them.
    """

    utilities: Utilities
    threshold: float | None
    actions: dict[str, int]
    expected_utility: float
    realised_utility: float | None
    interval: tuple[float, float] | None
    regret: float | None
    perfect_information: float
    surplus: Interval | None
    recalibration: Recalibration | None
    policies: tuple[Policy, ...]
    best: str
    rows: int
    labelled: int
    level: float
    notes: tuple[Note, ...]
    action: NDArray[np.int64] = field(repr=False)
    expected: Float = field(repr=False)
    numbers: NDArray[np.int64] = field(repr=False)
    observations: Observations = field(repr=False)
    columns: tuple[str, ...] = ()

    @property
    def chosen(self) -> NDArray[Any]:
        """The name of each row's action, shape (n,)."""
        return np.array(self.utilities.actions, dtype=object)[self.action]

    @property
    def dominated(self) -> tuple[str, ...]:
        """Actions that are never taken, as another is as good in every state and better in one."""
        return tuple(name for name, _ in self.utilities.dominated)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is worth saying, one sentence each, in the user's own unit."""
        return tuple(sentences.findings(self))

    def _drawings(self) -> Drawings:
        from logloss.figures.payoffs import AGAINST_BEST, POLICIES

        return {"policies": POLICIES, "differences": AGAINST_BEST}

    def _card(self, unit: str = "nats") -> Card:
        del unit  # utilities are in the user's own

        return card(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON contract; means of utilities in the unit that they were given in, a cost being negative."""
        cuts = self.utilities.cuts()
        surplus = self.surplus
        state: dict[str, Any] = jsonable(
            {
                "threshold": self.threshold,
                "cuts": None if cuts is None else {"points": cuts[0], "actions": cuts[1]},
                "actions": self.actions,
                "dominated": self.dominated,
                "never_best": self.utilities.never_best,
                "expected_utility": self.expected_utility,
                "realised_utility": self.realised_utility,
                "interval": self.interval,
                "regret": self.regret,
                "perfect_information": self.perfect_information,
                "surplus": None
                if surplus is None
                else {
                    "mean": surplus.mean,
                    "standard_error": surplus.standard_error,
                    "interval": (surplus.low, surplus.high),
                    "p_value": surplus.p_value,
                },
                "recalibration": None if self.recalibration is None else self.recalibration.to_dict(),
                "policies": [policy.to_dict() for policy in self.policies],
                "best": self.best,
                "utilities": self.utilities.to_dict(),
                "classes": [plain(label) for label in self.utilities.states],
                "findings": [one.to_dict() for one in self.findings],
                "rows": self.rows,
                "labelled": self.labelled,
                "level": self.level,
                "notes": [{"id": note.id, "text": note.text} for note in self.notes],
            }
        )
        return state

    def show(self, *, notes: bool = True) -> str:
        """Return one screen of text; costs are shown as costs where they were given so."""
        return sheet(self, notes=notes)

    def __str__(self) -> str:
        """Return one screen of text."""
        return self.show()
