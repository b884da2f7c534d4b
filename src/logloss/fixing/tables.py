"""Better forecasts as files: every column as it was, the forecasts replaced; written whole or not at all."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss import units
from logloss.batches import Batch
from logloss.calibrate.pooled import FittedPool
from logloss.columns import numbers_of, require
from logloss.errors import ColumnError, UsageError, listing
from logloss.labels import bare, in_order_of_classes, refuse_other_class
from logloss.notes import Note
from logloss.recognise import Matrix, Vector, has_columns, vector
from logloss.rewriting import frame_of, rewrite, write_frames
from logloss.sources import Opened, opened
from logloss.stages import staged
from logloss.streams import open_stream

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from logloss.calibrate.fitted import FittedMap
    from logloss.calibrate.pooled import Member
    from logloss.fixing.results import Fix
    from logloss.record import Space

    Float = NDArray[np.float64]

__all__ = [
    "apply_to_table",
    "classes_of_forecast",
    "forecast_in",
    "forecast_of",
    "write_held_out",
]


def apply_to_table(
    fitted: FittedMap | FittedPool,
    data: Any,
    path: str | os.PathLike[str],
    *,
    forecast: Sequence[str] | None = None,
    space: Space | None = None,
    skip_missing: bool = False,
) -> tuple[int, list[str], list[Note]]:
    """Write a table again with better forecasts in place of the old, or with those of a pool beside them; rows need no outcome.

    Parameters
    ----------
    data
        A file, folder, frame or stream, as in :func:`logloss.score`. CSV is written batch by batch, whatever its size.
    path
        Ends in .csv, .tsv, .parquet, .arrow, .ndjson or .jsonl. What is there is replaced, at the end, in one step.
    forecast
        The forecast's columns; by default those that the map was fitted to.
    skip_missing
        Leave missing forecasts missing (noted); else they are an error.

    Returns
    -------
    tuple
        Rows, the columns that were replaced, in the order of the classes, and notes.

    Raises
    ------
    LoglossError
        For columns that are not there and forecasts that are none; nothing is written then.
    """
    stream = open_stream(data, "The table")
    columns = _columns(fitted, stream, forecast)
    notes: list[Note] = []
    counts = [0, 0]

    def changed(batch: Batch) -> dict[str, Any]:
        better, missing, sure = _better(fitted, batch, columns, space, notes, skip_missing=skip_missing)
        counts[0] += missing
        counts[1] += sure
        return better

    done = rewrite(stream, path, changed)
    if counts[0]:
        notes.append(Note("forecasts-missing", f"Forecasts that are missing stay missing: {units.count(counts[0], 'row')}."))  # fmt: skip
    if counts[1]:
        notes.append(Note("certain-mapped", f"{units.count(counts[1], 'row')} with a forecast of exactly 0 or 1, of which the map has seen none, or nearly so after it: the better forecast is 1 - 1e-12 or surer. One that is wrong costs 28 nats or more."))  # fmt: skip
    return done, columns, list(dict.fromkeys(notes))


def _better(
    fitted: FittedMap | FittedPool,
    batch: Batch,
    columns: list[str],
    space: Space | None,
    notes: list[Note],
    *,
    skip_missing: bool,
) -> tuple[dict[str, Any], int, int]:
    """Return the columns of a batch that change, how many rows have a missing forecast, how many leave no doubt."""
    rows = np.asarray(batch.numbers(), np.int64)
    given: Any
    if isinstance(fitted, FittedPool):
        given = {
            one.name: forecast_in(batch, in_order_of_classes(one.columns, one.classes), notes)
            for one in _members(fitted)
        }
    else:
        given = {"": forecast_in(batch, columns, notes)}
    gone = np.zeros(len(rows), bool)
    if skip_missing:
        for one in given.values():
            blank = np.isnan(one.values.astype(np.float64, copy=False))
            gone |= blank if blank.ndim == 1 else blank.any(axis=1)
        given = {name: replace(one, values=one.values[~gone]) for name, one in given.items()}
    if gone.all():
        values = np.zeros((0, len(columns)))
    else:
        what = given if isinstance(fitted, FittedPool) else given[""]
        values = fitted.apply(what, space=space, rows=rows[~gone])
    whole = np.full((len(rows), len(columns)), np.nan)
    whole[~gone] = values.reshape(len(values), len(columns))
    sure = 0
    if (fitted.space if space is None else space) == "p" and not fitted.does_nothing:
        top = whole.max(axis=1) if len(columns) > 1 else np.maximum(whole[:, 0], 1.0 - whole[:, 0])
        sure = int((top > 1 - 1e-12).sum())
    return _by_column(columns, whole[:, 0] if len(columns) == 1 else whole), int(gone.sum()), sure


def _by_column(columns: list[str], values: Float) -> dict[str, Any]:
    if len(columns) == 1:
        return {columns[0]: values}
    return {name: values[:, at] for at, name in enumerate(columns)}


def forecast_in(batch: Batch, columns: list[str], notes: list[Note]) -> Vector | Matrix:
    """Return the columns of a forecast, in this order."""
    given = [batch.columns[name] for name in columns]
    if len(given) == 1 and has_columns(given[0]):
        return Matrix(np.asarray(given[0]))
    read = [numbers_of(one, name, batch, notes).values for one, name in zip(given, columns, strict=True)]
    return Vector(read[0]) if len(read) == 1 else Matrix(np.column_stack(read))


def _members(fitted: FittedPool) -> list[Member]:
    """Return the forecasts that have a part in a pool."""
    return [one for one, b in zip(fitted.members, fitted.weights, strict=True) if b > 0]


def _new_columns(fitted: FittedPool, names: Sequence[str], *, one: bool) -> list[str]:
    """Return what the columns of a pool are called, which are new: `pooled`, or `pooled_<class>` for each class."""
    new = ["pooled"] if one else [f"pooled_{label}" for label in fitted.classes]
    there = [name for name in new if name in names]
    if there:
        raise ColumnError(
            "column-exists",
            f"There is a column {there[0]!r} already.",
            cure="Rename it: the forecasts made of several are written under this name.",
        )
    return new


def _columns(fitted: FittedMap | FittedPool, stream: Any, forecast: Sequence[str] | None) -> list[str]:
    """Return the forecast's columns in the order of the classes."""
    if isinstance(fitted, FittedPool):
        if forecast is not None or not all(one.columns for one in _members(fitted)):
            raise UsageError(
                "pool-columns",
                "A pool of several forecasts is applied to the columns that it was fitted to."
                + ("" if forecast is not None else " It was fitted to arrays."),
                cure="Give the new table the same column names; for arrays there is pool.apply({name: array}).",
            )
        taken = [name for one in _members(fitted) for name in one.columns]
        require(stream, taken)
        single = all(len(one.columns) == 1 for one in _members(fitted)) and len(fitted.classes) == 2
        return _new_columns(fitted, stream.names, one=single)
    asked = list(forecast or fitted.columns)
    if not asked:
        raise UsageError(
            "no-forecast",
            "The map was fitted to arrays, so the forecast's columns are not known.",
            cure="Name them, in the order of the classes: forecast=... (CLI: --forecast).",
        )
    require(stream, asked)
    asked = in_order_of_classes(asked, fitted.classes)
    if len(asked) == 1 == len(fitted.classes) - 1:
        refuse_other_class(asked[0], fitted.classes)
    if len(asked) not in (1, len(fitted.classes)) or (len(asked) == 1 and len(fitted.classes) > 2):
        raise ColumnError(
            "labels-count",
            f"The map is about {len(fitted.classes)} classes ({listing(fitted.classes)}); {len(asked)} columns were named.",
            cure="Name one column for each class, or for two classes the one of the second.",
        )
    return asked


