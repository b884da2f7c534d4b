"""Which number is this? The same rows under every framework's rule.

A rule is a view of the forecast (as given, rounded to float32, divided by the row's sum, or both), a clamp of the surprise
(clipping p into [eps, 1 - eps] clamps -log p into [-log1p(-eps), -log eps]), a divisor and a unit. Near one a
rounded view is exact to about 1e-7 nats a row; clipping before dividing by the row's sum differs by at most K eps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from logloss import units
from logloss.errors import UsageError
from logloss.observations import observe
from logloss.plain import jsonable
from logloss.summary import VIEWS, summarize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logloss.record import Observations, Space
    from logloss.summary import Summary

__all__ = [
    "CONVENTIONS",
    "EDGES",
    "WHO_PAYS",
    "Convention",
    "Match",
    "WhichNumber",
    "under",
    "which_number",
    "which_of",
]

View = Literal["given", "rounded", "renormalized", "keras"]
EPS64, EPS32 = 2.0**-52, 2.0**-23


def _floor(eps: float) -> float:
    return -math.log1p(-eps)


def _cap(eps: float) -> float:
    return -math.log(eps)


@dataclass(frozen=True)
class Convention:
    """One tool's rule. `low` and `high` clamp the surprise (nats); `divisor` is what the sum is divided by."""

    name: str
    rule: str
    source: str
    view: View = "given"
    low: float = 0.0
    high: float = math.inf
    divisor: Literal["weight", "rows"] = "weight"
    unit: str = "nats"


_K = "keras.losses, keras/src/backend: epsilon() = 1e-7, float32"
CONVENTIONS: tuple[Convention, ...] = (
    Convention("exact", "nothing is clipped", "this library"),
    Convention("scikit-learn<=1.1", "clip to 1e-15, then divide by the row's sum", "sklearn/metrics/_classification.py, 0.17 to 1.1", "renormalized", _floor(1e-15), _cap(1e-15)),
    Convention("scikit-learn 1.2-1.4", "clip to 2.2e-16, then divide by the row's sum", "sklearn/metrics/_classification.py, 1.2 to 1.4", "renormalized", _floor(EPS64), _cap(EPS64)),
    Convention("scikit-learn>=1.5", "clip to 2.2e-16", "sklearn/metrics/_classification.py, 1.5 to 1.9; rows no longer divided (PR 28851)", "given", _floor(EPS64), _cap(EPS64)),
    Convention("scikit-learn>=1.5 float32", "p in float32, clip to 1.2e-7", "the same, for float32 input", "rounded", _floor(EPS32), _cap(EPS32)),
    Convention("kaggle", "divide by the row's sum, clip to 1e-15", "Kaggle's wiki page LogarithmicLoss and evaluation pages", "renormalized", _floor(1e-15), _cap(1e-15)),
    Convention("keras", "divide by the row's sum, in float32, clip to 1e-7; metric: sum(w l)/sum(w)", _K, "keras"),
    Convention("keras loss", "the same, as a loss with sample weights: sum(w l)/n", _K + ", reduction sum_over_batch_size", "keras", divisor="rows"),
    Convention("pytorch BCELoss", "each log clamped at -100; sum(w l)/n", "torch.nn.BCELoss documentation", "given", 0.0, 100.0, "rows"),
    Convention("xgboost", "p in float32, floor 1e-16", "src/metric/elementwise_metric.cu, multiclass_metric.cu", "rounded", 0.0, _cap(1e-16)),
    Convention("lightgbm", "floor 1e-15", "src/metric/binary_metric.hpp, multiclass_metric.hpp: kEpsilon", "given", 0.0, _cap(1e-15)),
    Convention("lightgbm cross_entropy", "log floored at 1e-12", "src/metric/xentropy_metric.hpp", "given", 0.0, _cap(1e-12)),
    Convention("catboost", "from raw scores, nothing is clipped", "catboost Logloss, MultiClass", "given"),
    Convention("spark", "clip to 1e-15", "MulticlassMetrics.logLoss", "given", _floor(1e-15), _cap(1e-15)),
    Convention("h2o", "capped at -log 1e-15", "hex.ModelMetrics, MathUtils.logloss", "given", 0.0, _cap(1e-15)),
    Convention("yardstick", "clip to 2.2e-16", "yardstick R/prob-mn_log_loss.R", "given", _floor(EPS64), _cap(EPS64)),
    Convention("ml.net", "nothing is clipped; in bits", "Microsoft.ML BinaryClassifierEvaluator", "given", unit="bits"),
)  # fmt: skip

WHO_PAYS = (0.1, 0.7, 3.0)  # the bins of surprise that are shown; ln 2 = 0.693 is a coin flip
HISTOGRAM = (0.01, 0.03, 0.1, 0.3, 0.7, 1.0, 2.0, 3.0, 5.0, 10.0)
EDGES: tuple[float, ...] = tuple(
    sorted({*HISTOGRAM, *(e for c in CONVENTIONS for e in (c.low, c.high) if 0 < e < math.inf)})
)


def under(summary: Summary, convention: Convention) -> float:
    """Return the loss of a summary's rows under a convention, in the convention's unit."""
    if convention.name == "exact":
        return summary.mean
    total = summary.clamps.clamped(VIEWS.index(convention.view), convention.low, convention.high)
    nats = total / (summary.weight if convention.divisor == "weight" else summary.mass["rows"])
    return units.unit(convention.unit).convert(nats)


