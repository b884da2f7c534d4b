"""The set that holds the best forecast: against arch, against a bootstrap by loops, its laws and its edges."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import ndtr
from scipy.stats import ttest_1samp

import logloss as ll
from logloss.multiplicity import bootstrap, confidencesets
from logloss.multiplicity.confidencesets import confidence_set, confidence_set_of
from logloss.multiplicity.simultaneous import simultaneous

Float = NDArray[np.float64]

ones = np.ones


def five(random: np.random.Generator) -> Float:
    offsets = np.array([0, 0.01, 0.02, 0.03, 0.08])
    return random.exponential(0.5, (200, 1)) + 0.2 * random.normal(size=(200, 5)) + offsets


def four_in_time(random: np.random.Generator) -> Float:
    shocks, own = random.normal(size=(300, 4)), np.zeros((300, 4))
    for t in range(1, 300):
        own[t] = 0.6 * own[t - 1] + shocks[t]
    return np.asarray(0.2 * own + np.array([0, 0.03, 0.05, 0.12]) + random.exponential(0.5, (300, 1)))


def test_arch_finds_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    # arch 8.0.0, MCS(s, size=0.1, reps=200000, method="max", bootstrap="circular", seed=1), block_size 1 and 7. It knows no
    # degrees of freedom, which are infinite here; 1 is taken by the mean, hence slightly smaller p-values.
    monkeypatch.setattr(confidencesets, "_normal", lambda t, _: t)
    random = np.random.default_rng(7)
    s, x = five(random), four_in_time(random)
    found = confidence_set(s, ones(200), draws=20_000)
    assert found.p_values == pytest.approx([1, 0.00531, 0.56869, 0.069225, 0.00531], abs=0.01)
    assert found.members == (True, False, True, False, False)
    assert found.order == (4, 1, 3, 2, 0)
    assert found.p_values[1] == found.p_values[4]  # of what goes later, no smaller
    found = confidence_set(x, ones(300), period=np.arange(300), draws=20_000, block=7)
    assert found.p_values == pytest.approx([1, 0.55716, 0.101715, 0.101715], abs=0.017)


def by_loops(s: Float, weight: Float, cluster: NDArray[np.int64], draws: int) -> dict[int, float]:
    """Return p-values from drawing whole clusters, each with its rows; written for reading."""
    random, groups = np.random.default_rng(99), [np.flatnonzero(cluster == g) for g in np.unique(cluster)]
    mean, drawn = np.average(s, axis=0, weights=weight), []
    for _ in range(draws):
        rows = np.concatenate([groups[g] for g in random.integers(0, len(groups), len(groups))])
        drawn.append(np.average(s[rows], axis=0, weights=weight[rows]))
    off = np.array(drawn) - mean
    left, found, so_far = list(range(len(mean))), {}, 0.0
    while len(left) > 1:
        t, t_drawn = {}, {}
        for m in left:
            miss = off[:, m] - off[:, left].mean(axis=1)
            t[m] = (mean[m] - mean[left].mean()) / miss.std()
            t_drawn[m] = miss / miss.std()
        worst = max(left, key=lambda m: t[m])
        so_far = max(so_far, float((np.max(list(t_drawn.values()), axis=0) >= t[worst]).mean()))
        found[worst] = so_far
        left.remove(worst)
    return {**found, left[0]: 1.0}


def test_clusters_are_drawn_whole(rng: np.random.Generator) -> None:
    sizes = rng.integers(1, 12, 60)
    cluster = np.repeat(np.arange(60), sizes)
    n = len(cluster)
    shared = rng.normal(size=(60, 4))[cluster]
    s = rng.exponential(0.5, (n, 1)) + 0.2 * shared + 0.1 * rng.normal(size=(n, 4)) + [0, 0.02, 0.05, 0.08]
    weight = rng.uniform(0.5, 2, n)
    expected = by_loops(s, weight, cluster, 4000)
    found = confidence_set(s, weight, cluster=cluster, draws=4000)
    # Standard errors of each up to 0.008; one degree of freedom in 60 makes t smaller by 0.8 %.
    assert found.p_values == pytest.approx([expected[m] for m in range(4)], abs=0.04)
    assert 0.02 < sorted(found.p_values)[1] < 0.95  # there is something to compare
    alone = confidence_set(s, weight, draws=4000).p_values
    assert abs(alone - found.p_values).max() > 0.06  # rows one by one would say something else


sixteenths = st.integers(0, 160).map(lambda k: k / 16)


@st.composite
def tables(draw: st.DrawFn, most: int = 4) -> tuple[Float, Float]:
    n, M = draw(st.integers(1, 12)), draw(st.integers(1, most))
    s = draw(st.lists(st.lists(sixteenths, min_size=M, max_size=M), min_size=n, max_size=n))
    w = draw(st.lists(st.integers(1, 4), min_size=n, max_size=n))
    return np.array(s), np.array(w, float)


@settings(max_examples=40, deadline=None)
@given(tables(), st.lists(st.integers(-64, 64), min_size=12, max_size=12))
def test_what_all_forecasts_share_changes_nothing(table: tuple[Float, Float], added: list[int]) -> None:
    s, w = table
    before = confidence_set(s, w, draws=100)
    after = confidence_set(s + np.array(added[: len(s)])[:, None], w, draws=100)
    assert after.p_values == pytest.approx(before.p_values)
    assert after.members == before.members


@settings(max_examples=40, deadline=None)
@given(tables(), st.randoms(use_true_random=False))
def test_the_order_of_forecasts_does_not_matter(table: tuple[Float, Float], shuffler: object) -> None:
    s, w = table
    order = list(range(s.shape[1]))
    shuffler.shuffle(order)  # type: ignore[attr-defined]
    before, after = confidence_set(s, w, draws=100), confidence_set(s[:, order], w, draws=100)
    t = {round(float(v), 12) for v in np.average(s, axis=0, weights=w)}
    if len(t) == s.shape[1]:  # of two with equal means either may go first
        assert after.p_values == pytest.approx(before.p_values[order])
        left = [after.p_values[at] for at in after.order]  # equal t statistics may leave in either order
        assert left == pytest.approx(sorted(after.p_values))


@settings(max_examples=40, deadline=None)
@given(tables(3), st.integers(0, 2))
def test_a_forecast_given_twice_shares_its_fate_and_changes_nothing(
    table: tuple[Float, Float], which: int
) -> None:
    s, w = table
    m = which % s.shape[1]
    once, twice = (confidence_set(x, w, draws=100) for x in (s, np.column_stack([s, s[:, m]])))
    assert twice.p_values[:-1] == pytest.approx(once.p_values)
    assert twice.p_values[-1] == twice.p_values[m]
    assert sorted(twice.order) == list(range(s.shape[1] + 1))


@settings(max_examples=40, deadline=None)
@given(tables(), st.sampled_from([0.125, 3.0, 1e6]))
def test_only_ratios_of_weights_matter_and_rows_of_weight_0_do_not(
    table: tuple[Float, Float], factor: float
) -> None:
    s, w = table
    more = np.vstack([s, 40 + 7 * s[::-1]])
    found = confidence_set(more, np.concatenate([factor * w, 0 * w]), draws=100)
    assert found.p_values == pytest.approx(confidence_set(s, w, draws=100).p_values)


def test_a_clearly_worse_forecast_is_out(rng: np.random.Generator) -> None:
    s = rng.exponential(0.5, (300, 1)) + 0.1 * rng.normal(size=(300, 3)) + [0.2, 0, 0]
    found = confidence_set(s, ones(300), draws=400)
    assert found.members[0] is False
    assert found.order[0] == 0
    assert found.p_values[0] == 1 / 401
    assert len(found) == 2


def test_differences_that_never_vary() -> None:
    s = np.array([0.3, 0.7, 1.9, 0.1])
    constant = confidence_set(np.column_stack([s + 0.1, s, s + 0.2]), ones(4), draws=99)
    assert constant.p_values.tolist() == [0.01, 1.0, 0.01]
    assert constant.order == (2, 0, 1)
    same = confidence_set(np.column_stack([s, s, s]), ones(4), draws=99)
    assert same.members == (True, True, True)
    assert same.p_values.tolist() == [1, 1, 1]
    assert sorted(same.order) == [0, 1, 2]
    # Rounding is no evidence: the first is larger by one unit in the last place everywhere.
    rounded = confidence_set(np.column_stack([np.nextafter(s, 9), s]), ones(4), draws=99)
    assert rounded.members == (True, True)


def test_nothing_is_ruled_out_by_one_row_or_one_cluster() -> None:
    assert confidence_set(np.array([[0.1, 3.0]]), ones(1)).members == (True, True)
    two = np.array([[0.1, 3.0], [0.2, 3.0]])
    assert confidence_set(two, ones(2), cluster=np.zeros(2, int)).members == (True, True)
    assert confidence_set(two, ones(2), period=np.arange(2)).members == (True, True)
    assert confidence_set(two, np.array([1.0, 0.0])).members == (True, True)
    alone = confidence_set(np.array([[0.1], [0.2]]), ones(2))
    assert (alone.members, alone.p_values.tolist(), alone.order) == ((True,), [1.0], (0,))


def test_neither_threads_nor_the_compiler_change_anything(
    monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator
) -> None:
    s, w = rng.exponential(size=(700, 4)), rng.uniform(1, 2, 700)
    period = np.sort(rng.integers(0, 300, 700))
    for options in ({}, {"period": period}):
        units = bootstrap.gathered(s - np.average(s, axis=0, weights=w), w, **options)
        assert units is not None
        counted = bootstrap.replicates(units, 50, 5)
        with monkeypatch.context() as patch:
            patch.setattr(bootstrap, "COMPILE_FROM", 0)
            compiled = bootstrap.replicates(units, 50, 5)
            patch.setattr(bootstrap.os, "cpu_count", lambda: 7)
            assert (bootstrap.replicates(units, 50, 5) == compiled).all()
        assert counted == pytest.approx(compiled, abs=1e-14)
        assert abs(bootstrap.replicates(units, 50, 6) - counted).max() > 1e-3


@pytest.mark.parametrize(("rows", "length"), [(7, 1), (7, 2), (7, 5), (7, 6), (12, 7)])
def test_runs_follow_around_the_end(rng: np.random.Generator, rows: int, length: int) -> None:
    x = rng.normal(size=(rows, 2))
    units = bootstrap.gathered(x[:, :1], ones(rows), period=np.arange(rows), block=length)
    assert units is not None
    expected = [sum(x[(start + j) % rows, 0] for j in range(length)) for start in range(rows)]
    assert units.table[:, 0] == pytest.approx(expected)
    assert (units.table[:, 1] == length).all()
    assert units.draws * length >= rows > (units.draws - 1) * length
    assert units.freedom == pytest.approx(rows / length - 1)


def test_runs_of_one_period_are_rows(rng: np.random.Generator) -> None:
    s = rng.exponential(size=(50, 3))
    rows, runs = confidence_set(s, ones(50)), confidence_set(s, ones(50), period=np.arange(50), block=1)
    assert rows.p_values.tolist() == runs.p_values.tolist()
    assert (rows.block, runs.block) == (None, 1)
    assert confidence_set(s, ones(50), period=np.arange(50)).block == 7  # 1.75 times 3.68


def test_runs_show_how_far_dependent_means_stray() -> None:
    # The mean of T values of an autoregression with unit shocks has the variance 1 / (1 - 0.6)^2 / T, for long T.
    random, T = np.random.default_rng(12), 20_000
    x = np.zeros(T)
    for t, shock in enumerate(random.normal(size=T)):
        x[t] = 0.6 * x[t - 1] + shock
    units = bootstrap.gathered((x - x.mean())[:, None], ones(T), period=np.arange(T))
    assert units is not None
    assert bootstrap.replicates(units, 2000, 0).std() == pytest.approx(2.5 / np.sqrt(T), rel=0.07)


def test_two_means_and_their_covariance_are_the_normal_test() -> None:
    # Of two, T is |d| / e: p = 2 Phi(-T) = 0.0455 at T = 2.
    V = np.array([[4.0, 1.0], [1.0, 2.0]])
    for t in (0.5, 1.0, 2.0):
        found = confidence_set_of(np.array([5.0, 5.0 + 2 * t]), V, draws=40_000)
        assert found.p_values == pytest.approx([1, 2 * float(ndtr(-t))], abs=0.01)


def test_a_covariance_gives_what_the_bootstrap_gives() -> None:
    random = np.random.default_rng(5)
    s = random.exponential(0.5, (4000, 1)) + 0.3 * random.normal(size=(4000, 4)) + [0, 0.004, 0.007, 0.02]
    rows = confidence_set(s, ones(4000), draws=4000).p_values
    moments = confidence_set_of(s.mean(axis=0), np.cov(s.T) / 4000, draws=4000).p_values
    assert moments == pytest.approx(rows, abs=0.035)
    assert 0.02 < sorted(rows)[1] < 0.9


def test_few_clusters_know_less() -> None:
    # Of two forecasts and any number of draws, p = P(|t| > T) with Student's t where deviations are normal.
    means = np.random.default_rng(8).normal(0.5, 1.0, (6, 40)).mean(axis=1) - 0.3
    d, cluster = means.repeat(40), np.arange(6).repeat(40)
    expected = float(ttest_1samp(means, 0.0).pvalue)
    found = confidence_set(np.column_stack([d, 0 * d]), ones(240), cluster=cluster, draws=20_000)
    # Six values drawn again are not quite normal; without degrees of freedom the smaller would be half of this or less.
    assert min(found.p_values) == pytest.approx(expected, rel=0.35)
    assert 0.005 < expected < 0.1


def test_a_singular_covariance() -> None:
    V = 1e-4 * np.array([[2.0, 1.0, 2.0], [1.0, 3.0, 1.0], [2.0, 1.0, 2.0]])
    twice = confidence_set_of(np.array([0.40, 0.45, 0.40]), V)
    assert twice.p_values[0] == twice.p_values[2]
    constant = confidence_set_of(np.array([0.40, 0.40, 0.45]), V)  # the third is the first and 0.05
    assert constant.members == (True, True, False)
    nothing = confidence_set_of(np.array([0.1, 0.2]), np.zeros((2, 2)))
    assert nothing.p_values == pytest.approx([1, 1 / 1001])
    assert confidence_set_of(np.array([0.1]), np.ones((1, 1))).members == (True,)


def test_the_set_grows_with_its_confidence(rng: np.random.Generator) -> None:
    s = five(rng)
    sets = [confidence_set(s, ones(200), level=level) for level in (0.5, 0.9, 0.999)]
    for smaller, larger in itertools.pairwise(sets):
        assert {m for m in range(5) if smaller.members[m]} <= {m for m in range(5) if larger.members[m]}
    assert len(sets[0]) < len(sets[2])
    state = json.loads(json.dumps(sets[1].to_dict()))
    assert state["p_values"] == sets[1].p_values.tolist()
    assert state["members"] == [p >= 0.1 for p in state["p_values"]]


@pytest.mark.parametrize(
    ("slug", "options"),
    [
        ("bad-level", {"level": 90}),
        ("bad-count", {"draws": 3}),
        ("bad-count", {"period": np.arange(9), "block": 0}),
        ("cluster-or-period", {"period": np.arange(9), "cluster": np.arange(9)}),
    ],
)
def test_what_cannot_be_asked(slug: str, options: dict[str, object]) -> None:
    with pytest.raises(ll.UsageError) as caught:
        confidence_set(np.arange(18.0).reshape(9, 2), ones(9), **options)  # type: ignore[arg-type]
    assert caught.value.slug == slug


def test_infinite_means_are_not_for_a_set() -> None:
    with pytest.raises(ll.UsageError, match="infinite-in-set"):
        confidence_set(np.array([[0.1, np.inf], [0.2, 0.3]]), ones(2))
    with pytest.raises(ll.UsageError, match="infinite-in-set"):
        confidence_set_of(np.array([0.1, np.inf]), np.eye(2))


def test_a_replicate_is_divided_by_its_own_weight(rng: np.random.Generator) -> None:
    units = bootstrap.gathered(
        np.full((40, 1), 3.0), rng.gamma(0.5, 1.0, 40)
    )  # what is constant is so in each
    assert units is not None
    assert bootstrap.replicates(units, 64, 0)[:, 0] == pytest.approx(3 * units.stretch, rel=1e-12)


def test_units_are_drawn_alike_wherever_they_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "LOCAL", 100)
    last = np.zeros((110, 1))
    last[100:] = 1.0  # ten of 110 units, in a stretch of their own
    units = bootstrap.gathered(last, ones(110))
    assert units is not None
    drawn = bootstrap.replicates(units, 4000, 1)[:, 0] / units.stretch
    assert drawn.mean() == pytest.approx(10 / 110, abs=0.003)
    assert drawn.var() == pytest.approx(10 / 110 * 100 / 110 / 110, rel=0.1)  # binomial


def test_all_of_time_in_one_run_shows_nothing(rng: np.random.Generator) -> None:
    s = rng.exponential(size=(12, 3)) + np.array([0, 0, 9])
    for block in (12, 13):
        assert confidence_set(s, ones(12), period=np.arange(12), block=block).members == (True,) * 3


@given(st.integers(0, 999), st.floats(0.1, 100))
def test_what_all_share_does_not_matter(seed: int, shared: float) -> None:
    random = np.random.default_rng(seed)
    root, mean = random.normal(size=(4, 4)), random.normal(size=4)
    covariance = np.einsum("ik,jk->ij", root, root)
    one = confidence_set_of(mean, covariance, draws=200)
    other = confidence_set_of(mean + 7, covariance + shared, draws=200)
    assert one.p_values == pytest.approx(other.p_values, abs=0.011)  # two draws may pass a bar by rounding


@pytest.mark.parametrize("by", ["cluster", "period"])
def test_rows_without_weight_count_nowhere_in_groups_or_time(by: str, rng: np.random.Generator) -> None:
    s = rng.exponential(size=(90, 3)) + np.array([0, 0.1, 0.4])
    weight, code = rng.gamma(2.0, 1.0, 90), np.arange(90) // 3
    weight[[0, 1, 2, 40, 80]] = 0.0  # all of the first, and some of others
    keep = weight > 0
    found = confidence_set(s, weight, **{by: code})
    assert (
        found.p_values.tolist() == confidence_set(s[keep], weight[keep], **{by: code[keep]}).p_values.tolist()
    )
    bands, of_kept = (
        simultaneous(x, v, **{by: c}) for x, v, c in ((s, weight, code), (s[keep], weight[keep], code[keep]))
    )
    assert bands is not None
    assert of_kept is not None
    assert bands.low.tolist() == of_kept.low.tolist()
