"""The difference of two forecasts in parts of the rows, with intervals that hold for all of them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from logloss.comparing.differences import gap_of
from logloss.comparing.pairs import span
from logloss.comparing.results import Slice, verdict_of
from logloss.slicing.segments import segments
from logloss.stages import staged

if TYPE_CHECKING:
    from collections.abc import Callable

    from logloss.comparing.bases import Basis
    from logloss.comparing.contest import Contest
    from logloss.notes import Note

__all__ = ["sliced"]


@staged("comparing on slices")
def sliced(
    contest: Contest, a: int, b: int, basis: Callable[[float], Basis], level: float
) -> tuple[tuple[Slice, ...], tuple[Note, ...]]:
    """Return the difference of columns a and b by slice of the columns beside, largest effects first.

    `basis` is the rule for a level. For all slices to hold at once each is taken at the level 1 - (1 - level) / slices
    (Bonferroni's, as slices of several columns overlap).
    """
    found = segments(contest.beside, len(contest), pairs=False)
    rules = basis(level), basis(1 - (1 - level) / max(len(found), 1))
    total = float(contest.weight.sum())
    slices = []
    for at, name in enumerate(found.names()):
        rows = found.members(at)
        part = contest.take(rows)
        gap = gap_of(part, a, b)
        where = rows if gap.at is None else rows[gap.at]
        single, joint = (rule.of(gap.values, gap.weight, where) for rule in rules)
        told = None if gap.difference is None or math.isinf(gap.difference) else span(single)
        held = None if told is None else span(joint)
        slices.append(
            Slice(
                name,
                len(rows),
                float(part.weight.sum()) / total,
                gap.difference,
                told,
                held,
                verdict_of(gap.difference, held),
            )
        )
    order = sorted(slices, key=lambda one: (one.verdict in ("tie", "undefined"), -abs(one.difference or 0.0)))
    return tuple(order), found.notes
