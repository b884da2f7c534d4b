"""How often intervals of a paired difference cover: skewed rows, rows in groups, rows in time, cross-validation.

Run ``python studies/comparisons.py`` from the root of a clone (six minutes; ``--small``: twenty seconds). The last
table fits models by scikit-learn.
"""

from __future__ import annotations

import argparse
import math
from typing import TYPE_CHECKING

import numpy as np
from scipy.signal import lfilter
from scipy.special import expit, stdtrit
from sklearn.linear_model import LogisticRegression

from logloss.dependence.folded import of_folds
from logloss.dependence.series import of_series
from logloss.interval import Interval, cr1, hall_t, of_clusters, of_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]
    Int = NDArray[np.int64]

RHO = 0.6  # of a series with the value before
DEPENDENCE = 0.14  # share of the variance that rows of a group have in common
FOLDS = 10
HEAVY = 0.3  # share of the rows that come from one user


class Counts:
    """How often intervals by several rules hold a truth, and how wide they are."""

    def __init__(self) -> None:
        self.sets = 0
        self.held: dict[str, int] = {}
        self.width: dict[str, float] = {}

    def add(self, truth: float, **found: Interval | tuple[float, float] | None) -> None:
        """Count one data set."""
        self.sets += 1
        for rule, at in found.items():
            assert at is not None
            low, high = (at.low, at.high) if isinstance(at, Interval) else at
            self.held[rule] = self.held.get(rule, 0) + (low <= truth <= high)
            self.width[rule] = self.width.get(rule, 0.0) + high - low

    def shares(self) -> dict[str, float]:
        """Return how often each rule's interval held the truth."""
        return {rule: held / self.sets for rule, held in self.held.items()}

    def __str__(self) -> str:
        """Share and mean width of each rule."""
        return "   ".join(
            f"{rule} {share:.3f} (width {self.width[rule] / self.sets:.3f})"
            for rule, share in self.shares().items()
        )


def students(mean: float, error: float, freedom: float) -> tuple[float, float]:
    """Return mean -+ the t quantile times the error."""
    reach = float(stdtrit(freedom, 0.975)) * error
    return mean - reach, mean + reach


def by_rows(x: Float) -> tuple[float, float]:
    """Return Student's interval of rows that are taken as independent."""
    return students(float(x.mean()), float(x.std(ddof=1)) / math.sqrt(len(x)), len(x) - 1)


def surprise(y: NDArray[np.bool_], z: Float) -> Float:
    """Return the surprise of outcomes y under log-odds z, nats."""
    return np.asarray(np.logaddexp(0, np.where(y, -z, z)))


def paired(n: int, sets: int) -> Counts:
    """Forecasts with log-odds three times too far out against calibrated ones, N(0, 1): rows are independent."""
    random, found = np.random.default_rng(1), Counts()
    node, weight = np.polynomial.hermite_e.hermegauss(200)
    truth = expit(node)
    loss = [truth * np.logaddexp(0, -k * node) + (1 - truth) * np.logaddexp(0, k * node) for k in (3.0, 1.0)]
    known = float((weight * (loss[0] - loss[1])).sum() / weight.sum())
    for _ in range(sets):
        z = random.normal(size=n)
        y = random.random(n) < expit(z)
        d = surprise(y, 3 * z) - surprise(y, z)
        means = d[random.integers(0, n, (1000, n))].mean(axis=1)
        low, high = np.quantile(means, (0.025, 0.975))
        found.add(known, t=by_rows(d), bootstrap=(float(low), float(high)), hall=of_rows(d, np.ones(n)))
    return found


def hall_of_groups(d: Float, cluster: Int) -> Interval | None:
    """Return Hall's interval of the jackknife's pseudo-values: the means of groups where these are of equal weight."""
    sums, sizes = np.bincount(cluster, d), np.bincount(cluster)
    groups, left_out = len(sums), (sums.sum() - sums) / (sizes.sum() - sizes)
    off = (groups - 1) * (left_out.mean() - left_out)
    return hall_t(float(d.mean()), groups, float((off**2).sum()), float((off**3).sum()))


