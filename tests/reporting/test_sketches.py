"""The sketch against the rows: after every move of the sliders the loss is what the rows come to, within the stated error."""

from __future__ import annotations

import base64
import json
import math
from dataclasses import replace
from pathlib import Path

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from whatifpages import exact, over_confident, told

import logloss as ll
from logloss.oddsgrid import MEASURES
from logloss.reporting import sketches
from logloss.reporting.mixes import SHARES, TEMPERATURES
from logloss.reporting.sketches import MixSketch, Sketch
from logloss.summary import Summary
from logloss.tally import Table

MOVES = [
    (T, b, eps)
    for T in (0.31, 0.6, 1.0, 1.7, 3.9)
    for b in (-1.9, 0.0, 0.7)
    for eps in (0.0, 1e-4, 0.02, 0.05)
]


def sketch_of(y: object, p: object, **options: object) -> Sketch:
    found = sketches.of(told(y, p, **options))
    assert isinstance(found, Sketch)
    return found


@pytest.mark.parametrize(
    ("n", "decimals"), [(40, None), (3000, None), (12_000, None), (60_000, None), (50_000, 3)]
)
def test_every_move_costs_what_the_rows_say(n: int, decimals: int | None) -> None:
    y, p = over_confident(n, decimals=decimals)
    found = sketch_of(y, p)
    assert found.measured
    assert found.error <= 1e-5
    for move in MOVES:
        loss, average = exact(y, p, *move)
        assert found.loss(*move) == pytest.approx(loss, abs=1e-5)
        if move[2] == 0:
            assert found.average(*move[:2]) == pytest.approx(average, abs=1e-6)


@settings(deadline=None, max_examples=40)
@given(
    n=st.integers(2, 400),
    seed=st.integers(0, 10**6),
    scale=st.sampled_from([0.01, 1.0, 4.0, 15.0]),
    soft=st.booleans(),
    T=st.floats(0.3, 4.0),
    b=st.floats(-2.0, 2.0),
    eps=st.sampled_from([0.0, 1e-6, 0.003, 0.05]),
)
def test_weights_shares_and_certain_rows(
    n: int, seed: int, scale: float, soft: bool, T: float, b: float, eps: float
) -> None:
    rng = np.random.default_rng(seed)
    p = 1 / (1 + np.exp(-rng.normal(0, scale, n)))
    p[rng.random(n) < 0.1], p[rng.random(n) < 0.05] = 0.0, 1.0
    y = rng.choice([0.0, 0.25, 1.0], n) if soft else (rng.random(n) < 0.5).astype(float)
    w = rng.choice([0.0, 0.5, 2.0], n)
    kept = w > 0
    if not kept.any():
        return
    found = sketches.of(told(y, p, weight=w, labels=[0, 1]))
    if found is None:
        inner = (p[kept] > 0) & (p[kept] < 1)
        assert not inner.any()
        return
    loss, average = exact(y[kept], p[kept], T, b, eps, w[kept])
    assert isinstance(found, Sketch)
    assert found.loss(T, b, eps) == pytest.approx(loss, abs=3e-6, rel=1e-6)
    if eps == 0:
        assert found.average(T, b) == pytest.approx(average, abs=3e-6, rel=1e-6)


@settings(deadline=None, max_examples=40)
@given(
    n=st.integers(5, 600),
    seed=st.integers(0, 10**6),
    scale=st.sampled_from([0.02, 0.5, 2.0, 20.0]),
    T=st.sampled_from([0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 4.0]),
    b=st.sampled_from([-2.0, -1.0, 0.0, 1.0, 2.0]),
    eps=st.sampled_from([0.0, 1e-6, 0.001, 0.01, 0.05]),
)
def test_the_bound_of_a_summary_holds(
    n: int, seed: int, scale: float, T: float, b: float, eps: float
) -> None:
    rng = np.random.default_rng(seed)
    z = rng.normal(0, scale, n).clip(-34, 34) * rng.choice([1.0, 0.1])
    p = 1 / (1 + np.exp(-z))
    y = (rng.random(n) < rng.choice([0.5, 0.02])).astype(int)
    found = sketches.of(ll.summarize(y, p, labels=[0, 1]))
    assert isinstance(found, Sketch)
    assert not found.measured
    row = [0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 4.0].index(T)
    off = abs((found.loss(T, b, eps) if eps else found.average(T, b)) - exact(y, p, T, b, eps)[eps == 0])
    assert off <= found.errors[row, int(eps > 0)]


