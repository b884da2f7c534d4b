"""`fix` of several forecasts of the same rows: what is made of them, and when the best single one is left as it is."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import logloss as ll
from logloss.calibrate.stacks import fit_pools
from logloss.fixing.recalibration import fix
from logloss.fixing.tables import apply_to_table, write_held_out


def sigma(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def complementary(n: int, seed: int = 0) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Outcomes, and two forecasts of which each sees half of what decides them."""
    random = np.random.default_rng(seed)
    one, two = random.normal(size=(2, n)) * 1.2
    return (random.random(n) < sigma(one + two)).astype(int), {"a": sigma(one), "b": sigma(two)}


def best_of(y: np.ndarray, p: np.ndarray) -> float:
    return float(-np.log(np.where(y == 1, p, 1 - p)).mean())


def test_two_complementary_forecasts_are_certainly_better_together() -> None:
    y, given = complementary(2000)
    result = fix(y, given)
    assert result.gain_interval is not None
    assert result.gain_interval[0] > 0.05
    assert result.chosen.startswith("log")  # the outcomes were drawn from a log pool with weights of 1
    assert result.before == pytest.approx(min(best_of(y, p) for p in given.values()), rel=1e-12)
    assert result.after == pytest.approx(result.before - result.gain, rel=1e-12)
    assert isinstance(result.map, ll.FittedPool)
    assert result.map.weights == pytest.approx([1.0, 1.0], abs=0.15)
    fresh, new = complementary(20_000, seed=1)
    assert best_of(fresh, result.apply(new)) == pytest.approx(result.after, abs=0.02)


def test_held_out_forecasts_have_the_loss_that_is_reported() -> None:
    y, given = complementary(600)
    result = fix(y, given, maps=["linear"])
    assert result.chosen == "linear"
    (linear,) = (one for one in result.candidates if one.name == "linear")
    assert best_of(y, result.held_out()) == pytest.approx(linear.log_loss, rel=1e-12)
    assert result.after == pytest.approx(linear.log_loss, rel=1e-12)
    assert result.held_out() != pytest.approx(result.apply(given), abs=1e-6)  # not the weights of all rows


def test_the_same_forecast_twice_is_left_as_it_is() -> None:
    random = np.random.default_rng(4)
    z = random.normal(size=1500)
    y, p = (random.random(1500) < sigma(z)).astype(int), sigma(z)
    result = fix(y, {"a": p, "again": p})
    assert result.chosen == "identity"
    assert result.before == result.after == pytest.approx(best_of(y, p), rel=1e-12)
    assert result.apply({"a": p, "again": p}).tolist() == p.tolist()
    assert "Do nothing" in result.why


@pytest.mark.parametrize("way", ["linear", "log"])
def test_a_useless_forecast_gets_hardly_any_weight(way: str) -> None:
    y, given = complementary(4000)
    given["useless"] = np.random.default_rng(9).beta(2, 2, 4000)
    result = fix(y, given, maps=[way])
    assert result.chosen == way
    assert result.map.weights[2] < 0.05
    assert min(result.map.weights[:2]) > 0.4


def test_a_linear_pool_of_calibrated_forecasts_is_recalibrated_to_be_more_certain() -> None:
    # Ranjan and Gneiting (2010): each is calibrated, so their mean is not certain enough.
    random = np.random.default_rng(2)
    one, two = random.normal(size=(2, 6000))
    y = (random.random(6000) < sigma(one + two)).astype(int)
    over = random.normal(size=20_000)
    seen = {name: sigma(z[:, None] + over[:200]).mean(axis=1) for name, z in (("a", one), ("b", two))}
    result = fix(y, seen, maps=["linear_temperature"])
    assert result.chosen == "linear_temperature"
    (step,) = result.map.steps
    assert step.slope[0] > 1.2


def test_the_order_of_forecasts_does_not_matter() -> None:
    y, given = complementary(500)
    one, two = fix(y, given), fix(y, dict(reversed(given.items())))
    assert one.chosen == two.chosen
    assert one.gain == pytest.approx(two.gain, abs=1e-8)
    assert one.apply(given) == pytest.approx(two.apply(given), abs=1e-6)


