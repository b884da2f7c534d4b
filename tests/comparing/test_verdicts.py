"""The referee: reference values, infinities, and the laws a comparison obeys."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import logloss as ll
from logloss.comparing.contest import Contest
from logloss.comparing.results import Comparison, Pair, Standing, verdict_of
from logloss.comparing.verdicts import of_contest
from logloss.interval import of_rows

Float = NDArray[np.float64]

SKEWED = np.array([0.05, 0.1, 0.1, 0.2, 0.3, 0.4, 0.7, 2.5])
SERIES = np.array([0.1, 0.3, 0.2, -0.1, 0, 0.4, 0.2, 0.1, -0.2, 0.3, 0.1, 0.2])


def contest(*columns: Float, weight: Float | None = None, **more: object) -> Contest:
    surprise = np.column_stack(columns)
    names = tuple("abcdefgh"[: surprise.shape[1]])
    return Contest(names, surprise, np.ones(len(surprise)) if weight is None else weight, **more)  # type: ignore[arg-type]


def against_nothing(d: Float, **more: object) -> Pair:
    """Return the pair of b = 1, which is best, and a = d + 1."""
    return of_contest(contest(d + 1, np.ones(len(d)), **more)).pair("b", "a")


def test_the_interval_is_halls() -> None:
    pair = against_nothing(SKEWED)  # 60-digit arithmetic, of b - a
    assert (pair.a, pair.b, pair.verdict, pair.rule) == ("b", "a", "a better", "hall-t")
    assert pair.difference == pytest.approx(-0.54375, rel=1e-14)
    assert pair.interval is not None
    assert pair.interval == pytest.approx((-2.8967814293404628, -0.085118536914597367), rel=1e-12)
    assert pair.standard_error == pytest.approx(0.81828981069405617 / math.sqrt(8), rel=1e-13)


def test_without_skewness_it_is_the_paired_t_test() -> None:
    from scipy.stats import ttest_rel

    random = np.random.default_rng(0)
    d = random.normal(size=20)
    d = np.concatenate([d, -d]) + 0.3
    b = random.exponential(size=40) + 3
    pair = of_contest(contest(b + d, b)).pair("a", "b")
    peer = ttest_rel(b + d, b)
    low, high = peer.confidence_interval()
    assert pair.interval == pytest.approx((low, high), rel=1e-9)
    assert pair.p_value == pytest.approx(peer.pvalue, rel=1e-9)


def test_rows_needed_to_settle_a_tie() -> None:
    d = np.array([0.3, -0.2, 0.25, -0.3, 0.1, 0.05])
    pair = against_nothing(d)
    assert pair.verdict == "tie"
    found = of_rows(d, np.ones(6))  # Hall's interval reaches further below the mean than t's
    assert found is not None
    assert pair.needed == pytest.approx(6 * ((found.mean - found.low) / found.mean) ** 2, rel=1e-12)
    text = of_contest(contest(d + 1, np.ones(6))).findings[0]
    assert text.id == "LL061"
    assert "About 450 rows would settle" in text.text


def test_groups_are_drawn() -> None:
    S, n = np.array([3, 1.2, 4.4, 2]), np.array([5, 3, 6, 4])  # 60-digit arithmetic
    cluster = np.repeat(np.arange(4), n)
    found = of_contest(contest((S / n)[cluster] + 1, np.ones(18), cluster=cluster))
    pair = found.pairs[0]
    assert (pair.rule, pair.unit, found.units) == ("jackknife", "group", 4)
    assert -(pair.difference or 0) == pytest.approx(0.58888888888888889, rel=1e-14)
    assert pair.standard_error == pytest.approx(0.073800957178353524, rel=1e-13)
    assert "few-groups" in [note.id for note in found.notes]


def test_time_is_allowed_for_and_the_classical_test_stands_beside() -> None:
    found = of_contest(contest(SERIES + 1, np.ones(12), period=np.arange(12)), horizon=2)
    pair = found.pairs[0]  # 60-digit arithmetic, of b - a
    assert (pair.rule, pair.unit) == ("ewc-t", "point in time")
    assert pair.standard_error == pytest.approx(0.011717990767717951, rel=1e-13)
    assert pair.beside["diebold_mariano"]["statistic"] == pytest.approx(-3.3772682147054009, rel=1e-13)
    assert pair.beside["diebold_mariano"]["corrected"] == pytest.approx(-2.9517573218556963, rel=1e-13)
    assert "Diebold-Mariano -3.38, corrected -2.95" in str(found)


def test_folds_answer_two_questions() -> None:
    random = np.random.default_rng(0)
    d, fold = random.normal(0.2, 1, 100), np.repeat(np.arange(10), 10)
    models = of_contest(contest(d + 9, np.full(100, 9.0), fold=fold), target="models")
    algorithm = of_contest(contest(d + 9, np.full(100, 9.0), fold=fold))
    assert models.pairs[0].rule == "hall-t"
    assert models.target == "models"
    means = d.reshape(10, 10).mean(axis=1)  # Nadeau and Bengio (2003)
    assert algorithm.pairs[0].standard_error == pytest.approx(
        means.std(ddof=1) * math.sqrt(1 / 10 + 1 / 9), rel=1e-12
    )
    assert algorithm.target == "algorithm"
    with pytest.raises(ll.UsageError, match="no-folds"):
        of_contest(contest(d + 9, d + 8), target="algorithm")
    with pytest.raises(ll.UsageError, match="unknown-target"):
        of_contest(contest(d + 9, d + 8), target="both")


def test_one_infinite_row_loses() -> None:
    a, b = np.array([0.1, 0.2, math.inf, 0.1, 0.3]), np.array([0.5, 0.7, 0.1, 0.6, 0.4])
    found = of_contest(contest(a, b))
    pair = found.pairs[0]
    assert (pair.a, pair.b, pair.difference, pair.verdict) == ("b", "a", -math.inf, "a better")
    assert pair.difference_finite == pytest.approx(np.mean([0.4, 0.5, 0.5, 0.1]))
    assert (pair.infinite_a, pair.infinite_b, pair.top[0].row) == (0, 1, 2)
    assert pair.interval is None
    assert [one.id for one in found.findings] == ["LL063"]
    assert "a loses: it gave exactly 0 to what happened in 1 row" in str(found)
    assert "On the other rows a is ahead by 0.3750" in found.findings[0].text
    state = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert state["pairs"][0]["difference"] == "-inf"
    assert state["models"][1]["log_loss"] == "inf"


def test_infinite_minus_infinite_has_no_verdict() -> None:
    a, b = np.array([math.inf, 0.2, 0.1, 0.4]), np.array([0.5, 0.2, math.inf, 0.6])
    found = of_contest(contest(a, b))
    assert (found.pairs[0].difference, found.pairs[0].verdict) == (None, "undefined")
    assert found.findings[0].id == "LL064"
    assert "--clip" in found.findings[0].text


def test_rows_infinite_under_both_are_left_out_and_said() -> None:
    d = np.append(SKEWED, 0.0)
    a, b = d + 1, np.ones(9)
    a[8] = b[8] = math.inf
    found = of_contest(contest(a, b))
    assert found.pairs[0].interval == pytest.approx(against_nothing(SKEWED).interval)
    assert found.pairs[0].infinite_both == 1
    assert "infinite-under-both" in [note.id for note in found.notes]


def test_nothing_is_finite() -> None:
    a = np.full(3, math.inf)
    found = of_contest(contest(a, a))
    assert found.pairs[0].verdict == "undefined"
    assert "no row is finite" in str(found)


def test_one_row_has_no_interval() -> None:
    found = of_contest(contest(np.array([0.3]), np.array([0.5])))
    assert (found.pairs[0].verdict, found.pairs[0].interval) == ("undefined", None)
    assert str(found)


def test_what_a_difference_hangs_on() -> None:
    d = np.r_[np.full(199, -0.01), 9.0]
    pair = against_nothing(d)
    assert [row.row for row in pair.top] == [199]
    assert pair.without_top == pytest.approx(0.01)
    assert pair.top_share == pytest.approx(9 / d.sum())
    assert pair.top5_share == pytest.approx((9 + 0.04) / np.abs(d).sum())
    assert (pair.a_better_on, pair.b_better_on) == (1 / 200, 199 / 200)


def test_the_sum_is_a_likelihood_ratio() -> None:
    pair = against_nothing(np.full(1000, 0.01) + np.tile([0.1, -0.1], 500))
    assert pair.total == pytest.approx(-10, rel=1e-12)
    assert pair.total_error == pytest.approx(math.sqrt(1000) * math.sqrt(10 / 999), rel=1e-12)
    assert pair.beside["evidence"]["nats"] == pytest.approx(-10, rel=1e-12)


@given(
    st.lists(st.tuples(st.floats(0, 9), st.floats(0, 9), st.integers(1, 3)), min_size=3, max_size=30),
)
def test_weights_are_shares_and_order_is_nothing(rows: list[tuple[float, float, int]]) -> None:
    a, b, w = (np.array(column, float) for column in zip(*rows, strict=True))
    first = of_contest(contest(a, b, weight=w))
    again = of_contest(contest(b[::-1], a[::-1], weight=7 * w[::-1]))
    one, other = first.pair("a", "b"), again.pair("a", "b")
    assert one.difference is not None
    assert other.difference is not None
    assert one.difference == pytest.approx(-other.difference, abs=1e-12)
    assert one.difference == pytest.approx(((a - b) * w).sum() / w.sum(), abs=1e-12)


def test_a_pair_is_a_minus_b_as_it_is_asked_for() -> None:
    random = np.random.default_rng(0)
    d = random.normal(0.3, 1, 300)
    site = np.array(["n", "s"])[random.integers(0, 2, 300)]
    found = of_contest(contest(d + 9, np.full(300, 9.0), period=np.arange(300), beside={"site": site}))
    one, other = found.pair("a", "b"), found.pair("b", "a")
    assert one.difference == pytest.approx(d.mean())
    assert one.without_top is not None
    assert one.without_top > 0
    assert one.beside["evidence"]["nats"] == pytest.approx(d.sum())
    assert one.beside["diebold_mariano"]["statistic"] > 0
    assert one.verdict == "b better"
    assert (one.top[0].a, one.top[0].b) == (other.top[0].b, other.top[0].a) == (d.max() + 9, 9.0)
    assert one.slices[0].difference == -(other.slices[0].difference or 0)
    assert json.dumps(other.turned().turned().to_dict()) == json.dumps(other.to_dict())


def test_many_forecasts() -> None:
    random = np.random.default_rng(3)
    base = random.exponential(0.5, 800)
    columns = [base + shift + 0.1 * random.normal(size=800) for shift in (1, 1, 1.02, 1.3)]
    columns.append(np.r_[math.inf, columns[0][1:] - 5])
    found = of_contest(contest(*columns))
    assert found.names[-1] == "e"
    assert set(found.best_set) == {"a", "b"}
    assert found.models["e"].in_best_set is False
    behind = found.models["d"]
    assert behind.simultaneous is not None
    assert behind.difference_interval is not None
    assert behind.simultaneous[0] < behind.difference_interval[0]
    assert behind.simultaneous[1] > behind.difference_interval[1]
    assert "may be the best" in str(found)
    assert len(found.pairs) == 10
    against = of_contest(contest(*columns), reference="d")
    assert [pair.b for pair in against.pairs] == ["d"] * 4
    assert against.models["a"].difference == pytest.approx(-(behind.difference or 0), abs=0.01)
    with pytest.raises(ll.UsageError, match="no-such-pair"):
        against.pair("a", "b")
    with pytest.raises(ll.UsageError, match="no-such-model"):
        against.pair("a", "x")


def test_neighbours_that_are_alike_are_said() -> None:
    random = np.random.default_rng(0)
    d = np.repeat(random.normal(size=50), 10)
    assert "neighbours-alike" in [note.id for note in of_contest(contest(d + 9, np.full(500, 9.0))).notes]
    d = random.permutation(d)
    assert "neighbours-alike" not in [note.id for note in of_contest(contest(d + 9, np.full(500, 9.0))).notes]


def test_slices_hold_together() -> None:
    random = np.random.default_rng(0)
    site = np.array(["north", "south"])[random.integers(0, 2, 600)]
    d = np.where(site == "north", 0.5, 0.0) + random.normal(size=600)
    found = of_contest(contest(d + 9, np.full(600, 9.0), beside={"site": site}))
    first, second = found.pairs[0].slices
    assert (first.name, first.verdict, second.verdict) == ("site = north", "a better", "tie")
    assert first.interval is not None
    assert first.simultaneous is not None
    assert first.simultaneous[0] < first.interval[0]
    assert first.difference == pytest.approx(-d[site == "north"].mean())
    assert "By slice: 2 tried" in str(found)


def test_a_result_is_made_of_plain_values() -> None:
    standings = (Standing("new", 0.2), Standing("old", 0.3, difference=0.1))
    found = Comparison(
        standings, (Pair("new", "old", -0.1, interval=(-0.2, -0.05), verdict="a better"),), 0.95, 100
    )
    assert "new beats old by 0.1000 nats [0.0500, 0.2000], 33.3 % of its loss." in str(found)
    assert found.pair("old", "new").better == "new"
    assert json.dumps(found.to_dict())
    assert (
        "&lt;"
        in Comparison(
            (Standing("<b>", 0.2), Standing("x", 0.3)), (Pair("<b>", "x", 0.1),), 0.95, 9
        )._repr_html_()
    )


def test_verdicts() -> None:
    assert verdict_of(0.1, (0.0, 0.2)) == "tie"
    assert verdict_of(0.1, (0.01, 0.2)) == "b better"
    assert verdict_of(math.nan, (0.01, 0.2)) == "undefined"
    assert verdict_of(None, None) == "undefined"


def test_one_forecast_is_none() -> None:
    with pytest.raises(ll.UsageError, match="too-few-forecasts"):
        of_contest(contest(SKEWED))


def test_the_screen_is_narrow_and_safe() -> None:
    random = np.random.default_rng(0)
    s = random.exponential(size=(300, 2))
    evil = "\x1b[31m" + "x" * 60
    text = str(of_contest(Contest((evil, "b" * 70), s, np.ones(300))))
    assert "\x1b" not in text
    assert max(len(line) for line in text.splitlines()) <= 96