def grouped(groups: int, sets: int, *, skewed: bool = False, equal: bool = False) -> Counts:
    """Differences that rows of a group have in common in part: groups of 2 to 39 rows, or of 20 each."""
    random, found = np.random.default_rng(2), Counts()
    share, rest = math.sqrt(DEPENDENCE), math.sqrt(1 - DEPENDENCE)
    for _ in range(sets):
        sizes = np.full(groups, 20) if equal else random.integers(2, 40, groups)
        cluster = np.repeat(np.arange(groups), sizes)
        effect = random.exponential(size=groups) - 1 if skewed else random.normal(size=groups)
        noise = random.exponential(size=len(cluster)) - 1 if skewed else random.normal(size=len(cluster))
        d = share * effect[cluster] + rest * noise
        ones = np.ones(len(d))
        found.add(
            0.0,
            rows=of_rows(d, ones),
            cr1=students(float(d.mean()), cr1(d, ones, cluster), groups - 1),
            hall=hall_of_groups(d, cluster),
            ours=of_clusters(d, ones, cluster),
        )
    return found


def newey_west(x: Float) -> tuple[float, float]:
    """Return the normal interval with Newey and West's error, 4 (T / 100)^(2/9) lags."""
    T, u = len(x), x - x.mean()
    lags = math.floor(4 * (T / 100) ** (2 / 9))
    variance = float((u * u).sum()) / T
    for k in range(1, lags + 1):
        variance += 2 * (1 - k / (lags + 1)) * float((u[k:] * u[:-k]).sum()) / T
    return students(float(x.mean()), math.sqrt(variance / T), math.inf)


def in_time(T: int, sets: int, rho: float = RHO) -> Counts:
    """Differences of which each is `rho` times the one before plus noise N(0, 1)."""
    random, found = np.random.default_rng(3), Counts()
    for _ in range(sets):
        noise = random.normal(size=T)
        noise[0] /= math.sqrt(1 - rho * rho)  # as if it had gone on for ever
        x = lfilter([1.0], [1.0, -rho], noise)
        found.add(0.0, rows=by_rows(x), newey_west=newey_west(x), ewc=of_series(x, np.ones(T), np.arange(T)))
    return found


def heavy_user(n: int, sets: int, dependence: float = DEPENDENCE) -> Counts:
    """One user has 30 % of the rows, the others one each; a user's rows have the share `dependence` of the variance in common."""
    random, found = np.random.default_rng(4), Counts()
    many = round(HEAVY * n)
    cluster = np.append(np.zeros(many, dtype=np.int64), np.arange(1, n - many + 1))
    for _ in range(sets):
        effect = random.normal(size=n - many + 1)
        d = math.sqrt(dependence) * effect[cluster] + math.sqrt(1 - dependence) * random.normal(size=n)
        one_each = d[many - 1 :]  # the first user's last row, and the others'
        ones = np.ones(n)
        found.add(
            0.0,
            rows=of_rows(d, ones),
            groups=of_clusters(d, ones, cluster),
            row_each=of_rows(one_each, np.ones(len(one_each))),
        )
    return found


EFFECT = np.array(
    [1.0, -0.7, 0.5, 0.4, 0.3, 0.3, -0.3, 0.0, 0.0, 0.0]
)  # on the log-odds, of ten columns N(0, 1)
CONTESTS = {  # columns of one logistic regression, and of the one it is set against
    "one, ten columns": (slice(0, 10), None),
    "first five, last five": (slice(0, 5), slice(5, 10)),
    "first seven, all ten": (slice(0, 7), slice(0, 10)),
}


