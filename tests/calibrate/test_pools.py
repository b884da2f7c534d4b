"""Several forecasts as one: weights of linear and log pools, what they give, and pools written down."""

from __future__ import annotations

import json
from pathlib import Path

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

import logloss as ll
from logloss.calibrate import maps
from logloss.calibrate.odds import cost, log_softmax
from logloss.calibrate.pools import CERTIFIED, Pool, linear_weights, log_weights, outcome_logs
from logloss.calibrate.stacks import STACKS, fit_pools, stacks
from logloss.calibrate.stored import checksum

mpmath.mp.dps = 60
A, B = (0.9, 0.2, 0.6, 0.5), (0.6, 0.7, 0.3, 0.6)  # probabilities of what happened


def logs(*forecasts: tuple[float, ...]) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.log(np.array(forecasts).T)


def loss_of(outcome_logs: np.ndarray, mass: np.ndarray, w: np.ndarray) -> float:
    return float(-(mass * np.log(np.exp(outcome_logs) @ w)).sum() / mass.sum())


def many(seed: int, n: int, M: int, K: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Forecasts (n, M, C), shares (n, C) and weights (n,) at random."""
    random = np.random.default_rng(seed)
    weight = random.exponential(size=n)
    if K == 2:
        return random.normal(0, 2, (n, M, 1)), random.random((n, 1)).round(), weight
    Z = np.log(random.dirichlet(np.ones(K), (n, M)))
    return Z, np.eye(K)[random.integers(0, K, n)], weight


def test_weights_of_the_linear_pool_of_the_table() -> None:
    # Weights and losses from 60-digit arithmetic.
    w, gap = linear_weights(logs(A, B), np.ones(4))
    assert w == pytest.approx([0.37200146699305847, 1 - 0.37200146699305847], rel=1e-9)
    assert loss_of(logs(A, B), np.ones(4), w) == pytest.approx(0.61707639136993985, rel=1e-14)
    assert -logs(A, B).mean(axis=0) == pytest.approx([0.72969280810446567, 0.64557474894916243], rel=1e-14)
    assert gap <= CERTIFIED


def test_the_linear_pool_solves_the_equation_of_its_optimum_in_60_digits() -> None:
    a, b = [[mpmath.mpf(x) for x in side] for side in ((0.9, 0.1, 0.45), (0.2, 0.7, 0.5))]
    mass = [1, 2, 5]
    root = mpmath.findroot(
        lambda w: sum(m * (x - y) / (w * x + (1 - w) * y) for m, x, y in zip(mass, a, b, strict=True)), 0.4
    )
    w, _ = linear_weights(logs((0.9, 0.1, 0.45), (0.2, 0.7, 0.5)), np.array(mass, float))
    assert w[0] == pytest.approx(float(root), rel=1e-9)


@given(st.integers(0, 10**6), st.integers(2, 60), st.integers(2, 6))
@settings(max_examples=60, deadline=None)
def test_no_other_weights_are_better_and_jensen_holds(seed: int, n: int, M: int) -> None:
    random = np.random.default_rng(seed)
    p = random.beta(0.3, 0.3, (n, M)).clip(1e-6)
    p[random.random((n, M)) < 0.1] = 0.0
    p[:, 0] = p[:, 0].clip(1e-6)  # finite for some weights
    mass = random.exponential(size=n)
    with np.errstate(divide="ignore"):
        one = np.log(p)
    w, gap = linear_weights(one, mass)
    assert gap <= CERTIFIED
    assert (w >= 0).all()
    assert w.sum() == pytest.approx(1, abs=1e-12)
    best = loss_of(one, mass, w)
    with np.errstate(divide="ignore"):
        for other in random.dirichlet(np.full(M, 0.5), 50):
            assert best <= loss_of(one, mass, other) + CERTIFIED
        single = -(mass[:, None] * one).sum(axis=0) / mass.sum()
    mixed = (w[w > 0] * single[w > 0]).sum()
    assert best <= mixed + 1e-12  # Jensen: the pool is never above the weighted mean of the losses
    assert best <= single.min() + CERTIFIED


def test_weights_are_repetitions() -> None:
    random = np.random.default_rng(3)
    p, times = random.random((40, 3)), random.integers(1, 5, 40)
    a, _ = linear_weights(np.log(p), times.astype(float))
    b, _ = linear_weights(np.log(np.repeat(p, times, axis=0)), np.ones(times.sum()))
    assert a == pytest.approx(b, abs=1e-9)


def test_what_is_impossible_under_all_has_no_say_and_zeros_under_some_do() -> None:
    w, _ = linear_weights(logs((*A, 0.0), (*B, 0.0)), np.ones(5))
    assert w[0] == pytest.approx(0.37200146699305847, rel=1e-9)
    w, _ = linear_weights(logs((0.0, 0.9, 0.9, 0.9), (0.5, 0.1, 0.1, 0.1)), np.ones(4))
    # d/dw of log(.5 (1 - w)) + 3 log(.1 + .8 w) is 0 at 2.4 (1 - w) = .1 + .8 w
    assert w[0] == pytest.approx(2.3 / 3.2, rel=1e-9)
    assert linear_weights(logs((0.0,), (0.0,)), np.ones(1))[0] == pytest.approx([0.5, 0.5])


def test_soft_outcomes_are_rows_in_shares() -> None:
    Z = np.array([[[0.3], [-1.0]], [[2.0], [0.5]]])
    found, mass = outcome_logs(Z, np.array([[0.25], [1.0]]), np.array([2.0, 1.0]))
    assert sorted(mass) == pytest.approx([0.5, 1.0, 1.5])
    at = int(mass.argmin())
    assert found[at] == pytest.approx([float(-mpmath.log(1 + mpmath.exp(-z))) for z in (0.3, -1.0)])


@pytest.mark.parametrize(("K", "many_of"), [(2, 3), (2, 6), (4, 3)])
@pytest.mark.parametrize("offsets", [False, True])
def test_the_log_pool_is_the_optimum_of_its_ridged_loss(K: int, many_of: int, offsets: bool) -> None:
    # The same minimum by L-BFGS-B, with bounds and numerical derivatives.
    Z, T, weight = many(1, 80, many_of, K)
    n, M, C = Z.shape
    Z[:, 2] = -Z[:, 0]  # something that has to be kept at 0
    T = T if K > 2 else (np.random.default_rng(5).random((n, 1)) < 1 / (1 + np.exp(-Z[:, 0]))).astype(float)

    def ridged(theta: np.ndarray) -> float:
        eta = sum(theta[m] * Z[:, m] for m in range(M)) + (theta[M:] if offsets else 0.0)
        loss = cost(eta if C == 1 else log_softmax(eta), T)
        pull = ((theta[:M] - 1 / M) ** 2).sum() + (theta[M:] ** 2).sum()
        return float((weight * loss).sum() / weight.sum() + K / n * pull)

    w, c = log_weights(Z, T, weight, offsets=offsets)
    theta = np.concatenate([w, c]) if offsets else w
    start = np.concatenate([np.full(M, 1 / M), np.zeros(C if offsets else 0)])
    bounds = [(0, None)] * M + [(None, None)] * (len(start) - M)
    other = minimize(ridged, start, bounds=bounds, method="L-BFGS-B", options={"ftol": 1e-15, "gtol": 1e-9})
    assert ridged(theta) <= other.fun + 1e-9
    assert theta == pytest.approx(other.x, abs=2e-4)
    assert (w >= 0).all()
    assert (w == 0).any() == (K == 2)


def test_pools_in_60_digits() -> None:
    w, p = (0.3, 0.7), (0.999999, 1e-9)
    Z = np.array([[[float(mpmath.log(mpmath.mpf(x) / (1 - mpmath.mpf(x))))] for x in p]])
    mixed = sum(mpmath.mpf(b) * mpmath.mpf(x) for b, x in zip(w, p, strict=True))
    assert Pool("linear", np.array(w))(Z)[0, 0] == pytest.approx(
        float(mpmath.log(mixed / (1 - mixed))), rel=1e-12
    )
    assert Pool("log", np.array(w))(Z)[0, 0] == pytest.approx(
        float(sum(mpmath.mpf(b) * mpmath.log(mpmath.mpf(x) / (1 - mpmath.mpf(x))) for b, x in zip(w, p, strict=True))),
        rel=1e-12,
    )  # fmt: skip


def test_pools_of_impossible_classes_are_finite() -> None:
    Z = np.array([[[-np.inf], [np.inf]], [[-np.inf], [-np.inf]]])
    even = np.array([0.5, 0.5])
    assert Pool("linear", even)(Z)[:, 0] == pytest.approx([0.0, -745.0])
    assert Pool("log", even)(Z)[:, 0] == pytest.approx([0.0, -36.0])  # a certain one does not outvote others
    only = Pool("linear", np.array([0.0, 1.0]))
    assert only(Z)[:, 0].tolist() == [np.inf, -np.inf]  # as it was given


@pytest.mark.parametrize("K", [2, 3])
def test_the_order_of_forecasts_does_not_matter(K: int) -> None:
    Z, T, weight = many(7, 200, 3, K)
    turned = [2, 0, 1]
    for name in stacks(K, 3):
        one = fit_pools([name], Z, T, weight / weight.mean(), best=1)[name]
        two = fit_pools([name], Z[:, turned], T, weight / weight.mean(), best=2)[name]
        assert two(Z[:, turned]) == pytest.approx(one(Z), abs=1e-5), name


def test_ways_are_ordered_by_their_parameters() -> None:
    names = stacks(2, 3)
    count = [STACKS[name].parameters(2, 3) for name in names]
    assert count == sorted(count)
    assert (names[0], count[0]) == ("identity", 0)
    assert STACKS["linear_affine"].parameters(4, 3) == 2 + 4
    assert STACKS["log_offset"].parameters(4, 3) == 3 + 3
    assert "linear_beta" in names
    assert "linear_beta" not in stacks(4, 3)


# ---------------------------------------------------------------- a pool that is applied, saved, loaded

THREE = ("ant", "bee", "cat")


def pool(kind: str = "linear", **change: object) -> ll.FittedPool:
    given = {
        "name": kind,
        "members": (ll.Member("a", (0, 1), ("p_a",)), ll.Member("b", (1, 0)), ll.Member("idle", (0, 1))),
        "kind": kind,
        "weights": np.array([0.25, 0.75, 0.0]),
        "steps": (maps.Scaling(np.array([0.5]), np.array([0.1])),),
        "classes": (0, 1),
    }
    return ll.FittedPool(**(given | change))  # type: ignore[arg-type]


def test_a_pool_applies_to_forecasts_by_name_or_in_order() -> None:
    got = pool().apply({"b": [0.4, 0.9], "a": [0.9, 0.2]})
    # b is about class 0: mix 0.25 p_a + 0.75 (1 - p_b), then half the log-odds plus 0.1
    mix = [0.25 * 0.9 + 0.75 * 0.6, 0.25 * 0.2 + 0.75 * 0.1]
    wanted = [1 / (1 + np.exp(-(0.5 * np.log(m / (1 - m)) + 0.1))) for m in mix]
    assert got == pytest.approx(wanted, rel=1e-12)
    assert pool().apply([[0.9, 0.2], [0.4, 0.9], [0.1, 0.1]]) == pytest.approx(wanted, rel=1e-12)


def test_forms_and_spaces_mix() -> None:
    got = pool().apply({"a": np.array([[0.1, 0.9]]), "b": np.array([0.4])}, out="logp")
    assert got.shape == (1, 2)
    assert np.exp(got).sum() == pytest.approx(1)
    assert got[0, 1] == pytest.approx(np.log(pool().apply({"a": [0.9], "b": [0.4]})[0]), rel=1e-12)
    assert pool("log").apply({"a": [2.0], "b": [1.0]}, space="logit") == pytest.approx(
        [0.5 * (0.25 * 2 - 0.75) + 0.1]
    )


def test_more_classes_in_another_order() -> None:
    members = (ll.Member("a", THREE), ll.Member("b", THREE[::-1]))
    got = ll.FittedPool("linear", members, "linear", np.array([0.5, 0.5]), (), THREE).apply(
        {"a": [[0.1, 0.2, 0.7]], "b": [[0.5, 0.2, 0.3]]}
    )
    assert got == pytest.approx(np.array([[0.2, 0.2, 0.6]]), rel=1e-12)


def test_a_single_forecast_comes_back_as_it_is_but_for_0_and_1() -> None:
    one = pool(steps=(), weights=np.array([1.0, 0.0, 0.0]))
    assert one.does_nothing
    assert one.apply({"a": [0.1, 0.7]}).tolist() == [0.1, 0.7]
    assert 0 < one.apply({"a": [0.0]})[0] < 1e-300


@pytest.mark.parametrize("kind", ["linear", "log"])
def test_a_saved_pool_says_the_same(kind: str, tmp_path: Path) -> None:
    one = pool(kind, fitted={"rows": 3, "best": "a"})
    one.save(tmp_path / "pool.json")
    again = ll.load_map(tmp_path / "pool.json")
    assert isinstance(again, ll.FittedPool)
    assert again.to_dict() == one.to_dict()
    assert again.members == one.members
    given = {"a": [0.3, 0.0, 1.0], "b": [0.2, 0.5, 0.5]}
    assert again.apply(given).tolist() == one.apply(given).tolist()


def test_load_map_tells_a_map_from_a_pool(tmp_path: Path) -> None:
    ll.FittedMap.temperature(2.0).save(tmp_path / "map.json")
    assert isinstance(ll.load_map(tmp_path / "map.json"), ll.FittedMap)


@pytest.mark.parametrize(
    ("change", "slug"),
    [
        ({"logloss_pool": 2}, "newer-map"),
        ({"logloss_pool": True}, "bad-map"),
        ({"name": "other"}, "bad-map"),
    ],
)
def test_a_changed_or_later_pool_is_refused(change: dict[str, object], slug: str, tmp_path: Path) -> None:
    path = tmp_path / "pool.json"
    path.write_text(json.dumps(pool().to_dict() | change))
    with pytest.raises(ll.SourceError) as caught:
        ll.load_map(path)
    assert caught.value.slug == slug


def member(**change: object) -> dict[str, object]:
    return {"name": "a", "classes": [0, 1], "columns": [], "weight": 1.0} | change


@pytest.mark.parametrize(
    "change",
    [
        {"forecasts": []},
        {"forecasts": [member(weight=-1.0), member(name="b", weight=2.0)]},
        {"forecasts": [member(weight=0.4)]},
        {"forecasts": [member(weight=True)]},
        {"forecasts": [member(weight=0.5), member(weight=0.5)]},
        {"forecasts": [member(classes=[0, 2])]},
        {"forecasts": [member(classes=[0, 0])]},
        {"forecasts": [member(columns="p")]},
        {"forecasts": ["a"]},
        {"kind": "median"},
        {"classes": [0]},
        {"space": "odds"},
        {"fitted": None},
        {"steps": [{"kind": "beta", "a": 1.0}]},
    ],
)
def test_numbers_that_no_fit_gives_are_refused_even_with_a_checksum(change: dict[str, object]) -> None:
    state = pool().to_dict() | change
    state["checksum"] = checksum(state)
    with pytest.raises(ll.SourceError) as caught:
        ll.FittedPool.from_dict(state)
    assert caught.value.slug == "bad-map"


@pytest.mark.parametrize(
    ("given", "slug"),
    [
        ({"a": [0.5], "c": [0.5]}, "other-forecasts"),
        ({"a": [0.5]}, "other-forecasts"),
        ([[0.5], [0.5]], "other-forecasts"),
        ([0.5], "other-forecasts"),
        ({"a": [0.5, 0.5], "b": [0.5]}, "different-lengths"),
        ({"a": [0.5], "b": [1.5]}, "out-of-range"),
    ],
)
def test_other_forecasts_than_those_of_the_fit_are_refused(given: object, slug: str) -> None:
    with pytest.raises(ll.LoglossError) as caught:
        pool().apply(given)
    assert caught.value.slug == slug


def test_an_unknown_space_is_refused() -> None:
    with pytest.raises(ll.UsageError, match="odds"):
        pool().apply({"a": [0.5], "b": [0.5]}, out="odds")  # type: ignore[arg-type]
