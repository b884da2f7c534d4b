"""Scores as cards for a notebook. Lays out numbers; computes none."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

from logloss import units
from logloss.display.cells import Card, Grid, Line, named, remarks, span
from logloss.rules import CONVENTIONS

if TYPE_CHECKING:
    from logloss.ranking import Scores
    from logloss.scoring import Score

__all__ = ["headline", "score", "scores"]


def score(result: Score, unit: str) -> Card:
    """Return the card of a score."""
    loss = partial(units.loss, in_unit=unit)
    best = Line("saying the same for every class", loss(result.uniform))
    known = Line(
        f"always saying the base rate; {loss(result.base_rate_loo)} with each row left out",
        loss(result.base_rate),
    )
    side = f"this forecast: accuracy {units.percent(result.accuracy)}, Brier {result.brier:.4f}, perplexity {units.loss(result.perplexity)}"
    lines = (best, known, Line(side, loss(result.log_loss), "ll.explain(y, p)"))
    grids = [_others(result, unit)]
    if result.groups is not None:
        grids.insert(0, _groups(result, unit))
    calls = ("ll.explain(y, p)", "ll.fix(y, p)", "ll.compare(y, {...})")
    return Card(headline(result, unit), lines, ("payers", "baselines"), tuple(grids), remarks(result.notes), calls, unit)  # fmt: skip


def headline(result: Score, unit: str) -> tuple[str, ...]:
    """Return the log loss, its interval, how many rows, the base rate, the skill."""
    loss = partial(units.loss, in_unit=unit)
    told = [f"Log loss {loss(result.log_loss)} {unit}"]
    if math.isinf(result.log_loss):
        told += [f"{units.count(result.infinite_rows, 'row')} gave 0 to what happened"]
        if not math.isnan(result.log_loss_finite):
            told += [f"{loss(result.log_loss_finite)} over the finite rows"]
    if result.interval is not None:
        told += [f"{100 * result.level:.6g} % interval {span(result.interval, loss)}"]
    classes = len(result.summary.classes)
    told += [units.count(result.n, "row") + ("" if classes == 2 else f", {classes} classes")]
    told += [f"base rate alone {loss(result.base_rate)}"]
    return (*told, f"skill {100 * result.skill:.1f} %") if math.isfinite(result.skill) else tuple(told)


def _others(result: Score, unit: str) -> Grid:
    """Return what other tools print, in the order of their number."""
    found: dict[str, list[str]] = {}
    for one in CONVENTIONS:
        value = result.conventions.get(one.name, result.log_loss)
        own = one.unit != "nats"
        told = units.loss(value, "nats" if own else unit, 6) + (f" {one.unit}" if own else "")
        found.setdefault(told, []).append(one.name)
    rows = tuple((told, ", ".join(names)) for told, names in found.items())
    return Grid("What others print for the same rows", ("log loss", "as"), rows, "><")


def _groups(result: Score, unit: str) -> Grid:
    assert result.groups is not None
    loss = partial(units.loss, in_unit=unit)
    rows = tuple(
        (named(one["group"]), f"{one['rows']:,}", loss(one["log_loss"]), span(one["interval"], loss), _share(one["share"]))
        for one in result.groups.rows
    )  # fmt: skip
    return Grid("Groups, costliest first", ("group", "rows", "loss", "interval", "share"), rows, "<>>>>")


def _share(part: float | None) -> str:
    return "" if part is None else units.percent(part)


def scores(result: Scores, unit: str) -> Card:
    """Return the card of several forecasts of the same rows."""
    loss, signed = partial(units.loss, in_unit=unit), partial(units.signed, in_unit=unit)
    name, first = next(iter(result.models.items()))
    behind = {pair["b"]: pair for pair in result.pairs if pair["a"] == name}
    rows = []
    for other, one in result.models.items():
        pair = behind.get(other)
        ends = pair["interval"] if pair else None
        far = "" if pair is None or pair["difference"] is None else signed(-pair["difference"])
        beyond = "" if ends is None else f"{signed(-ends[1])} to {signed(-ends[0])}"
        rows.append((named(other), loss(one.log_loss), span(one.interval, loss), far, beyond))
    headed = ("forecast", f"loss, {unit}", "interval", "worse than the best by", "interval")
    board = Grid("Best first", headed, tuple(rows), "<>>>>", folded=False)
    head = (
        f"{len(result.models)} forecasts of the same {units.count(first.n, 'row')}",
        f"best: {named(name)}, {loss(first.log_loss)} {unit}",
    )
    calls = ("ll.compare(y, {...})", ".models[name]")
    return Card(head, (), ("differences",), (board,), remarks(result.notes), calls, unit)
