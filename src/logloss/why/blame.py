"""Why the loss is what it is: the rows and classes that carry it, and what it would be after an edit."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss import units
from logloss.annotation import suspicion
from logloss.curves import inequality
from logloss.curves import reliability as calibration_curves
from logloss.entropies import replicates
from logloss.errors import UsageError, listing
from logloss.finding import Finding, chosen
from logloss.notes import Note
from logloss.panel import Panel
from logloss.passes import height
from logloss.scoring import Score, of_record, of_summary
from logloss.slicing import slices
from logloss.slicing.searching import search
from logloss.slicing.segments import segments
from logloss.sources import Opened, opened
from logloss.stages import stage, staged
from logloss.summaries import folded, saved
from logloss.surprises import per_row
from logloss.why import decomposition, gridfits, halves
from logloss.why.asides import with_columns
from logloss.why.carriers import (
    CENSUS,
    best_clip,
    best_share,
    beyond_belief,
    confused,
    costliest,
    kept,
    per_block,
    rows_for,
)
from logloss.why.checks import IDS, told
from logloss.why.explanation import Explanation, Row
from logloss.why.whatif import WhatIf, edits, what_if

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from logloss.annotation.doubts import Suspects
    from logloss.record import Observations, Space
    from logloss.slicing.searching import Search
    from logloss.slicing.slices import Slices
    from logloss.summary import Summary
    from logloss.why.steps import Held

    Float = NDArray[np.float64]

__all__ = ["Explanation", "Finding", "Row", "WhatIf", "explain", "of_fold", "of_observations"]

DOUBTED = 20  # classes; with more, `suspects` takes its time
FIT_ROWS = 5_000  # rows that label noise is fitted to; of more, a sample
SUREST = 0.01  # of the rows, the surest, that are taken for no surer than the next
MOST_ROWS = 5_000_000  # rows that are looked at together; more are explained from a summary


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
    by: Any = None,
    pairs: bool | None = None,
    ignore: str | Sequence[str] = (),
    watch: Callable[[int, int | None], None] | None = None,
) -> Explanation:
    """Explain a log loss: noise, discrimination, miscalibration; which rows, classes and slices carry it; what would change it.

    Parameters
    ----------
    data, forecast, outcome, space, weight, ids, group, truth, labels, positive, normalize_rows, skip_missing, counts, skip_unreadable
        As in :func:`logloss.score`, or a summary, or the path of one that was saved. Summaries, and more than 5,000,000
        rows, are explained from one pass: without what-ifs, the curve of clips, slices and suspects; the decomposition in sample.
    rows
        How many of the costliest rows to list.
    clip
        Clips to try besides the best and the advised one (two classes).
    temperature
        Temperatures to try besides 1/2 and 2: above 1 softens, below 1 sharpens.
    by
        What to slice by: names of columns of the table, or a table of columns in the order of the rows. By default all
        columns of the table that are neither outcome, forecast, weight, group nor id; () for none.
    pairs
        Whether to look at every combination of two columns too; by default for up to 8 columns.
    ignore
        Ids of findings to leave out, such as "LL010"; a note counts them.
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
    kept_before = saved(data, forecast, outcome, weight, ids, group, truth, labels, positive)
    if kept_before is not None:
        return of_fold(kept_before, rows=rows, ignore=ignore)
    chosen(ignore, IDS)
    found = opened(
        data, forecast, outcome=outcome, space=space, weight=weight, ids=ids, group=group, truth=truth,
        labels=labels, positive=positive, normalize_rows=normalize_rows, skip_missing=skip_missing, counts=counts,
        skip_unreadable=skip_unreadable,
    )  # fmt: skip
    if isinstance(found, Opened) and (
        found.asked.models or any(_many(part) for part in (found.stream, found.answers) if part is not None)
    ):
        return of_fold(folded(found, top=max(rows, 20), watch=watch), rows=rows, ignore=ignore)
    record, columns = with_columns(found, by, data)
    return of_observations(
        record, rows=rows, clip=clip, temperature=temperature, columns=columns, pairs=pairs, ignore=ignore
    )


