"""Train against validation: the gap, its interval, two exact cuts with standard errors, and the verdict."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import logloss as ll
from logloss import examples
from logloss.interval import Sample, hall_t, hall_welch

Pair = tuple[np.ndarray, np.ndarray]


def drawn(n: int, seed: int, factor: float = 1.0) -> Pair:
    """Return outcomes and forecasts whose logits are `factor` times too large."""
    rng = np.random.default_rng(seed)
    z = 2 * rng.logistic(size=n)
    return (rng.random(n) < 1 / (1 + np.exp(-z))).astype(int), 1 / (1 + np.exp(-factor * z))


def sums(found: ll.Gap) -> list[float]:
    parts = {part.name: part.nats for part in found.parts}
    return [parts["expected loss"] + parts["excess surprise"], parts["class mix"] + parts["within classes"]]


def test_parts_by_hand() -> None:
    y, p = np.array([1, 1, 0, 0, 0]), np.array([0.9, 0.6, 0.3, 0.2, 0.1])
    v, q = np.array([1, 1, 1, 0]), np.array([0.8, 0.4, 0.3, 0.25])
    found = ll.gap((y, p), (v, q))
    s, r = -np.log(np.where(y, p, 1 - p)), -np.log(np.where(v, q, 1 - q))
    H, G = (-(x * np.log(x) + (1 - x) * np.log1p(-x)) for x in (p, q))
    assert found.difference == pytest.approx(r.mean() - s.mean(), rel=1e-12)
    assert found.part("expected loss").nats == pytest.approx(G.mean() - H.mean(), rel=1e-12)
    assert found.part("excess surprise").nats == pytest.approx((r - G).mean() - (s - H).mean(), rel=1e-12)
    mix = (0.75 - 0.4) * (r[v == 1].mean() + s[y == 1].mean()) / 2 - 0.35 * (
        r[v == 0].mean() + s[y == 0].mean()
    ) / 2
    assert found.part("class mix").nats == pytest.approx(mix, rel=1e-12)
    assert found.part("within classes").nats == pytest.approx(found.difference - mix, rel=1e-12)
    assert found.part("expected loss").standard_error == pytest.approx(
        math.hypot(H.std(ddof=1) / 5**0.5, G.std(ddof=1) / 2), rel=1e-12
    )
    assert found.part("excess surprise").standard_error == pytest.approx(
        math.hypot((s - H).std(ddof=1) / 5**0.5, (r - G).std(ddof=1) / 2), rel=1e-12
    )
    assert [row["class"] for row in found.classes] == [0, 1]
    assert found.classes[1]["share"] == pytest.approx([0.4, 0.75])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 5), st.booleans(), st.booleans(), st.booleans())
def test_the_parts_of_both_cuts_sum_to_the_gap(
    seed: int, K: int, weighted: bool, soft: bool, summarized: bool
) -> None:
    rng = np.random.default_rng(seed)
    sides = []
    for n in rng.integers(3, 60, 2):
        P = rng.dirichlet(np.full(K, 0.5), n) * (1 - 1e-6) + 1e-6 / K
        y: Any = rng.dirichlet(np.ones(K), n) if soft else rng.integers(0, rng.integers(1, K + 1), n)
        w = np.append(rng.gamma(1.0, 1.0, n - 1), 1.0) if weighted else None
        record = ll.observe(y, P, weight=w, labels=list(range(K)))
        sides.append(record if not summarized else ll.summarize(y, P, weight=w, labels=list(range(K))))
    found = ll.gap(*sides)
    assert sums(found) == pytest.approx([found.difference] * 2, abs=1e-12)
    assert found.difference == pytest.approx(found.validation.log_loss - found.train.log_loss, abs=1e-14)
    assert sum(row["mix"] for row in found.classes) == pytest.approx(found.part("class mix").nats, abs=1e-13)
    back = ll.gap(*sides[::-1])
    for part in found.parts:
        assert back.part(part.name).nats == pytest.approx(-part.nats, abs=1e-12)
        if part.standard_error is not None:
            assert back.part(part.name).standard_error == pytest.approx(
                part.standard_error, rel=1e-9, abs=1e-14
            )


def test_standard_errors_are_those_of_repetition() -> None:
    """Two sides with other class shares, other forecasts: the spread of 800 repetitions against the mean of what is told."""
    told: dict[str, list[tuple[float, float]]] = {}
    for seed in range(800):
        rng = np.random.default_rng([7, seed])
        sides = []
        for n, rate, factor in ((150, 0.3, 1.0), (250, 0.55, 1.8)):
            y = (rng.random(n) < rate).astype(int)
            z = rng.normal(2.0 * y - 1.0, 1.5)
            sides.append((y, 1 / (1 + np.exp(-factor * z))))
        found = ll.gap(*sides)
        for part in found.parts:
            told.setdefault(part.name, []).append((part.nats, part.standard_error or math.nan))
    assert len(told) == 4
    for values in told.values():
        nats, errors = np.array(values).T
        assert np.sqrt((errors**2).mean()) == pytest.approx(nats.std(), rel=0.1)


@pytest.mark.parametrize("classes", [3, 2])
def test_standard_errors_are_those_of_the_jackknife(classes: int) -> None:
    """Losses of the classes far apart and other shares; with `classes` 2 validation lacks the third."""
    rng = np.random.default_rng(3)
    sides = []
    for n, shares, sharp in ((120, [0.5, 0.2, 0.3], [0.5, 1.0, 2.0]), (90, [0.2, 0.6, 0.2], [3.0, 0.3, 0.5])):
        y = np.append(
            rng.choice(classes if n == 90 else 3, n - 2, p=None if n == 90 and classes == 2 else shares),
            [0, 1],
        )
        P = rng.dirichlet(np.ones(3), n) + np.array(sharp)[y][:, None] * np.eye(3)[y]
        sides.append((y, P / P.sum(axis=1, keepdims=True)))

    def parts(a: Pair, b: Pair) -> np.ndarray:
        return np.array([part.nats for part in ll.gap(a, b, labels=[0, 1, 2]).parts])

    squares = np.zeros(4)
    for at in (0, 1):
        y, P = sides[at]
        out = []
        for row in range(len(y)):
            less = (np.delete(y, row), np.delete(P, row, axis=0))
            out.append(parts(less, sides[1]) if at == 0 else parts(sides[0], less))
        squares += (len(y) - 1) * np.var(out, axis=0)
    told = [part.standard_error for part in ll.gap(*sides, labels=[0, 1, 2]).parts]
    assert told == pytest.approx(np.sqrt(squares).tolist(), rel=0.01)


def test_a_weight_of_two_gives_the_parts_of_two_rows() -> None:
    (y, p), (v, q) = drawn(40, 1), drawn(30, 2, 2.0)
    w = np.random.default_rng(0).integers(1, 3, 30)
    a = ll.gap(ll.observe(y, p), ll.observe(v, q, weight=w.astype(float)))
    b = ll.gap((y, p), (np.repeat(v, w), np.repeat(q, w)))
    for part in a.parts:
        assert part.nats == pytest.approx(b.part(part.name).nats, rel=1e-10)


# ---------------------------------------------------------------- the interval


def sample(x: np.ndarray) -> Sample:
    d = x - x.mean()
    return Sample(float(x.mean()), len(x), float((d**2).sum()), float((d**3).sum()))


def test_without_skew_the_interval_is_welchs() -> None:
    from scipy.stats import ttest_ind

    a, b = np.array([1.0, 2.0, 3.0, 4.0, 9.0, -3.0, 6.0, 0.0]), np.array([0.0, 5.0, 10.0])
    a = np.concatenate([a, 2 * a.mean() - a])  # symmetric
    peer = ttest_ind(a, b, equal_var=False).confidence_interval(0.9)
    found = hall_welch(sample(a), sample(b), level=0.9)
    assert (found.low, found.high) == pytest.approx((peer.low, peer.high), rel=1e-9)


def test_against_a_constant_it_is_the_interval_of_one_mean() -> None:
    x = np.array([0.05, 0.1, 0.1, 0.2, 0.3, 0.4, 0.7, 2.5] * 10)
    found, alone = hall_welch(sample(x), sample(np.full(9, 0.25))), sample(x)
    one = hall_t(alone.mean, alone.n, alone.second, alone.third)
    # Only the two conventions of the variance in the skewness differ: n and n - 1.
    assert (found.low + 0.25, found.high + 0.25) == pytest.approx((one.low, one.high), rel=5e-3)
    swapped = hall_welch(sample(np.full(9, 0.25)), sample(x))
    assert (swapped.low, swapped.high) == pytest.approx((-found.high, -found.low), rel=1e-12)
    assert hall_welch(sample(x), Sample(1.0, 1, 0.0, 0.0)) is None


def test_coverage_on_a_small_validation_set() -> None:
    """50 over-confident rows of validation, 200 of training: Welch's interval covers 89 %, this one 95 %."""
    rng = np.random.default_rng(11)

    def surprises(n: int, factor: float) -> np.ndarray:
        z = 2 * rng.logistic(size=n)
        return np.logaddexp(0, np.where(rng.random(n) < 1 / (1 + np.exp(-z)), -factor * z, factor * z))

    truth = surprises(2_000_000, 3.0).mean() - surprises(2_000_000, 1.0).mean()
    covered = {"hall": 0, "welch": 0}
    for _ in range(2000):
        a, b = sample(surprises(50, 3.0)), sample(surprises(200, 1.0))
        for name, third in (("hall", 1.0), ("welch", 0.0)):
            x, y = (Sample(s.mean, s.n, s.second, s.third * third) for s in (a, b))
            i = hall_welch(x, y)
            covered[name] += i.low <= truth <= i.high
    assert 0.93 < covered["hall"] / 2000 < 0.97
    assert covered["welch"] / 2000 < 0.92


