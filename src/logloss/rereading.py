"""Loops of passes: a table that is read again and again under the plan of the first pass, batch by batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from logloss.panel import Panel
from logloss.passes import finished, passed, told

if TYPE_CHECKING:
    from collections.abc import Callable

    from logloss.batches import Batch
    from logloss.choosing import Asked
    from logloss.passes import Work
    from logloss.plan import Plan
    from logloss.record import Observations
    from logloss.summary import Summary

__all__ = ["Again", "Visit", "again"]

T = TypeVar("T")


@dataclass(frozen=True)
class Again:
    """A table that was read once: its summary, and the plan by which it can be read again and again."""

    summary: Summary
    plan: Plan
    work: Work

    def total(self, visit: Callable[[Observations], T]) -> T:
        """Return the sum of what `visit` makes of the checked record of every batch: one more pass."""
        found: T = self.work.run(Visit(self.plan, visit), typed=not self.work.as_text)
        return found


@dataclass(frozen=True)
class Visit:
    """A plan of which every batch is handed to a function, as a checked record."""

    plan: Plan
    visit: Callable[[Observations], Any]

    @property
    def asked(self) -> Asked:
        """The columns."""
        return self.plan.asked

    def numbers(self) -> list[str]:
        """Return the columns that hold numbers."""
        return self.plan.numbers()

    def fold(self, batch: Batch) -> Any:
        """Return what the function makes of a batch."""
        return self.visit(self.plan.record(batch))


def again(
    stream: Any,
    asked: Asked,
    *,
    watch: Callable[[int, int | None], None] | None = None,
    skip_unreadable: bool = False,
) -> Again:
    """Return a table's summary, and what it takes to pass over it again; for one forecast, and what can be re-read."""
    whole, plan, work, rows, complete = passed(
        stream, asked, 20, watch, None, skip_unreadable=skip_unreadable, threads=None
    )
    summary = finished(whole, told(plan, rows, complete=complete, unread=work.unread))
    assert not isinstance(summary, Panel)
    return Again(summary, plan, work)
