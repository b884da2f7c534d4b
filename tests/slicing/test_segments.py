"""Columns as slices: levels, quintiles, pairs, what is missing, what is too small, and hostile names and values."""

from __future__ import annotations

import datetime as dt
import itertools
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logloss.slicing.segments import least_rows, segments


def test_how_many_rows_a_slice_needs() -> None:
    assert [least_rows(n) for n in (10, 2999, 3100, 100_000)] == [30, 30, 31, 1000]


def test_levels_and_missing_values() -> None:
    site = np.array(["b"] * 40 + ["a"] * 50 + [None] * 30 + ["rare"] * 29, object)
    parts = segments({"site": site}, 149)
    assert parts.names() == ["site = a", "site = b", "site is missing"]
    assert [list(parts.members(at)) for at in range(3)] == [
        list(range(40, 90)),
        list(range(40)),
        list(range(90, 120)),
    ]
    assert (parts.splits[0].code[120:] == -1).all()
    assert not parts.splits[0].ordered
    with pytest.raises(IndexError):
        parts.members(3)


def test_few_numbers_are_levels_in_order() -> None:
    values = np.resize([10.0, 2.5, -1.0], 120)
    split = segments({"x": values}, 120).splits[0]
    assert split.names == ("x = -1", "x = 2.5", "x = 10")
    assert split.ordered
    assert split.code.tolist() == np.resize([2, 1, 0], 120).tolist()


def test_many_numbers_are_quintiles(rng: np.random.Generator) -> None:
    x = rng.normal(size=1000)
    x[::10] = np.nan
    split = segments({"x": x}, 1000).splits[0]
    known = ~np.isnan(x)
    assert np.bincount(split.code[known]).tolist() == [180] * 5
    assert split.names[-1] == "x is missing"
    assert (split.code[~known] == 5).all()
    for at, name in enumerate(split.names[:5]):  # the names say where each row is, to four digits
        inside = x[split.code == at]
        low, high = inside.min(), inside.max()
        bounds = [
            float(word)
            for word in name.replace("x", "").replace("<=", " ").replace("<", " ").replace(">", " ").split()
        ]
        if at in (0, 4):
            assert (high if at == 0 else low) == pytest.approx(bounds[0], abs=0.02)
        else:
            assert (bounds[0], bounds[1]) == pytest.approx((low, high), abs=0.02)


def test_quintiles_of_tied_and_of_infinite_values(rng: np.random.Generator) -> None:
    counts = rng.poisson(0.3, 600) * 1.0
    counts[:40] += np.arange(40)  # more than 20 distinct
    split = segments({"k": counts}, 600).splits[0]
    assert split.names[0] == "k <= 0"
    assert (counts[split.code == 0] <= 0).all()
    endless = np.concatenate([rng.normal(size=200), np.full(120, np.inf), np.full(80, -np.inf)])
    split = segments({"x": endless}, 400).splits[0]
    assert split.names[0] == "x <= -inf"
    assert (endless[split.code == 0] == -np.inf).all()
    assert split.names[-1].endswith("< x <= inf")
    assert (split.code >= 0).all()


def test_cuts_are_told_apart() -> None:
    seconds = 1_700_000_000 + np.arange(500)
    names = segments({"t": seconds}, 500).names()
    assert len(set(names)) == 5
    assert float(names[0].removeprefix("t <= ")) == pytest.approx(1_700_000_099, abs=50)
    assert float(names[-1].removeprefix("t > ")) == pytest.approx(1_700_000_399, abs=50)


def test_values_of_all_kinds() -> None:
    day, n = dt.date(2024, 1, 1), 120
    columns = {
        "flag": np.resize([True, False], n),
        "day": np.resize(np.array(["2024-01-02", "2024-01-01"], "datetime64[D]"), n),
        "dates": np.resize(np.array([day, day + dt.timedelta(1)], object), n),
        "no day": np.resize(np.array(["2024-01-02", "NaT"], "datetime64[D]"), n),
        "mixed": np.resize(np.array([None, "a", 1], object), n),
        "money": np.resize(np.array([Decimal("1.5"), Decimal(2)], object), n),
        "text": np.resize(np.array(["", " "]), n),
        "small": np.resize(np.array([1, 2], np.uint8), n),
        "half": np.resize(np.array([0.5, 1.5], np.float16), n),
    }
    found = {split.columns[0]: split.names for split in segments(columns, n, pairs=False).splits}
    assert found == {
        "flag": ("flag = False", "flag = True"),
        "day": ("day = 2024-01-01", "day = 2024-01-02"),
        "dates": ("dates = 2024-01-01", "dates = 2024-01-02"),
        "no day": ("no day = 2024-01-02", "no day is missing"),
        "mixed": ("mixed = 1", "mixed = a", "mixed is missing"),
        "money": ("money = 1.5", "money = 2"),
        "text": ("text = ", "text =  "),
        "small": ("small = 1", "small = 2"),
        "half": ("half = 0.5", "half = 1.5"),
    }


