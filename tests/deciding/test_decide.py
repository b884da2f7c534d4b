"""decide: what it brings against plain NumPy; spaces, weights, shares, classes; with and without outcomes."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import logloss as ll
from logloss.deciding.decision import of_record

WARD = {"treat": {0: -2, 1: 0}, "wait": {0: 0, 1: -20}}
THREE = {"wait": {0: 0, 1: -20}, "monitor": {0: -0.5, 1: -6}, "treat": {0: -2, 1: 0}}
OFF: dict[str, Any] = {"recalibrate": False}


def ward(n: int = 2000, sharper: float = 1.0, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Return outcomes, and forecasts whose log-odds are `sharper` times too far from 0."""
    rng = np.random.default_rng(seed)
    z = rng.normal(-2, 1.1, n)
    return (rng.random(n) < 1 / (1 + np.exp(-z))).astype(int), 1 / (1 + np.exp(-sharper * z))


def test_the_ward() -> None:
    """1/11, and at 19 % treating: -1.62 against -3.80."""
    result = ll.decide(None, [0.19], utilities=WARD)
    assert result.threshold == 1 / 11
    assert result.chosen.tolist() == ["treat"]
    assert result.expected[0] == pytest.approx(-1.62, rel=1e-15)
    expected = {policy.name: policy.expected for policy in result.policies}
    assert expected["always wait"] == pytest.approx(-3.80, rel=1e-15)


@pytest.mark.parametrize("utilities", [WARD, THREE])
def test_perfect_information_at_three_tenths(utilities: Any) -> None:
    """Treating costs 2 with probability .7, knowing costs nothing: 1.4."""
    result = ll.decide(None, [0.3], utilities=utilities)
    assert result.perfect_information == pytest.approx(1.4, rel=1e-14)


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 4), st.integers(1, 5), st.integers(0, 10**6), st.booleans(), st.booleans())
def test_against_numpy(K: int, A: int, seed: int, soft: bool, weighted: bool) -> None:
    rng = np.random.default_rng(seed)
    n = 60
    P = rng.dirichlet(np.ones(K), n)
    U = rng.integers(-9, 10, (A, K)) / 4
    T = rng.dirichlet(np.ones(K), n) if soft else np.eye(K)[rng.integers(0, K, n)]
    w = rng.integers(0, 4, n).astype(float) if weighted else np.ones(n)
    w[0] = 1
    utilities = ll.Utilities(tuple(f"a{i}" for i in range(A)), tuple(range(K)), U)
    record = ll.observe(T, P, weight=w)
    result = of_record(record, utilities, recalibrate=False)
    kept = w > 0
    EU = (P @ U.T)[kept]
    got = EU[np.arange(len(EU)), result.action]
    assert got == pytest.approx(EU.max(axis=1), abs=1e-12)
    assert result.expected == pytest.approx(EU.max(axis=1), abs=1e-12)

    def mean(values: Any) -> float:
        return float(np.average(values, weights=w[kept]))

    assert result.expected_utility == pytest.approx(mean(EU.max(axis=1)), abs=1e-12)
    came = (T[kept] * U[result.action]).sum(axis=1)
    best = (T[kept] * U.max(axis=0)).sum(axis=1)
    assert result.realised_utility == pytest.approx(mean(came), abs=1e-12)
    assert result.regret == pytest.approx(mean(best - came), abs=1e-12)
    assert result.perfect_information == pytest.approx(
        mean((P[kept] * U.max(axis=0)).sum(axis=1) - EU.max(axis=1)), abs=1e-12
    )
    assert sum(result.actions.values()) == kept.sum() == result.rows
    for policy in result.policies:
        if policy.name.startswith("always "):
            row = U[int(policy.name.removeprefix("always a"))]
            assert policy.expected == pytest.approx(mean(P[kept] @ row), abs=1e-12)
            assert policy.realised == pytest.approx(mean(T[kept] @ row), abs=1e-12)


