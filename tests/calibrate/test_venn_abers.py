"""Inductive Venn-Abers: against isotonic regression refitted with each new row as a 0 and as a 1."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logloss.calibrate import venn_abers
from logloss.calibrate.isotonic import isotonic, pool
from logloss.calibrate.venn_abers import fit_venn_abers


def refitted(s: np.ndarray, share: np.ndarray, weight: np.ndarray, query: float) -> tuple[float, float]:
    """Return p0 and p1 by their definition: a row of weight 1 is added at the query, once as a 0 and once as a 1."""
    found = []
    for outcome in (0.0, 1.0):
        pooled = pool(np.append(s, query), np.append(share, outcome), np.append(weight, 1.0))
        found.append(float(isotonic(pooled)[np.searchsorted(pooled.at, query)]))
    return found[0], found[1]


# Vovk, Petej, Fedorova (2015); values by exact arithmetic for y = (0, 0, 1, 0, 1, 1).
WORKED = [(0.25, 0, 2 / 3, 0.4), (0.3, 1 / 3, 2 / 3, 0.5), (0.7, 1 / 3, 1, 0.6), (0.95, 2 / 3, 1, 0.75)]


@pytest.mark.parametrize(("query", "low", "high", "p"), WORKED)
def test_worked_values(query: float, low: float, high: float, p: float) -> None:
    fitted = fit_venn_abers(
        np.array([0.1, 0.2, 0.3, 0.6, 0.8, 0.9]), np.array([0.0, 0, 1, 0, 1, 1]), np.ones(6)
    )
    p0, p1 = fitted.bounds(np.array([query]))
    assert (p0[0], p1[0]) == pytest.approx((low, high), abs=1e-15)
    odds = fitted(np.array([[query]]))
    assert odds.shape == (1, 1)
    assert odds[0, 0] == pytest.approx(np.log(p) - np.log1p(-p), abs=1e-14)


@given(
    st.lists(
        st.tuples(
            st.integers(-3, 3), st.sampled_from([0.0, 0.3, 1.0]), st.sampled_from([0.0, 0.5, 1.0, 2.7])
        ),
        min_size=1,
        max_size=20,
    ).filter(lambda rows: any(w > 0 for _, _, w in rows))
)
@settings(max_examples=100, deadline=None)
def test_it_is_isotonic_regression_refitted_for_each_query(rows: list[tuple[int, float, float]]) -> None:
    s, share, weight = (np.array(column, float) for column in zip(*rows, strict=True))
    fitted = fit_venn_abers(s, share, weight)
    queries = np.arange(-4, 4.5, 0.5)  # on the forecasts, between them, beyond them
    p0, p1 = fitted.bounds(queries)
    for at, query in enumerate(queries):
        assert (p0[at], p1[at]) == pytest.approx(refitted(s, share, weight, query), abs=1e-12)


def test_it_never_says_0_or_1_also_of_certain_forecasts() -> None:
    s = np.array([-np.inf, -np.inf, 0.0, np.inf, np.inf])
    odds = fit_venn_abers(s, np.array([0.0, 0, 1, 1, 1]), np.ones(5))(np.array([[-np.inf], [0.0], [np.inf]]))
    assert np.isfinite(odds).all()
    for query, found in zip([-np.inf, 0.0, np.inf], odds[:, 0], strict=True):
        p0, p1 = refitted(s, np.array([0.0, 0, 1, 1, 1]), np.ones(5), query)
        assert found == pytest.approx(np.log(p1) - np.log1p(-p0), abs=1e-12)


def test_the_compiled_walk_is_the_plain_one(rng: np.random.Generator) -> None:
    for k in (1, 2, 50, 4000):
        w = rng.choice([0.5, 1.0, 2.0], k)
        mass = w * rng.choice([0.0, 1.0, 0.25], k)
        assert np.array_equal(venn_abers.compiled()(w, mass), venn_abers.with_ones(w, mass))