def test_the_bound_is_not_idle() -> None:
    y, p = over_confident(12_000)
    found = sketches.of(ll.summarize(y, p))
    assert isinstance(found, Sketch)
    assert (found.errors[:, 0] < 1e-5).all()
    assert (found.errors[3:, 1] < 3e-5).all()  # a clip at a temperature of 1 or more
    by_rows = sketch_of(y, p)
    assert (by_rows.errors < found.errors).all()
    # All forecasts of a bin at its ends, one side of a clip each: what evenly spread rows do not look like.
    z = np.where(
        np.arange(1000) % 10 < 3, 0.876, 0.92
    )  # the clip of 0.05 at a temperature of 0.3 cuts at 0.883
    ends = sketches.of(ll.summarize(np.zeros(1000, int), 1 / (1 + np.exp(-z)), labels=[0, 1]))
    assert isinstance(ends, Sketch)
    off = abs(ends.loss(0.3, 0.0, 0.05) - exact(np.zeros(1000), 1 / (1 + np.exp(-z)), 0.3, 0, 0.05)[0])
    assert 1e-3 < off < ends.errors[0, 1]


def test_one_row_against_many_digits() -> None:
    # Origin: 50-digit arithmetic of mpmath.
    with mpmath.workdps(50):
        z = mpmath.log(mpmath.mpf(0.02)) - mpmath.log1p(-mpmath.mpf(0.02))
        want = mpmath.log1p(mpmath.exp(-(z / mpmath.mpf("1.25") + mpmath.mpf("0.5"))))
        clipped = -mpmath.log(mpmath.mpf("0.05"))
    found = sketch_of([1, 1], [0.02, 0.02], labels=[0, 1])
    assert found.loss(1.25, 0.5, 0.0) == pytest.approx(float(want), rel=1e-7)
    assert found.loss(1.0, 0.0, 0.05) == pytest.approx(float(clipped), rel=1e-12)


def test_at_rest_it_is_the_exact_number() -> None:
    y, p = over_confident(5000, wrong=3)
    found = sketch_of(y, p)
    score = ll.score(y, p)
    assert found.loss(1, 0, 0) == math.inf
    assert (found.infinite, found.average(1, 0)) == (3, score.log_loss_finite)
    assert found.loss(1.2, 0, 0) == math.inf
    assert found.loss(1.2, 0.1, 0.01) == pytest.approx(exact(y, p, 1.2, 0.1, 0.01)[0], abs=1e-5)
    assert found.best[2] > 0
    assert found.loss(*found.best) <= min(found.loss(*move) for move in MOVES)


def test_of_very_many_rows_the_summary_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logloss.reporting.sketches.MEASURABLE", 99)
    y, p = over_confident(100)
    assert not sketch_of(y, p).measured
    assert sketch_of(y[:99], p[:99]).measured


def test_an_explanation_has_a_sketch_and_so_has_its_summary() -> None:
    y, p = over_confident(400)
    whole = ll.explain(y, p)
    by_rows, by_summary = sketches.of(whole), sketches.of(ll.explain(whole.score.summary))
    assert isinstance(by_rows, Sketch)
    assert isinstance(by_summary, Sketch)
    assert (by_rows.measured, by_summary.measured) == (True, False)
    assert by_rows.log_loss == by_summary.log_loss == whole.score.log_loss
    assert by_rows.loss(0.5, 0.5, 0.0) == pytest.approx(exact(y, p, 0.5, 0.5, 0)[0], rel=1e-6)


def test_the_best_of_the_sliders_is_no_worse_than_a_fit() -> None:
    y, p = over_confident(20_000)
    found = sketch_of(y, p)
    assert found.best[0] == pytest.approx(1.6, rel=0.05)
    assert found.best[1] == pytest.approx(0.0, abs=0.1)
    least = min(
        exact(y, p, T, b, 0)[0] for T in np.linspace(1.4, 1.8, 21) for b in np.linspace(-0.1, 0.1, 11)
    )
    assert found.loss(*found.best) == pytest.approx(least, abs=1e-5)