def test_what_makes_no_slices_is_said() -> None:
    n = 200
    parts = segments(
        {
            "constant": np.ones(n),
            "name": np.array([f"row {i}" for i in range(n)]),
            "gone": np.full(n, np.nan),
            "none": np.full(n, None, object),
            "all but one": np.r_[np.zeros(n - 1), 1],
            "good": np.resize([0, 1], n),
        },
        n,
    )
    assert parts.names() == ["good = 0", "good = 1"]
    (note,) = parts.notes
    assert note.id == "not-sliced"
    for name in ("constant", "name", "gone", "none", "all but one"):
        assert repr(name) in note.text
    assert "30 rows" in note.text
    assert len(segments({}, n)) == 0
    assert len(segments({"constant": np.ones(n)}, n)) == 0


def test_pairs_of_up_to_eight_columns(rng: np.random.Generator) -> None:
    n = 400
    columns = {f"c{i}": rng.integers(0, 2, n) for i in range(9)}
    eight = dict(list(columns.items())[:8])
    pairs = [split for split in segments(eight, n).splits if len(split.columns) == 2]
    assert [split.columns for split in pairs] == list(itertools.combinations(eight, 2))
    for split in pairs:
        a, b = (columns[name] for name in split.columns)
        for at, name in enumerate(split.names):
            first, second = (int(part.split(" = ")[1]) for part in name.split(" and "))
            assert (
                np.flatnonzero(split.code == at).tolist()
                == np.flatnonzero((a == first) & (b == second)).tolist()
            )
    assert all(len(split.columns) == 1 for split in segments(columns, n).splits)
    assert len(segments(columns, n, pairs=True).splits) == 9 + 36
    assert len(segments(eight, n, pairs=False).splits) == 8


def test_of_very_many_levels_the_largest() -> None:
    code = np.repeat(np.arange(102), [*[30] * 100, 45, 45])  # 3,090 rows: a slice needs 30
    text = np.array([f"s{c:03}" for c in code])
    split = segments({"s": text}, len(text), pairs=False).splits[0]
    assert len(split.names) == 100
    assert {f"s = s{c:03}" for c in (100, 101)} <= set(split.names)


@pytest.mark.parametrize("name", ["", "a = b", "x <= 3", "and", "\x1b[31m", "日本", "a\nb", "'; DROP"])
def test_hostile_names_are_only_names(name: str) -> None:
    split = segments({name: np.resize([0, 1], 100)}, 100).splits[0]
    assert split.columns == (name,)
    assert split.names == (f"{name} = 0", f"{name} = 1")


@given(
    st.lists(st.sampled_from([None, "a", "b", 1, 2.5, True]), min_size=60, max_size=200),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=40, deadline=None)
def test_sums_and_members_and_indicators_agree(values: list[object], seed: int) -> None:
    n, rng = len(values), np.random.default_rng(seed)
    parts = segments(
        {"a": np.array([*values, None], object)[:-1], "b": rng.integers(0, 3, n), "c": rng.normal(size=n)}, n
    )
    weight = rng.exponential(size=n)
    inside = (parts.codes()[:, :, None] == np.arange(len(parts))).any(axis=1)
    assert parts.sums(weight)[0] == pytest.approx(weight @ inside, rel=1e-6)
    for at in range(len(parts)):
        rows = parts.members(at)
        assert least_rows(n) <= len(rows) <= n - least_rows(n)
        assert np.flatnonzero(inside[:, at]).tolist() == rows.tolist()
        assert parts.sums(weight)[0][at] == pytest.approx(weight[rows].sum(), rel=1e-12)
