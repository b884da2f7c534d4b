"""`logloss compare`: whether one forecast really beats another."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from logloss.cli.options import tables_options

if TYPE_CHECKING:
    from logloss.comparing.results import Comparison

__all__ = ["compare"]

DEFAULTS = {"horizon": 1, "level": 0.95, "seed": 0}


@click.command()
@tables_options
@click.option(
    "--model",
    "models",
    multiple=True,
    metavar="NAME=COLUMN[,COLUMN...]",
    help="One of several forecasts in one FILE; repeat it for each. With several FILEs: the columns of the file called NAME.",
)
@click.option("--shared", is_flag=True, help="Compare on the ids that all FILEs have (and say how many).")
@click.option(
    "--clip",
    type=float,
    metavar="EPS",
    help="Clip all forecasts into [EPS, 1 - EPS] first, on purpose (and say what that changed).",
)
@click.option(
    "--time", metavar="COLUMN", help="When each row is from: the interval allows for autocorrelation."
)
@click.option(
    "--horizon",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Points in time ahead that were forecast.",
)
@click.option(
    "--fold", metavar="COLUMN", help="The fold of a cross-validation that each row was left out in."
)
@click.option(
    "--target",
    type=click.Choice(("models", "algorithm")),
    help="With --fold: how what fits the models differs (the default), or how the fitted models do.",
)
@click.option("--by", multiple=True, metavar="COLUMN", help="Slice by this column; repeatable.")
@click.option("--reference", metavar="NAME", help="Set all others against this forecast.")
@click.option(
    "--sequential",
    is_flag=True,
    help="Also bet on every pair row after row: a p-value that holds however often one looks.",
)
@click.option(
    "--fail-if-worse",
    metavar="NAME",
    help="Exit with 1 if this forecast is surely worse than another, or nothing can be said of it.",
)
@click.option(
    "--level",
    type=click.FloatRange(0.5, 0.9999),
    default=0.95,
    show_default=True,
    help="Coverage of the intervals.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of what is drawn at random.")
def compare(
    files: tuple[str, ...],
    models: tuple[str, ...],
    fail_if_worse: str | None,
    by: tuple[str, ...],
    level: float,
    unit: str,
    as_json: bool,
    **options: Any,
) -> None:
    """Tell whether one forecast really beats another, how sure that is, and what it hangs on.

    One FILE with several forecast columns (--forecast a --forecast b, or --model NAME=COLUMN,... for more classes), or
    several FILEs with one forecast each, matched by --id, with outcomes in each or in --truth.
    """
    from logloss.cli.commandlines import compared
    from logloss.cli.output import columns_asked, emit
    from logloss.comparing.comparison import compare as compare_rows

    rest = {
        name: options.pop(name)
        for name in ("shared", "clip", "time", "horizon", "fold", "target", "reference", "sequential", "seed")
    }
    asked = columns_asked(options)
    data = _given(files, models, asked)
    result = compare_rows(data, **asked, **rest, by=list(by) or None, level=level)
    more = {
        name: value
        for name, value in {**rest, "by": by, "level": level}.items()
        if value != DEFAULTS.get(name)
    }
    found = compared(result.findings, files, models, options, more)
    failed = None if fail_if_worse is None else _worse(result, fail_if_worse)
    emit(
        result.to_dict() | {"findings": [one.to_dict() for one in found]}
        if as_json
        else result.show(unit, notes=False),
        result.notes,
        follow=_follow(result, files, models, options),
    )
    if failed:
        sys.stderr.write(f"\nfailed: {failed}\n")
        sys.exit(1)


def _given(files: tuple[str, ...], models: tuple[str, ...], asked: dict[str, Any]) -> Any:
    """Return the data to compare; put the columns of several forecasts of one file into `asked`."""
    from logloss.cli.output import models_asked

    if models:
        asked["forecast"] = models_asked(models, asked["forecast"])
    return files[0] if len(files) == 1 else list(files)


def _worse(result: Comparison, name: str) -> str | None:
    """Return why a check that this forecast is not worse fails; None where it passes."""
    from logloss.errors import UsageError, suggestion
    from logloss.text import printable

    if name not in result.names:
        raise UsageError(
            "no-such-model",
            f"There is no forecast {name!r} to check.{suggestion(name, result.names)}",
            cure=f"There are {list(result.names)}.",
        )
    for pair in result.pairs:
        if name in (pair.a, pair.b) and pair.verdict == "undefined":
            return f"nothing can be said of {printable(pair.a, 80)} against {printable(pair.b, 80)}"
        if pair.worse == name:
            return f"{printable(name, 80)} is worse than {printable(pair.better, 80)}"
    return None


def _follow(
    result: Comparison, files: tuple[str, ...], models: tuple[str, ...], options: dict[str, Any]
) -> str | None:
    """Return the next command: a pool of forecasts none of which is surely best, or why the best one loses what it does."""
    from logloss.cli.output import again

    verdict = result.pairs[0].verdict
    named = dict(text.partition("=")[::2] for text in models)
    if len(files) == 1 and not named and not options["forecast"]:
        return None  # a saved panel
    if len(files) > 1:
        best = next((file for file in files if result.best.name in (file, _stem(file))), None)
        columns = tuple(filter(None, named.get(result.best.name, "").split(","))) or options["forecast"]
        return None if best is None else again("explain", best, {**options, "forecast": columns})
    named = named or {name: name for name in options["forecast"]}
    if verdict == "tie":
        pooled = tuple(f"{name}={columns}" for name, columns in named.items())
        return again("fix", files[0], {**options, "forecast": (), "model": pooled})
    columns = tuple(named.get(result.best.name, "").split(","))
    return again("explain", files[0], {**options, "forecast": columns})


def _stem(file: str) -> str:
    from pathlib import Path

    return Path(file).stem
