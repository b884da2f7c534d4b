"""The distinct outcomes of all rows, for where the first rows do not show them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.choosing import single_outcome
from logloss.columns import as_kind, is_text, kind_of
from logloss.errors import OutcomeError, SourceError
from logloss.panel import Panel
from logloss.reading import engine
from logloss.recognise import Vector, missing_mask, vector

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logloss.choosing import Asked
    from logloss.summary import Summary

__all__ = ["distinct_of", "distinct_outcomes", "labels_seen"]

MOST_LABELS = 100_000  # distinct outcomes; more are no classes


def labels_seen(whole: Summary | Panel) -> Vector:
    """Return the labels that happened."""
    summary = next(iter(whole.summaries.values())) if isinstance(whole, Panel) else whole
    labels = [label for label, rows in zip(summary.classes, summary.by_class.sums[0], strict=True) if rows]
    values = np.asarray(labels)
    return Vector(values if values.dtype.kind in "biu" else np.array(labels, dtype=object))


def distinct_outcomes(stream: Any, head: Any, asked: Asked) -> dict[str, Any]:
    """Return the distinct outcomes of all rows, and how groups in text are read, in one pass over these columns."""
    chosen = asked.outcome or [single_outcome(head, asked)]
    roles = {"outcome": chosen[0]} if len(chosen) == 1 else {}
    roles |= {} if asked.group is None else {"group": asked.group}
    found: dict[str, _Seen] = {role: _Seen() for role in roles}
    for batch in stream.batches(list(dict.fromkeys(roles.values()))) if roles else ():
        for role, seen in found.items():
            seen.add(batch.columns[roles[role]], textual=batch.textual)
            if role == "outcome" and seen.count > MOST_LABELS:
                raise OutcomeError(
                    "outcomes-not-classes",
                    f"Column {roles[role]!r} of {stream.where} has more than {MOST_LABELS:,} different values; they look like quantities, not classes.",
                    cure="Log loss of classes needs labels, or shares between 0 and 1.",
                )
    kinds = {role: kind for role, seen in found.items() if (kind := seen.kind(fractions=role == "outcome"))}
    if "outcome" not in found:
        return {"seen": None, "kinds": kinds}
    if not found["outcome"].count:
        raise SourceError("no-rows", f"{stream.where} has no rows.", cure="Write the rows again.")
    return {"seen": found["outcome"].labels(kinds.get("outcome")), "kinds": kinds}


class _Seen:
    """Distinct values of a column: those written as text in files of text, and the others."""

    def __init__(self) -> None:
        self.texts: Any = None
        self.values: Any = None

    @property
    def count(self) -> int:
        return sum(0 if some is None else len(some) for some in (self.texts, self.values))

    def add(self, column: Any, *, textual: bool) -> None:
        if is_text(column) and textual:
            before = [] if self.texts is None else [self.texts]
            self.texts = _shares_apart(distinct_of([*before, column]))
        else:
            before = [] if self.values is None else [self.values]
            self.values = distinct_of([*before, column])

    def kind(self, *, fractions: bool) -> str | None:
        """Return how text is read: as what the other files hold, where it can be."""
        if self.texts is None:
            return None
        return kind_of(self.texts, fractions=fractions)

    def labels(self, kind: str | None) -> Vector:
        read = [] if self.texts is None else [as_kind(self.texts, kind or "String")]
        return Vector(distinct_array([*read, *([] if self.values is None else [self.values])]))


def _shares_apart(seen: Any) -> Any:
    """Return distinct outcomes in text; where they are fractions in [0, 1], the two classes whose shares they are."""
    if not is_text(seen):
        return seen
    values = seen.cast(engine().Float64, strict=False)
    if values.null_count() or not len(values) or not bool(values.is_between(0, 1).all()):
        return seen
    return engine().Series(["0.0", "1.0"]) if bool((values != values.floor()).any()) else seen


def distinct_of(columns: list[Any]) -> Any:
    """Return the distinct values of columns; fractions count as 0 and 1, whose shares they are."""
    if all(is_text(column) for column in columns):
        return engine().concat(columns).drop_nulls().unique()
    return distinct_array(columns)


def distinct_array(columns: list[Any]) -> NDArray[Any]:
    """Return the distinct values of columns as an array."""
    parts = [vector(column, "The outcomes").values for column in columns]
    present = [part[~missing_mask(part)] for part in parts]
    kinds = {part.dtype.kind in "biuf" for part in present if len(part)}
    values = np.concatenate([part.astype(object) for part in present] if len(kinds) > 1 else present)
    if values.dtype.kind == "f" and bool(((values != np.floor(values)) & (values > 0) & (values < 1)).any()):
        return np.array([0.0, 1.0])
    if values.dtype.kind != "O":
        return np.unique(values)
    return np.array(sorted(set(values.tolist()), key=str), dtype=object)
