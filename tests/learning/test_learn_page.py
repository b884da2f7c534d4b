"""The page in a real browser: quiet, accessible, readable in any light, on a phone, on paper, without a script."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from redraw import PAGE, redrawn

import logloss as ll
from browser import axe_violations

if TYPE_CHECKING:
    from collections.abc import Callable

URI = PAGE.as_uri()
SIZES = {
    "small": {"width": 320, "height": 600},
    "phone": {"width": 390, "height": 844},
    "desk": {"width": 1200, "height": 900},
}
QUESTIONS = ["cost", "log", "slope", "clip", "heat", "smooth", "focal", "noise", "act"]


@pytest.mark.parametrize("light", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_it_is_quiet_accessible_and_fits(page: Callable[..., Any], size: str, light: str) -> None:
    opened = page(URI, viewport=SIZES[size], color_scheme=light)
    assert axe_violations(opened.page) == []
    assert opened.page.evaluate("document.documentElement.scrollWidth") == SIZES[size]["width"]
    assert opened.requests == [URI]
    assert opened.errors == []


def test_light_and_dark_differ(page: Callable[..., Any]) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    assert page(URI, color_scheme="light").page.evaluate(ground) == "rgb(253, 252, 248)"
    assert page(URI, color_scheme="dark").page.evaluate(ground) == "rgb(23, 25, 28)"


def test_it_moves_only_for_those_who_want_it(page: Callable[..., Any]) -> None:
    scroll = "getComputedStyle(document.documentElement).scrollBehavior"
    assert page(URI, reduced_motion="reduce").page.evaluate(scroll) == "auto"
    assert page(URI, reduced_motion="no-preference").page.evaluate(scroll) == "smooth"


def test_it_is_written_as_its_script_draws_it(page: Callable[..., Any]) -> None:
    """After a change: `python tests/learning/redraw.py`."""
    text = PAGE.read_text(encoding="utf-8")
    assert redrawn(page(URI).page, text) == text


def test_without_javascript_text_pictures_and_numbers_are_there(page: Callable[..., Any]) -> None:
    still = page(URI, java_script_enabled=False, viewport=SIZES["phone"]).page
    assert still.locator("section").count() == len(QUESTIONS)
    for picture in still.locator("svg").all():
        assert picture.bounding_box()["height"] > 50
        assert picture.locator("path, circle").count() > 1
        assert picture.get_attribute("aria-label")
    assert all(number.inner_text() for number in still.locator("b").all())
    assert still.locator("input").count() == 0  # nothing that would not answer
    assert "stand still" in still.locator("header").inner_text()


def test_it_prints(page: Callable[..., Any]) -> None:
    opened = page(URI, color_scheme="dark").page
    paper = opened.pdf(format="A4")
    assert paper.startswith(b"%PDF-")
    assert 2 <= len(re.findall(rb"/Type\s*/Page\b", paper)) <= 5
    opened.emulate_media(media="print")
    assert opened.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(253, 252, 248)"
    assert not opened.locator(".play").first.is_visible()


def test_the_keyboard_reaches_and_moves_every_slider(page: Callable[..., Any]) -> None:
    keys = page(URI).page
    sliders = keys.eval_on_selector_all("input", "all => all.map(e => e.id)")
    assert len(sliders) == 17
    reached = []
    for _ in range(len(sliders) + len(QUESTIONS)):
        keys.keyboard.press("Tab")
        at = keys.evaluate("[document.activeElement.id, document.activeElement.tagName]")
        if at[1] != "INPUT":
            continue
        reached.append(at[0])
        value, shown = (
            keys.locator(f"#{at[0]}"),
            keys.locator(f"#{at[0]}").locator("xpath=preceding-sibling::span[1]"),
        )
        before = (value.input_value(), shown.inner_text(), value.get_attribute("aria-valuetext"))
        assert before[1] == before[2]
        assert keys.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        keys.keyboard.press("ArrowLeft")
        if value.input_value() == before[0]:  # it lay at its left end
            keys.keyboard.press("ArrowRight")
        after = (value.input_value(), shown.inner_text(), value.get_attribute("aria-valuetext"))
        assert [a != b for a, b in zip(before, after, strict=True)] == [True] * 3
    assert reached == sliders
    assert keys.eval_on_selector_all("input", "all => all.filter(e => e.labels.length != 1).length") == 0


@pytest.mark.parametrize("question", QUESTIONS)
def test_dragging_a_picture_moves_its_first_slider(page: Callable[..., Any], question: str) -> None:
    hand = page(URI, viewport=SIZES["desk"]).page
    picture = hand.locator(f"#{question} svg").first
    picture.scroll_into_view_if_needed()
    box = picture.bounding_box()
    first = hand.locator(f"#{question} input").first
    hand.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + 60)
    hand.mouse.down()
    hand.mouse.move(box["x"] + box["width"] * 440 / 840, box["y"] + 60)  # the middle of the axis
    hand.mouse.up()
    low, high = float(first.get_attribute("min")), float(first.get_attribute("max"))
    step = float(first.get_attribute("step"))
    axis = (0, 1) if high == 0.999 else (low, high)
    assert float(first.input_value()) == pytest.approx(sum(axis) / 2, abs=step + 0.004 * (high - low))


def test_worked_figures_in_the_text_are_right() -> None:
    """Each is computed by logloss here, and stands in the page as written."""
    text = re.sub(r"\s+", " ", PAGE.read_text(encoding="utf-8"))
    dog = float(ll.surprise([1], [0.03824])[0])
    rain = ll.surprise([1, 0], [0.99, 0.99])
    for said in (
        f"costs {rain[0]:.4f} nats when it rains, {rain[1]:.4f} when it stays dry",
        f"at 0.03824 cost {dog:.4f}; made “surer”, at 0.00001, it cost {ll.surprise([1], [1e-5])[0]:.4f}",
        f"where 49&nbsp;% happen costs {ll.cross_entropy([0.51, 0.49], [0.75, 0.25]):.4f}",
        f"saying 0.49, {ll.entropy([0.51, 0.49]):.4f}",
        f"swaps infinity for {ll.surprise([1], [1e-15])[0]:.1f}",
    ):
        assert said in text, said
