"""A pen for matplotlib that writes small SVG: tenths of a pixel, no vertex that no eye sees, and one element for all that looks alike."""

from __future__ import annotations

import html
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.backend_bases import FigureCanvasBase, RendererBase
from matplotlib.colors import to_hex
from matplotlib.path import Path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    Float = NDArray[np.float64]
    Box = tuple[float, float, float, float]
    Style = tuple[tuple[str, str], ...]

__all__ = ["Pen"]

SEEN = 0.25  # pixels; nobody sees a line that is off by less
MOST = 400  # points of a line; of one that has more, the least seen are left out
SMALL_SEEN, SMALL_MOST = 0.8, 36  # the same of a small figure
HAIR = 0.02  # pixels; what lies so little outside is inside
SMALL = 24  # pixels, to every side: the largest marker
BOLD = 600
PLAIN = 8.5  # points: the size of most text
_WEIGHTS = {"bold": 700, "semibold": BOLD, "heavy": 800, "black": 900}


def tenths(value: float) -> str:
    """Return a number of pixels as text.

    >>> tenths(0.5), tenths(-0.26), tenths(12.04), tenths(0)
    ('.5', '-.3', '12', '0')
    """
    text = f"{round(10 * value) / 10:g}"
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


def _joined(parts: list[str]) -> str:
    """Return numbers and letters of a path with a space only where it needs one."""
    found: list[str] = []
    for part in parts:
        apart = found and found[-1][-1] not in "MLlhvz" and part[0] not in "MLlhvz-"
        found.append(" " + part if apart else part)
    return "".join(found)


def outline(points: Float, *, closed: bool) -> str:
    """Return a line through points (n, 2) as path data: where it begins, then steps.

    >>> outline(np.array([[10.0, 5.0], [12.5, 5.0], [12.5, 1.0], [13.0, 0.5]]), closed=False)
    'M10 5h2.5v-4l.5-.5'
    """
    grid = np.rint(10 * points).astype(np.int64)
    parts = ["M", *(tenths(x / 10) for x in grid[0].tolist())]
    last = ""
    for dx, dy in np.diff(grid, axis=0).tolist():
        if not dx and not dy:
            continue
        letter = "h" if not dy else "v" if not dx else "l"
        if letter != last or letter != "l":
            parts.append(letter)
        parts += [tenths(step / 10) for step in (dx, dy) if step or letter == "l"]
        last = letter
    return _joined(parts) + ("z" if closed else "")


def fewer(points: Float, off: float = SEEN) -> Float:
    """Return the points (n, 2) of a line without those that it passes by less than `off` anyway.

    Source: Douglas and Peucker (1973), Cartographica 10, 112-122.
    """
    if len(points) < 3:
        return points
    keep = np.zeros(len(points), bool)
    keep[[0, -1]] = True
    stretches = [(0, len(points) - 1)]
    while stretches:
        first, last = stretches.pop()
        if last - first < 2:
            continue
        between = points[first + 1 : last] - points[first]
        chord = points[last] - points[first]
        along = np.clip((between * chord).sum(axis=1) / max(float((chord * chord).sum()), 1e-12), 0.0, 1.0)
        away = np.hypot(*(between - along[:, None] * chord).T)
        furthest = int(away.argmax())
        if away[furthest] > off:
            at = first + 1 + furthest
            keep[at] = True
            stretches += [(first, at), (at, last)]
    return points[keep]


@dataclass
class Alike:
    """Marks of one style, drawn together."""

    style: Style
    text: bool
    boxes: list[Box] = field(default_factory=list)
    marks: list[str] = field(default_factory=list)

    def covers(self, box: Box) -> bool:
        """Whether any of them meets a box."""
        x0, y0, x1, y1 = box
        return any(a < x1 and c > x0 and b < y1 and d > y0 for a, b, c, d in self.boxes)

    def element(self) -> str:
        """Return them as one element, texts as one group."""
        style = ";".join(f"{name}:{value}" for name, value in self.style)
        if self.text:
            return f'<g style="{style}">{"".join(self.marks)}</g>'
        return f'<path style="{style}" d="{"".join(self.marks)}"/>'


