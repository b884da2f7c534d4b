"""Tables through the engine, batch by batch: the same comparison from every source, in a state that does not grow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import logloss as ll
from hazards import SOURCES, frame, kept, rows, same
from logloss.comparing import passing
from logloss.comparing.contest import Contest
from logloss.comparing.panels import of_panel
from logloss.comparing.passing import Passed, compared
from logloss.comparing.results import Comparison
from logloss.comparing.streaming import many, of_stream
from logloss.comparing.verdicts import of_contest
from logloss.sources import Opened, opened

TOLD = (
    "difference",
    "interval",
    "p_value",
    "a_better_on",
    "top5_share",
    "top_share",
    "without_top",
    "infinite_a",
    "infinite_both",
)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make batches so small that a few hundred rows take many."""
    monkeypatch.setattr("logloss.batches.ROWS", 29)
    monkeypatch.setattr("logloss.passes.HEAD", 16)


def table(data: Any, forecasts: dict[str, Any], **options: Any) -> Opened:
    found = opened(data, forecasts, outcome=options.pop("outcome", "y"), **options)
    assert isinstance(found, Opened)
    return found


def hazardous() -> dict[str, np.ndarray]:
    data = rows()
    data["q"] = np.clip(data["p"], 0.05, 0.9)
    data["r"] = np.where(np.arange(len(data["p"])) == 40, np.nan, 0.5 + 0.5 * (data["q"] - 0.5))
    return data


def alike(found: Comparison, other: Comparison) -> None:
    assert found.names == other.names
    for one, two in zip(found.pairs, other.pairs, strict=True):
        for what in TOLD:
            a, b = getattr(one, what), getattr(two, what)
            assert a == b if a is None or b is None else a == pytest.approx(b, rel=1e-9, abs=1e-13), what
        assert [v for row in one.top for v in (row.a, row.b)] == pytest.approx(
            [v for row in two.top for v in (row.a, row.b)]
        )


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("name", SOURCES)
def test_the_same_comparison(name: str, tmp_path: Path) -> None:
    data = hazardous()
    source = SOURCES[name](frame(data), tmp_path)
    found = of_stream(
        table(source, dict.fromkeys("pqr") | {c: c for c in "pqr"}, weight="w", group="g", skip_missing=True)
    )
    use = kept(data) & ~np.isnan(data["r"]) & (data["w"] > 0)
    s = np.stack([ll.surprise(data["y"][use], data[c][use]) for c in "pqr"], axis=1)
    expected = of_contest(Contest(("p", "q", "r"), s, data["w"][use], cluster=data["g"][use]))
    alike(found, expected)
    assert found.n == use.sum()
    assert "rows-skipped" in {note.id for note in found.notes}
    assert any("5 of 240 rows were left out" in note.text for note in found.notes)


