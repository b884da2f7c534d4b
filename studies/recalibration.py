"""Recalibration maps against doing nothing, on forecasts whose truth is known and on the example predictions.

Run ``python studies/recalibration.py`` from the root of a clone (``--small``: under a minute). A map is fitted to n rows
and judged by its expected log loss on 20,000 other rows, taken under the true probabilities, so that no chance of their
outcomes is left in it; for the example predictions by the mean loss of the half of the rows that it did not see.

Peers that are not installed are left out: ``pip install betacal venn-abers probmetrics numba``. scikit-learn's sigmoid and
temperature are given log-odds (log-probabilities for more than two classes), which is fairer to them than probabilities;
its sigmoid is tried on probabilities as well, as this is what most classifiers hand over.
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_expit, log_softmax, softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import KFold

import logloss as ll
from logloss.calibrate.scaling import fit

Float = NDArray[np.float64]
Labels = NDArray[np.int64]
Map = Callable[[Float], Float]
Method = Callable[
    [Labels, Float], Map
]  # (outcomes, forecasts) of the rows to learn from -> new forecasts -> better ones

EXAMPLES = Path(__file__).parents[1] / "examples" / "predictions"
JUDGED = 20_000  # rows whose expected loss judges a map
SIZES = {100: 100, 1000: 40, 10_000: 10}  # rows to learn from: how often
HALVES = 30  # random halves of each file
RAW, OURS, CLIPPED = "raw", "ll.fix", "sklearn isotonic, clipped at 1e-15"

# --- The truths: forecasts and what they should have been, both log-odds (n,) or unnormalised log-probabilities (n, K)


def gaussians(random: np.random.Generator, n: int) -> tuple[Float, Float]:
    """Return log-odds of N(1.5, 1.5^2) against N(-1, 1) at x: with their mean variance, and in truth, a parabola."""
    x = np.where(random.random(n) < 0.5, random.normal(1.5, 1.5, n), random.normal(-1, 1, n))
    return 2.5 / 1.625 * (x - 0.25), (x + 1) ** 2 / 2 - (x - 1.5) ** 2 / 4.5 - np.log(1.5)


def flipped(random: np.random.Generator, n: int) -> tuple[Float, Float]:
    """Return forecasts that do not know that 3 % of the outcomes are recorded as the other class."""
    z = 3 * random.normal(size=n)
    t = 0.97 * expit(z) + 0.03 * expit(-z)
    return z, np.log(t) - np.log1p(-t)


def of_forecast(spread: float, truth: Map) -> Callable[[np.random.Generator, int], tuple[Float, Float]]:
    """Return a truth that is a function of the forecast's log-odds, N(0, spread^2)."""

    def draw(random: np.random.Generator, n: int) -> tuple[Float, Float]:
        z = spread * random.normal(size=n)
        return z, truth(z)

    return draw


def of_truth(
    spread: float, K: int, slope: Any, offset: Any
) -> Callable[[np.random.Generator, int], tuple[Float, Float]]:
    """Return forecasts that are the true log-odds, N(0, spread^2), times a slope plus an offset."""

    def draw(random: np.random.Generator, n: int) -> tuple[Float, Float]:
        z = spread * random.normal(size=n if K == 2 else (n, K))
        return z * slope + offset, z

    return draw


TRUTHS: dict[str, Callable[[np.random.Generator, int], tuple[Float, Float]]] = {
    "calibrated": of_truth(2, 2, 1, 0),
    "over-confident x2": of_truth(2, 2, 2, 0),
    "under-confident x0.6": of_truth(2, 2, 0.6, 0),
    "prior shift of 1": of_truth(2, 2, 1, 1),
    "affine: .6 z + .7": of_forecast(2.5, lambda z: 0.6 * z + 0.7),
    "beta: .4 log p - 1.6 log(1-p)": of_forecast(2.5, lambda z: 0.4 * log_expit(z) - 1.6 * log_expit(-z)),
    "two Gaussians, a parabola": gaussians,
    "stairs: z - .9 sin z": of_forecast(2.5, lambda z: z - 0.9 * np.sin(z)),
    "3 % of outcomes flipped": flipped,
    "K=5, calibrated": of_truth(1.5, 5, 1, 0),
    "K=5, over-confident x2, offsets": of_truth(1.5, 5, 2, np.array([0.8, -0.8, 0.4, 0, -0.4])),
    "K=4, unequal temperatures": of_truth(1.8, 4, np.array([0.6, 1, 1.6, 2.4]), np.array([0.5, 0, 0, -1])),
}


