"""Results at the prompt, in a notebook, as markdown: what is shown, what it costs, and that it never fails."""

from __future__ import annotations

import inspect
import math
import pickle
import re
import subprocess
import sys
import time
from dataclasses import replace
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sanitizer import Kept

import logloss as ll
from logloss.display import shown
from logloss.display.cells import LIMIT
from logloss.display.pictures import MIDDLE, image
from logloss.errors import UsageError

HOSTILE = "<img src=x onerror=alert(1)>|`</td></script>\"'\u202e\x1b[31m"


def forecasts(n: int = 800) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(3)
    z = random.normal(-0.5, 1.5, n)
    y = (random.random(n) < 1 / (1 + np.exp(-z))).astype(int)
    return y, 1 / (1 + np.exp(-1.8 * z)), 1 / (1 + np.exp(-z))


def several() -> dict[str, Any]:
    y, p, q = forecasts()
    known = np.where(np.arange(len(y)) < 100, y.astype(float), np.nan)
    costs = {"cost_fp": 2, "cost_fn": 10}
    names = np.where(y == 1, HOSTILE + "yes", HOSTILE + "no")
    wide = np.column_stack([1 - p, p])
    infinite = p.copy()
    infinite[np.flatnonzero(y)[0]] = 0.0
    hard = {"labels": [HOSTILE + "no", HOSTILE + "yes"], "ids": [f"{HOSTILE}{at}" for at in range(len(y))]}
    return {
        "explain": ll.explain(y, p, by={"part": np.arange(len(y)) % 3}),
        "explain, hostile": ll.explain(names, wide, by={HOSTILE: np.where(np.arange(len(y)) % 2, HOSTILE, "b")}, **hard),
        "explain, infinite": ll.explain(y, infinite),
        "explain, a summary": ll.explain(ll.score(y, p).summary),
        "explain, two rows": ll.explain([1, 0], [0.9, 0.2]),
        "score": ll.score(y, p),
        "score, grouped": ll.score(names, wide, labels=hard["labels"], group=[f"{HOSTILE}{at % 30}" for at in range(len(y))]),
        "score, infinite": ll.score(y, infinite),
        "score, one class": ll.score([1, 1], [0.9, 0.8]),
        "scores": ll.score({"y": y, "one": p, "two": q}, {HOSTILE: "one", HOSTILE + "b": "two"}),
        "fix": ll.fix(y, p),
        "fix, nothing": ll.fix(y, q),
        "fix of several": ll.fix(y, {HOSTILE: p, HOSTILE + "b": q}),
        "compare": ll.compare(y, {"one": p, "two": q}),
        "compare, hostile": ll.compare(y, {HOSTILE: p, HOSTILE + "b": q, HOSTILE + "c": 0.5 * (p + q)}, ids=hard["ids"]),
        "compare, infinite": ll.compare(y, {"one": infinite, "two": q}),
        "decide": ll.decide(y, p, **costs),
        "decide, hostile": ll.decide(y, p, utilities={HOSTILE + "a": {0: -2, 1: 0}, HOSTILE + "b": {0: 0, 1: -10}}),
        "reliability": ll.reliability(y, p),
        "lorenz": ll.lorenz(y, p),
        "decompose": ll.decompose(y, p),
        "gap": ll.gap((y[:400], p[:400]), (y[400:], p[400:])),
        "sequential": ll.sequential(y, {"one": p, "two": q}),
        "decision": ll.decision_curve(y, {"one": p, "two": q}),
        "murphy": ll.murphy_curve(y, {"one": p, "two": q}),
        "worth": ll.worth_of_calibration(y, p, **costs),
        "estimate": ll.estimate(known, p),
        "next labels": ll.estimate(known, p).next_rows(20),
        "suspects": ll.suspects(y, p),
        "prior": ll.estimate_prior(p, [0.6, 0.4]),
        "evidence": ll.Evidence(2.0, 1.0, 100, False, ()),
        "yes and no": ll.multilabel(np.column_stack([y, 1 - y]), np.column_stack([p, q])),
        "replicates": ll.decompose_replicates(y, np.round(p, 1).clip(0.05, 0.95)),
    }  # fmt: skip


