"""scikit-learn: its log loss, and calibrators that stand beside ``CalibratedClassifierCV``.

    from logloss.integrations.sklearn import ForecastCalibrator, RecalibratedClassifier, log_loss

`ForecastCalibrator` mends saved predictions, `RecalibratedClassifier` a model, by the maps of :func:`logloss.fix`.
"""

from __future__ import annotations

from logloss.integrations.sklearn.calibrators import ForecastCalibrator
from logloss.integrations.sklearn.metric import log_loss
from logloss.integrations.sklearn.models import RecalibratedClassifier

__all__ = ["ForecastCalibrator", "RecalibratedClassifier", "log_loss"]
