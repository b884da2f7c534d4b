"""`logloss curves`, run as a real process: what Python returns, on a screen, as JSON and as a table."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from test_cli import answer, run

import logloss as ll

N = 400
OPTIONS = ("--outcome", "result", "--positive", "yes")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(7)
    p = rng.beta(0.8, 2, N)
    y = np.where(rng.random(N) < p, "yes", "no")
    lines = ["id;result;p;=wild;day"]
    lines += [f"{i:03};{y[i]};{p[i]:.6f};{p[i] ** 2:.6f};d{i % 20}".replace(".", ",") for i in range(N)]
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
    return tmp_path


def test_the_screen_and_json_are_those_of_python(folder: Path) -> None:
    call = ("curves", "t.csv", *OPTIONS, "--forecast", "p", "--thresholds", ".05, .1,.2", "--group", "day", "--level", "0.9")  # fmt: skip
    expected = ll.decision_curve(folder / "t.csv", "p", outcome="result", positive="yes", thresholds=[0.05, 0.1, 0.2], group="day", level=0.9)  # fmt: skip
    done = run(*call, cwd=folder)
    assert done.stdout.rstrip() == expected.show(notes=False)
    assert "next: logloss fix t.csv --outcome result --positive yes --forecast p --group day" in done.stderr
    state = answer(run(*call, "--json", cwd=folder))
    assert state == json.loads(json.dumps(expected.to_dict())) | {"written": None}
    assert run(*call, "--standardized", cwd=folder).stdout.rstrip() == expected.show(notes=False, standardized=True)  # fmt: skip


def test_a_murphy_curve_of_two_models(folder: Path) -> None:
    call = (
        "curves",
        "t.csv",
        "--outcome",
        "result",
        "--model",
        "tame=p",
        "--model",
        "=wild==wild",
        "--kind",
        "murphy",
    )
    assert run(*call, cwd=folder).returncode != 0  # a model has a name
    call = ("curves", "t.csv", *OPTIONS, "--model", "tame=p", "--model", "wild==wild", "--kind", "murphy", "--thresholds", "9")  # fmt: skip
    expected = ll.murphy_curve(folder / "t.csv", {"tame": "p", "wild": "=wild"}, outcome="result", positive="yes", thresholds=np.arange(1, 10) / 10)  # fmt: skip
    state = answer(run(*call, "--json", cwd=folder))
    assert state["thresholds"] == expected.thresholds.tolist()
    assert state["differences"] == json.loads(json.dumps(expected.to_dict()))["differences"]
    assert run(*call, "--unit", "bits", cwd=folder).stdout.rstrip() == expected.show("bits", notes=False)


@pytest.mark.parametrize("name", ["c.csv", "c.tsv", "c.parquet", "c.arrow", "c.jsonl"])
def test_the_table_is_written_and_nothing_else_replaced(folder: Path, name: str) -> None:
    call = ("curves", "t.csv", *OPTIONS, "--model", "+a=p", "--model", "b==wild", "--thresholds", ".1,.3", "-o", name)  # fmt: skip
    done = run(*call, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert f"wrote {name} (10 rows)" in done.stdout
    path = folder / name
    readers = {".csv": pl.read_csv, ".tsv": lambda p: pl.read_csv(p, separator="\t"), ".parquet": pl.read_parquet, ".arrow": pl.read_ipc, ".jsonl": pl.read_ndjson}  # fmt: skip
    frame = readers[path.suffix](path)
    expected = ll.decision_curve(folder / "t.csv", {"+a": "p", "b": "=wild"}, outcome="result", positive="yes", thresholds=[0.1, 0.3])  # fmt: skip
    assert frame["kind"].to_list()[::2] == ["all", "none", "forecast", "forecast", "difference"]
    assert frame["forecast"][4] == ("'+a" if path.suffix in (".csv", ".tsv") else "+a")
    assert frame["gain_band_low"].to_list()[-2:] == expected.gains[-1].band.low.tolist()
    before = path.read_bytes()
    again = run(*call, cwd=folder)
    assert (again.returncode, path.read_bytes()) == (1, before)
    assert "would-overwrite" in again.stderr
    assert run(*call, "--force", cwd=folder).returncode == 0
    assert sorted(one.name for one in folder.iterdir()) == sorted(["t.csv", name])
    assert run(*call[:-1], "t.csv", "--force", cwd=folder).returncode == 1


def test_harm_is_of_all_or_of_each(folder: Path) -> None:
    call = (
        "curves",
        "t.csv",
        *OPTIONS,
        "--model",
        "a=p",
        "--model",
        "b==wild",
        "--thresholds",
        ".2",
        "--json",
    )
    none, both, one = (
        answer(run(*call, *more, cwd=folder)) for more in ((), ("--harm", "0.01"), ("--harm", "b=.02"))
    )
    plain = [each["net_benefit"][0] for each in none["forecasts"]]
    assert [each["net_benefit"][0] for each in both["forecasts"]] == pytest.approx(
        [x - 0.01 for x in plain], abs=1e-15
    )
    assert [each["net_benefit"][0] for each in one["forecasts"]] == pytest.approx(
        [plain[0], plain[1] - 0.02], abs=1e-15
    )


@pytest.mark.parametrize(
    ("slug", "options"),
    [
        ("bad-threshold", ("--thresholds", "often")),
        ("bad-threshold", ("--thresholds", "1.5")),
        ("bad-threshold", ("--thresholds", "100000")),
        ("bad-threshold", ("--thresholds", "0", "--kind", "murphy")),
        ("bad-harm", ("--harm", "much")),
        ("bad-harm", ("--harm", "nan")),
        ("bad-harm", ("--harm", "1", "--harm", "2")),
        ("bad-harm", ("--harm", "nobody=1")),
        ("decision-only", ("--kind", "murphy", "--standardized")),
        ("decision-only", ("--kind", "murphy", "--harm", "1")),
        ("which-event", ("--event", "maybe")),
        ("cannot-write", ("-o", "curve.xlsx")),
    ],
)
def test_what_means_nothing_is_refused(folder: Path, slug: str, options: tuple[str, ...]) -> None:
    done = run("curves", "t.csv", *OPTIONS, "--forecast", "p", *options, cwd=folder)
    assert done.returncode in (1, 2)
    assert f"[{slug}:" in done.stderr
    assert done.stdout == ""


def test_standard_input_and_one_class_of_several(tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    P = rng.dirichlet([1, 1, 1], 60)
    y = [rng.choice(3, p=row) for row in P]
    lines = [
        "y,a,b,c",
        *(f"{'abc'[k]},{','.join(map(repr, map(float, row)))}" for k, row in zip(y, P, strict=True)),
    ]
    call = ("curves", "-", "--outcome", "y", "--forecast", "a", "--forecast", "b", "--forecast", "c", "--thresholds", "0,.25", "--json")  # fmt: skip
    done = run(*call, stdin="\n".join(lines), cwd=tmp_path)
    assert "which-event" in done.stderr
    state = answer(run(*call, "--event", "b", stdin="\n".join(lines), cwd=tmp_path))
    hit = np.array(y) == 1
    acts = P[:, 1] >= 0.25
    by_hand = (acts & hit).mean() - (acts & ~hit).mean() / 3
    assert state["forecasts"][0]["net_benefit"] == pytest.approx([hit.mean(), by_hand], abs=1e-12)
    with (tmp_path / "none.csv").open("w", newline="") as file:
        csv.writer(file).writerow(["y", "p"])
    assert run("curves", "none.csv", cwd=tmp_path).returncode == 1
