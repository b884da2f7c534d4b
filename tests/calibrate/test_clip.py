"""The clip: exact minimiser against brute force and the worked values, the held-out gain, mixing for K classes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import logloss as ll
from logloss.calibrate.clip import ClipCurve, best_mix, clip_advice


def curve(p: list[float] | np.ndarray, y: list[int] | np.ndarray, w: np.ndarray | None = None) -> ClipCurve:
    p, y = np.asarray(p, float), np.asarray(y)
    with np.errstate(divide="ignore"):
        minor = np.log(np.minimum(p, 1 - p))
    wrong = ((p > 0.5) != (y == 1)).astype(float)
    return ClipCurve.of(minor, wrong, np.ones(len(p)) if w is None else w)


# Worked cases, computed with mpmath: (groups of (t, right, wrong)), L(0), best eps, L(best).
WORKED = [
    ([(0.001, 97, 3), (0.3, 35, 15)], 0.34242352981365791, 0.03, 0.29344954613814231),
    (
        [(0.001, 0, 1), (0.1, 20, 0)],
        0.42928407581612681,
        0.1,
        0.20999025743574151,
    ),  # a breakpoint is the best
    (
        [(1e-4, 99, 1), (0.02, 1, 30)],
        0.96642086822268005,
        0.2366412213740458,
        0.5471773084084136,
    ),  # two minima
]


@pytest.mark.parametrize(("groups", "before", "best", "after"), WORKED)
def test_worked_values(
    groups: list[tuple[float, int, int]], before: float, best: float, after: float
) -> None:
    p = np.concatenate([np.full(right + wrong, 1 - t) for t, right, wrong in groups])
    y = np.concatenate([np.repeat([1, 0], [right, wrong]) for _, right, wrong in groups])
    c = curve(p, y)
    assert c.loss(0.0) == pytest.approx(before, rel=1e-13)
    eps, loss = c.best()
    assert eps == pytest.approx(best, rel=1e-12)
    assert loss == pytest.approx(after, rel=1e-13)
    assert c.loss(eps) == pytest.approx(after, rel=1e-13)


def test_values_along_the_curve() -> None:
    p, y = np.repeat([0.999, 0.9], [1, 20]), np.repeat([0, 1], [1, 20])
    c = curve(p, y)
    assert c.loss(1 / 21) == pytest.approx(0.24532060718475948, rel=1e-13)
    assert c.loss(0.15) == pytest.approx(0.24511897975435141, rel=1e-13)


@settings(deadline=None, max_examples=150)
@given(
    data=st.lists(
        st.tuples(
            st.sampled_from([0.0, 1e-6, 0.01, 0.1, 0.3, 0.5, 0.7, 0.95, 0.999, 1.0]),
            st.integers(0, 1),
            st.sampled_from([0.5, 1.0, 2.0]),
        ),
        min_size=1,
        max_size=25,
    ),
    eps=st.floats(1e-7, 0.5),
)
def test_the_curve_is_the_clipped_loss_and_the_best_is_the_least(
    data: list[tuple[float, int, float]], eps: float
) -> None:
    p, y, w = (np.array(column) for column in zip(*data, strict=True))
    c = curve(p, y, w)

    def clipped(e: float) -> float:
        return ll.log_loss(y, np.clip(p, e, 1 - e), sample_weight=w)

    assert c.loss(eps) == pytest.approx(clipped(eps), rel=1e-9)
    best, loss = c.best()
    assert loss <= min(clipped(e) for e in np.linspace(1e-7, 0.5, 200)) * (1 + 1e-9) + 1e-12
    assert loss == pytest.approx(clipped(best), rel=1e-9, abs=1e-12)


def test_no_errors_among_250_certain_rows() -> None:
    advice = clip_advice(np.full(250, math.log(1e-9)), np.zeros(250), np.ones(250))
    assert advice.suggested == pytest.approx(0.5 / 251, rel=1e-13)  # Krichevsky-Trofimov: 0.00199203
    assert advice.best == 0
    assert advice.gain == 0


def test_an_infinite_loss_becomes_finite() -> None:
    c = curve([0.0, 0.9, 0.8], [1, 1, 1])
    assert c.total == math.inf
    eps, loss = c.best()
    assert eps > 0
    assert math.isfinite(loss)


def test_the_held_out_gain_is_honest(rng: np.random.Generator) -> None:
    """For sound forecasts tuning the clip gains nothing on other rows; for over-confident ones it does."""
    from logloss.examples import calibrated, overconfident

    sound, bold = calibrated(4000), overconfident(4000, factor=3.0)
    why = ll.explain(sound.outcome, sound.forecast)
    assert why.clip is not None
    assert why.clip.gain_interval is None or why.clip.gain_interval[0] <= 0
    assert "LL031" not in {finding.id for finding in why.findings}
    why = ll.explain(bold.outcome, bold.forecast)
    assert why.clip is not None
    assert why.clip.gain_interval is not None
    assert why.clip.gain_interval[0] > 0
    assert why.clip.gain < why.score.log_loss - why.clip.log_loss  # in sample is optimistic
    assert why.findings[0].id == "LL020"  # the cause; the clip only hides it


def test_one_blunder_gives_no_interval() -> None:
    minor = np.full(200, math.log(1e-5))
    wrong = np.zeros(200)
    wrong[17] = 1.0
    advice = clip_advice(minor, wrong, np.ones(200))
    assert advice.best > 0
    assert advice.gain is not None
    assert advice.gain_interval is None


def test_mixing_worked_values() -> None:
    # K = 4, p_y = .9 six times and .02 twice: lambda*, L* by mpmath.
    lam, loss = best_mix(np.array([0.9] * 6 + [0.02] * 2), np.ones(8), 1 / 4)
    assert lam == pytest.approx(0.28093645484949833, rel=1e-9)
    assert loss == pytest.approx(0.86651017068126404, rel=1e-13)


def test_mixing_at_the_ends() -> None:
    assert best_mix(np.array([0.9, 0.8]), np.ones(2), 1 / 3)[0] == 0.0
    assert best_mix(np.array([0.01, 0.02]), np.ones(2), 1 / 3)[0] == 1.0
    lam, loss = best_mix(np.array([0.0, 0.9, 0.9]), np.ones(3), 1 / 3)
    assert 0 < lam < 1
    assert math.isfinite(loss)


@given(st.lists(st.floats(1e-6, 1), min_size=2, max_size=20))
@settings(deadline=None)
def test_mixing_is_the_least_on_a_grid(p: list[float]) -> None:
    p_y = np.array(p)
    lam, loss = best_mix(p_y, np.ones(len(p)), 1 / 5)
    grid = np.linspace(0, 1, 201)
    assert loss <= min(-np.log((1 - g) * p_y + g / 5).mean() for g in grid) + 1e-12
    assert loss == pytest.approx(-np.log((1 - lam) * p_y + lam / 5).mean(), rel=1e-12, abs=1e-12)
