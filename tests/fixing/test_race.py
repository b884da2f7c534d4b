"""The race against a nested cross-fit written plainly; nobody chooses with the rows that judge it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from logloss.calibrate.fits import CANDIDATES, fit_steps
from logloss.calibrate.odds import cost
from logloss.fixing.fields import folded, gain, mean
from logloss.fixing.gains import certain, gain_between
from logloss.fixing.race import Field, Race, applied, choose, gain_of, run
from logloss.fixing.verdicts import chosen_names, held_out_by, judged
from logloss.notes import Note

NAMES = ["identity", "temperature", "prior_shift", "clip", "affine", "beta", "isotonic"]
OF_MANY = ["identity", "temperature", "mix", "affine", "vector"]


def field(
    n: int = 90, K: int = 2, folds: int = 4, seed: int = 0, *, boldness: float = 1.6, clustered: bool = False
) -> Field:
    random = np.random.default_rng(seed)
    C = 1 if K == 2 else K
    truth = random.normal(size=(n, C)) * 1.2
    if K == 2:
        T = (random.random((n, 1)) < 1 / (1 + np.exp(-truth))).astype(float)
        Z = boldness * truth
    else:
        p = np.exp(truth) / np.exp(truth).sum(axis=1, keepdims=True)
        T = np.eye(K)[(random.random(n)[:, None] > p.cumsum(axis=1)[:, :-1]).sum(axis=1)]
        Z = boldness * truth - np.log(np.exp(boldness * truth).sum(axis=1, keepdims=True))
    weight = random.choice([0.5, 1.0, 2.0], n)
    cluster = random.integers(0, 3 * folds, n) if clustered else None
    fold = random.integers(0, folds, n) if cluster is None else cluster % folds
    return Field(Z, T, weight / weight.mean(), fold, cluster)


def surprise(name: str, rows: Field, inside: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Fit on some rows; return the surprise of others, by the plain formula."""
    w = rows.weight[inside]
    Z = rows.Z[at]
    for step in fit_steps(name, rows.Z[inside], rows.T[inside], w / w.mean()):
        Z = step(Z)
    if Z.shape[1] == 1:
        return np.logaddexp(0, np.where(rows.T[at] == 1, -Z, Z))[:, 0]
    return np.log(np.exp(Z).sum(axis=1)) - (rows.T[at] * Z).sum(axis=1)


def plain_choice(losses: dict[str, np.ndarray], w: np.ndarray, cluster: np.ndarray | None) -> str:
    """Return the simplest within one standard error of the best."""
    average = {name: (w * loss).sum() / w.sum() for name, loss in losses.items()}
    best = min(average, key=average.__getitem__)
    for name, loss in losses.items():  # simplest first
        behind = loss - losses[best]
        middle = (w * behind).sum() / w.sum()
        if cluster is None:
            off = w * (behind - middle)
            error = np.sqrt((off**2).sum() / (len(w) - 1) / len(w)) / w.mean()
        else:  # the jackknife over clusters
            every = np.unique(cluster)
            without = [(w * behind)[cluster != c].sum() / w[cluster != c].sum() for c in every]
            error = np.sqrt((len(every) - 1) / len(every) * ((without - np.mean(without)) ** 2).sum())
        if name == best or middle <= error:
            return name
    raise AssertionError


def plain_race(
    rows: Field, names: list[str]
) -> tuple[dict[str, np.ndarray], np.ndarray, tuple[str, ...], str]:
    n, fold, w = len(rows.Z), rows.fold, rows.weight
    outer = {name: np.empty(n) for name in names}
    nested, picked = np.empty(n), []
    for k in range(fold.max() + 1):
        out = fold == k
        for name in names:
            outer[name][out] = surprise(name, rows, ~out, out)
        inner = {name: np.empty(n) for name in names}
        for j in set(range(fold.max() + 1)) - {k}:
            for name in names:
                inner[name][fold == j] = surprise(name, rows, ~out & (fold != j), fold == j)
        part = None if rows.cluster is None else rows.cluster[~out]
        name = plain_choice({one: loss[~out] for one, loss in inner.items()}, w[~out], part)
        picked.append(name)
        nested[out] = outer[name][out]
    return outer, nested, tuple(picked), plain_choice(outer, w, rows.cluster)


