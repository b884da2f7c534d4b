"""A figure as static SVG to be put into a page: text as text, no ground, colours that the page may set, the same bytes every time."""

from __future__ import annotations

import html
import warnings
from typing import TYPE_CHECKING

from logloss.figures.ground import COLOURS, PADS, STYLE, narrow

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes

    from logloss.figures.pens import Pen

__all__ = ["UNSET", "WIDTH", "svg"]

WIDTH = 640  # pixels
DPI = 96
# What is seen where no page sets the colours: at least 3 to 1 on white and on black, what is written 4.5 to 1.
UNSET = {"model": "#2f74b8", "cost": "#d97016", "context": "#8a949f", "ink": "#6e7681"}


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
    from matplotlib.figure import Figure

    from logloss.figures.pens import PLAIN, Pen

    names = {colour: f"var(--ll-{name},{UNSET[name]})" for name, colour in COLOURS.items()}
    with mpl.rc_context(), warnings.catch_warnings():
        mpl.rcdefaults()
        mpl.rcParams.update(STYLE | {"axes.facecolor": "none"})
        # The page's fonts draw the text; that ours, which only measure it, lack a sign is no matter.
        warnings.filterwarnings("ignore", message=r"Glyph \d+")
        warnings.filterwarnings("ignore", message=r"Matplotlib currently does not support")
        figure = Figure(figsize=(width / DPI, height), dpi=DPI, facecolor="none")
        ax = figure.add_subplot()
        pen = Pen(figure, names, small=narrow(ax))
        draw(ax)
        _spread(ax, pen)
        figure.draw(pen)
    high = round(height * DPI)
    style = f"max-width:100%;height:auto;fill:none;stroke-linejoin:round;font:{PLAIN * DPI / 72:.3g}px var(--ll-font,system-ui,sans-serif)"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {high}" width="{width}" height="{high}" role="img" style="{style}">'
        f"<title>{html.escape(title)}</title><desc>{html.escape(told)}</desc>{pen.body()}</svg>\n"
    )


def _spread(ax: Axes, pen: Pen) -> None:
    """Let axes fill their figure with all that is written around them.

    matplotlib's own layout measures everything twice, as it may hold several axes; that is half of the time of a figure.
    """
    wide, high = ax.figure.bbox.size
    beside, above = (pad * DPI for pad in PADS)
    for _ in range(2 if ax.child_axes else 1):  # what hangs below axes grows with them
        around = ax.get_tightbbox(pen, for_layout_only=True)
        assert around is not None
        left, right = ax.bbox.x0 - around.x0 + beside, around.x1 - ax.bbox.x1 + beside
        under, over = ax.bbox.y0 - around.y0 + above, around.y1 - ax.bbox.y1 + above
        sizes = max(wide - left - right, 1) / wide, max(high - under - over, 1) / high
        ax.set_position((left / wide, under / high, *sizes))
