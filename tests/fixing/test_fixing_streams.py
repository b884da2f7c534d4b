"""What a race chose, fitted to more rows than are held in memory: as if all of them had been."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

import logloss as ll
from logloss.calibrate.fits import fit_steps
from logloss.calibrate.grids import EDGES, Grid, clip_of, counted, isotonic_of, venn_abers_of
from logloss.calibrate.isotonic import fit_isotonic
from logloss.fixing import streams
from logloss.fixing.fields import all_rows
from logloss.fixing.recalibration import many
from logloss.sources import opened

N = 3000


def rows(K: int = 2, n: int = N, seed: int = 0) -> pl.DataFrame:
    """Return a table of over-confident forecasts with weights, groups and a few certain rows."""
    random = np.random.default_rng(seed)
    Z = random.normal(0, 1.2, (n, K))
    p = np.exp(Z - Z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    y = (random.random(n)[:, None] > p.cumsum(axis=1)[:, :-1]).sum(axis=1)
    bold = p**2 * np.linspace(1, 1.5, K)
    bold /= bold.sum(axis=1, keepdims=True)
    columns = {"p": bold[:, 1]} if K == 2 else {f"p_{k}": bold[:, k] for k in range(K)}
    return pl.DataFrame(
        {"y": y, **columns, "w": random.choice([0.5, 1.0, 2.0], n), "site": [f"s{one}" for one in random.integers(0, 60, n)]}
    )  # fmt: skip


def as_parquet(frame: pl.DataFrame, folder: Path) -> Path:
    frame.write_parquet(folder / "rows.parquet", row_group_size=500)
    return folder / "rows.parquet"


def as_csv(frame: pl.DataFrame, folder: Path) -> Path:
    frame.write_csv(folder / "rows.csv")
    return folder / "rows.csv"


def as_folder(frame: pl.DataFrame, folder: Path) -> Path:
    (folder / "parts").mkdir()
    for at in range(4):
        frame[at * 750 : (at + 1) * 750].write_csv(folder / "parts" / f"part-{at}.csv")
    return folder / "parts"


SOURCES = {"parquet": as_parquet, "csv": as_csv, "folder": as_folder}


@pytest.fixture
def passed_over(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let tables of more than 1,000 rows be passed over, in small batches."""

    def how(batch: int = 271, sampled: int = 100_000) -> None:
        monkeypatch.setattr("logloss.fixing.recalibration.MOST_ROWS", 1000)
        monkeypatch.setattr("logloss.fixing.recalibration.RACED", sampled)
        monkeypatch.setattr("logloss.batches.ROWS", batch)
        monkeypatch.setattr("logloss.passes.HEAD", 64)

    return how


def asked(K: int = 2, **more: str) -> dict:
    return {"outcome": "y", "forecast": "p" if K == 2 else [f"p_{k}" for k in range(K)], **more}


def maps_of(fitted: ll.FittedMap, K: int = 2) -> np.ndarray:
    new = np.random.default_rng(9).dirichlet(np.ones(K), 50)
    return fitted.apply(new, space="p", out="logp")


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("name", ["temperature", "prior_shift", "affine", "beta", "quadratic", "mix"])
def test_families_are_those_of_all_rows(
    name: str, source: str, tmp_path: Path, passed_over: Callable[..., None]
) -> None:
    frame = rows()
    path = SOURCES[source](frame, tmp_path)
    want = ll.fit_map(frame, map=name, **asked(weight="w"))
    passed_over(sampled=700)
    assert many(opened(path, **asked(weight="w")))
    got = ll.fit_map(path, map=name, **asked(weight="w"))
    assert "how" in got.fitted
    assert maps_of(got) == pytest.approx(maps_of(want), abs=1e-8)
    assert got.columns == want.columns
    assert got.classes == want.classes