@pytest.mark.parametrize("clustered", [False, True])
@pytest.mark.parametrize(("K", "names"), [(2, NAMES), (3, OF_MANY)])
def test_it_is_the_nested_cross_fit(K: int, names: list[str], clustered: bool) -> None:
    seen = set()
    for seed, boldness in enumerate([1.0, 1.6, 2.5]):
        rows = field(K=K, seed=seed, boldness=boldness, clustered=clustered)
        race = run(rows, chosen_names(names, K))
        losses, nested, picked, leader = plain_race(rows, chosen_names(names, K))
        for name in names:
            assert race.losses[name] == pytest.approx(losses[name], abs=1e-10), name
        assert race.nested == pytest.approx(nested, abs=1e-10)
        assert race.picked == picked
        assert race.leader == leader
        seen |= {*picked, leader}
    assert len(seen) > 1


@pytest.mark.parametrize("K", [2, 3])
def test_no_row_has_a_say_in_its_own_forecast(K: int) -> None:
    rows, names = field(K=K, boldness=2.0), NAMES if K == 2 else OF_MANY
    names = chosen_names(names, K)
    at = 17
    turned = rows.T.copy()
    turned[at] = 1 - turned[at] if K == 2 else np.roll(turned[at], 1)
    one, two = run(rows, names), run(replace(rows, T=turned), names)
    k = rows.fold[at]
    others = (rows.fold == k) & (np.arange(len(rows.Z)) != at)
    for name in names:
        assert one.losses[name][others].tolist() == two.losses[name][others].tolist()
        if K == 2:  # the same forecast, judged by the other outcome: p + (1 - p) = 1
            assert np.exp(-one.losses[name][at]) + np.exp(-two.losses[name][at]) == pytest.approx(1)
    assert one.picked[k] == two.picked[k]
    assert one.nested[others].tolist() == two.nested[others].tolist()
    assert one.losses["temperature"][~others].tolist() != two.losses["temperature"][~others].tolist()


def test_more_threads_and_fits_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = field()
    seen: list[tuple[int, int]] = []
    one = run(rows, NAMES, lambda done, total: seen.append((done, total)))
    assert seen == [(at + 1, 10) for at in range(10)]  # 4 folds, 6 pairs of them
    monkeypatch.setattr("logloss.fixing.race.THREADED", 0)
    two = run(rows, NAMES)
    assert one.nested.tolist() == two.nested.tolist()


def flat(fold: int = 2, n: int = 2) -> Field:
    return Field(np.zeros((n, 1)), np.zeros((n, 1)), np.ones(n), np.arange(n) % fold)


def test_one_standard_error_is_still_within_it() -> None:
    everywhere = np.ones(2, bool)
    best = np.array([1.0, 1.0])
    # Differences 0 and 2: their mean is 1, their standard error sqrt(2) / sqrt(2) = 1.
    assert choose({"identity": np.array([1.0, 3.0]), "clip": best}, flat(), everywhere) == "identity"
    assert choose({"identity": np.array([1.01, 3.0]), "clip": best}, flat(), everywhere) == "clip"
    # The simplest within reach, not the first within reach in the order given.
    far, near = np.array([2.0, 2.1]), np.array([1.0, 2.0])
    losses = {"beta": best, "affine": near, "temperature": near, "identity": far}
    assert choose(losses, flat(), everywhere) == "temperature"


def test_where_every_map_fails_the_fewest_failures_lead() -> None:
    inf = np.inf
    losses = {"identity": np.array([inf, inf]), "clip": np.array([inf, 1]), "mix": np.array([1, inf])}
    assert choose(losses, flat(), np.ones(2, bool)) == "clip"
    losses["beta"] = np.array([30.0, 30.0])
    assert choose(losses, flat(), np.ones(2, bool)) == "beta"


