"""Results in a real JupyterLab, trusted and not, light and dark; as a page by nbconvert; and a page in a frame.

Needs JupyterLab (and a Chromium): without it, test_shown.py holds the HTML to what JupyterLab's sanitizer lets through.
"""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from labs import lab, program

import logloss as ll
from logloss.display.frame import Frame
from logloss.display.pictures import MIDDLE
from logloss.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from labs import Lab

    from browser import Watched

HOSTILE = "<img src=x onerror='window.bad=1'></td><script>window.bad=1</script>"
SHOWN = ".jp-OutputArea-output .jp-RenderedHTMLCommon, .jp-OutputArea-output.jp-RenderedHTMLCommon"
# The contrast of what is written against the first ground behind it that is not transparent, as WCAG 2.2 defines it.
CONTRASTS = """nodes => {
  const parts = colour => colour.match(/[\\d.]+/g).map(Number);
  const behind = node => { for (let at = node; at; at = at.parentElement) { const c = parts(getComputedStyle(at).backgroundColor); if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
  const bright = c => { const [r, g, b] = c.slice(0, 3).map(x => { x /= 255; return x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  return nodes.map(node => { const ground = behind(node), a = bright(parts(getComputedStyle(node).color)), b = bright(ground); return {ratio: (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), ground: ground.slice(0, 3)}; });
}"""
# Its script says that it runs, and tries what a frame must not do.
PAGE = """<!doctype html><html><body><p id="said">at rest</p><input type="range" id="slide" min="0" max="9" value="0">
<a id="away" href="https://example.invalid/" target="_top">a link</a><p>&amp; "quotes" 'too' &lt;/iframe&gt;</p><script>
document.getElementById("slide").addEventListener("input", event => { document.getElementById("said").textContent = "slid to " + event.target.value; });
let reached = 0;
for (const reach of [() => parent.document.title, () => { top.location = "about:blank"; }, () => { parent.bad = 1; }, () => localStorage.length, () => document.cookie])
  try { reach(); reached += 1; } catch { }
document.getElementById("said").textContent = "runs, reached " + reached;
</script></body></html>"""


def results() -> dict[str, Any]:
    random = np.random.default_rng(1)
    z = random.normal(-0.5, 1.5, 600)
    y = (random.random(600) < 1 / (1 + np.exp(-z))).astype(int)
    p, q = 1 / (1 + np.exp(-2 * z)), 1 / (1 + np.exp(-z))
    ids = [f"{HOSTILE}{at}" for at in range(600)]
    return {
        "explain": ll.explain(y, p, ids=ids),
        "score": ll.score(y, p),
        "compare": ll.compare(y, {HOSTILE: p, "two": q}, ids=ids),
        "fix": ll.fix(y, p),
        "decide": ll.decide(y, p, cost_fp=2, cost_fn=10),
        "reliability": ll.reliability(y, p),
    }


RESULTS = results()
HEADLINE = f"Log loss {RESULTS['score'].log_loss:.4f} nats"


def bundle(result: Any) -> dict[str, str]:
    return {"text/html": result._repr_html_(), "text/plain": repr(result)}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with lab(tmp_path_factory.mktemp("lab")) as started:
        yield started


def opened(page: Callable[..., Watched], address: str, found: str) -> Watched:
    """Open a notebook and wait for its outputs."""
    watched = page("about:blank", viewport={"width": 1280, "height": 4000})
    watched.requests.clear()
    watched.page.goto(address)
    watched.page.wait_for_selector(found, state="attached", timeout=90_000)
    watched.page.wait_for_function("[...document.images].every(image => image.complete)", timeout=30_000)
    return watched


def lives(frame: Any, page: Any) -> None:
    """Hold a frame to what it may do and what not; `frame` is its element."""
    inner = frame.content_frame
    inner.locator("#said").wait_for()
    assert inner.locator("#said").inner_text() == "runs, reached 0"
    inner.locator("#slide").fill("7")
    assert inner.locator("#said").inner_text() == "slid to 7"
    assert "& \"quotes\" 'too' </iframe>" in inner.locator("body").inner_text()
    before = page.url
    inner.locator("#away").click()
    page.wait_for_timeout(300)
    assert page.url == before
    assert page.evaluate("window.bad") is None


