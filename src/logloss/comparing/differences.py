"""Two columns of surprises -> their paired difference, how sure it is, and the rows it hangs on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.comparing.pairs import FEWEST, FEWEST_ALIKE, MOST_ROWS, Concentration, needed, same_for_all, span
from logloss.comparing.results import Deciding, Pair, verdict_of
from logloss.plain import plain

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logloss.comparing.bases import Basis
    from logloss.comparing.contest import Contest
    from logloss.record import Observations

    Float = NDArray[np.float64]

__all__ = ["Gap", "concentrated", "gap_of", "pair_of"]

POINTS = 200  # numbers of rows that a concentration is told for
ROUNDED = 1e-12  # of the sum of |differences|: what rounding makes of 0


@dataclass(frozen=True, eq=False)
class Gap:
    """The difference of two columns of a contest, row by row, over the rows that are finite under both.

    Attributes
    ----------
    at
        Positions of these rows; None where they are all.
    values, weight
        s_a - s_b and the weight of each of them.
    only_a, only_b, both
        How many rows are infinite under a alone, b alone, both.
    """

    at: NDArray[np.int64] | None
    values: Float
    weight: Float
    only_a: int
    only_b: int
    both: int

    @property
    def mean(self) -> float:
        """Weighted mean over the finite rows; NaN where there are none."""
        if not len(self.values):
            return math.nan
        return float((self.weight * self.values).sum() / self.weight.sum())

    @property
    def difference(self) -> float | None:
        """The difference of the losses: infinite where one is alone, None where both are, each on rows of its own."""
        if self.only_a and self.only_b:
            return None
        if self.only_a or self.only_b:
            return math.inf if self.only_a else -math.inf
        return None if not len(self.values) else self.mean


def gap_of(contest: Contest, a: int, b: int) -> Gap:
    """Return the difference of columns a and b of a contest. Rows that are infinite under both are left out."""
    s, t = contest.surprise[:, a], contest.surprise[:, b]
    lost_a, lost_b = np.isinf(s), np.isinf(t)
    lost = lost_a | lost_b
    if not lost.any():
        return Gap(None, s - t, contest.weight, 0, 0, 0)
    at = np.flatnonzero(~lost)
    both = int((lost_a & lost_b).sum())
    only_a, only_b = int(lost_a.sum()) - both, int(lost_b.sum()) - both
    return Gap(at, s[at] - t[at], contest.weight[at], only_a, only_b, both)


def pair_of(contest: Contest, a: int, b: int, basis: Basis, *, closer: bool = True) -> Pair:
    """Set two columns of a contest against each other; `closer` looks at single rows too."""
    gap = gap_of(contest, a, b)
    difference = gap.difference
    found = basis.of(gap.values, gap.weight, gap.at)
    named: dict[str, Any] = {"a": contest.names[a], "b": contest.names[b], "difference": difference}
    lost: dict[str, Any] = {"infinite_a": gap.only_a, "infinite_b": gap.only_b, "infinite_both": gap.both}
    if difference is None or math.isinf(difference):
        finite = None if math.isnan(gap.mean) else gap.mean
        return Pair(
            **named,
            verdict=verdict_of(difference, None),
            rule=basis.named(gap.weight, gap.at),
            difference_finite=finite,
            interval_finite=span(found),
            unit=basis.unit,
            **lost,
            **_shares(contest, a, b),
            **(_infinite(contest, a, b) if closer else {}),
        )
    mass = float(gap.weight.sum())
    told = span(found)
    verdict = verdict_of(difference, told)
    alike = found is not None and same_for_all(difference, found.standard_error)
    if alike and basis.units < FEWEST_ALIKE:
        verdict = "undefined"
    settled = None  # more folds of the same rows settle nothing
    if basis.unit != "fold" and not alike:
        settled = needed(basis.units, difference, told)
    return Pair(
        **named,
        standard_error=None if found is None else found.standard_error,
        interval=told,
        p_value=None if found is None else found.p_value,
        verdict=verdict,
        rule=basis.named(gap.weight, gap.at),
        total=difference * mass,
        total_error=None if found is None else found.standard_error * mass,
        needed=settled,
        unit=basis.unit,
        **lost,
        **_shares(contest, a, b),
        **(_hangs_on(contest, a, b, gap, basis) if closer else {}),
    )


def concentrated(gap: Gap) -> Concentration | None:
    """Return how few rows bring a difference; None where it is infinite or 0."""
    moved = gap.weight * gap.values
    every = float(np.abs(moved).sum())
    if gap.only_a or gap.only_b or not abs(float(moved.sum())) > ROUNDED * every:
        return None
    moved = moved[np.argsort(-np.abs(moved), kind="stable")]
    moved = moved[: np.count_nonzero(gap.weight)]
    brought = np.cumsum(moved)
    forward = brought * math.copysign(1.0, brought[-1])
    half = int(np.argmax(forward >= 0.5 * forward[-1])) + 1
    over = forward > forward[-1] + ROUNDED * every
    turns = int(np.argmax(over)) + 1 if over.any() else None
    known = np.rint(np.geomspace(1, len(moved), min(POINTS, len(moved)))).astype(np.int64)
    at = np.unique(
        np.concatenate([known, [len(moved), half], [] if turns is None else [turns]]).astype(np.int64)
    )
    shares = brought[at - 1] / float(gap.weight.sum())
    shares[-1] = gap.mean
    return Concentration(tuple(at.tolist()), tuple(shares.tolist()), half, turns)


def _shares(contest: Contest, a: int, b: int) -> dict[str, Any]:
    """Return the share of the weight on which each has the smaller surprise."""
    s, t, mass = contest.surprise[:, a], contest.surprise[:, b], float(contest.weight.sum())
    first, second = float(contest.weight[s < t].sum()), float(contest.weight[t < s].sum())
    return {"a_better_on": first / mass, "b_better_on": second / mass}


def _hangs_on(contest: Contest, a: int, b: int, gap: Gap, basis: Basis) -> dict[str, Any]:
    """Return the rows that carry most of a finite difference, and the difference without them."""
    moved = gap.weight * gap.values
    every = float(np.abs(moved).sum())
    if every == 0 or gap.mean == 0:
        return {}
    five = np.partition(np.abs(moved), max(len(moved) - 5, 0))[-5:]
    k = min(MOST_ROWS, max(1, len(moved) // FEWEST))
    forward = moved * math.copysign(1.0, gap.mean)
    top = np.argpartition(-forward, k - 1)[:k] if k < len(moved) else np.arange(len(moved))
    top = top[np.lexsort((top, -forward[top]))]
    top = top[forward[top] > 0]
    rest = np.ones(len(moved), bool)
    rest[top] = False
    left: dict[str, Any] = {"without_top": None, "without_top_interval": None}
    if rest.any():
        where = np.flatnonzero(rest) if gap.at is None else gap.at[rest]
        found = basis.of(gap.values[rest], gap.weight[rest], where)
        mean = float(moved[rest].sum() / gap.weight[rest].sum())
        left = {"without_top": mean, "without_top_interval": span(found)}
    return {
        "top5_share": float(five.sum()) / every,
        "top": _rows(contest, a, b, top if gap.at is None else gap.at[top]),
        "top_share": float(moved[top].sum()) / float(moved.sum()),
        **left,
    }


def _infinite(contest: Contest, a: int, b: int) -> dict[str, Any]:
    """Return the first rows that are infinite under one of the two alone."""
    alone = np.isinf(contest.surprise[:, a]) != np.isinf(contest.surprise[:, b])
    return {"top": _rows(contest, a, b, np.flatnonzero(alone)[:MOST_ROWS])}


def _rows(contest: Contest, a: int, b: int, at: NDArray[Any]) -> tuple[Deciding, ...]:
    record = contest.records.get(contest.names[a])
    return tuple(
        Deciding(
            row=int(row if contest.numbers is None else contest.numbers[row]),
            outcome=None if record is None else _outcome(record, int(row)),
            a=float(contest.surprise[row, a]),
            b=float(contest.surprise[row, b]),
            weight=float(contest.weight[row]),
            id=None if record is None or record.ids is None else plain(record.ids[row]),
        )
        for row in at
    )


def _outcome(record: Observations, at: int) -> Any:
    """Return the outcome of a row: its label; under soft outcomes its share, or shares."""
    value = record.outcome[at]
    return value.tolist() if record.soft else plain(record.classes[int(value)])
