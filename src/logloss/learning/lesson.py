"""`learn`: open the page, which is one file without a library and without a network."""

from __future__ import annotations

import webbrowser
from pathlib import Path

__all__ = ["PAGE", "learn", "opened"]

PAGE = Path(__file__).resolve().with_name("page.html")


def opened() -> bool:
    """Open the page in a browser and say whether there was one."""
    try:
        return webbrowser.open(PAGE.as_uri())
    except (webbrowser.Error, OSError):
        return False


def learn(*, show: bool = True) -> Path:
    """Open the page that shows what log loss is, and return where it lies.

    Nine questions, each with a picture to play with: what a forecast costs, why there is a minus sign, the slope of log
    loss beside that of squared error, one bad row and the clip, temperature, label smoothing, focal loss, entropy and KL,
    and when to act. The page is one file; it asks no network for anything, and needs no server.

    Parameters
    ----------
    show
        Whether to open it in the browser; where there is none, nothing happens.

    Returns
    -------
    pathlib.Path
        The page.

    Examples
    --------
    >>> import logloss as ll
    >>> ll.learn(show=False).name
    'page.html'
    """
    if show:
        opened()
    return PAGE
