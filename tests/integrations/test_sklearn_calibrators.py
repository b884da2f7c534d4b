"""The calibrators against scikit-learn's own checks of estimators, and against its own calibrator."""

from __future__ import annotations

import math
import pickle
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, softmax

sklearn = pytest.importorskip("sklearn")

from scipy.sparse import csr_array  # noqa: E402
from sklearn.base import BaseEstimator, ClassifierMixin, clone  # noqa: E402
from sklearn.calibration import CalibratedClassifierCV  # noqa: E402
from sklearn.datasets import load_breast_cancer, load_digits, load_wine, make_classification  # noqa: E402
from sklearn.ensemble import RandomForestClassifier  # noqa: E402
from sklearn.frozen import FrozenEstimator  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.model_selection import (  # noqa: E402
    GridSearchCV,
    KFold,
    RepeatedStratifiedKFold,
    TimeSeriesSplit,
    cross_val_score,
)
from sklearn.naive_bayes import GaussianNB  # noqa: E402
from sklearn.neighbors import KNeighborsClassifier  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402
from sklearn.svm import LinearSVC  # noqa: E402
from sklearn.utils.estimator_checks import parametrize_with_checks  # noqa: E402
from threadpoolctl import threadpool_limits  # noqa: E402

import logloss as ll  # noqa: E402
from logloss.calibrate.fits import candidates  # noqa: E402
from logloss.integrations.sklearn import ForecastCalibrator, RecalibratedClassifier  # noqa: E402


@pytest.fixture(autouse=True)
def _one_thread():
    """Threads of the linear algebra wait for each other on small problems."""
    with threadpool_limits(1):
        yield


INFINITE = (
    "Log-odds of infinity are forecasts that leave no doubt; they are taken. NaN is refused (tested below)."
)


def expected(estimator: BaseEstimator) -> dict[str, str]:
    return {"check_estimators_nan_inf": INFINITE} if isinstance(estimator, ForecastCalibrator) else {}


@parametrize_with_checks(
    [
        RecalibratedClassifier(LogisticRegression(C=1), map="temperature", cv=3),
        RecalibratedClassifier(LogisticRegression(C=1), map="affine", cv=3),
        RecalibratedClassifier(LogisticRegression(C=1), map="venn_abers", cv=3),
        RecalibratedClassifier(LogisticRegression(C=1), map=["temperature", "prior_shift"], cv=3),
        RecalibratedClassifier(GaussianNB(), map="race", cv=3),
        ForecastCalibrator("temperature", space="logit", columns=0),
        ForecastCalibrator("venn_abers", space="logit", columns=0),
        ForecastCalibrator(["temperature", "affine"], space="logit", columns=0),
    ],
    expected_failed_checks=expected,
)
@pytest.mark.filterwarnings("ignore")  # scikit-learn looks at warnings itself where they matter
def test_scikit_learns_checks(estimator: Any, check: Any) -> None:
    if check.func.__name__.startswith("check_array_api"):
        return  # skips itself without an environment variable; arrays of other libraries are not promised here
    check(estimator)


def loss(model: Any, X: Any, y: Any) -> float:
    """The mean of -log p, unclipped."""
    return float(surprises(model, X, y).mean())


