"""`ForecastCalibrator`: saved predictions in, better ones out, with scikit-learn's manners."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import _safe_indexing, check_array, check_consistent_length
from sklearn.utils.multiclass import check_classification_targets, unique_labels
from sklearn.utils.validation import _check_sample_weight, _check_y, check_is_fitted, validate_data

from logloss.errors import ColumnError, UsageError, listing, suggestion
from logloss.integrations.sklearn.mapping import (
    RACE,
    check_map,
    coded,
    every_class,
    log_probabilities,
    map_of,
    probabilities,
    record_of,
    two_only,
)
from logloss.labels import match, names_class
from logloss.record import SPACES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from logloss.calibrate.fitted import FittedMap
    from logloss.fixing.results import Fix
    from logloss.record import Space

    Float = NDArray[np.float64]

__all__ = ["ForecastCalibrator", "Mapped", "outcomes", "weights"]

FLOATS = (np.float64, np.float32, np.float16)  # others become the first


class Mapped(ClassifierMixin, BaseEstimator, ABC):
    """What both calibrators do once they have a map: predict."""

    map_: FittedMap
    fix_: Fix | None
    classes_: NDArray[Any]

    @abstractmethod
    def _forecast(self, X: Any) -> tuple[NDArray[Any], Space]:
        """Return the forecasts that the map is applied to, and their space."""

    def predict_proba(self, X: Any) -> Float:
        """Return probabilities of the classes after the map, shape (n, K): each above 0 and below 1."""
        check_is_fitted(self)
        return probabilities(self.map_, *self._forecast(X))

    def predict_log_proba(self, X: Any) -> Float:
        """Return log-probabilities, shape (n, K): finite, and exact where probabilities round to 0 or 1."""
        check_is_fitted(self)
        return log_probabilities(self.map_, *self._forecast(X))

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable class of each row, shape (n,)."""
        best = self.predict_proba(X).argmax(axis=1)
        return np.asarray(self.classes_[best])

    def __sklearn_is_fitted__(self) -> bool:
        """Tell whether there is a map."""
        return hasattr(self, "map_")

    def __getstate__(self) -> dict[str, Any]:
        """Return what a pickle keeps: of the race its result, not the rows that it was run on."""
        state = dict(super().__getstate__())
        if state.get("fix_") is not None:
            state["fix_"] = replace(state["fix_"], held=None, observations=None)
        return state


