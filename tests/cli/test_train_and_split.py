"""`logloss explain --train` and `--split`, run as a real process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

import logloss as ll
from uncommanded import without_commands

COLUMNS = ["--outcome", "diagnosis", "--forecast", "network"]


def run(*args: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "logloss", "explain", *map(str, args)],
        capture_output=True, text=True, encoding="utf-8", check=False, env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip


@pytest.fixture
def files(predictions: Path, tmp_path: Path) -> dict[str, Path]:
    both = predictions / "breast_cancer_network.csv"
    rows = pl.read_csv(both)
    for name in ("train", "valid"):
        rows.filter(pl.col("part") == name).drop("part").write_csv(tmp_path / f"{name}.csv")
    return {"both": both, "train": tmp_path / "train.csv", "valid": tmp_path / "valid.csv"}


def test_both_ways_tell_what_python_tells(files: dict[str, Path]) -> None:
    columns = {"outcome": "diagnosis", "forecast": "network"}
    apart = json.loads(run(files["valid"], "--train", files["train"], *COLUMNS, "--json").stdout)
    expected = ll.gap(files["train"], files["valid"], **columns).to_dict()
    assert apart["gap"] == json.loads(json.dumps(expected))
    alone = ll.explain(files["valid"], **columns).to_dict()
    rest = {key: value for key, value in apart.items() if key != "gap"}
    assert without_commands(rest) == without_commands(alone)
    together = json.loads(run(files["both"], "--split", "part=train", *COLUMNS, "--json").stdout)
    assert together["gap"]["parts"] == apart["gap"]["parts"]
    assert together["log_loss"] == apart["log_loss"]


def test_the_gap_comes_after_the_explanation(files: dict[str, Path]) -> None:
    done = run(files["both"], "--split", "part", *COLUMNS, "--rows", 3, "--unit", "bits")
    assert done.returncode == 0, done.stderr
    explained, gap = done.stdout.split("Validation - training: ")
    assert explained.startswith("Log loss 1.0709 bits")  # 0.742316 / ln 2
    assert gap.startswith("+0.7280 bits")
    assert "fit a temperature on validation rows" in " ".join(gap.split())
    assert "Rows with 'train' are read as training" in " ".join(done.stderr.split())


def test_validation_rows_of_one_class_take_the_others_name_from_training(files: dict[str, Path]) -> None:
    rows = pl.read_csv(files["valid"])
    rows.filter(pl.col("diagnosis") == "malignant").write_csv(files["valid"])
    state = json.loads(run(files["valid"], "--train", files["train"], *COLUMNS, "--json").stdout)
    assert (state["n"], len(state["gap"]["classes"])) == (rows["diagnosis"].eq("malignant").sum(), 2)


@pytest.mark.parametrize(
    ("options", "code", "slug"),
    [
        (["--train", "{train}", "--split", "part"], 2, "train-or-split"),
        (["--split", "part", "--group", "part"], 2, "train-or-split"),
        (["--split", "part=fold"], 2, "which-is-training"),
        (["--split", "id"], 1, "not-two-sides"),
        (["--train", "{both}"], 1, "same-part-twice"),
    ],
)
def test_what_is_wrong(files: dict[str, Path], options: list[str], code: int, slug: str) -> None:
    done = run(files["both"], *(option.format(**files) for option in options), *COLUMNS)
    assert done.returncode == code
    assert f"[{slug}: see docs/messages.md" in done.stderr