@staged("writing")
def write_held_out(
    result: Fix, data: Any, path: str | os.PathLike[str], **options: Any
) -> tuple[int, list[str], list[Note]]:
    """Write the table of a fix again, each forecast under a map that was fitted without its row.

    `options` are those that the table was read with. Rows that took no part are left out.
    """
    values = result.held_out()
    record = result.observations
    found = opened(data, **options)
    assert isinstance(found, Opened)  # a table: the command line reads nothing else
    table = found.stream.whole()
    names = list(table.names)
    if isinstance(result.map, FittedPool):
        columns = _new_columns(result.map, names, one=values.ndim == 1)
    else:
        columns = list(result.map.columns)
    rows = record.numbers() if record is not None else np.arange(len(values))
    kept = {name: _taken(column, rows) for name, column in table.load(names).items()}
    frame = frame_of(Batch(kept, table.where), names, _by_column(columns, values))
    write_frames(path, iter([frame]))
    left = len(next(iter(table.load(names[:1]).values()))) - len(rows)
    told = f"Rows that took no part - of weight 0, with missing values, without an outcome - are not in the file: {units.count(left, 'row')}."
    return len(rows), columns, [Note("rows-not-written", told)] if left else []


def _taken(column: Any, rows: NDArray[np.int64]) -> Any:
    return (
        column.gather(rows)
        if hasattr(column, "gather")
        else np.asarray(vector(column, "A column").values)[rows]
    )


def classes_of_forecast(columns: Sequence[str], labels: Sequence[Any] | None) -> list[Any]:
    """Return the classes of forecast columns: those named, else what the columns are called after; 0 and 1 of one."""
    if labels is not None:
        return list(labels)
    return [0, 1] if len(columns) == 1 else list(bare(columns) or columns)


@staged("reading")
def forecast_of(data: Any, columns: Sequence[str], classes: Sequence[Any]) -> Vector | Matrix:
    """Return the forecast columns of a table, in the order of the classes, all in memory."""
    stream = open_stream(data, "The table")
    require(stream, columns)
    names = in_order_of_classes(columns, classes)
    loaded = stream.whole().load(names)
    read = [numbers_of(loaded[name], name, stream, []).values for name in names]
    return Vector(read[0]) if len(read) == 1 else Matrix(np.column_stack(read))
