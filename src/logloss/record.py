"""The checked record that the door hands on: the atom (forecast, outcome, weight), n times."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from logloss.codes import Coded
from logloss.notes import FEW, located

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logloss.notes import Note, Place

__all__ = ["SPACES", "Observations", "Space"]

Space = Literal["p", "logp", "logit"]
SPACES: tuple[str, ...] = get_args(Space)


@dataclass(frozen=True, eq=False)
class Observations:
    """One checked record.

    Attributes
    ----------
    outcome
        Class positions, shape (n,); or, where `soft`, shares of each class: shape (n,) for binary rows (the
        share of the second class), (n, K) otherwise.
    forecast
        Shape (n,): about the second of two classes. Shape (n, K): one column per class. In its own dtype.
    space
        "p" (probabilities), "logp" (their natural logs) or "logit".
    classes
        The labels, in the order of the columns.
    weight
        Non-negative, shape (n,), or None for all equal.
    ids, group
        Shape (n,) or None.
    rows
        Row numbers in the input, where they are not 0, 1, 2, ...; else None.
    part
        The file or partition that the rows are of; "" where there is one.
    notes
        What was assumed, changed or found.
    within
        How far a row of probabilities may sum from one by rounding.
    """

    outcome: NDArray[Any]
    forecast: NDArray[Any]
    space: Space
    classes: tuple[Any, ...]
    weight: NDArray[np.float64] | None = None
    ids: NDArray[Any] | None = None
    group: NDArray[Any] | Coded | None = None
    soft: bool = False
    rows: NDArray[np.int64] | range | None = None
    part: str = ""
    skipped: int = 0
    notes: tuple[Note, ...] = ()
    within: float = 0.0

    def __len__(self) -> int:
        return len(self.forecast)

    @property
    def binary(self) -> bool:
        """Whether the forecast is one column about the second of two classes."""
        return self.forecast.ndim == 1

    def take(self, keep: NDArray[np.bool_] | NDArray[np.int64]) -> Observations:
        """Return the record of only the rows to keep, a mask or positions in the order wanted; they keep their numbers."""
        return replace(
            self,
            outcome=self.outcome[keep],
            forecast=self.forecast[keep],
            weight=None if self.weight is None else self.weight[keep],
            ids=None if self.ids is None else self.ids[keep],
            group=None if self.group is None else self.group[keep],
            rows=self.numbers()[keep],
        )

    def places(self, at: NDArray[np.int64]) -> str:
        """Return where in the input the rows at these positions are."""
        return located(self.first(at), len(at))

    def first(self, at: NDArray[np.int64]) -> tuple[Place, ...]:
        """Return the places of the first few of these positions."""
        return tuple(self.place(int(row)) for row in at[:FEW])

    def place(self, at: int) -> Place:
        """Return the part and the row's number in it."""
        return self.part, self.row_number(at)

    def numbers(self) -> NDArray[np.int64]:
        """Return the number of each row in the input."""
        return np.arange(len(self)) if self.rows is None else np.asarray(self.rows)

    def clusters(self) -> Coded | None:
        """Return each row's group as its position among the groups that occur; None without groups."""
        if self.group is None:
            return None
        return (self.group if isinstance(self.group, Coded) else Coded.of(self.group)).used()

    def row_number(self, at: int) -> int:
        """Return the row's number in the input, counted from 0."""
        return int(at if self.rows is None else self.rows[at])
