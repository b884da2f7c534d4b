"""The sections of a report that answer why a loss is what it is. Lays numbers out; computes none."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from logloss import units
from logloss.reporting.contents import Picture, Section, Sheet
from logloss.text import printable

if TYPE_CHECKING:
    from logloss.slicing.slices import Slice
    from logloss.why.explanation import Explanation

__all__ = ["answers"]

MOST = 12  # classes, pairs, slices in a table
LONG = 60  # characters of a name


def answers(result: Explanation, unit: str, *, rows: bool) -> list[Section]:
    """Return the sections of an explanation, in the order of the page; `rows` says whether single rows are shown."""
    found = [_budget(result, unit), _payers(result, unit), _reliability(result, unit), _classes(result, unit)]
    found += [_rows(result, unit), _labels(result, unit)] if rows else [_few(result)]
    return [one for one in [*found, _slices(result, unit)] if one is not None]


def _pictures(result: Any, unit: str, kinds: dict[str, str]) -> tuple[Picture, ...]:
    """Return those figures that there are, with their labels."""
    return tuple(Picture(result, kind, label, unit) for kind, label in kinds.items() if kind in result.kinds)


def _budget(result: Explanation, unit: str) -> Section | None:
    pictures = _pictures(result, unit, {"budget": ""})
    if not pictures:
        return None
    told = f"The forecasts themselves expect a loss of {units.loss(result.expected_log_loss, unit)}"
    if result.excess_z is not None:
        more = result.score.log_loss - result.expected_log_loss
        told += f"; it is {units.signed(more, unit)} from that, z = {result.excess_z:.1f}"
    reading = "Read from the top: what the outcomes cost without a forecast, what telling rows apart saves, what wrong probabilities add."
    return Section("budget", "Where does the loss come from?", reading, pictures, said=(told + ".",))


def _payers(result: Explanation, unit: str) -> Section:
    said: tuple[str, ...] = ()
    if result.half:
        share = result.half / result.score.n
        said = (f"{units.count(result.half, 'row')} ({units.percent(share)}) carry half of the loss.",)
    pictures = _pictures(result, unit, {"payers": "rows and loss", "lorenz": "cumulative share"})
    return Section(
        "payers",
        "Do a few rows pay, or everybody a little?",
        "Surprise is what one row costs: 0.69 nats is a coin flip, 4.6 a forecast of 1 in 100.",
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
        "On the diagonal what is said happens as often as it is said; outside the band chance alone does not explain the distance.",
        pictures,
    )


def _classes(result: Explanation, unit: str) -> Section | None:
    """Return the loss by class, and by what happened and what was said."""
    loss = partial(units.loss, in_unit=unit)
    listed = sorted(result.classes, key=lambda one: -(one["share"] or 0.0))
    rows = tuple(
        (
            printable(one["class"], LONG),
            f"{one['rows']:,.6g}",
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
                f"{one['rows']:,.6g}",
                _share(one["share"]),
            )
            for one in result.pairs[:MOST]
        )
        sheets.append(
            Sheet(
                "What happened, and what was thought likeliest",
                ("happened", "said", "rows", "share of the loss"),
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
        "By share of the loss, not by count: one confident confusion costs more than many doubtful ones.",
        pictures,
        tuple(sheets),
    )


def _rows(result: Explanation, unit: str) -> Section | None:
    if not result.worst:
        return None
    loss = partial(units.loss, in_unit=unit)
    rows = tuple(
        (f"{one.row:,}" + (f" of {printable(one.part, LONG)}" if one.part else ""), printable("" if one.id is None else one.id, LONG), printable(one.outcome, LONG),
         f"{one.forecast:.4g}", printable(one.predicted, LONG), loss(one.surprise), _share(one.share), _share(one.cumulative))
        for one in result.worst
    )  # fmt: skip
    header = ("row", "id", "happened", "forecast of it", "said", f"surprise, {unit}", "share", "together")
    kept = [at for at in range(len(header)) if any(row[at] for row in rows)]
    sheet = Sheet(
        "",
        tuple(header[at] for at in kept),
        tuple(tuple(row[at] for at in kept) for row in rows),
        "".join("><<><>>>"[at] for at in kept),
        "",
        tuple(one.share for one in result.worst),
    )
    of_finite = "Shares are of the finite loss. " if result.score.infinite_rows else ""
    return Section(
        "rows",
        "Which rows cost most?",
        f"{of_finite}Rows are counted from 0. Look at their labels first: what looks impossible is often mislabelled.",
        (),
        (sheet,),
    )


def _labels(result: Explanation, unit: str) -> Section | None:
    found = result.suspects
    if found is None or not found.supported or not found.rows:
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
    sheet = Sheet("", ("row", "id", "label", "rather", "wrong with", f"surprise, {unit}"), rows, "><<<>>")
    return Section(
        "labels",
        "Which labels look wrong?",
        "A probability for each label that it is wrong, if the rest is as well calibrated as it looks.",
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
    told = f"{len(found.named) or 'None'} of {found.looked_at:,} slices by {units.count(len(found.columns), 'column')} stand out; p is adjusted for all of them, {what} exchanged."
    sheet = Sheet(
        "",
        ("slice", "rows", f"loss, {unit}", "excess", "p", "a map of its own saves", "p"),
        tuple(_slice(one, unit) for one in shown[:MOST]),
        "<>>>><>",
        _rest(shown),
    )
    return Section(
        "slices",
        "Who is hurt?",
        "Slices are named only where chance does not explain them after all slices that were tried.",
        _pictures(result, unit, {"slices": ""}),
        (sheet,),
        (told,),
    )


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
