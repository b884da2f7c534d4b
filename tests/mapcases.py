"""Maps of every kind, chains of them, and forecasts to try them on, the extremes among them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from logloss.calibrate import maps
from logloss.record import Space

SPACES: tuple[Space, ...] = ("p", "logp", "logit")
THREE = ("ant", "bee", "cat")

SCALING = maps.Scaling(np.array([0.7]), np.array([-0.3]))
ISOTONIC = maps.Isotonic(np.array([-3.0, -1.0, 0.5, 0.7, 2.0]), np.array([-2.0, -2.0, -0.5, -0.5, 3.0]))
VENN_ABERS = maps.VennAbers(
    np.array([-1.0, 0.0, 0.5, 2.0]), np.array([0.0, 0.0, 0.3, 0.6]), np.array([0.2, 0.2, 0.6, 1.0])
)
CHAINS_OF_TWO: dict[str, tuple[maps.Map, ...]] = {
    "identity": (maps.Identity(),),
    "scaling": (SCALING,),
    "sharpen": (maps.Scaling(np.array([20.0]), np.array([5.0])),),
    "flat": (maps.Scaling(np.array([0.0]), np.array([0.4])),),
    "turned": (maps.Scaling(np.array([-1.5]), np.array([0.4])),),
    "clip": (maps.Clip(0.01, 0.002),),
    "clip one side": (maps.Clip(0.0, 0.002),),
    "no clip": (maps.Clip(0.0, 0.0),),
    "mix": (maps.Mix(0.1, np.array([0.8, 0.2])),),
    "mix one side": (maps.Mix(0.1, np.array([0.0, 1.0])),),
    "all mixed in": (maps.Mix(1.0, np.array([0.25, 0.75])),),
    "certainty mixed in": (maps.Mix(1.0, np.array([0.0, 1.0])), SCALING),
    "nothing mixed in": (maps.Mix(0.0, np.array([0.8, 0.2])),),
    "beta": (maps.Beta(1.2, 0.7, -0.1),),
    "soft beta": (maps.Beta(0.01, 0.02, -0.1),),
    "half beta": (maps.Beta(0.0, 0.7, 0.2),),
    "quadratic": (maps.Quadratic(0.05, 0.9, 0.2),),
    "isotonic": (ISOTONIC,),
    "venn_abers": (VENN_ABERS,),
    "scaling, isotonic": (SCALING, ISOTONIC),
    "isotonic, mix, beta": (ISOTONIC, maps.Mix(0.05, np.array([0.5, 0.5])), maps.Beta(1.1, 0.9, 0.0)),
    "beta, venn_abers, clip": (maps.Beta(1.2, 0.7, -0.1), VENN_ABERS, maps.Clip(0.3, 0.1)),
    "turned, isotonic": (maps.Scaling(np.array([-1.5]), np.array([0.4])), ISOTONIC),
    "quadratic, venn_abers": (maps.Quadratic(0.05, 0.9, 0.2), VENN_ABERS),
    "mix, scaling, isotonic": (maps.Mix(0.1, np.array([0.8, 0.2])), SCALING, ISOTONIC),
    "isotonic twice": (ISOTONIC, ISOTONIC),
    "clip, quadratic": (maps.Clip(0.01, 0.002), maps.Quadratic(-0.05, 0.9, 0.2)),
}
WEIGHTS = np.array([[0.9, 0.1, 0.0], [0.0, 1.1, -0.1], [0.2, 0.0, 0.8]])
MATRIX = maps.Matrix(WEIGHTS, np.array([0.1, 0.0, -0.1]))
VECTOR = maps.Scaling(np.array([0.7, 1.1, 0.9]), np.array([0.1, -0.3, 0.2]))
CHAINS_OF_MANY: dict[str, tuple[maps.Map, ...]] = {
    "identity": (maps.Identity(),),
    "temperature": (maps.Scaling(np.full(3, 0.7), np.zeros(3)),),
    "very soft": (maps.Scaling(np.full(3, 0.01), np.zeros(3)),),
    "very sharp": (maps.Scaling(np.full(3, 20.0), np.zeros(3)),),
    "prior": (maps.Scaling(np.ones(3), np.log([2.0, 0.5, 1.0])),),
    "vector": (VECTOR,),
    "odd vector": (maps.Scaling(np.array([-0.5, 0.0, 1.0]), np.array([0.1, -0.3, 0.2])),),
    "mix": (maps.Mix(0.1, np.array([0.5, 0.3, 0.2])),),
    "mix without one": (maps.Mix(0.1, np.array([0.5, 0.5, 0.0])), VECTOR),
    "all mixed in": (maps.Mix(1.0, np.array([0.5, 0.3, 0.2])),),
    "matrix": (MATRIX,),
    "temperature, mix": (
        maps.Scaling(np.full(3, 0.7), np.zeros(3)),
        maps.Mix(0.1, np.array([0.5, 0.3, 0.2])),
    ),
    "mix, vector": (maps.Mix(0.1, np.array([0.5, 0.3, 0.2])), VECTOR),
    "sharp, soft": (
        maps.Scaling(np.full(3, 20.0), np.zeros(3)),
        maps.Scaling(np.array([0.01, 0.02, 0.01]), np.zeros(3)),
    ),
    "vector, matrix": (VECTOR, MATRIX),
}
BOTH = [pytest.param(steps, (0, 1), id=name) for name, steps in CHAINS_OF_TWO.items()] + [
    pytest.param(steps, THREE, id=f"{name} of 3") for name, steps in CHAINS_OF_MANY.items()
]


def forecasts(space: Space, K: int, seed: int = 0) -> list[Any]:
    """Return forecasts of every shape that K classes have."""
    rng = np.random.default_rng(seed)
    P = rng.dirichlet(np.full(K, 0.4), 200)
    P = np.concatenate([P, np.eye(K), np.full((1, K), 1 / K), P[:5] * 0.995])
    P[:3, 0] = 1e-300, 1e-18, 5e-324
    P[:3, 1:] = [[1.0] + [0.0] * (K - 2)] * 3
    many = {"p": P, "logp": logs(P), "logit": logs(P) + rng.normal(size=(len(P), 1))}[space]
    if K > 2:
        return [many]
    p = np.concatenate([P[:-5, 1], np.linspace(0, 1, 301), [5e-324, 1e-300, 1 - 2**-53, 1 - 1e-9, 1e-9]])
    with np.errstate(divide="ignore"):
        odds = np.concatenate([np.log(p) - np.log1p(-p), [-1e9, 1e9, 720.0, -740.0, -1.0, 0.5]])
    one = {"p": p, "logp": np.concatenate([logs(p), [-1e-12, -5e-324, -744.0, -2000.0]]), "logit": odds}[
        space
    ]
    return [many, one]


def logs(p: Any) -> Any:
    """Return log p with log 0 = -inf."""
    with np.errstate(divide="ignore"):
        return np.log(p)