@pytest.mark.parametrize("name", ["temperature", "prior_shift", "affine", "mix"])
def test_three_classes(name: str, tmp_path: Path, passed_over: Callable[..., None]) -> None:
    frame = rows(3)
    path = as_parquet(frame, tmp_path)
    want = ll.fit_map(frame, map=name, **asked(3, weight="w"))
    passed_over(sampled=700)
    got = ll.fit_map(path, map=name, **asked(3, weight="w"))
    assert maps_of(got, 3) == pytest.approx(maps_of(want, 3), abs=1e-8)


@pytest.mark.parametrize("ridge", [0.0, 0.05])
def test_the_ridge_asked_for(ridge: float, tmp_path: Path, passed_over: Callable[..., None]) -> None:
    frame = rows()
    path = as_parquet(frame, tmp_path)
    want = ll.fit_map(frame, map="affine", ridge=ridge, **asked())
    passed_over(sampled=700)
    assert maps_of(ll.fit_map(path, map="affine", ridge=ridge, **asked())) == pytest.approx(maps_of(want), abs=1e-8)  # fmt: skip


def test_rows_of_weight_0_count_nowhere(tmp_path: Path, passed_over: Callable[..., None]) -> None:
    frame = rows().with_columns(w=pl.when(pl.arange(0, N) % 3 == 0).then(0.0).otherwise(pl.col("w")))
    path = as_parquet(frame, tmp_path)
    kept = frame.filter(pl.col("w") > 0)
    (tmp_path / "kept").mkdir()
    without = as_parquet(kept, tmp_path / "kept")
    want = {name: ll.fit_map(kept, map=name, **asked(weight="w")) for name in ("affine", "mix")}
    passed_over()
    for name, one in want.items():
        got = ll.fit_map(path, map=name, **asked(weight="w"))
        assert maps_of(got) == pytest.approx(maps_of(one), abs=1e-8), name
        assert got.fitted["rows"] == len(kept)
    for name in ("clip", "isotonic", "venn_abers"):
        one, two = (ll.fit_map(given, map=name, **asked(weight="w")) for given in (path, without))
        assert maps_of(one) == pytest.approx(maps_of(two), abs=1e-12), name


def in_sample(fitted: ll.FittedMap, frame: pl.DataFrame) -> float:
    return ll.log_loss(frame["y"], fitted.apply(frame["p"].to_numpy()), sample_weight=frame["w"])


@pytest.mark.parametrize("name", ["clip", "isotonic", "venn_abers"])
def test_bins_cost_no_more_than_is_said(name: str, tmp_path: Path, passed_over: Callable[..., None]) -> None:
    frame = rows()
    path = as_parquet(frame, tmp_path)
    want = ll.fit_map(frame, map=name, **asked(weight="w"))
    passed_over(sampled=700)
    got = ll.fit_map(path, map=name, **asked(weight="w"))
    bound = float(got.fitted["how"].split("cost at most ")[1].split(" nats")[0])
    assert bound < 0.02
    lost = in_sample(got, frame) - in_sample(want, frame)
    assert (
        lost <= bound * 1.05 + 1e-6
    )  # two digits are printed; ends and straight lines between blocks are not bounded
    assert maps_of(got) == pytest.approx(maps_of(want), abs=0.2)


