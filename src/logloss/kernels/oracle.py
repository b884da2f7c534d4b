"""Row maths in NumPy: each function reads like its formula. The compiled twin must agree with it.

# Design: arrays in, float64 arrays out; nothing is validated here (the door did that). `outcome` holds 0/1 for
# binary rows and class indices for K-class rows. Spaces never share a name: p (probability), logp (its natural
# log), logit (log-odds, or unnormalised log-probabilities for K classes).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]
    Float = NDArray[np.float64]

LOG_2 = 0.6931471805599453
TINY = 1e-290  # below this rest/p_y can overflow, so the two logs are taken apart


def binary_p(outcome: Array, p: Array) -> Float:
    """Surprise of a binary row from p = P(1): -log p if 1 happened, -log1p(-p) if 0 did (never log(1 - p))."""
    p = p.astype(np.float64, copy=False)
    with np.errstate(divide="ignore", invalid="ignore"):
        return 0.0 - np.where(outcome == 1, np.log(p), np.log1p(-p))


def binary_logp(outcome: Array, logp: Array) -> Float:
    """Surprise from logp = log P(1): -logp, or -log(1 - exp(logp)).

    With a = -logp >= 0 the second is -log(-expm1(-a)) for a <= log 2 and -log1p(-exp(-a)) above
    (Maechler 2012, "Accurately computing log(1 - exp(-|a|))").
    """
    logp = logp.astype(np.float64, copy=False)
    with np.errstate(divide="ignore", invalid="ignore"):
        complement = np.where(logp >= -LOG_2, np.log(-np.expm1(logp)), np.log1p(-np.exp(logp)))
    return 0.0 - np.where(outcome == 1, logp, complement)


def binary_logit(outcome: Array, logit: Array) -> Float:
    """Surprise from the log-odds: softplus(-m) = max(-m, 0) + log1p(exp(-|m|)) with margin m = (2y - 1) logit."""
    logit = logit.astype(np.float64, copy=False)
    margin = np.where(outcome == 1, logit, -logit)
    return np.maximum(-margin, 0.0) + np.log1p(np.exp(-np.abs(margin)))


def class_p(outcome: Array, P: Array, tolerance: float) -> Float:
    """Surprise of a K-class row from its probabilities.

    A row that sums to one within `tolerance` (rounding) is scored by log1p(rest / p_y), where rest sums the
    other classes: relatively accurate at both ends, as no 1 - p_y is formed. Any other row is scored as given,
    by -log p_y.
    """
    P = P.astype(np.float64, copy=False)
    rows = np.arange(len(P))
    p_y = np.maximum(P[rows, outcome], 0.0)
    others = P.copy()
    others[rows, outcome] = 0.0
    rest = np.maximum(others.sum(axis=1), 0.0)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        within = np.where(p_y >= TINY, np.log1p(rest / p_y), np.log(rest) - np.log(p_y))
        raw = 0.0 - np.log(p_y)
    return np.where(np.abs(p_y + rest - 1.0) <= tolerance, within, raw)


def class_logp(outcome: Array, logP: Array) -> Float:
    """Surprise of a K-class row from its log-probabilities: -logp_y."""
    return 0.0 - logP[np.arange(len(logP)), outcome].astype(np.float64)


def class_logit(outcome: Array, Z: Array) -> Float:
    """Surprise of a K-class row from logits: log(sum_k exp(z_k)) - z_y without cancellation.

    With d_k = z_k - z_y and M = max_k d_k: log1p(sum_{k != y} exp d_k) when y is the largest (M = 0), and
    M + log1p(sum_{k != argmax} exp(d_k - M)) otherwise: the largest term is left out of the sum
    (Blanchard, Higham, Higham 2021, IMA J. Numer. Anal. 41:2311). What rounding d_k lost (Knuth's two-sum)
    multiplies its exponential, which would otherwise be off by |d_k| u.
    """
    Z = Z.astype(np.float64, copy=False)
    rows = np.arange(len(Z))
    top = np.where(Z[rows, outcome] == Z.max(axis=1), outcome, Z.argmax(axis=1))
    largest = Z[rows, top]
    with np.errstate(invalid="ignore"):
        d = Z - largest[:, None]
        back = d - Z
        lost = (Z - (d - back)) - (largest[:, None] + back)
        others = np.exp(d) * (1.0 + np.where(np.abs(d) < 1000.0, lost, 0.0))
        others[rows, top] = 0.0
        return np.asarray((largest - Z[rows, outcome]) + np.log1p(others.sum(axis=1)))
