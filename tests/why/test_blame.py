"""Explain: rows and classes that carry the loss, what-ifs, belief against outcome."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

import logloss as ll
from logloss import examples


def test_the_dog_called_a_cat() -> None:
    # One dog called a cat at 0.03824: 3.26387.
    why = ll.explain([1, 0, 1, 0, 1], [0.9, 0.1, 0.8, 0.2, 0.03824], ids=list("abcde"))
    first = why.worst[0]
    assert (first.row, first.id, first.outcome, first.predicted) == (4, "e", 1, 0)
    assert first.surprise == pytest.approx(3.26387, abs=5e-6)
    assert first.share == pytest.approx(first.surprise / why.surprise.sum())
    assert why.worst[-1].cumulative == pytest.approx(1.0)
    assert why.half == 1


def test_pushing_to_the_extremes_and_who_paid() -> None:
    y, p = [1, 0, 1, 0, 1], [0.9, 0.1, 0.8, 0.5, 0.03824]
    why = ll.explain(y, p, ids=list("abcde"))
    push = next(w for w in why.what_ifs if w.kind == "push")
    pushed = np.where(np.array(p) > 0.5, 1 - 1e-5, 1e-5)
    pushed[3] = 0.5  # neither side
    assert push.log_loss == pytest.approx(ll.log_loss(y, pushed), rel=1e-12)
    assert push.change > 0
    assert (push.better, push.worse) == (3, 1)
    assert [row["id"] for row in push.paid] == ["e"]
    assert push.paid[0]["change"] == pytest.approx(-math.log(1e-5) + math.log(0.03824), rel=1e-9)


def test_clips_and_temperatures_to_try() -> None:
    y, p = np.array([1, 0, 1, 0]), np.array([0.999, 0.2, 0.1, 0.4])
    why = ll.explain(y, p, clip=[0.3], temperature=[1.5])
    found = {w.name: w.log_loss for w in why.what_ifs}
    assert found["clip at 0.3"] == pytest.approx(ll.log_loss(y, np.clip(p, 0.3, 0.7)), rel=1e-12)
    z = np.log(p / (1 - p)) / 1.5
    assert found["soften, temperature 1.5"] == pytest.approx(
        ll.surprise(y, z, space="logit").mean(), rel=1e-12
    )
    assert "sharpen, temperature 0.5" in found


def test_excess_over_what_the_forecasts_expected() -> None:
    # p = (.9, .8, .3), y = (1, 0, 0): sum s, sum H, variance, z by mpmath.
    why = ll.explain([1, 0, 0], [0.9, 0.8, 0.3])
    assert why.surprise.sum() == pytest.approx(2.0714733720306591, rel=1e-14)
    assert why.expected_log_loss * 3 == pytest.approx(1.4363496989845296, rel=1e-14)
    assert why.score.summary.mass["variance"] == pytest.approx(0.89275342428569239, rel=1e-13)
    assert why.excess_z == pytest.approx(0.67219075984648566, rel=1e-12)


def test_belief_is_the_same_from_probabilities_logits_and_columns(rng: np.random.Generator) -> None:
    z = rng.normal(size=200)
    y = rng.integers(0, 2, 200)
    p = 1 / (1 + np.exp(-z))
    a, b = ll.explain(y, p), ll.explain(y, z, space="logit")
    c = ll.explain(y, np.stack([np.zeros(200), z], axis=1), space="logit")
    for other in (b, c):
        assert other.excess_z == pytest.approx(a.excess_z, rel=1e-9)
        assert other.expected_log_loss == pytest.approx(a.expected_log_loss, rel=1e-12)


def test_over_and_under_confidence() -> None:
    bold, sound = examples.overconfident(3000), examples.calibrated(3000)
    assert ll.explain(bold.outcome, bold.forecast).findings[0].text.startswith("Over-confident")
    assert abs(ll.explain(sound.outcome, sound.forecast).excess_z or 0) < 3
    shy = examples.overconfident(3000, factor=0.5)
    assert any(f.text.startswith("Under-confident") for f in ll.explain(shy.outcome, shy.forecast).findings)


def test_classes_pairs_and_confusion(rng: np.random.Generator) -> None:
    P = rng.dirichlet(np.ones(3), 60)
    labels = ["x", "y", "z"]
    y = rng.choice(labels, 60)
    why = ll.explain(y, P, labels=labels)
    s, said = why.surprise, np.array(labels)[P.argmax(axis=1)]
    for entry in why.classes:
        assert entry["rows"] == (y == entry["class"]).sum()
        assert entry["log_loss"] == pytest.approx(s[y == entry["class"]].mean())
    assert sum(pair["share"] for pair in why.pairs) == pytest.approx(1)
    for pair in why.pairs:
        chosen = (y == pair["outcome"]) & (said == pair["predicted"])
        assert pair["rows"] == chosen.sum()
        assert pair["nats"] == pytest.approx(s[chosen].sum())
    assert why.confusion is not None
    assert np.trace(why.confusion) == (y == said).sum()


def test_census_of_certain_forecasts() -> None:
    # Of six errors only one was other than exactly 0 or 1.
    y = [1] * 10
    p = [0.0] * 5 + [0.3] + [1.0] * 3 + [0.9]
    why = ll.explain(y, p, labels=[0, 1])
    assert why.census == {
        "rows": 10,
        "exact_zero_or_one": 8,
        "zero_on_the_truth": 5,
        "errors": 6,
        "errors_exact": 5,
    }
    assert any("Of 6 errors only 1 was other than exactly 0 or 1;" in f.text for f in why.findings)


def test_infinite_rows_come_first_and_have_no_share() -> None:
    why = ll.explain([1, 1, 0, 1], [0.0, 0.2, 0.1, 0.9])
    assert [row.row for row in why.worst][:2] == [0, 1]
    assert why.worst[0].share is None
    assert why.worst[1].share == pytest.approx(-math.log(0.2) / why.surprise[1:].sum())
    assert why.excess_z is None
    assert why.findings[0].id == "LL030"
    state = json.loads(json.dumps(why.to_dict(), allow_nan=False))
    assert (state["log_loss"], state["worst"][0]["surprise"]) == ("inf", "inf")


def test_findings_rank_by_nats_and_point_to_rows(rng: np.random.Generator) -> None:
    p = rng.beta(0.02, 0.02, 2000).clip(0.01, 0.99)
    y = (rng.random(2000) < p).astype(int)
    p[:4] = 1e-9  # four rows of 2,000 said with certainty, and wrong
    y[:4] = 1
    why = ll.explain(y, p)
    assert [f.nats for f in why.findings] == sorted((f.nats for f in why.findings), reverse=True)
    rows = next(f for f in why.findings if f.id == "LL010")
    assert f"{why.half} rows" in rows.text
    assert rows.command == f"logloss explain FILE --rows {why.half}"
    assert why.blunders is not None
    assert why.blunders[0] == pytest.approx(4 * 9 * math.log(10), rel=0.3)


def test_worse_than_the_base_rate_is_said() -> None:
    bad = examples.reversed_label(500)
    assert {"LL050", "LL052"} <= {f.id for f in ll.explain(bad.outcome, bad.forecast).findings}


def test_every_example_shows_its_fault() -> None:
    blunder = examples.one_blunder(200)
    assert ll.score(blunder.outcome, blunder.forecast).infinite_rows == 1
    mixed = examples.shuffled_columns()
    assert "permuted" in {n.id for n in ll.score(mixed.outcome, mixed.forecast).notes}


def test_soft_outcomes_can_be_explained() -> None:
    why = ll.explain([0.5, 1.0, 0.0, 0.25], [0.2, 0.9, 0.1, 0.3])
    assert why.worst[0].outcome == 0.5
    assert sum(c["rows"] for c in why.classes) == pytest.approx(4)
    assert sum(c["share"] for c in why.classes) == pytest.approx(1)


def test_weights_decide_what_costs_most() -> None:
    why = ll.explain([1, 1, 1], [0.5, 0.1, 0.6], weight=[100, 1, 0], labels=[0, 1])
    assert [row.row for row in why.worst] == [0, 1, 2]


def test_mixing_is_offered_for_k_classes_and_clipping_for_two(rng: np.random.Generator) -> None:
    P = rng.dirichlet(np.ones(3), 50)
    why = ll.explain(rng.integers(0, 3, 50), P)
    assert why.clip is None
    assert why.mix is not None
    assert why.mix["log_loss"] <= why.score.log_loss
    assert ll.explain([0, 1], [0.2, 0.7]).mix is None


@pytest.mark.parametrize(
    "options",
    [
        {"clip": 0.6},
        {"clip": [0.1, 0]},
        {"temperature": 0},
        {"temperature": [-1.0]},
        {"temperature": float("inf")},
    ],
)
def test_what_ifs_out_of_range(options: dict) -> None:
    with pytest.raises(ll.UsageError) as caught:
        ll.explain([1, 0], [0.5, 0.4], **options)
    assert caught.value.slug == "bad-what-if"


def test_mixing_of_shares_is_of_each_class(rng: np.random.Generator) -> None:
    S, Q = rng.dirichlet(np.ones(3), 40), rng.dirichlet(np.full(3, 0.3), 40)
    why = ll.explain(S, Q)
    assert why.mix is not None
    grid = [-(S * np.log((1 - g) * Q + g / 3)).sum(axis=1).mean() for g in np.linspace(0.001, 0.999, 999)]
    assert why.mix["log_loss"] == pytest.approx(min(grid), abs=1e-5)
    assert why.mix["best"] == pytest.approx(np.linspace(0.001, 0.999, 999)[int(np.argmin(grid))], abs=2e-3)


def test_rows_of_weight_zero_are_in_no_count() -> None:
    y, p = np.ones(30, int), np.full(30, 0.6)
    p[0] = 0.0
    w = np.ones(30)
    w[:10] = 0
    why = ll.explain(y, p, weight=w, labels=[0, 1])
    assert why.census == {
        "rows": 20,
        "exact_zero_or_one": 0,
        "zero_on_the_truth": 0,
        "errors": 0,
        "errors_exact": 0,
    }
    assert not {"LL010", "LL030", "LL032"} & {finding.id for finding in why.findings}


def test_far_logits_are_not_exact_zeros_and_keep_their_expectation() -> None:
    Z = np.zeros((50, 3))
    Z[:, 0] = 40
    why = ll.explain([0] * 40 + [1] * 10, Z, space="logit")
    assert why.census["exact_zero_or_one"] == 0
    q = np.exp(-40.0)
    assert why.expected_log_loss == pytest.approx(2 * q * 40 + 2 * q, rel=1e-9)
    assert ll.explain([1, 0], [800.0, -800.0], space="logit").census["exact_zero_or_one"] == 0
    assert ll.explain([1, 0], [np.inf, -np.inf], space="logit").census["exact_zero_or_one"] == 2


def test_sound_rare_forecasts_are_not_worse_than_nothing(rng: np.random.Generator) -> None:
    said = 0
    for _ in range(60):
        p = rng.beta(0.1, 10, 200)
        y = (rng.random(200) < p).astype(int)
        said += "LL050" in {f.id for f in ll.explain(y, p).findings}
    assert said <= 2


def test_heavy_rows_are_not_suspects(rng: np.random.Generator) -> None:
    said = 0
    for _ in range(20):
        p = rng.beta(0.6, 0.6, 1500)
        y = (rng.random(1500) < p).astype(int)
        said += "LL010" in {f.id for f in ll.explain(y, p, weight=rng.exponential(size=1500)).findings}
    assert said <= 1


def test_a_few_confusions_of_many_classes_are_no_finding(rng: np.random.Generator) -> None:
    P = rng.dirichlet(np.ones(10), 100)
    y = np.array([rng.choice(10, p=row) for row in P])
    assert "LL090" not in {f.id for f in ll.explain(y, P).findings}


def test_extreme_temperatures_are_limits() -> None:
    why = ll.explain([1, 0, 1], [0.9, 0.2, 0.3], temperature=[1e-320, 1e300])
    found = {w.value: w.log_loss for w in why.what_ifs if w.kind == "temperature"}
    assert found[1e-320] == np.inf
    assert found[1e300] == pytest.approx(np.log(2))


def test_one_number_is_enough() -> None:
    kinds = {(w.kind, w.value) for w in ll.explain([1, 0], [0.5, 0.4], clip=0.05, temperature=3).what_ifs}
    assert {("clip", 0.05), ("temperature", 3.0)} <= kinds


def test_a_clip_of_three_classes_is_declined_aloud() -> None:
    why = ll.explain([0, 1, 2], [[0.5, 0.25, 0.25]] * 3, clip=0.05)
    assert "clip-two-classes" in {note.id for note in why.score.notes}


def test_no_better_than_the_base_rate_needs_evidence(rng: np.random.Generator) -> None:
    y = rng.integers(0, 2, 200)
    assert "LL050" not in {f.id for f in ll.explain(y, np.full(200, 0.5)).findings}


def test_text() -> None:
    text = str(
        ll.explain([1, 0, 1, 0, 1], [0.9, 0.1, 0.8, 0.2, 0.03824], ids=["\x1b[31m", "b", "c", "d", "e\n"])
    )
    for part in ("The rows that cost most", "By class", "what if", "push to"):
        assert part in text
    assert "\x1b" not in text
