"""Which rows to label next, with the probability that each had of being drawn; and weights that undo such a design."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.display.shown import Shown
from logloss.errors import SourceError, UsageError, WeightError, listing, places, suggestion
from logloss.plain import jsonable, plain
from logloss.saving import write_text
from logloss.text import printable, wrapped

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

    Float = NDArray[np.float64]

__all__ = ["DESIGNS", "Selection", "draw", "lure_weights", "mixture", "refuse_to_replace"]

DESIGNS = ("random", "active")
WHY = {
    "random": "Every unlabelled row is as likely as any other. Why not the most uncertain ones? Their loss alone says nothing of the file's; and where the forecasts are over-confident, most of the loss comes from rows that look certain: draws in proportion to the expected loss then need several times the labels of a random sample.",
    "active": "Rows whose surprise is expected to vary more are drawn more often, by the recorded probabilities, half of which stay uniform. The estimate is right only with these probabilities (inclusion=, CLI: --inclusion), and surer only if the forecasts know where they err; over-confident ones make it less sure than a random sample.",
}


@dataclass(frozen=True, eq=False, repr=False)
class Selection(Shown):
    """The rows to label next.

    Attributes
    ----------
    rows
        Their numbers in the input, counted from 0.
    ids
        Their ids, or None.
    design, seed
        "random" or "active", and the seed they were drawn with.
    asked
        How many were asked for; an active design draws that many on average.
    inclusion
        Shape (all rows that count,): the probability of each row to be labelled by now, the earlier labels included.
        What `ll.estimate(inclusion=)` needs once these rows are labelled.
    numbers
        The row numbers that `inclusion` is of.
    labelled
        (row, id, inclusion, outcome) of the rows labelled before; the outcome is None where it is a share.
    """

    rows: tuple[int, ...]
    ids: tuple[Any, ...] | None
    design: str
    seed: int
    asked: int
    inclusion: Float = field(repr=False)
    numbers: NDArray[np.int64] = field(repr=False)
    labelled: tuple[tuple[int, Any, float, Any], ...] = field(repr=False, default=())
    id_name: str = "id"

    @property
    def chances(self) -> list[float]:
        """The inclusion probability of each of `rows`."""
        of = dict(zip(self.numbers.tolist(), self.inclusion.tolist(), strict=True))
        return [of[row] for row in self.rows]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        state: dict[str, Any] = jsonable(
            {
                "schema": 1,
                "design": self.design,
                "seed": self.seed,
                "asked": self.asked,
                "rows": [
                    {"row": row, "id": plain(id_), "inclusion": chance}
                    for row, id_, chance in zip(
                        self.rows, self.ids or [None] * len(self.rows), self.chances, strict=True
                    )
                ],
            }
        )
        return state

    def __str__(self) -> str:
        """Return what to label, and why these."""
        return self.show()

    def show(self) -> str:
        """Return a few lines of text."""
        names = self.rows if self.ids is None else [printable(id_, 40) for id_ in self.ids]
        what = "rows" if self.ids is None else "ids"
        average = f"; {self.asked:,} on average" if self.design == "active" else ""
        drawn = f"  Label next: {len(self.rows):,} rows, drawn by the {self.design} design (seed {self.seed}){average}"
        few = f"    {what} {listing(names, limit=8)}"
        return "\n".join([drawn, few, wrapped(WHY[self.design])])

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write CSV with row, id, inclusion and an outcome to fill in; then the rows labelled before, with theirs.

        With ids the file, once filled in, is what `truth=` of :func:`logloss.estimate` takes, and `inclusion="inclusion"`.

        Raises
        ------
        SourceError
            Where there is a file of that name - it may hold labels by now - or none can be written.
        """
        refuse_to_replace(path)
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        kept = ["row", *([] if self.ids is None else [self.id_name]), "inclusion", "outcome"]
        writer.writerow(kept)
        blank: list[Any] = [None] * len(self.rows)
        fresh = zip(self.rows, self.ids or blank, self.chances, blank, strict=True)
        for row, id_, chance, outcome in (*fresh, *self.labelled):
            first = [row] if self.ids is None else [row, plain(id_)]
            writer.writerow([*first, repr(float(chance)), "" if outcome is None else plain(outcome)])
        write_text(out.getvalue(), path)


def refuse_to_replace(path: str | os.PathLike[str]) -> None:
    """Refuse a file that exists: somebody may have filled labels in."""
    if Path(path).exists():
        raise SourceError(
            "would-overwrite",
            f"{path} exists; it may hold labels by now.",
            cure="Choose another name, or remove it first.",
        )
    if not Path(path).absolute().parent.is_dir():
        raise SourceError(
            "cannot-write",
            f"{path} cannot be written: there is no such folder.",
            cure="Make the folder first.",
        )


