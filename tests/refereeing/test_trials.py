"""Hypotheses judged by rows they have not seen: against scikit-learn's out-of-fold probabilities, and what is refused."""

# ruff: noqa: ARG002
from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse, stats

import logloss as ll
from logloss.dependence.folded import of_folds

sklearn = pytest.importorskip("sklearn")

from sklearn.datasets import load_iris  # noqa: E402
from sklearn.dummy import DummyClassifier  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.model_selection import (  # noqa: E402
    GroupKFold,
    KFold,
    RepeatedStratifiedKFold,
    StratifiedKFold,
    TimeSeriesSplit,
    cross_val_predict,
)
from sklearn.naive_bayes import GaussianNB  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402

X, CODE = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])
Y = NAMES[CODE]
PRIOR, BAYES = DummyClassifier(strategy="prior"), GaussianNB()


class Rate:
    """Counts are Poisson with the mean of those seen; nothing of scikit-learn."""

    def fit(self, X: Any, y: Any) -> Rate:
        self.mean = float(np.mean(y))
        return self

    def surprise(self, X: Any, y: Any) -> Any:
        return -stats.poisson.logpmf(y, self.mean)


class Fixed:
    """A hypothesis without parameters: Poisson with this mean."""

    def __init__(self, mean: float) -> None:
        self.mean = mean

    surprise = Rate.surprise


COUNTS = np.random.default_rng(1).poisson(4, 60)


def of(trial: ll.Trial, name: str) -> np.ndarray:
    return trial.columns[name]


@pytest.mark.parametrize("classes", [2, 3])
def test_surprises_are_those_of_scikit_learns_folds(classes: int) -> None:
    keep = classes > CODE
    rows, y = X[keep] + np.random.default_rng(0).normal(0, 0.5, (keep.sum(), 4)), Y[keep]
    cv = StratifiedKFold(5, shuffle=True, random_state=3)
    models = {"bayes": BAYES, "logistic": make_pipeline(StandardScaler(), LogisticRegression()), "prior": PRIOR}  # fmt: skip
    trial = ll.referee(models, rows, y, cv)
    for name, model in models.items():
        p = cross_val_predict(model, rows, y, cv=cv, method="predict_proba")
        direct = -np.log(p[np.arange(len(y)), CODE[keep]])
        assert of(trial, name) == pytest.approx(direct, rel=1e-12, abs=1e-12)
        assert trial.comparison.models[name].log_loss == pytest.approx(direct.mean(), rel=1e-12)
        assert trial.records[name].classes == tuple(NAMES[:classes])
        assert trial.records[name].forecast == pytest.approx(p, rel=1e-15)
    held = np.empty(len(y), int)
    for at, (_, test) in enumerate(cv.split(rows, y)):
        held[test] = at
    assert np.array_equal(trial.fold, held)
    assert (trial.times == 1).all()


def test_a_number_of_folds_deals_every_class_evenly() -> None:
    trial = ll.referee({"a": PRIOR, "b": BAYES}, X, Y, 7, seed=5)
    counts = np.array([[(Y[trial.fold == at] == name).sum() for name in NAMES] for at in range(7)])
    assert counts.sum() == 150
    assert (counts.max(axis=0) - counts.min(axis=0) <= 1).all()
    again, other = (ll.referee({"a": PRIOR, "b": BAYES}, X, Y, 7, seed=seed) for seed in (5, 6))
    assert np.array_equal(trial.fold, again.fold)
    assert not np.array_equal(trial.fold, other.fold)


