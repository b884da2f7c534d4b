"""What was found of label errors: which labels look wrong, and how many are."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss import units
from logloss.figures.drawing import Framed
from logloss.plain import jsonable, plain
from logloss.screens import noted
from logloss.text import printable, table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logloss.figures.drawing import Drawings
    from logloss.notes import Note
    from logloss.record import Observations

    Float = NDArray[np.float64]
    Int = NDArray[np.int64]

__all__ = ["Suspect", "Suspects", "order"]


@dataclass(frozen=True)
class Suspect:
    """A row whose label may be wrong: what was recorded, what the forecast says instead, and how probable it is."""

    row: int
    id: Any
    recorded: Any
    rather: Any
    probability: float
    surprise: float


@dataclass(frozen=True, eq=False, repr=False)
class Suspects(Framed):
    """Which labels look wrong, and how many are. Surprises in nats.

    Attributes
    ----------
    supported
        Whether label noise can be told from none (p_value below 0.05). If not, the rows are no findings.
    expected, interval
        The number of wrong labels: the sum of the probabilities, and the interval that aims to hold it in 95 of 100 cases
        (81 to 94 in simulations). None where nothing was fitted.
    rate, rate_interval
        The same as a share of the rows, before chance in the number itself.
    p_value
        Of the likelihood ratio of noise against the best calibration without it.
    noise
        noise[k][j]: the rate at which class k is recorded as j.
    slope
        By what the forecast's log-odds were multiplied to fit: below 1, it is over-confident.
    rows
        The most suspicious rows.
    half, most
        How many rows, the most suspicious first, are to be looked at to find half, and nine in ten, of the wrong labels.
    probability, suggested, surprise
        Of every row, shape (n,): the probability that its label is wrong (NaN where nothing was fitted, or the weight is
        0), the position in `classes` of the likeliest other class (-1 there), and its surprise.
    """

    classes: tuple[Any, ...]
    n: int
    supported: bool
    expected: float | None
    interval: tuple[float, float] | None
    rate: float | None
    rate_interval: tuple[float, float] | None
    p_value: float | None
    noise: tuple[tuple[float, ...], ...] | None
    slope: float | None
    rows: tuple[Suspect, ...]
    half: int | None
    most: int | None
    notes: tuple[Note, ...]
    probability: Float = field(repr=False)
    suggested: Int = field(repr=False)
    surprise: Float = field(repr=False)
    observations: Observations = field(repr=False)

    def precision(self, rows: int) -> float:
        """Return the expected share of wrong labels among this many rows, the most suspicious first."""
        known = np.sort(self.probability[~np.isnan(self.probability)])[::-1][:rows]
        return float(known.mean()) if len(known) else math.nan

    def columns(self) -> dict[str, list[Any] | NDArray[Any]]:
        """Return all rows as columns, the most suspicious first: row, id, label, suggested, probability, surprise."""
        record, at = self.observations, order(self.probability, self.surprise)
        at = at[~np.isnan(self.probability[at])]
        names = [plain(label) for label in self.classes]
        found: dict[str, list[Any] | NDArray[Any]] = {"row": record.numbers()[at]}
        if record.ids is not None:
            found["id"] = record.ids[at]
        found["label"] = [names[code] for code in record.outcome[at].astype(np.int64)]
        found["suggested"] = [names[code] for code in self.suggested[at]]
        found["probability"] = self.probability[at]
        found["surprise"] = self.surprise[at]
        return found

    def _drawings(self) -> Drawings:
        from logloss.figures.doubts import SUSPECTS

        return {"suspects": SUSPECTS}

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON contract: nats; the text "inf" for infinite, None where undefined."""
        state: dict[str, Any] = jsonable(
            {
                "schema": 1,
                "n": self.n,
                "supported": self.supported,
                "p_value": self.p_value,
                "expected": self.expected,
                "interval": self.interval,
                "rate": self.rate,
                "rate_interval": self.rate_interval,
                "classes": list(self.classes),
                "noise": self.noise,
                "slope": self.slope,
                "rows_for_half": self.half,
                "rows_for_most": self.most,
                "rows": [asdict(row) for row in self.rows],
                "notes": [{"id": note.id, "text": note.text} for note in self.notes],
            }
        )
        return state

    def __str__(self) -> str:
        """One screen of text."""
        return self.show()

    def show(self, unit: str = "nats", *, notes: bool = True) -> str:
        """Return one screen of text with surprises in `unit`."""
        sections = [[_head(self)], _checks(self), _listed(self, unit), _rates(self)]
        sections += [noted(self.notes)] if notes else []
        return "\n\n".join("\n".join(lines) for lines in sections if lines)


def order(probability: Float, surprise: Float) -> Int:
    """Return rows by probability, then surprise, then where they stand; NaN last."""
    return np.lexsort((-surprise, -probability))


def _head(result: Suspects) -> str:
    rows = units.count(result.n, "row")
    if result.expected is None or result.interval is None or result.p_value is None:
        return f"Label errors were not looked for in {rows}"
    low, high = (_number(end) for end in result.interval)
    tested = f"p = {result.p_value:.2g}" if result.p_value >= 1e-15 else "p < 1e-15"
    if not result.supported:
        return f"Label errors: none can be told, {tested}   up to about {high} of {rows} would go unnoticed"
    share = units.percent(result.expected / result.n)
    return f"Label errors: about {_number(result.expected)} of {rows} ({share})   95 % interval {low} to {high}   {tested}"


def _number(rows: float) -> str:
    return f"{rows:,.0f}" if rows >= 10 else f"{rows:.1f}"


def _checks(result: Suspects) -> list[str]:
    if not result.supported or result.half is None or result.most is None:
        return []
    line = f"  Looking at the first {units.count(result.half, 'row')} should find half of them"
    if result.most > result.half:
        line += f", at the first {result.most:,} nine in ten"
    return [line]


def _listed(result: Suspects, unit: str) -> list[str]:
    if not result.rows:
        return []
    rows = [["row", "id", "label", "rather", "P(wrong)", "surprise"]]
    rows += [
        [str(r.row), printable("" if r.id is None else r.id), printable(r.recorded), printable(r.rather),
         units.percent(r.probability), units.loss(r.surprise, unit)]
        for r in result.rows
    ]  # fmt: skip
    if all(not row[1] for row in rows[1:]):
        rows = [[row[0], *row[2:]] for row in rows]
    title = (
        "The most suspicious rows" if result.supported else "The most suspicious rows, which are no findings"
    )
    return [f"  {title}", table(rows, "><<<>>" if len(rows[0]) == 6 else "><<>>", indent=4)]


def _rates(result: Suspects) -> list[str]:
    """Lay out how often each class is recorded as another, the most often first."""
    if not result.supported or result.noise is None:
        return []
    names = [printable(label) for label in result.classes]
    ranked = sorted(range(len(names)), key=lambda k: result.noise[k][k] if result.noise else 0.0)
    rows = [["true class", "recorded wrongly", "mostly as"]]
    for k in ranked[:12]:
        wrong = [0.0 if j == k else rate for j, rate in enumerate(result.noise[k])]
        mostly = names[int(np.argmax(wrong))] if max(wrong) > 0.5 * sum(wrong) else ""
        rows.append([names[k], units.percent(sum(wrong)), mostly])
    more = len(names) - 12
    return ["  By class", table(rows, "<><", indent=4), *([f"    and {more} more"] if more > 0 else [])]
