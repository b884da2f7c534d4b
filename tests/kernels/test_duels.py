"""The compiled tally of paired differences against its NumPy twin, on rows chosen to be awkward."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest

from hazards import same
from logloss.comparing.counts import EPS, Bars, by_kernel, by_numpy, joint_moments
from logloss.comparing.tallies import Tally
from logloss.kernels import duels
from logloss.record import Observations
from logloss.tally import Keyed


def awkward(n: int, M: int, *, infinite: bool, weighted: bool) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(n + M)
    s = rng.exponential(1.0, (M, n)) ** rng.choice([0.2, 1.0, 4.0], (M, n))
    s[:, rng.random(n) < 0.1] = 0.25  # ties
    if infinite:
        s[rng.random((M, n)) < 0.02] = np.inf
        s[:, rng.random(n) < 0.01] = np.inf
    w = rng.gamma(0.7, 2.0, n) if weighted else np.ones(n)
    if weighted:
        w[rng.random(n) < 0.05] = 0.0
    return s, w


def plain(keyed: Keyed) -> dict:
    return keyed.to_dict()


@pytest.mark.parametrize("n", [1, 1023, 1024, 1025, 5000])
@pytest.mark.parametrize("infinite", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("M", [2, 4])
def test_both_twins_agree(n: int, M: int, infinite: bool, weighted: bool) -> None:
    s, w = awkward(n, M, infinite=infinite, weighted=weighted)
    by_compiler, expected = by_kernel(s, w), by_numpy(s, w)
    for one, other in zip(by_compiler[:2], expected[:2], strict=True):
        same(plain(one), plain(other))
    for one, other in zip(by_compiler[2], expected[2], strict=True):
        for side, of_twin in zip(one, other, strict=True):
            assert [row for _, row in side] == [row for _, row in of_twin]
            assert [key for key, _ in side] == pytest.approx([key for key, _ in of_twin], rel=1e-14)


def test_surprises_are_exact_and_rows_that_are_not_clean_are_counted() -> None:
    p = np.array([0.3, 1e-300, 1 - 2.0**-53, 0.0, 1.0, 0.5, 5e-324, 1e-17])
    for happened in (0, 1):
        out = np.empty(len(p))
        assert duels.surprises(np.full(len(p), happened, np.int8), p, out) == 0
        with mpmath.workdps(700):
            for x, s in zip(p.tolist(), out.tolist(), strict=True):
                q = mpmath.mpf(x) if happened else 1 - mpmath.mpf(x)
                assert math.isclose(s, float(-mpmath.log(q)) if q else math.inf, rel_tol=4e-16)
    bad = np.array([np.nan, -1e-9, 1.0000001, np.inf, 0.5])
    assert duels.surprises(np.array([0, 1, 0, 1, 2], np.int8), bad, np.empty(5)) == 5


def test_groups_are_summed_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    s, w = awkward(3000, 3, infinite=True, weighted=True)
    group = np.random.default_rng(0).integers(0, 40, 3000)
    p = np.full(3000, 0.5)
    y = np.zeros(3000, np.int8)
    records = {name: Observations(y, p, "p", (0, 1), w, None, group) for name in "abc"}
    by_twin = Tally.of(records, s, w)
    monkeypatch.setattr("logloss.kernels.COMPILE_FROM", 1)
    same(Tally.of(records, s, w).to_dict(), by_twin.to_dict())


def test_clips_are_kept_by_what_they_do_to_every_row() -> None:
    s, w = awkward(2000, 2, infinite=True, weighted=True)
    models, _, _ = by_kernel(s, w)
    for eps in (0.1, 1e-3, 1e-16):
        at = 2 + EPS.index(eps)
        clipped = [math.fsum(w * np.minimum(np.maximum(one, -math.log1p(-eps)), -math.log(eps))) for one in s]
        assert models.sums[:, at] == pytest.approx(clipped, rel=1e-13)


def test_joint_moments_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    columns = np.random.default_rng(3).gamma(1.0, 1.0, (4, 2500))
    by_numpy_only = joint_moments(columns)
    monkeypatch.setattr("logloss.kernels.COMPILE_FROM", 1)
    same(joint_moments(columns).to_dict(), by_numpy_only.to_dict())


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 1, 0, 2), (2, 3, 1, 0)])
@pytest.mark.parametrize("ties", [False, True])
def test_bars_lose_no_row_in_any_order_of_batches(order: tuple[int, ...], ties: bool) -> None:
    s, w = awkward(4000, 3, infinite=False, weighted=False)
    if ties:  # of these the earliest rows are remembered
        s = np.minimum(s, 3.0).round(1)
    bars, found = Bars(3), [[list[tuple[float, int]]() for _ in range(2)] for _ in range(3)]
    spared = 0
    for at in order:
        part = slice(1000 * at, 1000 * at + 1000)
        for pair, sides in enumerate(by_kernel(s[:, part], w[part], bars)[2]):
            for side, entries in enumerate(sides):
                found[pair][side] += [(-key, row + 1000 * at) for key, row in entries]
                spared += 20 - len(entries)
    d = [s[0] - s[1], s[0] - s[2], s[1] - s[2]]
    for pair, sides in enumerate(found):
        for sign, entries in zip((1, -1), sides, strict=True):
            expected = sorted((float(sign * value), row) for row, value in enumerate(d[pair]))[:20]
            assert sorted(entries)[:20] == expected
    assert ties or spared > 100


def test_of_equals_the_first_are_remembered() -> None:
    s = np.zeros((2, 5000))
    s[0] = np.random.default_rng(2).integers(0, 4, 5000)
    for entries, expected in zip(
        by_kernel(s, np.ones(5000))[2][0], ([], np.flatnonzero(s[0] == 3)[:20]), strict=True
    ):
        assert [row for _, row in entries] == list(expected)


def test_a_bar_is_the_twentieth_of_all_before() -> None:
    first, second = np.zeros((2, 30)), np.zeros((2, 30))
    first[0, :19] = np.arange(100.0, 81.0, -1)
    second[0, 4:7] = 50.0, 60.0, 70.0
    bars, w = Bars(2), np.ones(30)
    assert len(by_kernel(first, w, bars)[2][0][1]) == 19
    assert [row for _, row in by_kernel(second, w, bars)[2][0][1]] == [6, 5, 4]
    assert bars.lowest().tolist() == [[0.0, 70.0]]
