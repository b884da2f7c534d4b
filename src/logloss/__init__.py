"""Log loss of probabilistic predictions: the exact number, why it is what it is, and what to do about it.

Every number here is a weighted mean of surprises, -log p(what happened).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from logloss.blame import explain
    from logloss.conventions import CONVENTIONS, Convention, WhichNumber, which_number
    from logloss.doubts import Suspect, Suspects
    from logloss.errors import (
        AlignmentError,
        ColumnError,
        DataError,
        ForecastError,
        LoglossError,
        LoglossWarning,
        OutcomeError,
        SourceError,
        UsageError,
        WeightError,
    )
    from logloss.exact import log_loss, surprise
    from logloss.explanation import Explanation
    from logloss.notes import Note
    from logloss.observations import observe
    from logloss.panel import Panel, load
    from logloss.ranking import Scores
    from logloss.record import Observations
    from logloss.scoring import Score, score
    from logloss.summaries import merge, summarize
    from logloss.summary import Summary
    from logloss.suspicion import suspects

__version__ = "0.2.0"

# Where each public name lives. Nothing is imported before it is asked for: `import logloss` stays instant.
_HOME = {
    "AlignmentError": "errors",
    "CONVENTIONS": "conventions",
    "ColumnError": "errors",
    "Convention": "conventions",
    "DataError": "errors",
    "Explanation": "explanation",
    "ForecastError": "errors",
    "LoglossError": "errors",
    "LoglossWarning": "errors",
    "Note": "notes",
    "Observations": "record",
    "Panel": "panel",
    "Scores": "ranking",
    "OutcomeError": "errors",
    "Score": "scoring",
    "SourceError": "errors",
    "Summary": "summary",
    "Suspect": "doubts",
    "Suspects": "doubts",
    "UsageError": "errors",
    "WeightError": "errors",
    "WhichNumber": "conventions",
    "explain": "blame",
    "load": "panel",
    "merge": "summaries",
    "log_loss": "exact",
    "observe": "observations",
    "score": "scoring",
    "summarize": "summaries",
    "surprise": "exact",
    "suspects": "suspicion",
    "which_number": "conventions",
}

__all__ = [
    "CONVENTIONS",
    "AlignmentError",
    "ColumnError",
    "Convention",
    "DataError",
    "Explanation",
    "ForecastError",
    "LoglossError",
    "LoglossWarning",
    "Note",
    "Observations",
    "OutcomeError",
    "Panel",
    "Score",
    "Scores",
    "SourceError",
    "Summary",
    "Suspect",
    "Suspects",
    "UsageError",
    "WeightError",
    "WhichNumber",
    "explain",
    "load",
    "log_loss",
    "merge",
    "observe",
    "score",
    "summarize",
    "surprise",
    "suspects",
    "which_number",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'logloss' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"logloss.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
