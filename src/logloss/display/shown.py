"""How results show themselves: at the prompt, in a notebook, as markdown."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from logloss import units
from logloss.display.cells import Card, Shot, page, told
from logloss.display.pictures import MOST, shot

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Shown", "laid"]

# What was drawn stays as long as its result; beside it, as a result is frozen, and is saved without pictures.
_PAGES: WeakKeyDictionary[Any, str] = WeakKeyDictionary()


class Shown:
    """A result that is one screen of text, and in a notebook one of HTML with figures."""

    def _card(self, unit: str = "nats") -> Card:
        """Return what is shown in a notebook: the screen of text and the first figures, where nothing better is known."""
        show: Any = getattr(self, "show", None)
        told = show is not None and "unit" in inspect.signature(show).parameters
        text = show(unit=unit) if told else str(self)
        return Card(text=text, kinds=getattr(self, "kinds", ())[:2])

    def __repr__(self) -> str:
        """One screen of text, at the prompt too."""
        return str(self)

    def _repr_html_(self) -> str:
        """Return HTML of less than 25 kB; figures are drawn when it is first asked for, and remembered."""
        return laid(self, self._card, self)

    def to_markdown(self, unit: str = "nats") -> str:
        """Return the same screen as GitHub-flavoured markdown, for an issue, a pull request or a chat.

        Nothing in names and ids is taken for a table, a link, a formula or markup.

        Parameters
        ----------
        unit
            "nats", "bits" or "bans", where losses are told.

        Raises
        ------
        UsageError
            For a unit that is none.
        """
        return told(self._card(units.unit(unit).name))


def laid(result: Any, made: Callable[[], Card], drawn: Any) -> str:
    """Return the HTML of a result from its card and the figures of `drawn`; what was made once is remembered."""
    known = _PAGES.get(result)
    if known is not None:
        return known
    try:
        card = made()
        pictures, whole = _drawn(drawn, card.kinds)
        found = page(card, pictures)
    except Exception:  # noqa: BLE001 - showing a result in a cell must not fail
        return page(Card(text=_words(result)))
    if whole:
        _PAGES[result] = found
    return found


def _drawn(result: Any, kinds: Sequence[str]) -> tuple[list[Shot], bool]:
    """Return the first of these figures that there are, and whether all could be drawn."""
    found: list[Shot] = []
    whole = True
    there = [kind for kind in kinds if kind in result.kinds][:MOST]
    for kind in there:
        try:
            found.append(shot(result, kind, len(there)))
        except Exception:  # noqa: BLE001 - without the figure the text stands
            whole = False
    return found, whole


def _words(result: Any) -> str:
    """Return the screen of text, or where that fails, what it is of."""
    try:
        return str(result)
    except Exception:  # noqa: BLE001 - as above
        return f"<{type(result).__name__}>"