def test_intervals_are_paired() -> None:
    """Against SciPy's t of the differences; skewness moves ours a little."""
    y, p = ward(3000)
    result = ll.decide(y, p, utilities=WARD, **OFF)
    always = next(policy for policy in result.policies if policy.name == "always treat")
    U = np.array([[-2, 0], [0, -20]])
    action = np.where(p >= 1 / 11, 0, 1)
    difference = U[0, y] - U[action, y]
    assert always.difference == pytest.approx(difference.mean(), rel=1e-12)
    plain = stats.t.interval(0.95, len(y) - 1, difference.mean(), stats.sem(difference))
    assert always.difference_interval == pytest.approx(plain, abs=0.05 * (plain[1] - plain[0]))
    assert always.difference_interval is not None
    assert always.difference_interval[1] < 0
    assert result.best == "as decided"
    assert result.policies[0].difference is None


def test_differences_are_from_the_best_policy_whichever_it_is() -> None:
    y, p = ward(2000, 2.5)
    result = ll.decide(y, p, utilities=WARD, **OFF)
    assert result.best == "always treat"
    by = {policy.name: policy for policy in result.policies}
    U = np.array([[-2, 0], [0, -20]])
    assert by["as decided"].difference == pytest.approx(
        (U[np.where(p >= 1 / 11, 0, 1), y] - U[0, y]).mean(), rel=1e-12
    )
    assert by["always wait"].difference == pytest.approx((U[1, y] - U[0, y]).mean(), rel=1e-12)
    assert by["always treat"].difference is None


def test_few_rows_that_differ_have_no_interval() -> None:
    """Four of 100 rows: their spread cannot be seen."""
    y, p = np.zeros(100, int), np.full(100, 0.01)
    p[:4] = 0.5
    result = ll.decide(y, p, utilities=WARD, **OFF)
    by = {policy.name: policy for policy in result.policies}
    assert result.best == "always wait"
    assert by["as decided"].difference == pytest.approx(-0.08, rel=1e-12)
    assert by["as decided"].difference_interval is None


@pytest.mark.parametrize("cost", ["1", None, True, -1, math.inf])
def test_costs_are_numbers(cost: Any) -> None:
    with pytest.raises(ll.UsageError):
        ll.decide([0, 1], [0.2, 0.8], cost_fp=cost, cost_fn=1)
    if cost is not None:
        with pytest.raises(ll.UsageError, match="bad-utilities"):
            ll.decide([0, 1], [0.2, 0.8], cost_fp=1, cost_fn=1, reject=cost)


def test_a_cut_at_one_half() -> None:
    y, p = ward()
    result = ll.decide(y, p, cost_fp=2, cost_fn=10, **OFF)
    half = next(policy for policy in result.policies if policy.name == "cut at 0.5")
    cost = np.where(p >= 0.5, 2 * (y == 0), 10 * (y == 1))
    assert half.realised == pytest.approx(-cost.mean(), rel=1e-12)
    assert half.shares["act"] == pytest.approx((p >= 0.5).mean(), rel=1e-12)
    assert result.realised_utility is not None
    assert half.realised is not None
    saved = 1 - result.realised_utility / half.realised
    first = result.findings[0]
    assert (first.id, first.severity, first.nats) == ("LL070", "cost", 0.0)
    assert first.text.startswith(f"Acting at 0.167 instead of 0.5 saves {100 * saved:.0f} % of the cost, ")
    assert first.worth == pytest.approx(result.realised_utility - half.realised, rel=1e-12)
    assert half.difference_interval is not None
    low, high = (-end for end in reversed(half.difference_interval))
    assert first.text.endswith(f" a row ({low:.4g} to {high:.4g}), on these rows.")
    assert first.text in str(result)
    assert "act where p(1) >= 0.1667 = 2 / (2 + 10), else don't act" in str(result)


def test_what_came_less_what_was_expected_tells_miscalibration() -> None:
    right, wrong = (ll.decide(*ward(4000, sharper), utilities=WARD, **OFF).surplus for sharper in (1, 2.5))
    assert right is not None
    assert wrong is not None
    assert right.low < 0 < right.high
    assert wrong.high < -1
    assert wrong.p_value is not None
    assert wrong.p_value < 1e-10


