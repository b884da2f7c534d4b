"""The largest of several correlated statistics under the null: normal draws with a given correlation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from logloss.stages import steps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Float = NDArray[np.float64]

__all__ = ["draws_of", "root"]

CHUNK = 1 << 20  # numbers drawn at a time


def root(covariance: Float) -> Float:
    """Return the symmetric A (m, m) with A A the covariance.

    It may be singular; what rounding makes negative is taken for 0. There is only one such A, so that no choice of eigenvectors
    shows in the draws.
    """
    values, vectors = np.linalg.eigh(0.5 * (covariance + covariance.T))
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T)


def draws_of(correlation: Float, count: int, seed: int) -> Iterator[Float]:
    """Yield |Z|, Z normal with this correlation (m, m), in pieces (some, m): `count` draws in all."""
    half = root(correlation)
    random = np.random.default_rng(seed)
    step = max(1, CHUNK // len(half))
    for start in steps(range(0, count, step), "drawing differences", "rounds"):
        yield np.abs(random.standard_normal((min(step, count - start), len(half))) @ half)
