"""The options that say where in a table everything stands, shared by the verbs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SPACES", "UNITS", "table_options", "tables_options"]

SPACES = ("p", "logp", "logit")
UNITS = ("nats", "bits", "bans")


def table_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say where in the table everything stands."""
    return _with(command, click.argument("file", metavar="FILE"))


def tables_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the same options for one table or several."""
    return _with(command, click.argument("files", metavar="FILE...", nargs=-1, required=True))


def _with(command: Callable[..., None], files: Callable[..., Any]) -> Callable[..., None]:
    options = [
        files,
        click.option(
            "--outcome",
            multiple=True,
            metavar="COLUMN",
            help="Column of the outcomes (or, repeated, one column per class).",
        ),
        click.option(
            "--forecast",
            multiple=True,
            metavar="COLUMN",
            help="Column of the forecasts, or, repeated, one column per class.",
        ),
        click.option("--weight", metavar="COLUMN", help="Column of weights."),
        click.option(
            "--group",
            metavar="COLUMN",
            help="Column of groups, such as customers or days: rows of a group stay together, and intervals are those of groups drawn; score tells the results of each.",
        ),
        click.option("--id", "ids", metavar="COLUMN", help="Column of ids; joins --truth."),
        click.option("--truth", metavar="FILE", help="File with the outcomes, joined by id."),
        click.option(
            "--space",
            type=click.Choice(SPACES),
            default="p",
            show_default=True,
            help="What the forecasts are: probabilities, their natural logs, or logits.",
        ),
        click.option(
            "--labels",
            metavar="A,B,...",
            help="The classes, in the order of the columns; with one column, the one it is about comes last.",
        ),
        click.option("--positive", metavar="CLASS", help="The class that a single forecast column is about."),
        click.option(
            "--normalize-rows",
            is_flag=True,
            help="Divide each row of probabilities by its sum (and say what it did).",
        ),
        click.option(
            "--skip-missing", is_flag=True, help="Leave out rows with missing values (and say how many)."
        ),
        click.option(
            "--counts",
            is_flag=True,
            help="The outcome columns, one per class, count annotators; they are taken as shares (and it says how many).",
        ),
        click.option(
            "--skip-unreadable",
            is_flag=True,
            help="Leave out files of a folder that cannot be read (and say which).",
        ),
        click.option(
            "--unit",
            type=click.Choice(UNITS),
            default="nats",
            show_default=True,
            help="Unit of the losses on screen; JSON is always in nats.",
        ),
        click.option("--json", "as_json", is_flag=True, help="Print one JSON object."),
    ]
    for option in reversed(options):
        command = option(command)
    return command
