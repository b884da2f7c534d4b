"""A million rows of ten class probabilities, all checked: log_loss against scikit-learn and against P.sum()."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.metrics import log_loss as sklearn_log_loss
from timing import Check, arguments, conclude, faster, measure, show, within

import logloss as ll

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROWS, CLASSES = 10**6, 10


def forecasts(rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Draw rows of probabilities, uniform on the simplex, and outcomes that follow them."""
    P = rng.exponential(size=(ROWS, CLASSES))
    P /= P.sum(axis=1, keepdims=True)
    beyond = P.cumsum(axis=1) < rng.uniform(size=(ROWS, 1))
    return np.minimum(beyond.sum(axis=1), CLASSES - 1).astype(np.int64), P


def accuracy(y: NDArray[np.int64], P: NDArray[np.float64], at_most: float = 1e-13) -> Check:
    """Check our sum against correctly rounded addition of one log per row."""
    exact = -math.fsum(map(math.log, P[np.arange(ROWS), y].tolist()))
    exact += math.fsum(map(math.log, map(math.fsum, P.tolist())))
    off = abs(ll.log_loss(y, P, normalize=False) - exact) / exact
    return Check("relative error against math.fsum", f"{off:.1e}", f"<= {at_most:.0e}", off <= at_most)


def main() -> None:
    options = arguments(__doc__, rounds=25)
    y, P = forecasts(np.random.default_rng(2))
    contenders: dict[str, Any] = {
        "log_loss": lambda: ll.log_loss(y, P),
        "scikit-learn": lambda: sklearn_log_loss(y, P),
        "P.sum()": P.sum,
    }
    times = measure(contenders, options.rounds, few={"scikit-learn": 7})
    show(f"{ROWS:,} x {CLASSES} float64 probabilities", times)
    checks = [
        faster(times, "log_loss", "scikit-learn", 20),
        within(times, "log_loss", "P.sum()", 2),
        accuracy(y, P),
    ]
    conclude(checks, strict=options.strict)


if __name__ == "__main__":
    main()