@pytest.mark.parametrize(
    ("theme", "trusted"), [("JupyterLab Light", False), ("JupyterLab Dark", False), ("JupyterLab Dark", True)]
)
def test_results_in_jupyterlab(
    running: Lab, page: Callable[..., Watched], theme: str, *, trusted: bool
) -> None:
    control = {"text/html": "<p id=control>control</p><script>window.ran = 1</script>", "text/plain": ""}
    framed = Frame(PAGE, 300)
    outputs = [*map(bundle, RESULTS.values()), framed._repr_mimebundle_(), control]
    running.theme(theme)
    address = running.write(f"results-{theme[11:]}-{trusted}".lower(), outputs, trusted=trusted)
    watched = opened(page, address, f":is({SHOWN}) p")
    assert watched.page.evaluate("window.ran") == (1 if trusted else None)  # what this notebook may do

    shown = watched.page.locator(SHOWN)
    assert shown.count() == len(RESULTS) + 2
    assert shown.nth(0).inner_text().startswith(HEADLINE)
    images = shown.locator("img").evaluate_all("nodes => nodes.map(one => [one.naturalWidth, one.clientWidth, one.alt.length])")  # fmt: skip
    assert len(images) == sum(one._repr_html_().count("<img") for one in RESULTS.values()) >= 9
    assert all(drawn >= 320 and seen >= 300 and told > 20 for drawn, seen, told in images)

    folded = shown.nth(0).locator("details")
    assert folded.locator("tbody tr").count() == 8
    assert not folded.locator("table").is_visible()
    folded.locator("summary").click()
    assert folded.locator("table").is_visible()
    assert "<img src=x onerror=…" in folded.inner_text()

    measured = watched.page.locator(":is(" + SHOWN + ") :is(b, td, th, summary, code, pre)").evaluate_all(CONTRASTS)  # fmt: skip
    assert min(one["ratio"] for one in measured) >= 4.5
    ground = measured[0]["ground"]
    assert (sum(ground) > 600) == (theme == "JupyterLab Light")

    frame = shown.nth(len(RESULTS)).locator("iframe")
    if trusted:
        lives(frame, watched.page)
        watched.errors = [
            said for said in watched.errors if "sandboxed" not in said
        ]  # what PAGE tried in vain
    else:
        assert frame.count() == 0
        assert shown.nth(len(RESULTS)).inner_text() == f"{framed!r}: trust the notebook, or run the cell."
    assert watched.page.evaluate("window.bad") is None
    assert [said for said in watched.errors if not re.search(r"jupyter|websocket|kernel|/api/|create module: package", said, re.IGNORECASE)] == []  # fmt: skip
    assert {re.sub(r"(?<=\d)/.*", "", one) for one in watched.requests if not one.startswith(("data:", "blob:"))} == {running.address}  # fmt: skip


@pytest.fixture(scope="module")
def made() -> ll.Report:
    random = np.random.default_rng(1)
    z = random.normal(-0.5, 1.5, 600)
    y = (random.random(600) < 1 / (1 + np.exp(-z))).astype(int)
    return ll.report(y, 1 / (1 + np.exp(-2 * z)), title='Ward <b>7</b> "north"')


def test_a_report_in_a_trusted_notebook(running: Lab, page: Callable[..., Watched], made: ll.Report) -> None:
    outputs = [made.show(height=700)._repr_mimebundle_(), bundle(made)]
    running.theme("JupyterLab Dark")
    address = running.write("report-trusted", outputs, trusted=True)
    watched = opened(page, address, f"{SHOWN} iframe")
    frame = watched.page.locator(f":is({SHOWN}) iframe")
    assert frame.bounding_box()["height"] == 700
    inner = frame.content_frame
    slider = inner.locator("input[type=range]").first
    slider.wait_for()
    at_rest = inner.locator("[role=status], output").all_inner_texts()
    slider.fill(str(float(slider.get_attribute("max") or 0)))
    watched.page.wait_for_timeout(300)
    assert inner.locator("[role=status], output").all_inner_texts() != at_rest
    card = watched.page.locator(f":is({SHOWN})").nth(1)
    assert card.inner_text().startswith(f"Log loss {made.explanation.score.log_loss:.4f} nats")
    assert card.locator("img").count() >= 2
    assert card.inner_text().rstrip().endswith('next: .show() .save("report.html") .to_markdown()')


