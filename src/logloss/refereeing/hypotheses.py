"""What competes: anything that is fitted and then says how probable what happened was; and what it says of rows held out."""

from __future__ import annotations

import copy
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.codes import check_labels
from logloss.errors import AlignmentError, ForecastError, UsageError
from logloss.plain import plain
from logloss.recognise import has_columns, is_table, matrix, missing_mask, vector
from logloss.text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Float = NDArray[np.float64]

__all__ = ["Given", "Said", "check_length", "fitted", "hypotheses", "is_forecast", "say"]

LONG = 48  # characters of a name
SHORT = 32  # of what a model prints
CURE = "A hypothesis has fit(X, y) and predict_proba(X) or surprise(X, y); or no fit, if nothing is fitted; or is an array of probabilities, or a function (X, y) -> such a model."


@dataclass(frozen=True, eq=False)
class Said:
    """What a hypothesis said of the rows that were held out: their surprise (m,), or probabilities (m, K) of labels.

    `assumed` tells that its columns were taken in ascending order of the labels.
    """

    surprise: Float | None = None
    p: Float | None = None
    labels: tuple[Any, ...] = ()
    assumed: bool = False


def hypotheses(models: Any) -> dict[str, Any]:
    """Return the hypotheses by name: those of a list are called after their class; several of one, by what differs."""
    if isinstance(models, Mapping):
        named = {str(name): model for name, model in models.items()}
        if len(named) < len(models):
            raise UsageError("bad-hypothesis", "Two hypotheses have the same name.", cure="Name each once.")
    elif isinstance(models, list | tuple):
        names = _names(models)
        named = {}
        for name, model in zip(names, models, strict=True):
            alike = sum(one == name or one.startswith(f"{name} #") for one in named)
            named[f"{name} #{alike + 1}" if alike else name] = model
    else:
        raise UsageError(
            "bad-hypothesis",
            f"models is of the type {type(models).__name__}.",
            cure="Give a mapping {name: model}, or a list of models.",
        )
    if "fold" in named:
        raise UsageError("bad-hypothesis", "A hypothesis is called 'fold', as is the column of splits.", cure="Name it otherwise.")  # fmt: skip
    for name, model in named.items():
        if isinstance(model, type):
            raise UsageError("bad-hypothesis", f"{printable(name, LONG)!r} is a class, not a model of it.", cure=f"Write {model.__name__}(...).")  # fmt: skip
        if not (_speaks(model) or callable(model) or hasattr(model, "fit") or is_forecast(model)):
            raise UsageError(
                "bad-hypothesis",
                f"{printable(name, LONG)!r} is of the type {type(model).__name__}, which makes no forecast.",
                cure=CURE,
            )
    return named


def is_forecast(model: Any) -> bool:
    """Tell whether this is no model but what one said already: probabilities of all rows."""
    return not _speaks(model) and (isinstance(model, list | tuple) or is_table(model) or len(getattr(model, "shape", ())) in (1, 2))  # fmt: skip


class Given:
    """Probabilities of held-out rows that were there before."""

    def __init__(self, p: Any) -> None:
        self.p = p

    def predict_proba(self, X: Any) -> Any:  # noqa: ARG002  # as models have it
        """Return them."""
        return self.p


def fitted(model: Any, X: Any, y: Any) -> Any:
    """Return the model fitted to these rows: a copy of it, which it leaves as it was; itself, if nothing is fitted."""
    if hasattr(model, "fit"):
        fresh = _fresh(model)
        made = fresh.fit(X, y)
        return fresh if _speaks(fresh) or not _speaks(made) else made
    return model if _speaks(model) else model(X, y)


