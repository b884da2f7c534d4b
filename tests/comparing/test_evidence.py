"""The likelihood ratio in words: against the paper's arithmetic and NumPy's, without overflow."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from logloss.comparing.evidence import evidence, odds


def test_a_hundredth_of_a_nat_in_a_thousand_rows() -> None:
    found = evidence(np.full(1000, 0.01))
    assert found is not None
    assert found.nats == pytest.approx(10.0, abs=1e-12)
    assert found.ratio == "e^10.0 = 22,026 to 1"  # e^10 = 22026.4657948067 (60-digit arithmetic)
    assert found.standard_error == pytest.approx(0.0, abs=1e-12)
    assert "likelier if the probabilities of new" in found.words("old", "new")
    assert "not that one is the better forecaster" in found.show()


def test_the_standard_error_is_sd_times_root_n(rng: np.random.Generator) -> None:
    d = rng.normal(size=40)
    found = evidence(d)
    assert found is not None
    assert found.standard_error == pytest.approx(float(np.std(d, ddof=1)) * math.sqrt(40), rel=1e-12)


def test_whole_weights_are_counts_and_others_have_no_likelihood(rng: np.random.Generator) -> None:
    d, w = rng.normal(size=30), rng.integers(0, 4, 30)
    counted, repeated = evidence(d, w.astype(float)), evidence(np.repeat(d, w))
    assert counted is not None
    assert repeated is not None
    assert counted.rows == repeated.rows == w.sum()
    assert counted.nats == pytest.approx(repeated.nats, rel=1e-13)
    assert counted.standard_error == pytest.approx(repeated.standard_error, rel=1e-12)
    assert counted.counted
    assert "as often as its weight says" in counted.words()
    assert evidence(d, np.full(30, 0.5)) is None


@pytest.mark.parametrize(
    ("nats", "text"),
    [
        (0.0, "e^0.0 = 1.0 to 1"),
        (math.log(20), "e^3.0 = 20.0 to 1"),
        (math.log(123456.0), "e^11.7 = 123,456 to 1"),
        (1000.0, "e^1000.0 = 2.0 x 10^434 to 1"),  # e^1000 = 1.97e434 (60-digit arithmetic)
        (1e5, "e^100000.0 = 2.8 x 10^43429 to 1"),  # 2.81e43429 (60-digit arithmetic)
        (20 * math.log(10) - 1e-6, "e^46.1 = 1.0 x 10^20 to 1"),
        (math.inf, "infinite"),
    ],
)
def test_odds_do_not_overflow(nats: float, text: str) -> None:
    assert odds(nats) == text


@pytest.mark.parametrize(
    ("d", "nats", "refuted", "says"),
    [
        ([0.5, math.inf], math.inf, (1, 0), "a called impossible"),
        ([0.5, -math.inf, -math.inf], -math.inf, (0, 2), "b called impossible"),
        ([math.inf, -math.inf], math.nan, (1, 1), "Both a and b"),
        ([math.nan, 1.0], math.nan, (1, 1), "Both a and b"),
    ],
)
def test_what_was_called_impossible_refutes(
    d: list[float], nats: float, refuted: tuple[int, int], says: str
) -> None:
    found = evidence(np.array(d))
    assert found is not None
    assert found.nats == pytest.approx(nats, nan_ok=True)
    assert (found.refuted, found.standard_error) == (refuted, None)
    assert says in found.show()
    json.dumps(found.to_dict(), allow_nan=False)


def test_a_row_of_weight_0_refutes_nothing() -> None:
    found = evidence(np.array([math.inf, 0.25]), np.array([0.0, 2.0]))
    assert found is not None
    assert (found.nats, found.refuted, found.rows) == (0.5, (0, 0), 2)


def test_hostile_names_and_markup() -> None:
    found = evidence(np.array([1.0, 2.0]))
    assert found is not None
    assert "\x1b" not in found.show("\x1b[31m", "b")
    assert "<pre>" in found._repr_html_()
