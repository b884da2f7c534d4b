"""Every figure: its title, words, units, axes; what cannot be drawn; SVG; and that nothing is loaded or left behind."""

from __future__ import annotations

import re
import subprocess
import sys
import warnings
from xml.etree import ElementTree as ET

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from artists import drawn, names

import logloss as ll
from logloss.figures.ground import COLOURS, named
from logloss.figures.vectors import UNSET

HOSTILE = '$\\frac{1}{0}$ <script>alert("&\x1b\u202e'


@pytest.fixture(autouse=True)
def _closed() -> object:
    yield
    plt.close("all")


def forecasts(n: int = 600, seed: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    z = random.normal(-0.5, 1.5, n)
    y = (random.random(n) < 1 / (1 + np.exp(-z))).astype(int)
    return y, 1 / (1 + np.exp(-1.8 * z)), 1 / (1 + np.exp(-z))


def results() -> dict[str, object]:
    y, p, q = forecasts()
    table = {
        "y": y,
        "p": p,
        "part": np.where(np.arange(len(y)) % 3 == 0, "a", "b"),
        "x": np.arange(len(y)) % 7,
    }
    costs = {"cost_fp": 2, "cost_fn": 10}
    known = np.where(np.arange(len(y)) < 100, y.astype(float), np.nan)
    return {
        "explain": ll.explain(table, by=["part", "x"]),
        "score": ll.score(y, p),
        "scores": ll.score({"y": y, "one": p, "two": q}, {"one": "one", "two": "two"}),
        "reliability": ll.reliability(y, p),
        "lorenz": ll.lorenz(y, p),
        "decompose": ll.decompose(y, p),
        "gap": ll.gap((y[:300], p[:300]), (y[300:], p[300:])),
        "fix": ll.fix(y, p),
        "compare": ll.compare(y, {"one": p, "two": q, "three": 0.5 * (p + q)}),
        "sequential": ll.sequential(y, {"one": p, "two": q}),
        "decision": ll.decision_curve(y, {"one": p, "two": q}),
        "murphy": ll.murphy_curve(y, {"one": p, "two": q}),
        "decide": ll.decide(y, p, **costs),
        "worth": ll.worth_of_calibration(y, p, **costs),
        "estimate": ll.estimate(known, p),
        "suspects": ll.suspects(y, p),
    }


RESULTS = results()
FIGURES = [(name, kind) for name, result in RESULTS.items() for kind in result.kinds]


@pytest.mark.parametrize(("name", "kind"), FIGURES)
def test_every_figure_asks_a_question_and_names_its_axes(name: str, kind: str) -> None:
    ax = RESULTS[name].plot(kind=kind)
    assert ax.get_title(loc="left").endswith("?")
    below = [child.get_xlabel() for child in ax.child_axes]
    assert ax.get_xlabel() or any(below)
    assert ax.get_ylabel() or any(len(label) > 2 for label in names(ax))
    ax.figure.canvas.draw()  # Agg; a warning is an error
    left = ax.figure.bbox.width
    for text in ax.texts:
        assert text.get_window_extent().x1 <= left + 1, text.get_text()


@pytest.mark.parametrize(("name", "kind"), FIGURES)
def test_every_figure_is_told_in_words_with_numbers(name: str, kind: str) -> None:
    told = RESULTS[name].alt(kind)
    assert told.endswith(".")
    assert 20 < len(told) < 700
    assert re.search(r"\d", told) or "Wrong labels cannot" in told


@pytest.mark.parametrize(("name", "kind"), FIGURES)
def test_svg_is_one_element_and_the_same_bytes_under_any_settings(name: str, kind: str) -> None:
    first = RESULTS[name].svg(kind)
    with mpl.rc_context({"svg.hashsalt": None, "font.size": 20, "axes.grid": True, "text.usetex": False, "axes.facecolor": "red"}):  # fmt: skip
        plt.figure()
        assert RESULTS[name].svg(kind) == first
    root = ET.fromstring(first)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert (root.get("role"), root.get("width")) == ("img", "640")
    spoken = [child.text for child in root][:2]
    assert spoken == [
        RESULTS[name].plot(kind=kind).get_title(loc="left").replace("\n", " "),
        RESULTS[name].alt(kind),
    ]
    assert not re.search(r"<metadata|<\?xml|dc:date|Matplotlib v", first)
    for ours, colour in UNSET.items():  # every colour of ours may be set by the page
        assert first.count(colour) == first.count(f"var(--ll-{ours},{colour})")
        assert COLOURS[ours] not in first
    ids = re.findall(r' id="([^"]*)"', first)
    assert len(ids) == len(set(ids))
    used = set(re.findall(r'href="#([^"]*)"|url\(#([^)]*)\)', first))
    assert {a or b for a, b in used} == set(ids)
    assert len(first) < 10_000


def test_svg_has_text_as_text_and_no_ground() -> None:
    text = RESULTS["score"].svg("baselines")
    assert ">always the base rate</text>" in text
    assert not re.search(r"#fff|white|<rect", text)


def test_svg_has_the_width_asked_for() -> None:
    assert 'width="390"' in RESULTS["score"].svg(width=390)
    for width in (10, 1e9, True):
        with pytest.raises(ll.LoglossError, match="figure-width"):
            RESULTS["score"].svg(width=width)


def test_two_figures_on_a_page_share_no_names() -> None:
    first, second = RESULTS["score"].svg(), RESULTS["lorenz"].svg()
    assert not set(re.findall(r' id="([^"]*)"', first)) & set(re.findall(r' id="([^"]*)"', second))


def test_axes_that_are_given_are_drawn_on_and_returned() -> None:
    _, axes = plt.subplots(1, 2)
    assert RESULTS["score"].plot(axes[1]) is axes[1]
    assert RESULTS["score"].plot(ax=axes[0], kind="baselines") is axes[0]
    assert len(plt.get_fignums()) == 1


def test_svg_and_words_leave_no_figure_open() -> None:
    for result in RESULTS.values():
        result.svg()
        result.alt()
    assert plt.get_fignums() == []
    before = dict(mpl.rcParams)
    RESULTS["fix"].svg()
    RESULTS["fix"].plot()
    assert dict(mpl.rcParams) == before


def test_a_figure_that_there_is_not_is_refused_with_those_there_are() -> None:
    with pytest.raises(ll.LoglossError, match="no-such-figure") as caught:
        RESULTS["score"].plot(kind="payer")
    assert "'payers'" in str(caught.value)
    assert "'baselines'" in str(caught.value)
    with pytest.raises(ll.LoglossError, match="cannot be drawn of this result"):
        ll.explain([0, 1, 2], np.eye(3) * 0.4 + 0.2).plot(kind="clip")
    with pytest.raises(ll.LoglossError, match="unknown-unit"):
        RESULTS["score"].plot(unit="bytes")
    assert plt.get_fignums() == []


def test_a_summary_has_the_figures_that_it_can_tell() -> None:
    y, p, _ = forecasts()
    whole = ll.explain(ll.summarize(y, p))
    assert whole.kinds == ("budget", "payers", "reliability", "linear", "belief", "baselines")
    assert whole.frame("payers") == ll.score(y, p).frame("payers")


def test_bits_are_drawn_as_bits() -> None:
    nats, bits = (RESULTS["gap"].plot(unit=unit) for unit in ("nats", "bits"))
    assert "bits" in bits.get_xlabel()
    first, second = (float(drawn(ax, "value")[0].get_xdata()[0]) for ax in (nats, bits))
    assert second == pytest.approx(first / np.log(2), rel=1e-12)


def test_names_are_never_formulas_nor_markup() -> None:
    y, p, q = forecasts()
    result = ll.compare(y, {HOSTILE: p, "_hidden": q, "$x$": 0.5 * (p + q)})
    for kind in result.kinds:
        ax = result.plot(kind=kind)
        ax.figure.canvas.draw()
        for label in ax.get_yticklabels():
            assert mpl.cbook.is_math_text(label.get_text()) is not True
    text = result.svg("standings")
    ET.fromstring(text)
    assert "<script" not in text
    assert "\u202e" not in text
    assert "$\\frac{1}{0}$ &lt;script&gt;a…" in text
    ax = ll.murphy_curve(y, {"_hidden": p, HOSTILE: q}).plot()
    shown = [label.get_text() for label in ax.get_legend().get_texts()]
    assert shown[0] == " _hidden"
    assert len(shown) == 3


def test_signs_that_no_font_has_are_no_matter_on_a_page() -> None:
    y, p, q = forecasts()
    result = ll.compare(y, {"模型一": p, "لوحة\u200f": q, "\ud800": 0.5 * (p + q)})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        text = result.svg()
    assert "模型一" in text
    text.encode()


def test_a_name_is_short_and_plain() -> None:
    assert named("x" * 50) == "x" * 23 + "…"
    assert named("a$b\u200bc\n") == r"a\$b·c·"
    assert named("_a") == " _a"


def test_nothing_is_imported_before_something_is_drawn() -> None:
    code = "import sys, logloss as ll; r = ll.score([1, 0, 1], [.9, .2, .6]); str(r); r.alt(); r.frame(); r.kinds; print('matplotlib' in sys.modules); r.svg(); print('matplotlib' in sys.modules, 'matplotlib.pyplot' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True", "False"]


def test_another_process_writes_the_same_bytes() -> None:
    code = "import sys, hashlib, logloss as ll; r = ll.lorenz([1, 0, 1, 0], [.9, .2, .6, .4]); print(hashlib.sha256(r.svg().encode()).hexdigest())"
    seen = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**__import__("os").environ, "PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(seen) == 1