def forecasts(Z: Float) -> Float:
    """Return probabilities: of the second class, shape (n,), or of every class, (n, K)."""
    return np.asarray(expit(Z) if Z.ndim == 1 else softmax(Z, axis=1))


def outcomes(random: np.random.Generator, truth: Float) -> Labels:
    """Return classes drawn with the true probabilities."""
    if truth.ndim == 1:
        return (random.random(len(truth)) < truth).astype(np.int64)
    return (random.random((len(truth), 1)) > truth.cumsum(axis=1)[:, :-1]).sum(axis=1).astype(np.int64)


def loss(p: Float, truth: Float) -> float:
    """Return the mean log loss of p, expected under the true probabilities; infinite where a possible class got 0."""
    if p.ndim == 1:
        p, truth = np.stack([1 - p, p], axis=1), np.stack([1 - truth, truth], axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.where(truth > 0, -truth * np.log(p), 0.0).sum(axis=1).mean())


def ruled_out(p: Float, truth: Float) -> float:
    """Return the share of rows to be expected whose outcome got 0."""
    if p.ndim == 1:
        return float((truth * (p == 0) + (1 - truth) * (p == 1)).mean())
    return float((truth * (p == 0)).sum(axis=1).mean())


def odds(p: Float) -> Float:
    """Return log-odds: of the second class, shape (n,), or of each class against the others together, (n, K)."""
    if p.ndim == 1:
        return np.asarray(np.log(p) - np.log1p(-p))
    others = np.stack([np.delete(p, k, axis=1).sum(axis=1) for k in range(p.shape[1])], axis=1)
    return np.asarray(np.log(p) - np.log(others))


def finite_odds(p: Float) -> Float:
    """Return log-odds for peers that take no infinity: at most 37, where the last bit of a p below 1 ends."""
    return np.minimum(odds(p), 37.0)


def columns(p: Float) -> Float:
    """Return the probability of every class, shape (n, K), rows that sum to one."""
    return np.stack([1 - p, p], axis=1) if p.ndim == 1 else p / p.sum(axis=1, keepdims=True)


def like(p: Float, q: Float) -> Float:
    """Return q, shape (n, K), in the shape of p."""
    return np.asarray(q[:, 1] if p.ndim == 1 else q, dtype=np.float64)


# --- Ours and the peers


def raw(_y: Labels, _p: Float) -> Map:
    """Leave forecasts as they are."""
    return lambda p: p


def scaled(free: str) -> Method:
    """Return the map of these parameters with a ridge towards the identity, always used."""

    def method(y: Labels, p: Float) -> Map:
        def read(p: Float) -> Float:
            return odds(p)[:, None] if p.ndim == 1 else log_softmax(np.log(p), axis=1)

        T = y[:, None].astype(np.float64) if p.ndim == 1 else np.eye(p.shape[1])[y]
        found = fit(free, read(p), T, np.ones(len(y)))
        return lambda p: forecasts(found(read(p)).reshape(p.shape))

    return method


class Handed(ClassifierMixin, BaseEstimator):
    """A fitted classifier that hands over the probabilities it is given."""

    def __init__(self, classes_: Any = None) -> None:
        self.classes_ = classes_

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def fit(self, _X: Float, _y: Labels) -> Handed:
        """Learn nothing."""
        return self

    def predict(self, X: Float) -> Labels:
        """Return the likeliest class."""
        return np.asarray(X.argmax(axis=1))

    def predict_proba(self, X: Float) -> Float:
        """Return the rows."""
        return X


class HandedScores(Handed):
    """A fitted classifier that hands over scores: one column for two classes."""

    def decision_function(self, X: Float) -> Float:
        """Return the rows."""
        return X[:, 0] if X.shape[1] == 1 else X


def sklearn(kind: str, read: Map | None) -> Method:
    """Return CalibratedClassifierCV on saved scores; without a reader of scores, on probabilities."""

    def method(y: Labels, p: Float) -> Map:
        def given(p: Float) -> Float:
            if read is None:
                return columns(p)
            return read(p)[:, None] if p.ndim == 1 else read(p)

        stub = (Handed if read is None else HandedScores)(np.arange(2 if p.ndim == 1 else p.shape[1]))
        fitted = CalibratedClassifierCV(FrozenEstimator(stub), method=kind, cv=KFold(2)).fit(given(p), y)
        return lambda p: like(p, fitted.predict_proba(given(p)))

    return method


