"""`logloss fix`, `apply` and `export` as a person and as another program meet them."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import logloss as ll
from logloss.cli import main
from uncommanded import without_commands


@dataclass
class Done:
    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Done]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run the command line in this process, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")

    def how(*args: object, stdin: str = "") -> Done:
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["logloss", *map(str, args)])
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
            code: Any = 0
            try:
                main()
            except SystemExit as end:
                code = end.code
        said = capsys.readouterr()
        return Done(int(code or 0), said.out, said.err)

    return how


def answer(done: Done) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout)


@pytest.fixture
def table(tmp_path: Path) -> pl.DataFrame:
    """A file of over-confident forecasts, rows.csv, and one without outcomes, new.csv."""
    random = np.random.default_rng(1)
    z = random.normal(0, 1.3, 400)
    frame = pl.DataFrame(
        {
            "id": [f"{at:03d}" for at in range(400)],
            "state": np.where(random.random(400) < 1 / (1 + np.exp(-z)), "sick", "well"),
            "p": (1 / (1 + np.exp(-3 * z))).round(6),
            "q": (1 / (1 + np.exp(-z + random.normal(0, 1, 400)))).round(6),
            "site": [f"s{one}" for one in random.integers(0, 40, 400)],
            "day": [f"2026-{1 + at // 40:02d}-{1 + at % 28:02d}" for at in range(400)],
            "part": ["train"] * 40 + ["valid"] * 360,
        }
    )
    frame.write_csv(tmp_path / "rows.csv")
    frame.drop("state").reverse().write_csv(tmp_path / "new.csv")
    return frame


ASKED = ["rows.csv", "--outcome", "state", "--forecast", "p", "--positive", "sick"]
PYTHON = {"outcome": "state", "forecast": "p", "positive": "sick"}
QUICK = ["--map", "temperature", "--map", "affine"]


def test_the_answer_is_on_stdout_and_the_rest_on_stderr(run: Run, table: pl.DataFrame) -> None:
    done = run("fix", *ASKED, *QUICK, "--trained", "part")
    assert done.returncode == 0
    assert done.stdout.startswith("Log loss ")
    assert "<- chosen" in done.stdout
    assert "trained on 40 of these 400 rows" in done.stderr.replace("\n", " ")
    assert "trained on" not in done.stdout
    bits = run("fix", *ASKED, *QUICK, "--unit", "bits").stdout
    assert bits.startswith(
        f"Log loss {ll.log_loss(table['state'] == 'sick', table['p']) / np.log(2):.4f} -> "
    )
    assert " bits " in bits


def test_json_is_what_python_returns(run: Run, table: pl.DataFrame) -> None:
    state = answer(run("fix", *ASKED, "--json"))
    want = json.loads(json.dumps(ll.fix("rows.csv", **PYTHON).to_dict(), allow_nan=False))
    assert state["map"]["fitted"] == want["map"]["fitted"]
    for key in ("before", "after", "gain", "gain_interval", "chosen", "candidates", "map"):
        assert state[key] == want[key], key
    assert {"name", "log_loss", "gain", "interval"} <= state["candidates"][0].keys()
    assert state["written"] is None
    assert state["chosen"] != "identity"
    del table


@pytest.mark.parametrize(
    ("options", "python"),
    [
        (["--map", "clip", "--map", "mix"], {"maps": ["clip", "mix"]}),
        ([*QUICK, "--time", "day"], {"maps": ["temperature", "affine"], "time": "day"}),
        ([*QUICK, "--trained", "part"], {"maps": ["temperature", "affine"], "trained": "part"}),
        ([*QUICK, "--group", "site"], {"maps": ["temperature", "affine"], "group": "site"}),
        ([*QUICK, "--level", "0.6"], {"maps": ["temperature", "affine"], "level": 0.6}),
        ([*QUICK, "--weight", "q"], {"maps": ["temperature", "affine"], "weight": "q"}),
    ],
    ids=["map", "time", "trained", "group", "level", "weight"],
)
@pytest.mark.usefixtures("table")
def test_options_are_arguments(options: list[str], python: dict[str, Any], run: Run) -> None:
    state = answer(run("fix", *ASKED, *options, "--json"))
    want = without_commands(ll.fix("rows.csv", **PYTHON, **python).to_dict())
    assert {key: without_commands(state)[key] for key in want} == want
    plain = without_commands(ll.fix("rows.csv", **PYTHON, maps=["temperature", "affine"]).to_dict())
    assert want != plain


@pytest.mark.usefixtures("table")
def test_several_forecasts(run: Run) -> None:
    options = ["rows.csv", "--outcome", "state", "--positive", "sick", "--model", "one=p", "--model", "two=q"]
    state = answer(run("fix", *options, "--json", "--apply", "new.csv", "-o", "better.csv"))
    want = ll.fix("rows.csv", {"one": "p", "two": "q"}, outcome="state", positive="sick")
    assert state["chosen"] == want.chosen
    assert state["gain"] == pytest.approx(want.gain, rel=1e-9)
    assert state["written"] == {"file": "better.csv", "rows": 400, "columns": ["pooled"]}
    new = pl.read_csv("new.csv")
    got = pl.read_csv("better.csv")
    assert got.columns == [*new.columns, "pooled"]
    assert got["pooled"].to_numpy() == pytest.approx(want.apply({"one": new["p"], "two": new["q"]}), rel=1e-9)


def test_saved_applied_and_exported(run: Run, table: pl.DataFrame) -> None:
    done = run("fix", *ASKED, *QUICK, "--save", "map.json", "--apply", "new.csv", "-o", "one.csv")
    assert done.returncode == 0
    assert "wrote one.csv (400 rows, p)" in done.stdout
    assert "logloss apply map.json" in done.stdout
    done = run("apply", "map.json", "new.csv", "-o", "two.csv")
    assert (done.returncode, done.stdout) == (0, "temperature: wrote two.csv (400 rows, p)\n")
    assert Path("one.csv").read_bytes() == Path("two.csv").read_bytes()
    got = pl.read_csv("two.csv", infer_schema=False)
    given = pl.read_csv("new.csv", infer_schema=False)
    assert got.drop("p").equals(given.drop("p"))
    fitted = ll.load_map("map.json")
    p = table.reverse()["p"].to_numpy()
    assert got["p"].cast(float).to_numpy() == pytest.approx(fitted.apply(p), rel=1e-15)
    run("apply", "map.json", "new.csv", "-o", "three.csv", "--forecast", "q", "--space", "p")
    third = pl.read_csv("three.csv")
    assert third["p"].to_list() == given["p"].cast(float).to_list()
    assert third["q"].to_numpy() == pytest.approx(fitted.apply(given["q"].cast(float).to_numpy()), rel=1e-15)
    code = run("export", "map.json").stdout
    scope: dict[str, Any] = {}
    exec(code, scope)
    assert scope["recalibrate"](p) == pytest.approx(fitted.apply(p), rel=1e-12)
    sql = run("export", "map.json", "--sql", "duckdb", "--forecast", "q").stdout
    assert '"q"' in sql


@pytest.mark.usefixtures("table")
def test_own_rows_are_written_held_out(run: Run) -> None:
    state = answer(run("fix", *ASKED, *QUICK, "--json", "--out", "held.csv"))
    assert state["written"] == {"file": "held.csv", "rows": 400, "columns": ["p"]}
    got = pl.read_csv("held.csv")
    loss = ll.log_loss(got["state"] == "sick", got["p"])
    (tried,) = (one for one in state["candidates"] if one["name"] == state["chosen"])
    assert loss == pytest.approx(tried["log_loss"], rel=1e-9)
    assert "each row under a map fitted without it" in run("fix", *ASKED, *QUICK, "-o", "again.csv").stdout


def test_standard_input(run: Run, table: pl.DataFrame) -> None:
    text = table.write_csv()
    state = answer(run("fix", "-", *ASKED[1:], *QUICK, "--json", stdin=text))
    assert state["chosen"] == "temperature"
    assert answer(run("fix", "-", *ASKED[1:], *QUICK, "--json", "--apply", "new.csv", "-o", "out.csv", stdin=text))["written"]["rows"] == 400  # fmt: skip
    done = run("fix", "-", *ASKED[1:], *QUICK, "-o", "held.csv", stdin=text)
    assert done.returncode == 2
    assert "[apply-without-out:" in done.stderr
    run("fix", *ASKED, *QUICK, "--save", "map.json")
    assert run("apply", "map.json", "-", "-o", "piped.csv", stdin=Path("new.csv").read_text()).returncode == 0
    assert Path("piped.csv").read_bytes() == Path("out.csv").read_bytes()


@pytest.mark.parametrize(
    ("args", "code", "slug"),
    [
        (["fix", *ASKED, "--apply", "new.csv"], 2, "apply-without-out"),
        (["fix", *ASKED, "-o", "rows.csv", "--force"], 1, "would-overwrite"),
        (["fix", *ASKED, "--apply", "new.csv", "-o", "./new.csv", "--force"], 1, "would-overwrite"),
        (["fix", *ASKED, "-o", "there.csv"], 1, "would-overwrite"),
        (["fix", *ASKED, "-o", "out.xlsx"], 1, "cannot-write"),
        (["fix", *ASKED, "-o", "no/such/out.csv"], 1, "cannot-write"),
        (["fix", *ASKED, "--save", "there.csv"], 1, "would-overwrite"),
        (["fix", *ASKED, "--save", "no/such/map.json"], 1, "cannot-write"),
        (["fix", *ASKED, "--map", "temprature"], 2, "unknown-map"),
        (["fix", *ASKED, "--time", "when"], 1, "no-such-column"),
        (["fix", "nothing.csv"], 1, None),
        (["fix", *ASKED, "--level", "1.5"], 2, None),
        (["apply", "there.csv", "new.csv", "-o", "out.csv"], 1, None),
        (["apply", "nothing.json", "new.csv", "-o", "out.csv"], 1, None),
        (["export", "there.csv"], 1, None),
    ],
)
@pytest.mark.usefixtures("table")
def test_refusals(args: list[str], code: int, slug: str | None, run: Run) -> None:
    Path("there.csv").write_text("kept")
    before = {path.name: path.read_bytes() for path in Path().iterdir()}
    done = run(*args)
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert done.stderr.lower().startswith(("error", "usage"))
    assert "Traceback" not in done.stderr
    assert slug is None or f"[{slug}:" in done.stderr
    assert {path.name: path.read_bytes() for path in Path().iterdir()} == before


@pytest.mark.usefixtures("table")
def test_force_replaces(run: Run) -> None:
    Path("out.csv").write_text("old")
    Path("map.json").write_text("old")
    done = run("fix", *ASKED, *QUICK, "-o", "out.csv", "--save", "map.json", "--force")
    assert done.returncode == 0
    assert Path("out.csv").read_text().startswith("id,state,p")
    assert ll.load_map("map.json").name == "temperature"
    assert run("fix", *ASKED, *QUICK, "--save", "map.json").returncode == 0  # a map replaces a map
    assert run("apply", "map.json", "new.csv", "-o", "out.csv").returncode == 1
    assert run("apply", "map.json", "new.csv", "-o", "map.json", "--force").returncode == 1
    assert run("apply", "map.json", "new.csv", "-o", "out.csv", "--force").returncode == 0


@pytest.mark.usefixtures("table")
def test_a_bad_row_of_the_new_table_leaves_nothing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logloss.batches.ROWS", 100)
    lines = Path("new.csv").read_text().splitlines(keepends=True)
    lines[351] = lines[351].replace(",", ",7", 1)  # row 350, counted from 0 without the header
    Path("new.csv").write_text("".join(lines))
    before = sorted(path.name for path in Path().iterdir())
    done = run("fix", *ASKED, *QUICK, "--apply", "new.csv", "-o", "out.csv", "--save", "map.json")
    assert done.returncode == 1
    assert "row 350" in done.stderr
    assert "<- chosen" in done.stdout  # the race was run; what it found, and its map, are not lost
    assert sorted(path.name for path in Path().iterdir()) == sorted([*before, "map.json"])


@pytest.mark.usefixtures("table")
def test_nothing_to_do(run: Run) -> None:
    sound = pl.read_csv("rows.csv").head(30)
    sound.write_csv("few.csv")
    done = run("fix", "few.csv", *ASKED[1:], "--json", "-o", "out.csv")
    state = answer(done)
    assert state["chosen"] == "identity"
    assert pl.read_csv("out.csv")["p"].to_numpy() == pytest.approx(sound["p"].to_numpy(), rel=1e-12)


@pytest.mark.usefixtures("table")
def test_as_a_process(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "logloss", "fix", *ASKED, *QUICK, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert json.loads(done.stdout)["chosen"] == "temperature"
    assert done.stderr == ""