def test_the_interval_of_weighted_sides_comes_from_their_moments() -> None:
    y, p = drawn(300, 3)
    v, q = drawn(200, 4)
    w = np.random.default_rng(5).gamma(2.0, 1.0, 200)
    found = ll.gap(ll.observe(y, p), ll.observe(v, q, weight=w))
    s, r = ll.surprise(y, p), ll.surprise(v, q)
    u = w * (r - np.average(r, weights=w)) / w.mean()
    assert found.standard_error == pytest.approx(
        math.hypot(s.std(ddof=1) / 300**0.5, u.std(ddof=1) / 200**0.5), rel=1e-9
    )
    wider = ll.gap(ll.observe(y, p), ll.observe(v, q, weight=w), level=0.99)
    assert wider.interval[0] < found.interval[0] < found.difference < found.interval[1] < wider.interval[1]
    assert wider.train.level == 0.99


# ---------------------------------------------------------------- what can be given


def frames() -> tuple[pl.DataFrame, pl.DataFrame]:
    made = []
    for name, n, seed, factor in (("train", 300, 1, 1.0), ("valid", 200, 2, 2.5)):
        y, p = drawn(n, seed, factor)
        made.append(
            pl.DataFrame(
                {
                    "id": [f"{name}{row}" for row in range(n)],
                    "y": np.where(y == 1, "sick", "well"),
                    "p_sick": np.clip(p, 1e-9, 1 - 1e-9),
                    "part": [name] * n,
                }
            )
        )
    return made[0], made[1]


