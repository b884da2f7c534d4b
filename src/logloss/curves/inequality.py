"""Who pays: the Lorenz curve of surprise, a few rows or everybody a little."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss import units
from logloss.errors import AlignmentError, UsageError
from logloss.figures.drawing import Drawn
from logloss.panel import Panel
from logloss.plain import jsonable
from logloss.screens import noted
from logloss.sources import gather
from logloss.summary import Summary
from logloss.surprises import per_row
from logloss.text import bar, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from logloss.figures.drawing import Drawings
    from logloss.notes import Note
    from logloss.record import Observations, Space

    Float = NDArray[np.float64]

__all__ = ["Lorenz", "lorenz", "of_record"]

POINTS = 200  # kept of the curve, at most


@dataclass(frozen=True, eq=False, repr=False)
class Lorenz(Drawn):
    """How unequally the loss falls on the rows, the costliest first.

    Surprise is random even where every forecast is right, so no forecast that is ever unsure has a Gini of 0.

    Attributes
    ----------
    row_share, loss_share
        At most 200 points of the curve, each exactly on it, from (0, 0) to (1, 1): the costliest rows that make up this
        share of the weight carry this share of the loss.
    gini
        0 where all rows cost the same, near 1 where one row pays all; None where nothing is lost.
    half
        The number of rows that carry half of the loss.
    largest
        The share of the row that adds most.
    n, infinite_rows
        Rows that count, and those among them with infinite surprise: all else is about the others.
    """

    row_share: Float
    loss_share: Float
    gini: float | None
    half: int
    largest: float | None
    n: int
    infinite_rows: int
    notes: tuple[Note, ...]

    def frame(self) -> dict[str, list[float]]:
        """Return the points of the curve as lists by name: `polars.DataFrame(result.frame())`."""
        return {"row_share": self.row_share.tolist(), "loss_share": self.loss_share.tolist()}

    def _drawings(self) -> Drawings:
        from logloss.figures.payers import LORENZ

        return {"lorenz": LORENZ}

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON contract; None where undefined."""
        state: dict[str, Any] = jsonable(
            {
                "schema": 1,
                "n": self.n,
                "infinite_rows": self.infinite_rows,
                "gini": self.gini,
                "rows_for_half": self.half,
                "largest": self.largest,
                "curve": self.frame(),
                "notes": [{"id": note.id, "text": note.text} for note in self.notes],
            }
        )
        return state

    def carried(self, share: float) -> float:
        """Return the share of the loss that the costliest rows of this share of the weight carry."""
        return float(np.interp(share, self.row_share, self.loss_share))

    def __str__(self) -> str:
        """One screen of text."""
        return self.show()

    def show(self, unit: str = "nats", *, notes: bool = True) -> str:
        """Return one screen of text; shares have no unit."""
        units.unit(unit)
        if self.gini is None or self.largest is None:
            lines = [f"Nothing is lost   {units.count(self.n, 'row')}"]
        else:
            percent = partial(units.percent, digits=1)
            head = f"Half of the loss is on {units.count(self.half, 'row')} of {self.n:,}   Gini {self.gini:.3f}, costliest row {percent(self.largest)}"
            rows = [["costliest", "carry", ""]]
            rows += [
                [percent(share, digits=0), percent(self.carried(share)), bar(self.carried(share))]
                for share in (0.01, 0.05, 0.1, 0.2, 0.5)
            ]
            lines = [head, "", table(rows, ">><", indent=2)]
        if self.infinite_rows:
            lines += ["", f"  Apart: {units.count(self.infinite_rows, 'row')} of infinite surprise"]
        if notes and self.notes:
            lines += ["", *noted(self.notes)]
        return "\n".join(lines)


