"""One table of conventions: each tool's documented figure for a certain mistake, and real scikit-learn beside us."""

from __future__ import annotations

import math

import numpy as np
import pytest

import logloss as ll
from logloss.rules import CONVENTIONS, EDGES

# What each tool prints for one row y = 1, p = 0 (read from its source or run; Spark, H2O: -log 1e-15, and so on).
CERTAIN_MISTAKE = {
    "scikit-learn<=1.1": 34.538776394910684,
    "scikit-learn 1.2-1.4": 36.04365338911715,
    "scikit-learn>=1.5": 36.04365338911715,
    "scikit-learn>=1.5 float32": 15.942385152878742,
    "kaggle": 34.538776394910684,
    "keras": 16.11809565095832,
    "keras loss": 16.11809565095832,
    "pytorch BCELoss": 100.0,
    "xgboost": 36.841361487904734,
    "lightgbm": 34.538776394910684,
    "lightgbm cross_entropy": 27.631021115928547,
    "catboost": math.inf,
    "spark": 34.538776394910684,
    "h2o": 34.538776394910684,
    "yardstick": 36.04365338911715,
    "ml.net": math.inf,
}


def test_the_table_is_complete_and_sourced() -> None:
    assert {c.name for c in CONVENTIONS} == {"exact", *CERTAIN_MISTAKE}
    for convention in CONVENTIONS:
        assert convention.rule
        assert convention.source


def test_edges_are_ascending_and_cover_every_clamp() -> None:
    for edges in EDGES.values():
        assert list(edges) == sorted(set(edges))
    for convention in CONVENTIONS:
        for edge in (convention.low, convention.high):
            assert edge in (0.0, math.inf) or edge in EDGES[convention.view]
    assert set(EDGES["renormalized"]) <= set(EDGES["given"])


@pytest.mark.parametrize("name", CERTAIN_MISTAKE)
def test_a_certain_mistake(name: str) -> None:
    assert ll.score([1], [0.0], labels=[0, 1]).conventions[name] == pytest.approx(
        CERTAIN_MISTAKE[name], rel=1e-8
    )


def test_float32_keeps_no_small_complements() -> None:
    # XGBoost holds p in float32: label 0 with margin 17 jumps to 36.84, margin 16 costs 15.94; label 1 is not touched.
    def xgboost(y: int, margin: float) -> float:
        return ll.score([y], [margin], space="logit", labels=[0, 1]).conventions["xgboost"]

    assert xgboost(0, 17.0) == pytest.approx(36.84, abs=0.01)
    assert xgboost(0, 16.0) == pytest.approx(15.94, abs=0.01)
    assert xgboost(1, -30.0) == pytest.approx(30.0, abs=1e-5)


def test_keras_clips_in_float32() -> None:
    # Keras's own test: p = [[1, 1], [1, 0]] against y = [[1, 0], [1, 0]] is 3.98559, as 1 - 1e-7 is 1 - 2^-23 there.
    result = ll.score([1, 0, 1, 0], [1.0, 1.0, 1.0, 0.0])
    assert result.conventions["keras"] == pytest.approx(3.98559, abs=1e-5)


def test_installed_scikit_learn_prints_what_we_say(rng: np.random.Generator) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    p = np.concatenate([rng.random(300), [0, 1, 0, 1e-20, 1 - 1e-9]])
    y = np.concatenate([(rng.random(300) < p[:300]).astype(int), [1, 0, 0, 1, 0]])
    w = rng.random(305)
    for weight in (None, w):
        result = ll.score(y, p, weight=weight)
        assert result.conventions["scikit-learn>=1.5"] == pytest.approx(
            metrics.log_loss(y, p, sample_weight=weight), rel=1e-9
        )
        narrow = metrics.log_loss(y, p.astype(np.float32), sample_weight=weight)
        assert result.conventions["scikit-learn>=1.5 float32"] == pytest.approx(narrow, rel=1e-5)
    P = rng.dirichlet(np.full(6, 0.05), 400)
    P[P < 1e-9] = 0
    P /= P.sum(axis=1, keepdims=True)
    t = rng.integers(0, 6, 400)
    assert ll.score(t, P).conventions["scikit-learn>=1.5"] == pytest.approx(
        metrics.log_loss(t, P, labels=range(6)), rel=1e-9
    )
    P32 = P.astype(np.float32)
    assert ll.score(t, P32).conventions["scikit-learn>=1.5 float32"] == pytest.approx(
        metrics.log_loss(t, P32, labels=range(6)), rel=1e-5
    )


