"""Cards as HTML and as markdown: caps, bytes, and text that wants to be more than text."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from sanitizer import Kept

from logloss.display.cells import LIMIT, Card, Grid, Line, Shot, named, page, told

HOSTILE = "</td><script>alert('1')</script> \"<img onerror=x src=y>\" | `a` **b** [c](d) $\\frac12$ @root https://x.y\n# z \u202e\x1b\ud800"
TEXT = st.text(st.characters(), max_size=60) | st.sampled_from(
    [HOSTILE, "|", "`|`", "\\|", "\\", "<b>", "&lt;"]
)
SAID = TEXT.filter(lambda text: bool(text.strip()))  # a headline says something
IMAGE = "data:image/svg+xml,%3Csvg/%3E"


def rendered(text: str) -> str:
    """Return markdown as HTML, read by an independent reader of GitHub's tables (markdown-it)."""
    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(text)


def full(text: str, many: int = 12) -> Card:
    grid = Grid(text, (text, "b"), tuple((text, str(at)) for at in range(many)), "<>")
    line = Line(text, text, "ll.fix(y, p)")
    return Card((text, text), (line,) * many, ("a",), (grid, grid), (text,) * many, ("ll.fix(y, p)",))


def test_html_has_each_part_once_and_no_more_than_the_caps() -> None:
    laid = Kept(page(full("said"), [Shot(IMAGE, "alt")] * 3))
    assert laid.removed == []
    assert laid.tags.count("img") == 3
    assert laid.tags.count("details") == 2
    assert laid.tags.count("tr") == 3 + 2 * (1 + 8)  # three findings; a header and eight rows in each table
    words = "".join(laid.text)
    assert words.startswith("said · said")
    assert "said (8 of 12)" in words
    assert "and 9 more notes" in words
    assert words.endswith("next: ll.fix(y, p)")


def test_names_are_cut_at_twenty_characters() -> None:
    assert named("abcdefghijklmnopqrst") == "abcdefghijklmnopqrst"
    assert named("abcdefghijklmnopqrstu") == "abcdefghijklmnopqrs…"
    assert named(None) == ""
    assert named(0) == "0"


@given(SAID)
def test_no_text_is_markup_in_html(text: str) -> None:
    laid = page(full(text), [Shot(IMAGE, text)])
    kept = Kept(laid)
    assert kept.removed == []
    assert kept.images == [{"src": IMAGE, "alt": kept.images[0]["alt"], "width": "300", "style": kept.images[0]["style"]}]  # fmt: skip
    assert laid.encode().decode() == laid
    assert kept.tags == Kept(page(full("x"), [Shot(IMAGE, "x")])).tags


@given(SAID)
def test_no_text_is_markup_in_markdown(text: str) -> None:
    tags = re.findall(r"</?[a-z0-9]+", rendered(told(full(text))))
    assert tags == re.findall(r"</?[a-z0-9]+", rendered(told(full("x"))))


def test_markdown_shows_the_text_as_it_is() -> None:
    shown = rendered(told(full("a|b \\| `c` *d* <i>e</i> [f](g) &amp; ~~h~~ x_y_z #1 https://i.j")))
    cell = re.search(r"<td[^>]*>(a.*?)</td>", shown)
    assert cell is not None
    assert html.unescape(cell[1]) == "a|b \\| `c` *d* <i>e</i> [f](g) &amp; ~~h~~ x_y_…"
    assert "<a " not in shown


@pytest.mark.parametrize("text", ["-", "- a", "+ a", "1. a", "12) a", "= a"])
def test_a_text_that_begins_like_a_list_is_none(text: str) -> None:
    shown = rendered(told(Card(notes=(text, "b"))))
    assert shown.count("<ul>") == 1
    assert "<ol>" not in shown
    assert f"<li>{text}</li>" in shown


def test_markdown_calls_nobody_and_links_nowhere() -> None:
    text = told(Card(("ask @root at www.a.b or https://c.d",)))
    assert "@root" not in text
    assert "www.a" not in text
    assert "https:" not in text
    assert rendered(text).strip() == "<p><strong>ask @\u2060root at www.a.b or https://c.d</strong></p>"


def test_columns_that_say_nothing_are_none() -> None:
    card = Card(("a",), (Line("one"), Line("two")))
    assert "| what | next |\n| --- | --- |\n| one |  |" in told(card)
    assert Kept(page(card)).tags.count("td") == 4


def test_figures_that_do_not_fit_are_left_out_and_smaller_ones_behind_them_stay() -> None:
    large, small = Shot("data:," + "x" * 20_000, "large"), Shot("data:,y", "small")
    assert [image["alt"] for image in Kept(page(full("x"), [large, large, small])).images] == [
        "large",
        "small",
    ]


@given(st.integers(1, 200), st.sampled_from(["'", "é", "😀", "<", "x"]), st.integers(0, 30_000))
def test_a_page_has_less_than_25_kilobytes(many: int, sign: str, drawn: int) -> None:
    laid = page(full(sign * 500, many), [Shot("data:," + "x" * drawn, sign * 500)] * 3)
    assert len(laid.encode()) < LIMIT == 25_000
    assert Kept(laid).removed == []
    assert sign * 10 in "".join(Kept(laid).text)


def test_long_text_is_cut_after_a_line_and_says_so() -> None:
    laid = Kept(page(Card(text="<&>'\n" * 30_000)))
    assert laid.tags == ["div", "pre", "code"]
    assert "".join(laid.text).endswith("<&>'\n... print() shows the rest")
    assert len(page(Card(text="<&>'\n" * 30_000)).encode()) < LIMIT


@pytest.mark.parametrize("text", ["plain", "```\n# not a title", "a ````` b"])
def test_text_as_markdown_is_one_block_of_code(text: str) -> None:
    shown = rendered(told(Card(text=text)))
    assert shown.count("<pre>") == 1
    assert "<h1>" not in shown
