"""Clipping: the exact curve of the loss over the clip, its exact minimiser, and what it is worth on held-out rows.

For two classes let t = min(p, 1 - p); a row is wrong when the less likely class happened. Clipping p into
[eps, 1 - eps] changes the rows with t < eps. Between consecutive t the clipped set is fixed, with wrong weight A
and right weight B, and

    W L(eps) = (nats of the rows not clipped) - A log eps - B log1p(-eps),

convex with its minimum at A / (A + B), clamped to the segment. All segments are compared: the curve may have
several minima, and a breakpoint can be the best. With fixed eps the clipped log loss is itself a proper score, one
that ignores decision thresholds outside [eps, 1 - eps].
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.calibrate.odds import softplus
from logloss.figures.drawing import Framed
from logloss.interval import hall_t
from logloss.kernels.certainty import clip_curve

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logloss.figures.drawing import Drawings

    Float = NDArray[np.float64]

__all__ = ["Clip", "ClipCurve", "best_bounds", "best_mix", "clip_advice"]

FOLDS = 10
SEED = 0
ENOUGH = 5  # errors among the rows that a clip changes; with fewer, the spread of the gain cannot be seen


@dataclass(frozen=True, eq=False)
class ClipCurve:
    """The loss as a function of the clip, exact everywhere.

    Attributes
    ----------
    t
        Distinct values of min(p, 1 - p), ascending.
    wrong, right
        Weight of wrong and right outcomes at t <= t[j], cumulative.
    rest
        Nats of the rows with t > t[j]; `rest[0]` of the whole is `total`.
    total
        Nats without a clip (inf if a forecast of 0 happened).
    weight
        Sum of weights.
    """

    t: Float
    wrong: Float
    right: Float
    rest: Float
    total: float
    weight: float

    @classmethod
    def of(cls, minor: Float, share: Float, weight: Float) -> ClipCurve:
        """Build the curve.

        Parameters
        ----------
        minor
            log min(p, 1 - p) per row, shape (n,).
        share
            Share of the outcome that went to the less likely class, shape (n,): 0 or 1 for hard outcomes.
        weight
            Shape (n,).
        """
        order = np.argsort(minor, kind="stable")
        return cls.of_sorted(minor[order], share[order], weight[order])

    @classmethod
    def of_probabilities(cls, outcome: NDArray[Any], p: NDArray[Any]) -> ClipCurve:
        """Build the curve of unweighted rows: outcomes 0 or 1, and the probability of 1, shape (n,)."""
        t, wrong, right, rest, total = clip_curve(outcome, p)
        return cls(t, wrong, right, rest, total, float(len(p)))

    @classmethod
    def of_sorted(cls, logs: Float, share: Float, weight: Float) -> ClipCurve:
        """Build the curve from rows in ascending order of log min(p, 1 - p)."""
        t = np.exp(logs)
        with np.errstate(invalid="ignore"):
            nats = weight * (np.where(share > 0, -share * logs, 0.0) - (1 - share) * np.log1p(-t))
        last = np.flatnonzero(np.append(logs[1:] != logs[:-1], True))
        finite = np.where(np.isfinite(nats), nats, 0.0)
        suffix = np.append(np.cumsum(finite[::-1])[::-1], 0.0)
        total = math.inf if np.isinf(nats).any() else float(suffix[0])
        return cls(
            t[last],
            np.cumsum(weight * share)[last],
            np.cumsum(weight * (1 - share))[last],
            suffix[last + 1],
            total,
            float(weight.sum()),
        )

    def loss(self, eps: float) -> float:
        """Return the loss after clipping into [eps, 1 - eps]."""
        j = int(np.searchsorted(self.t, eps, side="left")) - 1
        if j < 0:
            return self.total / self.weight
        return self._value(j, eps)

    def _value(self, j: int, eps: float) -> float:
        a, b = float(self.wrong[j]), float(self.right[j])
        return (
            float(self.rest[j]) - (a * math.log(eps) if a else 0.0) - (b * math.log1p(-eps) if b else 0.0)
        ) / self.weight

    def best(self) -> tuple[float, float]:
        """Return the clip with the least loss, and that loss; the smallest clip wins a tie."""
        stops = np.minimum(np.append(self.t[1:], 0.5), 0.5)
        with np.errstate(invalid="ignore", divide="ignore"):
            eps = np.clip(np.nan_to_num(self.wrong / (self.wrong + self.right)), self.t, stops)
            cost = (
                self.rest
                - np.where(self.wrong > 0, self.wrong * np.log(eps), 0.0)
                - np.where(self.right > 0, self.right * np.log1p(-eps), 0.0)
            )
        value = np.append(self.total, cost) / self.weight
        at = int(np.argmin(value))
        if at and not value[at] < value[0] * (1 - 1e-14):
            at = 0
        return (0.0, float(value[0])) if at == 0 else (float(eps[at - 1]), float(value[at]))

    def advice(self, rows: float) -> float:
        """Return the Krichevsky-Trofimov clip: the smallest eps that is at least (a + 1/2) / (m + 1).

        a wrong among the m rows it clips (weights counted as shares of `rows`). With no error among 250 certain
        rows that is 0.002: it costs at most about half a nat per m rows whatever the true error rate
        (Krichevsky and Trofimov 1981, IEEE Trans. IT 27:199).
        """
        scale = rows / self.weight
        estimate = (self.wrong * scale + 0.5) / ((self.wrong + self.right) * scale + 1.0)
        stops = np.append(self.t[1:], 0.5)
        eps = np.maximum(estimate, self.t)
        fits = np.flatnonzero(eps <= stops)
        return float(min(eps[fits[0]], 0.5)) if len(fits) else 0.5


@dataclass(frozen=True, eq=False)
class Clip(Framed):
    """What clipping would do.

    `gain` is held out (10-fold), with its interval - None where fewer than 5 errors decide it; the other losses
    are in sample.
    """

    best: float
    log_loss: float
    suggested: float
    suggested_log_loss: float
    gain: float | None
    gain_interval: tuple[float, float] | None
    curve: ClipCurve = field(repr=False)

    def _drawings(self) -> Drawings:
        from logloss.figures.clips import CLIP

        return {"clip": CLIP}


def clip_advice(minor: Float, share: Float, weight: Float, curve: ClipCurve | None = None) -> Clip:
    """Return the best clip, the advised clip, and the gain of choosing the best one on other rows (10 folds).

    Parameters
    ----------
    minor, share, weight
        As for :meth:`ClipCurve.of`.
    curve
        The curve of all rows, if it is known already.
    """
    curve = ClipCurve.of(minor, share, weight) if curve is None else curve
    best, loss = curve.best()
    suggested = curve.advice(len(minor))
    gain, interval = (
        _held_out(minor, share, weight)
        if math.isfinite(curve.total) and len(minor) >= 2 * FOLDS
        else (None, None)
    )
    return Clip(best, loss, suggested, curve.loss(suggested), gain, interval, curve)


def _held_out(minor: Float, share: Float, weight: Float) -> tuple[float, tuple[float, float] | None]:
    """Choose the clip on nine tenths, apply it to the rest; mean saving with its Hall-t interval."""
    order = np.argsort(minor, kind="stable")
    minor, share, weight = minor[order], share[order], weight[order]
    fold = np.random.default_rng(SEED).permutation(len(minor))[order] % FOLDS
    saved = np.zeros(len(minor))
    for k in range(FOLDS):
        out = fold == k
        eps, _ = ClipCurve.of_sorted(minor[~out], share[~out], weight[~out]).best()
        if eps > 0:
            saved[out] = _cost(minor[out], share[out]) - _cost(
                np.maximum(minor[out], math.log(eps)), share[out]
            )
    mean_weight = float(weight.mean())
    mean = float(np.dot(weight, saved)) / float(weight.sum())
    u = weight * (saved - mean)
    interval = hall_t(mean, len(saved), float((u**2).sum()), float((u**3).sum()), scale=mean_weight)
    vouched = saved.any() and int(((share > 0) & (saved != 0)).sum()) >= ENOUGH
    return mean, (interval.low, interval.high) if interval is not None and vouched else None


def _cost(minor: Float, share: Float) -> Float:
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(share > 0, -share * minor, 0.0) - (1 - share) * np.log1p(-np.exp(minor)))


def best_mix(p_y: Float, weight: Float, added: float | Float) -> tuple[float, float]:
    """Return the share lam of another forecast that lowers the loss most, and that loss: q = (1 - lam) p + lam r.

    `added` is r_y, what the other forecast gives to what happened: 1/K for the uniform one. L(lam) = -sum w log(p_y +
    lam g) / W with g = r_y - p_y is convex; its root of L' is found by Newton steps kept
    inside a shrinking bracket. Rows sum to one exactly, and fixed lam is a proper score: what clipping K classes
    without renormalising is not.
    """
    g = added - p_y
    total = float(weight.sum())

    def slope(lam: float) -> tuple[float, float]:
        with np.errstate(divide="ignore", invalid="ignore"):
            r = g / (p_y + lam * g)
        return -float((weight * r).sum()) / total, float((weight * r * r).sum()) / total

    def loss(lam: float) -> float:
        with np.errstate(divide="ignore"):
            return -float((weight * np.log(p_y + lam * g)).sum()) / total

    if (p_y > 0).all() and slope(0.0)[0] >= 0:
        return 0.0, loss(0.0)
    if slope(1.0)[0] <= 0:
        return 1.0, loss(1.0)
    low, high, lam = 0.0, 1.0, 0.01
    for _ in range(100):
        first, second = slope(lam)
        low, high = (lam, high) if first < 0 else (low, lam)
        step = lam - first / second
        lam_next = step if low < step < high else 0.5 * (low + high)
        if abs(lam_next - lam) <= 1e-15 * lam or high - low < 1e-15:
            break
        lam = lam_next
    return lam, loss(lam)


def best_bounds(z: Float, t: Float, weight: Float) -> tuple[float, float]:
    """Return the least probabilities (of the first, of the second class) that lower the loss of two classes most.

    Each side is the clip of one side alone, solved exactly as for both sides together; where the two would cross, the
    best pair that does not, which may be a constant. Where only one class happened, which a certain forecast would serve
    best, that of Krichevsky and Trofimov (1981): (n + 1/2) / (n + 1).

    Parameters
    ----------
    z, t, weight
        Finite log-odds of the second class, its share in the outcome, weights; all of shape (n,).
    """
    rate = float((weight * t).sum() / weight.sum())
    if rate in (0.0, 1.0):
        rate = (len(t) * rate + 0.5) / (len(t) + 1.0)
        return 1.0 - rate, rate
    floors, saved = _floors(z, t, weight)
    others, kept = _floors(-z, 1.0 - t, weight)
    second, first = float(floors[saved.argmin()]), float(others[kept.argmin()])
    if first + second <= 1.0:
        return first, second
    best = np.minimum.accumulate(saved)  # of all floors up to each
    at = np.searchsorted(floors, 1.0 - others, side="right") - 1
    both = best[at] + kept
    one = int(both.argmin())
    spent = float((weight * (t * softplus(-z) + (1.0 - t) * softplus(z))).sum())
    constant = -float(weight.sum()) * (rate * math.log(rate) + (1.0 - rate) * math.log1p(-rate)) - spent
    if constant <= both[one]:
        return 1.0 - rate, rate
    return float(others[one]), float(floors[: at[one] + 1][saved[: at[one] + 1].argmin()])


def _floors(z: Float, t: Float, weight: Float) -> tuple[Float, Float]:
    """Return floors l for p, ascending from 0, and the nats that each adds: the best between any two forecasts.

    Rows with p < l pay -t log l - (1 - t) log(1 - l).
    """
    order = np.argsort(z, kind="stable")
    z, t, weight = z[order], t[order], weight[order]
    up, down = softplus(-z), softplus(z)  # -log p, -log(1 - p)
    happened, missed = np.cumsum(weight * t), np.cumsum(weight * (1 - t))
    spent = np.cumsum(weight * (t * up + (1 - t) * down))
    last = np.flatnonzero(np.append(z[1:] != z[:-1], True))
    a, b, before = happened[last], missed[last], spent[last]
    with np.errstate(divide="ignore", invalid="ignore"):
        log_rate, log_rest = np.log(a / (a + b)), np.log(b / (a + b))
        stop, stop_rest = np.append(-up[last][1:], 0.0), np.append(-down[last][1:], -np.inf)
        inside = (log_rate >= -up[last]) & (log_rate <= stop)
        below = log_rate < -up[last]
        log_l = np.where(inside, log_rate, np.where(below, -up[last], stop))
        log_r = np.where(inside, log_rest, np.where(below, -down[last], stop_rest))
        cost = np.where(a > 0, -a * log_l, 0.0) + np.where(b > 0, -b * log_r, 0.0) - before
    cost = np.where(cost < -1e-14 * float(spent[-1]), cost, np.maximum(cost, 0.0))  # rounding gains nothing
    return np.append(0.0, np.exp(log_l)), np.append(0.0, cost)