def mixture(deviation: Float, m: float) -> Float:
    """Return inclusion probabilities in proportion to 0.5 + 0.5 sd / mean(sd), which add up to m; at most 1 each.

    sd is how much the surprise of each row is expected to vary. To draw in proportion to sd alone would be best were the
    forecasts calibrated (Sawade et al. 2010, Active risk estimation, ICML); the uniform half keeps the variance below about
    twice that of uniform draws whatever the forecasts do.

    Parameters
    ----------
    deviation
        Shape (n,), 0 or more.
    m
        The number of rows to draw, on average; from 0 to n.
    """
    mean = float(deviation.mean()) if len(deviation) else 0.0
    size = np.full(len(deviation), 1.0) if mean == 0 else 0.5 + 0.5 * deviation / mean
    return _capped(size, m)


def _capped(size: Float, m: float) -> Float:
    """Return min(1, c size) with c such that they add up to m."""
    if m >= len(size):
        return np.ones(len(size))
    order = np.sort(size)[::-1]
    below = np.concatenate([np.cumsum(order[::-1])[::-1], [0.0]])  # the sum from each place on
    for certain in range(len(size)):
        factor = (m - certain) / below[certain]
        if factor * order[certain] <= 1.0:
            return np.asarray(np.minimum(1.0, factor * size))
    return np.ones(len(size))


def draw(
    deviation: Float, free: NDArray[np.bool_], m: int, design: str, seed: int
) -> tuple[NDArray[np.int64], Float]:
    """Return the positions drawn among the `free` rows, and the probability of every row under the design.

    Rows that are not free get the probability they would have had: it is needed where a row could have come in by either
    of two draws.
    """
    if design not in DESIGNS:
        raise UsageError(
            "unknown-design",
            f"{design!r} is not a design.{suggestion(str(design), DESIGNS)}",
            cure=f"Designs: {', '.join(DESIGNS)}.",
        )
    count = int(free.sum())
    if not 1 <= m <= count:
        raise UsageError(
            "bad-next",
            f"{m:,} rows to label next, but {count:,} are unlabelled.",
            cure="Ask for 1 or more, and no more than are unlabelled.",
        )
    rng = np.random.default_rng(seed)
    places_ = np.flatnonzero(free)
    if design == "random":
        return np.sort(rng.choice(places_, m, replace=False)), np.full(len(free), m / count)
    inside = mixture(deviation[free], m)
    mean = float(deviation[free].mean())
    size = np.ones(len(free)) if mean == 0 else 0.5 + 0.5 * deviation / mean
    open_ = inside < 1.0
    scale = float((inside[open_] / size[free][open_]).max()) if open_.any() else np.inf
    chance = np.minimum(1.0, scale * size)
    chance[free] = inside
    return places_[rng.random(count) < inside], chance


def lure_weights(probabilities: Any, rows: int) -> Float:
    """Return the weights of rows that were drawn one after the other, without replacement, by changing probabilities.

    The mean of weight times surprise over the drawn rows has the mean surprise of all rows as its expectation, exactly,
    whatever the probabilities; they may depend on what the earlier rows showed. With N rows, M of them drawn, the m-th
    with probability q_m among those that were left:

        v_m = 1 + (N - M) / (N - m) [ 1 / ((N - m + 1) q_m) - 1 ]

    Parameters
    ----------
    probabilities
        q_m of the row drawn at each step, among the rows left at that step, shape (M,), in the order of the draws.
    rows
        N, the number of rows there are.

    Returns
    -------
    Array of shape (M,)

    Raises
    ------
    WeightError
        Where some probability is not above 0 and at most 1, or more rows were drawn than there are.

    References
    ----------
    Farquhar, Gal and Rainforth (2021), On statistical bias in active learning, ICLR.

    Examples
    --------
    >>> import logloss as ll
    >>> ll.lure_weights([0.15, 0.3 / 0.85, 0.25 / 0.55], rows=5).round(4).tolist()
    [1.1667, 0.8056, 0.7333]
    """
    q = np.atleast_1d(np.asarray(probabilities, np.float64))
    drawn = len(q)
    bad = ~((q > 0) & (q <= 1 + 1e-9))  # the last row left is drawn with 1, give or take its rounding
    if bad.any() or q.ndim != 1 or drawn > rows:
        told = (
            f"{drawn:,} rows drawn out of {rows:,}, probabilities of shape {q.shape}"
            if not bad.any()
            else f"Probabilities of a draw that are none: {listing(q[bad], total=int(bad.sum()), limit=3)} (draws {places(np.flatnonzero(bad)).partition(' ')[2]})"
        )
        raise WeightError(
            "bad-inclusion",
            f"{told}.",
            cure="Give, for each drawn row, the probability with which it was drawn among the rows left: above 0 and at most 1.",
        )
    step = np.arange(1, drawn + 1)
    left = np.maximum(rows - step, 1)  # where no row is left, M = N and the factor is 0
    return np.asarray(1.0 + (rows - drawn) / left * (1.0 / ((rows - step + 1) * q) - 1.0))
