"""Summaries of parts add up to that of the whole: any split, any order; what does not belong together refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import logloss as ll
from hazards import kept, numbers, rows, same
from logloss.panel import Panel


@settings(deadline=None, max_examples=40)
@given(cuts=st.lists(st.integers(1, 239), min_size=1, max_size=6, unique=True), seed=st.integers(0, 99))
def test_any_split_in_any_order(cuts: list[int], seed: int) -> None:
    data = rows()
    whole = ll.summarize(
        data["y"], data["p"], weight=data["w"], group=data["g"], labels=[0, 1], skip_missing=True
    )
    pieces = []
    for part in np.split(np.arange(len(data["y"])), sorted(cuts)):
        usable = kept(data)[part]
        if not usable.any() or not data["w"][part][usable].any():
            pieces.append(None)
            continue
        y, p, w, g = (data[name][part] for name in ("y", "p", "w", "g"))
        pieces.append(ll.summarize(y, p, weight=w, group=g, labels=[0, 1], skip_missing=True))
    if None in pieces:
        return  # a part in which no row counts is an error of its own
    np.random.default_rng(seed).shuffle(pieces)  # type: ignore[arg-type]  # a list will do
    merged = ll.merge(pieces)

    def by_key(state: dict) -> dict:
        """Put groups in one order: they come in that of the rows."""
        groups = state["groups"]
        order = sorted(range(len(groups["keys"])), key=lambda at: groups["keys"][at])
        return {**state, "groups": {name: [groups[name][at] for at in order] for name in groups}}

    def without_rows(state: dict) -> dict:
        """Leave the costliest rows out: their numbers are those of the parts."""
        return {key: value for key, value in state.items() if key != "top"}

    a, b = (without_rows(by_key(numbers(one.to_dict()))) for one in (merged, whole))
    same(a, b)
    assert merged.fingerprint == whole.fingerprint


def test_saved_parts(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    p = rng.random(90)
    y = (rng.random(90) < p).astype(int)
    for at in range(3):
        rows_ = slice(30 * at, 30 * at + 30)
        ll.summarize(y[rows_], p[rows_]).save(tmp_path / f"{at}.json")
    merged = ll.merge(tmp_path / f"{at}.json" for at in (2, 0, 1))
    assert ll.score(merged).log_loss == pytest.approx(ll.log_loss(y, p), rel=1e-14)


def test_the_same_part_twice_is_refused(tmp_path: Path) -> None:
    part = ll.summarize([1, 0, 1], [0.9, 0.2, 0.4])
    part.save(tmp_path / "a.json")
    part.save(tmp_path / "b.json")
    with pytest.raises(ll.AlignmentError, match=r"a\.json and .*b\.json") as caught:
        ll.merge([str(tmp_path / "a.json"), str(tmp_path / "b.json")])
    assert caught.value.slug == "same-part-twice"


def test_strangers_are_refused() -> None:
    table = {"y": [1, 0], "p": [0.5, 0.5], "q": [0.4, 0.5], "g": [1, 2]}
    base = ll.summarize({"y": [1, 0], "p": [0.7, 0.5]}, "p", outcome="y")
    others = {
        "columns": ll.summarize(table, "q", outcome="y"),
        "group": ll.summarize(table, "p", outcome="y", group="g"),
        "several forecasts": ll.summarize(table, {"a": "p", "b": "q"}, outcome="y"),
        "space": ll.summarize([1, 0], [0.5, 0.25], space="logit"),
    }
    for told, other in others.items():
        with pytest.raises(ll.AlignmentError, match=told):
            ll.merge([base, other])
    with pytest.raises(ll.UsageError, match="no summaries"):
        ll.merge([])


def test_the_fingerprint_tells_outcomes_and_weights_apart() -> None:
    y, p, w = [1, 0, 1, 0], [0.9, 0.2, 0.4, 0.5], [1.0, 2.0, 3.0, 4.0]
    base = ll.summarize(y, p, weight=w).fingerprint
    assert ll.summarize(y, [0.5] * 4, weight=w).fingerprint == base
    assert ll.summarize(y[::-1], p, weight=w[::-1]).fingerprint == base
    assert ll.summarize([1, 1, 0, 0], p, weight=w).fingerprint != base
    assert ll.summarize(y, p, weight=[1.0, 2.0, 3.0, 4.5]).fingerprint != base


def test_a_panel_is_saved_and_read(tmp_path: Path) -> None:
    table = {"y": [1, 0, 1, 0], "p": [0.9, 0.2, 0.4, 0.0], "q": [0.4, 0.5, 0.0, 0.3]}
    panel = ll.summarize(table, {"a": "p", "b": "q"}, outcome="y")
    assert isinstance(panel, Panel)
    panel.save(tmp_path / "panel.json")
    back = ll.load(tmp_path / "panel.json")
    assert back.to_dict() == panel.to_dict()
    same(ll.score(back).to_dict(), ll.score(panel).to_dict())
    with pytest.raises(ll.UsageError, match="no forecast 'c'"):
        panel.difference("a", "c")


def test_paired_differences_are_those_of_the_rows() -> None:
    rng = np.random.default_rng(3)
    p, q, w = rng.random(400), rng.random(400), rng.gamma(2, 1, 400)
    y = (rng.random(400) < p).astype(int)
    panel = ll.summarize({"y": y, "p": p, "q": q, "w": w}, {"a": "p", "b": "q"}, outcome="y", weight="w")
    mean, found = panel.difference("a", "b")
    d = ll.surprise(y, p) - ll.surprise(y, q)
    assert mean == pytest.approx(np.average(d, weights=w), rel=1e-12)
    u = w * (d - mean)
    error = u.std(ddof=1) / np.sqrt(400) / w.mean()
    assert found is not None
    assert found.standard_error == pytest.approx(error, rel=1e-10)
    assert found.low < mean < found.high


def test_infinity_minus_infinity_is_not_a_number() -> None:
    table = {"y": [1, 0, 1], "p": [0.0, 0.2, 0.4], "q": [0.4, 1.0, 0.5], "r": [0.4, 0.5, 0.5]}
    panel = ll.summarize(table, {"a": "p", "b": "q", "c": "r"}, outcome="y")
    assert np.isnan(panel.difference("a", "b")[0])
    assert panel.difference("a", "c") == (np.inf, None)
    assert panel.difference("c", "b") == (-np.inf, None)
    assert [pair["difference"] for pair in ll.score(panel).to_dict()["pairs"]] == ["-inf", "-inf", None]


def test_explaining_a_summary_gives_what_adds_up() -> None:
    rng = np.random.default_rng(4)
    p = rng.random(500)
    y = (rng.random(500) < p**2).astype(int)
    whole, folded = ll.explain(y, p), ll.explain(ll.summarize(y, p))
    assert [row.row for row in folded.worst] == [row.row for row in whole.worst]
    assert folded.worst[0].share == pytest.approx(whole.worst[0].share, rel=1e-12)
    assert folded.census == whole.census
    assert folded.confusion == whole.confusion
    assert folded.excess_z == pytest.approx(whole.excess_z, rel=1e-12)
    assert folded.clip is None
    assert [found.id for found in folded.findings] == [found.id for found in whole.findings] == ["LL022"]
    assert folded.what_ifs == ()  # these need rows side by side
    assert "from-summary" in {note.id for note in folded.score.notes}
    assert str(folded)
    with pytest.raises(ll.UsageError, match="several forecasts"):
        ll.explain(ll.summarize({"y": y, "a": p, "b": p}, {"a": "a", "b": "b"}, outcome="y"))


def test_explaining_a_large_join_is_a_fold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logloss.why.blame.MOST_ROWS", 10)
    monkeypatch.setattr("logloss.summaries.JOINED_IN_MEMORY", 10)
    table = {"id": list(range(40)), "p": [0.9, 0.2] * 20}
    why = ll.explain(table, "p", truth={"id": list(range(40)), "y": [1, 0] * 20})
    assert why.score.log_loss == pytest.approx(-(np.log(0.9) + np.log(0.8)) / 2, rel=1e-13)
    assert why.observations is None
    assert "from-summary" in {note.id for note in why.score.notes}
