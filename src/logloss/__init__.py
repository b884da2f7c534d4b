"""Log loss of probabilistic predictions: the exact number, why it is what it is, and what to do about it.

Every number here is a weighted mean of surprises, -log p(what happened).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from logloss.blame import explain
    from logloss.calibration_curves import reliability
    from logloss.contrast import Gap
    from logloss.conventions import CONVENTIONS, Convention, WhichNumber, which_number
    from logloss.curves import Reliability
    from logloss.distributions import cross_entropy, entropy, kl_divergence
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
    from logloss.estimates import Estimate
    from logloss.estimation import estimate
    from logloss.estimators import Estimated
    from logloss.exact import log_loss, surprise
    from logloss.explanation import Explanation
    from logloss.gaps import gap
    from logloss.inequality import Lorenz, lorenz
    from logloss.labelscores import Multilabel
    from logloss.multilabels import multilabel
    from logloss.notes import Note
    from logloss.observations import observe
    from logloss.panel import Panel, load
    from logloss.ranking import Scores
    from logloss.record import Observations
    from logloss.replicates import CrossEntropyParts, decompose_replicates
    from logloss.sampling import Selection, lure_weights
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
    "CrossEntropyParts": "replicates",
    "DataError": "errors",
    "Estimate": "estimates",
    "Estimated": "estimators",
    "Explanation": "explanation",
    "ForecastError": "errors",
    "Gap": "contrast",
    "LoglossError": "errors",
    "LoglossWarning": "errors",
    "Lorenz": "inequality",
    "Multilabel": "labelscores",
    "Note": "notes",
    "Observations": "record",
    "OutcomeError": "errors",
    "Panel": "panel",
    "Reliability": "curves",
    "Score": "scoring",
    "Scores": "ranking",
    "Selection": "sampling",
    "SourceError": "errors",
    "Summary": "summary",
    "Suspect": "doubts",
    "Suspects": "doubts",
    "UsageError": "errors",
    "WeightError": "errors",
    "WhichNumber": "conventions",
    "cross_entropy": "distributions",
    "decompose_replicates": "replicates",
    "entropy": "distributions",
    "estimate": "estimation",
    "explain": "blame",
    "gap": "gaps",
    "kl_divergence": "distributions",
    "load": "panel",
    "log_loss": "exact",
    "lorenz": "inequality",
    "lure_weights": "sampling",
    "merge": "summaries",
    "multilabel": "multilabels",
    "observe": "observations",
    "reliability": "calibration_curves",
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
    "CrossEntropyParts",
    "DataError",
    "Estimate",
    "Estimated",
    "Explanation",
    "ForecastError",
    "Gap",
    "LoglossError",
    "LoglossWarning",
    "Lorenz",
    "Multilabel",
    "Note",
    "Observations",
    "OutcomeError",
    "Panel",
    "Reliability",
    "Score",
    "Scores",
    "Selection",
    "SourceError",
    "Summary",
    "Suspect",
    "Suspects",
    "UsageError",
    "WeightError",
    "WhichNumber",
    "cross_entropy",
    "decompose_replicates",
    "entropy",
    "estimate",
    "explain",
    "gap",
    "kl_divergence",
    "load",
    "log_loss",
    "lorenz",
    "lure_weights",
    "merge",
    "multilabel",
    "observe",
    "reliability",
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
