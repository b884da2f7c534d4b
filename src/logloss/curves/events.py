"""A checked record -> the yes/no questions about its rows that a reliability curve answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from logloss.curves.binning import Events
from logloss.surprises import class_blocks, columns_of, parts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from logloss.record import Observations

    Float = NDArray[np.float64]

__all__ = ["events_of_classes", "main_events"]


def main_events(record: Observations) -> Events:
    """Return the second of two classes as the event; of K classes, that the first choice is right.

    Beside it what the loss was and what the forecasts expected: `expected` (w H) and `surprise` (w s) over rows where
    it is finite, `variance` (w^2 v), `known` (w of those rows), `infinite` (the number of the other rows).
    """
    n, two = len(record), len(record.classes) == 2
    names = ("odds", "share", "weight", "surprise", "entropy", "variance", "p")
    column: dict[str, Float] = {name: np.empty(n) for name in names}
    first = np.zeros(n, np.int64)
    for part in parts(record):
        found = columns_of(record, part)
        first[part] = found.predicted
        column["odds"][part], column["share"][part], column["p"][part] = (
            found.odds,
            found.grid_share,
            found.grid_p,
        )
        column["weight"][part], column["surprise"][part] = found.weight, found.surprise
        column["entropy"][part], column["variance"][part] = found.entropy, found.variance
    odds, share, p = column["odds"], column["share"], column["p"]
    if two and not record.binary:  # two columns are about the first choice; the event is the second class
        odds, share = np.where(first == 0, -odds, odds), np.where(first == 0, 1.0 - share, share)
    if record.space == "p":
        given = record.forecast.astype(np.float64, copy=False)
        p = given if record.binary else given[:, 1] if two else given[np.arange(n), first]
        key, odds = p, _logit(p)
    elif record.binary:
        key = record.forecast.astype(np.float64, copy=False)
    else:
        key, p = odds, _expit(odds)
    w, s = column["weight"], column["surprise"]
    known = np.isfinite(s)
    beside = {
        "expected": np.where(known, w * column["entropy"], 0.0),
        "surprise": w * np.where(known, s, 0.0),
        "variance": np.where(known, w * w * column["variance"], 0.0),
        "known": np.where(known, w, 0.0),
        "infinite": np.where(known, 0.0, 1.0),
    }
    return _counted(Events(key, p, odds, share, w, beside))


def events_of_classes(record: Observations, chosen: Sequence[int]) -> list[Events]:
    """Return for each of these classes that it happened, whatever the others are."""
    at = np.asarray(chosen, np.int64)
    odds, share = np.empty((len(at), len(record))), np.empty((len(at), len(record)))
    given = record.space == "p"
    for part, s, t in class_blocks(record):
        odds[:, part] = 0.0 if given else _log_odds(s)[:, at].T
        share[:, part] = t[:, at].T
    w = np.ones(len(record)) if record.weight is None else record.weight
    found = []
    for one, column in enumerate(at):
        if given:
            p = record.forecast[:, column].astype(np.float64)
            found.append(_counted(Events(p, p, _logit(p), share[one], w, {})))
        else:
            found.append(_counted(Events(odds[one], _expit(odds[one]), odds[one], share[one], w, {})))
    return found


def _logit(p: Float) -> Float:
    """Return log p / (1 - p): -inf and inf where p is exactly 0 and 1."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(p) - np.log1p(-p))


def _expit(odds: Float) -> Float:
    with np.errstate(over="ignore"):
        return np.asarray(1.0 / (1.0 + np.exp(-odds)))


def _log_odds(s: Float) -> Float:
    """Return log p_k / (1 - p_k) of every class from their surprises, shape (m, K): exact where p_k is near 1."""
    at = (np.arange(len(s)), s.argmin(axis=1))
    others = np.exp(-s)
    with np.errstate(divide="ignore"):
        odds = -s - np.log1p(-np.minimum(others, 1.0))
        others[at] = 0.0
        odds[at] = -s[at] - np.log(others.sum(axis=1))
    return np.asarray(odds)


def _counted(events: Events) -> Events:
    """Return the events without rows of weight 0."""
    keep = events.weight > 0
    if keep.all():
        return events
    key, p, odds, share, weight = (
        column[keep] for column in (events.key, events.forecast, events.odds, events.share, events.weight)
    )
    return Events(key, p, odds, share, weight, {name: v[keep] for name, v in events.beside.items()})
