"""Entropy, cross-entropy and divergence of distributions. References: mpmath with 60 digits."""

from __future__ import annotations

import math
from typing import Any

import mpmath as mp
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

import logloss as ll

K = st.integers(2, 7)


@st.composite
def pairs(draw: Any, rows: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Two lists of distributions over the same classes, some of whose probabilities are 0."""
    count = draw(K)
    numbers = st.lists(st.floats(1e-6, 1) | st.just(0.0), min_size=count, max_size=count).filter(any)
    t, p = (np.array(draw(st.lists(numbers, min_size=rows, max_size=rows))) for _ in range(2))
    return t / t.sum(axis=1, keepdims=True), p / p.sum(axis=1, keepdims=True)


def exact(t: Any, p: Any) -> mp.mpf:
    """KL of the two after dividing each by its sum."""
    with mp.workdps(60):
        a, b = ([mp.mpf(float(v)) for v in row] for row in (t, p))
        T, P = mp.fsum(a), mp.fsum(b)
        return mp.fsum(x / T * mp.log((x / T) / (y / P)) for x, y in zip(a, b, strict=True) if x)


def test_reference_values() -> None:
    """60-digit arithmetic."""
    t, p = [0.7, 0.3], [0.6, 0.4]
    assert ll.cross_entropy(t, p) == pytest.approx(0.63246515619844, rel=1e-14)
    assert ll.entropy(t) == pytest.approx(0.61086430205489346, rel=1e-15)
    assert ll.kl_divergence(t, p) == pytest.approx(0.021600854143546535, rel=1e-14)
    assert ll.entropy([0.3, 0.5, 0.2]) == pytest.approx(1.0296530140645735, rel=1e-15)
    assert isinstance(ll.entropy(t), float)


def test_shapes() -> None:
    t = np.array([[0.7, 0.3], [0.5, 0.5], [1.0, 0.0]])
    assert ll.entropy(t).shape == (3,)
    assert ll.entropy(t.T, axis=0).tolist() == ll.entropy(t).tolist()
    cube = np.stack([t, t[::-1]])
    assert ll.entropy(cube).shape == (2, 3)
    assert ll.kl_divergence(cube, cube).tolist() == np.zeros((2, 3)).tolist()
    one = ll.cross_entropy([0.7, 0.3], t)
    assert one.tolist() == [ll.cross_entropy([0.7, 0.3], row) for row in t]
    assert ll.cross_entropy(t, [0.6, 0.4]).shape == (3,)
    assert ll.entropy(np.zeros((0, 3))).shape == (0,)


def test_one_number_is_the_probability_of_the_second_of_two_classes() -> None:
    assert ll.entropy(0.3) == ll.entropy([0.7, 0.3])
    assert ll.cross_entropy(0.3, 0.4) == pytest.approx(0.63246515619844, rel=1e-14)
    # The sum over both classes of t log(t/p), with 1 - t and 1 - p exact, in 60-digit arithmetic.
    t, p = 0.3, 0.3 + 1e-12
    with mp.workdps(60):
        a, b = mp.mpf(t), mp.mpf(p)
        reference = a * mp.log(a / b) + (1 - a) * mp.log((1 - a) / (1 - b))
    assert ll.kl_divergence(t, p) == pytest.approx(float(reference), rel=1e-13)
    assert ll.entropy(1e-20) == pytest.approx(1e-20 * (20 * math.log(10) + 1), rel=1e-13)


def test_log_loss_is_the_cross_entropy_with_all_on_what_happened() -> None:
    p = np.array([[0.1, 0.2, 0.7], [0.5, 0.5, 0.0]])
    assert ll.cross_entropy(np.eye(3)[[2, 0]], p).tolist() == pytest.approx(
        ll.surprise([2, 0], p).tolist(), rel=1e-15
    )


def test_zeros_are_exact() -> None:
    assert ll.entropy([1.0, 0.0]) == 0
    assert ll.cross_entropy([1.0, 0.0], [1.0, 0.0]) == 0
    assert ll.cross_entropy([0.5, 0.5], [1.0, 0.0]) == math.inf
    assert ll.kl_divergence([0.5, 0.5], [1.0, 0.0]) == math.inf
    assert ll.kl_divergence([0.0, 1.0], [0.5, 0.5]) == pytest.approx(math.log(2), rel=1e-15)
    assert ll.kl_divergence([[1.0, 0.0]], [[1e-300, 1.0]])[0] == pytest.approx(300 * math.log(10), rel=1e-14)
    assert ll.kl_divergence([5e-324, 1.0], [0.5, 0.5]) == pytest.approx(math.log(2), rel=1e-15)


@pytest.mark.parametrize("gap", [1e-15, 1e-12, 1e-9, 1e-6, 1e-3, 0.1, 0.4, 0.6, 2.0])
def test_nearly_equal_distributions_lose_no_digits(gap: float) -> None:
    rng = np.random.default_rng(5)
    for _ in range(30):
        t = rng.dirichlet(np.ones(4))
        p = t * np.exp(gap * rng.normal(size=4))
        p /= p.sum()
        reference = float(exact(t, p))
        # A few units in the last place; the rounded sums of t and p, which differ from 1 by up to 2e-16, squared.
        assert ll.kl_divergence(t, p) == pytest.approx(reference, rel=2e-14, abs=1e-31)


def test_what_the_plain_formula_loses() -> None:
    t, p = np.array([0.5, 0.5]), np.array([0.5 + 1e-10, 0.5 - 1e-10])
    assert ll.kl_divergence(t, p) == pytest.approx(float(exact(t, p)), rel=1e-13)
    assert abs((t * np.log(t / p)).sum() / float(exact(t, p)) - 1) > 0.5


@given(pairs(rows=3))
def test_scipy_agrees(pair: tuple[np.ndarray, np.ndarray]) -> None:
    t, p = pair
    np.testing.assert_allclose(ll.entropy(t), stats.entropy(t, axis=1), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(
        ll.kl_divergence(t, p), special.rel_entr(t, p).sum(axis=1), rtol=1e-9, atol=1e-14
    )


@given(pairs())
def test_cross_entropy_is_entropy_plus_divergence(pair: tuple[np.ndarray, np.ndarray]) -> None:
    t, p = pair[0][0], pair[1][0]
    both = ll.entropy(t) + ll.kl_divergence(t, p)
    assert ll.cross_entropy(t, p) == pytest.approx(both, rel=1e-12)


@given(pairs())
def test_divergence_is_never_negative_and_0_of_a_distribution_from_itself(
    pair: tuple[np.ndarray, np.ndarray],
) -> None:
    t, p = pair[0][0], pair[1][0]
    assert ll.kl_divergence(t, p) >= 0
    assert ll.kl_divergence(t, t) == 0


@given(pairs(), st.randoms())
def test_the_order_of_the_classes_does_not_matter(pair: tuple[np.ndarray, np.ndarray], random: Any) -> None:
    t, p = pair[0][0], pair[1][0]
    order = list(range(len(t)))
    random.shuffle(order)
    for function in (ll.kl_divergence, ll.cross_entropy):
        assert function(t[order], p[order]) == pytest.approx(function(t, p), rel=1e-12, abs=1e-16)
    assert ll.entropy(t[order]) == pytest.approx(ll.entropy(t), rel=1e-12, abs=1e-16)


@settings(max_examples=50)
@given(pairs(rows=2))
def test_chain_rule(pair: tuple[np.ndarray, np.ndarray]) -> None:
    """Of two independent choices, entropies and divergences add up."""
    (t1, t2), (p1, p2) = pair
    joint_t, joint_p = np.outer(t1, t2).ravel(), np.outer(p1, p2).ravel()
    joint_t, joint_p = joint_t / joint_t.sum(), joint_p / joint_p.sum()
    assert ll.entropy(joint_t) == pytest.approx(ll.entropy(t1) + ll.entropy(t2), rel=1e-10, abs=1e-14)
    parts = ll.kl_divergence(t1, p1) + ll.kl_divergence(t2, p2)
    assert ll.kl_divergence(joint_t, joint_p) == pytest.approx(parts, rel=1e-10, abs=1e-14)


def test_spaces() -> None:
    z = np.array([[2.0, -1.0, 0.5], [800.0, 0.0, -5.0]])
    p = special.softmax(z, axis=1)
    t = np.array([[0.2, 0.3, 0.5], [0.0, 0.5, 0.5]])
    assert ll.cross_entropy(t, z, space="logit")[1] == pytest.approx(0.5 * 800 + 0.5 * 805, rel=1e-15)
    for function in (ll.cross_entropy, ll.kl_divergence):
        for space, values in (("logit", z[:1]), ("logp", special.log_softmax(z[:1], axis=1))):
            assert function(t[:1], values, space=space) == pytest.approx(function(t[:1], p[:1]), rel=1e-13)
    assert ll.entropy(z[:1], space="logit") == pytest.approx(stats.entropy(p[:1], axis=1), rel=1e-13)
    assert ll.kl_divergence(p[:1], z[:1], space="logit")[0] < 1e-30
    assert ll.kl_divergence([[0.5, 0.5]], [[-800.0, 0.0]], space="logp")[0] == pytest.approx(
        400 - math.log(2), rel=1e-14
    )


def test_classes_are_paired_by_name() -> None:
    t, p = {"cat": 0.7, "dog": 0.3}, {"dog": 0.4, "cat": 0.6}
    assert ll.kl_divergence(t, p) == pytest.approx(0.021600854143546535, rel=1e-14)
    series = pd.Series(t), pd.Series(p)
    assert ll.kl_divergence(*series) == pytest.approx(0.021600854143546535, rel=1e-14)
    frames = pd.DataFrame([t]), pd.DataFrame([{"p_dog": 0.4, "p_cat": 0.6}])
    assert ll.cross_entropy(*frames)[0] == pytest.approx(0.63246515619844, rel=1e-14)
    with pytest.raises(ll.AlignmentError, match="t has the classes cat, dog, p cow, dog"):
        ll.kl_divergence(t, {"cow": 0.4, "dog": 0.6})
    with pytest.raises(ll.AlignmentError, match="index-mismatch"):
        ll.kl_divergence(pd.DataFrame([t, t]), pd.DataFrame([p, p], index=[1, 0]))


def test_float32_rows_sum_to_one_by_their_own_rounding() -> None:
    p = special.softmax(np.random.default_rng(0).normal(size=(50, 10)), axis=1).astype(np.float32)
    assert ll.entropy(p) == pytest.approx(stats.entropy(p.astype(float), axis=1), rel=1e-6)
    with pytest.raises(ll.DataError, match="not-a-distribution"):
        ll.entropy(p.astype(float))


@pytest.mark.parametrize(
    ("t", "p", "options", "said"),
    [
        ([0.7, 0.4], [0.5, 0.5], {}, "t has sums of 1.1 instead of 1"),
        ([0.5, 0.5], [[0.5, 0.5], [1.2, -0.2]], {}, r"p has 1 row with negative numbers \(row 1\)"),
        ([0.5, np.nan], [0.5, 0.5], {}, "t has NaN or missing"),
        ([0.5, None], [0.5, 0.5], {}, "t has NaN or missing"),
        ([0.5, 0.5], [math.inf, 0.0], {}, "p has sums of inf"),
        ([0.5, 0.5], [math.inf, 0.0], {"space": "logit"}, r"logits of \+inf"),
        ([0.5, 0.5], [0.5, 0.5], {"space": "logp"}, "p has logs above 0"),
        (0.5, 0.5, {"space": "logit"}, "p is one number"),
        (1.5, 0.5, {}, "t has negative numbers"),
    ],
)
def test_what_is_no_distribution(t: Any, p: Any, options: dict[str, Any], said: str) -> None:
    with pytest.raises(ll.DataError, match=said) as caught:
        ll.cross_entropy(t, p, **options)
    assert caught.value.slug == "not-a-distribution"


@pytest.mark.parametrize(
    ("t", "p", "slug"),
    [
        ([0.5, 0.5], [0.2, 0.3, 0.5], "wrong-shape"),
        ([[0.5, 0.5]] * 2, [[0.5, 0.5]] * 3, "wrong-shape"),
        (["a", "b"], [0.5, 0.5], "not-a-number"),
        (["a", None], [0.5, 0.5], "not-a-number"),
        ([], [], "wrong-shape"),
    ],
)
def test_what_does_not_fit_together(t: Any, p: Any, slug: str) -> None:
    with pytest.raises(ll.LoglossError) as caught:
        ll.kl_divergence(t, p)
    assert caught.value.slug == slug


def test_unknown_space_and_axis() -> None:
    with pytest.raises(ll.UsageError, match="Did you mean 'logit'"):
        ll.entropy([0.5, 0.5], space="logits")
    with pytest.raises(ll.AlignmentError, match="no axis 2"):
        ll.entropy([0.5, 0.5], axis=2)