def test_weights_are_repetitions_in_the_fit_but_for_the_ridge() -> None:
    y, given = complementary(300)
    times = np.random.default_rng(5).integers(1, 4, 300)
    Z = np.stack([np.log(p / (1 - p)) for p in given.values()], axis=1)[:, :, None]
    T = y[:, None].astype(float)
    a = fit_pools(["linear"], Z, T, times / times.mean(), best=0)["linear"](Z)
    again = np.repeat(np.arange(300), times)
    b = fit_pools(["linear"], Z[again], T[again], np.ones(len(again)), best=0)["linear"](Z)
    assert a == pytest.approx(b, abs=1e-8)
    assert a != pytest.approx(fit_pools(["linear"], Z, T, np.ones(300), best=0)["linear"](Z), abs=1e-3)


def test_rows_of_weight_0_count_nowhere() -> None:
    y, given = complementary(400)
    zero = np.arange(400) < 100
    odd = {name: np.where(zero, 0.0, p) for name, p in given.items()}
    one = fix(y, odd, weight=np.where(zero, 0.0, 2.0))
    two = fix(y[100:], {name: p[100:] for name, p in given.items()})
    assert one.to_dict()["candidates"] == two.to_dict()["candidates"]
    assert one.rows == 300


def test_more_classes_and_soft_outcomes() -> None:
    random = np.random.default_rng(6)
    z = random.normal(size=(2, 1200, 3)) * 1.5
    p = np.exp(z.sum(axis=0))
    p /= p.sum(axis=1, keepdims=True)
    y = (random.random(1200)[:, None] > p.cumsum(axis=1)).sum(axis=1)
    given = {
        name: np.exp(one) / np.exp(one).sum(axis=1, keepdims=True) for name, one in zip("ab", z, strict=True)
    }
    hard = fix(y, given)
    soft = fix(np.eye(3)[y] * 0.8 + 0.1 * (1 - np.eye(3)[y]), given)
    for result in (hard, soft):
        assert result.gain > 0.05
        assert result.apply(given).sum(axis=1) == pytest.approx(np.ones(1200))
    assert soft.map.weights.sum() < hard.map.weights.sum()  # outcomes are less certain


def test_an_infinite_forecast_is_mended_by_the_other() -> None:
    y, given = complementary(500)
    given["a"] = np.where(np.arange(500) == 7, 1.0 - y[7], given["a"])
    given["b"] = np.where(np.arange(500) == 9, 1.0 - y[9], given["b"])
    result = fix(y, given)
    assert np.isinf(result.before)
    assert np.isfinite(result.after)
    assert result.to_dict()["before"] == "inf"
    json.dumps(result.to_dict(), allow_nan=False)


