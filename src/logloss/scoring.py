"""The log loss of a forecast: exact, with its interval, and beside it what it should be compared with."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss import conventions, forensics, screens, units
from logloss.baselines import accuracy_implied, base_rates
from logloss.errors import UsageError
from logloss.folding import summarize
from logloss.interval import hall_t
from logloss.notes import Note, located
from logloss.plain import jsonable
from logloss.sources import gather
from logloss.summary import Summary
from logloss.surprises import per_row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from logloss.record import Observations, Space

__all__ = ["Score", "of_record", "of_summary", "score"]


@dataclass(frozen=True, eq=False)
class Score:
    """What one forecast is worth. Losses in nats.

    Attributes
    ----------
    log_loss
        The exact weighted mean surprise; inf when a forecast of 0 happened.
    log_loss_finite
        The mean over the rows with finite surprise.
    interval, standard_error
        Of the mean; None where undefined (an infinite row, fewer than two rows). No interval goes below 0.
    base_rate, base_rate_loo, uniform
        Losses of the constant forecasts: the rows' own class shares; the same with each row left out
        (Krichevsky-Trofimov smoothed, so it is no hindsight); 1/K for every class.
    skill, skill_loo
        1 - log_loss / baseline.
    argmax_loss
        The loss of saying only "my first choice, with probability `accuracy`". In the long run no calibrated
        forecast of this accuracy does worse. `calibrated_low` is the least loss that calibrated forecasts of this accuracy have.
    brier
        Mean (p - y)^2 for one column, summed over the classes for K columns.
    summary
        What the pass kept; it merges and saves.
    """

    log_loss: float
    log_loss_finite: float
    infinite_rows: int
    n: int
    weight: float
    standard_error: float | None
    interval: tuple[float, float] | None
    level: float
    base_rate: float
    base_rate_loo: float
    uniform: float
    skill: float
    skill_loo: float
    accuracy: float
    calibrated_low: float
    argmax_loss: float
    brier: float
    conventions: dict[str, float]
    notes: tuple[Note, ...]
    summary: Summary = field(repr=False)

    @property
    def perplexity(self) -> float:
        """exp(log loss): 1 / the geometric mean probability of what happened."""
        return math.exp(self.log_loss) if self.log_loss < 700 else math.inf

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON contract: nats; the text "inf" for an infinite loss, None where undefined."""
        state: dict[str, Any] = jsonable(
            {
                "schema": 1,
                "log_loss": self.log_loss,
                "log_loss_finite": self.log_loss_finite,
                "infinite_rows": self.infinite_rows,
                "n": self.n,
                "weight": self.weight,
                "standard_error": self.standard_error,
                "interval": None if self.interval is None else list(self.interval),
                "level": self.level,
                "baseline": {
                    "base_rate": self.base_rate,
                    "base_rate_loo": self.base_rate_loo,
                    "uniform": self.uniform,
                },
                "skill": self.skill,
                "skill_loo": self.skill_loo,
                "accuracy": self.accuracy,
                "accuracy_implied": {"calibrated_low": self.calibrated_low, "argmax_loss": self.argmax_loss},
                "brier": self.brier,
                "perplexity": self.perplexity,
                "classes": self.classes(),
                "conventions": self.conventions,
                "notes": [{"id": note.id, "text": note.text} for note in self.notes],
            }
        )
        return state

    def classes(self) -> list[dict[str, Any]]:
        """Return rows, weight, log loss and share of the finite loss of each class."""
        return [
            {"class": label, **measures}
            for label, measures in zip(self.summary.classes, _by_class(self.summary), strict=True)
        ]

    def __str__(self) -> str:
        """One screen of text."""
        return self.show()

    def show(self, unit: str = "nats", *, notes: bool = True) -> str:
        """Return one screen of text with losses in `unit`."""
        return screens.score(self, unit, notes=notes)

    def _repr_html_(self) -> str:
        import html

        return f"<pre>{html.escape(str(self))}</pre>"


