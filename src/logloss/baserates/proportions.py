"""How often each class occurs, from what each row says of each class: the proportions of a mixture, by maximum likelihood.

Row i says how likely it is under class k, x_ik, up to a factor of its own. The mean log-likelihood of proportions t,

    f(t) = sum_i w_i log sum_k t_k x_ik,    sum_i w_i = 1,

is concave. With r_ik = x_ik / sum_j t_j x_ij no proportions are likelier than t by more than max_k sum_i w_i r_ik - 1: the
certificate, 0 at the maximum. Along a line between two proportions only the two ends are needed, x of shape (n,) each.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]

__all__ = ["Line", "Proportions", "scaled", "several", "span", "spans", "two"]

STEPS = 100
ENOUGH = 1e-12  # certificate at which to stop
WARM = 10  # steps of EM before the first Newton step
LEAST, MOST = 1e-16, 1e-9  # of the ridge, in units of K trace(-f''): more where a step brought little
FLAT = 1e-12  # log-odds that differ by less say nothing
WALK = 2.5e8  # n K^2 up to which every interval follows the likelihood
ROWS = 1 << 15  # rows per block of a matrix product


@dataclass(frozen=True, eq=False)
class Proportions:
    """Proportions t of shape (K,), by how much others may be likelier at most (nats a row), and steps taken."""

    t: Float
    certificate: float
    steps: int


@dataclass(frozen=True, eq=False)
class Line:
    """The likelihood between two proportions: that of each row at `start` and at `end`, and weights that sum to 1, (n,)."""

    start: Float
    end: Float
    weight: Float

    def at(self, s: float) -> Float:
        """Return each row's likelihood at the share s of the way."""
        return (1.0 - s) * self.start + s * self.end

    def value(self, s: float) -> float:
        """Return f; -inf where a row is impossible."""
        with np.errstate(divide="ignore"):
            return float((self.weight * np.log(self.at(s))).sum())

    def slopes(self, s: float) -> tuple[float, float]:
        """Return f' and f''."""
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            u = np.nan_to_num((self.end - self.start) / self.at(s), nan=0.0, posinf=np.inf, neginf=-np.inf)
            wu = self.weight * u
            return float(wu.sum()), -float((wu * u).sum())

    def best(self, s: float) -> tuple[float, int]:
        """Return where f is greatest, from a first guess, and the steps taken: Newton's, kept in a shrinking bracket."""
        if self.slopes(0.0)[0] <= 0:
            return 0.0, 0
        if self.slopes(1.0)[0] >= 0:
            return 1.0, 0
        low, high, steps = 0.0, 1.0, 0
        while steps < STEPS:
            steps += 1
            first, second = self.slopes(s)
            low, high = (s, high) if first > 0 else (low, s)
            new = s - first / second if second < 0 else math.nan
            new = new if low <= new <= high else 0.5 * (low + high)
            moved, s = abs(new - s), new
            if moved <= 1e-9 * min(s, 1 - s):  # the next one would be its square
                break
        return s, steps

    def crossing(self, s: float, level: float) -> float:
        """Return where f falls to `level` on the way from s, where it is above, to the end 1; 1 if it does not."""
        if self.value(1.0) >= level:
            return 1.0
        low, high = s, 1.0
        second = self.slopes(s)[1]
        guess = s + math.sqrt(2 * max(self.value(s) - level, 0.0) / -second) if second < 0 else 0.0
        for _ in range(STEPS):
            x = guess if low < guess < high else 0.5 * (low + high)
            over, slope = self.value(x) - level, self.slopes(x)[0]
            low, high = (x, high) if over > 0 else (low, x)
            guess = x - over / slope if slope < 0 else math.nan
            if abs(guess - x) <= 1e-10 * abs(x - s) or high - low <= 1e-14:
                return min(max(guess, s), 1.0) if math.isfinite(guess) else x
        return x

    def turned(self) -> Line:
        """Return the same line from its other end."""
        return Line(self.end, self.start, self.weight)


def scaled(logs: Float) -> Float:
    """Return exp of log-likelihoods (n, K), the largest of each row as 1."""
    return np.asarray(np.exp(logs - logs.max(axis=1, keepdims=True)))


