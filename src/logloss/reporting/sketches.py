"""The sketch of the what-if sliders: little enough for a page, enough to say what moving all forecasts would do.

Two classes: cells of log-odds (:mod:`logloss.reporting.cells`), from a summary or from the rows. More: a grid of losses
from the rows.
"""

from __future__ import annotations

import base64
import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss import units
from logloss.oddsgrid import of_rows
from logloss.plain import jsonable
from logloss.reporting.cells import TEMPERATURES as TESTED
from logloss.reporting.cells import Cells, Side, bounds, exact_of, measured, of_grid, of_values, odds_of
from logloss.reporting.mixes import SHARES, STEPS, TEMPERATURES, Mixes, mixes_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logloss.record import Observations
    from logloss.summary import Summary
    from logloss.why.explanation import Explanation

__all__ = ["MixSketch", "Sketch", "of"]

ATOMS = 1500  # distinct forecasts that are kept as they are
ENOUGH, FINER = 1e-5, (32.0, 64.0, 128.0)  # nats: where rows show a larger error, bins per unit of log-odds
# Positions of the sliders, and what they stand for: T = 2^(t / 50), b / 50, eps = 0.05 * 10^((e - 100) / 16) or 0.
LOWEST_T, HIGHEST_T, FURTHEST_B, HIGHEST_E = -85, 100, 100, 100
STARTS = (0, 40, 70, 90)  # clips from which the best is looked for
STRIDES = (32, 16, 8, 4, 2, 1)
CLIPS, SHOWN_SHARES = (1e-6, 1e-4, 0.01), (1e-5, 1e-3, 0.1)  # ticks of the curve
SHOWN = (0.5, 0.75, 1.5, 2.0)  # temperatures of the table


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
        settings = [(T, 0.0, 0.0) for T in (*SHOWN[:2], 1.0, *SHOWN[2:])]
        rows = [_row(f"temperature {T:g}" if T != 1 else "as given", self.average(T, b), self.finite, self.infinite)
                for T, b, _ in settings]  # fmt: skip
        T, b, eps = self.best
        if self.best == (1, 0, 0):
            return rows
        said = [f"temperature {T:.3g}", f"shift {b:+.2f}"] + ([f"clip {eps:.2g}"] if eps else [])
        loss = self.loss(T, b, eps) if eps else self.average(T, b)
        lost = 0 if eps else self.infinite
        return [*rows, _row(f"best of the sliders (in sample): {', '.join(said)}", loss, self.finite, lost)]

    @property
    def ranges(self) -> dict[str, tuple[int, int]]:
        """The ends of the sliders."""
        return {"t": (LOWEST_T, HIGHEST_T), "b": (-FURTHEST_B, FURTHEST_B), "e": (0, HIGHEST_E)}

    @property
    def ticks(self) -> dict[str, list[tuple[Any, ...]]]:
        """Where the pictures say what: (text, x, y) of the reliability line, (text, x) of the curve."""
        far = (1e-4, 0.01) if self._wide() > 6 else (0.01, 0.1)
        line = []
        for p in (*far, 0.5, *(1 - p for p in far)):
            at = math.log(p / (1 - p)) / self._wide()
            line.append((f"{100 * p:g} %", round(180 + 130 * at, 1), round(134 - 120 * at, 1)))
        marks = [(f"{eps:g}", round(50 + 2.6 * (100 + 16 * math.log10(eps / 0.05)), 1)) for eps in CLIPS]
        return {"line": line, "curve": [("0", 50.0), *marks]}

    def _wide(self) -> float:
        """Return the log-odds at which the reliability line's axes end."""
        sides = (self.cells.no, self.cells.yes)
        z = np.concatenate([side.z for side in sides])
        n = np.concatenate([side.n for side in sides])
        order = np.argsort(np.abs(z))
        inner = np.abs(z)[order][np.searchsorted(np.cumsum(n[order]), 0.97 * n.sum())]
        return float(min(max(4.0, math.ceil(inner)), 10.0))

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
            "errors": [[T, *map(_upward, pair)] for T, pair in zip(TESTED, self._falling().tolist(), strict=True)],
            "measured": self.measured,
            "wide": self._wide(),
            "says": "clip ",
            "lost_said": _lost(self.infinite),
            "best": list(self.positions),
            "best_settings": list(self.best),
        }
        return {**jsonable(state), **sides}

    def embedded(self) -> str:
        """Return JSON that may stand in a script element: nothing in it can end the element."""
        return _embedded(self.to_dict())


