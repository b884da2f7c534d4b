"""Net benefit: against published tables, brute force, its identity with the elementary score; bands, words, errors."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import logloss as ll
from logloss.curves.benefits import Gain
from logloss.curves.thresholds import joint_level
from logloss.interval import of_clusters, of_rows

# R's dcurves on its data set df_binary (750 rows, 105 cancers): rows with a family history, and with cancer among them.
FAMILY = (115, 24)
# r: dca(cancer ~ famhistory), columns net_benefit and net_intervention_avoided.
R_FAMILY = {
    0.05: (0.025614035087719297, -1.3133333333333335),
    0.14: (0.012248062015503873, 0.07523809523809522),
    0.5: (-0.08933333333333335, 0.6306666666666666),
    0.99: (-11.979999999999992, 0.7375757575757576),
}
R_ALL = {0.05: 0.09473684210526316, 0.25: -0.14666666666666667, 0.5: -0.72}


def family() -> tuple[np.ndarray, np.ndarray]:
    """Return outcomes and a yes/no forecast with R's counts."""
    rows, found = FAMILY
    y, p = np.zeros(750, int), np.zeros(750)
    p[:rows], y[:found], y[rows : rows + 105 - found] = 1.0, 1, 1
    return y, p


def brute(y: np.ndarray, p: np.ndarray, w: np.ndarray, th: float) -> np.ndarray:
    """Return each row's net benefit: the definition."""
    return (p >= th) * (y - (1 - y) * th / (1 - th))


def test_net_benefit_is_that_of_the_textbook_formula() -> None:
    # By hand: 200 rows, 30 events and 40 others acted on: 30/200 - 40/200 / 4 = 0.1.
    y = np.repeat([1, 0, 1, 0], [30, 40, 10, 120])
    p = np.repeat([0.9, 0.9, 0.1, 0.1], [30, 40, 10, 120])
    curve = ll.decision_curve(y, p, thresholds=[0.2])
    assert curve.forecasts["forecast"].net_benefit[0] == pytest.approx(0.1, abs=1e-15)
    assert curve.forecasts["forecast"].true_positive[0] == 0.15
    assert curve.forecasts["forecast"].false_positive[0] == 0.2


def test_values_are_those_of_r() -> None:
    y, p = family()
    curve = ll.decision_curve(y, p)
    th = {round(float(value), 2): at for at, value in enumerate(curve.thresholds)}
    for at, (benefit, avoided) in R_FAMILY.items():
        assert curve.forecasts["forecast"].net_benefit[th[at]] == pytest.approx(benefit, abs=1e-12)
        assert curve.avoided("forecast")[th[at]] == pytest.approx(avoided, abs=1e-12)
    for at, benefit in R_ALL.items():
        assert curve.all.net_benefit[th[at]] == pytest.approx(benefit, abs=1e-12)


def test_a_forecast_on_the_threshold_is_acted_on() -> None:
    # As in R's dcurves: p >= threshold.
    curve = ll.decision_curve([1, 0, 1], [0.3, 0.7, 0.2], thresholds=[0.3, 0.7, 0.71])
    assert curve.forecasts["forecast"].acted.tolist() == [2 / 3, 1 / 3, 0.0]


@settings(max_examples=30, deadline=None)
@given(n=st.integers(3, 40), seed=st.integers(0, 10**6), soft=st.booleans())
@example(n=10, seed=13755, soft=True)  # a spread of 0 that rounding made negative
def test_values_and_intervals_are_those_of_rows_one_by_one(n: int, seed: int, soft: bool) -> None:
    random = np.random.default_rng(seed)
    p, q = random.integers(0, 11, (2, n)) / 10
    y = random.integers(0, 11, n) / 10 if soft else random.integers(0, 2, n).astype(float)
    y[:2], p[:3], q[:3] = (0.0, 1.0), 0.5, 0.5
    w = random.choice([1.0, 2.0, 0.5], n)
    th = np.array([0.1, 0.25, 0.5, 0.7])
    y_given = y if soft else y.astype(int)
    curve = ll.decision_curve(y_given, {"p": p, "q": q}, thresholds=th, weight=w)
    for g, at in enumerate(th):
        one = {"p": brute(y, p, w, at), "q": brute(y, q, w, at), None: brute(y, np.ones(n), w, at)}
        for gain in curve.gains:
            d = one[gain.a] - one[gain.b]
            found = of_rows(d, w)
            assert found is not None
            assert gain.mean[g] == pytest.approx(found.mean, abs=1e-12)
            acts = {"p": p >= at, "q": q >= at, None: np.ones(n, bool)}
            differ = acts[gain.a] != acts[gain.b]
            assert gain.differ[g] == differ.sum()
            # What was seen gives the interval of the rows; kinds of rows not seen can only widen it.
            assert gain.limits.low[g] <= found.low + 1e-9
            assert gain.limits.high[g] >= found.high - 1e-9
            kinds = [kind for kind in (differ & acts[gain.a], differ & acts[gain.b]) if kind.any()]
            if kinds and all(((y > 0) & kind).any() and ((y < 1) & kind).any() for kind in kinds):
                assert gain.limits.low[g] == pytest.approx(found.low, abs=1e-9)
                assert gain.limits.high[g] == pytest.approx(found.high, abs=1e-9)
        line = curve.forecasts["p"]
        assert line.net_benefit[g] == pytest.approx(float((w * one["p"]).sum() / w.sum()), abs=1e-12)


