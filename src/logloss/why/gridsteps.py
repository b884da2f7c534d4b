"""Which maps would lower the loss of rows that are known by bins of log-odds only: in sample, less their optimism."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss import interval
from logloss.calibrate.isotonic import pool
from logloss.calibrate.odds import SUREST, softplus
from logloss.calibrate.scaling import fit
from logloss.curves.gridpools import weight_powers
from logloss.summary import CLASS_MEASURES
from logloss.why.remedies import BOUND, ENOUGH, FEWEST, FEWEST_OTHERS, SHAPE, SHIFT, TEMPERATURE
from logloss.why.steps import Step, parameters_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logloss.calibrate.maps import Scaling
    from logloss.curves.binning import Pools
    from logloss.summary import Summary

    Float = NDArray[np.float64]

__all__ = ["beyond", "cost_of", "odds_of", "steps_of"]

EDGE = 31.9  # log-odds; beyond lie the outermost bins, of which it is not known how far out their rows are
NOTHING = 0.01  # of a gain
CLIP = "clip"


def odds_of(found: Pools) -> Float:
    """Return the log-odds of bins, none surer than the surest float64 below 1."""
    return np.clip(found.odds, -SUREST, SUREST)


def cost_of(z: Float, share: Float, weight: Float) -> float:
    """Return the mean loss of log-odds z, in nats."""
    return float((weight * (share * softplus(-z) + (1 - share) * softplus(z))).sum() / weight.sum())


def beyond(found: Pools) -> tuple[Float, Float]:
    """Return the weight beyond the grid that was right, and that was wrong, by bin."""
    outside = np.where(np.abs(found.odds) > EDGE, found.weight, 0.0)
    wrong = outside * np.where(found.odds > 0, 1 - found.share, found.share)
    return outside - wrong, wrong


@dataclass(frozen=True, eq=False)
class _Rows:
    """The bins as rows: log-odds z, what happened, weight, and sums of w^2 and w^3; n rows.

    Bins beyond the grid are two: what was right, at the edge, and what was wrong, where its mean surprise is. Far out the
    loss is a straight line, so that the mean tells all.
    """

    z: Float
    share: Float
    weight: Float
    squares: Float
    cubes: Float
    n: int

    @classmethod
    def of(cls, summary: Summary, found: Pools) -> _Rows:
        """Return the rows of the finite ones' bins."""
        right, wrong = beyond(found)
        z, share, weight = odds_of(found), found.share.copy(), found.weight.copy()
        far, out = wrong > 0, right + wrong > 0
        side = np.sign(z)
        share[out], weight[out] = (side[out] + 1) / 2, right[out]
        if far.any():
            spent = float((weight * (share * softplus(-z) + (1 - share) * softplus(z))).sum())
            paid = max((summary.finite_nats - spent) / float(wrong.sum()), EDGE)
            z = np.concatenate([z, side[far] * paid])
            share = np.concatenate([share, (1 - side[far]) / 2])
            weight = np.concatenate([weight, wrong[far]])
        kept = weight > 0
        second, third = weight_powers(summary)
        z, share, weight = z[kept], share[kept], weight[kept]
        return cls(z, share, weight, weight * second, weight * third, summary.moments.n)

    def told(self, after: Float, gain: float) -> bool:
        """Tell whether what rows beyond the grid would cost after a map is next to nothing: how far out they are is not known."""
        right = (np.abs(self.z) > EDGE) & (self.share == (self.z > 0))
        if not right.any():
            return True
        up = np.where(self.share > 0, softplus(-after), softplus(after))
        return float((self.weight * up)[right].sum()) <= NOTHING * abs(gain) * float(self.weight.sum())

    @property
    def effective(self) -> float:
        """How many rows of equal weight would tell as much."""
        return float(self.weight.sum() ** 2 / self.squares.sum())

    def optimism(self, z: Float, columns: list[Float]) -> float:
        """Return tr(H^-1 V) / W of a map with these derivatives by its parameters: in-sample loss is too low by it."""
        if not columns:
            return 0.0
        from scipy.special import expit

        q = expit(z)
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


