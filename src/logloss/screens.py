"""Results as one screen of plain text. Lays out numbers; computes none."""

from __future__ import annotations

import itertools
import math
from functools import partial
from typing import TYPE_CHECKING, Any

from logloss import conventions, units
from logloss.text import bar, printable, table, wrapped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logloss.blame import Explanation
    from logloss.calibrate.clip import Clip
    from logloss.notes import Note
    from logloss.scoring import Score
    from logloss.summary import Summary

__all__ = ["explanation", "noted", "score"]


def score(result: Score, unit: str, *, notes: bool = True) -> str:
    """Lay a score out."""
    loss = partial(units.loss, in_unit=unit)
    scale = max(
        v for v in (result.uniform, result.base_rate, result.log_loss_finite, 1e-12) if not math.isnan(v)
    )
    against = [
        ["uniform", loss(result.uniform), bar(result.uniform / scale), ""],
        [
            "base rate",
            loss(result.base_rate),
            bar(result.base_rate / scale),
            f"{loss(result.base_rate_loo)} with each row left out",
        ],
        ["this forecast", loss(result.log_loss), bar(min(result.log_loss, scale) / scale), _skill(result)],
    ]
    side = f"accuracy {units.percent(result.accuracy)}   Brier {result.brier:.4f}   perplexity {units.loss(result.perplexity)}"
    parts = [
        _head(result, unit), "", table(against, "<><<"), "", f"  {side}",
        "", "  What others print for the same rows:", table(_grouped(result, unit), "><", indent=4),
        "", "  Who pays?", table(_who_pays(result.summary), "<><><", indent=4),
    ]  # fmt: skip
    if notes and result.notes:
        parts += ["", *noted(result.notes)]
    return "\n".join(parts)


def noted(notes: Sequence[Note]) -> list[str]:
    """Lay notes out, each with the id under which docs/messages.md explains it."""
    return [wrapped(f"{printable(note.text, 2000)} [{note.id}]") for note in notes]


def _head(result: Score, unit: str) -> str:
    loss = partial(units.loss, in_unit=unit)
    kind = "binary" if len(result.summary.classes) == 2 else f"{len(result.summary.classes)} classes"
    head = f"Log loss {loss(result.log_loss)} {unit}"
    if math.isinf(result.log_loss):
        head += f" ({loss(result.log_loss_finite)} over the finite rows)"
    if result.interval is not None:
        head += (
            f"   {100 * result.level:.6g} % interval {loss(result.interval[0])} to {loss(result.interval[1])}"
        )
    return f"{head}   {units.count(result.n, 'row')}, {kind}"


def _skill(result: Score) -> str:
    if math.isnan(result.skill):
        return "as the base rate, which loses nothing here"
    if math.isinf(result.log_loss):
        return "infinitely more than always saying the base rate"
    if math.isinf(result.skill):
        return "the base rate loses nothing here: one class only"
    share = f"{100 * abs(result.skill):.1f} %"
    return (
        f"removes {share} of the base rate's loss"
        if result.skill >= 0
        else f"{share} more than always saying the base rate"
    )


def _grouped(result: Score, unit: str) -> list[list[str]]:
    """Group the conventions by the number they print; ML.NET keeps its own unit."""
    groups: dict[str, list[str]] = {units.loss(result.log_loss, unit, 6): ["exact"]}
    for convention in conventions.CONVENTIONS[1:]:
        own = convention.unit != "nats"
        shown = units.loss(result.conventions[convention.name], "nats" if own else unit, 6)
        groups.setdefault(shown, []).append(convention.name + (f" ({convention.unit})" if own else ""))
    rows = []
    for shown, names in groups.items():
        lines = _lines(names, 78)
        rows += [[shown, lines[0]], *(["", line] for line in lines[1:])]
    return rows


def _lines(names: list[str], width: int) -> list[str]:
    import textwrap

    return [
        line.replace("~", " ")
        for line in textwrap.wrap(
            ", ".join(name.replace(" ", "~") for name in names), width, break_on_hyphens=False
        )
    ]


def _who_pays(summary: Summary) -> list[list[str]]:
    """Rows and loss by surprise."""
    bins = summary.clamps
    edges = conventions.WHO_PAYS
    cuts = [0, *(bins.edges.index(edge) + 1 for edge in edges), len(bins.edges) + 1]
    names = [
        f"under {edges[0]:g}",
        *(f"{a:g} to {b:g}" for a, b in itertools.pairwise(edges)),
        f"over {edges[-1]:g}",
    ]
    total, nats = float(bins.weight[0].sum()), float(bins.sum[0].sum())
    rows = [["surprise", "rows", "", "loss", ""]]
    for name, start, stop in zip(names, cuts, cuts[1:], strict=False):
        infinite = summary.infinite[1] if stop == cuts[-1] else 0.0
        share = (float(bins.weight[0, start:stop].sum()) - infinite) / total
        cost = float(bins.sum[0, start:stop].sum()) / nats if nats else 0.0
        rows.append(
            [f"{name} nats", units.percent(share), bar(share, 16), units.percent(cost), bar(cost, 16)]
        )
    if summary.infinite[0]:
        rows.append(["infinite", units.percent(summary.infinite[1] / total, 2), "", "", ""])
    return rows


