"""Every candidate is the least of its own formula, and stays sane where forecasts are certain, alike, few or one-sided."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import log_softmax

import logloss as ll
from logloss.calibrate.clip import best_bounds
from logloss.calibrate.fits import CANDIDATES, candidates, fit_steps, guard
from logloss.calibrate.isotonic import fit_isotonic
from logloss.calibrate.maps import Beta, Clip, Matrix, Mix, Quadratic, Scaling, VennAbers
from logloss.calibrate.venn_abers import fit_venn_abers
from logloss.fixing.race import applied

Rows = tuple[np.ndarray, np.ndarray, np.ndarray]


def draw(n: int, K: int, seed: int = 0, *, soft: bool = False, weighted: bool = False) -> Rows:
    """Draw over-confident forecasts (n, C), shares (n, C) and weights of mean 1."""
    random = np.random.default_rng(seed)
    C = 1 if K == 2 else K
    truth = random.normal(size=(n, C)) + 0.3
    if K == 2:
        T = (random.random((n, 1)) < 1 / (1 + np.exp(-truth))).astype(float)
        Z = 2.0 * truth - 0.4
    else:
        p = np.exp(log_softmax(truth, axis=1))
        T = np.eye(K)[(random.random(n)[:, None] > p.cumsum(axis=1)[:, :-1]).sum(axis=1)]
        Z = log_softmax(1.8 * truth + np.arange(K) * 0.3, axis=1)
    if soft:
        T = 0.85 * T + 0.15 * (random.random((n, 1)) if K == 2 else np.full((n, K), 1 / K))
    weight = random.choice([0.5, 1.0, 3.0], n) if weighted else np.ones(n)
    return Z, T, weight / weight.mean()


def loss(eta: np.ndarray, T: np.ndarray, weight: np.ndarray) -> float:
    """Return the mean loss of log-odds (n, 1), or of unnormalised log-probabilities (n, K)."""
    if eta.shape[1] == 1:
        each = np.logaddexp(0, -eta) * T + np.logaddexp(0, eta) * (1 - T)
    else:
        each = -T * log_softmax(eta, axis=1)
    return float(weight @ each.sum(axis=1) / weight.sum())


def after(name: str, rows: Rows, Z: np.ndarray | None = None) -> np.ndarray:
    return applied(fit_steps(name, *rows), rows[0] if Z is None else Z)


VARIETY = [{}, {"soft": True}, {"weighted": True}, {"soft": True, "weighted": True}]

TWO = {
    "temperature": ([1.0], lambda a, z: a[0] * z),
    "prior_shift": ([0.0], lambda a, z: z + a[0]),
    "affine": ([1.0, 0.0], lambda a, z: a[0] * z + a[1]),
    "beta": (
        [1.0, 1.0, 0.0],
        lambda a, z: a[0] * -np.logaddexp(0, -z) + a[1] * np.logaddexp(0, z) + a[2],
    ),
    "quadratic": ([0.0, 1.0, 0.0], lambda a, z: a[0] * z * z + a[1] * z + a[2]),
}
MANY = {
    "temperature": (3, lambda a, Z: (1 + a[0]) * Z, 1),
    "prior_shift": (3, lambda a, Z: Z + a, 3),
    "affine": (3, lambda a, Z: (1 + a[0]) * Z + a[1:], 4),
}


def least(objective: object, start: np.ndarray) -> tuple[np.ndarray, float]:
    found = minimize(objective, start, method="BFGS", options={"gtol": 1e-9})
    return found.x, float(found.fun)


@pytest.mark.parametrize("name", TWO)
@pytest.mark.parametrize("how", VARIETY, ids=str)
@pytest.mark.parametrize("n", [12, 300])
def test_families_of_two_classes_are_the_least_of_their_formula(name: str, how: dict, n: int) -> None:
    Z, T, w = draw(n, 2, **how)
    start, formula = TWO[name]
    start = np.array(start)

    def objective(a: np.ndarray) -> float:
        return loss(formula(a, Z), T, w) + 2 / n * float(((a - start) ** 2).sum())

    best, value = least(objective, start)
    got = after(name, (Z, T, w))
    assert got == pytest.approx(formula(best, Z), abs=2e-5)
    (step,) = fit_steps(name, Z, T, w)
    parameters = {
        "temperature": lambda: [step.slope[0]],
        "prior_shift": lambda: [step.offset[0]],
        "affine": lambda: [step.slope[0], step.offset[0]],
        "beta": lambda: [step.a, step.b, step.c],
        "quadratic": lambda: [step.square, step.slope, step.offset],
    }[name]()
    assert objective(np.array(parameters)) <= value + 1e-10


def test_beta_keeps_its_slopes_above_0() -> None:
    # Forecasts turned round: without the bound both slopes would be negative.
    Z, T, w = draw(200, 2)
    (step,) = fit_steps("beta", -Z, T, w)
    assert isinstance(step, Beta)
    assert (step.a, step.b) == (0.0, 0.0)

    def objective(c: np.ndarray) -> float:
        return loss(np.full_like(Z, c[0]), T, w) + 2 / 200 * c[0] ** 2

    best, _ = least(objective, np.zeros(1))
    assert step.c == pytest.approx(best[0], abs=1e-6)


@pytest.mark.parametrize("name", MANY)
@pytest.mark.parametrize("how", VARIETY, ids=str)
def test_families_of_three_classes_are_the_least_of_their_formula(name: str, how: dict) -> None:
    n = 150
    Z, T, w = draw(n, 3, **how)
    classes, formula, size = MANY[name]
    ridge = (2 if name == "temperature" else classes) / n

    def objective(a: np.ndarray) -> float:
        return loss(formula(a, Z), T, w) + ridge * float((a**2).sum())

    best, _ = least(objective, np.zeros(size))
    assert after(name, (Z, T, w)) == pytest.approx(log_softmax(formula(best, Z), axis=1), abs=2e-5)


@pytest.mark.parametrize("how", VARIETY, ids=str)
def test_vector_and_matrix_are_the_least_of_their_formulas(how: dict) -> None:
    n, K = 120, 3
    Z, T, w = draw(n, K, **how)
    (b,), _ = least(lambda a: loss(a[0] * Z, T, w) + 2 / n * (a[0] - 1) ** 2, np.ones(1))
    cooled = log_softmax(b * Z, axis=1)

    def vector(a: np.ndarray) -> float:
        return loss(a[:K] * cooled + a[K:], T, w) + K / n * float(((a[:K] - 1) ** 2).sum() + a[K:] @ a[K:])

    best, _ = least(vector, np.concatenate([np.ones(K), np.zeros(K)]))
    want = log_softmax(best[:K] * cooled + best[K:], axis=1)
    assert after("vector", (Z, T, w)) == pytest.approx(want, abs=2e-5)
    pull = np.where(np.eye(K) == 1, K / n, K * (K - 1) / n)

    def matrix(a: np.ndarray) -> float:
        M, c = a[: K * K].reshape(K, K), a[K * K :]
        return (
            loss(cooled @ M.T + c, T, w) + float((pull * (M - np.eye(K)) ** 2).sum()) + K / n * float(c @ c)
        )

    best, value = least(matrix, np.concatenate([np.eye(K).ravel(), np.zeros(K)]))
    want = log_softmax(cooled @ best[: K * K].reshape(K, K).T + best[K * K :], axis=1)
    assert after("matrix", (Z, T, w)) == pytest.approx(want, abs=1e-4)
    step = fit_steps("matrix", Z, T, w)[-1]
    assert isinstance(step, Matrix)
    assert matrix(np.concatenate([step.weights.ravel(), step.offset])) <= value + 1e-9


@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("how", VARIETY, ids=str)
def test_affine_with_a_share_mixed_in_is_the_least_nearby(K: int, how: dict) -> None:
    n = 400
    Z, T, w = draw(n, K, seed=3, **how)
    T[:40] = 1 - T[:40] if K == 2 else np.roll(T[:40], 1, axis=1)  # blunders
    steps = fit_steps("affine_mix", Z, T, w)
    share = steps[1].share if len(steps) == 2 else 0.0
    C = Z.shape[1]
    home = np.concatenate([[1.0], np.zeros(C + 1)])

    def objective(a: np.ndarray) -> float:
        eta = a[0] * Z + a[1:-1]
        two = np.hstack([np.zeros((n, 1)), eta]) if C == 1 else eta
        shares = np.hstack([1 - T, T]) if C == 1 else T
        q = (1 - a[-1]) * np.exp(log_softmax(two, axis=1)) + a[-1] / K
        return float(w @ -(shares * np.log(q)).sum(axis=1) / n) + K / n * float(((a - home) ** 2).sum())

    got = np.concatenate([steps[0].slope[:1], steps[0].offset, [share]])
    sides = [(0, 9)] + [(-9, 9)] * C + [(0, 0.9)]
    close = {"xatol": 1e-9, "fatol": 1e-13}
    best = minimize(objective, got, bounds=sides, method="Nelder-Mead", options=close)
    assert objective(got) <= best.fun + 1e-9
    rough = minimize(objective, np.append(home[:-1], 0.2), bounds=sides, method="L-BFGS-B")
    assert objective(got) <= rough.fun + 1e-6
    assert share > 0.01 or how.get("soft")


def test_nothing_is_mixed_in_where_that_gains_nothing() -> None:
    Z, T, w = draw(300, 2)
    plain = fit_steps("affine", Z, T, w)
    mixed = fit_steps("affine_mix", Z[:20] / 4, (Z[:20] > 0).astype(float), w[:20])
    assert len(plain) == len(mixed) == 1


@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("how", VARIETY, ids=str)
@pytest.mark.parametrize("name", ["mix", "mix_base"])
def test_mixes_are_the_least_of_their_formula(name: str, how: dict, K: int) -> None:
    n = 60
    Z, T, w = draw(n, K, **how)
    shares = np.hstack([1 - T, T]) if K == 2 else T
    p = np.exp(log_softmax(np.hstack([0 * Z, Z]) if K == 2 else Z, axis=1))
    rates = np.full(K, 1 / K) if name == "mix" else ((w[:, None] * shares).sum(axis=0) + 0.5) / (n + K / 2)

    def objective(lam: float) -> float:
        return float(w @ -(shares * np.log((1 - lam) * p + lam * rates)).sum(axis=1) / n)

    (step,) = fit_steps(name, Z, T, w)
    assert isinstance(step, Mix)
    assert step.rates == pytest.approx(rates, rel=1e-12)
    assert 0 < step.share < 1
    assert objective(step.share) <= min(map(objective, np.linspace(0, 0.999, 2000))) + 1e-15


LEVELS = st.sampled_from([-4.0, -2.5, -1.0, -0.3, 0.0, 0.4, 1.5, 3.0, 6.0])
SOME_ROWS = st.lists(
    st.tuples(LEVELS, st.sampled_from([0.0, 0.25, 1.0]), st.sampled_from([0.5, 1.0, 2.0])),
    min_size=1,
    max_size=14,
)


@given(SOME_ROWS)
@settings(max_examples=150, deadline=None)
def test_bounds_and_clip_are_the_least_on_a_grid(rows: list[tuple[float, float, float]]) -> None:
    z, t, w = (np.array(column) for column in zip(*rows, strict=True))

    def clipped(low: np.ndarray | float, high: np.ndarray | float) -> np.ndarray:
        p = np.clip(1 / (1 + np.exp(-z)), np.asarray(low)[..., None], np.asarray(high)[..., None])
        with np.errstate(divide="ignore", invalid="ignore"):
            paid = np.where(t > 0, -t * np.log(p), 0.0) - np.where(t < 1, (1 - t) * np.log1p(-p), 0.0)
        return paid @ w / w.sum()

    first, second = best_bounds(z, t, w)
    assert 0 <= first < 1
    assert 0 <= second < 1
    assert first + second <= 1 + 1e-12
    grid = np.unique(np.concatenate([np.linspace(0.001, 0.999, 60), 1 / (1 + np.exp(-z))]))
    if 0 < t.sum() < len(t):  # else the least is a certain forecast, which is not given
        low, high = (side.ravel() for side in np.meshgrid(np.append(0, grid), np.append(grid, 1)))
        brute = clipped(low[low <= high], high[low <= high]).min()
        assert clipped(second, 1 - first) <= brute + 1e-12
    (step,) = fit_steps("clip", z[:, None], t[:, None], w / w.mean())
    assert isinstance(step, Clip)
    halves = np.append(0, grid[grid <= 0.5])
    assert clipped(step.second, 1 - step.first) <= clipped(halves, 1 - halves).min() + 1e-12


@pytest.mark.parametrize("happened", [0.0, 1.0])
def test_bounds_of_one_outcome_leave_a_doubt(happened: float) -> None:
    z = np.array([-1.0, 0.0, 2.0])
    first, second = best_bounds(z, np.full(3, happened), np.ones(3))
    # Krichevsky and Trofimov (1981): 3 of 3 are (3 + 1/2) / (3 + 1).
    assert (second if happened else first) == pytest.approx(3.5 / 4, rel=1e-12)
    assert (first if happened else second) <= 0.5 / 4 + 1e-12


def sixty(groups: list[tuple[float, int, int]]) -> tuple[list[int], list[float]]:
    y = [one for _, right, wrong in groups for one in [1] * right + [0] * wrong]
    return y, [p for p, right, wrong in groups for _ in range(right + wrong)]


# Origin of these values: 60-digit arithmetic.
@pytest.mark.parametrize(
    ("groups", "eps"), [([(0.999, 97, 3), (0.7, 35, 15)], 0.03), ([(0.999, 0, 1), (0.9, 20, 0)], 0.1)]
)
def test_clips_of_sixty_digits(groups: list[tuple[float, int, int]], eps: float) -> None:
    y, p = sixty(groups)
    (step,) = ll.fit_map(y, p, "clip").steps
    assert (step.first, step.second) == pytest.approx((eps, eps), rel=1e-12)


@pytest.mark.parametrize("spread", [(1, 1, 1), (0.2, 0.3, 0.5)])
def test_mixing_of_sixty_digits(spread: tuple[float, ...]) -> None:
    # K = 4, p_y = .9 six times and .02 twice; what the other classes get makes no difference.
    rest = np.array(spread) / sum(spread)
    P = np.zeros((8, 4))
    y = np.arange(8) % 4
    for row, p in enumerate([0.9] * 6 + [0.02] * 2):
        P[row, y[row]] = p
        P[row, np.arange(4) != y[row]] = (1 - p) * rest
    (step,) = ll.fit_map(y, P, "mix").steps
    assert step.share == pytest.approx(0.28093645484949833, rel=1e-9)


def surprise(fitted: ll.FittedMap, y: list[int], forecast: object) -> float:
    return ll.log_loss(y, fitted.apply(forecast, out="p"))


def test_temperatures_of_sixty_digits() -> None:
    y, z = [1, 1, 1, 0], [2.0] * 4
    fitted = ll.fit_map(y, z, "temperature", space="logit", ridge=0)
    assert fitted.steps[0].slope[0] == pytest.approx(np.log(3) / 2, rel=1e-12)
    assert surprise(fitted, y, z) == pytest.approx(0.56233514461880835, rel=1e-13)
    Z, y3 = [[2, 0, -1], [1, 3, 0], [0.5, 0.5, 2], [0, 1, 1.5], [3, 0, 1]], [0, 1, 2, 1, 2]
    fitted = ll.fit_map(y3, Z, "temperature", space="logit", ridge=0)
    assert fitted.steps[0].slope == pytest.approx([0.80854791450588922] * 3, rel=1e-12)
    assert surprise(fitted, y3, Z) == pytest.approx(0.78403239676753413, rel=1e-13)


@pytest.mark.parametrize(
    ("ridge", "slope", "offset"),
    [
        (0.0, 0.36132076238693613, -0.18066038119346806),
        (2 / 6, 0.70101517493170387, -0.076556867511553823),
        (None, 0.70101517493170387, -0.076556867511553823),
    ],
)
def test_affine_of_sixty_digits(ridge: float | None, slope: float, offset: float) -> None:
    y, z = [0, 1, 0, 1, 0, 1], [-2.0, -1, 0, 1, 2, 3]
    (step,) = ll.fit_map(y, z, "affine", space="logit", ridge=ridge).steps
    assert (step.slope[0], step.offset[0]) == pytest.approx((slope, offset), rel=1e-11)


def test_isotonic_ends_are_those_of_krichevsky_and_trofimov() -> None:
    z = np.array([-2.0, -1, 0, 1, 2, 3, 4])
    t = np.array([0.0, 0, 1, 0, 1, 1, 1])
    got = 1 / (1 + np.exp(-fit_isotonic(z, t, np.ones(7))(z[:, None])[:, 0]))
    # 0 of 2, then 1 of 2, then 3 of 3: (0 + 1/2) / 3, 1/2, (3 + 1/2) / 4.
    assert got == pytest.approx([1 / 6, 1 / 6, 0.5, 0.5, 7 / 8, 7 / 8, 7 / 8], rel=1e-12)
    only = fit_isotonic(z[:3], np.ones(3), np.ones(3))
    assert only(z[:3, None])[:, 0] == pytest.approx(
        np.log([7.0] * 3)
    )  # one block at both ends: (3 + 1) / (3 + 2)


@given(SOME_ROWS, st.lists(LEVELS, min_size=2, max_size=5))
@settings(max_examples=60, deadline=None)
def test_isotonic_rises_stays_inside_and_is_flat_beyond(
    rows: list[tuple[float, float, float]], new: list[float]
) -> None:
    z, t, w = (np.array(column) for column in zip(*rows, strict=True))
    fitted = fit_isotonic(z, t, w / w.mean())
    at = np.sort(np.array(new))[:, None] * 1.1
    odds = fitted(at)[:, 0]
    assert (np.diff(odds) >= 0).all()
    assert np.isfinite(odds).all()
    ends = np.array([[z.min()], [z.max()]])
    assert fitted(ends + np.array([[-9.0], [9.0]])).tolist() == fitted(ends).tolist()


@given(SOME_ROWS, st.lists(st.floats(-8, 8), min_size=1, max_size=9))
@settings(max_examples=60, deadline=None)
def test_a_compressed_map_says_what_it_said(rows: list[tuple[float, float, float]], new: list[float]) -> None:
    z, t, w = (np.array(column) for column in zip(*rows, strict=True))
    whole = fit_venn_abers(z, t, w / w.mean())
    short = whole.compressed()
    s = np.concatenate([np.array(new), z])
    assert len(short.at) <= len(whole.at)
    for one, two in zip(short.bounds(s), whole.bounds(s), strict=True):
        assert one == pytest.approx(two, abs=1e-12)


def test_compression_leaves_only_the_ends_of_stretches() -> None:
    level = np.array([0.1, 0.1, 0.1, 0.4, 0.6, 0.6, 0.6, 0.6])
    short = VennAbers(np.arange(8.0), level, level + 0.1).compressed()
    assert short.at.tolist() == [0, 2, 3, 4, 7]


@pytest.mark.parametrize(
    ("square", "slope", "turn"), [(0.5, 1.0, -1.0), (-0.25, 1.0, 2.0), (0.0, 1.0, None), (2.0, 0.0, 0.0)]
)
def test_a_parabola_turns_where_its_slope_ends(square: float, slope: float, turn: float | None) -> None:
    one = Quadratic(square, slope, 0.3)
    assert one.turns() == turn
    if turn is not None:
        beside = one(np.array([[turn - 1e-3], [turn], [turn + 1e-3]]))[:, 0]
        assert beside[0] == pytest.approx(beside[2], abs=1e-12)
        assert abs(beside[0] - beside[1]) > 1e-8


@pytest.mark.parametrize("K", [2, 3])
def test_the_order_of_rows_makes_no_difference(K: int) -> None:
    Z, T, w = draw(80, K, soft=True, weighted=True)
    turn = np.random.default_rng(5).permutation(80)
    for name in candidates(K):
        got = after(name, (Z[turn], T[turn], w[turn]), Z)
        assert got == pytest.approx(after(name, (Z, T, w)), abs=1e-7), name


UNPENALISED = ["clip", "bounds", "mix"]


@pytest.mark.parametrize("K", [2, 3])
def test_weights_are_repetitions_where_no_ridge_counts_the_rows(K: int) -> None:
    Z, T, _ = draw(60, K, soft=True)
    times = np.random.default_rng(2).integers(1, 4, 60)
    again = np.repeat(np.arange(60), times)
    for name in set(UNPENALISED) & set(candidates(K)):
        one = after(name, (Z[again], T[again], np.ones(len(again))), Z)
        assert after(name, (Z, T, times / times.mean())) == pytest.approx(one, abs=1e-9), name
        assert after(name, (Z, T, np.ones(60))) != pytest.approx(one, abs=1e-5), name
    y, z = T.argmax(axis=1) if K == 3 else (T[:, 0] > 0.5).astype(int), Z if K == 3 else Z[:, 0]
    for name in ["temperature", "affine", "prior_shift"]:
        options = {"space": "logit", "ridge": 0.0}
        one = ll.fit_map(y[again], z[again], name, **options).apply(z)
        two = ll.fit_map(y, z, name, weight=times, **options).apply(z)
        assert np.diff(two, axis=-1) == pytest.approx(np.diff(one, axis=-1), abs=1e-7), name


def test_soft_outcomes_are_rows_split_in_two() -> None:
    Z, T, w = draw(60, 2, soft=True)
    split = (np.vstack([Z, Z]), np.vstack([T * 0, T * 0 + 1]), np.concatenate([1 - T, T])[:, 0] * 2)
    keep = split[2] > 0
    for name in ["clip", "bounds", "mix"]:
        one = after(name, tuple(part[keep] for part in split), Z)
        assert after(name, (Z, T, w)) == pytest.approx(one, abs=1e-9), name


def sane(name: str, Z: np.ndarray, T: np.ndarray) -> None:
    """Assert that a map fitted to rows says nothing certain about any forecast but a certain one."""
    K = max(Z.shape[1], 2)
    steps = fit_steps(name, Z, T, np.ones(len(Z)))
    fitted = ll.FittedMap(name, steps, tuple(range(K)))
    new = [0.0, 1e-9, 0.02, 0.5, 0.98, 1.0] if K == 2 else [[1.0, 0, 0], [0.2, 0.3, 0.5], [0, 0.5, 0.5]]
    p = fitted.apply(new)
    assert np.isfinite(p).all()
    assert p.min() > 0
    assert p.max() < 1
    if name != "identity" and (np.isinf(Z).any() or name in ("bounds", "isotonic", "venn_abers")):
        held = applied(steps, Z)
        assert np.isfinite(held).all()
    middle = np.asarray(p)[3 if K == 2 else 1]
    assert middle == pytest.approx(np.clip(middle, 1e-3, 0.999))


def hazards(K: int) -> dict[str, Rows]:
    with np.errstate(divide="ignore"):
        some = {
            "certain": np.array([0.0, 0, 1, 1, 0.3, 0.6, 0, 1]),
            "alike": np.full(8, 0.3),
            "two rows": np.array([0.3, 0.6]),
            "all certain": np.array([0.0, 1, 0, 1]),
        }
        found = {}
        for kind, p in some.items():
            n = len(p)
            P = p[:, None] if K == 2 else np.stack([p, (1 - p) * 0.75, (1 - p) * 0.25], axis=1)
            Z = np.log(P) - np.log1p(-P) if K == 2 else np.log(P)
            y = np.arange(n) % K
            found[kind] = Z, (y[:, None] == 1).astype(float) if K == 2 else np.eye(K)[y]
            found[f"{kind}, one class"] = Z, np.ones((n, 1)) if K == 2 else np.eye(K)[np.zeros(n, int)]
    return found


@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("kind", hazards(2))
def test_hazards_leave_no_certain_forecast(kind: str, K: int) -> None:
    Z, T = hazards(K)[kind]
    for name in candidates(K):
        sane(name, Z, T)


@pytest.mark.parametrize("n", [2, 3, 5, 20])
@pytest.mark.parametrize("K", [2, 3])
def test_few_rows(n: int, K: int) -> None:
    for seed in range(3):
        Z, T, _ = draw(n, K, seed)
        for name in candidates(K):
            sane(name, Z, T)


def test_the_guard_is_wide_where_certain_rows_err() -> None:
    big = np.array([[np.inf]] * 9 + [[0.2]])
    right = np.ones((10, 1))
    assert guard(np.zeros((3, 1)), right[:3], np.ones(3)) == ()
    # Krichevsky and Trofimov (1981): errors + 1/2 over rows + 1, of the nine certain rows.
    assert guard(big, right, np.ones(10)) == (Clip.at(0.5 / 10),)
    wrong = right.copy()
    wrong[:2] = 0
    assert guard(big, wrong, np.ones(10))[0].first == pytest.approx(2.5 / 10)
    Z = np.log(np.array([[1.0, 0, 0], [0.2, 0.2, 0.6]]) + 0.0, where=[[True, False, False], [True] * 3], out=np.full((2, 3), -np.inf))  # fmt: skip
    (mix,) = guard(Z, np.eye(3)[[0, 2]], np.ones(2))
    assert mix.share == pytest.approx(1 / 3)  # right: the least share, 1 / (n + 1)


def test_a_class_that_never_happened_keeps_a_rate() -> None:
    (mix,) = fit_steps("mix_base", np.log(np.full((6, 3), 1 / 3)), np.eye(3)[[0, 0, 1, 1, 0, 1]], np.ones(6))
    assert mix.rates == pytest.approx([3.5 / 7.5, 3.5 / 7.5, 0.5 / 7.5])


def test_candidates_come_simplest_first() -> None:
    for K in (2, 3, 31, 101):
        names = candidates(K)
        sizes = [CANDIDATES[name].parameters(K) for name in names]
        assert sizes == sorted(sizes)
        assert names[0] == "identity"
    assert "matrix" not in candidates(2)
    assert {"beta", "clip", "isotonic"}.isdisjoint(candidates(3))
    assert "matrix" in candidates(30)
    assert "matrix" not in candidates(31)
    assert candidates(101) == ["identity", "temperature", "mix", "mix_base"]


def test_prior_shift_without_a_ridge_has_no_free_direction() -> None:
    # Of K offsets one says nothing: the optimum is where mean forecasts are the rates (first-order condition).
    Z, T, _ = draw(90, 3)
    fitted = ll.fit_map(T.argmax(axis=1), Z, "prior_shift", space="logp", ridge=0)
    assert isinstance(fitted.steps[0], Scaling)
    assert np.ptp(fitted.steps[0].offset) < 5
    p = fitted.apply(np.exp(Z), space="p")
    assert p.mean(axis=0) == pytest.approx(T.mean(axis=0), abs=1e-8)


def test_separable_rows_end_somewhere_without_a_ridge() -> None:
    fitted = ll.fit_map([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9], "affine", ridge=0)
    assert np.isfinite(fitted.steps[0].slope).all()
    assert fitted.apply([0.1, 0.9]) == pytest.approx([0, 1], abs=1e-9)


@pytest.mark.parametrize(
    ("name", "ridge", "slug"),
    [
        ("clip", 0.1, "no-ridge"),
        ("affine", -1.0, "no-ridge"),
        ("affine", float("nan"), "no-ridge"),
        ("affine", float("inf"), "no-ridge"),
        ("afine", None, "unknown-map"),
        ("matrix", None, "unknown-map"),
    ],
)
def test_maps_and_ridges_that_do_not_go_together(name: str, ridge: float | None, slug: str) -> None:
    with pytest.raises(ll.UsageError) as caught:
        ll.fit_map([0, 1, 1, 0], [0.1, 0.2, 0.8, 0.9], name, ridge=ridge)
    assert caught.value.slug == slug
    assert caught.value.cure


def test_rows_of_weight_0_have_no_part_in_one_map() -> None:
    y, p = [0, 1, 1, 0, 1], [0.2, 0.6, 0.9, 0.4, 0.0]
    fitted = ll.fit_map(y, p, "affine", weight=[1, 2, 1, 1, 0])
    assert fitted.steps[0].slope == ll.fit_map(y[:4], p[:4], "affine", weight=[1, 2, 1, 1]).steps[0].slope
    assert fitted.fitted == {"rows": 4}
