"""What a loss consists of, told from the bins of a summary: any number of rows, in sample, with what the bins hide.

A bin of the grid holds all rows whose log-odds lie within 1/16 of each other. With f its mean forecast and c the isotonic curve
of the bins,

    miscalibration  S(f) - S(c), which is never below 0
    discrimination  uncertainty + miscalibration - the loss: what rows of one bin differ by saves, and stays

(Stephenson, Coelho, Jolliffe 2008, Weather and Forecasting 23:752-757, on what is within bins.) The curve of the rows
themselves could only be lower; by how much at most follows from the best order that the rows of each bin could stand in.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss import units
from logloss.calibrate.isotonic import Pooled, isotonic
from logloss.curves.gridpools import infinite_ends, pools_of
from logloss.notes import Note
from logloss.why.decomposition import Decomposition, Entry, Parts
from logloss.why.gridsteps import beyond, cost_of, odds_of, steps_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logloss.curves.binning import Pools
    from logloss.summary import Summary
    from logloss.why.steps import Step

    Float = NDArray[np.float64]

__all__ = ["Binned", "of_summary", "said"]


@dataclass(frozen=True, eq=False)
class Binned:
    """What was told from bins of log-odds and not from rows. In nats a row.

    Attributes
    ----------
    bins
        How many hold rows.
    hidden
        What the bins would hide were the forecasts right: their divergence from the mean forecast of their bin.
    miscalibration
        Between these lies the in-sample miscalibration of the rows themselves.
    steps, tried
        Maps that lower the loss of these rows, each on top of those before it, and those that do not; neither where that
        is not known: few rows, or forecasts beyond the grid that a map would bring back. The gain is what the
        map gains on these rows less its optimism, tr(H^-1 V) / n (Takeuchi 1976; k / n for k parameters of a map that
        holds), so that it estimates what new rows gain; of the isotonic curve less its number of steps / n (Meyer and
        Woodroofe 2000, Ann. Stat. 28:1083-1104). The interval is that of the rows' gains; None where rows come in groups.
    log_loss
        After the steps.
    """

    bins: int
    hidden: float
    miscalibration: tuple[float, float]
    steps: tuple[Step, ...]
    tried: tuple[Step, ...]
    log_loss: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; the steps stand in the decomposition."""
        return {
            "bins": self.bins,
            "hidden": self.hidden,
            "miscalibration_between": self.miscalibration,
            "log_loss": self.log_loss,
        }


def of_summary(summary: Summary) -> Decomposition | None:
    """Decompose the loss of what one pass kept, for one column of forecasts; None for more columns."""
    if not summary.binary:
        return None
    every = pools_of(summary)
    shares = summary.class_weight / summary.class_weight.sum()
    uncertainty = _entropy(shares)
    curve, bound = _curve(every)
    loss = summary.mean
    finite = summary.infinite[0] == 0
    # An infinite row is wrong whatever its bin says, so what is told of finite rows needs to know which rows are finite.
    inner = every if finite else None
    if not finite and infinite_ends(summary) is not None and summary.finite_weight > 0:
        inner = pools_of(summary, finite=True)
    off = math.inf
    if inner is not None and finite:
        off = _miscalibration(summary, inner, curve)
    parts = Parts(uncertainty, uncertainty - loss + off if finite else uncertainty - curve, off)
    binned = None if inner is None else _binned(summary, every, inner, curve, bound)
    budget = _budget(summary, inner, binned, parts)
    return Decomposition(loss, "isotonic", parts, None, None, None, None, budget, binned)


def said(parts: Decomposition) -> Note | None:
    """Return the note that tells how much the bins hide."""
    found = parts.binned
    if found is None:
        return None
    low, high = found.miscalibration
    text = f"The decomposition and what maps would save are told from {units.count(found.bins, 'bin')} of log-odds, 1/16 wide, in sample: gains are those of these rows less their optimism. Were the forecasts right, the bins would hide {_small(found.hidden)} nats"
    if math.isinf(high):
        text += "."
    else:
        text += f"; whatever they are, the miscalibration of the rows themselves, in sample, lies between {units.loss(low)} and {units.loss(high)}."
    return Note("in-bins", text)


def _small(nats: float) -> str:
    return f"{nats:.1g}" if nats > 0 else "0"


def _entropy(shares: Float) -> float:
    return float(-(shares[shares > 0] * np.log(shares[shares > 0])).sum()) + 0.0


def _mean_cost(weight: Float, share: Float, fitted: Float) -> float:
    """Return the mean loss of fitted probabilities, in nats."""
    from scipy.special import xlog1py, xlogy

    nats = -(xlogy(share, fitted) + xlog1py(1 - share, -fitted))
    return float((weight * nats).sum() / weight.sum())


def _curve(found: Pools) -> tuple[float, float]:
    """Return the loss after the isotonic curve of the bins, and how much lower that of the rows could be.

    The bound: within each bin let all that did not happen come first, then all that did; no order of a bin's rows lets an
    isotonic curve do better.
    """
    w, share = found.weight, found.share
    loss = _mean_cost(w, share, isotonic(Pooled(found.forecast, w, share)))
    mass = np.stack([w * (1 - share), w * share], axis=1).ravel()
    right = np.tile([0.0, 1.0], len(w))[mass > 0]
    mass = mass[mass > 0]
    best = _mean_cost(mass, right, isotonic(Pooled(np.arange(float(len(mass))), mass, right)))
    return loss, max(loss - best, 0.0)


def _hidden(summary: Summary, found: Pools) -> float:
    """Return the mean divergence of forecasts from the mean forecast of their bin: what bins lose of their entropy."""
    from scipy.special import entr

    p = found.forecast
    whole = float((found.weight * (entr(p) + entr(1 - p))).sum())
    return max(whole - summary.mass["entropy"], 0.0) / summary.weight


def _miscalibration(summary: Summary, found: Pools, curve: float) -> float:
    """Return S(f) - S(c), at least what the rows themselves have; where rows beyond the grid were wrong, their bins do not tell S(f)."""
    least = max(summary.mean - curve, 0.0)
    if beyond(found)[1].any():
        return least + _hidden(summary, found)
    return max(cost_of(odds_of(found), found.share, found.weight) - curve, least)


def _binned(summary: Summary, every: Pools, inner: Pools, curve: float, bound: float) -> Binned:
    steps, tried = steps_of(summary, inner)
    return Binned(
        bins=len(every),
        hidden=_hidden(summary, every),
        miscalibration=(max(summary.mean - curve, 0.0), max(summary.mean - curve + bound, 0.0)),
        steps=steps,
        tried=tried,
        log_loss=summary.mean_finite - sum(step.gain for step in steps),
    )


def _budget(summary: Summary, inner: Pools | None, binned: Binned | None, parts: Parts) -> tuple[Entry, ...]:
    """Return the bars from the base rate of the finite rows to their loss, and what is infinite."""
    base, best = parts.uncertainty, parts.uncertainty - parts.discrimination
    rest = [] if summary.infinite[0] else [("miscalibration", parts.miscalibration)]
    if inner is not None and binned is not None and (binned.steps or binned.tried):
        happened = float((inner.weight * inner.share).sum() / inner.weight.sum())
        base, best = _entropy(np.array([1 - happened, happened])), binned.log_loss
        rest = [(step.name, step.gain) for step in binned.steps]
    entries = [Entry("base_rate", base, base), Entry("discrimination", best - base, best)]
    for name, gain in rest:
        entries.append(Entry(name, gain, entries[-1].total + gain))
    if summary.infinite[0]:
        entries.append(Entry("infinite", math.inf, math.inf))
    return tuple(entries)
