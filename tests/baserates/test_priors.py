"""Another base rate: known, unknown, or bent by class weights."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import logloss as ll

P = [0.2, 0.5, 0.9, 0.8]
rows = st.lists(st.floats(0.001, 0.999), min_size=2, max_size=30)


def shifted(
    seed: int, n: int, old: list[float], new: list[float], gap: float = 1.5
) -> tuple[np.ndarray, np.ndarray]:
    """Outcomes drawn at the new rates, forecasts right at the old ones: Gaussian classes, Bayes' rule."""
    rng = np.random.default_rng(seed)
    K = len(old)
    y = rng.choice(K, n, p=new)
    centres = np.eye(K) * gap
    X = rng.normal(size=(n, K)) + centres[y]
    logs = X @ centres.T - 0.5 * (centres**2).sum(axis=1) + np.log(old)
    p = np.exp(logs - logs.max(axis=1, keepdims=True))
    return y, p / p.sum(axis=1, keepdims=True)


# --- a known shift


def test_two_classes_by_hand() -> None:
    # 0.8 at even rates are odds 4; at 10 % they are 4 / 9, p = 4 / 13
    for old, new in ((0.5, 0.1), ([0.5, 0.5], [0.9, 0.1]), ({1: 0.5, 0: 0.5}, {0: 0.9, 1: 0.1})):
        found = ll.shift_prior(old, new)
        assert found.classes == (0, 1)
        assert found.name == "prior_shift"
        np.testing.assert_allclose(found.apply([0.8, 0.5]), [4 / 13, 0.1], rtol=1e-14)


@given(st.integers(0, 10**6), st.integers(3, 6))
def test_many_classes_by_the_formula(seed: int, K: int) -> None:
    rng = np.random.default_rng(seed)
    p, old, new = rng.dirichlet(np.ones(K), 5) + 1e-9, rng.dirichlet(np.ones(K)), rng.dirichlet(np.ones(K))
    assume(old.min() > 1e-6 and new.min() > 1e-6)
    p /= p.sum(axis=1, keepdims=True)
    right = p * new / old
    right /= right.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(ll.shift_prior(old, new).apply(p), right, rtol=1e-9)


def test_names_decide_which_rate_is_whose() -> None:
    names = ["ant", "bee", "cat"]
    by_name = ll.shift_prior({"cat": 0.2, "ant": 0.3, "bee": 0.5}, {"bee": 0.1, "cat": 0.6, "ant": 0.3})
    by_place = ll.shift_prior([0.3, 0.5, 0.2], [0.3, 0.1, 0.6], names)
    table = pl.DataFrame({"cat": [0.5], "bee": [0.3], "ant": [0.2]})
    assert by_name.classes == tuple(names)
    np.testing.assert_array_equal(by_name.apply(table), by_place.apply([[0.2, 0.3, 0.5]]))
    np.testing.assert_allclose(by_place.apply([[0.2, 0.3, 0.5]]), [np.array([0.2, 0.06, 1.5]) / 1.76])


def test_a_series_of_counts_goes_by_its_index() -> None:
    train, now = pd.Series(["a"] * 1 + ["b"] * 3), pd.Series(["a"] * 4 + ["b"])
    found = ll.shift_prior(train.value_counts(normalize=True), now.value_counts(normalize=True))
    np.testing.assert_allclose(found.apply([0.75]), [0.2], rtol=1e-14)


def test_there_and_back_is_the_identity() -> None:
    there, back = ll.shift_prior(0.3, 0.01), ll.shift_prior(0.01, 0.3)
    np.testing.assert_allclose(back.after(there).apply(P), P, rtol=1e-13)


def test_maps_are_saved_and_loaded(tmp_path: Any) -> None:
    found = ll.shift_prior({"no": 0.5, "yes": 0.5}, {"no": 0.9, "yes": 0.1})
    found.save(tmp_path / "map.json")
    loaded = ll.load_map(tmp_path / "map.json")
    np.testing.assert_array_equal(loaded.apply(P), found.apply(P))
    assert loaded.fitted == {"old": {"no": 0.5, "yes": 0.5}, "new": {"no": 0.9, "yes": 0.1}}


