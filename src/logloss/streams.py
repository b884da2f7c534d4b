"""Whatever holds rows -> a stream: files, folders, globs, frames, Arrow streams, generators of tables."""

from __future__ import annotations

import glob
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from logloss.batches import Columnar, InMemory, Relation, Stream, flat, rows_of_batch, unnested
from logloss.errors import ColumnError, LoglossError, SourceError, UsageError, listing
from logloss.feeds import Feed
from logloss.files import open_table
from logloss.reading import collect, engine, lazily
from logloss.recognise import CLUSTERS as KNOWN_CLUSTERS
from logloss.recognise import is_path, stream_kind, table, vector

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from logloss.batches import Batch

CLUSTERS = {name for name, _ in KNOWN_CLUSTERS.values()}

__all__ = ["Folder", "open_stream"]

TABLES = (".parquet", ".pq", ".csv", ".tsv", ".tab", ".arrow", ".feather", ".ipc", ".jsonl", ".ndjson", ".json",
          ".gz", ".zst", ".npz")  # fmt: skip


@dataclass(frozen=True)
class Folder:
    """Several files of one table, one after the other; each is a part with row numbers of its own."""

    where: str
    files: tuple[Any, ...]  # streams
    textual: bool
    unread: tuple[str, ...] = ()  # files left out, as was asked for
    again: bool = True

    @property
    def names(self) -> list[str]:
        """Column names in order, of the first file."""
        return list(self.files[0].names)

    def is_number(self, name: str) -> bool:
        """Tell whether a column holds numbers, by the first file."""
        return bool(self.files[0].is_number(name))

    def load(self, names: Sequence[str]) -> dict[str, Any]:
        """Return whole columns, the files' one under the other."""
        return self.whole().load(names)

    def whole(self) -> InMemory:
        """Return all rows in memory."""
        frame = collect(self.lazy(self.names), self.where)
        columns = {name: unnested(frame[name], self.where) for name in self.names}
        return InMemory(columns, self.where, textual=self.textual)

    def lazy(self, names: Sequence[str]) -> Any:
        """Return some columns of all files as the engine's lazy frame."""
        for file in self.files:
            self.require(file, names)
        return engine().concat([file.lazy(names) for file in self.files], how="vertical_relaxed")

    def head(self, rows: int) -> Any:
        """Return the first rows of the first file that has any."""
        for file in self.files:
            head = file.head(rows)
            try:
                if len(vector(next(iter(head.load(head.names[:1]).values())), "A column")):
                    return head
            except SourceError as error:
                if error.slug != "no-rows":
                    raise
        raise SourceError("no-rows", f"{self.where} has no rows.", cure="Write the rows again.")

    def expected(self) -> int | None:
        """Return about how many rows there are."""
        counts = [file.expected() for file in self.files]
        return None if None in counts else sum(counts)

    def batches(self, names: Sequence[str], numbers: Sequence[str] = (), skip: int = 0) -> Iterator[Batch]:
        """Yield the batches of one file after the other."""
        del skip
        for file in self.files:
            self.require(file, names)
            yield from file.batches(names, numbers)

    def require(self, file: Stream, names: Sequence[str], numbers: Sequence[str] = ()) -> None:
        """Refuse a file that lacks columns, or in which one of `numbers` is not."""
        first = self.files[0]
        missing = [name for name in names if name not in file.names]
        if missing:
            raise ColumnError(
                "different-columns",
                f"{file.where} has no column {listing([repr(name) for name in missing])}, which {first.where} has; its columns are {listing(file.names, limit=12)}.",
                cure="Give all files the same columns, or leave this one out.",
            )
        odd = [] if file.textual else [name for name in numbers if not file.is_number(name)]
        if odd:
            raise ColumnError(
                "different-columns",
                f"Column {odd[0]!r} holds no numbers in {file.where}.",
                cure="Write the column with the same type in all files.",
            )


