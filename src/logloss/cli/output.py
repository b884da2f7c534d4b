"""What the command line writes: the answer to stdout, everything else to stderr."""

from __future__ import annotations

import csv
import json
import os
import re
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from logloss.bars import Bar, Terminal, on_terminal, patience, shown
from logloss.errors import SourceError, UsageError
from logloss.stages import current

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from logloss.errors import LoglossError
    from logloss.notes import Note

__all__ = [
    "again",
    "columns_asked",
    "complain",
    "emit",
    "label_of",
    "labels_asked",
    "models_asked",
    "refuse_to_replace",
    "refuse_to_save",
    "settled",
    "waiting",
]


def columns_asked(options: dict[str, Any]) -> dict[str, Any]:
    """Return the table options as arguments of `gather`."""
    labels = options["labels"]
    return {
        "outcome": list(options["outcome"]) or None,
        "forecast": list(options["forecast"]) or None,
        "space": options["space"],
        "weight": options["weight"],
        "group": options["group"],
        "ids": options["ids"],
        "truth": options["truth"],
        "labels": labels_asked(labels),
        "positive": None if options["positive"] is None else label_of(options["positive"]),
        "normalize_rows": options["normalize_rows"],
        "skip_missing": options["skip_missing"],
        "counts": options["counts"],
        "skip_unreadable": options["skip_unreadable"],
    }


def labels_asked(labels: str | None) -> list[Any] | None:
    """Return A,B,... as labels; quotes protect commas in names."""
    if labels is None:
        return None
    return [label_of(part) for part in next(csv.reader([labels], skipinitialspace=True))]


def models_asked(models: Sequence[str], forecast: Any) -> dict[str, list[str]]:
    """Return NAME=COLUMN[,COLUMN...] as a mapping of names to columns; quotes protect commas in names."""
    if forecast:
        raise UsageError(
            "model-and-forecast",
            "--model names several forecasts, --forecast the columns of one.",
            cure="Use one of them.",
        )
    named: dict[str, list[str]] = {}
    for text in models:
        name, mark, columns = text.partition("=")
        if not mark or not name or not columns or name in named:
            raise UsageError(
                "bad-model",
                f"--model {text!r} does not name a forecast of its own.",
                cure="Write --model NAME=COLUMN, or NAME=COLUMN,COLUMN,... with one column per class.",
            )
        named[name] = next(csv.reader([columns], skipinitialspace=True))
    return named


@contextmanager
def waiting() -> Iterator[None]:
    """Show a bar on a terminal while a verb works, for longer than two seconds; say what an interrupt broke off, and what was written."""
    bar = Bar(Terminal, patience() if on_terminal() else None)
    try:
        with shown(bar):
            yield
    except KeyboardInterrupt:
        from logloss.text import printable

        where = bar.interrupted()
        told = f"interrupted{f' ({where})' if where else ''}. {_left_behind(bar.written)}"
        sys.stderr.write(f"\n{printable(told, 2000)}\n")
        sys.exit(130)


def _left_behind(written: list[str]) -> str:
    """Say what was written before an interrupt; what was not is not there, whole or in part."""
    parts = {os.path.dirname(path) for path in written if path.endswith(".logloss")}  # noqa: PTH120
    if parts:
        return f"What is done is kept in {min(parts)}: the same command goes on from there."
    return f"Written before: {', '.join(written)}; nothing else." if written else "Nothing was written."


def settled() -> None:
    """Remove the bar, before anything is printed."""
    bar = current()
    if isinstance(bar, Bar):
        bar.stop()


def label_of(text: str) -> Any:
    """Return a class written on the command line; whole numbers are numbers, as they are in a table."""
    text = re.sub(r"^(-?\d+)\.0+$", r"\1", text.strip())
    return (
        int(text)
        if re.fullmatch(r"0|-?[1-9][0-9]*", text)
        else {"true": True, "false": False}.get(text.lower(), text)
    )


