"""Real engines: Spark with two executor processes, Spark Connect, Dask with two worker processes, Ray."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import logloss as ll
from hazards import COLUMNS, frame, kept, numbers, rows, same

clusters = pytest.importorskip("logloss.integrations.clusters")
pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # the engines' own: pandas 3, large graphs, sockets closed late
]
ENGINES = ("Spark", "Dask", "Ray")


@pytest.fixture(scope="session")
def spark() -> Iterator[Any]:
    sql = pytest.importorskip("pyspark.sql")
    if shutil.which("java") is None:
        pytest.skip("no Java")
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    os.environ["PYSPARK_PYTHON"] = sys.executable  # the one that has this package
    session = (
        sql.SparkSession.builder.master("local-cluster[2,1,1024]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.sql.shuffle.partitions", "4")
        .config("spark.log.level", "FATAL")
        .getOrCreate()
    )
    yield session
    session.stop()


@pytest.fixture(scope="session")
def dask() -> Iterator[Any]:
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.fixture(scope="session")
def ray() -> Iterator[Any]:
    ray = pytest.importorskip("ray")
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, _node_ip_address="127.0.0.1")
    ray.data.DataContext.get_current().enable_progress_bars = False
    yield ray
    ray.shutdown()


@pytest.fixture(params=ENGINES)
def spread_out(request: pytest.FixtureRequest) -> Any:
    """Return what turns a Polars frame into one of the engine's, in several partitions."""
    if request.param == "Spark":
        session = request.getfixturevalue("spark")
        return lambda data: session.createDataFrame(data.to_arrow()).repartition(5)
    if request.param == "Dask":
        request.getfixturevalue("dask")
        import dask.dataframe as dd

        return lambda data: dd.from_pandas(data.to_pandas(), npartitions=5)
    ray = request.getfixturevalue("ray")
    return lambda data: ray.data.from_arrow(data.to_arrow()).repartition(5)


def test_the_same_summary(spread_out: Any) -> None:
    data = frame(rows())
    found = clusters.summarize(spread_out(data), **COLUMNS, skip_missing=True)
    whole = ll.summarize(data, **COLUMNS, skip_missing=True)
    a, b = numbers(found.to_dict()), numbers(whole.to_dict())
    for state in (
        a,
        b,
    ):  # rows have no order in a cluster: of equal costs any may be told, groups come in any order
        state["top"]["entries"] = sorted(str(entry[0]) for entry in state["top"]["entries"])
        order = np.argsort(state["groups"]["keys"])
        state["groups"] = {name: [values[at] for at in order] for name, values in state["groups"].items()}
    same(a, b)
    assert found.skipped == 4
    assert all(part for _, (part, _), _ in found.top.entries)


def test_several_forecasts_with_ids(spread_out: Any) -> None:
    import polars as pl

    data = rows()
    data = {name: values[kept(data)] for name, values in data.items()}
    table = frame(data).with_columns(
        q=pl.col("p") * 0.5 + 0.25, key=pl.Series([f"row {at}" for at in range(236)])
    )
    scores = clusters.score(
        spread_out(table), {"sharp": "p", "blunt": "q"}, outcome="y", weight="w", ids="key"
    )
    local = ll.score(table, {"sharp": "p", "blunt": "q"}, outcome="y", weight="w", ids="key")
    assert scores.models["blunt"].log_loss == pytest.approx(local.models["blunt"].log_loss, rel=1e-12)
    same(scores.summary.joint.to_dict(), local.summary.joint.to_dict())
    worst, expected = (one.models["blunt"].summary.top.entries for one in (scores, local))
    assert [payload["id"] for _, _, payload in worst] == [payload["id"] for _, _, payload in expected]


def test_bad_rows_are_our_error_not_a_failed_job(spread_out: Any) -> None:
    data = rows()
    data = {name: values[kept(data)] for name, values in data.items()}
    data["p"][150] = 1.5
    with pytest.raises(ll.ForecastError) as caught:
        clusters.score(spread_out(frame(data)), "p", outcome="y")
    assert caught.value.slug == "out-of-range"
    assert "1.5" in caught.value.message


