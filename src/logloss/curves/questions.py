"""A checked record -> one yes/no question about every row: whether a class happens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.curves.events import events_of_classes
from logloss.errors import AlignmentError, UsageError, listing
from logloss.plain import plain

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logloss.record import Observations

    Float = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = ["Question", "log_odds", "question"]


@dataclass(frozen=True, eq=False)
class Question:
    """Forecasts of one event and whether it happened; arrays of shape (n,), of the rows that count.

    Attributes
    ----------
    event
        The class that happens, or not.
    p, odds
        Its forecast as a probability and as log-odds; each exact where the other is rounded.
    share
        Whether it happened, or its share.
    weight
        Above 0.
    written
        Whether forecasts were given as probabilities: then these decide which thresholds are reached, not the log-odds.
    single
        Whether p itself was given, in one column: then it is exact, and the log-odds are computed from it.
    cluster
        Position of each row's group; None without groups.
    """

    event: Any
    p: Float
    odds: Float
    share: Float
    weight: Float
    written: bool
    single: bool
    cluster: Ints | None = None

    def __len__(self) -> int:
        return len(self.weight)

    def reach(self, thresholds: Float, *, ties: bool) -> Ints:
        """Return how many of the ascending thresholds each forecast is above; or on, where `ties` count."""
        side = "right" if ties else "left"
        key, at = (self.p, thresholds) if self.written else (self.odds, log_odds(thresholds))
        return np.searchsorted(at, key, side=side).astype(np.int64)  # type: ignore[call-overload,no-any-return]


def question(record: Observations, event: Any = None) -> Question:
    """Ask of every row whether `event` happens: by default the second of two classes."""
    k = _position(record, event)
    name = plain(record.classes[k])
    w = np.ones(len(record)) if record.weight is None else record.weight
    keep = w > 0
    if not keep.any():
        raise AlignmentError("no-rows", "No row counts.", cure="Give rows with a weight above 0.")
    if not keep.all():
        return question(record.take(keep), event)
    written = record.space == "p"
    clusters = record.clusters()
    cluster = None if clusters is None else clusters.code.astype(np.int64)
    if not record.binary:
        (found,) = events_of_classes(record, [k])
        odds = _odds_of_columns(record, k) if written else found.odds
        return Question(name, found.forecast, odds, found.share, w, written, single=False, cluster=cluster)
    given = record.forecast.astype(np.float64, copy=False)
    share = record.outcome.astype(np.float64, copy=False)
    if written:
        p = given if k else 1.0 - given
        odds = log_odds(given) if k else -log_odds(given)
    else:
        z = given if record.space == "logit" else given - _log1mexp(given)
        odds = z if k else -z
        p = _expit(odds)
    return Question(name, p, odds, share if k else 1.0 - share, w, written, single=k == 1, cluster=cluster)


def _position(record: Observations, event: Any) -> int:
    """Return which class the question is about."""
    classes = [plain(label) for label in record.classes]
    if event is None:
        if len(classes) == 2:
            return 1
        raise UsageError(
            "which-event",
            f"A decision is about one class, and there are {len(classes)}: {listing(map(repr, classes))}.",
            cure=f"Say which, such as event={classes[0]!r} (CLI: --event): it is taken against all others.",
        )
    found = [at for at, label in enumerate(classes) if label == plain(event)] or [
        at for at, label in enumerate(classes) if str(label) == str(event)
    ]
    if not found:
        raise UsageError(
            "which-event",
            f"{plain(event)!r} is not a class.",
            cure=f"Classes: {listing(map(repr, classes), limit=20)}.",
        )
    return found[0]


def _odds_of_columns(record: Observations, k: int) -> Float:
    """Return the log-odds of one of several columns of probabilities: the others added up, exact where p_k is near 1."""
    p = record.forecast[:, k].astype(np.float64)
    rest = np.delete(record.forecast, k, axis=1).sum(axis=1, dtype=np.float64)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(p) - np.log(rest))


def log_odds(p: Float) -> Float:
    """Return log p / (1 - p): -inf and inf where p is exactly 0 and 1."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(p) - np.log1p(-p))


def _log1mexp(x: Float) -> Float:
    """Return log(1 - exp(x)) of x <= 0."""
    with np.errstate(divide="ignore"):
        return np.where(x > -np.log(2.0), np.log(-np.expm1(x)), np.log1p(-np.exp(x)))


def _expit(odds: Float) -> Float:
    from scipy.special import expit

    return np.asarray(expit(odds))
