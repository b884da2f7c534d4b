"""The likelihood ratio of two forecasts, in words that do not overflow, and what it is not."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss import units
from logloss.display.shown import Shown
from logloss.plain import jsonable
from logloss.text import printable, wrapped

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]

__all__ = ["Evidence", "evidence", "odds"]

LONG = math.log(1e6)  # nats; from here on in powers of ten


@dataclass(frozen=True, eq=False, repr=False)
class Evidence(Shown):
    """What rows say of two forecasts as hypotheses: "the outcomes were drawn with the probabilities of a", "... of b".

    Attributes
    ----------
    nats
        Log of the likelihood ratio of b to a, the sum of a's surprises less b's: above 0 the rows are likelier under b. inf
        where only a called impossible what happened, -inf where only b did, NaN where both did: then both are refuted.
    standard_error
        Of that sum, were the rows drawn anew: sd sqrt(n), a row of weight 3 being three. In a comparison by groups or time, were
        these; in one of rows with weights, were the rows, each with its weight, as for its interval. None with fewer
        than two rows or an infinite sum.
    rows
        How many rows there are, each as often as its weight counts it.
    counted
        Whether weights were taken as counts.
    refuted
        How many rows called impossible what happened: under a, under b. A row on which both did counts in both.

    Notes
    -----
    The ratio compares two hypotheses, not two forecasters. If the probabilities of a are the truth, it passes any c with
    probability 1/c at most, however long one watches. If they are not, it says nothing of who is better: between two
    equally good forecasters it wanders off, and passes 20 to 1 more often than not.
    """

    nats: float
    standard_error: float | None
    rows: int
    counted: bool
    refuted: tuple[int, int]

    @property
    def ratio(self) -> str:
        """The likelihood ratio, at least 1, in words: "e^10.0 = 22,026 to 1"."""
        return odds(abs(self.nats))

    def words(self, a: str = "a", b: str = "b") -> str:
        """Return one or two sentences."""
        a, b = printable(a), printable(b)
        if math.isnan(self.nats):
            return f"Both {a} and {b} called impossible what happened ({self._where()}): neither's probabilities are the truth."
        if math.isinf(self.nats):
            loser, other = (a, b) if self.nats > 0 else (b, a)
            return f"{loser} called impossible what happened ({self._where()}): its probabilities are not the truth; those of {other} may be."
        if self.nats == 0:
            return (
                f"These rows are as likely if the probabilities of {a} are the truth as if those of {b} are."
            )
        likelier, other = (b, a) if self.nats > 0 else (a, b)
        spread = "" if self.standard_error is None else f", standard error {units.loss(self.standard_error)}"
        each = " with each as often as its weight says" if self.counted else ""
        return (
            f"These {units.count(self.rows, 'row')}{each} are likelier if the probabilities of {likelier} are the truth than if those of {other} are: "
            f"{self.ratio} (sum of differences {units.loss(abs(self.nats))} nats{spread})."
        )

    @property
    def warning(self) -> str:
        """What the ratio is not."""
        return (
            'This is evidence between two hypotheses, "the outcomes were drawn with these probabilities" and "with those", not that one '
            "is the better forecaster: between two equally good forecasters it passes 20 to 1 more often than not."
        )

    def _where(self) -> str:
        return units.count(max(self.refuted), "row")

    def __str__(self) -> str:
        """Sentences and warning."""
        return self.show()

    def show(self, a: str = "a", b: str = "b") -> str:
        """Return the sentences, and the warning below."""
        return f"{self.words(a, b)}\n{wrapped(self.warning)}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, in nats."""
        state: dict[str, Any] = jsonable(
            {
                "nats": self.nats,
                "log10": self.nats / math.log(10),
                "standard_error": self.standard_error,
                "rows": self.rows,
                "weights_as_counts": self.counted,
                "refuted": list(self.refuted),
                "warning": self.warning,
            }
        )
        return state


def evidence(differences: Float, weight: Float | None = None) -> Evidence | None:
    """Return what rows say of two forecasts as hypotheses; None where the weights are no counts.

    The likelihood of b over that of a is exp(sum of a's surprises less b's). A row of weight 3 counts as three rows of the
    same outcome and forecasts; there is no likelihood of half a row, so weights that are not whole give None.

    Parameters
    ----------
    differences
        Surprise of a less that of b in each row, nats, shape (n,); inf where only a's is infinite, -inf where only b's
        is, NaN where both are.
    weight
        Shape (n,), or None for 1 each. Rows of weight 0 count nowhere.

    References
    ----------
    Kass and Raftery (1995), Bayes factors, J. Am. Stat. Assoc. 90:773-795. Dawid (1984), J. R. Stat. Soc. A 147:278-292.

    Examples
    --------
    >>> import numpy as np
    >>> evidence(np.full(1000, 0.01)).ratio
    'e^10.0 = 22,026 to 1'
    """
    w = np.ones(len(differences)) if weight is None else np.asarray(weight, np.float64)
    if not bool((w == np.floor(w)).all()):
        return None
    d, w = np.asarray(differences, np.float64)[w > 0], w[w > 0]
    only_a, only_b, both = np.isposinf(d), np.isneginf(d), np.isnan(d)
    refuted = (int(w[only_a | both].sum()), int(w[only_b | both].sum()))
    n = int(w.sum())
    counted = bool((w != 1).any())
    if max(refuted):
        total = math.nan if min(refuted) else math.inf if refuted[0] else -math.inf
        return Evidence(total, None, n, counted, refuted)
    total = math.fsum((w * d).tolist())
    error = None
    if n > 1:
        error = math.sqrt(n / (n - 1) * math.fsum((w * (d - total / n) ** 2).tolist()))
    return Evidence(total, error, n, counted, refuted)


def odds(nats: float) -> str:
    """Return odds of e^nats to 1 in words; `nats` from 0 on.

    >>> odds(0.5), odds(30.0), odds(1000.0)
    ('e^0.5 = 1.6 to 1', 'e^30.0 = 1.1 x 10^13 to 1', 'e^1000.0 = 2.0 x 10^434 to 1')
    """
    if math.isinf(nats):
        return "infinite"
    if math.isnan(nats):
        return "undefined"
    if nats < LONG:
        value = math.exp(nats)
        return f"e^{nats:.1f} = {f'{value:.1f}' if value < 100 else f'{value:,.0f}'} to 1"
    digits = nats / math.log(10)
    exponent = math.floor(digits)
    leading = f"{10 ** (digits - exponent):.1f}"
    if leading == "10.0":
        leading, exponent = "1.0", exponent + 1
    return f"e^{nats:.1f} = {leading} x 10^{exponent} to 1"
