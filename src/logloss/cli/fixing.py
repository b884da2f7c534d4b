"""`logloss fix`, `apply` and `export`: better predictions, by a map chosen honestly; the map on new rows; the map elsewhere."""

from __future__ import annotations

from typing import Any

import click

from logloss.cli.mapping import OUT, refuse_to_save_map, written_as_text
from logloss.cli.options import SPACES, table_options

__all__ = ["apply", "export", "fix"]


@click.command()
@table_options
@click.option(
    "--model",
    "models",
    multiple=True,
    metavar="NAME=COLUMN[,COLUMN...]",
    help="One of several forecasts of the same rows, to be pooled; repeat it for each.",
)
@click.option(
    "--map",
    "maps",
    multiple=True,
    metavar="NAME",
    help="A map to try; repeatable. By default all. Doing nothing is always one of them.",
)
@click.option("--time", metavar="COLUMN", help="When each row is from: folds are then stretches of time.")
@click.option(
    "--trained",
    metavar="COLUMN",
    help='Column that says "train" or true where the model was trained on the row.',
)
@click.option(
    "--apply", "new", metavar="NEW", help="New rows, which need no outcome: --out has their better forecasts."
)
@click.option("-o", "--out", metavar="FILE", help=f"{OUT} Without --apply, of FILE's own rows, held out.")
@click.option(
    "--save", metavar="FILE", help="Save the map as JSON, for `logloss apply` and `logloss export`."
)
@click.option("--force", is_flag=True, help="Replace files that exist.")
@click.option(
    "--level",
    type=click.FloatRange(0.5, 0.9999),
    default=0.95,
    show_default=True,
    help="Coverage of the intervals; a map is chosen only if that of its gain excludes 0.",
)
def fix(
    file: str,
    models: tuple[str, ...],
    maps: tuple[str, ...],
    time: str | None,
    trained: str | None,
    new: str | None,
    out: str | None,
    save: str | None,
    force: bool,
    level: float,
    unit: str,
    as_json: bool,
    **columns: Any,
) -> None:
    """Find the map that improves FILE's forecasts most on rows that had no part in finding it; or do nothing.

    Temperature, base rates, clip, Platt, beta, isotonic and others race, cross-fitted. FILE must hold rows that the model
    was not trained on.
    """
    from logloss.cli.commandlines import explained
    from logloss.cli.output import columns_asked, emit, models_asked
    from logloss.errors import LoglossError, UsageError
    from logloss.fixing.recalibration import fix as fixed
    from logloss.rewriting import refuse_to_write

    asked = columns_asked(columns)
    if models:
        asked["forecast"] = models_asked(models, asked["forecast"])
    if new and not out:
        raise UsageError("apply-without-out", "--apply needs a file to write.", cure="Say --out better.csv.")
    if file == "-" and out and not new:
        raise UsageError(
            "apply-without-out",
            "Standard input is used up by the race, so its rows cannot be written again.",
            cure="Give a file, or new rows: --apply NEW.",
        )
    if out:
        refuse_to_write(out, force=force, inputs=[file, new, columns["truth"]])
    if save:
        refuse_to_save_map(save, force=force, inputs=[file, new, columns["truth"], out])
    result = fixed(file, **asked, maps=maps or None, time=time, trained=trained, level=level)
    notes = list(result.notes)
    if save:  # first: what may fail after it is not lost
        result.map.save(save)
    try:
        written, more = _write(result, file, new, out, asked, pooled=bool(models)) if out else (None, [])
    except LoglossError:
        if not as_json:
            emit(result.show(unit, notes=False) + written_as_text(None, held_out=False, save=save), notes)
        raise
    notes += more
    if as_json:
        taken = columns | {"forecast": () if models else columns["forecast"], "model": models, "map": maps}
        taken |= {"time": time, "trained": trained}
        found = explained(result.findings, file, taken)
        told = {"findings": [one.to_dict() for one in found], "written": written}
        emit(result.to_dict() | told, notes)
        return
    emit(result.show(unit, notes=False) + written_as_text(written, held_out=new is None, save=save), notes)


def _write(
    result: Any, file: str, new: str | None, out: str, asked: dict[str, Any], *, pooled: bool
) -> tuple[dict[str, Any], list[Any]]:
    """Write better forecasts of new rows, or held-out ones of the rows themselves; return what was written, and notes."""
    from logloss.fixing.tables import apply_to_table, write_held_out

    if new:
        given, skip = None if pooled else asked["forecast"], asked["skip_missing"]
        rows, names, notes = apply_to_table(result.map, new, out, forecast=given, skip_missing=skip)
    else:
        rows, names, notes = write_held_out(result, file, out, **asked)
    return {"file": out, "rows": rows, "columns": names}, notes


@click.command()
@click.argument("map_file", metavar="MAP")
@click.argument("file", metavar="NEW")
@click.option("-o", "--out", metavar="FILE", required=True, help=OUT)
@click.option(
    "--forecast",
    multiple=True,
    metavar="COLUMN",
    help="Column of the forecasts, or, repeated, one column per class; by default those the map was fitted to.",
)
@click.option("--space", type=click.Choice(SPACES), help="What the forecasts are; by default what they were.")
@click.option("--skip-missing", is_flag=True, help="Leave missing forecasts missing (and say how many).")
@click.option("--force", is_flag=True, help="Replace a file that exists.")
def apply(
    map_file: str,
    file: str,
    out: str,
    forecast: tuple[str, ...],
    space: Any,
    skip_missing: bool,
    force: bool,
) -> None:
    """Apply a saved MAP to the forecasts of NEW, which needs no outcomes."""
    from logloss.calibrate.pooled import load_map
    from logloss.cli.output import emit
    from logloss.fixing.tables import apply_to_table
    from logloss.rewriting import refuse_to_write

    refuse_to_write(out, force=force, inputs=[file, map_file])
    fitted = load_map(map_file)
    given = list(forecast) or None
    rows, names, notes = apply_to_table(
        fitted, file, out, forecast=given, space=space, skip_missing=skip_missing
    )
    emit(f"{fitted.name}: wrote {out} ({rows:,} rows, {', '.join(names[:5])})", notes)


@click.command()
@click.argument("map_file", metavar="MAP")
@click.option(
    "--sql", "dialect", metavar="DIALECT", help="SQL expressions instead: duckdb, spark, bigquery, ..."
)
@click.option(
    "--forecast", multiple=True, metavar="COLUMN", help="The columns in SQL, if not those of the fit."
)
def export(map_file: str, dialect: str | None, forecast: tuple[str, ...]) -> None:
    """Print a saved MAP as code that needs no logloss: a NumPy function, or SQL."""
    from logloss.calibrate.pooled import FittedPool, load_map
    from logloss.cli.output import emit
    from logloss.errors import UsageError

    fitted = load_map(map_file)
    if isinstance(fitted, FittedPool):
        raise UsageError(
            "pool-export",
            "A pool of several forecasts is not written as code.",
            cure="Apply it with `logloss apply`, or in Python: ll.load_map(path).apply({name: array}).",
        )
    if dialect is None:
        emit(fitted.python(), [])
        return
    found = fitted.sql(list(forecast) or None, dialect=dialect)
    emit(
        found
        if isinstance(found, str)
        else "\n".join(f"-- {label!r}\n{one}" for label, one in found.items()),
        [],
    )