def score(
    data: Any,
    forecast: Any = None,
    *,
    outcome: Any = None,
    space: Space = "p",
    weight: Any = None,
    ids: Any = None,
    truth: Any = None,
    labels: Sequence[Any] | None = None,
    positive: Any = None,
    normalize_rows: bool = False,
    skip_missing: bool = False,
    level: float = 0.95,
) -> Score:
    """Score a forecast: the exact log loss, how sure it is, and whether it is any good.

    Parameters
    ----------
    data
        Outcomes, shape (n,) - or a table (a file name, a pandas, Polars or Arrow frame, a mapping) - or a
        :class:`Summary`.
    forecast
        With outcomes: the forecasts, shape (n,) or (n, K). With a table: the column or columns that hold them;
        found by name if not given.
    outcome, weight, ids
        With a table, the names of these columns. With arrays, weights and ids of shape (n,).
    space
        "p" (probabilities), "logp" (natural logs of them) or "logit".
    truth
        A second table with the outcomes, joined by the id column.
    labels
        The classes in the order of the columns; with one column, the class it is about comes last.
    positive
        The class that a single column is about.
    normalize_rows
        Divide rows of probabilities by their sum (noted, with what it did to the loss).
    skip_missing
        Leave out rows with missing values (noted).
    level
        Coverage of the interval.

    Returns
    -------
    Score

    Raises
    ------
    LoglossError
        UsageError for a call that does not fit together, DataError for data that cannot be scored.

    Examples
    --------
    >>> import logloss as ll
    >>> result = ll.score([1, 0, 1, 1], [0.9, 0.2, 0.6, 0.35])
    >>> round(result.log_loss, 6), round(result.base_rate, 6)
    (0.472288, 0.562335)
    """
    if isinstance(data, Summary):
        if any(given is not None for given in (forecast, outcome, weight, ids, truth, labels, positive)):
            raise UsageError(
                "array-and-names",
                "A summary has its columns behind it; no others can be named.",
                cure="Pass the summary alone.",
            )
        return of_summary(data, level=level)
    record = gather(
        data, forecast, outcome=outcome, space=space, weight=weight, ids=ids, truth=truth,
        labels=labels, positive=positive, normalize_rows=normalize_rows, skip_missing=skip_missing,
    )  # fmt: skip
    return of_record(record, level=level)


def of_record(
    record: Observations, *, level: float = 0.95, surprise: NDArray[np.float64] | None = None
) -> Score:
    """Score a checked record; `surprise` per row, if it is known already."""
    found = forensics.examine(record, per_row(record) if surprise is None else surprise)
    return of_summary(summarize(replace(record, notes=(*record.notes, *found))), level=level)


def of_summary(summary: Summary, *, level: float = 0.95) -> Score:
    """Score what one pass kept."""
    if not 0 < level < 1:
        raise UsageError(
            "bad-level",
            f"level is {level}, but it is a probability.",
            cure="Give one between 0 and 1, such as 0.95.",
        )
    interval = _interval(summary, level)
    base_rate, base_rate_loo = base_rates(summary)
    accuracy = min(1.0, summary.mass["correct"] / summary.weight)
    low, argmax_loss = accuracy_implied(accuracy, len(summary.classes))
    mean = summary.mean
    notes = [*summary.told(), *_readings(summary, mean, accuracy)]
    return Score(
        log_loss=mean,
        log_loss_finite=summary.mean_finite,
        infinite_rows=summary.infinite[0],
        n=summary.n,
        weight=summary.weight,
        standard_error=None if interval is None else interval.standard_error,
        interval=None if interval is None else (max(0.0, interval.low), interval.high),
        level=level,
        base_rate=base_rate,
        base_rate_loo=base_rate_loo,
        uniform=math.log(len(summary.classes)),
        skill=_skill(mean, base_rate),
        skill_loo=_skill(mean, base_rate_loo),
        accuracy=accuracy,
        calibrated_low=low,
        argmax_loss=argmax_loss,
        brier=summary.mass["brier"] / summary.weight,
        conventions={
            c.name: conventions.under(summary, c) for c in conventions.CONVENTIONS if c.name != "exact"
        },
        notes=tuple(notes),
        summary=summary,
    )


