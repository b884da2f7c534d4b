"""Several forecasts of the same rows: what each row cost under each. The one thing that the referee is given."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from logloss.notes import Note
    from logloss.record import Observations

    Float = NDArray[np.float64]

__all__ = ["Contest"]


@dataclass(frozen=True, eq=False)
class Contest:
    """M forecasts of the same n rows, which all count: rows of weight 0 are not among them.

    Attributes
    ----------
    names
        The forecasts, as given.
    surprise
        Nats, shape (n, M); inf where a forecast of 0 happened.
    weight
        Positive, shape (n,).
    cluster
        Each row's position among the groups, shape (n,); None where rows are independent.
    period
        Each row's position among the points in time, ascending, shape (n,); None where time plays no part.
    fold
        Each row's position among the folds of a cross-validation, shape (n,); or None.
    numbers
        The row's number in the input, shape (n,).
    records
        The checked record of each forecast, where there is one: same rows, same order.
    beside
        Other columns to slice by, shape (n,) each.
    notes
        What was assumed, changed or found.
    """

    names: tuple[str, ...]
    surprise: Float
    weight: Float
    cluster: NDArray[np.int64] | None = None
    period: NDArray[np.int64] | None = None
    fold: NDArray[np.int64] | None = None
    numbers: NDArray[np.int64] | None = None
    records: dict[str, Observations] = field(default_factory=dict)
    beside: dict[str, NDArray[Any]] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()

    def __len__(self) -> int:
        return len(self.weight)

    def take(self, keep: NDArray[Any]) -> Contest:
        """Return the contest of some rows: a mask or positions. Clusters, periods and folds keep their numbers."""

        def part(column: NDArray[Any] | None) -> NDArray[Any] | None:
            return None if column is None else column[keep]

        return replace(
            self,
            surprise=self.surprise[keep],
            weight=self.weight[keep],
            cluster=part(self.cluster),
            period=part(self.period),
            fold=part(self.fold),
            numbers=part(self.numbers),
            records={name: record.take(keep) for name, record in self.records.items()},
            beside={name: column[keep] for name, column in self.beside.items()},
        )
