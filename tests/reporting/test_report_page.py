"""The page in a real browser: nothing is asked of a network, nothing is wrong, on any screen, on paper, without a script or a mouse."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from reported import binary, many, written

import logloss as ll
from browser import axe_violations

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

KINDS = (
    "whole",
    "classes",
    "against",
    "costs",
    "infinite",
    "one class",
    "three rows",
    "weights and groups",
    "summary",
)
SPILT = """[...document.querySelectorAll('body :not(svg *)')].filter(one => one.getBoundingClientRect().right > innerWidth + 1
    && !one.closest('.scroll')).map(one => one.outerHTML.slice(0, 80))"""  # what is wider than the screen


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reports")


@pytest.fixture(scope="module")
def told(folder: Path) -> Callable[[str], Any]:
    """Return a function that makes the report of a kind of data, once."""
    made: dict[str, Any] = {}
    rows = binary()
    fewer = rows.head(3000)
    blunt = fewer.with_columns(
        p=pl.when(pl.int_range(pl.len()) % 1000 == 5).then(1.0 - pl.col("y")).otherwise(pl.col("p"))
    )

    def make(kind: str) -> Any:
        file = written(fewer.select("id", "y", "p", "segment"), folder / "few.csv")
        if kind == "whole":
            whole = written(rows.select("id", "y", "p", "segment", "month"), folder / "preds.csv")
            return ll.report(whole, ids="id", command="logloss report preds.csv --id id")
        if kind == "classes":
            return ll.report(written(many(), folder / "many.csv"), ids="id")
        if kind == "against":
            other = written(fewer.select("id", "y", p="other"), folder / "other.csv")
            return ll.report(file, ids="id", against=other)
        if kind == "costs":
            return ll.report(file, ids="id", cost_fp=2, cost_fn=10, unit="bits")
        if kind == "infinite":
            return ll.report(written(blunt.select("id", "y", "p"), folder / "infinite.csv"), ids="id")
        if kind == "one class":
            return ll.report([1] * 50, np.linspace(0.5, 0.99, 50))
        if kind == "three rows":
            return ll.report([1, 0, 1], [0.9, 0.2, 0.3])
        if kind == "summary":
            ll.score(file).summary.save(folder / "saved.json")
            return ll.report(folder / "saved.json")
        return ll.report(
            fewer, outcome="y", forecast="p", ids="id", weight="w", group="customer", by=["segment"]
        )

    def once(kind: str) -> Any:
        if kind not in made:
            made[kind] = make(kind)
            made[kind].save(folder / f"{kind}.html")
        return made[kind]

    return once


@pytest.fixture
def opened(told: Any, folder: Path, page: Callable[..., Any]) -> Callable[..., Any]:
    def opens(kind: str, **settings: Any) -> Any:
        told(kind)
        return page((folder / f"{kind}.html").as_uri(), **settings)

    return opens


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_whole_in_both_themes_and_on_a_phone(kind: str, opened: Any) -> None:
    seen = opened(kind, color_scheme="light", viewport={"width": 390, "height": 800})
    seen.page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    assert seen.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert seen.page.evaluate(SPILT) == []
    if kind in ("whole", "costs"):  # the others have nothing of their own that has a colour
        assert axe_violations(seen.page) == []
    seen.page.emulate_media(color_scheme="dark")
    assert seen.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(23, 25, 28)"
    assert axe_violations(seen.page) == []
    assert len(seen.requests) == 1
    assert seen.errors == []


def test_on_a_phone_figures_are_drawn_for_it(opened: Any) -> None:
    seen = opened("whole", viewport={"width": 390, "height": 800})
    for shown, hidden, width in (("narrow", "wide", 390), ("wide", "narrow", 900)):
        seen.page.set_viewport_size({"width": width, "height": 800})
        assert seen.page.is_visible(f"#budget .{shown} svg")
        assert not seen.page.is_visible(f"#budget .{hidden} svg")
        inner, outer = (
            seen.page.eval_on_selector(f"#budget .{shown}", f"one => one.{side}")
            for side in ("scrollWidth", "clientWidth")
        )
        assert inner <= outer
        scale = seen.page.eval_on_selector(
            f"#budget .{shown} svg", "one => one.getBoundingClientRect().width / one.viewBox.baseVal.width"
        )
        assert scale > 0.9  # letters are as large as they were drawn
    seen.page.emulate_media(media="print")
    seen.page.set_viewport_size({"width": 390, "height": 800})
    assert seen.page.is_visible("#budget .wide svg")
    assert len(seen.page.content().encode()) < 200_000


@pytest.mark.parametrize("kind", ["whole", "classes", "costs"])
def test_every_view_is_reached_with_the_keyboard_alone(kind: str, opened: Any) -> None:
    seen = opened(kind)
    reached = set()
    for _ in range(120):
        seen.page.keyboard.press("Tab")
        reached.add(
            seen.page.evaluate(
                "document.activeElement.id || document.activeElement.closest('section')?.id + ' ' + document.activeElement.tagName"
            )
        )
    sections = seen.page.evaluate("""[...document.querySelectorAll('section')].map(one => [
        one.id, !!one.querySelector('summary'), !!one.querySelector(':scope > .scroll'), !!one.querySelector('input[type=radio]')])""")
    for name, folded, table, toggled in sections:
        assert not folded or f"{name} SUMMARY" in reached
        assert not table or f"{name} DIV" in reached
        assert not toggled or f"view-{name}-1" in reached
    seen.page.focus("#view-reliability-1")
    seen.page.keyboard.press("ArrowRight")
    shown = "#reliability .view >> nth={}"
    assert seen.page.is_visible(shown.format(1))
    assert not seen.page.is_visible(shown.format(0))


def test_it_is_read_and_toggled_without_javascript(opened: Any, told: Any) -> None:
    seen = opened("whole", java_script_enabled=False)
    contents = told("whole").contents
    text = seen.page.inner_text("body")
    for section in contents.sections:
        assert section.question in text
        assert all(line in text for line in section.said)
    assert all(one.text in text for one in contents.findings[:5])
    for at, view in enumerate(contents.section("reliability").pictures):
        seen.page.click(f"label[for=view-reliability-{at + 1}]")
        views = seen.page.locator("#reliability .view")
        assert [views.nth(k).is_visible() for k in range(views.count())] == [k == at for k in range(3)]
        assert views.nth(at).locator("figcaption").inner_text() == view.alt()


def test_on_paper_all_views_are_there(opened: Any, told: Any) -> None:
    seen = opened("whole", color_scheme="dark")
    seen.page.emulate_media(media="print", color_scheme="dark")
    views = seen.page.locator(".view")
    assert views.count() >= 7
    assert all(views.nth(at).is_visible() for at in range(views.count()))
    assert seen.page.evaluate("getComputedStyle(document.body).color") == "rgb(29, 30, 32)"
    data = seen.page.pdf(format="A4")
    assert data.startswith(b"%PDF")
    assert 4 <= len(re.findall(rb"/Type\s*/Page\b", data)) <= 20
    assert len(data) > 30_000


def test_the_numbers_on_it_are_those_of_explain(opened: Any, folder: Path) -> None:
    seen = opened("whole").page
    why = ll.explain(str(folder / "preds.csv"), ids="id").to_dict()
    big = seen.locator(".tiles dd:nth-of-type(1)").all_inner_texts()
    assert float(big[0]) == pytest.approx(why["log_loss"], abs=5e-5)
    assert float(big[1]) == pytest.approx(_base_rate(), abs=5e-5)
    assert float(big[2].removesuffix(" %")) == pytest.approx(
        100 * (1 - why["log_loss"] / _base_rate()), abs=0.05
    )
    table = seen.locator("#rows tr").all()[1:]
    for row, one in zip(table, why["worst"], strict=True):
        cells = row.locator("td").all_inner_texts()
        assert int(cells[0].replace(",", "")) == one["row"]
        assert cells[1:3] == [one["id"], str(one["outcome"])]
        assert float(cells[3]) == pytest.approx(one["forecast"], rel=1e-3)
        assert float(cells[5]) == pytest.approx(-math.log(one["forecast"]), abs=5e-5)
    worth = {one["id"]: one["nats"] for one in why["findings"]}
    for at in range(seen.locator("ol.findings > li").count()):
        item = seen.locator("ol.findings > li").nth(at)
        name, said = item.locator(".id").inner_text(), item.locator(".nats").inner_text().split()
        assert said == [] or float(said[0]) == pytest.approx(worth[name], abs=5e-5)
    classes = seen.locator("#classes table").first.locator("tr").all()[1:]
    by_class = {str(one["class"]): one for one in why["classes"]}
    for row in classes:
        label, rows, loss, share = row.locator("td").all_inner_texts()
        assert int(rows.replace(",", "")) == by_class[label]["rows"]
        assert float(loss) == pytest.approx(by_class[label]["log_loss"], abs=5e-5)
        assert float(share.removesuffix(" %")) == pytest.approx(100 * by_class[label]["share"], abs=0.05)


def _base_rate() -> float:
    """Return the entropy of the outcomes, by its definition."""
    q = float(binary()["y"].mean())  # type: ignore[arg-type]
    return -q * math.log(q) - (1 - q) * math.log(1 - q)


def test_no_heading_is_said_twice(told: Any) -> None:
    for kind in ("whole", "against"):
        html = told(kind).html()
        drawn = re.sub(r"<title>.*?</title>|<desc>.*?</desc>", "", html, flags=re.DOTALL)
        for section in told(kind).contents.sections:
            assert drawn.count(f">{section.question}<") == 1
    assert ">How many rows must be looked at to find wrong labels?<" in re.sub(
        r"<title>.*?</title>", "", told("whole").html()
    )
