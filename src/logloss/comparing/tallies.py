"""What one pass over rows of several forecasts keeps to compare them: small, mergeable, saved as JSON.

Of every forecast and of every pair moments to the third order, each over the rows that are finite there: a row on which
a third forecast is infinite takes nothing from the pair. Covariances of differences follow from the variances of all
pairs, as (s_a - s_b) - (s_a - s_c) = s_c - s_b.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss import kernels
from logloss.codes import Coded
from logloss.comparing.counts import EPS, HIGHS, LOWS, PAIR_MEASURES, TOP, by_kernel, by_numpy
from logloss.errors import AlignmentError
from logloss.plain import jsonable, plain
from logloss.surprises import class_blocks
from logloss.tally import Keyed, Ledger, Top, sums_by

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logloss.comparing.counts import Bars, Best
    from logloss.record import Observations

    Float = NDArray[np.float64]

__all__ = ["Tally"]


@dataclass(frozen=True, eq=False)
class Tally:
    """One pass over rows of several forecasts. Rows of weight 0 count nowhere.

    Attributes
    ----------
    names
        The forecasts.
    n, weight
        Rows that count, and their weight.
    models
        By position: moments of (w, w s) over finite rows; sums: rows and weight that are infinite, then w s clamped as
        clipping to each of EPS does.
    pairs
        By position among all pairs: moments of (w, w (s_a - s_b)) over the rows that are finite under both; PAIR_MEASURES.
    top
        Of each pair the rows that speak most for a, those that speak most for b (w |d|), and the first that are infinite
        under one alone.
    groups
        By group: rows, weight; of each forecast the nats of finite rows, infinite rows and their weight. Or None.
    """

    names: tuple[str, ...]
    n: int
    weight: float
    models: Keyed
    pairs: Keyed
    top: tuple[tuple[Top, Top, Top], ...]
    groups: Ledger | None = None

    @classmethod
    def of(
        cls, records: dict[str, Observations], surprise: Float, weight: Float, bars: Bars | None = None
    ) -> Tally:
        """Return the tally of checked records of the same rows; surprise (M, n), weight (n,) or (1,).

        `bars` are shared by the batches of one pass: rows below them cannot be among the whole's top.
        """
        first = next(iter(records.values()))
        n = surprise.shape[1]
        weight = np.broadcast_to(weight, (n,))
        compiled = surprise.size >= kernels.COMPILE_FROM
        models, pairs, best = by_kernel(surprise, weight, bars) if compiled else by_numpy(surprise, weight)
        for at, record in enumerate(records.values()):
            if record.soft:
                models.sums[at, 2:] = _clipped(record, weight)
        group = None if first.group is None else _coded(first.group)
        top = _tops(first, surprise, weight, group, best, _alone(surprise, weight, pairs))
        groups = None if group is None else Ledger(group.keys, _by_group(group, surprise, weight))
        counts = n if first.weight is None else int((weight > 0).sum())
        return cls(tuple(records), counts, float(weight.sum()), models, pairs, top, groups)

    def position(self, a: str, b: str) -> tuple[int, int]:
        """Return the position of a pair, and 1 or -1 where it is kept the other way round."""
        i, j = self.names.index(a), self.names.index(b)
        low, high, M = min(i, j), max(i, j), len(self.names)
        return low * M - low * (low + 1) // 2 + high - low - 1, 1 if i < j else -1

    def __add__(self, other: Tally) -> Tally:
        """Return the tally of both parts together."""
        if self.names != other.names:
            raise AlignmentError(
                "parts-differ",
                f"These parts do not belong together: forecasts {list(self.names)} against {list(other.names)}.",
                cure="Score all parts with the same forecasts.",
            )
        top = tuple((a + d, b + e, c + f) for (a, b, c), (d, e, f) in zip(self.top, other.top, strict=True))
        return replace(
            self,
            n=self.n + other.n,
            weight=self.weight + other.weight,
            models=self.models + other.models,
            pairs=self.pairs + other.pairs,
            top=top,
            groups=None if self.groups is None or other.groups is None else self.groups + other.groups,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        state: dict[str, Any] = jsonable(
            {
                "names": list(self.names),
                "n": self.n,
                "weight": self.weight,
                "eps": list(EPS),
                "models": self.models.to_dict(),
                "pairs": self.pairs.to_dict(),
                "top": [[one.to_dict() for one in tops] for tops in self.top],
                "groups": None if self.groups is None else self.groups.to_dict(),
            }
        )
        return state

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Tally:
        """Return what `to_dict` wrote."""
        if tuple(state["eps"]) != EPS:
            raise ValueError("a comparison with other limits of clipping")
        return cls(
            tuple(state["names"]),
            int(state["n"]),
            float(state["weight"]),
            Keyed.from_dict(state["models"]),
            Keyed.from_dict(state["pairs"]),
            tuple((Top.from_dict(a), Top.from_dict(b), Top.from_dict(c)) for a, b, c in state["top"]),
            None if state["groups"] is None else Ledger.from_dict(state["groups"]),
        )


def _clipped(record: Observations, w: Float) -> Float:
    """Return sum w t s under every clip, shape (E,): of soft outcomes, where each class is clipped by itself."""
    total = np.zeros(len(EPS))
    for rows, s, t in class_blocks(record):
        mass = (w[rows][:, None] * t).ravel()
        total += [
            float((mass * np.clip(s.ravel(), low, high)).sum()) for low, high in zip(LOWS, HIGHS, strict=True)
        ]
    return total


# ---------------------------------------------------------------- rows and groups


def _alone(s: Float, w: Float, pairs: Keyed) -> list[list[int]]:
    """Return of each pair the first rows that are infinite under one alone."""
    at = [PAIR_MEASURES.index("only_a"), PAIR_MEASURES.index("only_b")]
    return [
        np.flatnonzero((np.isinf(s[a]) != np.isinf(s[b])) & (w > 0))[:TOP].tolist() if sums[at].any() else []
        for (a, b), sums in zip(combinations(range(len(s)), 2), pairs.sums, strict=True)
    ]


def _coded(group: NDArray[Any] | Coded) -> Coded:
    return (group if isinstance(group, Coded) else Coded.of(group)).used()


def _by_group(group: Coded, s: Float, w: Float) -> Float:
    """Return sums (G, 2 + 3 M): rows and weight that count; of each forecast finite nats, infinite rows, their weight."""
    G = len(group.keys)
    if s.size >= kernels.COMPILE_FROM:
        from logloss.kernels import duels

        sums = np.zeros((G, 2 + 3 * len(s)))
        duels.by_group(np.ascontiguousarray(group.code, np.int64), s, np.ascontiguousarray(w), sums)
        return sums
    counts = w > 0
    measures = [counts.astype(np.float64), np.where(counts, w, 0.0)]
    for one in s:
        finite, lost = counts & np.isfinite(one), counts & np.isinf(one)
        measures += [
            np.where(finite, w * np.where(finite, one, 0.0), 0.0),
            lost.astype(np.float64),
            np.where(lost, w, 0.0),
        ]
    return sums_by(group.code, measures, G)


def _told(
    record: Observations, rows: NDArray[np.int64], w: Float, group: Coded | None
) -> dict[int, dict[str, Any]]:
    """Return what is remembered of rows: id, outcome, weight, group."""
    outcomes = record.outcome[rows].tolist()
    labels = outcomes if record.soft else [plain(record.classes[int(code)]) for code in outcomes]
    found = {}
    for row, label, weight in zip(rows.tolist(), labels, w[rows].tolist(), strict=True):
        found[row] = {
            "id": None if record.ids is None else plain(record.ids[row]),
            "outcome": label,
            "weight": weight,
            "group": None if group is None else plain(group.keys[int(group.code[row])]),
        }
    return found


def _tops(
    record: Observations, s: Float, w: Float, group: Coded | None, best: Best, alone: list[list[int]]
) -> tuple[tuple[Top, Top, Top], ...]:
    """Return of each pair the rows that speak for either, and those that are infinite under one alone (equal keys)."""
    sides = [[*one, [(1.0, row) for row in lost]] for one, lost in zip(best, alone, strict=True)]
    rows = np.array(sorted({row for one in sides for side in one for _, row in side}), np.int64)
    told = _told(record, rows, w, group)
    surprise = dict(zip(rows.tolist(), s[:, rows].T.tolist(), strict=True))
    part, numbers = record.part, record.numbers() if record.rows is None else record.rows

    def top(a: int, b: int, side: list[tuple[float, int]]) -> Top:
        entries = []
        for key, row in side:
            of_a, of_b = surprise[row][a], surprise[row][b]
            both = {"a": None if of_a == math.inf else of_a, "b": None if of_b == math.inf else of_b}
            entries.append((key, (part, int(numbers[row])), told[row] | both))
        return Top(TOP, tuple(sorted(entries, key=lambda entry: (-entry[0], entry[1]))))

    return tuple(
        (top(a, b, one[0]), top(a, b, one[1]), top(a, b, one[2]))
        for (a, b), one in zip(combinations(range(len(s)), 2), sides, strict=True)
    )
