"""What a report keeps to itself: folders always, and with no rows every id and single row, in each format."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from reported import binary, written

import logloss as ll

if TYPE_CHECKING:
    from pathlib import Path

FORMATS = ("html", "md", "text", "json")


def test_without_rows_no_id_and_no_row_is_anywhere(tmp_path: Path) -> None:
    rows = binary(2000).select("id", "y", "p", "segment", "other")
    twice = rows.vstack(rows.head(2))  # ids that are quoted in a note
    file = written(twice.select("id", "y", "p", "segment"), tmp_path / "a.csv")
    made = ll.report(file, ids="id", rows=0, cost_fp=1, cost_fn=4)
    shown = ll.report(file, ids="id", cost_fp=1, cost_fn=4)
    ids = rows["id"].to_list()
    assert any(one in shown.html() for one in ids)
    assert any(note.id == "duplicate-ids" for note in made.contents.notes)
    for kind in FORMATS:
        told = made.written(kind)
        assert not [one for one in ids if one in told]
    state = json.loads(made.written("json"))["explain"]
    assert state["worst"] == []
    assert state["suspects"]["rows"] == []
    assert all(one["paid"] == [] for one in state["what_if"])


def test_without_rows_neither_has_the_comparison(tmp_path: Path) -> None:
    rows = binary(2000)
    one = written(rows.select("id", "y", "p"), tmp_path / "a.csv")
    two = written(rows.head(1990).select("id", "y", p="other"), tmp_path / "b.csv")
    made = ll.report(one, ids="id", rows=0, against=_shared(one, two))
    for kind in FORMATS:
        told = made.written(kind)
        assert not [name for name in rows["id"].to_list() if name in told]
    assert json.loads(made.written("json"))["compare"]["pairs"][0]["top"] == []


def _shared(one: str, two: str) -> ll.Comparison:
    return ll.compare({"a": one, "b": two}, ids="id", shared=True)


def test_no_folder_is_told(tmp_path: Path) -> None:
    rows = binary(300)
    predictions = written(rows.select("id", "p"), tmp_path / "forecasts.csv")
    truth = written(rows.select("id", "y"), tmp_path / "answers.csv")
    made = ll.report(predictions, ids="id", truth=truth)
    for kind in FORMATS:
        told = made.written(kind)
        assert str(tmp_path) not in told
        assert tmp_path.name not in told
    assert "answers.csv" in made.html()


def test_the_same_bytes_from_another_process_and_folder(tmp_path: Path) -> None:
    written(binary(400).select("id", "y", "p", "segment"), tmp_path / "preds.csv")
    (tmp_path / "elsewhere").mkdir()
    code = "import sys, logloss; sys.stdout.write(logloss.report(sys.argv[1], ids='id').written(sys.argv[2]))"
    for kind in ("html", "json"):
        outs = {
            subprocess.run(
                [sys.executable, "-c", code, path, kind],
                capture_output=True,
                check=True,
                cwd=tmp_path / folder,
                env={**os.environ, "PYTHONHASHSEED": seed},
            ).stdout
            for folder, path, seed in (
                (".", "preds.csv", "1"),
                ("elsewhere", "../preds.csv", "2"),
                ("elsewhere", str(tmp_path / "preds.csv"), "3"),
            )
        }
        assert len(outs) == 1


@pytest.mark.parametrize("asked", ["other", ["p"]])
def test_a_column_may_stand_against_the_one_that_was_found(asked: object) -> None:
    rows = binary(500).select("y", "p", "other")
    made = ll.report(rows, forecast=None if asked == "other" else asked, against="other")
    assert made.comparison is not None
    direct = ll.compare(rows["y"].to_numpy(), {"p": rows["p"].to_numpy(), "other": rows["other"].to_numpy()})
    assert made.comparison.pairs[0].difference == pytest.approx(direct.pairs[0].difference, rel=1e-12)
