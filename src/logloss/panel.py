"""Several forecasts of the same rows in one pass: a summary of each, and what their paired differences need."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.comparing.counts import joint_moments
from logloss.comparing.tallies import Tally
from logloss.errors import AlignmentError, SourceError, UsageError
from logloss.interval import Interval, hall_t
from logloss.saving import read_json, write_json
from logloss.summary import Summary
from logloss.tally import Moments, Table

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

    from logloss.record import Observations

    Float = NDArray[np.float64]

__all__ = ["SCHEMA", "Panel", "load"]

SCHEMA = 2


@dataclass(frozen=True, eq=False)
class Panel:
    """One pass over rows of several forecasts.

    Attributes
    ----------
    summaries
        The summary of each forecast, by name.
    joint
        Moments of (w, w s_1, ..., w s_M) over the rows that are finite under all of them.
    apart
        Shape (2, M, M): rows and weight that are infinite under the first and finite under the second.
    tally
        What comparing them takes; None in panels saved before there was any.
    """

    summaries: dict[str, Summary]
    joint: Moments
    apart: Table
    tally: Tally | None = None

    @classmethod
    def of(cls, summaries: dict[str, Summary], surprise: Float, records: dict[str, Observations]) -> Panel:
        """Return the panel of rows: their summaries, surprise (M, n) and records by forecast."""
        given = next(iter(records.values())).weight
        weight = np.ones(surprise.shape[1]) if given is None else given
        counts = weight > 0
        w, s = (weight, surprise) if counts.all() else (weight[counts], surprise[:, counts])
        lost = np.isinf(s)
        shared = ~lost.any(axis=0)
        u, v = (w, s) if shared.all() else (w[shared], s[:, shared])
        joint = joint_moments(np.vstack([u, v * u]))
        one = lost[:, ~shared].astype(np.float64)
        both = one[:, None, :] * (1.0 - one)
        apart = np.stack([both.sum(axis=2), (both * w[~shared]).sum(axis=2)])
        return cls(summaries, joint, Table(apart), Tally.of(records, surprise, weight))

    @property
    def names(self) -> list[str]:
        """Names of the forecasts in order."""
        return list(self.summaries)

    def __add__(self, other: Panel) -> Panel:
        """Return the panel of both parts together."""
        if self.names != other.names:
            raise AlignmentError(
                "parts-differ",
                f"These parts do not belong together: forecasts {self.names} against {other.names}.",
                cure="Score all parts with the same forecasts.",
            )
        summaries = {name: self.summaries[name] + other.summaries[name] for name in self.names}
        tally = None if self.tally is None or other.tally is None else self.tally + other.tally
        return Panel(summaries, self.joint + other.joint, self.apart + other.apart, tally)

    def difference(self, a: str, b: str, level: float = 0.95) -> tuple[float, Interval | None]:
        """Return the mean of s_a - s_b, paired, and its interval (None where undefined).

        Of u = w (s_a - s_b - m), by Hall's transformation, over the rows that are finite under all forecasts. +-inf
        where one forecast is infinite on a row and the other is not; NaN where this goes both ways: inf - inf.
        """
        for name in (a, b):
            if name not in self.summaries:
                raise UsageError(
                    "no-such-model", f"There is no forecast {name!r}.", cure=f"There are {self.names}."
                )
        i, j = self.names.index(a), self.names.index(b)
        only_a, only_b = self.apart.sums[0, i, j] > 0, self.apart.sums[0, j, i] > 0
        if only_a or only_b:
            return math.nan if only_a and only_b else math.inf if only_a else -math.inf, None
        if not self.joint.n:
            return math.nan, None
        mean_weight = float(self.joint.mean[0])
        mean = float(self.joint.mean[1 + i] - self.joint.mean[1 + j]) / mean_weight
        direction = np.zeros(1 + len(self.names))
        direction[0] = -mean
        direction[1 + i] += 1.0
        direction[1 + j] -= 1.0
        second, third = self.joint.along(direction)
        return mean, hall_t(mean, self.joint.n, second, third, level=level, scale=mean_weight)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "schema": SCHEMA,
            "kind": "logloss-panel",
            "summaries": {name: summary.to_dict() for name, summary in self.summaries.items()},
            "joint": self.joint.to_dict(),
            "apart": self.apart.to_dict(),
            "tally": None if self.tally is None else self.tally.to_dict(),
        }

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Panel:
        """Return what `to_dict` wrote."""
        if state.get("kind") != "logloss-panel" or state.get("schema") not in (1, SCHEMA):
            raise SourceError(
                "not-a-summary",
                "This JSON is not a panel of summaries this version can read.",
                cure="Write it with `logloss score --save`.",
            )
        return cls(
            {name: Summary.from_dict(summary) for name, summary in state["summaries"].items()},
            Moments.from_dict(state["joint"]),
            Table.from_dict(state["apart"]),
            None if state.get("tally") is None else Tally.from_dict(state["tally"]),
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write JSON to `path`, whole or not at all."""
        write_json(self.to_dict(), path)


def load(path: str | os.PathLike[str]) -> Summary | Panel:
    """Read a saved summary or panel.

    Raises
    ------
    SourceError
        Where the file is neither, or of another version.
    """
    return read_json(path, from_dict)


def from_dict(state: dict[str, Any]) -> Summary | Panel:
    """Return the summary or panel that `to_dict` wrote."""
    return (Panel if state.get("kind") == "logloss-panel" else Summary).from_dict(state)
