"""Bets as strangers place them: many rows a day, pairs chosen by the rows, days between updates, classes that come later."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import logloss as ll
from logloss.betting.stakes import break_even_bets, capped_bets

if TYPE_CHECKING:
    from pathlib import Path

Float = np.ndarray


def days(days: int = 60, rows: int = 8, seed: int = 3) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    truth = random.beta(2, 2, days * rows)
    y = (random.random(len(truth)) < truth).astype(int)
    return {"y": y, "old": 0.25 + 0.5 * truth, "new": truth, "day": np.repeat(np.arange(days), rows)}


def by_hand(data: dict[str, Any], turn: Float, horizon: int) -> Float:
    """Return log-wealth of the bet on `new`: bettors of two purses, their richest over the horizon."""
    y, p, q = data["y"], data["old"], data["new"]
    even = np.log((1 - p) / (1 - q)) / (np.log(q / (1 - q)) - np.log(p / (1 - p)))
    pays = np.where(y == 1, q / even, (1 - q) / (1 - even))
    money = np.full((horizon, 2), 0.5)
    path = []
    for paid, at in zip(pays, turn % horizon, strict=True):
        money[at] *= [paid, 0.7 + 0.3 * paid]
        path.append(math.log(money.sum(axis=1).max() / horizon))
    return np.array(path)


def test_the_horizon_counts_points_in_time_where_rows_have_one() -> None:
    data = days()
    at = np.random.default_rng(0).permutation(len(data["y"]))
    mixed = {name: column[at] for name, column in data.items()}
    found = ll.sequential(mixed, "old", "new", outcome="y", order="day", horizon=3)
    back = np.argsort(mixed["day"], kind="stable")  # rows of a day as they stand
    inside = {name: column[back] for name, column in mixed.items()}
    assert found.log_wealth[:, 1] == pytest.approx(by_hand(inside, inside["day"], 3), rel=1e-9, abs=1e-9)
    beside = ll.compare(mixed, ["old", "new"], outcome="y", time="day", horizon=3, sequential=True)
    told = beside.pairs[0].beside["sequential"]
    assert {one["on"]: one["log_wealth"] for one in told["bets"]}["new"] == pytest.approx(
        found.log_wealth[-1, 1]
    )
    plain = ll.sequential(data["y"], data["old"], data["new"], horizon=3)  # without times each row is one
    assert plain.log_wealth[:, 1] == pytest.approx(by_hand(data, np.arange(480), 3), rel=1e-9, abs=1e-9)


def test_rows_of_weight_0_keep_their_points_in_time() -> None:
    data = days()
    weight = (np.random.default_rng(5).random(480) < 0.7).astype(float)
    found = ll.sequential(data | {"w": weight}, "old", "new", outcome="y", order="day", horizon=2, weight="w")
    kept = {name: column[weight > 0] for name, column in data.items()}
    assert found.log_wealth[:, 1] == pytest.approx(by_hand(kept, kept["day"], 2), rel=1e-9, abs=1e-9)


def test_a_pair_chosen_by_the_rows_pays_for_the_choice() -> None:
    data = days(150)
    two = ll.compare(data, ["old", "new"], outcome="y", sequential=True).pairs[0].beside["sequential"]
    more = data | {"third": 0.1 + 0.8 * data["old"], "fourth": np.full(1200, 0.5)}
    many = ll.compare(more, ["old", "new", "third", "fourth"], outcome="y", sequential=True)
    told = many.pairs[0].beside["sequential"]
    assert set(told["names"]) == {"old", "new"}
    assert told["p_value"] == pytest.approx(6 * two["p_value"], rel=1e-12)
    assert (two["chosen_of"], told["chosen_of"], told["alpha"]) == (1, 6, 0.05)
    assert (told["verdict"] == "undecided so far") == (told["p_value"] > 0.05)
    assert told["crossed_after"] > two["crossed_after"]
    assert "for the 6 pairs it was chosen of" in " ".join(str(many).split())
    one = ll.compare(more, ["old", "new", "third"], outcome="y", sequential=True, reference="old")
    assert one.pairs[0].beside["sequential"]["chosen_of"] == 2


def test_it_is_said_when_in_time_a_winner_was_known() -> None:
    data = days(150)
    forward = ll.sequential(data["y"], data["old"], data["new"])
    found = ll.sequential(data["y"][::-1], data["old"][::-1], data["new"][::-1], order=np.arange(1200)[::-1])
    assert forward.crossed is not None
    assert found.crossed_after == forward.crossed_after == forward.crossed + 1
    assert found.crossed == 1199 - forward.crossed
    assert f"known since row {forward.crossed} " in str(forward)
    assert f"known since row {found.crossed}, the {found.crossed_after}" in str(found)


def test_a_class_that_comes_later_is_refused_and_the_cure_works() -> None:
    test = ll.SequentialTest(["a", "b"], names=("old", "new"))
    test.update("a", [0.5, 0.5], [0.6, 0.4])
    with pytest.raises(ll.OutcomeError, match=r"SequentialTest\(\[\.\.\.\]\).*No row was entered") as caught:
        test.update(["b", "c"], [0.5, 0.5], [0.4, 0.6])
    assert "CLI" not in str(caught.value)
    assert test.rows == 1
    wide = ll.SequentialTest(["a", "b", "c"])
    wide.update(["a", "c"], [[0.4, 0.4, 0.2]] * 2, [[0.3, 0.3, 0.4]] * 2)
    assert wide.rows == 2


@pytest.mark.parametrize(("p", "q", "says"), [(math.nan, 0.5, "'old': "), (0.5, 1.5, "'new': "), ([0.1, 0.2], 0.5, "'old'")])  # fmt: skip
def test_errors_name_the_forecast_and_no_option_that_is_not_there(p: Any, q: Any, says: str) -> None:
    test = ll.SequentialTest(["a", "b"], names=("old", "new"))
    with pytest.raises(ll.LoglossError, match=says) as caught:
        test.update(["a"], p if isinstance(p, list) else [p], [q])
    for option in ("skip_missing", "truth=", "CLI"):
        assert option not in str(caught.value)
    assert test.rows == 0


def test_rows_that_are_not_bet_on_are_counted_and_kept(tmp_path: Path) -> None:
    test = ll.SequentialTest()
    test.update([1, 1, 0], [0.0, 0.0, 0.5], [0.0, 1.0, 0.4])  # void, clash, a bet
    assert test.not_bet_on == 2
    assert "3 rows, 2 of them not bet on" in str(test)
    test.save(tmp_path / "test.json")
    again = ll.SequentialTest.load(tmp_path / "test.json")
    assert (again.not_bet_on, again.rows) == (2, 3)


def test_a_file_that_is_not_there_is_no_damaged_one(tmp_path: Path) -> None:
    with pytest.raises(ll.DataError, match=r"There is no file .*nowhere\.json.*no-such-file"):
        ll.SequentialTest.load(tmp_path / "nowhere.json")


def test_three_forecasts_are_counted() -> None:
    with pytest.raises(ll.UsageError, match="3 forecasts were given, but two are compared"):
        ll.sequential([1, 0], {"a": [0.5, 0.5], "b": [0.4, 0.6], "c": [0.1, 0.2]})


def test_dates_that_are_text_without_order_are_shown_as_they_are() -> None:
    frame = pd.DataFrame({"y": [1, 0], "a": [0.5, 0.4], "b": [0.4, 0.6], "day": ["1.2.2024", "3.1.2024"]})
    with pytest.raises(ll.ColumnError, match=r"not their time: '1\.2\.2024'"):
        ll.sequential(frame, "a", "b", outcome="y", order="day")


def test_the_verdict_is_that_of_the_p_value_at_its_very_edge() -> None:
    data = days(150)
    found = ll.sequential(data["y"], data["old"], data["new"])
    for at in range(60, 1200, 60):
        now = ll.sequential(data["y"][:at], data["old"][:at], data["new"][:at])
        for alpha in (now.p_value, math.nextafter(now.p_value, 0)):
            if 0 < alpha < 1:
                again = ll.sequential(data["y"][:at], data["old"][:at], data["new"][:at], alpha=alpha)
                assert (again.verdict != "undecided so far") == (again.p_value <= alpha)
                assert (again.crossed is not None) == (again.p_value <= alpha)
    assert found.p_value < 0.05


def drifting(state: Float, last: Float, random: np.random.Generator) -> tuple[Float, Float]:
    """Return forecasts that follow a random walk of their own, and lean against the outcome before."""
    state += random.normal(0, 0.2, state.shape)
    p = 1 / (1 + np.exp(-state[:, 0]))
    q = np.where(last > 0, 0.3 + 0.6 * p, 0.1 + 0.6 * p)
    return p.clip(0.01, 0.99), q.clip(0.01, 0.99)


def heights(reps: int = 4000, rows: int = 150) -> Float:
    """Return log of the greatest wealth of both bets where the forecasts are equally good on every row, given the past."""
    random = np.random.default_rng(11)
    state, last = np.zeros((reps, 1)), np.zeros(reps)
    logs, most = np.full((reps, 2, 2), math.log(0.5)), np.zeros((reps, 2))
    for _ in range(rows):
        p, q = drifting(state, last, random)
        s_a, s_b = (-np.log(np.stack([1 - one, one], axis=1)) for one in (p, q))
        d = s_a - s_b
        even = d[:, 0] / (d[:, 0] - d[:, 1])  # drifts with them
        last = (random.random(reps) < even).astype(float)
        paid = break_even_bets(d, s_a, s_b)[np.arange(reps), :, last.astype(int)]
        logs += np.stack([paid, np.log(0.7 + 0.3 * np.exp(paid))], axis=2)
        most = np.maximum(most, np.logaddexp(logs[..., 0], logs[..., 1]))
    return most


def test_no_false_alarms_where_the_break_even_drifts_and_forecasts_react() -> None:
    most = heights()
    for wealth in (4, 10, 40):
        promised = 1 / wealth
        assert (most >= math.log(wealth)).mean(axis=0).max() < promised + 3 * math.sqrt(promised / 4000)
    assert (most >= math.log(2)).mean(axis=0).min() > 0.05  # the bets are placed


@pytest.mark.parametrize("kind", [break_even_bets, capped_bets])
def test_zeros_and_ones_bring_nothing_to_who_is_no_better(kind: Any) -> None:
    """At the truths for which a is at least as good, the bet on b has mean 1 at most; infinite only where a is refuted."""
    grid = np.array([0.0, 1e-300, 1e-9, 0.3, 0.7, 1 - 1e-9, 1.0])
    p, q = (one.ravel() for one in np.meshgrid(grid, grid))
    with np.errstate(divide="ignore", invalid="ignore"):
        s_a, s_b = (-np.log(np.stack([1 - one, one], axis=1)) for one in (p, q))
        d = s_a - s_b
        d[np.isnan(d)] = 0.0
        pays = np.exp(kind(d, s_a, s_b)[:, 1])
        for truth in np.linspace(0, 1, 101):
            chance = np.array([1 - truth, truth])
            mean_d = np.where(chance > 0, chance * d, 0.0).sum(axis=1)
            mean = np.where(chance > 0, chance * pays, 0.0).sum(axis=1)
            assert (mean[mean_d <= 0] <= 1 + 1e-9).all()
