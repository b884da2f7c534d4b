"""What comparisons, decisions and maps say: the same kind of sentence everywhere, in the same tone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest
from scipy.special import expit, softmax

import logloss as ll
from logloss.finding import Finding
from planted import drawn

ADJECTIVES = r"\b(good|bad|poor|huge|terrible|excellent|great|nice|strong|weak|significant|significantly)\b"
LONG = "a name that is too long to be told on any screen, version"


@cache
def comparisons() -> tuple[ll.Comparison, ...]:
    y, z = drawn(400, 1, 2, 2.0)
    rng = np.random.default_rng(0)
    none = expit(z)
    none[:2] = np.where(y[:2] == 1, 0.0, 1.0)
    other = expit(z)
    other[7] = 1.0 - y[7]
    forecasts = {
        "b": expit(2 * z),
        "c": expit(z + 0.05 * rng.normal(size=400)),
        "same": expit(z),
        "none": none,
    }
    Y, Z = drawn(400, 1, 4, 2.0)
    return (
        *(ll.compare(y, {"a": expit(z), name: p}) for name, p in forecasts.items()),
        ll.compare(y, {"none": none, "other": other}),
        ll.compare(y, {f"{LONG} 1": expit(z), f"{LONG} 2": expit(2 * z), "c": forecasts["c"]}),
        ll.compare(y, {"a": expit(z), **forecasts}, reference="a"),
        ll.compare(Y, {"a": softmax(Z, axis=1), "b": softmax(2 * Z, axis=1)}),
        ll.compare(y[:12], {"a": expit(z[:12]), "b": expit(2 * z[:12])}),
    )


@cache
def decisions() -> tuple[ll.Decisions, ...]:
    y, z = drawn(400, 1, 2, 2.0)
    return (
        ll.decide(y, expit(2 * z), cost_fp=1, cost_fn=9),
        ll.decide(y, expit(z), cost_fp=1, cost_fn=9),
        ll.decide(y, expit(z), cost_fp=1, cost_fn=9, recalibrate=False),
        ll.decide(y, expit(z), cost_fp=1, cost_fn=1, reject=0.1),
    )


@cache
def maps() -> tuple[ll.Fix, ...]:
    y, z = drawn(400, 1, 2, 2.0)
    none = expit(z)
    none[:2] = np.where(y[:2] == 1, 0.0, 1.0)
    return (
        ll.fix(y, expit(2 * z), maps="temperature"),
        ll.fix(y, expit(2 * z)),
        ll.fix(y, expit(z), maps="temperature"),
        ll.fix(y[:12], expit(z[:12])),
        ll.fix(y, none),
    )


def every() -> Iterator[tuple[str, object, Finding]]:
    for name, results in (("comparison", comparisons()), ("decisions", decisions()), ("fixed", maps())):
        for result in results:
            for one in result.findings:
                yield name, result, one


def test_the_tone() -> None:
    for _, _, one in every():
        assert not re.search(ADJECTIVES, one.text, re.IGNORECASE), one
        assert one.text.endswith("."), one
        assert len(one.text) <= 320, one
        assert 0 < len(one.title) <= 60, one
        assert one.command.startswith("logloss "), one
        assert not re.search(r"\b1 (rows|forecasts|nat)\b", one.text), one
        if re.search(r"\bsav(e|es|ed|ing)\b", one.text):
            assert "unseen rows" in one.text or "on these rows" in one.text, one


def test_the_next_call_works_when_typed() -> None:
    for name, result, one in every():
        if one.call.endswith(".regret") and result.regret is None:  # type: ignore[attr-defined]
            continue
        eval(one.call, {name: result})


def test_all_ids_are_told_of_something() -> None:
    told = {one.id for _, _, one in every()}
    assert told >= {
        "LL025",
        "LL026",
        *(f"LL06{k}" for k in (0, 1, 2, 3, 4, 6, 7)),
        "LL070",
        "LL071",
        "LL072",
        "LL073",
    }


def test_the_same_sentences_on_the_screen_and_in_json() -> None:
    for result in (*comparisons(), *decisions()):
        screen = " ".join(str(result).split())
        state = result.to_dict()
        assert [one["text"] for one in state["findings"]] == [one.text for one in result.findings]
        for one in result.findings:
            assert " ".join(one.text.split()) in screen, one
    for fixed in maps():
        assert [one["id"] for one in fixed.to_dict()["findings"]] == [one.id for one in fixed.findings]


def test_a_map_in_numbers() -> None:
    fixed = maps()[0]
    (one,) = fixed.findings
    assert one.nats == fixed.gain
    assert fixed.gain_interval is not None
    low, high = fixed.gain_interval
    share = 100 * fixed.gain / fixed.before
    assert one.text.startswith(
        f"Temperature saves {fixed.gain:.4f} nats [{low:.4f}, {high:.4f}], {share:.1f} % of the loss,"
    )
    assert [found.id for found in maps()[2].findings] == ["LL026"]
    assert "12 rows" in maps()[3].findings[0].text
    assert maps()[4].findings[0].severity == "infinite"


@pytest.mark.parametrize("at", range(4))
def test_what_is_at_stake_is_in_the_users_own_unit(at: int) -> None:
    result = decisions()[at]
    assert [one.nats for one in result.findings] == [0.0] * len(result.findings)
    by_id = {one.id: one for one in result.findings}
    if "LL073" in by_id and result.recalibration.map != "identity":
        assert by_id["LL073"].worth == result.recalibration.worth
    if result.surplus.high < 0:
        assert by_id["LL072"].worth == pytest.approx(-result.surplus.mean)
        assert by_id["LL072"].severity == "cost"
