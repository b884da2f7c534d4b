"""Where in the data the loss is: slices that cost more than the rest, and whether they are harder or worse calibrated.

All slices are listed before the loss is looked at. Two statistics are taken of each, and the largest of either over all
slices is compared with what it is where nothing is to be found:

    loss         T = (sum of w (s - mean) over the slice) / (sd sqrt(m (1 - m / n))), the surprises dealt out at random;
    calibration  Q = U' V^-1 U with U the sums of w (y - p) and w (y - p) logit p over the slice and V their covariance
                 under the forecasts: the score test of an offset and a temperature of the slice's own. Outcomes are
                 drawn from the forecasts, after the remedies for all rows together.

With groups whole groups are exchanged instead. p-values are adjusted for all slices (Westfall and Young 1993) and for the
two questions; under no structure 5 % of data sets show any slice.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss import interval
from logloss.calibrate.odds import cost
from logloss.calibrate.scaling import fit
from logloss.errors import listing
from logloss.figures.drawing import Framed
from logloss.notes import Note
from logloss.plain import jsonable
from logloss.slicing.contrasts import ALPHA, HARDER, WORSE, Contrasts
from logloss.slicing.resampling import REPLICATES
from logloss.slicing.segments import levels, segments
from logloss.stages import staged

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from logloss.figures.drawing import Drawings
    from logloss.record import Observations
    from logloss.slicing.segments import Segments
    from logloss.why.steps import Held

    Float = NDArray[np.float64]

__all__ = ["Slice", "Slices", "of_record"]

FEWEST_GROUPS = 10  # in a slice; over fewer no interval is believed
MOST_FITTED = 100_000
SHOWN = 50
NAMED = 5  # slices that are found one without the rows of the other
FOLDS = 5


@dataclass(frozen=True)
class Slice:
    """A slice of rows; losses are means over its rows, in nats.

    Attributes
    ----------
    excess, shrunk
        Its loss minus that of all rows; the same shrunk towards 0 by how much slices differ by chance (James-Stein).
    p_value
        That its loss is so high by chance, adjusted for all slices.
    calibration, calibration_interval
        What an offset and a temperature for these rows alone would save per row, on rows they were not fitted on;
        only for slices that were looked at closely. `calibration_p` is adjusted for all slices.
    harder
        By how much more the forecasts, after the remedies for all rows, expect these rows to cost than all rows.
    verdict
        "worse calibrated", "harder", or "" where chance explains it (or another slice: the rows of those named
        before it do not count).
    nats, nats_interval
        What it is worth in the loss of all rows. Worse calibrated: what a map of their own saves beyond the map that
        the other rows ask for. Harder: share of the weight times `excess`.
    """

    name: str
    columns: tuple[str, ...]
    rows: int
    weight: float
    log_loss: float
    share: float
    infinite_rows: int
    excess: float
    shrunk: float
    p_value: float
    calibration_p: float
    calibration: float | None = None
    calibration_interval: tuple[float, float] | None = None
    harder: float | None = None
    verdict: str = ""
    nats: float = 0.0
    nats_interval: tuple[float, float] | None = None


@dataclass(frozen=True, eq=False)
class Slices(Framed):
    """The slices looked at: those named first, then the costliest.

    Attributes
    ----------
    looked_at
        How many slices, of how many columns, were looked at.
    replicates
        How many data sets without structure they were compared with.
    grouped
        Whether whole groups were exchanged and not rows.
    """

    rows: tuple[Slice, ...]
    looked_at: int
    columns: tuple[str, ...]
    replicates: int
    grouped: bool
    notes: tuple[Note, ...]
    off: NDArray[np.bool_] = field(repr=False)  # rows of slices that are worse calibrated, shape (n,)

    @property
    def named(self) -> tuple[Slice, ...]:
        """The slices that chance does not explain."""
        return tuple(one for one in self.rows if one.verdict)

    def _drawings(self) -> Drawings:
        from logloss.figures.segments import SLICES

        return {"slices": SLICES}

    def to_dict(self) -> list[dict[str, Any]]:
        """Return plain values for JSON."""
        found: list[dict[str, Any]] = jsonable([asdict(one) for one in self.rows])
        return found


@staged("looking for slices")
def of_record(
    record: Observations,
    columns: Mapping[str, NDArray[Any]],
    held: Held,
    surprise: Float,
    *,
    pairs: bool | None = None,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> Slices:
    """Look for slices of a checked record that cost more than the rest.

    Parameters
    ----------
    columns
        Name -> values of shape (n,), in the order of the record's rows.
    held
        The forecasts after the remedies for all rows.
    surprise
        Of each row as given, shape (n,).
    """
    weight = np.ones(len(record)) if record.weight is None else record.weight
    counts = weight > 0
    if not counts.all():
        record, weight, surprise = record.take(counts), weight[counts], surprise[counts]
        held = held.take(counts)
        columns = {name: values[counts] for name, values in columns.items()}
    columns, told = _tell_the_outcome(record, columns)
    parts = segments(columns, len(record), pairs=pairs)
    parts = replace(parts, notes=(*told, *parts.notes))
    look = Contrasts(record, parts, held, surprise, weight / weight.mean(), replicates, seed)
    found = _result(look) if len(parts) else _nothing(parts, len(record), replicates)
    if counts.all():
        return found
    off = np.zeros(len(counts), bool)
    off[counts] = found.off
    return replace(found, off=off)


def _result(look: Contrasts) -> Slices:
    """Return the slices with their p-values, verdicts and worth."""
    rows, mass, cost_, lost = look.parts.sums(
        np.ones(len(look.weight)), look.weight, look.weight * look.s, look.lost.astype(np.float64)
    )
    loss_p, calibration_p = look.p_values()
    kept = look.parts.sums(np.where(look.lost, 0.0, look.weight))[0]
    excess, shrunk = _excess(look, rows, kept)
    total = float((look.weight * look.s).sum())
    names = [(split, name) for split in look.parts.splits for name in split.names]
    found = [
        Slice(
            name=name,
            columns=split.columns,
            rows=int(rows[at]),
            weight=float(mass[at] / len(look.weight)),
            log_loss=look.mean + float(excess[at]),
            share=float(cost_[at] / total) if total > 0 else 0.0,
            infinite_rows=int(lost[at]),
            excess=float(excess[at]),
            shrunk=float(shrunk[at]),
            p_value=float(loss_p[at]),
            calibration_p=float(calibration_p[at]),
        )
        for at, (split, name) in enumerate(names)
    ]
    named = _named(look, found)
    for at, one in named.items():
        found[at] = one
    first = sorted(named, key=lambda at: (found[at].verdict != WORSE, -found[at].nats))
    rest = [at for at in np.argsort(-excess * mass, kind="stable").tolist() if at not in named]
    return Slices(
        tuple(found[at] for at in [*first, *rest][:SHOWN]), len(look.parts),
        tuple(split.columns[0] for split in look.parts.singles), look.replicates, look.cluster is not None,
        look.parts.notes, _off(look, [at for at in first if found[at].verdict == WORSE]),
    )  # fmt: skip


def _tell_the_outcome(
    record: Observations, columns: Mapping[str, NDArray[Any]]
) -> tuple[dict[str, NDArray[Any]], tuple[Note, ...]]:
    """Return the columns without those that tell the outcome, such as a copy of it under another name, and a note on them."""
    if record.soft:
        return dict(columns), ()
    outcome, K = record.outcome.astype(np.int64, copy=False), len(record.classes)
    kept, told = {}, []
    for name, values in columns.items():
        code, count = levels(values)
        if 1 < count <= 2 * K:
            table = np.bincount(code * K + outcome, minlength=count * K).reshape(count, K)
            if table.max(axis=1).sum() == len(outcome) and (table.sum(axis=0) > 0).sum() > 1:
                told.append(name)
                continue
        kept[name] = values
    if not told:
        return kept, ()
    text = f"Not sliced by {listing([repr(name) for name in told])}: it tells the outcome."
    return kept, (Note("not-sliced", text),)


def _nothing(parts: Segments, rows: int, replicates: int) -> Slices:
    return Slices((), 0, (), replicates, False, parts.notes, np.zeros(rows, bool))


def _off(look: Contrasts, named: list[int]) -> NDArray[np.bool_]:
    """Return which rows are in one of these slices."""
    off = np.zeros(len(look.weight), bool)
    for at in named:
        off[look.parts.members(at)] = True
    return off


def _excess(look: Contrasts, rows: Float, mass: Float) -> tuple[Float, Float]:
    """Return the excess loss of each slice, and the same shrunk by A / (A + se^2), A the variance between slices."""
    sums = look.parts.sums(look.u)[0]
    with np.errstate(invalid="ignore", divide="ignore"):
        excess = np.where(mass > 0, sums / mass, 0.0)
        error = np.where(mass > 0, float(look.u.std()) * np.sqrt(rows * (1 - rows / len(look.u))) / mass, np.inf)  # fmt: skip
    known = np.isfinite(error)
    between = max(float((excess[known] ** 2 - error[known] ** 2).mean()), 0.0) if known.any() else 0.0
    kept = between / np.maximum(between + np.where(known, error, 1.0) ** 2, 1e-300)
    return excess, np.where(known, excess * kept, 0.0)


def _named(look: Contrasts, found: list[Slice]) -> dict[int, Slice]:
    """Return the slices that chance does not explain, each still standing without the rows of those before it."""
    named: dict[int, Slice] = {}
    free = np.ones(len(look.weight), bool)
    for verdict in (WORSE, HARDER):
        p = np.array([one.calibration_p if verdict == WORSE else one.p_value for one in found])
        worst = [at for at in np.flatnonzero(p <= ALPHA).tolist() if at not in named]
        while worst and len(named) < NAMED:
            statistic = look.standing(verdict, free)
            at = max(worst, key=statistic.__getitem__)
            if statistic[at] < look.critical[verdict]:
                break
            rows = look.parts.members(at)
            one = _described(look, found[at], rows, verdict)
            if one.verdict:
                named[at] = one
                free[rows] = False
            worst.remove(at)
    return named


def _described(look: Contrasts, one: Slice, at: NDArray[np.int64], verdict: str) -> Slice:
    """Return the slice with what a map of its own would save, held out; no verdict where that, or the harder part, is nothing."""
    inside = np.zeros(len(look.weight), bool)
    inside[at] = True
    own, others = _own_map(look, inside), _map_of_others(look, inside)
    gain, span = _mean(look, cost(look.given[at, None], look.held.happened[at, None]) - own, inside)
    beyond, whole = _mean(look, others - own, inside)
    share = one.weight
    whole = None if whole is None else (share * whole[0], share * whole[1])
    entropy, w = look.held.entropy, look.weight
    harder = float((w * entropy)[inside].sum() / w[inside].sum() - (w * entropy).sum() / w.sum())
    if verdict == WORSE and (whole is None or whole[0] <= 0):
        verdict = ""
    if verdict == HARDER and not (
        one.calibration_p > ALPHA and harder >= 0.5 * one.excess and _surprise_z(look, inside) <= 2
    ):
        verdict = ""
    worth = share * (beyond if verdict == WORSE else one.excess)
    return replace(
        one,
        calibration=gain,
        calibration_interval=span,
        harder=harder,
        verdict=verdict,
        nats=worth if verdict else 0.0,
        nats_interval=whole if verdict == WORSE else None,
    )


def _surprise_z(look: Contrasts, inside: NDArray[np.bool_]) -> float:
    """Return by how many standard errors the rows cost more than the forecasts after the remedies expect."""
    held, w = look.held, look.weight * inside
    known = np.isfinite(held.surprise)
    excess = float((w * np.where(known, held.surprise - held.entropy, 0.0)).sum())
    variance = float((w * w * np.where(known, held.variance, 0.0)).sum())
    return excess / math.sqrt(variance) if variance > 0 else 0.0


def _own_map(look: Contrasts, inside: NDArray[np.bool_]) -> Float:
    """Return the surprise of these rows after an offset and a temperature of their own, fitted on other folds."""
    at = np.flatnonzero(inside)
    Z, T, w = look.given[at, None], look.held.happened[at, None], look.weight[at]
    unit = np.arange(len(at))
    if look.cluster is not None:  # counted in the slice: groups may be there in turn
        unit = np.unique(look.cluster[at], return_inverse=True)[1]
    fold = (np.random.default_rng(look.seed).permutation(int(unit.max()) + 1) % FOLDS)[unit]
    after = cost(Z, T)
    for k in range(FOLDS):
        out = fold == k
        if not out.any() or out.all():
            continue
        some = np.flatnonzero(~out)[:: max(1, int((~out).sum()) // MOST_FITTED)]
        one = fit("affine", Z[some], T[some], w[some] / w[some].mean())
        after[out] = cost(one(Z[out]), T[out])
    return after


def _map_of_others(look: Contrasts, inside: NDArray[np.bool_]) -> Float:
    """Return the surprise of these rows after the offset and temperature that the other rows ask for."""
    at = np.flatnonzero(~inside)
    at = at[:: max(1, len(at) // MOST_FITTED)]
    w = look.weight[at]
    one = fit("affine", look.given[at, None], look.held.happened[at, None], w / w.mean())
    return cost(one(look.given[inside, None]), look.held.happened[inside, None])


def _mean(
    look: Contrasts, saved: Float, inside: NDArray[np.bool_]
) -> tuple[float, tuple[float, float] | None]:
    """Return the mean of what these rows save with its interval, over groups where there are groups; None for fewer than 10."""
    if look.cluster is None:
        found = interval.of_rows(saved, look.weight[inside])
    else:
        code = np.unique(look.cluster[inside], return_inverse=True)[1]
        found = interval.of_clusters(saved, look.weight[inside], code)
        if found is not None and code.max() + 1 < FEWEST_GROUPS:
            return found.mean, None
    return (0.0, None) if found is None else (found.mean, (found.low, found.high))
