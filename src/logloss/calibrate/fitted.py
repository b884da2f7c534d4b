"""A fitted map: what turns given forecasts into better ones; applied to new rows, saved, loaded, exported."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.calibrate.descriptions import screen
from logloss.calibrate.maps import Identity, Mix, VennAbers
from logloss.calibrate.odds import finite, log_softmax, softplus
from logloss.calibrate.stored import SCHEMA, checksum, refuse, steps_of, verified
from logloss.columns import lone_name
from logloss.errors import UsageError
from logloss.labels import refuse_other_class
from logloss.observations import observe
from logloss.plain import jsonable
from logloss.recognise import Matrix, Vector
from logloss.record import SPACES
from logloss.saving import write_json
from logloss.surprises import class_blocks

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from logloss.calibrate.maps import Map
    from logloss.record import Observations, Space

    Float = NDArray[np.float64]

__all__ = ["LEAST", "MOST", "FittedMap", "forecasts_of"]

LEAST, MOST = float(np.finfo(np.float64).tiny), 1.0 - 2.0**-53  # what a probability of 0, of 1 is written as


@dataclass(frozen=True, eq=False)
class FittedMap:
    """A map from forecasts to better ones.

    Attributes
    ----------
    name
        Which map it is: "temperature", "beta", "identity" (do nothing), ...
    steps
        Frozen maps that are applied one after the other (:mod:`logloss.calibrate.maps`).
    classes
        The classes, in the order of the columns; a single column is about the second of two.
    columns
        The columns of the table that it was fitted to; () for arrays.
    space
        What these forecasts were: "p", "logp" or "logit".
    fitted
        What it was fitted on: rows, losses.

    Notes
    -----
    No probability comes out as exactly 0 or 1: log-odds are kept within 745, and 2.2e-308 and 1 - 1.1e-16 are the least
    and greatest probabilities. `do nothing` gives back other forecasts as they are.
    """

    name: str
    steps: tuple[Map, ...]
    classes: tuple[Any, ...]
    columns: tuple[str, ...] = ()
    space: Space = "p"
    fitted: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return what it does, in a few lines."""
        return screen(self)

    @property
    def does_nothing(self) -> bool:
        """Whether it gives forecasts back as they are."""
        return all(isinstance(step, Identity) for step in self.steps)

    def __call__(self, Z: Float) -> Float:
        """Return what the steps make of log-odds (n, 1) or log-probabilities (n, K); finite."""
        Z = finite(Z)
        for step in self.steps:
            Z = step(Z)
        return finite(Z if Z.shape[1] == 1 else log_softmax(Z))

    def apply(
        self,
        forecast: Any,
        *,
        space: Space | None = None,
        out: Space | None = None,
        rows: NDArray[np.int64] | None = None,
    ) -> Float:
        """Return better forecasts.

        Parameters
        ----------
        forecast
            Shape (n,), of the second of two classes, or (n, K). Named columns are matched to the classes by name.
        space
            What the forecasts are: "p", "logp" or "logit"; by default what the map was fitted to.
        out
            What to return; by default the same.
        rows
            The number of each row, for errors, where these are some of many.

        Returns
        -------
        ndarray
            float64, of the forecast's shape; K columns in the order of `classes`. Probabilities are never 0 or 1.

        Raises
        ------
        ForecastError
            As in :func:`logloss.score`: values out of range, rows that do not sum to one, missing values.

        Examples
        --------
        >>> import logloss as ll
        >>> half = ll.FittedMap.temperature(2.0)
        >>> half.apply([0.9, 0.5, 0.2]).round(4).tolist()
        [0.75, 0.5, 0.3333]
        """
        space = self.space if space is None else space
        out = space if out is None else out
        if out not in SPACES:
            raise UsageError(
                "unknown-space", f"{out!r} is not a space.", cure=f"Spaces: {', '.join(SPACES)}."
            )
        record = self.checked(forecast, space, rows)
        if self.does_nothing and out == space:
            given = record.forecast.astype(np.float64)
            return np.clip(given, LEAST, MOST) if space == "p" else given
        return np.concatenate([self.written(Z, out, one=record.binary) for Z, _ in forecasts_of(record)])

    def checked(self, forecast: Any, space: Space, rows: NDArray[np.int64] | None = None) -> Observations:
        """Return forecasts without outcomes as a checked record (the outcomes in it mean nothing)."""
        given = forecast.values if isinstance(forecast, Vector | Matrix) else forecast
        if not hasattr(given, "__len__"):
            raise UsageError(
                "not-an-array", f"{given!r} is not an array of forecasts.", cure="Give a list: [0.7]."
            )
        n = len(given)
        if len(self.classes) == 2 and not isinstance(forecast, Vector | Matrix):
            refuse_other_class(lone_name(forecast), self.classes)
        anything = np.empty(n, dtype=object)
        anything[:] = [self.classes[0]] * n
        return observe(anything, forecast, space=space, labels=list(self.classes), rows=rows)

    def written(self, Z: Float, out: Space, *, one: bool) -> Float:
        """Return mapped forecasts as they are written: shape (n,) for `one` column, else (n, K)."""
        return self.unmapped(self(Z), out, one=one)

    @staticmethod
    def unmapped(eta: Float, out: Space, *, one: bool) -> Float:
        """Return log-odds (n, 1) or log-probabilities (n, K) as they are written."""
        if out == "logit" and one:
            return eta[:, 0]
        logs = np.stack([-softplus(eta[:, 0]), -softplus(-eta[:, 0])], axis=1) if eta.shape[1] == 1 else eta
        values = logs if out != "p" else np.clip(np.exp(logs), LEAST, MOST)
        return values[:, 1] if one else values

    def bounds(self, forecast: Any, *, space: Space | None = None) -> tuple[Float, Float]:
        """Return the interval p0 to p1 of a Venn-Abers map for new forecasts, both of shape (n,)."""
        if not self.steps or not isinstance(self.steps[-1], VennAbers):
            raise UsageError(
                "no-bounds", f"The map {self.name!r} has no interval.", cure="Fit maps=['venn_abers']."
            )
        record = self.checked(forecast, self.space if space is None else space)
        low, high = [], []
        for Z, _ in forecasts_of(record):
            z = finite(Z)
            for step in self.steps[:-1]:
                z = step(z)
            p0, p1 = self.steps[-1].bounds(z[:, 0])
            low.append(p0)
            high.append(p1)
        return np.concatenate(low), np.concatenate(high)

    def after(self, other: FittedMap) -> FittedMap:
        """Return the map that applies `other` first and then this one."""
        if self.classes != other.classes:
            raise UsageError(
                "other-classes",
                f"These maps are about different classes: {other.classes} and {self.classes}.",
                cure="Fit both to the same classes, in the same order.",
            )
        name = " then ".join(one.name for one in (other, self))
        return FittedMap(
            name, (*other.steps, *self.steps), self.classes, other.columns, other.space, other.fitted
        )

    def python(self, name: str = "recalibrate") -> str:
        """Return the source of a function that does what :meth:`apply` does and needs NumPy only.

        Parameters
        ----------
        name
            What the function is called.

        Returns
        -------
        str
            A module with one function. It takes and returns forecasts in the map's space: shape (n,), of the second of
            two classes, or (n, K), in the order of `classes`. Where `apply` raises, it raises ValueError.

        Raises
        ------
        UsageError
            For a name that cannot be one of a function.

        Examples
        --------
        >>> import logloss as ll
        >>> scope = {}
        >>> exec(ll.FittedMap.temperature(2.0).python(), scope)
        >>> scope["recalibrate"]([0.9, 0.5, 0.2]).round(4).tolist()
        [0.75, 0.5, 0.3333]
        """
        from logloss.exports.pycode import source_of

        return source_of(
            self.name, self.steps, self.classes, self.columns, self.space, name=name, limits=(LEAST, MOST)
        )

    def sql(
        self,
        columns: str | Sequence[str] | None = None,
        dialect: str = "duckdb",
        names: str | Sequence[str] | None = None,
    ) -> str | dict[Any, str]:
        """Return the map as SQL expressions that do what :meth:`apply` does.

        Parameters
        ----------
        columns
            The columns of forecasts, in the map's space: one, of the second of two classes, or one for each class, in
            the order of `classes`. By default those that the map was fitted to. Any names: they are quoted.
        dialect
            "duckdb", "spark", "bigquery", "databricks", "postgres", "redshift", "snowflake" or "trino".
        names
            What the results are called, one for each column: adds AS "name".

        Returns
        -------
        str or dict
            For one column the expression of the second class; else {class: expression}. What is NULL, NaN, out of
            range, or in a row that does not sum to one becomes NULL.

        Raises
        ------
        UsageError
            Where the number of columns does not fit, the dialect is unknown, the expression would be too large, or
            sqlglot is not installed.

        Examples
        --------
        >>> import logloss as ll
        >>> import duckdb
        >>> query = f"SELECT {ll.FittedMap.temperature(2.0).sql('p')} FROM (VALUES (0.9), (0.5), (0.2)) AS t(p)"
        >>> [round(p, 4) for (p,) in duckdb.sql(query).fetchall()]
        [0.75, 0.5, 0.3333]
        """
        from logloss.exports.sqlcode import sql_of

        columns = self.columns if columns is None else columns
        return sql_of(
            self.steps, self.classes, columns, self.space, dialect=dialect, names=names, limits=(LEAST, MOST)
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the map as JSON keeps it."""
        state = {
            "logloss_map": SCHEMA,
            "name": self.name,
            "classes": [jsonable(label) for label in self.classes],
            "columns": list(self.columns),
            "space": self.space,
            "fitted": self.fitted,
            "steps": [{"kind": step.kind} | step.state() for step in self.steps],
        }
        return state | {"checksum": checksum(state)}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> FittedMap:
        """Return the map that was written down.

        Raises
        ------
        SourceError
            For what is no map, was changed, or was written by a later version.
        """
        state = verified(state)
        classes, columns = state.get("classes"), state.get("columns")
        if not isinstance(classes, list) or len(classes) < 2 or not isinstance(columns, list):
            refuse("it has fewer than two classes")
        if state.get("space") not in SPACES or not isinstance(state.get("fitted"), dict):
            refuse("its space is unknown")
        steps = steps_of(state.get("steps"), len(classes))
        return cls(
            str(state.get("name")),
            steps,
            tuple(classes),
            tuple(map(str, columns)),
            state["space"],
            state["fitted"],
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the map as JSON, whole or not at all."""
        write_json(self.to_dict(), path)

    @classmethod
    def temperature(cls, T: float, classes: tuple[Any, ...] = (0, 1)) -> FittedMap:
        """Return the map that divides all log-odds by T > 0; above 1 it softens, below 1 it sharpens."""
        from logloss.calibrate.maps import Scaling

        if not (T > 0 and np.isfinite(T)):
            raise UsageError("bad-temperature", f"A temperature of {T}.", cure="Give a number above 0.")
        C = 1 if len(classes) == 2 else len(classes)
        return cls("temperature", (Scaling(np.full(C, 1 / T), np.zeros(C)),), tuple(classes))

    @classmethod
    def clip(cls, eps: float, classes: tuple[Any, ...] = (0, 1)) -> FittedMap:
        """Return the map that keeps the probabilities of two classes within [eps, 1 - eps]."""
        from logloss.calibrate.maps import Clip

        if len(classes) != 2 or not 0 < eps <= 0.5:
            raise UsageError(
                "bad-clip",
                f"A clip of {eps} for {len(classes)} classes.",
                cure="Give a number above 0 and at most 0.5; for more than two classes mix: FittedMap.mix.",
            )
        return cls("clip", (Clip.at(eps),), tuple(classes))

    @classmethod
    def mix(cls, share: float, classes: tuple[Any, ...] = (0, 1)) -> FittedMap:
        """Return the map (1 - share) p + share / K."""
        if not 0 <= share <= 1:
            raise UsageError("bad-mix", f"A share of {share}.", cure="Give a number from 0 to 1.")
        return cls("mix", (Mix.uniform(share, len(classes)),), tuple(classes))


def forecasts_of(record: Observations) -> Iterator[tuple[Float, Float]]:
    """Yield a record's forecasts as log-odds (m, 1) or log-probabilities (m, K), and the outcome's shares, (m, C)."""
    for part, s, t in class_blocks(record):
        if record.binary and record.space == "logit":
            yield record.forecast[part].astype(np.float64)[:, None], t[:, 1:]
        elif len(record.classes) == 2:
            yield (s[:, 0] - s[:, 1])[:, None], t[:, 1:]
        else:
            yield log_softmax(-s), t
