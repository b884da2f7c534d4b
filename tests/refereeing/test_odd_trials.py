"""Trials as strangers hold them: odd splits, hypotheses that write into their rows, columns and indexes that disagree."""

# ruff: noqa: ARG002
from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse, stats

import logloss as ll

sklearn = pytest.importorskip("sklearn")

from sklearn.datasets import load_iris  # noqa: E402
from sklearn.dummy import DummyClassifier  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.model_selection import GroupKFold, KFold, ShuffleSplit, TimeSeriesSplit  # noqa: E402
from sklearn.naive_bayes import GaussianNB  # noqa: E402
from sklearn.svm import SVC  # noqa: E402

X, CODE = load_iris(return_X_y=True)
KEEP = np.random.default_rng(0).permutation(150)
X, CODE = X[KEEP] + np.random.default_rng(1).normal(0, 0.8, (150, 4)), CODE[KEEP]
MODELS = {"bayes": GaussianNB(), "logistic": LogisticRegression(max_iter=2000)}
COUNTS = np.random.default_rng(1).poisson(4, 60)


class Rate:
    """Poisson with the mean of those seen."""

    def fit(self, X: Any, y: Any) -> Rate:
        self.mean = float(np.mean(y))
        return self

    def surprise(self, X: Any, y: Any) -> Any:
        return -stats.poisson.logpmf(y, self.mean)


def by_hand(cv: Any) -> tuple[list[np.ndarray], list[float]]:
    """Return the losses of both models in each split, by scikit-learn, and rows tested over rows trained on."""
    losses, ratios = [], []
    for train, test in cv.split(X, CODE):
        p = [model.fit(X[train], CODE[train]).predict_proba(X[test]) for model in MODELS.values()]
        losses.append(np.stack([-np.log(one[np.arange(len(test)), CODE[test]]) for one in p], axis=1))
        ratios.append(len(test) / len(train))
    return losses, ratios


@pytest.mark.parametrize(
    "cv",
    [
        TimeSeriesSplit(5),
        ShuffleSplit(6, test_size=0.1, random_state=0),
        ShuffleSplit(4, test_size=0.1, train_size=0.3, random_state=0),
    ],
)
def test_what_the_algorithm_is_worth_where_splits_are_no_partition(cv: Any) -> None:
    losses, ratios = by_hand(cv)
    found = ll.referee(MODELS, X, CODE, cv, target="algorithm").comparison
    for at, name in enumerate(MODELS):
        standing = found.models[name]
        assert standing.log_loss == pytest.approx(np.mean([one[:, at].mean() for one in losses]), rel=1e-9)
        assert standing.interval is not None
        assert 0 <= standing.interval[0] < standing.log_loss < standing.interval[1]
    means, J = np.array([(one[:, 0] - one[:, 1]).mean() for one in losses]), len(losses)
    error = means.std(ddof=1) * math.sqrt(1 / J + np.mean(ratios))
    pair = found.pair("bayes", "logistic")
    assert pair.interval == pytest.approx(stats.t.interval(0.95, J - 1, means.mean(), error), rel=1e-7)
    assert pair.difference == pytest.approx(means.mean(), rel=1e-9)
    apart = found.models["bayes"].log_loss - found.models["logistic"].log_loss
    assert apart == pytest.approx(pair.difference, rel=1e-9)  # what the table says adds up
    assert (found.target, found.units, found.unit) == ("algorithm", J, "split")
    assert pair.needed is None  # more splits of the same rows settle nothing
    assert f"in {J} splits, 3 classes; 95 % intervals, paired, Nadeau-Bengio" in " ".join(str(found).split())


def test_one_split_does_not_tell_of_the_algorithm() -> None:
    one = [(np.arange(100), np.arange(100, 150))]
    with pytest.raises(ll.UsageError, match=r"one split.*bad-cv"):
        ll.referee(MODELS, X, CODE, one, target="algorithm")
    assert ll.referee(MODELS, X, CODE, one).comparison.pairs[0].interval is not None


def test_repeated_splits_say_classes_target_and_outcomes() -> None:
    trial = ll.referee(MODELS, X, np.array(["a", "b", "c"])[CODE], ShuffleSplit(5, random_state=0))
    assert (trial.comparison.classes, trial.comparison.target) == (3, "algorithm")
    told = trial.comparison.pairs[0].top
    assert {row.outcome for row in told} <= {"a", "b", "c"}
    assert all(row.outcome == "abc"[CODE[row.row]] for row in told)