RESULTS = several()


@pytest.fixture(autouse=True)
def _forgotten() -> object:
    shown._PAGES.clear()
    yield
    plt.close("all")


@pytest.mark.parametrize("name", RESULTS)
def test_html_survives_where_it_is_not_trusted(name: str) -> None:
    laid = RESULTS[name]._repr_html_()
    kept = Kept(laid)
    assert kept.removed == []
    assert len(laid.encode()) < LIMIT
    assert "".join(kept.text).strip()
    assert all(one["src"].startswith("data:image/svg+xml,%3Csvg ") and one["alt"] for one in kept.images)
    kinds = getattr(RESULTS[name], "kinds", ())
    assert bool(kept.images) == bool(kinds)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\u202a-\u202e]", laid)


@pytest.mark.parametrize("name", RESULTS)
def test_markdown_is_text_with_the_same_headline(name: str) -> None:
    told = RESULTS[name].to_markdown()
    assert told.endswith("\n")
    assert "<" not in re.sub(r"`[^`\n]*`", "", told) or told.startswith("```")
    first = re.sub(r"\\(.)", r"\1", told.split("\n")[0])
    if told.startswith("**Log loss"):
        words = "".join(Kept(RESULTS[name]._repr_html_()).text)
        assert words.startswith(first.replace("*", "")[:30])


@pytest.mark.parametrize("name", RESULTS)
def test_the_prompt_prints_one_screen(name: str) -> None:
    assert repr(RESULTS[name]) == str(RESULTS[name])
    assert repr(RESULTS[name]).strip()


