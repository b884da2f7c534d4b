"""Suspected label errors, from data to result."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_noise import even, planted

import logloss as ll
from logloss.annotation.suspicion import of_record


def data(seed=0, n=1200, K=3, T=None, over=1.0):
    rng = np.random.default_rng(seed)
    d, true, y = planted(rng, n, K, 4.0, even(K, 0.06) if T is None else T, over)
    log_p = -d - np.log(np.exp(-d).sum(axis=1, keepdims=True))
    return log_p, true, y


LOG_P, TRUE, Y = data()
BASE = ll.suspects(Y, LOG_P, space="logp", labels=[0, 1, 2])


def test_the_planted_ones_come_first() -> None:
    wrong = TRUE != Y
    assert BASE.supported
    assert BASE.interval[0] < wrong.sum() < BASE.interval[1]
    assert BASE.expected == pytest.approx(np.nansum(BASE.probability), rel=1e-12)
    assert BASE.rate == pytest.approx(BASE.expected / 1200, rel=1e-12)
    top = BASE.columns()["row"][:40]
    assert wrong[top].mean() == pytest.approx(BASE.precision(40), abs=0.15)
    assert BASE.precision(40) > 0.85
    right = TRUE[top] == BASE.suggested[top]
    assert right[wrong[top]].mean() > 0.9


def test_rows_to_look_at_follow_from_the_probabilities() -> None:
    found = np.cumsum(np.sort(BASE.probability)[::-1])
    assert found[BASE.half - 1] >= 0.5 * BASE.expected > found[BASE.half - 2]
    assert found[BASE.most - 1] >= 0.9 * BASE.expected > found[BASE.most - 2]


def test_class_dependent_noise_is_ranked_better_than_by_surprise() -> None:
    """One class in four is recorded as one other: a surprise there means more than elsewhere."""
    T = np.eye(4)
    T[2, 2], T[2, 0] = 0.75, 0.25
    ours = bare = 0.0
    for seed in range(5):
        log_p, true, y = data(seed, 1500, 4, T, over=1.5)
        wrong = true != y
        found = ll.suspects(y, log_p, space="logit", labels=[0, 1, 2, 3], rows=0)
        k = int(wrong.sum())
        ours += wrong[np.argsort(-found.probability, kind="stable")[:k]].mean() / 5
        bare += wrong[np.argsort(-found.surprise, kind="stable")[:k]].mean() / 5
        assert found.noise[2][0] == pytest.approx(0.25, abs=0.08)
    assert ours > bare + 0.05


@pytest.mark.parametrize("space", ["p", "logit"])
def test_spaces_agree(space) -> None:
    values = np.exp(LOG_P) if space == "p" else LOG_P + 5.0
    other = ll.suspects(Y, values, space=space, labels=[0, 1, 2])
    assert other.probability == pytest.approx(BASE.probability, abs=1e-4)
    assert other.p_value == pytest.approx(BASE.p_value, rel=0.01)


def test_one_column_and_two_columns_agree() -> None:
    log_p, _, y = data(1, 600, 2)
    two = ll.suspects(y, log_p, space="logp", labels=[0, 1])
    one = ll.suspects(y, log_p[:, 1] - log_p[:, 0], space="logit", labels=[0, 1])
    assert one.probability == pytest.approx(two.probability, abs=1e-4)


def test_the_order_of_rows_and_of_classes_does_not_matter(rng) -> None:
    turn = rng.permutation(len(Y))
    other = ll.suspects(Y[turn], LOG_P[turn], space="logp", labels=[0, 1, 2])
    assert other.probability == pytest.approx(BASE.probability[turn], abs=1e-4)
    names = np.array(["c", "a", "b"])  # 0, 1, 2; the columns come as a, b, c
    frame = pd.DataFrame(LOG_P[:, [1, 2, 0]], columns=["a", "b", "c"])
    other = ll.suspects(names[Y], frame, space="logp")
    assert other.probability == pytest.approx(BASE.probability, abs=1e-4)
    assert [r.rather for r in other.rows[:5]] == [names[r.rather] for r in BASE.rows[:5]]


def test_rows_of_weight_zero_count_nowhere() -> None:
    weight = np.ones(len(Y))
    weight[::7] = 0.0
    y = Y.copy()
    y[::7] = 0
    with_zeros = ll.suspects(y, LOG_P, space="logp", labels=[0, 1, 2], weight=weight)
    without = ll.suspects(y[weight > 0], LOG_P[weight > 0], space="logp", labels=[0, 1, 2])
    assert with_zeros.n == without.n
    assert with_zeros.probability[weight > 0] == pytest.approx(without.probability, abs=1e-9)
    assert np.isnan(with_zeros.probability[::7]).all()
    assert (with_zeros.suggested[::7] == -1).all()
    assert len(with_zeros.columns()["row"]) == without.n
    assert {r.row % 7 for r in with_zeros.rows} <= {1, 2, 3, 4, 5, 6}


def test_certain_forecasts_are_weighed_not_condemned() -> None:
    p = np.exp(LOG_P)
    p[:100] = np.eye(3)[TRUE[:100]]
    found = ll.suspects(Y, p, labels=[0, 1, 2])
    assert np.isfinite(found.probability).all()
    assert np.isinf(found.surprise[:100]).sum() == (TRUE != Y)[:100].sum()
    assert "noise-bounded" in {note.id for note in found.notes}
    assert json.loads(json.dumps(found.to_dict()))["rows"][0]["surprise"] == "inf"
    assert (found.probability[:100][TRUE[:100] != Y[:100]] < 1.0).all()


def test_no_noise_is_said() -> None:
    log_p, _, y = data(2, 800, 3, np.eye(3), over=2.0)
    found = ll.suspects(y, log_p, space="logit", labels=[0, 1, 2])
    assert not found.supported
    assert found.rate_interval[0] == 0.0
    assert len(found.rows) == 20
    assert "noise-unsupported" in {note.id for note in found.notes}
    assert "none can be told" in str(found)
    assert "no findings" in str(found)


@pytest.mark.parametrize(
    ("y", "p", "why"),
    [
        ([0, 1] * 10, [0.2, 0.7] * 10, "the fit needs 50"),
        (["a"] * 60, np.full((60, 2), 0.5), "the same class"),
        ([0.25, 0.5] * 40, [0.2, 0.7] * 40, "shares"),
    ],
)
def test_where_nothing_can_be_fitted_it_is_said(y, p, why) -> None:
    labels = ["a", "b"] if y[0] == "a" else None
    found = ll.suspects(y, p, labels=labels)
    assert why in found.notes[-1].text
    assert found.notes[-1].id == "noise-not-fitted"
    assert found.expected is None
    assert found.rows == ()
    assert not found.supported
    assert found.to_dict()["p_value"] is None
    assert found.columns()["row"].tolist() == []
    assert math.isnan(found.precision(5))
    assert "not looked for" in str(found)


def test_hard_forecasts_tell_nothing_of_noise(rng) -> None:
    y = rng.integers(0, 2, 400)
    p = np.where(rng.random(400) < 0.1, 1 - y, y).astype(float)
    found = ll.suspects(y, p)
    assert not found.supported  # noise and over-confidence are the same two numbers here
    assert np.isfinite(found.probability).all()


def test_constant_forecasts_tell_nothing_of_noise(rng) -> None:
    found = ll.suspects(rng.integers(0, 2, 200), np.full(200, 0.5))
    assert not found.supported


def test_many_rows_are_fitted_by_a_sample(monkeypatch) -> None:
    from logloss.annotation import suspicion

    monkeypatch.setattr(suspicion, "ENOUGH", 700)
    found = ll.suspects(Y, LOG_P, space="logp", labels=[0, 1, 2])
    assert "random 700 of 1,200" in next(n.text for n in found.notes if n.id == "noise-sampled")
    assert found.expected == pytest.approx(BASE.expected, rel=0.4)
    assert len(found.probability) == 1200


def test_hostile_text_stays_text() -> None:
    frame = pd.DataFrame(
        {"y": np.array(["<b>", "x\x1b[31m", "ok"])[Y], "id": [f"<i{i}>" for i in range(len(Y))]}
    )
    for k, name in enumerate(["<b>", "x\x1b[31m", "ok"]):
        frame[name] = np.exp(LOG_P[:, k])
    found = ll.suspects(
        frame, outcome="y", forecast=["<b>", "x\x1b[31m", "ok"], ids="id", normalize_rows=True
    )
    assert "\x1b" not in str(found)
    assert "<b>" not in found._repr_html_()
    assert found.rows[0].id.startswith("<i")


def test_usage_errors() -> None:
    with pytest.raises(ll.UsageError, match="bad-rows"):
        ll.suspects(Y, LOG_P, space="logp", labels=[0, 1, 2], rows=-1)
    frame = pd.DataFrame({"y": [0, 1] * 30, "a": [0.2, 0.9] * 30, "b": [0.3, 0.9] * 30})
    with pytest.raises(ll.UsageError, match="one-forecast"):
        ll.suspects(frame, {"m": "a", "o": "b"}, outcome="y")


def test_a_checked_record_is_enough() -> None:
    record = ll.observe(Y, LOG_P, space="logp", labels=[0, 1, 2])
    assert of_record(record, rows=3).rows == BASE.rows[:3]


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([2, 4]), st.floats(0.1, 30), st.floats(0, 0.4))
def test_laws(seed, K, sharp, rate) -> None:
    rng = np.random.default_rng(seed)
    d, _, y = planted(rng, 80, K, sharp, even(K, rate))
    found = ll.suspects(y, -d, space="logit", labels=list(range(K)), rows=80)
    if found.expected is None:
        return
    assert ((found.probability >= 0) & (found.probability <= 1)).all()
    listed = [row.probability for row in found.rows]
    assert listed == sorted(listed, reverse=True)
    assert found.interval[0] <= found.expected <= found.interval[1]
    assert found.rate_interval[0] <= found.rate * (1 + 1e-6)
    assert found.rate <= found.rate_interval[1] * (1 + 1e-6)
    assert 1 <= found.half <= found.most <= 80
    assert (found.suggested != y).all()
    assert np.asarray(found.noise).sum(axis=1) == pytest.approx(np.ones(K), rel=1e-9)
    assert all(row.rather != row.recorded for row in found.rows)
