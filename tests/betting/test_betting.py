"""Wealth through time: all at once or as rows arrive, in any order of classes; what is refused; the saved state."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import logloss as ll
from logloss.betting.running import of_records


def forecasts(K: int, n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return outcomes drawn from the second of two forecasts."""
    rng = np.random.default_rng(seed)
    Q = rng.dirichlet(np.ones(K), n)
    P = 0.6 * Q + 0.4 * rng.dirichlet(np.ones(K), n)
    y = (rng.random(n)[:, None] > Q.cumsum(axis=1)[:, :-1]).sum(axis=1)
    return (y, P[:, 1], Q[:, 1]) if K == 2 else (y, P, Q)


def test_wealth_of_two_classes_is_the_mixture_of_its_two_purses() -> None:
    y, p, q = forecasts(2, 60, 1)
    d0, d1 = np.log((1 - q) / (1 - p)), np.log(q / p)
    even = d0 / (d0 - d1)
    E = np.where(y == 1, q / even, (1 - q) / (1 - even))
    want = 0.5 * np.cumprod(E) + 0.5 * np.cumprod(0.7 + 0.3 * E)
    found = ll.sequential(y, p, q)
    assert np.exp(found.log_wealth[:, 1]) == pytest.approx(want, rel=1e-12)
    assert found.p_values["b"] == pytest.approx(min(1, 1 / want.max()), rel=1e-12)


def test_wealth_of_more_classes_by_a_loop() -> None:
    y, P, Q = forecasts(4, 80, 2)
    d = np.log(Q / P)
    for side, bet, belief in ((1, 1, Q), (-1, 0, P)):
        purses, want = [0.5, 0.5], []
        for row, b, k in zip(side * d, belief, y, strict=True):
            lam = min((b @ row) / (b @ row**2), 0.5 / -row.min())
            purses = [purses[0] * (1 + lam * row[k]), purses[1] * (1 + 0.3 * lam * row[k])]
            want.append(sum(purses))
        assert np.exp(ll.sequential(y, P, Q).log_wealth[:, bet]) == pytest.approx(want, rel=1e-11)


@pytest.mark.parametrize("K", [2, 3])
def test_the_better_one_is_found_and_said_when(K: int) -> None:
    y, p, q = forecasts(K, 1500, 3)
    found = ll.sequential(y, {"old": p, "new": q})
    assert found.verdict == "new better"
    row = found.crossed
    assert row is not None
    assert found.crossings == {"old": None, "new": row}
    before = ll.sequential(y[:row], {"old": p[:row], "new": q[:row]})
    assert (before.verdict, before.crossed) == ("undecided so far", None)
    assert before.p_value > 0.05
    after = ll.sequential(y[: row + 1], {"old": p[: row + 1], "new": q[: row + 1]})
    assert (after.verdict, after.crossed) == ("new better", row)
    assert after.p_value <= 0.05
    assert ll.sequential(y, {"new": q, "old": p}).verdict == "new better"
    assert f"row {row}" in str(found)


@settings(deadline=None, max_examples=25)
@given(
    K=st.integers(2, 4),
    horizon=st.integers(1, 4),
    cuts=st.lists(st.integers(0, 50), max_size=6),
    seed=st.integers(0, 99),
)
def test_rows_as_they_arrive_give_what_all_at_once_do(
    K: int, horizon: int, cuts: list[int], seed: int
) -> None:
    y, p, q = forecasts(K, 50, seed)
    whole = ll.sequential(y, p, q, horizon=horizon)
    test = ll.SequentialTest(range(K), horizon=horizon)
    at = [0, *sorted(cuts), 50]
    for start, stop in itertools.pairwise(at):
        if stop - start == 1:
            test.update(y[start], p[start], q[start])
        elif stop > start:
            test.update(y[start:stop], p[start:stop], q[start:stop])
        test = ll.SequentialTest.from_dict(json.loads(json.dumps(test.to_dict(), allow_nan=False)))
    assert list(test.log_wealth.values()) == pytest.approx(whole.log_wealth[-1].tolist(), abs=1e-12)
    assert test.p_values == pytest.approx(whole.p_values, rel=1e-12)
    assert (test.rows, test.verdict, test.crossed) == (50, whole.verdict, whole.crossed)


@pytest.mark.parametrize("K", [2, 5])
def test_the_order_of_classes_changes_nothing(K: int) -> None:
    y, p, q = forecasts(K, 300, 5)
    if K == 2:
        p, q = (np.stack([1 - f, f], axis=1) for f in (p, q))
    turn = np.random.default_rng(0).permutation(K)
    names = np.array(list("vwxyz"))[:K]
    one = ll.sequential(names[y], p, q, labels=names.tolist())
    other = ll.sequential(names[y], p[:, turn], q[:, turn], labels=names[turn].tolist())
    assert other.log_wealth == pytest.approx(one.log_wealth, abs=1e-10)


