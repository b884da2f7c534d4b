"""Labels as positions: the distinct ones, the declared ones, and the position of each outcome among them."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.errors import UsageError
from logloss.plain import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Coded", "as_labels", "as_seen", "check_labels", "distinct", "encode"]


def as_labels(labels: Any) -> list[Any] | None:
    """Return declared labels as a list of Python values; refuse what has no order."""
    if labels is None:
        return None
    if isinstance(labels, AbstractSet | Mapping | str) or not hasattr(labels, "__iter__"):
        raise UsageError(
            "labels-unordered",
            f"labels is a {type(labels).__name__}, which has no order to take the columns in.",
            cure="Give a list.",
        )
    return [plain(label) for label in labels]


def as_seen(label: Any, seen: Sequence[Any]) -> Any:
    """Return the outcome that a declared label means: itself, or the one written alike (1 for "1")."""
    if label in seen:
        return label
    return next((found for found in seen if str(label) in _written(found)), label)


def _written(label: Any) -> set[str]:
    """Return how a label may be written: 1 as 1 and as 1.0."""
    whole = isinstance(label, int | float) and not isinstance(label, bool) and float(label).is_integer()
    return {str(label), str(int(label)), str(float(label))} if whole else {str(label)}


def check_labels(labels: Sequence[Any], count: int) -> None:
    """Refuse declared labels that are not one per column."""
    if len(labels) != count:
        raise UsageError(
            "labels-count",
            f"labels has {len(labels)} entries, the forecast {count} columns.",
            cure="Give one label per column.",
        )
    if len(set(labels)) < len(labels):
        raise UsageError("labels-count", "labels names a class twice.", cure="Give each class once.")


def distinct(values: NDArray[Any]) -> list[Any]:
    """Return the distinct labels in ascending order as Python scalars; numbers in text sort as numbers."""
    if values.dtype.kind in "iu" and len(values) and int(values.max()) - int(values.min()) < 10_000:
        low = int(values.min())
        offsets = (
            (values - values.dtype.type(low)) if values.dtype.kind == "u" else values.astype(np.int64) - low
        )
        return [int(code) + low for code in np.flatnonzero(np.bincount(offsets.astype(np.int64, copy=False)))]
    if values.dtype.kind == "b":
        return [bool(v) for v in (False, True) if (values == v).any()]
    found = set(values.tolist()) if values.dtype.kind == "O" else set(np.unique(values).tolist())
    try:
        return sorted(found, key=float) if all(isinstance(v, str) for v in found) else sorted(found)
    except (TypeError, ValueError):
        return sorted(found, key=lambda v: (type(v).__name__, v))


@dataclass(frozen=True, eq=False)
class Coded:
    """Labels as positions among their distinct values: keys in any order, code of shape (n,)."""

    keys: tuple[Any, ...]
    code: NDArray[np.int64]

    @classmethod
    def of(cls, values: NDArray[Any]) -> Coded:
        """Return an array of labels as positions."""
        if values.dtype.kind in "iu" and len(values):
            low, high = int(values.min()), int(values.max())
            if high - low < max(1024, len(values)):
                offset = (
                    (values.astype(np.int64) - low)
                    if values.dtype != np.uint64
                    else (values - np.uint64(low)).astype(np.int64)
                )
                return cls(tuple(range(low, high + 1)), offset).used()
        if values.dtype.kind == "O":
            said = [plain(key) for key in values.tolist()]
            keys = {key: at for at, key in enumerate(dict.fromkeys(said))}
            return cls(tuple(keys), np.fromiter(map(keys.__getitem__, said), np.int64, len(said)))
        found, code = np.unique(values, return_inverse=True)
        return cls(tuple(found.tolist()), code.astype(np.int64, copy=False))

    def used(self) -> Coded:
        """Return the same labels without keys that do not occur."""
        seen = np.flatnonzero(np.bincount(self.code, minlength=len(self.keys)))
        if len(seen) == len(self.keys):
            return self
        position = np.zeros(len(self.keys), np.int64)
        position[seen] = np.arange(len(seen))
        return Coded(tuple(self.keys[at] for at in seen), position[self.code])

    def __len__(self) -> int:
        return len(self.code)

    def __getitem__(self, at: Any) -> Coded:
        return Coded(self.keys, self.code[at])


def encode(values: NDArray[Any], labels: Sequence[Any]) -> NDArray[Any]:
    """Return the position of each outcome in `labels`, shape (n,); -1 where it is not among them."""
    if list(labels) in ([0, 1], [False, True]) and values.dtype.kind in "biu":
        inside = values.dtype.kind == "b" or (values.min(initial=0) >= 0 and values.max(initial=0) <= 1)
        if inside:
            return values.view(np.int8) if values.dtype.kind == "b" else values
    if values.dtype.kind in "iu" and list(labels) == list(range(len(labels))):
        return (
            values
            if values.min(initial=0) >= 0 and values.max(initial=0) < len(labels)
            else np.where((values >= 0) & (values < len(labels)), values, -1)
        )
    if values.dtype.kind == "O":
        position = {label: i for i, label in enumerate(labels)}
        return np.fromiter((position.get(v, -1) for v in values.tolist()), np.int64, len(values))
    known = np.asarray(list(labels))
    if known.dtype.kind not in "biufUS" or (known.dtype.kind in "US") != (values.dtype.kind in "US"):
        return np.full(len(values), -1)
    order = np.argsort(known, kind="stable")
    at = np.searchsorted(known[order], values).clip(0, len(known) - 1)
    return np.where(known[order][at] == values, order[at], -1)