def test_groups_and_time() -> None:
    y, given = complementary(600)
    assert fix(y, given, group=np.arange(600) // 20).grouped
    assert fix(y, given, time=np.arange(600)).folds == 10


def test_too_few_rows_do_nothing() -> None:
    y, given = complementary(12)
    result = fix(y, given)
    assert (result.chosen, result.folds) == ("identity", 0)
    assert result.map.does_nothing
    assert result.held_out() == pytest.approx(given[result.map.fitted["best"]], rel=1e-12)


def test_the_screen_and_the_contract() -> None:
    y, given = complementary(400)
    given["<b>\x1b"] = given["a"]
    result = fix(y, given)
    shown = result.show("bits")
    assert "\x1b" not in shown
    assert "<b>\x1b" not in result._repr_html_()
    assert "<b>·" not in result._repr_html_()
    assert "best single forecast" in shown
    assert {one["name"] for one in result.to_dict()["candidates"]} >= {
        "identity",
        "linear",
        "log",
        "linear_beta",
    }
    assert sum(one.name.startswith("only ") for one in result.candidates) == 2
    single = fix(y, given["a"])
    assert set(result.to_dict()) == set(single.to_dict())


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A file with one column about "sick", one about "well" that lacks values, and both classes."""
    y, given = complementary(400)
    a, b = given["a"].round(6), (1 - given["b"]).round(6)
    frame = pl.DataFrame(
        {
            "id": np.arange(400),
            "state": np.where(y == 1, "sick", "well"),
            "p_sick": a,
            "p_well": [None if at in (3, 50) else float(x) for at, x in enumerate(b)],
            "q_sick": a,
            "q_well": 1 - a,
        }
    )
    frame.write_csv(tmp_path / "rows.csv")
    return tmp_path / "rows.csv"


def test_columns_of_a_file_stay_paired_and_know_their_class(table: Path, tmp_path: Path) -> None:
    y, given = complementary(400)
    names = {"one": "p_sick", "two": "p_well"}
    with pytest.raises(ll.ForecastError, match="missing"):
        fix(table, names, outcome="state")
    result = fix(table, names, outcome="state", skip_missing=True)
    keep = ~np.isin(np.arange(400), [3, 50])
    plain = fix(y[keep], {"one": given["a"][keep].round(6), "two": given["b"][keep].round(6)})
    assert result.rows == 398
    assert result.gain == pytest.approx(plain.gain, rel=1e-6)
    assert result.apply({"one": [0.9], "two": [0.3]}) == pytest.approx(
        plain.apply({"one": [0.9], "two": [0.7]}), rel=1e-5
    )
    assert any("rows 3, 50" in note.text for note in result.notes)
    columns = {"one": ["q_sick", "q_well"], "two": "p_well"}
    wide = fix(table, columns, outcome="state", skip_missing=True)
    assert wide.before == pytest.approx(result.before, rel=1e-9)
    assert wide.gain == pytest.approx(result.gain, rel=0.1)  # folds are dealt in another order of classes
    assert wide.held_out().shape == (398, 2)


def test_a_table_is_written_with_the_pool_in_a_column_of_its_own(table: Path, tmp_path: Path) -> None:
    names = {"one": "p_sick", "two": "p_well"}
    asked = {"forecast": names, "outcome": "state", "skip_missing": True}
    result = fix(table, **asked)
    rows, columns, notes = write_held_out(result, table, tmp_path / "held.csv", **asked)
    assert (rows, columns, [note.id for note in notes]) == (398, ["pooled"], ["rows-not-written"])
    held = pl.read_csv(tmp_path / "held.csv")
    assert held["pooled"].to_numpy() == pytest.approx(result.held_out(), rel=1e-12)
    assert (
        held["p_sick"].to_list()
        == pl.read_csv(table).filter(pl.col("p_well").is_not_null())["p_sick"].to_list()
    )
    new = held.drop("state", "pooled")
    rows, columns, _ = apply_to_table(result.map, new, tmp_path / "new.csv")
    assert (rows, columns) == (398, ["pooled"])
    got = pl.read_csv(tmp_path / "new.csv")["pooled"].to_numpy()
    assert got == pytest.approx(result.apply({"one": new["p_sick"], "two": new["p_well"]}), rel=1e-12)
    with pytest.raises(ll.ColumnError, match="pooled"):
        apply_to_table(result.map, held, tmp_path / "again.csv")
    with pytest.raises(ll.UsageError, match="fitted to"):
        apply_to_table(result.map, new, tmp_path / "again.csv", forecast=["p_sick"])


def test_a_pool_of_classes_is_written_with_a_column_for_each(table: Path, tmp_path: Path) -> None:
    columns = {"one": ["q_sick", "q_well"], "two": "p_well"}
    result = fix(table, columns, outcome="state", skip_missing=True)
    new = pl.read_csv(table).drop_nulls()
    _, written, _ = apply_to_table(result.map, new, tmp_path / "new.parquet")
    assert sorted(written) == ["pooled_sick", "pooled_well"]
    got = pl.read_parquet(tmp_path / "new.parquet")
    assert (got["pooled_sick"] + got["pooled_well"]).to_numpy() == pytest.approx(np.ones(398))
    assert np.corrcoef(got["pooled_sick"], new["p_sick"])[0, 1] > 0.3


@pytest.mark.parametrize(
    ("forecasts", "options", "slug"),
    [
        ({"a": [0.5] * 4}, {}, "too-few-forecasts"),
        ({}, {}, "too-few-forecasts"),
        ({1: [0.5] * 4, "1": [0.5] * 4}, {}, "too-few-forecasts"),
        ({"a": [0.5] * 4, "b": [0.5] * 3}, {}, "different-lengths"),
        ({"a": [0.5] * 4, "b": [0.5] * 4}, {"maps": "isotonic"}, "unknown-map"),
        ({"a": [0.5] * 4, "b": [0.5] * 4}, {"level": 2}, "bad-level"),
        ({"0": [0.5] * 4, "1": [0.5] * 4}, {}, "forecasts-or-classes"),
        ({"a": [[0.5, 0.25, 0.25]] * 4, "b": [0.5] * 4}, {"labels": [0, 1, 2]}, "labels-count"),
    ],
)
def test_calls_that_do_not_go_together(forecasts: dict, options: dict, slug: str) -> None:
    with pytest.raises(ll.LoglossError) as caught:
        fix([0, 1, 0, 1], forecasts, **options)
    assert caught.value.slug == slug
    assert caught.value.cure