class ForecastCalibrator(Mapped):
    """Saved predictions in, better ones out: :func:`logloss.fix` as a classifier whose features are the forecast.

    Parameters
    ----------
    map
        "race" (default): every map is tried on rows it was not fitted on, and nothing is done unless one certainly gains, as
        :func:`logloss.fix` does it; "best" takes the one with the least loss there, certain or not, which is often better on a
        few hundred rows; a list of names races these; one name ("temperature", "affine", "beta", "venn_abers", ...,
        those of :data:`logloss.calibrate.fits.CANDIDATES`) fits this map to all rows.
    space
        What the forecasts are: "p" (probabilities), "logp" (their natural logs) or "logit".
    columns
        Where in X the forecast is: a column's name or position, for the probability of `classes_[1]`; or a list of K, in the
        order of the classes. By default all of X.
    labels
        All classes, where not all of them happened. They are sorted, as scikit-learn does.

    Attributes
    ----------
    classes_
        Ascending, shape (K,).
    map_
        The :class:`logloss.FittedMap`: save it as JSON, apply it without scikit-learn.
    fix_
        The :class:`logloss.Fix` of a race: print it; None where one map was named. Pickles leave out the rows in it.
    n_features_in_, feature_names_in_
        Of X.

    Notes
    -----
    Fit it on rows that the model behind the forecasts has not seen. With fewer than 20 rows, or 5 that are not of the commonest
    class, a race does nothing. Where it does nothing, forecasts of exactly 0 and 1 are bounded all the same, as far as the rows with
    such forecasts advise (the map is then called "guard"). Columns of a data frame that are named after the classes are matched by name, others taken in the
    order of `classes_`. Logits of infinity and probabilities of 0 and 1 are forecasts; what comes out is never 0 or 1.

    In the fit of a map a weight of 2 stands for the row twice; weights of less than 1 on average are brought to an average of 1.
    In the race before it only ratios of weights matter.

    Examples
    --------
    >>> import numpy as np
    >>> from logloss.integrations.sklearn import ForecastCalibrator
    >>> random = np.random.default_rng(0)
    >>> z = random.normal(0, 1.5, 2000)
    >>> y = np.where(random.random(2000) < 1 / (1 + np.exp(-z)), "yes", "no")
    >>> model = ForecastCalibrator(space="logit").fit(2 * z, y)
    >>> model.map_.name, model.predict_proba([4.6]).round(2).tolist()
    ('temperature', [[0.09, 0.91]])
    """

    def __init__(
        self,
        map: str | Sequence[str] = RACE,  # noqa: A002  # the parameter's name is the face
        *,
        space: Space = "p",
        columns: Any = None,
        labels: Any = None,
    ) -> None:
        self.map = map
        self.space = space
        self.columns = columns
        self.labels = labels

    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None, time: Any = None
    ) -> ForecastCalibrator:
        """Fit the map.

        Parameters
        ----------
        X
            The forecast: shape (n,) or (n, 1), of `classes_[1]`; or (n, K), columns in the order of `classes_`.
        y
            Labels of any one type, shape (n,).
        sample_weight
            Shape (n,).
        groups, time
            For a race: the group of each row, shape (n,), which stays in one fold; or when it is from.

        Raises
        ------
        ValueError
            For what is no forecast or no label: all errors of this package are ValueErrors.
        """
        if self.space not in SPACES:
            raise UsageError(
                "unknown-space",
                f"{self.space!r} is not a space.{suggestion(str(self.space), SPACES)}",
                cure=f"Spaces: {', '.join(SPACES)}.",
            )
        values = self._chosen(X, reset=True)
        y = outcomes(self, y)
        check_consistent_length(values, y)
        self.classes_ = every_class(unique_labels(y if self.labels is None else self.labels))
        check_map(self.map, len(self.classes_))
        codes = coded(y, self.classes_)
        self._order = self._matched(values)
        values = values if self._order is None else values[:, self._order]
        weight = weights(sample_weight, values)
        record = record_of(values, codes, self.classes_, self.space, weight, groups)
        self.map_, self.fix_ = map_of(record, self.map, None if time is None else np.asarray(time))
        return self

    def _forecast(self, X: Any) -> tuple[NDArray[Any], Space]:
        values = self._chosen(X, reset=False)
        return values if self._order is None else values[:, self._order], self.space

    def _chosen(self, X: Any, *, reset: bool) -> NDArray[Any]:
        """Return the columns of the forecast: shape (n,) for one, else (n, K)."""
        options: dict[str, Any] = {"dtype": FLOATS, "ensure_all_finite": False}
        if self.columns is None and not hasattr(X, "columns") and np.ndim(X) == 1:
            X = np.asarray(X).reshape(-1, 1)
        if self.columns is None or not hasattr(X, "columns"):
            X = validate_data(self, X, reset=reset, **options)
        else:
            validate_data(self, X, reset=reset, skip_check_array=True)
        if self.columns is None:
            return np.asarray(X[:, 0] if X.shape[1] == 1 else X)
        one = isinstance(self.columns, str) or np.ndim(self.columns) == 0
        wanted = [self.columns] if one else list(self.columns)
        self._check_columns(wanted)
        values: NDArray[Any] = check_array(_safe_indexing(X, wanted, axis=1), **options)
        return values[:, 0] if len(wanted) == 1 else values

    def _check_columns(self, wanted: list[Any]) -> None:
        names = list(getattr(self, "feature_names_in_", ()))
        odd = [one for one in wanted if (one not in names if isinstance(one, str) else not -1 < one < self.n_features_in_)]  # fmt: skip
        if odd:
            where = f"named {listing(names)}" if names else f"{self.n_features_in_} of them"
            raise ColumnError(
                "no-such-column",
                f"There is no column {odd[0]!r}: X has columns, {where}.{suggestion(str(odd[0]), names)}",
                cure="Name columns of X in columns=, or give their positions, counted from 0.",
            )

    def _matched(self, values: NDArray[Any]) -> list[int] | None:
        """Return the column of each class where columns are named after the classes; None where they stand in order."""
        names = list(getattr(self, "feature_names_in_", ()))
        if self.columns is not None and names:
            chosen = [self.columns] if np.ndim(self.columns) == 0 else list(self.columns)
            names = [one if isinstance(one, str) else names[one] for one in chosen]
        if values.ndim == 2:
            found = match(names, self.classes_.tolist()) if len(names) == values.shape[1] else None
            return None if found is None else list(found)
        if len(names) == 1 and len(self.classes_) == 2:
            first, second = self.classes_.tolist()
            if names_class(names[0], first) and not names_class(names[0], second):
                raise ColumnError(
                    "column-of-other-class",
                    f"The column {names[0]!r} is named after {first!r}, but a single column is the forecast of {second!r}, the greater of the two classes.",
                    cure="Rename it if it is that; else give 1 - p, or both columns.",
                )
        return None

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags: one named column is about two classes, and what it says decides the accuracy."""
        tags = super().__sklearn_tags__()
        one = self.columns is not None and (isinstance(self.columns, str) or np.ndim(self.columns) == 0)
        tags.classifier_tags.multi_class = not one and not two_only(self.map)
        tags.classifier_tags.poor_score = True
        tags.input_tags.sparse = False
        return tags


def outcomes(owner: Any, y: Any) -> NDArray[Any]:
    """Return labels, shape (n,); refuse what are not classes."""
    if y is None:
        raise ValueError(f"{type(owner).__name__} requires y to be passed, but the target y is None")
    checked: NDArray[Any] = _check_y(y, estimator=owner)
    check_classification_targets(checked)
    return checked


def weights(sample_weight: Any, rows: Any) -> NDArray[np.float64] | None:
    """Return weights, shape (n,), or None."""
    if sample_weight is None:
        return None
    found: NDArray[np.float64] = _check_sample_weight(sample_weight, rows, dtype=np.float64)
    return found