def open_stream(data: Any, where: str, *, skip_unreadable: bool = False) -> Any:
    """Return the stream of a file, folder, glob, list of files, frame, Arrow stream or iterator of tables."""
    if is_path(data):
        return _paths(data, skip_unreadable=skip_unreadable)
    if stream_kind(data) == "paths":
        return _folder([str(path) for path in data], f"{data[0]} and others", skip_unreadable=skip_unreadable)
    kind = stream_kind(data)
    if kind in CLUSTERS:
        raise UsageError(
            "cluster-frame",
            f"This is a {kind} frame: its rows are in the workers.",
            cure="Score it there: from logloss.integrations import clusters; clusters.score(frame, outcome=..., forecast=...).",
        )
    if kind == "lazy":
        return Columnar(where, *lazily(where, lambda: data), counted=False)
    if kind == "dataset":
        return Columnar(where, *lazily(where, lambda: engine().scan_pyarrow_dataset(data)), counted=False)
    if kind == "relation":
        _, schema = lazily(where, lambda: engine().scan_arrow_c_stream(data.limit(0)))
        return Relation(where, data, schema, counted=False)
    if kind == "reader":
        return Feed(
            engine()
            .scan_arrow_c_stream(data)
            .collect_batches(chunk_size=rows_of_batch(8), maintain_order=True),
            where,
        )
    if kind == "iterator":
        return Feed(data, "The stream")
    return InMemory({name: flat(column, where) for name, column in table(data).items()}, where)


def _paths(path: Any, *, skip_unreadable: bool) -> Any:
    """Return the stream of one path: a file, a folder or a pattern."""
    text = str(path)
    folder = _path_of(text)
    if folder is not None and folder.is_dir():
        found = sorted(
            str(file) for file in folder.rglob("*")
            if file.is_file() and file.suffix.lower() in TABLES
            and not any(name.startswith((".", "_")) for name in file.relative_to(folder).parts)
        )  # fmt: skip
        if not found:
            raise SourceError(
                "is-a-directory",
                f"{text} is a directory without tables.",
                cure=f"Tables end in {', '.join(TABLES)}.",
            )
        return _folder(found, text, skip_unreadable=skip_unreadable)
    if folder is not None and glob.has_magic(text) and not folder.exists():
        matches = glob.glob(str(folder), recursive=True)  # noqa: PTH207  # absolute patterns too
        found = sorted(name for name in matches if Path(name).is_file())
        if not found:
            raise SourceError(
                "no-such-file", f"No file matches {text}.", cure="Check the pattern; quote it in a shell."
            )
        return _folder(found, text, skip_unreadable=skip_unreadable)
    return open_table(path)


def _path_of(text: str) -> Path | None:
    """Return the path that a name stands for; None for standard input, and for names the system refuses."""
    try:
        path = Path(text).expanduser()
        path.is_dir()
    except (OSError, RuntimeError, ValueError):
        return None
    return None if text == "-" else path


def _folder(names: list[str], where: str, *, skip_unreadable: bool) -> Any:
    """Open every file, so that one that cannot be read is named before the work begins."""
    files, broken = [], []
    for name in names:
        try:
            files.append(replace(open_table(name), part=name))
        except LoglossError as error:
            if not isinstance(error, SourceError | ColumnError):
                raise
            broken.append((name, error))
    if broken and (not skip_unreadable or not files):
        raise _unreadable(broken, len(names))
    if len(files) == 1 and not broken:
        return files[0]
    return Folder(where, tuple(files), all(file.textual for file in files), tuple(name for name, _ in broken))


def _unreadable(broken: Sequence[tuple[str, LoglossError]], total: int) -> LoglossError:
    name, error = broken[0]
    told = error if name in error.message else error.within(name)
    if len(broken) == total:
        return told
    return SourceError(
        "part-unreadable",
        f"{len(broken)} of {total} files cannot be read ({listing([name for name, _ in broken], limit=3)}). {told.message}",
        cure="Repair it, or score the rest on purpose: skip_unreadable=True (CLI: --skip-unreadable).",
    )
