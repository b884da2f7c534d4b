"""Why the loss is what it is: the rows and classes that carry it, and what it would be after an edit."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss import units
from logloss.calibrate.clip import Clip, best_mix, clip_advice
from logloss.errors import UsageError, listing
from logloss.explanation import Explanation, Row
from logloss.findings import Finding, findings
from logloss.notes import Note
from logloss.panel import Panel
from logloss.passes import height
from logloss.plain import plain
from logloss.scoring import Score, of_record, of_summary
from logloss.sources import Opened, opened
from logloss.summaries import folded
from logloss.summary import Summary
from logloss.surprises import certain_rows, class_blocks, mean_surprise, per_row
from logloss.whatif import Edit, WhatIf, edited, edits, what_if

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from logloss.record import Observations, Space

    Float = NDArray[np.float64]

__all__ = ["Explanation", "Finding", "Row", "WhatIf", "explain", "of_fold", "of_observations"]

MOST_ROWS = 5_000_000  # rows that are looked at together; more are explained from a summary
CENSUS = ("rows", "exact_zero_or_one", "zero_on_the_truth", "errors", "errors_exact")


def explain(
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
    rows: int = 10,
    clip: float | Sequence[float] = (),
    temperature: float | Sequence[float] = (),
    watch: Callable[[int, int | None], None] | None = None,
) -> Explanation:
    """Explain a log loss: who carries it, is the forecast over-confident, and what would an edit change.

    Parameters
    ----------
    data, forecast, outcome, space, weight, ids, group, truth, labels, positive, normalize_rows, skip_missing, counts, skip_unreadable
        As in :func:`logloss.score`. More than 5,000,000 rows, and summaries, are explained from one pass: without the
        clip, the what-ifs and the number of rows that carry half of the loss.
    rows
        How many of the costliest rows to list.
    clip
        Clips to try besides the best and the advised one (two classes).
    temperature
        Temperatures to try besides 1/2 and 2: above 1 softens, below 1 sharpens.
    watch
        Called with (rows done, rows expected or None) during a long pass.

    Examples
    --------
    >>> import logloss as ll
    >>> why = ll.explain([1, 0, 1, 0, 1], [0.9, 0.1, 0.8, 0.2, 0.03824])
    >>> worst = why.worst[0]
    >>> worst.row, round(worst.surprise, 5), round(worst.share, 2)
    (4, 3.26387, 0.83)
    """
    if isinstance(data, Summary | Panel):
        return of_fold(data, rows=rows)
    found = opened(
        data, forecast, outcome=outcome, space=space, weight=weight, ids=ids, group=group, truth=truth,
        labels=labels, positive=positive, normalize_rows=normalize_rows, skip_missing=skip_missing, counts=counts,
        skip_unreadable=skip_unreadable,
    )  # fmt: skip
    if isinstance(found, Opened) and (
        found.asked.models or any(_many(part) for part in (found.stream, found.answers) if part is not None)
    ):
        return of_fold(folded(found, top=max(rows, 20), watch=watch), rows=rows)
    record = found.record() if isinstance(found, Opened) else found
    return of_observations(record, rows=rows, clip=clip, temperature=temperature)


def _many(stream: Any) -> bool:
    """Tell whether a stream has more rows than are held in memory to look at them together."""
    expected = stream.expected()
    return bool((height(stream.head(MOST_ROWS)) if expected is None else expected - 1) >= MOST_ROWS)


def of_fold(summary: Summary | Panel, *, rows: int = 10) -> Explanation:
    """Explain what one pass kept: all but the clip curve, the what-ifs and the rows that carry half of the loss."""
    if isinstance(summary, Panel):
        raise UsageError(
            "one-forecast",
            f"There are several forecasts: {listing(summary.names)}.",
            cure="Explain one of them: panel.summaries[name], or forecast=... (CLI: --forecast).",
        )
    note = Note(
        "from-summary",
        f"Explained from one pass over {units.count(summary.n, 'row')}: what needs all rows side by side (the clip, what-ifs, how many rows carry half of the loss) is left out; a sample of the rows tells it.",
    )
    score = of_summary(replace(summary, notes=(*summary.notes, note)))
    assert isinstance(score, Score)
    confusion, pairs = _confusion(summary)
    mass = summary.mass
    counts = (summary.n, mass["certain"], summary.infinite[0], mass["errors"], mass["certain_errors"])
    result = Explanation(
        score=score,
        expected_log_loss=summary.expected,
        excess_z=summary.excess_z,
        worst=_kept(summary, rows),
        half=None,
        classes=tuple(score.classes()),
        pairs=pairs,
        confusion=confusion,
        census=dict(zip(CENSUS, map(int, counts), strict=True)),
        clip=None,
        mix=None,
        what_ifs=(),
        findings=(),
        observations=None,
        surprise=None,
    )
    return replace(result, findings=tuple(findings(result, np.zeros(0), np.zeros(0))))


def _kept(summary: Summary, rows: int) -> tuple[Row, ...]:
    """Return the costliest rows that a summary kept."""
    running, found = 0.0, []
    for key, (part, row), seen in summary.top.entries[:rows]:
        finite = math.isfinite(key) and summary.finite_nats > 0
        share = key / summary.finite_nats if finite else None
        running += share or 0.0
        surprise = math.inf if seen["surprise"] is None else float(seen["surprise"])
        found.append(
            Row(row, seen["id"], seen["outcome"], seen["forecast"], seen["predicted"], surprise, share,
                None if share is None else running, part)
        )  # fmt: skip
    return tuple(found)


def of_observations(
    record: Observations,
    *,
    rows: int = 10,
    clip: float | Sequence[float] = (),
    temperature: float | Sequence[float] = (),
) -> Explanation:
    """Explain a checked record."""
    if rows < 0:
        raise UsageError(
            "bad-what-if", f"rows is {rows}.", cure="Give the number of rows to list, 0 or more."
        )
    clips = _in_range("clip", clip, 0.5)
    temperatures = _in_range("temperature", temperature, math.inf)
    if clips and len(record.classes) > 2:
        note = Note(
            "clip-two-classes",
            "A clip is not tried: with more than two classes clipped rows no longer sum to one. Mixing with uniform does the same job.",
        )
        record = replace(record, notes=(*record.notes, note))
    surprise = per_row(record)
    score = of_record(record, surprise=surprise)
    summary = score.summary
    weight = np.ones(len(record)) if record.weight is None else record.weight
    cost = np.where(weight > 0, weight, 0.0) * np.where(weight > 0, surprise, 0.0)
    order = np.argsort(-cost, kind="stable")
    two = len(record.classes) == 2
    advice = _clip(record, weight) if two else None
    lam = None if two else _mix(record, surprise, weight)
    confusion, pairs = _confusion(summary)
    tried = edits(
        two=two,
        clips=[*clips, *([] if advice is None else [advice.best, advice.suggested])],
        temperatures=[0.5, 2.0, *temperatures],
    )
    said, census, after = _per_block(record, tried)
    what_ifs = tuple(
        what_if(record, edit, surprise, rows_after, weight)
        for edit, rows_after in zip(tried, after, strict=True)
    )
    result = Explanation(
        score=score,
        expected_log_loss=summary.expected,
        excess_z=summary.excess_z,
        worst=_worst(record, order[:rows], surprise, cost, said),
        half=_rows_for(cost[order], 0.5),
        classes=tuple(score.classes()),
        pairs=pairs,
        confusion=confusion,
        census=census,
        clip=advice,
        mix=None if lam is None else {"best": lam[0], "log_loss": lam[1]},
        what_ifs=what_ifs,
        findings=(),
        observations=record,
        surprise=surprise,
    )
    return replace(
        result, findings=tuple(findings(result, cost[order][: summary.n], weight[order][: summary.n]))
    )


def _in_range(name: str, given: float | Sequence[float], most: float) -> list[float]:
    """Return one number or several as a list; each must lie above 0 and not above `most`."""
    values: list[float] = np.atleast_1d(np.asarray(given, np.float64)).tolist()
    wrong = [v for v in values if not 0 < v <= most or math.isinf(v)]
    if wrong:
        limit = "" if math.isinf(most) else f" and at most {most:g}"
        raise UsageError("bad-what-if", f"{name} is {wrong[0]:g}.", cure=f"Give numbers above 0{limit}.")
    return values


def _worst(
    record: Observations, order: NDArray[np.int64], surprise: Float, cost: Float, said: NDArray[np.int64]
) -> tuple[Row, ...]:
    total = float(cost[np.isfinite(cost)].sum())
    running = 0.0
    found = []
    for at in order:
        share = float(cost[at]) / total if math.isfinite(cost[at]) and total > 0 else None
        running += share or 0.0
        outcome = record.outcome[at]
        found.append(
            Row(
                row=record.row_number(int(at)),
                id=None if record.ids is None else plain(record.ids[at]),
                outcome=outcome.tolist() if record.soft else record.classes[int(outcome)],
                forecast=float(np.exp(-surprise[at])),
                predicted=record.classes[int(said[at])],
                surprise=float(surprise[at]),
                share=share,
                cumulative=None if share is None else running,
            )
        )
    return tuple(found)


def _rows_for(cost: Float, share: float) -> int:
    """Return how many of the costliest rows carry this share of the finite loss."""
    finite = cost[np.isfinite(cost)]
    total = finite.sum()
    return int(np.searchsorted(np.cumsum(finite), share * total) + 1) if total > 0 else 0


def _confusion(summary: Any) -> tuple[tuple[tuple[float, ...], ...] | None, tuple[dict[str, Any], ...]]:
    """Return rows by true and predicted class, and the cells with their share of the loss, costliest first."""
    if summary.confusion is None:
        return None, ()
    rows, _, nats, infinite = summary.confusion.sums
    total = summary.finite_nats
    cells = [
        {"outcome": plain(summary.classes[i]), "predicted": plain(summary.classes[j]), "rows": float(rows[i, j]), "nats": float(nats[i, j]),
         "share": float(nats[i, j]) / total if total > 0 else None, "infinite_rows": int(infinite[i, j])}
        for i, j in zip(*np.nonzero(rows), strict=True)
    ]  # fmt: skip
    cells.sort(key=lambda cell: (-cell["infinite_rows"], -cell["nats"]))
    return tuple(tuple(float(v) for v in line) for line in rows), tuple(cells[:50])


def _per_block(
    record: Observations, tried: list[Edit]
) -> tuple[NDArray[np.int64], dict[str, int], list[Float]]:
    """Return the first choice of each row, the census of certain forecasts, and the surprise after each edit.

    The census counts forecasts of exactly 0 or 1, errors (the first choice did not happen), and errors made with
    certainty. Block by block, so that memory is bounded by columns of rows, not by rows times classes.
    """
    said = np.empty(len(record), np.int64)
    after = [np.empty(len(record)) for _ in tried]
    counts = np.zeros(5, np.int64)
    for part, s, t in class_blocks(record):
        said[part] = s.argmin(axis=1)
        counted = np.ones(len(s), bool) if record.weight is None else record.weight[part] > 0
        certain = certain_rows(record, part) & counted
        wrong = (t[np.arange(len(t)), said[part]] < 0.5) & counted
        missed = (np.isinf(s) & (t > 0)).any(axis=1) & counted
        counts += [counted.sum(), certain.sum(), missed.sum(), wrong.sum(), (wrong & certain).sum()]
        for edit, column in zip(tried, after, strict=True):
            column[part] = mean_surprise(edited(edit, s), t)
    return said, dict(zip(CENSUS, counts.tolist(), strict=True)), after


def _mix(record: Observations, surprise: Float, weight: Float) -> tuple[float, float]:
    """Return the best share of the uniform forecast; a soft row counts once for each class with a share."""
    if not record.soft:
        counts = weight > 0
        return best_mix(np.exp(-surprise[counts]), weight[counts], len(record.classes))
    p, w = [], []
    for part, s, t in class_blocks(record):
        mass = weight[part][:, None] * t
        p.append(np.exp(-s[mass > 0]))
        w.append(mass[mass > 0])
    return best_mix(np.concatenate(p), np.concatenate(w), len(record.classes))


def _clip(record: Observations, weight: Float) -> Clip:
    """Return the clip advice of a two-class record: log min(p, 1 - p), and the share that was less likely."""
    minor, share = np.empty(len(record)), np.empty(len(record))
    for part, s, t in class_blocks(record):
        at = (np.arange(len(s)), s.argmax(axis=1))
        minor[part], share[part] = -s[at], t[at]
    counts = weight > 0
    return clip_advice(minor[counts], share[counts], weight[counts])