def test_rows_off_one_are_divided_where_the_tool_divides() -> None:
    result = ll.score([0, 1], [[0.5025, 0.5025], [0.3, 0.7]])
    assert result.conventions["kaggle"] == pytest.approx(-(math.log(0.5) + math.log(0.7)) / 2)
    assert result.conventions["scikit-learn>=1.5"] == pytest.approx(-(math.log(0.5025) + math.log(0.7)) / 2)


def test_weights_over_rows_or_over_weights() -> None:
    result = ll.score([1, 0], [0.5, 0.25], weight=[1, 3])
    total = math.log(2) - 3 * math.log(0.75)
    assert result.conventions["keras"] == pytest.approx(total / 4)
    assert result.conventions["keras loss"] == pytest.approx(total / 2)
    assert result.conventions["pytorch BCELoss"] == pytest.approx(total / 2)


def test_rows_of_weight_zero_are_rows_to_a_mean_over_rows() -> None:
    result = ll.score([1, 0, 1, 1], [0.9, 0.2, 0.6, 0.3], weight=[1, 2, 0, 1])
    total = -math.log(0.9) - 2 * math.log(0.8) - math.log(0.3)
    assert result.conventions["pytorch BCELoss"] == pytest.approx(
        total / 4
    )  # PyTorch divides by all elements
    assert result.conventions["kaggle"] == pytest.approx(total / 4)  # as sum(w) happens to be 4


def test_log_probabilities_off_one_are_divided_too() -> None:
    P = np.array([[0.5025, 0.5025], [0.3, 0.7]])
    a, b = ll.score([0, 1], P), ll.score([0, 1], np.log(P), space="logp")
    for name in ("kaggle", "scikit-learn<=1.1", "keras", "scikit-learn>=1.5"):
        assert b.conventions[name] == pytest.approx(a.conventions[name], rel=1e-7)


def test_ml_net_is_in_bits() -> None:
    assert ll.score([1], [0.25], labels=[0, 1]).conventions["ml.net"] == pytest.approx(2.0)


def test_which_number() -> None:
    y, p = [1, 1, 1, 0, 0, 0], [0.5, 0.1, 0.01, 0.9, 0.75, 0.001]
    bans = ll.which_number(y, p, reported=0.817254)
    assert [(m.convention, m.how) for m in bans.matches] == [("exact", "mean in base 10, as given")]
    total = ll.which_number(y, p, reported="11.2908")
    assert {m.how for m in total.matches} == {"sum, as given"}
    other = ll.log_loss(y, 1 - np.array(p))
    assert any("probability of 0" in m.how for m in ll.which_number(y, p, reported=round(other, 6)).matches)
    weighted = ll.which_number(y, p, reported=1.8817971, weight=[1, 2, 3, 4, 5, 6])
    assert {m.how for m in weighted.matches} == {"mean, weights ignored"}


def test_which_number_with_no_match_shows_the_nearest() -> None:
    answer = ll.which_number([1, 0], [0.9, 0.2], reported="123.4")
    assert answer.matches == ()
    assert len(answer.nearest) == 3
    assert "nearest" in str(answer)
    assert answer.to_dict()["reported"] == 123.4


@pytest.mark.parametrize(
    ("reported", "digits"), [(0.26, 2), ("0.2610", 4), ("2.61e-1", 3), (3, 0), ("inf", 0)]
)
def test_decimals_say_how_exactly_it_must_be_met(reported: float | str, digits: int) -> None:
    assert ll.which_number([1, 0], [0.9, 0.2], reported=reported).digits == digits


def test_a_figure_in_full_precision_is_met_to_rounding(rng: np.random.Generator) -> None:
    p, w = rng.random(150), rng.random(150)
    y = rng.integers(0, 2, 150)
    reported = float(np.average(np.where(y == 1, -np.log(p), -np.log1p(-p)), weights=w))
    for figure in (reported, float(np.nextafter(reported, 1))):
        assert ll.which_number(y, p, weight=w, reported=figure).matches


def test_infinity_can_be_reported_and_nan_cannot() -> None:
    answer = ll.which_number([1, 0], [0.0, 0.2], reported="inf")
    assert "catboost" in {match.convention for match in answer.matches}
    assert answer.to_dict()["reported"] == "inf"
    with pytest.raises(ll.UsageError):
        ll.which_number([1, 0], [0.9, 0.2], reported=float("nan"))


def test_a_figure_that_is_no_number() -> None:
    with pytest.raises(ll.UsageError, match="not a number"):
        ll.which_number([1, 0], [0.9, 0.2], reported="low")
