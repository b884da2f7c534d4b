"""Panels saved before there were tallies: what their moments tell of every pair."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from logloss.comparing.counts import EPS, PAIR_MEASURES
from logloss.comparing.tallies import Tally
from logloss.tally import Keyed, Ledger, Moments, Top

if TYPE_CHECKING:
    from logloss.panel import Panel

__all__ = ["tally_of"]


def tally_of(panel: Panel) -> Tally:
    """Return the tally of a panel; of one that has none, what its moments tell, NaN where they tell nothing."""
    if panel.tally is not None:
        return panel.tally
    names = panel.names
    M = len(names)
    summaries = list(panel.summaries.values())
    couples = list(itertools.combinations(range(M), 2))
    lost = np.array([one.infinite for one in summaries], np.float64)
    models = Keyed.stacked(
        [one.moments for one in summaries], np.hstack([lost, np.full((M, len(EPS)), np.nan)])
    )
    moments, sums = [], np.full((len(couples), len(PAIR_MEASURES)), np.nan)
    for at, (i, j) in enumerate(couples):
        project = np.zeros((2, 1 + M))
        project[0, 0], project[1, 1 + i], project[1, 1 + j] = 1.0, 1.0, -1.0
        joint = panel.joint
        moments.append(
            Moments(
                joint.n,
                project @ joint.mean,
                project @ joint.second @ project.T,
                np.einsum("ai,bj,ck,ijk->abc", project, project, project, joint.third),
            )
        )
        alone = panel.apart.sums
        sums[at, 5:] = [
            *(alone[0, i, j], alone[1, i, j], alone[0, j, i], alone[1, j, i]),
            *(lost[i] - alone[:, i, j]),
        ]
    none = Top(0)
    tops = tuple((none, none, none) for _ in couples)
    first = summaries[0]
    return Tally(
        tuple(names), first.n, first.weight, models, Keyed.stacked(moments, sums), tops, _groups(panel)
    )


def _groups(panel: Panel) -> Ledger | None:
    keyed = [one.groups for one in panel.summaries.values()]
    first = keyed[0]
    if first is None:
        return None
    columns = [first.sums[:, 0], first.sums[:, 1]]
    for one in keyed:
        assert one is not None
        assert one.keys == first.keys
        columns += [one.n * one.mean[:, 1], one.sums[:, 2], one.sums[:, 3]]
    return Ledger(first.keys, np.stack(columns, axis=1))
