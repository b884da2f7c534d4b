"""`logloss decide`, run as a real process: from a messy file and a table of utilities to a file with actions."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from test_cli import answer, run

import logloss as ll
from uncommanded import without_commands

N = 300
OPTIONS = ("--outcome", "result", "--id", "patient", "--no-recalibrate")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(4)
    p = rng.beta(0.6, 3, N)
    y = np.where(rng.random(N) < p, "severe", "not severe")
    lines = ["patient;result;p_severe;name"]
    lines += [f'00{i};{y[i]};{f"{p[i]:.6f}".replace(".", ",")};"Ö ""{i}"""' for i in range(N)]
    (tmp_path / "messy.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "new.csv").write_text("\n".join(";".join(line.split(";")[::2]) for line in lines) + "\n")
    (tmp_path / "u.csv").write_text("action,severe,not severe\ntreat,0,-2\nwait,-20,0\n=1+1,-6,-0.5\nburn,-20,-30\n")  # fmt: skip
    return tmp_path


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_messy_file(folder: Path) -> None:
    done = run("decide", "messy.csv", *OPTIONS, "--utilities", "u.csv", "--out", "out.csv", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "by p(severe): wait below 0.03448, =1+1 from 0.03448 to 0.2, treat above 0.2" in done.stdout
    assert "dominated-actions" in done.stderr
    assert "next: logloss fix messy.csv --outcome result --id patient" in done.stderr
    state = answer(run("decide", "messy.csv", *OPTIONS, "--utilities", "u.csv", "--json", cwd=folder))
    expected = ll.decide(folder / "messy.csv", outcome="result", ids="patient", utilities=folder / "u.csv", recalibrate=False)  # fmt: skip
    assert without_commands(state | {"written": None}) == without_commands(
        expected.to_dict() | {"written": None}
    )
    written = rows(folder / "out.csv")
    assert list(written[0]) == ["patient", "result", "p_severe", "name", "action", "expected_utility"]
    assert (written[7]["patient"], written[7]["name"]) == ("007", 'Ö "7"')
    assert [row["action"].removeprefix("'") for row in written] == expected.chosen.tolist()
    assert {row["action"] for row in written} == {"treat", "wait", "'=1+1"}
    assert [float(row["expected_utility"]) for row in written] == pytest.approx(expected.expected.tolist(), rel=1e-15)  # fmt: skip


def test_the_next_command_works_and_is_not_one_that_is_known_to_bring_nothing(folder: Path) -> None:
    done = run("decide", "messy.csv", *OPTIONS[:4], "--utilities", "u.csv", cwd=folder)
    assert "Recalibrating: no map" in done.stdout
    assert "next:" not in done.stderr
    first, *lines = (folder / "messy.csv").read_text().splitlines()
    missing = [";".join(["" if k == 1 and at < 20 else cell for k, cell in enumerate(line.split(";"))]) for at, line in enumerate(lines)]  # fmt: skip
    (folder / "part.csv").write_text("\n".join([first, *missing]) + "\n")
    done = run("decide", "part.csv", *OPTIONS, "--utilities", "u.csv", cwd=folder)
    assert f"{N} rows, {N - 20} with an outcome" in done.stdout
    follow = done.stderr.split("next: logloss ")[1].split()
    assert follow[-1] == "--skip-missing"
    assert run(*follow, cwd=folder).returncode == 0


def test_a_class_that_no_outcome_names_is_named_as_the_cure_says(folder: Path) -> None:
    call = (
        "decide",
        "new.csv",
        "--id",
        "patient",
        "--cost-fp",
        "2",
        "--cost-fn",
        "20",
        "--positive",
        "severe",
    )
    done = run(*call, cwd=folder)
    assert done.returncode == 2
    assert "labels= (CLI: --labels)" in " ".join(done.stderr.split())
    done = run(*call, "--labels", "not severe,severe", cwd=folder)
    assert (done.returncode, "act where p(severe) >= 0.09091" in done.stdout) == (0, True)


def test_new_rows_have_no_outcomes(folder: Path) -> None:
    done = run("decide", "new.csv", "--id", "patient", "--utilities", "u.csv", "-o", "out.parquet", cwd=folder)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "300 rows, no outcomes" in done.stdout
    assert "next:" not in done.stderr
    frame = pl.read_parquet(folder / "out.parquet")
    assert set(frame["action"]) == {"treat", "wait", "=1+1"}
    both = ll.decide(folder / "messy.csv", outcome="result", ids="patient", utilities=folder / "u.csv", recalibrate=False)  # fmt: skip
    assert frame["action"].to_list() == both.chosen.tolist()


def test_two_costs(folder: Path) -> None:
    for names in (("--cost-fp", "--cost-fn"), ("--false-alarm", "--miss")):
        state = answer(run("decide", "messy.csv", *OPTIONS, names[0], "2", names[1], "10", "--json", cwd=folder))  # fmt: skip
        assert state["threshold"] == 2 / 12
        assert list(state["actions"]) == ["act", "don't act"]


def test_recalibrating_is_shown_unless_it_is_not_wanted(folder: Path) -> None:
    state = answer(run("decide", "messy.csv", *OPTIONS[:-1], "--cost-fp", "2", "--cost-fn", "10", "--json", cwd=folder))  # fmt: skip
    assert state["recalibration"]["map"]
    state = answer(run("decide", "messy.csv", *OPTIONS, "--cost-fp", "2", "--cost-fn", "10", "--json", cwd=folder))  # fmt: skip
    assert state["recalibration"] is None


def test_nothing_is_written_over(folder: Path) -> None:
    (folder / "out.csv").write_text("mine")
    call = ("decide", "messy.csv", *OPTIONS, "--utilities", "u.csv", "--out")
    for target in ("out.csv", "messy.csv", "u.csv"):
        before = (folder / target).read_text()
        done = run(*call, target, cwd=folder)
        assert done.returncode == 1
        assert "would-overwrite" in done.stderr
        assert (folder / target).read_text() == before
    assert run(*call, "messy.csv", "--force", cwd=folder).returncode == 1
    assert run(*call, "out.csv", "--force", cwd=folder).returncode == 0
    done = run("decide", "out.csv", "--outcome", "result", "--id", "patient", "--no-recalibrate", "--utilities", "u.csv", "--out", "twice.csv", "--forecast", "p_severe", cwd=folder)  # fmt: skip
    assert "column-exists" in done.stderr
    assert not (folder / "twice.csv").exists()
    assert not list(folder.glob(".*tmp"))


def test_missing_forecasts_get_no_action(folder: Path) -> None:
    (folder / "gaps.csv").write_text("id,p_1,w\na,0.5,0\nb,,1\nc,0.01,1\n")
    call = ("decide", "gaps.csv", "--cost-fp", "1", "--cost-fn", "9", "--weight", "w", "--forecast", "p_1", "--out", "out.csv")  # fmt: skip
    assert "missing-values" in run(*call, cwd=folder).stderr
    assert not (folder / "out.csv").exists()
    done = run(*call, "--skip-missing", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "rows-undecided" in done.stderr
    assert [row["action"] for row in rows(folder / "out.csv")] == ["act", "", "don't act"]


def test_standard_input(folder: Path) -> None:
    text = "y,p\n1,0.9\n0,0.2\n0,0.05\n"
    state = answer(run("decide", "-", "--cost-fp", "1", "--cost-fn", "9", "--json", stdin=text, cwd=folder))
    assert state["actions"] == {"act": 2, "don't act": 1}
    done = run("decide", "-", "--cost-fp", "1", "--cost-fn", "9", "--out", "o.csv", stdin=text, cwd=folder)
    assert done.returncode == 2
    assert "input-used-up" in done.stderr


def test_many_classes_and_outcomes_in_another_file(folder: Path) -> None:
    (folder / "p.csv").write_text("id,cat,eel,dog\n3,0.7,0.1,0.2\n1,0.1,0.8,0.1\n2,0.2,0.2,0.6\n")
    (folder / "t.csv").write_text("id,label\n1,eel\n2,cat\n3,dog\n")
    (folder / "k.csv").write_text("do,dog,cat,eel\nfeed,1,1,0\ntank,-5,-5,2\n")
    state = answer(run("decide", "p.csv", "--truth", "t.csv", "--utilities", "k.csv", "--out", "o.csv", "--json", cwd=folder))  # fmt: skip
    assert state["actions"] == {"feed": 2, "tank": 1}
    assert state["realised_utility"] == pytest.approx(4 / 3, rel=1e-15)
    assert [row["action"] for row in rows(folder / "o.csv")] == ["feed", "tank", "feed"]
