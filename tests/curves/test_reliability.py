"""Reliability: the isotonic curve, its bands, bins with exact intervals, expected beside observed loss."""

from __future__ import annotations

import itertools
import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import logloss as ll
from logloss import examples
from logloss.curves import bands
from logloss.curves.binning import binomial_interval, merged, pools
from logloss.curves.events import main_events
from logloss.curves.reliability import of_record

P6, Y6 = [0.1, 0.2, 0.3, 0.6, 0.8, 0.9], [0, 0, 1, 0, 1, 1]


def few(y: Any, p: Any, **options: Any) -> ll.Reliability:
    return ll.reliability(y, p, **{"bands": 20, **options})


def columns(result: ll.Reliability, what: Any = "steps") -> dict[str, np.ndarray]:
    return {name: np.array(values) for name, values in result.frame(what).items()}


def test_the_isotonic_steps_of_the_worked_example() -> None:
    # Pool adjacent violators by hand; the decomposition of these steps in 60-digit arithmetic.
    steps = few(Y6, P6).curve.steps
    assert steps.fitted.tolist() == [0, 0, 0.5, 0.5, 1, 1]
    assert steps.forecast.tolist() == P6
    assert steps.share.tolist() == Y6
    c = steps.fitted
    happened = np.where(np.array(Y6) == 1, c, 1 - c)
    loss_of_curve = -np.log(happened).mean()
    assert ll.log_loss(Y6, P6) - loss_of_curve == pytest.approx(0.23182955150404543, rel=1e-13)
    assert math.log(2) - loss_of_curve == pytest.approx(0.46209812037329687, rel=1e-13)


def test_expected_against_observed_loss_of_three_rows() -> None:
    # Sum s, sum H, variance and z of p = (.9, .8, .3), y = (1, 0, 0) in 60-digit arithmetic.
    belief = few([1, 0, 0], [0.9, 0.8, 0.3], bins=1).belief
    assert belief.surprise[0] * 3 == pytest.approx(2.0714733720306591, rel=1e-13)
    assert belief.expected[0] * 3 == pytest.approx(1.4363496989845296, rel=1e-13)
    assert belief.excess[0] * 3 == pytest.approx(2.0714733720306591 - 1.4363496989845296, rel=1e-12)
    assert belief.z[0] == pytest.approx(0.67219075984648566, rel=1e-12)


def test_exact_intervals_are_those_of_scipy_and_the_closed_form() -> None:
    from scipy.stats import binomtest

    low, high = binomial_interval(np.array([0.0, 0.3, 1.0]), np.array([10.0, 10.0, 7.0]), 0.95)
    assert (low[0], high[0]) == pytest.approx((0.0, 1 - 0.025**0.1), rel=1e-12)  # closed form
    assert (low[2], high[2]) == pytest.approx((0.025 ** (1 / 7), 1.0), rel=1e-12)
    peer = binomtest(3, 10).proportion_ci(0.95, method="exact")
    assert (low[1], high[1]) == pytest.approx((peer.low, peer.high), rel=1e-6)


def test_bins_hold_equal_weight_and_never_split_equal_forecasts(rng: np.random.Generator) -> None:
    p = rng.choice([0.0, 0.1, 0.1234, 0.5, 0.7, 1.0], 5000, p=[0.1, 0.2, 0.3, 0.2, 0.1, 0.1])
    p = np.where(rng.random(5000) < 0.5, p, rng.random(5000))
    y = (rng.random(5000) < p).astype(int)
    bins = few(y, p).curve.bins
    assert bins.rows.sum() == 5000
    assert (bins.rows > 0).all()
    assert (np.diff(bins.forecast) > 0).all()
    assert (bins.forecast[0], bins.forecast[-1]) == (0.0, 1.0)
    assert (bins.log_odds[0], bins.log_odds[-1]) == (-np.inf, np.inf)
    assert np.isfinite(bins.log_odds[1:-1]).all()
    for value in (0.0, 1.0):
        assert bins.rows[bins.forecast == value] == (p == value).sum()
    events = main_events(ll.observe(y, p))
    distinct, order, starts = pools(events)
    groups, first = merged(distinct, 15)
    keys = [set(part.tolist()) for part in np.split(events.key[order], starts[first][1:])]
    assert all(not (a & b) for a, b in itertools.pairwise(keys))
    assert len(keys) == len(groups)
    even = few(y[:4000], rng.random(4000)).curve.bins
    assert (len(even), int(even.rows.min()), int(even.rows.max())) == (15, 266, 267)


