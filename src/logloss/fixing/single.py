"""`fit_map`: one map fitted to all rows, without a race."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.calibrate.families import FAMILIES, fitted, ridge_of
from logloss.calibrate.fits import fit_steps, guard
from logloss.calibrate.fitted import FittedMap
from logloss.calibrate.maps import Scaling
from logloss.calibrate.temperature import fit_inverse_temperature
from logloss.errors import UsageError
from logloss.fixing.divisions import divided
from logloss.fixing.fields import all_rows
from logloss.fixing.recalibration import fit_many, many
from logloss.fixing.verdicts import chosen_names
from logloss.recognise import all_finite
from logloss.sources import Opened, opened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logloss.calibrate.maps import Map
    from logloss.fixing.race import Field
    from logloss.record import Observations, Space

__all__ = ["fit_map"]

MANY = 200_000  # numbers of a forecast


def fit_map(
    data: Any,
    forecast: Any = None,
    map: str = "temperature",  # noqa: A002  # what it is called everywhere
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
    counts: bool = False,
    skip_unreadable: bool = False,
    ridge: float | None = None,
) -> FittedMap:
    """Fit one map to all rows, whether or not it gains on others; :func:`logloss.fix` tells whether it does.

    Parameters
    ----------
    data, forecast, outcome, space, weight, ids, truth, labels, positive, normalize_rows, skip_missing, counts, skip_unreadable
        As in :func:`logloss.score`. Tables of more than 5,000,000 rows are passed over batch by batch, once for each step of the
        fit.
    map
        One of :data:`logloss.calibrate.fits.CANDIDATES`: "temperature", "affine", "beta", ...
    ridge
        Weight of the pull towards the identity, in nats per squared unit of the parameters: K / n by default; 0 for the plain
        maximum of the likelihood. For maps of a few parameters: temperature, prior_shift, affine, beta, quadratic.

    Returns
    -------
    FittedMap

    Raises
    ------
    LoglossError
        UsageError for a map that there is none of, or a ridge where there is none; DataErrors for data that cannot be scored.

    References
    ----------
    Guo, Pleiss, Sun, Weinberger (2017), On calibration of modern neural networks, ICML. Platt (1999). Kull, Silva Filho,
    Flach (2017), Beta calibration, AISTATS. Vovk, Petej, Fedorova (2015), NeurIPS.

    Examples
    --------
    >>> import logloss as ll
    >>> softer = ll.fit_map([1, 1, 1, 0], [2.0, 2.0, 2.0, 2.0], "temperature", space="logit", ridge=0)
    >>> softer.apply([2.0], out="p").round(4).tolist()
    [0.75]
    """
    found = opened(
        data, forecast, outcome=outcome, space=space, weight=weight, ids=ids, truth=truth, labels=labels,
        positive=positive, normalize_rows=normalize_rows, skip_missing=skip_missing, counts=counts,
        skip_unreadable=skip_unreadable,
    )  # fmt: skip
    if ridge is not None and (map not in FAMILIES or not 0 <= ridge < math.inf):
        raise UsageError(
            "no-ridge",
            f"A ridge of {ridge} for the map {map!r}.",
            cure=f"A ridge is a number from 0 on, and goes with {', '.join(FAMILIES)}.",
        )
    if isinstance(found, Opened) and many(found):
        return fit_many(found, map, ridge=ridge)
    rows = divided(found)
    record = rows.record
    chosen_names(map, len(record.classes))
    if record.weight is not None and not record.weight.all():
        record = record.take(record.weight > 0)
    told = {"rows": len(record)}
    if map == "temperature" and (quick := _temperature(record, ridge)) is not None:
        return FittedMap(map, (quick,), record.classes, rows.columns, record.space, told)
    whole = all_rows(record)
    steps = fit_steps(map, whole.Z, whole.T, whole.weight) if ridge is None else _ridged(map, whole, ridge)
    return FittedMap(map, steps, record.classes, rows.columns, record.space, told)


def _ridged(name: str, whole: Field, ridge: float) -> tuple[Map, ...]:
    first = guard(whole.Z, whole.T, whole.weight)
    Z = whole.Z
    for step in first:
        Z = step(Z)
    return (*first, fitted(name, Z, whole.T, whole.weight, ridge=ridge))


def _temperature(record: Observations, ridge: float | None) -> Scaling | None:
    """Fit a temperature to many rows of K columns as they stand: what is added to a whole row of logits plays no part.

    None for few rows, soft outcomes, and where some class is impossible.
    """
    K = len(record.classes)
    if record.binary or K == 2 or record.soft or record.forecast.size < MANY:
        return None
    Z = record.forecast
    if record.space == "p":
        with np.errstate(divide="ignore"):
            Z = np.log(Z.astype(np.float64, copy=False))
    if not all_finite(Z):
        return None
    pull = ridge_of("temperature", len(record), K) if ridge is None else ridge
    weight = None if record.weight is None else record.weight / record.weight.mean()
    found = fit_inverse_temperature(Z, record.outcome, weight, ridge=pull)
    return Scaling(np.full(K, found.b), np.zeros(K))
