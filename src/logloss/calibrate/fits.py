"""The maps that are tried, simplest first, and how each is fitted to rows in memory.

Every fit takes forecasts Z and shares T, (n, C), and weights (n,), and returns frozen steps. Where forecasts leave no
doubt at all (probabilities of exactly 0 or 1), a guard goes first, which reads them as about as extreme as the next; else one
wrong row would decide everything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from logloss.calibrate.blunders import fit_affine_mix
from logloss.calibrate.clip import ClipCurve, best_bounds, best_mix
from logloss.calibrate.families import fitted
from logloss.calibrate.isotonic import fit_isotonic
from logloss.calibrate.maps import Clip, Identity, Mix, Scaling
from logloss.calibrate.matrices import fit_matrix
from logloss.calibrate.odds import finite, log_softmax, logs_of_two, softplus
from logloss.calibrate.venn_abers import fit_venn_abers

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from logloss.calibrate.maps import Map

    Float = NDArray[np.float64]
    Fit = Callable[[Float, Float, Float], tuple[Map, ...]]

__all__ = ["CANDIDATES", "Candidate", "candidates", "fit_steps", "guard"]

MOST_MATRIX, MOST_VECTOR = 30, 100  # classes
SURE = 1e-9  # what certain rows of which none is wrong are bounded by at least


@dataclass(frozen=True)
class Candidate:
    """A map that can be tried.

    Attributes
    ----------
    said
        What it is, in a few words.
    parameters
        How many it has, for K classes: the fewer, the simpler. Maps of as many as the data need count 1000.
    fit
        (Z, T, weight) -> steps, for finite Z.
    guarded
        Whether certain forecasts are bounded before the fit.
    """

    name: str
    said: str
    parameters: Callable[[int], int]
    fit: Fit
    two: bool = True
    many: int = 0  # the most classes beyond two that it is tried for
    guarded: bool = True


def _one(name: str) -> Fit:
    return lambda Z, T, w: (fitted(name, Z, T, w),)


def _clip(Z: Float, T: Float, w: Float) -> tuple[Map, ...]:
    z, t = Z[:, 0], T[:, 0]
    return (Clip.at(ClipCurve.of(-softplus(np.abs(z)), np.where(z > 0, 1 - t, t), w).best()[0]),)


def _bounds(Z: Float, T: Float, w: Float) -> tuple[Map, ...]:
    return (Clip(*best_bounds(Z[:, 0], T[:, 0], w)),)


def _mix(Z: Float, T: Float, w: Float) -> tuple[Map, ...]:
    K = max(Z.shape[1], 2)
    return (_mixed(Z, T, w, np.full(K, 1.0 / K)),)


def _mix_base(Z: Float, T: Float, w: Float) -> tuple[Map, ...]:
    rates = (w[:, None] * T).sum(axis=0) / w.sum()
    rates = np.append(1.0 - rates, rates) if Z.shape[1] == 1 else rates
    n, K = float(w.sum()), len(rates)
    return (_mixed(Z, T, w, (n * rates + 0.5) / (n + 0.5 * K)),)  # no class gets a rate of 0


def _mixed(Z: Float, T: Float, w: Float, rates: Float) -> Map:
    """Return the best share of a constant forecast; every row stands once for each class that has a share in it."""
    if Z.shape[1] == 1:
        up, down = logs_of_two(Z)
        Z, T = np.hstack([down, up]), np.hstack([1 - T, T])
    mass = w[:, None] * T
    happened = mass > 0
    added = np.broadcast_to(rates, Z.shape)[happened]
    return Mix(best_mix(np.exp(Z[happened]), mass[happened], added)[0], rates)


def _vector(Z: Float, T: Float, w: Float) -> tuple[Map, ...]:
    """Return a temperature, then a slope and an offset for each class, pulled to doing no more than it.

    Two steps: slopes that differ act on normalised log-probabilities, so they cannot be multiplied into one.
    """
    first, after = _tempered(Z, T, w)
    return first, fitted("class_temperature", after, T, w)


def _matrix(Z: Float, T: Float, w: Float) -> tuple[Map, ...]:
    first, after = _tempered(Z, T, w)
    return first, fit_matrix(after, T, w)


def _tempered(Z: Float, T: Float, w: Float) -> tuple[Scaling, Float]:
    one = fitted("temperature", Z, T, w)
    assert isinstance(one, Scaling)
    return one, log_softmax(one.slope * Z)


CANDIDATES: dict[str, Candidate] = {
    one.name: one
    for one in (
        Candidate("identity", "the forecast as it is", lambda _: 0, lambda *_: (Identity(),), many=1 << 30, guarded=False),
        Candidate("temperature", "log-odds divided by one number", lambda _: 1, _one("temperature"), many=1 << 30),
        Candidate("prior_shift", "other base rates", lambda K: K - 1, _one("prior_shift"), many=MOST_VECTOR),
        Candidate("clip", "no probability below eps", lambda _: 1, _clip),
        Candidate("mix", "some of the uniform forecast mixed in", lambda _: 1, _mix, many=1 << 30),
        Candidate("mix_base", "some of the base rate mixed in", lambda _: 1, _mix_base, many=1 << 30),
        Candidate("bounds", "a clip on each side", lambda _: 2, _bounds),
        Candidate("affine", "a temperature and other base rates (Platt, on log-odds)", lambda K: K, _one("affine"), many=MOST_VECTOR),
        Candidate("beta", "a log p - b log(1 - p) + c", lambda _: 3, _one("beta")),
        Candidate("quadratic", "a parabola of log-odds", lambda _: 3, _one("quadratic")),
        Candidate("affine_mix", "temperature and base rates, then some of the uniform forecast mixed in", lambda K: K + 1, fit_affine_mix, many=MOST_MATRIX),
        Candidate("vector", "a temperature and an offset for each class", lambda K: 2 * K - 1, _vector, two=False, many=MOST_VECTOR),
        Candidate("matrix", "a matrix of log-probabilities", lambda K: K * (K + 1), _matrix, two=False, many=MOST_MATRIX),
        Candidate("venn_abers", "isotonic, between a 0 and a 1 added", lambda _: 1000, lambda Z, T, w: (fit_venn_abers(Z[:, 0], T[:, 0], w).compressed(),), guarded=False),
        Candidate("isotonic", "any rising curve, its ends kept from 0 and 1", lambda _: 1001, lambda Z, T, w: (fit_isotonic(Z[:, 0], T[:, 0], w),), guarded=False),
    )
}  # fmt: skip


def candidates(K: int) -> list[str]:
    """Return the names of the maps that are tried for K classes, simplest first."""
    found = [one.name for one in CANDIDATES.values() if (one.two if K == 2 else one.many >= K)]
    return sorted(found, key=lambda name: CANDIDATES[name].parameters(K))


def fit_steps(
    name: str, Z: Float, T: Float, weight: Float, *, certain: bool | None = None
) -> tuple[Map, ...]:
    """Fit a candidate to rows: Z and T of shape (n, C), weight (n,), all above 0.

    A weight of 2 is the row twice: what pulls to the identity shrinks with their sum. Where only ratios matter they have a
    mean of 1. `certain` tells whether forecasts that leave no doubt are to be bounded; by default, where there are any.
    """
    one = CANDIDATES[name]
    if not one.guarded:
        return one.fit(finite(Z) if name != "identity" else Z, T, weight)
    first = guard(Z, T, weight, certain=certain)
    for step in first:
        Z = step(Z)
    return (*first, *one.fit(Z, T, weight))


def guard(Z: Float, T: Float, weight: Float, *, certain: bool | None = None) -> tuple[Map, ...]:
    """Return what bounds forecasts that leave no doubt; nothing where there are none, unless they are known to come.

    A probability of exactly 0 or 1 is read as about as extreme as the most extreme one that is not. Where some certain
    rows are wrong, or none is known yet, no more extreme than 1 / (2 n + 2); nor than (errors + 1/2) / (rows + 1) among
    the certain rows (Krichevsky and Trofimov 1981). Two classes: a clip there. More: so much of the uniform forecast.
    """
    endless = np.isinf(Z)
    if not (endless.any() if certain is None else certain):
        return ()
    n, C = float(weight.sum()), Z.shape[1]
    sure = endless.any(axis=1)
    with np.errstate(invalid="ignore"):
        lost = (
            T[:, 0] * (Z[:, 0] < 0) + (1 - T[:, 0]) * (Z[:, 0] > 0) if C == 1 else (T * endless).sum(axis=1)
        )
    wrong, rows = float((weight * lost)[sure].sum()), float(weight[sure].sum())
    known = (-softplus(np.abs(Z)) if C == 1 else Z)[~endless]
    next_one = float(np.exp(known.min())) if known.size else 0.5
    least = SURE if rows and not wrong else 0.5 / (n + 1.0)
    if C == 1:
        eps = min((wrong + 0.5) / (rows + 1.0), max(next_one, least))
        return (Clip.at(min(eps, 0.5)),)
    share = min(1.0 / (n + 1.0), max(C * next_one, C * least))
    return (Mix.uniform(min(max(share, (wrong + 0.5) / (n + 1.0) if wrong else 0.0), 0.5), C),)
