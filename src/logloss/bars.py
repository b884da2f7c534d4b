"""The bar that says how far long work is: on a terminal, in a notebook, or told to a function.

A thread of its own draws, so that also a stage that never says a word is seen to go on. It begins after two seconds, and
what it drew is gone at the end.
"""

from __future__ import annotations

import math
import os
import sys
from contextlib import contextmanager
from contextvars import copy_context
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from logloss.stages import Listener, current, listening

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from logloss.stages import Stage

__all__ = ["PATIENCE", "SETTING", "Bar", "patience", "progress", "shown"]

PATIENCE = 2.0  # seconds without a bar
OFTEN = 0.1  # seconds between two drawings on a terminal
SELDOM = 0.5  # and in a notebook, where each is a message
SETTING = "LOGLOSS_PROGRESS"  # in the environment: seconds before a bar, or "off"


@contextmanager
def progress(
    watch: Callable[[str, int, int | None], None] | None = None, *, after: float | None = None
) -> Iterator[None]:
    """Show what long work is doing, how far it is and the time left, while the block lasts.

    A bar on the terminal (stderr) or under the notebook's cell, from the third second on; it is removed at the end. Where
    stderr is neither - a file, a pipe, a terminal that cannot move its cursor (`TERM=dumb`) - nothing is shown.

    Parameters
    ----------
    watch
        Instead of a bar: called with (what is being done, steps done, steps in all or None) whenever a stage begins or
        goes on, in the thread that works. Whatever it raises ends the work.
    after
        Seconds before the bar is shown; by default 2, or what the environment variable LOGLOSS_PROGRESS says. That may
        be `off`: no bar.

    Notes
    -----
    Results are the same to the last bit, with and without. Work that is done in threads or processes of yours tells
    nothing.

    Examples
    --------
    >>> import logloss as ll
    >>> seen = []
    >>> with ll.progress(lambda words, done, total: seen.append((words, done, total))):
    ...     fixed = ll.fix([0, 1] * 50, [0.2, 0.7] * 50)
    >>> [told for told in seen if told[0] == "racing maps"][::55]
    [('racing maps', 0, 55), ('racing maps', 55, 55)]
    """
    if watch is not None:
        with listening(Told(watch)):
            yield
        return
    wait = patience() if after is None else after
    if wait is None or isinstance(current(), Bar) or (place := _place()) is None:
        yield
        return
    with shown(Bar(place, wait)):
        yield


@contextmanager
def shown(bar: Bar) -> Iterator[Bar]:
    """Show a bar while the block lasts."""
    with listening(bar):
        bar.start()
        try:
            yield bar
        finally:
            bar.stop()


def patience() -> float | None:
    """Return after how many seconds a bar is shown; None for never. A setting that is neither is as if there were none."""
    given = os.environ.get(SETTING, "").strip().lower()
    if given == "off":
        return None
    try:
        seconds = float(given)
    except ValueError:
        return PATIENCE
    return seconds if 0 <= seconds < math.inf else PATIENCE


class Told(Listener):
    """A function that is told."""

    def __init__(self, watch: Callable[[str, int, int | None], None]) -> None:
        super().__init__()
        self._watch = watch

    def moved(self, stage: Stage) -> None:
        """Pass it on."""
        self._watch(stage.name, stage.done, stage.total)


class Bar(Listener):
    """A bar: `place` makes what draws it, after `wait` seconds."""

    def __init__(self, place: Callable[[], Any], wait: float | None) -> None:
        super().__init__()
        self._place = place
        self._wait = wait
        self._over = Event()
        self._thread: Thread | None = None

    def start(self) -> None:
        """Begin to wait."""
        if self._wait is not None:
            run = copy_context().run  # a notebook knows by it which cell this is
            self._thread = Thread(target=run, args=(self._draw,), name="logloss-bar", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Remove the bar; nothing is drawn after this."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def _draw(self) -> None:
        if self._over.wait(self._wait):
            return
        drawn: Any = None
        try:
            while not self._over.is_set():
                words = self.words()
                if words and drawn is None:
                    drawn = self._place()
                if drawn is not None:
                    drawn.draw(words, *self.share())
                self._over.wait(OFTEN if drawn is None else drawn.every)
        except Exception:  # noqa: BLE001, S110  # a bar that cannot be drawn is no reason to spoil the work
            pass
        finally:
            if drawn is not None:
                drawn.clear()


def _place() -> Callable[[], Any] | None:
    """Return where a bar can be drawn, if anywhere."""
    if _in_notebook():
        return Cell
    return on_terminal()


def on_terminal() -> Callable[[], Any] | None:
    """Return what draws on stderr, if that is a terminal whose cursor moves."""
    try:
        able = sys.stderr.isatty() and os.environ.get("TERM", "").lower() not in ("dumb", "unknown")
    except (AttributeError, ValueError):  # none, or closed
        return None
    return Terminal if able else None


def _in_notebook() -> bool:
    kernel = sys.modules.get("IPython")
    shell = None if kernel is None else kernel.get_ipython()
    return shell is not None and hasattr(shell, "kernel")


def left(share: float | None, seconds: float) -> str:
    """Say how much time is left, when enough is done to tell and the next step is not overdue."""
    if share is None or not 0.02 <= share < 1 or seconds < 0.5:
        return ""
    if seconds < 90:
        return f"{seconds:.0f} s left"
    return f"{seconds / 60:.0f} min left" if seconds < 5400 else f"{seconds / 3600:.1f} h left"


class Terminal:
    """A line on stderr."""

    every = OFTEN

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn
        from rich.table import Column

        words = TextColumn("  {task.description}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis"))  # fmt: skip
        time_left = TextColumn("{task.fields[left]}", markup=False, table_column=Column(no_wrap=True))
        console = Console(file=sys.stderr, force_jupyter=False)
        self._shown = Progress(
            words, BarColumn(bar_width=24), time_left, console=console, transient=True, auto_refresh=False,
            redirect_stdout=False, redirect_stderr=False,
        )  # fmt: skip
        self._task = self._shown.add_task("", total=None, left="")
        self._shown.start()

    def draw(self, words: str, share: float | None, seconds: float) -> None:
        """Draw it as it is now."""
        self._shown.tasks[0].total = None if share is None else 1.0  # `update` takes None for "as it was"
        told = left(share, seconds)
        self._shown.update(self._task, description=words, completed=share or 0.0, left=told, refresh=True)

    def clear(self) -> None:
        """Remove it."""
        self._shown.stop()


class Cell:
    """A line under a notebook's cell, in HTML and in plain text; no widgets."""

    every = SELDOM

    def __init__(self) -> None:
        from importlib import import_module

        display = import_module(
            "IPython.display"
        ).display  # no dependency; it is there, as this is a notebook

        self._handle = display({"text/plain": ""}, raw=True, display_id=True)

    def draw(self, words: str, share: float | None, seconds: float) -> None:
        """Draw it as it is now."""
        from html import escape

        value = "" if share is None else f' value="{share:.4f}"'
        told = " - ".join(filter(None, (words, left(share, seconds))))
        self._handle.update(
            {
                "text/plain": told,
                "text/html": f'<div><progress max="1"{value}></progress> {escape(told)}</div>',
            },
            raw=True,
        )

    def clear(self) -> None:
        """Leave an empty line."""
        self._handle.update({"text/plain": "", "text/html": ""}, raw=True)
