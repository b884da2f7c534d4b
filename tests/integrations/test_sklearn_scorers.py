"""The exact scorer against scikit-learn's, where that can score, and where it cannot."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest

sklearn = pytest.importorskip("sklearn")

from sklearn.datasets import load_iris  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.metrics import log_loss, make_scorer  # noqa: E402
from sklearn.model_selection import GridSearchCV, KFold, LeaveOneOut, cross_val_score  # noqa: E402
from sklearn.naive_bayes import GaussianNB  # noqa: E402

import logloss as ll  # noqa: E402
from logloss.integrations.sklearn import log_loss_scorer  # noqa: E402
from logloss.models.broods import raffles  # noqa: E402
from logloss.models.raffles import Raffle  # noqa: E402

X, CODE = load_iris(return_X_y=True)
Y = np.array(["setosa", "versicolor", "virginica"])[CODE]
MODEL = LogisticRegression(max_iter=1000)


@pytest.mark.parametrize("classes", [2, 3])
def test_it_is_scikit_learns_where_nothing_is_clipped(classes: int) -> None:
    rows = classes > CODE
    theirs = cross_val_score(MODEL, X[rows], Y[rows], scoring="neg_log_loss")
    assert cross_val_score(MODEL, X[rows], Y[rows], scoring=log_loss_scorer) == pytest.approx(theirs, rel=1e-12)  # fmt: skip


def test_searches_take_it() -> None:
    grid = {"C": [0.01, 1, 100]}
    ours = GridSearchCV(MODEL, grid, scoring={"exact": log_loss_scorer, "theirs": "neg_log_loss"}, refit="exact").fit(X, Y)  # fmt: skip
    results = ours.cv_results_
    assert results["mean_test_exact"] == pytest.approx(results["mean_test_theirs"], rel=1e-12)
    assert ours.best_params_ == {"C": 100}
    assert GridSearchCV(MODEL, grid, scoring=log_loss_scorer).fit(X, Y).score(X, Y) == pytest.approx(
        -log_loss(Y, ours.predict_proba(X)), rel=1e-12
    )


def test_a_test_part_of_one_class_is_scored() -> None:
    """scikit-learn has no number there."""
    fitted = GaussianNB().fit(X, Y)
    p = fitted.predict_proba(X[100:])[:, 2]
    assert log_loss_scorer(fitted, X[100:], Y[100:]) == pytest.approx(np.log(p).mean(), rel=1e-12)


def test_a_class_that_was_not_in_training_is_impossible() -> None:
    assert (cross_val_score(MODEL, X, Y, cv=KFold(3), scoring=log_loss_scorer) == -np.inf).all()
    fitted = GaussianNB().fit(X[:100], Y[:100])
    assert log_loss_scorer(fitted, X[50:], Y[50:]) == -np.inf
    weight = (CODE < 2).astype(float)
    part = log_loss_scorer(fitted, X, Y, sample_weight=weight)
    assert part == pytest.approx(log_loss_scorer(fitted, X[:100], Y[:100]), rel=1e-12)


def test_nothing_is_clipped() -> None:
    class Sure(GaussianNB):
        def predict_proba(self, X):
            return np.tile([1e-300, 1.0, 0.0], (len(X), 1))

    fitted = Sure().fit(X, Y)
    assert log_loss_scorer(fitted, X[:50], Y[:50]) == pytest.approx(-300 * np.log(10), rel=1e-14)


def test_weights_are_routed_and_the_shared_scorer_stays() -> None:
    weight = np.random.default_rng(0).integers(0, 3, 150)
    with sklearn.config_context(enable_metadata_routing=True):
        theirs = make_scorer(log_loss, greater_is_better=False, response_method="predict_proba")
        model = LogisticRegression(max_iter=1000).set_fit_request(sample_weight=False)
        found = [
            cross_val_score(
                model,
                X,
                Y,
                scoring=one.set_score_request(sample_weight=True),
                params={"sample_weight": weight},
            )
            for one in (log_loss_scorer, theirs)
        ]
        assert not hasattr(log_loss_scorer, "_metadata_request")
    assert found[0] == pytest.approx(found[1], rel=1e-12)


def test_models_with_surprises_are_scored_by_them() -> None:
    broods = raffles(30, r=2, seed=1)
    rows = np.stack(list(broods.X.values()), axis=1)
    fitted = Raffle(loaded=True).fit(rows, broods.k)
    direct = -fitted.surprise(rows, broods.k).mean()
    assert log_loss_scorer(fitted, rows, broods.k) == pytest.approx(direct, rel=1e-12)


def test_it_travels() -> None:
    assert repr(pickle.loads(pickle.dumps(log_loss_scorer))) == "log_loss_scorer"
    assert "clips nothing" in (log_loss_scorer.__doc__ or "")


@pytest.mark.parametrize("kind", ["frame", "array"])
def test_raffles_are_searched(kind: str) -> None:
    broods = raffles(40, r=2, seed=7)
    frame = pd.DataFrame(broods.X)
    rows = frame if kind == "frame" else frame.to_numpy()
    scores = cross_val_score(Raffle(loaded=True), rows, broods.y, scoring=log_loss_scorer, cv=LeaveOneOut())
    trial = ll.referee({"fair": Raffle(), "loaded": Raffle(loaded=True)}, broods.X, broods.y, "leave-one-out")
    assert scores == pytest.approx(-trial.columns["loaded"], rel=1e-12)
    search = GridSearchCV(Raffle(), {"loaded": [False, True]}, scoring=log_loss_scorer, cv=LeaveOneOut())
    assert search.fit(rows, broods.y).best_params_ == {"loaded": True}
    assert search.best_score_ == pytest.approx(
        -2.2764, abs=5e-5
    )  # independent computation, 40 broods, seed 7
