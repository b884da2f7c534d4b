"""`fix`: nothing is done to sound forecasts, bold ones are softened, and what is said of it holds on other rows."""

from __future__ import annotations

import html
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import logloss as ll
from logloss.calibrate.descriptions import describe
from logloss.fixing.recalibration import of_record

FEW = ["temperature", "affine", "clip", "mix", "beta", "isotonic"]


def sigma(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def draw(n: int, seed: int = 0, boldness: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Draw outcomes and forecasts whose log-odds are `boldness` times what they should be."""
    random = np.random.default_rng(seed)
    z = random.normal(0, 1.3, n)
    return (random.random(n) < sigma(z)).astype(int), sigma(boldness * z)


def many(n: int, seed: int = 0, boldness: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    Z = random.normal(0, 1.3, (n, 3))
    p = np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)
    bold = p**boldness
    y = (random.random(n)[:, None] > p.cumsum(axis=1)[:, :-1]).sum(axis=1)
    return y, bold / bold.sum(axis=1, keepdims=True)


def ids(result: ll.Fix) -> list[str]:
    return [note.id for note in result.notes]


def test_nothing_is_done_to_sound_forecasts() -> None:
    chosen = [ll.fix(*draw(80, seed), maps=FEW).chosen for seed in range(40)]
    assert chosen.count("identity") >= 38  # an interval of 95 % excludes 0 from below in 2.5 %, at most
    chosen = [ll.fix(*many(80, seed), maps=["temperature", "affine", "vector"]).chosen for seed in range(8)]
    assert chosen.count("identity") >= 7


def test_what_looks_good_in_sample_and_hurts_is_left_alone() -> None:
    # Twelve wards; in one of them every certain forecast is wrong. A temperature fitted to all rows softens all wards
    # for its sake; learnt from eleven wards it does that one no good, learnt from it it costs the others.
    y, p = draw(1200, 3)
    ward = np.repeat(np.arange(12), 100)
    bad = (ward == 5) & (np.abs(p - 0.5) > 0.2)
    y = np.where(bad, (p < 0.5).astype(int), y)
    softer = ll.fit_map(y, p, "temperature")
    assert ll.log_loss(y, softer.apply(p)) < ll.log_loss(y, p) - 0.01
    result = ll.fix(y, p, group=ward, maps=["temperature"])
    assert result.grouped
    assert result.chosen == "identity"
    assert result.before == result.after == pytest.approx(ll.log_loss(y, p), rel=1e-12)
    assert result.apply(p).tolist() == p.tolist()
    assert result.why.startswith("Do nothing")


@pytest.mark.parametrize("K", [2, 3])
def test_bold_forecasts_are_softened_and_better_on_new_rows(K: int) -> None:
    rows = draw if K == 2 else many
    y, p = rows(1000, 1, 2.5)
    result = ll.fix(y, p)
    assert result.chosen == "temperature"  # the truth is one, and the simplest is preferred
    (step,) = result.map.steps
    assert step.slope == pytest.approx(1 / 2.5, rel=0.15)
    assert result.gain_interval is not None
    assert 0 < result.gain_interval[0] < result.gain < result.gain_interval[1]
    assert result.after == pytest.approx(result.before - result.gain, rel=1e-12)
    fresh, new = rows(20_000, 2, 2.5)
    gain = ll.log_loss(fresh, new) - ll.log_loss(fresh, result.apply(new))
    assert result.gain_interval[0] < gain < result.gain_interval[1]
    assert result.held_out().shape == p.shape
    (tried,) = (one for one in result.candidates if one.name == "temperature")
    assert ll.log_loss(y, result.held_out()) == pytest.approx(tried.log_loss, rel=1e-9)


def test_something_is_done_only_where_the_interval_excludes_0() -> None:
    seen = set()
    for seed, boldness in enumerate(np.linspace(1.0, 2.0, 14)):
        result = ll.fix(*draw(150, seed, boldness), maps=["temperature", "affine"])
        sure = result.gain_interval is not None and result.gain_interval[0] > 0
        assert (result.chosen != "identity") == sure
        if not sure:
            assert result.after == result.before
        seen.add(sure)
    assert seen == {True, False}


def test_the_level_decides_too() -> None:
    y, p = draw(300, 1, 1.7)
    some, sure = (ll.fix(y, p, maps="temperature", level=level) for level in (0.5, 0.9999))
    assert (some.chosen, sure.chosen) == ("temperature", "identity")
    assert some.gain == sure.gain
    assert some.gain_interval is not None
    assert sure.gain_interval is not None
    assert sure.gain_interval[0] < 0 < some.gain_interval[0]
    for level in (0.0, 1.0, 95.0, float("nan")):
        with pytest.raises(ll.UsageError) as caught:
            ll.fix(y, p, level=level)
        assert caught.value.slug == "bad-level"


@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("wrong", [(7,), (7, 60), tuple(range(0, 400, 40))], ids=len)
def test_an_infinite_loss_ends_finite(wrong: tuple[int, ...], K: int) -> None:
    y, p = (draw if K == 2 else many)(400, 4)
    p = p.copy()
    right = (11, 93, 201)
    for at in (*wrong, *right):
        one = (y[at] + (at in wrong)) % K
        p[at] = one if K == 2 else np.eye(3)[one]
    result = ll.fix(y, p)
    assert result.before == np.inf
    assert np.isfinite(result.after)
    assert result.gain == np.inf
    assert result.gain_interval is None
    assert result.chosen != "identity"
    assert np.isfinite(ll.log_loss(y, result.apply(p)))
    assert np.isfinite(ll.log_loss(y, result.held_out()))
    assert ll.log_loss(y, result.apply(p)) < ll.log_loss(y, ll.FittedMap.mix(0.5, tuple(range(K))).apply(p))
    state = result.to_dict()
    assert (state["before"], state["gain"]) == ("inf", "inf")
    assert "infinite" in result.why
    json.dumps(state, allow_nan=False)
    assert "inf" in result.show()


def test_certain_and_right_forecasts_are_not_made_impossible() -> None:
    y, p = draw(600, 6, 3.0)
    p = np.where(np.arange(600) % 20 == 0, y, p)
    result = ll.fix(y, p)
    assert np.isfinite(result.before)
    assert result.chosen != "identity"
    better = result.apply(p)
    assert 0 < better.min() < better.max() < 1


KEYS = {
    "before", "after", "gain", "gain_interval", "level", "chosen", "why", "candidates", "folds", "grouped", "timed",
    "rows", "raced", "notes", "map",
}  # fmt: skip


@pytest.mark.parametrize("boldness", [1.4, 2.5])
def test_the_contract(boldness: float) -> None:
    result = ll.fix(*draw(300, 2, boldness))
    state = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert set(state) >= KEYS
    assert (state["before"], state["after"]) == (result.before, result.after)
    assert state["gain"] == result.gain
    assert result.gain_interval is not None
    assert state["gain_interval"] == list(result.gain_interval)
    assert state["chosen"] == result.chosen == state["map"]["name"]
    for one in state["candidates"]:
        assert {"name", "log_loss", "gain", "interval"} <= set(one)
    assert [one["name"] for one in state["candidates"]] == [one.name for one in result.candidates]
    again = ll.FittedMap.from_dict(state["map"])
    assert again.apply([0.1, 0.7]).tolist() == result.apply([0.1, 0.7]).tolist()
    assert again.fitted["rows"] == 300


def test_the_screen() -> None:
    result = ll.fix(*draw(300, 2, 2.5))
    shown = result.show()
    assert shown == str(result)
    assert "<- chosen" in shown
    assert "300 rows, 2 classes, 10 folds" in shown
    assert result.why.split(":")[0] in shown
    for line in describe(result.map):
        assert line[:60] in shown
    bits = result.show("bits")
    assert f"{result.before / np.log(2):.4f}" in bits
    assert html.escape(result.chosen) in result._repr_html_()
    hostile = ll.fix(["<b>\x1b" if one else "\x07" for one in draw(300)[0]], draw(300, 0, 2.5)[1], positive="<b>\x1b", maps="bounds")  # fmt: skip
    assert "\x1b" not in hostile.show()
    assert "\x07" not in hostile.show()


def test_rows_of_weight_0_and_the_order_of_classes_make_no_difference() -> None:
    y, p = draw(300, 2, 2.0)
    zero = np.arange(300) >= 200
    one = ll.fix(y, np.where(zero, 1.0 - y, p), weight=np.where(zero, 0.0, 3.0), time=np.arange(300))
    two = ll.fix(y[:200], p[:200], time=np.arange(200))
    assert one.rows == 200
    assert one.to_dict()["candidates"] == two.to_dict()["candidates"]
    assert one.after == pytest.approx(two.after, rel=1e-12)
    # Both columns in the order no, yes are the one column of yes; time keeps the folds as they are.
    columns = ll.fix(y, np.stack([1 - p, p], axis=1), time=np.arange(300))
    single = ll.fix(y, p, time=np.arange(300))
    assert columns.gain == pytest.approx(single.gain, rel=1e-9)
    assert columns.held_out().shape == (300, 2)
    turned = ll.fix(1 - y, 1 - p, time=np.arange(300), maps=FEW)
    assert turned.gain == pytest.approx(ll.fix(y, p, time=np.arange(300), maps=FEW).gain, rel=1e-7)


def test_weights_count() -> None:
    y, p = draw(400, 2, 2.0)
    w = np.where(np.arange(400) % 2 == 0, 5.0, 1.0)
    weighted = ll.fix(y, p, weight=w, maps="temperature")
    assert weighted.before == pytest.approx(ll.log_loss(y, p, sample_weight=w), rel=1e-12)
    assert weighted.gain != pytest.approx(ll.fix(y, p, maps="temperature").gain, rel=1e-3)
    scaled = ll.fix(y, p, weight=w * 1e-6, maps="temperature")
    assert [one.gain for one in scaled.candidates] == pytest.approx([one.gain for one in weighted.candidates])
    assert scaled.gain_interval == pytest.approx(weighted.gain_interval)


def test_spaces_are_the_same_forecast() -> None:
    y, p = draw(300, 2, 2.0)
    given = {"p": p, "logp": np.log(np.stack([1 - p, p], axis=1)), "logit": np.log(p / (1 - p))}
    found = {space: ll.fix(y, values, space=space, maps=FEW) for space, values in given.items()}
    for space, result in found.items():
        assert result.gain == pytest.approx(found["p"].gain, rel=1e-9)
        assert ll.log_loss(y, result.held_out("p")) == pytest.approx(ll.log_loss(y, found["p"].held_out()))
        assert result.held_out().shape == given[space].shape


def test_soft_outcomes_are_fixed_too() -> None:
    random = np.random.default_rng(8)
    z = random.normal(size=500)
    truth = sigma(z)
    result = ll.fix(np.stack([1 - truth, truth], axis=1), sigma(3 * z), maps=FEW)
    assert result.chosen in {"temperature", "affine"}
    assert result.apply(sigma(3 * z)) == pytest.approx(truth, abs=0.02)


def test_too_little_to_learn_from() -> None:
    few = ll.fix(*draw(12))
    assert (few.chosen, few.folds, few.gain, few.gain_interval) == ("identity", 0, 0.0, None)
    assert ids(few) == ["too-few-rows"]
    assert few.held_out() == pytest.approx(draw(12)[1], rel=1e-13)
    assert "too little" in few.show()
    assert json.loads(json.dumps(few.to_dict()))["candidates"][0]["name"] == "identity"
    y, p = draw(60, 2, 3.0)
    assert ids(ll.fix(y, p, group=np.arange(60) % 4)) == ["too-few-groups"]
    assert ids(ll.fix(y, p, time=np.arange(60) % 3)) == ["too-few-groups"]
    bare = np.where(np.arange(60) < 4, 1, 0)
    assert ids(ll.fix(bare, p)) == ["too-few-rows"]


def test_time_is_a_column_or_an_array(tmp_path: Path) -> None:
    y, p = draw(200, 2, 2.0)
    when = np.random.default_rng(0).permutation(200)
    days = [f"2026-{1 + one // 28:02d}-{1 + one % 28:02d}" for one in when]
    frame = pl.DataFrame({"y": y, "p": p, "day": days, "n": when * 0.5})
    frame.write_csv(tmp_path / "rows.csv")
    want = ll.fix(y, p, time=when, maps=FEW)
    assert want.timed
    for found in (
        ll.fix(tmp_path / "rows.csv", "p", outcome="y", time="day", maps=FEW),
        ll.fix(tmp_path / "rows.csv", "p", outcome="y", time="n", maps=FEW),
        ll.fix(frame.with_columns(pl.col("day").str.to_date()), "p", outcome="y", time="day", maps=FEW),
        ll.fix(frame, "p", outcome="y", time=when, maps=FEW),
        ll.fix(y, p, time=days, maps=FEW),
    ):
        assert found.gain == pytest.approx(want.gain, rel=1e-9)
        assert found.gain_interval == pytest.approx(want.gain_interval, rel=1e-7)
    assert want.gain != ll.fix(y, p, maps=FEW).gain
    assert "folds in time" in want.show()


@pytest.mark.parametrize(
    ("options", "slug"),
    [
        ({"time": [None, *range(59)]}, "no-time"),
        ({"time": [1, "a"] * 30}, "no-time"),
        ({"time": range(10)}, "different-lengths"),
        ({"time": "when"}, "array-and-names"),
        ({"trained": "split"}, "array-and-names"),
        ({"trained": [True]}, "different-lengths"),
        ({"maps": "vector"}, "unknown-map"),
        ({"maps": ["identify"]}, "unknown-map"),
    ],
)
def test_calls_that_do_not_go_together(options: dict, slug: str) -> None:
    with pytest.raises(ll.LoglossError) as caught:
        ll.fix(*draw(60), **options)
    assert caught.value.slug == slug
    assert caught.value.cure


def test_rows_that_the_model_was_trained_on_are_told() -> None:
    y, p = draw(100)
    seen = np.arange(100) < 30
    for given in (seen, seen.astype(int), np.where(seen, "Train ", "test"), np.where(seen, "yes", "no")):
        result = ll.fix(y, p, trained=given, maps="mix")
        assert ids(result) == ["fitted-on-training-rows"]
        assert "30 of these 100 rows" in result.notes[0].text
    assert not ids(ll.fix(y, p, trained=~np.ones(100, bool), maps="mix"))


@pytest.mark.parametrize(
    ("name", "values", "told"),
    [
        ("split", ["train", "test"], True),
        ("Subset", ["TRAINING", "valid"], True),
        ("is_train", [True, False], True),
        ("split", ["valid", "test"], False),
        ("fold", [1, 2], False),  # the number of a fold
        ("set", ["1", "2"], False),
        ("station", ["train", "bus"], False),
    ],
)
def test_columns_that_tell_training_rows_are_found(name: str, values: list, told: bool) -> None:
    y, p = draw(100)
    frame = pl.DataFrame({"y": y, "p": p, name: values * 50})
    result = ll.fix(frame, "p", outcome="y", maps="mix")
    assert ("fitted-on-training-rows" in ids(result)) == told
    named = ll.fix(frame, "p", outcome="y", trained=name, maps="mix")
    assert ("fitted-on-training-rows" in ids(named)) == (told or values in ([1, 2], ["1", "2"], ["train", "bus"]))  # fmt: skip


def test_a_map_that_sharpens_says_so() -> None:
    shy = ll.fix(*draw(600, 1, 0.4))
    assert shy.chosen == "temperature"
    assert ids(shy) == ["sharpens"]
    assert "sharpens" not in ids(ll.fix(*draw(600, 1, 2.5)))
    y, P = many(600, 1, 0.4)
    assert ids(ll.fix(y, P, maps="vector")) == ["sharpens"]


def test_a_parabola_that_turns_says_so() -> None:
    random = np.random.default_rng(3)
    z = random.normal(0, 1.5, 800)
    y = (random.random(800) < sigma(1.0 - z * z)).astype(int)
    result = ll.fix(y, sigma(z), maps="quadratic")
    assert result.chosen == "quadratic"
    assert ids(result) == ["not-monotone"]
    assert abs(result.map.steps[0].turns()) < 0.4  # the truth turns at 0
    assert "turns round" in result.show()


def test_a_record_of_skipped_rows_keeps_their_numbers() -> None:
    y, p = draw(200, 2, 2.0)
    when = np.arange(200)
    holes = p.copy()
    holes[[3, 50]] = np.nan
    kept = ~np.isnan(holes)
    one = ll.fix(y, holes, time=when, trained=when < 10, skip_missing=True, maps=FEW)
    two = ll.fix(y[kept], p[kept], time=when[kept], maps=FEW)
    assert one.gain == pytest.approx(two.gain, rel=1e-12)
    assert any("9 of these 198" in note.text for note in one.notes)


def test_the_race_is_watched() -> None:
    seen: list[tuple[int, int | None]] = []
    ll.fix(*draw(100), maps="mix", watch=lambda done, total: seen.append((done, total)))
    assert seen == [(at + 1, 55) for at in range(55)]  # 10 folds and 45 pairs of them


def test_from_a_checked_record() -> None:
    y, p = draw(200, 2, 2.0)
    record = ll.fix(y, p, maps="mix").observations
    assert record is not None
    assert of_record(record, maps=FEW).to_dict() == ll.fix(y, p, maps=FEW).to_dict()
