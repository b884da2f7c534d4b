"""What all figures share: colours, words on a figure, numbers as text, the axes to draw on."""

from __future__ import annotations

import math
import re
import textwrap
import warnings
from typing import TYPE_CHECKING, Any

from logloss import units
from logloss.text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "COLOURS",
    "PADS",
    "STYLE",
    "clean",
    "fresh",
    "inches",
    "legend",
    "named",
    "narrow",
    "numbers",
    "padded",
    "room",
    "said",
    "span",
    "titled",
]

# Blue is the forecast, orange what it costs, grey what both are seen against: distinct in lightness too.
COLOURS = {"model": "#1f5f9f", "cost": "#e0791b", "context": "#98a2ad", "ink": "#39424e"}
STYLE: dict[Any, Any] = {
    "axes.linewidth": 0.8,
    "axes.titlesize": 10.5,
    "axes.labelsize": 9,
    "font.family": "sans-serif",
    "font.size": 9,
    "font.sans-serif": ["DejaVu Sans"],
    "legend.fontsize": 8.5,
    "text.usetex": False,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
}
PADS = 0.09, 0.07  # inches around a figure, beside it and above
NAME = 8  # characters; a longer label on the left is a name and no number
WIDE = 640 / 96  # inches
NARROW = 420 / 96  # inches; figures that are no wider say less
_UNSEEN = re.compile(r"[\u061c\u200b-\u200f\u2060-\u2064\ufeff\ud800-\udfff\ufff0-\uffff]")


def named(value: object, width: int = 24) -> str:
    r"""Return a name for a figure: one short line in which nothing is a formula or a hidden mark.

    >>> named("_cost in $")
    ' _cost in \\$'
    """
    text = printable(_UNSEEN.sub("·", str(value)), width).replace("$", r"\$")
    return f" {text}" if text.startswith("_") else text  # a leading underscore would keep it out of legends


def numbers(values: Sequence[float | None], unit: str = "nats") -> list[str]:
    """Return losses or differences as text with a sign."""
    return ["undefined" if value is None else units.signed(value, unit) for value in values]


def span(interval: tuple[float, float] | None, unit: str = "nats", *, signed: bool = True) -> str:
    """Return an interval as text; nothing where there is none.

    >>> span((-0.02, 0.01))
    '-0.0200 to +0.0100'
    """
    if interval is None or any(math.isnan(end) for end in interval):
        return ""
    told = units.signed if signed else units.loss
    return f"{told(interval[0], unit)} to {told(interval[1], unit)}"


def fresh(height: float) -> Axes:
    """Return axes of a new figure of pyplot's, `height` in inches."""
    import matplotlib.pyplot as plt

    with plt.rc_context(STYLE):
        figure, ax = plt.subplots(figsize=(WIDE, height), layout="constrained")
        padded(figure)
    return ax


def inches(ax: Axes) -> float:
    """Return how wide the figure of axes is."""
    return float(ax.figure.bbox.width / ax.figure.dpi)


def narrow(ax: Axes) -> bool:
    """Whether there is room for little: a figure in a cell of a notebook, or on a phone."""
    return inches(ax) <= NARROW


def padded(figure: Figure) -> None:
    """Leave a little room around what is drawn."""
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.set(w_pad=PADS[0], h_pad=PADS[1])  # type: ignore[call-arg]


def clean(ax: Axes, *, grid: str = "both") -> None:
    """Take away lines that say nothing, and draw a faint grid."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(COLOURS["context"])
    ax.set_axisbelow(True)
    if grid:
        ax.grid(visible=True, axis=grid, color=COLOURS["context"], alpha=0.25, linewidth=0.6)  # type: ignore[arg-type]
    ax.tick_params(color=COLOURS["context"], labelcolor=COLOURS["ink"])
    ax.xaxis.label.set_color(COLOURS["ink"])
    ax.yaxis.label.set_color(COLOURS["ink"])


def titled(ax: Axes, question: str, lines: Sequence[str] = ()) -> None:
    """Put the question above the axes, and under it how to read them and what they do not show."""
    from matplotlib.transforms import ScaledTranslation

    across = inches(ax) * min(1.0, ax.get_position().width * 1.29)
    indent = _names(ax)
    wide = across if indent else across - 0.6
    if narrow(ax):
        for own in (one for one in (ax, *ax.child_axes) if "\n" not in one.get_xlabel()):
            own.set_xlabel("\n".join(textwrap.wrap(own.get_xlabel(), int(15 * wide - 1.2 * indent / 7))))
    told = [part for line in lines if line for part in textwrap.wrap(line, max(28, int(15.3 * wide)))]
    heading = ax.set_title(
        "\n".join(textwrap.wrap(question, max(20, int(10.5 * wide)))),
        loc="left", y=1.0, pad=7 + 12 * len(told), color=COLOURS["ink"], fontweight="bold", fontsize=10.5,
    )  # fmt: skip
    left = ScaledTranslation(-indent / 72, 0, ax.figure.dpi_scale_trans)
    heading.set_transform(heading.get_transform() + left)
    if not question:  # it stands elsewhere; what makes the room for the lines stays
        heading.set(text=" ", fontsize=1)
    if told:
        said(ax, "\n".join(told), indent)


def _names(ax: Axes) -> float:
    """Return how wide the names on the left are, in points; 0 where there are numbers."""
    from matplotlib.textpath import text_to_path

    labels = [label for label in ax.get_yticklabels() if len(label.get_text()) > NAME]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a sign that the font lacks is warned of when it is drawn
        wide = [
            text_to_path.get_text_width_height_descent(
                label.get_text().replace(r"\$", "$"), label.get_fontproperties(), ismath=False
            )[0]
            for label in labels
        ]
    return max(wide, default=0.0) + 4.0 * bool(wide)


def said(ax: Axes, text: str, indent: float = 0.0) -> None:
    """Write text right above the axes, beginning some points to the left of them."""
    note = ax.annotate(
        text, (0, 1), xycoords="axes fraction", xytext=(-indent, 5), textcoords="offset points", fontsize=8.5,
        color=COLOURS["ink"], va="bottom", ha="left", linespacing=1.15, annotation_clip=False, gid="reading",
    )  # fmt: skip
    note.set_in_layout(False)  # the title, which stands above it, makes the room


def legend(ax: Axes, handles: Sequence[Any], labels: Sequence[str], **where: Any) -> None:
    """Draw a legend without a frame."""
    if narrow(ax):
        where = {"handlelength": 1.3, "columnspacing": 1.0} | where
    ax.legend(handles, labels, frameon=False, labelcolor=COLOURS["ink"], fontsize=8.5, **where)


def room(values: Sequence[float], *, zero: bool = False) -> tuple[float, float]:
    """Return limits of an axis that hold the finite values with some air, and 0 where it is asked for."""
    finite = [float(value) for value in values if math.isfinite(value)] + ([0.0] if zero else [])
    low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
    air = 0.07 * (high - low) or 0.1 * abs(high) or 0.01
    return low - air, high + air
