"""The panel in a real browser under the report's policy: the sliders say what Python says; quiet, accessible, also on paper."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from whatifpages import exact, over_confident, page_of, told

from browser import axe_violations
from logloss.reporting import sketches
from logloss.reporting.mixes import SHARES, TEMPERATURES
from logloss.reporting.sketches import Sketch, settings_of

if TYPE_CHECKING:
    from collections.abc import Callable

ROOM = Path(sketches.__file__).parent
SET = """to => {
  for (const [id, value] of Object.entries(to)) document.getElementById("ll-" + id).value = value;
  document.getElementById("ll-t").dispatchEvent(new Event("input", {bubbles: true}));
  return +document.getElementById("ll-whatif").dataset.loss;
}"""
POSITIONS = [(t, b, e) for t in (-80, -31, 0, 34, 97) for b in (-95, 0, 40) for e in (0, 1, 57, 100)]


def classes() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(4)
    P = rng.dirichlet(np.full(3, 0.5), 900)
    y = (P.cumsum(axis=1) < rng.random((900, 1))).sum(axis=1)
    P[0], y[0] = [0.0, 0.5, 0.5], 0
    return y, P


@pytest.fixture(scope="module")
def cases() -> dict[str, Any]:
    y, p = classes()
    return {
        "two": told(*over_confident(12_000)),
        "infinite": told(*over_confident(12_000, wrong=2)),
        "many": told(y, p, labels=[0, 1, 2]),
    }


@pytest.fixture
def panel(page: Callable[..., Any], cases: dict[str, Any], tmp_path: Path) -> Callable[..., Any]:
    """Return a function that opens the panel of a case."""

    def opens(case: str, **settings_: Any) -> Any:
        file = tmp_path / f"{case}.html"
        file.write_text(page_of(sketches.of(cases[case])), encoding="utf-8")
        return page(file.as_uri(), **settings_)

    return opens


@pytest.mark.parametrize("case", ["two", "infinite"])
def test_sliders_say_what_the_rows_cost(panel: Callable[..., Any], case: str) -> None:
    y, p = over_confident(12_000, wrong=2 if case == "infinite" else 0)
    at = sketches.of(told(y, p))
    assert isinstance(at, Sketch)
    opened = panel(case).page
    for t, b, e in POSITIONS:
        shown = opened.evaluate(SET, {"t": t, "b": b, "e": e})
        T, shift, eps = settings_of(t, b, e)
        loss, average = exact(y, p, T, shift, eps)
        assert shown == pytest.approx(loss if e else average, abs=1e-5)
        twin = at.loss(T, shift, eps) if e else at.average(T, shift)
        assert shown == pytest.approx(twin, abs=1e-12)
        assert opened.inner_text("#ll-loss").startswith("Log loss infinite (2 rows") == (
            case == "infinite" and e == 0
        )
    assert opened.evaluate(SET, {"t": 0, "b": 0, "e": 0}) == at.finite  # at rest, to the last digit


def test_sliders_of_classes_snap_to_the_grid(panel: Callable[..., Any]) -> None:
    y, p = classes()
    opened = panel("many").page
    assert opened.locator("#ll-b").count() == 0
    for t, e in ((-20, 0), (-3, 11), (0, 0), (0, 40), (20, 1)):
        shown = opened.evaluate(SET, {"t": t, "e": e})
        q = p ** (1 / TEMPERATURES[t + 20])
        q = q / q.sum(axis=1, keepdims=True)
        with np.errstate(divide="ignore"):
            s = -np.log((1 - SHARES[e]) * q + SHARES[e] / 3)[np.arange(len(y)), y]
        assert shown == pytest.approx(s[np.isfinite(s)].mean(), abs=1e-6)
    assert "; within " in opened.inner_text("#ll-loss")


@pytest.mark.parametrize("case", ["two", "infinite", "many"])
@pytest.mark.parametrize(("width", "light"), [(390, "dark"), (1000, "light")])
def test_it_is_quiet_accessible_and_fits(
    panel: Callable[..., Any], case: str, width: int, light: str
) -> None:
    opened = panel(case, viewport={"width": width, "height": 844}, color_scheme=light)
    assert axe_violations(opened.page) == []
    opened.page.click("#ll-best")
    assert axe_violations(opened.page) == []
    assert opened.page.evaluate("document.documentElement.scrollWidth") == width
    assert [uri for uri in opened.requests if not uri.startswith("data:")] == [opened.page.url]
    assert opened.errors == []
    assert opened.page.locator("#ll-curve path").count() == 1


def test_the_keyboard_moves_every_slider_and_both_buttons(panel: Callable[..., Any]) -> None:
    opened = panel("infinite").page
    reached = []
    before = opened.get_attribute("#ll-whatif", "data-loss")
    for _ in range(5):
        opened.keyboard.press("Tab")
        at = opened.evaluate("document.activeElement.id")
        reached.append(at)
        assert opened.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        if at in ("ll-t", "ll-b", "ll-e"):
            curve = opened.inner_html("#ll-curve")
            opened.keyboard.press("ArrowRight")
            assert opened.inner_html("#ll-curve") != curve
            assert opened.get_attribute("#ll-whatif", "data-loss") != before
            before = opened.get_attribute("#ll-whatif", "data-loss")
    assert reached == ["ll-t", "ll-b", "ll-e", "ll-given", "ll-best"]
    assert [opened.get_attribute(f"#{at}", "aria-valuetext") for at in reached[:3]] == [
        "temperature 1.01",
        "shift 0.02",
        "clip 3.2e-8",
    ]
    assert opened.evaluate("[...document.querySelectorAll('input')].every(e => e.labels.length === 1)")
    opened.keyboard.press("Enter")
    best = float(opened.get_attribute("#ll-whatif", "data-loss"))
    assert best < float(before)
    opened.keyboard.press("Shift+Tab")
    opened.keyboard.press("Enter")
    assert opened.inner_text("#ll-loss").endswith("nats, as given.")


def test_the_best_is_that_of_python_and_the_curve_marks_its_own(
    panel: Callable[..., Any], cases: Any
) -> None:
    opened = panel("infinite").page
    found = sketches.of(cases["infinite"])
    assert isinstance(found, Sketch)
    opened.click("#ll-best")
    assert float(opened.get_attribute("#ll-whatif", "data-loss")) == pytest.approx(
        found.loss(*found.best), abs=1e-12
    )
    T, b, _ = found.best
    loss, at = min((found.loss(T, b, settings_of(0, 0, e)[2]), e) for e in range(1, 101))
    assert opened.inner_text("#ll-curve-said") == f"{settings_of(0, 0, at)[2]:.2g}, {loss:.4f} nats"
    assert opened.text_content("#ll-low") == f"{loss:.4f}"


def test_the_line_lies_on_the_diagonal_where_forecasts_are_right(panel: Callable[..., Any]) -> None:
    opened = panel("two").page

    def furthest() -> float:
        dots = opened.eval_on_selector_all(
            "#ll-line circle", "all => all.map(c => [+c.getAttribute('cx'), +c.getAttribute('cy')])"
        )
        assert len(dots) == 15
        return max(abs((x - 180) / 130 - (130 - y) / 120) for x, y in dots)

    given = furthest()
    opened.evaluate(SET, {"t": 34, "b": 0, "e": 0})  # a temperature of 1.6
    assert furthest() < given / 3


@pytest.mark.parametrize("case", ["two", "infinite", "many"])
def test_without_a_script_and_on_paper_there_is_the_table(
    panel: Callable[..., Any], cases: Any, case: str
) -> None:
    rows = sketches.of(cases[case]).table()
    still = panel(case, java_script_enabled=False, viewport={"width": 390, "height": 844}).page
    assert not still.is_visible("#ll-play")
    assert still.locator(".ll-still tbody tr").count() == len(rows)
    assert still.locator(".ll-still").is_visible()
    live = panel(case).page
    assert live.is_visible("#ll-play")
    assert not live.is_visible(".ll-still")
    live.emulate_media(media="print")
    assert not live.is_visible("#ll-play")
    assert live.is_visible(".ll-still")
    cells = live.locator(".ll-still tbody tr").all_inner_texts()
    assert [row.split("\t") for row in cells] == [list(row) for row in rows]


def test_the_script_is_small_and_asks_for_nothing() -> None:
    script = (ROOM / "whatif.js").read_text(encoding="utf-8")
    assert len(script.encode()) < 5000
    for word in ("http", "fetch", "eval(", "import", "XMLHttp", "setTimeout", "{{", "{%", "{#"):
        assert word not in script
