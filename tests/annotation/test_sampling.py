"""Which rows to label next: probabilities, draws, and the weights that undo sequential draws."""

from __future__ import annotations

import csv
import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import logloss as ll
from logloss.annotation.sampling import draw, mixture

Q, S = (0.1, 0.3, 0.2, 0.25, 0.15), (0.3, 2.0, 0.1, 1.0, 5.0)


def steps(order: tuple[int, ...]) -> list[float]:
    """Return the probability of each draw among the rows left."""
    left, found = 1.0, []
    for row in order:
        found.append(Q[row] / left)
        left -= Q[row]
    return found


def test_lure_weights_of_the_worked_example() -> None:
    # Rows 5, 2, 4 of five; 60-digit arithmetic.
    weights = ll.lure_weights(steps((4, 1, 3)), 5)
    assert weights == pytest.approx([1.1666666666666667, 0.80555555555555556, 0.73333333333333333], rel=1e-13)
    assert (weights * [5.0, 2.0, 1.0]).mean() == pytest.approx(2.7259259259259259, rel=1e-13)


@pytest.mark.parametrize("drawn", [1, 2, 3, 4, 5])
def test_lure_is_unbiased_over_all_orders(drawn: int) -> None:
    """Farquhar et al. (2021), theorem 1: the expectation over all ordered draws is the mean of all rows, 1.68."""
    expected = 0.0
    for order in itertools.permutations(range(5), drawn):
        q = steps(order)
        expected += math.prod(q) * float((ll.lure_weights(q, 5) * [S[row] for row in order]).mean())
    assert expected == pytest.approx(1.68, rel=1e-12)


@pytest.mark.parametrize(
    ("q", "rows"), [([0.2, 0.0], 5), ([1.2], 5), ([float("nan")], 5), ([0.5, 0.5, 1.0], 2)]
)
def test_lure_refuses_what_is_no_draw(q: list[float], rows: int) -> None:
    with pytest.raises(ll.WeightError) as caught:
        ll.lure_weights(q, rows)
    assert caught.value.slug == "bad-inclusion"


@given(st.lists(st.floats(0, 50), min_size=2, max_size=40), st.data())
def test_the_mixture_adds_up_and_has_a_floor(deviation: list[float], data: st.DataObject) -> None:
    sd = np.array(deviation)
    m = data.draw(st.integers(1, len(sd)))
    pi = mixture(sd, m)
    assert pi.sum() == pytest.approx(m, rel=1e-9)
    assert (pi <= 1).all()
    assert (pi >= 0.5 * m / len(sd) * (1 - 1e-9)).all()  # so no row's variance more than doubles
    assert (np.diff(pi[np.argsort(sd, kind="stable")]) >= -1e-12).all()


def test_the_mixture_of_two_kinds_of_rows() -> None:
    # mean sd 1: sizes 0.5 and 1.5, in sum 10; 2 draws.
    assert mixture(np.repeat([0.0, 2.0], 5), 2) == pytest.approx(np.repeat([0.1, 0.3], 5), rel=1e-14)
    assert mixture(np.array([0.0, 0.0, 9.0]), 2) == pytest.approx([0.5, 0.5, 1.0], rel=1e-14)
    assert mixture(np.zeros(4), 1) == pytest.approx(np.full(4, 0.25))


@pytest.mark.parametrize("design", ["random", "active"])
def test_rows_come_up_as_often_as_recorded(design: str) -> None:
    sd = np.array([0.0, 0.1, 0.5, 1.0, 2.0, 3.0])
    free = np.array([True, True, False, True, True, True])
    counts, rounds = np.zeros(6), 4000
    for seed in range(rounds):
        at, chance = draw(sd, free, 2, design, seed)
        counts[at] += 1
    assert counts[2] == 0
    error = np.sqrt(chance * (1 - chance) / rounds)
    assert (np.abs(counts / rounds - chance)[free] < 4.5 * error[free] + 1e-9).all()
    assert chance[free].sum() == pytest.approx(2.0, rel=1e-12)
    assert chance[2] > 0  # what it would have had


def example(labelled: int = 40, rows: int = 200) -> ll.Estimate:
    rng = np.random.default_rng(5)
    p = rng.random(rows)
    y = (rng.random(rows) < p).astype(float)
    y[labelled:] = np.nan
    return ll.estimate(y, p, ids=[f"r{i}" for i in range(rows)])


