"""Utilities as people have them: mappings, frames, files, either way round, and what is wrong with some."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import logloss as ll
from logloss.deciding.payoffs import utilities_for, utilities_of

TABLE = "action,severe,not severe\ntreat,0,-2\nwait,-20,0\n"


def read(given: Any, classes: Any = ("not severe", "severe")) -> tuple[ll.Utilities, list[str]]:
    found, notes = utilities_of(given)
    matched, said = utilities_for(classes, found, notes)
    return matched, [note.id for note in said]


def same(found: ll.Utilities) -> bool:
    ward = found.actions == ("treat", "wait") and found.states == ("not severe", "severe")
    return ward and found.values.tolist() == [[-2, 0], [0, -20]]


def test_every_form_is_the_same(tmp_path: Path) -> None:
    (tmp_path / "u.csv").write_text(TABLE)
    frame = pl.read_csv(tmp_path / "u.csv")
    frame.write_parquet(tmp_path / "u.parquet")
    indexed = frame.to_pandas().set_index("action")
    forms = [
        {"treat": {"severe": 0, "not severe": -2}, "wait": {"not severe": 0, "severe": -20}},
        frame, frame.to_pandas(), indexed, frame.to_dict(as_series=False), tmp_path / "u.csv", str(tmp_path / "u.parquet"),
        ll.Utilities(("treat", "wait"), ("severe", "not severe"), np.array([[0, -2.0], [-20, 0]])),
    ]  # fmt: skip
    for form in forms:
        found, said = read(form)
        assert same(found), form
        assert said == []


def test_a_header_of_another_writing(tmp_path: Path) -> None:
    (tmp_path / "u.csv").write_text("Action; Severe ;NOT SEVERE\ntreat;0;-2,0\nwait;-20;0\n")
    assert same(read(tmp_path / "u.csv")[0])
    found, _ = read({"a": {"p_1": 1, "p_0": 2}}, (0, 1))
    assert found.values.tolist() == [[2, 1]]


def test_states_that_are_numbers() -> None:
    found, _ = read(pl.DataFrame({"action": ["a"], "1": [5], "0": [6]}), (0, 1))
    assert found.states == (0, 1)
    assert found.values.tolist() == [[6, 5]]


def test_a_table_turned_round_is_said(tmp_path: Path) -> None:
    (tmp_path / "u.csv").write_text("state,treat,wait\nsevere,0,-20\nnot severe,-2,0\n")
    found, said = read(tmp_path / "u.csv")
    assert same(found)
    assert said == ["utilities-turned"]


def test_actions_called_as_states_are_rows() -> None:
    table = pl.DataFrame({"say": ["cat", "dog"], "cat": [0, -5], "dog": [-1, 0]})
    found, said = read(table, ("dog", "cat"))
    assert found.actions == ("cat", "dog")
    assert found.values.tolist() == [[-1, 0], [0, -5]]
    assert said == ["actions-called-as-states"]
    symmetric = pl.DataFrame({"say": ["cat", "dog"], "cat": [0, -1], "dog": [-1, 0]})
    assert read(symmetric, ("dog", "cat"))[1] == []


@pytest.mark.parametrize(
    ("form", "slug"),
    [
        ({"treat": {"severe": 0, "not severe": -2}, "wait": {"severe": -20}}, "bad-utilities"),
        (pl.DataFrame({"action": ["a", None], "severe": [1, 2], "not severe": [1, 2]}), "bad-utilities"),
        (pl.DataFrame({"action": ["a", "a"], "severe": [1, 2], "not severe": [1, 2]}), "bad-utilities"),
        (pl.DataFrame({"action": ["a"], "severe": [1]}), "bad-utilities"),
        (pl.DataFrame({"action": ["a"], "severe": [None], "not severe": [1.0]}), "bad-utilities"),
        (pl.DataFrame({"action": ["a"], "severe": ["much"], "not severe": ["1"]}), "bad-utilities"),
        (pl.DataFrame({"action": ["a"], "severe": [1], "not severe": [1], "mild": [0]}), "utilities-states"),
        (pd.DataFrame({"action": ["a"], "ill": [1], "well": [1]}), "utilities-states"),
        (np.zeros((2, 2)), "bad-utilities"),
        ({}, "bad-utilities"),
    ],
)
def test_what_is_wrong(form: Any, slug: str) -> None:
    with pytest.raises(ll.LoglossError) as error:
        read(form)
    assert error.value.slug == slug


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            'action,not severe,severe\ntreat,"-2,000",0\nwait,0,"-20,000"\n',
            "'-2,000', '-20,000' are in thousands",
        ),
        ("action;not severe;severe\ntreat;-2,5;0\nwait;0;-20.000\n", "'-20.000' is in thousands"),
        ("action,not severe,severe\ntreat,-$2,0\nwait,0,-$20\n", "no currency"),
        ("action,not severe,severe,why\ntreat,-2,0,x\nwait,0,-20,y\n", "Leave out columns that are no class"),
        ("treat,-2,0\nwait,0,-20\n", "should name the classes"),
        ("treat,2,0\nwait,0,20\n", "should name the classes"),
    ],
)
def test_tables_that_cannot_be_read_are_not_guessed(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "u.csv").write_text(text)
    with pytest.raises(ll.UsageError) as error:
        read(tmp_path / "u.csv")
    assert error.value.slug == "bad-utilities"
    assert told in str(error.value)


def test_decimal_commas_that_leave_no_doubt(tmp_path: Path) -> None:
    (tmp_path / "u.csv").write_text("action;not severe;severe\n treat ;-2,125;0\nwait;0;-20,5\n")
    found, _ = read(tmp_path / "u.csv")
    assert found.values.tolist() == [[-2.125, 0], [0, -20.5]]
    assert found.actions == ("treat", "wait")


def test_costs_without_a_minus_are_pointed_out() -> None:
    assert read({"treat": {"severe": 0, "not severe": 2}, "wait": {"not severe": 0, "severe": 20}})[1] == ["utilities-or-costs"]  # fmt: skip
    assert read({"treat": {"severe": 1, "not severe": 2}, "wait": {"not severe": 0, "severe": 20}})[1] == []


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ll.SourceError):
        read(tmp_path / "none.csv")
