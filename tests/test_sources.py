"""Files, frames and joins: the same rows give the same record, whatever they come in; what cannot be read says why."""

from __future__ import annotations

import gzip
import io
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import logloss as ll

Y = ["cat", "dog", "dog", "cat"]
P = [0.25, 0.8, 0.5, 0.125]
EXPECTED = -np.log([0.75, 0.8, 0.5, 0.875]).mean()


@pytest.fixture
def frame() -> pl.DataFrame:
    return pl.DataFrame({"id": ["a", "b", "c", "d"], "y": Y, "p": P, "w": [1.0, 2.0, 3.0, 4.0]})


def write(frame: pl.DataFrame, path: Path) -> Path:
    match "".join(path.suffixes):
        case ".csv":
            frame.write_csv(path)
        case ".tsv":
            frame.write_csv(path, separator="\t")
        case ".parquet":
            frame.write_parquet(path)
        case ".arrow" | ".feather":
            frame.write_ipc(path)
        case ".jsonl" | ".ndjson":
            frame.write_ndjson(path)
        case ".json":
            path.write_text(json.dumps(frame.to_dicts()))
        case ".csv.gz":
            path.write_bytes(gzip.compress(frame.write_csv().encode()))
        case ".csv.zst":
            frame.lazy().sink_csv(path, compression="zstd")
        case ".jsonl.gz":
            path.write_bytes(gzip.compress(frame.write_ndjson().encode()))
        case ".npz":
            np.savez(
                path,
                **{
                    name: frame[name].cast(pl.String).to_numpy().astype(str)
                    if frame[name].dtype == pl.String
                    else frame[name].to_numpy()
                    for name in frame.columns
                },
            )
        case other:
            raise AssertionError(other)
    return path


FILES = [
    "f.csv",
    "f.tsv",
    "f.parquet",
    "f.arrow",
    "f.feather",
    "f.jsonl",
    "f.ndjson",
    "f.json",
    "f.csv.gz",
    "f.csv.zst",
    "f.jsonl.gz",
    "f.npz",
]


@pytest.mark.parametrize("name", FILES)
def test_every_kind_of_file(name: str, frame: pl.DataFrame, tmp_path: Path) -> None:
    path = write(frame, tmp_path / name)
    for given in (path, str(path)):
        result = ll.score(given)
        assert result.log_loss == pytest.approx(EXPECTED, rel=1e-14)
        assert {"columns-found", "positive-class"} <= {note.id for note in result.notes}
    weighted = ll.score(path, outcome="y", forecast="p", weight="w", ids="id")
    assert weighted.log_loss == pytest.approx(
        np.average(-np.log([0.75, 0.8, 0.5, 0.875]), weights=[1, 2, 3, 4]), rel=1e-14
    )
    assert weighted.summary.top.entries[0][2]["id"] == "c"


@pytest.mark.parametrize(
    "convert",
    [
        lambda f: f,
        lambda f: f.lazy(),
        lambda f: f.to_pandas(),
        lambda f: f.to_arrow(),
        lambda f: f.to_arrow().to_batches()[0],
        lambda f: f.to_dict(as_series=False),
        lambda f: f.to_arrow().to_reader(),
    ],
    ids=["polars", "polars lazy", "pandas", "pyarrow", "record batch", "dict", "arrow stream"],
)
def test_every_kind_of_frame(convert: Any, frame: pl.DataFrame) -> None:
    assert ll.score(convert(frame)).log_loss == pytest.approx(EXPECTED, rel=1e-14)


def test_a_structured_array() -> None:
    rows = np.array(list(zip([1, 0], [0.9, 0.2], strict=True)), dtype=[("y", "i4"), ("p", "f8")])
    assert ll.score(rows).log_loss == pytest.approx(-np.log([0.9, 0.8]).mean())