def test_files_frames_pairs_and_summaries_tell_the_same(tmp_path: Path) -> None:
    a, b = frames()
    a.write_csv(tmp_path / "a.csv")
    b.write_parquet(tmp_path / "b.parquet")
    pl.concat([b, a]).write_csv(tmp_path / "both.csv")
    expected = ll.gap(a, b)
    arrays = [(x["y"].to_numpy(), x["p_sick"].to_numpy()) for x in (a, b)]
    for found in (
        ll.gap(tmp_path / "a.csv", str(tmp_path / "b.parquet")),
        ll.gap(*arrays, positive="sick"),
        ll.gap(ll.summarize(a), ll.summarize(b)),
        ll.gap(ll.summarize(a), b),
        ll.gap(tmp_path / "both.csv", split="part"),
        ll.gap(pl.concat([a, b]), split="part", training="train", outcome="y", forecast="p_sick"),
        ll.gap(
            tuple(np.concatenate(x) for x in zip(*arrays, strict=True)),
            split=np.repeat([True, False], [300, 200]), training=True, positive="sick",
        ),
    ):  # fmt: skip
        assert found.difference == pytest.approx(expected.difference, rel=1e-12)
        assert found.interval == pytest.approx(expected.interval, rel=1e-9)
        assert found.verdict == expected.verdict
        for part in expected.parts:
            assert found.part(part.name).nats == pytest.approx(part.nats, abs=1e-12)
    assert ll.gap(ll.summarize(a), ll.summarize(b)).parts[0].standard_error is None


