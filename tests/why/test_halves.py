"""Bounds for the number of rows that carry half of the loss: the rows themselves lie between them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import logloss as ll
from logloss.why.halves import half_between


@given(
    st.lists(
        st.tuples(st.integers(0, 1), st.floats(0.001, 0.999), st.floats(0.1, 5)), min_size=1, max_size=80
    ),
    st.booleans(),
    st.integers(1, 20),
)
@settings(max_examples=120, deadline=None)
def test_the_rows_lie_between(rows: list[tuple[int, float, float]], weighted: bool, top: int) -> None:
    y, p, w = map(np.array, zip(*rows, strict=True))
    weight = w if weighted else None
    found = half_between(ll.summarize(y, p, weight=weight, labels=[0, 1], top=top))
    exact = ll.lorenz(y, p, weight=weight, labels=[0, 1]).half
    assert found is not None
    assert 1 <= found[0] <= exact <= found[1] <= len(y)


def test_few_costly_rows_are_counted() -> None:
    y, p = [1] * 10, [0.9] * 8 + [1e-9, 1e-6]
    assert half_between(ll.summarize(y, p)) == (1, 1)  # 20.7 of 35.4 nats
    why = ll.explain(ll.summarize(y, p))
    assert (why.half, why.half_between) == (1, (1, 1))
    assert "Half of the loss is on 1 row of 10" in str(why)
    assert ll.explain(y, p).half_between is None


def test_bounds_are_narrow_without_weights() -> None:
    rng = np.random.default_rng(0)
    p = rng.beta(0.5, 0.5, 100_000)
    y = (rng.random(len(p)) < p).astype(int)
    found = half_between(ll.summarize(y, p))
    assert found is not None
    assert found[1] - found[0] < 0.03 * found[1]
    assert found[0] <= ll.lorenz(y, p).half <= found[1]


@pytest.mark.parametrize("p", [[1.0, 1.0], [0.0, 0.0]])
def test_nothing_finite_is_lost(p: list[float]) -> None:
    assert half_between(ll.summarize([1, 1], p, labels=[0, 1])) is None
