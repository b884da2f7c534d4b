"""A loss in its parts, told from bins: beside the same rows, within the bounds it states, merged, saved."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import expit

import logloss as ll
from logloss.why.decomposition import Decomposition
from logloss.why.gridfits import of_summary


def drawn(n: int, seed: int, slope: float = 0.6, offset: float = -0.3) -> tuple[np.ndarray, np.ndarray]:
    """Return outcomes and log-odds of which a temperature and an offset are off."""
    rng = np.random.default_rng(seed)
    z = rng.normal(0, 2, n)
    return (rng.random(n) < expit(slope * z + offset)).astype(int), z


def both(y: Any, p: Any, **options: Any) -> tuple[Decomposition, Decomposition]:
    """Return the decomposition of the summary and that of the rows."""
    found = of_summary(ll.summarize(y, p, **options))
    assert found is not None
    return found, ll.decompose(y, p, **options)


CASES = ("plain", "weighted", "soft", "rounded", "calibrated", "reversed")


def case(name: str, n: int = 20_000) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    rng = np.random.default_rng(7)
    y, z = drawn(n, 3) if name != "calibrated" else drawn(n, 3, 1.0, 0.0)
    p, options = expit(z), {}
    if name == "weighted":
        options = {"weight": rng.gamma(1, 1, n)}
    if name == "soft":
        return np.clip(expit(0.6 * z) + rng.normal(0, 0.1, n), 0, 1), p, options
    if name == "rounded":
        p = np.round(p, 2)  # some are exactly 0 and 1, and none of these is wrong
        y = np.where(p == 0, 0, np.where(p == 1, 1, y))
    return (1 - y if name == "reversed" else y), p, options


@pytest.mark.parametrize("name", CASES)
def test_parts_are_those_of_the_rows_within_the_bounds_that_are_stated(name: str) -> None:
    y, p, options = case(name)
    bins, rows = both(y, p, **options)
    assert bins.binned is not None
    low, high = bins.binned.miscalibration
    assert low - 1e-12 <= rows.in_sample.miscalibration <= high + 1e-12
    assert low <= bins.in_sample.miscalibration <= high
    assert bins.log_loss == pytest.approx(rows.log_loss, rel=1e-12)
    assert bins.in_sample.log_loss == pytest.approx(bins.log_loss, rel=1e-12)
    assert bins.in_sample.uncertainty == pytest.approx(rows.in_sample.uncertainty, rel=1e-12)
    # The curve of the rows has more steps, and so fits more of their noise: some 0.001 nats of 20,000 rows.
    assert bins.in_sample.miscalibration == pytest.approx(rows.in_sample.miscalibration, abs=0.0015)
    assert sum(entry.nats for entry in bins.budget) == pytest.approx(bins.log_loss, rel=1e-9)
    assert (bins.cross_fitted, bins.interval, bins.remedies) == (None, None, None)


def test_what_bins_hide_is_the_divergence_within_them() -> None:
    y, z = drawn(20_000, 5)
    p = expit(z)
    at = np.floor((z + 32) * 16).astype(int)
    mean = (np.bincount(at, p) / np.maximum(np.bincount(at), 1))[at]
    divergence = p * np.log(p / mean) + (1 - p) * np.log((1 - p) / (1 - mean))  # Kullback, Leibler (1951)
    found = of_summary(ll.summarize(y, p))
    assert found is not None
    assert found.binned is not None
    assert found.binned.hidden == pytest.approx(divergence.mean(), rel=1e-6)
    assert 1e-5 < found.binned.hidden < 3e-5


@given(
    st.lists(st.tuples(st.integers(0, 1), st.floats(-6, 6), st.floats(0.1, 5)), min_size=2, max_size=60),
    st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_the_bounds_hold_whatever_the_rows(rows: list[tuple[int, float, float]], weighted: bool) -> None:
    y, z, w = map(np.array, zip(*rows, strict=True))
    bins, exact = both(y, expit(z), weight=w if weighted else None, labels=[0, 1])
    assert bins.binned is not None
    low, high = bins.binned.miscalibration
    assert low - 1e-9 <= exact.in_sample.miscalibration <= high + 1e-9
    assert low - 1e-12 <= bins.in_sample.miscalibration <= high + 1e-12
    assert bins.in_sample.discrimination >= -1e-9


@pytest.mark.parametrize("name", ["plain", "weighted"])
def test_a_temperature_and_an_offset_are_those_of_the_rows(name: str) -> None:
    y, p, options = case(name)
    z, w = np.log(p) - np.log1p(-p), options.get("weight", np.ones(len(y)))

    def loss(theta: np.ndarray) -> float:
        odds = theta[0] * z + theta[1]
        return float(np.average(np.logaddexp(0, np.where(y == 1, -odds, odds)), weights=w))

    slope, offset = minimize(loss, [1.0, 0.0], method="BFGS", options={"gtol": 1e-9}).x  # all rows, SciPy
    bins, _ = both(y, p, **options)
    assert [step.name for step in bins.steps] == ["temperature", "prior_shift"]
    assert bins.steps[-1].parameters["temperature"] == pytest.approx(1 / slope, rel=1e-3)
    assert bins.steps[-1].parameters["offset"] == pytest.approx(offset, abs=1e-3)
    gain = sum(step.gain for step in bins.steps)
    n = w.sum() ** 2 / (w**2).sum()
    # Two parameters: 2 / n less than what they gain on these rows (Akaike 1974), where the map holds.
    assert gain == pytest.approx(
        loss(np.array([1.0, 0.0])) - loss(np.array([slope, offset])) - 2 / n, abs=5e-5
    )


@pytest.mark.parametrize("name", CASES)
def test_steps_gain_what_they_gain_on_unseen_rows(name: str) -> None:
    y, p, options = case(name)
    bins, rows = both(y, p, **options)
    named = [step.name for step in rows.steps if step.name in ("temperature", "prior_shift")]
    assert [step.name for step in bins.steps] == named
    for one in bins.steps:
        other = next(step for step in rows.steps if step.name == one.name)
        assert one.gain == pytest.approx(other.gain, abs=1e-4)
        assert one.interval is not None
        assert other.interval is not None
        if name == "soft":  # a bin does not tell shares from labels, which vary more
            assert one.interval[0] < other.interval[0] < other.interval[1] < one.interval[1]
        else:
            assert one.interval == pytest.approx(other.interval, abs=2e-4)


def test_optimism_is_subtracted() -> None:
    # 200 files of 200 right forecasts: what an offset gains in sample is 1 / (2 n) nats too much, on new rows as much too little.
    gains = []
    for seed in range(200):
        y, z = drawn(200, seed, 1.0, 0.0)
        found = of_summary(ll.summarize(y, expit(z)))
        assert found is not None
        assert found.binned is not None
        every = (*found.binned.steps, *found.binned.tried)
        gains.append(next(step.gain for step in every if step.name == "prior_shift"))
    gains_of = np.array(gains)
    error = gains_of.std(ddof=1) / math.sqrt(len(gains))
    assert abs(gains_of.mean() + 0.5 / 200) < 4 * error
    assert error < 0.5 / 200  # it can be told from no subtraction


def test_infinite_rows_stand_apart() -> None:
    y, p, _ = case("plain")
    p = p.copy()
    p[:5] = 1 - y[:5]
    bins, rows = both(y, p)
    assert bins.in_sample.miscalibration == math.inf
    assert bins.in_sample.discrimination == pytest.approx(rows.in_sample.discrimination, abs=0.002)
    assert [entry.name for entry in bins.budget] == [entry.name for entry in rows.budget]
    for one, other in zip(bins.budget, rows.budget, strict=True):
        assert one.nats == pytest.approx(other.nats, abs=1e-3)
    told = next(note.text for note in ll.explain(ll.summarize(y, p)).score.notes if note.id == "in-bins")
    assert "inf" not in told
    weight = np.random.default_rng(1).gamma(1, 1, len(y))
    bins, rows = both(y, p, weight=weight)
    assert bins.budget[0].nats == pytest.approx(rows.budget[0].nats, rel=1e-6)
    p[:50] = 1 - y[:50]  # more than are kept one by one: their weights are not known apart
    bins, rows = both(y, p, weight=weight)
    assert bins.binned is None
    assert [entry.name for entry in bins.budget] == ["base_rate", "discrimination", "infinite"]


def test_forecasts_beyond_the_grid() -> None:
    y, z = drawn(20_000, 4)
    blunders = z.copy()
    blunders[:50] = np.where(y[:50], -800, 800)
    bins, rows = both(y, blunders, space="logit")
    assert [step.name for step in bins.steps] == [step.name for step in rows.steps]
    assert [step.name for step in bins.steps] == ["clip", "prior_shift", "temperature", "shape"]
    assert [step.gain for step in bins.steps] == pytest.approx([step.gain for step in rows.steps], abs=3e-4)
    assert bins.steps[2].parameters["temperature"] == pytest.approx(1.11, abs=0.02)  # that of the rows: 1.109
    assert bins.steps[2].parameters["offset"] == pytest.approx(rows.steps[2].parameters["offset"], abs=0.02)
    assert bins.in_sample.miscalibration == pytest.approx(rows.in_sample.miscalibration, abs=0.002)
    bins, rows = both(y, 30 * z, space="logit")  # it is not known how far out the right ones are
    assert bins.steps == ()
    assert [entry.name for entry in bins.budget] == ["base_rate", "discrimination", "miscalibration"]
    assert bins.in_sample.miscalibration == pytest.approx(rows.in_sample.miscalibration, rel=0.01)


def test_few_rows() -> None:
    found = of_summary(ll.summarize([0, 1], [0.5, 0.51]))
    assert found is not None
    assert found.binned is not None
    assert (found.binned.steps, found.binned.tried) == ((), ())
    # The rows are one bin: their own curve, 0 and then 1, loses nothing.
    assert found.binned.miscalibration == pytest.approx((0.0, (math.log(1 / 0.5) + math.log(1 / 0.51)) / 2))
    same = of_summary(ll.summarize([0, 1] * 200, [0.3] * 400))
    assert same is not None
    assert same.in_sample.discrimination == pytest.approx(0, abs=1e-12)
    assert same.in_sample.miscalibration == pytest.approx(-math.log(2 * math.sqrt(0.21)), rel=1e-12)
    assert [step.name for step in same.steps] == ["prior_shift"]
    one = of_summary(ll.summarize([1, 1, 1], [0.5, 0.5, 0.2], labels=[0, 1]))
    assert one is not None
    assert one.in_sample.uncertainty == 0
    assert one.in_sample.miscalibration == pytest.approx(one.log_loss)


def test_several_columns_have_no_decomposition() -> None:
    y, z = drawn(500, 1)
    assert of_summary(ll.summarize(y, np.column_stack([expit(-z), expit(z)]))) is None
    why = ll.explain(ll.summarize(y, np.column_stack([expit(-z), expit(z)])))
    assert why.decomposition is None
    assert "as many columns" in next(note.text for note in why.score.notes if note.id == "from-summary")
    assert {"in-bins", "from-summary"} <= {note.id for note in why.score.notes}
    assert {"reliability", "linear"} <= set(why.kinds)
    assert "belief" not in why.kinds


def test_groups_have_no_interval() -> None:
    y, p, _ = case("plain")
    found = of_summary(ll.summarize(y, p, group=np.arange(len(y)) % 7))
    alone = of_summary(ll.summarize(y, p))
    assert found is not None
    assert alone is not None
    assert [step.gain for step in found.steps] == [step.gain for step in alone.steps]
    assert {step.interval for step in found.steps} == {None}


# The explanation -------------------------------------------------------------------------------------------------


def test_findings_are_those_of_the_rows() -> None:
    y, p, _ = case("plain")
    folded, rows = ll.explain(ll.summarize(y, p)), ll.explain(y, p)
    assert [one.id for one in folded.findings] == [one.id for one in rows.findings] == ["LL020", "LL022"]
    assert "in sample" in folded.findings[0].text
    assert "unseen" not in str(folded)
    y, p, _ = case("calibrated")
    right = ll.explain(ll.summarize(y, p))
    assert [one.id for one in right.findings] == ["LL081"]
    assert "at most" in right.findings[0].text


def test_figures_of_a_summary() -> None:
    y, p, _ = case("plain", 2000)
    why = ll.explain(ll.summarize(y, p))
    assert {"budget", "payers", "reliability", "linear", "belief"} <= set(why.kinds)
    for kind in why.kinds:
        assert why.svg(kind).startswith("<svg")
        assert why.alt(kind)
    json.dumps(why.to_dict(), allow_nan=False)
    assert why.to_dict()["miscalibration"]["bins"]["bins"] == why.decomposition.binned.bins  # type: ignore[union-attr]
    assert "Half of the loss is on" in str(why)


def test_parts_merged_are_explained_as_the_whole(tmp_path: Path) -> None:
    y, p, _ = case("plain", 6000)
    parts = []
    for at, rows in enumerate((slice(0, 1000), slice(1000, 1007), slice(1007, 6000))):
        parts.append(tmp_path / f"{at}.json")
        ll.summarize(y[rows], p[rows], labels=[0, 1]).save(parts[-1])
    merged, whole = ll.merge(parts), ll.summarize(y, p)
    merged.save(tmp_path / "all.json")
    a, b, c = (ll.explain(one) for one in (merged, whole, tmp_path / "all.json"))
    assert a.decomposition is not None
    assert b.decomposition is not None
    for name in ("uncertainty", "discrimination", "miscalibration"):
        assert getattr(a.decomposition.in_sample, name) == pytest.approx(
            getattr(b.decomposition.in_sample, name), rel=1e-9
        )
    assert [step.gain for step in a.decomposition.steps] == pytest.approx(
        [step.gain for step in b.decomposition.steps], rel=1e-9
    )
    assert a.half_between == b.half_between
    assert c.to_dict() == a.to_dict()


@given(st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1)), min_size=4, max_size=40), st.integers(1, 39))
@settings(max_examples=40, deadline=None)
def test_any_rows_are_explained_and_in_any_parts(rows: list[tuple[int, float]], cut: int) -> None:
    y, p = map(np.array, zip(*rows, strict=True))
    cut = min(cut, len(y) - 1)
    one = ll.summarize(y, p, labels=[0, 1])
    two = ll.merge(
        [ll.summarize(y[s], p[s], labels=[0, 1]) for s in (slice(cut), slice(cut, None))], allow_equal=True
    )
    a, b = ll.explain(one), ll.explain(two)
    json.dumps(a.to_dict(), allow_nan=False)
    assert str(a)
    assert a.decomposition is not None
    assert b.decomposition is not None
    assert a.decomposition.in_sample.miscalibration == pytest.approx(
        b.decomposition.in_sample.miscalibration, rel=1e-9, abs=1e-9
    )
    assert a.half_between == b.half_between


def test_a_summary_has_no_columns_to_name(tmp_path: Path) -> None:
    saved = tmp_path / "part.json"
    ll.summarize([0, 1], [0.2, 0.7]).save(saved)
    with pytest.raises(ll.UsageError, match="its columns behind it"):
        ll.explain(saved, outcome="y")
