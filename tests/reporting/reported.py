"""Files that reports are made of, drawn so that what is in them is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from scipy.special import expit, softmax

if TYPE_CHECKING:
    from pathlib import Path


def binary(n: int = 12_000, seed: int = 7) -> pl.DataFrame:
    """Return rows with ids and two columns to slice by; over-confident, worse for `segment` = "partner", a few blunders."""
    rng = np.random.default_rng(seed)
    z = rng.normal(-1.5, 1.6, n)
    segment = rng.choice(["web", "app", "shop", "partner"], n, p=[0.5, 0.3, 0.12, 0.08])
    y = (rng.random(n) < expit(z)).astype(int)
    told = 1.6 * z + np.where(segment == "partner", 1.0, 0.0)
    blunders = rng.permutation(n)[: n // 800]
    told[blunders] = np.where(y[blunders] == 1, -14.0, 14.0)
    return pl.DataFrame(
        {
            "id": [f"r{at:06d}" for at in rng.permutation(n)],
            "y": y,
            "p": expit(told),
            "other": expit(1.2 * z + rng.normal(0, 0.3, n)),
            "segment": segment,
            "month": rng.integers(1, 13, n),
            "customer": rng.integers(0, max(n // 8, 2), n),
            "w": rng.integers(1, 4, n).astype(float),
        }
    )


def many(n: int = 4000, K: int = 10, seed: int = 11) -> pl.DataFrame:
    """Return over-confident forecasts of K classes, one column for each."""
    rng = np.random.default_rng(seed)
    Z = rng.normal(0, 2, (n, K))
    y = (Z + rng.gumbel(size=(n, K))).argmax(axis=1)
    P = softmax(1.7 * Z, axis=1)
    columns: dict[str, Any] = {"id": [f"row-{at:05d}" for at in range(n)], "y": [f"class {k}" for k in y]}
    return pl.DataFrame(columns | {f"class {k}": P[:, k] for k in range(K)})


def written(frame: pl.DataFrame, path: Path) -> str:
    frame.write_csv(path)
    return str(path)