@pytest.mark.parametrize(
    ("call", "slug", "part"),
    [
        (lambda: ll.shift_prior(0.5, 0.0), "bad-rates", "exactly 0"),
        (lambda: ll.shift_prior([0.0, 1.0], 0.5), "bad-rates", "never happened"),
        (lambda: ll.shift_prior(0.5, 50), "bad-rates", "50"),
        (lambda: ll.shift_prior([500, 500], [0.5, 0.5]), "bad-rates", "sum to 1000"),
        (lambda: ll.shift_prior([0.5, 0.6, -0.1], [0.2, 0.3, 0.5]), "bad-rates", "-0.1"),
        (lambda: ll.shift_prior([0.5, 0.5], [0.2, 0.3, 0.5]), "one-per-class", "3 new rates for 2"),
        (lambda: ll.shift_prior(0.5, 0.1, ["a", "b", "c"]), "one-per-class", "3 classes"),
        (lambda: ll.shift_prior({"cat": 0.5, "dog": 0.5}, {"cat": 0.5, "dgo": 0.5}), "unknown-class", "'dog'"),
        (lambda: ll.shift_prior({"cat": 0.5, "dog": 0.5}, {"cat": 1.0}), "one-per-class", "lack 'dog'"),
        (lambda: ll.shift_prior({1: 0.2, "1": 0.3, 0: 0.5}, 0.5, [0, 1]), "one-per-class", "twice"),
        (lambda: ll.shift_prior(["x", 0.5], 0.5), "one-per-class", "'x'"),
        (lambda: ll.shift_prior([math.nan, 0.5], 0.5), "one-per-class", "nan"),
        (lambda: ll.shift_prior("half", 0.5), "one-per-class", "half"),
        (lambda: ll.shift_prior(0.5, 0.5, ["a", "a"]), "one-per-class", "different"),
        (lambda: ll.shift_prior(0.5, 0.5, {"a", "b"}), "labels-unordered", "order"),
        (lambda: ll.undo_class_weights({0: 1, 1: 0}), "bad-class-weights", "0 of 1"),
        (lambda: ll.undo_class_weights("balanced"), "bad-class-weights", "without counts"),
        (lambda: ll.undo_class_weights("equal", counts=[1, 2]), "bad-class-weights", "equal"),
        (lambda: ll.undo_class_weights([1, 2], counts=[1, 2]), "bad-class-weights", "not depend"),
        (lambda: ll.undo_class_weights("balanced", counts=[0, 2]), "bad-class-weights", "0 of 0"),
        (lambda: ll.estimate_prior(P, 0.5, level=95), "bad-level", "95"),
        (lambda: ll.estimate_prior("new.csv", 0.5), "array-and-names", "new.csv"),
        (lambda: ll.estimate_prior([0.2, 1.2], 0.5), "out-of-range", "1.2"),
        (lambda: ll.estimate_prior([], 0.5), "no-rows", "no rows"),
        (lambda: ll.estimate_prior([[0.2, 0.3, 0.5]], 0.5), "one-per-class", "3 classes"),
        (lambda: ll.estimate_prior(P, {"a": 0.2, "b": 0.3, "c": 0.5}), "one-per-class", "3 classes"),
        (lambda: ll.estimate_prior([[0.2, 0.8]], {"a": 0.2, "b": 0.3, "c": 0.5}), "one-per-class", "of 2"),
        (lambda: ll.estimate_prior({"p_a": P, "p_b": P}, {"x": 0.2, "b": 0.8}), "unknown-class", "'p_a'"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said(call: Callable[[], Any], slug: str, part: str) -> None:
    with pytest.raises(ll.LoglossError) as raised:
        call()
    assert raised.value.slug == slug
    assert part in str(raised.value)
    assert raised.value.cure


# --- class weights


def test_weights_by_hand() -> None:
    # weight 50 on the second class: odds 50 times too great
    for weights in ({1: 50, 0: 1}, [1, 50], 50, {0: 0.02, 1: 1.0}):
        np.testing.assert_allclose(
            ll.undo_class_weights(weights).apply([0.5, 0.9]), [1 / 51, 9 / 59], rtol=1e-13
        )
    # scikit-learn's "balanced" of counts 90 and 10: n / (K n_k) = 100 / 180 and 100 / 20, ratio 9
    for counts in ([90, 10], {"b": 10, "a": 90}):
        np.testing.assert_allclose(
            ll.undo_class_weights("balanced", counts=counts).apply([0.5]), [0.1], rtol=1e-13
        )


@pytest.mark.parametrize("weights", ["balanced", {0: 1, 1: 50}])
def test_a_weighted_logistic_regression_is_as_good_as_one_without_weights_after_undoing(weights: Any) -> None:
    """scikit-learn on 99 : 1 rows that are logistic, so that weights move the intercept alone."""
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(0)
    y = (rng.random(80_000) < 0.01).astype(int)
    X = rng.normal(size=(80_000, 2)) + 1.2 * y[:, None]
    train, test = slice(0, 40_000), slice(40_000, None)
    fits = {
        name: LogisticRegression(class_weight=used, C=1e6).fit(X[train], y[train])
        for name, used in (("plain", None), ("weighted", weights))
    }
    plain, weighted = (fit.predict_proba(X[test]) for fit in fits.values())
    undo = ll.undo_class_weights(weights, counts=np.bincount(y[train]) if weights == "balanced" else None)
    base = ll.log_loss(y[test], plain)
    assert ll.log_loss(y[test], weighted) > 4 * base
    assert ll.log_loss(y[test], undo.apply(weighted)) == pytest.approx(base, rel=0.01)
    np.testing.assert_allclose(undo.apply(weighted[:, 1]), undo.apply(weighted)[:, 1], rtol=1e-9)


# --- an unknown shift


def test_the_published_equations_to_sixty_digits() -> None:
    # origin: 60-digit arithmetic of Saerens et al. (2002), forecasts .2, .5, .9, .8 at even rates
    found = ll.estimate_prior(P, 0.5)
    assert found.rates[1] == pytest.approx(0.81596072467157984, rel=1e-14)
    assert found.map.apply([0.2])[0] == pytest.approx(0.52570797848650475, rel=1e-14)
    assert found.certificate <= 1e-12


@settings(deadline=None)
@given(rows, st.floats(0.05, 0.95))
def test_two_columns_are_one(p: list[float], old: float) -> None:
    assume(max(p) - min(p) > 1e-3)
    one = ll.estimate_prior(p, old)
    two = ll.estimate_prior(np.stack([1 - np.array(p), p], axis=1), [1 - old, old])
    assert one.rates[1] == pytest.approx(two.rates[1], abs=1e-9)
    np.testing.assert_allclose(one.intervals[1], two.intervals[1], atol=1e-8)


@settings(deadline=None)
@given(rows, st.randoms())
def test_the_order_of_rows_is_irrelevant(p: list[float], random: Any) -> None:
    assume(max(p) - min(p) > 1e-3)
    other = list(p)
    random.shuffle(other)
    a, b = ll.estimate_prior(p, 0.4), ll.estimate_prior(other, 0.4)
    assert a.rates[1] == pytest.approx(b.rates[1], abs=1e-9)
    assert a.log_likelihood_gain == pytest.approx(b.log_likelihood_gain, abs=1e-12)


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0.001, 0.999), st.integers(0, 3)), min_size=2, max_size=20))
def test_weights_are_repetition(cells: list[tuple[float, int]]) -> None:
    p, times = (np.array(part) for part in zip(*cells, strict=True))
    repeated = np.repeat(p, times)
    assume(len(repeated) > 1 and np.ptp(repeated) > 1e-3)
    weighted = ll.estimate_prior(p, 0.4, weight=times)
    assert weighted.n == (times > 0).sum()
    assert weighted.rates[1] == pytest.approx(ll.estimate_prior(repeated, 0.4).rates[1], abs=1e-9)
    scaled = ll.estimate_prior(p, 0.4, weight=1e6 * times)
    np.testing.assert_allclose(scaled.intervals[1], weighted.intervals[1], atol=1e-9)


