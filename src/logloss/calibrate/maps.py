"""Maps from forecasts to forecasts: frozen values that can be applied to new rows, and written down as plain numbers.

A forecast is an array Z of shape (n, C): log-odds of the second of two classes, C = 1, or log-probabilities of
K > 2 classes, C = K. A map takes such an array and returns another. `state()` is what JSON keeps of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np

from logloss.calibrate.odds import LOWEST, log_softmax, logs_of_two

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]

__all__ = [
    "KINDS",
    "Beta",
    "Clip",
    "Identity",
    "Isotonic",
    "Map",
    "Matrix",
    "Mix",
    "Quadratic",
    "Scaling",
    "VennAbers",
]


class Map(Protocol):
    """What every map can do."""

    kind: ClassVar[str]

    def __call__(self, Z: Float) -> Float:
        """Return the forecast after the map, shape (n, C)."""

    def state(self) -> dict[str, Any]:
        """Return its parameters as numbers and lists of them."""


def _numbers(**arrays: Float) -> dict[str, Any]:
    return {name: np.asarray(array, np.float64).tolist() for name, array in arrays.items()}


@dataclass(frozen=True)
class Identity:
    """The forecast as it is."""

    kind: ClassVar[str] = "identity"

    def __call__(self, Z: Float) -> Float:
        """Return Z."""
        return Z

    def state(self) -> dict[str, Any]:
        """Return nothing: it has no parameters."""
        return {}


@dataclass(frozen=True, eq=False)
class Scaling:
    """eta = slope * Z + offset, both of shape (C,); K classes go through a softmax.

    A temperature T is slope 1 / T; a prior shift r_k an offset log r_k; both together Platt scaling on log-odds; one
    slope and one offset for each class vector scaling.
    """

    slope: Float
    offset: Float
    kind: ClassVar[str] = "scaling"

    def __call__(self, Z: Float) -> Float:
        """Return the forecast after the map, shape (n, C): log-odds, or log-probabilities again."""
        if Z.shape[1] > 1 and (self.slope < 0).any():
            # an impossible class turned round is certain, not undefined
            Z = np.where(self.slope < 0, np.maximum(Z, LOWEST), Z)
        with np.errstate(invalid="ignore"):
            eta = np.where(self.slope == 0, 0.0, self.slope * Z) + self.offset
        return eta if eta.shape[1] == 1 else log_softmax(eta)

    def state(self) -> dict[str, Any]:
        """Return slope and offset."""
        return _numbers(slope=self.slope, offset=self.offset)


@dataclass(frozen=True)
class Clip:
    """Two classes: neither is given less than its least probability."""

    first: float
    second: float
    kind: ClassVar[str] = "clip"

    @classmethod
    def at(cls, eps: float) -> Clip:
        """Return the clip into [eps, 1 - eps]."""
        return cls(eps, eps)

    def __call__(self, Z: Float) -> Float:
        """Return the log-odds after the clip, shape (n, 1)."""
        if self.first <= 0 and self.second <= 0:
            return Z
        with np.errstate(divide="ignore"):
            low, high = (float(np.log(p) - np.log1p(-p)) for p in (self.second, self.first))
        return np.clip(Z, low, -high)

    def state(self) -> dict[str, Any]:
        """Return the least probabilities."""
        return {"first": self.first, "second": self.second}


@dataclass(frozen=True, eq=False)
class Mix:
    """(1 - share) p + share * rates: another forecast, the same for all rows, mixed in; rates of shape (K,)."""

    share: float
    rates: Float
    kind: ClassVar[str] = "mix"

    @classmethod
    def uniform(cls, share: float, K: int) -> Mix:
        """Return the map that mixes in the uniform forecast."""
        return cls(share, np.full(K, 1.0 / K))

    def __call__(self, Z: Float) -> Float:
        """Return the forecast after mixing, shape (n, C)."""
        if self.share <= 0:
            return Z
        with np.errstate(divide="ignore"):
            kept, added = np.log1p(-self.share), np.log(self.share) + np.log(self.rates)
        if Z.shape[1] > 1:
            return np.asarray(np.logaddexp(Z + kept, added))
        up, down = logs_of_two(Z)
        return np.asarray(np.logaddexp(up + kept, added[1]) - np.logaddexp(down + kept, added[0]))

    def state(self) -> dict[str, Any]:
        """Return the share, and what is mixed in."""
        return {"share": self.share} | _numbers(rates=self.rates)


@dataclass(frozen=True)
class Beta:
    """Two classes: log-odds a log p - b log(1 - p) + c (Kull, Silva Filho, Flach 2017); the identity is a = b = 1, c = 0."""

    a: float
    b: float
    c: float
    kind: ClassVar[str] = "beta"

    def __call__(self, Z: Float) -> Float:
        """Return the log-odds after the map, shape (n, 1)."""
        up, down = logs_of_two(Z)
        with np.errstate(invalid="ignore"):
            left, right = (np.where(k == 0, 0.0, k * x) for k, x in ((self.a, up), (self.b, down)))
        return np.asarray(left - right + self.c)

    def state(self) -> dict[str, Any]:
        """Return a, b and c."""
        return {"a": self.a, "b": self.b, "c": self.c}


@dataclass(frozen=True)
class Quadratic:
    """Two classes: log-odds square z^2 + slope z + offset; right where log-odds of each class are Gaussian."""

    square: float
    slope: float
    offset: float
    kind: ClassVar[str] = "quadratic"

    def __call__(self, Z: Float) -> Float:
        """Return the log-odds after the map, shape (n, 1); that of a certain forecast is that of log-odds of 745."""
        z = np.clip(Z, LOWEST, -LOWEST)
        return np.asarray((self.square * z + self.slope) * z + self.offset)

    def turns(self) -> float | None:
        """Return the log-odds at which the map turns round: it is monotone only on one side; None for a line."""
        return -0.5 * self.slope / self.square if self.square else None

    def state(self) -> dict[str, Any]:
        """Return the coefficients."""
        return {"square": self.square, "slope": self.slope, "offset": self.offset}


@dataclass(frozen=True, eq=False)
class Isotonic:
    """Two classes: log-odds that do not fall, given at knots and on straight lines between them, constant beyond; (k,)."""

    at: Float
    odds: Float
    kind: ClassVar[str] = "isotonic"

    def __call__(self, Z: Float) -> Float:
        """Return the log-odds after the map, shape (n, 1)."""
        return np.interp(Z[:, 0], self.at, self.odds)[:, None]

    def state(self) -> dict[str, Any]:
        """Return the knots."""
        return _numbers(at=self.at, odds=self.odds)


@dataclass(frozen=True, eq=False)
class VennAbers:
    """Two classes: at each distinct log-odds, the isotonic fit with a 0 and with a 1 added there; shape (k,)."""

    at: Float
    low: Float
    high: Float
    kind: ClassVar[str] = "venn_abers"

    def bounds(self, s: Float) -> tuple[Float, Float]:
        """Return p0 and p1 of new forecasts, shape (n,)."""
        above = np.searchsorted(self.at, s, side="left")  # the first at >= s
        below = np.searchsorted(self.at, s, side="right")  # one past the last at <= s
        return np.append(0.0, self.low)[below], np.append(self.high, 1.0)[above]

    def compressed(self) -> VennAbers:
        """Return the map that keeps only the ends of stretches where both fits are the same to 12 digits.

        Between such ends it says exactly what it said before, to these digits.
        """
        low, high = np.round(self.low, 12), np.round(self.high, 12)
        new = np.append(True, (low[1:] != low[:-1]) | (high[1:] != high[:-1]))
        keep = new | np.append(new[1:], True)
        return VennAbers(self.at[keep], self.low[keep], self.high[keep])

    def __call__(self, Z: Float) -> Float:
        """Return the log-odds after the map, shape (n, 1): log p1 - log(1 - p0)."""
        p0, p1 = self.bounds(Z[:, 0])
        return np.asarray(np.log(p1) - np.log1p(-p0))[:, None]

    def state(self) -> dict[str, Any]:
        """Return the two fits."""
        return _numbers(at=self.at, low=self.low, high=self.high)


@dataclass(frozen=True, eq=False)
class Matrix:
    """K > 2 classes: softmax(weights Z + offset) with weights of shape (K, K)."""

    weights: Float
    offset: Float
    kind: ClassVar[str] = "matrix"

    def __call__(self, Z: Float) -> Float:
        """Return the log-probabilities after the map, shape (n, K); impossible classes count as log p = -745."""
        Z = np.maximum(Z, LOWEST)
        eta = np.stack([(Z * row).sum(axis=1) for row in self.weights], axis=1)
        return log_softmax(eta + self.offset)

    def state(self) -> dict[str, Any]:
        """Return weights and offset."""
        return _numbers(weights=self.weights, offset=self.offset)


KINDS: dict[str, type[Any]] = {
    one.kind: one for one in (Identity, Scaling, Clip, Mix, Beta, Quadratic, Isotonic, VennAbers, Matrix)
}
