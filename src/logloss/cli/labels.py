"""`logloss estimate` and `logloss suspects`: labels that are missing, labels that look wrong."""

from __future__ import annotations

from typing import Any

import click

from logloss.cli.options import table_options

__all__ = ["estimate", "suspects"]


@click.command()
@table_options
@click.option(
    "--width",
    type=click.FloatRange(0, min_open=True),
    help="Say how many more labels an interval of this total width (high - low, in nats) takes.",
)
@click.option(
    "--inclusion",
    metavar="COLUMN",
    help="Column of the probabilities with which the labelled rows were drawn; without it, at random.",
)
@click.option(
    "--next", "next_", type=click.IntRange(1), metavar="M", help="Draw M unlabelled rows to label next."
)
@click.option(
    "--design",
    type=click.Choice(["random", "active"]),
    default="random",
    show_default=True,
    help="Draw them alike, or more often those whose surprise should vary more.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of the draw.")
@click.option(
    "--out", metavar="FILE", help="Write the rows to label next as CSV, with an outcome to fill in."
)
@click.option(
    "--level",
    type=click.FloatRange(0.5, 0.9999),
    default=0.95,
    show_default=True,
    help="Coverage of the intervals.",
)
def estimate(
    file: str,
    width: float | None,
    inclusion: str | None,
    next_: int | None,
    design: str,
    seed: int,
    out: str | None,
    level: float,
    unit: str,
    as_json: bool,
    **columns: Any,
) -> None:
    """Estimate the log loss of FILE where only some rows have an outcome: how sure it is, which rows to label next.

    Rows with an empty outcome, or without one in --truth, are unlabelled.
    """
    from logloss.annotation.estimation import estimate as estimated
    from logloss.annotation.sampling import refuse_to_replace
    from logloss.cli.output import emit
    from logloss.errors import UsageError

    asked = _asked(columns)
    if asked.pop("group") is not None or (out and next_ is None):
        raise UsageError(
            "not-for-estimate",
            "--group is not for estimate, and --out needs --next.",
            cure="Leave --group out; say how many rows to label next: --next M.",
        )
    if out:
        refuse_to_replace(out)
    result = estimated(file, **asked, inclusion=inclusion, level=level, width=width)
    drawn = None if next_ is None else result.next_rows(next_, seed=seed, design=design)
    if drawn is not None and out:
        drawn.save(out)
    if as_json:
        emit(result.to_dict() | {"next": None if drawn is None else drawn.to_dict()}, result.notes)
        return
    screens = [result.show(unit, notes=False), *([] if drawn is None else [drawn.show()])]
    emit("\n\n".join(screens), result.notes)


@click.command()
@table_options
@click.option(
    "--rows",
    type=click.IntRange(0),
    default=20,
    show_default=True,
    help="How many of the most suspicious rows to list.",
)
@click.option("--out", metavar="FILE", help="Write all rows as CSV, the most suspicious first.")
def suspects(file: str, rows: int, out: str | None, unit: str, as_json: bool, **columns: Any) -> None:
    """Find labels in FILE that look wrong, each with the probability that it is.

    The forecasts must be of rows that they were not fitted on: cross-validated or held-out predictions.
    """
    from logloss.annotation.suspicion import suspects as suspected
    from logloss.cli.output import emit, refuse_to_replace
    from logloss.saving import write_table

    if out:
        refuse_to_replace(out, "probability,surprise")
    result = suspected(file, **_asked(columns), rows=rows)
    if out:
        write_table(result.columns(), out)
    emit(result.to_dict() if as_json else result.show(unit, notes=False), result.notes)


def _asked(columns: dict[str, Any]) -> dict[str, Any]:
    """Return the table options; both verbs are about labels, not about counts of annotators."""
    from logloss.cli.output import columns_asked
    from logloss.errors import UsageError

    asked = columns_asked(columns)
    if asked.pop("counts"):
        raise UsageError(
            "counts-not-here",
            "--counts goes with score and explain; here every row has one label or none.",
            cure="Leave --counts out.",
        )
    return asked