def _many(stream: Any) -> bool:
    """Tell whether a stream has more rows than are held in memory to look at them together."""
    expected = stream.expected()
    return bool((height(stream.head(MOST_ROWS)) if expected is None else expected - 1) >= MOST_ROWS)


def of_fold(summary: Summary | Panel, *, rows: int = 10, ignore: str | Sequence[str] = ()) -> Explanation:
    """Explain what one pass kept: all that adds up over rows or can be read off its bins."""
    if isinstance(summary, Panel):
        raise UsageError(
            "one-forecast",
            f"There are several forecasts: {listing(summary.names)}.",
            cure="Explain one of them: panel.summaries[name], or forecast=... (CLI: --forecast).",
        )
    parts = gridfits.of_summary(summary)
    curve = calibration_curves.of_summary(summary)
    left = "what-ifs, the curve of clips, slices, suspects"
    if parts is None:
        left = f"the decomposition of {units.count(len(summary.classes), 'class', 'classes')} in as many columns, {left}"
    note = Note(
        "from-summary",
        f"Explained from one pass over {units.count(summary.n, 'row')}: what needs all rows side by side ({left}) is left out; a sample of the rows tells it.",
    )
    binned = None if parts is None else gridfits.said(parts)
    added = [note, *(curve.notes[len(summary.told()) :] if binned is None else [binned])]
    score = of_summary(replace(summary, notes=(*summary.notes, *added)))
    assert isinstance(score, Score)
    confusion, cells = confused(summary)
    between = halves.half_between(summary)
    mass = summary.mass
    counts = (summary.n, mass["certain"], summary.infinite[0], mass["errors"], mass["certain_errors"])
    result = Explanation(
        score=score,
        expected_log_loss=summary.expected,
        excess_z=summary.excess_z,
        worst=kept(summary, rows),
        half=between[0] if between is not None and between[0] == between[1] else None,
        half_between=between,
        classes=tuple(score.classes()),
        pairs=cells,
        confusion=confusion,
        census=dict(zip(CENSUS, map(int, counts), strict=True)),
        clip=None,
        mix=None,
        what_ifs=(),
        findings=(),
        decomposition=parts,
        slices=None,
        search=None,
        blunders=None,
        suspects=None,
        labels_hold=False,
        reliability=curve,
        lorenz=None,
        replicated=None,
        observations=None,
        surprise=None,
    )
    return told(result, np.zeros(0), np.zeros(0), chosen(ignore, IDS))


