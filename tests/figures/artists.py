"""Read back what was drawn."""

from __future__ import annotations

from typing import Any

import numpy as np


def drawn(ax: Any, gid: str) -> list[Any]:
    """Return the artists of this name, in the order drawn."""
    return list(ax.findobj(lambda one: one.get_gid() == gid))


def points(ax: Any, gid: str) -> tuple[list[float], list[float]]:
    """Return x and y of the one line of this name."""
    (line,) = drawn(ax, gid)
    return np.asarray(line.get_xdata(), float).tolist(), np.asarray(line.get_ydata(), float).tolist()


def words(ax: Any) -> str:
    """Return all text of a figure, as it is read."""
    import matplotlib.text

    return "\n".join(text.get_text() for text in ax.figure.findobj(matplotlib.text.Text)).replace(r"\$", "$")


def names(ax: Any) -> list[str]:
    """Return the names on the left."""
    return [label.get_text().replace(r"\$", "$") for label in ax.get_yticklabels()]
