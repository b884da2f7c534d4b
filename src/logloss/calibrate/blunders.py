"""Temperature and base rates with some of the uniform forecast mixed in: for outcomes of which some are blunders.

q = (1 - lam) softmax(a Z + b) + lam / K. With shares t, responsibilities r_k = t_k (1 - lam) s_k / q_k of the softmax s and
R = sum r_k, the gradient is R s_k - r_k in the logits and -sum t_k (1/K - s_k) / q_k in lam. Not convex in all of them
together: L-BFGS (SciPy) from the affine optimum with a little and with more mixed in, the better of the two kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from logloss.calibrate.families import fitted, ridge_of
from logloss.calibrate.maps import Mix, Scaling
from logloss.calibrate.odds import finite, log_softmax

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logloss.calibrate.maps import Map

    Float = NDArray[np.float64]

__all__ = ["fit_affine_mix"]

STARTS = (0.003, 0.05)
CLOSE = 1e-7  # the largest entry of the gradient at the optimum, in nats


def fit_affine_mix(Z: Float, T: Float, weight: Float) -> tuple[Map, ...]:
    """Return the affine map and the share of the uniform forecast mixed in after it; Z and T of shape (n, C)."""
    from scipy.optimize import minimize

    Z = finite(Z)
    n, C = Z.shape
    if C == 1:  # as two columns, of which the first stays 0
        logits, shares = np.hstack([np.zeros_like(Z), Z]), np.hstack([1 - T, T])
    else:
        logits, shares = Z, T
    K = logits.shape[1]
    mass, ridge = float(weight.sum()), ridge_of(n, C)
    free = slice(1, None) if C == 1 else slice(0, None)

    def value(theta: Float) -> tuple[float, Float]:
        slope, offset, lam = theta[0], theta[1:-1], theta[-1]
        eta = slope * logits
        eta[:, free] += offset
        s = np.exp(log_softmax(eta))
        kept = (1 - lam) * s
        q = np.maximum(kept + lam / K, np.finfo(np.float64).tiny)
        over = shares / q
        responsible = over * kept
        missed = weight[:, None] * (responsible.sum(axis=1, keepdims=True) * s - responsible)
        off = np.concatenate([[slope - 1.0], offset])
        loss = -float((weight * (shares * np.log(q)).sum(axis=1)).sum()) / mass + ridge * float(off @ off)
        gradient = np.empty(len(theta))
        gradient[0] = float((missed * logits).sum()) / mass
        gradient[1:-1] = missed[:, free].sum(axis=0) / mass
        gradient[:-1] += 2 * ridge * off
        gradient[-1] = -float((weight * (over * (1.0 / K - s)).sum(axis=1)).sum()) / mass
        return loss, gradient

    first = fitted("affine", Z, T, weight)
    assert isinstance(first, Scaling)
    limits = [(None, None)] * (1 + len(first.offset)) + [(0.0, 0.9)]
    tried = [
        minimize(
            value,
            np.concatenate([[first.slope[0] * up], first.offset, [lam]]),
            jac=True,
            method="L-BFGS-B",
            bounds=limits,
            options={"gtol": CLOSE, "ftol": 1e-12, "maxiter": 200},
        )
        for lam, up in zip(STARTS, (1.0, 1.3), strict=True)
    ]
    best = min(tried, key=lambda found: float(found.fun)).x
    return Scaling(np.full(C, best[0]), best[1:-1].copy()), Mix.uniform(float(best[-1]), K)
