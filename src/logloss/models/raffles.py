"""Raffles: who sires how many of a brood's offspring, as hypotheses that are fitted and judged by log loss.

    from logloss.models.raffles import Raffle, likelihood_ratio

In a fair raffle every sperm is one ticket. In a loaded one a sperm of male 1 is worth r tickets; with a power, doubling
the sperm does not double the odds.
"""

from __future__ import annotations

import math
import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from logloss import units
from logloss.codes import Coded
from logloss.errors import AlignmentError, UsageError, listing
from logloss.models.broods import sired, tickets
from logloss.models.likelihood import NEARLY, alike, curvature, independent
from logloss.models.siring import Law
from logloss.notes import Note
from logloss.pairing import check_indexes
from logloss.plain import jsonable
from logloss.recognise import vector

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = ["LikelihoodRatio", "Raffle", "likelihood_ratio"]

RIDGE = 0.08  # nats per unit of (log r)^2: that of a normal with standard deviation 2.5, r from 0.007 to 134


class Raffle:
    """k of n offspring are sired by male 1, of s1 against s2 sperm: log-odds log r + b log(s1 / s2).

    Parameters
    ----------
    loaded
        Fit r, what a sperm of male 1 is worth in sperm of male 2. Otherwise r = 1: the raffle is fair.
    power
        Fit the slope b. Otherwise b = 1: tickets in proportion to sperm. Sperm counted with error pull b towards 0.
    overdispersed
        Fit rho, the correlation of two offspring of a brood: the beta-binomial law. Otherwise they are independent.
    ridge
        Nats that are added for each unit of (log r)^2 and of (b - 1)^2. None (default): none, unless r or b is unbounded
        without, as where male 1 sires all or nothing; then 0.08, and `notes_` says so.

    Attributes
    ----------
    log_r_, r_, slope_, rho_, phi_
        As fitted, or as the hypothesis has them. phi = rho / (1 - rho).
    standard_error_
        {"log_r", "slope", "rho"}: of what was fitted, from the curvature of the likelihood. rho at its bound has none.
    robust_standard_error_
        The same were broods (or the `groups` of `fit`) drawn: right also where offspring of a brood are alike. Sandwich with
        G / (G - 1).
    nll_
        Nats of all broods, log C(n, k) included, without the ridge.
    ridge_
        The ridge that was used.
    notes_
        What was found.

    Examples
    --------
    >>> from logloss.models.raffles import Raffle
    >>> X = {"s1": [100, 50, 200, 120], "s2": [100, 100, 100, 80], "n": [10, 12, 8, 15]}
    >>> loaded = Raffle(loaded=True).fit(X, [7, 6, 7, 9])
    >>> print(loaded)
    Raffle(loaded): 4 broods, 6.2246 nats; r = 1.741, log r = 0.5547 (standard error 0.3212; broods drawn 0.2561)
    >>> loaded.surprise({"s1": [120], "s2": [80], "n": [10]}, [7]).round(4)
    array([1.3343])

    References
    ----------
    Parker (1990), Sperm competition games: raffles and roles, Proc. R. Soc. Lond. B 242:120-126. Williams (1982),
    Extra-binomial variation in logistic linear models, J. R. Stat. Soc. C 31:144-148.
    """

    log_r_: float
    slope_: float
    rho_: float
    standard_error_: dict[str, float]
    robust_standard_error_: dict[str, float]
    nll_: float
    ridge_: float
    notes_: tuple[Note, ...]

    def __init__(
        self,
        *,
        loaded: bool = False,
        power: bool = False,
        overdispersed: bool = False,
        ridge: float | None = None,
    ) -> None:
        self.loaded = loaded
        self.power = power
        self.overdispersed = overdispersed
        self.ridge = ridge

    def fit(self, X: Any, y: Any, groups: Any = None) -> Self:
        """Fit to broods: X has columns s1, s2, n, shape (n,) each; y is k, shape (n,).

        Parameters
        ----------
        X
            A table with columns named s1, s2 and n, others are not looked at; or rows of these three numbers.
        y
            Offspring of male 1, 0 to n.
        groups
            Broods that belong together (of one female, of one pair), shape (n,), for `robust_standard_error_`.

        Raises
        ------
        DataError
            Where a row is no brood: sperm numbers of 0, no offspring, k above n.
        """
        if self.ridge is not None and not (self.ridge >= 0 and math.isfinite(self.ridge)):
            raise UsageError("bad-raffle", f"ridge is {self.ridge}.", cure="Give a number of nats, 0 or more, or None.")  # fmt: skip
        check_indexes({"X": X, "y": y, "groups": groups})
        x, n = tickets(X)
        k = sired(y, n)
        law, notes = Law(k, n), []
        columns = [np.ones(len(n))] * self.loaded + [x] * self.power
        Z = np.stack(columns, axis=1) if columns else np.zeros((len(n), 0))
        start = np.array([0.0] * self.loaded + [1.0] * self.power)
        ridge = self.ridge or 0.0
        if len(start) and self.ridge is None and self._unbounded(x, k, n):
            ridge = RIDGE
            notes.append(Note("ridge-on-raffle", f"These broods bound {self._fitted()} on one side only, so {RIDGE} nats were added for each unit of its square: what is fitted depends on that."))  # fmt: skip
        offset = x * (not self.power)
        theta = independent(law, Z, start, offset, ridge)
        rho = 0.0
        if self.overdispersed and (n > 1).any():
            theta, rho = alike(law, Z, start, offset, ridge, theta)
        elif self.overdispersed:
            notes.append(Note("no-pairs", "No brood has two offspring, so nothing tells how alike they are: rho is 0."))  # fmt: skip
        self.log_r_ = float(theta[0]) if self.loaded else 0.0
        self.slope_ = float(theta[-1]) if self.power else 1.0
        self.rho_, self.ridge_, self.notes_ = rho, ridge, tuple(notes)
        self.nll_ = float(law.surprise(offset + (Z * theta).sum(axis=1), rho).sum())
        self._broods = (len(n), int(n.sum()), int(k.sum()), float(x.sum()))
        self._errors(law, Z, offset + (Z * theta).sum(axis=1), groups)
        return self

    @property
    def r_(self) -> float:
        """What a sperm of male 1 is worth in sperm of male 2."""
        return math.exp(self.log_r_)

    @property
    def phi_(self) -> float:
        """What the beta law calls 1 / (a + b): rho / (1 - rho)."""
        return self.rho_ / (1 - self.rho_) if self.rho_ < 1 else math.inf

    def probability(self, X: Any) -> Float:
        """Return the probability that male 1 sires an offspring, shape (n,)."""
        return np.asarray(np.exp(-np.logaddexp(0.0, -self._log_odds(tickets(X)[0]))))

    def surprise(self, X: Any, y: Any) -> Float:
        """Return -log f(k) of each whole brood in nats, shape (n,); log C(n, k) is in, so that laws compare."""
        check_indexes({"X": X, "y": y})
        x, n = tickets(X)
        eta = self._log_odds(x)
        return Law(sired(y, n), n).surprise(eta, self.rho_)

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002  # scikit-learn's signature
        """Return the arguments, as scikit-learn asks for them."""
        return {name: getattr(self, name) for name in ("loaded", "power", "overdispersed", "ridge")}

    def set_params(self, **params: Any) -> Self:
        """Set arguments, as scikit-learn does."""
        for name, value in params.items():
            if name not in self.get_params():
                raise UsageError("bad-raffle", f"A raffle has no {name!r}.", cure=f"It has {listing(self.get_params())}.")  # fmt: skip
            setattr(self, name, value)
        return self

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn, which asks, that this is neither classifier nor regressor."""
        return sys.modules["sklearn.base"].BaseEstimator().__sklearn_tags__()

    def __repr__(self) -> str:
        on = [name for name in ("loaded", "power", "overdispersed") if getattr(self, name)]
        return f"Raffle({', '.join(on) or 'fair'})"

    def __str__(self) -> str:
        if not hasattr(self, "rho_"):
            return repr(self)
        told = [
            f"r = {units.loss(self.r_, digits=3)}, {self._said('log_r', 'log r', self.log_r_)}"
        ] * self.loaded
        told += [self._said("slope", "b", self.slope_)] * self.power
        told += [self._said("rho", "rho", self.rho_)] * self.overdispersed
        told += [note.text for note in self.notes_]
        head = f"{self!r}: {units.count(self._broods[0], 'brood')}, {units.loss(self.nll_)} nats"
        return "; ".join([head, *told])

    def _said(self, name: str, sign: str, value: float) -> str:
        text = f"{sign} = {units.loss(value)}"
        if name not in self.standard_error_:
            return f"{text} (at its bound)"
        errors = [units.loss(one[name]) for one in (self.standard_error_, self.robust_standard_error_)]
        return f"{text} (standard error {errors[0]}; broods drawn {errors[1]})"

    def _fitted(self) -> str:
        return " and ".join(["log r"] * self.loaded + ["b"] * self.power)

    def _log_odds(self, x: Float) -> Float:
        if not hasattr(self, "rho_"):
            raise UsageError("not-fitted", f"{self!r} has not been fitted.", cure="Call fit(X, y) first.")
        return self.log_r_ + self.slope_ * x

    def _unbounded(self, x: Float, k: Ints, n: Ints) -> bool:
        """Tell whether some direction of (log r, b) makes all broods no less likely, for ever."""
        none, every = x[k == 0], x[k == n]
        mixed = x[(k > 0) & (k < n)]
        if self.loaded and not len(mixed) and (not len(none) or not len(every)):
            return True
        if not self.power:
            return False
        for sign in (1.0, -1.0):  # is there c with  sign x <= c of `none`, >= c of `every`, = c of `mixed`?
            low = max(
                (sign * np.concatenate([none, mixed])).max(initial=-np.inf), -np.inf if self.loaded else 0.0
            )
            high = min(
                (sign * np.concatenate([every, mixed])).min(initial=np.inf), np.inf if self.loaded else 0.0
            )
            if low <= high:
                return True
        return False

    def _errors(self, law: Law, Z: Float, eta: Float, groups: Any) -> None:
        """Set the standard errors of what was fitted."""
        names = ["log_r"] * self.loaded + ["slope"] * self.power
        names += ["rho"] * (0 < self.rho_ < NEARLY)
        self.standard_error_, self.robust_standard_error_ = {}, {}
        if not names:
            return
        slopes = law.at(eta, self.rho_)
        by = np.concatenate([Z * slopes.by_eta[:, None], slopes.by_rho[:, None]], axis=1)[:, : len(names)]
        inverse = np.linalg.pinv(
            curvature(slopes, Z, self.ridge_)[: len(names), : len(names)], hermitian=True
        )
        code = np.arange(len(by)) if groups is None else Coded.of(vector(groups, "The groups").values).code
        if len(code) != len(by):
            raise AlignmentError(
                "different-lengths",
                f"The parts have different lengths: {len(by):,} broods, {len(code):,} groups.",
                cure="Give one of each per brood.",
            )
        sums = np.stack([np.bincount(code, column) for column in by.T], axis=1)
        G = len(sums)
        middle = np.array([[(a * b).sum() for a in sums.T] for b in sums.T]) * (
            G / (G - 1) if G > 1 else np.nan
        )
        robust = inverse @ middle @ inverse
        for at, name in enumerate(names):
            self.standard_error_[name] = math.sqrt(max(inverse[at, at], 0.0))
            self.robust_standard_error_[name] = math.sqrt(max(robust[at, at], 0.0)) if G > 1 else math.nan


@dataclass(frozen=True)
class LikelihoodRatio:
    """Twice the log of how many times more likely the larger of two nested hypotheses makes the data.

    Attributes
    ----------
    statistic
        2 (nll small - nll large).
    p_value
        Of the smaller one: chi-squared with `freedom`; where rho is among what is added, which the smaller one has at its bound
        of 0, half of that and half of one degree more.
    freedom
        Parameters that are added, rho not counted.
    bounded
        Whether rho is added.
    """

    statistic: float
    p_value: float
    freedom: int
    bounded: bool

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        found: dict[str, Any] = jsonable(asdict(self))
        return found

    def __str__(self) -> str:
        law = (
            f"half chi2_{self.freedom} + half chi2_{self.freedom + 1}"
            if self.bounded
            else f"chi2_{self.freedom}"
        )
        return f"likelihood ratio {self.statistic:.4f}, p = {self.p_value:.3g} ({law})"


def likelihood_ratio(small: Raffle, large: Raffle) -> LikelihoodRatio:
    """Test a raffle against a larger one that contains it, both fitted to the same broods.

    Examples
    --------
    >>> from logloss.models.raffles import Raffle, likelihood_ratio
    >>> X, k = [[100, 100, 10], [50, 100, 12], [200, 100, 8], [120, 80, 15]], [7, 6, 7, 9]
    >>> print(likelihood_ratio(Raffle().fit(X, k), Raffle(loaded=True).fit(X, k)))
    likelihood ratio 3.0991, p = 0.0783 (chi2_1)

    Raises
    ------
    UsageError
        Where they are not nested, or were fitted to other broods.

    References
    ----------
    Self and Liang (1987), Asymptotic properties of maximum likelihood estimators and likelihood ratio tests under
    nonstandard conditions, J. Am. Stat. Assoc. 82:605-610.
    """
    from scipy.special import chdtrc

    for one in (small, large):
        one._log_odds(np.zeros(1))  # noqa: SLF001  # refuses what was not fitted
    extra = {name: bool(getattr(large, name)) - bool(getattr(small, name)) for name in ("loaded", "power", "overdispersed")}  # fmt: skip
    if min(extra.values()) < 0 or not any(extra.values()):
        raise UsageError(
            "not-nested",
            f"{small!r} is not contained in {large!r}.",
            cure="Give the smaller hypothesis first, then one that fits more; any two are compared by their held-out surprise: ll.referee.",
        )
    if small._broods != large._broods:  # noqa: SLF001
        raise UsageError(
            "not-nested", "The two raffles were fitted to different broods.", cure="Fit both to the same."
        )
    statistic = max(2 * (small.nll_ - large.nll_), 0.0)
    freedom, bounded = extra["loaded"] + extra["power"], bool(extra["overdispersed"])

    def beyond(count: int) -> float:
        return float(chdtrc(count, statistic)) if count else float(statistic <= 0)

    p_value = (beyond(freedom) + beyond(freedom + 1)) / 2 if bounded else beyond(freedom)
    return LikelihoodRatio(statistic, p_value, freedom, bounded)
