"""The model of label noise: closed forms, gradients, and what is found again of planted rates."""

from __future__ import annotations

import math

import numpy as np
import pytest

from logloss.annotation import mixture, noise


def planted(rng, n, K, sharp, T, over=1.0):
    """Return margins of a forecast, true and recorded labels; the true ones follow the softmax of the logits."""
    z = rng.normal(size=(n, K)) * sharp
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    true = (p.cumsum(axis=1)[:, :-1] < rng.random(n)[:, None]).sum(axis=1)
    recorded = (np.asarray(T)[true].cumsum(axis=1)[:, :-1] < rng.random(n)[:, None]).sum(axis=1)
    return over * (z.max(axis=1, keepdims=True) - z), true, recorded


def even(K, rate):
    return np.full((K, K), rate / (K - 1)) + np.eye(K) * (1 - rate - rate / (K - 1))


def as_given(K):
    return noise.Calibration((1.0, 1.0), np.zeros(K + 1), 700.0)


def test_the_probability_is_bayes_rule() -> None:
    # pi = (.1, .9), T = [[.95, .05], [.2, .8]]. Recorded 0: .9 * .2 / (.9 * .2 + .1 * .95) = 36/55.
    # Recorded 1: .1 * .05 / (.1 * .05 + .9 * .8) = 1/145. By hand.
    T = np.array([[0.95, 0.05], [0.2, 0.8]])
    margin = np.array([[math.log(9), 0.0]] * 2)
    p, rather = noise.wrong(T, as_given(2), margin, np.array([0, 1]))
    assert p == pytest.approx([36 / 55, 1 / 145], rel=1e-13)
    assert rather.tolist() == [1, 0]


def test_three_classes_by_hand() -> None:
    # pi = (.2, .3, .5), recorded 0; T's first column (.9, .1, .02): 1 - .18 / (.18 + .03 + .01) = 2/11; class 1 leads.
    T = np.array([[0.9, 0.05, 0.05], [0.1, 0.8, 0.1], [0.02, 0.08, 0.9]])
    margin = np.log(0.5 / np.array([[0.2, 0.3, 0.5]]))
    p, rather = noise.wrong(T, as_given(3), margin, np.array([0]))
    assert p[0] == pytest.approx(2 / 11, rel=1e-13)
    assert rather[0] == 1


def test_the_bends_bend() -> None:
    # sqrt: 2 (sqrt(4) - 1) = 2; log: log(4); a tenth: log(31) / 10. By hand.
    d = np.array([3.0])
    assert [float(noise.bent(d, bend)[0]) for bend in noise.BENDS] == pytest.approx(
        [3.0, 2.0, math.log(4), math.log(31) / 10], rel=1e-14
    )


def test_p_values_on_the_boundary() -> None:
    # 5 % points: 2.705543 of the half chi-square (90 % of chi-square, 1 df), 4.230599... of the quarter-half-
    # quarter mixture (root of erfc(sqrt(x/2))/2 + exp(-x/2)/4 = 0.05 by mpmath, 30 digits).
    assert noise.boundary(2.7055434540954144, 1) == pytest.approx(0.05, rel=1e-12)
    assert noise.boundary(4.230599177831498, 2) == pytest.approx(0.05, rel=1e-12)
    assert noise.boundary(-1e-12, 1) == 1.0


@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("noisy", [False, True])
def test_the_gradient_is_that_of_the_value(K, noisy, rng) -> None:
    d, _, y = planted(rng, 60, K, 2.0, even(K, 0.1))
    order = np.argsort(y)
    seen, starts = np.unique(y[order], return_index=True)
    rows = mixture.Rows(d[order], y[order], rng.random(60) + 0.5, starts, seen)
    T = even(K, 0.1) if noisy else None
    at = rng.normal(size=K + 1) * 0.3
    gradient = mixture.likelihood(rows, T, at)[1]
    step = 1e-6
    for i in range(K + 1):
        up, down = (mixture.likelihood(rows, T, at + s * step * np.eye(K + 1)[i])[0] for s in (1, -1))
        assert gradient[i] == pytest.approx((up - down) / (2 * step), rel=1e-5, abs=1e-5)


