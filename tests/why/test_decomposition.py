"""The parts of a loss: worked values, that they add up, that no row sees its own map, what leaves them unchanged."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import expit, logsumexp, xlogy

import logloss as ll
from logloss.calibrate.isotonic import isotonic, pool
from logloss.observations import observe
from logloss.why.crossfit import folds_of
from logloss.why.decomposition import Decomposition, of_record


def parts_of(y: object, p: object, **options: object) -> Decomposition:
    return of_record(observe(y, p, **options))


def simulated(n: int, seed: int, K: int = 2, scale: float = 2.0) -> tuple[np.ndarray, np.ndarray]:
    """Return outcomes drawn from forecasts, and these: log-odds of two classes, logits of more."""
    rng = np.random.default_rng(seed)
    if K == 2:
        z = rng.normal(0, scale, n)
        return (rng.random(n) < expit(z)).astype(int), z
    Z = rng.normal(0, scale, (n, K))
    return (Z + rng.gumbel(size=(n, K))).argmax(axis=1), Z


def same(a: Decomposition, b: Decomposition, *, rel: float = 1e-9, crossed: bool = True) -> None:
    """Assert that two decompositions say the same."""
    pairs = [(a.in_sample, b.in_sample)]
    if crossed:
        assert a.cross_fitted is not None
        pairs.append((a.cross_fitted, b.cross_fitted))
        assert [step.name for step in a.steps] == [step.name for step in b.steps]
        assert [entry.nats for entry in a.budget] == pytest.approx(
            [entry.nats for entry in b.budget], rel=rel, abs=1e-9
        )
        assert a.interval == pytest.approx(b.interval, rel=rel, abs=1e-9)
    for one, other in pairs:
        assert other is not None
        assert (one.uncertainty, one.discrimination, one.miscalibration) == pytest.approx(
            (other.uncertainty, other.discrimination, other.miscalibration), rel=rel, abs=1e-9
        )


# Worked values -------------------------------------------------------------------------------------------------


def test_six_forecasts_in_50_digits() -> None:
    # CORP of Dimitriadis, Gneiting, Jordan (2021), computed with 50 digits.
    found = parts_of([0, 0, 1, 0, 1, 1], [0.1, 0.2, 0.3, 0.6, 0.8, 0.9])
    assert found.log_loss == pytest.approx(0.46287861169069386, rel=1e-14)
    assert found.in_sample.miscalibration == pytest.approx(0.23182955150404543, rel=1e-13)
    assert found.in_sample.discrimination == pytest.approx(0.46209812037329687, rel=1e-13)
    assert found.in_sample.uncertainty == pytest.approx(0.69314718055994531, rel=1e-15)
    assert (found.method, found.cross_fitted, found.remedies) == ("isotonic", None, None)
    assert [entry.name for entry in found.budget] == ["base_rate", "discrimination", "miscalibration"]
    assert found.budget[-1].total == pytest.approx(found.log_loss, rel=1e-14)


def test_the_values_of_the_r_package_reliabilitydiag() -> None:
    # reliabilitydiag 0.2.1 in R, as in the tests of model-diagnostics (MIT), decompose() with the log loss.
    found = parts_of([0, 0, 0, 1, 1, 1], [0.4, 0.3, 0.2, 0.1, 0.5, 0.9])
    assert found.log_loss == pytest.approx(0.6986228, abs=5e-8)
    assert found.in_sample.miscalibration == pytest.approx(0.3237327, abs=5e-8)
    assert found.in_sample.discrimination == pytest.approx(0.3182571, abs=5e-8)
    assert found.in_sample.uncertainty == pytest.approx(0.6931472, abs=5e-8)


def test_groups_of_equal_forecasts_are_their_frequencies() -> None:
    # p = .2: 12 of 40, p = .7: 36 of 60. Frequencies ascend, so the fit is them: Broecker's terms, with 50 digits.
    y, p = np.repeat([1, 0, 1, 0], [12, 28, 36, 24]), np.repeat([0.2, 0.7], [40, 60])
    found = parts_of(y, p).in_sample
    assert found.miscalibration == pytest.approx(0.024816475688727824, rel=1e-12)
    assert found.discrimination == pytest.approx(0.044194246062450251, rel=1e-12)
    assert found.uncertainty == pytest.approx(0.6923469670899615, rel=1e-13)


def test_k_classes_in_sample_by_a_general_solver() -> None:
    y, Z = simulated(300, 1, K=3)
    Z = Z * 2 + np.array([0.0, 1.0, -0.5])
    found = parts_of(y, Z, space="logit")
    logs = Z - logsumexp(Z, axis=1, keepdims=True)

    def nats(theta: np.ndarray) -> np.ndarray:
        eta = logs * theta[:3] + theta[3:]
        return logsumexp(eta, axis=1) - eta[np.arange(300), y]

    def objective(theta: np.ndarray) -> float:
        return float(nats(theta).mean() + 3 / 300 * (((theta[:3] - 1) ** 2).sum() + (theta[3:] ** 2).sum()))

    best = minimize(objective, np.array([1.0, 1, 1, 0, 0, 0]), method="BFGS", options={"gtol": 1e-9})
    recalibrated = nats(best.x).mean()
    shares = np.bincount(y) / 300
    uncertainty = -(shares * np.log(shares)).sum()
    assert found.method == "affine per class"
    assert found.in_sample.miscalibration == pytest.approx(found.log_loss - recalibrated, abs=1e-6)
    assert found.in_sample.discrimination == pytest.approx(uncertainty - recalibrated, abs=1e-6)
    assert found.in_sample.miscalibration > 0.1


# Cross-fitting ---------------------------------------------------------------------------------------------------


def by_hand(y: np.ndarray, z: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Return the surprise of each row after Venn-Abers on the other folds, each time refitting isotonic regression."""
    out = np.empty(len(y))
    for i, (own, outcome) in enumerate(zip(z, y, strict=True)):
        rest = fold != fold[i]
        bounds = []
        for added in (0.0, 1.0):
            pooled = pool(np.append(z[rest], own), np.append(y[rest].astype(float), added))
            bounds.append(isotonic(pooled)[np.searchsorted(pooled.at, own)])
        p = bounds[1] / (1 - bounds[0] + bounds[1])
        out[i] = -math.log(p if outcome else 1 - p)
    return out


