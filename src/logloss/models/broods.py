"""Broods of two possible fathers: sperm numbers, offspring, and how many are male 1's; given, or drawn from a known truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.errors import AlignmentError, ColumnError, DataError, UsageError, places, suggestion
from logloss.plain import plain
from logloss.recognise import is_table, matrix, table, vector
from logloss.text import printable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = ["COLUMNS", "Broods", "raffles", "sired", "tickets"]

COLUMNS = ("s1", "s2", "n")


@dataclass(frozen=True, eq=False)
class Broods:
    """Broods drawn from a known truth, every array of shape (n,).

    Attributes
    ----------
    s1, s2
        Sperm of male 1 and of male 2.
    n
        Offspring.
    k
        Offspring of male 1.
    chance
        The probability that male 1 sires an offspring of this pair of males.
    """

    s1: Float
    s2: Float
    n: Ints
    k: Ints
    chance: Float

    def __len__(self) -> int:
        return len(self.n)

    @property
    def X(self) -> dict[str, NDArray[Any]]:  # noqa: N802  # what models are fitted to is called X
        """What a model is told: s1, s2, n."""
        return {"s1": self.s1, "s2": self.s2, "n": self.n}

    @property
    def y(self) -> Ints:
        """What happened: k."""
        return self.k


def raffles(broods: int = 40, *, r: float = 1.0, rho: float = 0.0, seed: int = 0) -> Broods:
    """Draw broods of which the truth is known: raffles fair (r = 1) or loaded, offspring independent or alike.

    Sperm numbers are lognormal(3, 0.7), a brood has 1 + Poisson(19) offspring, P = r s1 / (r s1 + s2), and

        Q = P where rho = 0, else Q ~ Beta(P / phi, (1 - P) / phi) with phi = rho / (1 - rho),      k ~ Binomial(n, Q)

    Parameters
    ----------
    broods
        How many.
    r
        What a sperm of male 1 is worth in sperm of male 2; above 0.
    rho
        Correlation of two offspring of a brood, in [0, 1).
    seed
        Of NumPy's default generator.

    Raises
    ------
    UsageError
        For a truth that is none.

    Examples
    --------
    >>> from logloss.models.broods import raffles
    >>> drawn = raffles(3, r=2, seed=7)
    >>> drawn.n.tolist(), drawn.k.tolist()
    ([24, 17, 17], [19, 13, 8])

    References
    ----------
    Parker (1990), Sperm competition games: raffles and roles, Proc. R. Soc. Lond. B 242:120-126.
    """
    if not (0 < r < np.inf and 0 <= rho < 1 and broods > 0):
        raise UsageError(
            "bad-raffle",
            f"No broods can be drawn with broods={broods}, r={r}, rho={rho}.",
            cure="Give broods of 1 or more, r above 0, and rho from 0 to below 1.",
        )
    random = np.random.default_rng(seed)
    s1, s2 = random.lognormal(3, 0.7, broods), random.lognormal(3, 0.7, broods)
    n = 1 + random.poisson(19, broods)
    chance = r * s1 / (r * s1 + s2)
    phi = rho / (1 - rho)
    drawn = chance if rho == 0 else random.beta(chance / phi, (1 - chance) / phi)
    return Broods(s1, s2, n, random.binomial(n, drawn), chance)


def tickets(X: Any) -> tuple[Float, Ints]:
    """Return log(s1 / s2) and n of each brood, both (n,), from columns named s1, s2, n or in that order."""
    if is_table(X):
        columns = table(X)
        for name in COLUMNS:
            if name not in columns:
                raise ColumnError(
                    "no-such-column",
                    f"There is no column {name!r} among the broods' columns.{suggestion(name, list(columns))}",
                    cure="A raffle takes s1 and s2 (sperm of male 1 and of male 2) and n (offspring).",
                )
        s1, s2, n = (_numbers(columns[name], f"column {name!r}") for name in COLUMNS)
    else:
        values = matrix(X, "The broods").values
        if values.shape[1] != len(COLUMNS):
            raise DataError(
                "bad-broods",
                f"The broods have {values.shape[1]} columns without names.",
                cure="Give three: s1, s2 (sperm of male 1 and of male 2), n (offspring); or name them so.",
            )
        s1, s2, n = (_numbers(values[:, at], f"column {at}, {name}") for at, name in enumerate(COLUMNS))
    if not len(s1) == len(s2) == len(n):
        raise AlignmentError(
            "different-lengths",
            f"The parts have different lengths: {len(s1):,} s1, {len(s2):,} s2, {len(n):,} n.",
            cure="Give one of each per brood.",
        )
    for name, s in (("s1", s1), ("s2", s2)):
        _refuse(~((s > 0) & np.isfinite(s)), s, f"{name}, a number of sperm,", "Sperm numbers are above 0: where a male gave none there is no raffle, so leave the brood out.")  # fmt: skip
    _refuse(~((n >= 1) & _whole(n)), n, "n, the offspring of a brood,", "Give whole numbers, 1 or more: a brood without offspring tells nothing, so leave it out.")  # fmt: skip
    return np.log(s1) - np.log(s2), n.astype(np.int64)


def sired(y: Any, n: Ints) -> Ints:
    """Return k, how many offspring are male 1's, shape (n,)."""
    k = _numbers(y, "k, the offspring of male 1")
    if len(k) != len(n):
        raise AlignmentError(
            "different-lengths",
            f"The parts have different lengths: {len(n):,} broods, {len(k):,} outcomes.",
            cure="Give one of each per brood.",
        )
    cure = "Give whole numbers from 0 to n, the offspring of the brood: counts, not shares."
    bad = ~((k >= 0) & (k <= n) & _whole(k))
    over = bad & (k > n)
    of = f" of {n[over][0]}" if over.any() and over.argmax() == bad.argmax() else ""
    _refuse(bad, k, "k, the offspring of male 1,", cure, of)
    return k.astype(np.int64)


def _numbers(column: Any, what: str) -> Float:
    values = vector(column, what).values
    if values.dtype.kind not in "biuf":
        odd = [at for at, one in enumerate(values.tolist()) if isinstance(one, bool) or not isinstance(one, int | float)]  # fmt: skip
        shown = f" ({places(odd)}: {printable(repr(plain(values[odd[0]])), 32)})" if odd else ""
        raise DataError("not-a-number", f"Not all numbers: {what}{shown}.", cure="Give one number per row and column; text that holds numbers is turned into them first.")  # fmt: skip
    return values.astype(np.float64)


def _whole(values: Float) -> NDArray[np.bool_]:
    return np.asarray((values == np.floor(values)) & (values < 2.0**53))


def _refuse(bad: NDArray[np.bool_], values: Float, what: str, cure: str, of: str = "") -> None:
    at = np.flatnonzero(bad)
    if len(at):
        raise DataError("bad-broods", f"{what} is {values[at[0]]:g}{of} ({places(at)}).", cure=cure)
