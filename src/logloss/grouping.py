"""Results by group: loss, interval, baseline, skill of each; and what groups say about the whole."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.interval import hall_t
from logloss.plain import jsonable
from logloss.summary import GROUP_MEASURES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logloss.summary import Summary
    from logloss.tally import Keyed

__all__ = ["Groups", "by_group"]


@dataclass(frozen=True, eq=False)
class Groups:
    """The results of each group, costliest in total first.

    Attributes
    ----------
    rows
        For each group: `group`, `rows`, `weight`, `log_loss` ("inf" in JSON where infinite), `infinite_rows`,
        `interval`, `base_rate` (of the group's own class shares; None for many classes), `skill`, `share` of the
        finite loss.
    base_rate
        The loss of knowing the class shares of each group, and nothing else; None for many classes.
    standard_error, interval
        Of the whole mean, were groups drawn and not rows: the jackknife over groups, t with G - 1 degrees of
        freedom. None for fewer than two groups or an infinite loss. With fewer than ten it is too narrow.
    """

    rows: tuple[dict[str, Any], ...]
    base_rate: float | None
    standard_error: float | None
    interval: tuple[float, float] | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        state: dict[str, Any] = jsonable(
            {
                "by_group": list(self.rows),
                "base_rate": self.base_rate,
                "standard_error": self.standard_error,
                "interval": self.interval,
            }
        )
        return state


def by_group(summary: Summary, level: float) -> Groups:
    """Return the results of a summary's groups."""
    keyed = summary.groups
    assert keyed is not None
    shares = _base_rates(keyed)
    total = summary.finite_nats
    found = []
    for at, key in enumerate(keyed.keys):
        rows, weight, infinite = keyed.sums[at, :3].tolist()
        moments = keyed.at(at)
        finite = float(moments.n * moments.mean[0])
        nats = float(moments.n * moments.mean[1])
        mean = nats / finite if finite > 0 else math.nan
        loss = math.inf if infinite else mean
        interval = None
        if not infinite and moments.n > 1:
            second, third = moments.along(np.array([-mean, 1.0]))
            interval = hall_t(mean, moments.n, second, third, level=level, scale=float(moments.mean[0]))
        base = None if shares is None else float(shares[at])
        found.append(
            {
                "group": key,
                "rows": int(rows),
                "weight": weight,
                "log_loss": loss,
                "infinite_rows": int(infinite),
                "interval": None if interval is None else [max(0.0, interval.low), interval.high],
                "base_rate": base,
                "skill": None if base is None or not base > 0 else 1 - loss / base,
                "share": nats / total if total > 0 else None,
            }
        )
    found.sort(key=lambda one: (-one["infinite_rows"], -(one["share"] or 0.0), str(one["group"])))
    error, interval_ = _jackknife(summary, level)
    weights = keyed.sums[:, 1]
    base_rate = None if shares is None else float(np.dot(weights, shares) / weights.sum())
    return Groups(tuple(found), base_rate, error, interval_)


def _base_rates(keyed: Keyed) -> NDArray[np.float64] | None:
    """Return the entropy of each group's class shares, shape (G,)."""
    by_class = keyed.sums[:, len(GROUP_MEASURES) :]
    if not by_class.shape[1]:
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = by_class / by_class.sum(axis=1, keepdims=True)
        return np.asarray(-np.where(shares > 0, shares * np.log(shares), 0.0).sum(axis=1) + 0.0)


def _jackknife(summary: Summary, level: float) -> tuple[float | None, tuple[float, float] | None]:
    """Return standard error and interval of the mean over groups.

    With m_(g) the mean without group g: V = (G - 1)/G sum (m_(g) - mean of these)^2.
    """
    keyed = summary.groups
    assert keyed is not None
    weight, nats = keyed.n * keyed.mean[:, 0], keyed.n * keyed.mean[:, 1]
    used = weight > 0
    G = int(used.sum())
    rest = weight[used].sum() - weight[used]
    if summary.infinite[0] or G < 2 or not (rest > 0).all():
        return None, None
    from scipy.special import stdtrit

    without = (nats[used].sum() - nats[used]) / rest
    error = math.sqrt((G - 1) / G * float(((without - without.mean()) ** 2).sum()))
    q = float(stdtrit(G - 1, 0.5 + level / 2))
    return error, (max(0.0, summary.mean - q * error), summary.mean + q * error)
