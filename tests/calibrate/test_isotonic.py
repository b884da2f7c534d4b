"""Isotonic regression: the min-max formula, pooling of ties, weights, and that it beats every monotone map."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logloss import kernels
from logloss.calibrate import isotonic as module
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


@given(ROWS, st.booleans(), st.booleans())
@settings(max_examples=120, deadline=None)
def test_the_compiled_pool_is_the_same(
    rows: list[tuple[int, float, int]], hard: bool, weighted: bool
) -> None:
    at, share, weight = columns(rows)
    if hard:
        share = np.round(share)
    given_weight = weight if weighted else None if rows[0][0] else np.full(len(at), 0.5)
    simple = pool(at, share, given_weight)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "COMPILE_FROM", 0)
        compiled = pool(at, share, given_weight)
    assert compiled.at.tolist() == simple.at.tolist()
    assert compiled.weight.tolist() == simple.weight.tolist()
    assert compiled.share == pytest.approx(simple.share, abs=1e-14)


@pytest.mark.parametrize("digits", [2, 20])
@pytest.mark.parametrize("hard", [True, False])
def test_many_rows_in_any_order(digits: int, hard: bool, rng: np.random.Generator) -> None:
    n = kernels.COMPILE_FROM + 5
    at = np.round(rng.normal(size=n), digits)
    at[:3] = np.inf, -np.inf, -0.0
    share = (rng.random(n) < 0.3) * 1.0 if hard else rng.random(n)
    pooled = pool(at, share)
    assert pooled.at.tolist() == np.unique(at).tolist()
    assert pooled.weight.tolist() == np.unique(at, return_counts=True)[1].tolist()
    assert pooled.weight @ pooled.share == pytest.approx(share.sum(), rel=1e-13)
    turn = rng.permutation(n)
    again = pool(at[turn], share[turn])
    assert isotonic(again) == pytest.approx(isotonic(pooled), abs=1e-12)
