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
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss import interval, units
from logloss.calibrate.isotonic import Pooled, isotonic
from logloss.calibrate.odds import SUREST, softplus
from logloss.calibrate.scaling import fit
from logloss.curves.gridpools import infinite_ends, pools_of, weight_powers
from logloss.notes import Note
from logloss.summary import CLASS_MEASURES
from logloss.why.decomposition import Decomposition, Entry, Parts
from logloss.why.remedies import FEWEST, FEWEST_OTHERS, SHAPE, SHIFT, TEMPERATURE
from logloss.why.steps import Step, parameters_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logloss.calibrate.maps import Scaling
    from logloss.curves.binning import Pools
    from logloss.summary import Summary

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
        Maps that lower the loss of these rows, each on top of those before it, and those that do not. The gain is what the
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
    return Decomposition(
        loss, "isotonic", parts, None, None, None, None, _budget(summary, inner, binned, curve), binned
    )


def said(parts: Decomposition) -> Note | None:
    """Return the note that tells how much the bins hide."""
    found = parts.binned
    if found is None:
        return None
    low, high = found.miscalibration
    text = f"The decomposition and what maps would save are told from {units.count(found.bins, 'bin')} of log-odds, 1/16 wide, in sample: gains are those of these rows less their optimism. Were the forecasts right, the bins would hide {_small(found.hidden)} nats; whatever they are, the miscalibration of the rows themselves, in sample, lies between {units.loss(low)} and {units.loss(high)}."
    return Note("in-bins", text)


def _small(nats: float) -> str:
    return f"{nats:.1g}" if nats > 0 else "0"


def _entropy(shares: Float) -> float:
    return float(-(shares[shares > 0] * np.log(shares[shares > 0])).sum())


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


def _odds(found: Pools) -> Float:
    return np.clip(found.odds, -SUREST, SUREST)


def _cost(z: Float, share: Float, weight: Float) -> float:
    return float((weight * (share * softplus(-z) + (1 - share) * softplus(z))).sum() / weight.sum())


def _miscalibration(summary: Summary, found: Pools, curve: float) -> float:
    """Return S(f) - S(c); where rows beyond the grid were wrong, their bins do not tell S(f), and the loss itself does."""
    outside = np.abs(found.odds) > 31.9
    wrong = np.where(found.odds > 0, 1 - found.share, found.share)
    if (found.weight * wrong)[outside].any():
        return max(summary.mean + _hidden(summary, found) - curve, 0.0)
    return max(_cost(_odds(found), found.share, found.weight) - curve, 0.0)


def _binned(summary: Summary, every: Pools, inner: Pools, curve: float, bound: float) -> Binned:
    least = max(summary.mean - curve, 0.0)
    steps, tried = _steps(summary, inner)
    saved = sum(step.gain for step in steps)
    return Binned(
        bins=len(every),
        hidden=_hidden(summary, every),
        miscalibration=(least, max(summary.mean - curve + bound, 0.0)),
        steps=steps,
        tried=tried,
        log_loss=summary.mean_finite - saved,
    )


def _budget(summary: Summary, inner: Pools | None, binned: Binned | None, curve: float) -> tuple[Entry, ...]:
    """Return the bars from the base rate of the finite rows to their loss, and what is infinite."""
    if inner is None or binned is None:
        shares = summary.class_weight / summary.class_weight.sum()
        base = _entropy(shares)
        entries = [Entry("base_rate", base, base), Entry("discrimination", curve - base, curve)]
    else:
        happened = float((inner.weight * inner.share).sum() / inner.weight.sum())
        base = _entropy(np.array([1 - happened, happened]))
        entries = [
            Entry("base_rate", base, base),
            Entry("discrimination", binned.log_loss - base, binned.log_loss),
        ]
        for step in binned.steps:
            entries.append(Entry(step.name, step.gain, entries[-1].total + step.gain))
    if summary.infinite[0]:
        entries.append(Entry("infinite", math.inf, math.inf))
    return tuple(entries)


