"""A whole page inside a notebook: in a frame that runs its scripts and reaches nothing outside."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Any

from logloss.errors import UsageError

__all__ = ["Frame"]


@dataclass(frozen=True, eq=False, repr=False)
class Frame:
    """A page as the output of a cell; scripts in it run, and can neither read nor change the notebook.

    The frame is sandboxed and has an origin of its own: no cookies, no storage, no pop-ups, no forms; links in it do not
    leave with the notebook. Notebooks that were not run here, hence are not trusted, show a line of text instead.

    Attributes
    ----------
    page
        HTML of the whole page.
    height
        Pixels.
    title
        What a screen reader calls it.

    Raises
    ------
    UsageError
        For a height that is none.
    """

    page: str
    height: int = 600
    title: str = "logloss report"

    def __post_init__(self) -> None:
        if isinstance(self.height, bool) or not 100 <= self.height <= 10_000:
            raise UsageError(
                "frame-height", f"height is {self.height}.", cure="Give pixels, from 100 to 10000."
            )

    def __repr__(self) -> str:
        """Return what stands where there is no notebook."""
        return f"<{self.title}: a page of {len(self.page):,} characters, shown in a notebook>"

    def _repr_html_(self) -> str:
        page = html.escape(self.page.encode("utf-8", "replace").decode())
        settings = f'sandbox="allow-scripts" referrerpolicy="no-referrer" title="{html.escape(self.title)}" width="100%" height="{self.height:d}" style="border:0"'
        return f'<iframe {settings} srcdoc="{page}">{html.escape(repr(self))}: trust the notebook, or run the cell.</iframe>'

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """Return the frame, and text for where there are none."""
        del include, exclude  # a hint that may be ignored
        return {"text/html": self._repr_html_(), "text/plain": repr(self)}