def test_merged_and_saved_parts_make_the_same_sketch(tmp_path: Path) -> None:
    y, p = over_confident(9000, wrong=2)
    whole = sketches.of(ll.summarize(y, p))
    paths = []
    for at, rows in enumerate(np.array_split(np.arange(9000), 4)):
        paths.append(tmp_path / f"{at}.json")
        ll.summarize(y[rows], p[rows]).save(paths[-1])
    merged = sketches.of(ll.merge(paths))
    assert isinstance(whole, Sketch)
    assert isinstance(merged, Sketch)
    for move in MOVES:
        assert merged.loss(*move) == pytest.approx(whole.loss(*move), rel=1e-9)
    assert merged.errors == pytest.approx(whole.errors, rel=1e-6)


def test_a_summary_of_an_older_version_is_read_and_has_no_sketch(tmp_path: Path) -> None:
    y, p = over_confident(500)
    new = ll.summarize(y, p)
    old = new.to_dict()
    old["schema"], old["grid"] = 2, {"sums": old["grid"]["sums"][:3]}
    (tmp_path / "old.json").write_text(json.dumps(old))
    read = Summary.load(tmp_path / "old.json")
    assert ll.score(read).log_loss == new.mean
    assert sketches.of(read) is None
    mixed = read + ll.summarize(*over_confident(500, 2))
    assert mixed.grid.sums.shape == (3, 1024)
    assert sketches.of(mixed) is None
    assert sketches.of(new) is not None


def test_where_nothing_can_be_told() -> None:
    assert sketches.of(ll.summarize([1, 0], [0.0, 1.0])) is None
    assert sketches.of(ll.summarize([1, 0], [1.0, 0.0])) is None
    assert sketches.of(ll.summarize([1, 0, 2], np.full((3, 3), 1 / 3))) is None
    assert sketches.of(ll.summarize([1, 0], [[0.2, 0.8], [0.5, 0.5]])) is None  # of the first choice
    both = sketches.of(told([1, 0], [[0.2, 0.8], [0.5, 0.5]], labels=[0, 1]))
    assert isinstance(both, Sketch)
    assert both.loss(2.0, 1.0, 0.0) == pytest.approx(exact([1, 0], [0.8, 0.5], 2, 1, 0)[0], abs=1e-7)


def test_the_grid_has_the_moments_it_says() -> None:
    y, p, w = (
        np.array([1, 0, 1, 0, 1]),
        np.array([0.51, 0.52, 1.0, 0.0, 1e-20]),
        np.array([1.0, 2.0, 3.0, 4.0, 5.0]),
    )
    grid = dict(zip(MEASURES, ll.summarize(y, p, weight=w).grid.sums, strict=True))
    d = [math.log(0.51 / 0.49) - 1 / 32, math.log(0.52 / 0.48) - 3 / 32]
    assert grid["odds"][512:514] == pytest.approx([d[0], 2 * d[1]], rel=1e-10)
    assert grid["odds_happened"][512:514] == pytest.approx([d[0], 0.0], rel=1e-10)
    assert grid["squares"][512:514] == pytest.approx([d[0] ** 2, 2 * d[1] ** 2], rel=1e-10)
    assert grid["squares_happened"].sum() == pytest.approx(d[0] ** 2, rel=1e-10)
    assert (grid["certain"][0], grid["certain"][-1], grid["certain"].sum()) == (4.0, 3.0, 7.0)
    assert (grid["certain_happened"][-1], grid["certain_happened"].sum()) == (3.0, 3.0)
    assert grid["odds"][0] == pytest.approx(5 * (math.log(1e-20) + 32 - 1 / 32), rel=1e-12)
    assert (grid["weight"][0], grid["happened"][0]) == (9.0, 5.0)


def test_what_is_embedded_ends_no_script() -> None:
    y, p = over_confident(12_000)
    found = sketch_of(y, p)
    text = found.embedded()
    assert not set("<>&\u2028\u2029") & set(text)
    assert len(text) < 20_000
    state = json.loads(text)
    assert state["finite"] == found.finite
    z = np.frombuffer(base64.b64decode(state["yes"]["z"]), "<f4")
    assert z.tolist() == found.cells.yes.z.tolist()
    far = np.random.default_rng(0).uniform(-32, 32, 200_000)
    wide = sketches.of(ll.summarize((far > 0) ^ (np.arange(200_000) % 3 == 0), 1 / (1 + np.exp(-far))))
    assert isinstance(wide, Sketch)
    assert len(wide.embedded()) < 40_000