def test_expected_and_observed_loss_add_up_over_the_bins(rng: np.random.Generator) -> None:
    p, w = rng.beta(0.5, 0.7, 800), rng.gamma(2.0, 1.0, 800)
    y = (rng.random(800) < p**1.5).astype(int)
    belief, record = few(y, p, weight=w).belief, ll.explain(y, p, weight=w)
    assert (belief.weight @ belief.expected) / w.sum() == pytest.approx(record.expected_log_loss, rel=1e-12)
    assert (belief.weight @ belief.surprise) / w.sum() == pytest.approx(record.score.log_loss, rel=1e-12)
    over = belief.z > 0
    assert (belief.excess[over] > 0).all()


def test_infinite_rows_are_apart_and_their_bin_has_no_z() -> None:
    belief = few([1, 1, 0, 1, 0], [0.0, 0.2, 0.0, 0.9, 0.4]).belief
    assert belief.infinite_rows.tolist() == [1, 0, 0, 0]
    assert (belief.surprise[0], belief.excess[0]) == (math.inf, 0.0)
    assert np.isnan(belief.z[0])
    state = json.loads(json.dumps(few([1, 1, 0], [0.0, 0.2, 0.4]).to_dict(), allow_nan=False))
    assert state["belief"]["surprise"][0] == "inf"
    assert state["curve"]["steps"]["log_odds"][0] == "-inf"


def test_forecasts_that_expect_one_loss_have_no_z() -> None:
    for p, space in ((0.5, "p"), (0.0, "logit"), (math.log(0.5), "logp")):
        belief = few([0, 1, 1], [p] * 3, space=space).belief
        assert np.isnan(belief.z[0])
        assert belief.excess[0] == pytest.approx(0.0, abs=1e-15)
    assert np.isnan(few([0, 1], [0.0, 1.0]).belief.z).all()


# ---------------------------------------------------------------- bands


@pytest.mark.parametrize("n", [60, 400])
def test_the_consistency_band_holds_the_curve_of_right_forecasts(n: int) -> None:
    inside = []
    for seed in range(80):
        rng = np.random.default_rng([seed, n])
        p = np.round(rng.beta(1.0, 1.5, n), 2)
        found = ll.reliability((rng.random(n) < p).astype(int), p, bands=200, seed=seed, labels=[0, 1])
        inside.append(1.0 - found.curve.outside)
    # 90 % at every point; a little more where the curve is 0 or 1 with a probability above 5 %.
    assert 0.88 < np.mean(inside) < 0.96