def test_the_next_rows_are_unlabelled_and_the_same_for_a_seed() -> None:
    estimate = example()
    for design in ("random", "active"):
        a, b = estimate.next_rows(20, seed=3, design=design), estimate.next_rows(20, seed=3, design=design)
        assert a.rows == b.rows
        assert min(a.rows) >= 40
        assert a.ids == tuple(f"r{row}" for row in a.rows)
        assert estimate.next_rows(20, seed=4, design=design).rows != a.rows
    assert len(estimate.next_rows(20).rows) == 20
    assert len(estimate.next_rows(160).rows) == 160


def test_the_probability_of_either_draw() -> None:
    estimate = example()
    both = estimate.next_rows(20)
    assert both.inclusion == pytest.approx(np.full(200, 60 / 200), rel=1e-12)
    active = estimate.next_rows(20, design="active")
    # A row missed by the first draw (40 of 200) comes in by the second: the rest of the total over 160 rows is 20.
    second = (active.inclusion - 0.2) / 0.8
    assert second[40:].sum() == pytest.approx(20, rel=1e-9)
    assert active.inclusion.min() > 0.2


def test_a_second_unequal_draw_needs_all_probabilities() -> None:
    y, p = [1, 0, None, None, 1], [0.8, 0.3, 0.4, 0.9, 0.6]
    partly = ll.estimate(y, p, inclusion=[0.5, 0.4, np.nan, np.nan, 0.6])
    with pytest.raises(ll.UsageError) as caught:
        partly.next_rows(1)
    assert caught.value.slug == "inclusion-in-part"
    known = ll.estimate(y, p, inclusion=[0.5, 0.4, 0.4, 0.2, 0.6]).next_rows(1)
    assert known.inclusion == pytest.approx([0.75, 0.7, 0.7, 0.6, 0.8], rel=1e-12)


def test_two_draws_together_are_nearly_unbiased() -> None:
    """60 rows at random, then 60 by the mixture; the estimate uses the probabilities that the selection recorded."""
    rng = np.random.default_rng(11)
    z = rng.normal(-1, 2, 1000)
    y = (rng.random(1000) < 1 / (1 + np.exp(-z))).astype(float)
    p = 1 / (1 + np.exp(-1.6 * z))
    truth, found = ll.log_loss(y, p), []
    for seed in range(150):
        known = np.full(1000, np.nan)
        first = rng.choice(1000, 60, replace=False)
        known[first] = y[first]
        chosen = ll.estimate(known, p).next_rows(60, seed=seed, design="active")
        known[list(chosen.rows)] = y[list(chosen.rows)]
        found.append(ll.estimate(known, p, inclusion=chosen.inclusion).log_loss)
    assert abs(np.mean(found) - truth) < 3.5 * np.std(found) / math.sqrt(150)


def test_the_file_of_rows_to_label(tmp_path) -> None:
    estimate = example()
    chosen = estimate.next_rows(5, seed=1)
    path = tmp_path / "todo.csv"
    chosen.save(path)
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    assert list(rows[0]) == ["row", "id", "inclusion", "outcome"]
    assert [int(row["row"]) for row in rows[:5]] == list(chosen.rows)
    assert [row["outcome"] for row in rows[:5]] == [""] * 5
    assert {row["outcome"] for row in rows[5:]} == {"0", "1"}
    assert len(rows) == 45
    assert [float(row["inclusion"]) for row in rows] == [45 / 200] * 45
    with pytest.raises(ll.SourceError) as caught:
        chosen.save(path)
    assert caught.value.slug == "would-overwrite"
    with pytest.raises(ll.SourceError) as caught:
        chosen.save(tmp_path / "none" / "todo.csv")
    assert caught.value.slug == "cannot-write"
    assert [entry.name for entry in tmp_path.iterdir()] == ["todo.csv"]


def test_a_selection_prints_without_control_characters() -> None:
    chosen = ll.estimate(
        [1, None, 0, None], [0.8, 0.3, 0.2, 0.9], ids=["a", "\x1b[31m<b>", "c", "d"]
    ).next_rows(2)
    assert "\x1b" not in str(chosen)
    assert "<b>" not in chosen._repr_html_()
    assert chosen.to_dict()["rows"][0] == {"row": 1, "id": "\x1b[31m<b>", "inclusion": 1.0}


@pytest.mark.parametrize(
    ("m", "design", "slug"),
    [(0, "random", "bad-next"), (161, "active", "bad-next"), (5, "hard", "unknown-design")],
)
def test_selections_that_cannot_be(m: int, design: str, slug: str) -> None:
    with pytest.raises(ll.UsageError) as caught:
        example().next_rows(m, design=design)
    assert caught.value.slug == slug