@dataclass(frozen=True)
class Match:
    """One way to compute a number from the rows: a convention, an aggregate, a unit."""

    convention: str
    how: str
    value: float
    rule: str
    source: str


@dataclass(frozen=True)
class WhichNumber:
    """The answer of :func:`which_number`: ways that reproduce the reported figure, else the nearest ones."""

    reported: float
    digits: int
    matches: tuple[Match, ...]
    nearest: tuple[Match, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "reported": jsonable(self.reported),
            "digits": self.digits,
            "matches": [jsonable(match.__dict__) for match in self.matches],
            "nearest": [jsonable(match.__dict__) for match in self.nearest],
        }

    def __str__(self) -> str:
        """Say which conventions reproduce the figure."""
        if self.matches:
            lines = [f"{self.reported:g} is what these print for the same rows, to {self.digits} decimals:"]
            shown: Sequence[Match] = self.matches
        else:
            lines = [f"No known convention prints {self.reported:g} for these rows; the nearest:"]
            shown = self.nearest
        return "\n".join(
            [*lines, *(f"  {m.value:<14.8g} {m.convention}, {m.how}  ({m.rule})" for m in shown)]
        )


def which_number(
    y: Any,
    forecast: Any,
    *,
    reported: float | str,
    space: Space = "p",
    weight: Any = None,
    labels: Sequence[Any] | None = None,
    positive: Any = None,
    normalize_rows: bool = False,
) -> WhichNumber:
    """Say which conventions reproduce a log loss that somebody reported for these rows.

    Parameters
    ----------
    y, forecast, space, weight, labels, positive, normalize_rows
        As in :func:`logloss.score`.
    reported
        The figure. Its decimals say how exactly it must be met: 0.2611 means 0.26105 to 0.26115; pass text
        ("0.2610") where the last decimal is a zero.

    Returns
    -------
    WhichNumber
        Matches, and the nearest if there is none. Tried: every convention as mean and sum; the exact mean also in
        bits, in base 10, as perplexity and divided by the number of classes; all of it also without the weights,
        and read as the probability of the other class.

    Examples
    --------
    >>> import logloss as ll
    >>> answer = ll.which_number([1, 0], [0.0, 0.5], reported=17.616)
    >>> [match.convention for match in answer.matches]
    ['scikit-learn<=1.1', 'kaggle', 'lightgbm', 'spark', 'h2o']
    """
    record = observe(
        y,
        forecast,
        weight=weight,
        space=space,
        labels=labels,
        positive=positive,
        normalize_rows=normalize_rows,
    )
    return which_of(record, reported)


def which_of(record: Observations, reported: float | str) -> WhichNumber:
    """Say which conventions reproduce a figure reported for a checked record."""
    figure, digits = _figure(reported)
    found = _ways(summarize(record, EDGES, top=0), "as given")
    if record.weight is not None:
        found += _ways(summarize(replace(record, weight=None), EDGES, top=0), "weights ignored")
    if record.binary and not record.soft:
        other = replace(record, outcome=1 - record.outcome.astype("int8"))
        found += _ways(summarize(other, EDGES, top=0), f"read as the probability of {record.classes[0]!r}")
    half = max(
        0.5 * 10.0**-digits * (1 + 1e-9), 1e-13 * max(1.0, abs(figure))
    )  # no sum is exact to the last digit
    matches = tuple(m for m in found if m.value == figure or abs(m.value - figure) <= half)
    nearest = tuple(sorted(found, key=lambda m: abs(m.value - figure))[:3])
    return WhichNumber(figure, digits, matches, nearest)


def _figure(reported: float | str) -> tuple[float, int]:
    """Return a reported number and how many decimals it was reported with."""
    text = str(reported).strip().lower()
    try:
        figure = float(text)
    except ValueError:
        raise UsageError(
            "bad-figure",
            f"{reported!r} is not a number.",
            cure="Pass the reported log loss, e.g. reported=0.2611.",
        ) from None
    if math.isnan(figure):
        raise UsageError(
            "bad-figure",
            f"{reported!r} is not a number.",
            cure="Pass the reported log loss, e.g. reported=0.2611.",
        )
    mantissa, _, exponent = text.partition("e")
    return figure, max(0, len(mantissa.partition(".")[2]) - int(exponent or 0)) if math.isfinite(
        figure
    ) else 0


def _ways(summary: Summary, how: str) -> list[Match]:
    """Return every aggregate of every convention; the plain mean first."""
    ways = []
    for convention in CONVENTIONS:
        mean = under(summary, convention)
        nats = mean * units.unit(convention.unit).nats_per_unit
        count = summary.weight if convention.divisor == "weight" else summary.mass["rows"]
        aggregates = {"mean": mean, "sum": nats * count}
        if convention.unit == "nats" and convention.name == "exact":
            aggregates |= {
                "mean in bits": units.UNITS["bits"].convert(mean),
                "mean in base 10": units.UNITS["bans"].convert(mean),
                "perplexity": math.exp(mean) if mean < 700 else math.inf,
            }
            aggregates["mean divided by the number of classes"] = mean / len(summary.classes)
        ways += [
            Match(convention.name, f"{label}, {how}", value, convention.rule, convention.source)
            for label, value in aggregates.items()
        ]
    return ways
