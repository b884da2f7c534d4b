"""The tallies are monoids: any split, any order gives what the whole gives."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from logloss.tally import Bins, Moments, Table, Top

EDGES = (0.1, 0.7, 3.0)


@settings(deadline=None)
@given(
    rows=arrays(np.float64, st.tuples(st.integers(0, 60), st.just(2)), elements=st.floats(-100, 100)),
    cut=st.integers(0, 60),
)
def test_moments_of_parts_are_moments_of_the_whole(rows: np.ndarray, cut: int) -> None:
    whole, parts = Moments.of(rows), Moments.of(rows[:cut]) + Moments.of(rows[cut:])
    assert whole.n == parts.n
    scale = 1 + np.abs(rows).max(initial=0)
    np.testing.assert_allclose(parts.mean, whole.mean, rtol=1e-12, atol=1e-12 * scale)
    np.testing.assert_allclose(parts.second, whole.second, rtol=1e-11, atol=1e-11 * scale**2)
    np.testing.assert_allclose(parts.third, whole.third, rtol=1e-10, atol=1e-10 * scale**3)


def test_moments_are_central_sums(rng: np.random.Generator) -> None:
    x = rng.exponential(size=(500, 2))
    m = Moments.of(x[:100]) + Moments.of(x[100:101]) + Moments.of(x[101:])
    d = x - x.mean(axis=0)
    np.testing.assert_allclose(m.second, d.T @ d, rtol=1e-12)
    second, third = m.along(np.array([-2.0, 1.0]))
    u = d @ np.array([-2.0, 1.0])
    assert (second, third) == pytest.approx(((u**2).sum(), (u**3).sum()), rel=1e-10)


def test_moments_do_not_cancel() -> None:
    x = np.array([[1e9 + 1], [1e9 + 2], [1e9 + 3]])
    m = Moments.of(x[:1]) + Moments.of(x[1:])
    assert m.second[0, 0] == pytest.approx(2.0, rel=1e-6)


def test_bins_and_clamps(rng: np.random.Generator) -> None:
    x, w = rng.exponential(size=300) * 2, rng.random(300)
    parts = Bins.of(EDGES, [x[:120]], w[:120]) + Bins.of(EDGES, [x[120:]], w[120:])
    assert parts.clamped(0, 0.0, math.inf) == pytest.approx(np.dot(w, x), rel=1e-13)
    assert parts.clamped(0, 0.1, 3.0) == pytest.approx(np.dot(w, np.clip(x, 0.1, 3.0)), rel=1e-13)
    assert parts.clamped(0, 0.0, 0.7) == pytest.approx(np.dot(w, np.minimum(x, 0.7)), rel=1e-13)


def test_bins_keep_infinite_values_apart() -> None:
    bins = Bins.of(EDGES, [np.array([1.0, math.inf])], np.array([1.0, 2.0]))
    assert bins.clamped(0, 0.0, math.inf) == math.inf
    assert bins.clamped(0, 0.0, 3.0) == 1.0 + 2.0 * 3.0
    assert bins.sum.sum() == 1.0


def test_a_value_on_an_edge_belongs_to_the_bin_above() -> None:
    assert Bins.of(EDGES, [np.array([0.7])], np.ones(1)).weight[0].tolist() == [0, 0, 1, 0]


def test_bins_with_other_edges_refuse() -> None:
    with pytest.raises(ValueError, match="different edges"):
        Bins.empty((1.0,), 1) + Bins.empty((2.0,), 1)


def test_table() -> None:
    keys = [np.array([0, 1, 1, 2]), np.array([0, 0, 1, 1])]
    w = np.array([1.0, 2.0, 4.0, 8.0])
    table = Table.of((3, 2), keys, [w]) + Table.empty((3, 2), 1)
    assert table.sums[0].tolist() == [[1, 0], [2, 4], [0, 8]]


@given(
    st.lists(st.sampled_from([0.0, 1.0, 2.0, 3.0, math.inf]), max_size=30),
    st.integers(0, 6),
    st.integers(0, 30),
)
def test_top_of_parts_is_top_of_the_whole(keys: list[float], k: int, cut: int) -> None:
    def top(start: int, stop: int) -> Top:
        return Top.of(
            k, np.array(keys[start:stop]), lambda at: ("", start + at), lambda at: f"row {start + at}"
        )

    expected = sorted(((-key, row) for row, key in enumerate(keys)))[:k]
    for found in (top(0, len(keys)), top(0, cut) + top(cut, len(keys)), top(cut, len(keys)) + top(0, cut)):
        assert [(-key, row) for key, (_, row), _ in found.entries] == expected
        assert all(payload == f"row {row}" for _, (_, row), payload in found.entries)


@pytest.mark.parametrize(
    "tally",
    [
        Moments.of(np.arange(6.0).reshape(3, 2)),
        Bins.of(EDGES, [np.array([1.0, math.inf])], np.ones(2)),
        Table.of((2,), [np.array([1])], [np.ones(1)]),
        Top(3, ((math.inf, ("", 4), {"id": "a"}), (1.5, ("b.csv", 2), None))),
    ],
    ids=lambda tally: type(tally).__name__,
)
def test_json_keeps_everything(tally: object) -> None:
    state = json.loads(json.dumps(tally.to_dict(), allow_nan=False))  # type: ignore[attr-defined]
    back = type(tally).from_dict(state)  # type: ignore[attr-defined]
    assert back.to_dict() == tally.to_dict()  # type: ignore[attr-defined]
