"""Several forecasts of the same rows, best first, with their paired differences."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from logloss import screens
from logloss.figures.drawing import Framed
from logloss.plain import jsonable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from logloss.display.cells import Card
    from logloss.figures.drawing import Drawings
    from logloss.notes import Note
    from logloss.panel import Panel
    from logloss.scoring import Score

__all__ = ["Scores", "ranked"]


@dataclass(frozen=True, eq=False, repr=False)
class Scores(Framed):
    """The scores of several forecasts of the same rows, best first. Losses in nats.

    Attributes
    ----------
    models
        The score of each forecast by name.
    pairs
        For every two: `a`, `b` (the better first), `difference` of their log losses (a - b, 0 or less),
        `standard_error`, `interval`: paired, by Hall's transformation. None where infinities meet.
    summary
        The panel that the pass kept; it merges and saves.
    """

    models: dict[str, Score]
    pairs: tuple[dict[str, Any], ...]
    level: float
    summary: Panel = field(repr=False)

    @property
    def notes(self) -> tuple[Note, ...]:
        """All notes, each once."""
        return tuple(dict.fromkeys(note for score in self.models.values() for note in score.notes))

    def _drawings(self) -> Drawings:
        from logloss.figures.differences import PAIRS

        return {"differences": PAIRS}

    def _card(self, unit: str = "nats") -> Card:
        from logloss.display.losses import scores

        return scores(self, unit)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON contract: nats; the text "inf" for an infinite loss, None where undefined."""
        state: dict[str, Any] = jsonable(
            {
                "schema": 1,
                "models": [{"name": name, **score.to_dict()} for name, score in self.models.items()],
                "pairs": list(self.pairs),
                "level": self.level,
                "notes": [{"id": note.id, "text": note.text} for note in self.notes],
            }
        )
        return state

    def __str__(self) -> str:
        """One screen of text."""
        return self.show()

    def show(self, unit: str = "nats", *, notes: bool = True) -> str:
        """Return one screen of text with losses in `unit`."""
        return screens.scores(self, unit, notes=notes)


def ranked(panel: Panel, scores: Mapping[str, Score], level: float) -> Scores:
    """Return the scores of a panel, best first; of equals, in the order given."""
    order = sorted(scores, key=lambda name: (scores[name].log_loss, scores[name].log_loss_finite))
    pairs = []
    for at, a in enumerate(order):
        for b in order[at + 1 :]:
            difference, found = panel.difference(a, b, level)
            pairs.append(
                {
                    "a": a,
                    "b": b,
                    "difference": None if math.isnan(difference) else difference,
                    "standard_error": None if found is None else found.standard_error,
                    "interval": None if found is None else [found.low, found.high],
                }
            )
    return Scores({name: scores[name] for name in order}, tuple(pairs), level, panel)