@pytest.mark.parametrize("cv", [4, "leave-one-out", GroupKFold(3)])
def test_groups_stay_whole(cv: Any) -> None:
    groups = [f"patient {at}" for at in np.random.default_rng(2).integers(0, 12, 150)]
    trial = ll.referee({"a": PRIOR, "b": BAYES}, X, Y, cv, groups=groups)
    of_group = pd.Series(trial.fold).groupby(groups).nunique()
    assert (of_group == 1).all()
    assert len(np.unique(trial.fold)) == {4: 4, "leave-one-out": 12}.get(cv if isinstance(cv, int | str) else "", 3)  # fmt: skip
    asked = ("group", 12) if cv == "leave-one-out" else ("fold", len(np.unique(trial.fold)))
    assert (trial.comparison.unit, trial.comparison.units) == asked
    assert ("models" in trial.comparison.pairs[0].beside) == (cv != "leave-one-out")
    assert "groups-torn" not in {note.id for note in trial.comparison.notes}


def test_groups_that_a_splitter_tears_are_told() -> None:
    with pytest.warns(UserWarning, match="groups parameter is ignored"):  # scikit-learn says it too
        trial = ll.referee({"a": PRIOR, "b": BAYES}, X, Y, StratifiedKFold(3), groups=np.arange(150) // 10)
    (note,) = [note for note in trial.comparison.notes if note.id == "groups-torn"]
    assert note.text.startswith("6 groups")  # rows 17 and 34 of each class begin a fold


def test_leave_one_out_is_that_of_each_row() -> None:
    trial = ll.referee({"rate": Rate(), "four": Fixed(4)}, np.zeros(60), COUNTS, "leave-one-out")
    without = (COUNTS.sum() - COUNTS) / 59
    assert of(trial, "rate") == pytest.approx(-stats.poisson.logpmf(COUNTS, without), rel=1e-12)
    assert of(trial, "four") == pytest.approx(-stats.poisson.logpmf(COUNTS, 4), rel=1e-14)
    assert trial.records == {}


def test_what_is_given_is_never_fitted() -> None:
    models = {"bayes": GaussianNB(), "rate": Rate(), "fixed": Fixed(3)}
    before = {name: dict(vars(model)) for name, model in models.items()}
    ll.referee({"bayes": models["bayes"], "prior": PRIOR}, X, Y, 3)
    ll.referee({"rate": models["rate"], "fixed": models["fixed"]}, np.zeros(60), COUNTS, 3)
    assert {name: vars(model) for name, model in models.items()} == before
    assert not hasattr(PRIOR, "classes_")


def test_functions_and_results_of_fits() -> None:
    class Results:
        """A model whose fit returns what forecasts."""

        def fit(self, X: Any, y: Any) -> Fixed:
            return Fixed(float(np.mean(y)))

    def made(X: Any, y: Any) -> Fixed:
        return Fixed(float(np.mean(y)))

    trial = ll.referee([Rate(), Results(), made], np.zeros(60), COUNTS, 5)
    assert trial.names == ("Rate", "Results", "made")
    assert np.array_equal(of(trial, "Rate"), of(trial, "Results"))
    assert np.array_equal(of(trial, "Rate"), of(trial, "made"))


def test_names_of_a_list() -> None:
    models = [LogisticRegression(C=1), LogisticRegression(C=0.1), PRIOR, Fixed(1), Fixed(2)]
    from logloss.refereeing.hypotheses import hypotheses

    names = ["LogisticRegression(C=1)", "LogisticRegression(C=0.1)", "DummyClassifier", "Fixed", "Fixed #2"]
    assert list(hypotheses(models)) == names


class Turned:
    """Columns from the last class to the first, said by classes_, or by the names of a table, or not at all."""

    def __init__(self, how: str) -> None:
        self.how = how

    def fit(self, X: Any, y: Any) -> Turned:
        self.inner = GaussianNB().fit(X, y)
        if self.how == "classes_":
            self.classes_ = self.inner.classes_[::-1]
        return self

    def predict_proba(self, X: Any) -> Any:
        p, order = self.inner.predict_proba(X), self.inner.classes_
        if self.how == "ascending":
            return p
        if self.how == "names":
            return pd.DataFrame(p[:, ::-1], columns=order[::-1])
        return p[:, ::-1]


@pytest.mark.parametrize("how", ["classes_", "names", "ascending", "labels"])
def test_columns_are_matched_by_label(how: str) -> None:
    labels = list(NAMES[::-1]) if how == "labels" else None
    trial = ll.referee({"bayes": BAYES, "turned": Turned(how)}, X, Y, 5, labels=labels)
    assert np.array_equal(of(trial, "bayes"), of(trial, "turned"))
    assumed = [note for note in trial.comparison.notes if note.id == "class-order"]
    assert len(assumed) == (how == "ascending")


def test_one_column_is_about_the_last_class() -> None:
    class Half:
        def predict_proba(self, X: Any) -> Any:
            return np.full(len(X), 0.25)

    y = ["yes", "no", "yes", "yes"] * 5
    trial = ll.referee({"half": Half(), "prior": PRIOR}, np.zeros((20, 1)), y, 4)
    assert of(trial, "half") == pytest.approx(-np.log([0.25, 0.75, 0.25, 0.25] * 5))


@pytest.mark.parametrize("kind", [np.asarray, list, pd.Series, pl.Series])
def test_forecasts_that_are_there_already(kind: Any) -> None:
    rng = np.random.default_rng(6)
    y, p = rng.integers(0, 2, 40), rng.uniform(0.1, 0.9, 40)
    trial = ll.referee({"there": kind(p), "prior": PRIOR}, np.zeros((40, 1)), y, 4)
    assert of(trial, "there") == pytest.approx(ll.surprise(y, p), rel=1e-15)
    both = ll.referee({"there": np.stack([1 - p, p], axis=1), "prior": PRIOR}, np.zeros((40, 1)), y, 4)
    assert of(both, "there") == pytest.approx(of(trial, "there"), rel=1e-12)
    with pytest.raises(ll.AlignmentError, match="39 forecasts of 'there'"):
        ll.referee({"there": kind(p[:-1]), "prior": PRIOR}, np.zeros((40, 1)), y, 4)


@pytest.mark.parametrize(
    "kind", ["pandas", "polars", "lazy", "arrow", "list", "mapping", "csr", "coo", "frame of columns"]
)
def test_rows_are_taken_of_anything(kind: str) -> None:
    seen: list[Any] = []

    class Looks(GaussianNB):
        def fit(self, X: Any, y: Any) -> Any:
            seen.append((X, y))
            if isinstance(X, dict):
                X = np.stack([np.asarray(X[name]) for name in sorted(X)], axis=1)
            elif isinstance(X, pa.Table):
                X = X.to_pandas().to_numpy()
            elif sparse.issparse(X):
                X = X.toarray()
            return super().fit(np.asarray(X), np.asarray(y))

        def predict_proba(self, X: Any) -> Any:
            if isinstance(X, dict):
                X = np.stack([np.asarray(X[name]) for name in sorted(X)], axis=1)
            elif isinstance(X, pa.Table):
                X = X.to_pandas().to_numpy()
            elif sparse.issparse(X):
                X = X.toarray()
            return super().predict_proba(np.asarray(X))

    columns = {name: X[:, at] for at, name in enumerate("abcd")}
    index = np.arange(150)[::-1]
    given: dict[str, tuple[Any, Any]] = {
        "pandas": (pd.DataFrame(columns, index=index), pd.Series(Y, index=index)),
        "polars": (pl.DataFrame(columns), pl.Series(Y)),
        "lazy": (pl.DataFrame(columns).lazy(), pl.Series(Y)),
        "arrow": (pa.table(columns), pa.array(Y.tolist())),
        "list": (X.tolist(), Y.tolist()),
        "mapping": (columns, tuple(Y.tolist())),
        "csr": (sparse.csr_array(X), Y),
        "coo": (sparse.coo_matrix(X), Y.astype(object)),
        "frame of columns": (X, pd.DataFrame({"y": Y})["y"].astype("category")),
    }
    trial = ll.referee({"looks": Looks(), "prior": _Uniform()}, *given[kind], 5)
    plain = ll.referee({"looks": GaussianNB(), "prior": _Uniform()}, X, Y, 5)
    assert of(trial, "looks") == pytest.approx(of(plain, "looks"), rel=1e-12)
    kept = seen[0][0]
    if kind in ("pandas", "polars", "lazy", "arrow"):
        assert list(kept.column_names if kind == "arrow" else kept.columns) == list("abcd")
        assert len(kept) == 120


class _Uniform:
    def predict_proba(self, X: Any) -> Any:
        n = len(next(iter(X.values()))) if isinstance(X, dict) else X.shape[0] if hasattr(X, "shape") else len(X)  # fmt: skip
        return np.full((n, 3), 1 / 3)


def test_a_class_that_was_not_in_training() -> None:
    y = Y.copy()
    y[:2] = "rare"
    trial = ll.referee({"bayes": BAYES, "prior": PRIOR}, X, y, [(np.arange(2, 150), [0, 1]), (np.arange(75), np.arange(75, 150))])  # fmt: skip
    lost = np.isinf(trial.surprise)
    assert lost[:2].all()
    rest = np.isin(Y, NAMES[:2])  # the first 75 rows have no virginica
    assert lost[75:].any(axis=1).tolist() == (~rest[75:]).tolist()
    assert trial.comparison.models["prior"].infinite_rows == 52
    (note,) = [note for note in trial.comparison.notes if note.id == "class-not-trained"]
    assert note.text.startswith("52 rows (rows 0, 1, 100 and 49 more; splits 0, 1) of 'rare', 'virginica'")
    assert trial.records["prior"].classes == ("rare", *NAMES)


def test_a_test_part_without_a_class_is_nothing_special() -> None:
    trial = ll.referee({"bayes": BAYES, "prior": PRIOR}, X, Y, [(np.arange(1, 150), [0])])
    assert np.isfinite(trial.surprise[0]).all()
    assert np.isnan(trial.surprise[1:]).all()
    assert [note.text for note in trial.comparison.notes if note.id == "never-held-out"] == [
        "No split holds out 149 of 150 rows (rows 1, 2, 3 and 146 more); they count nowhere."
    ]
    assert (trial.fold[0], trial.fold[1], trial.to_dict()["held_out"]) == (0, -1, 1)


def test_the_first_stretch_of_a_series_is_never_held_out() -> None:
    trial = ll.referee({"rate": Rate(), "four": Fixed(4)}, np.zeros(60), COUNTS, TimeSeriesSplit(5))
    assert np.isnan(trial.surprise[:10]).all()
    assert trial.surprise[10, 0] == pytest.approx(-stats.poisson.logpmf(COUNTS[10], COUNTS[:10].mean()))
    assert trial.comparison.n == 50


def test_repeated_splits_are_averaged() -> None:
    cv = RepeatedStratifiedKFold(n_splits=5, n_repeats=3, random_state=0)
    models = {"bayes": BAYES, "logistic": LogisticRegression(max_iter=1000)}
    trial = ll.referee(models, X, Y, cv)
    total = np.zeros((150, 2))
    means = []
    for train, test in cv.split(X, Y):
        losses = [
            -np.log(model.fit(X[train], Y[train]).predict_proba(X[test])[np.arange(len(test)), CODE[test]])
            for model in (GaussianNB(), LogisticRegression(max_iter=1000))
        ]
        total[test] += np.stack(losses, axis=1)
        means.append((losses[0] - losses[1]).mean())
    assert trial.surprise == pytest.approx(total / 3, rel=1e-10)
    assert (trial.times == 3).all()
    assert trial.records == {}
    assert "held-out-repeatedly" in {note.id for note in trial.comparison.notes}
    found = trial.comparison.pair("bayes", "logistic")
    fitted = ll.referee(models, X, Y, cv, target="models").comparison.pair("bayes", "logistic")
    assert found.beside["models"]["interval"] == pytest.approx(fitted.interval)
    assert fitted.beside["algorithm"]["interval"] == pytest.approx(found.interval)
    sign = 1 if found.a == "bayes" else -1
    ratio = np.mean([len(test) / len(train) for train, test in cv.split(X, Y)])
    error = np.std(means, ddof=1) * math.sqrt(1 / 15 + ratio)
    assert found.difference == pytest.approx(sign * np.mean(means), rel=1e-9)
    assert found.standard_error == pytest.approx(error, rel=1e-9)
    span = sorted(sign * end for end in stats.t.interval(0.95, 14, np.mean(means), error))
    assert found.interval == pytest.approx(span, rel=1e-9)
    assert found.rule == "nadeau-bengio"
    for one in trial.comparison.standings:  # losses are means of the splits too, so that the table adds up
        other = trial.comparison.best
        gap = 0.0 if one.difference is None else one.difference
        assert one.log_loss - other.log_loss == pytest.approx(gap, abs=1e-12)


def test_nadeau_and_bengio() -> None:
    """60-digit arithmetic: ten folds whose means have a standard deviation of 0.05."""
    means = np.array([1.0, -1.0] * 5)
    means *= 0.05 / means.std(ddof=1)
    found = of_folds(means, np.ones(10), np.arange(10), ratio=1 / 9)
    assert found is not None
    assert found.standard_error == pytest.approx(0.022973414586817036, rel=1e-14)
    assert of_folds(means[:1], np.ones(1), np.zeros(1, int), ratio=1 / 9) is None


@pytest.mark.parametrize("target", ["models", "algorithm"])
def test_what_a_cross_validation_is_asked(target: str) -> None:
    trial = ll.referee({"bayes": BAYES, "prior": PRIOR}, X, Y, StratifiedKFold(5), target=target)
    pair = trial.comparison.pair("bayes", "prior")
    assert pair.rule == {"models": "hall-t", "algorithm": "nadeau-bengio"}[target]
    assert trial.comparison.target == target


def test_weights_count_in_the_loss_and_none_leaves_out() -> None:
    weight = np.random.default_rng(4).integers(0, 3, 60).astype(float)
    trial = ll.referee({"rate": Rate(), "four": Fixed(4)}, np.zeros(60), COUNTS, "leave-one-out", weight=weight)  # fmt: skip
    kept = weight > 0
    assert np.isnan(trial.surprise[~kept]).all()
    without = (COUNTS[kept].sum() - COUNTS[kept]) / (kept.sum() - 1)
    assert of(trial, "rate")[kept] == pytest.approx(-stats.poisson.logpmf(COUNTS[kept], without), rel=1e-12)
    assert trial.comparison.models["four"].log_loss == pytest.approx(
        np.average(-stats.poisson.logpmf(COUNTS, 4), weights=weight), rel=1e-12
    )
    custom = ll.referee({"rate": Rate(), "four": Fixed(4)}, np.zeros(60), COUNTS, KFold(6), weight=weight)
    assert np.isnan(custom.surprise[~kept]).all()


def test_densities_compare() -> None:
    z = np.random.default_rng(3).normal(0, 0.01, 1000)

    class Normal:
        def fit(self, X: Any, y: Any) -> Normal:
            self.law = stats.norm(np.mean(y), np.std(y))
            return self

        def surprise(self, X: Any, y: Any) -> Any:
            return -self.law.logpdf(y)

    class Laplace(Normal):
        def fit(self, X: Any, y: Any) -> Laplace:
            self.law = stats.laplace(np.median(y), np.abs(y - np.median(y)).mean())
            return self

    trial = ll.referee([Normal(), Laplace()], z, z, 5)
    assert trial.comparison.best.name == "Normal"
    assert trial.comparison.best.log_loss < -3
    low, high = trial.comparison.best.interval or (math.nan, math.nan)
    assert low < trial.comparison.best.log_loss < high


def test_watching() -> None:
    seen: list[tuple[int, int]] = []
    ll.referee({"a": Rate(), "b": Fixed(4)}, np.zeros(60), COUNTS, 5, watch=lambda *at: seen.append(at))
    assert seen == [(at, 10) for at in range(1, 11)]


class Hostile(GaussianNB):
    def __init__(self, when: str = "fit") -> None:
        super().__init__()
        self.when = when

    def fit(self, X: Any, y: Any) -> Any:
        if self.when == "fit" and not (X == 0).all(axis=1).any():
            raise KeyError("no\x1b[31m zeros")
        return super().fit(X, y)

    def predict_proba(self, X: Any) -> Any:
        p = super().predict_proba(X)
        return {"short": p[:-1], "range": p * 1.5, "nan": p * np.nan, "wide": np.hstack([p, p])}.get(self.when, p)  # fmt: skip


@pytest.mark.parametrize(
    ("when", "says"),
    [
        (
            "fit",
            r"'bad', split 1 of 3: KeyError: 'no.\[31m zeros'.*\[hypothesis-failed\]|'bad', split 1 of 3",
        ),
        (
            "short",
            "'bad', split 0 of 3, rows counted within it: 50 rows were held out, and 49 forecasts came back",
        ),
        ("range", "'bad': .*out-of-range"),
        ("nan", "'bad': .*missing-values"),
        ("wide", "'bad', split 0 of 3, .*labels-count"),
    ],
)
def test_a_hypothesis_that_fails_is_named(when: str, says: str) -> None:
    rows = X.copy()
    rows[75] = 0.0  # only the second split trains without it
    cv = [(np.setdiff1d(np.arange(150), test), test) for test in (np.arange(50), np.arange(50, 100), np.arange(100, 150))]  # fmt: skip
    with pytest.raises(ll.LoglossError, match=says) as caught:
        ll.referee({"good": PRIOR, "bad": Hostile(when)}, rows, Y, cv)
    assert "\x1b" not in str(caught.value)
    if when == "fit":
        assert isinstance(caught.value.__cause__, KeyError)


@pytest.mark.parametrize("values", [[math.nan] * 12, [-math.inf] * 12, ["a"] * 12, [0.1] * 3])
def test_surprises_that_are_none(values: list[Any]) -> None:
    class Odd:
        def surprise(self, X: Any, y: Any) -> Any:
            return values

    with pytest.raises(ll.LoglossError, match="'odd', split 0 of 5"):
        ll.referee({"odd": Odd(), "four": Fixed(4)}, np.zeros(60), COUNTS, 5)


def test_infinite_surprises_stay() -> None:
    class Never(Fixed):
        def surprise(self, X: Any, y: Any) -> Any:
            return np.where(np.asarray(y) > 6, math.inf, 1.0)

    trial = ll.referee({"never": Never(1), "four": Fixed(4)}, np.zeros(60), COUNTS, 5)
    assert trial.comparison.models["never"].log_loss == math.inf
    assert trial.comparison.models["never"].infinite_rows == (COUNTS > 6).sum()
    assert trial.comparison.pair("never", "four").better == "four"


@pytest.mark.parametrize(
    ("cv", "slug"),
    [
        (1, "bad-cv"),
        (61, "bad-cv"),
        (True, "bad-cv"),
        (2.5, "bad-cv"),
        ("leave one out", "bad-cv"),
        ([], "bad-cv"),
        ([(1, 2, 3)], "bad-cv"),
        ([([0, 1], [60])], "bad-cv"),
        ([([0, 1], [2, 2])], "bad-cv"),
        ([([0.5, 1], [2])], "bad-cv"),
        ([([], [2])], "bad-cv"),
        ([([0, 1], [1, 2])], "trained-on-held-out"),
    ],
)
def test_ways_to_split_that_are_none(cv: Any, slug: str) -> None:
    with pytest.raises(ll.UsageError) as caught:
        ll.referee({"rate": Rate(), "four": Fixed(4)}, np.zeros(60), COUNTS, cv)
    assert caught.value.slug == slug


def test_masks_and_generators_are_splits() -> None:
    fold = np.arange(60) % 3
    trial = ll.referee({"rate": Rate(), "four": Fixed(4)}, np.zeros(60), COUNTS, ((fold != at, fold == at) for at in range(3)))  # fmt: skip
    assert np.array_equal(trial.fold, fold)
    assert trial.words == "splits as given, 3 splits"


@pytest.mark.parametrize(
    ("models", "slug"),
    [
        ({"one": PRIOR}, "too-few-forecasts"),
        ({"a": PRIOR, "b": GaussianNB}, "bad-hypothesis"),
        ({"a": PRIOR, "b": 3}, "bad-hypothesis"),
        ({"a": PRIOR, 1: BAYES, "1": BAYES}, "bad-hypothesis"),
        (PRIOR, "bad-hypothesis"),
        ({"a": PRIOR, "b": StandardScaler()}, "bad-hypothesis"),
    ],
)
def test_hypotheses_that_are_none(models: Any, slug: str) -> None:
    with pytest.raises(ll.UsageError) as caught:
        ll.referee(models, X, Y, 3)
    assert caught.value.slug == slug


@pytest.mark.parametrize(
    ("arguments", "slug"),
    [
        ({"y": Y[:-1]}, "different-lengths"),
        ({"y": [None, *Y[1:]]}, "missing-values"),
        ({"groups": [1, 2]}, "different-lengths"),
        ({"groups": [None] * 150}, "missing-values"),
        ({"weight": [1, 2]}, "different-lengths"),
        ({"weight": [-1.0] * 150}, "bad-weights"),
        ({"weight": [0.0] * 150}, "bad-weights"),
        ({"level": 95}, "bad-level"),
        ({"target": "truth"}, "unknown-target"),
        ({"reference": "c"}, "no-such-model"),
        ({"y": "y"}, "array-and-names"),
        ({"groups": "female"}, "array-and-names"),
        ({"X": 3}, "not-rows"),
        ({"X": {"a": [1, 2], "b": [1]}}, "different-lengths"),
        ({"X": pd.DataFrame(X), "y": pd.Series(Y, index=np.arange(150) + 1)}, "index-mismatch"),
    ],
)
def test_arguments_that_do_not_fit(arguments: dict[str, Any], slug: str) -> None:
    with pytest.raises(ll.LoglossError) as caught:
        ll.referee({"a": PRIOR, "b": BAYES}, **{"X": X, "y": Y, "cv": 3, **arguments})
    assert caught.value.slug == slug


def test_other_classes_than_those_that_happened() -> None:
    class Coded(GaussianNB):
        def fit(self, X: Any, y: Any) -> Any:
            return super().fit(X, np.searchsorted(NAMES, y))

    with pytest.raises(ll.ForecastError, match=r"knows the classes 0, 1, 2, .*classes-apart"):
        ll.referee({"a": PRIOR, "b": Coded()}, X, Y, 3)


def test_what_is_printed() -> None:
    trial = ll.referee({"<b>\x1b[31m": PRIOR, "bayes": BAYES}, X, Y, 3)
    text = str(trial)
    assert text.startswith("Judged by rows that they had not seen: 3 folds, stratified.\n")
    assert "\x1b" not in text
    assert "<b>" not in trial._repr_html_().replace("<pre>", "")
    state = json.loads(json.dumps(trial.to_dict()))
    assert state["splits"] == "3 folds, stratified"
    assert {one["name"] for one in state["models"]} == set(trial.names)
    assert "bits" in trial.show("bits")
