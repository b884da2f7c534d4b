"""`log_loss_scorer`: the exact log loss, negated, for ``cross_val_score`` and ``GridSearchCV``."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from sklearn.metrics._scorer import _BaseScorer

from logloss.exact import log_loss
from logloss.refereeing.heldout import record_of
from logloss.refereeing.hypotheses import check_length, say
from logloss.refereeing.portions import count_of
from logloss.refereeing.witnesses import outcomes_of, weights_of
from logloss.surprises import per_row

__all__ = ["log_loss_scorer"]


def _log_loss(y_true: Any, y_proba: Any, *, sample_weight: Any = None) -> float:
    """Score plain labels and columns: by this signature scikit-learn knows what the scorer can be given."""
    return log_loss(y_true, y_proba, sample_weight=sample_weight)


class _LogLossScorer(_BaseScorer):
    """``scorer(estimator, X, y)``: minus the mean surprise of y, nothing clipped; columns are matched by `classes_`."""

    def __repr__(self) -> str:
        return "log_loss_scorer"

    def set_score_request(self, **kwargs: Any) -> _LogLossScorer:
        """Return a scorer that asks for this metadata; this one, which all share, stays as it is."""
        own = copy.deepcopy(self)
        super(_LogLossScorer, own).set_score_request(**kwargs)
        return own

    def _score(self, method_caller: Any, estimator: Any, X: Any, y_true: Any, **kwargs: Any) -> float:  # noqa: ARG002  # scikit-learn's signature
        n = count_of(y_true, "The outcomes")
        weight = weights_of(kwargs.get("sample_weight"), n)
        answer = say(estimator, X, y_true, [], None)
        check_length(answer, n)
        surprise = answer.surprise
        if surprise is None:
            name = type(estimator).__name__
            surprise = per_row(record_of(name, [answer], outcomes_of(y_true), np.arange(n), apart=True)[0])
        rows = weight > 0
        return self._sign * float(np.average(surprise[rows], weights=weight[rows]))  # type: ignore[no-any-return]


log_loss_scorer = _LogLossScorer(_log_loss, -1, {}, response_method="predict_proba")
log_loss_scorer.__doc__ = """Minus the exact log loss in nats, of held-out rows: ``cross_val_score(model, X, y, scoring=log_loss_scorer)``.

Unlike "neg_log_loss" it clips nothing (a probability of 0 that happened gives -inf), and it does not fail where a fold lacks a
class: the columns are those of the estimator's `classes_`. A class that was not in the training rows has probability 0. Models
with `surprise(X, y)` are scored by that. Takes `sample_weight` by metadata routing; rows of weight 0 count nowhere.
"""
