"""What `compare` takes - arrays, tables, files - and what it refuses, with the cure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.typing import NDArray

import logloss as ll

Float = NDArray[np.float64]


def rows(n: int = 400, seed: int = 0) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    z = random.normal(0, 1.5, n)
    y = (random.random(n) < 1 / (1 + np.exp(-z))).astype(int)
    new = 1 / (1 + np.exp(-z))
    old = 1 / (1 + np.exp(-2.5 * z - 0.4))
    site = np.array(["north", "south"])[random.integers(0, 2, n)]
    return pl.DataFrame(
        {
            "id": np.arange(n) + 100,
            "y": y,
            "new": new,
            "old": old,
            "site": site,
            "w": random.integers(0, 3, n),
        }
    )


FRAME = rows()
Y, NEW, OLD = (FRAME[name].to_numpy() for name in ("y", "new", "old"))
LOSS = {name: float(-np.log(np.where(Y == 1, p, 1 - p)).mean()) for name, p in (("new", NEW), ("old", OLD))}


def same(found: ll.Comparison, a: str = "new", b: str = "old") -> None:
    """Check that a comparison is that of the two columns of FRAME, by the formula."""
    pair = found.pair(a, b)
    d = np.log(np.where(Y == 1, OLD, 1 - OLD)) - np.log(np.where(Y == 1, NEW, 1 - NEW))
    assert (pair.a, pair.b, pair.verdict) == (a, b, "a better")
    assert pair.difference == pytest.approx(d.mean(), rel=1e-9)
    assert pair.standard_error == pytest.approx(d.std(ddof=1) / np.sqrt(len(d)), rel=1e-9)
    assert found.models[a].log_loss == pytest.approx(LOSS["new"], rel=1e-9)
    assert found.n == len(Y)


def test_arrays() -> None:
    same(ll.compare(Y, {"new": NEW, "old": OLD}))
    same(ll.compare(pd.Series(Y), {"new": pd.Series(NEW), "old": pd.Series(OLD)}))
    same(ll.compare(Y.tolist(), {"new": NEW.tolist(), "old": OLD.tolist()}))


def test_the_spaces_agree() -> None:
    p = {"new": NEW, "old": OLD}
    both = {name: np.column_stack([1 - one, one]) for name, one in p.items()}
    same(ll.compare(Y, both, labels=[0, 1]))
    same(ll.compare(Y, {name: np.log(one) for name, one in both.items()}, space="logp", labels=[0, 1]))
    same(ll.compare(Y, {name: np.log(one / (1 - one)) for name, one in p.items()}, space="logit"))


def test_soft_outcomes_and_weights() -> None:
    t = 0.8 * Y + 0.1
    w = FRAME["w"].to_numpy().astype(float)
    found = ll.compare(t, {"new": NEW, "old": OLD}, weight=w)
    s = {name: -(t * np.log(p) + (1 - t) * np.log(1 - p)) for name, p in (("new", NEW), ("old", OLD))}
    assert found.pair("new", "old").difference == pytest.approx(
        np.average(s["new"] - s["old"], weights=w), rel=1e-9
    )
    assert found.n == (w > 0).sum()


def test_classes() -> None:
    random = np.random.default_rng(0)
    p, q = random.dirichlet(np.ones(4), 300), random.dirichlet(np.ones(4), 300)
    y = np.array([random.choice(4, p=row) for row in p])
    names = np.array(["a", "b", "c", "d"])
    table = pl.DataFrame(
        {"label": names[y]}
        | {f"{m}_{c}": x[:, k] for m, x in (("p", p), ("q", q)) for k, c in enumerate(names)}
    )
    found = ll.compare(table, {m: [f"{m}_{c}" for c in names] for m in "pq"})
    at = np.arange(300)
    assert found.pair("p", "q").difference == pytest.approx(np.log(q[at, y] / p[at, y]).mean(), rel=1e-9)
    assert found.classes == 4


def test_a_table_with_several_columns(tmp_path: Path) -> None:
    FRAME.write_csv(tmp_path / "preds.csv")
    FRAME.write_parquet(tmp_path / "preds.parquet")
    for file in ("preds.csv", "preds.parquet"):
        same(ll.compare(tmp_path / file, ["new", "old"]))
        same(ll.compare(str(tmp_path / file), {"A": "new", "B": "old"}), "A", "B")
    same(ll.compare(FRAME.to_pandas(), ["new", "old"]))


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path, Path]:
    """Return files of two forecasts, in other orders, and one of outcomes."""
    FRAME.select("id", "y", p="new").write_csv(tmp_path / "new.csv")
    FRAME.select("id", "y", p="old").sample(fraction=1, shuffle=True, seed=1).write_parquet(
        tmp_path / "old.parquet"
    )
    FRAME.select("id", "y", "site").reverse().write_csv(tmp_path / "truth.csv")
    return tmp_path / "new.csv", tmp_path / "old.parquet", tmp_path / "truth.csv"


def test_several_files_are_matched_by_id(files: tuple[Path, Path, Path]) -> None:
    new, old, truth = files
    found = ll.compare([new, old])
    same(found)
    assert "matched-by-id" in [note.id for note in found.notes]
    same(ll.compare([str(new), str(old)], "p", outcome="y", ids="id"))
    same(ll.compare({"N": new, "O": old}), "N", "O")
    without = [pl.read_csv(new).drop("y"), pl.read_parquet(old).drop("y")]
    same(ll.compare({"new": without[0], "old": without[1]}, truth=truth, outcome="y"))
    assert found.pairs[0].top[0].id in FRAME["id"].to_list()


def test_columns_beside_the_outcomes_are_found(files: tuple[Path, Path, Path]) -> None:
    new, old, truth = files
    without = {"new": pl.read_csv(new).drop("y"), "old": pl.read_parquet(old).drop("y")}
    found = ll.compare(without, truth=truth, outcome="y", by="site")
    direct = ll.compare(Y, {"new": NEW, "old": OLD}, by={"site": FRAME["site"].to_numpy()})
    assert {one.name: one.difference for one in found.pairs[0].slices} == pytest.approx(
        {one.name: one.difference for one in direct.pairs[0].slices}
    )


def test_forecasts_are_named_after_their_files(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        FRAME.select("id", "y", p="new" if folder == "a" else "old").write_csv(tmp_path / folder / "p.csv")
    paths = [tmp_path / "a" / "p.csv", tmp_path / "b" / "p.csv"]
    same(ll.compare(paths), str(paths[0]), str(paths[1]))
    with pytest.raises(ll.UsageError, match="given twice"):
        ll.compare([paths[0], paths[0]])


def test_each_file_may_call_its_forecast_otherwise(tmp_path: Path) -> None:
    FRAME.select("id", "y", "new").write_csv(tmp_path / "x.csv")
    FRAME.select("id", "y", "old", q="new").write_csv(tmp_path / "z.csv")
    same(ll.compare([tmp_path / "x.csv", tmp_path / "z.csv"], {"x": "new", "z": "old"}), "x", "z")
    with pytest.raises(ll.UsageError, match="no table 'w'"):
        ll.compare([tmp_path / "x.csv", tmp_path / "z.csv"], {"x": "new", "w": "old"})


def test_without_ids_rows_are_matched_by_position() -> None:
    new, old = FRAME.select("y", p="new"), FRAME.select("y", p="old")
    found = ll.compare({"new": new, "old": old})
    same(found)
    assert "matched-by-position" in [note.id for note in found.notes]
    with pytest.raises(ll.AlignmentError, match=r"new: 400, old: 399.*different-rows"):
        ll.compare({"new": new, "old": old[:-1]})
    with pytest.raises(ll.OutcomeError, match="different-outcomes"):
        ll.compare({"new": new, "old": old.reverse()})


def test_other_rows_are_refused_or_left_out_on_purpose() -> None:
    new, old = FRAME.select("id", "y", p="new"), FRAME.select("id", "y", p="old")
    with pytest.raises(
        ll.AlignmentError,
        match=r"398 ids are in all of new, old; 2 of the 400 in new are not \('100', '101'\)",
    ) as error:
        ll.compare({"new": new, "old": old[2:]})
    assert "--shared" in error.value.cure
    found = ll.compare({"new": new, "old": old[2:]}, shared=True)
    assert found.n == 398
    assert (
        found.pairs[0].difference == ll.compare(Y[2:], {"new": NEW[2:], "old": OLD[2:]}).pairs[0].difference
    )
    assert "rows-not-shared" in [note.id for note in found.notes]
    with pytest.raises(ll.AlignmentError, match="0 ids are in all"):
        ll.compare({"new": new[:9], "old": old[10:]}, shared=True)


def test_other_outcomes_are_refused() -> None:
    new, old = FRAME.select("id", "y", p="new"), FRAME.select("id", "y", p="old")
    wrong = old.with_columns(y=pl.when(pl.col("id") == 107).then(1 - pl.col("y")).otherwise(pl.col("y")))
    with pytest.raises(
        ll.OutcomeError, match=rf"1 row of 400 differ \(id '107': {Y[7]} against {1 - Y[7]}\)"
    ):
        ll.compare({"new": new, "old": wrong.reverse()})


def test_other_classes_are_refused_and_other_orders_are_not() -> None:
    words = FRAME.select(
        "id", label=pl.col("y").replace_strict({0: "cat", 1: "dog"}), dog="new", cat=1 - pl.col("new")
    )
    turned = FRAME.select(
        "id", label=pl.col("y").replace_strict({0: "cat", 1: "dog"}), cat=1 - pl.col("old"), dog="old"
    )
    same(ll.compare({"new": words, "old": turned}))
    one = words.select("id", "label", "dog")
    other = turned.select("id", "label", "cat").reverse()
    same(ll.compare({"new": one, "old": other}))
    with pytest.raises(ll.OutcomeError, match="different-classes"):
        ll.compare(
            {
                "new": words,
                "old": turned.with_columns(label=pl.lit("x") + pl.col("label")).rename(
                    {"cat": "xcat", "dog": "xdog"}
                ),
            }
        )


def test_weights_and_groups_may_stand_in_the_first_file() -> None:
    new, old = FRAME.select("id", "y", "w", "site", p="new"), FRAME.select("id", "y", p="old").reverse()
    found = ll.compare({"new": new, "old": old}, "p", weight="w")
    direct = ll.compare(Y, {"new": NEW, "old": OLD}, weight=FRAME["w"].to_numpy())
    assert found.pairs[0].interval == pytest.approx(direct.pairs[0].interval)
    grouped = ll.compare({"new": new, "old": old}, "p", group="site")
    assert (grouped.unit, grouped.units) == ("group", 2)
    with pytest.raises(ll.AlignmentError, match="different-weights"):
        ll.compare({"new": new, "old": old.with_columns(w=pl.lit(1))}, "p", weight="w")


def test_time_and_folds() -> None:
    day = np.arange(400) // 4
    found = ll.compare(Y, {"new": NEW, "old": OLD}, time=day, fold=day % 5, target="models")
    assert (found.unit, found.units, found.target) == ("point in time", 100, "models")
    frame = FRAME.with_columns(day=pl.Series(day), f=pl.Series(day % 5))
    assert ll.compare(frame, ["new", "old"], time="day").pairs[0].interval == pytest.approx(
        found.pairs[0].interval
    )
    assert ll.compare(frame, ["new", "old"], fold="f", target="algorithm").units == 5
    with pytest.raises(ll.ColumnError, match="no-time"):
        ll.compare(Y, {"new": NEW, "old": OLD}, time=np.where(day > 3, np.nan, day))


def test_a_clip_on_purpose_settles_infinities() -> None:
    p = NEW.copy()
    q = OLD.copy()
    p[:2], q[5] = 1 - Y[:2], 1 - Y[5]
    assert ll.compare(Y, {"new": p, "old": q}).pairs[0].verdict == "undefined"
    found = ll.compare(Y, {"new": p, "old": q}, clip=1e-3)
    s = {
        name: -np.log(np.clip(np.where(Y == 1, one, 1 - one), 1e-3, 1 - 1e-3))
        for name, one in (("new", p), ("old", q))
    }
    assert found.pair("new", "old").difference == pytest.approx((s["new"] - s["old"]).mean(), rel=1e-9)
    told = next(note.text for note in found.notes if note.id == "clipped-on-purpose")
    assert f"{(np.minimum(p, 1 - p) < 1e-3).sum()} rows of 'new'" in told
    with pytest.raises(ll.UsageError, match="bad-clip"):
        ll.compare(Y, {"new": p, "old": q}, clip=0.6)


def test_missing_values_leave_the_same_rows() -> None:
    p = NEW.copy()
    p[3] = np.nan
    found = ll.compare(Y, {"new": p, "old": OLD}, skip_missing=True)
    assert found.n == 399
    assert (
        found.pair("new", "old").difference
        == ll.compare(np.delete(Y, 3), {"new": np.delete(NEW, 3), "old": np.delete(OLD, 3)})
        .pair("new", "old")
        .difference
    )


def test_parts_of_a_difference_add_up() -> None:
    pair = ll.compare(Y, {"new": NEW, "old": OLD}).pairs[0]
    assert pair.calibration is not None
    assert pair.sorting is not None
    assert pair.calibration + pair.sorting == pytest.approx(pair.difference, rel=1e-9)
    assert pair.calibration < 10 * pair.sorting  # `old` sorts as `new` does, but is over-confident


def test_bets_row_by_row() -> None:
    pair = ll.compare(Y, {"new": NEW, "old": OLD}, sequential=True).pairs[0]
    alone = ll.sequential(Y, {"new": NEW, "old": OLD})
    assert pair.beside["sequential"]["p_value"] == alone.p_value


def test_many_classes_in_another_order_and_an_error_that_names_its_table() -> None:
    random = np.random.default_rng(0)
    names = ["ant", "bee", "cow"]
    p, q = random.dirichlet(np.ones(3), 200), random.dirichlet(np.ones(3), 200)
    y = random.integers(0, 3, 200)
    base = pl.DataFrame({"id": np.arange(200), "label": [names[k] for k in y]})
    new = base.with_columns(pl.Series(name, p[:, k]) for k, name in enumerate(names))
    old = base.with_columns(pl.Series(names[k], q[:, k]) for k in (2, 0, 1)).sample(
        fraction=1, shuffle=True, seed=0
    )
    at = np.arange(200)
    found = ll.compare({"new": new, "old": old}).pair("new", "old")
    assert found.difference == pytest.approx(np.log(q[at, y] / p[at, y]).mean(), rel=1e-9)
    t = np.eye(3)[y] * 0.7 + 0.1
    soft = [
        pl.DataFrame(
            {"id": np.arange(200)}
            | {f"y_{names[k]}": t[:, k] for k in order}
            | {names[k]: x[:, k] for k in order}
        )
        for x, order in ((p, (0, 1, 2)), (q, (1, 2, 0)))
    ]
    shares = ll.compare(
        dict(zip(("new", "old"), soft, strict=True)), names, outcome=[f"y_{name}" for name in names]
    ).pair("new", "old")
    assert shares.difference == pytest.approx((t * np.log(q / p)).sum(axis=1).mean(), rel=1e-9)
    with pytest.raises(ll.LoglossError, match=r"old: .*row 3"):
        ll.compare(
            {
                "new": new,
                "old": old.with_columns(ant=pl.when(pl.int_range(200) == 3).then(None).otherwise("ant")),
            }
        )


def test_a_panel_knows_what_its_rows_said(tmp_path: Path) -> None:
    panel = ll.summarize(FRAME, {"new": "new", "old": "old"})
    same(ll.compare(panel))
    same(ll.compare(ll.score(FRAME, {"new": "new", "old": "old"})))
    panel.save(tmp_path / "panel.json")
    same(ll.compare(tmp_path / "panel.json"))
    with pytest.raises(ll.UsageError, match="panel-has-no-rows"):
        ll.compare(panel, time="day")
    with pytest.raises(ll.AlignmentError, match="unpaired-summaries"):
        ll.compare([tmp_path / "panel.json", panel])
    ll.summarize(Y, NEW).save(tmp_path / "one.json")
    with pytest.raises(ll.AlignmentError, match="unpaired-summaries"):
        ll.compare([tmp_path / "one.json", tmp_path / "one.json"])


def test_a_table_of_many_rows_is_passed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from logloss.comparing import streaming

    monkeypatch.setattr(streaming, "MOST_ROWS", 300)
    FRAME.write_csv(tmp_path / "preds.csv")
    found = ll.compare(tmp_path / "preds.csv", ["new", "old"])
    same(found)
    assert "compared-in-a-pass" in [note.id for note in found.notes]
    with pytest.raises(ll.UsageError, match="not-in-passes"):
        ll.compare(tmp_path / "preds.csv", ["new", "old"], by="site")
    with pytest.raises(ll.UsageError, match="not-in-passes"):
        ll.compare(tmp_path / "preds.csv", ["new", "old"], target="algorithm")


@pytest.mark.parametrize(
    ("call", "slug"),
    [
        (lambda: ll.compare(FRAME), "too-few-forecasts"),
        (lambda: ll.compare(FRAME, "new"), "too-few-forecasts"),
        (lambda: ll.compare(FRAME, {"a": "new"}), "too-few-forecasts"),
        (lambda: ll.compare(Y, NEW), "too-few-forecasts"),
        (lambda: ll.compare(Y, {"new": NEW}), "too-few-forecasts"),
        (lambda: ll.compare([FRAME]), "too-few-forecasts"),
        (lambda: ll.compare(Y, {"new": NEW, "old": "p"}), "array-and-names"),
        (lambda: ll.compare(Y, {"new": NEW, "old": OLD[:-1]}), "different-lengths"),
        (lambda: ll.compare(Y, {"new": NEW, "old": OLD}, reference="odl"), "no-such-model"),
        (lambda: ll.compare(Y, {"new": NEW, "old": OLD}, level=95), "bad-level"),
        (lambda: ll.compare(Y, {"new": NEW, "old": OLD}, target="both"), "unknown-target"),
        (lambda: ll.compare(Y, {"new": NEW, "old": OLD}, time=[1, 2]), "different-lengths"),
        (lambda: ll.compare([ll.summarize(Y, NEW), ll.summarize(Y, OLD)]), "unpaired-summaries"),
        (lambda: ll.compare({"a": ll.score(Y, NEW), "b": ll.score(Y, OLD)}), "unpaired-summaries"),
        (lambda: ll.compare(FRAME, ["new", "olt"]), "no-such-column"),
    ],
)  # fmt: skip
def test_refusals(call: Any, slug: str) -> None:
    with pytest.raises(ll.LoglossError) as error:
        call()
    assert error.value.slug == slug
    assert error.value.cure
