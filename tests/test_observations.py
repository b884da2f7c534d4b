"""The door: what it accepts, how it decides, and what it refuses, with the sentence it says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import logloss as ll
from logloss import observe

P = [0.9, 0.2, 0.6]


def slugs(record: ll.Observations) -> list[str]:
    return [note.id for note in record.notes]


@pytest.mark.parametrize(
    "outcome",
    [
        [1, 0, 1],
        [True, False, True],
        [1.0, 0.0, 1.0],
        np.array([1, 0, 1], np.int8),
        np.array([1, 0, 1], np.uint64),
        np.array([True, False, True]),
        np.array([1, 0, 1], object),
        pd.Series([1, 0, 1], dtype="Int64"),
        pd.Series([True, False, True], dtype="boolean"),
        pl.Series([1, 0, 1]),
        pa.array([1, 0, 1]),
        pa.chunked_array([[1], [0, 1]]),
        (1, 0, 1),
    ],
    ids=lambda o: f"{type(o).__module__}.{type(o).__name__}",
)
@pytest.mark.parametrize("kind", [list, np.array, pd.Series, pl.Series, pa.array])
def test_zero_one_outcomes_of_any_type(outcome: Any, kind: Any) -> None:
    record = observe(outcome, kind(P))
    assert record.outcome.astype(int).tolist() == [1, 0, 1]
    assert record.binary
    assert record.notes == ()
    np.testing.assert_allclose(ll.surprise(outcome, kind(P)), -np.log([0.9, 0.8, 0.6]), rtol=1e-14)


@pytest.mark.parametrize(
    ("outcome", "options", "positive"),
    [
        (["cat", "dog", "cat"], {}, "dog"),
        (["cat", "dog", "cat"], {"labels": ["dog", "cat"]}, "cat"),
        (["cat", "dog", "cat"], {"positive": "cat"}, "cat"),
        ([-1, 1, -1], {}, 1),
        (["yes", "no", "yes"], {}, "yes"),
        (["Positive", "negative", "negative"], {}, "Positive"),
        (["alive", "dead", "dead"], {}, "dead"),
        (["10", "2", "2"], {}, "10"),  # numbers in text are ordered as numbers, not 10 < 2
        (pd.Categorical(["lo", "hi", "lo"], categories=["hi", "lo"]), {}, "lo"),
        (pd.Categorical(["lo", "hi", "lo"], categories=["lo", "hi"]), {}, "hi"),
        (pl.Series(["lo", "hi", "lo"], dtype=pl.Enum(["hi", "lo"])), {}, "lo"),
        ([1, 1, 1], {}, 1),
        ([0, 0, 0], {}, 1),
        (["a", "a", "a"], {"labels": ["a", "b"]}, "b"),
        (["a", "a", "a"], {"positive": "b"}, "b"),
    ],
)
def test_which_of_two_classes_a_single_column_is_about(
    outcome: Any, options: dict[str, Any], positive: Any
) -> None:
    record = observe(outcome, P, **options)
    assert record.classes[1] == positive
    said = options or set(np.asarray(outcome).tolist()) <= {0, 1}
    assert ("positive-class" in slugs(record)) == (not said)


def test_a_column_named_after_a_class_is_about_that_class() -> None:
    record = observe(["Class1", "Class2", "Class2"], pd.Series(P, name="Class1"))
    assert record.classes == ("Class2", "Class1")
    assert observe(["no", "yes", "no"], pd.Series(P, name="prob_no")).classes == ("yes", "no")


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame, pa.table, dict])
def test_named_columns_are_matched_by_name_whatever_their_order(frame: Any) -> None:
    # scikit-learn issue 30910: the same call scores the wrong columns there, without a word.
    forecast = frame({"b": [0.1, 0.9], "a": [0.9, 0.1]})
    assert ll.log_loss(["a", "b"], forecast) == pytest.approx(0.10536051565782628, rel=1e-14)
    assert ll.log_loss(["a", "b"], forecast, labels=["a", "b"]) == pytest.approx(
        0.10536051565782628, rel=1e-14
    )


@pytest.mark.parametrize("names", [["p_b", "p_a"], ["b_prob", "a_prob"], ["P(b)", "P(a)"], ["B", "A"]])
def test_a_common_prefix_or_suffix_is_seen_through(names: list[str]) -> None:
    forecast = pd.DataFrame(dict(zip(names, ([0.1, 0.9], [0.9, 0.1]), strict=True)))
    if names[0].startswith("P("):
        with pytest.raises(
            ll.OutcomeError, match="No column for outcome"
        ):  # both sides: name them, or say labels=
            observe(["a", "b"], forecast)
        return
    assert ll.log_loss(["a", "b"], forecast) == pytest.approx(0.10536051565782628, rel=1e-14)


def test_the_order_of_labels_is_honoured_for_columns_without_names() -> None:
    rows = [[0.1, 0.9], [0.9, 0.1]]
    with pytest.warns(ll.LoglossWarning, match="ascending order"):
        assert ll.log_loss(["a", "b"], rows) == pytest.approx(2.302585092994046)
    assert ll.log_loss(["a", "b"], rows, labels=["b", "a"]) == pytest.approx(0.10536051565782628)


def test_an_ordered_categorical_keeps_its_order() -> None:
    # A silent error elsewhere: the order of the categories is dropped for the alphabet's.
    outcome = pd.Categorical(["low", "mid", "high"], categories=["low", "mid", "high"], ordered=True)
    rows = [[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]]
    with pytest.warns(ll.LoglossWarning, match="order of the categories: low, mid, high"):
        assert ll.log_loss(outcome, rows) == pytest.approx(0.22314355131420976)


def test_ints_stand_for_positions_where_columns_have_no_names() -> None:
    record = observe([0, 2], [[0.5, 0.25, 0.25], [0.2, 0.2, 0.6]])
    assert record.classes == (0, 1, 2)
    assert slugs(record) == ["class-positions"]
    assert observe([1, 2], [[0.9, 0.1], [0.1, 0.9]]).classes == (1, 2)
    with pytest.raises(ll.OutcomeError, match="which is whose"):  # 0-based with no 0, or 1-based with no 3?
        observe([1, 2], [[0.5, 0.25, 0.25], [0.2, 0.2, 0.6]])


def test_a_column_named_after_class_zero_is_about_class_zero() -> None:
    for name in ("p_0", "p0", "0", "prob_0"):
        assert observe([1, 0], pd.Series([0.2, 0.9], name=name)).classes == (1, 0)
    for name in ("p1", "model_10", "v0", "fold0"):
        assert observe([1, 0], pd.Series([0.2, 0.9], name=name)).classes == (0, 1)


@pytest.mark.parametrize(
    ("name", "positive"), [("p_-1", -1), ("p-1", -1), ("-1", -1), ("prob_-1", -1), ("p_1", 1), ("1", 1)]
)
def test_columns_named_after_minus_one_and_one(name: str, positive: int) -> None:
    assert observe([-1, 1], pd.Series([0.2, 0.9], name=name)).classes[1] == positive


def test_shares_mean_class_one_however_labels_are_ordered() -> None:
    hard = ll.score([1.0, 0.0], [0.9, 0.2], labels=[1, 0]).log_loss
    soft = ll.score([1.0, 1e-12], [0.9, 0.2], labels=[1, 0]).log_loss
    assert hard == pytest.approx(soft, rel=1e-9)
    assert soft == pytest.approx(ll.score([1.0, 1e-12], [0.9, 0.2], positive=0).log_loss)


def test_labels_written_alike_are_meant() -> None:
    assert observe(["0", "1"], [0.5, 0.25], labels=[1, 0]).classes == ("1", "0")
    assert observe(["0", "1"], [0.5, 0.25], positive=0).classes == ("1", "0")
    assert observe([0, 1], [0.5, 0.25], labels=["1", "0"]).classes == (1, 0)


def test_a_name_that_only_ends_like_a_label_says_nothing() -> None:
    assert observe(["e", "f"], pd.Series([0.2, 0.9], name="score")).classes == ("e", "f")


def test_masked_values_are_missing() -> None:
    y, p = np.ma.array([1, 0, 1], mask=[0, 0, 1]), np.ma.array([0.5, 0.2, 1e-9], mask=[0, 0, 1])
    with pytest.raises(ll.OutcomeError, match="1 missing outcome"):
        observe(y, p)
    assert ll.score(y, p, skip_missing=True).log_loss == pytest.approx(-np.log([0.5, 0.8]).mean())
    big = np.ma.array(np.full(60_000, 0.5), mask=np.arange(60_000) == 7)
    with pytest.raises(ll.ForecastError):
        ll.log_loss(np.ones(60_000, int), big)


def test_two_decimals_are_rounding() -> None:
    record = observe([0, 1], [[0.5, 0.51], [0.3, 0.7]])
    assert slugs(record) == ["rows-not-one"]
    ten = np.full((3, 10), 0.104)
    assert slugs(observe([0, 1, 2], ten)) == ["class-positions", "rows-not-one"]
    with pytest.raises(ll.ForecastError):
        observe([0, 1, 2], ten * 1.05)


def test_labels_that_differ_in_case_only_are_pointed_out() -> None:
    with pytest.raises(ll.OutcomeError, match="'Yes', 'yes' differ only in case"):
        observe(["yes", "Yes", "no"], P)


def test_a_little_above_one_is_not_a_logit() -> None:
    with pytest.raises(ll.ForecastError, match=r"1\.0000001.*more than rounding"):
        observe([1, 0], [1.0000001, -1e-8])


def test_rows_of_weight_zero_are_counted_aloud() -> None:
    assert "weightless" in {note.id for note in ll.score([1, 0], [0.5, 0.4], weight=[1, 0]).notes}


def test_a_class_that_never_happened_is_said() -> None:
    record = observe(["a", "b"], pd.DataFrame({"a": [0.5, 0.2], "b": [0.3, 0.3], "c": [0.2, 0.5]}))
    assert record.classes == ("a", "b", "c")
    assert slugs(record) == ["class-not-seen"]


def test_shares_as_outcomes() -> None:
    # A tie coded as one half: the mean of both surprises.
    record = observe([0.5, 1.0], [0.2, 0.9])
    assert record.soft
    assert ll.surprise([0.5, 1.0], [0.2, 0.9])[0] == pytest.approx(-(np.log(0.2) + np.log(0.8)) / 2)
    # logit 1.2 with share .3 (mpmath), and 0 log 0 = 0 for a class without a share.
    assert ll.surprise([0.3, 0.5], [1.2, 0.0], space="logit")[0] == pytest.approx(
        1.1032824673380312, rel=1e-15
    )
    two = ll.surprise([[0.0, 0.5, 0.5], [0.4, 0.3, 0.3]], [[-np.inf, 0, 0], [-np.inf, 0, 0]], space="logit")
    assert two.tolist() == [pytest.approx(np.log(2)), np.inf]


def test_one_hot_outcomes() -> None:
    forecast = pd.DataFrame({"x": [0.7, 0.2], "y": [0.3, 0.8]})
    record = observe(pd.DataFrame({"y": [0, 1], "x": [1, 0]}), forecast)
    assert record.classes == ("y", "x")
    assert ll.score(pd.DataFrame({"y": [0, 1], "x": [1, 0]}), forecast).log_loss == pytest.approx(
        -np.log([0.7, 0.8]).mean()
    )


def test_indicator_outcomes_and_forecasts_find_their_classes_by_name_or_labels() -> None:
    Y = np.array([[1, 0], [0, 1], [1, 0]])  # dog, cat, dog
    P = np.array([[0.9, 0.1], [0.2, 0.8], [0.8, 0.2]])  # dog, cat
    right = -np.log([0.9, 0.8, 0.8]).mean()
    flipped = pd.DataFrame({"cat": P[:, 1], "dog": P[:, 0]})
    named = pd.DataFrame({"cat": Y[:, 1], "dog": Y[:, 0]})
    for outcome, forecast in (
        (Y, P),
        (Y, flipped),
        (named, P),
        (named, flipped),
        (pd.DataFrame(Y, columns=["dog", "cat"]), flipped),
    ):
        record = observe(outcome, forecast, labels=["dog", "cat"])
        assert record.classes == ("dog", "cat")
        assert ll.score(outcome, forecast, labels=["dog", "cat"]).log_loss == pytest.approx(right)
    assert ll.score(named, flipped).log_loss == pytest.approx(right)


def test_shares_with_a_column_about_the_first_class() -> None:
    shares, p = [0.2, 0.7, 1.0], np.array([0.1, 0.6, 0.9])
    right = ll.score(shares, p).log_loss
    assert ll.score(shares, 1 - p, positive=0).log_loss == pytest.approx(right)
    assert ll.score(shares, pd.Series(1 - p, name="p_0")).log_loss == pytest.approx(right)
    assert ll.score(shares, p, labels=["no", "yes"]).summary.classes == ("no", "yes")


def test_labels_may_be_an_array() -> None:
    labels = np.array(["b", "a"])
    record = observe(["a", "b"], [[0.1, 0.9], [0.9, 0.1]], labels=labels)
    assert record.classes == ("b", "a")
    assert type(record.classes[0]) is str
    assert ll.score(
        {"y": ["a", "b"], "a": [0.9, 0.1], "b": [0.1, 0.9]}, labels=labels
    ).log_loss == pytest.approx(-np.log(0.9))


def test_two_columns_and_one_column_agree(rng: np.random.Generator) -> None:
    p, y = rng.random(50), rng.integers(0, 2, 50)
    one, two = ll.log_loss(y, p), ll.log_loss(y, np.stack([1 - p, p], axis=1))
    assert one == pytest.approx(two, rel=1e-13)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_low_precision_is_widened_before_any_arithmetic(dtype: str) -> None:
    p = np.array(P, dtype)
    assert ll.log_loss([1, 0, 1], p) == pytest.approx(ll.log_loss([1, 0, 1], p.astype(np.float64)), rel=1e-15)


def test_within_rounding_of_the_limits_values_are_taken_as_the_limit_and_it_is_said() -> None:
    record = observe([1, 0], [1 + 1e-15, 0.5])
    assert record.forecast[0] == 1.0
    assert slugs(record) == ["snapped"]


def test_rows_off_one_are_scored_as_given_and_said() -> None:
    # The real trap: rows that sum to 1.00002.
    P = [[0.50002, 0.5], [0.3, 0.7]]
    record = observe([0, 1], P)
    assert slugs(record) == ["rows-not-one"]
    assert "1 of 2 rows" in record.notes[0].text
    with pytest.warns(ll.LoglossWarning, match="do not sum to one"):
        assert ll.surprise([0, 1], P)[0] == pytest.approx(-np.log(0.50002), rel=1e-15)
    record = observe([0, 1], P, normalize_rows=True)
    assert slugs(record) == ["rows-normalized"]
    assert record.forecast.sum(axis=1) == pytest.approx([1, 1], abs=1e-15)


def test_missing_rows_are_left_out_only_when_asked() -> None:
    y, p = [1, None, 0, 1], [0.5, 0.5, np.nan, 0.25]
    with pytest.raises(ll.OutcomeError, match=r"1 missing outcome \(row 1\); 1 missing forecast \(row 2\)"):
        observe(y, p)
    record = observe(y, p, skip_missing=True, weight=[1, 1, 1, 2], ids=["a", "b", "c", "d"])
    assert (len(record), record.skipped, record.row_number(1)) == (2, 2, 3)
    assert record.weight.tolist() == [1, 2]
    assert record.ids.tolist() == ["a", "d"]
    assert slugs(record) == ["rows-skipped"]


@pytest.mark.parametrize(
    ("outcome", "forecast", "options"),
    [
        ([None, 0, 1, 0], [0.5, 0.3, 0.8, 7], {}),
        ([None, 0, 1, 0], [0.5, 0.3, 0.8, 0.2], {"weight": [1, 1, 1, -1]}),
        ([None, 0, 1, 9], [0.5, 0.3, 0.8, 0.2], {"labels": [0, 1]}),
        ([None, 0.5, 1, 9.5], [0.5, 0.3, 0.8, 0.2], {}),
        ([None, 0, 1, 0], [[0.5, 0.5], [0.3, 0.7], [0.8, 0.2], [0.8, 0.7]], {}),
        ([None, 0, 1, 0], [[0.5, 0.5], [0.3, 0.7], [0.8, 0.2], [0.0, 0.0]], {"normalize_rows": True}),
        ([None, 0, 1, 0], [[0.5, 0.5], [0.3, 0.7], [0.8, 0.2], [np.inf, 0.0]], {"space": "logit"}),
    ],
)
def test_rows_keep_their_numbers_after_some_were_skipped(
    outcome: Any, forecast: Any, options: dict[str, Any]
) -> None:
    with pytest.raises(ll.DataError, match=r"\brow 3\b"):
        observe(outcome, forecast, skip_missing=True, **options)


def test_only_rows_that_are_off_are_named() -> None:
    with pytest.raises(ll.ForecastError, match=r"1 of 3 rows .* row 1\)"):
        observe([0, 1, 0], [[0.5, 0.5], [0.5, 0.7], [0.5, 0.5]])


def test_whole_floats_are_classes_by_their_whole_names() -> None:
    record = observe([1.0, 2.0], pd.DataFrame({"p_2": [0.1, 0.9], "p_1": [0.9, 0.1]}))
    assert record.classes == (2, 1)


def test_one_large_value_is_not_a_percentage() -> None:
    with pytest.raises(ll.ForecastError, match="Correct these rows"):
        observe([1, 0] * 10, [0.5] * 19 + [7.0])


BAD: list[tuple[str, type[ll.LoglossError], str, tuple[Any, Any], dict[str, Any]]] = [
    ("p above one", ll.ForecastError, "out-of-range", ([1, 0], [1.2, 0.3]), {}),
    ("percentages", ll.ForecastError, "out-of-range", ([1, 0], [12.0, 80.0]), {}),
    ("percentage rows", ll.ForecastError, "out-of-range", ([1, 0], [[12.0, 88.0], [80.0, 20.0]]), {}),
    ("logits", ll.ForecastError, "out-of-range", ([1, 0], [-3.0, 2.0]), {}),
    ("log-probabilities", ll.ForecastError, "out-of-range", ([1, 0], [-3.0, -2.0]), {}),
    ("logits as logp", ll.ForecastError, "out-of-range", ([1, 0], [-3.0, 2.0]), {"space": "logp"}),
    (
        "infinite logit",
        ll.ForecastError,
        "out-of-range",
        ([1, 0], [[np.inf, 0.0], [0.0, 1.0]]),
        {"space": "logit"},
    ),
    ("rows far from one", ll.ForecastError, "rows-not-one", ([1, 0], [[0.5, 0.8], [0.9, 0.7]]), {}),
    (
        "a row of zeros",
        ll.ForecastError,
        "rows-not-one",
        ([1, 0], [[0.0, 0.0], [0.3, 0.7]]),
        {"normalize_rows": True},
    ),
    (
        "logits as logp rows",
        ll.ForecastError,
        "rows-not-one",
        ([1, 0], [[-1.0, -0.2], [-3.0, -0.1]]),
        {"space": "logp"},
    ),
    ("NaN", ll.ForecastError, "missing-values", ([1, 0], [np.nan, 0.3]), {}),
    ("text forecasts", ll.ForecastError, "not-a-number", ([1, 0], ["high", "low"]), {}),
    ("one class of text", ll.OutcomeError, "one-class", (["a", "a"], [0.1, 0.3]), {}),
    (
        "three classes, one column",
        ll.OutcomeError,
        "too-many-classes",
        (["a", "b", "c"], [0.1, 0.3, 0.5]),
        {},
    ),
    (
        "three classes, two columns",
        ll.OutcomeError,
        "classes-without-column",
        (["a", "b", "c"], [[0.5, 0.5]] * 3),
        {},
    ),
    (
        "two classes, three columns",
        ll.OutcomeError,
        "columns-without-class",
        (["a", "b"], [[0.5, 0.3, 0.2]] * 2),
        {},
    ),
    (
        "class without named column",
        ll.OutcomeError,
        "classes-without-column",
        (["a", "z"], {"a": [0.5, 0.5], "b": [0.5, 0.5]}),
        {},
    ),
    (
        "class outside labels",
        ll.OutcomeError,
        "classes-without-column",
        (["a", "z"], [[0.5, 0.5]] * 2),
        {"labels": ["a", "b"]},
    ),
    (
        "binary class outside labels",
        ll.OutcomeError,
        "classes-without-column",
        (["a", "z"], [0.5, 0.5]),
        {"labels": ["a", "b"]},
    ),
    ("label outside 0..K-1", ll.OutcomeError, "columns-without-class", ([2, 2], [[0.2, 0.8]] * 2), {}),
    ("quantities", ll.OutcomeError, "outcomes-not-classes", ([1.5, 0.2], [0.5, 0.5]), {}),
    (
        "several labels at once",
        ll.OutcomeError,
        "outcome-rows-not-one",
        ([[1, 1], [0, 1]], [[0.5, 0.5]] * 2),
        {},
    ),
    (
        "one-hot of other width",
        ll.OutcomeError,
        "columns-without-class",
        ([[1, 0, 0], [0, 1, 0]], [[0.5, 0.5]] * 2),
        {},
    ),
    ("missing outcome", ll.OutcomeError, "missing-values", ([1, None], [0.5, 0.5]), {}),
    ("a set of labels", ll.UsageError, "labels-unordered", ([1, 0], [0.5, 0.5]), {"labels": {0, 1}}),
    ("one text as labels", ll.UsageError, "labels-unordered", (["a", "b"], [0.5, 0.5]), {"labels": "ab"}),
    ("swapped", ll.UsageError, "swapped-arguments", ([0.5, 0.25], [1, 0]), {}),
    ("too many labels", ll.UsageError, "labels-count", ([1, 0], [0.5, 0.5]), {"labels": [0, 1, 2]}),
    (
        "labels for K columns",
        ll.UsageError,
        "labels-count",
        ([1, 0], [[0.5, 0.5]] * 2),
        {"labels": [0, 1, 2]},
    ),
    ("a label twice", ll.UsageError, "labels-count", ([1, 0], [[0.5, 0.5]] * 2), {"labels": [1, 1]}),
    ("unknown positive", ll.UsageError, "positive-unknown", ([1, 0], [0.5, 0.5]), {"positive": 7}),
    (
        "positive for K columns",
        ll.UsageError,
        "positive-unknown",
        ([1, 0], [[0.5, 0.5]] * 2),
        {"positive": 1},
    ),
    ("unknown space", ll.UsageError, "unknown-space", ([1, 0], [0.5, 0.5]), {"space": "logits"}),
    (
        "indicators and too many labels",
        ll.UsageError,
        "labels-count",
        (np.eye(2), [[0.5, 0.5]] * 2),
        {"labels": ["a", "b", "c"]},
    ),
    (
        "indicators and a label twice",
        ll.UsageError,
        "labels-count",
        (np.eye(2), [[0.5, 0.5]] * 2),
        {"labels": ["a", "a"]},
    ),
    (
        "indicators and positive",
        ll.UsageError,
        "positive-unknown",
        (np.eye(2), [[0.5, 0.5]] * 2),
        {"positive": 1},
    ),
    (
        "shares and unknown positive",
        ll.UsageError,
        "positive-unknown",
        ([0.5, 0.2], [0.5, 0.4]),
        {"positive": "zebra"},
    ),
    ("labels that are a number", ll.UsageError, "labels-unordered", ([1, 0], [0.5, 0.5]), {"labels": 3}),
    (
        "no possible class",
        ll.ForecastError,
        "out-of-range",
        ([1, 0], [[-np.inf, -np.inf], [0, 1]]),
        {"space": "logit"},
    ),
    (
        "infinite p to normalise",
        ll.ForecastError,
        "out-of-range",
        ([1, 0], [[np.inf, 1], [0, 1]]),
        {"normalize_rows": True},
    ),
    (
        "rows summing to five",
        ll.ForecastError,
        "rows-not-one",
        (np.zeros(9, int), np.full((9, 1000), 0.005)),
        {},
    ),
    ("huge weights", ll.WeightError, "bad-weights", ([1, 0], [0.5, 0.5]), {"weight": [1e200, 1]}),
    ("tiny weights", ll.WeightError, "bad-weights", ([1, 0], [0.5, 0.5]), {"weight": [1e-200, 1e-200]}),
    ("a file name as outcomes", ll.UsageError, "array-and-names", ("f.csv", [0.5, 0.5]), {}),
    ("negative weight", ll.WeightError, "bad-weights", ([1, 0], [0.5, 0.5]), {"weight": [1, -1]}),
    ("infinite weight", ll.WeightError, "bad-weights", ([1, 0], [0.5, 0.5]), {"weight": [1, np.inf]}),
    ("no weight at all", ll.WeightError, "bad-weights", ([1, 0], [0.5, 0.5]), {"weight": [0, 0]}),
    ("text weights", ll.WeightError, "not-a-number", ([1, 0], [0.5, 0.5]), {"weight": ["a", "b"]}),
    ("missing weight", ll.WeightError, "missing-values", ([1, 0], [0.5, 0.5]), {"weight": [1, np.nan]}),
    ("different lengths", ll.AlignmentError, "different-lengths", ([1, 0], [0.5, 0.5, 0.5]), {}),
    ("no rows", ll.AlignmentError, "no-rows", ([], []), {}),
    ("only missing rows", ll.AlignmentError, "no-rows", ([None, 1], [0.5, None]), {"skip_missing": True}),
    ("ragged list", ll.AlignmentError, "wrong-shape", ([1, 0], [[0.5, 0.5], [0.5]]), {}),
    ("three dimensions", ll.AlignmentError, "wrong-shape", ([1, 0], np.zeros((2, 2, 2))), {}),
]


@pytest.mark.parametrize(
    ("kind", "slug", "args", "options"), [case[1:] for case in BAD], ids=[case[0] for case in BAD]
)
def test_what_cannot_be_scored_is_refused_with_its_reason(
    kind: type[ll.LoglossError], slug: str, args: tuple[Any, Any], options: dict[str, Any]
) -> None:
    with pytest.raises(kind) as caught:
        observe(*args, **options)
    assert caught.value.slug == slug
    assert caught.value.message.endswith((".", ")", "?"))


def test_the_cure_names_what_it_probably_is() -> None:
    for forecast, cure in (
        ([12.0, 80.0], "percentages"),
        ([-3.0, 2.0], "space='logit'"),
        ([-3.0, -2.0], "space='logp'"),
    ):
        with pytest.raises(ll.ForecastError, match=cure):
            observe([1, 0], forecast)


def test_misaligned_pandas_indexes_are_refused() -> None:
    # Elsewhere rows are paired by position against their index, without a word.
    y, p = pd.Series([1, 0, 1]), pd.Series(P, index=[2, 1, 0])
    with pytest.raises(ll.AlignmentError, match="indexes of outcomes and forecasts differ"):
        observe(y, p)
    with pytest.raises(ll.AlignmentError, match="outcomes and weights"):
        observe(y, pd.Series(P), weight=p)
    assert len(observe(y, p.reindex(y.index))) == 3
    assert len(observe(y, p.to_numpy())) == 3


def test_nothing_given_is_changed(rng: np.random.Generator) -> None:
    y, P = rng.integers(0, 3, 20), rng.dirichlet(np.ones(3), 20)
    before = y.copy(), P.copy()
    ll.score(y, P)
    ll.explain(y, P)
    assert (y == before[0]).all()
    assert (before[1] == P).all()


def test_large_plain_arrays_are_not_copied(rng: np.random.Generator) -> None:
    P = rng.dirichlet(np.ones(4), 1000)
    y = rng.integers(0, 4, 1000)
    record = observe(y, P)
    assert np.shares_memory(record.forecast, P)
    assert np.shares_memory(record.outcome, y)
