"""What to slice by: columns of files and frames, mappings beside arrays, and how what is found is told."""

from __future__ import annotations

import csv
import datetime as dt
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.special import expit

import logloss as ll
from logloss.cli import main
from planted import drawn, nats

N = 600


@pytest.fixture(autouse=True)
def without_what_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Label noise and reliability bands have tests of their own; they take most of the time of explain."""
    monkeypatch.setattr("logloss.why.blame.suspicion.of_record", lambda *_, **__: None)
    monkeypatch.setattr("logloss.why.blame.calibration_curves.of_record", lambda *_, **__: None)


def data() -> dict[str, Any]:
    """Return a table whose site "b" is miscalibrated, with columns of several kinds and missing values."""
    rng = np.random.default_rng(1)
    y, z = drawn(N, 1, scale=3.0)
    site = rng.choice(list("abc"), N)
    day = dt.date(2024, 5, 1)
    return {
        "row_id": np.arange(N) + 1000,
        "y": y,
        "p": expit(np.where(site == "b", z + 3, z)),
        "site": site,
        "age": np.round(rng.normal(50, 10, N), 1),
        "member": rng.random(N) < 0.5,
        "day": [day + dt.timedelta(int(d)) for d in rng.integers(0, 2, N)],
        "grade": [None if i % 5 == 0 else "xy"[i % 2] for i in range(N)],
    }


BY = ("site", "age", "member", "day", "grade")
TABLE = data()


def as_csv(path: Path, table: dict[str, Any] = TABLE, rows: Any = None) -> Path:
    order = range(len(next(iter(table.values())))) if rows is None else rows
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(table)
        writer.writerows(["" if table[name][i] is None else table[name][i] for name in table] for i in order)
    return path


def handed(kind: str, folder: Path) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments of explain for one way to hand the table over."""
    names = {"outcome": "y", "forecast": "p", "ids": "row_id"}
    if kind == "csv":
        return (as_csv(folder / "t.csv"),), names
    if kind == "parquet":
        pl.DataFrame(TABLE).write_parquet(folder / "t.parquet")
        return (folder / "t.parquet",), names
    if kind == "pandas":
        return (pd.DataFrame(TABLE),), names
    if kind == "polars":
        return (pl.DataFrame(TABLE),), names
    if kind == "named":
        return (pl.DataFrame(TABLE),), {**names, "by": list(BY)}
    beside = {name: TABLE[name] for name in BY}
    by = {"mapping": beside, "frame": pd.DataFrame(beside), "polars frame": pl.DataFrame(beside)}[kind]
    return (TABLE["y"], TABLE["p"]), {"by": by}


WAYS = ["csv", "parquet", "pandas", "polars", "named", "mapping", "frame", "polars frame"]


@pytest.mark.parametrize("way", WAYS)
def test_all_ways_to_hand_columns_over_say_the_same(way: str, tmp_path: Path) -> None:
    args, options = handed(way, tmp_path)
    why = ll.explain(*args, **options, pairs=False)
    assert why.slices is not None
    assert why.slices.columns == BY
    singles = {one.name: one for one in why.slices.rows if len(one.columns) == 1}
    s = nats_of(TABLE)
    for name, rows in {
        "site = b": TABLE["site"] == "b",
        "grade is missing": np.arange(N) % 5 == 0,
        "day = 2024-05-01": np.array([d == dt.date(2024, 5, 1) for d in TABLE["day"]]),
    }.items():
        one = next(o for key, o in singles.items() if key.startswith(name))
        assert one.rows == rows.sum()
        assert one.log_loss == pytest.approx(s[rows].mean(), rel=1e-9)
    for truth in (True, False):
        names = {f"member = {truth}", f"member = {str(truth).lower()}"}
        one = next(o for key, o in singles.items() if key in names)
        assert one.rows == (TABLE["member"] == truth).sum()
    low = np.quantile(TABLE["age"], 0.2, method="inverted_cdf")
    assert singles[f"age <= {low:.4g}"].rows == (TABLE["age"] <= low).sum()
    assert why.slices.named[0].columns[0] == "site"
    assert "LL040" in {finding.id for finding in why.findings}


def nats_of(table: dict[str, Any]) -> np.ndarray:
    p = np.asarray(table["p"])
    return nats(np.log(p) - np.log1p(-p), np.asarray(table["y"]))


