"""Reliability diagrams: what is drawn where, on both kinds of axes, at the edges, for classes."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from artists import drawn, points, words

import logloss as ll
from logloss.figures.scales import Scale, log_odds


@pytest.fixture(autouse=True)
def _closed() -> object:
    yield
    plt.close("all")


def rows(n: int = 900) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(5)
    z = random.normal(-1, 1.5, n)
    return (random.random(n) < 1 / (1 + np.exp(-z))).astype(int), 1 / (1 + np.exp(-2 * z))


@pytest.mark.parametrize("kind", ["log-odds", "linear"])
def test_curve_bins_and_intervals_stand_where_the_result_says(kind: str) -> None:
    found = ll.reliability(*rows())
    ax = found.plot(kind=kind)
    low, high = ax.get_xlim()
    steps, bins = found.curve.steps, found.curve.bins
    x, y = points(ax, "steps")
    assert x == pytest.approx(np.clip(steps.forecast, low, high))
    assert y == pytest.approx(np.clip(steps.fitted, low, high))
    assert points(ax, "bins")[0] == pytest.approx(np.clip(bins.forecast, low, high))
    assert points(ax, "bins")[1] == pytest.approx(np.clip(bins.share, low, high))
    (intervals,) = drawn(ax, "intervals")
    ends = np.array([line[:, 1] for line in intervals.get_segments()])
    assert ends == pytest.approx(np.clip(np.column_stack([bins.low, bins.high]), low, high))
    assert ax.get_ylim() == (low, high)
    assert points(ax, "right") == ([low, high], [low, high])


def test_the_default_axes_are_of_log_odds() -> None:
    found = ll.reliability(*rows())
    ax = found.plot()
    assert (ax.get_xscale(), ax.get_yscale()) == ("logit", "logit")
    assert "log-odds scale" in ax.child_axes[0].get_xlabel()
    linear = found.plot(kind="linear")
    assert (linear.get_xscale(), linear.get_xlim()) == ("linear", (0.0, 1.0))


def test_the_band_is_within_the_polygon_drawn() -> None:
    found = ll.reliability(*rows())
    ax = found.plot(kind="linear")
    (band,) = drawn(ax, "band")
    corners = band.get_paths()[0].vertices
    steps = found.curve.steps
    for low_or_high in (steps.low, steps.high):
        whole = {(round(a, 9), round(b, 9)) for a, b in zip(steps.forecast, low_or_high, strict=True)}
        on = {(round(a, 9), round(b, 9)) for a, b in corners}
        assert len(whole & on) >= 100  # thinned, each point one of the band
    assert len(corners) < 2 * 220
    assert corners[:, 0].min() == pytest.approx(steps.forecast[0])
    assert corners[:, 0].max() == pytest.approx(steps.forecast[-1])


def test_forecasts_of_0_and_1_stand_at_the_edges_and_are_counted() -> None:
    y, p = rows()
    y[:3], p[:3] = [1, 0, 1], [0.0, 1.0, 1.0]
    found = ll.reliability(y, p)
    ax = found.plot()
    low, high = ax.get_xlim()
    x, _ = points(ax, "bins")
    assert (x[0], x[-1]) == (low, high)
    assert "At the edge: forecasts of 1 row at 0, 2 rows at 1." in words(ax)
    labels = [label.get_text() for label in ax.child_axes[0].get_xticklabels()]
    assert (labels[0], labels[-1]) == ("0", "1")
    assert "At the edge" not in words(ll.reliability(*rows()).plot())


def test_what_lies_beyond_the_last_tick_is_not_called_0() -> None:
    y, p = rows()
    p[:2] = 1e-12
    found = ll.reliability(y, p)
    ax = found.plot()
    assert "forecasts of 2 rows at <1e-6" in words(ax)
    assert ax.child_axes[0].get_xticklabels()[0].get_text() == "<1e-6"


def piles(ax: plt.Axes) -> tuple[np.ndarray, np.ndarray]:
    (stairs,) = drawn(ax, "piles")
    return stairs.get_data()[:2]


def test_piles_count_all_rows() -> None:
    y, p = rows()
    for kind in ("log-odds", "linear"):
        ax = ll.reliability(y, p).plot(kind=kind)
        tall, edges = piles(ax)
        assert tall.sum() == pytest.approx(100)
        assert tall[0] == pytest.approx(100 * np.mean(p < edges[1]))


def test_piles_are_of_the_weight() -> None:
    y, p = rows()
    w = np.where(p > 0.5, 5.0, 1.0)
    for kind in ("log-odds", "linear"):
        ax = ll.reliability(y, p, weight=w).plot(kind=kind)
        tall, edges = piles(ax)
        assert tall[0] == pytest.approx(100 * w[p < edges[1]].sum() / w.sum())
        assert tall[-1] == pytest.approx(100 * w[p >= edges[-2]].sum() / w.sum())


def test_each_class_has_its_diagram() -> None:
    random = np.random.default_rng(0)
    P = random.dirichlet(np.ones(3), 500)
    y = np.array(["cat", "$dog$", "eel"])[[int(random.choice(3, p=row)) for row in P]]
    found = ll.reliability(y, P, labels=["cat", "$dog$", "eel"])
    first = found.plot()
    assert first.get_ylabel() == "its first choice is right"
    one = found.plot(event="$dog$")
    assert one.get_ylabel() == r"\$dog\$ happens"
    assert points(one, "bins")[0] == pytest.approx(found.by_class["$dog$"].bins.forecast)
    assert found.svg(event="$dog$") != found.svg()
    assert r"dog" in found.alt(event="$dog$")
    for wrong in ({"event": "cow"}, {"event": "cat", "kind": "belief"}):
        with pytest.raises(ll.LoglossError, match="no-such-figure"):
            found.plot(**wrong)


def test_a_confidence_band_is_named_so() -> None:
    y, p = rows()
    text = words(ll.reliability(y, p, band="confidence").plot())
    assert "where the truth lies, 90 %" in text
    assert "where the curve lies if all is right" not in text


def test_expected_and_observed_loss_stand_in_each_bin() -> None:
    y, p = rows()
    y[:2], p[:2] = [1, 0], [0.0, 0.0]
    found = ll.reliability(y, p)
    ax = found.plot(kind="belief")
    assert points(ax, "expected")[1] == pytest.approx(found.belief.expected, nan_ok=True)
    lost = np.isinf(found.belief.surprise)
    assert points(ax, "surprise")[1] == pytest.approx(found.belief.surprise[~lost])
    assert points(ax, "infinite") == ([0.0], [ax.get_ylim()[1]])
    assert "Arrows: 1 row of infinite loss" in words(ax)


def test_a_bin_is_called_1_only_where_it_is_1() -> None:
    y, p = rows()
    p[:200] = 1 - 1e-9
    p[200:300] = 1.0
    ax = ll.reliability(y, p).plot(kind="belief")
    assert [label.get_text() for label in ax.get_xticklabels()][-2:] == ["1-1e-09", "1"]


def test_words_tell_where_it_is_off() -> None:
    found = ll.reliability(*rows())
    told = found.alt()
    assert "900 rows" in told
    assert f"{100 * found.curve.outside:.1f} %" in told


def lumps(*kinds: tuple[float, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return outcomes and forecasts: of each forecast so many rows, and so many events among them."""
    y = [np.r_[np.ones(events, int), np.zeros(many - events, int)] for _, many, events in kinds]
    return np.concatenate(y), np.repeat([p for p, _, _ in kinds], [many for _, many, _ in kinds])


