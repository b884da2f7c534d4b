"""The parts of a record before they are checked: whether they belong together, what is missing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.errors import AlignmentError, ColumnError, ForecastError, OutcomeError, WeightError
from logloss.notes import FEW, Note, Place, Remark, located, noted
from logloss.recognise import Matrix, Vector, missing_mask

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logloss.record import Observations

__all__ = ["Draft", "shared", "without_missing"]


@dataclass(frozen=True, eq=False)
class Draft:
    """The four parts before they are checked, and which rows of the input they are (None: all of them)."""

    outcome: Vector | Matrix
    forecast: Vector | Matrix
    weight: Vector | None
    ids: Vector | None
    group: Vector | None = None
    rows: NDArray[np.int64] | None = None
    part: str = ""

    def places(self, mask: NDArray[np.bool_]) -> str:
        """Return where in the input the marked rows are."""
        return located(self.first(mask), int(mask.sum()))

    def first(self, mask: NDArray[np.bool_]) -> tuple[Place, ...]:
        """Return the places of the first few marked rows."""
        at = np.flatnonzero(mask)[:FEW]
        return tuple((self.part, int(row)) for row in (at if self.rows is None else self.rows[at]))

    def parts(self) -> dict[str, Vector | Matrix]:
        """Return the parts that were given, by name."""
        named = {
            "outcomes": self.outcome,
            "forecasts": self.forecast,
            "weights": self.weight,
            "ids": self.ids,
            "groups": self.group,
        }
        return {name: part for name, part in named.items() if part is not None}

    def narrowed(self) -> Draft:
        """Return the draft with matrices of one column as vectors."""

        def narrow(part: Vector | Matrix) -> Vector | Matrix:
            if isinstance(part, Matrix) and part.values.shape[1] == 1:
                return Vector(part.values[:, 0], part.names[0] if part.names else None, None, part.index)
            return part

        return replace(self, outcome=narrow(self.outcome), forecast=narrow(self.forecast))

    def check_alignment(self) -> None:
        """Refuse parts of different lengths or with different pandas indexes."""
        parts = self.parts()
        lengths = {name: len(part) for name, part in parts.items()}
        if len(set(lengths.values())) > 1:
            raise AlignmentError(
                "different-lengths",
                f"The parts have different lengths: {', '.join(f'{n:,} {name}' for name, n in lengths.items())}.",
                cure="Give one of each per row; to join two files by id, use truth= and ids= (CLI: --truth, --id).",
            )
        if not lengths["outcomes"]:
            raise AlignmentError("no-rows", "There are no rows to score.", cure="Give at least one.")
        indexed = {name: part.index for name, part in parts.items() if part.index is not None}
        first = next(iter(indexed), "")
        for name, index in indexed.items():
            if not index.equals(indexed[first]):
                raise AlignmentError(
                    "index-mismatch",
                    f"The pandas indexes of {first} and {name} differ, so rows would be paired by position against their index.",
                    cure="Align them (b = b.reindex(a.index)), or pass .to_numpy() to pair by position on purpose.",
                )

    def take(self, keep: NDArray[np.bool_]) -> Draft:
        """Return the draft with only the rows to keep."""

        def pick(part: Any) -> Any:
            return None if part is None else replace(part, values=part.values[keep], index=None)

        rows = np.flatnonzero(keep) if self.rows is None else self.rows[keep]
        return Draft(
            pick(self.outcome),
            pick(self.forecast),
            pick(self.weight),
            pick(self.ids),
            pick(self.group),
            rows,
            self.part,
        )


def without_missing(draft: Draft, notes: list[Note], *, skip: bool, partial: bool = False) -> Draft:
    """Refuse missing values, or leave their rows out and say so."""
    masks = {}
    for name, part in draft.parts().items():
        if name == "ids" or part.finite:
            continue
        mask = missing_mask(part.values)
        masks[name] = np.asarray(mask.any(axis=1) if mask.ndim == 2 else mask)
    if not any(mask.any() for mask in masks.values()):
        return draft
    gone = np.logical_or.reduce(list(masks.values()))
    found = {name: (int(mask.sum()), draft.first(mask)) for name, mask in masks.items() if mask.any()}
    told = "; ".join(
        f"{count:,} missing {name if count > 1 else name[:-1]} ({draft.places(masks[name])})"
        for name, (count, _) in found.items()
    )
    if not skip:
        kind = {
            "outcomes": OutcomeError,
            "forecasts": ForecastError,
            "weights": WeightError,
            "groups": ColumnError,
        }[next(iter(found))]
        raise kind(
            "missing-values",
            f"{told}.",
            cure="Fill them in, or leave these rows out on purpose: skip_missing=True (CLI: --skip-missing).",
        )
    if gone.all() and not partial:
        raise AlignmentError(
            "no-rows",
            f"Every row has a missing value: {told}.",
            cure="Give rows with an outcome and a forecast.",
        )
    noted(notes, Remark("rows-skipped", int(gone.sum()), found), len(gone), 1.0)
    return draft.take(~gone)


def shared(records: dict[str, Observations], total: int) -> dict[str, Observations]:
    """Keep the rows that every forecast has, so that they stay paired."""
    kept = reduce(np.intersect1d, [record.numbers() for record in records.values()])
    skipped = [
        note.remark for record in records.values() for note in record.notes if note.id == "rows-skipped"
    ]
    first = {place for one in skipped if one for _, where in one.kinds.values() for place in where}
    found = {"values": (total - len(kept), tuple(sorted(first)[:FEW]))}
    gone = Remark("rows-skipped", total - len(kept), found).note(total, 1.0)
    paired = {}
    for name, record in records.items():
        others = [note for note in record.notes if note.id != "rows-skipped"]
        paired[name] = replace(record.take(np.isin(record.numbers(), kept)), notes=(*others, gone))
    return paired
