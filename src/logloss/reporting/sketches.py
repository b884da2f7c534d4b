"""The sketch of the what-if sliders: little enough for a page, enough to say what moving all forecasts would do.

Two classes: cells of log-odds (:mod:`logloss.reporting.cells`), from a summary or from the rows. More: a grid of losses
from the rows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.oddsgrid import of_rows
from logloss.plain import jsonable
from logloss.reporting.cells import TEMPERATURES as TESTED
from logloss.reporting.cells import Cells, Side, bounds, exact_of, measured, odds_of, of_grid, of_values
from logloss.reporting.mixes import MixSketch, mix_sketch, mixes_of
from logloss.reporting.packing import SHOWN, coded, embedded, lost, row, upward

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logloss.record import Observations
    from logloss.summary import Summary
    from logloss.why.explanation import Explanation

__all__ = ["MixSketch", "Sketch", "of"]

ATOMS = 1500  # distinct forecasts that are kept as they are
MEASURABLE = 2_000_000  # rows; more take longer to go through than a page may
ENOUGH, FINER = 5e-6, (32.0, 64.0, 128.0)  # nats: where rows show a larger error, bins per unit of log-odds
# Positions of the sliders, and what they stand for: T = 2^(t / 50), b / 50, eps = 0.05 * 10^((e - 100) / 16) or 0.
LOWEST_T, HIGHEST_T, FURTHEST_B, HIGHEST_E = -85, 100, 100, 100
STARTS = (0, 40, 70, 90)  # clips from which the best is looked for
STRIDES = (32, 16, 8, 4, 2, 1)
CLIPS = (1e-6, 1e-4, 0.01)  # ticks of the curve
NEAR, FAR = 6.0, 11.0  # log-odds at which the axes of the reliability line end


@dataclass(frozen=True, eq=False)
class Sketch:
    """Two classes: the loss after f(z) = clip(z / T + b), z the log-odds of the second class. Nats.

    Attributes
    ----------
    log_loss, finite
        The exact loss of the rows as given (inf if a row is infinite), and of those that are finite.
    infinite
        Rows with infinite loss.
    errors
        By how much `loss` errs at most, for b from -2 to 2 and eps up to 0.05, shape (7, 2): at T of 0.3, 0.5, 0.75, 1, 1.5, 2
        and 4, without a clip and with one.
    measured
        Whether that was measured on the rows; else it is a bound that holds for any rows of such a summary.
    best
        (T, b, eps) of the sliders with the least loss, in sample.
    """

    log_loss: float
    finite: float
    infinite: int
    errors: NDArray[np.float64]
    measured: bool
    best: tuple[float, float, float]
    cells: Cells = field(repr=False)
    positions: tuple[int, int, int] = field(repr=False)

    kind = "two"

    @property
    def error(self) -> float:
        """The largest of the errors."""
        return float(self.errors.max())

    def loss(self, T: float, b: float, eps: float) -> float:
        """Return the loss after the move, from the cells; the exact one at T = 1, b = 0, eps = 0."""
        if (T, b, eps) == (1, 0, 0):
            return self.log_loss
        return self.cells.loss(T, b, eps)

    def average(self, T: float, b: float) -> float:
        """Return the same without a clip, of the rows whose loss is finite."""
        return self.finite if (T, b) == (1, 0) else self.cells.finite(T, b)

    def table(self) -> list[tuple[str, str, str]]:
        """Return (setting, loss, change) at a few settings, as text."""
        settings = [(T, 0.0, 0.0) for T in SHOWN]
        rows = [row(f"temperature {T:g}" if T != 1 else "as given", self.average(T, b), self.finite, self.infinite)
                for T, b, _ in settings]  # fmt: skip
        T, b, eps = self.best
        if self.best == (1, 0, 0):
            return rows
        said = (
            [f"temperature {T:.3g}"] * (T != 1)
            + [f"shift {b:+.2f}"] * (b != 0)
            + [f"clip {eps:.2g}"] * (eps > 0)
        )
        loss = self.loss(T, b, eps) if eps else self.average(T, b)
        return [
            *rows,
            row(
                f"best of the sliders (in sample): {', '.join(said)}",
                loss,
                self.log_loss if eps else self.finite,
                0 if eps else self.infinite,
            ),
        ]

    @property
    def ranges(self) -> dict[str, tuple[int, int]]:
        """The ends of the sliders."""
        return {"t": (LOWEST_T, HIGHEST_T), "b": (-FURTHEST_B, FURTHEST_B), "e": (0, HIGHEST_E)}

    @property
    def ticks(self) -> dict[str, list[tuple[Any, ...]]]:
        """Where the pictures say what: (text, x, y) of the reliability line, (text, x) of the curve."""
        far = (1e-4, 0.01) if self._wide() == FAR else (0.01, 0.1)
        line = []
        for p in (*far, 0.5, *(1 - p for p in far)):
            at = math.log(p / (1 - p)) / self._wide()
            line.append((f"{100 * p:g} %", round(180 + 130 * at, 1), round(134 - 120 * at, 1)))
        marks = [(f"{eps:g}", round(50 + 2.6 * (100 + 16 * math.log10(eps / 0.05)), 1)) for eps in CLIPS]
        return {"line": line, "curve": [("0", 50.0), *marks]}

    def _wide(self) -> float:
        """Return the log-odds at which the reliability line's axes end."""
        sides = (self.cells.no, self.cells.yes)
        far = sum(float(side.n[np.abs(side.z) > NEAR].sum()) for side in sides)
        return FAR if far > 0.05 else NEAR

    def _falling(self) -> NDArray[np.float64]:
        """Return the errors that hold at each temperature and at all above it."""
        return np.asarray(np.maximum.accumulate(self.errors[::-1])[::-1])

    def to_dict(self) -> dict[str, Any]:
        """Return all that the page's script needs, as plain values; arrays as base64 of little-endian float32."""
        sides = {"no": _packed(self.cells.no), "yes": _packed(self.cells.yes)}
        state = {
            "kind": self.kind,
            "log_loss": None if self.infinite else self.log_loss,
            "finite": self.finite,
            "infinite": self.infinite,
            "right": self.cells.right,
            "wrong": self.cells.wrong,
            "lost": self.cells.lost,
            "errors": [
                [T, *map(upward, pair)] for T, pair in zip(TESTED, self._falling().tolist(), strict=True)
            ],
            "measured": self.measured,
            "wide": self._wide(),
            "says": "clip ",
            "lost_said": lost(self.infinite),
            "best": list(self.positions),
            "best_settings": list(self.best),
        }
        return {**jsonable(state), **sides}

    def embedded(self) -> str:
        """Return JSON that may stand in a script element: nothing in it can end the element."""
        return embedded(self.to_dict())