@pytest.mark.parametrize("seed", range(12))
def test_the_bounds_of_clip_and_isotonic(seed: int) -> None:
    random = np.random.default_rng(seed)
    n = int(random.integers(5, 400))
    z = random.normal(0, random.choice([0.01, 0.5, 2.0, 20.0]), n)
    z[: n // 5] = np.round(z[: n // 5], 1)
    t = (random.random(n) < 1 / (1 + np.exp(-z / 2))).astype(float)
    if seed % 3 == 0:
        t = 0.9 * t + 0.05
    w = random.choice([0.5, 1.0, 3.0], n)
    w /= w.mean()
    grid = counted(z, t, w)

    def loss(eta: np.ndarray) -> float:
        return float(w @ (t * np.logaddexp(0, -eta) + (1 - t) * np.logaddexp(0, eta)) / n)

    clip, bound = clip_of(grid)
    exact = fit_steps("clip", z[:, None], t[:, None], w)[0]
    assert loss(clip(z[:, None])[:, 0]) - loss(exact(z[:, None])[:, 0]) + 1e-12 >= 0
    assert loss(clip(z[:, None])[:, 0]) - loss(exact(z[:, None])[:, 0]) <= bound + 1e-12
    # What the bins' isotonic fit loses against that of the rows: both by the pool-adjacent-violators fit itself.
    from scipy.optimize import isotonic_regression

    cells = np.searchsorted(EDGES, z, side="right")
    keys, at = np.unique(cells, return_inverse=True)
    mass = np.bincount(at, w)
    coarse = isotonic_regression(np.bincount(at, w * t) / mass, weights=mass).x[at]
    levels, where = np.unique(z, return_inverse=True)
    weights = np.bincount(where, w)
    fine = isotonic_regression(np.bincount(where, w * t) / weights, weights=weights).x[where]
    assert len(keys) <= len(levels)

    def entropy(p: np.ndarray) -> float:
        with np.errstate(divide="ignore", invalid="ignore"):
            return float(w @ (np.where(t > 0, -t * np.log(p), 0) - np.where(t < 1, (1 - t) * np.log1p(-p), 0)) / n)  # fmt: skip

    _, bound = isotonic_of(grid)
    assert entropy(coarse) - entropy(fine) <= bound + 1e-12
    assert venn_abers_of(grid)[1] == bound


def test_bins_of_distinct_forecasts_are_the_rows() -> None:
    # One forecast in each bin: nothing is lost, and the maps are those of the rows.
    random = np.random.default_rng(1)
    z = np.repeat((EDGES[2000:8000:40] + EDGES[2001:8001:40]) / 2, 4)
    t = (random.random(len(z)) < 1 / (1 + np.exp(-z / 3))).astype(float)
    w = np.ones(len(z))
    grid = counted(z, t, w)
    one, bound = isotonic_of(grid)
    exact = fit_isotonic(z, t, w)
    assert one(z[:, None]) == pytest.approx(exact(z[:, None]), abs=1e-9)
    assert bound >= 0
    parts = [counted(z[at::3], t[at::3], w[at::3]) for at in range(3)]
    added: Grid = parts[0] + parts[1] + parts[2]
    assert added.rows == grid.rows
    assert added.cells == pytest.approx(grid.cells)


def test_sound_forecasts_need_no_clip_in_bins() -> None:
    z = np.array([-3.0, -1.0, 1.0, 3.0])
    clip, bound = clip_of(counted(z, (z > 0).astype(float), np.ones(4)))
    assert (clip.first, clip.second) == (0.0, 0.0)
    assert 0 <= bound < 1e-3  # a clip between two edges might gain that


@pytest.mark.parametrize("batch", [97, 1500])
def test_batches_make_no_difference(batch: int, tmp_path: Path, passed_over: Callable[..., None]) -> None:
    path = as_parquet(rows(), tmp_path)
    found = {}
    for size in (batch, 400):
        passed_over(batch=size, sampled=700)
        for name in ("affine", "mix_base", "isotonic"):
            found[size, name] = maps_of(ll.fit_map(path, map=name, **asked(weight="w")))
    for name in ("affine", "mix_base", "isotonic"):
        assert found[batch, name] == pytest.approx(found[400, name], abs=1e-8), name


@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("grouped", [False, True])
def test_fix_of_many_rows(K: int, grouped: bool, tmp_path: Path, passed_over: Callable[..., None]) -> None:
    frame = rows(K)
    path = as_csv(frame, tmp_path)
    more = {"weight": "w"} | ({"group": "site"} if grouped else {})
    names = ["temperature", "affine", "mix"]
    want = ll.fix(frame, maps=names, **asked(K, **more))
    alone = {name: ll.fit_map(frame, map=name, **asked(K, weight="w")) for name in names}
    passed_over()
    got = ll.fix(path, maps=names, **asked(K, **more))  # the sample is all rows
    assert (got.grouped, got.rows, got.folds) == (grouped, N, want.folds)
    assert got.chosen == want.chosen or grouped  # groups are dealt to folds in another order
    assert got.before == pytest.approx(want.before, rel=1e-9)
    assert maps_of(got.map, K) == pytest.approx(maps_of(alone[got.chosen], K), abs=1e-8)
    assert got.raced == N
    if not grouped:
        assert got.gain == pytest.approx(want.gain, rel=1e-6)
        assert got.gain_interval == pytest.approx(want.gain_interval, rel=1e-6)
    with pytest.raises(ll.UsageError) as caught:
        got.held_out()
    assert caught.value.slug == "no-held-out"
    passed_over(sampled=1200)
    some = ll.fix(path, maps=names, **asked(K, **more))
    assert 1000 < some.raced < 1400
    assert some.rows == N
    assert some.before == pytest.approx(want.before, rel=1e-9)
    assert "raced-on-sample" in [note.id for note in some.notes]
    assert maps_of(some.map, K) == pytest.approx(maps_of(alone[some.chosen], K), abs=1e-8)


def test_nothing_to_do_says_nothing_of_a_fit(tmp_path: Path, passed_over: Callable[..., None]) -> None:
    random = np.random.default_rng(3)
    p = random.random(N)
    frame = pl.DataFrame({"y": (random.random(N) < p).astype(int), "p": p, "split": ["train", "test"] * (N // 2)})  # fmt: skip
    path = as_parquet(frame, tmp_path)
    passed_over(sampled=1500)
    result = ll.fix(path, maps=["temperature", "isotonic"], **asked())
    assert result.chosen == "identity"
    assert [note.id for note in result.notes] == ["split-not-looked-at", "raced-on-sample"]
    assert "fitted" not in result.notes[1].text
    assert result.map.does_nothing


@pytest.mark.parametrize("option", [{"time": "site"}, {"trained": "site"}])
def test_what_needs_all_rows_at_once(option: dict, tmp_path: Path, passed_over: Callable[..., None]) -> None:
    path = as_parquet(rows(), tmp_path)
    passed_over()
    with pytest.raises(ll.UsageError) as caught:
        ll.fix(path, **asked(), **option)
    assert caught.value.slug == "not-in-passes"


def test_certain_forecasts_in_many_rows(tmp_path: Path, passed_over: Callable[..., None]) -> None:
    frame = rows().with_columns(p=pl.when(pl.arange(0, N) % 50 == 0).then(pl.col("y").cast(float)).when(pl.arange(0, N) % 999 == 1).then(1.0 - pl.col("y")).otherwise(pl.col("p")))  # fmt: skip
    path = as_parquet(frame, tmp_path)
    want = {name: ll.fit_map(frame, map=name, **asked()) for name in ("temperature", "mix", "clip")}
    passed_over()
    for name, one in want.items():
        got = ll.fit_map(path, map=name, **asked())
        assert maps_of(got) == pytest.approx(maps_of(one), abs=1e-8 if name != "clip" else 0.01), name
        assert np.isfinite(in_sample(got, frame))
    result = ll.fix(path, maps=["temperature", "mix", "clip"], **asked())
    assert result.before == np.inf
    assert np.isfinite(result.after)


def test_the_sample_depends_on_the_rows_numbers_alone() -> None:
    record = ll.fix([0, 1] * 500, np.linspace(0.01, 0.99, 1000), maps="mix").observations
    assert record is not None
    table = SimpleNamespace(summary=SimpleNamespace(n=1000), total=lambda visit: visit(record))
    halves = SimpleNamespace(
        summary=SimpleNamespace(n=1000),
        total=lambda visit: visit(record.take(np.arange(1000) < 300)) + visit(record.take(np.arange(1000) >= 300)),
    )  # fmt: skip
    one, two = streams.sampled(table, 200), streams.sampled(halves, 200)
    assert one.Z.tolist() == two.Z.tolist()
    assert len(one.Z) == pytest.approx(200, abs=50)
    assert streams.sampled(table, 5000).Z.tolist() == all_rows(record).Z.tolist()
