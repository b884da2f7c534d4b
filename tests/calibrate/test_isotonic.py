"""Isotonic regression: the min-max formula, pooling of ties, weights, and that it beats every monotone map."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logloss.calibrate.isotonic import isotonic, pool


def min_max(share: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the isotonic fit by its definition: the largest over starts of the smallest over ends of block means."""
    k = len(share)

    def mean(a: int, b: int) -> float:
        return float((weight * share)[a : b + 1].sum() / weight[a : b + 1].sum())

    return np.array([max(min(mean(a, b) for b in range(i, k)) for a in range(i + 1)) for i in range(k)])


# Few distinct forecasts, so that there are ties; weights of 0 among them.
ROWS = st.lists(
    st.tuples(st.integers(-3, 3), st.sampled_from([0.0, 0.25, 1.0]), st.integers(0, 4)),
    min_size=1,
    max_size=25,
)


def columns(rows: list[tuple[int, float, int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    at, share, weight = (np.array(column, float) for column in zip(*rows, strict=True))
    return at, share, weight


def test_the_worked_fit() -> None:
    # PAV of (0, 0, 1, 0, 1, 1): 0, 0, 1/2, 1/2, 1, 1 (exact arithmetic).
    pooled = pool(np.array([0.1, 0.2, 0.3, 0.6, 0.8, 0.9]), np.array([0.0, 0, 1, 0, 1, 1]))
    assert isotonic(pooled) == pytest.approx([0, 0, 0.5, 0.5, 1, 1], abs=1e-15)


@given(ROWS)
@settings(max_examples=80, deadline=None)
def test_it_is_the_min_max_formula_of_pooled_rows(rows: list[tuple[int, float, int]]) -> None:
    at, share, weight = columns(rows)
    pooled = pool(at, share, weight)
    levels = sorted({a for a, _, w in rows if w > 0})
    assert pooled.at.tolist() == levels
    for level, mass, mean in zip(pooled.at, pooled.weight, pooled.share, strict=True):
        assert mass == weight[at == level].sum()
        assert mean == pytest.approx((weight * share)[at == level].sum() / mass, abs=1e-14)
    assert isotonic(pooled) == pytest.approx(min_max(pooled.share, pooled.weight), abs=1e-12)


@given(ROWS)
@settings(max_examples=60, deadline=None)
def test_weights_are_repeated_rows(rows: list[tuple[int, float, int]]) -> None:
    at, share, weight = columns(rows)
    times = weight.astype(int)
    repeated = pool(np.repeat(at, times), np.repeat(share, times))
    weighted = pool(at, share, weight)
    assert repeated.at.tolist() == weighted.at.tolist()
    assert repeated.weight.tolist() == weighted.weight.tolist()
    assert isotonic(repeated) == pytest.approx(isotonic(weighted), abs=1e-12)


def test_certain_forecasts_are_levels_like_others() -> None:
    pooled = pool(np.array([np.inf, -np.inf, 0.0, -np.inf]), np.array([1.0, 0.0, 1.0, 1.0]))
    assert pooled.at.tolist() == [-np.inf, 0.0, np.inf]
    assert isotonic(pooled) == pytest.approx([0.5, 1, 1])


def test_no_rows_have_no_fit() -> None:
    assert len(isotonic(pool(np.zeros(2), np.ones(2), np.zeros(2)))) == 0
