"""One step of the remedies: a map, what it gains, and what forecasts look like after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.calibrate.clip import ClipCurve, best_mix
from logloss.calibrate.maps import Clip, Mix, Scaling
from logloss.calibrate.odds import softplus

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Float = NDArray[np.float64]
    Map = Callable[[Float], Float]

__all__ = ["Held", "Step", "bounded", "parameters_of"]


@dataclass(frozen=True)
class Step:
    """One map: what it gains on rows it was not fitted on, on top of the steps before it.

    Attributes
    ----------
    name
        "prior_shift", "temperature", "clip", "mix", "class_temperature", "shape", or "not_one" (dividing rows by
        their sums).
    gain, interval
        Held-out gain in nats, with its interval; None where too few rows decide it.
    supported
        Whether the interval excludes 0.
    alone
        The held-out gain of this map by itself; None where it was only tried on top of others.
    parameters
        As fitted on all rows, e.g. {"temperature": 1.9}; for a prior shift the offset of each class.
    """

    name: str
    gain: float
    interval: tuple[float, float] | None
    supported: bool
    alone: float | None
    parameters: dict[str, Any]


@dataclass(frozen=True, eq=False)
class Held:
    """What the forecasts would be after the supported steps, on rows these were not fitted on; arrays of shape (n,).

    Attributes
    ----------
    surprise, entropy, variance
        Of what happened; its mean and variance under these forecasts.
    p, happened
        Two classes: the probability of the second, and whether (or which share of) it happened. More: of the class
        with the largest probability.
    odds
        The log-odds of p.
    """

    surprise: Float
    entropy: Float
    variance: Float
    p: Float
    happened: Float
    odds: Float
    given: Float | None = None  # two classes: the log-odds before the steps

    def take(self, keep: NDArray[np.bool_]) -> Held:
        """Return the columns of only these rows."""
        return Held(
            self.surprise[keep],
            self.entropy[keep],
            self.variance[keep],
            self.p[keep],
            self.happened[keep],
            self.odds[keep],
            None if self.given is None else self.given[keep],
        )


def bounded(Z: Float, T: Float, weight: Float, *, certain: bool) -> Map:
    """Return the best clip of two classes, or the best share of the uniform forecast of more.

    Where forecasts are `certain` and wrong, also the rows that happen to have none of them leave some doubt: the
    Krichevsky-Trofimov clip, or one part in n + 1 of the uniform forecast.
    """
    if Z.shape[1] == 1:
        z, t = Z[:, 0], T[:, 0]
        curve = ClipCurve.of(-softplus(np.abs(z)), np.where(z > 0, 1 - t, t), weight)
        best = curve.best()[0]
        return Clip.at(max(best, curve.advice(len(z))) if certain and best == 0 else best)
    mass = weight[:, None] * T
    share = best_mix(np.exp(Z[mass > 0]), mass[mass > 0], 1 / Z.shape[1])[0]
    return Mix.uniform(max(share, 1 / (len(Z) + 1)) if certain else share, Z.shape[1])


def parameters_of(one: Any, before: list[Map]) -> dict[str, Any]:
    """Return what a map was fitted to, in the field's terms; together with that before it, where both are affine."""
    if isinstance(one, Clip):
        return {"clip": one.second}
    if isinstance(one, Mix):
        return {"mix": one.share}
    found: dict[str, Any] = {}
    slope, offset = one.slope, one.offset
    if before and isinstance(before[-1], Scaling):
        slope, offset = slope * before[-1].slope, slope * before[-1].offset + offset
    if (slope != 1).any():
        with np.errstate(divide="ignore"):
            found["temperature"] = float(1 / slope[0]) if (slope == slope[0]).all() else (1 / slope).tolist()
    if offset.any():
        found["offset"] = float(offset[0]) if len(offset) == 1 else (offset - offset.mean()).tolist()
    return found
