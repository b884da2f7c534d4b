"""Maps of K > 2 classes as SQL: log-probabilities of a row's columns, mapped, and written as they came."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.calibrate import maps
from logloss.calibrate.odds import LOWEST
from logloss.exports.sqlterms import no_export
from logloss.kernels import tolerance

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from logloss.calibrate.maps import Map
    from logloss.exports.sqlterms import Node, Term, Terms
    from logloss.record import Space

__all__ = ["Row", "checked", "many"]

SMALL = 0.1  # exp(-745 * 0.1) is nothing: where slopes are larger, an impossible class stays one


@dataclass(frozen=True, eq=False)
class Row:
    """What is known of a row at a step; each of k returns a term.

    Attributes
    ----------
    scores
        Logs of the probabilities, but for what they all have in common.
    logs
        Log-probabilities, none below -745.
    shares
        Probabilities, where they are at hand.
    first
        Whether no step has been taken: log-probabilities were not below -745 then.
    """

    scores: Sequence[Term]
    logs: Sequence[Term]
    shares: Sequence[Term] | None
    first: bool = False


def many(
    terms: Terms,
    steps: Sequence[Map],
    columns: Sequence[str],
    space: Space,
    limits: tuple[float, float],
    farthest: float,
) -> list[Node]:
    """Return the expressions of all classes."""
    row = _given(terms, columns, space)
    for step in steps:
        row = _after(terms, row, step)
    written = []
    for k, column in enumerate(columns):
        if not steps:
            value = terms.within(terms.column(column), *limits) if space == "p" else terms.column(column)
        elif space != "p":
            value = terms.softmax_log(row.scores, k)
        elif row.shares is not None:
            value = terms.within(row.shares[k](), *limits)
        else:
            value = terms.least(terms.softmax(row.scores, k), limits[1])
        written.append(terms.case([(checked(terms, columns, space, farthest), value)]))
    return written


def checked(terms: Terms, columns: Sequence[str], space: Space, farthest: float) -> Node:
    """Return the condition that a row is a forecast: no NULL or NaN, in range, its sum not `farthest` from one."""
    K = len(columns)
    within = tolerance(np.dtype(np.float64), K)
    if space == "logit":
        conditions = [terms.compare(terms.bare(c), "<", np.inf) for c in columns]
        return terms.every(
            [*conditions, terms.some([terms.compare(terms.bare(c), ">", -np.inf) for c in columns])]
        )
    conditions = [terms.compare(terms.bare(c), "<=", within + (space == "p")) for c in columns]
    if space == "p":
        conditions += [terms.compare(terms.bare(c), ">=", -within) for c in columns]
    off = terms.absolute(terms.plus(_sum(terms, columns, space), -1.0))
    return terms.every([*conditions, terms.compare(off, "<=", farthest)])


def _sum(terms: Terms, columns: Sequence[str], space: Space) -> Node:
    """Return what the probabilities of a row sum to."""
    if space == "p":
        return terms.total([terms.column(c) for c in columns])
    return terms.total([terms.e(terms.greatest(terms.column(c), -700.0)) for c in columns])


def _each(K: int, make: Callable[[int], Node]) -> list[Term]:
    return [partial(make, k) for k in range(K)]


def _given(terms: Terms, columns: Sequence[str], space: Space) -> Row:
    """Return a row as it comes."""
    K = len(columns)

    def column(k: int) -> Node:
        return terms.column(columns[k])

    def log_of(k: int, value: Callable[[], Node]) -> Node:
        possible = terms.compare(terms.bare(columns[k]), ">", 0.0)
        return terms.case([(possible, terms.ln(value()))], terms.number(LOWEST))

    def share(k: int) -> Node:
        return terms.over(column(k), _sum(terms, columns, space))

    def total() -> Node:
        return terms.ln(_sum(terms, columns, space))

    if space == "p":
        return Row(
            _each(K, lambda k: log_of(k, lambda: column(k))),
            _each(K, lambda k: log_of(k, lambda: share(k))),
            _each(K, share),
            first=True,
        )
    if space == "logp":
        return Row(
            _each(K, lambda k: terms.greatest(column(k), LOWEST)),
            _each(K, lambda k: terms.greatest(terms.minus(column(k), total()), LOWEST)),
            None,
            first=True,
        )
    scores = _each(
        K, lambda k: terms.greatest(column(k), -1e300)
    )  # so that the difference of two is a number
    return Row(scores, _each(K, lambda k: terms.softmax_log(scores, k)), None, first=True)


def _scored(terms: Terms, scores: Sequence[Term]) -> Row:
    return Row(scores, _each(len(scores), lambda k: terms.softmax_log(scores, k)), None)


def _after(terms: Terms, row: Row, step: Map) -> Row:
    """Return a row after a step."""
    K = len(row.scores)
    if isinstance(step, maps.Scaling):
        slope, offset = step.slope, step.offset
        alike = bool((slope == slope[0]).all())
        of = row.scores if alike and (slope[0] >= SMALL or not row.first) else row.logs
        if not alike and not row.first:
            of = _unbounded(terms, row) if row.shares is None else row.logs
        of = [row.logs[k] if slope[k] < 0 else of[k] for k in range(K)]
        return _scored(
            terms, _each(K, lambda k: terms.plus(terms.times(float(slope[k]), of[k]), float(offset[k])))
        )
    if isinstance(step, maps.Matrix):

        def mixed(k: int) -> Node:
            used = [j for j in range(K) if step.weights[k, j]] or [0]
            total = terms.total([terms.times(float(step.weights[k, j]), row.logs[j]) for j in used])
            return terms.plus(total, float(step.offset[k]))

        return _scored(terms, _each(K, mixed))
    if isinstance(step, maps.Mix):
        return _mixed(terms, row, step) if step.share > 0 else row
    raise no_export(step)


def _unbounded(terms: Terms, row: Row) -> list[Term]:
    """Return log-probabilities however low: less the greatest score and what the sum is above it."""
    K = len(row.scores)

    def top() -> Node:
        one = row.scores[0]()
        others = [score() for score in row.scores[1:]]
        return terms.exp.Greatest(this=one, expressions=others, ignore_nulls=True)

    def lower() -> Node:
        return terms.ln(
            terms.total(
                [terms.e(terms.greatest(terms.minus(score(), top()), -700.0)) for score in row.scores]
            )
        )

    return _each(K, lambda k: terms.minus(terms.minus(row.scores[k](), top()), lower()))


def _mixed(terms: Terms, row: Row, step: maps.Mix) -> Row:
    """Return (1 - share) p + share * rates."""
    K = len(row.scores)
    share, total = float(step.share), float((1.0 - step.share) + step.share * step.rates.sum())
    total = total if abs(total - 1.0) > 1e-13 else 1.0
    added: Any = share * step.rates / total
    kept = (1.0 - share) / total

    def one(k: int) -> Node:
        if not kept:
            return terms.number(float(added[k]))
        before = row.shares[k] if row.shares is not None else lambda: terms.softmax(row.scores, k)
        return terms.plus(terms.times(kept, before), float(added[k]))

    def log(k: int) -> Node:
        if added[k] > 0:
            return terms.ln(one(k))
        return terms.case([(terms.compare(one(k), ">", 0.0), terms.ln(one(k)))], terms.number(LOWEST))

    logs = _each(K, log)
    return Row(logs, logs, _each(K, one))
