"""The sections of a report that answer why a loss is what it is. Lays numbers out; computes none."""

from __future__ import annotations

from functools import partial
from math import isnan, log
from typing import TYPE_CHECKING, Any

from logloss import units
from logloss.reporting.contents import Picture, Section, Sheet
from logloss.text import printable

if TYPE_CHECKING:
    from logloss.slicing.slices import Slice
    from logloss.why.explanation import Explanation

__all__ = ["answers", "what_if"]

MOST = 12  # classes, pairs, slices in a table
LONG = 60  # characters of a name


def answers(result: Explanation, unit: str, *, rows: bool) -> list[Section]:
    """Return the sections of an explanation, in the order of the page; `rows` says whether single rows are shown."""
    found = [_budget(result, unit), _payers(result, unit), _reliability(result, unit), _classes(result, unit)]
    found += [_rows(result, unit), _labels(result, unit)] if rows else [_few(result)]
    return [one for one in [*found, _slices(result, unit)] if one is not None]


def what_if(sketch: Any) -> Section:
    """Return the section of the sliders; without a script it is this table."""
    sheet = Sheet("", ("setting", "log loss, nats", "change"), tuple(sketch.table()), "<>>")
    return Section(
        "what-if",
        "What if the forecasts were softened, shifted or bounded?",
        "In sample: settings that are chosen on these rows look better on them than on new ones.",
        (),
        (sheet,),
    )


def _pictures(result: Any, unit: str, kinds: dict[str, str]) -> tuple[Picture, ...]:
    """Return those figures that there are, with their labels."""
    return tuple(Picture(result, kind, label, unit) for kind, label in kinds.items() if kind in result.kinds)


def _budget(result: Explanation, unit: str) -> Section | None:
    pictures = _pictures(result, unit, {"budget": ""})
    if not pictures:
        return None
    loss, score = partial(units.loss, in_unit=unit), result.score
    told = f"If every forecast were right, the loss would be about {loss(result.expected_log_loss)} {unit}"
    if result.excess_z is not None:
        more = score.log_loss - result.expected_log_loss
        side = "more" if more >= 0 else "less"
        told += f"; it is {loss(score.log_loss)}, which is {loss(abs(more))} {side} ({abs(result.excess_z):.1f} standard errors)"
    reading = "Read from the top: what the outcomes cost without a forecast, what telling rows apart saves, what wrong probabilities add."
    return Section(
        "budget",
        "Where does the loss come from?",
        reading,
        pictures,
        said=() if isnan(result.expected_log_loss) else (f"{told}.",),
    )


def _payers(result: Explanation, unit: str) -> Section:
    said: tuple[str, ...] = ()
    if result.half:
        share = result.half / result.score.n
        carry = "carries" if result.half == 1 else "carry"
        finite = "finite " if result.score.infinite_rows else ""
        said = (
            f"{units.count(result.half, 'row')} ({units.percent(share)}) {carry} half of the {finite}loss.",
        )
    pictures = _pictures(result, unit, {"payers": "rows and loss", "lorenz": "cumulative share"})
    return Section(
        "payers",
        "Do a few rows pay, or everybody a little?",
        f"Surprise is what one row costs: {units.loss(log(2), unit, 2)} {unit} for a coin flip, {units.loss(log(100), unit, 2)} where what happened was forecast with 1 in 100.",
        pictures,
        said=said,
    )


def _reliability(result: Explanation, unit: str) -> Section | None:
    pictures = _pictures(
        result, unit, {"reliability": "log-odds axes", "linear": "linear axes", "belief": "expected loss"}
    )
    if not pictures:
        return None
    return Section(
        "reliability",
        "Do the probabilities mean what they say?",
        "On the diagonal what is said happens as often as it is said; where the curve leaves the band, chance alone does not explain it. In sample: the curve is fitted to these rows.",
        pictures,
    )


def _classes(result: Explanation, unit: str) -> Section | None:
    """Return the loss by class, and by what happened and what was said."""
    loss = partial(units.loss, in_unit=unit)
    listed = sorted(result.classes, key=lambda one: -(one["share"] or 0.0))
    rows = tuple(
        (
            printable(one["class"], LONG),
            _rows_of(one["rows"]),
            "" if one["log_loss"] is None else loss(float(one["log_loss"])),
            _share(one["share"]),
        )
        for one in listed[:MOST]
    )
    sheets = [
        Sheet(
            "By class",
            ("class", "rows", f"loss, {unit}", "share of the loss"),
            rows,
            "<>>>",
            _rest(listed),
            tuple(one["share"] for one in listed[:MOST]),
        )
    ]
    if result.pairs:
        cells = tuple(
            (
                printable(one["outcome"], LONG),
                printable(one["predicted"], LONG),
                _rows_of(one["rows"]),
                _share(one["share"]),
            )
            for one in result.pairs[:MOST]
        )
        sheets.append(
            Sheet(
                "By what happened, and what was forecast as likeliest",
                ("happened", "likeliest", "rows", "share of the loss"),
                cells,
                "<<>>",
                _rest(result.pairs),
                tuple(one["share"] for one in result.pairs[:MOST]),
            )
        )
    pictures = _pictures(result, unit, {"confusions": "pairs", "classes": "classes"})
    return Section(
        "classes",
        "Which classes pay?",
        f"By share of the {'finite ' if result.score.infinite_rows else ''}loss, not by count: one confident confusion costs more than many doubtful ones.",
        pictures,
        tuple(sheets),
    )


