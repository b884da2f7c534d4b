"""The axes of a reliability diagram: probabilities as they are, or spread out in log-odds, with 0 and 1 at the edges."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from logloss import units
from logloss.figures.ground import inches, narrow

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from logloss.curves.results import Curve

    Float = NDArray[np.float64]

__all__ = ["Scale", "linear", "log_odds", "power"]

FURTHEST = 6  # 10^-6 and 1 - 10^-6 are the last ticks; what lies beyond is drawn at the edge
TICKS = 2  # an inch, at most
BAND = 200  # points of a band that are drawn
AIR = 0.9  # how much of a power of ten lies between the last tick and the edge


@dataclass(frozen=True, eq=False)
class Scale:
    """An axis of probabilities.

    Attributes
    ----------
    said
        What it is called.
    low, high
        The powers of ten of the last ticks: 10^-low and 1 - 10^-high; None for an axis of plain probabilities.
    cut
        Whether there are values between these ticks and exactly 0 or 1.
    """

    said: str
    low: int | None = None
    high: int | None = None
    cut: tuple[bool, bool] = (False, False)

    def limits(self) -> tuple[float, float]:
        """Return where the axis ends, and where 0 and 1 are drawn."""
        if self.low is None or self.high is None:
            return 0.0, 1.0
        return 10.0 ** -(self.low + AIR), 1.0 - 10.0 ** -(self.high + AIR)

    def place(self, p: Float) -> Float:
        """Return where probabilities are drawn: those beyond the ends, 0 and 1 among them, at the ends."""
        return np.clip(p, *self.limits())

    def line(self) -> Float:
        """Return points from one end to the other."""
        return np.asarray(self.limits())

    def thinned(self, x: Float) -> NDArray[np.int64]:
        """Return positions of at most some 200 points, evenly spread on the axis; the first and last are among them."""
        if len(x) <= BAND:
            return np.arange(len(x))
        at = np.searchsorted(x, self.edges(BAND))
        return np.unique(np.concatenate([[0, len(x) - 1], np.minimum(at, len(x) - 1)]))

    def edges(self, bins: int) -> Float:
        """Return edges of bins that are equally wide on the axis."""
        low, high = self.limits()
        if self.low is None:
            return np.linspace(low, high, bins + 1)
        odds = np.linspace(math.log(low / (1 - low)), math.log(high / (1 - high)), bins + 1)
        found = 1.0 / (1.0 + np.exp(-odds))
        found[[0, -1]] = low, high
        return np.asarray(found)

    def set(self, ax: Axes) -> None:
        """Set both axes of a diagram."""
        low, high = self.limits()
        if self.low is not None:
            ax.set_xscale("logit")
            ax.set_yscale("logit")
        at, names = self.ticks()
        if narrow(ax) and self.low is not None and self.high is not None:
            few = sorted(
                {0, self.low - self.low // 2, self.low + 1, self.low + 1 + (self.high + 1) // 2, len(at) - 1}
            )
            at, names = [at[k] for k in few], [names[k] for k in few]
        elif len(at) > TICKS * inches(ax):
            names[2:-1:2] = [""] * len(names[2:-1:2])
        for cut, beside in zip(self.cut, (1, -2), strict=True):
            names[beside] = "" if cut else names[beside]  # no room beside the longer name of the edge
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_ticks(at, names)
            axis.set_ticks([], minor=True)
        ax.set_xlim(low, high)
        ax.set_ylim(low, high)

    def ticks(self) -> tuple[list[float], list[str]]:
        """Return where ticks are, and their names."""
        if self.low is None or self.high is None:
            return [0.0, 0.25, 0.5, 0.75, 1.0], ["0", "0.25", "0.5", "0.75", "1"]
        low, high = self.limits()
        down, up = range(self.low, 0, -1), range(1, self.high + 1)
        at = [low, *(10.0**-k for k in down), 0.5, *(1.0 - 10.0**-k for k in up), high]
        names = [power(k) for k in down] + ["0.5"] + [_large(k) for k in up]
        ends = f"<{power(self.low)}" if self.cut[0] else "0", f">{_large(self.high)}" if self.cut[1] else "1"
        return at, [ends[0], *names, ends[1]]

    def beyond(self, curve: Curve) -> str:
        """Say how many rows are drawn at the edge."""
        if self.low is None or self.high is None:
            return ""
        p, rows = curve.steps.forecast, curve.steps.rows
        low, high = self.limits()
        below, above = (float(rows[mask].sum()) for mask in (p < low, p > high))
        found = [
            f"{units.count(round(count), 'row')} {word}"
            for count, word in ((below, f"at {self.ticks()[1][0]}"), (above, f"at {self.ticks()[1][-1]}"))
            if count
        ]
        return f"At the edge: forecasts of {', '.join(found)}." if found else ""


def power(k: int) -> str:
    """Return 10^-k as text.

    >>> power(3), power(4)
    ('0.001', '1e-4')
    """
    return f"{10.0**-k:g}" if k < 4 else f"1e-{k}"


def _large(k: int) -> str:
    return "0." + "9" * k if k < 5 else f"1-1e-{k}"


def linear() -> Scale:
    """Return an axis from 0 to 1."""
    return Scale("probability")


def log_odds(curve: Curve) -> Scale:
    """Return an axis of log-odds that holds the forecasts, and the shares of the bins, of a curve."""
    p = np.concatenate([curve.steps.forecast, curve.bins.share])
    inside = p[(p > 0) & (p < 1)]
    small = float(np.minimum(inside, 0.1).min(initial=0.1))
    large = float(np.minimum(1 - inside, 0.1).min(initial=0.1))
    low, high = (min(math.ceil(-math.log10(one) - 1e-9), FURTHEST) for one in (small, large))
    scale = Scale("probability, log-odds scale", low, high)
    ends = scale.limits()
    values = np.concatenate(
        [p, curve.steps.low, curve.steps.high, curve.bins.low, curve.bins.high, curve.steps.fitted]
    )
    cut = bool(((values > 0) & (values < ends[0])).any()), bool(((values < 1) & (values > ends[1])).any())
    return Scale(scale.said, low, high, cut)
