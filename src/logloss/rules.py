"""Every tool's rule for the log loss, as a table; and the bins of surprise from which each can be read off.

A rule is a view of the forecast (as given, rounded to float32, divided by the row's sum, or both), a clamp of the surprise
(clipping p into [eps, 1 - eps] clamps -log p into [-log1p(-eps), -log eps]), a divisor and a unit. Near one a
rounded view is exact to about 1e-7 nats a row; clipping before dividing by the row's sum differs by at most K eps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

__all__ = ["CLIP32", "CONVENTIONS", "EDGES", "HISTOGRAM", "VIEWS", "WHO_PAYS", "Convention"]

CLIP32 = (np.float32(1e-7), np.float32(1 - 1e-7))  # Keras's limits of p
View = Literal["given", "rounded", "renormalized", "keras"]
VIEWS: tuple[str, ...] = get_args(View)
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


def _edges(*views: View, more: tuple[float, ...] = ()) -> tuple[float, ...]:
    clamps = {e for c in CONVENTIONS if c.view in views for e in (c.low, c.high)}
    return tuple(sorted({*more, *clamps} - {0.0, math.inf}))


# Between these surprises lie the bins of each view. Those of "given" hold the ones of "renormalized", so that where
# both views are the same numbers (one column, logits) the bins of one are sums of the other's.
EDGES: dict[str, tuple[float, ...]] = {
    "given": _edges("given", "renormalized", more=HISTOGRAM),
    "rounded": _edges("rounded"),
    "renormalized": _edges("renormalized"),
    "keras": _edges("keras"),
}
