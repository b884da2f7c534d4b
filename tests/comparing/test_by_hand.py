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
from logloss.comparing.results import Pair, Standing
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