@dataclass(frozen=True, eq=False)
class MixSketch:
    """More classes: the loss at 41 temperatures and 41 shares of the uniform forecast mixed in. Nats.

    Attributes
    ----------
    log_loss, finite, infinite
        As those of :class:`Sketch`.
    rows, of
        How many rows the grid was computed from, of how many.
    error
        Twice the standard error that comes from drawing rows; where none were left out, that of bins and of rounding.
    best
        (T, share) with the least loss, in sample.
    grid
        Shape (41, 41); without a share, of the rows whose loss is finite.
    """

    log_loss: float
    finite: float
    infinite: int
    rows: int
    of: int
    error: float
    best: tuple[float, float]
    grid: NDArray[np.float64] = field(repr=False)

    kind = "many"

    def loss(self, T: float, share: float) -> float:
        """Return the loss at the nearest point of the grid; the exact one at T = 1 without a share."""
        i, j = _nearest(T, share)
        if j == 0 and self.infinite:
            return math.inf
        return self.log_loss if (TEMPERATURES[i], j) == (1, 0) else float(self.grid[i, j])

    def average(self, T: float) -> float:
        """Return the loss without a share of the rows whose loss is finite."""
        i, _ = _nearest(T, 0.0)
        return self.finite if TEMPERATURES[i] == 1 else float(self.grid[i, 0])

    def table(self) -> list[tuple[str, str, str]]:
        """Return (setting, loss, change) at a few settings, as text."""
        shown = [float(TEMPERATURES[_nearest(T, 0.0)[0]]) for T in (*SHOWN[:2], 1.0, *SHOWN[2:])]
        rows = [_row(f"temperature {T:.3g}" if T != 1 else "as given", self.average(T), self.finite, self.infinite) for T in shown]  # fmt: skip
        T, share = self.best
        if self.best == (1, 0):
            return rows
        said = f"temperature {T:.3g}, {units.percent(share, 2)} uniform" if share else f"temperature {T:.3g}"
        loss = self.loss(T, share) if share else self.average(T)
        lost = 0 if share else self.infinite
        return [*rows, _row(f"best of the sliders (in sample): {said}", loss, self.finite, lost)]

    @property
    def ranges(self) -> dict[str, tuple[int, int]]:
        """The ends of the sliders."""
        return {"t": (-STEPS, STEPS), "e": (0, len(SHARES) - 1)}

    @property
    def ticks(self) -> dict[str, list[tuple[Any, ...]]]:
        """Where the picture says what: (text, x) of the curve."""
        steps = len(SHARES) - 2
        marks = [(f"{share:g}", round(50 + 260 / (steps + 1) * (1 + steps * math.log(share / 1e-6) / math.log(5e5)), 1)) for share in SHOWN_SHARES]  # fmt: skip
        return {"curve": [("0", 50.0), *marks]}

    def to_dict(self) -> dict[str, Any]:
        """Return all that the page's script needs, as plain values; the grid as base64 of little-endian float32."""
        i, j = _nearest(*self.best)
        state = {
            "kind": self.kind,
            "log_loss": None if self.infinite else self.log_loss,
            "finite": self.finite,
            "infinite": self.infinite,
            "rows": self.rows,
            "of": self.of,
            "errors": [[0.0, _upward(self.error), _upward(self.error)]],
            "says": "uniform share ",
            "lost_said": _lost(self.infinite),
            "best": [i - len(TEMPERATURES) // 2, j],
            "best_settings": list(self.best),
        }
        return {**jsonable(state), "grid": _base64(self.grid, "<f4"), "shares": SHARES.tolist()}

    def embedded(self) -> str:
        """Return JSON that may stand in a script element: nothing in it can end the element."""
        return _embedded(self.to_dict())


def of(told: Explanation | Summary) -> Sketch | MixSketch | None:
    """Return the sketch of an explanation or a summary; None where none can be told.

    That is: no row with finite log-odds; a summary of forecasts with a column per class, or saved by a version whose
    reliability grid had no moments; log-odds beyond 3e38.
    """
    score = getattr(told, "score", None)
    summary: Summary = told if score is None else score.summary
    record: Observations | None = getattr(told, "observations", None)
    if not math.isfinite(summary.mean_finite):
        return None
    if len(summary.classes) > 2:
        return None if record is None else _many(summary, mixes_of(record))
    if record is None:
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


def _many(summary: Summary, mixes: Mixes) -> MixSketch | None:
    if not np.isfinite(mixes.loss).all():
        return None
    middle = len(TEMPERATURES) // 2
    grid = mixes.loss + (summary.mean_finite - mixes.loss[middle, 0])  # rows that were drawn tell differences best
    seen = grid.copy()
    if summary.infinite[0]:
        seen[:, 0] = math.inf
    i, j = divmod(int(np.argmin(seen)), seen.shape[1])
    best = float(TEMPERATURES[i]), float(SHARES[j])
    whole = summary.mean, summary.mean_finite, summary.infinite[0]
    return MixSketch(*whole, mixes.rows, mixes.of, mixes.error, best, grid)


def settings_of(t: int, b: int, e: int) -> tuple[float, float, float]:
    """Return (T, b, eps) at positions of the sliders."""
    return 2 ** (t / 50), b / 50, 0.05 * 10 ** ((e - 100) / 16) if e else 0.0


def _search(cells: Cells) -> tuple[int, int, int]:
    """Return the positions of the sliders with the least loss: strides that halve, from several clips."""
    limits = ((LOWEST_T, HIGHEST_T), (-FURTHEST_B, FURTHEST_B), (0, HIGHEST_E))
    known: dict[tuple[int, ...], float] = {}

    def loss(at: tuple[int, ...]) -> float:
        if at not in known:
            known[at] = cells.loss(*settings_of(*at))  # type: ignore[arg-type]
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


def _row(setting: str, loss: float, given: float, infinite: int) -> tuple[str, str, str]:
    said = f"{_lost(infinite) if infinite else ''}{units.loss(loss)}"
    return setting, said, "" if setting == "as given" else units.signed(loss - given)


def _lost(infinite: int) -> str:
    return f"infinite ({units.count(infinite, 'row')} at exactly 0 happened); the others average "


def _nearest(T: float, share: float) -> tuple[int, int]:
    i = int(np.abs(np.log(TEMPERATURES / T)).argmin())
    return i, 0 if share == 0 else 1 + int(np.abs(np.log(SHARES[1:] / share)).argmin())


def _upward(error: float) -> float:
    """Round an error up to two digits, and never to nothing."""
    if error <= 0:
        return 0.0
    scale = 10.0 ** (math.floor(math.log10(max(error, 1e-9))) - 1)
    return float(f"{math.ceil(max(error, 1e-9) / scale) * scale:.2g}")


def _packed(side: Side) -> dict[str, str]:
    columns = {name: _base64(getattr(side, name), "<f4") for name in ("z", "h", "n")}
    return {**columns, "group": _base64(side.group, "u1")}


def _base64(values: Any, kind: str) -> str:
    return base64.b64encode(np.ascontiguousarray(values, kind).tobytes()).decode()


def _embedded(state: dict[str, Any]) -> str:
    text = json.dumps(state, allow_nan=False, separators=(",", ":"))
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text
