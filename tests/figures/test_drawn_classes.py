"""Figures of several classes, and of how few rows bring a difference."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from artists import drawn, names, points, words

import logloss as ll


@pytest.fixture(autouse=True)
def _closed() -> object:
    yield
    plt.close("all")


# Three dogs, two cats, one eel; the surprises of the truth are log 2 and log 4, of the eel infinite.
Y = ["dog", "dog", "dog", "cat", "cat", "eel"]
P = np.array([[0.25, 0.5, 0.25], [0.25, 0.5, 0.25], [0.5, 0.25, 0.25], [0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.5, 0.5, 0.0]])  # fmt: skip


def explained() -> ll.Explanation:
    return ll.explain(Y, P, labels=["cat", "dog", "eel"])


def test_classes_share_out_rows_and_finite_loss() -> None:
    found = explained()
    ax = found.plot(kind="classes")
    assert names(ax) == ["eel", "dog", "cat"]  # the infinite one first, then by loss
    # dog: 1 + 1 + 2 doubts of log 2, cat: 1 + 2; of seven.
    assert [bar.get_width() for bar in drawn(ax, "loss")] == pytest.approx([0, 400 / 7, 300 / 7])
    assert [bar.get_width() for bar in drawn(ax, "rows")] == pytest.approx([100 / 6, 50, 100 / 3])
    assert "Infinite, and first here: eel." in words(ax)
    assert "dog 57.1 % of the loss on 50.0 % of the rows" in found.alt("classes")
    assert found.frame("classes")["class"] == ["cat", "dog", "eel"]


def test_confusions_are_those_whose_first_choice_was_wrong() -> None:
    found = explained()
    ax = found.plot(kind="confusions")
    assert names(ax)[0].startswith("eel, said ")
    assert set(names(ax)[1:]) == {"dog, said cat", "cat, said dog"}
    assert [bar.get_width() for bar in drawn(ax, "loss")] == pytest.approx([0, 200 / 7, 200 / 7])
    assert "whose first choice was right carry 42.9 % of the loss" in words(ax)
    assert "1 infinite" in found.alt("confusions")
    assert found.frame("confusions")["rows"] == [1.0, 1.0, 1.0]


def test_two_classes_have_neither_and_right_ones_no_confusions() -> None:
    assert not {"classes", "confusions"} & set(ll.explain([0, 1, 1], [0.2, 0.4, 0.9]).kinds)
    right = ll.explain([0, 1, 2], np.eye(3) * 0.4 + 0.2)
    assert "classes" in right.kinds
    assert "confusions" not in right.kinds


def test_no_more_than_twelve_are_drawn_and_the_others_told() -> None:
    y = np.repeat(np.arange(15), 4)
    p = np.full((60, 15), 0.5 / 14)
    p[np.arange(60), (y + (np.arange(60) % 4 == 0)) % 15] = 0.5
    found = ll.explain(y, p)
    ax = found.plot(kind="classes")
    assert len(names(ax)) == 12
    assert "The first 12 of 15 classes; the others carry 20.0 % of the loss." in words(ax)
    assert "The first 12 of 15 pairs" in words(found.plot(kind="confusions"))


def test_few_rows_that_bring_a_difference_are_counted_by_hand() -> None:
    # b less a, in units of log 2: 3, -2, -1, 1, 1 and zeros; sorted by size 3, 1, 0 (, then +1 +1: 2 in all).
    d = np.array([3, -2, -1, 1, 1, 0, 0, 0, 0, 0])
    a = np.full(10, 0.5**3)
    found = ll.compare(np.ones(10, int), {"a": a, "b": a * 0.5**d}, labels=[0, 1])
    few = found.pairs[0].concentration
    assert few is not None
    assert found.pairs[0].a == "a"
    assert (few.half, few.turns) == (1, 1)
    sums = dict(zip(few.rows, few.brought, strict=True))
    assert sums[1] == pytest.approx(-0.3 * np.log(2))
    assert few.brought[-1] == pytest.approx(-0.2 * np.log(2))
    assert few.brought[-1] == found.pairs[0].difference
    assert found.pair("b", "a").concentration.brought[0] == -few.brought[0]
    x, y = points(found.plot(kind="rows"), "brought")
    assert (x, y) == ([float(row) for row in few.rows], list(few.brought))
    assert "Half of the difference" in found.alt("rows")


def test_a_difference_that_never_turns_is_told_so() -> None:
    y = np.ones(12, int)
    found = ll.compare(y, {"a": np.full(12, 0.6), "b": np.linspace(0.3, 0.5, 12)}, labels=[0, 1])
    few = found.pairs[0].concentration
    assert few is not None
    assert few.turns is None
    assert "never says the opposite" in found.alt("rows")
    assert not drawn(found.plot(kind="rows"), "turns")


def test_no_concentration_where_the_difference_is_infinite_or_none() -> None:
    y = np.array([1, 0, 1, 0])
    a = np.array([0.5, 0.4, 0.7, 0.2])
    same = ll.compare(y, {"a": a, "b": a.copy()})
    lost = ll.compare(y, {"a": a, "b": np.array([0.0, 0.4, 0.7, 0.2])})
    for found in (same, lost):
        assert found.pairs[0].concentration is None
        assert "rows" not in found.kinds
