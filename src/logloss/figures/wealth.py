"""Two bettors' wealth, row after row."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss import units
from logloss.figures.drawing import Drawing
from logloss.figures.ground import COLOURS, clean, legend, named, room

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from logloss.betting.sequence import Sequential

    Float = NDArray[np.float64]

__all__ = ["WEALTH"]

STRETCHES = 800  # of a long path; of each its first, least, greatest and last point are drawn


def thinned(path: Float) -> NDArray[np.int64]:
    """Return positions of a path (n,) that draw it: all, or of each stretch the first, least, greatest and last."""
    n = len(path)
    if n <= 4 * STRETCHES:
        return np.arange(n)
    found = []
    for part in np.array_split(np.arange(n), STRETCHES):
        own = path[part]
        found += [part[0], part[int(own.argmin())], part[int(own.argmax())], part[-1]]
    return np.unique(np.asarray(found, np.int64))


def _draw(found: Sequential, ax: Axes, unit: str) -> list[str]:
    del unit  # wealth has none
    need = math.log(2 / found.alpha)
    paths = found.log_wealth
    low, high = room([*paths[np.isfinite(paths)].tolist(), need], zero=True)
    handles, labels, lines = [], [], []
    for bet, (name, colour, style) in enumerate(
        zip(found.names, ("model", "cost"), ("-", (0, (5, 1.5))), strict=True)
    ):
        path = paths[:, bet]
        at = thinned(path)
        seen = np.clip(path[at], low, high)
        handles.append(ax.plot(np.append(0, at + 1), np.append(0.0, seen), color=COLOURS[colour], linestyle=style, linewidth=1.8, gid=f"bet {bet}")[0])  # fmt: skip
        labels.append(f"bet on {named(name)}")
        endless = np.flatnonzero(np.isinf(path))
        if len(endless):
            top = path[endless[0]] > 0
            ax.plot([endless[0] + 1], [high if top else low], marker="^" if top else "v", markersize=9, color=COLOURS[colour], linestyle="none", clip_on=False, gid="infinite")  # fmt: skip
            lines.append(f"From row {int(found.rows[endless[0]])} on the bet on {named(name)} is worth {'infinitely much' if top else 'nothing'}: drawn at the edge.")  # fmt: skip
    handles.append(
        ax.axhline(need, color=COLOURS["ink"], linewidth=1.1, linestyle=(0, (4, 3)), gid="threshold")
    )
    labels.append(f"a winner is named: {2 / found.alpha:.4g} times the stake")
    ax.axhline(0.0, color=COLOURS["context"], linewidth=0.9, gid="stake")
    ax.set_ylim(low, high)
    ax.set_xlim(0, max(len(found), 1))
    ax.set_xlabel("rows seen, in order of time")
    ax.set_ylabel("log wealth (0: the stake)")
    clean(ax)
    legend(ax, handles, labels, loc="best")
    told = f"One is named where its line passes the dashed one, which happens by chance with probability {found.alpha:g} at most, however often one looks."
    return [told, *lines]


def _tell(found: Sequential, unit: str) -> str:
    del unit
    last = found.log_wealth[-1] if len(found) else np.zeros(2)
    told = ", ".join(
        f"on {named(name, 40)} {_wealth(float(value))}" for name, value in zip(found.names, last, strict=True)
    )
    since = "" if found.crossed is None else f" since row {found.crossed}"
    return f"After {units.count(len(found), 'row')} the log wealth of the bet is {told}; a winner is named from {math.log(2 / found.alpha):.2f} on. {named(found.verdict, 60)}{since}; p = {found.p_value:.2g}."


def _wealth(value: float) -> str:
    return f"{value:.2f}" if math.isfinite(value) else "infinite" if value > 0 else "-infinite"


def _columns(found: Sequential) -> dict[str, list[Any]]:
    return {"row": found.rows.tolist(), "log_wealth_a": found.log_wealth[:, 0].tolist(), "log_wealth_b": found.log_wealth[:, 1].tolist()}  # fmt: skip


WEALTH = Drawing("Who has won so far?", _draw, _tell, _columns, stretched=True)