def test_spaces_agree() -> None:
    y, p = shifted(0, 200, [0.3, 0.3, 0.4], [0.1, 0.2, 0.7])
    found = [
        ll.estimate_prior(forecast, [0.3, 0.3, 0.4], space=space)
        for forecast, space in ((p, "p"), (np.log(p), "logp"), (np.log(p) + y[:, None], "logit"))
    ]
    for other in found[1:]:
        np.testing.assert_allclose(list(other.rates.values()), list(found[0].rates.values()), atol=1e-9)
    assert found[2].map.space == "logit"


def test_certain_rows_settle_what_they_say() -> None:
    # 3 of 4 rows are certain of the second class, one of the first: the likelihood is t^3 (1 - t)
    certain = ll.estimate_prior([1.0, 1.0, 1.0, 0.0], 0.2)
    assert certain.rates[1] == pytest.approx(0.75, rel=1e-12)
    logits = ll.estimate_prior([math.inf, 900.0, 50.0, -900.0], 0.2, space="logit")
    assert logits.rates[1] == pytest.approx(0.75, rel=1e-12)
    hot = ll.estimate_prior(np.eye(3)[[0, 1, 1, 2, 2, 2]], [0.2, 0.3, 0.5])
    np.testing.assert_allclose(list(hot.rates.values()), [1 / 6, 2 / 6, 3 / 6], rtol=1e-9)


