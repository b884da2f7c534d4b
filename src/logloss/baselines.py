"""What a loss is compared with: constant forecasts, and what accuracy alone implies."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logloss.summary import Summary

__all__ = ["accuracy_implied", "base_rates", "class_base_rates"]


def base_rates(summary: Summary) -> tuple[float, float]:
    """Return H(class shares), and its leave-one-out form q_k = (n_k - 1 + 1/2) / (n - 1 + K/2).

    Weights enter as shares of n rows. With fractional outcomes n_k may be under 1, so the smoothed count is
    floored at 1/2.
    """
    return class_base_rates(summary.class_weight, summary.n)


def class_base_rates(class_weight: NDArray[np.float64], n: int) -> tuple[float, float]:
    """Return the two base rates of n rows from the weight of each class, shape (K,)."""
    shares = class_weight / class_weight.sum()
    seen = shares > 0
    base = float(-(shares[seen] * np.log(shares[seen])).sum()) + 0.0
    counts = shares * n
    q = np.maximum(counts - 0.5, 0.5) / (n - 1 + len(shares) / 2)
    return base, float(-(shares[seen] * np.log(q[seen])).sum()) + 0.0


def accuracy_implied(accuracy: float, K: int) -> tuple[float, float]:
    """Return the least and the greatest loss of calibrated forecasts whose first choice is right this often.

    With e = 1 - accuracy and i = floor(1 / (1 - e)): least i (i+1) log((i+1)/i) (e - (i-1)/i) + log i (Feder and
    Merhav 1994, IEEE Trans. IT 40:259), greatest H_b(e) + e log(K - 1) (Fano): exactly what "my first choice with
    probability `accuracy`, the others alike" scores.

    >>> tuple(round(x, 6) for x in accuracy_implied(0.9, 2))
    (0.138629, 0.325083)
    """
    e = min(max(1 - accuracy, 0.0), 1 - 1 / K) if accuracy < 1 else 0.0
    i = math.floor(1 / (1 - e) + 1e-12)
    low = i * (i + 1) * math.log((i + 1) / i) * (e - (i - 1) / i) + math.log(i)
    full = 1 - accuracy
    entropy = -sum(q * math.log(q) for q in (full, 1 - full) if q > 0)
    return low, entropy + (full * math.log(K - 1) if K > 2 else 0.0)
