"""The set that holds the best of ten forecasts: 10^5 rows, 1000 bootstraps, against the arch package or NumPy."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

import numpy as np
from timing import Check, arguments, conclude, faster, measure, show

from logloss.multiplicity.confidencesets import confidence_set, confidence_set_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

ROWS, MODELS, DRAWS = 10**5, 10, 1000
OURS = "confidence_set, 1000 bootstraps"
LIMIT = 30.0  # seconds
AGREE = 0.06  # between p-values of two runs of 1000 draws: 2.7 standard errors of their difference at 0.5


def p_values(mean: NDArray[np.float64], deviations: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the p-values of the set as Hansen, Lunde and Nason write them, from deviations (draws, M)."""
    left, found, so_far = list(range(len(mean))), np.ones(len(mean)), 0.0
    while len(left) > 1:
        d, off = (
            mean[left] - mean[left].mean(),
            deviations[:, left] - deviations[:, left].mean(axis=1)[:, None],
        )
        e = off.std(axis=0)
        worst = int((d / e).argmax())
        so_far = max(so_far, float(((off / e).max(axis=1) >= (d / e)[worst]).mean()))
        found[left.pop(worst)] = so_far
    return found


def in_numpy(s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Draw all row numbers anew for each replicate, and take these rows."""
    random, n = np.random.default_rng(1), len(s)
    means = np.stack([s[random.integers(0, n, n)].mean(axis=0) for _ in range(DRAWS)])
    return p_values(s.mean(axis=0), means - s.mean(axis=0))


def peer() -> tuple[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]]:
    """Return arch's model confidence set where arch is installed; else the same bootstrap in NumPy."""
    try:
        from arch.bootstrap import MCS
    except ImportError:
        return "NumPy", in_numpy

    def by_arch(s: NDArray[np.float64]) -> NDArray[np.float64]:
        found = MCS(s, size=0.1, reps=DRAWS, block_size=1, method="max", bootstrap="circular", seed=1)
        found.compute()
        return np.asarray(found.pvalues["Pvalue"].sort_index())

    return "arch", by_arch


def main() -> None:
    options = arguments(__doc__, rounds=3, rows=ROWS)
    random, n = np.random.default_rng(0), options.rows
    behind = np.array([0.0, 0.0, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 2.0, 10.0]) / np.sqrt(n)
    s = random.exponential(0.5, (n, 1)) + 0.1 * random.normal(size=(n, MODELS)) + behind
    weight = np.ones(n)
    mean, covariance = s.mean(axis=0), np.cov(s.T) / n
    other, theirs = peer()
    contenders = {
        OURS: lambda: confidence_set(s, weight, draws=DRAWS),
        "from means and covariance": lambda: confidence_set_of(mean, covariance, draws=DRAWS),
        other: lambda: theirs(s),
        **({} if other == "NumPy" else {"NumPy": lambda: in_numpy(s)}),
    }
    times = measure(contenders, options.rounds)
    show(f"{n:,} rows x {MODELS} forecasts", times)
    ours = confidence_set(s, weight, draws=DRAWS).p_values
    apart = float(np.abs(ours - theirs(s)).max())
    apart_of = float(np.abs(ours - confidence_set_of(mean, covariance, draws=DRAWS).p_values).max())
    taken = median(times[OURS])
    conclude(
        [
            Check(OURS, f"{taken:.2f} s", f"<= {LIMIT:g} s", taken <= LIMIT),
            *(faster(times, OURS, name) for name in list(contenders)[2:]),
            Check(f"p-values against {other}", f"{apart:.3f} apart at most", f"<= {AGREE:g}", apart <= AGREE),
            Check(
                "p-values against those of a covariance",
                f"{apart_of:.3f} apart at most",
                f"<= {AGREE:g}",
                apart_of <= AGREE,
            ),
        ],
        strict=options.strict,
    )


if __name__ == "__main__":
    main()
