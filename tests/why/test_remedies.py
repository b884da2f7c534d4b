"""Maps that would lower the loss: gains against fits by a general solver on the other folds, planted faults, infinity."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import expit, logsumexp

from logloss.observations import observe
from logloss.why.crossfit import folds_of
from logloss.why.remedies import Remedies, Step, in_sample, remedies
from planted import MAPS, drawn, held_out, nats


def of(y: np.ndarray, Z: np.ndarray, **options: object) -> Remedies:
    found = remedies(observe(y, Z, **{"space": "logit", **options}))
    assert found is not None
    return found


def tried(found: Remedies, name: str) -> Step:
    return next(step for step in (*found.steps, *found.tried) if step.name == name)


@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("name", ["temperature", "prior_shift"])
def test_gains_are_of_rows_the_map_was_not_fitted_on(name: str, K: int) -> None:
    y, Z = drawn(200, 21, K)
    w = np.random.default_rng(0).integers(0, 4, 200).astype(float)
    Z = Z if K == 2 else Z - logsumexp(Z, axis=1, keepdims=True)
    record = observe(y, Z, space="logit", weight=w)
    fold, _, _ = folds_of(record)
    saved = held_out(y, Z, MAPS[name], 1 if name == "temperature" or K == 2 else K, w, fold)
    step = tried(remedies(record), name)
    assert step.gain == pytest.approx((w * saved).sum() / w.sum(), abs=1e-6)
    assert step.alone == pytest.approx(step.gain, abs=1e-15)
    # Of calibrated forecasts no map is supported, and what it costs to try it is small.
    assert not step.supported
    assert -0.05 < step.gain < 0.01


def test_steps_on_top_of_each_other_are_one_map_of_both() -> None:
    y, z = drawn(600, 22)
    wrong = 2 * z + 1.5
    found = of(y, wrong)
    assert [step.name for step in found.steps] in (
        ["temperature", "prior_shift"],
        ["prior_shift", "temperature"],
    )
    fold, _, _ = folds_of(observe(y, wrong, space="logit"))
    alone = {name: held_out(y, wrong, free, 1, np.ones(600), fold).mean() for name, free in MAPS.items()}
    first, second = found.steps
    assert first.gain == pytest.approx(alone[first.name], abs=1e-7)
    assert first.name == max(alone, key=alone.__getitem__)
    assert second.alone == pytest.approx(alone[second.name], abs=1e-7)
    # Together: slope 1/2 and offset -3/4 undo it; those fitted to all rows lie near.
    assert second.parameters["temperature"] == pytest.approx(2, rel=0.15)
    assert second.parameters["offset"] == pytest.approx(-0.75, abs=0.2)
    assert found.log_loss == pytest.approx(nats(wrong, y).mean() - first.gain - second.gain, rel=1e-12)
    assert found.log_loss == pytest.approx(nats(z, y).mean(), abs=0.01)
    assert found.log_loss == pytest.approx(found.held.surprise.mean(), rel=1e-12)
    assert expit(found.held.odds) == pytest.approx(found.held.p, rel=1e-9)
    assert np.corrcoef(found.held.odds, z)[0, 1] > 0.999


def test_the_interval_is_of_the_paired_gain() -> None:
    y, z = drawn(300, 23)
    fold, _, _ = folds_of(observe(y, 2 * z, space="logit"))
    d = held_out(y, 2 * z, MAPS["temperature"], 1, np.ones(300), fold)
    step = tried(of(y, 2 * z), "temperature")
    g = ((d - d.mean()) ** 3).mean() / d.var() ** 1.5
    root, q = math.sqrt(300), 1.9679296690655737  # the t quantile with 299 degrees of freedom
    ends = [
        d.mean() - d.std(ddof=1) / root * 3 * root / g * (np.cbrt(1 + g * v / root - g * g / 1800) - 1)
        for v in (q, -q)
    ]
    assert step.interval == pytest.approx(ends, rel=1e-5)
    assert step.supported == (ends[0] > 0)


def test_groups_widen_the_interval(rng: np.random.Generator) -> None:
    # Ten groups, each with a temperature of its own: rows are not alike, groups decide.
    group = np.repeat(np.arange(10), 100)
    y, z = drawn(1000, 24)
    said = z * np.exp(0.6 * rng.normal(size=10))[group]
    alone, grouped = of(y, said), of(y, said, group=group)
    assert (alone.grouped, grouped.grouped, grouped.folds) == (False, True, 10)
    for name in ("temperature", "prior_shift"):
        a, b = tried(alone, name).interval, tried(grouped, name).interval
        if name == "temperature":
            assert b[1] - b[0] > 1.5 * (a[1] - a[0])


PLANTED_K = {
    "over": (lambda Z: 2 * Z, "temperature"),
    "shift": (lambda Z: Z + np.array([1.5, 0, 0, 0, 0]), "prior_shift"),
    "one class": (lambda Z: Z * np.array([4.0, 1, 1, 1, 1]), "class_temperature"),
}


@pytest.mark.parametrize("fault", list(PLANTED_K))
def test_faults_of_five_classes(fault: str) -> None:
    y, Z = drawn(3000, 25, K=5, scale=1.5)
    wrong, name = PLANTED_K[fault]
    found = of(y, wrong(Z))
    step = tried(found, name)
    assert step.supported
    if fault == "over":
        assert found.steps[0].name == "temperature"
        assert step.parameters["temperature"] == pytest.approx(2, rel=0.1)
    if fault == "shift":
        assert found.steps[0].name == "prior_shift"
        assert step.parameters["offset"] == pytest.approx(np.array([-1.2, 0.3, 0.3, 0.3, 0.3]), abs=0.15)
    if fault == "one class":
        assert found.steps[-1].name == "class_temperature"
    truth = nats(Z, y).mean()
    assert found.log_loss == pytest.approx(truth, abs=0.25 * (nats(wrong(Z), y).mean() - truth))
    assert found.log_loss == pytest.approx(
        nats(wrong(Z), y).mean() - sum(step.gain for step in found.steps), rel=1e-12
    )


def test_mixing_in_the_uniform_forecast_mends_blunders() -> None:
    rng = np.random.default_rng(26)
    y, Z = drawn(2000, 26, K=5, scale=2.0)
    y = np.where(rng.random(2000) < 0.05, rng.integers(0, 5, 2000), y)  # outcomes are noise in 5 % of rows
    found = of(y, Z)
    step = tried(found, "mix")
    assert step.supported
    assert step.parameters["mix"] == pytest.approx(0.05, abs=0.025)
    P = np.exp(Z - logsumexp(Z, axis=1, keepdims=True))
    mixed = -np.log(0.95 * P + 0.01)[np.arange(2000), y].mean()
    assert found.log_loss == pytest.approx(mixed, abs=0.01)


def test_a_clip_needs_five_errors_that_pay_for_it() -> None:
    rng = np.random.default_rng(27)
    sound = np.where(rng.random(1000) < 0.5, 0.4, 0.6)  # under-confident: a clip beyond 0.4 would cost
    y = (rng.random(1000) < np.where(sound > 0.5, 0.7, 0.3)).astype(int)
    for blunders, decided in ((4, False), (12, True)):
        p, t = sound.copy(), y.copy()
        p[:blunders], t[:blunders] = 1e-9, 1
        step = tried(of(t, p, space="p"), "clip")
        assert step.gain > 0
        assert (step.interval is not None) == decided
        assert step.supported == decided


@pytest.mark.parametrize("K", [2, 4])
def test_an_infinite_loss_is_bounded_first_and_everything_else_is_finite(K: int) -> None:
    y, Z = drawn(400, 28, K, scale=1.0)
    if K == 2:
        Z[7] = -np.inf if y[7] else np.inf
    else:
        Z[7, y[7]] = -np.inf
    found = of(y, Z)
    first = found.steps[0]
    assert first.name == ("clip" if K == 2 else "mix")
    assert (first.gain, first.interval, first.supported) == (math.inf, None, True)
    assert 0 < first.parameters[first.name] < 0.2
    assert math.isfinite(found.log_loss)
    assert found.log_loss == pytest.approx(found.held.surprise.mean(), rel=1e-12)
    for column in (found.held.surprise, found.held.p, found.held.odds, found.flexible):
        assert np.isfinite(column).all()
    for step in found.tried:
        assert math.isfinite(step.gain)
    assert np.isfinite(in_sample(observe(y, Z, space="logit"))).all()


def test_an_infinite_loss_is_ended_by_the_map_that_leaves_least() -> None:
    # Fifteen blunders of 300 nats and one of infinity: to turn everything round by a hair ends infinity as well.
    rng = np.random.default_rng(10)
    p = rng.uniform(0.02, 0.98, 1500)
    y = (rng.random(1500) < p).astype(int)
    p[:15], y[:15], p[15], y[15] = np.exp(-300), 1, 0.0, 1
    found = of(y, p, space="p")
    assert found.steps[0].name == "clip"
    eps = found.steps[0].parameters["clip"]
    assert found.log_loss == pytest.approx(
        nats(np.log(c := p.clip(eps, 1 - eps)) - np.log1p(-c), y).mean(), rel=0.02
    )
    # Forecasts of the other class: a clip would leave nothing of them.
    z = rng.normal(0, 2, 1500)
    y = (rng.random(1500) < expit(-z)).astype(int)
    z[0], y[0] = np.inf, 0
    found = of(y, z)
    assert found.steps[0].name == "temperature"
    assert found.steps[0].parameters["temperature"] == pytest.approx(-1, rel=0.15)


def test_the_advised_clip_covers_the_fold_that_never_saw_a_certain_error() -> None:
    # Row 7 is the only certain error: the folds without it clip by Krichevsky and Trofimov, (0 + 1/2) / (m + 1).
    y = np.resize([0, 1], 200)
    p = np.where(y == 1, 0.9, 0.1)
    y[40::10], y[41::10] = 1 - y[40::10], 1 - y[41::10]
    y[60::20], y[61::20] = 1 - y[60::20], 1 - y[61::20]  # one in ten is wrong
    p[7] = 0.0
    p[20:40] = y[20:40]
    found = of(y, p, space="p")
    fold, _, _ = folds_of(observe(y, p))
    certain = (p == 0) | (p == 1)
    m = int((certain & (fold != fold[7])).sum())
    assert [step.name for step in found.steps] == ["clip"]
    assert found.steps[0].gain == math.inf
    assert found.held.surprise[7] == pytest.approx(-math.log(0.5 / (m + 1)), rel=1e-12)


def test_rows_that_do_not_sum_to_one_are_a_step_of_their_own() -> None:
    y, Z = drawn(500, 29, K=3)
    P = np.exp(Z - logsumexp(Z, axis=1, keepdims=True))
    rounded = np.round(P * 0.98 + 0.006, 2)
    sums = rounded.sum(axis=1)
    assert (np.abs(sums - 1) > 1e-9).any()
    found = of(y, rounded, space="p")
    step = found.steps[0]
    assert step.name == "not_one"
    given_ = -np.log(rounded[np.arange(500), y])
    divided = -np.log(rounded[np.arange(500), y] / sums)
    assert step.gain == pytest.approx((given_ - divided).mean(), abs=1e-12)
    assert found.log_loss == pytest.approx(given_.mean() - sum(step.gain for step in found.steps), rel=1e-12)


def test_too_few_rows_have_no_remedies() -> None:
    y, z = drawn(19, 30)
    assert remedies(observe(y, z, space="logit", labels=[0, 1])) is None
    y, z = drawn(40, 30)
    assert remedies(observe(y, z, space="logit", group=np.zeros(40))) is None
    weight = np.where(np.arange(40) < 19, 1.0, 0.0)
    assert remedies(observe(y, z, space="logit", weight=weight)) is None


def test_calibrated_forecasts_seldom_get_a_step() -> None:
    """Each interval excludes 0 from below in at most 2.5 % of data sets; four are tried."""
    some = sum(bool(of(*drawn(300, 1000 + seed)).steps) for seed in range(60))
    assert some <= 6


def test_of_many_rows_a_sample_is_fitted_on(monkeypatch: pytest.MonkeyPatch) -> None:
    y, z = drawn(4000, 31)
    whole = tried(of(y, 2 * z), "temperature")
    monkeypatch.setattr("logloss.why.crossfit.FIT_ROWS", 900)
    part = tried(of(y, 2 * z), "temperature")
    assert part.parameters != whole.parameters
    assert part.gain == pytest.approx(whole.gain, rel=0.05)
    assert part.gain <= whole.gain + 1e-4
