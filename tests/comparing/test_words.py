"""What a comparison says: names that are told apart, rules by their name, notes that are true."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

import logloss as ll
from logloss.comparing.contest import Contest
from logloss.comparing.verdicts import of_contest
from logloss.interval import of_clusters
from logloss.why.decomposition import decompose

N = 400
_RANDOM = np.random.default_rng(5)
Z = _RANDOM.normal(size=N)
Y = (_RANDOM.random(N) < 1 / (1 + np.exp(-Z))).astype(int)
A, B, C = 1 / (1 + np.exp(-Z)), 1 / (1 + np.exp(-1.6 * Z)), 1 / (1 + np.exp(-0.5 * Z))


def told(found: ll.Comparison) -> set[str]:
    return {note.id for note in found.notes}


def test_long_names_are_told_apart() -> None:
    names = [
        "gradient boosting, depth 3, seed 1",
        "gradient boosting, depth 3, seed 2",
        "gradient boosting, depth 4, seed 1",
    ]
    found = ll.compare(Y, dict(zip(names, (A, B, C), strict=True)))
    shown = str(found)
    board = [line[5:29].strip() for line in shown.splitlines() if line[:3] in ("  1", "  2", "  3")]
    assert len(set(board)) == 3
    assert "seed 2" in shown
    headline = found.findings[1].text
    assert sum(name in headline for name in board) == 2
    assert [one["name"] for one in found.to_dict()["models"]] == list(found.names)  # JSON has them whole


def test_hostile_names_are_shown_harmlessly() -> None:
    shown = str(ll.compare(Y, {"<b>\x1b[31mred\n": A, "\u202eright to left": B}, by={"site": Y}))
    assert "\x1b" not in shown
    assert "\u202e" not in shown


def test_groups_that_weigh_the_same_have_their_own_rule() -> None:
    group = np.arange(N) // 10
    equal, unequal = (ll.compare(Y, {"a": A, "b": B}, group=one) for one in (group, group // 3))
    assert (equal.pairs[0].rule, unequal.pairs[0].rule) == ("hall-t-groups", "jackknife")
    assert "Hall-t of groups that weigh the same" in str(equal)
    assert "jackknife over groups" in str(unequal)
    panel = ll.summarize({"y": Y, "a": A, "b": B, "g": group}, {"a": "a", "b": "b"}, outcome="y", group="g")
    kept = ll.compare(panel).pairs[0]
    assert kept.rule == "hall-t-groups"
    assert kept.interval == pytest.approx(equal.pairs[0].interval)


def test_a_tie_is_settled_by_more_than_there_are() -> None:
    random = np.random.default_rng(0)
    ties = 0
    for _ in range(60):
        d = random.exponential(size=40) ** 2 * random.choice([-1, 1]) + random.normal(0.3, 1, 40)
        group = np.repeat(np.arange(8), 5)
        for more in ({}, {"cluster": group}, {"cluster": group**2 // 9}, {"period": np.arange(40)}):
            found = of_contest(Contest(("a", "b"), np.column_stack([d + 99, np.full(40, 99.0)]), np.ones(40), **more))  # fmt: skip
            pair = found.pairs[0]
            assert pair.needed is not None
            assert found.units is not None
            assert (pair.needed >= found.units) == (pair.verdict == "tie")
            ties += pair.verdict == "tie"
    assert 30 < ties < 210


def test_a_horizon_without_times_is_refused() -> None:
    with pytest.raises(ll.UsageError, match="idle-horizon"):
        ll.compare(Y, {"a": A, "b": B}, horizon=3)
    assert ll.compare(Y, {"a": A, "b": B}, horizon=3, time=np.arange(N)).n == N
    assert ll.compare(Y, {"a": A, "b": B}, horizon=3, sequential=True).n == N


def test_rows_sorted_by_outcome_are_no_neighbours() -> None:
    order = np.lexsort((_RANDOM.random(N), Y))
    assert "neighbours-alike" not in told(ll.compare(Y[order], {"a": A[order], "b": 0.5 * A[order]}))
    last = np.where(np.arange(N) % 200 < 100, 0.6, 0.4)  # sorted by outcome, and alike within each
    assert "neighbours-alike" in told(ll.compare(np.arange(N) // 200, {"a": last, "b": np.full(N, 0.5)}))
    waves = np.resize(np.repeat([0, 1], 20), N)  # not sorted: outcomes that come in waves
    assert "neighbours-alike" in told(ll.compare(waves, {"a": np.full(N, 0.5), "b": np.full(N, 0.3)}))


def test_bets_on_every_pair() -> None:
    found = ll.compare(Y, {"a": A, "b": B, "c": C}, sequential=True)
    assert all("sequential" in pair.beside for pair in found.pairs)
    near = {"b": B, "c": 0.97 * B + 0.015}
    alone = ll.sequential(Y, near)
    last = ll.compare(Y, {"a": A, **near}, sequential=True).pair("b", "c")
    assert last.beside["sequential"]["p_value"] == pytest.approx(min(1.0, 3 * alone.p_value))
    assert "for the 3 pairs it was chosen of. Of 2 other pairs" in " ".join(str(found).split())
    many = ll.compare(Y[:60], {f"m{k}": A[:60] ** (1 + k / 20) for k in range(11)}, sequential=True)
    assert ["sequential" in pair.beside for pair in many.pairs[:2]] == [True, False]
    assert "one-pair-bet-on" in told(many)


def test_differences_without_spread_settle_nothing() -> None:
    p = {"a": [0.9] * 5, "b": [0.8] * 5}
    few = ll.compare([1] * 5, p, labels=[0, 1])
    assert (few.pairs[0].verdict, "no-spread" in told(few)) == ("undefined", True)
    assert "would settle" not in str(few)
    many = ll.compare([1] * 6, {name: [*one, one[0]] for name, one in p.items()}, labels=[0, 1])
    assert (many.pairs[0].verdict, "no-spread" in told(many)) == ("a better", True)
    same = ll.compare([1] * 5, {"a": [0.9] * 5, "b": [0.9] * 5}, labels=[0, 1])
    assert (same.pairs[0].verdict, "no-spread" in told(same)) == ("tie", False)


def test_by_groups_the_sum_has_their_error() -> None:
    group = np.arange(N) // 7
    pair = ll.compare(Y, {"a": A, "b": B}, group=group).pairs[0]
    d = -np.log(np.where(Y == 1, A, 1 - A)) + np.log(np.where(Y == 1, B, 1 - B))
    found = of_clusters(d, np.ones(N), group)
    assert found is not None
    assert pair.beside["evidence"]["standard_error"] == pytest.approx(N * found.standard_error)


def test_groups_of_a_panel_turn_round() -> None:
    data = {"y": Y, "a": A, "b": B, "g": np.arange(N) // 10}
    found = ll.compare(ll.summarize(data, {"a": "a", "b": "b"}, outcome="y", group="g"))
    one, other = found.pair("a", "b").beside["groups"], found.pair("b", "a").beside["groups"]
    assert one["a_better_in"] != one["b_better_in"]
    assert (one["a_better_in"], one["b_better_in"]) == (other["b_better_in"], other["a_better_in"])
    assert one["moving_most"][0]["difference"] == -other["moving_most"][0]["difference"]
    less = sum(
        (np.log(np.where(Y == 1, B / A, (1 - B) / (1 - A)))[10 * k : 10 * k + 10].sum() < 0)
        for k in range(N // 10)
    )
    assert one["a_better_in"] == less
    assert json.dumps(found.pair("b", "a").to_dict())


def test_a_small_comparison_imports_little() -> None:
    code = (
        "import sys, numpy as np, logloss as ll; y = np.arange(300) % 2; p = np.where(y, 0.9, 0.1); p[1] = 1e-300;"
        "found = ll.compare(y, {'a': p, 'b': np.linspace(0.4, 0.6, 300)}); str(found);"
        "assert found.pairs[0].clip.changes_at and found.pairs[0].parts_method;"
        "print(*(name for name in ('scipy.stats', 'scipy.optimize', 'numba', 'polars') if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_names_that_are_numbers() -> None:
    found = ll.compare(Y, {1: A, 2: B}, reference=2)
    assert found.reference == "2"
    assert found.pair(1, 2).b == "2"
    with pytest.raises(ll.UsageError, match="There is no forecast '3'"):
        ll.compare(Y, {1: A, 2: B}, reference=3)


@pytest.mark.parametrize("horizon", [0, 1.5, "2"])
def test_a_horizon_is_a_whole_number(horizon: object) -> None:
    with pytest.raises(ll.UsageError, match="is not a number of steps ahead"):
        ll.compare(Y, {"a": A, "b": B}, horizon=horizon, time=np.arange(N))


def test_an_id_that_occurs_twice_says_in_which_table() -> None:
    one = {"id": np.arange(N), "y": Y, "p": A}
    twice = {"id": np.where(np.arange(N) == 9, 0, np.arange(N)), "y": Y, "p": B}
    with pytest.raises(
        ll.AlignmentError, match=r"'new': Id '0' occurs more than once in the table \(rows 0 and 9\)"
    ):
        ll.compare({"old": one, "new": twice}, ids="id")


def test_the_order_of_bets_is_told_in_words_of_the_call() -> None:
    found = ll.compare(Y, {"a": A, "b": B}, sequential=True)
    assert "time=" in next(note.text for note in found.notes if note.id == "order-assumed")


def test_one_row_and_one_group_say_why_there_is_no_interval() -> None:
    one = ll.compare([1], {"a": [0.3], "b": [0.4]}, labels=[0, 1])
    group = ll.compare(Y, {"a": A, "b": B}, group=["x"] * N)
    for found in (one, group):
        assert (found.pairs[0].verdict, found.pairs[0].interval) == ("undefined", None)
        assert "no-interval" in told(found)


def test_long_ids_and_slices_are_told_apart() -> None:
    ids = [f"hospital-of-the-holy-spirit/{at:05d}" for at in range(N)]
    where = {"ward of the hospital of the holy spirit": np.where(np.arange(N) % 2, "second", "first")}
    shown = str(ll.compare(Y, {"a": A, "b": B}, ids=ids, by=where))
    top = ll.compare(Y, {"a": A, "b": B}, ids=ids).pairs[0].top
    for row in top[:5]:
        assert f"/{row.row:05d} " in shown
    assert "= first " in shown
    assert "= second " in shown


@pytest.mark.parametrize("weight", [None, np.resize([0.0, 1.0, 2.5], N)])
def test_the_parts_of_a_difference_are_those_of_the_two_losses(weight: np.ndarray | None) -> None:
    noisy = 1 / (1 + np.exp(-Z - np.random.default_rng(3).normal(0, 1, N)))  # of another order
    pair = ll.compare(Y, {"a": A, "c": noisy}, weight=weight).pair("a", "c")
    keep = np.ones(N, bool) if weight is None else weight > 0
    rest = None if weight is None else weight[keep]
    one, other = (decompose(Y[keep], p[keep], weight=rest).cross_fitted for p in (A, noisy))
    assert one is not None
    assert other is not None
    assert abs(pair.sorting or 0.0) > 0.01
    assert pair.calibration == pytest.approx(one.miscalibration - other.miscalibration, abs=1e-12)
    assert pair.sorting == pytest.approx(other.discrimination - one.discrimination, abs=1e-12)
    assert pair.calibration + pair.sorting == pytest.approx(pair.difference, abs=1e-12)


def test_with_weights_the_sum_has_the_error_of_the_interval() -> None:
    w = np.random.default_rng(2).integers(1, 5, N).astype(float)
    pair = ll.compare(Y, {"a": A, "b": B}, weight=w).pairs[0]
    d = -np.log(np.where(Y == 1, A, 1 - A)) + np.log(np.where(Y == 1, B, 1 - B))
    mean = (w * d).sum() / w.sum()
    drawn = np.sqrt((w**2 * (d - mean) ** 2).sum())  # rows drawn anew, each with its weight: linearised ratio
    assert pair.beside["evidence"]["standard_error"] == pytest.approx(drawn, rel=0.01)
    repeated = np.sqrt((w * (d - mean) ** 2).sum())  # were they copies that know nothing of each other
    assert repeated < 0.8 * drawn


def test_notes_say_which_forecast_they_are_about() -> None:
    table = {"y": ["x", "y", "z"] * 20}
    for name, last in (("one", 0.2999), ("two", 0.3002)):
        table |= {f"{name}_x": [0.4] * 60, f"{name}_y": [0.3] * 60, f"{name}_z": [last] * 60}
    models = {name: [f"{name}_{label}" for label in "xyz"] for name in ("one", "two")}
    notes = [note.text for note in ll.compare(table, models, outcome="y").notes if note.id == "rows-not-one"]
    assert [text.split(":")[0] for text in notes] == ["Of 'one'", "Of 'two'"]
    same = ll.compare(table, {"one": models["one"], "two": models["one"]}, outcome="y").notes
    assert [note.text[:3] == "Of " for note in same if note.id == "rows-not-one"] == [False]


def test_neighbours_whose_means_vary_less_are_not_said_to_vary_more() -> None:
    def note(d: np.ndarray) -> str:
        forecasts = {"a": np.exp(-0.7 - d), "b": np.full(N, np.exp(-0.7))}
        found = ll.compare([1] * N, forecasts, labels=[0, 1])
        return next(one.text for one in found.notes if one.id == "neighbours-alike")

    noise = np.random.default_rng(3).normal(0, 0.05, N)
    wave = np.where(
        np.arange(N) // 3 % 2, 0.3, -0.3
    )  # +++---: neighbours agree in two of three, their means do not vary
    assert "(correlation 0.3" in note(wave + noise)
    assert "times as much" not in note(wave + noise)
    assert "times as much as of rows drawn one by one)" in note(
        np.where(np.arange(N) // 40 % 2, 0.3, -0.3) + noise
    )


def test_infinity_less_infinity_is_told_in_words() -> None:
    found = ll.compare([1, 0, 1, 0], {"a": [0.0, 0.2, 0.9, 0.3], "b": [0.8, 1.0, 0.7, 0.4]}, labels=[0, 1])
    assert (
        "infinity less infinity: each gave 0 to what happened on rows of its own. No verdict." in found.alt()
    )
