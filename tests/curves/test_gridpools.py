"""Reliability from the grid of a summary: beside the same rows, by bin, weighted, with 0 and 1, of K columns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

import logloss as ll
from logloss.curves.gridpools import infinite_ends, pools_of, weight_powers


def drawn(n: int, seed: int, slope: float = 0.7) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    z = rng.normal(0, 2, n)
    return (rng.random(n) < expit(slope * z)).astype(int), z


def by_bin(z: np.ndarray, *columns: np.ndarray) -> list[np.ndarray]:
    """Return sums over occupied bins of 1/16, by NumPy's histogram."""
    edges = np.arange(-32, 32 + 1 / 32, 1 / 16)
    sums = [np.histogram(z, edges, weights=column)[0] for column in columns]
    kept = np.histogram(z, edges)[0] > 0
    return [one[kept] for one in sums]


def test_bins_are_sums_of_their_rows() -> None:
    y, z = drawn(5000, 1)
    w = np.random.default_rng(2).gamma(2, 1, 5000)
    found = pools_of(ll.summarize(y, z, space="logit", weight=w))
    p = expit(z)
    weight, happened, mean, spread, squares = by_bin(z, w, w * y, w * p, w * w * p * (1 - p), w * w)
    assert found.weight == pytest.approx(weight, rel=1e-12)
    assert found.share == pytest.approx(happened / weight, abs=1e-9)
    assert found.forecast == pytest.approx(mean / weight, rel=1e-9)
    assert found.rows.sum() == pytest.approx(5000)
    # What a bin does not know is right as a whole: squares of weights, and the variance of outcomes.
    assert found.squares.sum() == pytest.approx(squares.sum(), rel=1e-9)
    assert found.spread.sum() == pytest.approx(spread.sum(), rel=0.05)
    surprise = np.where(y == 1, np.logaddexp(0, -z), np.logaddexp(0, z))
    assert found.beside["surprise"].sum() == pytest.approx((w * surprise).sum(), rel=2e-4)
    assert found.beside["infinite"].sum() == 0
    assert weight_powers(ll.summarize(y, p, weight=w)) == pytest.approx(
        ((w**2).sum() / w.sum(), (w**3).sum() / w.sum()), rel=1e-10
    )


def test_rows_are_counted_without_weights() -> None:
    y, z = drawn(5000, 1)
    found = pools_of(ll.summarize(y, expit(z)))
    rows = by_bin(z, np.ones(5000))[0]
    assert found.rows.tolist() == rows.tolist() == found.squares.tolist()
    assert found.effective().tolist() == rows.tolist()


@pytest.mark.parametrize("weighted", [False, True])
def test_the_curve_is_that_of_the_rows(weighted: bool) -> None:
    y, z = drawn(60_000, 3)
    p = expit(z)
    weight = np.random.default_rng(5).gamma(2, 1, len(y)) if weighted else None
    bins = ll.reliability(ll.summarize(y, p, weight=weight))
    rows = ll.reliability(y, p, weight=weight)
    assert bins.n == rows.n
    at = np.quantile(p, np.linspace(0.05, 0.95, 19))
    for column in ("fitted", "low", "high"):  # steps of either are jagged; on the whole they agree
        one, other = (
            np.interp(at, r.curve.steps.forecast, getattr(r.curve.steps, column)) for r in (bins, rows)
        )
        assert np.abs(one - other).mean() < 0.008
    assert bins.curve.outside == pytest.approx(rows.curve.outside, abs=0.06)
    middle = bins.curve.bins.forecast
    for column, off in (("share", 0.012), ("low", 0.012), ("high", 0.012)):
        other = np.interp(middle, rows.curve.bins.forecast, getattr(rows.curve.bins, column))
        assert getattr(bins.curve.bins, column)[1:-1] == pytest.approx(other[1:-1], abs=off)
    for r in (bins, rows):
        assert len(r.curve.bins) == 15
        assert r.belief is not None
    width = [float(np.mean(r.curve.bins.high - r.curve.bins.low)) for r in (bins, rows)]
    assert width[0] == pytest.approx(width[1], rel=0.05)
    total = [float((r.belief.weight * r.belief.excess).sum()) for r in (bins, rows) if r.belief is not None]
    assert total[0] == pytest.approx(total[1], rel=2e-3)
    assert "in-bins" in {note.id for note in bins.notes}


def test_confidence_bands() -> None:
    y, z = drawn(20_000, 3)
    found = ll.reliability(ll.summarize(y, expit(z)), band="confidence")
    rows = ll.reliability(y, expit(z), band="confidence")
    at = np.linspace(0.05, 0.95, 10)
    for column in ("low", "high"):
        one, other = (
            np.interp(at, r.curve.steps.forecast, getattr(r.curve.steps, column)) for r in (found, rows)
        )
        assert one == pytest.approx(other, abs=0.03)
    assert (found.curve.steps.low <= found.curve.steps.high).all()


