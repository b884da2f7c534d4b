"""The ways to make one forecast of several that are tried, simplest first, and how each is fitted to rows in memory.

Every fit takes forecasts Z of shape (n, M, C), shares T (n, C) and weights (n,), and returns a frozen pool.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from logloss.calibrate.fits import CANDIDATES, fit_steps
from logloss.calibrate.maps import Scaling
from logloss.calibrate.odds import cost
from logloss.calibrate.pools import Pool, linear_weights, log_weights, outcome_logs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Float = NDArray[np.float64]

__all__ = ["STACKS", "Stack", "best_single", "fit_pools", "losses_of", "stacks"]


@dataclass(frozen=True)
class Stack:
    """A way to make one forecast of several.

    Attributes
    ----------
    said
        What it is, in a few words.
    base
        What it starts from: "single", "linear" or "log".
    after
        The map that follows, by its name among :data:`logloss.calibrate.fits.CANDIDATES`; "" for none.
    """

    name: str
    said: str
    base: str
    after: str = ""

    def parameters(self, K: int, M: int) -> int:
        """Return how many it has, for K classes and M forecasts; which single one is best counts none."""
        of_base = {"single": 0, "linear": M - 1, "log": M}[self.base]
        return of_base + (0 if not self.after else CANDIDATES[self.after].parameters(K))

    def fits(self, K: int) -> bool:
        """Tell whether it is tried for K classes."""
        if not self.after:
            return True
        one = CANDIDATES[self.after]
        return one.two if K == 2 else one.many >= K


STACKS: dict[str, Stack] = {
    one.name: one
    for one in (
        Stack("identity", "the best single forecast as it is", "single"),
        Stack("temperature", "the best single forecast, log-odds divided by one number", "single", "temperature"),
        Stack("linear", "forecasts mixed: a weighted mean of probabilities", "linear"),
        Stack("affine", "the best single forecast, with a temperature and other base rates", "single", "affine"),
        Stack("log", "log-odds added up, each with its weight", "log"),
        Stack("linear_temperature", "forecasts mixed, then a temperature", "linear", "temperature"),
        Stack("log_offset", "log-odds added up, each with its weight, and other base rates", "log", "prior_shift"),
        Stack("linear_affine", "forecasts mixed, then a temperature and other base rates", "linear", "affine"),
        Stack("linear_beta", "forecasts mixed, then a log p - b log(1 - p) + c", "linear", "beta"),
    )
}  # fmt: skip


def stacks(K: int, M: int) -> list[str]:
    """Return the names of what is tried for K classes and M forecasts, simplest first."""
    places = list(STACKS)
    found = [name for name in places if STACKS[name].fits(K)]
    return sorted(found, key=lambda name: (STACKS[name].parameters(K, M), places.index(name)))


def losses_of(Z: Float, T: Float) -> Float:
    """Return the surprise of each row under each forecast, (n, M)."""
    return np.stack([cost(Z[:, m], T) for m in range(Z.shape[1])], axis=1)


def best_single(losses: Float, weight: Float) -> int:
    """Return the position of the forecast with the least loss, of which the least weight is infinite; losses (n, M)."""
    endless = np.isinf(losses)
    rest = (weight[:, None] * np.where(endless, 0.0, losses)).sum(axis=0)
    lost = (weight[:, None] * endless).sum(axis=0)
    return min(range(losses.shape[1]), key=lambda m: (float(lost[m]), float(rest[m])))


@dataclass(frozen=True, eq=False)
class _Rows:
    """Rows to fit to, and what several ways start from, found once."""

    Z: Float
    T: Float
    weight: Float
    best: int

    @property
    def single(self) -> Pool:
        return Pool("linear", np.eye(self.Z.shape[1])[self.best])

    @cached_property
    def linear(self) -> Pool:
        return Pool("linear", linear_weights(*outcome_logs(self.Z, self.T, self.weight))[0])

    def fitted(self, one: Stack) -> Pool:
        if one.base == "log":
            weights, offset = log_weights(self.Z, self.T, self.weight, offsets=bool(one.after))
            return Pool("log", weights, (Scaling(np.ones_like(offset), offset),) if one.after else ())
        base = self.single if one.base == "single" else self.linear
        if not one.after:
            return base
        return Pool(base.kind, base.weights, fit_steps(one.after, base(self.Z), self.T, self.weight))


def fit_pools(
    names: Sequence[str], Z: Float, T: Float, weight: Float, *, best: int
) -> dict[str, Callable[[Float], Float]]:
    """Fit ways to rows: Z (n, M, C), T (n, C), weight (n,), all above 0 and of mean 1; each result is a :class:`Pool`.

    `best` is the position of the single forecast that "single" stands for.
    """
    rows = _Rows(Z, T, weight, best)
    return {name: rows.fitted(STACKS[name]) for name in names}