def test_recalibrating_is_worth_what_worth_of_calibration_says() -> None:
    y, p = ward(1500, 2.5)
    result = ll.decide(y, p, utilities=WARD)
    worth = ll.worth_of_calibration(y, p, utilities=WARD)
    assert result.recalibration is not None
    assert result.recalibration.map == worth.chosen != "identity"
    assert result.recalibration.worth == pytest.approx(worth.worth.mean, rel=1e-12)
    assert result.recalibration.interval == pytest.approx((worth.worth.low, worth.worth.high), rel=1e-9)
    assert result.recalibration.changed == worth.changed
    after = next(policy for policy in result.policies if policy.name == "after recalibration")
    assert after.realised == pytest.approx(worth.recalibrated.realised, rel=1e-12)
    assert result.best == "after recalibration"
    treat = next(policy for policy in result.policies if policy.name == "always treat")
    assert result.realised_utility is not None
    assert treat.realised is not None
    assert result.realised_utility < treat.realised


def test_rows_without_outcome_take_the_map_of_the_others() -> None:
    y, p = ward(800, 2.5)
    partly: list[Any] = [*y[:600].tolist(), *([None] * 200)]
    result = ll.decide(partly, p, utilities=WARD)
    known = ll.decide(y[:600], p[:600], utilities=WARD)
    assert (result.rows, result.labelled) == (800, 600)
    assert result.realised_utility == known.realised_utility
    assert result.recalibration is not None
    assert known.recalibration is not None
    assert result.recalibration.worth == pytest.approx(known.recalibration.worth, rel=1e-12)
    after = next(policy for policy in result.policies if policy.name == "after recalibration")
    fitted = ll.fix(y[:600], p[:600])
    again = ll.decide(None, np.concatenate([fitted.held_out(), fitted.apply(p[600:])]), utilities=WARD)
    assert after.shares["treat"] == pytest.approx(again.actions["treat"] / 800, abs=1e-12)


@pytest.mark.parametrize("space", ["logp", "logit"])
def test_spaces(space: Any) -> None:
    y, p = ward()
    form = {"logp": np.log, "logit": lambda q: np.log(q) - np.log1p(-q)}[space]
    one, other = (
        ll.decide(y, p, utilities=WARD, **OFF),
        ll.decide(y, form(p), utilities=WARD, space=space, **OFF),
    )
    assert other.action.tolist() == one.action.tolist()
    assert other.realised_utility == one.realised_utility
    assert other.expected_utility == pytest.approx(one.expected_utility, rel=1e-12)


def test_certain_forecasts_and_infinite_logits() -> None:
    result = ll.decide([0, 1, 1], [-math.inf, math.inf, -math.inf], utilities=WARD, space="logit", **OFF)
    assert result.chosen.tolist() == ["wait", "treat", "wait"]
    assert result.expected.tolist() == [0, 0, 0]
    assert result.realised_utility == pytest.approx(-20 / 3, rel=1e-15)


def test_classes_are_matched_by_name() -> None:
    frame = pl.DataFrame({"kind": ["cat", "dog", "eel"], "p_eel": [0.1, 0.2, 0.9], "p_cat": [0.8, 0.2, 0.05], "p_dog": [0.1, 0.6, 0.05]})  # fmt: skip
    utilities = {"feed": {"dog": 1, "eel": 0, "cat": 1}, "tank": {"cat": -5, "eel": 2, "dog": -5}}
    result = ll.decide(frame, outcome="kind", utilities=utilities, **OFF)
    assert result.chosen.tolist() == ["feed", "feed", "tank"]
    assert result.realised_utility == pytest.approx(4 / 3, rel=1e-15)
    assert result.to_dict()["cuts"] is None
    new = ll.decide(frame.drop("kind"), utilities=utilities)
    assert new.chosen.tolist() == ["feed", "feed", "tank"]
    assert new.realised_utility is None
    assert "no-outcomes" in [note.id for note in new.notes]


def test_a_column_that_may_hold_the_outcomes_is_named() -> None:
    frame = pl.DataFrame({"found": ["ill", "well", None], "name": ["x", "y", "z"], "p_ill": [0.5, 0.2, 0.9]})
    utilities = {"treat": {"well": -1, "ill": 0}, "wait": {"well": 0, "ill": -9}}
    note = next(n for n in ll.decide(frame, utilities=utilities).notes if n.id == "no-outcomes")
    assert "outcome='found'" in note.text
    assert "'name'" not in note.text
    note = next(n for n in ll.decide(frame.drop("found"), utilities=utilities).notes if n.id == "no-outcomes")
    assert "If there is one" in note.text