def test_a_report_is_a_card_and_a_frame(made: ll.Report) -> None:
    card = made._repr_html_()
    assert len(card.encode()) < 25_000
    assert card.count("<img ") == 3
    assert f"<b>Log loss {made.explanation.score.log_loss:.4f} nats</b>" in card
    assert card.endswith("<code>.show()</code> <code>.save(&quot;report.html&quot;)</code> <code>.to_markdown()</code></div></div>")  # fmt: skip
    assert (
        "<code>ll.fix(report.explanation.observations)</code>" in card
    )  # `why` is not known in this notebook
    assert "why." not in card
    assert repr(made) == str(made)
    framed = made.show(height=700)
    assert (framed.page, framed.height, framed.title) == (made.html(), 700, made.contents.title)
    assert 'title="Ward &lt;b&gt;7&lt;/b&gt; &quot;north&quot;"' in framed._repr_html_()
    with pytest.raises(UsageError, match="height is 0"):
        made.show(height=0)


def test_the_card_of_a_report_has_its_unit_and_no_rows() -> None:
    ids = [f"anna{at}" for at in range(60)]
    told = ll.report([0, 1] * 30, [0.2, 0.7, 0.6] * 20, ids=ids, rows=0, unit="bits")
    assert " bits</b>" in told._repr_html_()
    assert "anna" not in told._repr_html_()
    assert "anna" in ll.report([0, 1] * 30, [0.2, 0.7, 0.6] * 20, ids=ids)._repr_html_()


def test_nbconvert_writes_them_into_a_page(running: Lab, page: Callable[..., Watched]) -> None:
    running.write("convert", [*map(bundle, RESULTS.values())])
    path = running.home / "work" / "convert.ipynb"
    convert = [program("jupyter-nbconvert"), "--to", "html", str(path)]
    subprocess.run(convert, env=running.environment, check=True, capture_output=True, timeout=120)
    watched = page("about:blank")
    watched.context.set_offline(True)  # its template asks for MathJax and RequireJS
    watched.page.goto(path.with_suffix(".html").as_uri(), wait_until="domcontentloaded")
    images = watched.page.locator("img[src^='data:image/svg']")
    images.nth(0).wait_for()
    assert all(images.evaluate_all("nodes => nodes.map(one => one.complete && one.naturalWidth >= 320)"))
    assert watched.page.get_by_text(HEADLINE).first.is_visible()
    assert watched.page.evaluate("window.bad") is None


def test_a_frame_in_a_page(page: Callable[..., Watched], tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(f"<!doctype html><title>x</title>{Frame(PAGE)._repr_html_()}")
    watched = page((tmp_path / "page.html").as_uri())
    lives(watched.page.locator("iframe"), watched.page)
    assert watched.page.locator("iframe").bounding_box()["height"] == 600


def test_a_frame_has_a_height_and_says_what_it_is_without_a_notebook() -> None:
    assert repr(Frame("x" * 1200)) == "<logloss report: a page of 1,200 characters, shown in a notebook>"
    assert Frame("x")._repr_mimebundle_() == {
        "text/html": Frame("x")._repr_html_(),
        "text/plain": repr(Frame("x")),
    }
    for height in (99, 10_001, True):
        with pytest.raises(UsageError, match="height is"):
            Frame("x", height)


def test_a_page_cannot_leave_its_attribute() -> None:
    laid = Frame('"></iframe><script>bad()</script>\ud800', title='"><b>')._repr_html_()
    assert laid.count("<") == 2  # the frame opens and closes
    assert laid.count('"') == 2 * 7
    assert laid.encode()


def test_colours_of_images_are_those_of_the_results() -> None:
    for result in RESULTS.values():
        colours = set(re.findall(r"%23([0-9a-f]{6})", result._repr_html_()))
        assert colours <= {one.lstrip("#") for one in MIDDLE.values()} | {"ffffff"}
        assert colours
