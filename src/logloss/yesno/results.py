"""The scores of several yes/no labels per row, and how they print."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from logloss import units
from logloss.display.shown import Shown
from logloss.plain import jsonable
from logloss.screens import noted
from logloss.text import printable, table

if TYPE_CHECKING:
    from logloss.notes import Note

__all__ = ["Average", "LabelScore", "Multilabel"]

MOST_LISTED = 30


@dataclass(frozen=True, eq=False)
class LabelScore:
    """The yes/no forecast of one label. Losses in nats.

    Attributes
    ----------
    n, missing
        Rows that count, and rows whose outcome is missing, which are left out.
    positives
        Share of yes, weighted.
    log_loss, log_loss_finite, infinite_rows, first_infinite
        As of :class:`logloss.Score`; the numbers of the first rows of infinite surprise.
    base_rate, skill
        The loss of always saying `positives`, and 1 - log_loss / base_rate.
    """

    label: Any
    n: int
    missing: int
    positives: float
    log_loss: float
    log_loss_finite: float
    infinite_rows: int
    first_infinite: tuple[int, ...]
    standard_error: float | None
    interval: tuple[float, float] | None
    base_rate: float
    skill: float


@dataclass(frozen=True, eq=False)
class Average:
    """One figure for all labels, in nats.

    Attributes
    ----------
    value, finite
        The figure; and without what is infinite.
    interval, standard_error
        Rows are the unit that was drawn, not cells: labels of one row go together. None where infinite.
    method
        "Hall's t" where every row has all labels; else "jackknife over rows".
    rows, cells
        What it is made of.
    base_rate, skill
        The same figure of always saying each label's share of yes.
    """

    value: float
    finite: float
    standard_error: float | None
    interval: tuple[float, float] | None
    method: str
    rows: int
    cells: int
    base_rate: float
    skill: float


@dataclass(frozen=True, eq=False, repr=False)
class Multilabel(Shown):
    """Several yes/no labels per row. Losses in nats.

    Attributes
    ----------
    labels
        The score of each label, in the order of the outcome columns.
    mean_over_cells
        Of all known cells (row, label): what binary cross-entropy averages.
    mean_over_labels
        Of the labels' losses, each label counting once.
    sum_over_labels
        Mean over rows of the sum over labels: the loss of all labels of a row together, if the forecasts are taken as
        independent. Of complete rows only.
    """

    labels: tuple[LabelScore, ...]
    mean_over_cells: Average
    mean_over_labels: Average
    sum_over_labels: Average | None
    rows: int
    level: float
    notes: tuple[Note, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON contract: nats; the text "inf" for an infinite loss, None where undefined."""
        state: dict[str, Any] = jsonable(
            {
                "schema": 1,
                "rows": self.rows,
                "level": self.level,
                "labels": [asdict(one) for one in self.labels],
                "mean_over_cells": asdict(self.mean_over_cells),
                "mean_over_labels": asdict(self.mean_over_labels),
                "sum_over_labels": None if self.sum_over_labels is None else asdict(self.sum_over_labels),
                "notes": [{"id": note.id, "text": note.text} for note in self.notes],
            }
        )
        return state

    def __str__(self) -> str:
        """One screen of text."""
        return self.show()

    def show(self, unit: str = "nats", *, notes: bool = True) -> str:
        """Return one screen of text with losses in `unit`."""
        return _screen(self, unit, notes=notes)


def _screen(result: Multilabel, unit: str, *, notes: bool) -> str:
    loss = partial(units.loss, in_unit=unit)

    def span(one: LabelScore | Average) -> str:
        return "" if one.interval is None else f"{loss(one.interval[0])} to {loss(one.interval[1])}"

    def skill(one: LabelScore | Average) -> str:
        return "" if not math.isfinite(one.skill) else f"{one.skill:.1%}"

    shown = result.labels
    if len(shown) > MOST_LISTED:
        shown = tuple(sorted(shown, key=lambda one: -one.log_loss)[:MOST_LISTED])
    rows = [["label", "rows", "yes", "loss", "interval", "base rate", "skill"]]
    for one in shown:
        value = loss(one.log_loss) + (f" ({loss(one.log_loss_finite)} without {units.count(one.infinite_rows, 'row')})" if one.infinite_rows else "")  # fmt: skip
        rows.append([printable(one.label), f"{one.n:,}", units.percent(one.positives), value, span(one), loss(one.base_rate), skill(one)])  # fmt: skip
    parts = [
        ("mean over cells", result.mean_over_cells),
        ("mean over labels", result.mean_over_labels),
        ("sum over labels", result.sum_over_labels),
    ]
    wholes = [["", "loss", "interval", "base rate", "skill", "made of"]]
    for name, part in parts:
        if part is not None:
            made = f"{units.count(part.cells, 'cell')} in {units.count(part.rows, 'row')}"
            value = loss(part.value) + (f" ({loss(part.finite)} where finite)" if math.isinf(part.value) else "")  # fmt: skip
            wholes.append([name, value, span(part), loss(part.base_rate), skill(part), made])
    cells = result.mean_over_cells
    head = f"Log loss {loss(cells.value)} {unit} a cell   {units.count(result.rows, 'row')}, {units.count(len(result.labels), 'label')}, each yes or no"
    lines = [head, "", table(rows, "<>>>>>>")]
    lines += [f"  and {len(result.labels) - len(shown)} more"] if len(result.labels) > len(shown) else []
    lines += ["", table(wholes, "<>>>><")]
    if notes and result.notes:
        lines += ["", *noted(result.notes)]
    return "\n".join(lines)
