"""Maps of two classes as SQL: log-odds of one or two columns, mapped, and written as they came.

Forecasts that leave no doubt are cases of their own, with what the map makes of them as a number; all others can be
divided and taken the log of.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.calibrate import maps
from logloss.calibrate.odds import LOWEST, logs_of_two
from logloss.exports.sqlcuts import Cuts, positions
from logloss.exports.sqlodds import State, after, single
from logloss.exports.sqlrows import checked
from logloss.kernels import tolerance

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from logloss.calibrate.maps import Map
    from logloss.exports.sqlterms import Node, Term, Terms
    from logloss.record import Space

__all__ = ["Pair"]

ENDS = {"p": (5e-324, 1 - 2.0**-53), "logp": (LOWEST, -5e-324), "logit": (LOWEST, -LOWEST)}
LEAVES = 40  # straight lines that are written one by one


@dataclass(frozen=True, eq=False)
class Pair:
    """Writes a map of two classes for given columns."""

    terms: Terms
    columns: Sequence[str]
    space: Space
    limits: tuple[float, float]
    farthest: float  # from one, that a row of two may sum to
    second: bool  # the class that is written

    def expression(self, steps: tuple[Map, ...]) -> Node:
        """Return the expression of the class."""
        t, one = self.terms, len(self.columns) == 1
        within = tolerance(np.dtype(np.float64), 2)
        if not steps:
            column = self.columns[0 if one else self.second]
            value = t.column(column) if self.space != "p" else t.within(t.column(column), *self.limits)
            return t.case(
                [(self._alone(within) if one else checked(t, self.columns, self.space, self.farthest), value)]
            )
        low, high = self._certain(steps)
        body = self.walk(self._given(), steps)
        if not one:
            left, right = self._extremes()
            inner = t.case([(left, low), (right, high)], body)
            return t.case([(checked(t, self.columns, self.space, self.farthest), inner)])
        column = self.columns[0]
        least, most = {"p": (0.0, 1.0), "logp": (LOWEST, 0.0), "logit": (LOWEST, -LOWEST)}[self.space]
        bottom, top = {"p": (-within, 1 + within), "logp": (-np.inf, within), "logit": (-np.inf, np.inf)}[
            self.space
        ]

        def between(a: float, how: tuple[str, str], b: float) -> Node:
            return t.every([t.compare(t.bare(column), how[0], a), t.compare(t.bare(column), how[1], b)])

        return t.case(
            [
                (between(least, (">", "<"), most), body),
                (between(bottom, (">=", "<="), least), low),
                (between(most, (">=", "<="), top), high),
            ]
        )

    def _alone(self, within: float) -> Node:
        t, column = self.terms, self.columns[0]
        bottom, top = {"p": (-within, 1 + within), "logp": (-np.inf, within), "logit": (-np.inf, np.inf)}[
            self.space
        ]
        return t.every([t.compare(t.bare(column), ">=", bottom), t.compare(t.bare(column), "<=", top)])

    def _extremes(self) -> tuple[Node, Node]:
        """Return the conditions that the first of two columns leaves no doubt, and the second."""
        t = self.terms
        first, second = self.columns
        if self.space == "p":
            return t.compare(t.bare(second), "<=", 0.0), t.compare(t.bare(first), "<=", 0.0)
        low, high = (t.minus(t.column(second), t.column(first)) for _ in range(2))
        return t.compare(low, "<=", LOWEST), t.compare(high, ">=", -LOWEST)

    def _certain(self, steps: tuple[Map, ...]) -> tuple[Node, Node]:
        """Return what the map makes of forecasts that leave no doubt."""
        return self.constant(LOWEST, steps), self.constant(-LOWEST, steps)

    def constant(self, z: float, steps: Sequence[Map]) -> Node:
        """Return what steps make of log-odds, as a number in the space that is written."""
        Z = np.array([[z]])
        with np.errstate(divide="ignore"):
            for step in steps:
                Z = step(Z)
        z = float(np.clip(Z[0, 0], LOWEST, -LOWEST))
        if self.space == "logit" and len(self.columns) == 1:
            return self.terms.number(z)
        up, down = logs_of_two(np.array(z))
        log = float(up if self.second else down)
        return self.terms.number(float(np.clip(np.exp(log), *self.limits)) if self.space == "p" else log)

    def _given(self) -> State:
        """Return a row as it comes, its extremes left out."""
        t = self.terms
        if len(self.columns) == 1:
            column = self.columns[0]
            low, high = (int(at) for at in positions(np.array(ENDS[self.space])))
            return replace(single(t, column, self.space), span=(low, high))
        first, second = self.columns

        def one(name: str) -> Term:
            return lambda: t.column(name)

        if self.space != "p":
            return State(lambda: t.minus(one(second)(), one(first)()))

        def share(name: str) -> Term:
            return lambda: t.over(t.column(name), t.plus(t.column(first), t.column(second)))

        return State(
            lambda: t.minus(t.ln(one(second)()), t.ln(one(first)())), shares=(share(second), share(first))
        )

    def walk(self, state: State, steps: tuple[Map, ...]) -> Node:
        """Return what steps make of a row, as it is written."""
        if not steps:
            return self.written(state)
        step, rest = steps[0], steps[1:]
        if isinstance(step, maps.Isotonic):
            return self.isotonic(state, step, rest)
        if isinstance(step, maps.VennAbers):
            bounds = [(float(x), side) for x in step.at for side in (-1.0, 1.0)]
            low, high = np.append(0.0, step.low), np.append(step.high, 1.0)
            # below knot i: low[i], high[i]; at it: low[i + 1], high[i]
            with np.errstate(divide="ignore"):
                z = np.repeat(np.log(high), 2)[:-1] - np.log1p(-np.repeat(low, 2)[1:])
            cuts = Cuts.of(bounds, self.space, state.steps, state.span)
            return self.tree(state, cuts, z.tolist(), lambda value, _: self.constant(value, rest))
        if isinstance(step, maps.Mix) and step.share >= 1:
            return self.constant(0.0, steps)
        return self.walk(after(self.terms, state, step), rest)

    def isotonic(self, state: State, step: maps.Isotonic, rest: tuple[Map, ...]) -> Node:
        """Return an isotonic map and what comes after it: numbers where it is constant, else offset + slope (z - at)."""
        t, steps = self.terms, (*state.steps, step)
        slopes = np.diff(step.odds) / np.diff(step.at)
        lines = np.concatenate([[0.0], slopes, [0.0]]).tolist()
        at = np.concatenate([step.at[:1], step.at]).tolist()
        odds = np.concatenate([step.odds[:1], step.odds]).tolist()
        cuts = Cuts.of([(float(x), 0.0) for x in step.at], self.space, state.steps, state.span)
        if (
            np.count_nonzero(slopes) > LEAVES
        ):  # three trees of numbers cost an engine less than one of formulas

            def all_lines() -> Node:
                slope, knot, offset = (
                    self.tree(state, cuts, values, lambda value, _: t.number(value))
                    for values in (
                        lines,
                        [x if line else 0.0 for x, line in zip(at, lines, strict=True)],
                        odds,
                    )
                )
                return t.plus(t.product(slope, t.minus(state.odds(), knot)), offset)

            return self.walk(State(all_lines, steps=steps, span=state.span), rest)

        def piece(values: tuple[float, float, float], within: State) -> Node:
            slope, knot, offset = values
            if not slope:
                return self.constant(offset, rest)

            def line() -> Node:
                return t.plus(t.times(slope, lambda: t.plus(state.odds(), -knot)), offset)

            return self.walk(State(line, steps=steps, span=within.span), rest)

        flat = [(line, x if line else 0.0, o) for line, x, o in zip(lines, at, odds, strict=True)]
        return self.tree(state, cuts, flat, piece)

    def tree(
        self, state: State, cuts: Cuts, values: Sequence[Any], leaf: Callable[[Any, State], Node]
    ) -> Node:
        """Return a balanced tree of cases with a leaf for each piece; neighbours with equal values are one."""
        merged: list[list[int]] = []
        for i in cuts.kept:
            if merged and values[i] == values[merged[-1][1]]:
                merged[-1][1] = i
            else:
                merged.append([i, i])
        t, starts = self.terms, cuts.starts

        def grown(a: int, b: int) -> Node:
            if b - a == 1:
                first, last = merged[a]
                span = (starts[first], starts[last + 1] - 1) if starts else None
                return leaf(values[first], replace(state, span=span))
            middle = (a + b) // 2
            of = t.bare(self.columns[0]) if starts else state.odds()
            below = t.compare(of, "<", cuts.edges[merged[middle][0]])
            return t.case([(below, grown(a, middle))], grown(middle, b))

        return grown(0, len(merged))

    def written(self, state: State) -> Node:
        """Return the forecast as it came: a probability, its log, or log-odds."""
        t = self.terms
        if self.space == "logit" and len(self.columns) == 1:
            return t.within(state.odds(), LOWEST, -LOWEST)
        share = None if state.shares is None else state.shares[0 if self.second else 1]
        if self.space == "p":
            if share is not None:
                return t.within(share(), *self.limits)
            if self.second:
                odds = t.negative(t.within(state.odds(), -700.0, 36.0))  # exp(-36) is still added to 1
            else:
                odds = t.within(state.odds(), -36.0, 700.0)
            return t.over(t.number(1.0), t.plus(t.e(odds), 1.0))
        most = float(np.log(self.limits[1]))
        if share is not None:
            return t.within(t.ln(share()), LOWEST, most)

        def bounded() -> Node:
            value = t.within(state.odds(), LOWEST, -LOWEST)
            return value if self.second else t.negative(value)

        rest = t.ln(t.plus(t.e(t.negative(t.absolute(bounded()))), 1.0))
        return t.least(t.minus(t.least(bounded(), 0.0), rest), most)
