"""Anything that holds rows -> its summary; summaries of parts -> the summary of the whole."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from logloss.errors import AlignmentError, SourceError, UsageError
from logloss.folding import fold_record
from logloss.forensics import examine
from logloss.panel import Panel, load
from logloss.passes import HEAD, finished, fold
from logloss.sources import Opened, joined_stream, opened
from logloss.stages import staged, steps
from logloss.summary import Summary
from logloss.surprises import per_row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from logloss.record import Observations, Space

__all__ = ["folded", "merge", "saved", "summarize", "summary_of"]

JOINED_IN_MEMORY = 2_000_000  # rows of two tables that are paired by id in memory


def summarize(
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
    top: int = 20,
    watch: Callable[[int, int | None], None] | None = None,
    parts: str | PathLike[str] | None = None,
    threads: int | None = None,
) -> Summary | Panel:
    """Return what one pass over the rows keeps: it scores, adds up with other parts, saves and loads.

    Parameters
    ----------
    data, forecast, outcome, space, weight, ids, group, truth, labels, positive, normalize_rows, skip_missing, counts, skip_unreadable
        As in :func:`logloss.score`.
    top
        How many of the costliest rows are kept.
    watch
        Called with (rows done, rows expected or None) after every batch of a table.
    parts
        A folder in which what is done of each file is kept: after an interruption the same call goes on from there.
    threads
        How many batches are folded at a time; None for one per core. The result does not depend on it.

    Returns
    -------
    Summary, or Panel for several forecasts

    Examples
    --------
    >>> import logloss as ll
    >>> a = ll.summarize([1, 0], [0.9, 0.2])
    >>> b = ll.summarize([1, 1], [0.6, 0.35])
    >>> round(ll.score(a + b).log_loss, 6)
    0.472288
    """
    found = opened(
        data, forecast, outcome=outcome, space=space, weight=weight, ids=ids, group=group, truth=truth,
        labels=labels, positive=positive, normalize_rows=normalize_rows, skip_missing=skip_missing, counts=counts,
        skip_unreadable=skip_unreadable,
    )  # fmt: skip
    if not isinstance(found, Opened):
        return summary_of(found, top=top)
    return folded(found, top=top, watch=watch, parts=parts, threads=threads)


def folded(
    table: Opened,
    *,
    top: int = 20,
    watch: Callable[[int, int | None], None] | None = None,
    parts: str | PathLike[str] | None = None,
    threads: int | None = None,
) -> Summary | Panel:
    """Return the summary of a table's rows; outcomes that stand apart are joined in memory where both tables are small."""
    stream, answers, asked = table.stream, table.answers, table.asked
    if answers is None:
        return fold(
            stream,
            asked,
            top=top,
            watch=watch,
            parts=parts,
            skip_unreadable=table.skip_unreadable,
            threads=threads,
        )
    if parts is not None:
        raise SourceError(
            "no-checkpoint",
            "What is done of rows joined by id cannot be kept.",
            cure="Leave parts= (CLI: --parts) out, or join the files first.",
        )
    counts = [stream.expected(), answers.expected()]
    if not asked.models and None not in counts and max(counts) <= JOINED_IN_MEMORY:
        return summary_of(table.record(), top=top)
    both, chosen, notes = joined_stream(stream, answers, asked, HEAD)
    whole = fold(both, chosen, top=top, watch=watch, threads=threads)
    return finished(whole, (*notes, *both.notes), more=True)


@staged("adding up")
def summary_of(
    record: Observations, surprise: NDArray[np.float64] | None = None, *, top: int = 20
) -> Summary:
    """Return the summary of a checked record, with notes on what looks wrong with it."""
    found = examine(record, per_row(record) if surprise is None else surprise)
    return fold_record(replace(record, notes=(*record.notes, *found)), top=top)


def merge(
    parts: Iterable[Summary | Panel | str | PathLike[str]], *, allow_equal: bool = False
) -> Summary | Panel:
    """Add summaries of parts of one data set up: objects, or files that `save` wrote.

    Parameters
    ----------
    parts
        At least one. The result does not depend on their order, to 1e-12 relative.
    allow_equal
        Accept two parts that are equal in all sums, which otherwise are taken for one part given twice.

    Raises
    ------
    AlignmentError
        Where they do not belong together: other labels, columns, weights or forecasts; or where one is there twice.

    Examples
    --------
    >>> import logloss as ll
    >>> merged = ll.merge([ll.summarize([1, 0], [0.9, 0.2]), ll.summarize([1, 1], [0.6, 0.35])])
    >>> merged.n
    4
    """
    given = list(parts) if not isinstance(parts, str | Summary | Panel) and hasattr(parts, "__iter__") else []
    if not given or not all(isinstance(part, Summary | Panel | str | PathLike) for part in given):
        raise UsageError(
            "nothing-to-merge",
            "There are no summaries to merge.",
            cure="Give a list of summaries, or of files that `save` wrote.",
        )
    named = [
        ("", part) if isinstance(part, Summary | Panel) else (str(part), load(part))
        for part in steps(given, "reading", "summaries")
    ]
    whole = reduce(_added, steps([part for _, part in named], "adding up", "summaries"))
    seen: dict[str, str] = {}
    for name, part in steps(named, "checking", "summaries"):
        mark = _mark(part)
        if mark in seen and not allow_equal:
            raise AlignmentError(
                "same-part-twice",
                f"{f'{seen[mark]} and {name}' if name else 'Two parts'} are equal in all sums: it seems to be one part given twice.",
                cure="Merge each part once; if two parts are equal by chance, say allow_equal=True (CLI: --allow-equal).",
            )
        seen[mark] = name
    return whole


def saved(data: Any, *named: Any) -> Summary | Panel | None:
    """Return the summary that something is, or that the file at a path is; None where it is neither.

    `named` are columns, which a summary does not have any more: an error if there are some.
    """
    found: Summary | Panel | None = None
    if isinstance(data, Summary | Panel):
        found = data
    elif (
        isinstance(data, str | PathLike) and (path := Path(data)).suffix.lower() == ".json" and path.is_file()
    ):
        with path.open("rb") as file:
            head = file.read(200)
        found = load(path) if b'"logloss-' in head else None
    if found is not None and any(one is not None for one in named):
        raise UsageError(
            "array-and-names",
            "A summary has its columns behind it; no others can be named.",
            cure="Pass the summary alone.",
        )
    return found


def _added(a: Summary | Panel, b: Summary | Panel) -> Summary | Panel:
    if isinstance(a, Summary) and isinstance(b, Summary):
        return a + b
    if isinstance(a, Panel) and isinstance(b, Panel):
        return a + b
    raise AlignmentError(
        "parts-differ",
        "These parts do not belong together: one has several forecasts, the other one.",
        cure="Score all parts with the same forecasts.",
    )


def _mark(part: Summary | Panel) -> str:
    """Return what tells parts apart: all that was counted and summed."""
    summaries = part.summaries if isinstance(part, Panel) else {"": part}
    gone = ("columns", "notes", "remarks", "top")
    states = [one.to_dict() for one in summaries.values()]
    return repr([{key: value for key, value in state.items() if key not in gone} for state in states])
