"""Better forecasts as files: every column as it was, the forecasts replaced; written whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from logloss.batches import Batch
from logloss.columns import numbers_of, require
from logloss.errors import ColumnError, SourceError, UsageError, listing
from logloss.labels import in_order_of_classes
from logloss.reading import engine
from logloss.recognise import Matrix, Vector, has_columns, vector
from logloss.saving import write_whole
from logloss.sources import Opened, opened
from logloss.streams import open_stream

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from logloss.calibrate.fitted import FittedMap
    from logloss.fixing.results import Fix
    from logloss.notes import Note
    from logloss.record import Space

    Float = NDArray[np.float64]

__all__ = ["apply_to_table", "refuse_to_write", "write_held_out"]

WRITERS = (".csv", ".tsv", ".parquet", ".arrow", ".ndjson", ".jsonl")


def apply_to_table(
    fitted: FittedMap,
    data: Any,
    path: str | os.PathLike[str],
    *,
    forecast: Sequence[str] | None = None,
    space: Space | None = None,
) -> tuple[int, list[str], list[Note]]:
    """Write a table again with better forecasts in place of the old; rows need no outcome.

    Parameters
    ----------
    data
        A file, folder, frame or stream, as in :func:`logloss.score`. CSV is written batch by batch, whatever its size.
    path
        Ends in .csv, .tsv, .parquet, .arrow, .ndjson or .jsonl. What is there is replaced, at the end, in one step.
    forecast
        The forecast's columns; by default those that the map was fitted to.

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
    done = [0]

    def frames() -> Iterator[Any]:
        for batch in stream.batches(list(stream.names)):
            done[0] += len(batch)
            yield _frame(batch, list(stream.names), _better(fitted, batch, columns, space, notes))

    write_whole(path, _writer(path)(frames()))
    return done[0], columns, list(dict.fromkeys(notes))


def _better(
    fitted: FittedMap, batch: Batch, columns: list[str], space: Space | None, notes: list[Note]
) -> dict[str, Any]:
    """Return the columns of a batch that change."""
    given = [batch.columns[name] for name in columns]
    if len(given) == 1 and has_columns(given[0]):
        forecast: Vector | Matrix = Matrix(np.asarray(given[0]))
    else:
        read = [numbers_of(one, name, batch, notes).values for one, name in zip(given, columns, strict=True)]
        forecast = Vector(read[0]) if len(read) == 1 else Matrix(np.column_stack(read))
    values = fitted.apply(forecast, space=space, rows=np.asarray(batch.numbers(), np.int64))
    if len(columns) == 1:
        return {columns[0]: values}
    return {name: values[:, at] for at, name in enumerate(columns)}


def _columns(fitted: FittedMap, stream: Any, forecast: Sequence[str] | None) -> list[str]:
    """Return the forecast's columns in the order of the classes."""
    asked = list(forecast or fitted.columns)
    if not asked:
        raise UsageError(
            "no-forecast",
            "The map was fitted to arrays, so the forecast's columns are not known.",
            cure="Name them, in the order of the classes: forecast=... (CLI: --forecast).",
        )
    require(stream, asked)
    asked = in_order_of_classes(asked, fitted.classes)
    if len(asked) not in (1, len(fitted.classes)) or (len(asked) == 1 and len(fitted.classes) > 2):
        raise ColumnError(
            "labels-count",
            f"The map is about {len(fitted.classes)} classes ({listing(fitted.classes)}); {len(asked)} columns were named.",
            cure="Name one column for each class, or for two classes the one of the second.",
        )
    return asked


def write_held_out(
    result: Fix, data: Any, path: str | os.PathLike[str], **options: Any
) -> tuple[int, list[str]]:
    """Write the table of a fix again, each forecast under a map that was fitted without its row.

    `options` are those that the table was read with. Rows that took no part are left out.
    """
    values = result.held_out()
    columns = list(result.map.columns)
    record = result.observations
    found = opened(data, **options)
    assert isinstance(found, Opened)  # a table: the command line reads nothing else
    table = found.stream.whole()
    names = list(table.names)
    rows = record.numbers() if record is not None else np.arange(len(values))
    kept = {name: _taken(column, rows) for name, column in table.load(names).items()}
    better = (
        {columns[0]: values}
        if len(columns) == 1
        else {name: values[:, at] for at, name in enumerate(columns)}
    )
    frame = _frame(Batch(kept, table.where), names, better)
    write_whole(path, _writer(path)(iter([frame])))
    return len(rows), columns


def _taken(column: Any, rows: NDArray[np.int64]) -> Any:
    return (
        column.gather(rows)
        if hasattr(column, "gather")
        else np.asarray(vector(column, "A column").values)[rows]
    )


def _frame(batch: Batch, names: list[str], better: dict[str, Any]) -> Any:
    """Return the rows as the engine's frame."""
    pl = engine()
    series = []
    for name in names:
        column = better.get(name, batch.columns[name])
        if name in better or not hasattr(column, "to_arrow"):
            values = column if isinstance(column, np.ndarray) else vector(column, f"Column {name!r}").values
            series.append(pl.Series(name, values, strict=False))
        else:
            series.append(column.alias(name))
    return pl.DataFrame(series)


def _writer(path: str | os.PathLike[str]) -> Callable[[Iterator[Any]], Callable[[IO[bytes]], Any]]:
    """Return what writes frames into an open file."""
    suffix = Path(path).suffix.lower()
    if suffix not in WRITERS:
        raise SourceError(
            "cannot-write",
            f"{path}: files that end in {suffix or 'nothing'!r} are not written.",
            cure=f"Choose a name that ends in {', '.join(WRITERS)}.",
        )

    def lines(frames: Iterator[Any]) -> Callable[[IO[bytes]], Any]:
        def write(file: IO[bytes]) -> None:
            for at, frame in enumerate(frames):
                frame.write_csv(file, include_header=at == 0, separator="\t" if suffix == ".tsv" else ",")

        return write

    def whole(frames: Iterator[Any]) -> Callable[[IO[bytes]], Any]:
        def write(file: IO[bytes]) -> None:
            frame = engine().concat(list(frames))
            how = {".parquet": frame.write_parquet, ".arrow": frame.write_ipc}.get(suffix, frame.write_ndjson)
            how(file)

        return write

    return lines if suffix in (".csv", ".tsv") else whole


def refuse_to_write(path: str, *, force: bool, inputs: Sequence[str | None] = ()) -> None:
    """Refuse a path that cannot or should not be written, before the work begins."""
    target = Path(path)
    _writer(path)
    if any(one is not None and one != "-" and _same(target, one) for one in inputs):
        raise SourceError(
            "would-overwrite", f"{path} is one of the files that are read.", cure="Choose another name."
        )
    if target.exists() and not force:
        raise SourceError("would-overwrite", f"{path} exists.", cure="Choose another name, or say --force.")
    if not target.absolute().parent.is_dir():
        raise SourceError("cannot-write", f"{path}: there is no such folder.", cure="Make the folder first.")


def _same(target: Path, other: str) -> bool:
    try:
        return target.exists() and target.samefile(other)
    except OSError:
        return False
