"""A map as SQL, run by Spark."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl
import pytest

import logloss as ll
from logloss.calibrate import maps
from mapcases import BOTH, SPACES, forecasts

pytestmark = [pytest.mark.filterwarnings("ignore")]  # the engine's own
NAMES = ["p `of` one", 'p."two"', "ü; --"]
CHOSEN = [
    one
    for one in BOTH
    if one.id in ("beta", "mix", "isotonic", "venn_abers", "identity", "odd vector of 3", "mix of 3")
]


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    sql = pytest.importorskip("pyspark.sql")
    if shutil.which("java") is None:
        pytest.skip("no Java")
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    os.environ["PYSPARK_PYTHON"] = sys.executable
    running = sql.SparkSession.getActiveSession() is not None
    session = (
        sql.SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.log.level", "FATAL")
        .getOrCreate()
    )
    yield session
    if not running:  # else it is another module's
        session.stop()


def run(spark: Any, fitted: ll.FittedMap, given: Any) -> Any:
    """Return what Spark makes of the rows, in their order; NULL as NaN."""
    columns = given[:, None] if given.ndim == 1 else given
    names = NAMES[: columns.shape[1]]
    rows = pl.DataFrame({name: columns[:, k] for k, name in enumerate(names)}).with_columns(
        row=pl.int_range(pl.len())
    )
    written = fitted.sql(names, dialect="spark")
    texts = [written] if isinstance(written, str) else list(written.values())
    spark.createDataFrame(rows.to_arrow()).createOrReplaceTempView("given")
    asked = ", ".join(f"{text} AS x{k}" for k, text in enumerate(texts))
    found = pl.from_arrow(spark.sql(f"SELECT `row`, {asked} FROM given").toArrow())
    assert isinstance(found, pl.DataFrame)
    values = found.sort("row").drop("row").fill_null(float("nan")).to_numpy()
    return values[:, 0] if given.ndim == 1 else values


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize(("steps", "classes"), CHOSEN)
def test_spark_does_what_apply_does(spark: Any, steps: Any, classes: Any, space: Any) -> None:
    fitted = ll.FittedMap("any", steps, classes, space=space)
    for given in forecasts(space, len(classes)):
        got, expected = run(spark, fitted, given), fitted.apply(given)
        if space == "logp" or (space == "logit" and given.ndim == 2):
            got, expected = np.exp(got), np.exp(expected)
        elif space == "logit":
            got, expected = (1 / (1 + np.exp(-np.clip(x, -700, 700))) for x in (got, expected))
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-9)


def test_null_and_nan_become_null(spark: Any) -> None:
    for space, step in (("p", maps.Beta(1.2, 0.7, -0.1)), ("logit", maps.Clip(0.1, 0.1))):
        fitted = ll.FittedMap("any", (step,), (0, 1), space=space)  # type: ignore[arg-type]
        assert np.isnan(run(spark, fitted, np.array([np.nan, np.nan]))).all()


def test_a_hundred_knots(spark: Any) -> None:
    rng = np.random.default_rng(0)
    one = maps.Isotonic(np.sort(rng.normal(0, 3, 100)), np.cumsum(rng.random(100)) / 10 - 4)
    fitted, p = ll.FittedMap("knots", (one,), (0, 1)), rng.random(500)
    np.testing.assert_allclose(run(spark, fitted, p), fitted.apply(p), rtol=0, atol=1e-9)
