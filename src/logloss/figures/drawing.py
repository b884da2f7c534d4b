"""What a figure is: a question, how to draw its answer, tell it in words, and lay its numbers out; and the methods of results."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from logloss import units
from logloss.display.shown import Shown
from logloss.errors import UsageError, listing, suggestion
from logloss.figures import vectors
from logloss.figures.ground import STYLE, fresh, titled

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from matplotlib.axes import Axes

    Columns = dict[str, list[Any]]

__all__ = ["Drawing", "Drawings", "Drawn", "Framed", "chosen", "laid_out", "plotted", "told", "vector"]


def _itself(result: Any) -> Any:
    return result


@dataclass(frozen=True)
class Drawing:
    """A figure of a kind of results.

    Attributes
    ----------
    question
        Its title.
    draw
        Called with (what `part` returns, axes, unit); returns lines that say how to read it and what it does not show.
    tell
        Called with (what `part` returns, unit): one or two sentences with the numbers, for who does not see it.
    columns
        Its numbers as lists by name, in nats.
    part
        What of a result is drawn; None where that is not known.
    height
        Inches, where it is 640 pixels wide: 6.7 inches.
    stretched
        Whether it is less tall where it is less wide; not where lines stand under each other.
    """

    question: str
    draw: Callable[..., list[str]]
    tell: Callable[..., str]
    columns: Callable[[Any], Columns]
    part: Callable[[Any], Any] = _itself
    height: Callable[[Any], float] = lambda _: 3.9
    stretched: bool = False

    def tall(self, part: Any, width: int) -> float:
        """Return inches of what it draws, so many pixels wide."""
        fit = min(1.0, 0.44 + 0.56 * width / vectors.WIDTH) if self.stretched else 1.0
        return fit * self.height(part)

    def of(self, part: Callable[[Any], Any]) -> Drawing:
        """Return the same of a part of another result."""
        inner = self.part

        def nested(result: Any) -> Any:
            found = part(result)
            return None if found is None else inner(found)

        return replace(self, part=nested)


Drawings = dict[str, Drawing]


def chosen(result: Any, drawings: Mapping[str, Drawing], kind: str | None) -> tuple[Drawing, Any]:
    """Return the figure of this kind, the first if none is named, and what it draws."""
    known = {name: part for name, one in drawings.items() if (part := one.part(result)) is not None}
    name = next(iter(known), "") if kind is None else kind
    if name not in known:
        there = f"There are {listing(map(repr, known))}." if known else "There is none here."
        lacking = "cannot be drawn of this result" if name in drawings else "is no figure of it"
        what = f"{name!r} {lacking}." if name else "There is nothing to draw."
        raise UsageError("no-such-figure", what + suggestion(name, list(known)), cure=f"Figures: {there}")
    return drawings[name], known[name]


def plotted(
    result: Any, drawings: Mapping[str, Drawing], ax: Axes | None, kind: str | None, unit: str, **options: Any
) -> Axes:
    """Draw on the axes, or on those of a new figure, and return them."""
    units.unit(unit)
    one, part = chosen(result, drawings, kind)
    import matplotlib as mpl

    with mpl.rc_context(STYLE):
        where = fresh(one.height(part)) if ax is None else ax
        _draw(where, one=one, part=part, unit=unit, **options)
    return where


def _draw(ax: Axes, *, one: Drawing, part: Any, unit: str, beneath: str = "", **options: Any) -> None:
    titled(ax, "" if one.question == beneath else one.question, one.draw(part, ax, unit, **options))


def told(result: Any, drawings: Mapping[str, Drawing], kind: str | None, unit: str, **options: Any) -> str:
    """Return a figure in words."""
    units.unit(unit)
    one, part = chosen(result, drawings, kind)
    return _spoken(one.tell(part, unit, **options))


def _spoken(text: str) -> str:
    """Return words that are not drawn: a dollar is no formula there."""
    return text.replace(r"\$", "$")


def vector(
    result: Any,
    drawings: Mapping[str, Drawing],
    kind: str | None,
    width: int,
    unit: str,
    *,
    beneath: str = "",
    **options: Any,
) -> str:
    """Return a figure as one `<svg>` element, without its title where that is the heading that it stands beneath."""
    units.unit(unit)
    one, part = chosen(result, drawings, kind)
    if isinstance(width, bool) or not 200 <= width <= 4000:
        raise UsageError("figure-width", f"width is {width}.", cure="Give pixels, from 200 to 4000.")
    draw = partial(_draw, one=one, part=part, unit=unit, beneath=beneath, **options)
    words = _spoken(one.tell(part, unit, **options))
    return vectors.svg(draw, height=one.tall(part, width), width=width, title=one.question, told=words)


class Drawn(Shown, ABC):
    """A result of which there are figures; `kinds` names them."""

    @abstractmethod
    def _drawings(self) -> Drawings:
        """Return the figures by name."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """The figures that can be drawn of this result; the first is the one that `plot()` draws."""
        return tuple(name for name, one in self._drawings().items() if one.part(self) is not None)

    def plot(self, ax: Axes | None = None, *, kind: str | None = None, unit: str = "nats") -> Axes:
        """Draw a figure with matplotlib and return its axes; save it with `ax.figure.savefig("figure.png")`.

        Parameters
        ----------
        ax
            Axes to draw on; by default those of a new figure.
        kind
            Which figure, one of `kinds`; by default the first.
        unit
            "nats", "bits" or "bans", where losses are drawn.

        Raises
        ------
        UsageError
            For a figure that there is not, or a unit that is none.
        """
        return plotted(self, self._drawings(), ax, kind, unit)

    def alt(self, kind: str | None = None, *, unit: str = "nats") -> str:
        """Return a figure in words: one or two sentences with its numbers."""
        return told(self, self._drawings(), kind, unit)

    def svg(
        self, kind: str | None = None, *, width: int = vectors.WIDTH, unit: str = "nats", beneath: str = ""
    ) -> str:
        """Return a figure as an `<svg>` element for a page: text as text, no ground, the same bytes every time.

        Its colours are the CSS variables --ll-model, --ll-cost, --ll-context and --ll-ink, its font is --ll-font, if the page
        sets them. `width` is in pixels. Where its title would repeat `beneath`, the heading that it stands under, it has none.
        """
        return vector(self, self._drawings(), kind, width, unit, beneath=beneath)


class Framed(Drawn):
    """A result of which there are figures, and the numbers of each as columns."""

    def frame(self, kind: str | None = None) -> dict[str, list[Any]]:
        """Return the numbers of a figure as lists by name, losses in nats: `polars.DataFrame(result.frame())`."""
        return laid_out(self, kind)


def laid_out(result: Drawn, kind: str | None = None) -> Columns:
    """Return the numbers of a figure of a result as lists by name, losses in nats."""
    one, part = chosen(result, result._drawings(), kind)  # noqa: SLF001 - of this module's own class
    return one.columns(part)