def _interval(summary: Summary, level: float) -> Any:
    """Return the Hall-t interval of the weighted mean: of u = w s - m w, divided by the mean weight."""
    if summary.infinite[0]:
        return None
    second, third = summary.moments.along(np.array([-summary.mean, 1.0]))
    return hall_t(
        summary.mean, summary.moments.n, second, third, level=level, scale=float(summary.moments.mean[0])
    )


def _skill(loss: float, reference: float) -> float:
    if reference == 0:
        return math.nan if loss == 0 else -math.inf
    return 1 - loss / reference


def _readings(summary: Summary, mean: float, accuracy: float) -> list[Note]:
    """Return notes on how to read the number."""
    notes = []
    rows, weight = summary.infinite
    if rows:
        seen = tuple(place for key, place, _ in summary.top.entries if math.isinf(key))
        where = located(seen, rows, limit=5)
        notes.append(
            Note(
                "infinite",
                f"{units.count(rows, 'row')} (weight share {units.percent(weight / summary.weight, 2)}) gave probability 0 to what happened, so the log loss is infinite: {where}. The other rows average {units.loss(summary.mean_finite)} nats.",
            )
        )
    notes += _against_own_choice(summary, mean, accuracy)
    notes += _at_chance(summary, mean, accuracy)
    if not rows and summary.n >= 20 and summary.top.entries:
        largest = summary.top.entries[0][0] / summary.finite_nats if summary.finite_nats > 0 else 0.0
        heavy = summary.top.entries[0][2]["weight"] > 0.05 * summary.weight
        if largest > 0.2 and not heavy:
            notes.append(
                Note(
                    "one-row-dominates",
                    f"One row carries {units.percent(largest)} of the loss; the interval cannot know how many more such rows there are outside this sample.",
                )
            )
    return notes


def _against_own_choice(summary: Summary, mean: float, accuracy: float) -> list[Note]:
    """Say when "my first choice, with probability `accuracy`" would have done better, beyond chance.

    In the long run no calibrated forecast does worse than that, but on a sample it can: so the loss must also be
    further from what the forecasts expect than chance explains. Errors are smoothed by half of one, since with
    none seen the true rate is not 0.
    """
    z, K = summary.excess_z, len(summary.classes)
    q = 1 - ((1 - accuracy) * summary.n + 0.5) / (summary.n + 1)
    own = -accuracy * math.log(q) - (1 - accuracy) * math.log((1 - q) / (K - 1))
    if z is None or abs(z) <= 3 or mean <= own:
        return []
    return [
        Note(
            "worse-than-argmax",
            f"Worse than its own first choice: saying only that choice, with probability {units.percent(q)}, scores {units.loss(own)}. Calibrated forecasts do not do that: these are miscalibrated, and recalibrating them should help.",
        )
    ]


def _at_chance(summary: Summary, mean: float, accuracy: float) -> list[Note]:
    """Say when confident forecasts are right as often as unrelated ones would be.

    Unrelated choices agree with the outcomes in sum_k share_k q_k of the rows, q_k being how often k is chosen.
    Confident means that the forecasts expect less than half of the base rate's loss.
    """
    base = base_rates(summary)[0]
    if summary.confusion is None or summary.n < 30 or mean < 2 * base or not summary.expected < 0.5 * base:
        return []
    table = summary.confusion.sums[1] / summary.confusion.sums[1].sum()
    agreement = float(table.sum(axis=1) @ table.sum(axis=0))
    if abs(accuracy - agreement) > 3 * math.sqrt(max(agreement * (1 - agreement), 0.0) / summary.n):
        return []
    return [
        Note(
            "at-chance",
            f"Confident, yet right in {units.percent(accuracy)} of the rows, as often as forecasts of other rows would be ({units.percent(agreement)}): do forecasts and outcomes belong to the same rows? Two files are paired by id with truth= (CLI: --truth).",
        )
    ]


def _by_class(summary: Summary) -> list[dict[str, Any]]:
    rows, weight, nats, infinite = summary.by_class.sums
    return [
        {"rows": float(rows[k]), "weight": float(weight[k]), "log_loss": math.inf if infinite[k] else float(nats[k] / weight[k]) if weight[k] else None,
         "share": float(nats[k] / summary.finite_nats) if summary.finite_nats > 0 else None}
        for k in range(len(rows))
    ]  # fmt: skip
