"""What each action is worth in each state, and the action that a forecast asks for: the one of largest expected utility."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.codes import as_seen
from logloss.deciding.cells import check_names, is_cost, numbers_of
from logloss.errors import ForecastError, UsageError, listing, places
from logloss.labels import match
from logloss.notes import Note
from logloss.plain import jsonable, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Float = NDArray[np.float64]

__all__ = ["ACT", "REFER", "Utilities"]

ACT = ("act", "don't act")
REFER = "refer"
BLOCK = 1 << 15  # rows per block: its columns stay in cache


@dataclass(frozen=True, eq=False)
class Utilities:
    """What each action is worth in each state.

    Only differences within a state matter for what is best: a number added to all actions of a state changes nothing.

    Attributes
    ----------
    actions
        Their names; of actions equally good the one listed first is taken.
    states
        What may happen: the classes that forecasts are about.
    values
        Shape (A, K): utility of action a where state k happens. Larger is better; a cost is a negative utility.
    costs
        Whether they were given as costs, and are shown so.

    Examples
    --------
    >>> import logloss as ll
    >>> ward = ll.Utilities(("treat", "wait"), ("not severe", "severe"), [[-2, 0], [0, -20]])
    >>> round(ward.threshold, 6)
    0.090909
    >>> action, expected = ward.best([[0.81, 0.19]])
    >>> ward.actions[action[0]], round(float(expected[0]), 2)
    ('treat', -1.62)

    References
    ----------
    Pauker and Kassirer (1980), The threshold approach to clinical decision making, N. Engl. J. Med. 302:1109-1117.
    """

    actions: tuple[str, ...]
    states: tuple[Any, ...]
    values: Float
    costs: bool = False

    def __post_init__(self) -> None:
        """Check names and numbers; keep a copy that nobody can change."""
        actions = tuple(str(plain(name)) for name in self.actions)
        states = tuple(plain(state) for state in self.states)
        check_names(actions, states)
        values = numbers_of(self.values, actions, states)
        values.flags.writeable = False
        for name, value in (("actions", actions), ("states", states), ("values", values)):
            object.__setattr__(self, name, value)

    @classmethod
    def of_costs(cls, cost_fp: float, cost_fn: float, states: Sequence[Any] = (0, 1)) -> Utilities:
        """Return the utilities of acting or not, from the costs of a false alarm and of a miss; the second state asks to act."""
        for name, cost in (("cost_fp", cost_fp), ("cost_fn", cost_fn)):
            if not is_cost(cost):
                raise UsageError(
                    "bad-utilities",
                    f"{name} is {cost}: a cost is a number from 0 on.",
                    cure="A benefit is a utility: give utilities=.",
                )
        if cost_fp == cost_fn == 0:
            raise UsageError("bad-utilities", "Both costs are 0, so nothing depends on the action.", cure="Give the cost of a false alarm and that of a miss.")  # fmt: skip
        return cls(ACT, tuple(states), np.array([[-cost_fp, 0.0], [0.0, -cost_fn]]) + 0.0, costs=True)

    def with_reject(self, cost: float, name: str = REFER) -> Utilities:
        """Return them with one more action, last, that costs the same in every state: to leave the row to someone else.

        Under 0-1 loss it is taken where the largest probability is below 1 - cost (Chow 1970, IEEE Trans. Inf. Theory
        16:41-46).
        """
        if not is_cost(cost):
            raise UsageError("bad-utilities", f"reject is {cost}: what referring a row costs is a number from 0 on.", cure="Another action is a row of utilities=.")  # fmt: skip
        row = np.full((1, len(self.states)), -float(cost)) + 0.0
        return replace(self, actions=(*self.actions, name), values=np.concatenate([self.values, row]))

    def for_classes(self, classes: Sequence[Any]) -> Utilities:
        """Return them with the states in the order of the classes of a forecast, which they are matched to by name.

        Raises
        ------
        UsageError
            Where the states are not the classes.
        """
        seen = list(classes)
        meant = [as_seen(state, seen) for state in self.states]
        if len(meant) == len(seen) == len(set(meant)) and set(meant) == set(seen):
            order: Sequence[int] | None = [meant.index(label) for label in seen]
        else:
            order = match([str(state) for state in self.states], seen) if len(meant) == len(seen) else None
        if order is None:
            shown = listing([repr(state) for state in self.states], limit=8)
            raise UsageError(
                "utilities-states",
                f"The utilities are of states {shown}; the forecasts are of classes {listing([repr(label) for label in seen], limit=8)}.",
                cure="Call the states what the classes are called: in a table of utilities, the columns after the first, and no others. (Classes are named by the outcomes, the forecast columns or labels=.)",
            )
        return replace(self, states=tuple(seen), values=self.values[:, list(order)])

    def best(self, P: Any) -> tuple[NDArray[np.int64], Float]:
        """Return the best action of each row and its expected utility.

        Dominated actions are never taken. Actions whose expected utilities are equal up to rounding are a tie: the one
        listed first is taken.

        Parameters
        ----------
        P
            Probability of each state, shape (n, K). Only their ratios matter: rows are taken as divided by their sums.

        Returns
        -------
        tuple
            Position of the action, shape (n,), and its expected utility, shape (n,).
        """
        P = np.asarray(P, np.float64)
        if P.ndim != 2 or P.shape[1] != len(self.states):
            raise UsageError(
                "bad-utilities",
                f"The probabilities have shape {P.shape}; (n, {len(self.states)}) is needed.",
                cure="Give one column per state, in their order.",
            )
        bad = np.flatnonzero(~((P >= 0).all(axis=1) & (P.sum(axis=1) > 0) & (P.sum(axis=1) < np.inf)))
        if len(bad):
            raise ForecastError("not-a-distribution", f"Not probabilities: {places(bad)}.", cure="Give numbers from 0 on, not all 0.")  # fmt: skip
        action, expected = np.zeros(len(P), np.int64), np.zeros(len(P))
        for start in range(0, len(P), BLOCK):
            part = slice(start, start + BLOCK)
            action[part], expected[part] = self._best(P[part])
        return action, expected

    def _best(self, P: Float) -> tuple[NDArray[np.int64], Float]:
        regret = self.values.max(axis=0) - self.values
        kept = self.kept
        close = 1.0 + 8 * len(self.states) * np.finfo(np.float64).eps
        lost = [_expected(P, regret[a]) for a in kept]  # sums of what is not negative: no digits cancel
        least = lost[0]
        for one in lost[1:]:
            least = np.minimum(least, one)
        action = np.full(len(P), kept[-1], np.int64)
        for a, one in zip(reversed(kept), reversed(lost), strict=True):
            action[one <= least * close] = a
        expected = np.zeros(len(P))
        for a in kept:
            taken = action == a
            if taken.any():
                expected[taken] = self.expected(P[taken], a)
        return action, expected

    def expected(self, P: Float, action: int) -> Float:
        """Return the expected utility of one action, shape (n,), under probabilities (n, K) taken as divided by their sums."""
        return _expected(P, self.values[action]) / _expected(P, np.ones(len(self.states)))

    def of_outcomes(self, action: NDArray[np.int64], outcome: NDArray[np.int64]) -> Float:
        """Return the utility of each row, shape (n,), from positions of its action and of the state that happened."""
        return np.asarray(self.values[action, outcome])

    @property
    def oracle(self) -> Float:
        """The utility of the best action in each state, shape (K,): what knowing the state would bring."""
        return np.asarray(self.values.max(axis=0))

    @cached_property
    def alike(self) -> tuple[tuple[str, str], ...]:
        """Actions with the same utilities as one listed before: (action, the one before)."""
        first: dict[bytes, str] = {}
        found = []
        for name, row in zip(self.actions, self.values + 0.0, strict=True):
            before = first.setdefault(row.tobytes(), name)
            if before != name:
                found.append((name, before))
        return tuple(found)

    @cached_property
    def dominated(self) -> tuple[tuple[str, str], ...]:
        """Actions that another is never worse than and somewhere better: (action, the other)."""
        found = []
        for a, row in enumerate(self.values):
            better = (self.values >= row).all(axis=1) & (self.values > row).any(axis=1)
            if better.any():
                undominated = [b for b in np.flatnonzero(better) if not self._beaten(int(b))]
                found.append((self.actions[a], self.actions[undominated[0]]))
        return tuple(found)

    def _beaten(self, a: int) -> bool:
        row = self.values[a]
        return bool(((self.values >= row).all(axis=1) & (self.values > row).any(axis=1)).any())

    @cached_property
    def kept(self) -> tuple[int, ...]:
        """Positions of the actions that no other dominates."""
        beaten = {name for name, _ in self.dominated}
        return tuple(a for a, name in enumerate(self.actions) if name not in beaten)

    @cached_property
    def _distinct(self) -> tuple[int, ...]:
        copies = {name for name, _ in self.alike}
        return tuple(a for a in self.kept if self.actions[a] not in copies)

    @cached_property
    def never_best(self) -> tuple[str, ...]:
        """Actions that no single other dominates, yet that are nowhere the only best: some mixture of others is as good everywhere."""
        if len(self.states) == 2:
            best = {a for _, a in self._envelope}
            return tuple(self.actions[a] for a in self._distinct if a not in best)
        if len(self._distinct) <= 2:
            return ()
        return tuple(self.actions[a] for a in self._distinct if self._lead(a) <= 1e-9)

    def _lead(self, a: int) -> float:
        """Return by how much an action can lead all others at some forecast, as a share of the largest difference of utilities."""
        from scipy.optimize import linprog

        others = self.values[[b for b in self._distinct if b != a]]
        lead = self.values[a] - others
        lead = lead / np.abs(lead).max()
        K = len(self.states)
        found = linprog(
            np.append(np.zeros(K), -1.0),
            A_ub=np.column_stack([-lead, np.ones(len(lead))]),
            b_ub=np.zeros(len(lead)),
            A_eq=np.append(np.ones(K), 0.0)[None],
            b_eq=[1.0],
            bounds=[(0, 1)] * K + [(None, None)],
            method="highs",
        )
        return -float(found.fun or 0.0) if found.success else math.inf

    @cached_property
    def _envelope(self) -> tuple[tuple[Fraction, int], ...]:
        """Where each action of two states begins to be best, as the probability of the second one rises: (point, action)."""
        lines = [
            (Fraction(float(self.values[a, 0])), Fraction(float(self.values[a, 1])), a)
            for a in self._distinct
        ]
        lines.sort(key=lambda line: (-line[0], line[1]))  # undominated: as the first falls, the second rises
        hull: list[tuple[Fraction, Fraction, Fraction, int]] = []
        for low, high, a in lines:
            start = Fraction(0)
            while hull:
                before = hull[-1]
                start = (before[1] - low) / (before[1] - low + high - before[2])
                if start > before[0]:
                    break
                hull.pop()
            hull.append((start if hull else Fraction(0), low, high, a))
        return tuple((start, a) for start, _, _, a in hull)

    def cuts(self) -> tuple[tuple[float, ...], tuple[str, ...]] | None:
        """Return where the best action changes as the probability of the second of two states rises; None for more states.

        Returns
        -------
        tuple
            Points, ascending, and the actions between them, one more than points. They are the upper envelope of the
            lines U[a, 0] + p (U[a, 1] - U[a, 0]), found in exact arithmetic.
        """
        if len(self.states) != 2:
            return None
        return (
            tuple(float(start) for start, _ in self._envelope[1:]),
            tuple(self.actions[a] for _, a in self._envelope),
        )

    @property
    def threshold(self) -> float | None:
        """The probability of the second of two states from which on the other of two actions is best; None where there are more or fewer of either.

        With w the action at small p and t that at large p, (U[w,0] - U[t,0]) / (U[w,0] - U[t,0] + U[t,1] - U[w,1]).
        """
        found = self.cuts()
        return None if found is None or len(found[0]) != 1 else found[0][0]

    def notes(self) -> tuple[Note, ...]:
        """Return what is to be said of the actions: those dominated, alike, or nowhere best."""
        found = []
        if self.dominated:
            told = listing([f"{a!r} (never better than {b!r})" for a, b in self.dominated])
            found.append(Note("dominated-actions", f"Never taken, as another action is as good in every state and better in one: {told}."))  # fmt: skip
        if self.alike:
            told = listing([f"{a!r} (as {b!r})" for a, b in self.alike])
            found.append(Note("actions-alike", f"The same utilities as an action listed before, which is taken instead: {told}."))  # fmt: skip
        if self.never_best:
            told = listing([repr(a) for a in self.never_best])
            found.append(Note("never-best-actions", f"Nowhere the only best action, whatever the forecast: {told}. The others, between them, are as good everywhere."))  # fmt: skip
        return tuple(found)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "actions": list(self.actions),
            "states": [jsonable(state) for state in self.states],
            "values": self.values.tolist(),
        }


def _expected(P: Float, of_state: Float) -> Float:
    """Return sum_k P[:, k] of_state[k], column by column."""
    total = P[:, 0] * of_state[0]
    for k in range(1, len(of_state)):
        total = total + P[:, k] * of_state[k]
    return np.asarray(total)