def clipped(y: Labels, p: Float) -> Map:
    """Return scikit-learn's isotonic regression, its zeros and ones moved 1e-15 inwards."""
    found = sklearn("isotonic", None)(y, p)
    return lambda p: np.clip(found(p), 1e-15, 1 - 1e-15)


def probmetrics(kind: str) -> Method:
    """Return a calibrator of probmetrics."""

    def method(y: Labels, p: Float) -> Map:
        made = importlib.import_module("probmetrics.calibrators").get_calibrator(kind)
        fitted = made.fit(columns(p), y)
        return lambda p: like(p, fitted.predict_proba(columns(p)))

    return method


def betacal(y: Labels, p: Float) -> Map:
    """Return beta calibration, (a, b, m)."""
    fitted = importlib.import_module("betacal").BetaCalibration("abm").fit(p, y)
    return lambda p: np.asarray(fitted.predict(p))


def venn_abers(y: Labels, p: Float) -> Map:
    """Return the inductive Venn-Abers predictor; more than two classes by pairs."""
    module = importlib.import_module("venn_abers")
    if p.ndim == 1:
        fitted = module.VennAbers()
        fitted.fit(columns(p), y)
        return lambda p: like(p, fitted.predict_proba(columns(p))[0])
    pairs = importlib.import_module("venn_abers.venn_abers").predict_proba_prefitted_va
    return lambda q: np.asarray(pairs(columns(p), y, columns(q), va_tpe="one_vs_one")[0])


def log_p(p: Float) -> Float:
    """Return what a temperature divides: log-odds, or log-probabilities."""
    return finite_odds(p) if p.ndim == 1 else np.log(p)


METHODS: dict[str, Method] = {
    RAW: raw,
    OURS: lambda y, p: ll.fix(y, p).map.apply,
    "always temperature, ridge": scaled("temperature"),
    "always affine, ridge": scaled("affine"),
    "always class temperature, ridge": scaled("class_temperature"),
    "sklearn sigmoid": sklearn("sigmoid", finite_odds),
    "sklearn sigmoid on probabilities": sklearn("sigmoid", None),
    "sklearn temperature": sklearn("temperature", log_p),
    "sklearn isotonic": sklearn("isotonic", None),
    CLIPPED: clipped,
    "probmetrics ts-mix": probmetrics("ts-mix"),
    "probmetrics logistic": probmetrics("logistic"),  # affine for two classes, SMS for more
    "probmetrics logistic-mix": probmetrics("logistic-mix"),
    "probmetrics quadratic-scaling": probmetrics("quadratic-scaling"),
    "probmetrics svs": probmetrics("svs"),
    "betacal abm": betacal,
    "venn-abers": venn_abers,
}
ONLY_TWO = {"probmetrics quadratic-scaling", "betacal abm"}
ONLY_MORE = {"always class temperature, ridge", "probmetrics svs"}
NEEDS = {"probmetrics": ("numba", "probmetrics"), "betacal": ("betacal",), "venn-abers": ("venn_abers",)}


def left_out() -> dict[str, str]:
    """Return the methods that cannot run here, and why."""
    why = {}
    for name in METHODS:
        for module in NEEDS.get(name.split()[0], ()):
            if importlib.util.find_spec(module) is None:
                why[name] = f"{module} is not installed"
    return why


def fitting(K: int) -> Iterator[tuple[str, Method]]:
    """Yield the methods for K classes that can run here."""
    absent = left_out()
    for name, method in METHODS.items():
        if name not in absent and name not in (ONLY_MORE if K == 2 else ONLY_TWO):
            yield name, method


# --- Measured