def again(verb: str, file: str | Sequence[str], options: dict[str, Any]) -> str | None:
    """Return the command line of another verb for the same columns; none for standard input, which is used up."""
    import shlex

    files = [file] if isinstance(file, str) else list(file)
    if "-" in files or options.get("truth") == "-":
        return None
    words = ["logloss", verb, *(f"./{one}" if one.startswith("-") else one for one in files)]
    for name, value in options.items():
        flag = "--" + {"ids": "id"}.get(name, name).replace("_", "-")
        if value is True:
            words.append(flag)
        elif isinstance(value, tuple):
            words += [word for item in value for word in (flag, str(item))]
        elif value and not (name == "space" and value == "p"):
            words += [flag, str(value)]
    return shlex.join(words)


def emit(answer: dict[str, Any] | str, notes: Sequence[Note], *, follow: str | None = None) -> None:
    """Print the answer; notes and the next command go to stderr."""
    from logloss.screens import noted
    from logloss.text import printable

    settled()
    if isinstance(answer, dict):
        sys.stdout.write(json.dumps(answer, allow_nan=False) + "\n")
    else:
        _print(answer)
        lines = noted(notes)
        if follow:
            lines += ["", f"  next: {printable(follow, 200)}"]
        if lines:
            sys.stderr.write("\n" + "\n".join(lines) + "\n")
    sys.stdout.flush()


def _print(text: str) -> None:
    """Print with colour on a terminal that wants it, plainly elsewhere, in ASCII where the encoding needs it."""
    encoding = sys.stdout.encoding or "ascii"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        text = text.translate({ord(full): "#" for full in "█▉▊▋▌▍▎▏"} | {ord("…"): ".", ord("·"): "."})
        text = text.encode(encoding, "replace").decode(encoding)
    if sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb":
        from rich.console import Console
        from rich.text import Text

        styled = Text(text)
        styled.highlight_regex(r"^Log loss \S+ \w+", "bold")
        styled.highlight_regex(r"[█▉▊▋▌▍▎▏]+", "cyan")
        styled.highlight_regex(r"(?m)^  [A-Z][^\n]*\?$|^  (The rows|By |What others)[^\n]*$", "bold")
        Console(soft_wrap=True, highlight=False).print(styled)
    else:
        sys.stdout.write(text + "\n")


def complain(error: LoglossError) -> None:
    """Print an error as one paragraph: what, cure, where it is explained."""
    import textwrap

    from logloss.text import printable

    told = textwrap.fill(
        printable(f"error: {error.message} {error.cure}".rstrip(), 4000),
        96,
        subsequent_indent="  ",
        break_on_hyphens=False,
        break_long_words=False,
    )
    rows = "; rows are counted from 0" if "row " in error.message or "rows " in error.message else ""
    sys.stderr.write(f"{told}\n  [{error.slug}: see docs/messages.md{rows}]\n")


def refuse_to_save(path: str) -> None:
    """Refuse a path where a summary cannot be written, before the work begins: it replaces a summary, and nothing else."""
    from pathlib import Path

    from logloss.panel import load

    if Path(path).exists():
        try:
            load(path)
        except SourceError:
            raise SourceError(
                "would-overwrite",
                f"{path} exists and is not a summary.",
                cure="Choose another name, or remove it first.",
            ) from None
    _refuse_no_folder(path)


def refuse_to_replace(path: str, columns: str) -> None:
    """Refuse a path where a table cannot be written, before the work begins: it replaces one whose header ends so."""
    from pathlib import Path

    if Path(path).exists():
        try:
            with Path(path).open("rb") as file:
                known = file.readline(1000).strip().endswith(columns.encode())
        except OSError:
            known = False
        if not known:
            raise SourceError(
                "would-overwrite",
                f"{path} exists and is not a table that this command wrote.",
                cure="Choose another name, or remove it first.",
            )
    _refuse_no_folder(path)


def _refuse_no_folder(path: str) -> None:
    from pathlib import Path

    if not Path(path).absolute().parent.is_dir():
        raise SourceError(
            "cannot-write",
            f"{path} cannot be written: there is no such folder.",
            cure="Make the folder first.",
        )
