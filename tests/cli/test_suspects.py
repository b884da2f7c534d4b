"""`logloss suspects` as a real process."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import logloss as ll


def run(*args: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "logloss", "suspects", *map(str, args)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


@pytest.fixture
def file(tmp_path: Path, rng: np.random.Generator) -> Path:
    z = rng.normal(0, 8, 400)
    y = rng.random(400) < 1 / (1 + np.exp(-z))
    y ^= rng.random(400) < 0.08
    path = tmp_path / "preds.csv"
    with path.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["id", "y", "p"])
        for i in range(400):
            writer.writerow([f"=cmd{i}", "@sick" if y[i] else "-well", f"{1 / (1 + np.exp(-z[i])):.9f}"])
    return path


def test_the_table_is_written_whole_and_harmless(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "suspects.csv"
    options = (file, "--outcome", "y", "--id", "id", "--positive", "@sick", "--out", out)
    done = run(*options, "--rows", 3)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Label errors: about ")
    assert "noise-or-blunders" in done.stderr
    with out.open(newline="") as text:
        rows = list(csv.DictReader(text))
    found = ll.suspects(file, outcome="y", ids="id", positive="@sick")
    assert list(rows[0]) == ["row", "id", "label", "suggested", "probability", "surprise"]
    assert len(rows) == 400
    assert [int(row["row"]) for row in rows[:20]] == [row.row for row in found.rows]
    assert rows[0]["id"] == f"'=cmd{found.rows[0].row}"
    assert {row["label"] for row in rows} == {"'@sick", "'-well"}
    assert float(rows[0]["probability"]) == found.rows[0].probability
    assert run(*options).returncode == 0  # what it wrote itself it replaces
    assert [path.name for path in tmp_path.glob(".*")] == []


def test_json_is_what_python_returns(file: Path) -> None:
    done = run(file, "--outcome", "y", "--positive", "@sick", "--rows", 2, "--json")
    expected = ll.suspects(file, outcome="y", positive="@sick", rows=2).to_dict()
    assert json.loads(done.stdout) == json.loads(json.dumps(expected))


def test_nothing_else_is_overwritten(file: Path, tmp_path: Path) -> None:
    before = file.read_text()
    done = run(file, "--outcome", "y", "--positive", "@sick", "--out", file)
    assert done.returncode == 1
    assert "would-overwrite" in done.stderr
    assert file.read_text() == before
    done = run(file, "--outcome", "y", "--positive", "@sick", "--out", tmp_path / "none" / "x.csv")
    assert "cannot-write" in done.stderr
