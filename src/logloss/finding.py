"""What is worth saying about a result, and what was looked for and not found: one sentence each. Computes nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from logloss.errors import UsageError, suggestion

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Check", "Finding", "chosen"]


@dataclass(frozen=True)
class Finding:
    """One sentence: what, how much it is worth, and what to do next. Ids are stable.

    Attributes
    ----------
    id
        Its section in docs/messages.md.
    nats
        What it costs or would save, in nats a row of the whole; inf where the loss is infinite, 0 for a remark.
    text
        The sentence: number first, plain subject, cause, and the doubt with it.
    command
        The next command line; FILE stands for a file that is not known here.
    call
        The next call in Python, with the result called as in the docs: `why`, `comparison`, `decisions`, `fixed`.
    title
        The subject in at most 60 characters.
    worth
        Where it is not about nats: what it costs or would save a row, in the user's own unit.
    """

    id: str
    nats: float
    text: str
    command: str
    call: str = ""
    title: str = ""
    worth: float | None = None

    @property
    def severity(self) -> Literal["infinite", "cost", "remark"]:
        """Whether it makes the loss infinite, costs something finite, or is only to be known."""
        if math.isinf(self.nats):
            return "infinite"
        return "cost" if self.nats > 0 or (self.worth or 0.0) > 0 else "remark"

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON contract; the text "inf" for infinite nats."""
        return {
            "id": self.id,
            "nats": "inf" if math.isinf(self.nats) else self.nats,
            "text": self.text,
            "command": self.command,
            "call": self.call,
            "title": self.title,
            "severity": self.severity,
            "worth": self.worth,
        }


@dataclass(frozen=True)
class Check:
    """What a finding of the same id would have said: it was looked for and not found, or not looked for, and why."""

    id: str
    text: str
    state: Literal["passed", "not looked at"]
    title: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {"id": self.id, "state": self.state, "text": self.text, "title": self.title}


def chosen(ids: str | Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    """Return the ids of findings to leave out, each once; refuse those that are none.

    >>> chosen(["LL010", "LL010"], ["LL010", "LL020"])
    ('LL010',)
    """
    asked = (ids,) if isinstance(ids, str) else tuple(ids)
    odd = [one for one in asked if one not in known]
    if odd:
        raise UsageError(
            "unknown-finding",
            f"There is no finding {odd[0]!r} to leave out.{suggestion(str(odd[0]), list(known))}",
            cure=f"Findings: {', '.join(known)}.",
        )
    return tuple(dict.fromkeys(asked))
