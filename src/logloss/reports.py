"""`report`: everything there is to say about a forecast, from its rows or from a saved summary."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.comparing.comparison import compare
from logloss.comparing.results import Comparison
from logloss.curves.entries import ALONE
from logloss.curves.netbenefit import DEFAULT, of_questions
from logloss.curves.questions import question
from logloss.deciding.decision import decide
from logloss.deciding.results import Decisions
from logloss.errors import ColumnError, UsageError
from logloss.files import is_file
from logloss.panel import load
from logloss.recognise import is_path
from logloss.reporting.facts import Source
from logloss.reporting.results import Report, format_of, of_results
from logloss.sources import Opened, is_rows, opened
from logloss.why.asides import AllBut
from logloss.why.blame import explain

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    from logloss.curves.benefits import DecisionCurve
    from logloss.finding import Finding
    from logloss.record import Space
    from logloss.why.explanation import Explanation

__all__ = ["Report", "report"]

MOST_HASHED = 1 << 28  # bytes; a larger file is named by its size alone
MOST_READ = 4096  # bytes from which a saved summary is told
SAVED = re.compile(rb'^\s*\{.{0,80}"kind":\s*"logloss-(summary|panel)"', re.DOTALL)
MOST_DRAWN = 1_000_000  # rows of a decision curve


def report(
    data: Any,
    forecast: Any = None,
    *,
    outcome: Any = None,
    space: Space = "p",
    weight: Any = None,
    ids: Any = None,
    group: Any = None,
    truth: Any = None,
    labels: Sequence[Any] | None = None,
    positive: Any = None,
    normalize_rows: bool = False,
    skip_missing: bool = False,
    counts: bool = False,
    skip_unreadable: bool = False,
    out: str | os.PathLike[str] | None = None,
    rows: int = 10,
    by: Any = None,
    pairs: bool | None = None,
    against: Any = None,
    utilities: Any = None,
    cost_fp: float | None = None,
    cost_fn: float | None = None,
    title: str | None = None,
    unit: str = "nats",
    command: str | None = None,
    completed: Callable[[Finding, tuple[str, ...]], str] | None = None,
    watch: Callable[[int, int | None], None] | None = None,
) -> Report:
    """Report on a forecast: how large its loss is, why, what to do; as a page to share, markdown, text or JSON.

    Parameters
    ----------
    data, forecast, outcome, space, weight, ids, group, truth, labels, positive, normalize_rows, skip_missing, counts, skip_unreadable
        As in :func:`logloss.score`. More than 5,000,000 rows, and saved summaries, are reported from one pass.
    out
        Where to write it; the format follows from the name: .html, .md, .txt, .json.
    rows
        How many of the costliest rows to show; with 0 no single row is shown anywhere.
    by, pairs
        What to slice by, as in :func:`logloss.explain`.
    against
        Another forecast of the same rows: an array, the name of a column of the table, a file (matched by `ids`), or a
        :class:`logloss.Comparison`.
    utilities, cost_fp, cost_fn
        What actions are worth, as in :func:`logloss.decide`; or its result as `utilities`.
    title
        Of the page.
    unit
        Of the losses: "nats", "bits" or "bans"; JSON is always in nats.
    command, completed
        The command line that repeats the report; what returns the next command of (a finding, the names of the
        forecasts that were compared).
    watch
        Called with (rows done, rows expected or None) during a long pass.

    Raises
    ------
    LoglossError
        Where the data cannot be scored, as in :func:`logloss.score`; UsageError for a call that does not fit together.

    Examples
    --------
    >>> import logloss as ll
    >>> told = ll.report([1, 0, 1, 0, 1], [0.9, 0.1, 0.8, 0.2, 0.03824])
    >>> [tile.value for tile in told.contents.tiles][0]
    '0.7842'
    """
    if out is not None:
        format_of(out)
    table: dict[str, Any] = {
        "outcome": outcome, "space": space, "weight": weight, "ids": ids, "group": group, "truth": truth, "labels": labels,
        "positive": positive, "normalize_rows": normalize_rows, "skip_missing": skip_missing, "counts": counts,
        "skip_unreadable": skip_unreadable,
    }  # fmt: skip
    given = data
    data = _saved(data)
    if by is None and isinstance(against, str) and not is_file(against):
        by = AllBut((against,))
    found = explain(data, forecast, **table, rows=rows, by=by, pairs=pairs, watch=watch)
    made = of_results(
        found,
        comparison=_against(data, forecast, against, table),
        decisions=_decided(data, forecast, utilities, cost_fp, cost_fn, table),
        curve=_curve(found),
        title=title,
        unit=unit,
        rows=rows > 0,
        sources=_sources(given, truth, against),
        folders=_folders(given if is_path(given) or is_rows(given, forecast) else None, truth, against),
        command=command,
        completed=completed,
    )
    if out is not None:
        made.save(out)
    return made


def _against(data: Any, forecast: Any, other: Any, table: dict[str, Any]) -> Comparison | None:
    """Return this forecast against another."""
    if other is None or isinstance(other, Comparison):
        return other
    if not is_rows(data, forecast):
        arrays = {name: value for name, value in table.items() if name not in ("outcome", "truth")}
        return compare(data, {"this": forecast, "other": other}, **arrays)
    if isinstance(other, str) and not is_file(other):
        columns = _columns(data, forecast, table)
        if len(columns) != 1:
            raise UsageError(
                "against-what",
                f"{other!r} is no file, and a forecast of {len(columns)} columns is not compared with one column.",
                cure="Compare them first: against=logloss.compare(table, {'this': [...], 'other': [...]}).",
            )
        return _beside(data, columns[0], other, table)
    if is_path(data) and is_path(other):
        names = {"this": data, "other": other}
        if Path(data).stem != Path(other).stem:
            names = {Path(data).stem: data, Path(other).stem: other}
        return compare(names, forecast, **table)
    return compare({"this": data, "other": other}, forecast, **table)


def _beside(data: Any, column: str, other: str, table: dict[str, Any]) -> Comparison:
    """Compare two columns of a table."""
    try:
        return compare(data, [column, other], **table)
    except ColumnError as error:
        if error.slug != "no-such-column" or repr(other) not in error.message:
            raise
        raise UsageError(
            "against-what",
            f"{other!r} is no file, and {error.message}",
            cure=f"Give the path of a file, or one of the columns. {error.cure}",
        ) from None


def _columns(data: Any, forecast: Any, table: dict[str, Any]) -> list[str]:
    """Return the columns of the forecast: those that were named, or that are found in the table."""
    if forecast is not None:
        return [forecast] if isinstance(forecast, str) else list(forecast)
    found = opened(data, forecast, **table)
    assert isinstance(found, Opened)
    return list(found.gathered()[2].forecast)


def _decided(
    data: Any,
    forecast: Any,
    utilities: Any,
    cost_fp: float | None,
    cost_fn: float | None,
    table: dict[str, Any],
) -> Decisions | None:
    if isinstance(utilities, Decisions):
        return utilities
    if utilities is None and cost_fp is None and cost_fn is None:
        return None
    return decide(data, forecast, **table, utilities=utilities, cost_fp=cost_fp, cost_fn=cost_fn)


def _curve(found: Explanation) -> DecisionCurve | None:
    """Return at which thresholds the forecast is worth acting on; None where that cannot be asked."""
    record = found.observations
    if record is None or len(record.classes) != 2 or record.soft or not 2 <= found.score.n <= MOST_DRAWN:
        return None
    columns = (found.score.summary.columns or {}).get("forecast") or [ALONE]
    return of_questions({columns[0]: question(record)}, np.array(DEFAULT))


def _saved(data: Any) -> Any:
    """Return the summary where `data` is the path of a saved one, and anything else as it is."""
    if not is_path(data) or not is_file(data):
        return data
    with Path(data).open("rb") as file:
        begin = file.read(MOST_READ)
    return load(data) if SAVED.search(begin) else data


def _folders(*given: Any) -> list[str]:
    """Return the folders of files as they were written, with a slash behind."""
    found = set()
    for one in given:
        for path in one.values() if isinstance(one, dict) else one if isinstance(one, list) else [one]:
            if is_path(path) and str(path) != "-" and len(str(path)) < MOST_READ:
                whole = Path(path)
                parents = [whole, whole.parent] if whole.is_dir() else [whole.parent]
                found |= {
                    f"{parent}/" for at in parents for parent in (at, at.absolute()) if str(parent) != "."
                }
    return sorted(found - {"/"})


def _sources(*given: Any) -> tuple[Source, ...]:
    """Return the files among what was given, with the hash of what is not too large."""
    found = []
    for one in given:
        if isinstance(one, str | Path) and Path(one).is_file():
            size = Path(one).stat().st_size
            found.append(Source(Path(one).name, size, _hash(one) if size <= MOST_HASHED else None))
    return tuple(found)


def _hash(path: Any) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