def test_all_spaces_and_one_or_two_columns_agree() -> None:
    y, p, q = forecasts(2, 200, 6)
    want = ll.sequential(y, p, q).log_wealth
    logit = [np.log(f / (1 - f)) for f in (p, q)]
    assert ll.sequential(y, *logit, space="logit").log_wealth == pytest.approx(want, abs=1e-10)
    assert ll.sequential(y, np.log(p), np.log(q), space="logp").log_wealth == pytest.approx(want, abs=1e-10)
    two = [np.stack([1 - f, f], axis=1) for f in (p, q)]
    assert ll.sequential(y, *two).log_wealth == pytest.approx(want, abs=1e-10)


def test_with_a_horizon_bettors_take_turns() -> None:
    """Each bettor's wealth is that of its own rows alone."""
    y, p, q = forecasts(2, 91, 7)
    found = ll.sequential(y, p, q, horizon=3)
    alone = [ll.sequential(y[at::3], p[at::3], q[at::3]).log_wealth for at in range(3)]
    last = np.array([one[-1] for one in alone])
    assert found.log_wealth[-1] == pytest.approx(last.max(axis=0) - math.log(3), abs=1e-12)
    assert found.log_mean[-1] == pytest.approx(np.log(np.exp(last).mean(axis=0)), abs=1e-12)
    assert (found.log_wealth <= found.log_mean + 1e-12).all()