def test_a_side_larger_than_memory_is_told_from_one_pass(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from logloss.why import gaps

    a, b = frames()
    a.write_csv(tmp_path / "a.csv")
    exact = ll.gap(a, b)
    monkeypatch.setattr(gaps, "MOST_ROWS", 250)
    found = ll.gap(tmp_path / "a.csv", b)
    assert found.difference == pytest.approx(exact.difference, rel=1e-12)
    assert [part.nats for part in found.parts] == pytest.approx(
        [part.nats for part in exact.parts], abs=1e-12
    )
    assert {part.standard_error for part in found.parts} == {None}


def test_classes_in_another_order_and_classes_that_one_side_lacks() -> None:
    rng = np.random.default_rng(0)
    P, Q = rng.dirichlet(np.ones(3), 50), rng.dirichlet(np.ones(3), 40)
    y, v = rng.choice(["a", "b", "c"], 50), rng.choice(["a", "b"], 40)
    a = ll.gap((y, pl.DataFrame(P, ["a", "b", "c"])), (v, pl.DataFrame(Q, ["a", "b", "c"])))
    b = ll.gap((y, pl.DataFrame(P, ["a", "b", "c"])), (v, pl.DataFrame(Q[:, [2, 0, 1]], ["c", "a", "b"])))
    for part in a.parts:
        other = b.part(part.name)
        assert (other.nats, other.standard_error) == pytest.approx((part.nats, part.standard_error), rel=1e-9)
    lacking = a.classes[2]
    assert (lacking["class"], lacking["share"][1], lacking["log_loss"][1], lacking["within"]) == (
        "c",
        0.0,
        None,
        0.0,
    )
    assert lacking["mix"] == pytest.approx(-lacking["share"][0] * lacking["log_loss"][0])
    # Validation rows of one class only: alone they could not be scored.
    y2, p2 = drawn(50, 1)
    only = ll.gap((y2, p2), (np.ones(20, int), drawn(20, 3)[1]))
    assert only.validation.summary.classes == (0, 1)
    assert sums(only) == pytest.approx([only.difference] * 2, abs=1e-12)


def test_infinite_rows_are_apart() -> None:
    (y, p), (v, q) = drawn(100, 1), drawn(80, 2)
    expected = ll.gap((y, p), (v, q))
    y0, p0 = np.append(y, 1), np.append(p, 0.0)
    v0, q0 = np.append(v, 1), np.append(q, 0.0)
    up, down, both = ll.gap((y, p), (v0, q0)), ll.gap((y0, p0), (v, q)), ll.gap((y0, p0), (v0, q0))
    assert (up.difference, down.difference) == (math.inf, -math.inf)
    assert math.isnan(both.difference)
    for found in (up, down, both, ll.gap(ll.summarize(y, p), ll.summarize(v0, q0))):
        assert found.interval is None
        assert found.difference_finite == pytest.approx(expected.difference, rel=1e-12)
        assert [part.nats for part in found.parts] == pytest.approx(
            [part.nats for part in expected.parts], abs=1e-12
        )
        assert "infinite-apart" in {note.id for note in found.notes}
        assert "infinitely wrong (1 row)" in found.verdict
        json.dumps(found.to_dict(), allow_nan=False)
    # A summary does not know the class of the weight that is infinite.
    weighted = ll.summarize(v0, q0, weight=np.linspace(1, 2, 81))
    assert [part.name for part in ll.gap(ll.summarize(y, p), weighted).parts] == [
        "expected loss",
        "excess surprise",
    ]
    nothing = ll.gap((y, p), ([1, 1], [0.0, 0.0]), labels=[0, 1])
    assert nothing.parts == ()
    assert str(nothing)


def test_one_row_a_side_has_neither_interval_nor_standard_errors() -> None:
    found = ll.gap(([1], [0.5]), ([0], [0.3]), labels=[0, 1])
    assert found.interval is None
    assert {part.standard_error for part in found.parts} == {None}
    assert "over the finite rows" not in str(found)
    assert "too few rows for an interval" in found.verdict


def test_rows_left_out_before_the_split_are_said_once() -> None:
    rows = pl.concat(frames()).with_columns(
        p_sick=pl.when(pl.col("id") == "train7").then(None).otherwise("p_sick")
    )
    found = ll.gap(rows, split="part", skip_missing=True)
    assert [note.text for note in found.notes if note.id == "rows-skipped"] == [
        "1 of 500 rows were left out: 1 missing forecast (row 7)."
    ]
    assert found.train.n == 299


def test_ids_on_both_sides_are_noted() -> None:
    a, b = frames()
    b = b.with_columns(id=pl.concat([a["id"][:2], b["id"][2:]]))
    notes = {note.id: note.text for note in ll.gap(a, b).notes}
    assert "2 of the ids ('train0', 'train1')" in notes["ids-on-both-sides"]
    assert "ids-on-both-sides" not in {note.id for note in ll.gap(*frames()).notes}


# ---------------------------------------------------------------- what it says


def test_the_verdicts() -> None:
    sound, bold, shy = drawn(3000, 1), drawn(3000, 2, 3.0), drawn(3000, 4, 0.4)
    over = ll.gap(sound, bold)
    assert over.validation.summary.excess_z > 3 > abs(over.train.summary.excess_z)
    assert "as sure as it should be" in over.verdict
    assert "fit a temperature on validation rows, not on training rows" in over.verdict
    assert "more than the gap" in over.verdict  # it also expects to lose less there
    assert "within chance" in ll.gap(sound, drawn(3000, 5)).verdict
    assert "validation loses" in ll.gap(bold, sound).verdict
    rng = np.random.default_rng(0)
    p = rng.uniform(0.3, 0.7, 3000)
    unsure = ((rng.random(3000) < p).astype(int), p)
    assert "being less sure there" in ll.gap(sound, unsure).verdict
    z = np.log(shy[1] / (1 - shy[1]))
    fitted = (shy[0], shy[1])
    held = ((rng.random(3000) < 1 / (1 + np.exp(-z))).astype(int), 1 / (1 + np.exp(-z)))
    assert "the rows it was fitted to go better" in ll.gap(fitted, held).verdict
    swapped = examples.reversed_label(500)
    assert "look misread" in ll.gap(sound, (swapped.outcome, swapped.forecast)).verdict
    exact = ll.gap(([1, 0], [1.0, 0.0]), ([1, 0, 1], [0.9, 0.2, 0.7]))
    assert "not to be judged (z undefined) on the rows" in exact.verdict


def test_what_it_prints() -> None:
    found = ll.gap(*frames())
    text = found.show()
    assert text.startswith("Validation - training: +")
    assert "over-confidence: more loss than it expects" in text
    assert "bits" in found.show("bits").splitlines()[0]
    assert found.part("nothing") is None
    state = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert state["train"]["n"] == 300
    assert len(state["parts"]) == 4
    hostile = ["a", "<b>\x1b[31m"]
    odd = ll.gap((hostile * 5, [0.2, 0.7] * 5), (hostile * 4, [0.3, 0.7] * 4), labels=hostile)
    assert "\x1b" not in str(odd)
    assert "<b>" not in odd._repr_html_()


@pytest.mark.parametrize(
    ("call", "slug"),
    [
        (lambda a, _: ll.gap(a), "two-sides"),
        (lambda a, b: ll.gap(a, b, split="part"), "two-sides"),
        (lambda a, b: ll.gap(a, b, training="train"), "two-sides"),
        (lambda a, _: ll.gap(a, a), "same-part-twice"),
        (lambda a, _: ll.gap(a, split="part"), "not-two-sides"),
        (lambda a, b: ll.gap(pl.concat([a, b, b.with_columns(part=pl.lit("test"))]), split="part"), "not-two-sides"),
        (lambda a, b: ll.gap(pl.concat([a, b]).with_columns(part=pl.col("part").str.len_chars() + pl.col("id").str.len_chars() // 99), split="part"), "not-two-sides"),
        (lambda a, b: ll.gap(pl.concat([a, b]).with_columns(part=pl.col("part") == "train"), split="part"), "which-is-training"),
        (lambda a, b: ll.gap(pl.concat([a, b]), split="part", training="fit"), "which-is-training"),
        (lambda a, _: ll.gap(ll.summarize(a), split="part"), "rows-needed"),
        (lambda a, b: ll.gap(a, b.with_columns(y=pl.col("y") + "!"), positive=None), "different-classes"),
        (lambda a, b: ll.gap(ll.summarize(a, {"m": "p_sick"}, outcome="y"), b), "one-forecast"),
        (lambda a, b: ll.gap(a, b, forecast={"m": "p_sick"}, outcome="y"), "one-forecast"),
        (lambda *_: ll.gap(([1, 0], [0.8, 0.3]), ([1, 0], [0.7, 0.3]), forecast="p"), "array-and-names"),
        (lambda a, b: ll.gap(a, b, level=2), "bad-level"),
        (lambda a, _: ll.gap(a, "no such file.csv"), "no-such-file"),
    ],
)  # fmt: skip
def test_calls_that_are_wrong(call: Any, slug: str) -> None:
    a, b = frames()
    with pytest.raises(ll.LoglossError) as caught:
        call(a, b)
    assert caught.value.slug == slug


def test_errors_say_which_side_they_are_about() -> None:
    a, b = frames()
    with pytest.raises(ll.LoglossError, match="The validation rows: "):
        ll.gap(a, b.with_columns(p_sick=pl.col("p_sick") * 3))


def test_names_of_the_sides_are_known() -> None:
    a, b = frames()
    both = pl.concat([a, b])
    for train, valid in (("TRAIN", "test"), ("Training", "fold 2"), ("rest", "holdout")):
        named = both.with_columns(part=pl.col("part").replace({"train": train, "valid": valid}))
        assert ll.gap(named, split="part").train.n == 300
