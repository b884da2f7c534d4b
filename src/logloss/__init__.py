"""Log loss of probabilistic predictions: the exact number, why it is what it is, and what to do about it.

Every number here is a weighted mean of surprises, -log p(what happened).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from logloss.annotation.doubts import Suspect, Suspects
    from logloss.annotation.estimates import Estimate
    from logloss.annotation.estimation import estimate
    from logloss.annotation.estimators import Estimated
    from logloss.annotation.sampling import Selection, lure_weights
    from logloss.annotation.suspicion import suspects
    from logloss.bars import progress
    from logloss.baserates.prevalence import PriorEstimate
    from logloss.baserates.priors import estimate_prior
    from logloss.baserates.shifts import shift_prior, undo_class_weights
    from logloss.betting.running import sequential
    from logloss.betting.sequence import Sequential
    from logloss.betting.watching import SequentialTest
    from logloss.calibrate.fitted import FittedMap
    from logloss.calibrate.pooled import FittedPool, Member, load_map
    from logloss.comparing.comparison import compare
    from logloss.comparing.contest import Contest
    from logloss.comparing.evidence import Evidence
    from logloss.comparing.results import Comparison, Pair, Standing
    from logloss.conventions import CONVENTIONS, Convention, WhichNumber, which_number
    from logloss.curves.benefits import DecisionCurve
    from logloss.curves.dominance import MurphyCurve
    from logloss.curves.inequality import Lorenz, lorenz
    from logloss.curves.murphy import murphy_curve
    from logloss.curves.netbenefit import decision_curve
    from logloss.curves.reliability import reliability
    from logloss.curves.results import Reliability
    from logloss.deciding.advantages import Worth
    from logloss.deciding.decision import decide
    from logloss.deciding.results import Decisions
    from logloss.deciding.utilities import Utilities
    from logloss.deciding.worth import worth_of_calibration
    from logloss.entropies.distributions import cross_entropy, entropy, kl_divergence
    from logloss.entropies.replicates import CrossEntropyParts, decompose_replicates
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
    from logloss.fixing.recalibration import fix
    from logloss.fixing.results import Fix
    from logloss.fixing.single import fit_map
    from logloss.learning.lesson import learn
    from logloss.notes import Note
    from logloss.observations import observe
    from logloss.panel import Panel, load
    from logloss.ranking import Scores
    from logloss.record import Observations
    from logloss.refereeing.trials import Trial, referee
    from logloss.reporting.results import Report
    from logloss.reports import report
    from logloss.scoring import Score, score
    from logloss.slicing.slices import Slices
    from logloss.summaries import merge, summarize
    from logloss.summary import Summary
    from logloss.why.blame import explain
    from logloss.why.contrast import Gap
    from logloss.why.decomposition import Decomposition, decompose
    from logloss.why.explanation import Explanation
    from logloss.why.gaps import gap
    from logloss.yesno.results import Multilabel
    from logloss.yesno.scoring import multilabel

__version__ = "0.6.0"

# Where each public name lives. Nothing is imported before it is asked for: `import logloss` stays instant.
_HOME = {
    "AlignmentError": "errors",
    "CONVENTIONS": "conventions",
    "ColumnError": "errors",
    "Comparison": "comparing.results",
    "Contest": "comparing.contest",
    "Convention": "conventions",
    "CrossEntropyParts": "entropies.replicates",
    "DataError": "errors",
    "DecisionCurve": "curves.benefits",
    "Decisions": "deciding.results",
    "Decomposition": "why.decomposition",
    "Estimate": "annotation.estimates",
    "Estimated": "annotation.estimators",
    "Evidence": "comparing.evidence",
    "Explanation": "why.explanation",
    "FittedMap": "calibrate.fitted",
    "FittedPool": "calibrate.pooled",
    "Fix": "fixing.results",
    "ForecastError": "errors",
    "Gap": "why.contrast",
    "LoglossError": "errors",
    "LoglossWarning": "errors",
    "Lorenz": "curves.inequality",
    "Member": "calibrate.pooled",
    "Multilabel": "yesno.results",
    "MurphyCurve": "curves.dominance",
    "Note": "notes",
    "Observations": "record",
    "OutcomeError": "errors",
    "Pair": "comparing.results",
    "Panel": "panel",
    "PriorEstimate": "baserates.prevalence",
    "Reliability": "curves.results",
    "Report": "reporting.results",
    "Score": "scoring",
    "Scores": "ranking",
    "Selection": "annotation.sampling",
    "Sequential": "betting.sequence",
    "SequentialTest": "betting.watching",
    "Slices": "slicing.slices",
    "SourceError": "errors",
    "Standing": "comparing.results",
    "Summary": "summary",
    "Suspect": "annotation.doubts",
    "Suspects": "annotation.doubts",
    "Trial": "refereeing.trials",
    "UsageError": "errors",
    "Utilities": "deciding.utilities",
    "WeightError": "errors",
    "WhichNumber": "conventions",
    "Worth": "deciding.advantages",
    "compare": "comparing.comparison",
    "cross_entropy": "entropies.distributions",
    "decide": "deciding.decision",
    "decision_curve": "curves.netbenefit",
    "decompose": "why.decomposition",
    "decompose_replicates": "entropies.replicates",
    "entropy": "entropies.distributions",
    "estimate": "annotation.estimation",
    "estimate_prior": "baserates.priors",
    "explain": "why.blame",
    "fit_map": "fixing.single",
    "fix": "fixing.recalibration",
    "gap": "why.gaps",
    "kl_divergence": "entropies.distributions",
    "learn": "learning.lesson",
    "load": "panel",
    "load_map": "calibrate.pooled",
    "log_loss": "exact",
    "lorenz": "curves.inequality",
    "lure_weights": "annotation.sampling",
    "merge": "summaries",
    "multilabel": "yesno.scoring",
    "murphy_curve": "curves.murphy",
    "observe": "observations",
    "progress": "bars",
    "referee": "refereeing.trials",
    "report": "reports",
    "reliability": "curves.reliability",
    "score": "scoring",
    "sequential": "betting.running",
    "shift_prior": "baserates.shifts",
    "summarize": "summaries",
    "surprise": "exact",
    "suspects": "annotation.suspicion",
    "undo_class_weights": "baserates.shifts",
    "which_number": "conventions",
    "worth_of_calibration": "deciding.worth",
}

__all__ = [
    "CONVENTIONS",
    "AlignmentError",
    "ColumnError",
    "Comparison",
    "Contest",
    "Convention",
    "CrossEntropyParts",
    "DataError",
    "DecisionCurve",
    "Decisions",
    "Decomposition",
    "Estimate",
    "Estimated",
    "Evidence",
    "Explanation",
    "FittedMap",
    "FittedPool",
    "Fix",
    "ForecastError",
    "Gap",
    "LoglossError",
    "LoglossWarning",
    "Lorenz",
    "Member",
    "Multilabel",
    "MurphyCurve",
    "Note",
    "Observations",
    "OutcomeError",
    "Pair",
    "Panel",
    "PriorEstimate",
    "Reliability",
    "Report",
    "Score",
    "Scores",
    "Selection",
    "Sequential",
    "SequentialTest",
    "Slices",
    "SourceError",
    "Standing",
    "Summary",
    "Suspect",
    "Suspects",
    "Trial",
    "UsageError",
    "Utilities",
    "WeightError",
    "WhichNumber",
    "Worth",
    "compare",
    "cross_entropy",
    "decide",
    "decision_curve",
    "decompose",
    "decompose_replicates",
    "entropy",
    "estimate",
    "estimate_prior",
    "explain",
    "fit_map",
    "fix",
    "gap",
    "kl_divergence",
    "learn",
    "load",
    "load_map",
    "log_loss",
    "lorenz",
    "lure_weights",
    "merge",
    "multilabel",
    "murphy_curve",
    "observe",
    "progress",
    "referee",
    "reliability",
    "report",
    "score",
    "sequential",
    "shift_prior",
    "summarize",
    "surprise",
    "suspects",
    "undo_class_weights",
    "which_number",
    "worth_of_calibration",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'logloss' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"logloss.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
