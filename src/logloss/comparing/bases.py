"""By which rule a mean difference gets its interval: rows, groups drawn. The rest of the room does not ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss import interval

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from logloss.comparing.contest import Contest
    from logloss.interval import Interval

    Float = NDArray[np.float64]

__all__ = ["Basis", "basis_of"]


@dataclass(frozen=True, eq=False)
class Basis:
    """How rows stand together.

    Attributes
    ----------
    rule
        What the rule is called.
    unit, units
        What is drawn at random, and how many of them there are.
    of
        (values (m,), weight (m,), positions of these rows in the contest (m,) or None for all) -> the interval of their mean;
        None where it cannot be told.
    """

    rule: str
    unit: str
    units: int
    of: Callable[[Float, Float, NDArray[Any] | None], Interval | None]


def basis_of(contest: Contest, *, level: float = 0.95) -> Basis:
    """Return the rule for these rows: groups drawn where there are groups, else rows, each by itself."""
    if contest.cluster is not None:
        cluster = contest.cluster

        def by_cluster(values: Float, weight: Float, at: NDArray[Any] | None) -> Interval | None:
            return interval.of_clusters(values, weight, cluster if at is None else cluster[at], level=level)

        return Basis("jackknife", "group", len(np.unique(cluster)), by_cluster)

    def by_row(values: Float, weight: Float, at: NDArray[Any] | None) -> Interval | None:  # noqa: ARG001
        return interval.of_rows(values, weight, level=level)

    return Basis("hall-t", "row", len(contest), by_row)
