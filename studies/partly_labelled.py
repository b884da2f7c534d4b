"""500 of 12,500 rows labelled: do the intervals cover the file's log loss, and what do unequal draws gain or lose?

Logits z of the truth are normal (mean -1, sd 2); the forecast is sigmoid(c z), calibrated for c = 1, over-confident for
c = 1.6 and c = 3. A new file is made every 50 draws.

    python studies/partly_labelled.py [--small]
"""

from __future__ import annotations

import argparse
from functools import partial

import numpy as np
from scipy.special import expit, stdtrit

from logloss.annotation.estimators import Drawn
from logloss.annotation.sampling import mixture

ROWS, DRAWS_PER_FILE = 12_500, 50
MODELS = {"calibrated": 1.0, "over-confident x1.6": 1.6, "over-confident x3": 3.0}


class File:
    """Rows with their surprise s, entropy H and the deviation sd of the surprise that the forecast expects."""

    def __init__(self, rng, sharper):
        z = rng.normal(-1, 2, ROWS)
        y = rng.random(ROWS) < expit(z)
        f = sharper * z
        p = expit(f)
        self.s = np.logaddexp(0, np.where(y, -f, f))
        self.H = p * np.logaddexp(0, -f) + (1 - p) * np.logaddexp(0, f)
        self.sd = np.abs(f) * np.sqrt(p * (1 - p))

    def drawn(self, at, pi=None):
        inclusion = None if pi is None else pi[at]
        return Drawn(self.s[at], self.H[at], np.ones(len(at)), ROWS, self.H.mean(), float(ROWS), inclusion)

    def at_random(self, rng, n):
        return self.drawn(rng.choice(ROWS, n, replace=False))

    def by(self, rng, pi):
        return self.drawn(np.flatnonzero(rng.random(ROWS) < pi), pi)


def coverage(rng, sharper, n, draws):
    """Return how often each interval covers the file's loss, and its mean width."""
    hits, widths = {}, {}

    def count(name, low, high, truth):
        hits.setdefault(name, []).append(low <= truth <= high)
        widths.setdefault(name, []).append(high - low)

    for at in range(draws):
        if at % DRAWS_PER_FILE == 0:
            file = File(rng, sharper)
            truth = file.s.mean()
            pi = mixture(file.sd, n)
        sample, active = file.at_random(rng, n), file.by(rng, pi)
        cases = {
            "labelled rows": (sample.estimate(0.0, 0.95), n - 1),
            "regression": (sample.estimate(sample.slope(), 0.95, spent=2), n - 2),
            "active, regression": (active.estimate(active.slope(), 0.95, spent=2), len(active.s) - 2),
        }
        for name, (found, freedom) in cases.items():
            half = stdtrit(freedom, 0.975) * found.standard_error
            count(f"{name}, t", found.mean - half, found.mean + half, truth)
            count(f"{name}, Hall-t", found.low, found.high, truth)
    return {name: (np.mean(hits[name]), np.mean(widths[name])) for name in hits}


def ratios(rng, sharper, n, files):
    """Return the variance of the labelled mean over that of other designs, by the exact variances of each file."""
    variances = {}
    for _ in range(files):
        file = File(rng, sharper)
        alone = file.s.var(ddof=1) * (1 / n - 1 / ROWS)
        slope = np.cov(file.s, file.H)[0, 1] / file.H.var(ddof=1)
        excess = file.s - file.H
        excess = excess - excess.mean()  # Hajek's form
        variances.setdefault("alone", []).append(alone)
        variances.setdefault("random + H", []).append(
            (file.s - slope * file.H).var(ddof=1) * (1 / n - 1 / ROWS)
        )
        for name, pi in {
            "mixture": mixture(file.sd, n),
            "in proportion to sd": proportional(file.sd, n),
            "in proportion to H": proportional(file.H, n),
        }.items():
            variances.setdefault(name, []).append(((1 - pi) / pi * excess**2).sum() / ROWS**2)
    alone = np.mean(variances.pop("alone"))
    return {name: alone / np.mean(values) for name, values in variances.items()}


def proportional(size, n):
    """Return inclusion probabilities in proportion to `size`, at most 1, which add up to n."""
    factor = n / size.sum()
    for _ in range(50):
        pi = np.minimum(1.0, factor * size)
        factor *= n / pi.sum()
    return np.minimum(1.0, factor * size)


def worth(ratio):
    return f"{ratio:.2f}" if ratio >= 0.005 else "<0.01"


def shown(title, columns, rows):
    print(f"\n{title}\n")
    print("| " + " | ".join(["", *columns]) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for name, cells in rows.items():
        print("| " + " | ".join([name, *cells]) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="a quick look: few draws")
    small = parser.parse_args().small
    draws, files = (200, 5) if small else (10_000, 200)
    per_model = {name: partial(coverage, sharper=c) for name, c in MODELS.items()}
    for n in (500, 50):
        found = {
            name: measure(np.random.default_rng(7), n=n, draws=draws) for name, measure in per_model.items()
        }
        methods = list(next(iter(found.values())))
        rows = {
            method: [f"{found[name][method][0]:.3f} ({found[name][method][1]:.3f})" for name in MODELS]
            for method in methods
        }
        shown(f"{n} of {ROWS:,} rows: coverage of 95 % intervals (mean width), {draws:,} draws", MODELS, rows)
    found = {name: ratios(np.random.default_rng(8), c, 500, files) for name, c in MODELS.items()}
    rows = {design: [worth(found[name][design]) for name in MODELS] for design in next(iter(found.values()))}
    shown(
        f"What a label is worth, against the plain mean of a random sample, {files} files of which 500 rows are labelled",
        MODELS,
        rows,
    )


if __name__ == "__main__":
    main()