@dataclass
class Cell:
    """The losses of every method on one truth, or one file, with one number of rows to learn from."""

    name: str
    n: int
    K: int
    oracle: float = np.nan
    losses: dict[str, list[float]] = field(default_factory=dict)
    lost: dict[str, list[float]] = field(default_factory=dict)  # the share of rows with an infinite loss
    seconds: dict[str, float] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)  # the first of each method

    def learn(self, y: Labels, p: Float, judged: Float, truth: Float) -> None:
        """Fit every method to (y, p) and judge it on other forecasts."""
        for name, method in fitting(self.K):
            begin = time.perf_counter()
            try:
                better = method(y, p)(judged)
                found, lost = loss(better, truth), ruled_out(better, truth)
            except Exception as error:  # noqa: BLE001, a method that fails is counted, whatever it raises
                found = lost = np.nan
                self.failures.setdefault(name, f"{type(error).__name__}: {error}")
            self.losses.setdefault(name, []).append(found)
            self.lost.setdefault(name, []).append(lost)
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - begin

    def rows(self) -> dict[str, Judged]:
        """Return what is said of each method."""
        before = np.array(self.losses[RAW])
        said = {}
        for name, found in self.losses.items():
            after = np.array(found)
            finite, known = np.isfinite(after), ~np.isnan(after)
            any_finite = bool(finite.any())
            harm = np.sort((after[known] - before[known]) / before[known])
            said[name] = Judged(
                float(after[finite].mean()) if any_finite else np.inf,
                float((after - before)[finite].mean()) if any_finite else np.inf,
                float(harm[min(int(np.ceil(0.95 * len(harm))), len(harm)) - 1]) if len(harm) else np.nan,
                int(np.isinf(after).sum()),
                1e6 * float(np.array(self.lost[name])[known].mean()) if known.any() else np.nan,
                int((~known).sum()),
                len(found),
                1000 * self.seconds[name] / len(found),
            )
        return said


@dataclass(frozen=True)
class Judged:
    """What is said of a method in a cell: means are of finite losses; harm is the 95th percentile of (loss - raw) / raw."""

    mean: float
    change: float
    harm: float
    infinite: int  # times that the expected loss was infinite
    per_million: float  # rows with an infinite loss, expected among a million
    failed: int
    of: int
    milliseconds: float


def synthetic(name: str, n: int, times: int) -> Cell:
    """Return the losses on a truth that is known."""
    draw = TRUTHS[name]
    random = np.random.default_rng([list(TRUTHS).index(name), n])
    judged, truth = (forecasts(Z) for Z in draw(np.random.default_rng(list(TRUTHS).index(name)), JUDGED))
    K = 2 if judged.ndim == 1 else judged.shape[1]
    cell = Cell(name, n, K, loss(truth, truth))
    for _ in range(times):
        y: Labels = np.zeros(0, np.int64)
        while np.bincount(y, minlength=K).min() < 2:  # every peer needs every class
            p, t = (forecasts(Z) for Z in draw(random, n))
            y = outcomes(random, t)
        cell.learn(y, p, judged, truth)
    return cell


def files() -> dict[str, tuple[Labels, Float]]:
    """Return outcomes and forecasts of the example predictions."""

    def read(name: str) -> list[dict[str, str]]:
        with (EXAMPLES / f"{name}.csv").open() as file:
            return list(csv.DictReader(file))

    cancer, network, digits = read("breast_cancer"), read("breast_cancer_network"), read("digits")
    network = [row for row in network if row["part"] == "valid"]
    dogs = {row["id"]: row["label"] == "dog" for row in read("cats_and_dogs_solution")}
    pets = read("cats_and_dogs_submission")

    def two(outcome: list[bool], p: list[str]) -> tuple[Labels, Float]:
        return np.array(outcome, np.int64), np.array(p, np.float64)

    ill = [row["diagnosis"] == "malignant" for row in cancer]
    tenths = np.array([[row[f"p_{k}"] for k in range(10)] for row in digits], np.float64)
    return {
        "breast_cancer, naive Bayes": two(ill, [row["naive_bayes"] for row in cancer]),
        "breast_cancer, logistic": two(ill, [row["logistic"] for row in cancer]),
        "breast_cancer_network, valid": two(
            [row["diagnosis"] == "malignant" for row in network], [row["network"] for row in network]
        ),
        "cats_and_dogs": two([dogs[row["id"]] for row in pets], [row["label"] for row in pets]),
        "digits, naive Bayes": (np.array([row["digit"] for row in digits], np.int64), columns(tenths)),
    }


