"""Every error the library raises on purpose.

::

    LoglossError                 message, cure, slug (a section of docs/messages.md)
    ├── UsageError               the call is wrong: arguments that do not go together   (CLI exit 2)
    └── DataError                the data cannot be scored as they are                  (CLI exit 1)
        ├── SourceError          a file or stream that cannot be read as a table
        ├── ColumnError          a column that is missing, ambiguous or of the wrong kind
        ├── OutcomeError         outcomes: labels, missing values, classes without a column
        ├── ForecastError        forecasts: range, missing values, rows that do not sum to one
        ├── WeightError          weights: negative, missing, all zero
        └── AlignmentError       parts that do not belong together: lengths, indexes, ids

A warning about something assumed, where only a number is returned, is a :class:`LoglossWarning`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "AlignmentError",
    "ColumnError",
    "DataError",
    "ForecastError",
    "LoglossError",
    "LoglossWarning",
    "OutcomeError",
    "SourceError",
    "UsageError",
    "WeightError",
    "listing",
    "places",
    "suggestion",
]


class LoglossError(ValueError):
    """Base of all errors: what is wrong (`message`), how to cure it (`cure`), where it is explained (`slug`)."""

    exit_code = 1

    def __init__(self, slug: str, message: str, cure: str = "") -> None:
        super().__init__(slug, message, cure)  # all of them, so that it can be pickled
        self.slug = slug
        self.message = message
        self.cure = cure

    def __str__(self) -> str:
        """Message, cure and slug as one paragraph."""
        cure = f" {self.cure}" if self.cure else ""
        return f"{self.message}{cure} [{self.slug}]"

    def within(self, where: str) -> LoglossError:
        """Return the same error, said to be about `where`."""
        return type(self)(self.slug, f"{where}: {self.message}", self.cure)


class UsageError(LoglossError):
    """The call itself is wrong."""

    exit_code = 2


class DataError(LoglossError):
    """The data cannot be scored as they are."""


class SourceError(DataError):
    """A file or stream that cannot be read as a table."""


class ColumnError(DataError):
    """A column that is missing, ambiguous or of the wrong kind."""


class OutcomeError(DataError):
    """Outcomes that cannot be scored."""


class ForecastError(DataError):
    """Forecasts that cannot be scored."""


class WeightError(DataError):
    """Weights that cannot be used."""


class AlignmentError(DataError):
    """Parts that do not belong together."""


class LoglossWarning(UserWarning):
    """Something was assumed or found, and the call returns only a number, so it is said here."""


def listing(items: Iterable[object], *, total: int | None = None, limit: int = 5) -> str:
    """Return the first few items and how many more there are.

    >>> listing([3, 17, 20, 21, 40, 41, 42])
    '3, 17, 20, 21, 40 and 2 more'
    """
    shown = list(items)
    count = len(shown) if total is None else total
    text = ", ".join(str(item) for item in shown[:limit])
    more = count - min(limit, len(shown))
    return f"{text} and {more} more" if more > 0 else text


def places(rows: Any, limit: int = 3) -> str:
    """Return row numbers as "row 3" or "rows 3, 17, 20 and 4 more".

    >>> places([3]), places([3, 17, 20, 21])
    ('row 3', 'rows 3, 17, 20 and 1 more')
    """
    return f"{'row' if len(rows) == 1 else 'rows'} {listing(rows[:limit], total=len(rows), limit=limit)}"


def suggestion(name: str, candidates: Sequence[str]) -> str:
    """Return a "Did you mean" sentence for a misspelt name, or nothing.

    >>> suggestion("outcom", ["id", "outcome"])
    " Did you mean 'outcome'?"
    """
    import difflib

    lowered = {candidate.lower(): candidate for candidate in reversed(candidates)}
    close = difflib.get_close_matches(str(name).lower(), list(lowered), n=3, cutoff=0.6)
    if not close:
        return ""
    return f" Did you mean {' or '.join(repr(lowered[match]) for match in close)}?"