def test_a_rate_of_zero_is_reported_and_not_forecast() -> None:
    found = ll.estimate_prior([0.9, 0.99, 0.8], 0.3)
    assert found.rates == {0: 0.0, 1: 1.0}
    assert found.intervals[0][0] == 0
    assert 0 < found.intervals[0][1] < 1
    assert "rate-of-zero" in {note.id for note in found.notes}
    # half a row of 3.5: odds 6 to 1 for the second class, from .3 / .7
    assert found.map.apply([0.3])[0] == pytest.approx(6 / 7, rel=1e-12)
    three = ll.estimate_prior([[0.5, 0.49, 0.01], [0.4, 0.58, 0.02]], [0.2, 0.2, 0.6])
    assert three.rates[2] == 0
    assert (three.map.apply([[0.2, 0.2, 0.6]]) > 0).all()


@pytest.mark.parametrize(
    ("n", "old", "new"),
    [(150, [0.5, 0.5], [0.9, 0.1]), (300, [0.4, 0.3, 0.3], [0.05, 0.25, 0.7])],
)
def test_intervals_cover_and_shifted_forecasts_lose_less(n: int, old: list[float], new: list[float]) -> None:
    """300 simulated files; 95 % intervals, so between 91.5 and 98.5 % but for 1 in 100 or so."""
    hits, better = np.zeros(len(old)), 0
    for seed in range(300):
        y, p = shifted(seed, n, old, new)
        found = ll.estimate_prior(p, old)
        hits += [low <= rate <= high for (low, high), rate in zip(found.intervals.values(), new, strict=True)]
        better += ll.log_loss(y, found.map.apply(p)) < ll.log_loss(y, p)
    assert ((hits / 300 > 0.915) & (hits / 300 < 0.985)).all(), hits / 300
    assert better >= 290


def test_no_shift_is_said_where_none_is_proven() -> None:
    """With unchanged rates the note is missing in 5 % of files: 2 classes by the interval, 3 by all rates at once."""
    for old in ([0.7, 0.3], [0.5, 0.3, 0.2]):
        said = 0
        for seed in range(200):
            _, p = shifted(seed, 150, old, old)
            found = ll.estimate_prior(p, old)
            ids = {note.id for note in found.notes}
            assert "prior-assumes" in ids
            said += "no-shift-proven" in ids
            if len(old) == 2:
                low, high = found.intervals[1]
                assert ("no-shift-proven" in ids) == (low <= old[1] <= high)
        assert 180 <= said <= 199
    _, p = shifted(0, 300, [0.5, 0.5], [0.95, 0.05])
    assert "no-shift-proven" not in {note.id for note in ll.estimate_prior(p, 0.5).notes}


def test_forecasts_that_say_nothing_keep_the_old_rates() -> None:
    found = ll.estimate_prior([0.3] * 9, 0.3)
    assert found.rates[1] == 0.3
    assert found.intervals[1] == (0.0, 1.0)
    assert {"no-shift-proven", "rates-undetermined"} <= {note.id for note in found.notes}


