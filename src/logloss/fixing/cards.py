"""A race of maps as a card for a notebook. Lays out numbers; computes none."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from logloss import units
from logloss.calibrate.descriptions import describe
from logloss.display.cells import Card, Grid, Line, named, remarks, span
from logloss.text import printable

if TYPE_CHECKING:
    from logloss.fixing.results import Fix

__all__ = ["fix"]


def fix(result: Fix, unit: str, why: str) -> Card:
    """Return the card of what came of a race; `why` says why the winner won, in the unit."""
    loss, signed = partial(units.loss, in_unit=unit), partial(units.signed, in_unit=unit)
    nothing = result.chosen == "identity"
    now = "" if nothing else f" → {loss(result.after)}"
    head = [f"Log loss {loss(result.before)}{now} {unit}"]
    best = result.map.fitted.get("best")
    head += [f"the best single forecast is {printable(best)}"] if best is not None else []
    head += ["do nothing" if nothing else f"{printable(result.chosen)}, on rows it was not fitted on"]
    head += [f"{units.count(result.rows, 'row')}, {result.folds} folds"]
    lines = [Line(why, "" if nothing else loss(result.gain), "" if nothing else ".apply(p_new)")]
    lines += [Line(told) for told in describe(result.map)]
    rows = tuple(
        (
            named(one.name) if one.name != "identity" else "as given",
            loss(one.log_loss),
            "" if one.name == "identity" else signed(one.gain),
            "" if one.name == "identity" else span(one.interval, signed),
            "chosen" if one.name == result.chosen else "",
        )
        for one in result.candidates
    )
    header = ("", f"held out, {unit}", "gain", f"{100 * result.level:.6g} % interval", "")
    grid = Grid("What was tried, least loss first", header, rows, "<>>><")
    calls = (".apply(p_new)", ".held_out()", ".map.save(path)") if not nothing else ("ll.explain(y, p)",)
    return Card(tuple(head), tuple(lines), ("candidates",), (grid,), remarks(result.notes), calls, unit)
