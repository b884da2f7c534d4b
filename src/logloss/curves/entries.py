"""Whatever was given -> the questions that curves over thresholds answer, and checks of thresholds and levels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.curves.questions import question
from logloss.errors import UsageError
from logloss.fixing.divisions import divided_together
from logloss.notes import Note
from logloss.panel import Panel
from logloss.sources import gather
from logloss.summary import Summary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from logloss.curves.questions import Question

    Float = NDArray[np.float64]

__all__ = ["ALONE", "asked", "check_level", "check_thresholds"]

FEW = 5  # rows of either outcome
FEW_GROUPS = 10  # with fewer, an interval of groups drawn covers less than it promises
ALONE = "forecast"  # what a forecast without a name is called


def asked(
    data: Any, forecast: Any, event: Any, **options: Any
) -> tuple[dict[str, Question], tuple[Note, ...]]:
    """Ask of every row, under each forecast, whether the event happens; `options` are the table arguments of `ll.score`.

    Returns
    -------
    tuple
        The question by the forecast's name - all of the same rows in the same order - and what was assumed.
    """
    if isinstance(data, Summary | Panel):
        raise UsageError(
            "rows-needed",
            "A summary does not hold the rows that a curve is drawn from.",
            cure="Give the rows, or a sample of them.",
        )
    if not isinstance(forecast, dict):
        record = gather(data, forecast, **options)
        alone = forecast[0] if isinstance(forecast, list | tuple) and len(forecast) == 1 else forecast
        name = alone if isinstance(alone, str) else ALONE
        one = question(record, event)
        return {name: one}, (*record.notes, *_few(one), *_few_groups(one))
    if not forecast:
        raise UsageError("too-few-forecasts", "The mapping of forecasts is empty.", cure="Name at least one.")
    records = divided_together(data, forecast, **options).records
    questions = {name: question(record, event) for name, record in records.items()}
    events = {repr(one.event) for one in questions.values()}
    if len(events) > 1:
        raise UsageError(
            "which-event",
            f"The forecasts are about different events: {', '.join(sorted(events))}.",
            cure="Say with event= (CLI: --event) which class is acted on.",
        )
    notes = dict.fromkeys(note for record in records.values() for note in record.notes)
    first = next(iter(questions.values()))
    return questions, (*notes, *_few(first), *_few_groups(first))


def _few(one: Question) -> list[Note]:
    events = float(one.share.sum())
    rarer = min(events, len(one) - events)
    if rarer >= FEW:
        return []
    rows = f"Only {rarer:g} {'row' if rarer == 1 else 'rows'}" if rarer else "No row"
    return [Note("few-events", f"{rows} of the rarer outcome: intervals and bands that rest on so few are too narrow.")]  # fmt: skip


def _few_groups(one: Question) -> list[Note]:
    many = FEW_GROUPS if one.cluster is None else len(np.unique(one.cluster))
    if many >= FEW_GROUPS:
        return []
    told = f"{many} group{'' if many == 1 else 's'}: intervals and bands that rest on so few cover less often than they promise."
    return [Note("few-groups", told if many > 1 else "All rows are of one group: there is nothing to tell intervals from.")]  # fmt: skip


def check_level(level: float) -> None:
    """Refuse a coverage that is no probability."""
    if not 0 < level < 1:
        raise UsageError(
            "bad-level",
            f"level is {level}, but it is a probability.",
            cure="Give one between 0 and 1, such as 0.95.",
        )


def check_thresholds(thresholds: float | Sequence[float], *, above: bool = False) -> Float:
    """Return thresholds, ascending, each once; refuse those that are not in [0, 1), or in (0, 1) where `above`."""
    try:
        found = np.unique(np.asarray(thresholds, np.float64))
    except (TypeError, ValueError):
        found = np.array([np.nan])
    inside = (found > 0 if above else found >= 0) & (found < 1)
    if not len(found) or not inside.all():
        odd = "there is none" if not len(found) else f"{found[~inside][0]:g} is not one"
        raise UsageError(
            "bad-threshold",
            f"A threshold is a probability {'above' if above else 'from'} 0{'' if above else ' on'} and below 1; {odd}.",
            cure="Give numbers such as thresholds=[0.05, 0.1, 0.2].",
        )
    return found