def test_forecasts_of_exactly_0_and_1() -> None:
    y = [0, 1, 1, 0, 1, 0]
    p = [0.0, 0.0, 1.0, 1.0, 0.5, 0.5]
    summary = ll.summarize(y, p)
    found = ll.reliability(summary)
    rows = ll.reliability(y, p)
    assert found.curve.bins.forecast.tolist() == rows.curve.bins.forecast.tolist() == [0, 0.5, 1]
    assert found.curve.bins.log_odds.tolist() == [-np.inf, 0, np.inf]
    assert found.curve.bins.share.tolist() == [0.5, 0.5, 0.5]
    assert found.belief is not None
    assert rows.belief is not None
    assert found.belief.infinite_rows.tolist() == rows.belief.infinite_rows.tolist() == [1, 0, 1]
    assert found.belief.surprise.tolist() == pytest.approx(rows.belief.surprise.tolist())
    assert infinite_ends(summary) == (1, 1)
    sure = ll.reliability(ll.summarize([0, 1], [1e-15, 1 - 1e-15]))
    assert np.isfinite(sure.curve.steps.log_odds).all()
    assert (sure.curve.steps.forecast > 0).all()
    assert (sure.curve.steps.forecast < 1).all()


def test_weights_of_infinite_rows() -> None:
    y, p, w = [1, 0, 1, 0], [0.0, 1.0, 0.5, 0.5], [2.0, 3.0, 1.0, 1.0]
    assert infinite_ends(ll.summarize(y, p, weight=w)) == (2, 3)
    assert infinite_ends(ll.summarize(y, p, weight=w, top=1)) is None
    assert infinite_ends(ll.summarize(y[:1] + y[2:], p[:1] + p[2:], weight=w[:1] + w[2:], top=1)) == (2, 0)
    assert infinite_ends(ll.summarize([0.5, 0.2], [0.0, 0.3])) is None
    left = pools_of(ll.summarize(y, p, weight=w), finite=True)
    assert left.weight.tolist() == [2]
    assert left.share.tolist() == [0.5]


def test_first_choices_of_several_columns() -> None:
    rng = np.random.default_rng(0)
    P = rng.dirichlet([1, 1, 1], 20_000)
    y = (P.cumsum(axis=1) < rng.random((len(P), 1))).sum(axis=1)
    bins, rows = ll.reliability(ll.summarize(y, P)), ll.reliability(y, P)
    assert bins.curve.event is None
    assert (bins.by_class, bins.belief) == ({}, None)
    at = np.linspace(0.45, 0.95, 8)
    one, other = (np.interp(at, r.curve.steps.forecast, r.curve.steps.fitted) for r in (bins, rows))
    assert one == pytest.approx(other, abs=0.025)
    assert bins.kinds == ("log-odds", "linear")
    with pytest.raises(ll.UsageError) as caught:
        bins.frame("belief")
    assert caught.value.slug == "unknown-frame"
    json.dumps(bins.to_dict(), allow_nan=False)
    assert "first choice" in str(bins)


@given(
    st.lists(st.tuples(st.integers(0, 1), st.floats(-80, 80), st.floats(0.1, 9)), min_size=1, max_size=50),
    st.integers(0, 49),
)
@settings(max_examples=50, deadline=None)
def test_parts_merged_are_the_whole(rows: list[tuple[int, float, float]], cut: int) -> None:
    y, z, w = map(np.array, zip(*rows, strict=True))
    cut = min(cut, len(y))
    options: dict[str, Any] = {"space": "logit", "labels": [0, 1]}
    parts = [
        ll.summarize(y[s], z[s], weight=w[s], **options) for s in (slice(cut), slice(cut, None)) if len(y[s])
    ]
    whole = ll.reliability(ll.summarize(y, z, weight=w, **options), bands=20)
    merged = ll.reliability(ll.merge(parts, allow_equal=True), bands=20)
    for column in ("forecast", "weight", "rows", "share", "fitted"):
        one, other = (getattr(r.curve.steps, column) for r in (whole, merged))
        assert one == pytest.approx(other, rel=1e-9, abs=1e-12)
    assert (np.diff(whole.curve.steps.forecast) >= 0).all()
    assert (np.diff(whole.curve.steps.fitted) >= 0).all()


def test_files_and_panels(tmp_path: Path) -> None:
    y, z = drawn(300, 9)
    summary = ll.summarize(y, expit(z))
    summary.save(tmp_path / "part.json")
    assert ll.reliability(tmp_path / "part.json").to_dict() == ll.reliability(summary).to_dict()
    with pytest.raises(ll.UsageError, match="its columns behind it"):
        ll.reliability(summary, weight=[1.0])
    panel = ll.summarize({"y": y, "a": expit(z), "b": expit(z)}, {"a": "a", "b": "b"}, outcome="y")
    with pytest.raises(ll.UsageError) as caught:
        ll.reliability(panel)
    assert caught.value.slug == "one-forecast"


def test_shares_are_told_in_a_note() -> None:
    found = ll.reliability(ll.summarize([0.5, 0.2, 0.9], [0.4, 0.3, 0.8]))
    assert "band-of-shares" in {note.id for note in found.notes}
