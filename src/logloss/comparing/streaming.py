"""Comparing tables larger than memory: one pass keeps the sums, the referee reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logloss.comparing.panels import of_tally
from logloss.comparing.passing import compared
from logloss.passes import height

if TYPE_CHECKING:
    from collections.abc import Callable

    from logloss.comparing.results import Comparison
    from logloss.sources import Opened

__all__ = ["MOST_ROWS", "many", "of_stream"]

MOST_ROWS = 5_000_000  # rows that are held in memory; more are passed over


def many(found: Opened) -> bool:
    """Tell whether a table is passed over: one with more rows than are held in memory, or that cannot tell how many."""
    stream = found.stream
    if not stream.again:
        return True
    expected = stream.expected()
    return bool((height(stream.head(MOST_ROWS)) if expected is None else expected - 1) >= MOST_ROWS)


def of_stream(
    found: Opened,
    *,
    level: float = 0.95,
    reference: str | None = None,
    seed: int = 0,
    watch: Callable[[int, int | None], None] | None = None,
    threads: int | None = None,
) -> Comparison:
    """Compare the forecasts of a table of any size in one pass, in bounded memory.

    Parameters
    ----------
    found
        A table with several forecasts; outcomes may stand apart, and are then joined by id. With a group column the
        intervals are those of groups drawn.
    level
        Coverage of the intervals.
    reference
        The forecast that all others are set against; by default every two.
    seed
        Of what is drawn at random.
    watch
        Called with (rows done, rows expected or None) after every batch.
    threads
        How many batches are looked at at a time; None for one per core. The result does not depend on it.

    Raises
    ------
    LoglossError
        UsageError for fewer than two forecasts; DataErrors for rows that cannot be scored.
    """
    whole = compared(found, watch=watch, threads=threads)
    return of_tally(
        whole.tally,
        level=level,
        reference=reference,
        classes=len(whole.classes),
        notes=whole.told(),
        seed=seed,
    )
