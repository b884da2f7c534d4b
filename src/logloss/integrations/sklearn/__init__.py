"""scikit-learn: its log loss, an exact scorer, and calibrators that stand beside ``CalibratedClassifierCV``.

    from logloss.integrations.sklearn import ForecastCalibrator, RecalibratedClassifier, log_loss, log_loss_scorer

`ForecastCalibrator` mends saved predictions, `RecalibratedClassifier` a model, by the maps of :func:`logloss.fix`.
`log_loss_scorer` is for ``cross_val_score`` and ``GridSearchCV``.
"""

from __future__ import annotations

from logloss.integrations.sklearn.calibrators import ForecastCalibrator
from logloss.integrations.sklearn.metric import log_loss
from logloss.integrations.sklearn.models import RecalibratedClassifier
from logloss.integrations.sklearn.scorers import log_loss_scorer

__all__ = ["ForecastCalibrator", "RecalibratedClassifier", "log_loss", "log_loss_scorer"]
