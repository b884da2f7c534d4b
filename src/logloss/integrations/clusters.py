"""Spark, Dask and Ray: the kernels run where the rows are, small summaries come back, nothing is collected.

    from logloss.integrations import clusters
    clusters.score(frame, outcome="y", forecast="p", weight="w", group="day")

Workers need this package installed. They return one summary per partition, about 50 kB (and about 150 bytes more
per group); those are added up in the workers too, so that the driver holds few of them. Rows have no numbers in a
cluster: the costliest rows are told by partition and position in it, and by their id if `ids` names a column.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from logloss.choosing import asked_of
from logloss.errors import AlignmentError, UsageError
from logloss.partitions import merged, spread
from logloss.passes import HEAD
from logloss.recognise import stream_kind
from logloss.scoring import of_summary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from logloss.panel import Panel
    from logloss.ranking import Scores
    from logloss.record import Space
    from logloss.scoring import Score
    from logloss.summary import Summary

__all__ = ["score", "summarize"]

FEW = 64  # partitions whose summaries the driver takes as they are


def score(data: Any, forecast: Any = None, *, level: float = 0.95, **options: Any) -> Score | Scores:
    """Score a forecast whose rows are in a cluster; see :func:`summarize` for the arguments.

    Examples
    --------
    >>> import dask.array as da  # doctest: +SKIP
    >>> y, p = da.asarray([1, 0, 1, 1]), da.asarray([0.9, 0.2, 0.6, 0.35])  # doctest: +SKIP
    >>> round(score(y, p).log_loss, 6)  # doctest: +SKIP
    0.472288
    """
    return of_summary(summarize(data, forecast, **options), level=level)


def summarize(
    data: Any,
    forecast: Any = None,
    *,
    outcome: Any = None,
    space: Space = "p",
    weight: Any = None,
    ids: Any = None,
    group: Any = None,
    labels: Sequence[Any] | None = None,
    positive: Any = None,
    normalize_rows: bool = False,
    skip_missing: bool = False,
    counts: bool = False,
    top: int = 20,
) -> Summary | Panel:
    """Return the summary of rows in a cluster.

    Parameters
    ----------
    data
        A PySpark data frame (classic or Connect), a Dask data frame or a Ray dataset; or a Dask array of outcomes,
        shape (n,), with `forecast` a Dask array of shape (n,) or (n, K) and `weight` one of shape (n,).
    forecast, outcome, weight, ids, group
        Names of columns, as in :func:`logloss.score`; `forecast` may be a mapping of several forecasts.
    space, labels, positive, normalize_rows, skip_missing, counts
        As in :func:`logloss.score`.
    top
        How many of the costliest rows are kept.

    Raises
    ------
    LoglossError
        What is wrong with the rows, as found by the workers.
    """
    door: dict[str, Any] = {
        "space": space,
        "labels": labels,
        "positive": positive,
        "normalize_rows": normalize_rows,
        "skip_missing": skip_missing,
        "counts": counts,
    }
    kind = stream_kind(data)
    if kind == "Dask" and hasattr(data, "to_zarr"):
        if outcome is not None or ids is not None or group is not None:
            raise UsageError(
                "array-and-names",
                "With Dask arrays there are no columns to name.",
                cure="Pass summarize(outcomes, forecasts, weight=...), or a data frame.",
            )
        return _dask_arrays(data, forecast, weight, door, top)
    asked = asked_of(forecast, outcome=outcome, weight=weight, ids=ids, group=group, **door)
    engines = {"Spark": _spark, "Dask": _dask, "Ray": _ray}
    if kind not in engines:
        raise UsageError(
            "not-a-cluster",
            f"A {type(data).__name__} is not a frame of Spark, Dask or Ray.",
            cure="Score it with logloss.score.",
        )
    head, job = engines[kind](
        data, asked.columns() if asked.outcome and (asked.forecast or asked.models) else None
    )
    return spread(head, asked, job, top=top)


Job = "Callable[[Callable[[Iterable[Any], str], bytes]], bytes]"


def _spark(frame: Any, names: list[str] | None) -> tuple[Any, Any]:
    """Return the first rows as Arrow and the job: mapInArrow over partitions, then over groups of their summaries."""
    if names is not None:
        missing = [name for name in names if name not in frame.columns]
        narrow = frame if missing else frame.select(*("`" + name.replace("`", "``") + "`" for name in names))
    else:
        narrow = frame

    def job(work: Callable[[Iterable[Any], str], bytes]) -> bytes:
        def fold(batches: Iterator[Any]) -> Iterator[Any]:
            import pyarrow as pa
            from pyspark import TaskContext

            context = TaskContext.get()
            number = 0 if context is None else context.partitionId()
            state = work(batches, f"partition {number:05d}")
            if state:
                yield pa.RecordBatch.from_pydict({"bundle": [number // FEW], "state": [state]})

        def bundle(batches: Iterator[Any]) -> Iterator[Any]:
            import pyarrow as pa

            bundles: dict[int, list[bytes]] = {}
            for batch in batches:
                for row in batch.to_pylist():
                    bundles.setdefault(row["bundle"], []).append(row["state"])
            for number, states in bundles.items():
                yield pa.RecordBatch.from_pydict({"bundle": [number], "state": [merged(states)]})

        schema = "bundle long, state binary"
        pieces = narrow.mapInArrow(fold, schema).repartition("bundle").mapInArrow(bundle, schema)
        return merged(row["state"] for row in pieces.toLocalIterator())

    return narrow.limit(HEAD).toArrow(), job


def _dask(frame: Any, names: list[str] | None) -> tuple[Any, Any]:
    """Return the first rows as pandas and the job: a task per partition, and a tree of tasks that add up."""
    narrow = frame if names is None or any(name not in frame.columns for name in names) else frame[names]
    head = narrow.head(HEAD, npartitions=-1, compute=True)
    return head, _dask_job(narrow.to_delayed())


def _dask_job(parts: Sequence[Any]) -> Any:
    def job(work: Callable[[Iterable[Any], str], bytes]) -> bytes:
        from dask.delayed import delayed

        run, add = delayed(_run, pure=False), delayed(merged, pure=False)
        pieces = [run(work, part, f"partition {number:05d}") for number, part in enumerate(parts)]
        while len(pieces) > 1:
            pieces = [add(pieces[at : at + 16]) for at in range(0, len(pieces), 16)]
        state: bytes = pieces[0].compute()
        return state

    return job


def _run(work: Callable[[Iterable[Any], str], bytes], part: Any, name: str) -> bytes:
    return work([part], name)


def _dask_arrays(outcome: Any, forecast: Any, weight: Any, door: dict[str, Any], top: int) -> Summary | Panel:
    """Fold blocks of rows of Dask arrays."""
    if forecast is None:
        raise UsageError(
            "no-forecast",
            "Outcomes were given, but no forecasts.",
            cure="Call summarize(outcomes, forecasts).",
        )
    arrays = {"outcome": outcome, "forecast": forecast} | ({} if weight is None else {"weight": weight})
    lengths = {name: array.shape[0] for name, array in arrays.items()}
    if len(set(lengths.values())) > 1 or any(math.isnan(length) for length in lengths.values()):
        raise AlignmentError(
            "different-lengths",
            f"The parts have different or unknown lengths: {lengths}.",
            cure="Give one of each per row; compute_chunk_sizes() finds unknown lengths.",
        )
    rows = forecast.chunks[0]
    blocks = {
        name: array.rechunk({0: rows} | ({1: -1} if array.ndim == 2 else {})).to_delayed().ravel()
        for name, array in arrays.items()
    }
    from dask.delayed import delayed

    named = delayed(_named, pure=False)
    tables = [named(list(blocks), *parts) for parts in zip(*blocks.values(), strict=True)]
    head = {name: array[:HEAD].compute() for name, array in arrays.items()}
    asked = asked_of("forecast", outcome="outcome", weight="weight" if weight is not None else None, **door)
    return spread(head, asked, _dask_job(tables), top=top)


def _named(names: Sequence[str], *columns: Any) -> dict[str, Any]:
    return dict(zip(names, columns, strict=True))


def _ray(data: Any, names: list[str] | None) -> tuple[Any, Any]:
    """Return the first rows as Arrow and the job: map_batches, then the driver adds up."""
    narrow = (
        data
        if names is None or any(name not in data.columns() for name in names)
        else data.select_columns(names)
    )

    def job(work: Callable[[Iterable[Any], str], bytes]) -> bytes:
        def fold(batch: Any) -> dict[str, Any]:
            return {"state": [work([batch], "a batch")]}

        pieces = narrow.map_batches(fold, batch_format="pyarrow", batch_size=1 << 18)
        return merged(sorted(row["state"] for row in pieces.iter_rows()))

    return _ray_head(narrow), job


def _ray_head(data: Any) -> Any:
    import pyarrow as pa

    batches = list(data.limit(HEAD).iter_batches(batch_format="pyarrow", batch_size=HEAD))
    return pa.concat_tables(batches)
