"""The same hazardous rows through every source: the same summary, or the same error."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import logloss as ll
from hazards import COLUMNS, SOURCES, expected, frame, kept, numbers, rows, same


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make batches so small that a few hundred rows take many."""
    monkeypatch.setattr("logloss.batches.ROWS", 29)
    monkeypatch.setattr("logloss.passes.HEAD", 16)


def reference() -> ll.Summary:
    data = rows()
    found = ll.summarize(
        data["y"], data["p"], weight=data["w"], group=data["g"], labels=[0, 1], skip_missing=True
    )
    assert isinstance(found, ll.Summary)
    return found


def test_the_reference_is_what_exact_arithmetic_says() -> None:
    data = rows()
    summary, exact = reference(), expected(data)
    assert summary.mean == np.inf
    assert summary.mean_finite == pytest.approx(exact["log_loss_finite"], rel=1e-13)
    assert summary.weight == pytest.approx(exact["weight"], rel=1e-14)
    assert summary.infinite[0] == exact["infinite_rows"] == 2
    assert summary.mass["rows"] == exact["rows"]
    assert summary.skipped == len(data["y"]) - exact["rows"] == 4


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("name", SOURCES)
def test_the_same_summary(name: str, tmp_path: Path) -> None:
    source = SOURCES[name](frame(rows()), tmp_path)
    found = ll.summarize(source, **COLUMNS, skip_missing=True)
    same(numbers(found.to_dict()), numbers(reference().to_dict()))
    assert found.skipped == 4
    assert found.columns == {"outcome": ["y"], "forecast": ["p"], "weight": ["w"], "group": ["g"]}


BAD = {
    "missing-values": lambda data: data,
    "out-of-range": lambda data: {**data, "p": np.where(np.arange(len(data["p"])) == 130, 1.5, data["p"])},
    "bad-weights": lambda data: {**data, "w": np.where(np.arange(len(data["w"])) == 131, -1.0, data["w"])},
    "too-many-classes": lambda data: {
        **data,
        "y": np.where(np.arange(len(data["y"])) == 132, 2.0, data["y"]),
    },
}


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("slug", BAD)
@pytest.mark.parametrize("name", SOURCES)
def test_the_same_error(name: str, slug: str, tmp_path: Path) -> None:
    data = rows()
    if slug != "missing-values":
        data = {column: values[kept(data)] for column, values in data.items()}
    source = SOURCES[name](frame(BAD[slug](data)), tmp_path)
    once = name in ("PyArrow reader", "generator of frames", "iterator of Arrow batches")
    with pytest.raises(ll.DataError) as caught:
        ll.summarize(source, **COLUMNS)
    assert caught.value.slug == ("labels-come-later" if once and slug == "too-many-classes" else slug)


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("name", SOURCES)
def test_several_forecasts(name: str, tmp_path: Path) -> None:
    data = rows()
    data["q"] = np.clip(data["p"], 0.05, 0.9)
    data["q"][40] = np.nan
    source = SOURCES[name](frame(data), tmp_path)
    scores = ll.score(source, {"p": "p", "q": "q"}, outcome="y", weight="w", skip_missing=True)
    whole = kept(data) & ~np.isnan(data["q"])
    y, p, q, w = (data[column][whole] for column in ("y", "p", "q", "w"))
    s_p, s_q = ll.surprise(y, p), ll.surprise(y, q)
    assert scores.models["q"].log_loss == pytest.approx(np.average(s_q, weights=w), rel=1e-12)
    assert scores.models["p"].n == scores.models["q"].n == int((w > 0).sum())
    assert list(scores.models) == ["q", "p"]
    assert scores.pairs[0]["difference"] == -np.inf
    finite = np.isfinite(s_p) & (w > 0)
    joint = scores.summary.joint
    assert joint.n == finite.sum()
    both = np.stack([w, w * np.where(finite, s_p, 0), w * s_q], axis=1)[finite]
    np.testing.assert_allclose(joint.mean, both.mean(axis=0), rtol=1e-12)
    centred = both - both.mean(axis=0)
    np.testing.assert_allclose(joint.second, centred.T @ centred, rtol=1e-10)


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("space", ["p", "logp", "logit"])
@pytest.mark.parametrize("name", ["Parquet", "CSV", "folder", "generator of frames", "pandas"])
def test_one_column_per_class(name: str, space: str, tmp_path: Path, rng: np.random.Generator) -> None:
    import polars as pl

    P = rng.dirichlet([0.5, 1.0, 2.0], 150)
    labels = np.array(["cat", "dog", "emu"])
    y = labels[[int(rng.choice(3, p=row)) for row in P]]
    values = {"p": P, "logp": np.log(P), "logit": np.log(P) + 3.0}[space]
    data = pl.DataFrame({"what": y, "x_dog": values[:, 1], "x_cat": values[:, 0], "x_emu": values[:, 2]})
    names = ["x_dog", "x_cat", "x_emu"]
    found = ll.summarize(SOURCES[name](data, tmp_path), names, outcome="what", group="what", space=space)
    whole = ll.summarize(y, values, labels=list(labels), space=space, group=y)
    by_label = dict(zip(found.classes, found.by_class.sums[2], strict=True))
    for label, nats in zip(whole.classes, whole.by_class.sums[2], strict=True):
        assert by_label[label] == pytest.approx(nats, rel=1e-12)
    assert found.mean == pytest.approx(whole.mean, rel=1e-12)
    assert sorted(found.groups.keys) == list(labels)
