"""The pass itself: plans that must be made again, errors in the middle, interruptions, files that break off."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import logloss as ll
from hazards import numbers, same
from logloss.saving import write_json


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logloss.batches.ROWS", 29)
    monkeypatch.setattr("logloss.passes.HEAD", 16)


def write(tmp: Path, lines: list[str]) -> Path:
    path = tmp / "rows.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_label_that_comes_late(tmp_path: Path) -> None:
    lines = ["y,p", *["yes,0.8"] * 100, *["no,0.3"] * 50]
    late = ll.score(write(tmp_path, lines))
    whole = ll.score(["yes"] * 100 + ["no"] * 50, [0.8] * 100 + [0.3] * 50)
    same(late.to_dict()["conventions"], whole.to_dict()["conventions"])
    assert late.summary.classes == ("no", "yes")


def test_a_class_that_comes_late_has_its_column(tmp_path: Path) -> None:
    lines = ["y,ant,bee,cow", *["bee,.2,.5,.3"] * 60, *["ant,.5,.25,.25"] * 40, *["cow,.1,.1,.8"] * 3]
    found = ll.score(write(tmp_path, lines))
    assert found.summary.classes == ("ant", "bee", "cow")
    assert found.log_loss == pytest.approx(
        -(60 * np.log(0.5) + 40 * np.log(0.5) + 3 * np.log(0.8)) / 103, rel=1e-14
    )
    assert "class-not-seen" not in {note.id for note in found.notes}


def test_a_class_that_never_comes_is_said(tmp_path: Path) -> None:
    lines = ["y,ant,bee,cow", *["bee,.2,.5,.3"] * 60, *["ant,.5,.25,.25"] * 40]
    found = ll.score(write(tmp_path, lines), ["ant", "bee", "cow"])
    assert [note.text for note in found.notes if note.id == "class-not-seen"] == [
        "No outcome is of class 'cow'; the column counts as a class that did not happen."
    ]


@pytest.mark.parametrize(("late", "classes"), [("01", ("01", "1", "2")), ("x", ("1", "2", "x"))])
def test_numbers_that_turn_out_to_be_text(late: str, classes: tuple[str, ...], tmp_path: Path) -> None:
    header = "y," + ",".join(classes)
    lines = [header, *[f"1{',0.5,0.25,0.25'}"] * 40, *["2,.25,.25,.5"] * 40, f"{late},.5,.25,.25"]
    found = ll.score(write(tmp_path, lines), list(classes), outcome="y")
    assert found.summary.classes == classes


def test_text_among_numbers_is_told_with_its_row(tmp_path: Path) -> None:
    lines = ["y,p", *["1,0.8"] * 90, "0,high", *["0,0.1"] * 20]
    with pytest.raises(ll.ColumnError, match=r"'high'") as caught:
        ll.score(write(tmp_path, lines))
    assert caught.value.slug == "text-in-numbers"
    assert "90" in caught.value.message


@pytest.mark.parametrize("missing", ["NA", "", "null", "nan"])
def test_missing_numbers_however_written(missing: str, tmp_path: Path) -> None:
    path = write(tmp_path, ["y,p", *["1,0.8"] * 90, f"0,{missing}", *["0,0.1"] * 20])
    with pytest.raises(ll.ForecastError, match="row 90") as caught:
        ll.score(path)
    assert caught.value.slug == "missing-values"
    found = ll.score(path, skip_missing=True)
    assert found.n == 110
    (note,) = [note.text for note in found.notes if note.id == "rows-skipped"]
    assert note == "1 of 111 rows were left out: 1 missing forecast (row 90)."


def test_decimal_commas(tmp_path: Path) -> None:
    path = write(tmp_path, ["y;p", *["1;0,8"] * 50, *["0;0,1"] * 50])
    found = ll.score(path)
    assert found.log_loss == pytest.approx(-(np.log(0.8) + np.log(0.9)) / 2, rel=1e-14)
    assert "decimal-commas" in {note.id for note in found.notes}


def test_a_line_with_too_many_fields(tmp_path: Path) -> None:
    path = write(tmp_path, ["y,p,x", *["1,0.8,a"] * 70, "0,0.2,b,c", *["0,0.1,a"] * 20])
    with pytest.raises(ll.SourceError, match="line 72 has 4") as caught:
        ll.score(path)
    assert caught.value.slug == "ragged"


def test_shares_that_come_late(tmp_path: Path) -> None:
    y = np.r_[np.ones(60), np.zeros(60), np.full(10, 0.25)]
    found = ll.score(write(tmp_path, ["y,p", *[f"{v},0.7" for v in y]]))
    assert found.log_loss == pytest.approx(-np.mean(y * np.log(0.7) + (1 - y) * np.log(0.3)), rel=1e-13)
    assert "soft-outcomes" in {note.id for note in found.notes}


def test_weights_of_zero_in_a_whole_batch(tmp_path: Path) -> None:
    w = np.r_[np.zeros(80), np.ones(40)]
    found = ll.score(
        {"y": np.tile([1, 0], 60), "p": np.tile([0.9, 0.4], 60), "w": w}, "p", outcome="y", weight="w"
    )
    assert (found.n, found.summary.mass["rows"]) == (40, 120)
    with pytest.raises(ll.WeightError, match="All weights are 0"):
        ll.score({"y": [1, 0] * 50, "p": [0.9, 0.4] * 50, "w": [0.0] * 100}, "p", outcome="y", weight="w")


def test_an_error_says_what_was_not_looked_at() -> None:
    p = np.full(500, 0.5)
    p[[100, 400]] = 1.5
    with pytest.raises(
        ll.ForecastError, match=r"row 100: 1.5.*Rows from 116 on were not looked at"
    ) as caught:
        ll.score({"y": np.tile([0, 1], 250), "p": p}, "p", outcome="y")
    assert "400" not in caught.value.message


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(5)
    (tmp_path / "parts").mkdir()
    for at in range(4):
        p = rng.random(70)
        y = (rng.random(70) < p).astype(int)
        pl.DataFrame({"y": y, "p": p}).write_parquet(tmp_path / "parts" / f"{at}.parquet")
    return tmp_path / "parts"


def test_a_corrupt_file_in_the_middle_is_named_and_the_rest_offered(folder: Path) -> None:
    good = ll.merge([ll.summarize(folder / f"{at}.parquet") for at in (0, 2, 3)])
    path = folder / "1.parquet"
    whole = path.read_bytes()
    for damaged in (whole[:-40], b"", b"PAR1" + b"\0" * 100):
        path.write_bytes(damaged)
        with pytest.raises(ll.SourceError, match=r"1\.parquet") as caught:
            ll.score(folder)
        assert caught.value.slug == "part-unreadable"
        assert "--skip-unreadable" in caught.value.cure
        rest = ll.score(folder, skip_unreadable=True)
        same(numbers(rest.summary.to_dict()), numbers(good.to_dict()))
        assert "parts-left-out" in {note.id for note in rest.notes}


def test_a_file_that_breaks_off_while_it_is_read(folder: Path) -> None:
    path = folder / "1.parquet"
    data = bytearray(path.read_bytes())
    data[4:400] = bytes(396)  # the pages are damaged, the footer is not
    path.write_bytes(bytes(data))
    good = ll.merge([ll.summarize(folder / f"{at}.parquet") for at in (0, 2, 3)])
    with pytest.raises(ll.SourceError, match=r"1\.parquet"):
        ll.score(folder)
    rest = ll.score(folder, skip_unreadable=True)
    same(numbers(rest.summary.to_dict()), numbers(good.to_dict()))


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"y": [1], "q": [0.5]}, "has no column 'p'"),
        ({"y": [1], "p": ["high"]}, "Column 'p' holds no numbers"),
    ],
)
def test_files_that_differ(folder: Path, other: dict, told: str) -> None:
    pl.DataFrame(other).write_parquet(folder / "2.parquet")
    with pytest.raises(ll.ColumnError, match=told) as caught:
        ll.score(folder, "p", outcome="y")
    assert caught.value.slug == "different-columns"
    assert "2.parquet" in caught.value.message


def test_costly_rows_are_told_by_file_and_row(folder: Path) -> None:
    top = ll.score(folder).summary.top.entries
    parts = {place[0] for _, place, _ in top}
    assert len(parts) > 1
    (_, (part, row), payload) = top[0]
    line = pl.read_parquet(part).row(row, named=True)
    assert payload["outcome"] == line["y"]
    assert payload["forecast"] == pytest.approx(line["p"] if line["y"] else 1 - line["p"])


def test_progress_is_reported(folder: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    ll.summarize(folder, watch=lambda rows, expected: seen.append((rows, expected)))
    assert seen[-1] == (280, 280)
    assert [rows for rows, _ in seen] == sorted(rows for rows, _ in seen)


def test_groups_that_are_missing_are_an_error_or_left_out() -> None:
    table = {"y": [1, 0] * 40, "p": [0.7, 0.2] * 40, "g": ["a", None] * 40}
    with pytest.raises(ll.ColumnError, match=r"8 missing groups .*first 16 rows were looked at") as caught:
        ll.score(pl.DataFrame(table), "p", outcome="y", group="g")
    assert caught.value.slug == "missing-values"
    found = ll.score(pl.DataFrame(table), "p", outcome="y", group="g", skip_missing=True)
    assert (found.n, [one["group"] for one in found.groups.rows]) == (40, ["a"])


def test_what_is_done_is_kept_and_not_read_again(folder: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    first = ll.summarize(folder, parts=kept)
    files = {path.name: path.read_bytes() for path in kept.iterdir()}
    assert len(files) == 4
    for path in sorted(folder.iterdir())[1:3]:  # done: their rows are not looked at again
        status = path.stat()
        data = bytearray(path.read_bytes())
        data[4:300] = bytes(296)
        path.write_bytes(bytes(data))
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    again = ll.summarize(folder, parts=kept)
    assert again.to_dict() == first.to_dict()
    pl.DataFrame({"y": [1, 0], "p": [0.9, 0.1]}).write_parquet(folder / "3.parquet")  # changed: read again
    assert ll.summarize(folder, parts=kept).n == 212


INTERRUPTED = """
import sys, time, logloss as ll, logloss.batches
logloss.batches.ROWS = 50
def slow(rows, expected):
    print(rows, flush=True)
    time.sleep(0.05)
