"""What a terminal shows while a verb works: a bar on stderr, and nothing anywhere else."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from logloss.bars import SETTING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

pty = pytest.importorskip("pty")

VERB = "from logloss.cli import main; main()"
ESCAPE = b"\x1b"


@pytest.fixture
def rows(tmp_path: Path) -> str:
    random = np.random.default_rng(3)
    p = random.uniform(0.02, 0.98, 1000)
    y = (random.random(1000) < p**1.5).astype(int)
    path = tmp_path / "rows.csv"
    pl.DataFrame({"y": y, "p": p, "q": np.sqrt(p), "site": random.choice(["a", "b"], 1000)}).write_csv(path)
    return str(path)


def piped(arguments: Sequence[str], after: str = "0") -> tuple[bytes, bytes]:
    """Return what goes to stdout and stderr where neither is a terminal."""
    done = subprocess.run(
        [sys.executable, "-c", VERB, *arguments],
        capture_output=True,
        check=True,
        env={**os.environ, SETTING: after},
    )
    return done.stdout, done.stderr


def on_terminal(arguments: Sequence[str], program: str = VERB, **env: str) -> tuple[int, bytes, bytes]:
    """Return the exit code, and what goes to stdout, which is a pipe, and to stderr, which is a terminal."""
    controller, terminal = pty.openpty()
    plain = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    run = subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        stdout=subprocess.PIPE,
        stderr=terminal,
        env={**plain, "TERM": "xterm", "COLUMNS": "120", SETTING: "0", **env},
    )
    os.close(terminal)
    shown = b""
    with contextlib.suppress(OSError):
        while piece := os.read(controller, 65536):
            shown += piece
            if b"now" in piece:
                run.send_signal(signal.SIGINT)
    os.close(controller)
    out = run.communicate(timeout=60)[0]
    return run.returncode, out, shown


WORK = {
    "score": "reading",
    "explain": "looking for slices",
    "fix": "racing maps",
    "suspects": "fitting rates",
    "compare": "reading",
}


@pytest.mark.parametrize(
    ("verb", "more"),
    [*((verb, []) for verb in WORK if verb != "explain"), ("score", ["--json"]), ("explain", ["--json"])],
)
def test_the_bar_is_on_stderr_and_stdout_is_as_if_piped(verb: str, more: list[str], rows: str) -> None:
    columns = ["--model", "a=p", "--model", "b=q"] if verb == "compare" else ["--forecast", "p"]
    asked = [verb, rows, "--outcome", "y", *columns, *more]
    # the drawing thread would miss what takes no time: the stage looked for waits until it is drawn
    slow = (
        "import time, logloss.stages as s, logloss.bars as b; begin = s.Listener.begin; seen = []\n"
        "def wait(self, name, *told):\n"
        "    one = begin(self, name, *told)\n"
        "    late = time.monotonic() + 30\n"
        f"    while name == {WORK[verb]!r} and not seen and time.monotonic() < late: time.sleep(0.01)\n"
        "    return one\n"
        "draw = b.Terminal.draw\n"
        "def drawn(self, words, *more):\n"
        f"    draw(self, words, *more); seen.extend([1] * ({WORK[verb]!r} in words))\n"
        f"s.Listener.begin, b.Terminal.draw = wait, drawn\n{VERB}"
    )
    code, out, shown = on_terminal(asked, slow)
    alone, notes = piped(asked)
    assert (code, out) == (0, alone)
    assert WORK[verb].encode() in shown
    assert "━".encode() in shown
    last = shown.rindex(b"\x1b[2K") + len(b"\x1b[2K")
    assert shown[last:].replace(b"\r\n", b"\n") == notes  # the bar is gone before anything is printed
    assert ESCAPE not in notes
    if more:
        assert json.loads(out)


def test_no_terminal_no_bar(rows: str) -> None:
    asked = ["fix", rows, "--outcome", "y", "--forecast", "p", "--map", "temperature"]
    assert piped(asked) == piped(asked, "off")


@pytest.mark.parametrize("env", [{"TERM": "dumb"}, {SETTING: "off"}, {SETTING: "60"}])
def test_no_bar_where_none_is_wanted_or_the_cursor_does_not_move(env: dict[str, str], rows: str) -> None:
    asked = ["fix", rows, "--outcome", "y", "--forecast", "p", "--map", "temperature"]
    code, out, shown = on_terminal(asked, **env)
    assert code == 0
    assert (out, shown.replace(b"\r\n", b"\n")) == piped(asked)


def test_no_color_is_a_bar_without_colours(rows: str) -> None:
    _, _, shown = on_terminal(["fix", rows, "--outcome", "y", "--forecast", "p"], NO_COLOR="1")
    assert b"racing maps" in shown
    assert not re.search(rb"\x1b\[[0-9;]*3[0-9]", shown)


SLEEP = """
import sys, time
import {module} as where
def sleep(*given, **options):
    sys.stderr.write("now"); sys.stderr.flush(); time.sleep(60)
where.{name} = sleep
from logloss.cli import main
main()
"""


def test_an_interrupt_says_what_was_broken_off(rows: str) -> None:
    program = SLEEP.format(module="logloss.annotation.noise", name="calibrated")
    code, out, shown = on_terminal(["suspects", rows, "--outcome", "y", "--forecast", "p"], program)
    assert (code, out) == (130, b"")
    last = shown.decode().strip().splitlines()[-1]
    assert last == "interrupted (label noise, fitting rates: 0 of 3 shapes). Nothing was written."


def test_an_interrupt_says_what_was_written_before(rows: str, tmp_path: Path) -> None:
    asked = ["fix", rows, "--outcome", "y", "--forecast", "p", "--map", "temperature"]
    saved, out = tmp_path / "map.json", tmp_path / "better.csv"
    program = SLEEP.format(module="logloss.fixing.tables", name="write_frames")
    code, _, shown = on_terminal([*asked, "--save", str(saved), "--out", str(out)], program)
    assert code == 130
    assert shown.decode().strip().splitlines()[-1] == (
        f"interrupted (writing). Written before: {saved}; nothing else."
    )
    assert saved.exists()
    assert not out.exists()


def test_an_interrupt_says_where_what_is_done_is_kept(rows: str, tmp_path: Path) -> None:
    program = """
import sys, time
import logloss.batches, logloss.passes as where
logloss.batches.ROWS = 500
real = where.Checkpoints.note
def slow(self, at, total, upto):
    real(self, at, total, upto)
    if upto >= 1000:
        sys.stderr.write("now"); sys.stderr.flush(); time.sleep(60)
where.Checkpoints.note = slow
from logloss.cli import main
main()
"""
    path = tmp_path / "rows.parquet"
    pl.read_csv(rows).write_parquet(path, row_group_size=500)
    asked = ["score", str(path), "--outcome", "y", "--forecast", "p", "--parts", str(tmp_path / "done")]
    code, _, shown = on_terminal(asked, program)
    assert code == 130
    told = shown.decode().strip().splitlines()[-1]
    assert told.startswith("interrupted (reading: ")
    assert f"is kept in {tmp_path / 'done'}: the same command goes on from there." in told
    assert list((tmp_path / "done").iterdir())