def test_order_sorts_the_rows_and_ties_are_said() -> None:
    y, p, q = forecasts(3, 120, 9)
    day = np.random.default_rng(1).permutation(120)
    at = np.argsort(day)
    found = ll.sequential(y, p, q, order=day)
    assert np.array_equal(found.log_wealth, ll.sequential(y[at], p[at], q[at]).log_wealth)
    assert np.array_equal(found.rows, at)
    assert "order-assumed" not in {note.id for note in found.notes}
    tied = ll.sequential(y, p, q, order=day // 2)
    assert "same-time" in {note.id for note in tied.notes}
    assert "order-assumed" in {note.id for note in ll.sequential(y, p, q).notes}


def test_a_table_with_text_and_missing_values(tmp_path: Path) -> None:
    y, p, q = forecasts(2, 300, 10)
    day = pd.date_range("2026-01-01", periods=300).astype(str)
    frame = pd.DataFrame({"day": day, "y": np.array(["no", "yes"])[y], "old": p, "new": q})
    frame.loc[7, "old"] = None
    frame = frame.sample(frac=1, random_state=0)
    frame.to_csv(tmp_path / "rows.csv", index=False)
    options = {"outcome": "y", "order": "day", "labels": ["no", "yes"]}
    with pytest.raises(ll.DataError, match="missing"):
        ll.sequential(tmp_path / "rows.csv", "old", "new", **options)
    found = ll.sequential(tmp_path / "rows.csv", "old", "new", skip_missing=True, **options)
    keep = np.arange(300) != 7
    assert np.array_equal(found.log_wealth, ll.sequential(y[keep], p[keep], q[keep]).log_wealth)
    assert found.names == ("old", "new")
    assert {"rows-skipped"} <= {note.id for note in found.notes}


def test_rows_of_weight_0_are_left_out_and_other_weights_refused() -> None:
    y, p, q = forecasts(2, 50, 11)
    weight = np.where(np.arange(50) == 4, 0.0, 2.0)
    found = ll.sequential(y, p, q, weight=weight)
    keep = weight > 0
    assert np.array_equal(found.log_wealth, ll.sequential(y[keep], p[keep], q[keep]).log_wealth)
    assert 4 not in found.rows
    with pytest.raises(ll.WeightError, match="weights-in-bets"):
        ll.sequential(y, p, q, weight=weight + np.arange(50))


def test_infinite_wealth_is_told_and_stays() -> None:
    found = ll.sequential([0, 1, 0, 0], [0.1, 0.0, 0.2, 0.3], [0.1, 0.2, 0.5, 0.9])
    assert found.log_wealth[:, 1].tolist() == [0.0, math.inf, math.inf, math.inf]
    assert (found.p_value, found.verdict, found.crossed) == (0.0, "b better", 1)
    assert "infinite" in str(found)
    state = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert state["bets"][1]["log_wealth"] == "inf"
    test = ll.SequentialTest()
    test.update([0, 1, 0, 0], [0.1, 0.0, 0.2, 0.3], [0.1, 0.2, 0.5, 0.9])
    again = ll.SequentialTest.from_dict(test.to_dict())
    again.update(1, 0.5, 0.5)
    assert again.log_wealth["b"] == math.inf


def test_rows_without_a_fair_bet_are_said() -> None:
    found = ll.sequential([1, 1, 0], [0.0, 0.0, 0.5], [0.0, 1.0, 0.4])
    assert {"bets-void", "bets-not-placed"} <= {note.id for note in found.notes}
    assert found.log_wealth[1].tolist() == [0.0, 0.0]


def test_each_can_be_better_at_times() -> None:
    y = [1] * 200
    good, bad = [0.9] * 100 + [0.5] * 100, [0.5] * 100 + [0.9] * 100
    found = ll.sequential(y, good, bad, alpha=0.2)
    assert found.verdict == "a better"  # the wealth that it lost first has to be won back
    second = ll.sequential(y * 3, good + bad * 2, bad + good * 2, alpha=0.2)
    assert second.verdict == "each better at times"


@pytest.mark.parametrize(
    ("slug", "call"),
    [
        ("bad-alpha", lambda: ll.sequential([1, 0], [0.5, 0.5], [0.6, 0.4], alpha=5)),
        ("bad-horizon", lambda: ll.sequential([1, 0], [0.5, 0.5], [0.6, 0.4], horizon=0)),
        ("bad-horizon", lambda: ll.SequentialTest(horizon=1.5)),  # type: ignore[arg-type]
        ("two-forecasts", lambda: ll.sequential([1, 0], [0.5, 0.5])),
        ("two-forecasts", lambda: ll.sequential([1, 0], {"a": [0.5, 0.5]})),
        ("soft-in-bets", lambda: ll.sequential([0.5, 0.25], [0.5, 0.5], [0.6, 0.4])),
        ("soft-in-bets", lambda: ll.SequentialTest().update([0.5, 0.25], [0.5, 0.5], [0.6, 0.4])),
        ("different-lengths", lambda: ll.sequential([1, 0], [0.5, 0.5], [0.6, 0.4, 0.2])),
        ("labels-count", lambda: ll.SequentialTest(["a"])),
        ("unknown-space", lambda: ll.SequentialTest(space="odds")),  # type: ignore[arg-type]
        ("bad-sequential", lambda: ll.SequentialTest.from_dict({})),
    ],
)
def test_what_is_refused(slug: str, call: object) -> None:
    with pytest.raises(ll.LoglossError) as caught:
        call()  # type: ignore[operator]
    assert caught.value.slug == slug
    assert caught.value.cure


def test_other_rows_or_classes_are_refused() -> None:
    a = ll.observe([0, 1, 1], [0.2, 0.5, 0.6])
    with pytest.raises(ll.AlignmentError, match="different-lengths"):
        of_records(a, ll.observe([0, 1], [0.2, 0.5]))
    with pytest.raises(ll.UsageError, match="other-classes"):
        of_records(a, ll.observe([0, 1, 1], [0.2, 0.5, 0.6], labels=[1, 0]))


def test_a_row_that_is_refused_leaves_the_state_as_it_was() -> None:
    test = ll.SequentialTest(["no", "yes"], names=("old", "new"))
    test.update("yes", 0.6, 0.7)
    before = test.to_dict()
    for y, p, q in (("maybe", 0.5, 0.5), ("no", 1.5, 0.5), (["no", "yes"], [0.5], [0.5])):
        with pytest.raises(ll.LoglossError):
            test.update(y, p, q)
    assert test.to_dict() == before


def test_one_row_in_many_forms() -> None:
    """A label, a NumPy scalar or an array without a shape; a list, an array or a mapping of forecasts."""
    seen = []
    for y in ("dog", np.str_("dog"), np.array("dog")):
        for p in ([0.2, 0.3, 0.5], np.array([0.2, 0.3, 0.5]), {"fox": 0.5, "dog": 0.3, "cat": 0.2}):
            test = ll.SequentialTest(["cat", "dog", "fox"])
            test.update("dog", [0.3, 0.4, 0.3], [0.2, 0.6, 0.2])
            test.update(y, p, [0.1, 0.8, 0.1])
            seen.append(test.log_wealth["b"])
    assert seen == [seen[0]] * 9
    assert seen[0] > 0


def test_a_saved_test_goes_on_and_a_changed_file_is_refused(tmp_path: Path) -> None:
    y, P, Q = forecasts(3, 100, 12)
    names = np.array(["cat", "dog", "fox"])[y]
    test = ll.SequentialTest(["cat", "dog", "fox"], alpha=0.1, horizon=2, names=("old", "new"))
    test.update(names[:60], P[:60], Q[:60])
    test.save(tmp_path / "test.json")
    again = ll.SequentialTest.load(tmp_path / "test.json")
    for one in (test, again):
        one.update(names[60:], P[60:], Q[60:])
    assert again.to_dict() == test.to_dict()
    assert str(again) == str(test)
    state = json.loads((tmp_path / "test.json").read_text())
    state["book"]["peak"] = [9.0, 9.0]
    (tmp_path / "test.json").write_text(json.dumps(state))
    with pytest.raises(ll.SourceError, match="checksum"):
        ll.SequentialTest.load(tmp_path / "test.json")
    (tmp_path / "test.json").write_text("[1]")
    with pytest.raises(ll.SourceError, match="bad-sequential"):
        ll.SequentialTest.load(tmp_path / "test.json")


def test_the_paths_as_a_frame_and_as_html() -> None:
    y, p, q = forecasts(2, 30, 13)
    found = ll.sequential(y, {"<b>old": p, "new": q}, horizon=2)
    frame = found.frame()
    assert frame.columns[:2] == ["row", "log_wealth_<b>old"]
    assert frame["log_mean_new"].to_list() == found.log_mean[:, 1].tolist()
    assert "<b>" not in found._repr_html_()
    assert len(found.to_dict()["path"]) == 30
