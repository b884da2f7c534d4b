"""Write into the page to learn from what its script draws at rest, so that readers without JavaScript see it too.

Run it after a change to the page: `python tests/learning/redraw.py`; a test compares.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "src" / "logloss" / "learning" / "page.html"


def tidy(drawn: str) -> str:
    """Return SVG as short as HTML allows: no quotes where none are needed."""
    drawn = re.sub(r"></(?:path|circle)>", "/>", drawn)
    return re.sub(r'="([^\s"=<>`]+)"(?!/>)', r"=\1", drawn)


def redrawn(page: Any, text: str) -> str:
    """Return the page's text with the pictures and numbers of the page that runs."""
    pictures = iter(page.eval_on_selector_all("svg", "all => all.map(e => e.innerHTML)"))
    numbers = iter(page.eval_on_selector_all("b[data-n]", "all => all.map(e => e.innerHTML)"))
    body, mark, script = text.partition("<script>")
    body = re.sub(
        r"(<svg [^>]*>).*?(</svg>)", lambda m: m[1] + tidy(next(pictures)) + m[2], body, flags=re.DOTALL
    )
    body = re.sub(r"(<b data-n=[^>]*>).*?(</b>)", lambda m: m[1] + next(numbers) + m[2], body)
    assert next(pictures, None) is None
    assert next(numbers, None) is None
    return body + mark + script


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "tests"))
    from browser import chromium

    with chromium() as browser:
        live = browser.new_page()
        live.goto(PAGE.as_uri())
        PAGE.write_text(redrawn(live, PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    sys.stdout.write(f"{PAGE} {PAGE.stat().st_size} bytes\n")
