"""Outcomes given as one column per class: 0 and 1, shares that sum to one, or annotators counted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss import units
from logloss.codes import check_labels
from logloss.errors import OutcomeError, UsageError, listing
from logloss.labels import Classes, bare, match, two_classes
from logloss.notes import Note, Remark, noted
from logloss.recognise import Matrix, Vector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from logloss.alignment import Draft
    from logloss.notes import Place

    Float = NDArray[np.float64]

__all__ = ["checked_counts", "from_indicators"]


def checked_counts(draft: Draft) -> Draft:
    """Refuse what are no counts of annotators; a row that nobody looked at becomes a missing outcome."""
    if not isinstance(draft.outcome, Matrix):
        return draft
    values = draft.outcome.values.astype(np.float64)
    with np.errstate(invalid="ignore"):
        bad = ((values < 0) | (values != np.floor(values)) | (values > 2.0**53)) & ~np.isnan(values)
    odd = np.asarray(bad.any(axis=1))
    if odd.any():
        raise OutcomeError(
            "bad-counts",
            f"No counts of annotators: {units.count(int(odd.sum()), 'outcome')} ({draft.places(odd)}: {listing([f'{v:g}' for v in values[bad][:4]], total=int(bad.sum()), limit=3)}).",
            cure="Counts are whole numbers, 0 or more. Outcomes that are shares already need no counts= (CLI: --counts).",
        )
    values[(values == 0).all(axis=1)] = np.nan
    return replace(draft, outcome=replace(draft.outcome, values=values))


def from_indicators(
    draft: Draft,
    outcome: Matrix,
    forecast: Vector | Matrix,
    labels: Sequence[Any] | None,
    positive: Any = None,
    *,
    counts: bool = False,
) -> tuple[Classes, NDArray[Any], bool]:
    """Return the classes, the outcomes as positions or shares, and whether they are shares.

    With one column of forecasts, the shares are those of the second of two classes, shape (n,); else (n, K).
    """
    given = outcome.values.astype(np.float64, copy=False)
    K = given.shape[1]
    single = isinstance(forecast, Vector)
    columns = 1 if isinstance(forecast, Vector) else forecast.values.shape[1]
    if columns != K and not (single and K == 2):
        raise OutcomeError(
            "columns-without-class",
            f"The outcomes have {K} columns, the forecast {columns}.",
            cure="Give one forecast column per outcome column, or one column of labels.",
        )
    if isinstance(forecast, Vector):
        classes, own = _two(outcome, forecast, labels, positive)
    else:
        if labels is not None:
            check_labels(labels, K)
        classes, own = _several(outcome, forecast, labels)
    if own is not None:
        given = given[:, list(own)]
    shares = given
    if counts:
        totals = given.sum(axis=1)
        shares = given / totals[:, None]
        classes.notes.append(_counted(given, totals, draft.weight))
    else:
        _refuse_no_shares(draft, given)
    if bool(((shares == 0) | (shares == 1)).all()):
        return classes, shares.argmax(axis=1), False
    if not counts:
        mixed = int((shares.max(axis=1) < 1).sum())
        noted(classes.notes, Remark("soft-outcomes", mixed, {"several": (mixed, ())}), len(shares), 1.0)
    return classes, shares[:, 1] if single else shares, True


def _counted(given: Float, totals: Float, weight: Vector | None) -> Note:
    """Return the note on annotators: how many, and by how much their small number lowers the outcomes' entropy.

    The entropy of shares from R annotators is too low by (m - 1) / (2 R) on average, to first order, m being the
    classes that can be chosen; those that were chosen are counted (Miller 1955, Note on the bias of information
    estimates).
    """
    w = np.ones(len(totals)) if weight is None else weight.values.astype(np.float64)
    used = w > 0
    w, given, totals = w[used], given[used], totals[used]
    chosen = (given > 0).sum(axis=1)
    lacks = float((w * (chosen - 1) / (2 * totals)).sum())
    kinds: dict[str, tuple[int, tuple[Place, ...]]] = {
        "annotators": (int(totals.sum()), ()),
        "disagree": (int((chosen > 1).sum()), ()),
        "alone": (int((totals == 1).sum()), ()),
    }
    span = float(totals.max(initial=0)), lacks, float(totals.min(initial=np.inf))
    remark = Remark("annotator-counts", len(totals), kinds, *span)
    return remark.note(len(totals), float(w.sum()) or 1.0)


def _refuse_no_shares(draft: Draft, shares: Float) -> None:
    off = ~((shares >= 0).all(axis=1) & (np.abs(shares.sum(axis=1) - 1.0) <= 1e-9))
    if not off.any():
        return
    cure = "If several labels can be true at once, score each as a yes/no forecast of its own: ll.multilabel (CLI: --multilabel)."
    if bool(((shares >= 0) & (shares == np.floor(shares))).all()):
        cure += " If the columns count annotators, say counts=True (CLI: --counts)."
    raise OutcomeError(
        "outcome-rows-not-one",
        f"Neither one class nor shares that sum to one: {units.count(int(off.sum()), 'outcome')} ({draft.places(off)}).",
        cure=cure,
    )


def _several(
    outcome: Matrix, forecast: Matrix, labels: Sequence[Any] | None
) -> tuple[Classes, tuple[int, ...] | None]:
    """Return the classes with their forecast columns, and the outcome column of each: by name, else by position."""
    if labels is None:
        columns, own = None, None
        classes = Classes(outcome.names or forecast.names or tuple(range(outcome.values.shape[1])))
        if outcome.names and forecast.names:
            columns = match(forecast.names, outcome.names)
            short = bare(outcome.names) if columns is None else None
            if short is not None:
                columns = match(forecast.names, short)
            classes = Classes(short if short and columns else outcome.names, columns)
        odd = outcome.names and forecast.names and columns is None
        said = f"Outcome columns ({listing(outcome.names or ())}) and forecast columns ({listing(forecast.names or ())}) have different names"
    else:
        columns, own = (match(part.names, labels) if part.names else None for part in (forecast, outcome))
        classes = Classes(tuple(labels), columns)
        odd = (forecast.names and columns is None) or (outcome.names and own is None)
        said = f"Not all columns are named after the labels {listing([repr(label) for label in labels])}"
    if odd:
        classes.notes.append(Note("class-order", f"{said}; they are paired by position."))
    return classes, own


def _two(
    outcome: Matrix, forecast: Vector, labels: Sequence[Any] | None, positive: Any
) -> tuple[Classes, tuple[int, ...] | None]:
    """Return the two classes of a single forecast, which is about the second, and the outcome column of each."""
    if outcome.names is None:
        classes = two_classes(Vector(np.array([0, 1])), forecast.name, labels, positive)
        own = match(["0", "1"], classes.labels)
        return classes, own
    short = bare(outcome.names) or outcome.names
    classes = two_classes(Vector(np.array(short, dtype=object)), forecast.name, labels, positive)
    own = match(outcome.names, classes.labels)
    if own is None:
        raise UsageError(
            "labels-count",
            f"The outcome columns are {listing(outcome.names)}; none is named after {listing([repr(label) for label in classes.labels])}.",
            cure="Name the two classes after the columns, the one that the forecast is about last.",
        )
    return classes, own
