"""Contents -> one HTML page that needs nothing else: no network, no library, and no script but that of the sliders."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Template

    from logloss.reporting.contents import Contents, Picture, Section

__all__ = ["page"]

PHONE = 380  # pixels; a figure that is drawn for a narrow screen stands beside the wide one, and the page shows one of them
HERE = Path(__file__).resolve().parent


@cache
def _template() -> Template:
    import jinja2

    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return made.get_template("page.html")


def page(contents: Contents) -> str:
    """Return the page. Every string in it is escaped; what is not is made here: figures, style, script, counts as JSON."""
    from markupsafe import Markup

    def own(name: str) -> Markup:
        return Markup((HERE / name).read_text("utf-8").strip())  # noqa: S704 - a file of this package

    def drawn(one: Picture, section: Section, *width: int) -> Markup:
        return Markup(one.svg(section.question, *width))  # noqa: S704 - the figure escapes its text

    views: dict[str, list[dict[str, Any]]] = {
        section.id: [
            {
                "label": one.label,
                "svg": drawn(one, section),
                "narrow": drawn(one, section, PHONE),
                "alt": one.alt(),
                "numbers": one.numbers(),
            }
            for one in section.pictures
        ]
        for section in contents.sections
    }
    return _template().render(contents=contents, views=views, sketch=contents.sketch, style=own("page.css"))
