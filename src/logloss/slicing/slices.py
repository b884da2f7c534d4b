"""Where in the data the loss is: slices that cost more than the rest, and whether they are harder or worse calibrated.

All slices are listed before the loss is looked at. Two statistics are taken of each, and the largest of either over all
slices is compared with what it is where nothing is to be found:

    loss         T = (sum of w (s - mean) over the slice) / (sd sqrt(m (1 - m / n))), the surprises dealt out at random;
    calibration  Q = U' V^-1 U with U the sums of w (y - p) and w (y - p) logit p over the slice and V their covariance
                 under the forecasts: the score test of an offset and a temperature of the slice's own. Outcomes are
                 drawn from the forecasts, after the remedies for all rows together.

With groups whole groups change sign instead. p-values are adjusted for all slices (Westfall and Young 1993) and for the
two questions; under no structure 5 % of data sets show any slice.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss import interval
from logloss.calibrate.scaling import cost, fit
from logloss.plain import jsonable
from logloss.slicing.contrasts import ALPHA, HARDER, WORSE, Contrasts
from logloss.slicing.resampling import REPLICATES
from logloss.slicing.segments import segments

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from logloss.notes import Note
    from logloss.record import Observations
    from logloss.why.remedies import Held

    Float = NDArray[np.float64]

__all__ = ["Slice", "Slices", "of_record"]

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
        only for slices that are named. `calibration_p` is adjusted for all slices.
    harder
        The rest of the excess: rows about which the forecast knows less, rightly.
    verdict
        "worse calibrated", "harder", or "" where chance explains it (or another slice: the rows of those named
        before it do not count).
    nats
        What it is worth in the loss of all rows: share of the weight times `calibration` (worse calibrated) or
        `excess`.
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


@dataclass(frozen=True, eq=False)
class Slices:
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

    @property
    def named(self) -> tuple[Slice, ...]:
        """The slices that chance does not explain."""
        return tuple(one for one in self.rows if one.verdict)

    def to_dict(self) -> list[dict[str, Any]]:
        """Return plain values for JSON."""
        found: list[dict[str, Any]] = jsonable([asdict(one) for one in self.rows])
        return found


def of_record(
    record: Observations,
    columns: Mapping[str, NDArray[Any]],
    held: Held,
    surprise: Float,
    *,
    pairs: bool | None = None,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> Slices | None:
    """Look for slices of a checked record that cost more than the rest; None where no column makes slices.

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
        held = replace(held, **{name: getattr(held, name)[counts] for name in vars(held)})
        columns = {name: values[counts] for name, values in columns.items()}
    parts = segments(columns, len(record), pairs=pairs)
    if not len(parts):
        return None
    look = Contrasts(record, parts, held, surprise, weight / weight.mean(), replicates, seed)
    return _result(look)


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
        tuple(found[at] for at in [*first, *rest][:SHOWN]),
        len(look.parts),
        tuple(split.columns[0] for split in look.parts.singles),
        look.replicates,
        look.cluster is not None,
        look.parts.notes,
    )


def _excess(look: Contrasts, rows: Float, mass: Float) -> tuple[Float, Float]:
    """Return the excess loss of each slice, and the same shrunk by A / (A + se^2), A the variance between slices."""
    sums = look.parts.sums(look.u)[0]
    with np.errstate(invalid="ignore", divide="ignore"):
        excess = np.where(mass > 0, sums / mass, 0.0)
        error = np.where(
            mass > 0, float(look.u.std()) * np.sqrt(rows * (1 - rows / len(look.u))) / mass, np.inf
        )
    known = np.isfinite(error)
    between = max(float((excess[known] ** 2 - error[known] ** 2).mean()), 0.0) if known.any() else 0.0
    return excess, np.where(
        known, excess * between / np.maximum(between + np.where(known, error, 1.0) ** 2, 1e-300), 0.0
    )


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
    """Return the slice with what recalibrating it alone would save, held out; no verdict where that is nothing."""
    gain, span = _own_map(look, at)
    harder = one.excess - max(gain, 0.0)
    if verdict == WORSE and (span is None or span[0] <= 0):
        verdict = ""
    if verdict == HARDER and harder <= 0:
        verdict = ""
    worth = one.weight * (gain if verdict == WORSE else one.excess)
    return replace(
        one,
        calibration=gain,
        calibration_interval=span,
        harder=harder,
        verdict=verdict,
        nats=worth if verdict else 0.0,
    )


def _own_map(look: Contrasts, at: NDArray[np.int64]) -> tuple[float, tuple[float, float] | None]:
    """Return the held-out gain per row of an offset and a temperature for these rows alone, and its interval."""
    Z, T, w = look.odds[at, None], look.held.happened[at, None], look.weight[at]
    cluster = None if look.cluster is None else np.unique(look.cluster[at], return_inverse=True)[1]
    unit = (
        np.arange(len(at)) if cluster is None else cluster
    )  # counted in the slice: groups may be there in turn
    fold = (np.random.default_rng(look.seed).permutation(int(unit.max()) + 1) % FOLDS)[unit]
    saved = np.zeros(len(at))
    for k in range(FOLDS):
        out = fold == k
        if not out.any() or out.all():
            continue
        one = fit("affine", Z[~out], T[~out], w[~out] / w[~out].mean())
        saved[out] = cost(Z[out], T[out]) - cost(one(Z[out]), T[out])
    found = interval.of_rows(saved, w) if cluster is None else interval.of_clusters(saved, w, cluster)
    return (0.0, None) if found is None else (found.mean, (found.low, found.high))
