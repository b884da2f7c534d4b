"""What is drawn of contests: differences around zero, standings, bets, maps, decisions, thresholds."""

from __future__ import annotations

import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
from artists import drawn, names, points, words

import logloss as ll
from logloss.figures.ground import COLOURS
from logloss.figures.wealth import thinned


@pytest.fixture(autouse=True)
def _closed() -> object:
    yield
    plt.close("all")


def rows(n: int = 800) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(2)
    z = random.normal(-1, 1.5, n)
    y = (random.random(n) < 1 / (1 + np.exp(-z))).astype(int)
    return y, 1 / (1 + np.exp(-2 * z)), 1 / (1 + np.exp(-z))


def values(ax: object) -> list[float]:
    return [float(dot.get_xdata()[0]) for dot in drawn(ax, "value")]


def lines(ax: object, gid: str = "interval") -> list[list[float]]:
    return [list(map(float, line.get_xdata())) for line in drawn(ax, gid)]


def test_pairs_are_differences_with_one_interval_each_around_zero() -> None:
    y, p, q = rows()
    result = ll.compare(y, {"sharp": p, "right": q, "mean": 0.5 * (p + q)})
    ax = result.plot()
    assert values(ax) == pytest.approx([pair.difference for pair in result.pairs])
    assert lines(ax) == [pytest.approx(list(pair.interval)) for pair in result.pairs]
    assert len(drawn(ax, "zero")) == 1
    assert names(ax) == [f"{pair.a} - {pair.b}" for pair in result.pairs]
    shown = [dot.get_color() for dot in drawn(ax, "value")]
    assert [colour == COLOURS["model"] for colour in shown] == [
        pair.verdict == "a better" for pair in result.pairs
    ]
    first = result.pairs[0]
    assert f"{first.difference:.4f}" in result.alt()
    assert f"{first.interval[0]:.4f}" in result.alt()


def test_standings_are_behind_the_best_with_bands_for_all() -> None:
    y, p, q = rows()
    result = ll.compare(y, {"sharp": p, "right": q, "mean": 0.5 * (p + q)})
    ax = result.plot(kind="standings")
    behind = [one.difference or 0.0 for one in result.standings]
    assert values(ax) == pytest.approx(behind)
    assert lines(ax, "wide") == [
        pytest.approx(list(one.simultaneous)) for one in result.standings if one.simultaneous
    ]
    assert names(ax) == list(result.names)
    assert f"{result.best.log_loss:.4f}" in words(ax)


def test_many_pairs_are_cut_and_it_is_said() -> None:
    y, p, q = rows(200)
    result = ll.compare(y, {f"m{k}": (1 - k / 10) * p + k / 10 * q for k in range(8)})
    ax = result.plot()
    assert len(values(ax)) == 12
    assert "The first 12 of 28" in words(ax)
    assert len(result.frame()["value"]) == 28


def test_infinite_differences_are_arrows_on_the_right_side() -> None:
    y, p, q = rows()
    y[0], p[0] = 1, 0.0
    result = ll.compare(y, {"sharp": p, "right": q})
    ax = result.plot()
    (arrow,) = drawn(ax, "infinite")
    assert arrow.get_xdata()[0] == ax.get_xlim()[0]  # right - sharp: -inf
    assert "1 row infinite under one" in words(ax)
    behind = result.plot(kind="standings")
    assert drawn(behind, "infinite")[0].get_xdata()[0] == behind.get_xlim()[1]


def test_infinite_on_different_rows_is_undefined() -> None:
    y, p, q = rows()
    y[:2], p[0], q[1] = 1, 0.0, 0.0
    result = ll.compare(y, {"a": p, "b": q})
    assert result.pairs[0].difference is None
    ax = result.plot()
    assert "undefined" in words(ax)
    assert values(ax) == []


def test_scores_of_several_forecasts_are_pairs_too() -> None:
    y, p, q = rows()
    result = ll.score({"y": y, "one": p, "two": q}, {"one": "one", "two": "two"})
    ax = result.plot()
    assert values(ax) == pytest.approx([pair["difference"] for pair in result.pairs])
    assert lines(ax) == [pytest.approx(pair["interval"]) for pair in result.pairs]


