"""Findings of all results of a report in one order, the largest first. Ranks them; computes nothing."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from logloss import units
from logloss.reporting.contents import Advice
from logloss.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from logloss.scoring import Score

__all__ = ["advised", "pasted"]

LONG = 1000  # characters of a sentence, of a command


def advised(
    findings: Iterable[Any], score: Score, unit: str, command: Callable[[Any], str]
) -> tuple[Advice, ...]:
    """Return the findings as they are shown; `command` completes the next command with the file and its columns."""
    ordered = sorted(findings, key=lambda one: -one.nats)
    return tuple(
        Advice(
            one.id,
            printable(one.title, LONG),
            printable(one.text, LONG),
            *_worth(one.nats, score, unit),
            pasted(command(one)),
            one.nats,
        )
        for one in ordered
    )


def pasted(command: str) -> str:
    r"""Return a command line that is safe to paste; none where a name in it holds what a terminal would obey, or is very long.

    >>> pasted("logloss fix 'a b.csv'"), pasted("logloss fix 'a\nb.csv'")
    ("logloss fix 'a b.csv'", '')
    """
    return command if printable(command, LONG) == command else ""


def _worth(nats: float, score: Score, unit: str) -> tuple[str, str]:
    """Return what a finding is worth, and its share of the loss, in words."""
    if math.isinf(nats):
        return "infinite", ""
    if nats == 0:
        return "", ""
    whole = score.log_loss_finite
    share = units.percent(nats / whole) + " of the loss" if whole > 0 and nats <= whole else ""
    return f"{units.loss(nats, unit)} {unit}", share
