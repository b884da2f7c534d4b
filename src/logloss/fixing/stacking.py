"""`fix` of several forecasts of the same rows: the best honest way to make one of them; or the best single one as it is."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.calibrate.fitted import forecasts_of
from logloss.calibrate.odds import cost
from logloss.calibrate.pooled import FittedPool, Member, in_order
from logloss.calibrate.pools import Pool
from logloss.calibrate.stacks import STACKS, best_single, fit_pools, losses_of, stacks
from logloss.errors import UsageError, listing, suggestion
from logloss.fixing.divisions import divided_together
from logloss.fixing.fields import folded, mean
from logloss.fixing.fields import gain as saved
from logloss.fixing.gains import certain, gain_between
from logloss.fixing.race import Field, Race, run
from logloss.fixing.results import Fix, Tried
from logloss.notes import Note
from logloss.stages import steps
from logloss.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from logloss.record import Observations

    Float = NDArray[np.float64]

__all__ = ["of_records", "several"]


def several(
    data: Any,
    forecasts: dict[Any, Any],
    *,
    maps: str | Sequence[str] | None = None,
    time: Any = None,
    trained: Any = None,
    level: float = 0.95,
    watch: Callable[[int, int | None], None] | None = None,
    **options: Any,
) -> Fix:
    """Fix several forecasts of the same rows, given by name; `options` are the table arguments of :func:`logloss.fix`."""
    if len(forecasts) < 2 or len({str(name) for name in forecasts}) < len(forecasts):
        raise UsageError(
            "too-few-forecasts",
            f"A mapping of forecasts has {len({str(name) for name in forecasts})} of them.",
            cure="Name two or more; give a single one by itself.",
        )
    found = divided_together(data, forecasts, time=time, trained=trained, **options)
    return of_records(
        found.records,
        maps=maps,
        time=found.time,
        columns=found.columns,
        notes=found.notes,
        level=level,
        watch=watch,
    )


def of_records(
    records: dict[str, Observations],
    *,
    maps: str | Sequence[str] | None = None,
    time: NDArray[Any] | None = None,
    columns: dict[str, tuple[str, ...]] | None = None,
    notes: Sequence[Note] = (),
    level: float = 0.95,
    watch: Callable[[int, int | None], None] | None = None,
) -> Fix:
    """Fix checked records of the same rows, in the same order, by the name of their forecast; `time` of shape (n,)."""
    lead = _lead(records)
    if lead.weight is not None and not lead.weight.all():
        keep = lead.weight > 0
        records = {name: record.take(keep) for name, record in records.items()}
        lead, time = lead.take(keep), None if time is None else time[keep]
    K, M = len(lead.classes), len(records)
    names = _chosen(maps, K, M)
    whole, best = _together(records, lead)
    before = mean(cost(whole.Z[:, best], whole.T), whole.weight)
    said = list(dict.fromkeys([note for record in records.values() for note in record.notes] + [*notes]))
    clusters = lead.clusters()
    rows = folded(whole, None if clusters is None else clusters.code, time, said)
    members = tuple(
        Member(name, record.classes, (columns or {}).get(name, ())) for name, record in records.items()
    )
    fitted: dict[str, Any] = {"rows": len(lead), "best": list(records)[best], "before": _json(before)}

    def made(name: str, pool: Pool, after: float) -> FittedPool:
        told = fitted | {"after": _json(after)}
        return FittedPool(name, members, pool.kind, pool.weights, pool.steps, lead.classes, lead.space, told)

    common: dict[str, Any] = {"level": level, "grouped": lead.group is not None, "timed": time is not None, "rows": len(lead), "observations": lead}  # fmt: skip
    if rows is None:
        alone = Tried("identity", STACKS["identity"].said, before, 0.0, None, 0, 0)
        return Fix(before, before, 0.0, None, chosen="identity", leader="",
                   candidates=(alone,), map=made("identity", Pool("linear", np.eye(M)[best]), before), folds=0,
                   raced=len(lead), notes=tuple(said), held=lambda: whole.Z[:, best], **common)  # fmt: skip
    sampled = len(rows.Z) < len(lead)
    race = run(rows, names, watch)
    at = race.judged
    span = gain_between(rows.take(at), race.losses["identity"][at], race.nested[at], level)
    chosen = race.leader if certain(race, span) else "identity"
    tried = _tried(rows, race, list(records), best, level)
    gain = saved(race.losses["identity"][at], race.nested[at], rows.weight[at])
    pool = whole.fit([chosen], whole.Z, whole.T, whole.weight)[chosen]
    assert isinstance(pool, Pool)
    after = (
        before
        if chosen == "identity"
        else before - gain
        if math.isfinite(before)
        else mean(race.nested, rows.weight)
    )
    interval = None if span is None else (span.low, span.high)
    said += _remarks(pool, list(records), sampled=sampled)
    return Fix(
        before, after, gain, interval, chosen=chosen,
        leader=race.leader,
        candidates=tried, map=made(chosen, pool, after), folds=rows.folds, raced=len(rows.Z), notes=tuple(said),
        held=None if sampled else (lambda: whole.Z[:, best] if chosen == "identity" else _held(rows, chosen)), **common,
    )  # fmt: skip


def _lead(records: dict[str, Observations]) -> Observations:
    """Return the record whose classes are in the order of what comes out; refuse records of different classes."""
    lead = next((record for record in records.values() if not record.binary), next(iter(records.values())))
    for name, record in records.items():
        if set(record.classes) != set(lead.classes):
            raise UsageError(
                "other-classes",
                f"Forecast {name!r} is about the classes {listing(map(repr, record.classes))}, others about {listing(map(repr, lead.classes))}.",
                cure="Give forecasts of the same classes.",
            )
    if {str(label) for label in lead.classes} == set(records):
        raise UsageError(
            "forecasts-or-classes",
            f"The forecasts are called like the classes: {listing(map(repr, records))}. Are they one forecast with a column for each class?",
            cure="Give that as an array or a table with a column per class, or as a list of columns; else give the forecasts other names.",
        )
    return lead


def _chosen(maps: str | Sequence[str] | None, K: int, M: int) -> list[str]:
    """Return the ways to race, simplest first; refuse names that are none."""
    every = stacks(K, M)
    if maps is None:
        return every
    asked = [maps] if isinstance(maps, str) else list(maps)
    odd = [name for name in asked if name not in every]
    if odd:
        raise UsageError(
            "unknown-map",
            f"{odd[0]!r} is not a way to make one forecast of {M} of {K} classes.{suggestion(str(odd[0]), every)}",
            cure=f"There are {', '.join(every)}.",
        )
    return [name for name in every if name in {*asked, "identity"}]


def _together(records: dict[str, Observations], lead: Observations) -> tuple[Field, int]:
    """Return all rows as they go into a fit, forecasts of shape (n, M, C), and the position of the best single forecast.

    Which one is best all rows say. Were it chosen without each fold, of two that are about as good the one that is worse
    in the fold would be chosen, and any pool would seem to gain.
    """
    found = []
    for record in records.values():
        one = np.concatenate([part for part, _ in forecasts_of(record)])
        found.append(in_order(one, record.classes, lead.classes))
    T = np.concatenate([part for _, part in forecasts_of(lead)])
    weight = np.ones(len(T)) if lead.weight is None else lead.weight / lead.weight.mean()
    Z = np.stack(found, axis=1)
    best = best_single(losses_of(Z, T), weight)
    places = stacks(len(lead.classes), len(records))
    rows = Field(
        Z,
        T,
        weight,
        np.zeros(0, np.int64),
        fit=partial(fit_pools, best=best),
        order=lambda name, _: (places.index(name), 0),
    )
    return rows, best


def _tried(rows: Field, race: Race, names: list[str], best: int, level: float) -> tuple[Tried, ...]:
    """Return the ways that were tried and the other forecasts as they are, least loss first."""
    identity, K, M = race.losses["identity"], rows.classes, len(names)
    columns = losses_of(rows.Z, rows.T).T
    single = {f"only {name}": columns[m] for m, name in enumerate(names) if m != best}
    found = []
    at = race.compared
    rows, identity = rows.take(at), identity[at]
    for name, every in {**race.losses, **single}.items():
        losses = every[at]
        span = None if name == "identity" else gain_between(rows, identity, losses, level)
        found.append(
            Tried(
                name,
                "this forecast as it is" if name in single else STACKS[name].said,
                mean(losses, rows.weight),
                saved(identity, losses, rows.weight),
                None if span is None else (span.low, span.high),
                0 if name in single else STACKS[name].parameters(K, M),
                race.picked.count(name),
            )
        )
    return tuple(sorted(found, key=lambda one: (one.log_loss, one.parameters)))


def _held(rows: Field, chosen: str) -> Float:
    """Return one forecast of all rows under what was chosen, fitted without their fold."""
    held = np.empty((len(rows.Z), rows.Z.shape[2]))
    for k in steps(range(rows.folds), "fitting without each fold", "folds"):
        out = rows.fold == k
        w = rows.weight[~out]
        held[out] = rows.fit([chosen], rows.Z[~out], rows.T[~out], w / w.mean())[chosen](rows.Z[out])
    return held


def _remarks(pool: Pool, names: list[str], *, sampled: bool) -> list[Note]:
    """Say what a user of the pool should know."""
    notes = []
    if sampled:
        notes.append(Note("raced-on-sample", "The race was run on a random sample of the rows. The pool was then fitted to all of them."))  # fmt: skip
    idle = [printable(name) for name, b in zip(names, pool.weights, strict=True) if b == 0]
    if idle and pool.only is None:
        notes.append(Note("idle-forecasts", f"Weight 0: {listing(idle)}. New rows need no forecast of {'it' if len(idle) == 1 else 'them'}."))  # fmt: skip
    return notes


def _json(value: float) -> float | None:
    return value if math.isfinite(value) else None