def test_gains_of_maps_around_zero_and_which_was_chosen() -> None:
    y, p, _ = rows()
    result = ll.fix(y, p)
    ax = result.plot()
    tried = [one for one in result.candidates if one.name != "identity"][:12]
    assert values(ax) == pytest.approx([one.gain for one in tried])
    assert lines(ax) == [pytest.approx(list(one.interval)) for one in tried if one.interval]
    assert sum("chosen" in text.get_text() for text in drawn(ax, "said")) == 1
    assert f"{result.before:.4f}" in words(ax)
    assert result.chosen in result.alt()


def test_wealth_is_drawn_row_by_row_with_its_threshold() -> None:
    y, p, q = rows()
    result = ll.sequential(y, {"sharp": p, "right": q})
    ax = result.plot()
    for bet in range(2):
        x, w = points(ax, f"bet {bet}")
        assert (x[0], w[0]) == (0, 0)
        assert x[1:] == list(range(1, len(y) + 1))
        assert w[1:] == pytest.approx(result.log_wealth[:, bet])
    assert points(ax, "threshold")[1] == pytest.approx([math.log(40)] * 2)
    assert "40 times the stake" in words(ax)
    assert f"{result.log_wealth[-1, 0]:.2f}" in result.alt()


def test_long_paths_keep_their_peaks() -> None:
    path = np.random.default_rng(0).normal(size=100_000).cumsum()
    path[54_321] += 1e4
    at = thinned(path)
    assert len(at) <= 4 * 800
    assert {0, 54_321, int(path.argmin()), 99_999} <= set(at.tolist())


def test_infinite_wealth_is_at_the_edge_and_said() -> None:
    y, p, q = rows()
    y[5], p[5] = 1, 0.0
    result = ll.sequential(y, {"sharp": p, "right": q})
    assert np.isinf(result.log_wealth).any()
    ax = result.plot()
    (mark,) = drawn(ax, "infinite")
    assert mark.get_ydata()[0] == ax.get_ylim()[1]
    assert mark.get_xdata()[0] == 6
    assert "From row 5 on the bet on right is worth infinitely much" in words(ax)
    assert "infinite" in result.alt()


def test_net_benefits_are_drawn_with_all_and_none() -> None:
    y, p, q = rows()
    result = ll.decision_curve(y, {"sharp": p, "right": q})
    ax = result.plot()
    for at, line in enumerate(result.forecasts.values()):
        assert points(ax, f"forecast {at}")[0] == pytest.approx(result.thresholds)
        assert points(ax, f"forecast {at}")[1] == pytest.approx(line.net_benefit)
        (band,) = drawn(ax, f"limits {at}")
        assert band.get_paths()[0].vertices[:, 1].max() == pytest.approx(line.limits.high.max())
    assert points(ax, "all")[1] == pytest.approx(result.all.net_benefit)
    assert points(ax, "none")[1] == [0, 0]
    assert "Lines that leave below go on falling" in words(ax)
    assert "events found per row" in ax.get_ylabel()


def test_the_net_benefit_that_is_told_is_that_nearest_the_prevalence() -> None:
    y = np.repeat([1, 0, 1, 0], [30, 40, 10, 120])  # events are 0.2 of the rows
    p = np.repeat([0.9, 0.9, 0.1, 0.1], [30, 40, 10, 120])
    told = ll.decision_curve(y, {"sharp": p}, thresholds=[0.05, 0.25, 0.6, 0.95]).alt()
    assert f"({30 / 200 - 40 / 200 * 0.25 / 0.75:.4g} at threshold 0.25)" in told


def test_more_than_three_forecasts_are_thin_and_counted() -> None:
    y, p, q = rows(200)
    many = {f"m{k}": (1 - k / 10) * p + k / 10 * q for k in range(6)}
    for result in (ll.decision_curve(y, many), ll.murphy_curve(y, many)):
        ax = result.plot()
        assert "Thin: 3 more forecasts" in words(ax)
        assert len(drawn(ax, "forecast 5")) == 1


def test_a_murphy_curve_is_exact() -> None:
    y, p, q = rows()
    result = ll.murphy_curve(y, {"sharp": p, "right": q})
    ax = result.plot()
    x, cost = map(np.array, points(ax, "forecast 1"))
    for th in (0.1, 0.3, 0.8):  # the elementary score, row by row
        mean = np.mean(np.where((y == 0) & (q > th), th, 0) + np.where((y == 1) & (q <= th), 1 - th, 0))
        assert np.interp(th, x, cost) == pytest.approx(mean, rel=1e-9)
    assert points(ax, "base rate")[1] == pytest.approx(result.base_rate(np.array(points(ax, "base rate")[0])))