def say(model: Any, X: Any, y: Any, known: Sequence[Any], labels: Sequence[Any] | None) -> Said:
    """Return what a fitted model says of held-out rows.

    Parameters
    ----------
    known
        The labels of its training rows, ascending.
    labels
        The classes in the order of its columns, where the model does not tell.
    """
    if hasattr(model, "surprise"):
        return Said(surprise=_surprises(model.surprise(X, y)))
    if not hasattr(model, "predict_proba"):
        name = type(model).__name__
        wrapped = f"Wrap it: sklearn.calibration.CalibratedClassifierCV({name}(...)) turns its decisions into probabilities."
        raise UsageError("bad-hypothesis", f"{name} gives no probabilities.", cure=wrapped if hasattr(model, "decision_function") else CURE)  # fmt: skip
    given = model.predict_proba(X)
    classes = getattr(model, "classes_", None)
    if isinstance(given, list) and given and getattr(given[0], "ndim", 1) == 2:
        raise UsageError("bad-hypothesis", "It forecasts several outcomes at once.", cure="Judge one at a time.")  # fmt: skip
    names = matrix(given, "The probabilities").names if is_table(given) else None
    p = matrix(given, "The probabilities").values if has_columns(given) else vector(given, "The probabilities").values[:, None]  # fmt: skip
    p = np.asarray(p, np.float64)
    if p.shape[1] == 1:
        p = np.concatenate([1.0 - p, p], axis=1)
        names = None
    if classes is not None:
        order = [plain(label) for label in np.asarray(classes).tolist()]
        told = [str(label) for label in order]
        if names is not None and list(names) != told and sorted(names) == sorted(told):
            raise ForecastError(
                "columns-against-classes",
                f"Its columns are named {list(names)}, and its classes_ are {told}: which column is whose is said in two ways.",
                cure="Return the columns in the order of classes_, or an array.",
            )
    elif names is not None:
        order = [next((label for label in known if str(label) == name), name) for name in names]
    else:
        order = list(known if labels is None else labels)
    check_labels(order, p.shape[1])
    return Said(p=p, labels=tuple(order), assumed=classes is None and names is None and labels is None)


def _surprises(given: Any) -> Float:
    values = np.asarray(vector(given, "The surprises").values)
    if values.dtype.kind not in "biuf" or missing_mask(values).any() or np.isneginf(values).any():
        raise ForecastError(
            "bad-surprise",
            "A surprise is missing, -inf, or no number.",
            cure="surprise(X, y) returns -log p of what happened, in nats, for each row: inf where p is 0.",
        )
    return values.astype(np.float64)


def check_length(said: Said, count: int) -> None:
    """Refuse another number of answers than rows."""
    found = len(said.surprise if said.p is None else said.p)  # type: ignore[arg-type]
    if found != count:
        raise AlignmentError(
            "different-lengths",
            f"{count:,} rows were held out, and {found:,} forecasts came back.",
            cure="Return one of each per row, in the order of the rows.",
        )


def _speaks(model: Any) -> bool:
    return hasattr(model, "surprise") or hasattr(model, "predict_proba")


def _fresh(model: Any) -> Any:
    """Return a copy that has not been fitted, by scikit-learn where it is loaded and the model is one of its kind."""
    base = sys.modules.get("sklearn.base")
    if base is not None and hasattr(model, "get_params"):
        return base.clone(model)
    return copy.deepcopy(model)


def _class_of(model: Any) -> str:
    return str(getattr(model, "__name__", type(model).__name__))


def _names(models: Sequence[Any]) -> list[str]:
    """Return what models are called that were given no names: short, and each by what tells it from others of its class."""
    names = [_class_of(model) for model in models]
    for name in {name for name in names if names.count(name) > 1}:
        alike = [at for at, one in enumerate(names) if one == name]
        texts = [" ".join(repr(models[at]).split()) for at in alike]
        if max(map(len, texts)) > SHORT or len(set(texts)) < len(texts) or not texts[0].isprintable():
            texts = _differing(name, [models[at] for at in alike])
        for at, text in zip(alike, texts, strict=True):
            names[at] = text
    return names


def _differing(name: str, models: list[Any]) -> list[str]:
    """Return the name with the arguments in which models of one class differ; the bare name where that is too long."""
    if not all(hasattr(model, "get_params") for model in models):
        return [name] * len(models)
    given = [{key: repr(value) for key, value in model.get_params(deep=False).items()} for model in models]
    differ = [key for key in given[0] if len({one.get(key) for one in given}) > 1]
    texts = [f"{name}({', '.join(f'{key}={one.get(key)}' for key in differ)})" for one in given]
    return texts if differ and max(map(len, texts)) <= LONG else [name] * len(models)
