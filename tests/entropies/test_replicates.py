"""What a log loss consists of: soft outcomes, and rows with the same forecast."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import entr, rel_entr, softmax

import logloss as ll
from logloss.entropies.replicates import of_record

# 12 of 40 at 0.2, 36 of 60 at 0.7. The figures: 60-digit arithmetic from the formulas of Weijs et al. (2010).
Y = [1] * 12 + [0] * 28 + [1] * 36 + [0] * 24
P = [0.2] * 40 + [0.7] * 60


def test_reference_values() -> None:
    found = ll.decompose_replicates(Y, P)
    parts = found.replicates
    assert found.log_loss == pytest.approx(0.67296919671623907, rel=1e-14)
    assert parts.reliability == pytest.approx(0.024816475688727824, rel=1e-13)
    assert parts.resolution == pytest.approx(0.044194246062450251, rel=1e-13)
    assert parts.uncertainty == pytest.approx(0.6923469670899615, rel=1e-14)
    assert parts.reliability_corrected == pytest.approx(0.014816475688727824, rel=1e-13)
    assert parts.resolution_corrected == pytest.approx(0.039194246062450251, rel=1e-13)
    assert parts.uncertainty_corrected == pytest.approx(0.6973469670899615, rel=1e-14)
    assert (parts.groups, parts.rows, parts.effective_rows, parts.within) == (2, 100, 100, 0)
    worst = parts.listed[0]
    assert (worst["forecast"], worst["observed"], worst["rows"], worst["group"]) == (
        pytest.approx(0.7),
        0.6,
        60,
        40,
    )
    assert sum(one["nats"] for one in parts.listed) == pytest.approx(parts.reliability, rel=1e-14)


def test_soft_reference_values() -> None:
    """60-digit arithmetic: t = (.7, .3), p = (.6, .4)."""
    found = ll.decompose_replicates([[0.7, 0.3]], [[0.6, 0.4]])
    assert found.log_loss == pytest.approx(0.63246515619844, rel=1e-14)
    assert found.shares.entropy == pytest.approx(0.61086430205489346, rel=1e-14)
    assert found.shares.divergence == pytest.approx(0.021600854143546535, rel=1e-13)
    assert found.shares.annotators is None


@st.composite
def grouped(draw: Any) -> tuple[np.ndarray, ...]:
    """Outcomes of K classes, forecasts of which several are the same, and weights, some of them 0."""
    K = draw(st.integers(2, 4))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    levels = rng.dirichlet(np.ones(K), draw(st.integers(1, 4)))
    at = rng.integers(len(levels), size=60)
    t = rng.dirichlet(np.ones(K), 60) if draw(st.booleans()) else np.eye(K)[rng.integers(K, size=60)]
    return t, levels[at], rng.integers(0, 3, 60) + (np.arange(60) < 5.0), at


@settings(max_examples=60)
@given(grouped())
def test_the_parts_are_what_numpy_says_and_add_up(case: tuple[np.ndarray, ...]) -> None:
    t, p, w, at = case
    found = ll.decompose_replicates(t, p, weight=w)
    parts = found.replicates
    used = w > 0
    t, p, w, at = t[used], p[used], w[used], at[used]
    overall = np.average(t, axis=0, weights=w)
    rel = res = 0.0
    for g in np.unique(at):
        mine = at == g
        o = np.average(t[mine], axis=0, weights=w[mine])
        rel += w[mine].sum() / w.sum() * rel_entr(o, p[mine][0]).sum()
        res += w[mine].sum() / w.sum() * rel_entr(o, overall).sum()
    assert parts.reliability == pytest.approx(rel, rel=1e-9, abs=1e-13)
    assert parts.resolution == pytest.approx(res, rel=1e-9, abs=1e-13)
    assert parts.uncertainty == pytest.approx(entr(overall).sum(), rel=1e-12)
    total = parts.uncertainty - parts.resolution + parts.reliability
    assert found.log_loss == pytest.approx(total, rel=1e-12)
    corrected = parts.uncertainty_corrected - parts.resolution_corrected + parts.reliability_corrected
    assert corrected == pytest.approx(total, rel=1e-12)
    if found.shares is not None:
        assert found.shares.entropy + found.shares.divergence == pytest.approx(found.log_loss, rel=1e-12)
        assert found.shares.entropy == pytest.approx(np.average(entr(t).sum(axis=1), weights=w), rel=1e-12)


def test_the_correction_takes_most_of_the_bias_out() -> None:
    """Forecasts that are the truth: reliability is 0. 2,000 seasons of 90 days, ten of each forecast."""
    rng = np.random.default_rng(1)
    levels = np.repeat(np.arange(1, 10) / 10, 10)
    plain, corrected, uncertainty = [], [], []
    for _ in range(2000):
        parts = ll.decompose_replicates((rng.random(90) < levels).astype(int), levels).replicates
        plain.append(parts.reliability)
        corrected.append(parts.reliability_corrected)
        uncertainty.append(parts.uncertainty_corrected)
    assert np.mean(plain) > 0.05
    assert abs(np.mean(corrected)) < 0.01
    assert np.mean(uncertainty) == pytest.approx(math.log(2), abs=2e-3)


def test_the_correction_for_shares_is_by_their_own_variance() -> None:
    """Shares that hardly vary need hardly any correction. By hand: variances of (.6, .8) over two rows."""
    t = [0.6, 0.8] * 10
    parts = ll.decompose_replicates(t, [0.7] * 20, labels=[0, 1]).replicates
    per_class = 0.01 / 20  # variance of the mean
    assert parts.uncertainty_corrected - parts.uncertainty == pytest.approx(
        per_class / 2 * (1 / 0.7 + 1 / 0.3), rel=1e-10
    )


def test_the_correction_counts_weighted_rows_by_their_effective_number() -> None:
    w = np.array([1.0] * 40 + [3.0] * 60)
    parts = ll.decompose_replicates(Y, P, weight=w).replicates
    effective = w.sum() ** 2 / (w**2).sum()
    assert parts.effective_rows == pytest.approx(effective, rel=1e-14)
    assert parts.uncertainty_corrected - parts.uncertainty == pytest.approx(1 / (2 * effective), rel=1e-10)
    inside = 40 / 220 / (2 * 40) + 180 / 220 / (2 * 60)
    assert parts.reliability - parts.reliability_corrected == pytest.approx(inside, rel=1e-10)


@pytest.mark.parametrize("space", ["logit", "logp"])
def test_spaces_and_many_classes(space: str) -> None:
    rng = np.random.default_rng(2)
    z = rng.normal(size=(5, 6))[rng.integers(5, size=300)]
    p = softmax(z, axis=1)
    y = rng.integers(6, size=300)
    given = z if space == "logit" else np.log(p)
    one = ll.decompose_replicates(y, given, space=space).replicates
    other = ll.decompose_replicates(y, p).replicates
    assert one.groups == other.groups == 5
    assert one.reliability == pytest.approx(other.reliability, rel=1e-11)


def test_counted_annotators_correct_the_entropy() -> None:
    votes = np.array([[3, 2], [5, 0], [1, 1], [1, 0]])
    p = np.array([[0.5, 0.5]] * 4)
    found = ll.decompose_replicates(votes, p, counts=True, weight=[1, 1, 2, 1])
    t = votes / votes.sum(axis=1, keepdims=True)
    entropy = np.average(entr(t).sum(axis=1), weights=[1, 1, 2, 1])
    bias = (1 / 10 + 2 * 1 / 4) / 5  # (m - 1) / (2 R) of the rows with two classes
    shares = found.shares
    assert shares.annotators == (1, 5)
    assert shares.bias == pytest.approx(bias, rel=1e-14)
    assert shares.entropy_corrected == pytest.approx(entropy + bias, rel=1e-13)
    assert shares.entropy_corrected + shares.divergence_corrected == pytest.approx(found.log_loss, rel=1e-13)
    assert "Where there is one (1 row)" in found.notes[-1].text


def test_miller_madow_takes_most_of_the_bias_out() -> None:
    """Eight annotators a row of a known distribution of three classes: the entropy of their shares is too low by about 1/8."""
    rng = np.random.default_rng(4)
    q = np.array([0.5, 0.3, 0.2])
    votes = rng.multinomial(8, q, 20_000)
    shares = ll.decompose_replicates(votes, np.tile(q, (20_000, 1)), counts=True).shares
    truth = entr(q).sum()
    assert shares.entropy == pytest.approx(truth - 1 / 8, abs=0.03)
    assert abs(shares.entropy_corrected - truth) < 0.3 * (truth - shares.entropy)


def test_shares_that_look_like_votes_are_said_to_and_not_corrected() -> None:
    found = ll.decompose_replicates([[0.67, 0.33], [1.0, 0.0], [0.33, 0.67]], [[0.5, 0.5]] * 3)
    assert found.shares.looks_like == 3
    assert found.shares.entropy_corrected is None
    assert [note.id for note in found.notes] == ["soft-outcomes", "few-annotators"]
    assert f"too low by about {2 / 3 / 6:.4f} nats" in found.notes[-1].text
    rng = np.random.default_rng(0)
    odd = ll.decompose_replicates(rng.dirichlet([1, 1], 30), [[0.5, 0.5]] * 30)
    assert odd.shares.looks_like is None
    assert [note.id for note in odd.notes] == ["soft-outcomes"]


def test_infinities_are_carried_apart() -> None:
    found = ll.decompose_replicates([[0.5, 0.5], [0.7, 0.3]], [[1.0, 0.0], [0.6, 0.4]])
    assert (found.log_loss, found.shares.divergence, found.shares.infinite_rows) == (math.inf, math.inf, 1)
    assert found.shares.divergence_finite == pytest.approx(0.021600854143546535, rel=1e-13)
    parts = ll.decompose_replicates([*Y, *[1] * 9, 0], [*P, *[1.0] * 10]).replicates
    assert (parts.reliability, parts.infinite_groups) == (math.inf, 1)
    assert parts.reliability_finite == pytest.approx(0.024816475688727824, rel=1e-13)
    assert parts.listed[0]["nats"] == math.inf
    state = json.loads(json.dumps(ll.decompose_replicates([1] * 10 + [0], [0.0] * 11).to_dict()))
    assert state["replicates"]["reliability"] == "inf"
    assert state["replicates"]["reliability_finite"] is None
    assert "inf" in ll.decompose_replicates([1] * 10 + [0], [0.0] * 11).show()


def test_certain_groups_that_were_right_lose_nothing() -> None:
    parts = ll.decompose_replicates([1] * 10 + [0] * 10, [1.0] * 10 + [0.0] * 10).replicates
    assert (parts.reliability, parts.infinite_groups) == (0, 0)
    assert parts.resolution == pytest.approx(math.log(2), rel=1e-14)


def test_groups_by_name_take_the_mean_forecast() -> None:
    rng = np.random.default_rng(7)
    p = np.array(P) + rng.uniform(-0.1, 0.1, 100)
    by = ["low"] * 40 + ["high"] * 60
    found = ll.decompose_replicates({"y": Y, "p": p, "by": by}, by="by")
    parts = found.replicates
    mean = np.where(np.array(P) == 0.2, p[:40].mean(), p[40:].mean())
    plain = ll.decompose_replicates(Y, mean, by=by).replicates
    assert parts.by == "group"
    assert parts.reliability == pytest.approx(plain.reliability, rel=1e-11)
    total = parts.uncertainty - parts.resolution + parts.reliability + parts.within
    assert total == pytest.approx(ll.log_loss(Y, p), rel=1e-12)
    assert plain.within == pytest.approx(0, abs=1e-15)
    assert {one["group"] for one in parts.listed} == {"low", "high"}
    assert "within groups" in str(found)


def test_groups_that_are_not_replicated_are_not_looked_at_unasked() -> None:
    record = ll.observe(Y, np.linspace(0.01, 0.99, 100))
    assert of_record(record) is None
    with pytest.raises(ll.UsageError, match="nothing-replicated"):
        ll.decompose_replicates(Y, np.linspace(0.01, 0.99, 100))
    few = ll.decompose_replicates(Y, np.linspace(0.01, 0.99, 100), by=np.arange(100) // 2)
    assert [note.id for note in few.notes] == ["few-replicates"]
    with pytest.raises(ll.UsageError, match="by="):
        ll.decompose_replicates(Y, P, group=P)


def test_rows_of_weight_0_count_nowhere() -> None:
    more = ll.decompose_replicates([*Y, 1, 1], [*P, 0.2, 0.9], weight=[1] * 100 + [0, 0])
    assert more.to_dict() == ll.decompose_replicates(Y, P).to_dict()
    only = of_record(ll.observe([1, 0], [0.5, 0.5], weight=[0, 0], partial=True))
    assert only is None


def test_two_zeros_are_one_forecast() -> None:
    p = np.array([[0.0, 1.0]] * 5 + [[-0.0, 1.0]] * 5)
    assert ll.decompose_replicates([1] * 10, p, labels=[0, 1]).replicates.groups == 1


def test_text() -> None:
    told = ll.decompose_replicates([[3, 2], [4, 1]] * 5, [[0.6, 0.4]] * 10, counts=True)
    screen = told.show("bits")
    assert screen.startswith(f"Log loss {told.log_loss / math.log(2):.4f} bits   10 rows")
    for words in ("entropy of the outcomes", "for few annotators", "+ reliability", "[few-annotators]"):
        assert words in screen
    assert "<pre>" in told._repr_html_()
