"""Utilities: thresholds and cuts against exact values, the best action against brute force, names and cells that are wrong."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import logloss as ll

WARD = ll.Utilities(("treat", "wait"), ("not severe", "severe"), np.array([[-2.0, 0.0], [0.0, -20.0]]))
THREE = ll.Utilities(
    ("wait", "monitor", "treat"), (0, 1), np.array([[0.0, -20.0], [-0.5, -6.0], [-2.0, 0.0]])
)


@st.composite
def tables(draw: Any, states: int | None = None) -> ll.Utilities:
    """Small whole numbers: ties, dominated and identical actions are frequent, and fractions are exact."""
    A, K = draw(st.integers(1, 6)), states or draw(st.integers(2, 4))
    cells = draw(st.lists(st.integers(-6, 6), min_size=A * K, max_size=A * K))
    values = np.array(cells, float).reshape(A, K)
    return ll.Utilities(tuple(f"a{i}" for i in range(A)), tuple(range(K)), values)


def exact(utilities: ll.Utilities, p: tuple[Fraction, ...]) -> list[Fraction]:
    """Return the expected utility of every action in exact arithmetic."""
    rows = utilities.values.tolist()
    return [sum((Fraction(u) * q for u, q in zip(row, p, strict=True)), Fraction(0)) for row in rows]


def grid(K: int, n: int) -> list[tuple[Fraction, ...]]:
    """Return the probabilities of K states that are multiples of 1/n."""
    return [
        tuple(Fraction(b - a, n) for a, b in itertools.pairwise((0, *cut, n)))
        for cut in itertools.combinations_with_replacement(range(n + 1), K - 1)
    ]


def test_the_threshold_of_the_ward_is_one_in_eleven() -> None:
    assert WARD.threshold == 1 / 11
    assert WARD.cuts() == ((1 / 11,), ("wait", "treat"))
    action, expected = WARD.best([[0.81, 0.19]])
    assert action.tolist() == [0]
    assert expected[0] == pytest.approx(-1.62, rel=1e-15)
    assert WARD.expected(np.array([[0.81, 0.19]]), 1)[0] == pytest.approx(-3.80, rel=1e-15)


def test_the_cuts_of_three_actions() -> None:
    """-20 p = -.5 - 5.5 p at 1/29; -.5 - 5.5 p = -2 + 2 p at 1/5."""
    points, actions = THREE.cuts() or ((), ())
    assert points == (1 / 29, 0.2)
    assert actions == ("wait", "monitor", "treat")
    assert THREE.threshold is None


def test_costs() -> None:
    found = ll.Utilities.of_costs(2, 10)
    assert found.threshold == 2 / 12
    assert found.actions == ("act", "don't act")
    assert found.values.tolist() == [[-2, 0], [0, -10]]


@pytest.mark.parametrize("c", [0.1, 0.3, 0.45])
def test_rejecting_is_chows_rule(c: float) -> None:
    """Chow (1970): under 0-1 loss, refer where max p < 1 - c."""
    two = ll.Utilities(("say 0", "say 1"), (0, 1), np.array([[0.0, -1.0], [-1.0, 0.0]])).with_reject(c)
    p = np.linspace(0, 1, 1001)
    action, _ = two.best(np.stack([1 - p, p], axis=1))
    assert ((action == 2) == (np.maximum(p, 1 - p) < 1 - c - 1e-12)).all()
    three = ll.Utilities(("a", "b", "c"), (0, 1, 2), np.eye(3) - 1).with_reject(c)
    P = np.random.default_rng(1).dirichlet([1, 1, 1], 500)
    assert ((three.best(P)[0] == 3) == (P.max(axis=1) < 1 - c)).all()


def test_at_the_threshold_the_action_listed_first_is_taken() -> None:
    """Whichever it is, and though 10/11 * 2 and 1/11 * 20 are not the same number in floating point."""
    for utilities in (WARD, ll.Utilities(WARD.actions[::-1], WARD.states, WARD.values[::-1])):
        p = utilities.threshold
        assert p is not None
        action, _ = utilities.best([[1 - p, p]])
        assert action.tolist() == [0]


@settings(max_examples=150, deadline=None)
@given(tables())
def test_the_best_action_is_that_of_brute_force(utilities: ll.Utilities) -> None:
    beaten = {name for name, _ in utilities.dominated}
    points = grid(len(utilities.states), 8)
    action, expected = utilities.best(np.array([[float(q) for q in p] for p in points]))
    for p, a, value in zip(points, action, expected, strict=True):
        every = exact(utilities, p)
        first = next(
            i for i, one in enumerate(every) if one == max(every) and utilities.actions[i] not in beaten
        )
        assert a == first
        assert value == pytest.approx(float(max(every)), abs=1e-14)


@settings(max_examples=150, deadline=None)
@given(tables(states=2))
def test_cuts_are_where_the_best_action_changes(utilities: ll.Utilities) -> None:
    points, actions = utilities.cuts() or ((), ())
    assert list(points) == sorted(set(points))
    assert len(actions) == len(points) + 1
    edges = [Fraction(0), *(Fraction(p).limit_denominator(1000) for p in points), Fraction(1)]
    copies = {a for a, _ in utilities.alike}
    for low, high, name in zip(edges[:-1], edges[1:], actions, strict=True):
        middle = (low + high) / 2
        every = dict(zip(utilities.actions, exact(utilities, (1 - middle, middle)), strict=True))
        assert [a for a, v in every.items() if v == max(every.values()) and a not in copies] == [name]


@settings(max_examples=100, deadline=None)
@given(tables())
def test_every_action_is_dominated_alike_idle_or_alone_best_somewhere(utilities: ll.Utilities) -> None:
    """What is alone best somewhere on a grid is not called idle; of two states, what is not called idle has its stretch."""
    idle = {*utilities.never_best, *(a for a, _ in utilities.dominated), *(a for a, _ in utilities.alike)}
    alone = set()
    for p in grid(len(utilities.states), 12):
        every = exact(utilities, p)
        best = [name for name, v in zip(utilities.actions, every, strict=True) if v == max(every)]
        alone |= {best[0]} if len(best) == 1 else set()
    assert not alone & idle
    if len(utilities.states) == 2:
        assert {*(utilities.cuts() or ((), ()))[1]} == set(utilities.actions) - idle


@settings(max_examples=60, deadline=None)
@given(tables(), st.randoms(use_true_random=False), st.integers(-50, 50))
def test_the_order_of_states_and_what_all_actions_share_change_nothing(
    utilities: ll.Utilities, random: Any, shift: int
) -> None:
    K = len(utilities.states)
    P = np.array([[float(q) for q in p] for p in grid(K, 6)])
    order = random.sample(range(K), K)
    moved = ll.Utilities(utilities.actions, tuple(order), (utilities.values + shift * np.arange(K))[:, order])
    assert moved.for_classes(range(K)).best(P)[0].tolist() == utilities.best(P)[0].tolist()
    assert moved.best(P[:, order])[0].tolist() == utilities.best(P)[0].tolist()
    assert moved.dominated == utilities.dominated


def test_an_action_inside_the_hull_of_three_states() -> None:
    """c is beaten by half a and half b, by neither alone."""
    values = [[1, 0, 0.0], [0, 1, 0], [0.4, 0.4, -0.5]]
    found = ll.Utilities(("a", "b", "c"), (0, 1, 2), np.array(values))
    assert found.dominated == ()
    assert found.never_best == ("c",)
    assert [note.id for note in found.notes()] == ["never-best-actions"]
    wider = ll.Utilities(("a", "b", "c", "d"), (0, 1, 2), np.array([*values, [0.4, 0.4, 0.7]]))
    assert wider.dominated == (("c", "d"),)
    assert wider.never_best == ()


@pytest.mark.parametrize(("worth", "idle"), [(0.34, ()), (0.33, ("refer",))])
def test_a_narrow_lead_at_the_centre_is_one(worth: float, idle: tuple[str, ...]) -> None:
    """Under equal chances each of three guesses is right in a third."""
    guesses = ll.Utilities(("a", "b", "c"), (0, 1, 2), np.eye(3))
    found = ll.Utilities((*guesses.actions, "refer"), (0, 1, 2), np.vstack([np.eye(3), np.full(3, worth)]))
    assert found.never_best == idle
    assert found.best([[1 / 3, 1 / 3, 1 / 3]])[0].tolist() == [0 if idle else 3]


def test_dominated_and_alike() -> None:
    found = ll.Utilities(
        ("good", "bad", "same", "worse"), (0, 1), np.array([[1, 2.0], [1, 1], [1, 2], [0, 0]])
    )
    assert found.dominated == (("bad", "good"), ("worse", "good"))
    assert found.alike == (("same", "good"),)
    assert [note.id for note in found.notes()] == ["dominated-actions", "actions-alike"]
    assert found.best([[1, 0], [0.5, 0.5]])[0].tolist() == [0, 0]
    assert found.cuts() == ((), ("good",))
    assert found.threshold is None


def test_large_utilities_that_all_actions_share_hide_nothing() -> None:
    """With 1e9 added in one state, the sum of p U would lose the digits that tell the actions apart."""
    shifted = ll.Utilities(WARD.actions, WARD.states, WARD.values + np.array([0.0, 1e9]))
    p = np.array([1 / 11 - 1e-12, 1 / 11 + 1e-12])
    assert shifted.best(np.stack([1 - p, p], axis=1))[0].tolist() == [1, 0]


def test_values_cannot_be_changed() -> None:
    cells = np.zeros((2, 2))
    cells[0] = 1
    found = ll.Utilities(("a", "b"), (0, 1), cells)
    cells[0] = -1
    assert found.values[0].tolist() == [1, 1]
    with pytest.raises(ValueError, match="read-only"):
        found.values[0] = 3


@pytest.mark.parametrize(
    ("actions", "states", "values", "told"),
    [
        (("a", "a"), (0, 1), [[0, 1], [1, 0]], "'a'"),
        (("a", " a"), (0, 1), [[0, 1], [1, 0]], "more than once"),
        (("a", " "), (0, 1), [[0, 1], [1, 0]], "action 2 of 2"),
        ((), (0, 1), np.zeros((0, 2)), "no actions"),
        (("a", "b"), (0, "0"), [[0, 1], [1, 0]], "'0'"),
        (("a", "b"), (0,), [[0], [1]], "1 state"),
        (("a", "b"), (0, 1), [[0, 1]], "shape"),
        (("a", "b"), (0, 1), [[0, math.nan], [1, 0]], "'a' in 1: missing"),
        (("a", "b"), (0, 1), [[0, -math.inf], [1, 0]], "-inf"),
        (("a", "b"), (0, 1), [[0, "x"], [1, 0]], "table of numbers"),
    ],
)
def test_tables_that_say_too_little(actions: Any, states: Any, values: Any, told: str) -> None:
    with pytest.raises(ll.UsageError, match=r"bad-utilities") as error:
        ll.Utilities(actions, states, values)
    assert told in str(error.value)


@pytest.mark.parametrize("P", [[[0.2, 0.3, 0.5]], [[0.0, 0.0]], [[-0.1, 1.1]], [[math.nan, 1.0]], [0.5]])
def test_what_is_no_distribution(P: Any) -> None:
    with pytest.raises(ll.LoglossError):
        WARD.best(P)


@pytest.mark.parametrize("cost", [-1, math.nan, math.inf, True])
def test_costs_that_are_none(cost: Any) -> None:
    with pytest.raises(ll.UsageError, match="bad-utilities"):
        ll.Utilities.of_costs(cost, 10)
    with pytest.raises(ll.UsageError, match="bad-utilities"):
        WARD.with_reject(cost)


def test_costs_of_nothing() -> None:
    with pytest.raises(ll.UsageError, match="nothing depends"):
        ll.Utilities.of_costs(0, 0)
