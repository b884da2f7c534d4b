"""Stages of long work, told to whoever listens: what is being done, how much of it there is, how much is done.

Work says `with stage("label noise"): ...` or `for fold in steps(folds, "fitting", "folds"): ...`. Where nobody listens that costs
less than a microsecond. Results never depend on it. A step is a fold, a batch or a slice, never a row.
"""

from __future__ import annotations

import time
from collections.abc import Sized
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from threading import RLock, get_ident
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Self

P = ParamSpec("P")
T = TypeVar("T")

__all__ = ["Listener", "Stage", "current", "listening", "stage", "staged", "steps", "wrote"]

_HEARD: ContextVar[Listener | None] = ContextVar("logloss stages", default=None)


class Silent:
    """A stage of which nobody wants to know."""

    __slots__ = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """Do nothing."""

    def __call__(self, more: int = 1) -> None:
        """Do nothing."""

    def to(self, done: int, total: int | None) -> None:
        """Do nothing."""


SILENT = Silent()


class Stage:
    """A piece of work that has begun: its name, how much is done of how much, in which unit; None where nobody knows how much."""

    def __init__(self, heard: Listener, name: str, total: int | None, unit: str) -> None:
        self.heard = heard
        self.name = name
        self.done = 0
        self.total = total
        self.unit = unit
        self.about = False
        self.share = 0.0  # the largest that was told
        self.after = 0.0  # and how long the stage had lasted then
        self.since = time.monotonic()
        self.thread = get_ident()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        self.heard.end(self, kind)

    def __call__(self, more: int = 1) -> None:
        """Count steps that are done; from any thread."""
        with self.heard.lock:
            self.heard.left = ""
            self.done += more
            if self.total is not None:
                self.total = max(self.total, self.done)
            self.heard.moved(self)

    def to(self, done: int, total: int | None) -> None:
        """Say how much is done, and of how much, where that becomes known on the way."""
        with self.heard.lock:
            self.heard.left = ""
            self.done, self.total = done, None if total is None else max(total, done)
            self.about = done != total
            self.heard.moved(self)

    @property
    def words(self) -> str:
        """The name, and what is done."""
        if self.total is None:
            return f"{self.name}: {self.done:,} {self.unit}" if self.done else self.name
        about = "about " if self.about else ""
        return f"{self.name}: {self.done:,} of {about}{self.total:,}{' ' if self.unit else ''}{self.unit}"


class Listener:
    """What hears of stages; those that are drawn or counted somewhere are its subclasses.

    Attributes
    ----------
    open
        The stages that have begun and not ended, in the order in which they began.
    broken
        In which stage an interrupt came.
    written
        Files that were written.
    """

    def __init__(self) -> None:
        self.open: list[Stage] = []
        self.lock = RLock()
        self.broken = ""
        self.left = ""  # the loop that was left last, if nothing was said since
        self.written: list[str] = []

    def begin(self, name: str, total: int | None, unit: str) -> Stage:
        """Begin a stage within those that this thread has begun."""
        begun = Stage(self, name, total, unit)
        with self.lock:
            self.left = ""
            self.open.append(begun)
            self.moved(begun)
        return begun

    def end(self, stage: Stage, kind: type[BaseException] | None = None) -> None:
        """End a stage, and those within it that something threw out of.

        What is thrown in the body of a loop is not known to `steps`, which is closed before the stage around it.
        """
        with self.lock:
            if kind is GeneratorExit and stage in self.open:
                self.left = self.left or self.words()
            if kind is not None and issubclass(kind, KeyboardInterrupt):
                self.broken = self.interrupted()
            if stage in self.open:
                at = self.open.index(stage)
                self.open[at:] = [one for one in self.open[at:] if one.thread != stage.thread]
                self.ended(stage)

    def moved(self, stage: Stage) -> None:
        """Hear that a stage began or went on; called in the thread that works, which holds the lock."""

    def ended(self, stage: Stage) -> None:
        """Hear that a stage ended."""

    def interrupted(self) -> str:
        """Say where an interrupt came that is on its way now."""
        return self.broken or self.left or self.words()

    def path(self) -> list[Stage]:
        """Return the stage that began last and those that it is part of, outermost first."""
        with self.lock:
            return [one for one in self.open if one.thread == self.open[-1].thread]

    def words(self) -> str:
        """Say what is being done, outermost first; nothing where no stage is open."""
        return ", ".join(dict.fromkeys(one.words for one in self.path()))

    def share(self) -> tuple[float | None, float]:
        """Return which share is done of the outermost stage that knows how much there is, and the seconds it has left.

        What is done of the stages within counts as a part of its next step; it never falls. None where no stage knows.
        The pace is that of the share that is done: while a step lasts, the time left goes down, at most to 0.
        """
        inner, still = None, 0.0
        for one in reversed(self.path()):
            if one.total is not None:
                inner = min(1.0, (one.done + (inner or 0.0)) / max(one.total, 1))
                lasted = time.monotonic() - one.since
                if inner > one.share:
                    one.share, one.after = inner, lasted
                inner = one.share
                still = max(one.after / inner - lasted, 0.0) if inner else 0.0
        return inner, still


def stage(name: str, total: int | None = None, unit: str = "") -> Stage | Silent:
    """Begin a stage: `with stage(...) as step`, then `step()` as often as `total` says. Steps should last about alike."""
    heard = _HEARD.get()
    return SILENT if heard is None else heard.begin(name, total, unit)


def steps(items: Iterable[T], name: str, unit: str = "", total: int | None = None) -> Iterable[T]:
    """Return the items; each counts as done when the next one is asked for. `total` says how many, where they have no length."""
    heard = _HEARD.get()
    return items if heard is None else _counted(items, heard, name, unit, total)


def _counted(items: Iterable[T], heard: Listener, name: str, unit: str, total: int | None) -> Iterator[T]:
    with heard.begin(name, len(items) if isinstance(items, Sized) else total, unit) as step:
        for item in items:
            yield item
            step()


def staged(name: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Make a whole function a stage."""

    def wrapped(work: Callable[P, T]) -> Callable[P, T]:
        @wraps(work)
        def told(*args: P.args, **options: P.kwargs) -> T:
            with stage(name):
                return work(*args, **options)

        return told

    return wrapped


def wrote(path: Any) -> None:
    """Say that a file was written, so that an interrupt after it does not say that nothing was."""
    heard = _HEARD.get()
    if heard is not None:
        heard.written.append(str(path))


@contextmanager
def listening(heard: Listener) -> Iterator[Listener]:
    """Let `heard` hear of the stages that this thread begins; an outer listener hears nothing meanwhile."""
    before = _HEARD.get()
    _HEARD.set(heard)
    try:
        yield heard
    finally:
        _HEARD.set(before)


def current() -> Listener | None:
    """Return who listens."""
    return _HEARD.get()