print(ll.summarize(sys.argv[1], "p", outcome="y", parts=sys.argv[2], watch=slow).mean)
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_pass_goes_on(how: signal.Signals, tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    p = rng.random(3000)
    path = tmp_path / "rows.parquet"
    pl.DataFrame({"y": (rng.random(3000) < p).astype(int), "p": p}).write_parquet(path, row_group_size=100)
    kept = tmp_path / "kept"
    command = [sys.executable, "-c", INTERRUPTED, str(path), str(kept)]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert run.stdout is not None
    for line in run.stdout:
        if int(line) >= 500:
            break
    run.send_signal(how)
    run.stdout.close()
    run.wait(timeout=30)
    (written,) = kept.iterdir() if how == signal.SIGINT else [None]
    done = json.loads(written.read_text())["rows"] if written else 0
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert float(out[-1]) == pytest.approx(ll.score(path, "p", outcome="y").log_loss, rel=1e-13)
    assert int(out[0]) == done + 50
    if how == signal.SIGINT:
        assert done >= 500


def test_nothing_is_half_written_when_the_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "s.json"
    ll.summarize([1, 0], [0.5, 0.5]).save(target)
    before = target.read_bytes()
    device = Path("/dev/full")
    if not device.exists():
        pytest.skip("no /dev/full")
    real = Path.open

    def full(self: Path, *args: object, **options: object) -> object:
        return real(device, "wb") if self.name.endswith(".tmp") else real(self, *args, **options)

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(ll.SourceError, match="No space left"):
        write_json({"a": "b" * 100_000}, target)
    monkeypatch.undo()
    assert target.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["s.json"]


def test_a_column_that_is_not_there(folder: Path) -> None:
    with pytest.raises(ll.ColumnError, match="no column 'q'"):
        ll.score(folder, "q", outcome="y")
