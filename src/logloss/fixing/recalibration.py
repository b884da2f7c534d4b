"""`fix`: the best honest improvement of saved predictions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.calibrate.fits import CANDIDATES, candidates, fit_steps
from logloss.calibrate.fitted import FittedMap
from logloss.calibrate.maps import Identity, Quadratic, Scaling
from logloss.calibrate.odds import cost
from logloss.errors import UsageError, listing, suggestion
from logloss.fixing.divisions import divided
from logloss.fixing.fields import all_rows, mean, raced
from logloss.fixing.fields import gain as saved
from logloss.fixing.race import Field, Race, applied, gain_of, run, simplicity
from logloss.fixing.reasons import reason
from logloss.fixing.results import Fix, Tried
from logloss.notes import Note

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from logloss.interval import Interval
    from logloss.record import Observations, Space

    Float = NDArray[np.float64]

__all__ = ["fix", "of_record"]

ENOUGH = 5  # rows that differ; with fewer, the spread of a gain cannot be seen


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
        As in :func:`logloss.score`.
    group
        The group of each row (a customer, a site): groups stay whole, in one fold, and the interval is that of groups drawn.
    maps
        Which maps to try: names of :data:`logloss.calibrate.fits.CANDIDATES`; all by default. Doing nothing is always one.
    time
        When each row is from: a column, or an array of shape (n,). Folds are then stretches of time, and the interval is that of
        stretches drawn.
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
    Simon (2006), BMC Bioinformatics 7:91 (nested cross-validation); Hall (1992), J. R. Stat. Soc. B 54:221-228.

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
    found = divided(
        data, forecast, time=time, trained=trained, outcome=outcome, space=space, weight=weight, ids=ids, group=group,
        truth=truth, labels=labels, positive=positive, normalize_rows=normalize_rows, skip_missing=skip_missing,
        counts=counts, skip_unreadable=skip_unreadable,
    )  # fmt: skip
    return of_record(
        found.record,
        maps=maps,
        time=found.time,
        columns=found.columns,
        notes=found.notes,
        level=level,
        watch=watch,
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
    if not 0 < level < 1:
        raise UsageError(
            "bad-level",
            f"level is {level}, but it is a probability.",
            cure="Give one between 0 and 1, such as 0.95.",
        )
    K = len(record.classes)
    names = chosen_names(maps, K)
    if record.weight is not None and not record.weight.all():
        keep = record.weight > 0
        record, time = record.take(keep), None if time is None else time[keep]
    whole = all_rows(record)
    before = mean(cost(whole.Z, whole.T), whole.weight)
    said = [*record.notes, *notes]
    rows, sampled = raced(whole, record, time, said)
    base = FittedMap("identity", (Identity(),), record.classes, columns, record.space)
    common: dict[str, Any] = {"level": level, "grouped": record.group is not None, "timed": time is not None, "rows": len(record), "observations": record}  # fmt: skip
    if rows is None:
        identity = Tried("identity", CANDIDATES["identity"].said, before, 0.0, None, 0, 0)
        return Fix(before, before, 0.0, None, chosen="identity", why="Do nothing: there is too little to learn a map from.",
                   candidates=(identity,), map=base, folds=0, raced=len(record), notes=tuple(said), held=whole.Z, **common)  # fmt: skip
    race = run(rows, names, watch)
    span = gain_between(rows, race.losses["identity"], race.nested, level)
    chosen = race.leader if certain(race, span) else "identity"
    tried = _tried(rows, race, level)
    gain = saved(race.losses["identity"], race.nested, rows.weight)
    steps = fit_steps(chosen, whole.Z, whole.T, whole.weight)
    after = (
        before
        if chosen == "identity"
        else before - gain
        if math.isfinite(before)
        else mean(race.nested, rows.weight)
    )
    fitted = {"rows": len(record), "before": _json(before), "after": _json(after)}
    result = FittedMap(chosen, steps, record.classes, columns, record.space, fitted)
    said += _remarks(result, sampled=sampled)
    return Fix(
        before, after, gain, None if span is None else (span.low, span.high), chosen=chosen,
        why=reason(chosen, race.leader, tried, gain, None if span is None else (span.low, span.high), rows.folds),
        candidates=tried, map=result, folds=rows.folds, raced=len(rows.Z), notes=tuple(said),
        held=None if sampled else _held(rows, chosen), **common,
    )  # fmt: skip


def chosen_names(maps: str | Sequence[str] | None, K: int) -> list[str]:
    """Return the candidates to race, simplest first; refuse names that are none."""
    every = candidates(K)
    if maps is None:
        return every
    asked = [maps] if isinstance(maps, str) else list(maps)
    odd = [name for name in asked if name not in CANDIDATES]
    if odd:
        raise UsageError(
            "unknown-map",
            f"{odd[0]!r} is not a map.{suggestion(str(odd[0]), list(CANDIDATES))}",
            cure=f"Maps: {', '.join(every)}.",
        )
    unfit = [name for name in asked if name not in every]
    if unfit:
        raise UsageError(
            "unknown-map",
            f"{listing(unfit)} cannot be fitted to {K} classes.",
            cure=f"Maps of {K} classes: {', '.join(every)}.",
        )
    return sorted({*asked, "identity"}, key=lambda name: simplicity(name, K))


def gain_between(rows: Field, before: Float, after: Float, level: float) -> Interval | None:
    """Return the mean gain with its interval; None where a loss is infinite, or too few rows differ to see the spread."""
    if not (np.isfinite(before).all() and np.isfinite(after).all()):
        return None
    if int((before != after).sum()) < ENOUGH:
        return None
    return gain_of(before, after, rows.weight, rows.cluster, level)


def certain(race: Race, span: Interval | None) -> bool:
    """Tell whether what was chosen is certainly better than nothing: its interval excludes 0, or an infinite loss ends."""
    if race.leader == "identity":
        return False
    endless = np.isinf(race.losses["identity"])
    if endless.any():
        return not np.isinf(race.nested).any() and not np.isinf(race.losses[race.leader]).any()
    return span is not None and span.low > 0


def _tried(rows: Field, race: Race, level: float) -> tuple[Tried, ...]:
    """Return the candidates, least loss first."""
    found = []
    identity = race.losses["identity"]
    for name, losses in race.losses.items():
        span = None if name == "identity" else gain_between(rows, identity, losses, level)
        found.append(
            Tried(
                name,
                CANDIDATES[name].said,
                mean(losses, rows.weight),
                saved(identity, losses, rows.weight),
                None if span is None else (span.low, span.high),
                CANDIDATES[name].parameters(rows.classes),
                race.picked.count(name),
            )
        )
    return tuple(sorted(found, key=lambda one: (one.log_loss, one.parameters)))


def _held(rows: Field, chosen: str) -> Float:
    """Return the forecasts of all rows under the chosen map fitted without their fold."""
    if chosen == "identity":
        return rows.Z
    held = np.empty_like(rows.Z)
    for k in range(rows.folds):
        out = rows.fold == k
        w = rows.weight[~out]
        held[out] = applied(fit_steps(chosen, rows.Z[~out], rows.T[~out], w / w.mean()), rows.Z[out])
    return held


def _remarks(result: FittedMap, *, sampled: bool) -> list[Note]:
    """Say what a user of the map should know."""
    notes = []
    if sampled:
        notes.append(Note("raced-on-sample", "The race was run on a random sample of the rows; the map was then fitted on all of them."))  # fmt: skip
    for step in result.steps:
        if isinstance(step, Quadratic) and step.turns() is not None and abs(step.turns() or 0.0) < 20:
            notes.append(Note("not-monotone", f"The parabola turns round at log-odds of {step.turns():.3g}: beyond, a higher forecast becomes a lower one. maps= without 'quadratic' leaves it out."))  # fmt: skip
        if isinstance(step, Scaling) and step.slope.min() > 1.0:
            notes.append(Note("sharpens", "The map makes forecasts more certain. Forecasts of rows that a model was trained on often look as if they needed that: be sure that it has not seen these."))  # fmt: skip
    return notes


def _json(value: float) -> float | None:
    return value if math.isfinite(value) else None
