"""`sequential`: is one of two forecasts better, by bets that may be looked at after every row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from logloss import units
from logloss.betting.sequence import Sequential, check_alpha
from logloss.betting.stakes import Stakes, stakes_of
from logloss.betting.wealth import Book
from logloss.errors import AlignmentError, OutcomeError, UsageError, WeightError, places
from logloss.fixing.divisions import divided_together
from logloss.notes import Note
from logloss.stages import staged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from logloss.record import Observations, Space

    Float = NDArray[np.float64]

__all__ = ["of_records", "sequential", "staked"]


def sequential(
    data: Any,
    a: Any,
    b: Any = None,
    *,
    order: Any = None,
    alpha: float = 0.05,
    horizon: int = 1,
    outcome: Any = None,
    space: Space = "p",
    weight: Any = None,
    ids: Any = None,
    truth: Any = None,
    labels: Sequence[Any] | None = None,
    positive: Any = None,
    normalize_rows: bool = False,
    skip_missing: bool = False,
    skip_unreadable: bool = False,
) -> Sequential:
    """Tell whether one of two forecasts is better, at any time: one may look after every row and stop when one likes.

    Two bettors start with 1 each. One bets, row after row, that b is better, at odds that are fair or worse as long as a
    is at least as good; the other bets on a. As long as a is at least as good on every row, given what was known before it, the wealth
    of the first ever passes 2/alpha with probability alpha/2 at most. Nothing is clipped: what a row may cost
    either forecast is known before its outcome.

    Parameters
    ----------
    data
        Outcomes, shape (n,), or a table as in :func:`logloss.score`; all rows are held in memory.
    a, b
        With outcomes: two forecasts of the same rows, shape (n,) or (n, K). With a table: the column or columns of each,
        or as `a` a mapping {name: column or columns} of two. A mapping of two arrays names them too.
    order
        When each row's outcome became known: an array, or the column of a table. By default rows are in order as they stand.
    alpha
        Probability of ever naming a winner where there is none; half of it in each direction.
    horizon
        How many rows (with `order`: points in time) before its outcome each forecast was made: 1 where each outcome is known before the next
        forecast. With more, as many bettors take turns, and each direction's wealth is that of the richest over `horizon`.
    outcome, space, weight, ids, truth, labels, positive, normalize_rows, skip_missing, skip_unreadable
        As in :func:`logloss.score`. Weights may only leave rows out (0 or one other value): a bet has none.

    Returns
    -------
    Sequential

    Raises
    ------
    LoglossError
        UsageError for a call that does not fit together, DataError for rows that cannot be bet on: weights, soft outcomes.

    Notes
    -----
    The bet on b believes b's probabilities, and is fair at best where a is as good. Half of the money places all that this
    belief asks for, which is fastest where it is right; half three tenths of it, which wins also where b is better but
    over-confident. A row that both forecasts called impossible, or on which each calls impossible what the other allows, is
    not bet on; one that only a called impossible makes the wealth of the bet on b infinite.

    References
    ----------
    Henzi and Ziegel (2022), Valid sequential inference on probability forecast performance, Biometrika 109:647-663, and
    its correction, 109:1181. Waudby-Smith and Ramdas (2024), J. R. Stat. Soc. B 86:1-27.

    Examples
    --------
    >>> import logloss as ll
    >>> found = ll.sequential([1, 1, 0, 1, 1, 1, 0, 1] * 20, [0.5] * 160, [0.75] * 160)
    >>> found.verdict, found.crossed
    ('b better', 125)
    """
    forecasts = _two(a, b)
    table = {"outcome": outcome, "ids": ids, "truth": truth, "weight": weight, "labels": labels}
    door = {
        "space": space,
        "positive": positive,
        "normalize_rows": normalize_rows,
        "skip_missing": skip_missing,
    }
    found = divided_together(data, forecasts, time=order, **table, **door, skip_unreadable=skip_unreadable)
    first, second = found.records
    result = of_records(
        found.records[first], found.records[second], found.time, alpha=alpha, horizon=horizon, names=(first, second)
    )  # fmt: skip
    return result.noting(found.notes)


def _two(a: Any, b: Any) -> dict[str, Any]:
    """Return two forecasts by name."""
    if b is None and isinstance(a, dict) and len(a) == 2:
        return {str(name): one for name, one in a.items()}
    if b is None:
        found = f"{len(a)} forecasts were" if isinstance(a, dict) and len(a) != 1 else "One forecast was"
        raise UsageError(
            "two-forecasts",
            f"{found} given, but two are compared.",
            cure="Give both, one after the other, or a mapping of two: {'old': p_old, 'new': p_new}. A list of columns is one forecast, with a column for each class.",
        )
    if isinstance(a, str) and isinstance(b, str) and a != b:
        return {a: a, b: b}
    return {"a": a, "b": b}


@staged("betting row by row")
def of_records(
    a: Observations,
    b: Observations,
    order: NDArray[Any] | None = None,
    *,
    alpha: float = 0.05,
    horizon: int = 1,
    names: tuple[str, str] = ("a", "b"),
) -> Sequential:
    """Return the sequential comparison of two checked records of the same rows; see :func:`sequential`.

    Parameters
    ----------
    order
        What to sort the rows by, shape (n,); None where they are in order of time. `horizon` counts its different values.
    """
    check_alpha(alpha, horizon)
    notes = list(dict.fromkeys([*a.notes, *b.notes]))
    _same_rows(a, b)
    at = np.arange(len(a)) if order is None else np.argsort(order, kind="stable")
    if order is None:
        told = "The rows are taken to be in order of time, as they stand; order= tells another (in a comparison: time=, CLI: --time)."
        notes.append(Note("order-assumed", told))
    elif (ties := len(order) - len(np.unique(order))) > 0:
        told = f"{units.count(ties, 'row')} {'has' if ties == 1 else 'have'} the time of one before; such rows are bet on one after the other, as they stand. That is fair where, given the forecasts, their outcomes do not tell of each other."
        notes.append(Note("same-time", told))
    a, b = a.take(at), b.take(at)
    point = None if order is None else np.unique(order, return_inverse=True)[1][at]
    if a.weight is not None and not a.weight.all():
        keep = a.weight > 0
        a, b, point = a.take(keep), b.take(keep), None if point is None else point[keep]
    stakes = staked(a, b)
    notes += _not_bet_on(stakes, a)
    book = Book.of(horizon)
    paths = book.enter(stakes, point)
    return Sequential(names, paths.sure, paths.mean, a.numbers(), alpha, horizon, tuple(notes))


def staked(a: Observations, b: Observations) -> Stakes:
    """Return the stakes of two checked records; refuse rows that cannot be bet on."""
    for one in (a, b):
        if one.soft:
            raise OutcomeError(
                "soft-in-bets",
                "The outcomes are shares of classes, but a bet is settled by what happened.",
                cure="Give one class per row.",
            )
        if one.weight is not None and len(one.weight) and one.weight.min() != one.weight.max():
            raise WeightError(
                "weights-in-bets",
                "The rows have different weights, but a bet has none: what it pays on a row does not depend on what others count.",
                cure="Leave the weights out, or set some to 0 to leave rows out.",
            )
    return stakes_of(a, b)


def _same_rows(a: Observations, b: Observations) -> None:
    if len(a) != len(b):
        raise AlignmentError(
            "different-lengths",
            f"The parts have different lengths: {len(a):,} rows of the first forecast, {len(b):,} of the second.",
            cure="Give both forecasts of the same rows.",
        )
    if a.classes != b.classes:
        raise UsageError(
            "other-classes",
            f"These forecasts are about different classes: {a.classes} and {b.classes}.",
            cure="Give both the same classes, in the same order.",
        )


def _not_bet_on(stakes: Stakes, record: Observations) -> list[Note]:
    """Say which rows no bet was placed on, or settled, as infinities met."""
    notes = []
    for kind, where in (("void", stakes.void), ("clash", stakes.clash & ~stakes.void)):
        at = np.flatnonzero(where)
        if not len(at):
            continue
        rows = f"{units.count(len(at), 'row')} ({places(record.numbers()[at])})"
        if kind == "void":
            notes.append(Note("bets-void", f"Both forecasts called impossible what happened in {rows}: both lose infinitely, so these settle no bet."))  # fmt: skip
        else:
            notes.append(Note("bets-not-placed", f"Each forecast calls impossible what the other allows in {rows}: the mean of their difference is infinity less infinity, so no bet was placed."))  # fmt: skip
    return notes