def test_what_is_sliced_by_default_is_all_but_what_was_taken() -> None:
    table = {**TABLE, "w": np.ones(N), "group": np.arange(N) // 3, "id": np.arange(N) % 7}
    why = ll.explain(pl.DataFrame(table), outcome="y", forecast="p", weight="w", group="group", ids="row_id")
    assert why.slices is not None
    assert why.slices.columns == BY  # "id" is a name of ids
    assert why.slices.grouped
    assert ll.explain(pl.DataFrame(table), outcome="y", forecast="p", by=()).slices is None
    assert ll.explain(pl.DataFrame(table), outcome="y", forecast="p", by="id").slices.columns == ("id",)
    assert ll.explain(TABLE["y"], TABLE["p"]).slices is None
    assert ll.explain(TABLE["y"], TABLE["p"], by={}).slices is None


def test_pairs() -> None:
    frame = pl.DataFrame(TABLE)
    given = {"outcome": "y", "forecast": "p", "by": ["site", "member"]}
    both = [ll.explain(frame, **given, pairs=pairs).slices.looked_at for pairs in (None, True, False)]
    assert both == [3 + 2 + 6, 3 + 2 + 6, 3 + 2]


def test_numbers_in_text_are_numbers(tmp_path: Path) -> None:
    ages = ["NA" if i % 4 == 0 else str(a) for i, a in enumerate(TABLE["age"])]
    path = as_csv(tmp_path / "t.csv", {"y": TABLE["y"], "p": TABLE["p"], "age": ages})
    found = {one.name: one.rows for one in ll.explain(path, outcome="y", forecast="p").slices.rows}
    assert found.pop("age is missing") == N / 4
    assert len(found) == 5
    assert sum(found.values()) == 3 * N / 4


def test_skipped_rows_keep_columns_in_line(tmp_path: Path) -> None:
    table = {name: list(column) for name, column in TABLE.items()}
    lost = list(range(0, 200, 4))
    for i in lost:
        table["p"][i] = None
    kept = np.setdiff1d(np.arange(N), lost)
    expected = ll.explain(
        TABLE["y"][kept], TABLE["p"][kept], by={"site": TABLE["site"][kept], "age": TABLE["age"][kept]}
    ).slices.to_dict()
    path = as_csv(tmp_path / "gaps.csv", table)
    found = ll.explain(path, outcome="y", forecast="p", by=["site", "age"], skip_missing=True)
    assert found.score.n == len(kept)
    p = np.array([np.nan if v is None else v for v in table["p"]])
    beside = ll.explain(TABLE["y"], p, by={"site": TABLE["site"], "age": TABLE["age"]}, skip_missing=True)
    for one in (found, beside):
        assert [(o["name"], o["rows"]) for o in one.slices.to_dict()] == [
            (o["name"], o["rows"]) for o in expected
        ]
        assert [o["log_loss"] for o in one.slices.to_dict()] == pytest.approx(
            [o["log_loss"] for o in expected], rel=1e-12
        )


@pytest.mark.parametrize("kind", ["csv", "polars"])
def test_joined_tables_keep_columns_in_line(kind: str, tmp_path: Path) -> None:
    order = np.random.default_rng(2).permutation(N)
    predictions = {name: TABLE[name] for name in ("row_id", "p", "site", "age")}
    answers = {"row_id": TABLE["row_id"], "y": TABLE["y"]}
    if kind == "csv":
        left, right = as_csv(tmp_path / "p.csv", predictions), as_csv(tmp_path / "y.csv", answers, order)
    else:
        left, right = pl.DataFrame(predictions), pl.DataFrame(answers)[order.tolist()]
    why = ll.explain(left, truth=right, ids="row_id", forecast="p", outcome="y")
    assert why.slices.columns == ("site", "age")
    s = nats_of(TABLE)
    for one in why.slices.rows:
        if one.columns == ("site",):
            inside = TABLE["site"] == one.name[-1]
            assert (one.rows, one.log_loss) == (inside.sum(), pytest.approx(s[inside].mean(), rel=1e-9))
    assert why.slices.named[0].columns[0] == "site"


@pytest.mark.parametrize(
    ("by", "error", "slug", "says"),
    [
        ({"a": np.ones(N - 1)}, ll.AlignmentError, "different-lengths", "599 values; there are 600 rows"),
        ({"a": np.ones((N, 2))}, ll.AlignmentError, "wrong-shape", "'a'"),
        ("site", ll.UsageError, "array-and-names", "site"),
        (["site", "age"], ll.UsageError, "array-and-names", "site, age"),
        (7, ll.UsageError, "bad-by", "int"),
        (np.ones((N, 2)), ll.UsageError, "bad-by", "ndarray"),
    ],
)
def test_what_cannot_be_sliced_by_beside_arrays(by: Any, error: type, slug: str, says: str) -> None:
    with pytest.raises(error, match=re.escape(says)) as caught:
        ll.explain(TABLE["y"], TABLE["p"], by=by)
    assert caught.value.slug == slug
    assert caught.value.cure


@pytest.mark.parametrize("by", ["sit", ["site", "nowhere"]])
def test_columns_that_the_table_lacks(by: Any) -> None:
    with pytest.raises(ll.ColumnError, match=r"sit|nowhere") as caught:
        ll.explain(pl.DataFrame(TABLE), outcome="y", forecast="p", by=by)
    assert caught.value.cure


def test_more_than_fifty_columns_and_columns_without_slices_are_said() -> None:
    rng = np.random.default_rng(3)
    table = {"y": TABLE["y"], "p": TABLE["p"], **{f"c{i:02}": rng.integers(0, 2, N) for i in range(53)}}
    table["c00"] = np.zeros(N, int)
    why = ll.explain(pl.DataFrame(table), outcome="y", forecast="p")
    told = [note.text for note in why.score.notes if note.id == "not-sliced"]
    assert any("first 50 of 53" in text for text in told)
    assert any("'c00'" in text for text in told)
    assert why.slices.columns == tuple(f"c{i:02}" for i in range(1, 50))


# How it is told -----------------------------------------------------------------------------------------------------


def test_the_screen_in_numbers() -> None:
    why = ll.explain(pl.DataFrame(TABLE), outcome="y", forecast="p", by=["site", "age"], pairs=False)
    text = why.show()
    one = why.slices.named[0]
    (line,) = [line for line in text.splitlines() if line.strip().startswith("site = b") and "(" in line]
    told = [float(word) for word in re.findall(r"[-+]?\d+\.\d+", line.replace("−", "-"))]
    for number in (one.log_loss, one.excess, one.calibration_interval[0]):
        assert any(abs(abs(found) - number) < 6e-5 for found in told), (number, line)
    assert f"{one.rows}" in line
    assert f"Slices: {len(why.slices.named)} of {why.slices.looked_at} by 2 columns stand out" in text
    entries = {entry.name: entry for entry in why.decomposition.budget}
    (first,) = [line for line in text.splitlines() if "base rate alone" in line]
    assert f"{entries['base_rate'].nats:.4f}" in first
    bits = why.show("bits")
    assert f"{entries['base_rate'].nats / np.log(2):.4f}" in bits
    assert f"{one.log_loss / np.log(2):.4f}" in bits
    outside, inside = why.decomposition.cross_fitted, why.decomposition.in_sample
    (span,) = [line for line in text.splitlines() if "miscalibration between" in line]
    assert f"{inside.miscalibration:.4f}, fitted to these very rows" in span
    assert f"between {outside.miscalibration:.4f}" in span
    json.dumps(why.to_dict(), allow_nan=False)
    assert why.to_dict()["slices"][0]["name"] == one.name


@pytest.mark.parametrize("name", ["\x1b[31mred", "a = b", "two words", "--by", "日本", "x\ny", "'quoted'"])
def test_hostile_names_and_values_are_printed_harmlessly(name: str) -> None:
    values = np.where(TABLE["site"] == "b", "\x1b[2Jb\n", TABLE["site"])
    why = ll.explain(TABLE["y"], TABLE["p"], by={name: values})
    assert "LL040" in {finding.id for finding in why.findings}
    for text in (why.show(), why._repr_html_()):
        assert "\x1b" not in text
        assert "in their own way" in text
    assert "stand out" in why.show()
    json.dumps(why.to_dict(), allow_nan=False)


def test_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def said(*args: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["logloss", *map(str, args)])
        with pytest.raises(SystemExit) as caught:
            main()
        out = capsys.readouterr()
        return int(caught.value.code or 0), out.out, out.err

    path = as_csv(tmp_path / "t.csv", {name: TABLE[name] for name in ("y", "p", "site", "age", "member")})
    names = ("explain", path, "--outcome", "y", "--forecast", "p", "--json")

    def slices(*more: str) -> dict[str, Any]:
        code, out, err = said(*names, *more)
        assert code == 0, err
        return json.loads(out)

    every = slices()
    assert every["slices_looked_at"] == (3 + 5 + 2) + (15 + 6 + 10)
    assert every["slices"][0]["columns"][0] == "site"
    assert slices("--no-slices")["slices"] == []
    assert {tuple(one["columns"]) for one in slices("--by", "site")["slices"]} == {("site",)}
    assert slices("--by", "site", "--by", "member", "--no-pairs")["slices_looked_at"] == 5
    assert slices("--by", "site", "--by", "member", "--pairs")["slices_looked_at"] == 11
    code, _, err = said(*names, "--by", "nowhere")
    assert code != 0
    assert "nowhere" in err
