"""Maps of two classes as SQL: log-odds of one or two columns, mapped, and written as they came.

Forecasts that leave no doubt are cases of their own, with what the map makes of them as a number; all others can be
divided and taken the log of. Where the map has knots, rows are told apart by the column itself: each knot is the
first of all floats that the steps before it take that far, so that no rounding puts a forecast on the wrong side.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.calibrate import maps
from logloss.calibrate.odds import LOWEST, logs_of_two
from logloss.calibrate.pycode import no_export
from logloss.calibrate.sqlrows import checked
from logloss.kernels import oracle, tolerance

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from logloss.calibrate.maps import Map
    from logloss.calibrate.sqlterms import Node, Term, Terms
    from logloss.record import Space

    Float = NDArray[np.float64]

__all__ = ["Pair", "pairs"]

ENDS = {"p": (5e-324, 1 - 2.0**-53), "logp": (LOWEST, -5e-324), "logit": (LOWEST, -LOWEST)}
NEAR = 2.0**-49  # how far log-odds of two columns may be from those of the fit by rounding, in relation


@dataclass(frozen=True, eq=False)
class State:
    """What is known of a row at a step.

    Attributes
    ----------
    odds
        Its log-odds.
    shares
        p and 1 - p, where they are at hand.
    logs
        log p and log(1 - p), where they are at hand.
    steps
        The steps taken.
    span
        The floats of the column that a row here may have, as positions; None where there are two columns, or where
        the steps taken are not monotone.
    """

    odds: Term
    shares: tuple[Term, Term] | None = None
    logs: tuple[Term, Term] | None = None
    steps: tuple[Map, ...] = ()
    span: tuple[int, int] | None = None


@dataclass(frozen=True, eq=False)
class Pair:
    """Writes a map of two classes for given columns."""

    terms: Terms
    columns: Sequence[str]
    space: Space
    limits: tuple[float, float]
    second: bool  # the class that is written

    def expression(self, steps: tuple[Map, ...]) -> Node:
        """Return the expression of the class."""
        t, one = self.terms, len(self.columns) == 1
        within = tolerance(np.dtype(np.float64), 2)
        if not steps:
            column = self.columns[0 if one else self.second]
            value = t.column(column) if self.space != "p" else t.within(t.column(column), *self.limits)
            return t.case([(self._alone(within) if one else checked(t, self.columns, self.space), value)])
        low, high = self._certain(steps)
        body = self.walk(self._given(), steps)
        if not one:
            left, right = self._extremes()
            inner = t.case([(left, low), (right, high)], body)
            return t.case([(checked(t, self.columns, self.space), inner)])
        column = self.columns[0]
        least, most = {"p": (0.0, 1.0), "logp": (LOWEST, 0.0), "logit": (LOWEST, -LOWEST)}[self.space]
        bottom, top = {"p": (-within, 1 + within), "logp": (-np.inf, within), "logit": (-np.inf, np.inf)}[self.space]

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
        bottom, top = {"p": (-within, 1 + within), "logp": (-np.inf, within), "logit": (-np.inf, np.inf)}[self.space]
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
            return replace(_single(t, column, self.space), span=(low, high))
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
            return self.branch(state, [(float(x), 0.0) for x in step.at], self.lines(state, step, rest))
        if isinstance(step, maps.VennAbers):
            bounds = [(float(x), side) for x in step.at for side in (-1.0, 1.0)]
            low, high = np.append(0.0, step.low), np.append(step.high, 1.0)
            # below knot i: low[i], high[i]; at it: low[i + 1], high[i]
            with np.errstate(divide="ignore"):
                z = np.repeat(np.log(high), 2)[:-1] - np.log1p(-np.repeat(low, 2)[1:])
            return self.branch(state, bounds, [self.leaf(float(value), rest) for value in z])
        if isinstance(step, maps.Mix) and step.share >= 1:
            return self.constant(0.0, steps)
        return self.walk(_after(self.terms, state, step), rest)

    def leaf(self, z: float, rest: tuple[Map, ...]) -> tuple[float | None, Callable[[State], Node]]:
        """Return the piece of a map where it is constant."""
        return z, lambda _: self.constant(z, rest)

    def lines(
        self, state: State, step: maps.Isotonic, rest: tuple[Map, ...]
    ) -> list[tuple[float | None, Callable[[State], Node]]]:
        """Return the pieces of an isotonic map: constant, or a straight line."""
        t, at, odds = self.terms, step.at, step.odds
        pieces = [self.leaf(float(odds[0]), rest)]
        slopes = np.diff(odds) / np.diff(at)
        for i, slope in enumerate(slopes.tolist()):
            if not slope:
                pieces.append(self.leaf(float(odds[i]), rest))
                continue

            def line(within: State, i: int = i, slope: float = slope) -> Node:
                def odds_of() -> Node:
                    from_knot = t.plus(state.odds(), -float(at[i]))
                    return t.plus(t.times(slope, lambda: from_knot), float(odds[i]))

                return self.walk(State(odds_of, steps=(*state.steps, step), span=within.span), rest)

            pieces.append((None, line))
        return [*pieces, self.leaf(float(odds[-1]), rest)]

    def branch(
        self,
        state: State,
        bounds: list[tuple[float, float]],
        pieces: list[tuple[float | None, Callable[[State], Node]]],
    ) -> Node:
        """Return a balanced tree of cases: piece i is that of rows below bound i.

        A bound (x, -1 or 0) is the first row with log-odds of at least x, (x, 1) the first above it.
        """
        if state.span is not None:
            low, high = state.span
            firsts = _firsts(bounds, self.space, state.steps, low, high)
            starts = [low, *firsts, high + 1]
            edges = [float(x) for x in floats(np.array(starts, np.int64))]
            kept = [i for i in range(len(pieces)) if starts[i] < starts[i + 1]]
        else:
            starts = []
            edges = [-np.inf, *(x + side * NEAR * max(1.0, abs(x)) for x, side in bounds), np.inf]
            kept = list(range(len(pieces)))
        merged: list[list[int]] = []
        for i in kept:  # consecutive pieces with the same value are one
            same = merged and pieces[i][0] is not None and pieces[i][0] == pieces[merged[-1][1]][0]
            if same:
                merged[-1][1] = i
            else:
                merged.append([i, i])

        def tree(a: int, b: int) -> Node:
            if b - a == 1:
                first, last = merged[a]
                span = (starts[first], starts[last + 1] - 1) if starts else None
                return pieces[first][1](replace(state, span=span))
            middle = (a + b) // 2
            edge = edges[merged[middle][0]]
            of = self.terms.bare(self.columns[0]) if starts else state.odds()
            return self.terms.case([(self.terms.compare(of, "<", edge), tree(a, middle))], tree(middle, b))

        return tree(0, len(merged))

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

        def odds() -> Node:
            value = t.within(state.odds(), LOWEST, -LOWEST)
            return value if self.second else t.negative(value)

        rest = t.ln(t.plus(t.e(t.negative(t.absolute(odds()))), 1.0))
        return t.least(t.minus(t.least(odds(), 0.0), rest), most)


def _single(t: Terms, column: str, space: Space) -> State:
    """Return a row of one column."""

    def x() -> Node:
        return t.column(column)

    if space == "logit":
        return State(x)

    def below_one(value: Term) -> Node:
        return t.minus(t.number(1.0), value())

    if space == "p":
        p, q = x, lambda: below_one(x)
        return State(
            lambda: t.ln(t.over(p(), q())), shares=(p, q), logs=(lambda: t.ln(p()), lambda: t.ln(q()))
        )

    def rest() -> Node:
        """Return 1 - exp(x), near 0 by its series."""
        series = t.plus(t.times(1 / 4, x), 1.0)
        for k in (3.0, 2.0):
            series = t.plus(t.product(t.times(1 / k, x), series), 1.0)
        near = t.compare(t.bare(column), ">", -1e-3)
        return t.case([(near, t.product(t.negative(x()), series))], below_one(lambda: t.e(x())))

    logs = (x, lambda: t.ln(rest()))
    return State(lambda: t.minus(x(), t.ln(rest())), shares=(lambda: t.e(x()), rest), logs=logs)


def _after(t: Terms, state: State, step: Map) -> State:
    """Return a row after a step without knots."""
    steps, z = (*state.steps, step), state.odds
    if isinstance(step, maps.Scaling):
        slope, offset = float(step.slope[0]), float(step.offset[0])
        span = state.span if slope >= 0 else None
        return State(lambda: t.plus(t.times(slope, z), offset), steps=steps, span=span)
    if isinstance(step, maps.Clip):
        if step.first <= 0 and step.second <= 0:
            return state
        if state.shares is not None:
            p, q = state.shares
            limited = (
                lambda: t.within(p(), step.second, 1 - step.first),
                lambda: t.within(q(), step.first, 1 - step.second),
            )
            return State(lambda: t.ln(t.over(limited[0](), limited[1]())), limited, steps=steps, span=state.span)
        with np.errstate(divide="ignore"):
            low, high = (float(np.log(x) - np.log1p(-x)) for x in (step.second, step.first))
        return State(lambda: t.within(z(), low, -high), steps=steps, span=state.span)
    if isinstance(step, maps.Mix):
        return _mixed(t, state, step) if step.share > 0 else state
    if isinstance(step, maps.Beta):
        monotone = step.a >= 0 and step.b >= 0
        return State(_beta(t, state, step), steps=steps, span=state.span if monotone else None)
    if isinstance(step, maps.Quadratic):

        def curved() -> Node:
            def within() -> Node:
                return t.within(z(), LOWEST, -LOWEST)

            inner = t.plus(t.times(step.square, within), step.slope)
            return t.plus(t.product(inner, within()), step.offset)

        return State(curved, steps=steps)
    raise no_export(step)


def _mixed(t: Terms, state: State, step: maps.Mix) -> State:
    total = float((1.0 - step.share) + step.share * step.rates.sum())
    total = total if abs(total - 1.0) > 1e-13 else 1.0
    kept = (1.0 - step.share) / total

    def share(second: int) -> Term:
        added = float(step.share * step.rates[second] / total)
        if state.shares is not None:
            before = state.shares[1 - second]
        else:

            def before() -> Node:
                odds = t.within(state.odds(), -700.0, 700.0)
                return t.over(t.number(1.0), t.plus(t.e(t.negative(odds) if second else odds), 1.0))

        return lambda: t.plus(t.times(kept, before), added)

    both = share(1), share(0)
    return State(
        lambda: t.ln(t.over(both[0](), both[1]())), both, steps=(*state.steps, step), span=state.span
    )


def _beta(t: Terms, state: State, step: maps.Beta) -> Term:
    """Return a log p - b log(1 - p) + c."""
    if state.logs is not None:
        up, down = state.logs
        return lambda: t.plus(t.minus(t.times(step.a, up), t.times(step.b, down)), step.c)
    z = state.odds

    def of_odds() -> Node:
        parts = [t.times(step.a, lambda: t.least(z(), 0.0)), t.times(step.b, lambda: t.greatest(z(), 0.0))]
        if step.a != step.b:
            spread = t.e(t.negative(t.absolute(t.within(z(), LOWEST, -LOWEST))))
            parts.append(t.times(step.b - step.a, lambda: t.ln(t.plus(spread, 1.0))))
        return t.plus(t.total(parts), step.c)

    return of_odds


def positions(values: Float) -> Any:
    """Return floats as integers in the same order."""
    bits = np.asarray(values, np.float64).view(np.int64)
    return np.where(bits >= 0, bits, np.int64(-(2**63)) - bits)


def floats(at: Any) -> Float:
    """Return the floats at these positions."""
    at = np.asarray(at, np.int64)
    return np.where(at >= 0, at, np.int64(-(2**63)) - at).view(np.float64)


def _firsts(
    bounds: list[tuple[float, float]], space: Space, steps: tuple[Map, ...], low: int, high: int
) -> list[int]:
    """Return the first position in [low, high] that the steps take to each bound; high + 1 where none does."""
    x, above = (np.array(values) for values in zip(*bounds, strict=True))
    a, b = np.full(len(x), low, np.int64), np.full(len(x), high + 1, np.int64)
    while (a < b).any():
        middle = (a >> 1) + (b >> 1) + (a & b & 1)
        z = _odds(floats(middle), space, steps)
        there = np.where(above > 0, z > x, z >= x)
        b = np.where(there & (a < b), middle, b)
        a = np.where(~there & (a < b), middle + 1, a)
    return [int(at) for at in a]


def _odds(values: Float, space: Space, steps: tuple[Map, ...]) -> Float:
    """Return the log-odds of one column as `apply` has them, after steps."""
    surprise = {"p": oracle.binary_p, "logp": oracle.binary_logp, "logit": oracle.binary_logit}[space]
    no, yes = (surprise(np.full(len(values), label), values) for label in (0, 1))
    Z = np.clip(no - yes, LOWEST, -LOWEST)[:, None]
    for step in steps:
        Z = step(Z)
    return Z[:, 0]