def two(odds: Float, weight: Float, guess: float) -> tuple[Proportions, Line]:
    """Return the proportions of two classes and the line between them.

    Parameters
    ----------
    odds
        log x_i1 - log x_i0, shape (n,); -inf and inf where a class is impossible.
    weight
        Shape (n,), of sum 1.
    guess
        The proportion of the second class to start from, which is kept where the rows say nothing.
    """
    line = Line(np.exp(-np.maximum(odds, 0.0)), np.exp(np.minimum(odds, 0.0)), weight)
    if np.abs(odds).max() <= FLAT:
        return Proportions(np.array([1 - guess, guess]), 0.0, 0), line
    s, steps = line.best(guess)
    slope = line.slopes(s)[0]
    return Proportions(np.array([1 - s, s]), max((1 - s) * slope, -s * slope, 0.0), steps), line


def span(line: Line, s: float, drop: float) -> tuple[float, float]:
    """Return the proportions of the second of two classes that are less likely than s by at most `drop` nats a row."""
    level = line.value(s) - drop
    return 1.0 - line.turned().crossing(1.0 - s, level), line.crossing(s, level)


def several(x: Float, weight: Float, guess: Float) -> Proportions:
    """Return the proportions of K classes: EM to begin with, then Newton steps on t >= 0.

    f(t) - sum t over t >= 0 has its maximum where f has it on the simplex. A Newton step is a least-squares problem
    with t >= 0 (Lawson and Hanson); halved until f rises.

    Parameters
    ----------
    x
        Likelihoods, shape (n, K).
    weight
        Shape (n,), of sum 1.
    guess
        To start from, shape (K,), all above 0.

    References
    ----------
    Kim, Carbonetto, Stephens, Anitescu (2020), A fast algorithm for maximum likelihood estimation of mixture
    proportions using sequential quadratic programming, J. Comput. Graph. Stat. 29:261-273.
    """
    t = best = guess / guess.sum()
    least, last, ridge = math.inf, math.inf, LEAST
    for step in range(STEPS):
        mixed = x @ t
        gain = x.T @ (weight / mixed)
        left = float(gain.max()) - 1
        if left < least:
            least, best = left, t
        if left <= ENOUGH:
            break
        t = _newton(x, weight, t, mixed, gain, ridge) if step >= WARM else t * gain
        t = t / t.sum()
        ridge = min(ridge * 100, MOST) if left >= last else max(ridge / 10, LEAST)
        last = left
    return Proportions(best, max(least, 0.0), step)


def _newton(x: Float, weight: Float, t: Float, mixed: Float, gain: Float, ridge: float) -> Float:
    """Return t after one damped Newton step; where that does not rise, after one step of EM, which does."""
    from scipy.optimize import nnls

    H = curvature(x, weight, mixed)
    ridge *= len(t) * float(np.trace(H))
    root = None
    while root is None:
        try:
            root = np.linalg.cholesky(H + ridge * np.eye(len(t)))
        except np.linalg.LinAlgError:
            ridge *= 10
    aim, _ = nnls(root.T, np.linalg.solve(root, 2 * H @ t - 1 + ridge * t), maxiter=100 * len(t))
    value = float((weight * np.log(mixed)).sum()) - 1
    rise = float((gain - 1) @ (aim - t))
    size = 1.0
    while rise > 0 and size > 1e-10:
        new = t + size * (aim - t)
        with np.errstate(divide="ignore"):
            at = float((weight * np.log(x @ new)).sum()) - float(new.sum())
        if at >= value + 1e-4 * size * rise - 1e-15:
            return np.asarray(new)
        size /= 2
    return t * gain


def curvature(x: Float, weight: Float, mixed: Float) -> Float:
    """Return -f'', shape (K, K): sum_i w_i r_i r_i'."""
    total = np.zeros((x.shape[1], x.shape[1]))
    for at in range(0, len(x), ROWS):
        part = slice(at, at + ROWS)
        r = x[part] / mixed[part, None]
        total += r.T @ (weight[part, None] * r)
    return total