def test_counts_stand_beside_the_rows_that_decide() -> None:
    counts = np.append(COUNTS, [30, 31])

    class Fixed(Rate):
        def fit(self, X: Any, y: Any) -> Rate:
            self.mean = 20.0
            return self

    trial = ll.referee({"rate": Rate(), "twenty": Fixed()}, np.zeros(62), counts, 5)
    assert trial.comparison.classes is None
    assert all(row.outcome == counts[row.row] for row in trial.comparison.pairs[0].top)
    assert trial.comparison.pairs[0].top


@pytest.mark.parametrize("kind", ["array", "frame", "mapping"])
def test_what_a_hypothesis_writes_into_its_rows_no_other_sees(kind: str) -> None:
    class Scales:
        """Like a pipeline that scales in place."""

        def fit(self, X: Any, y: Any) -> Scales:
            if kind == "array":
                X *= 0
            else:
                X["a"] = 0 * X["a"]
            return self

        def predict_proba(self, X: Any) -> Any:
            n = len(X["a"]) if kind == "mapping" else len(X)
            self.fit(X, None)
            return np.full((n, 3), 1 / 3)

    class Slope:
        """Forecasts by the first column, whatever holds it."""

        def fit(self, X: Any, y: Any) -> Slope:
            self.model = LogisticRegression(max_iter=2000).fit(self.column(X), y)
            return self

        def column(self, X: Any) -> Any:
            return X[:, :1] if kind == "array" else np.asarray(X["a"])[:, None]

        def predict_proba(self, X: Any) -> Any:
            return self.model.predict_proba(self.column(X))

    rows: Any = {"array": X, "frame": pd.DataFrame(X[:, :1], columns=["a"]), "mapping": {"a": X[:, 0]}}[kind]
    trial = ll.referee({"scales": Scales(), "slope": Slope()}, rows, CODE, KFold(5))
    alone = ll.referee({"slope": Slope(), "prior": np.full((150, 3), 1 / 3)}, rows, CODE, KFold(5))
    assert trial.comparison.models["slope"].log_loss == alone.comparison.models["slope"].log_loss
    assert trial.comparison.models["slope"].log_loss < 1


@pytest.mark.parametrize("part", ["y", "groups", "weight", "forecasts", "column"])
def test_indexes_that_disagree_are_refused(part: str) -> None:
    index = np.arange(150) + 7
    rows: Any = pd.DataFrame(X, index=index)
    other = pd.Series(np.arange(150) % 10 + 1.0)
    given: dict[str, Any] = {"groups": other, "weight": other}
    models: dict[str, Any] = dict(MODELS)
    y = pd.Series(CODE, index=None if part == "y" else index)
    if part == "forecasts":
        models["given"] = pd.DataFrame(np.full((150, 3), 1 / 3))
    if part == "column":
        rows = {"first": pd.Series(X[:, 0], index=index), "second": pd.Series(X[:, 1])}
    beside = {part: given[part]} if part in given else {}
    with pytest.raises(ll.AlignmentError, match="index-mismatch"):
        ll.referee(models, rows, y, 3, **beside)


def test_columns_named_in_another_order_than_the_classes_are_refused() -> None:
    class Named(GaussianNB):
        def predict_proba(self, X: Any) -> Any:
            return pd.DataFrame(super().predict_proba(X)[:, ::-1], columns=["2", "1", "0"])

    with pytest.raises(ll.ForecastError, match=r"'named', split 0 of 3.*columns-against-classes"):
        ll.referee({"named": Named(), **MODELS}, X, CODE, 3)

    class Plain(GaussianNB):
        def predict_proba(self, X: Any) -> Any:
            return pd.DataFrame(super().predict_proba(X))  # named 0, 1, 2 as are the classes

    found = ll.referee({"plain": Plain(), **MODELS}, X, CODE, 3).comparison
    assert found.models["plain"].log_loss == found.models["bayes"].log_loss


class Off(GaussianNB):
    """Forecasts that are off in a way of its own."""

    def __init__(self, how: str = "nan") -> None:
        super().__init__()
        self.how = how

    def predict_proba(self, X: Any) -> Any:
        p = super().predict_proba(X)
        if self.how == "nan":
            p[3] = math.nan
        return np.log(p + 1e-9) * 3 + 1 if self.how == "logits" else 0.8 * p if self.how == "sums" else p