def halves(name: str, times: int) -> Cell:
    """Return the losses on the half of a file's rows that was not learnt from, in random halves."""
    y, p = files()[name]
    K = 2 if p.ndim == 1 else p.shape[1]
    cell = Cell(name, len(y) // 2, K)
    random = np.random.default_rng(7)
    for _ in range(times):
        order = random.permutation(len(y))
        learnt, other = order[: len(y) // 2], order[len(y) // 2 :]
        truth = y[other].astype(np.float64) if K == 2 else np.eye(K)[y[other]]
        cell.learn(y[learnt], p[learnt], p[other], truth)
    return cell


# --- Printed


def table(cell: Cell) -> None:
    """Print one cell: nats, harm in per cent."""
    known = "" if np.isnan(cell.oracle) else f"; the truth itself has {cell.oracle:.5f}"
    times = len(cell.losses[RAW])
    print(f"\n{cell.name}, {cell.n:,} rows, {times} times{known}")
    print(
        f"  {'':36} {'loss':>9} {'change':>9} {'over truth':>10} {'p95 harm':>9} {'inf':>4} {'of 1e6':>8} {'failed':>6} {'ms':>7}"
    )
    for name, row in cell.rows().items():
        over = row.mean - cell.oracle
        print(
            f"  {name:36} {row.mean:9.5f} {row.change:+9.5f} {over:10.5f} {100 * row.harm:+8.2f}%"
            f" {row.infinite:4} {row.per_million:8.2g} {row.failed:6} {row.milliseconds:7.1f}"
        )
    for name, why in cell.failures.items():
        print(f"  {name} failed first with {why:.150}")
    sys.stdout.flush()


def summary(cells: list[Cell], title: str) -> None:
    """Print means over cells, each cell counting the same; methods with an infinite loss anywhere come without a mean."""
    rows = [cell.rows() for cell in cells]
    names = [name for name in METHODS if all(name in row for row in rows)]
    sound = {name: all(row[name].infinite + row[name].failed == 0 for row in rows) for name in names}
    best = [min((row[name].mean, name) for name in names if sound[name])[1] for row in rows]
    print(f"\n{title}: mean change, worst p95 harm, how often best, infinite, rows of 1e6, failed")
    for name in names:
        change = f"{np.mean([row[name].change for row in rows]):+.5f}" if sound[name] else "-"
        harm = max(row[name].harm for row in rows)
        inf, failed, of = (
            sum(getattr(row[name], what) for row in rows) for what in ("infinite", "failed", "of")
        )
        rare = np.mean([row[name].per_million for row in rows])
        print(
            f"  {name:36} {change:>9} {100 * harm:+8.2f}% {best.count(name):4} {inf:5} {rare:8.2g} {failed:5} of {of:,}"
        )


def prepare(only: list[str]) -> None:
    """Hush the peers' warnings; keep the methods whose names begin like one of these, and raw."""
    warnings.simplefilter("ignore")
    for name in [name for name in METHODS if only and name != RAW and not name.startswith(tuple(only))]:
        del METHODS[name]


def run(tasks: list[tuple[Callable[..., Cell], Any]], only: list[str], workers: int) -> Iterator[Cell]:
    """Yield the cells of all tasks, in order."""
    with ProcessPoolExecutor(workers, initializer=prepare, initargs=(only,)) as pool:
        yield from (waiting.result() for waiting in [pool.submit(do, *what) for do, what in tasks])


def main(arguments: list[str] | None = None) -> list[Cell]:
    """Print the tables; return the cells."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--small", action="store_true", help="a quick look")
    parser.add_argument("--workers", type=int, default=2, help="processes at a time")
    parser.add_argument(
        "--only", action="append", default=[], help="methods whose names begin so; may be repeated"
    )
    asked = parser.parse_args(arguments)
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", PYTHONWARNINGS="ignore")
    for name, why in left_out().items():
        print(f"left out: {name}: {why}")
    sizes = {100: 20, 1000: 6} if asked.small else SIZES
    tasks = [(synthetic, (name, n, times)) for n, times in sizes.items() for name in TRUTHS]
    tasks += [(halves, (name, 5 if asked.small else HALVES)) for name in files()]
    cells = []
    for cell in run(tasks, asked.only, asked.workers):
        table(cell)
        cells.append(cell)
    for n in sizes:
        for K, what in ((2, "two classes"), (3, "more classes")):
            some = [cell for cell in cells if cell.name in TRUTHS and cell.n == n and min(cell.K, 3) == K]
            summary(some, f"{len(some)} truths, {what}, {n:,} rows")
    examples = [cell for cell in cells if cell.name not in TRUTHS]
    summary([cell for cell in examples if cell.K == 2], "Example predictions, two classes")
    return cells


if __name__ == "__main__":
    main()