def test_a_weight_counts_as_rows_do_in_the_choice() -> None:
    rows = replace(flat(n=4), weight=np.array([3.7, 0.1, 0.1, 0.1]))
    losses = {"identity": np.array([2.0, 1, 1, 1]), "clip": np.array([1.0, 1.1, 1.1, 1.1])}
    assert mean(losses["identity"], rows.weight) > mean(losses["clip"], rows.weight)
    span = gain_of(losses["identity"], losses["clip"], rows.weight, None)
    assert span is not None
    assert span.mean == pytest.approx((3.7 - 0.03) / 4)


def test_gains_where_losses_are_infinite() -> None:
    w = np.ones(2)
    finite, endless = np.array([1.0, 2.0]), np.array([1.0, np.inf])
    assert gain(finite, finite - 0.5, w) == 0.5
    assert gain(endless, finite, w) == np.inf
    assert gain(finite, endless, w) == -np.inf
    assert gain(endless, endless, w) == 0.0


def test_a_gain_needs_rows_that_differ_to_be_sure() -> None:
    rows = flat(n=20)
    before = np.ones(20)
    after = before - np.where(np.arange(20) < 4, 0.5, 0.0)
    assert gain_between(rows, before, after, 0.95) is None
    after[4] -= 0.5
    assert gain_between(rows, before, after, 0.95) is not None
    assert gain_between(rows, before, before - 1e-13, 0.95) is None
    assert gain_between(rows, np.append(before[1:], np.inf), after, 0.95) is None


def raced(identity: list[float], nested: list[float], leader: str = "clip") -> Race:
    losses = {"identity": np.array(identity), "clip": np.array(nested)}
    every = np.ones(len(nested), bool)
    return Race(losses, np.array(nested), (leader,), leader, every, every)


def test_the_gate() -> None:
    rows = flat(n=30)
    random = np.random.default_rng(0)
    saved = random.normal(0.4, 1.0, 30)
    race = raced([2.0] * 30, (2.0 - saved).tolist())
    for level in (0.5, 0.8, 0.9, 0.95, 0.99, 0.9999):
        span = gain_between(rows, race.losses["identity"], race.nested, level)
        assert span is not None
        assert certain(race, span) == (span.low > 0)
    spans = [gain_between(rows, race.losses["identity"], race.nested, level) for level in (0.5, 0.9999)]
    assert [certain(race, span) for span in spans] == [True, False]
    assert not certain(replace(race, leader="identity"), spans[0])
    assert not certain(race, None)
    inf = float("inf")
    assert certain(raced([inf, 1.0], [1.0, 2.0]), None)
    assert not certain(raced([inf, 1.0], [inf, 0.5]), None)


def test_held_out_forecasts_are_those_that_were_judged() -> None:
    rows = field()
    race = run(rows, NAMES)
    for name in NAMES:
        Z = held_out_by(rows, name)
        assert np.logaddexp(0, np.where(rows.T == 1, -Z, Z))[:, 0] == pytest.approx(race.losses[name])


def test_a_verdict_lists_what_was_tried() -> None:
    rows = field(n=200, boldness=3.0)
    verdict = judged(rows, NAMES, 0.95)
    assert sorted(one.name for one in verdict.tried) == sorted(NAMES)
    for one in verdict.tried:
        losses = verdict.race.losses[one.name]
        assert one.log_loss == pytest.approx(np.average(losses, weights=rows.weight), rel=1e-12)
        assert one.gain == pytest.approx(
            np.average(verdict.race.losses["identity"] - losses, weights=rows.weight), abs=1e-12
        )
        assert one.picked == verdict.race.picked.count(one.name)
        assert one.parameters == CANDIDATES[one.name].parameters(2)
        assert (one.interval is None) == (one.name == "identity")
    assert [one.log_loss for one in verdict.tried] == sorted(one.log_loss for one in verdict.tried)
    assert verdict.gain == pytest.approx(
        np.average(verdict.race.losses["identity"] - verdict.race.nested, weights=rows.weight), abs=1e-12
    )
    assert verdict.interval is not None
    assert verdict.interval[0] < verdict.gain < verdict.interval[1]


