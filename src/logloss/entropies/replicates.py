"""The log loss split into what no forecast could avoid and what this one adds: soft outcomes, replicated forecasts."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss import units
from logloss.codes import Coded
from logloss.display.shown import Shown
from logloss.entropies import replication, shares
from logloss.errors import UsageError
from logloss.kernels import weighted_sum
from logloss.notes import Note
from logloss.plain import jsonable
from logloss.sources import gather
from logloss.stages import staged
from logloss.surprises import per_row
from logloss.text import printable, wrapped

if TYPE_CHECKING:
    from logloss.entropies.replication import Replicates
    from logloss.entropies.shares import Shares
    from logloss.record import Observations

__all__ = ["CrossEntropyParts", "decompose_replicates", "of_record"]


@dataclass(frozen=True, eq=False, repr=False)
class CrossEntropyParts(Shown):
    """What a log loss consists of. Losses in nats.

    Attributes
    ----------
    log_loss
        The exact weighted mean surprise.
    n
        Rows that count.
    shares
        Of soft outcomes; None for labels.
    replicates
        Of groups of rows with the same forecast; None where they are too few rows a group.
    """

    log_loss: float
    n: int
    shares: Shares | None
    replicates: Replicates | None
    notes: tuple[Note, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON contract: nats; the text "inf" for infinity, None where undefined."""
        state: dict[str, Any] = jsonable(
            {
                "schema": 1,
                "log_loss": self.log_loss,
                "n": self.n,
                "shares": None if self.shares is None else asdict(self.shares),
                "replicates": None if self.replicates is None else asdict(self.replicates),
                "notes": [{"id": note.id, "text": note.text} for note in self.notes],
            }
        )
        return state

    def lines(self, unit: str = "nats") -> list[str]:
        """Return the parts as lines of text."""
        lines = [] if self.shares is None else shares.told(self.shares, unit)
        if self.replicates is not None:
            lines += [*([""] if lines else []), *replication.told(self.replicates, unit)]
        return lines

    def show(self, unit: str = "nats", *, notes: bool = True) -> str:
        """Return one screen of text with losses in `unit`."""
        head = f"Log loss {units.loss(self.log_loss, unit)} {unit}   {units.count(self.n, 'row')}"
        told = [wrapped(f"{printable(note.text, 2000)} [{note.id}]") for note in self.notes] if notes else []
        return "\n".join([head, "", *self.lines(unit), *([""] if told else []), *told])

    def __str__(self) -> str:
        """One screen of text."""
        return self.show()


def decompose_replicates(
    data: Any, forecast: Any = None, *, by: Any = None, **options: Any
) -> CrossEntropyParts:
    """Split a log loss into what no forecast could avoid and what this one adds.

    Soft outcomes (shares, annotators counted with `counts=True`): log loss = entropy of the outcomes + KL(outcome || forecast).

    Rows with the same forecast ("30 %", said forty times), or groups `by`: log loss = uncertainty - resolution +
    reliability, each with its first-order bias taken out too. With o_g the class shares of group g, n_g rows of n, G groups
    and K classes that happened:

        reliability = sum n_g/n KL(o_g || p_g)        too high by about G (K - 1) / (2 n)
        resolution  = sum n_g/n KL(o_g || o)          too high by about (G - 1) (K - 1) / (2 n)
        uncertainty = H(o)                            too low by about (K - 1) / (2 n)

    Parameters
    ----------
    data, forecast, options
        As in :func:`logloss.score`, all but `group` and `level`; the rows are held in memory.
    by
        Groups of rows that are the same to the forecaster, shape (n,), or the name of their column. Without it, rows with exactly
        the same forecast are a group, and groups are looked at if they have 5 rows on average. Where forecasts differ within a
        group, their mean is taken, and what that changes is `within`.

    Raises
    ------
    UsageError
        Where outcomes are labels and forecasts are not replicated: there is nothing to split.

    Examples
    --------
    >>> import logloss as ll
    >>> y = [1] * 12 + [0] * 28 + [1] * 36 + [0] * 24
    >>> parts = ll.decompose_replicates(y, [0.2] * 40 + [0.7] * 60).replicates
    >>> [round(v, 6) for v in (parts.uncertainty, parts.resolution, parts.reliability)]
    [0.692347, 0.044194, 0.024816]
    >>> round(parts.reliability_corrected, 6)
    0.014816

    References
    ----------
    Weijs, van Nooijen and van de Giesen (2010), Mon. Weather Rev. 138:3387-3399. Broecker (2009), Q. J. R. Meteorol. Soc.
    135:1512-1519. Miller (1955), Note on the bias of information estimates.
    """
    if "group" in options:
        raise UsageError(
            "nothing-replicated",
            "group= makes results by group; here groups of the same forecast are meant.",
            cure="Name them with by=.",
        )
    record = gather(data, forecast, group=by, **options)
    found = of_record(record, by=record.group)
    if found is None:
        raise UsageError(
            "nothing-replicated",
            f"Outcomes are labels, and fewer than {replication.FEWEST_ROWS} rows on average have the same forecast: there is nothing to split.",
            cure="Name groups of rows that are the same to the forecaster: by=...",
        )
    return replace(found, notes=(*record.notes, *found.notes))


@staged("repeated forecasts")
def of_record(record: Observations, *, by: Any = None) -> CrossEntropyParts | None:
    """Return the parts of a checked record's log loss; None where there is nothing to split.

    `by` are groups, shape (n,); without them rows with the same forecast are a group.
    """
    if by is not None:
        by = by if isinstance(by, Coded) else Coded.of(np.asarray(by))
    if record.weight is not None and not record.weight.all():
        counts = record.weight > 0
        record, by = record.take(counts), None if by is None else by[counts]
    if not len(record):
        return None
    weight = np.ones(len(record)) if record.weight is None else record.weight
    soft, notes = shares.shares_of(record, weight) if record.soft else (None, [])
    replicates = replication.replicates_of(record, weight, by)
    if soft is None and replicates is None:
        return None
    loss = float(weighted_sum(weight, per_row(record)) / weight.sum())
    if replicates is not None and replicates.rows < replication.FEWEST_ROWS * replicates.groups:
        told = f"{units.count(replicates.groups, 'group')} of {replicates.rows:,} rows are too few rows a group: reliability and resolution are mostly chance."
        notes.append(Note("few-replicates", told))
    return CrossEntropyParts(loss, len(record), soft, replicates, tuple(notes))