@dataclass(frozen=True, eq=False)
class _Rows:
    """The bins as rows: log-odds z, what happened, weight, and sums of w^2 and w^3; n rows."""

    z: Float
    share: Float
    weight: Float
    squares: Float
    cubes: Float
    n: int

    @property
    def effective(self) -> float:
        """How many rows of equal weight would tell as much."""
        return float(self.weight.sum() ** 2 / self.squares.sum())

    def optimism(self, z: Float, columns: list[Float]) -> float:
        """Return tr(H^-1 V) / W of a map with these derivatives by its parameters: in-sample loss is too low by it."""
        if not columns:
            return 0.0
        q = 1 / (1 + np.exp(-z))
        bend = self.weight * q * (1 - q)
        spread = self.squares * (self.share * (1 - q) ** 2 + (1 - self.share) * q**2)
        H, V = (
            np.array([[float((v * a * b).sum()) for a in columns] for b in columns]) for v in (bend, spread)
        )
        return float(np.trace(np.linalg.pinv(H) @ V)) / float(self.weight.sum())

    def gain(self, before: Float, after: Float, optimism: float) -> interval.Interval | None:
        """Return the mean of what rows save from one column of log-odds to another, less the optimism."""
        yes = softplus(-before) - softplus(-after)
        no = softplus(before) - softplus(after)
        mean = float((self.weight * (self.share * yes + (1 - self.share) * no)).sum() / self.weight.sum())
        sums = [
            float((w * (self.share * (yes - mean) ** k + (1 - self.share) * (no - mean) ** k)).sum())
            for k, w in ((2, self.squares), (3, self.cubes))
        ]
        scale = float(self.weight.sum()) / self.n
        found = interval.hall_t(mean, self.n, *sums, scale=scale)
        if found is None:
            return None
        return replace(found, mean=mean - optimism, low=found.low - optimism, high=found.high - optimism)


def _steps(summary: Summary, inner: Pools) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
    """Return the maps that lower the loss, in the order of their gains, and those that do not."""
    counted = summary.by_class.sums[CLASS_MEASURES.index("rows")]
    n = summary.moments.n
    if n < FEWEST or float(counted.min()) < FEWEST_OTHERS:
        return (), ()
    second, third = weight_powers(summary)
    rows = _Rows(_odds(inner), inner.share, inner.weight, inner.weight * second, inner.weight * third, n)
    grouped = summary.groups is not None
    chosen: list[Step] = []
    now, spent = rows.z, 0.0
    failed: dict[str, Step] = {}
    alone: dict[str, float] = {}
    rest = [SHIFT, TEMPERATURE]
    while rest:
        tried = {name: _scaled(rows, name, chosen) for name in rest}
        judged = {
            name: _judged(
                rows, name, now, after, cost - spent, found, alone, first=not chosen, grouped=grouped
            )
            for name, (after, cost, found) in tried.items()
        }
        best = max(rest, key=lambda name: (judged[name].supported, judged[name].gain))
        if not judged[best].supported:
            failed |= judged
            break
        chosen.append(judged[best])
        now, spent = tried[best][:2]
        rest.remove(best)
    after, cost = _shaped(rows, now)
    step = _judged(rows, SHAPE, now, after, cost - spent, {}, alone, first=not chosen, grouped=grouped)
    if step.supported:
        chosen.append(step)
    else:
        failed[SHAPE] = step
    return tuple(chosen), tuple(failed.values())


def _scaled(rows: _Rows, name: str, chosen: list[Step]) -> tuple[Float, float, dict[str, Any]]:
    """Return the log-odds after a shift, a temperature, or both; the optimism; the parameters."""
    kind = "affine" if chosen else name
    weight = rows.weight * (rows.effective / rows.weight.sum())
    found: Scaling = fit(kind, rows.z[:, None], rows.share[:, None], weight)
    after = found.slope[0] * rows.z + found.offset[0]
    columns = {SHIFT: [np.ones(len(rows.z))], TEMPERATURE: [rows.z]}
    moved = columns[SHIFT] + columns[TEMPERATURE] if kind == "affine" else columns[name]
    return after, rows.optimism(after, moved), parameters_of(found, [])


def _shaped(rows: _Rows, now: Float) -> tuple[Float, float]:
    """Return the log-odds of the isotonic curve on top, whose ends stay away from 0 and 1, and its optimism."""
    from scipy.optimize import isotonic_regression

    order = np.argsort(now, kind="stable")
    weight = rows.weight[order] * (rows.effective / rows.weight.sum())
    share = np.concatenate([[0.5], rows.share[order], [0.5]])  # a 0 and a 1 of weight 1/2 at each end
    p = isotonic_regression(share, weights=np.concatenate([[1.0], weight, [1.0]])).x[1:-1]
    after = np.empty(len(now))
    after[order] = np.log(p) - np.log1p(-p)
    return after, len(np.unique(p)) / rows.effective


def _judged(
    rows: _Rows, name: str, before: Float, after: Float, optimism: float, parameters: dict[str, Any],
    alone: dict[str, float], *, first: bool, grouped: bool,
) -> Step:  # fmt: skip
    """Return a map as a step: what it gains, and whether that is more than chance."""
    found = rows.gain(before, after, optimism)
    assert found is not None  # there are 20 rows and more
    if first:
        alone[name] = found.mean
    span = (found.low, found.high)
    return Step(name, found.mean, None if grouped else span, span[0] > 0, alone.get(name), parameters)
