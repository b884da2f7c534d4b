"""Figures of a result as images for a notebook: small, and legible on white and on black."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from logloss.display.cells import SAID, Shot
from logloss.text import printable

__all__ = ["MIDDLE", "MOST", "WIDTH", "image", "shot"]

MOST = 3
WIDTH = {1: 520, 2: 440, 3: 300}  # pixels, by how many stand side by side
# An image knows nothing of the theme around it: each colour has a contrast of at least 3 to white and to black, text of 4.
MIDDLE = {"model": "#3b82c4", "cost": "#d06f14", "context": "#8b929b", "ink": "#777b80"}
_TAG = re.compile(r"<[^>]*>")
_WORDS = re.compile(r"<title>.*?</title>\s*<desc>.*?</desc>", re.DOTALL)
_VARIABLE = re.compile(r"var\(--ll-([a-z]+), ([^()]*)\)")
_STYLE = re.compile(r' style="([^"]*)"')
_PATH = re.compile(r' d="([ML][^"]*)"')
_STEP = re.compile(r"([MLz])\s*(?:(-?[\d.]+)\s+(-?[\d.]+))?")
_NUMBER = re.compile(r"(?<![\w#.])-?\d+\.\d{2,}")
_ID = re.compile(r' id="([^"]*)"')
_TURN = re.compile(r' transform="rotate\(-0 [^"]*"')
_GROUP = re.compile(r"<g>((?:(?!<g[ >]).)*?)</g>", re.DOTALL)
_UNSAFE = re.compile(r'[%#<>"&]')


def shot(result: Any, kind: str, width: int) -> Shot:
    """Draw a figure of a result, with matplotlib."""
    return Shot(image(result.svg(kind, width=width)), printable(result.alt(kind), SAID))


def image(svg: str) -> str:
    """Return an `<svg>` element as a `data:` address of few bytes, without `"`, `&`, `<` and `>`."""
    text = _TAG.sub(lambda tag: _tag(tag[0]), _WORDS.sub("", svg, count=1))
    text = re.sub(r">\s+<", "><", text.strip()).replace("xlink:href", "href")
    for at, name in enumerate(dict.fromkeys(_ID.findall(text))):
        text = re.sub(rf"(id=\"|#){re.escape(name)}(?=[\")])", rf"\g<1>{_short(at)}", text)
    text = _classed(text)
    ungrouped = ""
    while ungrouped != text:
        ungrouped, text = text, _GROUP.sub(r"\1", text)
    safe = _UNSAFE.sub(lambda sign: "'" if sign[0] == '"' else f"%{ord(sign[0]):02X}", text)
    return f"data:image/svg+xml,{safe}"


def _tag(tag: str) -> str:
    """Return a tag with middle colours, short numbers and no blanks that say nothing."""
    tag = _VARIABLE.sub(lambda found: MIDDLE.get(found[1], found[2]), _TURN.sub("", tag))
    tag = _PATH.sub(lambda path: f' d="{_steps(path[1])}"', tag)
    tag = _NUMBER.sub(lambda number: _number(round(float(number[0]), 1)), tag)
    return re.sub(r"([:;,]) ", r"\1", re.sub(r"\s+", " ", tag))


def _steps(path: str) -> str:
    """Return a path of straight lines as steps from point to point; one with anything else as it is."""
    if re.search(r"[^MLz\d\s.-]", path):
        return path
    x = y = 0.0
    told = []
    for name, across, down in _STEP.findall(path):
        if name == "z":
            told.append("z")
            continue
        to_x, to_y = round(float(across), 1), round(float(down), 1)
        if name == "M":
            told.append(f"M{_number(to_x)} {_number(to_y)}")
        elif to_x != x or to_y != y:
            ends = (_number(round(to_x - x, 1)), _number(round(to_y - y, 1)))
            told.append(
                f"h{ends[0]}"
                if ends[1] == "0"
                else f"v{ends[1]}"
                if ends[0] == "0"
                else f"l{ends[0]} {ends[1]}"
            )
        x, y = to_x, to_y
    return "".join(told)


def _number(value: float) -> str:
    return f"{value:g}"


def _short(at: int) -> str:
    return f"{chr(97 + at % 26)}{at // 26 or ''}"


def _classed(text: str) -> str:
    """Say each style that is used more than once in one place: an image's rules reach nothing else."""
    used = [style for tag in _TAG.findall(text) for style in _STYLE.findall(tag)]
    names = {style: _short(at) for at, (style, count) in enumerate(Counter(used).most_common()) if count > 1}
    rules = "".join(f".{name}{{{style}}}" for style, name in names.items())

    def named(style: re.Match[str]) -> str:
        return f' class="{names[style[1]]}"' if style[1] in names else style[0]

    text = _TAG.sub(lambda tag: _STYLE.sub(named, tag[0]), text)
    return re.sub(r"(<svg[^>]*>)", lambda tag: f"{tag[0]}<style>{rules}</style>", text, count=1)
