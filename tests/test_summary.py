"""The summary is a monoid: any split, order or batch size gives the same score, to 1e-12."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import logloss as ll
from logloss import observe
from logloss.folding import fold_record
from logloss.scoring import of_summary
from logloss.summary import Summary


def close(a: Any, b: Any, where: str = "") -> None:
    """Compare two JSON values, numbers to 1e-12 relative."""
    if isinstance(a, dict):
        assert a.keys() == b.keys(), where
        for key in a:
            close(a[key], b[key], f"{where}.{key}")
    elif isinstance(a, list):
        assert len(a) == len(b), where
        for at, (x, y) in enumerate(zip(a, b, strict=True)):
            close(x, y, f"{where}[{at}]")
    elif isinstance(a, float) and isinstance(b, float):
        assert a == pytest.approx(b, rel=1e-12, abs=1e-12), where
    else:
        assert a == b, where


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 10**6),
    n=st.integers(4, 80),
    cuts=st.lists(st.integers(1, 79), max_size=4),
    K=st.sampled_from([1, 3]),
    weighted=st.booleans(),
    swap=st.booleans(),
)
def test_parts_add_up(seed: int, n: int, cuts: list[int], K: int, weighted: bool, swap: bool) -> None:
    rng = np.random.default_rng(seed)
    w = rng.choice([0.0, 0.5, 1.0, 3.0], n) if weighted else None
    if K == 1:
        p = rng.choice([0.0, 1e-9, 0.2, 0.5, 0.99, 1.0], n)
        y = rng.integers(0, 2, n)
        labels: list[int] = [0, 1]
    else:
        p = rng.dirichlet(np.full(3, 0.2), n)
        y = rng.integers(0, 3, n)
        labels = [0, 1, 2]

    def part(rows: np.ndarray) -> Summary | None:
        if not len(rows):
            return None
        return fold_record(
            observe(y[rows], p[rows], labels=labels, weight=None if w is None else w[rows], partial=True),
            top=0,
        )

    whole = part(np.arange(n))
    if whole is None or (w is not None and not w.any()):
        return
    pieces = [
        q for q in (part(rows) for rows in np.split(np.arange(n), sorted({c for c in cuts if c < n}))) if q
    ]
    if swap:
        pieces.reverse()
    total = pieces[0]
    for piece in pieces[1:]:
        total = total + piece
    close(of_summary(total).to_dict() | {"notes": []}, of_summary(whole).to_dict() | {"notes": []})


def test_json_round_trip(tmp_path: Path) -> None:
    result = ll.score(["a", "b", "b"], [0.2, 0.0, 0.6], labels=["b", "a"], ids=[7, 8, 9])
    result.summary.save(tmp_path / "s.json")
    back = Summary.load(tmp_path / "s.json")
    assert back.to_dict() == json.loads(json.dumps(result.summary.to_dict(), allow_nan=False))
    close(ll.score(back).to_dict() | {"notes": []}, result.to_dict() | {"notes": []})
    assert [p.name for p in tmp_path.iterdir()] == ["s.json"]


def test_saving_where_it_cannot_leaves_nothing(tmp_path: Path) -> None:
    summary = ll.score([1, 0], [0.5, 0.5]).summary
    with pytest.raises(ll.SourceError, match="cannot be written"):
        summary.save(tmp_path / "no" / "s.json")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[1]",
        '{"kind": "logloss-summary", "schema": 99}',
        '{"kind": "logloss-summary", "schema": 2}',
    ],
)
def test_what_is_no_summary_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "s.json").write_text(text)
    with pytest.raises(ll.SourceError) as caught:
        Summary.load(tmp_path / "s.json")
    assert caught.value.slug == "not-a-summary"


def test_parts_that_do_not_belong_together_refuse() -> None:
    a = ll.score([1, 0], [0.5, 0.5]).summary
    b = ll.score(["x", "y"], [0.5, 0.5], labels=["x", "y"]).summary
    c = ll.score([1, 0], [0.5, 0.5], weight=[1, 2]).summary
    for other in (b, c):
        with pytest.raises(ll.AlignmentError):
            a + other


def test_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator) -> None:
    p = rng.random(1000)
    y = (rng.random(1000) < p).astype(int)
    whole = ll.score(y, p).to_dict()
    monkeypatch.setattr("logloss.surprises.BLOCK", 64)
    monkeypatch.setattr("logloss.surprises.FEWEST", 1)
    close(ll.score(y, p).to_dict(), whole)


def test_many_classes_go_without_the_table_of_pairs(rng: np.random.Generator) -> None:
    P = rng.dirichlet(np.ones(300), 400)
    y = rng.integers(0, 300, 400)
    result = ll.explain(y, P)
    assert result.confusion is None
    assert result.score.log_loss == pytest.approx(-np.log(P[np.arange(400), y]).mean(), rel=1e-12)


def test_the_costliest_rows_are_kept_with_what_they_said() -> None:
    top = ll.score(
        ["cat", "dog", "dog"], [0.1, 0.0, 0.9], labels=["cat", "dog"], ids=["r1", "r2", "r3"]
    ).summary.top
    key, place, payload = top.entries[0]
    assert (key, place) == (math.inf, ("", 1))
    assert payload == {
        "id": "r2",
        "outcome": "dog",
        "forecast": 0.0,
        "predicted": "cat",
        "surprise": None,
        "weight": 1.0,
    }