def _rows(result: Explanation, unit: str) -> Section | None:
    costly = [one for one in result.worst if one.surprise > 0]
    if not costly:
        return None
    loss = partial(units.loss, in_unit=unit)
    rows = tuple(
        (f"{one.row:,}" + (f" of {printable(one.part, LONG)}" if one.part else ""), printable("" if one.id is None else one.id, LONG), printable(one.outcome, LONG),
         f"{one.forecast:.4g}", printable(one.predicted, LONG), loss(one.surprise), _share(one.share), _share(one.cumulative))
        for one in costly
    )  # fmt: skip
    header = (
        "row",
        "id",
        "happened",
        "forecast of it",
        "likeliest",
        f"surprise, {unit}",
        "share of loss",
        "added up",
    )
    kept = [at for at in range(len(header)) if any(row[at] for row in rows)]
    sheet = Sheet(
        "",
        tuple(header[at] for at in kept),
        tuple(tuple(row[at] for at in kept) for row in rows),
        "".join("><<><>>>"[at] for at in kept),
    )
    shared = result.score.infinite_rows and "share of loss" in sheet.header
    of_finite = "Shares are of the finite loss. " if shared else ""
    return Section(
        "rows",
        "Which rows cost most?",
        f"{of_finite}Rows are counted from 0. Look at their labels first: a forecast that was sure and wrong may have met a wrong label.",
        (),
        (sheet,),
    )


def _labels(result: Explanation, unit: str) -> Section | None:
    found = result.suspects
    if found is None or not found.rows or all(one.id != "LL100" for one in result.findings):
        return None
    rows = tuple(
        (
            f"{one.row:,}",
            printable("" if one.id is None else one.id, LONG),
            printable(one.recorded, LONG),
            printable(one.rather, LONG),
            units.percent(one.probability),
            units.loss(one.surprise, unit),
        )
        for one in found.rows[:MOST]
    )
    header = ("row", "id", "label", "rather", "probably wrong", f"surprise, {unit}")
    kept = [at for at in range(len(header)) if any(row[at] for row in rows)]
    sheet = Sheet(
        "",
        tuple(header[at] for at in kept),
        tuple(tuple(row[at] for at in kept) for row in rows),
        "".join("><<<>>"[at] for at in kept),
    )
    return Section(
        "labels",
        "Which labels look wrong?",
        "The probability of each label that it is wrong, given the forecast once it is calibrated. It is no proof: look. Rows are counted from 0.",
        _pictures(result, unit, {"suspects": ""}),
        (sheet,),
    )


def _few(result: Explanation) -> Section | None:
    """Say that single rows are left out of this report."""
    return (
        Section("rows", "Which rows cost most?", "Single rows were left out of this report on purpose.")
        if result.worst
        else None
    )


def _slices(result: Explanation, unit: str) -> Section | None:
    found = result.slices
    if found is None or not found.rows:
        return None
    shown = list(found.named) or list(found.rows[:3])
    what = "groups" if found.grouped else "rows"
    tried = units.count(found.looked_at, "slice")
    told = f"p is adjusted for the {tried} by {units.count(len(found.columns), 'column')} that were tried, by exchanging {what} at random."
    sheet = Sheet(
        "" if found.named else "None stands out; these come nearest",
        ("slice", "rows", f"loss, {unit}", "above the mean", "p", "its own map saves", "p"),
        tuple(_slice(one, unit) for one in shown[:MOST]),
        "<>>>>>>",
        _rest(shown),
    )
    return Section(
        "slices",
        "Which slices cost more than the rest?",
        f"Two questions of each: is its loss above the mean of all rows, and would a calibration map of its own save {unit} a row there? Each with its p.",
        _pictures(result, unit, {"slices": ""}),
        (sheet,),
        (told,),
    )


def _rows_of(weight: float) -> str:
    """Return rows as text, in shares where outcomes are."""
    return f"{weight:,.0f}" if float(weight).is_integer() or weight >= 100_000 else f"{weight:,.6g}"


def _slice(one: Slice, unit: str) -> tuple[str, ...]:
    loss = partial(units.loss, in_unit=unit)
    gain = "" if one.calibration is None else loss(one.calibration)
    if one.calibration_interval is not None:
        gain += f" ({loss(one.calibration_interval[0])} to {loss(one.calibration_interval[1])})"
    name = printable(one.name, LONG) + (f" ({one.verdict})" if one.verdict else "")
    return (
        name,
        f"{one.rows:,}",
        loss(one.log_loss),
        units.signed(one.excess, unit),
        f"{one.p_value:.2g}",
        gain,
        f"{one.calibration_p:.2g}",
    )


def _share(part: float | None) -> str:
    return "" if part is None else units.percent(part)


def _rest(listed: Any) -> str:
    return f"and {len(listed) - MOST:,} more" if len(listed) > MOST else ""
