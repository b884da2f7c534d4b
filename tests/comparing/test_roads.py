"""One answer on every road: arrays, a table, several files, one pass, a panel, panels that were merged."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import logloss as ll
from logloss.comparing.counts import EPS
from logloss.comparing.panels import of_panel
from logloss.comparing.results import Comparison
from logloss.comparing.streaming import of_stream
from logloss.panel import Panel
from logloss.sources import Opened, opened

N = 400
NAMES = ("a", "b", "c")
LABELS = ("cat", "dog", "emu")
Columns = dict[str, np.ndarray]


def kinds(kind: str) -> tuple[Columns, dict[str, list[str]], dict[str, Any]]:
    """Return a table, the columns of each forecast, and what is said of them."""
    rng = np.random.default_rng(29)
    odds = rng.normal(0, 1.5, N)
    extra: Columns = {
        "id": np.arange(1000, 1000 + N),
        "w": rng.gamma(1.5, 1.0, N).round(3),
        "g": rng.integers(0, 13, N),
    }
    extra["w"][[7, 90]] = 0.0
    extra["g"][[7, 90]] = 99  # a group without weight, where there are weights
    if kind in ("classes", "class logits"):
        z = {name: rng.normal(0, 1, (N, 3)) * k for name, k in zip(NAMES, (1.0, 1.2, 0.6), strict=True)}
        p = {name: np.exp(one) / np.exp(one).sum(axis=1, keepdims=True) for name, one in z.items()}
        y = np.array(LABELS)[[int(rng.choice(3, p=row)) for row in p["a"]]]
        p["b"][11] = np.where(np.array(LABELS) == y[11], 0.0, 0.5)
        values = z if kind == "class logits" else p
        columns = {
            f"{name}_{label}": one[:, k] for name, one in values.items() for k, label in enumerate(LABELS)
        }
        said = {"space": "logit"} if kind == "class logits" else {}
        return (
            {"y": y} | columns | extra,
            {name: [f"{name}_{label}" for label in LABELS] for name in NAMES},
            said,
        )
    z = {name: odds * k + rng.normal(0, 0.3, N) for name, k in zip(NAMES, (1.0, 1.3, 0.7), strict=True)}
    p = {name: 1 / (1 + np.exp(-one)) for name, one in z.items()}
    hard = (rng.random(N) < 1 / (1 + np.exp(-odds))).astype(np.int64)
    y = rng.beta(2, 1, N) if kind == "soft" else hard
    if kind == "infinite":
        p["b"][[5, 60]] = 1.0 - hard[[5, 60]]
        p["c"][[5, 61]] = 1.0 - hard[[5, 61]]
    if kind == "infinite under both":
        for name in NAMES:
            p[name][[5, 60]] = 1.0 - hard[[5, 60]]
    values = z if kind == "logits" else p
    said = {"space": "logit"} if kind == "logits" else {}
    return {"y": y} | values | extra, {name: [name] for name in NAMES}, said


def arrays(data: Columns, columns: dict[str, list[str]], said: dict[str, Any], _tmp: Path) -> Comparison:
    forecasts = {
        name: data[of[0]] if len(of) == 1 else np.stack([data[one] for one in of], axis=1)
        for name, of in columns.items()
    }
    beside = {what: data[column] for what, column in said.items() if what in ("weight", "group")}
    ids = {"ids": data["id"]} if "ids" in said else {}
    labels = {"labels": list(LABELS)} if len(columns["a"]) > 1 else {}
    return ll.compare(data["y"], forecasts, **(said | beside | ids | labels))


def table(data: Columns, columns: dict[str, list[str]], said: dict[str, Any], _tmp: Path) -> Comparison:
    return ll.compare(pl.DataFrame(data), single(columns), outcome="y", **said)


def single(columns: dict[str, list[str]]) -> dict[str, Any]:
    return {name: of[0] if len(of) == 1 else of for name, of in columns.items()}


def files(data: Columns, columns: dict[str, list[str]], said: dict[str, Any], tmp: Path) -> Comparison:
    truth = pl.DataFrame({name: data[name] for name in ("id", "y", "w", "g")})
    truth.sample(fraction=1.0, shuffle=True, seed=1).write_csv(tmp / "truth.csv")
    paths = []
    for seed, (name, of) in enumerate(columns.items()):
        own = {"id": data["id"]} | {
            ("p" if len(of) == 1 else one.removeprefix(f"{name}_")): data[one] for one in of
        }
        paths.append(tmp / f"{name}.csv")
        pl.DataFrame(own).sample(fraction=1.0, shuffle=True, seed=seed).write_csv(paths[-1])
    forecast = ["p"] if len(columns["a"]) == 1 else list(LABELS)
    return ll.compare(paths, forecast, outcome="y", truth=tmp / "truth.csv", **(said | {"ids": "id"}))


def source(data: Columns, tmp: Path) -> Path:
    pl.DataFrame(data).write_parquet(tmp / "rows.parquet", row_group_size=90)
    return tmp / "rows.parquet"


def passed(data: Columns, columns: dict[str, list[str]], said: dict[str, Any], tmp: Path) -> Comparison:
    found = opened(source(data, tmp), single(columns), outcome="y", **said)
    assert isinstance(found, Opened)
    return of_stream(found)


def panel(data: Columns, columns: dict[str, list[str]], said: dict[str, Any], tmp: Path) -> Comparison:
    found = ll.summarize(source(data, tmp), single(columns), outcome="y", **said)
    found.save(tmp / "panel.json")
    return ll.compare(tmp / "panel.json")


def merged(data: Columns, columns: dict[str, list[str]], said: dict[str, Any], tmp: Path) -> Comparison:
    parts = []
    for at, rows in enumerate(np.split(np.arange(N), [130, 131, 310])):
        part = pl.DataFrame({name: column[rows] for name, column in data.items()})
        known = (
            {"labels": list(LABELS)}
            if len(columns["a"]) > 1
            else {}
            if data["y"].dtype.kind == "f"
            else {"labels": [0, 1]}
        )
        found = ll.summarize(part, single(columns), outcome="y", **(said | known))
        found.save(tmp / f"{at}.json")
        parts.append(tmp / f"{at}.json")
    whole = ll.merge(parts)
    assert isinstance(whole, Panel)
    return of_panel(whole)


ROADS = {
    "table": table,
    "files": files,
    "passed": passed,
    "compiled": passed,
    "panel": panel,
    "merged": merged,
}
WITHOUT_ROWS = ("passed", "compiled", "panel", "merged")
STANDING = ("log_loss", "log_loss_finite", "infinite_rows", "interval", "difference", "difference_interval")
PAIR = (
    "difference", "standard_error", "interval", "p_value", "verdict", "rule", "total", "total_error", "needed", "unit",
    "a_better_on", "b_better_on", "infinite_a", "infinite_b", "infinite_both", "difference_finite", "top5_share",
    "top_share", "without_top", "without_top_interval",
)  # fmt: skip


def close(one: Any, other: Any, what: str, rel: float = 1e-9) -> None:
    if one is None or other is None or isinstance(one, str):
        assert one == other, what
    else:
        assert one == pytest.approx(other, rel=rel, abs=1e-12), what


@pytest.mark.parametrize("road", ROADS)
@pytest.mark.parametrize("beside", ["", "group", "weight group ids"])
@pytest.mark.parametrize(
    "kind", ["plain", "infinite", "infinite under both", "soft", "logits", "classes", "class logits"]
)
def test_every_road_leads_to_one_answer(
    kind: str, beside: str, road: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("logloss.batches.ROWS", 57)
    monkeypatch.setattr("logloss.passes.HEAD", 40)
    if road == "compiled":
        monkeypatch.setattr("logloss.kernels.COMPILE_FROM", 1)
    data, columns, said = kinds(kind)
    said |= {what: {"weight": "w", "group": "g", "ids": "id"}[what] for what in beside.split()}
    expected = arrays(data, columns, said, tmp_path)
    found = ROADS[road](data, columns, said, tmp_path)
    assert found.names == expected.names
    assert (found.n, found.units, found.unit, found.classes) == (
        expected.n,
        expected.units,
        expected.unit,
        expected.classes,
    )
    for one, other in zip(found.standings, expected.standings, strict=True):
        for what in STANDING:
            close(getattr(one, what), getattr(other, what), what)
        assert one.in_best_set == other.in_best_set
        close(one.simultaneous, other.simultaneous, "simultaneous", 1e-6)
    assert [(pair.a, pair.b) for pair in found.pairs] == [(pair.a, pair.b) for pair in expected.pairs]
    for pair, other in zip(found.pairs, expected.pairs, strict=True):
        for what in PAIR:
            close(getattr(pair, what), getattr(other, what), what)
        if not (road in WITHOUT_ROWS and "group" in beside):  # sums by group are those of single forecasts
            close(pair.interval_finite, other.interval_finite, "interval_finite")
        clips(pair.clip, other.clip, exact=road not in WITHOUT_ROWS)
        tops = [
            sorted(one.top, key=lambda row: (min(row.a, row.b), row.weight)) if road == "files" else one.top
            for one in (pair, other)
        ]
        for told, row in zip(
            *tops, strict=True
        ):  # of infinite rows the first: files have an order of their own
            assert [told.a, told.b, told.weight] == pytest.approx([row.a, row.b, row.weight], rel=1e-9)
            close(told.outcome, row.outcome, "outcome")
            if road == "files" or "ids" in said:
                assert told.id == 1000 + row.row
            if road in ("table", "passed", "compiled", "panel"):
                assert told.row == row.row


def clips(one: Any, other: Any, *, exact: bool) -> None:
    assert one is not None
    assert other is not None
    for (eps, value), (limit, told) in zip(one.curve, other.curve, strict=True):
        assert eps == limit
        close(value, told, f"clipped to {eps}")
    if exact:
        close(one.changes_at, other.changes_at, "changes_at")
    elif other.changes_at is None:
        assert one.changes_at is None
    else:  # of the clips that a pass knows, the first that is enough
        assert one.changes_at == min(
            eps for eps in EPS if eps >= other.changes_at or math.isclose(eps, other.changes_at)
        )
