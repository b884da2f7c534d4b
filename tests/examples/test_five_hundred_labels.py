"""The 500 labels: the story's numbers against NumPy, what is printed, and what is written."""

from __future__ import annotations

import csv
import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "examples" / "five_hundred_labels.py"


@pytest.fixture(scope="module")
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("five_hundred_labels_example", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def it(example: ModuleType) -> Any:
    return example.story()


@pytest.fixture(scope="module")
def data() -> Any:
    """Return surprise, entropy and largest probability of every row, by the definition."""
    with (SCRIPT.parent / "predictions" / "digits.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    P = np.array([[float(row[f"p_{k}"]) for k in range(10)] for row in rows])
    truth = np.array([int(row["digit"]) for row in rows])
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(P > 0, -P * np.log(P), 0.0)
    return -np.log(P[np.arange(len(P)), truth]), terms.sum(axis=1), P.max(axis=1)


def test_the_numbers(example: ModuleType, it: Any, data: Any) -> None:
    s, h, surest = data
    known = np.random.default_rng(example.SEED).choice(len(s), 500, replace=False)
    assert it.truth == pytest.approx(s.mean(), rel=1e-6)  # rows rounded to 6 digits do not quite sum to one
    assert it.estimate.labelled == 500
    assert it.estimate.estimates["labelled"].mean == pytest.approx(s[known].mean(), rel=1e-6)
    b, a = np.polyfit(h[known], s[known], 1)
    assert it.estimate.log_loss == pytest.approx(a + b * h.mean(), rel=1e-5)
    residual = s[known] - a - b * h[known]
    error = np.sqrt((residual**2).sum() / 498 * (1 / 500 - 1 / 1797))
    assert it.estimate.standard_error == pytest.approx(error, rel=1e-5)
    assert it.estimate.expected == pytest.approx(h.mean(), rel=1e-4)
    worst = np.argsort(surest, kind="stable")[:500]
    assert it.uncertain.estimates["labelled"].mean == pytest.approx(s[worst].mean(), rel=1e-6)
    later = np.concatenate([known, it.chosen.rows])
    assert len(set(later.tolist())) == 700
    b, a = np.polyfit(h[later], s[later], 1)
    assert it.later.log_loss == pytest.approx(a + b * h.mean(), rel=1e-5)
    deviation = np.sqrt((residual**2).sum() / 498)
    wanted = 500 + it.estimate.more
    half = 1.9618 * deviation * np.sqrt(1 / wanted - 1 / 1797)  # t with about 1,500 degrees of freedom
    assert 2 * half == pytest.approx(0.15, rel=0.01)


def test_what_is_told_holds(it: Any, example: ModuleType) -> None:
    assert it.estimate.interval[0] < it.truth < it.estimate.interval[1]
    assert it.later.interval[0] < it.truth < it.later.interval[1]
    assert it.later.interval[1] - it.later.interval[0] < it.estimate.interval[1] - it.estimate.interval[0]
    assert it.uncertain.log_loss > 2 * it.truth
    assert "not-random" in {note.id for note in it.uncertain.notes}
    assert "not-random" not in {note.id for note in it.estimate.notes}
    text = " ".join(example.told(it).split())
    assert f"The truth, which was hidden: {it.truth:.3f}" in text
    assert "estimate says so" in text
    assert f"about {it.estimate.more:,} more labels" in text


def test_it_runs_twice_and_writes_the_rows_to_label(tmp_path: Path, it: Any) -> None:
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, SCRIPT, "--out", tmp_path], capture_output=True, text=True, check=True
        )
    assert "1,797 rows" in done.stdout
    rows = list(csv.DictReader((tmp_path / "todo.csv").read_text().splitlines()))
    assert [int(row["row"]) for row in rows[:200]] == list(it.chosen.rows)
    assert [row["outcome"] for row in rows[:200]] == [""] * 200
    assert len(rows) == 700
    assert [float(row["inclusion"]) for row in rows] == pytest.approx([700 / 1797] * 700)