@pytest.mark.parametrize("name", RESULTS)
def test_it_is_drawn_once(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = RESULTS[name]._repr_html_()
    monkeypatch.setattr(shown, "page", None)  # laid out again, it would fail
    began = time.perf_counter()
    assert RESULTS[name]._repr_html_() is first
    assert time.perf_counter() - began < 0.01


def test_pages_go_with_their_results() -> None:
    result = ll.score([1, 0], [0.9, 0.2])
    result._repr_html_()
    assert len(shown._PAGES) == 1
    assert b"svg" not in pickle.dumps(result)
    del result
    assert len(shown._PAGES) == 0


@pytest.mark.parametrize("name", ["explain", "score", "lorenz", "compare", "fix", "decide"])
def test_without_figures_the_text_stands(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = RESULTS[name]._repr_html_()
    shown._PAGES.clear()

    def fails(*_: object, **__: object) -> str:
        raise MemoryError

    monkeypatch.setattr(type(RESULTS[name]), "svg", fails)
    bare = RESULTS[name]._repr_html_()
    assert Kept(bare).text == Kept(whole).text
    assert Kept(bare).images == []
    monkeypatch.undo()
    assert RESULTS[name]._repr_html_() == whole  # what failed is not remembered


def test_showing_never_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    result = RESULTS["score"]

    def fails(*_: object, **__: object) -> str:
        raise RuntimeError

    monkeypatch.setattr(type(result), "_card", fails)
    assert Kept(result._repr_html_()).text[0] == str(result)
    monkeypatch.setattr(type(result), "show", fails)
    assert result._repr_html_() == '<div dir="ltr"><pre><code>&lt;Score&gt;</code></pre></div>'


def test_an_explanation_shows_its_findings_figures_and_rows() -> None:
    why = RESULTS["explain"]
    kept = Kept(why._repr_html_())
    words = "".join(kept.text)
    score = why.score
    for told in (f"Log loss {score.log_loss:.4f} nats", f"{score.interval[0]:.4f} to {score.interval[1]:.4f}",
                 "800 rows", f"base rate alone {score.base_rate:.4f}", f"skill {100 * score.skill:.1f} %"):  # fmt: skip
        assert told in words
    for finding in why.findings[:3]:
        assert f"{finding.nats:.4f}{finding.text}" in words
    assert [one["alt"] for one in kept.images] == [
        why.alt(kind)[:400] for kind in ("budget", "reliability", "payers")
    ]
    rows = re.findall(r"<tr>(?:<td[^>]*>[^<]*</td>){6}</tr>", why._repr_html_())
    assert len(rows) == 8
    assert f">{why.worst[0].row}</td>" in rows[0]
    assert f"{why.worst[0].surprise:.4f}" in rows[0]
    assert words.rstrip().split("next: ")[-1].startswith('.report("report.html") ll.fix(y, p)')


def test_infinity_is_said_first() -> None:
    words = "".join(Kept(RESULTS["explain, infinite"]._repr_html_()).text)
    score = RESULTS["explain, infinite"].score
    assert words.startswith(
        f"Log loss inf nats · 1 row gave 0 to what happened · {score.log_loss_finite:.4f} over the finite rows"
    )


def test_units() -> None:
    bits = RESULTS["score"].log_loss / math.log(2)
    assert RESULTS["score"].to_markdown("bits").startswith(f"**Log loss {bits:.4f} bits**")
    assert "bits" in RESULTS["lorenz"].to_markdown("bits") or RESULTS["lorenz"].show("bits")
    for name in ("score", "lorenz", "decide"):
        with pytest.raises(UsageError, match="not a unit"):
            RESULTS[name].to_markdown("bit")


def calls() -> list[tuple[str, str]]:
    found = set()
    for name, result in RESULTS.items():
        card = result._card()
        for call in (*card.calls, *(line.call for line in card.lines)):
            if call:
                found.add((name, call))
    return sorted(found)


@pytest.mark.parametrize(("name", "call"), calls())
def test_what_to_type_next_exists(name: str, call: str) -> None:
    if call.startswith(
        ("why.", "comparison.", "ll.fix(why.", "ll.explain(why.", "ll.suspects(why.", "ll.score(why.")
    ):
        found = eval(call, {"why": RESULTS[name], "comparison": RESULTS[name], "ll": ll})
        assert found is not None
        return
    base: Any = ll if call.startswith("ll.") else RESULTS[name]
    path, _, given = call.removeprefix("ll").partition("(")
    for part in path.strip(".").split("."):
        base = getattr(base, part.partition("[")[0])
    asked = [one.split("=")[0] for one in given.rstrip(")").split(", ") if "=" in one]
    assert set(asked) <= set(inspect.signature(base).parameters if given else ())


def test_an_image_has_middle_colours_and_no_mark_of_html() -> None:
    address = image(RESULTS["explain"].svg("budget"))
    assert not set('"<>&#\n') & set(address)
    assert "var(" not in address
    assert f"%23{MIDDLE['cost'].lstrip('#')}" in address


@pytest.mark.parametrize("ground", ["#ffffff", "#111111"])  # of JupyterLab's themes
@pytest.mark.parametrize(("name", "least"), [("ink", 4.0), ("model", 3.0), ("cost", 3.0), ("context", 3.0)])
def test_colours_are_legible_on_both_grounds(ground: str, name: str, least: float) -> None:
    # Relative luminance and contrast as WCAG 2.2 defines them.
    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    bright, dark = sorted([luminance(ground), luminance(MIDDLE[name])], reverse=True)
    assert (bright + 0.05) / (dark + 0.05) >= least


def test_nothing_is_drawn_before_it_is_shown() -> None:
    code = "import sys, logloss as ll; e = ll.explain([1, 0], [.9, .2]); repr(e); e.to_markdown(); print('matplotlib' in sys.modules); e._repr_html_(); print('matplotlib.pyplot' in sys.modules, 'matplotlib' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.split() == ["False", "False", "True"]


def test_a_changed_copy_is_shown_anew() -> None:
    first = RESULTS["score"]
    other = replace(first, log_loss=0.125)
    assert "Log loss 0.1250" in other._repr_html_()
    assert "Log loss 0.1250" not in first._repr_html_()


def test_ipython_prefers_html_and_prints_text() -> None:
    formatters = pytest.importorskip("IPython.core.formatters")
    data, _ = formatters.DisplayFormatter().format(RESULTS["score"])
    assert set(data) == {"text/plain", "text/html"}
    assert data["text/plain"] == str(RESULTS["score"])
