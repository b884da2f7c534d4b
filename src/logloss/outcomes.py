"""The distinct outcomes of all rows, for where the first rows do not show them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.choosing import single_outcome
from logloss.columns import is_text, kind_of, labels_of
from logloss.errors import OutcomeError, SourceError
from logloss.panel import Panel
from logloss.reading import engine
from logloss.recognise import Vector, missing_mask, vector

if TYPE_CHECKING:
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
    if len(chosen) > 1:
        return {"seen": None}
    group = [asked.group] if asked.group is not None else []
    found: dict[str, list[Any]] = {name: [] for name in (*chosen, *group)}
    for batch in stream.batches(list(found)):
        for name, seen in found.items():
            seen[:] = [_shares_apart(distinct_of([*seen, batch.columns[name]]))]
            if len(seen[0]) > MOST_LABELS and name == chosen[0]:
                raise OutcomeError(
                    "outcomes-not-classes",
                    f"Column {name!r} of {stream.where} has more than {MOST_LABELS:,} different values; they look like quantities, not classes.",
                    cure="Log loss of classes needs labels, or shares between 0 and 1.",
                )
    kinds = {
        role: kind_of(found[name][0], fractions=role == "outcome")
        for role, name in (("outcome", chosen[0]), ("group", asked.group))
        if name is not None and found[name] and is_text(found[name][0]) and head.textual
    }
    if not found[chosen[0]]:
        raise SourceError("no-rows", f"{stream.where} has no rows.", cure="Write the rows again.")
    return {"seen": labels_of(found[chosen[0]][0], head), "kinds": kinds}


def _shares_apart(seen: Any) -> Any:
    """Return distinct outcomes in text; where they are fractions in [0, 1], the two classes whose shares they are."""
    if not is_text(seen):
        return seen
    values = seen.cast(engine().Float64, strict=False)
    if values.null_count() or not len(values) or not bool(values.is_between(0, 1).all()):
        return seen
    return engine().Series(["0.0", "1.0"]) if bool((values != values.floor()).any()) else seen


def distinct_of(columns: list[Any]) -> Any:
    """Return the distinct values of columns of one kind; fractions count as 0 and 1, whose shares they are."""
    if all(is_text(column) for column in columns):
        return engine().concat(columns).drop_nulls().unique()
    parts = [vector(column, "The outcomes").values for column in columns]
    values = np.concatenate([part[~missing_mask(part)] for part in parts])
    if values.dtype.kind == "f" and bool(((values != np.floor(values)) & (values > 0) & (values < 1)).any()):
        return np.array([0.0, 1.0])
    return (
        np.array(sorted(set(values.tolist()), key=str), dtype=object)
        if values.dtype.kind == "O"
        else np.unique(values)
    )
