"""Rows that are copies of one another are noticed; rounded forecasts are not."""

from __future__ import annotations

import numpy as np
import pytest

import logloss as ll

FAST = ["temperature", "isotonic"]


def rows(n: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(3)
    z = random.normal(0, 1.5, n)
    return (random.random(n) < 1 / (1 + np.exp(-z))).astype(int), 1 / (1 + np.exp(-z))


def ids(result: ll.Fix) -> list[str]:
    return [note.id for note in result.notes]


@pytest.mark.parametrize("K", [2, 3])
def test_copies_are_noticed_unless_they_are_one_group(K: int) -> None:
    y, p = rows(100)
    P = p if K == 2 else np.column_stack([0.8 * (1 - p), 0.8 * p, np.full(100, 0.2)])
    options = {"maps": "temperature", "labels": list(range(K))}
    y10, P10 = np.tile(y, 10), np.tile(P, (10,) if K == 2 else (10, 1))
    assert "copied-rows" in ids(ll.fix(y10, P10, **options))
    assert "copied-rows" not in ids(ll.fix(y10, P10, group=np.tile(np.arange(100), 10), **options))
    assert "copied-rows" not in ids(ll.fix(y, P, **options))


def test_rounded_forecasts_are_no_copies() -> None:
    y, p = rows(2000)
    assert "copied-rows" not in ids(ll.fix(y, p.round(2), maps=FAST))
    assert "copied-rows" not in ids(ll.fix(y, np.full(2000, 0.5), maps=FAST))
