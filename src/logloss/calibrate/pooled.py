"""A fitted pool: what turns several forecasts of the same rows into one; applied to new rows, saved; loading of either kind."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.calibrate.descriptions import screen
from logloss.calibrate.fitted import LEAST, MOST, FittedMap, forecasts_of
from logloss.calibrate.odds import finite
from logloss.calibrate.pools import Pool
from logloss.calibrate.stored import SCHEMA, checksum, damaged, refuse, steps_of, verified
from logloss.errors import AlignmentError, SourceError, UsageError, listing
from logloss.plain import jsonable
from logloss.record import SPACES
from logloss.saving import read_json, write_json

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

    from logloss.calibrate.maps import Map
    from logloss.record import Space

    Float = NDArray[np.float64]

__all__ = ["FittedPool", "Member", "in_order", "load_map"]

KINDS = ("linear", "log")


@dataclass(frozen=True)
class Member:
    """One of the forecasts: its name, the classes in the order it gives them, its columns in the table (() for arrays)."""

    name: str
    classes: tuple[Any, ...]
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class FittedPool:
    """Several forecasts of the same rows made into one.

    Attributes
    ----------
    name
        Which way it is: "linear", "log_offset", "identity" (the best single forecast as it is), ...
    members
        The forecasts, in order.
    kind
        "linear": probabilities are mixed; "log": log-odds are added up.
    weights
        Of each forecast, shape (M,): of sum 1 where they are mixed.
    steps
        Frozen maps that follow (:mod:`logloss.calibrate.maps`).
    classes
        The classes, in the order of the columns that come out; a single column is about the second of two.
    space
        What the forecasts were: "p", "logp" or "logit".
    fitted
        What it was fitted on: rows, losses, the best single forecast.

    Notes
    -----
    No probability comes out as exactly 0 or 1; see :class:`logloss.FittedMap`.

    References
    ----------
    Ranjan and Gneiting (2010), Combining probability forecasts, J. R. Stat. Soc. B 72:71-91; Yao, Vehtari, Simpson, Gelman
    (2018), Using stacking to average Bayesian predictive distributions, Bayesian Anal. 13:917-1007.
    """

    name: str
    members: tuple[Member, ...]
    kind: str
    weights: Float
    steps: tuple[Map, ...]
    classes: tuple[Any, ...]
    space: Space = "p"
    fitted: dict[str, Any] = field(default_factory=dict)

    unmapped = staticmethod(FittedMap.unmapped)

    @property
    def names(self) -> list[str]:
        """The names of the forecasts, in order."""
        return [one.name for one in self.members]

    def __str__(self) -> str:
        """Return what it does, in a few lines."""
        return screen(self)

    @property
    def does_nothing(self) -> bool:
        """Whether it gives a single forecast back as it is."""
        return self.pool.only is not None and not self.steps

    @property
    def pool(self) -> Pool:
        """What is applied to arrays."""
        return Pool(self.kind, self.weights, self.steps)

    def __call__(self, Z: Float) -> Float:
        """Return one forecast, (n, C), of forecasts (n, M, C), as log-odds or log-probabilities; finite."""
        return finite(self.pool(Z))

    def apply(
        self,
        forecasts: Any,
        *,
        space: Space | None = None,
        out: Space | None = None,
        rows: NDArray[np.int64] | None = None,
    ) -> Float:
        """Return one forecast of each row.

        Parameters
        ----------
        forecasts
            A mapping from the name of each forecast to its array, or a list of arrays in the order of `members`. Each is of
            shape (n,), about the second of its two classes, or (n, K). A forecast of weight 0 may be left out of a mapping.
        space
            What the forecasts are: "p", "logp" or "logit"; by default what the pool was fitted to.
        out
            What to return; by default the same.
        rows
            The number of each row, for errors, where these are some of many.

        Returns
        -------
        ndarray
            float64, shape (n,) where every forecast is one column, about the second of `classes`; else (n, K), in the order
            of `classes`. Probabilities are never 0 or 1.

        Raises
        ------
        UsageError, AlignmentError
            For forecasts that are not those of the fit, or of different lengths.
        ForecastError
            As in :func:`logloss.score`.

        Examples
        --------
        >>> import numpy as np
        >>> import logloss as ll
        >>> pool = ll.FittedPool("linear", (ll.Member("a", (0, 1)), ll.Member("b", (0, 1))), "linear",
        ...                      np.array([0.25, 0.75]), (), (0, 1))
        >>> pool.apply({"a": [0.9, 0.2], "b": [0.5, 0.6]}).round(4).tolist()
        [0.6, 0.5]
        """
        space = self.space if space is None else space
        out = space if out is None else out
        if out not in SPACES:
            raise UsageError(
                "unknown-space", f"{out!r} is not a space.", cure=f"Spaces: {', '.join(SPACES)}."
            )
        records = {
            at: FittedMap(self.names[at], (), self.members[at].classes).checked(forecast, space, rows)
            for at, forecast in self._given(forecasts).items()
        }
        sizes = {self.names[at]: len(record) for at, record in records.items()}
        if len(set(sizes.values())) > 1:
            raise AlignmentError(
                "different-lengths",
                f"The parts have different lengths: {listing([f'{size:,} of {name!r}' for name, size in sizes.items()])}.",
                cure="Give one of each per row.",
            )
        one = all(record.binary for record in records.values())
        if self.does_nothing and out == space:
            best = records[int(self.weights.argmax())]
            if best.classes == self.classes and best.binary == one:
                values = best.forecast.astype(np.float64)
                return np.clip(values, LEAST, MOST) if space == "p" else values
        Z = np.zeros(
            (max(sizes.values()), len(self.members), 1 if len(self.classes) == 2 else len(self.classes))
        )
        for at, record in records.items():
            own = np.concatenate([part for part, _ in forecasts_of(record)])
            Z[:, at] = in_order(own, record.classes, self.classes)
        return self.unmapped(self(Z), out, one=one)

    def _given(self, forecasts: Any) -> dict[int, Any]:
        """Return the forecasts by their position."""
        cure = f"Give a mapping with {listing([repr(name) for name in self.names])}, or a list in this order."
        if isinstance(forecasts, dict):
            known = {str(name): array for name, array in forecasts.items()}
            odd = [name for name in known if name not in self.names]
            gone = [
                name for name, b in zip(self.names, self.weights, strict=True) if b > 0 and name not in known
            ]
            if odd or gone:
                told = (
                    f"There is no forecast {odd[0]!r} in this pool."
                    if odd
                    else f"Forecast {gone[0]!r} is not given."
                )
                raise UsageError("other-forecasts", told, cure=cure)
            return {self.names.index(name): array for name, array in known.items()}
        if not isinstance(forecasts, list | tuple) or len(forecasts) != len(self.members):
            raise UsageError("other-forecasts", f"This pool is of {len(self.members)} forecasts.", cure=cure)
        return dict(enumerate(forecasts))

    def to_dict(self) -> dict[str, Any]:
        """Return the pool as JSON keeps it."""
        state = {
            "logloss_pool": SCHEMA,
            "name": self.name,
            "classes": [jsonable(label) for label in self.classes],
            "forecasts": [
                {
                    "name": one.name,
                    "classes": [jsonable(label) for label in one.classes],
                    "columns": list(one.columns),
                    "weight": float(b),
                }
                for one, b in zip(self.members, self.weights, strict=True)
            ],
            "kind": self.kind,
            "space": self.space,
            "fitted": self.fitted,
            "steps": [{"kind": step.kind} | step.state() for step in self.steps],
        }
        return state | {"checksum": checksum(state)}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> FittedPool:
        """Return the pool that was written down.

        Raises
        ------
        SourceError
            For what is no pool, was changed, or was written by a later version.
        """
        state = verified(state, "logloss_pool")
        classes, given = state.get("classes"), state.get("forecasts")
        if not isinstance(classes, list) or len(classes) < 2:
            refuse("it has fewer than two classes")
        if state.get("space") not in SPACES or not isinstance(state.get("fitted"), dict):
            refuse("its space is unknown")
        if state.get("kind") not in KINDS:
            refuse(f"{state.get('kind')!r} is not a kind of pool")
        if not isinstance(given, list) or not given:
            refuse("it has no forecasts")
        weights = np.array([_weight(one) for one in given])
        if not weights.any() or (state["kind"] == "linear" and abs(weights.sum() - 1) > 1e-9):
            refuse("the weights of its forecasts do not add up")
        members = tuple(_member(one, classes) for one in given)
        if len({one.name for one in members}) < len(members):
            refuse("two of its forecasts have the same name")
        return cls(
            str(state.get("name")),
            members,
            state["kind"],
            weights,
            steps_of(state.get("steps"), len(classes)),
            tuple(classes),
            state["space"],
            state["fitted"],
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the pool as JSON, whole or not at all."""
        write_json(self.to_dict(), path)