def test_the_other_door_points_here(spread_out: Any) -> None:
    with pytest.raises(ll.UsageError, match=r"clusters\.score") as caught:
        ll.score(spread_out(frame(rows())), "p", outcome="y")
    assert caught.value.slug == "cluster-frame"


def test_what_is_no_cluster_frame_is_refused() -> None:
    with pytest.raises(ll.UsageError, match=r"logloss\.score"):
        clusters.score({"y": [1, 0], "p": [0.5, 0.5]}, "p", outcome="y")


@pytest.mark.parametrize("engine", ["Spark", "Dask"])
def test_a_killed_worker_does_not_change_the_number(
    engine: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Deadly:
        """Work whose process is killed in the middle of one partition, the first time."""

        def __init__(self, work: Any) -> None:
            self.work = work

        def __call__(self, tables: Any, part: str) -> bytes:
            held = list(tables)
            if part.endswith("2") and not marker.exists():
                marker.write_text(str(os.getpid()))
                os.kill(os.getpid(), signal.SIGKILL)
            state: bytes = self.work(held, part)
            return state

    marker = tmp_path / "killed"
    data = frame(rows())
    if engine == "Spark":
        table = request.getfixturevalue("spark").createDataFrame(data.to_arrow()).repartition(5)
    else:
        request.getfixturevalue("dask")
        import dask.dataframe as dd

        table = dd.from_pandas(data.to_pandas(), npartitions=5)
    expected = clusters.summarize(table, "p", outcome="y", weight="w", skip_missing=True)
    real = clusters.spread
    monkeypatch.setattr(
        clusters,
        "spread",
        lambda head, asked, job, top: real(head, asked, lambda work: job(Deadly(work)), top=top),
    )
    found = clusters.summarize(table, "p", outcome="y", weight="w", skip_missing=True)
    assert marker.exists()
    same(numbers(found.to_dict()), numbers(expected.to_dict()))


def test_dask_arrays(dask: Any) -> None:
    import dask.array as da

    rng = np.random.default_rng(2)
    P = rng.dirichlet([1.0, 2.0, 0.5], 500)
    y = np.array([int(rng.choice(3, p=row)) for row in P])
    w = rng.random(500)
    found = clusters.score(
        da.from_array(y, chunks=150), da.from_array(P, chunks=(120, 2)), weight=da.from_array(w)
    )
    assert found.log_loss == pytest.approx(ll.log_loss(y, P, sample_weight=w), rel=1e-12)
    with pytest.raises(ll.AlignmentError, match="different or unknown lengths"):
        clusters.score(da.from_array(y), da.from_array(P[:-1]))
    with pytest.raises(ll.UsageError, match="no columns to name"):
        clusters.score(da.from_array(y), da.from_array(P), outcome="y")


CONNECT = """
import json, sys
import polars as pl
from pyspark.sql import SparkSession
from logloss.integrations import clusters

session = SparkSession.builder.remote("local[2]").getOrCreate()
frame = session.createDataFrame(pl.read_parquet(sys.argv[1]).to_arrow()).repartition(3)
assert "connect" in type(frame).__module__
found = clusters.summarize(frame, "p", outcome="y", weight="w", group="g", skip_missing=True)
session.stop()
print(json.dumps(found.to_dict()))
"""


def test_spark_connect(tmp_path: Path) -> None:
    pytest.importorskip("pyspark")
    pytest.importorskip("grpc")
    if shutil.which("java") is None:
        pytest.skip("no Java")
    data = frame(rows())
    data.write_parquet(tmp_path / "rows.parquet")
    run = subprocess.run(  # a process knows one kind of session only
        [sys.executable, "-c", CONNECT, str(tmp_path / "rows.parquet")],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
        env={**os.environ, "SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable},
    )
    assert run.returncode == 0, run.stderr[-2000:]
    found = json.loads(run.stdout.splitlines()[-1])
    whole = ll.summarize(data, **COLUMNS, skip_missing=True).to_dict()
    for key in ("moments", "mass", "by_class", "infinite", "grid", "clamps", "fingerprint"):
        same(found[key], whole[key])
