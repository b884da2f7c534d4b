"""The next command of a finding with the user's own file and columns, quoted for the shell: it works when pasted."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from logloss.cli.output import again

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from logloss.finding import Finding

__all__ = ["compared", "decided", "explained", "first", "sided"]

FLAGS = {"id": "ids"}
INSTEAD = {"positive": ("labels",)}  # what the class that a column is about says too
Columns = Any  # options of the table, by name


def explained(
    found: Sequence[Finding], file: str, columns: dict[str, Any], *, rows: bool = True
) -> tuple[Finding, ...]:
    """Return findings of one file; those of standard input, which is used up, and of a saved summary, which has no rows, as they are."""
    if not rows and Path(file).suffix == ".json":
        return tuple(found)
    return tuple(_with(one, lambda verb: (verb, file, columns)) for one in found)


def sided(
    found: Sequence[Finding], file: str, columns: dict[str, Any], *, train: str | None, split: str | None
) -> tuple[Finding, ...]:
    """Return findings of validation rows: `explain` is told of the training rows, and `fix` where they are in the same file."""

    def asked(verb: str) -> tuple[str, str, Columns] | None:
        if verb == "explain" or not split:
            return verb, file, columns | ({"train": train, "split": split} if verb == "explain" else {})
        return None if verb != "fix" or "=" in split else (verb, file, columns | {"trained": split})

    return tuple(_with(one, asked) for one in found)


def decided(
    found: Sequence[Finding], file: str, columns: dict[str, Any], stakes: dict[str, Any], *, partly: bool
) -> tuple[Finding, ...]:
    """Return findings of decisions with what is at stake; `partly`: some rows have no outcome, and `fix` leaves them out."""
    kept = {name: None if value is None else str(value) for name, value in stakes.items()}

    def asked(verb: str) -> tuple[str, str, Columns]:
        fits = columns | {"skip_missing": columns["skip_missing"] or partly}
        return verb, file, columns | kept if verb == "decide" else fits

    return tuple(_with(one, asked) for one in found)


def compared(
    found: Sequence[Finding],
    files: Sequence[str],
    models: Sequence[str],
    columns: dict[str, Any],
    more: dict[str, Any],
) -> tuple[Finding, ...]:
    """Return findings of several forecasts, which are columns of one file, or one in each of several files.

    `more` are the options of `compare` itself.
    """
    named = dict(text.partition("=")[::2] for text in models)
    if len(files) == 1 and not named and not columns["forecast"]:  # a saved panel
        whole = {name: more[name] for name in ("reference", "level") if name in more}
        return tuple(
            _with(one, lambda verb: (verb, files[0], whole) if verb == "compare" else None)
            if "--clip" not in one.command
            else one
            for one in found
        )
    if len(files) == 1:
        named = named or {name: name for name in columns["forecast"]}
    rest = {**columns, "forecast": () if models else columns["forecast"], "model": tuple(models), **more}
    return tuple(_of_models(one, files, named, columns, rest) for one in found)


def _of_models(
    one: Finding, files: Sequence[str], named: dict[str, str], columns: dict[str, Any], rest: dict[str, Any]
) -> Finding:
    """Return the finding with the columns of the forecasts it names, or the file of the one."""
    words = shlex.split(one.command)
    verb = words[1]
    if verb == "compare":
        return _with(one, lambda verb: (verb, files, rest))
    names = [words[at + 1].removesuffix("=COLUMN") for at, word in enumerate(words) if word in ("--forecast", "--model")]  # fmt: skip
    if len(files) == 1:
        if "--model" in words:
            pooled = tuple(f"{name}={named[name]}" for name in names)
            line = again(verb, files[0], {**columns, "forecast": (), "model": pooled})
        else:
            line = again(verb, files[0], {**columns, "forecast": tuple(named[names[0]].split(","))})
    else:  # forecasts of several files are not pooled from the command line: why the better loses what it does
        verb = "explain" if "--model" in words else verb
        own = next((file for file in files if names[0] in (file, Path(file).stem)), None)
        picked = tuple(filter(None, named.get(names[0], "").split(","))) or columns["forecast"]
        line = None if own is None else again(verb, own, {**columns, "forecast": picked})
    return one if line is None else replace(one, command=line)


def first(found: Sequence[Finding]) -> str | None:
    """Return the next command, of the finding that is worth most; None where its file is not known."""
    known = [one.command for one in found if "FILE" not in one.command.split()]
    return known[0] if known else None


def _with(one: Finding, asked: Callable[[str], tuple[str, Any, Columns] | None]) -> Finding:
    """Return the finding with its command for what is `asked` of a verb: (verb, file or files, options)."""
    _, verb, _, *rest = shlex.split(one.command)
    told = asked(verb)
    if told is None:
        return one
    verb, file, options = told
    flags = {word[2:].replace("-", "_") for word in rest if word.startswith("--")}
    gone = {FLAGS.get(name, name) for name in flags} | {
        other for name in flags for other in INSTEAD.get(name, ())
    }
    line = again(verb, file, {name: value for name, value in options.items() if name not in gone})
    return one if line is None else replace(one, command=f"{line} {shlex.join(rest)}".rstrip())
