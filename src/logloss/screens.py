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

    from logloss.calibrate.clip import Clip
    from logloss.explanation import Explanation
    from logloss.grouping import Groups
    from logloss.notes import Note
    from logloss.ranking import Scores
    from logloss.scoring import Score
    from logloss.summary import Summary

__all__ = ["explanation", "noted", "score", "scores"]


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
    if result.groups is not None:
        parts += _groups(result.groups, loss)
    if notes and result.notes:
        parts += ["", *noted(result.notes)]
    return "\n".join(parts)


def scores(result: Scores, unit: str, *, notes: bool = True) -> str:
    """Lay out the scores of several forecasts, best first, with the paired difference to the best."""
    loss, signed = partial(units.loss, in_unit=unit), partial(units.signed, in_unit=unit)
    best = next(iter(result.models))
    to_best = {pair["b"]: pair for pair in result.pairs if pair["a"] == best}
    rows = [["", "loss", "interval", "skill", "worse than the best by", "interval"]]
    for name, score_ in result.models.items():
        pair = to_best.get(name)
        behind = "" if pair is None or pair["difference"] is None else signed(-pair["difference"])
        span = pair["interval"] if pair else None
        rows.append(
            [
                printable(name),
                loss(score_.log_loss),
                ""
                if score_.interval is None
                else f"{loss(score_.interval[0])} to {loss(score_.interval[1])}",
                "" if math.isinf(score_.skill) else f"{score_.skill:.1%}",
                behind,
                "" if span is None else f"{signed(-span[1])} to {signed(-span[0])}",
            ]
        )
    first = result.models[best]
    head = f"{len(result.models)} forecasts of the same {units.count(first.n, 'row')}, in {unit}, best first"
    parts = [head, "", table(rows, "<><>><", indent=2)]
    if notes and result.notes:
        parts += ["", *noted(result.notes)]
    return "\n".join(parts)


def _groups(groups: Groups, loss: partial[str]) -> list[str]:
    """Lay out the costliest groups."""
    rows = [["group", "rows", "loss", "interval", "base rate", "share"]]
    for one in groups.rows[:12]:
        span = one["interval"]
        rows.append(
            [
                printable(one["group"], 40),
                f"{one['rows']:,}",
                loss(one["log_loss"]),
                "" if span is None else f"{loss(span[0])} to {loss(span[1])}",
                "" if one["base_rate"] is None else loss(one["base_rate"]),
                _share(one["share"]),
            ]
        )
    rest = len(groups.rows) - 12
    lines = [
        "",
        f"  {units.count(len(groups.rows), 'group')}, costliest first",
        table(rows, "<>><>>", indent=4),
    ]
    lines += [f"    and {rest:,} more"] if rest > 0 else []
    if groups.interval is not None:
        known = (
            ""
            if groups.base_rate is None
            else f"; knowing each group's class shares scores {loss(groups.base_rate)}"
        )
        lines.append(
            f"    were groups drawn, not rows: {loss(groups.interval[0])} to {loss(groups.interval[1])}{known}"
        )
    return lines


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
    bins = summary.clamps["given"]
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
    sections = [
        [_head(result.score, unit)],
        [
            f"  {at}. {printable(found.text, 2000)} [{found.id}]"
            for at, found in enumerate(result.findings, 1)
        ],
        _belief(result, loss, signed),
        _worst(result, loss),
        _classes(result, loss),
        _pairs(result),
        _edits(result, loss, signed),
        _what_ifs(result, loss, signed),
        noted(result.score.notes) if notes else [],
    ]
    return "\n\n".join("\n".join(lines) for lines in sections if lines)


def _share(share: float | None) -> str:
    return "" if share is None else units.percent(share)


def _belief(result: Explanation, loss: partial[str], signed: partial[str]) -> list[str]:
    text = f"  The forecasts expected {loss(result.expected_log_loss)}, got {loss(result.score.log_loss)}"
    if result.excess_z is None:
        return [text]
    return [
        f"{text}: excess {signed(result.score.log_loss - result.expected_log_loss)}, z = {result.excess_z:.1f}"
    ]


def _worst(result: Explanation, loss: partial[str]) -> list[str]:
    if not result.worst:
        return []
    rows = [["row", "id", "outcome", "forecast of it", "said", "surprise", "share", "together"]]
    rows += [
        [f"{r.row} of {printable(r.part, 40)}" if r.part else str(r.row), printable("" if r.id is None else r.id), printable(r.outcome), _p(r.forecast),
         printable(r.predicted), loss(r.surprise), _share(r.share), _share(r.cumulative)]
        for r in result.worst
    ]  # fmt: skip
    of_finite = " (shares of the finite loss)" if result.score.infinite_rows else ""
    return [f"  The rows that cost most{of_finite}", table(rows, "><<><>>>", indent=4)]


def _classes(result: Explanation, loss: partial[str]) -> list[str]:
    shown = sorted(result.classes, key=lambda c: -(c["share"] or 0.0))[:12]
    rest = len(result.classes) - len(shown)
    rows = [["class", "rows", "loss", "share"]]
    for c in shown:
        cost = "" if c["log_loss"] is None else loss(float(c["log_loss"]))
        rows.append([printable(c["class"]), f"{c['rows']:,.6g}", cost, _share(c["share"])])
    return ["  By class", table(rows, "<>>>", indent=4), *([f"    and {rest} more"] if rest else [])]


def _pairs(result: Explanation) -> list[str]:
    if not result.pairs:
        return []
    rows = [["true", "said", "rows", "share of the loss"]]
    rows += [
        [printable(c["outcome"]), printable(c["predicted"]), f"{c['rows']:,.6g}", _share(c["share"])]
        for c in result.pairs[:6]
    ]
    return ["  By what happened and what was said", table(rows, "<<>>", indent=4)]


def _edits(result: Explanation, loss: partial[str], signed: partial[str]) -> list[str]:
    if result.mix is not None:
        share, cost = result.mix["best"], loss(result.mix["log_loss"])
        return [f"  Mixing with uniform: best share {share:.4g} -> {cost} in this sample"]
    clip = result.clip
    if clip is None:
        return []
    advised = f"advised {clip.suggested:.4g} -> {loss(clip.suggested_log_loss)}"
    if clip.best == 0:
        return [f"  Clip: none lowers the loss of these rows; {advised}, against blunders not seen yet"]
    best = f"best at {clip.best:.4g} -> {loss(clip.log_loss)} in this sample{_held_out(clip, signed)}"
    return [f"  Clip: {best}; {advised}"]


def _what_ifs(result: Explanation, loss: partial[str], signed: partial[str]) -> list[str]:
    rows = [["what if", "loss", "change", "rows better", "worse", "paid most by"]]
    for w in result.what_ifs:
        paid = ", ".join(f"{_who(row)} ({signed(row['change'])})" for row in w.paid[:2])
        rows.append([w.name, loss(w.log_loss), signed(w.change), f"{w.better:,}", f"{w.worse:,}", paid])
    return [table(rows, "<>>>><", indent=2)]


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
