"""Two classes in SQL: log-odds of a row, and what maps without knots make of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from logloss.calibrate import maps
from logloss.calibrate.odds import LOWEST
from logloss.exports.sqlterms import no_export

if TYPE_CHECKING:
    from logloss.calibrate.maps import Map
    from logloss.exports.sqlterms import Node, Term, Terms
    from logloss.record import Space

__all__ = ["State", "after", "single"]


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


def single(t: Terms, column: str, space: Space) -> State:
    """Return a row of one column."""

    def x() -> Node:
        return t.column(column)

    if space == "logit":
        return State(x)

    def below_one(value: Term) -> Node:
        return t.minus(t.number(1.0), value())

    if space == "p":

        def q() -> Node:
            return below_one(x)

        logs = (lambda: t.ln(x()), lambda: t.ln(q()))
        return State(lambda: t.ln(t.over(x(), q())), shares=(x, q), logs=logs)

    def rest() -> Node:
        """Return 1 - exp(x), near 0 by its series."""
        series = t.plus(t.times(1 / 4, x), 1.0)
        for k in (3.0, 2.0):
            series = t.plus(t.product(t.times(1 / k, x), series), 1.0)
        near = t.compare(t.bare(column), ">", -1e-3)
        return t.case([(near, t.product(t.negative(x()), series))], below_one(lambda: t.e(x())))

    def log_rest() -> Node:
        return t.ln(rest())

    return State(lambda: t.minus(x(), log_rest()), shares=(lambda: t.e(x()), rest), logs=(x, log_rest))


def after(t: Terms, state: State, step: Map) -> State:
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
            return State(
                lambda: t.ln(t.over(limited[0](), limited[1]())), limited, steps=steps, span=state.span
            )
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