def test_classes_are_told_on_a_grid() -> None:
    rng = np.random.default_rng(4)
    Z = rng.normal(0, 1.5, (800, 4))
    P = np.exp(1.6 * Z) / np.exp(1.6 * Z).sum(axis=1, keepdims=True)
    y = np.array([rng.choice(4, p=np.exp(row) / np.exp(row).sum()) for row in Z])
    P[0], y[0] = [0.0, 0.5, 0.25, 0.25], 0  # infinite without a share
    w = rng.choice([0.0, 1.0, 2.0], 800)
    w[0] = 1.0
    found = sketches.of(told(y, P, weight=w, labels=[0, 1, 2, 3]))
    assert isinstance(found, MixSketch)
    assert (found.rows, found.of, found.infinite) == (int((w > 0).sum()), int((w > 0).sum()), 1)
    for T in (TEMPERATURES[3], 1.0, TEMPERATURES[33]):
        for share in (0.0, SHARES[7], SHARES[40]):
            with np.errstate(divide="ignore"):
                q = P ** (1 / T) / (P ** (1 / T)).sum(axis=1, keepdims=True)
                s = -np.log((1 - share) * q + share / 4)[np.arange(800), y]
            if share:
                assert found.loss(T, share) == pytest.approx(np.average(s, weights=w), rel=1e-9)
            else:
                assert found.loss(T, share) == math.inf
                assert found.average(T) == pytest.approx(np.average(s[1:], weights=w[1:]), rel=1e-9)
    soft = sketches.of(told(np.eye(4)[y], P, weight=w, labels=[0, 1, 2, 3]))
    assert isinstance(soft, MixSketch)
    assert soft.grid == pytest.approx(found.grid, rel=1e-12)


def test_many_rows_of_classes_are_drawn_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    P = rng.dirichlet(np.full(3, 0.6), 30_000)
    y = (P.cumsum(axis=1) < rng.random((30_000, 1))).sum(axis=1)
    every = sketches.of(told(y, P, labels=[0, 1, 2]))
    monkeypatch.setattr("logloss.reporting.mixes.MANY", 10**9)
    direct = sketches.of(told(y, P, labels=[0, 1, 2]))
    monkeypatch.setattr("logloss.reporting.mixes.MOST_ROWS", 10_000)
    drawn = sketches.of(told(y, P, labels=[0, 1, 2]))
    assert isinstance(every, MixSketch)
    assert isinstance(direct, MixSketch)
    assert isinstance(drawn, MixSketch)
    assert abs(every.grid - direct.grid).max() < every.error < 1e-5
    assert (drawn.rows, drawn.of) == (10_000, 30_000)
    assert 1e-7 < abs(drawn.grid - direct.grid).max() < drawn.error
    assert drawn.loss(1, 0) == direct.loss(1, 0) == ll.score(y, P).log_loss


def test_the_table_says_what_the_sliders_would() -> None:
    y, p = over_confident(4000, wrong=2)
    rows = sketch_of(y, p).table()
    assert [setting for setting, _, _ in rows[:5]] == [
        "temperature 0.5", "temperature 0.75", "as given", "temperature 1.5", "temperature 2"
    ]  # fmt: skip
    assert rows[2][1:] == (f"infinite; the others {exact(y, p, 1, 0, 0)[1]:.4f}", "")
    assert rows[4][1] == f"infinite; the others {exact(y, p, 2, 0, 0)[1]:.4f}"
    assert rows[5][0].startswith("best of the sliders (in sample): temperature 1.")
    best = sketch_of(y, p)
    assert rows[5][1:] == (f"{exact(y, p, *best.best)[0]:.4f}", "from infinite")
    finite = sketch_of(*over_confident(4000)).table()
    assert float(finite[5][2]) == pytest.approx(float(finite[5][1]) - float(finite[2][1]), abs=1.01e-4)


def test_a_grid_that_overflowed_tells_nothing() -> None:
    whole = ll.summarize([1, 0, 1], [0.4, 0.2, 0.9])
    sums = whole.grid.sums.copy()
    sums[3, 0] = np.inf
    assert sketches.of(replace(whole, grid=Table(sums))) is None