@pytest.mark.parametrize("grouped", [False, True])
def test_no_row_is_in_the_map_it_is_judged_by(*, grouped: bool) -> None:
    y, z = simulated(120, 2)
    record = observe(y, np.round(z, 1), space="logit", group=np.arange(120) % 17 if grouped else None)
    found = of_record(record)
    fold, _, cluster = folds_of(record)
    assert fold is not None
    if cluster is not None:
        assert all(len(set(fold[cluster == g])) == 1 for g in range(17))
    expected = by_hand(y, np.round(z, 1), fold)
    assert found.remedies is not None
    assert found.remedies.flexible == pytest.approx(expected, rel=1e-9)
    assert found.cross_fitted is not None
    assert found.cross_fitted.miscalibration == pytest.approx(
        found.log_loss - expected.mean(), rel=1e-9, abs=1e-12
    )
    # Uncertainty leaves out each row: class counts less one, plus 1/2 (Krichevsky and Trofimov), over n - 1 + K / 2.
    counts = np.bincount(y)
    alone = -np.log((counts[y] - 0.5) / 120)
    assert found.cross_fitted.uncertainty == pytest.approx(alone.mean(), rel=1e-12)
    assert found.cross_fitted.discrimination == pytest.approx(alone.mean() - expected.mean(), rel=1e-9)


def test_intervals_are_of_the_paired_differences() -> None:
    y, z = simulated(200, 3)
    given = np.logaddexp(0, np.where(y, -2 * z, 2 * z))
    found = parts_of(y, 2 * z, space="logit")
    after = found.remedies.flexible
    counts = np.bincount(y)
    spans = [
        (found.interval, given - after),
        (found.discrimination_interval, -np.log((counts[y] - 0.5) / 200) - after),
    ]
    for (low, high), d in spans:
        g = ((d - d.mean()) ** 3).mean() / d.var() ** 1.5
        root, q = math.sqrt(200), 1.9719565442518372  # the t quantile with 199 degrees of freedom
        hall = [
            3 * root / g * (np.cbrt(1 + g * v / root - g * g / 1200) - 1) * d.std(ddof=1) / root
            for v in (q, -q)
        ]
        assert (low, high) == pytest.approx((d.mean() - hall[0], d.mean() - hall[1]), rel=1e-8)


def test_the_two_estimates_enclose_what_a_calibrated_forecast_lacks() -> None:
    inside, outside = [], []
    for seed in range(30):
        found = parts_of(*simulated(300, 100 + seed), space="logit")
        inside.append(found.in_sample.miscalibration)
        outside.append(found.cross_fitted.miscalibration)
    assert np.mean(outside) < -0.002
    # About 1.8 n^(-2/3) in the paper-sized simulation of a spread-out forecast, n = 300: 0.04.
    assert np.mean(inside) == pytest.approx(1.8 * 300 ** (-2 / 3), rel=0.35)


# Laws --------------------------------------------------------------------------------------------------------------


