"""`logloss shift`: forecasts moved to other base rates."""

from __future__ import annotations

from typing import Any

import click

from logloss.cli.mapping import OUT, refuse_to_save_map, written_as_text
from logloss.cli.options import SPACES

__all__ = ["shift"]


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
    from logloss.fixing.tables import apply_to_table, classes_of_forecast, forecast_of
    from logloss.rewriting import refuse_to_write

    if bool(weights) == bool(old) or (new and not old):
        raise UsageError(
            "shift-from-what",
            "Either the weights of training are known, or the old base rates.",
            cure="Say --undo-weight CLASS=WEIGHT, or --old CLASS=RATE and perhaps --new CLASS=RATE.",
        )
    if out:
        refuse_to_write(out, force=force, inputs=[file])
    if save:
        refuse_to_save_map(save, force=force, inputs=[file, out])
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
    emit(answer + written_as_text(written, held_out=False, save=save), notes)


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
