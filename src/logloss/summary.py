"""What one pass over the rows keeps: small, mergeable, saved as JSON. The waist of the house.

Counts and sums only; every ratio is a property. Infinite rows are carried apart from the finite part. Rows of
weight 0 do not count.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import reduce
from operator import add
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.errors import AlignmentError, SourceError
from logloss.plain import jsonable, plain
from logloss.surprises import Columns, blocks
from logloss.tally import Bins, Moments, Table, Top

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from logloss.record import Observations

__all__ = ["SCHEMA", "VIEWS", "Summary", "summarize"]

SCHEMA = 1
VIEWS = ("given", "rounded", "renormalized", "keras")  # the columns of `clamps`
CLASS_MEASURES = ("rows", "weight", "nats", "infinite")
MOST_CLASSES = 256  # above, the true-by-predicted table would outgrow the rest
# Rows, those of weight 0 included; sums of w; w H and w^2 v over finite rows; w (p - y)^2; w where the first choice happened; w H(outcome).
MASS_MEASURES = ("rows", "weight", "entropy", "variance", "brier", "correct", "outcome_entropy")


@dataclass(frozen=True, eq=False)
class Summary:
    """One pass over rows of one forecast.

    Attributes
    ----------
    classes
        Labels in order.
    binary
        Whether the forecast was one column.
    n, skipped
        Rows that count; rows left out for a missing value.
    moments
        Of (w, w s) over finite rows (of s alone where there are no weights).
    weighted
        Whether there were weights.
    infinite
        (rows, weight) with infinite surprise.
    mass
        Sums over all rows, see MASS_MEASURES; entropy and variance over rows where they are finite.
    by_class
        Shape (measures, K): rows, weight, nats of finite rows, infinite rows by true class.
    confusion
        Shape (measures, K, K) by true and predicted class, or None for many classes.
    clamps
        Surprise in bins, for each of VIEWS.
    top
        The rows that add most.
    """

    classes: tuple[Any, ...]
    binary: bool
    n: int
    skipped: int
    weighted: bool
    moments: Moments
    infinite: tuple[int, float]
    mass: dict[str, float]
    by_class: Table
    confusion: Table | None
    clamps: Bins
    top: Top

    @property
    def weight(self) -> float:
        """Sum of weights."""
        return self.mass["weight"]

    @property
    def class_weight(self) -> NDArray[np.float64]:
        """Sum of weights by class, shape (K,)."""
        return np.asarray(self.by_class.sums[CLASS_MEASURES.index("weight")])

    @property
    def finite_weight(self) -> float:
        """Sum of weights of rows with finite surprise."""
        return float(self.moments.n * self.moments.mean[0]) if self.weighted else float(self.moments.n)

    @property
    def finite_nats(self) -> float:
        """Sum of w s over rows with finite surprise."""
        return float(self.moments.n * self.moments.mean[-1])

    @property
    def mean_finite(self) -> float:
        """Mean surprise of the finite rows; NaN if there is none."""
        return self.finite_nats / self.finite_weight if self.finite_weight > 0 else float("nan")

    @property
    def mean(self) -> float:
        """The log loss in nats; inf if a row is infinite."""
        return float("inf") if self.infinite[0] else self.mean_finite

    @property
    def expected(self) -> float:
        """The loss that the forecasts themselves expect: their mean entropy over the finite rows."""
        return self.mass["entropy"] / self.finite_weight if self.finite_weight > 0 else float("nan")

    @property
    def excess_z(self) -> float | None:
        """Sum w (s - H) / sqrt(sum w^2 v): about N(0, 1) for calibrated forecasts; None where undefined.

        Spiegelhalter's test (1986, Stat. Med. 5:421) for the log score.
        """
        if self.infinite[0] or not self.mass["variance"] > 0:
            return None
        return float((self.finite_nats - self.mass["entropy"]) / np.sqrt(self.mass["variance"]))

    def __add__(self, other: Summary) -> Summary:
        """Return the summary of both parts together."""
        for what in ("classes", "binary"):
            if getattr(self, what) != getattr(other, what):
                raise AlignmentError(
                    "parts-differ",
                    f"These parts do not belong together: {what} {getattr(self, what)!r} against {getattr(other, what)!r}.",
                    cure="Merge parts of one data set, scored with the same labels.",
                )
        if self.clamps.edges != other.clamps.edges:
            raise AlignmentError(
                "parts-differ",
                "These parts were made with different bins of surprise.",
                cure="Score both with the same version.",
            )
        if self.weighted != other.weighted:
            raise AlignmentError(
                "parts-differ",
                "One part has weights, the other none.",
                cure="Score all parts with weights, or none.",
            )
        return Summary(
            self.classes,
            self.binary,
            self.n + other.n,
            self.skipped + other.skipped,
            self.weighted,
            self.moments + other.moments,
            (self.infinite[0] + other.infinite[0], self.infinite[1] + other.infinite[1]),
            {key: self.mass[key] + other.mass[key] for key in MASS_MEASURES},
            self.by_class + other.by_class,
            None if self.confusion is None or other.confusion is None else self.confusion + other.confusion,
            self.clamps + other.clamps,
            self.top + other.top,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "schema": SCHEMA,
            "kind": "logloss-summary",
            "classes": jsonable(self.classes),
            "binary": self.binary,
            "n": self.n,
            "skipped": self.skipped,
            "weighted": self.weighted,
            "moments": self.moments.to_dict(),
            "infinite": list(self.infinite),
            "mass": self.mass,
            "by_class": self.by_class.to_dict(),
            "confusion": None if self.confusion is None else self.confusion.to_dict(),
            "clamps": self.clamps.to_dict(),
            "top": jsonable(self.top.to_dict()),
        }

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Summary:
        """Return what `to_dict` wrote."""
        if state.get("kind") != "logloss-summary" or state.get("schema") != SCHEMA:
            raise SourceError(
                "not-a-summary",
                "This JSON is not a summary this version can read.",
                cure="Write it with `logloss score --save`.",
            )
        return cls(
            tuple(state["classes"]),
            bool(state["binary"]),
            int(state["n"]),
            int(state["skipped"]),
            bool(state["weighted"]),
            Moments.from_dict(state["moments"]),
            (int(state["infinite"][0]), float(state["infinite"][1])),
            {key: float(state["mass"][key]) for key in MASS_MEASURES},
            Table.from_dict(state["by_class"]),
            None if state["confusion"] is None else Table.from_dict(state["confusion"]),
            Bins.from_dict(state["clamps"]),
            Top.from_dict(state["top"]),
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write JSON to `path`: first to a temporary file beside it, which is then renamed.

        Raises
        ------
        SourceError
            Where it cannot be written; nothing is left half-written then.
        """
        target = Path(path)
        text = json.dumps(self.to_dict(), allow_nan=False)
        beside = target.with_name(f".{target.name}.{os.getpid()}.tmp")
        try:
            with beside.open("x", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(target)
        except OSError as error:
            beside.unlink(missing_ok=True)
            raise SourceError(
                "cannot-write",
                f"{os.fspath(path)} cannot be written: {error.strerror or error}.",
                cure="Nothing was left half-written; choose another place.",
            ) from None

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Summary:
        """Read what `save` wrote."""
        try:
            return cls.from_dict(json.loads(Path(path).read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            if isinstance(error, SourceError):
                raise
            raise SourceError(
                "not-a-summary",
                f"{os.fspath(path)} cannot be read as a summary: {error}.",
                cure="Write it with `logloss score --save`.",
            ) from None


def summarize(record: Observations, edges: Sequence[float], *, top: int = 20) -> Summary:
    """Return the summary of a checked record: one pass, block by block.

    `edges` are the surprises (nats) between which the bins lie; `top` is how many of the costliest rows are kept.
    """
    parts = [_of_block(record, columns, edges, top) for columns in blocks(record)]
    whole = reduce(add, parts)
    return Summary(**{**whole.__dict__, "skipped": record.skipped})


def _of_block(record: Observations, columns: Columns, edges: Sequence[float], top: int) -> Summary:
    w, s = columns.weight, columns.surprise
    counts = w > 0
    finite = np.isfinite(s) & counts
    infinite = counts & ~np.isfinite(s)
    weighted = record.weight is not None
    rows = np.stack([w[finite], w[finite] * s[finite]], axis=1) if weighted else s[finite][:, None]
    K = len(record.classes)
    known = np.isfinite(columns.entropy) & np.isfinite(columns.variance)
    mass = {
        "rows": float(len(w)),
        "weight": float(w.sum()),
        "entropy": float(np.dot(w[finite & known], columns.entropy[finite & known])),
        "variance": float(np.dot(w[finite & known] ** 2, columns.variance[finite & known])),
        "brier": float(np.dot(w, columns.brier)),
        "correct": float(w[_happened(record, columns)].sum())
        if columns.shares is None
        else float(np.dot(w, columns.shares[np.arange(len(w)), columns.predicted])),
        "outcome_entropy": 0.0 if columns.shares is None else float(np.dot(w, _entropy(columns.shares))),
    }
    cells = _cells(record, columns)
    return Summary(
        record.classes,
        record.binary,
        int(counts.sum()),
        0,
        weighted,
        Moments.of(rows),
        (int(infinite.sum()), float(w[infinite].sum())),
        mass,
        Table.of((K,), [cells[0]], cells[2:]),
        Table.of((K, K), cells[:2], cells[2:]) if K <= MOST_CLASSES else None,
        Bins.of(edges, [columns.given, columns.rounded, columns.renormalized, columns.keras], w),
        Top.of(
            top,
            np.where(counts, s, 0.0) * np.where(counts, w, 0.0),
            lambda at: record.row_number(columns.rows.start + at),
            lambda at: _payload(record, columns, at),
        ),
    )


def _happened(record: Observations, columns: Columns) -> NDArray[np.bool_]:
    return np.asarray(columns.predicted == record.outcome[columns.rows])


def _entropy(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """H(t) = -sum t log t, 0 log 0 = 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(-np.where(shares > 0, shares * np.log(shares), 0.0).sum(axis=1))


def _cells(record: Observations, columns: Columns) -> list[NDArray[Any]]:
    """Return true class, predicted class, and CLASS_MEASURES; a soft row is split into one cell per class."""
    if columns.shares is None or columns.by_class is None:
        true, predicted, w, s = (
            record.outcome[columns.rows].astype(np.int64),
            columns.predicted,
            columns.weight,
            columns.surprise,
        )
        one = (w > 0).astype(np.float64)
    else:
        m, K = columns.shares.shape
        true, predicted = np.tile(np.arange(K), m), np.repeat(columns.predicted, K)
        t = columns.shares.ravel()
        w, s = np.repeat(columns.weight, K) * t, columns.by_class.ravel()
        one = t * (np.repeat(columns.weight, K) > 0)
    infinite = np.isinf(s) & (w > 0)
    return [
        true,
        predicted,
        one,
        w,
        np.where(w > 0, w, 0.0) * np.where(np.isinf(s), 0.0, s),
        infinite.astype(np.float64),
    ]


def _payload(record: Observations, columns: Columns, at: int) -> dict[str, Any]:
    """Return what is remembered of a costly row: id, outcome, what was forecast, weight."""
    row = columns.rows.start + at
    outcome = record.outcome[row]
    label: Any = outcome.tolist() if record.soft else record.classes[int(outcome)]
    predicted = int(columns.predicted[at])
    surprise = float(columns.surprise[at])
    return {
        "id": None if record.ids is None else plain(record.ids[row]),
        "outcome": label,
        "forecast": float(np.exp(-surprise)),
        "predicted": record.classes[predicted],
        "surprise": None if np.isinf(surprise) else surprise,
        "weight": float(columns.weight[at]),
    }