def steps_of(summary: Summary, inner: Pools) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
    """Return the maps that lower the loss, in the order of their gains, and those that do not; none where it is not known."""
    counted = summary.by_class.sums[CLASS_MEASURES.index("rows")]
    if summary.moments.n < FEWEST or float(counted.min()) < FEWEST_OTHERS:
        return (), ()
    rows = _Rows.of(summary, inner)
    grouped = summary.groups is not None
    chosen: list[Step] = []
    now, spent = rows.z, 0.0
    base = now, spent  # a shift and a temperature are fitted together, since the last clip
    failed: dict[str, Step] = {}
    rest = [SHIFT, TEMPERATURE, BOUND]
    while rest:
        tried = {name: _attempt(rows, name, now, spent, chosen, base) for name in rest}
        best = _best(rows, tried)
        step, after, cost = tried[best]
        if not rows.told(after, step.gain):
            return (), ()
        if not step.supported:
            failed |= {name: one[0] for name, one in tried.items()}
            break
        chosen.append(step)
        now, spent = after, cost
        base = (now, spent) if best == BOUND else base
        rest.remove(best)
    step, _, _ = _attempt(rows, SHAPE, now, spent, chosen, base)
    if step.supported:
        chosen.append(step)
    else:
        failed[SHAPE] = step
    steps, others = (
        tuple(replace(step, interval=None) if grouped else step for step in some)
        for some in (chosen, failed.values())
    )
    return steps, others


def _best(rows: _Rows, tried: dict[str, tuple[Step, Float, float]]) -> str:
    """Return the candidate that gains most; a clip, which hides causes, only where it certainly gains more."""
    by_gain = sorted(tried, key=lambda name: (tried[name][0].supported, tried[name][0].gain), reverse=True)
    if by_gain[0] != BOUND or len(by_gain) == 1 or not tried[by_gain[1]][0].supported:
        return by_gain[0]
    ahead = rows.gain(tried[by_gain[1]][1], tried[BOUND][1], 0.0)
    return BOUND if ahead is not None and ahead.low > 0 else by_gain[1]


def _attempt(
    rows: _Rows, name: str, now: Float, spent: float, chosen: list[Step], base: tuple[Float, float]
) -> tuple[Step, Float, float]:
    """Return a map as a step on top of those chosen, the log-odds after it, and the optimism up to it."""
    names = {step.name for step in chosen}
    vouched, parameters = True, {}
    if name == SHAPE:
        after, cost = _shaped(rows, now)
    elif name == BOUND:
        after, eps, changed, vouched = _clipped(rows, now)
        cost = spent + 1 / rows.effective
        parameters = {"clip": eps, "changed": changed}
    else:
        both = bool(names & {SHIFT, TEMPERATURE})
        after, cost, parameters = _scaled(rows, name, base[0], both=both)
        cost += base[1]
    found = rows.gain(now, after, cost - spent)
    assert found is not None  # there are 20 rows and more
    said = CLIP if name == BOUND else name
    alone = None if chosen else found.mean
    span = (found.low, found.high) if vouched else None
    return Step(said, found.mean, span, span is not None and span[0] > 0, alone, parameters), after, cost


def _clipped(rows: _Rows, now: Float) -> tuple[Float, float, float, bool]:
    """Return the log-odds after the clip at an edge of a bin that loses least, the clip, the share of the rows that it changes, and whether enough errors pay for it."""
    edges = np.arange(1, int(EDGE * 16) + 1) / 16
    costs = [cost_of(np.clip(now, -edge, edge), rows.share, rows.weight) for edge in edges]
    edge = float(edges[int(np.argmin(costs))])
    after = np.clip(now, -edge, edge)
    moved = np.abs(now) > edge
    wrong = float((rows.weight * np.where(now > 0, 1 - rows.share, rows.share))[moved].sum())
    total = float(rows.weight.sum())
    return (
        after,
        float(1 / (1 + np.exp(edge))),
        float(rows.weight[moved].sum()) / total,
        wrong * rows.n / total >= ENOUGH,
    )


def _scaled(rows: _Rows, name: str, z: Float, *, both: bool) -> tuple[Float, float, dict[str, Any]]:
    """Return the log-odds after a shift, a temperature, or both; the optimism; the parameters."""
    kind = "affine" if both else name
    weight = rows.weight * (rows.effective / rows.weight.sum())
    found: Scaling = fit(kind, z[:, None], rows.share[:, None], weight)
    after = found.slope[0] * z + found.offset[0]
    columns = {SHIFT: [np.ones(len(z))], TEMPERATURE: [z]}
    moved = columns[SHIFT] + columns[TEMPERATURE] if both else columns[name]
    return after, rows.optimism(after, moved), parameters_of(found, [])


def _shaped(rows: _Rows, now: Float) -> tuple[Float, float]:
    """Return the log-odds of the isotonic curve on top, whose ends stay away from 0 and 1, and its optimism."""
    from scipy.optimize import isotonic_regression

    found = pool(now, rows.share, rows.weight * (rows.effective / rows.weight.sum()))
    share = np.concatenate([[0.5], found.share, [0.5]])  # a 0 and a 1 of weight 1/2 at each end
    p = isotonic_regression(share, weights=np.concatenate([[1.0], found.weight, [1.0]])).x[1:-1]
    after = (np.log(p) - np.log1p(-p))[np.searchsorted(found.at, now)]
    return after, len(np.unique(p)) / rows.effective