def whole(n: int, ones: int, K: int = 2) -> Field:
    T = (np.arange(n) < ones).astype(float)[:, None]
    C = 1 if K == 2 else K
    Z = np.zeros((n, 1)) if K == 2 else np.full((n, K), -np.log(K))
    return Field(Z, T if C == 1 else np.eye(K)[T[:, 0].astype(int)], np.ones(n), np.zeros(0, np.int64))


@pytest.mark.parametrize(
    ("n", "ones", "enough"), [(19, 9, False), (20, 9, True), (40, 4, False), (40, 36, False), (40, 5, True)]
)
@pytest.mark.parametrize("K", [2, 3])
def test_too_few_rows_to_learn_from(n: int, ones: int, enough: bool, K: int) -> None:
    notes: list[Note] = []
    found = folded(whole(n, ones, K), None, None, notes)
    assert (found is not None) == enough
    assert [note.id for note in notes] == ([] if enough else ["too-few-rows"])


@pytest.mark.parametrize(("groups", "enough"), [(4, False), (5, True)])
def test_too_few_groups_to_learn_from(groups: int, enough: bool) -> None:
    for cluster, time in ((np.arange(60) % groups, None), (None, np.arange(60) % groups)):
        notes: list[Note] = []
        found = folded(whole(60, 30), cluster, time, notes)
        assert (found is not None) == enough
        assert [note.id for note in notes] == ([] if enough else ["too-few-groups"])
        if found is not None:
            assert found.folds == 5
            assert found.cluster is not None


def test_of_many_rows_a_sample_is_raced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logloss.fixing.fields.RACED", 2500)
    rows = whole(6000, 3000)
    rows = replace(rows, Z=np.arange(6000.0)[:, None], weight=np.linspace(0.5, 1.5, 6000))
    found = folded(rows, np.arange(6000) // 10, None, [])
    assert found is not None
    assert len(found.Z) == 2500
    assert found.weight.mean() == pytest.approx(1)
    at = found.Z[:, 0].astype(int)
    assert len(set(at.tolist())) == 2500
    assert found.T.tolist() == rows.T[at].tolist()
    assert found.weight / found.weight[0] == pytest.approx(rows.weight[at] / rows.weight[at[0]])
    for one in range(0, 600, 17):
        assert len(set(found.fold[at // 10 == one].tolist())) <= 1


def test_names_of_maps() -> None:
    assert chosen_names(["beta", "temperature", "beta"], 2) == ["identity", "temperature", "beta"]
    assert chosen_names("clip", 2) == ["identity", "clip"]
    with pytest.raises(ValueError, match=r"isotonic.*3 classes"):
        chosen_names(["temperature", "isotonic"], 3)
    with pytest.raises(ValueError, match="temprature"):
        chosen_names(["temprature"], 2)


def test_through_time_nothing_is_learnt_from_later_rows() -> None:
    random = np.random.default_rng(4)
    z = random.normal(0, 2, (120, 1))
    T = (random.random((120, 1)) < 1 / (1 + np.exp(-0.5 * z))).astype(float)
    fold = np.repeat(np.arange(6), 20)
    rows = Field(z, T, np.ones(120), fold, fold, forward=True)
    names = ["identity", "temperature", "affine"]
    race = run(rows, names)
    for k in range(1, 6):
        before, now = fold < k, fold == k
        for name in names:
            steps = fit_steps(name, z[before], T[before], np.ones(before.sum()))
            assert race.losses[name][now] == pytest.approx(cost(applied(steps, z[now]), T[now]), abs=1e-12)
    first = fold == 0
    assert race.nested[fold < 2] == pytest.approx(cost(z, T)[fold < 2])
    assert (race.losses["affine"][first] == race.losses["identity"][first]).all()
    for k in range(2, 6):
        seen, now = (fold > 0) & (fold < k), fold == k
        chosen = choose({name: race.losses[name][seen] for name in names}, rows, seen)
        assert race.picked[k - 2] == chosen
        assert (race.nested[now] == race.losses[chosen][now]).all()
    assert race.judged.tolist() == (fold > 1).tolist()
    assert race.compared.tolist() == (fold > 0).tolist()
