"""The answer of explain: who carries the loss, is the forecast over-confident, what would change it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from logloss.figures.drawing import Framed
from logloss.plain import jsonable
from logloss.why import accounts

if TYPE_CHECKING:
    import os

    import numpy as np
    from numpy.typing import NDArray

    from logloss.annotation.doubts import Suspects
    from logloss.calibrate.clip import Clip
    from logloss.comparing.results import Comparison
    from logloss.curves.benefits import DecisionCurve
    from logloss.curves.inequality import Lorenz
    from logloss.curves.results import Reliability
    from logloss.deciding.results import Decisions
    from logloss.entropies.replicates import CrossEntropyParts
    from logloss.figures.drawing import Drawings
    from logloss.record import Observations
    from logloss.reporting.results import Report
    from logloss.scoring import Score
    from logloss.slicing.searching import Search
    from logloss.slicing.slices import Slices
    from logloss.why.decomposition import Decomposition
    from logloss.why.findings import Finding
    from logloss.why.whatif import WhatIf

    Float = NDArray[np.float64]

__all__ = ["Explanation", "Row"]


@dataclass(frozen=True)
class Row:
    """A costly row: its number in the input (from 0), what happened, what was forecast of it, what was said most."""

    row: int
    id: Any
    outcome: Any
    forecast: float
    predicted: Any
    surprise: float
    share: float | None
    cumulative: float | None
    part: str = ""  # the file, where there are several


@dataclass(frozen=True, eq=False)
class Explanation(Framed):
    """Why a loss is what it is. Losses in nats, in sample unless said otherwise.

    Attributes
    ----------
    expected_log_loss
        What the forecasts themselves expect: their mean entropy.
    excess_z
        (loss - expected) / its standard error under the forecasts' own belief: > 0 over-confident, < 0
        under-confident. None where infinite.
    census
        Forecasts of exactly 0 or 1, and how many of the errors they are.
    half
        The number of rows that carry half of the loss; None where only a summary is known.
    clip
        For two classes: the best and the advised clip. None otherwise, and where only a summary is known.
    mix
        For K classes: the best share of the uniform forecast to mix in. None for two.
    decomposition
        Uncertainty, discrimination, miscalibration, and what the last consists of. None where only a summary is
        known.
    slices, search
        Where in the data the loss is: slices listed beforehand; a tree found on one half of the rows and measured on
        the other. None without columns to slice by, and for fewer than 20 rows (400 for the tree).
    blunders
        By how many nats in total the rows that carry half of the loss cost more than was to be expected of them, and
        that excess in standard errors.
    suspects
        The probability of each label that it is wrong, and how many are.
    labels_hold
        Whether label noise is told from none also without the slices that are worse calibrated.
    reliability
        The reliability curve with its bands; expected beside observed loss by bin.
    lorenz
        The share of the loss that the costliest rows carry.
    replicated
        Entropy of soft outcomes and what the forecasts add; uncertainty, resolution and reliability of forecasts that
        are said again and again. None where neither is the case.
    observations, surprise
        The checked record (outcomes, forecasts, ids in the order of the forecasts), and the surprise of each row;
        None where only a summary is known.
    """

    score: Score
    expected_log_loss: float
    excess_z: float | None
    worst: tuple[Row, ...]
    half: int | None
    classes: tuple[dict[str, Any], ...]
    pairs: tuple[dict[str, Any], ...]
    confusion: tuple[tuple[float, ...], ...] | None
    census: dict[str, int]
    clip: Clip | None
    mix: dict[str, float] | None
    what_ifs: tuple[WhatIf, ...]
    findings: tuple[Finding, ...]
    decomposition: Decomposition | None
    slices: Slices | None
    search: Search | None
    blunders: tuple[float, float] | None
    suspects: Suspects | None
    labels_hold: bool
    reliability: Reliability | None
    lorenz: Lorenz | None
    replicated: CrossEntropyParts | None
    observations: Observations | None = field(repr=False)
    surprise: Float | None = field(repr=False)

    def _drawings(self) -> Drawings:
        from logloss.figures.budget import BUDGET
        from logloss.figures.clips import CLIP
        from logloss.figures.doubts import SUSPECTS
        from logloss.figures.losses import BASELINES
        from logloss.figures.payers import LORENZ, PAYERS
        from logloss.figures.reliability import BELIEF, LINEAR, LOG_ODDS
        from logloss.figures.segments import SLICES

        whole, curve = (lambda self: self.score), (lambda self: self.reliability)
        return {
            "budget": BUDGET.of(lambda self: self.decomposition),
            "payers": PAYERS.of(whole),
            "lorenz": LORENZ.of(lambda self: self.lorenz),
            "reliability": LOG_ODDS.of(curve),
            "linear": LINEAR.of(curve),
            "belief": BELIEF.of(curve),
            "clip": CLIP.of(lambda self: self.clip),
            "slices": SLICES.of(lambda self: self.slices),
            "suspects": SUSPECTS.of(lambda self: self.suspects),
            "baselines": BASELINES.of(whole),
        }

    def report(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        comparison: Comparison | None = None,
        decisions: Decisions | None = None,
        curve: DecisionCurve | None = None,
        title: str | None = None,
        unit: str = "nats",
        rows: bool = True,
    ) -> Report:
        """Return the report of this explanation and, where they are given, of other results of the same rows.

        Parameters
        ----------
        path
            Where to write it; the format follows from the name: .html, .md, .txt, .json.
        comparison, decisions, curve
            What `compare`, `decide` and `decision_curve` returned.
        title
            Of the page.
        unit
            Of the losses: "nats", "bits" or "bans".
        rows
            Whether single rows are shown.
        """
        from logloss.reporting.results import of_results

        made = of_results(
            self, comparison=comparison, decisions=decisions, curve=curve, title=title, unit=unit, rows=rows
        )
        if path is not None:
            made.save(path)
        return made

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON contract: nats; the text "inf" for infinite, None where undefined."""
        clip, parts = self.clip, self.decomposition
        told = {} if parts is None else parts.to_dict()
        state: dict[str, Any] = jsonable(
            {
                "schema": 1,
                "log_loss": self.score.log_loss,
                "log_loss_finite": self.score.log_loss_finite,
                "n": self.score.n,
                "expected_log_loss": self.expected_log_loss,
                "excess_z": self.excess_z,
                "decomposition": told.get("decomposition"),
                "decomposition_cross_fitted": told.get("decomposition_cross_fitted"),
                "budget": told.get("budget", []),
                "miscalibration": None
                if parts is None
                else {
                    key: told[key]
                    for key in (
                        "method",
                        "miscalibration_interval",
                        "discrimination_interval",
                        "folds",
                        "steps",
                        "tried",
                    )
                },
                "slices": [] if self.slices is None else self.slices.to_dict(),
                "slices_looked_at": 0 if self.slices is None else self.slices.looked_at,
                "top_rows": {
                    "rows": self.half,
                    "nats_beyond_expected": None
                    if self.blunders is None
                    else self.blunders[0] / self.score.weight,
                    "z": None if self.blunders is None else self.blunders[1],
                },
                "search": None if self.search is None else self.search.to_dict(),
                "suspects": None if self.suspects is None else _suspects(self.suspects),
                "reliability": None
                if self.reliability is None
                else {
                    "bins": self.reliability.curve.bins.frame(),
                    "outside": self.reliability.curve.outside,
                    "belief": self.reliability.belief.frame(),
                },
                "lorenz": None
                if self.lorenz is None
                else {"gini": self.lorenz.gini, "half": self.lorenz.half, "largest": self.lorenz.largest},
                "cross_entropy": None if self.replicated is None else self.replicated.to_dict(),
                "worst": [asdict(row) for row in self.worst],
                "rows_for_half": self.half,
                "classes": list(self.classes),
                "pairs": list(self.pairs),
                "confusion": self.confusion,
                "census": self.census,
                "clip": None
                if clip is None
                else {
                    "best": clip.best,
                    "log_loss": clip.log_loss,
                    "suggested": clip.suggested,
                    "suggested_log_loss": clip.suggested_log_loss,
                    "gain": clip.gain,
                    "gain_interval": clip.gain_interval,
                },
                "mix": self.mix,
                "what_if": [asdict(what_if) for what_if in self.what_ifs],
                "findings": [asdict(finding) for finding in self.findings],
                "notes": [{"id": note.id, "text": note.text} for note in self.score.notes],
            }
        )
        return state

    def __str__(self) -> str:
        """One screen of text."""
        return self.show()

    def show(self, unit: str = "nats", *, notes: bool = True) -> str:
        """Return one screen of text with losses in `unit`."""
        return accounts.explanation(self, unit, notes=notes)

    def _repr_html_(self) -> str:
        import html

        return f"<pre>{html.escape(str(self))}</pre>"


def _suspects(found: Suspects) -> dict[str, Any]:
    """Return what suspects() tells, without its notes."""
    return {key: value for key, value in found.to_dict().items() if key not in ("schema", "notes")}
