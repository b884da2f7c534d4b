"""`logloss compare` as a person and as another program meet it."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import logloss as ll
from logloss.cli import main
from uncommanded import without_commands


def run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, line: str
) -> tuple[int, str, str]:
    """Run a command line in this process."""
    monkeypatch.setattr(sys, "argv", shlex.split(line))
    code = 0
    try:
        main()
    except SystemExit as end:
        code = int(end.code or 0)
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with forecasts in one file and in two."""
    random = np.random.default_rng(0)
    z = random.normal(0, 1.5, 500)
    y = (random.random(500) < 1 / (1 + np.exp(-z))).astype(int)
    frame = pl.DataFrame(
        {
            "id": range(500),
            "y": y,
            "good": 1 / (1 + np.exp(-z)),
            "bad": 1 / (1 + np.exp(-3 * z)),
            "day": np.arange(500) // 5,
        }
    ).with_columns(alike=pl.col("good") * 0.999)
    frame.write_csv(tmp_path / "preds.csv")
    frame.select("id", p="good").write_csv(tmp_path / "good.csv")
    frame.select("id", p="bad").reverse().write_csv(tmp_path / "bad.csv")
    frame.select("id", "y").write_csv(tmp_path / "answers.csv")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_one_file_and_two_say_the_same(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, err = run(capsys, monkeypatch, "logloss compare preds.csv --forecast good --forecast bad")
    assert code == 0
    assert out.startswith("good beats bad by 0.")
    assert "next: logloss explain preds.csv --forecast good" in err
    code, other, err = run(
        capsys, monkeypatch, "logloss compare good.csv bad.csv --truth answers.csv --id id"
    )
    assert out.splitlines()[0] == other.splitlines()[0]
    assert "Matched by id 'id': 500 rows" in err
    assert "next: logloss explain good.csv --truth answers.csv --id id" in err
    assert max(len(line) for line in (out + other).splitlines()) <= 96


def test_json_is_what_python_returns(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    line = "logloss compare preds.csv --model A=good --model B=bad --model C=alike --time day --json --reference B"
    code, out, err = run(capsys, monkeypatch, line)
    assert (code, err) == (0, "")
    found = json.loads(out)
    direct = ll.compare(
        folder / "preds.csv", {"A": "good", "B": "bad", "C": "alike"}, time="day", reference="B"
    )
    assert without_commands(found) == without_commands(direct.to_dict())
    assert {"models", "pairs", "level", "n", "notes"} <= set(found)
    assert [pair["b"] for pair in found["pairs"]] == ["B", "B"]
    assert {"a", "b", "difference", "standard_error", "interval", "p_value", "verdict"} <= set(
        found["pairs"][0]
    )


def test_a_check_that_fails_is_an_exit_code(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    line = "logloss compare preds.csv --forecast good --forecast bad --forecast alike --fail-if-worse "
    code, out, err = run(capsys, monkeypatch, line + "bad")
    assert code == 1
    assert out
    assert "failed: bad is worse than good" in err
    assert run(capsys, monkeypatch, line + "good")[0] == 0
    code, _, err = run(capsys, monkeypatch, line + "goood")
    assert code == 2
    assert "Did you mean 'good'?" in err


def test_a_tie_leads_to_a_pool(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    line = "logloss compare preds.csv --forecast good --forecast alike"
    _, out, err = run(capsys, monkeypatch, line)
    assert out.startswith("Not clear that")
    assert "next: logloss fix preds.csv --model good=good --model alike=alike" in err


def test_other_rows_are_refused_with_the_cure(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pl.read_csv("bad.csv")[:450].write_csv("bad.csv")
    line = "logloss compare good.csv bad.csv --truth answers.csv"
    code, out, err = run(capsys, monkeypatch, line)
    assert (code, out) == (1, "")
    assert "incomparable" in err
    assert "--shared" in err
    code, out, err = run(capsys, monkeypatch, line + " --shared")
    assert code == 0
    assert "450 rows" in out


def test_one_forecast_is_no_comparison(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, _, err = run(capsys, monkeypatch, "logloss compare preds.csv --forecast good")
    assert code == 2
    assert "--model a=p_a --model b=p_b" in err


def test_the_console_script_runs(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "logloss", "compare", "preds.csv", "--forecast", "good", "--forecast", "bad"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.startswith("good beats bad")