def test_the_confidence_band_holds_the_truth_everywhere() -> None:
    held, width = [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        p = rng.random(200)
        truth = p**2  # the forecasts are wrong, the band does not mind
        found = ll.reliability((rng.random(200) < truth).astype(int), p, band="confidence", level=0.95)
        steps = found.curve.steps
        held.append(bool(((steps.low <= steps.forecast**2) & (steps.forecast**2 <= steps.high)).all()))
        width.append(float((steps.high - steps.low).mean()))
    assert np.mean(held) >= 0.95
    assert 0.3 < np.mean(width) < 0.65


def test_the_confidence_band_against_its_definition() -> None:
    from scipy.stats import beta

    rng = np.random.default_rng(4)
    p = np.sort(rng.random(12))
    y = (rng.random(12) < p).astype(int)
    steps = few(y, p, band="confidence", level=0.9).curve.steps
    N, low, high = 12, np.zeros(12), np.ones(12)
    d = 0.1 / (N * (N + 1))
    for j in range(N):
        for k in range(j, N):
            Z, m = y[j : k + 1].sum(), k - j + 1
            upper = beta.ppf(1 - d, Z + 1, m - Z) if m > Z else 1.0
            lower = beta.ppf(d, Z, m - Z + 1) if Z else 0.0
            high[: j + 1] = np.minimum(high[: j + 1], upper)
            low[k:] = np.maximum(low[k:], lower)
    assert steps.low == pytest.approx(low, abs=1e-9)
    assert steps.high == pytest.approx(high, abs=1e-9)


def test_drawing_groups_together_gives_the_band_of_drawing_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    p = rng.beta(0.8, 0.8, 6000)
    w = rng.choice([1.0, 3.0], 6000)
    record = ll.observe((rng.random(6000) < p).astype(int), p, weight=w)
    by_rows = of_record(record, bands=400)
    monkeypatch.setattr(bands, "BY_ROWS", 100)
    by_groups = of_record(record, bands=400)
    assert {"curve-grouped", "band-by-groups"} <= {note.id for note in by_groups.notes}
    assert "band-by-groups" not in {note.id for note in by_rows.notes}
    for side in ("low", "high"):
        a, b = getattr(by_rows.curve.steps, side), getattr(by_groups.curve.steps, side)
        assert np.abs(a - b).mean() < 0.01
        assert np.abs(a - b).max() < 0.06
    width = [(r.curve.steps.high - r.curve.steps.low).mean() for r in (by_rows, by_groups)]
    assert width[0] == pytest.approx(width[1], rel=0.05)


def test_over_confident_forecasts_leave_the_band() -> None:
    bold, sound = examples.overconfident(3000), examples.calibrated(3000)
    assert ll.reliability(bold.outcome, bold.forecast).curve.outside > 0.5
    assert ll.reliability(sound.outcome, sound.forecast).curve.outside < 0.3
    sure = ll.reliability(bold.outcome, bold.forecast, band="confidence").curve
    assert sure.outside > 0.2
    wrong = (sure.steps.forecast < sure.steps.low) | (sure.steps.forecast > sure.steps.high)
    assert sure.outside == pytest.approx(np.average(wrong, weights=sure.steps.weight))
    assert ll.reliability(sound.outcome, sound.forecast, band="confidence").curve.outside == 0.0


def test_many_forecasts_are_grouped_and_it_is_said(rng: np.random.Generator) -> None:
    p = rng.random(30_000)
    p[:40], p[40:100] = 0.0, 1.0
    y = (rng.random(30_000) < p).astype(int)
    found = few(y, p)
    steps = found.curve.steps
    assert 990 <= len(steps) <= 1002
    assert steps.rows.sum() == 30_000
    assert (steps.forecast[0], steps.rows[0], steps.forecast[-1], steps.rows[-1]) == (0.0, 40, 1.0, 60)
    assert (np.diff(steps.forecast) > 0).all()
    assert "curve-grouped" in {note.id for note in found.notes}
    assert len(few(y, p, band="confidence").curve.steps) <= 202


# ---------------------------------------------------------------- laws

SHARES = st.lists(st.sampled_from([0.02, 0.1, 0.25, 0.5, 0.6, 0.9]), min_size=4, max_size=40)


@settings(max_examples=25, deadline=None)
@given(SHARES, st.integers(0, 2**32 - 1))
def test_the_order_of_rows_and_weights_as_counts_change_nothing(p: list[float], seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, P = len(p), np.array(p)
    y = np.append([0, 1], rng.integers(0, 2, n - 2))
    w = rng.integers(1, 4, n).astype(float)
    order = rng.permutation(n)
    a, b = few(y, P, weight=w), few(y[order], P[order], weight=w[order])
    repeated = few(np.repeat(y, w.astype(int)), np.repeat(P, w.astype(int)))
    doubled = few(y, P, weight=2 * w)
    for name in ("forecast", "share", "fitted", "weight"):
        one = columns(a)[name]
        assert columns(b)[name] == pytest.approx(one, rel=1e-12)
        assert columns(repeated)[name] == pytest.approx(one, rel=1e-12)
        assert columns(doubled)[name] == pytest.approx(one * (2 if name == "weight" else 1), rel=1e-12)
    assert columns(b)["low"] == pytest.approx(columns(a)["low"], rel=1e-12)
    for name in ("expected", "surprise", "excess"):
        assert columns(repeated, "belief")[name] == pytest.approx(
            columns(a, "belief")[name], rel=1e-9, abs=1e-14
        )


@settings(max_examples=25, deadline=None)
@given(SHARES, st.integers(0, 2**32 - 1))
def test_one_column_two_columns_logits_and_the_other_class_tell_the_same(p: list[float], seed: int) -> None:
    P = np.array(p)
    y = np.append([0, 1], np.random.default_rng(seed).integers(0, 2, len(p) - 2))
    one = few(y, P)
    two = few(y, np.stack([1 - P, P], axis=1), labels=[0, 1])
    z = np.log(P / (1 - P))
    for other in (two, few(y, z, space="logit"), few(y, np.log(P), space="logp"),
                  few(y, np.stack([0 * z, z], axis=1), space="logit", labels=[0, 1])):  # fmt: skip
        for name in ("forecast", "log_odds", "rows", "share", "fitted"):
            assert columns(other)[name] == pytest.approx(columns(one)[name], rel=1e-9, abs=1e-12)
        for name in ("expected", "surprise", "z"):
            assert columns(other, "belief")[name] == pytest.approx(
                columns(one, "belief")[name], rel=1e-7, nan_ok=True
            )
    back = few(1 - y, 1 - P)
    assert columns(back)["fitted"][::-1] == pytest.approx(1 - columns(one)["fitted"], abs=1e-12)


def test_rows_of_weight_zero_count_nowhere() -> None:
    a = few(Y6, P6, weight=[1] * 6)
    b = few([*Y6, 1], [*P6, 0.0], weight=[1] * 6 + [0])
    assert a.to_dict() | {"notes": []} == b.to_dict() | {"notes": []}


def test_weights_count_as_many_rows_as_they_are_worth() -> None:
    y, p, w = [1, 0, 1, 1, 0, 1], [0.6] * 6, np.array([1.0, 2.0, 3.0, 1.0, 1.0, 4.0])
    kish, share = 12.0**2 / 32.0, 9.0 / 12.0
    low, high = binomial_interval(np.array([share]), np.array([kish]), 0.9)
    for scale in (1.0, 7.0):
        found = few(y, p, weight=scale * w)
        bins = found.curve.bins
        assert (bins.low[0], bins.high[0]) == pytest.approx((low[0], high[0]), rel=1e-12)
        assert found.belief.z[0] == pytest.approx(ll.explain(y, p, weight=w).excess_z, rel=1e-12)


# ---------------------------------------------------------------- more classes


def test_classes_against_the_rest_are_binary_curves(rng: np.random.Generator) -> None:
    P = rng.dirichlet([0.6, 1.0, 0.4], 400)
    y = np.array([rng.choice(["a", "b", "c"], p=row) for row in P])
    found = few(y, P, labels=["a", "b", "c"])
    assert list(found.by_class) == ["a", "b", "c"]
    for k, label in enumerate("abc"):
        alone = few((y == label).astype(int), P[:, k])
        for name in ("forecast", "log_odds", "fitted", "share"):
            assert getattr(found.by_class[label].steps, name) == pytest.approx(
                getattr(alone.curve.steps, name), rel=1e-12
            )
    top = few((np.array(["a", "b", "c"])[P.argmax(axis=1)] == y).astype(int), P.max(axis=1))
    assert found.curve.event is None
    assert found.curve.steps.fitted == pytest.approx(top.curve.steps.fitted, rel=1e-12)
    logits = few(y, np.log(P) + 3.0, labels=["a", "b", "c"], space="logit")
    for label in "abc":
        assert logits.by_class[label].bins.log_odds == pytest.approx(
            found.by_class[label].bins.log_odds, rel=1e-9
        )
        assert logits.by_class[label].bins.share == pytest.approx(found.by_class[label].bins.share)
    assert (found.belief.weight @ found.belief.surprise) / 400 == pytest.approx(
        ll.log_loss(y, P, labels=["a", "b", "c"])
    )


def test_the_classes_that_happen_most_have_curves(rng: np.random.Generator) -> None:
    P = rng.dirichlet(np.full(25, 0.5), 600)
    y = np.minimum(rng.geometric(0.15, 600) - 1, 24)
    y[:25] = np.arange(25)
    found = few(y, P, labels=list(range(25)))
    assert len(found.by_class) == 20
    left = set(range(25)) - set(found.by_class)
    counts = np.bincount(y, minlength=25)
    assert max(counts[list(left)]) <= min(counts[list(found.by_class)])
    assert "curves-left-out" in {note.id for note in found.notes}


def test_shares_as_outcomes() -> None:
    found = few([0.2, 0.6, 0.9, 0.5], [0.2, 0.5, 0.5, 0.7])
    assert found.curve.steps.share == pytest.approx([0.2, 0.75, 0.5])
    assert found.curve.steps.fitted == pytest.approx([0.2, 2 / 3, 2 / 3])
    assert "band-of-shares" in {note.id for note in found.notes}


# ---------------------------------------------------------------- what it prints, and errors


def test_what_it_prints() -> None:
    text = str(few(["well", "sick", "sick"] * 20, [0.2, 0.2, 0.7] * 20, labels=["well", "sick"]))
    assert text.startswith("Reliability of 'sick'   60 rows, 2 bins")
    assert "0.2000  0.5000  " in text
    assert "consistency band" in text
    hostile = few(["a", "<b>\x1b[31m"] * 4, [0.2, 0.8] * 4, labels=["a", "<b>\x1b[31m"])
    assert "\x1b" not in str(hostile)
    assert "<b>" not in hostile._repr_html_()
    assert "confidence band" in str(few(Y6, P6, band="confidence"))


@pytest.mark.parametrize(
    ("options", "slug"),
    [
        ({"band": "wide"}, "unknown-band"),
        ({"level": 1.0}, "bad-level"),
        ({"bands": 3}, "bad-count"),
        ({"bins": 0}, "bad-count"),
    ],
)
def test_calls_that_are_wrong(options: dict[str, Any], slug: str) -> None:
    with pytest.raises(ll.UsageError) as caught:
        ll.reliability(Y6, P6, **options)
    assert caught.value.slug == slug


def test_a_summary_has_no_rows() -> None:
    with pytest.raises(ll.UsageError) as caught:
        ll.lorenz(ll.summarize(Y6, P6))
    assert caught.value.slug == "rows-needed"
    with pytest.raises(ll.UsageError, match="steps, bins and belief"):
        few(Y6, P6).frame("rows")


def test_the_same_seed_gives_the_same_band() -> None:
    a, b, c = (ll.reliability(Y6, P6, seed=seed, bands=50) for seed in (1, 1, 2))
    assert a.to_dict() == b.to_dict()
    assert (
        a.curve.steps.low.tolist() + a.curve.steps.high.tolist()
        != c.curve.steps.low.tolist() + c.curve.steps.high.tolist()
    )