def surprises(model: Any, X: Any, y: Any) -> np.ndarray:
    """Return -log p of each row, unclipped."""
    with np.errstate(divide="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        P = model.predict_proba(X).astype(np.float64)
    p = P[np.arange(len(y)), np.searchsorted(model.classes_, y)]
    with np.errstate(divide="ignore"):
        return -np.log(p)


def overconfident(rows: int, factor: float = 2.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Log-odds that are `factor` times what they should be, and outcomes 0 and 1."""
    random = np.random.default_rng(seed)
    z = random.normal(0, 1.5, rows)
    return factor * z, (random.random(rows) < expit(z)).astype(int)


RIVALS = [
    pytest.param(load_breast_cancer, GaussianNB(), {"method": "predict_log_proba"}, id="naive Bayes, cancer"),
    pytest.param(load_breast_cancer, RandomForestClassifier(60, random_state=0), {"map": "best"}, id="forest, cancer"),
    pytest.param(load_wine, RandomForestClassifier(60, random_state=0), {"map": "best"}, id="forest, wine"),
    pytest.param(load_breast_cancer, KNeighborsClassifier(10), {}, id="neighbours, cancer"),
    pytest.param(load_digits, GaussianNB(), {"map": "affine_mix", "method": "predict_log_proba"}, id="naive Bayes, digits"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "model", "options"), RIVALS)
def test_no_worse_than_the_best_of_calibrated_classifier_cv(data: Any, model: Any, options: Any) -> None:
    """Within twice the standard error of the paired difference on the same test rows; always better than the model itself."""
    X, y = data(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(y))
    train, test = order[: len(y) // 2], order[len(y) // 2 :]
    ours = surprises(RecalibratedClassifier(model, **options).fit(X[train], y[train]), X[test], y[test])
    raw = surprises(clone(model).fit(X[train], y[train]), X[test], y[test])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = [
            surprises(
                CalibratedClassifierCV(model, method=method, cv=5, ensemble=False).fit(X[train], y[train]),
                X[test],
                y[test],
            )
            for method in ("sigmoid", "isotonic", "temperature")
        ]
    best = min(theirs, key=lambda one: one.mean())
    behind = ours - best
    assert np.isfinite(ours).all()
    assert ours.mean() < raw.mean()
    assert behind.mean() <= 2 * behind.std(ddof=1) / math.sqrt(len(test))


def test_finite_where_isotonic_regression_is_infinite() -> None:
    X, y = load_breast_cancer(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(y))
    train, test = order[:284], order[284:]
    theirs = CalibratedClassifierCV(GaussianNB(), method="isotonic", cv=5, ensemble=False)
    assert math.isinf(loss(theirs.fit(X[train], y[train]), X[test], y[test]))
    for name in ("isotonic", "venn_abers"):
        ours = RecalibratedClassifier(GaussianNB(), map=name).fit(X[train], y[train])
        assert loss(ours, X[test], y[test]) < 0.2


def test_the_map_is_that_of_scipy() -> None:
    """Platt scaling of out-of-fold decisions by BFGS, with the same ridge: 2 / n times the squared distance to the identity."""
    from scipy.optimize import minimize
    from sklearn.model_selection import cross_val_predict

    X, y = make_classification(300, random_state=0, flip_y=0.2)
    z = cross_val_predict(LinearSVC(random_state=0), X, y, cv=5, method="decision_function")

    def objective(theta: np.ndarray) -> float:
        eta = theta[0] * z + theta[1]
        return float(
            np.mean(np.logaddexp(0, eta) - y * eta) + 2 / 300 * ((theta[0] - 1) ** 2 + theta[1] ** 2)
        )

    slope, offset = minimize(objective, [1.0, 0.0], tol=1e-12).x
    model = RecalibratedClassifier(map="affine").fit(X, y)
    final = LinearSVC(random_state=0).fit(X, y).decision_function(X)
    assert model.method_ == "decision_function"
    np.testing.assert_allclose(model.predict_proba(X)[:, 1], expit(slope * final + offset), atol=1e-5)


def test_probabilities_of_several_classes_are_those_of_a_softmax() -> None:
    X, y = load_wine(return_X_y=True)
    scores = make_pipeline(StandardScaler(), LogisticRegression())
    model = RecalibratedClassifier(scores, map="temperature", method="decision_function").fit(X, y)
    slope = model.map_.steps[0].slope[0]
    want = softmax(slope * clone(scores).fit(X, y).decision_function(X), axis=1)
    np.testing.assert_allclose(model.predict_proba(X), want, rtol=1e-9)
    np.testing.assert_allclose(model.predict_log_proba(X), np.log(want), rtol=1e-7, atol=1e-12)


def test_race_on_saved_predictions_agrees_with_fix() -> None:
    z, y = overconfident(1500)
    model = ForecastCalibrator(space="logit").fit(z, y)
    fixed = ll.fix(y, z, space="logit")
    assert model.fix_ is not None
    assert model.map_.name == fixed.chosen == "temperature"
    np.testing.assert_allclose(model.predict_proba(z)[:, 1], fixed.apply(z, out="p"), rtol=1e-12)
    assert 1 / model.map_.steps[0].slope[0] == pytest.approx(2, abs=0.2)


@pytest.mark.parametrize("space", ["p", "logp", "logit"])
@pytest.mark.parametrize("K", [2, 3])
def test_every_way_to_write_a_forecast_gives_the_same(space: str, K: int) -> None:
    random = np.random.default_rng(1)
    eta = random.normal(0, 2, (400, K))
    labels = np.array(["ant", "bee", "cat"])[:K]
    y = labels[[random.choice(K, p=row) for row in softmax(eta / 2, axis=1)]]
    P = softmax(eta, axis=1)
    written = {"p": P, "logp": np.log(P), "logit": eta}[space]
    model = ForecastCalibrator("affine", space=space).fit(written, y)
    base = ForecastCalibrator("affine").fit(P, y)
    np.testing.assert_allclose(model.predict_proba(written), base.predict_proba(P), rtol=1e-8)
    np.testing.assert_allclose(model.map_.apply(written, out="p"), base.predict_proba(P), rtol=1e-8)
    assert model.predict(written).dtype == labels.dtype
    if K == 2:
        one = ForecastCalibrator("affine").fit(P[:, 1], y)
        np.testing.assert_allclose(one.predict_proba(P[:, 1]), base.predict_proba(P), rtol=1e-7)
        np.testing.assert_array_equal(one.predict_proba(P[:, 1]), one.predict_proba(P[:, [1]]))


def test_columns_of_a_frame_are_matched_by_name() -> None:
    z, y = overconfident(300)
    p = expit(z)
    named = np.array(["cat", "dog"])[y]
    both = pd.DataFrame({"p_dog": p, "p_cat": 1 - p})
    plain = ForecastCalibrator("temperature").fit(np.column_stack([1 - p, p]), named)
    model = ForecastCalibrator("temperature").fit(both, named)
    np.testing.assert_allclose(model.predict_proba(both), plain.predict_proba(np.column_stack([1 - p, p])))
    assert list(model.feature_names_in_) == ["p_dog", "p_cat"]
    wide = pd.DataFrame({"town": ["a"] * 300, "p_dog": p})
    chosen = ForecastCalibrator("temperature", columns="p_dog").fit(wide, named)
    np.testing.assert_allclose(chosen.predict_proba(wide), plain.predict_proba(np.column_stack([1 - p, p])))
    with pytest.raises(ll.LoglossError, match="named after 'cat'"):
        ForecastCalibrator("temperature").fit(both[["p_cat"]], named)
    with pytest.raises(ll.LoglossError, match="Did you mean 'p_dog'"):
        ForecastCalibrator(columns="p_dgo").fit(wide, named)


def test_what_is_no_forecast_is_refused() -> None:
    z, y = overconfident(50)
    with pytest.raises(ll.ForecastError):
        ForecastCalibrator().fit(z, y)  # logits as probabilities
    with pytest.raises(ValueError, match="missing"):
        ForecastCalibrator(space="logit").fit(np.where(np.arange(50) == 3, np.nan, z), y)
    with pytest.raises(ll.UsageError, match="Did you mean 'temperature'"):
        ForecastCalibrator("temprature", space="logit").fit(z, y)
    with pytest.raises(ll.UsageError, match="Did you mean 'logit'"):
        ForecastCalibrator(space="logits").fit(z, y)
    with pytest.raises(ll.OutcomeError, match="2 columns and the outcomes have 3 classes"):
        ForecastCalibrator().fit(np.full((50, 2), 0.5), np.arange(50) % 3)
    model = ForecastCalibrator("temperature", space="logit").fit(z, y)
    with pytest.raises(ValueError, match="missing"):
        model.predict_proba([0.5, np.nan])


def test_certain_forecasts_come_out_uncertain_and_only_as_the_rows_advise() -> None:
    z, y = overconfident(400, factor=1.0)
    p = expit(z)
    sure = np.arange(400) < 40
    p[sure] = y[sure]
    p[0] = 1 - y[0]  # one error among 40 certain rows
    model = ForecastCalibrator().fit(p, y)
    assert model.map_.name != "identity"
    P = model.predict_proba([0.0, 1.0])
    assert 0.001 < P[0, 1] < 0.15
    assert 0.001 < P[1, 0] < 0.15
    nothing = ForecastCalibrator("identity").fit(p, y).predict_proba([0.0, 1.0])
    assert 0 < nothing.min() < 1e-15
    assert nothing.max() < 1
    infinite = ForecastCalibrator("affine", space="logit").fit(np.where(p == 0, -np.inf, z), y)
    assert 0 < infinite.predict_proba([-np.inf]).min() < 0.2


def test_few_rows_are_left_as_they_are() -> None:
    model = ForecastCalibrator().fit([0.2, 0.7, 0.6, 0.1], ["no", "yes", "no", "no"])
    assert model.map_.name == "identity"
    np.testing.assert_allclose(model.predict_proba([0.2, 0.7]), [[0.8, 0.2], [0.3, 0.7]])
    assert model.predict([0.2, 0.7]).tolist() == ["no", "yes"]
    guarded = ForecastCalibrator().fit([0.0, 1.0, 0.6, 0.1], ["no", "yes", "no", "no"])
    assert guarded.map_.name == "guard"
    assert guarded.predict_proba([0.0])[0, 1] == pytest.approx(
        0.1
    )  # as the next forecast; (0 + 1/2) / (2 + 1) is more


def test_classes_that_did_not_happen_are_named() -> None:
    P = np.tile([0.2, 0.5, 0.3], (30, 1))
    y = np.where(np.arange(30) % 3, "b", "c")
    model = ForecastCalibrator("prior_shift", labels=["c", "b", "a"]).fit(P, y)
    assert model.classes_.tolist() == ["a", "b", "c"]
    assert model.predict_proba(P)[0, 0] < 0.2
    with pytest.raises(ll.OutcomeError, match="Not of the classes"):
        ForecastCalibrator(labels=["a", "b", "d"]).fit(P, y)


def test_groups_stay_whole_in_the_race() -> None:
    z, y = overconfident(300)
    model = ForecastCalibrator(["temperature"], space="logit").fit(z, y, groups=np.arange(300) // 10)
    assert model.fix_.grouped
    timed = ForecastCalibrator(["temperature"], space="logit").fit(z, y, time=np.arange(300))
    assert timed.fix_.timed
    X = np.column_stack([z, z**2])
    nested = RecalibratedClassifier(LogisticRegression(), map=["temperature"]).fit(
        X, y, groups=np.arange(300) // 10
    )
    assert nested.fix_.grouped


@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("certain", ["none", "right", "one wrong"])
def test_a_weight_of_two_is_the_row_twice(K: int, certain: str) -> None:
    random = np.random.default_rng(2)
    eta = random.normal(0, 2, (120, K))
    P = softmax(eta, axis=1)
    y = np.array([random.choice(K, p=row) for row in softmax(eta / 2, axis=1)])
    if certain != "none":
        P[:20] = np.eye(K)[y[:20]]
    if certain == "one wrong":
        P[1] = np.eye(K)[(y[1] + 1) % K]
    weight = np.arange(120) % 3
    for name in candidates(K):
        once = ForecastCalibrator(name).fit(P, y, sample_weight=weight)
        again = ForecastCalibrator(name).fit(np.repeat(P, weight, axis=0), np.repeat(y, weight))
        close = {"rtol": 1e-4} if name == "matrix" else {"rtol": 1e-6}  # found to a gradient of 1e-6
        np.testing.assert_allclose(once.predict_proba(P), again.predict_proba(P), err_msg=name, **close)
        small = ForecastCalibrator(name).fit(P, y, sample_weight=np.full(120, 1 / 120))
        plain = ForecastCalibrator(name).fit(P, y)
        np.testing.assert_allclose(small.predict_proba(P), plain.predict_proba(P), err_msg=name, **close)


def test_a_frozen_model_is_not_trained_again() -> None:
    X, y = load_breast_cancer(return_X_y=True)
    raw = GaussianNB().fit(X[:200], y[:200])
    model = RecalibratedClassifier(FrozenEstimator(raw), map="affine").fit(X[200:400], y[200:400])
    by_hand = ForecastCalibrator("affine").fit(raw.predict_proba(X[200:400]), y[200:400])
    np.testing.assert_allclose(model.predict_proba(X), by_hand.predict_proba(raw.predict_proba(X)))
    prefit = RecalibratedClassifier(raw, map="affine", cv="prefit").fit(X[200:400], y[200:400])
    np.testing.assert_array_equal(prefit.predict_proba(X), model.predict_proba(X))
    assert prefit.estimator_ is raw
    with pytest.raises(ll.OutcomeError, match="Not of the classes 0, 1"):
        model.fit(X[200:400], y[200:400] * 2)


def test_searches_pipelines_and_text() -> None:
    X, y = load_breast_cancer(return_X_y=True)
    y = np.array(["malignant", "benign"])[y]
    model = make_pipeline(
        StandardScaler(), RecalibratedClassifier(LogisticRegression(), cv=3, map="temperature")
    )
    scores = cross_val_score(model, X, y, scoring="neg_log_loss", cv=2)
    assert (scores > -0.2).all()
    grid = {"recalibratedclassifier__estimator__C": [0.01, 1.0], "recalibratedclassifier__map": ["affine", "identity"]}  # fmt: skip
    search = GridSearchCV(model, grid, scoring="neg_log_loss", cv=2).fit(X, y)
    assert search.best_params_["recalibratedclassifier__estimator__C"] in (0.01, 1.0)
    frame = pd.DataFrame(X[:, :3], columns=["a", "b", "c"])
    inside = RecalibratedClassifier(make_pipeline(StandardScaler(), LogisticRegression()), map="beta").fit(
        frame, y
    )
    assert inside.feature_names_in_.tolist() == ["a", "b", "c"]
    sparse = RecalibratedClassifier(LogisticRegression(max_iter=5000), map="beta").fit(csr_array(frame), y)
    assert sparse.predict_proba(csr_array(frame)).shape == (569, 2)


def test_a_pickle_predicts_the_same_and_carries_no_rows() -> None:
    z, y = overconfident(2000)
    model = ForecastCalibrator(["temperature"], space="logit").fit(z, y)
    assert model.fix_.observations is not None
    text = pickle.dumps(model)
    back = pickle.loads(text)
    np.testing.assert_array_equal(back.predict_proba(z), model.predict_proba(z))
    assert back.fix_.observations is None
    assert back.fix_.chosen == model.fix_.chosen
    assert len(text) < 8 * 2000
    assert repr(ForecastCalibrator("beta")) == "ForecastCalibrator(map='beta')"


def test_folds_without_a_class_and_rows_held_out_twice_are_refused() -> None:
    X, y = np.arange(24.0).reshape(12, 2), np.repeat([0, 1, 2], 4)
    with pytest.raises(ll.OutcomeError, match="fewer than 5 rows of these classes: 0 \\(4\\)"):
        RecalibratedClassifier(GaussianNB()).fit(X, y)
    with pytest.raises(ll.OutcomeError, match="training part has no rows of these classes: 0"):
        RecalibratedClassifier(GaussianNB(), cv=KFold(3)).fit(X, y)
    with pytest.raises(ll.UsageError, match="12 rows out more than once"):
        RecalibratedClassifier(GaussianNB(), cv=RepeatedStratifiedKFold(n_splits=2, n_repeats=2)).fit(X, y)
    with pytest.raises(ll.OutcomeError, match="Only binary classification is supported"):
        RecalibratedClassifier(GaussianNB(), map="isotonic", cv=2).fit(X, y)
    with pytest.raises(ll.UsageError, match="Did you mean 'predict_proba'"):
        RecalibratedClassifier(GaussianNB(), method="predict_prob").fit(X, y)


def test_rows_that_no_fold_holds_out_have_no_part_in_the_map() -> None:
    X, y = make_classification(120, random_state=0)
    model = RecalibratedClassifier(GaussianNB(), map="affine", cv=TimeSeriesSplit(3)).fit(X, y)
    assert model.map_.fitted["rows"] == 90


class NoWeights(ClassifierMixin, BaseEstimator):
    """A model that takes no weights, and says of what it was trained on."""

    def fit(self, X: Any, y: Any, tag: Any = None) -> NoWeights:  # noqa: ARG002
        self.classes_ = np.unique(y)
        self.tag_ = tag
        return self

    def decision_function(self, X: Any) -> np.ndarray:
        return np.asarray(X)[:, 0]


def test_parameters_of_fit_are_divided_as_rows_are() -> None:
    z, y = overconfident(100)
    model = RecalibratedClassifier(NoWeights(), map="affine").fit(z[:, None], y, tag=np.arange(100))
    assert model.estimator_.tag_.tolist() == list(range(100))
    with pytest.warns(UserWarning, match="takes no sample_weight"):
        RecalibratedClassifier(NoWeights(), map="affine").fit(z[:, None], y, sample_weight=np.ones(100))


def test_metadata_is_routed() -> None:
    X, y = make_classification(120, random_state=0)
    weight = np.arange(120) % 4 + 1.0
    plain = RecalibratedClassifier(LogisticRegression(), map="affine").fit(X, y, sample_weight=weight)
    with sklearn.config_context(enable_metadata_routing=True):
        inner = LogisticRegression().set_fit_request(sample_weight=True)
        model = RecalibratedClassifier(inner, map="affine").set_fit_request(sample_weight=True)
        model.set_score_request(sample_weight=True)
        np.testing.assert_array_equal(
            model.fit(X, y, sample_weight=weight).predict_proba(X), plain.predict_proba(X)
        )
        scores = cross_val_score(model, X, y, params={"sample_weight": weight}, cv=2)
        assert len(scores) == 2


def test_a_certain_wrong_neighbour_costs_little() -> None:
    X, y = load_wine(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(y))
    train, test = order[:89], order[89:]
    model = RecalibratedClassifier(KNeighborsClassifier(10)).fit(X[train], y[train])
    assert math.isinf(loss(KNeighborsClassifier(10).fit(X[train], y[train]), X[test], y[test]))
    assert loss(model, X[test], y[test]) < math.log(3)