def lorenz(
    data: Any,
    forecast: Any = None,
    *,
    outcome: Any = None,
    space: Space = "p",
    weight: Any = None,
    ids: Any = None,
    truth: Any = None,
    labels: Sequence[Any] | None = None,
    positive: Any = None,
    normalize_rows: bool = False,
    skip_missing: bool = False,
    skip_unreadable: bool = False,
) -> Lorenz:
    """Return how unequally the loss falls on the rows: the Lorenz curve of surprise and its Gini coefficient.

    Parameters
    ----------
    data, forecast, outcome, space, weight, ids, truth, labels, positive, normalize_rows, skip_missing, skip_unreadable
        As in :func:`logloss.score`; all rows are held in memory. A row of weight 2 counts as two rows.

    Returns
    -------
    Lorenz

    Raises
    ------
    LoglossError
        UsageError for a call that does not fit together, DataError for data that cannot be scored.

    Examples
    --------
    >>> import logloss as ll
    >>> found = ll.lorenz([1, 0, 1, 0, 1], [0.9, 0.1, 0.8, 0.2, 0.03824])
    >>> round(found.gini, 3), found.half, round(found.largest, 2)
    (0.656, 1, 0.83)
    """
    if isinstance(data, Summary | Panel):
        raise UsageError(
            "rows-needed",
            "A summary does not hold the rows that a curve is drawn from.",
            cure="Give the rows, or a sample of them.",
        )
    record = gather(
        data, forecast, outcome=outcome, space=space, weight=weight, ids=ids, truth=truth, labels=labels,
        positive=positive, normalize_rows=normalize_rows, skip_missing=skip_missing,
        skip_unreadable=skip_unreadable,
    )  # fmt: skip
    return of_record(record)


def of_record(record: Observations, surprise: Float | None = None) -> Lorenz:
    """Return the Lorenz curve of a checked record; `surprise` per row, if it is known already."""
    s = per_row(record) if surprise is None else surprise
    w = np.ones(len(s)) if record.weight is None else record.weight
    counts = w > 0
    finite = counts & np.isfinite(s)
    n, infinite = int(counts.sum()), int(counts.sum() - finite.sum())
    if not n:
        raise AlignmentError("no-rows", "No row counts.", cure="Give rows with a weight above 0.")
    x, loss, gini, half, largest = curve_of(s[finite], w[finite])
    return Lorenz(x, loss, gini, half, largest, n, infinite, record.notes)


def curve_of(s: Float, w: Float) -> tuple[Float, Float, float | None, int, float | None]:
    """Return points of the curve (shares of weight and of loss), Gini, rows for half, share of the costliest row.

    With rows ascending and without weights, Gini = sum (2 i - n - 1) s_(i) / (n sum s).

    >>> _, _, gini, half, largest = curve_of(np.array([0.1, 0.2, 0.3, 0.4, 3.0]), np.ones(5))
    >>> round(gini, 12), half, largest
    (0.6, 1, 0.75)
    """
    cost = w * s
    total = math.fsum(cost) if len(cost) < POINTS else float(cost.sum())
    if not total > 0:
        ends = np.array([0.0, 1.0])
        return ends, ends, None, 0, None
    order = np.argsort(-s, kind="stable")
    x = np.concatenate([[0.0], np.cumsum(w[order])])
    y = np.concatenate([[0.0], np.cumsum(cost[order])])
    x, y = x / x[-1], y / y[-1]
    gini = float(np.sum(np.diff(x) * (y[1:] + y[:-1]))) - 1.0
    by_cost = np.cumsum(np.sort(cost)[::-1])
    half = int(np.searchsorted(by_cost, 0.5 * by_cost[-1]) + 1)
    at = np.arange(len(x))
    if len(x) > POINTS:
        by_rows, by_loss = np.linspace(0.0, 1.0, POINTS // 2 + 1), np.linspace(0.0, 1.0, POINTS // 2 - 1)
        at = np.unique(
            np.concatenate([np.searchsorted(x, by_rows), np.searchsorted(y, by_loss), [1, len(x) - 1]])
        )
        at = at[at < len(x)]
    return x[at], y[at], max(gini, 0.0), half, float(cost.max() / total)
