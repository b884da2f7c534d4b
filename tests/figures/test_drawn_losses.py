"""What is drawn of losses: constants, who pays, budgets, clips, slices, gaps. Numbers are read back from the artists."""

from __future__ import annotations

import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
from artists import drawn, names, points, words

import logloss as ll


@pytest.fixture(autouse=True)
def _closed() -> object:
    yield
    plt.close("all")


def rows(n: int = 800, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    z = random.normal(-1, 1.5, n)
    return (random.random(n) < 1 / (1 + np.exp(-z))).astype(int), 1 / (1 + np.exp(-2 * z))


def endless() -> tuple[np.ndarray, np.ndarray]:
    y, p = rows()
    y[:3], p[:3] = [1, 0, 1], [0.0, 1.0, 1.0]
    return y, p


def test_bars_are_as_long_as_the_losses() -> None:
    y, p = rows()
    result = ll.score(y, p)
    ax = result.plot(kind="baselines")
    bars = [bar.get_width() for bar in drawn(ax, "loss")]
    assert bars == pytest.approx([result.log_loss, result.base_rate, math.log(2)], rel=1e-12)
    assert points(ax, "interval")[0] == pytest.approx(list(result.interval), rel=1e-12)
    assert f"{result.log_loss:.4f}" in words(ax)
    assert f"{result.log_loss:.4f}" in result.alt("baselines")


@pytest.mark.parametrize("width", [430, 460, 520, 640, 900])
def test_the_interval_behind_the_bar_is_not_cut_off(width: int) -> None:
    import matplotlib.pyplot as plt

    y, p = rows()
    fig, ax = plt.subplots(figsize=(width / 96, 2.4), layout="constrained")
    ll.score(y, p).plot(ax, kind="baselines")
    fig.canvas.draw()
    told = [one for one in ax.texts if "(" in one.get_text()]
    assert len(told) == 1
    assert told[0].get_window_extent().x1 <= fig.bbox.width


def test_an_infinite_loss_is_an_arrow_at_the_edge_and_said() -> None:
    result = ll.score(*endless())
    ax = result.plot(kind="baselines")
    assert drawn(ax, "loss")[0].get_width() == pytest.approx(result.log_loss_finite, rel=1e-12)
    assert len(drawn(ax, "infinite")) == 1
    assert "2 rows said 0 of what happened" in words(ax)
    assert drawn(ll.score(*rows()).plot(kind="baselines"), "infinite") == []


def test_rows_and_loss_by_surprise_are_counted_anew() -> None:
    y, p = rows()
    s = np.where(y == 1, -np.log(p), -np.log1p(-p))
    edges = [0, 0.01, 0.03, 0.1, 0.3, 0.7, 1, 2, 3, 5, 10, np.inf]
    many = np.histogram(s, edges)[0] / len(s)
    much = np.histogram(s, edges, weights=s)[0] / s.sum()
    ax = ll.score(y, p).plot()
    assert [bar.get_height() for bar in drawn(ax, "rows")] == pytest.approx(100 * many)
    assert [bar.get_height() for bar in drawn(ax, "loss")] == pytest.approx(100 * much)
    assert [label.get_text() for label in ax.get_xticklabels()] == [f"{edge:g}" for edge in edges[1:-1]]
    assert points(ax, "coin")[0] == [4.5, 4.5]  # between the bins that end and begin at 0.7
    frame = ll.score(y, p).frame()
    assert frame["rows"] == pytest.approx(many.tolist())
    assert frame["surprise_to"][-1] == math.inf


def test_infinite_rows_pay_apart() -> None:
    result = ll.score(*endless())
    frame, ax = result.frame(), result.plot()
    assert sum(frame["rows"]) == pytest.approx(1)
    assert sum(x for x in frame["loss"] if x is not None) == pytest.approx(1)
    assert (frame["rows"][-1], frame["loss"][-1]) == (2 / 800, None)
    assert len(drawn(ax, "rows")) == len(drawn(ax, "loss")) + 1
    assert drawn(ax, "infinite")
    assert "2 rows of infinite loss apart" in words(ax)
    assert "2 rows of infinite loss apart" in result.alt()


def test_the_lorenz_curve_is_that_of_the_result() -> None:
    result = ll.lorenz(*endless())
    ax = result.plot()
    x, y = points(ax, "curve")
    assert x == pytest.approx(100 * result.row_share)
    assert y == pytest.approx(100 * result.loss_share)
    assert f"Gini {result.gini:.3f}" in words(ax)
    assert "2 rows of infinite loss apart" in words(ax)


def test_the_budget_goes_from_the_base_rate_to_the_loss() -> None:
    parts = ll.decompose(*rows())
    ax = parts.plot()
    end = 0.0
    for entry in parts.budget:
        (bar,) = drawn(ax, entry.name)
        begin = bar.get_x()
        assert begin == pytest.approx(end, abs=1e-12)
        assert bar.get_width() == pytest.approx(entry.nats, rel=1e-12)
        end = begin + bar.get_width()
    assert end == pytest.approx(parts.log_loss, rel=1e-9)
    assert drawn(ax, "log_loss")[0].get_width() == pytest.approx(parts.log_loss, rel=1e-12)
    assert names(ax)[0] == "base rate alone"
    assert names(ax)[-1] == "log loss"


def test_an_infinite_budget_ends_in_arrows() -> None:
    parts = ll.decompose(*endless())
    ax = parts.plot()
    assert len(drawn(ax, "infinite")) == 2  # of the infinite rows, and of the loss
    assert drawn(ax, "log_loss") == []
    assert "Infinite: a forecast of 0 happened" in words(ax)


def test_the_clip_curve_is_exact_and_marks_the_best_and_the_advised() -> None:
    y, p = rows()
    clip = ll.explain(y, p).clip
    ax = clip.plot()
    x, loss = points(ax, "curve")
    for eps, value in list(zip(x, loss, strict=True))[::97]:
        assert value == pytest.approx(ll.log_loss(y, np.clip(p, eps, 1 - eps)), rel=1e-12)
    assert x[-1] == 0.5
    assert loss[-1] == pytest.approx(math.log(2))
    assert points(ax, "best") == ([clip.best], [clip.log_loss])
    assert points(ax, "suggested") == ([clip.suggested], [clip.suggested_log_loss])
    assert min(loss) == pytest.approx(clip.log_loss, rel=1e-12)
    assert points(ax, "given")[1] == pytest.approx([ll.log_loss(y, p)] * 2)


def test_a_clip_curve_without_a_finite_loss_says_so() -> None:
    ax = ll.explain(*endless()).plot(kind="clip")
    assert drawn(ax, "given") == []
    assert "Without a clip the loss is infinite" in words(ax)


def test_slices_are_dots_at_their_excess() -> None:
    y, p = rows(2000)
    part = np.where(np.arange(2000) % 5 == 0, "off $x^2$", "as the rest")
    p = np.where(part != "as the rest", np.clip(1 - p, 0.02, 0.98), p)
    found = ll.explain({"y": y, "p": p, "part": part}, by=["part"]).slices
    ax = found.plot()
    assert [float(dot.get_xdata()[0]) for dot in drawn(ax, "value")] == pytest.approx(
        [one.excess for one in found.rows]
    )
    assert "off $x^2$" in names(ax)[0]
    assert found.rows[0].verdict in words(ax)
    assert found.frame()["excess"] == [one.excess for one in found.rows]
    assert "part = off" in found.alt()


def test_a_gap_is_one_difference_then_its_parts() -> None:
    y, p = rows()
    found = ll.gap((y[:400], np.clip(p[:400], 0.05, 0.95)), (y[400:], p[400:]))
    ax = found.plot()
    values = [float(dot.get_xdata()[0]) for dot in drawn(ax, "value")]
    assert values == pytest.approx([found.difference, *(part.nats for part in found.parts)])
    lines = drawn(ax, "interval")
    assert list(lines[0].get_xdata()) == pytest.approx(list(found.interval))
    error = found.parts[0].standard_error
    assert list(lines[1].get_xdata()) == pytest.approx([values[1] - 2 * error, values[1] + 2 * error])
    assert len(drawn(ax, "zero")) == 1
    assert names(ax)[0] == "validation - training"
    assert values[1] + values[2] == pytest.approx(values[0])


def test_an_infinite_gap_is_an_arrow_and_the_finite_difference_below() -> None:
    y, p = endless()
    found = ll.gap((y[400:], p[400:]), (y[:400], p[:400]))
    ax = found.plot()
    (arrow,) = drawn(ax, "infinite")
    assert arrow.get_xdata()[0] == ax.get_xlim()[1]
    assert float(drawn(ax, "value")[0].get_xdata()[0]) == pytest.approx(found.difference_finite)
    assert "2 rows of validation infinite" in words(ax)


def test_both_sides_infinite_are_undefined_and_said() -> None:
    y, p = endless()
    found = ll.gap((y[:400], p[:400]), (y[:500], p[:500]))
    assert math.isnan(found.difference)
    assert "undefined" in words(found.plot())


@pytest.mark.parametrize(("y", "p"), [([1], [0.7]), ([1], [0.0]), ([1, 0], [1.0, 0.0])])
def test_one_row_or_no_loss_can_be_drawn(y: list[int], p: list[float]) -> None:
    result = ll.explain(y, p, labels=[0, 1])
    for kind in result.kinds:
        result.plot(kind=kind).figure.canvas.draw()
        assert result.alt(kind)
        assert result.frame(kind)
        result.svg(kind)
    plt.close("all")


def test_five_classes_and_soft_outcomes_can_be_drawn() -> None:
    random = np.random.default_rng(0)
    P = random.dirichlet(np.ones(5), 200)
    T = random.dirichlet(np.ones(5), 200)
    result = ll.explain(T, P)
    for kind in result.kinds:
        result.plot(kind=kind).figure.canvas.draw()
        plt.close("all")
    assert "clip" not in result.kinds
    assert "suspects" not in result.kinds
