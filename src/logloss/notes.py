"""Notes: what was assumed, changed or found on the way to a number. Those that count rows add up over parts."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

from logloss import units
from logloss.errors import listing

__all__ = ["Note", "Place", "Remark", "located", "noted"]

Place = tuple[str, int]  # the part (file, partition; "" where there is one) and the row in it
FEW = 3  # places that a remark remembers


@dataclass(frozen=True)
class Remark:
    """What a note counts, kept as numbers so that the notes of parts add up; its words are made at the end.

    Attributes
    ----------
    rows
        How many rows (or values) it is about.
    kinds
        By kind, e.g. missing outcomes and missing forecasts: how many, and where the first are.
    most
        The largest deviation seen.
    nats
        Sum of weight times nats by which it changes (or would change) the loss.
    least
        The smallest number seen, where there is one to tell.
    """

    id: str
    rows: int
    kinds: dict[str, tuple[int, tuple[Place, ...]]]
    most: float = 0.0
    nats: float = 0.0
    least: float = math.inf

    def __add__(self, other: Remark) -> Remark:
        """Return the remark on both parts together."""
        kinds = dict(self.kinds)
        for kind, (count, where) in other.kinds.items():
            before, first = kinds.get(kind, (0, ()))
            kinds[kind] = (before + count, tuple(sorted({*first, *where})[:FEW]))
        return replace(
            self,
            rows=self.rows + other.rows,
            kinds=kinds,
            most=max(self.most, other.most),
            nats=self.nats + other.nats,
            least=min(self.least, other.least),
        )

    def note(self, total: int, weight: float) -> Note:
        """Put it into words, for `total` rows (those left out included) of this weight."""
        return Note(self.id, _WORDS[self.id](self, total, weight), self)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        kinds = {
            kind: [count, [list(place) for place in where]] for kind, (count, where) in self.kinds.items()
        }
        least = {} if math.isinf(self.least) else {"least": self.least}
        return {
            "id": self.id, "rows": self.rows, "kinds": kinds, "most": self.most, "nats": self.nats, **least,
        }  # fmt: skip

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Remark:
        """Return what `to_dict` wrote."""
        kinds = {
            kind: (int(count), tuple((str(part), int(row)) for part, row in where))
            for kind, (count, where) in state["kinds"].items()
        }
        if state["id"] not in _WORDS:
            raise ValueError(f"no remark is called {state['id']!r}")
        numbers = (float(state["most"]), float(state["nats"]), float(state.get("least", math.inf)))
        return cls(state["id"], int(state["rows"]), kinds, *numbers)


@dataclass(frozen=True)
class Note:
    """Something that was assumed, changed or found: a stable id and one sentence; where it counts rows, its remark."""

    id: str
    text: str
    remark: Remark | None = field(default=None, repr=False, compare=False)


def noted(notes: list[Note], remark: Remark, total: int, weight: float) -> None:
    """Append a remark to notes, in words."""
    notes.append(remark.note(total, weight))


def located(where: tuple[Place, ...], total: int, limit: int = FEW) -> str:
    """Return places as text.

    >>> located((("", 3), ("", 17)), 5), located((("b.csv", 3),), 1)
    ('rows 3, 17 and 3 more', 'row 3 of b.csv')
    """
    if all(not part for part, _ in where):
        return f"{'row' if total == 1 else 'rows'} {listing([row for _, row in where], total=total, limit=limit)}"
    return listing([f"row {row} of {part}" for part, row in where], total=total, limit=limit)


def _skipped(remark: Remark, total: int, _weight: float) -> str:
    told = "; ".join(
        f"{count:,} missing {kind if count > 1 else kind[:-1]} ({located(where, count)})"
        for kind, (count, where) in remark.kinds.items()
    )
    return f"{remark.rows:,} of {total:,} rows were left out: {told}."


def _snapped(remark: Remark, _total: int, _weight: float) -> str:
    (limits,) = remark.kinds
    return f"{remark.rows:,} values were outside {limits} by rounding (at most {remark.most:.1e}) and were taken as the limit."


def _soft(remark: Remark, _total: int, _weight: float) -> str:
    (kind,) = remark.kinds
    if kind == "two":
        return f"Strictly between 0 and 1: {units.count(remark.rows, 'outcome')}, scored as shares of the two classes."
    return f"Shares of several classes: {units.count(remark.rows, 'outcome')}, scored by the mean surprise under the shares."


def _annotators(remark: Remark, _total: int, weight: float) -> str:
    count, _ = remark.kinds["annotators"]
    mixed, _ = remark.kinds["disagree"]
    span = (
        f"{remark.least:,.0f}"
        if remark.least == remark.most
        else f"{remark.least:,.0f} to {remark.most:,.0f}"
    )
    few = (
        f" So few make the outcomes look surer than they are: their entropy is too low by about {units.loss(remark.nats / weight)} nats, and what the forecast adds to it too high by as much."
        if remark.nats > 0
        else ""
    )
    return f"Outcomes are {units.count(count, 'vote')} of annotators, {span} per row, taken as shares; they disagree in {mixed:,} of {units.count(remark.rows, 'row')}. Each row counts once; to weight rows by their annotators, give weight= (CLI: --weight).{few}"


def _sums(remark: Remark, total: int) -> str:
    ((count, where),) = remark.kinds.values()
    return f"{remark.rows:,} of {total:,} rows do not sum to one (by up to {remark.most:.3g}: {located(where, count)})"


def _as_given(remark: Remark, total: int, weight: float) -> str:
    moved = units.signed(remark.nats / weight)
    return f"{_sums(remark, total)}; the probabilities are scored as given. Dividing each row by its sum would change the loss by {moved} nats: normalize_rows=True (CLI: --normalize-rows)."


def _divided(remark: Remark, total: int, weight: float) -> str:
    moved = units.signed(remark.nats / weight)
    return f"{_sums(remark, total)}; each was divided by its sum, which changed the loss by {moved} nats."


def _blank(remark: Remark, _total: int, _weight: float) -> str:
    return f"{units.count(remark.rows, 'line')} without any value, blank or of separators only, {'is' if remark.rows == 1 else 'are'} no row."


_WORDS = {
    "annotator-counts": _annotators,
    "blank-lines": _blank,
    "rows-skipped": _skipped,
    "snapped": _snapped,
    "soft-outcomes": _soft,
    "rows-not-one": _as_given,
    "rows-normalized": _divided,
}
