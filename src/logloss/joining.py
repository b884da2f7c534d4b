"""Two tables paired by id, in the order of the first; ids are compared as text, and what is left over is counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from logloss.errors import AlignmentError, listing, places
from logloss.notes import Note
from logloss.recognise import missing_mask
from logloss.stages import staged

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logloss.columns import Table
    from logloss.recognise import Vector

__all__ = ["keys_of", "left_over", "pair", "positions_of"]


def keys_of(ids: Vector, name: str, source: Table) -> list[str]:
    """Return ids as text, whole numbers without a point; a missing one is an error."""
    gone = missing_mask(ids.values)
    if gone.any():
        raise AlignmentError(
            "missing-values",
            f"{source.where} has rows without an id in {name!r} ({places(np.flatnonzero(gone))}).",
            cure="Give every row its id.",
        )
    values = ids.values
    if values.dtype.kind == "f" and bool((values == np.floor(values)).all()):
        values = values.astype(np.int64)
    texts = [str(value) for value in values.tolist()]
    return [text[:-2] for text in texts] if all(text.endswith(".0") for text in texts) else texts


def positions_of(keys: list[str], source: Table) -> dict[str, int]:
    """Return the row of each id; one that occurs twice is an error, as it would pair with two rows."""
    rows: dict[str, int] = {}
    for position, key in enumerate(keys):
        if key in rows:
            raise AlignmentError(
                "duplicate-ids",
                f"Id {key!r} occurs more than once in {source.where.replace('The table', 'the table')} (rows {rows[key]} and {position}), so its pair is ambiguous.",
                cure="Keep one row per id.",
            )
        rows[key] = position
    return rows


@staged("matching ids")
def pair(
    here: Vector, there: Vector, name: str, source: Table, answers: Table, notes: list[Note]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return positions in both tables of the rows whose ids match, in the order of the predictions."""
    keys_a, keys_b = keys_of(here, name, source), keys_of(there, name, answers)
    at, seen = positions_of(keys_b, answers), positions_of(keys_a, source)
    pairs = [(position, at[key]) for key, position in seen.items() if key in at]
    if not pairs:
        raise AlignmentError(
            "no-shared-ids",
            f"{source.where} and {answers.where} share no id in column {name!r}: {listing([repr(k) for k in keys_a[:3]])} against {listing([repr(k) for k in keys_b[:3]])}.",
            cure="Check that both files are about the same rows, and that the ids are written the same way.",
        )
    alone = [key for key in seen if key not in at]
    lost = [key for key in at if key not in seen]
    notes += left_over(
        (len(alone), len(seen), alone), (len(lost), len(at), lost), source.where, answers.where
    )
    both = np.asarray(pairs, np.int64)
    return both[:, 0], both[:, 1]


def left_over(
    alone: tuple[int, int, list[str]], lost: tuple[int, int, list[str]], here: str, there: str
) -> list[Note]:
    """Return notes on predictions without outcome and outcomes without prediction: each (how many, of how many, which)."""
    notes = []
    if alone[0]:
        notes.append(
            Note(
                "ids-without-outcome",
                f"{alone[0]:,} of {alone[1]:,} predictions have no outcome in {there} and are not scored (ids {listing(alone[2], total=alone[0], limit=3)}).",
            )
        )
    if lost[0]:
        notes.append(
            Note(
                "ids-without-forecast",
                f"{lost[0]:,} of {lost[1]:,} outcomes have no prediction in {here}; the score leaves them out (ids {listing(lost[2], total=lost[0], limit=3)}).",
            )
        )
    return notes
