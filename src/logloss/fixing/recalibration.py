"""`fix`: the best honest improvement of saved predictions."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.calibrate.fits import CANDIDATES, fit_steps
from logloss.calibrate.fitted import FittedMap
from logloss.calibrate.maps import Identity
from logloss.calibrate.odds import cost
from logloss.errors import UsageError
from logloss.fixing.copies import copied
from logloss.fixing.divisions import divided, training_words
from logloss.fixing.fields import RACED, all_rows, field_of, folded, mean
from logloss.fixing.reasons import remarks
from logloss.fixing.results import Fix, Tried
from logloss.fixing.stacking import several
from logloss.fixing.streams import fit_again, sampled
from logloss.fixing.verdicts import chosen_names, held_out_by, judged
from logloss.labels import in_order_of_classes
from logloss.passes import height
from logloss.plain import jsonable
from logloss.rereading import again
from logloss.scoring import Score, of_summary
from logloss.sources import Opened, opened

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from logloss.calibrate.maps import Map
    from logloss.fixing.race import Field
    from logloss.fixing.verdicts import Verdict
    from logloss.notes import Note
    from logloss.record import Observations, Space
    from logloss.rereading import Again

    Float = NDArray[np.float64]

__all__ = ["fit_many", "fix", "many", "of_record", "of_table"]

MOST_ROWS = 5_000_000  # rows that are held in memory; more are passed over


def fix(
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
    maps: str | Sequence[str] | None = None,
    time: Any = None,
    trained: Any = None,
    level: float = 0.95,
    watch: Callable[[int, int | None], None] | None = None,
) -> Fix:
    """Find the map that improves these forecasts most on rows that had no part in finding it; or do nothing.

    Parameters
    ----------
    data, forecast, outcome, space, weight, ids, truth, labels, positive, normalize_rows, skip_missing, counts, skip_unreadable
        As in :func:`logloss.score`. A mapping of several forecasts of the same rows, {name: column, columns or array}, is made
        into one: mixed, or their log-odds added up; or the best of them is left as it is. Rows that all have take part.
    group
        The group of each row (a customer, a site): groups stay whole, in one fold, and the interval is that of groups drawn.
    maps
        Which maps to try: names of :data:`logloss.calibrate.fits.CANDIDATES`, of several forecasts of
        :data:`logloss.calibrate.stacks.STACKS`; all by default. Doing nothing is always one.
    time
        When each row is from: a column, or an array of shape (n,) - numbers, dates, or text such as 2026-01-31. Folds are then
        stretches of time, each judged under maps learnt and chosen from those before it, and the interval is that of stretches
        drawn.
    trained
        Rows that the model was trained on: the name of a column that says "train" or is true there, or an array of shape
        (n,). A fix learnt from them is worth nothing on new rows, and the result says so. Columns called `split`, `subset`,
        `fold` or `is_train` that say "train" are found.
    level
        Coverage of the intervals. A map is chosen only if that of its gain excludes 0.
    watch
        Called with (fits done, fits to do) during the race.

    Returns
    -------
    Fix
        Losses before and after in nats, what was tried and what each gained, why the winner won, and the map.

    Raises
    ------
    LoglossError
        UsageError for a call that does not fit together; DataErrors for data that cannot be scored.

    Notes
    -----
    Ten folds (five of many rows). Candidates are fitted without each fold and judged on it; the choice is made anew without
    each fold, from maps fitted without two, and judged on it. The choice: the simplest map within one standard error of the
    best. What choosing and fitting gain there has an interval by Hall's transformation; unless it excludes 0, nothing is done.

    References
    ----------
    Breiman, Friedman, Olshen, Stone (1984), Classification and Regression Trees (the one-standard-error rule); Varma and
    Simon (2006), BMC Bioinformatics 7:91 (nested cross-validation); Ranjan and Gneiting (2010), J. R. Stat. Soc. B
    72:71-91 (pools); Hall (1992), J. R. Stat. Soc. B 54:221-228.

    Examples
    --------
    >>> import numpy as np
    >>> import logloss as ll
    >>> random = np.random.default_rng(0)
    >>> z = random.normal(0, 1.5, 2000)
    >>> y = random.random(2000) < 1 / (1 + np.exp(-z))
    >>> overconfident = 1 / (1 + np.exp(-2 * z))
    >>> result = ll.fix(y.astype(int), overconfident)
    >>> result.chosen, round(result.before, 3), round(result.after, 3)
    ('temperature', 0.599, 0.528)
    >>> result.apply([0.99, 0.5]).round(3).tolist()
    [0.909, 0.5]
    """
    check_level(level)
    if isinstance(forecast, dict):
        return several(
            data, forecast, maps=maps, time=time, trained=trained, level=level, watch=watch, outcome=outcome, space=space,
            weight=weight, ids=ids, group=group, truth=truth, labels=labels, positive=positive, counts=counts,
            normalize_rows=normalize_rows, skip_missing=skip_missing, skip_unreadable=skip_unreadable,
        )  # fmt: skip
    found = opened(
        data, forecast, outcome=outcome, space=space, weight=weight, ids=ids, group=group, truth=truth, labels=labels,
        positive=positive, normalize_rows=normalize_rows, skip_missing=skip_missing, counts=counts,
        skip_unreadable=skip_unreadable,
    )  # fmt: skip
    if isinstance(found, Opened) and many(found):
        if time is not None or trained is not None:
            raise UsageError(
                "not-in-passes",
                f"More than {MOST_ROWS:,} rows are passed over batch by batch, and time= and trained= need all of them at once.",
                cure="Give a sample of the rows, or the rows that the model was not trained on.",
            )
        return of_table(found, maps=maps, level=level, watch=watch)
    rows = divided(found, time=time, trained=trained)
    return of_record(
        rows.record,
        maps=maps,
        time=rows.time,
        columns=rows.columns,
        notes=rows.notes,
        level=level,
        watch=watch,
    )


def check_level(level: float) -> None:
    """Refuse a coverage that is no probability."""
    if not 0 < level < 1:
        raise UsageError(
            "bad-level",
            f"level is {level}, but it is a probability.",
            cure="Give one between 0 and 1, such as 0.95.",
        )


def of_record(
    record: Observations,
    *,
    maps: str | Sequence[str] | None = None,
    time: NDArray[Any] | None = None,
    columns: tuple[str, ...] = (),
    notes: Sequence[Note] = (),
    level: float = 0.95,
    watch: Callable[[int, int | None], None] | None = None,
) -> Fix:
    """Fix a checked record; `time` is in the order of its rows, shape (n,)."""
    names = chosen_names(maps, len(record.classes))
    if record.weight is not None and not record.weight.all():
        keep = record.weight > 0
        record, time = record.take(keep), None if time is None else time[keep]
    whole = all_rows(record)
    said = [*record.notes, *notes]
    clusters = record.clusters()
    rows = folded(whole, None if clusters is None else clusters.code, time, said)
    before = mean(cost(whole.Z, whole.T), whole.weight)
    base = FittedMap("identity", (Identity(),), record.classes, columns, record.space)
    common: dict[str, Any] = {
        "level": level,
        "grouped": clusters is not None,
        "timed": time is not None,
        "rows": len(record),
        "observations": record,
    }
    if rows is None:
        return _nothing(before, base, len(record), said, held=lambda: whole.Z, **common)
    said += [] if (note := copied(rows)) is None else [note]
    verdict = judged(rows, names, level, watch)
    steps = fit_steps(verdict.chosen, whole.Z, whole.T, whole.weight)
    every = len(rows.Z) == len(record)
    all_folded = (
        rows if every else folded(whole, None if clusters is None else clusters.code, time, [], sample=False)
    )
    return _answer(
        before,
        verdict,
        rows,
        steps,
        base,
        said,
        how=None if every else f"fitted to all {len(record):,} rows",
        held=None if all_folded is None else partial(held_out_by, all_folded, verdict.chosen),
        **common,
    )


def of_table(
    found: Opened,
    *,
    maps: str | Sequence[str] | None = None,
    level: float = 0.95,
    watch: Callable[[int, int | None], None] | None = None,
) -> Fix:
    """Fix a table of any size: the race on a sample, then what it chose fitted to all rows, pass by pass."""
    table, whole, code, base = passed_over(found)
    summary = table.summary
    names = chosen_names(maps, len(summary.classes))
    said = [*summary.notes, *training_words(found.stream, found.asked)]
    rows = folded(whole, code, None, said)
    scored = of_summary(summary)
    assert isinstance(scored, Score)
    before = scored.log_loss
    common: dict[str, Any] = {
        "level": level,
        "grouped": code is not None,
        "timed": False,
        "rows": summary.n,
        "observations": None,
    }
    if rows is None:
        return _nothing(before, base, len(whole.Z), said, held=None, **common)
    verdict = judged(rows, names, level, watch)
    steps, how = fit_again(verdict.chosen, table, rows)
    return _answer(before, verdict, rows, steps, base, said, how=how, held=None, **common)


def passed_over(found: Opened) -> tuple[Again, Field, NDArray[np.int64] | None, FittedMap]:
    """Return a table to pass over, a random sample of its rows, their groups, and the map that does nothing to it."""
    table = again(found.stream, found.asked, skip_unreadable=found.skip_unreadable)
    drawn = sampled(table, RACED)
    code = None if drawn.group is None else np.unique(drawn.group.astype(str), return_inverse=True)[1]
    whole = field_of(drawn.Z, drawn.T, drawn.weight / drawn.weight.mean())
    classes, asked = table.summary.classes, table.plan.asked
    columns = tuple(in_order_of_classes(asked.forecast, classes))
    return table, whole, code, FittedMap("identity", (Identity(),), classes, columns, asked.door["space"])


def fit_many(found: Opened, name: str, *, ridge: float | None = None) -> FittedMap:
    """Fit one map to a table that is passed over."""
    table, whole, _, base = passed_over(found)
    chosen_names(name, len(base.classes))
    steps, how = fit_again(name, table, whole, ridge=ridge)
    told = {"rows": table.summary.n, "how": how}
    return FittedMap(name, steps, base.classes, base.columns, base.space, told)


def many(found: Opened) -> bool:
    """Tell whether a table is passed over: one that can be read again, with its outcomes in it."""
    if found.answers is not None or not found.stream.again:
        return False
    expected = found.stream.expected()
    return bool((height(found.stream.head(MOST_ROWS)) if expected is None else expected - 1) >= MOST_ROWS)


def _nothing(
    before: float,
    base: FittedMap,
    raced: int,
    notes: list[Note],
    *,
    held: Callable[[], Float] | None,
    **common: Any,
) -> Fix:
    """Return the answer where there is too little to learn from."""
    identity = Tried("identity", CANDIDATES["identity"].said, before, 0.0, None, 0, 0)
    return Fix(
        before,
        before,
        0.0,
        None,
        chosen="identity",
        leader="",
        candidates=(identity,),
        map=base,
        folds=0,
        raced=raced,
        notes=tuple(notes),
        held=held,
        **common,
    )


def _answer(
    before: float,
    verdict: Verdict,
    raced: Field,
    steps: tuple[Map, ...],
    base: FittedMap,
    notes: list[Note],
    *,
    how: str | None,
    held: Callable[[], Float] | None,
    **common: Any,
) -> Fix:
    """Put the answer together; `how` the map was fitted where the race was run on a sample."""
    after = before
    if verdict.chosen != "identity":
        after = before - verdict.gain if math.isfinite(before) else mean(verdict.race.nested, raced.weight)
    told = {"rows": common["rows"], "before": jsonable(before), "after": jsonable(after)}
    made = FittedMap(verdict.chosen, steps, base.classes, base.columns, base.space, told)
    return Fix(
        before,
        after,
        verdict.gain,
        verdict.interval,
        chosen=verdict.chosen,
        leader=verdict.race.leader,
        candidates=verdict.tried,
        map=made,
        folds=raced.folds,
        raced=len(raced.Z),
        notes=(*notes, *remarks(made, how)),
        held=held,
        **common,
    )
