"""The pass in pieces that travel: what a worker does with its rows, and how the pieces become one.

A worker returns bytes: the summary of its rows as JSON, or the error they have, or that the plan does not fit them.
Nothing is raised in a worker, so that no scheduler takes bad rows for a failed machine and tries them again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss import errors
from logloss.batches import InMemory
from logloss.choosing import single_outcome
from logloss.errors import LoglossError, SourceError
from logloss.outcomes import distinct_of
from logloss.panel import from_dict
from logloss.passes import driven, finished, height, told
from logloss.plain import jsonable
from logloss.plan import Plan, Surprised
from logloss.reading import engine
from logloss.recognise import Vector, table
from logloss.stages import staged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from logloss.choosing import Asked
    from logloss.panel import Panel
    from logloss.summary import Summary

__all__ = ["Distinct", "Fold", "merged", "spread"]

ROWS = 1 << 18  # small tables are put together up to so many rows


@dataclass(frozen=True)
class Fold:
    """What a worker does: tables of one partition -> the bytes of their summary; b"" for no rows."""

    plan: Plan

    def __call__(self, tables: Iterable[Any], part: str) -> bytes:
        """Fold the tables; `part` is how the partition is called."""
        whole: Any = None
        start = 0
        try:
            for columns in _gathered(tables):
                source = InMemory(columns, part, part)
                for batch in source.batches(self.plan.asked.columns()):
                    found = self.plan.fold(replace(batch, start=start + batch.start))
                    whole = found if whole is None else whole + found
                start += source.expected() or 0
        except Surprised:
            return _packed({"part": part, "surprised": True})
        except LoglossError as error:
            return _packed({"part": part, "error": _error(error)})
        return b"" if whole is None else _packed({"part": part, "summary": whole.to_dict()})


@dataclass(frozen=True)
class Distinct:
    """What a worker does when the first rows did not show all labels: the distinct values of the outcome."""

    column: str

    def __call__(self, tables: Iterable[Any], part: str) -> bytes:
        """Return the labels of the tables."""
        values: list[Any] = [distinct_of([columns[self.column]]) for columns in _gathered(tables)]
        if not values:
            return b""
        found = distinct_of(values)
        labels = found.tolist() if isinstance(found, np.ndarray) else found.to_list()
        return _packed({"part": part, "labels": labels})


def merged(pieces: Iterable[bytes]) -> bytes:
    """Add pieces up, in the order of their partitions; the first error wins."""
    states = sorted((json.loads(piece) for piece in pieces if piece), key=lambda state: str(state["part"]))
    if not states:
        return b""
    part = states[0]["part"]
    for state in states:
        if "error" in state:
            return _packed(state)
    if any("surprised" in state for state in states):
        return _packed({"part": part, "surprised": True})
    if "labels" in states[0]:
        return _packed({"part": part, "labels": sorted({v for s in states for v in s["labels"]}, key=str)})
    whole = reduce(add, (from_dict(state["summary"]) for state in states))
    return _packed({"part": part, "summary": whole.to_dict()})


@staged("rows in the cluster")
def spread(head: Any, asked: Asked, job: Callable[[Any], bytes], *, top: int) -> Summary | Panel:
    """Return the summary of rows that lie elsewhere.

    `head` are some of the first rows as a table; `job(work)` runs `work(tables, part)` on every partition and
    returns the merged bytes.
    """
    first_rows = InMemory(table(head), "The frame")

    def run(plan: Plan, *, first: bool) -> Any:
        del first
        state = json.loads(job(Fold(plan)) or b"{}")
        if "surprised" in state:
            raise Surprised
        if "error" in state:
            raise _raised(state["error"], state["part"])
        if "summary" not in state:
            raise SourceError("no-rows", "The frame has no rows.", cure="Give it rows.")
        return from_dict(state["summary"])

    def distinct(reason: LoglossError | None) -> dict[str, Any]:
        del reason
        column = (asked.outcome or [single_outcome(first_rows, asked)])[0]
        labels = json.loads(job(Distinct(column)))["labels"]
        values = np.asarray(labels)
        seen = Vector(values if values.dtype.kind in "biuf" else np.array(labels, dtype=object))
        return {"seen": seen, "kinds": {}}

    if not height(first_rows):
        raise SourceError("no-rows", "The frame has no rows.", cure="Give it rows.")
    whole, plan = driven(first_rows, asked, top, run, distinct, complete=False)
    return finished(whole, told(plan, height(first_rows), complete=False, unread=[]))


def _gathered(tables: Iterable[Any]) -> Iterator[dict[str, Any]]:
    """Yield the columns of tables; small Arrow batches are put together."""
    waiting: list[Any] = []
    rows = 0
    for piece in tables:
        if isinstance(piece, dict) or not hasattr(piece, "__arrow_c_array__"):
            yield table(piece)
            continue
        waiting.append(engine().DataFrame(piece))
        rows += waiting[-1].height
        if rows >= ROWS:
            yield table(engine().concat(waiting))
            waiting, rows = [], 0
    if rows:
        yield table(engine().concat(waiting))


def _packed(state: dict[str, Any]) -> bytes:
    return json.dumps(state, allow_nan=False, default=jsonable).encode()


def _error(error: LoglossError) -> dict[str, str]:
    return {"kind": type(error).__name__, "slug": error.slug, "message": error.message, "cure": error.cure}


def _raised(state: dict[str, str], part: str) -> LoglossError:
    """Return a worker's error as it was raised there."""
    kind = getattr(errors, state["kind"], errors.DataError)
    error: LoglossError = kind(state["slug"], state["message"], state["cure"])
    return error if part in error.message else error.within(part)
