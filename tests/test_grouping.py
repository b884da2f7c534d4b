"""Results by group: those of each group's rows alone, and what groups say about the whole."""

from __future__ import annotations

import numpy as np
import pytest

import logloss as ll


@pytest.mark.parametrize("kind", ["int", "str", "bool", "large int", "mixed"])
def test_each_group_is_what_its_rows_alone_give(kind: str) -> None:
    rng = np.random.default_rng(8)
    p, w = rng.random(300), rng.gamma(2, 1, 300)
    y = (rng.random(300) < p).astype(int)
    code = rng.integers(0, 2 if kind == "bool" else 6, 300)
    keys = {
        "int": [3, -1, 7, 9, 0, 5],
        "str": ["b", "a", "", "d", "e e", "ü"],
        "bool": [False, True],
        "large int": [2**60, -(2**60), 0, 1, 5, 6],
        "mixed": [1, "1", "x", 2, "y", 3],
    }[kind]
    group = np.array([keys[c] for c in code], dtype=object if kind in ("str", "mixed") else None)
    found = ll.score(y, p, weight=w, group=group)
    assert found.groups is not None
    assert {one["group"] for one in found.groups.rows} == set(keys)
    for one in found.groups.rows:
        mine = np.array([keys[c] == one["group"] and type(keys[c]) is type(one["group"]) for c in code])
        alone = ll.score(y[mine], p[mine], weight=w[mine], labels=[0, 1])
        assert one["rows"] == mine.sum()
        assert one["log_loss"] == pytest.approx(alone.log_loss, rel=1e-12)
        assert one["interval"] == pytest.approx(list(alone.interval), rel=1e-9)
        assert one["base_rate"] == pytest.approx(alone.base_rate, rel=1e-12)
        assert one["skill"] == pytest.approx(alone.skill, rel=1e-9)
    assert sum(one["share"] for one in found.groups.rows) == pytest.approx(1.0)


def test_the_whole_over_groups_is_the_jackknife() -> None:
    rng = np.random.default_rng(9)
    group = rng.integers(0, 12, 400)
    p = rng.random(400)
    y = (rng.random(400) < p).astype(int)
    found = ll.score(y, p, group=group).groups
    s = ll.surprise(y, p)
    without = np.array([s[group != g].mean() for g in range(12)])
    assert found.standard_error == pytest.approx(
        np.sqrt(11 / 12 * ((without - without.mean()) ** 2).sum()), rel=1e-10
    )
    rates = [y[group == g].mean() for g in range(12)]
    entropy = [-(r * np.log(r) + (1 - r) * np.log(1 - r)) for r in rates]
    assert found.base_rate == pytest.approx(np.average(entropy, weights=np.bincount(group)), rel=1e-12)


def test_an_infinite_group_comes_first_and_has_no_interval() -> None:
    found = ll.score([1, 0, 1, 0], [0.0, 0.2, 0.9, 0.3], group=["a", "a", "b", "b"])
    first = found.groups.rows[0]
    assert (first["group"], first["log_loss"], first["interval"]) == ("a", np.inf, None)
    assert found.groups.interval is None
    assert "2 groups" in str(found)
    assert found.to_dict()["groups"]["by_group"][0]["log_loss"] == "inf"


def test_thousands_of_groups() -> None:
    rng = np.random.default_rng(10)
    n = 150_000
    group = rng.integers(0, 5000, n)
    p = rng.random(n)
    y = (rng.random(n) < p).astype(int)
    found = ll.score({"y": y, "p": p, "g": group.astype(str)}, "p", outcome="y", group="g")
    assert len(found.groups.rows) == 5000
    s = ll.surprise(y, p)
    sums = np.bincount(group, s) / np.bincount(group)
    for one in found.groups.rows[:50]:
        assert one["log_loss"] == pytest.approx(sums[int(one["group"])], rel=1e-12)
