"""`logloss report`: what it writes, what it refuses, exit codes."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

import click
import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from scipy.special import expit

from logloss.cli.commands import cli
from logloss.cli.output import complain
from logloss.errors import LoglossError

if TYPE_CHECKING:
    from pathlib import Path

ROWS = "id,y,p,q\n" + "".join(
    f"r{k},{k % 2},{0.2 + 0.5 * (k % 2) + 0.001 * k},0.{4 + k % 3}\n" for k in range(60)
)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    found = tmp_path / "preds.csv"
    found.write_text(ROWS)
    return found


def run(*words: str, verb: str = "report", given: str | None = None) -> Any:
    """Run the command line; an error of ours ends as the program ends: with its exit code."""

    @click.command(context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
    @click.pass_context
    def whole(ctx: click.Context) -> None:
        try:
            cli(ctx.args, prog_name="logloss", standalone_mode=True)
        except LoglossError as error:
            complain(error)
            ctx.exit(error.exit_code)

    return CliRunner().invoke(whole, [verb, *words], input=given)


@pytest.mark.parametrize(
    ("suffix", "begins"), [("html", "<!doctype html>"), ("md", "# "), ("txt", "Log loss"), ("json", "{")]
)
def test_the_name_says_as_what_it_is_written(file: Path, suffix: str, begins: str) -> None:
    done = run("preds.csv", "--id", "id", "--forecast", "p", "-o", f"r.{suffix}")
    assert (done.exit_code, done.stdout.startswith(f"r.{suffix}  ")) == (0, True)
    assert (file.parent / f"r.{suffix}").read_text().startswith(begins)
    assert sorted(each.name for each in file.parent.iterdir()) == ["preds.csv", f"r.{suffix}"]


def test_on_the_screen_it_is_text_of_a_hundred_columns_or_json(file: Path) -> None:
    asked = ("preds.csv", "--id", "id", "--forecast", "p")
    told = run(*asked, "--unit", "bits").stdout
    assert "Log loss, bits" in told
    assert max(map(len, told.splitlines())) <= 100
    assert json.loads(run(*asked, "--json").stdout) == json.loads(run(*asked, "--format", "json").stdout)
    assert run(*asked, "--format", "md").stdout.startswith("# ")


def test_against_a_file_and_a_column(file: Path) -> None:
    (file.parent / "other.csv").write_text(ROWS.replace(",p,q", ",old,p"))
    for other in ("q", "other.csv"):
        chosen = () if other == "q" else ("--outcome", "y")
        done = run("preds.csv", "--id", "id", "--forecast", "p", *chosen, "--against", other, "--no-rows")
        assert done.exit_code == 0, done.output
        assert "Which forecast is really better?" in done.stdout
        assert "r17" not in done.stdout


@pytest.mark.parametrize("against", ["q", "other.csv"])
def test_each_command_that_it_names_works(file: Path, against: str) -> None:
    random = np.random.default_rng(5)
    z = random.normal(0, 2, 400)
    rows = {"id": [f"r{k}" for k in range(400)], "y": (random.random(400) < expit(0.5 * z)).astype(int)}
    table = pl.DataFrame(rows | {"p": expit(z), "q": expit(0.5 * z)})
    table.write_csv("preds.csv")
    table.select("id", "y", p="q").write_csv(file.parent / "other.csv")
    asked = ["--id", "id", "--outcome", "y", "--forecast", "p", "--against", against]
    done = run("preds.csv", *asked, "--cost-fp", "1", "--cost-fn", "4", "--json")
    told = {one["id"]: one["command"] for one in json.loads(done.stdout)["findings"]}
    assert {"LL060", "LL062", "LL070"} <= set(told), told
    assert against in told["LL062"].split()
    for line in told.values():
        _, verb, *words = shlex.split(line)
        again = run(*words, verb=verb)
        assert again.exit_code == 0, (line, again.output)


def test_two_files_of_one_name_are_in_no_command(file: Path) -> None:
    there = file.parent / "elsewhere"
    there.mkdir()
    (there / "preds.csv").write_text(ROWS.replace(",p,q", ",old,p"))
    asked = ("--id", "id", "--outcome", "y", "--forecast", "p", "--against", "elsewhere/preds.csv", "--json")
    found = json.loads(run("preds.csv", *asked).stdout)["findings"]
    assert "" in [one["command"] for one in found if one["id"].startswith("LL06")]
    assert not any("FILE" in one["command"] for one in found)


@pytest.mark.parametrize(
    ("words", "said", "code"),
    [
        (("-o", "r.pdf"), "report-format", 2),
        (("-o", "preds.csv"), "report-format", 2),
        (("-o", "there.html"), "would-overwrite", 1),
        (("-o", "nowhere/r.html"), "cannot-write", 1),
        (("--against", "gone.csv"), "against-what", 2),
        (("--against", "strangers.csv"), "different-rows", 1),
        (("--utilities", "gone.csv"), "no-such-file", 1),
        (("--unit", "stones"), "stones", 2),
        (("--format", "pdf"), "pdf", 2),
        (("--rows", "-1"), "--rows", 2),
    ],
)
def test_what_it_refuses_leaves_nothing(file: Path, words: tuple[str, ...], said: str, code: int) -> None:
    (file.parent / "there.html").write_text("mine")
    (file.parent / "strangers.csv").write_text(ROWS.replace("\nr", "\ns"))
    before = sorted(each.name for each in file.parent.iterdir())
    done = run("preds.csv", "--id", "id", "--forecast", "p", "--outcome", "y", *words)
    assert done.exit_code == code, done.output
    assert said in done.output
    assert sorted(each.name for each in file.parent.iterdir()) == before
    assert (file.parent / "there.html").read_text() == "mine"


def test_force_replaces(file: Path) -> None:
    (file.parent / "r.html").write_text("mine")
    assert run("preds.csv", "--forecast", "p", "-o", "r.html", "--force").exit_code == 0
    assert (file.parent / "r.html").read_text() != "mine"


def test_a_write_that_is_interrupted_leaves_nothing(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("logloss.saving.os.fsync", stopped)
    assert run("preds.csv", "--forecast", "p", "-o", "r.html").exit_code != 0
    assert [each.name for each in file.parent.iterdir()] == ["preds.csv"]


def test_a_saved_summary_is_reported(file: Path) -> None:
    assert run("preds.csv", "--forecast", "p", "--save", "s.json", verb="score").exit_code == 0
    done = run("s.json", "-o", "r.html")
    assert done.exit_code == 0, done.output
    assert "60 rows" in (file.parent / "r.html").read_text()


def test_standard_input_is_read_once() -> None:
    done = run("-", "--forecast", "p", "--id", "id", given=ROWS)
    assert done.exit_code == 0, done.output
    done = run("-", "--forecast", "p", "--against", "q", given=ROWS)
    assert (done.exit_code, "input-used-up" in done.output) == (2, True)
