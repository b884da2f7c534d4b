"""The score: worked figures of the field, laws, and what it says about infinity."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import logloss as ll
from logloss import kernels
from logloss.baselines import accuracy_implied

PUZZLE = ([1, 1, 1, 0, 0, 0], [0.5, 0.1, 0.01, 0.9, 0.75, 0.001])


# Worked figures of textbooks and blogs; natural logs by mpmath.
@pytest.mark.parametrize(
    ("y", "p", "value"),
    [
        (1, 0.9, 0.105360516),
        (1, 0.5, 0.693147181),
        (1, 0.1, 2.302585093),
        (1, 0.25, 1.386294361),
        (0, 0.25, 0.287682072),
        (1, 0.99, 0.010050336),
        (0, 0.99, 4.605170186),
        (1, 0.03824, 3.263873191),
    ],
)
def test_one_row(y: int, p: float, value: float) -> None:
    assert ll.log_loss([y], [p]) == pytest.approx(value, abs=5e-9)


def test_the_six_row_puzzle_and_its_units() -> None:
    result = ll.score(*PUZZLE)
    assert result.log_loss == pytest.approx(1.881797068998267, rel=1e-15)
    assert result.log_loss / math.log(10) == pytest.approx(
        0.8172541, abs=1e-7
    )  # what a base-10 log makes of it
    assert "Log loss 2.7149 bits" in result.show("bits")


def test_weights() -> None:
    # p = (.9, .2, .6, .35), y = (1, 0, 1, 1): unweighted and with weights 1, 2, 3, 4, by mpmath.
    y, p, w = [1, 0, 1, 1], [0.9, 0.2, 0.6, 0.35], [1, 2, 3, 4]
    assert ll.log_loss(y, p) == pytest.approx(0.47228795380917611, rel=1e-15)
    assert ll.log_loss(y, p, sample_weight=w) == pytest.approx(0.62834129875789286, rel=1e-15)
    assert ll.log_loss(y, p, sample_weight=w, normalize=False) == pytest.approx(6.2834129875789286, rel=1e-15)
    result = ll.score(y, p, weight=w)
    assert result.perplexity == pytest.approx(math.exp(0.62834129875789286))
    assert (result.n, result.weight) == (4, 10.0)


def test_whole_weights_are_repeated_rows_for_the_mean() -> None:
    y, p, w = [1, 0, 1], [0.9, 0.2, 0.6], [3, 1, 2]
    assert ll.log_loss(y, p, sample_weight=w) == pytest.approx(
        ll.log_loss(np.repeat(y, w), np.repeat(p, w)), rel=1e-15
    )


def test_equal_weights_change_nothing(rng: np.random.Generator) -> None:
    p = rng.random(200)
    y = (rng.random(200) < p).astype(int)
    plain, weighted = ll.score(y, p), ll.score(y, p, weight=np.full(200, 7.0))
    for name in ("log_loss", "standard_error", "skill", "accuracy", "brier", "base_rate", "base_rate_loo"):
        assert getattr(weighted, name) == pytest.approx(getattr(plain, name), rel=1e-11), name
    assert weighted.interval == pytest.approx(plain.interval, rel=1e-9)


def test_a_row_of_weight_zero_does_not_count_even_where_it_is_infinite() -> None:
    result = ll.score([1, 0, 1], [0.5, 0.5, 0.0], weight=[1, 1, 0])
    assert (result.log_loss, result.infinite_rows, result.n) == (pytest.approx(math.log(2)), 0, 2)
    assert ll.log_loss([1, 0, 1], [0.5, 0.5, 0.0], sample_weight=[1, 1, 0]) == pytest.approx(math.log(2))


def test_infinity_is_an_answer_and_is_carried_apart() -> None:
    result = ll.score([1, 1, 0, 0], [0.5, 0.0, 0.25, 1.0])
    assert result.log_loss == math.inf
    assert result.log_loss_finite == pytest.approx((math.log(2) - math.log(0.75)) / 2)
    assert (result.infinite_rows, result.interval, result.standard_error) == (2, None, None)
    state = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert (state["log_loss"], state["interval"], state["conventions"]["pytorch BCELoss"]) == (
        "inf",
        None,
        pytest.approx((200 + math.log(2) - math.log(0.75)) / 4),
    )
    assert "rows 1, 3" in next(note.text for note in result.notes if note.id == "infinite")


def test_an_impossible_class_that_did_not_happen_costs_nothing() -> None:
    # Knock-out matches with draw probability 0 and no draw: 0 log 0 = 0.
    result = ll.score([0, 2], [[0.6, 0.0, 0.4], [0.3, 0.0, 0.7]])
    assert result.log_loss == pytest.approx(-(math.log(0.6) + math.log(0.7)) / 2)
    assert math.isfinite(result.summary.mass["entropy"])


def test_baselines() -> None:
    # A constant .25 on 49 : 51 costs .826 or .848, never .326; the best constant .692947 (mpmath).
    y = np.repeat([1, 0], [49, 51])
    assert ll.log_loss(y, np.full(100, 0.25)) == pytest.approx(0.82600209389915468, rel=1e-13)
    assert ll.log_loss(1 - y, np.full(100, 0.25)) == pytest.approx(0.84797433967251687, rel=1e-13)
    result = ll.score(y, np.full(100, 0.49))
    assert result.log_loss == pytest.approx(0.69294716722447819, rel=1e-13)
    assert result.base_rate == pytest.approx(0.69294716722447819, rel=1e-13)
    assert result.skill == pytest.approx(0, abs=1e-13)
    assert ll.score(np.repeat([0, 1, 2], [3, 5, 2]), np.full((10, 3), 1 / 3)).base_rate == pytest.approx(
        1.0296530140645735, rel=1e-14
    )
    assert ll.score([1] * 3 + [0] * 7, [0.5] * 10).base_rate_loo == pytest.approx(
        0.71743634960068517, rel=1e-14
    )


def test_base_rate_loo_is_the_mean_over_rows_each_left_out(rng: np.random.Generator) -> None:
    y = rng.integers(0, 3, 40)
    costs = []
    for at in range(40):
        rest = np.delete(y, at)
        costs.append(-math.log(((rest == y[at]).sum() + 0.5) / (len(rest) + 1.5)))
    assert ll.score(y, np.full((40, 3), 1 / 3)).base_rate_loo == pytest.approx(np.mean(costs), rel=1e-13)


@pytest.mark.parametrize(
    ("accuracy", "K", "low", "high"),
    [
        (0.9, 2, 0.13862943611198906, 0.32508297339144824),
        (0.8, 10, 0.27725887222397812, 0.93984733900543176),
        (0.4, 10, 0.93642624542484394, 1.9913464134109881),
        (1.0, 2, 0.0, 0.0),
        (0.5, 2, math.log(2), math.log(2)),
        (0.0, 2, math.log(2), 0.0),
    ],
)
def test_what_accuracy_implies(accuracy: float, K: int, low: float, high: float) -> None:
    assert accuracy_implied(accuracy, K) == pytest.approx((low, high), rel=1e-12, abs=1e-12)


def test_worse_than_its_own_first_choice_is_said() -> None:
    from logloss.examples import calibrated, overconfident

    bad, good = overconfident(2000, factor=6.0), calibrated(2000)
    assert "worse-than-argmax" in {note.id for note in ll.score(bad.outcome, bad.forecast).notes}
    assert "worse-than-argmax" not in {note.id for note in ll.score(good.outcome, good.forecast).notes}


@pytest.mark.parametrize(("p", "n"), [(0.8, 360), (0.8, 20_000), (0.995, 360), (0.995, 20_000)])
def test_sound_forecasts_of_constant_confidence_are_not_accused(
    p: float, n: int, rng: np.random.Generator
) -> None:
    """Their loss is that of the first choice with their accuracy, up to chance: a margin is needed."""
    accused = 0
    for _ in range(40):
        forecast = rng.choice([p, 1 - p], n)
        y = (rng.random(n) < forecast).astype(int)
        accused += "worse-than-argmax" in {note.id for note in ll.score(y, forecast).notes}
    assert accused <= 2


def test_perfect_choices_are_not_accused() -> None:
    assert ll.score([1, 0] * 20, [0.9, 0.2] * 20).notes == ()


def test_confident_and_at_chance_asks_whether_the_rows_match(rng: np.random.Generator) -> None:
    p = rng.choice([0.001, 0.999], 300)
    y = (rng.random(300) < p).astype(int)
    assert "at-chance" not in {note.id for note in ll.score(y, p).notes}
    assert "at-chance" in {note.id for note in ll.score(rng.permutation(y), p).notes}


def test_rare_events_are_not_called_mismatched(rng: np.random.Generator) -> None:
    y = np.zeros(10_000, int)
    y[:10] = 1
    for p in (np.where(y == 1, 0.4, 0.05), np.full(10_000, 0.05), 1 - np.where(y == 1, 0.99, 0.01)):
        assert "at-chance" not in {note.id for note in ll.score(y, p).notes}


def test_weights_of_one_class_only(rng: np.random.Generator) -> None:
    for _ in range(50):
        w = rng.lognormal(size=40)
        assert ll.score(np.ones(40, int), np.full(40, 0.9), weight=w).base_rate == 0


@pytest.mark.parametrize("kind", ["float16", "longdouble", ">i4", ">f8", "uint64", "uint8"])
def test_outcomes_of_any_type_in_large_arrays(kind: str, rng: np.random.Generator) -> None:
    n = kernels.COMPILE_FROM
    p, y = rng.random(n), rng.integers(0, 2, n)
    assert ll.log_loss(y.astype(kind), p) == pytest.approx(ll.log_loss(y, p), rel=1e-13)
    assert ll.score(y.astype(kind), p).log_loss == pytest.approx(ll.log_loss(y, p), rel=1e-12)
    P = np.stack([1 - p, p], axis=1)
    assert ll.log_loss(y.astype(kind), P) == pytest.approx(ll.log_loss(y, P), rel=1e-13)


def test_large_sums_can_be_normalised() -> None:
    rows = [[1e308, 1e308], [1, 1], [2, 1]]
    assert ll.score([0, 1, 0], rows, normalize_rows=True).log_loss == pytest.approx(
        (2 * math.log(2) - math.log(2 / 3)) / 3
    )


def test_a_summary_takes_no_columns() -> None:
    summary = ll.score([1, 0], [0.5, 0.5]).summary
    with pytest.raises(ll.UsageError, match="summary"):
        ll.score(summary, forecast="p")


def test_the_level_is_a_probability() -> None:
    for level in (0, 1, 2, -0.5):
        with pytest.raises(ll.UsageError, match="level is"):
            ll.score([1, 0], [0.5, 0.5], level=level)
    y, p = [1, 0, 1, 0], [0.5, 0.4, 0.7, 0.2]
    narrow, wide = ll.score(y, p, level=0.5).interval, ll.score(y, p).interval
    assert narrow is not None
    assert wide is not None
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_accuracy_and_brier(rng: np.random.Generator) -> None:
    y, p = rng.integers(0, 2, 60), rng.random(60)
    result = ll.score(y, p)
    assert result.accuracy == pytest.approx(((p > 0.5) == y).mean())
    assert result.brier == pytest.approx(((p - y) ** 2).mean(), rel=1e-13)


def test_standard_error_and_interval_are_those_of_the_rows(rng: np.random.Generator) -> None:
    p = rng.random(300)
    y = (rng.random(300) < p).astype(int)
    s = ll.surprise(y, p)
    result = ll.score(y, p)
    assert result.standard_error == pytest.approx(s.std(ddof=1) / math.sqrt(300), rel=1e-11)
    assert result.interval is not None
    assert result.interval[0] < result.log_loss < result.interval[1]
    w = rng.random(300)
    weighted = ll.score(y, p, weight=w)
    u = w * (s - np.average(s, weights=w)) / w.mean()
    assert weighted.standard_error == pytest.approx(math.sqrt((u**2).sum() / 299 / 300), rel=1e-10)


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_log_loss_and_score_and_surprise_agree(data: Any) -> None:
    n = data.draw(st.integers(2, 30))
    p = data.draw(st.lists(st.floats(0, 1), min_size=n, max_size=n))
    y = data.draw(st.lists(st.integers(0, 1), min_size=n, max_size=n))
    s = ll.surprise(y, p)
    expected = math.inf if np.isinf(s).any() else math.fsum(s) / n
    assert ll.log_loss(y, p) == pytest.approx(expected, rel=1e-12, abs=1e-300)
    assert ll.score(y, p).log_loss == pytest.approx(expected, rel=1e-12, abs=1e-300)


@settings(deadline=None, max_examples=40)
@given(p=st.lists(st.floats(0.001, 0.999), min_size=2, max_size=12), truth=st.floats(0.01, 0.99))
def test_the_log_score_is_proper(p: list[float], truth: float) -> None:
    """In expectation no forecast beats the truth."""
    own = truth * ll.log_loss([1], [truth]) + (1 - truth) * ll.log_loss([0], [truth])
    for q in p:
        assert truth * ll.log_loss([1], [q]) + (1 - truth) * ll.log_loss([0], [q]) >= own - 1e-12


@pytest.mark.parametrize("kind", ["bool", "int8", "int64", "float64", "float32"])
def test_the_fast_lane_gives_what_the_door_gives(kind: str, rng: np.random.Generator) -> None:
    n = kernels.COMPILE_FROM + 3
    p = rng.random(n)
    y = (rng.random(n) < p).astype(kind)
    assert ll.log_loss(y, p) == pytest.approx(ll.log_loss(y.tolist(), p), rel=1e-13)
    assert ll.log_loss(y, p, normalize=False) == pytest.approx(n * ll.log_loss(y, p), rel=1e-14)
    p[7], y[7] = 0.0, 1
    assert ll.log_loss(y, p) == math.inf


def test_the_fast_lane_hands_anything_unclean_to_the_door(rng: np.random.Generator) -> None:
    n = kernels.COMPILE_FROM
    p, y = rng.random(n), rng.integers(0, 2, n)
    with pytest.raises(ll.ForecastError, match=r"row 11: 1\.5"):
        ll.log_loss(y, np.where(np.arange(n) == 11, 1.5, p))
    with pytest.raises(ll.OutcomeError, match="3 classes"):
        ll.log_loss(np.where(np.arange(n) == 11, 2, y), p)
    P = rng.dirichlet(np.ones(3), n)
    t = rng.integers(0, 3, n)
    assert ll.log_loss(t, P) == pytest.approx(ll.surprise(t, P).mean(), rel=1e-13)
    P[5] *= 1.001
    with pytest.warns(ll.LoglossWarning, match="do not sum to one"):
        ll.log_loss(t, P)


def test_labels_one_and_two_are_classes_not_positions(rng: np.random.Generator) -> None:
    n = kernels.COMPILE_FROM
    P = rng.dirichlet(np.ones(2), n)
    t = rng.integers(1, 3, n)
    assert ll.log_loss(t, P) == pytest.approx(-np.log(P[np.arange(n), t - 1]).mean(), rel=1e-12)


def test_text_says_what_matters() -> None:
    text = str(ll.score(*PUZZLE))
    for part in (
        "Log loss 1.8818 nats",
        "base rate",
        "uniform",
        "accuracy 16.7 %",
        "ml.net (bits)",
        "over 3 nats",
    ):
        assert part in text
    assert "<script>" not in ll.score(["<script>", "b"], [0.5, 0.4], labels=["<script>", "b"])._repr_html_()


def test_a_perfect_forecast() -> None:
    result = ll.score([1, 0], [1.0, 0.0])
    assert (result.log_loss, result.skill, result.perplexity) == (0.0, 1.0, 1.0)
    assert not math.copysign(1, result.log_loss) < 0
    assert "Log loss 0 nats" in str(result)


def test_one_class_only_has_no_skill_to_show() -> None:
    result = ll.score([1, 1], [0.9, 0.8])
    assert result.skill == -math.inf
    assert "one class only" in str(result)
