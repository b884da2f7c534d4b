"""`logloss estimate`, run as a real process: from a file with some outcomes to the rows to label next, and back."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from test_cli import answer, run

import logloss as ll

N = 300


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(4)
    p = rng.random(N)
    y = np.where(rng.random(N) < p, "ill", "well")
    known = rng.permutation(N) < 60
    lines = ["patient;result;risk;name"]
    lines += [f"P{i};{y[i] if known[i] else ''};{p[i]:.6f};x".replace(".", ",") for i in range(N)]
    (tmp_path / "messy.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "all.csv").write_text("\n".join(y) + "\n")
    (tmp_path / "preds.csv").write_text("patient,p\n" + "".join(f"P{i},{p[i]:.6f}\n" for i in range(N)))
    return tmp_path


OPTIONS = ("--outcome", "result", "--positive", "ill", "--id", "patient")


def test_a_messy_file(folder: Path) -> None:
    done = run("estimate", "messy.csv", *OPTIONS, "--width", "0.1", "--next", "5", "--seed", "3", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "60 of 300 rows labelled" in done.stdout
    assert "0.1000 nats wide in all: about" in done.stdout
    assert "Label next: 5 rows" in done.stdout
    assert "Why not the most uncertain ones?" in done.stdout
    assert "assumes-random" in done.stderr
    state = answer(run("estimate", "messy.csv", *OPTIONS, "--next", "5", "--seed", "3", "--json", cwd=folder))
    expected = ll.estimate(folder / "messy.csv", outcome="result", positive="ill", ids="patient")
    assert state["log_loss"] == expected.log_loss
    assert state["next"] == json.loads(json.dumps(expected.next_rows(5, seed=3).to_dict()))
    assert len(state["next"]["rows"]) == 5


def test_from_no_label_to_an_estimate_by_an_active_design(folder: Path) -> None:
    (folder / "empty.csv").write_text((folder / "preds.csv").read_text().replace(",p\n", ",p,outcome\n", 1).replace("\nP", ",\nP").replace("outcome,", "outcome"))  # fmt: skip
    draw = (
        "estimate",
        "empty.csv",
        "--id",
        "patient",
        "--next",
        "90",
        "--design",
        "active",
        "--out",
        "todo.csv",
    )
    done = run(*draw, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "0 of 300 rows labelled" in done.stdout
    again = run(*draw, cwd=folder)
    assert again.returncode == 1
    assert "would-overwrite" in again.stderr
    truth = (folder / "all.csv").read_text().split()
    rows = list(csv.DictReader((folder / "todo.csv").read_text().splitlines()))
    for row in rows:
        row["outcome"] = truth[int(row["row"])]
        assert row["patient"] == f"P{row['row']}"
    with (folder / "labels.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    joined = (
        "estimate",
        "preds.csv",
        "--truth",
        "labels.csv",
        "--id",
        "patient",
        "--positive",
        "ill",
        "--json",
    )
    state = answer(run(*joined, "--inclusion", "inclusion", cwd=folder))
    assert state["labelled"] == len(rows)
    assert "horvitz_thompson" in state["estimates"]
    p = np.array([float(line.split(",")[1]) for line in (folder / "preds.csv").read_text().split()[1:]])
    s = -np.log([q if word == "ill" else 1 - q for q, word in zip(p, truth, strict=True)])
    assert state["interval"][0] < s.mean() < state["interval"][1]
    assert "inclusion-not-used" in {note["id"] for note in answer(run(*joined, cwd=folder))["notes"]}


@pytest.mark.parametrize(
    ("options", "code", "slug"),
    [
        (("--group", "risk"), 2, "not-for-estimate"),
        (("--out", "x.csv"), 2, "not-for-estimate"),
        (("--next", "500"), 2, "bad-next"),
        (("--next", "5", "--out", "preds.csv"), 1, "would-overwrite"),
        (("--next", "5", "--out", "none/x.csv"), 1, "cannot-write"),
        (("--inclusion", "pi"), 1, "no-such-column"),
        (("--inclusion", "patient"), 2, "one-column-two-roles"),
        (("--inclusion", "name"), 1, "text-in-numbers"),
    ],
)
def test_errors(folder: Path, options: tuple[str, ...], code: int, slug: str) -> None:
    done = run("estimate", "messy.csv", *OPTIONS, *options, cwd=folder)
    assert done.returncode == code
    assert slug in done.stderr
    assert done.stdout == ""
    assert not (folder / "x.csv").exists()
