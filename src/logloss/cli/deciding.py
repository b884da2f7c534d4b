"""`logloss decide`: from probabilities and what is at stake to actions."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from logloss.cli.options import table_options

if TYPE_CHECKING:
    from logloss.deciding.results import Decisions

__all__ = ["decide"]


@click.command()
@partial(table_options, unit=False)
@click.option(
    "--utilities",
    metavar="TABLE",
    help="What actions are worth: a file with one row per action, its name first, and one column per class.",
)
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
@click.option("--reject", type=float, metavar="COST", help="One more action, to refer the row, at this cost.")
@click.option(
    "-o", "--out", metavar="FILE", help="Write the table again with each row's action and expected utility."
)
@click.option(
    "--recalibrate/--no-recalibrate",
    default=None,
    help="Whether to show what recalibrating would bring, cross-fitted; by default up to 50,000 outcomes.",
)
@click.option("--force", is_flag=True, help="Replace a file that exists.")
@click.option(
    "--level",
    type=click.FloatRange(0.5, 0.9999),
    default=0.95,
    show_default=True,
    help="Coverage of the intervals.",
)
def decide(
    file: str,
    utilities: str | None,
    cost_fp: float | None,
    cost_fn: float | None,
    reject: float | None,
    out: str | None,
    recalibrate: bool | None,
    force: bool,
    level: float,
    as_json: bool,
    **columns: Any,
) -> None:
    """Decide about every row of FILE: the action of largest expected utility, the threshold behind it, what it brings.

    FILE needs no outcomes; where it has them, it is said what the decisions brought beside other ways to act.
    """
    from logloss.cli.commandlines import decided as decided_on
    from logloss.cli.output import columns_asked, emit
    from logloss.deciding.acts import write_decisions
    from logloss.deciding.decision import decide as decided
    from logloss.errors import UsageError
    from logloss.rewriting import refuse_to_write

    asked = columns_asked(columns)
    if out:
        if file == "-":
            raise UsageError(
                "input-used-up",
                "Standard input is used up by the decisions, so its rows cannot be written again.",
                cure="Give a file.",
            )
        refuse_to_write(out, force=force, inputs=[file, utilities, columns["truth"]])
    result = decided(
        file,
        **asked,
        utilities=utilities,
        cost_fp=cost_fp,
        cost_fn=cost_fn,
        reject=reject,
        recalibrate=recalibrate,
        level=level,
    )
    rows = 0
    if out:
        how = ("normalize_rows", "skip_missing", "skip_unreadable")
        rows, more = write_decisions(result, file, out, **{name: asked[name] for name in how})
        result = replace(result, notes=(*result.notes, *more))
    stakes = {"utilities": utilities, "cost_fp": cost_fp, "cost_fn": cost_fn, "reject": reject}
    found = decided_on(result.findings, file, columns, stakes, partly=result.labelled < result.rows)
    if as_json:
        written = {"file": out, "rows": rows, "columns": ["action", "expected_utility"]} if out else None
        told = {"findings": [one.to_dict() for one in found], "written": written}
        emit(result.to_dict() | told, result.notes)
        return
    last = f"\n\n  wrote {out} ({rows:,} rows, with action and expected_utility)" if out else ""
    follow = _next(result, file, columns)
    emit(result.show(notes=False) + last, result.notes, follow=follow)


def _next(result: Decisions, file: str, columns: dict[str, Any]) -> str | None:
    """Return the command that recalibrates; none without outcomes, and where it is known that no map helps."""
    from logloss.cli.output import again

    if not result.labelled or (result.recalibration is not None and result.recalibration.map == "identity"):
        return None
    return again(
        "fix", file, columns | {"skip_missing": columns["skip_missing"] or result.labelled < result.rows}
    )
