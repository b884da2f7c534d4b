"""Better forecasts as files: every other column as it was, every row in its place, all of it or nothing."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import logloss as ll
from logloss.calibrate.maps import Scaling
from logloss.fixing.tables import apply_to_table, write_held_out
from logloss.rewriting import refuse_to_write


def half(columns: tuple[str, ...] = ("p",), classes: tuple = ("no", "yes"), space: str = "p") -> ll.FittedMap:
    C = 1 if len(classes) == 2 else len(classes)
    return ll.FittedMap("temperature", (Scaling(np.full(C, 0.5), np.zeros(C)),), classes, columns, space)


MESSY = (
    'id,name,p,note,n,empty,"a,b",quoted\n'
    '007,=1+1,0.9,"say ""hi"", ok",1.50,,2026-01-02,"5"\n'
    '010,né\u202e猫,0.2,"line\nbreak",2,,\'x,\n'
    "-0, pad ,.5,NA,1e3,,null,nan\n"
)


def cells(path: Path, separator: str = ",") -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file, delimiter=separator))


@pytest.mark.parametrize("out", ["out.csv", "out.tsv", "out.parquet", "out.arrow", "out.jsonl", "out.ndjson"])
def test_other_columns_stay_as_they_are(out: str, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text(MESSY, encoding="utf-8")
    assert apply_to_table(half(), tmp_path / "new.csv", tmp_path / out) == (3, ["p"], [])
    given = cells(tmp_path / "new.csv")
    if out.endswith(("csv", "tsv")):
        got = cells(tmp_path / out, "\t" if out.endswith("tsv") else ",")
    elif out.endswith(("ndjson", "jsonl")):
        rows = [json.loads(line) for line in (tmp_path / out).read_text(encoding="utf-8").splitlines()]
        got = [list(rows[0])] + [["" if one is None else str(one) for one in row.values()] for row in rows]
    else:
        frame = (pl.read_parquet if out.endswith("parquet") else pl.read_ipc)(tmp_path / out)
        got = [frame.columns] + [["" if one is None else str(one) for one in row] for row in frame.rows()]
    at = given[0].index("p")
    assert [[*row[:at], *row[at + 1 :]] for row in got] == [[*row[:at], *row[at + 1 :]] for row in given]
    assert [float(row[at]) for row in got[1:]] == pytest.approx([0.75, 1 / 3, 0.5], rel=1e-15)


def test_types_stay_too(tmp_path: Path) -> None:
    import datetime as dt

    frame = pl.DataFrame(
        {
            "id": ["007", "8"] * 200,
            "day": [dt.date(2026, 1, 1), None] * 200,
            "p": [0.2, 0.8] * 200,
            "kind": pl.Series(["a", "b"] * 200, dtype=pl.Categorical),
            "none": [None] * 400,
            "big": pl.Series([2**60 + 1, -5] * 200, dtype=pl.Int64),
            "small": pl.Series([0.1, 0.2] * 200, dtype=pl.Float32),
            "money": pl.Series(["1.10", "2.25"] * 200).cast(pl.Decimal(10, 2)),
            "bytes": [b"\x00\xff", b""] * 200,
        }
    )
    frame.write_parquet(tmp_path / "new.parquet")
    apply_to_table(half(), tmp_path / "new.parquet", tmp_path / "out.parquet")
    got = pl.read_parquet(tmp_path / "out.parquet")
    assert got.schema == frame.schema
    assert got.drop("p").equals(frame.drop("p"))
    assert got["p"].to_numpy() == pytest.approx([1 / 3, 2 / 3] * 200)
    with pytest.raises(ll.LoglossError) as caught:
        apply_to_table(half(), tmp_path / "new.parquet", tmp_path / "out.csv")
    assert caught.value.slug == "cannot-write"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new.parquet", "out.parquet"]


def test_columns_of_classes_in_any_order(tmp_path: Path) -> None:
    P = np.random.default_rng(0).dirichlet(np.ones(3), 50)
    cooled = np.sqrt(P) / np.sqrt(P).sum(axis=1, keepdims=True)
    fitted = half(("p_a", "p_b", "p_c"), ("a", "b", "c"))
    frame = pl.DataFrame({"p_c": P[:, 2], "id": range(50), "p_a": P[:, 0], "p_b": P[:, 1]})
    rows, columns, _ = apply_to_table(fitted, frame, tmp_path / "out.parquet")
    got = pl.read_parquet(tmp_path / "out.parquet")
    assert (rows, columns) == (50, ["p_a", "p_b", "p_c"])
    assert got.columns == frame.columns
    assert got.select("p_a", "p_b", "p_c").to_numpy() == pytest.approx(cooled, rel=1e-12)
    named = frame.rename({"p_a": "q_a", "p_b": "q_b", "p_c": "q_c"})
    apply_to_table(fitted, named, tmp_path / "named.parquet", forecast=["q_c", "q_a", "q_b"])
    again = pl.read_parquet(tmp_path / "named.parquet")
    assert again.select("q_a", "q_b", "q_c").to_numpy() == pytest.approx(cooled, rel=1e-12)


def test_the_column_of_the_second_class_or_both(tmp_path: Path) -> None:
    frame = pl.DataFrame({"p_yes": [0.9], "p_no": [0.1]})
    apply_to_table(half(("p_no", "p_yes")), frame, tmp_path / "both.csv")
    assert pl.read_csv(tmp_path / "both.csv").row(0) == pytest.approx((0.75, 0.25))


@pytest.mark.parametrize("space", ["logit", "logp"])
def test_forecasts_stay_in_their_space(space: str, tmp_path: Path) -> None:
    z = np.array([2.0, -4.0])
    if space == "logit":
        apply_to_table(half(space=space), {"p": z}, tmp_path / "out.csv")
        assert pl.read_csv(tmp_path / "out.csv")["p"].to_list() == pytest.approx((z / 2).tolist())
        return
    logs = {"n": -np.logaddexp(0, z), "y": -np.logaddexp(0, -z)}
    apply_to_table(half(("n", "y"), ("n", "y"), space), logs, tmp_path / "out.csv")
    got = pl.read_csv(tmp_path / "out.csv")
    assert got["y"].to_list() == pytest.approx((-np.logaddexp(0, -z / 2)).tolist())
    assert got["n"].to_list() == pytest.approx((-np.logaddexp(0, z / 2)).tolist())


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logloss.batches.ROWS", 100)
    monkeypatch.setattr("logloss.passes.HEAD", 16)


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("out", ["out.csv", "out.parquet", "out.jsonl"])
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_many_batches_are_one_table(kind: str, out: str, tmp_path: Path) -> None:
    p = np.random.default_rng(1).random(1234)
    frame = pl.DataFrame({"id": [f"{at:05d}" for at in range(1234)], "p": p})
    path = tmp_path / f"new.{kind}"
    frame.write_csv(path) if kind == "csv" else frame.write_parquet(path, row_group_size=77)
    assert apply_to_table(half(), path, tmp_path / out)[0] == 1234
    if out.endswith("csv"):
        got = pl.read_csv(tmp_path / out, infer_schema=False)
    else:
        got = pl.read_parquet(tmp_path / out) if out.endswith("parquet") else pl.read_ndjson(tmp_path / out)
    assert got["id"].to_list() == frame["id"].to_list()
    assert got["p"].cast(float).to_numpy() == pytest.approx(half().apply(p), rel=1e-12)


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize(
    ("bad", "slug"), [("1.5", "out-of-range"), ("", "missing-values"), ("many", "text-in-numbers")]
)
@pytest.mark.parametrize("out", ["out.csv", "out.parquet"])
def test_a_bad_row_in_the_middle_leaves_nothing(bad: str, slug: str, out: str, tmp_path: Path) -> None:
    lines = [f"{at},0.{at % 9 + 1}\n" for at in range(1500)]
    lines[1234] = f"1234,{bad}\n"
    (tmp_path / "new.csv").write_text("id,p\n" + "".join(lines))
    (tmp_path / out).write_text("before")
    for _ in range(2):
        with pytest.raises(ll.LoglossError) as caught:
            apply_to_table(half(), tmp_path / "new.csv", tmp_path / out)
        assert "1234" in str(caught.value).replace(",", "")
        assert caught.value.slug == slug
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new.csv", out]
    assert (tmp_path / out).read_text() == "before"


def test_a_table_without_rows(tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text("id,p\n")
    for out in ("out.csv", "out.parquet"):
        with pytest.raises(ll.SourceError) as caught:
            apply_to_table(half(), tmp_path / "new.csv", tmp_path / out)
        assert caught.value.slug == "no-rows"
    assert [path.name for path in tmp_path.iterdir()] == ["new.csv"]


@pytest.mark.parametrize(
    ("fitted", "forecast", "slug"),
    [
        (half(()), None, "no-forecast"),
        (half(("q",)), None, "no-such-column"),
        (half(), ["p", "id", "n"], "labels-count"),
        (half(("p",), ("a", "b", "c")), None, "labels-count"),
    ],
)
def test_columns_that_are_not_there(
    fitted: ll.FittedMap, forecast: list[str] | None, slug: str, tmp_path: Path
) -> None:
    with pytest.raises(ll.LoglossError) as caught:
        apply_to_table(fitted, {"id": [1], "p": [0.5], "n": [2]}, tmp_path / "out.csv", forecast=forecast)
    assert caught.value.slug == slug
    assert caught.value.cure
    assert not (tmp_path / "out.csv").exists()


def test_where_nothing_is_written(tmp_path: Path) -> None:
    there, new = tmp_path / "there.csv", tmp_path / "new.csv"
    there.write_text("p\n0.5\n")
    (tmp_path / "link.csv").symlink_to(there)

    def slug(path: Path, *, force: bool = False, inputs: tuple[Path, ...] = ()) -> str | None:
        try:
            refuse_to_write(str(path), force=force, inputs=[str(one) for one in inputs])
        except ll.LoglossError as error:
            return error.slug
        return None

    assert slug(new) is None
    assert slug(there) == "would-overwrite"
    assert slug(there, force=True) is None
    assert slug(there, force=True, inputs=(there,)) == "would-overwrite"
    assert slug(tmp_path / "link.csv", force=True, inputs=(there,)) == "would-overwrite"
    assert slug(new.with_suffix(".xlsx")) == "cannot-write"
    assert slug(tmp_path / "nowhere" / "new.csv") == "cannot-write"
    assert there.read_text() == "p\n0.5\n"


def written(n: int = 120) -> pl.DataFrame:
    random = np.random.default_rng(5)
    z = random.normal(0, 1.3, n)
    y = random.random(n) < 1 / (1 + np.exp(-z))
    return pl.DataFrame(
        {
            "id": [f"{at:03d}" for at in range(n)],
            "state": np.where(y, "sick", "well"),
            "p": (1 / (1 + np.exp(-3 * z))).round(6),
            "why": ['=A1, "quoted"'] * n,
        }
    )


@pytest.mark.parametrize("out", ["held.csv", "held.parquet"])
def test_own_rows_are_written_held_out(out: str, tmp_path: Path) -> None:
    frame = written().with_columns(p=pl.when(pl.col("id") == "007").then(None).otherwise(pl.col("p")))
    frame.write_csv(tmp_path / "rows.csv")
    asked = {"outcome": "state", "forecast": "p", "positive": "sick", "skip_missing": True}
    result = ll.fix(tmp_path / "rows.csv", **asked)
    assert result.chosen != "identity"
    rows, columns, notes = write_held_out(result, tmp_path / "rows.csv", tmp_path / out, **asked)
    assert (rows, columns, [note.id for note in notes]) == (119, ["p"], ["rows-not-written"])
    got = (pl.read_csv(tmp_path / out, infer_schema=False) if out.endswith("csv") else pl.read_parquet(tmp_path / out))  # fmt: skip
    kept = frame.filter(pl.col("p").is_not_null())
    assert got.columns == frame.columns
    assert got.drop("p").rows() == kept.drop("p").rows()
    assert got["p"].cast(float).to_numpy() == pytest.approx(result.held_out(), rel=1e-14)
    assert result.held_out() != pytest.approx(result.apply(kept["p"].to_numpy()), abs=1e-6)


def test_held_out_columns_go_to_their_class(tmp_path: Path) -> None:
    frame = written().with_columns(p_sick=pl.col("p"), p_well=1 - pl.col("p")).drop("p")
    asked = {"outcome": "state", "forecast": ["p_well", "p_sick"]}
    result = ll.fix(frame, **asked)
    write_held_out(result, frame, tmp_path / "held.parquet", **asked)
    got = pl.read_parquet(tmp_path / "held.parquet")
    assert got.columns == frame.columns
    y = (got["state"] == "sick").to_numpy().astype(int)
    (tried,) = (one for one in result.candidates if one.name == result.chosen)
    assert ll.log_loss(y, got["p_sick"].to_numpy()) == pytest.approx(tried.log_loss, rel=1e-9)
    assert (got["p_sick"] + got["p_well"]).to_numpy() == pytest.approx(np.ones(120))