def spans(x: Float, weight: Float, t: Float, drop: float) -> tuple[list[tuple[float, float]], bool]:
    """Return for each class the proportions less likely by at most `drop`, and whether all follow the likelihood.

    From the maximum one proportion is moved, and the others give way so that f falls least there; where one of them comes
    to 0, it stays and the others go on. With too many numbers for that, f is taken as a parabola, in log-odds where t > 0.
    """
    mixed = x @ t
    H = curvature(x, weight, mixed)
    if len(x) * x.shape[1] ** 2 > WALK:
        slopes, bends = 1 - x.T @ (weight / mixed), _bends(H, t)
        slopes[t == 1] = slopes[t < 1].min()
        return [_parabola(float(t[k]), drop, float(slopes[k]), float(bends[k])) for k in range(len(t))], False
    level = float((weight * np.log(mixed)).sum()) - drop
    return [
        (_walk(x, weight, t, k, -1, level, H), _walk(x, weight, t, k, 1, level, H)) for k in range(len(t))
    ], True


def _direction(H: Float, t: Float, k: int, sign: int) -> Float:
    """Return how the proportions move when class k's does by `sign`: those above 0, so that v' H v is least."""
    others = np.flatnonzero((t > 0) & (np.arange(len(t)) != k))
    if not len(others):  # all rows are of class k: the class that costs least comes in, by f' = H t
        others = np.array([int(np.where(np.arange(len(t)) == k, -np.inf, H[k]).argmax())])
    size = len(others)
    inner = H[np.ix_(others, others)]
    inner = inner + 1e-12 * max(float(np.trace(inner)), 1.0) * np.eye(size)
    both = np.linalg.solve(inner, np.stack([H[others, k], np.ones(size)], axis=1))
    share = (both[:, 0].sum() - 1.0) / both[:, 1].sum()
    v = np.zeros(len(t))
    v[k] = sign
    v[others] = sign * (share * both[:, 1] - both[:, 0])
    return v


def _walk(x: Float, weight: Float, t: Float, k: int, sign: int, level: float, H: Float) -> float:
    """Return class k's proportion where f has fallen to `level`."""
    for _ in range(2 * len(t)):
        if t[k] == (1.0 if sign > 0 else 0.0):
            break
        v = _direction(H, t, k, sign)
        with np.errstate(divide="ignore", invalid="ignore"):
            room = np.where(v < 0, -t / v, np.inf)
        stop = int(room.argmin())
        end = np.maximum(t + room[stop] * v, 0.0)
        end[stop] = 0.0
        end = end / end.sum()
        line = Line(x @ t, x @ end, weight)
        s = line.crossing(0.0, level)
        if s < 1.0:
            return float((1 - s) * t[k] + s * end[k])
        t, H = end, curvature(x, weight, x @ end)
    return float(t[k])


def _bends(H: Float, t: Float) -> Float:
    """Return v' H v of the direction of each class, shape (K,): all of `_direction` with one inverse."""
    free = t > 0
    if free.sum() == 1:
        directions = [_direction(H, t, k, -1 if free[k] else 1) for k in range(len(t))]
        return np.array([v @ H @ v for v in directions])
    inner = H[np.ix_(free, free)]
    inverse = np.linalg.inv(inner + 1e-12 * max(float(np.trace(inner)), 1.0) * np.eye(len(inner)))
    one = inverse.sum(axis=1)
    bends = np.zeros(len(t))
    bends[free] = 1.0 / (np.diag(inverse) - one * one / one.sum())
    b = H[np.ix_(free, ~free)]
    solved = inverse @ b
    v = one[:, None] * ((solved.sum(axis=0) - 1.0) / one.sum()) - solved
    bends[~free] = np.diag(H)[~free] + ((2 * b + inner @ v) * v).sum(axis=0)
    return np.maximum(bends, 0.0)


def _parabola(t: float, drop: float, slope: float, bend: float) -> tuple[float, float]:
    """Return where a parabola with this slope (at t = 0 or 1) and bend has fallen by `drop`; in log-odds between."""
    if 0 < t < 1:
        reach = math.sqrt(2 * drop / bend) / (t * (1 - t)) if bend > 0 else math.inf
        odds = math.log(t) - math.log1p(-t)
        low, high = ((1 + math.tanh(0.5 * z)) / 2 for z in (odds - reach, odds + reach))
        return low, high
    slope = max(slope, 0.0)
    root = math.sqrt(slope * slope + 2 * bend * drop) + slope
    reach = min(2 * drop / root, 1.0) if root > 0 else 1.0
    return (0.0, reach) if t == 0 else (1 - reach, 1.0)
