"""What a pass keeps to compare forecasts: any split adds up to the whole, and the whole is what plain sums say."""

from __future__ import annotations

import json
import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hazards import same
from logloss import observe
from logloss.comparing.counts import PAIR_MEASURES
from logloss.comparing.drawn import covariance_of, duel_of
from logloss.comparing.tallies import Tally
from logloss.errors import AlignmentError
from logloss.interval import of_clusters
from logloss.surprises import per_row
from logloss.tally import Moments

N = 300
NAMES = ("a", "b", "c")


def rows(*, infinite: bool = True) -> tuple[np.ndarray, dict[str, np.ndarray], np.ndarray, np.ndarray]:
    rng = np.random.default_rng(7)
    odds = rng.normal(0, 1.5, N)
    y = (rng.random(N) < 1 / (1 + np.exp(-odds))).astype(int)
    p = {
        name: 1 / (1 + np.exp(-odds * k - rng.normal(0, 0.2, N)))
        for name, k in zip(NAMES, (1, 1.4, 0.8), strict=True)
    }
    if infinite:
        p["a"][[3, 50]] = 1.0 - y[[3, 50]]
        p["b"][[50, 120, 121]] = 1.0 - y[[50, 120, 121]]
    w = rng.gamma(1.5, 1.0, N)
    w[[9, 121]] = 0.0
    return y, p, w, rng.integers(0, 9, N)


def tally(part: np.ndarray | slice = slice(None), *, infinite: bool = True) -> Tally:
    y, p, w, g = rows(infinite=infinite)
    at = np.arange(N)[part]
    records = {
        name: observe(y[at], one[at], weight=w[at], group=g[at], labels=[0, 1], rows=at, partial=True)
        for name, one in p.items()
    }
    return Tally.of(records, np.stack([per_row(one) for one in records.values()]), w[at])


def ordered(one: Tally) -> dict:
    """Return plain values with the groups in one order: they come in that of the rows."""
    state = one.to_dict()
    groups = state["groups"]
    order = sorted(range(len(groups["keys"])), key=lambda at: groups["keys"][at])
    state["groups"] = {key: [values[at] for at in order] for key, values in groups.items()}
    return state


@settings(deadline=None, max_examples=40)
@given(cuts=st.lists(st.integers(1, N - 1), max_size=6, unique=True), seed=st.integers(0, 99))
def test_any_split_in_any_order_adds_up(cuts: list[int], seed: int) -> None:
    parts = [tally(part) for part in np.split(np.arange(N), sorted(cuts))]
    np.random.default_rng(seed).shuffle(parts)  # type: ignore[arg-type]  # a list will do
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    same(ordered(total), ordered(tally()))


def test_rows_may_come_in_any_order() -> None:
    order = np.random.default_rng(1).permutation(N)
    same(ordered(tally(order)), ordered(tally()))


def test_it_is_saved_and_read() -> None:
    state = json.loads(json.dumps(tally().to_dict(), allow_nan=False))
    same(ordered(Tally.from_dict(state)), ordered(tally()))


