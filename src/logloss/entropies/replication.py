"""Rows with the same forecast: uncertainty, resolution and reliability, with their bias taken out."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss import units
from logloss.kernels.divergence import divergence, entropies, excess
from logloss.plain import plain
from logloss.surprises import class_blocks, mean_surprise
from logloss.text import table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logloss.codes import Coded
    from logloss.record import Observations

    Float = NDArray[np.float64]

__all__ = ["FEWEST_ROWS", "Replicates", "replicates_of", "told"]

FEWEST_ROWS = 5  # per group, on average, for groups to be looked at unasked
MOST_LISTED = 50


@dataclass(frozen=True, eq=False)
class Replicates:
    """Rows in groups of one forecast: log loss = uncertainty - resolution + reliability + within, in nats.

    Attributes
    ----------
    uncertainty
        Entropy of the class shares of all rows: the loss of the base rate.
    resolution
        How much knowing the group removes of it, if the shares of each group were forecast.
    reliability
        The mean KL(shares || forecast) of the groups: what is lost by not forecasting these. inf where a group had what its
        forecast called impossible; `reliability_finite` is the mean over the other groups, `infinite_groups` counts.
    within
        What differences of the forecasts within a group change, against their mean; 0 where they are the same.
    uncertainty_corrected, resolution_corrected, reliability_corrected
        Few rows a group make reliability and resolution look larger than they are; this takes the first-order bias out.
    groups, rows
        How many.
    effective_rows
        Of all rows: (sum w)^2 / sum w^2, which the correction takes for n where there are weights.
    by
        "forecast" (rows with the same forecast) or "group" (as was asked for).
    listed
        The groups that add most to the reliability: `group` (the first row of it, or its name), `rows`, `weight`, `forecast` and
        `observed` (of the second class for two classes, else of each), `nats` (its part of the reliability).
    """

    uncertainty: float
    resolution: float
    reliability: float
    within: float
    reliability_finite: float
    infinite_groups: int
    uncertainty_corrected: float
    resolution_corrected: float
    reliability_corrected: float
    groups: int
    rows: int
    effective_rows: float
    by: str
    listed: tuple[dict[str, Any], ...]


def replicates_of(record: Observations, weight: Float, by: Coded | None) -> Replicates | None:
    """Return the parts of a record whose rows all count; None where few rows have the same forecast and no groups are named."""
    group = _same(record.forecast) if by is None else by.used().code
    G, n = int(group.max()) + 1, len(record)
    if by is None and n < FEWEST_ROWS * G:
        return None
    K, total = len(record.classes), float(weight.sum())
    mass = np.asarray(np.bincount(group, weight, G), np.float64)
    shares = _summed(record, weight, group, G, K)
    overall, shares = shares.sum(axis=0) / total, shares / mass[:, None]
    first = _first(group, G)
    if by is None:
        s = np.concatenate([block for _, block, _ in class_blocks(_at(record, first))])
        added = excess(shares, s, record.within)
        within = 0.0
    else:
        s = _mean_forecast(record, weight, group, mass)
        added = excess(shares, s, record.within)
        within = _within(record, weight, group, s) / total
    inside, outside = _biases(record, weight, group, shares, overall)
    finite = np.isfinite(added)
    reliability = float((mass * added).sum() / total)
    uncertainty = float(entropies(overall[None])[0])
    resolution = float(
        (mass * divergence(shares, np.broadcast_to(overall, shares.shape), -_log(overall)[None])).sum()
        / total
    )
    return Replicates(
        uncertainty=uncertainty,
        resolution=resolution,
        reliability=reliability,
        within=within,
        reliability_finite=float((mass * added)[finite].sum() / mass[finite].sum()) if finite.any() else math.nan,
        infinite_groups=int((~finite).sum()),
        uncertainty_corrected=uncertainty + outside,
        resolution_corrected=resolution - (inside - outside),
        reliability_corrected=reliability - inside,
        groups=G,
        rows=n,
        effective_rows=float(total**2 / (weight**2).sum()),
        by="forecast" if by is None else "group",
        listed=_listed(record, by, first, group, mass, shares, np.exp(-s), mass * added / total),
    )  # fmt: skip


def _same(forecast: NDArray[Any]) -> NDArray[np.int64]:
    """Return which rows have the same forecast, as positions among the different ones."""
    if forecast.ndim == 1:
        return np.asarray(np.unique(forecast, return_inverse=True)[1], np.int64)
    bits = np.ascontiguousarray(forecast.astype(np.float64) + 0.0).view(np.uint64)
    factors = np.random.default_rng(0).integers(1, 2**63, bits.shape[1], np.uint64) * np.uint64(
        2
    ) + np.uint64(1)
    mixed = (bits ^ (bits >> np.uint64(29))) * factors
    _, first, group = np.unique((mixed ^ (mixed >> np.uint64(32))).sum(axis=1), return_index=True, return_inverse=True)  # fmt: skip
    if not (forecast[first[group]] == forecast).all():  # two forecasts of one hash
        group = np.unique(forecast, axis=0, return_inverse=True)[1]
    return np.asarray(group, np.int64).reshape(-1)


def _summed(record: Observations, weight: Float, group: NDArray[np.int64], G: int, K: int) -> Float:
    """Return the weight of each class in each group, shape (G, K)."""
    if not record.soft:
        cell = group * K + record.outcome.astype(np.int64, copy=False)
        return np.asarray(np.bincount(cell, weight, G * K), np.float64).reshape(G, K)
    t = record.outcome
    columns = [1.0 - t, t] if t.ndim == 1 else list(t.T)
    return np.stack([np.bincount(group, weight * column, G) for column in columns], axis=1)


def _mean_forecast(record: Observations, weight: Float, group: NDArray[np.int64], mass: Float) -> Float:
    """Return -log of the mean forecast of each group, shape (G, K)."""
    p = np.concatenate([np.exp(-s) for _, s, _ in class_blocks(record)])
    sums = np.stack([np.bincount(group, weight * column, len(mass)) for column in p.T], axis=1)
    return 0.0 - _log(sums / mass[:, None])


def _first(group: NDArray[np.int64], G: int) -> NDArray[np.int64]:
    """Return the first row of each group."""
    first = np.empty(G, np.int64)
    first[group[::-1]] = np.arange(len(group))[::-1]
    return first


def _at(record: Observations, rows: NDArray[np.int64]) -> Observations:
    """Return the forecasts of some rows, in their order."""
    return replace(
        record, outcome=record.outcome[rows], forecast=record.forecast[rows],
        weight=None, ids=None, group=None, rows=None,
    )  # fmt: skip


def _within(record: Observations, weight: Float, group: NDArray[np.int64], mean: Float) -> float:
    """Return the sum of w times what a row's own forecast costs more than the mean of its group's; NaN for inf - inf."""
    total = 0.0
    for rows, s, t in class_blocks(record):
        with np.errstate(invalid="ignore"):
            change = mean_surprise(s, t) - mean_surprise(mean[group[rows]], t)
        total += float((weight[rows] * change).sum())
    return total


def _biases(
    record: Observations, weight: Float, group: NDArray[np.int64], shares: Float, overall: Float
) -> tuple[float, float]:
    """Return by how much the mean entropy of the groups, and that of all rows, are too low, to first order.

    For labels (K - 1) / (2 n), K being the classes that happened at all and n = (sum w)^2 / sum w^2. Shares vary less than
    labels: for them half the sum over classes of the variance of the mean share over this share.
    """
    total = weight.sum()
    if not record.soft:
        K = int((overall > 0).sum())
        squares = np.bincount(group, weight**2, len(shares))
        inside = (squares / np.bincount(group, weight, len(shares))).sum() / total
        return (K - 1) / 2 * float(inside), (K - 1) / 2 * float(squares.sum() / total**2)
    inside = outside = 0.0
    mass = np.bincount(group, weight, len(shares))
    for rows, _, t in class_blocks(record):
        w, o = weight[rows][:, None], shares[group[rows]]
        with np.errstate(divide="ignore", invalid="ignore"):
            per_group = np.where(o > 0, w**2 * (t - o) ** 2 / (o * mass[group[rows]][:, None]), 0.0)
            per_all = np.where(overall > 0, w**2 * (t - overall) ** 2 / overall, 0.0)
        inside += float(per_group.sum()) / 2
        outside += float(per_all.sum()) / 2
    return inside / float(total), outside / float(total) ** 2


def _listed(
    record: Observations, by: Coded | None, first: NDArray[np.int64], group: NDArray[np.int64],
    mass: Float, shares: Float, p: Float, nats: Float,
) -> tuple[dict[str, Any], ...]:  # fmt: skip
    rows = np.bincount(group, minlength=len(first))
    keys = by.used().keys if by is not None else None
    two = len(record.classes) == 2
    return tuple(
        {
            "group": record.row_number(int(first[g])) if keys is None else plain(keys[g]),
            "rows": int(rows[g]),
            "weight": float(mass[g]),
            "forecast": float(p[g, 1]) if two else p[g].tolist(),
            "observed": float(shares[g, 1]) if two else shares[g].tolist(),
            "nats": float(nats[g]),
        }
        for g in np.argsort(-nats, kind="stable")[:MOST_LISTED]
    )


def _log(p: Float) -> Float:
    with np.errstate(divide="ignore"):
        return np.log(p)


def told(parts: Replicates, unit: str) -> list[str]:
    """Return the parts as lines of text."""
    loss = partial(units.loss, in_unit=unit)
    what = "with the same forecast" if parts.by == "forecast" else "as asked for"
    lost = (
        f"{loss(parts.reliability_finite)} without {units.count(parts.infinite_groups, 'group')} with infinite loss"
        if parts.infinite_groups
        else ""
    )
    rows = [
        ["", "plain", "bias taken out"],
        ["uncertainty", loss(parts.uncertainty), loss(parts.uncertainty_corrected), "the base rate's loss"],
        ["- resolution", loss(parts.resolution), loss(parts.resolution_corrected), "what the groups tell"],
        ["+ reliability", loss(parts.reliability), loss(parts.reliability_corrected), lost or "what miscalibration costs"],
    ]  # fmt: skip
    if parts.by == "group":
        rows.append(["+ within groups", loss(parts.within), "", "what differences of forecasts change"])
    head = f"  {units.count(parts.groups, 'group')} of rows {what}: how much is miscalibration?"
    return [head, table(rows, "<>><", indent=4)]
