"""Planted causes: the finding that leads, no other, and the numbers in its sentence computed another way."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import entr, expit, softmax

import logloss as ll
from logloss import interval
from logloss.observations import observe
from logloss.why.crossfit import folds_of
from planted import MAPS, drawn, held_out, nats

N = 2000


@pytest.fixture
def without_suspects(monkeypatch: pytest.MonkeyPatch) -> None:
    """Label noise is fitted in tests of its own; it takes most of the time of explain."""
    monkeypatch.setattr("logloss.why.blame.suspicion.of_record", lambda *_, **__: None)


@cache
def sound(K: int = 2, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    return drawn(N, seed, K, 4.0 if K == 2 else 2.5)


def leading(why: ll.Explanation, *ids: str) -> ll.Finding:
    """Return the first finding; these and no others are worth nats."""
    assert [finding.id for finding in why.findings if finding.nats > 0] == list(ids)
    assert [f.nats for f in why.findings] == sorted((f.nats for f in why.findings), reverse=True)
    return why.findings[0]


def numbers(text: str) -> list[float]:
    return [float(found.replace(",", "")) for found in re.findall(r"-?\d[\d,]*\.?\d*(?:e[-+]\d+)?", text)]


def saved(y: np.ndarray, Z: np.ndarray, name: str) -> tuple[float, float, float]:
    """Return the gain of a map on other folds, and the ends of its interval."""
    fold, _, _ = folds_of(observe(y, Z, space="logit"))
    K = 1 if Z.ndim == 1 or name == "temperature" else Z.shape[1]
    d = held_out(y, Z, MAPS[name], K, np.ones(len(y)), fold)
    found = interval.of_rows(d, np.ones(len(y)))
    assert found is not None
    return found.mean, found.low, found.high


def everywhere(y: np.ndarray, Z: np.ndarray, name: str, p: int) -> np.ndarray:
    """Return the parameters of a map fitted, with its ridge, to all rows."""
    K = 2 if Z.ndim == 1 else Z.shape[1]

    def objective(theta: np.ndarray) -> float:
        return float(nats(MAPS[name](theta, Z), y).mean() + (K if p > 1 else 2) / len(y) * (theta @ theta))

    return np.asarray(minimize(objective, np.zeros(p), method="BFGS").x)


@pytest.mark.parametrize("K", [2, 5])
def test_nothing_to_find(K: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logloss.why.blame.FIT_ROWS", 500)  # label noise fits a sample: sooner
    if K > 2:
        monkeypatch.setattr("logloss.why.blame.suspicion.of_record", lambda *_, **__: None)
    y, Z = sound(K)
    rng = np.random.default_rng(2)
    by = {"site": rng.choice(list("abcd"), N), "age": rng.normal(size=N)}
    why = ll.explain(y, Z, space="logit", by=by)
    first = leading(why)
    assert (first.id, first.nats, first.command) == ("LL081", 0, "logloss score FILE")
    loss, most = numbers(first.text)
    assert loss == pytest.approx(nats(Z, y).mean(), abs=5e-5)
    assert most == pytest.approx(why.decomposition.in_sample.miscalibration, abs=5e-5)
    assert why.slices is not None
    assert why.slices.named == ()
    assert why.search is not None
    assert not why.search.explains


@pytest.mark.parametrize("factor", [2.0, 0.5])
@pytest.mark.parametrize("K", [2, 5])
@pytest.mark.usefixtures("without_suspects")
def test_wrong_confidence(K: int, factor: float) -> None:
    y, Z = sound(K)
    why = ll.explain(y, factor * Z, space="logit")
    first = leading(why, "LL020")
    T = 1 / (1 + everywhere(y, factor * Z, "temperature", 1)[0])
    gain, low, high = saved(y, factor * Z, "temperature")
    beliefs = (
        softmax(factor * Z, axis=1) if K > 2 else np.stack([expit(factor * Z), expit(-factor * Z)], axis=1)
    )
    expects = entr(beliefs).sum(axis=1).mean()
    share = 100 * gain / nats(factor * Z, y).mean()
    assert pytest.approx(factor, rel=0.12) == T
    assert first.text.startswith("Over-confident" if factor > 1 else "Under-confident")
    assert ("above 1" in first.text) == (factor > 1)
    assert numbers(first.text)[1:] == pytest.approx([T, gain, low, high, share, expects], rel=6e-3)
    assert first.nats == pytest.approx(gain, abs=1e-6)
    assert first.command == "logloss fix FILE"
    # The loss after that temperature, of these rows.
    tried = ll.explain(y, factor * Z, space="logit", temperature=T)
    after = next(w for w in tried.what_ifs if w.value == T)
    assert -after.change == pytest.approx(gain, rel=0.05)


@pytest.mark.parametrize("K", [2, 5])
@pytest.mark.usefixtures("without_suspects")
def test_a_shift(K: int) -> None:
    y, Z = sound(K)
    wrong = Z + (1.5 if K == 2 else np.array([0.0, 0, 2, 0, 0]))
    first = leading(ll.explain(y, wrong, space="logit"), "LL022")
    offset = everywhere(y, wrong, "prior_shift", 1 if K == 2 else 5)
    gain, low, high = saved(y, wrong, "prior_shift")
    share = 100 * gain / nats(wrong, y).mean()
    assert first.nats == pytest.approx(gain, abs=1e-6)
    if K == 2:
        assert offset[0] == pytest.approx(-1.5, abs=0.15)
        assert "1 is forecast too high throughout" in first.text
        assert numbers(first.text)[1:] == pytest.approx([-offset[0], gain, low, high, share], rel=6e-3)
    else:
        assert "the log-odds of 2 are off most" in first.text
        assert offset[2] - offset.mean() == pytest.approx(-1.6, abs=0.15)
        assert numbers(first.text)[1:] == pytest.approx(
            [offset[2] - offset.mean(), gain, low, high, share], rel=6e-3
        )


@pytest.mark.usefixtures("without_suspects")
def test_a_shift_the_other_way_is_too_low() -> None:
    y, z = sound()
    assert (
        "1 is forecast too low throughout, by 1.5" in ll.explain(y, z - 1.5, space="logit").findings[0].text
    )


@pytest.mark.usefixtures("without_suspects")
def test_one_bad_slice() -> None:
    y, z = sound()
    rng = np.random.default_rng(3)
    site, age = rng.choice(list("abcde"), N), rng.normal(50, 10, N)
    wrong = z + np.where(site == "b", 2.0, 0.0)
    why = ll.explain(y, wrong, space="logit", by={"site": site, "age": age})
    first = why.findings[0]
    assert first.id == "LL040"
    assert first.text.startswith(f"Where site = b ({(site == 'b').sum()} rows) the forecasts are off")
    assert first.command == "logloss explain FILE --by site"
    # A slope and an offset for these rows: five folds, another draw. The other rows are calibrated and ask for none.
    inside = site == "b"
    z0, y0 = wrong[inside], y[inside]
    fold = np.random.default_rng(9).permutation(inside.sum()) % 5
    d = held_out(y0, z0, lambda t, z: (1 + t[0]) * z + t[1], 2, np.ones(len(y0)), fold)
    gain, low, high, worth, at_least, at_most, p = numbers(first.text.split("save ")[1])
    assert gain == pytest.approx(d.mean(), rel=0.05)
    assert worth == pytest.approx(gain * inside.mean(), rel=0.1)
    assert first.nats == pytest.approx(worth, abs=6e-5)
    assert low < gain < high
    assert at_least < worth < at_most
    assert p == 0.002  # twice the least, 1 / 1000
    assert why.slices.looked_at == 5 + 5 + 25


def test_one_blunder_is_no_rate_of_wrong_labels() -> None:
    random = np.random.default_rng(0)
    random.random(6000)
    z = random.normal(0, 2, 3000)
    y = (random.random(3000) < 1 / (1 + np.exp(-z))).astype(int)
    z[0] = -28.0 if y[0] else 28.0
    why = ll.explain(y, z, space="logit")
    assert why.suspects is not None
    assert why.suspects.supported  # a rate of all labels fits better than none, for that one row
    assert [one.id for one in why.findings if one.id == "LL100"] == []
    check = next(one for one in why.checked if one.id == "LL100")
    assert (
        check.text
        == "Were the surest 1 % of the forecasts less sure, wrong labels could not be told from none."
    )
    assert "Labels that look wrong" not in str(why)
    assert "labels" not in [one.id for one in why.report().contents.sections]


def test_a_step_is_told_before_the_labels_that_it_feigns() -> None:
    random = np.random.default_rng(0)
    x = random.random(3000)
    y = (random.random(3000) < 0.1 + 0.8 * (x > 0.5)).astype(int)
    why = ll.explain(y, 0.02 + 0.96 * x)
    assert why.findings[0].id == "LL024"
    told = next(one for one in why.findings if one.id == "LL100")
    assert (told.severity, told.nats) == ("remark", 0.0)
    assert "off in their own shape (LL024)" in told.text
    assert "should be wrong" not in told.text


def test_labels_rank_by_what_is_certain() -> None:
    y, z = sound(seed=1)
    flipped = np.random.default_rng(101).random(N) < 0.03
    why = ll.explain(np.where(flipped, 1 - y, y), z, space="logit")
    found, s = why.suspects, why.surprise
    assert why.findings[0].id == "LL100"
    carried = float((found.probability * s).mean())
    assert why.findings[0].nats == pytest.approx(carried * found.interval[0] / found.expected, rel=1e-9)
    assert f"carry {carried:.4f} of the loss" in why.findings[0].text


def test_no_column_of_ids_where_there_are_none() -> None:
    y, z = sound(seed=1)
    header = next(
        line for line in str(ll.explain(y, z, space="logit")).splitlines() if "forecast of it" in line
    )
    assert header.split()[:2] == ["row", "outcome"]
    named = ll.explain(y, z, space="logit", ids=np.arange(N))
    assert next(line for line in str(named).splitlines() if "forecast of it" in line).split()[:3] == ["row", "id", "outcome"]  # fmt: skip


@pytest.mark.parametrize("seed", [1])
def test_flipped_labels(seed: int) -> None:
    y, z = sound(seed=seed)
    flipped = np.random.default_rng(100 + seed).random(N) < 0.03
    t = np.where(flipped, 1 - y, y)
    why = ll.explain(t, z, space="logit")
    assert why.findings[0].id == "LL100"
    text = why.findings[0].text
    count, low, high = numbers(text)[:3]
    assert low <= flipped.sum() <= high
    assert count == pytest.approx(flipped.sum(), rel=0.6)
    found = why.suspects
    order = np.argsort(-found.probability)[: int(found.half)]
    told = float(text.split("most suspicious, ")[1].split(" %")[0])
    assert 100 * flipped[order].mean() == pytest.approx(told, abs=16)
    nats_told = float(text.split("carry ")[1].split(" of")[0])
    assert nats_told == pytest.approx((found.probability * nats(z, t)).sum() / N, rel=2e-3)


@pytest.mark.parametrize("K", [2, 5])
@pytest.mark.usefixtures("without_suspects")
def test_forecasts_that_know_nothing(K: int) -> None:
    y, Z = sound(K)
    y = np.random.default_rng(5).permutation(y)
    why = ll.explain(y, Z, space="logit")
    first = leading(why, "LL051")
    counts = np.bincount(y)
    alone = -np.log((counts[y] - 0.5) / (N - 1 + K / 2)).mean()
    told = numbers(first.text)
    assert told[-2:] == pytest.approx([alone, nats(Z, y).mean() - alone], rel=1e-3)
    assert first.nats == pytest.approx(nats(Z, y).mean() - alone, rel=1e-9)
    assert told[1] <= told[0] <= told[2] <= 0.01
    assert told[0] == pytest.approx(alone - why.decomposition.remedies.flexible.mean(), abs=5e-5)


@pytest.mark.usefixtures("without_suspects")
def test_forecasts_of_the_other_class() -> None:
    y, z = sound()
    first = leading(ll.explain(1 - y, z, space="logit"), "LL052", "LL050")
    gain, low, high = saved(1 - y, z, "temperature")
    share = 100 * gain / nats(z, 1 - y).mean()
    assert numbers(first.text) == pytest.approx([gain, low, high, share], rel=1e-3)
    assert gain == pytest.approx(nats(z, 1 - y).mean() - nats(z, y).mean(), rel=0.01)


@pytest.mark.usefixtures("without_suspects")
def test_noise_in_five_classes_is_mended_by_mixing() -> None:
    rng = np.random.default_rng(6)
    y, Z = sound(5)
    y = np.where(rng.random(N) < 0.05, rng.integers(0, 5, N), y)
    why = ll.explain(y, Z, space="logit")
    first = leading(why, "LL033")
    P = softmax(Z, axis=1)[np.arange(N), y]
    losses = {lam: -np.log((1 - lam) * P + lam / 5).mean() for lam in np.linspace(0, 0.2, 2001)}
    best = min(losses, key=losses.__getitem__)
    told = numbers(first.text)
    assert told[0] == pytest.approx(100 * best, abs=0.1)
    assert first.nats == pytest.approx(losses[0.0] - losses[best], rel=0.1)  # held out, a little less
    assert first.nats < losses[0.0] - losses[best]


@pytest.mark.usefixtures("without_suspects")
def test_a_class_with_a_temperature_of_its_own() -> None:
    y, Z = sound(5)
    why = ll.explain(y, Z * np.array([1, 1, 1, 1, 3.0]), space="logit")
    found = next(f for f in why.findings if f.id == "LL023")
    assert "4 is off most" in found.text
    step = why.decomposition.steps[-1]
    assert found.nats == step.gain
    assert step.parameters["temperature"][4] > 2
    assert numbers(found.text)[0] == pytest.approx(step.gain, abs=6e-5)


@pytest.mark.usefixtures("without_suspects")
def test_a_shape_that_no_slope_describes() -> None:
    rng = np.random.default_rng(8)
    p = rng.random(N)
    truth = np.where(p < 0.5, 0.3, 0.7)  # two levels, said as a continuum
    y = (rng.random(N) < truth).astype(int)
    why = ll.explain(y, p)
    found = next(f for f in why.findings if f.id == "LL024")
    ideal = -(truth * np.log(truth) + (1 - truth) * np.log(1 - truth)).mean()
    assert why.decomposition.remedies.log_loss == pytest.approx(ideal, abs=0.03)
    assert found.nats == pytest.approx(why.decomposition.steps[-1].gain)


def test_the_leading_finding_is_stable_under_names_and_spaces(without_suspects: None) -> None:
    y, z = sound()
    a = ll.explain(y, 2 * z, space="logit").findings[0]
    names = np.array(["\x1b[31mno", "yes"])
    b = ll.explain(names[y], expit(2 * z), labels=names.tolist()).findings[0]
    assert a.id == b.id
    assert a.nats == pytest.approx(b.nats, rel=1e-9)


# Few rows that carry the loss --------------------------------------------------------------------------------------


def with_blunders(
    count: int, infinite: int, cost: Callable[[int], np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(10)
    p = rng.uniform(0.02, 0.98, N)
    y = (rng.random(N) < p).astype(int)
    p[:count], y[:count] = np.exp(-cost(count)), 1
    p[count : count + infinite], y[count : count + infinite] = 0.0, 1
    return y, p


@pytest.mark.parametrize("infinite", [0, 1, 60])
@pytest.mark.parametrize("alike", [False, True])
@pytest.mark.usefixtures("without_suspects")
def test_blunders_beyond_what_was_to_be_expected(infinite: int, *, alike: bool) -> None:
    # 15 rows of 300 nats: more than half of what the other 2,985 cost. As a tool that clips writes them, or not.
    y, p = with_blunders(15, infinite, lambda k: np.full(k, 300.0) if alike else np.linspace(290, 310, k))
    why = ll.explain(y, p)
    found = next(f for f in why.findings if f.id == "LL010")
    assert why.half <= 15
    assert found.text.startswith(f"{why.half} rows")
    excess, z = why.blunders
    beyond = 15 if alike else why.half  # where all cost the same, all of them count
    cost = np.sort(why.surprise[:15])[::-1][:beyond].sum()
    assert 0.7 * cost < excess < cost  # after a clip some of it is expected
    assert z > 5
    assert found.nats == pytest.approx(excess / N)


def test_the_expectation_of_dear_rows_by_hand() -> None:
    from logloss.why.carriers import beyond_belief
    from logloss.why.remedies import remedies

    for K in (2, 3):
        y, Z = drawn(200, 11, K, 1.5)
        w = np.random.default_rng(0).integers(0, 3, 200).astype(float)
        record = observe(y, 2 * Z, space="logit", weight=w)
        held = remedies(record).held
        P = softmax(2 * Z, axis=1) if K == 3 else np.stack([expit(-2 * Z), expit(2 * Z)], axis=1)
        Q = P if K == 3 else np.stack([1 - held.p, held.p], axis=1)
        s = -np.log(P)
        dear = np.where(s > 1.2, s, 0.0)
        own = s[np.arange(200), y]
        excess = (w * own * (own > 1.2)).sum() - (w * (Q * dear).sum(axis=1)).sum()
        variance = (w**2 * ((Q * dear**2).sum(axis=1) - (Q * dear).sum(axis=1) ** 2)).sum()
        found = beyond_belief(record, held, nats(2 * Z, y), w, 1.2)
        assert found == pytest.approx((excess, excess / np.sqrt(variance)), rel=1e-9)
