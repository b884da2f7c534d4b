"""What one pass over the rows keeps: small, mergeable, saved as JSON. The waist of the house.

Counts and sums only; every ratio is a property. Infinite rows are carried apart from the finite part. Rows of
weight 0 do not count.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss import oddsgrid
from logloss.errors import AlignmentError, SourceError
from logloss.notes import Note, Remark
from logloss.plain import jsonable
from logloss.rules import EDGES
from logloss.saving import read_json, write_json
from logloss.tally import Bins, Keyed, Moments, Table, Top

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

__all__ = ["CLASS_MEASURES", "GROUP_MEASURES", "MASS_MEASURES", "READABLE", "SCHEMA", "Summary", "together"]

SCHEMA = 3
READABLE = (2, SCHEMA)  # schema 2 had a grid without moments; all else is the same
CLASS_MEASURES = ("rows", "weight", "nats", "infinite")
# Rows, those of weight 0 included; sums of w; w H and w^2 v over finite rows; w (p - y)^2; w where the first choice
# happened; w H(outcome). Then rows that count: forecast with certainty; first choice wrong; both.
MASS_MEASURES = ("rows", "weight", "entropy", "variance", "brier", "correct", "outcome_entropy",
                 "certain", "errors", "certain_errors")  # fmt: skip
GROUP_MEASURES = ("rows", "weight", "infinite_rows", "infinite_weight")  # then the weight of each class
# What parts must agree in, and what to say if they do not.
SAME = {
    "classes": "Score all parts with the same labels.",
    "binary": "Score all parts with the same forecast columns.",
    "space": "Score all parts with the same space.",
    "weighted": "Score all parts with weights, or none.",
    "columns": "Merge parts of one data set, scored with the same columns.",
}


@dataclass(frozen=True, eq=False)
class Summary:
    """One pass over rows of one forecast.

    Attributes
    ----------
    classes
        Labels in order.
    binary
        Whether the forecast was one column.
    space
        What it was: "p", "logp" or "logit".
    weighted
        Whether there were weights.
    columns
        The names of the columns by role, or None for arrays.
    n
        Rows that count.
    moments
        Of (w, w s) over finite rows.
    infinite
        (rows, weight) with infinite surprise.
    mass
        Sums over all rows, see MASS_MEASURES; entropy and variance over rows where they are finite.
    by_class
        Shape (measures, K): rows, weight, nats of finite rows, infinite rows by true class.
    confusion
        Shape (measures, K, K) by true and predicted class, or None for many classes.
    clamps
        Surprise in bins, for each view of the forecast (see :mod:`logloss.rules`).
    grid
        The reliability grid, see :mod:`logloss.oddsgrid`: weight, weight that happened, weight times p and moments by
        log-odds, from -32 to 32 in bins of 1/16; of the second class for one column, of the first choice for K columns.
    top
        The rows that add most.
    fingerprint
        Sum modulo 2^64 of a hash of (outcome, weight): the same for the same rows in any order.
    groups
        Moments of (w, w s) and GROUP_MEASURES by group, or None.
    remarks, notes
        What was counted and what was assumed or found on the way.
    """

    classes: tuple[Any, ...]
    binary: bool
    space: str
    weighted: bool
    n: int
    moments: Moments
    infinite: tuple[int, float]
    mass: dict[str, float]
    by_class: Table
    confusion: Table | None
    clamps: dict[str, Bins]
    grid: Table
    top: Top
    fingerprint: int
    columns: dict[str, list[str]] | None = None
    groups: Keyed | None = None
    remarks: tuple[Remark, ...] = ()
    notes: tuple[Note, ...] = field(default=())

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
        return float(self.moments.n * self.moments.mean[0])

    @property
    def finite_nats(self) -> float:
        """Sum of w s over rows with finite surprise."""
        return float(self.moments.n * self.moments.mean[1])

    @property
    def mean_finite(self) -> float:
        """Mean surprise of the finite rows; NaN if there is none."""
        return self.finite_nats / self.finite_weight if self.finite_weight > 0 else math.nan

    @property
    def mean(self) -> float:
        """The log loss in nats; inf if a row is infinite."""
        return math.inf if self.infinite[0] else self.mean_finite

    @property
    def expected(self) -> float:
        """The loss that the forecasts themselves expect: their mean entropy over the finite rows."""
        return self.mass["entropy"] / self.finite_weight if self.finite_weight > 0 else math.nan

    @property
    def excess_z(self) -> float | None:
        """Sum w (s - H) / sqrt(sum w^2 v): about N(0, 1) for calibrated forecasts; None where undefined.

        Spiegelhalter's test (1986, Stat. Med. 5:421) for the log score.
        """
        if self.infinite[0] or not self.mass["variance"] > 0:
            return None
        return float((self.finite_nats - self.mass["entropy"]) / np.sqrt(self.mass["variance"]))

    @property
    def skipped(self) -> int:
        """Rows left out for a missing value."""
        return next((remark.rows for remark in self.remarks if remark.id == "rows-skipped"), 0)

    def told(self) -> list[Note]:
        """Return all notes: those that count rows put into words."""
        rows, weight = int(self.mass["rows"]), max(self.weight, 5e-324)
        counted = [
            remark.note(rows + (self.skipped if remark.id == "rows-skipped" else 0), weight)
            for remark in self.remarks
        ]
        return [*self.notes, *counted]

    def remarked(self, remark: Remark) -> Summary:
        """Return the same summary with one more remark."""
        return replace(self, remarks=together(self.remarks, (remark,)))

    def __add__(self, other: Summary) -> Summary:
        """Return the summary of both parts together."""
        self._refuse_strangers(other)
        confusion = (
            None if self.confusion is None or other.confusion is None else self.confusion + other.confusion
        )
        return replace(
            self,
            columns=self.columns or other.columns,
            n=self.n + other.n,
            moments=self.moments + other.moments,
            infinite=(self.infinite[0] + other.infinite[0], self.infinite[1] + other.infinite[1]),
            mass={key: self.mass[key] + other.mass[key] for key in MASS_MEASURES},
            by_class=self.by_class + other.by_class,
            confusion=confusion,
            clamps={view: self.clamps[view] + other.clamps[view] for view in EDGES},
            grid=oddsgrid.added(self.grid, other.grid),
            top=self.top + other.top,
            fingerprint=(self.fingerprint + other.fingerprint) % 2**64,
            groups=None if self.groups is None or other.groups is None else self.groups + other.groups,
            remarks=together(self.remarks, other.remarks),
            notes=tuple(dict.fromkeys([*self.notes, *other.notes])),
        )

    def _refuse_strangers(self, other: Summary) -> None:
        for what, cure in SAME.items():
            a, b = getattr(self, what), getattr(other, what)
            if a != b and not (what == "columns" and (a is None or b is None)):
                raise AlignmentError(
                    "parts-differ",
                    f"These parts do not belong together: {what} {a!r} against {b!r}.",
                    cure=cure,
                )
        if (self.groups is None) != (other.groups is None):
            raise AlignmentError(
                "parts-differ",
                "These parts do not belong together: one has groups, the other none.",
                cure="Score all parts with groups, or none.",
            )

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        state: dict[str, Any] = {"schema": SCHEMA, "kind": "logloss-summary"}
        for name in (entry.name for entry in fields(self)):
            state[name] = _to_plain(getattr(self, name))
        return state | {"units": "nats", "fingerprint": f"{self.fingerprint:016x}"}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Summary:
        """Return what `to_dict` wrote."""
        if state.get("kind") != "logloss-summary" or state.get("schema") not in READABLE:
            raise SourceError(
                "not-a-summary",
                f"This JSON is not a summary this version can read (schema {state.get('schema')!r}, not {SCHEMA}).",
                cure="Write it with `logloss score --save`.",
            )
        if {view: tuple(bins["edges"]) for view, bins in state["clamps"].items()} != EDGES:
            raise SourceError(
                "not-a-summary",
                "This summary was made with other bins of surprise.",
                cure="Score the rows again with this version.",
            )
        confusion, groups = state["confusion"], state["groups"]
        return cls(
            classes=tuple(state["classes"]),
            binary=bool(state["binary"]),
            space=str(state["space"]),
            weighted=bool(state["weighted"]),
            n=int(state["n"]),
            moments=Moments.from_dict(state["moments"]),
            infinite=(int(state["infinite"][0]), float(state["infinite"][1])),
            mass={key: float(state["mass"][key]) for key in MASS_MEASURES},
            by_class=Table.from_dict(state["by_class"]),
            confusion=None if confusion is None else Table.from_dict(confusion),
            clamps={view: Bins.from_dict(state["clamps"][view]) for view in EDGES},
            grid=Table.from_dict(state["grid"]),
            top=Top.from_dict(state["top"]),
            fingerprint=int(state["fingerprint"], 16),
            columns=state["columns"],
            groups=None if groups is None else Keyed.from_dict(groups),
            remarks=tuple(Remark.from_dict(remark) for remark in state["remarks"]),
            notes=tuple(Note(str(note["id"]), str(note["text"])) for note in state["notes"]),
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write JSON to `path`: first to a temporary file beside it, which is then renamed.

        Raises
        ------
        SourceError
            Where it cannot be written; nothing is left half-written then.
        """
        write_json(self.to_dict(), path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Summary:
        """Read what `save` wrote."""
        return read_json(path, cls.from_dict)


def _to_plain(value: Any) -> Any:
    if hasattr(value, "to_dict"):
        return jsonable(value.to_dict())
    if isinstance(value, Note):
        return {"id": value.id, "text": value.text}
    if isinstance(value, tuple | list):
        return [_to_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _to_plain(item) for key, item in value.items()}
    return jsonable(value)


def together(a: tuple[Remark, ...], b: tuple[Remark, ...]) -> tuple[Remark, ...]:
    """Add remarks of the same id up; the order is that in which they came."""
    added: dict[str, Remark] = {}
    for remark in (*a, *b):
        added[remark.id] = added[remark.id] + remark if remark.id in added else remark
    return tuple(added.values())
