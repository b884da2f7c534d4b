"""The referee's answer from what a pass kept, against the answer from the rows themselves."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import logloss as ll
from hazards import same
from logloss.comparing.contest import Contest
from logloss.comparing.panels import of_panel
from logloss.comparing.recovered import tally_of
from logloss.comparing.verdicts import of_contest
from logloss.errors import UsageError
from logloss.interval import of_rows
from logloss.panel import Panel

N = 900
NAMES = ("a", "b", "c")
SAME = ("difference", "standard_error", "interval", "p_value", "verdict", "rule", "a_better_on", "b_better_on", "infinite_a",
        "infinite_b", "infinite_both", "difference_finite", "total", "total_error", "needed", "unit", "top5_share", "top_share",
        "without_top", "without_top_interval")  # fmt: skip


def table(*, infinite: str = "") -> dict[str, np.ndarray]:
    rng = np.random.default_rng(11)
    odds = rng.normal(0, 1.5, N)
    y = (rng.random(N) < 1 / (1 + np.exp(-odds))).astype(int)
    found = {"y": y, "w": rng.gamma(1.5, 1.0, N), "g": rng.integers(0, 15, N)}
    for name, k, noise in zip(NAMES, (1.0, 1.3, 1.05), (0.1, 0.4, 0.2), strict=True):
        found[name] = 1 / (1 + np.exp(-odds * k - rng.normal(0, noise, N)))
    for at, name in enumerate(infinite):
        found[name][[5, 60 + at]] = 1.0 - y[[5, 60 + at]]
    return found


def panel(data: dict[str, np.ndarray], **columns: str) -> Panel:
    found = ll.summarize(data, {name: name for name in NAMES}, outcome="y", **columns)
    assert isinstance(found, Panel)
    return found


def contest(data: dict[str, np.ndarray], *, weight: bool, group: bool) -> Contest:
    s = np.stack([ll.surprise(data["y"], data[name]) for name in NAMES], axis=1)
    w = data["w"] if weight else np.ones(N)
    return Contest(NAMES, s, w, cluster=data["g"] if group else None, numbers=np.arange(N))


@pytest.mark.parametrize("infinite", ["", "b", "ab", "abc"])
@pytest.mark.parametrize("group", [False, True])
@pytest.mark.parametrize("weight", [False, True])
@pytest.mark.parametrize("reference", [None, "b"])
def test_it_says_what_the_rows_say(infinite: str, group: bool, weight: bool, reference: str | None) -> None:
    data = table(infinite=infinite)
    columns = ({"weight": "w"} if weight else {}) | ({"group": "g"} if group else {})
    found = of_panel(panel(data, **columns), reference=reference)
    rows = of_contest(contest(data, weight=weight, group=group), reference=reference)
    assert found.names == rows.names
    assert (found.n, found.units, found.unit, found.reference) == (rows.n, rows.units, rows.unit, reference)
    for one, other in zip(found.standings, rows.standings, strict=True):
        for what in (
            "log_loss",
            "log_loss_finite",
            "infinite_rows",
            "interval",
            "difference",
            "difference_interval",
        ):
            close(getattr(one, what), getattr(other, what), what)
    assert [(pair.a, pair.b) for pair in found.pairs] == [(pair.a, pair.b) for pair in rows.pairs]
    for pair, other in zip(found.pairs, rows.pairs, strict=True):
        for what in SAME:
            close(getattr(pair, what), getattr(other, what), what)
        told, expected = (one.beside.get("evidence") for one in (pair, other))
        assert (told is None) == (weight or pair is not found.pairs[0])
        if told is not None:
            assert expected is not None
            same(told, expected)
        assert [row.row for row in pair.top] == [row.row for row in other.top]
        assert [row.a for row in pair.top] == pytest.approx([row.a for row in other.top], rel=1e-12)
        if not (group and pair.difference is not None and math.isinf(pair.difference)):
            close(
                pair.interval_finite if not group else None,
                other.interval_finite if not group else None,
                "finite",
            )


def close(one: Any, other: Any, what: str) -> None:
    if one is None or other is None or isinstance(one, str):
        assert one == other, what
    else:
        assert one == pytest.approx(other, rel=1e-9, abs=1e-13), what


def test_the_interval_is_that_of_the_published_example() -> None:
    # Methods of skewness correction, 60-digit arithmetic: mean 0.54375, Hall-t 0.0851185... to 2.8967814...
    d = np.array([0.05, 0.1, 0.1, 0.2, 0.3, 0.4, 0.7, 2.5])
    p = np.full(8, 0.9)
    pair = of_panel(ll.summarize({"y": np.ones(8, int), "good": p, "bad": p * np.exp(-d)}, {"good": "good", "bad": "bad"}, outcome="y", labels=[0, 1])).pairs[0]  # fmt: skip
    assert (pair.a, pair.b) == ("good", "bad")
    assert pair.difference == pytest.approx(-0.54375, rel=1e-14)
    assert pair.interval == pytest.approx((-2.8967814293404628, -0.085118536914597367), rel=1e-11)


def test_groups_drawn_are_jackknifed() -> None:
    # 60-digit arithmetic: sums (3, 1.2, 4.4, 2) over (5, 3, 6, 4) rows: standard error 0.073800957178353524
    sums, sizes = (3, 1.2, 4.4, 2), (5, 3, 6, 4)
    d = np.repeat([total / size for total, size in zip(sums, sizes, strict=True)], sizes)
    g = np.repeat(["k", "l", "m", "n"], sizes)
    data = {"y": np.ones(18, int), "good": np.full(18, 0.9), "bad": 0.9 * np.exp(-d), "g": g}
    found = of_panel(
        ll.summarize(data, {"good": "good", "bad": "bad"}, outcome="y", labels=[0, 1], group="g")
    )
    pair = found.pairs[0]
    assert pair.difference == pytest.approx(-0.58888888888888889, rel=1e-14)
    assert pair.standard_error == pytest.approx(0.073800957178353524, rel=1e-12)
    assert "few-groups" in {note.id for note in found.notes}
    groups = pair.beside["groups"]
    assert (groups["groups"], groups["a_better_in"], groups["b_better_in"]) == (4, 4, 0)
    assert [one["group"] for one in groups["moving_most"]] == ["m", "k", "n", "l"]
    assert groups["moving_most"][3]["difference"] == pytest.approx(-0.4, rel=1e-12)


def test_clipping_turns_the_winner_where_it_does() -> None:
    y = np.array([1] * 100)
    bold = np.full(100, 0.9999)
    bold[0] = 1e-9
    data = {"y": y, "bold": bold, "meek": np.full(100, 0.85)}
    pair = of_panel(ll.summarize(data, {"bold": "bold", "meek": "meek"}, outcome="y", labels=[0, 1])).pairs[0]
    assert pair.clip is not None

    def difference(eps: float) -> float:
        s = {
            name: np.clip(-np.log(data[name]), -math.log1p(-eps), -math.log(eps)) for name in ("bold", "meek")
        }
        return float(s[pair.a].mean() - s[pair.b].mean())

    for eps, told in pair.clip.curve:
        assert told == pytest.approx(difference(eps), rel=1e-12, abs=1e-15)
    assert (
        pair.a == "meek"
    )  # 20.7 nats of one row in a hundred; clipped to 7.6e-8 they are less than what meek pays
    assert pair.clip.changes_at == 1e-7
    assert difference(1e-7) > 0 > difference(3e-8)


def test_an_infinite_forecast_can_win_once_clipped() -> None:
    data = {"y": np.ones(50, int), "sure": np.r_[0.0, np.ones(49)], "meek": np.full(50, 0.5)}
    pair = of_panel(ll.summarize(data, {"sure": "sure", "meek": "meek"}, outcome="y", labels=[0, 1])).pairs[0]
    assert (pair.a, pair.difference) == ("meek", -math.inf)
    assert [(row.row, row.a, row.b) for row in pair.top] == [(0, pytest.approx(math.log(2)), math.inf)]
    assert pair.clip is not None
    assert (
        pair.clip.changes_at == 1e-15
    )  # a fiftieth of -log eps is 0.6908, and log 2 is 0.6931; at 3e-16 it is 0.7149
    assert pair.clip.curve[0] == (1e-15, pytest.approx(math.log(2) + math.log(1e-15) / 50 - 0.98 * 1e-15))


def test_a_saved_panel_says_the_same(tmp_path: Path) -> None:
    whole = panel(table(), weight="w", group="g")
    whole.save(tmp_path / "panel.json")
    again = Panel.from_dict(json.loads((tmp_path / "panel.json").read_text()))
    same(of_panel(again).to_dict(), of_panel(whole).to_dict())


def test_parts_that_were_saved_add_up() -> None:
    data = table(infinite="b")
    parts = [panel({name: column[part] for name, column in data.items()}, weight="w", group="g") for part in np.split(np.arange(N), [100, 101, 700])]  # fmt: skip
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    merged, whole = of_panel(total), of_panel(panel(data, weight="w", group="g"))
    for one, other in zip(merged.pairs, whole.pairs, strict=True):
        for what in SAME:
            close(getattr(one, what), getattr(other, what), what)


@pytest.mark.parametrize("group", [False, True])
def test_panels_saved_before_there_were_tallies_say_what_they_can(group: bool) -> None:
    whole = panel(table(), weight="w", **({"group": "g"} if group else {}))
    state = whole.to_dict()
    del state["tally"]
    old = of_panel(Panel.from_dict(json.loads(json.dumps(state | {"schema": 1}))))
    new = of_panel(whole)
    for one, other in zip(old.pairs, new.pairs, strict=True):
        for what in (
            "difference",
            "standard_error",
            "interval",
            "p_value",
            "verdict",
            "rule",
            "needed",
            "infinite_a",
        ):
            close(getattr(one, what), getattr(other, what), what)
        assert one.top == ()
        assert (one.top_share, one.a_better_on, one.clip) == (None, None, None)
    assert [one.in_best_set for one in old.standings] == [one.in_best_set for one in new.standings]
    assert "kept-less" in {note.id for note in old.notes}
    json.dumps(old.to_dict(), allow_nan=False)
    assert "kept-less" in str(old)


def test_old_panels_know_their_infinite_rows() -> None:
    whole = panel(table(infinite="ab"))
    old = of_panel(Panel(whole.summaries, whole.joint, whole.apart))
    for one, other in zip(old.pairs, of_panel(whole).pairs, strict=True):
        for what in ("difference", "infinite_a", "infinite_b", "infinite_both", "verdict"):
            assert getattr(one, what) == getattr(other, what)


def test_sets_and_bands_hold_the_best() -> None:
    data = table()
    data["c"] = 0.5 * data["c"] + 0.25
    found = of_panel(panel(data))
    assert found.set_level == 0.9
    assert found.best_set == ("a",)
    assert found.models["c"].set_p_value < 0.01
    s = [ll.surprise(data["y"], data[name]) for name in ("b", "a")]
    alone = of_rows(s[0] - s[1], np.ones(N))
    band = found.models["b"].simultaneous
    assert alone is not None
    assert band is not None
    assert band[0] < alone.mean - 1.9 * alone.standard_error
    assert band[1] > alone.mean + 1.9 * alone.standard_error
    assert band[1] - band[0] < 2 * 2.6 * alone.standard_error


@pytest.mark.parametrize(
    ("options", "slug"), [({"reference": "z"}, "no-such-model"), ({"level": 1.0}, "bad-level")]
)
def test_what_does_not_fit_is_refused(options: dict[str, Any], slug: str) -> None:
    with pytest.raises(UsageError) as caught:
        of_panel(panel(table()), **options)
    assert caught.value.slug == slug


def test_one_forecast_is_no_comparison() -> None:
    with pytest.raises(UsageError) as caught:
        of_panel(ll.summarize(table(), {"a": "a"}, outcome="y"))
    assert caught.value.slug == "too-few-forecasts"


@pytest.mark.parametrize("infinite", ["b", "ab", "abc"])
def test_old_panels_know_groups_and_weights_of_infinite_rows(infinite: str) -> None:
    whole = panel(table(infinite=infinite), weight="w", group="g")
    old, new = tally_of(Panel(whole.summaries, whole.joint, whole.apart)), whole.tally
    assert new is not None
    assert old.groups is not None
    assert new.groups is not None
    assert old.groups.keys == new.groups.keys
    np.testing.assert_allclose(old.groups.sums, new.groups.sums, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(old.pairs.sums[:, 5:], new.pairs.sums[:, 5:], rtol=1e-12, atol=1e-12)


def test_groups_are_counted_by_who_is_infinite_in_them() -> None:
    data = table(infinite="b")
    data["g"][[5, 60]] = (
        77  # the rows in which b is infinite are a group, in which a has the larger finite loss
    )
    data["a"][[5, 60]] = np.where(data["y"][[5, 60]] == 1, 0.01, 0.99)
    pair = of_panel(panel(data, group="g")).pair("a", "b")
    groups = pair.beside["groups"]
    s = {name: ll.surprise(data["y"], data[name]) for name in "ab"}
    sums = {g: [float(s[name][data["g"] == g].sum()) for name in "ab"] for g in np.unique(data["g"])}
    assert groups["a_better_in"] == sum(a < b for a, b in sums.values())
    assert groups["b_better_in"] == sum(b < a for a, b in sums.values())
    assert [one["difference"] for one in groups["moving_most"] if one["group"] == 77] == [-math.inf]
