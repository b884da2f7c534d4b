"""`logloss learn`: the page that shows what log loss is."""

from __future__ import annotations

import click

__all__ = ["learn"]


@click.command()
@click.option("--path", is_flag=True, help="Print where the page lies; open nothing.")
def learn(path: bool) -> None:
    """Open a page to learn from: what log loss is, in nine questions with pictures to play with.

    The page is one file on this machine; nothing is sent or fetched. Where there is no browser, its path is printed.
    """
    from logloss.cli.output import emit
    from logloss.learning.lesson import PAGE, opened

    if path:
        emit(str(PAGE), [])
    elif opened():
        emit(f"Opened {PAGE}", [])
    else:
        emit(f"There is no browser here; the page is {PAGE}", [])