def test_a_difference_of_costs_has_both_bands() -> None:
    y, p, q = rows()
    result = ll.murphy_curve(y, {"sharp": p, "right": q})
    ax = result.plot(kind="difference")
    one = result.differences[0]
    assert points(ax, "difference")[1] == pytest.approx(one.mean)
    for gid, limits in (("band", one.band), ("limits", one.limits)):
        vertices = drawn(ax, gid)[0].get_paths()[0].vertices
        assert vertices[:, 1].min() == pytest.approx(limits.low.min())
    assert ll.murphy_curve(y, p).kinds == ("cost",)


def test_costs_are_drawn_as_costs_and_utilities_as_utilities() -> None:
    y, p, _ = rows()
    result = ll.decide(y, p, cost_fp=2, cost_fn=10)
    ax = result.plot()
    assert values(ax) == pytest.approx([-policy.realised for policy in result.policies])
    assert lines(ax) == [
        pytest.approx([-policy.interval[1], -policy.interval[0]])
        for policy in result.policies
        if policy.interval
    ]
    assert ax.get_xlabel().startswith("cost a row")
    assert drawn(ax, "zero") == []
    same = ll.decide(y, p, utilities={"act": {0: -2, 1: 0}, "wait": {0: 0, 1: -10}})
    assert values(same.plot()) == pytest.approx([policy.realised for policy in same.policies])
    assert same.plot().get_xlabel().startswith("utility a row")


def test_policies_against_the_best_have_a_zero_line() -> None:
    y, p, _ = rows()
    result = ll.decide(y, p, cost_fp=2, cost_fn=10)
    ax = result.plot(kind="differences")
    expected = [0.0 if policy.name == result.best else -policy.difference for policy in result.policies]
    assert values(ax) == pytest.approx(expected)
    assert len(drawn(ax, "zero")) == 1
    assert "differences" not in ll.decide(None, p, cost_fp=2, cost_fn=10, labels=[0, 1]).kinds


def test_decisions_without_outcomes_are_what_is_expected() -> None:
    _, p, _ = rows()
    result = ll.decide(None, p, cost_fp=2, cost_fn=10, labels=[0, 1])
    ax = result.plot()
    assert values(ax) == pytest.approx([-policy.expected for policy in result.policies])
    assert "no outcome is known" in words(ax)


def test_the_worth_of_recalibrating_is_a_difference_around_zero() -> None:
    y, p, _ = rows()
    result = ll.worth_of_calibration(y, p, cost_fp=2, cost_fn=10)
    ax = result.plot()
    three = (result.worth, result.given_against_constant, result.recalibrated_against_constant)
    assert values(ax) == pytest.approx([one.mean for one in three])
    known = [one for one in three if math.isfinite(one.low)]
    assert lines(ax) == [pytest.approx([one.low, one.high]) for one in known]
    assert values(result.plot(kind="ways")) == pytest.approx([-way.realised for way in result.ways])


def test_an_estimate_stands_beside_what_the_forecast_expects() -> None:
    y, p, _ = rows()
    known = np.where(np.arange(len(y)) < 150, y.astype(float), np.nan)
    result = ll.estimate(known, p)
    ax = result.plot()
    assert values(ax) == pytest.approx([result.log_loss, result.log_loss, result.expected])
    assert lines(ax)[0] == pytest.approx(list(result.interval))
    assert "150 labels of 800 rows" in words(ax)


def test_suspects_are_summed_the_most_suspicious_first() -> None:
    random = np.random.default_rng(1)
    z = random.normal(0, 5, 2000)
    y, p = (random.random(2000) < 1 / (1 + np.exp(-z))).astype(int), 1 / (1 + np.exp(-z))
    y[:60] = 1 - y[:60]
    result = ll.suspects(y, p)
    ax = result.plot()
    x, wrong = points(ax, "found")
    best = np.sort(result.probability)[::-1].cumsum()
    assert wrong[-1] == pytest.approx(result.expected)
    assert np.interp(10, x, wrong) == pytest.approx(best[9], rel=1e-9)
    assert f"{result.half:,}" in result.alt()
    assert ll.suspects([0, 1], [0.2, 0.8]).kinds == ()
    with pytest.raises(ll.LoglossError, match="There is nothing to draw"):
        ll.suspects([0, 1], [0.2, 0.8]).plot()
