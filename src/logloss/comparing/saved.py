"""Panels that are compared without their rows: those of one pass; summaries of several passes are refused."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from logloss.errors import AlignmentError, UsageError
from logloss.panel import Panel, load
from logloss.ranking import Scores
from logloss.recognise import is_path
from logloss.scoring import Score
from logloss.summary import Summary

__all__ = ["panel_of", "refuse_idle"]


def panel_of(data: Any) -> Panel | None:
    """Return the panel that was given, or a saved one; refuse summaries of one forecast, and panels of several passes."""
    several = isinstance(data, list | tuple | Mapping)
    given = list(data.values()) if isinstance(data, Mapping) else data if several else [data]
    found = [load(one) if is_path(one) and _saved(Path(one)) else one for one in given]
    found = [one.summary if isinstance(one, Scores) else one for one in found]
    if any(isinstance(one, Summary | Score) for one in found):
        raise AlignmentError(
            "unpaired-summaries",
            "A summary holds the sums of one forecast, not its rows, so it cannot be paired with another.",
            cure="Compare the rows themselves; or keep both in one pass: ll.summarize(table, {'a': 'p_a', 'b': 'p_b'}) (CLI: logloss score --model ... --save).",
        )
    panels = [one for one in found if isinstance(one, Panel)]
    if panels and several:
        raise AlignmentError(
            "unpaired-summaries",
            "Panels of several passes are not paired row by row.",
            cure="Give one panel; parts of the same forecasts are added up with ll.merge (CLI: logloss merge).",
        )
    return panels[0] if panels else None


def _saved(path: Path) -> bool:
    """Tell whether a file holds a summary or a panel that was saved."""
    try:
        with path.open("rb") as file:
            head = file.read(200)
    except OSError:
        return False
    return head[:1] == b"{" and (b'"logloss-panel"' in head or b'"logloss-summary"' in head)


def refuse_idle(panel: Panel, forecast: Any, needs: list[str], options: dict[str, Any]) -> None:
    """Refuse what a panel, which has no rows, cannot be asked."""
    defaults = {"space": "p"}
    idle = [
        *needs,
        *(name for name, value in options.items() if value not in (None, False, defaults.get(name))),
    ]
    if forecast is not None:
        idle = ["forecast", *idle]
    if idle:
        raise UsageError(
            "panel-has-no-rows",
            f"A panel keeps sums, not rows, so {idle[0]}= can change nothing: it is of the forecasts {panel.names}.",
            cure="Leave it out, or compare the rows themselves.",
        )
