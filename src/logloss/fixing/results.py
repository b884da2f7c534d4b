"""What came of a race: the losses before and after, what was tried, why the winner won, and its map."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from logloss import units
from logloss.calibrate.descriptions import describe
from logloss.figures.drawing import Framed
from logloss.fixing.reasons import findings, reason
from logloss.plain import jsonable
from logloss.screens import noted
from logloss.text import printable, table, wrapped

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from logloss.calibrate.fitted import FittedMap
    from logloss.calibrate.pooled import FittedPool
    from logloss.display.cells import Card
    from logloss.figures.drawing import Drawings
    from logloss.finding import Finding
    from logloss.notes import Note
    from logloss.record import Observations, Space

    Float = NDArray[np.float64]

__all__ = ["Fix", "Tried"]


@dataclass(frozen=True)
class Tried:
    """One candidate of the race.

    Attributes
    ----------
    name, said
        Which map, and what it is in a few words.
    log_loss
        On rows it was not fitted on.
    gain, interval
        What it takes off the loss there, with its interval; None where that is infinite.
    parameters
        How many it has.
    picked
        In how many folds it was chosen by the rows outside.
    """

    name: str
    said: str
    log_loss: float
    gain: float
    interval: tuple[float, float] | None
    parameters: int
    picked: int


@dataclass(frozen=True, eq=False, repr=False)
class Fix(Framed):
    """The best honest improvement of saved predictions. Losses in nats.

    Attributes
    ----------
    before, after
        The loss as given; and after what was chosen, each row under a map that was fitted and chosen without it. Equal
        where doing nothing was chosen.
    gain, gain_interval
        What choosing a map and applying it takes off the loss of rows that had no part in either; measured before it
        is decided whether to do nothing.
    chosen, why
        The map that `map` holds ("identity" is to do nothing: of several forecasts, to take the best as it is), and why.
    candidates
        What was tried, least loss first.
    map
        Fitted on all rows: apply it to new ones.
    folds, grouped, timed
        How the rows were divided.
    rows, raced
        How many rows there are, and how many took part in the race.
    """

    before: float
    after: float
    gain: float
    gain_interval: tuple[float, float] | None
    level: float
    chosen: str
    leader: str = field(repr=False)  # what the race put first
    candidates: tuple[Tried, ...]
    map: FittedMap | FittedPool
    folds: int
    grouped: bool
    timed: bool
    rows: int
    raced: int
    notes: tuple[Note, ...]
    held: Callable[[], Float] | None = field(
        repr=False
    )  # (n, C), forecasts of the rows under maps fitted without them
    observations: Observations | None = field(repr=False)

    @property
    def why(self) -> str:
        """Why the winner won, or why nothing is done; losses in nats."""
        return reason(self, "nats")

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the map saves, or that none does, as a finding."""
        return tuple(findings(self))

    def apply(self, forecast: Any, *, space: Space | None = None, out: Space | None = None) -> Float:
        """Return better forecasts of new rows; see :meth:`logloss.FittedMap.apply`, :meth:`logloss.FittedPool.apply`."""
        return self.map.apply(forecast, space=space, out=out)

    def held_out(self, out: Space | None = None) -> Float:
        """Return the forecasts of the rows themselves, each under a map that was fitted without it.

        Shape (n,) where the forecast was one column, else (n, K); for stacking, or to look at the improvement: what the map
        of all rows makes of these rows would look too good. As given, where doing nothing was chosen.
        """
        from logloss.fixing.outputs import held_out

        return held_out(self, out)

    def _drawings(self) -> Drawings:
        from logloss.figures.candidates import CANDIDATES

        return {"candidates": CANDIDATES}

    def _card(self, unit: str = "nats") -> Card:
        from logloss.fixing.cards import fix

        return fix(self, unit, reason(self, unit))

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON contract: nats; the text "inf" for an infinite loss, None where undefined."""
        state: dict[str, Any] = jsonable(
            {
                "schema": 1,
                "before": self.before,
                "after": self.after,
                "gain": self.gain,
                "gain_interval": None if self.gain_interval is None else list(self.gain_interval),
                "level": self.level,
                "chosen": self.chosen,
                "why": self.why,
                "candidates": [
                    {
                        "name": one.name,
                        "log_loss": one.log_loss,
                        "gain": one.gain,
                        "interval": None if one.interval is None else list(one.interval),
                        "parameters": one.parameters,
                        "picked": one.picked,
                    }
                    for one in self.candidates
                ],
                "findings": [one.to_dict() for one in self.findings],
                "folds": self.folds,
                "grouped": self.grouped,
                "timed": self.timed,
                "rows": self.rows,
                "raced": self.raced,
                "notes": [{"id": note.id, "text": note.text} for note in self.notes],
            }
        )
        return state | {"map": self.map.to_dict()}

    def show(self, unit: str = "nats", *, notes: bool = True) -> str:
        """Return one screen of text."""
        loss, signed = partial(units.loss, in_unit=unit), partial(units.signed, in_unit=unit)
        of = f"{self.rows:,} rows" + ("" if self.raced == self.rows else f" ({self.raced:,} raced)")
        whole = " in time" if self.timed else ", whole groups" if self.grouped else ""
        best = self.map.fitted.get("best")  # of several forecasts
        which = "" if best is None else f" ({printable(best)}, the best single forecast)"
        as_given = "as given" if best is None else f"only {printable(best)}"
        now = "" if self.chosen == "identity" else f" -> {loss(self.after)}"
        head = f"Log loss {loss(self.before)}{now} {unit}{which}   {of}, {len(self.map.classes)} classes, {self.folds} folds{whole}"
        rows = [["", "held out", "gain", f"{100 * self.level:.6g} % interval", "chosen in", ""]]
        for one in self.candidates:
            span = "" if one.interval is None else f"{signed(one.interval[0])} to {signed(one.interval[1])}"
            given = one.name == "identity"
            rows.append(
                [
                    as_given if given else printable(one.name),
                    loss(one.log_loss),
                    "" if given else signed(one.gain),
                    span if not given else "",
                    units.count(one.picked, "fold") if one.picked else "",
                    "<- chosen" if one.name == self.chosen else "",
                ]
            )
        parts = [head, "", table(rows, "<>><><", indent=2), "", wrapped(reason(self, unit))]
        parts += ["", *(wrapped(line) for line in describe(self.map))]
        if notes and self.notes:
            parts += ["", *noted(self.notes)]
        return "\n".join(parts)

    def __str__(self) -> str:
        """One screen of text."""
        return self.show()
