"""Results as one screen of plain text. Lays out numbers; computes none."""

from __future__ import annotations

import itertools
import math
from functools import partial
from typing import TYPE_CHECKING

from logloss import conventions, units
from logloss.text import bar, printable, table, wrapped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logloss.grouping import Groups
    from logloss.notes import Note
    from logloss.ranking import Scores
    from logloss.scoring import Score
    from logloss.summary import Summary

__all__ = ["head", "noted", "score", "scores", "share"]


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
        head(result, unit), "", table(against, "<><<"), "", f"  {side}",
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
                share(one["share"]),
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


def head(result: Score, unit: str) -> str:
    """Return the first line: the loss, its interval, how many rows of what kind."""
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


def share(part: float | None) -> str:
    """Format a share; nothing where there is none."""
    return "" if part is None else units.percent(part)
