"""`logloss curves`: what acting on forecasts brings at every threshold."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import click

from logloss.cli.options import table_options

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["curves"]

MOST = 10_000  # thresholds that a count may ask for


@click.command()
@table_options
@click.option(
    "--model",
    "models",
    multiple=True,
    metavar="NAME=COLUMN[,COLUMN...]",
    help="One of several forecasts of the same rows; repeat it for each.",
)
@click.option(
    "--kind",
    type=click.Choice(("decision", "murphy")),
    default="decision",
    show_default=True,
    help="Net benefit beside acting on all rows and on none, or the cost that every proper score is made of.",
)
@click.option(
    "--thresholds",
    metavar="A,B,...",
    help="Where to look, such as .05,.1,.2; or how many, evenly spaced between 0 and 1.",
)
@click.option(
    "--event", metavar="CLASS", help="The class that is acted on; of more than two it must be named."
)
@click.option("--standardized", is_flag=True, help="Show net benefits as shares of the largest possible one.")
@click.option(
    "--harm",
    multiple=True,
    metavar="[NAME=]COST",
    help="What obtaining a forecast of a row costs, in events found; of one forecast, or of each.",
)
@click.option("-o", "--out", metavar="FILE", help="Write the curves (.csv, .tsv, .parquet, .arrow, .jsonl).")
@click.option("--force", is_flag=True, help="Replace a file that exists.")
@click.option(
    "--level",
    type=click.FloatRange(0.5, 0.9999),
    default=0.95,
    show_default=True,
    help="Coverage of the intervals.",
)
def curves(
    file: str,
    models: tuple[str, ...],
    kind: str,
    thresholds: str | None,
    event: str | None,
    standardized: bool,
    harm: tuple[str, ...],
    out: str | None,
    force: bool,
    level: float,
    unit: str,
    as_json: bool,
    **columns: Any,
) -> None:
    """Show what acting on the forecasts in FILE brings at every threshold, for users whose costs are not known.

    A decision curve tells the net benefit: events found per row, false alarms charged at the odds of the threshold.
    """
    from logloss.cli.output import again, columns_asked, emit, label_of, models_asked
    from logloss.curves.murphy import murphy_curve
    from logloss.curves.netbenefit import decision_curve
    from logloss.rewriting import refuse_to_write

    asked = columns_asked(columns)
    if models:
        asked["forecast"] = models_asked(models, asked["forecast"])
    asked |= {
        "thresholds": None if thresholds is None else _thresholds(thresholds),
        "event": None if event is None else label_of(event),
        "level": level,
    }
    if kind == "murphy":
        _refuse({"--standardized": standardized, "--harm": harm})
    else:
        asked["harm"] = _harm(harm)
    if out:
        refuse_to_write(out, force=force, inputs=[file, columns["truth"]])
    result = decision_curve(file, **asked) if kind == "decision" else murphy_curve(file, **asked)
    rows = 0
    if out:
        result.save(out)
        rows = len(result.frame()["threshold"])
    if as_json:
        emit(result.to_dict() | {"written": {"file": out, "rows": rows} if out else None}, result.notes)
        return
    how = {"standardized": True} if standardized else {}
    told = f"\n\n  wrote {out} ({rows:,} rows)" if out else ""
    follow = None if models else again("fix", file, columns)
    emit(result.show(unit, notes=False, **how) + told, result.notes, follow=follow)


def _refuse(idle: dict[str, Any]) -> None:
    """Refuse options that a Murphy curve does not know."""
    from logloss.errors import UsageError

    given = [name for name, value in idle.items() if value]
    if given:
        raise UsageError(
            "decision-only",
            f"{given[0]} is about net benefits, which a Murphy curve does not show.",
            cure="Leave it out, or ask for --kind decision.",
        )


def _thresholds(text: str) -> list[float]:
    """Return A,B,... as numbers; of one whole number from 1 on, that many evenly spaced between 0 and 1."""
    from logloss.errors import UsageError

    try:
        found = [float(part) for part in text.split(",")]
    except ValueError:
        raise UsageError(
            "bad-threshold",
            f"--thresholds {text!r} does not name thresholds.",
            cure="Write probabilities with commas between them, such as .05,.1,.2; or one whole number, how many.",
        ) from None
    if len(found) > 1 or not text.strip().isdigit() or found[0] < 1:
        return found
    if found[0] > MOST:
        raise UsageError(
            "bad-threshold", f"--thresholds {text} are too many.", cure=f"Ask for at most {MOST:,}."
        )
    many = int(found[0])
    return [at / (many + 1) for at in range(1, many + 1)]


def _harm(given: Sequence[str]) -> float | dict[str, float]:
    """Return COST, or NAME=COST for each, as harm=."""
    from logloss.errors import UsageError

    named: dict[str, float] = {}
    for text in given:
        name, mark, cost = text.rpartition("=")
        try:
            value = float(cost)
        except ValueError:
            value = float("nan")
        if math.isnan(value) or name in named or (not mark and len(given) > 1):
            raise UsageError(
                "bad-harm",
                f"--harm {text!r} is not a cost, or not of a forecast of its own.",
                cure="Write one number from 0 on, --harm 0.02, or one for each forecast: --harm NAME=0.02.",
            )
        named[name] = value
    return named.get("", named or 0.0)