class Pen(RendererBase):
    """Draws a figure of matplotlib.

    Attributes
    ----------
    names
        What a colour is written as: "#39424e" -> "var(--ink)".
    off, most
        By how many pixels a line may be off, and how many points it may have: where it needs more, it is further off.
    """

    def __init__(self, figure: Figure, names: dict[str, str], *, small: bool = False) -> None:
        super().__init__()
        self.dpi = figure.dpi
        self.width, self.height = (float(x) for x in figure.bbox.size)
        self.names = names
        self.off, self.most = (SMALL_SEEN, SMALL_MOST) if small else (SEEN, MOST)
        self.groups: list[Alike] = []
        _Canvas(figure, self)

    def body(self) -> str:
        """Return what was drawn, in the order of what lies over what."""
        return "".join(group.element() for group in self.groups)

    def get_canvas_width_height(self) -> tuple[float, float]:
        """Return the size in pixels."""
        return self.width, self.height

    def points_to_pixels(self, points: Any) -> Any:
        """Return points as pixels."""
        return points * self.dpi / 72

    def _put(self, style: dict[str, str], mark: str, box: Box, *, text: bool = False) -> None:
        """Add a mark to the group of its style, unless what was drawn since lies under it."""
        key = tuple(style.items())
        through = not text and "fill" in style  # together, areas that meet could leave a hole
        for group in reversed(self.groups):
            covered = group.covers(box)
            if group.style == key and group.text == text and not (through and covered):
                group.boxes.append(box)
                group.marks.append(mark)
                return
            if covered:
                break
        self.groups.append(Alike(key, text, [box], [mark]))

    def _paint(self, gc: Any, rgbFace: Any, *, area: bool = True) -> dict[str, str]:
        """Return the style of a stroked path, filled if it has an area; empty where nothing would be seen."""
        wide = self.points_to_pixels(gc.get_linewidth())
        line, filled = gc.get_rgb(), rgbFace is not None and area
        forced = gc.get_alpha() if gc.get_forced_alpha() else None
        seen = [forced if forced is not None else line[3] if len(line) > 3 else 1.0]
        seen.append(forced if forced is not None else rgbFace[3] if filled and len(rgbFace) > 3 else 1.0)
        stroked = wide > 0 and seen[0] > 0
        filled = filled and seen[1] > 0
        style: dict[str, str] = {}
        if filled:
            style["fill"] = self._named(rgbFace)
        if stroked and not (filled and wide < 1e-9):
            style["stroke"] = self._named(line)
            style["stroke-width"] = tenths(max(wide, 0.1))
            offset, dashes = gc.get_dashes()
            if dashes is not None:
                style["stroke-dasharray"] = " ".join(tenths(self.points_to_pixels(x)) for x in dashes)
                if offset:
                    style["stroke-dashoffset"] = tenths(self.points_to_pixels(offset))
        opacity = seen[1] if filled else seen[0]
        if style and opacity < 1:
            style["opacity"] = f"{opacity:.2g}".lstrip("0")
        return style

    def _named(self, colour: Any) -> str:
        plain = to_hex(colour)
        return self.names.get(plain, plain)

    def _strokes(self, gc: Any, path: Any, transform: Any, *, filled: bool) -> Iterator[tuple[Float, bool]]:
        """Return the lines (n, 2) of a path in pixels from the top left, and whether they are closed; cut at the clip."""
        box = gc.get_clip_rectangle()
        if filled and box is not None:
            whole = transform.transform_path(path)
            if _beyond(whole.get_extents(), box):
                path, transform, box = whole.clip_to_bbox(box), None, None
        cut = None if box is None or filled else (box.x0 - HAIR, box.y0 - HAIR, box.x1 + HAIR, box.y1 + HAIR)
        flat = path.cleaned(transform=transform, remove_nans=True, clip=cut, simplify=False, curves=False)
        run: list[Any] = []
        for point, code in zip(flat.vertices.tolist(), flat.codes.tolist(), strict=True):
            if code == Path.LINETO:
                run.append(point)
                continue
            if len(run) > 1:
                yield self._flipped(run, closed=code == Path.CLOSEPOLY)
            run = [point] if code == Path.MOVETO else []

    def _flipped(self, run: list[Any], *, closed: bool) -> tuple[Float, bool]:
        points = np.asarray(run, float)
        points[:, 1] = self.height - points[:, 1]
        return points, closed

    def _plainer(self, points: Float) -> Float:
        off, line = self.off, fewer(points, self.off)
        while len(line) > self.most:
            off *= 1.5
            line = fewer(line, off)
        return line

    def draw_path(self, gc: Any, path: Any, transform: Any, rgbFace: Any = None) -> None:
        """Draw lines and areas; curves become short lines."""
        style = self._paint(gc, rgbFace)
        if not style:
            return
        wide = 0.5 * float(style.get("stroke-width", 0))
        marks, boxes = [], []
        for points, closed in self._strokes(gc, path, transform, filled="fill" in style):
            line = self._plainer(np.concatenate([points, points[:1]]) if closed else points)
            marks.append(outline(line[:-1] if closed else line, closed=closed))
            boxes.append((*(line.min(axis=0) - wide).tolist(), *(line.max(axis=0) + wide).tolist()))
        if marks and "fill" in style:  # an area may have holes
            marks, boxes = ["".join(marks)], [tuple(f(side) for f, side in zip((min, min, max, max), zip(*boxes, strict=True), strict=True))]  # fmt: skip
        for mark, box in zip(marks, boxes, strict=True):
            self._put(style, mark, box)

    def draw_markers(
        self, gc: Any, marker_path: Any, marker_trans: Any, path: Any, trans: Any, rgbFace: Any = None
    ) -> None:
        """Draw a marker at every point inside the clip: whole ones, and round ones as dots of a thick line."""
        style = self._paint(gc, rgbFace, area=len(marker_path.vertices) > 2)
        if not style:
            return
        box = gc.get_clip_rectangle()
        outer = 0.5 * float(style.get("stroke-width", 0))
        shape = marker_path.cleaned(transform=marker_trans, remove_nans=True, simplify=False, curves=False)
        codes = shape.codes.tolist()
        edge = shape.vertices[[code in (Path.MOVETO, Path.LINETO) for code in codes]] * (1.0, -1.0)
        reach = float(np.abs(edge).max()) + outer
        if reach > SMALL:  # an area that matplotlib draws as if it were a marker
            super().draw_markers(gc, marker_path, marker_trans, path, trans, rgbFace)
            return
        is_round = marker_path.codes is not None and (marker_path.codes == Path.CURVE4).any()
        if is_round:
            style = {"stroke": style.get("fill", "none"), "stroke-width": tenths(2 * reach), "stroke-linecap": "round"}  # fmt: skip
        for point, code in path.iter_segments(trans, simplify=False):
            if code == Path.CLOSEPOLY or not np.isfinite(point).all():
                continue
            x, y = point[-2:]
            if box is not None and not (box.x0 - 1 <= x <= box.x1 + 1 and box.y0 - 1 <= y <= box.y1 + 1):
                continue
            at = np.array([x, self.height - y])
            around = (*(at - reach).tolist(), *(at + reach).tolist())
            if is_round:
                self._put(style, f"M{_joined([tenths(v) for v in at])}h0", around)
            else:
                self._put(style, outline(edge + at, closed=Path.CLOSEPOLY in codes), around)

    def draw_text(
        self, gc: Any, x: float, y: float, s: str, prop: Any, angle: float, ismath: Any = False, mtext: Any = None
    ) -> None:  # fmt: skip
        """Draw one line of text as text."""
        if ismath:
            super().draw_text(gc, x, y, s, prop, angle, ismath, mtext)
            return
        wide, tall, below = self.get_text_width_height_descent(s, prop, ismath)
        anchor = "left"
        if mtext is not None and (angle == 0 or mtext.get_rotation_mode() == "anchor"):
            turn = math.radians(angle + 90)
            upward = np.array([math.cos(turn), math.sin(turn)])
            place = mtext.get_transform().transform(mtext.get_unitless_position())
            fixed = np.array([place[0], self.height - place[1]])
            x, y = fixed + (upward * (np.array([x, y]) - fixed)).sum() * upward
            anchor = mtext.get_horizontalalignment()
        style = {"fill": self._named(gc.get_rgb())}
        if abs(prop.get_size_in_points() - PLAIN) > 1e-9:
            style["font-size"] = tenths(self.points_to_pixels(prop.get_size_in_points())) + "px"
        weight = prop.get_weight()
        if _WEIGHTS.get(weight, weight if isinstance(weight, int) else 0) >= BOLD:
            style["font-weight"] = "700"
        if anchor != "left":
            style["text-anchor"] = "end" if anchor == "right" else "middle"
        at = f"{tenths(x)} {tenths(y)}"
        turned = f' transform="rotate({-angle:g} {at})"' if angle else ""
        mark = f'<text x="{tenths(x)}" y="{tenths(y)}"{turned}>{html.escape(s, quote=False)}</text>'
        self._put(style, mark, _around(float(x), float(y), wide, tall, below, anchor, angle), text=True)


class _Canvas(FigureCanvasBase):
    """Gives the layout of a figure the pen to measure with."""

    def __init__(self, figure: Figure, pen: Pen) -> None:
        super().__init__(figure)
        self.pen = pen

    def get_renderer(self) -> Pen:
        return self.pen


def _beyond(inner: Any, outer: Any) -> bool:
    return bool(
        inner.x0 < outer.x0 - HAIR
        or inner.x1 > outer.x1 + HAIR
        or inner.y0 < outer.y0 - HAIR
        or inner.y1 > outer.y1 + HAIR
    )


def _around(x: float, y: float, wide: float, tall: float, below: float, anchor: str, angle: float) -> Box:
    """Return a box that holds a line of text, also in a wider font; of turned text all that it can reach."""
    if angle:
        return x - wide - tall, y - wide - tall, x + wide + tall, y + wide + tall
    left = x - {"left": 0.0, "right": wide}.get(anchor, 0.5 * wide)
    return left - 0.1 * wide, y - tall + below, left + 1.1 * wide, y + below
