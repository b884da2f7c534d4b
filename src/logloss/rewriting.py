"""Tables written again: every column as it was, some replaced or added; written whole or not at all."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from logloss.errors import SourceError
from logloss.reading import engine
from logloss.recognise import vector
from logloss.saving import write_whole

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Sequence

    from logloss.batches import Batch

__all__ = ["frame_of", "refuse_inputs", "refuse_place", "refuse_to_write", "rewrite", "write_frames"]

WRITERS = (".csv", ".tsv", ".parquet", ".arrow", ".ndjson", ".jsonl")


def rewrite(stream: Any, path: str | os.PathLike[str], change: Callable[[Batch], dict[str, Any]]) -> int:
    """Write a table again batch by batch, with the columns that `change` returns in place of those or beside them; return the rows."""
    done = [0]

    def frames() -> Iterator[Any]:
        for batch in stream.batches(list(stream.names)):
            done[0] += len(batch)
            yield frame_of(batch, list(stream.names), change(batch))
        if not done[0]:
            raise SourceError("no-rows", "The table has a header but no rows.", cure="Write the rows again.")

    write_frames(path, frames())
    return done[0]


def write_frames(path: str | os.PathLike[str], frames: Iterator[Any]) -> None:
    """Write the engine's frames one under the other, in the format that the path's ending names."""
    write_whole(path, _writer(path)(frames))


def frame_of(batch: Batch, names: list[str], better: dict[str, Any]) -> Any:
    """Return the rows as the engine's frame."""
    pl = engine()
    series = []
    for name in dict.fromkeys([*names, *better]):
        column = better[name] if name in better else batch.columns[name]
        if not hasattr(column, "to_arrow"):
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
            f"{path}: files that end in {suffix!r} are not written."
            if suffix
            else f"{path} has no ending that tells its format.",
            cure=f"Choose a name that ends in {', '.join(WRITERS)}.",
        )

    def lines(frames: Iterator[Any]) -> Callable[[IO[bytes]], Any]:
        def write(file: IO[bytes]) -> None:
            for at, frame in enumerate(frames):
                with _written_as(path, suffix):
                    frame.write_csv(file, include_header=at == 0, separator="\t" if suffix == ".tsv" else ",")

        return write

    def whole(frames: Iterator[Any]) -> Callable[[IO[bytes]], Any]:
        def write(file: IO[bytes]) -> None:
            every = list(frames)
            with _written_as(path, suffix):
                frame = engine().concat(every)
                how = {".parquet": frame.write_parquet, ".arrow": frame.write_ipc}
                how.get(suffix, frame.write_ndjson)(file)

        return write

    return lines if suffix in (".csv", ".tsv") else whole


@contextmanager
def _written_as(path: str | os.PathLike[str], suffix: str) -> Iterator[None]:
    """Say in our words that a kind of file cannot hold a column."""
    try:
        yield
    except engine().exceptions.PolarsError as error:
        raise SourceError(
            "cannot-write",
            f"{path}: a column cannot be written as {suffix}: {str(error).splitlines()[0]}.",
            cure="Choose a name that ends in .parquet, or leave the column out.",
        ) from None


def refuse_to_write(path: str, *, force: bool, inputs: Sequence[str | None] = ()) -> None:
    """Refuse a path that cannot or should not be written, before the work begins."""
    target = Path(path)
    _writer(path)
    refuse_inputs(path, inputs)
    refuse_place(target, force=force)


def refuse_inputs(path: str, inputs: Sequence[str | None]) -> None:
    """Refuse to write over what is read, or into a folder that is."""
    target = Path(path)
    if any(one is not None and one != "-" and _same(target, one) for one in inputs):
        raise SourceError(
            "would-overwrite",
            f"{path} is one of the files that are read, or would lie among them.",
            cure="Choose another name.",
        )


def refuse_place(target: Path, *, force: bool) -> None:
    """Refuse a path that is taken, or in a folder that is not there."""
    path = str(target)
    if target.exists() and not force:
        raise SourceError("would-overwrite", f"{path} exists.", cure="Choose another name, or say --force.")
    if not target.absolute().parent.is_dir():
        raise SourceError("cannot-write", f"{path}: there is no such folder.", cure="Make the folder first.")


def _same(target: Path, other: str) -> bool:
    """Tell whether a path is a file that is read, or lies in a folder that is."""
    try:
        if Path(other).is_dir():
            return Path(other).resolve() in target.resolve().parents
        return target.resolve() == Path(other).resolve()
    except (OSError, RuntimeError):
        return False
