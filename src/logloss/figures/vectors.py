"""A figure as static SVG to be put into a page: text as text, no ground, colours that the page may set, the same bytes every time."""

from __future__ import annotations

import hashlib
import html
import io
import re
import warnings
from typing import TYPE_CHECKING

from logloss.figures.ground import COLOURS, STYLE, padded

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes

__all__ = ["WIDTH", "svg"]

WIDTH = 640  # pixels
DPI = 96
_TAG = re.compile(r"<[^>]*>")
_STYLED = re.compile(r'style="[^"]*"')
_ID = re.compile(r' id="([^"]*)"')
_USED = re.compile(r'(?:href="#|url\(#)([^")]+)')
_PATH = re.compile(r' (?:d|points)="[^"]*"')
_LONG = re.compile(r"(\d+\.\d\d)\d+")
_FONT = re.compile(r"(font(?:-family)?:[^;\"]*?)'DejaVu Sans'[^;\"]*")


def svg(draw: Callable[[Axes], object], *, height: float, width: int, title: str, told: str) -> str:
    """Return what `draw` puts on axes as one `<svg>` element; `title` and `told` are what a screen reader says.

    Parameters
    ----------
    draw
        Called with the axes.
    height
        Inches; 96 pixels are one.
    width
        Pixels.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    out = io.StringIO()
    with mpl.rc_context(), warnings.catch_warnings():
        mpl.rcdefaults()
        mpl.rcParams.update(STYLE | {"svg.fonttype": "none", "svg.hashsalt": "logloss"})
        # The page's fonts draw the text; that ours, which only measure it, lack a sign is no matter.
        warnings.filterwarnings("ignore", message=r"Glyph \d+")
        warnings.filterwarnings("ignore", message=r"Matplotlib currently does not support")
        figure = Figure(figsize=(width / DPI, height), dpi=DPI, layout="constrained")
        FigureCanvasSVG(figure)
        padded(figure)
        draw(figure.add_subplot())
        figure.savefig(
            out, format="svg", transparent=True,
            metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
        )  # fmt: skip
    return _fitted(out.getvalue(), width, title, told)


def _fitted(text: str, width: int, title: str, told: str) -> str:
    """Return the element alone, with names that clash with no other figure's, and colours by name."""
    body = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], count=1, flags=re.DOTALL)
    body = _TAG.sub(lambda tag: _PATH.sub(lambda path: _LONG.sub(r"\1", path[0]), tag[0]), body)
    body = _TAG.sub(lambda tag: _STYLED.sub(lambda style: _coloured(style[0]), tag[0]), body)
    used = {name for tag in _TAG.findall(body) for name in _USED.findall(tag)}
    mark = "ll" + hashlib.sha256(body.encode()).hexdigest()[:8] + "-"
    body = _TAG.sub(lambda tag: _renamed(tag[0], used, mark), body)
    opening = _TAG.match(body)
    assert opening is not None
    box = re.search(r'viewBox="[^"]*"', opening[0])
    assert box is not None
    _, _, wide, high = (float(part) for part in box[0][9:-1].split())
    begin = f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" {box[0]} width="{width}" height="{width * high / wide:.0f}" role="img" style="max-width: 100%; height: auto">'
    names = f"<title>{html.escape(title)}</title><desc>{html.escape(told)}</desc>"
    return begin + names + body[opening.end() :].strip() + "\n"


def _coloured(style: str) -> str:
    for name, colour in COLOURS.items():
        style = style.replace(colour, f"var(--ll-{name}, {colour})")
    return _FONT.sub(r"\1var(--ll-font, system-ui, sans-serif)", style)


def _renamed(tag: str, used: set[str], mark: str) -> str:
    tag = _ID.sub(lambda found: f' id="{mark}{found[1]}"' if found[1] in used else "", tag)
    return _USED.sub(lambda found: found[0][: -len(found[1])] + mark + found[1], tag)
