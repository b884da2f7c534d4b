"""Numbers of a comparison, each by hand: NumPy, and Student's t of SciPy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from logloss import observe
from logloss.comparing.contest import Contest
from logloss.comparing.parts import where
from logloss.comparing.ranks import behind
from logloss.comparing.results import ClipChange, Deciding, Pair, Standing
from logloss.comparing.tallied import pair_of_tally
from logloss.comparing.tallies import Tally
from logloss.comparing.verdicts import of_contest


def test_a_standing_is_behind_by_the_pair_whichever_way_round() -> None:
    pairs = [
        Pair("best", "other", -0.2, interval=(-0.5, -0.1)),
        Pair("third", "best", 0.3, interval=(0.25, 0.45)),
    ]
    found = behind(Standing("other", 1.2), "best", pairs)
    assert (found.difference, found.difference_interval) == (0.2, (0.1, 0.5))
    found = behind(Standing("third", 1.3), "best", pairs)
    assert (found.difference, found.difference_interval) == (0.3, (0.25, 0.45))
    found = behind(Standing("best", 1.0), "best", pairs)
    assert (found.difference, found.difference_interval) == (None, None)


def test_over_folds_the_bands_of_all_others_are_bonferronis() -> None:
    """Nadeau and Bengio (2003): sd sqrt(1/K + 1/(K - 1)) of K means; here at 1 - 0.05 / 2, as two are set against one."""
    random = np.random.default_rng(5)
    fold = np.repeat(np.arange(5), 20)
    s = random.exponential(1.0, (100, 3)) + np.array([0.0, 0.4, 0.9])
    found = of_contest(Contest(("a", "b", "c"), s, np.ones(100), fold=fold), target="algorithm")
    centre = found.standings[0].name
    for one in found.standings[1:]:
        d = s[:, "abc".index(one.name)] - s[:, "abc".index(centre)]
        means = np.array([d[fold == k].mean() for k in range(5)])
        error = means.std(ddof=1) * math.sqrt(1 / 5 + 1 / 4)
        expected = stats.t.interval(1 - 0.05 / 2, 4, means.mean(), error)
        assert one.simultaneous == pytest.approx(expected, rel=1e-9)
        assert one.difference_interval == pytest.approx(stats.t.interval(0.95, 4, means.mean(), error))


def test_rows_infinite_under_both_are_no_part_of_the_sum_nor_of_its_error() -> None:
    random = np.random.default_rng(6)
    y = random.integers(0, 2, 80)
    p = random.uniform(0.05, 0.95, (2, 80))
    p[:, :7] = 1.0 - y[:7]
    w = random.gamma(2.0, 1.0, 80)
    records = {name: observe(y, one, weight=w, labels=[0, 1]) for name, one in zip("ab", p, strict=True)}
    s = np.stack([-np.log(np.where(y[7:] == 1, one[7:], 1 - one[7:])) for one in p])
    lost = np.full((2, 7), math.inf)
    pair = pair_of_tally(Tally.of(records, np.hstack([lost, s]), w), "a", "b", 80, 0.95)
    d, v = s[0] - s[1], w[7:]
    mean = np.average(d, weights=v)
    off = v * (d - mean)
    assert pair.infinite_both == 7
    assert pair.difference == pytest.approx(mean, rel=1e-10)
    assert pair.total == pytest.approx((v * d).sum(), rel=1e-10)
    assert pair.total_error == pytest.approx(math.sqrt(73 / 72 * (off * off).sum()), rel=1e-10)
    assert pair.standard_error == pytest.approx(math.sqrt(73 / 72 * (off * off).sum()) / v.sum(), rel=1e-10)


def test_a_difference_that_a_clip_takes_away_has_not_turned() -> None:
    y = np.repeat([0, 1], 40)
    a, b = (np.where(y == 1, sure, 1 - sure) for sure in (0.99, 0.95))
    a[:2] = b[:2] = 0.97  # both wrong, and as sure of it
    records = {name: observe(y, one, labels=[0, 1]) for name, one in (("a", a), ("b", b))}
    s = np.stack([-np.log(np.where(y == 1, one, 1 - one)) for one in (a, b)])
    found = pair_of_tally(Tally.of(records, s, np.ones(80)), "a", "b", 80, 0.95).clip
    assert found is not None
    curve = dict(found.curve)
    assert (s[0] - s[1]).mean() < 0
    assert curve[1e-15] == pytest.approx((s[0] - s[1]).mean(), rel=1e-12)
    clipped = [-np.log(np.where(y == 1, one, 1 - one)) for one in np.clip([a, b], 0.01, 0.99)]
    assert curve[0.01] == pytest.approx((clipped[0] - clipped[1]).mean(), rel=1e-12)
    assert curve[0.1] == pytest.approx(0.0, abs=1e-15)  # all that either says is 0.1 or 0.9
    assert found.changes_at is None


def test_where_it_lies_adds_up_to_the_weighted_difference() -> None:
    random = np.random.default_rng(7)
    odds = random.normal(0, 1.5, 400)
    y = (random.random(400) < 1 / (1 + np.exp(-odds))).astype(int)
    w = random.gamma(2.0, 1.0, 400)
    sharp, right = 1 / (1 + np.exp(-3 * odds)), 1 / (1 + np.exp(-odds))
    found = where(*(observe(y, p, weight=w, labels=[0, 1]) for p in (sharp, right)))
    s = [-np.log(np.where(y == 1, p, 1 - p)) for p in (sharp, right)]
    expected = np.average(s[0] - s[1], weights=w)
    assert found["calibration"] + found["sorting"] == pytest.approx(expected, rel=1e-12)
    assert expected > 0.05
    assert found["calibration"] > 0.9 * expected  # both sort alike, as one is the other three times as sure


def test_a_pair_turned_round_field_by_field() -> None:
    pair = Pair(
        "a", "b", -0.3, standard_error=0.1, interval=(-0.5, -0.2), p_value=0.01, verdict="a better",
        a_better_on=0.6, b_better_on=0.3, infinite_a=1, infinite_b=2, infinite_both=4,
        difference_finite=-0.25, interval_finite=(-0.4, 0.1), total=-30.0, total_error=10.0, needed=50.0,
        top=(Deciding(7, 1, 0.5, 3.5, 2.0),), without_top=-0.1, without_top_interval=(-0.2, 0.05),
        clip=ClipChange(1e-3, 0.1, ((1e-9, -0.3), (1e-1, 0.2))), calibration=-0.4, sorting=0.1,
        beside={
            "evidence": {"nats": 30.0, "log10": "-inf", "refuted": (3, 5), "rows": 100},
            "diebold_mariano": {"statistic": -3.0, "corrected": -2.5, "p_value": 0.02},
            "groups": {"a_better_in": 4, "b_better_in": 6, "moving_most": [{"group": "x", "difference": "inf"}, {"group": "y", "difference": None}]},
            "algorithm": {"difference": -0.3, "interval": [-0.6, 0.2], "verdict": "tie"},
        },
    )  # fmt: skip
    other = pair.turned()
    assert (other.a, other.b, other.verdict) == ("b", "a", "b better")
    assert (other.difference, other.interval, other.p_value) == (0.3, (0.2, 0.5), 0.01)
    assert (other.standard_error, other.total_error, other.needed) == (0.1, 10.0, 50.0)
    assert (other.a_better_on, other.b_better_on) == (0.3, 0.6)
    assert (other.infinite_a, other.infinite_b, other.infinite_both) == (2, 1, 4)
    assert (other.difference_finite, other.interval_finite, other.total) == (0.25, (-0.1, 0.4), 30.0)
    assert (other.without_top, other.without_top_interval) == (0.1, (-0.05, 0.2))
    assert (other.calibration, other.sorting) == (0.4, -0.1)
    assert other.top == (Deciding(7, 1, 3.5, 0.5, 2.0),)
    assert other.clip is not None
    assert other.clip.curve == ((1e-9, 0.3), (1e-1, -0.2))
    assert other.beside == {
        "evidence": {"nats": -30.0, "log10": "inf", "refuted": (5, 3), "rows": 100},
        "diebold_mariano": {"statistic": 3.0, "corrected": 2.5, "p_value": 0.02},
        "groups": {"a_better_in": 6, "b_better_in": 4, "moving_most": [{"group": "x", "difference": "-inf"}, {"group": "y", "difference": None}]},
        "algorithm": {"difference": 0.3, "interval": [-0.2, 0.6], "verdict": "tie"},
    }  # fmt: skip


def test_the_verdict_of_a_slice_is_that_of_all_slices_together() -> None:
    """Without skewness the interval is Student's: at 59 degrees of freedom t = 2.4 is past 2.00, but not past 2.92 of ten slices."""
    random = np.random.default_rng(8)
    half = random.normal(size=(10, 30))
    d = np.hstack([half, -half])
    d /= d.std(axis=1, ddof=1, keepdims=True)
    d[0] += 2.4 / math.sqrt(60)
    d[1] += 4.0 / math.sqrt(60)
    site = np.repeat([f"s{k}" for k in range(10)], 60)
    s = np.column_stack([d.ravel() + 9, np.full(600, 9.0)])
    found = of_contest(Contest(("a", "b"), s, np.ones(600), beside={"site": site})).pair("a", "b")
    slices = {one.name: one for one in found.slices}
    first, second = slices["site = s0"], slices["site = s1"]
    for one, t in ((first, 2.4), (second, 4.0)):
        mean, error = t / math.sqrt(60), 1 / math.sqrt(60)
        assert one.interval == pytest.approx(stats.t.interval(0.95, 59, mean, error), rel=1e-9)
        assert one.simultaneous == pytest.approx(stats.t.interval(0.995, 59, mean, error), rel=1e-9)
    assert first.interval is not None
    assert first.interval[0] > 0
    assert (first.verdict, second.verdict) == ("tie", "b better")
    assert found.slices[:2] == (second, first)  # those that differ, then the largest first


def test_a_hundred_rows_are_enough_to_tell_where_it_lies() -> None:
    random = np.random.default_rng(9)
    y, p = np.arange(100) % 2, random.uniform(0.1, 0.9, (2, 100))
    assert where(*(observe(y, one, labels=[0, 1]) for one in p))
    assert where(*(observe(y[:99], one[:99], labels=[0, 1]) for one in p)) == {}
