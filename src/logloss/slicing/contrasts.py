"""Two statistics of every slice, and what they are where there is nothing to find."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from logloss.calibrate.odds import probabilities
from logloss.calibrate.scaling import fit
from logloss.slicing.resampling import adjusted, permuted, regrouped, simulated

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from logloss.record import Observations
    from logloss.slicing.segments import Segments
    from logloss.why.steps import Held

    Float = NDArray[np.float64]

__all__ = ["ALPHA", "HARDER", "WORSE", "Contrasts"]

ALPHA = 0.05
BOUND = 40.0  # log-odds beyond which a forecast is as good as certain
MOST_GROUPS = 2000  # more are merged at random: fewer, larger units are exchanged
WORSE, HARDER = "worse calibrated", "harder"


class Contrasts:
    """What slices of a record are compared by. Arrays of shape (n,); weights of mean 1.

    With groups the statistics stay the same and only their null changes. Scaled by what the groups themselves show, a
    slice in which by luck nothing surprising happened would look certain: half of the data sets without structure
    would name one.
    """

    def __init__(
        self,
        record: Observations,
        parts: Segments,
        held: Held,
        surprise: Float,
        weight: Float,
        replicates: int,
        seed: int,
    ) -> None:
        self.parts, self.held, self.weight, self.replicates, self.seed = parts, held, weight, replicates, seed
        self.lost = np.isinf(surprise)
        s = np.where(self.lost, 0.0, surprise)
        kept = np.where(self.lost, 0.0, weight)
        self.mean = float((kept * s).sum() / kept.sum()) if kept.any() else 0.0
        self.s = s
        self.u = kept * (s - self.mean)
        self.odds = np.clip(held.odds, -BOUND, BOUND)
        self.given = self.odds if held.given is None else np.clip(held.given, -BOUND, BOUND)
        self.e, self.v = self._scores(np.ones(len(s), bool))
        coded = record.clusters()
        self.critical: dict[str, float] = {}  # the statistic that 2.5 % of data sets without structure exceed
        self.cluster = None if coded is None else _merged(coded.code, len(coded.keys), seed)

    def _scores(self, free: NDArray[np.bool_]) -> tuple[Float, Float]:
        """Return w (y - p) (1, logit p) of each row, shape (2, n), and the entries of their covariance, shape (3, n).

        Where slices were named, the rows left over get an offset and a temperature first: the remedies for all rows
        were fitted to the faults of those slices too.
        """
        odds, p = self.odds, self.held.p
        if not free.all():
            some = np.flatnonzero(free)[:: max(1, int(free.sum()) // 100_000)]
            w = self.weight[some]
            one = fit("affine", odds[some, None], self.held.happened[some, None], w / w.mean())
            odds = np.clip(one(odds[:, None])[:, 0], -BOUND, BOUND)
            p = probabilities(odds[:, None])[:, 0]
        off = np.where(free, self.weight * (self.held.happened - p), 0.0)
        spread = np.where(free, self.weight**2 * p * (1 - p), 0.0)
        return np.stack([off, off * odds]), np.stack([spread, spread * odds, spread * odds**2])

    def p_values(self) -> tuple[Float, Float]:
        """Return the adjusted p-values of loss and of calibration, each doubled for there are two questions."""
        loss, judge_loss = self._loss(self.u)
        calibration, judge_calibration = self._calibration(self.e, self.v)
        if self.cluster is not None:
            shares = self._shares()
            largest_loss = regrouped(
                self._by_group(self.u[None]), shares, self.seed, judge_loss, self.replicates
            )
            largest = regrouped(
                self._by_group(self.e), shares, self.seed + 1, judge_calibration, self.replicates
            )
        else:
            largest_loss = permuted(self.u, self.parts, self.seed, judge_loss, self.replicates)
            largest = simulated(
                self.held.p,
                self.weight,
                self.odds,
                self.parts,
                self.seed + 1,
                judge_calibration,
                self.replicates,
            )
        self.critical = {
            HARDER: float(np.quantile(largest_loss, 1 - ALPHA / 2)),
            WORSE: float(np.quantile(largest, 1 - ALPHA / 2)),
        }
        return (
            np.minimum(2 * adjusted(loss, largest_loss), 1.0),
            np.minimum(2 * adjusted(calibration, largest), 1.0),
        )

    def _loss(self, u: Float) -> tuple[Float, Callable[[Float], Float]]:
        """Return T of each slice, and what makes T out of sums."""
        sums = self.parts.sums(u)[0]
        n = len(u)
        m = self.parts.sums(np.ones(n))[0]
        scale = float(u.std()) * np.sqrt(m * (1 - m / n))
        scale = np.where(scale > 0, scale, np.inf)
        return sums / scale, lambda replicates: np.asarray(replicates[0] / scale)

    def _calibration(self, e: Float, v: Float) -> tuple[Float, Callable[[Float], Float]]:
        """Return Q of each slice, and what makes Q out of sums: U_a^2 / V_aa + (U_b - c U_a)^2 / (V_bb - c V_ab)."""
        aa, ab, bb = self.parts.sums(*v)
        with np.errstate(invalid="ignore", divide="ignore"):
            c = np.where(aa > 0, ab / aa, 0.0)
        left = bb - c * ab
        first = np.where(aa > 0, aa, np.inf)
        second = np.where(left > 1e-9 * np.maximum(bb, 1e-300), left, np.inf)

        def judge(sums: Float) -> Float:
            return np.asarray(sums[0] ** 2 / first + (sums[1] - c * sums[0]) ** 2 / second)

        return judge(self.parts.sums(*e)), judge

    def _by_group(self, columns: Float) -> Float:
        """Return sums by group and slice, and over all rows of the group last: (len(columns), groups, slices + 1)."""
        assert self.cluster is not None
        G = int(self.cluster.max()) + 1
        out = []
        for column in columns:
            tables = []
            for split in self.parts.splits:
                L = len(split.names) + 1
                table = np.bincount(self.cluster * L + split.code + 1, column, minlength=G * L)
                tables.append(table.reshape(G, L)[:, 1:])
            tables.append(np.bincount(self.cluster, column, minlength=G)[:, None])
            out.append(np.hstack(tables))
        return np.stack(out)

    def _shares(self) -> Float:
        """Return the share of each group's rows in each slice, shape (groups, slices + 1)."""
        counts = self._by_group(np.ones((1, len(self.u))))[0]
        return np.asarray(counts / counts[:, -1:])

    def standing(self, verdict: str, free: NDArray[np.bool_]) -> Float:
        """Return the statistic of each slice over the rows that are not in a slice named before."""
        if verdict == HARDER:
            return self._loss(self.u * free)[0]
        return self._calibration(*self._scores(free))[0]


def _merged(cluster: NDArray[np.int64], count: int, seed: int) -> NDArray[np.int64]:
    """Return clusters, merged at random where there are very many."""
    if count <= MOST_GROUPS:
        return cluster
    return (np.random.default_rng(seed).permutation(count) % MOST_GROUPS)[cluster]