def _weight(state: Any) -> float:
    """Return the weight of a forecast as it is written."""
    weight = state.get("weight") if isinstance(state, dict) else None
    if not isinstance(weight, int | float) or isinstance(weight, bool) or not 0 <= weight < np.inf:
        refuse("the weight of a forecast is not a number of at least 0")
    return float(weight)


def _member(state: dict[str, Any], classes: list[Any]) -> Member:
    own, columns = state.get("classes"), state.get("columns")
    if not isinstance(own, list) or len(own) != len(classes) or any(label not in classes for label in own):
        refuse("a forecast is about other classes")
    if len({classes.index(label) for label in own}) < len(own) or not isinstance(columns, list):
        refuse("a forecast has a class twice")
    return Member(str(state.get("name")), tuple(own), tuple(map(str, columns)))


def in_order(Z: Float, own: tuple[Any, ...], classes: tuple[Any, ...]) -> Float:
    """Return log-odds or log-probabilities, (n, C), of classes in one order, in another."""
    if own == classes:
        return Z
    return -Z if len(classes) == 2 else Z[:, [own.index(label) for label in classes]]


def load_map(path: str | os.PathLike[str]) -> FittedMap | FittedPool:
    """Load a map, or a pool of several forecasts, that was saved as JSON.

    Raises
    ------
    SourceError
        For a file that is not there, is no map, was changed since, or was written by a later version.
    """
    if not Path(path).exists():
        raise SourceError("no-such-file", f"There is no file {path}.", cure="Check the name of the map.")
    return read_json(path, _either, unlike=damaged)


def _either(state: dict[str, Any]) -> FittedMap | FittedPool:
    return (FittedPool if isinstance(state, dict) and "logloss_pool" in state else FittedMap).from_dict(state)
