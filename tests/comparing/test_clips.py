"""What clipping both forecasts changes: brute force, and the arithmetic by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import logloss as ll
from logloss.comparing.clips import MOST, clip_change, clipped
from logloss.surprises import per_row


def loss(record: ll.Observations, eps: float) -> float:
    """Return the log loss of rows whose surprise is clamped, by the formula."""
    w = np.ones(len(record)) if record.weight is None else record.weight
    return float((w * np.clip(per_row(record), -math.log1p(-eps), -math.log(eps))).sum() / w.sum())


def test_the_winner_changes_at_the_limit_that_is_solved_for() -> None:
    y = [1, 1, 1, 1]
    a = ll.observe(y, [0.5, 0.5, 0.5, 0.5], labels=[0, 1])
    b = ll.observe(y, [0.9, 0.9, 0.9, 1e-6], labels=[0, 1])
    found = clip_change(a, b)
    # 4 log 2 = -3 log 0.9 - log eps  =>  eps = 2^-4 / 0.9^3
    assert found.changes_at == pytest.approx(2**-4 / 0.9**3, rel=1e-9)
    assert clip_change(b, a).changes_at == pytest.approx(2**-4 / 0.9**3, rel=1e-9)


def test_nothing_changes_between_equal_forecasts() -> None:
    a = ll.observe([0, 1, 1], [0.1, 0.7, 1.0])
    assert clip_change(a, a).changes_at is None


def test_an_infinite_row_is_the_limit_of_small_clips() -> None:
    a = ll.observe([0, 1, 1, 1], [0.1, 0.7, 0.9, 0.0])
    b = ll.observe([0, 1, 1, 1], [0.3, 0.5, 0.6, 0.2])
    found = clip_change(a, b)
    assert dict(found.curve)[1e-12] > 0
    eps = found.changes_at
    assert eps is not None
    assert loss(a, eps) == pytest.approx(loss(b, eps), abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.booleans())
def test_clips_are_those_of_brute_force(seed: int, weighted: bool) -> None:
    random = np.random.default_rng(seed)
    n = int(random.integers(3, 40))
    y = random.integers(0, 2, n)
    z = 4 * random.normal(size=n) + 2 * (2 * y - 1)
    w = random.integers(1, 4, n).astype(float) if weighted else None
    a = ll.observe(y, z, labels=[0, 1], space="logit", weight=w)
    b = ll.observe(y, z + 2 * random.normal(size=n), labels=[0, 1], space="logit", weight=w)
    found = clip_change(a, b)
    for eps, difference in found.curve:
        assert difference == pytest.approx(loss(a, eps) - loss(b, eps), abs=1e-12)
        shown = [float(np.average(per_row(clipped(one, eps)[0]), weights=w)) for one in (a, b)]
        assert difference == pytest.approx(shown[0] - shown[1], abs=1e-12)
    grid = np.geomspace(1e-9, MOST, 401)
    signs = np.sign([loss(a, e) - loss(b, e) for e in grid])
    turned = np.flatnonzero(signs == -signs[0])
    if found.changes_at is None:
        assert not len(turned)
    else:
        assert not len(turned) or grid[turned[0]] >= found.changes_at * (1 - 1e-9)
        just = [loss(a, found.changes_at * k) - loss(b, found.changes_at * k) for k in (1 - 1e-4, 1 + 1e-4)]
        assert just[0] * just[1] <= 0


def test_classes_and_shares() -> None:
    random = np.random.default_rng(0)
    p, q = random.dirichlet(np.full(3, 0.1), 50), random.dirichlet(np.full(3, 0.2), 50)
    t = random.dirichlet(np.ones(3), 50)
    a, b = ll.observe(t, p, normalize_rows=True), ll.observe(t, q, normalize_rows=True)
    with np.errstate(divide="ignore"):
        s = [-np.log(one.forecast) for one in (a, b)]
    for eps, difference in clip_change(a, b).curve:
        told = [(t * np.clip(one, -math.log1p(-eps), -math.log(eps))).sum(axis=1).mean() for one in s]
        assert difference == pytest.approx(told[0] - told[1], rel=1e-9, abs=1e-12)
    record, changed = clipped(a, 1e-2)
    assert changed == ((s[0] > -math.log(1e-2)) | (s[0] < -math.log1p(-1e-2))).any(axis=1).sum()
    assert per_row(record).max() <= -math.log(1e-2)
