"""Two sets of rows side by side: why one loses more than the other, in parts that add up exactly, with standard errors.

Two cuts of the same difference of mean losses. By class, with shares pi_k and mean losses l_k on each side (Kitagawa
1955, J. Am. Stat. Assoc. 50:1168-1194):

    L_b - L_a = sum_k (pi_bk - pi_ak) (l_bk + l_ak) / 2  +  sum_k (l_bk - l_ak) (pi_bk + pi_ak) / 2

By belief, with H the loss that the forecasts expect (their entropy):

    L_b - L_a = (H_b - H_a)  +  ((L_b - H_b) - (L_a - H_a))

Every part is smooth in weighted means of rows, so its standard error is that of the sum of what each row moves it by
(the delta method).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.summary import CLASS_MEASURES
from logloss.surprises import class_blocks, columns_of, parts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from logloss.record import Observations
    from logloss.summary import Summary

    Float = NDArray[np.float64]

__all__ = ["Part", "Side", "by_belief", "by_class", "side_of_record", "side_of_summary"]


@dataclass(frozen=True)
class Part:
    """A part of a difference of losses in nats; no standard error of one row, or where only a summary is known."""

    name: str
    nats: float
    standard_error: float | None


@dataclass(frozen=True, eq=False)
class Side:
    """One set of rows: means over those with finite surprise.

    Attributes
    ----------
    expected, excess
        Mean entropy of the forecasts, and mean surprise less that.
    share, loss
        Shape (K,): share of the weight and mean loss of each class, 0 where there is none; None where unknown.
    error_of
        Standard error of a mean of (value of the row's class + slope of the class * (surprise - loss of the class)).
    errors
        Standard errors of `expected` and `excess`.
    """

    classes: tuple[Any, ...]
    expected: float
    excess: float
    share: Float | None
    loss: Float | None
    error_of: Callable[[Float, Float], float] | None
    errors: tuple[float, float] | None

    def ordered(self, classes: tuple[Any, ...]) -> Side:
        """Return the same with its classes in this order."""
        if classes == self.classes or self.share is None or self.loss is None:
            return self
        at = np.array([self.classes.index(label) for label in classes])
        back, inner = np.argsort(at), self.error_of

        def error_of(value: Float, slope: Float) -> float:
            assert inner is not None
            return inner(value[back], slope[back])

        outer = None if inner is None else error_of
        return Side(classes, self.expected, self.excess, self.share[at], self.loss[at], outer, self.errors)


def by_class(a: Side, b: Side) -> tuple[tuple[Part, ...], tuple[dict[str, Any], ...]]:
    """Return what the mix of classes and what their losses make of L_b - L_a, and the same by class."""
    b = b.ordered(a.classes)
    if a.share is None or b.share is None or a.loss is None or b.loss is None:
        return (), ()
    # A class that one side lacks has the other's loss there: it makes the mix different, nothing else.
    loss_a, loss_b = np.where(a.share > 0, a.loss, b.loss), np.where(b.share > 0, b.loss, a.loss)
    middle, rise = 0.5 * (loss_a + loss_b), loss_b - loss_a
    change, mean = b.share - a.share, 0.5 * (a.share + b.share)
    mix, within = change * middle, mean * rise
    both = (a.share > 0) & (b.share > 0)
    errors: list[float | None] = [None, None]
    if a.error_of is not None and b.error_of is not None:
        squares = np.zeros(2)
        for side, sign in ((a, -1.0), (b, 1.0)):
            assert side.share is not None
            assert side.error_of is not None
            held = np.where(side.share > 0, side.share, 1.0)
            slope = np.where(both, 0.5 * change, change) / held
            squares[0] += side.error_of(sign * middle, slope) ** 2
            squares[1] += side.error_of(0.5 * rise, sign * np.where(both, mean, 0.0) / held) ** 2
        errors = [_known(float(error)) for error in np.sqrt(squares)]
    found = (
        Part("class mix", float(mix.sum()), errors[0]),
        Part("within classes", float(within.sum()), errors[1]),
    )
    rows = tuple(
        {
            "class": label,
            "share": [float(a.share[k]), float(b.share[k])],
            "log_loss": [float(s.loss[k]) if s.share[k] > 0 else None for s in (a, b)],  # type: ignore[index]
            "mix": float(mix[k]),
            "within": float(within[k]),
        }
        for k, label in enumerate(a.classes)
    )
    return found, rows


def by_belief(a: Side, b: Side) -> tuple[Part, ...]:
    """Return what the change of the expected loss and of the excess over it make of L_b - L_a."""
    errors: list[float | None] = [None, None]
    if a.errors is not None and b.errors is not None:
        errors = [_known(float(np.hypot(*pair))) for pair in zip(a.errors, b.errors, strict=True)]
    return (
        Part("expected loss", b.expected - a.expected, errors[0]),
        Part("excess surprise", b.excess - a.excess, errors[1]),
    )


def _known(error: float) -> float | None:
    return None if np.isnan(error) else error


def side_of_summary(summary: Summary) -> Side:
    """Return a side from what a pass kept: the parts, without their standard errors."""
    rows, weight, nats, infinite = (summary.by_class.sums[CLASS_MEASURES.index(m)] for m in CLASS_MEASURES)
    share = loss = None
    soft = bool(summary.mass["outcome_entropy"] > 0)
    if not summary.infinite[0] or not (summary.weighted or soft):
        # Without weights the rows with infinite surprise are known by class, and leave the others.
        known = weight - infinite if summary.infinite[0] else weight
        share = known / known.sum()
        loss = np.where(known > 0, nats / np.where(known > 0, known, 1.0), 0.0)
    del rows
    excess = summary.mean_finite - summary.expected
    return Side(summary.classes, summary.expected, excess, share, loss, None, None)


def side_of_record(record: Observations) -> Side:
    """Return a side from its rows."""
    n = len(record)
    w, s, H = np.empty(n), np.empty(n), np.empty(n)
    for part in parts(record):
        found = columns_of(record, part)
        w[part], s[part], H[part] = found.weight, found.surprise, found.entropy
    keep = (w > 0) & np.isfinite(s)
    w = np.where(keep, w, 0.0)
    s, H = np.where(keep, s, 0.0), np.where(keep, H, 0.0)
    total = w.sum()

    def error(moved: Float) -> float:
        """Return the standard error of a mean of rows that move it by `moved`, of mean 0."""
        m = int(keep.sum())
        return float(np.sqrt(((w * moved) ** 2).sum() * (m / (m - 1))) / total) if m > 1 else float("nan")

    expected, mean = float((w * H).sum() / total), float((w * s).sum() / total)
    errors = error(H - expected), error(s - H - (mean - expected))
    mass, nats = _by_class(record, w, s, keep)
    share, loss = mass / mass.sum(), np.where(mass > 0, nats / np.where(mass > 0, mass, 1.0), 0.0)

    def error_of(value: Float, slope: Float) -> float:
        centred = value - float((share * value).sum())
        if not record.soft:
            code = record.outcome.astype(np.int64, copy=False)
            return error(centred[code] + slope[code] * (s - loss[code]))
        moved = np.zeros(n)
        for part, by, t in _shared(record, keep):
            moved[part] = (t * (centred + slope * (by - loss))).sum(axis=1)
        return error(moved)

    return Side(record.classes, expected, mean - expected, share, loss, error_of, errors)


def _by_class(record: Observations, w: Float, s: Float, keep: NDArray[np.bool_]) -> tuple[Float, Float]:
    """Return the weight of each class, and the sum of its losses."""
    K = len(record.classes)
    if not record.soft:
        code = record.outcome.astype(np.int64, copy=False)
        found = [np.bincount(code, column, minlength=K) for column in (w, w * s)]
        return np.asarray(found[0], np.float64), np.asarray(found[1], np.float64)
    mass, nats = np.zeros(K), np.zeros(K)
    for part, by, t in _shared(record, keep):
        mass += (w[part, None] * t).sum(axis=0)
        nats += (w[part, None] * t * by).sum(axis=0)
    return mass, nats


def _shared(record: Observations, keep: NDArray[np.bool_]) -> Iterator[tuple[slice, Float, Float]]:
    """Yield (rows, surprise of every class that has a share, shares), without the rows that do not count."""
    for part, by, shares in class_blocks(record):
        t = np.where(keep[part, None], shares, 0.0)
        yield part, np.where(t > 0, by, 0.0), t
