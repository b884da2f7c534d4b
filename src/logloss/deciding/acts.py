"""A table written again with the action of every row beside it; whole or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from logloss import units
from logloss.errors import ColumnError, UsageError
from logloss.fixing.tables import forecast_in
from logloss.labels import in_order_of_classes
from logloss.notes import Note
from logloss.observations import observe
from logloss.reading import engine
from logloss.recognise import missing_mask
from logloss.rewriting import rewrite
from logloss.streams import open_stream
from logloss.surprises import class_blocks

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

    from logloss.batches import Batch
    from logloss.deciding.results import Decisions

__all__ = ["COLUMNS", "write_decisions"]

COLUMNS = ("action", "expected_utility")
FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def write_decisions(
    result: Decisions,
    data: Any,
    path: str | os.PathLike[str],
    *,
    normalize_rows: bool = False,
    skip_missing: bool = False,
    skip_unreadable: bool = False,
) -> tuple[int, list[Note]]:
    """Write the table of decisions again, every row with its `action` and `expected_utility`; return rows and notes.

    Every row of the table is written, also those of weight 0 and without an outcome. CSV is written batch by batch.

    Parameters
    ----------
    data
        The table that was decided about: a file, folder or frame.
    path
        Ends in .csv, .tsv, .parquet, .arrow, .ndjson or .jsonl. What is there is replaced, at the end, in one step.
    skip_missing
        Rows with a missing forecast get no action (noted); else they are an error.

    Raises
    ------
    LoglossError
        For columns that would be written over, and for what cannot be written; nothing is written then.
    """
    if not result.columns:
        raise UsageError("array-and-names", "The decisions are about arrays, not about a table that could be written again.", cure="Take result.chosen and result.expected.")  # fmt: skip
    stream = open_stream(data, "The table", skip_unreadable=skip_unreadable)
    taken = [name for name in COLUMNS if name in stream.names]
    if taken:
        raise ColumnError(
            "column-exists",
            f"There is a column {taken[0]!r} already.",
            cure="Rename it: the decisions are written under this name.",
        )
    names, guarded = _names(result, str(path))
    notes, left = [], [0]

    def decided(batch: Batch) -> dict[str, Any]:
        action, expected = _decided(result, batch, normalize_rows=normalize_rows, skip_missing=skip_missing)
        pl = engine()
        left[0] += int((action < 0).sum())
        told = [None if a < 0 else names[a] for a in action.tolist()]
        return {
            COLUMNS[0]: pl.Series(COLUMNS[0], told, dtype=pl.String),
            COLUMNS[1]: pl.Series(COLUMNS[1], expected, nan_to_null=True),
        }

    rows = rewrite(stream, path, decided)
    if left[0]:
        notes.append(Note("rows-undecided", f"No action, as the forecast is missing: {units.count(left[0], 'row')}."))  # fmt: skip
    if guarded:
        notes.append(Note("quoted-for-spreadsheets", "Names of actions that a spreadsheet would run as a formula were written with a quote before them."))  # fmt: skip
    return rows, notes


def _names(result: Decisions, path: str) -> tuple[list[str], bool]:
    """Return the names of actions as they are written, and whether a quote was put before one."""
    names = list(result.utilities.actions)
    if not path.lower().endswith((".csv", ".tsv")):
        return names, False
    written = [f"'{name}" if name.startswith(FORMULAS) else name for name in names]
    return written, any(result.actions[name] for name in names if name.startswith(FORMULAS))


def _decided(
    result: Decisions, batch: Batch, *, normalize_rows: bool, skip_missing: bool
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the position of each row's action, -1 for none, and its expected utility."""
    classes = list(result.utilities.states)
    given = forecast_in(batch, in_order_of_classes(list(result.columns), classes), [])
    numbers = np.asarray(batch.numbers(), np.int64)
    gone = missing_mask(given.values)
    kept = np.ones(len(numbers), bool)
    if skip_missing:
        kept = np.asarray(~(gone if gone.ndim == 1 else gone.any(axis=1)))
    record = observe(
        np.full(int(kept.sum()), classes[0], dtype=object),
        given.values[kept],
        space=result.observations.space,
        labels=classes,
        normalize_rows=normalize_rows,
        rows=numbers[kept],
        part=batch.part,
        partial=True,
    )
    action, expected = np.full(len(numbers), -1, np.int64), np.full(len(numbers), np.nan)
    at = np.flatnonzero(kept)
    for part, s, _ in class_blocks(record):
        action[at[part]], expected[at[part]] = result.utilities.best(np.exp(-s))
    return action, expected