def test_it_is_what_plain_sums_say() -> None:
    y, p, w, g = rows()
    whole = tally()
    s = {name: np.array([-math.log(x if t else 1 - x) if (x if t else 1 - x) else math.inf for t, x in zip(y, one, strict=True)]) for name, one in p.items()}  # fmt: skip
    assert whole.n == int((w > 0).sum())
    assert whole.weight == pytest.approx(math.fsum(w), rel=1e-14)
    for at, (a, b) in enumerate(combinations(NAMES, 2)):
        both = [i for i in range(N) if w[i] > 0 and s[a][i] < math.inf and s[b][i] < math.inf]
        d = [float(s[a][i] - s[b][i]) for i in both]
        x = [w[i] * v for i, v in zip(both, d, strict=True)]
        kept = whole.pairs.at(at)
        mean_w, mean_x = math.fsum(w[both]) / len(both), math.fsum(x) / len(both)
        assert kept.n == len(both)
        assert kept.mean == pytest.approx([mean_w, mean_x], rel=1e-12)
        u, v = w[both] - mean_w, np.array(x) - mean_x
        assert kept.second == pytest.approx(np.array([[(u * u).sum(), (u * v).sum()], [(u * v).sum(), (v * v).sum()]]), rel=1e-11)  # fmt: skip
        assert kept.third[1, 1, 1] == pytest.approx((v**3).sum(), rel=1e-10)
        assert kept.third[0, 1, 1] == kept.third[1, 0, 1] == pytest.approx((u * v * v).sum(), rel=1e-10)
        assert kept.third[0, 0, 1] == pytest.approx((u * u * v).sum(), rel=1e-10)
        sums = dict(zip(PAIR_MEASURES, whole.pairs.sums[at].tolist(), strict=True))
        assert sums["rows_a"] == sum(one < 0 for one in d)
        assert sums["rows_b"] == sum(one > 0 for one in d)
        assert sums["weight_a"] == pytest.approx(
            math.fsum(w[i] for i, one in zip(both, d, strict=True) if one < 0)
        )
        assert sums["moved"] == pytest.approx(math.fsum(map(abs, x)), rel=1e-12)
        lost_a, lost_b = np.isinf(s[a]) & (w > 0), np.isinf(s[b]) & (w > 0)
        assert sums["only_a"] == (lost_a & ~lost_b).sum()
        assert sums["only_b_weight"] == pytest.approx(w[lost_b & ~lost_a].sum())
        assert sums["both"] == (lost_a & lost_b).sum()
        for_a, for_b, alone = whole.top[at]
        best = sorted(range(len(both)), key=lambda k: x[k])
        assert [row for _, (_, row), _ in for_a.entries] == [both[k] for k in best[:20]]
        assert [row for _, (_, row), _ in for_b.entries] == [both[k] for k in best[::-1][:20]]
        assert [row for _, (_, row), _ in alone.entries] == np.flatnonzero(lost_a != lost_b).tolist()
        first = for_a.entries[0]
        row = first[1][1]
        assert first[2] == {"id": None, "outcome": int(y[row]), "weight": w[row], "group": int(g[row]), "a": pytest.approx(s[a][row]), "b": pytest.approx(s[b][row])}  # fmt: skip
    assert whole.groups is not None
    for key, sums in zip(whole.groups.keys, whole.groups.sums, strict=True):
        inside = (g == key) & (w > 0)
        finite = inside & np.isfinite(s["b"])
        assert sums[:2] == pytest.approx([inside.sum(), w[inside].sum()])
        assert sums[5] == pytest.approx(math.fsum(w[finite] * s["b"][finite]), rel=1e-12)
        assert sums[6:8] == pytest.approx([(inside & ~finite).sum(), w[inside & ~finite].sum()])


def test_a_third_forecast_takes_nothing_from_a_pair() -> None:
    with_b = tally()
    at, _ = with_b.position("a", "c")
    y, p, w, _ = rows()
    two = {name: observe(y, p[name], weight=w, labels=[0, 1]) for name in ("a", "c")}
    alone = Tally.of(two, np.stack([per_row(one) for one in two.values()]), w)
    same(with_b.pairs.at(at).to_dict(), alone.pairs.at(0).to_dict())


def test_covariances_come_from_the_variances_of_pairs() -> None:
    y, p, w, _ = rows(infinite=False)
    whole = tally(infinite=False)
    whole = Tally(whole.names, whole.n, whole.weight, whole.models, whole.pairs, whole.top)
    s = np.stack([-np.log(np.where(y == 1, one, 1 - one)) for one in p.values()])
    d = (s - s[0])[:, w > 0]
    u = w[w > 0] * (d - np.average(d, axis=1, weights=w[w > 0])[:, None])
    expected = u @ u.T * (whole.n / (whole.n - 1)) / w.sum() ** 2
    np.testing.assert_allclose(covariance_of(whole, list(NAMES)), expected, rtol=1e-10, atol=1e-18)


@given(n=st.integers(2, 30), k=st.integers(1, 29), seed=st.integers(0, 999))
def test_what_is_added_can_be_taken_away(n: int, k: int, seed: int) -> None:
    x = np.random.default_rng(seed).normal(1.0, 1.0, (n + k, 2))
    left, whole = Moments.of(x[:n]), Moments.of(x)
    found = whole - Moments.of(x[n:])
    assert found.n == n
    np.testing.assert_allclose(found.mean, left.mean, atol=1e-11)
    np.testing.assert_allclose(found.second, left.second, atol=1e-10)
    np.testing.assert_allclose(found.third, left.third, atol=1e-9)


