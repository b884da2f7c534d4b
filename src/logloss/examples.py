"""Small forecasts with known faults, for the README, the documentation and the tests. Simulated, seeded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Example", "calibrated", "one_blunder", "overconfident", "reversed_label", "shuffled_columns"]


@dataclass(frozen=True)
class Example:
    """Outcomes and forecasts, and what is wrong with them.

    Attributes
    ----------
    outcome
        Shape (n,).
    forecast
        Shape (n,) or (n, K).
    fault
        What is wrong, in words.
    """

    outcome: NDArray[Any]
    forecast: NDArray[np.float64]
    fault: str


def calibrated(n: int = 1000, seed: int = 0) -> Example:
    """Return forecasts that mean what they say: outcomes are drawn from them.

    >>> example = calibrated(4)
    >>> example.outcome.shape, example.forecast.shape
    ((4,), (4,))
    """
    rng = np.random.default_rng(seed)
    p = 1 / (1 + np.exp(-2 * rng.logistic(size=n)))
    return Example((rng.random(n) < p).astype(np.int64), p, "none")


def overconfident(n: int = 1000, seed: int = 0, factor: float = 2.0) -> Example:
    """Return forecasts whose logits are `factor` times too large."""
    sound = calibrated(n, seed)
    odds = (sound.forecast / (1 - sound.forecast)) ** factor
    return Example(sound.outcome, odds / (1 + odds), f"logits {factor:g} times too large")


def reversed_label(n: int = 1000, seed: int = 0) -> Example:
    """Return forecasts of the other class."""
    sound = calibrated(n, seed)
    return Example(sound.outcome, 1 - sound.forecast, "probabilities of the other class")


def one_blunder(n: int = 1000, seed: int = 0) -> Example:
    """Return sound forecasts with one certain mistake: probability 0 for what happened."""
    sound = calibrated(n, seed)
    p = sound.forecast.copy()
    p[n // 2] = 1.0 - sound.outcome[n // 2]
    return Example(sound.outcome, p, f"row {n // 2} gives probability 0 to what happened")


def shuffled_columns(n: int = 1000, K: int = 4, seed: int = 0) -> Example:
    """Return K-class forecasts whose first two columns are exchanged."""
    rng = np.random.default_rng(seed)
    P = rng.dirichlet(np.full(K, 0.4), n)
    outcome = np.array([rng.choice(K, p=row) for row in P])
    return Example(outcome, P[:, [1, 0, *range(2, K)]], "columns 0 and 1 exchanged")
