"""Murphy curves: brute force, their integrals, bands, crossings and verdicts."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import logloss as ll
from logloss.curves.costs import cost
from logloss.curves.elementary import differences_of
from logloss.curves.thresholds import Rows
from logloss.interval import of_clusters, of_rows


def brute(y: np.ndarray, p: np.ndarray, w: np.ndarray, th: float, *, left: bool = False) -> float:
    """Return the mean elementary score: the definition (Ehm and others 2016, equation 14, p = th not acted on)."""
    act = p >= th if left else p > th
    return float((w * (act * th * (1 - y) + ~act * (1 - th) * y)).sum() / w.sum())


def case(n: int) -> st.SearchStrategy[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    p = hnp.arrays(
        float, n, elements=st.one_of(st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.floats(1e-300, 1 - 1e-12))
    )
    y = hnp.arrays(float, n, elements=st.sampled_from([0.0, 1.0]))
    return st.tuples(p, y, hnp.arrays(float, n, elements=st.sampled_from([1.0, 0.5, 3.0])))


@settings(max_examples=50, deadline=None)
@given(st.integers(2, 30).flatmap(case), st.lists(st.floats(0.001, 0.999), min_size=1, max_size=5))
def test_it_is_the_definition_at_any_threshold(
    found: tuple[np.ndarray, np.ndarray, np.ndarray], thresholds: list[float]
) -> None:
    p, y, w = found
    y[:2] = 0, 1
    curve = ll.murphy_curve(y.astype(int), p, weight=w)["forecast"]
    for th in [*thresholds, 0.25, 0.5]:
        assert curve.at(np.array([th]))[0] == pytest.approx(brute(y, p, w, th), abs=1e-14)
        assert curve.at(np.array([th]), side="left")[0] == pytest.approx(
            brute(y, p, w, th, left=True), abs=1e-14
        )


@settings(max_examples=50, deadline=None)
@given(st.integers(2, 60).flatmap(case))
def test_its_integrals_are_the_log_loss_and_the_brier_score(
    found: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    p, y, w = found
    y[:2] = 0, 1
    curve = ll.murphy_curve(y.astype(int), p, weight=w)["forecast"]
    score = ll.score(y.astype(int), p, weight=w)
    assert curve.brier == pytest.approx(float((w * (p - y) ** 2).sum() / w.sum()), abs=1e-12)
    assert curve.log_loss == pytest.approx(score.log_loss, rel=1e-12, abs=1e-12)
    assert curve.infinite_rows == score.infinite_rows


def test_by_hand() -> None:
    # y = 1, p = 0.8: costs 1 - th from 0.8 on. Integrals (1 - p)^2 and -log p.
    curve = ll.murphy_curve([1, 1], [0.8, 0.8], labels=[0, 1])["forecast"]
    left, right = curve.limits()
    assert curve.threshold.tolist() == [0.0, 0.8, 1.0]
    assert left.tolist() == pytest.approx([0.0, 0.0, 0.0])
    assert right.tolist() == pytest.approx([0.0, 0.2, 0.0])
    assert curve.log_loss == pytest.approx(-math.log(0.8), abs=1e-15)
    assert curve.brier == pytest.approx(0.04, abs=1e-15)


def test_logits_never_go_through_p() -> None:
    # -log sigmoid(-800) is 800 but for exp(-800).
    assert ll.murphy_curve([1, 0], [-800.0, -800.0], space="logit")["forecast"].log_loss == 400.0
    assert ll.murphy_curve([1, 0], [50.0, -50.0], space="logit")["forecast"].log_loss == pytest.approx(
        math.exp(-50), rel=1e-12
    )


def test_one_column_two_columns_and_log_probabilities_agree() -> None:
    y = np.array([0, 1, 1, 0, 1])
    p = np.array([0.1, 0.7, 0.99, 0.5, 0.25])
    P = np.column_stack([1 - p, p])
    curves = [
        ll.murphy_curve(y, p), ll.murphy_curve(y, P), ll.murphy_curve(y, np.log(P), space="logp"),
        ll.murphy_curve(y, np.log(p), space="logp"),
    ]  # fmt: skip
    losses = [curve["forecast"].log_loss for curve in curves]
    assert losses == pytest.approx([ll.log_loss(y, p)] * 4, abs=1e-14)
    other = ll.murphy_curve(y, p, event=0)["forecast"]
    assert other.log_loss == pytest.approx(losses[0], abs=1e-14)
    assert other.brier == pytest.approx(curves[0]["forecast"].brier, abs=1e-14)


def test_soft_outcomes_give_the_cross_entropy() -> None:
    t, p = np.array([0.3, 1.0, 0.0, 0.9]), np.array([0.4, 0.8, 0.1, 0.6])
    curve = ll.murphy_curve(t, p)["forecast"]
    assert curve.log_loss == pytest.approx(ll.score(t, p).log_loss, abs=1e-13)
    assert curve.brier == pytest.approx(float((t * (1 - p) ** 2 + (1 - t) * p**2).mean()), abs=1e-13)


def rows(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    z = random.normal(-1, 1.5, n)
    return (random.random(n) < 1 / (1 + np.exp(-z))).astype(int), z


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def test_a_share_however_small_of_what_was_ruled_out_is_infinite() -> None:
    p, share = [0.0, 0.0, 1.0, 1.0, 0.4], [0.1, 0.0, 0.9, 1.0, 0.2]
    one = ll.murphy_curve(share, p).forecasts["forecast"]
    assert one.infinite_rows == 2  # the first and the third
    assert one.log_loss == np.inf
    brier = [
        0.1,
        0.0,
        0.1,
        0.0,
        0.2 * 0.6**2 + 0.8 * 0.4**2,
    ]  # of an event with a share t: t (1 - p)^2 + (1 - t) p^2
    assert one.brier == pytest.approx(sum(brier) / 5, rel=1e-12)


def test_differences_are_those_of_the_curves() -> None:
    y, z = rows(300)
    w = np.random.default_rng(1).random(300)
    found = ll.murphy_curve(y, {"a": sigmoid(z), "b": sigmoid(0.4 * z)}, weight=w)
    (one,) = found.differences
    expected = found["a"].at(one.thresholds) - found["b"].at(one.thresholds)
    np.testing.assert_allclose(one.mean, expected, atol=1e-12)
    assert one.least <= expected.min() + 1e-12
    assert one.most >= expected.max() - 1e-12


def test_extremes_and_crossings_are_exact() -> None:
    # By hand: y = 1; a says 0.6, b says 0.3. Between 0.3 and 0.6 only b misses: a - b = -(1 - th), from -0.7 to -0.4.
    good = ll.murphy_curve([1, 1], {"a": [0.6, 0.6], "b": [0.3, 0.3]}, labels=[0, 1])
    (one,) = good.differences
    assert (one.least, one.most) == (pytest.approx(-0.7), 0.0)
    assert len(one.crossings) == 0
    # y = 1, 0; b says 0.5 twice, a 0.2 and 0.9: a is worse from 0.2 to 0.9 but for where the sign does not change.
    y, a, b = np.array([1, 0, 1]), np.array([0.2, 0.1, 0.9]), np.array([0.5, 0.5, 0.5])
    found = ll.murphy_curve(y, {"a": a, "b": b})
    th = np.linspace(0.001, 0.999, 200_001)
    gap = found["a"].at(th) - found["b"].at(th)
    least, most, crossings = differences_of(found["a"], found["b"])
    assert (least, most) == (pytest.approx(gap.min(), abs=1e-4), pytest.approx(gap.max(), abs=1e-4))
    signs = np.sign(np.where(np.abs(gap) < 1e-12, 0, gap))
    told = np.flatnonzero(signs)
    expected = th[told[1:]][np.diff(signs[told]) != 0]
    assert crossings == pytest.approx(expected, abs=1e-5)
    assert len(crossings) == 2


def test_a_line_may_cross_within_a_piece() -> None:
    # Between 0.1 and 0.9 a acts on all four, b on none: a - b = th 3/4 - (1 - th)/4 is 0 at 1/4, by hand.
    (one,) = ll.murphy_curve([1, 0, 0, 0], {"a": [0.9] * 4, "b": [0.1] * 4}).differences
    assert one.crossings == pytest.approx([0.25], abs=1e-15)


def test_verdicts() -> None:
    y, z = rows(4000)
    flat = np.full(4000, y.mean())
    better = ll.murphy_curve(
        y, {"model": sigmoid(z), "noise": sigmoid(np.random.default_rng(3).permutation(z))}
    )
    assert better.differences[0].verdict in ("a", "not certain")
    assert better.differences[0].better("a").any()
    assert not better.differences[0].better("b").any()
    crossing = ll.murphy_curve(y, {"low": sigmoid(z - 1.5), "high": sigmoid(z + 1.5)})
    assert crossing.differences[0].verdict == "crosses"
    assert "'low' costs less beyond doubt" in " ".join(str(crossing).split())
    same = ll.murphy_curve(y, {"x": sigmoid(z), "y": sigmoid(z)})
    assert same.differences[0].verdict == "not certain"
    assert "cost the same at every threshold" in str(same)
    base = ll.murphy_curve(y, {"model": sigmoid(z), "flat": flat})
    np.testing.assert_allclose(base.base_rate(base.thresholds), base["flat"].at(base.thresholds), atol=1e-12)


def test_dominance_is_told_for_every_proper_score() -> None:
    # Every row of a is nearer to its outcome than that of b, so no threshold can prefer b.
    y, z = rows(1000)
    a = np.where(y == 1, 0.8, 0.2)
    found = ll.murphy_curve(y, {"worse": np.where(y == 1, 0.4, 0.6), "better": a})
    assert found.differences[0].verdict == "b"
    assert "'better' costs no more than 'worse' at any threshold" in str(found)
    assert "under every proper score; less at" in " ".join(str(found).split())
    assert z.shape == (1000,)


def test_it_prints_one_screen_and_writes_json() -> None:
    y, z = rows(2000)
    one = ll.murphy_curve(y, np.where(np.arange(2000) == 0, 1 - y[0], sigmoid(z)))
    many = ll.murphy_curve(y, {"p\x1b[0m": sigmoid(z), "q": sigmoid(2 * z), "r": sigmoid(z / 2)})
    assert math.isinf(one["forecast"].log_loss)
    assert "inf (1 row)" in str(one)
    for found in (one, many):
        assert "\x1b" not in str(found)
        assert len(str(found).splitlines()) < 45
        state = json.dumps(found.to_dict(), allow_nan=False)
        assert len(state) < 200_000
        assert "<pre>" in found._repr_html_()
        frame, pairs = found.frame(), len(found.differences)
        assert {len(column) for column in frame.values()} == {99 * (1 + len(found.forecasts) + pairs)}
        assert frame["score"][99:198] == pytest.approx(
            next(iter(found.costs.values())).mean.tolist(), abs=1e-14
        )
        if pairs:
            assert frame["difference"][-99:] == found.differences[-1].mean.tolist()
            assert frame["band_high"][-99:] == found.differences[-1].band.high.tolist()
    assert {len(column) for column in many.frame("q").values()} == {2002}
    assert "bits" in many.show("bits")
    assert "curve" in ll.murphy_curve([0, 1], [0.2, 0.8]).to_dict()["forecasts"][0]


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("soft", [False, True])
def test_costs_and_differences_have_the_intervals_of_rows_or_groups(soft: bool, grouped: bool) -> None:
    random = np.random.default_rng(3)
    p, q = random.integers(0, 11, (2, 300)) / 10
    y = random.integers(0, 11, 300) / 10 if soft else random.integers(0, 2, 300).astype(float)
    w, group = random.choice([1.0, 2.0, 0.5], 300), random.integers(0, 25, 300)
    th = np.array([0.1, 0.25, 0.5, 0.7])
    found = ll.murphy_curve(
        y if soft else y.astype(int),
        {"p": p, "q": q},
        thresholds=th,
        weight=w,
        group=group if grouped else None,
    )
    one, two = (np.where(x[:, None] > th, th * (1 - y[:, None]), (1 - th) * y[:, None]) for x in (p, q))
    for got, d in ((found.costs["p"], one), (found.costs["q"], two), (found.differences[0], one - two)):
        for at in range(4):
            expected = of_clusters(d[:, at], w, group) if grouped else of_rows(d[:, at], w)
            assert expected is not None
            assert got.mean[at] == pytest.approx(expected.mean, abs=1e-12)
            assert got.limits.low[at] == pytest.approx(expected.low, abs=1e-12)
            assert got.limits.high[at] == pytest.approx(expected.high, abs=1e-12)
    rows = Rows(th, y, w, {"p": (p[:, None] > th).sum(axis=1)}, group if grouped else None)
    off = w[:, None] * (one - (w[:, None] * one).sum(axis=0) / w.sum())
    if grouped:
        mass = np.bincount(group, w)
        off = np.array([off[group == g].sum(axis=0) for g in range(25)]) / (w.sum() - mass)[:, None]
        off -= off.mean(axis=0)
    np.testing.assert_allclose(cost(rows, "p").covariance, off.T @ off, atol=1e-10)


def test_misses_not_seen_yet_are_not_ruled_out() -> None:
    # 200 rows not acted on at 0.5, no event among them: with 97.5 % at most 1 - .025^(1 / 300) of rows are missed events.
    y, p = np.repeat([1, 0, 0], [50, 50, 200]), np.repeat([0.9, 0.9, 0.1], [50, 50, 200])
    found = ll.murphy_curve(y, p, thresholds=[0.5]).costs["forecast"]
    bare = of_rows(np.repeat([0.0, 0.5, 0.0], [50, 50, 200]), np.ones(300))
    assert bare is not None
    assert found.limits.low[0] == pytest.approx(bare.low, abs=1e-12)
    assert found.limits.high[0] == pytest.approx(bare.high + 0.5 * (1 - 0.025 ** (1 / 300)), abs=1e-12)


def test_calls_that_mean_nothing_are_refused() -> None:
    for slug, options in (("bad-threshold", {"thresholds": [0.0]}), ("bad-level", {"level": 0})):
        with pytest.raises(ll.UsageError) as caught:
            ll.murphy_curve([0, 1], [0.2, 0.8], **options)  # type: ignore[arg-type]
        assert caught.value.slug == slug
    with pytest.raises(ll.UsageError, match="no-such-model"):
        ll.murphy_curve([0, 1], [0.2, 0.8])["x"]
    with pytest.raises(ll.UsageError, match="which-event"):
        ll.murphy_curve(["a", "b", "a"], {"x": [0.1, 0.2, 0.3], "y": [0.1, 0.2, 0.3]}, event="c")
    assert ll.murphy_curve([0, 1], [0.0, 1.0]).thresholds.tolist() == [0.5]
