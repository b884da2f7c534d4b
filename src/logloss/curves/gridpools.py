"""The reliability grid of a summary as groups of rows along the forecast: what is left of the rows after one pass.

A bin is 1/16 wide in log-odds and knows its weight, the weight that happened and its mean forecast. What it does not
know is told from the whole: the squares of weights are shared out as the weights are, and so are the rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from logloss import kernels
from logloss.curves.binning import Pools
from logloss.errors import AlignmentError
from logloss.summary import CLASS_MEASURES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logloss.summary import Summary

    Float = NDArray[np.float64]

__all__ = ["infinite_ends", "is_soft", "pools_of", "weight_powers"]

LAST = float(np.nextafter(1.0, 0.0))


def weight_powers(summary: Summary) -> tuple[float, float]:
    """Return sum w^2 / sum w and sum w^3 / sum w over the finite rows; (1, 1) without weights.

    >>> import logloss as ll
    >>> weight_powers(ll.summarize([1, 0, 1], [0.5, 0.5, 0.5], weight=[1, 1, 2]))
    (1.5, 2.5)
    """
    found, n = summary.moments, summary.moments.n
    if not summary.weighted:
        return 1.0, 1.0
    if not n or not found.mean[0] > 0:
        mean = summary.weight / max(summary.n, 1)
        return mean, mean * mean
    mean, spread = float(found.mean[0]), float(found.second[0, 0]) / n
    squares = spread + mean**2
    cubes = float(found.third[0, 0, 0]) / n + 3 * mean * spread + mean**3
    return squares / mean, cubes / mean


def is_soft(summary: Summary) -> bool:
    """Tell whether some outcomes were shares."""
    return summary.mass["outcome_entropy"] > 0


def infinite_ends(summary: Summary) -> tuple[float, float] | None:
    """Return the weight of infinite rows with a forecast of 0 and of 1 for one column; None where that is not known.

    The grid holds them in its outermost bins. Without weights the rows of each class tell it; with weights the costliest
    rows, if they are all there; of shares nothing does.
    """
    rows, weight = summary.infinite
    if not rows:
        return 0.0, 0.0
    if is_soft(summary) or not summary.binary:
        return None
    no, yes = summary.by_class.sums[CLASS_MEASURES.index("infinite")].tolist()
    if not summary.weighted or not no or not yes:
        return weight * yes / (no + yes), weight * no / (no + yes)
    kept = [seen for key, _, seen in summary.top.entries if np.isinf(key)]
    if len(kept) < rows:
        return None
    low = sum(seen["weight"] for seen in kept if seen["outcome"] == summary.classes[1])
    return low, max(weight - low, 0.0)


def pools_of(summary: Summary, *, finite: bool = False) -> Pools:
    """Return the bins that hold rows: of the second class for one column, of the first choice for more.

    Without weights rows and squares are exact; with weights they are shared out as if weights were spread alike in every
    bin. Beside them, for one column, what :func:`logloss.curves.events.main_events` sums, with each row at the mean
    forecast of its bin.

    Parameters
    ----------
    finite
        Without the infinite rows, which must be known by :func:`infinite_ends`.
    """
    low, steps, bins = kernels.GRID
    weight, happened, mean = np.array(summary.grid.sums[:3], np.float64)
    if not weight.sum() > 0:
        raise AlignmentError("no-rows", "No row counts.", cure="Give rows with a weight above 0.")
    rows = weight * (summary.n / weight.sum())
    ends = infinite_ends(summary)
    lost = np.zeros(bins)
    if ends is not None:
        lost[[0, -1]] = np.minimum(ends, weight[[0, -1]])
    missed = np.array([lost[0], *np.zeros(bins - 1)])
    if finite:
        mean[-1] -= lost[-1]
        weight, happened = weight - lost, happened - missed
    edges = low + np.arange(bins + 1) / steps
    edges[[0, -1]] = -np.inf, np.inf
    keep = weight > 1e-12 * lost  # what is left of a bin of infinite rows
    weight, happened, mean, rows, lost, missed = (
        column[keep] for column in (weight, happened, mean, rows, lost, missed)
    )
    p, odds = _forecasts(mean / weight, edges[:-1][keep], edges[1:][keep], summary)
    second = weight_powers(summary)[0]
    share = np.clip(happened / weight, 0.0, 1.0)
    squares = weight * second
    beside: dict[str, Float] = {}
    if summary.binary:
        lost, missed = (np.zeros(len(weight)),) * 2 if finite else (lost, missed)
        known = np.maximum(weight - lost, 0.0)
        yes = np.clip(happened - missed, 0.0, known)
        beside = _beside(p, np.clip(odds, -37.0, 37.0), known, yes)
        beside["variance"] *= second
        beside["infinite"] = np.where(lost > 0, np.round(rows * lost / weight), 0.0)
    return Pools(p, odds, rows, weight, squares, squares * p * (1.0 - p), share, beside)


def _forecasts(p: Float, low: Float, high: Float, summary: Summary) -> tuple[Float, Float]:
    """Return mean forecasts and their log-odds, within their bins: near 1, sums of p have no digits left to tell 1 - p."""
    from scipy.special import expit

    p = np.clip(p, expit(low), expit(high))
    if summary.mass["certain"] == 0:
        p = np.clip(p, np.nextafter(0.0, 1.0), LAST)
    with np.errstate(divide="ignore"):
        odds = np.clip(np.log(p) - np.log1p(-p), low, high)
    return p, odds


def _beside(p: Float, odds: Float, known: Float, yes: Float) -> dict[str, Float]:
    """Return what bins expected to lose and lost, every row at the mean forecast of its bin."""
    up, down = np.logaddexp(0.0, -odds), np.logaddexp(0.0, odds)
    inner = (p > 0) & (p < 1)
    return {
        "expected": np.where(inner, known * (p * up + (1.0 - p) * down), 0.0),
        "surprise": yes * up + (known - yes) * down,
        "variance": np.where(inner, known * p * (1.0 - p) * odds**2, 0.0),
        "known": known,
    }