def of_observations(
    record: Observations,
    *,
    rows: int = 10,
    clip: float | Sequence[float] = (),
    temperature: float | Sequence[float] = (),
    columns: Mapping[str, NDArray[Any]] | None = None,
    pairs: bool | None = None,
    ignore: str | Sequence[str] = (),
) -> Explanation:
    """Explain a checked record; `columns` to slice by are in the order of its rows."""
    if rows < 0:
        raise UsageError(
            "bad-what-if", f"rows is {rows}.", cure="Give the number of rows to list, 0 or more."
        )
    ignored = chosen(ignore, IDS)
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
    with stage("clips and temperatures"):
        order = np.argsort(-cost, kind="stable")
        two = len(record.classes) == 2
        advice = best_clip(record, weight) if two else None
        lam = None if two else best_share(record, surprise, weight)
        confusion, cells = confused(summary)
        tried = edits(
            two=two,
            clips=[*clips, *([] if advice is None else [advice.best, advice.suggested])],
            temperatures=[0.5, 2.0, *temperatures],
        )
        said, census, after = per_block(record, tried)
        what_ifs = tuple(
            what_if(record, edit, surprise, rows_after, weight)
            for edit, rows_after in zip(tried, after, strict=True)
        )
    parts = decomposition.of_record(record, surprise=surprise)
    held = None if parts.remedies is None else parts.remedies.held
    half = rows_for(cost[order], 0.5)
    found, tree = _where(record, columns, held, surprise, weight, pairs=pairs)
    doubted = (
        suspicion.of_record(record, rows=min(rows, 20), most=FIT_ROWS)
        if len(record.classes) <= DOUBTED
        else None
    )
    if found is not None and found.notes:
        score = replace(score, notes=(*score.notes, *found.notes))
    result = Explanation(
        score=score,
        expected_log_loss=summary.expected,
        excess_z=summary.excess_z,
        worst=costliest(record, order[:rows], surprise, cost, said),
        half=half,
        classes=tuple(score.classes()),
        pairs=cells,
        confusion=confusion,
        census=census,
        clip=advice,
        mix=None if lam is None else {"best": lam[0], "log_loss": lam[1]},
        what_ifs=what_ifs,
        findings=(),
        decomposition=parts,
        slices=found,
        search=tree,
        blunders=None
        if summary.n < 20 or not half
        else beyond_belief(record, held, surprise, weight, _dear(surprise[order], cost[order], half)),
        suspects=doubted,
        labels_hold=_labels_hold(record, doubted, found),
        reliability=calibration_curves.of_record(record),
        lorenz=inequality.of_record(record, surprise),
        replicated=replicates.of_record(record),
        observations=record,
        surprise=surprise,
    )
    return told(result, cost[order][: summary.n], weight[order][: summary.n], ignored)


def _labels_hold(record: Observations, doubted: Suspects | None, found: Slices | None) -> bool:
    """Tell whether label noise is told from none also without what may feign it.

    That are the slices whose forecasts are off, and how far the surest forecasts go: one row that was forecast with odds of
    10^12 to one, and did not happen, is no rate of all labels.
    """
    if doubted is None or not doubted.supported:
        return False
    kept = record if found is None or not found.off.any() else record.take(~found.off)
    return suspicion.of_record(kept, rows=0, most=FIT_ROWS, surest=SUREST).supported


def _dear(surprise: Float, cost: Float, half: int) -> float:
    """Return the surprise of the first row after those that carry half of the finite loss, costliest first.

    Infinite rows stand before all and do not count. Where the costliest rows all cost the same, as a tool that clips
    writes them, a hair less, so that these are above it.
    """
    finite = surprise[np.isfinite(cost) & (cost > 0)]
    after = float(finite[half]) if half < len(finite) else 0.0
    return after if finite.max() > after else after * (1 - 1e-9)


@staged("looking for slices")
def _where(
    record: Observations,
    columns: Mapping[str, NDArray[Any]] | None,
    held: Held | None,
    surprise: Float,
    weight: Float,
    *,
    pairs: bool | None,
) -> tuple[Slices | None, Search | None]:
    """Return the slices that cost more than the rest, and a searched tree of them; None without columns."""
    if not columns or held is None:
        return None, None
    found = slices.of_record(record, columns, held, surprise, pairs=pairs)
    if not found.rows:
        return found, None
    finite = np.isfinite(surprise) & (weight > 0)
    coded = record.clusters()
    cluster = None if coded is None else np.unique(coded.code[finite], return_inverse=True)[1]
    kept_ = {name: values[finite] for name, values in columns.items()}
    parts = segments(kept_, int(finite.sum()), pairs=False)
    return found, search(parts, surprise[finite], weight[finite], cluster)


def _in_range(name: str, given: float | Sequence[float], most: float) -> list[float]:
    """Return one number or several as a list; each must lie above 0 and not above `most`."""
    values: list[float] = np.atleast_1d(np.asarray(given, np.float64)).tolist()
    wrong = [v for v in values if not 0 < v <= most or math.isinf(v)]
    if wrong:
        limit = "" if math.isinf(most) else f" and at most {most:g}"
        raise UsageError("bad-what-if", f"{name} is {wrong[0]:g}.", cure=f"Give numbers above 0{limit}.")
    return values
