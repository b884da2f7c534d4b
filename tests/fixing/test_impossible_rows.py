"""An infinite loss is mended, however few rows cause it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import expit

import logloss as ll


@pytest.mark.parametrize("count", [1, 2, 15])
@pytest.mark.parametrize("K", [2, 3])
def test_impossible_rows_are_mended(count: int, K: int) -> None:
    random = np.random.default_rng(0)
    z = random.normal(0, 1.5, 300)
    p = np.column_stack([1 - expit(z), expit(z)])
    y = (random.random(300) < p[:, 1]).astype(int)
    P = p if K == 2 else np.column_stack([p * 0.9, np.full(300, 0.1)])
    P[:count] = np.eye(K)[1 - y[:count]]
    result = ll.fix(y, P, labels=list(range(K)))
    assert math.isinf(result.before)
    assert math.isfinite(result.after)
    assert result.chosen != "identity"
    assert f"it is {result.after:.4f}" in result.why
    assert result.apply(P[:1])[0, y[0]] > 1e-4


def test_nothing_is_left_to_choose_where_only_doing_nothing_was_asked_for() -> None:
    y, p = np.arange(60) % 2, np.full(60, 0.5)
    p[0] = 1.0
    assert ll.fix(y, p, maps="identity").chosen == "identity"
