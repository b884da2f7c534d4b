"""Figures of a result as images for a notebook: small, and legible on white and on black."""

from __future__ import annotations

import re
from typing import Any

from logloss.display.cells import SAID, Shot
from logloss.text import printable

__all__ = ["MIDDLE", "MOST", "image", "shot"]

MOST = 3
# Pixels, drawn and shown, by how many stand side by side.
SIZES = {1: (520, 520), 2: (460, 460), 3: (320, 310)}
# An image knows nothing of the theme around it. On white and on #111, what is written has a contrast of at least 4 to 1,
# what is drawn one of 3.
MIDDLE = {"model": "#3b82c4", "cost": "#d06f14", "context": "#8b929b", "ink": "#787c82"}
_TAG = re.compile(r"<[^>]*>")
_WORDS = re.compile(r"<title>.*?</title>\s*<desc>.*?</desc>", re.DOTALL)
_VARIABLE = re.compile(r"var\(--ll-([a-z]+),\s*([^()]*)\)")
_UNSAFE = re.compile(r'[%#<>"&\s]')
_SIGNS = {'"': "'"} | dict.fromkeys("\t\n\r ", " ")


def shot(result: Any, kind: str, beside: int = 1) -> Shot:
    """Draw a figure of a result, with matplotlib; `beside` stand side by side."""
    drawn, shown = SIZES[beside]
    return Shot(image(result.svg(kind, width=drawn)), printable(result.alt(kind), SAID), shown)


def image(svg: str) -> str:
    """Return an `<svg>` element as a `data:` address of few bytes, without `"`, `&`, `<` and `>`."""
    text = _TAG.sub(lambda tag: _VARIABLE.sub(_set, tag[0]), _WORDS.sub("", svg.strip(), count=1))
    text = re.sub(r">\s+<", "><", text).encode("utf-8", "replace").decode()
    return "data:image/svg+xml," + _UNSAFE.sub(lambda sign: _SIGNS.get(sign[0], f"%{ord(sign[0]):02X}"), text)


def _set(found: re.Match[str]) -> str:
    """Return the middle colour for one that a page may set, what is set otherwise for anything else."""
    return MIDDLE.get(found[1], found[2])
