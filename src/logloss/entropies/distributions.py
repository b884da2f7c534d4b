"""Entropy, cross-entropy and Kullback-Leibler divergence of distributions: exact, infinite where they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss import units
from logloss.errors import AlignmentError, DataError, UsageError, listing, suggestion
from logloss.kernels import tolerance
from logloss.kernels.divergence import divergence
from logloss.labels import match
from logloss.notes import FEW, located
from logloss.recognise import has_columns, is_table, matrix, missing_mask, vector
from logloss.record import SPACES, Observations, Space
from logloss.surprises import class_blocks, mean_surprise

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Float = NDArray[np.float64]

__all__ = ["cross_entropy", "entropy", "kl_divergence"]


def entropy(p: Any, *, axis: int = -1, space: Space = "p") -> Any:
    """Return the entropy of distributions in nats: the mean surprise that each expects of itself.

        H(p) = sum_k p_k (-log p_k),   0 log 0 = 0

    Parameters
    ----------
    p
        Shape (K,): one distribution, also as {class: probability}; (n, K), (..., K): one in each row. A single number is
        the probability of the second of two classes.
    axis
        Along which the classes lie.
    space
        "p" (probabilities), "logp" (natural logs of them) or "logit".

    Returns
    -------
    float, or ndarray of the shape without `axis`
        From 0 to log K. In bits: divide by log 2. The error is a few units in the last place.

    Raises
    ------
    DataError
        Where numbers are negative or missing, or rows do not sum to one by more than rounding (8 K eps).

    Examples
    --------
    >>> import logloss as ll
    >>> round(ll.entropy([0.5, 0.5]), 6)
    0.693147
    >>> ll.entropy([[0.7, 0.3], [1.0, 0.0]]).round(6)
    array([0.610864, 0.      ])

    References
    ----------
    Shannon (1948), A mathematical theory of communication, Bell Syst. Tech. J. 27:379-423.
    """
    given = _Given.of(p, "p", axis, space)
    found = np.zeros(len(given.values))
    for rows, s, _ in _blocks(given, None):
        q = given.values[rows].astype(np.float64) if space == "p" else np.exp(-s)
        found[rows] = mean_surprise(s, q)
    return given.shaped(found)


def cross_entropy(t: Any, p: Any, *, axis: int = -1, space: Space = "p") -> Any:
    """Return the cross-entropy of `p` under `t` in nats: the mean surprise of forecast `p` where `t` is the truth.

        CE(t, p) = sum_k t_k (-log p_k) = H(t) + KL(t || p)

    The log loss of one row is the cross-entropy with all of `t` on what happened.

    Parameters
    ----------
    t
        The true distributions, or shares: shape (K,), (n, K), (..., K), or one number, the probability of the second of two
        classes. One distribution stands for every row of `p`.
    p
        The forecasts, in `space`; likewise.
    axis, space
        As in :func:`entropy`; `space` is that of `p`.

    Returns
    -------
    float, or ndarray of the shape without `axis`
        inf where p_k = 0 and t_k > 0: nothing is clipped.

    Raises
    ------
    DataError
        As in :func:`entropy`, and where shapes or the names of the classes do not fit.

    Examples
    --------
    >>> import logloss as ll
    >>> round(ll.cross_entropy([0.7, 0.3], [0.6, 0.4]), 6)
    0.632465
    >>> ll.cross_entropy([[1, 0], [0, 1]], [0.0, 1.0])
    array([inf,  0.])
    """
    truth, forecast = _pair(t, p, axis, space)
    found = np.zeros(len(forecast.values))
    for rows, s, shares in _blocks(forecast, truth):
        found[rows] = mean_surprise(s, shares)
    return forecast.shaped(found)


def kl_divergence(t: Any, p: Any, *, axis: int = -1, space: Space = "p") -> Any:
    """Return the Kullback-Leibler divergence of `p` from `t` in nats: what forecast `p` costs beyond the truth `t`.

        KL(t || p) = sum_k t_k log(t_k / p_k)

    It is 0 or more, and 0 only where both are the same. It is not symmetric.

    Parameters
    ----------
    t, p, axis, space
        As in :func:`cross_entropy`.

    Returns
    -------
    float, or ndarray of the shape without `axis`
        inf where p_k = 0 and t_k > 0. Summed as t_k log(t_k / p_k) - t_k + p_k, of which no term is negative and which
        is formed from p_k - t_k where both are near: a few units in the last place of the numbers given, also for
        nearly equal distributions, where the plain formula loses all digits. Rounding of the sums of `t` and `p`
        adds no more than its square.

    Examples
    --------
    >>> import logloss as ll
    >>> round(ll.kl_divergence([0.7, 0.3], [0.6, 0.4]), 6)
    0.021601
    >>> print(f"{ll.kl_divergence([0.5, 0.5], [0.5 + 1e-10, 0.5 - 1e-10]):.4e}")
    2.0000e-20

    References
    ----------
    Kullback and Leibler (1951), On information and sufficiency, Ann. Math. Stat. 22:79-86.
    """
    truth, forecast = _pair(t, p, axis, space)
    found = np.zeros(len(forecast.values))
    for rows, s, shares in _blocks(forecast, truth):
        q = forecast.values[rows].astype(np.float64) if space == "p" else np.exp(-s)
        gap = q - shares
        if truth.single is not None and forecast.single is not None and space == "p":
            gap = (forecast.single - truth.single) * np.array([[-1.0, 1.0]])  # 1 - p has lost digits of it
        found[rows] = divergence(shares, q, s, gap)
    return forecast.shaped(found)


# ---------------------------------------------------------------- what was given


class _Given:
    """Checked distributions as rows, shape (n, K), and the shape that the result has."""

    def __init__(
        self, values: NDArray[Any], names: tuple[str, ...] | None, shape: tuple[int, ...], index: Any
    ) -> None:
        self.values = values
        self.index = index
        self.names = names
        self.shape = shape
        self.single: float | None = None
        self.space: Space = "p"
        self.within = tolerance(values.dtype, values.shape[1])

    @classmethod
    def of(cls, obj: Any, name: str, axis: int, space: str) -> _Given:
        """Return what was given as checked rows; `name` is that of the argument."""
        if space not in SPACES:
            raise UsageError(
                "unknown-space",
                f"{space!r} is not a space.{suggestion(str(space), SPACES)}",
                cure=f"Spaces: {', '.join(SPACES)}.",
            )
        values, names, index = _numbers(obj, name)
        single = None
        if values.ndim == 0:
            if space != "p":
                raise _odd(name, f"is one number, but space is {space!r}", "Give one number per class.")
            single = float(values)
            values = np.array([1.0 - single, single])
        if not -values.ndim <= axis < values.ndim:
            raise AlignmentError(
                "wrong-shape",
                f"{name} has shape {values.shape}, so it has no axis {axis}.",
                cure="Name the axis of the classes.",
            )
        names = names if axis in (-1, values.ndim - 1) else None
        values = np.moveaxis(values, axis, -1)
        if not values.shape[-1]:
            raise AlignmentError("wrong-shape", f"{name} has no classes.", cure="Give one number per class.")
        given = cls(values.reshape(-1, values.shape[-1]), names, values.shape[:-1], index)
        given.single, given.space = single, space  # type: ignore[assignment]  # it is one of SPACES
        given.check(name)
        return given

    def check(self, name: str) -> None:
        """Refuse rows that are no distributions."""
        values = self.values
        gone = np.asarray(np.isnan(values).any(axis=1))
        if gone.any():
            raise _rows(name, gone, "NaN or missing", "Fill them in, or leave these rows out.")
        if self.space == "logit":
            bad = np.asarray(np.isposinf(values).any(axis=1) | np.isneginf(values).all(axis=1))
            if bad.any():
                raise _rows(name, bad, "logits of +inf, or -inf only", "Give some class a finite logit.")
            return
        low, high = (-self.within, np.inf) if self.space == "p" else (-np.inf, self.within)
        out = np.asarray(((values < low) | (values > high)).any(axis=1))
        if out.any():
            if self.space == "p":
                raise _rows(name, out, "negative numbers", "Logits need space='logit', logs space='logp'.")
            raise _rows(name, out, "logs above 0", "Logits need space='logit'.")
        values = np.maximum(values, 0) if self.space == "p" else np.minimum(values, 0)
        self.values = np.asarray(values)  # what was outside by rounding is back in
        with np.errstate(over="ignore"):
            wide = values.astype(np.float64)
            sums = (wide if self.space == "p" else np.exp(wide)).sum(axis=1)
        off = ~(np.abs(sums - 1.0) <= self.within)
        if off.any():
            shown = listing([f"{v:.10g}" for v in sums[off][:4]], total=int(off.sum()), limit=3)
            cure = "Divide each by its sum, p / p.sum(axis=-1, keepdims=True), if that is what they mean."
            raise _rows(name, off, f"sums of {shown} instead of 1", cure)

    def shaped(self, found: Float) -> Any:
        """Return results per row in the shape that was given; of a single distribution, a number."""
        return float(found[0]) if self.shape == () else found.reshape(self.shape)


def _numbers(obj: Any, name: str) -> tuple[NDArray[Any], tuple[str, ...] | None, Any]:
    """Return an array of float32 or float64, the names of the classes, and the pandas index of the rows, if any."""
    names: tuple[str, ...] | None = None
    index = None
    if isinstance(obj, Mapping) and obj and all(np.ndim(value) == 0 for value in obj.values()):
        values, names = vector(list(obj.values()), name).values, tuple(str(key) for key in obj)
    elif is_table(obj) or has_columns(obj):
        frame = matrix(obj, name)
        values, names, index = frame.values, frame.names, frame.index
    elif np.ndim(obj) == 1:
        column = vector(obj, name)
        values = column.values
        if column.index is not None and type(column.index).__name__ != "RangeIndex":
            names = tuple(str(label) for label in column.index)
    else:
        values = np.asarray(obj)
    if values.dtype.kind == "O" and missing_mask(values).any():
        values = np.where(missing_mask(values), np.nan, values)
        values = values.astype(np.float64) if _are_numbers(values) else values
    if values.dtype.kind not in "biuf":
        raise DataError("not-a-number", f"{name} holds something that is not a number.", cure="Give numbers.")
    wide = values if values.dtype in (np.float32, np.float64) else values.astype(np.float64)
    return wide, names, index


def _are_numbers(values: NDArray[Any]) -> bool:
    return all(isinstance(value, int | float | np.number) for value in values.ravel())


def _pair(t: Any, p: Any, axis: int, space: Space) -> tuple[_Given, _Given]:
    """Return truth and forecast with rows that belong together: classes paired by name where both have names."""
    truth, forecast = _Given.of(t, "t", axis, "p"), _Given.of(p, "p", axis, space)
    if truth.values.shape[1] != forecast.values.shape[1]:
        raise AlignmentError(
            "wrong-shape",
            f"t has {truth.values.shape[1]} classes, p {forecast.values.shape[1]}.",
            cure="Give both the same classes; one that cannot happen has probability 0.",
        )
    if truth.names and forecast.names and truth.names != forecast.names:
        at = match(forecast.names, truth.names)
        if at is None:
            raise AlignmentError(
                "wrong-shape",
                f"t has the classes {listing(truth.names)}, p {listing(forecast.names)}.",
                cure="Name them alike, or pass the numbers alone to pair them by position.",
            )
        forecast.values = forecast.values[:, list(at)]
    if truth.index is not None and forecast.index is not None and not truth.index.equals(forecast.index):
        raise AlignmentError(
            "index-mismatch",
            "The pandas indexes of t and p differ, so rows would be paired by position against their index.",
            cure="Align them (p = p.reindex(t.index)), or pass .to_numpy() to pair by position on purpose.",
        )
    shapes = {given.shape for given in (truth, forecast)} - {()}
    if len(shapes) > 1:
        raise AlignmentError(
            "wrong-shape",
            f"t has rows of shape {truth.shape}, p of shape {forecast.shape}.",
            cure="Give one row of each, or a single distribution.",
        )
    for given in (truth, forecast) if shapes else ():
        (shape,) = shapes
        rows = int(np.prod(shape))
        given.values = np.broadcast_to(given.values, (rows, given.values.shape[1]))
        given.shape = shape
    return truth, forecast


def _blocks(forecast: _Given, truth: _Given | None) -> Iterable[tuple[slice, Float, Float]]:
    """Yield (rows, surprise of every class, share of every class) block by block."""
    values = forecast.values
    shares = values if truth is None else truth.values
    record = Observations(
        shares, values, forecast.space, tuple(range(values.shape[1])), soft=True, within=forecast.within
    )
    return class_blocks(record) if len(values) else ()


def _rows(name: str, bad: NDArray[np.bool_], told: str, cure: str) -> DataError:
    where = located(tuple(("", int(row)) for row in np.flatnonzero(bad)[:FEW]), int(bad.sum()))
    if len(bad) == 1:
        return _odd(name, f"has {told}", cure)
    return _odd(name, f"has {units.count(int(bad.sum()), 'row')} with {told} ({where})", cure)


def _odd(name: str, told: str, cure: str) -> DataError:
    return DataError("not-a-distribution", f"{name} {told}.", cure=cure)