@pytest.mark.parametrize("how", ["nan", "logits", "sums"])
def test_cures_name_no_option_that_is_not_there(how: str) -> None:
    with pytest.raises(ll.ForecastError, match="'off': ") as caught:
        ll.referee({"off": Off(how), **MODELS}, X, CODE, KFold(5, shuffle=True, random_state=0))
    for option in ("skip_missing", "space=", "normalize_rows", "CLI"):
        assert option not in str(caught.value)
    if how == "nan":  # and rows stand in the order of the table
        rows = [int(word) for word in str(caught.value).replace(",", "").split() if word.isdigit()]
        held = [int(test[3]) for _, test in KFold(5, shuffle=True, random_state=0).split(X)]
        assert rows[1:4] == sorted(held)[:3]


def test_notes_name_no_option_that_is_not_there() -> None:
    class Short(GaussianNB):
        def predict_proba(self, X: Any) -> Any:
            return super().predict_proba(X) * 0.999

    rows = np.repeat(X, 4, axis=0)
    found = ll.referee(
        {"short": Short(), "bayes": GaussianNB()}, rows, np.repeat(CODE, 4), KFold(5), target="models"
    )
    texts = {note.id: note.text for note in found.comparison.notes}
    assert texts["rows-not-one"].endswith("nats.")
    assert "groups=" in texts["neighbours-alike"]
    assert "time=" not in texts["neighbours-alike"]


@pytest.mark.parametrize(
    ("models", "rows", "y", "cv", "says"),
    [
        ({"svc": SVC(), **MODELS}, X, CODE, 3, r"SVC gives no probabilities\. .*CalibratedClassifierCV\(SVC"),
        (MODELS, X, CODE[:, None], 3, r"'bayes', split 0 of 3.*several dimensions.*y\[:, 0\]"),
        (MODELS, X, CODE, KFold, r"cv is the class KFold, not a splitter\. Write KFold\(\.\.\.\)"),
        (MODELS, "rows.csv", CODE, 3, r"X='rows\.csv' is a name"),
    ],
)
@pytest.mark.filterwarnings("ignore:A column-vector y")
def test_what_is_said_of_wrong_calls(models: Any, rows: Any, y: Any, cv: Any, says: str) -> None:
    with pytest.raises(ll.LoglossError, match=says):
        ll.referee(models, rows, y, cv)


def test_surprises_below_zero_of_counts_are_told() -> None:
    class Density(Rate):
        def surprise(self, X: Any, y: Any) -> Any:
            return super().surprise(X, y) - 2

    found = ll.referee({"density": Density(), "rate": Rate()}, np.zeros(60), COUNTS, 5)
    (note,) = [note for note in found.comparison.notes if note.id == "surprise-below-zero"]
    low = np.flatnonzero(found.columns["density"] < 0)
    assert note.text.startswith(f"'density' has surprises below 0 (rows {low[0]}, {low[1]}, {low[2]} and")
    quantity = ll.referee({"density": Density(), "rate": Density()}, np.zeros(60), COUNTS + 0.0, 5)
    assert "surprise-below-zero" in {
        note.id for note in quantity.comparison.notes
    }  # whole numbers, as floats


def test_no_hypothesis_hides_the_column_of_splits() -> None:
    with pytest.raises(ll.UsageError, match=r"called 'fold'.*bad-hypothesis"):
        ll.referee({"fold": Rate(), "rate": Rate()}, np.zeros(60), COUNTS, 5)


def test_splitters_take_mappings_and_their_complaints_are_told() -> None:
    columns = {"a": X[:, 0], "b": X[:, 1]}
    found = ll.referee({"rate": Rate(), "again": Rate()}, columns, CODE, KFold(5))
    assert found.comparison.n == 150
    with pytest.raises(ll.UsageError, match=r"GroupKFold does not split these rows: .*groups.*bad-cv"):
        ll.referee(MODELS, X, CODE, GroupKFold(3))


def test_a_sparse_matrix_that_is_a_mapping_has_rows() -> None:
    whole = ll.referee(MODELS | {"bayes": DummyClassifier()}, np.round(X), CODE, 3)
    found = ll.referee(MODELS | {"bayes": DummyClassifier()}, sparse.dok_array(np.round(X)), CODE, 3)
    assert found.surprise == pytest.approx(whole.surprise, rel=1e-3)