def test_a_pair_can_be_turned_round() -> None:
    there, back = duel_of(tally(), "a", "b"), duel_of(tally(), "b", "a")
    assert there.mean == -back.mean
    assert there.infinite == back.infinite[1::-1] + back.infinite[2:]
    assert [entry[1] for entry in there.sides[0]] == [entry[1] for entry in back.sides[1]]
    assert there.sides[0][0][2]["a"] == back.sides[1][0][2]["b"]
    assert there.moments.along(np.array([1.0, 2.0])) == pytest.approx(
        back.moments.along(np.array([1.0, -2.0]))
    )


def test_other_forecasts_are_refused() -> None:
    y, p, w, _ = rows()
    two = {name: observe(y, p[name], weight=w, labels=[0, 1]) for name in ("a", "c")}
    with pytest.raises(AlignmentError, match="forecasts"):
        tally() + Tally.of(two, np.stack([per_row(one) for one in two.values()]), w)


def of_table(y: np.ndarray, p: dict[str, np.ndarray], w: np.ndarray, g: np.ndarray) -> Tally:
    records = {name: observe(y, one, weight=w, group=g, labels=[0, 1]) for name, one in p.items()}
    return Tally.of(records, np.stack([per_row(one) for one in records.values()]), w)


def test_covariances_over_groups_are_those_of_leaving_one_out() -> None:
    y, p, w, g = rows(infinite=False)
    s = np.stack([-np.log(np.where(y == 1, one, 1 - one)) for one in p.values()])
    means = np.array([[np.average((one - s[0])[g != k], weights=w[g != k]) for k in range(9)] for one in s])
    off = means - means.mean(axis=1, keepdims=True)
    found = covariance_of(tally(infinite=False), list(NAMES))
    np.testing.assert_allclose(found, 8 / 9 * np.einsum("ig,jg->ij", off, off), rtol=1e-9, atol=1e-18)


def test_groups_without_a_finite_row_say_nothing() -> None:
    y, p, w, g = rows(infinite=False)
    for one in p.values():
        one[g == 4] = 1.0 - y[g == 4]  # in this group all are infinite on every row
        one[7] = 1.0 - y[7]  # and here on one
    s = [
        np.array([-math.log(q) if q else 0.0 for q in np.where(y == 1, p[name], 1 - p[name])])
        for name in "ab"
    ]
    inside = (g != 4) & (np.arange(N) != 7)
    expected = of_clusters((s[0] - s[1])[inside], w[inside], g[inside])
    found = duel_of(of_table(y, p, w, g), "a", "b").interval(0.95)
    assert expected is not None
    assert found is not None
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), rel=1e-10)


@pytest.mark.parametrize("each", [0.1, 0.3, 0.7, 1.1, 3.3])
def test_a_group_that_is_taken_away_whole_is_gone(each: float) -> None:
    y, p, w, g = rows(infinite=False)
    w = np.full(N, each)  # of which sums are not exact
    g[:20] = 100  # these rows speak most, and are all of their group
    p["a"][:20] = np.where(y[:20] == 1, 0.9, 0.1)
    p["b"][:20] = np.where(y[:20] == 1, 1e-9, 1 - 1e-9) * np.linspace(1, 1 - 1e-12, 20)
    duel = duel_of(of_table(y, p, w, g), "a", "b")
    assert {row["group"] for _, _, row in duel.sides[0]} == {100}
    rest = duel.without([row for _, _, row in duel.sides[0]])
    s = [-np.log(np.where(y == 1, p[name], 1 - p[name])) for name in "ab"]
    expected = of_clusters((s[0] - s[1])[20:], w[20:], g[20:])
    found = rest.interval(0.95)
    assert expected is not None
    assert found is not None
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), rel=1e-7)


def test_rows_are_called_by_their_numbers_where_some_were_left_out() -> None:
    p = np.array([0.5, np.nan, 0.9, 0.2])
    records = {name: observe([1, 1, 1, 0], q, skip_missing=True) for name, q in (("a", p), ("b", p * 0.5))}
    found = Tally.of(records, np.stack([per_row(one) for one in records.values()]), np.ones(3))
    assert {place for _, place, _ in found.top[0][0].entries} == {("", 0), ("", 2)}
    assert [place for _, place, _ in found.top[0][1].entries] == [("", 3)]
