"""Maps of a few parameters on log-odds: prior shift, temperature, both, one temperature per class.

A map is eta = slope * Z + offset, read as log-odds or through a softmax; :mod:`logloss.calibrate.families` has the
formulas. The fit adds a ridge towards the identity, (K / n) (|slope - 1|^2 + |offset|^2), of a lone temperature (2 / n) (slope - 1)^2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from logloss.calibrate.families import fitted
from logloss.calibrate.maps import Scaling

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Float = NDArray[np.float64]

__all__ = ["FREE", "fit"]

FREE = ("prior_shift", "temperature", "affine", "class_temperature")


def fit(free: str, Z: Float, T: Float, weight: Float) -> Scaling:
    """Return the map that minimises the ridged loss of these rows.

    Parameters
    ----------
    free
        Which parameters: one of `FREE`.
    Z, T
        Forecast and shares of the outcome, shape (n, C).
    weight
        Shape (n,).

    References
    ----------
    Guo, Pleiss, Sun, Weinberger (2017), On calibration of modern neural networks, ICML. Berta, Holzmueller, Jordan,
    Bach (2025), Structured matrix scaling, arXiv:2511.03685 (the weight of the ridge).
    """
    found = fitted(free, Z, T, weight)
    assert isinstance(found, Scaling)
    return found
