"""What JupyterLab leaves of HTML in a notebook that is not trusted, as far as logloss uses it.

From its allow-lists in packages/apputils/src/sanitizer.ts (JupyterLab 4): tags, attributes by tag, styles by property with the
values that its patterns admit. What is not in here is removed there, or is not used.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

EVERYWHERE = {"class", "dir", "hidden", "id", "lang", "style", "title"}
TAGS = {
    "div": {"align"}, "b": set(), "code": set(), "pre": {"width"}, "span": set(), "details": {"open"}, "summary": set(),
    "table": {"border", "width"}, "thead": {"align"}, "tbody": {"align"}, "tr": {"align"},
    "th": {"align", "colspan", "scope"}, "td": {"align", "colspan", "scope"}, "img": {"alt", "height", "src", "width"},
}  # fmt: skip
LENGTH = r"0|[+-]?(\d*\.)?\d+(px|em|rem|pt|%)"
STYLES = {
    "display": "inline|block|inline-block|flex|grid",
    "margin": rf"(({LENGTH}|auto)\s*){{1,4}}",
    "max-width": rf"{LENGTH}|none",
    "opacity": r"1|0(\.\d+)?",
    "text-align": "left|right|center|justify",
    "vertical-align": "baseline|top|middle|bottom",
    "white-space": "normal|pre|nowrap|pre-wrap|pre-line",
}


class Kept(HTMLParser):
    """Reads HTML and notes all that would be removed; `text` and `images` are what is left to be seen."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.removed: list[str] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.images: list[dict[str, str]] = []
        self.tags: list[str] = []
        self.feed(page)
        self.close()
        self.removed += [f"<{tag}> is not closed" for tag in self.open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in TAGS:
            self.removed.append(f"<{tag}>")
            return
        given = {name: value or "" for name, value in attrs}
        self.removed += [f"{tag} {name}" for name in given if name not in TAGS[tag] | EVERYWHERE]
        for style in filter(None, given.get("style", "").split(";")):
            name, _, value = style.partition(":")
            if not re.fullmatch(STYLES.get(name.strip(), "(?!)"), value.strip()):
                self.removed.append(style)
        if tag == "img":
            self.images.append(given)
        else:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.removed.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def handle_comment(self, data: str) -> None:
        self.removed.append(f"<!--{data}")

    def handle_decl(self, decl: str) -> None:
        self.removed.append(f"<!{decl}")
