"""`logloss fix`, `apply` and `export`: better predictions, by a map chosen honestly; the map on new rows; the map elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from logloss.cli.options import SPACES, table_options

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["apply", "export", "fix", "shift"]

OUT = "Write the table again with better forecasts (.csv, .tsv, .parquet, .arrow, .jsonl)."


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
    from logloss.cli.output import columns_asked, emit, models_asked, progress
    from logloss.errors import LoglossError, UsageError
    from logloss.fixing.recalibration import fix as fixed
    from logloss.fixing.tables import refuse_to_write

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
        _refuse_to_save(save, force=force, inputs=[file, new, columns["truth"], out])
    with progress(None, "fits") as watch:
        result = fixed(file, **asked, maps=maps or None, time=time, trained=trained, level=level, watch=watch)
    notes = list(result.notes)
    if save:  # first: what may fail after it is not lost
        result.map.save(save)
    try:
        written, more = _write(result, file, new, out, asked, pooled=bool(models)) if out else (None, [])
    except LoglossError:
        if not as_json:
            emit(result.show(unit, notes=False) + _written(None, held_out=False, save=save), notes)
        raise
    notes += more
    if as_json:
        emit(result.to_dict() | {"written": written}, notes)
        return
    emit(result.show(unit, notes=False) + _written(written, held_out=new is None, save=save), notes)


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


def _written(written: dict[str, Any] | None, *, held_out: bool, save: str | None) -> str:
    """Say what was written."""
    lines = []
    if written is not None:
        what = ", each row under a map fitted without it" if held_out else ""
        lines.append(
            f"  wrote {written['file']} ({written['rows']:,} rows, {', '.join(written['columns'][:5])}{what})"
        )
    if save:
        lines.append(f"  saved the map to {save}: logloss apply {save} NEW --out better.csv")
    return "\n\n" + "\n".join(lines) if lines else ""


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
    from logloss.fixing.tables import apply_to_table, refuse_to_write

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


@click.command()
@click.argument("file", metavar="FILE")
@click.option("-o", "--out", metavar="FILE", help=OUT)
@click.option("--save", metavar="FILE", help="Save the map as JSON.")
@click.option(
    "--forecast",
    multiple=True,
    required=True,
    metavar="COLUMN",
    help="Column of the forecasts, or, repeated, one column per class.",
)
@click.option(
    "--labels",
    metavar="A,B,...",
    help="The classes, in the order of the columns; with one column, the one it is about comes last.",
)
@click.option(
    "--undo-weight",
    "weights",
    multiple=True,
    metavar="CLASS=WEIGHT",
    help="Weight that the model was trained with (others 1): take it out.",
)
@click.option(
    "--old", multiple=True, metavar="CLASS=RATE", help="Base rate that the forecasts were made for."
)
@click.option(
    "--new",
    multiple=True,
    metavar="CLASS=RATE",
    help="Base rate of these rows; without it, estimated from their forecasts.",
)
@click.option("--space", type=click.Choice(SPACES), default="p", show_default=True, help="What they are.")
@click.option("--force", is_flag=True, help="Replace files that exist.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def shift(
    file: str,
    out: str | None,
    save: str | None,
    forecast: tuple[str, ...],
    labels: str | None,
    weights: tuple[str, ...],
    old: tuple[str, ...],
    new: tuple[str, ...],
    space: Any,
    force: bool,
    as_json: bool,
) -> None:
    """Move FILE's forecasts to other base rates; it needs no outcomes.

    Undo the class weights that a model was trained with (--undo-weight sick=10), or go from a known old rate to a known or
    an unknown new one (--old sick=0.5 [--new sick=0.02]). Of two classes one is enough.
    """
    from dataclasses import replace

    from logloss.baserates.priors import estimate_prior
    from logloss.baserates.shifts import shift_prior, undo_class_weights
    from logloss.cli.output import emit, labels_asked
    from logloss.errors import UsageError
    from logloss.fixing.tables import apply_to_table, classes_of_forecast, forecast_of, refuse_to_write

    if bool(weights) == bool(old) or (new and not old):
        raise UsageError(
            "shift-from-what",
            "Either the weights of training are known, or the old base rates.",
            cure="Say --undo-weight CLASS=WEIGHT, or --old CLASS=RATE and perhaps --new CLASS=RATE.",
        )
    if out:
        refuse_to_write(out, force=force, inputs=[file])
    if save:
        _refuse_to_save(save, force=force, inputs=[file, out])
    classes = classes_of_forecast(forecast, labels_asked(labels))
    answer: Any
    if weights:
        fitted = undo_class_weights(_per_class(weights, classes, 1.0), classes)
        answer = str(fitted)
    elif new:
        fitted = shift_prior(_rates(old, classes), _rates(new, classes), classes)
        answer = str(fitted)
    else:
        found = estimate_prior(
            forecast_of(file, forecast, classes), _rates(old, classes), labels=classes, space=space
        )
        fitted, answer = found.map, found.to_dict() if as_json else found.show()
    fitted = replace(fitted, columns=tuple(forecast), space=space)
    notes: list[Any] = []
    written: dict[str, Any] | None = None
    if out:
        rows, names, notes = apply_to_table(fitted, file, out)
        written = {"file": out, "rows": rows, "columns": names}
    if save:
        fitted.save(save)
    if as_json:
        state = answer if isinstance(answer, dict) else {}
        emit({**state, "map": fitted.to_dict(), "written": written}, notes)
        return
    emit(answer + _written(written, held_out=False, save=save), notes)


def _per_class(given: tuple[str, ...], classes: list[Any], other: float | None) -> dict[Any, float]:
    """Return CLASS=NUMBER by class; classes that are not named get the `other` number."""
    from logloss.cli.output import label_of
    from logloss.codes import as_seen
    from logloss.errors import UsageError

    found: dict[Any, float] = {} if other is None else dict.fromkeys(classes, other)
    for text in given:
        name, mark, number = text.rpartition("=")
        try:
            value = float(number)
        except ValueError:
            mark = ""
        label = as_seen(label_of(name), classes)
        if not mark or label not in classes:
            raise UsageError(
                "bad-rates",
                f"{text!r} is not a class and its number; the classes are {', '.join(map(str, classes))}.",
                cure="Write CLASS=NUMBER, such as sick=0.02; name the classes with --labels.",
            )
        found[label] = value
    return found


def _rates(given: tuple[str, ...], classes: list[Any]) -> dict[Any, float]:
    """Return rates by class; of two classes, the other has the rest."""
    rates = _per_class(given, classes, None)
    if len(classes) == 2 and len(rates) == 1:
        ((label, rate),) = rates.items()
        rates[classes[1] if label == classes[0] else classes[0]] = 1.0 - rate
    return rates


def _refuse_to_save(path: str, *, force: bool, inputs: Sequence[str | None]) -> None:
    """Refuse a path where a map cannot be written: it replaces a map, and nothing else."""
    from pathlib import Path

    from logloss.calibrate.pooled import load_map
    from logloss.errors import SourceError
    from logloss.fixing.tables import refuse_inputs

    refuse_inputs(path, inputs)
    if Path(path).exists() and not force:
        try:
            load_map(path)
        except SourceError:
            raise SourceError(
                "would-overwrite",
                f"{path} exists and is not a map.",
                cure="Choose another name, or say --force.",
            ) from None
    if not Path(path).absolute().parent.is_dir():
        raise SourceError("cannot-write", f"{path}: there is no such folder.", cure="Make the folder first.")
