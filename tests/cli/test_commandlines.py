"""Every command that a finding names is run as it stands: on files whose names and columns need quotes."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from scipy.special import expit, softmax

from logloss.cli.commands import cli
from planted import drawn

N = 500
FILE = "my $file's.csv"


def run(line: str) -> Any:
    words = shlex.split(line)
    assert words[0] == "logloss"
    return CliRunner().invoke(cli, words[1:])


def answer(line: str) -> dict[str, Any]:
    done = run(f"{line} --json")
    assert done.exit_code == 0, (line, done.output, done.exception)
    state: dict[str, Any] = json.loads(done.stdout)
    return state


def every_works(state: dict[str, Any], *ids: str) -> None:
    """Run the commands of all findings, these ids among them."""
    assert set(ids) <= {one["id"] for one in state["findings"]}
    for one in state["findings"]:
        assert "FILE" not in one["command"], one
        done = run(one["command"])
        assert done.exit_code == 0, (one, done.output, done.exception)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def planted(change: Any = lambda z: z, **more: Any) -> None:
    y, z = drawn(N, 1, 2, 3.0)
    columns = {"what happened": np.array(["no", "y e s"])[y], "p (new)": expit(change(z)), **more}
    pl.DataFrame(columns).write_csv(FILE)


COLUMNS = "--outcome 'what happened' --forecast 'p (new)' --positive 'y e s'"


def test_over_confident_and_shifted() -> None:
    planted(lambda z: 2 * z + 3)
    state = answer(f"logloss explain {shlex.quote(FILE)} {COLUMNS}")
    every_works(state, "LL022")
    fix = next(one["command"] for one in state["findings"] if one["id"] == "LL022")
    assert shlex.split(fix) == [
        *("logloss", "fix", FILE, "--outcome", "what happened", "--forecast", "p (new)"),
        *("--positive", "y e s"),
    ]


def test_the_wrong_way_round_is_cured_by_its_command() -> None:
    planted(lambda z: -z)
    state = answer(f"logloss explain {shlex.quote(FILE)} {COLUMNS}")
    every_works(state, "LL052", "LL050")
    turned = answer(next(one["command"] for one in state["findings"] if one["id"] == "LL052"))
    y, z = drawn(N, 1, 2, 3.0)
    assert turned["log_loss"] == pytest.approx(np.log1p(np.exp(np.where(y == 1, -z, z))).mean(), rel=1e-9)
    assert shlex.split(state["findings"][0]["command"]).count("--positive") == 1
    by_labels = "--outcome 'what happened' --forecast 'p (new)' --labels 'no,y e s'"
    state = answer(f"logloss explain {shlex.quote(FILE)} {by_labels}")
    every_works(state, "LL052")
    assert "--labels" not in shlex.split(state["findings"][0]["command"])


def test_slices_rows_and_infinity() -> None:
    rng = np.random.default_rng(3)
    site = rng.choice(["a", "b", "c d"], N)
    y, z = drawn(N, 1, 2, 3.0)
    p = expit(z + np.where(site == "b", 3.0, 0.0))
    p[:3] = np.where(y[:3] == 1, 0.0, 1.0)
    table = {"y": y, "p": p, "the site": site, "id": np.arange(N)}
    pl.DataFrame(table).write_csv("-dash.csv")
    done = run("logloss explain --id id --by 'the site' --json -- -dash.csv")
    state = json.loads(done.stdout)
    every_works(state, "LL030", "LL040")
    assert state["findings"][0]["command"].startswith("logloss explain ./-dash.csv --id id --rows 20")


def test_labels() -> None:
    y, z = drawn(1200, 1, 2, 4.0)
    flipped = np.random.default_rng(101).random(1200) < 0.03
    pl.DataFrame({"y": np.where(flipped, 1 - y, y), "z": z}).write_csv(FILE)
    every_works(answer(f"logloss explain {shlex.quote(FILE)} --forecast z --space logit"), "LL100")


def test_classes() -> None:
    y, Z = drawn(N, 1, 4, 2.5)
    names = ["cat", "dog", "a fox", "d'or"]
    P = softmax(3 * Z, axis=1)
    table = {"y": np.array(names)[y], **{name: P[:, k] for k, name in enumerate(names)}}
    pl.DataFrame(table).write_csv(FILE)
    columns = " ".join(f"--forecast {shlex.quote(name)}" for name in names)
    every_works(answer(f"logloss explain {shlex.quote(FILE)} {columns}"), "LL020")


def test_standard_input_keeps_the_generic_command() -> None:
    planted(lambda z: 2 * z)
    words = ["explain", "-", *shlex.split(COLUMNS)]
    text = Path(FILE).read_bytes()
    done = CliRunner().invoke(cli, [*words, "--json"], input=text)
    assert [one["command"] for one in json.loads(done.stdout)["findings"]] == ["logloss fix FILE"]
    assert "next:" not in CliRunner().invoke(cli, words, input=text).stderr


def test_the_screen_ends_with_the_command_of_the_first_finding() -> None:
    planted(lambda z: 2 * z)
    line = f"logloss explain {shlex.quote(FILE)} {COLUMNS}"
    first = answer(line)["findings"][0]["command"]
    assert run(line).stderr.rstrip().endswith(f"  next: {first}")


def test_muting() -> None:
    planted(lambda z: 2 * z)
    line = f"logloss explain {shlex.quote(FILE)} {COLUMNS} --ignore LL020 --ignore LL010"
    state = answer(line)
    assert state["findings"] == []
    assert state["muted"] == ["LL020"]
    assert "1 finding muted: LL020. [findings-muted]" in run(line).stderr
    odd = run(f"logloss explain {shlex.quote(FILE)} {COLUMNS} --ignore LL02")
    assert "unknown-finding" in str(odd.exception)


def test_validation_beside_training() -> None:
    y, z = drawn(N, 1, 2, 3.0)
    part = np.where(np.arange(N) % 2 == 0, "train", "valid")
    p = expit(np.where(part == "valid", 3 * z, z))
    pl.DataFrame({"y": y, "p": p, "part": part}).write_csv(FILE)
    quoted = shlex.quote(FILE)
    state = answer(f"logloss explain {quoted} --split part")
    assert {one["id"]: one["command"] for one in state["findings"]}[
        "LL020"
    ] == f"logloss fix {quoted} --trained part"
    every_works(state, "LL020")
    for side in ("train", "valid"):
        pl.DataFrame({"y": y[part == side], "p": p[part == side]}).write_csv(f"{side}.csv")
    every_works(answer("logloss explain valid.csv --train train.csv"), "LL020")
    # Values of one's own: only `explain` knows them.
    pl.DataFrame({"y": y, "p": p, "old": (part == "train").astype(int)}).write_csv(FILE)
    state = answer(f"logloss explain {quoted} --split old=1")
    assert {one["id"]: one["command"] for one in state["findings"]}["LL020"] == "logloss fix FILE"


def contest(name: str = "b") -> dict[str, Any]:
    y, z = drawn(N, 1, 2, 3.0)
    rng = np.random.default_rng(0)
    return {"y": y, "the a": expit(z), name: expit(2 * z), "c": expit(z + 0.05 * rng.normal(size=N))}


@pytest.mark.parametrize(
    ("flags", "ids"),
    [
        ("--forecast 'the a' --forecast b", ["LL060"]),
        ("--forecast b --forecast 'the a' --by c", ["LL060"]),
        ("--forecast 'the a' --forecast c", ["LL061"]),
        ("--forecast 'the a' --forecast b --forecast c", ["LL067"]),
        ("--model 'one=the a' --model two=c", ["LL061"]),
        ("--model 'one=the a' --model two=b --clip 0.001 --level 0.9", ["LL060"]),
    ],
)
def test_comparisons_in_one_file(flags: str, ids: list[str]) -> None:
    pl.DataFrame(contest()).write_csv(FILE)
    every_works(answer(f"logloss compare {shlex.quote(FILE)} {flags}"), *ids)


def test_comparisons_with_long_names() -> None:
    name = "a name that is too long to be told on a screen"
    pl.DataFrame(contest(name)).write_csv(FILE)
    state = answer(f"logloss compare {shlex.quote(FILE)} --forecast {shlex.quote(name)} --forecast 'the a'")
    every_works(state, "LL060", "LL066")
    worse = next(one["command"] for one in state["findings"] if one["id"] == "LL066")
    assert shlex.split(worse)[-2:] == ["--forecast", name]


@pytest.mark.parametrize(("other", "id_"), [("b", "LL060"), ("c", "LL061")])
def test_comparisons_of_files(other: str, id_: str) -> None:
    table = contest()
    for name in ("the a", other):
        pl.DataFrame({"id": np.arange(N), "y": table["y"], "p": table[name]}).write_csv(f"{name}.csv")
    state = answer(f"logloss compare 'the a.csv' {other}.csv --id id")
    every_works(state, id_)


def test_comparisons_where_zero_happened() -> None:
    table = contest()
    table["b"][:2] = np.where(table["y"][:2] == 1, 0.0, 1.0)
    pl.DataFrame(table).write_csv(FILE)
    every_works(answer(f"logloss compare {shlex.quote(FILE)} --forecast 'the a' --forecast b"), "LL063")
    table["the a"][5:7] = np.where(table["y"][5:7] == 1, 0.0, 1.0)
    pl.DataFrame(table).write_csv(FILE)
    every_works(answer(f"logloss compare {shlex.quote(FILE)} --forecast 'the a' --forecast b"), "LL064")


def test_a_saved_panel_knows_no_columns() -> None:
    pl.DataFrame(contest()).write_csv(FILE)
    models = "--model 'one=the a' --model two=b"
    assert run(f"logloss score {shlex.quote(FILE)} {models} --save 'my panel.json'").exit_code == 0
    state = answer("logloss compare 'my panel.json'")
    commands = {one["id"]: one["command"] for one in state["findings"]}
    assert commands["LL060"] == "logloss explain FILE --forecast one"
    for command in commands.values():
        assert "FILE" in command or run(command).exit_code == 0


def test_decisions_and_maps() -> None:
    planted(lambda z: 2 * z)
    line = f"{shlex.quote(FILE)} {COLUMNS}"
    every_works(answer(f"logloss decide {line} --cost-fp 1 --cost-fn 9"), "LL070", "LL071", "LL072", "LL073")
    state = answer(f"logloss fix {line} --map temperature")
    every_works(state, "LL025")
    assert Path("map.json").exists()
    planted()
    every_works(answer(f"logloss fix {line}"), "LL026")
