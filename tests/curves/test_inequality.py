"""The Lorenz curve of surprise, its Gini coefficient, and who carries half of the loss."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import logloss as ll
from logloss.curves.inequality import curve_of

S5 = np.array([0.1, 0.2, 0.3, 0.4, 3.0])


def test_gini_and_top_share_of_the_worked_example() -> None:
    # By hand: sum (2 i - 6) s_(i) / (5 sum s) = 0.6; 3 of 4 nats on one row.
    found = ll.lorenz([1] * 5, np.exp(-S5), labels=[0, 1])
    assert found.gini == pytest.approx(0.6, rel=1e-12)
    assert found.largest == pytest.approx(0.75, rel=1e-12)
    assert found.half == 1
    assert found.row_share == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    assert found.loss_share == pytest.approx([0, 0.75, 0.85, 0.925, 0.975, 1.0])
    assert found.carried(0.2) == pytest.approx(0.75)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.floats(1e-3, 50), st.integers(1, 4)), min_size=2, max_size=60),
    st.randoms(use_true_random=False),
)
def test_laws_of_the_curve(rows: list[tuple[float, int]], random: object) -> None:
    s, w = np.array([row[0] for row in rows]), np.array([float(row[1]) for row in rows])
    x, y, gini, half, _ = curve_of(s, w)
    plain = np.sort(np.repeat(s, w.astype(int)))  # weights are counts
    n = len(plain)
    assert gini == pytest.approx(
        float((2 * np.arange(1, n + 1) - n - 1) @ plain / (n * plain.sum())), abs=1e-12
    )
    assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)
    assert (np.diff(x) > 0).all()
    assert (y >= x - 1e-12).all()  # the costliest first: above the diagonal
    assert (np.diff(np.diff(y) / np.diff(x)) <= 1e-9 * s.max()).all()  # and concave
    assert curve_of(7 * s, 3 * w)[2] == pytest.approx(gini, abs=1e-12)
    order = np.argsort(np.sin(np.arange(len(s)) * 12.9898))
    assert curve_of(s[order], w[order])[2] == pytest.approx(gini, abs=1e-12)
    cost = np.sort(w * s)[::-1]
    assert cost[:half].sum() >= 0.5 * cost.sum() * (1 - 1e-12)
    assert cost[: half - 1].sum() < 0.5 * cost.sum()


def test_at_most_200_points_each_on_the_curve(rng: np.random.Generator) -> None:
    s, w = rng.exponential(size=5000) ** 3, rng.gamma(2.0, 1.0, 5000)
    x, y, gini, _, _ = curve_of(s, w)
    order = np.argsort(-s)
    X, Y = np.cumsum(w[order]) / w.sum(), np.cumsum((w * s)[order]) / (w @ s)
    assert 150 < len(x) <= 200
    at = np.searchsorted(X, x[1:] - 1e-12)
    assert X[at] == pytest.approx(x[1:], abs=1e-12)
    assert Y[at] == pytest.approx(y[1:], abs=1e-12)
    assert np.diff(y).max() < 0.05  # dense where few rows carry much
    chords = float(np.sum(np.diff(x) * (y[1:] + y[:-1]))) - 1
    assert chords == pytest.approx(gini, abs=1e-3)


def test_half_is_that_of_explain(rng: np.random.Generator) -> None:
    p, w = rng.beta(0.5, 0.5, 500), rng.gamma(1.0, 1.0, 500)
    y = rng.integers(0, 2, 500)
    assert ll.lorenz(y, p, weight=w).half == ll.explain(y, p, weight=w).half


def test_infinite_rows_and_rows_of_weight_zero_are_apart() -> None:
    p, y, w = np.append(np.exp(-S5), [0.0, 0.001]), [1] * 7, [1.0] * 6 + [0.0]
    found = ll.lorenz(y, p, weight=w, labels=[0, 1])
    assert (found.n, found.infinite_rows) == (6, 1)
    assert found.gini == pytest.approx(0.6, rel=1e-12)
    assert "1 row of infinite surprise" in str(found)
    json.dumps(found.to_dict(), allow_nan=False)


def test_equal_rows_and_no_loss() -> None:
    assert ll.lorenz([1, 0, 1], [0.8, 0.2, 0.8]).gini == pytest.approx(0.0, abs=1e-12)
    nothing = ll.lorenz([1, 0], [1.0, 0.0])
    assert (nothing.gini, nothing.half, nothing.largest) == (None, 0, None)
    assert str(nothing).startswith("Nothing is lost")
    assert nothing.frame() == {"row_share": [0.0, 1.0], "loss_share": [0.0, 1.0]}


def test_classes_and_shares(rng: np.random.Generator) -> None:
    P = rng.dirichlet(np.ones(3), 40)
    y = rng.integers(0, 3, 40)
    s = -np.log(P[np.arange(40), y])
    assert ll.lorenz(y, P, labels=[0, 1, 2]).gini == pytest.approx(curve_of(s, np.ones(40))[2], rel=1e-9)
    found = ll.lorenz([0.5, 0.25], [0.5, 0.5])
    assert found.gini == pytest.approx(0.0, abs=1e-12)
    assert math.isclose(found.largest or 0.0, 0.5)
    assert "Half of the loss" in found.show("bits")
