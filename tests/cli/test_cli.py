"""The command line as a person and as another program meet it, run as a real process."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import logloss as ll
from uncommanded import without_commands

PUZZLE = "y,p\n1,.5\n1,.1\n1,.01\n0,.9\n0,.75\n0,.001\n"


def run(
    *args: object, stdin: str | None = None, cwd: Path | None = None, **env: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "logloss", *map(str, args)],
        input=stdin or "",
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        cwd=cwd,
        env={**os.environ, "COLUMNS": "100", "PYTHONIOENCODING": "utf-8", **env},
    )


def answer(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_puzzle_from_standard_input() -> None:
    state = answer(run("score", "-", "--json", stdin=PUZZLE))
    assert state["log_loss"] == pytest.approx(1.881797068998267, rel=1e-12)
    for key in (
        "log_loss_finite",
        "infinite_rows",
        "n",
        "weight",
        "standard_error",
        "interval",
        "baseline",
        "skill",
        "accuracy",
        "brier",
        "perplexity",
        "conventions",
        "notes",
    ):
        assert key in state
    assert {"base_rate", "uniform"} <= state["baseline"].keys()


def test_json_is_what_python_returns(predictions: Path) -> None:
    file = predictions / "breast_cancer.csv"
    options = ["--outcome", "diagnosis", "--forecast", "naive_bayes", "--json"]
    columns = {"outcome": "diagnosis", "forecast": "naive_bayes"}
    assert answer(run("score", file, *options)) == json.loads(json.dumps(ll.score(file, **columns).to_dict()))
    told = answer(run("explain", file, *options))
    assert without_commands(told) == without_commands(ll.explain(file, **columns).to_dict())


def test_explain_has_its_keys() -> None:
    state = answer(run("explain", "-", "--json", stdin=PUZZLE))
    for key in ("log_loss", "expected_log_loss", "excess_z", "worst", "clip", "classes", "findings"):
        assert key in state
    assert {"row", "id", "outcome", "forecast", "surprise", "share"} <= state["worst"][0].keys()
    assert {"best", "log_loss", "suggested"} <= state["clip"].keys()


def test_the_answer_is_on_stdout_and_the_rest_on_stderr() -> None:
    done = run("score", "-", stdin=PUZZLE)
    assert done.stdout.startswith("Log loss 1.8818 nats")
    assert "read as the outcome" not in done.stdout
    assert "read as the outcome" in done.stderr
    assert "next:" not in done.stderr  # standard input is used up
    assert run("score", "-", "--json", stdin=PUZZLE).stderr == ""


def test_the_next_command_names_the_same_columns(tmp_path: Path) -> None:
    (tmp_path / "my file.csv").write_text("t,a,b\nx,0.25,1\nz,0.5,3\n")
    done = run("score", "my file.csv", "--outcome", "t", "--forecast", "a", "--skip-missing", cwd=tmp_path)
    assert "next: logloss explain 'my file.csv' --outcome t --forecast a --skip-missing" in done.stderr


def test_of_several_forecasts_the_next_command_compares_them(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text("y,p,q\n1,.9,.8\n0,.2,.3\n1,.6,.7\n")
    done = run("score", str(path), "--model", "a=p", "--model", "b=q")
    follow = done.stderr.split("next: logloss ")[1].strip()
    assert follow == f"compare {path} --model a=p --model b=q"
    assert run(*follow.split()).returncode == 0


def test_colour_only_on_a_terminal_that_wants_it() -> None:
    import pty

    def on_a_terminal(**env: str) -> bytes:
        ours, theirs = pty.openpty()
        with subprocess.Popen(
            [sys.executable, "-m", "logloss", "score", "-"],
            stdin=subprocess.PIPE,
            stdout=theirs,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "TERM": "xterm", **env},
        ) as process:
            os.close(theirs)
            assert process.stdin is not None
            process.stdin.write(PUZZLE.encode())
            process.stdin.close()
            shown = b""
            with contextlib.suppress(OSError):  # the other end is closed
                while chunk := os.read(ours, 4096):
                    shown += chunk
        os.close(ours)
        return shown

    assert b"\x1b[1mLog loss 1.8818 nats" in on_a_terminal()
    assert b"\x1b" not in on_a_terminal(NO_COLOR="1")
    assert "\x1b" not in run("score", "-", stdin=PUZZLE).stdout


def test_a_submission_with_its_solution(predictions: Path) -> None:
    done = run(
        "score",
        predictions / "cats_and_dogs_submission.csv",
        "--truth",
        predictions / "cats_and_dogs_solution.csv",
        "--json",
    )
    assert answer(done)["log_loss"] == pytest.approx(0.011443460315, rel=1e-9)


def test_options_reach_python(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text("truth,a,b,w\nA,0.25,0.75,1\nB,0.5,0.5,3\n")
    state = answer(
        run(
            "score",
            tmp_path / "f.csv",
            "--outcome",
            "truth",
            "--forecast",
            "a",
            "--forecast",
            "b",
            "--labels",
            "A,B",
            "--weight",
            "w",
            "--level",
            "0.9",
            "--json",
        )
    )
    assert state["log_loss"] == pytest.approx(
        ll.log_loss(["A", "B"], [[0.25, 0.75], [0.5, 0.5]], sample_weight=[1, 3], labels=["A", "B"])
    )
    assert state["level"] == 0.9
    logits = answer(run("score", "-", "--space", "logit", "--json", stdin="y,p\n0,800\n1,0\n"))
    assert logits["log_loss"] == pytest.approx((800 + 0.6931471805599453) / 2)
    assert "bits" in run("score", "-", "--unit", "bits", stdin=PUZZLE).stdout
    positive = answer(run("score", "-", "--positive", "no", "--json", stdin="y,p\nno,0.75\nyes,0.5\n"))
    assert positive["classes"][1]["class"] == "no"
    assert answer(run("score", "-", "--skip-missing", "--json", stdin="y,p\n1,\n1,0.5\n"))["n"] == 1
    assert answer(run("score", "-", "--normalize-rows", "--json", stdin="y,a,b\na,1,3\nb,1,1\n"))[
        "log_loss"
    ] == pytest.approx(1.0397207708399179)


def test_what_ifs_from_the_command_line() -> None:
    state = answer(
        run("explain", "-", "--clip", "0.3", "--temperature", "3", "--rows", "2", "--json", stdin=PUZZLE)
    )
    assert {"clip at 0.3", "soften, temperature 3"} <= {w["name"] for w in state["what_if"]}
    assert len(state["worst"]) == 2


def test_which_number() -> None:
    done = run("score", "-", "--which", "0.817254", stdin=PUZZLE)
    assert "mean in base 10" in done.stdout
    assert answer(run("score", "-", "--which", "0.817254", "--json", stdin=PUZZLE))["matches"]


def test_saving_replaces_a_summary_and_nothing_else(tmp_path: Path) -> None:
    data = tmp_path / "f.csv"
    data.write_text(PUZZLE)
    done = run("score", data, "--save", data)
    assert done.returncode == 1
    assert "[would-overwrite:" in done.stderr
    assert data.read_text() == PUZZLE
    for _ in range(2):
        assert run("score", data, "--save", tmp_path / "s.json").returncode == 0


def test_a_full_disk_is_one_line() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "logloss", "score", "-"],
            input=PUZZLE,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


def test_saved_summaries_load(tmp_path: Path) -> None:
    run("score", "-", "--save", tmp_path / "s.json", stdin=PUZZLE)
    assert ll.score(ll.Summary.load(tmp_path / "s.json")).log_loss == pytest.approx(1.881797068998267)
    done = run("score", "-", "--save", tmp_path / "no" / "s.json", stdin=PUZZLE)
    assert (done.returncode, done.stdout) == (1, "")


# Exit code 1: bad data. 2: wrong usage. No traceback, nothing on stdout, one paragraph with its slug.
@pytest.mark.parametrize(
    ("code", "slug", "args", "stdin"),
    [
        (1, "empty", ["score", "-"], ""),
        (1, "no-rows", ["score", "-"], "y,p\n"),
        (1, "out-of-range", ["score", "-"], "y,p\n1,1.2\n0,.5\n"),
        (1, "missing-values", ["explain", "-"], "y,p\n1,nan\n0,.5\n"),
        (1, "no-such-column", ["score", "-", "--forecast", "q"], PUZZLE),
        (1, "no-such-file", ["score", "nowhere.csv"], ""),
        (2, "labels-count", ["score", "-", "--labels", "0,1,2"], PUZZLE),
        (2, "bad-figure", ["score", "-", "--which", "low"], PUZZLE),
    ],
)
def test_errors(code: int, slug: str, args: list[str], stdin: str) -> None:
    done = run(*args, stdin=stdin)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith("error: ")
    assert f"[{slug}:" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "args",
    [
        ["score"],
        ["scores"],
        ["score", "-", "--space", "x"],
        ["score", "-", "--level", "2"],
        ["score", "-", "--nope"],
    ],
)
def test_wrong_usage(args: list[str]) -> None:
    done = run(*args)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr


def test_terminal_escapes_in_data_do_not_reach_the_terminal() -> None:
    done = run("explain", "-", stdin='id,y,p\n"\x1b]0;owned\x07",1,0.5\nb,0,0.25\n')
    assert "\x1b" not in done.stdout + done.stderr
    assert "\x1b" not in run("score", "-", "--forecast", "\x1b[31mx", stdin=PUZZLE).stderr


def test_json_is_ascii_whatever_the_names() -> None:
    done = run(
        "score",
        "-",
        "--json",
        stdin="y,p\n\u00e9\u009b,0.5\nz,0.25\n",
        PYTHONIOENCODING="ascii",
        PYTHONUTF8="0",
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.isascii()


def test_labels_with_commas_and_points_can_be_named() -> None:
    done = run("score", "-", "--labels", '"a,b",c', "--json", stdin='y,p\n"a,b",0.75\nc,0.5\n')
    assert [c["class"] for c in answer(done)["classes"]] == ["a,b", "c"]
    assert (
        answer(run("score", "-", "--labels", "1.0,0.0", "--json", stdin="y,p\n1.0,0.75\n0.0,0.5\n"))[
            "classes"
        ][1]["class"]
        == 0
    )


def test_an_infinite_figure_as_json() -> None:
    assert (
        answer(run("score", "-", "--which", "inf", "--json", stdin="y,p\n1,0\n0,0.5\n"))["reported"] == "inf"
    )
    assert run("score", "-", "--which", "nan", stdin=PUZZLE).returncode == 2


def test_classes_with_leading_zeros_can_be_named() -> None:
    done = run("score", "-", "--positive", "01", "--json", stdin="y,p\n01,0.75\n1,0.5\n")
    assert answer(done)["classes"][1]["class"] == "01"


def test_an_ascii_terminal_gets_ascii() -> None:
    done = run("score", "-", stdin=PUZZLE, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert done.returncode == 0, done.stderr
    assert "###" in done.stdout
    assert done.stdout.isascii()


def test_help_names_every_command_and_an_example() -> None:
    text = run("--help").stdout
    for part in ("score", "explain", "logloss score preds.csv"):
        assert part in text
    for command in ("score", "explain"):
        assert "--truth" in run(command, "--help").stdout


def test_help_loads_nothing_heavy() -> None:
    code = "import sys; sys.argv = ['logloss', '--help']\nfrom logloss.cli import main\ntry: main()\nexcept SystemExit: print([m for m in ('numpy', 'polars', 'numba', 'rich', 'scipy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.rstrip().endswith("[]")


def test_version() -> None:
    assert ll.__version__ in run("--version").stdout


def test_parts_are_saved_and_merged(tmp_path: Path) -> None:
    lines = PUZZLE.splitlines()
    (tmp_path / "a.csv").write_text("\n".join([lines[0], *lines[1:4]]) + "\n")
    (tmp_path / "b.csv").write_text("\n".join([lines[0], *lines[4:]]) + "\n")
    for part in "ab":
        answer(run("score", f"{part}.csv", "--save", f"{part}.json", "--json", cwd=tmp_path))
    whole = answer(run("merge", "b.json", "a.json", "--save", "whole.json", "--json", cwd=tmp_path))
    assert whole["log_loss"] == pytest.approx(1.881797068998267, rel=1e-12)
    assert ll.score(ll.load(tmp_path / "whole.json")).n == 6
    twice = run("merge", "a.json", "a.json", cwd=tmp_path)
    assert (twice.returncode, "same-part-twice" in twice.stderr) == (1, True)
    assert answer(run("merge", "a.json", "a.json", "--allow-equal", "--json", cwd=tmp_path))["n"] == 6
    assert "[not-a-summary" in run("merge", "a.csv", cwd=tmp_path).stderr


def test_groups_and_several_forecasts(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("y,p,q,g\n1,.9,.6,a\n0,.2,.4,b\n1,.7,.6,a\n0,.4,.3,b\n")
    state = answer(run("score", "x.csv", "--forecast", "p", "--group", "g", "--json", cwd=tmp_path))
    assert {one["group"]: one["rows"] for one in state["groups"]["by_group"]} == {"a": 2, "b": 2}
    text = run("score", "x.csv", "--forecast", "p", "--group", "g", cwd=tmp_path).stdout
    assert "2 groups, costliest first" in text
    state = answer(run("score", "x.csv", "--model", "old=q", "--model", "new=p", "--json", cwd=tmp_path))
    assert [model["name"] for model in state["models"]] == ["new", "old"]
    assert state["pairs"][0]["difference"] < 0
    for wrong in (
        ["--model", "old"],
        ["--model", "a=p", "--model", "a=q"],
        ["--model", "a=p", "--forecast", "q"],
    ):
        assert run("score", "x.csv", *wrong, cwd=tmp_path).returncode == 2
    assert "[which-alone" in run("score", "x.csv", "--model", "a=p", "--which", "0.3", cwd=tmp_path).stderr


def test_a_folder_and_what_is_done_of_it(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for name, rows in {"1.csv": "1,.9\n0,.2\n", "2.csv": "1,.6\n0,.4\n"}.items():
        (tmp_path / "data" / name).write_text("y,p\n" + rows)
    first = answer(run("score", "data", "--parts", "done", "--json", cwd=tmp_path))
    assert first["n"] == 4
    assert len(list((tmp_path / "done").iterdir())) == 2
    assert answer(run("score", "data", "--parts", "done", "--json", cwd=tmp_path)) == first
    (tmp_path / "data" / "3.parquet").write_bytes(b"PAR1 and no more")
    broken = run("score", "data", cwd=tmp_path)
    assert (broken.returncode, "3.parquet" in broken.stderr) == (1, True)
    assert answer(run("score", "data", "--skip-unreadable", "--json", cwd=tmp_path))["n"] == 4


def test_a_folder_to_save_in_is_looked_for_first(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(PUZZLE)
    done = run("score", "x.csv", "--save", "no/such/s.json", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "[cannot-write" in done.stderr


def test_a_saved_summary_is_explained(tmp_path: Path) -> None:
    rows = [(at * 7919 % 1000 / 1000 + 0.0005, at * 104729 % 997 / 997) for at in range(3000)]
    text = "\n".join(f"{int(u < p * p)},{p}" for p, u in rows)
    (tmp_path / "preds.csv").write_text(f"y,p\n{text}\n")
    saved = tmp_path / "s.json"
    assert run("score", tmp_path / "preds.csv", "--save", saved).returncode == 0
    done = run("explain", saved)
    assert done.returncode == 0
    assert "in sample" in done.stdout
    assert "[in-bins]" in done.stderr
    assert answer(run("explain", saved, "--json"))["miscalibration"]["bins"]["bins"] > 50
    wrong = run("explain", saved, "--outcome", "y")
    assert wrong.returncode == 2
    assert "its columns behind it" in wrong.stderr
