"""What a race decides: the choice, what it gains with its interval, and whether that is enough to do anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from logloss.calibrate.fits import CANDIDATES, candidates
from logloss.errors import UsageError, listing, suggestion
from logloss.fixing.fields import gain, mean
from logloss.fixing.gains import certain, gain_between
from logloss.fixing.race import Field, Race, run, simplicity
from logloss.fixing.results import Tried
from logloss.stages import staged, steps

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    Float = NDArray[np.float64]

__all__ = ["Verdict", "chosen_names", "held_out_by", "judged"]


@dataclass(frozen=True, eq=False)
class Verdict:
    """The race, what was chosen ("identity" is to do nothing), the held-out gain of the procedure and its interval."""

    race: Race
    chosen: str
    gain: float
    interval: tuple[float, float] | None
    tried: tuple[Tried, ...]


def judged(
    rows: Field, names: Sequence[str], level: float, watch: Callable[[int, int], None] | None = None
) -> Verdict:
    """Run the race and decide."""
    race = run(rows, names, watch)
    identity = race.losses["identity"]
    at = race.judged
    span = gain_between(rows.take(at), identity[at], race.nested[at], level)
    chosen = race.leader if certain(race, span) else "identity"
    worth = gain(identity[at], race.nested[at], rows.weight[at])
    return Verdict(
        race, chosen, worth, None if span is None else (span.low, span.high), _tried(rows, race, level)
    )


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


@staged("judging maps")
def _tried(rows: Field, race: Race, level: float) -> tuple[Tried, ...]:
    """Return the candidates, least loss first."""
    found = []
    at = race.compared
    rows, identity = rows.take(at), race.losses["identity"][at]
    for name, every in race.losses.items():
        losses = every[at]
        span = None if name == "identity" else gain_between(rows, identity, losses, level)
        found.append(
            Tried(
                name,
                CANDIDATES[name].said,
                mean(losses, rows.weight),
                gain(identity, losses, rows.weight),
                None if span is None else (span.low, span.high),
                CANDIDATES[name].parameters(rows.classes),
                race.picked.count(name),
            )
        )
    return tuple(sorted(found, key=lambda one: (one.log_loss, one.parameters)))


def held_out_by(rows: Field, chosen: str) -> Float:
    """Return the forecasts of all rows under the chosen map fitted without their fold; in time, to the folds before."""
    if chosen == "identity":
        return rows.Z
    held = rows.Z.copy()
    for k in steps(range(1 if rows.forward else 0, rows.folds), "fitting without each fold", "folds"):
        now = rows.fold == k
        train = rows.fold < k if rows.forward else ~now
        w = rows.weight[train]
        held[now] = rows.fit([chosen], rows.Z[train], rows.T[train], w / w.mean())[chosen](rows.Z[now])
    return held