def test_words_tell_the_bin_where_most_rows_are_off() -> None:
    # 900 rows are off by 0.1, and 20 rows by 0.4: 90 against 8.
    told = ll.reliability(*lumps((0.2, 900, 270), (0.9, 20, 10))).alt()
    assert "Most rows are off where it says 0.2: it happens in 30.0 % (" in told


def test_words_tell_the_loss_furthest_from_what_is_expected_above_or_below() -> None:
    # (share - p) (log(1 - p) - log p): 0.05 log 4 = 0.069, and 0.3 log(2 / 3) = -0.122.
    found = ll.reliability(*lumps((0.2, 400, 100), (0.6, 400, 360)))
    expected = -(0.6 * np.log(0.6) + 0.4 * np.log(0.4))
    came = -(0.9 * np.log(0.6) + 0.1 * np.log(0.4))
    told = found.alt("belief")
    assert f"where it says 0.6: {came:.4f} nats a row, {expected:.4f} expected" in told
    ax = found.plot(kind="belief", unit="bits")
    assert points(ax, "expected")[1][-1] == pytest.approx(expected / np.log(2))
    assert points(ax, "surprise")[1][-1] == pytest.approx(came / np.log(2))


@pytest.mark.parametrize(
    ("y", "p"),
    [([1], [0.3]), ([0, 1], [0.0, 1.0]), ([0, 1, 1], [0.5, 0.5, 0.5]), ([0, 1], [1e-300, 1 - 2**-53])],
)
def test_few_or_certain_rows_can_be_drawn(y: list[int], p: list[float]) -> None:
    found = ll.reliability(y, p, labels=[0, 1])
    for kind in found.kinds:
        found.plot(kind=kind).figure.canvas.draw()
        assert found.alt(kind)


def test_places_are_inside_and_in_order() -> None:
    scale = Scale("p", 3, 2)
    p = np.array([0.0, 1e-9, 1e-3, 0.5, 0.99, 1.0])
    placed = scale.place(p)
    assert (placed[0], placed[-1]) == scale.limits()
    assert (np.diff(placed) >= 0).all()
    assert placed[2:5].tolist() == [1e-3, 0.5, 0.99]
    edges = scale.edges(10)
    odds = np.log(edges / (1 - edges))
    assert np.diff(odds) == pytest.approx(np.full(10, (odds[-1] - odds[0]) / 10))
    found = log_odds(ll.reliability(*rows()).curve)
    assert found.low >= 3
