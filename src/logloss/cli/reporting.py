"""`logloss report`: everything there is to say about a forecast, as a page to share."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from logloss.cli.options import table_options

if TYPE_CHECKING:
    from logloss.reporting.results import Report

__all__ = ["report"]

ROWS = 10  # of the costliest


@click.command()
@table_options
@click.option(
    "-o",
    "--out",
    metavar="FILE",
    help="Where to write it; the name says as what: .html, .md, .txt or .json. Without, text on the screen.",
)
@click.option(
    "--format", "kind", type=click.Choice(("html", "md", "text", "json")), help="The same, said outright."
)
@click.option("--force", is_flag=True, help="Replace a file that exists.")
@click.option(
    "--rows",
    type=click.IntRange(0),
    default=ROWS,
    show_default=True,
    help="How many of the costliest rows to show.",
)
@click.option(
    "--no-rows", is_flag=True, help="Show no single row and no id anywhere, for a page that leaves the house."
)
@click.option(
    "--by",
    multiple=True,
    metavar="COLUMN",
    help="Column to slice by; repeatable. By default all that are not used otherwise.",
)
@click.option("--no-slices", is_flag=True, help="Do not look for slices.")
@click.option(
    "--against",
    metavar="FILE|COLUMN",
    help="Another forecast of the same rows: a file, matched by --id, or a column of FILE.",
)
@click.option("--utilities", metavar="TABLE", help="What actions are worth, as in `logloss decide`.")
@click.option(
    "--cost-fp",
    "--false-alarm",
    type=float,
    metavar="COST",
    help="Instead: what acting costs where there was no need to.",
)
@click.option(
    "--cost-fn", "--miss", type=float, metavar="COST", help="And what not acting costs where there was need."
)
@click.option("--title", metavar="TEXT", help="Title of the page.")
def report(
    file: str,
    out: str | None,
    kind: str | None,
    force: bool,
    rows: int,
    no_rows: bool,
    by: tuple[str, ...],
    no_slices: bool,
    unit: str,
    as_json: bool,
    against: str | None,
    utilities: str | None,
    cost_fp: float | None,
    cost_fn: float | None,
    title: str | None,
    **columns: Any,
) -> None:
    """Report on the forecasts of FILE: how large the loss is, why, and what to do, as one page that opens anywhere.

    FILE is a table as for `logloss score`, or a summary that `logloss score --save` wrote, of data of any size.
    """
    from logloss.cli.output import columns_asked, emit
    from logloss.errors import UsageError
    from logloss.reporting.results import format_of
    from logloss.reports import report as reported
    from logloss.rewriting import refuse_inputs, refuse_place

    if file == "-" and (against or utilities or cost_fp is not None or cost_fn is not None):
        raise UsageError(
            "input-used-up",
            "Standard input is read once, and the comparison or the decisions would read it again.",
            cure="Give a file.",
        )
    form = "json" if as_json else kind or ("text" if out is None else format_of(out))
    if out:
        refuse_inputs(out, [file, utilities, against, columns["truth"]])
        refuse_place(Path(out), force=force)
    more = {
        "by": by, "no_slices": no_slices, "no_rows": no_rows, "rows": None if rows == ROWS else str(rows), "against": against,
        "utilities": utilities, "cost_fp": _said(cost_fp), "cost_fn": _said(cost_fn), "title": title,
        "unit": None if unit == "nats" else unit,
    }  # fmt: skip
    made = reported(
        file, **columns_asked(columns), rows=0 if no_rows else rows, by=() if no_slices else list(by) or None,
        against=against, utilities=utilities, cost_fp=cost_fp, cost_fn=cost_fn, title=title, unit=unit,
        command=_command(file, columns | more), completed=partial(_completed, file, columns),
    )  # fmt: skip
    if out is None:
        emit(
            made.to_dict() if form == "json" else made.written(form).rstrip("\n"),
            made.contents.notes if form == "text" else (),
        )
        return
    _write(made, form, out)


def _write(made: Report, form: str, out: str) -> None:
    """Write the file and say what it is."""
    from logloss import units
    from logloss.cli.output import emit
    from logloss.saving import write_text

    told = made.written(form)
    write_text(told, out)
    contents = made.contents
    size = units.count(round(len(told.encode()) / 1000), "KB", "KB")
    passed = sum(one.state == "passed" for one in contents.checked)
    said = f"{out}  {size}{', self-contained, opens offline' if form == 'html' else ''}.  {units.count(len(contents.findings), 'finding')}, {units.count(passed, 'check')} passed"
    emit(said, contents.notes)


def _said(cost: float | None) -> str | None:
    return None if cost is None else f"{cost:g}"


def _command(file: str, columns: dict[str, Any]) -> str | None:
    """Return the command that repeats the report, files without their folders."""
    from logloss.cli.output import again

    return again("report", _named(file), _bare(columns))


def _completed(file: str, columns: dict[str, Any], command: str) -> str:
    """Return the next command of a finding with the file and its columns."""
    from logloss.cli.commandlines import explained
    from logloss.finding import Finding

    one = Finding(id="", nats=0.0, text="", command=command)  # only its command is asked for
    return explained([one], _named(file), _bare(columns), rows=Path(file).suffix != ".json")[0].command


def _bare(columns: dict[str, Any]) -> dict[str, Any]:
    """Return options with the names of files instead of paths."""
    files = {name: _named(columns[name]) for name in ("truth", "against", "utilities") if columns.get(name)}
    return columns | files


def _named(file: str) -> str:
    return file if file == "-" else Path(file).name
