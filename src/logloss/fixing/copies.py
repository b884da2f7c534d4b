"""Rows that are copies of one another: folds part them, so that a map is judged on rows that it was fitted to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from logloss.notes import Note

if TYPE_CHECKING:
    from logloss.fixing.race import Field

__all__ = ["copied"]

MOST_DISTINCT = 0.7  # of the rows
ALIKE = 0.98  # of the rows whose forecast others have too: they share the outcome with all of these
DOUBT = 0.05  # nats: where forecasts leave less, the same outcome is no wonder
FEWEST = 20


def copied(rows: Field) -> Note | None:
    """Return a note where many rows have a forecast that others have, to the last digit, and the same outcome too.

    Rounded forecasts are shared as well, but by rows with different outcomes.
    """
    n = len(rows.Z)
    if rows.cluster is not None or rows.Z.ndim != 2 or n < FEWEST:
        return None
    _, at, count = np.unique(rows.Z, axis=0, return_inverse=True, return_counts=True)
    at = at.ravel()
    if len(count) > MOST_DISTINCT * n or len(count) < FEWEST:
        return None
    mean = np.stack([np.bincount(at, column) for column in rows.T.T], axis=1) / count[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.where((mean > 0) & (mean < 1), mean * (1 - mean), 0.0).sum(axis=1)
    shared = count > 1
    alike = float(count[shared & (spread == 0)].sum()) / float(count[shared].sum())
    base = rows.T.mean(axis=0)
    if alike < ALIKE or float((base * (1 - base)).sum()) < DOUBT:
        return None
    said = f"{n:,} rows have only {len(count):,} different forecasts, and those that share one share the outcome: they look like copies. Then folds part what belongs together, and gains are judged on rows that were learnt from. Give copies one group: group=... (CLI: --group); or leave them out."
    return Note("copied-rows", said)