@pytest.mark.parametrize("hint", ["name", "values"])
def test_utilities_turned_round_of_rows_without_outcomes(hint: str) -> None:
    turned = pl.DataFrame({"state": ["well", "ill"], "treat": [-2, 0], "wait": [0, -20]})
    frame = {
        "name": pl.DataFrame({"p_ill": [0.19, 0.05]}),
        "values": pl.DataFrame({"p": [0.81, 0.95], "kind": ["ill", "well"]}),
    }[hint]
    result = ll.decide(frame, utilities=turned)
    assert result.chosen.tolist() == ["treat", "wait"]
    assert "utilities-turned" in [note.id for note in result.notes]
    # A column named after a class of the header settles it the other way, whatever else the table holds.
    upright = pl.DataFrame({"action": ["ill", "well"], "treat": [0, -1], "wait": [-1, 0]})
    found = ll.decide(pl.DataFrame({"p_treat": [0.9], "kind": ["ill"]}), utilities=upright)
    assert found.chosen.tolist() == ["ill"]


def test_classes_that_only_the_utilities_name_are_told() -> None:
    costs = {"treat": {"well": -2, "ill": 0}, "wait": {"well": 0, "ill": -20}}
    for column, said in (("p", True), ("p_ill", False)):
        notes = [note.id for note in ll.decide(pl.DataFrame({column: [0.1]}), utilities=costs).notes]
        assert ("classes-of-utilities" in notes) is said


def test_arrays_without_outcomes_take_their_classes_from_utilities() -> None:
    turned = ll.decide(None, [0.19], utilities={0: {"treat": -2, "wait": 0}, 1: {"treat": 0, "wait": -20}})
    assert (turned.chosen.tolist(), turned.threshold) == (["treat"], 1 / 11)
    assert "utilities-turned" in [note.id for note in turned.notes]
    told = ll.decide(
        None, [0.19], utilities={"treat": {"ill": 0, "well": -2}, "wait": {"ill": -20, "well": 0}}
    )
    assert {"classes-of-utilities", "positive-class"} <= {note.id for note in told.notes}
    assert "probability of 'well'" in str(told)  # the greater of both labels: said, not silent


def test_equal_numbers_are_shown_as_equal() -> None:
    result = ll.decide([0, 1], [0.2, 0.8], cost_fp=1, cost_fn=2, recalibrate=False)
    assert "e-1" not in str(result)
    assert "e-1" not in str(
        ll.worth_of_calibration([0, 1], [0.2, 0.8], utilities={"t": {0: -2, 1: 0}, "w": {0: 0, 1: -20}})
    )


def test_forecasts_of_0_that_happened_are_not_called_fine() -> None:
    result = ll.decide([1, 0, 1, 0], [0.0, 1.0, 1.0, 0.0], cost_fp=1, cost_fn=5, recalibrate=False)
    note = next(n for n in result.notes if n.id == "certain-and-wrong")
    assert "2 rows (rows 0, 1)" in note.text
    assert "nothing shows" not in str(result)
    same = ll.decide([1, 0, 1, 0], [0.2, 0.3, 0.4, 0.8], cost_fp=0, cost_fn=5, recalibrate=False)
    assert "expected: 0" not in str(same)  # nothing depends on the forecasts


def test_other_classes_stand_side_by_side_in_the_error() -> None:
    with pytest.raises(ll.UsageError, match="utilities-states") as error:
        ll.decide([0, 1], [0.2, 0.7], utilities={"a": {"ill": 1, "well": 0}, "b": {"ill": 0, "well": 1}})
    assert "'ill', 'well'; the forecasts are of classes 0, 1" in str(error.value)


def test_a_group_decides_the_interval() -> None:
    y, p = ward(600)
    group = np.repeat(np.arange(60), 10)
    rows, groups = (ll.decide(y, p, utilities=WARD, group=g, **OFF) for g in (None, group))
    assert rows.interval != groups.interval
    assert rows.realised_utility == groups.realised_utility