def explanation(result: Explanation, unit: str, *, notes: bool = True) -> str:
    """Lay an explanation out."""
    loss = partial(units.loss, in_unit=unit)
    signed = partial(units.signed, in_unit=unit)
    parts = [_head(result.score, unit)]
    if result.findings:
        parts += [
            "",
            *(
                f"  {number}. {printable(finding.text, 2000)} [{finding.id}]"
                for number, finding in enumerate(result.findings, 1)
            ),
        ]
    belief = f"The forecasts expected {loss(result.expected_log_loss)}, got {loss(result.score.log_loss)}"
    if result.excess_z is not None:
        belief += (
            f": excess {signed(result.score.log_loss - result.expected_log_loss)}, z = {result.excess_z:.1f}"
        )
    parts += ["", f"  {belief}"]
    rows = [["row", "id", "outcome", "forecast of it", "said", "surprise", "share", "together"]]
    rows += [
        [str(r.row), printable("" if r.id is None else r.id), printable(r.outcome), _p(r.forecast), printable(r.predicted), loss(r.surprise),
         "" if r.share is None else units.percent(r.share), "" if r.cumulative is None else units.percent(r.cumulative)]
        for r in result.worst
    ]  # fmt: skip
    if result.worst:
        of_finite = " (shares of the finite loss)" if result.score.infinite_rows else ""
        parts += ["", f"  The rows that cost most{of_finite}", table(rows, "><<><>>>", indent=4)]
    shown = sorted(result.classes, key=lambda c: -(c["share"] or 0.0))[:12]
    rest = len(result.classes) - len(shown)
    classes = [["class", "rows", "loss", "share"]]
    classes += [
        [
            printable(c["class"]),
            f"{c['rows']:,.6g}",
            "" if c["log_loss"] is None else loss(float(c["log_loss"])),
            "" if c["share"] is None else units.percent(c["share"]),
        ]
        for c in shown
    ]
    parts += ["", "  By class", table(classes, "<>>>", indent=4), *([f"    and {rest} more"] if rest else [])]
    if result.pairs:
        pairs = [["true", "said", "rows", "share of the loss"]]
        pairs += [
            [
                printable(c["outcome"]),
                printable(c["predicted"]),
                f"{c['rows']:,.6g}",
                "" if c["share"] is None else units.percent(c["share"]),
            ]
            for c in result.pairs[:6]
        ]
        parts += ["", "  By what happened and what was said", table(pairs, "<<>>", indent=4)]
    if result.clip is not None:
        clip = result.clip
        advised = f"advised {clip.suggested:.4g} -> {loss(clip.suggested_log_loss)}"
        if clip.best == 0:
            parts += [
                "",
                f"  Clip: none lowers the loss of these rows; {advised}, against blunders not seen yet",
            ]
        else:
            parts += [
                "",
                f"  Clip: best at {clip.best:.4g} -> {loss(clip.log_loss)} in this sample{_held_out(clip, signed)}; {advised}",
            ]
    if result.mix is not None:
        parts += [
            "",
            f"  Mixing with uniform: best share {result.mix['best']:.4g} -> {loss(result.mix['log_loss'])} in this sample",
        ]
    what_ifs = [["what if", "loss", "change", "rows better", "worse", "paid most by"]]
    what_ifs += [
        [
            w.name,
            loss(w.log_loss),
            signed(w.change),
            f"{w.better:,}",
            f"{w.worse:,}",
            ", ".join(f"{_who(r)} ({signed(r['change'])})" for r in w.paid[:2]),
        ]
        for w in result.what_ifs
    ]
    parts += ["", table(what_ifs, "<>>>><", indent=2)]
    if notes and result.score.notes:
        parts += ["", *noted(result.score.notes)]
    return "\n".join(parts)


def _held_out(clip: Clip, signed: partial[str]) -> str:
    if clip.gain is None:
        return ""
    if clip.gain_interval is None:
        return f"; held out {signed(-clip.gain)} (too few errors for an interval)"
    return f"; held out {signed(-clip.gain)} ({signed(-clip.gain_interval[1])} to {signed(-clip.gain_interval[0])})"


def _who(row: dict[str, Any]) -> str:
    return f"row {row['row']}" if row["id"] is None else f"id {printable(row['id'], 16)}"


def _p(p: float) -> str:
    return f"{p:.4g}" if p else "0"
