"""Ten million binary rows: log_loss against scikit-learn, NumPy one-liners, and merely adding up the inputs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.metrics import log_loss as sklearn_log_loss
from timing import Check, arguments, conclude, faster, measure, show, within

import logloss as ll
from logloss import kernels

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from timing import Times

    Array = NDArray[Any]

ROWS = 10**7
WHERE = "NumPy where(y == 1, log p, log1p -p)"
PRODUCTS = "NumPy y log p + (1 - y) log(1 - p)"
BLOCKS = "the same in cache-sized blocks"
BY_ROW = "our surprise of every row, then its mean"
SUMS = "np.sum(y) + np.sum(p)"


def by_where(y: Array, p: Array) -> float:
    return float(-np.mean(np.where(y == 1, np.log(p), np.log1p(-p))))


def by_products(y: Array, p: Array) -> float:
    return float(-np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)))


def by_blocks(y: Array, p: Array, size: int = 1 << 14) -> float:
    """Take NumPy's logs block by block, so that the temporaries stay in cache."""
    starts = range(0, len(p), size)
    return sum(
        by_products(y[at : at + size], p[at : at + size]) * len(p[at : at + size]) for at in starts
    ) / len(p)


def by_row(y: Array, p: Array) -> float:
    """Take our own vectorised log of every row, which `log_loss` avoids."""
    return float(kernels.binary_p(y, p).mean())


def sums(y: Array, p: Array) -> float:
    return float(np.sum(y) + np.sum(p))


def error(y: Array, p: Array) -> float:
    """Return the relative error of our sum against correctly rounded addition of one log per row."""
    happened = y == 1
    logs = [*map(math.log, p[happened].tolist()), *map(math.log1p, (-p[~happened]).tolist())]
    exact = -math.fsum(logs)
    return abs(ll.log_loss(y, p, normalize=False) - exact) / exact


def ordinary(rng: np.random.Generator) -> tuple[Array, Array]:
    """Draw calibrated forecasts, uniform on (0, 1)."""
    p = rng.uniform(1e-6, 1 - 1e-6, ROWS)
    return (rng.uniform(size=ROWS) < p).astype(np.int64), p


def time_all(title: str, y: Array, p: Array, rounds: int) -> Times:
    contenders = {
        "log_loss": lambda: ll.log_loss(y, p),
        "scikit-learn": lambda: sklearn_log_loss(y, p),
        WHERE: lambda: by_where(y, p),
        PRODUCTS: lambda: by_products(y, p),
        BLOCKS: lambda: by_blocks(y, p),
        BY_ROW: lambda: by_row(y, p),
        SUMS: lambda: sums(y, p),
    }
    times = measure(contenders, rounds, few={"scikit-learn": 2})
    show(title, times)
    return times


def claims(kind: str, times: Times) -> list[Check]:
    checks = [
        faster(times, "log_loss", "scikit-learn", 100),
        faster(times, "log_loss", WHERE, 8),
        faster(times, "log_loss", PRODUCTS, 8),
        within(times, "log_loss", SUMS, 2),
        *(within(times, other, SUMS) for other in (BY_ROW, BLOCKS, WHERE)),
    ]
    return [Check(f"{kind}: {c.what}", c.measured, c.claim, c.passed) for c in checks]


def accuracy(kind: str, y: Array, p: Array, at_most: float = 1e-13) -> Check:
    off = error(y, p)
    return Check(
        f"{kind}: relative error against math.fsum", f"{off:.1e}", f"<= {at_most:.0e}", off <= at_most
    )


def main() -> None:
    options = arguments(__doc__)
    rng = np.random.default_rng(1)
    y, p = ordinary(rng)
    as_float = y.astype(np.float64)
    checks = claims("y int64", time_all(f"{ROWS:,} binary rows, y int64, p float64", y, p, options.rounds))
    checks += claims(
        "y float64", time_all(f"{ROWS:,} binary rows, y float64, p float64", as_float, p, options.rounds)
    )
    checks.append(accuracy("ordinary rows", y, p))

    ones, near = np.ones(ROWS, np.int64), 1.0 - rng.uniform(1e-15, 1e-10, ROWS)
    certain = {"log_loss": lambda: ll.log_loss(ones, near), WHERE: lambda: by_where(ones, near)}
    times = measure(certain, options.rounds)
    show(f"{ROWS:,} binary rows, y = 1, p within 1e-10 of 1", times)
    line = faster(times, "log_loss", WHERE)
    checks.append(Check(f"p near 1: {line.what}", line.measured))
    checks.append(accuracy("p near 1", ones, near))
    conclude(checks, strict=options.strict)


if __name__ == "__main__":
    main()
