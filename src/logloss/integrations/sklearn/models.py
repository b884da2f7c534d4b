"""`RecalibratedClassifier`: a model whose probabilities are mended by a map fitted to forecasts it made of unseen rows."""

from __future__ import annotations

import warnings
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import MetaEstimatorMixin, clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import StratifiedGroupKFold, check_cv
from sklearn.svm import LinearSVC
from sklearn.utils import Bunch, get_tags, indexable
from sklearn.utils._metadata_requests import _routing_enabled
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.metaestimators import _safe_split
from sklearn.utils.multiclass import unique_labels
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import (
    _check_method_params,
    _check_response_method,
    check_is_fitted,
    has_fit_parameter,
)

from logloss.errors import OutcomeError, UsageError, listing, suggestion
from logloss.integrations.sklearn.calibrators import Mapped, outcomes, weights
from logloss.integrations.sklearn.mapping import (
    RACE,
    check_map,
    coded,
    every_class,
    map_of,
    record_of,
    two_only,
)
from logloss.plain import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from logloss.record import Space

__all__ = ["RecalibratedClassifier"]

SPACE_OF: dict[str, Space] = {"predict_proba": "p", "predict_log_proba": "logp", "decision_function": "logit"}
AUTO = ("predict_proba", "decision_function")
FOLDS = 5


