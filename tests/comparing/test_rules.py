"""How rows stand together, where some of them are infinite under both: intervals of the rest, by every rule."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import logloss as ll
from logloss.comparing import crowds
from logloss.comparing.contest import Contest
from logloss.comparing.verdicts import of_contest
from logloss.dependence.folded import of_folds
from logloss.dependence.series import diebold_mariano, of_series
from logloss.interval import Interval, of_clusters, of_rows
from logloss.multiplicity.confidencesets import confidence_set, confidence_set_of

N = 240
LOST = [3, 50, 51, 200]  # infinite under both


def two(**more: Any) -> tuple[Contest, np.ndarray, np.ndarray, np.ndarray]:
    """Return a contest, its differences over finite rows, their weights and positions."""
    rng = np.random.default_rng(4)
    s = rng.exponential(1.0, (N, 2)) + np.array([0.2, 0.0])
    w = rng.gamma(2.0, 1.0, N)
    s[LOST] = math.inf
    at = np.setdiff1d(np.arange(N), LOST)
    return Contest(("a", "b"), s, w, **more), (s[at, 0] - s[at, 1]), w[at], at


CODES = np.random.default_rng(6).integers(0, 20, N)


def by_rule(rule: str, d: np.ndarray, w: np.ndarray, at: np.ndarray) -> Interval | None:
    return {
        "": lambda: of_rows(d, w),
        "cluster": lambda: of_clusters(d, w, CODES[at]),
        "period": lambda: of_series(d, w, CODES[at]),
        "fold": lambda: of_folds(d, w, CODES[at]),
    }[rule]()


@pytest.mark.parametrize("rule", ["", "cluster", "period", "fold"])
def test_rows_infinite_under_both_keep_their_places_from_the_rest(rule: str) -> None:
    contest, d, w, at = two(**({rule: CODES} if rule else {}))
    pair = of_contest(contest, target="algorithm" if rule == "fold" else "models").pair("a", "b")
    expected = by_rule(rule, d, w, at)
    assert expected is not None
    assert pair.interval == pytest.approx((expected.low, expected.high), rel=1e-12)
    assert (pair.needed is None) == (rule == "fold")
    order = np.argsort(-w * d)
    k = len(at) // 50
    assert [row.row for row in pair.top] == at[order[:k]].tolist()
    rest = by_rule(rule, d[order[k:]], w[order[k:]], at[order[k:]])
    assert rest is not None
    assert pair.without_top_interval == pytest.approx((rest.low, rest.high), rel=1e-9)
    if rule == "period":
        tested = diebold_mariano(d, w, CODES[at])
        assert tested is not None
        assert pair.beside["diebold_mariano"]["statistic"] == pytest.approx(tested.statistic, rel=1e-12)


@pytest.mark.parametrize("rule", ["", "cluster"])
def test_slices_are_intervals_of_their_rows(rule: str) -> None:
    site = np.array(["north", "south", "west"])[np.random.default_rng(1).integers(0, 3, N)]
    contest, _, _, _ = two(beside={"site": site}, **({rule: CODES} if rule else {}))
    found = {one.name: one for one in of_contest(contest).pairs[0].slices}
    sign = -1.0 if of_contest(contest).pairs[0].a == "b" else 1.0
    for name in ("north", "south", "west"):
        rows = np.flatnonzero(site == name)
        finite = np.setdiff1d(rows, LOST)
        d = sign * (contest.surprise[finite, 0] - contest.surprise[finite, 1])
        expected = by_rule(rule, d, contest.weight[finite], finite)
        one = found[f"site = {name}"]
        assert expected is not None
        assert one.interval == pytest.approx((expected.low, expected.high), rel=1e-12)
        assert one.share == pytest.approx(contest.weight[rows].sum() / contest.weight.sum())


def test_few_groups_are_fewer_than_ten() -> None:
    s = np.random.default_rng(0).exponential(1.0, (60, 2))
    for groups in (9, 10):
        found = of_contest(Contest(("a", "b"), s, np.ones(60), cluster=np.arange(60) % groups))
        assert ("few-groups" in {note.id for note in found.notes}) == (groups < 10)


def test_a_loss_is_not_below_nothing() -> None:
    s = np.array([[0.001, 0.5], [0.002, 0.6], [0.9, 0.7], [0.003, 0.4], [0.002, 0.2]])
    found = of_contest(Contest(("a", "b"), s, np.ones(5), cluster=np.array([0, 1, 2, 2, 3])))
    alone = of_clusters(s[:, 0], np.ones(5), np.array([0, 1, 2, 2, 3]))
    assert alone is not None
    assert alone.low < 0
    interval = found.models["a"].interval
    assert interval is not None
    assert interval[0] == 0.0
    density = of_contest(Contest(("a", "b"), s - 0.3, np.ones(5))).models["a"].interval
    assert density is not None
    assert density[0] < 0  # of densities it may be


def test_of_many_forecasts_those_against_the_best_are_looked_at_closely() -> None:
    s = np.random.default_rng(5).exponential(1.0, (300, 6)) + np.linspace(0, 0.5, 6)
    found = of_contest(Contest(tuple("abcdef"), s, np.ones(300)))
    best = found.names[0]
    assert {bool(pair.top) for pair in found.pairs if best in (pair.a, pair.b)} == {True}
    assert {bool(pair.top) for pair in found.pairs if best not in (pair.a, pair.b)} == {False}


def test_bets_are_held_to_the_level() -> None:
    rng = np.random.default_rng(2)
    y = rng.integers(0, 2, 80)
    found = ll.compare(y, {"a": np.full(80, 0.5), "b": rng.uniform(0.3, 0.7, 80)}, level=0.9, sequential=True)
    assert found.pairs[0].beside["sequential"]["alpha"] == pytest.approx(0.1)


@pytest.mark.parametrize("rule", ["", "cluster", "period"])
def test_the_set_draws_what_the_rule_draws(rule: str) -> None:
    rng = np.random.default_rng(9)
    codes = np.sort(rng.integers(0, 40, 400))
    s = rng.exponential(1.0, (400, 4)) + rng.normal(0, 0.5, (40, 4))[codes] + [2, 2.1, 2.2, 2.4]
    w = rng.gamma(2.0, 1.0, 400)
    more = {rule: codes} if rule else {}
    found = of_contest(Contest(tuple("abcd"), s, w, **more))
    order = ["abcd".index(name) for name in found.names]
    expected = confidence_set(s[:, order], w, **more)
    assert [one.set_p_value for one in found.standings] == pytest.approx(expected.p_values.tolist())


def test_of_many_rows_the_means_are_taken_to_be_normal(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(9)
    s = rng.exponential(1.0, (900, 1)) + 0.4 * rng.normal(size=(900, 3)) + [2, 2.01, 2.04]
    w = rng.gamma(2.0, 1.0, 900)
    monkeypatch.setattr(crowds, "MOST_DRAWN", 100)
    found = of_contest(Contest(tuple("abc"), s, w))
    order = ["abc".index(name) for name in found.names]
    mean = np.average(s[:, order], axis=0, weights=w)
    off = w[:, None] * (s[:, order] - mean) / w.sum()
    expected = confidence_set_of(mean, np.einsum("ni,nj->ij", off, off), level=0.9)
    assert [one.set_p_value for one in found.standings] == pytest.approx(
        expected.p_values.tolist(), abs=0.002
    )
    assert 0.01 < min(expected.p_values) < 0.9


def test_the_smallest_clip_saves_an_infinite_loser_that_is_better_elsewhere() -> None:
    good = np.full(20_000, 0.9)
    good[0] = 0.0
    pair = ll.compare(
        np.ones(20_000, int), {"good": good, "half": np.full(20_000, 0.5)}, labels=[0, 1]
    ).pairs[0]
    assert (pair.a, pair.difference) == ("half", -math.inf)
    assert pair.clip is not None
    assert pair.clip.changes_at is not None
    assert pair.clip.changes_at <= 1e-300  # at this clip a row costs 691 nats, 0.035 a row of all
    worse = good * 0.2
    pair = ll.compare(
        np.ones(20_000, int), {"worse": worse, "half": np.full(20_000, 0.5)}, labels=[0, 1]
    ).pairs[0]
    assert pair.clip is not None
    assert pair.clip.changes_at is None