def test_rows_that_do_not_sum_to_one() -> None:
    P = np.array([[0.81, 0.19], [0.5, 0.5]])
    result = ll.decide([0, 1], P * np.array([[1.004], [1.0]]), utilities=WARD, **OFF)
    assert result.expected == pytest.approx([-1.62, -1.0], rel=1e-12)
    assert result.perfect_information == pytest.approx((1.62 + 1.0) / 2, rel=1e-12)
    assert {"rows-not-one", "expected-as-divided"} <= {note.id for note in result.notes}


def test_numbers_of_all_rows_add_up_however_many() -> None:
    y, p = ward(70_000)  # more than one block
    result = ll.decide(y, p, utilities=WARD)
    U = np.array([[-2, 0], [0, -20]])
    assert result.realised_utility == pytest.approx(U[np.where(p >= 1 / 11, 0, 1), y].mean(), rel=1e-12)
    assert result.recalibration is None  # so many take long


def test_missing_forecasts_and_weights_of_zero() -> None:
    p = [0.5, math.nan, 0.01, 0.3]
    with pytest.raises(ll.ForecastError, match="missing"):
        ll.decide(None, p, utilities=WARD)
    result = ll.decide(None, p, utilities=WARD, weight=[1, 1, 2, 0], skip_missing=True)
    assert result.numbers.tolist() == [0, 2]
    assert result.chosen.tolist() == ["treat", "wait"]
    assert result.expected_utility == pytest.approx((-1 + 2 * -0.2) / 3, rel=1e-14)


def test_json_and_screen() -> None:
    y, p = ward(300)
    result = ll.decide(y, p, utilities=THREE, reject=1, **OFF)
    state = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert {"threshold", "actions", "expected_utility", "realised_utility", "cuts", "dominated", "regret", "perfect_information"} <= set(state)  # fmt: skip
    assert state["threshold"] is None
    assert state["actions"] == result.actions
    assert list(state["actions"]) == ["wait", "monitor", "treat", "refer"]
    assert state["dominated"] == list(result.dominated) == []
    assert max(len(line) for line in str(result).splitlines()) <= 130
    assert len(str(result).splitlines()) < 30


def test_hostile_names() -> None:
    utilities = {"<b>\x1b[31m": {0: 1, 1: 0}, "=1+1": {0: 0, 1: 1}}
    result = ll.decide(None, [0.2, 0.7], utilities=utilities)
    assert "\x1b" not in str(result)
    assert result._repr_html_().count("<b>") == 1  # that of the headline
    assert "&lt;b&gt;" in result._repr_html_()
    assert result.chosen.tolist() == ["<b>\x1b[31m", "=1+1"]


@pytest.mark.parametrize(
    ("arguments", "slug"),
    [
        ({}, "no-utilities"),
        ({"utilities": WARD, "cost_fp": 1, "cost_fn": 1}, "no-utilities"),
        ({"cost_fp": 1}, "no-utilities"),
        ({"utilities": WARD, "level": 1.0}, "bad-level"),
        ({"utilities": 3}, "bad-utilities"),
        ({"utilities": WARD, "reject": -1}, "bad-utilities"),
        ({"utilities": WARD, "recalibrate": True, "data": None}, "no-outcomes-to-learn"),
        ({"utilities": WARD, "forecast": {"a": "p"}}, "one-forecast"),
        ({"utilities": WARD, "data": None, "forecast": None}, "no-forecast"),
        ({"cost_fp": 1, "cost_fn": 1, "data": [0, 1, 2], "forecast": np.eye(3)}, "costs-two-classes"),
        (
            {"utilities": {"a": dict.fromkeys(range(3), 1)}, "data": None, "forecast": [0.2]},
            "utilities-states",
        ),
    ],
)
def test_calls_that_do_not_fit_together(arguments: dict[str, Any], slug: str) -> None:
    call = {"data": [0, 1, 1], "forecast": [0.1, 0.8, 0.9]} | arguments
    with pytest.raises(ll.UsageError) as error:
        ll.decide(**call)
    assert error.value.slug == slug
    assert error.value.cure