class RecalibratedClassifier(MetaEstimatorMixin, Mapped):
    """A classifier with the probabilities that rows it has not seen would give it; beside ``CalibratedClassifierCV``.

    The estimator forecasts each fold of the rows after being trained on the others; a map is fitted to these forecasts; then the
    estimator is trained once more, on all rows, and the map goes behind it.

    Parameters
    ----------
    estimator
        Any classifier with `predict_proba` or `decision_function`; LinearSVC by default, as in ``CalibratedClassifierCV``. A
        ``FrozenEstimator`` is not trained again: the map is fitted to its forecasts of the rows given, which must be rows
        that it has not seen.
    map
        "race" (default), "best", one name, or a list of names, as in :class:`ForecastCalibrator`.
    cv
        Folds, as scikit-learn takes them: a number (stratified; whole groups where `groups` are given), a splitter, or pairs of
        training and test rows. Rows that are in no test part - the first stretch of ``TimeSeriesSplit`` - have no part in the
        map. "prefit" is for an estimator that is fitted: it is not trained again, as if frozen.
    method
        What the estimator is asked for: "predict_proba", "predict_log_proba", "decision_function" (read as logits), or
        "auto" (default): the first of `predict_proba` and `decision_function` that it has.
    n_jobs
        How many folds at once.

    Attributes
    ----------
    estimator_
        The estimator, trained on all rows.
    map_
        The :class:`logloss.FittedMap` behind it.
    fix_
        The :class:`logloss.Fix` of a race, of the out-of-fold forecasts; None where one map was named. Pickles leave out its rows.
    classes_
        Ascending, shape (K,).
    method_
        What the estimator is asked for.
    n_features_in_, feature_names_in_
        The estimator's, where it has them.

    Notes
    -----
    Forecasts of rows that a model was trained on look better than those of new rows; a map learnt from them makes new ones
    worse. That is why there are folds, and why a frozen model needs rows of its own.

    A weight goes to the estimator, if its `fit` takes one, and to the map.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.metrics import log_loss
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from logloss.integrations.sklearn import RecalibratedClassifier
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> model = RecalibratedClassifier(GaussianNB(), map="venn_abers").fit(X[:400], y[:400])
    >>> raw = GaussianNB().fit(X[:400], y[:400])
    >>> [round(log_loss(y[400:], one.predict_proba(X[400:])), 2) for one in (raw, model)]
    [0.29, 0.14]
    """

    def __init__(
        self,
        estimator: Any = None,
        *,
        map: str | Sequence[str] = RACE,  # noqa: A002  # the parameter's name is the face
        cv: Any = FOLDS,
        method: str = "auto",
        n_jobs: int | None = None,
    ) -> None:
        self.estimator = estimator
        self.map = map
        self.cv = cv
        self.method = method
        self.n_jobs = n_jobs

    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None, **fit_params: Any
    ) -> RecalibratedClassifier:
        """Fit the map to out-of-fold forecasts, and the estimator to all rows.

        Parameters
        ----------
        X
            What the estimator takes; it is not looked at here.
        y
            Labels of any one type, shape (n,).
        sample_weight
            Shape (n,).
        groups
            The group of each row, shape (n,): it stays in one fold, of the estimator and of the race.
        **fit_params
            For the estimator's `fit`; those with a value per row are divided as the rows are.

        Raises
        ------
        ValueError
            Where a class has fewer rows than there are folds, or is missing in a training part; for forecasts of the estimator
            that are none.
        """
        if self.method != "auto" and self.method not in SPACE_OF:
            raise UsageError(
                "unknown-method",
                f"{self.method!r} is not a method.{suggestion(str(self.method), ['auto', *SPACE_OF])}",
                cure=f"Methods: auto, {', '.join(SPACE_OF)}.",
            )
        y = outcomes(self, y)
        X, y, groups = indexable(X, y, groups)
        weight = weights(sample_weight, y)
        estimator = self._estimator()
        params = self._routed(estimator, sample_weight, groups, fit_params)
        frozen = isinstance(estimator, FrozenEstimator) or (isinstance(self.cv, str) and self.cv == "prefit")
        if frozen:
            check_is_fitted(estimator)
            self.estimator_ = estimator
        self.classes_ = every_class(np.asarray(estimator.classes_) if frozen else unique_labels(y))
        check_map(self.map, len(self.classes_))
        codes = coded(y, self.classes_)
        self.method_ = _check_response_method(
            estimator, list(AUTO) if self.method == "auto" else self.method
        ).__name__
        if frozen:
            rows, values = np.arange(len(y)), forecast_of(estimator, X, self.method_, self.classes_)
        else:
            splits = self._splits(X, y, codes, groups, params.splitter.split)
            rows, values = self._held_out(estimator, X, y, splits, params.estimator.fit)
            self.estimator_ = clone(estimator).fit(X, y, **params.estimator.fit)
        record = record_of(
            values,
            codes[rows],
            self.classes_,
            SPACE_OF[self.method_],
            None if weight is None else weight[rows],
            None if groups is None else np.asarray(groups)[rows],
        )
        self.map_, self.fix_ = map_of(record, self.map)
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(self.estimator_, name):
                setattr(self, name, getattr(self.estimator_, name))
        return self

    def _forecast(self, X: Any) -> tuple[NDArray[Any], Space]:
        return forecast_of(self.estimator_, X, self.method_, self.classes_), SPACE_OF[self.method_]

    def _estimator(self) -> Any:
        if self.estimator is not None:
            return self.estimator
        model = LinearSVC(random_state=0)
        return model.set_fit_request(sample_weight=True) if _routing_enabled() else model

    def _routed(self, estimator: Any, sample_weight: Any, groups: Any, fit_params: dict[str, Any]) -> Any:
        """Return what goes to the estimator's fit and to the splitter's split."""
        if _routing_enabled():
            told = {"sample_weight": sample_weight, "groups": groups}
            told = {name: value for name, value in told.items() if value is not None}
            return process_routing(self, "fit", **told, **fit_params)
        if sample_weight is not None and has_fit_parameter(estimator, "sample_weight"):
            fit_params = fit_params | {"sample_weight": sample_weight}
        elif sample_weight is not None:
            warnings.warn(
                f"{type(estimator).__name__}.fit takes no sample_weight: weights go to the map alone.",
                UserWarning,
                stacklevel=3,
            )
        return Bunch(estimator=Bunch(fit=fit_params), splitter=Bunch(split={}))

    def _splits(
        self, X: Any, y: NDArray[Any], codes: NDArray[np.int64], groups: Any, params: dict[str, Any]
    ) -> list[tuple[Any, Any]]:
        """Return (training rows, test rows) of each fold, in which no row is held out twice."""
        cv = FOLDS if self.cv is None else self.cv
        if isinstance(cv, Integral):
            count = np.bincount(codes, minlength=len(self.classes_))
            few = count < int(cv)
            if few.any():
                raise OutcomeError(
                    "few-for-folds",
                    f"{cv} folds, but fewer than {cv} rows of these classes: {listing([f'{plain(label)!r} ({n})' for label, n in zip(self.classes_[few], count[few], strict=True)])}.",
                    cure=f"Give more rows of them, or fewer folds: cv={max(int(count.min()), 2)}.",
                )
            cv = StratifiedGroupKFold(cv) if groups is not None else cv
        told = params if groups is None else params | {"groups": groups}
        splits = list(check_cv(cv, y, classifier=True).split(X, y, **told))
        rows = np.concatenate([np.arange(len(y))[test] for _, test in splits])
        twice = np.bincount(rows, minlength=len(y)) > 1
        if twice.any():
            raise UsageError(
                "held-out-twice",
                f"cv holds {int(twice.sum()):,} rows out more than once: their forecasts would count more than once.",
                cure="Give folds that do not overlap, such as StratifiedKFold or TimeSeriesSplit.",
            )
        return splits

    def _held_out(
        self, estimator: Any, X: Any, y: NDArray[Any], splits: list[tuple[Any, Any]], params: dict[str, Any]
    ) -> tuple[NDArray[np.int64], NDArray[Any]]:
        """Return rows in ascending order, and their forecasts by estimators that were trained without them."""
        parts = Parallel(n_jobs=self.n_jobs)(
            delayed(_fold)(clone(estimator), X, y, train, test, params, self.method_, self.classes_)
            for train, test in splits
        )
        rows = np.concatenate([np.arange(len(y))[test] for _, test in splits])
        order = np.argsort(rows)
        return rows[order], np.concatenate(parts)[order]

    def get_metadata_routing(self) -> Any:
        """Return who takes which metadata: this object, the estimator's fit, the splitter's split."""
        return (
            MetadataRouter(owner=self)
            .add_self_request(self)
            .add(estimator=self._estimator(), method_mapping=MethodMapping().add(caller="fit", callee="fit"))
            .add(splitter=self.cv, method_mapping=MethodMapping().add(caller="fit", callee="split"))
        )

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags: input as the estimator takes it; several classes if the map takes them."""
        tags = super().__sklearn_tags__()
        inner = get_tags(self._estimator())
        tags.input_tags = inner.input_tags
        if inner.classifier_tags is not None:
            tags.classifier_tags = inner.classifier_tags
        tags.classifier_tags.multi_class &= not two_only(self.map)
        tags.classifier_tags.multi_label = False
        return tags


def forecast_of(estimator: Any, X: Any, method: str, classes: NDArray[Any]) -> NDArray[Any]:
    """Return what a fitted estimator forecasts: shape (n,) for one column of two classes, else (n, K)."""
    known = np.asarray(getattr(estimator, "classes_", classes))
    if not np.array_equal(known, classes):
        missing = [repr(plain(label)) for label in classes if label not in known]
        raise OutcomeError(
            "few-for-folds",
            f"A training part has no rows of these classes: {listing(missing)}.",
            cure="Give folds in which every class is in every training part, such as StratifiedKFold.",
        )
    values = np.asarray(getattr(estimator, method)(X))
    return values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values


def _fold(
    estimator: Any, X: Any, y: Any, train: Any, test: Any, params: dict[str, Any], method: str, classes: Any
) -> NDArray[Any]:
    X_train, y_train = _safe_split(estimator, X, y, train)
    X_test, _ = _safe_split(estimator, X, y, test, train)
    estimator.fit(X_train, y_train, **_check_method_params(X, params=params, indices=train))
    return forecast_of(estimator, X_test, method, classes)
