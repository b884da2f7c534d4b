"""A folder in which a pass keeps what it has done, so that the same call goes on after an interruption."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from logloss.errors import LoglossError, SourceError
from logloss.panel import from_dict
from logloss.saving import read_json, write_json

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    from logloss.batches import Batch
    from logloss.panel import Panel
    from logloss.plan import Plan
    from logloss.summary import Summary

__all__ = ["Checkpoints"]

EVERY = 20.0  # seconds between two writings


class Checkpoints:
    """What is done of each file: its summary so far and up to which row. Without a folder, nothing is kept.

    A file counts as done only if path, size, time of change and plan are the same.
    """

    def __init__(self, folder: str | os.PathLike[str] | None) -> None:
        self.folder = None if folder is None else Path(folder)
        self.found: dict[int, Any] = {}
        self._keys: list[str] = []
        self._upto: dict[int, int] = {}
        self._done: set[int] = set()
        self._changed: dict[int, tuple[Any, int]] = {}
        self._before: tuple[int, tuple[Any, int]] | None = None
        self._last = time.monotonic()

    def begin(self, plan: Plan, files: Sequence[Any]) -> None:
        """Look at what is there for these files under this plan."""
        self.found, self._upto, self._done, self._changed = {}, {}, set(), {}
        self._before = None
        if self.folder is None:
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SourceError(
                "cannot-write",
                f"{self.folder} cannot be made: {error.strerror}.",
                cure="Choose another folder.",
            ) from None
        self._keys = [_key(plan, file) for file in files]
        for at, key in enumerate(self._keys):
            path = self._path(at)
            if not path.exists():
                continue
            try:
                state = read_json(path, dict)
                found, rows, complete = (
                    from_dict(state["summary"]),
                    int(state["rows"]),
                    bool(state["complete"]),
                )
            except (LoglossError, KeyError, TypeError, ValueError):
                continue  # damaged, or of another version: done again
            if state.get("key") == key:
                self.found[at], self._upto[at] = found, rows
                self._done |= {at} if complete else set()

    def finished(self, at: int) -> bool:
        """Tell whether a file is done."""
        return at in self._done

    def rest(self, at: int, file: Any, names: Sequence[str], numbers: Sequence[str]) -> Iterator[Batch]:
        """Yield the batches of a file that are not done."""
        done = self._upto.get(at, 0)
        for batch in file.batches(names, numbers, done):
            if batch.start + len(batch) > done:
                yield batch.after(done - batch.start)
        if self.folder is not None:
            self._done.add(at)  # read to its end; it is written down when its last batch has been added

    def note(self, at: int, total: Summary | Panel, upto: int) -> None:
        """Take the sum of a file's batches up to a row; write it down now and then."""
        if self.folder is None:
            return
        if self._before is not None and self._before[0] != at:  # its last batch has been added
            self._changed[self._before[0]] = self._before[1]
        self._changed[at] = (total, upto)
        self._before = at, self._changed[at]
        if time.monotonic() - self._last > EVERY:
            self.save(complete=False)

    def drop(self, at: int) -> None:
        """Forget a file that turned out to be damaged."""
        self._changed.pop(at, None)
        if self._before is not None and self._before[0] == at:
            self._before = None
        if self.folder is not None:
            self._path(at).unlink(missing_ok=True)

    def save(self, *, complete: bool) -> None:
        """Write down what changed; `complete` says that all files are done."""
        if self.folder is None:
            return
        if complete and self._before is not None:
            self._changed.setdefault(*self._before)
        latest = max(self._changed, default=-1)
        for at, (total, upto) in self._changed.items():
            state = {
                "kind": "logloss-part",
                "key": self._keys[at],
                "rows": upto,
                "complete": complete or at < latest,
                "summary": total.to_dict(),
            }
            write_json(state, self._path(at))
        self._changed = {}
        self._last = time.monotonic()

    def _path(self, at: int) -> Path:
        assert self.folder is not None
        return (
            self.folder / f"part-{self._keys[at][:24]}.logloss"
        )  # not .json: the folder may lie among the data


def _key(plan: Plan, file: Any) -> str:
    """Return what a checkpoint is for: the file as it is now, and what is done with it."""
    path = Path(file.part or file.where).expanduser()
    try:
        status = path.stat()
        state: tuple[Any, ...] = (str(path.resolve()), status.st_size, status.st_mtime_ns)
    except OSError:
        raise SourceError(
            "no-checkpoint",
            f"What is done of {file.where} cannot be kept: it is not a file.",
            cure="Leave parts= (CLI: --parts) out, or give files.",
        ) from None
    what = (state, plan.asked, plan.classes, plan.kinds, plan.top)
    return hashlib.sha256(repr(what).encode()).hexdigest()