def of(told: Explanation | Summary) -> Sketch | MixSketch | None:
    """Return the sketch of an explanation or a summary; None where none can be told.

    That is: no row with finite log-odds; a summary of forecasts with a column per class, or saved by a version whose
    reliability grid had no moments; log-odds beyond 3e38.
    """
    score = getattr(told, "score", None)
    summary: Summary = score.summary if score is not None else told  # type: ignore[assignment]
    record: Observations | None = getattr(told, "observations", None)
    if not math.isfinite(summary.mean_finite):
        return None
    if len(summary.classes) > 2:
        return None if record is None else mix_sketch(summary, mixes_of(record))
    if record is None or (summary.binary and len(record) > MEASURABLE):
        return _of_summary(summary)
    z, weight, share = odds_of(record)
    cells = of_values(z, weight, share, ATOMS)
    if cells is None:
        p = np.zeros(len(z))
        grid = summary.grid if summary.binary else of_rows(z, weight, share, p)
        cells = of_grid(grid, summary.infinite[1])
    if cells is None:
        return None
    rows = exact_of(z, weight, share)
    errors = measured(cells, rows)
    for steps in FINER:
        if errors.max() <= ENOUGH:
            break
        finer = of_values(z, weight, share, ATOMS, steps)
        if finer is not None and (off := measured(finer, rows)).max() < errors.max():
            cells, errors = finer, off
    return _two(summary, cells, errors, by_rows=True)


def _of_summary(summary: Summary) -> Sketch | None:
    cells = of_grid(summary.grid, summary.infinite[1]) if summary.binary else None
    return None if cells is None else _two(summary, cells, bounds(summary.grid, cells), by_rows=False)


def _two(summary: Summary, cells: Cells, errors: NDArray[np.float64], *, by_rows: bool) -> Sketch:
    at = _search(cells)
    whole = summary.mean, summary.mean_finite, summary.infinite[0]
    return Sketch(*whole, errors, by_rows, settings_of(*at), cells, at)


def settings_of(t: int, b: int, e: int) -> tuple[float, float, float]:
    """Return (T, b, eps) at positions of the sliders."""
    return 2 ** (t / 50), b / 50, 0.05 * 10 ** ((e - 100) / 16) if e else 0.0


def _search(cells: Cells) -> tuple[int, int, int]:
    """Return the positions of the sliders with the least loss: strides that halve, from several clips."""
    limits = ((LOWEST_T, HIGHEST_T), (-FURTHEST_B, FURTHEST_B), (0, HIGHEST_E))
    known: dict[tuple[int, ...], float] = {}

    def loss(at: tuple[int, ...]) -> float:
        if at not in known:
            known[at] = cells.loss(*settings_of(*at))
        return known[at]

    for start in STARTS:
        at: tuple[int, ...] = (0, 0, start)
        for stride in STRIDES:
            moved = True
            while moved:
                near = [
                    tuple(min(max(x + way * stride * (i == axis), low), high) for i, (x, (low, high)) in enumerate(zip(at, limits, strict=True)))
                    for axis in range(3)
                    for way in (-1, 1)
                ]  # fmt: skip
                better = min(near, key=loss)
                moved = loss(better) < loss(at) - 1e-12
                at = better if moved else at
    best = min(known, key=lambda at: (known[at], at[2]))
    return best[0], best[1], best[2]


def _packed(side: Side) -> dict[str, str]:
    columns = {name: coded(getattr(side, name), "<f4") for name in ("z", "h", "n")}
    return {**columns, "group": coded(side.group, "u1")}