def test_rates_are_shrunk_as_far_as_the_counts_ask() -> None:
    alike = mixture.rates_of(np.array([[95.0, 5.0], [6.0, 94.0]]))
    assert alike[0, 1] == pytest.approx(alike[1, 0], rel=1e-3)  # one rate explains both
    apart = mixture.rates_of(np.array([[1000.0, 0.0], [200.0, 800.0]]))
    assert apart[1, 0] == pytest.approx(0.2, abs=0.01)
    assert apart[0, 1] < 0.002
    pair = np.diag([500.0, 500.0, 500.0])
    pair[0, 2] = 100.0
    T = mixture.rates_of(pair)
    assert T[0, 2] > 5 * T[0, 1]
    assert T.sum(axis=1) == pytest.approx(np.ones(3), rel=1e-12)


@pytest.mark.parametrize(
    ("K", "sharp", "T", "over"),
    [
        (2, 6.0, even(2, 0.06), 1.0),
        (2, 6.0, even(2, 0.06), 2.0),
        (2, 4.0, np.array([[0.9, 0.1], [0.0, 1.0]]), 1.5),
        (5, 4.0, even(5, 0.05), 1.0),
        (5, 5.0, even(5, 0.0) + 0.25 * (np.eye(5, k=2) * np.eye(5)[1][:, None] - np.diag(np.eye(5)[1])), 2.0),
    ],
)
def test_probabilities_are_true_and_rates_are_recovered(K, sharp, T, over) -> None:
    """Over six data sets: the sums of the probabilities, their truth by decile, and the rates."""
    rng = np.random.default_rng(7)
    said, wrong, rates, inside = [], [], [], 0
    for _ in range(6):
        d, true, y = planted(rng, 2000, K, sharp, T, over)
        found = noise.fit(d, y, np.ones(2000))
        assert found.supported
        p, _ = found.wrong(d, y)
        low, high = (each.sum() for each in found.expected(d, y))
        spread = 2 * math.sqrt((p * (1 - p)).sum())
        inside += low - spread <= (true != y).sum() <= high + spread
        said.append(p)
        wrong.append(true != y)
        rates.append(found.matrix)
    assert inside >= 5
    p, hit = np.concatenate(said), np.concatenate(wrong)
    assert p.sum() == pytest.approx(hit.sum(), rel=0.1)
    for part in np.array_split(np.argsort(p), 10):
        # each decile within four standard deviations of chance, and 3 % of the rows more for the fit of the rates
        chance = math.sqrt((p[part] * (1 - p[part])).sum())
        assert abs(p[part].sum() - hit[part].sum()) < 4 * chance + 0.03 * len(part)
    assert np.abs(np.mean(rates, axis=0) - T).max() < 0.03


@pytest.mark.parametrize("over", [1.0, 2.0])
def test_no_noise_is_not_taken_for_noise(over) -> None:
    rng = np.random.default_rng(3)
    told = 0
    for at in range(40):
        K = 2 if at % 4 else 3
        d, _, y = planted(rng, 200, K, 3.0, np.eye(K), over)
        told += noise.fit(d, y, np.ones(200)).supported
    assert told <= 3  # 5 % of 40 is 2


def test_a_forecast_that_exaggerates_its_extremes_is_not_taken_for_noise() -> None:
    # Log-odds cubed: the fit without a bend calls a third of such data sets noisy.
    rng = np.random.default_rng(4)
    told = 0
    for _ in range(20):
        z = rng.normal(size=1000) * 2
        y = (rng.random(1000) < 1 / (1 + np.exp(-z))).astype(np.int64)
        f = z**3 / 3
        d = np.stack([np.maximum(f, 0), np.maximum(-f, 0)], axis=1)
        told += noise.fit(d, y, np.ones(1000)).supported
    assert told <= 1


def test_infinite_margins_count_as_the_largest_and_log_two(rng) -> None:
    d, _, y = planted(rng, 400, 2, 3.0, even(2, 0.05))
    top = d.max()
    d[0] = [np.inf, 0.0]
    found = noise.fit(d, y, np.ones(400))
    assert found.calibration.limit == pytest.approx(d[1:].max() + math.log(2), rel=1e-12)
    assert top >= d[1:].max()
    other = d.copy()
    other[0, 0] = found.calibration.limit
    a, b = found.wrong(d, y)[0], found.wrong(other, y)[0]
    assert a.tolist() == b.tolist()
    assert np.isfinite(a).all()


def test_weights_count_by_their_ratios(rng) -> None:
    d, _, y = planted(rng, 400, 3, 3.0, even(3, 0.08))
    a = noise.fit(d, y, np.ones(400))
    b = noise.fit(d, y, np.full(400, 1e6))
    assert b.p_value == pytest.approx(a.p_value, rel=1e-6)
    assert b.matrix == pytest.approx(a.matrix, rel=1e-6)
