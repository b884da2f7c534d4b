"""Findings, checks and what is muted, over a corpus of planted data: every id once, said plainly, with a next step that works."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

import logloss as ll
from corpus import CORPUS, explained
from logloss.finding import Finding, chosen
from logloss.why.checks import IDS
from planted import drawn

ADJECTIVES = r"\b(good|bad|poor|huge|terrible|excellent|great|nice|strong|weak|significant|significantly)\b"
NAMES = sorted(CORPUS)


def everything(name: str) -> list[tuple[str, str]]:
    """Return (id, sentence) of findings and checks."""
    why = explained(name)
    return [*((one.id, one.text) for one in why.findings), *((one.id, one.text) for one in why.checked)]


@pytest.mark.parametrize("name", NAMES)
def test_every_id_is_found_or_passed_or_not_looked_at(name: str) -> None:
    why = explained(name)
    checked = [one.id for one in why.checked]
    assert {one.id for one in why.findings} | set(checked) == set(IDS)
    assert not {one.id for one in why.findings} & set(checked)
    assert len(checked) == len(set(checked))
    assert {one.state for one in why.checked} <= {"passed", "not looked at"}
    assert [one.state for one in why.checked] == sorted((one.state for one in why.checked), reverse=True)


def test_the_corpus_has_every_finding() -> None:
    assert {one.id for name in NAMES for one in explained(name).findings} == set(IDS)


def test_every_check_passes_somewhere_but_those_that_are_findings_or_nothing() -> None:
    passed = {one.id for name in NAMES for one in explained(name).checked if one.state == "passed"}
    assert set(IDS) - passed == {"LL081", "LL083"}


@pytest.mark.parametrize("name", NAMES)
def test_the_tone(name: str) -> None:
    for id_, text in everything(name):
        assert not re.search(ADJECTIVES, text, re.IGNORECASE), (id_, text)
        assert re.search(r"[^.]\.$", text), (id_, text)
        assert len(text) <= 320, (id_, text)
        assert text[0] == text[0].upper(), (id_, text)
        assert not re.search(r"\b1 (rows|labels|errors|columns|slices|classes|nat)\b", text), (id_, text)
        assert not re.search(r"\b(?!1\b)[\d,]+ (row|label|error|column|slice)\b", text), (id_, text)
        if re.search(r"\bsav(e|es|ed|ing)\b", text):
            assert "unseen rows" in text or "in sample" in text, (id_, text)
    for one in explained(name).findings:
        assert 0 < len(one.title) <= 60
        assert re.search(r"\d", one.text)
        assert one.command.startswith("logloss ")
        assert one.severity == ("infinite" if np.isinf(one.nats) else "cost" if one.nats > 0 else "remark")
    for check in explained(name).checked:
        assert 0 < len(check.title) <= 20
        if check.state == "passed":
            assert re.search(r"\d", check.text), check


@pytest.mark.parametrize("name", NAMES)
def test_the_next_call_works_when_typed(name: str) -> None:
    why = explained(name)
    assert why.observations is None or all(one.call for one in why.findings)
    for call in {one.call for one in why.findings} - {""}:
        assert eval(call, {"why": why, "ll": ll}) is not None, call


@pytest.mark.parametrize("name", NAMES)
def test_json_has_both_and_keeps_its_contract(name: str) -> None:
    why = explained(name)
    state = json.loads(json.dumps(why.to_dict(), allow_nan=False))
    assert [one["id"] for one in state["checked"]] == [one.id for one in why.checked]
    assert {tuple(one) for one in state["checked"]} == {("id", "state", "text", "title")}
    for one, found in zip(state["findings"], why.findings, strict=True):
        assert list(one)[:4] == ["id", "nats", "text", "command"]
        assert one["nats"] == ("inf" if np.isinf(found.nats) else found.nats)


def test_the_screen_has_one_line_on_what_passed() -> None:
    for name in NAMES:
        lines = [
            line for line in str(explained(name)).splitlines() if line.startswith("  Checked and passed: ")
        ]
        passed = [one for one in explained(name).checked if one.state == "passed"]
        assert len(lines) == bool(passed)
        if not lines:
            continue
        assert len(lines[0]) <= 98
        more = re.search(r" and (\d+) more", lines[0])
        told = lines[0].removeprefix("  Checked and passed: ").split(" (")[0].split(" and ")[0].split(", ")
        assert len(told) + (int(more[1]) if more else 0) == len(passed)


# What the checks say, computed another way ---------------------------------------------------------------------------


def text_of(name: str, id_: str) -> str:
    return next(one.text for one in explained(name).checked if one.id == id_)


def test_the_figures_of_checks() -> None:
    why = explained("calibrated")
    y, z = drawn(400, 1, 2, 2.0)
    loss = np.log1p(np.exp(np.where(y == 1, -z, z)))
    dear = np.sort(loss)[::-1]
    half = int(np.searchsorted(dear.cumsum(), dear.sum() / 2)) + 1
    assert text_of("calibrated", "LL010").startswith(f"{half} rows ({100 * half / 400:.1f} %) carry half")
    rate = y.mean()
    alone = np.where(y == 1, (y.sum() - 0.5) / 400, (400 - y.sum() - 0.5) / 400)
    assert f"{loss.mean():.4f} against {-np.log(alone).mean():.4f}" in text_of("calibrated", "LL050")
    wrong = int(((z > 0) != (y == 1)).sum())
    assert f"None of {wrong} errors was" in text_of("calibrated", "LL032")
    tried = next(step for step in why.decomposition.remedies.tried if step.name == "temperature")
    low, high = tried.interval
    verb, ends = ("cost", (-high, -low)) if tried.gain < 0 else ("save", (low, high))
    said = f"(T = {tried.parameters['temperature']:.3g}) would {verb} {abs(tried.gain):.4f} nats"
    assert said in text_of("calibrated", "LL020")
    assert f"{ends[0]:.4f}, {ends[1]:.4f}] on unseen rows" in text_of("calibrated", "LL020")
    assert text_of("calibrated", "LL020").endswith("within noise.") == (low <= 0 <= high)
    assert 0.3 < rate < 0.7


def test_why_something_was_not_looked_at() -> None:
    assert "no columns to slice by" in text_of("calibrated", "LL040")
    assert "more than 20 classes" in text_of("many classes", "LL100")
    assert "from a summary" in text_of("summary", "LL010")
    assert "not with groups" in text_of("grouped", "LL100")
    assert "the columns look misread" in text_of("reversed", "LL020")
    assert "LL051" in text_of("knows nothing", "LL020")
    assert "for two classes only" in text_of("classes", "LL031")
    assert "for more than two classes only" in text_of("calibrated", "LL090")
    assert "3 rows" in text_of("tiny", "LL020")


def test_slices_that_were_looked_at() -> None:
    y, z = drawn(600, 1, 2, 2.0)
    rng = np.random.default_rng(0)
    why = ll.explain(
        y, z, space="logit", by={"a": rng.choice(list("xyz"), 600), "b": rng.choice(list("uv"), 600)}
    )
    checks = {one.id: one for one in why.checked}
    assert why.slices is not None
    assert checks["LL040"].text.startswith(
        f"None of {why.slices.looked_at} slices of 2 columns is worse calibrated"
    )
    assert checks["LL041"].state == "passed"


# Muting --------------------------------------------------------------------------------------------------------------


def test_muted_findings_are_counted_in_a_note() -> None:
    y, z = drawn(400, 1, 2, 2.0)
    whole = ll.explain(y, z + 1.5, space="logit")
    assert {"LL022", "LL050"} <= {one.id for one in whole.findings}
    why = ll.explain(y, z + 1.5, space="logit", ignore=("LL022", "LL010"))
    assert "LL022" not in {one.id for one in why.findings}
    assert [one for one in whole.findings if one.id != "LL022"] == list(why.findings)
    assert why.muted == ("LL022",)
    assert why.checked == whole.checked  # muting hides no check, and LL081 does not say that all is in order
    assert [note.text for note in why.score.notes if note.id == "findings-muted"] == [
        "1 finding muted: LL022."
    ]
    both = ll.explain(y, z + 1.5, space="logit", ignore=["LL050", "LL022"])
    assert [note.text for note in both.score.notes if note.id == "findings-muted"] == [
        "2 findings muted: LL022, LL050."
    ]
    assert both.to_dict()["muted"] == ["LL022", "LL050"]


def test_a_summary_takes_ignore_too() -> None:
    y, z = drawn(400, 1, 2, 2.0)
    summary = ll.summarize(y, 2 * z, space="logit")
    assert [one.id for one in ll.explain(summary).findings] == ["LL020"]
    assert ll.explain(summary, ignore="LL020").findings == ()


def test_an_unknown_id_is_refused_before_anything_is_read() -> None:
    with pytest.raises(ll.UsageError, match=r"Did you mean 'LL010'.*unknown-finding"):
        ll.explain("there is no such file.csv", ignore="ll010")
    with pytest.raises(ll.UsageError, match="unknown-finding"):
        chosen(["LL010", "LL060"], IDS)


def test_severity() -> None:
    assert Finding("LL030", np.inf, "a", "b").severity == "infinite"
    assert Finding("LL020", 0.1, "a", "b").severity == "cost"
    assert Finding("LL081", 0.0, "a", "b").severity == "remark"
    assert Finding("LL070", 0.0, "a", "b", worth=2.0).severity == "cost"
    assert Finding("LL072", 0.0, "a", "b", worth=0.0).severity == "remark"


# A record that was read before ---------------------------------------------------------------------------------------


def test_a_record_is_taken_as_it_is() -> None:
    y, z = drawn(300, 1, 2, 2.0)
    weight = np.random.default_rng(0).integers(0, 3, 300).astype(float)
    why = ll.explain(y, z, space="logit", weight=weight)
    again = ll.explain(why.observations)
    assert again.to_dict() == why.to_dict()
    assert ll.score(why.observations).log_loss == why.score.log_loss
    with pytest.raises(ll.UsageError, match="weight= says them again"):
        ll.score(why.observations, weight=weight)
    with pytest.raises(ll.UsageError, match="space= says them again"):
        ll.score(why.observations, space="logit")