def test_named_columns_and_names() -> None:
    _, p = shifted(1, 100, [0.2, 0.3, 0.5], [0.5, 0.3, 0.2])
    want = list(ll.estimate_prior(p, [0.2, 0.3, 0.5]).rates.values())
    table = pl.DataFrame({f"p_{c}": p[:, k] for c, k in (("cat", 2), ("ant", 0), ("bee", 1))})
    old = {"bee": 0.3, "ant": 0.2, "cat": 0.5}
    for found in (
        ll.estimate_prior(table, old),
        ll.estimate_prior(pd.DataFrame(table.to_dict(as_series=False)), old),
        ll.estimate_prior(table, [0.5, 0.2, 0.3]),  # in the order of the columns
        ll.estimate_prior(table, [0.2, 0.3, 0.5], labels=["ant", "bee", "cat"]),
    ):  # fmt: skip
        np.testing.assert_allclose([found.rates[c] for c in ("ant", "bee", "cat")], want, atol=1e-9)
        np.testing.assert_allclose(found.map.apply(table).sum(axis=1), 1)
    pair = pl.DataFrame({"p_yes": P, "p_no": [1 - v for v in P]})
    told = {note.id: note.text for note in ll.estimate_prior(pair, 0.3).notes}
    assert "'no', the second" in told["class-order"]
    assert "class-order" not in {note.id for note in ll.estimate_prior(pair, {"no": 0.3, "yes": 0.7}).notes}
    unnamed = ll.estimate_prior(p, {"cat": 0.5, "ant": 0.2, "bee": 0.3})
    np.testing.assert_allclose([unnamed.rates[c] for c in ("ant", "bee", "cat")], want, atol=1e-9)
    assert "class-order" in {note.id for note in unnamed.notes}


def test_one_column_of_two_names() -> None:
    old = {"sick": 0.4, "healthy": 0.6}
    usual = ll.estimate_prior(P, old)
    assert usual.rates["sick"] == pytest.approx(ll.estimate_prior(P, 0.4).rates[1])
    assert "positive-class" in {note.id for note in usual.notes}
    by_name = ll.estimate_prior(pl.Series("p_healthy", P), old)
    assert by_name.rates["healthy"] == pytest.approx(ll.estimate_prior(P, 0.6).rates[1])
    assert ll.estimate_prior(pl.DataFrame({"p_healthy": P}), old).rates == by_name.rates
    declared = ll.estimate_prior(P, old, labels=["sick", "healthy"])
    assert declared.rates == by_name.rates


def test_rows_that_are_no_rows() -> None:
    holes = [0.2, math.nan, 0.5, 0.9, 0.8]
    with pytest.raises(ll.DataError, match="missing"):
        ll.estimate_prior(holes, 0.5)
    found = ll.estimate_prior(holes, 0.5, skip_missing=True)
    assert found.rates == ll.estimate_prior(P, 0.5).rates
    assert "rows-skipped" in {note.id for note in found.notes}
    weighted = ll.estimate_prior([*P, 0.01], 0.5, weight=[1, 1, 1, 1, 0])
    assert weighted.rates[1] == pytest.approx(found.rates[1], rel=1e-12)
    rounded = ll.estimate_prior([[0.333, 0.333, 0.333], [0.8, 0.1, 0.1]], [0.2, 0.3, 0.5])
    told = [note.text for note in rounded.notes if note.id == "rows-not-one"]
    assert len(told) == 1
    assert "loss" not in told[0]


def test_what_it_says() -> None:
    found = ll.estimate_prior(pl.DataFrame({"p_no\x1b[31m": [0.4, 0.2], "p_<b>": [0.6, 0.8]}), [0.5, 0.5])
    text = found.show("bits")
    assert "\x1b" not in text
    assert "bits" in text
    assert "&lt;b&gt;" in found._repr_html_()
    assert "[prior-assumes]" in str(found)
    assert "prior-assumes" not in found.show(notes=False)
    state = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert [one["class"] for one in state["classes"]] == ["no\x1b[31m", "<b>"]
    assert ll.FittedMap.from_dict(state["map"]).classes == ("no\x1b[31m", "<b>")
    many = ll.estimate_prior(np.full((3, 30), 1 / 30), [1 / 30] * 30)
    assert "10 more classes" in str(many)
    with pytest.raises(ll.UsageError):
        found.show("miles")
