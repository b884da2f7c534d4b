"""The vocabulary of SQL expressions: numbers, columns, arithmetic and cases, as nodes that sqlglot writes for any dialect.

Every call makes new nodes, because a node belongs to one place in one expression. What is used twice is therefore a
function without arguments that returns it, here called a Term.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logloss.calibrate.maps import Map

__all__ = ["MOST_LEAVES", "Node", "Term", "Terms", "no_export"]

Node = Any  # an expression of sqlglot
Term = Callable[[], Node]
MOST_LEAVES = 100_000  # numbers and columns in the expressions of a map: about 3 MB of text


class Terms:
    """Makes expressions, and counts how large they get."""

    def __init__(self) -> None:
        try:
            from sqlglot import exp
        except ImportError:
            raise UsageError(
                "needs-sqlglot",
                "SQL is written by the library sqlglot, which is not installed.",
                cure="pip install 'logloss[sql]'",
            ) from None
        self.exp: Any = exp
        self.leaves = 0

    def _leaf(self) -> None:
        self.leaves += 1
        if self.leaves > MOST_LEAVES:
            raise UsageError(
                "sql-too-large",
                f"As SQL this map has more than {MOST_LEAVES:,} terms.",
                cure="Use map.python() or map.apply(); or fit a map with fewer parameters.",
            )

    def number(self, value: float) -> Node:
        """Return a number with an exponent, which no dialect takes for a decimal of fixed precision."""
        self._leaf()
        if not np.isfinite(value):
            sign = "-" if value < 0 else ""
            text = self.exp.Literal.string(f"{sign}Infinity")
            return self.exp.Cast(this=text, to=self.exp.DataType.build("double"))
        text = repr(abs(float(value)))
        literal = self.exp.Literal.number(text.upper() if "e" in text else f"{text}E0")
        return self.exp.Neg(this=literal) if value < 0 else literal

    def bare(self, column: str) -> Node:
        """Return a column, quoted."""
        self._leaf()
        return self.exp.Column(this=self.exp.to_identifier(column, quoted=True))

    def column(self, column: str) -> Node:
        """Return a column as float64."""
        return self.exp.Cast(this=self.bare(column), to=self.exp.DataType.build("double"))

    def _wrapped(self, node: Node, *kinds: str) -> Node:
        return (
            self.exp.Paren(this=node)
            if isinstance(node, tuple(getattr(self.exp, k) for k in kinds))
            else node
        )

    def plus(self, a: Node, b: Node | float) -> Node:
        """Return a + b."""
        if isinstance(b, float | int):
            if not b:
                return a
            kind = self.exp.Sub if b < 0 else self.exp.Add
            return kind(this=a, expression=self.number(abs(b)))
        return self.exp.Add(this=a, expression=self._wrapped(b, "Add", "Sub", "Neg"))

    def minus(self, a: Node, b: Node) -> Node:
        """Return a - b."""
        return self.exp.Sub(this=a, expression=self._wrapped(b, "Add", "Sub", "Neg"))

    def times(self, factor: float, a: Term) -> Node:
        """Return factor * a."""
        if factor == 1:
            return a()
        if factor == 0:
            return self.number(0.0)
        return self.exp.Mul(this=self.number(factor), expression=self._wrapped(a(), "Binary", "Neg"))

    def product(self, a: Node, b: Node) -> Node:
        """Return a * b."""
        return self.exp.Mul(this=self._wrapped(a, "Add", "Sub"), expression=self._wrapped(b, "Binary", "Neg"))

    def over(self, a: Node, b: Node) -> Node:
        """Return a / b."""
        return self.exp.Div(this=self._wrapped(a, "Add", "Sub"), expression=self._wrapped(b, "Binary", "Neg"))

    def negative(self, a: Node) -> Node:
        """Return -a."""
        return self.exp.Neg(this=self._wrapped(a, "Binary", "Neg"))

    def ln(self, a: Node) -> Node:
        """Return the natural logarithm."""
        return self.exp.Ln(this=a)

    def e(self, a: Node) -> Node:
        """Return exp(a)."""
        return self.exp.Exp(this=a)

    def absolute(self, a: Node) -> Node:
        """Return |a|."""
        return self.exp.Abs(this=a)

    def least(self, a: Node, b: float) -> Node:
        """Return the smaller one; `a` is never NULL, as it stands in a case that NULL does not enter."""
        return self.exp.Least(this=a, expressions=[self.number(b)], ignore_nulls=True)

    def greatest(self, a: Node, b: float) -> Node:
        """Return the larger one."""
        return self.exp.Greatest(this=a, expressions=[self.number(b)], ignore_nulls=True)

    def within(self, a: Node, low: float, high: float) -> Node:
        """Return `a` between two bounds; infinite ones are none."""
        a = self.greatest(a, low) if np.isfinite(low) else a
        return self.least(a, high) if np.isfinite(high) else a

    def total(self, terms: Sequence[Node]) -> Node:
        """Return the sum."""
        return reduce(self.plus, terms)

    def compare(self, a: Node, how: str, b: float) -> Node:
        """Return a comparison: how is one of "<", "<=", ">", ">="."""
        kind = {"<": "LT", "<=": "LTE", ">": "GT", ">=": "GTE"}[how]
        return getattr(self.exp, kind)(this=a, expression=self.number(b))

    def every(self, conditions: Sequence[Node]) -> Node:
        """Return their conjunction."""
        return reduce(lambda a, b: self.exp.And(this=a, expression=b), conditions)

    def some(self, conditions: Sequence[Node]) -> Node:
        """Return their disjunction, in parentheses."""
        return self.exp.Paren(this=reduce(lambda a, b: self.exp.Or(this=a, expression=b), conditions))

    def case(self, ways: Sequence[tuple[Node, Node]], otherwise: Node | None = None) -> Node:
        """Return CASE WHEN ... THEN ... ELSE ... END; without `otherwise` the rest is NULL."""
        ifs = [self.exp.If(this=condition, true=value) for condition, value in ways]
        return self.exp.Case(ifs=ifs, default=otherwise)

    def softmax_log(self, scores: Sequence[Term], k: int) -> Node:
        """Return log of score k's share, exp(score_k) / sum, for shares above exp(-745); never above 0.

        The sum is taken of exp(score_j - score_k - 40), which neither overflows nor loses what matters.
        """
        terms = [self.number(float(np.exp(-40.0)))]
        for j, score in enumerate(scores):
            if j != k:
                off = self.within(self.minus(score(), scores[k]()), -600.0, 745.0)
                terms.append(self.e(self.plus(off, -40.0)))
        return self.within(self.negative(self.plus(self.ln(self.total(terms)), 40.0)), -745.0, 0.0)

    def softmax(self, scores: Sequence[Term], k: int) -> Node:
        """Return score k's share, exp(score_k) / sum, as 1 / (1 + sum of exp(score_j - score_k)): no overflow."""
        terms = [self.number(1.0)]
        for j, score in enumerate(scores):
            if j != k:
                terms.append(self.e(self.within(self.minus(score(), scores[k]()), -700.0, 700.0)))
        return self.over(self.number(1.0), self.total(terms))


def no_export(step: Map) -> UsageError:
    """Return the error of a step that is not known here."""
    return UsageError(
        "no-export", f"A step of the kind {step.kind!r} cannot be written as SQL.", cure="Use map.apply()."
    )
