"""The log loss of a forecast: exact, with its interval, and beside it what it should be compared with."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss import conventions, screens
from logloss.baselines import accuracy_implied, base_rates
from logloss.errors import UsageError
from logloss.figures.drawing import Framed
from logloss.grouping import Groups, by_group
from logloss.interval import hall_t
from logloss.panel import Panel
from logloss.plain import jsonable
from logloss.ranking import Scores, ranked
from logloss.readings import readings
from logloss.summaries import summarize, summary_of
from logloss.summary import Summary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from logloss.display.cells import Card
    from logloss.figures.drawing import Drawings
    from logloss.notes import Note
    from logloss.record import Observations, Space

__all__ = ["Score", "of_record", "of_summary", "score"]


@dataclass(frozen=True, eq=False, repr=False)
class Score(Framed):
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
    groups
        The results of each group, if there are groups; None otherwise.
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
    groups: Groups | None
    summary: Summary = field(repr=False)

    @property
    def perplexity(self) -> float:
        """exp(log loss): 1 / the geometric mean probability of what happened."""
        return math.exp(self.log_loss) if self.log_loss < 700 else math.inf

    def _drawings(self) -> Drawings:
        from logloss.figures.losses import BASELINES
        from logloss.figures.payers import PAYERS

        return {"payers": PAYERS, "baselines": BASELINES}

    def _card(self, unit: str = "nats") -> Card:
        from logloss.display.losses import score as card

        return card(self, unit)

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
                "groups": self.groups.to_dict() if self.groups is not None else None,
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


def score(
    data: Any,
    forecast: Any = None,
    *,
    outcome: Any = None,
    space: Space = "p",
    weight: Any = None,
    ids: Any = None,
    group: Any = None,
    truth: Any = None,
    labels: Sequence[Any] | None = None,
    positive: Any = None,
    normalize_rows: bool = False,
    skip_missing: bool = False,
    counts: bool = False,
    skip_unreadable: bool = False,
    level: float = 0.95,
) -> Any:
    """Score a forecast: the exact log loss, how sure it is, and whether it is any good.

    Tables are read once, batch by batch, on all cores and in bounded memory, whatever their size.

    Parameters
    ----------
    data
        Outcomes, shape (n,) - or a table: a file, a folder, a pattern such as "part-*.parquet", a list of files, a
        pandas, Polars or Arrow frame, a PyArrow dataset, a DuckDB relation, anything with an Arrow stream, an
        iterator of tables, a mapping of columns - or a :class:`Summary` or :class:`Panel`, or a
        record that was read before (`explain(...).observations`).
    forecast
        With outcomes: the forecasts, shape (n,) or (n, K). With a table: the column or columns that hold them, found
        by name if not given; or a mapping {name: column or columns} of several forecasts of the same rows.
    outcome, weight, ids, group
        With a table, the names of these columns. With arrays, weights, ids and groups of shape (n,). Each group
        gets results of its own.
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
    counts
        The outcome columns, one per class, count annotators; they are taken as shares (noted).
    skip_unreadable
        Leave out files of a folder that cannot be read (noted).
    level
        Coverage of the interval.

    Returns
    -------
    Score, or Scores for several forecasts

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
    if isinstance(data, Summary | Panel):
        if any(
            given is not None for given in (forecast, outcome, weight, ids, group, truth, labels, positive)
        ):
            raise UsageError(
                "array-and-names",
                "A summary has its columns behind it; no others can be named.",
                cure="Pass the summary alone.",
            )
        return of_summary(data, level=level)
    whole = summarize(
        data, forecast, outcome=outcome, space=space, weight=weight, ids=ids, group=group, truth=truth,
        labels=labels, positive=positive, normalize_rows=normalize_rows, skip_missing=skip_missing, counts=counts,
        skip_unreadable=skip_unreadable,
    )  # fmt: skip
    return of_summary(whole, level=level)


def of_record(
    record: Observations, *, level: float = 0.95, surprise: NDArray[np.float64] | None = None
) -> Score:
    """Score a checked record; `surprise` per row, if it is known already."""
    return _of_one(summary_of(record, surprise), level)


def of_summary(summary: Summary | Panel, *, level: float = 0.95) -> Score | Scores:
    """Score what one pass kept."""
    if not 0 < level < 1:
        raise UsageError(
            "bad-level",
            f"level is {level}, but it is a probability.",
            cure="Give one between 0 and 1, such as 0.95.",
        )
    if isinstance(summary, Panel):
        return ranked(summary, {name: _of_one(one, level) for name, one in summary.summaries.items()}, level)
    return _of_one(summary, level)


def _of_one(summary: Summary, level: float) -> Score:
    interval = _interval(summary, level)
    base_rate, base_rate_loo = base_rates(summary)
    accuracy = min(1.0, summary.mass["correct"] / summary.weight)
    low, argmax_loss = accuracy_implied(accuracy, len(summary.classes))
    mean = summary.mean
    notes = [*summary.told(), *readings(summary, mean, accuracy)]
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
        groups=None if summary.groups is None else by_group(summary, level),
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


def _by_class(summary: Summary) -> list[dict[str, Any]]:
    rows, weight, nats, infinite = summary.by_class.sums
    return [
        {"rows": float(rows[k]), "weight": float(weight[k]), "log_loss": math.inf if infinite[k] else float(nats[k] / weight[k]) if weight[k] else None,
         "share": float(nats[k] / summary.finite_nats) if summary.finite_nats > 0 else None}
        for k in range(len(rows))
    ]  # fmt: skip