def expected(weights: Float, start: float) -> float:
    """Return the expected loss of log-odds X weights + start, exactly: both log-odds are normal (Stein's lemma)."""
    node, mass = np.polynomial.hermite_e.hermegauss(100)
    mass = mass / mass.sum()
    p = expit(node * math.sqrt(float((EFFECT**2).sum())))
    slope, spread = float((mass * p * (1 - p)).sum()), math.sqrt(float((weights**2).sum()))
    normaliser = float((mass * np.logaddexp(0, start + spread * node)).sum())
    return normaliser - slope * float((weights * EFFECT).sum()) - start / 2


def fitted(X: Float, y: NDArray[np.bool_], columns: slice) -> tuple[Float, float]:
    """Return weights (10,) and intercept of a logistic regression on some columns, by scikit-learn as it comes."""
    model = LogisticRegression(solver="newton-cholesky").fit(X[:, columns], y)
    weights = np.zeros(10)
    weights[columns] = model.coef_[0]
    return weights, float(model.intercept_[0])


def cross_validated(n: int, sets: int, contest: str) -> tuple[Counts, Counts]:
    """Ten folds of n rows: how often intervals hold what the ten fitted models truly lose, and what the algorithms do.

    The first truth is the mean expected loss (or difference) of the ten models (or pairs) that were fitted; the second is
    its mean over data sets.
    """
    random = np.random.default_rng(5)
    intervals: list[dict[str, Interval | tuple[float, float] | None]] = []
    truths: list[float] = []
    for _ in range(sets):
        X = random.normal(size=(n, 10))
        y = random.random(n) < expit((X * EFFECT).sum(axis=1))
        fold, d, known = random.permutation(np.arange(n) % FOLDS), np.zeros(n), 0.0
        for k in range(FOLDS):
            out = fold == k
            for sign, columns in zip((1, -1), CONTESTS[contest], strict=True):
                if columns is None:
                    continue
                weights, start = fitted(X[~out], y[~out], columns)
                d[out] += sign * surprise(y[out], (X[out] * weights).sum(axis=1) + start)
                known += sign * expected(weights, start) / FOLDS
        means = np.bincount(fold, d) / np.bincount(fold)
        ones = np.ones(n)
        intervals.append(
            {"rows": of_rows(d, ones), "folds": by_rows(means), "nadeau_bengio": of_folds(d, ones, fold)}
        )
        truths.append(known)
    own, across, mean = Counts(), Counts(), float(np.mean(truths))
    for found, known in zip(intervals, truths, strict=True):
        own.add(known, **found)
        across.add(mean, **found)
    return own, across


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--small", action="store_true", help="a quick look")
    small = parser.parse_args().small
    sets = 200 if small else 4000
    print(
        f"Coverage of nominal 95 % intervals of a mean paired difference, {sets:,} data sets\n\nSkewed rows"
    )
    for n in (20, 50, 200):
        print(f"  {n:4} rows    {paired(n, sets)}")
    print("\nRows in groups")
    for groups in (5, 10, 20, 50):
        for name, options in (
            ("2 to 39 rows", {}),
            ("2 to 39 rows, skewed", {"skewed": True}),
            ("20 rows, skewed", {"skewed": True, "equal": True}),
        ):
            print(f"  {groups:3} groups of {name:22} {grouped(groups, sets, **options)}")
    print("\nRows in time")
    for rho in (0.0, RHO, 0.9):
        for T in (25, 100, 400):
            print(f"  rho {rho}, {T:4} points {in_time(T, sets, rho)}")
    print("\nOne user with 30 % of the rows, of whose variance a share is the user's")
    for share in (0.02, DEPENDENCE, 0.5):
        for n in (100, 1000):
            print(f"  {share:4}, {n:5,} rows  {heavy_user(n, sets, share)}")
    sets = 20 if small else 400
    print(f"\nCross-validation in ten folds of logistic regressions, {sets} data sets")
    for contest in CONTESTS:
        for n in (100, 400):
            own, across = cross_validated(n, sets, contest)
            print(f"  {contest:21} {n} rows   the models: {own}\n{'':33} the algorithms: {across}")


if __name__ == "__main__":
    main()