@st.composite
def data_sets(draw: st.DrawFn) -> dict[str, object]:
    """Return outcomes and forecasts: two or three classes, ties, weights of 0, shares, certain forecasts."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, K = draw(st.integers(20, 60)), draw(st.sampled_from([2, 2, 3]))
    P = rng.dirichlet(np.full(K, draw(st.sampled_from([0.2, 1.0, 5.0]))), n)
    if draw(st.booleans()):
        P = np.round(P, 1) + 1e-3
        P /= P.sum(axis=1, keepdims=True)
    y = rng.integers(0, K, n)
    if draw(st.booleans()):
        some = rng.random(n) < 0.1
        P[some] = np.eye(K)[y[some]]  # certain and right
    if draw(st.booleans()):
        P[3] = np.eye(K)[(y[3] + 1) % K]  # certain and wrong
    outcome: object = y
    if draw(st.booleans()):
        outcome = rng.dirichlet(np.ones(K), n)
        outcome = outcome if K > 2 else outcome[:, 1]
    weight = draw(st.sampled_from(["none", "whole", "some 0"]))
    w = {"none": None, "whole": rng.integers(1, 4, n).astype(float), "some 0": rng.exponential(size=n)}[
        weight
    ]
    if weight == "some 0":
        w[rng.random(n) < 0.3] = 0.0
        w[0] = 1.0
    return {
        "data": outcome,
        "forecast": P[:, 1] if K == 2 else P,
        "weight": w,
        "labels": list(range(K)),
    }


@given(data_sets())
@settings(max_examples=60, deadline=None)
def test_parts_add_up_and_stay_finite(given_: dict) -> None:
    record = observe(given_["data"], given_["forecast"], weight=given_["weight"], labels=given_["labels"])
    found = of_record(record)
    loss = ll.score(given_["data"], given_["forecast"], weight=given_["weight"], labels=given_["labels"])
    assert found.log_loss == pytest.approx(loss.log_loss, rel=1e-12)
    inside, outside = found.in_sample, found.cross_fitted
    assert inside.uncertainty == pytest.approx(loss.base_rate, rel=1e-12, abs=1e-15)
    assert math.isfinite(inside.discrimination)
    for part in (inside, outside):
        if part is not None:
            assert part.log_loss == pytest.approx(found.log_loss, rel=1e-12, abs=1e-12)
    if found.method == "isotonic":
        assert inside.discrimination >= -1e-12
        assert inside.miscalibration >= -1e-12
    assert found.budget[-1].total == pytest.approx(found.log_loss, rel=1e-12, abs=1e-12)
    running = 0.0
    for entry in found.budget:
        running += entry.nats
        assert entry.total == pytest.approx(running, rel=1e-12, abs=1e-12)
    if math.isinf(found.log_loss):
        assert found.interval is None
    if math.isinf(found.log_loss) and found.remedies is not None:
        assert all(math.isfinite(step.gain) for step in found.steps)  # of the other rows
        assert found.budget[-1].nats == math.inf
        assert math.isfinite(found.remedies.log_loss)
    json.dumps(found.to_dict(), allow_nan=False)


@given(data_sets(), st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_in_sample_parts_do_not_know_the_order_of_rows(given_: dict, random: object) -> None:
    n = len(given_["forecast"])
    order = list(range(n))
    random.shuffle(order)  # type: ignore[attr-defined]
    w = given_["weight"]
    a = observe(given_["data"], given_["forecast"], weight=w, labels=given_["labels"])
    b = observe(
        given_["data"][order],
        given_["forecast"][order],
        weight=None if w is None else w[order],
        labels=given_["labels"],
    )
    same(of_record(a, cross_fit=False), of_record(b, cross_fit=False), crossed=False)


@given(data_sets())
@settings(max_examples=40, deadline=None)
def test_rows_of_weight_0_are_as_good_as_left_out(given_: dict) -> None:
    w = given_["weight"]
    if w is None or w.all():
        return
    keep = w > 0
    a = observe(given_["data"], given_["forecast"], weight=w, labels=given_["labels"])
    b = observe(given_["data"][keep], given_["forecast"][keep], weight=w[keep], labels=given_["labels"])
    same(of_record(a, cross_fit=False), of_record(b, cross_fit=False), crossed=False)


@pytest.mark.parametrize("K", [2, 3])
def test_what_stands_in_rows_of_weight_0_does_not_matter(K: int) -> None:
    y, Z = simulated(150, 5, K=K)
    w = np.where(np.arange(150) % 4 == 0, 0.0, 1.0)
    other_y, other = np.where(w == 0, (y + 1) % K, y), Z.copy()
    other[w == 0] = 0.0
    if K == 3:
        other[w == 0, 1] = -np.inf  # certain, and infinite where class 1 is said to have happened
    else:
        other[w == 0] = np.where(other_y[w == 0] == 1, -np.inf, np.inf)
    a = parts_of(y, Z, space="logit", weight=w)
    b = parts_of(other_y, other, space="logit", weight=w)
    same(a, b, rel=1e-9)


def test_whole_weights_are_repeated_rows_in_sample() -> None:
    y, z = simulated(60, 7)
    times = np.random.default_rng(7).integers(0, 4, 60)
    a = of_record(observe(y, z, space="logit", weight=times.astype(float)), cross_fit=False)
    b = of_record(observe(np.repeat(y, times), np.repeat(z, times), space="logit"), cross_fit=False)
    same(a, b, crossed=False)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_increasing_maps_leave_what_tells_rows_apart(seed: int) -> None:
    rng = np.random.default_rng(seed)
    p = np.round(rng.beta(1, 1, 40), 2) * 0.98 + 0.01
    y = (rng.permutation(40) < rng.integers(10, 31)).astype(int)  # ten of each: of fewer no map is learnt
    mapped = 0.3 * p**3 + 0.6 * p + 0.02
    a, b = (of_record(observe(y, q, labels=[0, 1])) for q in (p, mapped))
    assert a.in_sample.discrimination == pytest.approx(b.in_sample.discrimination, abs=1e-12)
    assert a.cross_fitted is not None
    assert b.cross_fitted is not None
    assert a.cross_fitted.discrimination == pytest.approx(b.cross_fitted.discrimination, abs=1e-9)
    assert a.in_sample.miscalibration - b.in_sample.miscalibration == pytest.approx(
        a.log_loss - b.log_loss, abs=1e-12
    )


@pytest.mark.parametrize("K", [2, 4])
def test_spaces_and_label_names_say_the_same(K: int) -> None:
    y, Z = simulated(200, 11, K=K)
    Z = 2 * Z
    given_ = parts_of(y, Z, space="logit")
    if K == 2:
        others = {"p": expit(Z), "logp": -np.logaddexp(0, -Z)}
    else:
        logs = Z - logsumexp(Z, axis=1, keepdims=True)
        others = {"p": np.exp(logs), "logp": logs}
    for space, values in others.items():
        same(given_, parts_of(y, values, space=space), rel=1e-6)
    names = np.array(["zebra", "ant", "cow", "bee"])[:K]
    same(given_, parts_of(names[y], Z, space="logit", labels=names.tolist()), rel=1e-12)


def test_the_order_of_classes_does_not_matter() -> None:
    y, Z = simulated(200, 12, K=4)
    order = np.array([2, 0, 3, 1])
    a = parts_of(y, 2 * Z, space="logit")
    b = parts_of(np.argsort(order)[y], 2 * Z[:, order], space="logit")
    same(a, b, rel=1e-6)
    y, z = simulated(200, 13)
    same(parts_of(y, 2 * z, space="logit"), parts_of(1 - y, -2 * z, space="logit"), rel=1e-6)


def test_two_columns_are_one_column() -> None:
    y, z = simulated(200, 14)
    one = parts_of(y, 2 * z, space="logit")
    same(one, parts_of(y, np.stack([np.zeros(200), 2 * z], axis=1), space="logit"), rel=1e-8)
    p = expit(2 * z)
    same(one, parts_of(y, np.stack([1 - p, p], axis=1)), rel=1e-8)


def test_shares_are_their_rows() -> None:
    # A share of 1/4 is one row of a 1 and three of a 0, each of a quarter of the weight; so in sample.
    y, z = simulated(40, 15)
    share = np.where(y, 0.75, 0.25)
    soft = of_record(observe(share, z, space="logit"), cross_fit=False)
    hard = of_record(
        observe(
            np.tile([1, 0], 40),
            np.repeat(z, 2),
            space="logit",
            weight=np.stack([share, 1 - share], 1).ravel(),
        ),
        cross_fit=False,
    )
    same(soft, hard, crossed=False)
    # Beyond the entropy of the shares there is nothing to gain.
    own = -(xlogy(share, share) + xlogy(1 - share, 1 - share)).mean()
    assert soft.log_loss - soft.in_sample.miscalibration >= own


def test_one_class_alone_is_no_uncertainty() -> None:
    found = parts_of(np.ones(50, int), np.linspace(0.5, 0.9, 50), labels=[0, 1])
    assert found.in_sample.uncertainty == 0
    assert found.in_sample.discrimination == 0
    assert found.in_sample.miscalibration == pytest.approx(found.log_loss)