@settings(max_examples=30, deadline=None)
@given(
    p=hnp.arrays(float, 25, elements=st.floats(0, 1, width=32)),
    y=hnp.arrays(int, 25, elements=st.integers(0, 1)),
    th=st.floats(0.01, 0.99),
)
def test_it_is_the_share_of_events_less_the_elementary_score(p: np.ndarray, y: np.ndarray, th: float) -> None:
    # Vickers and Elkin's measure and Schervish's: prevalence - S / (1 - th), S just below th, as p = th is acted on.
    y[:2] = 0, 1
    benefit = ll.decision_curve(y, p, thresholds=[th]).forecasts["forecast"].net_benefit[0]
    score = ll.murphy_curve(y, p)["forecast"].at(np.array([th]), side="left")[0]
    assert benefit == pytest.approx(y.mean() - score / (1 - th), abs=1e-12)


def rows(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    z = random.normal(-1, 1.5, n)
    return (random.random(n) < 1 / (1 + np.exp(-z))).astype(int), z


def test_covariances_are_those_of_rows() -> None:
    y, z = rows(300)
    p, q = 1 / (1 + np.exp(-z)), 1 / (1 + np.exp(-0.5 * z + 0.3))
    w = np.random.default_rng(5).random(300) + 0.5
    from logloss.curves.thresholds import ALL, NONE, Rows

    th = np.array([0.1, 0.2, 0.4, 0.8])
    acts = {
        "p": p[:, None] >= th,
        "q": q[:, None] >= th,
        ALL: np.ones((300, 4), bool),
        NONE: np.zeros((300, 4), bool),
    }
    reach = {name: acts[name].sum(axis=1) for name in ("p", "q")}
    found = Rows(th, y.astype(float), w, reach)
    for a, b in (("p", "q"), ("p", ALL), ("p", NONE), (ALL, "q"), (ALL, NONE)):
        d = (acts[a].astype(float) - acts[b]) * (y[:, None] - th) / (1 - th)
        u = w[:, None] * (d - (w[:, None] * d).sum(axis=0) / w.sum())
        got = found.contrast(a, b, scale=1 - th)
        np.testing.assert_allclose(got.covariance, u.T @ u, atol=1e-9)
        np.testing.assert_allclose(got.second, (u**2).sum(axis=0), atol=1e-9)
        np.testing.assert_allclose(got.third, (u**3).sum(axis=0), atol=1e-9)


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("even", [False, True])
def test_intervals_of_groups_are_those_of_their_sums(even: bool, soft: bool) -> None:
    random = np.random.default_rng(2)
    p, q = random.integers(0, 11, (2, 300)) / 10
    y = random.integers(0, 11, 300) / 10 if soft else random.integers(0, 2, 300).astype(float)
    w = np.ones(300) if even else random.choice([1.0, 2.0, 0.5], 300)
    group = random.permutation(np.repeat(np.arange(15), 20)) if even else random.integers(0, 15, 300)
    th = [0.1, 0.25, 0.5, 0.7]
    names = np.array([f"day {one}" for one in group], dtype=object)
    given = y if soft else y.astype(int)
    curve = ll.decision_curve(given, {"p": p, "q": q}, thresholds=th, weight=w, group=names)
    for at, x in enumerate(th):
        bp, bq, every = (brute(y, one, w, x) for one in (p, q, np.ones(300)))
        for got, d in (
            (curve.gain("p"), bp - every),
            (curve.gain("p", "q"), bp - bq),
            (curve.forecasts["p"], bp),
            (curve.all, every),
        ):
            expected = of_clusters(d, w, group)
            assert expected is not None
            assert got.limits.low[at] == pytest.approx(expected.low, abs=1e-12)
            assert got.limits.high[at] == pytest.approx(expected.high, abs=1e-12)
    rows = ll.decision_curve(given, {"p": p, "q": q}, thresholds=th, weight=w)
    assert curve.gain("p").mean == pytest.approx(rows.gain("p").mean, abs=1e-12)


def test_rows_that_are_copied_in_groups_tell_no_more() -> None:
    y, z = rows(200)
    p = 1 / (1 + np.exp(-z))
    once = ll.decision_curve(y, p, thresholds=[0.1, 0.3, 0.6])
    copies = ll.decision_curve(
        np.tile(y, 9), np.tile(p, 9), thresholds=[0.1, 0.3, 0.6], group=np.tile(np.arange(200), 9)
    )
    for one, two in ((once.gain("forecast"), copies.gain("forecast")), (once.all, copies.all)):
        for mine, other in ((one.limits, two.limits), (one.band, two.band)):
            assert mine.low == pytest.approx(other.low, abs=1e-12)
            assert mine.high == pytest.approx(other.high, abs=1e-12)
    few = ll.decision_curve(y, p, group=np.arange(200) % 4)
    assert "few-groups" in [note.id for note in few.notes]
    one_group = ll.decision_curve(y, p, group=np.zeros(200, int))
    assert np.isnan(one_group.gain("forecast").limits.low).any()
    str(one_group)
    json.dumps(one_group.to_dict(), allow_nan=False)


def test_spaces_labels_columns_and_events_agree() -> None:
    y, z = rows(200)
    p = 1 / (1 + np.exp(-z))
    th = [0.1, 0.3, 0.6]
    expected = ll.decision_curve(y, p, thresholds=th).forecasts["forecast"].net_benefit
    words = np.array(["dog", "cat"])[y]
    frame = np.column_stack([p, 1 - p])
    for found in (
        ll.decision_curve(y, z, space="logit", thresholds=th),
        ll.decision_curve(y, np.log(p), space="logp", thresholds=th),
        ll.decision_curve(words, frame, labels=["cat", "dog"], event="cat", thresholds=th),
        ll.decision_curve(words, p, labels=["dog", "cat"], thresholds=th),
        ll.decision_curve(words, 1 - p, labels=["cat", "dog"], event="cat", thresholds=th),
        ll.decision_curve(np.repeat(y, 2), np.repeat(p, 2), weight=np.full(400, 0.5), thresholds=th),
        ll.decision_curve(
            np.append(y, 1), np.append(p, 0.0), weight=np.append(np.ones(200), 0), thresholds=th
        ),
    ):
        (line,) = found.forecasts.values()
        np.testing.assert_allclose(line.net_benefit, expected, atol=1e-12)


def test_a_class_is_taken_against_all_others() -> None:
    y = np.array(["a", "b", "c", "b", "a"])
    P = np.array([[0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.1, 0.1, 0.8], [0.5, 0.4, 0.1], [0.2, 0.5, 0.3]])
    found = ll.decision_curve(y, P, labels=["a", "b", "c"], event="b", thresholds=[0.2, 0.45])
    alone = ll.decision_curve((y == "b").astype(int), P[:, 1], thresholds=[0.2, 0.45])
    assert found.event == "b"
    np.testing.assert_allclose(
        found.forecasts["forecast"].net_benefit, alone.forecasts["forecast"].net_benefit
    )


def test_harm_is_taken_off_and_gains_turn_round() -> None:
    y, z = rows(100)
    p = 1 / (1 + np.exp(-z))
    free = ll.decision_curve(y, {"p": p, "q": p**2}, thresholds=[0.2])
    paid = ll.decision_curve(y, {"p": p, "q": p**2}, thresholds=[0.2], harm={"p": 0.02})
    assert paid.forecasts["p"].net_benefit[0] == pytest.approx(free.forecasts["p"].net_benefit[0] - 0.02)
    assert paid.forecasts["q"].net_benefit[0] == free.forecasts["q"].net_benefit[0]
    assert paid.gain("p", "q").limits.low[0] == pytest.approx(free.gain("p", "q").limits.low[0] - 0.02)
    assert free.gain("q", "p").band.high[0] == -free.gain("p", "q").band.low[0]
    assert paid.avoided("p")[0] == pytest.approx(
        (paid.forecasts["p"].net_benefit[0] - paid.all.net_benefit[0]) * 4
    )


def test_the_largest_of_independent_deviates_asks_for_sidak() -> None:
    # Sidak (1967): 20 independent intervals hold together at 0.95 if each does at 0.95 ** (1 / 20).
    assert joint_level(np.eye(20), 0.95) == pytest.approx(0.95 ** (1 / 20), abs=5e-4)
    assert joint_level(np.ones((20, 20)), 0.95) == pytest.approx(0.95, abs=5e-3)


def test_bands_hold_intervals_and_are_wider() -> None:
    y, z = rows(400)
    curve = ll.decision_curve(y, 1 / (1 + np.exp(-z)))
    gain = curve.gain("forecast")
    inner = gain.differ > 0
    assert (gain.band.low[inner] < gain.limits.low[inner]).all()
    assert (gain.band.high[inner] > gain.limits.high[inner]).all()
    assert inner.any()
    curve = ll.decision_curve(y, np.clip(1 / (1 + np.exp(-z)), 0.1, 0.9))
    gain = curve.gain("forecast")
    inner = gain.differ > 0
    assert inner.any()
    assert (~inner).any()
    # No row was acted on differently: up to 1 - tail^(1 / n) of rows may be, each worth at most max(1, odds of the threshold).
    reach = (1 - 0.025 ** (1 / 400)) * np.maximum(1, curve.thresholds / (1 - curve.thresholds))
    assert gain.limits.low[~inner] == pytest.approx(-reach[~inner], rel=1e-9)
    assert gain.limits.high[~inner] == pytest.approx(reach[~inner], rel=1e-9)
    at_0 = ll.decision_curve(y, 1 / (1 + np.exp(-z)), thresholds=[0.0, 0.5]).gain("forecast").band
    assert (at_0.low[0], at_0.high[0]) == (0.0, 0.0)  # there both act on every row there can be
    twice = ll.decision_curve(y, {"a": 1 / (1 + np.exp(-z)), "b": 1 / (1 + np.exp(-z))}).gain("a", "b")
    assert (twice.band.low == 0).all()


def test_bands_hold_also_where_no_row_is_acted_on_differently() -> None:
    # Truth from 400,000 rows; 200 rows seldom have a forecast above 0.9, where the two forecasts still differ.
    th = np.arange(1, 20) / 20

    def gain(n: int, seed: int) -> Gain:
        random = np.random.default_rng(seed)
        z = random.normal(-1, 1, n)
        y = (random.random(n) < 1 / (1 + np.exp(-z))).astype(int)
        forecasts = {"p": 1 / (1 + np.exp(-1.3 * z)), "q": 1 / (1 + np.exp(-0.7 * z))}
        return ll.decision_curve(y, forecasts, thresholds=th).gain("p", "q")

    truth = gain(400_000, 0).mean
    found = [gain(200, 1 + seed) for seed in range(60)]
    assert sum((one.differ == 0).any() for one in found) > 40
    held = sum(((one.band.low <= truth) & (truth <= one.band.high)).all() for one in found)
    assert held >= 53  # of 60 at 95 %: fewer in 1 of 100 such tests


def test_events_not_missed_yet_are_not_ruled_out() -> None:
    # 100 rows without the event are spared at threshold 0.1, no event is missed among 20: up to 3.6 % of rows may be.
    y = np.repeat([1, 0, 0], [20, 100, 100])
    p = np.repeat([0.5, 0.05, 0.5], [20, 100, 100])
    gain = ll.decision_curve(y, p, thresholds=[0.1]).gain("forecast")
    bare = of_rows(np.repeat([0.0, 1 / 9, 0.0], [20, 100, 100]), np.ones(220))
    assert bare is not None
    assert gain.limits.low[0] == pytest.approx(bare.low - (1 - 0.025 ** (1 / 220)), abs=1e-12)
    assert gain.limits.high[0] == pytest.approx(bare.high, abs=1e-12)


def test_it_prints_one_screen_and_writes_json() -> None:
    y, z = rows(500)
    p = 1 / (1 + np.exp(-z))
    one, two = (
        ll.decision_curve(y, p),
        ll.decision_curve(y, {"right \x1b[31m": p, "wild": 1 / (1 + np.exp(-3 * z))}),
    )
    for found in (one, two):
        text = str(found)
        assert "\x1b" not in text
        assert len(text.splitlines()) < 45
        assert "beyond doubt (95 %, all thresholds together)" in text
        assert text == found.show() != found.show(standardized=True)
        json.dumps(found.to_dict(), allow_nan=False)
        assert "<pre>" in found._repr_html_()
        frame = found.frame()
        pairs = len(found.forecasts) - 1
        assert {len(column) for column in frame.values()} == {99 * (2 + len(found.forecasts) + pairs)}
        assert frame["kind"][::99] == [
            "all",
            "none",
            *["forecast"] * len(found.forecasts),
            *["difference"] * pairs,
        ]
        assert frame["gain"][198:297] == found.gains[0].mean.tolist()
    last = {name: column[-99:] for name, column in frame.items()}
    assert (last["forecast"][0], last["against"][0]) == ("right \x1b[31m", "wild")
    assert last["gain_band_low"] == two.gains[-1].band.low.tolist()
    assert last["net_benefit"] == [None] * 99
    assert two.better("right \x1b[31m", sure=True).sum() > two.better("wild", sure=True).sum()


def test_a_forecast_that_harms_is_called_so() -> None:
    y, z = rows(2000)
    found = ll.decision_curve(y, 1 / (1 + np.exp(z)))
    assert found.worse("forecast", sure=True).any()
    assert "worth less than one of them" in " ".join(str(found).split())


@pytest.mark.parametrize(
    ("slug", "options"),
    [
        ("bad-threshold", {"thresholds": [0.2, 1.0]}),
        ("bad-threshold", {"thresholds": []}),
        ("bad-threshold", {"thresholds": ["x"]}),
        ("bad-threshold", {"thresholds": [float("nan")]}),
        ("bad-level", {"level": 95}),
        ("bad-harm", {"harm": -1}),
        ("bad-harm", {"harm": {"nobody": 0.1}}),
        ("which-event", {"event": 7}),
    ],
)
def test_calls_that_mean_nothing_are_refused(slug: str, options: dict[str, object]) -> None:
    with pytest.raises(ll.UsageError) as caught:
        ll.decision_curve([1, 0, 1], [0.2, 0.4, 0.9], **options)  # type: ignore[arg-type]
    assert caught.value.slug == slug


def test_more_classes_need_one_named_and_rows_that_count() -> None:
    P = np.full((3, 3), 1 / 3)
    with pytest.raises(ll.UsageError, match="which-event"):
        ll.decision_curve([0, 1, 2], P)
    with pytest.raises(ll.UsageError, match="rows-needed"):
        ll.decision_curve(ll.summarize([0, 1], [0.2, 0.8]))
    with pytest.raises(ll.UsageError, match="too-few-forecasts"):
        ll.decision_curve([0, 1], {})
    with pytest.raises(ll.UsageError, match="no-such-model"):
        ll.decision_curve([0, 1], [0.2, 0.8]).gain("x")


def test_few_events_are_said() -> None:
    found = ll.decision_curve([0] * 30 + [1] * 3, np.linspace(0.01, 0.9, 33))
    assert [note.text[:11] for note in found.notes if note.id == "few-events"] == ["Only 3 rows"]


def test_it_is_saved_as_a_table(tmp_path: Path) -> None:
    y, z = rows(100)
    curve = ll.decision_curve(y, {"=model": 1 / (1 + np.exp(-z))}, thresholds=0.25)
    curve.save(tmp_path / "curve.csv")
    lines = (tmp_path / "curve.csv").read_text().splitlines()
    assert [line.split(",")[:4] for line in lines[1:]] == [
        ["all", "all", "", "0.25"],
        ["none", "none", "", "0.25"],
        ["forecast", "'=model", "all", "0.25"],
    ]
    assert lines[1].endswith(",,,,,,")  # what acting on all rows lacks is missing, not text


def test_rows_of_unequal_weight_rule_out_less() -> None:
    # All 40 acted on are events: of 40 with these weights Kish's (sum w)^2 / sum w^2 rows tell as much.
    w = np.tile([1.0, 3.0], 20)
    low = [
        ll.decision_curve(np.ones(40, int), np.full(40, 0.9), thresholds=[0.5], weight=weight, labels=[0, 1])
        .forecasts["forecast"].limits.low[0]
        for weight in (None, w)
    ]  # fmt: skip
    for found, n in zip(low, (40, w.sum() ** 2 / (w * w).sum()), strict=True):
        assert found == pytest.approx(
            1.0 - (1 - 0.025 ** (1 / n)) * 1.0, rel=1e-12
        )  # a false alarm costs th / (1 - th)
