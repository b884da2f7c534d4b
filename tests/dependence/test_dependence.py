"""Groups, times and folds as a user names them: which rule, how many, and what is said where there is none."""

from __future__ import annotations

import numpy as np
import pytest

import logloss as ll
from logloss.dependence.folded import of_folds
from logloss.dependence.series import of_series
from logloss.interval import of_clusters, of_rows

N = 240
BLOCK = np.repeat(np.arange(24), 10)


@pytest.fixture
def rows(rng: np.random.Generator) -> tuple[np.ndarray, dict[str, np.ndarray], np.ndarray]:
    """Return outcomes, two forecasts, and the difference of their surprises, row by row."""
    z = rng.normal(0, 1.5, N)
    y = rng.random(N) < 1 / (1 + np.exp(-z))
    p = {name: 1 / (1 + np.exp(-z - rng.normal(0, 0.6, 24)[BLOCK])) for name in ("a", "b")}
    surprise = {name: -np.log(np.where(y, given, 1 - given)) for name, given in p.items()}
    return y, p, surprise["a"] - surprise["b"]


def test_each_word_has_its_rule(rows: tuple[np.ndarray, dict[str, np.ndarray], np.ndarray]) -> None:
    y, p, d = rows
    ones = np.ones(N)
    time, fold = np.arange(N)[::-1], np.arange(N) % 10
    for said, expected, units in (
        ({}, of_rows(d, ones), (N, "row")),
        ({"group": BLOCK}, of_clusters(d, ones, BLOCK), (24, "group")),
        ({"time": time}, of_series(d, ones, time), (N, "point in time")),
        ({"time": BLOCK}, of_series(d, ones, BLOCK), (24, "point in time")),
        ({"fold": fold, "target": "algorithm"}, of_folds(d, ones, fold), (10, "fold")),
        ({"fold": fold, "target": "models"}, of_rows(d, ones), (N, "row")),
        ({"fold": fold}, of_folds(d, ones, fold), (10, "fold")),
        ({"fold": time}, of_rows(d, ones), (N, "row")),  # each row a fold of its own
    ):
        found = ll.compare(y, p, **said)
        pair = found.pairs[0]
        sign = 1.0 if pair.a == "a" else -1.0
        low, high = sorted((sign * expected.low, sign * expected.high))
        assert pair.interval == pytest.approx((low, high), rel=1e-9)
        assert pair.p_value == pytest.approx(expected.p_value, rel=1e-6)
        assert (found.units, found.unit) == units


def test_points_in_time_on_screen(rows: tuple[np.ndarray, dict[str, np.ndarray], np.ndarray]) -> None:
    y, p, _ = rows
    shown = str(ll.compare(y, p, time=BLOCK))
    assert "in 24 points in time" in shown
    assert "point in times" not in shown


def test_more_folds_settle_nothing(rows: tuple[np.ndarray, dict[str, np.ndarray], np.ndarray]) -> None:
    y, p, _ = rows
    found = ll.compare(y, p, fold=np.arange(N) % 5, target="algorithm")
    assert found.pairs[0].needed is None
    assert "would settle" not in str(found)
    assert ll.compare(y, p, group=BLOCK).pairs[0].needed is not None


def test_a_test_that_cannot_be_made_is_told() -> None:
    y = np.ones(20, dtype=int)
    a = np.resize(
        [0.9, 0.5], 20
    )  # the difference alternates: its variance less twice its covariance is negative
    found = ll.compare(
        np.append(y, 0), {"a": np.append(a, 0.4), "b": np.full(21, 0.7)}, time=np.arange(21), horizon=2
    )
    assert "diebold_mariano" not in found.pairs[0].beside
    told = {note.id: note.text for note in found.notes}
    assert "not positive" in told["no-diebold-mariano"]
    assert found.pairs[0].interval is not None
    kept = ll.compare(np.append(y, 0), {"a": np.append(a, 0.4), "b": np.full(21, 0.7)}, time=np.arange(21))
    assert "diebold_mariano" in kept.pairs[0].beside
    assert "no-diebold-mariano" not in {note.id for note in kept.notes}


def test_few_points_in_time() -> None:
    y, p = np.array([1, 0, 1, 1, 0]), {"a": [0.9, 0.2, 0.7, 0.6, 0.3], "b": [0.8, 0.4, 0.6, 0.7, 0.4]}
    found = ll.compare(y, p, time=[1, 2, 3, 4, 5])
    assert found.pairs[0].interval is None
    assert found.pairs[0].verdict == "undefined"
    assert "no-interval-in-time" in {note.id for note in found.notes}
    few = ll.compare(y, p, group=["x", "y", "x", "z", "y"])
    assert "few-groups" in {note.id for note in few.notes}


def test_rows_alike_in_the_order_of_the_table(rng: np.random.Generator) -> None:
    z = rng.normal(size=900)
    y = rng.random(900) < 1 / (1 + np.exp(-z))
    drift = np.convolve(rng.normal(0, 0.3, 939), np.ones(40), mode="valid")
    p = {"a": 1 / (1 + np.exp(-z)), "b": 1 / (1 + np.exp(-z - drift))}
    assert "neighbours-alike" in {note.id for note in ll.compare(y, p).notes}
    assert "neighbours-alike" not in {note.id for note in ll.compare(y, p, time=np.arange(900)).notes}
    mixed = rng.permutation(900)
    shuffled = ll.compare(y[mixed], {name: given[mixed] for name, given in p.items()})
    assert "neighbours-alike" not in {note.id for note in shuffled.notes}
