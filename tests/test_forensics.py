"""What looks wrong is said; what is fine is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import logloss as ll


def slugs(result: ll.Score) -> set[str]:
    return {note.id for note in result.notes}


@pytest.fixture
def good(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    p = 1 / (1 + np.exp(-2 * rng.normal(size=400)))
    return (rng.random(400) < p).astype(int), p


def test_a_sound_forecast_gets_no_notes(good: tuple[np.ndarray, np.ndarray]) -> None:
    assert slugs(ll.score(*good)) == set()


def test_a_reversed_forecast(good: tuple[np.ndarray, np.ndarray]) -> None:
    y, p = good
    result = ll.score(y, 1 - p)
    assert "reversed" in slugs(result)
    other = next(note for note in result.notes if note.id == "reversed")
    assert f"{ll.log_loss(y, p):.4f}" in other.text


def test_chance_does_not_look_reversed(rng: np.random.Generator) -> None:
    assert "reversed" not in slugs(ll.score(rng.integers(0, 2, 300), rng.uniform(0.4, 0.6, 300)))


def test_permuted_columns(rng: np.random.Generator) -> None:
    P = rng.dirichlet(np.full(4, 0.3), 600)
    y = np.array([rng.choice(4, p=row) for row in P])
    assert "permuted" not in slugs(ll.score(y, P))
    result = ll.score(y, P[:, [1, 0, 2, 3]])
    text = next(note.text for note in result.notes if note.id == "permuted")
    assert "0 in the column of 1, 1 in the column of 0" in text


def test_the_losses_in_the_reversed_note_are_the_losses(rng: np.random.Generator) -> None:
    p = 1 / (1 + np.exp(-3 * rng.normal(size=400)))
    y, w = (rng.random(400) < p).astype(int), rng.lognormal(size=400)
    result = ll.score(y, 1 - p, weight=w)
    text = next(note.text for note in result.notes if note.id == "reversed")
    assert f"would be {ll.log_loss(y, p, sample_weight=w):.4f} instead of {result.log_loss:.4f}." in text
    q = 1 - p
    q[0] = 1.0 - y[0]
    capped = next(note.text for note in ll.score(y, q).notes if note.id == "reversed")
    assert "impossible rows counted as 40 nats" in capped


@pytest.mark.parametrize(("K", "n"), [(26, 80), (26, 200), (100, 500), (12, 60)])
def test_unrelated_forecasts_are_not_called_permuted(K: int, n: int, rng: np.random.Generator) -> None:
    said = sum(
        "permuted"
        in slugs(ll.score(rng.integers(0, K, n), rng.dirichlet(np.full(K, 0.1), n), labels=range(K)))
        for _ in range(20)
    )
    assert said <= 1


def test_rows_of_weight_zero_say_nothing() -> None:
    p = np.concatenate([[1.0], np.tile([0.7, 0.3], 20)])
    y = np.concatenate([[0], np.tile([1, 0, 1, 0, 0, 1, 1, 0], 5)])
    w = np.ones(41)
    w[0] = 0
    assert slugs(ll.score(y, p, weight=w)) == {"weightless"}


def test_hard_labels(good: tuple[np.ndarray, np.ndarray]) -> None:
    y, p = good
    result = ll.score(y, (p > 0.5).astype(int))
    assert {"hard-labels", "infinite"} <= slugs(result)


def test_duplicate_ids() -> None:
    result = ll.score([1, 0, 1], [0.5, 0.4, 0.6], ids=["a", "b", "a"])
    assert "duplicate-ids" in slugs(result)


@pytest.mark.parametrize(("dtype", "bound"), [("float32", "17.3"), ("float64", "37.4"), ("float16", "8.3")])
def test_a_probability_that_rounded_to_one(dtype: str, bound: str) -> None:
    result = ll.score(np.array([0, 1]), np.array([1 - 1e-20, 0.5], dtype))
    text = next(note.text for note in result.notes if note.id == "rounded-to-one")
    assert f"In {dtype}" in text
    assert f"{bound} nats up" in text


def test_unused_weights_are_mentioned(tmp_path: Any) -> None:
    pd.DataFrame({"y": [1, 0], "p": [0.5, 0.4], "weight": [1, 9]}).to_csv(tmp_path / "f.csv", index=False)
    assert "weights-not-used" in slugs(ll.score(tmp_path / "f.csv"))
    assert "weights-not-used" not in slugs(ll.score(tmp_path / "f.csv", weight="weight"))