def test_standard_input(frame: pl.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    for data in (
        frame.write_csv().encode(),
        frame.write_ndjson().encode(),
        gzip.compress(frame.write_csv().encode()),
        _parquet(frame),
    ):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        assert ll.score("-").log_loss == pytest.approx(EXPECTED, rel=1e-14)


def _parquet(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()


def test_two_dimensional_arrays_in_npz(tmp_path: Path, rng: np.random.Generator) -> None:
    P, y = rng.dirichlet(np.ones(4), 30).astype(np.float32), rng.integers(0, 4, 30)
    np.savez(tmp_path / "f.npz", ground_truth=y, predictions=P)
    assert ll.score(tmp_path / "f.npz").log_loss == pytest.approx(ll.score(y, P).log_loss, rel=1e-15)


def test_class_columns_are_found_by_the_labels(tmp_path: Path, rng: np.random.Generator) -> None:
    P = rng.dirichlet(np.ones(3), 40)
    y = rng.integers(0, 3, 40)
    names = np.array(["M", "F", "VF"])
    for before in ("", "p_"):
        table = pd.DataFrame(P, columns=[before + n for n in names]).assign(
            obs=names[y], pred=names[P.argmax(1)], fold=1
        )
        table = table[["fold", *[before + n for n in names[::-1]], "pred", "obs"]]
        result = ll.score(table)
        assert result.log_loss == pytest.approx(-np.log(P[np.arange(40), y]).mean(), rel=1e-13)


def test_labels_that_look_like_numbers_meet_their_columns(predictions: Path) -> None:
    result = ll.score(predictions / "digits.csv", outcome="digit")
    assert result.log_loss == pytest.approx(0.677656351354, rel=1e-11)
    assert result.summary.classes == tuple(range(10))


def test_outcomes_as_one_column_per_class() -> None:
    table = {
        "p1": [0.6, 0.3],
        "ptie": [0.3, 0.0],
        "p2": [0.1, 0.7],
        "won": [1, 0],
        "tied": [0, 0],
        "lost": [0, 1],
    }
    result = ll.score(table, outcome=["won", "tied", "lost"], forecast=["p1", "ptie", "p2"])
    assert result.log_loss == pytest.approx(-np.log([0.6, 0.7]).mean())
    assert "paired by position" in " ".join(note.text for note in result.notes)


def test_the_only_column_of_numbers_is_the_forecast() -> None:
    assert ll.score({"y": ["a", "b"], "name": ["x", "z"], "model_7": [0.5, 0.25]}).log_loss == pytest.approx(
        (np.log(2) - np.log(0.25)) / 2
    )


# ------------------------------------------------------------------ joins


def test_a_submission_and_its_solution(tmp_path: Path) -> None:
    submission = pl.DataFrame({"id": [1, 2, 3, 4], "label": P})
    solution = pl.DataFrame(
        {"id": [4, 3, 2, 1], "label": Y[::-1], "Usage": ["Public", "Private", "Public", "Private"]}
    )
    a, b = write(submission, tmp_path / "a.csv"), write(solution, tmp_path / "b.csv")
    result = ll.score(a, truth=b)
    assert result.log_loss == pytest.approx(EXPECTED, rel=1e-14)
    assert result.summary.top.entries[0][2]["id"] == 3
    assert ll.score(submission, truth=solution.to_pandas()).log_loss == pytest.approx(EXPECTED, rel=1e-14)


def test_unmatched_ids_are_counted_on_both_sides() -> None:
    result = ll.score(
        {"id": ["a", "b", "x"], "p": [0.5, 0.25, 0.9]}, truth={"id": ["b", "a", "q", "r"], "y": [1, 0, 1, 1]}
    )
    assert result.n == 2
    assert result.log_loss == pytest.approx((np.log(2) - np.log(0.25)) / 2)
    texts = {note.id: note.text for note in result.notes}
    assert "1 of 3 predictions have no outcome" in texts["ids-without-outcome"]
    assert "2 of 4 outcomes have no prediction" in texts["ids-without-forecast"]


def test_ids_as_numbers_and_as_text() -> None:
    result = ll.score({"id": [1, 2], "p": [0.5, 0.25]}, truth={"id": ["2", "1"], "y": [1, 0]})
    assert result.log_loss == pytest.approx((np.log(2) - np.log(0.25)) / 2)


def test_rows_after_a_join_are_rows_of_the_predictions() -> None:
    here = {"id": [8, 9, 1, 2], "p": [0.5, 0.5, 0.5, 0.125]}
    why = ll.explain(here, truth={"id": [1, 2], "y": [1, 1]}, labels=[0, 1])
    assert [row.row for row in why.worst] == [3, 2]
    assert why.observations.ids.tolist() == [1, 2]
    with pytest.raises(ll.ForecastError, match="row 3: 7"):
        ll.score(here | {"p": [0.5, 0.5, 0.5, 7.0]}, truth={"id": [1, 2], "y": [1, 0]})


def test_a_second_file_is_meant_as_the_truth(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,p\n1,0.5\n")
    with pytest.raises(ll.UsageError, match="truth="):
        ll.score(str(tmp_path / "a.csv"), str(tmp_path / "a.csv"))


def test_repeated_column_names_of_a_frame() -> None:
    frame = pd.DataFrame([[1, 0.5, 0.5]], columns=["y", "p", "p"])
    with pytest.raises(ll.ColumnError, match="'p' more than once"):
        ll.score(frame)


def test_wide_submissions_against_one_hot_and_label_solutions() -> None:
    wide = {"image": ["i1", "i2"], "cat": [0.75, 0.25], "dog": [0.25, 0.75]}
    for solution in (
        {"image": ["i2", "i1"], "cat": [0, 1], "dog": [1, 0]},
        {"image": ["i2", "i1"], "animal": ["dog", "cat"]},
    ):
        assert ll.score(wide, truth=solution, ids="image").log_loss == pytest.approx(-np.log(0.75))


def test_weights_may_stand_beside_the_truth() -> None:
    result = ll.score(
        {"id": [1, 2], "p": [0.5, 0.25]}, truth={"id": [2, 1], "y": [1, 0], "w": [3.0, 1.0]}, weight="w"
    )
    assert result.log_loss == pytest.approx((np.log(2) - 3 * np.log(0.25)) / 4)


JOINS: list[tuple[str, str, dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ("no id in common", "no-shared-ids", {"id": [1], "p": [0.5]}, {"id": [2], "y": [1]}, {}),
    ("an id twice in the truth", "duplicate-ids", {"id": [1], "p": [0.5]}, {"id": [1, 1], "y": [1, 0]}, {}),
    (
        "an id twice in the predictions",
        "duplicate-ids",
        {"id": [1, 1], "p": [0.5, 0.4]},
        {"id": [1], "y": [1]},
        {},
    ),
    ("no common column", "no-id-column", {"id": [1], "p": [0.5]}, {"key": [1], "y": [1]}, {}),
    (
        "no outcome column",
        "no-outcome-column",
        {"id": [1], "p": [0.5]},
        {"id": [1], "a": ["x"], "b": ["y"]},
        {},
    ),
    ("no such id column", "no-such-column", {"id": [1], "p": [0.5]}, {"id": [1], "y": [1]}, {"ids": "uid"}),
]


@pytest.mark.parametrize(
    ("slug", "here", "there", "options"), [case[1:] for case in JOINS], ids=[case[0] for case in JOINS]
)
def test_joins_that_cannot_be_made(
    slug: str, here: dict[str, Any], there: dict[str, Any], options: dict[str, Any]
) -> None:
    with pytest.raises(ll.LoglossError) as caught:
        ll.score(here, truth=there, **options)
    assert caught.value.slug == slug


# ------------------------------------------------------------------ what cannot be read

BAD: list[tuple[str, str, bytes, str, dict[str, Any]]] = [
    ("empty", "e.csv", b"", "empty", {}),
    ("blank lines", "e.csv", b"\n\n\n", "empty", {}),
    ("header only", "e.csv", b"y,p\n", "no-rows", {}),
    ("no header", "e.csv", b"1,0.5\n0,0.25\n", "no-header", {}),
    ("zero-byte gzip", "e.csv.gz", b"", "empty", {}),
    ("truncated gzip", "e.csv.gz", gzip.compress(b"y,p\n1,0.5\n" * 50)[:30], "truncated", {}),
    ("gzip of nothing", "e.csv.gz", gzip.compress(b""), "empty", {}),
    ("text in numbers", "e.csv", b"y,p\n1,high\n0,0.25\n", "text-in-numbers", {}),
    ("text in numbers, named", "e.csv", b"y,q\n1,high\n0,0.25\n", "text-in-numbers", {"forecast": "q"}),
    ("percent signs", "e.csv", b"y,p\n1,50%\n0,25%\n", "text-in-numbers", {}),
    ("decisions", "e.csv", b"y,p\nspam,spam\nham,spam\n", "text-in-numbers", {}),
    (
        "one column, two roles",
        "e.csv",
        b"y,p\n1,0.5\n0,0.25\n",
        "one-column-two-roles",
        {"outcome": "y", "forecast": "y"},
    ),
    (
        "ragged lists",
        "e.jsonl",
        b'{"y": 0, "p": [0.5, 0.5]}\n{"y": 1, "p": [1.0]}\n',
        "unreadable",
        {"outcome": "y", "forecast": "p"},
    ),
    ("long line", "e.csv", b"y,p\n1,0.5\n0,0.25,7\n", "ragged", {}),
    ("short line", "e.csv", b"y,p\n1,0.5\n0\n", "missing-values", {}),
    ("p = 1.2", "e.csv", b"y,p\n1,1.2\n0,0.25\n", "out-of-range", {}),
    ("NaN", "e.csv", b"y,p\n1,nan\n0,0.25\n", "missing-values", {}),
    ("NA", "e.csv", b"y,p\n1,NA\n0,0.25\n", "missing-values", {}),
    (
        "class without column",
        "e.csv",
        b"y,a,b\na,0.5,0.5\nz,0.5,0.5\n",
        "classes-without-column",
        {"forecast": ["a", "b"]},
    ),
    ("misspelt column", "e.csv", b"outcome,p\n1,0.5\n0,0.25\n", "no-such-column", {"outcome": "outcom"}),
    ("no outcome", "e.csv", b"id,p\n1,0.5\n2,0.25\n", "no-outcome-column", {}),
    ("two outcomes", "e.csv", b"y,label,p\n1,1,0.5\n0,0,0.25\n", "no-outcome-column", {}),
    ("two forecasts", "e.csv", b"y,p,score\n1,0.5,0.5\n0,0.25,0.2\n", "no-forecast-column", {}),
    ("no forecast", "e.csv", b"y,name\n1,a\n0,b\n", "no-forecast-column", {}),
    ("Latin-1", "e.csv", "y,p,na\u00efve\n1,0.5,caf\u00e9\n0,0.25,b\n".encode("latin-1"), "not-text", {}),
    ("UTF-16", "e.csv", "y,p\n1,0.5\n0,0.25\n".encode("utf-16"), "not-text", {}),
    ("not Parquet", "e.parquet", b"y,p\n1,0.5\n", "truncated", {}),
    ("bad NPZ", "e.npz", b"PK\x03\x04broken", "truncated", {}),
    ("bad JSON lines", "e.jsonl", b'{"y": 1, "p":\n', "unreadable", {}),
    ("a pickle", "e.pkl", b"\x80\x04N.", "unknown-format", {}),
    ("duplicate header", "e.csv", b"y,p,p\n1,0.5,0.5\n0,0.25,0.2\n", "duplicate-columns", {}),
]


@pytest.mark.parametrize(
    ("name", "content", "slug", "options"), [case[1:] for case in BAD], ids=[case[0] for case in BAD]
)
def test_bad_files_say_what_is_wrong(
    name: str, content: bytes, slug: str, options: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ll.LoglossError) as caught:
        ll.score(tmp_path / name, **options)
    assert caught.value.slug == slug, caught.value.message
    assert caught.value.cure or slug == "duplicate-ids"
    assert "Traceback" not in str(caught.value)


def test_a_truncated_parquet(frame: pl.DataFrame, tmp_path: Path) -> None:
    whole = _parquet(pl.concat([frame] * 500))
    for cut in (len(whole) // 2, 8, len(whole) - 3):
        (tmp_path / "t.parquet").write_bytes(whole[:cut])
        with pytest.raises(ll.SourceError) as caught:
            ll.score(tmp_path / "t.parquet")
        assert caught.value.slug == "truncated", caught.value.message


def test_objects_in_npz_are_not_unpickled(tmp_path: Path) -> None:
    np.savez(tmp_path / "o.npz", y=np.array([1, "a"], object), p=np.array([0.5, 0.25]))
    with pytest.raises(ll.SourceError, match="arrays of objects are not read"):
        ll.score(tmp_path / "o.npz")


def test_a_directory_and_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ll.SourceError, match="is a directory"):
        ll.score(tmp_path)
    (tmp_path / "preds.csv").write_text("y,p\n1,0.5\n")
    with pytest.raises(ll.SourceError, match=r"Did you mean 'preds.csv'"):
        ll.score(tmp_path / "pred.csv")


def test_ragged_lines_are_named(tmp_path: Path) -> None:
    # The engine does not see them when it is asked for a few columns only.
    (tmp_path / "r.csv").write_text('id,y,p\n1,1,0.5\n2,0,0.25,9\n"3\n4",1,0.5\n5,1,0.5,7,8\n')
    with pytest.raises(ll.SourceError, match=r"has 3 fields, but line 3 has 4, line 6 has 5"):
        ll.score(tmp_path / "r.csv")


def test_types_that_the_first_rows_do_not_tell(tmp_path: Path) -> None:
    (tmp_path / "late.csv").write_text("y,p,note\n" + "1,1,5\n" * 3000 + "0,0.25,text\n")
    assert ll.score(tmp_path / "late.csv").n == 3001
    (tmp_path / "late.csv").write_text("y,p\n" + "1,0.5\n" * 3000 + "0,oops\n")
    with pytest.raises(ll.ColumnError, match=r"1 of 3,001 entries are not \(row 3000"):
        ll.score(tmp_path / "late.csv")


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfy,p\r\n1,0.5\r\n0,0.25\r\n",
        b"Y;Prob\n1;0.5\n0;0.25\n",
        b'"y"\t"p"\n1\t0.5\n0\t0.25\n',
        b"y,p\n1,0.5\n0,0.25",
    ],
    ids=["BOM and CRLF", "semicolons, capitals", "tabs and quotes", "no last newline"],
)
def test_csv_as_programs_write_it(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_bytes(content)
    assert ll.score(tmp_path / "f.csv").log_loss == pytest.approx((np.log(2) - np.log(0.75)) / 2)


@pytest.mark.parametrize(
    "content",
    [
        b"y;p\n1;0,5\n0;0,25\n",
        b"y,p\n1,0.5\n0,0.25\n\n\n",
        b" y , p \n1,0.5\n0,0.25\n",
        b"y,p\n1, 0.5\n0, 0.25\n",
    ],
    ids=["decimal commas", "blank lines", "spaced header", "spaced numbers"],
)
def test_csv_as_spreadsheets_and_editors_leave_it(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_bytes(content)
    assert ll.score(tmp_path / "f.csv").log_loss == pytest.approx((np.log(2) - np.log(0.75)) / 2)


def test_decimal_commas_in_class_columns(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text("y;p_a;p_b\na;0,2;0,8\nb;0,3;0,7\n")
    assert ll.score(tmp_path / "f.csv").log_loss == pytest.approx(-np.log([0.2, 0.7]).mean())


def test_a_saved_summary_is_not_rows(tmp_path: Path) -> None:
    ll.score([1, 0], [0.5, 0.5]).summary.save(tmp_path / "s.json")
    with pytest.raises(ll.SourceError, match="saved summary"):
        ll.score(tmp_path / "s.json")
    (tmp_path / "m.json").write_text('{"y": [1, 0], "p": {"a": 1}}')
    with pytest.raises(ll.LoglossError):
        ll.score(tmp_path / "m.json")


def test_ids_that_became_floats_still_join(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("id,p\n100.0,0.5\n200.0,0.25\n")
    (tmp_path / "t.csv").write_text("id,y\n200,1\n100,1\n")
    assert ll.score(tmp_path / "p.csv", truth=tmp_path / "t.csv", labels=[0, 1]).n == 2


def test_json_of_columns(tmp_path: Path) -> None:
    frame = pd.DataFrame({"y": [1, 0], "p": [0.5, 0.25]})
    for orient in ("columns", "list", "records"):
        text = json.dumps(frame.to_dict(orient="list")) if orient == "list" else frame.to_json(orient=orient)
        (tmp_path / "f.json").write_text(text)
        assert ll.score(tmp_path / "f.json").n == 2


def test_json_columns_are_paired_by_their_keys(tmp_path: Path) -> None:
    (tmp_path / "f.json").write_text('{"y": {"0": 1, "1": 0}, "p": {"1": 0.1, "0": 0.9}}')
    assert ll.score(tmp_path / "f.json").log_loss == pytest.approx(-np.log(0.9))
    for text in ('{"y": {"0": 1}, "p": {"1": 0.1}}', "3", "null", "[" * 5000):
        (tmp_path / "f.json").write_text(text)
        with pytest.raises(ll.SourceError):
            ll.score(tmp_path / "f.json")


def test_compressed_files_are_opened_by_what_they_hold(frame: pl.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "f.parquet.gz").write_bytes(gzip.compress(_parquet(frame)))
    assert ll.score(tmp_path / "f.parquet.gz").log_loss == pytest.approx(EXPECTED)


def test_names_that_the_system_refuses(tmp_path: Path) -> None:
    for name in ("x" * 300 + ".csv", "~nosuchuser/x.csv"):
        with pytest.raises(ll.SourceError):
            ll.score(name)


def test_a_list_of_records_and_a_column_of_lists(tmp_path: Path) -> None:
    rows = [{"y": 0, "p": [0.75, 0.25]}, {"y": 1, "p": [0.5, 0.5]}]
    pl.DataFrame(rows).write_parquet(tmp_path / "f.parquet")
    expected = -np.log([0.75, 0.5]).mean()
    assert ll.score(tmp_path / "f.parquet").log_loss == pytest.approx(expected)
    assert ll.score([{"y": 1, "p": 0.75}, {"y": 0, "p": 0.5}]).log_loss == pytest.approx(expected)


def test_ids_and_labels_in_csv_are_not_turned_into_numbers(tmp_path: Path) -> None:
    big = "12345678901234567890123"
    (tmp_path / "p.csv").write_text(f"id,p\n{big},0.5\n007,0.25\n12e4,0.75\n120e3,0.5\n")
    (tmp_path / "t.csv").write_text(f"id,y\n120e3,1\n12e4,1\n007,1\n7,0\n{big},1\n")
    result = ll.score(tmp_path / "p.csv", truth=tmp_path / "t.csv", labels=[0, 1])
    assert result.log_loss == pytest.approx(-np.log([0.5, 0.25, 0.75, 0.5]).mean())
    (tmp_path / "l.csv").write_text("y,01,1\n01,0.75,0.25\n1,0.5,0.5\n")
    assert ll.score(tmp_path / "l.csv", forecast=["01", "1"]).summary.classes == ("01", "1")


def test_a_missing_id_is_not_an_id(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("id,p\na,0.5\n,0.25\n")
    (tmp_path / "t.csv").write_text("id,y\na,1\n,0\n")
    with pytest.raises(ll.AlignmentError, match="without an id"):
        ll.score(tmp_path / "p.csv", truth=tmp_path / "t.csv")


@pytest.mark.parametrize("names", [range(3), [2, 0, 1], ["2", "0", "1"]], ids=str)
def test_pandas_columns_that_are_not_text(names: Any, rng: np.random.Generator) -> None:
    P, y = rng.dirichlet(np.ones(3), 30), rng.integers(0, 3, 30)
    frame = pd.DataFrame(P[:, list(map(int, names))], columns=list(names))
    assert ll.log_loss(y, frame) == pytest.approx(-np.log(P[np.arange(30), y]).mean(), rel=1e-12)


def test_boolean_pandas_columns() -> None:
    frame = pd.DataFrame({True: [0.75, 0.5], False: [0.25, 0.5]})
    assert ll.log_loss([True, False], frame) == pytest.approx(-np.log([0.75, 0.5]).mean())


def test_a_class_without_column_is_named() -> None:
    table = {"y": ["a", "b", "c"], "p_a": [0.5, 0.2, 0.3], "p_b": [0.5, 0.8, 0.7], "age": [1, 2, 3]}
    with pytest.raises(ll.ColumnError, match="none after 'c'"):
        ll.score(table)


def test_columns_called_by_numbers_of_which_one_did_not_happen(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    path.write_text("y,0,1,2\n0,.5,.3,.2\n1,.2,.5,.3\n0,.6,.2,.2\n")
    assert ll.score(path).summary.classes == (0, 1, 2)
    assert ll.score(path).log_loss == pytest.approx(-np.log([0.5, 0.5, 0.6]).mean(), rel=1e-14)
    with pytest.raises(ll.DataError, match="do not sum to one"):
        ll.score(path, labels=[0, 1])  # what is asked for is not extended
    path.write_text("y,0,1,2023\n0,.5,.5,7\n1,.2,.8,8\n")
    assert ll.score(path).summary.classes == (0, 1)


def test_a_header_that_counts_columns(tmp_path: Path) -> None:
    path = tmp_path / "n.csv"
    path.write_text("0,1,2\n0,.5,.5\n1,.2,.8\n")
    found = ll.score(path, outcome="0", forecast=["1", "2"], labels=[0, 1])
    assert found.log_loss == pytest.approx(-np.log([0.5, 0.8]).mean(), rel=1e-14)


def test_doubled_quotes_in_a_header(tmp_path: Path) -> None:
    path = tmp_path / "q.csv"
    path.write_text('"a ""q"" b",y\n.3,0\n.6,1\n.2,0\n')
    assert ll.score(path, 'a "q" b', outcome="y").log_loss == pytest.approx(
        -np.log([0.7, 0.6, 0.8]).mean(), rel=1e-14
    )


def test_two_forecasts_named_as_one_are_told_how_to_be_two() -> None:
    table = {"y": ["no", "yes", "no"], "old": [0.3, 0.6, 0.2], "new": [0.2, 0.7, 0.3]}
    with pytest.raises(ll.OutcomeError, match=r"--model NAME=COLUMN"):
        ll.score(table, forecast=["old", "new"])
    assert len(ll.compare(table, {"old": "old", "new": "new"}).pairs) == 1


def test_columns_p0_p1_are_classes() -> None:
    table = {"y": [0, 1, 2], "p0": [0.5, 0.2, 0.3], "p1": [0.25, 0.5, 0.2], "p2": [0.25, 0.3, 0.5]}
    assert ll.score(table).log_loss == pytest.approx(np.log(2))


def test_hostile_names_are_only_names(tmp_path: Path) -> None:
    hostile = ["'; DROP TABLE x; --", "<script>alert(1)</script>", "$(rm -rf /)", "a,b", "p\u202eq"]
    for name in hostile:
        pl.DataFrame({"y": [1, 0], name: [0.5, 0.25], "other": [1.0, 2.0]}).write_csv(tmp_path / "h.csv")
        assert ll.score(tmp_path / "h.csv", forecast=name).n == 2


def test_skipping_missing_rows_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("y,p\n1,0.5\n,0.25\n0,NA\n0,0.25\n")
    result = ll.score(tmp_path / "m.csv", skip_missing=True)
    assert (result.n, result.summary.skipped) == (2, 2)
    assert result.log_loss == pytest.approx((np.log(2) - np.log(0.75)) / 2)


@pytest.mark.parametrize(
    ("args", "options"),
    [
        (([1, 0],), {}),
        (([1, 0], [0.5, 0.5]), {"outcome": "y"}),
        (({"y": [1], "p": [0.5]},), {"weight": [1.0]}),
    ],
)
def test_calls_that_do_not_fit_together(args: tuple[Any, ...], options: dict[str, Any]) -> None:
    with pytest.raises(ll.UsageError):
        ll.score(*args, **options)


def test_arrow_arrays_as_outcomes_and_forecasts() -> None:
    assert ll.log_loss(pa.array([1, 0]), pa.array([0.5, 0.75])) == pytest.approx(
        (np.log(2) - np.log(0.25)) / 2
    )


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("buckets", [1, 5])
def test_a_join_in_buckets_is_the_join_in_memory(
    kind: str, buckets: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator
) -> None:
    import polars as pl

    n = 300
    ids = rng.permutation(1000)[:n]
    p = rng.random(n)
    truth = pl.DataFrame({"id": np.r_[rng.permutation(ids[20:]), [2000, 2001]], "w": rng.random(n - 18)})
    truth = truth.with_columns(y=pl.Series((rng.random(n - 18) < 0.5).astype(int)))
    for name, frame in {"a": pl.DataFrame({"id": ids, "p": p}), "b": truth}.items():
        getattr(frame, f"write_{kind}")(tmp_path / f"{name}.{kind}")
    files = {"data": str(tmp_path / f"a.{kind}"), "truth": str(tmp_path / f"b.{kind}")}
    options = {"outcome": "y", "weight": "w", "ids": "id"}
    inside = ll.score(files["data"], "p", truth=files["truth"], **options)
    monkeypatch.setattr("logloss.summaries.JOINED_IN_MEMORY", 10)
    monkeypatch.setattr("logloss.joins.BUCKET", -(-n // buckets))
    monkeypatch.setattr("logloss.passes.HEAD", 40)
    monkeypatch.setattr("logloss.batches.ROWS", 64)
    outside = ll.score(files["data"], "p", truth=files["truth"], **options)
    assert outside.log_loss == pytest.approx(inside.log_loss, rel=1e-13)
    assert outside.n == inside.n == n - 20
    told = [{note.id: note.text.split(" (")[0] for note in one.notes} for one in (inside, outside)]
    assert told[0]["ids-without-outcome"] == told[1]["ids-without-outcome"]
    assert told[0]["ids-without-forecast"] == told[1]["ids-without-forecast"]
    rows = [
        {(row, payload["id"]) for _, (_, row), payload in one.summary.top.entries}
        for one in (inside, outside)
    ]
    assert rows[0] == rows[1]
    both = ll.score(files["data"], {"a": "p", "b": "p"}, truth=files["truth"], **options)
    assert both.models["a"].log_loss == pytest.approx(inside.log_loss, rel=1e-13)


def test_a_join_in_buckets_refuses_what_the_join_in_memory_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("logloss.summaries.JOINED_IN_MEMORY", 1)
    write = lambda name, lines: (tmp_path / name).write_text("\n".join(lines) + "\n")  # noqa: E731
    write("a.csv", ["id,p", "1,.5", "2,.25", "2,.75"])
    write("b.csv", ["id,y", "1,0", "2,1", "3,1"])
    with pytest.raises(ll.AlignmentError, match="occurs more than once") as caught:
        ll.score(tmp_path / "a.csv", truth=tmp_path / "b.csv")
    assert caught.value.slug == "duplicate-ids"
    write("a.csv", ["id,p", "7,.5", "8,.25"])
    with pytest.raises(ll.AlignmentError, match="share no id"):
        ll.score(tmp_path / "a.csv", truth=tmp_path / "b.csv")
    write("a.csv", ["id,p", "1,.5", ",.25"])
    with pytest.raises(ll.AlignmentError, match="without an id"):
        ll.score(tmp_path / "a.csv", truth=tmp_path / "b.csv")
