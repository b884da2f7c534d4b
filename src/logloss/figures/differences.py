"""Several forecasts of the same rows: paired differences around a line of zero, and the standings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from logloss import units
from logloss.figures import forest
from logloss.figures.drawing import Drawing
from logloss.figures.forest import Mark
from logloss.figures.ground import named, numbers, span

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from logloss.comparing.pairs import Pair
    from logloss.comparing.results import Comparison, Standing
    from logloss.ranking import Scores

__all__ = ["DIFFERENCES", "PAIRS", "STANDINGS"]


def _pairs(found: Comparison, unit: str = "nats") -> list[Mark]:
    return [_pair(pair, unit) for pair in found.pairs]


def _pair(pair: Pair, unit: str) -> Mark:
    colour = {"a better": "model", "b better": "cost"}.get(pair.verdict, "context")
    said = numbers([pair.difference], unit)[0]
    if pair.interval is not None:
        said += f"  ({span(pair.interval, unit)})"
    return Mark(
        f"{named(pair.a, 14)} - {named(pair.b, 14)}".replace(r"\$", "$"),
        pair.difference,
        pair.interval,
        said,
        colour,
    )


def _differences(found: Comparison, ax: Axes, unit: str) -> list[str]:
    left = forest.forest(ax, _pairs(found, unit), f"difference of log losses ({unit} a row)", scale=units.unit(unit).convert(1.0), width=32)  # fmt: skip
    over = "" if found.unit == "row" else f", over {units.count(found.units or 0, found.unit)}"
    lines = [f"Left of 0 the first is better; a line across 0 is not sure ({100 * found.level:.6g} % intervals, paired{over})."]  # fmt: skip
    return lines + _infinite(found.pairs) + left


def _infinite(pairs: tuple[Pair, ...]) -> list[str]:
    first = pairs[0]
    count = first.infinite_a + first.infinite_b
    told = f"{units.count(count, 'row')} infinite under one of the first two alone" if count else ""
    both = (
        f"{units.count(first.infinite_both, 'row')} infinite under both and left out"
        if first.infinite_both
        else ""
    )
    text = "; ".join(part for part in (told, both) if part)
    return [f"{text[0].upper()}{text[1:]}."] if text else []


def _tell_pairs(found: Comparison, unit: str) -> str:
    first = found.pairs[0]
    rest = f" {len(found.pairs) - 1:,} more pairs are drawn." if len(found.pairs) > 1 else ""
    if first.difference is None:
        why = (
            "each gave 0 to what happened on rows of its own"
            if first.infinite_a and first.infinite_b
            else "no row is finite under both"
        )
        return f"Over {units.count(found.n, 'row')} {named(first.a, 40)} less {named(first.b, 40)} is infinity less infinity: {why}. No verdict.{rest}"
    text = f"Over {units.count(found.n, 'row')} {named(first.a, 40)} less {named(first.b, 40)} is {numbers([first.difference], unit)[0]} {unit} a row"
    if first.interval is not None:
        text += f" ({100 * found.level:.6g} % interval {span(first.interval, unit)})"
    verdict = {"a better": f"{named(first.a, 40)} is better", "b better": f"{named(first.b, 40)} is better", "tie": "not certain which is better"}  # fmt: skip
    return f"{text}: {verdict.get(first.verdict, 'no verdict')}.{rest}"


def _behind(one: Standing, centre: str, unit: str) -> Mark:
    loss = units.loss(one.log_loss, unit)
    if one.name == centre:
        return Mark(one.name, 0.0, None, f"loss {loss}", "model")
    said = f"{numbers([one.difference], unit)[0]}, loss {loss}"
    return Mark(one.name, one.difference, one.difference_interval, said, "context" if one.in_best_set is False else "model", one.simultaneous)  # fmt: skip


def _standings(found: Comparison, unit: str = "nats") -> list[Mark]:
    centre = found.standings[0].name if found.reference is None else found.reference
    return [_behind(one, centre, unit) for one in found.standings]


def _leaderboard(found: Comparison, ax: Axes, unit: str) -> list[str]:
    centre = "the best" if found.reference is None else named(found.reference)
    left = forest.forest(ax, _standings(found, unit), f"more log loss than {centre} ({unit} a row)", scale=units.unit(unit).convert(1.0))  # fmt: skip
    thin = "; thin ones hold for all at once" if any(one.simultaneous for one in found.standings) else ""
    lines = [f"Lines are {100 * found.level:.6g} % intervals of the paired difference{thin}."]
    if found.set_level is not None:
        lines.append(f"Blue: may be the best (model confidence set, {100 * found.set_level:.6g} %).")
    return lines + left


def _tell_standings(found: Comparison, unit: str) -> str:
    told = ", ".join(
        f"{named(one.name)} {units.loss(one.log_loss, unit)}" for one in found.standings[: forest.MOST]
    )
    text = f"Log losses in {unit}, best first: {told}."
    if found.set_level is not None:
        text += f" The best may be {', '.join(named(name) for name in found.best_set[: forest.MOST])}."
    return text


def _scores(found: Scores, unit: str = "nats") -> list[Mark]:
    marks = []
    for pair in found.pairs:
        difference, ends = pair["difference"], pair["interval"]
        interval = None if ends is None else (ends[0], ends[1])
        said = numbers([difference], unit)[0] + (f"  ({span(interval, unit)})" if interval else "")
        sure = difference is not None and (interval is None or not interval[0] <= 0 <= interval[1])
        marks.append(Mark(f"{named(pair['a'], 14)} - {named(pair['b'], 14)}".replace(r"\$", "$"), difference, interval, said, "model" if sure else "context"))  # fmt: skip
    return marks


def _draw_scores(found: Scores, ax: Axes, unit: str) -> list[str]:
    left = forest.forest(ax, _scores(found, unit), f"difference of log losses ({unit} a row)", scale=units.unit(unit).convert(1.0), width=32)  # fmt: skip
    return [f"Left of 0 the first is better; a line across 0 is not sure ({100 * found.level:.6g} % intervals, paired).", *left]  # fmt: skip


def _tell_scores(found: Scores, unit: str) -> str:
    told = "; ".join(
        f"{named(pair['a'])} less {named(pair['b'])} {mark.said}"
        for pair, mark in zip(found.pairs[: forest.MOST], _scores(found, unit), strict=False)
    )
    return f"Paired differences of log losses in {unit} a row: {told}."


def _columns(marks: list[Mark]) -> dict[str, list[Any]]:
    return forest.columns(marks)


QUESTION = "Which forecast is really better?"
DIFFERENCES = Drawing(
    QUESTION, _differences, _tell_pairs, lambda found: _columns(_pairs(found)),
    height=lambda found: forest.height(len(found.pairs)) + 0.2,
)  # fmt: skip
STANDINGS = Drawing(
    "How far are the others behind the best?", _leaderboard, _tell_standings, lambda found: _columns(_standings(found)),
    height=lambda found: forest.height(len(found.standings)) + 0.2,
)  # fmt: skip
PAIRS = Drawing(
    QUESTION, _draw_scores, _tell_scores, lambda found: _columns(_scores(found)),
    part=lambda found: found if found.pairs else None, height=lambda found: forest.height(len(found.pairs)) + 0.1,
)  # fmt: skip
