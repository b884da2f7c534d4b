"""The answer of a sequential comparison: two bettors' wealth after every row."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss import units
from logloss.betting.wealth import since_words
from logloss.errors import UsageError
from logloss.figures.drawing import Drawn
from logloss.plain import jsonable
from logloss.screens import noted
from logloss.text import printable, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from logloss.figures.drawing import Drawings
    from logloss.notes import Note

    Float = NDArray[np.float64]

__all__ = ["Sequential", "check_alpha", "p_values", "p_words", "reached", "verdict_of", "wealth_words"]

POINTS = 200  # of a path in JSON


def check_alpha(alpha: float, horizon: int) -> None:
    """Refuse probabilities that are none, and a horizon below 1."""
    if not 0 < alpha < 1:
        raise UsageError(
            "bad-alpha", f"alpha is {alpha}, but it is a probability.", cure="Give one between 0 and 1: 0.05."
        )
    if isinstance(horizon, bool) or not isinstance(horizon, int | np.integer) or horizon < 1:
        raise UsageError(
            "bad-horizon",
            f"horizon is {horizon!r}, but it counts rows.",
            cure="Give 1 where each outcome is known before the next forecast, else how many rows before its outcome a forecast was made.",
        )


def p_values(peak: Float) -> tuple[float, float]:
    """Return the p-values of both bets, on a and on b, from the greatest log-wealth: 1 / it, at most 1."""
    a, b = np.exp(-np.maximum(peak, 0.0)).tolist()
    return a, b


def reached(log_wealth: Float, alpha: float) -> NDArray[np.bool_]:
    """Tell where a bettor has 2/alpha, in the same rounding as the p-value: where twice 1 / its wealth is alpha or less."""
    with np.errstate(over="ignore"):
        return np.asarray(2.0 * np.exp(-log_wealth) <= alpha)


def verdict_of(peak: Float, alpha: float, names: tuple[str, str]) -> str:
    """Return which forecast is better, by the greatest log-wealth of the bets on each."""
    a, b = reached(peak, alpha).tolist()
    if a and b:
        return "each better at times"
    return f"{names[0]} better" if a else f"{names[1]} better" if b else "undecided so far"


def p_words(p: float, log_wealth: float) -> str:
    """Return a p-value as text: 0 only where wealth is infinite."""
    return f"{p:.2g}" if p > 0 or math.isinf(log_wealth) else "<1e-300"


def wealth_words(log_wealth: float) -> str:
    """Return wealth, which starts at 1, as text that does not overflow.

    >>> wealth_words(0.0), wealth_words(3.2), wealth_words(-40.0), wealth_words(math.inf)
    ('1.00', '24.5', 'e^-40.0', 'infinite')
    """
    if math.isinf(log_wealth):
        return "infinite" if log_wealth > 0 else "0"
    if abs(log_wealth) > math.log(1e5):
        return f"e^{log_wealth:.1f}"
    value = math.exp(log_wealth)
    return (
        f"{value:,.0f}" if value >= 1000 else f"{value:.3g}" if value >= 10 or value < 1 else f"{value:.2f}"
    )


@dataclass(frozen=True, eq=False, repr=False)
class Sequential(Drawn):
    """Two bettors' wealth after every row, which start with 1: one bets on a, one on b.

    Attributes
    ----------
    names
        What a and b are called.
    log_wealth
        Shape (n, 2): log of the wealth of the bet on a, on b, in order of time. As long as the other forecast is at
        least as good on every row, given what was known before it, it ever passes log c with probability 1/c at most.
    log_mean
        The same for `horizon` 1. With more, the log mean wealth of the bettors who take turns: an e-value where rows end at a
        time fixed before, or `horizon` - 1 rows after the decision to stop; `log_wealth` is their richest over `horizon`, which
        holds at any time.
    rows
        The row's number in the input, shape (n,).
    alpha
        Probability of ever naming a winner where there is none; half of it in each direction.
    horizon
        How many rows, or points in time, before its outcome each forecast was made.
    """

    names: tuple[str, str]
    log_wealth: Float
    log_mean: Float
    rows: NDArray[np.int64]
    alpha: float = 0.05
    horizon: int = 1
    notes: tuple[Note, ...] = ()

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def peak(self) -> Float:
        """The greatest log-wealth so far of the bet on a, on b, shape (2,)."""
        return np.asarray(self.log_wealth.max(axis=0, initial=0.0))

    @property
    def p_values(self) -> dict[str, float]:
        """By forecast: p-value of "the other is at least as good on every row", 1 / greatest wealth; valid whenever read."""
        return dict(zip(self.names, p_values(self.peak), strict=True))

    @property
    def p_value(self) -> float:
        """Of both directions: twice the smaller, at most 1. A winner is named where it is `alpha` or less."""
        return min(1.0, 2.0 * min(p_values(self.peak)))

    @property
    def verdict(self) -> str:
        """Return "a better", "b better" (by their names), "undecided so far" or "each better at times"."""
        return verdict_of(self.peak, self.alpha, self.names)

    @property
    def crossings(self) -> dict[str, int | None]:
        """By forecast: the number of the row at which its bettor first had 2/alpha; None where never."""
        found = {}
        for bet, name in enumerate(self.names):
            at = np.flatnonzero(reached(self.log_wealth[:, bet], self.alpha))
            found[name] = int(self.rows[at[0]]) if len(at) else None
        return found

    @property
    def crossed(self) -> int | None:
        """The number of the row at which a winner was first named; None where none was."""
        at = np.flatnonzero(reached(self.log_wealth, self.alpha).any(axis=1))
        return int(self.rows[at[0]]) if len(at) else None

    @property
    def crossed_after(self) -> int | None:
        """How many rows, in order of time, there were when a winner was first named; None where none was."""
        at = np.flatnonzero(reached(self.log_wealth, self.alpha).any(axis=1))
        return int(at[0]) + 1 if len(at) else None

    def noting(self, notes: Sequence[Note]) -> Sequential:
        """Return the same with more notes, each once."""
        return replace(self, notes=tuple(dict.fromkeys([*notes, *self.notes])))

    def _drawings(self) -> Drawings:
        from logloss.figures.wealth import WEALTH

        return {"wealth": WEALTH}

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON contract: logs in nats, and of the paths at most 200 points."""
        n = len(self)
        at = np.unique(np.linspace(0, n - 1, min(n, POINTS)).round().astype(np.int64))
        last = self.log_wealth[-1] if n else np.zeros(2)
        state: dict[str, Any] = jsonable(
            {
                "schema": 1,
                "names": list(self.names),
                "verdict": self.verdict,
                "p_value": self.p_value,
                "alpha": self.alpha,
                "horizon": self.horizon,
                "n": n,
                "crossed": self.crossed,
                "crossed_after": self.crossed_after,
                "bets": [
                    {
                        "on": name,
                        "log_wealth": last[bet],
                        "greatest": self.peak[bet],
                        "p_value": self.p_values[name],
                        "crossed": self.crossings[name],
                    }
                    for bet, name in enumerate(self.names)
                ],
                "path": [
                    {"row": self.rows[i], "rows_seen": i + 1, "log_wealth": self.log_wealth[i].tolist()}
                    for i in at
                ],
                "notes": [{"id": note.id, "text": note.text} for note in self.notes],
            }
        )
        return state

    def frame(self) -> Any:
        """Return the paths as a Polars frame: row, log-wealth of the bet on each, in order of time."""
        import polars as pl

        columns: dict[str, Any] = {"row": self.rows}
        for bet, name in enumerate(self.names):
            columns[f"log_wealth_{name}"] = self.log_wealth[:, bet]
        if self.horizon > 1:
            for bet, name in enumerate(self.names):
                columns[f"log_mean_{name}"] = self.log_mean[:, bet]
        return pl.DataFrame(columns)

    def __str__(self) -> str:
        """One screen of text."""
        return self.show()

    def show(self, unit: str = "nats", *, notes: bool = True) -> str:
        """Return one screen of text. Wealth has no unit; `unit` is there as with other results."""
        units.unit(unit)
        a, b = (printable(name) for name in self.names)
        since = since_words(self.crossed, self.crossed_after)
        head = f"{printable(self.verdict, 60)}{since}   p {p_words(self.p_value, float(self.peak.max()))}   alpha {self.alpha:g}   {units.count(len(self), 'row')} in order of time"
        need = wealth_words(math.log(2 / self.alpha))
        rows = [["", "wealth now", "greatest", "p", f"first {need}"]]
        last = self.log_wealth[-1] if len(self) else np.zeros(2)
        for bet, (name, shown) in enumerate(zip(self.names, (a, b), strict=True)):
            where = self.crossings[name]
            rows.append(
                [
                    f"bet on {shown}",
                    wealth_words(float(last[bet])),
                    wealth_words(float(self.peak[bet])),
                    p_words(self.p_values[name], float(self.peak[bet])),
                    "never" if where is None else f"row {where}",
                ]
            )
        why = f"Were one never worse than the other, a bet on the other would reach {need} with probability {self.alpha / 2:g} at most, however often one looks."
        parts = [head, "", table(rows, "<>>>>"), "", f"  {why}"]
        if notes and self.notes:
            parts += ["", *noted(self.notes)]
        return "\n".join(parts)