@pytest.mark.usefixtures("small_batches")
def test_the_panel_of_the_same_rows_says_the_same(tmp_path: Path) -> None:
    source = SOURCES["Parquet"](frame(hazardous()), tmp_path)
    columns = {c: c for c in "pqr"}
    options = {"outcome": "y", "weight": "w", "group": "g", "skip_missing": True}
    panel = ll.summarize(source, columns, **options)
    same(of_panel(panel).to_dict(), of_stream(table(source, columns, **options)).to_dict())


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_neither_threads_nor_batches_show(
    threads: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = {name: values[kept(rows())] for name, values in hazardous().items() if name != "r"}
    source = SOURCES["Parquet"](frame(data, whole_outcomes=True), tmp_path)
    few = compared(table(source, {"p": "p", "q": "q"}, weight="w"), threads=threads).tally
    monkeypatch.setattr("logloss.batches.ROWS", 1000)
    same(few.to_dict(), compared(table(source, {"p": "p", "q": "q"}, weight="w")).tally.to_dict())


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("space", ["p", "logp", "logit"])
def test_classes_in_every_space(space: str, tmp_path: Path, rng: np.random.Generator) -> None:
    labels = np.array(["cat", "dog", "emu"])
    P = {name: rng.dirichlet([0.5, 1.0, 2.0], 200) for name in ("one", "two")}
    y = labels[[int(rng.choice(3, p=row)) for row in P["one"]]]
    columns: dict[str, Any] = {"y": y}
    for name, p in P.items():
        values = {"p": p, "logp": np.log(p), "logit": np.log(p) + 3.0}[space]
        columns |= {f"{name}_{label}": values[:, k] for k, label in enumerate(labels)}
    pl.DataFrame(columns).write_parquet(tmp_path / "rows.parquet")
    forecasts = {name: [f"{name}_{label}" for label in labels] for name in P}
    found = of_stream(table(tmp_path / "rows.parquet", forecasts, space=space))
    s = np.stack([ll.surprise(y, p, labels=list(labels)) for p in P.values()], axis=1)
    alike(found, of_contest(Contest(("one", "two"), s, np.ones(200))))
    assert found.classes == 3
    assert {row.outcome for row in found.pairs[0].top} <= set(labels)


@pytest.mark.usefixtures("small_batches")
def test_soft_outcomes_are_clipped_class_by_class(rng: np.random.Generator) -> None:
    t, p, q = rng.random(120), rng.beta(0.3, 0.3, 120), np.full(120, 0.4)
    found = of_stream(table(pl.DataFrame({"y": t, "p": p, "q": q}), {"p": "p", "q": "q"}))
    pair = found.pair("p", "q")
    assert pair.clip is not None
    sign = 1 if pair.a == "p" else -1

    def loss(forecast: np.ndarray, eps: float) -> float:
        inside = np.clip(forecast, eps, 1 - eps)
        return float((-t * np.log(inside) - (1 - t) * np.log1p(-inside)).mean())

    for eps, told in pair.clip.curve:
        assert told == pytest.approx(sign * (loss(p, eps) - loss(q, eps)), rel=1e-9, abs=1e-12)


@pytest.mark.usefixtures("small_batches")
def test_outcomes_in_another_table_are_joined(tmp_path: Path) -> None:
    data = {name: values[kept(rows())] for name, values in hazardous().items() if name != "r"}
    whole = frame(data, whole_outcomes=True).with_row_index("id")
    whole.select("id", "p", "q").write_parquet(tmp_path / "p.parquet")
    whole.select("id", "y", "w").sample(fraction=1.0, shuffle=True, seed=1).write_parquet(
        tmp_path / "y.parquet"
    )
    apart = table(
        tmp_path / "p.parquet", {"p": "p", "q": "q"}, weight="w", ids="id", truth=tmp_path / "y.parquet"
    )
    found = of_stream(apart)
    alike(found, of_stream(table(whole, {"p": "p", "q": "q"}, weight="w", ids="id")))
    assert {row.id for row in found.pairs[0].top} <= set(range(len(whole)))


BAD = {
    "out-of-range": lambda data: data | {"q": np.where(np.arange(len(data["q"])) == 130, 1.5, data["q"])},
    "bad-weights": lambda data: data | {"w": np.where(np.arange(len(data["w"])) == 131, -1.0, data["w"])},
    "missing-values": lambda data: (
        data | {"q": np.where(np.arange(len(data["q"])) == 132, np.nan, data["q"])}
    ),
    "too-many-classes": lambda data: data | {"y": np.where(np.arange(len(data["y"])) == 133, 2, data["y"])},
}


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("slug", BAD)
def test_bad_rows_are_refused_as_anywhere(slug: str, tmp_path: Path) -> None:
    data = {name: values[kept(rows())] for name, values in hazardous().items() if name != "r"}
    source = SOURCES["Parquet"](frame(BAD[slug](data)), tmp_path)
    with pytest.raises(ll.DataError) as caught:
        of_stream(table(source, {"p": "p", "q": "q"}, weight="w"))
    assert caught.value.slug == slug


def test_rows_without_weight_are_no_rows() -> None:
    data = pl.DataFrame({"y": [1, 0], "p": [0.5, 0.5], "q": [0.4, 0.4], "w": [0.0, 0.0]})
    with pytest.raises(ll.DataError) as caught:
        of_stream(table(data, {"p": "p", "q": "q"}, weight="w"))
    assert caught.value.slug == "bad-weights"


def test_the_fast_lane_is_taken_and_is_left_for_a_row_that_is_not_clean(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken = []
    clean = passing._clean
    monkeypatch.setattr(passing, "_clean", lambda records: taken.append(found := clean(records)) or found)
    data = pl.DataFrame({"y": [1, 0, 1], "p": [0.5, 0.2, 0.9], "q": [0.4, 0.3, 1.0]})
    of_stream(table(data, {"p": "p", "q": "q"}))
    assert taken[-1] is not None
    of_stream(table(data.with_columns(pl.col("q") + 3e-16), {"p": "p", "q": "q"}))
    assert taken[-1] is None


def test_what_is_kept_does_not_grow_with_the_rows(rng: np.random.Generator) -> None:
    def kept_of(n: int) -> tuple[Passed, int]:
        p = rng.random((2, n))
        data = pl.DataFrame(
            {"y": (rng.random(n) < p[0]).astype(int), "p": p[0], "q": p[1], "g": np.arange(n) % 7}
        )
        found = compared(table(data, {"p": "p", "q": "q"}, group="g"))
        return found, len(json.dumps(found.tally.to_dict()))

    (few, small), (more, large) = kept_of(2_000), kept_of(400_000)
    assert (few.rows, more.rows) == (2_000, 400_000)
    assert large < 1.2 * small


def test_which_tables_are_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = pl.DataFrame({"y": [1, 0, 1], "p": [0.5, 0.2, 0.9], "q": [0.4, 0.3, 0.8]})
    data.write_parquet(tmp_path / "rows.parquet")
    data.write_csv(tmp_path / "rows.csv")
    for name in ("rows.parquet", "rows.csv"):
        for most, expected in ((3, False), (2, True)):
            monkeypatch.setattr("logloss.comparing.streaming.MOST_ROWS", most)
            assert many(table(tmp_path / name, {"p": "p", "q": "q"})) is expected
    assert many(table(iter([data]), {"p": "p", "q": "q"}))


def test_rows_that_are_spared_are_not_missed(
    monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator
) -> None:
    monkeypatch.setattr("logloss.batches.ROWS", 500)
    monkeypatch.setattr("logloss.kernels.COMPILE_FROM", 1)
    p = rng.random((2, 6000)).round(2).clip(0.01, 0.99)  # many ties
    data = pl.DataFrame({"y": (rng.random(6000) < p[0]).astype(int), "p": p[0], "q": p[1]})
    spared = compared(table(data, {"p": "p", "q": "q"})).tally
    all_told = compared(table(data, {"p": "p", "q": "q"}, skip_unreadable=True)).tally
    assert spared.top == all_told.top
    monkeypatch.setattr("logloss.batches.ROWS", 6000)
    assert spared.top == compared(table(data, {"p": "p", "q": "q"})).tally.top


@pytest.mark.usefixtures("small_batches")
def test_blank_lines_and_classes_are_counted(tmp_path: Path) -> None:
    lines = [f"{at % 2},{0.3 + 0.004 * at:.3f},{0.6 - 0.002 * at:.3f}" for at in range(101)]
    (tmp_path / "rows.csv").write_text(
        "y,p,q\n" + "\n".join(lines[:50]) + "\n\n\n" + "\n".join(lines[50:]) + "\n"
    )
    found = compared(table(tmp_path / "rows.csv", {"p": "p", "q": "q"}))
    assert found.by_class.sums.tolist() == [[51, 50]]
    assert any(note.id == "blank-lines" and note.text.startswith("2 lines") for note in found.told())


def test_weights_beyond_cubes_are_refused() -> None:
    data = pl.DataFrame({"y": [1, 0], "p": [0.5, 0.5], "q": [0.4, 0.4], "w": [1e120, 1e119]})
    with pytest.raises(ll.DataError) as caught:
        of_stream(table(data, {"p": "p", "q": "q"}, weight="w"))
    assert caught.value.slug == "bad-weights"
